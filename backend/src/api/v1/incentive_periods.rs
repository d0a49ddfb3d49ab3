//! `/v1/incentive_periods` and `/v1/incentive_settlements`: what agencies have earned under a programme, line by line, and paying it out.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, not_found};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::db::{Db, DbError};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, Id, IncentiveLineId, IncentivePeriodId, IncentiveProgrammeId, PostingId, TicketId};
use crate::money::{Currency, Money};
use crate::settlement::{
    self, LineRow, Period, PeriodFilter, PeriodRow, Programme, all_programmes, lines_of, period, periods, settle_period,
};
use crate::ticketing::ticket_numbers;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// A ticket that was sold, one that was voided, one that was refunded or a part of it, or what a tier that was reached or lost changes for the other tickets.
    IncentiveLineKind = settlement::LineKind { Issue, Void, Refund, TrueUp }
}

/// What one agency has earned in one period. Its lines add up to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncentivePeriod {
    #[schema(example = "inp_0000000000001")]
    pub id: String,
    pub programme_id: String,
    pub agency_id: String,
    /// A month or a quarter.
    #[schema(example = "2026-Q4")]
    pub period: String,
    pub first_day: String,
    pub last_day: String,
    pub currency: String,
    /// Fares net of voids and refunds, where fares are measured.
    pub measured_amount: Option<String>,
    pub measured_tickets: Option<i64>,
    #[schema(example = "19.00")]
    pub accrued_amount: String,
    /// Null: not settled.
    pub settled_at: Option<String>,
    /// The cycle in which the agency owes less by it.
    pub cycle: Option<String>,
    pub posting_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncentiveLine {
    #[schema(example = "inl_0000000000001")]
    pub id: String,
    pub kind: IncentiveLineKind,
    pub ticket_id: String,
    /// Of a true-up: the ticket that reached or lost the tier.
    pub ticket_number: String,
    /// What the line adds to the fares or tickets that are measured.
    pub measured_amount: Option<String>,
    pub measured_tickets: Option<i64>,
    pub amount: String,
    pub currency: String,
    /// The sale, void or refund that caused it.
    pub caused_by_posting_id: String,
    /// Null where the amount is zero.
    pub posting_id: Option<String>,
    pub created_at: String,
}

fn measured(programme: &Programme, measured: i64) -> (Option<String>, Option<i64>) {
    match programme.measure {
        settlement::Measure::Fare => (Some(Money::new(measured, programme.currency).to_string()), None),
        settlement::Measure::Tickets => (None, Some(measured)),
    }
}

fn shown(row: &PeriodRow, programmes: &[Programme]) -> Result<IncentivePeriod, ApiError> {
    let programme = programmes.iter().find(|programme| programme.id.raw() == row.programme_id);
    let programme = programme.ok_or_else(|| ApiError::internal(format!("incentive period {} has no programme", row.id)))?;
    let period = Period { starts_on: row.starts_on, length: programme.period };
    let (measured_amount, measured_tickets) = measured(programme, row.measured);
    Ok(IncentivePeriod {
        id: IncentivePeriodId::of(row.id).to_string(),
        programme_id: programme.id.to_string(),
        agency_id: AgencyId::of(row.agency_id).to_string(),
        period: period.to_string(),
        first_day: period.starts_on.to_string(),
        last_day: period.last_day().to_string(),
        currency: programme.currency.to_string(),
        measured_amount,
        measured_tickets,
        accrued_amount: Money::new(row.accrued_minor, programme.currency).to_string(),
        settled_at: row.settled_at.map(time),
        cycle: row.cycle.clone(),
        posting_id: row.posting_id.map(|id| PostingId::of(id).to_string()),
    })
}

fn line(row: &LineRow, programme: &Programme, number: String) -> Result<IncentiveLine, ApiError> {
    let kind = settlement::LineKind::parse(&row.kind).ok_or_else(|| ApiError::internal(format!("incentive line {}", row.id)))?;
    let (measured_amount, measured_tickets) = measured(programme, row.measured);
    Ok(IncentiveLine {
        id: IncentiveLineId::of(row.id).to_string(),
        kind: kind.into(),
        ticket_id: TicketId::of(row.ticket_id).to_string(),
        ticket_number: number,
        measured_amount,
        measured_tickets,
        amount: Money::new(row.amount_minor, programme.currency).to_string(),
        currency: programme.currency.to_string(),
        caused_by_posting_id: PostingId::of(row.caused_by_id).to_string(),
        posting_id: row.posting_id.map(|id| PostingId::of(id).to_string()),
        created_at: time(row.created_at),
    })
}

/// An agency sees its own periods, an airline those that it funds; a bank none.
async fn visible(caller: &Caller) -> Result<PeriodFilter, ApiError> {
    let sight = Sight::of(caller).await?;
    let all = PeriodFilter::default();
    Ok(match caller.key.kind {
        OrganisationKind::Operator => all,
        OrganisationKind::Airline => PeriodFilter { airlines: sight.airlines, ..all },
        OrganisationKind::Agency | OrganisationKind::Bank => PeriodFilter { agencies: sight.agencies, ..all },
    })
}

/// One period that the caller sees, with its programme.
fn visible_period(db: &mut Db, filter: &PeriodFilter, id: IncentivePeriodId) -> Result<(PeriodRow, Vec<Programme>), ApiError> {
    let (found, programmes) = (period(db, id)?.ok_or_else(not_found)?, all_programmes(db)?);
    let programme = programmes.iter().find(|programme| programme.id.raw() == found.programme_id);
    if programme.is_some_and(|programme| filter.sees(&found, programme)) { Ok((found, programmes)) } else { Err(not_found()) }
}

/// Periods, newest first.
#[utoipa::path(get, path = "/v1/incentive_periods", tag = "Settlement", operation_id = "list_incentive_periods",
    params(PageParams, ("programme_id" = Option<String>, Query, description = "Only of this programme"),
        ("agency_id" = Option<String>, Query, description = "Only of this agency")),
    responses((status = 200, body = Page<IncentivePeriod>)))]
pub async fn list_incentive_periods(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/incentive_periods")?;
    let (window, limit) = (request.window(), request.fetch());
    let (programme, asked): (Option<IncentiveProgrammeId>, Option<AgencyId>) =
        (query.id("programme_id")?, query.id("agency_id")?);
    let filter = visible(&caller).await?;
    let agencies = match (asked, filter.agencies) {
        (None, own) => own,
        (Some(asked), None) => Some(vec![asked]),
        (Some(asked), Some(own)) => Some(own.into_iter().filter(|id| *id == asked).collect()),
    };
    let filter = PeriodFilter { programme, agencies, airlines: filter.airlines };
    let (found, programmes) =
        caller.read(move |db| Ok::<_, DbError>((periods(db, &filter, window, limit)?, all_programmes(db)?))).await?;
    Ok(page(&request.page(found, |row| row.id).try_map(|row| shown(&row, &programmes))?))
}

/// One period.
#[utoipa::path(get, path = "/v1/incentive_periods/{id}", tag = "Settlement", operation_id = "get_incentive_period",
    params(("id" = String, Path, description = "`inp_…`")), responses((status = 200, body = Data<IncentivePeriod>)))]
pub async fn get_incentive_period(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: IncentivePeriodId = path_id(&id)?;
    let filter = visible(&caller).await?;
    let (found, programmes) = caller.read(move |db| visible_period(db, &filter, id)).await?;
    Ok(ok(shown(&found, &programmes)?))
}

/// The statement of a period: its lines, newest first. Their amounts add up to what is accrued, to the cent.
#[utoipa::path(get, path = "/v1/incentive_periods/{id}/lines", tag = "Settlement", operation_id = "list_incentive_lines",
    params(("id" = String, Path, description = "`inp_…`"), PageParams), responses((status = 200, body = Page<IncentiveLine>)))]
pub async fn list_incentive_lines(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: IncentivePeriodId = path_id(&id)?;
    let request = PageRequest::<i64>::read(&query, "/v1/incentive_periods/lines")?;
    let (window, limit) = (request.window(), request.fetch());
    let filter = visible(&caller).await?;
    let lines = caller.read(move |db| {
        let (found, programmes) = visible_period(db, &filter, id)?;
        let programme =
            programmes.into_iter().find(|programme| programme.id.raw() == found.programme_id).ok_or_else(not_found)?;
        let rows = lines_of(db, id, window, limit)?;
        let tickets: Vec<TicketId> = rows.iter().map(|row| TicketId::of(row.ticket_id)).collect();
        Ok::<_, ApiError>((rows, ticket_numbers(db, &tickets)?, programme))
    });
    let (rows, numbers, programme) = lines.await?;
    let number = |row: &LineRow| numbers.get(&TicketId::of(row.ticket_id)).cloned().unwrap_or_default();
    Ok(page(&request.page(rows, |row| row.id).try_map(|row| line(&row, &programme, number(&row)))?))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettleIncentives {
    pub programme_id: String,
    /// A month such as `2026-11` or a quarter such as `2026-Q4`, as long as the programme's; it must be over.
    pub period: String,
    /// Agencies of one call at most: 1 to 200, 200 if not given.
    pub limit: Option<i64>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncentiveSettlement {
    pub programme_id: String,
    pub period: String,
    /// What this call settled, agency by agency.
    pub settled: Vec<IncentivePeriod>,
    pub settled_amount: String,
    pub currency: String,
    /// Agencies of the period that are still to be settled: call again with another key.
    pub remaining: i64,
}

const MOST_AGENCIES: i64 = 200;

/// Settles a period: each agency owes less in its open cycle by what it has earned, and an airline that funds it owes it as a claim. The agencies of a call
/// are settled together or not at all, and each agency once, however often it is called. The operator only.
#[utoipa::path(post, path = "/v1/incentive_settlements", tag = "Settlement", operation_id = "settle_incentives",
    params(("Idempotency-Key" = String, Header)), request_body = Data<SettleIncentives>,
    responses((status = 201, body = Data<IncentiveSettlement>),
        (status = 409, description = "`period_not_over`: or not everything of it is counted yet", body = ErrorBody),
        (status = 422, description = "`invalid_value`", body = ErrorBody)))]
pub async fn settle(caller: Caller, request: HttpRequest, body: Body<SettleIncentives>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    let mut input = Input::default();
    let programme: Option<IncentiveProgrammeId> = input.id("programme_id", &body.data.programme_id);
    let period = Period::parse(&body.data.period);
    if period.is_none() {
        input.fail(Code::InvalidValue, "period", "`period` is a month such as \"2026-11\" or a quarter such as \"2026-Q4\".");
    }
    let limit = input.whole("limit", body.data.limit.unwrap_or(MOST_AGENCIES), 1..=MOST_AGENCIES);
    let read = (|| Some((programme?, period?, usize::try_from(limit?).ok()?)))();
    let (programme, period, limit) = input.finish(read)?;
    let (cause, zone) = (caller.cause(), caller.app.store.zone());
    once(&caller, &request, Key::Required, &body.bytes, StatusCode::CREATED, move |tx| {
        let settled = settle_period(tx, &cause, programme, period, zone, limit)?;
        audit::record(tx, &cause, "incentives.settle", programme)?;
        let programmes = all_programmes(tx.db)?;
        let currency = programmes.iter().find(|known| known.id == programme).map_or(Currency::CNY, |known| known.currency);
        let amounts = settled.periods.iter().map(|row| Money::new(row.accrued_minor, currency));
        let total = Money::sum(currency, amounts).map_err(ApiError::internal)?;
        Ok(IncentiveSettlement {
            programme_id: programme.to_string(),
            period: period.to_string(),
            settled: settled.periods.iter().map(|row| shown(row, &programmes)).collect::<Result<_, _>>()?,
            settled_amount: total.to_string(),
            currency: currency.to_string(),
            remaining: settled.remaining,
        })
    })
    .await
}
