//! `/v1/tickets/{number}/coupons/{coupon}/status`: what an airline says about one coupon of its tickets.

use super::input::Input;
use super::shape::{by_key, by_user, time};
use super::sight::{Sight, not_found};
use crate::airlines::TicketNumber;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::audit;
use crate::clock::Timestamp;
use crate::identity::Scope;
use crate::ids::{CouponFileId, CouponId, Id, OrganisationId};
use crate::ticketing::{
    CouponEventRow, CouponReport, CouponSource, CouponStatus, ReportOutcome, coupon_events_of, coupons_of, report_coupons,
    tickets_by_number,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A change of a coupon's status after its issue.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CouponChange {
    #[schema(example = "O")]
    pub from_status: String,
    #[schema(example = "A")]
    pub to_status: String,
    /// `platform` (a void, refund or exchange), `airline`, `operator` (in the airline's place) or `file`.
    #[schema(example = "airline")]
    pub source: String,
    /// The file that said so; null otherwise.
    pub coupon_status_file_id: Option<String>,
    /// Null: the platform itself.
    pub actor_organisation_id: Option<String>,
    pub actor_key_id: Option<String>,
    pub actor_user_id: Option<String>,
    /// When it happened, as the one who reported it says.
    pub happened_at: String,
    /// When it was booked here.
    pub created_at: String,
}

impl CouponChange {
    pub fn of(row: &CouponEventRow) -> Self {
        CouponChange {
            from_status: row.from_status.clone(),
            to_status: row.to_status.clone(),
            source: row.source.clone(),
            coupon_status_file_id: row.file_id.map(|id| CouponFileId::of(id).to_string()),
            actor_organisation_id: (row.actor_organisation_id != 0)
                .then(|| OrganisationId::of(row.actor_organisation_id).to_string()),
            actor_key_id: by_key(row.actor_key_id),
            actor_user_id: by_user(row.actor_key_id),
            happened_at: time(row.happened_at),
            created_at: time(row.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportCoupon {
    /// The new status: `A` (airport control), `C` (checked in), `L` (lifted), `F` (flown), `S` (suspended), `U` (unavailable), `I` (irregular operations), `G` (flight
    /// interruption manifest), `Z` (closed) or `O` (returned to open, also to reverse `F` or `Z`).
    #[schema(example = "A")]
    pub status: String,
    /// The status that it has, as far as the caller knows: another one is an error, and nothing is changed.
    #[schema(example = "O")]
    pub expected_status: Option<String>,
    /// When it happened; now if not given. Not before the coupon's last change.
    #[schema(example = "2026-12-10T00:30:00Z")]
    pub happened_at: Option<String>,
    /// The flight that is meant, to be sure.
    #[schema(example = "CA1501")]
    pub flight: Option<String>,
}

/// One coupon after a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReportedCoupon {
    /// The number that the coupon is on.
    #[schema(example = "9992100000001")]
    pub ticket_number: String,
    #[schema(example = 1)]
    pub number: i64,
    #[schema(example = "A")]
    pub status: String,
    #[schema(example = "CA1501")]
    pub flight: String,
    /// Every change since the issue, oldest first.
    pub history: Vec<CouponChange>,
}

impl ReportCoupon {
    fn validate(&self, number: TicketNumber, coupon: i64) -> Result<CouponReport, ApiError> {
        let mut input = Input::default();
        let to = status(&mut input, "status", &self.status);
        let expected = self.expected_status.as_deref().map(|text| status(&mut input, "expected_status", text));
        let happened_at = self.happened_at.as_deref().map(|text| input.time("happened_at", text));
        let happened_at: Option<Timestamp> = happened_at.flatten();
        input.finish(to.map(|to| CouponReport {
            number,
            coupon,
            to,
            expected: expected.flatten(),
            happened_at,
            flight: self.flight.clone(),
        }))
    }
}

fn status(input: &mut Input, field: &str, text: &str) -> Option<CouponStatus> {
    let known = CouponStatus::parse(text);
    if known.is_none() {
        input.fail(Code::InvalidValue, field, format!("`{field}` is one of the letters of a coupon's status, such as `F`."));
    }
    known
}

/// Who says so: an airline about its own tickets, or the operator in its place.
pub(super) fn source(caller: &Caller) -> CouponSource {
    if caller.is_operator() { CouponSource::Operator } else { CouponSource::Airline }
}

/// Says what happened to a coupon: control taken, check-in, boarding, flown, suspended, returned to open. The airline about its own tickets, or the operator. The status that
/// the coupon has already is answered with 200 and changes nothing; what is flown or controlled is neither voided nor refunded.
#[utoipa::path(post, path = "/v1/tickets/{number}/coupons/{coupon}/status", tag = "Tickets", operation_id = "report_coupon_status",
    params(("number" = String, Path, description = "Any number of the ticket: 13 digits, with or without a hyphen behind the third"),
        ("coupon" = String, Path, description = "1 to 4, on this number"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<ReportCoupon>,
    responses((status = 200, body = Data<ReportedCoupon>),
        (status = 404, description = "`not_found`: no such ticket or coupon, or another airline's", body = ErrorBody),
        (status = 409, description = "`coupon_status_stale`, `coupon_changed_later`", body = ErrorBody),
        (status = 422, description = "`coupon_status_refused`, `coupon_settled`, `coupon_flight_differs`", body = ErrorBody)))]
pub async fn report(
    caller: Caller,
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: Body<ReportCoupon>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let (number, coupon) = path.into_inner();
    let number = TicketNumber::parse(&number).ok_or_else(not_found)?;
    let coupon: i64 = coupon.parse().ok().filter(|coupon| (1..=4).contains(coupon)).ok_or_else(not_found)?;
    let report = body.data.validate(number, coupon)?;
    let (own, cause, source) = (Sight::of(&caller).await?.airlines, caller.cause(), source(&caller));
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let outcome = report_coupons(tx, &cause, source, own.as_deref(), std::slice::from_ref(&report))?.pop();
        if let Some(ReportOutcome::Rejected(error)) = outcome {
            return Err(error.into());
        }
        let (document, ticket) = tickets_by_number(tx.db, std::slice::from_ref(&report.number))?
            .pop()
            .map(|(_, document, ticket)| (document, ticket))
            .ok_or_else(not_found)?;
        let coupons = coupons_of(tx.db, &[ticket.id])?;
        let row = coupons.into_iter().find(|row| row.document() == document && row.number_on_document() == report.coupon);
        let row = row.ok_or_else(not_found)?;
        if matches!(outcome, Some(ReportOutcome::Applied { .. })) {
            audit::record(tx, &cause, "coupon.report", CouponId::of(row.id))?;
        }
        let events = coupon_events_of(tx.db, &[ticket.id])?;
        Ok(ReportedCoupon {
            ticket_number: report.number.to_string(),
            number: row.number_on_document(),
            status: row.status.clone(),
            flight: format!("{}{}", row.carrier, row.flight_number),
            history: events.iter().filter(|event| event.coupon_id == row.id).map(CouponChange::of).collect(),
        })
    })
    .await
}
