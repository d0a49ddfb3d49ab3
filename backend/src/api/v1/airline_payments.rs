//! `/v1/airline_payments`: airlines paid what their memos claimed.

use super::confirmations::Confirmed;
use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::{Sight, narrowed};
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::once_recorded;
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::app::Platform;
use crate::db::WriteTx;
use crate::identity::{Business, OrganisationKind, Scope};
use crate::ids::{AirlineId, Id};
use crate::settlement::{self, NewPayment, PaymentError, PaymentPurpose, PaymentsOf, payments_of, record_payment};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Money that an airline was paid. The amount is a decimal string in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AirlinePayment {
    #[schema(example = "pay_0000000000001")]
    pub id: String,
    pub airline_id: String,
    #[schema(example = "150.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub value_date: String,
    pub bank_reference: String,
    pub posting_id: String,
    pub created_at: String,
}

fn shown(payment: &settlement::Payment) -> Result<AirlinePayment, ApiError> {
    let PaymentPurpose::Airline { airline, amount } = &payment.purpose else {
        return Err(ApiError::internal(format!("payment {} is of no airline", payment.id)));
    };
    Ok(AirlinePayment {
        id: payment.id.to_string(),
        airline_id: airline.to_string(),
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
pub struct PayAirline {
    pub airline_id: String,
    /// Decimal string; not more than memos claimed and is not paid yet.
    #[schema(example = "150.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// Not after the ledger date.
    pub value_date: String,
    /// 1 to 64 characters.
    pub bank_reference: String,
}

impl PayAirline {
    fn validate(&self) -> Result<NewPayment, ApiError> {
        let mut input = Input::default();
        let airline = input.id("airline_id", &self.airline_id);
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        let value_date = input.date("value_date", &self.value_date);
        let bank_reference = input.text("bank_reference", &self.bank_reference, 64);
        let read = (|| {
            let purpose = PaymentPurpose::Airline { airline: airline?, amount: amount? };
            Some(NewPayment { purpose, value_date: value_date?, bank_reference: bank_reference? })
        })();
        input.finish(read)
    }
}

/// Records that an airline was paid from the own account what its memos claimed, the oldest decision first. The same bank reference with the same content
/// is the same payment. The operator only.
#[utoipa::path(post, path = "/v1/airline_payments", tag = "Memos", operation_id = "pay_airline", request_body = Data<PayAirline>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money"),
        ("Airsettle-Confirmation" = Option<String>, Header, description = "`cnf_… 12345678`: for a large payment by a person, see `/v1/confirmations`")),
    responses((status = 403, description = "`confirmation_required`, `confirmation_invalid`", body = ErrorBody),
        (status = 201, body = Data<AirlinePayment>),
        (status = 200, description = "Recorded before under this bank reference", body = Data<AirlinePayment>),
        (status = 409, description = "`bank_reference_reused`", body = ErrorBody),
        (status = 422, description = "`more_than_owed`, `own_cash_short`, `invalid_value`", body = ErrorBody)))]
pub async fn pay(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<PayAirline>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let PayAirline { airline_id, .. } = body.data;
    let amount = new.purpose.amount().map_err(PaymentError::from)?;
    let confirmed = Confirmed::of(&caller, &platform, &request, Business::AirlinePayment, airline_id, amount).await?;
    let actor = caller.cause().actor;
    let record = move |tx: &mut WriteTx| confirmed.for_new(tx, |tx| record_payment(tx, actor, &new));
    once_recorded(&caller, &request, &body.bytes, "airline.pay", record, |paid| Ok((paid.id, shown(&paid)?))).await
}

/// What airlines were paid of their memos, newest first. The operator sees all, an airline its own.
#[utoipa::path(get, path = "/v1/airline_payments", tag = "Memos", operation_id = "list_airline_payments",
    params(PageParams, ("airline_id" = Option<String>, Query, description = "Only to this airline")),
    responses((status = 200, body = Page<AirlinePayment>)))]
pub async fn list_airline_payments(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/airline_payments")?;
    let (window, limit) = (request.window(), request.fetch());
    let sight = Sight::of(&caller).await?;
    let visible = if caller.key.kind == OrganisationKind::Operator { None } else { Some(sight.airlines.unwrap_or_default()) };
    let of = PaymentsOf::Airlines(narrowed(query.id::<AirlineId>("airline_id")?, visible));
    let found = caller.read(move |db| payments_of(db, &of, window, limit)).await?;
    let found = request.page(found, |payment| payment.id.raw());
    Ok(page(&found.try_map(|payment| shown(&payment))?))
}
