//! Ladders of penalties: for groups of booking classes any number of boundaries in time before departure, each with what it costs from there
//! on. Refunds and changes have one each.

use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{BookingClass, CarrierCode, CatalogueError, Period};
use chrono::{Duration, NaiveDate};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<F> {
    pub carrier: Option<CarrierCode>,
    pub period: Period,
    pub classes: Vec<BookingClass>,
    /// In force while more than this is left before departure; no boundary is in force always. Exactly on a boundary the later,
    /// dearer step counts.
    pub more_than: Option<Duration>,
    pub fee: F,
}

#[derive(Debug)]
pub(super) struct Steps<F>(Vec<Step<F>>);

impl<F> Steps<F> {
    pub fn read(table: Table<'_>, fee: impl Fn(&Row<'_>) -> Result<F, CatalogueError>) -> Result<Self, CatalogueError> {
        table.rows(|row| step(row, &fee)).map(Steps)
    }

    /// The steps for a class of a ticket issued on this date, earliest first: the carrier's own or those of all carriers.
    pub fn of(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate) -> Vec<&Step<F>> {
        let filed_by = |wanted: Option<CarrierCode>| {
            let mut steps: Vec<&Step<F>> = self
                .0
                .iter()
                .filter(|step| step.carrier == wanted && step.period.contains(issued_on) && step.classes.contains(&class))
                .collect();
            steps.sort_by_key(|step| std::cmp::Reverse(step.more_than));
            steps
        };
        let own = filed_by(Some(carrier));
        if own.is_empty() { filed_by(None) } else { own }
    }

    /// The step that counts when this long is left before departure (negative after it); none where nothing is filed.
    pub fn at(&self, carrier: CarrierCode, class: BookingClass, issued_on: NaiveDate, before: Duration) -> Option<&Step<F>> {
        self.of(carrier, class, issued_on).into_iter().find(|step| step.more_than.is_none_or(|boundary| before > boundary))
    }
}

fn step<F>(row: &Row<'_>, fee: impl Fn(&Row<'_>) -> Result<F, CatalogueError>) -> Result<Step<F>, CatalogueError> {
    Ok(Step {
        carrier: carrier_or_all(row)?,
        period: row.period()?,
        classes: row.with("classes", classes)?,
        more_than: row.optional("more_than_hours_before", |text| text.parse().ok().and_then(Duration::try_hours))?,
        fee: fee(row)?,
    })
}

/// `YBH`: every letter is a class.
pub(super) fn classes(text: &str) -> Option<Vec<BookingClass>> {
    text.chars().map(BookingClass::parse).collect()
}

/// A whole number of per cent, at most 100.
pub(super) fn whole_percent(text: &str) -> Option<u32> {
    text.parse().ok().filter(|percent| *percent <= 100)
}
