//! The statement of a line: day by day what was drawn and repaid, what that leaves, at which rate, and what it cost; with the corrections that
//! came later. Read from the entries of the loan and the days that were accrued, so it is what the books say.

use super::correction::CorrectionRow;
use super::facility::{Facility, FacilityError};
use super::interest::AccrualRow;
use super::movements::{Movements, loan_row};
use crate::db::schema::{facility_accrual, facility_correction};
use crate::db::{Db, DbError};
use crate::ids::Id;
use crate::money::Money;
use chrono::NaiveDate;
use diesel::prelude::*;

/// One day of a statement.
#[derive(Clone, Debug)]
pub struct StatementDay {
    pub day: NaiveDate,
    /// How many advances were drawn, and what they come to.
    pub draws: i64,
    pub drawn: Money,
    pub repaid: Money,
    /// At the close.
    pub balance: Money,
    /// What the day was accrued with; `None` where it is not yet.
    pub accrued: Option<AccruedDay>,
}

#[derive(Clone, Debug)]
pub struct AccruedDay {
    /// Per year, in units of 1e-8.
    pub rate_e8: i64,
    pub interest: Money,
    pub undrawn: Money,
    pub commitment_rate_e8: i64,
    pub commitment: Money,
}

#[derive(Clone, Debug)]
pub struct Statement {
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// At the close of the day before the first one.
    pub opening: Money,
    pub closing: Money,
    /// Oldest first; days without any movement, balance or cost included.
    pub days: Vec<StatementDay>,
    /// Booked in these days, whatever days they concern.
    pub corrections: Vec<CorrectionRow>,
}

/// From one day until another, both included; the caller bounds their number.
pub fn statement(db: &mut Db, facility: &Facility, from: NaiveDate, until: NaiveDate) -> Result<Statement, FacilityError> {
    let currency = facility.limit.currency;
    let money = |minor| Money::new(minor, currency);
    let loan = loan_row(db, facility.id, currency)?;
    let before = from.pred_opt().ok_or(FacilityError::Overflow)?;
    let mut movements = Movements::default();
    movements.add(db, &loan, Some(before))?;
    let accrued: Vec<AccrualRow> = facility_accrual::table
        .filter(facility_accrual::facility_id.eq(facility.id.raw()))
        .filter(facility_accrual::day.between(from, until))
        .order(facility_accrual::day)
        .select(AccrualRow::as_select())
        .load(db)
        .map_err(DbError::from)?;
    let corrections = facility_correction::table
        .filter(facility_correction::facility_id.eq(facility.id.raw()))
        .filter(facility_correction::until_day.between(from, until))
        .order(facility_correction::number)
        .select(CorrectionRow::as_select())
        .load(db)
        .map_err(DbError::from)?;
    let drawn_at = |day| movements.drawn_at(day, loan.balance_minor).map(money).ok_or(FacilityError::Overflow);
    let mut days = Vec::new();
    for day in from.iter_days().take_while(|day| *day <= until) {
        let moved = movements.by_day.get(&day).copied().unwrap_or_default();
        let row = accrued.iter().find(|row| row.day == day);
        days.push(StatementDay {
            day,
            draws: moved.draws,
            drawn: money(moved.repaid_minor.checked_sub(moved.minor).ok_or(FacilityError::Overflow)?),
            repaid: money(moved.repaid_minor),
            balance: drawn_at(day)?,
            accrued: row.map(|row| AccruedDay {
                rate_e8: row.rate_e8,
                interest: money(row.booked_minor),
                undrawn: money(row.undrawn_minor),
                commitment_rate_e8: row.commitment_rate_e8,
                commitment: money(row.commitment_booked_minor),
            }),
        });
    }
    Ok(Statement { from, until, opening: drawn_at(before)?, closing: drawn_at(until)?, days, corrections })
}
