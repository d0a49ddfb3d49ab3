//! `/v1/request_log`: what the organisation's keys asked and how it was answered, for 90 days.

use super::shape::{PageParams, by_key, by_user, time};
use super::sight::require_one;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Page, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit::{self, RequestFilter, requests};
use crate::clock::Timestamp;
use crate::identity::Scope;
use actix_web::HttpResponse;
use chrono::DateTime;
use serde::Serialize;
use utoipa::ToSchema;

/// A request that came with a key of the organisation. No body, no query, no ids of the address: there is no personal data in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RequestLine {
    pub request_id: String,
    pub at: String,
    #[schema(example = "POST")]
    pub method: String,
    /// The template of the address.
    #[schema(example = "/air/orders/{id}")]
    pub path: String,
    #[schema(example = 201)]
    pub status: i64,
    pub error_code: Option<String>,
    /// Milliseconds, to the microsecond.
    #[schema(example = "4.218")]
    pub latency_ms: String,
    /// Null: it came with a session.
    pub key_id: Option<String>,
    /// The person whose session it came with.
    pub user_id: Option<String>,
    /// Keyed digest of the `Idempotency-Key`: equal keys have equal digests.
    pub idempotency_key_digest: Option<String>,
}

impl From<audit::RequestLine> for RequestLine {
    fn from(row: audit::RequestLine) -> Self {
        RequestLine {
            request_id: row.request_id,
            at: time(row.at),
            method: row.method,
            path: row.path,
            status: row.status,
            error_code: row.error_code,
            latency_ms: format!("{}.{:03}", row.latency_us / 1_000, row.latency_us % 1_000),
            key_id: by_key(row.key_id),
            user_id: by_user(row.key_id),
            idempotency_key_digest: row.idempotency_digest,
        }
    }
}

fn status_class(query: &Query) -> Result<Option<i64>, ApiError> {
    let wrong = || ApiError::new(Code::InvalidValue, "`status_class` is `2xx`, `4xx` or `5xx`.").parameter("status_class");
    let class = |text: &str| match text {
        "2xx" => Ok(2),
        "4xx" => Ok(4),
        "5xx" => Ok(5),
        _ => Err(wrong()),
    };
    query.get("status_class").map(class).transpose()
}

fn time_in(query: &Query, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let wrong =
        |_| ApiError::new(Code::InvalidValue, format!("`{name}` is a time such as \"2026-11-01T08:00:00Z\".")).parameter(name);
    let read = |text: &str| DateTime::parse_from_rfc3339(text).map(|time| Timestamp::from(time.to_utc())).map_err(wrong);
    query.get(name).map(read).transpose()
}

/// Requests of the organisation's keys, newest first. A line appears about a second after its request; under extreme load lines may be missing, sales
/// never wait for them.
#[utoipa::path(get, path = "/v1/request_log", tag = "Access", operation_id = "list_request_log",
    params(PageParams, ("request_id" = Option<String>, Query, description = "The `x-request-id` of an answer"),
        ("status_class" = Option<String>, Query, description = "`2xx`, `4xx` or `5xx`"),
        ("from" = Option<String>, Query, description = "At or after this time"),
        ("to" = Option<String>, Query, description = "Before this time")),
    responses((status = 200, body = Page<RequestLine>)))]
pub async fn list_request_log(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirRead, Scope::FinanceRead, Scope::KeysWrite])?;
    let request = PageRequest::<i64>::read(&query, "/v1/request_log")?;
    let filter = RequestFilter {
        organisation: caller.key.organisation,
        agency: caller.key.agency,
        request_id: query.get("request_id").map(str::to_owned),
        status_class: status_class(&query)?,
        from: time_in(&query, "from")?,
        to: time_in(&query, "to")?,
    };
    let (window, limit) = (request.window(), request.fetch());
    let found = caller.read(move |db| requests(db, &filter, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(RequestLine::from)))
}
