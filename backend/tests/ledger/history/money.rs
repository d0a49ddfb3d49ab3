//! Money that comes in, goes out, and is on its way.

use super::{History, one_of, text};
use crate::bank::{accepted, refused, settled_at, silence};
use crate::model::{self, BankWord, CAPITAL, DEPOSIT, WALLETS};
use crate::verbs::{Share, Times, Which};
use airsettle::agencies::Cycle;
use airsettle::audit::Actor;
use airsettle::credit::{Advance, BankOutcome, Confirmation, confirm_transfer, transfers};
use airsettle::db::Window;
use airsettle::settlement::{NewReceipt, Purpose};

impl History {
    pub(super) fn receives(&mut self, into: &'static str, amount: i64, times: Times) {
        let purpose = match into {
            CAPITAL => Purpose::Capital,
            DEPOSIT => Purpose::Deposit(self.world.agency),
            wallet if wallet == WALLETS[0] => Purpose::Wallet(self.world.agency),
            _ => Purpose::Wallet(self.world.prepaid),
        };
        let new = NewReceipt { amount: model::cny(amount), ..self.world.receipt(purpose, "1.00") };
        self.world.receives(&new).unwrap();
        if times == Times::Twice {
            self.world.receives(&new).unwrap();
        }
        self.model.receives(amount, into);
    }

    pub(super) fn some_advance(&self, which: Which) -> Option<(usize, Advance)> {
        let payments = &self.model.state.payments;
        let open: Vec<usize> = (0..payments.len()).filter(|index| !payments[*index].is_over).collect();
        let index = match which {
            Which::Newest => payments.len().saturating_sub(1),
            Which::Open(index) if !open.is_empty() => open[index % open.len()],
            Which::Open(index) | Which::Any(index) => index % payments.len().max(1),
        };
        Some((index, self.world.advances().get(index)?.clone()))
    }

    pub(super) fn bank_says(&mut self, which: Which, words: &[BankWord]) {
        let Some((index, advance)) = self.some_advance(which) else { return };
        // There is an earlier attempt only where one was refused.
        let words = words.iter().filter(|word| advance.attempt > 1 || **word != BankWord::SettledEarlier);
        let (words, outcomes): (Vec<_>, Vec<_>) = words.map(|word| (*word, about(&advance, *word))).unzip();
        self.world.bank_says(&outcomes);
        let told = advance.outstanding().minor;
        words.iter().for_each(|word| self.model.hears(index, *word, told));
    }

    pub(super) fn remits(&mut self, index: usize, share: Share) {
        let cycles: Vec<String> = self.model.cycles.keys().cloned().collect();
        let cycle = one_of(&cycles, index).cloned().unwrap_or_else(|| "2020-01-H1".into());
        let owed = self.model.cycles.get(&cycle).map_or(0, |sums| sums.open_net());
        let amount = share.of(owed).max(1);
        let remitted = self.world.remits(&text(amount), Cycle::parse(&cycle).unwrap());
        let expected = self.model.remits(&cycle, amount);
        self.agrees("remit", remitted, expected);
    }

    /// The bank carries out the oldest transfer that it was told of.
    pub(super) fn confirms_transfer(&mut self) {
        let open = self.world.read(|db| transfers(db, Window::NEWEST, 1_000));
        let oldest = open.iter().rev().find(|transfer| transfer.confirmation.is_none());
        if let Some(transfer) = oldest {
            let said = Confirmation { bank_reference: format!("T-{}", transfer.id), value_date: self.world.today() };
            self.world.write(|tx| Ok(confirm_transfer(tx, Actor::platform(), transfer.id, &said)?));
        }
        let confirmed = self.model.confirms_transfer();
        assert_eq!(oldest.is_some(), confirmed);
        self.counts("confirm a transfer", confirmed);
    }
}

fn about(advance: &Advance, word: BankWord) -> BankOutcome {
    let wrong = model::cny(advance.outstanding().minor + 1);
    let right = settled_at(advance, advance.outstanding());
    match word {
        BankWord::Accepted => accepted(advance),
        BankWord::Settled => right,
        BankWord::WrongAmount => settled_at(advance, wrong),
        BankWord::Refused => refused(advance),
        BankWord::Silence => silence(advance),
        BankWord::SettledEarlier => BankOutcome { attempt: advance.attempt - 1, ..right },
    }
}
