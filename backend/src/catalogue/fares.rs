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
    pub carry_on: CarryOn,
}

/// Bags that are taken into the cabin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarryOn {
    pub pieces: u8,
    /// Of each piece.
    pub kg: u8,
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
    /// Whose full fare it is; none is everybody's without one of its own.
    pub carrier: Option<CarrierCode>,
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
    carry_on_pieces: Option<u8>,
    period: Period,
}

/// The price of one flight for one passenger, without taxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlightFare {
    pub amount: Money,
    pub fare_basis: String,
    pub checked_bag_kg: u8,
    pub carry_on: CarryOn,
}

#[derive(Debug)]
pub struct Fares {
    /// In the order in which they are filed.
    ladders: BTreeMap<Option<CarrierCode>, Vec<Ladder>>,
    rates: Vec<PassengerRate>,
    /// By the two airports in the order of their codes: a fare holds in both directions.
    pairs: BTreeMap<(AirportCode, AirportCode), Vec<CityPair>>,
}

#[derive(Clone, Copy)]
pub(super) struct FareTables<'t> {
    pub ladder: Table<'t>,
    pub rates: Table<'t>,
    pub pairs: Table<'t>,
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
    pub(super) fn read(tables: FareTables<'_>, airports: &Airports) -> Result<Self, CatalogueError> {
        let mut pairs: BTreeMap<_, Vec<CityPair>> = BTreeMap::new();
        for (key, pair) in tables.pairs.rows(city_pair)? {
            for code in [key.0, key.1] {
                let unknown = || CatalogueError::Unknown { file: tables.pairs.file, what: format!("airport {code}") };
                airports.get(code).ok_or_else(unknown)?;
            }
            pairs.entry(undirected(key.0, key.1)).or_default().push(pair);
        }
        let mut ladders: BTreeMap<_, Vec<Ladder>> = BTreeMap::new();
        for (carrier, period, rung) in tables.ladder.rows(rung)? {
            let own = ladders.entry(carrier).or_default();
            match own.iter_mut().find(|ladder| ladder.period == period) {
                Some(ladder) => ladder.rungs.push(rung),
                None => own.push(Ladder { carrier, period, rungs: vec![rung] }),
            }
        }
        Ok(Fares { ladders, rates: tables.rates.rows(passenger_rate)?, pairs })
    }

    /// The carrier's own ladder on this date of issue, or the one for all carriers.
    pub fn ladder(&self, carrier: CarrierCode, issued_on: NaiveDate) -> Option<&Ladder> {
        let of = |wanted: Option<CarrierCode>| self.ladders.get(&wanted)?.iter().find(|ladder| ladder.period.contains(issued_on));
        of(Some(carrier)).or_else(|| of(None))
    }

    /// Distance and full fare of a carrier between two airports, in either direction: its own, or that of all carriers.
    pub fn pair(
        &self,
        carrier: CarrierCode,
        origin: AirportCode,
        destination: AirportCode,
        issued_on: NaiveDate,
    ) -> Option<&CityPair> {
        let pairs = self.pairs.get(&undirected(origin, destination))?;
        let of = |wanted| pairs.iter().find(|pair| pair.carrier == wanted && pair.period.contains(issued_on));
        of(Some(carrier)).or_else(|| of(None))
    }

    /// How many fares are filed: every class of every full fare.
    pub fn count(&self) -> usize {
        let rungs = |pair: &CityPair| {
            let ladders = self.ladders.get(&pair.carrier).or_else(|| self.ladders.get(&None));
            ladders.and_then(|ladders| ladders.last()).map_or(0, |ladder| ladder.rungs.len())
        };
        self.pairs.values().flatten().map(rungs).sum()
    }

    /// What one flight costs one passenger in this class, with what stands on the coupon; none where nothing is filed for this kind of
    /// passenger.
    pub fn flight_fare(
        &self,
        pair: &CityPair,
        ladder: &Ladder,
        rung: &Rung,
        kind: PassengerKind,
        issued_on: NaiveDate,
    ) -> Result<Option<FlightFare>, MoneyError> {
        let Some(amount) = self.amount(pair, ladder, rung, kind, issued_on)? else { return Ok(None) };
        let Some(full) = ladder.full(rung.cabin) else { return Ok(None) };
        if kind == PassengerKind::Adult {
            let fare_basis =
                if full.class == rung.class { rung.class.to_string() } else { format!("{}{}", rung.class, rung.percent) };
            let Rung { checked_bag_kg, carry_on, .. } = *rung;
            return Ok(Some(FlightFare { amount, fare_basis, checked_bag_kg, carry_on }));
        }
        let Some(rate) = self.rate(pair, kind, issued_on) else { return Ok(None) };
        let fare_basis = format!("{}{}", full.class, rate.suffix);
        let checked_bag_kg = rate.checked_bag_kg.unwrap_or(rung.checked_bag_kg);
        Ok(Some(FlightFare { amount, fare_basis, checked_bag_kg, carry_on: rate.carry_on(rung) }))
    }

    /// The amount of `flight_fare` alone, which is what a search compares.
    pub fn amount(
        &self,
        pair: &CityPair,
        ladder: &Ladder,
        rung: &Rung,
        kind: PassengerKind,
        issued_on: NaiveDate,
    ) -> Result<Option<Money>, MoneyError> {
        if kind == PassengerKind::Adult {
            return to_ten_yuan(pair.full_fare.portion(percent(rung.percent))?).map(Some);
        }
        let (Some(rate), Some(full)) = (self.rate(pair, kind, issued_on), ladder.full(rung.cabin)) else { return Ok(None) };
        let full_of_cabin = to_ten_yuan(pair.full_fare.portion(percent(full.percent))?)?;
        to_ten_yuan(full_of_cabin.portion(percent(rate.percent))?).map(Some)
    }

    fn rate(&self, pair: &CityPair, kind: PassengerKind, issued_on: NaiveDate) -> Option<&PassengerRate> {
        let international = pair.service == Service::International;
        self.rates.iter().find(|rate| rate.international == international && rate.kind == kind && rate.period.contains(issued_on))
    }

    /// What a passenger may take into the cabin in this class; none where nothing is filed.
    pub fn carry_on(
        &self,
        carrier: CarrierCode,
        class: BookingClass,
        kind: PassengerKind,
        issued_on: NaiveDate,
    ) -> Option<CarryOn> {
        let rung = self.ladder(carrier, issued_on)?.rung(class)?;
        let rate = self.rates.iter().find(|rate| rate.kind == kind && rate.period.contains(issued_on));
        Some(rate.map_or(rung.carry_on, |rate| rate.carry_on(rung)))
    }
}

fn undirected(one: AirportCode, other: AirportCode) -> (AirportCode, AirportCode) {
    (one.min(other), one.max(other))
}

impl PassengerRate {
    fn carry_on(&self, rung: &Rung) -> CarryOn {
        CarryOn { pieces: self.carry_on_pieces.unwrap_or(rung.carry_on.pieces), ..rung.carry_on }
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
        carry_on: CarryOn { pieces: row.parsed("carry_on_pieces")?, kg: row.parsed("carry_on_kg")? },
    };
    Ok((carrier_or_all(row)?, row.period()?, rung))
}

/// `*` is every carrier without rows of its own.
pub(super) fn carrier_or_all(row: &Row<'_>) -> Result<Option<CarrierCode>, CatalogueError> {
    row.with("carrier", |text| if text == "*" { Some(None) } else { CarrierCode::parse(text).map(Some) })
}

fn city_pair(row: &Row<'_>) -> Result<((AirportCode, AirportCode), CityPair), CatalogueError> {
    let key = (row.with("origin", AirportCode::parse)?, row.with("destination", AirportCode::parse)?);
    let pair = CityPair {
        carrier: carrier_or_all(row)?,
        distance_km: row.parsed("distance_km")?,
        full_fare: row.with("full_fare_cny", |text| Money::parse(text, Currency::CNY).ok())?,
        service: row.with("service", Service::parse)?,
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
        carry_on_pieces: row.optional("carry_on_pieces", |text| text.parse().ok())?,
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
        let pair = CityPair {
            carrier: None,
            distance_km: 1_000,
            full_fare: Money::parse(full, Currency::CNY).unwrap(),
            service,
            period,
        };
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
