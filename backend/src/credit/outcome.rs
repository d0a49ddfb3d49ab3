//! What the bank said about advances, booked once each: an outcome that comes twice, late or for an earlier attempt changes nothing.
//! Locks: facility slices, advances, accounts.

use super::advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceState, AttemptRow, count_down, holds_of, lock_slices, locked, resolve_hold,
    write_back,
};
use super::claim::open_claims_for;
use super::correction::{Cause, Corrector, insert_corrections};
use super::facility::{CONTRADICTED, REFUSED, WRONG_AMOUNT, close_facility, lock_facility};
use super::take_back::{TakeBackRow, on_their_way, resolve_parts};
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::db::{RowSet, WriteTx, insert};
use crate::ids::{AdvanceId, FacilityId, Id};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, HoldRow, Leg, Resolution, open_accounts};
use crate::money::Money;
use crate::notify::emit_all;
use chrono::NaiveDate;
use std::collections::BTreeMap;

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

/// Books what the bank said about any number of attempts. Answers the advances that are resolved by this call: confirmed, or cancelled because
/// their ticket had been voided while they were on their way.
pub fn record_outcomes(tx: &mut WriteTx, actor: Actor, outcomes: &[BankOutcome]) -> Result<Vec<Advance>, AdvanceError> {
    let ids: Vec<AdvanceId> = outcomes.iter().map(|outcome| outcome.advance).collect();
    let slices = lock_slices(tx, &ids)?;
    let mut current: BTreeMap<AdvanceId, Advance> = locked(tx, &ids)?.into_iter().map(|advance| (advance.id, advance)).collect();
    let before: BTreeMap<AdvanceId, AdvanceState> = current.values().map(|advance| (advance.id, advance.state)).collect();
    let mut resolved = Vec::new();
    for outcome in outcomes {
        if current.get(&outcome.advance).is_some_and(is_dropped) {
            // What was taken back is booked before the next word about the rest is heard: how words are grouped changes nothing.
            resolved.extend(book_resolved(tx, actor, &mut current)?);
        }
        if let Some(advance) = current.get_mut(&outcome.advance) {
            hear(tx, advance, outcome)?;
        }
    }
    resolved.extend(book_resolved(tx, actor, &mut current)?);
    count_down(tx, &slices, &resolved.iter().collect::<Vec<_>>())?;
    write_back(tx, current.values())?;
    let moved = current.values().filter(|advance| before.get(&advance.id) != Some(&advance.state));
    emit_all(tx, moved.filter_map(Advance::event).collect())?;
    Ok(resolved)
}

/// It failed after a part of it, or all, had been taken back while it was on its way.
fn is_dropped(advance: &Advance) -> bool {
    advance.state == AdvanceState::Failed && advance.reclaimed.minor > 0
}

fn hear(tx: &mut WriteTx, advance: &mut Advance, outcome: &BankOutcome) -> Result<(), AdvanceError> {
    let is_over = matches!(advance.state, AdvanceState::Cancelled | AdvanceState::SetOff);
    if advance.attempt != outcome.attempt || is_over {
        return match outcome.said {
            BankSaid::Settled { .. } => contradicted(tx, advance, outcome.attempt),
            _ => Ok(()),
        };
    }
    match &outcome.said {
        BankSaid::Settled { amount, credited_at, bank_reference } if *amount == advance.outstanding() => {
            if advance.moves(AdvanceEvent::Confirm) {
                advance.confirmed_at = Some(tx.now);
                advance.credited_at = Some(*credited_at);
                advance.bank_reference = Some(bank_reference.clone());
                advance.detail = None;
            }
            Ok(())
        }
        BankSaid::Settled { amount, .. } => wrong_amount(tx, advance, *amount),
        BankSaid::Accepted => {
            // What was noted stays: this may be the answer to the order, overtaken by a settlement at a wrong amount.
            advance.moves(AdvanceEvent::Accept);
            Ok(())
        }
        BankSaid::Nothing { reason } => {
            if advance.moves(AdvanceEvent::LoseSight) {
                advance.detail = Some(reason.clone());
            }
            Ok(())
        }
        BankSaid::Refused { reason } => refused(tx, advance, reason),
    }
}

/// The bank moved another amount than it was told: nothing is booked, no new attempt is made and the facility takes no new holds until a person
/// has settled it with the bank.
fn wrong_amount(tx: &mut WriteTx, advance: &mut Advance, settled: Money) -> Result<(), AdvanceError> {
    if advance.state == AdvanceState::Confirmed {
        return Ok(());
    }
    advance.moves(AdvanceEvent::LoseSight);
    let ordered = advance.outstanding();
    advance.detail = Some(format!("the bank settled {settled:?} instead of {ordered:?}"));
    tracing::error!(advance = %advance.id, ?settled, ?ordered, "bank settled another amount");
    if let Some(facility) = advance.facility {
        close_facility(tx, facility, WRONG_AMOUNT)?;
    }
    Ok(())
}

/// The bank paid an attempt that it had refused for good, while a later attempt is under way or paid or nothing is owed any more: the airline may
/// have been paid what it should not have.
fn contradicted(tx: &mut WriteTx, advance: &Advance, attempt: i64) -> Result<(), AdvanceError> {
    tracing::error!(advance = %advance.id, attempt, current = advance.attempt, "bank settled an attempt that it had refused");
    if let Some(facility) = advance.facility {
        close_facility(tx, facility, CONTRADICTED)?;
    }
    Ok(())
}

fn refused(tx: &mut WriteTx, advance: &mut Advance, reason: &str) -> Result<(), AdvanceError> {
    if !advance.moves(AdvanceEvent::Fail) {
        return Ok(());
    }
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

/// One posting per advance that was confirmed (the hold becomes the draw, or client cash pays), and for one that failed after parts of it had been
/// taken back one per part: what was claimed from the airline it never got.
fn book_resolved(
    tx: &mut WriteTx,
    actor: Actor,
    current: &mut BTreeMap<AdvanceId, Advance>,
) -> Result<Vec<Advance>, AdvanceError> {
    let confirmed = |advance: &Advance| advance.state == AdvanceState::Confirmed;
    let mut to_book: Vec<&mut Advance> =
        current.values_mut().filter(|one| one.is_unresolved() && (confirmed(one) || is_dropped(one))).collect();
    if to_book.is_empty() {
        return Ok(Vec::new());
    }
    let parts = parts_of(tx, &to_book)?;
    let correctors = dated_back(tx, &to_book)?;
    let (mut book, holds) = load(tx, &to_book, &correctors)?;
    let (mut certain, mut resolved) = (Vec::new(), Vec::new());
    for advance in &mut to_book {
        let reclaimed = std::mem::replace(&mut advance.reclaimed, Money::zero(advance.amount.currency));
        if confirmed(advance) {
            let amount = advance.outstanding();
            resolve_hold(tx, &mut book, &holds, advance, Resolution::Post(amount))?;
            let legs = vec![Leg::debit(advance.payable_account(), amount), Leg::credit(advance.payer_account(), amount)?];
            let draft = Draft { event: Event::AdvanceConfirmed, reference: advance.ticket.raw(), contract: None, actor, legs };
            book.post(tx, &draft)?;
            advance.resolved_at = Some(tx.now);
            certain.extend((reclaimed.minor > 0).then_some((advance.ticket, advance.airline, reclaimed)));
        } else {
            resolve_hold(tx, &mut book, &holds, advance, Resolution::Release(reclaimed))?;
            for part in parts.iter().filter(|part| part.advance_id == Some(advance.id.raw())) {
                drop_part(tx, &mut book, actor, advance, part)?;
            }
            advance.cancelled = advance.cancelled.checked_add(reclaimed)?;
            if advance.outstanding().minor == 0 && advance.moves(AdvanceEvent::Cancel) {
                advance.resolved_at = Some(tx.now);
            }
        }
        resolved.extend(advance.resolved_at.is_some().then(|| (**advance).clone()));
    }
    let mut corrections = Vec::new();
    for corrector in correctors {
        corrections.extend(corrector.post(tx, actor, &mut book)?);
    }
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert_corrections(tx, &corrections)?;
    resolve_parts(tx, &parts)?;
    open_claims_for(tx, &certain)?;
    Ok(resolved)
}

/// What was taken back of these advances while they were on their way; nothing is read where nothing was.
fn parts_of(tx: &mut WriteTx, advances: &[&mut Advance]) -> Result<Vec<TakeBackRow>, AdvanceError> {
    let reclaimed: Vec<AdvanceId> = advances.iter().filter(|one| one.reclaimed.minor > 0).map(|one| one.id).collect();
    if reclaimed.is_empty() { Ok(Vec::new()) } else { Ok(on_their_way(tx.db, &reclaimed)?) }
}

/// The day from which the bank counts interest: when it credited the airline, which is neither before the order left nor after today.
fn value_date(tx: &WriteTx, advance: &Advance) -> NaiveDate {
    let day = |at: Timestamp| at.date_in(tx.zone);
    let sent = advance.sent_at.map_or(tx.ledger_date, day).min(tx.ledger_date);
    advance.credited_at.map_or(tx.ledger_date, day).clamp(sent, tx.ledger_date)
}

/// Draws that the bank made on an earlier day than they are booked on, line by line.
fn dated_back(tx: &mut WriteTx, advances: &[&mut Advance]) -> Result<Vec<Corrector>, AdvanceError> {
    let mut late: BTreeMap<FacilityId, Vec<(NaiveDate, AdvanceId, Money)>> = BTreeMap::new();
    for advance in advances.iter().filter(|one| one.state == AdvanceState::Confirmed) {
        let value_date = value_date(tx, advance);
        if let Some(facility) = advance.facility.filter(|_| value_date < tx.ledger_date) {
            late.entry(facility).or_default().push((value_date, advance.id, advance.outstanding()));
        }
    }
    let mut correctors = Vec::with_capacity(late.len());
    for (facility, mut draws) in late {
        draws.sort_unstable_by_key(|(value_date, id, _)| (*value_date, *id));
        let since = draws.first().map_or(tx.ledger_date, |(value_date, ..)| *value_date);
        let line = lock_facility(tx, facility)?;
        let mut corrector = Corrector::read(tx, &line, since)?;
        for (value_date, id, amount) in draws {
            corrector.moves(tx, Cause::draw(id), amount, value_date)?;
        }
        correctors.push(corrector);
    }
    Ok(correctors)
}

fn load(tx: &mut WriteTx, advances: &[&mut Advance], correctors: &[Corrector]) -> Result<(Book, Vec<HoldRow>), AdvanceError> {
    let accounts = |one: &&mut Advance| [one.payer_account(), one.payable_account(), one.receivable_account()];
    let mut keys: Vec<AccountKey> = advances.iter().flat_map(accounts).collect();
    if !advances.iter().any(|one| is_dropped(one)) {
        // The account of claims is only touched when something is taken back.
        keys.retain(|key| key.code != AccountCode::AirlineReceivable);
    }
    keys.extend(correctors.iter().flat_map(Corrector::accounts));
    keys.sort_by_key(|key| (key.code, key.owner, key.currency.code().to_owned(), key.detail.clone()));
    keys.dedup();
    let accounts = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &accounts)?;
    let holds = holds_of(tx, &advances.iter().map(|one| &**one).collect::<Vec<_>>())?;
    Ok((book, holds))
}

fn drop_part(tx: &mut WriteTx, book: &mut Book, actor: Actor, advance: &Advance, part: &TakeBackRow) -> Result<(), AdvanceError> {
    let amount = Money::new(part.on_its_way_minor, advance.amount.currency);
    let legs = vec![Leg::debit(advance.payable_account(), amount), Leg::credit(advance.receivable_account(), amount)?];
    book.post(tx, &Draft { event: Event::AdvanceReclaimDropped, reference: part.reference_id, contract: None, actor, legs })?;
    Ok(())
}
