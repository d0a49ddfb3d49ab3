//! What an offer is: an itinerary on one carrier's ticket stock with a price for every passenger. Stored as JSON with its offer
//! request, immutable from then on; the price is calculated anew when it is ordered.

/// Defined where fares and taxes are, which depend on them.
pub use crate::catalogue::fares::CarryOn;
pub use crate::catalogue::private_fares::{PrivateFareKind, PrivateFareMark};
pub use crate::catalogue::{Cabin, PassengerKind};

use crate::money::{Currency, Money, MoneyError};
use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedOffer {
    /// IATA code of the validating carrier: its accounting code is on the tickets and it is paid.
    pub carrier: String,
    pub currency: String,
    pub slices: Vec<OfferSlice>,
    pub passengers: Vec<PricedPassenger>,
    /// True where schedule and fare are generated demo data.
    pub demo: bool,
}

/// One direction of travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferSlice {
    pub origin: String,
    pub destination: String,
    pub fare_brand: String,
    pub segments: Vec<OfferSegment>,
}

/// One flight, which becomes one coupon of each passenger's ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferSegment {
    pub carrier: String,
    pub flight_number: u16,
    pub aircraft: String,
    pub origin: String,
    pub destination: String,
    /// Wall-clock time at the origin airport.
    pub departing_at: NaiveDateTime,
    /// Wall-clock time at the destination airport.
    pub arriving_at: NaiveDateTime,
    pub duration_minutes: u32,
    pub distance_km: u32,
    pub booking_class: char,
    pub cabin: Cabin,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedPassenger {
    pub kind: PassengerKind,
    /// Age in years on the first day of travel where the request said it; it can matter for a tax (a 12-year-old pays no CN).
    pub age: Option<u8>,
    /// In the order of all segments of all slices: one fare basis and one share of the base fare each.
    pub coupons: Vec<PricedCoupon>,
    /// The fare without taxes and surcharges; the coupons' shares add up to it.
    pub base_minor: i64,
    pub taxes: Vec<PricedTax>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedCoupon {
    pub fare_basis: String,
    pub base_minor: i64,
    /// Checked baggage: free allowance in kilograms.
    pub checked_bag_kg: u8,
    /// Carry-on baggage; not known of offers that were made before it was filed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carry_on: Option<CarryOn>,
    /// Where the fare is a private one of the agency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_fare: Option<PrivateFareMark>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedTax {
    /// `CN`, `YQ`, …
    pub code: String,
    pub minor: i64,
    /// Who is owed it: `CAAC` for CN; the carrier's own surcharges (YQ) name the carrier.
    pub payee: String,
}

impl PricedOffer {
    pub fn segments(&self) -> impl Iterator<Item = &OfferSegment> {
        self.slices.iter().flat_map(|slice| &slice.segments)
    }

    pub fn currency(&self) -> Result<Currency, MoneyError> {
        Currency::parse(&self.currency)
    }

    /// Base fare and taxes of all passengers.
    pub fn total(&self) -> Result<Money, MoneyError> {
        let currency = self.currency()?;
        let totals = self.passengers.iter().map(|passenger| passenger.total(currency));
        totals.into_iter().try_fold(Money::zero(currency), |sum, total| sum.checked_add(total?))
    }
}

impl OfferSlice {
    /// Flying time and time on the ground between flights, which is measured at one airport and so needs no zone.
    pub fn minutes(&self) -> i64 {
        let flying: i64 = self.segments.iter().map(|segment| i64::from(segment.duration_minutes)).sum();
        let waits = self.segments.iter().zip(self.segments.iter().skip(1));
        flying + waits.map(|(before, after)| (after.departing_at - before.arriving_at).num_minutes()).sum::<i64>()
    }
}

impl PricedPassenger {
    pub fn taxes_total(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::sum(currency, self.taxes.iter().map(|tax| Money::new(tax.minor, currency)))
    }

    pub fn total(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::new(self.base_minor, currency).checked_add(self.taxes_total(currency)?)
    }
}
