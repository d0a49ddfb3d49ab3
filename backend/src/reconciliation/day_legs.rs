//! The legs of tickets as the lines of a day have them.

use crate::interchange::airline_day::{Column, Line};
use crate::money::{Currency, MoneyError};

/// What an event books of a ticket's legs: positive for a sale.
#[derive(Clone, Copy, Debug)]
pub(super) struct EventLegs<'a> {
    pub(super) number: &'a str,
    pub(super) currency: Currency,
    pub(super) price: i64,
    pub(super) base_fare: i64,
    pub(super) tax: i64,
    pub(super) airline_share: i64,
    pub(super) authorities: i64,
    pub(super) commission: i64,
    pub(super) fee: i64,
}

impl<'a> EventLegs<'a> {
    pub(super) fn none(number: &'a str, currency: Currency) -> Self {
        let [price, base_fare, tax, airline_share, authorities, commission, fee] = [0; 7];
        EventLegs { number, currency, price, base_fare, tax, airline_share, authorities, commission, fee }
    }

    pub(super) fn plus(self, other: &EventLegs<'_>) -> Result<Self, MoneyError> {
        let sum = |one: i64, other: i64| one.checked_add(other).ok_or(MoneyError::Overflow);
        Ok(EventLegs {
            price: sum(self.price, other.price)?,
            base_fare: sum(self.base_fare, other.base_fare)?,
            tax: sum(self.tax, other.tax)?,
            airline_share: sum(self.airline_share, other.airline_share)?,
            authorities: sum(self.authorities, other.authorities)?,
            commission: sum(self.commission, other.commission)?,
            fee: sum(self.fee, other.fee)?,
            ..self
        })
    }

    pub(super) fn written(&self, line: Line) -> Line {
        let amounts = [
            (Column::Price, self.price),
            (Column::BaseFare, self.base_fare),
            (Column::TaxTotal, self.tax),
            (Column::AirlineShare, self.airline_share),
            (Column::Authorities, self.authorities),
            (Column::Commission, self.commission),
            (Column::Fee, self.fee),
        ];
        line.text(Column::TicketNumber, self.number).amounts(amounts, self.currency)
    }
}

pub(super) fn negated(minor: i64) -> Result<i64, MoneyError> {
    minor.checked_neg().ok_or(MoneyError::Overflow)
}
