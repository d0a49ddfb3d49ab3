//! `/v1/cash_transfers`: between the platform's own account and that of its clients' money.

use super::bank_receipts::BankAccount;
use super::confirmations::Confirmed;
use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::not_found;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once_with};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::app::Platform;
use crate::audit;
use crate::credit::{self, Confirmation, confirm_transfer, order_transfer, sweep, transfer, transfers};
use crate::identity::{Business, Scope};
use crate::ids::{CashTransferId, Id};
use crate::ledger::Purse;
use crate::money::Money;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CashTransfer {
    #[schema(example = "xfr_0000000000001")]
    pub id: String,
    /// `own`: a sweep of earned money; `client`: own money for the clients' account.
    pub to: BankAccount,
    #[schema(example = "55.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The ticket whose void made it necessary.
    pub ticket_id: Option<String>,
    pub bank_reference: Option<String>,
    pub value_date: Option<String>,
    pub created_at: String,
    /// Null while it is ordered and the bank has not done it.
    pub confirmed_at: Option<String>,
}

impl From<credit::CashTransfer> for CashTransfer {
    fn from(transfer: credit::CashTransfer) -> Self {
        CashTransfer {
            id: transfer.id.to_string(),
            to: transfer.to.into(),
            amount: transfer.amount.to_string(),
            currency: transfer.amount.currency.to_string(),
            ticket_id: transfer.ticket.map(|id| id.to_string()),
            bank_reference: transfer.confirmation.as_ref().map(|said| said.bank_reference.clone()),
            value_date: transfer.confirmation.map(|said| said.value_date.to_string()),
            created_at: time(transfer.created_at),
            confirmed_at: transfer.confirmed_at.map(time),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeTransfer {
    /// `own` records a sweep that the bank has done; `client` orders own money into the clients' account.
    pub to: BankAccount,
    /// Decimal string, more than zero; a sweep not more than what is above the cover.
    #[schema(example = "55.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// For a sweep, and only then: 1 to 64 characters.
    pub bank_reference: Option<String>,
    /// For a sweep, and only then: not after the ledger date.
    pub value_date: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmTransfer {
    /// 1 to 64 characters.
    pub bank_reference: String,
    /// Not after the ledger date.
    pub value_date: String,
}

impl MakeTransfer {
    fn validate(&self) -> Result<(Money, Option<Confirmation>), ApiError> {
        let mut input = Input::default();
        let swept = self.to == BankAccount::Own;
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        if amount.is_some_and(|amount| amount.minor <= 0) {
            input.fail(Code::InvalidValue, "amount", "`amount` is more than zero.");
        }
        let reference = input.only_if("bank_reference", self.bank_reference.as_deref(), swept);
        let date = input.only_if("value_date", self.value_date.as_deref(), swept);
        let reference = reference.and_then(|text| input.text("bank_reference", text, 64));
        let date = date.and_then(|text| input.date("value_date", text));
        let said = reference.zip(date).map(|(bank_reference, value_date)| Confirmation { bank_reference, value_date });
        input.finish(amount.map(|amount| (amount, said)))
    }
}

/// Records a sweep of earned money, or orders own money into the clients' account, where it counts as cover at once. The operator only.
#[utoipa::path(post, path = "/v1/cash_transfers", tag = "Settlement", operation_id = "make_cash_transfer", request_body = Data<MakeTransfer>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money"),
        ("Airsettle-Confirmation" = Option<String>, Header, description = "`cnf_… 12345678`: for a large payment by a person, see `/v1/confirmations`")),
    responses((status = 403, description = "`confirmation_required`, `confirmation_invalid`", body = ErrorBody),
        (status = 201, body = Data<CashTransfer>), (status = 409, description = "`bank_reference_reused`", body = ErrorBody),
        (status = 422, description = "`above_cover`, `own_cash_short`, `invalid_value`, `missing_field`", body = ErrorBody)))]
pub async fn make(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<MakeTransfer>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let (amount, said) = body.data.validate()?;
    let to = if body.data.to == BankAccount::Own { "own" } else { "client" };
    let confirmed = Confirmed::of(&caller, &platform, &request, Business::CashTransfer, to, amount).await?;
    let cause = caller.cause();
    once_with(&caller, &request, Key::Required, &body.bytes, move |tx| {
        confirmed.use_up(tx)?;
        let made = match &said {
            Some(said) => sweep(tx, cause.actor, amount, said)?,
            None => order_transfer(tx, cause.actor, amount)?,
        };
        let action = if made.to == Purse::Own { "cash.sweep" } else { "cash.order_transfer" };
        audit::record(tx, &cause, action, made.id)?;
        Ok((StatusCode::CREATED, CashTransfer::from(made)))
    })
    .await
}

/// The bank has done an ordered transfer. The operator only.
#[utoipa::path(post, path = "/v1/cash_transfers/{id}/actions/confirm", tag = "Settlement", operation_id = "confirm_cash_transfer",
    request_body = Data<ConfirmTransfer>, params(("id" = String, Path, description = "`xfr_…`"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money")),
    responses((status = 200, body = Data<CashTransfer>), (status = 404, body = ErrorBody),
        (status = 409, description = "`bank_reference_reused`", body = ErrorBody), (status = 422, body = ErrorBody)))]
pub async fn confirm(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<ConfirmTransfer>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let id: CashTransferId = path_id(&id)?;
    let mut input = Input::default();
    let reference = input.text("bank_reference", &body.data.bank_reference, 64);
    let date = input.date("value_date", &body.data.value_date);
    let said = reference.zip(date).map(|(bank_reference, value_date)| Confirmation { bank_reference, value_date });
    let said = input.finish(said)?;
    let cause = caller.cause();
    once_with(&caller, &request, Key::Required, &body.bytes, move |tx| {
        let confirmed = confirm_transfer(tx, cause.actor, id, &said)?;
        audit::record(tx, &cause, "cash.confirm_transfer", id)?;
        Ok((StatusCode::OK, CashTransfer::from(confirmed)))
    })
    .await
}

/// Transfers, newest first. The operator only.
#[utoipa::path(get, path = "/v1/cash_transfers", tag = "Settlement", operation_id = "list_cash_transfers",
    params(PageParams), responses((status = 200, body = Page<CashTransfer>)))]
pub async fn list_cash_transfers(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/cash_transfers")?;
    let (window, limit) = (request.window(), request.fetch());
    let found = match caller.is_operator() {
        true => caller.read(move |db| transfers(db, window, limit)).await?,
        false => Vec::new(),
    };
    Ok(page(&request.page(found, |transfer| transfer.id.raw()).map(CashTransfer::from)))
}

/// One transfer. The operator only.
#[utoipa::path(get, path = "/v1/cash_transfers/{id}", tag = "Settlement", operation_id = "get_cash_transfer",
    params(("id" = String, Path, description = "`xfr_…`")), responses((status = 200, body = Data<CashTransfer>)))]
pub async fn get_cash_transfer(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: CashTransferId = path_id(&id)?;
    let found = caller.read(move |db| transfer(db, id)).await?.filter(|_| caller.is_operator());
    Ok(ok(found.map(CashTransfer::from).ok_or_else(not_found)?))
}
