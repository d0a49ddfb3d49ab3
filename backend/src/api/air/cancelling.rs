//! `/air/order_cancellations`: the void of an order, or after the void window its refund: quoted and then confirmed.

use super::offer::Mode;
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody, Item, Problems};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::v1::postings::{LedgerPosting, with_entries};
use crate::api::v1::refund_shape::{RefundApplication, read_application};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::identity::Scope;
use crate::ids::{AgencyId, CancellationId, Id, OrderId};
use crate::ledger::{Event, PostingRow, postings_about};
use crate::money::{Currency, Money};
use crate::ordering::{Tender, order};
use crate::ticketing::{
    Cancellation, cancellation, cancellations, confirm_cancellation, issued_orders, quote_cancellation, with_refund,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOrderCancellation {
    /// The order to be cancelled.
    #[schema(example = "ord_0d3k8w2m5q7ha")]
    pub order_id: String,
}

/// Whether an order is cancelled as if it had never been sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancellationKind {
    /// Inside the void window: everything is given back.
    Void,
    /// After it: what can still be refunded is, by the ladder of the fare.
    Refund,
}

/// A quote while `confirmed_at` is null.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OrderCancellation {
    #[schema(example = "ore_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    pub kind: CancellationKind,
    /// A void gives back the order's total, a refund what the ladder leaves of it.
    #[schema(example = "1000.00")]
    pub refund_amount: String,
    #[schema(example = "CNY")]
    pub refund_currency: String,
    /// What the order was paid with gets the money back.
    pub refund_to: RefundTo,
    #[schema(value_type = Vec<Object>)]
    pub airline_credits: [(); 0],
    /// What of a refund is kept, ticket by ticket, and how far it is; null for a void.
    pub refund: Option<RefundApplication>,
    /// Until when the quote can be confirmed: a void until the end of the void window, a refund for 15 minutes or until it would cost more.
    pub expires_at: String,
    pub created_at: String,
    pub confirmed_at: Option<String>,
    pub live_mode: bool,
}

/// `awaiting_payment`: nothing was paid yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundTo {
    ArcBspCash,
    Balance,
    AwaitingPayment,
}

impl From<Option<Tender>> for RefundTo {
    fn from(tender: Option<Tender>) -> Self {
        match tender {
            Some(Tender::Credit) => RefundTo::ArcBspCash,
            Some(Tender::Wallet) => RefundTo::Balance,
            None => RefundTo::AwaitingPayment,
        }
    }
}

impl OrderCancellation {
    /// With the tender of its order.
    pub(super) fn read(db: &mut Db, of: &Cancellation, mode: Mode, now: Timestamp) -> Result<Self, ApiError> {
        let row = &of.row;
        let order = order(db, OrderId::of(row.order_id))?.ok_or_else(not_found)?;
        let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
        let time = |at| Timestamp::from(at).to_string();
        Ok(OrderCancellation {
            id: CancellationId::of(row.id).to_string(),
            order_id: OrderId::of(row.order_id).to_string(),
            kind: if of.refund.is_some() { CancellationKind::Refund } else { CancellationKind::Void },
            refund_amount: Money::new(row.refund_minor, currency).to_string(),
            refund_currency: currency.to_string(),
            refund_to: order.tender()?.into(),
            airline_credits: [],
            refund: of.refund.as_ref().map(|refund| read_application(db, refund, now)).transpose()?,
            expires_at: time(row.expires_at),
            created_at: time(row.created_at),
            confirmed_at: row.confirmed_at.map(time),
            live_mode: mode.is_live(),
        })
    }
}

/// What a confirmation would book.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CancellationRehearsal {
    /// Always true: nothing was done.
    pub dry_run: bool,
    pub cancellation: OrderCancellation,
    pub postings: Vec<LedgerPosting>,
}

fn sees(visible: Option<&[AgencyId]>, agency: i64) -> bool {
    visible.is_none_or(|own| own.iter().any(|id| id.raw() == agency))
}

fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

/// Quotes the cancellation of an order: a void inside the void window, a refund by the ladder of the fare after it. Says which, what is given back and until
/// when. Nothing is reserved.
#[utoipa::path(post, path = "/air/order_cancellations", tag = "Orders", operation_id = "create_order_cancellation",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body = Data<CreateOrderCancellation>,
    responses((status = 201, body = Data<OrderCancellation>), (status = 404, body = ErrorBody),
        (status = 409, description = "`order_already_cancelled`", body = ErrorBody),
        (status = 422, description = "`coupon_not_refundable`, `nothing_to_refund`, `no_refund_rule`", body = ErrorBody)))]
pub async fn create_order_cancellation(
    caller: Caller,
    request: HttpRequest,
    body: Body<CreateOrderCancellation>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let mut problems = Problems::default();
    let id = problems.check(OrderId::parse(&body.data.order_id).map_err(|error| Item::bad_id(&error, "/data/order_id")));
    problems.finish()?;
    let id = id.ok_or_else(not_found)?;
    let visible = caller.visible_agencies().await?;
    let (cause, catalogue, mode) = (caller.cause(), caller.app.catalogue.clone(), caller.app.mode.into());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let of = order(tx.db, id)?.filter(|order| sees(visible.as_deref(), order.agency_id));
        of.ok_or_else(|| not_found().at("/data/order_id"))?;
        let quote = quote_cancellation(tx, &catalogue, &cause, id)?;
        OrderCancellation::read(tx.db, &quote, mode, tx.now)
    })
    .await
}

/// Voids or refunds the order as quoted: its coupons are void or refunded, its seats free, and what the agency owed or paid is given back in the same commit.
/// Confirmed again, it answers the cancellation that exists.
#[utoipa::path(post, path = "/air/order_cancellations/{id}/actions/confirm", tag = "Orders", operation_id = "confirm_order_cancellation",
    params(("id" = String, Path), ("dry_run" = Option<bool>, Query, description = "True answers the decision and the ledger entries, and does nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    responses((status = 200, body = Data<OrderCancellation>), (status = 404, body = ErrorBody),
        (status = 409, description = "`order_already_cancelled`", body = ErrorBody),
        (status = 422, description = "`void_window_closed`, `coupon_not_open`, `airline_funds_awaited`, `refund_quote_expired`, \
            `coupon_not_refundable`", body = ErrorBody)))]
pub async fn confirm_order_cancellation(
    caller: Caller,
    request: HttpRequest,
    query: Query,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let id: CancellationId = path_id(&id)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let visible = caller.visible_agencies().await?;
    let (cause, catalogue, mode) = (caller.cause(), caller.app.catalogue.clone(), caller.app.mode.into());
    let confirm = move |tx: &mut crate::db::WriteTx| {
        let known = cancellation(tx.db, id)?.filter(|known| sees(visible.as_deref(), known.agency_id));
        known.ok_or_else(not_found)?;
        let confirmed = confirm_cancellation(tx, &catalogue, &cause, id)?;
        Ok::<_, ApiError>((OrderCancellation::read(tx.db, &confirmed, mode, tx.now)?, confirmed))
    };
    if !dry_run {
        return once(&caller, &request, Key::Accepted, b"{\"data\":{}}", StatusCode::OK, move |tx| Ok(confirm(tx)?.0)).await;
    }
    let app = caller.app.clone();
    let rehearsal = blocking(move || {
        app.store.rehearse(|tx| {
            let (cancellation, confirmed) = confirm(tx)?;
            let postings = booked(tx.db, &confirmed)?;
            Ok::<_, ApiError>(CancellationRehearsal { dry_run: true, cancellation, postings: with_entries(tx.db, postings)? })
        })
    })
    .await?;
    Ok(ok(rehearsal))
}

/// What a cancellation booked: a void posts about tickets, a refund about its own rows.
fn booked(db: &mut Db, confirmed: &Cancellation) -> Result<Vec<PostingRow>, ApiError> {
    let about: Vec<i64> = match &confirmed.refund {
        Some(refund) => refund.tickets.iter().map(|one| one.id).collect(),
        None => {
            let rows = order(db, OrderId::of(confirmed.row.order_id))?.into_iter().collect();
            let issued = issued_orders(db, rows)?.pop().ok_or_else(not_found)?;
            issued.tickets.iter().map(|ticket| ticket.id).collect()
        }
    };
    let mut postings = Vec::new();
    for reference in about {
        postings.extend(postings_about(db, reference)?);
    }
    postings.retain(|posting| [Event::TicketVoid, Event::TicketRefund].iter().any(|event| event.text() == posting.event));
    Ok(postings)
}

/// One cancellation.
#[utoipa::path(get, path = "/air/order_cancellations/{id}", tag = "Orders", operation_id = "get_order_cancellation",
    params(("id" = String, Path)), responses((status = 200, body = Data<OrderCancellation>), (status = 404, body = ErrorBody)))]
pub async fn get_order_cancellation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: CancellationId = path_id(&id)?;
    let (visible, mode, now) = (caller.visible_agencies().await?, caller.app.mode.into(), caller.app.now());
    let found = caller
        .read(move |db| {
            let row = cancellation(db, id)?.filter(|row| sees(visible.as_deref(), row.agency_id)).ok_or_else(not_found)?;
            let found = with_refund(db, row)?;
            OrderCancellation::read(db, &found, mode, now)
        })
        .await?;
    Ok(ok(found))
}

/// Cancellations and quotes, newest first.
#[utoipa::path(get, path = "/air/order_cancellations", tag = "Orders", operation_id = "list_order_cancellations",
    params(("order_id" = Option<String>, Query), ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<OrderCancellation>), (status = 422, body = ErrorBody)))]
pub async fn list_order_cancellations(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let request = PageRequest::<i64>::read(&query, "/air/order_cancellations")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<OrderId> = query.id("order_id")?;
    let (visible, mode, now) = (caller.visible_agencies().await?, caller.app.mode.into(), caller.app.now());
    let found = caller
        .read(move |db| {
            let rows = cancellations(db, visible.as_deref(), of, window, limit)?;
            rows.into_iter()
                .map(|row| {
                    let found = with_refund(db, row)?;
                    Ok((found.row.id, OrderCancellation::read(db, &found, mode, now)?))
                })
                .collect::<Result<Vec<_>, ApiError>>()
        })
        .await?;
    Ok(page(&request.page(found, |(id, _)| *id).map(|(_, shown)| shown)))
}
