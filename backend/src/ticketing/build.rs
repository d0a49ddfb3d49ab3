//! The rows of an accepted order, and its postings in the book.

use super::coupon::CouponStatus;
use super::decide::{Decision, Facts};
use super::plan::{CouponPlan, IssueOrder, TicketPlan};
use super::postings;
use super::ticket::{CouponRow, IssuedOrder, TaxRow, TicketRow};
use crate::agencies::{TaxRemitter, cycle_of};
use crate::airlines::TicketNumber;
use crate::audit::AuditRow;
use crate::credit::{AdvanceRow, loan_account};
use crate::db::WriteTx;
use crate::ids::{AdvanceId, CouponId, Id, OrderId, PassengerId, TicketId};
use crate::ledger::{Book, PostError};
use crate::money::Money;
use crate::notify::{OutboxRow, PAY_ADVANCE};
use crate::ordering::{OrderRow, PassengerRow, PersonKeyRow, booking_reference};

/// Rows beside those of the issued orders.
#[derive(Default)]
pub(super) struct Written {
    pub(super) advances: Vec<AdvanceRow>,
    pub(super) outbox: Vec<OutboxRow>,
    pub(super) audit: Vec<AuditRow>,
}

/// Builds an accepted order in memory and posts its tickets into the book.
pub(super) fn build(
    tx: &mut WriteTx,
    book: &mut Book,
    facts: &Facts,
    order: &IssueOrder,
    decision: &Decision,
    written: &mut Written,
) -> Result<IssuedOrder, PostError> {
    let zone = facts.agencies.get(&order.agency).map_or(chrono_tz::UTC, |facts| facts.agency.zone);
    let issue_date = tx.now.date_in(zone);
    let cycle = cycle_of(issue_date);
    let id: OrderId = tx.ids.next();
    let total = |leg: fn(&TicketPlan) -> Money| Money::sum(order.currency, order.tickets.iter().map(leg));
    let (base, price) = (total(|plan| plan.base)?, total(|plan| plan.split.price)?);
    let first_document = decision.documents.first().copied().unwrap_or_default();
    let order_row = OrderRow {
        id: id.raw(),
        organisation_id: order.organisation.raw(),
        agency_id: order.agency.raw(),
        airline_id: order.airline.raw(),
        offer_id: order.offer.raw(),
        contract_id: order.contract.raw(),
        booking_reference: booking_reference(&order.accounting_code, first_document),
        tender: decision.tender.text().to_owned(),
        currency: order.currency.code().to_owned(),
        base_minor: base.minor,
        tax_minor: price.checked_sub(base)?.minor,
        total_minor: price.minor,
        cycle: cycle.clone(),
        metadata: order.metadata.clone(),
        created_at: tx.now.naive(),
        cancelled_at: None,
    };
    let mut issued =
        IssuedOrder { order: order_row, passengers: Vec::new(), tickets: Vec::new(), taxes: Vec::new(), coupons: Vec::new() };
    for (plan, document) in order.tickets.iter().zip(&decision.documents) {
        let ticket: TicketId = tx.ids.next();
        let draft = postings::sale_draft(order, &plan.split, decision.tender, ticket.raw(), &cycle)?;
        book.post(tx, &draft)?;
        build_advance(tx, book, order, decision, ticket, plan, written)?;
        let passenger = build_passenger(tx, plan, &mut issued);
        build_ticket(tx, order, plan, Document { ticket, number: *document, issue_date }, passenger, &mut issued)?;
    }
    written.audit.push(AuditRow::new(tx, &order.cause, "order.issue", id.raw()));
    Ok(issued)
}

/// The hold on the line, the instruction to pay the airline, and the message that lets it leave.
fn build_advance(
    tx: &mut WriteTx,
    book: &mut Book,
    order: &IssueOrder,
    decision: &Decision,
    ticket: TicketId,
    plan: &TicketPlan,
    written: &mut Written,
) -> Result<(), PostError> {
    let amount = plan.split.airline;
    if amount.minor == 0 {
        return Ok(());
    }
    let hold = match decision.facility {
        Some(facility) => Some(book.hold(tx, &loan_account(facility, amount.currency), amount, ticket.raw())?),
        None => None,
    };
    let id: AdvanceId = tx.ids.next();
    written.advances.push(AdvanceRow {
        id: id.raw(),
        ticket_id: ticket.raw(),
        airline_id: order.airline.raw(),
        facility_id: decision.facility.map(Id::raw),
        hold_id: hold.map(Id::raw),
        amount_minor: amount.minor,
        set_off_minor: 0,
        cancelled_minor: 0,
        reclaimed_minor: 0,
        currency: amount.currency.code().to_owned(),
        state: "held".to_owned(),
        attempt: 1,
        sold_at: tx.now.naive(),
        sent_at: None,
        confirmed_at: None,
        credited_at: None,
        bank_reference: None,
        detail: None,
        resolved_at: None,
    });
    written.outbox.push(OutboxRow::new(tx, PAY_ADVANCE, id.raw()));
    Ok(())
}

fn build_passenger(tx: &WriteTx, plan: &TicketPlan, issued: &mut IssuedOrder) -> PassengerId {
    let passenger: PassengerId = tx.ids.next();
    issued.passengers.push((
        PassengerRow {
            id: passenger.raw(),
            order_id: issued.order.id,
            offer_passenger_id: plan.passenger.offer_passenger.raw(),
            kind: plan.passenger.kind.clone(),
            sealed: plan.passenger.sealed.data.clone(),
        },
        PersonKeyRow { passenger_id: passenger.raw(), wrapped: plan.passenger.sealed.wrapped_key.clone() },
    ));
    passenger
}

/// What a ticket is known by.
#[derive(Clone, Copy)]
pub(super) struct Document {
    pub ticket: TicketId,
    pub number: i64,
    pub issue_date: chrono::NaiveDate,
}

/// The ticket of a passenger with its taxes and coupons.
pub(super) fn build_ticket(
    tx: &WriteTx,
    order: &IssueOrder,
    plan: &TicketPlan,
    document: Document,
    passenger: PassengerId,
    issued: &mut IssuedOrder,
) -> Result<(), PostError> {
    let Document { ticket, number, issue_date } = document;
    let (split, order_id) = (&plan.split, issued.order.id);
    issued.tickets.push(TicketRow {
        id: ticket.raw(),
        number: TicketNumber::new(&order.accounting_code, number).to_string(),
        order_id,
        passenger_id: passenger.raw(),
        agency_id: order.agency.raw(),
        airline_id: order.airline.raw(),
        contract_id: order.contract.raw(),
        issued_at: tx.now.naive(),
        issue_date,
        currency: order.currency.code().to_owned(),
        base_minor: plan.base.minor,
        tax_minor: split.price.checked_sub(plan.base)?.minor,
        price_minor: split.price.minor,
        airline_minor: split.airline.minor,
        authority_minor: split.authority_total()?.minor,
        commission_minor: split.commission.minor,
        fee_minor: split.fee.minor,
        fare_calculation: plan.fare_calculation.clone(),
    });
    for tax in &plan.taxes {
        let remitted = split.authority.iter().any(|own| own.code == tax.code);
        let remitter = if remitted { TaxRemitter::Platform } else { TaxRemitter::Airline };
        issued.taxes.push(TaxRow {
            ticket_id: ticket.raw(),
            code: tax.code.clone(),
            minor: tax.amount.minor,
            payee: tax.payee.clone(),
            remitter: remitter.text().to_owned(),
        });
    }
    for (place, coupon) in plan.coupons.iter().enumerate() {
        let number = i64::try_from(place).unwrap_or(i64::MAX).saturating_add(1);
        issued.coupons.push(coupon_row(tx, ticket, number, coupon));
    }
    Ok(())
}

fn coupon_row(tx: &WriteTx, ticket: TicketId, number: i64, plan: &CouponPlan) -> CouponRow {
    CouponRow {
        id: tx.ids.next::<CouponId>().raw(),
        ticket_id: ticket.raw(),
        number,
        slice: plan.slice,
        carrier: plan.carrier.clone(),
        flight_number: plan.flight_number,
        aircraft: plan.aircraft.clone(),
        origin: plan.origin.clone(),
        destination: plan.destination.clone(),
        departing_at: plan.departing_at,
        arriving_at: plan.arriving_at,
        duration_minutes: plan.duration_minutes,
        distance_km: plan.distance_km,
        booking_class: plan.booking_class.to_string(),
        cabin: plan.cabin.clone(),
        fare_brand: plan.fare_brand.clone(),
        fare_basis: plan.fare_basis.clone(),
        base_minor: plan.base_minor,
        checked_bag_kg: plan.checked_bag_kg,
        seat_bucket_id: plan.seat_bucket,
        seats: plan.seats,
        status: CouponStatus::Open.text().to_owned(),
    }
}
