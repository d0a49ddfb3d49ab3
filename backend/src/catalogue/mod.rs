//! What can be sold, as an immutable snapshot: airports, carriers, aircraft, taxes, fares, refund and change fees, hold rules, name corrections,
//! void windows, schedules and the size of seat buckets. Everything is read once from the embedded tables of `fixtures/`; nothing here touches a database or a clock. What airlines change about
//! departures afterwards is laid over the schedule (`overlay.rs`) by whoever has read it.
//! Whatever changes over time takes the date as an argument. Lists are sorted and looked up by binary search or in sorted maps, so
//! that no result depends on the order of a hash.

pub mod aircraft;
pub mod airports;
pub mod calendar;
pub mod carriers;
pub mod changes;
pub mod codes;
pub mod fares;
pub mod holds;
pub mod inventory;
pub mod ladder_steps;
pub mod name_corrections;
pub mod overlay;
pub mod places;
mod records;
pub mod refunds;
pub mod schedules;
pub mod split;
pub mod taxes;
pub mod voids;

pub use aircraft::{Aircraft, Cabin};
pub use airports::{Airport, City};
pub use carriers::Carrier;
pub use codes::{AircraftCode, AirportCode, BookingClass, CarrierCode, CityCode};
pub use fares::PassengerKind;
pub use inventory::{Bucket, BucketId};
pub use places::Place;
pub use records::Period;
pub use schedules::{Departure, Flight, FlightIndex};

use records::Table;

#[derive(Debug)]
pub struct Catalogue {
    pub airports: airports::Airports,
    pub calendar: calendar::Calendar,
    pub carriers: carriers::Carriers,
    pub changes: changes::Changes,
    pub aircraft: aircraft::Fleet,
    pub taxes: taxes::Taxes,
    pub fares: fares::Fares,
    pub holds: holds::HoldRules,
    pub name_corrections: name_corrections::NameCorrections,
    pub refunds: refunds::Refunds,
    pub schedules: schedules::Schedules,
    pub voids: voids::VoidWindows,
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("{file} is not readable as CSV: {source}")]
    Csv { file: &'static str, source: csv::Error },
    #[error("{file}, line {line}: {column} cannot be {value:?}")]
    Field { file: &'static str, line: u64, column: &'static str, value: String },
    #[error("{file} has {what} twice")]
    Duplicate { file: &'static str, what: String },
    #[error("{file} names {what}, which is nowhere defined")]
    Unknown { file: &'static str, what: String },
}

macro_rules! table {
    ($file:literal) => {
        Table { file: $file, text: include_str!(concat!("../../../fixtures/", $file)) }
    };
}

impl Catalogue {
    /// Reads the tables and checks that every name in one of them is defined in another.
    pub fn load() -> Result<Catalogue, CatalogueError> {
        let airports = airports::Airports::read(table!("airports.csv"))?;
        let carriers = carriers::Carriers::read(table!("carriers.csv"))?;
        let aircraft = aircraft::Fleet::read(table!("aircraft.csv"))?;
        let fare_tables = fares::FareTables {
            ladder: table!("fare_ladder.csv"),
            rates: table!("passenger_rates.csv"),
            pairs: table!("city_pairs.csv"),
        };
        let fares = fares::Fares::read(fare_tables, &airports)?;
        let schedule_tables =
            schedules::ScheduleTables { flights: table!("flights.csv"), connecting: table!("connecting_times.csv") };
        let schedules = schedules::Schedules::read(schedule_tables, &airports, &carriers, &aircraft)?;
        Ok(Catalogue {
            taxes: taxes::Taxes::read(table!("taxes_cn.csv"))?,
            changes: changes::Changes::read(table!("change_ladders.csv"))?,
            holds: holds::HoldRules::read(table!("hold_rules.csv"))?,
            name_corrections: name_corrections::NameCorrections::read(table!("name_corrections.csv"))?,
            refunds: refunds::Refunds::read(table!("refund_ladders.csv"))?,
            calendar: calendar::Calendar::read(table!("holidays.csv"))?,
            voids: voids::VoidWindows::read(table!("void_windows.csv"))?,
            airports,
            carriers,
            aircraft,
            fares,
            schedules,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;
    use std::sync::OnceLock;

    /// One snapshot for all tests of the process: it never changes.
    pub(crate) fn catalogue() -> &'static Catalogue {
        static SNAPSHOT: OnceLock<Catalogue> = OnceLock::new();
        SNAPSHOT.get_or_init(|| Catalogue::load().unwrap())
    }

    pub(crate) fn date(text: &str) -> chrono::NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn loading_is_quick_enough_for_a_command_line() {
        let started = std::time::Instant::now();
        Catalogue::load().unwrap();
        assert!(started.elapsed().as_millis() < 1_000, "{:?}", started.elapsed());
    }

    #[test]
    fn every_flight_has_a_fare_and_every_carrier_an_accounting_code() {
        let catalogue = catalogue();
        for flight in catalogue.schedules.flights() {
            let pair = catalogue.fares.pair(flight.origin, flight.destination, date("2026-11-22"));
            assert!(pair.is_some(), "{flight:?}");
        }
        assert_eq!(catalogue.carriers.get("DZ").unwrap().accounting_code, "893");
        assert_eq!(catalogue.carriers.get("HO").unwrap().accounting_code, "018");
        assert_eq!(catalogue.carriers.by_accounting_code("089").unwrap().code.as_str(), "9C");
    }
}
