//! Airlines change flights that are sold already: who is told, what an acceptance moves, and what is not sold any more.

use crate::database::Engine;
use crate::exchanges::Wanted;
use crate::world::{World, cny};
use airsettle::airlines::airline_by_code;
use airsettle::catalogue::{AirportCode, BookingClass, Bucket, CarrierCode, Catalogue};
use airsettle::db::Window;
use airsettle::ids::{AirlineChangeId, CancellationId, Id, OrderId};
use airsettle::ticketing::{
    AirlineChange, AirlineChangeError, AirlineChangeState, CancelError, CouponStatus, IssuedOrder, NewSchedule,
    NewScheduleChange, RefundError, Refusal, ScheduleChangeError, ScheduleChangeRow, accept_airline_change, airline_changes,
    ask_for_another_flight, confirm_cancellation, coupons_as_issued, current_overlay, file_schedule_change, give_back_for_change,
    quote_cancellation, schedule_version, waives_penalty,
};
use chrono::{Days, Duration, NaiveDate, NaiveDateTime};

on_both_engines!(
    a_retimed_flight_tells_its_orders_and_an_acceptance_moves_the_coupons,
    a_replaced_flight_gives_its_seats_back_and_takes_the_new_ones_once,
    a_class_that_is_full_is_made_up_for_by_another_of_the_cabin,
    a_full_flight_is_not_accepted,
    a_cancelled_flight_offers_nothing,
    what_was_priced_before_a_change_is_not_sold,
    a_later_change_takes_the_place_of_one_that_nobody_answered,
    an_order_that_was_voided_has_nothing_to_accept,
    a_coupon_that_was_used_stays_on_its_flight,
    another_flight_is_asked_for_without_moving_anything,
    tickets_are_given_back_before_the_change_is_answered_so,
    an_order_that_the_airline_changed_is_refunded_whole_and_at_once,
    whoever_accepts_a_change_pays_the_penalty_of_the_fare,
    who_has_flown_on_a_changed_flight_asks_for_nothing_any_more,
    an_exchange_is_not_taken_back_to_a_flight_that_was_changed_since,
    what_an_acceptance_left_behind_is_proved,
    what_cannot_be_changed_is_named,
    the_coupons_of_a_sale_are_told_as_they_were_issued,
    the_schedule_is_read_again_when_something_was_changed,
);

/// A world with a catalogue of its own, and a day on which CA1501 flies from Beijing to Shanghai.
struct Airline {
    world: World,
    catalogue: Catalogue,
    day: NaiveDate,
}

impl Airline {
    fn on(engine: Engine) -> Self {
        let world = World::trading(engine);
        let day = world.today() + Days::new(40);
        Airline { catalogue: Catalogue::load().unwrap(), day, world }
    }

    fn bucket(&self, number: u16, class: char) -> i64 {
        let (carrier, origin) = (CarrierCode::parse("CA").unwrap(), AirportCode::parse("PEK").unwrap());
        let class = BookingClass::parse(class).unwrap();
        Bucket { carrier, flight_number: number, origin, date: self.day, class }.id().unwrap().raw()
    }

    fn sells(&self, tickets: usize) -> IssuedOrder {
        self.world.sells(self.world.order().tickets(tickets).on_flight(self.bucket(1501, 'Y'), 50))
    }

    /// Another flight of the airline on the same route and day.
    fn other_flight(&self) -> u16 {
        let (pek, sha) = (AirportCode::parse("PEK").unwrap(), AirportCode::parse("SHA").unwrap());
        let schedules = &self.catalogue.schedules;
        let mut flights = schedules.from(pek).filter(|(_, flight)| {
            flight.destination == sha && flight.carrier.as_str() == "CA" && flight.number != 1501 && flight.operates_on(self.day)
        });
        flights.next().unwrap().1.number
    }

    fn at(&self, hour: u32, minute: u32) -> NaiveDateTime {
        self.day.and_hms_opt(hour, minute, 0).unwrap()
    }

    fn files(&self, becomes: NewSchedule) -> Result<ScheduleChangeRow, ScheduleChangeError> {
        let origin = AirportCode::parse("PEK").unwrap();
        let new = NewScheduleChange { flight_number: 1501, origin, date: self.day, becomes, reason: "Weather".into() };
        self.files_change(&new)
    }

    fn files_change(&self, new: &NewScheduleChange) -> Result<ScheduleChangeRow, ScheduleChangeError> {
        let airline = self.world.read(|db| airline_by_code(db, "CA")).unwrap();
        let filed = self.world.store.write(|tx| file_schedule_change(tx, &self.catalogue, &self.world.cause(), &airline, new));
        self.refresh();
        filed
    }

    fn refresh(&self) {
        self.catalogue.schedules.adopt(self.world.read(|db| current_overlay(db, self.world.today())));
    }

    fn retimed(&self) -> ScheduleChangeRow {
        self.files(NewSchedule::Retimed { departing_at: self.at(9, 30), arriving_at: self.at(11, 45) }).unwrap()
    }

    fn replaced(&self) -> ScheduleChangeRow {
        self.files(NewSchedule::Replaced { flight_number: self.other_flight(), date: self.day }).unwrap()
    }

    fn changes(&self, order: &IssuedOrder) -> Vec<AirlineChange> {
        let order = OrderId::of(order.order.id);
        self.world.read(|db| airline_changes(db, None, Some(order), Window::NEWEST, 10))
    }

    fn accepts(&self, change: &AirlineChange) -> Result<AirlineChange, AirlineChangeError> {
        let id = AirlineChangeId::of(change.row.id);
        self.world.store.write(|tx| accept_airline_change(tx, &self.catalogue, &self.world.cause(), id))
    }

    fn sold(&self, bucket: i64) -> i64 {
        self.world.numbers(&format!("SELECT sold AS value FROM seat_bucket WHERE id = {bucket}")).pop().unwrap_or(0)
    }

    fn sold_on(&self, number: u16) -> i64 {
        ('A'..='Z').map(|class| self.sold(self.bucket(number, class))).sum()
    }

    fn coupon(&self, order: &IssuedOrder) -> (i64, NaiveDateTime, NaiveDateTime, i64) {
        use airsettle::ticketing::coupons_of;
        let coupon = self.world.read(|db| coupons_of(db, &[order.tickets[0].id])).remove(0);
        (coupon.flight_number, coupon.departing_at, coupon.arriving_at, coupon.duration_minutes)
    }
}

fn a_retimed_flight_tells_its_orders_and_an_acceptance_moves_the_coupons(engine: Engine) {
    let airline = Airline::on(engine);
    let (order, other) = (airline.sells(2), airline.world.sells(airline.world.order()));
    let filed = airline.retimed();
    assert_eq!((filed.order_count, filed.kind.as_str(), filed.new_duration_minutes), (1, "retimed", Some(135)));
    assert!(airline.changes(&other).is_empty());
    let [change] = &airline.changes(&order)[..] else { panic!("one change") };
    assert_eq!((change.row.state(), change.segments.len()), (AirlineChangeState::Open, 2));
    let before = airline.coupon(&order);
    let accepted = airline.accepts(change).unwrap();
    assert_eq!(accepted.row.state(), AirlineChangeState::Accepted);
    assert_eq!(airline.coupon(&order), (1501, airline.at(9, 30), airline.at(11, 45), 135));
    assert_ne!(airline.coupon(&order), before);
    assert_eq!(airline.accepts(change).unwrap().row, accepted.row, "accepted once");
    assert_eq!((airline.sold(airline.bucket(1501, 'Y')), airline.sold_on(1501)), (2, 2));
    assert_eq!(airline.world.number("SELECT COUNT(*) AS value FROM posting"), 5, "no money moved: receipts and sales only");
    airline.world.adds_up();
}

fn a_replaced_flight_gives_its_seats_back_and_takes_the_new_ones_once(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(3);
    let other = airline.other_flight();
    airline.replaced();
    assert_eq!((airline.sold_on(1501), airline.sold_on(other)), (3, 0), "nothing moves before it is accepted");
    let change = airline.changes(&order).remove(0);
    airline.accepts(&change).unwrap();
    airline.accepts(&change).unwrap();
    assert_eq!((airline.sold_on(1501), airline.sold_on(other)), (0, 3));
    assert_eq!(airline.coupon(&order).0, i64::from(other));
    airline.world.adds_up();
    airline.world.voids(&order);
    assert_eq!((airline.sold_on(1501), airline.sold_on(other)), (0, 0));
    airline.world.adds_up();
}

fn a_class_that_is_full_is_made_up_for_by_another_of_the_cabin(engine: Engine) {
    let airline = Airline::on(engine);
    let (order, other) = (airline.sells(1), airline.other_flight());
    airline.replaced();
    let full = airline.bucket(other, 'Y');
    let fill = |tickets| airline.world.sells(airline.world.order().tickets(tickets).on_flight(full, 4));
    fill(4);
    airline.accepts(&airline.changes(&order)[0]).unwrap();
    assert_eq!((airline.sold(full), airline.sold_on(other), airline.sold_on(1501)), (4, 5, 0));
    airline.world.adds_up();
}

fn a_full_flight_is_not_accepted(engine: Engine) {
    let airline = Airline::on(engine);
    let (order, other) = (airline.sells(1), airline.other_flight());
    airline.replaced();
    // Every class there is gets a bucket without a seat.
    let buckets: Vec<String> = ('A'..='Z').map(|class| format!("({}, 0, 0, 0)", airline.bucket(other, class))).collect();
    let none = format!("INSERT INTO seat_bucket (id, capacity, sold, schedule_change_id) VALUES {}", buckets.join(", "));
    airline.world.database.as_owner(&none).unwrap();
    let refused = airline.accepts(&airline.changes(&order)[0]);
    assert!(matches!(refused, Err(AirlineChangeError::SeatsSoldOut { left: 0, asked: 1, .. })), "{refused:?}");
    assert_eq!((airline.changes(&order)[0].row.state(), airline.sold_on(1501)), (AirlineChangeState::Open, 1));
    airline.world.adds_up();
}

fn a_cancelled_flight_offers_nothing(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(1);
    airline.files(NewSchedule::Cancelled).unwrap();
    let change = airline.changes(&order).remove(0);
    assert!(matches!(airline.accepts(&change), Err(AirlineChangeError::NothingOffered)));
    let waived = airline.world.read(|db| waives_penalty(db, OrderId::of(order.order.id))).unwrap();
    assert_eq!(waived.row.id, change.row.id);
    airline.world.adds_up();
}

fn what_was_priced_before_a_change_is_not_sold(engine: Engine) {
    let airline = Airline::on(engine);
    let on_it = || airline.world.order().on_flight(airline.bucket(1501, 'Y'), 50);
    airline.world.sells(on_it());
    let filed = airline.retimed();
    assert_eq!(airline.world.refuses(on_it()), Refusal::ScheduleChanged { flight: "CA1501".into() });
    assert_eq!(airline.world.refuses(on_it().priced_with(7)), Refusal::ScheduleChanged { flight: "CA1501".into() });
    airline.world.sells(on_it().priced_with(filed.id));
    // A class that had sold nothing is told too.
    let unsold = airline.world.order().on_flight(airline.bucket(1501, 'F'), 8);
    assert_eq!(airline.world.refuses(unsold), Refusal::ScheduleChanged { flight: "CA1501".into() });
    assert_eq!(airline.sold_on(1501), 2);
    airline.world.adds_up();
}

fn a_later_change_takes_the_place_of_one_that_nobody_answered(engine: Engine) {
    let airline = Airline::on(engine);
    let (order, accepted) = (airline.sells(1), airline.sells(1));
    airline.retimed();
    airline.accepts(&airline.changes(&accepted)[0]).unwrap();
    let first = airline.changes(&order).remove(0);
    airline.replaced();
    let states = |order: &IssuedOrder| -> Vec<AirlineChangeState> {
        airline.changes(order).iter().map(|change| change.row.state()).collect()
    };
    assert_eq!(states(&order), [AirlineChangeState::Open, AirlineChangeState::Superseded]);
    assert_eq!(states(&accepted), [AirlineChangeState::Open, AirlineChangeState::Accepted]);
    assert!(matches!(airline.accepts(&first), Err(AirlineChangeError::Answered(AirlineChangeState::Superseded))));
    for one in [&order, &accepted] {
        airline.accepts(&airline.changes(one)[0]).unwrap();
    }
    assert_eq!((airline.sold_on(1501), airline.sold_on(airline.other_flight())), (0, 2));
    airline.world.adds_up();
}

fn an_order_that_was_voided_has_nothing_to_accept(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(1);
    airline.replaced();
    airline.world.voids(&order);
    let refused = airline.accepts(&airline.changes(&order)[0]);
    assert!(matches!(refused, Err(AirlineChangeError::OrderCancelled)));
    assert_eq!((airline.sold_on(1501), airline.sold_on(airline.other_flight())), (0, 0));
    airline.world.adds_up();
    airline.retimed();
    assert_eq!(airline.changes(&order).len(), 1, "who has no seat any more is not told");
}

fn a_coupon_that_was_used_stays_on_its_flight(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(1);
    airline.retimed();
    airline.world.says(&order.tickets[0].number, 1, CouponStatus::Flown);
    let refused = airline.accepts(&airline.changes(&order)[0]);
    assert!(matches!(refused, Err(AirlineChangeError::CouponUsed { coupon: 1, ref status }) if status == "F"));
    airline.replaced();
    assert_eq!(airline.changes(&order).len(), 1, "who has flown is not told");
}

fn another_flight_is_asked_for_without_moving_anything(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(1);
    airline.retimed();
    let (change, before) = (airline.changes(&order).remove(0), airline.coupon(&order));
    let id = AirlineChangeId::of(change.row.id);
    let ask = || airline.world.store.write(|tx| ask_for_another_flight(tx, &airline.world.cause(), id)).unwrap();
    assert_eq!((ask().row.state(), ask().row.state()), (AirlineChangeState::Changed, AirlineChangeState::Changed));
    assert_eq!(airline.coupon(&order), before);
    assert!(airline.world.read(|db| waives_penalty(db, OrderId::of(order.order.id))).is_some());
    airline.accepts(&change).unwrap();
    assert!(airline.world.read(|db| waives_penalty(db, OrderId::of(order.order.id))).is_none());
    airline.world.adds_up();
}

fn tickets_are_given_back_before_the_change_is_answered_so(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(1);
    airline.files(NewSchedule::Cancelled).unwrap();
    let id = AirlineChangeId::of(airline.changes(&order)[0].row.id);
    let give_back = || airline.world.store.write(|tx| give_back_for_change(tx, &airline.world.cause(), id));
    let refused = give_back();
    assert!(matches!(refused, Err(AirlineChangeError::NotGivenBack { coupon: 1, .. })), "{refused:?}");
    airline.world.voids(&order);
    assert_eq!(give_back().unwrap().row.state(), AirlineChangeState::Cancelled);
    assert_eq!(give_back().unwrap().row.state(), AirlineChangeState::Cancelled);
    airline.world.adds_up();
}

fn cancels(airline: &Airline, order: &IssuedOrder) -> Result<(i64, Option<String>), CancelError> {
    let (order, cause) = (OrderId::of(order.order.id), airline.world.cause());
    let quote = airline.world.store.write(|tx| quote_cancellation(tx, &airline.catalogue, &cause, order))?;
    let id = CancellationId::of(quote.row.id);
    let done = airline.world.store.write(|tx| confirm_cancellation(tx, &airline.catalogue, &cause, id))?;
    Ok((done.row.refund_minor, done.refund.map(|refund| refund.row.status)))
}

fn an_order_that_the_airline_changed_is_refunded_whole_and_at_once(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(2);
    airline.world.time_passes(Duration::days(2));
    airline.files(NewSchedule::Cancelled).unwrap();
    assert_eq!(cancels(&airline, &order).unwrap(), (200_000, Some("refunded".into())), "both tickets, without penalty");
    assert_eq!(airline.changes(&order)[0].row.state(), AirlineChangeState::Cancelled);
    assert_eq!(airline.sold_on(1501), 0);
    let history = airline.world.texts("SELECT from_status || to_status || ' ' || source AS value FROM coupon_event ORDER BY id");
    assert_eq!(history, ["OR platform", "OR platform"]);
    airline.world.adds_up();
}

fn whoever_accepts_a_change_pays_the_penalty_of_the_fare(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(1);
    airline.world.time_passes(Duration::days(2));
    airline.retimed();
    let id = OrderId::of(order.order.id);
    let quote = airline.world.store.write(|tx| quote_cancellation(tx, &airline.catalogue, &airline.world.cause(), id)).unwrap();
    assert_eq!(quote.row.refund_minor, 100_000);
    airline.accepts(&airline.changes(&order)[0]).unwrap();
    let confirm = CancellationId::of(quote.row.id);
    let late = airline.world.store.write(|tx| confirm_cancellation(tx, &airline.catalogue, &airline.world.cause(), confirm));
    assert!(
        matches!(late, Err(CancelError::Refund(RefundError::QuoteExpired { .. }))),
        "the quote was for a change that was not accepted"
    );
    let (refund, _) = cancels(&airline, &order).unwrap();
    assert!(refund < 100_000, "{refund}");
    airline.world.adds_up();
}

fn who_has_flown_on_a_changed_flight_asks_for_nothing_any_more(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.world.sells(airline.world.order().coupons(2).on_flight(airline.bucket(1501, 'Y'), 50));
    airline.retimed();
    let waived = || airline.world.read(|db| waives_penalty(db, OrderId::of(order.order.id))).is_some();
    airline.world.says(&order.tickets[0].number, 1, CouponStatus::Flown);
    assert!(waived(), "the second flight is still to be used");
    airline.world.says(&order.tickets[0].number, 2, CouponStatus::Flown);
    assert!(!waived());
}

fn an_exchange_is_not_taken_back_to_a_flight_that_was_changed_since(engine: Engine) {
    use airsettle::ticketing::exchange::ChangeError;
    let airline = Airline::on(engine);
    let world = &airline.world;
    let exchanged = |order: &IssuedOrder| {
        let wanted = Wanted { fare: cny("950.00"), penalty: cny("0.00") };
        let change = world.chooses_because(&world.issued_now(order), wanted, world.other_flight(60), None);
        world.confirms_change(&change, None).unwrap()
    };
    let (before, after) = (airline.sells(1), airline.sells(1));
    airline.retimed();
    let known = exchanged(&before);
    world.voids_change(&known).expect("it was changed before, and the agent knew");
    let change = exchanged(&after);
    airline.files(NewSchedule::Cancelled).unwrap();
    let refused = world.voids_change(&change);
    let flight = "CA1501".to_owned();
    assert!(
        matches!(&refused, Err(ChangeError::Refused(reason)) if *reason == Refusal::ScheduleChanged { flight }),
        "{refused:?}"
    );
    world.adds_up();
}

fn what_an_acceptance_left_behind_is_proved(engine: Engine) {
    let cases = [
        ("UPDATE airline_change_segment SET new_seat_bucket_id = new_seat_bucket_id + 1", "a coupon sits where the last change"),
        (
            "UPDATE airline_change SET action_taken = NULL, action_taken_at = NULL",
            "has moved all of its coupons when it was accepted",
        ),
    ];
    for (change, rule) in cases {
        let airline = Airline::on(engine);
        let order = airline.sells(1);
        airline.replaced();
        airline.accepts(&airline.changes(&order)[0]).unwrap();
        airline.world.adds_up();
        airline.world.database.as_owner(change).unwrap();
        let fault = airline.world.sale_fault().unwrap();
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}

fn what_cannot_be_changed_is_named(engine: Engine) {
    let airline = Airline::on(engine);
    let retimed = |departing_at, arriving_at| airline.files(NewSchedule::Retimed { departing_at, arriving_at }).unwrap_err();
    let next_day = airline.at(9, 0) + Duration::days(1);
    assert!(matches!(retimed(next_day, next_day + Duration::hours(2)), ScheduleChangeError::OtherDay));
    assert!(matches!(retimed(airline.at(9, 0), airline.at(8, 0)), ScheduleChangeError::ArrivesTooSoon));
    let replaced = |flight_number| airline.files(NewSchedule::Replaced { flight_number, date: airline.day }).unwrap_err();
    for number in [1501, 9_999] {
        assert!(matches!(replaced(number), ScheduleChangeError::NoReplacement { .. }), "{number}");
    }
    let origin = AirportCode::parse("PEK").unwrap();
    let on = |flight_number, date| NewScheduleChange {
        flight_number,
        origin,
        date,
        becomes: NewSchedule::Cancelled,
        reason: "Weather".into(),
    };
    let refused = |new: &NewScheduleChange| airline.files_change(new).unwrap_err();
    assert!(matches!(refused(&on(9_998, airline.day)), ScheduleChangeError::NoFlight { .. }));
    assert!(matches!(refused(&on(1501, airline.world.today() - Days::new(1))), ScheduleChangeError::Departed { .. }));
    assert_eq!(airline.world.number("SELECT COUNT(*) AS value FROM schedule_change"), 0);
}

fn the_coupons_of_a_sale_are_told_as_they_were_issued(engine: Engine) {
    let airline = Airline::on(engine);
    let order = airline.sells(2);
    airline.retimed();
    airline.accepts(&airline.changes(&order)[0]).unwrap();
    airline.replaced();
    airline.accepts(&airline.changes(&order)[0]).unwrap();
    assert_eq!(airline.coupon(&order).0, i64::from(airline.other_flight()));
    let tickets: Vec<i64> = order.tickets.iter().map(|ticket| ticket.id).collect();
    assert_eq!(airline.world.read(|db| coupons_as_issued(db, &tickets)), order.coupons);
    airline.world.adds_up();
}

fn the_schedule_is_read_again_when_something_was_changed(engine: Engine) {
    let airline = Airline::on(engine);
    let version = || airline.world.read(schedule_version);
    assert_eq!((version(), airline.catalogue.schedules.overlay_version()), (0, 0));
    airline.retimed();
    assert_eq!((version(), airline.catalogue.schedules.overlay_version()), (1, 1));
    let (carrier, origin) = (CarrierCode::parse("CA").unwrap(), AirportCode::parse("PEK").unwrap());
    let (index, _) = airline.catalogue.schedules.find(carrier, 1501, origin).unwrap();
    let departure = || airline.catalogue.schedules.departure(&airline.catalogue.airports, index, airline.day);
    assert_eq!(departure().unwrap().departing_at, airline.at(9, 30));
    airline.files(NewSchedule::Cancelled).unwrap();
    assert_eq!(departure(), None);
    // It comes back.
    airline.retimed();
    assert_eq!(departure().unwrap().arriving_at, airline.at(11, 45));
    assert_eq!(version(), 3);
}
