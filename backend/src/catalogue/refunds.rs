//! Refund fees: for groups of booking classes any number of boundaries in time before departure, each with a share of the fare.
//! Taxes are outside; infants and involuntary refunds pay no fee, which is the caller's to know.

use super::ladder_steps::{Step, Steps, whole_percent};
use super::records::{Row, Table};
use super::{BookingClass, CarrierCode, CatalogueError};
use crate::money::Rate;
use chrono::{Duration, NaiveDate};
use rust_decimal::Decimal;

/// From its boundary on this share of the fare is kept.
pub type RefundStep = Step<Rate>;

#[derive(Debug)]
pub struct Refunds(Steps<Rate>);

impl Refunds {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        Steps::read(table, fee).map(Refunds)
    }

    /// The steps for a class of a ticket issued on this date, earliest first: the carrier's own or those of all carriers.
    pub fn steps(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate) -> Vec<&RefundStep> {
        self.0.of(carrier, class, issued_on)
    }

    /// The share of the fare that is kept when this long is left before departure (negative after it); none where nothing is filed.
    pub fn fee(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate, before: Duration) -> Option<Rate> {
        self.0.at(carrier, class, issued_on, before).map(|step| step.fee)
    }
}

fn fee(row: &Row<'_>) -> Result<Rate, CatalogueError> {
    Ok(Rate::from(Decimal::new(i64::from(row.with("fee_percent", whole_percent)?), 2)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;
    use crate::money::{Currency, Money};

    fn fee(carrier: &str, class: char, minutes_before: i64) -> String {
        let carrier = CarrierCode::parse(carrier).unwrap();
        let class = BookingClass::parse(class).unwrap();
        let rate = catalogue().refunds.fee(carrier, class, date("2026-11-22"), Duration::minutes(minutes_before)).unwrap();
        Money::parse("950.00", Currency::CNY).unwrap().portion(rate).unwrap().to_string()
    }

    #[test]
    fn donghai_keeps_what_its_table_says() {
        assert_eq!((fee("DZ", 'K', 121), fee("DZ", 'K', 0)), ("190.00".into(), "190.00".into()));
        assert_eq!((fee("DZ", 'G', 9_999), fee("DZ", 'G', -60)), ("475.00".into(), "475.00".into()));
        assert_eq!((fee("DZ", 'Y', 121), fee("DZ", 'Y', 120)), ("47.50".into(), "95.00".into()), "two hours sharp is within");
        assert_eq!((fee("DZ", 'F', 121), fee("DZ", 'C', 119)), ("0.00".into(), "47.50".into()));
    }

    #[test]
    fn every_class_of_the_ladder_has_a_fee_at_any_time() {
        let today = date("2026-11-22");
        for carrier in ["DZ", "CA"].map(|code| CarrierCode::parse(code).unwrap()) {
            for rung in &catalogue().fares.ladder(carrier, today).unwrap().rungs {
                let steps = catalogue().refunds.steps(carrier, rung.class, today);
                assert!(steps.last().unwrap().more_than.is_none(), "{rung:?}");
                assert!(steps.windows(2).all(|pair| pair[0].fee <= pair[1].fee), "later is never cheaper: {rung:?}");
            }
        }
    }
}
