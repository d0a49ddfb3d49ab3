//! The billing statement of a cycle: every ticket, refund, exchange, incentive, memo and payment of it, and what is to be remitted. It is written page by page
//! (`build`), each page a commit, so that a cycle of any size takes little memory and a stopped node goes on where it was; closing it bills the
//! obligation. From then on it never changes: what comes to the cycle later (a void whose window reaches beyond it) changes what is owed and not what
//! was billed.

mod build;
mod letter;
mod lines;

pub use build::{CloseError, PAGE, Paged, begin_statement, close_statement, cycles_to_bill, statement_page};
pub use letter::{SEND_STATEMENT, StatementLetter, statement_letter};

use crate::agencies::Cycle;
use crate::db::schema::{billing_statement, statement_line};
use crate::db::{Db, DbError, Window, rows, stored_currency, windowed};
use crate::ids::{AgencyId, BillingStatementId, Id};
use crate::interchange::statement::{BilledLine, StatementWriter, Written};
use crate::money::{Currency, Money};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::io::Write;

rows! {
    pub struct StatementRow in billing_statement {
        id: i64,
        agency_id: i64,
        currency: String,
        cycle: String,
        /// Where the next page begins.
        place: String,
        place_id: i64,
        line_count: i64,
        gross_minor: i64,
        commission_minor: i64,
        byte_count: Option<i64>,
        sha256: Option<String>,
        created_at: NaiveDateTime,
        closed_at: Option<NaiveDateTime>,
    }

    pub struct StatementLineRow in statement_line {
        id: i64,
        statement_id: i64,
        kind: String,
        document: String,
        booking_reference: String,
        day: NaiveDate,
        /// What the line adds to the debt, and to the commission that is netted against it.
        gross_minor: i64,
        commission_minor: i64,
    }
}

impl StatementRow {
    pub fn cycle(&self) -> Result<Cycle, DbError> {
        Cycle::stored(&self.cycle)
    }

    pub fn money_currency(&self) -> Result<Currency, DbError> {
        stored_currency(&self.currency)
    }

    /// Gross less commission; a credit is negative.
    pub fn to_remit(&self) -> Result<Money, DbError> {
        let minor = self.gross_minor.checked_sub(self.commission_minor);
        let minor = minor.ok_or_else(|| DbError::Corrupt(format!("statement {}", self.id)))?;
        Ok(Money::new(minor, self.money_currency()?))
    }
}

/// Closed statements of these agencies, or of all.
pub fn statements(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<StatementRow>, DbError> {
    let closed = billing_statement::table.filter(billing_statement::closed_at.is_not_null()).into_boxed();
    let mut query = windowed!(closed, billing_statement::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(billing_statement::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(StatementRow::as_select()).load(db)?)
}

pub fn statement(db: &mut Db, id: BillingStatementId) -> Result<Option<StatementRow>, DbError> {
    Ok(billing_statement::table.find(id.raw()).select(StatementRow::as_select()).first(db).optional()?)
}

/// The lines of a statement by id, which is the order of its file.
pub fn statement_lines(
    db: &mut Db,
    id: BillingStatementId,
    window: Window,
    limit: i64,
) -> Result<Vec<StatementLineRow>, DbError> {
    let of = statement_line::table.filter(statement_line::statement_id.eq(id.raw())).into_boxed();
    Ok(windowed!(of, statement_line::id, window, limit).select(StatementLineRow::as_select()).load(db)?)
}

#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    #[error("the statement has SHA-256 {made} and was closed with {closed}")]
    Changed { made: String, closed: String },
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Writes the file of a statement, a page in memory at a time. The same statement is the same file, to the byte.
pub fn write_statement(db: &mut Db, statement: &StatementRow, out: impl Write) -> Result<Written, StatementError> {
    let (id, currency) = (BillingStatementId::of(statement.id), statement.money_currency()?);
    let mut writer = StatementWriter::new(out, currency)?;
    let mut after = 0;
    loop {
        let page = statement_lines(db, id, Window::NewerThan(after), PAGE)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for line in &page {
            writer.write(&BilledLine {
                kind: &line.kind,
                document: &line.document,
                booking_reference: &line.booking_reference,
                date: line.day,
                gross_minor: line.gross_minor,
                commission_minor: line.commission_minor,
            })?;
        }
    }
    let written = writer.finish()?;
    match &statement.sha256 {
        Some(closed) if *closed != written.sha256 => {
            Err(StatementError::Changed { made: written.sha256, closed: closed.clone() })
        }
        _ => Ok(written),
    }
}
