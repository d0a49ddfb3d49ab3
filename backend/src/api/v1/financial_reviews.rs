//! `/v1/financial_reviews`: what a person has found in an agency's financial statements. With the risk history it makes the status A, B or C.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::credit::score::{self, NewReview, financial_reviews, record_review};
use crate::identity::Scope;
use crate::ids::{AgencyId, Id};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    ReviewResult = score::Verdict { Passed, Failed }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FinancialReview {
    #[schema(example = "fin_0000000000001")]
    pub id: String,
    pub agency_id: String,
    pub result: ReviewResult,
    #[schema(example = "2026-11-01")]
    pub reviewed_on: String,
    /// The last day on which it counts.
    #[schema(example = "2027-10-31")]
    pub valid_until: String,
    pub created_at: String,
}

impl From<score::FinancialReview> for FinancialReview {
    fn from(review: score::FinancialReview) -> Self {
        FinancialReview {
            id: review.id.to_string(),
            agency_id: review.agency.to_string(),
            result: review.result.into(),
            reviewed_on: review.reviewed_on.to_string(),
            valid_until: review.valid_until.to_string(),
            created_at: time(review.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordReview {
    pub agency_id: String,
    pub result: ReviewResult,
    /// Not in the future.
    #[schema(example = "2026-11-01")]
    pub reviewed_on: String,
    #[schema(example = "2027-10-31")]
    pub valid_until: String,
}

/// Reviews, newest first: of one agency, or of all. The operator only.
#[utoipa::path(get, path = "/v1/financial_reviews", tag = "Settlement", operation_id = "list_financial_reviews",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<FinancialReview>)))]
pub async fn list_financial_reviews(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/financial_reviews")?;
    let (window, limit) = (request.window(), request.fetch());
    let agency: Option<AgencyId> = query.id("agency_id")?;
    let found = caller.read(move |db| financial_reviews(db, agency, window, limit)).await?;
    Ok(page(&request.page(found, |review| review.id.raw()).map(FinancialReview::from)))
}

/// Records a review; the last one of an agency counts, from its next decision on. The operator only.
#[utoipa::path(post, path = "/v1/financial_reviews", tag = "Settlement", operation_id = "record_financial_review",
    request_body = Data<RecordReview>,
    responses((status = 201, body = Data<FinancialReview>), (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn record(caller: Caller, request: HttpRequest, body: Body<RecordReview>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::RiskWrite)?;
    let (mut input, data) = (Input::default(), &body.data);
    let agency = input.id("agency_id", &data.agency_id);
    let reviewed_on = input.date("reviewed_on", &data.reviewed_on);
    let valid_until = input.date("valid_until", &data.valid_until);
    let result = data.result.into();
    let read = (|| Some(NewReview { agency: agency?, result, reviewed_on: reviewed_on?, valid_until: valid_until? }))();
    let new = input.finish(read)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let review = record_review(tx, new)?;
        audit::record(tx, &cause, "agency.review_financials", review.id)?;
        Ok(FinancialReview::from(review))
    })
    .await
}
