//! Deliveries as the database sees them: who is told, in which order, how often, and until when. The clock is set; what receivers answer is given.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::clock::Timestamp;
use airsettle::credit::{close_facility_by_hand, reopen_facility, set_facility_limit};
use airsettle::ids::{DeliveryId, Id, WebhookId};
use airsettle::notify::{
    Attempted, DeliveryFilter, DeliveryRow, DeliveryState, EventType, NewWebhook, Owner, Receiver, Sent, WebhookStatus,
    claim_deliveries, create_webhook, deliveries, delivery, due_deliveries, due_webhooks, publish, record_attempts, redeliver,
    rotate_secret, webhooks_by_id,
};
use chrono::Duration;

on_both_engines!(
    only_who_listens_is_told_and_only_of_its_own,
    what_is_claimed_is_nobody_elses_until_the_claim_runs_out,
    events_of_one_object_are_delivered_in_their_order,
    what_is_not_accepted_is_tried_for_72_hours_and_can_be_sent_again,
    a_receiver_that_fails_for_five_days_is_given_up,
    a_replaced_secret_signs_until_its_time_is_over,
);

/// A webhook of the bank, which hears of its line.
fn listening(world: &World, owner: Owner, events: &[EventType]) -> WebhookId {
    let new = NewWebhook { owner, url: "http://127.0.0.1:9/".into(), events: events.to_vec(), secret: vec![1; 32] };
    world.write(|tx| Ok(create_webhook(tx, new)?.id))
}

fn bank(world: &World) -> Owner {
    Owner { organisation: world.line().facility.bank, agency: None }
}

const LINE: [EventType; 3] = [EventType::FacilityClosed, EventType::FacilityReopened, EventType::FacilityLimitChanged];

fn published(world: &World) {
    while publish(&world.store).unwrap() > 0 {}
}

fn closes_and_reopens(world: &World) {
    let line = world.facility;
    world.write(|tx| Ok(close_facility_by_hand(tx, line, "a test")?));
    world.write(|tx| Ok(reopen_facility(tx, line)?));
    published(world);
}

fn due(world: &World, to: WebhookId) -> Vec<DeliveryRow> {
    let now = world.clock.now();
    world.read(|db| due_deliveries(db, to, now, 100)).into_iter().map(|(row, _)| row).collect()
}

fn kinds(rows: &[DeliveryRow]) -> Vec<&str> {
    rows.iter().map(|row| row.kind.as_str()).collect()
}

fn claim(world: &World, row: &DeliveryRow) -> Vec<(i64, i64)> {
    world.write(|tx| {
        let until = tx.now.plus(Duration::seconds(30));
        Ok(claim_deliveries(tx, &[row.id], until)?)
    })
}

/// One attempt that the receiver answers like this; answers what it disabled.
fn attempt(world: &World, row: &DeliveryRow, status: u16) -> Vec<WebhookId> {
    let claimed = claim(world, row);
    let [(_, attempt)] = claimed[..] else { panic!("not due: {row:?}") };
    let sent =
        Sent { status: Some(status), latency: std::time::Duration::from_millis(7), error: None, excerpt: Some("seen".into()) };
    let attempted = Attempted { delivery: row.clone(), attempt, at: world.clock.now(), sent };
    world.write(|tx| Ok(record_attempts(tx, &[attempted])?))
}

fn state(world: &World, owner: Owner, row: &DeliveryRow) -> DeliveryRow {
    world.read(|db| delivery(db, owner, DeliveryId::of(row.id))).unwrap()
}

fn only_who_listens_is_told_and_only_of_its_own(engine: Engine) {
    let world = World::trading(engine);
    let seller = Owner { organisation: world.seller, agency: None };
    let branch = Owner { organisation: world.seller, agency: Some(world.prepaid) };
    let all = [EventType::OrderCreated, EventType::FacilityClosed, EventType::PingTriggered];
    let (to_seller, to_branch, to_bank) =
        (listening(&world, seller, &all), listening(&world, branch, &all), listening(&world, bank(&world), &all));
    published(&world);
    world.sells(world.order());
    closes_and_reopens(&world);
    assert_eq!(kinds(&due(&world, to_seller)), ["order.created"]);
    assert_eq!(kinds(&due(&world, to_bank)), ["facility.closed"], "what it listens to, of its own line");
    assert!(due(&world, to_branch).is_empty(), "the other branch sold it");
    world.sells(world.order().by_wallet());
    published(&world);
    assert_eq!(kinds(&due(&world, to_branch)), ["order.created"]);
    assert_eq!(due(&world, to_seller).len(), 2);
    let seen =
        |owner| world.read(|db| deliveries(db, owner, &DeliveryFilter::default(), airsettle::db::Window::NEWEST, 100)).len();
    assert_eq!((seen(seller), seen(branch), seen(bank(&world))), (3, 1, 1), "each sees its own log");
}

fn what_is_claimed_is_nobody_elses_until_the_claim_runs_out(engine: Engine) {
    let world = World::on(engine);
    let to = listening(&world, bank(&world), &LINE);
    closes_and_reopens(&world);
    let first = due(&world, to).remove(0);
    let other = world.database.open(world.clock.clone());
    assert_eq!(claim(&world, &first), [(first.id, 1)]);
    let until = world.clock.now().plus(Duration::seconds(30));
    assert!(
        other.write(|tx| claim_deliveries(tx, &[first.id], until)).unwrap().is_empty(),
        "two nodes do not deliver it at once"
    );
    assert!(due(&world, to).is_empty(), "and nothing overtakes it");
    // The node that claimed it died between the delivery and its mark.
    world.time_passes(Duration::seconds(31));
    let until = world.clock.now().plus(Duration::seconds(30));
    assert_eq!(other.write(|tx| claim_deliveries(tx, &[first.id], until)).unwrap(), [(first.id, 2)], "at least once");
}

fn events_of_one_object_are_delivered_in_their_order(engine: Engine) {
    let world = World::on(engine);
    let second_line = world.opens_second_line("1.00");
    published(&world);
    let to = listening(&world, bank(&world), &LINE);
    closes_and_reopens(&world);
    world.write(|tx| Ok(set_facility_limit(tx, second_line, cny("2.00"))?));
    published(&world);
    let first = due(&world, to);
    assert_eq!(kinds(&first), ["facility.closed", "facility.limit_changed"], "the first of each object");
    attempt(&world, &first[0], 500);
    attempt(&world, &first[1], 200);
    assert!(due(&world, to).is_empty(), "what follows waits for what is not accepted yet");
    world.time_passes(Duration::seconds(10));
    let again = due(&world, to);
    assert_eq!(kinds(&again), ["facility.closed"]);
    attempt(&world, &again[0], 204);
    assert_eq!(kinds(&due(&world, to)), ["facility.reopened"]);
}

fn what_is_not_accepted_is_tried_for_72_hours_and_can_be_sent_again(engine: Engine) {
    let world = World::on(engine);
    let (to, owner) = (listening(&world, bank(&world), &LINE), bank(&world));
    closes_and_reopens(&world);
    let (first, begun) = (due(&world, to).remove(0), world.clock.now());
    let receiver = |world: &World| {
        let now = world.clock.now();
        world.read(|db| due_webhooks(db, now, 10)).first().map(|(_, receiver)| *receiver)
    };
    assert_eq!(receiver(&world), Some(Receiver::Working));
    let mut attempts = 0;
    while state(&world, owner, &first).state == DeliveryState::Pending.text() {
        let now = state(&world, owner, &first);
        let at = Timestamp::from(now.due_at);
        if at > world.clock.now() {
            world.clock.set(at).unwrap();
        }
        attempt(&world, &now, 503);
        attempts += 1;
        assert!(attempts < 30);
    }
    let lasted = world.clock.now().since(begun);
    assert!(attempts >= 12 && lasted >= Duration::hours(72) && lasted < Duration::hours(74), "{attempts} in {lasted}");
    assert_eq!(state(&world, owner, &first).state, DeliveryState::Failed.text());
    assert_eq!(receiver(&world), Some(Receiver::Failing));
    let next = due(&world, to);
    assert_eq!(kinds(&next), ["facility.reopened"], "what was given up holds nothing up");
    attempt(&world, &next[0], 200);
    let failed = DeliveryFilter { webhook: Some(to), state: Some(DeliveryState::Failed), ..DeliveryFilter::default() };
    assert_eq!(world.write(|tx| Ok(redeliver(tx, owner, &failed)?)), 1);
    assert_eq!(world.write(|tx| Ok(redeliver(tx, owner, &failed)?)), 0, "it is pending again");
    let again = due(&world, to);
    assert_eq!(kinds(&again), ["facility.closed"]);
    attempt(&world, &again[0], 500);
    let soon = Timestamp::from(state(&world, owner, &first).due_at).since(world.clock.now());
    assert!(soon <= Duration::seconds(6), "a new beginning: {soon}");
}

fn a_receiver_that_fails_for_five_days_is_given_up(engine: Engine) {
    let world = World::on(engine);
    let (to, owner) = (listening(&world, bank(&world), &LINE), bank(&world));
    closes_and_reopens(&world);
    let first = due(&world, to).remove(0);
    assert!(attempt(&world, &first, 500).is_empty());
    world.time_passes(Duration::days(5));
    let again = due(&world, to).remove(0);
    assert_eq!(attempt(&world, &again, 500), [to]);
    let now = world.clock.now();
    let webhook = world.read(|db| webhooks_by_id(db, &[to], now)).pop().unwrap();
    assert_eq!(webhook.status, WebhookStatus::Disabled);
    assert!(due(&world, to).is_empty());
    let log = world.read(|db| deliveries(db, owner, &DeliveryFilter::default(), airsettle::db::Window::NEWEST, 10));
    assert!(log.iter().all(|row| row.state == DeliveryState::Failed.text() && row.done_at.is_some()), "nothing is left hanging");
    closes_and_reopens(&world);
    assert!(due(&world, to).is_empty(), "and nothing new is queued for it");
}

fn a_replaced_secret_signs_until_its_time_is_over(engine: Engine) {
    let world = World::on(engine);
    let (to, owner) = (listening(&world, bank(&world), &LINE), bank(&world));
    let secrets = |world: &World| {
        let now = world.clock.now();
        world.read(|db| webhooks_by_id(db, &[to], now)).pop().unwrap().secrets
    };
    world.write(|tx| Ok(rotate_secret(tx, owner, to, vec![2; 32], Duration::hours(1))?));
    assert_eq!(secrets(&world), [vec![2; 32], vec![1; 32]]);
    world.write(|tx| Ok(rotate_secret(tx, owner, to, vec![3; 32], Duration::hours(1))?));
    assert_eq!(secrets(&world), [vec![3; 32], vec![2; 32]], "two at most");
    world.time_passes(Duration::hours(1));
    assert_eq!(secrets(&world), [vec![3; 32]]);
    let stranger = Owner { organisation: world.seller, agency: None };
    assert!(world.store.write(|tx| rotate_secret(tx, stranger, to, vec![4; 32], Duration::zero())).is_err());
}
