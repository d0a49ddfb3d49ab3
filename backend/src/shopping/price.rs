//! What an itinerary costs. One calculation serves the search, the offer that is looked at again and the order: it prices flights and
//! classes and knows nothing of where they came from.
//!
//! The fare of a passenger is the sum of the fares of the flights. Within each slice it is prorated over the flights by distance, so
//! that the coupons add up to the slice, and the slices to the base fare, exactly.

use super::FARE_ZONE;
use super::itineraries::closes_at;
use super::offer::{OfferSegment, OfferSlice, PassengerKind, PricedCoupon, PricedOffer, PricedPassenger, PricedTax};
use super::request::SearchPassenger;
use super::tariff::{Fare, Sale, Tariff};
use crate::catalogue::fare_rules::{FareRuleRefusal, Trip};
use crate::catalogue::fares::{CityPair, FlightFare, Ladder, Rung};
use crate::catalogue::inventory::capacity;
use crate::catalogue::overlay::FlightDay;
use crate::catalogue::taxes::{Passport, TaxedFlight, TaxedPassenger};
use crate::catalogue::{Airport, AirportCode, BookingClass, Bucket, BucketId, CarrierCode, Catalogue, Departure, Flight};
use crate::clock::Timestamp;
use crate::money::{Currency, Money, MoneyError};
use chrono::NaiveDate;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepriceRefusal {
    #[error("flight {flight} no longer operates on {date}")]
    FlightGone { flight: String, date: NaiveDate },
    #[error("flight {flight} on {date} has other times now")]
    ScheduleChanged { flight: String, date: NaiveDate },
    #[error("flight {flight} on {date} has departed")]
    Departed { flight: String, date: NaiveDate },
    #[error("flight {flight} on {date} departs too soon to be sold")]
    Closed { flight: String, date: NaiveDate },
    #[error("class {class} of {flight} is no longer filed")]
    FareGone { flight: String, class: char },
    #[error("flight {flight} on {date} is sold out in this cabin")]
    SoldOut { flight: String, date: NaiveDate },
    #[error(transparent)]
    RuleNotMet(#[from] FareRuleRefusal),
    #[error("the price has changed")]
    FareChanged {
        /// The same journey at today's price.
        offer: Box<PricedOffer>,
    },
    #[error("the offer is not one that was ever made here")]
    NotAnOffer,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A flight on a day with everything that its price depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg<'c> {
    pub flight: &'c Flight,
    pub departure: Departure,
    pub origin: &'c Airport,
    pub destination: &'c Airport,
    pub pair: &'c CityPair,
    pub ladder: &'c Ladder,
}

/// A leg in a class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Booking<'c> {
    pub leg: Leg<'c>,
    pub rung: &'c Rung,
}

/// The offer again at `now`: the same if nothing has changed, otherwise what has. The price at which it was offered never counts.
pub fn reprice<'c>(tariff: impl Into<Tariff<'c>>, offer: &PricedOffer, now: Timestamp) -> Result<PricedOffer, RepriceRefusal> {
    let issued_on = now.date_in(FARE_ZONE);
    let sale = Sale { tariff: tariff.into(), trip: trip_of(offer, issued_on)? };
    let mut slices = Vec::new();
    for slice in &offer.slices {
        let bookings: Vec<_> =
            slice.segments.iter().map(|segment| rebook(sale.catalogue(), segment, issued_on, now)).collect::<Result<_, _>>()?;
        slices.push(bookings);
    }
    sale.check_all(&slices)?;
    let priced = price(sale, &slices, &passengers_of(offer))?.ok_or(RepriceRefusal::NotAnOffer)?;
    let same_price = priced.passengers == offer.passengers && priced.currency == offer.currency;
    if same_price { Ok(priced) } else { Err(RepriceRefusal::FareChanged { offer: Box::new(priced) }) }
}

/// The seat bucket of every segment with the number of seats it has in all, in the order of the segments.
pub fn bucket_ids(catalogue: &Catalogue, offer: &PricedOffer, now: Timestamp) -> Result<Vec<(BucketId, i64)>, RepriceRefusal> {
    let issued_on = now.date_in(FARE_ZONE);
    let of = |segment| {
        let booking = find(catalogue, segment, issued_on)?;
        let id = booking.bucket().ok_or(RepriceRefusal::NotAnOffer)?;
        Ok((id, booking.leg.capacity(catalogue, booking.rung.class)))
    };
    offer.segments().map(of).collect()
}

/// The seat buckets of a departure with the number of seats that each has in all: one per class that the carrier sells.
pub fn departure_buckets(catalogue: &Catalogue, departure: Departure, now: Timestamp) -> Vec<(BucketId, i64)> {
    let of_leg = |leg: Leg<'_>| -> Vec<(BucketId, i64)> {
        let rungs = leg.ladder.rungs.iter();
        rungs.filter_map(|rung| Some((leg.bucket(rung.class)?, leg.capacity(catalogue, rung.class)))).collect()
    };
    Leg::new(catalogue, departure, now.date_in(FARE_ZONE)).map(of_leg).unwrap_or_default()
}

/// The last change of the schedule that a segment was priced with; zero where there was none.
pub fn schedule_change_of(catalogue: &Catalogue, segment: &OfferSegment) -> i64 {
    let codes = CarrierCode::parse(&segment.carrier).zip(AirportCode::parse(&segment.origin));
    let day = codes.map(|(carrier, origin)| FlightDay {
        carrier,
        number: segment.flight_number,
        origin,
        date: segment.departing_at.date(),
    });
    day.map_or(0, |day| catalogue.schedules.change_of(day))
}

/// Seats that the offer takes on each of its flights: infants take none.
pub fn seats_needed(offer: &PricedOffer) -> i64 {
    let seated = offer.passengers.iter().filter(|passenger| passenger.kind.takes_a_seat()).count();
    i64::try_from(seated).unwrap_or(i64::MAX)
}

pub(super) fn passengers_of(offer: &PricedOffer) -> Vec<SearchPassenger> {
    offer.passengers.iter().map(|passenger| SearchPassenger { kind: passenger.kind, age: passenger.age }).collect()
}

/// The journey that an offer is for, ticketed on this day.
pub(super) fn trip_of(offer: &PricedOffer, issued_on: NaiveDate) -> Result<Trip, RepriceRefusal> {
    let departures = offer.slices.iter().filter_map(|slice| slice.segments.first()).map(|segment| segment.departing_at.date());
    let travellers = usize::try_from(seats_needed(offer)).unwrap_or(usize::MAX);
    Trip::of(issued_on, departures, travellers).ok_or(RepriceRefusal::NotAnOffer)
}

/// What one passenger is charged for one segment alone: the offer's taxes are the sums of these.
pub fn segment_taxes(
    catalogue: &Catalogue,
    segment: &OfferSegment,
    kind: PassengerKind,
    age: Option<u8>,
    issued_on: NaiveDate,
) -> Result<Vec<PricedTax>, RepriceRefusal> {
    let booking = find(catalogue, segment, issued_on)?;
    Ok(leg_taxes(catalogue, &booking.leg, SearchPassenger { kind, age }, issued_on).collect())
}

impl<'c> Leg<'c> {
    pub fn new(catalogue: &'c Catalogue, departure: Departure, issued_on: NaiveDate) -> Option<Self> {
        let flight = catalogue.schedules.flight(departure.flight)?;
        Some(Leg {
            flight,
            departure,
            origin: catalogue.airports.get(flight.origin)?,
            destination: catalogue.airports.get(flight.destination)?,
            pair: catalogue.fares.pair(flight.carrier, flight.origin, flight.destination, issued_on)?,
            ladder: catalogue.fares.ladder(flight.carrier, issued_on)?,
        })
    }

    pub fn bucket(&self, class: BookingClass) -> Option<BucketId> {
        let Flight { carrier, number, origin, .. } = *self.flight;
        Bucket { carrier, flight_number: number, origin, date: self.departure.date, class }.id().ok()
    }

    pub fn capacity(&self, catalogue: &Catalogue, class: BookingClass) -> i64 {
        let aircraft = catalogue.aircraft.get(self.flight.aircraft);
        aircraft.map_or(0, |aircraft| capacity(aircraft, self.ladder, self.flight, &self.departure, class))
    }

    fn taxed(&self) -> TaxedFlight<'c> {
        TaxedFlight {
            carrier: self.flight.carrier,
            origin: self.origin,
            destination: self.destination,
            distance_km: self.pair.distance_km,
            service: self.pair.service,
            travel_date: self.departure.date,
        }
    }
}

/// The bucket of a booking's flight in another class.
pub(super) fn bucket_in(booking: &Booking<'_>, rung: &Rung) -> Option<BucketId> {
    booking.leg.bucket(rung.class)
}

impl Booking<'_> {
    fn bucket(&self) -> Option<BucketId> {
        self.leg.bucket(self.rung.class)
    }

    fn segment(&self) -> OfferSegment {
        let Leg { flight, departure, pair, .. } = self.leg;
        OfferSegment {
            carrier: flight.carrier.to_string(),
            flight_number: flight.number,
            aircraft: flight.aircraft.to_string(),
            origin: flight.origin.to_string(),
            destination: flight.destination.to_string(),
            departing_at: departure.departing_at,
            arriving_at: departure.arriving_at,
            duration_minutes: u32::try_from(departure.arrives.since(departure.departs).num_minutes())
                .unwrap_or(flight.block_minutes),
            distance_km: pair.distance_km,
            booking_class: self.rung.class.letter(),
            cabin: self.rung.cabin,
        }
    }
}

/// None where there is nothing to price: no flight, several carriers, or no fare for a passenger.
pub(super) fn price(
    sale: Sale<'_>,
    slices: &[Vec<Booking<'_>>],
    passengers: &[SearchPassenger],
) -> Result<Option<PricedOffer>, MoneyError> {
    let Some(carrier) = slices.iter().flatten().next().map(|booking| booking.leg.flight.carrier) else { return Ok(None) };
    if slices.iter().flatten().any(|booking| booking.leg.flight.carrier != carrier) {
        return Ok(None);
    }
    let mut priced = Vec::with_capacity(passengers.len());
    for passenger in passengers {
        match price_passenger(sale, slices, *passenger)? {
            Some(passenger) => priced.push(passenger),
            None => return Ok(None),
        }
    }
    let slices: Option<Vec<OfferSlice>> = slices.iter().map(|bookings| offer_slice(bookings)).collect();
    let demo =
        |slices: &[OfferSlice]| slices.iter().flat_map(|slice| &slice.segments).any(|segment| is_demo(sale.catalogue(), segment));
    Ok(slices.map(|slices| PricedOffer {
        carrier: carrier.to_string(),
        currency: Currency::CNY.to_string(),
        demo: demo(&slices),
        slices,
        passengers: priced,
    }))
}

/// The fare of a slice for one passenger, without taxes; none where nothing is filed.
pub(super) fn slice_fare(sale: Sale<'_>, bookings: &[Booking<'_>], kind: PassengerKind) -> Result<Option<Money>, MoneyError> {
    let mut sum = Money::zero(Currency::CNY);
    for booking in bookings {
        let Some(amount) = sale.amount(booking, kind)? else { return Ok(None) };
        sum = sum.checked_add(amount)?;
    }
    Ok(Some(sum))
}

/// All that one passenger is charged in taxes on these legs.
pub(super) fn taxes_total(
    catalogue: &Catalogue,
    legs: &[Leg<'_>],
    passenger: SearchPassenger,
    issued_on: NaiveDate,
) -> Result<Money, MoneyError> {
    let taxes = |leg| charges(catalogue, leg, passenger, issued_on).map(|charge| charge.amount);
    Money::sum(Currency::CNY, legs.iter().flat_map(taxes))
}

fn price_passenger(
    sale: Sale<'_>,
    slices: &[Vec<Booking<'_>>],
    passenger: SearchPassenger,
) -> Result<Option<PricedPassenger>, MoneyError> {
    let mut base = Money::zero(Currency::CNY);
    let (mut coupons, mut taxes) = (Vec::new(), Vec::new());
    for bookings in slices {
        let Some((fare, flights)) = flight_fares(sale, bookings, passenger.kind)? else { return Ok(None) };
        base = base.checked_add(fare)?;
        let distances: Vec<u64> = bookings.iter().map(|booking| u64::from(booking.leg.pair.distance_km)).collect();
        for (flight, share) in flights.into_iter().zip(fare.allocate(&distances)?) {
            let Fare { flight: FlightFare { fare_basis, checked_bag_kg, carry_on, .. }, private: private_fare } = flight;
            let base_minor = share.minor;
            coupons.push(PricedCoupon { fare_basis, base_minor, checked_bag_kg, carry_on: Some(carry_on), private_fare });
        }
        for booking in bookings {
            for tax in leg_taxes(sale.catalogue(), &booking.leg, passenger, sale.trip.issued_on) {
                add_tax(&mut taxes, tax)?;
            }
        }
    }
    let SearchPassenger { kind, age } = passenger;
    Ok(Some(PricedPassenger { kind, age, coupons, base_minor: base.minor, taxes }))
}

fn flight_fares(sale: Sale<'_>, bookings: &[Booking<'_>], kind: PassengerKind) -> Result<Option<(Money, Vec<Fare>)>, MoneyError> {
    let mut fares = Vec::with_capacity(bookings.len());
    for booking in bookings {
        match sale.fare(booking, kind)? {
            Some(fare) => fares.push(fare),
            None => return Ok(None),
        }
    }
    let sum = Money::sum(Currency::CNY, fares.iter().map(|fare| fare.flight.amount))?;
    Ok(Some((sum, fares)))
}

fn charges<'c>(
    catalogue: &'c Catalogue,
    leg: &Leg<'c>,
    passenger: SearchPassenger,
    issued_on: NaiveDate,
) -> impl Iterator<Item = crate::catalogue::taxes::TaxCharge<'c>> {
    let SearchPassenger { kind, age } = passenger;
    catalogue.taxes.charges(leg.taxed(), TaxedPassenger { kind, age, passport: Passport::Ordinary }, issued_on)
}

fn leg_taxes<'c>(
    catalogue: &'c Catalogue,
    leg: &Leg<'c>,
    passenger: SearchPassenger,
    issued_on: NaiveDate,
) -> impl Iterator<Item = PricedTax> {
    let flight = leg.taxed();
    charges(catalogue, leg, passenger, issued_on).map(move |charge| PricedTax {
        code: charge.rule.code.clone(),
        minor: charge.amount.minor,
        payee: charge.rule.payee_name(flight),
    })
}

/// A ticket shows one amount per tax and payee.
fn add_tax(taxes: &mut Vec<PricedTax>, tax: PricedTax) -> Result<(), MoneyError> {
    match taxes.iter_mut().find(|known| known.code == tax.code && known.payee == tax.payee) {
        Some(known) => known.minor = known.minor.checked_add(tax.minor).ok_or(MoneyError::Overflow)?,
        None => taxes.push(tax),
    }
    Ok(())
}

fn offer_slice(bookings: &[Booking<'_>]) -> Option<OfferSlice> {
    let (first, last) = (bookings.first()?, bookings.last()?);
    Some(OfferSlice {
        origin: first.leg.flight.origin.to_string(),
        destination: last.leg.flight.destination.to_string(),
        fare_brand: first.rung.brand.clone(),
        segments: bookings.iter().map(Booking::segment).collect(),
    })
}

fn is_demo(catalogue: &Catalogue, segment: &OfferSegment) -> bool {
    scheduled(catalogue, segment).is_some_and(|(_, flight)| flight.is_demo())
}

fn scheduled<'c>(catalogue: &'c Catalogue, segment: &OfferSegment) -> Option<(crate::catalogue::FlightIndex, &'c Flight)> {
    let carrier = CarrierCode::parse(&segment.carrier)?;
    let origin = AirportCode::parse(&segment.origin)?;
    catalogue.schedules.find(carrier, segment.flight_number, origin)
}

/// The segment as it is in the catalogue today.
fn find<'c>(catalogue: &'c Catalogue, segment: &OfferSegment, issued_on: NaiveDate) -> Result<Booking<'c>, RepriceRefusal> {
    let name = || format!("{}{}", segment.carrier, segment.flight_number);
    let date = segment.departing_at.date();
    let gone = || RepriceRefusal::FlightGone { flight: name(), date };
    let (index, _) = scheduled(catalogue, segment).ok_or_else(gone)?;
    let departure = catalogue.schedules.departure(&catalogue.airports, index, date).ok_or_else(gone)?;
    let no_fare = || RepriceRefusal::FareGone { flight: name(), class: segment.booking_class };
    let leg = Leg::new(catalogue, departure, issued_on).ok_or_else(no_fare)?;
    let class = BookingClass::parse(segment.booking_class).ok_or_else(no_fare)?;
    Ok(Booking { leg, rung: leg.ladder.rung(class).ok_or_else(no_fare)? })
}

pub(super) fn rebook<'c>(
    catalogue: &'c Catalogue,
    segment: &OfferSegment,
    issued_on: NaiveDate,
    now: Timestamp,
) -> Result<Booking<'c>, RepriceRefusal> {
    let booking = find(catalogue, segment, issued_on)?;
    let (flight, date) = (format!("{}{}", segment.carrier, segment.flight_number), segment.departing_at.date());
    let Departure { departing_at, arriving_at, departs, .. } = booking.leg.departure;
    let same_way = booking.leg.flight.destination.as_str() == segment.destination;
    if !same_way || departing_at != segment.departing_at || arriving_at != segment.arriving_at {
        return Err(RepriceRefusal::ScheduleChanged { flight, date });
    }
    if departs <= now {
        return Err(RepriceRefusal::Departed { flight, date });
    }
    if closes_at(departs) < now {
        return Err(RepriceRefusal::Closed { flight, date });
    }
    Ok(booking)
}
