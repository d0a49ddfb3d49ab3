//! What a change of flights costs: pure, from the journey as it was sold, what of it is given up, and what the search found for it.
//!
//! The whole unflown journey is ticketed anew. Flights that stay keep the fare and the taxes that they were sold at; new ones have today's. The penalty
//! is the change fee of each flight that is given up, on its share of the fare; infants pay none, nor does anybody whose flights the airline changed.

use super::sold::{SoldJourney, SoldPlace};
use crate::catalogue::changes::ChangeFee;
use crate::catalogue::{BookingClass, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::shopping::offer::{OfferSegment, OfferSlice, PassengerKind, PricedCoupon, PricedOffer, PricedPassenger, PricedTax};
use crate::ticketing::journey::moment_at;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A journey that is changed.
#[derive(Clone, Copy, Debug)]
pub struct GivenUp<'a> {
    pub sold: &'a SoldJourney,
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
    /// The whole journey of the new tickets, with what is kept of the old ones.
    pub journey: PricedOffer,
    /// Which slices of the new journey are new.
    pub added: Vec<usize>,
    /// Per passenger, in the order of the journey's.
    pub penalties_minor: Vec<i64>,
    /// The price of the coupons that are given in, per passenger.
    pub given_in_minor: Vec<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefusal {
    #[error("slice {slice} is not a part of the order")]
    NoSuchSlice { slice: usize },
    #[error("slice {slice} has begun or is not open any more")]
    Begun { slice: usize },
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

/// What giving up costs at this moment, and until when it costs that.
#[derive(Clone, Debug)]
pub struct Penalties {
    /// Per passenger.
    pub amounts: Vec<Money>,
    pub hold_until: Timestamp,
}

impl GivenUp<'_> {
    fn journey(&self) -> &PricedOffer {
        &self.sold.journey
    }

    /// Whether these slices are there to be given up.
    pub fn check(&self) -> Result<(), ChangeRefusal> {
        let begun = self.sold.begun();
        if self.slices.is_empty() {
            return Err(ChangeRefusal::NothingGivenUp);
        }
        for slice in self.slices {
            if *slice >= self.journey().slices.len() {
                return Err(ChangeRefusal::NoSuchSlice { slice: *slice });
            }
            if begun.contains(slice) {
                return Err(ChangeRefusal::Begun { slice: *slice });
            }
        }
        Ok(())
    }

    /// Whether these slices can be given up now, and for how much.
    pub fn penalties(&self, catalogue: &Catalogue, now: Timestamp) -> Result<Penalties, ChangeRefusal> {
        self.check()?;
        let currency = self.journey().currency()?;
        let mut amounts = vec![Money::zero(currency); self.journey().passengers.len()];
        let mut hold_until: Option<Timestamp> = None;
        for (slice, flight, segment) in self.flights() {
            if !self.slices.contains(&slice) {
                continue;
            }
            let issued_on = self.sold.issued_on.get(flight).copied().unwrap_or_default();
            let fee = self.fee(catalogue, segment, issued_on, now)?;
            let ends = match self.reason {
                ChangeReason::Voluntary => next_boundary(catalogue, segment, issued_on, now),
                // Nothing rises, and a flight that the airline took away may have departed by its old time.
                ChangeReason::Involuntary => now.plus(chrono::Duration::days(1)),
            };
            hold_until = Some(hold_until.map_or(ends, |until| until.min(ends)));
            let passengers = self.journey().passengers.iter().zip(&self.sold.places);
            for (amount, (passenger, places)) in amounts.iter_mut().zip(passengers) {
                if passenger.kind == PassengerKind::Infant {
                    continue;
                }
                let Some(place) = places.get(flight) else { continue };
                *amount = amount.checked_add(place.share.base.portion(fee)?)?;
            }
        }
        let hold_until = hold_until.ok_or(ChangeRefusal::NothingGivenUp)?;
        Ok(Penalties { amounts, hold_until })
    }

    /// Every flight with its slice and its place among all flights.
    fn flights(&self) -> impl Iterator<Item = (usize, usize, &OfferSegment)> {
        let slices = self.journey().slices.iter().enumerate();
        let flights = slices.flat_map(|(slice, found)| found.segments.iter().map(move |segment| (slice, segment)));
        flights.enumerate().map(|(flight, (slice, segment))| (slice, flight, segment))
    }

    fn fee(
        &self,
        catalogue: &Catalogue,
        segment: &OfferSegment,
        issued_on: NaiveDate,
        now: Timestamp,
    ) -> Result<Rate, ChangeRefusal> {
        let flight = || format!("{}{}", segment.carrier, segment.flight_number);
        if self.reason == ChangeReason::Involuntary {
            return Ok(Rate::from(Decimal::ZERO));
        }
        let departs = moment_at(catalogue, &segment.origin, segment.departing_at);
        if departs <= now {
            return Err(ChangeRefusal::Departed { flight: flight() });
        }
        let class = segment.booking_class;
        let refused = || ChangeRefusal::NotPermitted { flight: flight(), class };
        let (carrier, rung) = CarrierCode::parse(&segment.carrier).zip(BookingClass::parse(class)).ok_or_else(refused)?;
        match catalogue.changes.fee(carrier, rung, issued_on, departs.since(now)) {
            Some(ChangeFee::Share(rate)) => Ok(rate),
            // Where nothing is filed, nothing is permitted.
            Some(ChangeFee::NotPermitted) | None => Err(refused()),
        }
    }

    /// What each passenger gives in: the coupons that are still open, as they were sold. `None` where a slice has begun in part.
    pub fn given_in(&self) -> Result<Vec<Money>, MoneyError> {
        let currency = self.journey().currency()?;
        let begun = self.sold.begun();
        let open: BTreeSet<usize> =
            self.flights().filter(|(slice, _, _)| !begun.contains(slice)).map(|(_, flight, _)| flight).collect();
        let price = |places: &Vec<SoldPlace>| {
            let open = places.iter().enumerate().filter(|(flight, _)| open.contains(flight));
            open.map(|(_, place)| place).try_fold(Money::zero(currency), |sum, place| {
                let taxes = Money::sum(currency, place.share.taxes.iter().map(|one| one.tax.amount))?;
                sum.checked_add(place.share.base)?.checked_add(taxes)
            })
        };
        self.sold.places.iter().map(price).collect()
    }

    /// The offer that this found itinerary makes; `None` where it does not fit what is kept.
    pub fn offer(
        &self,
        catalogue: &Catalogue,
        found: &PricedOffer,
        penalties: &Penalties,
        given_in: &[Money],
    ) -> Result<Option<ChangeOffer>, MoneyError> {
        if found.carrier != self.journey().carrier || found.currency != self.journey().currency {
            return Ok(None);
        }
        let Some(slices) = self.merge(catalogue, found) else { return Ok(None) };
        let mut passengers = Vec::with_capacity(self.journey().passengers.len());
        for (places, new) in self.sold.places.iter().zip(&found.passengers) {
            passengers.push(self.passenger(places, new, found, &slices)?);
        }
        let is_new = |(place, (_, source)): (usize, &(OfferSlice, Source))| matches!(source, Source::Found(_)).then_some(place);
        let added = slices.iter().enumerate().filter_map(is_new).collect();
        let slices = slices.into_iter().map(|(slice, _)| slice).collect();
        Ok(Some(ChangeOffer {
            journey: PricedOffer { slices, passengers, ..found.clone() },
            added,
            penalties_minor: penalties.amounts.iter().map(|penalty| penalty.minor).collect(),
            given_in_minor: given_in.iter().map(|price| price.minor).collect(),
        }))
    }

    /// Kept and new slices in the order of travel with where each is from; `None` where one begins before the one in front of it has ended,
    /// those that have begun included.
    fn merge(&self, catalogue: &Catalogue, found: &PricedOffer) -> Option<Vec<(OfferSlice, Source)>> {
        let begun = self.sold.begun();
        let kept = self.journey().slices.iter().enumerate().filter(|(place, _)| !self.slices.contains(place));
        let mut all: Vec<(OfferSlice, Source)> = kept
            .map(|(place, slice)| {
                let source = if begun.contains(&place) { Source::Begun } else { Source::Kept(place) };
                (slice.clone(), source)
            })
            .collect();
        all.extend(found.slices.iter().enumerate().map(|(place, slice)| (slice.clone(), Source::Found(place))));
        let begins = |slice: &OfferSlice| slice.segments.first().map(|one| moment_at(catalogue, &one.origin, one.departing_at));
        let ends = |slice: &OfferSlice| slice.segments.last().map(|one| moment_at(catalogue, &one.destination, one.arriving_at));
        all.sort_by_key(|(slice, _)| begins(slice));
        if !all.iter().zip(all.iter().skip(1)).all(|((one, _), (next, _))| ends(one) < begins(next)) {
            return None;
        }
        all.retain(|(_, source)| *source != Source::Begun);
        Some(all)
    }

    fn passenger(
        &self,
        places: &[SoldPlace],
        new: &PricedPassenger,
        found: &PricedOffer,
        slices: &[(OfferSlice, Source)],
    ) -> Result<PricedPassenger, MoneyError> {
        let (mut coupons, mut taxes) = (Vec::new(), new.taxes.clone());
        for (_, source) in slices {
            match source {
                Source::Kept(slice) => {
                    for place in coupons_of_slice(&self.journey().slices, *slice, places) {
                        coupons.push(kept_coupon(place));
                        place.share.taxes.iter().try_for_each(|one| add_tax(&mut taxes, &one.tax))?;
                    }
                }
                Source::Found(slice) => {
                    coupons.extend(coupons_of_slice(&found.slices, *slice, &new.coupons).iter().cloned());
                }
                Source::Begun => {}
            }
        }
        let base_minor = coupons.iter().try_fold(0i64, |sum, coupon| sum.checked_add(coupon.base_minor));
        Ok(PricedPassenger { coupons, base_minor: base_minor.ok_or(MoneyError::Overflow)?, taxes, ..new.clone() })
    }
}

/// When the flight's fee rises next: at a boundary of its ladder, at the latest when it departs.
fn next_boundary(catalogue: &Catalogue, segment: &OfferSegment, issued_on: NaiveDate, now: Timestamp) -> Timestamp {
    let departs = moment_at(catalogue, &segment.origin, segment.departing_at);
    let filed = CarrierCode::parse(&segment.carrier).zip(BookingClass::parse(segment.booking_class));
    let steps = filed.map(|(carrier, class)| catalogue.changes.steps(carrier, class, issued_on)).unwrap_or_default();
    let boundaries = steps.into_iter().filter_map(|step| step.more_than).map(|before| departs.plus(-before));
    boundaries.filter(|boundary| *boundary > now).fold(departs, Timestamp::min)
}

/// Where a slice of the new journey is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Stays on the old tickets.
    Begun,
    Kept(usize),
    Found(usize),
}

fn coupons_of_slice<'a, T>(slices: &[OfferSlice], slice: usize, coupons: &'a [T]) -> &'a [T] {
    let first: usize = slices.iter().take(slice).map(|slice| slice.segments.len()).sum();
    let count = slices.get(slice).map_or(0, |slice| slice.segments.len());
    coupons.get(first..first.saturating_add(count)).unwrap_or_default()
}

fn kept_coupon(place: &SoldPlace) -> PricedCoupon {
    PricedCoupon {
        fare_basis: place.coupon.fare_basis.clone(),
        base_minor: place.share.base.minor,
        checked_bag_kg: u8::try_from(place.coupon.checked_bag_kg).unwrap_or(0),
        carry_on: None,
        private_fare: None,
    }
}

fn add_tax(taxes: &mut Vec<PricedTax>, tax: &crate::catalogue::split::Tax) -> Result<(), MoneyError> {
    match taxes.iter_mut().find(|known| known.code == tax.code && known.payee == tax.payee) {
        Some(known) => known.minor = known.minor.checked_add(tax.amount.minor).ok_or(MoneyError::Overflow)?,
        None => taxes.push(PricedTax { code: tax.code.clone(), minor: tax.amount.minor, payee: tax.payee.clone() }),
    }
    Ok(())
}
