//! `/v1/facilities/{id}/accruals` and `/v1/facilities/{id}/repayments`: what a bank line costs, and paying it back.

use super::confirmations::Confirmed;
use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::visible_facility;
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once_recorded, once_with};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::app::Platform;
use crate::audit;
use crate::credit::{self, accrue_in};
use crate::db::WriteTx;
use crate::identity::{Business, Scope};
use crate::ids::{FacilityId, Id};
use crate::money::Currency;
use crate::settlement::{self, NewPayment, PaymentError, PaymentPurpose, PaymentsOf, payments_of, record_payment};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One day of interest on a bank line. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Accrual {
    #[schema(example = "acr_0000000000001")]
    pub id: String,
    pub facility_id: String,
    #[schema(example = "2026-11-01")]
    pub day: String,
    /// The loan at the close of the day.
    #[schema(example = "915.00")]
    pub balance_amount: String,
    /// Base and margin per year, as a factor.
    #[schema(example = "0.06000000")]
    pub rate: String,
    /// Booked for this day: the rounded total less what was booked before.
    #[schema(example = "0.15")]
    pub booked_amount: String,
    /// What was not drawn of the limit, where the line costs a fee for it.
    pub undrawn_amount: String,
    pub commitment_rate: String,
    /// The commitment fee booked for this day.
    pub commitment_amount: String,
    /// All interest that is booked up to and with this day.
    pub total_booked_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The posting; null on a day that rounds to nothing.
    pub posting_id: Option<String>,
    pub created_at: String,
}

impl From<credit::Accrual> for Accrual {
    fn from(day: credit::Accrual) -> Self {
        Accrual {
            id: day.id.to_string(),
            facility_id: day.facility.to_string(),
            day: day.day.to_string(),
            balance_amount: day.balance.to_string(),
            rate: rust_decimal::Decimal::new(day.rate_e8, 8).to_string(),
            booked_amount: day.booked.to_string(),
            undrawn_amount: day.undrawn.to_string(),
            commitment_rate: rust_decimal::Decimal::new(day.commitment_rate_e8, 8).to_string(),
            commitment_amount: day.commitment.to_string(),
            total_booked_amount: day.total_booked.to_string(),
            currency: day.booked.currency.to_string(),
            posting_id: day.posting.map(|id| id.to_string()),
            created_at: time(day.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccrueInterest {
    /// The last day to accrue; yesterday's ledger date if not given. A day has to be over.
    #[schema(example = "2026-11-07")]
    pub through: Option<String>,
}

/// Accrues the interest of every day that is over and not accrued yet. It runs by itself each day; called again it makes nothing. Answers the days that
/// this call made, oldest first. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/accruals", tag = "Settlement", operation_id = "accrue_interest", request_body = Data<AccrueInterest>,
    params(("id" = String, Path, description = "`fac_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money")),
    responses((status = 200, body = Data<Vec<Accrual>>), (status = 404, body = ErrorBody),
        (status = 422, description = "`invalid_value`: the day is not over", body = ErrorBody)))]
pub async fn accrue(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<AccrueInterest>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let mut input = Input::default();
    let through = body.data.through.as_deref().map(|text| input.date("through", text));
    let through = input.finish(Some(through.flatten()))?;
    let cause = caller.cause();
    once_with(&caller, &request, Key::Required, &body.bytes, move |tx| {
        let made = accrue_in(tx, cause.actor, id, through)?;
        if !made.is_empty() {
            audit::record(tx, &cause, "facility.accrue", id)?;
        }
        Ok((StatusCode::OK, made.into_iter().map(Accrual::from).collect::<Vec<_>>()))
    })
    .await
}

/// The accrued days of a bank line, newest first. The operator and its bank.
#[utoipa::path(get, path = "/v1/facilities/{id}/accruals", tag = "Settlement", operation_id = "list_accruals",
    params(("id" = String, Path, description = "`fac_…`"), PageParams), responses((status = 200, body = Page<Accrual>)))]
pub async fn list_accruals(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: FacilityId = path_id(&id)?;
    let request = PageRequest::<i64>::read(&query, "/v1/facilities/{id}/accruals")?;
    let (window, limit, reader) = (request.window(), request.fetch(), caller.clone());
    let found = caller
        .read(move |db| {
            let line = visible_facility(&reader, db, id)?.facility;
            Ok::<_, ApiError>(credit::accruals(db, id, line.limit.currency, window, limit)?)
        })
        .await?;
    Ok(page(&request.page(found, |day| day.id.raw()).map(Accrual::from)))
}

/// Principal and interest that a bank got back. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacilityRepayment {
    #[schema(example = "pay_0000000000001")]
    pub id: String,
    pub facility_id: String,
    #[schema(example = "915.00")]
    pub principal_amount: String,
    #[schema(example = "1.07")]
    pub interest_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub value_date: String,
    pub bank_reference: String,
    pub posting_id: String,
    pub created_at: String,
}

fn repayment(payment: &settlement::Payment) -> Result<FacilityRepayment, ApiError> {
    let PaymentPurpose::FacilityRepayment { facility, principal, interest } = &payment.purpose else {
        return Err(ApiError::internal(format!("payment {} is no repayment", payment.id)));
    };
    Ok(FacilityRepayment {
        id: payment.id.to_string(),
        facility_id: facility.to_string(),
        principal_amount: principal.to_string(),
        interest_amount: interest.to_string(),
        currency: payment.amount.currency.to_string(),
        value_date: payment.value_date.to_string(),
        bank_reference: payment.bank_reference.clone(),
        posting_id: payment.posting.to_string(),
        created_at: time(payment.created_at),
    })
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RepayFacility {
    /// Decimal string; not more than is drawn.
    #[schema(example = "915.00")]
    pub principal_amount: String,
    /// Decimal string; not more than is accrued.
    #[schema(example = "1.07")]
    pub interest_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Not after the ledger date.
    pub value_date: String,
    /// 1 to 64 characters.
    pub bank_reference: String,
}

impl RepayFacility {
    fn validate(&self, facility: FacilityId) -> Result<NewPayment, ApiError> {
        let mut input = Input::default();
        let principal = input.money(("principal_amount", &self.principal_amount), ("currency", &self.currency));
        let interest = match Currency::parse(&self.currency) {
            Ok(_) => input.money(("interest_amount", &self.interest_amount), ("currency", &self.currency)),
            Err(_) => None,
        };
        let value_date = input.date("value_date", &self.value_date);
        let bank_reference = input.text("bank_reference", &self.bank_reference, 64);
        let read = (|| {
            let purpose = PaymentPurpose::FacilityRepayment { facility, principal: principal?, interest: interest? };
            Some(NewPayment { purpose, value_date: value_date?, bank_reference: bank_reference? })
        })();
        input.finish(read)
    }
}

/// Records that a bank was repaid from the own account, and frees its line in the same commit. The same bank reference with the same content is the same
/// repayment. The operator only.
#[utoipa::path(post, path = "/v1/facilities/{id}/repayments", tag = "Settlement", operation_id = "repay_facility", request_body = Data<RepayFacility>,
    params(("id" = String, Path, description = "`fac_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money"),
        ("Airsettle-Confirmation" = Option<String>, Header, description = "`cnf_… 12345678`: for a large payment by a person, see `/v1/confirmations`")),
    responses((status = 403, description = "`confirmation_required`, `confirmation_invalid`", body = ErrorBody),
        (status = 201, body = Data<FacilityRepayment>),
        (status = 200, description = "Recorded before under this bank reference", body = Data<FacilityRepayment>),
        (status = 409, description = "`bank_reference_reused`", body = ErrorBody),
        (status = 422, description = "`more_than_owed`, `own_cash_short`, `currency_mismatch`, `invalid_value`", body = ErrorBody)))]
pub async fn repay(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<RepayFacility>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: FacilityId = path_id(&id)?;
    let new = body.data.validate(id)?;
    let amount = new.purpose.amount().map_err(PaymentError::from)?;
    let confirmed = Confirmed::of(&caller, &platform, &request, Business::FacilityRepayment, id.to_string(), amount).await?;
    let actor = caller.cause().actor;
    let record = move |tx: &mut WriteTx| confirmed.for_new(tx, |tx| record_payment(tx, actor, &new));
    once_recorded(&caller, &request, &body.bytes, "facility.repay", record, |paid| Ok((paid.id, repayment(&paid)?))).await
}

/// The repayments of a bank line, newest first. The operator and its bank.
#[utoipa::path(get, path = "/v1/facilities/{id}/repayments", tag = "Settlement", operation_id = "list_repayments",
    params(("id" = String, Path, description = "`fac_…`"), PageParams), responses((status = 200, body = Page<FacilityRepayment>)))]
pub async fn list_repayments(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: FacilityId = path_id(&id)?;
    let request = PageRequest::<i64>::read(&query, "/v1/facilities/{id}/repayments")?;
    let (window, limit, reader) = (request.window(), request.fetch(), caller.clone());
    let found = caller
        .read(move |db| {
            visible_facility(&reader, db, id)?;
            Ok::<_, ApiError>(payments_of(db, &PaymentsOf::Facility(id), window, limit)?)
        })
        .await?;
    let found = request.page(found, |payment| payment.id.raw());
    Ok(page(&found.try_map(|payment| repayment(&payment))?))
}
