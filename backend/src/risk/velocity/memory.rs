//! What a node remembers of sales: a window per rule and subject, what agencies usually sell, and the routes that they know. A sale is counted when its commit is
//! made; what was decided and not committed leaves no trace.

use super::rule::{LONGEST_MINUTES, Rule, Subject};
use super::sale::{Route, Sale};
use super::watch::Watch;
use super::window::{Window, step_of};
use crate::clock::Timestamp;
use crate::ids::{AgencyId, Id, VelocityRuleId};
use chrono::{Duration, NaiveDate};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// An agency's average of the four weeks before, by the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    pub tickets: i64,
    pub sold_minor: i64,
    /// Whose sum these are.
    pub days: i64,
}

/// Whose window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Whose {
    Agency(i64),
    Seller(i64),
    Airline(i64),
    Route(Route),
}

impl Whose {
    pub fn of(sale: &Sale, subject: Subject) -> Self {
        match subject {
            Subject::Agency => Whose::Agency(sale.agency.raw()),
            Subject::Key => Whose::Seller(sale.by.stored()),
            Subject::Airline => Whose::Airline(sale.airline.raw()),
            Subject::Route => Whose::Route(sale.route),
        }
    }
}

/// Everything that is filled from the records.
#[derive(Debug, Default)]
pub struct Filling {
    pub(super) rules: Arc<Vec<Rule>>,
    pub(super) windows: HashMap<(VelocityRuleId, Whose), Window>,
    pub(super) usual: HashMap<AgencyId, Usual>,
    pub(super) routes: HashSet<(AgencyId, Route)>,
    /// The last day that `usual` and `routes` were counted to.
    counted_to: Option<NaiveDate>,
    /// Tickets of other nodes, of late: they are read again and again, because a commit may come later than the moment that it carries.
    strangers: HashMap<i64, Timestamp>,
}

/// How much later than its moment another node's commit may be seen.
pub const BELATED: Duration = Duration::seconds(15);

impl Filling {
    /// Empty, for these rules.
    pub fn of(rules: Vec<Rule>, counted_to: Option<NaiveDate>) -> Self {
        Filling { rules: Arc::new(rules), counted_to, ..Filling::default() }
    }

    /// How far back sales count at all.
    pub fn reach() -> Duration {
        Duration::minutes(LONGEST_MINUTES)
    }

    pub fn needs_routes(&self) -> bool {
        self.rules.iter().any(|rule| rule.terms.only.new_route)
    }

    pub fn usually(&mut self, agency: AgencyId, usual: Usual) {
        self.usual.insert(agency, usual);
    }

    pub fn knows(&mut self, agency: AgencyId, route: Route) {
        self.routes.insert((agency, route));
    }

    /// Sales come in the order in which they were made: a route is new once.
    pub fn count(&mut self, sale: &Sale) {
        let is_new = !self.routes.contains(&(sale.agency, sale.route));
        for rule in self.rules.iter().filter(|rule| rule.counts(sale, || is_new)) {
            let minutes = rule.terms.window_minutes;
            let window = self.windows.entry((rule.id, Whose::of(sale, rule.terms.subject))).or_default();
            window.add(step_of(sale.at, minutes), rule.measured(sale));
        }
        if is_new && self.needs_routes() {
            self.routes.insert((sale.agency, sale.route));
        }
    }

    /// A ticket that another node has sold: once, however often it is read.
    pub fn count_stranger(&mut self, ticket: i64, sale: &Sale) {
        if self.strangers.insert(ticket, sale.at).is_none() {
            self.count(sale);
        }
    }

    /// Windows in which nothing is left are forgotten.
    fn tidy(&mut self, now: Timestamp) {
        let minutes: HashMap<VelocityRuleId, i64> = self.rules.iter().map(|rule| (rule.id, rule.terms.window_minutes)).collect();
        self.strangers.retain(|_, at| *at > now.plus(-BELATED * 2));
        self.windows.retain(|(rule, _), window| minutes.get(rule).is_some_and(|minutes| !window.is_past(step_of(now, *minutes))));
    }
}

#[derive(Debug, Default)]
struct Inner {
    filling: Filling,
    is_filled: bool,
    /// What the last decided batch adds if its commit is made.
    staged: Vec<Sale>,
    /// Sales since a filling began.
    since: Option<Vec<Sale>>,
}

#[derive(Debug, Default)]
pub struct Velocity(Mutex<Inner>);

impl Velocity {
    /// Whether there are rules in force.
    pub fn is_watching(&self) -> bool {
        !self.0.lock().filling.rules.is_empty()
    }

    /// What concerns these sales, for the batch that decides about them; none where there are no rules.
    pub fn watch(&self, sales: &[Sale], now: Timestamp) -> Option<Watch> {
        let inner = self.0.lock();
        (!inner.filling.rules.is_empty()).then(|| Watch::of(&inner.filling, sales, now))
    }

    /// In the transaction that decides. What was staged before and not committed is forgotten.
    pub fn stage(&self, watch: Option<Watch>) {
        self.0.lock().staged = watch.map(Watch::into_admitted).unwrap_or_default();
    }

    /// After the commit.
    pub fn committed(&self) {
        let mut inner = self.0.lock();
        let staged = std::mem::take(&mut inner.staged);
        for sale in &staged {
            inner.filling.count(sale);
        }
        if let Some(since) = &mut inner.since {
            since.extend(staged);
        }
    }

    /// A commit may have been made or not: the windows are to be filled again.
    pub fn doubt(&self) {
        self.0.lock().is_filled = false;
    }

    /// Whether the windows are those of these rules, and what is usual is counted to this day.
    pub fn is_current(&self, rules: &[Rule], counted_to: Option<NaiveDate>) -> bool {
        let inner = self.0.lock();
        let known = inner.filling.rules.iter().map(|rule| rule.id);
        inner.is_filled && inner.filling.counted_to == counted_to && known.eq(rules.iter().map(|rule| rule.id))
    }

    /// In a commit of its own: what is sold from now on is counted again when the filling is done.
    pub fn begin_filling(&self) {
        self.0.lock().since = Some(Vec::new());
    }

    /// Puts what was read of the records up to a moment in place, with what was sold since.
    pub fn fill(&self, mut filling: Filling, up_to: Timestamp) {
        let mut inner = self.0.lock();
        for sale in inner.since.take().unwrap_or_default().iter().filter(|sale| sale.at > up_to) {
            filling.count(sale);
        }
        (inner.filling, inner.is_filled) = (filling, true);
    }

    /// What other nodes have sold of late, by ticket.
    pub fn hear(&self, sold: &[(i64, Sale)]) {
        let mut inner = self.0.lock();
        sold.iter().for_each(|(ticket, sale)| inner.filling.count_stranger(*ticket, sale));
    }

    pub fn tidy(&self, now: Timestamp) {
        self.0.lock().filling.tidy(now);
    }

    /// Every window with what is in it, for tests and people: the rule, whose it is, how much.
    pub fn totals(&self, now: Timestamp) -> Vec<(String, String, i64)> {
        let inner = self.0.lock();
        let mut totals = Vec::new();
        for rule in inner.filling.rules.iter() {
            let step = step_of(now, rule.terms.window_minutes);
            let own = inner.filling.windows.iter().filter(|((of, _), _)| *of == rule.id);
            totals.extend(own.map(|((_, whose), window)| (rule.code.clone(), format!("{whose:?}"), window.total_at(step))));
        }
        totals.retain(|(.., total)| *total != 0);
        totals.sort_unstable();
        totals
    }
}
