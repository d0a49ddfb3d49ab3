use super::approval::{Approval, ApprovalRow, ApprovalStatus, ChangeKind, approval, digest};
use crate::audit::{self, Actor, ActorId, Cause};
use crate::clock::Timestamp;
use crate::db::schema::approval as table;
use crate::db::{DbError, RowSet, WriteTx, insert, lock_word};
use crate::ids::{ApprovalId, Id};
use crate::notify::{EventType, NewEvent, emit};
use chrono::Duration;
use diesel::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How long a request waits for its decision.
const VALID: Duration = Duration::hours(72);

/// A change that two people have to agree on. What serde writes of it is what they agree on, so it says everything that will be done, in the terms in
/// which it is shown: ids as outside, amounts as decimal strings.
pub trait Proposal: Serialize + DeserializeOwned {
    const KIND: ChangeKind;
    type Error;

    /// The object that it changes, as it is named outside. One request per kind and object waits at a time.
    fn subject(&self) -> String;

    /// Validates everything, under the locks that `carry_out` needs, and answers the state of the object that the change is to be made to: whatever
    /// makes it another decision when it changes meanwhile.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, Self::Error>;

    /// Does it, and answers the id of what it made or changed. `basis` was called before in this commit.
    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, Self::Error>;
}

#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    #[error("no such approval")]
    NotFound,
    #[error("only a key or a person asks for what two people have to agree on")]
    Unattended,
    #[error("the same person or key has asked for it, or was made after it was asked for")]
    SelfApproval,
    #[error("the request is {}", .0.text())]
    Decided(ApprovalStatus),
    #[error("nobody decided by {0}: ask again")]
    Expired(Timestamp),
    #[error("{subject} has changed since it was asked for: ask again")]
    Stale { subject: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What became of asking.
#[derive(Clone, Debug)]
pub enum Requested {
    New(Approval),
    /// The same change waits already.
    Waiting(Approval),
}

impl Requested {
    pub fn approval(&self) -> &Approval {
        match self {
            Requested::New(approval) | Requested::Waiting(approval) => approval,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Approve,
    Reject,
    Supersede,
}

impl ApprovalStatus {
    /// The state that a step leads to; decided is decided.
    fn on(self, step: Step) -> Result<ApprovalStatus, ApprovalStatus> {
        match (self, step) {
            (ApprovalStatus::Pending, Step::Approve) => Ok(ApprovalStatus::Approved),
            (ApprovalStatus::Pending, Step::Reject) => Ok(ApprovalStatus::Rejected),
            (ApprovalStatus::Pending | ApprovalStatus::Expired, Step::Supersede) => Ok(ApprovalStatus::Superseded),
            (decided, _) => Err(decided),
        }
    }
}

/// Asks for a change. Whoever asks may do so; whether it may be done is decided when somebody else agrees.
pub fn submit<P, E>(tx: &mut WriteTx, cause: &Cause, proposal: &P, reason: &str) -> Result<Requested, E>
where
    P: Proposal,
    E: From<ApprovalError> + From<P::Error>,
{
    if cause.actor.by == ActorId::Platform {
        return Err(ApprovalError::Unattended.into());
    }
    let subject = proposal.subject();
    lock(tx, P::KIND, &subject).map_err(ApprovalError::from)?;
    let basis = proposal.basis(tx)?;
    Ok(record(tx, cause, (P::KIND, subject, canonical(proposal)?, basis), reason).map_err(ApprovalError::from)?)
}

fn record(
    tx: &mut WriteTx,
    cause: &Cause,
    (kind, subject, payload, basis): (ChangeKind, String, String, String),
    reason: &str,
) -> Result<Requested, DbError> {
    let digest = digest(kind.text(), &subject, &payload, &basis);
    let waiting = table::table
        .filter(table::kind.eq(kind.text()))
        .filter(table::subject.eq(&subject))
        .filter(table::status.eq(ApprovalStatus::Pending.text()));
    let waiting: Option<ApprovalRow> = waiting.select(ApprovalRow::as_select()).first(&mut *tx.db).optional()?;
    if let Some(before) = waiting.map(Approval::try_from).transpose()? {
        if before.digest == digest && before.status_at(tx.now) == ApprovalStatus::Pending {
            return Ok(Requested::Waiting(before));
        }
        if let Ok(status) = before.status_at(tx.now).on(Step::Supersede) {
            conclude(tx, cause, before, status, (None, None))?;
        }
    }
    let row = ApprovalRow {
        id: tx.ids.next::<ApprovalId>().raw(),
        kind: kind.text().to_owned(),
        subject,
        payload,
        basis,
        digest,
        reason: reason.to_owned(),
        organisation_id: cause.actor.organisation.raw(),
        key_id: cause.actor.by.stored(),
        submitted_at: tx.now.naive(),
        expires_at: tx.now.plus(VALID).naive(),
        status: ApprovalStatus::Pending.text().to_owned(),
        decided_key_id: None,
        decided_at: None,
        note: None,
        result: None,
        user_id: cause.actor.person.map(Id::raw),
        decided_user_id: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let made = Approval::try_from(row)?;
    audit::record(tx, cause, "approval.request", made.id)?;
    emit(tx, NewEvent::new(EventType::ApprovalRequested, made.id).caused_by(&cause.request_id))?;
    Ok(Requested::New(made))
}

/// Agrees to a change and does it, both or neither.
pub fn approve<P, E>(tx: &mut WriteTx, cause: &Cause, id: ApprovalId) -> Result<Approval, E>
where
    P: Proposal,
    E: From<ApprovalError> + From<P::Error>,
{
    let waiting = locked(tx, id)?;
    let status = decidable(tx, &waiting, Step::Approve)?;
    if waiting.kind != P::KIND {
        return Err(corrupt(id).into());
    }
    if !is_another(&cause.actor, &waiting) {
        return Err(ApprovalError::SelfApproval.into());
    }
    let proposal: P = serde_json::from_str(&waiting.payload).map_err(|_| corrupt(id))?;
    let basis = proposal.basis(tx)?;
    if digest(P::KIND.text(), &proposal.subject(), &canonical(&proposal)?, &basis) != waiting.digest {
        return Err(ApprovalError::Stale { subject: waiting.subject }.into());
    }
    let result = proposal.carry_out(tx, cause, id)?;
    Ok(conclude(tx, cause, waiting, status, (None, Some(result))).map_err(ApprovalError::from)?)
}

/// Says no. Whoever asked may take it back in the same way.
pub fn reject(tx: &mut WriteTx, cause: &Cause, id: ApprovalId, note: &str) -> Result<Approval, ApprovalError> {
    let waiting = locked(tx, id)?;
    let status = decidable(tx, &waiting, Step::Reject)?;
    Ok(conclude(tx, cause, waiting, status, (Some(note.to_owned()), None))?)
}

/// Neither who asked nor the same person through something else. A key or a user that was made after the request could have been made by whoever
/// asked.
fn is_another(actor: &Actor, waiting: &Approval) -> bool {
    let same_person = actor.person.is_some() && actor.person == waiting.person;
    actor.by != waiting.requested_by && !same_person && actor.by.is_older_than(waiting.id.raw())
}

fn decidable(tx: &WriteTx, waiting: &Approval, step: Step) -> Result<ApprovalStatus, ApprovalError> {
    waiting.status_at(tx.now).on(step).map_err(|status| match status {
        ApprovalStatus::Expired => ApprovalError::Expired(waiting.expires_at),
        decided => ApprovalError::Decided(decided),
    })
}

fn conclude(
    tx: &mut WriteTx,
    cause: &Cause,
    waiting: Approval,
    status: ApprovalStatus,
    (note, result): (Option<String>, Option<String>),
) -> Result<Approval, DbError> {
    let (action, event) = match status {
        ApprovalStatus::Approved => ("approval.approve", EventType::ApprovalApproved),
        ApprovalStatus::Superseded => ("approval.supersede", EventType::ApprovalSuperseded),
        ApprovalStatus::Pending | ApprovalStatus::Rejected | ApprovalStatus::Expired => {
            ("approval.reject", EventType::ApprovalRejected)
        }
    };
    let changed = (
        table::status.eq(status.text()),
        table::decided_key_id.eq(Some(cause.actor.by.stored())),
        table::decided_user_id.eq(cause.actor.person.map(Id::raw)),
        table::decided_at.eq(Some(tx.now.naive())),
        table::note.eq(note.clone()),
        table::result.eq(result.clone()),
    );
    diesel::update(table::table.find(waiting.id.raw())).set(changed).execute(&mut *tx.db)?;
    audit::record(tx, cause, action, waiting.id)?;
    emit(tx, NewEvent::new(event, waiting.id).caused_by(&cause.request_id))?;
    let (decided_by, decided_at) = (Some(cause.actor.by), Some(tx.now));
    Ok(Approval { decided: status, decided_by, decided_at, note, result, ..waiting })
}

/// Locked by its kind and object, and read after that.
fn locked(tx: &mut WriteTx, id: ApprovalId) -> Result<Approval, ApprovalError> {
    let known = approval(tx.db, id)?.ok_or(ApprovalError::NotFound)?;
    lock(tx, known.kind, &known.subject)?;
    approval(tx.db, id)?.ok_or(ApprovalError::NotFound)
}

fn lock(tx: &mut WriteTx, kind: ChangeKind, subject: &str) -> Result<(), DbError> {
    lock_word(tx, &format!("approval {} {subject}", kind.text()))
}

fn canonical<P: Proposal>(proposal: &P) -> Result<String, ApprovalError> {
    let text = serde_json::to_string(proposal);
    Ok(text.map_err(|error| DbError::Corrupt(format!("a change that cannot be written: {error}")))?)
}

fn corrupt(id: ApprovalId) -> ApprovalError {
    DbError::Corrupt(format!("payload of approval {id}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_stays_decided() {
        use ApprovalStatus::{Approved, Expired, Pending, Rejected, Superseded};
        for (from, step, to) in [
            (Pending, Step::Approve, Ok(Approved)),
            (Pending, Step::Reject, Ok(Rejected)),
            (Pending, Step::Supersede, Ok(Superseded)),
            (Expired, Step::Approve, Err(Expired)),
            (Expired, Step::Reject, Err(Expired)),
            (Expired, Step::Supersede, Ok(Superseded)),
        ] {
            assert_eq!(from.on(step), to);
        }
        for decided in [Approved, Rejected, Superseded] {
            for step in [Step::Approve, Step::Reject, Step::Supersede] {
                assert_eq!(decided.on(step), Err(decided));
            }
        }
    }

    #[test]
    fn no_two_changes_have_the_same_digest() {
        let one = digest("unfreeze", "agy_1", "{}", "");
        assert_eq!(one, digest("unfreeze", "agy_1", "{}", ""));
        for other in [("unfreeze", "agy_", "1{}", ""), ("unfreeze", "agy_1", "{}", "1"), ("unfreez", "eagy_1", "{}", "")] {
            assert_ne!(one, digest(other.0, other.1, other.2, other.3));
        }
    }
}
