//! `/v1/tax_payments`: taxes paid over to their payees.

use super::confirmations::Confirmed;
use super::input::Input;
use super::shape::{PageParams, time};
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::once_recorded;
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::app::Platform;
use crate::db::WriteTx;
use crate::identity::{Business, Scope};
use crate::ids::Id;
use crate::settlement::{self, NewPayment, PaymentError, PaymentPurpose, PaymentsOf, payments_of, record_payment};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A tax that was paid over. The amount is a decimal string in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxPayment {
    #[schema(example = "pay_0000000000001")]
    pub id: String,
    #[schema(example = "CAAC")]
    pub payee: String,
    #[schema(example = "CN")]
    pub tax_code: String,
    #[schema(example = "50.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub value_date: String,
    pub bank_reference: String,
    pub posting_id: String,
    pub created_at: String,
}

fn tax_payment(payment: &settlement::Payment) -> Result<TaxPayment, ApiError> {
    let PaymentPurpose::Tax { payee, code, amount } = &payment.purpose else {
        return Err(ApiError::internal(format!("payment {} is of no tax", payment.id)));
    };
    Ok(TaxPayment {
        id: payment.id.to_string(),
        payee: payee.clone(),
        tax_code: code.clone(),
        amount: amount.to_string(),
        currency: amount.currency.to_string(),
        value_date: payment.value_date.to_string(),
        bank_reference: payment.bank_reference.clone(),
        posting_id: payment.posting.to_string(),
        created_at: time(payment.created_at),
    })
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayTax {
    /// As the tickets name it: 1 to 64 characters.
    #[schema(example = "CAAC")]
    pub payee: String,
    #[schema(example = "CN")]
    pub tax_code: String,
    /// Decimal string; not more than tickets carried and is not paid yet.
    #[schema(example = "50.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Not after the ledger date.
    pub value_date: String,
    /// 1 to 64 characters.
    pub bank_reference: String,
}

impl PayTax {
    fn validate(&self) -> Result<NewPayment, ApiError> {
        let mut input = Input::default();
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        let (payee, code) = (input.text("payee", &self.payee, 64), input.text("tax_code", &self.tax_code, 8));
        let value_date = input.date("value_date", &self.value_date);
        let bank_reference = input.text("bank_reference", &self.bank_reference, 64);
        let read = (|| {
            let purpose = PaymentPurpose::Tax { payee: payee?, code: code?, amount: amount? };
            Some(NewPayment { purpose, value_date: value_date?, bank_reference: bank_reference? })
        })();
        input.finish(read)
    }
}

/// Records that a tax was paid over from the own account. The same bank reference with the same content is the same payment. The operator only.
#[utoipa::path(post, path = "/v1/tax_payments", tag = "Settlement", operation_id = "pay_tax", request_body = Data<PayTax>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money"),
        ("Airsettle-Confirmation" = Option<String>, Header, description = "`cnf_… 12345678`: for a large payment by a person, see `/v1/confirmations`")),
    responses((status = 403, description = "`confirmation_required`, `confirmation_invalid`", body = ErrorBody),
        (status = 201, body = Data<TaxPayment>),
        (status = 200, description = "Recorded before under this bank reference", body = Data<TaxPayment>),
        (status = 409, description = "`bank_reference_reused`", body = ErrorBody),
        (status = 422, description = "`more_than_owed`, `own_cash_short`, `invalid_value`", body = ErrorBody)))]
pub async fn pay(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<PayTax>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let PayTax { payee, .. } = body.data;
    let amount = new.purpose.amount().map_err(PaymentError::from)?;
    let confirmed = Confirmed::of(&caller, &platform, &request, Business::TaxPayment, payee, amount).await?;
    let actor = caller.cause().actor;
    let record = move |tx: &mut WriteTx| confirmed.for_new(tx, |tx| record_payment(tx, actor, &new));
    once_recorded(&caller, &request, &body.bytes, "tax.pay", record, |paid| Ok((paid.id, tax_payment(&paid)?))).await
}

/// Taxes paid over, newest first. The operator only.
#[utoipa::path(get, path = "/v1/tax_payments", tag = "Settlement", operation_id = "list_tax_payments",
    params(PageParams), responses((status = 200, body = Page<TaxPayment>)))]
pub async fn list_tax_payments(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/tax_payments")?;
    let (window, limit) = (request.window(), request.fetch());
    // To whom the platform pays taxes is the operator's own business.
    let found = match caller.is_operator() {
        true => caller.read(move |db| payments_of(db, &PaymentsOf::Taxes, window, limit)).await?,
        false => Vec::new(),
    };
    let found = request.page(found, |payment| payment.id.raw());
    Ok(page(&found.try_map(|payment| tax_payment(&payment))?))
}
