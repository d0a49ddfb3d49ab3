//! An airline files a memo. Everything is checked under the agency's lock, so that the same claim is filed once and a ticket's value claimed once.

use super::answer::{Said, write_step};
use super::record::{Memo, MemoError, MemoRow, MemoTicketRow};
use super::state::{MemoKind, MemoState, MemoStep};
use crate::agencies::{Agency, AgencyStatus, lock_agency};
use crate::airlines::{Airline, TicketNumber, airline};
use crate::audit::Cause;
use crate::catalogue::CarrierCode;
use crate::catalogue::memos::{MemoRule, Memos};
use crate::clock::Timestamp;
use crate::db::schema::{memo, memo_ticket};
use crate::db::{DbError, RowSet, WriteTx, insert};
use crate::ids::{AgencyId, AirlineId, AttachmentId, Id, MemoId};
use crate::money::Money;
use crate::ticketing::{TicketRow, ticket_by_number};
use chrono::Days;
use diesel::prelude::*;

#[derive(Clone, Debug)]
pub struct ClaimedTicket {
    pub number: TicketNumber,
    pub amount: Money,
}

#[derive(Clone, Debug)]
pub struct NewMemo {
    pub kind: MemoKind,
    pub airline: AirlineId,
    pub reason: String,
    pub tickets: Vec<ClaimedTicket>,
    /// The airline's own, of an ADM.
    pub fee: Money,
    pub note: String,
    pub evidence: Vec<AttachmentId>,
}

pub fn claim_memo(tx: &mut WriteTx, memos: &Memos, cause: &Cause, new: &NewMemo) -> Result<Memo, MemoError> {
    let airline = airline(tx.db, new.airline)?.ok_or(MemoError::NoAirline)?;
    if !memos.has(new.kind.reason_of(), &new.reason) {
        return Err(MemoError::Reason(new.reason.clone()));
    }
    if new.tickets.is_empty() || new.tickets.iter().any(|one| one.amount.minor <= 0) || new.fee.is_negative() {
        return Err(MemoError::NotPositive);
    }
    let (agency, tickets) = find_tickets(tx, &airline, new)?;
    let agency = lock_agency(tx, agency)?.ok_or(MemoError::NoTicket { place: 0 })?;
    if agency.status == AgencyStatus::Closed {
        return Err(MemoError::AgencyClosed);
    }
    let rule = rule_for(tx, memos, &airline, &agency, new)?;
    check_unclaimed(tx, new, &tickets)?;
    let claimed = Money::sum(new.fee.currency, new.tickets.iter().map(|one| one.amount))?;
    claimed.checked_add(new.fee)?;
    let id: MemoId = tx.ids.next();
    let row = MemoRow {
        id: id.raw(),
        number: id.to_string(),
        kind: new.kind.text().to_owned(),
        agency_id: agency.id.raw(),
        airline_id: airline.id.raw(),
        currency: claimed.currency.code().to_owned(),
        claimed_minor: claimed.minor,
        fee_minor: new.fee.minor,
        reason: new.reason.clone(),
        status: MemoState::Issued.text().to_owned(),
        version: 1,
        answer_by: Some(end_of_day_after(&agency, tx.now, rule.answer_days).naive()),
        left_secs: None,
        unanswered_at: None,
        decided_minor: None,
        paid_minor: 0,
        cycle: None,
        posting_id: None,
        approval_id: None,
        created_at: tx.now.naive(),
        decided_at: None,
    };
    let named: Vec<MemoTicketRow> =
        tickets.iter().zip(&new.tickets).map(|(ticket, one)| ticket_row(tx, id, ticket, one)).collect();
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    insert(tx, &[RowSet::of(&named)])?;
    let filed = Memo::try_from(row)?;
    let said = Said { note: Some(new.note.clone()), evidence: new.evidence.clone(), ..Said::default() };
    write_step(tx, cause, &filed, MemoStep::Claim, &said)?;
    Ok(filed)
}

fn ticket_row(tx: &WriteTx, memo: MemoId, ticket: &TicketRow, one: &ClaimedTicket) -> MemoTicketRow {
    MemoTicketRow { id: tx.ids.block(1), memo_id: memo.raw(), ticket_id: ticket.id, amount_minor: one.amount.minor }
}

/// The tickets in the order in which they are named, and the agency that sold all of them.
fn find_tickets(tx: &mut WriteTx, airline: &Airline, new: &NewMemo) -> Result<(AgencyId, Vec<TicketRow>), MemoError> {
    let mut tickets: Vec<TicketRow> = Vec::with_capacity(new.tickets.len());
    for (place, one) in new.tickets.iter().enumerate() {
        let number = one.number.text().to_owned();
        if !number.starts_with(&airline.accounting_code) {
            return Err(MemoError::OtherAirline { place, number });
        }
        let ticket = ticket_by_number(tx.db, &one.number)?.ok_or(MemoError::NoTicket { place })?;
        if ticket.airline_id != airline.id.raw() {
            return Err(MemoError::OtherAirline { place, number });
        }
        if tickets.iter().any(|known| known.id == ticket.id) {
            return Err(MemoError::TicketTwice { place, number });
        }
        if tickets.first().is_some_and(|first| first.agency_id != ticket.agency_id) {
            return Err(MemoError::OtherAgency { place });
        }
        let sold = crate::db::stored_currency(&ticket.currency)?;
        if sold != one.amount.currency || sold != new.fee.currency {
            return Err(MemoError::CurrencyMismatch { sold });
        }
        tickets.push(ticket);
    }
    let first = tickets.first().ok_or(MemoError::NotPositive)?;
    Ok((AgencyId::of(first.agency_id), tickets))
}

fn rule_for<'m>(
    tx: &WriteTx,
    memos: &'m Memos,
    airline: &Airline,
    agency: &Agency,
    new: &NewMemo,
) -> Result<&'m MemoRule, MemoError> {
    let (currency, today) = (new.fee.currency, tx.now.date_in(agency.zone));
    let carrier = CarrierCode::parse(&airline.iata_code);
    let carrier = carrier.ok_or_else(|| DbError::Corrupt(format!("carrier code of airline {}", airline.id)))?;
    let rule = memos.rule(new.kind.reason_of(), carrier, currency, today).ok_or(MemoError::NoRule(currency))?;
    // An airline that grants something charges nothing for it.
    let cap = if new.kind == MemoKind::Acm { Money::zero(currency) } else { rule.fee_cap };
    if new.fee.minor > cap.minor { Err(MemoError::FeeCap { cap }) } else { Ok(rule) }
}

/// The same reason for the same ticket is the same claim; all claims of a kind together are not more than the ticket cost. Those that were withdrawn
/// count no more, and of those that were dismissed only the reason does.
fn check_unclaimed(tx: &mut WriteTx, new: &NewMemo, tickets: &[TicketRow]) -> Result<(), MemoError> {
    type Known = (i64, i64, String, String, i64);
    let named: Vec<i64> = tickets.iter().map(|ticket| ticket.id).collect();
    let known = memo_ticket::table.inner_join(memo::table.on(memo::id.eq(memo_ticket::memo_id)));
    let known = known.filter(memo_ticket::ticket_id.eq_any(named)).filter(memo::kind.eq(new.kind.text()));
    let known = known.filter(memo::status.ne(MemoState::Withdrawn.text())).order(memo_ticket::id);
    let columns = (memo::id, memo_ticket::ticket_id, memo::reason, memo::status, memo_ticket::amount_minor);
    let known: Vec<Known> = known.select(columns).load(&mut *tx.db)?;
    for (place, (ticket, one)) in tickets.iter().zip(&new.tickets).enumerate() {
        let of_ticket = || known.iter().filter(|(_, id, ..)| *id == ticket.id);
        let number = ticket.number.clone();
        if let Some((memo, ..)) = of_ticket().find(|(_, _, reason, ..)| *reason == new.reason) {
            return Err(MemoError::Claimed { memo: MemoId::of(*memo), number });
        }
        let price = Money::new(ticket.price_minor, one.amount.currency);
        let counting = of_ticket().filter(|(_, _, _, status, _)| status != MemoState::Dismissed.text());
        let claimed = Money::sum(price.currency, counting.map(|(.., minor)| Money::new(*minor, price.currency)))?;
        let left = price.checked_sub(claimed)?;
        if one.amount.minor > left.minor {
            return Err(MemoError::OverValue { place, number, price, left });
        }
    }
    Ok(())
}

/// The end of the so-many-th day after this one at the point of sale: the first moment of the day that follows it.
fn end_of_day_after(agency: &Agency, now: Timestamp, days: u64) -> Timestamp {
    let today = now.date_in(agency.zone);
    let next = today.checked_add_days(Days::new(days.saturating_add(1))).unwrap_or(today);
    Timestamp::begin_of(next, agency.zone)
}
