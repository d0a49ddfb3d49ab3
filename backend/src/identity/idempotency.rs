//! What an organisation has asked for once already. An explicit key (`Idempotency-Key`) is kept as long as its effect, refusals included.
//! A business key (the same passengers on the same offer) is held only by what exists.

use crate::db::schema::idempotency_key;
use crate::db::{Db, DbError, WriteTx, is_free, rows};
use crate::ids::{Id, OrganisationId, given_out_at};
use chrono::{NaiveDateTime, Utc};
use diesel::prelude::*;
use std::collections::BTreeMap;

rows! {
    pub struct ClaimRow in idempotency_key {
        id: i64,
        organisation_id: i64,
        key: String,
        fields: String,
        resource_id: Option<i64>,
        status: Option<i64>,
        outcome: Option<String>,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum IdempotencyKey {
    Explicit(String),
    Business(String),
    /// Of a write that came without: nobody can name it again, but what became of it can be looked up.
    Own(i64),
}

impl IdempotencyKey {
    /// As stored. The prefix keeps a client from naming a business key.
    pub fn stored(&self) -> String {
        match self {
            IdempotencyKey::Explicit(text) => format!("k:{text}"),
            IdempotencyKey::Business(text) => format!("b:{text}"),
            IdempotencyKey::Own(claim) => format!("o:{claim}"),
        }
    }

    pub fn is_explicit(&self) -> bool {
        matches!(self, IdempotencyKey::Explicit(_))
    }
}

/// A digest per top-level field of a request body, so that a conflict can say which field differs without keeping the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// `digest` is keyed by the caller: bodies contain personal data, and a bare hash of a birth date can be guessed.
    pub fn of<'a>(fields: impl IntoIterator<Item = (&'a str, &'a [u8])>, digest: impl Fn(&[u8]) -> String) -> Self {
        let mut digests: Vec<(String, String)> =
            fields.into_iter().map(|(name, bytes)| (name.to_owned(), digest(bytes))).collect();
        digests.sort();
        Fields(digests)
    }

    pub fn stored(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|(name, digest)| format!("{name}={digest}")).collect();
        parts.join(";")
    }
}

/// The first field in which two stored bodies differ; `None`: they are the same.
pub fn first_difference(earlier: &str, now: &str) -> Option<String> {
    let parts = |stored: &str| -> BTreeMap<String, String> {
        let pairs = stored.split(';').filter_map(|part| part.split_once('='));
        pairs.map(|(name, digest)| (name.to_owned(), digest.to_owned())).collect()
    };
    let (earlier, now) = (parts(earlier), parts(now));
    let changed = now.iter().find(|(name, digest)| earlier.get(*name) != Some(*digest)).map(|(name, _)| name);
    changed.or_else(|| earlier.keys().find(|name| !now.contains_key(*name))).cloned()
}

/// The rows of these keys, whoever's they are; the caller matches organisation and key.
pub fn claims(db: &mut Db, organisations: &[OrganisationId], keys: &[String]) -> Result<Vec<ClaimRow>, DbError> {
    let raw: Vec<i64> = organisations.iter().map(|id| id.raw()).collect();
    let rows = idempotency_key::table
        .filter(idempotency_key::organisation_id.eq_any(raw))
        .filter(idempotency_key::key.eq_any(keys.to_vec()));
    Ok(rows.select(ClaimRow::as_select()).load(db)?)
}

/// Keeps the answer that every repetition of a key gets.
pub fn keep_answer(tx: &mut WriteTx, id: i64, status: i64, outcome: &str) -> Result<(), DbError> {
    let row = idempotency_key::table.find(id);
    diesel::update(row)
        .set((idempotency_key::status.eq(Some(status)), idempotency_key::outcome.eq(Some(outcome))))
        .execute(&mut *tx.db)?;
    Ok(())
}

pub fn claim(db: &mut Db, id: i64) -> Result<Option<ClaimRow>, DbError> {
    Ok(idempotency_key::table.find(id).select(ClaimRow::as_select()).first(db).optional()?)
}

/// A claim is taken so soon after its id was given out, or never: what was held up longer on its way to the database is not done any more.
const TAKEN_WITHIN_MILLIS: i64 = 40_000;
/// Longer, by more than a transaction may stand idle between its beginning and its first statement.
const SETTLED_AFTER_MILLIS: i64 = 60_000;

fn age_millis(claim: i64) -> i64 {
    Utc::now().timestamp_millis() - given_out_at(claim)
}

/// Whether a claim may still be taken. To be asked inside the transaction that takes it.
pub fn may_be_taken(claim: i64) -> bool {
    age_millis(claim) < TAKEN_WITHIN_MILLIS
}

/// What is known about a claim after its answer was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    Committed(ClaimRow),
    /// It may still happen.
    Open,
    /// It did not happen and never will.
    Nothing,
}

/// Looks what became of a claim of an organisation, on whichever node its transaction ran. Another organisation's is as if it were not there.
pub fn fate(db: &mut Db, id: i64, organisation: i64) -> Result<Fate, DbError> {
    match claim(db, id)? {
        Some(row) if row.organisation_id == organisation => return Ok(Fate::Committed(row)),
        _ if age_millis(id) < SETTLED_AFTER_MILLIS => return Ok(Fate::Open),
        Some(_) => return Ok(Fate::Nothing),
        None => {}
    }
    match fate_of_taken(db, id)? {
        Fate::Committed(row) if row.organisation_id != organisation => Ok(Fate::Nothing),
        fate => Ok(fate),
    }
}

/// The same for a claim that is known to have been taken: its transaction is waited for, so young as it is.
pub fn fate_of_taken(db: &mut Db, id: i64) -> Result<Fate, DbError> {
    let probe = ClaimRow {
        id,
        organisation_id: 0,
        key: IdempotencyKey::Own(id).stored(),
        fields: String::new(),
        resource_id: None,
        status: None,
        outcome: None,
        created_at: Utc::now().naive_utc(),
    };
    match is_free(db, &probe) {
        Ok(true) => Ok(Fate::Nothing),
        Ok(false) => Ok(claim(db, id)?.map_or(Fate::Open, Fate::Committed)),
        Err(error) if error.is_passing() => Ok(Fate::Open),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, first_difference};

    fn stored(pairs: &[(&str, &str)]) -> String {
        Fields::of(pairs.iter().map(|(name, value)| (*name, value.as_bytes())), |bytes| hex::encode(bytes)).stored()
    }

    #[test]
    fn a_conflict_names_the_field_that_differs() {
        let first = stored(&[("type", "instant"), ("passengers", "a")]);
        let difference = |pairs: &[(&str, &str)]| first_difference(&first, &stored(pairs));
        assert_eq!(difference(&[("passengers", "a"), ("type", "instant")]), None);
        assert_eq!(difference(&[("passengers", "b"), ("type", "instant")]).as_deref(), Some("passengers"));
        assert_eq!(difference(&[("type", "instant")]).as_deref(), Some("passengers"));
        let added = [("metadata", "x"), ("passengers", "a"), ("type", "instant")];
        assert_eq!(difference(&added).as_deref(), Some("metadata"));
    }
}
