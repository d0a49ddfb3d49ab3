//! What a loan moved by, day by day, read from its entries backwards.

use super::facility::loan_account;
use crate::db::{Db, DbError};
use crate::ids::{FacilityId, Id};
use crate::ledger::{AccountRow, accounts_of};
use crate::money::Currency;
use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date};
use std::collections::BTreeMap;

#[derive(QueryableByName)]
struct Movement {
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = BigInt)]
    minor: i64,
    #[diesel(sql_type = BigInt)]
    repaid_minor: i64,
    #[diesel(sql_type = BigInt)]
    draws: i64,
}

/// One ledger date of a loan. What was drawn is debit-positive, like the entries: negative.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moved {
    pub minor: i64,
    pub repaid_minor: i64,
    pub draws: i64,
}

/// What a loan moved by per ledger date (debit-positive), down to an entry that is known or a day that is not asked for.
#[derive(Default)]
pub(super) struct Movements {
    pub by_day: BTreeMap<NaiveDate, Moved>,
    /// The youngest entry that is in it.
    last_entry: i64,
}

impl Movements {
    /// Of days after `known`. Entries are walked backwards by primary key: an index on accounts would cost every sale.
    pub fn add(&mut self, db: &mut Db, account: &AccountRow, known: Option<NaiveDate>) -> Result<(), DbError> {
        let text = "WITH RECURSIVE walk(id, previous_id, minor, day) AS (
                SELECT e.id, e.previous_entry_id, e.amount_minor, p.ledger_date
                FROM entry e JOIN posting p ON p.id = e.posting_id WHERE e.id = $1 AND e.id <> $2
                UNION ALL
                SELECT e.id, e.previous_entry_id, e.amount_minor, p.ledger_date
                FROM walk w JOIN entry e ON e.id = w.previous_id JOIN posting p ON p.id = e.posting_id
                WHERE w.previous_id <> $2 AND w.day > $3)
            SELECT day, CAST(SUM(minor) AS BIGINT) AS minor,
                CAST(SUM(CASE WHEN minor > 0 THEN minor ELSE 0 END) AS BIGINT) AS repaid_minor,
                CAST(SUM(CASE WHEN minor < 0 THEN 1 ELSE 0 END) AS BIGINT) AS draws
            FROM walk WHERE day > $3 GROUP BY day";
        // No ledger is older than 1970.
        let day = known.unwrap_or_default();
        let query = sql_query(text).bind::<BigInt, _>(account.last_entry_id).bind::<BigInt, _>(self.last_entry);
        let found: Vec<Movement> = query.bind::<Date, _>(day).load(db)?;
        for movement in found {
            let moved = self.by_day.entry(movement.day).or_default();
            moved.minor += movement.minor;
            moved.repaid_minor += movement.repaid_minor;
            moved.draws += movement.draws;
        }
        self.last_entry = account.last_entry_id;
        Ok(())
    }

    pub fn after(&self, day: NaiveDate) -> i64 {
        self.by_day.iter().filter(|(moved_on, _)| **moved_on > day).map(|(_, moved)| moved.minor).sum()
    }

    /// What was drawn at the close of a day, from the balance now (debit-positive); `None` where it does not fit.
    pub fn drawn_at(&self, day: NaiveDate, balance_now: i64) -> Option<i64> {
        balance_now.checked_sub(self.after(day)).and_then(i64::checked_neg)
    }
}

pub(super) fn loan_row(db: &mut Db, facility: FacilityId, currency: Currency) -> Result<AccountRow, DbError> {
    let key = loan_account(facility, currency);
    for row in accounts_of(db, &[facility.raw()])? {
        if row.key()? == key {
            return Ok(row);
        }
    }
    Err(DbError::Corrupt(format!("facility {facility} has no loan account")))
}
