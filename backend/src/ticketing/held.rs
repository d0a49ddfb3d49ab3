//! Orders that are held, within the posting path: the rows of a new one, what is read of one that is being paid under the lock of its agency, and what
//! changes when it is.

use super::decide::Facts;
use super::plan::{HoldPlan, IssueOrder, SeatDemand};
use super::refusal::Refusal;
use crate::db::{Change, DbError, WriteTx};
use crate::ids::{Id, OrderId, OrderPaymentId};
use crate::ordering::{
    HeldEnd, HeldMove, HeldOrder, HeldOrderRow, HeldRefusal, HeldSeatRow, HeldState, OrderRow, PassengerRow, PaymentRow,
    PersonKeyRow, held_orders, orders_by_id, passengers_of,
};
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
pub(super) const ISSUED: &[&str] = &["contract_id", "tender", "base_minor", "tax_minor", "total_minor", "cycle", "issued_at"];
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
        ];
        self.issued.push(Change { id: order.id, values });
    }
}
