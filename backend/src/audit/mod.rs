//! Who did what: one row per state change, in the same commit. References only, no personal data. Beside it the log of requests.

mod request_log;

pub use request_log::{RequestBuffer, RequestFilter, RequestLine, purge_requests, requests, write_requests};

use crate::db::rows;
use crate::db::{DbError, RowSet, WriteTx, insert};
use crate::ids::{AuditEventId, Id, KeyId, OrganisationId};
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

/// Who causes a change: an organisation through one of its keys. Zero for both is the platform itself (its jobs).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    pub organisation: OrganisationId,
    pub key: KeyId,
}

impl Actor {
    pub fn platform() -> Self {
        Actor { organisation: OrganisationId::of(0), key: KeyId::of(0) }
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
            key_id: cause.actor.key.raw(),
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
