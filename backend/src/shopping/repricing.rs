//! An offer that is priced again while it is looked at: the same flights at the fares, taxes and seats of this moment. A class that is sold
//! out or may not be bought any more gives way to the next one of its cabin. The order prices it once more with `price::reprice`.

use super::FARE_ZONE;
use super::offer::{OfferSegment, PricedOffer, PricedPassenger};
use super::price::{Booking, RepriceRefusal, bucket_in, passengers_of, price, rebook, seats_needed, trip_of};
use super::tariff::{Sale, Tariff};
use crate::catalogue::fares::Rung;
use crate::catalogue::{BucketId, Catalogue};
use crate::clock::Timestamp;
use std::collections::HashMap;

/// What is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PriceChange {
    BookingClass {
        slice: usize,
        segment: usize,
        before: char,
        after: char,
    },
    /// Base fare of a passenger.
    Fare {
        passenger: usize,
        before_minor: i64,
        after_minor: i64,
    },
    /// One tax of a passenger, owed to one payee.
    Tax {
        passenger: usize,
        code: String,
        before_minor: i64,
        after_minor: i64,
    },
}

/// The buckets whose sold seats `price_again` wants to know: those of every class that a flight may move to.
pub fn wanted_buckets(catalogue: &Catalogue, offer: &PricedOffer, now: Timestamp) -> Result<Vec<BucketId>, RepriceRefusal> {
    let issued_on = now.date_in(FARE_ZONE);
    let mut buckets = Vec::new();
    for segment in offer.segments() {
        let booking = rebook(catalogue, segment, issued_on, now)?;
        buckets.extend(at_or_above(&booking).filter_map(|rung| bucket_in(&booking, rung)));
    }
    Ok(buckets)
}

/// The same flights today. A bucket that is missing in `sold` has sold nothing.
pub fn price_again<'c>(
    tariff: impl Into<Tariff<'c>>,
    offer: &PricedOffer,
    sold: &HashMap<BucketId, i64>,
    now: Timestamp,
) -> Result<PricedOffer, RepriceRefusal> {
    let issued_on = now.date_in(FARE_ZONE);
    let sale = Sale { tariff: tariff.into(), trip: trip_of(offer, issued_on)? };
    let choice = Choice { sale, sold, seats: seats_needed(offer) };
    let mut slices = Vec::with_capacity(offer.slices.len());
    for slice in &offer.slices {
        let mut bookings = Vec::with_capacity(slice.segments.len());
        for segment in &slice.segments {
            bookings.push(choice.rebook(segment, now)?);
        }
        slices.push(bookings);
    }
    sale.check_all(&slices)?;
    price(sale, &slices, &passengers_of(offer))?.ok_or(RepriceRefusal::NotAnOffer)
}

/// What has changed from one price of an offer to another, in the order of its flights and passengers.
pub fn changes(before: &PricedOffer, after: &PricedOffer) -> Vec<PriceChange> {
    let mut found = Vec::new();
    for (slice, (old, new)) in before.slices.iter().zip(&after.slices).enumerate() {
        for (segment, (old, new)) in old.segments.iter().zip(&new.segments).enumerate() {
            if old.booking_class != new.booking_class {
                let (before, after) = (old.booking_class, new.booking_class);
                found.push(PriceChange::BookingClass { slice, segment, before, after });
            }
        }
    }
    for (passenger, (old, new)) in before.passengers.iter().zip(&after.passengers).enumerate() {
        if old.base_minor != new.base_minor {
            let (before_minor, after_minor) = (old.base_minor, new.base_minor);
            found.push(PriceChange::Fare { passenger, before_minor, after_minor });
        }
        found.extend(tax_changes(passenger, old, new));
    }
    found
}

fn tax_changes(passenger: usize, old: &PricedPassenger, new: &PricedPassenger) -> Vec<PriceChange> {
    let amount = |of: &PricedPassenger, code: &str, payee: &str| {
        of.taxes.iter().find(|tax| tax.code == code && tax.payee == payee).map_or(0, |tax| tax.minor)
    };
    let mut keys: Vec<(&str, &str)> =
        old.taxes.iter().chain(&new.taxes).map(|tax| (tax.code.as_str(), tax.payee.as_str())).collect();
    keys.sort_unstable();
    keys.dedup();
    let compared = keys.into_iter().map(|(code, payee)| (code, amount(old, code, payee), amount(new, code, payee)));
    let changed = compared.filter(|(_, before, after)| before != after);
    changed
        .map(|(code, before_minor, after_minor)| PriceChange::Tax { passenger, code: code.to_owned(), before_minor, after_minor })
        .collect()
}

struct Choice<'s, 'c> {
    sale: Sale<'c>,
    sold: &'s HashMap<BucketId, i64>,
    seats: i64,
}

impl<'c> Choice<'_, 'c> {
    /// The segment in its class, or in the next one of the cabin that has seats and may be bought.
    fn rebook(&self, segment: &OfferSegment, now: Timestamp) -> Result<Booking<'c>, RepriceRefusal> {
        let booking = rebook(self.sale.catalogue(), segment, self.sale.trip.issued_on, now)?;
        let mut forbidden = None;
        for rung in at_or_above(&booking) {
            let moved = Booking { rung, ..booking };
            if let Err(refusal) = self.sale.check(&moved) {
                forbidden.get_or_insert(refusal);
            } else if self.has_seats(&moved) {
                return Ok(moved);
            }
        }
        let sold_out = || RepriceRefusal::SoldOut {
            flight: format!("{}{}", segment.carrier, segment.flight_number),
            date: segment.departing_at.date(),
        };
        Err(forbidden.map_or_else(sold_out, RepriceRefusal::RuleNotMet))
    }

    fn has_seats(&self, booking: &Booking<'_>) -> bool {
        let Some(bucket) = bucket_in(booking, booking.rung) else { return false };
        let sold = self.sold.get(&bucket).copied().unwrap_or(0);
        let left = booking.leg.capacity(self.sale.catalogue(), booking.rung.class).saturating_sub(sold);
        left > 0 && left >= self.seats
    }
}

/// The class itself, then the dearer ones of its cabin, cheapest first.
fn at_or_above<'c>(booking: &Booking<'c>) -> impl Iterator<Item = &'c Rung> {
    let from = booking.rung;
    booking.leg.ladder.rungs.iter().rev().filter(move |rung| rung.cabin == from.cabin && rung.percent >= from.percent)
}
