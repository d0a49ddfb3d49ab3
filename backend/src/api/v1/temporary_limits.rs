//! `/v1/temporary_limits`: limits that two people have raised for a while (`temporary_limit` in `/v1/approvals`).

use super::keys::NoDetails;
use super::shape::{PageParams, time};
use super::sight::{narrowed, require_one};
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::ApiError;
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::credit::{self, end_temporary_limit, temporary_limits};
use crate::identity::Scope;
use crate::ids::{Id, TemporaryLimitId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

/// What comes on top of an agency's limit for a while. The amount is a decimal string in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TemporaryLimit {
    #[schema(example = "tli_0000000000001")]
    pub id: String,
    pub agency_id: String,
    #[schema(example = "50000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub effective_from: String,
    /// The last day on which it counts.
    pub effective_until: String,
    pub approval_id: String,
    pub created_at: String,
    /// Ended before its time.
    pub ended_at: Option<String>,
}

impl From<credit::TemporaryLimit> for TemporaryLimit {
    fn from(limit: credit::TemporaryLimit) -> Self {
        TemporaryLimit {
            id: limit.id.to_string(),
            agency_id: limit.agency.to_string(),
            amount: limit.amount.to_string(),
            currency: limit.amount.currency.to_string(),
            effective_from: limit.from.to_string(),
            effective_until: limit.until.to_string(),
            approval_id: limit.approval.to_string(),
            created_at: time(limit.created_at),
            ended_at: limit.ended_at.map(time),
        }
    }
}

/// Temporary limits, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/temporary_limits", tag = "Settlement", operation_id = "list_temporary_limits",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")), responses((status = 200, body = Page<TemporaryLimit>)))]
pub async fn list_temporary_limits(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::LimitsRead, Scope::FinanceRead])?;
    let request = PageRequest::<i64>::read(&query, "/v1/temporary_limits")?;
    let (window, limit) = (request.window(), request.fetch());
    let own = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| temporary_limits(db, own.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |one| one.id.raw()).map(TemporaryLimit::from)))
}

/// Ends a temporary limit before its time. What is owed above the limit then only stops sales. The operator only.
#[utoipa::path(post, path = "/v1/temporary_limits/{id}/actions/end", tag = "Settlement", operation_id = "end_temporary_limit",
    params(("id" = String, Path, description = "`tli_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<TemporaryLimit>)))]
pub async fn end(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::RiskWrite)?;
    let id: TemporaryLimitId = path_id(&id)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let ended = end_temporary_limit(tx, id)?;
        audit::record(tx, &cause, "temporary_limit.end", id)?;
        Ok(TemporaryLimit::from(ended))
    })
    .await
}
