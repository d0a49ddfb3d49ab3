//! What airlines say about coupons: control taken and returned, check-in, boarding, flown. One report is the N = 1 case of a part of a file.
//!
//! Protocol: the agencies of the tickets are locked, which is what a void, a refund and an exchange lock first, so that a coupon is never taken back and flown
//! at once; then coupons are read, every report is decided in its order, each seeing the ones before it, and all changes are written together.

use super::coupon::{CouponMoved, CouponRefusal, CouponSide, CouponStatus};
use super::coupon_history::{CouponMove, CouponSource, last_changes_of, move_coupons};
use super::ticket::{CouponRow, TicketRow, coupons_of, tickets_by_number};
use crate::airlines::TicketNumber;
use crate::audit::Cause;
use crate::clock::Timestamp;
use crate::db::{Contended, DbError, WriteTx, lock};
use crate::ids::{AirlineId, Id};
use chrono::Duration;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// An airline's clock may be so much ahead of ours.
const CLOCK_AHEAD_SECS: i64 = 600;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouponReport {
    /// Any of the ticket's numbers.
    pub number: TicketNumber,
    /// 1 to 4 within the number.
    pub coupon: i64,
    pub to: CouponStatus,
    /// The status that the reporter believes it has.
    pub expected: Option<CouponStatus>,
    /// `None`: now.
    pub happened_at: Option<Timestamp>,
    /// `CA1501`; to be sure that the right coupon is meant.
    pub flight: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportOutcome {
    Applied { from: CouponStatus },
    AlreadyApplied,
    Rejected(ReportError),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// Also where it is another airline's.
    #[error("there is no such ticket")]
    NoTicket,
    #[error("the ticket number has no such coupon")]
    NoCoupon,
    #[error("the coupon is for flight {flight}")]
    OtherFlight { flight: String },
    #[error("the coupon has status {}", .status.text())]
    Stale { status: CouponStatus },
    /// Reversing the status alone would let the same money be given back twice.
    #[error("the coupon was settled with status {}: its money was given back, and the status is not reversed without it", .status.text())]
    Settled { status: CouponStatus },
    #[error("from {} to {}: {refusal}", .from.text(), .to.text())]
    Refused { from: CouponStatus, to: CouponStatus, refusal: CouponRefusal },
    #[error("the coupon changed later than this, at {at}")]
    NotLatest { at: Timestamp },
    #[error("it is said to have happened later than now")]
    InFuture,
}

impl ReportError {
    /// Stable, for files and clients.
    pub fn code(&self) -> &'static str {
        match self {
            ReportError::NoTicket => "ticket_not_found",
            ReportError::NoCoupon => "coupon_not_found",
            ReportError::OtherFlight { .. } => "coupon_flight_differs",
            ReportError::Stale { .. } => "coupon_status_stale",
            ReportError::Settled { .. } => "coupon_settled",
            ReportError::Refused { refusal, .. } => refusal.code(),
            ReportError::NotLatest { .. } => "coupon_changed_later",
            ReportError::InFuture => "in_future",
        }
    }
}

/// A coupon as the reports before have left it.
struct Known {
    row: CouponRow,
    status: CouponStatus,
    changed_at: Option<Timestamp>,
}

/// Where a report's number leads: to which ticket, and to which of its numbers.
type Places = HashMap<String, (i64, TicketRow)>;

/// Decides and books reports of the airlines `of` (`None`: of all); the outcomes are in their order.
pub fn report_coupons(
    tx: &mut WriteTx,
    cause: &Cause,
    source: CouponSource,
    of: Option<&[AirlineId]>,
    reports: &[CouponReport],
) -> Result<Vec<ReportOutcome>, DbError> {
    let places = lock_tickets(tx, of, reports)?;
    let mut known = read_coupons(tx, &places)?;
    let mut outcomes = Vec::with_capacity(reports.len());
    let mut accepted: Vec<(i64, CouponStatus, CouponStatus, Timestamp)> = Vec::new();
    for report in reports {
        let found = places.get(report.number.text());
        let coupon = found.and_then(|(document, ticket)| known.get_mut(&(ticket.id, *document, report.coupon)));
        let outcome = match (found, coupon) {
            (None, _) => ReportOutcome::Rejected(ReportError::NoTicket),
            (Some(_), None) => ReportOutcome::Rejected(ReportError::NoCoupon),
            (Some(_), Some(coupon)) => {
                let outcome = decide(coupon, report, tx.now);
                if let ReportOutcome::Applied { from } = outcome {
                    let happened_at = report.happened_at.unwrap_or(tx.now).min(tx.now);
                    accepted.push((coupon.row.id, from, report.to, happened_at));
                    coupon.status = report.to;
                    coupon.changed_at = Some(happened_at);
                }
                outcome
            }
        };
        outcomes.push(outcome);
    }
    let rows: HashMap<i64, &CouponRow> = known.values().map(|coupon| (coupon.row.id, &coupon.row)).collect();
    let mut moves = Vec::with_capacity(accepted.len());
    for (id, from, to, happened_at) in accepted {
        if let Some(coupon) = rows.get(&id).copied() {
            moves.push(CouponMove { coupon, from, to, happened_at });
        }
    }
    move_coupons(tx, cause, source, &moves)?;
    Ok(outcomes)
}

fn decide(coupon: &Known, report: &CouponReport, now: Timestamp) -> ReportOutcome {
    let from = coupon.status;
    let flight = format!("{}{}", coupon.row.carrier, coupon.row.flight_number);
    let rejected = ReportOutcome::Rejected;
    if report.flight.as_ref().is_some_and(|said| *said != flight) {
        return rejected(ReportError::OtherFlight { flight });
    }
    match from.on(CouponSide::Airline, report.to) {
        CouponMoved::AlreadyApplied => ReportOutcome::AlreadyApplied,
        _ if report.expected.is_some_and(|expected| expected != from) => rejected(ReportError::Stale { status: from }),
        CouponMoved::Refused(refusal) => rejected(ReportError::Refused { from, to: report.to, refusal }),
        CouponMoved::Applied if from.is_settled() => rejected(ReportError::Settled { status: from }),
        CouponMoved::Applied => match (report.happened_at, coupon.changed_at) {
            (Some(at), _) if at > now.plus(Duration::seconds(CLOCK_AHEAD_SECS)) => rejected(ReportError::InFuture),
            (Some(at), Some(changed)) if at < changed => rejected(ReportError::NotLatest { at: changed }),
            _ => ReportOutcome::Applied { from },
        },
    }
}

fn lock_tickets(tx: &mut WriteTx, of: Option<&[AirlineId]>, reports: &[CouponReport]) -> Result<Places, DbError> {
    let numbers: Vec<TicketNumber> = reports.iter().map(|report| report.number.clone()).collect();
    let mut places = Places::new();
    for (number, document, ticket) in tickets_by_number(tx.db, &numbers)? {
        if of.is_none_or(|own| own.contains(&AirlineId::of(ticket.airline_id))) {
            places.insert(number, (document, ticket));
        }
    }
    let agencies: BTreeSet<i64> = places.values().map(|(_, ticket)| ticket.agency_id).collect();
    lock(tx, Contended::Agency, &agencies.into_iter().collect::<Vec<_>>())?;
    Ok(places)
}

/// By ticket, document and coupon number.
fn read_coupons(tx: &mut WriteTx, places: &Places) -> Result<BTreeMap<(i64, i64, i64), Known>, DbError> {
    let tickets: BTreeSet<i64> = places.values().map(|(_, ticket)| ticket.id).collect();
    let tickets: Vec<i64> = tickets.into_iter().collect();
    let changed: HashMap<i64, Timestamp> = last_changes_of(tx.db, &tickets)?.into_iter().collect();
    let mut known = BTreeMap::new();
    for row in coupons_of(tx.db, &tickets)? {
        let coupon = Known { status: row.status()?, changed_at: changed.get(&row.id).copied(), row };
        known.insert((coupon.row.ticket_id, coupon.row.document(), coupon.row.number_on_document()), coupon);
    }
    Ok(known)
}
