//! Finds the ways to make one journey on one day: direct flights, and two flights of one carrier with time to change between them.
//! Both coupons of a connection are on the carrier's own stock, so there is no interline settlement to think of.

use super::SALES_CLOSE_MINUTES;
use super::request::Journey;
use crate::catalogue::schedules::Connection;
use crate::catalogue::{AirportCode, Catalogue, Departure, Flight, FlightIndex};
use crate::clock::Timestamp;
use chrono::{Duration, NaiveDate};

/// Connections per journey, the quickest ones: more would only fill the list with detours.
const MOST_CONNECTIONS: usize = 40;
const LONGEST_WAIT_HOURS: i64 = 8;
/// A connection may be this much longer than the straight way, in per cent.
const LONGEST_DETOUR_PERCENT: u64 = 170;

/// One or two departures of one carrier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Itinerary {
    pub legs: Vec<Departure>,
}

impl Itinerary {
    pub fn departs(&self) -> Option<Timestamp> {
        self.legs.first().map(|leg| leg.departs)
    }

    pub fn arrives(&self) -> Option<Timestamp> {
        self.legs.last().map(|leg| leg.arrives)
    }

    pub fn elapsed_minutes(&self) -> i64 {
        match (self.departs(), self.arrives()) {
            (Some(departs), Some(arrives)) => arrives.since(departs).num_minutes(),
            _ => 0,
        }
    }
}

pub(super) fn closes_at(departs: Timestamp) -> Timestamp {
    departs.plus(Duration::minutes(-SALES_CLOSE_MINUTES))
}

/// In a fixed order: direct flights by origin, carrier and number, then connections by elapsed time.
pub(super) fn find(catalogue: &Catalogue, journey: &Journey<'_>, max_connections: u8, now: Timestamp) -> Vec<Itinerary> {
    let search = Search { catalogue, journey, now };
    let mut found = search.direct();
    if max_connections > 0 {
        let mut connections = search.connections();
        connections.sort_by_key(|itinerary| (itinerary.elapsed_minutes(), itinerary.departs()));
        connections.truncate(MOST_CONNECTIONS);
        found.append(&mut connections);
    }
    found
}

struct Search<'s, 'c> {
    catalogue: &'c Catalogue,
    journey: &'s Journey<'c>,
    now: Timestamp,
}

impl<'c> Search<'_, 'c> {
    fn direct(&self) -> Vec<Itinerary> {
        let flights = self.journey.origins.iter().flat_map(|origin| self.to_destinations(origin.code));
        flights.filter_map(|(index, _)| self.open(index, self.journey.date)).map(|leg| Itinerary { legs: vec![leg] }).collect()
    }

    fn connections(&self) -> Vec<Itinerary> {
        let mut found = Vec::new();
        for (index, first) in self.first_flights() {
            if self.is_destination(first.destination) || self.is_origin(first.destination) {
                continue;
            }
            let mut onward = self.to_destinations(first.destination);
            onward.retain(|(_, second)| second.carrier == first.carrier && self.is_on_the_way(first, second));
            if onward.is_empty() {
                continue;
            }
            let Some(leg) = self.open(index, self.journey.date) else { continue };
            for (onward_index, second) in onward {
                found.extend(self.connect(first, leg, onward_index, second));
            }
        }
        found
    }

    /// The flights from here to one of the destinations, in the order of carrier and number.
    fn to_destinations(&self, from: AirportCode) -> Vec<(FlightIndex, &'c Flight)> {
        let destinations = self.journey.destinations.iter();
        let mut flights: Vec<_> = destinations.flat_map(|to| self.catalogue.schedules.between(from, to.code)).collect();
        flights.sort_unstable_by_key(|(index, _)| *index);
        flights
    }

    fn first_flights(&self) -> impl Iterator<Item = (FlightIndex, &'c Flight)> {
        self.journey.origins.iter().flat_map(|origin| self.catalogue.schedules.from(origin.code))
    }

    /// The departure on this day unless it is too late to sell it.
    fn open(&self, flight: FlightIndex, date: NaiveDate) -> Option<Departure> {
        let departure = self.catalogue.schedules.departure(&self.catalogue.airports, flight, date)?;
        (closes_at(departure.departs) >= self.now).then_some(departure)
    }

    /// The first onward departure that can be reached, on the day of arrival or the next one.
    fn connect(&self, first: &Flight, leg: Departure, onward: FlightIndex, second: &Flight) -> Option<Itinerary> {
        let airports = &self.catalogue.airports;
        let at = airports.get(first.destination)?;
        let kind = Connection::between(airports.get(first.origin)?, at, airports.get(second.destination)?);
        let earliest = leg.arrives.plus(self.catalogue.schedules.connecting_time(at.code, kind));
        let latest = leg.arrives.plus(Duration::hours(LONGEST_WAIT_HOURS));
        let arrival_day = leg.arriving_at.date();
        let days = [Some(arrival_day), arrival_day.succ_opt()];
        let departures = days.into_iter().flatten().filter_map(|day| self.catalogue.schedules.departure(airports, onward, day));
        let mut in_time = departures.filter(|next| next.departs >= earliest && next.departs <= latest);
        in_time.next().map(|next| Itinerary { legs: vec![leg, next] })
    }

    fn is_on_the_way(&self, first: &Flight, second: &Flight) -> bool {
        let airports = &self.catalogue.airports;
        let (Some(from), Some(via), Some(to)) =
            (airports.get(first.origin), airports.get(first.destination), airports.get(second.destination))
        else {
            return false;
        };
        let flown = u64::from(from.distance_km(via)) + u64::from(via.distance_km(to));
        flown * 100 <= u64::from(from.distance_km(to)) * LONGEST_DETOUR_PERCENT
    }

    fn is_origin(&self, airport: AirportCode) -> bool {
        self.journey.origins.iter().any(|origin| origin.code == airport)
    }

    fn is_destination(&self, airport: AirportCode) -> bool {
        self.journey.destinations.iter().any(|destination| destination.code == airport)
    }
}
