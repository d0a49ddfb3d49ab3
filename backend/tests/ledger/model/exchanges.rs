//! Exchanges, in plain numbers: what is given in pays for the new tickets, and only the difference moves.

use super::refunds::Given;
use super::sales::{legs, seats_in};
use super::{Before, Buyer, LINES, Legs, Model, PAYABLE, Payment, RECEIVABLE, Sale, Stage, TO_GIVE_BACK, WALLETS};
use airsettle::ticketing::{Refusal, TicketPlan};
use std::collections::BTreeMap;

/// Why an exchange is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    Refused(Refusal),
    /// The airline was paid, and own money is short of so much.
    AwaitsAirline(i64),
    NotOpen,
    GaveBack,
    WindowClosed,
}

impl Model {
    /// Nothing of it was used, voided or refunded.
    pub fn is_whole(&self, index: usize) -> bool {
        let sale = &self.sales[index];
        !sale.voided && sale.coupon == "O" && !sale.refunded.iter().flatten().any(|done| *done)
    }

    /// All tickets of an order for others of one coupon each, and a penalty on each.
    pub fn exchanges(&mut self, index: usize, new: &[TicketPlan], penalty: i64, bucket: i64) -> Result<(), Declined> {
        let old = Sale { day: self.today, ..self.sales[index].clone() };
        let new: Vec<Legs> = new.iter().map(legs).collect();
        let line = self.may_exchange(&old, &new, penalty).map_err(Declined::Refused)?;
        let before = self.clone();
        let answered = self.waives(index);
        self.books_sale(&old, -1);
        let seats = seats_in(bucket, &new);
        let sale = Sale {
            seats: seats.clone(),
            given: vec![Given::default(); new.len()],
            first_payment: self.state.payments.len(),
            refunded: vec![vec![false]; new.len()],
            exchanged: true,
            tickets: new,
            before: Some(Box::new(Before { sale: self.sales[index].clone(), penalty, filed: self.filed })),
            ..old.clone()
        };
        self.books_sale(&sale, 1);
        let payer = if old.on_credit { RECEIVABLE } else { old.wallet };
        for (place, (given_in, ticket)) in old.tickets.iter().zip(&sale.tickets).enumerate() {
            let certain = self.certain(old.first_payment + place, given_in.airline);
            let unpaid = self.takes_back(old.first_payment + place, given_in.airline, old.wallet == WALLETS[0]);
            self.moves(PAYABLE, payer, unpaid);
            self.moves(TO_GIVE_BACK, payer, given_in.airline - unpaid);
            if old.on_credit {
                let cycle = super::cycle_of(self.today);
                self.cycles.entry(cycle).or_default().gross += penalty;
            }
            self.moves(payer, PAYABLE, ticket.airline + penalty);
            self.pays_difference(&old, ticket.airline + penalty, certain, line);
        }
        if let Err(declined) = self.covers_wallet(&old) {
            *self = before;
            return Err(declined);
        }
        self.gives_seats_back(old.seats.iter().flatten());
        self.takes_seats(&seats);
        if let Some(change) = answered {
            self.changes[change].answer = "changed";
        }
        self.state.tickets += i64::try_from(sale.tickets.len()).unwrap();
        self.sales[index] = sale;
        Ok(())
    }

    /// The last exchange of an order is taken back on its day; once it was, nothing more happens.
    pub fn takes_exchange_back(&mut self, index: usize) -> Result<(), Declined> {
        let new = self.sales[index].clone();
        let Some(Before { sale: old, penalty, filed }) = new.before.as_deref().cloned() else { return Ok(()) };
        let differences: Vec<i64> =
            old.tickets.iter().zip(&new.tickets).map(|(old, new)| new.airline + penalty - old.airline).collect();
        for (place, difference) in differences.iter().enumerate() {
            if new.refunded[place][0] || (place == 0 && new.coupon != "O") {
                return Err(Declined::NotOpen);
            }
            if *difference < 0 {
                return Err(Declined::GaveBack);
            }
        }
        if new.day != self.today {
            return Err(Declined::WindowClosed);
        }
        self.may_sit_again(&old, filed).map_err(Declined::Refused)?;
        let before = self.clone();
        self.books_sale(&new, -1);
        self.books_sale(&Sale { day: self.today, ..old.clone() }, 1);
        let payer = if old.on_credit { RECEIVABLE } else { old.wallet };
        for (place, difference) in differences.into_iter().enumerate() {
            let unpaid = self.takes_back(new.first_payment + place, difference, old.wallet == WALLETS[0]);
            self.moves(PAYABLE, payer, unpaid);
            self.moves(TO_GIVE_BACK, payer, difference - unpaid);
            if old.on_credit {
                let cycle = super::cycle_of(self.today);
                self.cycles.entry(cycle).or_default().gross -= penalty;
            }
        }
        if let Err(declined) = self.covers_wallet(&old) {
            *self = before;
            return Err(declined);
        }
        self.gives_seats_back(new.seats.iter().flatten());
        self.takes_seats(&old.seats);
        self.taken_exchanges.insert(new.first_payment);
        // Its new tickets are void and stay with it.
        self.sales[index] = Sale { exchanged: true, before: None, ..old };
        Ok(())
    }

    /// On flights that stayed as they were, and have room.
    fn may_sit_again(&self, old: &Sale, filed: usize) -> Result<(), Refusal> {
        let mut asked: BTreeMap<i64, i64> = BTreeMap::new();
        old.seats.iter().flatten().for_each(|bucket| *asked.entry(*bucket).or_default() += 1);
        for (bucket, asked) in asked {
            let name = || self.flight_of(bucket).map_or_else(String::new, |flight| flight.name.clone());
            if self.flight_of(bucket).is_some_and(|flight| flight.last > filed) {
                return Err(Refusal::ScheduleChanged { flight: name() });
            }
            let left = self.seats_left(bucket);
            if left < asked {
                return Err(Refusal::SeatsSoldOut { flight: name(), booking_class: 'Y', left, asked });
            }
        }
        Ok(())
    }

    /// Own money for what client cash lacks.
    fn covers_wallet(&mut self, sale: &Sale) -> Result<(), Declined> {
        let missing = -self.cover();
        if !sale.on_credit && missing > 0 {
            let short = missing - self.debit(super::OWN_CASH);
            if short > 0 {
                return Err(Declined::AwaitsAirline(short));
            }
            self.orders_transfer(missing).unwrap();
        }
        Ok(())
    }

    fn may_exchange(&self, old: &Sale, new: &[Legs], penalty: i64) -> Result<Option<usize>, Refusal> {
        self.may_trade(if old.wallet == WALLETS[0] { Buyer::Credit } else { Buyer::Prepaid })?;
        let (mut net, mut airline, mut released) = (0, 0, [0; LINES]);
        for (place, (given_in, ticket)) in old.tickets.iter().zip(new).enumerate() {
            net += ticket.price - ticket.commission + penalty - (given_in.price - given_in.commission);
            let index = old.first_payment + place;
            let certain = self.certain(index, given_in.airline);
            let payment = &self.state.payments[index];
            if let Some(line) = payment.on_line.filter(|_| !payment.is_on_its_way()) {
                released[line] += given_in.airline - certain;
            }
            airline += (ticket.airline + penalty - certain).max(0);
        }
        if old.on_credit { self.has_credit(net, airline, released) } else { self.has_prepaid(old.wallet, net).map(|()| None) }
    }

    /// How much of an airline's leg it certainly has.
    fn certain(&self, index: usize, amount: i64) -> i64 {
        let payment = &self.state.payments[index];
        let within = amount.min(payment.amount - self.taken[index]);
        amount - within.min(payment.still_open())
    }

    /// The new share, less what the airline has to give back for the old one: its newest claim.
    fn pays_difference(&mut self, old: &Sale, share: i64, certain: i64, line: Option<usize>) {
        let set_off = share.min(certain);
        if set_off > 0 {
            self.state.claims.last_mut().unwrap().settled += set_off;
            self.moves(PAYABLE, TO_GIVE_BACK, set_off);
        }
        let is_over = set_off == share;
        let (on_line, state) = (line.filter(|_| !is_over), if is_over { Stage::SetOff } else { Stage::Held });
        self.state.payments.push(Payment { state, amount: share, set_off, cancelled: 0, reclaimed: 0, on_line, is_over });
        self.taken.push(0);
        self.sent_on.push(self.today);
        self.payers.push(old.wallet);
        if let Some(line) = on_line {
            self.state.lines[line].held += share - set_off;
            self.state.lines[line].unconfirmed += 1;
        }
    }
}
