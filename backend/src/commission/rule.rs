//! A version of a commission rule: its conditions, each of which may be left out, and what it pays.

use crate::agencies::{CommissionBase, Tier};
use crate::catalogue::{AirportCode, BookingClass, CarrierCode, CityCode, PassengerKind};
use crate::db::{DbError, rows};
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, Id};
use crate::money::{Currency, Money, Rate};
use chrono::{NaiveDate, NaiveDateTime};
use std::fmt;

rows! {
    pub struct CommissionRuleRow in commission_rule {
        id: i64,
        code: String,
        version: i64,
        effective_from: NaiveDate,
        agency_id: Option<i64>,
        agency_tier: Option<String>,
        airline_id: Option<i64>,
        carrier: Option<String>,
        origin: Option<String>,
        destination: Option<String>,
        direction: String,
        booking_classes: Option<String>,
        passenger_type: Option<String>,
        sale_from: Option<NaiveDate>,
        sale_until: Option<NaiveDate>,
        travel_from: Option<NaiveDate>,
        travel_until: Option<NaiveDate>,
        kind: String,
        rate: Option<String>,
        amount_minor: Option<i64>,
        currency: Option<String>,
        created_at: NaiveDateTime,
    }
}

/// One end of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteEnd {
    Airport(AirportCode),
    City(CityCode),
    /// ISO 3166 alpha-2.
    Country(String),
}

impl RouteEnd {
    pub fn kind(&self) -> &'static str {
        match self {
            RouteEnd::Airport(_) => "airport",
            RouteEnd::City(_) => "city",
            RouteEnd::Country(_) => "country",
        }
    }

    pub fn code(&self) -> &str {
        match self {
            RouteEnd::Airport(code) => code.as_str(),
            RouteEnd::City(code) => code.as_str(),
            RouteEnd::Country(code) => code,
        }
    }

    pub fn of(kind: &str, code: &str) -> Option<Self> {
        match kind {
            "airport" => AirportCode::parse(code).map(RouteEnd::Airport),
            "city" => CityCode::parse(code).map(RouteEnd::City),
            "country" => {
                let letters = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
                letters.then(|| RouteEnd::Country(code.to_owned()))
            }
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        text.split_once(':').and_then(|(kind, code)| RouteEnd::of(kind, code))
    }
}

/// `city:BJS`
impl fmt::Display for RouteEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.code())
    }
}

/// Whether a route is meant as it is written or back as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    OneWay,
    BothWays,
}

impl Direction {
    pub fn text(self) -> &'static str {
        match self {
            Direction::OneWay => "one_way",
            Direction::BothWays => "both_ways",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Direction::OneWay, Direction::BothWays].into_iter().find(|direction| direction.text() == text)
    }
}

/// Dates from the first to the last, both included; an end that is left out is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
}

impl Window {
    pub fn holds(self, date: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= date) && self.until.is_none_or(|until| date <= until)
    }

    pub fn is_stated(self) -> bool {
        self.from.is_some() || self.until.is_some()
    }

    pub(super) fn is_backwards(self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if until < from)
    }
}

/// What is paid for a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payout {
    /// A share of the coupon's part of the fare (without taxes and YQ) or of the price.
    Share {
        of: CommissionBase,
        rate: Rate,
    },
    /// A fixed amount, whatever the fare.
    PerSegment(Money),
    Zero,
}

/// What a version says: that something is paid, or that the rule is withdrawn and pays nobody any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What its versions have in common.
    pub code: String,
    /// Of the sale, in the zone of the point of sale.
    pub effective_from: NaiveDate,
    pub agency: Option<AgencyId>,
    pub tier: Option<Tier>,
    /// The validating carrier.
    pub airline: Option<AirlineId>,
    /// The carrier of the segment.
    pub carrier: Option<CarrierCode>,
    pub origin: Option<RouteEnd>,
    pub destination: Option<RouteEnd>,
    pub direction: Direction,
    /// Empty: every class.
    pub booking_classes: Vec<BookingClass>,
    pub passenger: Option<PassengerKind>,
    pub sold: Window,
    /// Of the segment's departure, local.
    pub travelled: Window,
    /// `None`: withdrawn.
    pub payout: Option<Payout>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommissionRule {
    pub id: CommissionRuleId,
    pub version: i64,
    pub rule: Rule,
    pub created_at: NaiveDateTime,
}

fn kind_of(payout: Option<Payout>) -> &'static str {
    match payout {
        Some(Payout::Share { of: CommissionBase::Fare, .. }) => "fare_share",
        Some(Payout::Share { of: CommissionBase::Price, .. }) => "price_share",
        Some(Payout::PerSegment(_)) => "per_segment",
        Some(Payout::Zero) => "zero",
        None => "withdrawn",
    }
}

impl CommissionRuleRow {
    pub(super) fn of(id: CommissionRuleId, version: i64, rule: &Rule, created_at: NaiveDateTime) -> Self {
        let classes: String = rule.booking_classes.iter().map(|class| class.letter()).collect();
        let (rate, amount) = match rule.payout {
            Some(Payout::Share { rate, .. }) => (Some(rate.to_string()), None),
            Some(Payout::PerSegment(amount)) => (None, Some(amount)),
            Some(Payout::Zero) | None => (None, None),
        };
        CommissionRuleRow {
            id: id.raw(),
            code: rule.code.clone(),
            version,
            effective_from: rule.effective_from,
            agency_id: rule.agency.map(Id::raw),
            agency_tier: rule.tier.as_ref().map(ToString::to_string),
            airline_id: rule.airline.map(Id::raw),
            carrier: rule.carrier.map(|code| code.to_string()),
            origin: rule.origin.as_ref().map(ToString::to_string),
            destination: rule.destination.as_ref().map(ToString::to_string),
            direction: rule.direction.text().to_owned(),
            booking_classes: (!classes.is_empty()).then_some(classes),
            passenger_type: rule.passenger.map(|kind| kind.text().to_owned()),
            sale_from: rule.sold.from,
            sale_until: rule.sold.until,
            travel_from: rule.travelled.from,
            travel_until: rule.travelled.until,
            kind: kind_of(rule.payout).to_owned(),
            rate,
            amount_minor: amount.map(|amount| amount.minor),
            currency: amount.map(|amount| amount.currency.code().to_owned()),
            created_at,
        }
    }

    fn payout(&self) -> Option<Option<Payout>> {
        let share = |of| {
            let rate = Rate::parse(self.rate.as_deref()?).ok()?;
            Some(Some(Payout::Share { of, rate }))
        };
        match self.kind.as_str() {
            "fare_share" => share(CommissionBase::Fare),
            "price_share" => share(CommissionBase::Price),
            "per_segment" => {
                let currency = Currency::parse(self.currency.as_deref()?).ok()?;
                Some(Some(Payout::PerSegment(Money::new(self.amount_minor?, currency))))
            }
            "zero" => Some(Some(Payout::Zero)),
            "withdrawn" => Some(None),
            _ => None,
        }
    }
}

/// Reads an optional column; the outer `None` is a text that nothing here wrote.
fn read<T>(text: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        None => Some(None),
        Some(text) => parse(text).map(Some),
    }
}

impl TryFrom<CommissionRuleRow> for CommissionRule {
    type Error = DbError;

    fn try_from(row: CommissionRuleRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of commission rule {} version {}", row.code, row.version));
        let classes = row.booking_classes.as_deref().unwrap_or_default().chars().map(BookingClass::parse);
        let end = |text: Option<&str>| read(text, RouteEnd::parse).ok_or_else(|| corrupt("route"));
        Ok(CommissionRule {
            id: CommissionRuleId::of(row.id),
            version: row.version,
            created_at: row.created_at,
            rule: Rule {
                effective_from: row.effective_from,
                agency: row.agency_id.map(AgencyId::of),
                tier: read(row.agency_tier.as_deref(), Tier::parse).ok_or_else(|| corrupt("tier"))?,
                airline: row.airline_id.map(AirlineId::of),
                carrier: read(row.carrier.as_deref(), CarrierCode::parse).ok_or_else(|| corrupt("carrier"))?,
                origin: end(row.origin.as_deref())?,
                destination: end(row.destination.as_deref())?,
                direction: Direction::parse(&row.direction).ok_or_else(|| corrupt("direction"))?,
                booking_classes: classes.collect::<Option<_>>().ok_or_else(|| corrupt("booking classes"))?,
                passenger: read(row.passenger_type.as_deref(), PassengerKind::parse).ok_or_else(|| corrupt("passenger type"))?,
                sold: Window { from: row.sale_from, until: row.sale_until },
                travelled: Window { from: row.travel_from, until: row.travel_until },
                payout: row.payout().ok_or_else(|| corrupt("payout"))?,
                code: row.code,
            },
        })
    }
}
