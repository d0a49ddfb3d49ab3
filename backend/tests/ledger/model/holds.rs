//! Orders that are held, in plain numbers: seats first, money and tickets later or never.

use super::people::travellers;
use super::sales::{legs, seats_in};
use super::{Buyer, Legs, Model};
use airsettle::ticketing::{IssueOrder, Refusal};
use chrono::NaiveDate;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    Held,
    Paid,
    Cancelled,
    Expired,
}

/// An order that is or was held.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    buyer: Buyer,
    day: NaiveDate,
    /// Its deadline, in words.
    pay_by: String,
    bucket: i64,
    tickets: Vec<Legs>,
    /// How many changes of flights had been filed by then.
    filed: usize,
    pub(super) party: usize,
}

impl Model {
    /// Takes seats and nothing else, or says why not.
    pub fn holds(&mut self, order: &IssueOrder, buyer: Buyer, pay_by: String) -> Result<(), Refusal> {
        self.may_trade(buyer)?;
        self.has_seats(order)?;
        let (bucket, tickets) = (order.seats[0].bucket, order.tickets.iter().map(legs).collect::<Vec<_>>());
        self.takes_seats(&seats_in(bucket, &tickets));
        let (filed, party) = (self.filed, self.people.len());
        self.people.push(travellers(tickets.len()));
        self.holds.push(Hold { buyer, day: self.today, pay_by, bucket, tickets, filed, party });
        self.state.holds.push(Holding::Held);
        Ok(())
    }

    /// Held for two days, counted from noon to noon.
    pub(super) fn is_overdue(&self, place: usize) -> bool {
        self.today - self.holds[place].day >= chrono::Duration::days(2)
    }

    /// Whoever wants to pay it is told that first.
    pub fn flight_changed_since_hold(&self, place: usize) -> bool {
        let Hold { bucket, filed, .. } = self.holds[place];
        self.flight_of(bucket).is_some_and(|flight| flight.last > filed)
    }

    pub fn pays_hold(&mut self, place: usize) -> Result<(), Refusal> {
        let Hold { buyer, pay_by, bucket, tickets, party, .. } = self.holds[place].clone();
        self.may_trade(buyer)?;
        match self.state.holds[place] {
            Holding::Paid => return Err(Refusal::AlreadyPaid),
            Holding::Cancelled => return Err(Refusal::OrderCancelled),
            Holding::Held if !self.is_overdue(place) => {}
            Holding::Held | Holding::Expired => return Err(Refusal::PaymentWindowClosed { payment_required_by: pay_by }),
        }
        let seats = seats_in(bucket, &tickets);
        self.issues(tickets, seats, party, buyer)?;
        self.state.holds[place] = Holding::Paid;
        Ok(())
    }

    /// Of one that was not paid.
    pub fn cancels_hold(&mut self, place: usize) -> Result<(), String> {
        match self.state.holds[place] {
            Holding::Held if self.is_overdue(place) => Err("the order had to be paid by".into()),
            Holding::Held => {
                self.gives_back_seats(place, Holding::Cancelled);
                Ok(())
            }
            Holding::Paid | Holding::Cancelled | Holding::Expired => Err("the order was cancelled at".into()),
        }
    }

    /// How many orders lose their seats.
    pub fn expires(&mut self) -> usize {
        let overdue: Vec<usize> =
            (0..self.holds.len()).filter(|place| self.state.holds[*place] == Holding::Held && self.is_overdue(*place)).collect();
        overdue.iter().for_each(|place| self.gives_back_seats(*place, Holding::Expired));
        overdue.len()
    }

    fn gives_back_seats(&mut self, place: usize, into: Holding) {
        let Hold { bucket, tickets, .. } = &self.holds[place];
        let seats = seats_in(*bucket, tickets);
        self.gives_seats_back(seats.iter().flatten());
        self.state.holds[place] = into;
    }
}
