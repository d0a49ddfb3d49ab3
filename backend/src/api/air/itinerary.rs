//! Slices and segments, which offers and orders show alike.

use super::conditions::{Rules, ShownSliceConditions};
use super::place::{Aircraft, Airline, Airport, Place};
use super::{CabinClass, Names};
use crate::ids::PassengerId;
use crate::shopping::offer::{OfferSegment, OfferSlice, PricedOffer, PricedPassenger};
use chrono::NaiveDateTime;
use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

/// One direction of travel.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Slice {
    pub id: String,
    pub origin_type: &'static str,
    pub origin: Place,
    pub destination_type: &'static str,
    pub destination: Place,
    /// ISO 8601, connections included.
    #[schema(example = "PT2H15M")]
    pub duration: Option<String>,
    pub fare_brand_name: Option<String>,
    pub segments: Vec<Segment>,
    /// At this moment, for all passengers, if only this slice is given back or changed.
    pub conditions: SliceConditions,
    /// Extension: every step of the conditions with its times. Only where one offer or order is read, otherwise null.
    pub airsettle_rules: Option<Rules>,
    pub ngs_shelf: Option<u8>,
    /// The same for the same flights and fare brand in any offer.
    pub comparison_key: String,
}

/// One flight.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Segment {
    pub id: String,
    pub origin: Airport,
    pub origin_terminal: Option<String>,
    pub destination: Airport,
    pub destination_terminal: Option<String>,
    /// Wall-clock time at the origin.
    #[schema(example = "2026-12-10T08:00:00")]
    pub departing_at: String,
    /// Wall-clock time at the destination.
    pub arriving_at: String,
    pub duration: Option<String>,
    /// Kilometres.
    pub distance: Option<String>,
    pub aircraft: Option<Aircraft>,
    pub marketing_carrier: Airline,
    pub marketing_carrier_flight_number: String,
    pub operating_carrier: Airline,
    pub operating_carrier_flight_number: Option<String>,
    pub passengers: Vec<SegmentPassenger>,
    /// Technical stops; always empty.
    #[schema(value_type = Vec<Object>)]
    pub stops: [(); 0],
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SegmentPassenger {
    pub passenger_id: String,
    pub cabin_class: CabinClass,
    pub cabin_class_marketing_name: &'static str,
    pub cabin: SegmentCabin,
    /// The booking class letter of the ticket coupon.
    #[schema(example = "Y")]
    pub booking_class: String,
    pub fare_basis_code: Option<String>,
    pub baggages: Vec<Baggage>,
    #[schema(value_type = Option<Object>)]
    pub seat: Option<()>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SegmentCabin {
    pub name: CabinClass,
    pub marketing_name: &'static str,
    #[schema(value_type = Option<Object>)]
    pub amenities: Option<()>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Baggage {
    /// `checked` or `carry_on`.
    #[serde(rename = "type")]
    #[schema(example = "checked")]
    pub kind: &'static str,
    pub quantity: u8,
    /// Of checked baggage the allowance of all pieces together, of carry-on that of each piece.
    pub maximum_weight_kg: Option<u8>,
}

/// Whether something may be done to a booking and for how much; null where it is not known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Conditions {
    pub refund_before_departure: Option<Condition>,
    pub change_before_departure: Option<Condition>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Condition {
    pub allowed: bool,
    pub penalty_amount: Option<String>,
    pub penalty_currency: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct SliceConditions {
    #[serde(flatten)]
    pub conditions: Conditions,
    pub advance_seat_selection: Option<bool>,
    pub priority_boarding: Option<bool>,
    pub priority_check_in: Option<bool>,
}

/// The slices of an offer, as part of the offer or order whose id has this text.
pub fn slices(
    offer: &PricedOffer,
    part_of: &str,
    passengers: &[PassengerId],
    conditions: &[ShownSliceConditions],
    names: &dyn Names,
) -> Vec<Slice> {
    let body = part_of.split_once('_').map_or(part_of, |(_, body)| body);
    let mut first_coupon = 0;
    let mut slices = Vec::with_capacity(offer.slices.len());
    for (position, slice) in offer.slices.iter().enumerate() {
        let view = View { offer, passengers, names, body, position, first_coupon };
        slices.push(view.slice(slice, conditions.get(position).cloned().unwrap_or_default()));
        first_coupon += slice.segments.len();
    }
    slices
}

struct View<'a> {
    offer: &'a PricedOffer,
    passengers: &'a [PassengerId],
    names: &'a dyn Names,
    /// The id of the offer or order without its prefix.
    body: &'a str,
    /// Which slice this is.
    position: usize,
    /// Coupons of the slices before this one.
    first_coupon: usize,
}

impl View<'_> {
    fn slice(&self, slice: &OfferSlice, conditions: ShownSliceConditions) -> Slice {
        let (origin, destination) = (Place::named(self.names, &slice.origin), Place::named(self.names, &slice.destination));
        Slice {
            id: format!("sli_{}_{}", self.body, self.position),
            origin_type: origin.kind(),
            origin,
            destination_type: destination.kind(),
            destination,
            duration: (!slice.segments.is_empty()).then(|| iso_duration(slice.minutes())),
            fare_brand_name: (!slice.fare_brand.is_empty()).then(|| slice.fare_brand.clone()),
            segments: slice.segments.iter().enumerate().map(|(leg, segment)| self.segment(leg, segment)).collect(),
            conditions: conditions.now,
            airsettle_rules: conditions.rules,
            ngs_shelf: None,
            comparison_key: comparison_key(slice),
        }
    }

    fn segment(&self, leg: usize, segment: &OfferSegment) -> Segment {
        let carrier = Airline::named(self.names, &segment.carrier);
        let number = segment.flight_number.to_string();
        let passengers = self.offer.passengers.iter().zip(self.passengers);
        Segment {
            id: format!("seg_{}_{}_{leg}", self.body, self.position),
            origin: Airport::named(self.names, &segment.origin),
            origin_terminal: None,
            destination: Airport::named(self.names, &segment.destination),
            destination_terminal: None,
            departing_at: wall_clock(segment.departing_at),
            arriving_at: wall_clock(segment.arriving_at),
            duration: Some(iso_duration(i64::from(segment.duration_minutes))),
            distance: Some(segment.distance_km.to_string()),
            aircraft: Some(Aircraft::named(self.names, &segment.aircraft)),
            marketing_carrier: carrier.clone(),
            marketing_carrier_flight_number: number.clone(),
            operating_carrier: carrier,
            operating_carrier_flight_number: Some(number),
            passengers: passengers.map(|(priced, id)| seated(segment, priced, *id, self.first_coupon + leg)).collect(),
            stops: [],
        }
    }
}

fn seated(segment: &OfferSegment, priced: &PricedPassenger, id: PassengerId, coupon: usize) -> SegmentPassenger {
    let class = CabinClass::from(segment.cabin);
    let coupon = priced.coupons.get(coupon);
    let bags = |kind: &'static str, quantity: u8, kilograms: u8| Baggage {
        kind,
        quantity,
        maximum_weight_kg: (quantity > 0).then_some(kilograms),
    };
    let checked_kg = coupon.map_or(0, |coupon| coupon.checked_bag_kg);
    let carry_on = coupon.and_then(|coupon| coupon.carry_on);
    let checked = bags("checked", u8::from(checked_kg > 0), checked_kg);
    let baggages = [checked].into_iter().chain(carry_on.map(|carry_on| bags("carry_on", carry_on.pieces, carry_on.kg)));
    SegmentPassenger {
        passenger_id: id.to_string(),
        cabin_class: class,
        cabin_class_marketing_name: class.marketing_name(),
        cabin: SegmentCabin { name: class, marketing_name: class.marketing_name(), amenities: None },
        booking_class: segment.booking_class.to_string(),
        fare_basis_code: coupon.map(|coupon| coupon.fare_basis.clone()),
        baggages: baggages.collect(),
        seat: None,
    }
}

fn comparison_key(slice: &OfferSlice) -> String {
    let mut digest = Sha256::new();
    for segment in &slice.segments {
        digest
            .update(format!("{}{}@{} {}|", segment.carrier, segment.flight_number, segment.departing_at, segment.booking_class));
    }
    digest.update(&slice.fare_brand);
    let digest = hex::encode(digest.finalize());
    digest.chars().take(16).collect()
}

fn iso_duration(minutes: i64) -> String {
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (hours, minutes) {
        (0, minutes) => format!("PT{minutes}M"),
        (hours, 0) => format!("PT{hours}H"),
        (hours, minutes) => format!("PT{hours}H{minutes}M"),
    }
}

fn wall_clock(time: NaiveDateTime) -> String {
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::{Catalogue, family_return};
    use super::*;
    use crate::ids::Id;
    use serde_json::{json, to_value};
    use std::collections::HashSet;

    fn shown(part_of: &str) -> Vec<Slice> {
        let passengers: Vec<PassengerId> = (11..14).map(PassengerId::of).collect();
        slices(&family_return(), part_of, &passengers, &[], &Catalogue::small())
    }

    #[test]
    fn a_connection_counts_in_the_slice_and_not_in_its_flights() {
        let slices = shown("off_1");
        assert_eq!(slices[0].duration.as_deref(), Some("PT2H15M"));
        assert_eq!(slices[1].duration.as_deref(), Some("PT7H10M"));
        assert_eq!(slices[1].segments[0].duration.as_deref(), Some("PT2H30M"));
        assert_eq!((iso_duration(45), iso_duration(120)), ("PT45M".to_owned(), "PT2H".to_owned()));
    }

    #[test]
    fn each_flight_shows_the_coupon_of_each_passenger() {
        let slices = shown("off_1");
        let last = to_value(&slices[1].segments[1]).unwrap();
        assert_eq!(last["passengers"].as_array().unwrap().len(), 3);
        assert_eq!(last["passengers"][0]["passenger_id"], json!(PassengerId::of(11).to_string()));
        assert_eq!(last["passengers"][0]["fare_basis_code"], json!("YRT"));
        assert_eq!(
            last["passengers"][0]["baggages"],
            json!([
                {"type": "checked", "quantity": 1, "maximum_weight_kg": 20}, {"type": "carry_on", "quantity": 1, "maximum_weight_kg": 5}
            ])
        );
        assert_eq!(
            last["passengers"][2]["baggages"],
            json!([
                {"type": "checked", "quantity": 0, "maximum_weight_kg": null}, {"type": "carry_on", "quantity": 0, "maximum_weight_kg": null}
            ])
        );
        assert_eq!(last["departing_at"], json!("2026-12-20T13:00:00"));
        assert_eq!(last["stops"], json!([]));
        assert_eq!(last["marketing_carrier"]["name"], json!("Air China"));
    }

    #[test]
    fn ids_are_unique_within_and_across_offers_and_orders() {
        let mut ids = HashSet::new();
        for slice in shown("off_1").into_iter().chain(shown("off_2")).chain(shown("ord_3")) {
            assert!(ids.insert(slice.id.clone()), "{}", slice.id);
            assert!(slice.segments.iter().all(|segment| ids.insert(segment.id.clone())));
        }
    }

    #[test]
    fn the_comparison_key_is_about_the_flights_and_not_the_offer() {
        let (one, other) = (shown("off_1"), shown("off_2"));
        assert_eq!(one[0].comparison_key, other[0].comparison_key);
        assert_ne!(one[0].comparison_key, one[1].comparison_key);
    }
}
