//! Who did what: one row per state change, in the same commit. References only, no personal data. Beside it the log of requests.

mod request_log;

pub use request_log::{RequestBuffer, RequestFilter, RequestLine, purge_requests, requests, write_requests};

use crate::db::rows;
use crate::db::{DbError, RowSet, WriteTx, insert};
use crate::ids::{AuditEventId, Id, KeyId, OrganisationId, UserId};
use chrono::NaiveDateTime;

rows! {
    pub struct AuditRow in audit_event {
        id: i64,
        organisation_id: i64,
        key_id: i64,
        action: String,
        subject_id: i64,
        request_id: String,
        at: NaiveDateTime,
    }
}

/// Who did something: a key, a person who has signed in, or the platform itself (its jobs). One column keeps it, a person as the negative of the
/// id, so that a row tells by itself which of them it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorId {
    Platform,
    Key(KeyId),
    User(UserId),
}

impl ActorId {
    pub fn of(stored: i64) -> Self {
        match stored {
            0 => ActorId::Platform,
            1.. => ActorId::Key(KeyId::of(stored)),
            _ => ActorId::User(UserId::of(stored.saturating_neg())),
        }
    }

    pub fn stored(self) -> i64 {
        match self {
            ActorId::Platform => 0,
            ActorId::Key(key) => key.raw(),
            ActorId::User(user) => user.raw().saturating_neg(),
        }
    }

    pub fn key(self) -> Option<KeyId> {
        match self {
            ActorId::Key(key) => Some(key),
            ActorId::Platform | ActorId::User(_) => None,
        }
    }

    pub fn user(self) -> Option<UserId> {
        match self {
            ActorId::User(user) => Some(user),
            ActorId::Platform | ActorId::Key(_) => None,
        }
    }

    /// Whether it was there before something with this id. Ids grow with time.
    pub fn is_older_than(self, id: i64) -> bool {
        match self {
            ActorId::Platform => false,
            ActorId::Key(key) => key.raw() < id,
            ActorId::User(user) => user.raw() < id,
        }
    }
}

/// Who causes a change: an organisation through a key or a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    pub organisation: OrganisationId,
    pub by: ActorId,
    /// The person behind it: who has signed in, or who made the key.
    pub person: Option<UserId>,
}

impl Actor {
    pub fn platform() -> Self {
        Actor { organisation: OrganisationId::of(0), by: ActorId::Platform, person: None }
    }

    /// A key that no person made.
    pub fn key(organisation: OrganisationId, key: KeyId) -> Self {
        Actor { organisation, by: ActorId::Key(key), person: None }
    }
}

/// The caller behind a change: the actor and the request that it came with.
#[derive(Clone, Debug)]
pub struct Cause {
    pub actor: Actor,
    pub request_id: String,
}

impl AuditRow {
    pub fn new(tx: &WriteTx, cause: &Cause, action: &str, subject: i64) -> Self {
        AuditRow {
            id: tx.ids.next::<AuditEventId>().raw(),
            organisation_id: cause.actor.organisation.raw(),
            key_id: cause.actor.by.stored(),
            action: action.to_owned(),
            subject_id: subject,
            request_id: cause.request_id.clone(),
            at: tx.now.naive(),
        }
    }
}

/// Records one change.
pub fn record(tx: &mut WriteTx, cause: &Cause, action: &str, subject: impl Id) -> Result<(), DbError> {
    let row = AuditRow::new(tx, cause, action, subject.raw());
    insert(tx, &[RowSet::of(&[row])])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_tells_a_key_from_a_person() {
        for by in [ActorId::Platform, ActorId::Key(KeyId::of(7)), ActorId::User(UserId::of(7))] {
            assert_eq!(ActorId::of(by.stored()), by);
        }
        let (key, user) = (ActorId::Key(KeyId::of(7)), ActorId::User(UserId::of(7)));
        assert_ne!(key.stored(), user.stored());
        assert!(key.is_older_than(8) && user.is_older_than(8) && !user.is_older_than(7) && !ActorId::Platform.is_older_than(8));
        assert_eq!((key.user(), user.key(), user.user()), (None, None, Some(UserId::of(7))));
    }
}
