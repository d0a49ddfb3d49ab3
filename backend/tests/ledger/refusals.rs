//! Every reason to refuse a sale: what is answered, and that nothing is left behind.

use crate::database::Engine;
use crate::order::Order;
use crate::world::{World, cny};
use airsettle::agencies::AgencyStatus;
use airsettle::credit::close_facility;
use airsettle::ticketing::{Outcome, Refusal};

on_both_engines!(
    a_frozen_agency_sells_nothing,
    a_closed_agency_sells_nothing,
    an_airline_that_was_stopped_is_not_sold,
    an_order_in_another_currency_is_refused,
    a_sold_out_class_says_how_many_seats_are_left,
    no_ticket_is_issued_without_a_number_for_each,
    a_limit_says_how_much_is_short,
    a_lowered_limit_stops_new_sales_and_nothing_else,
    a_wallet_says_how_much_is_short,
    an_exhausted_line_says_how_much_is_short,
    a_closed_line_says_why,
    without_a_line_nothing_is_sold_on_credit,
    the_first_refusal_is_answered_when_the_wallet_cannot_pay_either,
    a_refused_key_stays_refused_after_funds_arrive,
    a_refused_order_without_a_key_can_be_tried_again,
);

/// Refused with and without a key, and nothing but the key is remembered.
fn refused_without_a_trace(world: &World, order: &Order<'_>, expected: &Refusal) {
    let (rows, balances) = (world.row_counts(), world.balances());
    assert_eq!(&world.refuses(order.clone()), expected);
    assert_eq!(world.row_counts(), rows, "a refusal without a key leaves no row");
    assert_eq!(&world.refuses(order.clone().keyed("refused")), expected);
    let mut with_key = rows;
    *with_key.get_mut("idempotency_key").unwrap() += 1;
    assert_eq!(world.row_counts(), with_key, "a refusal with a key leaves the key");
    assert_eq!(world.balances(), balances);
    assert!(!expected.remedy().is_empty());
    world.adds_up();
}

fn a_frozen_agency_sells_nothing(engine: Engine) {
    let world = World::trading(engine);
    world.sets_status(AgencyStatus::Frozen);
    refused_without_a_trace(&world, &world.order(), &Refusal::AgencyFrozen);
    world.sets_status(AgencyStatus::Active);
    world.sells(world.order());
}

fn a_closed_agency_sells_nothing(engine: Engine) {
    let world = World::trading(engine);
    world.sells(world.order());
    world.sets_status(AgencyStatus::Closed);
    refused_without_a_trace(&world, &world.order(), &Refusal::AgencyClosed);
}

fn an_airline_that_was_stopped_is_not_sold(engine: Engine) {
    let world = World::trading(engine);
    world.database.as_owner("UPDATE airline SET status = 'stopped'").unwrap();
    refused_without_a_trace(&world, &world.order(), &Refusal::AirlineStopped { carrier: "CA".into() });
}

fn an_order_in_another_currency_is_refused(engine: Engine) {
    let world = World::trading(engine);
    for other in ["USD", "JPY", "KWD"] {
        let order = world.order().in_currency(other);
        assert_eq!(world.refuses(order), Refusal::CurrencyMismatch { agency_currency: "CNY".into() });
    }
    let order = world.order().in_currency("USD");
    refused_without_a_trace(&world, &order, &Refusal::CurrencyMismatch { agency_currency: "CNY".into() });
}

fn a_sold_out_class_says_how_many_seats_are_left(engine: Engine) {
    let world = World::trading(engine);
    world.sells(world.order().on_flight(8_000, 3).tickets(2));
    let sold_out = |asked| Refusal::SeatsSoldOut { flight: "CA1501".into(), booking_class: 'Y', left: 1, asked };
    refused_without_a_trace(&world, &world.order().on_flight(8_000, 3).tickets(2), &sold_out(2));
    world.sells(world.order().on_flight(8_000, 3));
    // A class that is closed from the start.
    let closed = Refusal::SeatsSoldOut { flight: "CA1501".into(), booking_class: 'Y', left: 0, asked: 1 };
    assert_eq!(world.refuses(world.order().on_flight(8_001, 0)), closed);
}

fn no_ticket_is_issued_without_a_number_for_each(engine: Engine) {
    let world = World::trading(engine);
    world.database.as_owner("UPDATE stock_range SET last_document = next_document + 1").unwrap();
    refused_without_a_trace(&world, &world.order().tickets(3), &Refusal::StockExhausted { carrier: "CA".into() });
    world.sells(world.order().tickets(2));
    refused_again(&world);
}

fn refused_again(world: &World) {
    assert_eq!(world.refuses(world.order()), Refusal::StockExhausted { carrier: "CA".into() });
    world.adds_up();
}

fn a_limit_says_how_much_is_short(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("1939.99");
    world.sells(world.order());
    let exceeded = Refusal::LimitExceeded {
        short_minor: 1,
        limit_minor: cny("1939.99").minor,
        exposure_minor: cny("970.00").minor,
        currency: "CNY".into(),
    };
    refused_without_a_trace(&world, &world.order(), &exceeded);
    world.lodges_deposit("0.01");
    world.sells(world.order());
    assert_eq!(world.exposure(), cny("1940.00"));
}

fn a_lowered_limit_stops_new_sales_and_nothing_else(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("2000.00");
    let sold = world.order().keyed("sold");
    world.sells(sold.clone());
    world.adopts_policy("0.25", "1000000.00");
    let exceeded = Refusal::LimitExceeded {
        short_minor: cny("1440.00").minor,
        limit_minor: cny("500.00").minor,
        exposure_minor: cny("970.00").minor,
        currency: "CNY".into(),
    };
    refused_without_a_trace(&world, &world.order(), &exceeded);
    assert!(matches!(world.issue(sold), Outcome::Replayed(_)), "what is sold stays sold");
    assert_eq!(world.exposure(), cny("970.00"));
}

fn a_wallet_says_how_much_is_short(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "969.99");
    let insufficient = Refusal::WalletInsufficient { short_minor: 1, balance_minor: cny("969.99").minor, currency: "CNY".into() };
    refused_without_a_trace(&world, &world.order().by_wallet(), &insufficient);
    world.tops_up(world.prepaid, "0.01");
    world.sells(world.order().by_wallet());
}

fn an_exhausted_line_says_how_much_is_short(engine: Engine) {
    let world = World::trading(engine);
    world.sets_facility_limit("1829.99");
    world.sells(world.order());
    let exhausted = Refusal::FacilityExhausted { short_minor: 1, currency: "CNY".into() };
    refused_without_a_trace(&world, &world.order(), &exhausted);
    // A limit below what is held stops new holds and nothing else.
    world.sets_facility_limit("100.00");
    let exhausted = Refusal::FacilityExhausted { short_minor: cny("1730.00").minor, currency: "CNY".into() };
    assert_eq!(world.refuses(world.order()), exhausted);
    world.sells(world.order().by_wallet());
    world.adds_up();
}

fn a_closed_line_says_why(engine: Engine) {
    let world = World::trading(engine);
    world.write(|tx| Ok(close_facility(tx, world.facility, "covenant breached")?));
    // The first reason stays.
    world.write(|tx| Ok(close_facility(tx, world.facility, "another reason")?));
    refused_without_a_trace(&world, &world.order(), &Refusal::FacilityClosed { reason: "covenant breached".into() });
}

fn without_a_line_nothing_is_sold_on_credit(engine: Engine) {
    let world = World::trading(engine);
    world.database.as_owner("UPDATE facility SET currency = 'USD'").unwrap();
    refused_without_a_trace(&world, &world.order(), &Refusal::NoFacility { currency: "CNY".into() });
    world.sells(world.order().by_wallet());
}

fn the_first_refusal_is_answered_when_the_wallet_cannot_pay_either(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("969.99");
    let exceeded =
        Refusal::LimitExceeded { short_minor: 1, limit_minor: cny("969.99").minor, exposure_minor: 0, currency: "CNY".into() };
    refused_without_a_trace(&world, &world.order().by_balance(), &exceeded);
    world.tops_up(world.agency, "970.00");
    assert_eq!(world.sells(world.order().by_balance()).order.tender.as_deref(), Some("wallet"));
    world.adds_up();
}

fn a_refused_key_stays_refused_after_funds_arrive(engine: Engine) {
    let world = World::on(engine);
    let order = world.order().keyed("late-retry");
    let first = world.refuses(order.clone());
    world.lodges_deposit("970.00");
    let rows = world.row_counts();
    match world.issue(order) {
        Outcome::RefusedBefore(refusal) => assert_eq!(refusal, first),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.row_counts(), rows);
    world.sells(world.order().keyed("new-decision"));
}

fn a_refused_order_without_a_key_can_be_tried_again(engine: Engine) {
    let world = World::on(engine);
    let order = world.order().for_passengers("zhang-on-offer-1");
    world.refuses(order.clone());
    world.lodges_deposit("970.00");
    world.sells(order);
    assert_eq!(world.tickets(), 1);
}
