//! `/air/order_change_requests`, `/air/order_change_offers` and `/air/order_changes`: other flights for an order, searched, chosen, confirmed.

use super::Names;
use super::names::CatalogueNames;
use super::offer_request::{CreateSlice, SearchSlice};
use super::order_change::{
    ConfirmOrderChange, CreateOrderChange, CreateOrderChangeRequest, OrderChange, OrderChangeOffer, OrderChangeRehearsal,
    OrderChangeRequest, View, load, not_found, sees,
};
use super::searching::{find, refused};
use crate::agencies::{Agency, agency};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, created, ok, page};
use crate::api::error::{ApiError, ErrorBody, Item, Problems};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::v1::postings::with_entries;
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{Db, WriteTx};
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, OrderChangeId, OrderChangeOfferId, OrderChangeRequestId, OrderId};
use crate::ledger::{Event, postings_about};
use crate::money::{Currency, Money};
use crate::shopping::OFFER_LIFETIME_MINUTES;
use crate::shopping::request::{self, SearchPassenger, SearchRequest};
use crate::ticketing::exchange::{
    ChangeReason, ChangeRequest, Desk, GivenUp, NewChangeRequest, OrderChangeRow, Removed, SoldJourney, change_request,
    change_request_of_offer, check_changeable, choose_change, confirm_change, exchanges_by, keep_change_request, order_change,
    void_change,
};
use crate::ticketing::{IssuedOrder, waives_penalty};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Duration;
use std::collections::BTreeSet;

impl CreateOrderChangeRequest {
    /// The order and the slices to be given up; whether they are the order's is asked later.
    fn removed(&self) -> Result<(OrderId, BTreeSet<usize>), ApiError> {
        let mut problems = Problems::default();
        let id = problems.check(OrderId::parse(&self.order_id).map_err(|error| Item::bad_id(&error, "/data/order_id")));
        if self.slices.add.is_empty() {
            problems.add(Code::InvalidValue, "/data/slices/add", "A change adds at least one slice; to give flights up, cancel.");
        }
        if self.slices.remove.is_empty() {
            problems.add(Code::InvalidValue, "/data/slices/remove", "A change removes at least one slice.");
        }
        let own = self.order_id.split_once('_').map(|(_, body)| format!("sli_{body}_"));
        let mut removed = BTreeSet::new();
        for (position, slice) in self.slices.remove.iter().enumerate() {
            let place = own.as_deref().and_then(|own| slice.slice_id.strip_prefix(own)).and_then(|place| place.parse().ok());
            match place {
                Some(place) => drop(removed.insert(place)),
                None => {
                    let pointer = format!("/data/slices/remove/{position}/slice_id");
                    problems.add(Code::InvalidValue, pointer, "This is not a slice of the order.");
                }
            }
        }
        problems.finish()?;
        Ok((id.ok_or_else(not_found)?, removed))
    }

    fn added(&self, names: &dyn Names, now: Timestamp) -> Result<Vec<SearchSlice>, ApiError> {
        let mut problems = Problems::default();
        let mut added = Vec::new();
        for (position, slice) in self.slices.add.iter().enumerate() {
            let body = CreateSlice {
                origin: slice.origin.clone(),
                destination: slice.destination.clone(),
                departure_date: slice.departure_date.clone(),
                departure_time: None,
                arrival_time: None,
            };
            added.extend(body.read(&format!("/data/slices/add/{position}"), names, now, &mut problems));
        }
        problems.finish()?;
        Ok(added)
    }
}

/// Searches other flights for an order: what is removed is given in, what is added is offered at today's fares, what stays keeps its price. Each
/// offer says what the change costs; nothing is reserved.
#[utoipa::path(post, path = "/air/order_change_requests", tag = "Orders", operation_id = "create_order_change_request",
    request_body = Data<CreateOrderChangeRequest>,
    responses((status = 201, body = Data<OrderChangeRequest>), (status = 404, body = ErrorBody),
        (status = 409, description = "`order_already_cancelled`", body = ErrorBody),
        (status = 422, description = "`change_not_permitted`, `coupon_not_open`, `flight_departed`, `invalid_search`", body = ErrorBody)))]
pub async fn create_order_change_request(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    body: Body<CreateOrderChangeRequest>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let (id, removed) = body.data.removed()?;
    let added = body.data.added(names.get_ref(), caller.app.now())?;
    let cabin = body.data.slices.add.first().and_then(|slice| slice.cabin_class).map(Into::into);
    let visible = caller.visible_agencies().await?;
    let app = caller.app.clone();
    let names = names.into_inner();
    let shown = blocking(move || {
        let issued = app.store.read(|db| load(db, id, visible.as_deref()))?;
        check_changeable(&issued)?;
        let seller = app.store.read(|db| agency(db, AgencyId::of(issued.order.agency_id)))?.ok_or_else(not_found)?;
        let request = search_for(&app, &issued, &added, cabin)?;
        let stored = offer_changes(&app, &seller, &issued, removed, &request)?;
        View { app: &app, names: names.as_ref(), issued: &issued, request: &stored }.request()
    })
    .await?;
    Ok(created(shown))
}

/// The search for the same people; what a person pays is a matter of the age on the day of travel.
fn search_for(
    app: &App,
    issued: &IssuedOrder,
    added: &[SearchSlice],
    cabin: Option<crate::shopping::offer::Cabin>,
) -> Result<SearchRequest, ApiError> {
    let first = added.first().map(|slice| slice.date);
    let mut passengers = Vec::with_capacity(issued.passengers.len());
    for row in &issued.passengers {
        let (kind, born_on) = super::issued::kind_and_birth(app, row)?;
        let age = born_on.zip(first).and_then(|(born, day)| day.years_since(born)).and_then(|years| u8::try_from(years).ok());
        let kind = age.map_or(kind, super::offer_request::kind_of_age);
        passengers.push(SearchPassenger { kind, age });
    }
    let slice = |slice: &SearchSlice| request::SearchSlice {
        origin: slice.origin.clone(),
        destination: slice.destination.clone(),
        departure_date: slice.date,
    };
    Ok(SearchRequest { slices: added.iter().map(slice).collect(), passengers, cabin, max_connections: 1 })
}

fn offer_changes(
    app: &App,
    seller: &Agency,
    issued: &IssuedOrder,
    removed: BTreeSet<usize>,
    search: &SearchRequest,
) -> Result<ChangeRequest, ApiError> {
    let now = app.now();
    let sold = SoldJourney::of(&app.catalogue, issued)?;
    let waived = app.store.read(|db| waives_penalty(db, OrderId::of(issued.order.id)))?;
    let reason = if waived.is_some() { ChangeReason::Involuntary } else { ChangeReason::Voluntary };
    let given_up = GivenUp { sold: &sold, slices: &removed, reason };
    let penalties = given_up.penalties(&app.catalogue, now).map_err(crate::ticketing::exchange::ChangeError::from)?;
    let given_in = given_up.given_in().map_err(ApiError::internal)?;
    let at = |refusal| {
        let error = refused(&refusal);
        let field = refusal.field().replacen("slices", "slices/add", 1);
        error.at(format!("/data/{field}"))
    };
    let mut offers = Vec::new();
    for found in find(app, seller, search, &[])?.map_err(at)? {
        let offer = given_up.offer(&app.catalogue, &found, &penalties, &given_in).map_err(ApiError::internal)?;
        offers.extend(offer);
    }
    let expires_at = now.plus(Duration::minutes(OFFER_LIFETIME_MINUTES)).min(penalties.hold_until);
    let new = NewChangeRequest {
        order: OrderId::of(issued.order.id),
        agency: seller.id,
        added: search.slices.clone(),
        offers,
        expires_at,
        removed: Removed { journey: sold.journey.clone(), slices: removed, waived_by: waived.map(|change| change.row.id) },
    };
    Ok(app.store.write(|tx| keep_change_request(tx, new))?)
}

async fn visible_request(
    caller: &Caller,
    find: impl FnOnce(&mut Db) -> Result<Option<ChangeRequest>, crate::db::DbError> + Send + 'static,
) -> Result<(IssuedOrder, ChangeRequest), ApiError> {
    let visible = caller.visible_agencies().await?;
    caller
        .read(move |db| {
            let request = find(db)?.filter(|request| sees(visible.as_deref(), request.agency.raw())).ok_or_else(not_found)?;
            Ok::<_, ApiError>((load(db, request.order, None)?, request))
        })
        .await
}

/// A search for other flights with its offers.
#[utoipa::path(get, path = "/air/order_change_requests/{id}", tag = "Orders", operation_id = "get_order_change_request",
    params(("id" = String, Path)), responses((status = 200, body = Data<OrderChangeRequest>), (status = 404, body = ErrorBody)))]
pub async fn get_order_change_request(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OrderChangeRequestId = path_id(&id)?;
    let (issued, request) = visible_request(&caller, move |db| change_request(db, id)).await?;
    Ok(ok(View { app: &caller.app, names: names.get_ref(), issued: &issued, request: &request }.request()?))
}

/// The offers of a search for other flights, cheapest first.
#[utoipa::path(get, path = "/air/order_change_offers", tag = "Orders", operation_id = "list_order_change_offers",
    params(("order_change_request_id" = String, Query), ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<OrderChangeOffer>), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub async fn list_order_change_offers(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id = query.required_id::<OrderChangeRequestId>("order_change_request_id")?;
    let page_request = PageRequest::<i64>::read(&query, "/air/order_change_offers")?;
    let (issued, request) = visible_request(&caller, move |db| change_request(db, id)).await?;
    let view = View { app: &caller.app, names: names.get_ref(), issued: &issued, request: &request };
    let places = page_request.of_positions(request.offers.len());
    let found = page_request.page(places, |place| *place);
    Ok(page(&found.try_map(|place| view.offer(usize::try_from(place).unwrap_or(usize::MAX)))?))
}

/// One offer of other flights.
#[utoipa::path(get, path = "/air/order_change_offers/{id}", tag = "Orders", operation_id = "get_order_change_offer",
    params(("id" = String, Path)), responses((status = 200, body = Data<OrderChangeOffer>), (status = 404, body = ErrorBody)))]
pub async fn get_order_change_offer(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OrderChangeOfferId = path_id(&id)?;
    let (issued, request) = visible_request(&caller, move |db| change_request_of_offer(db, id)).await?;
    let position = (0..request.offers.len()).find(|place| request.offer_id(*place) == id).ok_or_else(not_found)?;
    Ok(ok(View { app: &caller.app, names: names.get_ref(), issued: &issued, request: &request }.offer(position)?))
}

/// A change as it is shown, read in the transaction that it is a part of.
fn shown_change(app: &App, names: &dyn Names, db: &mut Db, row: &OrderChangeRow) -> Result<OrderChange, ApiError> {
    let request = change_request_of_offer(db, OrderChangeOfferId::of(row.offer_id))?.ok_or_else(not_found)?;
    let issued = load(db, OrderId::of(row.order_id), None)?;
    View { app, names, issued: &issued, request: &request }.change(db, row)
}

/// Chooses an offer. Nothing is reserved or paid before the confirmation.
#[utoipa::path(post, path = "/air/order_changes", tag = "Orders", operation_id = "create_order_change",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<CreateOrderChange>,
    responses((status = 201, body = Data<OrderChange>), (status = 404, body = ErrorBody),
        (status = 422, description = "`offer_expired`", body = ErrorBody)))]
pub async fn create_order_change(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    request: HttpRequest,
    body: Body<CreateOrderChange>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let pointer = "/data/selected_order_change_offer";
    let mut problems = Problems::default();
    let id = OrderChangeOfferId::parse(&body.data.selected_order_change_offer).map_err(|error| Item::bad_id(&error, pointer));
    let id = problems.check(id);
    problems.finish()?;
    let id = id.ok_or_else(not_found)?;
    let visible = caller.visible_agencies().await?;
    let (cause, app, names) = (caller.cause(), caller.app.clone(), names.into_inner());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let known = change_request_of_offer(tx.db, id)?.filter(|known| sees(visible.as_deref(), known.agency.raw()));
        known.ok_or_else(|| not_found().at(pointer))?;
        let row = choose_change(tx, &cause, id)?;
        shown_change(&app, names.as_ref(), tx.db, &row)
    })
    .await
}

/// One change.
#[utoipa::path(get, path = "/air/order_changes/{id}", tag = "Orders", operation_id = "get_order_change",
    params(("id" = String, Path)), responses((status = 200, body = Data<OrderChange>), (status = 404, body = ErrorBody)))]
pub async fn get_order_change(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OrderChangeId = path_id(&id)?;
    let visible = caller.visible_agencies().await?;
    let (app, names) = (caller.app.clone(), names.into_inner());
    let shown = caller
        .read(move |db| {
            let row = order_change(db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
            shown_change(&app, names.as_ref(), db, &row)
        })
        .await?;
    Ok(ok(shown))
}

impl ConfirmOrderChange {
    fn paid(&self) -> Result<Option<Money>, ApiError> {
        let Some(payment) = &self.payment else { return Ok(None) };
        if !["arc_bsp_cash", "balance"].contains(&payment.kind.as_str()) {
            let message = "A change is paid with `arc_bsp_cash` or `balance`, as its order was.";
            return Err(ApiError::new(Code::PaymentTypeNotSupported, message).at("/data/payment/type"));
        }
        let currency =
            Currency::parse(&payment.currency).map_err(|_| ApiError::of(Code::UnknownCurrency).at("/data/payment/currency"))?;
        let amount = Money::parse(&payment.amount, currency);
        let invalid = |error| ApiError::new(Code::InvalidValue, format!("{error}.")).at("/data/payment/amount");
        amount.map(Some).map_err(invalid)
    }
}

/// Exchanges the order's tickets for those of the change: the old coupons are exchanged, the new tickets issued, and only the difference and the
/// penalty are charged or given back, in one commit. Confirmed again, it answers the change that exists.
#[utoipa::path(post, path = "/air/order_changes/{id}/actions/confirm", tag = "Orders", operation_id = "confirm_order_change",
    params(("id" = String, Path), ("dry_run" = Option<bool>, Query, description = "True answers the decision and the ledger entries, and does nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<ConfirmOrderChange>,
    responses((status = 200, body = Data<OrderChange>), (status = 404, body = ErrorBody),
        (status = 409, description = "`order_already_cancelled`, `order_changed`", body = ErrorBody),
        (status = 422, description = "`payment_amount_mismatch`, `offer_expired`, `coupon_not_open`, and the refusals of a sale", body = ErrorBody)))]
pub async fn confirm_order_change(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    request: HttpRequest,
    query: Query,
    id: web::Path<String>,
    body: Body<ConfirmOrderChange>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let id: OrderChangeId = path_id(&id)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let paid = body.data.paid()?;
    let visible = caller.visible_agencies().await?;
    let (cause, app, names) = (caller.cause(), caller.app.clone(), names.into_inner());
    let confirm = move |tx: &mut WriteTx| {
        order_change(tx.db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
        let desk = Desk { catalogue: &app.catalogue, chart: &app.chart, rules: &app.rules };
        let row = confirm_change(tx, desk, &cause, id, paid)?;
        shown_change(&app, names.as_ref(), tx.db, &row)
    };
    if !dry_run {
        let response = once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, confirm).await?;
        caller.app.disbursing.notify_one();
        return Ok(response);
    }
    let app = caller.app.clone();
    let rehearsal = blocking(move || {
        app.store.rehearse(|tx| {
            let order_change = confirm(tx)?;
            let mut postings = Vec::new();
            for exchange in exchanges_by(tx.db, id)? {
                postings.extend(postings_about(tx.db, exchange.ticket_id)?);
            }
            Ok::<_, ApiError>(OrderChangeRehearsal { dry_run: true, order_change, postings: with_entries(tx.db, postings)? })
        })
    })
    .await?;
    Ok(ok(rehearsal))
}

/// Takes an exchange back within the void window of its new tickets: the old coupons are open again, and everything that was charged comes back.
#[utoipa::path(post, path = "/air/order_changes/{id}/actions/void", tag = "Orders", operation_id = "void_order_change",
    params(("id" = String, Path), ("dry_run" = Option<bool>, Query, description = "True answers the decision and the ledger entries, and does nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 200, body = Data<OrderChange>), (status = 404, body = ErrorBody), (status = 409, description = "`invalid_state`", body = ErrorBody),
        (status = 422, description = "`void_window_closed`, `coupon_not_open`, `seats_sold_out`, `airline_funds_awaited`", body = ErrorBody)))]
pub async fn void_order_change(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    request: HttpRequest,
    query: Query,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let id: OrderChangeId = path_id(&id)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let visible = caller.visible_agencies().await?;
    let (cause, app, names) = (caller.cause(), caller.app.clone(), names.into_inner());
    let take_back = move |tx: &mut WriteTx| {
        order_change(tx.db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
        let row = void_change(tx, &app.catalogue, &cause, id)?;
        shown_change(&app, names.as_ref(), tx.db, &row)
    };
    if !dry_run {
        return once(&caller, &request, Key::Accepted, b"{\"data\":{}}", StatusCode::OK, take_back).await;
    }
    let app = caller.app.clone();
    let rehearsal = blocking(move || {
        app.store.rehearse(|tx| {
            let order_change = take_back(tx)?;
            let mut postings = Vec::new();
            for exchange in exchanges_by(tx.db, id)? {
                let journal = postings_about(tx.db, exchange.ticket_id)?;
                postings.extend(journal.into_iter().filter(|posting| posting.event == Event::ExchangeVoid.text()));
            }
            Ok::<_, ApiError>(OrderChangeRehearsal { dry_run: true, order_change, postings: with_entries(tx.db, postings)? })
        })
    })
    .await?;
    Ok(ok(rehearsal))
}
