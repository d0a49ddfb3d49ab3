//! `/v1/defaults`: agencies that do not pay. Declared by the operator; what is left is written off, and the agency reinstated, through `/v1/approvals`.

use super::approvals::{agency_of_change, wrong};
use super::input::Input;
use super::shape::{PageParams, time};
use super::sight::{Sight, narrowed, not_found};
use crate::agencies::lock_agency;
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::{self, Cause};
use crate::db::WriteTx;
use crate::identity::Scope;
use crate::ids::{AgencyId, ApprovalId, DefaultId, Id};
use crate::money::{Currency, Money};
use crate::settlement::{
    DefaultRow, declare_default, default_by_id, defaults, left_to_write_off, may_be_reinstated, reinstate, write_off,
};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgencyDefault {
    #[schema(example = "dft_0000000000001")]
    pub id: String,
    pub agency_id: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub reason: String,
    /// The ledger date.
    pub declared_on: String,
    /// Owed net of commission when it was declared.
    #[schema(example = "970.00")]
    pub owed_amount: String,
    pub commission_netted_amount: String,
    pub wallet_applied_amount: String,
    #[schema(example = "600.00")]
    pub deposit_applied_amount: String,
    /// What guarantors paid.
    pub guarantee_paid_amount: String,
    #[schema(example = "370.00")]
    pub written_off_amount: String,
    pub recovered_amount: String,
    pub write_off_approval_id: Option<String>,
    pub reinstate_approval_id: Option<String>,
    pub created_at: String,
    pub written_off_at: Option<String>,
    /// When the agency was reinstated.
    pub ended_at: Option<String>,
}

fn shown(row: &DefaultRow) -> Result<AgencyDefault, ApiError> {
    let currency = row.money_currency()?;
    let amount = |minor| Money::new(minor, currency).to_string();
    let approval = |id: Option<i64>| id.map(|id| ApprovalId::of(id).to_string());
    Ok(AgencyDefault {
        id: DefaultId::of(row.id).to_string(),
        agency_id: AgencyId::of(row.agency_id).to_string(),
        currency: row.currency.clone(),
        reason: row.reason.clone(),
        declared_on: row.declared_on.to_string(),
        owed_amount: amount(row.owed_minor),
        commission_netted_amount: amount(row.commission_minor),
        wallet_applied_amount: amount(row.wallet_minor),
        deposit_applied_amount: amount(row.deposit_minor),
        guarantee_paid_amount: amount(row.guarantee_minor),
        written_off_amount: amount(row.written_off_minor),
        recovered_amount: amount(row.recovered_minor),
        write_off_approval_id: approval(row.write_off_approval_id),
        reinstate_approval_id: approval(row.reinstate_approval_id),
        created_at: time(row.created_at),
        written_off_at: row.written_off_at.map(time),
        ended_at: row.ended_at.map(time),
    })
}

/// Defaults, newest first. The operator sees all, an agency its own.
#[utoipa::path(get, path = "/v1/defaults", tag = "Settlement", operation_id = "list_defaults",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's")),
    responses((status = 200, body = Page<AgencyDefault>)))]
pub async fn list_defaults(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/defaults")?;
    let (window, limit) = (request.window(), request.fetch());
    let of: Option<Vec<AgencyId>> = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let found = caller.read(move |db| defaults(db, of.as_deref(), window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| shown(&row))?))
}

/// One default.
#[utoipa::path(get, path = "/v1/defaults/{id}", tag = "Settlement", operation_id = "get_default",
    params(("id" = String, Path, description = "`dft_…`")), responses((status = 200, body = Data<AgencyDefault>)))]
pub async fn get_default(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: DefaultId = path_id(&id)?;
    let sight = Sight::of(&caller).await?;
    let found = caller.read(move |db| default_by_id(db, id)).await?;
    let found = found.filter(|row| sight.sees_agency(AgencyId::of(row.agency_id)));
    Ok(ok(shown(&found.ok_or_else(not_found)?)?))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclareDefault {
    pub agency_id: String,
    /// 1 to 500 characters.
    pub reason: String,
}

/// Declares a default: sales stop, incentives of periods that are over are settled, commission is netted in every cycle, credit of one cycle pays what is owed in another, and the wallet and then the deposit
/// are applied. Declared again, it applies what has come since. The money that this frees in the client account is swept with `/v1/cash_transfers`. The
/// operator only.
#[utoipa::path(post, path = "/v1/defaults", tag = "Settlement", operation_id = "declare_default", request_body = Data<DeclareDefault>,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters; required, because this moves money")),
    responses((status = 201, body = Data<AgencyDefault>),
        (status = 409, description = "`invalid_state`: the agency owes nothing", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn declare(caller: Caller, request: HttpRequest, body: Body<DeclareDefault>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let mut input = Input::default();
    let (agency, reason) = (input.id("agency_id", &body.data.agency_id), input.text("reason", &body.data.reason, 500));
    let (agency, reason): (AgencyId, String) = input.finish(agency.zip(reason))?;
    let cause = caller.cause();
    once(&caller, &request, Key::Required, &body.bytes, StatusCode::CREATED, move |tx| {
        let row = declare_default(tx, &cause, agency, &reason)?;
        audit::record(tx, &cause, "default.declare", DefaultId::of(row.id))?;
        shown(&row)
    })
    .await
}

/// What two people agree on to write off what an agency in default will not pay: all that is left.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteOff {
    agency_id: String,
    amount: String,
    currency: String,
}

impl WriteOff {
    fn read(&self) -> Result<(AgencyId, Money), ApiError> {
        let currency = Currency::parse(&self.currency).map_err(|error| wrong("currency", error))?;
        let amount = Money::parse(&self.amount, currency).map_err(|error| wrong("amount", error))?;
        Ok((agency_of_change(&self.agency_id)?, amount))
    }
}

impl Proposal for WriteOff {
    const KIND: ChangeKind = ChangeKind::WriteOff;
    type Error = ApiError;

    fn subject(&self) -> String {
        self.agency_id.clone()
    }

    fn basis(&self, tx: &mut WriteTx) -> Result<String, ApiError> {
        let (agency, amount) = self.read()?;
        lock_agency(tx, agency)?;
        let (row, left) = left_to_write_off(tx.db, agency)?;
        if left != amount {
            return Err(wrong("amount", format!("{left} is left to be written off")));
        }
        Ok(format!("{} {left}", DefaultId::of(row.id)))
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, ApiError> {
        let (agency, amount) = self.read()?;
        let row = write_off(tx, cause.actor, agency, amount, approval)?;
        audit::record(tx, cause, "default.write_off", DefaultId::of(row.id))?;
        Ok(DefaultId::of(row.id).to_string())
    }
}

/// What two people agree on to let an agency sell again that was in default and has paid everything.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reinstate {
    agency_id: String,
}

impl Proposal for Reinstate {
    const KIND: ChangeKind = ChangeKind::Reinstate;
    type Error = ApiError;

    fn subject(&self) -> String {
        self.agency_id.clone()
    }

    fn basis(&self, tx: &mut WriteTx) -> Result<String, ApiError> {
        let agency = agency_of_change(&self.agency_id)?;
        lock_agency(tx, agency)?;
        Ok(DefaultId::of(may_be_reinstated(tx.db, agency)?.id).to_string())
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, ApiError> {
        let row = reinstate(tx, cause, agency_of_change(&self.agency_id)?, approval)?;
        audit::record(tx, cause, "agency.reinstate", AgencyId::of(row.agency_id))?;
        Ok(DefaultId::of(row.id).to_string())
    }
}
