//! The bank line fails closed, never open, and wallet sales go on.

use crate::bank::{refused, settled, settled_at};
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::credit::{AdvanceError, FacilityError};
use airsettle::ticketing::Refusal;
use chrono::Duration;

on_both_engines!(
    an_advance_that_is_unresolved_for_too_long_closes_the_line,
    too_many_advances_in_flight_close_the_line,
    a_refused_advance_closes_the_line_until_the_bank_was_probed,
    a_wrong_amount_closes_the_line,
    a_line_is_not_reopened_over_an_old_advance,
    a_second_line_takes_what_the_first_one_cannot,
);

const TOO_LONG: &str = "an advance has been unresolved for too long";

fn closed(reason: &str) -> Refusal {
    Refusal::FacilityClosed { reason: reason.to_owned() }
}

/// Credit is refused for this reason; whoever has prepaid flies.
fn only_wallets_sell(world: &World, reason: &str) {
    assert_eq!(world.refuses(world.order()), closed(reason));
    world.sells(world.order().by_wallet());
    world.tops_up(world.agency, "970.00");
    assert_eq!(world.sells(world.order().by_balance()).order.tender.as_deref(), Some("wallet"));
    world.adds_up();
}

fn an_advance_that_is_unresolved_for_too_long_closes_the_line(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    world.sends(&advance);
    world.time_passes(Duration::seconds(20));
    world.sells(world.order());
    world.time_passes(Duration::seconds(11));
    only_wallets_sell(&world, TOO_LONG);
    // The answer for the oldest opens it again for as long as the next one is young enough.
    world.bank_says(&[settled(&advance)]);
    world.sells(world.order());
    world.time_passes(Duration::seconds(20));
    assert_eq!(world.refuses(world.order()), closed(TOO_LONG));
    world.adds_up();
}

fn too_many_advances_in_flight_close_the_line(engine: Engine) {
    let world = World::trading(engine);
    world.database.as_owner("UPDATE facility SET max_unconfirmed = 3").unwrap();
    let first = world.advance_of(&world.sells(world.order()));
    let too_many = "too many advances are unconfirmed";
    assert_eq!(world.refuses(world.order().tickets(3)), closed(too_many));
    world.sells(world.order().tickets(2));
    only_wallets_sell(&world, too_many);
    world.sends(&first);
    world.bank_says(&[settled(&first)]);
    world.sells(world.order());
    assert_eq!(world.line().facility.unconfirmed, 3);
    world.adds_up();
}

fn a_refused_advance_closes_the_line_until_the_bank_was_probed(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    world.sends(&advance);
    world.bank_says(&[refused(&advance)]);
    only_wallets_sell(&world, "the bank refused an advance");
    // In doubt until the next attempt has been paid.
    let error = world.reopens_line().unwrap_err();
    assert!(matches!(error, AdvanceError::Facility(FacilityError::Unresolved)), "{error}");
    let second = world.sends(&advance).unwrap();
    world.bank_says(&[settled(&second)]);
    world.reopens_line().unwrap();
    world.sells(world.order());
    world.adds_up();
}

fn a_wrong_amount_closes_the_line(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    world.sends(&advance);
    world.bank_says(&[settled_at(&advance, cny("9150.00"))]);
    only_wallets_sell(&world, "the bank settled an advance at another amount");
}

fn a_line_is_not_reopened_over_an_old_advance(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    world.sends(&advance);
    world.bank_says(&[refused(&advance)]);
    world.time_passes(Duration::seconds(31));
    let error = world.reopens_line().unwrap_err();
    assert!(matches!(error, AdvanceError::Facility(FacilityError::Unresolved)), "{error}");
    let second = world.sends(&advance).unwrap();
    world.bank_says(&[settled(&second)]);
    world.reopens_line().unwrap();
    world.sells(world.order());
    world.adds_up();
}

fn a_second_line_takes_what_the_first_one_cannot(engine: Engine) {
    let world = World::trading(engine);
    world.sets_facility_limit("915.00");
    let second = world.opens_second_line("1000.00");
    let on_line = |world: &World| world.advance_of(&world.sells(world.order())).facility;
    // At the same cost, the one with more room first.
    assert_eq!(on_line(&world), Some(second));
    assert_eq!(on_line(&world), Some(world.facility));
    let exhausted = Refusal::FacilityExhausted { short_minor: cny("830.00").minor, currency: "CNY".into() };
    assert_eq!(world.refuses(world.order()), exhausted);
    // An exhausted line is named before a closed one, because it says how much is short.
    world.database.as_owner("UPDATE facility SET status = 'closed', closed_reason = 'x' WHERE name = 'Line A'").unwrap();
    assert_eq!(world.refuses(world.order()), exhausted);
    world.adds_up();
}
