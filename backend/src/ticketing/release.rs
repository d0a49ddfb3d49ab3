//! The end of orders that were held and not paid: cancelled by the client, or expired. Their seats are given back once.
//!
//! Protocol: agencies and seat buckets are locked in this order; which orders still end this way is decided under these locks, because a payment
//! locks the agency as well. Bounds: the caller passes a limited number of orders, all of which end in its commit.

use super::issue::BucketRow;
use super::void::CancellationRow;
use crate::audit::{AuditRow, Cause};
use crate::db::schema::seat_bucket;
use crate::db::{Change, Contended, DbError, RowSet, WriteTx, insert, lock, update};
use crate::ids::{AgencyId, Id, OrderId};
use crate::ordering::{HeldEnd, HeldMove, HeldState, held_orders, held_seats, overdue_orders};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Ends held orders whose time is over, `limit` at most, and answers which. The caller goes on until there is none.
pub fn expire_overdue(tx: &mut WriteTx, cause: &Cause, limit: i64) -> Result<Vec<OrderId>, DbError> {
    let overdue = overdue_orders(tx.db, tx.now, limit)?;
    let agencies: BTreeSet<AgencyId> = overdue.iter().map(|(_, agency)| *agency).collect();
    lock_agencies(tx, agencies)?;
    let orders: Vec<OrderId> = overdue.into_iter().map(|(order, _)| order).collect();
    // Again, now that nobody can pay or cancel them.
    let held = held_orders(tx.db, &orders)?.into_iter();
    let ending = held.filter(|held| held.on(HeldEnd::Expired, tx.now) == HeldMove::Applied(HeldState::Expired));
    let ending: Vec<OrderId> = ending.map(|held| held.order).collect();
    release(tx, cause, &ending, HeldState::Expired)?;
    Ok(ending)
}

/// Ends one held order, whose agency is locked, by the confirmation of a cancellation.
pub(super) fn cancel_held(
    tx: &mut WriteTx,
    cause: &Cause,
    order: OrderId,
    quote: CancellationRow,
) -> Result<CancellationRow, DbError> {
    release(tx, cause, &[order], HeldState::Cancelled)?;
    let confirmed = CancellationRow { confirmed_at: Some(tx.now.naive()), ..quote };
    update(
        tx,
        "order_cancellation",
        &["confirmed_at"],
        &[Change { id: confirmed.id, values: vec![confirmed.confirmed_at.into()] }],
    )?;
    Ok(confirmed)
}

fn lock_agencies(tx: &mut WriteTx, agencies: BTreeSet<AgencyId>) -> Result<(), DbError> {
    lock(tx, Contended::Agency, &agencies.into_iter().map(Id::raw).collect::<Vec<_>>())
}

/// From here on it must succeed.
fn release(tx: &mut WriteTx, cause: &Cause, orders: &[OrderId], into: HeldState) -> Result<(), DbError> {
    give_back_seats(tx, orders)?;
    let at = Some(tx.now.naive());
    let ended: Vec<Change> =
        orders.iter().map(|id| Change { id: id.raw(), values: vec![into.text().into(), at.into()] }).collect();
    update(tx, "held_order", &["state", "ended_at"], &ended)?;
    let cancelled: Vec<Change> = orders.iter().map(|id| Change { id: id.raw(), values: vec![at.into()] }).collect();
    update(tx, "air_order", &["cancelled_at"], &cancelled)?;
    let action = if into == HeldState::Expired { "order.expire" } else { "order.cancel" };
    let audit: Vec<AuditRow> = orders.iter().map(|id| AuditRow::new(tx, cause, action, id.raw())).collect();
    insert(tx, &[RowSet::of(&audit)])
}

fn give_back_seats(tx: &mut WriteTx, orders: &[OrderId]) -> Result<(), DbError> {
    let mut seats: BTreeMap<i64, i64> = BTreeMap::new();
    for held in held_seats(tx.db, orders)? {
        *seats.entry(held.seat_bucket_id).or_default() += held.seats;
    }
    let ids: Vec<i64> = seats.keys().copied().collect();
    lock(tx, Contended::SeatBucket, &ids)?;
    let rows: Vec<BucketRow> =
        seat_bucket::table.filter(seat_bucket::id.eq_any(ids)).select(BucketRow::as_select()).load(&mut *tx.db)?;
    let left = |row: &BucketRow| row.sold - seats.get(&row.id).copied().unwrap_or(0);
    let changes: Vec<Change> = rows.iter().map(|row| Change { id: row.id, values: vec![left(row).into()] }).collect();
    update(tx, "seat_bucket", &["sold"], &changes).map(drop)
}
