//! Where the coupons of an accepted change sit, and that they are linked to its flight.

use super::airline_change::{AirlineChange, AirlineChangeError, AirlineSegmentRow};
use super::issue::BucketRow;
use super::schedule_change::{ScheduleChangeRow, unsold_buckets};
use super::ticket::CouponRow;
use crate::catalogue::overlay::FlightDay;
use crate::catalogue::{AirportCode, BookingClass, BucketId, CarrierCode, Catalogue, Departure};
use crate::db::schema::seat_bucket;
use crate::db::{Change, Contended, DbError, WriteTx, ensure_rows, lock, update};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Seats after an acceptance: of each bucket how many it has sold, and where each coupon sits.
pub(super) struct SeatMoves {
    pub sold: Vec<Change>,
    pub seats: HashMap<i64, i64>,
}

/// Locks the buckets of both flights and finds every coupon a seat: the class that it was sold in, or the highest one of its cabin that has room.
pub(super) fn seat_moves(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    change: &AirlineChange,
    coupons: &[CouponRow],
) -> Result<SeatMoves, AirlineChangeError> {
    let (flight, departure) = offered_departure(catalogue, &change.schedule)?;
    let name = format!("{}{}", flight.carrier, flight.number);
    let offered = unsold_buckets(catalogue, departure, tx.now);
    ensure_rows(tx, &offered)?;
    let mut ids: BTreeSet<i64> = coupons.iter().map(|coupon| coupon.seat_bucket_id).collect();
    ids.extend(offered.iter().map(|bucket| bucket.id));
    let ids: Vec<i64> = ids.into_iter().collect();
    lock(tx, Contended::SeatBucket, &ids)?;
    let rows = seat_bucket::table.filter(seat_bucket::id.eq_any(ids)).select(BucketRow::as_select());
    let rows: Vec<BucketRow> = rows.load(&mut *tx.db).map_err(DbError::from)?;
    let mut buckets: BTreeMap<i64, BucketRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    let expected = catalogue.schedules.change_of(flight);
    let stamps = offered.iter().filter_map(|bucket| buckets.get(&bucket.id));
    if stamps.into_iter().any(|bucket| bucket.schedule_change_id != expected) {
        return Err(AirlineChangeError::ChangedAgain { flight: name });
    }
    let before: HashMap<i64, i64> = buckets.iter().map(|(id, bucket)| (*id, bucket.sold)).collect();
    // Given back first: where the flight is the same, every coupon finds its own seat again.
    for coupon in coupons {
        if let Some(bucket) = buckets.get_mut(&coupon.seat_bucket_id) {
            bucket.sold -= coupon.seats;
        }
    }
    let mut seats = HashMap::new();
    for coupon in coupons {
        let in_order = classes_for(catalogue, flight, coupon, &offered);
        let left = |id: &i64| buckets.get(id).map_or(0, |bucket| bucket.capacity - bucket.sold);
        let Some(seat) = in_order.iter().copied().find(|id| left(id) >= coupon.seats) else {
            let left = in_order.iter().map(left).max().unwrap_or(0);
            return Err(AirlineChangeError::SeatsSoldOut { flight: name, left, asked: coupon.seats });
        };
        if let Some(bucket) = buckets.get_mut(&seat) {
            bucket.sold += coupon.seats;
        }
        seats.insert(coupon.id, seat);
    }
    let changed = buckets.values().filter(|bucket| before.get(&bucket.id) != Some(&bucket.sold));
    Ok(SeatMoves { sold: changed.map(|bucket| Change { id: bucket.id, values: vec![bucket.sold.into()] }).collect(), seats })
}

/// The buckets that a coupon may sit in on the new flight, best first.
fn classes_for(catalogue: &Catalogue, flight: FlightDay, coupon: &CouponRow, offered: &[BucketRow]) -> Vec<i64> {
    let own = coupon.booking_class.chars().next().and_then(BookingClass::parse);
    let ladder = catalogue.fares.ladder(flight.carrier, flight.date);
    let in_cabin = |class: BookingClass| {
        let rung = ladder.and_then(|ladder| ladder.rung(class));
        rung.is_some_and(|rung| rung.cabin.text() == coupon.cabin)
    };
    let class_of = |bucket: &&BucketRow| BucketId::from_raw(bucket.id).and_then(BucketId::bucket).map(|bucket| bucket.class).ok();
    let (same, others): (Vec<&BucketRow>, Vec<&BucketRow>) = offered.iter().partition(|bucket| class_of(bucket) == own);
    let others = others.into_iter().filter(|bucket| class_of(bucket).is_some_and(in_cabin));
    same.into_iter().chain(others).map(|bucket| bucket.id).collect()
}

fn offered_departure(catalogue: &Catalogue, change: &ScheduleChangeRow) -> Result<(FlightDay, Departure), AirlineChangeError> {
    let (Some(number), Some(departing_at)) = (change.new_flight_number, change.new_departing_at) else {
        return Err(AirlineChangeError::NothingOffered);
    };
    let name = format!("{}{number}", change.carrier);
    let again = || AirlineChangeError::ChangedAgain { flight: name.clone() };
    let codes = CarrierCode::parse(&change.carrier).zip(AirportCode::parse(&change.origin)).zip(u16::try_from(number).ok());
    let ((carrier, origin), number) = codes.ok_or_else(again)?;
    let date = departing_at.date();
    let (index, _) = catalogue.schedules.find(carrier, number, origin).ok_or_else(again)?;
    let departure = catalogue.schedules.departure(&catalogue.airports, index, date).ok_or_else(again)?;
    if departure.departing_at != departing_at || Some(departure.arriving_at) != change.new_arriving_at {
        return Err(again());
    }
    Ok((FlightDay { carrier, number, origin, date }, departure))
}

pub(super) fn relink(
    tx: &mut WriteTx,
    change: &AirlineChange,
    coupons: &[CouponRow],
    seats: &HashMap<i64, i64>,
) -> Result<(), AirlineChangeError> {
    let mut linked = Vec::with_capacity(coupons.len());
    for coupon in coupons {
        let offered = change.offered(coupon).ok_or(AirlineChangeError::NothingOffered)?;
        let seat = seats.get(&coupon.id).copied().unwrap_or(coupon.seat_bucket_id);
        linked.push(Change {
            id: coupon.id,
            values: vec![
                offered.flight_number.into(),
                offered.aircraft.into(),
                offered.departing_at.into(),
                offered.arriving_at.into(),
                offered.duration_minutes.into(),
                seat.into(),
            ],
        });
    }
    let columns = &["flight_number", "aircraft", "departing_at", "arriving_at", "duration_minutes", "seat_bucket_id"];
    update(tx, "coupon", columns, &linked)?;
    let sits = |segment: &AirlineSegmentRow| {
        let seat = seats.get(&segment.coupon_id).copied();
        seat.map(|seat| Change { id: segment.id, values: vec![Some(seat).into()] })
    };
    let moved: Vec<Change> = change.segments.iter().filter_map(sits).collect();
    update(tx, "airline_change_segment", &["new_seat_bucket_id"], &moved)?;
    Ok(())
}
