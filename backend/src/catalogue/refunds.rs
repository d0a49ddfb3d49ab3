//! Refund fees: for groups of booking classes any number of boundaries in time before departure, each with a share of the fare.
//! Taxes are outside; infants and involuntary refunds pay no fee, which is the caller's to know.

use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{BookingClass, CarrierCode, CatalogueError, Period};
use crate::money::Rate;
use chrono::{Duration, NaiveDate};
use rust_decimal::Decimal;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundStep {
    pub carrier: Option<CarrierCode>,
    pub period: Period,
    pub classes: Vec<BookingClass>,
    /// In force while more than this is left before departure; no boundary is in force always. Exactly on a boundary the later,
    /// dearer step counts.
    pub more_than: Option<Duration>,
    pub fee: Rate,
}

#[derive(Debug)]
pub struct Refunds(Vec<RefundStep>);

impl Refunds {
    pub(super) fn read(table: Table) -> Result<Self, CatalogueError> {
        table.rows(step).map(Refunds)
    }

    /// The steps for a class of a ticket issued on this date, earliest first: the carrier's own or those of all carriers.
    pub fn steps(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate) -> Vec<&RefundStep> {
        let of = |wanted: Option<CarrierCode>| {
            let mut steps: Vec<&RefundStep> = self
                .0
                .iter()
                .filter(|step| step.carrier == wanted && step.period.contains(issued_on) && step.classes.contains(&class))
                .collect();
            steps.sort_by_key(|step| std::cmp::Reverse(step.more_than));
            steps
        };
        let own = of(Some(carrier));
        if own.is_empty() { of(None) } else { own }
    }

    /// The share of the fare that is kept when this long is left before departure (negative after it); none where nothing is filed.
    pub fn fee(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate, before: Duration) -> Option<Rate> {
        let steps = self.steps(carrier, class, issued_on);
        steps.into_iter().find(|step| step.more_than.is_none_or(|boundary| before > boundary)).map(|step| step.fee)
    }
}

fn step(row: &Row<'_>) -> Result<RefundStep, CatalogueError> {
    let classes = |text: &str| text.chars().map(BookingClass::parse).collect::<Option<Vec<_>>>();
    let fee = |text: &str| text.parse::<u32>().ok().filter(|fee| *fee <= 100);
    Ok(RefundStep {
        carrier: carrier_or_all(row)?,
        period: row.period()?,
        classes: row.with("classes", classes)?,
        more_than: row.optional("more_than_hours_before", |text| text.parse().ok().and_then(Duration::try_hours))?,
        fee: Rate::from(Decimal::new(i64::from(row.with("fee_percent", fee)?), 2)),
    })
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
