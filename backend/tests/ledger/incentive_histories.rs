//! Random histories of sales, voids, days that pass, counts and settlements: what is accrued is what the tickets alone are worth.

use crate::database::Engine;
use crate::incentives::{new_programme, this_month};
use crate::world::{World, cny};
use airsettle::ids::Id;
use airsettle::money::{Currency, Money};
use airsettle::settlement::{
    Funder, Measure, Method, NewProgramme, Period, PeriodLength, Programme, Progress, TierReward, programme, reward,
};
use airsettle::ticketing::IssuedOrder;
use chrono::{Duration, NaiveDate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

on_both_engines!(random_histories_accrue_what_their_tickets_are_worth);

#[derive(Clone, Debug)]
enum Move {
    Sell(i64, bool, usize),
    Void(usize),
    Count,
    DaysPass(i64),
    Settle,
}

fn any_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        8 => (2_000i64..300_000, any::<bool>(), 1..3usize).prop_map(|(fare, wallet, tickets)| Move::Sell(fare, wallet, tickets)),
        4 => (0..4usize).prop_map(Move::Void),
        3 => Just(Move::Count),
        2 => (1i64..20).prop_map(Move::DaysPass),
        1 => Just(Move::Settle),
    ]
}

/// What a programme owes each agency in each period, from the tickets and voids alone.
fn worth(world: &World, programme: &Programme) -> Vec<(i64, NaiveDate, i64)> {
    let net = world.texts(
        "SELECT CAST(t.agency_id AS TEXT) || ' ' || CAST(p.ledger_date AS TEXT) || ' ' || CAST(CASE p.event WHEN 'ticket_sale' THEN 1 ELSE -1 END AS TEXT)
            || ' ' || CAST(t.base_minor AS TEXT) AS value FROM posting p JOIN ticket t ON t.id = p.reference_id
         WHERE p.event IN ('ticket_sale', 'ticket_void') ORDER BY p.id",
    );
    let mut measured: BTreeMap<(i64, NaiveDate), i64> = BTreeMap::new();
    for line in net {
        let parts: Vec<&str> = line.split(' ').collect();
        let date: NaiveDate = parts[1].parse().unwrap();
        let size = if programme.measure == Measure::Fare { parts[3].parse::<i64>().unwrap() } else { 1 };
        let sum = measured.entry((parts[0].parse().unwrap(), Period::of(date, programme.period).starts_on)).or_default();
        *sum += parts[2].parse::<i64>().unwrap() * size;
    }
    let zero = Money::zero(Currency::CNY);
    let owed = |measured| reward(&programme.tiers, programme.method, &Progress { measured, accrued: zero }).unwrap().minor;
    measured.into_iter().map(|((agency, starts_on), measured)| (agency, starts_on, owed(measured))).collect()
}

fn accrued(world: &World, programme: &Programme) -> Vec<(i64, NaiveDate, i64)> {
    let rows = world.texts(&format!(
        "SELECT CAST(agency_id AS TEXT) || ' ' || CAST(starts_on AS TEXT) || ' ' || CAST(accrued_minor AS TEXT) AS value FROM incentive_period
         WHERE programme_id = {} ORDER BY agency_id, starts_on",
        programme.id.raw()
    ));
    let row = |line: String| {
        let parts: Vec<&str> = line.split(' ').collect();
        (parts[0].parse().unwrap(), parts[1].parse().unwrap(), parts[2].parse().unwrap())
    };
    rows.into_iter().map(row).collect()
}

fn random_histories_accrue_what_their_tickets_are_worth(engine: Engine) {
    let mut runner = TestRunner::new(Config { cases: 4, failure_persistence: None, ..Config::default() });
    let retroactive = any::<[bool; 2]>();
    runner
        .run(&(prop::collection::vec(any_move(), 10..40), retroactive), |(moves, retroactive)| {
            let world = World::trading(engine);
            world.early_in_the_month();
            let method = |back| if back { Method::RetroactiveToFirst } else { Method::Incremental };
            let tiers = [("0", "0.0111"), ("2500.00", "0.0234"), ("9000.00", "0.05")];
            let by_fare = world.agrees(&new_programme(&world, Funder::Airline, method(retroactive[0]), &tiers));
            let per_ticket = vec![(2, TierReward::PerTicket(cny("3.33"))), (5, TierReward::PerTicket(cny("7.77")))];
            let by_ticket = new_programme(&world, Funder::Platform, method(retroactive[1]), &[]);
            let by_ticket =
                NewProgramme { measure: Measure::Tickets, period: PeriodLength::Quarter, tiers: per_ticket, ..by_ticket };
            let by_ticket = world.agrees(&by_ticket);
            let mut today: Vec<IssuedOrder> = Vec::new();
            for one in moves {
                match one {
                    Move::Sell(fare, wallet, tickets) => {
                        let order = world.order().fare(Money::new(fare, Currency::CNY)).tickets(tickets);
                        today.push(world.sells(if wallet { order.by_wallet() } else { order }));
                    }
                    Move::Void(back) if back < today.len() => {
                        let sold = today.remove(today.len() - 1 - back);
                        world.voids(&sold);
                    }
                    Move::Void(_) => {}
                    Move::Count => drop(world.counts_incentives()),
                    Move::DaysPass(days) => {
                        world.pays_the_airlines();
                        world.time_passes(Duration::days(days));
                        today.clear();
                    }
                    Move::Settle => {
                        world.counts_incentives();
                        let last_month = Period::of(this_month(&world).starts_on.pred_opt().unwrap(), PeriodLength::Month);
                        drop(world.settles(by_fare.id, last_month, 1));
                    }
                }
            }
            world.counts_incentives();
            for agreed in [&by_fare, &by_ticket] {
                prop_assert_eq!(accrued(&world, agreed), worth(&world, agreed));
                prop_assert_eq!(&world.read(|db| programme(db, agreed.id)).unwrap().tiers, &agreed.tiers);
            }
            world.adds_up();
            Ok(())
        })
        .unwrap();
}
