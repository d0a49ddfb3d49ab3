//! The flights that can be sold. Today all of them are demo data: real carriers between real places at invented times, the same every
//! week. Times are local to their airports; an instant follows from the airport's zone.

use super::aircraft::Fleet;
use super::airports::Airports;
use super::carriers::Carriers;
use super::overlay::{Becomes, FlightDay, Overlay};
use super::records::{Row, Table};
use super::{AircraftCode, Airport, AirportCode, CarrierCode, CatalogueError};
use crate::clock::Timestamp;
use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    pub carrier: CarrierCode,
    pub number: u16,
    pub origin: AirportCode,
    pub destination: AirportCode,
    /// Wall-clock time at the origin.
    pub departs: NaiveTime,
    pub block_minutes: u32,
    pub aircraft: AircraftCode,
    weekdays: Vec<Weekday>,
}

/// Names a flight within one snapshot of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlightIndex(usize);

/// A flight on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure {
    pub flight: FlightIndex,
    /// Local date at the origin.
    pub date: NaiveDate,
    /// Wall-clock time at the origin.
    pub departing_at: NaiveDateTime,
    /// Wall-clock time at the destination.
    pub arriving_at: NaiveDateTime,
    pub departs: Timestamp,
    pub arrives: Timestamp,
}

/// Minutes that a passenger needs between two flights at an airport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Connecting {
    domestic: i64,
    international: i64,
    turnaround: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    Domestic,
    /// One of the two flights crosses a border.
    International,
    /// Going back after having arrived at the destination.
    Turnaround,
}

#[derive(Debug)]
pub struct Schedules {
    /// In the order of carrier, number and origin.
    flights: Vec<Flight>,
    by_origin: BTreeMap<AirportCode, Vec<FlightIndex>>,
    by_pair: BTreeMap<(AirportCode, AirportCode), Vec<FlightIndex>>,
    connecting: BTreeMap<AirportCode, Connecting>,
    connecting_elsewhere: Connecting,
    overlay: RwLock<Arc<Overlay>>,
}

#[derive(Clone, Copy)]
pub(super) struct ScheduleTables<'t> {
    pub flights: Table<'t>,
    pub connecting: Table<'t>,
}

impl Flight {
    pub fn operates_on(&self, date: NaiveDate) -> bool {
        self.weekdays.contains(&date.weekday())
    }

    /// True while schedules are generated and not received from a carrier.
    pub fn is_demo(&self) -> bool {
        true
    }
}

impl Schedules {
    pub(super) fn read(
        tables: ScheduleTables<'_>,
        airports: &Airports,
        carriers: &Carriers,
        fleet: &Fleet,
    ) -> Result<Self, CatalogueError> {
        let flights = tables.flights.by_key(flight, |flight| (flight.carrier, flight.number, flight.origin))?;
        let mut by_origin: BTreeMap<AirportCode, Vec<FlightIndex>> = BTreeMap::new();
        let mut by_pair: BTreeMap<(AirportCode, AirportCode), Vec<FlightIndex>> = BTreeMap::new();
        for (index, flight) in flights.iter().enumerate() {
            let unknown = |what: String| CatalogueError::Unknown { file: tables.flights.file, what };
            for code in [flight.origin, flight.destination] {
                airports.get(code).ok_or_else(|| unknown(format!("airport {code}")))?;
            }
            carriers.get(flight.carrier.as_str()).ok_or_else(|| unknown(format!("carrier {}", flight.carrier)))?;
            fleet.get(flight.aircraft).ok_or_else(|| unknown(format!("aircraft {}", flight.aircraft)))?;
            by_origin.entry(flight.origin).or_default().push(FlightIndex(index));
            by_pair.entry((flight.origin, flight.destination)).or_default().push(FlightIndex(index));
        }
        let missing = || CatalogueError::Unknown { file: tables.connecting.file, what: "a row for every other airport".into() };
        let rows = tables.connecting.rows(connecting)?;
        let elsewhere = rows.iter().find(|(airport, _)| airport.is_none()).map(|(_, minutes)| *minutes);
        let connecting = rows.into_iter().filter_map(|(airport, minutes)| airport.map(|airport| (airport, minutes))).collect();
        Ok(Schedules {
            flights,
            by_origin,
            by_pair,
            connecting,
            connecting_elsewhere: elsewhere.ok_or_else(missing)?,
            overlay: RwLock::default(),
        })
    }

    /// In the order of carrier, number and origin.
    pub fn flights(&self) -> &[Flight] {
        &self.flights
    }

    pub fn flight(&self, index: FlightIndex) -> Option<&Flight> {
        self.flights.get(index.0)
    }

    pub fn find(&self, carrier: CarrierCode, number: u16, origin: AirportCode) -> Option<(FlightIndex, &Flight)> {
        let key = (carrier, number, origin);
        let index = self.flights.binary_search_by_key(&key, |flight| (flight.carrier, flight.number, flight.origin)).ok()?;
        self.flights.get(index).map(|flight| (FlightIndex(index), flight))
    }

    pub fn has_flights_from(&self, origin: AirportCode) -> bool {
        self.by_origin.contains_key(&origin)
    }

    pub fn from(&self, origin: AirportCode) -> impl Iterator<Item = (FlightIndex, &Flight)> {
        self.all_of(self.by_origin.get(&origin))
    }

    pub fn between(&self, origin: AirportCode, destination: AirportCode) -> impl Iterator<Item = (FlightIndex, &Flight)> {
        self.all_of(self.by_pair.get(&(origin, destination)))
    }

    fn all_of<'s>(&'s self, indexes: Option<&'s Vec<FlightIndex>>) -> impl Iterator<Item = (FlightIndex, &'s Flight)> {
        let indexes = indexes.map_or(&[][..], Vec::as_slice);
        indexes.iter().filter_map(|index| self.flight(*index).map(|flight| (*index, flight)))
    }

    /// The flight on this day as it flies now, or none where it does not operate or was cancelled.
    pub fn departure(&self, airports: &Airports, index: FlightIndex, date: NaiveDate) -> Option<Departure> {
        let scheduled = self.scheduled(airports, index, date)?;
        let flight = self.flight(index)?;
        let day = FlightDay { carrier: flight.carrier, number: flight.number, origin: flight.origin, date };
        match self.overlay.read().of(day).map(|change| change.becomes) {
            None => Some(scheduled),
            Some(Becomes::Cancelled) => None,
            Some(Becomes::Retimed { departing_at, arriving_at }) => self.retimed(airports, scheduled, departing_at, arriving_at),
        }
    }

    /// The departure at other local times.
    pub fn retimed(
        &self,
        airports: &Airports,
        departure: Departure,
        departing_at: NaiveDateTime,
        arriving_at: NaiveDateTime,
    ) -> Option<Departure> {
        let flight = self.flight(departure.flight)?;
        let departs = airports.get(flight.origin)?.instant(departing_at)?;
        let arrives = airports.get(flight.destination)?.instant(arriving_at)?;
        Some(Departure { departing_at, arriving_at, departs, arrives, ..departure })
    }

    /// Exchanges what is laid over the schedule; an older one than that which is there changes nothing.
    pub fn adopt(&self, overlay: Overlay) -> bool {
        let mut current = self.overlay.write();
        let is_newer = overlay.version() > current.version();
        if is_newer {
            *current = Arc::new(overlay);
        }
        is_newer
    }

    pub fn overlay_version(&self) -> i64 {
        self.overlay.read().version()
    }

    /// The last change of this departure; zero where it flies as scheduled.
    pub fn change_of(&self, flight: FlightDay) -> i64 {
        self.overlay.read().of(flight).map_or(0, |change| change.id)
    }

    /// The flight on this day as it was scheduled, or none where it does not operate.
    pub fn scheduled(&self, airports: &Airports, index: FlightIndex, date: NaiveDate) -> Option<Departure> {
        let flight = self.flight(index)?;
        if !flight.operates_on(date) {
            return None;
        }
        let departing_at = date.and_time(flight.departs);
        let departs = airports.get(flight.origin)?.instant(departing_at)?;
        let arrives = departs.plus(Duration::minutes(i64::from(flight.block_minutes)));
        let arriving_at = airports.get(flight.destination)?.zone.from_utc_datetime(&arrives.naive()).naive_local();
        Some(Departure { flight: index, date, departing_at, arriving_at, departs, arrives })
    }

    pub fn connecting_time(&self, airport: AirportCode, connection: Connection) -> Duration {
        let minutes = self.connecting.get(&airport).unwrap_or(&self.connecting_elsewhere);
        Duration::minutes(match connection {
            Connection::Domestic => minutes.domestic,
            Connection::International => minutes.international,
            Connection::Turnaround => minutes.turnaround,
        })
    }
}

impl Connection {
    pub fn between(before: &Airport, at: &Airport, after: &Airport) -> Self {
        let at_home = before.country == at.country && at.country == after.country;
        if at_home { Connection::Domestic } else { Connection::International }
    }
}

/// `135`: Monday, Wednesday and Friday.
pub(super) fn weekdays(text: &str) -> Option<Vec<Weekday>> {
    let weekday = |digit: char| match digit {
        '1' => Some(Weekday::Mon),
        '2' => Some(Weekday::Tue),
        '3' => Some(Weekday::Wed),
        '4' => Some(Weekday::Thu),
        '5' => Some(Weekday::Fri),
        '6' => Some(Weekday::Sat),
        '7' => Some(Weekday::Sun),
        _ => None,
    };
    text.chars().map(weekday).collect()
}

fn flight(row: &Row<'_>) -> Result<Flight, CatalogueError> {
    let number = |text: &str| text.parse().ok().filter(|number| (1..=9_999).contains(number));
    Ok(Flight {
        carrier: row.with("carrier", CarrierCode::parse)?,
        number: row.with("number", number)?,
        origin: row.with("origin", AirportCode::parse)?,
        destination: row.with("destination", AirportCode::parse)?,
        departs: row.with("departs", |text| NaiveTime::parse_from_str(text, "%H:%M").ok())?,
        block_minutes: row.parsed("block_minutes")?,
        aircraft: row.with("aircraft", AircraftCode::parse)?,
        weekdays: row.with("weekdays", weekdays)?,
    })
}

fn connecting(row: &Row<'_>) -> Result<(Option<AirportCode>, Connecting), CatalogueError> {
    let airport = row.with("airport", |text| if text == "*" { Some(None) } else { AirportCode::parse(text).map(Some) })?;
    let minutes = Connecting {
        domestic: row.parsed("domestic_minutes")?,
        international: row.parsed("international_minutes")?,
        turnaround: row.parsed("turnaround_minutes")?,
    };
    Ok((airport, minutes))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    fn departure(carrier: &str, number: u16, origin: &str, day: &str) -> Option<Departure> {
        let catalogue = catalogue();
        let carrier = CarrierCode::parse(carrier).unwrap();
        let (index, _) = catalogue.schedules.find(carrier, number, AirportCode::parse(origin).unwrap()).unwrap();
        catalogue.schedules.departure(&catalogue.airports, index, date(day))
    }

    #[test]
    fn beijing_to_shanghai_flies_many_times_every_day_with_several_carriers() {
        let catalogue = catalogue();
        let (pek, sha) = (AirportCode::parse("PEK").unwrap(), AirportCode::parse("SHA").unwrap());
        for day in (0..7).map(|days| date("2026-11-22") + Duration::days(days)) {
            let flights =
                catalogue.schedules.from(pek).filter(|(_, flight)| flight.destination == sha && flight.operates_on(day));
            let carriers: Vec<String> = flights.map(|(_, flight)| flight.carrier.to_string()).collect();
            assert!(carriers.len() >= 10, "{carriers:?}");
            assert!(carriers.contains(&"CA".to_owned()) && carriers.contains(&"MU".to_owned()));
        }
    }

    #[test]
    fn times_are_local_and_instants_follow_the_zone() {
        let domestic = departure("CA", 1501, "PEK", "2026-11-23").unwrap();
        assert_eq!(domestic.departing_at.to_string(), "2026-11-23 07:00:00");
        assert_eq!(domestic.departs.to_string(), "2026-11-22T23:00:00.000000Z");
        assert_eq!(domestic.arriving_at - domestic.departing_at, domestic.arrives.since(domestic.departs));
        let london = |day| {
            let flights = catalogue().schedules.flights();
            let flight = flights.iter().find(|flight| flight.destination.as_str() == "LHR").unwrap();
            let departure = departure(flight.carrier.as_str(), flight.number, flight.origin.as_str(), day).unwrap();
            assert_eq!(departure.arrives.since(departure.departs), Duration::minutes(i64::from(flight.block_minutes)));
            (departure.departing_at - departure.arriving_at) + departure.arrives.since(departure.departs)
        };
        assert_eq!(london("2027-01-15"), Duration::hours(8), "winter time in London");
        assert_eq!(london("2027-07-15"), Duration::hours(7), "summer time in London");
    }

    #[test]
    fn a_skipped_hour_is_read_an_hour_later() {
        let skipped = date("2027-03-14").and_hms_opt(2, 30, 0).unwrap();
        let instant = catalogue().airports.find("JFK").unwrap().instant(skipped).unwrap();
        assert_eq!(instant.to_string(), "2027-03-14T07:30:00.000000Z");
    }

    #[test]
    fn a_flight_does_not_operate_on_its_other_days() {
        let flights = catalogue().schedules.flights();
        let flight = flights.iter().find(|flight| flight.weekdays.len() == 3).unwrap();
        let operates = |day: &str| departure(flight.carrier.as_str(), flight.number, flight.origin.as_str(), day).is_some();
        assert!(operates("2026-11-23") && !operates("2026-11-24"), "on Mondays, not on Tuesdays");
    }
}
