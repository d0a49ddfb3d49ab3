//! An airline changes a flight of one day: other times, cancelled, or replaced by another flight. Every order on it gets a change that its agent answers.
//!
//! Protocol: the seat buckets of the departure are locked, which is what a sale locks before it takes seats; the change is written into them, so that an order priced
//! with the schedule of before is refused in its own commit, on every node, whatever that node remembers; then the coupons that sit in these buckets
//! are read, and their orders are told. Money and tickets are not touched.

use super::airline_change::{AirlineChangeRow, AirlineSegmentRow, supersede};
use super::coupon::CouponStatus;
use super::issue::BucketRow;
use super::ticket::CouponRow;
use crate::airlines::Airline;
use crate::audit::{self, Cause};
use crate::catalogue::overlay::{Becomes, DepartureChange, FlightDay, Overlay};
use crate::catalogue::{AirportCode, BucketId, CarrierCode, Catalogue, Departure, Flight};
use crate::clock::Timestamp;
use crate::db::schema::{coupon, schedule_change, ticket};
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, ensure_rows, insert, lock, rows, update, windowed};
use crate::ids::{AgencyId, AirlineChangeId, AirlineId, Id, OrderId, ScheduleChangeId};
use crate::notify::{EventType, NewEvent, emit_all};
use crate::shopping::price::departure_buckets;
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::collections::BTreeMap;

rows! {
    /// Never changed: a later one of the same departure takes its place.
    pub struct ScheduleChangeRow in schedule_change {
        id: i64,
        airline_id: i64,
        carrier: String,
        flight_number: i64,
        origin: String,
        destination: String,
        /// The day that the flight was scheduled for, local at the origin.
        flight_date: NaiveDate,
        kind: String,
        /// The flight that passengers are offered: itself where it was retimed; none where it was cancelled.
        new_flight_number: Option<i64>,
        new_aircraft: Option<String>,
        new_departing_at: Option<NaiveDateTime>,
        new_arriving_at: Option<NaiveDateTime>,
        new_duration_minutes: Option<i64>,
        reason: String,
        order_count: i64,
        actor_organisation_id: i64,
        actor_key_id: i64,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleChangeKind {
    Retimed,
    Cancelled,
    Replaced,
}

impl ScheduleChangeKind {
    pub const ALL: [ScheduleChangeKind; 3] =
        [ScheduleChangeKind::Retimed, ScheduleChangeKind::Cancelled, ScheduleChangeKind::Replaced];

    pub fn text(self) -> &'static str {
        match self {
            ScheduleChangeKind::Retimed => "retimed",
            ScheduleChangeKind::Cancelled => "cancelled",
            ScheduleChangeKind::Replaced => "replaced",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ScheduleChangeKind::ALL.into_iter().find(|kind| kind.text() == text)
    }
}

/// What becomes of the flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewSchedule {
    /// Wall-clock times; it still departs on its day.
    Retimed {
        departing_at: NaiveDateTime,
        arriving_at: NaiveDateTime,
    },
    Cancelled,
    /// Cancelled, and its passengers are offered another flight of the airline on the same route.
    Replaced {
        flight_number: u16,
        date: NaiveDate,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewScheduleChange {
    pub flight_number: u16,
    pub origin: AirportCode,
    pub date: NaiveDate,
    pub becomes: NewSchedule,
    pub reason: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ScheduleChangeError {
    #[error("flight {flight} does not operate from {origin} on {date}")]
    NoFlight { flight: String, origin: AirportCode, date: NaiveDate },
    #[error("flight {flight} has departed")]
    Departed { flight: String },
    #[error("a flight that leaves on another day is another flight: cancel it and name the one that replaces it")]
    OtherDay,
    #[error("it would arrive before it departs")]
    ArrivesTooSoon,
    #[error("it would depart before now")]
    DepartsTooSoon,
    #[error("flight {flight} does not fly on {date} from where the passengers are to where they go")]
    NoReplacement { flight: String, date: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl ScheduleChangeRow {
    pub fn kind(&self) -> Result<ScheduleChangeKind, DbError> {
        ScheduleChangeKind::parse(&self.kind).ok_or_else(|| self.corrupt())
    }

    pub fn flight_day(&self) -> Result<FlightDay, DbError> {
        let number = u16::try_from(self.flight_number).ok();
        let codes = CarrierCode::parse(&self.carrier).zip(AirportCode::parse(&self.origin)).zip(number);
        let ((carrier, origin), number) = codes.ok_or_else(|| self.corrupt())?;
        Ok(FlightDay { carrier, number, origin, date: self.flight_date })
    }

    fn corrupt(&self) -> DbError {
        DbError::Corrupt(format!("schedule change {}", self.id))
    }

    fn laid_over(&self) -> Result<DepartureChange, DbError> {
        let becomes = match (self.kind()?, self.new_departing_at, self.new_arriving_at) {
            (ScheduleChangeKind::Retimed, Some(departing_at), Some(arriving_at)) => {
                Becomes::Retimed { departing_at, arriving_at }
            }
            _ => Becomes::Cancelled,
        };
        Ok(DepartureChange { id: self.id, flight: self.flight_day()?, becomes })
    }
}

/// Files a change and tells every order that has a seat on the flight.
pub fn file_schedule_change(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    airline: &Airline,
    new: &NewScheduleChange,
) -> Result<ScheduleChangeRow, ScheduleChangeError> {
    let (flight, departure) = find(catalogue, airline, new, tx.now)?;
    let offered = offered(catalogue, flight, departure, new, tx.now)?;
    let buckets = lock_departure(tx, catalogue, departure)?;
    let mut row = change_row(tx, cause, airline, flight, new, offered);
    let stamped: Vec<Change> = buckets.iter().map(|id| Change { id: *id, values: vec![row.id.into()] }).collect();
    update(tx, "seat_bucket", &["schedule_change_id"], &stamped)?;
    let affected = affected(tx.db, &buckets)?;
    row.order_count = i64::try_from(affected.len()).unwrap_or(i64::MAX);
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    tell_orders(tx, cause, &row, affected)?;
    audit::record(tx, cause, "schedule.change", ScheduleChangeId::of(row.id))?;
    Ok(row)
}

/// The flight as it stands now, with the changes before this one.
fn find<'c>(
    catalogue: &'c Catalogue,
    airline: &Airline,
    new: &NewScheduleChange,
    now: Timestamp,
) -> Result<(&'c Flight, Departure), ScheduleChangeError> {
    let name = format!("{}{}", airline.iata_code, new.flight_number);
    let missing = || ScheduleChangeError::NoFlight { flight: name.clone(), origin: new.origin, date: new.date };
    let carrier = CarrierCode::parse(&airline.iata_code).ok_or_else(missing)?;
    let (index, flight) = catalogue.schedules.find(carrier, new.flight_number, new.origin).ok_or_else(missing)?;
    // One that was cancelled can be changed again: it may come back.
    let now_or_scheduled = catalogue.schedules.departure(&catalogue.airports, index, new.date);
    let scheduled = || catalogue.schedules.scheduled(&catalogue.airports, index, new.date);
    let departure = now_or_scheduled.or_else(scheduled).ok_or_else(missing)?;
    if departure.departs <= now { Err(ScheduleChangeError::Departed { flight: name }) } else { Ok((flight, departure)) }
}

/// The flight that passengers are offered, with its departure.
fn offered<'c>(
    catalogue: &'c Catalogue,
    flight: &'c Flight,
    departure: Departure,
    new: &NewScheduleChange,
    now: Timestamp,
) -> Result<Option<(&'c Flight, Departure)>, ScheduleChangeError> {
    let (flight, departure) = match new.becomes {
        NewSchedule::Cancelled => return Ok(None),
        NewSchedule::Retimed { departing_at, arriving_at } => {
            if departing_at.date() != departure.date {
                return Err(ScheduleChangeError::OtherDay);
            }
            let moved = catalogue.schedules.retimed(&catalogue.airports, departure, departing_at, arriving_at);
            (flight, moved.ok_or(ScheduleChangeError::ArrivesTooSoon)?)
        }
        NewSchedule::Replaced { flight_number, date } => {
            let name = format!("{}{flight_number}", flight.carrier);
            let missing = || ScheduleChangeError::NoReplacement { flight: name.clone(), date };
            let found = catalogue.schedules.find(flight.carrier, flight_number, flight.origin);
            let (index, other) = found.filter(|(_, other)| other.destination == flight.destination).ok_or_else(missing)?;
            let departs = catalogue.schedules.departure(&catalogue.airports, index, date).ok_or_else(missing)?;
            if (index, date) == (departure.flight, departure.date) {
                return Err(missing());
            }
            (other, departs)
        }
    };
    if departure.arrives <= departure.departs {
        return Err(ScheduleChangeError::ArrivesTooSoon);
    }
    if departure.departs <= now { Err(ScheduleChangeError::DepartsTooSoon) } else { Ok(Some((flight, departure))) }
}

/// Locks the buckets of every class of a departure; those that sold nothing yet are made, so that the change can be written into them.
fn lock_departure(tx: &mut WriteTx, catalogue: &Catalogue, departure: Departure) -> Result<Vec<i64>, DbError> {
    let rows = unsold_buckets(catalogue, departure, tx.now);
    ensure_rows(tx, &rows)?;
    let mut ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    ids.sort_unstable();
    lock(tx, Contended::SeatBucket, &ids)?;
    Ok(ids)
}

/// One bucket per class that the carrier sells, unsold.
pub(super) fn unsold_buckets(catalogue: &Catalogue, departure: Departure, now: Timestamp) -> Vec<BucketRow> {
    let unsold = |(id, capacity): (BucketId, i64)| BucketRow { id: id.raw(), capacity, sold: 0, schedule_change_id: 0 };
    departure_buckets(catalogue, departure, now).into_iter().map(unsold).collect()
}

fn change_row(
    tx: &WriteTx,
    cause: &Cause,
    airline: &Airline,
    flight: &Flight,
    new: &NewScheduleChange,
    offered: Option<(&Flight, Departure)>,
) -> ScheduleChangeRow {
    let kind = match new.becomes {
        NewSchedule::Retimed { .. } => ScheduleChangeKind::Retimed,
        NewSchedule::Cancelled => ScheduleChangeKind::Cancelled,
        NewSchedule::Replaced { .. } => ScheduleChangeKind::Replaced,
    };
    ScheduleChangeRow {
        id: tx.ids.next::<ScheduleChangeId>().raw(),
        airline_id: airline.id.raw(),
        carrier: flight.carrier.to_string(),
        flight_number: i64::from(flight.number),
        origin: flight.origin.to_string(),
        destination: flight.destination.to_string(),
        flight_date: new.date,
        kind: kind.text().to_owned(),
        new_flight_number: offered.map(|(other, _)| i64::from(other.number)),
        new_aircraft: offered.map(|(other, _)| other.aircraft.to_string()),
        new_departing_at: offered.map(|(_, departure)| departure.departing_at),
        new_arriving_at: offered.map(|(_, departure)| departure.arriving_at),
        new_duration_minutes: offered.map(|(_, departure)| departure.arrives.since(departure.departs).num_minutes()),
        reason: new.reason.clone(),
        order_count: 0,
        actor_organisation_id: cause.actor.organisation.raw(),
        actor_key_id: cause.actor.by.stored(),
        created_at: tx.now.naive(),
    }
}

/// An order and its coupons on the flight.
type Affected = BTreeMap<(i64, i64), Vec<CouponRow>>;

/// Coupons that sit in these buckets and are still to be used, by order and agency. A change is rare and a sale is not: this reads all coupons rather than an
/// index that every sale would have to write.
fn affected(db: &mut Db, buckets: &[i64]) -> Result<Affected, DbError> {
    let to_be_used = |status: &CouponStatus| !status.is_final() && !status.is_settled();
    let open: Vec<&str> = CouponStatus::ALL.iter().filter(|status| to_be_used(status)).map(|status| status.text()).collect();
    let seated = coupon::table.inner_join(ticket::table.on(ticket::id.eq(coupon::ticket_id)));
    let seated = seated.filter(coupon::seat_bucket_id.eq_any(buckets.to_vec())).filter(coupon::status.eq_any(open));
    let seated = seated.order((ticket::order_id, coupon::ticket_id, coupon::number));
    let found: Vec<(i64, i64, CouponRow)> =
        seated.select((ticket::order_id, ticket::agency_id, CouponRow::as_select())).load(db)?;
    let mut affected = Affected::new();
    for (order, agency, coupon) in found {
        affected.entry((order, agency)).or_default().push(coupon);
    }
    Ok(affected)
}

fn tell_orders(tx: &mut WriteTx, cause: &Cause, change: &ScheduleChangeRow, affected: Affected) -> Result<(), DbError> {
    let (mut changes, mut segments) = (Vec::new(), Vec::new());
    for ((order_id, agency_id), coupons) in affected {
        let id = tx.ids.next::<AirlineChangeId>().raw();
        changes.push(AirlineChangeRow {
            id,
            schedule_change_id: change.id,
            order_id,
            agency_id,
            airline_id: change.airline_id,
            action_taken: None,
            action_taken_at: None,
            superseded_by: None,
            created_at: tx.now.naive(),
            updated_at: tx.now.naive(),
        });
        segments.extend(coupons.iter().map(|coupon| AirlineSegmentRow::of(tx, id, coupon)));
    }
    supersede(tx, &changes, &segments)?;
    insert(tx, &[RowSet::of(&changes), RowSet::of(&segments)])?;
    let detected = |change: &AirlineChangeRow| {
        let event = NewEvent::new(EventType::OrderAirlineInitiatedChangeDetected, OrderId::of(change.order_id));
        let event = event.of_agency(AgencyId::of(change.agency_id)).of_airline(AirlineId::of(change.airline_id));
        event.naming("airline_initiated_change_id", AirlineChangeId::of(change.id)).caused_by(&cause.request_id)
    };
    emit_all(tx, changes.iter().map(detected).collect())
}

/// Everything that airlines have changed about flights from this day on.
pub fn current_overlay(db: &mut Db, from: NaiveDate) -> Result<Overlay, DbError> {
    // Before the rows: what is added in between is read again.
    let version = schedule_version(db)?;
    let ahead = schedule_change::table.filter(schedule_change::flight_date.ge(from));
    let rows: Vec<ScheduleChangeRow> = ahead.order(schedule_change::id).select(ScheduleChangeRow::as_select()).load(db)?;
    let changes: Vec<DepartureChange> = rows.iter().map(ScheduleChangeRow::laid_over).collect::<Result<_, _>>()?;
    Ok(Overlay::new(version, changes))
}

/// How many changes there are: what an overlay is compared with. Not the last id, because ids of two nodes are not given out in the order of their commits.
pub fn schedule_version(db: &mut Db) -> Result<i64, DbError> {
    Ok(schedule_change::table.count().get_result(db)?)
}

pub fn schedule_change(db: &mut Db, id: ScheduleChangeId) -> Result<Option<ScheduleChangeRow>, DbError> {
    Ok(schedule_change::table.find(id.raw()).select(ScheduleChangeRow::as_select()).first(db).optional()?)
}

/// Of these airlines, or of all.
pub fn schedule_changes(
    db: &mut Db,
    of: Option<&[AirlineId]>,
    window: Window,
    limit: i64,
) -> Result<Vec<ScheduleChangeRow>, DbError> {
    let mut query = windowed!(schedule_change::table.into_boxed(), schedule_change::id, window, limit);
    if let Some(airlines) = of {
        query = query.filter(schedule_change::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(ScheduleChangeRow::as_select()).load(db)?)
}
