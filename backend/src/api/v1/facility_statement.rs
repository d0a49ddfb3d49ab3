//! `/v1/facilities/{id}/statement` and `/v1/facilities/{id}/utilisation`: what a bank sees of its line, day by day and airline by airline.

use super::shape::time;
use super::sight::visible_facility;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Data, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::query::{Query, path_id};
use crate::credit::{self, CorrectionRow, statement, utilisation};
use crate::identity::Scope;
use crate::ids::{AdvanceId, BankPaymentId, BaseRateId, CorrectionId, FacilityId, Id, PostingId};
use crate::money::{Currency, Money};
use actix_web::{HttpResponse, web};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

/// More days than this are not answered at once.
const MOST_DAYS: i64 = 366;

/// A line from one day until another. Amounts are decimal strings in `currency`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacilityStatement {
    pub facility_id: String,
    #[schema(example = "CNY")]
    pub currency: String,
    pub from: String,
    pub until: String,
    /// Drawn at the close of the day before.
    pub opening_amount: String,
    pub closing_amount: String,
    /// Interest, commitment fees and corrections that were booked in these days.
    pub cost_amount: String,
    /// Oldest first, every day.
    pub days: Vec<FacilityDay>,
    /// Booked in these days for earlier ones.
    pub corrections: Vec<InterestCorrection>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacilityDay {
    pub date: String,
    /// Advances that the bank confirmed on this day, and what they come to.
    pub draws: i64,
    pub drawn_amount: String,
    pub repaid_amount: String,
    /// Drawn at the close of the day.
    #[schema(example = "915.00")]
    pub balance_amount: String,
    /// Base and margin per year; null until the day is accrued, like what follows.
    pub rate: Option<String>,
    #[schema(example = "0.15")]
    pub interest_amount: Option<String>,
    /// What was not drawn of the limit, where the line costs a fee for it.
    pub undrawn_amount: Option<String>,
    pub commitment_rate: Option<String>,
    pub commitment_amount: Option<String>,
}

/// Interest and commitment fee of days that are over, put right: a movement of the loan was dated back, or a rate published late.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InterestCorrection {
    #[schema(example = "cor_0000000000001")]
    pub id: String,
    /// `draw`, `repayment` or `rate`.
    pub cause: String,
    /// The disbursement, the repayment or the published rate.
    pub caused_by: String,
    /// What the loan moved by, positive where more was drawn.
    pub moved_amount: String,
    /// The first day that it concerns: the value date.
    pub from: String,
    /// The day that it was booked on, which it does not concern.
    pub booked_on: String,
    pub interest_amount: String,
    pub commitment_amount: String,
    /// In words.
    #[schema(example = "repaid 500.00 as of 2026-11-20, booked 2026-11-23: 3 days")]
    pub explanation: String,
    /// Null where the difference rounds to nothing.
    pub posting_id: Option<String>,
    pub created_at: String,
}

impl InterestCorrection {
    fn of(row: CorrectionRow, currency: Currency) -> Self {
        let money = |minor| Money::new(minor, currency);
        let days = row.until_day.signed_duration_since(row.from_day).num_days();
        let (caused_by, what) = match row.cause.as_str() {
            "draw" => (AdvanceId::of(row.reference_id).to_string(), format!("drew {}", money(row.moved_minor))),
            "repayment" => {
                let repaid = money(row.moved_minor.saturating_neg());
                (BankPaymentId::of(row.reference_id).to_string(), format!("repaid {repaid}"))
            }
            _ => (BaseRateId::of(row.reference_id).to_string(), "another base rate".to_owned()),
        };
        let explanation = format!("{what} as of {}, booked {}: {days} days", row.from_day, row.until_day);
        InterestCorrection {
            id: CorrectionId::of(row.id).to_string(),
            caused_by,
            moved_amount: money(row.moved_minor).to_string(),
            from: row.from_day.to_string(),
            booked_on: row.until_day.to_string(),
            interest_amount: money(row.booked_minor).to_string(),
            commitment_amount: money(row.commitment_booked_minor).to_string(),
            explanation,
            posting_id: row.posting_id.map(|id| PostingId::of(id).to_string()),
            created_at: time(row.created_at),
            cause: row.cause,
        }
    }
}

fn rate(rate_e8: i64) -> String {
    Decimal::new(rate_e8, 8).to_string()
}

fn shown(id: FacilityId, currency: Currency, statement: credit::Statement) -> Result<FacilityStatement, ApiError> {
    let money = |minor: i64| Money::new(minor, currency);
    let accrued = statement.days.iter().filter_map(|day| day.accrued.as_ref());
    let accrued = accrued.flat_map(|day| [day.interest, day.commitment]);
    let corrected = statement.corrections.iter().flat_map(|row| [money(row.booked_minor), money(row.commitment_booked_minor)]);
    let cost = Money::sum(currency, accrued.chain(corrected)).map_err(ApiError::internal)?;
    let day = |day: &credit::StatementDay| {
        let accrued = day.accrued.as_ref();
        FacilityDay {
            date: day.day.to_string(),
            draws: day.draws,
            drawn_amount: day.drawn.to_string(),
            repaid_amount: day.repaid.to_string(),
            balance_amount: day.balance.to_string(),
            rate: accrued.map(|day| rate(day.rate_e8)),
            interest_amount: accrued.map(|day| day.interest.to_string()),
            undrawn_amount: accrued.map(|day| day.undrawn.to_string()),
            commitment_rate: accrued.map(|day| rate(day.commitment_rate_e8)),
            commitment_amount: accrued.map(|day| day.commitment.to_string()),
        }
    };
    Ok(FacilityStatement {
        facility_id: id.to_string(),
        currency: currency.to_string(),
        from: statement.from.to_string(),
        until: statement.until.to_string(),
        opening_amount: statement.opening.to_string(),
        closing_amount: statement.closing.to_string(),
        cost_amount: cost.to_string(),
        days: statement.days.iter().map(day).collect(),
        corrections: statement.corrections.into_iter().map(|row| InterestCorrection::of(row, currency)).collect(),
    })
}

fn day(query: &Query, name: &str) -> Result<Option<NaiveDate>, ApiError> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let read = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    let wrong = || ApiError::new(Code::InvalidValue, format!("`{name}` is a date such as \"2026-11-01\".")).parameter(name);
    read.map(Some).ok_or_else(wrong)
}

/// A bank line day by day: draws, repayments, the balance, the rate and what it cost, with the corrections booked in these days. The operator and its bank.
#[utoipa::path(get, path = "/v1/facilities/{id}/statement", tag = "Settlement", operation_id = "get_facility_statement",
    params(("id" = String, Path, description = "`fac_…`"),
        ("from" = Option<String>, Query, description = "The first day; the first of the month if not given"),
        ("until" = Option<String>, Query, description = "The last day; today if not given. At most 366 days")),
    responses((status = 200, body = Data<FacilityStatement>),
        (status = 422, description = "`invalid_value`: a date, or more than 366 days", body = ErrorBody)))]
pub async fn get_statement(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: FacilityId = path_id(&id)?;
    let until = day(&query, "until")?.unwrap_or_else(|| caller.app.today());
    let from = day(&query, "from")?.unwrap_or_else(|| until.with_day(1).unwrap_or(until));
    if !(0..MOST_DAYS).contains(&until.signed_duration_since(from).num_days()) {
        let message = format!("`until` is not before `from`, and both are at most {MOST_DAYS} days.");
        return Err(ApiError::new(Code::InvalidValue, message).parameter("until"));
    }
    let reader = caller.clone();
    let (currency, found) = caller
        .read(move |db| {
            let line = visible_facility(&reader, db, id)?.facility;
            Ok::<_, ApiError>((line.limit.currency, statement(db, &line, from, until)?))
        })
        .await?;
    Ok(ok(shown(id, currency, found)?))
}

/// What one airline has of a bank line. Amounts are decimal strings in the line's currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AirlineUtilisation {
    pub airline_id: String,
    /// Advances on their way.
    pub held_amount: String,
    /// Of what is drawn; repayments pay for the oldest draws first.
    pub drawn_amount: String,
    /// Null: as much as the line has.
    pub sublimit_amount: Option<String>,
}

/// How much of a bank line each airline has. The operator and its bank.
#[utoipa::path(get, path = "/v1/facilities/{id}/utilisation", tag = "Settlement", operation_id = "get_facility_utilisation",
    params(("id" = String, Path, description = "`fac_…`")), responses((status = 200, body = Data<Vec<AirlineUtilisation>>)))]
pub async fn get_utilisation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    let id: FacilityId = path_id(&id)?;
    let reader = caller.clone();
    let shown = caller
        .read(move |db| {
            let line = visible_facility(&reader, db, id)?;
            let currency = line.facility.limit.currency;
            let mut used = utilisation(db, id, line.drawn)?;
            for part in &line.facility.sublimits {
                used.entry(part.airline).or_default();
            }
            let part = |(airline, used): (_, credit::Utilisation)| AirlineUtilisation {
                sublimit_amount: line
                    .facility
                    .sublimits
                    .iter()
                    .find(|part| part.airline == airline)
                    .map(|part| part.limit.to_string()),
                airline_id: airline.to_string(),
                held_amount: Money::new(used.held_minor, currency).to_string(),
                drawn_amount: Money::new(used.drawn_minor, currency).to_string(),
            };
            Ok::<_, ApiError>(used.into_iter().map(part).collect::<Vec<_>>())
        })
        .await?;
    Ok(ok(shown))
}
