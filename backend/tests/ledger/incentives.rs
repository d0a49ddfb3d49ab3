//! Incentive by volume: accrued behind the sale, ticket by ticket and exactly once, and settled per period.

use crate::bank::settled_at;
use crate::database::Engine;
use crate::refunds::wish;
use crate::world::{World, cny, rate};
use airsettle::agencies::{AirlineReturn, Cycle, cycle_of};
use airsettle::credit::start_sending;
use airsettle::ids::{AdvanceId, AgencyId, Id, IncentiveProgrammeId};
use airsettle::ledger::{seal_pending, sealed_until};
use airsettle::money::Currency;
use airsettle::settlement::{
    Funder, IncentiveError, Measure, Method, NewProgramme, Period, PeriodLength, Programme, Purpose, SettleError, Settled,
    TierReward, accrue_batch, all_programmes, next_batch, open_programme, settle_period,
};
use airsettle::ticketing::{IssuedOrder, RefundKind};
use chrono::{Duration, NaiveTime};

on_both_engines!(
    a_ticket_accrues_behind_its_sale_and_a_void_takes_it_back,
    what_the_platform_funds_is_its_expense,
    a_tier_that_is_reached_makes_up_for_the_first_ticket,
    tickets_may_be_counted_instead_of_fares,
    another_agencys_and_another_tiers_sales_do_not_count,
    everything_is_counted_once_whoever_counts,
    what_was_sold_before_the_programme_was_agreed_counts_from_its_beginning,
    a_period_is_settled_once_and_only_when_it_is_over_and_counted,
    the_agencies_of_a_period_are_settled_in_as_many_calls_as_are_wanted,
    an_airline_that_funds_it_pays_it_as_a_claim,
    a_void_after_the_end_of_the_period_is_left_out_of_the_next,
    a_refund_gives_back_the_fare_that_it_refunds,
    every_rule_of_the_incentives_finds_a_row_that_breaks_it,
);

pub fn new_programme(world: &World, funder: Funder, method: Method, tiers: &[(&str, &str)]) -> NewProgramme {
    NewProgramme {
        name: "Volume".into(),
        agency: None,
        tier: None,
        airline: world.airline,
        currency: Currency::CNY,
        period: PeriodLength::Month,
        measure: Measure::Fare,
        method,
        funder,
        airline_return: (funder == Funder::Airline).then_some(AirlineReturn::SetOff),
        effective_from: Period::of(world.today(), PeriodLength::Month).starts_on,
        effective_until: None,
        tiers: tiers.iter().map(|(from, share)| (cny(from).minor, TierReward::Rate(rate(share)))).collect(),
    }
}

impl World {
    pub fn agrees(&self, new: &NewProgramme) -> Programme {
        self.write(|tx| Ok(open_programme(tx, new)?))
    }

    /// 2 % of every fare.
    fn agrees_on_two_percent(&self, funder: Funder) -> Programme {
        self.agrees(&new_programme(self, funder, Method::Incremental, &[("0", "0.02")]))
    }

    /// What the job does: answers how many lines there are new.
    pub fn counts_incentives(&self) -> usize {
        self.write(|tx| Ok(seal_pending(tx)?));
        self.counts_what_is_sealed()
    }

    fn counts_what_is_sealed(&self) -> usize {
        let mut lines = 0;
        for programme in self.read(all_programmes) {
            for (node, sealed) in self.read(sealed_until) {
                while let Some(batch) = self.read(|db| next_batch(db, &programme, node, sealed)) {
                    lines += self.store.write(|tx| accrue_batch(tx, &programme, &batch)).unwrap();
                }
            }
        }
        lines
    }

    pub fn settles(&self, id: IncentiveProgrammeId, period: Period, limit: usize) -> Result<Settled, SettleError> {
        self.store.write(|tx| settle_period(tx, &self.cause(), id, period, self.store.zone(), limit))
    }

    /// The bank pays everything that is open, so that its line stays open while days pass.
    pub fn pays_the_airlines(&self) {
        let open = self.numbers("SELECT id AS value FROM advance WHERE resolved_at IS NULL ORDER BY id");
        let open: Vec<AdvanceId> = open.into_iter().map(AdvanceId::of).collect();
        let sent = self.write(|tx| Ok(start_sending(tx, &open)?));
        self.bank_says(&sent.iter().map(|one| settled_at(one, one.outstanding())).collect::<Vec<_>>());
    }

    /// Noon of the second day of the next month.
    fn the_month_passes(&self) {
        self.pays_the_airlines();
        let month = Period::of(self.today(), PeriodLength::Month);
        let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap();
        let then = month.last_day().succ_opt().unwrap().succ_opt().unwrap().and_time(noon);
        let now = self.clock.now().naive() + Duration::hours(8);
        self.time_passes(then - now);
    }

    /// The first days of a month, so that a day that passes does not leave it.
    pub fn early_in_the_month(&self) {
        self.the_month_passes();
    }

    fn incentive_lines(&self) -> Vec<String> {
        self.texts(
            "SELECT kind || ' ' || CAST(measured AS TEXT) || ' ' || CAST(amount_minor AS TEXT) AS value FROM incentive_accrual ORDER BY id",
        )
    }

    fn incentive(&self, agency: AgencyId) -> i64 {
        let query =
            format!("SELECT balance_minor AS value FROM account WHERE code = 'agency.incentive' AND owner_id = {}", agency.raw());
        -self.numbers(&query).pop().unwrap_or(0)
    }
}

pub fn this_month(world: &World) -> Period {
    Period::of(world.today(), PeriodLength::Month)
}

fn a_ticket_accrues_behind_its_sale_and_a_void_takes_it_back(engine: Engine) {
    let world = World::trading(engine);
    world.agrees_on_two_percent(Funder::Airline);
    let before = world.balances();
    let sold = world.sells(world.order());
    assert_eq!(world.counts_what_is_sealed(), 0, "what is not sealed may still change its order");
    assert_eq!(world.counts_incentives(), 1);
    assert!(world.balances().contains(&"agency.incentive 19.00".to_owned()), "{:?}", world.balances());
    assert!(world.balances().contains(&"airline.receivable 19.00".to_owned()));
    world.adds_up();
    world.voids(&sold);
    assert_eq!(world.counts_incentives(), 1);
    assert_eq!(world.incentive_lines(), ["issue 95000 1900", "void -95000 -1900"]);
    assert_eq!(world.balances(), before, "every account of the ticket and of its incentive is empty again");
    world.adds_up();
}

fn what_the_platform_funds_is_its_expense(engine: Engine) {
    let world = World::trading(engine);
    world.agrees_on_two_percent(Funder::Platform);
    world.sells(world.order().tickets(2));
    world.counts_incentives();
    let balances = world.balances();
    assert!(balances.contains(&"agency.incentive 38.00".to_owned()), "{balances:?}");
    assert!(balances.contains(&"platform.incentive_expense -38.00".to_owned()), "{balances:?}");
    assert!(!balances.iter().any(|line| line.starts_with("airline.receivable")));
    world.adds_up();
}

fn a_tier_that_is_reached_makes_up_for_the_first_ticket(engine: Engine) {
    let world = World::trading(engine);
    world.agrees(&new_programme(&world, Funder::Airline, Method::RetroactiveToFirst, &[("0", "0.01"), ("1900.00", "0.03")]));
    let sold: Vec<IssuedOrder> = (0..3).map(|_| world.sells(world.order())).collect();
    world.counts_incentives();
    let lines = ["issue 95000 950", "issue 95000 950", "true_up 0 3800", "issue 95000 2850"];
    assert_eq!(world.incentive_lines(), lines);
    let events = world.texts(
        "SELECT event || ' ' || CAST(entry_count AS TEXT) AS value FROM posting WHERE event LIKE 'incentive%' ORDER BY id",
    );
    assert_eq!(events, ["incentive_accrued 2", "incentive_accrued 2", "incentive_true_up 2", "incentive_accrued 2"]);
    assert_eq!(world.incentive(world.agency), 8_550);
    // The tier is lost again, and the third ticket is worth what the first one was.
    world.voids(&sold[0]);
    world.voids(&sold[1]);
    world.counts_incentives();
    let lost = ["void -95000 -950", "true_up 0 -1900", "void -95000 -950", "true_up 0 -3800"];
    assert_eq!(world.incentive_lines()[4..], lost);
    assert_eq!(world.incentive(world.agency), 950);
    world.adds_up();
}

fn tickets_may_be_counted_instead_of_fares(engine: Engine) {
    let world = World::trading(engine);
    let tiers = vec![(0, TierReward::PerTicket(cny("5.00"))), (3, TierReward::PerTicket(cny("8.00")))];
    let by_tickets = new_programme(&world, Funder::Platform, Method::Incremental, &[]);
    world.agrees(&NewProgramme { measure: Measure::Tickets, tiers, ..by_tickets });
    world.sells(world.order().tickets(4));
    world.counts_incentives();
    assert_eq!(world.incentive_lines(), ["issue 1 500", "issue 1 500", "issue 1 500", "issue 1 800"]);
    world.adds_up();
}

fn another_agencys_and_another_tiers_sales_do_not_count(engine: Engine) {
    let world = World::trading(engine);
    let all = new_programme(&world, Funder::Platform, Method::Incremental, &[("0", "0.02")]);
    world.agrees(&NewProgramme { agency: Some(world.prepaid), ..all.clone() });
    let gold = airsettle::agencies::Tier::parse("gold").unwrap();
    world.agrees(&NewProgramme { tier: Some(gold.clone()), ..all });
    world.sells(world.order());
    assert_eq!(world.counts_incentives(), 0);
    world.sells(world.order().by_wallet());
    assert_eq!(world.counts_incentives(), 1);
    assert_eq!((world.incentive(world.agency), world.incentive(world.prepaid)), (0, 1_900));
    // What counts is the tier at the sale.
    world.write(|tx| Ok(airsettle::agencies::set_tier(tx, world.agency, gold)?));
    world.sells(world.order());
    world.write(|tx| Ok(airsettle::agencies::set_tier(tx, world.agency, airsettle::agencies::Tier::standard())?));
    assert_eq!(world.counts_incentives(), 1);
    assert_eq!(world.incentive(world.agency), 1_900);
    world.adds_up();
}

fn everything_is_counted_once_whoever_counts(engine: Engine) {
    let world = World::trading(engine);
    let programme = world.agrees_on_two_percent(Funder::Airline);
    for _ in 0..3 {
        world.sells(world.order());
    }
    world.write(|tx| Ok(seal_pending(tx)?));
    // Two jobs read the same, one after the other books it.
    let (node, sealed) = world.read(sealed_until)[0];
    let batch = world.read(|db| next_batch(db, &programme, node, sealed)).unwrap();
    assert_eq!(world.store.write(|tx| accrue_batch(tx, &programme, &batch)).unwrap(), 3);
    assert_eq!(world.store.write(|tx| accrue_batch(tx, &programme, &batch)).unwrap(), 0);
    assert_eq!(world.counts_incentives(), 0);
    // Another node sells and counts; what this one sold and nobody counted is counted there too.
    world.sells(world.order());
    world.write(|tx| Ok(seal_pending(tx)?));
    let other = std::sync::Arc::new(world.database.open(world.clock.clone()));
    let world = World { store: other, chart: std::sync::Arc::default(), ..world };
    world.sells(world.order());
    assert_eq!(world.counts_incentives(), 2);
    assert_eq!(world.read(sealed_until).len(), 2, "two nodes have sold");
    assert_eq!(world.incentive(world.agency), 5 * 1_900);
    world.adds_up();
}

fn what_was_sold_before_the_programme_was_agreed_counts_from_its_beginning(engine: Engine) {
    let world = World::trading(engine);
    world.sells(world.order());
    world.the_month_passes();
    for _ in 0..2 {
        let batch: Vec<_> = (0..225).map(|_| world.order().fare(cny("10.00")).build()).collect();
        world.issues(&batch);
    }
    world.agrees_on_two_percent(Funder::Platform);
    assert_eq!(world.counts_incentives(), 450, "of this month, in batches");
    assert_eq!(world.incentive(world.agency), 450 * 20);
    world.adds_up();
}

fn a_period_is_settled_once_and_only_when_it_is_over_and_counted(engine: Engine) {
    let world = World::trading(engine);
    let programme = world.agrees_on_two_percent(Funder::Platform);
    world.sells(world.order());
    let month = this_month(&world);
    assert!(matches!(world.settles(programme.id, month, 10), Err(SettleError::NotOver { .. })));
    world.the_month_passes();
    assert!(matches!(world.settles(programme.id, month, 10), Err(SettleError::NotCounted { .. })));
    world.counts_incentives();
    let quarter = Period { length: PeriodLength::Quarter, ..month };
    assert!(matches!(world.settles(programme.id, quarter, 10), Err(SettleError::WrongLength("month"))));
    let owed = world.standing(world.agency).receivable;
    let settled = world.settles(programme.id, month, 10).unwrap();
    assert_eq!((settled.periods.len(), settled.remaining), (1, 0));
    let cycle = cycle_of(world.today());
    assert_eq!(settled.periods[0].cycle.as_deref(), Some(cycle.as_str()));
    assert_eq!(world.standing(world.agency).receivable, owed.checked_sub(cny("19.00")).unwrap());
    assert_eq!(world.incentive(world.agency), 0);
    let again = world.settles(programme.id, month, 10).unwrap();
    assert_eq!((again.periods.len(), again.remaining), (0, 0));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'incentive_settled'"), 1);
    world.adds_up();
    // The open cycle owes less by it.
    world.sells(world.order());
    let cycle = Cycle::parse(&cycle).unwrap();
    let standing = world.read(|db| airsettle::settlement::cycle_standing(db, world.agency, Currency::CNY, cycle)).unwrap();
    assert_eq!((standing.incentive, standing.open_net().unwrap()), (cny("19.00"), cny("951.00")));
    world.remits("951.00", cycle).unwrap();
    let standing = world.read(|db| airsettle::settlement::cycle_standing(db, world.agency, Currency::CNY, cycle)).unwrap();
    assert_eq!(standing.open_net().unwrap(), cny("0"));
    world.adds_up();
}

fn the_agencies_of_a_period_are_settled_in_as_many_calls_as_are_wanted(engine: Engine) {
    let world = World::trading(engine);
    let programme = world.agrees_on_two_percent(Funder::Airline);
    world.sells(world.order());
    world.sells(world.order().by_wallet());
    let month = this_month(&world);
    world.the_month_passes();
    world.counts_incentives();
    let first = world.settles(programme.id, month, 1).unwrap();
    assert_eq!((first.periods.len(), first.remaining), (1, 1));
    world.adds_up();
    let second = world.settles(programme.id, month, 1).unwrap();
    assert_eq!((second.periods.len(), second.remaining), (1, 0));
    assert_ne!(first.periods[0].agency_id, second.periods[0].agency_id);
    assert_eq!((world.incentive(world.agency), world.incentive(world.prepaid)), (0, 0));
    world.adds_up();
}

fn an_airline_that_funds_it_pays_it_as_a_claim(engine: Engine) {
    let world = World::trading(engine);
    let programme = world.agrees_on_two_percent(Funder::Airline);
    let month = this_month(&world);
    for _ in 0..2 {
        world.sells(world.order());
    }
    world.the_month_passes();
    world.counts_incentives();
    world.settles(programme.id, month, 10).unwrap();
    let open = "SELECT CAST(SUM(amount_minor - settled_minor) AS BIGINT) AS value FROM airline_claim";
    assert_eq!(world.number(open), 3_800);
    world.adds_up();
    // A part is repaid, the rest is set off against the next advance.
    world.receives(&world.receipt(Purpose::AirlineRepayment(world.airline), "8.00")).unwrap();
    assert_eq!(world.number(open), 3_000);
    let next = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&next)).unwrap();
    assert_eq!(sent.outstanding(), cny("885.00"));
    world.bank_says(&[settled_at(&sent, sent.outstanding())]);
    assert_eq!(world.number(open), 0);
    world.adds_up();
}

fn a_void_after_the_end_of_the_period_is_left_out_of_the_next(engine: Engine) {
    let world = World::trading(engine);
    world.early_in_the_month();
    let programme = world.agrees_on_two_percent(Funder::Airline);
    let month = this_month(&world);
    // One minute before midnight of the last day; a ticket of the first minute of the next day can still be voided then.
    let last = month.last_day().and_hms_opt(23, 59, 0).unwrap() - Duration::hours(8);
    world.time_passes(last - world.clock.now().naive());
    world.sells(world.order());
    world.pays_the_airlines();
    world.time_passes(Duration::minutes(5));
    let next = world.sells(world.order());
    world.voids(&next);
    world.counts_incentives();
    let periods = world.texts(
        "SELECT CAST(measured AS TEXT) || ' ' || CAST(accrued_minor AS TEXT) AS value FROM incentive_period ORDER BY starts_on",
    );
    assert_eq!(periods, ["95000 1900", "0 0"]);
    let settled = world.settles(programme.id, month, 10).unwrap();
    assert_eq!(settled.periods.len(), 1);
    world.adds_up();
}

fn a_refund_gives_back_the_fare_that_it_refunds(engine: Engine) {
    let world = World::trading(engine);
    world.agrees_on_two_percent(Funder::Airline);
    let before = world.incentive(world.agency);
    let sold = world.sells(world.order().flown_by("DZ", 'K'));
    world.counts_incentives();
    // The airline keeps a penalty; the fare does not count any more.
    world.gives_back(&wish(&sold, RefundKind::Voluntary));
    world.counts_incentives();
    assert_eq!(world.incentive_lines(), ["issue 95000 1900", "refund -95000 -1900"]);
    assert_eq!(world.incentive(world.agency), before);
    world.adds_up();
}

fn every_rule_of_the_incentives_finds_a_row_that_breaks_it(engine: Engine) {
    let history = || {
        let world = World::trading(engine);
        let funded = world.agrees_on_two_percent(Funder::Airline);
        world.agrees_on_two_percent(Funder::Platform);
        let month = this_month(&world);
        let voided = world.sells(world.order());
        world.voids(&voided);
        world.sells(world.order());
        world.the_month_passes();
        world.counts_incentives();
        world.settles(funded.id, month, 10).unwrap();
        world.adds_up();
        world
    };
    let cases = [
        ("UPDATE incentive_period SET measured = measured + 1", "what its lines add up to"),
        ("UPDATE incentive_period SET accrued_minor = accrued_minor + 1 WHERE settled_at IS NULL", "what its lines add up to"),
        ("UPDATE incentive_period SET settled_at = created_at", "owed as incentive"),
        ("UPDATE incentive_accrual SET posting_id = 7", "booked with its own amount"),
        ("UPDATE incentive_accrual SET ticket_id = 7 WHERE kind = 'issue'", "the ticket's own size"),
        (
            "UPDATE incentive_accrual SET measured = measured - 1 WHERE kind = 'issue';
          UPDATE incentive_period SET measured = measured - 2",
            "the ticket's own size",
        ),
        ("UPDATE account SET balance_minor = balance_minor + 1 WHERE code = 'platform.incentive_expense'", "cost the platform"),
        ("UPDATE account SET balance_minor = balance_minor + 1 WHERE code = 'agency.incentive'", "owed as incentive"),
        ("DELETE FROM airline_claim", "open claims"),
        ("UPDATE incentive_tier SET rate = '0.03'", "the reward of what is left"),
    ];
    for (change, rule) in cases {
        let world = history();
        world.database.tamper("incentive_accrual", change);
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}

/// The error type is what the job logs; it is never made while periods are settled behind the count.
#[test]
fn a_late_posting_names_itself() {
    assert_eq!(IncentiveError::PeriodSettled { posting: 7 }.to_string(), "posting 7 belongs to a period that is settled");
}
