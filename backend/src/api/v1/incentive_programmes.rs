//! `/v1/incentive_programmes`: what agencies get back for selling much of one airline. A programme is immutable.

use super::commission_rules::TIER;
use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, not_found};
use crate::agencies::{self, agencies_by_id};
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, Id, IncentiveProgrammeId};
use crate::money::{Currency, Money, Rate};
use crate::settlement::{self, NewProgramme, Programme, ProgrammeFilter, TierReward, open_programme, programme, programmes};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// By the ledger date of the sale.
    IncentivePeriodLength = settlement::PeriodLength { Month, Quarter }
}
choice! {
    /// What reaches a tier, net of voids and refunds: fares without taxes, or tickets.
    IncentiveMeasure = settlement::Measure { Fare, Tickets }
}
choice! {
    /// Whether a tier that is reached holds for what is sold beyond it, or for everything of the period.
    IncentiveMethod = settlement::Method { Incremental, RetroactiveToFirst }
}
choice! {
    /// Who bears it.
    IncentiveFunder = settlement::Funder { Airline, Platform }
}
choice! {
    /// How an airline pays what it funds: set off against its next advances, or repaid.
    IncentiveReturn = agencies::AirlineReturn { SetOff, RepayOnDemand }
}

/// From this much on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncentiveTier {
    /// Where fares are measured, in the programme's currency.
    #[schema(example = "100000.00")]
    pub from_amount: Option<String>,
    pub from_tickets: Option<i64>,
    /// Of the fare: `0.01` is 1 %.
    #[schema(example = "0.01")]
    pub rate: Option<String>,
    pub amount_per_ticket: Option<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IncentiveProgramme {
    #[schema(example = "inc_0000000000001")]
    pub id: String,
    pub name: String,
    /// For this agency only.
    pub agency_id: Option<String>,
    /// For agencies that were in this tier at the sale.
    pub agency_tier: Option<String>,
    /// The validating carrier.
    pub airline_id: String,
    pub currency: String,
    pub period: IncentivePeriodLength,
    pub measure: IncentiveMeasure,
    pub method: IncentiveMethod,
    pub funder: IncentiveFunder,
    pub airline_return: Option<IncentiveReturn>,
    /// First and last ledger date of the sales that count.
    pub effective_from: String,
    pub effective_until: Option<String>,
    pub tiers: Vec<IncentiveTier>,
    pub created_at: String,
}

impl From<Programme> for IncentiveProgramme {
    fn from(programme: Programme) -> Self {
        let by_fare = programme.measure == settlement::Measure::Fare;
        let money = |minor: i64| Money::new(minor, programme.currency).to_string();
        let tier = |tier: &settlement::Tier| IncentiveTier {
            from_amount: by_fare.then(|| money(tier.from)),
            from_tickets: (!by_fare).then_some(tier.from),
            rate: by_fare.then(|| Rate::from(tier.per_unit).to_string()),
            // The stored amount is a whole number of minor units.
            amount_per_ticket: (!by_fare).then(|| money(i64::try_from(tier.per_unit.mantissa()).unwrap_or(i64::MAX))),
        };
        IncentiveProgramme {
            id: programme.id.to_string(),
            agency_id: programme.agency.map(|id| id.to_string()),
            agency_tier: programme.tier.as_ref().map(ToString::to_string),
            airline_id: programme.airline.to_string(),
            currency: programme.currency.to_string(),
            period: programme.period.into(),
            measure: programme.measure.into(),
            method: programme.method.into(),
            funder: programme.funder.into(),
            airline_return: programme.airline_return.map(Into::into),
            effective_from: programme.effective_from.to_string(),
            effective_until: programme.effective_until.map(|date| date.to_string()),
            tiers: programme.tiers.iter().map(tier).collect(),
            created_at: time(programme.created_at),
            name: programme.name,
        }
    }
}

/// Fares are rewarded by `from_amount` and `rate`, tickets by `from_tickets` and `amount_per_ticket`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIncentiveTier {
    pub from_amount: Option<String>,
    pub from_tickets: Option<i64>,
    pub rate: Option<String>,
    pub amount_per_ticket: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenIncentiveProgramme {
    /// 1 to 100 characters.
    pub name: String,
    /// Neither this nor `agency_tier`: every agency.
    pub agency_id: Option<String>,
    pub agency_tier: Option<String>,
    pub airline_id: String,
    pub currency: String,
    pub period: IncentivePeriodLength,
    pub measure: IncentiveMeasure,
    pub method: IncentiveMethod,
    pub funder: IncentiveFunder,
    /// Where the airline funds it, and only there; `set_off` if not given.
    pub airline_return: Option<IncentiveReturn>,
    /// Not before the first day of the running period.
    pub effective_from: String,
    pub effective_until: Option<String>,
    /// 1 to 20, in any order.
    pub tiers: Vec<NewIncentiveTier>,
}

impl NewIncentiveTier {
    fn read(&self, input: &mut Input, place: usize, by_fare: bool, currency: Currency) -> Option<(i64, TierReward)> {
        let at = |field: &str| format!("tiers/{place}/{field}");
        let code = currency.to_string();
        let currency = ("currency", code.as_str());
        let from_amount = input.only_if(&at("from_amount"), self.from_amount.as_deref(), by_fare);
        let rate = input.only_if(&at("rate"), self.rate.as_deref(), by_fare);
        let per_ticket = input.only_if(&at("amount_per_ticket"), self.amount_per_ticket.as_deref(), !by_fare);
        let tickets = self.from_tickets.map(|count| count.to_string());
        let from_tickets = input.only_if(&at("from_tickets"), tickets.as_deref(), !by_fare);
        if by_fare {
            let from = from_amount.and_then(|text| input.money((&at("from_amount"), text), currency));
            let rate = rate.and_then(|text| input.rate(&at("rate"), text));
            return Some((from?.minor, TierReward::Rate(rate?)));
        }
        let amount = per_ticket.and_then(|text| input.money((&at("amount_per_ticket"), text), currency));
        let from = from_tickets.and(self.from_tickets);
        Some((from?, TierReward::PerTicket(amount?)))
    }
}

impl OpenIncentiveProgramme {
    fn validate(&self) -> Result<NewProgramme, ApiError> {
        let mut input = Input::default();
        let name = input.text("name", &self.name, 100);
        let agency = input.optional_id("agency_id", self.agency_id.as_deref());
        let airline = input.id("airline_id", &self.airline_id);
        let tier = self.agency_tier.as_deref().map(agencies::Tier::parse);
        if tier == Some(None) {
            input.fail(Code::InvalidValue, "agency_tier", TIER);
        }
        let currency = input.currency("currency", &self.currency);
        let effective_from = input.date("effective_from", &self.effective_from);
        let effective_until = match &self.effective_until {
            None => Some(None),
            Some(text) => input.date("effective_until", text).map(Some),
        };
        let by_fare = self.measure == IncentiveMeasure::Fare;
        let tiers: Vec<Option<(i64, TierReward)>> = match currency {
            Some(currency) => {
                self.tiers.iter().enumerate().map(|(place, tier)| tier.read(&mut input, place, by_fare, currency)).collect()
            }
            None => Vec::new(),
        };
        let by_airline = self.funder == IncentiveFunder::Airline;
        let airline_return = self.airline_return.or(by_airline.then_some(IncentiveReturn::SetOff));
        let read = (|| {
            Some(NewProgramme {
                name: name?,
                agency: agency?,
                tier: tier.flatten(),
                airline: airline?,
                currency: currency?,
                period: self.period.into(),
                measure: self.measure.into(),
                method: self.method.into(),
                funder: self.funder.into(),
                airline_return: airline_return.map(Into::into),
                effective_from: effective_from?,
                effective_until: effective_until?,
                tiers: tiers.into_iter().collect::<Option<_>>()?,
            })
        })();
        input.finish(read)
    }
}

/// Whose programmes a caller sees: an agency those that can be for it, an airline its own; `None`: nobody's.
async fn visible(caller: &Caller) -> Result<Option<ProgrammeFilter>, ApiError> {
    let sight = Sight::of(caller).await?;
    let all = ProgrammeFilter::default();
    Ok(match caller.key.kind {
        OrganisationKind::Operator => Some(all),
        OrganisationKind::Airline => Some(ProgrammeFilter { airlines: sight.airlines, ..all }),
        OrganisationKind::Bank => None,
        OrganisationKind::Agency => {
            let own: Vec<AgencyId> = sight.agencies.unwrap_or_default();
            let own = caller.read(move |db| agencies_by_id(db, &own)).await?;
            let own: Vec<_> = own.into_iter().map(|agency| (agency.id, agency.tier)).collect();
            (!own.is_empty()).then_some(ProgrammeFilter { agencies: Some(own), ..all })
        }
    })
}

/// Programmes, newest first: an agency's are those that can be for it, an airline's its own.
#[utoipa::path(get, path = "/v1/incentive_programmes", tag = "Settlement", operation_id = "list_incentive_programmes",
    params(PageParams), responses((status = 200, body = Page<IncentiveProgramme>)))]
pub async fn list_incentive_programmes(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/incentive_programmes")?;
    let (window, limit) = (request.window(), request.fetch());
    let Some(filter) = visible(&caller).await? else {
        return Ok(page(&request.page(Vec::<IncentiveProgramme>::new(), |_| 0)));
    };
    let found = caller.read(move |db| programmes(db, &filter, window, limit)).await?;
    Ok(page(&request.page(found, |programme| programme.id.raw()).map(IncentiveProgramme::from)))
}

/// Opens a programme. What was sold since its beginning counts, and is accrued a moment later. The operator only.
#[utoipa::path(post, path = "/v1/incentive_programmes", tag = "Settlement", operation_id = "open_incentive_programme",
    request_body = Data<OpenIncentiveProgramme>,
    responses((status = 201, body = Data<IncentiveProgramme>),
        (status = 422, description = "`invalid_value`, `missing_field`, `unknown_currency`, `currency_mismatch`, `too_many_decimals`", body = ErrorBody)))]
pub async fn open(caller: Caller, request: HttpRequest, body: Body<OpenIncentiveProgramme>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let new = body.data.validate()?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let opened = open_programme(tx, &new)?;
        audit::record(tx, &cause, "incentive_programme.open", opened.id)?;
        Ok(IncentiveProgramme::from(opened))
    })
    .await
}

/// One programme.
#[utoipa::path(get, path = "/v1/incentive_programmes/{id}", tag = "Settlement", operation_id = "get_incentive_programme",
    params(("id" = String, Path, description = "`inc_…`")), responses((status = 200, body = Data<IncentiveProgramme>)))]
pub async fn get_incentive_programme(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: IncentiveProgrammeId = path_id(&id)?;
    let filter = visible(&caller).await?.ok_or_else(not_found)?;
    let found = caller.read(move |db| programme(db, id)).await?.filter(|programme| filter.sees(programme));
    Ok(ok(IncentiveProgramme::from(found.ok_or_else(not_found)?)))
}
