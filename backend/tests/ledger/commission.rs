//! Commission rules in the database: versions one after another, never changed, and known to every process by the next order.

use crate::database::Engine;
use crate::world::{World, rate};
use airsettle::agencies::{CommissionBase, Tier};
use airsettle::commission::{
    CommissionRule, Direction, EarningPart, Payout, Rule, RuleBook, RuleError, Window, current_rules, earnings, file_rule,
};
use airsettle::db::DbError;
use airsettle::ticketing::IssueOrder;
use chrono::Days;

on_both_engines!(
    versions_follow_each_other_and_are_never_changed,
    a_rule_that_is_filed_elsewhere_is_known_by_the_next_reading_without_a_statement_more,
    filings_at_the_same_time_come_one_after_another,
    a_ticket_reproduces_its_commission_from_the_version_it_keeps,
);

fn three_percent(world: &World, code: &str) -> Rule {
    Rule {
        code: code.to_owned(),
        effective_from: world.today(),
        agency: None,
        tier: None,
        airline: None,
        carrier: None,
        origin: None,
        destination: None,
        direction: Direction::OneWay,
        booking_classes: Vec::new(),
        passenger: None,
        sold: Window::default(),
        travelled: Window::default(),
        payout: Some(Payout::Share { of: CommissionBase::Fare, rate: rate("0.03") }),
    }
}

impl World {
    fn files(&self, rule: &Rule) -> Result<CommissionRule, RuleError> {
        self.store.write(|tx| file_rule(tx, rule))
    }
}

fn versions_follow_each_other_and_are_never_changed(engine: Engine) {
    let world = World::on(engine);
    let plain = three_percent(&world, "R");
    let later = Rule { effective_from: world.today() + Days::new(10), ..plain.clone() };
    assert_eq!(world.files(&plain).unwrap().version, 1);
    let second = world.files(&later).unwrap();
    assert_eq!((second.version, &second.rule), (2, &later));
    assert!(matches!(world.files(&plain), Err(RuleError::BeforeLatest { latest: 2, .. })));
    let yesterday = Rule { effective_from: world.today() - Days::new(1), ..three_percent(&world, "S") };
    assert!(matches!(world.files(&yesterday), Err(RuleError::Backdated { .. })));
    assert_eq!(world.read(current_rules).all().len(), 2);
    for statement in ["UPDATE commission_rule SET rate = '0.9'", "DELETE FROM commission_rule"] {
        assert!(world.database.as_application(statement).is_err(), "{statement}");
        assert!(world.database.as_owner(statement).unwrap_err().contains("append-only"), "{statement}");
    }
}

fn a_rule_that_is_filed_elsewhere_is_known_by_the_next_reading_without_a_statement_more(engine: Engine) {
    let world = World::on(engine);
    let (here, there) = (RuleBook::default(), world.database.open(world.clock.clone()));
    let standard = Tier::standard();
    let in_force = || {
        let before = world.store.statements().count();
        let terms = world.read(|db| here.terms_of(db, world.agency));
        let rules = terms.rules.in_force(world.agency, &standard, world.today());
        assert_eq!(terms.contracts.len(), 1);
        (rules.len(), world.store.statements().count() - before)
    };
    assert_eq!(in_force(), (0, 1));
    world.files(&three_percent(&world, "HERE")).unwrap();
    assert_eq!(in_force(), (1, 3), "read again once");
    assert_eq!(in_force(), (1, 1));
    there.write(|tx| file_rule(tx, &three_percent(&world, "THERE"))).unwrap();
    assert_eq!(in_force(), (2, 3));
    assert_eq!(in_force(), (2, 1), "one statement, for the contracts and the rules");
    // What is rolled back was never filed.
    let refused: Result<(), RuleError> = there.write(|tx| {
        file_rule(tx, &three_percent(&world, "GONE"))?;
        Err(RuleError::Db(DbError::Corrupt("on purpose".into())))
    });
    assert!(refused.is_err());
    assert_eq!(in_force(), (2, 1));
}

fn filings_at_the_same_time_come_one_after_another(engine: Engine) {
    let world = World::on(engine);
    let stores = [world.database.open(world.clock.clone()), world.database.open(world.clock.clone())];
    let rule = three_percent(&world, "R");
    let mut versions: Vec<i64> = std::thread::scope(|scope| {
        let filing: Vec<_> = stores
            .iter()
            .map(|store| {
                scope.spawn(|| (0..5).map(|_| store.write(|tx| file_rule(tx, &rule)).unwrap().version).collect::<Vec<_>>())
            })
            .collect();
        filing.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    versions.sort_unstable();
    assert_eq!(versions, (1..=10).collect::<Vec<_>>());
    assert_eq!(world.number("SELECT generation AS value FROM commission_rule_book"), 10);
}

fn a_ticket_reproduces_its_commission_from_the_version_it_keeps(engine: Engine) {
    let world = World::trading(engine);
    let version = world.files(&three_percent(&world, "R")).unwrap();
    let sold = |commission: i64| -> IssueOrder {
        let mut order = world.order().build();
        let ticket = &mut order.tickets[0];
        ticket.coupons[0].commission_rule = Some(version.id);
        ticket.coupons[0].commission_minor = commission;
        let moved = ticket.split.commission.minor - commission;
        ticket.split.commission.minor = commission;
        ticket.split.airline.minor += moved;
        order
    };
    let part = EarningPart { fare: crate::world::cny("950.00"), payout: version.rule.payout.unwrap() };
    let earned = earnings(crate::world::cny("1000.00"), &[part]).unwrap()[0].amount;
    world.sells(sold(earned.minor));
    world.adds_up();
    world.sells(sold(earned.minor + 1));
    let fault = world.sale_fault().unwrap();
    assert_eq!(fault.rule, "a ticket's commission is what its rules come to, coupon by coupon");
}
