//! The proof of bank lines: interest is what value dates and rates say, the sums follow each other, and sub-limits count what is held and drawn.

use super::correction::CorrectionRow;
use super::cost::{DailyCost, Sums, times};
use super::facility::{Facility, FacilityError, facilities};
use super::interest::AccrualRow;
use super::sublimit::utilisation;
use crate::db::schema::{facility_accrual, facility_correction};
use crate::db::{Db, DbError};
use crate::ids::Id;
use chrono::NaiveDate;
use diesel::prelude::*;

const SUMS: &str = "corrections of interest follow each other and add up";
const VALUE_DATES: &str = "interest is that of the balances by value date at the rates of their days";
const PARTS: &str = "a sub-limit counts what is held and drawn for its airline";

pub const LINE_RULES: usize = 3;

/// The first rule that a line breaks, and which line.
pub fn first_wrong_line(db: &mut Db) -> Result<Option<(&'static str, String)>, FacilityError> {
    // Terms do not depend on the day that they are read for; any will do.
    let day = NaiveDate::from_ymd_opt(2100, 1, 1).unwrap_or_default();
    for state in facilities(db, day)? {
        let line = &state.facility;
        if let Some(rule) = wrong_interest(db, line)? {
            return Ok(Some((rule, line.name.clone())));
        }
        if line.sublimits.is_empty() {
            continue;
        }
        let used = utilisation(db, line.id, state.drawn)?;
        let counted = |airline| used.get(&airline).map_or(0, |one| one.held_minor + one.drawn_minor);
        if line.sublimits.iter().any(|part| part.used.minor != counted(part.airline)) {
            return Ok(Some((PARTS, line.name.clone())));
        }
    }
    Ok(None)
}

fn wrong_interest(db: &mut Db, line: &Facility) -> Result<Option<&'static str>, FacilityError> {
    let corrections: Vec<CorrectionRow> = facility_correction::table
        .filter(facility_correction::facility_id.eq(line.id.raw()))
        .order(facility_correction::number)
        .select(CorrectionRow::as_select())
        .load(db)
        .map_err(DbError::from)?;
    let mut corrected = Sums::default();
    for (row, number) in corrections.iter().zip(1..) {
        corrected = corrected.plus(Sums::parse(&row.scaled, &row.commitment_scaled)?)?;
        if row.number != number || corrected != Sums::parse(&row.total_scaled, &row.commitment_total_scaled)? {
            return Ok(Some(SUMS));
        }
    }
    let accrued: Vec<AccrualRow> = facility_accrual::table
        .filter(facility_accrual::facility_id.eq(line.id.raw()))
        .order(facility_accrual::day)
        .select(AccrualRow::as_select())
        .load(db)
        .map_err(DbError::from)?;
    let first = accrued.first().map(|row| row.day).into_iter().chain(corrections.iter().map(|row| row.from_day)).min();
    let Some(first) = first else { return Ok(None) };
    let cost = DailyCost::read(db, line, first)?;
    let mut expected: i128 = 0;
    let mut adds = |scaled: i128| {
        expected = expected.saturating_add(scaled);
    };
    for row in &accrued {
        // That these are the balances of the entries, the proof of the days says.
        adds(times(row.balance_minor, cost.rate_e8(row.day)?));
    }
    for row in corrections.iter().filter(|row| row.moved_minor != 0) {
        for day in row.from_day.iter_days().take_while(|day| *day < row.until_day) {
            adds(times(row.moved_minor, cost.rate_e8(day)?));
        }
    }
    let booked = accrued.last().map_or(Ok(Sums::default()), |row| Sums::parse(&row.total_scaled, &row.commitment_scaled))?;
    Ok((booked.plus(corrected)?.interest != expected).then_some(VALUE_DATES))
}
