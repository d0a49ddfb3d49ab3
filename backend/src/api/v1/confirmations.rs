//! `/v1/confirmations`: a person who pays much shows a code that came by e-mail, for exactly that payment.

use super::input::Input;
use super::shape::choice;
use crate::agencies::agency;
use crate::airlines::airline;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, created};
use crate::api::error::{ApiError, ErrorBody};
use crate::app::Platform;
use crate::audit;
use crate::credit::facility;
use crate::db::{Db, WriteTx};
use crate::identity::{self, Looked, Payment, Scope, ask_to_confirm, look_at_code, use_code};
use crate::ids::{AgencyId, AirlineId, ConfirmationId, FacilityId, Id, UserId};
use crate::money::Money;
use crate::settlement::Recorded;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `cnf_… 12345678`: the confirmation and the code that came by e-mail.
pub const CONFIRMATION: &str = "Airsettle-Confirmation";

choice! {
    /// What kind of payment.
    Business = identity::Business { AirlinePayment, CashTransfer, CreditPayout, DepositReturn, FacilityRepayment, TaxPayment, WalletWithdrawal }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskToConfirm {
    pub business: Business,
    /// As the request that pays names it: `agency_id` of a payout, `airline_id` of a payment to an airline, the id of the bank line, `payee` of taxes, `to` of a cash transfer.
    #[schema(example = "CAAC")]
    pub payee: String,
    /// All of it: of a repayment, principal and interest.
    #[schema(example = "75000.00")]
    pub amount: String,
    #[schema(example = "CNY")]
    pub currency: String,
}

/// A code is on its way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MoneyConfirmation {
    #[schema(example = "cnf_0000000000001")]
    pub id: String,
    /// Whom it was written to.
    pub email: String,
    pub expires_at: String,
}

/// Asks for a code for one payment. It comes by e-mail, with the kind of business, the payee and the amount; it is good for ten minutes, for exactly this and once.
/// The request that pays shows it in the header `Airsettle-Confirmation`.
#[utoipa::path(post, path = "/v1/confirmations", tag = "Access", operation_id = "ask_to_confirm", request_body = Data<AskToConfirm>,
    security(("session" = [])),
    responses((status = 201, body = Data<MoneyConfirmation>), (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 422, description = "`invalid_value`, `too_many_decimals`, `unknown_currency`", body = ErrorBody)))]
pub async fn ask(caller: Caller, body: Body<AskToConfirm>) -> Result<HttpResponse, ApiError> {
    let signed_in = caller.person()?.clone();
    caller.require(Scope::FinanceWrite)?;
    caller.require_live()?;
    let mut input = Input::default();
    let AskToConfirm { business, payee, amount, currency } = &body.data;
    let amount = input.money(("amount", amount), ("currency", currency));
    if amount.is_some_and(|amount| amount.minor <= 0) {
        input.fail(Code::InvalidValue, "amount", "`amount` is more than zero.");
    }
    let payee = input.text("payee", payee, 64);
    let (payee, amount) = input.finish(payee.zip(amount))?;
    let payment = Payment { business: (*business).into(), payee, amount };
    let (cause, vault, digests) = (caller.cause(), caller.app.vault.clone(), caller.clone());
    let email = signed_in.user.email.clone();
    let asked = caller.write(move |tx| {
        let name = name_of(&digests, tx.db, &payment)?;
        let asked = ask_to_confirm(tx, &*vault, |code| digest(&digests, code), &signed_in.user, &payment, &name)?;
        audit::record(tx, &cause, "confirmation.ask", asked.id)?;
        Ok::<_, ApiError>(asked)
    });
    let asked = asked.await?;
    Ok(created(MoneyConfirmation { id: asked.id.to_string(), email, expires_at: asked.expires_at.to_string() }))
}

fn digest(caller: &Caller, code: &str) -> String {
    caller.app.vault.digest(format!("confirmation {code}").as_bytes())
}

/// The payee as people know it; one that is not there is not paid.
fn name_of(caller: &Caller, db: &mut Db, payment: &Payment) -> Result<String, ApiError> {
    let payee = payment.payee.as_str();
    let found = match payment.business {
        identity::Business::AirlinePayment => match AirlineId::parse(payee) {
            Ok(id) => airline(db, id)?.map(|airline| airline.name),
            Err(_) => None,
        },
        identity::Business::CreditPayout | identity::Business::DepositReturn | identity::Business::WalletWithdrawal => {
            match AgencyId::parse(payee) {
                Ok(id) => agency(db, id)?.map(|agency| agency.name),
                Err(_) => None,
            }
        }
        identity::Business::FacilityRepayment => match FacilityId::parse(payee) {
            Ok(id) => match facility(db, id, caller.app.today())? {
                Some(line) => {
                    let bank = identity::organisation(db, line.facility.bank)?;
                    bank.map(|bank| format!("{} ({})", bank.name, line.facility.name))
                }
                None => None,
            },
            Err(_) => None,
        },
        identity::Business::TaxPayment => Some(payee.to_owned()),
        identity::Business::CashTransfer => ["own", "client"].contains(&payee).then(|| format!("Airsettle ({payee})")),
    };
    found.ok_or_else(|| ApiError::new(Code::InvalidValue, "There is no such payee of this kind of business.").at("/data/payee"))
}

/// What a request that pays has shown. Keys need nothing: they have no letter box, and what they pay is limited by their scopes.
#[derive(Clone, Debug)]
pub struct Confirmed(Option<(UserId, ConfirmationId)>);

impl Confirmed {
    /// Looks at the code before anything is remembered under the request's key, so that the same request with a code is still the same one.
    pub async fn of(
        caller: &Caller,
        platform: &Platform,
        request: &HttpRequest,
        business: identity::Business,
        payee: impl Into<String>,
        amount: Money,
    ) -> Result<Self, ApiError> {
        let Some(signed_in) = caller.signed_in.as_ref().filter(|_| caller.app.mode.is_live()) else { return Ok(Confirmed(None)) };
        if !platform.must_be_confirmed(amount) {
            return Ok(Confirmed(None));
        }
        let payment = Payment { business, payee: payee.into(), amount };
        let needed = || {
            let (amount, currency) = (payment.amount, payment.amount.currency);
            let message = format!(
                "This payment of {amount} {currency} to {} needs a code: ask for one at /v1/confirmations as {}.",
                payment.payee,
                business.text()
            );
            ApiError::new(Code::ConfirmationRequired, message).parameter(CONFIRMATION)
        };
        let said = request.headers().get(CONFIRMATION).ok_or_else(needed)?.to_str().unwrap_or_default();
        let invalid = || ApiError::of(Code::ConfirmationInvalid).parameter(CONFIRMATION);
        let (id, code) = said.split_once(' ').ok_or_else(invalid)?;
        let id = ConfirmationId::parse(id).map_err(|_| invalid())?;
        let (user, given) = (signed_in.user.id, digest(caller, code.trim()));
        let looked = caller.write(move |tx| look_at_code(tx, user, id, &given, &payment)).await?;
        match looked {
            Looked::Right | Looked::Used => Ok(Confirmed(Some((user, id)))),
            Looked::Wrong => Err(invalid()),
        }
    }

    /// In the commit that pays. What was paid before needs no code again.
    pub fn for_new<R, E>(
        &self,
        tx: &mut WriteTx,
        pay: impl FnOnce(&mut WriteTx) -> Result<Recorded<R>, E>,
    ) -> Result<Recorded<R>, ApiError>
    where
        ApiError: From<E>,
    {
        let paid = pay(tx)?;
        if matches!(paid, Recorded::Now(_)) {
            self.use_up(tx)?;
        }
        Ok(paid)
    }

    /// In the commit that pays.
    pub fn use_up(&self, tx: &mut WriteTx) -> Result<(), ApiError> {
        match self.0 {
            Some((user, id)) if !use_code(tx, user, id)? => Err(ApiError::of(Code::ConfirmationInvalid).parameter(CONFIRMATION)),
            _ => Ok(()),
        }
    }
}
