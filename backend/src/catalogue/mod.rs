//! What can be sold, as an immutable snapshot: airports, carriers, aircraft, taxes, fares, refund and change fees, void windows, schedules and the size of
//! seat buckets. Everything is read once from the embedded tables of `fixtures/`; nothing of it touches a database or a clock. Beside it
//! stand the private fares that the operator files for one agency (`private_fares`), and what airlines change about departures is laid over the schedule (`overlay`) by whoever has read it.
//! Whatever changes over time takes the date as an argument. Lists are sorted and looked up by binary search or in sorted maps, so
//! that no result depends on the order of a hash.

pub mod aircraft;
pub mod airports;
pub mod calendar;
pub mod carriers;
pub mod changes;
pub mod codes;
pub mod dunning;
pub mod fare_rules;
pub mod fares;
pub mod holds;
pub mod inventory;
pub mod ladder_steps;
pub mod memos;
pub mod name_corrections;
pub mod overlay;
pub mod parties;
pub mod places;
pub mod private_fares;
mod records;
pub mod refunds;
pub mod schedules;
mod sources;
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
pub use sources::Sources;

#[derive(Debug)]
pub struct Catalogue {
    pub airports: airports::Airports,
    pub carriers: carriers::Carriers,
    pub changes: changes::Changes,
    pub aircraft: aircraft::Fleet,
    pub taxes: taxes::Taxes,
    pub fares: fares::Fares,
    pub fare_rules: fare_rules::FareRules,
    pub parties: parties::Parties,
    pub refunds: refunds::Refunds,
    pub schedules: schedules::Schedules,
    pub calendar: calendar::Calendar,
    pub dunning: dunning::DunningSteps,
    pub holds: holds::HoldRules,
    pub memos: memos::Memos,
    pub name_corrections: name_corrections::NameCorrections,
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

impl Catalogue {
    /// What is compiled into the program.
    pub fn load() -> Result<Catalogue, CatalogueError> {
        Catalogue::read(&Sources::embedded())
    }

    /// Reads the tables and checks that every name in one of them is defined in another.
    pub fn read(sources: &Sources<'_>) -> Result<Catalogue, CatalogueError> {
        let tables = sources.tables();
        let airports = airports::Airports::read(tables.airports, tables.airport_names)?;
        let carriers = carriers::Carriers::read(tables.carriers)?;
        let aircraft = aircraft::Fleet::read(tables.aircraft)?;
        let fare_tables =
            fares::FareTables { ladder: tables.fare_ladder, rates: tables.passenger_rates, pairs: tables.city_pairs };
        let fares = fares::Fares::read(fare_tables, &airports)?;
        let fare_rule_tables = fare_rules::FareRuleTables { rules: tables.fare_rules, blackouts: tables.blackouts };
        let schedule_tables = schedules::ScheduleTables { flights: tables.flights, connecting: tables.connecting_times };
        let schedules = schedules::Schedules::read(schedule_tables, &airports, &carriers, &aircraft)?;
        Ok(Catalogue {
            taxes: taxes::Taxes::read(tables.taxes)?,
            fare_rules: fare_rules::FareRules::read(fare_rule_tables)?,
            parties: parties::Parties::read(tables.passenger_conditions)?,
            changes: changes::Changes::read(tables.change_ladders)?,
            refunds: refunds::Refunds::read(tables.refund_ladders)?,
            calendar: calendar::Calendar::read(tables.holidays)?,
            dunning: dunning::DunningSteps::read(tables.dunning_steps)?,
            holds: holds::HoldRules::read(tables.hold_rules)?,
            memos: memos::Memos::read(memos::MemoTables { reasons: tables.memo_reasons, rules: tables.memo_rules })?,
            name_corrections: name_corrections::NameCorrections::read(tables.name_corrections)?,
            voids: voids::VoidWindows::read(tables.void_windows)?,
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
            let pair = catalogue.fares.pair(flight.carrier, flight.origin, flight.destination, date("2026-11-22"));
            assert!(pair.is_some(), "{flight:?}");
        }
        assert_eq!(catalogue.carriers.get("DZ").unwrap().accounting_code, "893");
        assert_eq!(catalogue.carriers.get("HO").unwrap().accounting_code, "018");
        assert_eq!(catalogue.carriers.by_accounting_code("089").unwrap().code.as_str(), "9C");
    }
}
