//! `/v1/limits/{agency}/what_if`, its review, and `/v1/limit_alerts`: what would change a limit, what bounds it, and when it was used up.

use super::input::Input;
use super::limits::{AgencyLimit, HoldingCapacity};
use super::shape::{PageParams, time};
use super::sight::{narrowed, not_found, require_one, visible_agency};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::credit::{Addition, LimitAlertRow, Needed, agency_limits, counted, limit_alerts, review_limit};
use crate::identity::Scope;
use crate::ids::{AgencyId, Id, LimitAlertId};
use crate::money::{Currency, Money};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What would be added, in the agency's currency: each of them zero if not given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    /// Lodged more.
    #[schema(example = "500.00")]
    pub deposit_amount: Option<String>,
    /// A guarantee, before its haircut.
    pub guarantee_amount: Option<String>,
    /// 0 to 1 as text; 0 if not given.
    pub guarantee_haircut: Option<String>,
    /// Remitted of what is owed.
    pub remittance_amount: Option<String>,
    /// A temporary limit.
    pub temporary_amount: Option<String>,
    /// The net price of a sale on credit: what would it need?
    #[schema(example = "970.00")]
    pub sale_amount: Option<String>,
}

/// The limit as it would be, and what a sale would need.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Outlook {
    #[serde(flatten)]
    pub limit: AgencyLimit,
    /// With all of that; null where no sale was named.
    pub sale: Option<SaleNeeds>,
}

/// What each way alone would have to bring for the sale; null where it cannot, because something else bounds the limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SaleNeeds {
    /// The limit would cover it as it is.
    pub passes: bool,
    /// By how much the limit falls short.
    pub short_amount: String,
    pub remittance_amount: String,
    pub deposit_amount: Option<String>,
    /// After its haircut.
    pub guarantee_amount: Option<String>,
    pub temporary_amount: Option<String>,
    /// Into the wallet, which then pays for the sale with type `balance`.
    pub wallet_amount: String,
}

impl From<Needed> for SaleNeeds {
    fn from(needed: Needed) -> Self {
        let text = |amount: Option<Money>| amount.map(|amount| amount.to_string());
        SaleNeeds {
            passes: needed.short.minor == 0,
            short_amount: needed.short.to_string(),
            remittance_amount: needed.remittance.to_string(),
            deposit_amount: text(needed.deposit),
            guarantee_amount: text(needed.guarantee),
            temporary_amount: text(needed.temporary),
            wallet_amount: needed.wallet.to_string(),
        }
    }
}

impl WhatIf {
    fn read(&self, currency: Currency) -> Result<(Addition, Option<Money>), ApiError> {
        let mut input = Input::default();
        let code = currency.code();
        let mut amount = |field: &str, text: Option<&str>| {
            let amount = input.money((field, text.unwrap_or("0")), ("currency", code))?;
            if amount.is_negative() {
                input.fail(Code::InvalidValue, field, format!("`{field}` is not negative."));
            }
            Some(amount)
        };
        let deposit = amount("deposit_amount", self.deposit_amount.as_deref());
        let guarantee = amount("guarantee_amount", self.guarantee_amount.as_deref());
        let remittance = amount("remittance_amount", self.remittance_amount.as_deref());
        let temporary = amount("temporary_amount", self.temporary_amount.as_deref());
        let sale = amount("sale_amount", self.sale_amount.as_deref());
        let haircut = input.rate("guarantee_haircut", self.guarantee_haircut.as_deref().unwrap_or("0"));
        if haircut.is_some_and(|haircut| haircut.is_negative() || haircut.decimal() > rust_decimal::Decimal::ONE) {
            input.fail(Code::InvalidValue, "guarantee_haircut", "`guarantee_haircut` is between 0 and 1.");
        }
        let guarantee = guarantee.zip(haircut).and_then(|(amount, haircut)| counted(amount, haircut).ok());
        let read = (|| {
            let addition = Addition { deposit: deposit?, guarantee: guarantee?, remittance: remittance?, temporary: temporary? };
            Some((addition, sale?))
        })();
        let (addition, sale) = input.finish(read)?;
        Ok((addition, self.sale_amount.is_some().then_some(sale)))
    }
}

/// What would become of an agency's limit with more deposit, a guarantee, a remittance or a temporary limit, and what a given sale would need. Nothing
/// is changed.
#[utoipa::path(post, path = "/v1/limits/{agency}/what_if", tag = "Settlement", operation_id = "ask_limit", request_body = Data<WhatIf>,
    params(("agency" = String, Path, description = "`agy_…`")),
    responses((status = 200, body = Data<Outlook>), (status = 422, description = "`invalid_value`, `too_many_decimals`", body = ErrorBody)))]
pub async fn what_if(caller: Caller, id: web::Path<String>, body: Body<WhatIf>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::LimitsRead, Scope::FinanceRead])?;
    let id: AgencyId = path_id(&id)?;
    let (reader, today, asked) = (caller.clone(), caller.app.store.today(), body.data);
    let outlook = caller
        .read(move |db| {
            let agency = visible_agency(&reader, db, id)?;
            let (addition, sale) = asked.read(agency.currency)?;
            let limit = agency_limits(db, std::slice::from_ref(&agency), today)?.pop().ok_or_else(not_found)?;
            let too_much = |_| ApiError::new(Code::InvalidValue, "These amounts do not fit.");
            let then = limit.with(addition, today).map_err(too_much)?;
            let sale = sale.map(|sale| then.needed_for(sale, today)).transpose().map_err(too_much)?;
            Ok::<_, ApiError>(Outlook { limit: AgencyLimit::on(&then, today), sale: sale.map(SaleNeeds::from) })
        })
        .await?;
    Ok(ok(outlook))
}

/// A baseline that the limit stays below from now on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitReview {
    #[schema(example = "lrv_0000000000001")]
    pub id: String,
    pub agency_id: String,
    pub remittance_holding_capacity: HoldingCapacity,
}

/// Reviews a limit: it stays below the Remittance Holding Capacity of today until the next review. The operator only.
#[utoipa::path(post, path = "/v1/limits/{agency}/actions/review", tag = "Settlement", operation_id = "review_limit",
    params(("agency" = String, Path, description = "`agy_…`")), request_body = Data<super::keys::NoDetails>,
    responses((status = 201, body = Data<LimitReview>),
        (status = 409, description = "`invalid_state`: nothing was sold on credit in the last twelve months", body = ErrorBody)))]
pub async fn review(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<super::keys::NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::RiskWrite)?;
    let id: AgencyId = path_id(&id)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let (review, capacity) = review_limit(tx, id)?;
        audit::record(tx, &cause, "limit.review", review)?;
        Ok(LimitReview { id: review.to_string(), agency_id: id.to_string(), remittance_holding_capacity: capacity.into() })
    })
    .await
}

/// Exposure came up to a part of the limit. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitAlert {
    #[schema(example = "lal_0000000000001")]
    pub id: String,
    pub agency_id: String,
    /// 50, 75, 90 or 100.
    #[schema(example = 75)]
    pub percent: i64,
    pub currency: String,
    pub exposure_amount: String,
    pub limit_amount: String,
    pub created_at: String,
}

impl LimitAlert {
    fn of(row: LimitAlertRow) -> Result<Self, ApiError> {
        let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
        let amount = |minor| Money::new(minor, currency).to_string();
        Ok(LimitAlert {
            id: LimitAlertId::of(row.id).to_string(),
            agency_id: AgencyId::of(row.agency_id).to_string(),
            percent: row.percent,
            exposure_amount: amount(row.exposure_minor),
            limit_amount: amount(row.limit_minor),
            currency: row.currency,
            created_at: time(row.created_at),
        })
    }
}

/// When limits were used up to 50, 75, 90 and 100 %, newest first: once per crossing, and again only after 5 points below. The operator sees all, an agency
/// its own.
#[utoipa::path(get, path = "/v1/limit_alerts", tag = "Settlement", operation_id = "list_limit_alerts",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")), responses((status = 200, body = Page<LimitAlert>)))]
pub async fn list_limit_alerts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::LimitsRead, Scope::FinanceRead])?;
    let request = PageRequest::<i64>::read(&query, "/v1/limit_alerts")?;
    let (window, limit) = (request.window(), request.fetch());
    let own = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| limit_alerts(db, own.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(LimitAlert::of)?))
}
