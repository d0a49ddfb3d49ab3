//! What comes back of a ticket: the design's rules a second time, for tickets of one or two coupons of class Y, more than a week before they leave.

use super::{
    COMMISSION, FEES, Legs, Model, OWN_CASH, PAYABLE, RECEIVABLE, REFUND_DUE, TAX, TO_GIVE_BACK, WALLETS, cycle_of, divide,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// Five per cent of the fare are kept.
    Voluntary,
    /// Nothing is kept.
    Involuntary,
    /// The fare is kept.
    TaxOnly,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Whatever of the order is left.
    All,
    /// The first coupon of its first ticket.
    FirstCoupon,
}

/// A coupon's share of its ticket.
#[derive(Clone, Copy, Debug)]
struct Share {
    fare: i64,
    tax: i64,
    commission: i64,
    fee: i64,
}

/// Spread over weights by rounded sums.
fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    let total: i64 = weights.iter().sum();
    let (mut sum, mut given, mut parts) = (0, 0, Vec::new());
    for weight in weights {
        sum += weight;
        let upto = if total == 0 { 0 } else { divide(i128::from(amount) * i128::from(sum), i128::from(total)) };
        parts.push(upto - given);
        given = upto;
    }
    parts
}

fn shares(ticket: &Legs) -> Vec<Share> {
    let even = vec![1; ticket.coupons];
    let (fares, taxes) = (spread(ticket.base, &even), spread(ticket.tax, &even));
    let both = spread(ticket.commission + ticket.fee, &fares);
    let fees = spread(ticket.fee, &both);
    let all = fares.into_iter().zip(taxes).zip(both.into_iter().zip(fees));
    all.map(|((fare, tax), (both, fee))| Share { fare, tax, commission: both - fee, fee }).collect()
}

impl Model {
    /// Answers whether the wallet has to wait.
    pub fn refunds(&mut self, index: usize, part: Part, how: Refunded) -> Result<bool, String> {
        let sale = self.sales[index].clone();
        if sale.voided {
            return Err("ticket ".into());
        }
        let wanted = |ticket: usize, coupon: usize| part == Part::All || (ticket == 0 && coupon == 0);
        // What is flown or checked in is not refunded.
        let is_there = |ticket: usize, coupon: usize| sale.coupon == "O" || (ticket, coupon) != (0, 0);
        let is_open =
            |ticket: usize, coupon: usize| wanted(ticket, coupon) && is_there(ticket, coupon) && !sale.refunded[ticket][coupon];
        let prepaid = sale.wallet == WALLETS[1];
        let (mut to_wallet, mut seats, mut given_back) = (0, 0, 0);
        let capped = self.is_capped();
        for (place, ticket) in sale.tickets.iter().enumerate() {
            let back: Vec<Share> = shares(ticket)
                .into_iter()
                .enumerate()
                .filter(|(coupon, _)| is_open(place, *coupon))
                .map(|(_, one)| one)
                .collect();
            if back.is_empty() {
                continue;
            }
            seats += back.len();
            self.state.refunded += 1;
            let sum = |of: fn(&Share) -> i64| back.iter().map(of).sum::<i64>();
            let fare = sum(|one| one.fare);
            let kept = match how {
                Refunded::Voluntary => back.iter().map(|one| divide(i128::from(one.fare) * 5, 100)).sum(),
                Refunded::Involuntary => 0,
                Refunded::TaxOnly => fare,
            };
            let given = fare - kept;
            // The prepaid agency gives commission back pro rata, and its fee is kept.
            let commission = match (given, prepaid) {
                (0, _) => 0,
                (_, true) => divide(i128::from(sum(|one| one.commission)) * i128::from(given), i128::from(fare)),
                (_, false) => sum(|one| one.commission),
            };
            let fee = if given == 0 || prepaid { 0 } else { sum(|one| one.fee) };
            let (commission, tax) = (commission.min(given), sum(|one| one.tax));
            let fee = fee.min(given - commission);
            let airline = given - commission - fee;
            let credited = if sale.on_line { RECEIVABLE } else { REFUND_DUE };
            let unpaid = self.takes_back(sale.first_payment + place, airline, !prepaid);
            self.moves(PAYABLE, credited, unpaid);
            self.moves(TO_GIVE_BACK, credited, airline - unpaid);
            given_back += airline - unpaid;
            self.moves(TAX, credited, tax);
            self.moves(FEES, credited, fee);
            if sale.on_line {
                self.moves(COMMISSION, credited, commission);
                let running = cycle_of(self.today).max(cycle_of(sale.day));
                let cycle = self.cycles.entry(running).or_default();
                cycle.gross -= given + tax;
                cycle.commission -= commission;
            }
            to_wallet += given + tax - commission;
        }
        if seats == 0 {
            return Err("coupon ".into());
        }
        self.gives_seats_back(sale.bucket, seats);
        for (place, coupons) in self.sales[index].refunded.iter_mut().enumerate() {
            coupons.iter_mut().enumerate().filter(|(coupon, _)| is_open(place, *coupon)).for_each(|(_, done)| *done = true);
        }
        if sale.on_line {
            return Ok(false);
        }
        self.waiting.push((sale.wallet, to_wallet));
        // Own money is not lent to an airline that owes as much as it may.
        Ok((capped && given_back > 0) || !self.pays_wallet(self.waiting.len() - 1))
    }

    /// Not while the airline owes as much as it may.
    pub fn completes(&mut self, waiting: usize) -> bool {
        !self.is_capped() && self.pays_wallet(waiting)
    }

    /// A wallet gets what is due to it, if client cash and own money cover it.
    fn pays_wallet(&mut self, waiting: usize) -> bool {
        let (wallet, amount) = self.waiting[waiting];
        let missing = amount - self.cover();
        if missing > self.debit(OWN_CASH).max(0) && missing > 0 {
            return false;
        }
        if missing > 0 {
            self.orders_transfer(missing).unwrap();
        }
        self.moves(REFUND_DUE, wallet, amount);
        self.waiting.remove(waiting);
        true
    }
}
