//! `/air/order_change_requests`, `/air/order_change_offers` and `/air/order_changes`: other flights for an order, searched, chosen, confirmed.

use super::create_order::PaymentType;
use super::issued::travellers;
use super::itinerary::{Slice, slices};
use super::names::CatalogueNames;
use super::offer_request::{CreateSlice, SearchSlice};
use super::place::Place;
use super::searching::{find, refused};
use super::{CabinClass, Names};
use crate::agencies::{Agency, agency};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, created, ok, page};
use crate::api::error::{ApiError, ErrorBody, Item, Problems};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::v1::postings::{LedgerPosting, with_entries};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{Db, WriteTx};
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, OrderChangeId, OrderChangeOfferId, OrderChangeRequestId, OrderId, PassengerId};
use crate::ledger::{Event, postings_about};
use crate::money::{Currency, Money, MoneyError};
use crate::ordering::{Tender, order};
use crate::shopping::OFFER_LIFETIME_MINUTES;
use crate::shopping::request::{self, SearchPassenger, SearchRequest};
use crate::ticketing::exchange::{
    ChangeOffer, ChangeReason, ChangeRequest, Desk, GivenUp, NewChangeRequest, OrderChangeRow, Removed, SoldJourney,
    change_request, change_request_of_offer, check_changeable, choose_change, confirm_change, exchanges_by, keep_change_request,
    order_change, void_change,
};
use crate::ticketing::{IssuedOrder, issued_orders};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct CreateOrderChangeRequest {
    #[schema(example = "ord_0d3k8w2m5q7ha")]
    pub order_id: String,
    pub slices: ChangedSlices,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct ChangedSlices {
    /// What is searched instead; nothing to give up flights without new ones is a cancellation, not a change.
    pub add: Vec<AddedSlice>,
    pub remove: Vec<RemovedSlice>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct AddedSlice {
    #[schema(example = "PEK")]
    pub origin: String,
    #[schema(example = "SHA")]
    pub destination: String,
    #[schema(example = "2026-12-12")]
    pub departure_date: String,
    pub cabin_class: Option<CabinClass>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemovedSlice {
    /// As the order shows it.
    #[schema(example = "sli_0d3k8w2m5q7ha_0")]
    pub slice_id: String,
}

/// A search for other flights, with its offers, cheapest first.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderChangeRequest {
    #[schema(example = "ocr_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    pub live_mode: bool,
    pub created_at: String,
    pub slices: RequestedSlices,
    pub order_change_offers: Vec<OrderChangeOffer>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RequestedSlices {
    pub add: Vec<RequestedSlice>,
    pub remove: Vec<RemovedSlice>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RequestedSlice {
    pub origin: Place,
    pub destination: Place,
    pub departure_date: String,
}

/// A journey that the order can be changed to, and what that costs.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderChangeOffer {
    #[schema(example = "oco_0d3k8w2m5q7ha")]
    pub id: String,
    /// What is paid: the new price less the price of what is given in, and the penalty. Negative where something comes back.
    #[schema(example = "250.00")]
    pub change_total_amount: String,
    pub change_total_currency: String,
    /// The price of the new tickets.
    #[schema(example = "1200.00")]
    pub new_total_amount: String,
    pub new_total_currency: String,
    #[schema(example = "50.00")]
    pub penalty_total_amount: String,
    pub penalty_total_currency: String,
    /// The same, under the name that some clients read.
    pub penalty_amount: String,
    pub penalty_currency: String,
    /// What was given in, for comparison.
    #[schema(example = "1000.00")]
    pub given_in_amount: String,
    pub refund_to: PaymentType,
    pub slices: ChangeSlices,
    /// The change that this offer was chosen for, once it was.
    pub order_change_id: Option<String>,
    pub live_mode: bool,
    pub created_at: String,
    pub updated_at: String,
    /// The end of the offer, or sooner the moment at which the penalty rises.
    pub expires_at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ChangeSlices {
    pub add: Vec<Slice>,
    pub remove: Vec<Slice>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrderChange {
    #[schema(example = "oco_0d3k8w2m5q7ha")]
    pub selected_order_change_offer: String,
}

#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmOrderChange {
    /// Required where something is to be paid, with exactly that amount. It is paid with what the order was paid with.
    pub payment: Option<ConfirmPayment>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = ConfirmOrderChangePayment)]
pub struct ConfirmPayment {
    /// `arc_bsp_cash` or `balance`.
    #[serde(rename = "type")]
    #[schema(example = "balance")]
    pub kind: String,
    #[schema(example = "250.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
}

/// A chosen offer; from `confirmed_at` on a change of the order.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderChange {
    #[schema(example = "oce_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    pub change_total_amount: String,
    pub change_total_currency: String,
    pub new_total_amount: String,
    pub new_total_currency: String,
    pub penalty_total_amount: String,
    pub penalty_total_currency: String,
    /// `original_form_of_payment` where something comes back, else null.
    pub refund_to: Option<&'static str>,
    pub available_payment_types: Vec<PaymentType>,
    pub slices: ChangeSlices,
    /// The new tickets, once it is confirmed.
    pub tickets: Vec<ExchangedTicket>,
    pub live_mode: bool,
    pub created_at: String,
    pub expires_at: String,
    pub confirmed_at: Option<String>,
    /// When the exchange was taken back.
    pub voided_at: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ExchangedTicket {
    #[schema(example = "9992100000002")]
    pub number: String,
    #[schema(example = "9992100000001")]
    pub given_in: String,
    pub penalty_amount: String,
}

/// What a confirmation would book.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderChangeRehearsal {
    /// Always true: nothing was done.
    pub dry_run: bool,
    pub order_change: OrderChange,
    pub postings: Vec<LedgerPosting>,
}

fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

fn sees(visible: Option<&[AgencyId]>, agency: i64) -> bool {
    visible.is_none_or(|own| own.iter().any(|id| id.raw() == agency))
}

fn load(db: &mut Db, id: OrderId, visible: Option<&[AgencyId]>) -> Result<IssuedOrder, ApiError> {
    let rows = order(db, id)?.filter(|row| sees(visible, row.agency_id)).into_iter().collect();
    issued_orders(db, rows)?.pop().ok_or_else(not_found)
}

/// How an offer or a change is shown.
struct View<'a> {
    app: &'a App,
    names: &'a dyn Names,
    issued: &'a IssuedOrder,
    request: &'a ChangeRequest,
}

impl View<'_> {
    fn tender(&self) -> PaymentType {
        let on_credit = self.issued.order.tender().ok().flatten() == Some(Tender::Credit);
        if on_credit { PaymentType::ArcBspCash } else { PaymentType::Balance }
    }

    fn passengers(&self) -> Vec<PassengerId> {
        travellers(self.issued)
    }

    /// Slices of the old journey are the order's, those of the new one the offer's.
    fn slices(&self, offer: &ChangeOffer, part_of: &str) -> ChangeSlices {
        let passengers = self.passengers();
        let of_order = OrderId::of(self.issued.order.id).to_string();
        let old = slices(&self.request.removed.journey, &of_order, &passengers, &[], self.names);
        let new = slices(&offer.journey, part_of, &passengers, &[], self.names);
        let pick = |from: Vec<Slice>, keeps: &dyn Fn(usize) -> bool| {
            from.into_iter().enumerate().filter(|(place, _)| keeps(*place)).map(|(_, slice)| slice).collect()
        };
        ChangeSlices {
            add: pick(new, &|place| offer.added.contains(&place)),
            remove: pick(old, &|place| self.request.removed.slices.contains(&place)),
        }
    }

    fn offer(&self, position: usize) -> Result<OrderChangeOffer, ApiError> {
        let offer = self.request.offers.get(position).ok_or_else(not_found)?;
        let currency = offer.currency().map_err(ApiError::internal)?.to_string();
        let id = self.request.offer_id(position).to_string();
        let text = |amount: Result<Money, MoneyError>| amount.map(|amount| amount.to_string()).map_err(ApiError::internal);
        let penalty = text(offer.penalty())?;
        Ok(OrderChangeOffer {
            change_total_amount: text(offer.change_total())?,
            change_total_currency: currency.clone(),
            new_total_amount: text(offer.journey.total())?,
            new_total_currency: currency.clone(),
            penalty_total_amount: penalty.clone(),
            penalty_total_currency: currency.clone(),
            penalty_amount: penalty,
            penalty_currency: currency,
            given_in_amount: text(offer.given_in())?,
            refund_to: self.tender(),
            slices: self.slices(offer, &id),
            order_change_id: None,
            live_mode: self.app.mode.is_live(),
            created_at: self.request.created_at.to_string(),
            updated_at: self.request.created_at.to_string(),
            expires_at: self.request.expires_at.to_string(),
            id,
        })
    }

    fn request(&self) -> Result<OrderChangeRequest, ApiError> {
        let order_id = OrderId::of(self.issued.order.id).to_string();
        let body = order_id.split_once('_').map_or(order_id.as_str(), |(_, body)| body).to_owned();
        let removed = self.request.removed.slices.iter().map(|place| RemovedSlice { slice_id: format!("sli_{body}_{place}") });
        let added = self.request.added.iter().map(|slice| RequestedSlice {
            origin: Place::named(self.names, &slice.origin),
            destination: Place::named(self.names, &slice.destination),
            departure_date: slice.departure_date.to_string(),
        });
        Ok(OrderChangeRequest {
            id: self.request.id.to_string(),
            live_mode: self.app.mode.is_live(),
            created_at: self.request.created_at.to_string(),
            slices: RequestedSlices { add: added.collect(), remove: removed.collect() },
            order_change_offers: (0..self.request.offers.len()).map(|place| self.offer(place)).collect::<Result<_, _>>()?,
            order_id,
        })
    }

    fn change(&self, db: &mut Db, row: &OrderChangeRow) -> Result<OrderChange, ApiError> {
        let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
        let text = |minor| Money::new(minor, currency).to_string();
        let time = |at| Timestamp::from(at).to_string();
        let offer = self.request.offer(OrderChangeOfferId::of(row.offer_id)).ok_or_else(not_found)?;
        let number = |id: i64| {
            let ticket = self.issued.tickets.iter().find(|ticket| ticket.id == id);
            ticket.map(|ticket| ticket.number.clone()).unwrap_or_default()
        };
        let exchanges = exchanges_by(db, OrderChangeId::of(row.id))?;
        let tickets = exchanges.iter().map(|one| ExchangedTicket {
            number: number(one.ticket_id),
            given_in: number(one.given_in_ticket_id),
            penalty_amount: text(one.penalty_minor),
        });
        Ok(OrderChange {
            id: OrderChangeId::of(row.id).to_string(),
            order_id: OrderId::of(row.order_id).to_string(),
            change_total_amount: text(row.change_minor),
            change_total_currency: currency.to_string(),
            new_total_amount: text(row.new_total_minor),
            new_total_currency: currency.to_string(),
            penalty_total_amount: text(row.penalty_minor),
            penalty_total_currency: currency.to_string(),
            refund_to: (row.change_minor < 0).then_some("original_form_of_payment"),
            available_payment_types: vec![self.tender()],
            slices: self.slices(offer, &OrderChangeOfferId::of(row.offer_id).to_string()),
            tickets: tickets.collect(),
            live_mode: self.app.mode.is_live(),
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
            confirmed_at: row.confirmed_at.map(time),
            voided_at: row.voided_at.map(time),
        })
    }
}

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
    let given_up = GivenUp { sold: &sold, slices: &removed, reason: ChangeReason::Voluntary };
    let penalties = given_up.penalties(&app.catalogue, now).map_err(crate::ticketing::exchange::ChangeError::from)?;
    let given_in = given_up.given_in().map_err(ApiError::internal)?;
    let at = |refusal| {
        let error = refused(&refusal);
        let field = refusal.field().replacen("slices", "slices/add", 1);
        error.at(format!("/data/{field}"))
    };
    let mut offers = Vec::new();
    for found in find(app, seller, search)?.map_err(at)? {
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
        removed: Removed { journey: sold.journey.clone(), slices: removed },
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
