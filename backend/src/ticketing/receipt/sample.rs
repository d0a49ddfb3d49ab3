//! A receipt for tests.

use super::super::coupon::CouponStatus;
use super::facts::{FlightFacts, Named, Receipt, Standing, Stop, TicketFacts};
use crate::clock::Timestamp;
use crate::money::{Currency, Money};
use chrono::NaiveDate;
use chrono_tz::Tz;

pub(super) fn receipt(agency: &str, passenger: &str, standing: Standing, flights: u32) -> Receipt {
    let at = |day, hour, minute| NaiveDate::from_ymd_opt(2026, 12, day).unwrap().and_hms_opt(hour, minute, 0).unwrap();
    let named = |zh: &str, en: &str| Named { zh: Some(zh.to_owned()), en: en.to_owned() };
    let flight = |number: u32| FlightFacts {
        coupon: format!("7812100000001/{number}"),
        carrier: named("中国东方航空", "China Eastern Airlines"),
        flight: format!("MU510{number}"),
        from: Stop {
            code: "PEK".into(),
            name: named("北京首都国际机场", "Beijing Capital International Airport"),
            local: at(number, 8, 0),
            zone: Some(Tz::Asia__Shanghai),
        },
        to: Stop {
            code: "LHR".into(),
            name: named("伦敦希思罗机场", "London Heathrow Airport"),
            local: at(number, 12, 25),
            zone: Some(Tz::Europe__London),
        },
        booking_class: "H".into(),
        cabin: "economy".into(),
        fare_basis: "HOW".into(),
        checked_bag_kg: 23,
        status: CouponStatus::Open,
    };
    let cny = |minor| Money::new(minor, Currency::CNY);
    let ticket = TicketFacts {
        numbers: vec!["7812100000001".into()],
        standing,
        passenger: Some(passenger.to_owned()),
        kind: "adult".into(),
        documents: vec![("passport".into(), "*****5678".into())],
        issued_at: Timestamp::from(at(1, 2, 3)),
        zone: Tz::Asia__Shanghai,
        carrier: named("中国东方航空", "China Eastern Airlines"),
        in_exchange_for: None,
        flights: (1..=flights).map(flight).collect(),
        fare: cny(95_000),
        taxes: vec![("CN".into(), cny(9_000)), ("XT".into(), cny(1_234))],
        total: cny(105_234),
        fare_calculation: "BJS MU LON950.00CNY950.00END".into(),
        conditions: Vec::new(),
    };
    Receipt { booking_reference: "K7PQ2M".into(), agency: agency.into(), agency_code: "57231064".into(), tickets: vec![ticket] }
}
