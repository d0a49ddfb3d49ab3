//! From a priced offer to what is to be issued: pure, before the commit.

use super::plan::{CouponPlan, PassengerPlan, SeatDemand, TicketPlan};
use super::ticket::MOST_COUPONS;
use crate::agencies::Contract;
use crate::catalogue::split::{Split, SplitError, Tax, split};
use crate::catalogue::{BucketId, Catalogue};
use crate::clock::Timestamp;
use crate::money::{Money, MoneyError};
use crate::shopping::fare_line::fare_calculation;
use crate::shopping::offer::{PricedOffer, PricedPassenger};
use crate::shopping::price::{RepriceRefusal, bucket_ids, seats_needed};

#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Split(#[from] SplitError),
    #[error(transparent)]
    Reprice(#[from] RepriceRefusal),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the offer has {offered} passengers and the order {ordered}")]
    Passengers { offered: usize, ordered: usize },
    #[error("a ticket has at most {MOST_COUPONS} coupons, and the journey has {flights} flights")]
    TooManyCoupons { flights: usize },
}

/// Splits every passenger's price; what an offer that is shown must pass, and what an order is built from.
pub fn splits(offer: &PricedOffer, contract: &Contract) -> Result<Vec<Split>, SplitError> {
    offer.passengers.iter().map(|passenger| split_of(offer, passenger, contract)).collect()
}

fn split_of(offer: &PricedOffer, passenger: &PricedPassenger, contract: &Contract) -> Result<Split, SplitError> {
    let base = Money::new(passenger.base_minor, offer.currency()?);
    split(base, &taxes(offer, passenger)?, &offer.carrier, contract)
}

fn taxes(offer: &PricedOffer, passenger: &PricedPassenger) -> Result<Vec<Tax>, MoneyError> {
    let currency = offer.currency()?;
    let tax = |tax: &crate::shopping::offer::PricedTax| Tax {
        code: tax.code.clone(),
        payee: tax.payee.clone(),
        amount: Money::new(tax.minor, currency),
    };
    Ok(passenger.taxes.iter().map(tax).collect())
}

/// One ticket per passenger, in the order of the offer, and the seats they take.
pub fn plan_tickets(
    catalogue: &Catalogue,
    offer: &PricedOffer,
    contract: &Contract,
    passengers: Vec<PassengerPlan>,
    now: Timestamp,
) -> Result<(Vec<TicketPlan>, Vec<SeatDemand>), PlanError> {
    if passengers.len() != offer.passengers.len() {
        return Err(PlanError::Passengers { offered: offer.passengers.len(), ordered: passengers.len() });
    }
    let flights = offer.segments().count();
    if flights > MOST_COUPONS {
        return Err(PlanError::TooManyCoupons { flights });
    }
    let buckets = bucket_ids(catalogue, offer, now)?;
    let currency = offer.currency()?;
    let mut tickets = Vec::with_capacity(passengers.len());
    for (passenger, priced) in passengers.into_iter().zip(&offer.passengers) {
        tickets.push(TicketPlan {
            passenger,
            base: Money::new(priced.base_minor, currency),
            taxes: taxes(offer, priced)?,
            split: split_of(offer, priced, contract)?,
            fare_calculation: fare_calculation(catalogue, offer, priced)?,
            coupons: coupons(offer, priced, &buckets),
        });
    }
    Ok((tickets, seats(offer, &buckets)))
}

fn coupons(offer: &PricedOffer, passenger: &PricedPassenger, buckets: &[(BucketId, i64)]) -> Vec<CouponPlan> {
    let flown = offer
        .slices
        .iter()
        .zip(0i64..)
        .flat_map(|(slice, index)| slice.segments.iter().map(move |segment| (slice, index, segment)));
    let priced = flown.zip(&passenger.coupons).zip(buckets);
    priced
        .map(|(((slice, index, segment), coupon), (bucket, _))| CouponPlan {
            slice: index,
            carrier: segment.carrier.clone(),
            flight_number: i64::from(segment.flight_number),
            aircraft: segment.aircraft.clone(),
            origin: segment.origin.clone(),
            destination: segment.destination.clone(),
            departing_at: segment.departing_at,
            arriving_at: segment.arriving_at,
            duration_minutes: i64::from(segment.duration_minutes),
            distance_km: i64::from(segment.distance_km),
            booking_class: segment.booking_class,
            cabin: segment.cabin.text().to_owned(),
            fare_brand: slice.fare_brand.clone(),
            fare_basis: coupon.fare_basis.clone(),
            base_minor: coupon.base_minor,
            checked_bag_kg: i64::from(coupon.checked_bag_kg),
            seat_bucket: bucket.raw(),
            seats: i64::from(passenger.kind.takes_a_seat()),
        })
        .collect()
}

fn seats(offer: &PricedOffer, buckets: &[(BucketId, i64)]) -> Vec<SeatDemand> {
    let demand = |(segment, (bucket, capacity)): (&crate::shopping::offer::OfferSegment, &(BucketId, i64))| SeatDemand {
        bucket: bucket.raw(),
        capacity: *capacity,
        seats: seats_needed(offer),
        flight: format!("{}{}", segment.carrier, segment.flight_number),
        booking_class: segment.booking_class,
    };
    offer.segments().zip(buckets).map(demand).collect()
}
