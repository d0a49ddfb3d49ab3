//! `/air/airline_initiated_changes`: what airlines changed about flights of an order, and what its agent answers.

use super::Names;
use super::itinerary::{Slice, slices};
use super::names::CatalogueNames;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::clock::Timestamp;
use crate::db::{Db, WriteTx};
use crate::identity::Scope;
use crate::ids::{AgencyId, AirlineChangeId, Id, OrderId, PassengerId};
use crate::ordering::order;
use crate::ticketing::{
    AirlineChange, AirlineChangeState, CouponRow, IssuedOrder, accept_airline_change, airline_change, airline_changes,
    ask_for_another_flight, give_back_for_change, issued_orders, journey,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionTaken {
    /// The tickets are for the flight that was offered.
    Accepted,
    /// The tickets were given back, without penalty.
    Cancelled,
    /// Another flight is asked for, without penalty.
    Changed,
}

/// What can be answered through this interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AirlineChangeAction)]
pub enum AvailableAction {
    Accept,
    Cancel,
    Change,
    Update,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AirlineInitiatedChange {
    #[schema(example = "aic_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    /// Null until it is answered.
    pub action_taken: Option<ActionTaken>,
    pub action_taken_at: Option<String>,
    pub available_actions: Vec<AvailableAction>,
    /// The slices as they become; empty where the airline offers nothing.
    pub added: Vec<Slice>,
    /// The same slices as they were.
    pub removed: Vec<Slice>,
    /// What the airline says about it.
    #[schema(example = "Aircraft rotation")]
    pub reason: String,
    pub created_at: String,
    pub updated_at: String,
    /// Always null.
    #[schema(value_type = Option<Object>)]
    pub travel_agent_ticket: Option<()>,
}

impl AirlineInitiatedChange {
    pub fn of(change: &AirlineChange, issued: &IssuedOrder, names: &dyn Names) -> Result<Self, ApiError> {
        let (id, state) = (AirlineChangeId::of(change.row.id).to_string(), change.row.state());
        let about = |coupon: &&CouponRow| change.segments.iter().any(|segment| segment.coupon_id == coupon.id);
        // Given back or exchanged since, there is nothing left to answer.
        let usable = issued.coupons.iter().filter(about).any(|coupon| coupon.status().is_ok_and(|status| !status.is_settled()));
        let open = issued.order.cancelled_at.is_none() && usable;
        let available_actions = match state {
            AirlineChangeState::Open | AirlineChangeState::Changed if open => available(change, state),
            _ => Vec::new(),
        };
        let removed = with_flights(change, issued, |coupon| {
            change.segments.iter().find(|segment| segment.coupon_id == coupon.id).map(|segment| segment.restored(coupon))
        });
        let added = with_flights(change, issued, |coupon| change.offered(coupon));
        Ok(AirlineInitiatedChange {
            order_id: OrderId::of(change.row.order_id).to_string(),
            action_taken: match state {
                AirlineChangeState::Accepted => Some(ActionTaken::Accepted),
                AirlineChangeState::Cancelled => Some(ActionTaken::Cancelled),
                AirlineChangeState::Changed => Some(ActionTaken::Changed),
                AirlineChangeState::Open | AirlineChangeState::Superseded => None,
            },
            action_taken_at: change.row.action_taken_at.map(|at| Timestamp::from(at).to_string()),
            available_actions,
            added: added.map(|order| affected_slices(change, &order, &id, names)).transpose()?.unwrap_or_default(),
            removed: match removed {
                Some(order) => affected_slices(change, &order, &OrderId::of(change.row.order_id).to_string(), names)?,
                None => Vec::new(),
            },
            reason: change.schedule.reason.clone(),
            created_at: Timestamp::from(change.row.created_at).to_string(),
            updated_at: Timestamp::from(change.row.updated_at).to_string(),
            travel_agent_ticket: None,
            id,
        })
    }
}

fn available(change: &AirlineChange, state: AirlineChangeState) -> Vec<AvailableAction> {
    let mut actions = Vec::new();
    if change.schedule.new_departing_at.is_some() {
        actions.push(AvailableAction::Accept);
    }
    actions.push(AvailableAction::Cancel);
    if state == AirlineChangeState::Open {
        actions.push(AvailableAction::Change);
    }
    actions.push(AvailableAction::Update);
    actions
}

/// The order with the coupons of the change made over; `None` where one cannot be.
fn with_flights(
    change: &AirlineChange,
    issued: &IssuedOrder,
    made_over: impl Fn(&CouponRow) -> Option<CouponRow>,
) -> Option<IssuedOrder> {
    let mut order = issued.clone();
    for coupon in &mut order.coupons {
        if change.segments.iter().any(|segment| segment.coupon_id == coupon.id) {
            *coupon = made_over(coupon)?;
        }
    }
    Some(order)
}

/// The slices that a coupon of the change is in.
fn affected_slices(
    change: &AirlineChange,
    order: &IssuedOrder,
    part_of: &str,
    names: &dyn Names,
) -> Result<Vec<Slice>, ApiError> {
    let about = |coupon: &&CouponRow| change.segments.iter().any(|segment| segment.coupon_id == coupon.id);
    let numbers: BTreeSet<i64> = order.coupons.iter().filter(about).map(|coupon| coupon.slice).collect();
    let of_offer = |ticket: i64| {
        let passenger = order.passengers.iter().find(|(passenger, _)| passenger.id == ticket);
        PassengerId::of(passenger.map_or(ticket, |(passenger, _)| passenger.offer_passenger_id))
    };
    let passengers: Vec<PassengerId> = order.tickets.iter().map(|ticket| of_offer(ticket.passenger_id)).collect();
    let all = slices(&journey(order)?, part_of, &passengers, &[], names);
    Ok((0i64..).zip(all).filter(|(place, _)| numbers.contains(place)).map(|(_, slice)| slice).collect())
}

fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

fn sees(visible: Option<&[AgencyId]>, change: &AirlineChange) -> bool {
    visible.is_none_or(|own| own.iter().any(|id| id.raw() == change.row.agency_id))
}

fn with_order(db: &mut Db, change: &AirlineChange, names: &dyn Names) -> Result<AirlineInitiatedChange, ApiError> {
    let rows = order(db, OrderId::of(change.row.order_id))?.into_iter().collect();
    let issued = issued_orders(db, rows)?.pop().ok_or_else(not_found)?;
    AirlineInitiatedChange::of(change, &issued, names)
}

/// Airline-initiated changes, newest first: what an airline changed about flights of orders, answered or not.
#[utoipa::path(get, path = "/air/airline_initiated_changes", tag = "Orders", operation_id = "list_airline_initiated_changes",
    params(("order_id" = Option<String>, Query), ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<AirlineInitiatedChange>), (status = 422, body = ErrorBody)))]
pub async fn list_airline_initiated_changes(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let request = PageRequest::<i64>::read(&query, "/air/airline_initiated_changes")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<OrderId> = query.id("order_id")?;
    let visible = caller.visible_agencies().await?;
    let found = caller
        .read(move |db| {
            let changes = airline_changes(db, visible.as_deref(), of, window, limit)?;
            let shown = changes.iter().map(|change| Ok((change.row.id, with_order(db, change, names.get_ref())?)));
            shown.collect::<Result<Vec<_>, ApiError>>()
        })
        .await?;
    Ok(page(&request.page(found, |(id, _)| *id).map(|(_, shown)| shown)))
}

/// One airline-initiated change.
#[utoipa::path(get, path = "/air/airline_initiated_changes/{id}", tag = "Orders", operation_id = "get_airline_initiated_change",
    params(("id" = String, Path)), responses((status = 200, body = Data<AirlineInitiatedChange>), (status = 404, body = ErrorBody)))]
pub async fn get_airline_initiated_change(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: AirlineChangeId = path_id(&id)?;
    let visible = caller.visible_agencies().await?;
    let found = caller
        .read(move |db| {
            let change = airline_change(db, id)?.filter(|change| sees(visible.as_deref(), change)).ok_or_else(not_found)?;
            with_order(db, &change, names.get_ref())
        })
        .await?;
    Ok(ok(found))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAirlineInitiatedChange {
    pub action_taken: ActionTaken,
}

async fn answer(
    caller: &Caller,
    request: &HttpRequest,
    names: web::Data<CatalogueNames>,
    id: &str,
    body: &[u8],
    action: ActionTaken,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let id: AirlineChangeId = path_id(id)?;
    let visible = caller.visible_agencies().await?;
    let (cause, catalogue) = (caller.cause(), caller.app.catalogue.clone());
    once(caller, request, Key::Accepted, body, StatusCode::OK, move |tx: &mut WriteTx| {
        let known = airline_change(tx.db, id)?.filter(|change| sees(visible.as_deref(), change));
        known.ok_or_else(not_found)?;
        let change = match action {
            ActionTaken::Accepted => accept_airline_change(tx, &catalogue, &cause, id)?,
            ActionTaken::Changed => ask_for_another_flight(tx, &cause, id)?,
            ActionTaken::Cancelled => give_back_for_change(tx, &cause, id)?,
        };
        with_order(tx.db, &change, names.get_ref())
    })
    .await
}

/// Accepts a change: the coupons are for the flight that was offered, on the same ticket and at no charge. Accepted again, it is answered as it is.
#[utoipa::path(post, path = "/air/airline_initiated_changes/{id}/actions/accept", tag = "Orders", operation_id = "accept_airline_initiated_change",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 200, body = Data<AirlineInitiatedChange>), (status = 404, body = ErrorBody),
        (status = 409, description = "`airline_change_answered`, `order_already_cancelled`", body = ErrorBody),
        (status = 422, description = "`nothing_offered`, `seats_sold_out`, `coupon_not_open`", body = ErrorBody)))]
pub async fn accept_airline_initiated_change(
    caller: Caller,
    request: HttpRequest,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    answer(&caller, &request, names, &id, b"{\"data\":{}}", ActionTaken::Accepted).await
}

/// Answers a change: `accepted` links the coupons to the flight that was offered, `cancelled` says that the tickets were given back (`/air/order_cancellations`, without penalty
/// while a change is not accepted), `changed` asks for another flight, without penalty too.
#[utoipa::path(patch, path = "/air/airline_initiated_changes/{id}", tag = "Orders", operation_id = "update_airline_initiated_change",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<UpdateAirlineInitiatedChange>,
    responses((status = 200, body = Data<AirlineInitiatedChange>), (status = 404, body = ErrorBody),
        (status = 409, description = "`airline_change_answered`, `order_already_cancelled`", body = ErrorBody),
        (status = 422, description = "`nothing_offered`, `seats_sold_out`, `coupon_not_open`, `tickets_not_given_back`", body = ErrorBody)))]
pub async fn update_airline_initiated_change(
    caller: Caller,
    request: HttpRequest,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
    body: Body<UpdateAirlineInitiatedChange>,
) -> Result<HttpResponse, ApiError> {
    answer(&caller, &request, names, &id, &body.bytes, body.data.action_taken).await
}
