//! `/air/orders`: ordering an offer and reading orders.

use super::create_order::{CreateOrder, OrderType, PaymentType, ValidOrder, ValidPassenger};
use super::issued::{Afterwards, shown_order};
use super::names::CatalogueNames;
use super::offer::passenger_ids;
use super::order::Order;
use super::searching::private_fares_for;
use crate::agencies::{Agency, Contract, contracts_of, in_force};
use crate::airlines::{Airline, airline_by_code};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, fields_of, key_of, reused};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::rejections::refusal;
use crate::api::v1::operations::{PendingOperation, pending};
use crate::app::App;
use crate::catalogue::private_fares::PrivateFares;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::identity::{IdempotencyKey, Scope, claims, first_difference};
use crate::ids::{Id, OfferId, OrderId};
use crate::ordering::{OrderRow, Person, PersonDocument, TenderWish, order, orders_of};
use crate::shopping::offer::PricedOffer;
use crate::shopping::price::reprice;
use crate::shopping::tariff::{Tariff, codes_of};
use crate::shopping::{FARE_ZONE, StoredSearch};
use crate::ticketing::{
    IssueOrder, IssuedOrder, Mode, Outcome, PassengerPlan, PlanError, QueueError, Refusal, issue_all, issued_orders,
    keep_refusal, plan_tickets,
};
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

/// Orders an offer and issues its tickets in the same commit; the airline's share leaves for the airline at once. `Idempotency-Key` is accepted; without
/// one the same passengers on the same offer are one order, and the repetition answers it with 200.
#[utoipa::path(post, path = "/air/orders", tag = "Orders", operation_id = "create_order",
    params(("dry_run" = Option<bool>, Query, description = "True answers the decision, the split and the ledger entries, and does nothing"),
        ("Idempotency-Key" = Option<String>, Header, description = "Kept as long as the order, refusals included")),
    request_body = Data<CreateOrder>,
    responses((status = 201, body = Data<Order>), (status = 200, description = "The order that exists already", body = Data<Order>),
        (status = 202, description = "The outcome is not known yet: read the operation", body = Data<PendingOperation>), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody), (status = 422, body = ErrorBody), (status = 429, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub async fn create_order(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    request: HttpRequest,
    query: Query,
    body: Body<CreateOrder>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirWrite)?;
    let dry_run = query.flag("dry_run")?.unwrap_or(false);
    let offer = body.data.offer_id()?;
    let key = key_of(&request, Key::Accepted)?.unwrap_or_else(|| business_key(&caller.app, offer, &body.data));
    let fields = fields_of(&caller.app, "create_order", &body.bytes)?.stored();
    let preparation =
        Preparation { caller: caller.clone(), offer, body: Arc::new(body.data), key: key.clone(), fields: fields.clone() };
    let prepared = blocking(move || preparation.run()).await;
    let (prepared, seller) = match prepared {
        Ok(prepared) => prepared,
        // An order that exists is answered whatever has become of its offer since.
        Err(error) => {
            if let Some(answer) = earlier(&caller, names.get_ref(), &key, &fields).await? {
                return Ok(answer);
            }
            if !dry_run {
                remember(&caller, &key, &fields, &error).await?;
            }
            return Err(error);
        }
    };
    if dry_run {
        return rehearse(&caller, names, prepared).await;
    }
    let outcome = caller.app.queue.issue(prepared).await;
    answer(&caller, &seller, names.get_ref(), outcome).await
}

async fn answer(
    caller: &Caller,
    seller: &Agency,
    names: &CatalogueNames,
    outcome: Result<Outcome, QueueError>,
) -> Result<HttpResponse, ApiError> {
    let label = match &outcome {
        Ok(Outcome::Issued(_)) => "issued",
        Ok(Outcome::Replayed(_)) => "replayed",
        Ok(Outcome::Refused(_) | Outcome::RefusedBefore(_)) => "refused",
        Ok(Outcome::KeyReused { .. }) => "key_reused",
        Err(_) => "failed",
    };
    caller.app.metrics.orders.with_label_values(&[label]).inc();
    match outcome {
        Ok(Outcome::Issued(issued)) => {
            let after = Afterwards::issued(&caller.app, &issued, seller);
            Ok(HttpResponse::Created().json(Data { data: shown_order(&caller.app, &issued, after, names)? }))
        }
        Ok(Outcome::Replayed(id)) => repeated(caller, names, id).await,
        Ok(Outcome::Refused(reason)) => Err(refusal(&reason)),
        Ok(Outcome::RefusedBefore(reason)) => Err(refusal(&reason).with_header("Idempotent-Replayed", "true")),
        Ok(Outcome::KeyReused { field }) => Err(reused(&field)),
        Err(QueueError::OutcomeUnknown { claim }) => Ok(pending(claim)),
        Err(error) => Err(error.into()),
    }
}

async fn repeated(caller: &Caller, names: &CatalogueNames, id: OrderId) -> Result<HttpResponse, ApiError> {
    let found = load(caller, id).await?;
    let (issued, after) = found.ok_or_else(|| ApiError::internal(format!("order {id} of a key is not there")))?;
    let shown = shown_order(&caller.app, &issued, after, names)?;
    Ok(HttpResponse::Ok().insert_header(("Idempotent-Replayed", "true")).json(Data { data: shown }))
}

/// What a key has led to before, if anything.
async fn earlier(
    caller: &Caller,
    names: &CatalogueNames,
    key: &IdempotencyKey,
    fields: &str,
) -> Result<Option<HttpResponse>, ApiError> {
    let (organisation, stored) = (caller.key.organisation, key.stored());
    let Some(row) = caller.read(move |db| claims(db, &[organisation], &[stored])).await?.pop() else { return Ok(None) };
    if let Some(field) = first_difference(&row.fields, fields).filter(|_| key.is_explicit()) {
        return Err(reused(&field));
    }
    match (row.resource_id, row.outcome) {
        (Some(id), _) => Ok(Some(repeated(caller, names, OrderId::of(id)).await?)),
        (None, Some(outcome)) => {
            let reason = serde_json::from_str(&outcome).map_err(ApiError::internal)?;
            Err(refusal(&reason).with_header("Idempotent-Replayed", "true"))
        }
        (None, None) => Ok(None),
    }
}

/// Keeps a decision against the sale with an explicit key: a late retry never turns it into a sale. What was merely malformed is not kept.
async fn remember(caller: &Caller, key: &IdempotencyKey, fields: &str, error: &ApiError) -> Result<(), ApiError> {
    let decisions = [
        Code::NoContract,
        Code::SplitExceedsFare,
        Code::OfferExpired,
        Code::OfferPriceChanged,
        Code::OfferNoLongerAvailable,
        Code::FareRuleNotMet,
        Code::FlightDeparted,
    ];
    let Some(item) = error.items().first().filter(|item| key.is_explicit() && decisions.contains(&item.code)) else {
        return Ok(());
    };
    let reason = Refusal::Unsellable { code: item.code.text().to_owned(), message: item.message.clone() };
    let (organisation, stored, fields) = (caller.key.organisation, key.stored(), fields.to_owned());
    caller.write(move |tx| keep_refusal(tx, organisation, &stored, &fields, &reason)).await
}

/// The same people on the same offer, whatever else the body says and in whatever order it names them.
fn business_key(app: &App, offer: OfferId, body: &CreateOrder) -> IdempotencyKey {
    let mut people: Vec<String> = body
        .passengers
        .iter()
        .map(|person| format!("{}/{}/{}", person.family_name, person.given_name, person.born_on).to_lowercase())
        .collect();
    people.sort();
    IdempotencyKey::Business(format!("{offer}:{}", app.vault.digest(people.join("\n").as_bytes())))
}

/// Everything before the commit: the offer, the terms, the price of now, the people.
struct Preparation {
    caller: Caller,
    offer: OfferId,
    body: Arc<CreateOrder>,
    key: IdempotencyKey,
    fields: String,
}

struct Found {
    seller: Agency,
    search: Option<Arc<StoredSearch>>,
    airline: Option<Airline>,
    contracts: Vec<Contract>,
    /// Read where the offer has any.
    private: PrivateFares,
}

impl Preparation {
    /// All reads on one connection: who sells, what, of whom and on which terms.
    fn read(&self, db: &mut Db) -> Result<Found, ApiError> {
        let seller = self.caller.selling_agency_in(db)?;
        let search = self.caller.app.searches.of_offer(db, self.offer)?;
        let carrier = search.as_ref().and_then(|search| search.offer(self.offer)).map(|offer| offer.carrier.as_str());
        let airline = carrier.map(|carrier| airline_by_code(db, carrier)).transpose()?.flatten();
        let contracts = contracts_of(db, seller.id)?;
        let codes = search.as_ref().and_then(|search| search.offer(self.offer)).map(codes_of).unwrap_or_default();
        let private =
            if codes.is_empty() { PrivateFares::none() } else { private_fares_for(db, &seller, self.caller.app.now(), &codes)? };
        Ok(Found { seller, search, airline, contracts, private })
    }

    fn run(&self) -> Result<(IssueOrder, Agency), ApiError> {
        let app = &self.caller.app;
        let now = app.now();
        let Found { seller, search, airline, contracts, private } = app.store.read(|db| self.read(db))?;
        let search = search.filter(|search| search.agency == seller.id);
        let search = search.ok_or_else(|| ApiError::of(Code::OfferNotFound).at("/data/selected_offers/0"))?;
        if search.is_expired(self.offer, now) {
            return Err(ApiError::of(Code::OfferExpired).at("/data/selected_offers/0"));
        }
        let valid = self.validate(&search)?;
        let stored = search.offer(self.offer).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
        self.check_company(&valid, stored, now)?;
        let tariff = Tariff { catalogue: &app.catalogue, private: &private };
        let offer = reprice(tariff, stored, now).map_err(PlanError::from)?;
        let airline = airline.ok_or_else(|| ApiError::of(Code::NoContract))?;
        let currency = offer.currency().map_err(ApiError::internal)?;
        let contract = in_force(&contracts, airline.id, currency, now.date_in(seller.zone));
        let contract = contract.ok_or_else(|| ApiError::of(Code::NoContract))?;
        let passengers = valid.passengers.iter().map(|person| self.passenger(person)).collect::<Result<_, _>>()?;
        let (tickets, seats) = plan_tickets(&app.catalogue, &offer, contract, passengers, now)?;
        let tender = match valid.payment.map(|payment| payment.kind) {
            Some(PaymentType::ArcBspCash) => TenderWish::Credit,
            Some(PaymentType::Balance) | None => TenderWish::AgencyOrder,
        };
        let order = IssueOrder {
            claim: app.store.ids().block(1),
            cause: self.caller.cause(),
            key: self.key.clone(),
            fields: self.fields.clone(),
            organisation: self.caller.key.organisation,
            agency: seller.id,
            offer: self.offer,
            airline: airline.id,
            carrier: offer.carrier.clone(),
            accounting_code: airline.accounting_code,
            contract: contract.id,
            tax_remitter: contract.tax_remitter,
            tender,
            currency,
            tickets,
            seats,
            metadata: serde_json::to_string(&valid.metadata).map_err(ApiError::internal)?,
        };
        Ok((order, seller))
    }

    fn validate(&self, search: &StoredSearch) -> Result<ValidOrder, ApiError> {
        let offer = search.offer(self.offer).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
        let valid = self.body.validate(offer, &passenger_ids(search.id, offer))?;
        if valid.kind == OrderType::Hold {
            let message = "This offer requires instant payment: order it with type `instant`.";
            return Err(ApiError::new(Code::InvalidValue, message).at("/data/type"));
        }
        Ok(valid)
    }

    /// Now that everybody's date of birth is known.
    fn check_company(&self, valid: &ValidOrder, offer: &PricedOffer, now: Timestamp) -> Result<(), ApiError> {
        let first_day = offer.segments().next().map(|segment| segment.departing_at.date());
        let age = |person: &ValidPassenger| {
            first_day.and_then(|day| day.years_since(person.born_on)).and_then(|age| u8::try_from(age).ok())
        };
        let party = valid.passengers.iter().map(|person| (person.kind, age(person)));
        match self.caller.app.catalogue.parties.rule(now.date_in(FARE_ZONE)) {
            Some(rule) if !rule.is_accompanied(party) => {
                let message = format!("Children and infants travel with somebody of {} or older.", rule.accompanying_age);
                Err(ApiError::new(Code::PassengerMismatch, message).at("/data/passengers"))
            }
            _ => Ok(()),
        }
    }

    fn passenger(&self, person: &ValidPassenger) -> Result<PassengerPlan, ApiError> {
        let document = person.document.as_ref().map(|document| PersonDocument {
            kind: document.kind.clone(),
            unique_identifier: document.unique_identifier.clone(),
            issuing_country_code: document.issuing_country_code.clone(),
            expires_on: document.expires_on,
        });
        let sealed = self.caller.app.vault.seal(&Person {
            title: person.title.into(),
            gender: person.gender.into(),
            given_name: person.given_name.clone(),
            family_name: person.family_name.clone(),
            born_on: person.born_on,
            email: person.email.clone(),
            phone_number: person.phone_number.clone(),
            infant: person.infant.map(Id::raw),
            document,
        });
        Ok(PassengerPlan {
            offer_passenger: person.id,
            kind: person.kind.text().to_owned(),
            sealed: sealed.map_err(ApiError::internal)?,
        })
    }
}

/// The decision of now without its effect.
async fn rehearse(caller: &Caller, names: web::Data<CatalogueNames>, prepared: IssueOrder) -> Result<HttpResponse, ApiError> {
    let app = caller.app.clone();
    let orders = [prepared];
    let (outcome, orders) = blocking(move || {
        let outcomes = app.store.rehearse(|tx| issue_all(tx, &app.chart, &orders, Mode::DryRun))?;
        Ok::<_, ApiError>((outcomes.into_iter().next(), orders))
    })
    .await?;
    match (outcome, &orders) {
        (Some(Outcome::Issued(issued)), [plan]) => {
            let shown = super::issued::shown_rehearsal(&caller.app, &issued, plan, names.get_ref())?;
            Ok(ok(shown))
        }
        (Some(Outcome::Refused(reason)), _) => Err(refusal(&reason)),
        _ => Err(ApiError::internal("a rehearsal without an outcome")),
    }
}

/// An order that the caller may see.
async fn load(caller: &Caller, id: OrderId) -> Result<Option<(IssuedOrder, Afterwards)>, ApiError> {
    let visible = caller.visible_agencies().await?;
    let app = caller.app.clone();
    caller
        .read(move |db| {
            let seen = order(db, id)?.filter(|row| visible.is_none_or(|own| own.iter().any(|id| id.raw() == row.agency_id)));
            completed(&app, db, seen.into_iter().collect()).map(|mut found| found.pop())
        })
        .await
}

/// Orders with their tickets and what became of them.
fn completed(app: &App, db: &mut Db, rows: Vec<OrderRow>) -> Result<Vec<(IssuedOrder, Afterwards)>, ApiError> {
    let issued = issued_orders(db, rows)?;
    let with = |issued: IssuedOrder| Afterwards::read(app, db, &issued).map(|after| (issued, after));
    issued.into_iter().map(with).collect()
}

/// One order with its tickets.
#[utoipa::path(get, path = "/air/orders/{id}", tag = "Orders", operation_id = "get_order",
    params(("id" = String, Path)), responses((status = 200, body = Data<Order>), (status = 404, body = ErrorBody)))]
pub async fn get_order(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let (issued, after) = load(&caller, path_id(&id)?).await?.ok_or_else(|| ApiError::of(Code::NotFound))?;
    Ok(ok(shown_order(&caller.app, &issued, after, names.get_ref())?))
}

/// An agency's orders, newest first.
#[utoipa::path(get, path = "/air/orders", tag = "Orders", operation_id = "list_orders",
    params(("booking_reference" = Option<String>, Query), ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<Order>), (status = 422, body = ErrorBody)))]
pub async fn list_orders(caller: Caller, names: web::Data<CatalogueNames>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let request = PageRequest::<i64>::read(&query, "/air/orders")?;
    let (window, limit) = (request.window(), request.fetch());
    let reference = query.get("booking_reference").map(str::to_owned);
    let agencies = caller.visible_agencies().await?;
    let app = caller.app.clone();
    let found = caller
        .read(move |db| {
            let rows = orders_of(db, agencies.as_deref(), reference.as_deref(), window, limit)?;
            completed(&app, db, rows)
        })
        .await?;
    let found = request.page(found, |(issued, _)| issued.order.id);
    Ok(page(&found.try_map(|(issued, after)| shown_order(&caller.app, &issued, after, names.get_ref()))?))
}
