//! What the two sides do about a memo before it is decided, and the note that an agency did nothing in its time.

use super::record::{Memo, MemoError, MemoEvidenceRow, MemoStepRow, locked_memo};
use super::state::{MemoState, MemoStep};
use crate::audit::{self, Cause};
use crate::catalogue::memos::{Memos, ReasonOf};
use crate::clock::Timestamp;
use crate::db::schema::memo;
use crate::db::{Change, Db, DbError, RowSet, WriteTx, insert, update};
use crate::ids::{AttachmentId, Id, MemoId};
use crate::notify::{EventType, NewEvent, emit};
use chrono::TimeDelta;
use diesel::prelude::*;

/// What somebody says with a step.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Of a dispute.
    pub reason: Option<String>,
    pub note: Option<String>,
    pub evidence: Vec<AttachmentId>,
    /// The version that was looked at, where it matters.
    pub version: Option<i64>,
}

impl Memo {
    /// The state after a step; or why it cannot be taken now.
    pub(super) fn after(&self, step: MemoStep, now: Timestamp) -> Result<MemoState, MemoError> {
        let state = self.state_at(now);
        state.on(step).ok_or(match (state, step, self.answer_by) {
            (MemoState::Unanswered, MemoStep::Dispute, Some(by)) => MemoError::TooLate(by),
            (state, MemoStep::Uphold | MemoStep::Dismiss, Some(by)) if state.is_awaited() => MemoError::TooEarly(by),
            (state, ..) => MemoError::State(state),
        })
    }

    pub fn check_version(&self, expected: Option<i64>) -> Result<(), MemoError> {
        let other = expected.is_some_and(|version| version != self.version);
        if other { Err(MemoError::Version(self.version)) } else { Ok(()) }
    }
}

/// Takes a step that decides nothing. Locks: the agency.
pub fn take_step(
    tx: &mut WriteTx,
    memos: &Memos,
    cause: &Cause,
    id: MemoId,
    step: MemoStep,
    said: &Said,
) -> Result<Memo, MemoError> {
    let known = locked_memo(tx, id)?;
    known.check_version(said.version)?;
    let state = known.after(step, tx.now)?;
    if let Some(reason) = said.reason.as_ref().filter(|reason| !memos.has(ReasonOf::Dispute, reason)) {
        return Err(MemoError::Reason(reason.clone()));
    }
    let mut row = known.row.clone();
    (row.answer_by, row.left_secs) = clock_after(&known, step, tx.now)?;
    (row.status, row.version) = (state.text().to_owned(), known.version + 1);
    let values = vec![row.status.clone().into(), row.version.into(), row.answer_by.into(), row.left_secs.into()];
    update(tx, "memo", &["status", "version", "answer_by", "left_secs"], &[Change { id: row.id, values }])?;
    let taken = Memo::try_from(row)?;
    write_step(tx, cause, &taken, step, said)?;
    Ok(taken)
}

/// The step that led to a memo as it is, with what was said, its audit and its event.
pub(super) fn write_step(tx: &mut WriteTx, cause: &Cause, memo: &Memo, step: MemoStep, said: &Said) -> Result<(), DbError> {
    let row = MemoStepRow {
        id: tx.ids.block(1),
        memo_id: memo.id.raw(),
        version: memo.version,
        step: step.text().to_owned(),
        reason: said.reason.clone(),
        note: said.note.clone(),
        organisation_id: cause.actor.organisation.raw(),
        key_id: cause.actor.by.stored(),
        created_at: tx.now.naive(),
    };
    let named = |id: &AttachmentId| MemoEvidenceRow { id: tx.ids.block(1), step_id: row.id, attachment_id: id.raw() };
    let evidence: Vec<MemoEvidenceRow> = said.evidence.iter().map(named).collect();
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    insert(tx, &[RowSet::of(&evidence)])?;
    audit::record(tx, cause, &format!("memo.{}", step.text()), memo.id)?;
    let kind = match step {
        MemoStep::Claim => EventType::MemoIssued,
        MemoStep::Review => EventType::MemoReviewed,
        MemoStep::Accept => EventType::MemoAccepted,
        MemoStep::Dispute => EventType::MemoDisputed,
        MemoStep::WithdrawDispute => EventType::MemoDisputeWithdrawn,
        MemoStep::Answer => EventType::MemoAnswered,
        MemoStep::Withdraw => EventType::MemoWithdrawn,
        MemoStep::Uphold => EventType::MemoPosted,
        MemoStep::Dismiss => EventType::MemoDismissed,
    };
    let event = NewEvent::new(kind, memo.id).of_agency(memo.agency).of_airline(memo.airline);
    emit(tx, event.caused_by(&cause.request_id))
}

type ClockColumns = (Option<chrono::NaiveDateTime>, Option<i64>);

/// A dispute stops the clock with what is left of it, at least a second; taken back, it goes on.
fn clock_after(known: &Memo, step: MemoStep, now: Timestamp) -> Result<ClockColumns, MemoError> {
    let corrupt = || DbError::Corrupt(format!("clock of memo {}", known.id));
    match step {
        MemoStep::Dispute => {
            let by = known.answer_by.ok_or_else(corrupt)?;
            Ok((None, Some(by.since(now).num_seconds().max(1))))
        }
        MemoStep::WithdrawDispute => {
            let left: TimeDelta = known.left.ok_or_else(corrupt)?;
            Ok((Some(now.plus(left).naive()), None))
        }
        _ => Ok((known.row.answer_by, known.row.left_secs)),
    }
}

/// Memos whose agencies' time is over, of which nobody was told yet; the oldest first.
pub fn unanswered(db: &mut Db, now: Timestamp, limit: i64) -> Result<Vec<MemoId>, DbError> {
    let awaited = memo::table
        .filter(memo::status.eq_any(MemoState::texts_where(MemoState::is_awaited)))
        .filter(memo::unanswered_at.is_null());
    let over = awaited.filter(memo::answer_by.le(now.naive())).order(memo::id).limit(limit);
    let ids: Vec<i64> = over.select(memo::id).load(db)?;
    Ok(ids.into_iter().map(MemoId::of).collect())
}

/// Tells that an agency did not answer in time: the memo waits for a decision, and nothing else happens. Once for each memo.
pub fn note_unanswered(tx: &mut WriteTx, id: MemoId) -> Result<bool, MemoError> {
    let known = locked_memo(tx, id)?;
    if known.state_at(tx.now) != MemoState::Unanswered || known.row.unanswered_at.is_some() {
        return Ok(false);
    }
    let values = vec![Some(tx.now.naive()).into()];
    update(tx, "memo", &["unanswered_at"], &[Change { id: id.raw(), values }])?;
    emit(tx, NewEvent::new(EventType::MemoUnanswered, id).of_agency(known.agency).of_airline(known.airline))?;
    Ok(true)
}
