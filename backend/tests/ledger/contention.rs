//! Many at once for what is there once, through the queues of two nodes on one database.

use crate::database::Engine;
use crate::desk::{Desk, issued, refusals};
use crate::world::{World, cny};
use airsettle::credit::{facility, set_facility_limit};
use airsettle::db::{Contended, lock};
use airsettle::ids::Id;
use airsettle::ticketing::{IssueOrder, Outcome, Refusal};

on_both_engines!(
    the_same_key_a_hundred_times_is_one_sale,
    the_same_passengers_a_hundred_times_are_one_sale,
    two_nodes_that_meet_the_same_keys_in_opposite_order_sell_each_once,
    five_hundred_for_a_limit_with_room_for_one,
    five_hundred_for_a_wallet_with_money_for_one,
    five_hundred_for_the_last_seat,
    five_hundred_for_the_last_of_the_bank_line,
    a_line_that_is_lowered_with_sales_in_flight_holds_from_its_commit_on,
);

fn the_same_key_a_hundred_times_is_one_sale(engine: Engine) {
    let world = World::trading(engine);
    let order = world.order().keyed("one");
    sold_once(&world, (0..100).map(|_| order.build()).collect());
}

fn the_same_passengers_a_hundred_times_are_one_sale(engine: Engine) {
    let world = World::trading(engine);
    let order = world.order().for_passengers("zhang-on-offer-1");
    sold_once(&world, (0..100).map(|_| order.build()).collect());
}

fn sold_once(world: &World, orders: Vec<IssueOrder>) {
    let outcomes = Desk::two_nodes(world).all_at_once(orders);
    let sold = issued(&outcomes);
    assert_eq!(sold.len(), 1, "one is issued");
    let repeated =
        |outcome: &&_| matches!(outcome, Ok(Outcome::Replayed(id)) if airsettle::ids::Id::raw(*id) == sold[0].order.id);
    assert_eq!(outcomes.iter().filter(repeated).count(), 99, "the others are told which");
    assert_eq!(world.tickets(), 1);
    world.adds_up();
}

fn two_nodes_that_meet_the_same_keys_in_opposite_order_sell_each_once(engine: Engine) {
    let world = World::trading(engine);
    let keys: Vec<String> = (0..100).map(|number| format!("key-{number:03}")).collect();
    // The desk deals orders out to the nodes in turn: one gets the keys upwards, the other downwards.
    let pairs = keys.iter().zip(keys.iter().rev());
    let orders = pairs.flat_map(|(up, down)| [up, down]).map(|key| world.order().keyed(key).build()).collect();
    let outcomes = Desk::two_nodes(&world).all_at_once(orders);
    assert_eq!(issued(&outcomes).len(), 100);
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(world.tickets(), 100);
    world.adds_up();
}

fn exactly_one(world: &World, orders: Vec<IssueOrder>, because: impl Fn(&Refusal) -> bool) {
    assert_eq!(orders.len(), 500);
    let outcomes = Desk::two_nodes(world).all_at_once(orders);
    assert_eq!(issued(&outcomes).len(), 1);
    let refused = refusals(&outcomes);
    assert_eq!(refused.len(), 499);
    assert!(refused.iter().all(because), "{:?}", refused.first());
    assert_eq!(world.tickets(), 1);
    world.adds_up();
}

fn five_hundred_for_a_limit_with_room_for_one(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("1939.99");
    let orders = (0..500).map(|_| world.order().build()).collect();
    exactly_one(&world, orders, |refusal| matches!(refusal, Refusal::LimitExceeded { short_minor: 1, .. }));
    assert_eq!(world.exposure(), cny("970.00"));
}

fn five_hundred_for_a_wallet_with_money_for_one(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "1939.99");
    let orders = (0..500).map(|_| world.order().by_wallet().build()).collect();
    exactly_one(&world, orders, |refusal| matches!(refusal, Refusal::WalletInsufficient { short_minor: 1, .. }));
    assert_eq!(world.standing(world.prepaid).wallet, cny("969.99"));
}

fn five_hundred_for_the_last_seat(engine: Engine) {
    let world = World::trading(engine);
    // Both agencies want it, one on credit and one from its wallet.
    let orders = (0..250).flat_map(|_| [world.order(), world.order().by_wallet()]);
    let orders = orders.map(|order| order.on_flight(8_000, 1).build()).collect();
    exactly_one(&world, orders, |refusal| matches!(refusal, Refusal::SeatsSoldOut { left: 0, .. }));
}

fn five_hundred_for_the_last_of_the_bank_line(engine: Engine) {
    let world = World::trading(engine);
    world.sets_facility_limit("1829.99");
    let orders = (0..500).map(|_| world.order().build()).collect();
    exactly_one(&world, orders, |refusal| matches!(refusal, Refusal::FacilityExhausted { short_minor: 1, .. }));
    assert_eq!(world.line().held, cny("915.00"));
}

fn a_line_that_is_lowered_with_sales_in_flight_holds_from_its_commit_on(engine: Engine) {
    let world = World::trading(engine);
    let (answers, lowered_to) = std::thread::scope(|scope| {
        let lowering = scope.spawn(|| {
            while world.tickets() < 20 {
                std::thread::yield_now();
            }
            world.write(|tx| {
                let slice = facility(tx.db, world.facility, tx.ledger_date)?.unwrap().facility.slice;
                lock(tx, Contended::FacilitySlice, &[slice.raw()])?;
                let state = facility(tx.db, world.facility, tx.ledger_date)?.unwrap();
                Ok(set_facility_limit(tx, world.facility, state.drawn.checked_add(state.held)?)?.limit)
            })
        });
        let desk = Desk::two_nodes(&world);
        let mut answers = Vec::new();
        for _ in 0..30 {
            answers.extend(desk.all_at_once((0..20).map(|_| world.order().build()).collect()));
        }
        (answers, lowering.join().unwrap())
    });
    let line = world.line();
    assert_eq!(line.drawn.checked_add(line.held).unwrap(), lowered_to, "nothing was held after it");
    let refused = refusals(&answers);
    assert_eq!(issued(&answers).len() + refused.len(), 600);
    assert!(!refused.is_empty() && refused.iter().all(|refusal| matches!(refusal, Refusal::FacilityExhausted { .. })));
    world.adds_up();
}
