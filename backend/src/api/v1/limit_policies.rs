//! `/v1/limit_policies`: the rule that makes a sales limit out of a deposit. A version is immutable; a change is the next version.

use super::input::Input;
use super::shape::PageParams;
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody, Item};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::credit::{self, NewLimitPolicy, adopt_policy, limit_policies};
use crate::identity::Scope;
use crate::ids::Id;
use crate::money::Currency;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Limit = the smaller of deposit x multiplier and the cap.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitPolicy {
    #[schema(example = "pol_0000000000001")]
    pub id: String,
    pub version: i64,
    /// In the operator's zone.
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    #[schema(example = "1.5")]
    pub deposit_multiplier: String,
    #[schema(example = "1000000.00")]
    pub cap_amount: String,
    #[schema(example = "CNY")]
    pub cap_currency: String,
}

impl From<&credit::LimitPolicy> for LimitPolicy {
    fn from(policy: &credit::LimitPolicy) -> Self {
        LimitPolicy {
            id: policy.id.to_string(),
            version: policy.version,
            effective_from: policy.effective_from.to_string(),
            deposit_multiplier: policy.deposit_multiplier.to_string(),
            cap_amount: policy.cap.to_string(),
            cap_currency: policy.cap.currency.to_string(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptPolicy {
    /// Not before the version that is in force.
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    /// 0 to 100 as text.
    #[schema(example = "1.5")]
    pub deposit_multiplier: String,
    /// Decimal string, not negative.
    #[schema(example = "1000000.00")]
    pub cap_amount: String,
    /// ISO 4217: the currency that the policy is for.
    #[schema(example = "CNY")]
    pub cap_currency: String,
}

impl AdoptPolicy {
    fn validate(&self) -> Result<NewLimitPolicy, ApiError> {
        let mut input = Input::default();
        let effective_from = input.date("effective_from", &self.effective_from);
        let deposit_multiplier = input.rate("deposit_multiplier", &self.deposit_multiplier);
        let cap = input.money(("cap_amount", &self.cap_amount), ("cap_currency", &self.cap_currency));
        let read = (|| {
            let (effective_from, deposit_multiplier) = (effective_from?, deposit_multiplier?);
            Some(NewLimitPolicy { effective_from, deposit_multiplier, cap: cap? })
        })();
        input.finish(read)
    }
}

/// All versions, newest first. The operator only; an agency reads what applies to it at `/v1/limits/{agency}`.
#[utoipa::path(get, path = "/v1/limit_policies", tag = "Settlement", operation_id = "list_limit_policies",
    params(PageParams, ("currency" = Option<String>, Query, description = "Only this currency's")),
    responses((status = 200, body = Page<LimitPolicy>)))]
pub async fn list_limit_policies(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/limit_policies")?;
    let (window, limit) = (request.window(), request.fetch());
    let currency = query.get("currency").map(Currency::parse).transpose();
    let currency = currency.map_err(|error| ApiError::from(Item::money(&error, "")).parameter("currency"))?;
    let found = caller.read(move |db| limit_policies(db, currency, window, limit)).await?;
    Ok(page(&request.page(found, |policy| policy.id.raw()).map(|policy| LimitPolicy::from(&policy))))
}

/// Adopts the next version for a currency. The operator only.
#[utoipa::path(post, path = "/v1/limit_policies", tag = "Settlement", operation_id = "adopt_limit_policy", request_body = Data<AdoptPolicy>,
    responses((status = 201, body = Data<LimitPolicy>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`", body = ErrorBody)))]
pub async fn adopt(caller: Caller, request: HttpRequest, body: Body<AdoptPolicy>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::RiskWrite)?;
    let new = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let adopted = adopt_policy(tx, &new)?;
        audit::record(tx, &cause, "limit_policy.adopt", adopted.id)?;
        Ok(LimitPolicy::from(&adopted))
    })
    .await
}
