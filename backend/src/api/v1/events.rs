//! `/v1/events`: what happened, read on from a cursor. The same event is what webhooks deliver.

use super::shape::time;
use super::sight::{not_found, require_one};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::ApiError;
use crate::api::paging::FeedRequest;
use crate::api::query::{Query, path_id};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{EventId, Id, OrganisationId};
use crate::notify::{API_VERSION, EventRow, EventType, FeedFilter, concerns, event, feed_after, operator_feed};
use actix_web::web::{ServiceConfig, get, post, resource};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Who may hear what happened: reads of either part.
pub(in crate::api) const LISTENERS: &[Scope] = &[Scope::AirRead, Scope::FinanceRead];

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlatformEvent {
    #[schema(example = "evt_0d3k8w2m5q7ha")]
    pub id: String,
    #[serde(rename = "type")]
    #[schema(example = "order.created")]
    pub kind: String,
    pub api_version: String,
    pub live_mode: bool,
    pub created_at: String,
    /// The object's id, as existing receivers know it.
    pub idempotency_key: String,
    pub object_id: String,
    /// Counts the events of the object, from 1 without gaps.
    #[schema(example = 1)]
    pub sequence: i64,
    /// The request that caused it; null where the platform did by itself.
    pub request_id: Option<String>,
    pub data: PlatformEventData,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct PlatformEventData {
    /// Ids by name; `id` is the object's. Everything else is read where it stands.
    #[schema(value_type = Object, example = json!({ "id": "ord_0d3k8w2m5q7ha", "agency_id": "agy_0d3k8w2m5q7ha" }))]
    pub object: Value,
}

impl PlatformEvent {
    pub(in crate::api) fn of(row: &EventRow, live_mode: bool) -> Self {
        PlatformEvent {
            id: EventId::of(row.id).to_string(),
            kind: row.kind.clone(),
            api_version: API_VERSION.to_owned(),
            live_mode,
            created_at: time(row.created_at),
            idempotency_key: row.object_id.clone(),
            object_id: row.object_id.clone(),
            sequence: row.sequence,
            request_id: row.cause().map(str::to_owned),
            data: PlatformEventData { object: row.object() },
        }
    }
}

/// The feed of the caller's organisation.
pub(in crate::api) fn feed_of(caller: &Caller) -> OrganisationId {
    match caller.key.kind {
        OrganisationKind::Operator => operator_feed(),
        OrganisationKind::Agency | OrganisationKind::Airline | OrganisationKind::Bank => caller.key.organisation,
    }
}

/// How the feed is read on.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by name from the query; here for the description")]
pub struct EventParams {
    /// Rows of a page: 1 to 200, 50 if not given.
    limit: Option<u16>,
    /// `meta.after` of the last page: what follows it. Left out: from the beginning.
    after: Option<String>,
    /// Only events of this type; may be given several times.
    #[param(rename = "type")]
    kind: Option<String>,
}

pub(super) fn kinds(query: &Query) -> Result<Vec<EventType>, ApiError> {
    let unknown = |text: &str| ApiError::new(Code::InvalidValue, format!("{text:?} is not a type of event.")).parameter("type");
    query.all("type").map(|text| EventType::parse(text).ok_or_else(|| unknown(text))).collect()
}

/// Events that concern the caller's organisation, oldest first; the operator's feed has all. `meta.after` is always there, also on an empty page: keep
/// it and ask again with it. An event appears about a second after its cause, and none ever appears behind a cursor that was given out.
#[utoipa::path(get, path = "/v1/events", tag = "Events", operation_id = "list_events", params(EventParams),
    responses((status = 200, body = Page<PlatformEvent>)))]
pub async fn list_events(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, LISTENERS)?;
    let request = FeedRequest::read(&query, "/v1/events")?;
    let filter = FeedFilter { organisation: feed_of(&caller), agency: caller.key.agency, kinds: kinds(&query)? };
    let (after, limit, live) = (request.after, i64::from(request.limit), caller.app.mode.is_live());
    let found = caller.read(move |db| feed_after(db, &filter, after, limit)).await?;
    Ok(page(&request.page(found).map(|row| PlatformEvent::of(&row, live))))
}

/// One event, as it was published.
#[utoipa::path(get, path = "/v1/events/{id}", tag = "Events", operation_id = "get_event",
    params(("id" = String, Path, description = "`evt_…`")), responses((status = 200, body = Data<PlatformEvent>)))]
pub async fn get_event(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, LISTENERS)?;
    let id: EventId = path_id(&id)?;
    Ok(ok(PlatformEvent::of(&visible_event(&caller, id).await?, caller.app.mode.is_live())))
}

pub(in crate::api) async fn visible_event(caller: &Caller, id: EventId) -> Result<EventRow, ApiError> {
    let (organisation, bound) = (feed_of(caller), caller.key.agency);
    caller
        .read(move |db| {
            let found = event(db, id)?.ok_or_else(not_found)?;
            let bound_elsewhere = bound.is_some_and(|agency| found.agency_id != Some(agency.raw()));
            if bound_elsewhere || !concerns(db, &found, organisation)? {
                return Err(not_found());
            }
            Ok::<_, ApiError>(found)
        })
        .await
}

/// What happened, how it was delivered, and what was asked.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/events").route(get().to(list_events)))
        .service(resource("/v1/events/stream").route(get().to(super::event_stream::stream_events)))
        .service(resource("/v1/events/{id}").route(get().to(get_event)))
        .service(resource("/v1/webhook_deliveries").route(get().to(super::webhook_deliveries::list_webhook_deliveries)))
        .service(resource("/v1/webhook_deliveries/actions/redeliver").route(post().to(super::webhook_deliveries::redeliver_many)))
        .service(resource("/v1/webhook_deliveries/{id}").route(get().to(super::webhook_deliveries::get_webhook_delivery)))
        .service(
            resource("/v1/webhook_deliveries/{id}/actions/redeliver").route(post().to(super::webhook_deliveries::redeliver_one)),
        )
        .service(resource("/v1/request_log").route(get().to(super::request_log::list_request_log)));
}
