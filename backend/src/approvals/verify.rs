//! The proof of approvals: what was done is what was asked for, and two keys agreed on it.

use super::approval::{ApprovalRow, digest};
use crate::audit::ActorId;
use crate::db::schema::approval as table;
use crate::db::{Db, DbError};
use crate::ids::{ApprovalId, Id};
use diesel::prelude::*;

/// How many rules [`first_wrong_approval`] proves.
pub const APPROVAL_RULES: usize = 2;

const DIGEST: &str = "an approval's digest is that of what was asked for";
const TWO: &str = "what was approved was approved in time by another key or person than the one that asked";

/// Rows at a time.
const PAGE: i64 = 1_000;

/// The first row that breaks a rule, with the rule.
pub fn first_wrong_approval(db: &mut Db) -> Result<Option<(&'static str, String)>, DbError> {
    let mut last = 0;
    loop {
        let next = table::table.filter(table::id.gt(last)).order(table::id).limit(PAGE);
        let rows: Vec<ApprovalRow> = next.select(ApprovalRow::as_select()).load(db)?;
        let Some(end) = rows.last() else { return Ok(None) };
        last = end.id;
        for row in rows {
            let wrong = |rule| Ok(Some((rule, ApprovalId::of(row.id).to_string())));
            if digest(&row.kind, &row.subject, &row.payload, &row.basis) != row.digest {
                return wrong(DIGEST);
            }
            let same_person = row.user_id.is_some() && row.user_id == row.decided_user_id;
            let another = |by: i64| by != row.key_id && ActorId::of(by).is_older_than(row.id);
            let by_another = row.decided_key_id.is_some_and(another) && !same_person;
            let in_time = row.decided_at.is_some_and(|at| at < row.expires_at);
            if row.status == "approved" && !(by_another && in_time) {
                return wrong(TWO);
            }
        }
    }
}
