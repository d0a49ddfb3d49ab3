//! Why a sale earns the commission that it earns: of an offer, of facts that are only asked about, and of a ticket that was sold.

use super::commission_rules::{CommissionKind, PercentageBase, RuleSight};
use super::input::Input;
use super::sight::{Sight, not_found, require_one, visible_agency};
use super::tickets::{SCOPES, TicketContract, TicketRule};
use crate::agencies::{Agency, Contract, Tier, contract, in_force};
use crate::airlines::{TicketNumber, airline, airline_by_code};
use crate::api::air::PassengerType;
use crate::api::air::offer::passenger_ids;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::app::App;
use crate::catalogue::{Catalogue, PassengerKind};
use crate::commission::{
    Candidate, EarningPart, FiledRules, Past, Payout, RoutePoint, SaleFacts, SegmentFacts, Verdict, current_rules, earnings,
    explain,
};
use crate::db::{Db, DbError};
use crate::identity::Scope;
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, ContractId, Id, OfferId, OrderId, PassengerId};
use crate::money::{Currency, Money};
use crate::ordering::order;
use crate::shopping::search_of_offer;
use crate::ticketing::{CouponRow, IssuedOrder, TicketRow, issued_orders, segment_facts, ticket_by_number};
use actix_web::{HttpResponse, web};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Either a passenger of an offer, or facts.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainCommission {
    pub offer_id: Option<String>,
    /// Of the offer.
    pub passenger_id: Option<String>,
    pub facts: Option<CommissionFacts>,
}

/// A sale that nobody has to want to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommissionFacts {
    pub agency_id: String,
    /// The validating carrier.
    pub airline_id: String,
    pub passenger_type: PassengerType,
    /// Today if not given.
    pub sale_date: Option<String>,
    pub currency: String,
    /// All taxes and surcharges; zero if not given.
    pub tax_amount: Option<String>,
    /// 1 to 4, in the order of travel.
    pub segments: Vec<SegmentToExplain>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentToExplain {
    pub carrier: String,
    /// Airports where the direction of travel begins and ends that the segment is a part of.
    pub origin: String,
    pub destination: String,
    pub booking_class: String,
    pub departure_date: String,
    /// Its part of the fare.
    pub fare_amount: String,
}

/// Which rule won for each coupon, what that comes to, and what stood against every other rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CommissionExplanation {
    pub agency_id: String,
    pub agency_tier: String,
    pub airline_id: String,
    pub passenger_type: PassengerType,
    /// In the zone of the point of sale.
    pub sale_date: String,
    /// Its own rate holds where no rule applies.
    pub contract: TicketContract,
    pub price_amount: String,
    /// The coupons' amounts add up to it.
    #[schema(example = "30.00")]
    pub commission_amount: String,
    pub currency: String,
    pub coupons: Vec<ExplainedCoupon>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExplainedCoupon {
    pub number: usize,
    pub carrier: String,
    pub origin: String,
    pub destination: String,
    pub booking_class: String,
    pub departure_date: String,
    /// Its part of the fare.
    pub fare_amount: String,
    /// The rule that won; null: the contract.
    pub rule: Option<TicketRule>,
    pub kind: CommissionKind,
    /// Of a percentage: what the rate is applied to.
    pub base: Option<PercentageBase>,
    pub base_amount: Option<String>,
    pub rate: Option<String>,
    /// Before rounding.
    #[schema(example = "30.00005")]
    pub exact_amount: String,
    /// The difference of the rounded sums of exact amounts up to this coupon and up to the one before it.
    pub amount: String,
    /// Every rule that the caller may see, the winner first.
    pub candidates: Vec<ExplainedRule>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExplainedRule {
    #[serde(flatten)]
    pub rule: TicketRule,
    /// `won`, `lost` by precedence, `condition_failed`, `superseded` by a later version, `not_yet_effective`, `withdrawn`, or `filed_later` than the
    /// sale.
    #[schema(example = "condition_failed")]
    pub verdict: &'static str,
    /// The condition that failed (`agency`, `agency_tier`, `validating_carrier`, `segment_carrier`, `route`, `booking_class`, `passenger_type`,
    /// `sale_date`, `travel_date`, `currency`), or the criterion by which it lost (also `version`, `code`).
    #[schema(example = "route")]
    pub reason: Option<&'static str>,
}

impl From<Candidate<'_>> for ExplainedRule {
    fn from(candidate: Candidate<'_>) -> Self {
        let reason = match candidate.verdict {
            Verdict::LostBy(criterion) => Some(criterion.text()),
            Verdict::Fails(condition) => Some(condition.text()),
            Verdict::Won | Verdict::Superseded | Verdict::NotYetEffective | Verdict::Withdrawn | Verdict::FiledLater => None,
        };
        ExplainedRule { rule: TicketRule::from(candidate.version), verdict: candidate.verdict.text(), reason }
    }
}

struct Coupon {
    facts: SegmentFacts,
    fare: Money,
    past: Option<Past>,
}

/// What is to be explained.
struct Question {
    sale: SaleFacts,
    contract: Contract,
    price: Money,
    coupons: Vec<Coupon>,
}

impl Question {
    fn answer(self, rules: &FiledRules, sight: &RuleSight) -> Result<CommissionExplanation, ApiError> {
        let mut told = Vec::with_capacity(self.coupons.len());
        for coupon in &self.coupons {
            let candidates = explain(rules, &self.sale, &coupon.facts, coupon.past);
            let won = candidates.iter().find(|candidate| candidate.verdict == Verdict::Won).map(|candidate| candidate.version.id);
            let rule = coupon.past.map_or(won, |past| past.sold_under);
            let rule = rule.and_then(|id| rules.all().iter().find(|version| version.id == id));
            let payout = rule.and_then(|version| version.rule.payout).unwrap_or_else(|| self.contract.commission());
            told.push((rule, payout, candidates));
        }
        let parts: Vec<EarningPart> = self
            .coupons
            .iter()
            .zip(&told)
            .map(|(coupon, (_, payout, _))| EarningPart { fare: coupon.fare, payout: *payout })
            .collect();
        let earned = earnings(self.price, &parts).map_err(ApiError::internal)?;
        let currency = self.price.currency;
        let total = Money::sum(currency, earned.iter().map(|earning| earning.amount)).map_err(ApiError::internal)?;
        let coupons = self.coupons.iter().zip(told).zip(earned).zip(1usize..);
        let coupons = coupons.map(|(((coupon, (rule, payout, candidates)), earning), number)| {
            let (kind, base, rate) = match payout {
                Payout::Share { of, rate } => (CommissionKind::Percentage, Some(PercentageBase::from(of)), Some(rate)),
                Payout::PerSegment(_) => (CommissionKind::PerSegment, None, None),
                Payout::Zero => (CommissionKind::Zero, None, None),
            };
            let scale = Decimal::from(10i64.pow(u32::from(currency.exponent())));
            let visible = candidates.into_iter().filter(|candidate| sight.sees(&candidate.version.rule));
            ExplainedCoupon {
                number,
                carrier: coupon.facts.carrier.clone(),
                origin: coupon.facts.origin.airport.clone(),
                destination: coupon.facts.destination.airport.clone(),
                booking_class: coupon.facts.booking_class.to_string(),
                departure_date: coupon.facts.departs_on.to_string(),
                fare_amount: coupon.fare.to_string(),
                rule: rule.map(TicketRule::from),
                kind,
                base,
                base_amount: base.map(|_| earning.on.to_string()),
                rate: rate.map(|rate| rate.to_string()),
                exact_amount: (earning.exact / scale).normalize().to_string(),
                amount: earning.amount.to_string(),
                candidates: visible.map(ExplainedRule::from).collect(),
            }
        });
        Ok(CommissionExplanation {
            agency_id: self.sale.agency.to_string(),
            agency_tier: self.sale.tier.to_string(),
            airline_id: self.sale.airline.to_string(),
            passenger_type: self.sale.passenger.into(),
            sale_date: self.sale.sold_on.to_string(),
            contract: TicketContract { id: self.contract.id.to_string(), version: self.contract.version },
            price_amount: self.price.to_string(),
            commission_amount: total.to_string(),
            currency: currency.to_string(),
            coupons: coupons.collect(),
        })
    }
}

/// What was asked, as far as it could be read without the database.
enum Asked {
    Offer { offer: OfferId, passenger: PassengerId },
    Facts(Box<Facts>),
}

struct Facts {
    agency: AgencyId,
    airline: AirlineId,
    passenger: PassengerKind,
    sold_on: Option<NaiveDate>,
    currency: Currency,
    tax: Money,
    segments: Vec<(SegmentFacts, Money)>,
}

impl ExplainCommission {
    fn validate(&self, catalogue: &Catalogue) -> Result<Asked, ApiError> {
        let mut input = Input::default();
        let by_offer = self.facts.is_none();
        let offer = input.only_if("offer_id", self.offer_id.as_deref(), by_offer);
        let passenger = input.only_if("passenger_id", self.passenger_id.as_deref(), by_offer);
        let read = match &self.facts {
            Some(facts) => facts.read(&mut input, catalogue).map(|facts| Asked::Facts(Box::new(facts))),
            None => {
                let offer = offer.and_then(|text| input.id("offer_id", text));
                let passenger = passenger.and_then(|text| input.id("passenger_id", text));
                offer.zip(passenger).map(|(offer, passenger)| Asked::Offer { offer, passenger })
            }
        };
        input.finish(read)
    }
}

impl CommissionFacts {
    fn read(&self, input: &mut Input, catalogue: &Catalogue) -> Option<Facts> {
        let agency = input.id("facts/agency_id", &self.agency_id);
        let airline = input.id("facts/airline_id", &self.airline_id);
        let sold_on = match &self.sale_date {
            None => Some(None),
            Some(text) => input.date("facts/sale_date", text).map(Some),
        };
        let code = ("facts/currency", self.currency.as_str());
        let tax = input.money(("facts/tax_amount", self.tax_amount.as_deref().unwrap_or("0")), code);
        if !(1..=4).contains(&self.segments.len()) {
            input.fail(Code::InvalidValue, "facts/segments", "A ticket has one to four segments.");
        }
        let segments: Vec<Option<(SegmentFacts, Money)>> = if tax.is_some() {
            self.segments.iter().enumerate().map(|(place, segment)| segment.read(input, place, code, catalogue)).collect()
        } else {
            Vec::new()
        };
        let (tax, segments) = (tax?, segments.into_iter().collect::<Option<Vec<_>>>()?);
        if tax.is_negative() || segments.iter().any(|(_, fare)| fare.is_negative()) {
            input.fail(Code::InvalidValue, "facts/segments", "Fares and taxes are not negative.");
        }
        Some(Facts {
            agency: agency?,
            airline: airline?,
            passenger: self.passenger_type.into(),
            sold_on: sold_on?,
            currency: tax.currency,
            tax,
            segments,
        })
    }
}

impl SegmentToExplain {
    fn read(
        &self,
        input: &mut Input,
        place: usize,
        currency: (&str, &str),
        catalogue: &Catalogue,
    ) -> Option<(SegmentFacts, Money)> {
        let at = |field: &str| format!("facts/segments/{place}/{field}");
        let mut end = |field: &str, code: &str| {
            let known = catalogue.airports.find(code).is_some();
            if !known {
                input.fail(Code::InvalidValue, &at(field), "There is no such airport.");
            }
            known.then(|| RoutePoint::of(catalogue, code))
        };
        let (origin, destination) = (end("origin", &self.origin), end("destination", &self.destination));
        let letter =
            self.booking_class.chars().next().filter(|letter| letter.is_ascii_uppercase() && self.booking_class.len() == 1);
        if letter.is_none() {
            input.fail(Code::InvalidValue, &at("booking_class"), "A booking class is one capital letter.");
        }
        let departs_on = input.date(&at("departure_date"), &self.departure_date);
        let fare = input.money((&at("fare_amount"), &self.fare_amount), currency);
        let carrier = input.text(&at("carrier"), &self.carrier, 2);
        let facts = SegmentFacts {
            carrier: carrier?,
            origin: origin?,
            destination: destination?,
            booking_class: letter?,
            departs_on: departs_on?,
        };
        Some((facts, fare?))
    }
}

fn in_force_on(
    app: &App,
    db: &mut Db,
    agency: &Agency,
    of: AirlineId,
    currency: Currency,
    on: NaiveDate,
) -> Result<Contract, ApiError> {
    let terms = app.rules.terms_of(db, agency.id)?;
    let found = in_force(&terms.contracts, of, currency, on).cloned();
    found.ok_or_else(|| ApiError::of(Code::NoContract))
}

fn about_facts(caller: &Caller, db: &mut Db, facts: Facts) -> Result<Question, ApiError> {
    let unknown = |what: &str, field: &str| {
        ApiError::new(Code::InvalidValue, format!("There is no such {what}.")).at(format!("/data/facts/{field}"))
    };
    let agency = visible_agency(caller, db, facts.agency).map_err(|_| unknown("agency", "agency_id"))?;
    airline(db, facts.airline)?.ok_or_else(|| unknown("airline", "airline_id"))?;
    let sold_on = facts.sold_on.unwrap_or_else(|| caller.app.now().date_in(agency.zone));
    let contract = in_force_on(&caller.app, db, &agency, facts.airline, facts.currency, sold_on)?;
    let fares = facts.segments.iter().map(|(_, fare)| *fare);
    let price = Money::sum(facts.currency, fares.chain([facts.tax])).map_err(ApiError::internal)?;
    Ok(Question {
        sale: SaleFacts {
            agency: agency.id,
            tier: agency.tier,
            airline: facts.airline,
            passenger: facts.passenger,
            sold_on,
            currency: facts.currency,
        },
        contract,
        price,
        coupons: facts.segments.into_iter().map(|(facts, fare)| Coupon { facts, fare, past: None }).collect(),
    })
}

fn about_offer(caller: &Caller, db: &mut Db, id: OfferId, passenger: PassengerId) -> Result<Question, ApiError> {
    let missing = |code, field: &str| ApiError::of(code).at(format!("/data/{field}"));
    let search = search_of_offer(db, id)?.ok_or_else(|| missing(Code::OfferNotFound, "offer_id"))?;
    let agency = visible_agency(caller, db, search.agency).map_err(|_| missing(Code::OfferNotFound, "offer_id"))?;
    let offer = search.offer(id).ok_or_else(|| missing(Code::OfferNotFound, "offer_id"))?;
    let place = passenger_ids(search.id, offer).iter().position(|known| *known == passenger);
    let priced =
        place.and_then(|place| offer.passengers.get(place)).ok_or_else(|| missing(Code::PassengerMismatch, "passenger_id"))?;
    let currency = offer.currency().map_err(ApiError::internal)?;
    let carrier = airline_by_code(db, &offer.carrier)?.ok_or_else(|| ApiError::of(Code::NoContract))?;
    let sold_on = caller.app.now().date_in(agency.zone);
    let contract = in_force_on(&caller.app, db, &agency, carrier.id, currency, sold_on)?;
    let segments = segment_facts(&caller.app.catalogue, offer);
    let fares = priced.coupons.iter().map(|coupon| Money::new(coupon.base_minor, currency));
    Ok(Question {
        sale: SaleFacts { agency: agency.id, tier: agency.tier, airline: carrier.id, passenger: priced.kind, sold_on, currency },
        contract,
        price: priced.total(currency).map_err(ApiError::internal)?,
        coupons: segments.into_iter().zip(fares).map(|(facts, fare)| Coupon { facts, fare, past: None }).collect(),
    })
}

/// A ticket as it was sold: its own coupons, the tier of then and the rules that are kept with it.
fn about_ticket(db: &mut Db, row: &TicketRow, catalogue: &Catalogue) -> Result<Question, ApiError> {
    let missing = |what: &str| ApiError::internal(format!("ticket {} has no {what}", row.number));
    let orders = order(db, OrderId::of(row.order_id))?.into_iter().collect();
    let issued: IssuedOrder = issued_orders(db, orders)?.pop().ok_or_else(|| missing("order"))?;
    let passenger = issued.passengers.iter().find(|(passenger, _)| passenger.id == row.passenger_id);
    let kind = passenger.and_then(|(passenger, _)| PassengerKind::parse(&passenger.kind));
    let currency = Currency::parse(&row.currency).map_err(ApiError::internal)?;
    let coupons: Vec<&CouponRow> = issued.coupons.iter().filter(|coupon| coupon.ticket_id == row.id).collect();
    let of_slice = |slice: i64| coupons.iter().filter(move |coupon| coupon.slice == slice);
    let coupon = |coupon: &&CouponRow| {
        let (first, last) = (of_slice(coupon.slice).next(), of_slice(coupon.slice).next_back());
        let facts = SegmentFacts {
            carrier: coupon.carrier.clone(),
            origin: RoutePoint::of(catalogue, first.map_or(&coupon.origin, |first| &first.origin)),
            destination: RoutePoint::of(catalogue, last.map_or(&coupon.destination, |last| &last.destination)),
            booking_class: coupon.booking_class.chars().next().unwrap_or(' '),
            departs_on: coupon.departing_at.date(),
        };
        let sold_under = coupon.commission_rule_id.map(CommissionRuleId::of);
        let past = Past { issued_at: row.issued_at, sold_under };
        Coupon { facts, fare: Money::new(coupon.base_minor, currency), past: Some(past) }
    };
    Ok(Question {
        sale: SaleFacts {
            agency: AgencyId::of(row.agency_id),
            tier: Tier::parse(&issued.order.agency_tier).ok_or_else(|| missing("tier"))?,
            airline: AirlineId::of(row.airline_id),
            passenger: kind.ok_or_else(|| missing("passenger"))?,
            sold_on: row.issue_date,
            currency,
        },
        contract: contract(db, ContractId::of(row.contract_id))?.ok_or_else(|| missing("contract"))?,
        price: Money::new(row.price_minor, currency),
        coupons: coupons.iter().map(coupon).collect(),
    })
}

/// Explains what a passenger of an offer would earn now, or what a sale with these facts would: which rule wins for each coupon, what it comes to,
/// and why every other rule does not hold. Nothing is changed.
#[utoipa::path(post, path = "/v1/commission_rules/explain", tag = "Settlement", operation_id = "explain_commission",
    request_body = Data<ExplainCommission>,
    responses((status = 200, body = Data<CommissionExplanation>), (status = 404, description = "`offer_not_found`", body = ErrorBody),
        (status = 422, description = "`invalid_value`, `no_contract`, `passenger_mismatch`", body = ErrorBody)))]
pub async fn explain_commission(caller: Caller, body: Body<ExplainCommission>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::PartiesRead)?;
    let asked = body.data.validate(&caller.app.catalogue)?;
    let sight = RuleSight::of(&caller).await?;
    let reader = caller.clone();
    let answer = caller.read(move |db| {
        let question = match asked {
            Asked::Offer { offer, passenger } => about_offer(&reader, db, offer, passenger)?,
            Asked::Facts(facts) => about_facts(&reader, db, *facts)?,
        };
        question.answer(&current_rules(db)?, &sight)
    });
    Ok(ok(answer.await?))
}

/// Explains the commission of a ticket that was sold, by the rules of then.
#[utoipa::path(get, path = "/v1/tickets/{number}/commission", tag = "Tickets", operation_id = "explain_ticket_commission",
    params(("number" = String, Path, description = "13 digits, with or without a hyphen behind the third")),
    responses((status = 200, body = Data<CommissionExplanation>)))]
pub async fn explain_ticket(caller: Caller, number: web::Path<String>) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &SCOPES)?;
    let number = TicketNumber::parse(&number).ok_or_else(not_found)?;
    let (sight, rules) = (Sight::of(&caller).await?, RuleSight::of(&caller).await?);
    let catalogue = caller.app.catalogue.clone();
    let answer = caller.read(move |db| {
        let row = ticket_by_number(db, &number)?.ok_or_else(not_found)?;
        if !sight.sees_agency(AgencyId::of(row.agency_id)) && !sight.sees_airline(AirlineId::of(row.airline_id)) {
            return Err(not_found());
        }
        let question = about_ticket(db, &row, &catalogue)?;
        let filed = current_rules(db).map_err(|error: DbError| ApiError::from(error))?;
        question.answer(&filed, &rules)
    });
    Ok(ok(answer.await?))
}
