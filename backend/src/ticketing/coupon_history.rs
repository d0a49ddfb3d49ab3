//! What happened to coupons after their issue. A status is changed here and nowhere else, so that every change leaves a row: who, when, from, to and
//! who says so.

use super::coupon::CouponStatus;
use super::ticket::CouponRow;
use crate::audit::Cause;
use crate::clock::Timestamp;
use crate::db::schema::coupon_event;
use crate::db::{Change, Db, DbError, RowSet, WriteTx, insert, rows, update};
use crate::ids::{CouponEventId, CouponFileId, Id};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::BTreeMap;

rows! {
    pub struct CouponEventRow in coupon_event {
        id: i64,
        coupon_id: i64,
        ticket_id: i64,
        from_status: String,
        to_status: String,
        source: String,
        file_id: Option<i64>,
        actor_organisation_id: i64,
        actor_key_id: i64,
        /// When it happened, as the one who reported it says.
        happened_at: NaiveDateTime,
        created_at: NaiveDateTime,
    }
}

/// Who says that a coupon changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponSource {
    /// A void, a refund or an exchange of the platform.
    Platform,
    Airline,
    /// The operator in the airline's place.
    Operator,
    File(CouponFileId),
}

impl CouponSource {
    pub fn text(self) -> &'static str {
        match self {
            CouponSource::Platform => "platform",
            CouponSource::Airline => "airline",
            CouponSource::Operator => "operator",
            CouponSource::File(_) => "file",
        }
    }

    fn file(self) -> Option<CouponFileId> {
        match self {
            CouponSource::File(id) => Some(id),
            CouponSource::Platform | CouponSource::Airline | CouponSource::Operator => None,
        }
    }
}

/// A change that `CouponStatus::on` has allowed.
#[derive(Clone, Copy, Debug)]
pub struct CouponMove<'c> {
    pub coupon: &'c CouponRow,
    pub from: CouponStatus,
    pub to: CouponStatus,
    pub happened_at: Timestamp,
}

/// Gives coupons their new status and keeps every change. The agencies of the tickets are locked, and the caller has asked `CouponStatus::on`; several changes
/// of one coupon are made in their order.
pub fn move_coupons(tx: &mut WriteTx, cause: &Cause, source: CouponSource, moves: &[CouponMove<'_>]) -> Result<(), DbError> {
    let mut last: BTreeMap<i64, CouponStatus> = BTreeMap::new();
    let mut events = Vec::with_capacity(moves.len());
    for one in moves {
        last.insert(one.coupon.id, one.to);
        events.push(CouponEventRow {
            id: tx.ids.next::<CouponEventId>().raw(),
            coupon_id: one.coupon.id,
            ticket_id: one.coupon.ticket_id,
            from_status: one.from.text().to_owned(),
            to_status: one.to.text().to_owned(),
            source: source.text().to_owned(),
            file_id: source.file().map(Id::raw),
            actor_organisation_id: cause.actor.organisation.raw(),
            actor_key_id: cause.actor.by.stored(),
            happened_at: one.happened_at.naive(),
            created_at: tx.now.naive(),
        });
    }
    insert(tx, &[RowSet::of(&events)])?;
    let changes: Vec<Change> = last.into_iter().map(|(id, status)| Change { id, values: vec![status.text().into()] }).collect();
    update(tx, "coupon", &["status"], &changes)?;
    Ok(())
}

/// The platform takes all of these coupons at once, each from the status that it has.
pub fn settle_coupons<'c>(
    tx: &mut WriteTx,
    cause: &Cause,
    coupons: impl IntoIterator<Item = &'c CouponRow>,
    to: CouponStatus,
) -> Result<(), DbError> {
    let now = tx.now;
    let mut moves = Vec::new();
    for coupon in coupons {
        moves.push(CouponMove { coupon, from: coupon.status()?, to, happened_at: now });
    }
    move_coupons(tx, cause, CouponSource::Platform, &moves)
}

/// What happened to the coupons of these tickets, oldest first.
pub fn coupon_events_of(db: &mut Db, tickets: &[i64]) -> Result<Vec<CouponEventRow>, DbError> {
    let of_tickets = coupon_event::table.filter(coupon_event::ticket_id.eq_any(tickets.to_vec()));
    Ok(of_tickets.order(coupon_event::id).select(CouponEventRow::as_select()).load(db)?)
}

/// When each coupon of these tickets last changed, as the one who reported it says.
pub(super) fn last_changes_of(db: &mut Db, tickets: &[i64]) -> Result<Vec<(i64, Timestamp)>, DbError> {
    let of_tickets = coupon_event::table.filter(coupon_event::ticket_id.eq_any(tickets.to_vec()));
    let last: Vec<Option<i64>> =
        of_tickets.group_by(coupon_event::coupon_id).select(diesel::dsl::max(coupon_event::id)).load(&mut *db)?;
    let last = coupon_event::table.filter(coupon_event::id.eq_any(last.into_iter().flatten().collect::<Vec<_>>()));
    let rows: Vec<(i64, NaiveDateTime)> = last.select((coupon_event::coupon_id, coupon_event::happened_at)).load(db)?;
    Ok(rows.into_iter().map(|(coupon, at)| (coupon, Timestamp::from(at))).collect())
}
