//! The advance through everything that a bank can say: once, twice, late, out of order.

use crate::bank::{accepted, refused, said, settled, settled_at, silence};
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::credit::{Advance, AdvanceState, BankOutcome, BankSaid, attempts_of, payment_reference};
use airsettle::ids::{AdvanceId, Id};
use airsettle::money::Money;

on_both_engines!(
    whatever_the_bank_says_in_whatever_order_it_is_paid_once,
    several_answers_in_one_call_are_the_same_as_one_by_one,
    nothing_is_booked_before_it_was_sent,
    a_refused_attempt_is_followed_by_the_next_under_its_own_reference,
    an_answer_for_an_earlier_attempt_changes_nothing,
    sending_twice_asks_about_the_same_attempt,
    lost_from_sight_and_then_settled_is_paid_once,
    another_amount_is_not_booked,
    many_advances_are_confirmed_in_one_commit,
    an_unknown_advance_is_skipped,
);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Accepted,
    Settled,
    Refused,
    Silence,
}

const WORDS: [Word; 4] = [Word::Accepted, Word::Settled, Word::Refused, Word::Silence];

impl Word {
    fn about(self, advance: &Advance) -> BankOutcome {
        match self {
            Word::Accepted => accepted(advance),
            Word::Settled => settled(advance),
            Word::Refused => refused(advance),
            Word::Silence => silence(advance),
        }
    }
}

/// Money that moved has moved, also where the bank had refused before; otherwise its refusal counts; before either, the last word says whether we
/// still see the payment.
fn state_after(words: &[Word]) -> AdvanceState {
    let settled = words.iter().any(|word| matches!(word, Word::Settled));
    let refused = words.iter().find(|word| matches!(word, Word::Refused));
    match (refused, words.last()) {
        _ if settled => AdvanceState::Confirmed,
        (Some(_), _) => AdvanceState::Failed,
        (None, Some(Word::Silence)) => AdvanceState::Unknown,
        (None, _) => AdvanceState::Sent,
    }
}

fn sequences() -> Vec<Vec<Word>> {
    let mut all: Vec<Vec<Word>> = vec![Vec::new()];
    let mut longest = all.clone();
    for _ in 0..3 {
        let longer = longest.iter().flat_map(|start| WORDS.map(|word| [start.as_slice(), &[word]].concat()));
        longest = longer.collect();
        all.extend(longest.clone());
    }
    all
}

/// Sells and sends one advance per sequence and lets the bank talk; the books must show each payment once.
fn talks(engine: Engine, deliver: impl Fn(&World, &Advance, &[Word])) {
    let world = World::trading(engine);
    let sequences = sequences();
    let orders: Vec<_> = sequences.iter().map(|_| world.order().build()).collect();
    world.issues(&orders);
    let advances = world.advances();
    assert_eq!(advances.len(), sequences.len());
    for (advance, words) in advances.iter().zip(&sequences) {
        world.sends(advance);
        deliver(&world, advance, words);
        let after = world.advance_now(advance);
        assert_eq!(after.state, state_after(words), "{words:?}");
        let attempts = world.read(|db| attempts_of(db, advance.id)).len();
        let first_final = words.iter().find(|word| matches!(word, Word::Settled | Word::Refused));
        assert_eq!(attempts, usize::from(matches!(first_final, Some(Word::Refused))), "{words:?}");
    }
    let paid = sequences.iter().filter(|words| state_after(words) == AdvanceState::Confirmed).count();
    let paid = i64::try_from(paid).unwrap();
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM posting WHERE event = 'advance_confirmed'"), paid);
    assert_eq!(world.line().drawn, Money::new(91_500 * paid, cny("0").currency));
    assert_eq!(world.line().facility.unconfirmed, i64::try_from(sequences.len()).unwrap() - paid);
    world.adds_up();
}

fn whatever_the_bank_says_in_whatever_order_it_is_paid_once(engine: Engine) {
    talks(engine, |world, advance, words| {
        for word in words {
            world.bank_says(&[word.about(advance)]);
        }
    });
}

fn several_answers_in_one_call_are_the_same_as_one_by_one(engine: Engine) {
    talks(engine, |world, advance, words| {
        let outcomes: Vec<BankOutcome> = words.iter().map(|word| word.about(advance)).collect();
        world.bank_says(&outcomes);
    });
}

fn nothing_is_booked_before_it_was_sent(engine: Engine) {
    let world = World::trading(engine);
    let held = world.advance_of(&world.sells(world.order()));
    for word in WORDS {
        assert!(world.bank_says(&[word.about(&held)]).is_empty());
        assert_eq!(world.advance_now(&held).state, AdvanceState::Held, "{word:?}");
    }
    world.adds_up();
}

fn a_refused_attempt_is_followed_by_the_next_under_its_own_reference(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    for attempt in 1..=3 {
        let sent = world.sends(&advance).unwrap();
        assert_eq!((sent.state, sent.attempt), (AdvanceState::Sent, attempt));
        assert_eq!(payment_reference(sent.id, sent.attempt), format!("{}-{attempt}", advance.id));
        world.bank_says(&[refused(&sent)]);
        assert_eq!(world.line().facility.closed_reason.as_deref(), Some("the bank refused an advance"));
        world.adds_up();
    }
    let last = world.sends(&advance).unwrap();
    assert_eq!(world.bank_says(&[settled(&last)]).len(), 1);
    let attempts = world.read(|db| attempts_of(db, advance.id));
    let numbers: Vec<i64> = attempts.iter().map(|attempt| attempt.attempt).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert!(attempts.iter().all(|attempt| attempt.outcome == "failed" && attempt.detail == "account blocked"));
    assert_eq!(world.line().drawn, cny("915.00"));
    world.adds_up();
}

fn an_answer_for_an_earlier_attempt_changes_nothing(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    let first = world.sends(&advance).unwrap();
    world.bank_says(&[refused(&first)]);
    let second = world.sends(&advance).unwrap();
    for late in [settled(&first), refused(&first), silence(&first), accepted(&first)] {
        assert!(world.bank_says(&[late]).is_empty());
        let now = world.advance_now(&advance);
        assert_eq!((now.state, now.attempt), (AdvanceState::Sent, 2));
    }
    assert_eq!(world.bank_says(&[settled(&second)]).len(), 1);
    world.adds_up();
}

fn sending_twice_asks_about_the_same_attempt(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    let first = world.sends(&advance).unwrap();
    let again = world.sends(&advance).unwrap();
    assert_eq!((again.attempt, again.sent_at), (first.attempt, first.sent_at));
    world.bank_says(&[silence(&again)]);
    let asked = world.sends(&advance).unwrap();
    assert_eq!((asked.attempt, asked.state), (1, AdvanceState::Unknown));
    world.bank_says(&[settled(&asked)]);
    assert!(world.sends(&advance).is_none(), "what is paid is not sent again");
}

fn lost_from_sight_and_then_settled_is_paid_once(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    world.sends(&advance);
    world.bank_says(&[silence(&advance)]);
    let lost = world.advance_now(&advance);
    assert_eq!((lost.state, lost.detail.as_deref()), (AdvanceState::Unknown, Some("time-out")));
    assert_eq!(world.bank_says(&[settled(&advance)]).len(), 1);
    // The call-back comes too, twice.
    assert!(world.bank_says(&[settled(&advance), settled(&advance)]).is_empty());
    let paid = world.advance_now(&advance);
    assert_eq!((paid.state, paid.detail), (AdvanceState::Confirmed, None));
    assert_eq!(paid.bank_reference, Some(format!("B-{}", advance.id)));
    assert!(paid.credited_at.is_some() && paid.confirmed_at.is_some());
    assert_eq!(world.line().drawn, cny("915.00"));
    world.adds_up();
}

fn another_amount_is_not_booked(engine: Engine) {
    for wrong in ["914.99", "915.01", "0.00"] {
        let world = World::trading(engine);
        let advance = world.advance_of(&world.sells(world.order()));
        world.sends(&advance);
        assert!(world.bank_says(&[settled_at(&advance, cny(wrong))]).is_empty());
        let now = world.advance_now(&advance);
        assert_eq!(now.state, AdvanceState::Unknown);
        assert!(now.detail.unwrap().contains(wrong));
        assert_eq!((world.line().drawn, world.line().held), (cny("0.00"), cny("915.00")));
        let reason = world.line().facility.closed_reason.unwrap();
        assert_eq!(reason, "the bank settled an advance at another amount");
        // No new attempt: the bank is only asked about this one.
        assert_eq!(world.sends(&advance).unwrap().attempt, 1);
        world.adds_up();
    }
}

fn many_advances_are_confirmed_in_one_commit(engine: Engine) {
    let world = World::trading(engine);
    let orders: Vec<_> =
        (0..40).map(|number| if number % 4 == 0 { world.order().by_wallet().build() } else { world.order().build() }).collect();
    world.issues(&orders);
    let advances = world.advances();
    for advance in &advances {
        world.sends(advance);
    }
    let outcomes: Vec<BankOutcome> = advances.iter().chain(&advances).map(settled).collect();
    assert_eq!(world.bank_says(&outcomes).len(), 40);
    assert_eq!(world.line().drawn, cny("27450.00"));
    assert_eq!(world.line().facility.unconfirmed, 0);
    world.adds_up();
}

fn an_unknown_advance_is_skipped(engine: Engine) {
    let world = World::trading(engine);
    let advance = world.advance_of(&world.sells(world.order()));
    let mut stranger = advance.clone();
    stranger.id = AdvanceId::of(1);
    assert!(world.sends(&stranger).is_none());
    world.sends(&advance);
    let outcomes = [said(&stranger, BankSaid::Accepted), settled(&stranger), settled(&advance)];
    assert_eq!(world.bank_says(&outcomes).len(), 1);
    let none = world.read(|db| attempts_of(db, stranger.id));
    assert!(none.is_empty());
    world.adds_up();
}
