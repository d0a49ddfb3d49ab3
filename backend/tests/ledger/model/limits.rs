//! What limits are made of in plain numbers, what stands still, and what of a limit was told.

use super::{CLIENT_CASH, DEPOSIT, Model, WALLETS, cny};
use airsettle::agencies::FreezeScope;
use chrono::{Days, NaiveDate};
use std::collections::BTreeSet;

/// Of the agency that sells on credit.
#[derive(Clone, Debug, Default)]
pub struct Raised {
    /// After their haircuts, with their last days.
    guarantees: Vec<(i64, NaiveDate)>,
    temporary: Vec<(i64, NaiveDate)>,
    pub frozen: BTreeSet<FreezeScope>,
    told: i64,
}

/// Exposure and limit.
pub type Use = (i64, i64);

const PARTS: [i64; 4] = [50, 75, 90, 100];

impl Model {
    fn in_force(&self, terms: &[(i64, NaiveDate)]) -> i64 {
        terms.iter().filter(|(_, until)| *until >= self.today).map(|(amount, _)| amount).sum()
    }

    pub(super) fn limit_with(&self, deposit: i64) -> i64 {
        let secured = deposit + self.in_force(&self.raised.guarantees);
        secured.min(self.cap) + self.in_force(&self.raised.temporary)
    }

    pub fn used(&self) -> Use {
        (self.exposure(), self.limit())
    }

    /// Three tenths of a guarantee are not counted.
    pub fn guarantees(&mut self, amount: i64, days: u64) {
        self.raised.guarantees.push((amount * 7 / 10, self.today + Days::new(days)));
        self.looks_at_limit();
    }

    pub fn raises(&mut self, amount: i64, days: u64) {
        self.raised.temporary.push((amount, self.today + Days::new(days)));
        self.looks_at_limit();
    }

    fn looks_at_limit(&mut self) {
        self.tells(self.used(), self.used());
    }

    /// After a commit that may have sold.
    pub fn has_sold_since(&mut self, before: Use) {
        if before != self.used() {
            self.tells(before, self.used());
        }
    }

    fn tells(&mut self, before: Use, after: Use) {
        let mut told = self.raised.told;
        for (exposure, limit) in [before, after] {
            let above = |part: &&i64| exposure > 0 && exposure * 100 > limit * (**part - 5);
            told = PARTS.iter().rev().filter(|part| **part <= told).find(above).copied().unwrap_or(0);
        }
        let (exposure, limit) = after;
        for part in PARTS {
            if part > told && exposure > 0 && exposure * 100 >= limit * part {
                told = part;
                self.state.alerts.push(part);
            }
        }
        self.raised.told = told;
    }

    pub fn is_frozen(&self, scope: FreezeScope) -> bool {
        self.raised.frozen.contains(&scope)
    }

    /// Out of a wallet.
    pub fn withdraws(&mut self, wallet: &'static str, amount: i64) -> Result<(), String> {
        if wallet == WALLETS[0] && self.is_frozen(FreezeScope::Withdrawal) {
            return Err("withdrawals of the agency are frozen".into());
        }
        self.goes_out(wallet, amount)
    }

    pub fn returns_deposit(&mut self, amount: i64) -> Result<(), String> {
        if self.is_frozen(FreezeScope::Withdrawal) {
            return Err("withdrawals of the agency are frozen".into());
        }
        let left = self.credit(DEPOSIT) - amount;
        if left >= 0 && self.exposure() > 0 && self.limit_with(left) < self.exposure() {
            return Err("the limit would be".into());
        }
        self.goes_out(DEPOSIT, amount)?;
        self.looks_at_limit();
        Ok(())
    }

    fn goes_out(&mut self, account: &'static str, amount: i64) -> Result<(), String> {
        let there = self.credit(account);
        if amount > there {
            return Err(format!("{} is there, not more", cny(there)));
        }
        let short = amount - self.debit(CLIENT_CASH);
        if short > 0 {
            return Err(format!("the client account is short of {}", cny(short)));
        }
        self.moves(account, CLIENT_CASH, amount);
        Ok(())
    }

    /// What stands in a refund's way otherwise comes first.
    pub(super) fn may_refund(&self, index: usize) -> Result<(), String> {
        let is_frozen = self.sales[index].wallet == WALLETS[0] && self.is_frozen(FreezeScope::Refund);
        if is_frozen { Err("refunds of the agency are frozen".into()) } else { Ok(()) }
    }
}
