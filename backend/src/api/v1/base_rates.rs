//! `/v1/base_rates`: reference rates that bank lines follow.

use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::credit::{self, NewBaseRate, base_rates, publish_rate};
use crate::identity::Scope;
use crate::ids::Id;
use crate::money::Currency;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A reference rate from a day on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BaseRate {
    #[schema(example = "bsr_0000000000001")]
    pub id: String,
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "LPR-1D")]
    pub name: String,
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    /// The last day, where a later rate follows.
    pub effective_until: Option<String>,
    /// A factor per year.
    #[schema(example = "0.031")]
    pub rate: String,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<credit::BaseRate> for BaseRate {
    fn from(rate: credit::BaseRate) -> Self {
        BaseRate {
            id: rate.id.to_string(),
            currency: rate.currency.to_string(),
            name: rate.name,
            effective_from: rate.effective_from.to_string(),
            effective_until: rate.effective_until.map(|day| day.to_string()),
            rate: rate.rate.to_string(),
            created_at: time(rate.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishBaseRate {
    #[schema(example = "CNY")]
    pub currency: String,
    /// 1 to 64 characters; lines name it.
    #[schema(example = "LPR-1D")]
    pub name: String,
    /// After the day from which the last one is in force. In the past, the interest of the days since then is put right today.
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    /// A factor per year from 0 to 1, of at most eight decimals, as text.
    #[schema(example = "0.031")]
    pub rate: String,
}

/// Published rates, newest publication first. The operator only.
#[utoipa::path(get, path = "/v1/base_rates", tag = "Settlement", operation_id = "list_base_rates",
    params(PageParams, ("currency" = Option<String>, Query, description = "ISO 4217: only this currency's"),
        ("name" = Option<String>, Query, description = "Only this rate's")),
    responses((status = 200, body = Page<BaseRate>)))]
pub async fn list_base_rates(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/base_rates")?;
    let (window, limit) = (request.window(), request.fetch());
    let unknown = |error| ApiError::new(Code::UnknownCurrency, format!("{error}.")).parameter("currency");
    let currency = query.get("currency").map(Currency::parse).transpose().map_err(unknown)?;
    let name = query.get("name").map(str::to_owned);
    let found = caller.read(move |db| base_rates(db, currency, name, window, limit)).await?;
    Ok(page(&request.page(found, |rate| rate.id.raw()).map(BaseRate::from)))
}

/// Publishes a reference rate from a day on; the one before it ends on the day before. The operator only.
#[utoipa::path(post, path = "/v1/base_rates", tag = "Settlement", operation_id = "publish_base_rate", request_body = Data<PublishBaseRate>,
    responses((status = 201, body = Data<BaseRate>),
        (status = 422, description = "`rate_overlaps`: one begins on this day or later; `invalid_value`, `unknown_currency`", body = ErrorBody)))]
pub async fn publish(caller: Caller, request: HttpRequest, body: Body<PublishBaseRate>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let mut input = Input::default();
    let currency = input.currency("currency", &body.data.currency);
    let name = input.text("name", &body.data.name, 64);
    let effective_from = input.date("effective_from", &body.data.effective_from);
    let rate = input.rate("rate", &body.data.rate);
    let read = (|| Some(NewBaseRate { currency: currency?, name: name?, effective_from: effective_from?, rate: rate? }))();
    let new = input.finish(read)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let published = publish_rate(tx, cause.actor, &new)?;
        audit::record(tx, &cause, "base_rate.publish", published.id)?;
        Ok(BaseRate::from(published))
    })
    .await
}
