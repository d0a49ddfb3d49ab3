//! Sales, what airlines say about their coupons, and voids.

use super::{History, SEATS, one_of};
use crate::model::{Buyer, cny};
use crate::order::Order;
use crate::verbs::{Times, Wish};
use airsettle::ids::{Id, OrderId};
use airsettle::ticketing::{CouponStatus, IssueOrder, Outcome, ReportOutcome};

impl History {
    pub(super) fn orders(&mut self, wishes: &[Wish]) {
        let (mut batch, mut expected) = (Vec::new(), Vec::new());
        let before = self.model.used();
        for wish in wishes {
            let key = format!("key-{}", self.known.len() + batch.len());
            let order = self.wished(wish);
            let order = if wish.keyed { order.keyed(&key) } else { order }.build();
            expected.push(self.model.sells(&order, wish.buyer));
            batch.push(order);
        }
        self.model.has_sold_since(before);
        for ((outcome, expected), order) in self.world.issues(&batch).into_iter().zip(expected).zip(batch) {
            self.counts("issue", expected.is_ok());
            match (outcome, &expected) {
                (Outcome::Issued(issued), Ok(())) => {
                    let id = OrderId::of(issued.order.id);
                    self.sold.push(id);
                    self.parties.push(id);
                    self.known.push((order, true));
                }
                (Outcome::Refused(refusal), Err(wanted)) => {
                    assert_eq!(&refusal, wanted);
                    self.known.push((order, false));
                }
                (outcome, expected) => panic!("{expected:?} was expected, not {outcome:?}"),
            }
        }
    }

    /// On a flight as it stands; where it leaves no more, as it was offered before.
    pub(super) fn wished(&self, wish: &Wish) -> Order<'_> {
        let flight = wish.flight * 2;
        let order = self.world.order().tickets(wish.tickets).coupons(wish.coupons).fare(cny(wish.fare));
        let order = order.on_flight(self.model.flights[flight].classes[0].0, SEATS).priced_with(self.sky.priced_with(flight));
        let order = order.departing_at(self.sky.departs(flight)).sealed(&self.people.stranger);
        match wish.buyer {
            Buyer::Credit => order,
            Buyer::CreditThenWallet => order.by_balance(),
            Buyer::Prepaid => order.by_wallet(),
        }
    }

    /// A refusal without a key may be decided anew, so only what is remembered is asked for.
    pub(super) fn repeats(&mut self, index: usize) {
        let remembered: Vec<&(IssueOrder, bool)> =
            self.known.iter().filter(|(order, sold)| *sold || order.key.is_explicit()).collect();
        let Some((order, sold)) = one_of(&remembered, index).copied() else { return };
        let again = IssueOrder { claim: self.world.store.ids().block(1), ..order.clone() };
        match (self.world.issue(again), sold) {
            (Outcome::Replayed(_), true) | (Outcome::RefusedBefore(_), false) => {}
            (other, sold) => panic!("sold before: {sold}, now {other:?}"),
        }
    }

    pub(super) fn voids(&mut self, index: usize, times: Times) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let order = self.sold[place];
        let expected = self.model.voids(place);
        let quote = self.world.quotes_order(order);
        let voided = quote.and_then(|quote| {
            let first = self.world.confirms(&quote)?;
            if times == Times::Twice { self.world.confirms(&quote) } else { Ok(first) }
        });
        self.agrees("void", voided, expected);
    }

    pub(super) fn reports(&mut self, index: usize, to: CouponStatus) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let first = first_of(self.sold[place], "number");
        let number = self.world.texts(&first).remove(0);
        let answer = match self.world.says(&number, 1, to) {
            ReportOutcome::Rejected(error) => Err(error),
            ReportOutcome::Applied { .. } | ReportOutcome::AlreadyApplied => Ok(()),
        };
        let expected = self.model.reports(place, to.text());
        self.agrees("report", answer, expected);
    }
}

/// Of the first ticket of an order, one that was neither given in nor voided before any that was.
pub(super) fn first_of(order: OrderId, column: &str) -> String {
    let there = "EXISTS (SELECT 1 FROM coupon c WHERE c.ticket_id = ticket.id AND c.status NOT IN ('E', 'V'))";
    let first = format!("ORDER BY CASE WHEN {there} THEN 0 ELSE 1 END, id LIMIT 1");
    format!("SELECT {column} AS value FROM ticket WHERE order_id = {} {first}", order.raw())
}
