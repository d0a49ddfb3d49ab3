//! Seats that are given back: coupons that are void or refunded take none any more.

use super::issue::BucketRow;
use super::ticket::CouponRow;
use crate::db::schema::seat_bucket;
use crate::db::{Change, Contended, DbError, WriteTx, lock, update};
use diesel::prelude::*;
use std::collections::BTreeMap;

/// Seats to give back per bucket, with how many it has sold: locked.
pub(super) fn lock_seats(tx: &mut WriteTx, coupons: &[&CouponRow]) -> Result<Vec<Change>, DbError> {
    let mut seats: BTreeMap<i64, i64> = BTreeMap::new();
    for coupon in coupons {
        *seats.entry(coupon.seat_bucket_id).or_default() += coupon.seats;
    }
    let ids: Vec<i64> = seats.keys().copied().collect();
    lock(tx, Contended::SeatBucket, &ids)?;
    let rows: Vec<BucketRow> =
        seat_bucket::table.filter(seat_bucket::id.eq_any(ids)).select(BucketRow::as_select()).load(&mut *tx.db)?;
    let given_back = |row: &BucketRow| row.sold - seats.get(&row.id).copied().unwrap_or(0);
    Ok(rows.iter().map(|row| Change { id: row.id, values: vec![given_back(row).into()] }).collect())
}

pub(super) fn give_back_seats(tx: &mut WriteTx, seats: &[Change]) -> Result<(), DbError> {
    update(tx, "seat_bucket", &["sold"], seats).map(drop)
}
