//! The application for a refund: its rows, its kinds and its states.

use crate::clock::Timestamp;
use crate::db::schema::{refund_application, refund_coupon, refund_evidence, refund_tax, refund_ticket};
use crate::db::{Db, DbError, Window, rows, windowed};
use crate::ids::{AgencyId, Id, OrderId, RefundApplicationId, TicketId};
use crate::ticketing::coupon::CouponStatus;
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct ApplicationRow in refund_application {
        id: i64,
        order_id: i64,
        agency_id: i64,
        kind: String,
        status: String,
        /// Of the sale: what paid gets the money back.
        tender: String,
        currency: String,
        fare_minor: i64,
        tax_minor: i64,
        penalty_minor: i64,
        /// Fare + taxes - penalty.
        refund_minor: i64,
        reason: Option<String>,
        /// Until when the quote can be confirmed.
        expires_at: NaiveDateTime,
        created_at: NaiveDateTime,
        /// When it was confirmed: a valid application.
        applied_at: Option<NaiveDateTime>,
        /// Seven working days later.
        due_at: Option<NaiveDateTime>,
        /// When it was found to be overdue.
        overdue_at: Option<NaiveDateTime>,
        decided_at: Option<NaiveDateTime>,
        decided_by_key_id: Option<i64>,
        decision_note: Option<String>,
        /// What client cash lacks while the airline's money is awaited.
        short_minor: Option<i64>,
        completed_at: Option<NaiveDateTime>,
    }

    /// What an application gives back of one ticket.
    pub struct RefundTicketRow in refund_ticket {
        id: i64,
        application_id: i64,
        ticket_id: i64,
        fare_minor: i64,
        tax_minor: i64,
        penalty_minor: i64,
        /// The legs; their sum is fare + taxes - penalty.
        airline_minor: i64,
        authority_minor: i64,
        commission_minor: i64,
        fee_minor: i64,
        /// The cycle that a credit sale is credited in; from the posting on.
        cycle: Option<String>,
        posted_at: Option<NaiveDateTime>,
    }

    pub struct RefundCouponRow in refund_coupon {
        id: i64,
        refund_id: i64,
        coupon_id: i64,
        number: i64,
        fare_minor: i64,
        tax_minor: i64,
        penalty_minor: i64,
        /// The ladder's share of the fare; none where no ladder was asked.
        penalty_rate: Option<String>,
        commission_minor: i64,
        fee_minor: i64,
    }

    pub struct RefundTaxRow in refund_tax {
        id: i64,
        refund_id: i64,
        coupon_id: i64,
        code: String,
        payee: String,
        remitter: String,
        minor: i64,
    }

    pub struct EvidenceRow in refund_evidence {
        id: i64,
        application_id: i64,
        attachment_id: i64,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundKind {
    /// By the ladder of the fare.
    Voluntary,
    /// Caused by the airline: no penalty; a person decides.
    Involuntary,
    /// With evidence: no penalty; a person decides.
    Medical,
    /// The fare is kept, taxes that are always given back come back.
    TaxOnly,
    /// A second amount for coupons refunded before; a person decides.
    Supplementary,
}

impl RefundKind {
    pub const ALL: [RefundKind; 5] =
        [RefundKind::Voluntary, RefundKind::Involuntary, RefundKind::Medical, RefundKind::TaxOnly, RefundKind::Supplementary];

    pub fn text(self) -> &'static str {
        match self {
            RefundKind::Voluntary => "voluntary",
            RefundKind::Involuntary => "involuntary",
            RefundKind::Medical => "medical",
            RefundKind::TaxOnly => "tax_only",
            RefundKind::Supplementary => "supplementary",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        RefundKind::ALL.into_iter().find(|kind| kind.text() == text)
    }

    /// What it leaves a coupon as: a fare that is kept is not refunded, its taxes are.
    pub fn coupon_status(self) -> CouponStatus {
        if self == RefundKind::TaxOnly { CouponStatus::TaxesRefunded } else { CouponStatus::Refunded }
    }

    /// Whether a person of the operator decides, after it was confirmed.
    pub fn needs_decision(self) -> bool {
        matches!(self, RefundKind::Involuntary | RefundKind::Medical | RefundKind::Supplementary)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStatus {
    Quoted,
    /// Confirmed, and waiting for a person's decision.
    Submitted,
    /// Posted, but for the wallet: client cash does not cover it before the airline gives the money back.
    AwaitingAirlineFunds,
    Refunded,
    Rejected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundEvent {
    Submit,
    /// Posted, and the money is where it belongs.
    Settle,
    /// Posted, and the wallet has to wait.
    Wait,
    Reject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundMoved {
    Applied(RefundStatus),
    AlreadyApplied,
    Refused,
}

impl RefundStatus {
    pub const ALL: [RefundStatus; 5] = [
        RefundStatus::Quoted,
        RefundStatus::Submitted,
        RefundStatus::AwaitingAirlineFunds,
        RefundStatus::Refunded,
        RefundStatus::Rejected,
    ];

    pub fn text(self) -> &'static str {
        match self {
            RefundStatus::Quoted => "quoted",
            RefundStatus::Submitted => "submitted",
            RefundStatus::AwaitingAirlineFunds => "awaiting_airline_funds",
            RefundStatus::Refunded => "refunded",
            RefundStatus::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        RefundStatus::ALL.into_iter().find(|status| status.text() == text)
    }

    /// The one place that says how an application moves.
    pub fn on(self, event: RefundEvent) -> RefundMoved {
        use RefundEvent::{Reject, Settle, Submit, Wait};
        use RefundMoved::{AlreadyApplied, Applied, Refused};
        use RefundStatus::{AwaitingAirlineFunds, Quoted, Refunded, Rejected, Submitted};
        match (self, event) {
            (Quoted, Submit) => Applied(Submitted),
            (Quoted | Submitted | AwaitingAirlineFunds, Settle) => Applied(Refunded),
            (Quoted | Submitted, Wait) => Applied(AwaitingAirlineFunds),
            (Submitted, Reject) => Applied(Rejected),
            // Confirmed twice, or decided twice in the same way.
            (Submitted | AwaitingAirlineFunds | Refunded, Submit) | (Refunded, Settle) => AlreadyApplied,
            (AwaitingAirlineFunds, Wait) | (Rejected, Reject) => AlreadyApplied,
            (Refunded, Wait) => AlreadyApplied,
            (Rejected, Submit | Settle | Wait) | (Quoted | AwaitingAirlineFunds | Refunded, Reject) => Refused,
        }
    }
}

/// An application with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub row: ApplicationRow,
    pub tickets: Vec<RefundTicketRow>,
    pub coupons: Vec<RefundCouponRow>,
    pub taxes: Vec<RefundTaxRow>,
    pub evidence: Vec<EvidenceRow>,
}

impl ApplicationRow {
    pub fn kind(&self) -> Result<RefundKind, DbError> {
        RefundKind::parse(&self.kind).ok_or_else(|| DbError::Corrupt(format!("kind of refund application {}", self.id)))
    }

    pub fn status(&self) -> Result<RefundStatus, DbError> {
        RefundStatus::parse(&self.status).ok_or_else(|| DbError::Corrupt(format!("status of refund application {}", self.id)))
    }

    /// Applied for and not settled or rejected, although it was due before.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let open = OPEN.iter().any(|status| status.text() == self.status);
        open && self.due_at.is_some_and(|due| Timestamp::from(due) < now)
    }
}

/// What the clock runs for.
const OPEN: [RefundStatus; 2] = [RefundStatus::Submitted, RefundStatus::AwaitingAirlineFunds];

fn open_texts() -> Vec<String> {
    OPEN.iter().map(|status| status.text().to_owned()).collect()
}

/// Completes applications with what belongs to them: four reads, whatever their number.
pub fn completed(db: &mut Db, rows: Vec<ApplicationRow>) -> Result<Vec<Application>, DbError> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let of = refund_ticket::table.filter(refund_ticket::application_id.eq_any(ids.clone())).order(refund_ticket::id);
    let mut tickets: Vec<RefundTicketRow> = of.select(RefundTicketRow::as_select()).load(db)?;
    let refunds: Vec<i64> = tickets.iter().map(|row| row.id).collect();
    let of = refund_coupon::table.filter(refund_coupon::refund_id.eq_any(refunds.clone())).order(refund_coupon::id);
    let mut coupons: Vec<RefundCouponRow> = of.select(RefundCouponRow::as_select()).load(db)?;
    let of = refund_tax::table.filter(refund_tax::refund_id.eq_any(refunds)).order(refund_tax::id);
    let mut taxes: Vec<RefundTaxRow> = of.select(RefundTaxRow::as_select()).load(db)?;
    let of = refund_evidence::table.filter(refund_evidence::application_id.eq_any(ids)).order(refund_evidence::id);
    let mut evidence: Vec<EvidenceRow> = of.select(EvidenceRow::as_select()).load(db)?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let own: Vec<RefundTicketRow> = tickets.extract_if(.., |ticket| ticket.application_id == row.id).collect();
        let mine = |refund: i64| own.iter().any(|ticket| ticket.id == refund);
        found.push(Application {
            coupons: coupons.extract_if(.., |coupon| mine(coupon.refund_id)).collect(),
            taxes: taxes.extract_if(.., |tax| mine(tax.refund_id)).collect(),
            evidence: evidence.extract_if(.., |one| one.application_id == row.id).collect(),
            tickets: own,
            row,
        });
    }
    Ok(found)
}

pub fn refund_application(db: &mut Db, id: RefundApplicationId) -> Result<Option<Application>, DbError> {
    let row: Option<ApplicationRow> =
        refund_application::table.find(id.raw()).select(ApplicationRow::as_select()).first(db).optional()?;
    Ok(completed(db, row.into_iter().collect())?.pop())
}

/// Which applications; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct ApplicationFilter {
    pub agencies: Option<Vec<AgencyId>>,
    pub order: Option<OrderId>,
    pub status: Option<RefundStatus>,
    /// Those that are overdue at this time.
    pub overdue_at: Option<Timestamp>,
}

/// Newest first.
pub fn refund_applications(
    db: &mut Db,
    filter: &ApplicationFilter,
    window: Window,
    limit: i64,
) -> Result<Vec<Application>, DbError> {
    let mut query = windowed!(refund_application::table.into_boxed(), refund_application::id, window, limit);
    if let Some(agencies) = &filter.agencies {
        query = query.filter(refund_application::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(order) = filter.order {
        query = query.filter(refund_application::order_id.eq(order.raw()));
    }
    if let Some(status) = filter.status {
        query = query.filter(refund_application::status.eq(status.text()));
    }
    if let Some(now) = filter.overdue_at {
        query = query.filter(refund_application::status.eq_any(open_texts())).filter(refund_application::due_at.lt(now.naive()));
    }
    let rows = query.select(ApplicationRow::as_select()).load(db)?;
    completed(db, rows)
}

/// Those whose wallets wait, the oldest first.
pub fn awaiting(db: &mut Db, limit: i64) -> Result<Vec<RefundApplicationId>, DbError> {
    let waiting = refund_application::table.filter(refund_application::status.eq(RefundStatus::AwaitingAirlineFunds.text()));
    let ids: Vec<i64> = waiting.order(refund_application::applied_at).limit(limit).select(refund_application::id).load(db)?;
    Ok(ids.into_iter().map(Id::of).collect())
}

/// Those that are overdue and were not found to be before, the oldest first.
pub fn newly_overdue(db: &mut Db, now: Timestamp, limit: i64) -> Result<Vec<RefundApplicationId>, DbError> {
    let open = refund_application::table.filter(refund_application::status.eq_any(open_texts()));
    let due = open.filter(refund_application::due_at.lt(now.naive())).filter(refund_application::overdue_at.is_null());
    let ids: Vec<i64> = due.order(refund_application::due_at).limit(limit).select(refund_application::id).load(db)?;
    Ok(ids.into_iter().map(Id::of).collect())
}

pub fn overdue_count(db: &mut Db, now: Timestamp) -> Result<i64, DbError> {
    let open = refund_application::table.filter(refund_application::status.eq_any(open_texts()));
    Ok(open.filter(refund_application::due_at.lt(now.naive())).count().get_result(db)?)
}

/// What was posted of these tickets before, with its coupons and taxes.
pub(super) fn posted_refunds(db: &mut Db, tickets: &[TicketId]) -> Result<Vec<Application>, DbError> {
    let raw: Vec<i64> = tickets.iter().map(|id| id.raw()).collect();
    let of =
        refund_ticket::table.filter(refund_ticket::ticket_id.eq_any(raw.clone())).filter(refund_ticket::posted_at.is_not_null());
    let ids: Vec<i64> = of.select(refund_ticket::application_id).distinct().load(db)?;
    let of = refund_application::table.filter(refund_application::id.eq_any(ids)).order(refund_application::id);
    let rows: Vec<ApplicationRow> = of.select(ApplicationRow::as_select()).load(db)?;
    completed(db, rows)
}

/// The postings of refunds refer to these, ticket by ticket.
pub fn refund_references(db: &mut Db, ticket: TicketId) -> Result<Vec<i64>, DbError> {
    let of = refund_ticket::table.filter(refund_ticket::ticket_id.eq(ticket.raw())).order(refund_ticket::id);
    Ok(of.select(refund_ticket::id).load(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_refunded_or_rejected_never_moves_again() {
        for event in [RefundEvent::Submit, RefundEvent::Settle, RefundEvent::Wait, RefundEvent::Reject] {
            for status in [RefundStatus::Refunded, RefundStatus::Rejected] {
                assert!(!matches!(status.on(event), RefundMoved::Applied(_)), "{status:?} {event:?}");
            }
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        assert!(RefundKind::ALL.into_iter().all(|kind| RefundKind::parse(kind.text()) == Some(kind)));
        assert!(RefundStatus::ALL.into_iter().all(|status| RefundStatus::parse(status.text()) == Some(status)));
    }
}
