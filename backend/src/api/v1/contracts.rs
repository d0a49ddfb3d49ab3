//! `/v1/contracts`: the terms of a sale. A version is immutable; a change is the next version.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, narrowed, not_found};
use crate::agencies::{self, NewContract, PaymentTerms, agency, contracts, contracts_of};
use crate::airlines::airline;
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::{self, Cause};
use crate::db::WriteTx;
use crate::identity::Scope;
use crate::ids::{AgencyId, ApprovalId, ContractId, Id};
use crate::settlement::{self, Consent, Margin, margin_of};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// What the commission rate is a share of.
    CommissionBase = agencies::CommissionBase { Price, Fare }
}
choice! {
    /// Who pays the authorities' taxes over to them.
    TaxRemitter = agencies::TaxRemitter { Platform, Airline }
}
choice! {
    /// How much commission a refund takes back.
    Clawback = agencies::Clawback { Full, ProRata, None }
}
choice! {
    /// What becomes of the platform's fee at a refund.
    FeeOnRefund = agencies::FeeOnRefund { Refunded, Kept }
}
choice! {
    /// How often the agency is billed: every day; Monday to Wednesday and Thursday to Sunday; Monday to Sunday; 1 to 15 and the rest of the month; by month.
    CycleRule = agencies::CycleRule { Daily, TwiceWeekly, Weekly, HalfMonthly, Monthly }
}
choice! {
    /// What becomes of a due date that is not worked in the agency's country.
    DueRule = agencies::DueRule { Unmoved, NextWorkingDay, PreviousWorkingDay }
}
choice! {
    /// How an airline gives back what it was paid for a ticket that was voided or refunded.
    AirlineReturn = agencies::AirlineReturn { SetOff, RepayOnDemand }
}

/// When the airline is paid for a ticket: at once, from a bank line; on the next working day (T+1); or so many days after the last day of the ticket's cycle. The last two are
/// paid with the platform's own money, on a day that is worked in the agency's country, and draw on no bank line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AirlinePaymentTerm {
    Instant,
    #[serde(rename = "t_plus_1")]
    TPlusOne,
    Cycle,
}

/// Who pays for time, and what else a ticket costs the platform. Left out, a number is zero. Rates are factors as text.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CostTerms {
    /// Days after the end of a cycle for which the agency pays nothing for time: 0 to 365.
    pub free_days: Option<i64>,
    /// Per year, ACT/360, of what the agency has not remitted after its free days.
    #[schema(example = "0.06")]
    pub financing_rate: Option<String>,
    /// Per day, of what is overdue.
    #[schema(example = "0.0005")]
    pub late_fee_rate: Option<String>,
    /// Per year, ACT/360, of what an airline has not given back.
    pub airline_financing_rate: Option<String>,
    /// The platform's fee contains it: of a fee of 5.30 at `0.06` it is 0.30.
    #[schema(example = "0.06")]
    pub vat_rate: Option<String>,
    /// Of what the agency owes: what is expected never to be paid.
    pub expected_loss_rate: Option<String>,
    /// Of the price.
    pub channel_cost_rate: Option<String>,
}

impl From<agencies::CostTerms> for CostTerms {
    fn from(costs: agencies::CostTerms) -> Self {
        CostTerms {
            free_days: Some(costs.free_days),
            financing_rate: Some(costs.financing_rate.to_string()),
            late_fee_rate: Some(costs.late_fee_rate.to_string()),
            airline_financing_rate: Some(costs.airline_financing_rate.to_string()),
            vat_rate: Some(costs.vat_rate.to_string()),
            expected_loss_rate: Some(costs.expected_loss_rate.to_string()),
            channel_cost_rate: Some(costs.channel_cost_rate.to_string()),
        }
    }
}

impl CostTerms {
    fn validate(&self, input: &mut Input) -> Option<agencies::CostTerms> {
        let none = agencies::CostTerms::default();
        let mut rate = |field: &str, text: &Option<String>| match text {
            Some(text) => input.rate(field, text),
            None => Some(none.vat_rate),
        };
        let financing_rate = rate("costs/financing_rate", &self.financing_rate);
        let late_fee_rate = rate("costs/late_fee_rate", &self.late_fee_rate);
        let airline_financing_rate = rate("costs/airline_financing_rate", &self.airline_financing_rate);
        let vat_rate = rate("costs/vat_rate", &self.vat_rate);
        let expected_loss_rate = rate("costs/expected_loss_rate", &self.expected_loss_rate);
        let channel_cost_rate = rate("costs/channel_cost_rate", &self.channel_cost_rate);
        Some(agencies::CostTerms {
            free_days: input.whole("costs/free_days", self.free_days.unwrap_or(0), 0..=365)?,
            financing_rate: financing_rate?,
            late_fee_rate: late_fee_rate?,
            airline_financing_rate: airline_financing_rate?,
            vat_rate: vat_rate?,
            expected_loss_rate: expected_loss_rate?,
            channel_cost_rate: channel_cost_rate?,
        })
    }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Contract {
    #[schema(example = "ctr_0000000000001")]
    pub id: String,
    pub agency_id: String,
    /// Null: every airline that has no terms of its own.
    pub airline_id: Option<String>,
    /// ISO 4217.
    pub currency: String,
    pub version: i64,
    /// In the zone of the point of sale.
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    /// A factor: `0.03` is 3 %.
    #[schema(example = "0.03")]
    pub commission_rate: String,
    pub commission_base: CommissionBase,
    /// A factor of the price, paid by the payee of the fare: `0.005` is 0.5 %.
    #[schema(example = "0.005")]
    pub fee_rate: String,
    pub tax_remitter: TaxRemitter,
    /// Days from the end of a cycle until the agency has to have remitted.
    pub payment_days: i64,
    pub cycle_rule: CycleRule,
    pub due_rule: DueRule,
    pub clawback: Clawback,
    pub fee_on_refund: FeeOnRefund,
    pub airline_return: AirlineReturn,
    pub airline_payment: AirlinePaymentTerm,
    /// Of `cycle`: days from the last day of a ticket's cycle until its airline is paid; zero for the others.
    pub airline_payment_days: i64,
    pub costs: CostTerms,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<agencies::Contract> for Contract {
    fn from(contract: agencies::Contract) -> Self {
        Contract {
            id: contract.id.to_string(),
            agency_id: contract.agency.to_string(),
            airline_id: contract.airline.map(|id| id.to_string()),
            currency: contract.currency.to_string(),
            version: contract.version,
            effective_from: contract.effective_from.to_string(),
            commission_rate: contract.commission_rate.to_string(),
            commission_base: contract.commission_base.into(),
            fee_rate: contract.fee_rate.to_string(),
            tax_remitter: contract.tax_remitter.into(),
            payment_days: contract.payment_days,
            cycle_rule: contract.payment.cycle_rule.into(),
            due_rule: contract.payment.due_rule.into(),
            clawback: contract.clawback.into(),
            fee_on_refund: contract.fee_on_refund.into(),
            airline_return: contract.airline_return.into(),
            airline_payment: match contract.payment.airline {
                agencies::AirlinePayment::Instant => AirlinePaymentTerm::Instant,
                agencies::AirlinePayment::NextWorkingDay => AirlinePaymentTerm::TPlusOne,
                agencies::AirlinePayment::AfterCycle { .. } => AirlinePaymentTerm::Cycle,
            },
            airline_payment_days: contract.payment.airline.days(),
            costs: contract.costs.into(),
            created_at: time(contract.created_at),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignContract {
    pub agency_id: String,
    /// Left out: every airline that has no terms of its own.
    pub airline_id: Option<String>,
    /// The agency's currency.
    pub currency: String,
    /// Not before the version that is in force.
    pub effective_from: String,
    /// A factor from 0 to 1 as text: `"0.03"` is 3 %.
    pub commission_rate: String,
    pub commission_base: CommissionBase,
    /// A factor of the price from 0 to 1 as text.
    pub fee_rate: String,
    pub tax_remitter: TaxRemitter,
    /// 0 to 365 days.
    pub payment_days: i64,
    /// Half-monthly if not given.
    pub cycle_rule: Option<CycleRule>,
    /// Unmoved if not given.
    pub due_rule: Option<DueRule>,
    pub clawback: Clawback,
    pub fee_on_refund: FeeOnRefund,
    pub airline_return: AirlineReturn,
    /// At once if not given.
    pub airline_payment: Option<AirlinePaymentTerm>,
    /// For `cycle`, and only then: 0 to 365 days from the last day of a ticket's cycle until its airline is paid.
    pub airline_payment_days: Option<i64>,
    pub costs: Option<CostTerms>,
}

impl SignContract {
    fn validate(&self) -> Result<NewContract, ApiError> {
        let mut input = Input::default();
        let agency = input.id("agency_id", &self.agency_id);
        let airline = input.optional_id("airline_id", self.airline_id.as_deref());
        let currency = input.currency("currency", &self.currency);
        let effective_from = input.date("effective_from", &self.effective_from);
        let commission_rate = input.rate("commission_rate", &self.commission_rate);
        let fee_rate = input.rate("fee_rate", &self.fee_rate);
        let payment_days = input.whole("payment_days", self.payment_days, 0..=365);
        let payment = self.payment(&mut input);
        let costs = self.costs.clone().unwrap_or_default().validate(&mut input);
        let read = (|| {
            Some(NewContract {
                agency: agency?,
                airline: airline?,
                currency: currency?,
                effective_from: effective_from?,
                commission_rate: commission_rate?,
                commission_base: self.commission_base.into(),
                fee_rate: fee_rate?,
                tax_remitter: self.tax_remitter.into(),
                payment_days: payment_days?,
                payment: payment?,
                clawback: self.clawback.into(),
                fee_on_refund: self.fee_on_refund.into(),
                airline_return: self.airline_return.into(),
                costs: costs?,
            })
        })();
        input.finish(read)
    }

    fn payment(&self, input: &mut Input) -> Option<PaymentTerms> {
        Some(PaymentTerms {
            cycle_rule: self.cycle_rule.map(Into::into).unwrap_or_default(),
            due_rule: self.due_rule.map(Into::into).unwrap_or_default(),
            airline: self.airline_payment(input)?,
        })
    }

    fn airline_payment(&self, input: &mut Input) -> Option<agencies::AirlinePayment> {
        match (self.airline_payment, self.airline_payment_days) {
            (Some(AirlinePaymentTerm::Cycle), Some(days)) => {
                let days = input.whole("airline_payment_days", days, 0..=365)?;
                Some(agencies::AirlinePayment::AfterCycle { days })
            }
            (Some(AirlinePaymentTerm::Cycle), None) => {
                input.fail(
                    Code::MissingField,
                    "airline_payment_days",
                    "`airline_payment_days` is missing: it goes with `cycle`.",
                );
                None
            }
            (_, Some(_)) => {
                input.fail(
                    Code::InvalidValue,
                    "airline_payment_days",
                    "`airline_payment_days` goes with `cycle` and nothing else.",
                );
                None
            }
            (Some(AirlinePaymentTerm::TPlusOne), None) => Some(agencies::AirlinePayment::NextWorkingDay),
            (Some(AirlinePaymentTerm::Instant) | None, None) => Some(agencies::AirlinePayment::Instant),
        }
    }
}

/// Both parties exist and the agency sells in the contract's currency.
fn check_parties(tx: &mut WriteTx, new: &NewContract) -> Result<(), ApiError> {
    let Some(agency) = agency(tx.db, new.agency)? else {
        return Err(ApiError::new(Code::InvalidValue, "There is no such agency.").at("/data/agency_id"));
    };
    if agency.currency != new.currency {
        let message = format!("The agency sells in {}.", agency.currency);
        return Err(ApiError::new(Code::CurrencyMismatch, message).at("/data/currency"));
    }
    match new.airline {
        Some(id) if airline(tx.db, id)?.is_none() => {
            Err(ApiError::new(Code::InvalidValue, "There is no such airline.").at("/data/airline_id"))
        }
        _ => Ok(()),
    }
}

/// What a ticket of `price_amount`, 5 % of it taxes, leaves the platform on these terms when the agency remits as late as it may: fee and financing less
/// the rest. Decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContractMargin {
    #[schema(example = "1000.00")]
    pub price_amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// The longest cycle and the payment days.
    #[schema(example = 33)]
    pub days: i64,
    /// The bank line that a sale would be held on today; null where nothing is drawn.
    pub facility_id: Option<String>,
    /// Its rate per year.
    #[schema(example = "0.06000000")]
    pub facility_rate: Option<String>,
    #[schema(example = "5.00")]
    pub fee_amount: String,
    pub financing_amount: String,
    #[schema(example = "5.03")]
    pub interest_amount: String,
    pub channel_cost_amount: String,
    /// The highest that the platform itself pays under any programme.
    pub incentive_amount: String,
    pub vat_amount: String,
    pub expected_loss_amount: String,
    #[schema(example = "-0.03")]
    pub margin_amount: String,
}

impl From<Margin> for ContractMargin {
    fn from(margin: Margin) -> Self {
        ContractMargin {
            price_amount: margin.price.to_string(),
            currency: margin.price.currency.to_string(),
            days: margin.days,
            facility_id: margin.line.map(|(id, _)| id.to_string()),
            facility_rate: margin.line.map(|(_, rate)| rust_decimal::Decimal::new(rate, 8).to_string()),
            fee_amount: margin.fee.to_string(),
            financing_amount: margin.financing.to_string(),
            interest_amount: margin.interest.to_string(),
            channel_cost_amount: margin.channel_cost.to_string(),
            incentive_amount: margin.incentive.to_string(),
            vat_amount: margin.vat.to_string(),
            expected_loss_amount: margin.expected_loss.to_string(),
            margin_amount: margin.total.to_string(),
        }
    }
}

/// The answer to `?dry_run=true`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContractRehearsal {
    pub dry_run: bool,
    /// False: two people have to agree, by `/v1/approvals` of kind `negative_margin`.
    pub can_be_signed: bool,
    pub margin: ContractMargin,
}

/// A contract whose ticket loses money is signed by two people.
impl Proposal for SignContract {
    const KIND: ChangeKind = ChangeKind::NegativeMargin;
    type Error = ApiError;

    fn subject(&self) -> String {
        match &self.airline_id {
            Some(airline) => format!("{}/{airline}", self.agency_id),
            None => self.agency_id.clone(),
        }
    }

    /// The version that it follows, and what is lost: either makes it another decision.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, ApiError> {
        let new = self.validate().map_err(super::approvals::of_the_change)?;
        check_parties(tx, &new)?;
        let margin = margin_of(tx, &new)?;
        if !margin.total.is_negative() {
            return Err(ApiError::new(
                Code::InvalidState,
                "A ticket on these terms loses nothing: sign the contract without asking.",
            ));
        }
        let versions = contracts_of(tx.db, new.agency)?;
        let same = versions.iter().filter(|known| known.airline == new.airline && known.currency == new.currency);
        let latest = same.map(|known| known.version).max().unwrap_or(0);
        Ok(format!("version {latest}, margin {}", margin.total))
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, ApiError> {
        let new = self.validate().map_err(super::approvals::of_the_change)?;
        check_parties(tx, &new)?;
        let signed = settlement::sign(tx, &new, Consent::Approved(approval))?;
        audit::record(tx, cause, "contract.sign", signed.id)?;
        Ok(signed.id.to_string())
    }
}

/// All versions of contracts, newest first: of one agency, or of all that the caller sees.
#[utoipa::path(get, path = "/v1/contracts", tag = "Settlement", operation_id = "list_contracts",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<Contract>)))]
pub async fn list_contracts(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/contracts")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| contracts(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |contract| contract.id.raw()).map(Contract::from)))
}

/// Signs the next version of the terms between an agency, an airline (or all of them) and the platform. Terms on which a ticket loses money at the length of
/// the contract's own cycle are refused with the computation, unless two people agree (`/v1/approvals`, kind `negative_margin`). The operator only.
#[utoipa::path(post, path = "/v1/contracts", tag = "Settlement", operation_id = "sign_contract", request_body = Data<SignContract>,
    params(("dry_run" = Option<bool>, Query, description = "True answers the margin, term by term, and signs nothing")),
    responses((status = 201, body = Data<Contract>),
        (status = 200, description = "Of a dry run", body = Data<ContractRehearsal>),
        (status = 422, description = "`negative_margin`: a ticket on these terms loses money; `invalid_value`, `unknown_currency`, `currency_mismatch`: not the agency's currency", body = ErrorBody)))]
pub async fn sign(
    caller: Caller,
    request: HttpRequest,
    query: Query,
    body: Body<SignContract>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let new = body.data.validate()?;
    if query.flag("dry_run")?.unwrap_or(false) {
        let app = caller.app.clone();
        let margin = blocking(move || {
            app.store.rehearse(|tx| {
                check_parties(tx, &new)?;
                Ok::<_, ApiError>(margin_of(tx, &new)?)
            })
        });
        let margin = margin.await?;
        let can_be_signed = !margin.total.is_negative();
        return Ok(ok(ContractRehearsal { dry_run: true, can_be_signed, margin: margin.into() }));
    }
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        check_parties(tx, &new)?;
        let signed = settlement::sign(tx, &new, Consent::None)?;
        audit::record(tx, &cause, "contract.sign", signed.id)?;
        Ok(Contract::from(signed))
    })
    .await
}

/// One version of a contract.
#[utoipa::path(get, path = "/v1/contracts/{id}", tag = "Settlement", operation_id = "get_contract",
    params(("id" = String, Path, description = "`ctr_…`")), responses((status = 200, body = Data<Contract>)))]
pub async fn get_contract(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: ContractId = path_id(&id)?;
    let sight = Sight::of(&caller).await?;
    let found = caller.read(move |db| agencies::contract(db, id)).await?;
    let found = found.filter(|contract| sight.sees_agency(contract.agency));
    Ok(ok(found.map(Contract::from).ok_or_else(not_found)?))
}
