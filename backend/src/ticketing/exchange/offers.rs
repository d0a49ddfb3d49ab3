//! What a change of flights costs: pure, from the journey as it was sold, what of it is given up, and what the search found for it.
//!
//! The whole unflown journey is ticketed anew. Flights that stay keep the fare and the taxes that they were sold at; new ones have today's. The penalty
//! is the change fee of each flight that is given up, on its share of the fare; infants pay none, nor does anybody whose flights the airline changed.

use crate::catalogue::changes::ChangeFee;
use crate::catalogue::{BookingClass, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::money::{Currency, Money, MoneyError};
use crate::shopping::offer::{OfferSegment, OfferSlice, PassengerKind, PricedCoupon, PricedOffer, PricedPassenger, PricedTax};
use crate::shopping::price::segment_taxes;
use crate::ticketing::journey::moment_at;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A journey that is changed.
#[derive(Clone, Copy, Debug)]
pub struct GivenUp<'a> {
    pub journey: &'a PricedOffer,
    /// The day of issue: the ladders and the taxes of that day hold.
    pub issued_on: NaiveDate,
    /// Which of its slices are given up.
    pub slices: &'a BTreeSet<usize>,
    pub reason: ChangeReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeReason {
    /// The traveller wants other flights.
    Voluntary,
    /// The airline changed the flights: no penalty.
    Involuntary,
}

/// A journey that an order can be changed to. Stored with its request; immutable from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeOffer {
    /// The whole journey of the new tickets, with what is kept.
    pub journey: PricedOffer,
    /// Which slices of the new journey are new.
    pub added: Vec<usize>,
    /// Which slices of the old journey are given up.
    pub removed: Vec<usize>,
    /// Per passenger, in the order of the journey's.
    pub penalties_minor: Vec<i64>,
    /// The price of the tickets that are given in, per passenger.
    pub given_in_minor: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    #[error("slice {slice} is not a part of the order")]
    NoSuchSlice { slice: usize },
    #[error("a change gives up at least one slice")]
    NothingGivenUp,
    #[error("the fare of {flight} in class {class} permits no change now")]
    NotPermitted { flight: String, class: char },
    #[error("{flight} has departed")]
    Departed { flight: String },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl ChangeOffer {
    pub fn currency(&self) -> Result<Currency, MoneyError> {
        self.journey.currency()
    }

    pub fn penalty(&self) -> Result<Money, MoneyError> {
        let currency = self.currency()?;
        Money::sum(currency, self.penalties_minor.iter().map(|minor| Money::new(*minor, currency)))
    }

    pub fn given_in(&self) -> Result<Money, MoneyError> {
        let currency = self.currency()?;
        Money::sum(currency, self.given_in_minor.iter().map(|minor| Money::new(*minor, currency)))
    }

    /// What the agency pays: the new price less what is given in, and the penalty. Negative where something comes back.
    pub fn change_total(&self) -> Result<Money, MoneyError> {
        self.journey.total()?.checked_sub(self.given_in()?)?.checked_add(self.penalty()?)
    }
}

impl GivenUp<'_> {
    /// The penalty of each passenger at this moment, and until when it holds.
    pub fn penalties(&self, catalogue: &Catalogue, now: Timestamp) -> Result<(Vec<Money>, Option<Timestamp>), ChangeRefusal> {
        let currency = self.journey.currency()?;
        if self.slices.is_empty() {
            return Err(ChangeRefusal::NothingGivenUp);
        }
        if let Some(slice) = self.slices.iter().find(|slice| **slice >= self.journey.slices.len()) {
            return Err(ChangeRefusal::NoSuchSlice { slice: *slice });
        }
        let mut penalties = vec![Money::zero(currency); self.journey.passengers.len()];
        let mut holds_until: Option<Timestamp> = None;
        for (place, segment) in
            self.places().filter(|(slice, _, _)| self.slices.contains(slice)).map(|(_, place, segment)| (place, segment))
        {
            let fee = self.fee(catalogue, segment, now)?;
            let ends = self.next_boundary(catalogue, segment, now);
            holds_until = holds_until.map_or(Some(ends), |until| Some(until.min(ends)));
            for (penalty, passenger) in penalties.iter_mut().zip(&self.journey.passengers) {
                let Some(coupon) = passenger.coupons.get(place) else { continue };
                if passenger.kind == PassengerKind::Infant || self.reason == ChangeReason::Involuntary {
                    continue;
                }
                *penalty = penalty.checked_add(Money::new(coupon.base_minor, currency).portion(fee)?)?;
            }
        }
        Ok((penalties, holds_until))
    }

    /// Every flight with its slice and its place among all coupons.
    fn places(&self) -> impl Iterator<Item = (usize, usize, &OfferSegment)> {
        let slices = self.journey.slices.iter().enumerate();
        let flights = slices.flat_map(|(slice, found)| found.segments.iter().map(move |segment| (slice, segment)));
        flights.enumerate().map(|(place, (slice, segment))| (slice, place, segment))
    }

    fn fee(&self, catalogue: &Catalogue, segment: &OfferSegment, now: Timestamp) -> Result<crate::money::Rate, ChangeRefusal> {
        let flight = || format!("{}{}", segment.carrier, segment.flight_number);
        let departs = moment_at(catalogue, &segment.origin, segment.departing_at);
        if departs <= now && self.reason == ChangeReason::Voluntary {
            return Err(ChangeRefusal::Departed { flight: flight() });
        }
        let class = segment.booking_class;
        let refused = || ChangeRefusal::NotPermitted { flight: flight(), class };
        let (carrier, rung) = CarrierCode::parse(&segment.carrier).zip(BookingClass::parse(class)).ok_or_else(refused)?;
        let fee = catalogue.changes.fee(carrier, rung, self.issued_on, departs.since(now));
        match (fee, self.reason) {
            (_, ChangeReason::Involuntary) => Ok(crate::money::Rate::from(rust_decimal::Decimal::ZERO)),
            (Some(ChangeFee::Share(rate)), ChangeReason::Voluntary) => Ok(rate),
            // Where nothing is filed, nothing is permitted.
            (Some(ChangeFee::NotPermitted) | None, ChangeReason::Voluntary) => Err(refused()),
        }
    }

    /// When the flight's fee rises next: at a boundary of its ladder, at the latest when it departs.
    fn next_boundary(&self, catalogue: &Catalogue, segment: &OfferSegment, now: Timestamp) -> Timestamp {
        let departs = moment_at(catalogue, &segment.origin, segment.departing_at);
        let filed = CarrierCode::parse(&segment.carrier).zip(BookingClass::parse(segment.booking_class));
        let steps = filed.map(|(carrier, class)| catalogue.changes.steps(carrier, class, self.issued_on)).unwrap_or_default();
        let boundaries = steps.into_iter().filter_map(|step| step.more_than).map(|before| departs.plus(-before));
        boundaries.filter(|boundary| *boundary > now).fold(departs, Timestamp::min)
    }

    /// The offer that this found itinerary makes; `None` where it does not fit what is kept.
    pub fn offer(
        &self,
        catalogue: &Catalogue,
        found: &PricedOffer,
        penalties: &[Money],
        given_in: &[Money],
    ) -> Result<Option<ChangeOffer>, MoneyError> {
        if found.carrier != self.journey.carrier || found.currency != self.journey.currency {
            return Ok(None);
        }
        let Some((slices, added)) = self.merge(catalogue, found) else { return Ok(None) };
        let mut passengers = Vec::with_capacity(self.journey.passengers.len());
        for (index, (old, new)) in self.journey.passengers.iter().zip(&found.passengers).enumerate() {
            let Some(taxes) = self.kept_taxes(catalogue, index)? else { return Ok(None) };
            passengers.push(self.passenger(old, new, found, &slices, taxes)?);
        }
        let journey = PricedOffer { slices: slices.into_iter().map(|(slice, _)| slice).collect(), passengers, ..found.clone() };
        Ok(Some(ChangeOffer {
            journey,
            added,
            removed: self.slices.iter().copied().collect(),
            penalties_minor: penalties.iter().map(|penalty| penalty.minor).collect(),
            given_in_minor: given_in.iter().map(|price| price.minor).collect(),
        }))
    }

    /// Kept and new slices in the order of travel with where each is from; `None` where one begins before the one in front of it has ended.
    fn merge(&self, catalogue: &Catalogue, found: &PricedOffer) -> Option<(Vec<(OfferSlice, From)>, Vec<usize>)> {
        let kept = self.journey.slices.iter().enumerate().filter(|(place, _)| !self.slices.contains(place));
        let mut all: Vec<(OfferSlice, From)> = kept.map(|(place, slice)| (slice.clone(), From::Kept(place))).collect();
        all.extend(found.slices.iter().enumerate().map(|(place, slice)| (slice.clone(), From::Found(place))));
        let begins = |slice: &OfferSlice| slice.segments.first().map(|one| moment_at(catalogue, &one.origin, one.departing_at));
        let ends = |slice: &OfferSlice| slice.segments.last().map(|one| moment_at(catalogue, &one.destination, one.arriving_at));
        all.sort_by_key(|(slice, _)| begins(slice));
        let in_order = all.iter().zip(all.iter().skip(1)).all(|((one, _), (next, _))| ends(one) < begins(next));
        let added = all.iter().enumerate().filter(|(_, (_, from))| matches!(from, From::Found(_))).map(|(place, _)| place);
        let added = added.collect();
        in_order.then_some((all, added))
    }

    fn passenger(
        &self,
        old: &PricedPassenger,
        new: &PricedPassenger,
        found: &PricedOffer,
        slices: &[(OfferSlice, From)],
        mut taxes: Vec<PricedTax>,
    ) -> Result<PricedPassenger, MoneyError> {
        let mut coupons = Vec::new();
        for (_, from) in slices {
            let own: &[PricedCoupon] = match from {
                From::Kept(place) => coupons_of_slice(&self.journey.slices, *place, &old.coupons),
                From::Found(place) => coupons_of_slice(&found.slices, *place, &new.coupons),
            };
            coupons.extend(own.iter().cloned());
        }
        for tax in &new.taxes {
            match taxes.iter_mut().find(|known| known.code == tax.code && known.payee == tax.payee) {
                Some(known) => known.minor = known.minor.checked_add(tax.minor).ok_or(MoneyError::Overflow)?,
                None => taxes.push(tax.clone()),
            }
        }
        let base_minor = coupons.iter().try_fold(0i64, |sum, coupon: &PricedCoupon| sum.checked_add(coupon.base_minor));
        Ok(PricedPassenger { coupons, base_minor: base_minor.ok_or(MoneyError::Overflow)?, taxes, ..new.clone() })
    }

    /// The taxes that a passenger was charged for the flights that stay: what was charged for all, less what the flights given up were charged.
    /// `None` where that cannot be told any more.
    fn kept_taxes(&self, catalogue: &Catalogue, passenger: usize) -> Result<Option<Vec<PricedTax>>, MoneyError> {
        let Some(sold) = self.journey.passengers.get(passenger) else { return Ok(None) };
        if self.slices.len() == self.journey.slices.len() {
            return Ok(Some(Vec::new()));
        }
        let mut kept = sold.taxes.clone();
        for (_, _, segment) in self.places().filter(|(slice, _, _)| self.slices.contains(slice)) {
            let Ok(taxes) = segment_taxes(catalogue, segment, sold.kind, sold.age, self.issued_on) else { return Ok(None) };
            for tax in taxes {
                let Some(known) = kept.iter_mut().find(|known| known.code == tax.code && known.payee == tax.payee) else {
                    continue;
                };
                known.minor = known.minor.checked_sub(tax.minor).ok_or(MoneyError::Overflow)?.max(0);
            }
        }
        kept.retain(|tax| tax.minor > 0);
        Ok(Some(kept))
    }
}

/// Where a slice of the new journey is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Kept(usize),
    Found(usize),
}

fn coupons_of_slice<'a>(slices: &[OfferSlice], place: usize, coupons: &'a [PricedCoupon]) -> &'a [PricedCoupon] {
    let first: usize = slices.iter().take(place).map(|slice| slice.segments.len()).sum();
    let count = slices.get(place).map_or(0, |slice| slice.segments.len());
    coupons.get(first..first + count).unwrap_or_default()
}
