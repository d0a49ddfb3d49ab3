//! The journey of an order, from its coupons: what an order shows, and what a change of flights starts from.

use super::coupon::CouponStatus;
use super::ticket::{CouponRow, IssuedOrder, TicketRow};
use crate::catalogue::{AirportCode, Catalogue};
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::shopping::offer::{
    Cabin, OfferSegment, OfferSlice, PassengerKind, PricedCoupon, PricedOffer, PricedPassenger, PricedTax,
};
use chrono::{NaiveDateTime, TimeZone};

/// The moment of a wall-clock time at an airport; an hour that a change of clocks repeats is its first one.
pub fn moment_at(catalogue: &Catalogue, airport: &str, local: NaiveDateTime) -> Timestamp {
    let airport = AirportCode::parse(airport).and_then(|code| catalogue.airports.get(code));
    let zone = airport.map_or(chrono_tz::UTC, |airport| airport.zone);
    let local_time = zone.from_local_datetime(&local).earliest();
    local_time.map_or_else(|| Timestamp::from(local), |time| Timestamp::from(time.to_utc()))
}

/// The flights that were sold last: a coupon that was exchanged belongs to an earlier journey.
pub fn journey(issued: &IssuedOrder) -> Result<PricedOffer, DbError> {
    let mut slices: Vec<OfferSlice> = Vec::new();
    let mut last_slice = None;
    let first = issued.passengers.first().map(|(passenger, _)| passenger.id);
    let flown: Vec<&CouponRow> = first.map(|id| coupons_of(issued, id)).unwrap_or_default();
    for coupon in &flown {
        let segment = segment(coupon)?;
        match slices.last_mut().filter(|_| last_slice == Some(coupon.slice)) {
            Some(slice) => {
                slice.destination = segment.destination.clone();
                slice.segments.push(segment);
            }
            None => slices.push(OfferSlice {
                origin: segment.origin.clone(),
                destination: segment.destination.clone(),
                fare_brand: coupon.fare_brand.clone(),
                segments: vec![segment],
            }),
        }
        last_slice = Some(coupon.slice);
    }
    let mut passengers = Vec::with_capacity(issued.passengers.len());
    for (row, _) in &issued.passengers {
        let corrupt = || DbError::Corrupt(format!("kind of passenger {}", row.id));
        let coupons = coupons_of(issued, row.id);
        let tickets: Vec<&TicketRow> =
            issued.tickets.iter().filter(|ticket| coupons.iter().any(|coupon| coupon.ticket_id == ticket.id)).collect();
        let mut taxes: Vec<PricedTax> = Vec::new();
        for tax in issued.taxes.iter().filter(|tax| tickets.iter().any(|ticket| ticket.id == tax.ticket_id)) {
            match taxes.iter_mut().find(|known| known.code == tax.code && known.payee == tax.payee) {
                Some(known) => known.minor += tax.minor,
                None => taxes.push(PricedTax { code: tax.code.clone(), minor: tax.minor, payee: tax.payee.clone() }),
            }
        }
        passengers.push(PricedPassenger {
            kind: PassengerKind::parse(&row.kind).ok_or_else(corrupt)?,
            age: None,
            base_minor: coupons.iter().map(|coupon| coupon.base_minor).sum(),
            coupons: coupons.into_iter().map(priced_coupon).collect(),
            taxes,
        });
    }
    let carrier = flown.first().map(|coupon| coupon.carrier.clone()).unwrap_or_default();
    // Every schedule is generated so far; a real one will say so on its coupons.
    Ok(PricedOffer { carrier, currency: issued.order.currency.clone(), slices, passengers, demo: true })
}

/// A passenger's coupons in the order of the journey.
pub(super) fn coupons_of(issued: &IssuedOrder, passenger: i64) -> Vec<&CouponRow> {
    let is_theirs =
        |coupon: &&CouponRow| issued.tickets.iter().any(|own| own.id == coupon.ticket_id && own.passenger_id == passenger);
    // Void are either all coupons of an order, or those of an exchange that was taken back.
    let is_over = |coupon: &&CouponRow| {
        coupon.status == CouponStatus::Exchanged.text()
            || (coupon.status == CouponStatus::Void.text() && issued.order.cancelled_at.is_none())
    };
    let mut coupons: Vec<&CouponRow> = issued.coupons.iter().filter(|coupon| !is_over(coupon)).filter(is_theirs).collect();
    coupons.sort_by_key(|coupon| (coupon.slice, coupon.id));
    coupons
}

fn priced_coupon(coupon: &CouponRow) -> PricedCoupon {
    PricedCoupon {
        fare_basis: coupon.fare_basis.clone(),
        base_minor: coupon.base_minor,
        checked_bag_kg: u8::try_from(coupon.checked_bag_kg).unwrap_or(0),
    }
}

fn segment(coupon: &CouponRow) -> Result<OfferSegment, DbError> {
    let corrupt = |what: &str| DbError::Corrupt(format!("{what} of coupon {}", coupon.id));
    Ok(OfferSegment {
        carrier: coupon.carrier.clone(),
        flight_number: u16::try_from(coupon.flight_number).map_err(|_| corrupt("flight"))?,
        aircraft: coupon.aircraft.clone(),
        origin: coupon.origin.clone(),
        destination: coupon.destination.clone(),
        departing_at: coupon.departing_at,
        arriving_at: coupon.arriving_at,
        duration_minutes: u32::try_from(coupon.duration_minutes).map_err(|_| corrupt("duration"))?,
        distance_km: u32::try_from(coupon.distance_km).map_err(|_| corrupt("distance"))?,
        booking_class: coupon.booking_class.chars().next().ok_or_else(|| corrupt("class"))?,
        cabin: Cabin::parse(&coupon.cabin).ok_or_else(|| corrupt("cabin"))?,
    })
}
