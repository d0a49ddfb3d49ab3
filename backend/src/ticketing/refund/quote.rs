//! The quote of a refund: what comes back, who gives it back, and until when that holds. Nothing is reserved.

use super::application::{
    Application, ApplicationRow, EvidenceRow, RefundCouponRow, RefundKind, RefundStatus, RefundTaxRow, RefundTicketRow,
    posted_refunds,
};
use super::error::RefundError;
use super::legs::{RefundLegs, RefundTerms};
use super::price::{Facts, Priced, PricedTicket, QUOTE_MINUTES, WantedTicket, price, supplement};
use crate::agencies::{Contract, agency, contract};
use crate::audit::{self, Cause};
use crate::catalogue::Catalogue;
use crate::clock::Timestamp;
use crate::db::{Db, RowSet, WriteTx, insert};
use crate::ids::{AgencyId, AttachmentId, ContractId, CouponId, Id, OrderId, RefundApplicationId, RefundId, TicketId};
use crate::money::{Currency, Money, MoneyError};
use crate::ordering::order;
use crate::ticketing::ticket::{IssuedOrder, TicketRow, issued_orders};
use crate::ticketing::void::void_window_ends_at;
use chrono::Duration;

/// What an agency asks back.
#[derive(Clone, Debug)]
pub struct RefundRequest {
    pub order: OrderId,
    pub kind: RefundKind,
    /// None: whatever of the order can be refunded.
    pub tickets: Vec<WantedTicket>,
    /// Of a supplementary refund, and only of one.
    pub amount: Option<Money>,
    pub reason: Option<String>,
    pub evidence: Vec<AttachmentId>,
}

pub(super) fn issued_order(db: &mut Db, id: OrderId) -> Result<IssuedOrder, RefundError> {
    let rows = order(db, id)?.into_iter().collect();
    issued_orders(db, rows)?.pop().ok_or(RefundError::NotFound)
}

pub(super) fn contract_of(db: &mut Db, issued: &IssuedOrder) -> Result<Contract, RefundError> {
    contract(db, issued.order.contract_id.map(ContractId::of).ok_or(RefundError::NotFound)?)?.ok_or(RefundError::NotFound)
}

pub(super) fn posted_before(db: &mut Db, issued: &IssuedOrder) -> Result<Vec<Application>, RefundError> {
    let tickets: Vec<TicketId> = issued.tickets.iter().map(|ticket| TicketId::of(ticket.id)).collect();
    Ok(posted_refunds(db, &tickets)?)
}

/// Quotes a refund and keeps the quote.
pub fn quote_refund(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    request: &RefundRequest,
) -> Result<Application, RefundError> {
    check_grounds(request)?;
    let issued = issued_order(tx.db, request.order)?;
    let contract = contract_of(tx.db, &issued)?;
    let before = posted_before(tx.db, &issued)?;
    let quoted = match request.amount {
        Some(amount) => quote_supplement(tx, &issued, &contract, &before, request, amount)?,
        None => {
            let facts =
                Facts { kind: request.kind, catalogue, issued: &issued, contract: &contract, before: &before, now: tx.now };
            let mut priced = price(&facts, &request.tickets)?;
            priced.expires_at = before_window_ends(tx, catalogue, &issued, priced.expires_at)?;
            quote_coupons(tx, &issued, request, &priced)?
        }
    };
    let row = std::slice::from_ref(&quoted.row);
    let sets = [
        RowSet::of(row),
        RowSet::of(&quoted.tickets),
        RowSet::of(&quoted.coupons),
        RowSet::of(&quoted.taxes),
        RowSet::of(&quoted.evidence),
    ];
    insert(tx, &sets)?;
    drop(sets);
    audit::record(tx, cause, "refund.quote", RefundApplicationId::of(quoted.row.id))?;
    Ok(quoted)
}

/// A quote does not outlive the void window, in which the whole order comes back for nothing: who waits for its end asks again.
fn before_window_ends(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    issued: &IssuedOrder,
    expires_at: Timestamp,
) -> Result<Timestamp, RefundError> {
    let seller = agency(tx.db, AgencyId::of(issued.order.agency_id))?.ok_or(RefundError::NotFound)?;
    let ends_at = void_window_ends_at(catalogue, &seller, issued).filter(|ends_at| tx.now < *ends_at);
    Ok(ends_at.map_or(expires_at, |ends_at| ends_at.min(expires_at)))
}

fn check_grounds(request: &RefundRequest) -> Result<(), RefundError> {
    let kind = request.kind.text();
    if request.kind.needs_decision() && request.reason.is_none() {
        return Err(RefundError::ReasonMissing { kind });
    }
    if request.kind == RefundKind::Medical && request.evidence.is_empty() {
        return Err(RefundError::EvidenceMissing { kind });
    }
    Ok(())
}

/// What an application adds up to.
#[derive(Clone, Copy)]
struct Totals {
    fare: Money,
    tax: Money,
    penalty: Money,
}

fn application_row(
    tx: &WriteTx,
    issued: &IssuedOrder,
    request: &RefundRequest,
    totals: Totals,
    expires_at: Timestamp,
) -> Result<ApplicationRow, RefundError> {
    Ok(ApplicationRow {
        id: tx.ids.next::<RefundApplicationId>().raw(),
        order_id: issued.order.id,
        agency_id: issued.order.agency_id,
        kind: request.kind.text().to_owned(),
        status: RefundStatus::Quoted.text().to_owned(),
        tender: issued.order.tender.clone().ok_or(RefundError::NotFound)?,
        currency: issued.order.currency.clone(),
        fare_minor: totals.fare.minor,
        tax_minor: totals.tax.minor,
        penalty_minor: totals.penalty.minor,
        refund_minor: totals.fare.checked_add(totals.tax)?.checked_sub(totals.penalty)?.minor,
        reason: request.reason.clone(),
        expires_at: expires_at.naive(),
        created_at: tx.now.naive(),
        applied_at: None,
        due_at: None,
        overdue_at: None,
        decided_at: None,
        decided_by_key_id: None,
        decision_note: None,
        short_minor: None,
        completed_at: None,
    })
}

fn evidence(tx: &WriteTx, application: i64, request: &RefundRequest) -> Vec<EvidenceRow> {
    let row = |attachment: &AttachmentId| EvidenceRow {
        id: tx.ids.block(1),
        application_id: application,
        attachment_id: attachment.raw(),
    };
    request.evidence.iter().map(row).collect()
}

fn quote_coupons(
    tx: &WriteTx,
    issued: &IssuedOrder,
    request: &RefundRequest,
    priced: &Priced<'_>,
) -> Result<Application, RefundError> {
    let currency = Currency::parse(&issued.order.currency)?;
    let sum = |of: fn(&PricedTicket<'_>) -> Result<Money, MoneyError>| {
        let parts: Result<Vec<Money>, MoneyError> = priced.tickets.iter().map(of).collect();
        Money::sum(currency, parts?)
    };
    let totals =
        Totals { fare: sum(|one| Ok(one.returned.fare))?, tax: sum(taxes_of)?, penalty: sum(|one| Ok(one.returned.penalty))? };
    let row = application_row(tx, issued, request, totals, priced.expires_at)?;
    let evidence = evidence(tx, row.id, request);
    let mut quoted = Application { row, tickets: Vec::new(), coupons: Vec::new(), taxes: Vec::new(), evidence };
    for ticket in &priced.tickets {
        add_ticket(tx, &mut quoted, ticket)?;
    }
    Ok(quoted)
}

fn taxes_of(ticket: &PricedTicket<'_>) -> Result<Money, MoneyError> {
    Money::sum(ticket.returned.fare.currency, ticket.returned.taxes.iter().map(|one| one.tax.amount))
}

fn ticket_row(
    tx: &WriteTx,
    application: i64,
    ticket: &TicketRow,
    totals: Totals,
    legs: &RefundLegs,
) -> Result<RefundTicketRow, MoneyError> {
    let authority = Money::sum(totals.fare.currency, legs.authority.iter().map(|tax| tax.amount))?;
    Ok(RefundTicketRow {
        id: tx.ids.next::<RefundId>().raw(),
        application_id: application,
        ticket_id: ticket.id,
        fare_minor: totals.fare.minor,
        tax_minor: totals.tax.minor,
        penalty_minor: totals.penalty.minor,
        airline_minor: legs.airline.minor,
        authority_minor: authority.minor,
        commission_minor: legs.commission.minor,
        fee_minor: legs.fee.minor,
        cycle: None,
        posted_at: None,
    })
}

fn add_ticket(tx: &WriteTx, quoted: &mut Application, priced: &PricedTicket<'_>) -> Result<(), MoneyError> {
    let totals = Totals { fare: priced.returned.fare, tax: taxes_of(priced)?, penalty: priced.returned.penalty };
    let row = ticket_row(tx, quoted.row.id, priced.ticket, totals, &priced.legs)?;
    for coupon in &priced.coupons {
        let tax = Money::sum(coupon.penalty.currency, coupon.taxes.iter().map(|one| one.tax.amount))?;
        quoted.coupons.push(RefundCouponRow {
            id: tx.ids.block(1),
            refund_id: row.id,
            coupon_id: coupon.row.id,
            number: coupon.row.number,
            fare_minor: coupon.share.base.minor,
            tax_minor: tax.minor,
            penalty_minor: coupon.penalty.minor,
            penalty_rate: coupon.rate.map(|rate| rate.to_string()),
            commission_minor: coupon.share.commission.minor,
            fee_minor: coupon.share.fee.minor,
        });
        let taxes = coupon.taxes.iter().map(|one| RefundTaxRow {
            id: tx.ids.block(1),
            refund_id: row.id,
            coupon_id: CouponId::of(coupon.row.id).raw(),
            code: one.tax.code.clone(),
            payee: one.tax.payee.clone(),
            remitter: one.remitter.text().to_owned(),
            minor: one.tax.amount.minor,
        });
        quoted.taxes.extend(taxes);
    }
    quoted.tickets.push(row);
    Ok(())
}

/// A second amount for exactly one ticket: a part of what was kept comes back.
fn quote_supplement(
    tx: &WriteTx,
    issued: &IssuedOrder,
    contract: &Contract,
    before: &[Application],
    request: &RefundRequest,
    amount: Money,
) -> Result<Application, RefundError> {
    let [wanted] = request.tickets.as_slice() else { return Err(RefundError::NotFound) };
    let ticket = issued.tickets.iter().find(|ticket| ticket.id == wanted.ticket).ok_or(RefundError::NotFound)?;
    let legs = supplement(before, ticket, RefundTerms::of(contract), amount)?;
    let zero = Money::zero(amount.currency);
    let totals = Totals { fare: zero, tax: zero, penalty: amount.checked_neg()? };
    let row = application_row(tx, issued, request, totals, tx.now.plus(Duration::minutes(QUOTE_MINUTES)))?;
    let tickets = vec![ticket_row(tx, row.id, ticket, totals, &legs)?];
    let evidence = evidence(tx, row.id, request);
    Ok(Application { row, tickets, coupons: Vec::new(), taxes: Vec::new(), evidence })
}
