//! Ticket numbers. A number is the airline's three-digit accounting code and a ten-digit document number; its check digit is a field of
//! its own and never a part of the thirteen digits.

use crate::db::schema::{airline, stock_range};
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{AirlineId, Id, StockId};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::fmt;

rows! {
    /// `next_document` is the first number that is still free.
    pub struct StockRow in stock_range {
        id: i64,
        airline_id: i64,
        first_document: i64,
        last_document: i64,
        next_document: i64,
        created_at: NaiveDateTime,
    }
}

/// Thirteen digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TicketNumber(String);

impl TicketNumber {
    pub fn new(accounting_code: &str, document: i64) -> Self {
        TicketNumber(format!("{accounting_code}{document:010}"))
    }

    /// Accepts `7812345678901` and `781-2345678901`. The last digit is never checked: the check digit is not in it.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = match text.as_bytes() {
            [_, _, _, b'-', ..] if text.is_ascii() => format!("{}{}", text.get(..3)?, text.get(4..)?),
            _ => text.to_owned(),
        };
        (plain.len() == 13 && plain.bytes().all(|byte| byte.is_ascii_digit())).then_some(TicketNumber(plain))
    }

    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All thirteen digits modulo 7. Some markets compute it over the ten document digits alone: if one does, this is the place.
pub fn check_digit(number: &TicketNumber) -> u8 {
    number.0.bytes().fold(0, |rest, digit| (rest * 10 + (digit - b'0') % 10) % 7)
}

#[derive(Debug, thiserror::Error)]
pub enum StockError {
    #[error("a range runs from a ten-digit document number to a later one and has at most 1,073,741,824 numbers")]
    Range,
    #[error("the range overlaps documents {first} to {last}, or gives record locators that those give")]
    Overlap { first: i64, last: i64 },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// How many record locators there are: 2^30.
const LOCATORS: i64 = 1 << 30;

/// The airlines whose ticket numbers begin like this one's, itself included.
fn with_accounting_code_of(db: &mut Db, id: AirlineId) -> Result<Vec<AirlineId>, DbError> {
    let code: Option<String> = airline::table.find(id.raw()).select(airline::accounting_code).first(db).optional()?;
    let ids: Vec<i64> =
        airline::table.filter(airline::accounting_code.eq(code.unwrap_or_default())).select(airline::id).load(db)?;
    Ok(ids.into_iter().map(AirlineId::of).collect())
}

pub fn add_stock(tx: &mut WriteTx, of: AirlineId, first: i64, last: i64) -> Result<StockRow, StockError> {
    if first < 0 || last < first || last > 9_999_999_999 || last - first >= LOCATORS {
        return Err(StockError::Range);
    }
    // Also where the numbers only meet modulo the number of record locators: a locator is made of its order's first number.
    let overlaps = |known: &StockRow| {
        let distance = (known.first_document - first).rem_euclid(LOCATORS);
        distance <= last - first || LOCATORS - distance <= known.last_document - known.first_document
    };
    let shared = with_accounting_code_of(tx.db, of)?;
    if let Some(known) = stock_of(tx.db, &shared)?.into_iter().find(overlaps) {
        return Err(StockError::Overlap { first: known.first_document, last: known.last_document });
    }
    let row = StockRow {
        id: tx.ids.next::<StockId>().raw(),
        airline_id: of.raw(),
        first_document: first,
        last_document: last,
        next_document: first,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(row)
}

/// Leaves out the numbers before `next` in the range that has them; a range never goes back. Answers where it goes on, if that changed.
pub fn skip_documents(tx: &mut WriteTx, range: &StockRow, next: i64) -> Result<Option<i64>, DbError> {
    let next = next.min(range.last_document.saturating_add(1));
    let behind = stock_range::table.filter(stock_range::id.eq(range.id)).filter(stock_range::next_document.lt(next));
    let moved = diesel::update(behind).set(stock_range::next_document.eq(next)).execute(&mut *tx.db)?;
    Ok((moved > 0).then_some(next))
}

/// The ranges of these airlines, in the order in which they are used.
pub fn stock_of(db: &mut Db, airlines: &[AirlineId]) -> Result<Vec<StockRow>, DbError> {
    let raw: Vec<i64> = airlines.iter().map(|id| id.raw()).collect();
    let ranges = stock_range::table.filter(stock_range::airline_id.eq_any(raw)).order(stock_range::id);
    Ok(ranges.select(StockRow::as_select()).load(db)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_is_the_thirteen_digits_modulo_seven() {
        let vectors =
            [("3905822054200", 3), ("7812345678901", 1), ("7812345678902", 2), ("9992100000001", 0), ("7842310286513", 3)];
        for (number, digit) in vectors {
            assert_eq!(check_digit(&TicketNumber::parse(number).unwrap()), digit, "{number}");
        }
    }

    #[test]
    fn a_number_is_never_rejected_for_its_last_digit_and_leading_zeros_stay() {
        for last in 0..10 {
            assert!(TicketNumber::parse(&format!("781234567890{last}")).is_some());
        }
        assert_eq!(TicketNumber::new("018", 42).text(), "0180000000042");
        assert_eq!(TicketNumber::parse("781-2345678901"), TicketNumber::parse("7812345678901"));
        for wrong in ["", "781234567890", "78123456789012", "781-234567890", "781２345678901"] {
            assert!(TicketNumber::parse(wrong).is_none(), "{wrong}");
        }
    }
}
