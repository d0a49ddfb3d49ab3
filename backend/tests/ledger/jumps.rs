//! Clocks that jump: a day forward, a day back, over midnight, over a leap day. No id is given out twice, nothing is booked on a day that is over for the
//! ledger, and no day of interest is counted twice.

use crate::bank::settled;
use crate::database::Engine;
use crate::order::Order;
use crate::world::World;
use airsettle::clock::{Clock, Timestamp};
use airsettle::ledger::Chart;
use chrono::{Duration, NaiveDate, NaiveDateTime};
use std::sync::Arc;

on_both_engines!(
    a_clock_that_goes_a_day_forward_and_back_repeats_nothing,
    midnight_is_the_operators_and_a_cycle_is_that_of_the_point_of_sale,
    a_leap_day_is_a_day,
);

/// A process that comes after this one, whose clock is so far ahead of the machine's.
fn succeeded_by(world: World, ahead: Duration) -> World {
    let clock = Clock::settable(ahead);
    let store = Arc::new(world.database.open(clock.clone()));
    World { store, clock, chart: Arc::new(Chart::default()), ..world }
}

/// An advance that stays open would close the bank line while time jumps.
fn sells_and_pays(world: &World, order: Order<'_>) {
    let advance = world.advance_of(&world.sells(order));
    world.sends(&advance);
    world.bank_says(&[settled(&advance)]);
}

fn dates(world: &World) -> Vec<String> {
    world.texts("SELECT CAST(ledger_date AS TEXT) AS value FROM posting WHERE event = 'ticket_sale' ORDER BY id")
}

fn a_clock_that_goes_a_day_forward_and_back_repeats_nothing(engine: Engine) {
    let world = World::trading(engine);
    let today = world.today();
    sells_and_pays(&world, world.order());
    let days = [Duration::days(1), Duration::zero(), Duration::days(3), Duration::zero()];
    let mut world = world;
    for ahead in days {
        world = succeeded_by(world, ahead);
        sells_and_pays(&world, world.order());
        sells_and_pays(&world, world.order().by_wallet());
        world.accrues(None).unwrap();
        world.adds_up();
    }
    let booked = [0, 1, 1, 1, 1, 3, 3, 3, 3].map(|ahead| (today + Duration::days(ahead)).to_string());
    assert_eq!(dates(&world), booked, "a day that is over is not booked on again");
    // Days that were accrued while the clock was ahead are not accrued again, with the balance that each of them closed with.
    let accrued = world.texts("SELECT CAST(day AS TEXT) AS value FROM facility_accrual ORDER BY day");
    let ended: Vec<String> = (0..3).map(|day| (today + Duration::days(day)).to_string()).collect();
    assert_eq!(accrued, ended);
    let balances = world.numbers("SELECT balance_minor AS value FROM facility_accrual ORDER BY day");
    assert_eq!(balances, [91_500, 3 * 91_500, 3 * 91_500]);
    assert_eq!(world.tickets(), 9);
    assert_eq!(world.number("SELECT COUNT(DISTINCT number) AS value FROM ticket"), 9);
}

/// An instant by the wall clock of Beijing.
fn beijing(text: &str) -> Timestamp {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap();
    Timestamp::from(local - Duration::hours(8))
}

fn cycles(world: &World) -> Vec<String> {
    let of_sales = "SELECT e.cycle AS value FROM entry e JOIN account a ON a.id = e.account_id
        WHERE a.code = 'agency.receivable' AND e.cycle IS NOT NULL ORDER BY e.id";
    world.texts(of_sales)
}

fn midnight_is_the_operators_and_a_cycle_is_that_of_the_point_of_sale(engine: Engine) {
    let world = World::trading(engine);
    for (at, date, cycle) in [
        ("2027-04-15 23:59:30", "2027-04-15", "2027-04-H1"),
        ("2027-04-16 00:00:00", "2027-04-16", "2027-04-H2"),
        ("2027-04-30 23:59:30", "2027-04-30", "2027-04-H2"),
        ("2027-05-01 00:00:00", "2027-05-01", "2027-05-H1"),
        ("2027-12-31 23:59:30", "2027-12-31", "2027-12-H2"),
        ("2028-01-01 00:00:00", "2028-01-01", "2028-01-H1"),
    ] {
        world.clock.set(beijing(at)).unwrap();
        sells_and_pays(&world, world.order());
        assert_eq!((dates(&world).pop().unwrap().as_str(), cycles(&world).pop().unwrap().as_str()), (date, cycle), "at {at}");
    }
    world.adds_up();
}

fn a_leap_day_is_a_day(engine: Engine) {
    let world = World::trading(engine);
    world.clock.set(beijing("2028-02-28 12:00:00")).unwrap();
    sells_and_pays(&world, world.order());
    for day in ["2028-02-29", "2028-03-01"] {
        world.clock.set(beijing(&format!("{day} 12:00:00"))).unwrap();
        sells_and_pays(&world, world.order());
        let made = world.accrues(None).unwrap();
        let over: NaiveDate = day.parse::<NaiveDate>().unwrap() - Duration::days(1);
        assert_eq!(made.iter().map(|accrual| accrual.day).collect::<Vec<_>>(), [over]);
    }
    assert_eq!(dates(&world), ["2028-02-28", "2028-02-29", "2028-03-01"]);
    assert_eq!(cycles(&world), ["2028-02-H2", "2028-02-H2", "2028-03-H1"]);
    world.adds_up();
}
