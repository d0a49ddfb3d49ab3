//! What happens to a quoted refund: confirmed by its agency, decided by a person of the operator where its kind needs one, paid out where its wallet
//! had to wait. Each twice is once: the agency's lock is where two of them meet.

use super::application::{Application, ApplicationRow, RefundEvent, RefundMoved, RefundStatus, refund_application};
use super::error::RefundError;
use super::legs::RefundTerms;
use super::price::{is_refundable, not_refundable, supplement};
use super::quote::{contract_of, issued_order, posted_before};
use super::settle::{Settled, coupons_of, pay_out, settle};
use crate::agencies::{Agency, FreezeScope, agency};
use crate::audit::{self, Cause};
use crate::catalogue::calendar::Calendar;
use crate::clock::Timestamp;
use crate::db::{Change, Contended, DbError, WriteTx, lock, update};
use crate::ids::{AgencyId, Id, OrderId, RefundApplicationId};
use crate::money::{Currency, Money};
use crate::notify::{EventType, NewEvent, emit};
use crate::ticketing::ticket::IssuedOrder;

/// An airline gives money back within so many working days of a valid application.
pub const REFUND_WORKING_DAYS: u32 = 7;
/// Whose working days, and where they begin and end.
const COUNTRY: &str = "CN";
const ZONE: chrono_tz::Tz = chrono_tz::Asia::Shanghai;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundDecision {
    Approve,
    Reject,
}

/// Reads an application again once its agency is locked.
fn locked(tx: &mut WriteTx, id: RefundApplicationId) -> Result<Application, RefundError> {
    let known = refund_application(tx.db, id)?.ok_or(RefundError::NotFound)?;
    lock(tx, Contended::Agency, &[known.row.agency_id])?;
    refund_application(tx.db, id)?.ok_or(RefundError::NotFound)
}

fn seller(tx: &mut WriteTx, application: &Application) -> Result<Agency, RefundError> {
    agency(tx.db, AgencyId::of(application.row.agency_id))?.ok_or(RefundError::NotFound)
}

/// Of an agency whose refunds are not frozen.
fn refunding_seller(tx: &mut WriteTx, application: &Application) -> Result<Agency, RefundError> {
    let seller = seller(tx, application)?;
    if seller.frozen.has(FreezeScope::Refund) { Err(RefundError::Frozen) } else { Ok(seller) }
}

/// Confirms a quote: refunded at once, or submitted where a person decides. What was confirmed before is answered as it is.
pub fn confirm_refund(
    tx: &mut WriteTx,
    calendar: &Calendar,
    cause: &Cause,
    id: RefundApplicationId,
    expected: Money,
) -> Result<Application, RefundError> {
    let mut application = locked(tx, id)?;
    let (kind, status) = (application.row.kind()?, application.row.status()?);
    let refund = Money::new(application.row.refund_minor, Currency::parse(&application.row.currency)?);
    if expected != refund {
        return Err(RefundError::AmountDiffers { refund, expected });
    }
    match status.on(RefundEvent::Submit) {
        RefundMoved::AlreadyApplied => return Ok(application),
        RefundMoved::Refused => return Err(RefundError::InvalidState { status: status.text() }),
        RefundMoved::Applied(_) => {}
    }
    let expires_at = Timestamp::from(application.row.expires_at);
    if tx.now >= expires_at {
        return Err(RefundError::QuoteExpired { at: expires_at });
    }
    let seller = refunding_seller(tx, &application)?;
    let issued = issued_order(tx.db, OrderId::of(application.row.order_id))?;
    recheck(tx, &issued, &mut application)?;
    application.row.applied_at = Some(tx.now.naive());
    application.row.due_at = Some(calendar.end_of_working_day_after(COUNTRY, tx.now, REFUND_WORKING_DAYS, ZONE).naive());
    if kind.needs_decision() {
        RefundStatus::Submitted.text().clone_into(&mut application.row.status);
    } else {
        settle_now(tx, cause, &seller, &issued, &mut application)?;
    }
    write(tx, &application)?;
    audit::record(tx, cause, "refund.confirm", id)?;
    tell(tx, cause, &application.row)?;
    Ok(application)
}

/// A person of the operator approves or rejects a submitted application. Decided again in the same way, it is answered as it is.
pub fn decide_refund(
    tx: &mut WriteTx,
    cause: &Cause,
    id: RefundApplicationId,
    decision: &RefundDecision,
    note: Option<&str>,
) -> Result<Application, RefundError> {
    let mut application = locked(tx, id)?;
    let status = application.row.status()?;
    let event = match decision {
        RefundDecision::Approve => RefundEvent::Wait,
        RefundDecision::Reject => RefundEvent::Reject,
    };
    match status.on(event) {
        RefundMoved::AlreadyApplied => return Ok(application),
        RefundMoved::Applied(_) if status == RefundStatus::Submitted => {}
        RefundMoved::Applied(_) | RefundMoved::Refused => return Err(RefundError::InvalidState { status: status.text() }),
    }
    application.row.decided_at = Some(tx.now.naive());
    application.row.decided_by_key_id = Some(cause.actor.by.stored());
    application.row.decision_note = note.map(str::to_owned);
    match decision {
        RefundDecision::Approve => {
            let seller = refunding_seller(tx, &application)?;
            let issued = issued_order(tx.db, OrderId::of(application.row.order_id))?;
            recheck(tx, &issued, &mut application)?;
            settle_now(tx, cause, &seller, &issued, &mut application)?;
        }
        RefundDecision::Reject => {
            RefundStatus::Rejected.text().clone_into(&mut application.row.status);
            application.row.completed_at = Some(tx.now.naive());
        }
    }
    write(tx, &application)?;
    let action = if *decision == RefundDecision::Approve { "refund.approve" } else { "refund.reject" };
    audit::record(tx, cause, action, id)?;
    tell(tx, cause, &application.row)?;
    Ok(application)
}

/// What became of an application.
fn tell(tx: &mut WriteTx, cause: &Cause, row: &ApplicationRow) -> Result<(), DbError> {
    let kind = match row.status()? {
        RefundStatus::Submitted => EventType::RefundSubmitted,
        RefundStatus::AwaitingAirlineFunds => EventType::RefundAwaitsAirlineFunds,
        RefundStatus::Refunded => EventType::RefundSettled,
        RefundStatus::Rejected => EventType::RefundRejected,
        RefundStatus::Quoted => return Ok(()),
    };
    emit(tx, about(kind, cause, row))
}

fn about(kind: EventType, cause: &Cause, row: &ApplicationRow) -> NewEvent {
    let event = NewEvent::new(kind, RefundApplicationId::of(row.id)).of_agency(AgencyId::of(row.agency_id));
    event.naming("order_id", OrderId::of(row.order_id)).caused_by(&cause.request_id)
}

/// Under the agency's lock, what was quoted is still there: its coupons are open, or as much as is asked was kept of what was paid.
fn recheck(tx: &mut WriteTx, issued: &IssuedOrder, application: &mut Application) -> Result<(), RefundError> {
    let before = posted_before(tx.db, issued)?;
    let kind = application.row.kind()?;
    for coupon in coupons_of(issued, application) {
        if !is_refundable(&before, kind, coupon)? {
            let ticket = issued.tickets.iter().find(|ticket| ticket.id == coupon.ticket_id).ok_or(RefundError::NotFound)?;
            return Err(not_refundable(ticket, coupon));
        }
    }
    if application.coupons.is_empty() {
        let contract = contract_of(tx.db, issued)?;
        let amount = Money::new(application.row.refund_minor, Currency::parse(&application.row.currency)?);
        let Some(row) = application.tickets.first_mut() else { return Err(RefundError::NotFound) };
        let ticket = issued.tickets.iter().find(|ticket| ticket.id == row.ticket_id).ok_or(RefundError::NotFound)?;
        // Another second amount may have been given back in between.
        let legs = supplement(&before, ticket, RefundTerms::of(&contract), amount)?;
        (row.airline_minor, row.commission_minor, row.fee_minor) = (legs.airline.minor, legs.commission.minor, legs.fee.minor);
        let values = vec![row.airline_minor.into(), row.commission_minor.into(), row.fee_minor.into()];
        update(tx, "refund_ticket", &["airline_minor", "commission_minor", "fee_minor"], &[Change { id: row.id, values }])?;
    }
    Ok(())
}

fn settle_now(
    tx: &mut WriteTx,
    cause: &Cause,
    seller: &Agency,
    issued: &IssuedOrder,
    application: &mut Application,
) -> Result<(), RefundError> {
    let settled = settle(tx, cause, seller, issued, application)?;
    mark(tx, application, settled)
}

fn mark(tx: &WriteTx, application: &mut Application, settled: Settled) -> Result<(), RefundError> {
    let status = application.row.status()?;
    let (event, short) = match settled {
        Settled::Paid => (RefundEvent::Settle, None),
        Settled::Waits { short } => (RefundEvent::Wait, Some(short.minor)),
    };
    application.row.short_minor = short;
    match status.on(event) {
        RefundMoved::Applied(next) => next.text().clone_into(&mut application.row.status),
        RefundMoved::AlreadyApplied => {}
        RefundMoved::Refused => return Err(RefundError::InvalidState { status: status.text() }),
    }
    if settled == Settled::Paid {
        application.row.completed_at = Some(tx.now.naive());
    }
    Ok(())
}

/// Pays an application out that waits for the airline's money, if it is covered now; answers it as it is then.
pub fn complete_refund(tx: &mut WriteTx, cause: &Cause, id: RefundApplicationId) -> Result<Application, RefundError> {
    let mut application = locked(tx, id)?;
    if application.row.status()? != RefundStatus::AwaitingAirlineFunds {
        return Ok(application);
    }
    let before = application.row.clone();
    let settled = pay_out(tx, cause.actor, &application)?;
    mark(tx, &mut application, settled)?;
    if application.row != before {
        write(tx, &application)?;
    }
    if settled == Settled::Paid {
        audit::record(tx, cause, "refund.complete", id)?;
        tell(tx, cause, &application.row)?;
    }
    Ok(application)
}

/// Notes once that an application is overdue.
pub fn note_overdue(tx: &mut WriteTx, cause: &Cause, id: RefundApplicationId) -> Result<Application, RefundError> {
    let mut application = locked(tx, id)?;
    if application.row.overdue_at.is_none() && application.row.is_overdue(tx.now) {
        application.row.overdue_at = Some(tx.now.naive());
        write(tx, &application)?;
        audit::record(tx, cause, "refund.overdue", id)?;
        emit(tx, about(EventType::RefundOverdue, cause, &application.row))?;
    }
    Ok(application)
}

const COLUMNS: &[&str] = &[
    "status",
    "applied_at",
    "due_at",
    "overdue_at",
    "decided_at",
    "decided_by_key_id",
    "decision_note",
    "short_minor",
    "completed_at",
];

/// Everything about an application that can change.
fn write(tx: &mut WriteTx, application: &Application) -> Result<(), DbError> {
    let row = application.row.clone();
    let values = vec![
        row.status.into(),
        row.applied_at.into(),
        row.due_at.into(),
        row.overdue_at.into(),
        row.decided_at.into(),
        row.decided_by_key_id.into(),
        row.decision_note.into(),
        row.short_minor.into(),
        row.completed_at.into(),
    ];
    update(tx, "refund_application", COLUMNS, &[Change { id: row.id, values }]).map(drop)
}
