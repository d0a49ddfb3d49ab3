//! What makes a changed or removed row visible. Every posting carries the SHA-256 of its canonical bytes, entries included; off the
//! hot path the digests are chained and sealed in batches: head(n) = SHA-256(version, head(n-1), node, height, digests).
//! There is one chain per node, because only within a node do ids grow in commit order.

use super::repo::{AccountRow, EntryRow, PostingRow, SealRow};
use crate::clock::Timestamp;
use crate::db::schema::{node, seal};
use crate::db::{Db, DbError, RowSet, WriteTx, insert};
use crate::ids::{first_at, node_of};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use diesel::{QueryableByName, sql_query};
use sha2::{Digest, Sha256};

/// Bytes are length-prefixed, so that no two postings have the same canonical form; the version says which form.
const VERSION: &[u8] = b"airsettle-posting-1";
const SEAL_VERSION: &[u8] = b"airsettle-seal-1";
/// Postings in one seal at most: bounds the memory and the time of a seal.
pub(super) const BATCH: i64 = 5_000;

/// A sealed stretch of one node's postings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub node: i64,
    pub height: i64,
    pub count: i64,
    pub head: Vec<u8>,
    pub sealed_at: Timestamp,
}

fn put(hash: &mut Sha256, bytes: &[u8]) {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    hash.update(length.to_be_bytes());
    hash.update(bytes);
}

/// The digest of a posting and its entries in id order, each with the identity of its account: whose account it is must not change either.
pub(super) fn digest(posting: &PostingRow, entries: &[(&EntryRow, &AccountRow)]) -> Vec<u8> {
    let mut hash = Sha256::new();
    put(&mut hash, VERSION);
    for number in [posting.id, posting.reference_id, posting.actor_organisation_id, posting.actor_key_id, posting.entry_count] {
        put(&mut hash, &number.to_be_bytes());
    }
    put(&mut hash, &posting.contract_id.unwrap_or(0).to_be_bytes());
    put(&mut hash, posting.event.as_bytes());
    put(&mut hash, posting.ledger_date.to_string().as_bytes());
    put(&mut hash, Timestamp::from(posting.booked_at).to_string().as_bytes());
    for (entry, account) in entries {
        put(&mut hash, account.code.as_bytes());
        put(&mut hash, &account.owner_id.to_be_bytes());
        put(&mut hash, account.detail.as_bytes());
        put(&mut hash, account.currency.as_bytes());
        put(&mut hash, &account.stripe.to_be_bytes());
        let EntryRow { id, posting_id, account_id, amount_minor, balance_after_minor, version, previous_entry_id, cycle } =
            *entry;
        for number in [id, posting_id, account_id, amount_minor, balance_after_minor, version, previous_entry_id] {
            put(&mut hash, &number.to_be_bytes());
        }
        put(&mut hash, cycle.as_deref().unwrap_or("").as_bytes());
    }
    hash.finalize().to_vec()
}

pub(super) fn next_head(previous: &[u8], node: i64, height: i64, digests: &[Vec<u8>]) -> Vec<u8> {
    let mut hash = Sha256::new();
    put(&mut hash, SEAL_VERSION);
    put(&mut hash, previous);
    put(&mut hash, &node.to_be_bytes());
    put(&mut hash, &height.to_be_bytes());
    for digest in digests {
        put(&mut hash, digest);
    }
    hash.finalize().to_vec()
}

#[derive(QueryableByName)]
pub(super) struct Unsealed {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = Binary)]
    pub(super) digest: Vec<u8>,
}

/// The node's postings after `after` and below `before`, oldest first; the number of the node is a part of the id.
pub(super) fn postings_of_node(db: &mut Db, node: i64, after: i64, before: i64, limit: i64) -> Result<Vec<Unsealed>, DbError> {
    let text = "SELECT id, digest FROM posting WHERE id > $1 AND id < $2 AND ((id >> 12) & 1023) = $3 ORDER BY id LIMIT $4";
    let query = sql_query(text).bind::<BigInt, _>(after).bind::<BigInt, _>(before);
    Ok(query.bind::<BigInt, _>(node).bind::<BigInt, _>(limit).load(db)?)
}

pub(super) fn last_seal(db: &mut Db, node: i64) -> Result<Option<SealRow>, DbError> {
    let of_node = seal::table.filter(seal::node.eq(node)).order(seal::height.desc());
    Ok(of_node.select(SealRow::as_select()).first(db).optional()?)
}

/// By node, the last posting that is sealed: up to there the order of the node's postings is final.
pub fn sealed_until(db: &mut Db) -> Result<Vec<(i64, i64)>, DbError> {
    let nodes: Vec<i64> = node::table.order(node::id).select(node::id).load(db)?;
    let mut sealed = Vec::with_capacity(nodes.len());
    for number in nodes {
        if let Some(seal) = last_seal(db, number)? {
            sealed.push((number, seal.last_posting_id));
        }
    }
    Ok(sealed)
}

/// Whether there is anything to seal: cheap enough to ask every second, because a node has no ids beyond its high-water mark.
pub fn has_unsealed(db: &mut Db) -> Result<bool, DbError> {
    let nodes: Vec<(i64, i64)> = node::table.select((node::id, node::high_water)).load(db)?;
    for (number, high_water) in nodes {
        let after = last_seal(db, number)?.map_or(0, |seal| seal.last_posting_id);
        if !postings_of_node(db, number, after, first_at(number, high_water), 1)?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Seals what is not sealed yet of this node and of nodes that have stopped, at most one batch per node and call; answers the new seals, so that
/// they can be anchored. A node that is running seals itself.
pub fn seal_pending(tx: &mut WriteTx) -> Result<Vec<Seal>, DbError> {
    let own = i64::from(node_of(tx.ids.block(1)));
    // Leases run on real time, also where the clock is a test's.
    let stopped = node::leased_until.lt(chrono::Utc::now().naive_utc());
    let nodes: Vec<(i64, i64)> = node::table
        .filter(node::id.eq(own).or(stopped))
        .order(node::id)
        .select((node::id, node::high_water))
        .load(&mut *tx.db)?;
    let mut seals = Vec::new();
    for (number, high_water) in nodes {
        let last = last_seal(tx.db, number)?;
        let (after, height, previous) = last.map_or((0, 0, Vec::new()), |seal| (seal.last_posting_id, seal.height, seal.head));
        let postings = postings_of_node(tx.db, number, after, first_at(number, high_water), BATCH)?;
        let (Some(first), Some(last)) = (postings.first(), postings.last()) else { continue };
        let (first_posting_id, last_posting_id) = (first.id, last.id);
        let digests: Vec<Vec<u8>> = postings.into_iter().map(|posting| posting.digest).collect();
        let height = height.saturating_add(1);
        let row = SealRow {
            node: number,
            height,
            first_posting_id,
            last_posting_id,
            posting_count: i64::try_from(digests.len()).unwrap_or(i64::MAX),
            head: next_head(&previous, number, height, &digests),
            sealed_at: tx.now.naive(),
        };
        insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
        seals.push(Seal::from(row));
    }
    Ok(seals)
}

/// Every seal, chain by chain.
pub fn seals(db: &mut Db) -> Result<Vec<Seal>, DbError> {
    let all = seal::table.order((seal::node, seal::height));
    let rows: Vec<SealRow> = all.select(SealRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(Seal::from).collect())
}

impl From<SealRow> for Seal {
    fn from(row: SealRow) -> Self {
        let sealed_at = Timestamp::from(row.sealed_at);
        Seal { node: row.node, height: row.height, count: row.posting_count, head: row.head, sealed_at }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn posting() -> (PostingRow, EntryRow, AccountRow) {
        let date = NaiveDate::from_ymd_opt(2026, 11, 1).unwrap();
        let posting = PostingRow {
            id: 10,
            event: "ticket_sale".into(),
            reference_id: 5,
            ledger_date: date,
            booked_at: date.and_hms_opt(1, 2, 3).unwrap(),
            contract_id: None,
            actor_organisation_id: 1,
            actor_key_id: 2,
            entry_count: 1,
            digest: Vec::new(),
        };
        let entry = EntryRow {
            id: 11,
            posting_id: 10,
            account_id: 3,
            amount_minor: 100_000,
            balance_after_minor: 100_000,
            version: 1,
            previous_entry_id: 0,
            cycle: Some("2026-11-H1".into()),
        };
        let account = AccountRow {
            id: 3,
            code: "agency.receivable".into(),
            owner_id: 4,
            detail: String::new(),
            currency: "CNY".into(),
            stripe: 0,
            balance_minor: 0,
            pending_minor: 0,
            version: 0,
            last_entry_id: 0,
        };
        (posting, entry, account)
    }

    type Tamper = dyn Fn(&mut PostingRow, &mut EntryRow, &mut AccountRow);

    #[test]
    fn every_field_of_a_posting_counts_in_its_digest() {
        let original = posting();
        let digest_of = |change: &Tamper| {
            let (mut posting, mut entry, mut account) = original.clone();
            change(&mut posting, &mut entry, &mut account);
            digest(&posting, &[(&entry, &account)])
        };
        let unchanged = digest_of(&|_, _, _| {});
        assert_eq!(digest_of(&|_, _, account| account.balance_minor = 1), unchanged, "a balance is proved by folding");
        let changes: [&Tamper; 15] = [
            &|p, _, _| p.event = "ticket_void".into(),
            &|p, _, _| p.reference_id = 6,
            &|p, _, _| p.ledger_date = p.ledger_date.succ_opt().unwrap(),
            &|p, _, _| p.booked_at = p.ledger_date.and_hms_opt(1, 2, 4).unwrap(),
            &|p, _, _| p.contract_id = Some(1),
            &|p, _, _| p.actor_key_id = 3,
            &|_, e, _| e.amount_minor = 100_001,
            &|_, e, _| e.account_id = 4,
            &|_, e, _| e.balance_after_minor = 1,
            &|_, e, _| e.version = 2,
            &|_, e, _| e.previous_entry_id = 1,
            &|_, e, _| e.cycle = None,
            &|_, _, a| a.owner_id = 5,
            &|_, _, a| a.code = "agency.wallet".into(),
            &|_, _, a| a.currency = "USD".into(),
        ];
        for (index, change) in changes.iter().enumerate() {
            assert_ne!(digest_of(change), unchanged, "change {index}");
        }
    }

    #[test]
    fn a_head_depends_on_everything_before_it() {
        let first = next_head(&[], 0, 1, &[vec![1], vec![2]]);
        assert_ne!(first, next_head(&[], 0, 1, &[vec![2], vec![1]]));
        assert_ne!(first, next_head(&[], 0, 1, &[vec![1, 2]]));
        assert_ne!(next_head(&first, 0, 2, &[vec![3]]), next_head(&[], 0, 2, &[vec![3]]));
    }
}
