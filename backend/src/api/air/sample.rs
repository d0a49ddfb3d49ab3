//! A small catalogue and a return offer for the tests of this module.

use super::Names;
use super::place::{Aircraft, Airline, Airport, City, CityReference};
use crate::shopping::offer::{
    Cabin, CarryOn, OfferSegment, OfferSlice, PassengerKind, PricedCoupon, PricedOffer, PricedPassenger, PricedTax,
};
use chrono::{NaiveDate, NaiveDateTime};
use std::collections::HashMap;

pub struct Catalogue {
    airports: HashMap<&'static str, Airport>,
    cities: HashMap<&'static str, City>,
    airlines: HashMap<&'static str, Airline>,
    aircraft: HashMap<&'static str, Aircraft>,
}

impl Catalogue {
    pub fn small() -> Self {
        let beijing = CityReference::new("BJS", "CN", "Beijing");
        let airport = |code: &str, name: &str, city: Option<&CityReference>| Airport {
            city: city.cloned(),
            city_name: city.map(|city| city.name.clone()),
            iata_city_code: city.map(|city| city.iata_code.clone()),
            time_zone: "Asia/Shanghai".to_owned(),
            ..Airport::new(code, "CN", name)
        };
        let capital = airport("PEK", "Beijing Capital", Some(&beijing));
        let city = City { city: beijing, airports: vec![capital.clone()] };
        Catalogue {
            airports: [
                ("PEK", capital),
                ("PVG", airport("PVG", "Shanghai Pudong", None)),
                ("CAN", airport("CAN", "Guangzhou Baiyun", None)),
            ]
            .into(),
            cities: [("BJS", city)].into(),
            airlines: [("CA", Airline::new("CA", "Air China"))].into(),
            aircraft: [("32Q", Aircraft::new("32Q", "Airbus A321neo"))].into(),
        }
    }
}

impl Names for Catalogue {
    fn airport(&self, iata: &str) -> Option<&Airport> {
        self.airports.get(iata)
    }

    fn city(&self, iata: &str) -> Option<&City> {
        self.cities.get(iata)
    }

    fn airline(&self, iata: &str) -> Option<&Airline> {
        self.airlines.get(iata)
    }

    fn aircraft(&self, iata: &str) -> Option<&Aircraft> {
        self.aircraft.get(iata)
    }
}

pub fn date(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, day).unwrap_or_default()
}

fn time(day: u32, hour: u32, minute: u32) -> NaiveDateTime {
    date(day).and_hms_opt(hour, minute, 0).unwrap_or_default()
}

fn segment(number: u16, from_to: (&str, &str), times: (NaiveDateTime, NaiveDateTime)) -> OfferSegment {
    let duration = u32::try_from((times.1 - times.0).num_minutes()).unwrap_or_default();
    OfferSegment {
        carrier: "CA".to_owned(),
        flight_number: number,
        aircraft: "32Q".to_owned(),
        origin: from_to.0.to_owned(),
        destination: from_to.1.to_owned(),
        departing_at: times.0,
        arriving_at: times.1,
        duration_minutes: duration,
        distance_km: 1_098,
        booking_class: 'Y',
        cabin: Cabin::Economy,
    }
}

fn passenger(kind: PassengerKind, age: Option<u8>, base_minor: i64) -> PricedPassenger {
    let third = base_minor / 3;
    let coupon = |base_minor: i64| PricedCoupon {
        fare_basis: "YRT".to_owned(),
        base_minor,
        checked_bag_kg: if base_minor > 20_000 { 20 } else { 0 },
        carry_on: Some(CarryOn { pieces: u8::from(base_minor > 20_000), kg: 5 }),
        private_fare: None,
    };
    let taxes = match kind {
        PassengerKind::Adult => vec![PricedTax { code: "CN".to_owned(), minor: 15_000, payee: "CAAC".to_owned() }],
        _ => Vec::new(),
    };
    PricedPassenger { kind, age, coupons: vec![coupon(third), coupon(third), coupon(base_minor - 2 * third)], base_minor, taxes }
}

/// Beijing to Shanghai direct on the 10th, back through Guangzhou on the 20th; an adult, a child of 11 and an infant.
pub fn family_return() -> PricedOffer {
    let there = vec![segment(1501, ("PEK", "PVG"), (time(10, 8, 0), time(10, 10, 15)))];
    let back = vec![
        segment(1330, ("PVG", "CAN"), (time(20, 9, 0), time(20, 11, 30))),
        segment(1351, ("CAN", "PEK"), (time(20, 13, 0), time(20, 16, 10))),
    ];
    let slice = |from: &str, to: &str, segments| OfferSlice {
        origin: from.to_owned(),
        destination: to.to_owned(),
        fare_brand: "Economy Flex".to_owned(),
        segments,
    };
    PricedOffer {
        carrier: "CA".to_owned(),
        currency: "CNY".to_owned(),
        slices: vec![slice("PEK", "PVG", there), slice("PVG", "PEK", back)],
        passengers: vec![
            passenger(PassengerKind::Adult, None, 300_000),
            passenger(PassengerKind::Child, Some(11), 150_000),
            passenger(PassengerKind::Infant, None, 30_000),
        ],
        demo: true,
    }
}
