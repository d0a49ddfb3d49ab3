//! The golden case of the design, account by account.

use crate::bank::settled;
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::credit::AdvanceState;

on_both_engines!(
    sold_on_credit_and_paid_by_the_bank,
    sold_from_the_wallet_and_paid_from_client_cash,
    an_airline_that_remits_its_taxes_gets_them,
    an_order_of_three_tickets_is_three_sales,
    an_airline_that_is_owed_nothing_is_sent_nothing,
);

fn sold_on_credit_and_paid_by_the_bank(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("970.00");
    let order = world.sells(world.order());
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 970.00",
            "agency.receivable 1000.00",
            "agency.commission 30.00",
            "airline.payable 915.00",
            "authority.tax[CAAC/CN] 50.00",
            "platform.cash[client] 970.00",
            "platform.fee_income 5.00",
        ]
    );
    assert_eq!(world.exposure(), cny("970.00"));
    assert_eq!((world.line().drawn, world.line().held), (cny("0.00"), cny("915.00")));
    let advance = world.advance_of(&order);
    assert_eq!((advance.state, advance.amount, advance.facility), (AdvanceState::Held, cny("915.00"), Some(world.facility)));
    world.adds_up();

    world.sends(&advance);
    world.bank_says(&[settled(&advance)]);
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 970.00",
            "agency.receivable 1000.00",
            "agency.commission 30.00",
            "authority.tax[CAAC/CN] 50.00",
            "bank.loan 915.00",
            "platform.cash[client] 970.00",
            "platform.fee_income 5.00",
        ]
    );
    assert_eq!((world.line().drawn, world.line().held), (cny("915.00"), cny("0.00")));
    assert_eq!(world.texts("SELECT state AS value FROM hold"), ["posted"]);
    assert_eq!(world.exposure(), cny("970.00"), "the bank's risk is not the agency's");
    world.adds_up();
}

fn sold_from_the_wallet_and_paid_from_client_cash(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet());
    assert_eq!(
        world.balances(),
        ["airline.payable 915.00", "authority.tax[CAAC/CN] 50.00", "platform.cash[client] 970.00", "platform.fee_income 5.00",]
    );
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM hold"), 0);
    let advance = world.advance_of(&order);
    assert_eq!(advance.facility, None);

    world.sends(&advance);
    world.bank_says(&[settled(&advance)]);
    // What is left of client cash is earned: tax and fee, to be swept.
    assert_eq!(world.balances(), ["authority.tax[CAAC/CN] 50.00", "platform.cash[client] 55.00", "platform.fee_income 5.00"]);
    world.adds_up();
}

fn an_airline_that_remits_its_taxes_gets_them(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("970.00");
    let order = world.sells(world.order().airline_remits_taxes());
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 970.00",
            "agency.receivable 1000.00",
            "agency.commission 30.00",
            "airline.payable 965.00",
            "platform.cash[client] 970.00",
            "platform.fee_income 5.00",
        ]
    );
    assert_eq!(world.line().held, cny("965.00"));
    assert_eq!(order.taxes[0].remitter, "airline");
    world.adds_up();
}

fn an_order_of_three_tickets_is_three_sales(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("2910.00");
    let order = world.sells(world.order().tickets(3));
    assert_eq!(order.order.total_minor, cny("3000.00").minor);
    let numbers: Vec<&str> = order.tickets.iter().map(|ticket| ticket.number.as_str()).collect();
    assert_eq!(numbers, ["9992100000000", "9992100000001", "9992100000002"]);
    assert_eq!(world.exposure(), cny("2910.00"));
    assert_eq!(world.line().facility.unconfirmed, 3);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_sale'"), 3);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM outbox WHERE done_at IS NULL"), 3);
    world.adds_up();
}

/// A fare so small that commission and fee take all of it. No line is needed, and none is asked.
fn an_airline_that_is_owed_nothing_is_sent_nothing(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("100.00");
    world.sets_facility_limit("0.00");
    let order = world.sells(world.order().fare(cny("1.81")));
    assert_eq!(order.tickets[0].airline_minor, 0);
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 100.00",
            "agency.receivable 51.81",
            "agency.commission 1.55",
            "authority.tax[CAAC/CN] 50.00",
            "platform.cash[client] 100.00",
            "platform.fee_income 0.26",
        ]
    );
    let rows = world.row_counts();
    assert_eq!((rows["hold"], rows["advance"], rows["outbox"]), (0, 0, 0));
    world.adds_up();
}
