//! Airlines that are not paid at once: on the next working day or after the ticket's cycle, with own money, ordered once.

use crate::bank::{refused, settled};
use crate::database::Engine;
use crate::settlement::tax;
use crate::world::{World, cny};
use airsettle::agencies::{AirlinePayment, Contract, CostTerms, PaymentTerms};
use airsettle::audit::Actor;
use airsettle::credit::{AdvanceState, Funding, TransferError, cover, order_payments, order_transfer};
use airsettle::ids::{AdvanceId, Id};
use airsettle::money::Currency;
use airsettle::ordering::TenderWish;
use airsettle::settlement::{PaymentError, Purpose, due_to_airlines};
use airsettle::ticketing::{IssueOrder, IssuedOrder};
use chrono::NaiveDate;

on_both_engines!(
    the_airline_is_paid_on_the_next_working_day_with_own_money,
    the_airline_is_paid_so_many_days_after_the_cycle,
    what_is_due_is_ordered_once,
    a_ticket_that_is_taken_back_before_its_day_is_never_paid,
    a_ticket_from_the_wallet_waits_for_its_day_and_stays_covered,
    own_money_that_is_on_its_way_pays_nothing_else,
    a_payment_that_the_bank_refuses_is_made_again,
    every_rule_of_the_terms_finds_a_row_that_breaks_it,
);

/// Nobody works on the Saturday and the Sunday after it.
const FRIDAY: (i32, u32, u32) = (2027, 3, 5);
const MONDAY: (i32, u32, u32) = (2027, 3, 8);

fn day((year, month, day): (i32, u32, u32)) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

impl World {
    fn pays_airlines(&self, airline: AirlinePayment) -> Contract {
        self.signs_terms(PaymentTerms { airline, ..PaymentTerms::default() }, CostTerms::default()).contract
    }

    fn order_on(&self, contract: &Contract) -> IssueOrder {
        let mut order = self.order().build();
        (order.contract, order.airline_payment) = (contract.id, contract.payment.airline);
        order
    }

    /// What the job of the day does; answers how many payments it ordered.
    fn orders_what_is_due(&self) -> usize {
        let (calendar, zone) = (&self.catalogue().calendar, self.store.zone());
        let from_the_first = (AdvanceId::of(0), 1_000);
        let page = self.read(|db| due_to_airlines(db, calendar, zone, self.today(), from_the_first));
        self.store.write(|tx| order_payments(tx, &page.due)).unwrap().len()
    }

    fn messages(&self) -> i64 {
        self.number("SELECT COUNT(*) AS value FROM outbox WHERE kind = 'pay_advance'")
    }
}

/// Sold on a Friday on the terms of the next working day.
fn sold_on_friday(engine: Engine) -> (World, Contract, IssuedOrder) {
    let world = World::on(engine);
    world.lodges_deposit("3000.00");
    world.goes_to(day(FRIDAY));
    let contract = world.pays_airlines(AirlinePayment::NextWorkingDay);
    let order = world.sells(world.order_on(&contract));
    (world, contract, order)
}

fn the_airline_is_paid_on_the_next_working_day_with_own_money(engine: Engine) {
    let (world, _, order) = sold_on_friday(engine);
    let sold = [
        "agency.deposit 3000.00",
        "agency.receivable 1000.00",
        "agency.commission 30.00",
        "airline.payable 915.00",
        "authority.tax[CAAC/CN] 50.00",
        "platform.cash[client] 3000.00",
        "platform.fee_income 5.00",
    ];
    assert_eq!(world.balances(), sold);
    assert_eq!(
        (world.line().held, world.exposure()),
        (cny("0.00"), cny("970.00")),
        "no bank is asked, and the agency owes the same"
    );
    let advance = world.advance_of(&order);
    assert_eq!((advance.state, advance.funding, advance.facility), (AdvanceState::Held, Funding::Own, None));
    assert_eq!((advance.ordered_at, world.messages()), (None, 0));
    world.adds_up();
    for weekend in 0..3 {
        assert_eq!(world.orders_what_is_due(), 0, "{weekend} days later");
        world.time_passes(chrono::Duration::days(1));
    }
    assert_eq!((world.today(), world.orders_what_is_due(), world.messages()), (day(MONDAY), 1, 1));
    world.adds_up();

    assert!(world.sends(&advance).is_none(), "there is no own money yet");
    let waiting = world.advance_now(&advance);
    assert_eq!((waiting.state, waiting.detail.as_deref()), (AdvanceState::Held, Some("the own account is short of 915.00")));
    world.receives(&world.receipt(Purpose::Capital, "1000.00")).unwrap();
    let sent = world.sends(&advance).unwrap();
    world.adds_up();
    world.bank_says(&[settled(&sent)]);
    let paid = [
        "agency.deposit 3000.00",
        "agency.receivable 1000.00",
        "agency.commission 30.00",
        "authority.tax[CAAC/CN] 50.00",
        "platform.cash[client] 3000.00",
        "platform.cash[own] 85.00",
        "platform.capital 1000.00",
        "platform.fee_income 5.00",
    ];
    assert_eq!(world.balances(), paid);
    world.adds_up();
}

fn the_airline_is_paid_so_many_days_after_the_cycle(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("3000.00");
    world.goes_to(day(FRIDAY));
    // The cycle ends on the fifteenth, and the twentieth is a Saturday.
    for (days, due) in [(10, (2027, 3, 25)), (5, (2027, 3, 22)), (0, (2027, 3, 15))] {
        let contract = world.pays_airlines(AirlinePayment::AfterCycle { days });
        assert_eq!(contract.payment.airline.days(), days);
        let order = world.sells(world.order_on(&contract));
        let due_on = airsettle::settlement::airline_due(
            &world.catalogue().calendar,
            "CN",
            &contract.payment,
            world.today(),
            order.tickets[0].issue_date,
        );
        assert_eq!(due_on, day(due), "{days} days after the cycle");
    }
    for (on, ordered) in [((2027, 3, 14), 0), ((2027, 3, 15), 1), ((2027, 3, 21), 0), ((2027, 3, 22), 1), ((2027, 3, 24), 0)] {
        world.goes_to(day(on));
        assert_eq!(world.orders_what_is_due(), ordered, "{on:?}");
    }
    // Days on which nothing ran are made up for.
    world.goes_to(day((2027, 4, 6)));
    assert_eq!(world.orders_what_is_due(), 1);
    world.adds_up();
}

fn what_is_due_is_ordered_once(engine: Engine) {
    let (world, contract, _) = sold_on_friday(engine);
    world.sells(world.order_on(&contract));
    world.goes_to(day(MONDAY));
    let page = |after| {
        let (calendar, zone) = (&world.catalogue().calendar, world.store.zone());
        world.read(|db| due_to_airlines(db, calendar, zone, world.today(), (after, 1)))
    };
    let first = page(AdvanceId::of(0));
    let second = page(first.last.unwrap());
    assert_eq!((first.due.len(), second.due.len()), (1, 1));
    assert!(page(second.last.unwrap()).last.is_none());
    // The step is stopped after its first page, begun again, and done by two nodes.
    assert_eq!(world.store.write(|tx| order_payments(tx, &first.due)).unwrap().len(), 1);
    assert_eq!(world.orders_what_is_due(), 1);
    let both = [first.due, second.due].concat();
    assert!(world.store.write(|tx| order_payments(tx, &both)).unwrap().is_empty());
    assert_eq!((world.orders_what_is_due(), world.messages()), (0, 2));
    world.adds_up();
}

fn a_ticket_that_is_taken_back_before_its_day_is_never_paid(engine: Engine) {
    let (world, contract, order) = sold_on_friday(engine);
    world.voids(&order);
    assert_eq!(world.balances(), ["agency.deposit 3000.00", "platform.cash[client] 3000.00"]);
    assert_eq!(world.advance_of(&order).state, AdvanceState::Cancelled);
    let paid = world.sells(world.order_on(&contract));
    world.receives(&world.receipt(Purpose::Capital, "1000.00")).unwrap();
    world.goes_to(day(MONDAY));
    assert_eq!(world.orders_what_is_due(), 1, "only the one that was kept");
    let sent = world.sends(&world.advance_of(&paid)).unwrap();
    world.bank_says(&[settled(&sent)]);
    world.adds_up();
}

fn a_ticket_from_the_wallet_waits_for_its_day_and_stays_covered(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.agency, "970.00");
    world.goes_to(day(FRIDAY));
    let contract = world.pays_airlines(AirlinePayment::NextWorkingDay);
    let order = world.sells(IssueOrder { tender: TenderWish::Wallet, ..world.order_on(&contract) });
    let advance = world.advance_of(&order);
    assert_eq!((advance.funding, advance.ordered_at), (Funding::Client, None));
    assert_eq!(world.read(|db| cover(db, Currency::CNY)), cny("55.00"), "the airline's share is not the platform's to sweep");
    world.goes_to(day(MONDAY));
    assert_eq!(world.orders_what_is_due(), 1);
    let sent = world.sends(&advance).unwrap();
    world.bank_says(&[settled(&sent)]);
    assert_eq!(world.balances(), ["authority.tax[CAAC/CN] 50.00", "platform.cash[client] 55.00", "platform.fee_income 5.00"]);
    world.adds_up();
}

fn own_money_that_is_on_its_way_pays_nothing_else(engine: Engine) {
    let (world, contract, first) = sold_on_friday(engine);
    let second = world.sells(world.order_on(&contract));
    world.receives(&world.receipt(Purpose::Capital, "1000.00")).unwrap();
    world.goes_to(day(MONDAY));
    assert_eq!(world.orders_what_is_due(), 2);
    let sent = world.sends(&world.advance_of(&first)).unwrap();
    // 85.00 are left: not for the second airline, and not for taxes of 100.00.
    assert!(world.sends(&world.advance_of(&second)).is_none());
    assert!(matches!(world.pays(tax("100.00")), Err(PaymentError::OwnCashShort { short }) if short == cny("15.00")));
    world.pays(tax("50.00")).unwrap();
    let ordered = world.store.write(|tx| order_transfer(tx, Actor::platform(), cny("36.00")));
    assert!(matches!(ordered, Err(TransferError::OwnCashShort { short }) if short == cny("1.00")));
    world.bank_says(&[settled(&sent)]);
    world.adds_up();
}

fn a_payment_that_the_bank_refuses_is_made_again(engine: Engine) {
    let (world, _, order) = sold_on_friday(engine);
    world.receives(&world.receipt(Purpose::Capital, "915.00")).unwrap();
    world.goes_to(day(MONDAY));
    assert_eq!(world.orders_what_is_due(), 1);
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[refused(&sent)]);
    assert_eq!(world.orders_what_is_due(), 0, "it was ordered");
    let again = world.sends(&world.advance_of(&order)).unwrap();
    assert_eq!(again.attempt, 2);
    world.bank_says(&[settled(&again)]);
    assert!(!world.balances().iter().any(|line| line.starts_with("platform.cash[own]") || line.starts_with("airline.")));
    world.adds_up();
}

fn every_rule_of_the_terms_finds_a_row_that_breaks_it(engine: Engine) {
    let cases = [
        ("UPDATE advance SET funding = 'line'", "is paid by a bank line"),
        ("UPDATE advance SET funding = 'client'", "is paid by a bank line"),
        ("UPDATE contract SET airline_payment = 'instant'", "is paid by a bank line"),
        ("UPDATE advance SET ordered_at = NULL", "an advance leaves once it was ordered"),
        ("UPDATE outbox SET done_at = created_at", "has a message waiting"),
    ];
    for (change, rule) in cases {
        let (world, _, order) = sold_on_friday(engine);
        world.receives(&world.receipt(Purpose::Capital, "1000.00")).unwrap();
        world.goes_to(day(MONDAY));
        world.orders_what_is_due();
        world.sends(&world.advance_of(&order)).unwrap();
        world.adds_up();
        world.database.as_owner(change).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
