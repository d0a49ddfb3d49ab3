//! Advances that leave for the bank. Before one leaves, open claims on its airline are set off against it, where the contract of the claim's
//! ticket says so: never in the sale, and never on an advance that was sent. What is paid with own money waits while that is short.
//! Locks: facility slices, advances, claims, accounts; all but the advances only where there is a claim.

use super::advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceState, Funding, Moved, count_down, holds_of, lock_slices, locked, resolve_hold,
    write_back,
};
use super::airline_cap::watch_airlines;
use super::airline_terms::own_money_on_its_way;
use super::claim::{Claim, SettlementRow, has_claims_to_set_off, lock_claims_to_set_off, write_settled};
use crate::airlines::last_payee_changes;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::db::{Cell, Change, RowSet, WriteTx, insert, update};
use crate::ids::{AdvanceId, Id};
use crate::ledger::{AccountKey, Book, Draft, Event, Leg, Purse, Resolution, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{PAY_ADVANCE, done_about, emit_all};
use chrono::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// Marks these attempts as sent; answers those that may now go to the bank (first time, or again under the same reference).
/// A failed advance becomes the next attempt first. What claims pay entirely does not go.
pub fn start_sending(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<Advance>, AdvanceError> {
    let set_off = has_claims_to_set_off(tx.db)?;
    let slices = if set_off { lock_slices(tx, ids)? } else { Vec::new() };
    let mut advances = locked(tx, ids)?;
    for advance in &mut advances {
        if advance.moves(AdvanceEvent::Retry) {
            advance.attempt += 1;
        }
    }
    if set_off {
        set_off_claims(tx, &slices, &mut advances)?;
    }
    let payees = last_payee_changes(tx.db)?;
    let mut own = own_money(tx, &advances)?;
    let (mut sending, mut waiting) = (Vec::new(), Vec::new());
    let mut changes = Vec::new();
    for mut advance in advances {
        if let Some(short) = own.lacks(&advance)? {
            let reason = format!("the own account is short of {short}");
            waiting.push((advance.id, tx.now.plus(AGAIN), reason));
            continue;
        }
        match advance.state.on(AdvanceEvent::Send) {
            Moved::Applied(state) if advance.state == AdvanceState::Held => {
                advance.state = state;
                advance.sent_at = Some(tx.now);
                advance.payee_change = payees.get(&advance.airline).copied();
                let payee = advance.payee_change.map(Id::raw);
                let values =
                    vec![state.text().into(), advance.attempt.into(), tx.now.naive().into(), Cell::Text(None), payee.into()];
                changes.push(Change { id: advance.id.raw(), values });
            }
            // Sent or lost sight of before: the bank is asked about the same reference, nothing changes here.
            Moved::Applied(_) | Moved::AlreadyApplied => {}
            Moved::Refused => continue,
        }
        sending.push(advance);
    }
    update(tx, "advance", &["state", "attempt", "sent_at", "detail", "payee_change_id"], &changes)?;
    waits(tx, &waiting)?;
    Ok(sending)
}

/// When a payment that own money is short for is looked at again.
const AGAIN: Duration = Duration::minutes(1);

/// Own money that may still leave, by currency.
struct OwnMoney(BTreeMap<Currency, Money>);

/// What is there less what is on its way. Its accounts are locked, so that nobody else pays with it meanwhile.
fn own_money(tx: &mut WriteTx, advances: &[Advance]) -> Result<OwnMoney, AdvanceError> {
    let held = advances.iter().filter(|one| one.funding == Funding::Own && one.state == AdvanceState::Held);
    let currencies: BTreeSet<Currency> = held.map(|one| one.amount.currency).collect();
    if currencies.is_empty() {
        return Ok(OwnMoney(BTreeMap::new()));
    }
    let keys: Vec<AccountKey> = currencies.iter().map(|currency| AccountKey::cash(Purse::Own, *currency)).collect();
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    let mut free = BTreeMap::new();
    for (currency, key) in currencies.into_iter().zip(&keys) {
        free.insert(currency, book.balance(key).checked_sub(own_money_on_its_way(tx.db, currency)?)?);
    }
    Ok(OwnMoney(free))
}

impl OwnMoney {
    /// What is missing for this one; where nothing is, it takes what it needs.
    fn lacks(&mut self, advance: &Advance) -> Result<Option<Money>, MoneyError> {
        let is_new = advance.funding == Funding::Own && advance.state == AdvanceState::Held;
        let Some(free) = self.0.get_mut(&advance.amount.currency).filter(|_| is_new) else { return Ok(None) };
        let left = free.checked_sub(advance.outstanding())?;
        if left.is_negative() {
            return Ok(Some(left.checked_neg()?));
        }
        *free = left;
        Ok(None)
    }
}

/// These are not sent before that time, for this reason; each is looked at again meanwhile.
pub fn waits(tx: &mut WriteTx, waiting: &[(AdvanceId, Timestamp, String)]) -> Result<(), AdvanceError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let ids: Vec<AdvanceId> = waiting.iter().map(|(id, ..)| *id).collect();
    let held: Vec<AdvanceId> =
        locked(tx, &ids)?.into_iter().filter(|one| one.state == AdvanceState::Held).map(|one| one.id).collect();
    let change = |(id, until, reason): &(AdvanceId, Timestamp, String)| Change {
        id: id.raw(),
        values: vec![Some(until.naive()).into(), Some(reason.clone()).into()],
    };
    let changes: Vec<Change> = waiting.iter().filter(|(id, ..)| held.contains(id)).map(change).collect();
    update(tx, "advance", &["waits_until", "detail"], &changes)?;
    Ok(())
}

/// After a restore: the bank has these attempts already, whatever is known here. They are on their way as they were sent, and nothing is set off
/// against them.
pub fn adopt_attempts(tx: &mut WriteTx, attempts: &[(AdvanceId, i64)]) -> Result<(), AdvanceError> {
    let ids: Vec<AdvanceId> = attempts.iter().map(|(id, _)| *id).collect();
    let advances = locked(tx, &ids)?;
    let mut changes = Vec::new();
    for mut advance in advances {
        let Some((_, attempt)) = attempts.iter().find(|(id, _)| *id == advance.id) else { continue };
        if *attempt > advance.attempt {
            advance.moves(AdvanceEvent::Retry);
        }
        let sent = advance.moves(AdvanceEvent::Send);
        let sent_at = advance.sent_at.filter(|_| !sent).unwrap_or(tx.now);
        let values =
            vec![advance.state.text().into(), (*attempt).max(advance.attempt).into(), sent_at.naive().into(), Cell::Text(None)];
        changes.push(Change { id: advance.id.raw(), values });
    }
    update(tx, "advance", &["state", "attempt", "sent_at", "detail"], &changes)?;
    Ok(())
}

/// A part of an advance that a part of a claim pays.
struct Part {
    advance: usize,
    claim: usize,
    amount: Money,
}

fn set_off_claims(tx: &mut WriteTx, slices: &[i64], advances: &mut [Advance]) -> Result<(), AdvanceError> {
    let held = |advance: &&Advance| advance.state == AdvanceState::Held;
    let airlines: Vec<_> = advances.iter().filter(held).map(|advance| advance.airline).collect();
    let mut claims = lock_claims_to_set_off(tx, &airlines)?;
    let parts = match_claims(advances, &mut claims)?;
    if parts.is_empty() {
        return Ok(());
    }
    let mut touched: Vec<usize> = parts.iter().map(|part| part.advance).collect();
    touched.dedup();
    let reduced: Vec<&Advance> = touched.iter().filter_map(|index| advances.get(*index)).collect();
    let accounts = |one: &&Advance| [one.payer_account(), one.payable_account(), one.receivable_account()];
    let mut keys: Vec<AccountKey> = reduced.iter().flat_map(accounts).collect();
    // Own money that is looked at afterwards is locked here, in the order of all accounts.
    keys.extend(advances.iter().filter(|one| one.funding == Funding::Own).map(Advance::payer_account));
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    let holds = holds_of(tx, &reduced)?;
    let mut settlements = Vec::with_capacity(parts.len());
    for part in &parts {
        let (Some(advance), Some(claim)) = (advances.get(part.advance), claims.get(part.claim)) else { continue };
        let id = tx.ids.block(1);
        let legs =
            vec![Leg::debit(advance.payable_account(), part.amount), Leg::credit(advance.receivable_account(), part.amount)?];
        let draft = Draft { event: Event::ClaimSetOff, reference: id, contract: None, actor: Actor::platform(), legs };
        let posting = book.post(tx, &draft)?;
        settlements.push(SettlementRow {
            id,
            claim_id: claim.id.raw(),
            advance_id: Some(advance.id.raw()),
            receipt_id: None,
            amount_minor: part.amount.minor,
            posting_id: posting.raw(),
            created_at: tx.now.naive(),
        });
    }
    for index in &touched {
        let Some(advance) = advances.get(*index) else { continue };
        let released = parts.iter().filter(|part| part.advance == *index).map(|part| part.amount);
        let released = Money::sum(advance.amount.currency, released)?;
        resolve_hold(tx, &mut book, &holds, advance, Resolution::Release(released))?;
    }
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    insert(tx, &[RowSet::of(&settlements)])?;
    write_settled(tx, &claims)?;
    let owing = touched.iter().filter_map(|index| advances.get(*index)).map(|one| (one.airline, one.amount.currency));
    let owing: Vec<_> = owing.collect();
    watch_airlines(tx, &owing)?;
    finish_set_off(tx, slices, advances, &touched)
}

/// What is wholly set off is over: it does not count as in flight and has no message any more.
fn finish_set_off(tx: &mut WriteTx, slices: &[i64], advances: &mut [Advance], touched: &[usize]) -> Result<(), AdvanceError> {
    for index in touched {
        let Some(advance) = advances.get_mut(*index) else { continue };
        if advance.outstanding().minor == 0 && advance.moves(AdvanceEvent::SetOff) {
            advance.resolved_at = Some(tx.now);
        }
    }
    let changed: Vec<&Advance> = touched.iter().filter_map(|index| advances.get(*index)).collect();
    let over: Vec<&Advance> = changed.iter().copied().filter(|advance| !advance.is_unresolved()).collect();
    count_down(tx, slices, &over)?;
    write_back(tx, changed.into_iter())?;
    let subjects: Vec<i64> = over.iter().map(|advance| advance.id.raw()).collect();
    done_about(tx, PAY_ADVANCE, &subjects)?;
    let events = over.iter().filter_map(|advance| advance.event()).collect();
    emit_all(tx, events)?;
    Ok(())
}

/// Oldest claim first, advance by advance. Both are changed to what is left of them.
fn match_claims(advances: &mut [Advance], claims: &mut [Claim]) -> Result<Vec<Part>, AdvanceError> {
    let mut parts = Vec::new();
    for (place, advance) in advances.iter_mut().enumerate() {
        if advance.state != AdvanceState::Held {
            continue;
        }
        for (index, claim) in claims.iter_mut().enumerate() {
            let same = claim.airline == advance.airline && claim.amount.currency == advance.amount.currency;
            let minor = claim.open().minor.min(advance.outstanding().minor);
            if !same || minor == 0 {
                continue;
            }
            let amount = Money::new(minor, advance.amount.currency);
            claim.settled = claim.settled.checked_add(amount)?;
            advance.set_off = advance.set_off.checked_add(amount)?;
            parts.push(Part { advance: place, claim: index, amount });
        }
    }
    Ok(parts)
}
