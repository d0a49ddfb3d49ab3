//! The proof of the ledger: every posting balanced and unchanged, every balance the fold of its entries, every pending amount the sum of
//! its holds, every chain unbroken and, where an anchor is given, as long as it was.

use super::anchor::Anchor;
use super::chain;
use super::repo::{AccountRow, EntryRow, PostingRow, SealRow};
use crate::db::schema::{account, entry, hold, node, posting, seal};
use crate::db::{Db, DbError};
use crate::ids::{AccountId, EntryId, HoldId, Id, PostingId, node_of};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use std::collections::{BTreeMap, HashMap};

/// Postings read at a time: bounds the memory.
const PAGE: i64 = 2_000;

/// What was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    pub postings: u64,
    pub entries: u64,
    pub accounts: u64,
    pub holds: u64,
    pub seals: u64,
    pub unsealed: u64,
}

/// The first row that is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("posting {0} does not balance")]
    Unbalanced(PostingId),
    #[error("posting {0} was changed after it was booked: its digest differs")]
    Changed(PostingId),
    #[error("posting {0} should have {1} entries and has {2}")]
    EntriesMissing(PostingId, i64, usize),
    #[error("entry {0} belongs to no posting")]
    OrphanEntry(EntryId),
    #[error("entry {entry} of account {account}: {what}")]
    Entry { entry: EntryId, account: AccountId, what: &'static str },
    #[error("account {account}: {what} is stored as {stored} and is {actual}")]
    Account { account: AccountId, what: &'static str, stored: i64, actual: i64 },
    #[error("hold {0} is on an account that does not exist")]
    OrphanHold(HoldId),
    #[error("node {node}, seal {height}: {what}")]
    Chain { node: i64, height: i64, what: &'static str },
}

#[derive(Clone, Copy, Default)]
struct Fold {
    balance: i64,
    version: i64,
    last_entry: i64,
}

/// Folds everything anew. `Ok(Err(fault))` is the first wrong row.
pub fn verify(db: &mut Db, anchors: &BTreeMap<i64, Anchor>) -> Result<Result<Proof, Fault>, DbError> {
    let mut proof = Proof::default();
    let found = entries_fold(db, &mut proof).and_then(|()| chains_hold(db, anchors, &mut proof));
    match found {
        Ok(()) => Ok(Ok(proof)),
        Err(Stop::Fault(fault)) => Ok(Err(fault)),
        Err(Stop::Db(error)) => Err(error),
    }
}

enum Stop {
    Fault(Fault),
    Db(DbError),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

impl<E: Into<DbError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Db(error.into())
    }
}

fn entries_fold(db: &mut Db, proof: &mut Proof) -> Result<(), Stop> {
    let mut folds: HashMap<i64, Fold> = HashMap::new();
    let accounts: Vec<AccountRow> = account::table.select(AccountRow::as_select()).load(db)?;
    let accounts: HashMap<i64, AccountRow> = accounts.into_iter().map(|row| (row.id, row)).collect();
    // With several nodes an account's entries need not come in id order: one that comes early waits for its version.
    let mut early: HashMap<i64, BTreeMap<i64, EntryRow>> = HashMap::new();
    let mut after = i64::MIN;
    loop {
        let page = posting::table.filter(posting::id.gt(after)).order(posting::id).limit(PAGE);
        let postings: Vec<PostingRow> = page.select(PostingRow::as_select()).load(db)?;
        let until = if i64::try_from(postings.len()).unwrap_or(0) < PAGE {
            i64::MAX
        } else {
            postings.last().map_or(i64::MAX, |last| last.id.saturating_add(last.entry_count))
        };
        let range = entry::table.filter(entry::id.gt(after)).filter(entry::id.le(until)).order(entry::id);
        let entries: Vec<EntryRow> = range.select(EntryRow::as_select()).load(db)?;
        check_postings(&postings, &entries, &accounts, proof)?;
        for row in entries {
            let waiting = early.entry(row.account_id).or_default();
            waiting.insert(row.version, row.clone());
            let fold = folds.entry(row.account_id).or_default();
            while let Some(next) = waiting.remove(&fold.version.saturating_add(1)) {
                fold_entry(fold, &next)?;
            }
        }
        if until == i64::MAX {
            break;
        }
        after = until;
    }
    if let Some(entry) = early.values().flat_map(BTreeMap::values).next() {
        return Err(entry_fault(entry, "an entry before it is missing, or two have one version").into());
    }
    balances_match(db, &folds, proof)
}

fn check_postings(
    postings: &[PostingRow],
    entries: &[EntryRow],
    accounts: &HashMap<i64, AccountRow>,
    proof: &mut Proof,
) -> Result<(), Fault> {
    let mut rest = entries;
    for posting in postings {
        let last = posting.id.saturating_add(posting.entry_count);
        let before = rest.iter().take_while(|entry| entry.id <= posting.id).count();
        if let Some(orphan) = rest.first().filter(|_| before > 0) {
            return Err(Fault::OrphanEntry(EntryId::of(orphan.id)));
        }
        let count = rest.iter().take_while(|entry| entry.id <= last).count();
        let (own, others) = rest.split_at(count);
        rest = others;
        if i64::try_from(count).unwrap_or(0) != posting.entry_count {
            return Err(Fault::EntriesMissing(PostingId::of(posting.id), posting.entry_count, count));
        }
        let mut hashed = Vec::with_capacity(count);
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for entry in own {
            let account = accounts.get(&entry.account_id);
            let account = account.ok_or_else(|| entry_fault(entry, "there is no such account"))?;
            let sum = sums.entry(&account.currency).or_default();
            *sum = sum.saturating_add(i128::from(entry.amount_minor));
            hashed.push((entry, account));
        }
        if sums.values().any(|sum| *sum != 0) {
            return Err(Fault::Unbalanced(PostingId::of(posting.id)));
        }
        if chain::digest(posting, &hashed) != posting.digest {
            return Err(Fault::Changed(PostingId::of(posting.id)));
        }
        proof.postings = proof.postings.saturating_add(1);
        proof.entries = proof.entries.saturating_add(u64::try_from(count).unwrap_or(0));
    }
    rest.first().map_or(Ok(()), |orphan| Err(Fault::OrphanEntry(EntryId::of(orphan.id))))
}

fn fold_entry(fold: &mut Fold, entry: &EntryRow) -> Result<(), Fault> {
    if entry.previous_entry_id != fold.last_entry {
        return Err(entry_fault(entry, "it does not follow the entry before it"));
    }
    let balance = fold.balance.checked_add(entry.amount_minor);
    if balance != Some(entry.balance_after_minor) {
        return Err(entry_fault(entry, "its balance-after is not the sum of the entries so far"));
    }
    *fold = Fold { balance: entry.balance_after_minor, version: entry.version, last_entry: entry.id };
    Ok(())
}

fn entry_fault(entry: &EntryRow, what: &'static str) -> Fault {
    Fault::Entry { entry: EntryId::of(entry.id), account: AccountId::of(entry.account_id), what }
}

/// Stored balances and pending amounts are caches; here is their proof.
fn balances_match(db: &mut Db, folds: &HashMap<i64, Fold>, proof: &mut Proof) -> Result<(), Stop> {
    let sum = sql::<BigInt>("CAST(SUM(amount_minor - released_minor) AS BIGINT)");
    let by_account = hold::table.filter(hold::state.eq("pending")).group_by(hold::account_id);
    let held: Vec<(i64, i64)> = by_account.select((hold::account_id, sum)).load(db)?;
    let held: HashMap<i64, i64> = held.into_iter().collect();
    let accounts: Vec<AccountRow> = account::table.order(account::id).select(AccountRow::as_select()).load(db)?;
    for row in &accounts {
        let fold = folds.get(&row.id).copied().unwrap_or_default();
        let pending = held.get(&row.id).copied().unwrap_or(0);
        let pairs = [
            ("the balance", row.balance_minor, fold.balance),
            ("the version", row.version, fold.version),
            ("the last entry", row.last_entry_id, fold.last_entry),
            ("the pending amount", row.pending_minor, pending),
        ];
        if let Some((what, stored, actual)) = pairs.into_iter().find(|(_, stored, actual)| stored != actual) {
            return Err(Fault::Account { account: AccountId::of(row.id), what, stored, actual }.into());
        }
    }
    let known: HashMap<i64, ()> = accounts.iter().map(|row| (row.id, ())).collect();
    if let Some(unknown) = folds.keys().chain(held.keys()).find(|id| !known.contains_key(id)) {
        let account = AccountId::of(*unknown);
        return Err(Fault::Account { account, what: "the account", stored: 0, actual: 1 }.into());
    }
    proof.accounts = u64::try_from(accounts.len()).unwrap_or(0);
    proof.holds = u64::try_from(hold::table.count().get_result::<i64>(db)?).unwrap_or(0);
    Ok(())
}

fn chains_hold(db: &mut Db, anchors: &BTreeMap<i64, Anchor>, proof: &mut Proof) -> Result<(), Stop> {
    let mut nodes: Vec<i64> = node::table.select(node::id).order(node::id).load(db)?;
    // A chain is looked at although its node's row is gone.
    let sealed: Vec<i64> = seal::table.select(seal::node).distinct().load(db)?;
    nodes.extend(sealed.iter().chain(anchors.keys()).copied());
    nodes.sort_unstable();
    nodes.dedup();
    for number in nodes {
        let of_node = seal::table.filter(seal::node.eq(number)).order(seal::height);
        let seals: Vec<SealRow> = of_node.select(SealRow::as_select()).load(db)?;
        let (mut height, mut after, mut head) = (0i64, 0i64, Vec::new());
        for row in &seals {
            height = height.saturating_add(1);
            let fault = |what| Fault::Chain { node: number, height: row.height, what };
            if row.height != height {
                return Err(fault("a seal before it is missing").into());
            }
            let postings = chain::postings_of_node(db, number, after, i64::MAX, row.posting_count)?;
            if postings.last().map(|last| last.id) != Some(row.last_posting_id)
                || postings.first().map(|first| first.id) != Some(row.first_posting_id)
            {
                return Err(fault("a posting under this seal was removed or added").into());
            }
            let digests: Vec<Vec<u8>> = postings.into_iter().map(|posting| posting.digest).collect();
            head = chain::next_head(&head, number, height, &digests);
            if head != row.head {
                return Err(fault("the postings under this seal are not those that were sealed").into());
            }
            if anchors.get(&number).is_some_and(|anchor| anchor.height == height && anchor.head != hex::encode(&head)) {
                return Err(fault("the anchor outside the database has another head").into());
            }
            after = row.last_posting_id;
            proof.seals = proof.seals.saturating_add(1);
        }
        if let Some(anchor) = anchors.get(&number).filter(|anchor| anchor.height > height) {
            let what = "the anchor outside the database has this seal, the database has not: its tail was cut";
            return Err(Fault::Chain { node: number, height: anchor.height, what }.into());
        }
        proof.unsealed = proof.unsealed.saturating_add(unsealed(db, number, after)?);
    }
    Ok(())
}

fn unsealed(db: &mut Db, number: i64, after: i64) -> Result<u64, DbError> {
    let ids: Vec<i64> = posting::table.filter(posting::id.gt(after)).select(posting::id).load(db)?;
    let mine = ids.into_iter().filter(|id| i64::from(node_of(*id)) == number).count();
    Ok(u64::try_from(mine).unwrap_or(u64::MAX))
}
