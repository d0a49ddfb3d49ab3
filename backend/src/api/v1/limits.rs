//! `/v1/limits/{agency}` and `/v1/exposure`: what an agency may owe, what it owes, and what both are made of.

use super::limit_policies::LimitPolicy;
use super::shape::PageParams;
use super::sight::{require_one, visible_agency};
use crate::agencies::{Agency, agencies, agency};
use crate::api::caller::Caller;
use crate::api::envelope::{Data, ok};
use crate::api::error::ApiError;
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::credit::{
    self, BANDS, Capacity, LimitTerm, LimitViewError, Standing, TermKind, agency_limits, agency_totals, holding_capacity,
};
use crate::identity::Scope;
use crate::ids::{AgencyId, GuaranteeId, Id, LimitReviewId, TemporaryLimitId};
use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// What an agency owes and has with the platform: decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Balances {
    /// Cash collateral lodged.
    #[schema(example = "1000.00")]
    pub deposit_amount: String,
    /// Prepaid; sells without a limit and without a bank line.
    pub wallet_amount: String,
    /// Gross price of tickets issued on credit.
    pub receivable_amount: String,
    /// Late fees and financing charges.
    pub charges_amount: String,
    /// Front commission that the remittance nets.
    pub commission_amount: String,
}

/// What an agency may owe and owes. Amounts are decimal strings in `currency`; none of the available ones is ever negative.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgencyLimit {
    pub agency_id: String,
    pub currency: String,
    #[serde(flatten)]
    pub balances: Balances,
    /// The version in force; null: nothing is sold on credit.
    pub policy: Option<LimitPolicy>,
    /// Deposit x multiplier, before the cap.
    pub deposit_times_multiplier_amount: String,
    /// Guarantees in force today, after their haircuts.
    pub security_amount: String,
    /// Deposit x multiplier + security, before anything bounds it.
    pub secured_amount: String,
    /// What keeps the limit from being higher: `security`, `cap` of the policy, `holding_capacity` of the last review, `score`, or `no_policy`.
    #[schema(example = "cap")]
    pub bound_by: String,
    /// What is left of it below that.
    pub bounded_amount: String,
    /// What two people have agreed on to come on top of it today.
    pub temporary_amount: String,
    /// Bounded + temporary.
    #[schema(example = "1500.00")]
    pub limit_amount: String,
    /// The guarantees, temporary limits and the reviewed baseline that count today.
    pub terms: Vec<TermInForce>,
    /// Receivable + charges - commission.
    #[schema(example = "970.00")]
    pub exposure_amount: String,
    /// Limit - exposure, or zero.
    #[schema(example = "530.00")]
    pub available_amount: String,
    /// Exposure - limit, or zero: charges and a lowered limit may exceed it, and then sales on credit stop.
    pub over_limit_amount: String,
    /// Exposure in per cent of the limit, rounded down to two decimals; null where nothing may be owed at all.
    #[schema(example = "64.66")]
    pub percent_used: Option<String>,
    pub bands: Vec<LimitBand>,
}

/// One row of a register that counts in a limit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TermInForce {
    /// `guarantee`, `temporary` or `holding_capacity`.
    #[schema(example = "guarantee")]
    pub kind: String,
    /// `gua_…`, `tli_…` or `lrv_…`.
    pub id: String,
    /// As it counts: a guarantee after its haircut; below the holding capacity the limit stays.
    pub amount: String,
    pub effective_from: String,
    /// The last day on which it counts; null: until the next review.
    pub effective_until: Option<String>,
}

/// A part of the limit that people are told about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitBand {
    /// 50, 75, 90 or 100.
    pub percent: u8,
    pub reached: bool,
}

/// The Remittance Holding Capacity, the trade's baseline: (reporting days + remittance days) x average daily sales on credit of the three highest periods
/// of the last twelve months x 2. As it is now; a limit stays below what it was at the last review.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HoldingCapacity {
    #[schema(example = "700000.00")]
    pub amount: String,
    pub reporting_days: u32,
    /// The longest payment days of the contracts in force.
    pub remittance_days: u32,
    /// Oldest first.
    pub periods: Vec<TurnoverPeriod>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TurnoverPeriod {
    #[schema(example = "2026-11-H1")]
    pub cycle: String,
    pub days: u32,
    /// Gross sales on credit.
    pub turnover_amount: String,
}

/// The limit with its derivation, and the trade's baseline beside it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitDerivation {
    #[serde(flatten)]
    pub limit: AgencyLimit,
    pub remittance_holding_capacity: HoldingCapacity,
}

/// `{"data": […], "meta": {…}}` with sums over everything that the caller sees, not only the page.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExposurePage {
    pub data: Vec<AgencyLimit>,
    pub meta: ExposureMeta,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExposureMeta {
    pub limit: u16,
    pub after: Option<String>,
    pub before: Option<String>,
    pub totals: Vec<ExposureTotal>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExposureTotal {
    pub currency: String,
    #[serde(flatten)]
    pub balances: Balances,
    pub exposure_amount: String,
}

impl From<&Standing> for Balances {
    fn from(standing: &Standing) -> Self {
        Balances {
            deposit_amount: standing.deposit.to_string(),
            wallet_amount: standing.wallet.to_string(),
            receivable_amount: standing.receivable.to_string(),
            charges_amount: standing.charges.to_string(),
            commission_amount: standing.commission.to_string(),
        }
    }
}

impl From<&LimitTerm> for TermInForce {
    fn from(term: &LimitTerm) -> Self {
        let (kind, id) = match term.kind {
            TermKind::Guarantee => ("guarantee", GuaranteeId::of(term.id).to_string()),
            TermKind::Temporary => ("temporary", TemporaryLimitId::of(term.id).to_string()),
            TermKind::HoldingCapacity => ("holding_capacity", LimitReviewId::of(term.id).to_string()),
        };
        TermInForce {
            kind: kind.to_owned(),
            id,
            amount: term.amount.to_string(),
            effective_from: term.from.to_string(),
            effective_until: (term.kind != TermKind::HoldingCapacity).then(|| term.until.to_string()),
        }
    }
}

impl AgencyLimit {
    /// As it is on a day.
    pub(super) fn on(limit: &credit::AgencyLimit, date: NaiveDate) -> Self {
        let derived = &limit.derived;
        AgencyLimit {
            agency_id: limit.agency.to_string(),
            currency: derived.limit.currency.to_string(),
            balances: Balances::from(&limit.standing),
            policy: limit.policy.as_ref().map(LimitPolicy::from),
            deposit_times_multiplier_amount: derived.multiplied.to_string(),
            security_amount: derived.security.to_string(),
            secured_amount: derived.secured.to_string(),
            bound_by: derived.bound.text().to_owned(),
            bounded_amount: derived.bounded.to_string(),
            temporary_amount: derived.temporary.to_string(),
            limit_amount: derived.limit.to_string(),
            terms: limit.terms.on(date).map(TermInForce::from).collect(),
            exposure_amount: limit.exposure.to_string(),
            available_amount: limit.room.available.to_string(),
            over_limit_amount: limit.room.over.to_string(),
            percent_used: limit.percent_used.map(|percent| format!("{percent:.2}")),
            bands: BANDS.map(|percent| LimitBand { percent, reached: limit.has_reached(percent) }).to_vec(),
        }
    }
}

impl From<Capacity> for HoldingCapacity {
    fn from(capacity: Capacity) -> Self {
        let period = |period: credit::CapacityPeriod| TurnoverPeriod {
            cycle: period.cycle,
            days: period.days,
            turnover_amount: period.turnover.to_string(),
        };
        HoldingCapacity {
            amount: capacity.amount.to_string(),
            reporting_days: capacity.reporting_days,
            remittance_days: capacity.remittance_days,
            periods: capacity.periods.into_iter().map(period).collect(),
        }
    }
}

impl ExposureTotal {
    fn of(standing: &Standing) -> Result<Self, LimitViewError> {
        Ok(ExposureTotal {
            currency: standing.deposit.currency.to_string(),
            balances: Balances::from(standing),
            exposure_amount: standing.exposure()?.to_string(),
        })
    }
}

/// An agency's sales limit, term by term: deposit, policy, exposure and what is left, with the Remittance Holding Capacity beside it.
#[utoipa::path(get, path = "/v1/limits/{agency}", tag = "Settlement", operation_id = "get_limit",
    params(("agency" = String, Path, description = "`agy_…`")), responses((status = 200, body = Data<LimitDerivation>)))]
pub async fn get_limit(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::LimitsRead, Scope::FinanceRead])?;
    let id: AgencyId = path_id(&id)?;
    let (reader, store) = (caller.clone(), caller.app.store.clone());
    let shown = caller
        .read(move |db| {
            let agency = visible_agency(&reader, db, id)?;
            let today = store.today();
            let capacity = holding_capacity(db, &agency, today)?;
            let limit = agency_limits(db, std::slice::from_ref(&agency), today)?.pop();
            let limit = limit.ok_or_else(|| ApiError::internal("no limit of an agency that is there"))?;
            let limit = AgencyLimit::on(&limit, today);
            Ok::<_, ApiError>(LimitDerivation { limit, remittance_holding_capacity: capacity.into() })
        })
        .await?;
    Ok(ok(shown))
}

/// Limit and exposure of every agency that the caller sees, newest agency first, with totals per currency over all of them.
#[utoipa::path(get, path = "/v1/exposure", tag = "Settlement", operation_id = "list_exposure",
    params(PageParams), responses((status = 200, body = ExposurePage)))]
pub async fn list_exposure(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::LimitsRead, Scope::FinanceRead])?;
    let request = PageRequest::<i64>::read(&query, "/v1/exposure")?;
    let (window, limit) = (request.window(), request.fetch());
    let own = caller.visible_agencies().await?;
    let (organisation, bound) = (caller.key.organisation, caller.key.agency);
    let store = caller.app.store.clone();
    let (limits, totals, today) = caller
        .read(move |db| {
            let shown: Vec<Agency> = match (&own, bound) {
                (None, _) => agencies(db, None, window, limit)?,
                (Some(_), Some(bound)) => agency(db, bound)?.into_iter().collect(),
                (Some(own), None) if own.is_empty() => Vec::new(),
                (Some(_), None) => agencies(db, Some(organisation), window, limit)?,
            };
            let today = store.today();
            let limits = agency_limits(db, &shown, today)?;
            let totals = agency_totals(db, own.as_deref())?;
            let totals = totals.iter().map(ExposureTotal::of).collect::<Result<Vec<_>, _>>()?;
            Ok::<_, LimitViewError>((limits, totals, today))
        })
        .await?;
    let found = request.page(limits, |limit| limit.agency.raw()).map(|limit| AgencyLimit::on(&limit, today));
    let meta = ExposureMeta { limit: found.meta.limit, after: found.meta.after, before: found.meta.before, totals };
    Ok(HttpResponse::Ok().json(ExposurePage { data: found.data, meta }))
}
