//! A dry run: the same decision, and nothing happens.

use crate::database::Engine;
use crate::world::World;
use airsettle::ticketing::{IssueOrder, Mode, Outcome, issue_all};

on_both_engines!(a_dry_run_decides_the_same_and_changes_nothing, a_dry_run_neither_takes_nor_remembers_a_key);

impl World {
    pub fn rehearses(&self, orders: &[IssueOrder]) -> Vec<Outcome> {
        self.store.rehearse(|tx| issue_all(tx, (&self.chart, &self.velocity), orders, Mode::DryRun)).unwrap()
    }
}

/// What was decided, in words that do not contain ids.
fn decision(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Issued(issued) => {
            let numbers: Vec<&str> = issued.tickets.iter().map(|ticket| ticket.number.as_str()).collect();
            format!("{} {} {}", issued.order.tender.as_deref().unwrap(), issued.order.total_minor, numbers.join(" "))
        }
        other => format!("{other:?}"),
    }
}

fn a_dry_run_decides_the_same_and_changes_nothing(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("1940.00");
    world.tops_up(world.prepaid, "970.00");
    let orders: Vec<IssueOrder> = [
        world.order(),
        world.order().by_wallet(),
        world.order().tickets(2),
        world.order().on_flight(8_000, 1),
        world.order().by_wallet(),
        world.order(),
    ]
    .map(|order| order.build())
    .into();
    let (rows, balances) = (world.row_counts(), world.balances());
    let rehearsed: Vec<String> = world.rehearses(&orders).iter().map(decision).collect();
    assert_eq!(rehearsed.iter().filter(|text| text.starts_with("credit") || text.starts_with("wallet")).count(), 3);
    assert_eq!((world.row_counts(), world.balances()), (rows, balances));
    let sold: Vec<String> = world.issues(&orders).iter().map(decision).collect();
    assert_eq!(sold, rehearsed);
    world.adds_up();
}

fn a_dry_run_neither_takes_nor_remembers_a_key(engine: Engine) {
    let world = World::on(engine);
    let order = world.order().keyed("one");
    assert!(matches!(world.rehearses(&[order.build()])[..], [Outcome::Refused(_)]));
    world.lodges_deposit("1940.00");
    assert!(matches!(world.rehearses(&[order.build()])[..], [Outcome::Issued(_)]));
    world.sells(order.clone());
    // Under a key that exists, a dry run says what a new order would meet.
    assert!(matches!(world.rehearses(&[order.build()])[..], [Outcome::Issued(_)]));
    assert_eq!(world.tickets(), 1);
}
