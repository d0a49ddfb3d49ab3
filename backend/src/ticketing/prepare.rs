//! From a priced offer to what is to be issued: pure, before the commit.

use super::plan::{CouponPlan, PassengerPlan, SeatDemand, TicketPlan};
use super::ticket::MOST_COUPONS;
use crate::agencies::{Agency, Contract};
use crate::catalogue::split::{Split, SplitError, Tax, price, split_paying};
use crate::catalogue::{BucketId, Catalogue, PassengerKind};
use crate::clock::Timestamp;
use crate::commission::{CouponEarning, RoutePoint, RulesInForce, SaleFacts, SegmentFacts, earn};
use crate::ids::AirlineId;
use crate::money::{Currency, Money, MoneyError};
use crate::shopping::fare_line::fare_calculation;
use crate::shopping::offer::{PricedOffer, PricedPassenger};
use crate::shopping::price::{RepriceRefusal, bucket_ids, schedule_change_of, seats_needed};
use chrono::NaiveDate;

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

/// What a sale is split by: who sells whose flights, on which contract and under which commission rules.
#[derive(Clone, Copy, Debug)]
pub struct SaleTerms<'t> {
    pub agency: &'t Agency,
    /// The validating carrier.
    pub airline: AirlineId,
    pub contract: &'t Contract,
    pub rules: &'t RulesInForce<'t>,
    /// In the zone of the point of sale.
    pub sold_on: NaiveDate,
}

impl SaleTerms<'_> {
    fn facts(&self, passenger: PassengerKind, currency: Currency) -> SaleFacts {
        SaleFacts {
            agency: self.agency.id,
            tier: self.agency.tier.clone(),
            airline: self.airline,
            passenger,
            sold_on: self.sold_on,
            currency,
        }
    }
}

/// A passenger's split, and what of its commission each coupon earns.
#[derive(Clone, Debug)]
pub struct PassengerSplit {
    pub split: Split,
    pub earnings: Vec<CouponEarning>,
}

/// Splits every passenger's price; what an offer that is shown must pass, and what an order is built from.
pub fn splits(catalogue: &Catalogue, offer: &PricedOffer, terms: &SaleTerms) -> Result<Vec<PassengerSplit>, SplitError> {
    let segments = segment_facts(catalogue, offer);
    offer.passengers.iter().map(|passenger| split_of(offer, &segments, passenger, terms)).collect()
}

fn split_of(
    offer: &PricedOffer,
    segments: &[SegmentFacts],
    passenger: &PricedPassenger,
    terms: &SaleTerms,
) -> Result<PassengerSplit, SplitError> {
    let currency = offer.currency()?;
    let (base, taxes) = (Money::new(passenger.base_minor, currency), taxes(offer, passenger)?);
    let fares = passenger.coupons.iter().map(|coupon| Money::new(coupon.base_minor, currency));
    let coupons: Vec<(SegmentFacts, Money)> = segments.iter().cloned().zip(fares).collect();
    let facts = terms.facts(passenger.kind, currency);
    let earnings = earn(terms.rules, terms.contract, &facts, price(base, &taxes)?, &coupons)?;
    let commission = Money::sum(currency, earnings.iter().map(|earning| earning.amount))?;
    let split = split_paying(base, &taxes, &offer.carrier, terms.contract, commission)?;
    Ok(PassengerSplit { split, earnings })
}

/// What commission rules ask of the segments, in the order of the coupons.
pub fn segment_facts(catalogue: &Catalogue, offer: &PricedOffer) -> Vec<SegmentFacts> {
    let mut facts = Vec::new();
    for slice in &offer.slices {
        let ends = [&slice.origin, &slice.destination].map(|code| RoutePoint::of(catalogue, code));
        let [origin, destination] = ends;
        facts.extend(slice.segments.iter().map(|segment| SegmentFacts {
            carrier: segment.carrier.clone(),
            origin: origin.clone(),
            destination: destination.clone(),
            booking_class: segment.booking_class,
            departs_on: segment.departing_at.date(),
        }));
    }
    facts
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
    terms: &SaleTerms,
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
    let splits = splits(catalogue, offer, terms)?;
    let mut tickets = Vec::with_capacity(passengers.len());
    for ((passenger, priced), PassengerSplit { split, earnings }) in passengers.into_iter().zip(&offer.passengers).zip(splits) {
        tickets.push(TicketPlan {
            passenger,
            base: Money::new(priced.base_minor, currency),
            taxes: taxes(offer, priced)?,
            split,
            fare_calculation: fare_calculation(catalogue, offer, priced)?,
            coupons: coupons(offer, priced, &buckets, &earnings),
        });
    }
    Ok((tickets, seats(catalogue, offer, &buckets)))
}

fn coupons(
    offer: &PricedOffer,
    passenger: &PricedPassenger,
    buckets: &[(BucketId, i64)],
    earnings: &[CouponEarning],
) -> Vec<CouponPlan> {
    let flown = offer
        .slices
        .iter()
        .zip(0i64..)
        .flat_map(|(slice, index)| slice.segments.iter().map(move |segment| (slice, index, segment)));
    let priced = flown.zip(&passenger.coupons).zip(buckets).zip(earnings);
    priced
        .map(|((((slice, index, segment), coupon), (bucket, _)), earning)| CouponPlan {
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
            commission_rule: earning.rule,
            commission_minor: earning.amount.minor,
        })
        .collect()
}

fn seats(catalogue: &Catalogue, offer: &PricedOffer, buckets: &[(BucketId, i64)]) -> Vec<SeatDemand> {
    let demand = |(segment, (bucket, capacity)): (&crate::shopping::offer::OfferSegment, &(BucketId, i64))| SeatDemand {
        bucket: bucket.raw(),
        capacity: *capacity,
        seats: seats_needed(offer),
        schedule_change: schedule_change_of(catalogue, segment),
        flight: format!("{}{}", segment.carrier, segment.flight_number),
        booking_class: segment.booking_class,
    };
    offer.segments().zip(buckets).map(demand).collect()
}
