//! `/v1/velocity_rules` and `/v1/velocity_hits`: what is too much too quickly, and what has met such a rule.

use super::input::Input;
use super::shape::{PageParams, by_key, by_user, choice, time};
use super::sight::require_operator;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::audit;
use crate::identity::Scope;
use crate::ids::{AgencyId, Id};
use crate::money::Money;
use crate::risk::velocity::{self as rules, NewRule, Only, Terms, adopt_rule, velocity_hits, velocity_rules};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// `shadow` notes what would have been stopped; `refuse` stops the sale; `freeze` stops it and the agency's next ones.
    VelocityMode = rules::Mode { Off, Shadow, Refuse, Freeze }
}

choice! {
    VelocitySubject = rules::Subject { Agency, Key, Airline, Route }
}

choice! {
    VelocityMeasure = rules::Measure { Tickets, Amount }
}

/// Which sales count: those to which everything applies that is given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VelocityConditions {
    /// The first hour and the one without which it ends, on the agency's wall clock: 22 and 6 are eight hours over midnight.
    #[serde(default)]
    pub hours: Option<[u32; 2]>,
    /// Of the first flight.
    #[serde(default)]
    pub departs_within_minutes: Option<i64>,
    /// Only routes that the agency has not sold in the thirteen weeks before.
    #[serde(default)]
    pub new_route: bool,
    /// The price of a ticket, all of which comes back while it can be voided: in the rule's currency.
    #[serde(default)]
    pub price_from_amount: Option<String>,
}

/// A version of a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VelocityRule {
    #[schema(example = "vru_0000000000001")]
    pub id: String,
    #[schema(example = "night_surge")]
    pub code: String,
    pub version: i64,
    #[schema(example = "2026-12-01")]
    pub effective_from: String,
    pub mode: VelocityMode,
    pub subject: VelocitySubject,
    pub measure: VelocityMeasure,
    /// It slides in steps of a sixtieth of its length.
    #[schema(example = 60)]
    pub window_minutes: i64,
    /// More is too much: tickets, or an amount as text.
    #[schema(example = "50")]
    pub most: String,
    /// And more than so many times the agency's own average of the four weeks before.
    #[schema(example = "5")]
    pub usual_factor: Option<String>,
    /// Sales in others do not count.
    pub currency: Option<String>,
    pub only: VelocityConditions,
    pub created_at: String,
}

impl From<rules::Rule> for VelocityRule {
    fn from(rule: rules::Rule) -> Self {
        let Terms { subject, measure, window_minutes, most, usual_factor, only, currency } = rule.terms;
        let amount = |minor: i64| rule.currency.map_or_else(|| minor.to_string(), |of| Money::new(minor, of).to_string());
        VelocityRule {
            id: rule.id.to_string(),
            code: rule.code,
            version: rule.version,
            effective_from: rule.effective_from.to_string(),
            mode: rule.mode.into(),
            subject: subject.into(),
            measure: measure.into(),
            window_minutes,
            most: if measure == rules::Measure::Amount { amount(most) } else { most.to_string() },
            usual_factor,
            currency,
            only: VelocityConditions {
                hours: only.hours.map(|(from, until)| [from, until]),
                departs_within_minutes: only.departs_within_minutes,
                new_route: only.new_route,
                price_from_amount: only.price_from_minor.map(amount),
            },
            created_at: time(rule.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdoptVelocityRule {
    /// Small letters, digits and _; the same one is the next version.
    #[schema(example = "night_surge")]
    pub code: String,
    /// Today or later.
    #[schema(example = "2026-12-01")]
    pub effective_from: String,
    pub mode: VelocityMode,
    pub subject: VelocitySubject,
    pub measure: VelocityMeasure,
    /// 1 to 1440.
    #[schema(example = 60)]
    pub window_minutes: i64,
    /// Tickets, or an amount in `currency`, as text.
    #[schema(example = "50")]
    pub most: String,
    #[serde(default)]
    pub usual_factor: Option<String>,
    /// Needed for amounts.
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default)]
    pub only: Option<VelocityConditions>,
}

impl AdoptVelocityRule {
    fn validate(self) -> Result<NewRule, ApiError> {
        let mut input = Input::default();
        let effective_from = input.date("effective_from", &self.effective_from);
        let code = self.currency.clone().unwrap_or_default();
        let currency = self.currency.as_deref().map(|code| input.currency("currency", code));
        let most = match self.measure {
            VelocityMeasure::Tickets => match self.most.parse::<i64>() {
                Ok(most) => Some(most),
                Err(_) => {
                    input.fail(Code::InvalidValue, "most", "`most` is a whole number as text.");
                    None
                }
            },
            VelocityMeasure::Amount => input.money(("most", &self.most), ("currency", &code)).map(|most| most.minor),
        };
        let only = self.only.unwrap_or_default();
        let price = only.price_from_amount.as_deref();
        let price = price.map(|text| input.money(("only/price_from_amount", text), ("currency", &code)));
        let read = (|| {
            currency.as_ref().is_none_or(Option::is_some).then_some(())?;
            let terms = Terms {
                subject: self.subject.into(),
                measure: self.measure.into(),
                window_minutes: self.window_minutes,
                most: most?,
                usual_factor: self.usual_factor,
                only: Only {
                    hours: only.hours.map(|[from, until]| (from, until)),
                    departs_within_minutes: only.departs_within_minutes,
                    new_route: only.new_route,
                    price_from_minor: price.map_or(Some(None), |price| price.map(|price| Some(price.minor)))?,
                },
                currency: self.currency,
            };
            Some(NewRule { code: self.code, effective_from: effective_from?, mode: self.mode.into(), terms })
        })();
        input.finish(read)
    }
}

/// A sale that brought a rule's measure above what is too much.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VelocityHit {
    #[schema(example = "vht_0000000000001")]
    pub id: String,
    pub velocity_rule_id: String,
    pub agency_id: String,
    /// Who sold; null: a person did.
    pub key_id: Option<String>,
    /// Null: a key did.
    pub user_id: Option<String>,
    pub airline_id: String,
    /// The first flight.
    #[schema(example = "PEKSHA")]
    pub route: String,
    /// Null where the sale was refused.
    pub order_id: Option<String>,
    /// Tickets, or minor units, with this sale.
    pub reached: i64,
    /// What would not have been too much: of a rule by the agency's usual, what that was.
    pub most: i64,
    pub created_at: String,
}

impl From<rules::VelocityHit> for VelocityHit {
    fn from(hit: rules::VelocityHit) -> Self {
        VelocityHit {
            id: hit.id.to_string(),
            velocity_rule_id: hit.rule.to_string(),
            agency_id: hit.agency.to_string(),
            key_id: by_key(hit.by.stored()),
            user_id: by_user(hit.by.stored()),
            airline_id: hit.airline.to_string(),
            route: hit.route,
            order_id: hit.order.map(|id| id.to_string()),
            reached: hit.reached,
            most: hit.most,
            created_at: time(hit.created_at),
        }
    }
}

/// Every version of every rule, newest first. The operator only.
#[utoipa::path(get, path = "/v1/velocity_rules", tag = "Settlement", operation_id = "list_velocity_rules", params(PageParams),
    responses((status = 200, body = Page<VelocityRule>)))]
pub async fn list_velocity_rules(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/velocity_rules")?;
    let (window, limit) = (request.window(), request.fetch());
    let found = caller.read(move |db| velocity_rules(db, window, limit)).await?;
    Ok(page(&request.page(found, |rule| rule.id.raw()).map(VelocityRule::from)))
}

/// Adopts a rule, or the next version of one; it is in force on every node within a second of its first day. The operator only.
#[utoipa::path(post, path = "/v1/velocity_rules", tag = "Settlement", operation_id = "adopt_velocity_rule",
    request_body = Data<AdoptVelocityRule>,
    responses((status = 201, body = Data<VelocityRule>),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`; `version_in_the_past`", body = ErrorBody)))]
pub async fn adopt(caller: Caller, request: HttpRequest, body: Body<AdoptVelocityRule>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::RiskWrite)?;
    let new = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let adopted = adopt_rule(tx, &new)?;
        audit::record(tx, &cause, "velocity_rule.adopt", adopted.id)?;
        Ok(VelocityRule::from(adopted))
    })
    .await
}

/// What has met a rule, newest first: of one agency, or of all. The operator only.
#[utoipa::path(get, path = "/v1/velocity_hits", tag = "Settlement", operation_id = "list_velocity_hits",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<VelocityHit>)))]
pub async fn list_velocity_hits(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let request = PageRequest::<i64>::read(&query, "/v1/velocity_hits")?;
    let (window, limit) = (request.window(), request.fetch());
    let agency: Option<AgencyId> = query.id("agency_id")?;
    let found = caller.read(move |db| velocity_hits(db, agency, window, limit)).await?;
    Ok(page(&request.page(found, |hit| hit.id.raw()).map(VelocityHit::from)))
}
