//! The queue: bounds, deadlines, and a batch with one order that the database refuses.

use crate::database::Engine;
use crate::desk::{Answer, Desk, block_on, issued};
use crate::world::{Anything, World};
use airsettle::identity::{Fate, fate};
use airsettle::ids::Id;
use airsettle::money::{Currency, Money};
use airsettle::ticketing::{IssueOrder, IssueQueue, Outcome, QueueConfig, QueueError};
use futures_util::future::{join, join_all};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};
use std::time::Duration;
use tokio::sync::oneshot;

on_both_engines!(
    a_full_queue_says_so,
    what_waited_too_long_is_never_done,
    what_was_begun_and_hangs_is_not_known_yet_and_what_was_not_begun_never_happens,
    a_poisoned_order_fails_alone,
    what_does_not_fit_fails_alone,
    every_commit_that_sold_is_announced,
    a_queue_that_is_dropped_finishes_what_it_took,
);

/// The answers to orders that all came while the node's writer was busy with something else.
fn ordered_while_the_writer_is_busy(world: &World, desk: &Desk, orders: Vec<IssueOrder>) -> Vec<Answer> {
    let busy = Barrier::new(2);
    let (release, released) = oneshot::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            world.write(|_| {
                busy.wait();
                released.blocking_recv().map_err(Anything::from)
            });
        });
        busy.wait();
        let waiting = orders.into_iter().map(|order| desk.issue(order));
        // Polled once, each is in the queue or turned away; then the writer is free.
        block_on(join(join_all(waiting), async { release.send(()).unwrap() })).0
    })
}

fn a_full_queue_says_so(engine: Engine) {
    let world = World::trading(engine);
    let desk = Desk::with(&world, QueueConfig { capacity: 4, batch: 2, ..QueueConfig::default() });
    let orders = (0..20).map(|_| world.order().build()).collect();
    let answers = ordered_while_the_writer_is_busy(&world, &desk, orders);
    let full = answers.iter().filter(|answer| matches!(answer, Err(QueueError::Full))).count();
    // Four wait, and up to two may have been taken out for the batch that waits for the writer.
    assert!((14..=16).contains(&full), "{full} of 20 were turned away");
    assert_eq!(issued(&answers).len(), 20 - full);
    assert_eq!(world.tickets(), i64::try_from(20 - full).unwrap());
    world.adds_up();
}

fn what_waited_too_long_is_never_done(engine: Engine) {
    let world = World::trading(engine);
    let desk = Desk::with(&world, QueueConfig { patience: Duration::ZERO, ..QueueConfig::default() });
    let orders = (0..10).map(|number| world.order().keyed(&format!("late-{number}")).build()).collect();
    let rows = world.row_counts();
    let answers = ordered_while_the_writer_is_busy(&world, &desk, orders);
    assert!(answers.iter().all(|answer| matches!(answer, Err(QueueError::DeadlineExceeded))), "{answers:?}");
    drop(desk);
    assert_eq!(world.row_counts(), rows);
    // The key was not used up.
    world.sells(world.order().keyed("late-0"));
}

fn what_was_begun_and_hangs_is_not_known_yet_and_what_was_not_begun_never_happens(engine: Engine) {
    let world = World::trading(engine);
    let (patience, pursuit) = (Duration::from_millis(100), Duration::from_millis(200));
    let desk = Desk::with(&world, QueueConfig { batch: 1, patience, pursuit, ..QueueConfig::default() });
    let orders = vec![world.order().keyed("begun").build(), world.order().keyed("waiting").build()];
    let claims: Vec<i64> = orders.iter().map(|order| order.claim).collect();
    let busy = Barrier::new(2);
    let (release, released) = oneshot::channel::<()>();
    let answers = std::thread::scope(|scope| {
        scope.spawn(|| {
            world.write(|_| {
                busy.wait();
                released.blocking_recv().map_err(Anything::from)
            });
        });
        busy.wait();
        // The writer is not free before both were answered.
        let answers = desk.all_at_once(orders);
        release.send(()).unwrap();
        answers
    });
    assert!(matches!(answers[0], Err(QueueError::OutcomeUnknown { claim }) if claim == claims[0]), "{answers:?}");
    assert!(matches!(answers[1], Err(QueueError::DeadlineExceeded)), "{answers:?}");
    drop(desk);
    while Arc::strong_count(&world.store) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(world.tickets(), 1, "the one that was begun was sold, and the other not");
    let fate_of = |claim: i64| world.read(|db| fate(db, claim, world.seller.raw()));
    assert!(matches!(fate_of(claims[0]), Fate::Committed(row) if row.resource_id.is_some()));
    assert_eq!(fate_of(claims[1]), Fate::Open, "for all that the database knows it may still come");
    assert_eq!(fate_of(9), Fate::Nothing, "an old one that is not there never will be");
    world.sells(world.order().keyed("waiting"));
    world.adds_up();
}

/// An order that passes every rule and that the database refuses: there is no such kind of passenger.
fn poisoned(world: &World) -> IssueOrder {
    let mut order = world.order().keyed("poison").build();
    order.tickets[0].passenger.kind = "ghost".into();
    order
}

fn a_poisoned_order_fails_alone(engine: Engine) {
    let world = World::trading(engine);
    for place in [0, 50, 99] {
        let sold_before = world.tickets();
        let mut orders: Vec<IssueOrder> = (0..99).map(|_| world.order().build()).collect();
        orders.insert(place, poisoned(&world));
        let answers = Desk::one_node(&world).all_at_once(orders);
        for (index, answer) in answers.iter().enumerate() {
            match answer {
                Err(QueueError::Internal) => assert_eq!(index, place),
                Ok(Outcome::Issued(_)) => assert_ne!(index, place),
                other => panic!("order {index}: {other:?}"),
            }
        }
        assert_eq!(world.tickets(), sold_before + 99);
        assert_eq!(world.number("SELECT COUNT(*) AS value FROM idempotency_key WHERE key = 'k:poison'"), 0);
        world.adds_up();
    }
}

fn what_does_not_fit_fails_alone(engine: Engine) {
    let world = World::trading(engine);
    let dear = world.order().fare(Money::new(i64::MAX / 2, Currency::CNY)).tickets(3);
    let mut crooked = world.order().build();
    crooked.tickets[0].split.airline.minor += 1;
    let answers = Desk::one_node(&world).all_at_once(vec![
        world.order().build(),
        dear.build(),
        world.order().build(),
        crooked,
        world.order().by_wallet().build(),
    ]);
    assert!(matches!(answers[1], Err(QueueError::Internal)), "three prices do not fit one sum");
    assert!(matches!(answers[3], Err(QueueError::Internal)), "legs that do not add up are not booked");
    assert_eq!(issued(&answers).len(), 3);
    assert_eq!(world.tickets(), 3);
    world.adds_up();
}

fn every_commit_that_sold_is_announced(engine: Engine) {
    let world = World::trading(engine);
    let told = Arc::new(AtomicUsize::new(0));
    let telling = told.clone();
    let announce = move || {
        telling.fetch_add(1, Ordering::SeqCst);
    };
    let queue = IssueQueue::start(world.store.clone(), world.memory(), QueueConfig::default(), announce).unwrap();
    let desk = Desk::of(queue);
    desk.all_at_once(vec![world.order().build()]);
    desk.all_at_once(vec![world.order().on_flight(8_001, 0).build()]);
    desk.all_at_once(vec![world.order().build()]);
    drop(desk);
    // The worker announces after it has answered: wait for it to end.
    while Arc::strong_count(&told) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(told.load(Ordering::SeqCst), 2, "a refusal is nothing to announce");
}

fn a_queue_that_is_dropped_finishes_what_it_took(engine: Engine) {
    let world = World::trading(engine);
    let queue = IssueQueue::start(world.store.clone(), world.memory(), QueueConfig::default(), || {}).unwrap();
    let orders: Vec<IssueOrder> = (0..50).map(|_| world.order().build()).collect();
    let mut waiting: Vec<_> = orders.into_iter().map(|order| Box::pin(queue.issue(order))).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _time = runtime.enter();
    // Polled once, every order is taken; then all clients hang up and the queue is closed.
    for order in &mut waiting {
        assert!(order.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    drop(waiting);
    drop(queue);
    while Arc::strong_count(&world.store) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(world.tickets(), 50);
    world.adds_up();
}
