//! `/air/orders`: ordering an offer and reading orders.

use super::create_order::{CreateOrder, OrderType, PaymentType, ValidOrder, ValidPassenger};
use super::issued::{Afterwards, shown_order};
use super::issuing::{Attempt, Settled, issue, outdated, rehearse};
use super::names::CatalogueNames;
use super::offer::passenger_ids;
use super::order::Order;
use super::searching::private_fares_for;
use crate::agencies::{Agency, in_force};
use crate::airlines::{Airline, airline_by_code};
use crate::api::caller::{Caller, Known};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, DataForNow, Page, ok_for_now, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, fields_of, key_of};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::v1::operations::PendingOperation;
use crate::app::App;
use crate::catalogue::private_fares::PrivateFares;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::identity::{IdempotencyKey, Scope};
use crate::ids::{Id, OfferId, OrderId};
use crate::ordering::{Awaiting, Draw, OrderFilter, OrderRow, Person, TenderWish, order, orders_of};
use crate::shopping::offer::PricedOffer;
use crate::shopping::price::reprice;
use crate::shopping::tariff::{Tariff, codes_of};
use crate::shopping::{FARE_ZONE, StoredSearch, hold_terms};
use crate::ticketing::{
    Basis, HoldPlan, Intent, IssueOrder, IssuedOrder, PassengerPlan, PlanError, SaleTerms, departs_at, issued_orders,
    plan_tickets,
};
use actix_web::{HttpRequest, HttpResponse, web};
use std::sync::Arc;

/// Orders an offer. `instant`: its tickets are issued in the same commit, and the airline's share leaves for the airline at once. `hold` (also
/// `pay_later`): seats and a record locator until the offer's `payment_required_by`; no money, no ticket, no limit is used; it is paid by
/// `/air/payments`. `Idempotency-Key` is accepted; without
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
    // Not an error yet: who asks comes before what is asked.
    body: Result<Body<CreateOrder>, ApiError>,
) -> Result<HttpResponse, ApiError> {
    let dry_run = query.flag("dry_run").map(|flag| flag.unwrap_or(false));
    let Body { data, bytes } = match (body, caller.known) {
        (Ok(body), _) => body,
        (Err(error), Known::Read) => return Err(error),
        (Err(error), Known::Remembered) => return caller.read_again(&request).await.and(Err(error)),
    };
    let mut sale = Sale { caller, names, body: data, bytes };
    if sale.caller.known == Known::Remembered {
        // What was prepared from memory counts for nothing unless a commit has decided on it.
        if matches!(dry_run, Ok(false))
            && let Some(answer) = sale.sell_from_memory(&request).await
        {
            return answer;
        }
        sale.caller = sale.caller.read_again(&request).await?;
    }
    sale.caller.require(Scope::AirWrite)?;
    sale.sell_from_the_database(&request, dry_run?).await
}

/// A request to order.
struct Sale {
    caller: Caller,
    names: web::Data<CatalogueNames>,
    body: CreateOrder,
    bytes: web::Bytes,
}

/// How often an order is prepared again because its basis changed between its reading and its commit.
const MOST_PREPARATIONS: usize = 3;

impl Sale {
    fn preparation(&self, request: &HttpRequest) -> Result<Preparation<'_>, ApiError> {
        let (app, body) = (&self.caller.app, &self.body);
        let offer = body.offer_id()?;
        let key = key_of(request, Key::Accepted)?.unwrap_or_else(|| business_key(app, offer, body));
        let fields = fields_of(app, "create_order", &self.bytes)?.stored();
        Ok(Preparation { caller: &self.caller, offer, body, attempt: Attempt { key, fields } })
    }

    /// The whole sale without a read before its commit; none if that is not possible or its basis has changed.
    async fn sell_from_memory(&self, request: &HttpRequest) -> Option<Result<HttpResponse, ApiError>> {
        let app = &self.caller.app;
        self.caller.require(Scope::AirWrite).ok()?;
        let preparation = self.preparation(request).ok()?;
        let basis = app.bases.recall(&self.caller.key)?;
        let search = app.searches.recall(preparation.offer)?;
        let offer = search.offer(preparation.offer)?;
        // Private fares are read.
        if !codes_of(offer).is_empty() {
            return None;
        }
        let (airline, private) = (app.bases.airline(&offer.carrier)?, PrivateFares::none());
        let found = Found { basis: basis.clone(), search: Some(search), airline: Some(airline), private };
        let order = preparation.prepare(found).ok()?;
        match issue(&self.caller, order).await {
            Ok(Settled::Outdated) => None,
            settled => Some(self.answer(&basis.seller, settled).await),
        }
    }

    async fn sell_from_the_database(&self, request: &HttpRequest, dry_run: bool) -> Result<HttpResponse, ApiError> {
        let caller = &self.caller;
        for _ in 0..MOST_PREPARATIONS {
            let preparation = self.preparation(request)?;
            let attempt = preparation.attempt.clone();
            let prepared = match preparation.read().await {
                Ok((seller, found)) => preparation.prepare(found).map(|order| (order, seller)),
                Err(error) => Err(error),
            };
            let (order, seller) = match prepared {
                Ok(prepared) => prepared,
                // An order that exists is answered whatever has become of its offer since.
                Err(error) => {
                    if let Some(id) = attempt.earlier(caller).await? {
                        return repeated(caller, self.names.get_ref(), id).await;
                    }
                    if !dry_run {
                        attempt.remember(caller, &error).await?;
                    }
                    return Err(error);
                }
            };
            if dry_run {
                return rehearse(caller, self.names.clone(), order).await;
            }
            match issue(caller, order).await {
                Ok(Settled::Outdated) => {}
                settled => return self.answer(&seller, settled).await,
            }
        }
        Err(outdated())
    }

    async fn answer(&self, seller: &Agency, settled: Result<Settled, ApiError>) -> Result<HttpResponse, ApiError> {
        let (caller, names) = (&self.caller, self.names.get_ref());
        match settled? {
            Settled::Done(issued) => {
                let after = Afterwards::issued(&caller.app, &issued, seller);
                Ok(HttpResponse::Created().json(Data { data: shown_order(&caller.app, &issued, after, names)? }))
            }
            Settled::Before(id) => repeated(caller, names, id).await,
            Settled::Outdated => Err(outdated()),
            Settled::Pending(answer) => Ok(answer),
        }
    }
}

async fn repeated(caller: &Caller, names: &CatalogueNames, id: OrderId) -> Result<HttpResponse, ApiError> {
    let found = load(caller, id).await?;
    let (issued, after) = found.ok_or_else(|| ApiError::internal(format!("order {id} of a key is not there")))?;
    let shown = shown_order(&caller.app, &issued, after, names)?;
    Ok(HttpResponse::Ok().insert_header(("Idempotent-Replayed", "true")).json(Data { data: shown }))
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
struct Preparation<'a> {
    caller: &'a Caller,
    offer: OfferId,
    body: &'a CreateOrder,
    attempt: Attempt,
}

/// What an order is made of beside its body.
struct Found {
    basis: Arc<Basis>,
    search: Option<Arc<StoredSearch>>,
    airline: Option<Arc<Airline>>,
    /// Those that the offer got some of.
    private: PrivateFares,
}

impl Preparation<'_> {
    /// All reads on one connection: who sells, what, of whom and on which terms.
    async fn read(&self) -> Result<(Agency, Found), ApiError> {
        let (caller, offer) = (self.caller.clone(), self.offer);
        let reads = move |db: &mut Db| {
            let seller = caller.selling_agency_in(db)?;
            let search = caller.app.searches.of_offer(db, offer)?;
            let carrier = search.as_ref().and_then(|search| search.offer(offer)).map(|offer| offer.carrier.as_str());
            let airline = carrier.map(|carrier| airline_by_code(db, carrier)).transpose()?.flatten().map(Arc::new);
            let terms = caller.app.rules.terms_of(db, seller.id)?;
            let codes = search.as_ref().and_then(|search| search.offer(offer)).map(codes_of).unwrap_or_default();
            let private =
                if codes.is_empty() { PrivateFares::none() } else { private_fares_for(db, seller.id, caller.app.now(), &codes)? };
            let basis = Arc::new(Basis { key: caller.key.clone(), seller: seller.clone(), terms });
            if let Some(airline) = &airline {
                caller.app.bases.remember(basis.clone(), airline.clone());
            }
            Ok::<_, ApiError>((seller, Found { basis, search, airline, private }))
        };
        self.caller.read(reads).await
    }

    fn prepare(self, Found { basis, search, airline, private }: Found) -> Result<IssueOrder, ApiError> {
        let app = &self.caller.app;
        let (now, seller, terms) = (app.now(), &basis.seller, &basis.terms);
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
        let sold_on = now.date_in(seller.zone);
        let contract = in_force(&terms.contracts, airline.id, currency, sold_on);
        let contract = contract.ok_or_else(|| ApiError::of(Code::NoContract))?;
        let rules = terms.rules.in_force(seller.id, &seller.tier, sold_on);
        let terms = SaleTerms { agency: seller, airline: airline.id, contract, rules: &rules, sold_on };
        let passengers = valid.passengers.iter().map(|person| self.passenger(person)).collect::<Result<_, _>>()?;
        let (tickets, seats) = plan_tickets(&app.catalogue, &offer, &terms, passengers, now)?;
        let tender = match valid.payment.map(|payment| payment.kind) {
            Some(PaymentType::ArcBspCash) => TenderWish::Credit,
            Some(PaymentType::Balance) | None => TenderWish::AgencyOrder,
        };
        Ok(IssueOrder {
            claim: app.store.ids().block(1),
            cause: self.caller.cause(),
            organisation: self.caller.key.organisation,
            agency: seller.id,
            offer: self.offer,
            airline: airline.id,
            carrier: offer.carrier.clone(),
            accounting_code: airline.accounting_code.clone(),
            contract: contract.id,
            tax_remitter: contract.tax_remitter,
            cycle_rule: contract.payment.cycle_rule,
            airline_payment: contract.payment.airline,
            tender,
            intent: self.intent(valid.kind, &offer, &search, now)?,
            draw: Draw::default(),
            currency,
            departs_at: departs_at(&app.catalogue, &tickets),
            tickets,
            seats,
            metadata: serde_json::to_string(&valid.metadata).map_err(ApiError::internal)?,
            key: self.attempt.key,
            fields: self.attempt.fields,
            basis: Some(basis),
        })
    }

    fn validate(&self, search: &StoredSearch) -> Result<ValidOrder, ApiError> {
        let offer = search.offer(self.offer).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
        self.body.validate(offer, &passenger_ids(search.id, offer))
    }

    /// An order that is held gets what its offer promised.
    fn intent(&self, kind: OrderType, offer: &PricedOffer, search: &StoredSearch, now: Timestamp) -> Result<Intent, ApiError> {
        if kind == OrderType::Instant {
            return Ok(Intent::Issue);
        }
        let terms = hold_terms(&self.caller.app.catalogue, offer, search.priced_at(self.offer));
        let terms = terms.filter(|terms| now < terms.payment_required_by);
        let terms = terms.ok_or_else(|| ApiError::of(Code::HoldNotOffered).at("/data/type"))?;
        Ok(Intent::Hold(HoldPlan { terms, offer: serde_json::to_string(offer).map_err(ApiError::internal)? }))
    }

    /// Now that everybody's date of birth is known.
    fn check_company(&self, valid: &ValidOrder, offer: &PricedOffer, now: Timestamp) -> Result<(), ApiError> {
        let first_day = offer.segments().next().map(|segment| segment.departing_at.date());
        let age = |person: &ValidPassenger| u8::try_from(first_day?.years_since(person.born_on)?).ok();
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
        let sealed = self.caller.app.vault.seal(&Person {
            title: person.title.into(),
            gender: person.gender.into(),
            given_name: person.given_name.clone(),
            family_name: person.family_name.clone(),
            born_on: person.born_on,
            email: person.email.clone(),
            phone_number: person.phone_number.clone(),
            infant: person.infant.map(Id::raw),
            documents: person.documents.clone(),
            ticketed: None,
        });
        Ok(PassengerPlan {
            offer_passenger: person.id,
            kind: person.kind.text().to_owned(),
            sealed: sealed.map_err(ApiError::internal)?,
        })
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
    params(("id" = String, Path)), responses((status = 200, body = DataForNow<Order>), (status = 404, body = ErrorBody)))]
pub async fn get_order(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let (issued, after) = load(&caller, path_id(&id)?).await?.ok_or_else(|| ApiError::of(Code::NotFound))?;
    let countdown = after.countdown(caller.app.now());
    Ok(ok_for_now(shown_order(&caller.app, &issued, after, names.get_ref())?, countdown))
}

/// An agency's orders, newest first.
#[utoipa::path(get, path = "/air/orders", tag = "Orders", operation_id = "list_orders",
    params(("booking_reference" = Option<String>, Query),
        ("awaiting_payment" = Option<bool>, Query, description = "True: only orders that are held and can be paid; false: only the others"),
        ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<Order>), (status = 422, body = ErrorBody)))]
pub async fn list_orders(caller: Caller, names: web::Data<CatalogueNames>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let request = PageRequest::<i64>::read(&query, "/air/orders")?;
    let (window, limit) = (request.window(), request.fetch());
    let now = caller.app.now();
    let awaiting = |wanted| if wanted { Awaiting::At(now) } else { Awaiting::NotAt(now) };
    let filter = OrderFilter {
        agencies: caller.visible_agencies().await?,
        booking_reference: query.get("booking_reference").map(str::to_owned),
        awaiting_payment: query.flag("awaiting_payment")?.map(awaiting),
    };
    let app = caller.app.clone();
    let found = caller
        .read(move |db| {
            let rows = orders_of(db, &filter, window, limit)?;
            completed(&app, db, rows)
        })
        .await?;
    let found = request.page(found, |(issued, _)| issued.order.id);
    Ok(page(&found.try_map(|(issued, after)| shown_order(&caller.app, &issued, after, names.get_ref()))?))
}
