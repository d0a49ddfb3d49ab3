//! `/v1/airline_caps`: how much airlines may owe before they are not paid ahead any more.

use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::credit::{self, CapState, airline_caps, cap_states, set_airline_cap};
use crate::db::{Db, DbError};
use crate::identity::Scope;
use crate::ids::{AirlineId, Id};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an airline may owe from a day on. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AirlineCap {
    #[schema(example = "cap_0000000000001")]
    pub id: String,
    pub airline_id: String,
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    #[schema(example = "100000.00")]
    pub cap_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Whether it is the one that holds today.
    pub in_force: bool,
    /// What the airline owes now; null of one that does not hold today.
    pub owed_amount: Option<String>,
    /// Rounded down; null of one that does not hold today.
    pub percent_used: Option<i64>,
    /// At the cap, advances wait until their tickets cannot be voided any more, and wallets wait for the airline's money.
    pub reached: bool,
    pub created_at: String,
}

impl AirlineCap {
    fn of(cap: &credit::AirlineCap, states: &[CapState]) -> Self {
        let state = states.iter().find(|state| state.cap.id == cap.id);
        AirlineCap {
            id: cap.id.to_string(),
            airline_id: cap.airline.to_string(),
            effective_from: cap.effective_from.to_string(),
            cap_amount: cap.cap.to_string(),
            currency: cap.cap.currency.to_string(),
            in_force: state.is_some(),
            owed_amount: state.map(|state| state.owed.to_string()),
            percent_used: state.map(CapState::percent_used),
            reached: state.is_some_and(CapState::is_reached),
            created_at: time(cap.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetAirlineCap {
    pub airline_id: String,
    /// Not before the last one's day.
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    /// Decimal string, not negative; below what the airline owes it only stops what is paid ahead.
    #[schema(example = "100000.00")]
    pub cap_amount: String,
    #[schema(example = "CNY")]
    pub cap_currency: String,
}

fn states(db: &mut Db, airline: Option<AirlineId>, today: NaiveDate) -> Result<Vec<CapState>, DbError> {
    cap_states(db, airline.as_ref().map(std::slice::from_ref), today)
}

/// What airlines may owe, newest first, with what they owe. The operator only.
#[utoipa::path(get, path = "/v1/airline_caps", tag = "Settlement", operation_id = "list_airline_caps",
    params(PageParams, ("airline_id" = Option<String>, Query, description = "Only this airline's")),
    responses((status = 200, body = Page<AirlineCap>)))]
pub async fn list_airline_caps(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/airline_caps")?;
    let (window, limit, today) = (request.window(), request.fetch(), caller.app.today());
    let airline: Option<AirlineId> = query.id("airline_id")?;
    let (found, states) =
        caller.read(move |db| Ok::<_, DbError>((airline_caps(db, airline, window, limit)?, states(db, airline, today)?))).await?;
    Ok(page(&request.page(found, |cap| cap.id.raw()).map(|cap| AirlineCap::of(&cap, &states))))
}

/// Sets what an airline may owe from a day on. The operator only.
#[utoipa::path(post, path = "/v1/airline_caps", tag = "Settlement", operation_id = "set_airline_cap", request_body = Data<SetAirlineCap>,
    responses((status = 201, body = Data<AirlineCap>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`", body = ErrorBody)))]
pub async fn set_cap(caller: Caller, request: HttpRequest, body: Body<SetAirlineCap>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let mut input = Input::default();
    let data = &body.data;
    let airline = input.id("airline_id", &data.airline_id);
    let effective_from = input.date("effective_from", &data.effective_from);
    let cap = input.money(("cap_amount", &data.cap_amount), ("cap_currency", &data.cap_currency));
    let read = (|| Some((airline?, effective_from?, cap?)))();
    let (airline, effective_from, cap): (AirlineId, NaiveDate, _) = input.finish(read)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let set = set_airline_cap(tx, airline, effective_from, cap)?;
        audit::record(tx, &cause, "airline.set_cap", set.id)?;
        let states = states(tx.db, Some(airline), tx.ledger_date)?;
        Ok(AirlineCap::of(&set, &states))
    })
    .await
}
