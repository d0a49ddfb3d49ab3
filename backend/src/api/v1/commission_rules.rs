//! `/v1/commission_rules`: what agencies earn on their sales. A version is immutable; a change is the next version.

use super::input::Input;
use super::shape::{PageParams, choice, time};
use super::sight::{Sight, not_found};
use crate::agencies::{self, Tier, agencies_by_id};
use crate::api::air::PassengerType;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::catalogue::{BookingClass, CarrierCode, Catalogue};
use crate::commission::{self, Payout, Rule, RuleFilter, commission_rule, commission_rules, file_rule};
use crate::db::{Db, DbError};
use crate::identity::{OrganisationKind, Scope};
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, Id};
use crate::money::{Money, Rate};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// Whether a route is meant as it is written or back as well.
    RouteDirection = commission::Direction { OneWay, BothWays }
}
choice! {
    /// What a percentage is a share of: the fare without taxes and YQ, or the price.
    PercentageBase = agencies::CommissionBase { Price, Fare }
}

/// What a rule pays for a coupon: a `percentage` of its part of the fare or price, a fixed amount `per_segment`, or `zero`. A `withdrawn` rule pays
/// nobody any more, and the next rule that applies does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommissionKind {
    Percentage,
    PerSegment,
    Zero,
    Withdrawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoutePlaceKind {
    Airport,
    City,
    Country,
}

impl RoutePlaceKind {
    fn text(self) -> &'static str {
        match self {
            RoutePlaceKind::Airport => "airport",
            RoutePlaceKind::City => "city",
            RoutePlaceKind::Country => "country",
        }
    }
}

/// One end of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutePlace {
    #[serde(rename = "type")]
    pub kind: RoutePlaceKind,
    /// IATA code of an airport or a city, ISO 3166 alpha-2 of a country.
    #[schema(example = "BJS")]
    pub code: String,
}

impl From<&commission::RouteEnd> for RoutePlace {
    fn from(end: &commission::RouteEnd) -> Self {
        let kind = match end {
            commission::RouteEnd::Airport(_) => RoutePlaceKind::Airport,
            commission::RouteEnd::City(_) => RoutePlaceKind::City,
            commission::RouteEnd::Country(_) => RoutePlaceKind::Country,
        };
        RoutePlace { kind, code: end.code().to_owned() }
    }
}

/// A version of a rule. A condition that is null is met by every sale.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommissionRule {
    #[schema(example = "cru_0000000000001")]
    pub id: String,
    /// What the versions of the rule have in common.
    #[schema(example = "CA-DOMESTIC")]
    pub code: String,
    pub version: i64,
    /// Of the sale, in the zone of the point of sale. From that day on the versions before it do not count.
    #[schema(example = "2026-11-01")]
    pub effective_from: String,
    pub agency_id: Option<String>,
    #[schema(example = "gold")]
    pub agency_tier: Option<String>,
    /// The validating carrier.
    pub airline_id: Option<String>,
    /// IATA code of the carrier of the segment.
    #[schema(example = "CA")]
    pub carrier: Option<String>,
    /// Of the direction of travel that the segment is a part of: where a connection begins, not where it changes.
    pub origin: Option<RoutePlace>,
    pub destination: Option<RoutePlace>,
    pub direction: RouteDirection,
    /// Empty: every class.
    #[schema(example = json!(["Y", "B"]))]
    pub booking_classes: Vec<String>,
    pub passenger_type: Option<PassengerType>,
    /// First and last date of sale.
    pub sale_from: Option<String>,
    pub sale_until: Option<String>,
    /// First and last date of the segment's departure, local.
    pub travel_from: Option<String>,
    pub travel_until: Option<String>,
    pub kind: CommissionKind,
    /// Of a percentage.
    pub base: Option<PercentageBase>,
    /// A factor: `0.03` is 3 %.
    #[schema(example = "0.03")]
    pub rate: Option<String>,
    /// Per segment.
    pub amount: Option<String>,
    pub currency: Option<String>,
    /// RFC 3339, UTC.
    pub created_at: String,
}

impl From<&commission::CommissionRule> for CommissionRule {
    fn from(version: &commission::CommissionRule) -> Self {
        let rule = &version.rule;
        let (kind, base, rate, amount) = match rule.payout {
            Some(Payout::Share { of, rate }) => (CommissionKind::Percentage, Some(of.into()), Some(rate), None),
            Some(Payout::PerSegment(amount)) => (CommissionKind::PerSegment, None, None, Some(amount)),
            Some(Payout::Zero) => (CommissionKind::Zero, None, None, None),
            None => (CommissionKind::Withdrawn, None, None, None),
        };
        let date = |date: Option<chrono::NaiveDate>| date.map(|date| date.to_string());
        CommissionRule {
            id: version.id.to_string(),
            code: rule.code.clone(),
            version: version.version,
            effective_from: rule.effective_from.to_string(),
            agency_id: rule.agency.map(|id| id.to_string()),
            agency_tier: rule.tier.as_ref().map(ToString::to_string),
            airline_id: rule.airline.map(|id| id.to_string()),
            carrier: rule.carrier.map(|code| code.to_string()),
            origin: rule.origin.as_ref().map(RoutePlace::from),
            destination: rule.destination.as_ref().map(RoutePlace::from),
            direction: rule.direction.into(),
            booking_classes: rule.booking_classes.iter().map(ToString::to_string).collect(),
            passenger_type: rule.passenger.map(PassengerType::from),
            sale_from: date(rule.sold.from),
            sale_until: date(rule.sold.until),
            travel_from: date(rule.travelled.from),
            travel_until: date(rule.travelled.until),
            kind,
            base,
            rate: rate.map(|rate: Rate| rate.to_string()),
            amount: amount.map(|amount: Money| amount.to_string()),
            currency: amount.map(|amount| amount.currency.to_string()),
            created_at: time(version.created_at),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileCommissionRule {
    /// 1 to 40 capital letters, digits and hyphens. A code that is known gets its next version.
    pub code: String,
    /// Today or later, and not before the version in force.
    pub effective_from: String,
    /// For this agency only; not together with `agency_tier`.
    pub agency_id: Option<String>,
    pub agency_tier: Option<String>,
    /// The validating carrier.
    pub airline_id: Option<String>,
    /// The carrier of the segment.
    pub carrier: Option<String>,
    pub origin: Option<RoutePlace>,
    pub destination: Option<RoutePlace>,
    /// `one_way` if not given.
    pub direction: Option<RouteDirection>,
    pub booking_classes: Option<Vec<String>>,
    pub passenger_type: Option<PassengerType>,
    pub sale_from: Option<String>,
    pub sale_until: Option<String>,
    pub travel_from: Option<String>,
    pub travel_until: Option<String>,
    pub kind: CommissionKind,
    /// Of a percentage; `fare` if not given.
    pub base: Option<PercentageBase>,
    /// Of a percentage: a factor from 0 to 1 as text, with 8 decimals at most.
    pub rate: Option<String>,
    /// Per segment, with its currency.
    pub amount: Option<String>,
    pub currency: Option<String>,
}

fn date(input: &mut Input, field: &str, text: Option<&String>) -> Option<Option<chrono::NaiveDate>> {
    match text {
        None => Some(None),
        Some(text) => input.date(field, text).map(Some),
    }
}

/// The inner `None` is a field that was left out; what does not parse is answered with `message`.
fn parsed<T>(
    input: &mut Input,
    field: &str,
    text: Option<&String>,
    parse: impl FnOnce(&str) -> Option<T>,
    message: &str,
) -> Option<Option<T>> {
    let Some(text) = text else { return Some(None) };
    let read = parse(text);
    if read.is_none() {
        input.fail(Code::InvalidValue, field, message);
    }
    read.map(Some)
}

pub(super) const TIER: &str = "A tier is 1 to 20 lower-case letters, digits and underscores.";

impl FileCommissionRule {
    fn validate(&self, catalogue: &Catalogue) -> Result<Rule, ApiError> {
        let mut input = Input::default();
        let effective_from = input.date("effective_from", &self.effective_from);
        let agency = input.optional_id("agency_id", self.agency_id.as_deref());
        let airline = input.optional_id("airline_id", self.airline_id.as_deref());
        let tier = parsed(&mut input, "agency_tier", self.agency_tier.as_ref(), Tier::parse, TIER);
        let carrier = "`carrier` is the IATA code of an airline.";
        let carrier = parsed(&mut input, "carrier", self.carrier.as_ref(), CarrierCode::parse, carrier);
        let origin = place(&mut input, "origin", self.origin.as_ref(), catalogue);
        let destination = place(&mut input, "destination", self.destination.as_ref(), catalogue);
        if self.direction.is_some() && self.origin.is_none() && self.destination.is_none() {
            input.fail(Code::InvalidValue, "direction", "`direction` needs an origin or a destination.");
        }
        let booking_classes = self.classes(&mut input);
        let (sale_from, sale_until) =
            (date(&mut input, "sale_from", self.sale_from.as_ref()), date(&mut input, "sale_until", self.sale_until.as_ref()));
        let travel_from = date(&mut input, "travel_from", self.travel_from.as_ref());
        let travel_until = date(&mut input, "travel_until", self.travel_until.as_ref());
        let payout = self.payout(&mut input);
        let read = (|| {
            Some(Rule {
                code: self.code.clone(),
                effective_from: effective_from?,
                agency: agency?,
                tier: tier?,
                airline: airline?,
                carrier: carrier?,
                origin: origin?,
                destination: destination?,
                direction: self.direction.unwrap_or(RouteDirection::OneWay).into(),
                booking_classes: booking_classes?,
                passenger: self.passenger_type.map(Into::into),
                sold: commission::Window { from: sale_from?, until: sale_until? },
                travelled: commission::Window { from: travel_from?, until: travel_until? },
                payout: payout?,
            })
        })();
        input.finish(read)
    }

    /// In their order, each once.
    fn classes(&self, input: &mut Input) -> Option<Vec<BookingClass>> {
        let mut classes = Vec::new();
        for (place, text) in self.booking_classes.iter().flatten().enumerate() {
            let mut letters = text.chars();
            match (letters.next().and_then(BookingClass::parse), letters.next()) {
                (Some(class), None) => classes.push(class),
                _ => {
                    input.fail(Code::InvalidValue, &format!("booking_classes/{place}"), "A booking class is one capital letter.")
                }
            }
        }
        classes.sort_unstable();
        classes.dedup();
        Some(classes)
    }

    fn payout(&self, input: &mut Input) -> Option<Option<Payout>> {
        let share = self.kind == CommissionKind::Percentage;
        let fixed = self.kind == CommissionKind::PerSegment;
        let rate = input.only_if("rate", self.rate.as_deref(), share);
        let amount = input.only_if("amount", self.amount.as_deref(), fixed);
        let currency = input.only_if("currency", self.currency.as_deref(), fixed);
        if self.base.is_some() && !share {
            input.fail(Code::InvalidValue, "base", "`base` has no meaning here: leave it out.");
        }
        match self.kind {
            CommissionKind::Percentage => {
                let rate = input.rate("rate", rate?)?;
                Some(Some(Payout::Share { of: self.base.unwrap_or(PercentageBase::Fare).into(), rate }))
            }
            CommissionKind::PerSegment => {
                Some(Some(Payout::PerSegment(input.money(("amount", amount?), ("currency", currency?))?)))
            }
            CommissionKind::Zero => Some(Some(Payout::Zero)),
            CommissionKind::Withdrawn => Some(None),
        }
    }
}

/// A place that is on the map.
fn place(
    input: &mut Input,
    field: &str,
    place: Option<&RoutePlace>,
    catalogue: &Catalogue,
) -> Option<Option<commission::RouteEnd>> {
    let Some(place) = place else { return Some(None) };
    let end = commission::RouteEnd::of(place.kind.text(), &place.code).filter(|end| match end {
        commission::RouteEnd::Airport(code) => catalogue.airports.get(*code).is_some(),
        commission::RouteEnd::City(code) => catalogue.airports.city(code.as_str()).is_some(),
        commission::RouteEnd::Country(_) => true,
    });
    if end.is_none() {
        input.fail(Code::InvalidValue, &format!("{field}/code"), format!("There is no such {}.", place.kind.text()));
    }
    end.map(Some)
}

/// Which rules a caller sees: an agency those that can match it, an airline those of its carrier and of every carrier.
pub(super) enum RuleSight {
    All,
    Agencies(Vec<(AgencyId, Tier)>),
    Airlines(Vec<AirlineId>),
    Nothing,
}

impl RuleSight {
    pub(super) async fn of(caller: &Caller) -> Result<Self, ApiError> {
        let sight = Sight::of(caller).await?;
        Ok(match caller.key.kind {
            OrganisationKind::Operator => RuleSight::All,
            OrganisationKind::Airline => RuleSight::Airlines(sight.airlines.unwrap_or_default()),
            OrganisationKind::Bank => RuleSight::Nothing,
            OrganisationKind::Agency => {
                let own = sight.agencies.unwrap_or_default();
                let own = caller.read(move |db| tiers(db, &own)).await?;
                if own.is_empty() { RuleSight::Nothing } else { RuleSight::Agencies(own) }
            }
        })
    }

    pub(super) fn sees(&self, rule: &Rule) -> bool {
        match self {
            RuleSight::All => true,
            RuleSight::Agencies(own) => own.iter().any(|(agency, tier)| rule.is_for(*agency, tier)),
            RuleSight::Airlines(own) => rule.airline.is_none_or(|airline| own.contains(&airline)),
            RuleSight::Nothing => false,
        }
    }
}

fn tiers(db: &mut Db, agencies: &[AgencyId]) -> Result<Vec<(AgencyId, Tier)>, DbError> {
    Ok(agencies_by_id(db, agencies)?.into_iter().map(|agency| (agency.id, agency.tier)).collect())
}

/// All versions of the rules that the caller sees, newest first: an agency's are those that can match it, an airline's those of its carrier.
#[utoipa::path(get, path = "/v1/commission_rules", tag = "Settlement", operation_id = "list_commission_rules",
    params(PageParams, ("code" = Option<String>, Query, description = "Only the versions of this rule")),
    responses((status = 200, body = Page<CommissionRule>)))]
pub async fn list_commission_rules(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let request = PageRequest::<i64>::read(&query, "/v1/commission_rules")?;
    let (window, limit) = (request.window(), request.fetch());
    let all = RuleFilter { code: query.get("code").map(str::to_owned), ..RuleFilter::default() };
    let filter = match RuleSight::of(&caller).await? {
        RuleSight::All => all,
        RuleSight::Agencies(own) => RuleFilter { agencies: Some(own), ..all },
        RuleSight::Airlines(own) => RuleFilter { airlines: Some(own), ..all },
        RuleSight::Nothing => return Ok(page(&request.page(Vec::<CommissionRule>::new(), |_| 0))),
    };
    let found = caller.read(move |db| commission_rules(db, &filter, window, limit)).await?;
    Ok(page(&request.page(found, |version| version.id.raw()).map(|version| CommissionRule::from(&version))))
}

/// Files the next version of a rule. It counts for every order that is placed after this is answered, on every node. The operator only.
#[utoipa::path(post, path = "/v1/commission_rules", tag = "Settlement", operation_id = "file_commission_rule",
    request_body = Data<FileCommissionRule>,
    responses((status = 201, body = Data<CommissionRule>),
        (status = 422, description = "`invalid_value`, `missing_field`, `unknown_currency`, `too_many_decimals`", body = ErrorBody)))]
pub async fn file(caller: Caller, request: HttpRequest, body: Body<FileCommissionRule>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesWrite)?;
    let rule = body.data.validate(&caller.app.catalogue)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let filed = file_rule(tx, &rule)?;
        audit::record(tx, &cause, "commission_rule.file", filed.id)?;
        Ok(CommissionRule::from(&filed))
    })
    .await
}

/// One version of a rule.
#[utoipa::path(get, path = "/v1/commission_rules/{id}", tag = "Settlement", operation_id = "get_commission_rule",
    params(("id" = String, Path, description = "`cru_…`")), responses((status = 200, body = Data<CommissionRule>)))]
pub async fn get_commission_rule(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let id: CommissionRuleId = path_id(&id)?;
    let sight = RuleSight::of(&caller).await?;
    let found = caller.read(move |db| commission_rule(db, id)).await?;
    let found = found.filter(|version| sight.sees(&version.rule)).ok_or_else(not_found)?;
    Ok(ok(CommissionRule::from(&found)))
}
