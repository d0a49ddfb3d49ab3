//! What an organisation has asked for once already. An explicit key (`Idempotency-Key`) is kept as long as its effect, refusals included.
//! A business key (the same passengers on the same offer) is held only by what exists.

use crate::db::schema::idempotency_key;
use crate::db::{Db, DbError, WriteTx, rows};
use crate::ids::{Id, OrganisationId};
use chrono::NaiveDateTime;
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
}

impl IdempotencyKey {
    /// As stored. The prefix keeps a client from naming a business key.
    pub fn stored(&self) -> String {
        match self {
            IdempotencyKey::Explicit(text) => format!("k:{text}"),
            IdempotencyKey::Business(text) => format!("b:{text}"),
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
