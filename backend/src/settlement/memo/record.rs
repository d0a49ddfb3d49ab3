use super::state::{MemoKind, MemoState};
use crate::clock::Timestamp;
use crate::db::schema::{memo, memo_evidence, memo_step, memo_ticket, ticket};
use crate::db::{Contended, Db, DbError, Window, WriteTx, lock, rows, stored_currency, windowed};
use crate::ids::{AgencyId, AirlineId, AttachmentId, Id, MemoId};
use crate::ledger::PostError;
use crate::money::{Currency, Money, MoneyError};
use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

rows! {
    pub struct MemoRow in memo {
        id: i64,
        /// As it stands on a statement: its id outside.
        number: String,
        kind: String,
        agency_id: i64,
        airline_id: i64,
        currency: String,
        claimed_minor: i64,
        /// The airline's own, on top of what it claims.
        fee_minor: i64,
        reason: String,
        status: String,
        version: i64,
        /// The end of the agency's time; none while its clock stands still.
        answer_by: Option<NaiveDateTime>,
        left_secs: Option<i64>,
        /// When it was found to be over.
        unanswered_at: Option<NaiveDateTime>,
        decided_minor: Option<i64>,
        paid_minor: i64,
        cycle: Option<String>,
        posting_id: Option<i64>,
        approval_id: Option<i64>,
        created_at: NaiveDateTime,
        decided_at: Option<NaiveDateTime>,
    }

    pub struct MemoTicketRow in memo_ticket {
        id: i64,
        memo_id: i64,
        ticket_id: i64,
        amount_minor: i64,
    }

    pub struct MemoStepRow in memo_step {
        id: i64,
        memo_id: i64,
        version: i64,
        step: String,
        reason: Option<String>,
        note: Option<String>,
        organisation_id: i64,
        key_id: i64,
        created_at: NaiveDateTime,
    }

    pub struct MemoEvidenceRow in memo_evidence {
        id: i64,
        step_id: i64,
        attachment_id: i64,
    }
}

#[derive(Clone, Debug)]
pub struct Memo {
    pub id: MemoId,
    pub kind: MemoKind,
    pub agency: AgencyId,
    pub airline: AirlineId,
    pub claimed: Money,
    pub fee: Money,
    pub reason: String,
    pub version: i64,
    pub answer_by: Option<Timestamp>,
    /// What is left of the agency's time while its clock stands still.
    pub left: Option<TimeDelta>,
    pub decided: Option<Money>,
    /// What the airline was paid of it.
    pub paid: Money,
    pub row: MemoRow,
    state: MemoState,
}

impl Memo {
    /// All that is claimed or granted.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.claimed.checked_add(self.fee)
    }

    pub fn state_at(&self, now: Timestamp) -> MemoState {
        if self.state.is_awaited() && self.answer_by.is_some_and(|by| by <= now) { MemoState::Unanswered } else { self.state }
    }
}

impl TryFrom<MemoRow> for Memo {
    type Error = DbError;

    fn try_from(row: MemoRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of memo {}", row.id));
        let currency = stored_currency(&row.currency)?;
        let money = |minor| Money::new(minor, currency);
        Ok(Memo {
            id: MemoId::of(row.id),
            kind: MemoKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            state: MemoState::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            agency: AgencyId::of(row.agency_id),
            airline: AirlineId::of(row.airline_id),
            claimed: money(row.claimed_minor),
            fee: money(row.fee_minor),
            reason: row.reason.clone(),
            version: row.version,
            answer_by: row.answer_by.map(Timestamp::from),
            left: row.left_secs.map(|secs| TimeDelta::try_seconds(secs).ok_or_else(|| corrupt("clock"))).transpose()?,
            decided: row.decided_minor.map(money),
            paid: money(row.paid_minor),
            row,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum MemoError {
    #[error("no such memo")]
    NotFound,
    #[error("no such airline")]
    NoAirline,
    #[error("no such ticket")]
    NoTicket { place: usize },
    #[error("ticket {number} is another airline's")]
    OtherAirline { place: usize, number: String },
    #[error("a memo is about tickets of one agency")]
    OtherAgency { place: usize },
    #[error("ticket {number} is named twice")]
    TicketTwice { place: usize, number: String },
    #[error("the ticket was sold in {sold}")]
    CurrencyMismatch { sold: Currency },
    #[error("there is no reason {0} for this")]
    Reason(String),
    #[error("what is claimed is more than zero, and a fee not negative")]
    NotPositive,
    #[error("the airline may add a fee of {cap} at most")]
    FeeCap { cap: Money },
    #[error("no memo rule is filed for {0}")]
    NoRule(Currency),
    #[error("ticket {number} cost {price}, of which {left} is not claimed yet")]
    OverValue { place: usize, number: String, price: Money, left: Money },
    #[error("memo {memo} claims the same for ticket {number}")]
    Claimed { memo: MemoId, number: String },
    #[error("the agency is closed")]
    AgencyClosed,
    #[error("the memo is {}", .0.text())]
    State(MemoState),
    #[error("the agency's time was over at {0}")]
    TooLate(Timestamp),
    #[error("the agency may answer until {0}")]
    TooEarly(Timestamp),
    #[error("the memo has version {0} by now")]
    Version(i64),
    #[error("{total} is claimed, not more")]
    MoreThanClaimed { total: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for MemoError {
    fn from(error: diesel::result::Error) -> Self {
        MemoError::Db(error.into())
    }
}

pub fn memo(db: &mut Db, id: MemoId) -> Result<Option<Memo>, DbError> {
    let row: Option<MemoRow> = memo::table.find(id.raw()).select(MemoRow::as_select()).first(db).optional()?;
    row.map(Memo::try_from).transpose()
}

/// Under the lock of its agency.
pub fn locked_memo(tx: &mut WriteTx, id: MemoId) -> Result<Memo, MemoError> {
    let known = memo(tx.db, id)?.ok_or(MemoError::NotFound)?;
    lock(tx, Contended::Agency, &[known.agency.raw()])?;
    memo(tx.db, id)?.ok_or(MemoError::NotFound)
}

/// Which memos; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct MemoFilter {
    pub agencies: Option<Vec<AgencyId>>,
    pub airlines: Option<Vec<AirlineId>>,
    pub kind: Option<MemoKind>,
    pub state: Option<MemoState>,
}

macro_rules! filtered {
    ($query:expr, $filter:expr) => {{
        let mut query = $query;
        if let Some(agencies) = &$filter.agencies {
            query = query.filter(memo::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
        }
        if let Some(airlines) = &$filter.airlines {
            query = query.filter(memo::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>()));
        }
        if let Some(kind) = $filter.kind {
            query = query.filter(memo::kind.eq(kind.text()));
        }
        query
    }};
}

pub fn memos(db: &mut Db, filter: &MemoFilter, now: Timestamp, window: Window, limit: i64) -> Result<Vec<Memo>, DbError> {
    let mut query = filtered!(windowed!(memo::table.into_boxed(), memo::id, window, limit), filter);
    query = match filter.state {
        None => query,
        Some(MemoState::Unanswered) => {
            let awaited = MemoState::texts_where(MemoState::is_awaited);
            query.filter(memo::status.eq_any(awaited)).filter(memo::answer_by.le(now.naive()))
        }
        Some(state) if state.is_awaited() => query.filter(memo::status.eq(state.text())).filter(memo::answer_by.gt(now.naive())),
        Some(state) => query.filter(memo::status.eq(state.text())),
    };
    let rows: Vec<MemoRow> = query.select(MemoRow::as_select()).load(db)?;
    rows.into_iter().map(Memo::try_from).collect()
}

/// What open memos of one kind and currency may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contingent {
    pub kind: MemoKind,
    pub memos: i64,
    pub amount: Money,
}

/// Of these agencies and airlines; the state is not asked.
pub fn contingent(db: &mut Db, filter: &MemoFilter) -> Result<Vec<Contingent>, DbError> {
    let total = sql::<BigInt>("CAST(SUM(claimed_minor + fee_minor) AS BIGINT)");
    let open = memo::table.group_by((memo::kind, memo::currency));
    let open = open.select((memo::kind, memo::currency, sql::<BigInt>("COUNT(*)"), total));
    let open = filtered!(open.filter(memo::status.eq_any(MemoState::texts_where(MemoState::is_open))).into_boxed(), filter);
    let rows: Vec<(String, String, i64, i64)> = open.order((memo::currency, memo::kind)).load(db)?;
    let read = |(kind, currency, memos, minor): (String, String, i64, i64)| {
        let kind = MemoKind::parse(&kind).ok_or_else(|| DbError::Corrupt(format!("a memo of kind {kind}")))?;
        Ok(Contingent { kind, memos, amount: Money::new(minor, stored_currency(&currency)?) })
    };
    rows.into_iter().map(read).collect()
}

/// The tickets of these memos with their numbers, in the order in which they were named.
pub fn tickets_of(db: &mut Db, memos: &[MemoId]) -> Result<Vec<(MemoTicketRow, String)>, DbError> {
    let of: Vec<i64> = memos.iter().map(|id| id.raw()).collect();
    let rows = memo_ticket::table.inner_join(ticket::table.on(ticket::id.eq(memo_ticket::ticket_id)));
    let rows = rows.filter(memo_ticket::memo_id.eq_any(of)).order(memo_ticket::id);
    Ok(rows.select((MemoTicketRow::as_select(), ticket::number)).load(db)?)
}

/// What was done about a memo, in that order.
pub fn steps_of(db: &mut Db, id: MemoId) -> Result<Vec<MemoStepRow>, DbError> {
    let of = memo_step::table.filter(memo_step::memo_id.eq(id.raw())).order(memo_step::version);
    Ok(of.select(MemoStepRow::as_select()).load(db)?)
}

pub fn evidence_of(db: &mut Db, steps: &[MemoStepRow]) -> Result<Vec<MemoEvidenceRow>, DbError> {
    let of: Vec<i64> = steps.iter().map(|step| step.id).collect();
    let rows = memo_evidence::table.filter(memo_evidence::step_id.eq_any(of)).order(memo_evidence::id);
    Ok(rows.select(MemoEvidenceRow::as_select()).load(db)?)
}

/// Whose memos an attachment is evidence for: both sides read it.
pub fn memos_with_attachment(db: &mut Db, id: AttachmentId) -> Result<Vec<(AgencyId, AirlineId)>, DbError> {
    let steps = memo_evidence::table.inner_join(memo_step::table.on(memo_step::id.eq(memo_evidence::step_id)));
    let of = steps.inner_join(memo::table.on(memo::id.eq(memo_step::memo_id)));
    let of = of.filter(memo_evidence::attachment_id.eq(id.raw()));
    let rows: Vec<(i64, i64)> = of.select((memo::agency_id, memo::airline_id)).distinct().load(db)?;
    Ok(rows.into_iter().map(|(agency, airline)| (AgencyId::of(agency), AirlineId::of(airline))).collect())
}
