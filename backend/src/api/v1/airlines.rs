//! `/v1/airlines`: carriers that have signed, their ticket numbers, and whether they are sold.

use super::agencies::require_kind;
use super::input::Input;
use super::keys::NoDetails;
use super::shape::{PageParams, choice, time};
use super::sight::visible_airline;
use crate::airlines::{self, NewAirline, StockRow, add_stock, airlines_of, set_airline_status, sign_airline, stock_of};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::credit::resume_airline;
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AirlineId, Id, StockId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// A stopped airline is not sold.
    AirlineStatus = airlines::AirlineStatus { Active, Stopped }
}

/// A carrier with a contract, on whose stock tickets are issued.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedAirline {
    #[schema(example = "arl_0000000000001")]
    pub id: String,
    pub organisation_id: String,
    #[schema(example = "MU")]
    pub iata_code: String,
    /// The first three digits of its ticket numbers.
    #[schema(example = "781")]
    pub accounting_code: String,
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    pub status: AirlineStatus,
    /// Where its share of every ticket is paid.
    pub payee_account: String,
    pub payee_name: String,
}

impl From<airlines::Airline> for SignedAirline {
    fn from(airline: airlines::Airline) -> Self {
        SignedAirline {
            id: airline.id.to_string(),
            organisation_id: airline.organisation.to_string(),
            iata_code: airline.iata_code,
            accounting_code: airline.accounting_code,
            name: airline.name,
            country: airline.country,
            status: airline.status.into(),
            payee_account: airline.payee_account,
            payee_name: airline.payee_name,
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignAirline {
    /// An organisation of kind `airline`.
    pub organisation_id: String,
    /// A carrier of the catalogue; its name, country and accounting code come from there.
    #[schema(example = "MU")]
    pub iata_code: String,
    /// The airline's account at its bank: 1 to 64 characters.
    pub payee_account: String,
    /// The holder of that account: 1 to 140 characters.
    pub payee_name: String,
}

/// A range of document numbers that an airline has given to the platform.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StockRange {
    #[schema(example = "stk_0000000000001")]
    pub id: String,
    pub airline_id: String,
    /// Ten digits; with the accounting code in front it is a ticket number.
    #[schema(example = "2100000001")]
    pub first_document: String,
    pub last_document: String,
    /// The first that is still free; null when the range is used up.
    pub next_document: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<StockRow> for StockRange {
    fn from(range: StockRow) -> Self {
        let digits = |document: i64| format!("{document:010}");
        StockRange {
            id: StockId::of(range.id).to_string(),
            airline_id: AirlineId::of(range.airline_id).to_string(),
            first_document: digits(range.first_document),
            last_document: digits(range.last_document),
            next_document: (range.next_document <= range.last_document).then(|| digits(range.next_document)),
            created_at: time(range.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddStock {
    /// Ten digits, as text.
    #[schema(example = "2100000001")]
    pub first_document: String,
    /// Ten digits, as text; not before the first.
    pub last_document: String,
}

impl SignAirline {
    fn validate(&self, caller: &Caller) -> Result<NewAirline, ApiError> {
        let mut input = Input::default();
        let organisation = input.id("organisation_id", &self.organisation_id);
        let carrier = caller.app.catalogue.carriers.get(&self.iata_code).cloned();
        if carrier.is_none() {
            input.fail(Code::InvalidValue, "iata_code", "`iata_code` is not a carrier of the catalogue.");
        }
        let payee_account = input.text("payee_account", &self.payee_account, 64);
        let payee_name = input.text("payee_name", &self.payee_name, 140);
        let read = (|| {
            let (organisation, carrier) = (organisation?, carrier?);
            Some(NewAirline {
                organisation,
                iata_code: carrier.code.to_string(),
                accounting_code: carrier.accounting_code,
                name: carrier.name,
                country: carrier.country,
                payee_account: payee_account?,
                payee_name: payee_name?,
            })
        })();
        input.finish(read)
    }
}

/// Signed airlines, newest first. The operator sees all, an airline itself.
#[utoipa::path(get, path = "/v1/airlines", tag = "Settlement", operation_id = "list_signed_airlines",
    params(PageParams), responses((status = 200, body = Page<SignedAirline>)))]
pub async fn list_airlines(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/airlines")?;
    let (window, limit) = (request.window(), request.fetch());
    let owner = (!caller.is_operator()).then_some(caller.key.organisation);
    let found = caller.read(move |db| airlines_of(db, owner, window, limit)).await?;
    Ok(page(&request.page(found, |airline| airline.id.raw()).map(SignedAirline::from)))
}

/// Signs an airline of the catalogue. The operator only.
#[utoipa::path(post, path = "/v1/airlines", tag = "Settlement", operation_id = "sign_airline", request_body = Data<SignAirline>,
    responses((status = 201, body = Data<SignedAirline>),
        (status = 422, description = "`invalid_value`: a carrier that is not in the catalogue or is signed already", body = ErrorBody)))]
pub async fn sign(caller: Caller, request: HttpRequest, body: Body<SignAirline>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let new = body.data.validate(&caller)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        require_kind(tx.db, new.organisation, OrganisationKind::Airline)?;
        let signed = sign_airline(tx, new)?;
        audit::record(tx, &cause, "airline.sign", signed.id)?;
        Ok(SignedAirline::from(signed))
    })
    .await
}

/// One signed airline.
#[utoipa::path(get, path = "/v1/airlines/{id}", tag = "Settlement", operation_id = "get_signed_airline",
    params(("id" = String, Path, description = "`arl_…`")), responses((status = 200, body = Data<SignedAirline>)))]
pub async fn get_airline(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: AirlineId = path_id(&id)?;
    let reader = caller.clone();
    Ok(ok(SignedAirline::from(caller.read(move |db| visible_airline(&reader, db, id)).await?)))
}

/// The airline's ranges of ticket numbers, in the order in which they are used: all of them, on one page.
#[utoipa::path(get, path = "/v1/airlines/{id}/stock", tag = "Settlement", operation_id = "list_stock",
    params(("id" = String, Path, description = "`arl_…`")), responses((status = 200, body = Data<Vec<StockRange>>)))]
pub async fn list_stock(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: AirlineId = path_id(&id)?;
    let reader = caller.clone();
    let found = caller
        .read(move |db| {
            visible_airline(&reader, db, id)?;
            Ok::<_, ApiError>(stock_of(db, &[id])?)
        })
        .await?;
    Ok(ok(found.into_iter().map(StockRange::from).collect::<Vec<_>>()))
}

/// Adds a range of ticket numbers. The operator only.
#[utoipa::path(post, path = "/v1/airlines/{id}/stock", tag = "Settlement", operation_id = "add_stock",
    params(("id" = String, Path, description = "`arl_…`")), request_body = Data<AddStock>,
    responses((status = 201, body = Data<StockRange>),
        (status = 422, description = "`invalid_value`: the range runs backwards or overlaps another", body = ErrorBody)))]
pub async fn create_stock(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<AddStock>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let id: AirlineId = path_id(&id)?;
    let mut input = Input::default();
    let first = input.document("first_document", &body.data.first_document);
    let last = input.document("last_document", &body.data.last_document);
    let (first, last) = input.finish(first.zip(last))?;
    let (cause, writer) = (caller.cause(), caller.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        visible_airline(&writer, tx.db, id)?;
        let range = add_stock(tx, id, first, last)?;
        audit::record(tx, &cause, "airline.stock", StockId::of(range.id))?;
        Ok(StockRange::from(range))
    })
    .await
}

/// Stops sales on an airline. Stopping a stopped one changes nothing.
#[utoipa::path(post, path = "/v1/airlines/{id}/actions/stop", tag = "Settlement", operation_id = "stop_airline",
    params(("id" = String, Path, description = "`arl_…`")), request_body = Data<NoDetails>, responses((status = 200, body = Data<SignedAirline>)))]
pub async fn stop(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let id: AirlineId = path_id(&id)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let stopped = set_airline_status(tx, id, airlines::AirlineStatus::Stopped)?;
        audit::record(tx, &cause, "airline.stop", id)?;
        Ok(SignedAirline::from(stopped))
    })
    .await
}

/// Lets a stopped airline be sold again, unless a kill switch stopped it: that is lifted by two people.
#[utoipa::path(post, path = "/v1/airlines/{id}/actions/resume", tag = "Settlement", operation_id = "resume_airline",
    params(("id" = String, Path, description = "`arl_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<SignedAirline>), (status = 409, description = "`kill_switch_on`", body = ErrorBody)))]
pub async fn resume(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let id: AirlineId = path_id(&id)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let resumed = resume_airline(tx, id)?;
        audit::record(tx, &cause, "airline.resume", id)?;
        Ok(SignedAirline::from(resumed))
    })
    .await
}
