//! The advance: the payment of one ticket's airline share. held -> sent -> confirmed | failed | unknown; failed -> held as the next attempt;
//! held -> set_off where claims on the airline pay all of it; held | failed -> cancelled where the ticket was voided.
//!
//! Protocol: an attempt is marked `sent` in a commit of its own **before** anything goes to the bank, so a crash leaves at worst an attempt that
//! the bank has to be asked about. Each attempt has its own reference, and the bank does one payment per reference. A new
//! attempt starts only after the bank said that the last one failed for good. Locks: facility slices, then advances, then claims, then accounts.

use super::facility::{FacilityError, loan_account};
use super::sublimit;
use crate::clock::Timestamp;
use crate::db::schema::{advance, advance_attempt, facility_slice, hold};
use crate::db::{Change, Contended, Db, DbError, Window, WriteTx, lock, rows, update, windowed};
use crate::ids::{AdvanceId, AirlineId, FacilityId, HoldId, Id, PayeeChangeId, TicketId};
use crate::ledger::{AccountCode, AccountKey, Book, HoldRow, PostError, Purse, Resolution};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct AdvanceRow in advance {
        id: i64,
        ticket_id: i64,
        airline_id: i64,
        /// `None`: paid from client cash or with own money, as `funding` says.
        facility_id: Option<i64>,
        hold_id: Option<i64>,
        amount_minor: i64,
        /// Paid by setting it off against claims on the airline.
        set_off_minor: i64,
        /// Not to be paid any more.
        cancelled_minor: i64,
        /// Taken back while it was on its way: a claim if the bank confirms, cancelled if it refuses.
        reclaimed_minor: i64,
        currency: String,
        state: String,
        attempt: i64,
        sold_at: NaiveDateTime,
        sent_at: Option<NaiveDateTime>,
        confirmed_at: Option<NaiveDateTime>,
        credited_at: Option<NaiveDateTime>,
        bank_reference: Option<String>,
        detail: Option<String>,
        /// When nothing more was to be paid.
        resolved_at: Option<NaiveDateTime>,
        /// Until when it waited, or waits, because its airline owes too much or own money is short.
        waits_until: Option<NaiveDateTime>,
        funding: String,
        ordered_at: Option<NaiveDateTime>,
        /// The last change of its airline's payee that was known when it was sent.
        payee_change_id: Option<i64>,
    }

    /// An attempt that is over.
    pub struct AttemptRow in advance_attempt {
        advance_id: i64,
        attempt: i64,
        outcome: String,
        detail: String,
        sent_at: Option<NaiveDateTime>,
        ended_at: NaiveDateTime,
    }
}

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Funding {
    /// A bank line, at once.
    Line,
    /// Client cash: a ticket from the wallet.
    Client,
    /// Own money, on the airline's terms.
    Own,
}

impl Funding {
    pub fn text(self) -> &'static str {
        match self {
            Funding::Line => "line",
            Funding::Client => "client",
            Funding::Own => "own",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Funding::Line, Funding::Client, Funding::Own].into_iter().find(|one| one.text() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvanceState {
    Held,
    Sent,
    Unknown,
    Failed,
    Confirmed,
    /// Claims on the airline paid all of it.
    SetOff,
    /// Nothing is to be paid any more.
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvanceEvent {
    Send,
    /// The bank has it and will tell.
    Accept,
    Confirm,
    /// Refused for good: this attempt will never be paid.
    Fail,
    /// It may or may not have been paid.
    LoseSight,
    /// The next attempt.
    Retry,
    /// What was left to pay is set off.
    SetOff,
    /// What was left to pay is not owed any more.
    Cancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    Applied(AdvanceState),
    AlreadyApplied,
    Refused,
}

impl AdvanceState {
    pub const ALL: [AdvanceState; 7] = [
        AdvanceState::Held,
        AdvanceState::Sent,
        AdvanceState::Unknown,
        AdvanceState::Failed,
        AdvanceState::Confirmed,
        AdvanceState::SetOff,
        AdvanceState::Cancelled,
    ];

    pub fn text(self) -> &'static str {
        match self {
            AdvanceState::Held => "held",
            AdvanceState::Sent => "sent",
            AdvanceState::Unknown => "unknown",
            AdvanceState::Failed => "failed",
            AdvanceState::Confirmed => "confirmed",
            AdvanceState::SetOff => "set_off",
            AdvanceState::Cancelled => "cancelled",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        AdvanceState::ALL.into_iter().find(|state| state.text() == text)
    }

    /// The one place that says how an advance moves.
    pub fn on(self, event: AdvanceEvent) -> Moved {
        use AdvanceEvent::{Accept, Cancel, Confirm, Fail, LoseSight, Retry, Send, SetOff};
        use AdvanceState::{Cancelled, Confirmed, Failed, Held, Sent, Unknown};
        match (self, event) {
            (Held | Unknown, Send) | (Unknown, Accept) => Moved::Applied(Sent),
            // Also from failed, as long as no new attempt was made: the money moved after all.
            (Sent | Unknown | Failed, Confirm) => Moved::Applied(Confirmed),
            (Sent | Unknown, Fail) => Moved::Applied(Failed),
            (Sent, LoseSight) => Moved::Applied(Unknown),
            (Failed, Retry) => Moved::Applied(Held),
            (Held, SetOff) => Moved::Applied(AdvanceState::SetOff),
            (Held | Failed, Cancel) => Moved::Applied(Cancelled),
            // Answers and callbacks come twice and late.
            (Confirmed, Confirm | Accept | LoseSight) | (Failed, Fail | LoseSight) => Moved::AlreadyApplied,
            (Sent, Send | Accept) | (Unknown, LoseSight) | (Held, Retry) => Moved::AlreadyApplied,
            (AdvanceState::SetOff, SetOff) | (Cancelled, Cancel | Fail | LoseSight) => Moved::AlreadyApplied,
            (Held, Accept | Confirm | Fail | LoseSight) | (Sent | Unknown, Retry) => Moved::Refused,
            (Failed, Send | Accept) | (Confirmed, Send | Fail | Retry) => Moved::Refused,
            // What is on its way or paid is not cancelled: it becomes a claim on the airline.
            (Sent | Unknown | Confirmed, SetOff | Cancel) | (Failed, SetOff) => Moved::Refused,
            (AdvanceState::SetOff | Cancelled, _) => Moved::Refused,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Advance {
    pub id: AdvanceId,
    pub ticket: TicketId,
    pub airline: AirlineId,
    pub facility: Option<FacilityId>,
    /// The airline's share at the sale.
    pub amount: Money,
    /// Paid by setting it off against claims on the airline.
    pub set_off: Money,
    /// Not to be paid any more.
    pub cancelled: Money,
    /// Taken back while it was on its way: a claim if the bank confirms, cancelled if it refuses.
    pub reclaimed: Money,
    pub state: AdvanceState,
    pub attempt: i64,
    pub sold_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
    /// When the bank says that the airline was credited.
    pub credited_at: Option<Timestamp>,
    pub bank_reference: Option<String>,
    pub detail: Option<String>,
    /// When nothing more was to be paid.
    pub resolved_at: Option<Timestamp>,
    /// Until when it waited, or waits, because its airline owes too much or own money is short.
    pub waits_until: Option<Timestamp>,
    pub funding: Funding,
    /// When its payment was ordered; none before its day by the contract.
    pub ordered_at: Option<Timestamp>,
    pub payee_change: Option<PayeeChangeId>,
    pub(super) hold: Option<HoldId>,
}

impl TryFrom<AdvanceRow> for Advance {
    type Error = DbError;

    fn try_from(row: AdvanceRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("advance {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt())?;
        Ok(Advance {
            id: AdvanceId::of(row.id),
            ticket: TicketId::of(row.ticket_id),
            airline: AirlineId::of(row.airline_id),
            facility: row.facility_id.map(FacilityId::of),
            amount: Money::new(row.amount_minor, currency),
            set_off: Money::new(row.set_off_minor, currency),
            cancelled: Money::new(row.cancelled_minor, currency),
            reclaimed: Money::new(row.reclaimed_minor, currency),
            state: AdvanceState::parse(&row.state).ok_or_else(corrupt)?,
            attempt: row.attempt,
            sold_at: Timestamp::from(row.sold_at),
            sent_at: row.sent_at.map(Timestamp::from),
            confirmed_at: row.confirmed_at.map(Timestamp::from),
            credited_at: row.credited_at.map(Timestamp::from),
            bank_reference: row.bank_reference,
            detail: row.detail,
            resolved_at: row.resolved_at.map(Timestamp::from),
            waits_until: row.waits_until.map(Timestamp::from),
            funding: Funding::parse(&row.funding).ok_or_else(corrupt)?,
            ordered_at: row.ordered_at.map(Timestamp::from),
            payee_change: row.payee_change_id.map(PayeeChangeId::of),
            hold: row.hold_id.map(HoldId::of),
        })
    }
}

impl Advance {
    /// From the sale of the ticket to the bank's confirmation that its airline was paid.
    pub fn sale_to_credit(&self) -> Option<chrono::Duration> {
        self.confirmed_at.map(|confirmed_at| confirmed_at.since(self.sold_at))
    }

    /// What the bank is told to pay, or has paid: the share less what is set off and what is cancelled.
    pub fn outstanding(&self) -> Money {
        let minor = self.amount.minor - self.set_off.minor - self.cancelled.minor;
        Money::new(minor, self.amount.currency)
    }

    pub(super) fn payable_account(&self) -> AccountKey {
        AccountKey::airline(AccountCode::AirlinePayable, self.airline, self.amount.currency)
    }

    pub(super) fn receivable_account(&self) -> AccountKey {
        AccountKey::airline(AccountCode::AirlineReceivable, self.airline, self.amount.currency)
    }

    /// The line's loan, client cash for a wallet ticket, or own money.
    pub(super) fn payer_account(&self) -> AccountKey {
        match self.facility {
            Some(facility) => loan_account(facility, self.amount.currency),
            None if self.funding == Funding::Own => AccountKey::cash(Purse::Own, self.amount.currency),
            None => AccountKey::cash(Purse::Client, self.amount.currency),
        }
    }

    /// Moves on if the state machine lets it; says whether it did.
    pub(super) fn moves(&mut self, event: AdvanceEvent) -> bool {
        let Moved::Applied(state) = self.state.on(event) else { return false };
        self.state = state;
        true
    }

    /// What is told of a state, where it concerns anybody: what is on its way or lost sight of does not.
    pub(super) fn event(&self) -> Option<NewEvent> {
        let kind = match self.state {
            AdvanceState::Confirmed => EventType::AdvanceConfirmed,
            AdvanceState::Failed => EventType::AdvanceFailed,
            AdvanceState::SetOff => EventType::AdvanceSetOff,
            AdvanceState::Cancelled => EventType::AdvanceCancelled,
            AdvanceState::Held | AdvanceState::Sent | AdvanceState::Unknown => return None,
        };
        let event = NewEvent::new(kind, self.id).of_airline(self.airline).naming("ticket_id", self.ticket);
        Some(match self.facility {
            Some(facility) => event.of_facility(facility),
            None => event,
        })
    }

    pub(super) fn is_unresolved(&self) -> bool {
        self.resolved_at.is_none()
    }
}

/// The reference of an attempt at the bank: `adv_…-1`.
pub fn payment_reference(advance: AdvanceId, attempt: i64) -> String {
    format!("{advance}-{attempt}")
}

pub fn reference_parts(reference: &str) -> Option<(AdvanceId, i64)> {
    let (id, attempt) = reference.rsplit_once('-')?;
    Some((AdvanceId::parse(id).ok()?, attempt.parse().ok()?))
}

#[derive(Debug, thiserror::Error)]
pub enum AdvanceError {
    #[error("no such advance")]
    NotFound,
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Facility(#[from] FacilityError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Locks advances and reads them.
pub(super) fn locked(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<Advance>, DbError> {
    let mut raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    raw.sort_unstable();
    raw.dedup();
    let rows: Vec<AdvanceRow> = crate::db::locked(tx, Contended::Advance, &raw)?;
    rows.into_iter().map(Advance::try_from).collect()
}

/// Locks the slices of the facilities that these advances draw on: a slice guards the number in flight.
pub(super) fn lock_slices(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<i64>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let facilities: Vec<Option<i64>> =
        advance::table.filter(advance::id.eq_any(raw)).select(advance::facility_id).distinct().load(&mut *tx.db)?;
    let facilities: Vec<i64> = facilities.into_iter().flatten().collect();
    let slices: Vec<i64> = facility_slice::table
        .filter(facility_slice::facility_id.eq_any(facilities))
        .order(facility_slice::id)
        .select(facility_slice::id)
        .load(&mut *tx.db)?;
    lock(tx, Contended::FacilitySlice, &slices)?;
    Ok(slices)
}

/// These advances are not in flight any more.
pub(super) fn count_down(tx: &mut WriteTx, slices: &[i64], over: &[&Advance]) -> Result<(), DbError> {
    if over.iter().all(|advance| advance.facility.is_none()) {
        return Ok(());
    }
    let rows: Vec<(i64, i64, i64)> = facility_slice::table
        .filter(facility_slice::id.eq_any(slices.to_vec()))
        .select((facility_slice::id, facility_slice::facility_id, facility_slice::unconfirmed))
        .load(&mut *tx.db)?;
    let mut changes = Vec::new();
    for (slice, facility, unconfirmed) in rows {
        let count = over.iter().filter(|advance| advance.facility == Some(FacilityId::of(facility))).count();
        let count = i64::try_from(count).unwrap_or(0);
        if count > 0 {
            changes.push(Change { id: slice, values: vec![(unconfirmed - count).into()] });
        }
    }
    update(tx, "facility_slice", &["unconfirmed"], &changes)?;
    Ok(())
}

/// Writes everything about an advance that can change.
pub(super) fn write_back<'a>(tx: &mut WriteTx, advances: impl Iterator<Item = &'a Advance>) -> Result<(), DbError> {
    let changes: Vec<Change> = advances
        .map(|advance| Change {
            id: advance.id.raw(),
            values: vec![
                advance.state.text().into(),
                advance.attempt.into(),
                advance.set_off.minor.into(),
                advance.cancelled.minor.into(),
                advance.reclaimed.minor.into(),
                advance.sent_at.map(Timestamp::naive).into(),
                advance.confirmed_at.map(Timestamp::naive).into(),
                advance.credited_at.map(Timestamp::naive).into(),
                advance.bank_reference.clone().into(),
                advance.detail.clone().into(),
                advance.resolved_at.map(Timestamp::naive).into(),
            ],
        })
        .collect();
    update(tx, "advance", COLUMNS, &changes)?;
    Ok(())
}

const COLUMNS: &[&str] = &[
    "state",
    "attempt",
    "set_off_minor",
    "cancelled_minor",
    "reclaimed_minor",
    "sent_at",
    "confirmed_at",
    "credited_at",
    "bank_reference",
    "detail",
    "resolved_at",
];

/// The holds of these advances. Their loan accounts must be locked before.
pub(super) fn holds_of(tx: &mut WriteTx, advances: &[&Advance]) -> Result<Vec<HoldRow>, DbError> {
    let ids: Vec<i64> = advances.iter().filter_map(|advance| advance.hold).map(Id::raw).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(hold::table.filter(hold::id.eq_any(ids)).select(HoldRow::as_select()).load(&mut *tx.db)?)
}

/// Resolves the hold of an advance, where it has one: a wallet ticket holds nothing.
pub(super) fn resolve_hold(
    tx: &mut WriteTx,
    book: &mut Book,
    holds: &[HoldRow],
    advance: &Advance,
    resolution: Resolution,
) -> Result<(), PostError> {
    let Some(id) = advance.hold else { return Ok(()) };
    let row = holds.iter().find(|row| row.id == id.raw()).ok_or(PostError::NoHold)?;
    if let (Some(facility), Resolution::Release(amount)) = (advance.facility, resolution) {
        sublimit::release(tx, facility, advance.airline, amount)?;
    }
    book.resolve(tx, row, resolution).map(drop)
}

pub fn advance(db: &mut Db, id: AdvanceId) -> Result<Option<Advance>, DbError> {
    let row: Option<AdvanceRow> = advance::table.find(id.raw()).select(AdvanceRow::as_select()).first(db).optional()?;
    row.map(Advance::try_from).transpose()
}

pub fn advance_of_ticket(db: &mut Db, ticket: TicketId) -> Result<Option<Advance>, DbError> {
    let of_ticket = advance::table.filter(advance::ticket_id.eq(ticket.raw()));
    let row: Option<AdvanceRow> = of_ticket.select(AdvanceRow::as_select()).first(db).optional()?;
    row.map(Advance::try_from).transpose()
}

/// To one airline, or to all; in one state, or in any.
pub fn advances(
    db: &mut Db,
    airline: Option<AirlineId>,
    state: Option<AdvanceState>,
    window: Window,
    limit: i64,
) -> Result<Vec<Advance>, DbError> {
    let mut query = windowed!(advance::table.into_boxed(), advance::id, window, limit);
    if let Some(airline) = airline {
        query = query.filter(advance::airline_id.eq(airline.raw()));
    }
    if let Some(state) = state {
        query = query.filter(advance::state.eq(state.text()));
    }
    let rows: Vec<AdvanceRow> = query.select(AdvanceRow::as_select()).load(db)?;
    rows.into_iter().map(Advance::try_from).collect()
}

/// The attempts of an advance that are over, first to last.
pub fn attempts_of(db: &mut Db, id: AdvanceId) -> Result<Vec<AttemptRow>, DbError> {
    let of_advance = advance_attempt::table.filter(advance_attempt::advance_id.eq(id.raw()));
    Ok(of_advance.order(advance_attempt::attempt).select(AttemptRow::as_select()).load(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmed_advance_never_moves_again() {
        use AdvanceEvent::{Accept, Cancel, Confirm, Fail, LoseSight, Retry, Send, SetOff};
        for event in [Send, Accept, Confirm, Fail, LoseSight, Retry, SetOff, Cancel] {
            for state in [AdvanceState::Confirmed, AdvanceState::SetOff, AdvanceState::Cancelled] {
                assert!(!matches!(state.on(event), Moved::Applied(_)), "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn a_new_attempt_starts_only_after_the_last_one_failed_for_good() {
        let may_retry = |state: AdvanceState| matches!(state.on(AdvanceEvent::Retry), Moved::Applied(_));
        assert!(may_retry(AdvanceState::Failed));
        assert!(!AdvanceState::ALL.into_iter().filter(|state| *state != AdvanceState::Failed).any(may_retry));
    }

    #[test]
    fn a_reference_says_whose_attempt_it_is() {
        let id = AdvanceId::of(77);
        assert_eq!(reference_parts(&payment_reference(id, 3)), Some((id, 3)));
        assert_eq!(reference_parts("adv_x-1"), None);
    }
}
