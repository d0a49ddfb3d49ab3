//! The advance: the payment of one ticket's airline share. held -> sent -> confirmed | failed | unknown; failed -> held as the next attempt.
//!
//! Protocol: an attempt is marked `sent` in a commit of its own **before** anything goes to the bank, so a crash leaves at worst an attempt that
//! the bank has to be asked about. Each attempt has its own reference, and the bank does one payment per reference. A new
//! attempt starts only after the bank said that the last one failed for good. Locks: facility slices, then advances, then accounts.

use super::facility::{CONTRADICTED, FacilityError, REFUSED, WRONG_AMOUNT, close_facility, loan_account};
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::db::schema::{advance, advance_attempt, facility_slice, hold};
use crate::db::{Cell, Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, update, windowed};
use crate::ids::{AdvanceId, AirlineId, FacilityId, HoldId, Id, TicketId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, HoldRow, Leg, PostError, Purse, Resolution, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::BTreeMap;

rows! {
    pub struct AdvanceRow in advance {
        id: i64,
        ticket_id: i64,
        airline_id: i64,
        /// `None`: a wallet ticket, paid from client cash.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdvanceState {
    Held,
    Sent,
    Unknown,
    Failed,
    Confirmed,
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
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    Applied(AdvanceState),
    AlreadyApplied,
    Refused,
}

impl AdvanceState {
    const ALL: [AdvanceState; 5] =
        [AdvanceState::Held, AdvanceState::Sent, AdvanceState::Unknown, AdvanceState::Failed, AdvanceState::Confirmed];

    pub fn text(self) -> &'static str {
        match self {
            AdvanceState::Held => "held",
            AdvanceState::Sent => "sent",
            AdvanceState::Unknown => "unknown",
            AdvanceState::Failed => "failed",
            AdvanceState::Confirmed => "confirmed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        AdvanceState::ALL.into_iter().find(|state| state.text() == text)
    }

    /// The one place that says how an advance moves.
    pub fn on(self, event: AdvanceEvent) -> Moved {
        use AdvanceEvent::{Accept, Confirm, Fail, LoseSight, Retry, Send};
        use AdvanceState::{Confirmed, Failed, Held, Sent, Unknown};
        match (self, event) {
            (Held | Unknown, Send) | (Unknown, Accept) => Moved::Applied(Sent),
            // Also from failed, as long as no new attempt was made: the money moved after all.
            (Sent | Unknown | Failed, Confirm) => Moved::Applied(Confirmed),
            (Sent | Unknown, Fail) => Moved::Applied(Failed),
            (Sent, LoseSight) => Moved::Applied(Unknown),
            (Failed, Retry) => Moved::Applied(Held),
            // Answers and callbacks come twice and late.
            (Confirmed, Confirm | Accept | LoseSight) | (Failed, Fail | LoseSight) => Moved::AlreadyApplied,
            (Sent, Send | Accept) | (Unknown, LoseSight) | (Held, Retry) => Moved::AlreadyApplied,
            (Held, Accept | Confirm | Fail | LoseSight) | (Sent | Unknown, Retry) => Moved::Refused,
            (Failed, Send | Accept) | (Confirmed, Send | Fail | Retry) => Moved::Refused,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Advance {
    pub id: AdvanceId,
    pub ticket: TicketId,
    pub airline: AirlineId,
    pub facility: Option<FacilityId>,
    pub amount: Money,
    pub state: AdvanceState,
    pub attempt: i64,
    pub sold_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
    /// When the bank says that the airline was credited.
    pub credited_at: Option<Timestamp>,
    pub bank_reference: Option<String>,
    pub detail: Option<String>,
    hold: Option<HoldId>,
}

impl TryFrom<AdvanceRow> for Advance {
    type Error = DbError;

    fn try_from(row: AdvanceRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("advance {}", row.id));
        Ok(Advance {
            id: AdvanceId::of(row.id),
            ticket: TicketId::of(row.ticket_id),
            airline: AirlineId::of(row.airline_id),
            facility: row.facility_id.map(FacilityId::of),
            amount: Money::new(row.amount_minor, Currency::parse(&row.currency).map_err(|_| corrupt())?),
            state: AdvanceState::parse(&row.state).ok_or_else(corrupt)?,
            attempt: row.attempt,
            sold_at: Timestamp::from(row.sold_at),
            sent_at: row.sent_at.map(Timestamp::from),
            confirmed_at: row.confirmed_at.map(Timestamp::from),
            credited_at: row.credited_at.map(Timestamp::from),
            bank_reference: row.bank_reference,
            detail: row.detail,
            hold: row.hold_id.map(HoldId::of),
        })
    }
}

impl Advance {
    /// From the sale of the ticket to the bank's confirmation that its airline was paid.
    pub fn sale_to_credit(&self) -> Option<chrono::Duration> {
        self.confirmed_at.map(|confirmed_at| confirmed_at.since(self.sold_at))
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

/// Marks these attempts as sent; answers those that may now go to the bank (first time, or again under the same reference).
/// A failed advance becomes the next attempt first.
pub fn start_sending(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<Advance>, AdvanceError> {
    let mut sending = Vec::new();
    let mut changes = Vec::new();
    for mut advance in locked(tx, ids)? {
        if advance.state == AdvanceState::Failed {
            advance.attempt += 1;
            advance.state = AdvanceState::Held;
        }
        match advance.state.on(AdvanceEvent::Send) {
            Moved::Applied(state) if advance.state == AdvanceState::Held => {
                advance.state = state;
                advance.sent_at = Some(tx.now);
                let values = vec![state.text().into(), advance.attempt.into(), tx.now.naive().into(), Cell::Text(None)];
                changes.push(Change { id: advance.id.raw(), values });
            }
            // Sent or lost sight of before: the bank is asked about the same reference, nothing changes here.
            Moved::Applied(_) | Moved::AlreadyApplied => {}
            Moved::Refused => continue,
        }
        sending.push(advance);
    }
    update(tx, "advance", &["state", "attempt", "sent_at", "detail"], &changes)?;
    Ok(sending)
}

/// What the bank said about an attempt.
#[derive(Clone, Debug)]
pub struct BankOutcome {
    pub advance: AdvanceId,
    pub attempt: i64,
    pub said: BankSaid,
}

#[derive(Clone, Debug)]
pub enum BankSaid {
    Accepted,
    Settled {
        amount: Money,
        credited_at: Timestamp,
        bank_reference: String,
    },
    /// Never to be paid under this reference.
    Refused {
        reason: String,
    },
    /// No answer, or one that says nothing.
    Nothing {
        reason: String,
    },
}

/// Books what the bank said about any number of attempts, once each: an outcome that comes twice, late or for an earlier attempt changes nothing.
/// Answers the advances that were confirmed by this call.
pub fn record_outcomes(tx: &mut WriteTx, actor: Actor, outcomes: &[BankOutcome]) -> Result<Vec<Advance>, AdvanceError> {
    let ids: Vec<AdvanceId> = outcomes.iter().map(|outcome| outcome.advance).collect();
    let slices = lock_slices(tx, &ids)?;
    let mut current: BTreeMap<AdvanceId, Advance> = locked(tx, &ids)?.into_iter().map(|advance| (advance.id, advance)).collect();
    let mut confirmed = Vec::new();
    for outcome in outcomes {
        let Some(advance) = current.get_mut(&outcome.advance) else { continue };
        if advance.attempt != outcome.attempt {
            if matches!(outcome.said, BankSaid::Settled { .. }) {
                contradicted(tx, advance, outcome.attempt)?;
            }
            continue;
        }
        match &outcome.said {
            BankSaid::Settled { amount, credited_at, bank_reference } if *amount == advance.amount => {
                if advance.state.on(AdvanceEvent::Confirm) == Moved::Applied(AdvanceState::Confirmed) {
                    advance.state = AdvanceState::Confirmed;
                    advance.confirmed_at = Some(tx.now);
                    advance.credited_at = Some(*credited_at);
                    advance.bank_reference = Some(bank_reference.clone());
                    advance.detail = None;
                    confirmed.push(advance.clone());
                }
            }
            BankSaid::Settled { amount, .. } => wrong_amount(tx, advance, *amount)?,
            BankSaid::Accepted => move_on(advance, AdvanceEvent::Accept, None),
            BankSaid::Nothing { reason } => move_on(advance, AdvanceEvent::LoseSight, Some(reason)),
            BankSaid::Refused { reason } => refused(tx, advance, reason)?,
        }
    }
    book_confirmed(tx, actor, &confirmed)?;
    count_down(tx, &slices, &confirmed)?;
    write_states(tx, current.values())?;
    Ok(confirmed)
}

fn move_on(advance: &mut Advance, event: AdvanceEvent, detail: Option<&String>) {
    if let Moved::Applied(state) = advance.state.on(event) {
        advance.state = state;
        advance.detail = detail.cloned();
    }
}

/// The bank moved another amount than it was told: nothing is booked, no new attempt is made and the facility takes no new holds until a person
/// has settled it with the bank.
fn wrong_amount(tx: &mut WriteTx, advance: &mut Advance, settled: Money) -> Result<(), AdvanceError> {
    if advance.state == AdvanceState::Confirmed {
        return Ok(());
    }
    move_on(advance, AdvanceEvent::LoseSight, None);
    advance.detail = Some(format!("the bank settled {settled:?} instead of {:?}", advance.amount));
    tracing::error!(advance = %advance.id, ?settled, ordered = ?advance.amount, "bank settled another amount");
    if let Some(facility) = advance.facility {
        close_facility(tx, facility, WRONG_AMOUNT)?;
    }
    Ok(())
}

/// The bank paid an attempt that it had refused for good, while a later attempt is under way or paid: the airline may have been paid twice.
fn contradicted(tx: &mut WriteTx, advance: &Advance, attempt: i64) -> Result<(), AdvanceError> {
    tracing::error!(advance = %advance.id, attempt, current = advance.attempt, "bank settled an attempt that it had refused");
    if let Some(facility) = advance.facility {
        close_facility(tx, facility, CONTRADICTED)?;
    }
    Ok(())
}

fn refused(tx: &mut WriteTx, advance: &mut Advance, reason: &str) -> Result<(), AdvanceError> {
    if advance.state.on(AdvanceEvent::Fail) != Moved::Applied(AdvanceState::Failed) {
        return Ok(());
    }
    advance.state = AdvanceState::Failed;
    advance.detail = Some(reason.to_owned());
    let attempt = AttemptRow {
        advance_id: advance.id.raw(),
        attempt: advance.attempt,
        outcome: AdvanceState::Failed.text().to_owned(),
        detail: reason.to_owned(),
        sent_at: advance.sent_at.map(Timestamp::naive),
        ended_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(&[attempt])])?;
    if let Some(facility) = advance.facility {
        close_facility(tx, facility, REFUSED)?;
    }
    Ok(())
}

/// One posting per confirmed advance: the airline is paid by the facility (the hold becomes the draw) or from client cash.
fn book_confirmed(tx: &mut WriteTx, actor: Actor, confirmed: &[Advance]) -> Result<(), AdvanceError> {
    if confirmed.is_empty() {
        return Ok(());
    }
    let payer = |advance: &Advance| match advance.facility {
        Some(facility) => loan_account(facility, advance.amount.currency),
        None => AccountKey::cash(Purse::Client, advance.amount.currency),
    };
    let payable = |advance: &Advance| AccountKey::airline(AccountCode::AirlinePayable, advance.airline, advance.amount.currency);
    let mut keys: Vec<AccountKey> = confirmed.iter().flat_map(|advance| [payer(advance), payable(advance)]).collect();
    keys.sort_by_key(|key| (key.code, key.owner));
    keys.dedup();
    let accounts = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &accounts)?;
    let holds: Vec<i64> = confirmed.iter().filter_map(|advance| advance.hold).map(Id::raw).collect();
    let holds: Vec<HoldRow> =
        hold::table.filter(hold::id.eq_any(holds)).select(HoldRow::as_select()).load(&mut *tx.db).map_err(DbError::from)?;
    for advance in confirmed {
        if let Some(id) = advance.hold {
            let row = holds.iter().find(|row| row.id == id.raw()).ok_or(PostError::NoHold)?;
            book.resolve(tx, row, Resolution::Post(advance.amount))?;
        }
        let legs = vec![Leg::debit(payable(advance), advance.amount), Leg::credit(payer(advance), advance.amount)?];
        let reference = advance.ticket.raw();
        book.post(tx, &Draft { event: Event::AdvanceConfirmed, reference, contract: None, actor, legs })?;
    }
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    Ok(())
}

/// Locks the slices of the facilities that these advances draw on: a slice guards the number in flight.
fn lock_slices(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<i64>, DbError> {
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

fn count_down(tx: &mut WriteTx, slices: &[i64], confirmed: &[Advance]) -> Result<(), DbError> {
    let rows: Vec<(i64, i64, i64)> = facility_slice::table
        .filter(facility_slice::id.eq_any(slices.to_vec()))
        .select((facility_slice::id, facility_slice::facility_id, facility_slice::unconfirmed))
        .load(&mut *tx.db)?;
    let mut changes = Vec::new();
    for (slice, facility, unconfirmed) in rows {
        let over = confirmed.iter().filter(|advance| advance.facility == Some(FacilityId::of(facility))).count();
        let over = i64::try_from(over).unwrap_or(0);
        if over > 0 {
            changes.push(Change { id: slice, values: vec![(unconfirmed - over).into()] });
        }
    }
    update(tx, "facility_slice", &["unconfirmed"], &changes)?;
    Ok(())
}

fn write_states<'a>(tx: &mut WriteTx, advances: impl Iterator<Item = &'a Advance>) -> Result<(), DbError> {
    let changes: Vec<Change> = advances
        .map(|advance| Change {
            id: advance.id.raw(),
            values: vec![
                advance.state.text().into(),
                advance.confirmed_at.map(Timestamp::naive).into(),
                advance.credited_at.map(Timestamp::naive).into(),
                advance.bank_reference.clone().into(),
                advance.detail.clone().into(),
                advance.confirmed_at.map(Timestamp::naive).into(),
            ],
        })
        .collect();
    update(tx, "advance", &["state", "confirmed_at", "credited_at", "bank_reference", "detail", "resolved_at"], &changes)?;
    Ok(())
}

fn locked(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<Advance>, DbError> {
    let mut raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    raw.sort_unstable();
    raw.dedup();
    lock(tx, Contended::Advance, &raw)?;
    let rows: Vec<AdvanceRow> =
        advance::table.filter(advance::id.eq_any(raw)).order(advance::id).select(AdvanceRow::as_select()).load(&mut *tx.db)?;
    rows.into_iter().map(Advance::try_from).collect()
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
        use AdvanceEvent::{Accept, Confirm, Fail, LoseSight, Retry, Send};
        for event in [Send, Accept, Confirm, Fail, LoseSight, Retry] {
            assert!(!matches!(AdvanceState::Confirmed.on(event), Moved::Applied(_)), "{event:?}");
        }
    }

    #[test]
    fn a_new_attempt_starts_only_after_the_last_one_failed_for_good() {
        let may_retry = |state: AdvanceState| matches!(state.on(AdvanceEvent::Retry), Moved::Applied(_));
        assert!(may_retry(AdvanceState::Failed));
        assert!(
            ![AdvanceState::Held, AdvanceState::Sent, AdvanceState::Unknown, AdvanceState::Confirmed].into_iter().any(may_retry)
        );
    }

    #[test]
    fn a_reference_says_whose_attempt_it_is() {
        let id = AdvanceId::of(77);
        assert_eq!(reference_parts(&payment_reference(id, 3)), Some((id, 3)));
        assert_eq!(reference_parts("adv_x-1"), None);
    }
}
