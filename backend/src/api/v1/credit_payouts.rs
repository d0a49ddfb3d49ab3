//! `/v1/credit_payouts`: what an agency has paid too much, or got back after it had paid, is paid out to it on request.

use super::confirmations::Confirmed;
use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::narrowed;
use crate::agencies::Cycle;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::once_recorded;
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::app::Platform;
use crate::db::WriteTx;
use crate::identity::{Business, Scope};
use crate::ids::{AgencyId, CreditPayoutId, Id, PostingId};
use crate::money::{Currency, Money};
use crate::settlement::{CreditPayoutRow, NewCreditPayout, credit_payouts, pay_out_credit};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreditPayout {
    #[schema(example = "cpo_0000000000001")]
    pub id: String,
    pub agency_id: String,
    #[schema(example = "2026-11-H1")]
    pub cycle: String,
    #[schema(example = "30.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub value_date: String,
    pub bank_reference: String,
    pub posting_id: String,
    pub created_at: String,
}

fn shown(row: &CreditPayoutRow) -> Result<CreditPayout, ApiError> {
    let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
    Ok(CreditPayout {
        id: CreditPayoutId::of(row.id).to_string(),
        agency_id: AgencyId::of(row.agency_id).to_string(),
        cycle: row.cycle.clone(),
        amount: Money::new(row.amount_minor, currency).to_string(),
        currency: row.currency.clone(),
        value_date: row.value_date.to_string(),
        bank_reference: row.bank_reference.clone(),
        posting_id: PostingId::of(row.posting_id).to_string(),
        created_at: time(row.created_at),
    })
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayOutCredit {
    pub agency_id: String,
    /// A cycle that is billed and has a credit.
    #[schema(example = "2026-11-H1")]
    pub cycle: String,
    /// Decimal string; not more than the credit.
    #[schema(example = "30.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Not after the ledger date.
    pub value_date: String,
    /// 1 to 64 characters.
    pub bank_reference: String,
}

impl PayOutCredit {
    fn validate(&self) -> Result<NewCreditPayout, ApiError> {
        let mut input = Input::default();
        let agency = input.id("agency_id", &self.agency_id);
        let cycle = Cycle::parse(&self.cycle);
        if cycle.is_none() {
            input.fail(Code::InvalidValue, "cycle", "`cycle` is a cycle such as \"2026-11-H1\".");
        }
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        let value_date = input.date("value_date", &self.value_date);
        let bank_reference = input.text("bank_reference", &self.bank_reference, 64);
        let read = (|| {
            let (agency, cycle, amount) = (agency?, cycle?, amount?);
            Some(NewCreditPayout { agency, cycle, amount, value_date: value_date?, bank_reference: bank_reference? })
        })();
        input.finish(read)
    }
}

/// Payouts, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/credit_payouts", tag = "Settlement", operation_id = "list_credit_payouts",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<CreditPayout>)))]
pub async fn list_credit_payouts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/credit_payouts")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| credit_payouts(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| shown(&row))?))
}

/// Records that a credit was paid out from the own account: only where the agency has nothing billed or charged to pay. The same bank reference with the
/// same content is the same payout. The operator only.
#[utoipa::path(post, path = "/v1/credit_payouts", tag = "Settlement", operation_id = "pay_out_credit", request_body = Data<PayOutCredit>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money"),
        ("Airsettle-Confirmation" = Option<String>, Header, description = "`cnf_… 12345678`: for a large payment by a person, see `/v1/confirmations`")),
    responses((status = 403, description = "`confirmation_required`, `confirmation_invalid`", body = ErrorBody),
        (status = 201, body = Data<CreditPayout>),
        (status = 200, description = "Recorded before under this bank reference", body = Data<CreditPayout>),
        (status = 409, description = "`bank_reference_reused`; `invalid_state`: something else is to be paid first", body = ErrorBody),
        (status = 422, description = "`more_than_owed`: more than the credit; `own_cash_short`, `withdrawals_frozen`, `currency_mismatch`, `invalid_value`", body = ErrorBody)))]
pub async fn pay(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<PayOutCredit>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let confirmed =
        Confirmed::of(&caller, &platform, &request, Business::CreditPayout, new.agency.to_string(), new.amount).await?;
    let actor = caller.cause().actor;
    let record = move |tx: &mut WriteTx| confirmed.for_new(tx, |tx| pay_out_credit(tx, actor, &new));
    once_recorded(&caller, &request, &body.bytes, "credit.pay_out", record, |row| Ok((CreditPayoutId::of(row.id), shown(&row)?)))
        .await
}
