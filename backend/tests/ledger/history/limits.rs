//! The verbs of limits and of what stands still.

use super::{History, text};
use crate::model::{self, DEPOSIT, WALLETS};
use crate::verbs::Share;
use airsettle::agencies::FreezeScope;
use airsettle::settlement::PayoutPurpose;

impl History {
    pub(super) fn freezes(&mut self, scope: FreezeScope) {
        self.world.freezes(&[scope]);
        self.model.raised.frozen.insert(scope);
        self.counts("freeze", true);
    }

    /// Two people lift everything that is on.
    pub(super) fn thaws(&mut self) {
        for switch in self.world.switches_on() {
            self.world.lifts(&switch).unwrap();
        }
        self.model.raised.frozen.clear();
    }

    pub(super) fn withdraws(&mut self, wallet: usize, share: Share) {
        let agency = [self.world.agency, self.world.prepaid][wallet];
        let amount = share.of(self.model.credit(WALLETS[wallet])).max(1);
        let paid = self.world.pays_out(agency, PayoutPurpose::WalletWithdrawal, model::cny(amount));
        let expected = self.model.withdraws(WALLETS[wallet], amount);
        self.agrees("withdraw", paid, expected);
    }

    pub(super) fn returns_deposit(&mut self, share: Share) {
        let amount = share.of(self.model.credit(DEPOSIT)).max(1);
        let paid = self.world.pays_out(self.world.agency, PayoutPurpose::DepositReturn, model::cny(amount));
        let expected = self.model.returns_deposit(amount);
        self.agrees("return a deposit", paid, expected);
    }

    pub(super) fn guarantees(&mut self, amount: i64, days: u64) {
        self.world.registers(&self.world.guarantee(model::cny(amount), "0.3", days)).unwrap();
        self.model.guarantees(amount, days);
        self.counts("guarantee", true);
    }

    pub(super) fn raises_limit(&mut self, amount: i64, days: u64) {
        self.world.two_agree(&self.world.raise(&text(amount), days)).unwrap();
        self.model.raises(amount, days);
        self.counts("raise the limit", true);
    }
}
