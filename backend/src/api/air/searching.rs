//! `/air/offer_requests` and `/air/offers`: searching, and looking at what was found.

use super::conditions::{Detail, ShownConditions};
use super::names::CatalogueNames;
use super::offer::{Mode, Offer, OfferFacts};
use super::offer_request::{CreateOfferRequest, OfferRequest, OfferRequestFacts, Search, SearchPassenger, SearchSlice};
use super::{Names, offer_id};
use crate::agencies::{Agency, Contract, in_force};
use crate::airlines::{Airline, AirlineStatus, airlines};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, created, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::app::App;
use crate::catalogue::private_fares::{PrivateFares, private_fares_of};
use crate::catalogue::{BucketId, CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::commission::RulesInForce;
use crate::db::{Db, DbError};
use crate::identity::{KeyMode, Scope};
use crate::ids::{AgencyId, OfferId, OfferRequestId};
use crate::shopping::offer::{OfferSlice, PricedOffer};
use crate::shopping::request::{SearchRefusal, SearchRequest};
use crate::shopping::search::candidates;
use crate::shopping::tariff::Tariff;
use crate::shopping::{self, FARE_ZONE, StoredSearch, hold_terms, keep_search, search_of_offer, searches_of};
use crate::ticketing::{PlanError, SaleTerms, seats_sold, splits};
use actix_web::{HttpResponse, web};
use std::collections::HashMap;

impl From<KeyMode> for Mode {
    fn from(mode: KeyMode) -> Self {
        match mode {
            KeyMode::Live => Mode::Live,
            KeyMode::Test => Mode::Test,
        }
    }
}

impl From<&Search> for SearchRequest {
    fn from(search: &Search) -> Self {
        let slice = |slice: &SearchSlice| shopping::request::SearchSlice {
            origin: slice.origin.clone(),
            destination: slice.destination.clone(),
            departure_date: slice.date,
        };
        let passenger =
            |passenger: &SearchPassenger| shopping::request::SearchPassenger { kind: passenger.kind, age: passenger.age };
        SearchRequest {
            slices: search.slices.iter().map(slice).collect(),
            passengers: search.passengers.iter().map(passenger).collect(),
            cabin: search.cabin,
            max_connections: search.max_connections.min(1),
        }
    }
}

impl From<&SearchRequest> for Search {
    fn from(request: &SearchRequest) -> Self {
        let slice = |slice: &shopping::request::SearchSlice| SearchSlice {
            origin: slice.origin.clone(),
            destination: slice.destination.clone(),
            date: slice.departure_date,
            departure_time: None,
            arrival_time: None,
        };
        let passenger =
            |passenger: &shopping::request::SearchPassenger| SearchPassenger { kind: passenger.kind, age: passenger.age };
        Search {
            slices: request.slices.iter().map(slice).collect(),
            passengers: request.passengers.iter().map(passenger).collect(),
            cabin: request.cabin,
            max_connections: request.max_connections,
            private_fares: Vec::new(),
        }
    }
}

pub(super) fn refused(refusal: &SearchRefusal) -> ApiError {
    let code = if *refusal == SearchRefusal::TooManyCoupons { Code::TooManyCoupons } else { Code::InvalidSearch };
    ApiError::new(code, format!("{refusal}.")).at(format!("/data/{}", refusal.field()))
}

/// What an agency may be offered: on a signed airline that sells, under terms that hold today and leave the airline a share.
struct Sellable<'s> {
    catalogue: &'s Catalogue,
    agency: &'s Agency,
    signed: &'s [Airline],
    contracts: &'s [Contract],
    rules: &'s RulesInForce<'s>,
    today: chrono::NaiveDate,
}

impl Sellable<'_> {
    fn check(&self, offer: &PricedOffer) -> Result<(), ApiError> {
        let airline = self.signed.iter().find(|airline| airline.iata_code == offer.carrier);
        let airline = airline.ok_or_else(|| ApiError::of(Code::NoContract))?;
        if airline.status != AirlineStatus::Active {
            return Err(ApiError::of(Code::AirlineStopped));
        }
        let Self { agency, rules, today: sold_on, .. } = *self;
        if offer.currency().map_err(ApiError::internal)? != agency.currency {
            return Err(ApiError::of(Code::NoContract));
        }
        let contract = in_force(self.contracts, airline.id, agency.currency, sold_on);
        let contract = contract.ok_or_else(|| ApiError::of(Code::NoContract))?;
        let terms = SaleTerms { agency, airline: airline.id, contract, rules, sold_on };
        splits(self.catalogue, offer, &terms).map_err(PlanError::from)?;
        Ok(())
    }
}

/// The times of day that a slice was limited to; they narrow what is shown and are not a part of the stored search.
fn at_wanted_times(offer: &PricedOffer, search: &Search) -> bool {
    offer.slices.iter().zip(&search.slices).all(|(slice, wanted)| {
        let (first, last) = (slice.segments.first(), slice.segments.last());
        let within = |range: Option<super::offer_request::TimeRange>, at: Option<chrono::NaiveTime>| {
            range.is_none_or(|range| at.is_some_and(|at| range.from <= at && at <= range.to))
        };
        within(wanted.departure_time, first.map(|segment| segment.departing_at.time()))
            && within(wanted.arrival_time, last.map(|segment| segment.arriving_at.time()))
    })
}

/// Seats sold in these buckets; one that is missing has sold none.
pub(super) fn sold_in(db: &mut Db, buckets: &[BucketId]) -> Result<HashMap<BucketId, i64>, DbError> {
    let raw: Vec<i64> = buckets.iter().map(|id| id.raw()).collect();
    let sold = seats_sold(db, &raw)?;
    Ok(sold.into_iter().filter_map(|(id, sold)| Some((BucketId::from_raw(id).ok()?, sold))).collect())
}

/// The agency's private fares of today, with the corporate ones whose codes are named.
pub(super) fn private_fares_for(
    db: &mut Db,
    agency: AgencyId,
    now: Timestamp,
    codes: &[(CarrierCode, String)],
) -> Result<PrivateFares, DbError> {
    Ok(PrivateFares::in_force(private_fares_of(db, agency)?, now.date_in(FARE_ZONE), codes))
}

fn look(app: &App, agency: &Agency, organisation: crate::ids::OrganisationId, search: &Search) -> Result<StoredSearch, ApiError> {
    let request = SearchRequest::from(search);
    let mut offers = find(app, agency, &request, &search.private_fares)?.map_err(|refusal| refused(&refusal))?;
    offers.retain(|offer| at_wanted_times(offer, search));
    let agency = agency.id;
    Ok(app.store.write(|tx| keep_search(tx, organisation, agency, request, offers))?)
}

/// What this agency can be sold, cheapest first; on its private fares too, on the corporate ones by their codes.
pub(super) fn find(
    app: &App,
    agency: &Agency,
    request: &SearchRequest,
    codes: &[(CarrierCode, String)],
) -> Result<Result<Vec<PricedOffer>, SearchRefusal>, ApiError> {
    let now = app.now();
    let found = match candidates(&app.catalogue, request, now) {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (sold, private) = app
        .store
        .read(|db| Ok::<_, DbError>((sold_in(db, found.bucket_ids())?, private_fares_for(db, agency.id, now, codes)?)))?;
    let mut offers = found.price(Tariff { catalogue: &app.catalogue, private: &private }, &sold, now);
    retain_sellable(app, agency, &mut offers)?;
    Ok(Ok(offers))
}

/// Refuses to sell what the agency has no terms for.
pub(super) fn check_sellable(app: &App, agency: &Agency, offer: &PricedOffer) -> Result<(), ApiError> {
    with_terms(app, agency, |sellable| sellable.check(offer))?
}

fn retain_sellable(app: &App, agency: &Agency, offers: &mut Vec<PricedOffer>) -> Result<(), ApiError> {
    with_terms(app, agency, |sellable| offers.retain(|offer| sellable.check(offer).is_ok()))
}

fn with_terms<T>(app: &App, agency: &Agency, look: impl FnOnce(&Sellable<'_>) -> T) -> Result<T, ApiError> {
    let today = app.now().date_in(agency.zone);
    let (signed, terms) = app.store.read(|db| Ok::<_, DbError>((airlines(db)?, app.rules.terms_of(db, agency.id)?)))?;
    let rules = terms.rules.in_force(agency.id, &agency.tier, today);
    let sellable =
        Sellable { catalogue: &app.catalogue, agency, signed: &signed, contracts: &terms.contracts, rules: &rules, today };
    Ok(look(&sellable))
}

pub(super) fn shown_offer(
    app: &App,
    search: &StoredSearch,
    position: usize,
    detail: Detail,
    names: &dyn Names,
) -> Result<Offer, ApiError> {
    let offer = search.offers.get(position).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let (now, priced) = (app.now(), search.priced(position));
    let facts = OfferFacts {
        id: offer_id(search.id, search.request.passengers.len(), position),
        request: search.id,
        mode: app.mode.into(),
        created_at: search.created_at,
        updated_at: priced.at,
        expires_at: priced.expires_at,
        hold: hold_terms(&app.catalogue, offer, priced.at),
        conditions: ShownConditions::of(&app.catalogue, offer, (now.date_in(FARE_ZONE), now), detail)?,
    };
    Offer::new(offer, facts, names).map_err(ApiError::internal)
}

fn shown_offers(app: &App, search: &StoredSearch, names: &dyn Names) -> Result<Vec<Offer>, ApiError> {
    (0..search.offers.len()).map(|position| shown_offer(app, search, position, Detail::Brief, names)).collect()
}

fn shown_request(app: &App, search: &StoredSearch, offers: Vec<Offer>, names: &dyn Names) -> OfferRequest {
    let facts = OfferRequestFacts { id: search.id, mode: app.mode.into(), created_at: search.created_at };
    OfferRequest::new(&Search::from(&search.request), facts, offers, names)
}

/// Searches: one slice is one way, two are a return, up to eight lead through several places. The offers can be ordered until they expire, and the price is calculated anew at the order.
#[utoipa::path(post, path = "/air/offer_requests", tag = "Search", operation_id = "create_offer_request",
    params(("return_offers" = Option<bool>, Query, description = "False leaves the offers out of the answer; list them by `/air/offers`"),
        ("supplier_timeout" = Option<u32>, Query, description = "Milliseconds; accepted and not needed, because no airline is asked while a search waits")),
    request_body = Data<CreateOfferRequest>,
    responses((status = 201, body = Data<OfferRequest>), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 422, body = ErrorBody), (status = 429, body = ErrorBody)))]
pub async fn create_offer_request(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    query: Query,
    body: Body<CreateOfferRequest>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let agency = caller.selling_agency().await?;
    let search = body.data.validate(names.get_ref(), caller.app.now())?;
    let return_offers = query.flag("return_offers")?.unwrap_or(true);
    supplier_timeout(&query)?;
    let (app, organisation) = (caller.app.clone(), caller.key.organisation);
    let stored = blocking(move || look(&app, &agency, organisation, &search)).await?;
    let offers = if return_offers { shown_offers(&caller.app, &stored, names.get_ref())? } else { Vec::new() };
    Ok(created(shown_request(&caller.app, &stored, offers, names.get_ref())))
}

fn supplier_timeout(query: &Query) -> Result<(), ApiError> {
    match query.get("supplier_timeout").map(str::parse::<u32>) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => {
            let message = "`supplier_timeout` is a whole number of milliseconds.";
            Err(ApiError::new(Code::InvalidValue, message).parameter("supplier_timeout"))
        }
    }
}

/// A search with its offers.
#[utoipa::path(get, path = "/air/offer_requests/{id}", tag = "Search", operation_id = "get_offer_request",
    params(("id" = String, Path)), responses((status = 200, body = Data<OfferRequest>), (status = 404, body = ErrorBody)))]
pub async fn get_offer_request(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let stored = visible_search(&caller, path_id(&id)?).await?.ok_or_else(|| ApiError::of(Code::NotFound))?;
    let offers = shown_offers(&caller.app, &stored, names.get_ref())?;
    Ok(ok(shown_request(&caller.app, &stored, offers, names.get_ref())))
}

/// Searches, newest first, without their offers.
#[utoipa::path(get, path = "/air/offer_requests", tag = "Search", operation_id = "list_offer_requests",
    params(("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<OfferRequest>), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub async fn list_offer_requests(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    query: Query,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let agency = caller.selling_agency().await?;
    let request = PageRequest::<i64>::read(&query, "/air/offer_requests")?;
    let (window, limit) = (request.window(), request.fetch());
    let stored = caller.read(move |db| searches_of(db, &[agency.id], window, limit)).await?;
    let found = request.page(stored, |search| crate::ids::Id::raw(search.id));
    Ok(page(&found.map(|search| shown_request(&caller.app, &search, Vec::new(), names.get_ref()))))
}

/// In which order, and which of them.
struct Listing {
    by: OrderBy,
    descending: bool,
    max_connections: Option<usize>,
}

#[derive(Clone, Copy)]
enum OrderBy {
    TotalAmount,
    TotalDuration,
}

impl Listing {
    fn read(query: &Query) -> Result<Self, ApiError> {
        let sort = query.get("sort").unwrap_or("total_amount");
        let (descending, field) = sort.strip_prefix('-').map_or((false, sort), |field| (true, field));
        let by = match field {
            "total_amount" => OrderBy::TotalAmount,
            "total_duration" => OrderBy::TotalDuration,
            _ => {
                let message = "`sort` is `total_amount` or `total_duration`, with `-` in front for the other direction.";
                return Err(ApiError::new(Code::InvalidValue, message).parameter("sort"));
            }
        };
        let most = |text: &str| {
            let message = "`max_connections` is a whole number such as 0 or 1.";
            text.parse().map_err(|_| ApiError::new(Code::InvalidValue, message).parameter("max_connections"))
        };
        Ok(Listing { by, descending, max_connections: query.get("max_connections").map(most).transpose()? })
    }

    /// Positions of the offers; of equal ones in the order of the search.
    fn positions(&self, offers: &[PricedOffer]) -> Result<Vec<usize>, ApiError> {
        let mut keyed = Vec::with_capacity(offers.len());
        for (position, offer) in offers.iter().enumerate() {
            let connections = offer.slices.iter().map(|slice| slice.segments.len().saturating_sub(1)).max().unwrap_or(0);
            if self.max_connections.is_some_and(|most| connections > most) {
                continue;
            }
            let key = match self.by {
                OrderBy::TotalAmount => offer.total().map_err(ApiError::internal)?.minor,
                OrderBy::TotalDuration => offer.slices.iter().map(OfferSlice::minutes).sum(),
            };
            keyed.push((if self.descending { -key } else { key }, position));
        }
        keyed.sort_unstable();
        Ok(keyed.into_iter().map(|(_, position)| position).collect())
    }
}

/// The offers of a search, at their latest prices.
#[utoipa::path(get, path = "/air/offers", tag = "Search", operation_id = "list_offers",
    params(("offer_request_id" = String, Query),
        ("sort" = Option<String>, Query, description = "`total_amount` (the default) or `total_duration`; `-total_amount` and `-total_duration` the other way round"),
        ("max_connections" = Option<u8>, Query, description = "Only offers with at most so many connections in every slice"),
        ("limit" = Option<u16>, Query), ("after" = Option<String>, Query), ("before" = Option<String>, Query)),
    responses((status = 200, body = Page<Offer>), (status = 404, body = ErrorBody), (status = 422, body = ErrorBody)))]
pub async fn list_offers(caller: Caller, names: web::Data<CatalogueNames>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id = query.required_id::<OfferRequestId>("offer_request_id")?;
    let listing = Listing::read(&query)?;
    let stored = visible_search(&caller, id).await?.ok_or_else(|| ApiError::of(Code::NotFound))?;
    let order = listing.positions(&stored.offers)?;
    // A position in the sorted list is the key: the flights of a search never change.
    let request = PageRequest::<i64>::read(&query, "/air/offers")?;
    let places = request.of_positions(order.len());
    let at = |place: i64| usize::try_from(place).ok().and_then(|place| order.get(place)).copied();
    let rows: Vec<(i64, usize)> = places.into_iter().filter_map(|place| Some((place, at(place)?))).collect();
    let found = request.page(rows, |(place, _)| *place);
    let found = found.try_map(|(_, position)| shown_offer(&caller.app, &stored, position, Detail::Brief, names.get_ref()))?;
    Ok(page(&found))
}

/// One offer, also after it has expired.
#[utoipa::path(get, path = "/air/offers/{id}", tag = "Search", operation_id = "get_offer",
    params(("id" = String, Path)), responses((status = 200, body = Data<Offer>), (status = 404, body = ErrorBody)))]
pub async fn get_offer(
    caller: Caller,
    names: web::Data<CatalogueNames>,
    id: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::AirRead)?;
    let id: OfferId = path_id(&id)?;
    let agency = caller.selling_agency().await?;
    let stored = caller.read(move |db| search_of_offer(db, id)).await?.filter(|search| search.agency == agency.id);
    let stored = stored.ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    let position = stored.position(id).ok_or_else(|| ApiError::of(Code::OfferNotFound))?;
    Ok(ok(shown_offer(&caller.app, &stored, position, Detail::EveryStep, names.get_ref())?))
}

async fn visible_search(caller: &Caller, id: OfferRequestId) -> Result<Option<StoredSearch>, ApiError> {
    let agency = caller.selling_agency().await?;
    let stored = caller.read(move |db| shopping::search(db, id)).await?;
    Ok(stored.filter(|search| search.agency == agency.id))
}
