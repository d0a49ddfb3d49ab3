//! `/v1/cycles`: what an agency has sold on credit, remitted and still owes, per cycle.

use super::sight::visible_agency;
use super::{credit_payouts, defaults, dunning, jobs, obligations, statements};
use crate::agencies::{Agency, Contract, Cycle, contracts_of};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, ok};
use crate::api::error::ApiError;
use crate::api::query::Query;
use crate::catalogue::calendar::Calendar;
use crate::identity::Scope;
use crate::ids::AgencyId;
use crate::settlement::{CycleStanding, agency_cycles, due_terms};
use actix_web::HttpResponse;
use actix_web::web::{ServiceConfig, get, post, resource};
use serde::Serialize;
use utoipa::ToSchema;

/// Amounts are decimal strings in `currency`. Open = sold - voided - refunded - remitted - netted - applied - carried - written off -
/// incentive, and what is to be paid of it is less the commission.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RemittanceCycle {
    #[schema(example = "2026-11-H1")]
    pub cycle: String,
    pub agency_id: String,
    pub first_day: String,
    pub last_day: String,
    /// By when it has to be remitted: payment days after its last day, moved over holidays as the contract says. Of several contracts the earliest.
    pub due_date: String,
    #[schema(example = "CNY")]
    pub currency: String,
    #[schema(example = "1000.00")]
    pub sold_amount: String,
    #[schema(example = "30.00")]
    pub commission_amount: String,
    pub voided_amount: String,
    pub voided_commission_amount: String,
    /// Of refunds credited in this cycle, whose tickets may be of an earlier one.
    pub refunded_amount: String,
    pub refunded_commission_amount: String,
    pub remitted_amount: String,
    /// Commission that remittances netted.
    pub netted_commission_amount: String,
    /// Of the agency's wallet and deposit, after a default.
    pub applied_amount: String,
    /// Credit of another cycle that paid in this one; negative where credit of this one went to another or was paid out.
    pub carried_amount: String,
    pub written_off_amount: String,
    /// Incentives that were settled in it.
    pub incentive_amount: String,
    /// Memos that were posted in it: what airlines claimed, and what they granted.
    pub adm_amount: String,
    pub acm_amount: String,
    pub open_amount: String,
    pub open_commission_amount: String,
    /// What is still to be remitted; a credit is negative.
    #[schema(example = "970.00")]
    pub to_remit_amount: String,
}

fn shown(
    calendar: &Calendar,
    agency: &Agency,
    contracts: &[Contract],
    standing: &CycleStanding,
) -> Result<RemittanceCycle, ApiError> {
    Ok(RemittanceCycle {
        cycle: standing.cycle.to_string(),
        agency_id: agency.id.to_string(),
        first_day: standing.cycle.first_day().to_string(),
        last_day: standing.cycle.last_day().to_string(),
        due_date: due_terms(calendar, agency, standing.cycle, contracts).due_on.to_string(),
        currency: standing.sold.currency.to_string(),
        sold_amount: standing.sold.to_string(),
        commission_amount: standing.commission.to_string(),
        voided_amount: standing.voided.to_string(),
        voided_commission_amount: standing.voided_commission.to_string(),
        refunded_amount: standing.refunded.to_string(),
        refunded_commission_amount: standing.refunded_commission.to_string(),
        remitted_amount: standing.remitted.to_string(),
        netted_commission_amount: standing.netted.to_string(),
        applied_amount: standing.applied.to_string(),
        carried_amount: standing.carried.to_string(),
        written_off_amount: standing.written_off.to_string(),
        incentive_amount: standing.incentive.to_string(),
        adm_amount: standing.debited.to_string(),
        acm_amount: standing.credited.to_string(),
        open_amount: standing.open_gross().map_err(ApiError::internal)?.to_string(),
        open_commission_amount: standing.open_commission().map_err(ApiError::internal)?.to_string(),
        to_remit_amount: standing.open_net().map_err(ApiError::internal)?.to_string(),
    })
}

/// Cycles at most in one answer; `before` goes further back.
const MOST: i64 = 24;

/// The cycles of an agency, the newest first, 24 at most. The operator, and the agency itself.
#[utoipa::path(get, path = "/v1/cycles", tag = "Settlement", operation_id = "list_cycles",
    params(("agency_id" = String, Query, description = "`agy_…`"),
        ("before_cycle" = Option<String>, Query, description = "Only cycles before this one, such as `2026-11-H1`")),
    responses((status = 200, body = Data<Vec<RemittanceCycle>>)))]
pub async fn list_cycles(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let missing = || ApiError::new(Code::MissingField, "`agency_id` says whose cycles.").parameter("agency_id");
    let agency: AgencyId = query.id("agency_id")?.ok_or_else(missing)?;
    let before = match query.get("before_cycle") {
        None => None,
        Some(text) => {
            let message = "`before_cycle` is a cycle such as `2026-11-H1`.";
            let cycle = Cycle::parse(text);
            Some(cycle.ok_or_else(|| ApiError::new(Code::InvalidValue, message).parameter("before_cycle"))?)
        }
    };
    let reader = caller.clone();
    let found = caller
        .read(move |db| {
            let of = visible_agency(&reader, db, agency)?;
            let contracts = contracts_of(db, agency)?;
            let cycles = agency_cycles(db, agency, of.currency, before, MOST)?;
            cycles
                .iter()
                .map(|cycle| shown(&reader.app.catalogue.calendar, &of, &contracts, cycle))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(ok(found))
}

/// What agencies are billed for their cycles and what of it they owe, and what does that by the calendar.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/cycles").route(get().to(list_cycles)))
        .service(resource("/v1/obligations").route(get().to(obligations::list_obligations)))
        .service(resource("/v1/obligations/{id}").route(get().to(obligations::get_obligation)))
        .service(resource("/v1/obligations/{id}/charges").route(get().to(obligations::list_charges)))
        .service(resource("/v1/statements").route(get().to(statements::list_statements)))
        .service(resource("/v1/statements/{id}").route(get().to(statements::get_statement)))
        .service(resource("/v1/statements/{id}/lines").route(get().to(statements::list_lines)))
        .service(resource("/v1/statements/{id}/content").route(get().to(statements::get_content)))
        .service(
            resource("/v1/credit_payouts")
                .route(get().to(credit_payouts::list_credit_payouts))
                .route(post().to(credit_payouts::pay)),
        )
        .service(resource("/v1/defaults").route(get().to(defaults::list_defaults)).route(post().to(defaults::declare)))
        .service(resource("/v1/defaults/{id}").route(get().to(defaults::get_default)))
        .service(resource("/v1/billing_contacts").route(get().to(dunning::list_contacts)).route(post().to(dunning::set_contact)))
        .service(resource("/v1/dunning_messages").route(get().to(dunning::list_messages)))
        .service(resource("/v1/jobs").route(get().to(jobs::list_jobs)))
        .service(resource("/v1/jobs/{name}/runs").route(get().to(jobs::list_runs)).route(post().to(jobs::run)));
}
