//! What comes back of a ticket: the design's rules a second time, for tickets of one or two coupons of class Y, more than a week before they leave.

use super::flights::Coupon;
use super::{
    COMMISSION, FEES, Legs, Model, OWN_CASH, PAYABLE, RECEIVABLE, REFUND_DUE, Sale, TAX, TO_GIVE_BACK, WALLETS, cny, cycle_of,
    divide,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refunded {
    /// Five per cent of the fare are kept.
    Voluntary,
    /// Nothing is kept, like in the next one.
    Involuntary,
    Medical,
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

/// What came back of a ticket so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Given {
    fare: i64,
    /// Of the fare, and not given back since.
    kept: i64,
    /// What the coupons had of these, and how much of that was taken back.
    commission: i64,
    fee: i64,
    taken_commission: i64,
    taken_fee: i64,
}

/// What one posting gives back of a ticket.
struct Back {
    given: i64,
    tax: i64,
    commission: i64,
    fee: i64,
}

/// An application that a person decides.
#[derive(Clone, Debug)]
pub(super) struct Applied {
    sale: usize,
    /// The first payment of its tickets.
    tickets: usize,
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Ticket by ticket.
    Coupons(Vec<Vec<usize>>, Refunded),
    /// So much more of the first ticket.
    Second(i64),
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
        let coupons = self.refundable(index, part)?;
        self.may_refund(index)?;
        Ok(self.gives_back(index, &coupons, how))
    }

    /// The coupons that come back, ticket by ticket: what is flown, checked in or refunded stays.
    fn refundable(&self, index: usize, part: Part) -> Result<Vec<Vec<usize>>, String> {
        let sale = &self.sales[index];
        if sale.voided {
            return Err("ticket ".into());
        }
        let wanted = |ticket: usize, number: usize| part == Part::All || (ticket, number) == (0, 0);
        let open = |ticket: usize, number: usize| self.coupon(index, ticket, number) == Coupon::Open;
        let of = |(ticket, legs): (usize, &Legs)| -> Vec<usize> {
            (0..legs.coupons).filter(|number| wanted(ticket, *number) && open(ticket, *number)).collect()
        };
        let coupons: Vec<Vec<usize>> = sale.tickets.iter().enumerate().map(of).collect();
        if coupons.iter().all(Vec::is_empty) { Err("coupon ".into()) } else { Ok(coupons) }
    }

    fn gives_back(&mut self, index: usize, coupons: &[Vec<usize>], how: Refunded) -> bool {
        let sale = self.sales[index].clone();
        let prepaid = sale.is_prepaid();
        let (mut to_wallet, mut claimed, mut seats) = (0, 0, Vec::new());
        let capped = self.is_capped();
        for (place, (ticket, numbers)) in sale.tickets.iter().zip(coupons).enumerate().filter(|(_, (_, them))| !them.is_empty()) {
            let shares = shares(ticket);
            let back: Vec<Share> = numbers.iter().map(|number| shares[*number]).collect();
            seats.extend(numbers.iter().map(|number| sale.seats[place][*number]));
            let sum = |of: fn(&Share) -> i64| back.iter().map(of).sum::<i64>();
            let fare = sum(|one| one.fare);
            let kept = match how {
                Refunded::Voluntary => back.iter().map(|one| divide(i128::from(one.fare) * 5, 100)).sum(),
                Refunded::Involuntary | Refunded::Medical => 0,
                Refunded::TaxOnly => fare,
            };
            let given = fare - kept;
            let (commission, fee) = taken(given, fare, (sum(|one| one.commission), sum(|one| one.fee)), prepaid);
            let posted = Back { given, tax: sum(|one| one.tax), commission, fee };
            let (due, owed) = self.posts_refund(&sale, place, &posted);
            (to_wallet, claimed) = (to_wallet + due, claimed + owed);
            let all = &mut self.sales[index].given[place];
            (all.fare, all.kept) = (all.fare + fare, all.kept + kept);
            (all.commission, all.fee) = (all.commission + sum(|one| one.commission), all.fee + sum(|one| one.fee));
            (all.taken_commission, all.taken_fee) = (all.taken_commission + commission, all.taken_fee + fee);
            numbers.iter().for_each(|number| self.sales[index].refunded[place][*number] = true);
        }
        self.gives_seats_back(&seats);
        self.settles(&sale, to_wallet, capped && claimed > 0)
    }

    /// A second amount for the first ticket of an order: a part of what was kept.
    fn gives_more(&mut self, index: usize, amount: i64) -> Result<bool, String> {
        self.may_give_more(index, amount)?;
        let sale = self.sales[index].clone();
        let all = sale.given[0];
        let kept = all.kept - amount;
        let (commission, fee) = taken(all.fare - kept, all.fare, (all.commission, all.fee), sale.is_prepaid());
        let commission = (commission - all.taken_commission).clamp(0, amount);
        let fee = (fee - all.taken_fee).clamp(0, amount - commission);
        let capped = self.is_capped();
        let (to_wallet, claimed) = self.posts_refund(&sale, 0, &Back { given: amount, tax: 0, commission, fee });
        let all = &mut self.sales[index].given[0];
        (all.kept, all.taken_commission, all.taken_fee) = (kept, all.taken_commission + commission, all.taken_fee + fee);
        Ok(self.settles(&sale, to_wallet, capped && claimed > 0))
    }

    fn may_give_more(&self, index: usize, amount: i64) -> Result<(), String> {
        let left = self.left_of(index);
        if amount > left {
            return Err(format!("{} of what was paid is left to give back, not {}", cny(left), cny(amount)));
        }
        Ok(())
    }

    /// What was kept of an order's first ticket.
    pub fn left_of(&self, index: usize) -> i64 {
        self.sales[index].given[0].kept
    }

    /// Answers what is due to a wallet, and what the airline has to give back for it.
    fn posts_refund(&mut self, sale: &Sale, place: usize, back: &Back) -> (i64, i64) {
        let Back { given, tax, commission, fee } = *back;
        let airline = given - commission - fee;
        let credited = if sale.on_credit { RECEIVABLE } else { REFUND_DUE };
        let unpaid = self.takes_back(sale.first_payment + place, airline, !sale.is_prepaid());
        self.moves(PAYABLE, credited, unpaid);
        self.moves(TO_GIVE_BACK, credited, airline - unpaid);
        self.moves(TAX, credited, tax);
        self.moves(FEES, credited, fee);
        if sale.on_credit {
            self.moves(COMMISSION, credited, commission);
            let running = cycle_of(self.today).max(cycle_of(sale.day));
            let cycle = self.cycles.entry(running).or_default();
            cycle.gross -= given + tax;
            cycle.commission -= commission;
        }
        self.state.refunded += 1;
        (given + tax - commission, airline - unpaid)
    }

    /// Own money is not lent to an airline that owed as much as it may before.
    fn settles(&mut self, sale: &Sale, to_wallet: i64, is_capped: bool) -> bool {
        if !sale.on_credit {
            self.waiting.push((sale.wallet, to_wallet));
        }
        let waits = !sale.on_credit && (is_capped || !self.pays_out(self.waiting.len() - 1));
        self.application_is(if waits { "awaiting_airline_funds" } else { "refunded" }, 1);
        waits
    }

    /// Not while the airline owes as much as it may.
    pub fn completes(&mut self, waiting: usize) -> bool {
        let done = !self.is_capped() && self.pays_out(waiting);
        if done {
            self.application_is("awaiting_airline_funds", -1);
            self.application_is("refunded", 1);
        }
        done
    }

    /// A wallet gets what is due to it, if client cash and own money cover it.
    fn pays_out(&mut self, waiting: usize) -> bool {
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

    // ---- what a person decides

    pub fn applies(&mut self, index: usize, part: Part, how: Refunded) -> Result<(), String> {
        let coupons = self.refundable(index, part)?;
        self.may_refund(index)?;
        self.submits(index, Wanted::Coupons(coupons, how));
        Ok(())
    }

    pub fn applies_for_more(&mut self, index: usize, amount: i64) -> Result<(), String> {
        self.may_give_more(index, amount)?;
        self.may_refund(index)?;
        self.submits(index, Wanted::Second(amount));
        Ok(())
    }

    fn submits(&mut self, sale: usize, wanted: Wanted) {
        let tickets = self.sales[sale].first_payment;
        self.submitted.push(Applied { sale, tickets, wanted });
        self.application_is("submitted", 1);
    }

    /// Answers whether the wallet has to wait. What is not there any more is not approved, and stays submitted.
    pub fn approves(&mut self, place: usize) -> Result<bool, String> {
        let Applied { sale, tickets, wanted } = self.submitted[place].clone();
        self.may_refund(sale)?;
        let waits = match wanted {
            Wanted::Coupons(coupons, how) => {
                self.are_still_there(sale, tickets, &coupons)?;
                self.gives_back(sale, &coupons, how)
            }
            Wanted::Second(amount) => self.gives_more(sale, amount)?,
        };
        self.is_decided(place);
        Ok(waits)
    }

    pub fn rejects(&mut self, place: usize) {
        self.is_decided(place);
        self.application_is("rejected", 1);
    }

    fn is_decided(&mut self, place: usize) {
        self.submitted.remove(place);
        self.application_is("submitted", -1);
    }

    fn are_still_there(&self, index: usize, tickets: usize, coupons: &[Vec<usize>]) -> Result<(), String> {
        let sale = &self.sales[index];
        let is_current = sale.first_payment == tickets;
        if (is_current && sale.voided) || self.taken_exchanges.contains(&tickets) {
            return Err("ticket ".into());
        }
        let mut wanted = coupons.iter().enumerate().flat_map(|(ticket, numbers)| numbers.iter().map(move |one| (ticket, *one)));
        match wanted.find(|(ticket, number)| !is_current || self.coupon(index, *ticket, *number) != Coupon::Open) {
            Some((_, number)) => Err(format!("coupon {} of ticket", number + 1)),
            None => Ok(()),
        }
    }

    fn application_is(&mut self, status: &'static str, more: i64) {
        *self.state.applications.entry(status).or_default() += more;
        self.state.applications.retain(|_, count| *count != 0);
    }
}

/// Commission and fee that come back with so much of a fare; the prepaid agency gives commission back pro rata, and its fee is kept.
fn taken(given: i64, fare: i64, (commission, fee): (i64, i64), prepaid: bool) -> (i64, i64) {
    let commission = match (given, prepaid) {
        (0, _) => 0,
        (_, true) => divide(i128::from(commission) * i128::from(given), i128::from(fare)),
        (_, false) => commission,
    };
    let commission = commission.min(given);
    let fee = if given == 0 || prepaid { 0 } else { fee };
    (commission, fee.min(given - commission))
}

impl Sale {
    fn is_prepaid(&self) -> bool {
        self.wallet == WALLETS[1]
    }
}
