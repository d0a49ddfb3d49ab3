//! Coupons after the sale: what airlines say about them, what that leaves to void, and tickets of more than four.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::airlines::{TicketNumber, add_stock, skip_documents, stock_of};
use airsettle::ids::AirlineId;
use airsettle::ticketing::{
    CouponRefusal, CouponReport, CouponSource, CouponStatus, IssuedOrder, Refusal, ReportError, ReportOutcome, VoidError,
    report_coupons, ticket_by_number,
};
use chrono::Duration;

on_both_engines!(
    control_is_taken_and_returned_and_every_change_is_kept,
    a_coupon_under_airline_control_is_not_voided_until_it_is_returned,
    a_flown_coupon_stays_flown_until_the_airline_reverses_it,
    of_two_coupons_one_checked_in_stops_the_void,
    what_was_voided_is_not_reversed_without_its_money,
    a_report_that_expects_another_status_changes_nothing,
    a_report_older_than_the_last_change_is_out_of_date,
    a_coupon_for_another_flight_is_not_meant,
    another_airlines_ticket_is_not_there,
    reports_of_one_commit_see_the_ones_before_them,
    a_ticket_of_more_than_four_coupons_has_consecutive_numbers,
    a_long_ticket_is_found_by_every_number_and_voided_whole,
    numbers_of_a_long_ticket_stay_in_one_range,
    a_range_that_is_too_short_for_every_ticket_is_exhausted,
);

impl World {
    pub fn says(&self, number: &str, coupon: i64, to: CouponStatus) -> ReportOutcome {
        self.reports(&[report(number, coupon, to)]).pop().unwrap()
    }

    pub fn reports(&self, reports: &[CouponReport]) -> Vec<ReportOutcome> {
        self.reports_of(Some(&[self.airline]), reports)
    }

    fn reports_of(&self, airlines: Option<&[AirlineId]>, reports: &[CouponReport]) -> Vec<ReportOutcome> {
        self.write(|tx| Ok(report_coupons(tx, &self.cause(), CouponSource::Airline, airlines, reports)?))
    }

    fn statuses(&self) -> String {
        self.texts("SELECT status AS value FROM coupon ORDER BY ticket_id, number").concat()
    }
}

fn report(number: &str, coupon: i64, to: CouponStatus) -> CouponReport {
    let number = TicketNumber::parse(number).unwrap();
    CouponReport { number, coupon, to, expected: None, happened_at: None, flight: None }
}

fn applied(from: CouponStatus) -> ReportOutcome {
    ReportOutcome::Applied { from }
}

fn refused(from: CouponStatus, to: CouponStatus, refusal: CouponRefusal) -> ReportOutcome {
    ReportOutcome::Rejected(ReportError::Refused { from, to, refusal })
}

/// A world with one ticket of so many coupons.
fn sold(engine: Engine, coupons: usize) -> (World, IssuedOrder, String) {
    let world = World::trading(engine);
    let order = world.sells(world.order().coupons(coupons));
    let number = order.tickets[0].number.clone();
    (world, order, number)
}

fn control_is_taken_and_returned_and_every_change_is_kept(engine: Engine) {
    use CouponStatus::{AirportControl, CheckedIn, Flown, Lifted, Open};
    let (world, _, number) = sold(engine, 1);
    let mut before = Open;
    for to in [AirportControl, Open, CheckedIn, Lifted, Flown] {
        assert_eq!(world.says(&number, 1, to), applied(before));
        assert_eq!(world.says(&number, 1, to), ReportOutcome::AlreadyApplied);
        before = to;
    }
    let history = world.texts("SELECT from_status || to_status || ' ' || source AS value FROM coupon_event ORDER BY id");
    assert_eq!(history, ["OA airline", "AO airline", "OC airline", "CL airline", "LF airline"]);
    assert_eq!(world.statuses(), "F");
    world.adds_up();
}

fn a_coupon_under_airline_control_is_not_voided_until_it_is_returned(engine: Engine) {
    let (world, order, number) = sold(engine, 1);
    let quote = world.quotes(&order).unwrap();
    world.says(&number, 1, CouponStatus::AirportControl);
    assert!(matches!(world.confirms(&quote), Err(VoidError::CouponNotOpen { coupon: 1, status, .. }) if status == "A"));
    world.adds_up();
    world.says(&number, 1, CouponStatus::Open);
    assert!(world.confirms(&quote).unwrap().confirmed_at.is_some());
    let history = world.texts("SELECT from_status || to_status || ' ' || source AS value FROM coupon_event ORDER BY id");
    assert_eq!(history, ["OA airline", "AO airline", "OV platform"]);
    world.adds_up();
}

fn a_flown_coupon_stays_flown_until_the_airline_reverses_it(engine: Engine) {
    use CouponStatus::{CheckedIn, Flown, Open};
    let (world, order, number) = sold(engine, 1);
    assert_eq!(world.says(&number, 1, Flown), applied(Open));
    assert_eq!(world.says(&number, 1, CheckedIn), refused(Flown, CheckedIn, CouponRefusal::Final));
    assert!(matches!(world.quotes(&order), Err(VoidError::CouponNotOpen { .. })));
    assert_eq!(world.says(&number, 1, Open), applied(Flown));
    world.voids(&order);
    world.adds_up();
}

fn of_two_coupons_one_checked_in_stops_the_void(engine: Engine) {
    let (world, order, number) = sold(engine, 2);
    world.says(&number, 2, CouponStatus::CheckedIn);
    let stopped = world.quotes(&order);
    assert!(
        matches!(stopped, Err(VoidError::CouponNotOpen { coupon: 2, ref ticket, ref status }) if *ticket == number && status == "C")
    );
    assert_eq!(world.statuses(), "OC");
    world.adds_up();
}

fn what_was_voided_is_not_reversed_without_its_money(engine: Engine) {
    use CouponStatus::{AirportControl, Open, Void};
    let (world, order, number) = sold(engine, 1);
    world.voids(&order);
    assert_eq!(world.says(&number, 1, Open), ReportOutcome::Rejected(ReportError::Settled { status: Void }));
    assert_eq!(world.says(&number, 1, AirportControl), refused(Void, AirportControl, CouponRefusal::Final));
    assert_eq!(world.says(&number, 1, Void), ReportOutcome::AlreadyApplied);
    world.adds_up();
}

fn a_report_that_expects_another_status_changes_nothing(engine: Engine) {
    use CouponStatus::{AirportControl, CheckedIn, Open};
    let (world, _, number) = sold(engine, 1);
    let expecting = |expected, to| CouponReport { expected: Some(expected), ..report(&number, 1, to) };
    let stale = ReportOutcome::Rejected(ReportError::Stale { status: Open });
    assert_eq!(world.reports(&[expecting(AirportControl, CheckedIn)]), [stale]);
    assert_eq!(world.reports(&[expecting(Open, AirportControl)]), [applied(Open)]);
    // Sent again it is what it is, whatever was expected.
    assert_eq!(world.reports(&[expecting(Open, AirportControl)]), [ReportOutcome::AlreadyApplied]);
    assert_eq!(world.statuses(), "A");
}

fn a_report_older_than_the_last_change_is_out_of_date(engine: Engine) {
    use CouponStatus::{AirportControl, CheckedIn, Lifted, Open};
    let (world, _, number) = sold(engine, 1);
    let now = world.clock.now();
    let at =
        |minutes: i64, to| CouponReport { happened_at: Some(now.plus(Duration::minutes(minutes))), ..report(&number, 1, to) };
    assert_eq!(world.reports(&[at(-10, Lifted)]), [applied(Open)]);
    let late = ReportOutcome::Rejected(ReportError::NotLatest { at: now.plus(Duration::minutes(-10)) });
    assert_eq!(world.reports(&[at(-11, CheckedIn)]), [late]);
    assert_eq!(world.reports(&[at(60, AirportControl)]), [ReportOutcome::Rejected(ReportError::InFuture)]);
    assert_eq!(world.reports(&[at(-10, CheckedIn), at(0, AirportControl)]), [applied(Lifted), applied(CheckedIn)]);
}

fn a_coupon_for_another_flight_is_not_meant(engine: Engine) {
    let (world, _, number) = sold(engine, 1);
    let of = |flight: &str| CouponReport { flight: Some(flight.into()), ..report(&number, 1, CouponStatus::Flown) };
    let other = ReportOutcome::Rejected(ReportError::OtherFlight { flight: "CA1501".into() });
    assert_eq!(world.reports(&[of("CA1502"), of("CA1501")]), [other, applied(CouponStatus::Open)]);
}

fn another_airlines_ticket_is_not_there(engine: Engine) {
    let (world, _, number) = sold(engine, 1);
    let flown = [report(&number, 1, CouponStatus::Flown), report(&number, 2, CouponStatus::Flown)];
    let [no_ticket, no_coupon] = [ReportError::NoTicket, ReportError::NoCoupon].map(ReportOutcome::Rejected);
    assert_eq!(world.reports_of(Some(&[]), &flown), [no_ticket.clone(), no_ticket.clone()]);
    assert_eq!(world.reports_of(None, &flown), [applied(CouponStatus::Open), no_coupon]);
    assert_eq!(world.says("9990000000000", 1, CouponStatus::Flown), no_ticket);
}

fn reports_of_one_commit_see_the_ones_before_them(engine: Engine) {
    use CouponStatus::{AirportControl, CheckedIn, Flown, Open};
    let (world, _, number) = sold(engine, 2);
    let steps = [(1, AirportControl), (1, CheckedIn), (1, Flown), (1, CheckedIn), (2, Flown), (2, Open)];
    let outcomes = world.reports(&steps.map(|(coupon, to)| report(&number, coupon, to)));
    let expected = [applied(Open), applied(AirportControl), applied(CheckedIn), refused(Flown, CheckedIn, CouponRefusal::Final)];
    assert_eq!(outcomes[..4], expected);
    assert_eq!(outcomes[4..], [applied(Open), applied(Flown)]);
    assert_eq!((world.statuses().as_str(), world.number("SELECT COUNT(*) AS value FROM coupon_event")), ("FO", 5));
}

// ---- tickets of more than four coupons

fn documents(order: &IssuedOrder) -> Vec<Vec<i64>> {
    let document = |number: &String| number[3..].parse().unwrap();
    order.tickets.iter().map(|ticket| order.numbers_of(ticket).iter().map(document).collect()).collect()
}

fn a_ticket_of_more_than_four_coupons_has_consecutive_numbers(engine: Engine) {
    let world = World::trading(engine);
    for (coupons, numbers) in [(4, 1), (5, 2), (8, 2), (9, 3), (16, 4)] {
        let order = world.sells(world.order().coupons(coupons).tickets(2));
        let documents = documents(&order);
        for own in &documents {
            assert_eq!(own.len(), numbers, "{coupons} coupons");
            assert!(own.windows(2).all(|pair| pair[1] == pair[0] + 1), "{own:?}");
        }
        assert_eq!(documents[1][0], documents[0][numbers - 1] + 1);
        let places: Vec<(i64, i64)> =
            order.coupons[..coupons].iter().map(|one| (one.document(), one.number_on_document())).collect();
        let expected: Vec<(i64, i64)> = (1..=4).flat_map(|document| (1..=4).map(move |number| (document, number))).collect();
        assert_eq!(places, expected[..coupons]);
        let shares: i64 = order.coupons[..coupons].iter().map(|one| one.base_minor).sum();
        assert_eq!(shares, cny("950.00").minor);
    }
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_sale'"), 10, "one sale per ticket");
    world.adds_up();
}

fn a_long_ticket_is_found_by_every_number_and_voided_whole(engine: Engine) {
    let (world, order, first) = sold(engine, 6);
    let [numbers] = &documents(&order)[..] else { panic!("one ticket") };
    for document in numbers {
        let number = TicketNumber::new("999", *document);
        assert_eq!(world.read(|db| ticket_by_number(db, &number)).unwrap().number, first);
    }
    let second = TicketNumber::new("999", numbers[1]).to_string();
    assert_eq!(world.says(&second, 2, CouponStatus::CheckedIn), applied(CouponStatus::Open));
    assert_eq!(world.statuses(), "OOOOOC");
    let stopped = world.quotes(&order);
    assert!(matches!(stopped, Err(VoidError::CouponNotOpen { coupon: 2, ref ticket, .. }) if *ticket == second));
    world.says(&second, 2, CouponStatus::Open);
    world.voids(&order);
    assert_eq!(world.statuses(), "VVVVVV");
    world.adds_up();
}

/// Leaves so many numbers in the first range and adds another.
fn with_few_left(world: &World, left: i64) {
    world.write(|tx| {
        let range = stock_of(tx.db, &[world.airline])?.remove(0);
        skip_documents(tx, &range, range.last_document + 1 - left)?;
        add_stock(tx, world.airline, 2_200_000_000, 2_200_000_009)?;
        Ok(())
    });
}

fn numbers_of_a_long_ticket_stay_in_one_range(engine: Engine) {
    let world = World::trading(engine);
    with_few_left(&world, 3);
    assert_eq!(
        documents(&world.sells(world.order().coupons(16))),
        [[2_200_000_000, 2_200_000_001, 2_200_000_002, 2_200_000_003]]
    );
    // What was too few for four numbers is enough for two, and the last one for one.
    assert_eq!(documents(&world.sells(world.order().coupons(5))), [[2_100_999_997, 2_100_999_998]]);
    let both = documents(&world.sells(world.order().coupons(5).tickets(2)));
    assert_eq!(both, [[2_200_000_004, 2_200_000_005], [2_200_000_006, 2_200_000_007]]);
    assert_eq!(documents(&world.sells(world.order())), [[2_100_999_999]]);
    assert_eq!(documents(&world.sells(world.order())), [[2_200_000_008]]);
    world.adds_up();
}

fn a_range_that_is_too_short_for_every_ticket_is_exhausted(engine: Engine) {
    let world = World::trading(engine);
    with_few_left(&world, 1);
    let before = world.row_counts();
    let exhausted = Refusal::StockExhausted { carrier: "CA".into() };
    assert_eq!(world.refuses(world.order().coupons(9).tickets(4)), exhausted);
    let (now, was) = (world.row_counts(), before);
    assert_eq!(
        (now["documents"], now["ticket"], now["ticket_document"]),
        (was["documents"], was["ticket"], was["ticket_document"])
    );
    world.sells(world.order().coupons(9).tickets(3));
    world.sells(world.order().tickets(2));
    assert_eq!(world.refuses(world.order()), exhausted);
    world.adds_up();
}
