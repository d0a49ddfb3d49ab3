//! What airlines have changed about single departures, laid over the schedule. The schedule itself never changes; an overlay is read once per change,
//! is known by how many changes there were, and is exchanged whole.

use super::{AirportCode, CarrierCode};
use chrono::{NaiveDate, NaiveDateTime};
use std::collections::BTreeMap;

/// A flight on the day that it was scheduled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlightDay {
    pub carrier: CarrierCode,
    pub number: u16,
    pub origin: AirportCode,
    /// Local date at the origin.
    pub date: NaiveDate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Becomes {
    Cancelled,
    /// Wall-clock times at the origin and the destination.
    Retimed {
        departing_at: NaiveDateTime,
        arriving_at: NaiveDateTime,
    },
}

/// One change of one departure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepartureChange {
    /// Grows with time: of two changes of one departure the later one holds.
    pub id: i64,
    pub flight: FlightDay,
    pub becomes: Becomes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    version: i64,
    changes: BTreeMap<FlightDay, DepartureChange>,
}

impl Overlay {
    /// `version` counts all changes there ever were, whether or not they are still of interest.
    pub fn new(version: i64, changes: impl IntoIterator<Item = DepartureChange>) -> Self {
        let mut overlay = Overlay { version, changes: BTreeMap::new() };
        for change in changes {
            let known = overlay.changes.entry(change.flight).or_insert(change);
            if known.id < change.id {
                *known = change;
            }
        }
        overlay
    }

    pub fn version(&self) -> i64 {
        self.version
    }

    pub fn of(&self, flight: FlightDay) -> Option<&DepartureChange> {
        self.changes.get(&flight)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::schedules::Schedules;
    use super::super::tests::date;
    use super::super::{Catalogue, Departure};
    use super::*;

    fn flight() -> FlightDay {
        FlightDay {
            carrier: CarrierCode::parse("CA").unwrap(),
            number: 1501,
            origin: AirportCode::parse("PEK").unwrap(),
            date: date("2026-12-08"),
        }
    }

    fn departure(catalogue: &Catalogue) -> Option<Departure> {
        let flight = flight();
        let (index, _) = catalogue.schedules.find(flight.carrier, flight.number, flight.origin).unwrap();
        catalogue.schedules.departure(&catalogue.airports, index, flight.date)
    }

    fn change(id: i64, becomes: Becomes) -> DepartureChange {
        DepartureChange { id, flight: flight(), becomes }
    }

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    #[test]
    fn a_changed_departure_leaves_at_its_new_times_and_only_it() {
        let catalogue = Catalogue::load().unwrap();
        let before = departure(&catalogue).unwrap();
        let becomes = Becomes::Retimed { departing_at: at("2026-12-08T09:30:00"), arriving_at: at("2026-12-08T11:45:00") };
        assert!(catalogue.schedules.adopt(Overlay::new(7, [change(7, becomes)])));
        let after = departure(&catalogue).unwrap();
        assert_eq!((after.departing_at, after.arriving_at), (at("2026-12-08T09:30:00"), at("2026-12-08T11:45:00")));
        assert_eq!(after.departs.to_string(), "2026-12-08T01:30:00.000000Z");
        assert_eq!(after.arrives.since(after.departs).num_minutes(), 135);
        let next_day = FlightDay { date: date("2026-12-09"), ..flight() };
        let (index, _) = catalogue.schedules.find(next_day.carrier, next_day.number, next_day.origin).unwrap();
        let other = catalogue.schedules.departure(&catalogue.airports, index, next_day.date).unwrap();
        assert_eq!(other.departing_at.time(), before.departing_at.time());
        let scheduled = |schedules: &Schedules| schedules.scheduled(&catalogue.airports, index, flight().date);
        assert_eq!(scheduled(&catalogue.schedules), Some(before), "the schedule itself stays");
    }

    #[test]
    fn a_cancelled_departure_is_not_there_and_the_later_change_holds() {
        let catalogue = Catalogue::load().unwrap();
        let retimed = Becomes::Retimed { departing_at: at("2026-12-08T09:30:00"), arriving_at: at("2026-12-08T11:45:00") };
        catalogue.schedules.adopt(Overlay::new(9, [change(9, Becomes::Cancelled), change(8, retimed)]));
        assert_eq!(departure(&catalogue), None);
        assert_eq!((catalogue.schedules.change_of(flight()), catalogue.schedules.overlay_version()), (9, 9));
        assert!(!catalogue.schedules.adopt(Overlay::new(8, [])), "an older overlay changes nothing");
        assert_eq!(departure(&catalogue), None);
        assert!(catalogue.schedules.adopt(Overlay::new(10, [change(10, retimed)])));
        assert!(departure(&catalogue).is_some());
    }
}
