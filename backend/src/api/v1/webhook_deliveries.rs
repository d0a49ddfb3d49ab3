//! `/v1/webhook_deliveries`: what was sent to whom, how it was answered, and sending it again.

use super::input::Input;
use super::keys::NoDetails;
use super::shape::{PageParams, time};
use super::sight::not_found;
use crate::api::air::webhooks::{kind_in, owner_of};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::db::{Db, DbError};
use crate::identity::Scope;
use crate::ids::{DeliveryId, EventId, Id, WebhookId};
use crate::notify::{
    AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, attempts_at, deliveries, delivery, redeliver, webhook,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    #[schema(example = "dlv_0d3k8w2m5q7ha")]
    pub id: String,
    pub webhook_id: String,
    pub event_id: String,
    #[serde(rename = "type")]
    #[schema(example = "order.created")]
    pub kind: String,
    pub object_id: String,
    /// The event's place among those of its object: they are delivered in this order.
    pub sequence: i64,
    /// `pending`, `delivered`, or `failed` after 72 hours.
    pub state: String,
    /// First to last. One that was cut short by a restart is missing, and its number with it.
    pub attempts: Vec<WebhookAttempt>,
    /// The earliest time of the next attempt while it is pending.
    pub next_attempt_at: Option<String>,
    pub created_at: String,
    pub done_at: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookAttempt {
    pub number: i64,
    pub at: String,
    pub latency_ms: i64,
    /// Null where there was no answer; then `error` says why.
    pub response_status: Option<i64>,
    /// The first 1024 bytes of the answer.
    pub response_excerpt: Option<String>,
    pub error: Option<String>,
}

impl From<AttemptRow> for WebhookAttempt {
    fn from(row: AttemptRow) -> Self {
        WebhookAttempt {
            number: row.attempt,
            at: time(row.at),
            latency_ms: row.latency_ms,
            response_status: row.response_status,
            response_excerpt: row.response_excerpt,
            error: row.error,
        }
    }
}

fn shown((row, attempts): (DeliveryRow, Vec<AttemptRow>)) -> WebhookDelivery {
    let is_pending = row.state == DeliveryState::Pending.text();
    WebhookDelivery {
        id: DeliveryId::of(row.id).to_string(),
        webhook_id: WebhookId::of(row.webhook_id).to_string(),
        event_id: EventId::of(row.event_id).to_string(),
        kind: row.kind,
        object_id: row.object_id,
        sequence: row.sequence,
        state: row.state,
        attempts: attempts.into_iter().map(WebhookAttempt::from).collect(),
        next_attempt_at: is_pending.then(|| time(row.due_at)),
        created_at: time(row.created_at),
        done_at: row.done_at.map(time),
    }
}

/// Each delivery with the attempts at it.
pub(in crate::api) fn with_attempts(
    db: &mut Db,
    found: Vec<DeliveryRow>,
) -> Result<Vec<(DeliveryRow, Vec<AttemptRow>)>, DbError> {
    let ids: Vec<i64> = found.iter().map(|row| row.id).collect();
    let mut attempts = attempts_at(db, &ids)?;
    Ok(found
        .into_iter()
        .map(|row| {
            let own = attempts.extract_if(.., |one| one.delivery_id == row.id).collect();
            (row, own)
        })
        .collect())
}

fn state_in(query: &Query) -> Result<Option<DeliveryState>, ApiError> {
    let wrong = || ApiError::new(Code::InvalidValue, "`state` is `pending`, `delivered` or `failed`.").parameter("state");
    query.get("state").map(|text| DeliveryState::parse(text).ok_or_else(wrong)).transpose()
}

/// Deliveries to the organisation's webhooks with every attempt, newest first.
#[utoipa::path(get, path = "/v1/webhook_deliveries", tag = "Events", operation_id = "list_webhook_deliveries",
    params(PageParams, ("webhook_id" = Option<String>, Query, description = "To this webhook"),
        ("event_id" = Option<String>, Query, description = "Of this event"),
        ("state" = Option<String>, Query, description = "`pending`, `delivered` or `failed`"),
        ("type" = Option<String>, Query, description = "Of this type of event")),
    responses((status = 200, body = Page<WebhookDelivery>)))]
pub async fn list_webhook_deliveries(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let request = PageRequest::<i64>::read(&query, "/v1/webhook_deliveries")?;
    let filter = DeliveryFilter {
        webhook: query.id("webhook_id")?,
        event: query.id("event_id")?,
        state: state_in(&query)?,
        kind: kind_in(&query)?,
        ..DeliveryFilter::default()
    };
    let (window, limit, owner) = (request.window(), request.fetch(), owner_of(&caller));
    let found = caller
        .read(move |db| {
            let found = deliveries(db, owner, &filter, window, limit)?;
            with_attempts(db, found)
        })
        .await?;
    Ok(page(&request.page(found, |(row, _)| row.id).map(shown)))
}

/// One delivery.
#[utoipa::path(get, path = "/v1/webhook_deliveries/{id}", tag = "Events", operation_id = "get_webhook_delivery",
    params(("id" = String, Path, description = "`dlv_…`")), responses((status = 200, body = Data<WebhookDelivery>)))]
pub async fn get_webhook_delivery(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner): (DeliveryId, _) = (path_id(&id)?, owner_of(&caller));
    let found = caller
        .read(move |db| {
            let found = delivery(db, owner, id)?;
            with_attempts(db, found.into_iter().collect())
        })
        .await?;
    Ok(ok(shown(found.into_iter().next().ok_or_else(not_found)?)))
}

/// Sends one delivery again; one that is pending is left to its turn.
#[utoipa::path(post, path = "/v1/webhook_deliveries/{id}/actions/redeliver", tag = "Events", operation_id = "redeliver_webhook_delivery",
    params(("id" = String, Path, description = "`dlv_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<WebhookDelivery>)))]
pub async fn redeliver_one(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner, cause): (DeliveryId, _, _) = (path_id(&id)?, owner_of(&caller), caller.cause());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let known = delivery(tx.db, owner, id)?.ok_or_else(not_found)?;
        let (event, to) = (Some(EventId::of(known.event_id)), Some(WebhookId::of(known.webhook_id)));
        redeliver(tx, owner, &DeliveryFilter { event, webhook: to, ..DeliveryFilter::default() })?;
        audit::record(tx, &cause, "webhook.redeliver", id)?;
        let again = delivery(tx.db, owner, id)?.into_iter().collect();
        with_attempts(tx.db, again)?.pop().map(shown).ok_or_else(not_found)
    })
    .await
}

/// Which deliveries of a webhook are sent again. What is pending is left to its turn.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedeliverMany {
    #[schema(example = "whk_0d3k8w2m5q7ha")]
    pub webhook_id: String,
    /// `failed` or `delivered`; left out: `failed`.
    #[schema(example = "failed")]
    pub state: Option<String>,
    /// Made at or after this time.
    #[schema(example = "2026-11-01T00:00:00Z")]
    pub from: Option<String>,
    /// Made before this time.
    #[schema(example = "2026-11-02T00:00:00Z")]
    pub to: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Redelivered {
    /// How many are sent again: at most 10000 of one request, the oldest.
    pub count: usize,
}

impl RedeliverMany {
    fn validate(&self) -> Result<DeliveryFilter, ApiError> {
        let mut input = Input::default();
        let webhook = input.id("webhook_id", &self.webhook_id);
        let time = |input: &mut Input, field: &str, text: &Option<String>| match text {
            Some(text) => input.time(field, text).map(Some),
            None => Some(None),
        };
        let (from, to) = (time(&mut input, "from", &self.from), time(&mut input, "to", &self.to));
        let state = match self.state.as_deref() {
            None | Some("failed") => Some(DeliveryState::Failed),
            Some("delivered") => Some(DeliveryState::Delivered),
            Some(_) => {
                input.fail(Code::InvalidValue, "state", "`state` is `failed` or `delivered`.");
                None
            }
        };
        let read = (|| {
            Some(DeliveryFilter {
                webhook: Some(webhook?),
                state: Some(state?),
                from: from?,
                to: to?,
                ..DeliveryFilter::default()
            })
        })();
        input.finish(read)
    }
}

/// Sends again what failed, or was delivered, within a time or altogether.
#[utoipa::path(post, path = "/v1/webhook_deliveries/actions/redeliver", tag = "Events", operation_id = "redeliver_webhook_deliveries",
    request_body = Data<RedeliverMany>,
    responses((status = 200, body = Data<Redelivered>), (status = 404, body = ErrorBody, description = "`not_found`: no such webhook")))]
pub async fn redeliver_many(caller: Caller, request: HttpRequest, body: Body<RedeliverMany>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let filter = body.data.validate()?;
    let (owner, cause) = (owner_of(&caller), caller.cause());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let id = filter.webhook.ok_or_else(not_found)?;
        webhook(tx.db, owner, id, tx.now)?.ok_or_else(|| not_found().at("/data/webhook_id"))?;
        let count = redeliver(tx, owner, &filter)?;
        audit::record(tx, &cause, "webhook.redeliver", id)?;
        Ok(Redelivered { count })
    })
    .await
}
