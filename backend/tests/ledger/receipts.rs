//! Money in: recorded once per bank reference, on the account where it belongs.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::audit::Actor;
use airsettle::db::WriteTx;
use airsettle::ledger::{PostError, Purse, trial_balance};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{NewReceipt, Purpose, ReceiptError, Recorded, record_receipt};
use airsettle::ticketing::Refusal;
use chrono::Days;

on_both_engines!(
    the_same_bank_reference_is_the_same_receipt,
    two_nodes_that_meet_a_bank_reference_at_once_record_it_once,
    other_content_under_a_reference_names_the_field,
    own_and_client_money_never_share_an_account,
    a_value_date_is_not_in_the_future,
    nothing_is_less_than_something,
    amounts_at_the_edges_are_refused_and_break_nothing,
    a_deposit_too_large_to_multiply_still_gives_the_cap,
    currencies_with_other_exponents_are_kept_apart,
);

fn the_same_bank_reference_is_the_same_receipt(engine: Engine) {
    let world = World::on(engine);
    let new = world.receipt(Purpose::Deposit(world.agency), "970.00");
    let first = world.receives(&new).unwrap();
    let rows = world.row_counts();
    let again = world.receives(&new).unwrap();
    assert_eq!((again.id, again.posting, again.created_at), (first.id, first.posting, first.created_at));
    assert_eq!(world.row_counts(), rows);
    assert_eq!(world.standing(world.agency).deposit, cny("970.00"));
    world.adds_up();
}

fn two_nodes_that_meet_a_bank_reference_at_once_record_it_once(engine: Engine) {
    let world = World::on(engine);
    let other = world.database.open(world.clock.clone());
    for purpose in [Purpose::Capital, Purpose::Wallet(world.prepaid)] {
        let new = world.receipt(purpose, "100.00");
        let record = |tx: &mut WriteTx| record_receipt(tx, Actor::platform(), &new).map(Recorded::into_inner);
        let (mine, theirs) = std::thread::scope(|scope| {
            let mut recording = None;
            let mine = world.store.write(|tx| {
                let mine = record(tx)?;
                // Not committed yet: the other node knows nothing of it, and has to wait.
                recording = Some(scope.spawn(|| other.write(record)));
                std::thread::sleep(std::time::Duration::from_millis(300));
                Ok::<_, ReceiptError>(mine)
            });
            (mine.unwrap(), recording.unwrap().join().unwrap().unwrap())
        });
        assert_eq!(mine.id, theirs.id);
        let recorded = format!("SELECT COUNT(*) AS value FROM bank_receipt WHERE bank_reference = '{}'", new.bank_reference);
        assert_eq!(world.number(&recorded), 1);
    }
    world.adds_up();
}

fn other_content_under_a_reference_names_the_field(engine: Engine) {
    let world = World::on(engine);
    let known = world.receipt(Purpose::Deposit(world.agency), "970.00");
    world.receives(&known).unwrap();
    let rows = world.row_counts();
    let yesterday = known.value_date - Days::new(1);
    let others = [
        ("amount", NewReceipt { amount: cny("970.01"), ..known.clone() }),
        ("amount", NewReceipt { amount: Money::parse("970.00", Currency::parse("USD").unwrap()).unwrap(), ..known.clone() }),
        ("account", NewReceipt { account: Purse::Own, purpose: Purpose::Capital, ..known.clone() }),
        ("purpose", NewReceipt { purpose: Purpose::Wallet(world.agency), ..known.clone() }),
        ("agency_id", NewReceipt { purpose: Purpose::Deposit(world.prepaid), ..known.clone() }),
        ("value_date", NewReceipt { value_date: yesterday, ..known.clone() }),
    ];
    for (expected, other) in others {
        match world.receives(&other) {
            Err(ReceiptError::ReferenceReused { reference, field }) => {
                assert_eq!((field, &reference), (expected, &known.bank_reference));
            }
            answer => panic!("{expected}: {answer:?}"),
        }
    }
    assert_eq!(world.row_counts(), rows);
}

fn own_and_client_money_never_share_an_account(engine: Engine) {
    let world = World::on(engine);
    for purpose in [Purpose::Capital, Purpose::Deposit(world.agency), Purpose::Wallet(world.agency)] {
        let right = world.receipt(purpose, "10.00");
        let wrong = if right.account == Purse::Own { Purse::Client } else { Purse::Own };
        let answer = world.receives(&NewReceipt { account: wrong, ..right.clone() });
        assert!(matches!(answer, Err(ReceiptError::WrongAccount(_))), "{answer:?}");
        world.receives(&right).unwrap();
    }
    assert_eq!(
        world.balances(),
        [
            "agency.deposit 10.00",
            "agency.wallet 10.00",
            "platform.cash[client] 20.00",
            "platform.cash[own] 10.00",
            "platform.capital 10.00",
        ]
    );
    world.adds_up();
}

fn a_value_date_is_not_in_the_future(engine: Engine) {
    let world = World::on(engine);
    let today = world.receipt(Purpose::Capital, "1.00");
    let tomorrow = NewReceipt { value_date: today.value_date + Days::new(1), ..today.clone() };
    assert!(matches!(world.receives(&tomorrow), Err(ReceiptError::FutureValueDate(date)) if date == today.value_date));
    // Nothing of it was remembered.
    world.receives(&today).unwrap();
}

fn nothing_is_less_than_something(engine: Engine) {
    let world = World::on(engine);
    for minor in [0, -1, i64::MIN] {
        let amount = Money::new(minor, Currency::CNY);
        let new = NewReceipt { amount, ..world.receipt(Purpose::Deposit(world.agency), "1.00") };
        assert!(matches!(world.receives(&new), Err(ReceiptError::NotPositive)), "{minor}");
    }
    assert!(world.balances().is_empty());
}

fn amounts_at_the_edges_are_refused_and_break_nothing(engine: Engine) {
    let world = World::on(engine);
    let of = |minor| {
        let amount = Money::new(minor, Currency::CNY);
        NewReceipt { amount, ..world.receipt(Purpose::Deposit(world.agency), "1.00") }
    };
    world.receives(&of(i64::MAX)).unwrap();
    let (rows, balances) = (world.row_counts(), world.balances());
    for minor in [1, i64::MAX] {
        let answer = world.receives(&of(minor));
        assert!(matches!(answer, Err(ReceiptError::Post(PostError::Overflow(_)))), "{answer:?}");
    }
    assert_eq!((world.row_counts(), world.balances()), (rows, balances));
    world.adds_up();
    let balance = world.read(|db| trial_balance(db, world.today()));
    assert!(balance.is_balanced());
    world.sells(world.order());
    // A price near the edge is more than any limit, also where a sum would not fit.
    let dear = world.order().fare(Money::new(i64::MAX / 2, Currency::CNY));
    assert!(matches!(world.refuses(dear), Refusal::LimitExceeded { .. }));
    world.adds_up();
}

fn a_deposit_too_large_to_multiply_still_gives_the_cap(engine: Engine) {
    let world = World::on(engine);
    world.adopts_policy("100", "1000000.00");
    let amount = Money::new(i64::MAX, Currency::CNY);
    world.receives(&NewReceipt { amount, ..world.receipt(Purpose::Deposit(world.agency), "1.00") }).unwrap();
    world.sells(world.order());
    world.adds_up();
}

fn currencies_with_other_exponents_are_kept_apart(engine: Engine) {
    let world = World::on(engine);
    for (code, amount) in [("JPY", "1000"), ("KWD", "1.234"), ("CNY", "10.00")] {
        let amount = Money::parse(amount, Currency::parse(code).unwrap()).unwrap();
        world.receives(&NewReceipt { amount, ..world.receipt(Purpose::Capital, "1.00") }).unwrap();
    }
    let mut lines = world.balances();
    lines.sort();
    assert_eq!(
        lines,
        [
            "platform.capital 1.234",
            "platform.capital 10.00",
            "platform.capital 1000",
            "platform.cash[own] 1.234",
            "platform.cash[own] 10.00",
            "platform.cash[own] 1000",
        ]
    );
    let balance = world.read(|db| trial_balance(db, world.today()));
    assert_eq!(balance.differences.len(), 3);
    assert!(balance.is_balanced());
    world.adds_up();
}
