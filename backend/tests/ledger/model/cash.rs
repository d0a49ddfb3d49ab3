//! Money that comes in and goes out, in plain numbers.

use super::{
    CAPITAL, CLIENT_CASH, COMMISSION, DEPOSIT, Model, ON_ITS_WAY, OWN_CASH, Payment, RECEIVABLE, TAX, WALLETS, cny, divide,
};

impl Model {
    pub fn receives(&mut self, amount: i64, account: &'static str) {
        let cash = if account == CAPITAL { OWN_CASH } else { CLIENT_CASH };
        self.moves(cash, account, amount);
    }

    /// What client cash holds above wallets, deposits and what wallet tickets still owe airlines.
    pub fn cover(&self) -> i64 {
        let unpaid = self.state.payments.iter().filter(|one| one.on_line.is_none() && !one.is_over).map(Payment::outstanding);
        let kept = self.credit(WALLETS[0]) + self.credit(WALLETS[1]) + self.credit(DEPOSIT);
        self.debit(CLIENT_CASH) + self.debit(ON_ITS_WAY) - kept - unpaid.sum::<i64>()
    }

    pub fn sweeps(&mut self, amount: i64) -> Result<(), String> {
        let free = self.cover();
        if amount > free {
            return Err(format!("only {} is above", cny(free)));
        }
        self.moves(OWN_CASH, CLIENT_CASH, amount);
        Ok(())
    }

    pub fn orders_transfer(&mut self, amount: i64) -> Result<(), String> {
        let short = amount - self.debit(OWN_CASH);
        if short > 0 {
            return Err(format!("the own account is short of {}", cny(short)));
        }
        self.moves(ON_ITS_WAY, OWN_CASH, amount);
        self.transfers.push(amount);
        Ok(())
    }

    pub fn confirms_transfer(&mut self) -> bool {
        if self.transfers.is_empty() {
            return false;
        }
        let amount = self.transfers.remove(0);
        self.moves(CLIENT_CASH, ON_ITS_WAY, amount);
        true
    }

    pub fn pays_tax(&mut self, amount: i64) -> Result<(), String> {
        self.pays(&[(TAX, amount)])
    }

    pub(super) fn pays(&mut self, debts: &[(&'static str, i64)]) -> Result<(), String> {
        let amount: i64 = debts.iter().map(|(_, part)| part).sum();
        if amount == 0 {
            return Err("a payment is more than zero".into());
        }
        if let Some((debt, _)) = debts.iter().find(|(debt, part)| *part > self.credit(debt).max(0)) {
            return Err(format!("{} is owed, not more", cny(self.credit(debt).max(0))));
        }
        let short = amount - self.debit(OWN_CASH);
        if short > 0 {
            return Err(format!("the own account is short of {}", cny(short)));
        }
        debts.iter().for_each(|(debt, part)| self.moves(debt, OWN_CASH, *part));
        Ok(())
    }

    /// Remitted in full nets all commission of the cycle, in part the same part.
    pub fn remits(&mut self, cycle: &str, amount: i64) -> Result<(), String> {
        let Some(sums) = self.cycles.get_mut(cycle) else {
            return Err(format!("the agency sold nothing on credit in cycle {cycle}"));
        };
        let (net, commission) = (sums.open_net(), sums.commission);
        let netted = match () {
            () if net <= 0 || commission <= 0 => 0,
            () if amount >= net => commission,
            () => divide(i128::from(commission) * i128::from(amount), i128::from(net)),
        };
        sums.gross -= amount + netted;
        sums.commission -= netted;
        self.moves(OWN_CASH, RECEIVABLE, amount);
        self.moves(COMMISSION, RECEIVABLE, netted);
        Ok(())
    }
}
