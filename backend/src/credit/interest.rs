//! Interest on a facility, never on a ticket. Kept is the exact integer sum of balance x rate x days since the first draw; it is divided once by the
//! day-count base, and what is booked on a day is the rounded total less what was booked before.
//!
//! Protocol: a day is accrued once (its row is unique) and only when it is over; days that were missed are made up in order, each with
//! the balance it closed with. What the loan moved by is read from its entries backwards, outside the writer's turn; only what came since is read inside.
//! The commitment fee on what is not drawn is a second sum of the same kind, booked with the interest of the day.

use super::correction::{accounts, corrected};
use super::cost::{DailyCost, Sums};
use super::facility::{FacilityError, lock_facility};
use super::movements::{Movements, loan_row};
use crate::audit::Actor;
use crate::db::schema::facility_accrual;
use crate::db::{Db, DbError, RowSet, Store, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AccountId, AccrualId, FacilityId, Id, PostingId};
use crate::ledger::{Book, Draft, Event, Leg, PostError, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct AccrualRow in facility_accrual {
        id: i64,
        facility_id: i64,
        day: NaiveDate,
        balance_minor: i64,
        rate_e8: i64,
        total_scaled: String,
        total_booked_minor: i64,
        booked_minor: i64,
        posting_id: Option<i64>,
        created_at: NaiveDateTime,
        /// The sum of the corrections before it, on top of `total_scaled`.
        corrected_scaled: String,
        undrawn_minor: i64,
        commitment_rate_e8: i64,
        commitment_scaled: String,
        commitment_corrected_scaled: String,
        commitment_booked_minor: i64,
    }
}

/// One day of interest.
#[derive(Clone, Debug)]
pub struct Accrual {
    pub id: AccrualId,
    pub facility: FacilityId,
    pub day: NaiveDate,
    /// The loan at the close of the day.
    pub balance: Money,
    /// Per year, in units of 1e-8.
    pub rate_e8: i64,
    pub booked: Money,
    /// What was not drawn of the limit, where the line costs a fee for it.
    pub undrawn: Money,
    pub commitment_rate_e8: i64,
    /// The commitment fee of this day.
    pub commitment: Money,
    /// All interest that was booked up to and with this day.
    pub total_booked: Money,
    pub posting: Option<PostingId>,
    pub created_at: NaiveDateTime,
}

impl Accrual {
    fn of(row: &AccrualRow, currency: Currency) -> Self {
        Accrual {
            id: AccrualId::of(row.id),
            facility: FacilityId::of(row.facility_id),
            day: row.day,
            balance: Money::new(row.balance_minor, currency),
            rate_e8: row.rate_e8,
            booked: Money::new(row.booked_minor, currency),
            undrawn: Money::new(row.undrawn_minor, currency),
            commitment_rate_e8: row.commitment_rate_e8,
            commitment: Money::new(row.commitment_booked_minor, currency),
            total_booked: Money::new(row.total_booked_minor, currency),
            posting: row.posting_id.map(PostingId::of),
            created_at: row.created_at,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AccrualError {
    #[error("{asked} is not over: interest is accrued up to {last}")]
    NotOver { asked: NaiveDate, last: NaiveDate },
    #[error("interest does not fit the ledger")]
    Overflow,
    #[error(transparent)]
    Facility(#[from] FacilityError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

pub(super) fn last_accrual(db: &mut Db, facility: FacilityId) -> Result<Option<AccrualRow>, DbError> {
    let of_facility = facility_accrual::table.filter(facility_accrual::facility_id.eq(facility.raw()));
    Ok(of_facility.order(facility_accrual::day.desc()).select(AccrualRow::as_select()).first(db).optional()?)
}

/// Accrues every day that is over and not accrued, up to `through` where it is given. Answers the days that it made.
pub fn accrue(
    store: &Store,
    actor: Actor,
    facility: FacilityId,
    currency: Currency,
    through: Option<NaiveDate>,
) -> Result<Vec<Accrual>, AccrualError> {
    let mut movements = Movements::default();
    store.read(|db| {
        let accrued = last_accrual(db, facility)?.map(|row| row.day);
        let account = loan_row(db, facility, currency)?;
        movements.add(db, &account, accrued)
    })?;
    store.write(|tx| accrue_with(tx, actor, facility, through, movements))
}

/// The same within a commit that has more to do.
pub fn accrue_in(
    tx: &mut WriteTx,
    actor: Actor,
    facility: FacilityId,
    through: Option<NaiveDate>,
) -> Result<Vec<Accrual>, AccrualError> {
    accrue_with(tx, actor, facility, through, Movements::default())
}

fn accrue_with(
    tx: &mut WriteTx,
    actor: Actor,
    id: FacilityId,
    through: Option<NaiveDate>,
    mut movements: Movements,
) -> Result<Vec<Accrual>, AccrualError> {
    let facility = lock_facility(tx, id)?;
    let currency = facility.limit.currency;
    let yesterday = tx.ledger_date.pred_opt().ok_or(AccrualError::Overflow)?;
    let through = through.unwrap_or(yesterday);
    if through > yesterday {
        return Err(AccrualError::NotOver { asked: through, last: yesterday });
    }
    let [expense, interest] = accounts(id, currency);
    let loan = loan_row(tx.db, id, currency)?;
    let mut ids = open_accounts(tx, &[expense.clone(), interest.clone()])?;
    ids.push(AccountId::of(loan.id));
    let mut book = Book::new();
    book.load(tx, &ids)?;
    // What was booked since the first look, now that the loan is locked.
    let last = last_accrual(tx.db, id)?;
    let loan = loan_row(tx.db, id, currency)?;
    movements.add(tx.db, &loan, last.as_ref().map(|row| row.day))?;
    let since = last.as_ref().and_then(|row| row.day.succ_opt());
    let cost = DailyCost::read(tx.db, &facility, since.unwrap_or_default())?;
    let begins = movements.by_day.keys().next().copied();
    let first = since.or_else(|| begins.into_iter().chain(cost.commitment_begins()).min());
    let Some(first) = first else { return Ok(Vec::new()) };
    let mut days = Days { cost, facility: id, sums: sums_of(last.as_ref())?, corrected: corrected(tx.db, id)?.1 };
    let mut rows = Vec::new();
    for day in first.iter_days().take_while(|day| *day <= through) {
        let drawn = movements.drawn_at(day, loan.balance_minor).ok_or(AccrualError::Overflow)?;
        let mut row = days.next(tx, day, drawn)?;
        let booked = row.booked_minor.checked_add(row.commitment_booked_minor).ok_or(AccrualError::Overflow)?;
        let booked = Money::new(booked, currency);
        if booked.minor != 0 {
            let legs = vec![Leg::debit(expense.clone(), booked), Leg::credit(interest.clone(), booked)?];
            let draft = Draft { event: Event::InterestAccrued, reference: row.id, contract: None, actor, legs };
            row.posting_id = Some(book.post(tx, &draft)?.raw());
        }
        rows.push(row);
    }
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert(tx, &[RowSet::of(&rows)])?;
    Ok(rows.into_iter().map(|row| Accrual::of(&row, currency)).collect())
}

fn sums_of(row: Option<&AccrualRow>) -> Result<Sums, FacilityError> {
    row.map_or(Ok(Sums::default()), |row| Sums::parse(&row.total_scaled, &row.commitment_scaled))
}

/// Day after day, with the exact sums up to the last one.
struct Days {
    cost: DailyCost,
    facility: FacilityId,
    sums: Sums,
    /// What corrections add to them, booked before.
    corrected: Sums,
}

impl Days {
    fn next(&mut self, tx: &WriteTx, day: NaiveDate, drawn: i64) -> Result<AccrualRow, AccrualError> {
        let after = self.sums.plus(self.cost.of_day(day, drawn)?)?;
        let (before, with_corrections) = (self.sums.plus(self.corrected)?, after.plus(self.corrected)?);
        let (booked_minor, commitment_booked_minor) = self.cost.booked(before, with_corrections)?;
        self.sums = after;
        Ok(AccrualRow {
            id: tx.ids.next::<AccrualId>().raw(),
            facility_id: self.facility.raw(),
            day,
            balance_minor: drawn,
            rate_e8: self.cost.rate_e8(day)?,
            total_scaled: after.interest.to_string(),
            total_booked_minor: self.cost.rounded(with_corrections.interest)?,
            booked_minor,
            posting_id: None,
            created_at: tx.now.naive(),
            corrected_scaled: self.corrected.interest.to_string(),
            undrawn_minor: self.cost.undrawn(day, drawn),
            commitment_rate_e8: self.cost.commitment_e8(),
            commitment_scaled: after.commitment.to_string(),
            commitment_corrected_scaled: self.corrected.commitment.to_string(),
            commitment_booked_minor,
        })
    }
}

/// The days of a facility, newest first.
pub fn accruals(
    db: &mut Db,
    facility: FacilityId,
    currency: Currency,
    window: Window,
    limit: i64,
) -> Result<Vec<Accrual>, DbError> {
    let of_facility = facility_accrual::table.filter(facility_accrual::facility_id.eq(facility.raw())).into_boxed();
    let query = windowed!(of_facility, facility_accrual::id, window, limit);
    let rows: Vec<AccrualRow> = query.select(AccrualRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(|row| Accrual::of(&row, currency)).collect())
}
