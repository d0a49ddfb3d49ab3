//! One effect per idempotency key.

use crate::database::Engine;
use crate::world::World;
use airsettle::ids::{Id, OrderId};
use airsettle::ordering::order as order_row;
use airsettle::ticketing::{IssueOrder, Outcome};

on_both_engines!(
    a_repeated_order_is_the_first_one,
    another_body_under_the_same_key_names_the_field,
    the_same_key_twice_in_one_batch_is_one_sale,
    a_refusal_is_repeated_within_a_batch,
    keys_of_two_organisations_are_apart,
    a_client_cannot_name_a_business_key,
    the_same_command_again_gets_its_own_order_back,
);

fn replayed(outcome: Outcome) -> OrderId {
    match outcome {
        Outcome::Replayed(id) => id,
        other => panic!("not replayed: {other:?}"),
    }
}

fn reused_field(outcome: Outcome) -> String {
    match outcome {
        Outcome::KeyReused { field } => field,
        other => panic!("not recognised as another body: {other:?}"),
    }
}

fn a_repeated_order_is_the_first_one(engine: Engine) {
    let world = World::trading(engine);
    for order in [world.order().keyed("one"), world.order().for_passengers("zhang-on-offer-1")] {
        let first = world.sells(order.clone());
        let rows = world.row_counts();
        for _ in 0..3 {
            assert_eq!(replayed(world.issue(order.clone())).raw(), first.order.id);
        }
        assert_eq!(world.row_counts(), rows);
    }
    world.adds_up();
}

fn another_body_under_the_same_key_names_the_field(engine: Engine) {
    let world = World::trading(engine);
    world.sells(world.order().keyed("one").with_body("zhang"));
    let rows = world.row_counts();
    assert_eq!(reused_field(world.issue(world.order().keyed("one").with_body("wang"))), "passengers");
    assert_eq!(world.row_counts(), rows);
    // A refused key is used up in the same way.
    world.refuses(world.order().keyed("two").with_body("zhang").on_flight(8_001, 0));
    assert_eq!(reused_field(world.issue(world.order().keyed("two").with_body("wang"))), "passengers");
}

fn the_same_key_twice_in_one_batch_is_one_sale(engine: Engine) {
    let world = World::trading(engine);
    let once = world.order().keyed("one");
    let batch: Vec<IssueOrder> = vec![
        world.order().into(),
        once.clone().into(),
        once.clone().into(),
        once.clone().with_body("wang").into(),
        world.order().for_passengers("zhang-on-offer-1").into(),
        world.order().for_passengers("zhang-on-offer-1").into(),
        once.into(),
    ];
    let outcomes = world.issues(&batch);
    let issued = |index: usize| match &outcomes[index] {
        Outcome::Issued(issued) => OrderId::of(issued.order.id),
        other => panic!("order {index} not issued: {other:?}"),
    };
    issued(0);
    assert_eq!(replayed(outcomes[2].clone()), issued(1));
    assert_eq!(reused_field(outcomes[3].clone()), "passengers");
    assert_eq!(replayed(outcomes[5].clone()), issued(4));
    assert_eq!(replayed(outcomes[6].clone()), issued(1));
    assert_eq!(world.tickets(), 3);
    world.adds_up();
}

fn a_refusal_is_repeated_within_a_batch(engine: Engine) {
    let world = World::on(engine);
    let refused = world.order().keyed("one");
    let outcomes = world.issues(&[refused.build(), refused.build()]);
    let (Outcome::Refused(first), Outcome::RefusedBefore(second)) = (&outcomes[0], &outcomes[1]) else {
        panic!("{outcomes:?}");
    };
    assert_eq!(first, second);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM idempotency_key"), 1);
    let without_key = world.order().for_passengers("zhang-on-offer-1");
    world.issues(&[without_key.build(), without_key.build()]);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM idempotency_key"), 1, "a business key is free again");
}

fn keys_of_two_organisations_are_apart(engine: Engine) {
    let world = World::trading(engine);
    let mine = world.sells(world.order().keyed("one"));
    let other_organisation = airsettle::ids::OrganisationId::of(world.seller.raw() + 1);
    let theirs = world.sells(IssueOrder { organisation: other_organisation, ..world.order().keyed("one").build() });
    assert_ne!(mine.order.id, theirs.order.id);
    // In one batch as well.
    let batch = [
        world.order().keyed("two").build(),
        IssueOrder { organisation: other_organisation, ..world.order().keyed("two").build() },
    ];
    assert!(world.issues(&batch).iter().all(|outcome| matches!(outcome, Outcome::Issued(_))));
}

fn a_client_cannot_name_a_business_key(engine: Engine) {
    let world = World::trading(engine);
    let first = world.sells(world.order().for_passengers("zhang-on-offer-1"));
    let second = world.sells(world.order().keyed("b:zhang-on-offer-1"));
    let third = world.sells(world.order().keyed("zhang-on-offer-1"));
    assert_ne!(first.order.id, second.order.id);
    assert_ne!(second.order.id, third.order.id);
}

/// What the queue does when it does not know whether a COMMIT got through.
fn the_same_command_again_gets_its_own_order_back(engine: Engine) {
    let world = World::trading(engine);
    for order in [world.order().keyed("one").tickets(3), world.order().by_wallet().tickets(2)] {
        let command = order.build();
        let first = world.sells(command.clone());
        let rows = world.row_counts();
        assert_eq!(world.sells(command), first, "everything that was issued, read back");
        assert_eq!(world.row_counts(), rows);
        let row = world.read(|db| order_row(db, OrderId::of(first.order.id))).unwrap();
        assert_eq!(row, first.order);
    }
}
