//! Voids in every state of the advance, claims on airlines and their set-off.

use crate::bank::{accepted, refused, settled, settled_at, silence};
use crate::database::Engine;
use crate::settlement::tax;
use crate::world::{World, cny};
use airsettle::agencies::AgencyStatus;
use airsettle::credit::{AdvanceState, confirm_transfer, transfers};
use airsettle::db::Window;
use airsettle::settlement::Purpose;
use airsettle::ticketing::{CancellationRow, IssuedOrder, VoidError};
use chrono::Duration;

on_both_engines!(
    a_void_before_the_advance_left_leaves_nothing,
    a_void_after_the_bank_refused_leaves_nothing,
    a_void_after_the_airline_was_paid_is_claimed_back,
    a_void_while_the_advance_is_on_its_way_waits_for_the_bank,
    a_void_of_an_advance_that_the_bank_refuses_later_leaves_nothing,
    a_claim_pays_the_next_advance,
    a_claim_that_is_smaller_pays_a_part,
    claims_are_used_oldest_first,
    a_claim_on_demand_is_repaid_not_set_off,
    a_wallet_ticket_is_given_back_to_the_wallet,
    a_paid_wallet_ticket_needs_own_money_until_the_airline_gives_it_back,
    all_tickets_of_an_order_or_none,
    the_window_ends_after_the_last_minute_of_the_day,
    a_tax_that_was_paid_is_owed_back_and_the_next_ticket_makes_up_for_it,
    a_flown_coupon_cannot_be_voided,
    two_confirmations_void_once,
    a_frozen_agency_may_void,
    a_bank_that_pays_a_cancelled_advance_closes_the_line,
    a_voided_seat_can_be_sold_again,
);

impl World {
    pub fn quotes(&self, order: &IssuedOrder) -> Result<CancellationRow, VoidError> {
        self.quotes_order(id(order))
    }

    pub fn quotes_order(&self, order: airsettle::ids::OrderId) -> Result<CancellationRow, VoidError> {
        self.voids_with(|tx, world| airsettle::ticketing::quote_void(tx, world.catalogue(), &world.cause(), order))
    }

    pub fn confirms(&self, quote: &CancellationRow) -> Result<CancellationRow, VoidError> {
        use airsettle::ids::{CancellationId, Id};
        let quote = CancellationId::of(quote.id);
        self.voids_with(|tx, world| airsettle::ticketing::confirm_void(tx, world.catalogue(), &world.cause(), quote))
    }

    /// Quotes and confirms a void that must succeed.
    pub fn voids(&self, order: &IssuedOrder) {
        let quote = self.quotes(order).unwrap();
        assert!(self.confirms(&quote).unwrap().confirmed_at.is_some());
    }

    fn voids_with<T>(
        &self,
        change: impl FnOnce(&mut airsettle::db::WriteTx, &World) -> Result<T, VoidError>,
    ) -> Result<T, VoidError> {
        self.store.write(|tx| change(tx, self))
    }
}

fn id(order: &IssuedOrder) -> airsettle::ids::OrderId {
    use airsettle::ids::Id;
    airsettle::ids::OrderId::of(order.order.id)
}

const DEPOSITED: [&str; 2] = ["agency.deposit 5000.00", "platform.cash[client] 5000.00"];

/// A world whose agency may sell five tickets on credit.
fn world_on(engine: Engine) -> World {
    let world = World::on(engine);
    world.lodges_deposit("5000.00");
    world
}

fn paid(world: &World, order: &IssuedOrder) {
    let advance = world.advance_of(order);
    let sent = world.sends(&advance).unwrap();
    assert_eq!(world.bank_says(&[settled(&sent)]).len(), 1);
}

fn a_void_before_the_advance_left_leaves_nothing(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    world.voids(&order);
    assert_eq!(world.balances(), DEPOSITED);
    let advance = world.advance_of(&order);
    assert_eq!((advance.state, advance.cancelled), (AdvanceState::Cancelled, cny("915.00")));
    assert_eq!((world.line().drawn, world.line().held, world.line().facility.unconfirmed), (cny("0.00"), cny("0.00"), 0));
    assert_eq!(world.exposure(), cny("0.00"));
    assert!(world.sends(&advance).is_none(), "nothing leaves any more");
    assert_eq!(world.texts("SELECT status AS value FROM coupon"), ["V"]);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM outbox WHERE done_at IS NULL"), 0);
    world.adds_up();
}

fn a_void_after_the_bank_refused_leaves_nothing(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[refused(&sent)]);
    world.voids(&order);
    assert_eq!(world.balances(), DEPOSITED);
    assert_eq!(world.advance_of(&order).state, AdvanceState::Cancelled);
    assert_eq!(world.line().held, cny("0.00"));
    world.adds_up();
    world.reopens_line().unwrap();
}

fn a_void_after_the_airline_was_paid_is_claimed_back(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    world.voids(&order);
    let [deposit, cash] = DEPOSITED;
    assert_eq!(world.balances(), [deposit, "airline.receivable 915.00", "bank.loan 915.00", cash]);
    assert_eq!(world.numbers("SELECT amount_minor AS value FROM airline_claim"), [91_500]);
    assert_eq!(world.exposure(), cny("0.00"), "the agency owes nothing any more");
    world.adds_up();
}

fn a_void_while_the_advance_is_on_its_way_waits_for_the_bank(engine: Engine) {
    for word in [accepted, silence] {
        let world = world_on(engine);
        let order = world.sells(world.order());
        let sent = world.sends(&world.advance_of(&order)).unwrap();
        world.bank_says(&[word(&sent)]);
        world.voids(&order);
        let [deposit, cash] = DEPOSITED;
        assert_eq!(world.balances(), [deposit, "airline.payable 915.00", "airline.receivable 915.00", cash]);
        assert_eq!(world.line().held, cny("915.00"), "the hold stays");
        assert_eq!(world.number("SELECT COUNT(*) AS value FROM airline_claim"), 0, "nothing is certain yet");
        world.adds_up();

        world.bank_says(&[settled(&sent)]);
        assert_eq!(world.balances(), [deposit, "airline.receivable 915.00", "bank.loan 915.00", cash]);
        assert_eq!(world.numbers("SELECT amount_minor AS value FROM airline_claim"), [91_500]);
        world.adds_up();
    }
}

fn a_void_of_an_advance_that_the_bank_refuses_later_leaves_nothing(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.voids(&order);
    let resolved = world.bank_says(&[refused(&sent)]);
    assert_eq!(resolved.iter().map(|advance| advance.state).collect::<Vec<_>>(), [AdvanceState::Cancelled]);
    assert_eq!(world.balances(), DEPOSITED);
    assert_eq!((world.line().held, world.line().facility.unconfirmed), (cny("0.00"), 0));
    assert!(world.sends(&sent).is_none(), "no new attempt");
    world.bank_says(&[refused(&sent)]);
    world.adds_up();
}

fn a_claim_pays_the_next_advance(engine: Engine) {
    let world = world_on(engine);
    let first = world.sells(world.order());
    paid(&world, &first);
    world.voids(&first);
    let second = world.sells(world.order());
    assert_eq!(world.line().held, cny("915.00"), "the sale itself sets nothing off");
    assert!(world.sends(&world.advance_of(&second)).is_none(), "nothing is left to pay");
    let advance = world.advance_of(&second);
    assert_eq!((advance.state, advance.set_off), (AdvanceState::SetOff, cny("915.00")));
    assert_eq!((world.line().drawn, world.line().held, world.line().facility.unconfirmed), (cny("915.00"), cny("0.00"), 0));
    let names = "SELECT c.ticket_id AS value FROM claim_settlement s JOIN airline_claim c ON c.id = s.claim_id
        UNION ALL SELECT a.ticket_id FROM claim_settlement s JOIN advance a ON a.id = s.advance_id";
    assert_eq!(world.numbers(names), [first.tickets[0].id, second.tickets[0].id], "both tickets are named");
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM outbox WHERE done_at IS NULL"), 0);
    world.adds_up();

    // The airline was paid for the second ticket, so a void of it is a claim again.
    world.voids(&second);
    assert_eq!(world.numbers("SELECT amount_minor AS value FROM airline_claim ORDER BY id"), [91_500, 91_500]);
    world.adds_up();
}

fn a_claim_that_is_smaller_pays_a_part(engine: Engine) {
    let world = world_on(engine);
    let first = world.sells(world.order());
    paid(&world, &first);
    world.voids(&first);
    let second = world.sells(world.order().fare(cny("1950.00")));
    let share = second.tickets[0].airline_minor;
    let sent = world.sends(&world.advance_of(&second)).unwrap();
    assert_eq!(sent.outstanding().minor, share - 91_500);
    assert_eq!(world.line().held.minor, share - 91_500);
    world.adds_up();
    world.bank_says(&[settled_at(&sent, sent.outstanding())]);
    assert_eq!(world.line().drawn.minor, share, "915.00 of the first ticket and the rest of the second");
    assert_eq!(world.advance_of(&second).state, AdvanceState::Confirmed);
    world.adds_up();
}

fn claims_are_used_oldest_first(engine: Engine) {
    let world = world_on(engine);
    let (one, two) = (world.sells(world.order()), world.sells(world.order()));
    paid(&world, &one);
    paid(&world, &two);
    world.voids(&one);
    world.voids(&two);
    let third = world.sells(world.order().fare(cny("1100.00")));
    assert!(world.sends(&world.advance_of(&third)).is_none());
    let settled = world.numbers("SELECT settled_minor AS value FROM airline_claim ORDER BY id");
    assert_eq!(settled, [91_500, third.tickets[0].airline_minor - 91_500]);
    world.adds_up();
}

fn a_claim_on_demand_is_repaid_not_set_off(engine: Engine) {
    let world = world_on(engine);
    world.database.as_owner("UPDATE contract SET airline_return = 'repay_on_demand'").unwrap();
    let first = world.sells(world.order());
    paid(&world, &first);
    world.voids(&first);
    let second = world.sells(world.order());
    assert_eq!(world.sends(&world.advance_of(&second)).unwrap().outstanding(), cny("915.00"));
    let repays = |amount| world.receives(&world.receipt(Purpose::AirlineRepayment(world.airline), amount));
    let refused = repays("915.01").unwrap_err();
    assert!(refused.to_string().contains("915.00"), "{refused}");
    repays("400.00").unwrap();
    assert_eq!(world.numbers("SELECT settled_minor AS value FROM airline_claim"), [40_000]);
    world.adds_up();
    repays("515.00").unwrap();
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM airline_claim WHERE settled_at IS NULL"), 0);
    assert!(world.balances().contains(&"platform.cash[own] 915.00".to_owned()));
    world.adds_up();
}

fn a_wallet_ticket_is_given_back_to_the_wallet(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet());
    world.voids(&order);
    assert_eq!(world.balances(), ["agency.wallet 970.00", "platform.cash[client] 970.00"]);
    assert_eq!(world.advance_of(&order).state, AdvanceState::Cancelled);
    world.adds_up();
}

fn a_paid_wallet_ticket_needs_own_money_until_the_airline_gives_it_back(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet());
    paid(&world, &order);
    let quote = world.quotes(&order).unwrap();
    let rows = world.row_counts();
    let refused = world.confirms(&quote).unwrap_err();
    assert!(matches!(refused, VoidError::AirlineFundsAwaited { short } if short == cny("915.00")), "{refused}");
    assert_eq!(world.row_counts(), rows, "nothing was changed");
    world.adds_up();

    world.receives(&world.receipt(Purpose::Capital, "1000.00")).unwrap();
    world.confirms(&quote).unwrap();
    assert_eq!(
        world.balances(),
        [
            "agency.wallet 970.00",
            "airline.receivable 915.00",
            "platform.cash[client] 55.00",
            "platform.cash[own] 85.00",
            "platform.cash_transfer 915.00",
            "platform.capital 1000.00",
        ]
    );
    world.adds_up();
    let transfer = world.read(|db| transfers(db, Window::NEWEST, 1)).pop().unwrap();
    let said = airsettle::credit::Confirmation { bank_reference: "T-1".into(), value_date: world.today() };
    for _ in 0..2 {
        world.write(|tx| Ok(confirm_transfer(tx, airsettle::audit::Actor::platform(), transfer.id, &said)?));
    }
    assert!(world.balances().contains(&"platform.cash[client] 970.00".to_owned()));
    world.adds_up();
}

fn all_tickets_of_an_order_or_none(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order().tickets(3));
    let second = world.advances()[1].clone();
    let sent = world.sends(&second).unwrap();
    world.bank_says(&[settled(&sent)]);
    world.voids(&order);
    let [deposit, cash] = DEPOSITED;
    assert_eq!(world.balances(), [deposit, "airline.receivable 915.00", "bank.loan 915.00", cash]);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_void'"), 3);
    world.adds_up();
}

fn the_window_ends_after_the_last_minute_of_the_day(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    paid(&world, &order);
    let quote = world.quotes(&order).unwrap();
    let ends = airsettle::clock::Timestamp::from(quote.expires_at);
    assert_eq!(ends.date_in(world.store.zone()), world.today().succ_opt().unwrap(), "midnight in Shanghai");
    world.time_passes(ends.since(world.clock.now()) - Duration::seconds(2));
    let other = world.sells(world.order());
    world.voids(&other);
    world.time_passes(Duration::seconds(4));
    let rows = world.row_counts();
    assert!(matches!(world.confirms(&quote), Err(VoidError::WindowClosed { .. })));
    assert!(matches!(world.quotes(&order), Err(VoidError::WindowClosed { .. })));
    assert_eq!(world.row_counts(), rows);
    world.adds_up();
}

fn a_tax_that_was_paid_is_owed_back_and_the_next_ticket_makes_up_for_it(engine: Engine) {
    let world = world_on(engine);
    world.receives(&world.receipt(Purpose::Capital, "60.00")).unwrap();
    let order = world.sells(world.order());
    world.pays(tax("50.00")).unwrap();
    world.voids(&order);
    assert!(world.balances().contains(&"authority.tax[CAAC/CN] -50.00".to_owned()), "{:?}", world.balances());
    world.adds_up();
    world.sells(world.order());
    let refused = world.pays(tax("0.01")).unwrap_err();
    assert!(refused.to_string().starts_with("0.00 is owed"), "{refused}");
    world.adds_up();
}

fn a_flown_coupon_cannot_be_voided(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let quote = world.quotes(&order).unwrap();
    world.database.as_owner("UPDATE coupon SET status = 'C'").unwrap();
    let refused = world.confirms(&quote).unwrap_err();
    assert!(refused.to_string().contains("status C"), "{refused}");
}

fn two_confirmations_void_once(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let (one, two) = (world.quotes(&order).unwrap(), world.quotes(&order).unwrap());
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = [&one, &one, &two].map(|quote| scope.spawn(|| world.confirms(quote))).into_iter().collect();
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    let voided = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((1..=2).contains(&voided), "{outcomes:?}");
    assert!(outcomes.iter().flatten().all(|row| row.confirmed_at.is_some()));
    assert!(
        outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(|e| matches!(e, VoidError::AlreadyCancelled { .. }))
    );
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_void'"), 1);
    assert_eq!(world.balances(), DEPOSITED);
    world.adds_up();
}

fn a_frozen_agency_may_void(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    world.sets_status(AgencyStatus::Frozen);
    world.voids(&order);
    assert_eq!(world.balances(), DEPOSITED);
}

fn a_bank_that_pays_a_cancelled_advance_closes_the_line(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[refused(&sent)]);
    world.voids(&order);
    world.reopens_line().unwrap();
    world.bank_says(&[settled(&sent)]);
    assert!(world.line().facility.closed_reason.unwrap().contains("refused before"));
    assert_eq!(world.balances(), DEPOSITED, "what a person has to settle with the bank is not booked");
    world.adds_up();
}

fn a_voided_seat_can_be_sold_again(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells(world.order().on_flight(9_001, 1));
    world.refuses(world.order().on_flight(9_001, 1));
    world.voids(&order);
    world.sells(world.order().on_flight(9_001, 1));
    world.adds_up();
}
