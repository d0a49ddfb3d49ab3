//! Interest on a facility, never on a ticket. Kept is the exact integer sum of balance x rate x days since the first draw; it is divided once by the
//! day-count base, and what is booked on a day is the rounded total less what was booked before.
//!
//! Protocol: a day is accrued once (its row is unique) and only when it is over; days that were missed are made up in order, each with
//! the balance it closed with. What the loan moved by is read from its entries backwards, outside the writer's turn; only what came since is read inside.

use super::facility::{FacilityError, interest_account, loan_account, lock_facility};
use crate::audit::Actor;
use crate::db::schema::facility_accrual;
use crate::db::{Db, DbError, RowSet, Store, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AccountId, AccrualId, FacilityId, Id, PostingId};
use crate::ledger::{AccountCode, AccountKey, AccountRow, Book, Draft, Event, Leg, PostError, accounts_of, open_accounts};
use crate::money::{Currency, Money, MoneyError, divide_half_even};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date};
use std::collections::BTreeMap;

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
    /// All that was booked up to and with this day.
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

#[derive(QueryableByName)]
struct Movement {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    minor: i64,
}

/// What a loan moved by per ledger date (debit-positive), down to an entry that is known or a day that is accrued.
#[derive(Default)]
struct Movements {
    by_day: BTreeMap<NaiveDate, i64>,
    /// The youngest entry that is in it.
    last_entry: i64,
}

impl Movements {
    /// Entries are walked backwards by primary key: an index on accounts would cost every sale.
    fn add(&mut self, db: &mut Db, account: &AccountRow, accrued: Option<NaiveDate>) -> Result<(), DbError> {
        let text = "WITH RECURSIVE walk(id, previous_id, minor, day) AS (
                SELECT e.id, e.previous_entry_id, e.amount_minor, p.ledger_date
                FROM entry e JOIN posting p ON p.id = e.posting_id WHERE e.id = $1 AND e.id <> $2
                UNION ALL
                SELECT e.id, e.previous_entry_id, e.amount_minor, p.ledger_date
                FROM walk w JOIN entry e ON e.id = w.previous_id JOIN posting p ON p.id = e.posting_id
                WHERE w.previous_id <> $2 AND w.day > $3)
            SELECT day, CAST(SUM(minor) AS BIGINT) AS minor FROM walk WHERE day > $3 GROUP BY day";
        // No ledger is older than 1970.
        let day = accrued.unwrap_or_default();
        let query = sql_query(text).bind::<BigInt, _>(account.last_entry_id).bind::<BigInt, _>(self.last_entry);
        let found: Vec<Movement> = query.bind::<Date, _>(day).load(db)?;
        for movement in found {
            *self.by_day.entry(movement.day).or_default() += movement.minor;
        }
        self.last_entry = account.last_entry_id;
        Ok(())
    }

    fn after(&self, day: NaiveDate) -> i64 {
        self.by_day.iter().filter(|(moved_on, _)| **moved_on > day).map(|(_, minor)| minor).sum()
    }
}

fn loan_row(db: &mut Db, facility: FacilityId, currency: Currency) -> Result<AccountRow, DbError> {
    let key = loan_account(facility, currency);
    for row in accounts_of(db, &[facility.raw()])? {
        if row.key()? == key {
            return Ok(row);
        }
    }
    Err(DbError::Corrupt(format!("facility {facility} has no loan account")))
}

fn last_accrual(db: &mut Db, facility: FacilityId) -> Result<Option<AccrualRow>, DbError> {
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
    let expense = AccountKey::platform(AccountCode::PlatformInterestExpense, currency);
    let interest = interest_account(id, currency);
    let loan = loan_row(tx.db, id, currency)?;
    let mut ids = open_accounts(tx, &[expense.clone(), interest.clone()])?;
    ids.push(AccountId::of(loan.id));
    let mut book = Book::new();
    book.load(tx, &ids)?;
    // What was booked since the first look, now that the loan is locked.
    let last = last_accrual(tx.db, id)?;
    let loan = loan_row(tx.db, id, currency)?;
    movements.add(tx.db, &loan, last.as_ref().map(|row| row.day))?;
    let first = match &last {
        Some(row) => row.day.succ_opt(),
        None => movements.by_day.keys().next().copied(),
    };
    let Some(first) = first else { return Ok(Vec::new()) };
    let mut total: i128 = last.as_ref().map_or(Ok(0), |row| row.total_scaled.parse()).map_err(|_| AccrualError::Overflow)?;
    let mut booked_before = last.as_ref().map_or(0, |row| row.total_booked_minor);
    let base = 100_000_000i128.checked_mul(facility.day_count_base()).ok_or(AccrualError::Overflow)?;
    let mut rows = Vec::new();
    for day in first.iter_days().take_while(|day| *day <= through) {
        // Debit-positive, and a loan is a liability.
        let balance = loan.balance_minor.checked_sub(movements.after(day)).and_then(i64::checked_neg);
        let balance = balance.ok_or(AccrualError::Overflow)?;
        let daily = i128::from(balance).checked_mul(i128::from(facility.rate_e8())).ok_or(AccrualError::Overflow)?;
        total = total.checked_add(daily).ok_or(AccrualError::Overflow)?;
        let total_booked = divide_half_even(total, base).and_then(|minor| i64::try_from(minor).ok());
        let total_booked = total_booked.ok_or(AccrualError::Overflow)?;
        let booked = Money::new(total_booked.checked_sub(booked_before).ok_or(AccrualError::Overflow)?, currency);
        let accrual: AccrualId = tx.ids.next();
        let legs = vec![Leg::debit(expense.clone(), booked), Leg::credit(interest.clone(), booked)?];
        let draft = Draft { event: Event::InterestAccrued, reference: accrual.raw(), contract: None, actor, legs };
        let posting = if booked.minor == 0 { None } else { Some(book.post(tx, &draft)?) };
        booked_before = total_booked;
        rows.push(AccrualRow {
            id: accrual.raw(),
            facility_id: id.raw(),
            day,
            balance_minor: balance,
            rate_e8: facility.rate_e8(),
            total_scaled: total.to_string(),
            total_booked_minor: total_booked,
            booked_minor: booked.minor,
            posting_id: posting.map(Id::raw),
            created_at: tx.now.naive(),
        });
    }
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert(tx, &[RowSet::of(&rows)])?;
    Ok(rows.into_iter().map(|row| Accrual::of(&row, currency)).collect())
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
