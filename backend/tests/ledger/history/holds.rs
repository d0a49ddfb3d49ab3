//! The verbs of orders that are held.

use super::History;
use crate::model::Holding;
use crate::verbs::{Times, Wish};
use airsettle::ids::{Id, OrderId};
use airsettle::ticketing::{Intent, Outcome};

impl History {
    pub(super) fn holds(&mut self, wish: &Wish) {
        let key = format!("key-{}", self.known.len());
        let order = self.wished(wish).held();
        let order = if wish.keyed { order.keyed(&key) } else { order }.build();
        let Intent::Hold(plan) = &order.intent else { panic!("{:?}", order.intent) };
        let expected = self.model.holds(&order, wish.buyer, plan.terms.payment_required_by.to_string());
        self.counts("hold", expected.is_ok());
        match (self.world.issue(order.clone()), expected) {
            (Outcome::Issued(held), Ok(())) => {
                self.parties.push(OrderId::of(held.order.id));
                self.held.push((*held, wish.clone()));
                self.known.push((order, true));
            }
            (Outcome::Refused(refusal), Err(wanted)) => {
                assert_eq!(refusal, wanted);
                self.known.push((order, false));
            }
            (outcome, expected) => panic!("{expected:?} was expected, not {outcome:?}"),
        }
    }

    /// Another payment of the same order, not the same one again, when it is paid twice.
    pub(super) fn pays_hold(&mut self, index: usize, times: Times) {
        let Some(place) = self.held.len().checked_sub(1 + index) else { return };
        if self.model.flight_changed_since_hold(place) {
            return;
        }
        for _ in 0..if times == Times::Twice { 2 } else { 1 } {
            let (held, wish) = &self.held[place];
            let order = self.wished(wish).paying(held).build();
            let before = self.model.used();
            let (outcome, expected) = (self.world.issue(order.clone()), self.model.pays_hold(place));
            self.model.has_sold_since(before);
            self.counts("pay a hold", expected.is_ok());
            match (outcome, expected) {
                (Outcome::Issued(issued), Ok(())) => {
                    self.sold.push(OrderId::of(issued.order.id));
                    self.known.push((order, true));
                }
                (Outcome::Refused(refusal), Err(wanted)) => assert_eq!(refusal, wanted),
                (outcome, expected) => panic!("{expected:?} was expected, not {outcome:?}"),
            }
        }
    }

    /// One that was paid is voided by another verb.
    pub(super) fn cancels_hold(&mut self, index: usize, times: Times) {
        let Some(place) = self.held.len().checked_sub(1 + index) else { return };
        if self.model.state.holds[place] == Holding::Paid {
            return;
        }
        let quote = self.world.quotes(&self.held[place].0);
        let cancelled = quote.and_then(|quote| {
            let first = self.world.confirms(&quote)?;
            if times == Times::Twice { self.world.confirms(&quote) } else { Ok(first) }
        });
        let expected = self.model.cancels_hold(place);
        self.agrees("cancel a hold", cancelled, expected);
    }
}

/// The state of a held order, as the database has it.
pub(super) fn holding(state: &str) -> Holding {
    match state {
        "held" => Holding::Held,
        "paid" => Holding::Paid,
        "cancelled" => Holding::Cancelled,
        "expired" => Holding::Expired,
        other => panic!("held order in state {other}"),
    }
}
