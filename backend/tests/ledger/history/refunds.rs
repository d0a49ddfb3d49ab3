//! Refunds in random histories.

use super::{History, first_of};
use crate::model::{Part, Refunded};
use airsettle::ticketing::{RefundKind, RefundRequest, WantedTicket};

impl History {
    pub(super) fn refunds(&mut self, index: usize, part: Part, how: Refunded) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let order = self.sold[place];
        let first = first_of(order, "id");
        let tickets = match part {
            Part::All => Vec::new(),
            Part::FirstCoupon => vec![WantedTicket { ticket: self.world.number(&first), coupons: vec![1] }],
        };
        let (kind, what) = match how {
            Refunded::Voluntary => (RefundKind::Voluntary, "refund"),
            Refunded::Involuntary => (RefundKind::Involuntary, "refund"),
            Refunded::TaxOnly => (RefundKind::TaxOnly, "refund taxes"),
        };
        let reason = Some("a flight that does not leave".to_owned());
        let request = RefundRequest { order, kind, tickets, amount: None, reason, evidence: Vec::new() };
        let expected = match self.refunds_are_frozen(place) {
            true => self.model.clone().refunds(place, part, how).and(Err("refunds of the agency are frozen".into())),
            false => self.model.refunds(place, part, how),
        };
        let done = self.world.refunds_as(&request);
        if let (Ok(application), Ok(waits)) = (&done, &expected) {
            assert_eq!(application.row.status == "awaiting_airline_funds", *waits);
            if *waits {
                self.waiting.push(application.clone());
            }
        }
        self.agrees(what, done, expected.map(drop));
    }

    pub(super) fn completes(&mut self, index: usize) {
        let place = index % self.waiting.len().max(1);
        let Some(application) = self.waiting.get(place) else { return };
        let done = self.world.completes(application).row.status == "refunded";
        assert_eq!(done, self.model.completes(place));
        self.counts("complete a refund", done);
        if done {
            self.waiting.remove(place);
        }
    }
}
