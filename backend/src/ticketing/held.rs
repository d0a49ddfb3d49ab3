//! Orders that are held, within the posting path: the rows of a new one, what is read of one that is being paid under the lock of its agency, and what
//! changes when it is.

use super::decide::Facts;
use super::plan::{HoldPlan, Intent, IssueOrder, SeatDemand};
use super::refusal::Refusal;
use crate::agencies::Agency;
use crate::db::schema::{air_order, held_order};
use crate::db::{Change, DbError, WriteTx};
use crate::ids::{AgencyId, Id, OrderId, OrderPaymentId};
use crate::ordering::{
    HeldEnd, HeldMove, HeldOrder, HeldOrderRow, HeldRefusal, HeldSeatRow, HeldState, OrderRow, PassengerRow, PaymentRow,
    PersonKeyRow, held_orders, orders_by_id, passengers_of,
};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// A held order that is being paid.
#[derive(Clone, Debug)]
pub struct HeldFacts {
    pub order: OrderRow,
    pub held: HeldOrder,
    pub passengers: Vec<(PassengerRow, PersonKeyRow)>,
}

/// Rows of orders that are held from now on, and of those that are paid now.
#[derive(Default)]
pub(super) struct HeldWritten {
    pub(super) held: Vec<HeldOrderRow>,
    pub(super) seats: Vec<HeldSeatRow>,
    pub(super) payments: Vec<PaymentRow>,
    pub(super) issued: Vec<Change>,
    pub(super) ended: Vec<Change>,
}

/// Columns of an order that is issued after it was held.
pub(super) const ISSUED: &[&str] =
    &["contract_id", "tender", "base_minor", "tax_minor", "total_minor", "cycle", "issued_at", "agency_tier"];
pub(super) const ENDED: &[&str] = &["state", "ended_at"];

/// No statement where nothing is paid that was held.
pub(super) fn held_facts(tx: &mut WriteTx, orders: &[&IssueOrder]) -> Result<BTreeMap<OrderId, HeldFacts>, DbError> {
    let ids: Vec<OrderId> = orders.iter().filter_map(|order| order.pays()).collect();
    let mut facts = BTreeMap::new();
    if ids.is_empty() {
        return Ok(facts);
    }
    let mut held = held_orders(tx.db, &ids)?;
    let mut passengers = passengers_of(tx.db, &ids)?;
    for order in orders_by_id(tx.db, &ids)? {
        let id = OrderId::of(order.id);
        let passengers = passengers.extract_if(.., |(passenger, _)| passenger.order_id == order.id).collect();
        if let Some(held) = held.extract_if(.., |held| held.order == id).next() {
            facts.insert(id, HeldFacts { order, held, passengers });
        }
    }
    Ok(facts)
}

/// How many orders each agency holds that can still be paid, of those that want to hold another one. No statement where nothing is to be held.
pub(super) fn unpaid_holds(tx: &mut WriteTx, orders: &[&IssueOrder]) -> Result<BTreeMap<AgencyId, i64>, DbError> {
    let holding = orders.iter().filter(|order| matches!(order.intent, Intent::Hold(_)));
    let mut counts: BTreeMap<AgencyId, i64> = holding.map(|order| (order.agency, 0)).collect();
    if counts.is_empty() {
        return Ok(counts);
    }
    let held = held_order::table.inner_join(air_order::table.on(air_order::id.eq(held_order::id)));
    let held = held.filter(held_order::state.eq(HeldState::Held.text()));
    let held = held.filter(held_order::payment_required_by.gt(tx.now.naive()));
    let of = held.filter(air_order::agency_id.eq_any(counts.keys().map(|id| id.raw()).collect::<Vec<_>>()));
    let of = of.group_by(air_order::agency_id).select((air_order::agency_id, diesel::dsl::count_star()));
    for (agency, count) in of.load::<(i64, i64)>(&mut *tx.db)? {
        counts.insert(AgencyId::of(agency), count);
    }
    Ok(counts)
}

/// Whether an agency may hold one more order; any other order passes.
pub(super) fn check_hold_limit(facts: &Facts, agency: &Agency, order: &IssueOrder) -> Result<(), Refusal> {
    let (held, limit) = (facts.unpaid_holds.get(&agency.id).copied().unwrap_or(0), agency.max_unpaid_holds.orders());
    let is_full = matches!(order.intent, Intent::Hold(_)) && held >= limit;
    if is_full { Err(Refusal::HoldLimitReached { held, limit }) } else { Ok(()) }
}

/// Whether a held order can still be paid; any other order passes.
pub(super) fn check_held(facts: &Facts, order: &IssueOrder) -> Result<(), Refusal> {
    let Some(id) = order.pays() else { return Ok(()) };
    // What was held when the payment was prepared is never removed; not to find it is not to sell.
    let moved = facts.held.get(&id).map(|facts_of| facts_of.held.on(HeldEnd::Paid, facts.now));
    match moved {
        Some(HeldMove::Applied(_)) => Ok(()),
        Some(HeldMove::Refused(HeldRefusal::WindowClosed(by))) => {
            Err(Refusal::PaymentWindowClosed { payment_required_by: by.to_string() })
        }
        Some(HeldMove::Refused(HeldRefusal::Cancelled)) | None => Err(Refusal::OrderCancelled),
        Some(HeldMove::Refused(HeldRefusal::AlreadyPaid | HeldRefusal::NotDue(_)) | HeldMove::AlreadyApplied) => {
            Err(Refusal::AlreadyPaid)
        }
    }
}

impl HeldWritten {
    /// An order that is held from now on; answers what it was held as.
    pub(super) fn hold(&mut self, plan: &HoldPlan, order: &OrderRow, seats: &[SeatDemand]) -> Result<HeldOrder, DbError> {
        let row = HeldOrderRow {
            id: order.id,
            offer: plan.offer.clone(),
            payment_required_by: plan.terms.payment_required_by.naive(),
            price_guaranteed_until: plan.terms.price_guaranteed_until.map(|until| until.naive()),
            state: HeldState::Held.text().to_owned(),
            ended_at: None,
        };
        let mut taken: BTreeMap<i64, i64> = BTreeMap::new();
        for demand in seats {
            *taken.entry(demand.bucket).or_default() += demand.seats;
        }
        let taken = taken.into_iter().filter(|(_, seats)| *seats > 0);
        self.seats.extend(taken.map(|(seat_bucket_id, seats)| HeldSeatRow { order_id: order.id, seat_bucket_id, seats }));
        self.held.push(row.clone());
        HeldOrder::try_from(row)
    }

    /// An order that was held and is issued now: `order` is what it has become.
    pub(super) fn pay(&mut self, tx: &WriteTx, plan: &IssueOrder, order: &OrderRow) {
        let at = order.issued_at;
        self.payments.push(PaymentRow {
            id: tx.ids.next::<OrderPaymentId>().raw(),
            order_id: order.id,
            agency_id: order.agency_id,
            kind: plan.tender.text().to_owned(),
            amount_minor: order.total_minor,
            currency: order.currency.clone(),
            created_at: tx.now.naive(),
        });
        self.ended.push(Change { id: order.id, values: vec![HeldState::Paid.text().into(), at.into()] });
        let values = vec![
            order.contract_id.into(),
            order.tender.clone().into(),
            order.base_minor.into(),
            order.tax_minor.into(),
            order.total_minor.into(),
            order.cycle.clone().into(),
            at.into(),
            order.agency_tier.clone().into(),
        ];
        self.issued.push(Change { id: order.id, values });
    }
}
