//! Hold rules: for how long an airline keeps seats for an order that is not paid, and its price.

use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{CarrierCode, CatalogueError, Period};
use crate::clock::Timestamp;
use chrono::{Duration, NaiveDate};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRule {
    carrier: Option<CarrierCode>,
    period: Period,
    /// Zero where the carrier holds nothing.
    held: Duration,
    /// An order is paid at least so long before the first departure; what departs sooner is not held at all.
    before_departure: Duration,
    /// `None` where the price is not guaranteed for a moment.
    price_guarantee: Option<Duration>,
}

#[derive(Debug)]
pub struct HoldRules(Vec<HoldRule>);

/// Until when an order that is held has to be paid: then its seats are released. Its price is good until the guarantee ends, then it is priced anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldTerms {
    pub payment_required_by: Timestamp,
    pub price_guaranteed_until: Option<Timestamp>,
}

impl HoldRules {
    pub(super) fn read(table: Table) -> Result<Self, CatalogueError> {
        table.rows(rule).map(HoldRules)
    }

    /// The rule of a carrier on a date: its own, else that of all.
    pub fn of(&self, carrier: CarrierCode, date: NaiveDate) -> Option<&HoldRule> {
        let applies = |rule: &&HoldRule| rule.period.contains(date) && rule.carrier.is_none_or(|own| own == carrier);
        self.0.iter().filter(applies).max_by_key(|rule| rule.carrier.is_some())
    }
}

impl HoldRule {
    /// What an offer promises that was made at `offered_at`; `None` where only instant payment is taken.
    pub fn terms(&self, offered_at: Timestamp, first_departure: Timestamp) -> Option<HoldTerms> {
        let latest = first_departure.plus(-self.before_departure);
        let payment_required_by = offered_at.plus(self.held).min(latest);
        let guaranteed = self.price_guarantee.map(|guarantee| offered_at.plus(guarantee).min(payment_required_by));
        let terms = HoldTerms { payment_required_by, price_guaranteed_until: guaranteed };
        (payment_required_by > offered_at).then_some(terms)
    }
}

fn rule(row: &Row<'_>) -> Result<HoldRule, CatalogueError> {
    let minutes = |text: &str| text.parse().ok().filter(|minutes| *minutes >= 0).and_then(Duration::try_minutes);
    Ok(HoldRule {
        carrier: carrier_or_all(row)?,
        period: row.period()?,
        held: row.with("minutes_held", minutes)?,
        before_departure: row.with("minutes_before_departure", minutes)?,
        price_guarantee: row.optional("price_guarantee_minutes", minutes)?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    }

    fn terms(carrier: &str, offered_at: &str, departure: &str) -> Option<HoldTerms> {
        let rule = catalogue().holds.of(CarrierCode::parse(carrier).unwrap(), date("2026-11-22")).unwrap();
        rule.terms(at(offered_at), at(departure))
    }

    #[test]
    fn seats_are_kept_longer_than_the_price() {
        let terms = terms("CA", "2026-11-22T08:00:00Z", "2026-12-24T00:00:00Z").unwrap();
        assert_eq!(terms.payment_required_by, at("2026-11-24T08:00:00Z"));
        assert_eq!(terms.price_guaranteed_until, Some(at("2026-11-23T08:00:00Z")));
    }

    #[test]
    fn near_departure_there_is_less_time_and_then_none() {
        // Air China wants its money three days before departure.
        let near = terms("CA", "2026-11-22T08:00:00Z", "2026-11-26T00:00:00Z").unwrap();
        assert_eq!(near.payment_required_by, at("2026-11-23T00:00:00Z"));
        assert_eq!(near.price_guaranteed_until, Some(at("2026-11-23T00:00:00Z")), "a guarantee does not outlive the seats");
        assert_eq!(terms("CA", "2026-11-22T08:00:00Z", "2026-11-25T08:00:00Z"), None);
    }

    #[test]
    fn a_carrier_may_hold_nothing_or_guarantee_no_price() {
        assert_eq!(terms("9C", "2026-11-22T08:00:00Z", "2026-12-24T00:00:00Z"), None);
        assert_eq!(terms("CZ", "2026-11-22T08:00:00Z", "2026-12-24T00:00:00Z").unwrap().price_guaranteed_until, None);
    }

    #[test]
    fn a_rule_holds_in_its_time_and_the_carriers_own_wins() {
        let text = "carrier,effective_from,effective_until,minutes_held,minutes_before_departure,price_guarantee_minutes\n\
            *,2025-01-01,,60,0,\nCA,2025-01-01,2026-06-30,120,0,\n";
        let rules = HoldRules::read(Table { file: "test", text }).unwrap();
        let held = |day: &str| rules.of(CarrierCode::parse("CA").unwrap(), date(day)).map(|rule| rule.held.num_minutes());
        assert_eq!((held("2026-06-30"), held("2026-07-01"), held("2024-12-31")), (Some(120), Some(60), None));
        let negative = text.replace("120", "-1");
        assert!(HoldRules::read(Table { file: "test", text: negative.leak() }).is_err());
    }
}
