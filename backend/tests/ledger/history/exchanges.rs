//! Exchanges in random histories.

use super::History;
use crate::exchanges::Wanted;
use crate::model::{Buyer, Declined, cny};
use crate::verbs::Wish;
use airsettle::catalogue::{AirportCode, BookingClass, Bucket, CarrierCode};
use airsettle::ids::Id;
use airsettle::money::{Currency, Money};
use airsettle::shopping::offer::OfferSegment;
use airsettle::ticketing::exchange::{ChangeError, OrderChangeRow};

/// Beyond what the ladder knows, and a day of its own for each exchange: its seats are never short.
const FIRST_DAY: u64 = 1_000;

impl History {
    /// All tickets of an order that nothing happened to, for others of one flight.
    pub(super) fn exchanges(&mut self, index: usize, fare: i64, penalty: i64) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        if !self.model.is_whole(place) {
            return;
        }
        let days = FIRST_DAY + 10 * u64::try_from(self.exchanges).unwrap();
        self.exchanges += 1;
        let issued = self.world.issued_as(self.sold[place]);
        let buyer = if issued.order.agency_id == self.world.prepaid.raw() { Buyer::Prepaid } else { Buyer::Credit };
        let tickets = issued.passengers.len();
        let wish = Wish { buyer, tickets, coupons: 1, fare, flight: 0, keyed: false };
        let new = self.wished(&wish).build().tickets;
        let segment = self.world.other_flight(days);
        let bucket = bucket_of(&segment);
        let waived_by = self.model.waives(place).map(|_| self.newest_waiving(place));
        let (what, penalty) = if waived_by.is_some() { ("exchange for a change", 0) } else { ("exchange", penalty) };
        let wanted = Wanted { fare: cny(fare), penalty: cny(penalty) };
        let change = self.world.chooses_because(&issued, wanted, segment, waived_by);
        let due = (change.change_minor > 0).then(|| Money::new(change.change_minor, Currency::CNY));
        let before = self.model.used();
        let (done, expected) = (self.world.confirms_change(&change, due), self.model.exchanges(place, &new, penalty, bucket));
        if expected.is_ok() {
            self.model.has_sold_since(before);
        }
        if let Some(change) = self.decides_change(what, done, expected) {
            self.changes.insert(place, change);
        }
    }

    /// The last exchange of an order, whether it stands or was taken back before.
    pub(super) fn takes_exchange_back(&mut self, index: usize) {
        let Some(place) = self.sold.len().checked_sub(1 + index) else { return };
        let Some(change) = self.changes.get(&place) else { return };
        let (done, expected) = (self.world.voids_change(change), self.model.takes_exchange_back(place));
        self.decides_change("take an exchange back", done, expected);
    }

    fn decides_change(
        &mut self,
        what: &'static str,
        done: Result<OrderChangeRow, ChangeError>,
        expected: Result<(), Declined>,
    ) -> Option<OrderChangeRow> {
        self.counts(what, expected.is_ok());
        match (done, expected) {
            (Ok(change), Ok(())) => return Some(change),
            (Err(ChangeError::Refused(refusal)), Err(Declined::Refused(wanted))) => assert_eq!(refusal, wanted),
            (Err(ChangeError::AirlineFundsAwaited { short }), Err(Declined::AwaitsAirline(wanted))) => {
                assert_eq!(short.minor, wanted);
            }
            (Err(ChangeError::CouponNotOpen { .. }), Err(Declined::NotOpen))
            | (Err(ChangeError::GaveBack), Err(Declined::GaveBack))
            | (Err(ChangeError::VoidWindowClosed { .. }), Err(Declined::WindowClosed)) => {}
            (done, expected) => panic!("{expected:?} was expected, not {done:?}"),
        }
        None
    }
}

fn bucket_of(segment: &OfferSegment) -> i64 {
    let bucket = Bucket {
        carrier: CarrierCode::parse(&segment.carrier).unwrap(),
        flight_number: segment.flight_number,
        origin: AirportCode::parse(&segment.origin).unwrap(),
        date: segment.departing_at.date(),
        class: BookingClass::parse(segment.booking_class).unwrap(),
    };
    bucket.id().unwrap().raw()
}
