//! Published fares: the full economy fare of a city pair, and the ladder of booking classes as shares of it.
//!
//! Chinese fares are filed in tens of yuan: each percentage is taken of the full fare and rounded to 10 CNY, halves up. Children and
//! infants pay a share of the *full* fare of the cabin, whatever class the adults are in.

use super::airports::Airports;
use super::records::{Row, Table};
use super::taxes::Service;
use super::{AirportCode, BookingClass, Cabin, CarrierCode, CatalogueError, Period};
use crate::money::{Currency, Money, MoneyError, Rate};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const TEN_YUAN: i64 = 1_000;

/// Adult from 12 years, child 2 to 11, infant under 2 on an adult's lap (no seat).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassengerKind {
    Adult,
    Child,
    Infant,
}

impl PassengerKind {
    pub fn text(self) -> &'static str {
        match self {
            PassengerKind::Adult => "adult",
            PassengerKind::Child => "child",
            PassengerKind::Infant => "infant",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let kinds = [PassengerKind::Adult, PassengerKind::Child, PassengerKind::Infant];
        kinds.into_iter().find(|kind| kind.text() == text)
    }
}

/// One step of the ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    pub class: BookingClass,
    pub cabin: Cabin,
    /// Of the full economy fare.
    pub percent: u32,
    pub brand: String,
    /// This class's part of its cabin, against the other classes of the cabin.
    pub seat_share: u32,
    pub checked_bag_kg: u8,
}

/// The booking classes of a carrier, dearest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ladder {
    pub carrier: Option<CarrierCode>,
    pub period: Period,
    pub rungs: Vec<Rung>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityPair {
    pub distance_km: u32,
    pub full_fare: Money,
    pub service: Service,
    pub period: Period,
}

/// What a child or an infant pays of the full fare of the cabin.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PassengerRate {
    international: bool,
    kind: PassengerKind,
    percent: u32,
    suffix: String,
    checked_bag_kg: Option<u8>,
    period: Period,
}

/// The price of one flight for one passenger, without taxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlightFare {
    pub amount: Money,
    pub fare_basis: String,
    pub checked_bag_kg: u8,
}

#[derive(Debug)]
pub struct Fares {
    ladders: Vec<Ladder>,
    rates: Vec<PassengerRate>,
    pairs: BTreeMap<(AirportCode, AirportCode), Vec<CityPair>>,
}

#[derive(Clone, Copy)]
pub(super) struct FareTables {
    pub ladder: Table,
    pub rates: Table,
    pub pairs: Table,
}

impl PassengerKind {
    pub fn takes_a_seat(self) -> bool {
        !matches!(self, PassengerKind::Infant)
    }
}

impl Ladder {
    pub fn rung(&self, class: BookingClass) -> Option<&Rung> {
        self.rungs.iter().find(|rung| rung.class == class)
    }

    /// The full fare of a cabin is its dearest class.
    fn full(&self, cabin: Cabin) -> Option<&Rung> {
        self.rungs.iter().filter(|rung| rung.cabin == cabin).max_by_key(|rung| rung.percent)
    }

    /// The fare brands, dearest first.
    pub fn brands(&self) -> Vec<&str> {
        let mut brands: Vec<&str> = Vec::new();
        for rung in &self.rungs {
            if !brands.contains(&rung.brand.as_str()) {
                brands.push(&rung.brand);
            }
        }
        brands
    }
}

impl Fares {
    pub(super) fn read(tables: FareTables, airports: &Airports) -> Result<Self, CatalogueError> {
        let mut pairs: BTreeMap<_, Vec<CityPair>> = BTreeMap::new();
        for (key, pair) in tables.pairs.rows(city_pair)? {
            for code in [key.0, key.1] {
                let unknown = || CatalogueError::Unknown { file: tables.pairs.file, what: format!("airport {code}") };
                airports.get(code).ok_or_else(unknown)?;
            }
            pairs.entry(key).or_default().push(pair);
        }
        let mut ladders: Vec<Ladder> = Vec::new();
        for (carrier, period, rung) in tables.ladder.rows(rung)? {
            match ladders.iter_mut().find(|ladder| ladder.carrier == carrier && ladder.period == period) {
                Some(ladder) => ladder.rungs.push(rung),
                None => ladders.push(Ladder { carrier, period, rungs: vec![rung] }),
            }
        }
        Ok(Fares { ladders, rates: tables.rates.rows(passenger_rate)?, pairs })
    }

    /// The carrier's own ladder on this date of issue, or the one for all carriers.
    pub fn ladder(&self, carrier: CarrierCode, issued_on: NaiveDate) -> Option<&Ladder> {
        let of = |wanted: Option<CarrierCode>| {
            self.ladders.iter().find(|ladder| ladder.carrier == wanted && ladder.period.contains(issued_on))
        };
        of(Some(carrier)).or_else(|| of(None))
    }

    /// Distance and full fare between two airports, in either direction.
    pub fn pair(&self, origin: AirportCode, destination: AirportCode, issued_on: NaiveDate) -> Option<&CityPair> {
        let pairs = self.pairs.get(&(origin, destination)).or_else(|| self.pairs.get(&(destination, origin)))?;
        pairs.iter().find(|pair| pair.period.contains(issued_on))
    }

    /// What one flight costs one passenger in this class; none where nothing is filed for this kind of passenger.
    pub fn flight_fare(
        &self,
        pair: &CityPair,
        ladder: &Ladder,
        rung: &Rung,
        kind: PassengerKind,
        issued_on: NaiveDate,
    ) -> Result<Option<FlightFare>, MoneyError> {
        if kind == PassengerKind::Adult {
            let amount = to_ten_yuan(pair.full_fare.portion(percent(rung.percent))?)?;
            let is_full = ladder.full(rung.cabin).is_some_and(|full| full.class == rung.class);
            let fare_basis = if is_full { rung.class.to_string() } else { format!("{}{}", rung.class, rung.percent) };
            return Ok(Some(FlightFare { amount, fare_basis, checked_bag_kg: rung.checked_bag_kg }));
        }
        let international = pair.service == Service::International;
        let in_force =
            |rate: &&PassengerRate| rate.international == international && rate.kind == kind && rate.period.contains(issued_on);
        let (Some(rate), Some(full)) = (self.rates.iter().find(in_force), ladder.full(rung.cabin)) else {
            return Ok(None);
        };
        let full_of_cabin = to_ten_yuan(pair.full_fare.portion(percent(full.percent))?)?;
        let amount = to_ten_yuan(full_of_cabin.portion(percent(rate.percent))?)?;
        let fare_basis = format!("{}{}", full.class, rate.suffix);
        Ok(Some(FlightFare { amount, fare_basis, checked_bag_kg: rate.checked_bag_kg.unwrap_or(rung.checked_bag_kg) }))
    }
}

/// To the nearest 10 CNY, halves up.
fn to_ten_yuan(fare: Money) -> Result<Money, MoneyError> {
    let raised = fare.checked_add(Money::new(TEN_YUAN / 2, fare.currency))?;
    Ok(Money::new(raised.minor - raised.minor.rem_euclid(TEN_YUAN), fare.currency))
}

fn percent(value: u32) -> Rate {
    Rate::from(Decimal::new(i64::from(value), 2))
}

fn rung(row: &Row<'_>) -> Result<(Option<CarrierCode>, Period, Rung), CatalogueError> {
    let class = |text: &str| text.parse().ok().and_then(BookingClass::parse);
    let rung = Rung {
        class: row.with("class", class)?,
        cabin: row.with("cabin", Cabin::parse)?,
        percent: row.parsed("percent_of_full")?,
        brand: row.parsed("brand")?,
        seat_share: row.parsed("seat_share")?,
        checked_bag_kg: row.parsed("checked_bag_kg")?,
    };
    Ok((carrier_or_all(row)?, row.period()?, rung))
}

/// `*` is every carrier without rows of its own.
pub(super) fn carrier_or_all(row: &Row<'_>) -> Result<Option<CarrierCode>, CatalogueError> {
    row.with("carrier", |text| if text == "*" { Some(None) } else { CarrierCode::parse(text).map(Some) })
}

fn city_pair(row: &Row<'_>) -> Result<((AirportCode, AirportCode), CityPair), CatalogueError> {
    let service = |text: &str| match text {
        "domestic" => Some(Service::Domestic),
        "regional" => Some(Service::Regional),
        "international" => Some(Service::International),
        _ => None,
    };
    let key = (row.with("origin", AirportCode::parse)?, row.with("destination", AirportCode::parse)?);
    let pair = CityPair {
        distance_km: row.parsed("distance_km")?,
        full_fare: row.with("full_fare_cny", |text| Money::parse(text, Currency::CNY).ok())?,
        service: row.with("service", service)?,
        period: row.period()?,
    };
    Ok((key, pair))
}

fn passenger_rate(row: &Row<'_>) -> Result<PassengerRate, CatalogueError> {
    let kind = |text: &str| match text {
        "child" => Some(PassengerKind::Child),
        "infant" => Some(PassengerKind::Infant),
        _ => None,
    };
    let international = |text: &str| match text {
        "domestic" => Some(false),
        "international" => Some(true),
        _ => None,
    };
    Ok(PassengerRate {
        international: row.with("service", international)?,
        kind: row.with("kind", kind)?,
        percent: row.parsed("percent_of_cabin_full")?,
        suffix: row.parsed("fare_basis_suffix")?,
        checked_bag_kg: row.optional("checked_bag_kg", |text| text.parse().ok())?,
        period: row.period()?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    fn fare(full: &str, class: char, kind: PassengerKind, service: Service) -> (String, String) {
        let fares = &catalogue().fares;
        let today = date("2026-11-22");
        let period = Period { from: today, until: None };
        let pair = CityPair { distance_km: 1_000, full_fare: Money::parse(full, Currency::CNY).unwrap(), service, period };
        let ladder = fares.ladder(CarrierCode::parse("CA").unwrap(), today).unwrap();
        let rung = ladder.rung(BookingClass::parse(class).unwrap()).unwrap();
        let fare = fares.flight_fare(&pair, ladder, rung, kind, today).unwrap().unwrap();
        (fare.amount.to_string(), fare.fare_basis)
    }

    #[test]
    fn fares_are_shares_of_the_full_fare_in_tens_of_yuan() {
        use PassengerKind::{Adult, Child, Infant};
        let domestic = |class, kind| fare("1900", class, kind, Service::Domestic);
        assert_eq!(domestic('Y', Adult), ("1900.00".into(), "Y".into()));
        assert_eq!(domestic('G', Adult), ("950.00".into(), "G50".into()));
        assert_eq!(domestic('K', Adult), ("1430.00".into(), "K75".into()), "1,425 rounds up");
        assert_eq!(domestic('G', Child), ("950.00".into(), "YCH50".into()), "half of full Y in any economy class");
        assert_eq!(domestic('W', Infant), ("190.00".into(), "YIN10".into()));
        assert_eq!(domestic('F', Infant), ("480.00".into(), "FIN10".into()));
        assert_eq!(fare("1240", 'Y', Infant, Service::Domestic).0, "120.00", "124 rounds down");
        assert_eq!(fare("4000", 'Y', Child, Service::International).0, "3000.00");
    }

    #[test]
    fn the_ladder_is_in_order_and_its_seats_make_up_whole_cabins() {
        let ladder = catalogue().fares.ladder(CarrierCode::parse("DZ").unwrap(), date("2026-11-22")).unwrap();
        assert!(ladder.rungs.windows(2).all(|pair| pair[0].percent > pair[1].percent));
        assert_eq!(ladder.brands(), ["First", "Business", "Economy Flex", "Economy Saver"]);
        for cabin in [Cabin::First, Cabin::Business, Cabin::Economy] {
            let shares = ladder.rungs.iter().filter(|rung| rung.cabin == cabin).map(|rung| rung.seat_share);
            assert_eq!(shares.sum::<u32>(), 100);
        }
    }

    #[test]
    fn stored_distances_are_those_of_the_coordinates() {
        let airports = &catalogue().airports;
        for ((origin, destination), pairs) in &catalogue().fares.pairs {
            let km = airports.get(*origin).unwrap().distance_km(airports.get(*destination).unwrap());
            for pair in pairs {
                assert!(pair.distance_km.abs_diff(km) <= 1, "{origin} {destination} {km}");
            }
        }
    }
}
