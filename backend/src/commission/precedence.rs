//! Which of two rules that both apply comes first.
//!
//! The criteria are compared in the order of [`Criterion`], and the first that differs decides: a named agency before a tier before any; a named
//! validating carrier before any; a named carrier of the segment before any; the narrower route (an airport counts 3, a city 2, a country 1, both ends
//! added; of equal ones the one for one way only); named booking classes, a passenger type, travel dates, sale dates before none; then the higher
//! version; and at last the code that is first in the alphabet. No two rules are equal in all of these, so the order of rows never matters.

use super::rule::{CommissionRule, Direction, RouteEnd, Rule};
use std::cmp::{Ordering, Reverse};

/// The texts are published: they keep their meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Criterion {
    Agency,
    ValidatingCarrier,
    SegmentCarrier,
    Route,
    BookingClass,
    PassengerType,
    TravelDate,
    SaleDate,
    Version,
    Code,
}

impl Criterion {
    pub const ALL: [Criterion; 10] = [
        Criterion::Agency,
        Criterion::ValidatingCarrier,
        Criterion::SegmentCarrier,
        Criterion::Route,
        Criterion::BookingClass,
        Criterion::PassengerType,
        Criterion::TravelDate,
        Criterion::SaleDate,
        Criterion::Version,
        Criterion::Code,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Criterion::Agency => "agency",
            Criterion::ValidatingCarrier => "validating_carrier",
            Criterion::SegmentCarrier => "segment_carrier",
            Criterion::Route => "route",
            Criterion::BookingClass => "booking_class",
            Criterion::PassengerType => "passenger_type",
            Criterion::TravelDate => "travel_date",
            Criterion::SaleDate => "sale_date",
            Criterion::Version => "version",
            Criterion::Code => "code",
        }
    }

    fn compare(self, left: &CommissionRule, right: &CommissionRule) -> Ordering {
        let by = |rank: fn(&Rule) -> u8| rank(&left.rule).cmp(&rank(&right.rule));
        match self {
            Criterion::Agency => by(|rule| if rule.agency.is_some() { 2 } else { u8::from(rule.tier.is_some()) }),
            Criterion::ValidatingCarrier => by(|rule| u8::from(rule.airline.is_some())),
            Criterion::SegmentCarrier => by(|rule| u8::from(rule.carrier.is_some())),
            Criterion::Route => by(route_rank),
            Criterion::BookingClass => by(|rule| u8::from(!rule.booking_classes.is_empty())),
            Criterion::PassengerType => by(|rule| u8::from(rule.passenger.is_some())),
            Criterion::TravelDate => by(|rule| u8::from(rule.travelled.is_stated())),
            Criterion::SaleDate => by(|rule| u8::from(rule.sold.is_stated())),
            Criterion::Version => left.version.cmp(&right.version),
            Criterion::Code => Reverse(&left.rule.code).cmp(&Reverse(&right.rule.code)),
        }
    }
}

/// 0 without a route; otherwise twice what the ends count, and one more for one way only.
fn route_rank(rule: &Rule) -> u8 {
    let end = |end: Option<&RouteEnd>| match end {
        Some(RouteEnd::Airport(_)) => 3u8,
        Some(RouteEnd::City(_)) => 2,
        Some(RouteEnd::Country(_)) => 1,
        None => 0,
    };
    let ends = end(rule.origin.as_ref()) + end(rule.destination.as_ref());
    if ends == 0 { 0 } else { ends * 2 + u8::from(rule.direction == Direction::OneWay) }
}

/// The criterion by which `winner` comes before `loser`; `None` where it does not.
pub(super) fn wins_by(winner: &CommissionRule, loser: &CommissionRule) -> Option<Criterion> {
    let decided = Criterion::ALL.into_iter().find(|criterion| criterion.compare(winner, loser) != Ordering::Equal)?;
    (decided.compare(winner, loser) == Ordering::Greater).then_some(decided)
}

/// The first in precedence is the smallest.
pub(super) fn precedence(left: &CommissionRule, right: &CommissionRule) -> Ordering {
    let decided = Criterion::ALL.into_iter().map(|criterion| criterion.compare(left, right));
    decided.into_iter().find(|ordering| *ordering != Ordering::Equal).unwrap_or(Ordering::Equal).reverse()
}
