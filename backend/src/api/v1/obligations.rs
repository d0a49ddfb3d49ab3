//! `/v1/obligations`: what agencies have to pay for cycles that are closed, and what being late has cost.

use super::shape::{PageParams, choice, time};
use super::sight::{Sight, narrowed, not_found};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, ok, page};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::db::Db;
use crate::identity::Scope;
use crate::ids::{AgencyId, BillingStatementId, ContractId, Id, ObligationChargeId, ObligationId, PostingId};
use crate::money::Money;
use crate::settlement::{
    self, ChargeRow, ObligationFilter, ObligationRow, charges_of, cycle_standing, debtor, obligation, obligations,
};
use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

choice! {
    /// `open`: the cycle runs. A default is declared for an agency and takes in everything that it owes; what is written off was in default before.
    ObligationState = settlement::ObligationState { Open, NotYetDue, Due, Overdue, Defaulted, Paid, WrittenOff }
}
choice! {
    /// A late fee for each day after the due date, financing for each day after the free days.
    ChargeKind = settlement::ChargeKind { LateFee, Financing }
}

/// Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Obligation {
    #[schema(example = "obl_0000000000001")]
    pub id: String,
    pub agency_id: String,
    #[schema(example = "2026-11-H1")]
    pub cycle: String,
    #[schema(example = "CNY")]
    pub currency: String,
    /// As of now.
    pub state: ObligationState,
    pub statement_id: String,
    /// The contract whose terms it has.
    pub contract_id: Option<String>,
    /// What the statement says is to be remitted; a credit is negative.
    #[schema(example = "970.00")]
    pub billed_amount: String,
    /// What is still to be remitted: less what was paid since, and what came to the cycle after it was billed.
    pub open_amount: String,
    /// The ledger date on which it was billed.
    pub closed_on: String,
    pub due_on: String,
    /// RFC 3339, UTC.
    pub created_at: String,
}

/// A day of a charge. Amounts are decimal strings.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ObligationCharge {
    #[schema(example = "obc_0000000000001")]
    pub id: String,
    pub kind: ChargeKind,
    pub day: String,
    /// What was not remitted at the close of the day.
    pub balance_amount: String,
    /// Booked for this day; negative where a payment that became known later took some back.
    pub amount: String,
    /// Booked so far.
    pub total_amount: String,
    pub currency: String,
    /// Null where nothing was booked.
    pub posting_id: Option<String>,
    pub created_at: String,
}

fn shown(db: &mut Db, row: &ObligationRow, today: NaiveDate) -> Result<Obligation, ApiError> {
    let (agency, currency) = (AgencyId::of(row.agency_id), row.money_currency()?);
    let standing = cycle_standing(db, agency, currency, row.cycle()?)?;
    let debtor = debtor(db, agency)?;
    let (open, state) = match standing {
        Some(standing) => {
            (standing.open_net().map_err(ApiError::internal)?, row.seen(&standing, today, debtor).map_err(ApiError::internal)?)
        }
        None => (Money::zero(currency), settlement::ObligationState::Paid),
    };
    Ok(Obligation {
        id: ObligationId::of(row.id).to_string(),
        agency_id: agency.to_string(),
        cycle: row.cycle.clone(),
        currency: row.currency.clone(),
        state: state.into(),
        statement_id: BillingStatementId::of(row.statement_id).to_string(),
        contract_id: row.contract_id.map(|id| ContractId::of(id).to_string()),
        billed_amount: Money::new(row.billed_minor, currency).to_string(),
        open_amount: open.to_string(),
        closed_on: row.closed_on.to_string(),
        due_on: row.due_on.to_string(),
        created_at: time(row.created_at),
    })
}

fn charge(row: &ChargeRow, of: &ObligationRow) -> Result<ObligationCharge, ApiError> {
    let currency = of.money_currency()?;
    let kind = settlement::ChargeKind::parse(&row.kind).ok_or_else(|| ApiError::internal(format!("charge {}", row.id)))?;
    let amount = |minor| Money::new(minor, currency).to_string();
    Ok(ObligationCharge {
        id: ObligationChargeId::of(row.id).to_string(),
        kind: kind.into(),
        day: row.day.to_string(),
        balance_amount: amount(row.balance_minor),
        amount: amount(row.booked_minor),
        total_amount: amount(row.total_booked_minor),
        currency: of.currency.clone(),
        posting_id: row.posting_id.map(|id| PostingId::of(id).to_string()),
        created_at: time(row.created_at),
    })
}

/// Obligations, newest first. The operator sees all, an agency its own. `state` is the state as it was last looked at, which is daily and with every payment.
#[utoipa::path(get, path = "/v1/obligations", tag = "Settlement", operation_id = "list_obligations",
    params(PageParams, ("agency_id" = Option<String>, Query, description = "Only this agency's"),
        ("state" = Option<String>, Query, description = "Only in this state, such as `overdue`")),
    responses((status = 200, body = Page<Obligation>)))]
pub async fn list_obligations(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/obligations")?;
    let (window, limit) = (request.window(), request.fetch());
    let state = match query.get("state") {
        None => None,
        Some(text) => {
            let message = "`state` is one of open, not_yet_due, due, overdue, defaulted, paid, written_off.";
            let state = settlement::ObligationState::parse(text);
            Some(state.ok_or_else(|| ApiError::new(Code::InvalidValue, message).parameter("state"))?)
        }
    };
    let agencies = narrowed(query.id("agency_id")?, caller.visible_agencies().await?);
    let (filter, today) = (ObligationFilter { agencies, state }, caller.app.today());
    let read = caller.read(move |db| {
        let rows = obligations(db, &filter, window, limit)?;
        rows.into_iter().map(|row| Ok((row.id, shown(db, &row, today)?))).collect::<Result<Vec<_>, ApiError>>()
    });
    Ok(page(&request.page(read.await?, |(id, _)| *id).map(|(_, shown)| shown)))
}

/// One obligation.
#[utoipa::path(get, path = "/v1/obligations/{id}", tag = "Settlement", operation_id = "get_obligation",
    params(("id" = String, Path, description = "`obl_…`")), responses((status = 200, body = Data<Obligation>)))]
pub async fn get_obligation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: ObligationId = path_id(&id)?;
    let (sight, today) = (Sight::of(&caller).await?, caller.app.today());
    let read = caller.read(move |db| {
        let found = obligation(db, id)?.filter(|row| sight.sees_agency(AgencyId::of(row.agency_id)));
        shown(db, &found.ok_or_else(not_found)?, today)
    });
    Ok(ok(read.await?))
}

/// What being late has cost for this cycle, day by day, newest first.
#[utoipa::path(get, path = "/v1/obligations/{id}/charges", tag = "Settlement", operation_id = "list_obligation_charges",
    params(("id" = String, Path, description = "`obl_…`"), PageParams), responses((status = 200, body = Page<ObligationCharge>)))]
pub async fn list_charges(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: ObligationId = path_id(&id)?;
    let request = PageRequest::<i64>::read(&query, "/v1/obligations/charges")?;
    let (window, limit, sight) = (request.window(), request.fetch(), Sight::of(&caller).await?);
    let read = caller.read(move |db| {
        let found = obligation(db, id)?.filter(|row| sight.sees_agency(AgencyId::of(row.agency_id)));
        let found = found.ok_or_else(not_found)?;
        Ok::<_, ApiError>((charges_of(db, id, window, limit)?, found))
    });
    let (rows, of) = read.await?;
    Ok(page(&request.page(rows, |row| row.id).try_map(|row| charge(&row, &of))?))
}
