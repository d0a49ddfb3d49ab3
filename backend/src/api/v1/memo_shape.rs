//! How memos are answered.

use super::shape::{by_key, by_user, choice, time};
use super::sight::{Sight, not_found};
use crate::agencies::{Agency, agencies_by_id};
use crate::airlines::{Airline, airlines_by_id};
use crate::api::error::ApiError;
use crate::catalogue::memos::{MemoReason as Reason, ReasonOf};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::ids::{ApprovalId, AttachmentId, Id, MemoId, OrganisationId, PostingId};
use crate::money::Money;
use crate::settlement::{self, MemoTicketRow, evidence_of, memo, steps_of, tickets_of};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// An agency debit memo claims something for the airline, an agency credit memo grants the agency something.
    MemoKind = settlement::MemoKind { Adm, Acm }
}
choice! {
    /// `unanswered`: the agency's time is over, and the memo waits for a decision. Nothing is posted before it is `posted`.
    MemoStatus = settlement::MemoState {
        Issued, UnderReview, Unanswered, Accepted, Disputed, Answered, Posted, Dismissed, Withdrawn
    }
}
choice! {
    /// What was done about a memo.
    MemoStepKind = settlement::MemoStep {
        Claim, Review, Accept, Dispute, WithdrawDispute, Answer, Withdraw, Uphold, Dismiss
    }
}
choice! {
    /// Whose reason it is: of a debit, of a credit, or of a dispute.
    MemoReasonOf = ReasonOf { Adm, Acm, Dispute }
}

/// Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Memo {
    #[schema(example = "mem_0000000000001")]
    pub id: String,
    pub kind: MemoKind,
    pub agency_id: String,
    pub agency_name: String,
    pub airline_id: String,
    pub airline_name: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The sum over the tickets.
    #[schema(example = "120.00")]
    pub claimed_amount: String,
    /// What the airline adds for its own work.
    #[schema(example = "30.00")]
    pub fee_amount: String,
    /// Both: what may have to be paid.
    #[schema(example = "150.00")]
    pub total_amount: String,
    /// One of `/v1/memo_reasons`.
    #[schema(example = "fare_undercollected")]
    pub reason: String,
    pub status: MemoStatus,
    /// Grows by one with every step; in quotes it is the `ETag`.
    pub version: i64,
    /// Until when the agency may dispute; null while the clock stands still.
    pub answer_by: Option<String>,
    /// What is left of its time while the clock stands still.
    pub left_secs: Option<i64>,
    pub tickets: Vec<MemoTicket>,
    /// What was upheld and posted.
    pub decided_amount: Option<String>,
    /// What the airline was paid of it.
    pub paid_amount: String,
    /// The remittance cycle that it belongs to.
    pub cycle: Option<String>,
    pub posting_id: Option<String>,
    /// The request that two people agreed on.
    pub approval_id: Option<String>,
    pub created_at: String,
    pub decided_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoTicket {
    /// 13 digits, with or without a hyphen behind the third.
    #[schema(example = "9992100000001")]
    pub number: String,
    /// Of this ticket: more than zero, and all memos of a kind together not more than it cost.
    #[schema(example = "120.00")]
    pub amount: String,
}

/// A memo with everything that was done about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoFile {
    #[serde(flatten)]
    pub memo: Memo,
    pub steps: Vec<MemoStep>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoStep {
    pub version: i64,
    pub step: MemoStepKind,
    /// Of a dispute.
    pub reason: Option<String>,
    pub note: Option<String>,
    /// Evidence; both sides may read it.
    pub attachment_ids: Vec<String>,
    pub by_organisation_id: String,
    /// Null: a person did.
    pub by_key_id: Option<String>,
    /// Null: a key did.
    pub by_user_id: Option<String>,
    pub created_at: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemoReason {
    pub of: MemoReasonOf,
    #[schema(example = "fare_undercollected")]
    pub code: String,
    pub name: String,
    pub name_zh: String,
}

impl From<&Reason> for MemoReason {
    fn from(reason: &Reason) -> Self {
        let (code, name, name_zh) = (reason.code.clone(), reason.name.clone(), reason.name_zh.clone());
        MemoReason { of: reason.of.into(), code, name, name_zh }
    }
}

pub(super) fn shown(db: &mut Db, found: &[settlement::Memo], now: Timestamp) -> Result<Vec<Memo>, ApiError> {
    let tickets = tickets_of(db, &found.iter().map(|memo| memo.id).collect::<Vec<_>>())?;
    let parties = Parties {
        agencies: agencies_by_id(db, &found.iter().map(|memo| memo.agency).collect::<Vec<_>>())?,
        airlines: airlines_by_id(db, &found.iter().map(|memo| memo.airline).collect::<Vec<_>>())?,
    };
    found.iter().map(|memo| one(memo, &tickets, &parties, now)).collect()
}

/// Each side knows the other's name.
struct Parties {
    agencies: Vec<Agency>,
    airlines: Vec<Airline>,
}

fn one(
    known: &settlement::Memo,
    tickets: &[(MemoTicketRow, String)],
    parties: &Parties,
    now: Timestamp,
) -> Result<Memo, ApiError> {
    let agency = parties.agencies.iter().find(|agency| agency.id == known.agency);
    let airline = parties.airlines.iter().find(|airline| airline.id == known.airline);
    let row = &known.row;
    let of = tickets.iter().filter(|(ticket, _)| ticket.memo_id == row.id);
    let ticket = |(ticket, number): &(MemoTicketRow, String)| MemoTicket {
        number: number.clone(),
        amount: Money::new(ticket.amount_minor, known.claimed.currency).to_string(),
    };
    Ok(Memo {
        id: known.id.to_string(),
        kind: known.kind.into(),
        agency_id: known.agency.to_string(),
        agency_name: agency.map(|agency| agency.name.clone()).unwrap_or_default(),
        airline_id: known.airline.to_string(),
        airline_name: airline.map(|airline| airline.name.clone()).unwrap_or_default(),
        currency: row.currency.clone(),
        claimed_amount: known.claimed.to_string(),
        fee_amount: known.fee.to_string(),
        total_amount: known.total().map_err(ApiError::internal)?.to_string(),
        reason: row.reason.clone(),
        status: known.state_at(now).into(),
        version: row.version,
        answer_by: row.answer_by.map(time),
        left_secs: row.left_secs,
        tickets: of.map(ticket).collect(),
        decided_amount: known.decided.map(|amount| amount.to_string()),
        paid_amount: known.paid.to_string(),
        cycle: row.cycle.clone(),
        posting_id: row.posting_id.map(|id| PostingId::of(id).to_string()),
        approval_id: row.approval_id.map(|id| ApprovalId::of(id).to_string()),
        created_at: time(row.created_at),
        decided_at: row.decided_at.map(time),
    })
}

/// A memo with its history.
pub(super) fn file(db: &mut Db, known: &settlement::Memo, now: Timestamp) -> Result<MemoFile, ApiError> {
    let memo = shown(db, std::slice::from_ref(known), now)?.pop().ok_or_else(not_found)?;
    let rows = steps_of(db, known.id)?;
    let evidence = evidence_of(db, &rows)?;
    let mut steps = Vec::with_capacity(rows.len());
    for row in &rows {
        let kind = settlement::MemoStep::parse(&row.step);
        let kind = kind.ok_or_else(|| ApiError::internal(format!("step {} of a memo", row.step)))?;
        let own = evidence.iter().filter(|one| one.step_id == row.id);
        steps.push(MemoStep {
            version: row.version,
            step: kind.into(),
            reason: row.reason.clone(),
            note: row.note.clone(),
            attachment_ids: own.map(|one| AttachmentId::of(one.attachment_id).to_string()).collect(),
            by_organisation_id: OrganisationId::of(row.organisation_id).to_string(),
            by_key_id: by_key(row.key_id),
            by_user_id: by_user(row.key_id),
            created_at: time(row.created_at),
        });
    }
    Ok(MemoFile { memo, steps })
}

/// A memo of one's own, as either side.
pub(super) fn visible_memo(db: &mut Db, sight: &Sight, id: MemoId) -> Result<settlement::Memo, ApiError> {
    let found = memo(db, id)?.filter(|memo| sight.sees_agency(memo.agency) || sight.sees_airline(memo.airline));
    found.ok_or_else(not_found)
}
