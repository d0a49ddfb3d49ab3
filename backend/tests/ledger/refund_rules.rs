//! What a refund keeps and whom it asks: ladders, passengers, coupons, people who decide; and everything that is refused.

use crate::database::Engine;
use crate::refunds::{amounts, class_k, coupons, moved, plain, wish, with_reason};
use crate::world::{World, cny};
use airsettle::credit::AdvanceState;
use airsettle::ids::{AttachmentId, Id, RefundApplicationId};
use airsettle::ticketing::{
    IssuedOrder, RefundDecision, RefundError, RefundKind, RefundRequest, WantedTicket, note_overdue, overdue_count,
};
use chrono::{Duration, NaiveDateTime};

on_both_engines!(
    the_ladder_counts_at_the_moment_of_the_quote_and_the_boundary_is_the_later_side,
    a_quote_ends_with_its_step_of_the_ladder,
    infants_pay_no_fee,
    each_coupon_pays_by_its_own_departure,
    only_the_passengers_who_are_asked_for,
    used_coupons_never_come_back_and_what_the_airline_controls_waits,
    an_involuntary_refund_keeps_nothing_and_a_person_decides,
    a_medical_refund_needs_evidence,
    a_rejected_application_changes_nothing,
    a_refund_of_a_void_ticket_is_refused,
    a_stale_amount_or_a_late_confirmation_changes_nothing,
    two_confirmations_refund_once,
    a_refunded_seat_can_be_sold_again,
    what_is_not_settled_in_seven_working_days_is_overdue,
);

/// A class Y ticket of Donghai: 5 % until two hours before its departure, 10 % from then on.
fn class_y(world: &World, departing_at: NaiveDateTime) -> IssuedOrder {
    world.sells(world.order().flown_by("DZ", 'Y').departing_at(departing_at))
}

/// So long after now, in Beijing, at a whole minute.
fn in_beijing(world: &World, later: Duration) -> NaiveDateTime {
    world.clock.now().plus(later).naive() + Duration::hours(8)
}

fn the_ladder_counts_at_the_moment_of_the_quote_and_the_boundary_is_the_later_side(engine: Engine) {
    let world = plain(engine);
    // The test clock stands still between two statements only if it is set, so the boundary itself is met from both sides.
    let before = class_y(&world, in_beijing(&world, Duration::minutes(121)));
    let after = class_y(&world, in_beijing(&world, Duration::minutes(120)));
    let flown = class_y(&world, in_beijing(&world, Duration::minutes(-60)));
    let refund = |order| world.quotes_refund(&wish(order, RefundKind::Voluntary)).unwrap().row;
    assert_eq!(amounts(&refund(&before)), [95_000, 5_000, 4_750, 95_250]);
    assert_eq!(amounts(&refund(&after)), [95_000, 5_000, 9_500, 90_500], "two hours sharp, or a moment less, is within");
    assert_eq!(amounts(&refund(&flown)), [95_000, 5_000, 9_500, 90_500], "a no-show pays what is due after departure");
    let half = world.sells(world.order().flown_by("DZ", 'G'));
    assert_eq!(amounts(&refund(&half)), [95_000, 5_000, 47_500, 52_500]);
}

fn a_quote_ends_with_its_step_of_the_ladder(engine: Engine) {
    let world = plain(engine);
    let noon = world.today().succ_opt().unwrap().and_hms_opt(4, 0, 0).unwrap();
    world.clock.set(airsettle::clock::Timestamp::from(noon)).unwrap();
    let soon = class_y(&world, in_beijing(&world, Duration::minutes(125)));
    let quote = world.quotes_refund(&wish(&soon, RefundKind::Voluntary)).unwrap();
    let left = airsettle::clock::Timestamp::from(quote.row.expires_at).since(world.clock.now());
    assert!(left <= Duration::minutes(5) && left > Duration::minutes(4), "{left}");
    let later = class_y(&world, in_beijing(&world, Duration::minutes(300)));
    let quote = world.quotes_refund(&wish(&later, RefundKind::Voluntary)).unwrap();
    assert_eq!(quote.row.expires_at - quote.row.created_at, Duration::minutes(15));
    // Ten minutes before midnight the void window ends first.
    world.time_passes(Duration::minutes(11 * 60 + 50));
    world.tops_up(world.prepaid, "970.00");
    let late = world.sells(world.order().by_wallet().flown_by("DZ", 'K'));
    let quote = world.quotes_refund(&wish(&late, RefundKind::Voluntary)).unwrap();
    assert!(quote.row.expires_at - quote.row.created_at <= Duration::minutes(10));
}

fn infants_pay_no_fee(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().flown_by("DZ", 'G').for_a("infant"));
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    assert_eq!(amounts(&quote.row), [95_000, 5_000, 0, 100_000]);
}

fn each_coupon_pays_by_its_own_departure(engine: Engine) {
    let world = plain(engine);
    let order = world.order().flown_by("DZ", 'Y').coupons(2).tax(cny("100.00"));
    let order = world.sells(order.departing_at(in_beijing(&world, Duration::minutes(60))));
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    // 10 % of 475.00 for the flight that leaves within the hour, 5 % for the one a day later.
    assert_eq!(quote.coupons.iter().map(|one| one.penalty_minor).collect::<Vec<_>>(), [4_750, 2_375]);
    assert_eq!(quote.coupons.iter().map(|one| one.tax_minor).collect::<Vec<_>>(), [5_000, 5_000], "CN by coupon, whole");
    assert_eq!(amounts(&quote.row), [95_000, 10_000, 7_125, 97_875]);
}

fn only_the_passengers_who_are_asked_for(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().tickets(3).flown_by("DZ", 'K'));
    let request = RefundRequest {
        tickets: [0, 2].map(|place| WantedTicket { ticket: order.tickets[place].id, coupons: vec![] }).to_vec(),
        ..wish(&order, RefundKind::Voluntary)
    };
    let done = world.gives_back(&request);
    assert_eq!((done.tickets.len(), done.row.refund_minor), (2, 162_000));
    assert_eq!(world.coupon_statuses(), ["R", "O", "R"]);
    // What is left of the order is refunded without naming it.
    let rest = world.gives_back(&wish(&order, RefundKind::Voluntary));
    assert_eq!(rest.row.refund_minor, 81_000);
}

fn used_coupons_never_come_back_and_what_the_airline_controls_waits(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().coupons(3).tax(cny("150.00")).flown_by("DZ", 'K'));
    for (status, number) in [("F", 1), ("C", 2)] {
        world.database.as_owner(&format!("UPDATE coupon SET status = '{status}' WHERE number = {number}")).unwrap();
        let rows = world.row_counts();
        let refused = world.quotes_refund(&coupons(&order, 0, &[number])).unwrap_err();
        assert!(refused.to_string().contains(&format!("status {status}")), "{refused}");
        assert_eq!(world.row_counts(), rows);
    }
    let quote = world.quotes_refund(&coupons(&order, 0, &[3])).unwrap();
    world.database.as_owner("UPDATE coupon SET status = 'C' WHERE number = 3").unwrap();
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::CouponNotRefundable { coupon: 3, .. })));
    world.database.as_owner("UPDATE coupon SET status = 'O' WHERE number = 3").unwrap();
    world.confirms_refund(&quote).unwrap();
    // The airline opens the coupon again: it was paid back all the same.
    world.database.as_owner("UPDATE coupon SET status = 'O' WHERE number = 3").unwrap();
    assert!(matches!(world.quotes_refund(&coupons(&order, 0, &[3])), Err(RefundError::CouponNotRefundable { .. })));
}

fn an_involuntary_refund_keeps_nothing_and_a_person_decides(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Confirmed);
    let without = wish(&order, RefundKind::Involuntary);
    assert!(matches!(world.quotes_refund(&without), Err(RefundError::ReasonMissing { .. })));
    let quote = world.quotes_refund(&with_reason(without)).unwrap();
    assert!(matches!(world.decides(&quote, &RefundDecision::Approve), Err(RefundError::InvalidState { status: "quoted" })));
    let submitted = world.confirms_refund(&quote).unwrap();
    assert_eq!((submitted.row.status.as_str(), world.coupon_statuses()), ("submitted", vec!["O".to_owned()]));
    assert_eq!(world.exposure(), cny("970.00"), "what is only asked for reduces nothing");
    for _ in 0..2 {
        let done = world.decides(&submitted, &RefundDecision::Approve).unwrap();
        assert_eq!(amounts(&done.row), [95_000, 5_000, 0, 100_000]);
    }
    assert_eq!(moved(&world), ["airline.receivable 915.00", "bank.loan 915.00"]);
    world.adds_up();
    assert!(matches!(world.decides(&submitted, &RefundDecision::Reject), Err(RefundError::InvalidState { status: "refunded" })));
}

fn a_medical_refund_needs_evidence(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let request = with_reason(wish(&order, RefundKind::Medical));
    assert!(matches!(world.quotes_refund(&request), Err(RefundError::EvidenceMissing { .. })));
    let attachment: AttachmentId = world.store.ids().next();
    let upload = airsettle::documents::Upload::of(world.seller, "certificate.pdf", b"%PDF-1.7").unwrap();
    world.write(|tx| Ok(airsettle::documents::keep_attachment(tx, attachment, &upload, vec![1])?));
    let done = world.gives_back(&RefundRequest { evidence: vec![attachment], ..request });
    assert_eq!((done.row.refund_minor, done.evidence.len()), (100_000, 1));
}

fn a_rejected_application_changes_nothing(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let before = world.balances();
    let quote = world.quotes_refund(&with_reason(wish(&order, RefundKind::Involuntary))).unwrap();
    let submitted = world.confirms_refund(&quote).unwrap();
    for _ in 0..2 {
        assert_eq!(world.decides(&submitted, &RefundDecision::Reject).unwrap().row.status, "rejected");
    }
    assert!(matches!(world.decides(&submitted, &RefundDecision::Approve), Err(RefundError::InvalidState { status: "rejected" })));
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::InvalidState { status: "rejected" })));
    assert_eq!((world.balances(), world.coupon_statuses()), (before, vec!["O".to_owned()]));
    world.adds_up();
    world.gives_back(&wish(&order, RefundKind::Voluntary));
}

fn a_refund_of_a_void_ticket_is_refused(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order());
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    world.voids(&order);
    let rows = world.row_counts();
    assert!(matches!(world.quotes_refund(&wish(&order, RefundKind::Voluntary)), Err(RefundError::TicketVoided { .. })));
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::TicketVoided { .. })));
    assert_eq!(world.row_counts(), rows);
    // And the other way round: what is refunded is not void.
    let order = world.sells(world.order());
    let void = world.quotes(&order).unwrap();
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    assert!(world.confirms(&void).unwrap_err().to_string().contains("status R"));
}

fn a_stale_amount_or_a_late_confirmation_changes_nothing(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let quote = world.quotes_refund(&wish(&order, RefundKind::Voluntary)).unwrap();
    let rows = world.row_counts();
    let refused = world.confirms_refund_at(&quote, 81_001).unwrap_err();
    assert!(matches!(refused, RefundError::AmountDiffers { refund, .. } if refund == cny("810.00")), "{refused}");
    world.time_passes(Duration::minutes(15));
    assert!(matches!(world.confirms_refund(&quote), Err(RefundError::QuoteExpired { .. })));
    assert_eq!((world.row_counts(), world.coupon_statuses()), (rows, vec!["O".to_owned()]));
    world.adds_up();
}

fn two_confirmations_refund_once(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let request = wish(&order, RefundKind::Voluntary);
    let (one, two) = (world.quotes_refund(&request).unwrap(), world.quotes_refund(&request).unwrap());
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = [&one, &one, &two].map(|quote| scope.spawn(|| world.confirms_refund(quote))).into_iter().collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    let done = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((1..=2).contains(&done), "the same quote twice is the same refund, another one is refused");
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_refund'"), 1);
    world.adds_up();
}

fn a_refunded_seat_can_be_sold_again(engine: Engine) {
    let world = plain(engine);
    let order = world.sells(world.order().on_flight(8_001, 1).flown_by("DZ", 'K'));
    world.refuses(world.order().on_flight(8_001, 1));
    world.gives_back(&wish(&order, RefundKind::Voluntary));
    world.sells(world.order().on_flight(8_001, 1));
    world.adds_up();
}

fn what_is_not_settled_in_seven_working_days_is_overdue(engine: Engine) {
    let world = plain(engine);
    let order = class_k(&world, AdvanceState::Held);
    let quote = world.quotes_refund(&with_reason(wish(&order, RefundKind::Involuntary))).unwrap();
    let submitted = world.confirms_refund(&quote).unwrap();
    let due = airsettle::clock::Timestamp::from(submitted.row.due_at.unwrap());
    let days = due.date_in(chrono_tz::Asia::Shanghai) - world.today();
    assert!((Duration::days(8)..=Duration::days(20)).contains(&days), "{days}");
    let counts = |world: &World| world.read(|db| overdue_count(db, world.clock.now()));
    assert_eq!(counts(&world), 0);
    let notes = |world: &World| {
        let id = RefundApplicationId::of(submitted.row.id);
        let noted = world.store.write(|tx| note_overdue(tx, &world.cause(), id)).unwrap();
        let audited = world.number("SELECT COUNT(*) AS value FROM audit_event WHERE action = 'refund.overdue'");
        (noted.row.overdue_at.is_some(), audited)
    };
    assert_eq!(notes(&world), (false, 0));
    world.time_passes(due.since(world.clock.now()) + Duration::seconds(1));
    assert_eq!(counts(&world), 1);
    assert_eq!((notes(&world), notes(&world)), ((true, 1), (true, 1)), "once");
    world.decides(&submitted, &RefundDecision::Approve).unwrap();
    assert_eq!(counts(&world), 0);
    world.adds_up();
}
