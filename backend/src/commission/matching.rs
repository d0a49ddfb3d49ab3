//! Whether a rule's conditions are met by a coupon that is to be sold: pure, from facts.

use super::rule::{Direction, Payout, RouteEnd, Rule};
use crate::agencies::Tier;
use crate::catalogue::{AirportCode, Catalogue, PassengerKind};
use crate::ids::{AgencyId, AirlineId};
use crate::money::Currency;
use chrono::NaiveDate;

/// Who sells what to whom, the same for all coupons of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaleFacts {
    pub agency: AgencyId,
    pub tier: Tier,
    /// The validating carrier.
    pub airline: AirlineId,
    pub passenger: PassengerKind,
    /// In the zone of the point of sale.
    pub sold_on: NaiveDate,
    pub currency: Currency,
}

/// An airport with everything that a route may name it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutePoint {
    pub airport: String,
    pub city: String,
    pub country: String,
}

impl RoutePoint {
    /// An airport that the catalogue does not know is in no city and no country that a rule could name.
    pub fn of(catalogue: &Catalogue, airport: &str) -> Self {
        let known = AirportCode::parse(airport).and_then(|code| catalogue.airports.get(code));
        RoutePoint {
            airport: airport.to_owned(),
            city: known.map(|airport| airport.city.to_string()).unwrap_or_default(),
            country: known.map(|airport| airport.country.clone()).unwrap_or_default(),
        }
    }
}

/// One coupon. Its route is that of the slice which it is a part of: a connection is not a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentFacts {
    pub carrier: String,
    pub origin: RoutePoint,
    pub destination: RoutePoint,
    pub booking_class: char,
    /// Local date at the segment's own origin.
    pub departs_on: NaiveDate,
}

/// What a rule asks for. The texts are published: they keep their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    Agency,
    AgencyTier,
    ValidatingCarrier,
    SegmentCarrier,
    Route,
    BookingClass,
    PassengerType,
    SaleDate,
    TravelDate,
    Currency,
}

impl Condition {
    pub fn text(self) -> &'static str {
        match self {
            Condition::Agency => "agency",
            Condition::AgencyTier => "agency_tier",
            Condition::ValidatingCarrier => "validating_carrier",
            Condition::SegmentCarrier => "segment_carrier",
            Condition::Route => "route",
            Condition::BookingClass => "booking_class",
            Condition::PassengerType => "passenger_type",
            Condition::SaleDate => "sale_date",
            Condition::TravelDate => "travel_date",
            Condition::Currency => "currency",
        }
    }
}

fn is<T: PartialEq>(wanted: Option<&T>, found: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

impl RouteEnd {
    fn is_at(&self, point: &RoutePoint) -> bool {
        match self {
            RouteEnd::Airport(code) => code.as_str() == point.airport,
            RouteEnd::City(code) => code.as_str() == point.city,
            RouteEnd::Country(code) => *code == point.country,
        }
    }
}

impl Rule {
    /// Whether it is for this agency at all: what decides who sees it.
    pub fn is_for(&self, agency: AgencyId, tier: &Tier) -> bool {
        is(self.agency.as_ref(), &agency) && is(self.tier.as_ref(), tier)
    }

    /// The first condition that is not met, in the order of [`Condition`].
    pub fn fails(&self, sale: &SaleFacts, segment: &SegmentFacts) -> Option<Condition> {
        let classes = &self.booking_classes;
        let class = classes.is_empty() || classes.iter().any(|class| class.letter() == segment.booking_class);
        let currency = match self.payout {
            Some(Payout::PerSegment(amount)) => amount.currency == sale.currency,
            _ => true,
        };
        let conditions = [
            (Condition::Agency, is(self.agency.as_ref(), &sale.agency)),
            (Condition::AgencyTier, is(self.tier.as_ref(), &sale.tier)),
            (Condition::ValidatingCarrier, is(self.airline.as_ref(), &sale.airline)),
            (Condition::SegmentCarrier, self.carrier.is_none_or(|code| code.as_str() == segment.carrier)),
            (Condition::Route, self.is_on_route(segment)),
            (Condition::BookingClass, class),
            (Condition::PassengerType, is(self.passenger.as_ref(), &sale.passenger)),
            (Condition::SaleDate, self.sold.holds(sale.sold_on)),
            (Condition::TravelDate, self.travelled.holds(segment.departs_on)),
            (Condition::Currency, currency),
        ];
        conditions.into_iter().find(|(_, met)| !met).map(|(condition, _)| condition)
    }

    fn is_on_route(&self, segment: &SegmentFacts) -> bool {
        let runs = |from: &RoutePoint, to: &RoutePoint| {
            let at = |end: Option<&RouteEnd>, point: &RoutePoint| end.is_none_or(|end| end.is_at(point));
            at(self.origin.as_ref(), from) && at(self.destination.as_ref(), to)
        };
        let back = || self.direction == Direction::BothWays && runs(&segment.destination, &segment.origin);
        runs(&segment.origin, &segment.destination) || back()
    }
}
