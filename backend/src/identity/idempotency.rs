//! What an organisation has asked for once already. An explicit key (`Idempotency-Key`) is kept as long as its effect, refusals included.
//! A business key (the same passengers on the same offer) is held only by what exists.

use crate::db::schema::idempotency_key;
use crate::db::{Db, DbError, rows};
use crate::ids::{Id, OrganisationId};
use chrono::NaiveDateTime;
use diesel::prelude::*;

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

    /// The first field in which a stored body differs from this one; `None`: they are the same.
    pub fn first_difference(&self, stored: &str) -> Option<String> {
        let earlier: Vec<(&str, &str)> = stored.split(';').filter_map(|part| part.split_once('=')).collect();
        let changed = self.0.iter().find(|(name, digest)| !earlier.contains(&(name.as_str(), digest.as_str())));
        let dropped = || earlier.iter().find(|(name, _)| !self.0.iter().any(|(own, _)| own == name));
        changed.map(|(name, _)| name.clone()).or_else(|| dropped().map(|(name, _)| (*name).to_owned()))
    }
}

/// The rows of these keys, whoever's they are; the caller matches organisation and key.
pub fn claims(db: &mut Db, organisations: &[OrganisationId], keys: &[String]) -> Result<Vec<ClaimRow>, DbError> {
    let raw: Vec<i64> = organisations.iter().map(|id| id.raw()).collect();
    let rows = idempotency_key::table
        .filter(idempotency_key::organisation_id.eq_any(raw))
        .filter(idempotency_key::key.eq_any(keys.to_vec()));
    Ok(rows.select(ClaimRow::as_select()).load(db)?)
}

pub fn claim(db: &mut Db, id: i64) -> Result<Option<ClaimRow>, DbError> {
    Ok(idempotency_key::table.find(id).select(ClaimRow::as_select()).first(db).optional()?)
}

#[cfg(test)]
mod tests {
    use super::Fields;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::of(pairs.iter().map(|(name, value)| (*name, value.as_bytes())), hex::encode)
    }

    #[test]
    fn a_conflict_names_the_field_that_differs() {
        let first = fields(&[("type", "instant"), ("passengers", "a")]).stored();
        assert_eq!(fields(&[("passengers", "a"), ("type", "instant")]).first_difference(&first), None);
        assert_eq!(fields(&[("passengers", "b"), ("type", "instant")]).first_difference(&first).as_deref(), Some("passengers"));
        assert_eq!(fields(&[("type", "instant")]).first_difference(&first).as_deref(), Some("passengers"));
        assert_eq!(
            fields(&[("metadata", "x"), ("passengers", "a"), ("type", "instant")]).first_difference(&first).as_deref(),
            Some("metadata")
        );
    }
}
