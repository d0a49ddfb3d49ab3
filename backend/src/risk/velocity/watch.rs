//! The decision of a batch about velocity, from a copy of what concerns it: pure, in arrival order, each order seeing the ones before it.

use super::memory::{Filling, Usual, Whose};
use super::rule::{Measure, Mode, Rule};
use super::sale::{Route, Sale};
use super::window::step_of;
use crate::clock::Timestamp;
use crate::ids::AgencyId;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A sale that brought a rule's measure above what is too much.
#[derive(Clone, Debug)]
pub struct Hit {
    pub rule: Arc<Vec<Rule>>,
    place: usize,
    pub sale: Sale,
    /// Tickets or minor units with this sale, and the most that is not too much.
    pub reached: i64,
    pub most: i64,
    /// The caller's name for the order.
    pub order: i64,
}

impl Hit {
    pub fn rule(&self) -> Option<&Rule> {
        self.rule.get(self.place)
    }
}

/// The rule that stops a sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub code: String,
    pub mode: Mode,
}

#[derive(Clone, Debug)]
pub struct Watch {
    rules: Arc<Vec<Rule>>,
    /// By the rule's place.
    totals: HashMap<(usize, Whose), i64>,
    usual: HashMap<AgencyId, Usual>,
    known: HashSet<(AgencyId, Route)>,
    admitted: Vec<Sale>,
    pub hits: Vec<Hit>,
}

const DAY_MINUTES: i64 = 24 * 60;

impl Watch {
    pub(super) fn of(filling: &Filling, sales: &[Sale], now: Timestamp) -> Self {
        let (mut totals, mut usual, mut known) = (HashMap::new(), HashMap::new(), HashSet::new());
        for sale in sales {
            for (place, rule) in filling.rules.iter().enumerate() {
                let whose = Whose::of(sale, rule.terms.subject);
                let step = step_of(now, rule.terms.window_minutes);
                let total = || filling.windows.get(&(rule.id, whose)).map_or(0, |window| window.total_at(step));
                totals.entry((place, whose)).or_insert_with(total);
            }
            if let Some(of) = filling.usual.get(&sale.agency) {
                usual.insert(sale.agency, *of);
            }
            if filling.routes.contains(&(sale.agency, sale.route)) {
                known.insert((sale.agency, sale.route));
            }
        }
        Watch { rules: filling.rules.clone(), totals, usual, known, admitted: Vec::new(), hits: Vec::new() }
    }

    /// More than this is too much for an agency by this rule.
    fn most(&self, rule: &Rule, agency: AgencyId) -> i64 {
        let Some(factor) = rule.usual_factor else { return rule.terms.most };
        let usual = self.usual.get(&agency).copied().unwrap_or_default();
        let sum = match rule.terms.measure {
            Measure::Tickets => usual.tickets,
            Measure::Amount => usual.sold_minor,
        };
        let share = Decimal::from(sum).checked_mul(Decimal::from(rule.terms.window_minutes));
        let share = share.and_then(|share| share.checked_div(Decimal::from(usual.days.max(1).saturating_mul(DAY_MINUTES))));
        let usual = share.and_then(|share| share.checked_mul(factor.decimal())).and_then(|most| most.floor().to_i64());
        rule.terms.most.max(usual.unwrap_or(i64::MAX))
    }

    /// Lets an order of these tickets be sold, or says which rule stops it. What is only noted is noted once for each time that the measure rises above what is
    /// too much; what stops a sale, each time.
    pub fn admit(&mut self, order: i64, sales: &[Sale]) -> Result<(), Stopped> {
        let rules = self.rules.clone();
        let (mut added, mut noted) = (Vec::new(), Vec::new());
        for (place, rule) in rules.iter().enumerate() {
            // Also within an order a route is new once.
            let is_first = |place: usize, sale: &Sale| sales.iter().take(place).all(|before| before.route != sale.route);
            let is_new = |place, sale: &Sale| !self.known.contains(&(sale.agency, sale.route)) && is_first(place, sale);
            let mut by: Vec<(Whose, Sale, i64)> = Vec::new();
            for (_, sale) in sales.iter().enumerate().filter(|(place, sale)| rule.counts(sale, || is_new(*place, sale))) {
                let whose = Whose::of(sale, rule.terms.subject);
                match by.iter_mut().find(|(of, ..)| *of == whose) {
                    Some((.., sum)) => *sum = sum.saturating_add(rule.measured(sale)),
                    None => by.push((whose, *sale, rule.measured(sale))),
                }
            }
            for (whose, sale, more) in by {
                let before = self.totals.get(&(place, whose)).copied().unwrap_or(0);
                let (reached, most) = (before.saturating_add(more), self.most(rule, sale.agency));
                added.push(((place, whose), reached));
                let hit = || Hit { rule: rules.clone(), place, sale, reached, most, order };
                match rule.mode {
                    _ if reached <= most => {}
                    Mode::Off => {}
                    Mode::Shadow if before <= most => noted.push(hit()),
                    Mode::Shadow => {}
                    Mode::Refuse | Mode::Freeze => {
                        self.hits.push(hit());
                        return Err(Stopped { code: rule.code.clone(), mode: rule.mode });
                    }
                }
            }
        }
        self.totals.extend(added);
        self.known.extend(sales.iter().map(|sale| (sale.agency, sale.route)));
        self.hits.extend(noted);
        self.admitted.extend_from_slice(sales);
        Ok(())
    }

    pub(super) fn into_admitted(self) -> Vec<Sale> {
        self.admitted
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::memory::Velocity;
    use super::super::rule::tests::{new_rule, rule, sale};
    use super::super::rule::{NewRule, Subject};
    use super::*;
    use crate::ids::Id;

    fn velocity(new: &NewRule) -> Velocity {
        let velocity = Velocity::default();
        velocity.fill(Filling::of(vec![rule(new)], None), sale(-10_000).at);
        velocity
    }

    /// Sells one ticket at each minute; answers what was noted, or what stopped it.
    fn sells(velocity: &Velocity, sales: &[Sale]) -> (usize, Option<Stopped>) {
        let mut watch = velocity.watch(sales, sales[0].at).unwrap();
        let mut stopped = None;
        for sale in sales {
            stopped = watch.admit(7, &[*sale]).err().or(stopped);
        }
        let hits = watch.hits.len();
        velocity.stage(Some(watch));
        velocity.committed();
        (hits, stopped)
    }

    #[test]
    fn a_rule_in_shadow_notes_once_that_a_measure_rose_above_what_is_too_much() {
        let velocity = velocity(&new_rule(Measure::Tickets, 60, 2));
        let hits: Vec<usize> = [0, 1, 2, 3, 50].map(|minute| sells(&velocity, &[sale(minute)]).0).to_vec();
        assert_eq!(hits, [0, 0, 1, 0, 0]);
        // Nothing of the first hour is left but the last one.
        let later: Vec<usize> = [70, 71, 72].map(|minute| sells(&velocity, &[sale(minute)]).0).to_vec();
        assert_eq!(later, [0, 1, 0]);
    }

    #[test]
    fn an_enforced_rule_stops_the_sale_and_what_is_stopped_does_not_count() {
        let new = NewRule { mode: Mode::Refuse, ..new_rule(Measure::Amount, 60, 250_000) };
        let velocity = velocity(&new);
        let batch = [sale(0), sale(0), sale(0)];
        let stopped = Stopped { code: "too_much".into(), mode: Mode::Refuse };
        assert_eq!(sells(&velocity, &batch), (1, Some(stopped)));
        assert_eq!(velocity.totals(sale(0).at).first().unwrap().2, 200_000);
        assert_eq!(sells(&velocity, &[sale(61)]), (0, None));
    }

    #[test]
    fn what_is_not_committed_leaves_no_trace() {
        let velocity = velocity(&new_rule(Measure::Tickets, 60, 2));
        let mut watch = velocity.watch(&[sale(0)], sale(0).at).unwrap();
        watch.admit(7, &[sale(0)]).unwrap();
        velocity.stage(Some(watch));
        // It was rolled back; the next batch is decided.
        sells(&velocity, &[sale(1)]);
        assert_eq!(velocity.totals(sale(1).at).first().unwrap().2, 1);
        velocity.committed();
        assert_eq!(velocity.totals(sale(1).at).first().unwrap().2, 1, "a commit counts once");
    }

    #[test]
    fn a_surge_is_against_the_agencys_own_usual() {
        let mut new = new_rule(Measure::Tickets, 60, 2);
        new.terms.usual_factor = Some("3".into());
        let velocity = Velocity::default();
        let mut filling = Filling::of(vec![rule(&new)], None);
        // 28 days of 48: two an hour, six are three times as many.
        filling.usually(sale(0).agency, Usual { tickets: 28 * 48, sold_minor: 0, days: 28 });
        velocity.fill(filling, sale(-10_000).at);
        let hits: Vec<usize> = (0..8).map(|minute| sells(&velocity, &[sale(minute)]).0).collect();
        assert_eq!(hits, [0, 0, 0, 0, 0, 0, 1, 0]);
        let stranger = |minute| Sale { agency: AgencyId::of(9), ..sale(minute) };
        let hits: Vec<usize> = (0..4).map(|minute| sells(&velocity, &[stranger(minute)]).0).collect();
        assert_eq!(hits, [0, 0, 1, 0], "one without a usual has what is too much for everybody");
    }

    #[test]
    fn a_route_is_new_once() {
        let mut new = new_rule(Measure::Tickets, 60, 0);
        new.terms.only.new_route = true;
        let velocity = Velocity::default();
        let mut filling = Filling::of(vec![rule(&new)], None);
        filling.knows(sale(0).agency, Route::of("PEK", "SHA"));
        velocity.fill(filling, sale(-10_000).at);
        let new_route = Sale { route: Route::of("PEK", "CAN"), ..sale(0) };
        assert_eq!([sale(0), new_route, new_route].map(|sale| sells(&velocity, &[sale]).0), [0, 1, 0]);
    }

    #[test]
    fn what_was_sold_while_the_records_were_read_is_counted_once() {
        let velocity = velocity(&new_rule(Measure::Tickets, 60, 9));
        sells(&velocity, &[sale(0)]);
        velocity.begin_filling();
        sells(&velocity, &[sale(5)]);
        // The records up to minute 3 hold the first.
        let mut filling = Filling::of(vec![rule(&new_rule(Measure::Tickets, 60, 9))], None);
        filling.count(&sale(0));
        velocity.fill(filling, sale(3).at);
        assert_eq!(velocity.totals(sale(6).at).first().unwrap().2, 2);
    }

    #[test]
    fn subjects_have_windows_of_their_own() {
        let mut new = new_rule(Measure::Tickets, 60, 1);
        new.terms.subject = Subject::Route;
        let velocity = velocity(&new);
        let other = Sale { route: Route::of("PEK", "CAN"), ..sale(0) };
        assert_eq!([sale(0), other, other].map(|sale| sells(&velocity, &[sale]).0), [0, 0, 1]);
    }
}
