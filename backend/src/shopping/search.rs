//! The search in its two phases. `candidates` needs no seats, `Candidates::price` no database.

use super::FARE_ZONE;
use super::itineraries::{self, Itinerary, closes_at};
use super::offer::PricedOffer;
use super::price::{Booking, Leg, price, slice_fare, taxes_total};
use super::request::{SearchPassenger, SearchRefusal, SearchRequest};
use crate::catalogue::schedules::Connection;
use crate::catalogue::{BucketId, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub const MOST_OFFERS: usize = 50;
/// So many offers of every brand are kept whatever they cost: a list of cheap ones alone would hide that there are others.
const KEPT_PER_BRAND: usize = 5;
/// Of a journey through several places, per carrier and brand: beginnings that are led on, and ways to make one slice.
const BEGINNINGS_KEPT: usize = 48;
const EARLY_BEGINNINGS_KEPT: usize = 16;
const CHOICES_PER_SLICE: usize = 24;

/// Itineraries that suit a request, not yet priced.
#[derive(Clone, Debug)]
pub struct Candidates {
    request: SearchRequest,
    slices: Vec<Vec<Itinerary>>,
    buckets: Vec<BucketId>,
}

pub fn candidates(catalogue: &Catalogue, request: &SearchRequest, now: Timestamp) -> Result<Candidates, SearchRefusal> {
    let journeys = request.journeys(catalogue, now)?;
    let issued_on = now.date_in(FARE_ZONE);
    let slices: Vec<Vec<Itinerary>> =
        journeys.iter().map(|journey| itineraries::find(catalogue, journey, request.max_connections, now)).collect();
    let mut buckets = BTreeSet::new();
    for departure in slices.iter().flatten().flat_map(|itinerary| &itinerary.legs) {
        let Some(leg) = Leg::new(catalogue, *departure, issued_on) else { continue };
        let wanted = leg.ladder.rungs.iter().filter(|rung| request.cabin.is_none_or(|cabin| cabin == rung.cabin));
        let with_seats = wanted.filter(|rung| leg.capacity(catalogue, rung.class) >= request.seats_needed());
        buckets.extend(with_seats.filter_map(|rung| leg.bucket(rung.class)));
    }
    Ok(Candidates { request: request.clone(), slices, buckets: buckets.into_iter().collect() })
}

/// One slice in one brand: its classes and what all passengers pay for it.
struct Choice<'c> {
    carrier: CarrierCode,
    brand: &'c str,
    bookings: Vec<Booking<'c>>,
    total_minor: i64,
    elapsed_minutes: i64,
}

/// One choice per slice. The derived order is the order of the answer: price, time, and then the fixed order of the itineraries.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ranked<'c> {
    total_minor: i64,
    elapsed_minutes: i64,
    choices: Vec<usize>,
    brand: &'c str,
}

impl Candidates {
    /// The buckets whose sold seats `price` wants to know, in ascending order.
    pub fn bucket_ids(&self) -> &[BucketId] {
        &self.buckets
    }

    pub fn request(&self) -> &SearchRequest {
        &self.request
    }

    /// At most 50 offers, cheapest first. A bucket that is missing in `sold` has sold nothing.
    pub fn price(&self, catalogue: &Catalogue, sold: &HashMap<BucketId, i64>, now: Timestamp) -> Vec<PricedOffer> {
        let pricing = Pricing { catalogue, request: &self.request, sold, now, issued_on: now.date_in(FARE_ZONE) };
        let choices: Vec<Vec<Choice<'_>>> =
            self.slices.iter().map(|slice| slice.iter().flat_map(|itinerary| pricing.choices(itinerary)).collect()).collect();
        let offer = |ranked: &Ranked<'_>| {
            let chosen = choices.iter().zip(&ranked.choices).map(|(slice, index)| slice.get(*index).map(|c| c.bookings.clone()));
            let slices: Vec<_> = chosen.collect::<Option<_>>()?;
            // An overflow is not an offer; no filed fare comes near it.
            price(catalogue, &slices, &self.request.passengers, pricing.issued_on).ok().flatten()
        };
        shortlist(pricing.combinations(&choices)).iter().filter_map(offer).collect()
    }
}

struct Pricing<'s, 'c> {
    catalogue: &'c Catalogue,
    request: &'s SearchRequest,
    sold: &'s HashMap<BucketId, i64>,
    now: Timestamp,
    issued_on: NaiveDate,
}

impl<'c> Pricing<'_, 'c> {
    /// The itinerary in the lowest class of each brand that has seats on all of its flights.
    fn choices(&self, itinerary: &Itinerary) -> Vec<Choice<'c>> {
        if itinerary.departs().is_none_or(|departs| closes_at(departs) < self.now) {
            return Vec::new();
        }
        let legs = itinerary.legs.iter().map(|departure| Leg::new(self.catalogue, *departure, self.issued_on));
        let Some(legs) = legs.collect::<Option<Vec<_>>>() else { return Vec::new() };
        let Some(first) = legs.first() else { return Vec::new() };
        let Some(taxes_minor) =
            self.for_all(|passenger| Some(taxes_total(self.catalogue, &legs, passenger, self.issued_on).ok()?.minor))
        else {
            return Vec::new();
        };
        let in_brand = |brand: &'c str| {
            let bookings: Vec<_> = legs.iter().map(|leg| self.lowest(*leg, brand)).collect::<Option<_>>()?;
            let fare = |passenger: SearchPassenger| {
                Some(slice_fare(self.catalogue, &bookings, passenger.kind, self.issued_on).ok()??.minor)
            };
            let total_minor = self.for_all(fare)?.checked_add(taxes_minor)?;
            let elapsed_minutes = itinerary.elapsed_minutes();
            Some(Choice { carrier: first.flight.carrier, brand, bookings, total_minor, elapsed_minutes })
        };
        first.ladder.brands().into_iter().filter_map(in_brand).collect()
    }

    /// The sum over the passengers, calculated once for those who are alike.
    fn for_all(&self, amount: impl Fn(SearchPassenger) -> Option<i64>) -> Option<i64> {
        let mut alike: BTreeMap<SearchPassenger, i64> = BTreeMap::new();
        for passenger in &self.request.passengers {
            *alike.entry(*passenger).or_default() += 1;
        }
        alike.into_iter().try_fold(0i64, |sum, (passenger, count)| sum.checked_add(amount(passenger)?.checked_mul(count)?))
    }

    fn lowest(&self, leg: Leg<'c>, brand: &str) -> Option<Booking<'c>> {
        let in_brand = leg.ladder.rungs.iter().rev().filter(|rung| rung.brand == brand);
        let mut wanted = in_brand.filter(|rung| self.request.cabin.is_none_or(|cabin| cabin == rung.cabin));
        let rung = wanted.find(|rung| {
            let sold = leg.bucket(rung.class).map(|bucket| self.sold.get(&bucket).copied().unwrap_or(0));
            let left = sold.map_or(0, |sold| leg.capacity(self.catalogue, rung.class).saturating_sub(sold));
            left > 0 && left >= self.request.seats_needed()
        })?;
        Some(Booking { leg, rung })
    }

    /// Every choice of a one-way journey; of a return, the pairs on one carrier and in one brand with time to turn round; of more slices what
    /// `multi_city` finds.
    fn combinations(&self, slices: &[Vec<Choice<'c>>]) -> Vec<Ranked<'c>> {
        match slices {
            [outbound] => outbound.iter().enumerate().filter_map(|(index, choice)| ranked(&[(index, choice)])).collect(),
            [outbound, inbound] => {
                let mut pairs = Vec::new();
                for there in outbound.iter().enumerate() {
                    let fits = |back: &(usize, &Choice<'c>)| self.fit_together(there.1, back.1);
                    pairs.extend(inbound.iter().enumerate().filter(fits).filter_map(|back| ranked(&[there, back])));
                }
                pairs
            }
            _ => self.multi_city(slices),
        }
    }

    /// Journeys through several places, on one carrier and in one brand. The work is bounded: of each carrier and brand the cheapest beginnings are led on
    /// from slice to slice, and a few that arrive early, so that a cheap late flight does not use up all the ways to go on.
    fn multi_city(&self, slices: &[Vec<Choice<'c>>]) -> Vec<Ranked<'c>> {
        let Some((first, others)) = slices.split_first() else { return Vec::new() };
        let mut groups: BTreeMap<(CarrierCode, &'c str), Vec<Beginning<'_, 'c>>> = BTreeMap::new();
        for chosen in first.iter().enumerate() {
            groups.entry((chosen.1.carrier, chosen.1.brand)).or_default().push(Beginning::of(chosen));
        }
        for slice in others {
            let mut by_group: BTreeMap<(CarrierCode, &'c str), Vec<(usize, &Choice<'c>)>> = BTreeMap::new();
            for chosen in slice.iter().enumerate() {
                by_group.entry((chosen.1.carrier, chosen.1.brand)).or_default().push(chosen);
            }
            groups.retain(|group, beginnings| {
                let Some(onward) = by_group.get_mut(group) else { return false };
                onward.sort_by_key(|(index, choice)| (choice.total_minor, choice.elapsed_minutes, *index));
                onward.truncate(CHOICES_PER_SLICE);
                *beginnings = self.led_on(beginnings, onward);
                !beginnings.is_empty()
            });
        }
        groups.into_values().flatten().filter_map(|beginning| ranked(&beginning.chosen)).collect()
    }

    fn led_on<'l>(&self, beginnings: &[Beginning<'l, 'c>], onward: &[(usize, &'l Choice<'c>)]) -> Vec<Beginning<'l, 'c>> {
        let mut longer = Vec::new();
        for beginning in beginnings {
            let fits = |next: &&(usize, &'l Choice<'c>)| beginning.last().is_some_and(|last| self.fit_together(last, next.1));
            longer.extend(onward.iter().filter(fits).filter_map(|next| beginning.with(*next)));
        }
        longer.sort_by_cached_key(|one| (one.total_minor, one.arrives(), one.places()));
        let mut late = longer.split_off(longer.len().min(BEGINNINGS_KEPT));
        late.sort_by_cached_key(|one| (one.arrives(), one.total_minor, one.places()));
        longer.extend(late.into_iter().take(EARLY_BEGINNINGS_KEPT));
        longer
    }

    fn fit_together(&self, there: &Choice<'c>, back: &Choice<'c>) -> bool {
        let (Some(last), Some(next)) = (there.bookings.last(), back.bookings.first()) else { return false };
        let turnaround = self.catalogue.schedules.connecting_time(next.leg.flight.origin, Connection::Turnaround);
        let ready = last.leg.departure.arrives.plus(turnaround);
        there.carrier == back.carrier && there.brand == back.brand && ready <= next.leg.departure.departs
    }
}

/// The first slices of a journey through several places.
struct Beginning<'l, 'c> {
    chosen: Vec<(usize, &'l Choice<'c>)>,
    total_minor: i64,
}

impl<'l, 'c> Beginning<'l, 'c> {
    fn of(first: (usize, &'l Choice<'c>)) -> Self {
        Beginning { total_minor: first.1.total_minor, chosen: vec![first] }
    }

    fn with(&self, next: (usize, &'l Choice<'c>)) -> Option<Self> {
        let total_minor = self.total_minor.checked_add(next.1.total_minor)?;
        Some(Beginning { chosen: self.chosen.iter().copied().chain([next]).collect(), total_minor })
    }

    fn last(&self) -> Option<&'l Choice<'c>> {
        self.chosen.last().map(|(_, choice)| *choice)
    }

    fn arrives(&self) -> Option<Timestamp> {
        self.last()?.bookings.last().map(|booking| booking.leg.departure.arrives)
    }

    fn places(&self) -> Vec<usize> {
        self.chosen.iter().map(|(index, _)| *index).collect()
    }
}

fn ranked<'c>(chosen: &[(usize, &Choice<'c>)]) -> Option<Ranked<'c>> {
    let brand = chosen.first()?.1.brand;
    let total_minor = chosen.iter().try_fold(0i64, |sum, (_, choice)| sum.checked_add(choice.total_minor))?;
    let elapsed_minutes = chosen.iter().map(|(_, choice)| choice.elapsed_minutes).sum();
    Some(Ranked { total_minor, elapsed_minutes, choices: chosen.iter().map(|(index, _)| *index).collect(), brand })
}

/// The cheapest, but of every brand the five cheapest in any case.
fn shortlist(mut all: Vec<Ranked<'_>>) -> Vec<Ranked<'_>> {
    all.sort();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut kept, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|ranked| {
        let count = seen.entry(ranked.brand).or_default();
        *count += 1;
        *count <= KEPT_PER_BRAND
    });
    let room = MOST_OFFERS.saturating_sub(kept.len());
    kept.extend(others.into_iter().take(room));
    kept.sort();
    kept.truncate(MOST_OFFERS);
    kept
}
