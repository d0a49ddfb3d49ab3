//! The cancellation of an order as existing distribution clients know it: quoted, then confirmed. Inside the void window, as long as every coupon is open, it is a void;
//! after that a refund of whatever can still be refunded: by the ladder of the fare, or whole where the airline changed a flight and nobody accepted that.

use super::airline_change::{AirlineChange, AirlineChangeError, give_back_for_change, waives_penalty};
use super::refund::{
    Application, RefundDecision, RefundError, RefundKind, RefundRequest, confirm_refund, decide_refund, quote_refund,
    refund_application,
};
use super::void::{CancellationRow, VoidError, about, cancellation, confirm_void, quote_void};
use crate::audit::{self, Cause};
use crate::catalogue::Catalogue;
use crate::clock::Timestamp;
use crate::db::schema::order_cancellation;
use crate::db::{Change, Contended, Db, DbError, RowSet, WriteTx, insert, lock, update};
use crate::ids::{AirlineChangeId, CancellationId, Id, OrderId, RefundApplicationId, ScheduleChangeId};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, emit};
use chrono::NaiveDateTime;
use diesel::prelude::*;

#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error(transparent)]
    Void(#[from] VoidError),
    #[error(transparent)]
    Refund(#[from] RefundError),
    #[error(transparent)]
    Change(#[from] AirlineChangeError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// A cancellation or its quote, with the refund that it is, where it is no void.
#[derive(Clone, Debug)]
pub struct Cancellation {
    pub row: CancellationRow,
    pub refund: Option<Application>,
}

/// What a cancellation would give back, and until when it can be confirmed. Nothing is reserved.
pub fn quote_cancellation(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    id: OrderId,
) -> Result<Cancellation, CancelError> {
    match quote_void(tx, catalogue, cause, id) {
        Ok(row) => return Ok(Cancellation { row, refund: None }),
        Err(VoidError::WindowClosed { .. } | VoidError::CouponNotOpen { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    if let Some(at) = confirmed_at(tx.db, id)? {
        return Err(VoidError::AlreadyCancelled { at }.into());
    }
    let changed = waives_penalty(tx.db, id)?;
    let request = RefundRequest {
        order: id,
        kind: if changed.is_some() { RefundKind::Involuntary } else { RefundKind::Voluntary },
        tickets: Vec::new(),
        amount: None,
        reason: changed.map(|change| change.schedule.reason),
        evidence: Vec::new(),
    };
    let quoted = quote_refund(tx, catalogue, cause, &request)?;
    let row = CancellationRow {
        id: tx.ids.next::<CancellationId>().raw(),
        order_id: id.raw(),
        agency_id: quoted.row.agency_id,
        refund_minor: quoted.row.refund_minor,
        currency: quoted.row.currency.clone(),
        expires_at: quoted.row.expires_at,
        created_at: tx.now.naive(),
        confirmed_at: None,
        application_id: Some(quoted.row.id),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    audit::record(tx, cause, "order.quote_cancellation", CancellationId::of(row.id))?;
    emit(tx, about(EventType::OrderCancellationCreated, cause, &row))?;
    Ok(Cancellation { row, refund: Some(quoted) })
}

/// When an order was cancelled by a refund.
fn confirmed_at(db: &mut Db, order: OrderId) -> Result<Option<NaiveDateTime>, DbError> {
    let of_order = order_cancellation::table.filter(order_cancellation::order_id.eq(order.raw()));
    let confirmed = of_order.filter(order_cancellation::confirmed_at.is_not_null());
    let at: Option<Option<NaiveDateTime>> = confirmed.select(order_cancellation::confirmed_at).first(db).optional()?;
    Ok(at.flatten())
}

/// Voids or refunds the order of a quote. A quote that was confirmed before is answered as it is.
pub fn confirm_cancellation(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    id: CancellationId,
) -> Result<Cancellation, CancelError> {
    let known = cancellation(tx.db, id)?.ok_or(VoidError::NotFound)?;
    let Some(application) = known.application_id.map(RefundApplicationId::of) else {
        return Ok(Cancellation { row: confirm_void(tx, catalogue, cause, id)?, refund: None });
    };
    lock(tx, Contended::Agency, &[known.agency_id])?;
    // Again, now that the agency is locked: two confirmations at once meet here.
    let quote = cancellation(tx.db, id)?.ok_or(VoidError::NotFound)?;
    if quote.confirmed_at.is_some() {
        return with_refund(tx.db, quote);
    }
    if let Some(at) = confirmed_at(tx.db, OrderId::of(quote.order_id))? {
        return Err(VoidError::AlreadyCancelled { at }.into());
    }
    let expected = Money::new(quote.refund_minor, Currency::parse(&quote.currency)?);
    let change = waived_by(tx.db, application)?;
    let mut refund = confirm_refund(tx, &catalogue.calendar, cause, application, expected)?;
    if let Some(change) = change {
        // The airline has filed the change itself, which leaves nobody anything to decide.
        let note = format!("the airline changed the flight: {}", ScheduleChangeId::of(change.schedule.id));
        refund = decide_refund(tx, cause, application, &RefundDecision::Approve, Some(&note))?;
        match give_back_for_change(tx, cause, AirlineChangeId::of(change.row.id)) {
            // A coupon of it that the airline controls stays where it is, and the change open.
            Ok(_) | Err(AirlineChangeError::NotGivenBack { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let confirmed = CancellationRow { confirmed_at: Some(tx.now.naive()), ..quote };
    let change = Change { id: confirmed.id, values: vec![confirmed.confirmed_at.into()] };
    update(tx, "order_cancellation", &["confirmed_at"], &[change])?;
    audit::record(tx, cause, "order.refund", OrderId::of(confirmed.order_id))?;
    emit(tx, about(EventType::OrderCancellationConfirmed, cause, &confirmed))?;
    Ok(Cancellation { row: confirmed, refund: Some(refund) })
}

/// The airline's change that makes a quoted refund an involuntary one; whoever has accepted it meanwhile quotes anew.
fn waived_by(db: &mut Db, application: RefundApplicationId) -> Result<Option<AirlineChange>, CancelError> {
    let quoted = refund_application(db, application)?.ok_or(RefundError::NotFound)?;
    if quoted.row.kind()? != RefundKind::Involuntary {
        return Ok(None);
    }
    let expired = || RefundError::QuoteExpired { at: Timestamp::from(quoted.row.expires_at) };
    let change = waives_penalty(db, OrderId::of(quoted.row.order_id))?.ok_or_else(expired)?;
    Ok(Some(change))
}

/// A cancellation with the refund that it is.
pub fn with_refund(db: &mut Db, row: CancellationRow) -> Result<Cancellation, CancelError> {
    let refund = match row.application_id {
        Some(id) => refund_application(db, RefundApplicationId::of(id))?,
        None => None,
    };
    Ok(Cancellation { row, refund })
}
