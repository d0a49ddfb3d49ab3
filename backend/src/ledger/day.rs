//! One ledger date, found again. Postings have no index by ledger date, because every sale would pay for it: the seals have one for free. Within a
//! chain postings lie in commit order, and so in the order of their ledger dates, wherever a test's clock stands; a binary search over the heights
//! of each chain finds the seals that hold the day by primary keys alone. The stretch of ids is then taken an hour wider at both ends, for clocks
//! that were set back and for nodes whose clocks differ around midnight: what belongs to the day is decided by the date of each posting.

use super::chain::{Seal, last_seal, postings_of_node};
use super::repo::{AccountRow, EntryRow, PostingRow, SealRow};
use crate::db::schema::{entry, node, posting, seal};
use crate::db::{Db, DbError};
use crate::ids::{HOUR, first_at};
use chrono::NaiveDate;
use diesel::prelude::*;
use std::cmp::Ordering;
use std::collections::HashMap;

#[derive(Debug, thiserror::Error)]
pub enum DayError {
    /// Something booked on that date, or before it, is in no seal yet.
    #[error("postings of {0} are not sealed yet")]
    NotSealed(NaiveDate),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for DayError {
    fn from(error: diesel::result::Error) -> Self {
        DayError::Db(error.into())
    }
}

/// Where a ledger date lies: all its postings have ids above `after` and up to `until`, among some of the days beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayWindow {
    pub after: i64,
    pub until: i64,
    /// The seal of each chain that closes the day: it never changes, and everything of the day and before stands under it.
    pub heads: Vec<Seal>,
}

pub fn day_window(db: &mut Db, date: NaiveDate) -> Result<DayWindow, DayError> {
    let nodes: Vec<(i64, i64)> = node::table.order(node::id).select((node::id, node::high_water)).load(db)?;
    let (mut after, mut until, mut heads) = (i64::MAX, 0i64, Vec::new());
    for (number, high_water) in nodes {
        let (height, sealed) = last_seal(db, number)?.map_or((0, 0), |seal| (seal.height, seal.last_posting_id));
        if let Some(first) = postings_of_node(db, number, sealed, first_at(number, high_water), 1)?.first()
            && date_of(db, first.id)? <= date
        {
            return Err(DayError::NotSealed(date));
        }
        let begins = first_height(db, number, height, |db, seal| Ok(date_of(db, seal.last_posting_id)? >= date))?;
        let beyond = first_height(db, number, height, |db, seal| Ok(date_of(db, seal.first_posting_id)? > date))?;
        let ends = beyond.saturating_sub(1);
        if ends < 1 {
            continue;
        }
        let closing = seal_at(db, number, ends)?;
        until = until.max(closing.last_posting_id);
        heads.push(Seal::from(closing));
        if begins <= ends {
            after = after.min(seal_at(db, number, begins)?.first_posting_id);
        }
    }
    let until = until.saturating_add(HOUR);
    let after = after.min(until.saturating_sub(HOUR)).saturating_sub(HOUR);
    Ok(DayWindow { after, until, heads })
}

/// Whether every posting of `date` and before lies at or before the place that is given for its node, and is sealed.
pub fn is_booked_behind(db: &mut Db, date: NaiveDate, places: &HashMap<i64, i64>) -> Result<bool, DbError> {
    let nodes: Vec<(i64, i64)> = node::table.order(node::id).select((node::id, node::high_water)).load(db)?;
    for (number, high_water) in nodes {
        let after = places.get(&number).copied().unwrap_or(0);
        let next = postings_of_node(db, number, after, first_at(number, high_water), 1)?;
        if let Some(next) = next.first()
            && date_of(db, next.id)? <= date
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The first height of a chain whose seal is as asked, where every seal above one that is so is so too; one above the last if none is.
fn first_height(
    db: &mut Db,
    number: i64,
    height: i64,
    is_so: impl Fn(&mut Db, &SealRow) -> Result<bool, DbError>,
) -> Result<i64, DbError> {
    let (mut low, mut high) = (1i64, height.saturating_add(1));
    while low < high {
        let middle = low.midpoint(high);
        let seal = seal_at(db, number, middle)?;
        if is_so(db, &seal)? { high = middle } else { low = middle.saturating_add(1) }
    }
    Ok(low)
}

fn seal_at(db: &mut Db, number: i64, height: i64) -> Result<SealRow, DbError> {
    Ok(seal::table.find((number, height)).select(SealRow::as_select()).first(db)?)
}

fn date_of(db: &mut Db, posting: i64) -> Result<NaiveDate, DbError> {
    Ok(posting::table.find(posting).select(posting::ledger_date).first(db)?)
}

/// Entries of these accounts with ids above `after` and up to `until`, in id order.
pub fn entries_in(db: &mut Db, accounts: &[i64], after: i64, until: i64, limit: i64) -> Result<Vec<EntryRow>, DbError> {
    let between = entry::table.filter(entry::id.gt(after)).filter(entry::id.le(until));
    let of_accounts = between.filter(entry::account_id.eq_any(accounts.to_vec())).order(entry::id).limit(limit);
    Ok(of_accounts.select(EntryRow::as_select()).load(db)?)
}

/// The next entry of an account above this id, or else its last one: looked for forwards, so it costs what was booked since a day that is mostly
/// yesterday.
pub fn next_or_last_entry(db: &mut Db, of: &AccountRow, after: i64) -> Result<Option<EntryRow>, DbError> {
    if of.last_entry_id == 0 {
        return Ok(None);
    }
    let from = of.last_entry_id.min(after.saturating_add(1));
    let query = entry::table.filter(entry::account_id.eq(of.id)).filter(entry::id.ge(from)).order(entry::id);
    Ok(query.select(EntryRow::as_select()).first(db).optional()?)
}

pub fn postings_by_id(db: &mut Db, ids: &[i64]) -> Result<Vec<PostingRow>, DbError> {
    let wanted = posting::table.filter(posting::id.eq_any(ids.to_vec())).order(posting::id);
    Ok(wanted.select(PostingRow::as_select()).load(db)?)
}

/// What the entries of one account around a ledger date say about its balance at both ends of the day, debit-positive. The two ends are found
/// independently of each other and of what was booked between them.
#[derive(Clone, Debug, Default)]
pub struct DayBalance {
    /// Version, and the balance before it, of the first entry of the day or after.
    first: Option<(i64, i64)>,
    /// The entry that the first one says it follows; 0: none.
    before_first: i64,
    /// Entries of the day.
    of_day: i64,
    /// The highest version seen.
    newest: i64,
    /// Version, and the balance after it, of the last entry of the day or before.
    last: Option<(i64, i64)>,
    /// Version, side of the day and amount of entries of other days: with several nodes one of them can stand among the day's.
    others: Vec<(i64, Ordering, i64)>,
}

impl DayBalance {
    /// `side`: how the entry's ledger date compares with the day.
    pub fn add(&mut self, entry: &EntryRow, side: Ordering) {
        let before = entry.balance_after_minor.saturating_sub(entry.amount_minor);
        if side != Ordering::Less && self.first.is_none_or(|(version, _)| entry.version < version) {
            self.first = Some((entry.version, before));
            self.before_first = entry.previous_entry_id;
        }
        if side != Ordering::Greater && self.last.is_none_or(|(version, _)| entry.version > version) {
            self.last = Some((entry.version, entry.balance_after_minor));
        }
        self.newest = self.newest.max(entry.version);
        match side {
            Ordering::Equal => self.of_day = self.of_day.saturating_add(1),
            _ => self.others.push((entry.version, side, entry.amount_minor)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none() && self.last.is_none()
    }

    /// Whether the account was ever moved up to the end of the day.
    pub fn was_moved(&self) -> bool {
        self.last.is_some() || self.first.is_some_and(|(version, _)| version > 1)
    }

    /// Whether no entry is missing: versions have no gap over the day, the first one follows what it says that it follows, and if the account has
    /// nothing above `until`, the last one seen is its last.
    pub fn is_unbroken(&self, db: &mut Db, of: &AccountRow, until: i64) -> Result<bool, DbError> {
        if of.last_entry_id <= until && of.version != self.newest {
            return Ok(false);
        }
        let Some((first, before)) = self.first else { return Ok(true) };
        if let Some((last, _)) = self.last {
            let within = self.others.iter().filter(|(version, ..)| (first..=last).contains(version)).count();
            let seen = self.of_day.saturating_add(i64::try_from(within).unwrap_or(i64::MAX));
            if last.saturating_sub(first).saturating_add(1) != seen {
                return Ok(false);
            }
        }
        if self.before_first == 0 {
            return Ok((first, before) == (1, 0));
        }
        let previous = entry::table.find(self.before_first).filter(entry::account_id.eq(of.id));
        let previous: Option<(i64, i64)> = previous.select((entry::version, entry::balance_after_minor)).first(db).optional()?;
        Ok(previous == Some((first.saturating_sub(1), before)))
    }

    /// The sum of all entries before the day.
    pub fn opening(&self) -> i64 {
        let Some((first, before)) = self.first else { return self.last.map_or(0, |(_, after)| after) };
        let late = self.others.iter().filter(|(version, side, _)| *version > first && *side == Ordering::Less);
        late.fold(before, |sum, (_, _, amount)| sum.saturating_add(*amount))
    }

    /// The sum of all entries up to the end of the day.
    pub fn closing(&self) -> i64 {
        let Some((last, after)) = self.last else { return self.first.map_or(0, |(_, before)| before) };
        let early = self.others.iter().filter(|(version, side, _)| *version < last && *side == Ordering::Greater);
        early.fold(after, |sum, (_, _, amount)| sum.saturating_sub(*amount))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Entries in the order of their versions, each with its side of the day and its amount.
    fn balance(entries: &[(Ordering, i64)], before: i64) -> DayBalance {
        let (mut found, mut balance) = (DayBalance::default(), before);
        for (version, (side, amount)) in (1..).zip(entries) {
            balance = balance.saturating_add(*amount);
            let entry = EntryRow {
                id: version,
                posting_id: version,
                account_id: 1,
                amount_minor: *amount,
                balance_after_minor: balance,
                version,
                previous_entry_id: 0,
                cycle: None,
            };
            found.add(&entry, *side);
        }
        found
    }

    #[test]
    fn a_day_opens_with_everything_before_it_and_closes_with_everything_up_to_it() {
        use Ordering::{Equal, Greater, Less};
        let plain = balance(&[(Less, 5), (Equal, 7), (Equal, -2), (Greater, 100)], 10);
        assert_eq!((plain.opening(), plain.closing()), (15, 20));
        let none = balance(&[(Less, 5), (Greater, 100)], 10);
        assert_eq!((none.opening(), none.closing(), none.was_moved()), (15, 15, true));
        let before = balance(&[(Greater, 100)], 10);
        assert_eq!((before.opening(), before.closing(), before.was_moved()), (10, 10, false));
        let moved_before = balance(&[(Less, 5), (Greater, 100)], 10).without_last();
        assert_eq!((moved_before.opening(), moved_before.closing(), moved_before.was_moved()), (15, 15, true));
        let after = balance(&[(Less, 5)], 10);
        assert_eq!((after.opening(), after.closing()), (15, 15));
    }

    impl DayBalance {
        /// As if nothing before the day had been read.
        fn without_last(self) -> Self {
            DayBalance { last: None, ..self }
        }
    }

    #[test]
    fn two_nodes_whose_clocks_differ_around_midnight_do_not_blur_the_day() {
        use Ordering::{Equal, Greater, Less};
        let mixed = balance(&[(Less, 1), (Equal, 10), (Less, 2), (Equal, 20), (Greater, 100), (Equal, 30), (Greater, 200)], 0);
        assert_eq!((mixed.opening(), mixed.closing()), (3, 63));
    }
}
