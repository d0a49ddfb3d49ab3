//! Refunds, and applications that a person decides.

use super::History;
use super::sales::first_of;
use crate::model::{Part, Refunded, cny};
use crate::verbs::{Share, Times};
use airsettle::documents::{Upload, keep_attachment};
use airsettle::ids::{AttachmentId, Id};
use airsettle::ticketing::{Application, RefundDecision, RefundKind, RefundRequest, WantedTicket};
use std::fmt::Display;

impl History {
    /// Quoted, confirmed and, where a person decides, approved.
    pub(super) fn refunds(&mut self, index: usize, part: Part, how: Refunded) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let (what, request) = self.request(place, part, how);
        let expected = self.model.refunds(place, part, how);
        let done = self.world.refunds_as(&request);
        self.settles(what, done, expected);
    }

    fn request(&self, place: usize, part: Part, how: Refunded) -> (&'static str, RefundRequest) {
        let order = self.sold[place];
        let tickets = match part {
            Part::All => Vec::new(),
            Part::FirstCoupon => vec![WantedTicket { ticket: self.world.number(&first_of(order, "id")), coupons: vec![1] }],
        };
        let (kind, what) = match how {
            Refunded::Voluntary => (RefundKind::Voluntary, "refund"),
            Refunded::Involuntary => (RefundKind::Involuntary, "refund"),
            Refunded::Medical => (RefundKind::Medical, "refund the sick"),
            Refunded::TaxOnly => (RefundKind::TaxOnly, "refund taxes"),
        };
        let evidence = if how == Refunded::Medical { vec![self.certificate()] } else { Vec::new() };
        let reason = Some("a flight that does not leave".to_owned());
        (what, RefundRequest { order, kind, tickets, amount: None, reason, evidence })
    }

    /// A sick traveller's.
    fn certificate(&self) -> AttachmentId {
        let world = &self.world;
        let upload = Upload::of(world.seller, "certificate.pdf", b"%PDF-1.7").unwrap();
        let kept = world.write(|tx| Ok(keep_attachment(tx, world.store.ids().next(), &upload, vec![1])?));
        AttachmentId::of(kept.id)
    }

    /// Of a refund that is posted now; the wallet may have to wait.
    pub(super) fn settles<E: Display>(
        &mut self,
        what: &'static str,
        done: Result<Application, E>,
        expected: Result<bool, String>,
    ) {
        if let (Ok(application), Ok(waits)) = (&done, &expected) {
            assert_eq!(application.row.status == "awaiting_airline_funds", *waits);
            if *waits {
                self.waiting.push(application.clone());
            }
        }
        self.agrees(what, done, expected.map(drop));
    }

    // ---- what a person decides

    pub(super) fn applies(&mut self, index: usize, part: Part, how: Refunded) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let (_, request) = self.request(place, part, how);
        let expected = self.model.applies(place, part, how);
        self.submits("apply", &request, expected);
    }

    /// For a part of what was kept of an order's first ticket.
    pub(super) fn applies_for_more(&mut self, index: usize, share: Share) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let amount = share.of(self.model.left_of(place)).max(1);
        let ticket = self.world.number(&first_of(self.sold[place], "id"));
        let request = RefundRequest {
            order: self.sold[place],
            kind: RefundKind::Supplementary,
            tickets: vec![WantedTicket { ticket, coupons: Vec::new() }],
            amount: Some(cny(amount)),
            reason: Some("the airline gives in".to_owned()),
            evidence: Vec::new(),
        };
        let expected = self.model.applies_for_more(place, amount);
        self.submits("apply for more", &request, expected);
    }

    fn submits(&mut self, what: &'static str, request: &RefundRequest, expected: Result<(), String>) {
        let submitted = self.world.quotes_refund(request).and_then(|quote| self.world.confirms_refund(&quote));
        if let Ok(application) = &submitted {
            self.submitted.push(application.clone());
        }
        self.agrees(what, submitted, expected);
    }

    pub(super) fn decides(&mut self, index: usize, decision: &RefundDecision, times: Times) {
        let place = index % self.submitted.len().max(1);
        let Some(application) = self.submitted.get(place).cloned() else { return };
        let mut done = self.world.decides(&application, decision);
        if done.is_ok() && times == Times::Twice {
            done = self.world.decides(&application, decision);
        }
        let is_supplement = application.row.kind == RefundKind::Supplementary.text();
        let (what, expected) = match decision {
            RefundDecision::Approve if is_supplement => ("approve a second amount", self.model.approves(place)),
            RefundDecision::Approve => ("approve", self.model.approves(place)),
            RefundDecision::Reject => {
                self.model.rejects(place);
                ("reject", Ok(false))
            }
        };
        if expected.is_ok() {
            self.submitted.remove(place);
        }
        self.settles(what, done, expected);
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
