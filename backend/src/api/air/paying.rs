//! `/air/payments`: paying an order that is held, which issues its tickets.

use super::create_order::{CreatePayment, PaymentType};
use super::issuing::{Attempt, Settled, issue, rehearse};
use super::names::CatalogueNames;
use super::searching::private_fares_for;
use crate::agencies::{Agency, agency, in_force};
use crate::airlines::{Airline, airline};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody, Item, Problems};
use crate::api::once::{Key, fields_of, key_of};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::catalogue::private_fares::PrivateFares;
use crate::clock::Timestamp;
use crate::commission::Terms;
use crate::db::Db;
use crate::identity::{IdempotencyKey, Scope};
use crate::ids::{AgencyId, AirlineId, Id, OfferId, OrderId, OrderPaymentId, PassengerId};
use crate::money::{Currency, Money};
use crate::ordering::{Draw, HeldEnd, HeldMove, HeldOrder, PaymentRow, Sealed, TenderWish, order, payment, payment_of, payments};
use crate::shopping::offer::PricedOffer;
use crate::shopping::tariff::{Tariff, codes_of};
use crate::ticketing::{
    Intent, IssueOrder, IssuedOrder, PassengerPlan, PlanError, SaleTerms, departs_at, issued_orders, plan_tickets,
};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Fields that are not listed are ignored: other platforms take more.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = CreatePayment)]
pub struct PayOrder {
    /// The order that is held.
    #[schema(example = "ord_0d3k8w2m5q7ha")]
    pub order_id: String,
    /// The order's total of now.
    pub payment: CreatePayment,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Payment {
    #[schema(example = "opy_0d3k8w2m5q7ha")]
    pub id: String,
    pub order_id: String,
    /// As it was asked for; what has paid stands in the order's `payments`.
    #[serde(rename = "type")]
    pub kind: PaymentType,
    #[schema(example = "1000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Always `succeeded`: a payment that is refused leaves none behind.
    pub status: &'static str,
    pub created_at: String,
    pub live_mode: bool,
}

impl Payment {
    fn of(row: &PaymentRow, live_mode: bool) -> Result<Self, ApiError> {
        let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
        let kind = PaymentType::parse(&row.kind).ok_or_else(|| ApiError::internal(format!("type of payment {}", row.id)))?;
        Ok(Payment {
            id: OrderPaymentId::of(row.id).to_string(),
            order_id: OrderId::of(row.order_id).to_string(),
            kind,
            amount: Money::new(row.amount_minor, currency).to_string(),
            currency: currency.to_string(),
            status: "succeeded",
            created_at: Timestamp::from(row.created_at).to_string(),
            live_mode,
        })
    }
}

fn sees(visible: Option<&[AgencyId]>, agency: i64) -> bool {
    visible.is_none_or(|own| own.iter().any(|id| id.raw() == agency))
}

fn not_found() -> ApiError {
    ApiError::of(Code::NotFound)
}

/// Pays an order that is held and issues its tickets in the same commit, like an order that is paid at once. The amount is the order's total of now: as
/// it was held until `price_guarantee_expires_at`, afterwards as `GET /air/orders/{id}` shows it. `Idempotency-Key` is accepted; without one the same
/// payment of the same order is one payment, and the repetition answers it with 200.
#[utoipa::path(post, path = "/air/payments", tag = "Orders", operation_id = "create_payment",
    params(("dry_run" = Option<bool>, Query, description = "True answers the decision, the split and the ledger entries, and does nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Kept as long as the payment, refusals included")),
    request_body = Data<PayOrder>,
    responses((status = 201, body = Data<Payment>), (status = 200, description = "The payment that exists already", body = Data<Payment>),
        (status = 202, description = "The outcome is not known yet: read the operation"), (status = 404, body = ErrorBody),
        (status = 409, description = "`already_paid`, `order_already_cancelled`, `idempotency_key_reused`", body = ErrorBody),
        (status = 422, description = "`payment_window_closed`, `price_changed`, `payment_amount_mismatch`, `currency_mismatch`, `payment_type_not_supported`, \
            and what an order is refused for", body = ErrorBody),
        (status = 429, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub async fn create_payment(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    request: HttpRequest,
    query: Query,
    body: Body<PayOrder>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let order = OrderId::parse(&body.data.order_id).map_err(|error| Item::bad_id(&error, "/data/order_id"))?;
    let key = key_of(&request, Key::Accepted)?.unwrap_or_else(|| business_key(order, &body.data.payment));
    let fields = fields_of(&caller.app, "create_payment", &body.bytes)?.stored();
    let attempt = Attempt { key, fields };
    let visible = caller.visible_agencies().await?;
    let preparation = Preparation { caller: caller.clone(), visible, order, body: Arc::new(body.data), attempt: attempt.clone() };
    let prepared = match blocking(move || preparation.run()).await {
        Ok(prepared) => prepared,
        // A payment that was made is answered whatever has become of its order since.
        Err(error) => {
            if let Some(order) = attempt.earlier(&caller).await? {
                return answer(&caller, order, HttpResponse::Ok().insert_header(("Idempotent-Replayed", "true"))).await;
            }
            if !dry_run {
                attempt.remember(&caller, &error).await?;
            }
            return Err(error);
        }
    };
    if dry_run {
        return rehearse(&caller, names, prepared).await;
    }
    match issue(&caller, prepared).await? {
        Settled::Done(_) => answer(&caller, order, &mut HttpResponse::Created()).await,
        Settled::Before(order) => answer(&caller, order, HttpResponse::Ok().insert_header(("Idempotent-Replayed", "true"))).await,
        Settled::Outdated => Err(ApiError::internal("a payment that was not prepared from memory is out of date")),
        Settled::Pending(answer) => Ok(answer),
    }
}

/// The same payment of the same order.
fn business_key(order: OrderId, payment: &CreatePayment) -> IdempotencyKey {
    IdempotencyKey::Business(format!("{order}:{}:{}:{}", payment.kind, payment.amount, payment.currency))
}

async fn answer(
    caller: &Caller,
    order: OrderId,
    response: &mut actix_web::HttpResponseBuilder,
) -> Result<HttpResponse, ApiError> {
    let paid = caller.read(move |db| payment_of(db, order)).await?;
    let paid = paid.ok_or_else(|| ApiError::internal(format!("order {order} of a key has no payment")))?;
    Ok(response.json(Data { data: Payment::of(&paid, caller.app.mode.is_live())? }))
}

/// Everything before the commit: the order, its price of now, the terms of now.
struct Preparation {
    caller: Caller,
    visible: Option<Vec<AgencyId>>,
    order: OrderId,
    body: Arc<PayOrder>,
    attempt: Attempt,
}

struct Found {
    issued: IssuedOrder,
    seller: Agency,
    airline: Airline,
    terms: Terms,
    /// Those that the order was held on.
    private: PrivateFares,
}

impl Preparation {
    fn read(&self, db: &mut Db) -> Result<Found, ApiError> {
        let row = order(db, self.order)?.filter(|row| sees(self.visible.as_deref(), row.agency_id));
        let row = row.ok_or_else(|| not_found().at("/data/order_id"))?;
        let missing = |what: &str| ApiError::internal(format!("order {} has no {what}", self.order));
        let seller = agency(db, AgencyId::of(row.agency_id))?.ok_or_else(|| missing("agency"))?;
        let airline = airline(db, AirlineId::of(row.airline_id))?.ok_or_else(|| missing("airline"))?;
        let terms = self.caller.app.rules.terms_of(db, seller.id)?;
        let issued = issued_orders(db, vec![row])?.pop().ok_or_else(|| missing("row"))?;
        let codes = issued.held.as_ref().map(|held| codes_of(&held.offer)).unwrap_or_default();
        let private = private_fares_for(db, seller.id, self.caller.app.now(), &codes)?;
        Ok(Found { issued, seller, airline, terms, private })
    }

    fn run(&self) -> Result<IssueOrder, ApiError> {
        let app = &self.caller.app;
        let now = app.now();
        let Found { issued, seller, airline, terms, private } = app.store.read(|db| self.read(db))?;
        let held = issued.held.as_ref().ok_or_else(|| ApiError::of(Code::AlreadyPaid).at("/data/order_id"))?;
        if let HeldMove::Refused(refusal) = held.on(HeldEnd::Paid, now) {
            return Err(ApiError::from(refusal).at("/data/order_id"));
        }
        if issued.passengers.iter().any(|(_, key)| key.wrapped.is_empty()) {
            let message = "The data of a passenger were erased, and nobody can fly on the ticket: cancel the order.";
            return Err(ApiError::new(Code::InvalidState, message).at("/data/order_id"));
        }
        let held_at = Timestamp::from(issued.order.created_at);
        let priced = held.price(Tariff { catalogue: &app.catalogue, private: &private }, held_at, now);
        let (offer, priced_at) = priced.map_err(|error| ApiError::from(PlanError::from(error)).at("/data/order_id"))?;
        let tender = self.tender(held, &offer)?;
        let currency = offer.currency().map_err(ApiError::internal)?;
        let sold_on = now.date_in(seller.zone);
        let contract = in_force(&terms.contracts, airline.id, currency, sold_on);
        let contract = contract.ok_or_else(|| ApiError::of(Code::NoContract))?;
        let rules = terms.rules.in_force(seller.id, &seller.tier, sold_on);
        let terms = SaleTerms { agency: &seller, airline: airline.id, contract, rules: &rules, sold_on };
        let (tickets, _) = plan_tickets(&app.catalogue, &offer, &terms, people(&issued), priced_at)?;
        Ok(IssueOrder {
            claim: app.store.ids().block(1),
            cause: self.caller.cause(),
            key: self.attempt.key.clone(),
            fields: self.attempt.fields.clone(),
            organisation: self.caller.key.organisation,
            agency: seller.id,
            offer: OfferId::of(issued.order.offer_id),
            airline: airline.id,
            carrier: offer.carrier.clone(),
            accounting_code: airline.accounting_code,
            contract: contract.id,
            tax_remitter: contract.tax_remitter,
            cycle_rule: contract.payment.cycle_rule,
            airline_payment: contract.payment.airline,
            tender,
            intent: Intent::Pay(self.order),
            draw: Draw::default(),
            currency,
            departs_at: departs_at(&app.catalogue, &tickets),
            tickets,
            // It has its seats.
            seats: Vec::new(),
            metadata: issued.order.metadata,
            // Its order was read from the database just now.
            basis: None,
        })
    }

    /// The payment pays the price of now exactly. One of another amount after the guarantee is told what has changed.
    fn tender(&self, held: &HeldOrder, offer: &PricedOffer) -> Result<TenderWish, ApiError> {
        let (total, before) = (offer.total().map_err(ApiError::internal)?, held.offer.total().map_err(ApiError::internal)?);
        let mut problems = Problems::default();
        let paid = self.body.payment.read("/data/payment", total, &mut problems);
        if let Some(error) = problems.into_error() {
            let wrong_amount = error.items().iter().all(|item| item.code == Code::PaymentAmountMismatch);
            if wrong_amount && total != before {
                let message =
                    format!("The order was held at {before:?} and costs {total:?} now: the price was no longer guaranteed.");
                return Err(ApiError::new(Code::PriceChanged, message).at("/data/payment/amount"));
            }
            return Err(error);
        }
        match paid.map(|paid| paid.kind) {
            Some(PaymentType::ArcBspCash) => Ok(TenderWish::Credit),
            Some(PaymentType::Balance) => Ok(TenderWish::AgencyOrder),
            None => Err(ApiError::internal("a payment without a problem or a type")),
        }
    }
}

/// In the order of the offer. What is known of them stays under lock.
fn people(issued: &IssuedOrder) -> Vec<PassengerPlan> {
    let person = |(passenger, key): &(crate::ordering::PassengerRow, crate::ordering::PersonKeyRow)| PassengerPlan {
        offer_passenger: PassengerId::of(passenger.offer_passenger_id),
        kind: passenger.kind.clone(),
        sealed: Sealed { data: passenger.sealed.clone(), wrapped_key: key.wrapped.clone() },
    };
    issued.passengers.iter().map(person).collect()
}

/// One payment of an order that was held.
#[utoipa::path(get, path = "/air/payments/{id}", tag = "Orders", operation_id = "get_payment",
    params(("id" = String, Path)), responses((status = 200, body = Data<Payment>), (status = 404, body = ErrorBody)))]
pub async fn get_payment(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OrderPaymentId = path_id(&id)?;
    let visible = caller.visible_agencies().await?;
    let found = caller.read(move |db| payment(db, id)).await?.filter(|row| sees(visible.as_deref(), row.agency_id));
    Ok(ok(Payment::of(&found.ok_or_else(not_found)?, caller.app.mode.is_live())?))
}

/// Payments of orders that were held, newest first.
#[utoipa::path(get, path = "/air/payments", tag = "Orders", operation_id = "list_payments",
    params(("order_id" = Option<String>, Query), ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<Payment>), (status = 422, body = ErrorBody)))]
pub async fn list_payments(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let request = PageRequest::<i64>::read(&query, "/air/payments")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<OrderId> = query.id("order_id")?;
    let (visible, live) = (caller.visible_agencies().await?, caller.app.mode.is_live());
    let found = caller.read(move |db| payments(db, visible.as_deref(), of, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| Payment::of(&row, live))?))
}
