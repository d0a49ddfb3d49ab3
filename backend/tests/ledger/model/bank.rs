//! The rest of the model: what airlines are paid, and what they give back.

use super::{
    BankWord, CLIENT_CASH, Claim, LOANS, Model, OWN_CASH, PAYABLE, Payment, RECEIVABLE, Stage, TO_GIVE_BACK, WALLETS, cny,
};

impl Payment {
    pub fn outstanding(&self) -> i64 {
        self.amount - self.set_off - self.cancelled
    }

    /// Neither paid nor taken back.
    pub(super) fn still_open(&self) -> i64 {
        if self.is_over { 0 } else { self.outstanding() - self.reclaimed }
    }

    pub(super) fn is_on_its_way(&self) -> bool {
        matches!(self.state, Stage::Sent | Stage::Unknown)
    }

    fn paid_from(&self) -> &'static str {
        self.on_line.map_or(CLIENT_CASH, |line| LOANS[line])
    }
}

impl Model {
    pub fn voids(&mut self, index: usize) -> Result<(), String> {
        let sale = self.sales[index].clone();
        if sale.voided {
            return Err("the order was cancelled".into());
        }
        if sale.exchanged || sale.coupon != "O" || sale.refunded.iter().flatten().any(|done| *done) {
            return Err("coupon ".into());
        }
        if sale.day != self.today {
            return Err("the void window closed".into());
        }
        let before = self.clone();
        self.books_sale(&sale, -1);
        for (place, ticket) in sale.tickets.iter().enumerate() {
            let unpaid = self.takes_back(sale.first_payment + place, ticket.airline, sale.wallet == WALLETS[0]);
            let payer = if sale.on_credit { RECEIVABLE } else { sale.wallet };
            self.moves(PAYABLE, payer, unpaid);
            self.moves(TO_GIVE_BACK, payer, ticket.airline - unpaid);
        }
        let missing = -self.cover();
        if !sale.on_credit && missing > 0 {
            let short = missing - self.debit(OWN_CASH);
            if short > 0 {
                *self = before;
                return Err(format!("the airline was paid, and own money is short of {}", cny(short)));
            }
            self.orders_transfer(missing).unwrap();
        }
        let count = i64::try_from(sale.tickets.len()).unwrap();
        self.gives_seats_back(sale.seats.iter().flatten());
        self.state.voided += count;
        self.sales[index].voided = true;
        Ok(())
    }

    /// A part of the airline's share, or all: what was not paid first, then what was, and a claim on what is more than its share. Answers what was
    /// certainly never paid.
    pub(super) fn takes_back(&mut self, index: usize, amount: i64, is_set_off: bool) -> i64 {
        let payment = &mut self.state.payments[index];
        let within = amount.min(payment.amount - self.taken[index]);
        let open = within.min(payment.still_open());
        self.taken[index] += within;
        let is_on_its_way = payment.is_on_its_way();
        if is_on_its_way {
            payment.reclaimed += open;
        } else if open > 0 {
            self.is_cancelled(index, open);
        }
        self.claims(amount - open, is_set_off);
        if is_on_its_way { 0 } else { open }
    }

    /// So much less is to be paid; nothing at all, if nothing is left.
    fn is_cancelled(&mut self, index: usize, part: i64) {
        let payment = &mut self.state.payments[index];
        payment.cancelled += part;
        if payment.outstanding() == 0 {
            payment.state = Stage::Cancelled;
            self.ends(index, part);
        } else if let Some(line) = payment.on_line {
            self.state.lines[line].held -= part;
        }
    }

    fn claims(&mut self, amount: i64, is_set_off: bool) {
        if amount > 0 {
            self.state.claims.push(Claim { amount, settled: 0, is_set_off });
        }
    }

    /// Nothing more is paid for this ticket; what was held for it is free.
    fn ends(&mut self, index: usize, held: i64) {
        let payment = &mut self.state.payments[index];
        payment.is_over = true;
        if let Some(line) = payment.on_line {
            self.state.lines[line].held -= held;
            self.state.lines[line].unconfirmed -= 1;
        }
    }

    pub fn open_claims(&self) -> i64 {
        self.state.claims.iter().map(|claim| claim.amount - claim.settled).sum()
    }

    pub fn airline_repays(&mut self, amount: i64) -> Result<(), String> {
        if amount > self.open_claims() {
            return Err(format!("the airline has to give back {}, not more", cny(self.open_claims())));
        }
        self.settles_claims(amount, |_| true);
        self.moves(OWN_CASH, TO_GIVE_BACK, amount);
        Ok(())
    }

    /// Oldest first; answers how much was settled.
    fn settles_claims(&mut self, at_most: i64, which: fn(&Claim) -> bool) -> i64 {
        let mut left = at_most;
        for claim in self.state.claims.iter_mut().filter(|claim| which(claim)) {
            let part = left.min(claim.amount - claim.settled);
            claim.settled += part;
            left -= part;
        }
        at_most - left
    }

    // ---- the bank

    /// The airline owes as much as it may.
    pub(super) fn is_capped(&self) -> bool {
        self.debit(TO_GIVE_BACK) >= self.cap_of_airline
    }

    /// A failed payment is sent again as a new attempt; what is on its way already is only asked about. Answers whether it waits instead: what was sold
    /// today may be voided.
    pub fn sends(&mut self, index: usize) -> bool {
        let state = self.state.payments[index].state;
        if state == Stage::Held && self.is_capped() && self.sent_on[index] == self.today {
            return true;
        }
        if !matches!(state, Stage::Held | Stage::Failed) {
            return false;
        }
        let outstanding = self.state.payments[index].outstanding();
        let part = self.settles_claims(outstanding, |claim| claim.is_set_off);
        self.moves(PAYABLE, TO_GIVE_BACK, part);
        let payment = &mut self.state.payments[index];
        payment.set_off += part;
        payment.state = if part == outstanding { Stage::SetOff } else { Stage::Sent };
        self.sent_on[index] = self.today;
        if part == outstanding {
            self.ends(index, part);
        } else if let Some(line) = payment.on_line {
            self.state.lines[line].held -= part;
        }
        false
    }

    /// A payment of the line that the bank has refused, or that we have lost sight of, keeps it closed.
    pub fn is_in_doubt(&self, line: usize) -> bool {
        let in_doubt = |one: &Payment| one.on_line == Some(line) && matches!(one.state, Stage::Unknown | Stage::Failed);
        self.state.payments.iter().any(in_doubt)
    }

    /// The bank settles what it was `told` to pay.
    pub fn hears(&mut self, index: usize, word: BankWord, told: i64) {
        use Stage::{Cancelled, Confirmed, Failed, Held, Sent, SetOff, Unknown};
        let payment = &mut self.state.payments[index];
        // Parts of it were taken back when the bank refused it, and it pays all of it after all.
        let is_too_much = word == BankWord::Settled && payment.state == Failed && told != payment.outstanding();
        let word = if is_too_much { BankWord::WrongAmount } else { word };
        let closes = match (word, payment.state) {
            (BankWord::SettledEarlier, _) | (BankWord::Settled | BankWord::WrongAmount, SetOff | Cancelled) => {
                Some("the bank settled an attempt that it had refused before")
            }
            // Also after it had refused: the money moved.
            (BankWord::Settled, Sent | Unknown | Failed) => {
                self.is_paid(index);
                None
            }
            (BankWord::WrongAmount, Held | Sent | Unknown | Failed) => {
                if payment.state == Sent {
                    payment.state = Unknown;
                }
                Some("the bank settled an advance at another amount")
            }
            (BankWord::Refused, Sent | Unknown) => {
                payment.state = Failed;
                self.is_refused(index);
                Some("the bank refused an advance")
            }
            (BankWord::Accepted, Unknown) => {
                payment.state = Sent;
                None
            }
            (BankWord::Silence, Sent) => {
                payment.state = Unknown;
                None
            }
            (BankWord::Settled, Held | Confirmed)
            | (BankWord::WrongAmount, Confirmed)
            | (BankWord::Refused, Held | Failed | Confirmed | SetOff | Cancelled)
            | (BankWord::Accepted, Held | Sent | Failed | Confirmed | SetOff | Cancelled)
            | (BankWord::Silence, Held | Unknown | Failed | Confirmed | SetOff | Cancelled) => None,
        };
        if let Some((line, reason)) = self.state.payments[index].on_line.zip(closes) {
            self.state.lines[line].closed.get_or_insert_with(|| reason.to_owned());
        }
    }

    fn is_paid(&mut self, index: usize) {
        let payment = &mut self.state.payments[index];
        let (amount, from, on_line) = (payment.outstanding(), payment.paid_from(), payment.on_line);
        let reclaimed = std::mem::take(&mut payment.reclaimed);
        payment.state = Stage::Confirmed;
        if let Some(line) = on_line {
            self.moves_back(line, amount, self.sent_on[index]);
        }
        self.moves(PAYABLE, from, amount);
        self.ends(index, amount);
        let is_set_off = self.payers[index] == WALLETS[0];
        self.claims(reclaimed, is_set_off);
    }

    /// What was taken back while it was on its way is not claimed after all.
    fn is_refused(&mut self, index: usize) {
        let payment = &mut self.state.payments[index];
        let reclaimed = std::mem::take(&mut payment.reclaimed);
        if reclaimed == 0 {
            return;
        }
        self.moves(PAYABLE, TO_GIVE_BACK, reclaimed);
        self.is_cancelled(index, reclaimed);
    }
}
