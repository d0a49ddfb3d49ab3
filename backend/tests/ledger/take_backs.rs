//! Parts of an airline's share that are taken back, in every state of its advance and after each other.

use crate::bank::{refused, settled, settled_at};
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::audit::Actor;
use airsettle::credit::{Advance, AdvanceState, AirlineLeg, TakeBack, Taking, lock_slices_of, receivable_from};
use airsettle::db::{WriteTx, insert};
use airsettle::ids::{AirlineId, Id, TicketId};
use airsettle::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, open_accounts};
use airsettle::money::Currency;
use airsettle::ticketing::IssuedOrder;

on_both_engines!(
    a_part_that_was_not_sent_is_not_paid,
    parts_after_each_other_add_up_to_the_share,
    parts_on_their_way_are_claimed_when_the_bank_pays,
    parts_on_their_way_are_dropped_when_the_bank_refuses_and_the_rest_is_paid_by_a_new_attempt,
    words_of_the_bank_mean_the_same_however_they_are_grouped,
    what_was_set_off_is_claimed_after_what_was_not_paid,
    what_is_beyond_the_share_is_claimed_at_once,
    an_airline_without_a_share_may_have_to_give_back,
    a_part_of_a_wallet_ticket_needs_no_hold,
);

impl World {
    /// Takes back a part of the first ticket's share; the money goes where no rule of sales looks.
    fn takes_back(&self, order: &IssuedOrder, amount: &str) -> AirlineLeg {
        self.store.write(|tx| take_back(tx, order, amount)).unwrap()
    }
}

fn take_back(tx: &mut WriteTx, order: &IssuedOrder, amount: &str) -> Result<AirlineLeg, PostError> {
    let (ticket, airline) = (TicketId::of(order.tickets[0].id), AirlineId::of(order.tickets[0].airline_id));
    let capital = AccountKey::platform(AccountCode::PlatformCapital, Currency::CNY);
    let payable = AccountKey::airline(AccountCode::AirlinePayable, airline, Currency::CNY);
    let slices = lock_slices_of(tx, &[ticket])?;
    let mut taken = TakeBack::lock(tx, slices)?;
    let mut keys = taken.accounts();
    keys.extend([capital.clone(), payable.clone(), receivable_from(airline, Currency::CNY)]);
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    taken.read_holds(tx)?;
    let reference = tx.ids.block(1);
    let leg = taken.take(tx, &mut book, Taking { ticket, airline, reference, amount: cny(amount) })?;
    let legs = vec![
        Leg::debit(payable, leg.unpaid),
        Leg::debit(receivable_from(airline, Currency::CNY), leg.to_give_back),
        Leg::credit(capital, cny(amount))?,
    ];
    book.post(tx, &Draft { event: Event::TicketRefund, reference, contract: None, actor: Actor::platform(), legs })?;
    insert(tx, &book.new_rows())?;
    book.finish(tx)?;
    taken.write(tx).unwrap();
    Ok(leg)
}

fn leg(unpaid: &str, to_give_back: &str) -> AirlineLeg {
    AirlineLeg { unpaid: cny(unpaid), to_give_back: cny(to_give_back) }
}

fn sold(engine: Engine) -> (World, IssuedOrder) {
    let world = World::on(engine);
    world.lodges_deposit("5000.00");
    let order = world.sells(world.order());
    (world, order)
}

fn sent(world: &World, order: &IssuedOrder) -> Advance {
    world.sends(&world.advance_of(order)).unwrap()
}

fn claims(world: &World) -> Vec<i64> {
    world.numbers("SELECT amount_minor AS value FROM airline_claim ORDER BY id")
}

fn airline_balances(world: &World) -> Vec<String> {
    world.balances().into_iter().filter(|line| line.starts_with("airline.")).collect()
}

fn a_part_that_was_not_sent_is_not_paid(engine: Engine) {
    let (world, order) = sold(engine);
    assert_eq!(world.takes_back(&order, "300.00"), leg("300.00", "0.00"));
    assert_eq!((world.line().held, world.line().facility.unconfirmed), (cny("615.00"), 1));
    world.adds_up();

    let advance = sent(&world, &order);
    assert_eq!((advance.attempt, advance.outstanding()), (1, cny("615.00")));
    world.bank_says(&[settled_at(&advance, cny("615.00"))]);
    assert_eq!((world.line().drawn, world.line().held), (cny("615.00"), cny("0.00")));
    world.adds_up();

    assert_eq!(world.takes_back(&order, "200.00"), leg("0.00", "200.00"));
    assert_eq!(claims(&world), [20_000]);
    world.adds_up();
}

fn parts_after_each_other_add_up_to_the_share(engine: Engine) {
    let (world, order) = sold(engine);
    for part in ["300.00", "0.01", "614.99"] {
        assert_eq!(world.takes_back(&order, part), leg(part, "0.00"));
        world.adds_up();
    }
    assert_eq!(world.advance_of(&order).state, AdvanceState::Cancelled);
    assert_eq!((world.line().held, world.line().facility.unconfirmed), (cny("0.00"), 0));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM outbox WHERE done_at IS NULL"), 0);
    assert!(world.sends(&world.advance_of(&order)).is_none());
    assert_eq!(airline_balances(&world), Vec::<String>::new());
}

fn parts_on_their_way_are_claimed_when_the_bank_pays(engine: Engine) {
    let (world, order) = sold(engine);
    let advance = sent(&world, &order);
    assert_eq!(world.takes_back(&order, "300.00"), leg("0.00", "300.00"));
    assert_eq!(world.takes_back(&order, "200.00"), leg("0.00", "200.00"));
    assert_eq!(airline_balances(&world), ["airline.payable 915.00", "airline.receivable 500.00"]);
    assert_eq!((world.line().held, claims(&world)), (cny("915.00"), vec![]));
    world.adds_up();

    world.bank_says(&[settled(&advance), settled(&advance)]);
    assert_eq!(airline_balances(&world), ["airline.receivable 500.00"]);
    assert_eq!((world.line().drawn, claims(&world)), (cny("915.00"), vec![50_000]));
    world.adds_up();
    assert_eq!(world.takes_back(&order, "415.00"), leg("0.00", "415.00"));
    assert_eq!(claims(&world), [50_000, 41_500]);
    world.adds_up();
}

fn parts_on_their_way_are_dropped_when_the_bank_refuses_and_the_rest_is_paid_by_a_new_attempt(engine: Engine) {
    let (world, order) = sold(engine);
    let advance = sent(&world, &order);
    world.takes_back(&order, "300.00");
    world.takes_back(&order, "200.00");
    assert!(world.bank_says(&[refused(&advance)]).is_empty(), "the rest is still to be paid");
    let failed = world.advance_of(&order);
    assert_eq!((failed.state, failed.cancelled, failed.outstanding()), (AdvanceState::Failed, cny("500.00"), cny("415.00")));
    assert_eq!(airline_balances(&world), ["airline.payable 415.00"]);
    assert_eq!((world.line().held, claims(&world)), (cny("415.00"), vec![]));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'advance_reclaim_dropped'"), 2);
    world.adds_up();

    // What is taken back now is not paid; the next attempt is on its way when the last part is.
    assert_eq!(world.takes_back(&order, "15.00"), leg("15.00", "0.00"));
    let again = sent(&world, &order);
    assert_eq!((again.attempt, again.outstanding()), (2, cny("400.00")));
    assert_eq!(world.takes_back(&order, "100.00"), leg("0.00", "100.00"));
    world.bank_says(&[refused(&again)]);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'advance_reclaim_dropped'"), 3);
    let last = sent(&world, &order);
    world.bank_says(&[settled_at(&last, cny("300.00"))]);
    assert_eq!((world.line().drawn, airline_balances(&world)), (cny("300.00"), vec![]));
    world.adds_up();
}

fn words_of_the_bank_mean_the_same_however_they_are_grouped(engine: Engine) {
    let told = |grouped: bool| {
        let (world, order) = sold(engine);
        let advance = sent(&world, &order);
        world.takes_back(&order, "300.00");
        let words = [refused(&advance), settled_at(&advance, cny("615.00")), settled(&advance)];
        if grouped {
            world.bank_says(&words);
        } else {
            words.iter().for_each(|word| drop(world.bank_says(std::slice::from_ref(word))));
        }
        world.adds_up();
        let after = world.advance_of(&order);
        (world.balances(), after.state, after.cancelled, after.attempt, world.line().facility.closed_reason)
    };
    assert_eq!(told(true), told(false));
}

fn what_was_set_off_is_claimed_after_what_was_not_paid(engine: Engine) {
    let (world, order) = sold(engine);
    let advance = sent(&world, &order);
    world.bank_says(&[settled(&advance)]);
    world.takes_back(&order, "400.00");
    let second = world.sells(world.order());
    let advance = sent(&world, &second);
    assert_eq!((advance.set_off, advance.outstanding()), (cny("400.00"), cny("515.00")));
    world.bank_says(&[refused(&advance)]);
    assert_eq!(world.takes_back(&second, "500.00"), leg("500.00", "0.00"));
    assert_eq!(world.takes_back(&second, "100.00"), leg("15.00", "85.00"));
    assert_eq!(world.advance_of(&second).state, AdvanceState::Cancelled);
    world.adds_up();
    assert_eq!(world.takes_back(&second, "315.00"), leg("0.00", "315.00"));
    assert_eq!(claims(&world), [40_000, 8_500, 31_500]);
    world.adds_up();
}

fn what_is_beyond_the_share_is_claimed_at_once(engine: Engine) {
    let (world, order) = sold(engine);
    assert_eq!(world.takes_back(&order, "950.00"), leg("915.00", "35.00"));
    assert_eq!((claims(&world), world.line().held), (vec![3_500], cny("0.00")));
    world.adds_up();

    let (world, order) = sold(engine);
    let advance = sent(&world, &order);
    assert_eq!(world.takes_back(&order, "950.00"), leg("0.00", "950.00"));
    assert_eq!(claims(&world), [3_500], "the rest is on its way");
    world.bank_says(&[refused(&advance)]);
    assert_eq!(airline_balances(&world), ["airline.receivable 35.00"]);
    world.adds_up();
}

fn an_airline_without_a_share_may_have_to_give_back(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("5000.00");
    let order = world.sells(world.order().fare(cny("1.81")));
    assert_eq!(order.tickets[0].airline_minor, 0);
    assert_eq!(world.takes_back(&order, "5.00"), leg("0.00", "5.00"));
    assert_eq!(claims(&world), [500]);
    world.adds_up();
}

fn a_part_of_a_wallet_ticket_needs_no_hold(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.prepaid, "970.00");
    let order = world.sells(world.order().by_wallet());
    assert_eq!(world.takes_back(&order, "300.00"), leg("300.00", "0.00"));
    let advance = sent(&world, &order);
    assert_eq!(world.takes_back(&order, "300.00"), leg("0.00", "300.00"));
    world.bank_says(&[settled_at(&advance, cny("615.00"))]);
    assert_eq!(claims(&world), [30_000]);
    world.adds_up();
}
