//! Refund and change conditions as they are shown: what counts at this moment in the shape that clients know, and beside it every step.

use super::itinerary::{Condition, Conditions, SliceConditions};
use crate::api::error::ApiError;
use crate::catalogue::fare_rules::FareRule;
use crate::catalogue::{Airport, BookingClass, Catalogue};
use crate::clock::Timestamp;
use crate::money::MoneyError;
use crate::shopping::conditions::{
    self, Ladder, LadderStep, Penalty, airport_of, fare_rules, slice_conditions, ticketed_by, together,
};
use crate::shopping::offer::{OfferSlice, PricedOffer};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// The conditions of an offer or order and of each of its slices.
#[derive(Clone, Debug, Default)]
pub struct ShownConditions {
    pub whole: Conditions,
    pub rules: Option<Rules>,
    pub slices: Vec<ShownSliceConditions>,
}

#[derive(Clone, Debug, Default)]
pub struct ShownSliceConditions {
    pub now: SliceConditions,
    pub rules: Option<Rules>,
}

/// Lists are brief: the steps are shown where one offer or order is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    Brief,
    EveryStep,
}

/// Extension: what a refund or a change costs at any time before and after departure, in the order of time. The fee is on the fare;
/// taxes come back. Empty where nothing is filed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Rules {
    /// The zone of `until_local`: that of the airport of departure.
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: String,
    pub refund: Vec<RuleStep>,
    pub change: Vec<RuleStep>,
    /// The first moment at which it is too late to ticket the whole for its advance purchase; null where no class has to be bought in advance.
    #[schema(example = "2026-11-24T16:00:00.000000Z")]
    pub ticketing_by: Option<String>,
    /// The conditions of sale of every booking class. On one ticket all of them have to be met, so that the most restrictive ones win.
    pub fare_rules: Vec<ShownFareRule>,
}

/// Null where a rule asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FareRule)]
pub struct ShownFareRule {
    #[schema(example = "W")]
    pub booking_class: String,
    /// Days from the issue to the first departure, at least.
    pub advance_purchase_days: Option<u64>,
    /// Days from the first departure to that of the last slice; asked of journeys with more than one.
    pub minimum_stay_days: Option<i64>,
    pub maximum_stay_days: Option<i64>,
    pub minimum_travellers: usize,
    pub maximum_travellers: Option<usize>,
    /// Classes that may be on the same ticket, if they allow it too; null is every class.
    #[schema(example = "YBHKLMQZGSW")]
    pub combinable_with: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RuleStep {
    /// The first moment at which the next step counts, as a wall clock at the airport shows it; null for the last step.
    #[schema(example = "2026-12-03T08:00:00")]
    pub until_local: Option<String>,
    /// The same moment in UTC.
    pub until: Option<String>,
    pub allowed: bool,
    pub penalty_amount: Option<String>,
    pub penalty_currency: Option<String>,
}

impl ShownConditions {
    /// For a ticket that is issued on `issued_on`, at the moment `now`.
    pub fn of(
        catalogue: &Catalogue,
        offer: &PricedOffer,
        (issued_on, now): (NaiveDate, Timestamp),
        detail: Detail,
    ) -> Result<Self, ApiError> {
        let failed = |error: MoneyError| ApiError::internal(error);
        let parts = slice_conditions(catalogue, offer, issued_on).map_err(failed)?;
        let whole = together(&parts).map_err(failed)?;
        let by = ticketed_by(catalogue, offer, issued_on);
        let rules = |part: &conditions::Conditions, slices: &[OfferSlice]| {
            let airport = slices.first().and_then(|slice| airport_of(catalogue, slice))?;
            let filed = slices.iter().flat_map(|slice| fare_rules(catalogue, slice, issued_on));
            (detail == Detail::EveryStep).then(|| Rules::of(part, airport, filed, by))
        };
        let slices = offer.slices.iter().zip(&parts).map(|(slice, part)| ShownSliceConditions {
            now: SliceConditions { conditions: at(part, now), ..SliceConditions::default() },
            rules: rules(part, std::slice::from_ref(slice)),
        });
        Ok(ShownConditions { slices: slices.collect(), whole: at(&whole, now), rules: rules(&whole, &offer.slices) })
    }
}

fn at(part: &conditions::Conditions, now: Timestamp) -> Conditions {
    let condition = |ladder: &Option<Ladder>| ladder.as_ref()?.at(now).map(|step| Condition::from(step.penalty));
    Conditions { refund_before_departure: condition(&part.refund), change_before_departure: condition(&part.change) }
}

impl From<Penalty> for Condition {
    fn from(penalty: Penalty) -> Self {
        match penalty {
            Penalty::Fee(fee) => Condition {
                allowed: true,
                penalty_amount: Some(fee.to_string()),
                penalty_currency: Some(fee.currency.to_string()),
            },
            Penalty::NotAllowed => Condition { allowed: false, penalty_amount: None, penalty_currency: None },
        }
    }
}

impl Rules {
    fn of<'c>(
        part: &conditions::Conditions,
        airport: &Airport,
        filed: impl Iterator<Item = (BookingClass, &'c FareRule)>,
        by: Option<Timestamp>,
    ) -> Self {
        let mut fare_rules: Vec<ShownFareRule> = Vec::new();
        for rule in filed.map(ShownFareRule::from) {
            if !fare_rules.contains(&rule) {
                fare_rules.push(rule);
            }
        }
        let steps = |ladder: &Option<Ladder>| {
            let steps = ladder.as_ref().map_or(&[][..], Ladder::steps);
            steps.iter().map(|step| RuleStep::of(step, airport)).collect()
        };
        Rules {
            time_zone: airport.zone.to_string(),
            refund: steps(&part.refund),
            change: steps(&part.change),
            ticketing_by: by.map(|by| by.to_string()),
            fare_rules,
        }
    }
}

impl From<(BookingClass, &FareRule)> for ShownFareRule {
    fn from((class, rule): (BookingClass, &FareRule)) -> Self {
        ShownFareRule {
            booking_class: class.to_string(),
            advance_purchase_days: rule.advance_days,
            minimum_stay_days: rule.least_stay_days,
            maximum_stay_days: rule.most_stay_days,
            minimum_travellers: rule.least_travellers,
            maximum_travellers: rule.most_travellers,
            combinable_with: rule.combinable_with.as_ref().map(|all| all.iter().map(|class| class.letter()).collect()),
        }
    }
}

impl RuleStep {
    fn of(step: &LadderStep, airport: &Airport) -> Self {
        let Condition { allowed, penalty_amount, penalty_currency } = step.penalty.into();
        let local = |until: Timestamp| until.utc().with_timezone(&airport.zone).format("%Y-%m-%dT%H:%M:%S").to_string();
        RuleStep {
            until_local: step.until.map(local),
            until: step.until.map(|until| until.to_string()),
            allowed,
            penalty_amount,
            penalty_currency,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::sample::family_return;
    use super::*;
    use crate::catalogue::tests::{catalogue, date};
    use serde_json::{json, to_value};

    fn shown(now: &str, detail: Detail) -> ShownConditions {
        let now = Timestamp::from(now.parse::<chrono::DateTime<chrono::Utc>>().unwrap());
        ShownConditions::of(catalogue(), &family_return(), (date("2026-11-22"), now), detail).unwrap()
    }

    #[test]
    fn the_condition_of_now_is_that_of_its_step() {
        let early = shown("2026-11-22T00:00:00Z", Detail::EveryStep);
        let (whole, slices) = (to_value(&early.whole).unwrap(), &early.slices);
        assert_eq!(
            whole["refund_before_departure"],
            json!({"allowed": true, "penalty_amount": "225.00", "penalty_currency": "CNY"}),
            "5 % of what the adult and the child pay"
        );
        assert_eq!(whole["change_before_departure"]["penalty_amount"], json!("0.00"));
        assert_eq!(slices.len(), 2);
        let there = to_value(&slices[0].now).unwrap();
        assert_eq!(there["refund_before_departure"]["penalty_amount"], json!("75.00"));
        let late = shown("2026-12-09T23:00:00Z", Detail::EveryStep);
        assert_eq!(to_value(&late.slices[0].now).unwrap()["refund_before_departure"]["penalty_amount"], json!("300.00"));
    }

    #[test]
    fn every_step_has_its_local_time() {
        let slice = shown("2026-11-22T00:00:00Z", Detail::EveryStep).slices.swap_remove(0);
        let rules = to_value(slice.rules.unwrap()).unwrap();
        assert_eq!(rules["time_zone"], json!("Asia/Shanghai"));
        let steps = rules["refund"].as_array().unwrap();
        let fees: Vec<&str> = steps.iter().map(|step| step["penalty_amount"].as_str().unwrap()).collect();
        assert_eq!(fees, ["75.00", "150.00", "225.00", "300.00"]);
        assert_eq!(steps[0]["until_local"], json!("2026-12-03T08:00:00"), "a week before 08:00 on the 10th");
        assert_eq!(steps[0]["until"], json!("2026-12-03T00:00:00.000000Z"));
        assert_eq!((&steps[3]["until"], &steps[3]["until_local"]), (&json!(null), &json!(null)));
        assert_eq!(rules["fare_rules"][0]["booking_class"], json!("Y"));
        assert_eq!((&rules["fare_rules"][0]["advance_purchase_days"], &rules["ticketing_by"]), (&json!(null), &json!(null)));
        assert!(shown("2026-11-22T00:00:00Z", Detail::Brief).slices[0].rules.is_none());
    }
}
