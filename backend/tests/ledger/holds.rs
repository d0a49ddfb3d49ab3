//! Holds: reserved once, resolved at most once, whoever comes first.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::credit::loan_account;
use airsettle::db::{Store, insert};
use airsettle::ids::{HoldId, Id};
use airsettle::ledger::{Book, HoldError, HoldState, PostError, Resolution, Resolved, open_accounts};
use airsettle::money::{Currency, Money};

on_both_engines!(
    a_hold_is_pending_until_it_is_posted,
    what_a_part_leaves_over_is_free_again,
    a_hold_that_is_voided_or_expires_frees_everything,
    more_than_was_held_is_not_posted,
    a_commit_and_an_expiry_at_the_same_time_cannot_both_win,
);

/// A book with the loan account in it, in a transaction of its own.
fn in_book<T>(
    store: &Store,
    world: &World,
    change: impl FnOnce(&mut Book, &mut airsettle::db::WriteTx) -> Result<T, PostError>,
) -> Result<T, PostError> {
    store.write(|tx| {
        let loan = open_accounts(tx, &[loan_account(world.facility, Currency::CNY)])?;
        let mut book = Book::new();
        book.load(tx, &loan)?;
        let answer = change(&mut book, tx)?;
        insert(tx, &book.new_rows())?;
        book.finish(tx)?;
        Ok(answer)
    })
}

fn holds(world: &World, amount: &str) -> HoldId {
    let loan = loan_account(world.facility, Currency::CNY);
    in_book(&world.store, world, |book, tx| book.hold(tx, &loan, cny(amount), 1)).unwrap()
}

fn resolves(store: &Store, world: &World, hold: HoldId, resolution: Resolution) -> Result<Resolved, PostError> {
    in_book(store, world, |book, tx| {
        let row = book.holds(tx, &[hold])?.pop().ok_or(PostError::NoHold)?;
        book.resolve(tx, &row, resolution)
    })
}

fn in_the_end(world: &World, hold: HoldId) -> (String, i64) {
    let state = world.texts(&format!("SELECT state AS value FROM hold WHERE id = {}", hold.raw())).pop().unwrap();
    let posted = world.number(&format!("SELECT posted_minor AS value FROM hold WHERE id = {}", hold.raw()));
    world.ledger_proof().unwrap();
    (state, posted)
}

fn a_hold_is_pending_until_it_is_posted(engine: Engine) {
    let world = World::on(engine);
    let hold = holds(&world, "915.00");
    assert_eq!(world.line().held, cny("915.00"));
    let post = Resolution::Post(cny("915.00"));
    assert_eq!(resolves(&world.store, &world, hold, post).unwrap(), Resolved::Applied(HoldState::Posted));
    assert_eq!(resolves(&world.store, &world, hold, post).unwrap(), Resolved::AlreadyApplied);
    let expiry = resolves(&world.store, &world, hold, Resolution::Expire);
    assert!(matches!(expiry, Err(PostError::Hold(HoldError::Final(HoldState::Posted)))), "{expiry:?}");
    assert_eq!(world.line().held, cny("0.00"));
    assert_eq!(in_the_end(&world, hold), ("posted".into(), 91_500));
}

fn what_a_part_leaves_over_is_free_again(engine: Engine) {
    let world = World::on(engine);
    let (one, other) = (holds(&world, "915.00"), holds(&world, "85.00"));
    resolves(&world.store, &world, one, Resolution::Post(cny("600.00"))).unwrap();
    assert_eq!(world.line().held, cny("85.00"));
    assert_eq!(in_the_end(&world, one), ("partly_posted".into(), 60_000));
    assert_eq!(in_the_end(&world, other), ("pending".into(), 0));
}

fn a_hold_that_is_voided_or_expires_frees_everything(engine: Engine) {
    let world = World::on(engine);
    for (resolution, state) in [(Resolution::Void, "voided"), (Resolution::Expire, "expired")] {
        let hold = holds(&world, "915.00");
        resolves(&world.store, &world, hold, resolution).unwrap();
        assert_eq!(resolves(&world.store, &world, hold, resolution).unwrap(), Resolved::AlreadyApplied);
        assert_eq!(world.line().held, cny("0.00"));
        assert_eq!(in_the_end(&world, hold), (state.into(), 0));
    }
}

fn more_than_was_held_is_not_posted(engine: Engine) {
    let world = World::on(engine);
    let hold = holds(&world, "915.00");
    for amount in [cny("915.01"), cny("0.00"), cny("-1.00"), Money::new(i64::MAX, Currency::CNY)] {
        let answer = resolves(&world.store, &world, hold, Resolution::Post(amount));
        assert!(matches!(answer, Err(PostError::Hold(_))), "{answer:?}");
    }
    assert_eq!(in_the_end(&world, hold), ("pending".into(), 0));
    let loan = loan_account(world.facility, Currency::CNY);
    for amount in [cny("0.00"), cny("-1.00"), Money::new(i64::MAX, Currency::CNY)] {
        let answer = in_book(&world.store, &world, |book, tx| book.hold(tx, &loan, amount, 1));
        assert!(answer.is_err(), "{amount:?}");
    }
    assert_eq!(world.line().held, cny("915.00"));
}

fn a_commit_and_an_expiry_at_the_same_time_cannot_both_win(engine: Engine) {
    let world = World::on(engine);
    let other = world.database.open(world.clock.clone());
    for _ in 0..20 {
        let hold = holds(&world, "915.00");
        let (posted, expired) = std::thread::scope(|scope| {
            let post = scope.spawn(|| resolves(&world.store, &world, hold, Resolution::Post(cny("915.00"))));
            let expiry = scope.spawn(|| resolves(&other, &world, hold, Resolution::Expire));
            (post.join().unwrap(), expiry.join().unwrap())
        });
        assert!(posted.is_ok() != expired.is_ok(), "{posted:?} {expired:?}");
        let loser = posted.err().or(expired.err()).unwrap();
        assert!(matches!(loser, PostError::Hold(HoldError::Final(_))), "{loser}");
    }
    assert_eq!(world.line().held, cny("0.00"));
    world.ledger_proof().unwrap();
}
