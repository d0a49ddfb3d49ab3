//! The journey of an order with what each of its coupons was sold for.

use crate::catalogue::Catalogue;
use crate::db::DbError;
use crate::shopping::offer::PricedOffer;
use crate::ticketing::coupon::CouponStatus;
use crate::ticketing::journey::{coupons_of, journey};
use crate::ticketing::refund::{CouponShare, ticket_shares};
use crate::ticketing::ticket::{CouponRow, IssuedOrder, TicketRow};
use chrono::NaiveDate;
use std::collections::{BTreeSet, HashMap};

/// One passenger's coupon of a flight.
#[derive(Clone, Debug)]
pub struct SoldPlace {
    pub coupon: CouponRow,
    pub share: CouponShare,
}

/// A journey as it was sold last. Every passenger has a coupon for every flight, in the order of travel.
#[derive(Clone, Debug)]
pub struct SoldJourney {
    pub journey: PricedOffer,
    /// Per passenger, in the order of the journey's.
    pub places: Vec<Vec<SoldPlace>>,
    /// Per flight: the day of issue of its tickets, whose ladders hold.
    pub issued_on: Vec<NaiveDate>,
}

impl SoldJourney {
    pub fn of(catalogue: &Catalogue, issued: &IssuedOrder) -> Result<Self, DbError> {
        let mut shares: HashMap<i64, CouponShare> = HashMap::new();
        for ticket in &issued.tickets {
            let coupons = issued.coupons.iter().filter(|coupon| coupon.ticket_id == ticket.id);
            for (coupon, share) in coupons.zip(ticket_shares(catalogue, issued, ticket)?) {
                shares.insert(coupon.id, share);
            }
        }
        let place = |coupon: &CouponRow| {
            let share = shares.get(&coupon.id).cloned();
            let share = share.ok_or_else(|| DbError::Corrupt(format!("coupon {} has no share", coupon.id)))?;
            Ok(SoldPlace { coupon: coupon.clone(), share })
        };
        let passengers = issued.passengers.iter().map(|(passenger, _)| coupons_of(issued, passenger.id));
        let places: Vec<Vec<SoldPlace>> =
            passengers.map(|coupons| coupons.into_iter().map(place).collect()).collect::<Result<_, DbError>>()?;
        let ticket_of = |place: &SoldPlace| issued.tickets.iter().find(|ticket| ticket.id == place.coupon.ticket_id);
        let issued_on = |place: &SoldPlace| {
            let day = ticket_of(place).map(|ticket: &TicketRow| ticket.issue_date);
            day.ok_or_else(|| DbError::Corrupt(format!("coupon {} has no ticket", place.coupon.id)))
        };
        let issued_on = places.first().into_iter().flatten().map(issued_on).collect::<Result<_, _>>()?;
        Ok(SoldJourney { journey: journey(issued)?, places, issued_on })
    }

    /// Slices of which a flight is not open any more: they stay with the tickets that they were flown on.
    pub fn begun(&self) -> BTreeSet<usize> {
        let mut begun = BTreeSet::new();
        let flights = self.journey.slices.iter().enumerate().flat_map(|(slice, found)| found.segments.iter().map(move |_| slice));
        for (flight, slice) in flights.enumerate() {
            let open =
                |places: &Vec<SoldPlace>| places.get(flight).is_none_or(|place| place.coupon.status == CouponStatus::Open.text());
            if !self.places.iter().all(open) {
                begun.insert(slice);
            }
        }
        begun
    }
}
