//! `/v1/payouts`: client money that goes back to its agency.

use super::confirmations::Confirmed;
use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{narrowed, not_found};
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::once_recorded;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::app::Platform;
use crate::db::WriteTx;
use crate::identity::{Business, Scope};
use crate::ids::{Id, PayoutId};
use crate::settlement::{self, NewPayout, pay_out, payout, payouts};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// A deposit goes back as far as the limit still covers what is owed; a wallet as far as it holds.
    PayoutPurpose = settlement::PayoutPurpose { DepositReturn, WalletWithdrawal }
}

/// Client money paid back to an agency. The amount is a decimal string in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Payout {
    #[schema(example = "pyo_0000000000001")]
    pub id: String,
    pub agency_id: String,
    pub purpose: PayoutPurpose,
    #[schema(example = "500.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub value_date: String,
    /// What the bank is to name on its statement.
    pub reference: String,
    pub posting_id: String,
    pub created_at: String,
}

impl From<settlement::Payout> for Payout {
    fn from(payout: settlement::Payout) -> Self {
        Payout {
            id: payout.id.to_string(),
            agency_id: payout.agency.to_string(),
            purpose: payout.purpose.into(),
            amount: payout.amount.to_string(),
            currency: payout.amount.currency.to_string(),
            value_date: payout.value_date.to_string(),
            reference: payout.reference,
            posting_id: payout.posting.to_string(),
            created_at: time(payout.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayOut {
    pub agency_id: String,
    pub purpose: PayoutPurpose,
    /// Decimal string, more than zero.
    #[schema(example = "500.00")]
    pub amount: String,
    /// The agency's.
    #[schema(example = "CNY")]
    pub currency: String,
    /// Not after the ledger date.
    pub value_date: String,
    /// What the bank is to name: 1 to 64 characters; the payout's own id if not given.
    pub reference: Option<String>,
}

impl PayOut {
    fn validate(&self) -> Result<NewPayout, ApiError> {
        let mut input = Input::default();
        let agency = input.id("agency_id", &self.agency_id);
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        let value_date = input.date("value_date", &self.value_date);
        let reference = match &self.reference {
            Some(text) => input.text("reference", text, 64).map(Some),
            None => Some(None),
        };
        let read = (|| {
            Some(NewPayout {
                agency: agency?,
                purpose: self.purpose.into(),
                amount: amount?,
                value_date: value_date?,
                reference: reference?,
            })
        })();
        input.finish(read)
    }
}

/// Pays client money back to its agency, from the clients' account. The same reference with the same content is the same payout. The operator only.
#[utoipa::path(post, path = "/v1/payouts", tag = "Settlement", operation_id = "pay_out", request_body = Data<PayOut>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money"),
        ("Airsettle-Confirmation" = Option<String>, Header, description = "`cnf_… 12345678`: for a large payment by a person, see `/v1/confirmations`")),
    responses((status = 403, description = "`confirmation_required`, `confirmation_invalid`", body = ErrorBody),
        (status = 201, body = Data<Payout>),
        (status = 200, description = "Recorded before under this reference", body = Data<Payout>),
        (status = 409, description = "`bank_reference_reused`", body = ErrorBody),
        (status = 422, description = "`deposit_needed`: the limit would not cover what is owed; `more_than_held`, `client_cash_short`, `withdrawals_frozen`, `currency_mismatch`, `invalid_value`", body = ErrorBody)))]
pub async fn make(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<PayOut>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let business = match new.purpose {
        settlement::PayoutPurpose::DepositReturn => Business::DepositReturn,
        settlement::PayoutPurpose::WalletWithdrawal => Business::WalletWithdrawal,
    };
    let confirmed = Confirmed::of(&caller, &platform, &request, business, new.agency.to_string(), new.amount).await?;
    let actor = caller.cause().actor;
    let record = move |tx: &mut WriteTx| confirmed.for_new(tx, |tx| pay_out(tx, actor, &new));
    once_recorded(&caller, &request, &body.bytes, "payout.make", record, |payout| Ok((payout.id, Payout::from(payout)))).await
}

/// Payouts, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/payouts", tag = "Settlement", operation_id = "list_payouts",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")), responses((status = 200, body = Page<Payout>)))]
pub async fn list_payouts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/payouts")?;
    let (window, limit) = (request.window(), request.fetch());
    let own = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| payouts(db, own.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |one| one.id.raw()).map(Payout::from)))
}

/// One payout.
#[utoipa::path(get, path = "/v1/payouts/{id}", tag = "Settlement", operation_id = "get_payout",
    params(("id" = String, Path, description = "`pyo_…`")), responses((status = 200, body = Data<Payout>)))]
pub async fn get_payout(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: PayoutId = path_id(&id)?;
    let own = caller.visible_agencies().await?;
    let found = caller.read(move |db| payout(db, id)).await?;
    let visible = found.filter(|one| own.is_none_or(|own| own.contains(&one.agency)));
    Ok(ok(Payout::from(visible.ok_or_else(not_found)?)))
}
