//! What airlines change about flights, in plain numbers: who is told, what they answer, and where they sit afterwards.

use super::{Model, Part, Refunded};
use airsettle::ticketing::AirlineChangeAction;
use std::collections::BTreeMap;

/// A departure.
#[derive(Clone, Debug)]
pub struct Flight {
    pub name: String,
    /// The class that is sold, and the next one of its cabin, with their seats.
    pub classes: [(i64, i64); 2],
    /// So many minutes later than scheduled; not at all where it was cancelled.
    pub leaves: Option<i64>,
    /// How many changes had been filed with its last one; none: zero.
    pub last: usize,
}

/// What an airline makes of a flight.
#[derive(Clone, Copy, Debug)]
pub enum Becomes {
    Later(i64),
    Cancelled,
    /// By the other flight of its day.
    Replaced,
}

/// What a changed flight means to one order.
#[derive(Clone, Debug)]
pub(super) struct Change {
    sale: usize,
    /// The first payment of the tickets that it is about.
    tickets: usize,
    /// Ticket and place.
    coupons: Vec<(usize, usize)>,
    /// The flight that is offered, and when it leaves.
    to: Option<(usize, i64)>,
    pub(super) answer: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coupon {
    Open,
    CheckedIn,
    Flown,
    /// The platform gave money back for it, or took it for another one.
    Settled,
}

impl Flight {
    fn has(&self, bucket: i64) -> bool {
        self.classes.iter().any(|(own, _)| *own == bucket)
    }
}

impl Model {
    pub(super) fn flight_of(&self, bucket: i64) -> Option<&Flight> {
        self.flights.iter().find(|flight| flight.has(bucket))
    }

    /// The flights of exchanges are never sold out.
    pub(super) fn seats_left(&self, bucket: i64) -> i64 {
        let mut classes = self.flights.iter().flat_map(|flight| flight.classes);
        let capacity = classes.find(|(own, _)| *own == bucket).map_or(i64::MAX, |(_, seats)| seats);
        capacity - self.state.seats_sold.get(&bucket).copied().unwrap_or(0)
    }

    pub(super) fn coupon(&self, place: usize, ticket: usize, number: usize) -> Coupon {
        let sale = &self.sales[place];
        match sale.coupon {
            _ if sale.voided || sale.refunded[ticket][number] => Coupon::Settled,
            "C" if (ticket, number) == (0, 0) => Coupon::CheckedIn,
            "F" if (ticket, number) == (0, 0) => Coupon::Flown,
            _ => Coupon::Open,
        }
    }

    /// Files a change; answers how many orders are told of it.
    pub fn files(&mut self, index: usize, becomes: Becomes) -> Result<usize, String> {
        let to = match becomes {
            Becomes::Later(minutes) => Some((index, minutes)),
            Becomes::Cancelled => None,
            // Two by two.
            Becomes::Replaced => {
                let other = &self.flights[index ^ 1];
                let leaves = other.leaves.ok_or_else(|| format!("flight {} does not fly on", other.name))?;
                Some((index ^ 1, leaves))
            }
        };
        self.filed += 1;
        let filed = self.filed;
        let flight = &mut self.flights[index];
        flight.last = filed;
        flight.leaves = if let Becomes::Later(minutes) = becomes { Some(minutes) } else { None };
        let mut told = 0;
        for sale in 0..self.sales.len() {
            let coupons = self.sitting_in(sale, index);
            if coupons.is_empty() {
                continue;
            }
            told += 1;
            for known in self.changes.iter_mut().filter(|known| known.sale == sale && known.is_unanswered()) {
                if known.coupons.iter().any(|one| coupons.contains(one)) {
                    known.answer = "superseded";
                }
            }
            let tickets = self.sales[sale].first_payment;
            self.changes.push(Change { sale, tickets, coupons, to, answer: "open" });
        }
        Ok(told)
    }

    /// The coupons of an order that are still to be used on a flight.
    fn sitting_in(&self, place: usize, flight: usize) -> Vec<(usize, usize)> {
        let seats = self.sales[place].seats.iter().enumerate();
        let seats = seats.flat_map(|(ticket, seats)| seats.iter().enumerate().map(move |(number, seat)| (ticket, number, *seat)));
        let is_there = |(ticket, number, seat): &(usize, usize, i64)| {
            let to_be_used = matches!(self.coupon(place, *ticket, *number), Coupon::Open | Coupon::CheckedIn);
            to_be_used && self.flights[flight].has(*seat)
        };
        seats.filter(is_there).map(|(ticket, number, _)| (ticket, number)).collect()
    }

    /// What each order was told, first to last, and how that stands.
    pub fn told(&self) -> BTreeMap<usize, Vec<&'static str>> {
        let mut told: BTreeMap<usize, Vec<&'static str>> = BTreeMap::new();
        self.changes.iter().for_each(|change| told.entry(change.sale).or_default().push(change.answer));
        told
    }

    fn linked(&self, change: &Change) -> Vec<(usize, Coupon)> {
        let is_current = self.sales[change.sale].first_payment == change.tickets;
        let status = |(ticket, number): &(usize, usize)| {
            let coupon = if is_current { self.coupon(change.sale, *ticket, *number) } else { Coupon::Settled };
            (number + 1, coupon)
        };
        change.coupons.iter().map(status).collect()
    }

    /// The newest change of an order that nobody has accepted, if what it is about is still to be used.
    pub fn waives(&self, place: usize) -> Option<usize> {
        let open = |change: &&Change| change.sale == place && change.is_unanswered();
        let waives =
            |change: &Change| self.linked(change).iter().any(|(_, coupon)| matches!(coupon, Coupon::Open | Coupon::CheckedIn));
        let of_order = self.changes.iter().enumerate().rev().filter(|(_, change)| open(change));
        of_order.filter(|(_, change)| waives(change)).map(|(index, _)| index).next()
    }

    /// What an agent answers to one of the changes of an order.
    pub fn answers(&mut self, place: usize, nth: usize, action: AirlineChangeAction) -> Result<(), String> {
        let of_order = |(_, change): &(usize, &Change)| change.sale == place;
        let index = self.changes.iter().enumerate().filter(of_order).nth(nth).map(|(index, _)| index).unwrap();
        let change = self.changes[index].clone();
        let answer = match action {
            AirlineChangeAction::Accept => "accepted",
            AirlineChangeAction::Cancel => "cancelled",
            AirlineChangeAction::Change => "changed",
        };
        if change.answer == answer {
            return Ok(());
        }
        if !change.is_unanswered() {
            return Err(format!("the change is {}", change.answer));
        }
        let linked = self.linked(&change);
        let mut used = linked.iter().filter(|(_, coupon)| matches!(coupon, Coupon::Flown | Coupon::Settled));
        match action {
            AirlineChangeAction::Cancel => {
                if let Some((number, _)) = linked.iter().find(|(_, coupon)| *coupon != Coupon::Settled) {
                    return Err(format!("coupon {number} has status"));
                }
            }
            AirlineChangeAction::Accept | AirlineChangeAction::Change if self.sales[place].voided => {
                return Err("the order was cancelled".into());
            }
            AirlineChangeAction::Accept | AirlineChangeAction::Change => {
                if let Some((number, _)) = used.next() {
                    return Err(format!("coupon {number} has status"));
                }
            }
        }
        if action == AirlineChangeAction::Accept {
            self.moves_seats(&change)?;
        }
        self.changes[index].answer = answer;
        Ok(())
    }

    /// Every coupon of a change to the flight that is offered: to its own class, or to the next one of its cabin.
    fn moves_seats(&mut self, change: &Change) -> Result<(), String> {
        let (to, minutes) = change.to.ok_or("the flight was cancelled and none is offered")?;
        let flight = self.flights[to].clone();
        if flight.leaves != Some(minutes) {
            return Err(format!("flight {} was changed again", flight.name));
        }
        let before = self.clone();
        let old: Vec<i64> =
            change.coupons.iter().map(|(ticket, number)| self.sales[change.sale].seats[*ticket][*number]).collect();
        self.gives_seats_back(&old);
        for (ticket, number) in &change.coupons {
            let Some((bucket, _)) = flight.classes.iter().find(|(bucket, _)| self.seats_left(*bucket) > 0) else {
                *self = before;
                return Err(format!("flight {} has 0 seats left", flight.name));
            };
            self.takes_seats(&vec![vec![*bucket]]);
            self.sales[change.sale].seats[*ticket][*number] = *bucket;
        }
        Ok(())
    }

    /// As other platforms cancel: a void as long as it can be one, then a refund of what is left, whole where the airline changed a flight. Answers
    /// whether it was a refund, and whether that waits.
    pub fn cancels(&mut self, place: usize) -> Result<Option<bool>, String> {
        let sale = &self.sales[place];
        if sale.voided || (self.may_be_void(place) && sale.day == self.today) {
            return self.voids(place).map(|()| None);
        }
        if sale.cancelled {
            return Err("the order was cancelled at".into());
        }
        let change = self.waives(place);
        let how = if change.is_some() { Refunded::Involuntary } else { Refunded::Voluntary };
        let waits = self.refunds(place, Part::All, how)?;
        self.sales[place].cancelled = true;
        if let Some(change) = change
            && self.linked(&self.changes[change]).iter().all(|(_, coupon)| *coupon == Coupon::Settled)
        {
            self.changes[change].answer = "cancelled";
        }
        Ok(Some(waits))
    }

    fn may_be_void(&self, place: usize) -> bool {
        !self.sales[place].exchanged && self.is_whole(place)
    }
}

impl Change {
    fn is_unanswered(&self) -> bool {
        matches!(self.answer, "open" | "changed")
    }
}
