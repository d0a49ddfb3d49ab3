//! Double entry by itself: what is booked balances, what does not is refused whole, and an account's statement leads back to its first entry.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::audit::Actor;
use airsettle::ids::{AccountId, Id};
use airsettle::ledger::{
    AccountCode, AccountKey, Book, Draft, Event, Leg, PostError, Purse, accounts_of, open_accounts, post_all, statement,
    trial_balance,
};
use airsettle::money::{Currency, Money};
use airsettle::settlement::Purpose;
use chrono::Days;

on_both_engines!(
    what_does_not_balance_is_not_booked,
    cash_wallets_and_loans_are_never_overdrawn,
    one_event_happens_once_to_one_thing,
    a_refused_draft_leaves_the_book_as_it_was,
    several_legs_may_meet_on_one_account,
    a_statement_leads_back_to_the_first_entry,
    a_trial_balance_is_zero_on_any_day,
    accounts_are_opened_once,
);

fn cash(purse: Purse) -> AccountKey {
    AccountKey::cash(purse, Currency::CNY)
}

fn capital() -> AccountKey {
    AccountKey::platform(AccountCode::PlatformCapital, Currency::CNY)
}

fn draft(reference: i64, legs: Vec<Leg>) -> Draft {
    Draft { event: Event::CapitalPaidIn, reference, contract: None, actor: Actor::platform(), legs }
}

/// Capital paid into own cash.
fn paid_in(reference: i64, amount: &str) -> Draft {
    draft(reference, vec![Leg::debit(cash(Purse::Own), cny(amount)), Leg::credit(capital(), cny(amount)).unwrap()])
}

impl World {
    fn posts(&self, drafts: &[Draft]) -> Result<(), PostError> {
        self.store.write(|tx| post_all(tx, drafts).map(drop))
    }
}

fn what_does_not_balance_is_not_booked(engine: Engine) {
    let world = World::on(engine);
    let (debit, credit) = (Leg::debit(cash(Purse::Own), cny("5.00")), Leg::credit(capital(), cny("4.99")).unwrap());
    let answer = world.posts(&[draft(1, vec![debit.clone(), credit])]);
    assert!(matches!(answer, Err(PostError::Unbalanced { by_minor: 1, .. })), "{answer:?}");
    let zero = Leg::debit(capital(), cny("0.00"));
    for legs in [vec![], vec![debit.clone()], vec![zero.clone(), zero], vec![debit.clone(), Leg::debit(capital(), cny("0.00"))]] {
        assert!(matches!(world.posts(&[draft(1, legs)]), Err(PostError::Empty)));
    }
    // Equal numbers of two currencies are not equal.
    let yen = Currency::parse("JPY").unwrap();
    let foreign = AccountKey::platform(AccountCode::PlatformCapital, yen);
    let crossed = Leg::credit(foreign.clone(), Money::new(500, yen)).unwrap();
    let answer = world.posts(&[draft(1, vec![debit.clone(), crossed])]);
    assert!(matches!(answer, Err(PostError::Unbalanced { .. })), "{answer:?}");
    let mislabelled = Leg::credit(foreign, cny("5.00")).unwrap();
    let answer = world.posts(&[draft(1, vec![debit, mislabelled])]);
    assert!(matches!(answer, Err(PostError::CurrencyMismatch { .. })), "{answer:?}");
    assert!(world.balances().is_empty());
    world.adds_up();
}

fn cash_wallets_and_loans_are_never_overdrawn(engine: Engine) {
    let world = World::on(engine);
    world.tops_up(world.agency, "10.00");
    let agency = |code| AccountKey::agency(code, world.agency, Currency::CNY);
    let loan = AccountKey::facility(AccountCode::BankLoan, world.facility, Currency::CNY);
    let before = world.balances();
    for (account, amount) in
        [(agency(AccountCode::AgencyWallet), "10.01"), (agency(AccountCode::AgencyDeposit), "0.01"), (loan, "0.01")]
    {
        let legs = vec![Leg::debit(account.clone(), cny(amount)), Leg::credit(capital(), cny(amount)).unwrap()];
        match world.posts(&[draft(1, legs)]) {
            Err(PostError::Overdrawn(key)) => assert_eq!(key, account),
            other => panic!("{account}: {other:?}"),
        }
    }
    let spent = vec![Leg::credit(cash(Purse::Client), cny("10.01")).unwrap(), Leg::debit(capital(), cny("10.01"))];
    assert!(matches!(world.posts(&[draft(1, spent)]), Err(PostError::Overdrawn(_))));
    assert_eq!(world.balances(), before);
    world.adds_up();
}

fn one_event_happens_once_to_one_thing(engine: Engine) {
    let world = World::on(engine);
    world.posts(&[paid_in(1, "5.00")]).unwrap();
    for twice in [vec![paid_in(1, "5.00")], vec![paid_in(2, "1.00"), paid_in(2, "1.00")]] {
        let answer = world.posts(&twice);
        assert!(matches!(answer, Err(PostError::Db(_))), "{answer:?}");
    }
    assert_eq!(world.balances(), ["platform.cash[own] 5.00", "platform.capital 5.00"]);
    world.adds_up();
}

fn a_refused_draft_leaves_the_book_as_it_was(engine: Engine) {
    let world = World::on(engine);
    world.write(|tx| {
        let accounts = open_accounts(tx, &[cash(Purse::Own), capital()])?;
        let mut book = Book::new();
        book.load(tx, &accounts)?;
        book.post(tx, &paid_in(1, "5.00"))?;
        let too_much = vec![Leg::credit(cash(Purse::Own), cny("5.01")).unwrap(), Leg::debit(capital(), cny("5.01"))];
        assert!(matches!(book.post(tx, &draft(2, too_much)), Err(PostError::Overdrawn(_))));
        let elsewhere = vec![Leg::debit(cash(Purse::Client), cny("1.00")), Leg::credit(capital(), cny("1.00")).unwrap()];
        assert!(matches!(book.post(tx, &draft(3, elsewhere)), Err(PostError::NotLoaded(_))));
        assert_eq!((book.balance(&cash(Purse::Own)), book.balance(&capital())), (cny("5.00"), cny("5.00")));
        book.post(tx, &paid_in(4, "2.00"))?;
        airsettle::db::insert(tx, &book.new_rows())?;
        Ok(book.finish(tx)?)
    });
    assert_eq!(world.balances(), ["platform.cash[own] 7.00", "platform.capital 7.00"]);
    world.adds_up();
}

fn several_legs_may_meet_on_one_account(engine: Engine) {
    let world = World::on(engine);
    let legs = vec![
        Leg::debit(cash(Purse::Own), cny("5.00")),
        Leg::debit(cash(Purse::Own), cny("3.00")),
        Leg::credit(cash(Purse::Own), cny("1.00")).unwrap(),
        Leg::credit(capital(), cny("7.00")).unwrap(),
    ];
    world.posts(&[draft(1, legs)]).unwrap();
    assert_eq!(world.balances(), ["platform.cash[own] 7.00", "platform.capital 7.00"]);
    assert_eq!(world.ledger_proof().unwrap().entries, 4);
    // It may dip below zero on the way, not at the end of the posting.
    let dip = vec![
        Leg::credit(cash(Purse::Own), cny("100.00")).unwrap(),
        Leg::debit(cash(Purse::Own), cny("101.00")),
        Leg::credit(capital(), cny("1.00")).unwrap(),
    ];
    world.posts(&[draft(2, dip)]).unwrap();
    world.adds_up();
}

fn a_statement_leads_back_to_the_first_entry(engine: Engine) {
    let world = World::on(engine);
    for amount in ["1.00", "2.00", "3.00", "4.00", "5.00"] {
        world.receives(&world.receipt(Purpose::Wallet(world.agency), amount)).unwrap();
        world.receives(&world.receipt(Purpose::Wallet(world.prepaid), "9.00")).unwrap();
    }
    let account = world.read(|db| accounts_of(db, &[world.agency.raw()])).pop().unwrap();
    let (mut from, mut balances) = (account.last_entry_id, Vec::new());
    while from != 0 {
        let page = world.read(|db| statement(db, AccountId::of(account.id), from, 2));
        assert!(page.len() <= 2);
        assert!(page.iter().all(|line| line.entry.account_id == account.id && line.posting.event == "wallet_transfer_in"));
        balances.extend(page.iter().map(|line| -line.entry.balance_after_minor));
        from = page.last().unwrap().entry.previous_entry_id;
    }
    assert_eq!(balances, [1_500, 1_000, 600, 300, 100]);
    // Another account's entry is no way in.
    let strangers = world.number(&format!("SELECT MAX(id) AS value FROM entry WHERE account_id <> {}", account.id));
    assert!(world.read(|db| statement(db, AccountId::of(account.id), strangers, 10)).is_empty());
}

fn a_trial_balance_is_zero_on_any_day(engine: Engine) {
    let world = World::trading(engine);
    world.sells(world.order());
    let (today, yesterday) = (world.today(), world.today() - Days::new(1));
    world.time_passes(chrono::Duration::days(1));
    world.sells(world.order().by_wallet());
    let as_of = |day| world.read(|db| trial_balance(db, day));
    assert!(as_of(yesterday).lines.is_empty());
    let fee = |day| {
        let lines = as_of(day).lines;
        lines.iter().find(|line| line.account == "platform.fee_income").map(|line| (line.debit_minor, line.credit_minor))
    };
    assert_eq!((fee(today), fee(today + Days::new(1))), (Some((0, 500)), Some((0, 1_000))));
    for day in [today, today + Days::new(1), today + Days::new(400)] {
        assert!(as_of(day).is_balanced());
    }
    // Own and client cash are two lines.
    world.receives(&world.receipt(Purpose::Capital, "1.00")).unwrap();
    let cash: Vec<String> =
        as_of(world.today()).lines.into_iter().map(|line| line.account).filter(|name| name.contains("cash")).collect();
    assert_eq!(cash, ["platform.cash[client]", "platform.cash[own]"]);
}

fn accounts_are_opened_once(engine: Engine) {
    let world = World::on(engine);
    let other = world.database.open(world.clock.clone());
    let keys = [cash(Purse::Own), cash(Purse::Client), capital()];
    let opened: Vec<Vec<AccountId>> = std::thread::scope(|scope| {
        let stores = [&*world.store, &other, &*world.store, &other];
        let opening = stores.map(|store| {
            let keys = &keys;
            scope.spawn(move || store.write(|tx| open_accounts(tx, keys)).unwrap())
        });
        opening.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(opened.iter().all(|ids| ids == &opened[0]));
    // The loan account was opened with the line.
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM account"), 4);
}
