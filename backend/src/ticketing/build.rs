//! The rows of an accepted order, and its postings in the book.

use super::coupon::CouponStatus;
use super::decide::{Decision, Facts};
use super::held::HeldWritten;
use super::plan::{CouponPlan, Intent, IssueOrder, TicketPlan};
use super::postings;
use super::ticket::{CouponRow, DocumentRow, IssuedOrder, TaxRow, TicketRow};
use crate::agencies::{AirlinePayment, TaxRemitter, Tier};
use crate::airlines::TicketNumber;
use crate::audit::AuditRow;
use crate::credit::{AdvanceRow, loan_account};
use crate::db::{DbError, WriteTx};
use crate::ids::{AdvanceId, CouponId, Id, OrderId, OrderPaymentId, PassengerId, TicketId};
use crate::ledger::{Book, PostError};
use crate::money::Money;
use crate::notify::{EventRow, EventType, NewEvent, OutboxRow, PAY_ADVANCE};
use crate::ordering::{OrderRow, PassengerRow, PersonKeyRow, booking_reference, held_booking_reference};
use crate::risk::velocity::VelocityHitRow;

/// Rows beside the tickets of the issued orders. What belongs to an order is new unless the order was held.
#[derive(Default)]
pub(super) struct Written {
    pub(super) orders: Vec<OrderRow>,
    pub(super) passengers: Vec<PassengerRow>,
    pub(super) person_keys: Vec<PersonKeyRow>,
    pub(super) held: HeldWritten,
    pub(super) advances: Vec<AdvanceRow>,
    pub(super) outbox: Vec<OutboxRow>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) events: Vec<EventRow>,
    pub(super) hits: Vec<VelocityHitRow>,
}

/// Builds an accepted order in memory and posts its tickets into the book.
pub(super) fn build(
    tx: &mut WriteTx,
    book: &mut Book,
    facts: &Facts,
    order: &IssueOrder,
    (id, decision): (OrderId, &Decision),
    written: &mut Written,
) -> Result<IssuedOrder, PostError> {
    let seller = facts.agencies.get(&order.agency).map(|facts| &facts.agency);
    let zone = seller.map_or(chrono_tz::UTC, |agency| agency.zone);
    let issue_date = tx.now.date_in(zone);
    let row = order_row(tx, facts, order, (id, decision), issue_date)?;
    let mut issued = IssuedOrder {
        passengers: people(tx, facts, order, row.id)?,
        order: row,
        held: order.pays().and_then(|id| facts.held.get(&id)).map(|facts| facts.held.clone()),
        tickets: Vec::new(),
        documents: Vec::new(),
        taxes: Vec::new(),
        coupons: Vec::new(),
    };
    if let (Some(tender), Some(cycle)) = (decision.tender, issued.order.cycle.clone()) {
        for (plan, document) in order.tickets.iter().zip(&decision.documents) {
            let ticket: TicketId = tx.ids.next();
            let draft = postings::sale_draft(order, &plan.split, tender, ticket.raw(), &cycle)?;
            book.post(tx, &draft)?;
            build_advance(tx, book, order, decision, ticket, plan, written)?;
            let passenger = issued.passengers.get(issued.tickets.len()).map(|(passenger, _)| PassengerId::of(passenger.id));
            let passenger = passenger.ok_or_else(|| DbError::Corrupt("a ticket without a passenger".into()))?;
            build_ticket(tx, order, plan, Document { ticket, number: *document, issue_date }, passenger, &mut issued)?;
        }
    }
    let action = match &order.intent {
        Intent::Issue => "order.issue",
        Intent::Hold(plan) => {
            issued.held = Some(written.held.hold(plan, &issued.order, &order.seats)?);
            "order.hold"
        }
        Intent::Pay(_) => {
            written.held.pay(tx, order, &issued.order);
            "order.pay"
        }
    };
    if order.pays().is_none() {
        written.orders.push(issued.order.clone());
        let (passengers, keys): (Vec<_>, Vec<_>) = issued.passengers.iter().cloned().unzip();
        written.passengers.extend(passengers);
        written.person_keys.extend(keys);
    }
    written.audit.push(AuditRow::new(tx, &order.cause, action, issued.order.id));
    let order_id = OrderId::of(issued.order.id);
    let event = match written.held.payments.last().filter(|_| order.pays().is_some()) {
        Some(payment) => NewEvent::new(EventType::PaymentSucceeded, OrderPaymentId::of(payment.id)).naming("order_id", order_id),
        None => NewEvent::new(EventType::OrderCreated, order_id),
    };
    let event = event.of_agency(order.agency).of_airline(order.airline).caused_by(&order.cause.request_id);
    written.events.push(EventRow::first(tx, event));
    Ok(issued)
}

/// An order that is held has no contract, no tender and no cycle yet; one that is paid is what it was, with these.
fn order_row(
    tx: &WriteTx,
    facts: &Facts,
    order: &IssueOrder,
    (id, decision): (OrderId, &Decision),
    issue_date: chrono::NaiveDate,
) -> Result<OrderRow, PostError> {
    let seller = facts.agencies.get(&order.agency).map(|facts| &facts.agency);
    let tier = seller.map_or_else(Tier::standard, |agency| agency.tier.clone());
    let total = |leg: fn(&TicketPlan) -> Money| Money::sum(order.currency, order.tickets.iter().map(leg));
    let (base, price) = (total(|plan| plan.base)?, total(|plan| plan.split.price)?);
    let first_document = decision.documents.first().copied();
    let locator = || match first_document {
        Some(document) => booking_reference(&order.accounting_code, document, order.draw),
        None => held_booking_reference(&order.accounting_code, id),
    };
    let known = facts.held.get(&id).map(|facts| &facts.order);
    let is_issued = decision.tender.is_some();
    Ok(OrderRow {
        id: id.raw(),
        organisation_id: known.map_or(order.organisation.raw(), |known| known.organisation_id),
        agency_id: order.agency.raw(),
        airline_id: order.airline.raw(),
        offer_id: known.map_or(order.offer.raw(), |known| known.offer_id),
        contract_id: is_issued.then(|| order.contract.raw()),
        booking_reference: known.map_or_else(locator, |known| known.booking_reference.clone()),
        tender: decision.tender.map(|tender| tender.text().to_owned()),
        currency: order.currency.code().to_owned(),
        base_minor: base.minor,
        tax_minor: price.checked_sub(base)?.minor,
        total_minor: price.minor,
        cycle: is_issued.then(|| order.cycle_rule.cycle_of(issue_date).to_string()),
        metadata: known.map_or_else(|| order.metadata.clone(), |known| known.metadata.clone()),
        created_at: known.map_or_else(|| tx.now.naive(), |known| known.created_at),
        issued_at: is_issued.then(|| tx.now.naive()),
        cancelled_at: None,
        agency_tier: tier.to_string(),
    })
}

/// In the order of the tickets. The people of a held order are there already.
fn people(tx: &WriteTx, facts: &Facts, order: &IssueOrder, order_id: i64) -> Result<Vec<(PassengerRow, PersonKeyRow)>, DbError> {
    let known = order.pays().and_then(|id| facts.held.get(&id)).map(|facts| &facts.passengers);
    let person = |plan: &TicketPlan| {
        let passenger = &plan.passenger;
        let offer_passenger_id = passenger.offer_passenger.raw();
        if let Some(known) = known {
            let same = known.iter().find(|(person, _)| person.offer_passenger_id == offer_passenger_id);
            return same.cloned().ok_or_else(|| DbError::Corrupt(format!("held order {order_id} has another passenger")));
        }
        let id: PassengerId = tx.ids.next();
        let (kind, sealed) = (passenger.kind.clone(), passenger.sealed.data.clone());
        let key = PersonKeyRow { passenger_id: id.raw(), wrapped: passenger.sealed.wrapped_key.clone() };
        Ok((PassengerRow { id: id.raw(), order_id, offer_passenger_id, kind, sealed }, key))
    };
    order.tickets.iter().map(person).collect()
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
    // On other terms it is ordered on its day (`settlement::due_to_airlines`).
    let is_ordered = order.airline_payment == AirlinePayment::Instant;
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
        waits_until: None,
        funding: decision.funding(decision.facility).text().to_owned(),
        ordered_at: is_ordered.then(|| tx.now.naive()),
        payee_change_id: None,
    });
    if is_ordered {
        written.outbox.push(OutboxRow::new(tx, PAY_ADVANCE, id.raw()));
    }
    Ok(())
}

/// What a ticket is known by.
#[derive(Clone, Copy)]
pub(super) struct Document {
    pub ticket: TicketId,
    /// Its first one.
    pub number: i64,
    pub issue_date: chrono::NaiveDate,
}

/// The ticket of a passenger with its numbers, taxes and coupons.
pub(super) fn build_ticket(
    tx: &WriteTx,
    order: &IssueOrder,
    plan: &TicketPlan,
    document: Document,
    passenger: PassengerId,
    issued: &mut IssuedOrder,
) -> Result<(), PostError> {
    let Document { ticket, number: first_number, issue_date } = document;
    let (split, order_id) = (&plan.split, issued.order.id);
    issued.tickets.push(TicketRow {
        id: ticket.raw(),
        number: TicketNumber::new(&order.accounting_code, first_number).to_string(),
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
    for (place, following) in (2..=plan.documents()).zip(first_number + 1..) {
        let number = TicketNumber::new(&order.accounting_code, following).to_string();
        issued.documents.push(DocumentRow { ticket_id: ticket.raw(), document: place, number });
    }
    issued.coupons.extend(plan.coupons.iter().zip(1..).map(|(coupon, number)| coupon_row(tx, ticket, number, coupon)));
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
        commission_rule_id: plan.commission_rule.map(Id::raw),
        commission_minor: plan.commission_minor,
    }
}
