//! Wrong sign-ins in a row, by address, whether anybody has it or not: nothing here tells a known address from an unknown one. After the fifth, each one closes the
//! address for twice as long as the last, an hour at most.

use crate::clock::Timestamp;
use crate::db::schema::sign_in_failure as table;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, lock_word, rows};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct FailureRow in sign_in_failure {
        email_digest: String,
        failures: i64,
        last_at: NaiveDateTime,
        locked_until: Option<NaiveDateTime>,
    }
}

const FREE: i64 = 5;
const FIRST_LOCK_SECS: i64 = 30;
const LONGEST_LOCK_SECS: i64 = 3_600;
/// A day without a wrong sign-in, and it begins again.
const FORGOTTEN_AFTER: Duration = Duration::hours(24);

/// How long so many wrong sign-ins in a row close an address.
fn lock_after(failures: i64) -> Option<Duration> {
    let beyond = failures.saturating_sub(FREE).min(20);
    // Fewer than those that are free are not beyond them.
    let doublings = u32::try_from(beyond).ok()?;
    let secs = FIRST_LOCK_SECS.saturating_mul(2i64.saturating_pow(doublings));
    Some(Duration::seconds(secs.min(LONGEST_LOCK_SECS)))
}

/// Until when the address is closed, if it is.
pub fn locked_until(db: &mut Db, email_digest: &str, now: Timestamp) -> Result<Option<Timestamp>, DbError> {
    let row: Option<FailureRow> = table::table.find(email_digest).select(FailureRow::as_select()).first(db).optional()?;
    Ok(row.and_then(|row| row.locked_until).map(Timestamp::from).filter(|until| *until > now))
}

/// Everything about one address happens one after the other, also on several nodes.
pub(super) fn lock(tx: &mut WriteTx, email_digest: &str) -> Result<(), DbError> {
    lock_word(tx, &format!("sign-in {email_digest}"))
}

/// One more wrong one, under [`lock`].
pub(super) fn failed(tx: &mut WriteTx, email_digest: &str) -> Result<(), DbError> {
    // What is forgotten is not kept: the table holds one day's addresses at most.
    let forgotten = tx.now.plus(-FORGOTTEN_AFTER).naive();
    diesel::delete(table::table.filter(table::last_at.lt(forgotten))).execute(&mut *tx.db)?;
    let known: Option<FailureRow> =
        table::table.find(email_digest).select(FailureRow::as_select()).first(&mut *tx.db).optional()?;
    let failures = known.as_ref().map_or(0, |row| row.failures).saturating_add(1);
    let locked_until = lock_after(failures).map(|lock| tx.now.plus(lock).naive());
    if known.is_some() {
        let set = (table::failures.eq(failures), table::last_at.eq(tx.now.naive()), table::locked_until.eq(locked_until));
        diesel::update(table::table.find(email_digest)).set(set).execute(&mut *tx.db)?;
        return Ok(());
    }
    let row = FailureRow { email_digest: email_digest.to_owned(), failures, last_at: tx.now.naive(), locked_until };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])
}

/// A right one, under [`lock`].
pub(super) fn succeeded(tx: &mut WriteTx, email_digest: &str) -> Result<(), DbError> {
    diesel::delete(table::table.find(email_digest)).execute(&mut *tx.db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_one_after_the_fifth_closes_for_twice_as_long() {
        let secs: Vec<Option<i64>> = (0..=13).map(|failures| lock_after(failures).map(|lock| lock.num_seconds())).collect();
        assert_eq!(secs[..5], [None; 5]);
        assert_eq!(secs[5..8], [Some(30), Some(60), Some(120)]);
        assert_eq!((secs[12], secs[13], lock_after(i64::MAX)), (Some(3_600), Some(3_600), Some(Duration::hours(1))));
    }
}
