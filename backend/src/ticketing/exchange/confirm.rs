//! The exchange of an order's tickets, confirmed. The tickets that are given in pay for the new ones: agency, limit and line see only the difference.
//!
//! Protocol: agency, facility slices, seat buckets, stock ranges, advances and accounts are locked in this order; everything is checked under these
//! locks by the rules of a sale, then everything changes. Where the airline was paid for the old ticket, what it has to give back is set off against
//! the new ticket's advance in this same commit. Confirmed twice, an order is exchanged once.

use super::error::ChangeError;
use super::offers::{ChangeOffer, ChangeReason, GivenUp};
use super::posting::{Posting, Written, to_be_paid};
use super::sold::SoldJourney;
use super::stored::{OrderChangeRow, Removed, change_request_of_offer, order_change};
use crate::agencies::{Agency, Clawback, FeeOnRefund, agency, in_force};
use crate::airlines::airlines_by_id;
use crate::audit::{self, Cause};
use crate::catalogue::Catalogue;
use crate::commission::RuleBook;
use crate::credit::{Alerts, TakeBack, client_accounts, lock_slices_of, set_off_own};
use crate::db::{Change, Contended, DbError, RowSet, WriteTx, lock, update, write};
use crate::identity::IdempotencyKey;
use crate::ids::{AgencyId, AirlineId, Id, OrderChangeId, OrderChangeOfferId, OrderId, PassengerId, TicketId};
use crate::ledger::{AccountCode, AccountKey, Book, Chart, open_accounts};
use crate::money::{Currency, Money};
use crate::notify::{EventType, NewEvent, emit_all};
use crate::ordering::{Draw, Sealed, Tender, TenderWish, order};
use crate::ticketing::airline_change::{AirlineChange, exchanged_for_change, waives_penalty};
use crate::ticketing::coupon::CouponStatus;
use crate::ticketing::coupon_history::settle_coupons;
use crate::ticketing::decide::{Released, Totals, decide_on};
use crate::ticketing::issue::{CounterChanges, Counters, lock_rows, read_facts};
use crate::ticketing::plan::{Intent, IssueOrder, PassengerPlan, SeatDemand};
use crate::ticketing::postings;
use crate::ticketing::prepare::{SaleTerms, plan_tickets};
use crate::ticketing::refund::{RefundLegs, RefundTerms, Returned, refund_legs};
use crate::ticketing::ticket::{CouponRow, IssuedOrder, TicketRow, issued_orders};
use crate::ticketing::velocity::departs_at;
use std::collections::BTreeMap;

/// What a confirmation needs beside the database.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    pub catalogue: &'a Catalogue,
    pub chart: &'a Chart,
    pub rules: &'a RuleBook,
}

/// One passenger's ticket that is given in, and the one that comes for it.
pub(super) struct Swap<'a> {
    pub old: &'a TicketRow,
    /// Those of its coupons that are given in.
    pub coupons: Vec<&'a CouponRow>,
    pub given_in: RefundLegs,
    pub passenger: PassengerId,
    /// To the airline, on top of the new ticket's share.
    pub penalty: Money,
}

/// Everything that is known of an exchange before anything is locked but its agency.
pub(super) struct Prepared<'a> {
    pub seller: Agency,
    pub issued: &'a IssuedOrder,
    /// The new tickets, in the order of the swaps.
    pub order: IssueOrder,
    pub tender: Tender,
    pub swaps: Vec<Swap<'a>>,
}

/// Exchanges the order's tickets as the change says. `paid` is what the client says it pays: exactly the change's amount, and nothing where
/// something comes back. What was confirmed before is answered as it is.
pub fn confirm_change(
    tx: &mut WriteTx,
    desk: Desk<'_>,
    cause: &Cause,
    id: OrderChangeId,
    paid: Option<Money>,
) -> Result<OrderChangeRow, ChangeError> {
    let known = order_change(tx.db, id)?.ok_or(ChangeError::NotFound)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    // Again, now that the agency is locked: two confirmations at once meet here.
    let change = order_change(tx.db, id)?.ok_or(ChangeError::NotFound)?;
    check_paid(&change, paid)?;
    if change.confirmed_at.is_some() {
        return Ok(change);
    }
    if tx.now.naive() >= change.expires_at {
        return Err(ChangeError::Expired { at: change.expires_at.into() });
    }
    let issued = issued_of(tx, OrderId::of(change.order_id))?;
    let waiving = waives_penalty(tx.db, OrderId::of(change.order_id))?;
    let offer = still_offered(tx, desk.catalogue, &change, &issued, waiving.as_ref())?;
    let prepared = prepare(tx, desk, cause, &change, &issued, &offer)?;
    let confirmed = OrderChangeRow { confirmed_at: Some(tx.now.naive()), ..change };
    if let Some(waiving) = &waiving {
        exchanged_for_change(tx, cause, waiving)?;
    }
    settle(tx, desk.chart, cause, &prepared, &confirmed)?;
    let row = Change { id: confirmed.id, values: vec![confirmed.confirmed_at.into()] };
    update(tx, "order_change", &["confirmed_at"], &[row])?;
    audit::record(tx, cause, "order.change", OrderId::of(confirmed.order_id))?;
    tell(tx, cause, &prepared, &confirmed)?;
    Ok(confirmed)
}

fn tell(tx: &mut WriteTx, cause: &Cause, prepared: &Prepared<'_>, change: &OrderChangeRow) -> Result<(), DbError> {
    let exchanged = |swap: &Swap<'_>| NewEvent::new(EventType::TicketExchanged, TicketId::of(swap.old.id));
    let mut events = vec![order_changed(prepared.issued, change)];
    events.extend(prepared.swaps.iter().map(exchanged));
    let about = |event: NewEvent| {
        let event = event.of_agency(prepared.seller.id).of_airline(prepared.order.airline);
        event.naming("order_id", OrderId::of(change.order_id)).caused_by(&cause.request_id)
    };
    emit_all(tx, events.into_iter().map(about).collect())
}

pub(super) fn order_changed(issued: &IssuedOrder, change: &OrderChangeRow) -> NewEvent {
    NewEvent::new(EventType::OrderChanged, OrderId::of(issued.order.id)).naming("order_change_id", OrderChangeId::of(change.id))
}

fn check_paid(change: &OrderChangeRow, paid: Option<Money>) -> Result<(), ChangeError> {
    let due = Money::new(change.change_minor.max(0), Currency::parse(&change.currency)?);
    match paid {
        None if due.minor == 0 => Ok(()),
        Some(paid) if paid == due => Ok(()),
        _ => Err(ChangeError::AmountDiffers { due, paid }),
    }
}

pub(super) fn issued_of(tx: &mut WriteTx, id: OrderId) -> Result<IssuedOrder, ChangeError> {
    let rows = order(tx.db, id)?.into_iter().collect();
    issued_orders(tx.db, rows)?.pop().ok_or(ChangeError::NotFound)
}

/// The offer that was chosen, if the order is still the one that it was made for.
fn still_offered(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    change: &OrderChangeRow,
    issued: &IssuedOrder,
    waiving: Option<&AirlineChange>,
) -> Result<ChangeOffer, ChangeError> {
    if let Some(at) = issued.order.cancelled_at {
        return Err(ChangeError::Cancelled { at: at.into() });
    }
    let id = OrderChangeOfferId::of(change.offer_id);
    let request = change_request_of_offer(tx.db, id)?.ok_or(ChangeError::NotFound)?;
    let sold = SoldJourney::of(catalogue, issued)?;
    if sold.journey != request.removed.journey {
        return Err(ChangeError::OrderChanged);
    }
    let reason = still_waived(waiving, &request.removed)?;
    let given_up = GivenUp { sold: &sold, slices: &request.removed.slices, reason };
    // Flown or taken by the airline since: what was priced is not there any more.
    given_up.check()?;
    let offer = request.offer(id).ok_or(ChangeError::NotFound)?.clone();
    if !given_up.given_in()?.iter().map(|price| price.minor).eq(offer.given_in_minor.iter().copied()) {
        return Err(ChangeError::OrderChanged);
    }
    Ok(offer)
}

/// An offer without penalty stands as long as the airline's change that waived it does: until its agent has accepted it or given the tickets back.
fn still_waived(waiving: Option<&AirlineChange>, removed: &Removed) -> Result<ChangeReason, ChangeError> {
    match (removed.waived_by, waiving) {
        (None, _) => Ok(ChangeReason::Voluntary),
        (Some(change), Some(waiving)) if waiving.row.id == change => Ok(ChangeReason::Involuntary),
        (Some(_), _) => Err(ChangeError::OrderChanged),
    }
}

fn prepare<'a>(
    tx: &mut WriteTx,
    desk: Desk<'_>,
    cause: &Cause,
    change: &OrderChangeRow,
    issued: &'a IssuedOrder,
    offer: &ChangeOffer,
) -> Result<Prepared<'a>, ChangeError> {
    let corrupt = |what: &str| DbError::Corrupt(format!("{what} of order {}", issued.order.id));
    let currency = offer.currency()?;
    let seller = agency(tx.db, AgencyId::of(issued.order.agency_id))?.ok_or_else(|| corrupt("agency"))?;
    let airline_id = AirlineId::of(issued.order.airline_id);
    let airline = airlines_by_id(tx.db, &[airline_id])?.pop().ok_or_else(|| corrupt("airline"))?;
    let (terms, sold_on) = (desk.rules.terms_of(tx.db, seller.id)?, tx.now.date_in(seller.zone));
    let contract = in_force(&terms.contracts, airline.id, currency, sold_on).ok_or(ChangeError::NoContract)?;
    let rules = terms.rules.in_force(seller.id, &seller.tier, sold_on);
    let sale_terms = SaleTerms { agency: &seller, airline: airline.id, contract, rules: &rules, sold_on };
    let people = issued.passengers.iter().map(|(row, key)| PassengerPlan {
        offer_passenger: PassengerId::of(row.offer_passenger_id),
        kind: row.kind.clone(),
        sealed: Sealed { data: row.sealed.clone(), wrapped_key: key.wrapped.clone() },
    });
    let (mut plans, seats) = plan_tickets(desk.catalogue, &offer.journey, &sale_terms, people.collect(), tx.now)?;
    let sold = SoldJourney::of(desk.catalogue, issued)?;
    // Slices that have begun stay in front of those of the new tickets.
    let begun = i64::try_from(sold.begun().len()).unwrap_or(i64::MAX);
    for coupon in plans.iter_mut().flat_map(|plan| &mut plan.coupons) {
        coupon.slice = coupon.slice.saturating_add(begun);
    }
    let swaps = swaps(issued, &sold, offer)?;
    let tender = issued.order.tender()?.ok_or(ChangeError::NothingOpen)?;
    let order = IssueOrder {
        claim: 0,
        cause: cause.clone(),
        key: IdempotencyKey::Business(OrderChangeId::of(change.id).to_string()),
        fields: String::new(),
        organisation: Id::of(issued.order.organisation_id),
        agency: seller.id,
        offer: Id::of(issued.order.offer_id),
        airline: airline.id,
        carrier: airline.iata_code,
        accounting_code: airline.accounting_code,
        contract: contract.id,
        tax_remitter: contract.tax_remitter,
        cycle_rule: contract.payment.cycle_rule,
        airline_payment: contract.payment.airline,
        tender: match tender {
            Tender::Credit => TenderWish::Credit,
            Tender::Wallet => TenderWish::Wallet,
        },
        currency,
        departs_at: departs_at(desk.catalogue, &plans),
        tickets: plans,
        seats: seats_moved(&seats, &swaps),
        metadata: issued.order.metadata.clone(),
        intent: Intent::Issue,
        draw: Draw::default(),
        basis: None,
    };
    Ok(Prepared { seller, issued, order, tender, swaps })
}

fn swaps<'a>(issued: &'a IssuedOrder, sold: &SoldJourney, offer: &ChangeOffer) -> Result<Vec<Swap<'a>>, ChangeError> {
    let currency = offer.currency()?;
    // An exchange takes nothing back but what it sells again: commission and fee come back whole and are earned on the new price.
    let terms = RefundTerms { clawback: Clawback::Full, fee: FeeOnRefund::Refunded };
    let mut swaps = Vec::with_capacity(sold.places.len());
    for (((passenger, _), places), penalty) in issued.passengers.iter().zip(&sold.places).zip(&offer.penalties_minor) {
        let open: Vec<_> = places.iter().filter(|place| place.coupon.status == CouponStatus::Open.text()).collect();
        let first = open.first().ok_or(ChangeError::OrderChanged)?;
        let of = |row: &&TicketRow| row.id == first.coupon.ticket_id;
        let old = issued.tickets.iter().find(of).ok_or(ChangeError::OrderChanged)?;
        let shares: Vec<_> = open.iter().map(|place| place.share.clone()).collect();
        let returned = Returned::of(&shares, Money::zero(currency), |_| true)?;
        let ids: Vec<i64> = open.iter().map(|place| place.coupon.id).collect();
        swaps.push(Swap {
            old,
            coupons: issued.coupons.iter().filter(|coupon| ids.contains(&coupon.id)).collect(),
            given_in: refund_legs(&returned, terms)?,
            passenger: PassengerId::of(passenger.id),
            penalty: Money::new(*penalty, currency),
        });
    }
    Ok(swaps)
}

/// The seats that the new tickets take, less those that the old ones give back.
fn seats_moved(seats: &[SeatDemand], swaps: &[Swap<'_>]) -> Vec<SeatDemand> {
    let mut moved: BTreeMap<i64, SeatDemand> = BTreeMap::new();
    for demand in seats {
        moved.entry(demand.bucket).and_modify(|known| known.seats += demand.seats).or_insert_with(|| demand.clone());
    }
    for coupon in swaps.iter().flat_map(|swap| &swap.coupons) {
        let given_back = SeatDemand {
            bucket: coupon.seat_bucket_id,
            capacity: 0,
            seats: 0,
            schedule_change: 0,
            flight: format!("{}{}", coupon.carrier, coupon.flight_number),
            booking_class: coupon.booking_class.chars().next().unwrap_or(' '),
        };
        moved.entry(coupon.seat_bucket_id).or_insert(given_back).seats -= coupon.seats;
    }
    moved.into_values().filter(|demand| demand.seats != 0).collect()
}

fn settle(
    tx: &mut WriteTx,
    chart: &Chart,
    cause: &Cause,
    prepared: &Prepared<'_>,
    change: &OrderChangeRow,
) -> Result<(), ChangeError> {
    let orders = [&prepared.order];
    let locked = lock_rows(tx, &orders)?;
    let given_in: Vec<TicketId> = prepared.swaps.iter().map(|swap| TicketId::of(swap.old.id)).collect();
    let slices = lock_slices_of(tx, &given_in)?;
    let mut taken = TakeBack::lock(tx, slices)?;
    let (mut book, mut facts) = read_facts(tx, chart, &orders, locked)?;
    let mut before = Counters::of(&facts);
    let totals = totals(prepared, &taken)?;
    // So far they are counted down with the advances.
    before.release(&facts, &totals.released);
    let decision = decide_on(&mut facts, &prepared.order, &totals)?.map_err(ChangeError::Refused)?;
    let ids = open_accounts(tx, &accounts(prepared, &taken))?;
    book.load(tx, &ids)?;
    taken.read_holds(tx)?;
    let mut written = Written::default();
    let mut new = IssuedOrder {
        order: prepared.issued.order.clone(),
        passengers: Vec::new(),
        tickets: Vec::new(),
        documents: Vec::new(),
        taxes: Vec::new(),
        coupons: Vec::new(),
        held: None,
    };
    let mut posting = Posting { cause, prepared, change, decision: &decision, book: &mut book, taken: &mut taken };
    posting.post(tx, &mut new, &mut written)?;
    // From here on the exchange must succeed.
    taken.write(tx)?;
    write_rows(tx, &book, &new, &written, (&before.changes(&facts), &facts.alerts(tx)?))?;
    set_off_own(tx, &written.set_offs)?;
    finish(tx, cause, prepared, &new)
}

/// What limit and line see: the new tickets and the penalty, less what is given in.
fn totals(prepared: &Prepared<'_>, taken: &TakeBack) -> Result<Totals, ChangeError> {
    let zero = Money::zero(prepared.order.currency);
    let mut totals = Totals { price: zero, commission: zero, airline: zero, advances: 0, released: Vec::new() };
    for (swap, plan) in prepared.swaps.iter().zip(&prepared.order.tickets) {
        let (split, old) = (&plan.split, &swap.given_in);
        totals.price = totals.price.checked_add(split.price)?.checked_add(swap.penalty)?.checked_sub(old.refund)?;
        totals.commission = totals.commission.checked_add(split.commission)?.checked_sub(old.commission)?;
        let outlook = taken.outlook(TicketId::of(swap.old.id), old.airline)?;
        let open = to_be_paid(split.airline.checked_add(swap.penalty)?, outlook.certain)?;
        totals.airline = totals.airline.checked_add(open)?;
        totals.advances += i64::from(open.minor > 0);
        if let Some((facility, amount, is_over)) = outlook.released {
            let airline = AirlineId::of(swap.old.airline_id);
            totals.released.push(Released { facility, airline, amount, advances: i64::from(is_over) });
        }
    }
    Ok(totals)
}

fn accounts(prepared: &Prepared<'_>, taken: &TakeBack) -> Vec<AccountKey> {
    let (order, currency) = (&prepared.order, prepared.order.currency);
    let mut keys = taken.accounts();
    keys.push(crate::credit::receivable_from(order.airline, currency));
    // Also where only what is given in had VAT in its fee.
    keys.push(AccountKey::platform(AccountCode::PlatformVatPayable, currency));
    for (swap, plan) in prepared.swaps.iter().zip(&order.tickets) {
        keys.extend(postings::unlimited_accounts(plan, order.airline));
        keys.extend(swap.given_in.authority.iter().map(|tax| AccountKey::tax(&tax.payee, &tax.code, currency)));
    }
    if prepared.tender == Tender::Wallet {
        keys.extend(client_accounts(currency));
    }
    keys
}

/// After what the take-back has counted down: the counters are written as they are in the end.
fn write_rows(
    tx: &mut WriteTx,
    book: &Book,
    new: &IssuedOrder,
    written: &Written,
    (counters, alerts): (&CounterChanges, &Alerts),
) -> Result<(), ChangeError> {
    let mut sets = vec![
        RowSet::of(&new.tickets),
        RowSet::of(&new.documents),
        RowSet::of(&new.taxes),
        RowSet::of(&new.coupons),
        RowSet::of(&written.exchanges),
        RowSet::of(&written.advances),
        RowSet::of(&written.outbox),
        RowSet::of(&written.transfers),
        RowSet::of(&alerts.rows),
        RowSet::of(&alerts.events),
    ];
    sets.extend(book.new_rows());
    let booked = book.changes();
    let [accounts, holds] = booked.updates();
    let [slices, parts, seats, ranges] = counters.updates();
    write(tx, &sets, &[accounts, holds, slices, parts, seats, ranges, alerts.update()])?;
    Ok(())
}

/// The old coupons are exchanged; the order is what its tickets are now.
fn finish(tx: &mut WriteTx, cause: &Cause, prepared: &Prepared<'_>, new: &IssuedOrder) -> Result<(), ChangeError> {
    let exchanged = prepared.swaps.iter().flat_map(|swap| &swap.coupons).copied();
    settle_coupons(tx, cause, exchanged, CouponStatus::Exchanged)?;
    let given_in_base: i64 = prepared.swaps.iter().flat_map(|swap| &swap.coupons).map(|coupon| coupon.base_minor).sum();
    let given_in: i64 = prepared.swaps.iter().map(|swap| swap.given_in.refund.minor).sum();
    let (base, price): (i64, i64) =
        new.tickets.iter().fold((0, 0), |(base, price), ticket| (base + ticket.base_minor, price + ticket.price_minor));
    let order = &prepared.issued.order;
    let (base, total) = (order.base_minor - given_in_base + base, order.total_minor - given_in + price);
    let values = vec![base.into(), (total - base).into(), total.into()];
    update(tx, "air_order", &["base_minor", "tax_minor", "total_minor"], &[Change { id: order.id, values }])?;
    Ok(())
}
