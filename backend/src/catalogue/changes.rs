//! Fees for a voluntary change (reissue): like the refund fees a ladder by class and time before departure, a share of the fare that is
//! given in for the new one. The difference between the fares comes on top; infants and involuntary changes pay no fee, which is the
//! caller's to know.

use super::ladder_steps::{Step, Steps, whole_percent};
use super::records::{Row, Table};
use super::{BookingClass, CarrierCode, CatalogueError};
use crate::money::Rate;
use chrono::{Duration, NaiveDate};
use rust_decimal::Decimal;

/// What a change costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeFee {
    /// This share of the fare.
    Share(Rate),
    NotPermitted,
}

pub type ChangeStep = Step<ChangeFee>;

#[derive(Debug)]
pub struct Changes(Steps<ChangeFee>);

impl Changes {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        Steps::read(table, fee).map(Changes)
    }

    /// The steps for a class of a ticket issued on this date, earliest first: the carrier's own or those of all carriers.
    pub fn steps(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate) -> Vec<&ChangeStep> {
        self.0.of(carrier, class, issued_on)
    }

    /// What a change costs when this long is left before the departure that is given up (negative after it); none where nothing is filed.
    pub fn fee(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate, before: Duration) -> Option<ChangeFee> {
        self.0.at(carrier, class, issued_on, before).map(|step| step.fee)
    }
}

/// `10` or `not_permitted`.
fn fee(row: &Row<'_>) -> Result<ChangeFee, CatalogueError> {
    row.with("fee_percent", |text| match text {
        "not_permitted" => Some(ChangeFee::NotPermitted),
        percent => Some(ChangeFee::Share(Rate::from(Decimal::new(i64::from(whole_percent(percent)?), 2)))),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;
    use crate::money::{Currency, Money};

    fn fee(carrier: &str, class: char, minutes_before: i64) -> Option<String> {
        let (carrier, class) = (CarrierCode::parse(carrier).unwrap(), BookingClass::parse(class).unwrap());
        match catalogue().changes.fee(carrier, class, date("2026-11-22"), Duration::minutes(minutes_before)).unwrap() {
            ChangeFee::Share(rate) => Some(Money::parse("950.00", Currency::CNY).unwrap().portion(rate).unwrap().to_string()),
            ChangeFee::NotPermitted => None,
        }
    }

    #[test]
    fn a_change_costs_less_the_earlier_and_the_dearer_the_fare() {
        let yuan = |text: &str| Some(text.to_owned());
        assert_eq!(
            (fee("CA", 'Y', 168 * 60 + 1), fee("CA", 'Y', 168 * 60)),
            (yuan("0.00"), yuan("47.50")),
            "a week sharp is within"
        );
        assert_eq!((fee("CA", 'K', 48 * 60 + 1), fee("CA", 'K', 4 * 60)), (yuan("142.50"), yuan("427.50")));
        assert_eq!((fee("CA", 'G', 5 * 60), fee("CA", 'G', 4 * 60)), (yuan("475.00"), None), "not in the last four hours");
        assert_eq!((fee("DZ", 'Y', 121), fee("DZ", 'Y', 120)), (yuan("0.00"), yuan("47.50")));
    }

    #[test]
    fn every_class_of_the_ladder_has_an_answer_at_any_time() {
        let today = date("2026-11-22");
        for carrier in ["DZ", "CA"].map(|code| CarrierCode::parse(code).unwrap()) {
            for rung in &catalogue().fares.ladder(carrier, today).unwrap().rungs {
                let steps = catalogue().changes.steps(carrier, rung.class, today);
                assert!(steps.last().unwrap().more_than.is_none(), "{rung:?}");
                assert!(steps.windows(2).all(|pair| pair[0].fee <= pair[1].fee), "later is never cheaper: {rung:?}");
            }
        }
    }

    #[test]
    fn what_is_neither_a_share_nor_refused_cannot_be_filed() {
        let filed = |fee: &str| {
            let text = format!(
                "carrier,effective_from,effective_until,classes,more_than_hours_before,fee_percent\n*,2025-01-01,,Y,,{fee}\n"
            );
            Changes::read(Table { file: "test", text: &text })
        };
        assert!(filed("100").is_ok() && filed("not_permitted").is_ok());
        for wrong in ["101", "-1", "", "free"] {
            assert!(matches!(filed(wrong), Err(CatalogueError::Field { column: "fee_percent", line: 2, .. })), "{wrong}");
        }
    }
}
