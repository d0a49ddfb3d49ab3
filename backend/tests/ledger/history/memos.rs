//! What the airline claims and grants, what the agency answers, and what two people decide.

use super::sales::first_of;
use super::{History, text};
use crate::model;
use crate::verbs::Share;
use airsettle::airlines::TicketNumber;
use airsettle::api::error::ApiError;
use airsettle::settlement::{ClaimedTicket, Memo, MemoKind, MemoStep, NewMemo, PaymentPurpose};

impl History {
    pub(super) fn claims(&mut self, index: usize, kind: MemoKind, reason: usize, share: Share) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let Some(left) = self.model.left_to_claim(place, kind) else { return };
        let reasons = match kind {
            MemoKind::Adm => ["fare_undercollected", "tax_undercollected"],
            MemoKind::Acm => ["fare_overcollected", "tax_overcollected"],
        };
        let (reason, amount) = (reasons[reason % 2], share.of(left));
        let number = self.world.texts(&first_of(self.sold[place], "number")).remove(0);
        let new = NewMemo {
            kind,
            airline: self.world.airline,
            reason: reason.into(),
            tickets: vec![ClaimedTicket { number: TicketNumber::parse(&number).unwrap(), amount: model::cny(amount) }],
            fee: model::cny(0),
            note: "as the tariff says".into(),
            evidence: Vec::new(),
        };
        let filed = self.world.files_memo(&new);
        let expected = self.model.claims_by_memo(place, kind, reason, amount);
        if let Ok(memo) = &filed {
            self.memos.push(memo.id);
        }
        self.agrees("claim", filed, expected);
    }

    fn some_memo(&self, index: usize) -> Option<usize> {
        self.memos.len().checked_sub(1 + index % self.memos.len().max(1))
    }

    pub(super) fn takes_memo_step(&mut self, index: usize, step: MemoStep) {
        let Some(place) = self.some_memo(index) else { return };
        let taken = self.world.steps(self.memos[place], step);
        let expected = self.model.steps(place, step);
        let what = match step {
            MemoStep::Accept => "accept a memo",
            MemoStep::Dispute => "dispute",
            MemoStep::WithdrawDispute => "withdraw a dispute",
            MemoStep::Answer => "answer a dispute",
            MemoStep::Withdraw => "withdraw a memo",
            _ => "review a memo",
        };
        self.agrees(what, taken, expected);
    }

    pub(super) fn decides_memo(&mut self, index: usize, share: Option<Share>) {
        let Some(place) = self.some_memo(index) else { return };
        let amount = share.map(|share| share.of(self.model.state.memos[place].amount));
        let decided: Result<Memo, ApiError> = self.world.decides_about(self.memos[place], amount.map(model::cny));
        let expected = self.model.decides_memo(place, amount);
        if expected.is_ok() && amount.is_some() {
            self.decided.push(place);
        }
        let what = if amount.is_some() { "uphold" } else { "dismiss" };
        self.agrees(what, decided.map_err(|error| error.items()[0].message.clone()), expected);
    }

    pub(super) fn pays_airline(&mut self, share: Share) {
        let amount = share.of(self.model.owed_of_memos());
        let purpose = PaymentPurpose::Airline { airline: self.world.airline, amount: crate::world::cny(&text(amount)) };
        let (paid, expected) = (self.world.pays(purpose), self.model.pays_airline(amount, &self.decided));
        self.agrees("pay an airline", paid, expected);
    }
}
