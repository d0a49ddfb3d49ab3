//! What a schedule change means to one order, and what its agent answers: accepts it (the coupons are linked to the new flight, same ticket, no charge), asks for another
//! flight, or gives the tickets back.
//!
//! Protocol of an acceptance: the order's agency is locked, which serialises it with voids, refunds, exchanges and what the airline says about the coupons;
//! then the seat buckets of the old and of the new flight; everything is checked under these locks, then everything changes. Accepted twice, seats move once.

use super::airline_change_seats::{relink, seat_moves};
use super::coupon::CouponStatus;
use super::schedule_change::{ScheduleChangeRow, schedule_change};
use super::ticket::{CouponRow, coupons_of};
use crate::audit::{self, Cause};
use crate::catalogue::Catalogue;
use crate::db::schema::{air_order, airline_change, airline_change_segment, coupon};
use crate::db::{Change, Contended, Db, DbError, Window, WriteTx, lock, rows, update, windowed};
use crate::ids::{AgencyId, AirlineChangeId, AirlineId, Id, OrderId, ScheduleChangeId};
use crate::notify::{EventType, NewEvent, emit};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct AirlineChangeRow in airline_change {
        id: i64,
        schedule_change_id: i64,
        order_id: i64,
        agency_id: i64,
        airline_id: i64,
        action_taken: Option<String>,
        action_taken_at: Option<NaiveDateTime>,
        /// The change that took its place before anybody answered it.
        superseded_by: Option<i64>,
        created_at: NaiveDateTime,
        updated_at: NaiveDateTime,
    }

    /// A coupon as it was before the change, and where it sits since the change was accepted.
    pub struct AirlineSegmentRow in airline_change_segment {
        id: i64,
        airline_change_id: i64,
        coupon_id: i64,
        flight_number: i64,
        aircraft: String,
        departing_at: NaiveDateTime,
        arriving_at: NaiveDateTime,
        duration_minutes: i64,
        seat_bucket_id: i64,
        new_seat_bucket_id: Option<i64>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AirlineChangeState {
    Open,
    Accepted,
    Cancelled,
    Changed,
    Superseded,
}

/// What an agent answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AirlineChangeAction {
    Accept,
    /// The tickets are given back: an involuntary refund.
    Cancel,
    /// Another flight is asked for: an exchange without penalty.
    Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    Applied(AirlineChangeState),
    AlreadyApplied,
    Refused,
}

impl AirlineChangeState {
    pub fn text(self) -> &'static str {
        match self {
            AirlineChangeState::Open => "open",
            AirlineChangeState::Accepted => "accepted",
            AirlineChangeState::Cancelled => "cancelled",
            AirlineChangeState::Changed => "changed",
            AirlineChangeState::Superseded => "superseded",
        }
    }

    /// The one place that says how a change is answered. Who asked for another flight may still give the tickets back instead, as long as they are there.
    pub fn on(self, action: AirlineChangeAction) -> Answered {
        use AirlineChangeAction::{Accept, Cancel, Change};
        use AirlineChangeState::{Accepted, Cancelled, Changed, Open, Superseded};
        match (self, action) {
            (Open | Changed, Accept) => Answered::Applied(Accepted),
            (Open | Changed, Cancel) => Answered::Applied(Cancelled),
            (Open, Change) => Answered::Applied(Changed),
            (Accepted, Accept) | (Cancelled, Cancel) | (Changed, Change) => Answered::AlreadyApplied,
            (Accepted, Cancel | Change) | (Cancelled, Accept | Change) | (Superseded, _) => Answered::Refused,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AirlineChangeError {
    #[error("there is no such change")]
    NotFound,
    #[error("the change is {}", .0.text())]
    Answered(AirlineChangeState),
    #[error("the order was cancelled")]
    OrderCancelled,
    #[error("the flight was cancelled and none is offered in its place: give the tickets back or ask for another flight")]
    NothingOffered,
    #[error("coupon {coupon} has status {status}: the tickets were not given back yet")]
    NotGivenBack { coupon: i64, status: String },
    #[error("coupon {coupon} has status {status} and does not change flights any more")]
    CouponUsed { coupon: i64, status: String },
    #[error("flight {flight} has {left} seats left in the cabin and {asked} are needed")]
    SeatsSoldOut { flight: String, left: i64, asked: i64 },
    #[error("flight {flight} was changed again")]
    ChangedAgain { flight: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl AirlineChangeRow {
    pub fn state(&self) -> AirlineChangeState {
        match (self.action_taken.as_deref(), self.superseded_by) {
            (Some("accepted"), _) => AirlineChangeState::Accepted,
            (Some("cancelled"), _) => AirlineChangeState::Cancelled,
            (Some("changed"), None) => AirlineChangeState::Changed,
            (_, Some(_)) => AirlineChangeState::Superseded,
            (_, None) => AirlineChangeState::Open,
        }
    }
}

impl AirlineSegmentRow {
    pub(super) fn of(tx: &WriteTx, change: i64, coupon: &CouponRow) -> Self {
        AirlineSegmentRow {
            id: tx.ids.block(1),
            airline_change_id: change,
            coupon_id: coupon.id,
            flight_number: coupon.flight_number,
            aircraft: coupon.aircraft.clone(),
            departing_at: coupon.departing_at,
            arriving_at: coupon.arriving_at,
            duration_minutes: coupon.duration_minutes,
            seat_bucket_id: coupon.seat_bucket_id,
            new_seat_bucket_id: None,
        }
    }

    /// The coupon with the flight that it had before the change.
    pub fn restored(&self, coupon: &CouponRow) -> CouponRow {
        CouponRow {
            flight_number: self.flight_number,
            aircraft: self.aircraft.clone(),
            departing_at: self.departing_at,
            arriving_at: self.arriving_at,
            duration_minutes: self.duration_minutes,
            seat_bucket_id: self.seat_bucket_id,
            ..coupon.clone()
        }
    }
}

/// A change of one order with the coupons that it is about.
#[derive(Clone, Debug)]
pub struct AirlineChange {
    pub row: AirlineChangeRow,
    pub schedule: ScheduleChangeRow,
    pub segments: Vec<AirlineSegmentRow>,
}

impl AirlineChange {
    /// The coupon with the flight that is offered; `None` where none is.
    pub fn offered(&self, coupon: &CouponRow) -> Option<CouponRow> {
        let change = &self.schedule;
        Some(CouponRow {
            flight_number: change.new_flight_number?,
            aircraft: change.new_aircraft.clone()?,
            departing_at: change.new_departing_at?,
            arriving_at: change.new_arriving_at?,
            duration_minutes: change.new_duration_minutes?,
            ..coupon.clone()
        })
    }
}

/// Changes that nobody has accepted or given back yet make room for later ones about the same coupons.
pub(super) fn supersede(tx: &mut WriteTx, changes: &[AirlineChangeRow], segments: &[AirlineSegmentRow]) -> Result<(), DbError> {
    let coupons: Vec<i64> = segments.iter().map(|segment| segment.coupon_id).collect();
    let open = airline_change_segment::table
        .inner_join(airline_change::table.on(airline_change::id.eq(airline_change_segment::airline_change_id)));
    let open = open.filter(airline_change_segment::coupon_id.eq_any(coupons)).filter(airline_change::superseded_by.is_null());
    let unanswered = airline_change::action_taken.is_null().or(airline_change::action_taken.eq("changed"));
    let open: Vec<(i64, i64)> = open
        .filter(unanswered)
        .select((airline_change_segment::airline_change_id, airline_change::order_id))
        .distinct()
        .load(&mut *tx.db)?;
    let now = tx.now.naive();
    let by = |order: i64| changes.iter().find(|change| change.order_id == order).map(|change| change.id);
    let superseded: Vec<Change> =
        open.into_iter().map(|(id, order)| Change { id, values: vec![by(order).into(), now.into()] }).collect();
    update(tx, "airline_change", &["superseded_by", "updated_at"], &superseded)?;
    Ok(())
}

/// Links the coupons of a change to the flight that is offered. Accepted before, it is answered as it is.
pub fn accept_airline_change(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    id: AirlineChangeId,
) -> Result<AirlineChange, AirlineChangeError> {
    let change = lock_change(tx, id)?;
    match change.row.state().on(AirlineChangeAction::Accept) {
        Answered::AlreadyApplied => return Ok(change),
        Answered::Refused => return Err(AirlineChangeError::Answered(change.row.state())),
        Answered::Applied(_) => {}
    }
    check_order(tx.db, &change)?;
    let coupons = linked_coupons(tx.db, &change)?;
    check_usable(&coupons)?;
    let moves = seat_moves(tx, catalogue, &change, &coupons)?;
    // From here on the acceptance must succeed.
    update(tx, "seat_bucket", &["sold"], &moves.sold)?;
    relink(tx, &change, &coupons, &moves.seats)?;
    let changed = NewEvent::new(EventType::OrderChanged, OrderId::of(change.row.order_id));
    let changed = changed.of_agency(AgencyId::of(change.row.agency_id)).of_airline(AirlineId::of(change.row.airline_id));
    emit(tx, changed.naming("airline_initiated_change_id", id).caused_by(&cause.request_id))?;
    answer(tx, cause, &change, AirlineChangeState::Accepted)
}

/// The agent asks for another flight instead. Nothing moves yet: the exchange finds the change by [`waives_penalty`] and takes no penalty.
pub fn ask_for_another_flight(tx: &mut WriteTx, cause: &Cause, id: AirlineChangeId) -> Result<AirlineChange, AirlineChangeError> {
    mark(tx, cause, id, AirlineChangeAction::Change)
}

/// The agent has given the tickets back because of the change: voided, or refunded without penalty, which [`waives_penalty`] allows.
pub fn give_back_for_change(tx: &mut WriteTx, cause: &Cause, id: AirlineChangeId) -> Result<AirlineChange, AirlineChangeError> {
    mark(tx, cause, id, AirlineChangeAction::Cancel)
}

fn mark(
    tx: &mut WriteTx,
    cause: &Cause,
    id: AirlineChangeId,
    action: AirlineChangeAction,
) -> Result<AirlineChange, AirlineChangeError> {
    let change = lock_change(tx, id)?;
    match change.row.state().on(action) {
        Answered::AlreadyApplied => Ok(change),
        Answered::Refused => Err(AirlineChangeError::Answered(change.row.state())),
        Answered::Applied(state) => {
            match action {
                AirlineChangeAction::Cancel => check_given_back(tx.db, &change)?,
                AirlineChangeAction::Accept | AirlineChangeAction::Change => {
                    check_order(tx.db, &change)?;
                    check_usable(&linked_coupons(tx.db, &change)?)?;
                }
            }
            answer(tx, cause, &change, state)
        }
    }
}

fn answer(
    tx: &mut WriteTx,
    cause: &Cause,
    change: &AirlineChange,
    state: AirlineChangeState,
) -> Result<AirlineChange, AirlineChangeError> {
    write_answer(tx, cause, change.row.id, state)?;
    airline_change(tx.db, AirlineChangeId::of(change.row.id))?.ok_or(AirlineChangeError::NotFound)
}

fn write_answer(tx: &mut WriteTx, cause: &Cause, id: i64, state: AirlineChangeState) -> Result<(), DbError> {
    let now = tx.now.naive();
    let values = vec![state.text().into(), now.into(), now.into()];
    update(tx, "airline_change", &["action_taken", "action_taken_at", "updated_at"], &[Change { id, values }])?;
    audit::record(tx, cause, &format!("airline_change.{}", state.text()), AirlineChangeId::of(id))
}

fn lock_change(tx: &mut WriteTx, id: AirlineChangeId) -> Result<AirlineChange, AirlineChangeError> {
    let known = airline_change(tx.db, id)?.ok_or(AirlineChangeError::NotFound)?;
    lock(tx, Contended::Agency, &[known.row.agency_id])?;
    // Again, now that the agency is locked: two answers at once meet here.
    airline_change(tx.db, id)?.ok_or(AirlineChangeError::NotFound)
}

fn check_order(db: &mut Db, change: &AirlineChange) -> Result<(), AirlineChangeError> {
    let order = air_order::table.find(change.row.order_id).select(air_order::cancelled_at);
    let cancelled: Option<Option<NaiveDateTime>> = order.first(db).optional().map_err(DbError::from)?;
    match cancelled {
        Some(None) => Ok(()),
        _ => Err(AirlineChangeError::OrderCancelled),
    }
}

/// The coupons of a change.
fn linked_coupons(db: &mut Db, change: &AirlineChange) -> Result<Vec<CouponRow>, DbError> {
    let ids: Vec<i64> = change.segments.iter().map(|segment| segment.coupon_id).collect();
    let rows = coupon::table.filter(coupon::id.eq_any(ids)).order(coupon::id).select(CouponRow::as_select());
    Ok(rows.load(db)?)
}

/// All of them are still to be used.
fn check_usable(coupons: &[CouponRow]) -> Result<(), AirlineChangeError> {
    for row in coupons {
        let status: CouponStatus = row.status()?;
        if status.is_final() || status.is_settled() {
            return Err(AirlineChangeError::CouponUsed { coupon: row.number_on_document(), status: row.status.clone() });
        }
    }
    Ok(())
}

fn check_given_back(db: &mut Db, change: &AirlineChange) -> Result<(), AirlineChangeError> {
    for row in linked_coupons(db, change)? {
        if !row.status()?.is_settled() {
            return Err(AirlineChangeError::NotGivenBack { coupon: row.number_on_document(), status: row.status });
        }
    }
    Ok(())
}

/// Whether an order may be exchanged or refunded without penalty: its airline has changed a flight, nobody accepted that, and the tickets for that
/// flight are still to be used: who has flown on it asks for nothing any more. Answers the change.
pub fn waives_penalty(db: &mut Db, order: OrderId) -> Result<Option<AirlineChange>, DbError> {
    let newest = airline_changes(db, None, Some(order), Window::NEWEST, MOST_PER_ORDER)?;
    let unanswered =
        |change: &AirlineChange| matches!(change.row.state(), AirlineChangeState::Open | AirlineChangeState::Changed);
    for change in newest.into_iter().filter(unanswered) {
        for coupon in linked_coupons(db, &change)? {
            let status = coupon.status()?;
            if !status.is_final() && !status.is_settled() {
                return Ok(Some(change));
            }
        }
    }
    Ok(None)
}

/// The order is exchanged, in this commit: what its airline has changed about it and nobody has answered is answered by that.
pub(super) fn exchanged_for_change(tx: &mut WriteTx, cause: &Cause, change: &AirlineChange) -> Result<(), DbError> {
    match change.row.state().on(AirlineChangeAction::Change) {
        Answered::Applied(state) => write_answer(tx, cause, change.row.id, state),
        Answered::AlreadyApplied | Answered::Refused => Ok(()),
    }
}

/// Far more changes than one order ever has.
const MOST_PER_ORDER: i64 = 200;

pub fn airline_change(db: &mut Db, id: AirlineChangeId) -> Result<Option<AirlineChange>, DbError> {
    let row: Option<AirlineChangeRow> =
        airline_change::table.find(id.raw()).select(AirlineChangeRow::as_select()).first(&mut *db).optional()?;
    Ok(complete(db, row.into_iter().collect())?.pop())
}

/// Of these agencies or of all, newest first or as the window says.
pub fn airline_changes(
    db: &mut Db,
    agencies: Option<&[AgencyId]>,
    order: Option<OrderId>,
    window: Window,
    limit: i64,
) -> Result<Vec<AirlineChange>, DbError> {
    let mut query = windowed!(airline_change::table.into_boxed(), airline_change::id, window, limit);
    if let Some(agencies) = agencies {
        query = query.filter(airline_change::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(order) = order {
        query = query.filter(airline_change::order_id.eq(order.raw()));
    }
    let rows = query.select(AirlineChangeRow::as_select()).load(&mut *db)?;
    complete(db, rows)
}

fn complete(db: &mut Db, rows: Vec<AirlineChangeRow>) -> Result<Vec<AirlineChange>, DbError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let segments = airline_change_segment::table.filter(airline_change_segment::airline_change_id.eq_any(ids));
    let segments = segments.order((airline_change_segment::airline_change_id, airline_change_segment::coupon_id));
    let mut segments: Vec<AirlineSegmentRow> = segments.select(AirlineSegmentRow::as_select()).load(&mut *db)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let id = ScheduleChangeId::of(row.schedule_change_id);
        let schedule = schedule_change(db, id)?;
        let schedule = schedule.ok_or_else(|| DbError::Corrupt(format!("airline change {} has no schedule change", row.id)))?;
        let segments = segments.extract_if(.., |segment| segment.airline_change_id == row.id).collect();
        found.push(AirlineChange { row, schedule, segments });
    }
    Ok(found)
}

/// The coupons of these tickets as they were issued, whatever was accepted since.
pub fn coupons_as_issued(db: &mut Db, tickets: &[i64]) -> Result<Vec<CouponRow>, DbError> {
    let mut coupons = coupons_of(db, tickets)?;
    let ids: Vec<i64> = coupons.iter().map(|coupon| coupon.id).collect();
    let accepted = airline_change_segment::table.filter(airline_change_segment::coupon_id.eq_any(ids));
    let accepted =
        accepted.filter(airline_change_segment::new_seat_bucket_id.is_not_null()).order(airline_change_segment::id.desc());
    let segments: Vec<AirlineSegmentRow> = accepted.select(AirlineSegmentRow::as_select()).load(db)?;
    for segment in segments {
        if let Some(coupon) = coupons.iter_mut().find(|coupon| coupon.id == segment.coupon_id) {
            *coupon = segment.restored(coupon);
        }
    }
    Ok(coupons)
}
