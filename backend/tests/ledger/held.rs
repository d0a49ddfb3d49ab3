//! Orders that are held: seats and a locator first, money and tickets later, or never.

use crate::database::Engine;
use crate::desk::{Desk, block_on, issued, refusals};
use crate::order::BUCKET;
use crate::world::{World, cny};
use airsettle::agencies::{AgencyStatus, HoldLimit, set_hold_limit};
use airsettle::ids::{Id, OrderId};
use airsettle::ordering::{HeldRefusal, HeldState, booking_reference};
use airsettle::ticketing::{
    IssueOrder, IssuedOrder, Mode, Outcome, Refusal, VoidError, expire_overdue, issue_all, issued_orders,
};
use chrono::Duration;

on_both_engines!(
    a_held_order_has_seats_and_a_locator_and_nothing_else,
    a_payment_issues_what_an_instant_order_would,
    a_wallet_pays_a_held_order,
    another_price_is_what_the_order_costs_then,
    a_refused_payment_leaves_the_order_held,
    one_payment_pays_once,
    two_payments_in_one_commit,
    a_hundred_payments_at_once_issue_once,
    at_its_deadline_an_order_gives_back_its_seats_once,
    overdue_orders_are_caught_up_with_in_small_commits,
    a_cancelled_hold_gives_back_nothing_but_its_seats,
    a_quote_of_an_unpaid_order_does_not_void_a_paid_one,
    paid_cancelled_or_expired_and_only_one_of_them,
    held_seats_are_not_sold_to_others,
    an_agency_holds_no_more_than_it_may,
    a_paid_order_is_voided_like_any_other,
    who_may_not_sell_may_not_hold_or_pay,
    a_rehearsal_changes_nothing,
    a_locator_that_is_taken_is_drawn_again,
    every_rule_of_held_orders_finds_a_row_that_breaks_it,
);

impl World {
    pub fn expires(&self, limit: i64) -> Vec<OrderId> {
        self.write(|tx| Ok(expire_overdue(tx, &self.cause(), limit)?))
    }

    /// The order as it is now.
    pub fn order_now(&self, order: &IssuedOrder) -> IssuedOrder {
        use airsettle::ordering::order as row;
        let id = OrderId::of(order.order.id);
        self.read(|db| {
            let rows = row(db, id)?.into_iter().collect();
            issued_orders(db, rows)
        })
        .pop()
        .unwrap()
    }

    fn state_of(&self, order: &IssuedOrder) -> HeldState {
        self.order_now(order).held.unwrap().state
    }

    fn seats_taken(&self) -> i64 {
        self.number(&format!("SELECT CAST(COALESCE(SUM(sold), 0) AS BIGINT) AS value FROM seat_bucket WHERE id = {BUCKET}"))
    }

    fn pays_hold(&self, held: &IssuedOrder) -> Outcome {
        self.issue(self.order().paying(held))
    }
}

fn refused(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn a_held_order_has_seats_and_a_locator_and_nothing_else(engine: Engine) {
    let world = World::on(engine);
    let (before, balances) = (world.row_counts(), world.balances());
    // Nobody has lodged a deposit: a hold uses no limit.
    let held = world.sells(world.order().tickets(2).held());
    let after = world.row_counts();
    let added: Vec<(&str, i64)> =
        after.iter().map(|(table, rows)| (table.as_str(), rows - before[table])).filter(|(_, added)| *added != 0).collect();
    let expected = [
        ("air_order", 1),
        ("audit_event", 1),
        ("event", 1),
        ("held_order", 1),
        ("held_seat", 1),
        ("idempotency_key", 1),
        ("passenger", 2),
        ("person_key", 2),
        ("seat_bucket", 1),
    ];
    assert_eq!(added, expected, "no ticket, no number, no posting, no advance");
    assert_eq!((world.balances(), world.exposure()), (balances, cny("0.00")));
    assert_eq!(world.seats_taken(), 2);
    assert_eq!((held.order.total_minor, held.order.tender.as_deref(), held.order.issued_at), (200_000, None, None));
    assert_eq!(held.order.booking_reference.len(), 6);
    assert_eq!(world.order_now(&held), held, "what was answered is what is there");
    world.adds_up();
}

fn a_payment_issues_what_an_instant_order_would(engine: Engine) {
    let instant = World::on(engine);
    instant.lodges_deposit("1940.00");
    let at_once = instant.sells(instant.order().tickets(2));

    let world = World::on(engine);
    world.lodges_deposit("1940.00");
    let held = world.sells(world.order().tickets(2).held());
    let paid = world.sells(world.order().paying(&held));
    assert_eq!(world.balances(), instant.balances());
    assert_eq!(world.line().held, instant.line().held);
    let numbers = |order: &IssuedOrder| order.tickets.iter().map(|ticket| ticket.number.clone()).collect::<Vec<_>>();
    assert_eq!(numbers(&paid), numbers(&at_once), "the hold has taken no number");
    let reference = (&paid.order.id, &paid.order.booking_reference);
    assert_eq!(reference, (&held.order.id, &held.order.booking_reference), "the order and its locator stay");
    let people = |order: &IssuedOrder| order.passengers.iter().map(|(person, _)| person.id).collect::<Vec<_>>();
    assert_eq!(people(&paid), people(&held));
    assert_eq!(world.seats_taken(), 2, "they were taken before");
    assert_eq!(world.order_now(&paid), paid, "what was answered is what is there");
    assert_eq!(paid.held.unwrap().state, HeldState::Paid);
    assert_eq!(world.texts("SELECT kind AS value FROM order_payment"), ["arc_bsp_cash"]);
    assert_eq!(world.numbers("SELECT amount_minor AS value FROM order_payment"), [200_000]);
    world.adds_up();
}

fn a_wallet_pays_a_held_order(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let held = world.sells(world.order().by_wallet().held());
    let paid = world.sells(world.order().by_wallet().paying(&held));
    assert_eq!(paid.order.tender.as_deref(), Some("wallet"));
    assert_eq!(world.standing(world.prepaid).wallet, cny("0.00"));
    assert_eq!(world.texts("SELECT kind AS value FROM order_payment"), ["balance"]);
    world.adds_up();
}

fn another_price_is_what_the_order_costs_then(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    let paid = world.sells(world.order().fare(cny("1150.00")).paying(&held));
    assert_eq!((held.order.total_minor, paid.order.total_minor), (100_000, 120_000));
    assert_eq!(world.order_now(&held).order.total_minor, 120_000);
    world.adds_up();
}

fn a_refused_payment_leaves_the_order_held(engine: Engine) {
    let world = World::on(engine);
    let held = world.sells(world.order().held());
    let keyed = world.order().paying(&held).keyed("late");
    assert!(matches!(refused(world.issue(keyed.clone())), Refusal::LimitExceeded { short_minor: 97_000, .. }));
    assert!(matches!(refused(world.pays_hold(&held)), Refusal::LimitExceeded { .. }));
    assert_eq!((world.state_of(&held), world.tickets()), (HeldState::Held, 0));
    world.adds_up();
    world.lodges_deposit("970.00");
    assert!(matches!(world.issue(keyed), Outcome::RefusedBefore(_)), "a key keeps its refusal");
    assert!(matches!(world.pays_hold(&held), Outcome::Issued(_)));
    world.adds_up();
}

fn one_payment_pays_once(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    let payment = world.order().paying(&held).keyed("mine");
    let paid = world.sells(payment.clone());
    assert!(matches!(world.issue(payment), Outcome::Replayed(id) if id.raw() == paid.order.id));
    assert_eq!(refused(world.issue(world.order().paying(&held).keyed("yours"))), Refusal::AlreadyPaid);
    assert_eq!(refused(world.pays_hold(&held)), Refusal::AlreadyPaid);
    assert_eq!(world.tickets(), 1);
    world.adds_up();
}

fn two_payments_in_one_commit(engine: Engine) {
    let world = World::trading(engine);
    let (one, other) = (world.sells(world.order().held()), world.sells(world.order().held()));
    let payments = [&one, &one, &other].map(|held| world.order().paying(held).build());
    let outcomes = world.issues(&payments);
    assert!(matches!(outcomes[..], [Outcome::Issued(_), Outcome::Refused(Refusal::AlreadyPaid), Outcome::Issued(_)]));
    world.adds_up();
}

fn a_hundred_payments_at_once_issue_once(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().tickets(3).held());
    let payments: Vec<IssueOrder> = (0..100).map(|_| world.order().paying(&held).build()).collect();
    let answers = Desk::two_nodes(&world).all_at_once(payments);
    assert_eq!(issued(&answers).len(), 1);
    let refusals = refusals(&answers);
    assert_eq!(refusals.len(), 99);
    assert!(refusals.iter().all(|refusal| *refusal == Refusal::AlreadyPaid), "{:?}", refusals.first());
    assert_eq!(world.tickets(), 3);
    world.adds_up();
}

fn at_its_deadline_an_order_gives_back_its_seats_once(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    world.time_passes(Duration::hours(48) - Duration::seconds(5));
    assert_eq!(world.expires(10), []);
    world.time_passes(Duration::seconds(5));
    assert!(matches!(refused(world.pays_hold(&held)), Refusal::PaymentWindowClosed { .. }), "before any job has run");
    assert!(matches!(world.quotes(&held), Err(VoidError::Held(HeldRefusal::WindowClosed(_)))));
    assert_eq!(world.seats_taken(), 1);
    assert_eq!(world.expires(10), [OrderId::of(held.order.id)]);
    assert_eq!((world.state_of(&held), world.seats_taken()), (HeldState::Expired, 0));
    assert_eq!(world.expires(10), []);
    assert_eq!(world.seats_taken(), 0);
    assert!(world.order_now(&held).order.cancelled_at.is_some());
    assert!(matches!(refused(world.pays_hold(&held)), Refusal::PaymentWindowClosed { .. }));
    assert!(matches!(world.quotes(&held), Err(VoidError::AlreadyCancelled { .. })));
    world.adds_up();
}

fn overdue_orders_are_caught_up_with_in_small_commits(engine: Engine) {
    let world = World::trading(engine);
    let held: Vec<IssuedOrder> = (0..5).map(|_| world.sells(world.order().held())).collect();
    let paid = world.sells(world.order().paying(&held[2]));
    world.time_passes(Duration::days(9));
    let first = world.expires(3);
    assert_eq!(first, [0, 1, 3].map(|place: usize| OrderId::of(held[place].order.id)), "the longest overdue first");
    assert_eq!(world.seats_taken(), 2);
    world.adds_up();
    assert_eq!((world.expires(3).len(), world.expires(3).len()), (1, 0));
    assert_eq!((world.state_of(&paid), world.seats_taken()), (HeldState::Paid, 1));
    world.adds_up();
}

fn a_cancelled_hold_gives_back_nothing_but_its_seats(engine: Engine) {
    let world = World::trading(engine);
    let balances = world.balances();
    let held = world.sells(world.order().tickets(2).held());
    let quote = world.quotes(&held).unwrap();
    let until = held.held.as_ref().unwrap().terms.payment_required_by;
    assert_eq!((quote.refund_minor, quote.expires_at), (0, until.naive()));
    let confirmed = world.confirms(&quote).unwrap();
    assert!(confirmed.confirmed_at.is_some());
    assert_eq!(world.confirms(&quote).unwrap(), confirmed, "confirmed again, it is what it was");
    assert_eq!((world.state_of(&held), world.seats_taken()), (HeldState::Cancelled, 0));
    assert_eq!(world.balances(), balances);
    assert_eq!(refused(world.pays_hold(&held)), Refusal::OrderCancelled);
    assert!(matches!(world.quotes(&held), Err(VoidError::AlreadyCancelled { .. })));
    world.time_passes(Duration::days(9));
    assert_eq!(world.expires(10), [], "an order ends once");
    world.adds_up();
}

fn a_quote_of_an_unpaid_order_does_not_void_a_paid_one(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    let quote = world.quotes(&held).unwrap();
    world.time_passes(Duration::seconds(1));
    world.sells(world.order().paying(&held));
    assert!(matches!(world.confirms(&quote), Err(VoidError::Held(HeldRefusal::AlreadyPaid))));
    assert_eq!(world.tickets(), 1);
    world.adds_up();
    let again = world.quotes(&held).unwrap();
    assert_eq!(again.refund_minor, 100_000);
    assert!(world.confirms(&again).is_ok());
    world.adds_up();
}

/// One pays, one cancels, one expires, while the clock reaches the deadline.
fn paid_cancelled_or_expired_and_only_one_of_them(engine: Engine) {
    let world = World::trading(engine);
    for round in 0..12 {
        let held = world.sells(world.order().held());
        let (before, quote) = (world.tickets(), world.quotes(&held).unwrap());
        world.time_passes(Duration::hours(48) - Duration::milliseconds(2));
        let payment = world.order().paying(&held).build();
        let (paid, cancelled) = std::thread::scope(|scope| {
            let clock = scope.spawn(|| world.time_passes(Duration::milliseconds(3)));
            let paying = scope.spawn(|| world.issue(payment));
            let cancelling = scope.spawn(|| world.confirms(&quote));
            let expiring = scope.spawn(|| world.expires(10));
            clock.join().unwrap();
            expiring.join().unwrap();
            (matches!(paying.join().unwrap(), Outcome::Issued(_)), cancelling.join().unwrap().is_ok())
        });
        world.expires(10);
        let state = match (paid, cancelled) {
            (true, false) => HeldState::Paid,
            (false, true) => HeldState::Cancelled,
            (false, false) => HeldState::Expired,
            (true, true) => panic!("paid and cancelled in round {round}"),
        };
        assert_eq!((world.state_of(&held), world.tickets() - before), (state, i64::from(paid)));
        world.adds_up();
    }
}

fn held_seats_are_not_sold_to_others(engine: Engine) {
    let world = World::trading(engine);
    let last = || world.order().on_flight(8_000, 1);
    let held = world.sells(last().held());
    assert!(matches!(world.refuses(last()), Refusal::SeatsSoldOut { left: 0, asked: 1, .. }));
    assert!(matches!(world.refuses(last().held()), Refusal::SeatsSoldOut { left: 0, asked: 1, .. }));
    let quote = world.quotes(&held).unwrap();
    world.confirms(&quote).unwrap();
    world.sells(last());
    world.adds_up();
}

fn a_paid_order_is_voided_like_any_other(engine: Engine) {
    let world = World::trading(engine);
    let balances = world.balances();
    let held = world.sells(world.order().held());
    // On the next day: the window is that of the day of issue.
    world.time_passes(Duration::hours(23));
    let paid = world.sells(world.order().paying(&held));
    world.voids(&paid);
    assert_eq!((world.balances(), world.seats_taken()), (balances, 0));
    assert_eq!(world.state_of(&held), HeldState::Paid);
    assert_eq!(refused(world.pays_hold(&held)), Refusal::AlreadyPaid);
    world.adds_up();
}

fn who_may_not_sell_may_not_hold_or_pay(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    world.sets_status(AgencyStatus::Frozen);
    assert_eq!(world.refuses(world.order().held()), Refusal::AgencyFrozen);
    assert_eq!(refused(world.pays_hold(&held)), Refusal::AgencyFrozen);
    let quote = world.quotes(&held).unwrap();
    assert!(world.confirms(&quote).is_ok(), "but it may give back its seats");
    world.adds_up();
}

fn a_rehearsal_changes_nothing(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    let (rows, balances) = (world.row_counts(), world.balances());
    for order in [world.order().held().build(), world.order().paying(&held).build()] {
        let rehearsed =
            world.store.rehearse(|tx| issue_all(tx, (&world.chart, &world.velocity), &[order], Mode::DryRun)).unwrap();
        assert!(matches!(rehearsed[..], [Outcome::Issued(_)]));
    }
    assert_eq!((world.row_counts(), world.balances(), world.state_of(&held)), (rows, balances, HeldState::Held));
}

fn a_locator_that_is_taken_is_drawn_again(engine: Engine) {
    let world = World::trading(engine);
    let desk = Desk::one_node(&world);
    let held = world.sells(world.order().held());
    let next = world.number("SELECT next_document AS value FROM stock_range");
    let taken = booking_reference("999", next, Default::default());
    let steal = format!("UPDATE air_order SET booking_reference = '{taken}' WHERE id = {}", held.order.id);
    world.database.as_owner(&steal).unwrap();
    match block_on(desk.issue(world.order().build())) {
        Ok(Outcome::Issued(order)) => assert_ne!(order.order.booking_reference, taken),
        other => panic!("not issued: {other:?}"),
    }
    world.adds_up();
}

fn every_rule_of_held_orders_finds_a_row_that_breaks_it(engine: Engine) {
    let world = World::trading(engine);
    let held = world.sells(world.order().held());
    let paid = world.sells(world.order().held());
    world.sells(world.order().paying(&paid));
    world.adds_up();
    let id = held.order.id;
    // How a row is broken, how it is mended, and the rule that notices.
    let cases = [
        (
            format!("UPDATE held_order SET state = 'paid', ended_at = payment_required_by WHERE id = {id}"),
            format!("UPDATE held_order SET state = 'held', ended_at = NULL WHERE id = {id}"),
            "an order that is not issued is held",
        ),
        (
            format!("UPDATE air_order SET cancelled_at = created_at WHERE id = {id}"),
            format!("UPDATE air_order SET cancelled_at = NULL WHERE id = {id}"),
            "an order is cancelled by exactly one confirmed cancellation, or because",
        ),
        (
            "UPDATE order_payment SET amount_minor = amount_minor + 1".into(),
            "UPDATE order_payment SET amount_minor = amount_minor - 1".into(),
            "has one payment of what its first tickets cost",
        ),
        (
            format!("UPDATE held_seat SET seats = seats + 1 WHERE order_id = {id}"),
            format!("UPDATE held_seat SET seats = seats - 1 WHERE order_id = {id}"),
            "and the seats that are held",
        ),
    ];
    for (broken, mended, rule) in cases {
        world.database.as_owner(&broken).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {broken}"));
        assert!(fault.rule.contains(rule), "{broken}: {fault}");
        world.database.as_owner(&mended).unwrap();
        world.adds_up();
    }
}

fn an_agency_holds_no_more_than_it_may(engine: Engine) {
    let world = World::trading(engine);
    let may_hold = |orders| {
        let limit = HoldLimit::of(orders).unwrap();
        world.write(|tx| Ok(set_hold_limit(tx, world.agency, limit)?));
    };
    may_hold(2);
    let refused = |held, limit| Refusal::HoldLimitReached { held, limit };
    let batch = [world.order().held().build(), world.order().by_wallet().held().build()];
    let batch = [&batch[..], &[world.order().held().build(), world.order().held().build(), world.order().build()]].concat();
    let outcomes = world.issues(&batch);
    assert!(matches!(&outcomes[..4], [Outcome::Issued(_), Outcome::Issued(_), Outcome::Issued(_), Outcome::Refused(_)]));
    assert!(matches!(&outcomes[3], Outcome::Refused(reason) if *reason == refused(2, 2)), "its third in one commit");
    assert!(matches!(outcomes[4], Outcome::Issued(_)), "it sells all the same");
    let Outcome::Issued(first) = &outcomes[0] else { panic!("{outcomes:?}") };

    // One that is paid makes room for another, in the same commit too; so does one that is cancelled.
    let paid = world.issues(&[world.order().paying(first).build(), world.order().held().build(), world.order().held().build()]);
    assert!(matches!(&paid[..], [Outcome::Issued(_), Outcome::Issued(_), Outcome::Refused(_)]), "{paid:?}");
    let Outcome::Issued(second) = &paid[1] else { panic!("{paid:?}") };
    world.voids(second);
    world.sells(world.order().held());
    assert_eq!(world.refuses(world.order().held()), refused(2, 2));

    // What is overdue keeps nobody from holding, before it is cleared away.
    world.time_passes(Duration::hours(48));
    world.sells(world.order().held());
    may_hold(0);
    assert_eq!(world.refuses(world.order().held()), refused(1, 0));
    world.adds_up();
}
