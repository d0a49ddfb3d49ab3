//! An account's entries, newest first, read along `previous_entry_id` by primary key: there is no index on (account, entry), because it would
//! cost every sale more than it would save here.

use super::repo::{EntryRow, PostingRow};
use crate::db::schema::{entry, posting};
use crate::db::{Db, DbError};
use crate::ids::{AccountId, Id};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, sql_query};

#[derive(Clone, Debug)]
pub struct StatementLine {
    pub entry: EntryRow,
    pub posting: PostingRow,
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Up to `limit` lines from the entry `from` (an account's last, or the previous one of the last line shown) backwards.
pub fn statement(db: &mut Db, account: AccountId, from: i64, limit: i64) -> Result<Vec<StatementLine>, DbError> {
    let text = "WITH RECURSIVE walk(id, previous, step) AS (
            SELECT id, previous_entry_id, 1 FROM entry WHERE id = $1 AND account_id = $2
            UNION ALL
            SELECT e.id, e.previous_entry_id, walk.step + 1 FROM walk JOIN entry e ON e.id = walk.previous WHERE walk.step < $3
        ) SELECT id FROM walk";
    let steps: Vec<Step> =
        sql_query(text).bind::<BigInt, _>(from).bind::<BigInt, _>(account.raw()).bind::<BigInt, _>(limit).load(db)?;
    let ids: Vec<i64> = steps.iter().map(|step| step.id).collect();
    let entries: Vec<EntryRow> =
        entry::table.filter(entry::id.eq_any(ids)).order(entry::id.desc()).select(EntryRow::as_select()).load(db)?;
    let ids: Vec<i64> = entries.iter().map(|entry| entry.posting_id).collect();
    let postings: Vec<PostingRow> = posting::table.filter(posting::id.eq_any(ids)).select(PostingRow::as_select()).load(db)?;
    entries
        .into_iter()
        .map(|entry| {
            let posting = postings.iter().find(|posting| posting.id == entry.posting_id).cloned();
            let posting = posting.ok_or_else(|| DbError::Corrupt(format!("entry {} has no posting", entry.id)))?;
            Ok(StatementLine { entry, posting })
        })
        .collect()
}
