//! What the airline claims and grants for tickets, in plain numbers and whole days.

use super::{Claim, Model, PAYABLE, RECEIVABLE, TO_GIVE_BACK, WALLETS, cny, cycle_of};
use airsettle::settlement::{MemoKind, MemoStep};
use chrono::{Days, NaiveDate};

/// As the world has it stored, but for `unanswered`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memo {
    pub status: &'static str,
    pub amount: i64,
    pub decided: i64,
    pub paid: i64,
}

/// What the model knows beside that.
#[derive(Clone, Debug)]
pub(super) struct Behind {
    kind: MemoKind,
    /// No two sets of tickets have the same.
    first_payment: usize,
    reason: &'static str,
    /// The first day on which it is too late to dispute; or, while the clock stands still, how many days are left.
    late_on: Option<NaiveDate>,
    left: u64,
}

/// Calendar days after the day of issue.
const ANSWER_DAYS: u64 = 15;

impl Model {
    /// What may still be claimed of the first ticket of an order; nothing where its agency sells from its wallet only.
    pub fn left_to_claim(&self, place: usize, kind: MemoKind) -> Option<i64> {
        let sale = &self.sales[place];
        if sale.wallet == WALLETS[1] {
            return None;
        }
        let of_ticket = self.behind.iter().zip(&self.state.memos).filter(|(behind, memo)| {
            let counts = !matches!(memo.status, "withdrawn" | "dismissed");
            behind.first_payment == sale.first_payment && behind.kind == kind && counts
        });
        Some(sale.tickets[0].price - of_ticket.map(|(_, memo)| memo.amount).sum::<i64>())
    }

    pub fn claims_by_memo(&mut self, place: usize, kind: MemoKind, reason: &'static str, amount: i64) -> Result<(), String> {
        let left = self.left_to_claim(place, kind).unwrap();
        let first_payment = self.sales[place].first_payment;
        if amount <= 0 {
            return Err("what is claimed is more than zero".into());
        }
        let same = |(behind, memo): (&Behind, &Memo)| {
            (behind.first_payment, behind.kind, behind.reason) == (first_payment, kind, reason) && memo.status != "withdrawn"
        };
        if self.behind.iter().zip(&self.state.memos).any(same) {
            return Err("memo mem_".into());
        }
        if amount > left {
            return Err("ticket ".into());
        }
        let late_on = Some(self.today + Days::new(ANSWER_DAYS + 1));
        self.behind.push(Behind { kind, first_payment, reason, late_on, left: 0 });
        self.state.memos.push(Memo { status: "issued", amount, decided: 0, paid: 0 });
        Ok(())
    }

    /// With what is a matter of time.
    pub fn memo_status(&self, index: usize) -> &'static str {
        match self.state.memos[index].status {
            "issued" | "under_review" if self.behind[index].late_on.is_some_and(|day| self.today >= day) => "unanswered",
            status => status,
        }
    }

    pub fn steps(&mut self, index: usize, step: MemoStep) -> Result<(), String> {
        let status = self.memo_status(index);
        let after = match (step, status) {
            (MemoStep::Review, "issued") => "under_review",
            (MemoStep::Accept, "issued" | "under_review" | "unanswered") => "accepted",
            (MemoStep::Dispute, "issued" | "under_review") => "disputed",
            (MemoStep::WithdrawDispute, "disputed" | "answered") => "under_review",
            (MemoStep::Answer, "disputed") => "answered",
            (MemoStep::Withdraw, "issued" | "under_review" | "unanswered" | "accepted" | "disputed" | "answered") => "withdrawn",
            (MemoStep::Dispute, "unanswered") => return Err("the agency's time was over at".into()),
            (_, status) => return Err(format!("the memo is {status}")),
        };
        let (today, behind) = (self.today, &mut self.behind[index]);
        match (step, behind.late_on) {
            (MemoStep::Dispute, Some(late_on)) => {
                behind.left = u64::try_from((late_on - today).num_days()).unwrap();
                behind.late_on = None;
            }
            (MemoStep::WithdrawDispute, None) => behind.late_on = Some(today + Days::new(behind.left)),
            _ => {}
        }
        self.state.memos[index].status = after;
        Ok(())
    }

    /// So much of it is owed; nothing: none of it.
    pub fn decides_memo(&mut self, index: usize, amount: Option<i64>) -> Result<(), String> {
        match self.memo_status(index) {
            "accepted" | "disputed" | "answered" | "unanswered" => {}
            "issued" | "under_review" => return Err("the agency may answer until".into()),
            status => return Err(format!("the memo is {status}")),
        }
        let Some(amount) = amount else {
            self.state.memos[index].status = "dismissed";
            return Ok(());
        };
        let claimed = self.state.memos[index].amount;
        if amount <= 0 {
            return Err("what is claimed is more than zero".into());
        }
        if amount > claimed {
            return Err(format!("{} is claimed, not more", cny(claimed)));
        }
        let (cycle, kind) = (cycle_of(self.today), self.behind[index].kind);
        let sums = self.cycles.entry(cycle).or_default();
        match kind {
            MemoKind::Adm => {
                sums.gross += amount;
                self.moves(RECEIVABLE, PAYABLE, amount);
            }
            MemoKind::Acm => {
                sums.gross -= amount;
                self.moves(TO_GIVE_BACK, RECEIVABLE, amount);
                self.state.claims.push(Claim { amount, settled: 0, is_set_off: true });
            }
        }
        let memo = &mut self.state.memos[index];
        (memo.status, memo.decided) = ("posted", amount);
        Ok(())
    }

    /// What the airline has still to be paid of its memos.
    pub fn owed_of_memos(&self) -> i64 {
        let adm = self.behind.iter().zip(&self.state.memos).filter(|(behind, _)| behind.kind == MemoKind::Adm);
        adm.map(|(_, memo)| memo.decided - memo.paid).sum()
    }

    pub fn pays_airline(&mut self, amount: i64, decided: &[usize]) -> Result<(), String> {
        let owed = self.owed_of_memos();
        if amount > owed {
            return Err(format!("{} is owed, not more", cny(owed)));
        }
        self.pays(&[(PAYABLE, amount)])?;
        let mut left = amount;
        for index in decided {
            if self.behind[*index].kind == MemoKind::Adm {
                let memo = &mut self.state.memos[*index];
                let part = left.min(memo.decided - memo.paid);
                memo.paid += part;
                left -= part;
            }
        }
        assert_eq!(left, 0);
        Ok(())
    }
}
