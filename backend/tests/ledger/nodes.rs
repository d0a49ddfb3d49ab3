//! Node numbers: never shared while they are leased, and ids that go on where they stopped.

use crate::database::{Database, Engine};
use crate::world::World;
use airsettle::clock::Clock;
use airsettle::db::{DbError, Store};
use airsettle::ids::{OrderId, node_of};
use std::collections::BTreeSet;

/// On SQLite no session outlives its process's turn.
#[test]
fn a_number_whose_holder_stands_still_is_left_to_it() {
    let database = Database::migrated(Engine::Postgres);
    let frozen = database.open(Clock::system());
    assert_eq!(frozen.node(), 0);
    database.as_owner("UPDATE node SET leased_until = leased_until - interval '1 day'").unwrap();
    let other = database.open(Clock::system());
    assert_eq!(other.node(), 1, "0 has run out, and whoever had it may still have a COMMIT on its way");
    store_is_usable(&frozen);
    store_is_usable(&other);
}

on_both_engines!(
    two_processes_on_one_database_are_two_nodes,
    processes_that_start_at_once_get_different_numbers,
    a_number_that_was_given_back_is_used_again_and_its_ids_go_on,
    two_nodes_sell_side_by_side,
);

fn ids_of(store: &Store, count: usize) -> Vec<i64> {
    (0..count).map(|_| airsettle::ids::Id::raw(store.ids().next::<OrderId>())).collect()
}

fn two_processes_on_one_database_are_two_nodes(engine: Engine) {
    let database = Database::migrated(engine);
    let (one, other) = (database.open(Clock::system()), database.open(Clock::system()));
    assert_ne!(one.node(), other.node());
    let (mine, theirs) = (ids_of(&one, 5_000), ids_of(&other, 5_000));
    assert!(mine.iter().all(|id| node_of(*id) == one.node()));
    let all: BTreeSet<i64> = mine.iter().chain(&theirs).copied().collect();
    assert_eq!(all.len(), 10_000);
}

fn processes_that_start_at_once_get_different_numbers(engine: Engine) {
    let database = Database::migrated(engine);
    let stores: Vec<Store> = std::thread::scope(|scope| {
        let starting: Vec<_> = (0..8).map(|_| scope.spawn(|| database.open(Clock::system()))).collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let numbers: BTreeSet<u16> = stores.iter().map(Store::node).collect();
    assert_eq!(numbers, (0..8).collect());
}

fn a_number_that_was_given_back_is_used_again_and_its_ids_go_on(engine: Engine) {
    let database = Database::migrated(engine);
    let staying = database.open(Clock::system());
    let mut last = 0;
    for _ in 0..3 {
        let store = database.open(Clock::system());
        assert_eq!(store.node(), 1, "number {} is still leased", staying.node());
        let ids = ids_of(&store, 20_000);
        assert!(ids[0] > last, "ids of a number only grow, whoever holds it");
        assert!(ids.is_sorted());
        last = ids[ids.len() - 1];
    }
    store_is_usable(&staying);
}

fn store_is_usable(store: &Store) {
    store.write(|_| Ok::<_, DbError>(())).unwrap();
}

fn two_nodes_sell_side_by_side(engine: Engine) {
    let world = World::trading(engine);
    let first = world.sells(world.order()).order.id;
    let world = world.seen_from_another_node();
    let second = world.sells(world.order()).order.id;
    assert_ne!(node_of(first), node_of(second));
    world.sells(world.order().by_wallet());
    assert_eq!(world.tickets(), 3);
    world.adds_up();
}
