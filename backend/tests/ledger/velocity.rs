//! Velocity: what is sold too quickly is noted, refused, or freezes the agency; a restart forgets nothing.

use crate::database::Engine;
use crate::desk::Desk;
use crate::world::{World, cny};
use airsettle::agencies::{AgencyStatus, FreezeScope};
use airsettle::credit::{SwitchesOf, kill_switches};
use airsettle::db::Window;
use airsettle::ledger::Chart;
use airsettle::risk::velocity::{
    Measure, Mode, NewRule, Only, RuleError, Subject, Terms, Velocity, VelocityHit, adopt_rule, velocity_hits,
};
use airsettle::ticketing::{IssueOrder, IssueQueue, Outcome, QueueConfig, Refusal, refresh_velocity};
use chrono::{Days, Duration};
use std::sync::Arc;

on_both_engines!(
    a_rule_in_shadow_notes_and_the_sale_goes_on,
    an_enforced_rule_refuses_until_the_window_has_moved_on,
    a_rule_that_freezes_stops_the_agency_with_the_sale,
    a_restart_forgets_nothing,
    what_was_rehearsed_leaves_no_trace,
    a_surge_is_against_the_agencys_own_usual,
    a_bust_out_is_what_everything_applies_to,
    the_queue_counts_what_it_has_committed,
    what_another_node_sells_is_heard_of_once,
    a_rule_begins_today_or_later,
);

pub fn tickets(code: &str, mode: Mode, window_minutes: i64, most: i64) -> NewRule {
    let terms = Terms {
        subject: Subject::Agency,
        measure: Measure::Tickets,
        window_minutes,
        most,
        usual_factor: None,
        only: Only::default(),
        currency: None,
    };
    NewRule { code: code.into(), effective_from: chrono::NaiveDate::MAX, mode, terms }
}

impl World {
    /// From today on, in force at once.
    pub fn watches(&self, new: &NewRule) {
        self.bears_with_its_bank();
        let new = NewRule { effective_from: self.today(), ..new.clone() };
        self.write(|tx| Ok(adopt_rule(tx, &new)?));
        self.remembers();
    }

    /// As the job does it.
    pub fn remembers(&self) {
        refresh_velocity(&self.store, self.catalogue(), &self.velocity).unwrap();
    }

    fn hits(&self) -> Vec<VelocityHit> {
        let mut hits = self.read(|db| velocity_hits(db, None, Window::NEWEST, 100));
        hits.reverse();
        hits
    }

    fn velocity_events(&self) -> i64 {
        self.number("SELECT COUNT(*) AS value FROM event WHERE kind = 'velocity.hit' AND agency_id IS NULL")
    }
}

fn stopped(rule: &str) -> Refusal {
    Refusal::VelocityExceeded { code: rule.into() }
}

fn a_rule_in_shadow_notes_and_the_sale_goes_on(engine: Engine) {
    let world = World::trading(engine);
    world.watches(&tickets("many", Mode::Shadow, 60, 2));
    world.sells(world.order());
    assert!(world.hits().is_empty());
    let third = world.sells(world.order().tickets(2));
    world.sells(world.order());
    let [hit] = &world.hits()[..] else { panic!("{:?}", world.hits()) };
    assert_eq!((hit.reached, hit.most, hit.agency, hit.airline), (3, 2, world.agency, world.airline));
    assert_eq!((hit.route.as_str(), hit.order.map(airsettle::ids::Id::raw)), ("PEKSHA", Some(third.order.id)));
    assert_eq!(world.velocity_events(), 1, "the operator alone hears of it, once");
    world.time_passes(Duration::minutes(61));
    world.sells(world.order().tickets(3));
    assert_eq!(world.hits().len(), 2, "it rose again");
    world.adds_up();
}

fn an_enforced_rule_refuses_until_the_window_has_moved_on(engine: Engine) {
    let world = World::trading(engine);
    let mut rule = tickets("much", Mode::Refuse, 60, 250_000);
    rule.terms = Terms { measure: Measure::Amount, currency: Some("CNY".into()), ..rule.terms };
    world.watches(&rule);
    let batch: Vec<IssueOrder> = (0..3).map(|_| world.order().build()).collect();
    let outcomes = world.issues(&batch);
    assert!(
        matches!(&outcomes[..], [Outcome::Issued(_), Outcome::Issued(_), Outcome::Refused(reason)] if *reason == stopped("much"))
    );
    let held = world.sells(world.order().held());
    assert_eq!(world.refuses(world.order().paying(&held)), stopped("much"), "a held order is sold when it is paid");
    assert_eq!(world.tickets(), 2);
    assert!(world.hits().iter().all(|hit| hit.order.is_none() && hit.reached == 300_000));
    assert_eq!(world.exposure(), cny("1940.00"), "a refusal leaves no trace");
    world.time_passes(Duration::minutes(61));
    world.sells(world.order().paying(&held));
    world.adds_up();
}

fn a_rule_that_freezes_stops_the_agency_with_the_sale(engine: Engine) {
    let world = World::trading(engine);
    world.watches(&tickets("burst", Mode::Freeze, 10, 1));
    let batch: Vec<IssueOrder> = (0..3).map(|_| world.order().build()).collect();
    let outcomes = world.issues(&batch);
    let refused: Vec<&Refusal> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Refused(refusal) => Some(refusal),
            _ => None,
        })
        .collect();
    assert_eq!(refused, [&stopped("burst"), &Refusal::AgencyFrozen]);
    assert_eq!(world.refuses(world.order()), Refusal::AgencyFrozen);
    let agency = world.read(|db| airsettle::agencies::agency(db, world.agency)).unwrap();
    assert_eq!(agency.status, AgencyStatus::Frozen);
    assert!(agency.frozen.has(FreezeScope::Issue));
    let switches = world.read(|db| kill_switches(db, SwitchesOf::Now, Window::NEWEST, 10));
    assert_eq!(switches[0].reason, "velocity rule burst", "two people lift it");
    world.sells(world.order().by_wallet());
    world.adds_up();
}

fn a_restart_forgets_nothing(engine: Engine) {
    let world = World::trading(engine);
    let mut by_key = tickets("by_key", Mode::Shadow, 30, 1_000);
    by_key.terms.subject = Subject::Key;
    let mut by_route = tickets("by_route", Mode::Shadow, 1_440, 1_000);
    by_route.terms.subject = Subject::Route;
    let mut near = tickets("near", Mode::Shadow, 60, 1_000);
    near.terms.only.departs_within_minutes = Some(600);
    let mut new_route = tickets("new_route", Mode::Shadow, 1_440, 1_000);
    new_route.terms.only.new_route = true;
    for rule in [tickets("by_agency", Mode::Refuse, 60, 1_000), by_key, by_route, near, new_route] {
        world.watches(&rule);
    }
    for _ in 0..3 {
        world.sells(world.order().tickets(2));
        world.time_passes(Duration::minutes(14));
    }
    let soon = world.clock.now().plus(Duration::hours(8 + 2)).naive();
    world.sells(world.order().departing_at(soon));
    world.sells(world.order().by_wallet());
    let held = world.sells(world.order().held());
    world.sells(world.order().paying(&held));
    let voided = world.sells(world.order());
    world.voids(&voided);
    let now = world.clock.now();
    let before = world.velocity.totals(now);
    let of = |code: &str| before.iter().filter(|(rule, ..)| rule == code).map(|(.., total)| *total).collect::<Vec<_>>();
    assert_eq!(of("by_agency"), [9, 1]);
    // The first one was sold 42 minutes ago; both agencies sell through one key.
    assert_eq!((of("by_key"), of("by_route"), of("near"), of("new_route")), (vec![8], vec![10], vec![1], vec![1, 1]));
    let world = world.seen_from_another_node();
    world.remembers();
    assert_eq!(world.velocity.totals(now), before);
    world.velocity.doubt();
    world.remembers();
    assert_eq!(world.velocity.totals(now), before, "filled again");
}

fn what_was_rehearsed_leaves_no_trace(engine: Engine) {
    let world = World::trading(engine);
    world.watches(&tickets("many", Mode::Refuse, 60, 1));
    let orders = [world.order().build(), world.order().build()];
    let rehearsed = world.rehearses(&orders);
    assert!(matches!(&rehearsed[1], Outcome::Refused(reason) if *reason == stopped("many")), "{rehearsed:?}");
    assert!(world.hits().is_empty() && world.velocity.totals(world.clock.now()).is_empty());
    world.sells(world.order());
}

fn a_surge_is_against_the_agencys_own_usual(engine: Engine) {
    let world = World::trading(engine);
    world.bears_with_its_bank();
    for _ in 0..7 {
        world.sells(world.order().tickets(4));
        world.time_passes(Duration::days(1));
    }
    world.counts_days();
    // 28 tickets in 28 days: one a day; two times that are two.
    let mut surge = tickets("surge", Mode::Refuse, 1_440, 0);
    surge.terms.usual_factor = Some("2".into());
    // What was sold a day ago has just left the window.
    world.time_passes(Duration::days(1));
    world.watches(&surge);
    world.sells(world.order().tickets(2));
    assert_eq!(world.refuses(world.order()), stopped("surge"));
    assert_eq!(
        world.refuses(world.order().by_wallet()),
        stopped("surge"),
        "without a usual there is only what is too much for everybody: here nothing"
    );
    world.adds_up();
}

fn a_bust_out_is_what_everything_applies_to(engine: Engine) {
    let world = World::trading(engine);
    let mut bust_out = tickets("bust_out", Mode::Refuse, 60, 0);
    let only = Only { departs_within_minutes: Some(360), price_from_minor: Some(200_000), new_route: true, ..Only::default() };
    bust_out.terms = Terms { only, currency: Some("CNY".into()), ..bust_out.terms };
    world.watches(&bust_out);
    let soon = world.clock.now().plus(Duration::hours(8 + 3)).naive();
    let dear = || world.order().fare(cny("1950.00"));
    world.sells(world.order().departing_at(soon).by_wallet());
    assert_eq!(world.refuses(dear().departing_at(soon)), stopped("bust_out"));
    world.sells(dear());
    // The route is not new to the agency any more.
    world.sells(dear().departing_at(soon));
    world.adds_up();
}

fn the_queue_counts_what_it_has_committed(engine: Engine) {
    let world = World::trading(engine);
    world.watches(&tickets("many", Mode::Refuse, 60, 20));
    let desk = Desk::one_node(&world);
    let answers = desk.all_at_once((0..30).map(|_| world.order().build()).collect());
    assert_eq!((crate::desk::issued(&answers).len(), crate::desk::refusals(&answers).len()), (20, 10));
    let total: i64 = world.velocity.totals(world.clock.now()).iter().map(|(.., total)| *total).sum();
    assert_eq!(total, 20);
    world.adds_up();
}

fn what_another_node_sells_is_heard_of_once(engine: Engine) {
    let world = World::trading(engine);
    world.watches(&tickets("many", Mode::Refuse, 60, 3));
    let other = Arc::new(world.database.open(world.clock.clone()));
    assert_ne!(other.node(), world.store.node());
    let memory = <(Arc<Chart>, Arc<Velocity>)>::default();
    let remembers = || {
        world.remembers();
        refresh_velocity(&other, world.catalogue(), &memory.1).unwrap();
    };
    remembers();
    let elsewhere = Desk::of(IssueQueue::start(other.clone(), memory.clone(), QueueConfig::default(), || {}).unwrap());
    elsewhere.all_at_once(vec![world.order().build(), world.order().build()]);
    world.sells(world.order());
    remembers();
    remembers();
    let now = world.clock.now();
    assert_eq!(world.velocity.totals(now), memory.1.totals(now));
    assert_eq!(world.velocity.totals(now).first().unwrap().2, 3);
    assert_eq!(world.refuses(world.order()), stopped("many"));
    world.adds_up();
}

fn a_rule_begins_today_or_later(engine: Engine) {
    let world = World::trading(engine);
    let adopt = |new: &NewRule| world.store.write(|tx| adopt_rule(tx, new));
    let rule =
        |days: i64| NewRule { effective_from: world.today() + Duration::days(days), ..tickets("many", Mode::Refuse, 60, 0) };
    world.bears_with_its_bank();
    assert!(matches!(adopt(&rule(-1)), Err(RuleError::Past { .. })));
    assert_eq!(adopt(&rule(1)).unwrap().version, 1);
    assert!(matches!(adopt(&rule(0)), Err(RuleError::BeforeLatest { latest: 1, .. })));
    world.remembers();
    world.sells(world.order());
    world.goes_to(world.today() + Days::new(1));
    world.remembers();
    assert_eq!(world.refuses(world.order()), stopped("many"), "it has begun");
    let off = NewRule { effective_from: world.today(), ..tickets("many", Mode::Off, 60, 0) };
    assert_eq!(adopt(&off).unwrap().version, 2);
    world.remembers();
    world.sells(world.order());
}
