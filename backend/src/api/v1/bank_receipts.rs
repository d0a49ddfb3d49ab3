//! `/v1/bank_receipts`: money that reached one of the platform's bank accounts.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, narrowed, not_found};
use crate::agencies::Cycle;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::once_recorded;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::db::WriteTx;
use crate::identity::Scope;
use crate::ids::{AgencyId, AirlineId, BankReceiptId, GuaranteeId, Id};
use crate::ledger::Purse;
use crate::settlement::{self, NewReceipt, receipt, receipts, record_receipt};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// Own money and client money never share a bank account.
    BankAccount = Purse { Own, Client }
}

/// What money is for: capital, an agency's remittance, the charges that it pays, what is recovered of what was written off, what a guarantor pays for an agency in default, and what an airline gives back go to the own account; deposits and wallet top-ups,
/// which are an agency's, to the client account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptPurpose {
    Capital,
    Deposit,
    Wallet,
    Remittance,
    Charges,
    Recovery,
    Guarantee,
    AirlineRepayment,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BankReceipt {
    #[schema(example = "rcp_0000000000001")]
    pub id: String,
    pub account: BankAccount,
    #[schema(example = "100000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "2026-11-01")]
    pub value_date: String,
    /// The bank's own reference; one reference is one receipt.
    pub bank_reference: String,
    pub purpose: ReceiptPurpose,
    pub agency_id: Option<String>,
    /// Of a remittance that names one: the cycle.
    #[schema(example = "2026-11-H1")]
    pub cycle: Option<String>,
    /// The commission that a remittance netted; zero for everything else.
    pub commission_amount: String,
    /// Of what an airline gave back.
    pub airline_id: Option<String>,
    /// Of what a guarantor paid.
    pub guarantee_id: Option<String>,
    /// The posting that booked it.
    pub posting_id: String,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<settlement::Receipt> for BankReceipt {
    fn from(receipt: settlement::Receipt) -> Self {
        BankReceipt {
            id: receipt.id.to_string(),
            account: receipt.account.into(),
            amount: receipt.amount.to_string(),
            currency: receipt.amount.currency.to_string(),
            value_date: receipt.value_date.to_string(),
            bank_reference: receipt.bank_reference,
            purpose: match receipt.purpose {
                settlement::Purpose::Capital => ReceiptPurpose::Capital,
                settlement::Purpose::Deposit(_) => ReceiptPurpose::Deposit,
                settlement::Purpose::Wallet(_) => ReceiptPurpose::Wallet,
                settlement::Purpose::Remittance(..) | settlement::Purpose::RemittanceOldestFirst(_) => ReceiptPurpose::Remittance,
                settlement::Purpose::Charges(_) => ReceiptPurpose::Charges,
                settlement::Purpose::Recovery(_) => ReceiptPurpose::Recovery,
                settlement::Purpose::Guarantee(..) => ReceiptPurpose::Guarantee,
                settlement::Purpose::AirlineRepayment(_) => ReceiptPurpose::AirlineRepayment,
            },
            cycle: receipt.purpose.cycle().map(|cycle| cycle.to_string()),
            commission_amount: receipt.commission.to_string(),
            airline_id: receipt.purpose.airline().map(|id| id.to_string()),
            guarantee_id: receipt.purpose.guarantee().map(|id| id.to_string()),
            agency_id: receipt.purpose.agency().map(|id| id.to_string()),
            posting_id: receipt.posting.to_string(),
            created_at: time(receipt.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordReceipt {
    /// `own` for capital, remittances, charges, recoveries, guarantees and what airlines give back, `client` for deposits and wallets.
    pub account: BankAccount,
    /// Decimal string, more than zero.
    #[schema(example = "100000.00")]
    pub amount: String,
    /// ISO 4217; for a deposit or a wallet the agency's.
    #[schema(example = "CNY")]
    pub currency: String,
    /// Not after the ledger date.
    #[schema(example = "2026-11-01")]
    pub value_date: String,
    /// 1 to 64 characters.
    pub bank_reference: String,
    pub purpose: ReceiptPurpose,
    /// For a deposit, a wallet, a remittance, charges, a recovery or a guarantee, and only then.
    pub agency_id: Option<String>,
    /// For a remittance, and only then: the cycle that it pays. Without it the oldest is paid first, and what is left stays as a credit in the newest.
    #[schema(example = "2026-11-H1")]
    pub cycle: Option<String>,
    /// For an airline repayment, and only then.
    pub airline_id: Option<String>,
    /// For a guarantee, and only then: the one that was called. Its agency is in default; it pays what is owed, oldest cycle first.
    pub guarantee_id: Option<String>,
}

impl RecordReceipt {
    fn validate(&self) -> Result<NewReceipt, ApiError> {
        let mut input = Input::default();
        let amount = input.money(("amount", &self.amount), ("currency", &self.currency));
        if amount.is_some_and(|amount| amount.minor <= 0) {
            input.fail(Code::InvalidValue, "amount", "`amount` is more than zero.");
        }
        let value_date = input.date("value_date", &self.value_date);
        let bank_reference = input.text("bank_reference", &self.bank_reference, 64);
        let purpose = self.purpose(&mut input);
        let account: Purse = self.account.into();
        if let Some(purpose) = purpose.filter(|purpose| purpose.purse() != account) {
            let message = format!("{} belongs on the {} account.", purpose.text(), purpose.purse().text());
            input.fail(Code::InvalidValue, "account", message);
        }
        let read = (|| {
            let (amount, value_date) = (amount?, value_date?);
            Some(NewReceipt { account, amount, value_date, bank_reference: bank_reference?, purpose: purpose? })
        })();
        input.finish(read)
    }
}

impl RecordReceipt {
    /// A purpose takes exactly the fields that say whose money it is.
    fn purpose(&self, input: &mut Input) -> Option<settlement::Purpose> {
        use ReceiptPurpose::{AirlineRepayment, Capital, Charges, Deposit, Guarantee, Recovery, Remittance, Wallet};
        let purpose = self.purpose;
        let takes_agency = matches!(purpose, Deposit | Wallet | Remittance | Charges | Recovery | Guarantee);
        let agency = input.only_if("agency_id", self.agency_id.as_deref(), takes_agency);
        let airline = input.only_if("airline_id", self.airline_id.as_deref(), purpose == AirlineRepayment);
        let agency: Option<AgencyId> = agency.and_then(|text| input.id("agency_id", text));
        let airline: Option<AirlineId> = airline.and_then(|text| input.id("airline_id", text));
        let guarantee = input.only_if("guarantee_id", self.guarantee_id.as_deref(), purpose == Guarantee);
        let guarantee: Option<GuaranteeId> = guarantee.and_then(|text| input.id("guarantee_id", text));
        let cycle = self.cycle.as_deref().and_then(|text| {
            let cycle = Cycle::parse(text).filter(|_| purpose == Remittance);
            if cycle.is_none() {
                input.fail(Code::InvalidValue, "cycle", "`cycle` is the cycle that a remittance pays, such as \"2026-11-H1\".");
            }
            cycle
        });
        match purpose {
            Capital => Some(settlement::Purpose::Capital),
            Deposit => Some(settlement::Purpose::Deposit(agency?)),
            Wallet => Some(settlement::Purpose::Wallet(agency?)),
            Remittance if self.cycle.is_none() => Some(settlement::Purpose::RemittanceOldestFirst(agency?)),
            Remittance => Some(settlement::Purpose::Remittance(agency?, cycle?)),
            Charges => Some(settlement::Purpose::Charges(agency?)),
            Recovery => Some(settlement::Purpose::Recovery(agency?)),
            Guarantee => Some(settlement::Purpose::Guarantee(agency?, guarantee?)),
            AirlineRepayment => Some(settlement::Purpose::AirlineRepayment(airline?)),
        }
    }
}

/// Receipts, newest first. The operator sees all, an agency its deposits and top-ups.
#[utoipa::path(get, path = "/v1/bank_receipts", tag = "Settlement", operation_id = "list_bank_receipts",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<BankReceipt>)))]
pub async fn list_bank_receipts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/bank_receipts")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| receipts(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |receipt| receipt.id.raw()).map(BankReceipt::from)))
}

/// Records money that arrived and books it in the same commit. The same bank reference with the same content is the same receipt: it is answered with
/// 200 and nothing is booked again. The operator only.
#[utoipa::path(post, path = "/v1/bank_receipts", tag = "Settlement", operation_id = "record_bank_receipt", request_body = Data<RecordReceipt>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money")),
    responses((status = 201, body = Data<BankReceipt>),
        (status = 200, description = "Recorded before under this bank reference", body = Data<BankReceipt>),
        (status = 400, description = "`idempotency_key_required`, `idempotency_key_invalid`, `invalid_json`, `missing_data`", body = ErrorBody),
        (status = 409, description = "`bank_reference_reused`, `idempotency_key_reused`, `idempotency_in_progress`, `invalid_state`: the agency of a guarantee is not in default, or the guarantee not in force in it", body = ErrorBody),
        (status = 422, description = "`too_many_decimals`, `unknown_currency`, `currency_mismatch`: not the agency's currency; `more_than_owed`: more than the airline has to give back or the agency owes in charges or was written off, or than is left of a guarantee; `invalid_value`, `missing_field`", body = ErrorBody)))]
pub async fn record(caller: Caller, request: HttpRequest, body: Body<RecordReceipt>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let new = body.data.validate()?;
    let actor = caller.cause().actor;
    let record = move |tx: &mut WriteTx| record_receipt(tx, actor, &new);
    once_recorded(&caller, &request, &body.bytes, "bank_receipt.record", record, |receipt| {
        Ok((receipt.id, BankReceipt::from(receipt)))
    })
    .await
}

/// One receipt.
#[utoipa::path(get, path = "/v1/bank_receipts/{id}", tag = "Settlement", operation_id = "get_bank_receipt",
    params(("id" = String, Path, description = "`rcp_…`")), responses((status = 200, body = Data<BankReceipt>)))]
pub async fn get_bank_receipt(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: BankReceiptId = path_id(&id)?;
    let sight = Sight::of(&caller).await?;
    let found = caller.read(move |db| receipt(db, id)).await?;
    // Capital is the operator's own.
    let found = found.filter(|receipt| match receipt.purpose.agency() {
        Some(agency) => sight.sees_agency(agency),
        None => sight.agencies.is_none(),
    });
    Ok(ok(found.map(BankReceipt::from).ok_or_else(not_found)?))
}
