//! `/air/webhooks`: where an organisation wants to be told, in the shapes of the Duffel API, with a way to replace the secret. The log of deliveries in our own
//! shape is at `/v1/webhook_deliveries`. Every answer has a body: the official client looks for errors in it.

use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody, Problems};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::v1::events::{PlatformEvent, visible_event};
use crate::api::v1::webhook_deliveries::with_attempts;
use crate::audit;
use crate::clock::Timestamp;
use crate::db::{Contended, DbError, Window, lock};
use crate::identity::Scope;
use crate::ids::{DeliveryId, EventId, Id, WebhookId};
use crate::notify::{
    self, AttemptRow, DeliveryFilter, DeliveryRow, DeliveryState, EventRow, EventType, LONGEST_OVERLAP, NewEvent, NewWebhook,
    Owner, SigningSecret, WebhookChange, WebhookError, WebhookStatus, change_webhook, create_webhook, deliver_to, deliveries,
    emit_one, event, redeliver, rotate_secret,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Webhook {
    #[schema(example = "whk_0d3k8w2m5q7ha")]
    pub id: String,
    #[schema(example = "https://www.example.com/hooks")]
    pub url: String,
    #[schema(example = json!(["order.created"]))]
    pub events: Vec<String>,
    /// False while it is paused, and after its receiver accepted nothing for five days.
    pub active: bool,
    pub live_mode: bool,
    /// Since when no delivery was accepted; null while they are.
    pub failing_since: Option<String>,
    pub created_at: String,
    pub updated_at: String,
}

impl Webhook {
    fn of(webhook: &notify::Webhook, live_mode: bool) -> Self {
        Webhook {
            id: webhook.id.to_string(),
            url: webhook.url.clone(),
            events: webhook.events.iter().map(|kind| kind.text().to_owned()).collect(),
            active: webhook.status == WebhookStatus::Active,
            live_mode,
            failing_since: webhook.failing_since.map(|at| at.to_string()),
            created_at: webhook.created_at.to_string(),
            updated_at: webhook.updated_at.to_string(),
        }
    }
}

/// A webhook with the secret that signs its deliveries. It is in this answer and cannot be read again.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    #[serde(flatten)]
    pub webhook: Webhook,
    /// `whsec_…`; null in a repeated answer.
    pub secret: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// Over https, at a public address. In test mode also over http.
    pub url: String,
    /// At least one type of event.
    #[schema(example = json!(["order.created", "order.airline_initiated_change_detected"]))]
    pub events: Vec<String>,
}

/// What is left out stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhook {
    pub url: Option<String>,
    pub events: Option<Vec<String>>,
    /// False: nothing is sent. True again: what happens from now on is.
    pub active: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateWebhookSecret {
    /// How long the old secret signs beside the new one: 0 to 604800 seconds.
    #[schema(example = 86400)]
    pub overlap_secs: i64,
}

/// One event for one webhook, with its last attempt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WebhookDeliverySummary {
    pub id: String,
    pub endpoint_id: String,
    pub event_id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub url: String,
    pub delivery_success: bool,
    pub response_status_code: Option<i64>,
    /// The first 1024 bytes.
    pub response_body: Option<String>,
    pub live_mode: bool,
    pub created_at: String,
}

/// One error of the domain, one answer.
impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::NotFound => ApiError::of(Code::NotFound),
            WebhookError::TooMany => ApiError::new(Code::InvalidState, format!("{error}.")),
            WebhookError::NoEvents => ApiError::new(Code::InvalidValue, format!("{error}.")).at("/data/events"),
            WebhookError::Db(error) => error.into(),
        }
    }
}

pub(in crate::api) fn owner_of(caller: &Caller) -> Owner {
    Owner { organisation: caller.key.organisation, agency: caller.key.agency }
}

fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

/// Checks what stands in a body about a webhook; every problem is named at once.
struct Wishes<'c> {
    caller: &'c Caller,
    problems: Problems,
}

impl<'c> Wishes<'c> {
    fn of(caller: &'c Caller) -> Self {
        Wishes { caller, problems: Problems::default() }
    }

    fn url(&mut self, url: &str) {
        if let Err(refusal) = self.caller.app.webhooks.check(url) {
            self.problems.add(Code::InvalidValue, "/data/url", format!("The receiver cannot be used: {refusal}."));
        }
    }

    fn events(&mut self, texts: &[String]) -> Vec<EventType> {
        if texts.is_empty() {
            self.problems.add(Code::InvalidValue, "/data/events", "A webhook is for at least one type of event.");
        }
        let mut events = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            match EventType::parse(text) {
                Some(kind) => events.push(kind),
                None => {
                    let text: String = text.chars().take(100).collect();
                    self.problems.add(
                        Code::InvalidValue,
                        format!("/data/events/{index}"),
                        format!("{text:?} is not a type of event."),
                    );
                }
            }
        }
        events
    }
}

/// A secret and its sealed form.
fn new_secret(caller: &Caller) -> Result<(SigningSecret, Vec<u8>), ApiError> {
    let secret = SigningSecret::new().map_err(ApiError::internal)?;
    let sealed = caller.app.vault.seal_secret(secret.bytes()).map_err(ApiError::internal)?;
    Ok((secret, sealed))
}

/// Tells a receiver of the organisation's own events from now on. The secret in the answer verifies the deliveries: `webhook-signature` as Standard
/// Webhooks have it, and `X-Duffel-Signature`.
#[utoipa::path(post, path = "/air/webhooks", tag = "Events", operation_id = "create_webhook", request_body = Data<CreateWebhook>,
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 201, body = Data<WebhookWithSecret>),
        (status = 409, description = "`invalid_state`: an organisation has at most 20 webhooks", body = ErrorBody),
        (status = 422, description = "`invalid_value`: not a type of event, or a receiver that may not be spoken to", body = ErrorBody)))]
pub async fn create(caller: Caller, request: HttpRequest, body: Body<CreateWebhook>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let mut wishes = Wishes::of(&caller);
    wishes.url(&body.data.url);
    let events = wishes.events(&body.data.events);
    wishes.problems.finish()?;
    let (secret, sealed) = new_secret(&caller)?;
    let new = NewWebhook { owner: owner_of(&caller), url: body.data.url, events, secret: sealed };
    let (cause, live) = (caller.cause(), caller.app.mode.is_live());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let made = create_webhook(tx, new)?;
        audit::record(tx, &cause, "webhook.create", made.id)?;
        Ok(WebhookWithSecret { webhook: Webhook::of(&made, live), secret: Some(secret.text()) })
    })
    .await
}

/// The organisation's webhooks, newest first.
#[utoipa::path(get, path = "/air/webhooks", tag = "Events", operation_id = "list_webhooks", params(crate::api::v1::shape::PageParams),
    responses((status = 200, body = Page<Webhook>)))]
pub async fn list(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let request = PageRequest::<i64>::read(&query, "/air/webhooks")?;
    let (window, limit, owner) = (request.window(), request.fetch(), owner_of(&caller));
    let (now, live) = (caller.app.now(), caller.app.mode.is_live());
    let found = caller.read(move |db| notify::webhooks(db, owner, now, window, limit)).await?;
    Ok(page(&request.page(found, |one| one.id.raw()).map(|one| Webhook::of(&one, live))))
}

#[utoipa::path(get, path = "/air/webhooks/{id}", tag = "Events", operation_id = "get_webhook", params(("id" = String, Path)),
    responses((status = 200, body = Data<Webhook>)))]
pub async fn get(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner): (WebhookId, Owner) = (path_id(&id)?, owner_of(&caller));
    let (now, live) = (caller.app.now(), caller.app.mode.is_live());
    let found = caller.read(move |db| notify::webhook(db, owner, id, now)).await?;
    Ok(ok(Webhook::of(&found.ok_or_else(not_found)?, live)))
}

/// Changes the receiver, the types of event, or whether anything is sent.
#[utoipa::path(patch, path = "/air/webhooks/{id}", tag = "Events", operation_id = "update_webhook", params(("id" = String, Path)),
    request_body = Data<UpdateWebhook>, responses((status = 200, body = Data<Webhook>),
        (status = 422, description = "`invalid_value`: not a type of event, or a receiver that may not be spoken to", body = ErrorBody)))]
pub async fn update(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<UpdateWebhook>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner): (WebhookId, Owner) = (path_id(&id)?, owner_of(&caller));
    let mut wishes = Wishes::of(&caller);
    if let Some(url) = &body.data.url {
        wishes.url(url);
    }
    let events = body.data.events.as_ref().map(|texts| wishes.events(texts));
    wishes.problems.finish()?;
    let status = body.data.active.map(|active| if active { WebhookStatus::Active } else { WebhookStatus::Paused });
    let change = WebhookChange { url: body.data.url, events, status };
    let (cause, live) = (caller.cause(), caller.app.mode.is_live());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let changed = change_webhook(tx, owner, id, change)?;
        audit::record(tx, &cause, "webhook.update", id)?;
        Ok(Webhook::of(&changed, live))
    })
    .await
}

/// Nothing is sent to it any more. Its log of deliveries stays.
#[utoipa::path(delete, path = "/air/webhooks/{id}", tag = "Events", operation_id = "delete_webhook", params(("id" = String, Path)),
    responses((status = 200, description = "As it was, not active any more", body = Data<Webhook>)))]
pub async fn delete(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner, cause): (WebhookId, Owner, _) = (path_id(&id)?, owner_of(&caller), caller.cause());
    let live = caller.app.mode.is_live();
    let deleted = caller
        .write(move |tx| {
            let known = notify::webhook(tx.db, owner, id, tx.now)?.ok_or_else(not_found)?;
            notify::delete_webhook(tx, owner, id)?;
            audit::record(tx, &cause, "webhook.delete", id)?;
            Ok::<_, ApiError>(Webhook { active: false, ..Webhook::of(&known, live) })
        })
        .await?;
    Ok(ok(deleted))
}

/// Sends a `ping.triggered` to this webhook, whatever it listens to.
#[utoipa::path(post, path = "/air/webhooks/{id}/actions/ping", tag = "Events", operation_id = "ping_webhook", params(("id" = String, Path)),
    responses((status = 200, description = "The event on its way", body = Data<PlatformEvent>)))]
pub async fn ping(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner, request_id): (WebhookId, Owner, _) = (path_id(&id)?, owner_of(&caller), caller.request_id.clone());
    let pinged = caller
        .write(move |tx| {
            lock(tx, Contended::Webhook, &[id.raw()])?;
            let to = notify::webhook(tx.db, owner, id, tx.now)?.ok_or_else(not_found)?;
            let pinged = emit_one(tx, NewEvent::new(EventType::PingTriggered, id).caused_by(&request_id))?;
            deliver_to(tx, &to, &pinged)?;
            Ok::<_, ApiError>(pinged)
        })
        .await?;
    Ok(ok(PlatformEvent::of(&pinged, caller.app.mode.is_live())))
}

/// Replaces the secret. Deliveries are signed with both until `overlap_secs` are over.
#[utoipa::path(post, path = "/air/webhooks/{id}/actions/rotate_secret", tag = "Events", operation_id = "rotate_webhook_secret",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<RotateWebhookSecret>, responses((status = 200, body = Data<WebhookWithSecret>)))]
pub async fn rotate(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<RotateWebhookSecret>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner): (WebhookId, Owner) = (path_id(&id)?, owner_of(&caller));
    let overlap = Duration::try_seconds(body.data.overlap_secs).filter(|overlap| *overlap >= Duration::zero());
    let overlap = overlap.filter(|overlap| *overlap <= LONGEST_OVERLAP).ok_or_else(|| {
        ApiError::new(Code::InvalidValue, "`overlap_secs` is a whole number from 0 to 604800.").at("/data/overlap_secs")
    })?;
    let (secret, sealed) = new_secret(&caller)?;
    let (cause, live) = (caller.cause(), caller.app.mode.is_live());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let changed = rotate_secret(tx, owner, id, sealed, overlap)?;
        audit::record(tx, &cause, "webhook.rotate_secret", id)?;
        Ok(WebhookWithSecret { webhook: Webhook::of(&changed, live), secret: Some(secret.text()) })
    })
    .await
}

/// An event as it was or will be delivered.
#[utoipa::path(get, path = "/air/webhooks/events/{id}", tag = "Events", operation_id = "get_webhook_event", params(("id" = String, Path)),
    responses((status = 200, body = Data<PlatformEvent>)))]
pub async fn get_webhook_event(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner, live): (EventId, Owner, bool) = (path_id(&id)?, owner_of(&caller), caller.app.mode.is_live());
    // What was sent to a webhook of the caller's may be read, a ping included.
    let sent = caller
        .read(move |db| {
            let filter = DeliveryFilter { event: Some(id), ..DeliveryFilter::default() };
            if deliveries(db, owner, &filter, Window::NEWEST, 1)?.is_empty() { Ok(None) } else { event(db, id) }
        })
        .await?;
    let found: EventRow = match sent {
        Some(found) => found,
        None => visible_event(&caller, id).await?,
    };
    Ok(ok(PlatformEvent::of(&found, live)))
}

/// Sends an event again to the webhooks of the caller's that it was for.
#[utoipa::path(post, path = "/air/webhooks/events/{id}/actions/redeliver", tag = "Events", operation_id = "redeliver_webhook_event",
    params(("id" = String, Path)), responses((status = 200, description = "The event on its way again", body = Data<PlatformEvent>)))]
pub async fn redeliver_event(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let (id, owner, cause): (EventId, Owner, _) = (path_id(&id)?, owner_of(&caller), caller.cause());
    let again = caller
        .write(move |tx| {
            let filter = DeliveryFilter { event: Some(id), ..DeliveryFilter::default() };
            if deliveries(tx.db, owner, &filter, Window::NEWEST, 1)?.is_empty() {
                return Err(not_found());
            }
            redeliver(tx, owner, &filter)?;
            audit::record(tx, &cause, "webhook.redeliver", id)?;
            event(tx.db, id)?.ok_or_else(not_found)
        })
        .await?;
    Ok(ok(PlatformEvent::of(&again, caller.app.mode.is_live())))
}

/// Deliveries with their last attempt, newest first.
#[utoipa::path(get, path = "/air/webhooks/deliveries", tag = "Events", operation_id = "list_webhook_delivery_summaries",
    params(crate::api::v1::shape::PageParams,
        ("delivery_success" = Option<bool>, Query, description = "True: accepted; false: given up"),
        ("type" = Option<String>, Query, description = "Of this type of event"),
        ("endpoint_id" = Option<String>, Query, description = "For this webhook")),
    responses((status = 200, body = Page<WebhookDeliverySummary>)))]
pub async fn list_deliveries(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::WebhooksWrite)?;
    let request = PageRequest::<i64>::read(&query, "/air/webhooks/deliveries")?;
    let success = |yes| if yes { DeliveryState::Delivered } else { DeliveryState::Failed };
    let filter = DeliveryFilter {
        webhook: query.id("endpoint_id")?,
        state: query.flag("delivery_success")?.map(success),
        kind: kind_in(&query)?,
        ..DeliveryFilter::default()
    };
    let (window, limit, owner) = (request.window(), request.fetch(), owner_of(&caller));
    let (now, live) = (caller.app.now(), caller.app.mode.is_live());
    let (found, urls) = caller
        .read(move |db| {
            let found = deliveries(db, owner, &filter, window, limit)?;
            let found = with_attempts(db, found)?;
            let ids: Vec<WebhookId> = found.iter().map(|(delivery, _)| WebhookId::of(delivery.webhook_id)).collect();
            let webhooks = notify::webhooks_by_id(db, &ids, now)?;
            let urls: HashMap<i64, String> = webhooks.into_iter().map(|one| (one.id.raw(), one.url)).collect();
            Ok::<_, DbError>((found, urls))
        })
        .await?;
    let summary = |(delivery, attempts): (DeliveryRow, Vec<AttemptRow>)| {
        let last = attempts.last();
        WebhookDeliverySummary {
            id: DeliveryId::of(delivery.id).to_string(),
            endpoint_id: WebhookId::of(delivery.webhook_id).to_string(),
            event_id: EventId::of(delivery.event_id).to_string(),
            url: urls.get(&delivery.webhook_id).cloned().unwrap_or_default(),
            delivery_success: delivery.state == DeliveryState::Delivered.text(),
            response_status_code: last.and_then(|last| last.response_status),
            response_body: last.and_then(|last| last.response_excerpt.clone()),
            live_mode: live,
            created_at: Timestamp::from(delivery.created_at).to_string(),
            kind: delivery.kind,
        }
    };
    Ok(page(&request.page(found, |(delivery, _)| delivery.id).map(summary)))
}

pub(in crate::api) fn kind_in(query: &Query) -> Result<Option<EventType>, ApiError> {
    let read = |text: &str| {
        EventType::parse(text)
            .ok_or_else(|| ApiError::new(Code::InvalidValue, "`type` is not a type of event.").parameter("type"))
    };
    query.get("type").map(read).transpose()
}
