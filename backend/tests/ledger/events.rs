//! Events: one per cause, in the commit of the cause, gapless per object, and never missed by who reads on.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::clock::Clock;
use airsettle::credit::{close_facility_by_hand, reopen_facility, set_facility_limit};
use airsettle::db::{DbError, Store};
use airsettle::ids::{AdvanceId, FacilityId, Id, OrderId, OrganisationId};
use airsettle::notify::{EventRow, EventType, FeedFilter, NewEvent, emit, feed_after, operator_feed, publish};
use airsettle::ticketing::{Mode, issue_all};
use std::sync::mpsc::channel;

on_both_engines!(
    a_sale_is_told_to_its_agency_its_airline_and_the_operator,
    a_sale_that_does_not_happen_tells_nothing,
    a_ticket_that_is_voided_tells_of_its_end,
    events_of_an_object_are_counted_without_gaps,
    an_event_that_commits_late_with_an_earlier_id_is_not_missed,
    two_nodes_publish_every_event_once,
    the_same_thing_changed_on_two_nodes_is_told_in_order,
);

fn feed(world: &World, organisation: OrganisationId) -> Vec<(i64, EventRow)> {
    let filter = FeedFilter { organisation, agency: None, kinds: Vec::new() };
    world.read(|db| feed_after(db, &filter, 0, 10_000))
}

fn kinds(feed: &[(i64, EventRow)]) -> Vec<&str> {
    feed.iter().map(|(_, event)| event.kind.as_str()).collect()
}

fn publish_all(store: &Store) -> usize {
    std::iter::from_fn(|| Some(publish(store).unwrap()).filter(|published| *published > 0)).sum()
}

fn carrier(world: &World) -> OrganisationId {
    let id = world.number("SELECT organisation_id AS value FROM airline");
    OrganisationId::of(id)
}

fn bank(world: &World) -> OrganisationId {
    world.line().facility.bank
}

fn a_sale_is_told_to_its_agency_its_airline_and_the_operator(engine: Engine) {
    let world = World::trading(engine);
    publish_all(&world.store);
    let before = feed(&world, operator_feed()).len();
    let issued = world.sells(world.order());
    assert_eq!(feed(&world, operator_feed()).len(), before, "an event is seen when it is published");
    assert_eq!(publish_all(&world.store), 1);
    let order = OrderId::of(issued.order.id).to_string();
    for organisation in [operator_feed(), world.seller, carrier(&world)] {
        let (_, event) = feed(&world, organisation).pop().unwrap();
        assert_eq!((event.kind.as_str(), event.object_id.as_str(), event.sequence), ("order.created", order.as_str(), 1));
        assert_eq!(event.object()["airline_id"], world.airline.to_string());
    }
    assert!(!kinds(&feed(&world, bank(&world))).contains(&"order.created"), "a bank is not told who travels");
    assert!(!kinds(&feed(&world, carrier(&world))).contains(&"deposit.received"), "nor an airline what an agency lodged");
}

fn a_sale_that_does_not_happen_tells_nothing(engine: Engine) {
    let world = World::on(engine);
    let before = world.number("SELECT COUNT(*) AS value FROM event");
    world.refuses(world.order());
    let order = [world.order().build()];
    world.lodges_deposit("1000000.00");
    world.store.rehearse(|tx| issue_all(tx, (&world.chart, &world.velocity), &order, Mode::DryRun)).unwrap();
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM event"), before + 1, "the deposit alone");
}

fn a_ticket_that_is_voided_tells_of_its_end(engine: Engine) {
    let world = World::trading(engine);
    let issued = world.sells(world.order());
    world.voids(&issued);
    publish_all(&world.store);
    let told = feed(&world, world.seller);
    let after_the_sale: Vec<&str> = kinds(&told).into_iter().skip_while(|kind| *kind != "order.created").collect();
    assert_eq!(after_the_sale, ["order.created", "order_cancellation.created", "order_cancellation.confirmed", "ticket.voided"]);
    let counted: Vec<i64> = told.iter().rev().take(3).map(|(_, event)| event.sequence).collect();
    assert_eq!(counted, [1, 2, 1], "the cancellation was created, then confirmed");
    let advance = feed(&world, carrier(&world)).into_iter().find(|(_, event)| event.kind == "advance.cancelled");
    assert!(AdvanceId::parse(&advance.unwrap().1.object_id).is_ok());
}

fn events_of_an_object_are_counted_without_gaps(engine: Engine) {
    let world = World::on(engine);
    let line = world.facility;
    for _ in 0..3 {
        world.write(|tx| Ok(close_facility_by_hand(tx, line, "a test")?));
        world.write(|tx| Ok(reopen_facility(tx, line)?));
    }
    // What is rolled back leaves no gap.
    let _ = world.store.rehearse(|tx| close_facility_by_hand(tx, line, "nobody hears of this"));
    world.write(|tx| Ok(set_facility_limit(tx, line, cny("5.00"))?));
    publish_all(&world.store);
    let told = feed(&world, bank(&world));
    let counted: Vec<i64> = told.iter().map(|(_, event)| event.sequence).collect();
    assert_eq!(counted, (1..=8).collect::<Vec<i64>>());
    assert_eq!(kinds(&told).last(), Some(&"facility.limit_changed"));
    let event = &told[0].1;
    let refused = world.database.as_application(&format!("UPDATE event SET sequence = 99 WHERE id = {}", event.id));
    assert!(refused.is_err() && world.database.as_application("DELETE FROM event").is_err());
}

/// A node takes an id, another one takes a later one and commits first: who reads on must see both.
fn an_event_that_commits_late_with_an_earlier_id_is_not_missed(engine: Engine) {
    let world = World::on(engine);
    let other = world.database.open(Clock::system());
    publish_all(&world.store);
    let start = feed(&world, operator_feed()).last().map_or(0, |(position, _)| *position);
    let (begun, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let (early, late) = (FacilityId::of(1_000_001), FacilityId::of(1_000_002));
    std::thread::scope(|scope| {
        let store = &world.store;
        let slow = scope.spawn(move || {
            store.write(|tx| {
                emit(tx, NewEvent::new(EventType::FacilityOpened, early))?;
                begun.send(()).unwrap();
                // SQLite has one writer: there the other node has to wait for this commit.
                if engine == Engine::Postgres {
                    may_go_on.recv().unwrap();
                }
                Ok::<_, DbError>(())
            })
        });
        has_begun.recv().unwrap();
        other.write(|tx| emit(tx, NewEvent::new(EventType::FacilityOpened, late))).unwrap();
        publish_all(&other);
        let filter = FeedFilter { organisation: operator_feed(), agency: None, kinds: Vec::new() };
        let first = world.read(|db| feed_after(db, &filter, start, 100));
        let cursor = first.last().map_or(start, |(position, _)| *position);
        assert!(first.iter().any(|(_, event)| event.object_id == late.to_string()));
        go_on.send(()).ok();
        slow.join().unwrap().unwrap();
        publish_all(&other);
        let rest = world.read(|db| feed_after(db, &filter, cursor, 100));
        let seen: Vec<&EventRow> = first.iter().chain(&rest).map(|(_, event)| event).collect();
        let of = |id: FacilityId| seen.iter().position(|event| event.object_id == id.to_string()).unwrap();
        assert_eq!(seen.len(), 2);
        if engine == Engine::Postgres {
            assert!(of(late) < of(early), "in the order of the commits");
            assert!(seen[of(early)].created_at <= seen[of(late)].created_at, "though it was written before");
        }
    });
}

fn two_nodes_publish_every_event_once(engine: Engine) {
    let world = World::on(engine);
    let other = world.database.open(Clock::system());
    std::thread::scope(|scope| {
        for (number, store) in [&*world.store, &other].into_iter().enumerate() {
            scope.spawn(move || {
                for index in 0..50 {
                    let object = FacilityId::of(2_000_000 + i64::try_from(number * 1_000).unwrap() + index);
                    store.write(|tx| emit(tx, NewEvent::new(EventType::FacilityOpened, object))).unwrap();
                }
            });
            scope.spawn(move || {
                for _ in 0..40 {
                    // The loser of a race tries again: nothing of it remains.
                    let _ = publish(store);
                }
            });
        }
    });
    publish_all(&world.store);
    publish_all(&other);
    let events = world.number("SELECT COUNT(*) AS value FROM event");
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM event_feed WHERE organisation_id = 0"), events);
    assert_eq!(world.number("SELECT COUNT(DISTINCT event_id) AS value FROM event_feed WHERE organisation_id = 0"), events);
    let positions: Vec<i64> = feed(&world, operator_feed()).iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (1..=events).collect::<Vec<i64>>());
}

fn the_same_thing_changed_on_two_nodes_is_told_in_order(engine: Engine) {
    let world = World::on(engine);
    // This node's ids run a minute ahead of the clock, as after a crash.
    let ahead = world.database.open(Clock::system());
    ahead.ids_handle().adopt(ahead.node(), chrono::Utc::now().timestamp_millis() + 60_000);
    let line = world.facility;
    for _ in 0..4 {
        ahead.write(|tx| close_facility_by_hand(tx, line, "a test")).unwrap();
        world.write(|tx| Ok(reopen_facility(tx, line)?));
    }
    publish_all(&world.store);
    let told = feed(&world, bank(&world));
    let counted: Vec<i64> = told.iter().map(|(_, event)| event.sequence).collect();
    assert_eq!(counted, (1..=9).collect::<Vec<i64>>());
    assert!(told.windows(2).any(|pair| pair[0].1.id > pair[1].1.id), "though the ids say otherwise");
}
