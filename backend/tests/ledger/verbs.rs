//! What random histories are made of, and how a failing one is made smaller.

use crate::model::{BankWord, Buyer, CAPITAL, DEPOSIT, Part, Refunded, WALLETS};
use airsettle::agencies::FreezeScope;
use airsettle::ticketing::CouponStatus;
use proptest::prelude::*;
use proptest::sample::select;

/// More than a line lends, now and then.
const MOST_LENT: i64 = 2_400_000;
pub const FLIGHTS: i64 = 3;

#[derive(Clone, Debug)]
pub enum Verb {
    /// One to four orders in one commit, decided in this order.
    Order(Vec<Wish>),
    /// A client asks again.
    Repeat(usize),
    Receive(&'static str, i64, Times),
    Freeze(FreezeScope),
    Thaw,
    /// Of one of the wallets.
    Withdraw(usize, Share),
    ReturnDeposit(Share),
    /// For so many days.
    Guarantee(i64, u64),
    RaiseLimit(i64, u64),
    Send(Which),
    BankSays(Which, Vec<BankWord>),
    Reopen,
    ChangeLine(i64),
    Seal,
    /// Counted from the newest order.
    Void(usize, Times),
    /// What the airline says about the first coupon of an order, counted from the newest.
    Report(usize, CouponStatus),
    Hold(Wish),
    /// Counted from the newest hold, like the next one.
    PayHold(usize, Times),
    CancelHold(usize, Times),
    Expire,
    /// Counted from the newest order.
    Refund(usize, Part, Refunded),
    /// One of the wallets that wait for the airline's money.
    Complete(usize),
    /// Counted from the newest order: to this fare, with this penalty.
    Exchange(usize, i64, i64),
    TakeExchangeBack(usize),
    DaysPass(u64),
    Accrue,
    Remit(usize, Share),
    Repay(Share, Share),
    PayTax(Share),
    Sweep(Share),
    OrderTransfer(i64),
    ConfirmTransfer,
    AirlineRepays(Share),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    Once,
    Twice,
}

/// Of the payments that are not over, where there are any, or of all.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Newest,
    Open(usize),
    Any(usize),
}

/// How much of what is owed.
#[derive(Clone, Copy, Debug)]
pub enum Share {
    All,
    Permille(i64),
    OneTooMuch,
}

impl Share {
    pub fn of(self, owed: i64) -> i64 {
        match self {
            Share::All => owed,
            Share::Permille(part) => owed.max(0) * part / 1000,
            Share::OneTooMuch => owed.max(0) + 1,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Wish {
    pub buyer: Buyer,
    pub tickets: usize,
    pub coupons: usize,
    pub fare: i64,
    pub flight: i64,
    pub keyed: bool,
}

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![4 => Just(Share::All), 4 => (1..1000i64).prop_map(Share::Permille), 1 => Just(Share::OneTooMuch)]
}

fn times() -> impl Strategy<Value = Times> {
    select(vec![Times::Once, Times::Twice])
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![8 => (0..1_000usize).prop_map(Which::Open), 1 => (0..1_000usize).prop_map(Which::Any)]
}

fn wish() -> impl Strategy<Value = Wish> {
    let buyer = select(vec![Buyer::Credit, Buyer::CreditThenWallet, Buyer::Prepaid]);
    let sizes = (1..4usize, 1..3usize);
    (buyer, sizes, 1_001..61_000i64, 0..FLIGHTS, any::<bool>())
        .prop_map(|(buyer, (tickets, coupons), fare, flight, keyed)| Wish { buyer, tickets, coupons, fare, flight, keyed })
}

fn part() -> impl Strategy<Value = Part> {
    select(vec![Part::All, Part::FirstCoupon])
}

fn how() -> impl Strategy<Value = Refunded> {
    select(vec![Refunded::Voluntary, Refunded::Involuntary, Refunded::TaxOnly])
}

/// Mostly the bank pays.
fn word() -> impl Strategy<Value = BankWord> {
    prop_oneof![
        8 => Just(BankWord::Settled),
        2 => Just(BankWord::Accepted),
        1 => Just(BankWord::WrongAmount),
        2 => Just(BankWord::Refused),
        2 => Just(BankWord::Silence),
        1 => Just(BankWord::SettledEarlier),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    let any_of = 0..1_000usize;
    let into = select(vec![DEPOSIT, DEPOSIT, WALLETS[0], WALLETS[1], CAPITAL]);
    let sales = prop_oneof![
        14 => prop::collection::vec(wish(), 1..5).prop_map(Verb::Order),
        4 => any_of.clone().prop_map(Verb::Repeat),
        8 => (into, 1..900_000i64, times()).prop_map(|(into, amount, times)| Verb::Receive(into, amount, times)),
        2 => select(FreezeScope::ALL.to_vec()).prop_map(Verb::Freeze),
        7 => Just(Verb::Thaw),
        8 => (0..9usize, times()).prop_map(|(order, times)| Verb::Void(order, times)),
        4 => (0..9usize, select(vec![CouponStatus::Open, CouponStatus::Open, CouponStatus::CheckedIn, CouponStatus::Flown]))
            .prop_map(|(order, to)| Verb::Report(order, to)),
        2 => Just(Verb::Seal),
        10 => (0..12usize, part(), how()).prop_map(|(order, part, how)| Verb::Refund(order, part, how)),
        8 => (0..9usize, 1_001..61_000i64, select(vec![0, 5_000])).prop_map(|(order, fare, penalty)| Verb::Exchange(order, fare, penalty)),
        3 => (0..9usize).prop_map(Verb::TakeExchangeBack),
        8 => wish().prop_map(Verb::Hold),
        6 => (0..6usize, times()).prop_map(|(hold, times)| Verb::PayHold(hold, times)),
        3 => (0..6usize, times()).prop_map(|(hold, times)| Verb::CancelHold(hold, times)),
        3 => Just(Verb::Expire),
    ];
    let bank = prop_oneof![
        10 => which().prop_map(Verb::Send),
        14 => (which(), prop::collection::vec(word(), 1..4)).prop_map(|(one, words)| Verb::BankSays(one, words)),
        4 => Just(Verb::Reopen),
        2 => (1..MOST_LENT).prop_map(Verb::ChangeLine),
    ];
    let settlement = prop_oneof![
        3 => (1..12u64).prop_map(Verb::DaysPass),
        3 => Just(Verb::Accrue),
        7 => (any_of, share()).prop_map(|(cycle, share)| Verb::Remit(cycle, share)),
        5 => (share(), share()).prop_map(|(principal, interest)| Verb::Repay(principal, interest)),
        2 => share().prop_map(Verb::PayTax),
        2 => share().prop_map(Verb::Sweep),
        1 => (1..50_000i64).prop_map(Verb::OrderTransfer),
        2 => Just(Verb::ConfirmTransfer),
        4 => share().prop_map(Verb::AirlineRepays),
        3 => (0..9usize).prop_map(Verb::Complete),
    ];
    let limits = prop_oneof![
        3 => (0..2usize, share()).prop_map(|(wallet, share)| Verb::Withdraw(wallet, share)),
        3 => share().prop_map(Verb::ReturnDeposit),
        2 => (1..300_000i64, 0..20u64).prop_map(|(amount, days)| Verb::Guarantee(amount, days)),
        2 => (1..300_000i64, 0..20u64).prop_map(|(amount, days)| Verb::RaiseLimit(amount, days)),
    ];
    prop_oneof![10 => sales, 10 => bank, 8 => settlement, 2 => limits]
}

/// Agencies that have paid in, and what follows.
pub fn history(steps: usize) -> impl Strategy<Value = Vec<Verb>> {
    let paid_in = [(DEPOSIT, 2_000_000), (WALLETS[0], 150_000), (WALLETS[1], 400_000)];
    let begin = paid_in.map(|(into, amount)| Verb::Receive(into, amount, Times::Once));
    let verbs = prop::collection::vec(
        prop_oneof![16 => verb().prop_map(|verb| vec![verb]), 1 => paid_and_voided(), 1 => paid_and_refunded(), 2 => exchanged(),
            1 => held_and_ended()],
        steps,
    );
    verbs.prop_map(move |verbs| [begin.to_vec(), verbs.concat().into_iter().take(steps).collect()].concat())
}

/// Claims on airlines come of this, and chance alone seldom does it within the day.
fn paid_and_voided() -> impl Strategy<Value = Vec<Verb>> {
    let paid = Verb::BankSays(Which::Newest, vec![BankWord::Settled]);
    wish()
        .prop_map(move |wish| vec![Verb::Order(vec![wish]), Verb::Send(Which::Newest), paid.clone(), Verb::Void(0, Times::Once)])
}

/// A wallet that waits for the airline's money, and gets it.
fn paid_and_refunded() -> impl Strategy<Value = Vec<Verb>> {
    wish().prop_map(move |wish| {
        let wish = Wish { buyer: Buyer::Prepaid, tickets: 1, ..wish };
        vec![
            Verb::Order(vec![wish]),
            Verb::Send(Which::Newest),
            Verb::BankSays(Which::Newest, vec![BankWord::Settled]),
            Verb::Refund(0, Part::All, Refunded::Voluntary),
            Verb::AirlineRepays(Share::All),
            Verb::Complete(0),
        ]
    })
}

/// A hold that is paid or cancelled: by chance alone few of them meet their end.
fn held_and_ended() -> impl Strategy<Value = Vec<Verb>> {
    let end =
        prop_oneof![times().prop_map(|times| Verb::PayHold(0, times)), times().prop_map(|times| Verb::CancelHold(0, times))];
    (wish(), end).prop_map(|(wish, end)| vec![Verb::Hold(wish), end])
}

/// An exchange of a ticket in any state of its payment, and what may follow: another one, a refund, or nothing.
fn exchanged() -> impl Strategy<Value = Vec<Verb>> {
    let before = prop_oneof![
        Just(Vec::new()),
        Just(vec![Verb::Send(Which::Newest)]),
        word().prop_map(|word| vec![Verb::Send(Which::Newest), Verb::BankSays(Which::Newest, vec![word])]),
    ];
    let exchange = || (1_001..61_000i64, select(vec![0, 5_000])).prop_map(|(fare, penalty)| Verb::Exchange(0, fare, penalty));
    let after = prop_oneof![
        Just(Vec::new()),
        exchange().prop_map(|again| vec![Verb::Send(Which::Newest), again]),
        (part(), how()).prop_map(|(part, how)| vec![Verb::Refund(0, part, how)]),
        Just(vec![Verb::TakeExchangeBack(0), Verb::TakeExchangeBack(0)]),
        (part(), how()).prop_map(|(part, how)| vec![Verb::TakeExchangeBack(0), Verb::Refund(0, part, how)]),
        exchange().prop_map(|again| vec![Verb::TakeExchangeBack(0), again]),
    ];
    (wish(), before, exchange(), after)
        .prop_map(|(wish, before, exchange, after)| [vec![Verb::Order(vec![wish])], before, vec![exchange], after].concat())
}

/// Leaves out what is not needed to fail, in ever smaller pieces. `fails` answers the step at which a history does.
pub fn smallest<T: Clone>(history: &[T], failed_at: usize, fails: impl Fn(&[T]) -> Option<usize>) -> Vec<T> {
    let mut kept = history[..=failed_at].to_vec();
    let mut piece = kept.len().div_ceil(2);
    loop {
        let mut from = 0;
        while from < kept.len() {
            let until = (from + piece).min(kept.len());
            let without: Vec<T> = [&kept[..from], &kept[until..]].concat();
            match fails(&without) {
                Some(step) => kept = without[..=step.min(without.len() - 1)].to_vec(),
                None => from = until,
            }
        }
        if piece == 1 {
            return kept;
        }
        piece = piece.div_ceil(2);
    }
}

#[test]
fn a_failing_history_becomes_as_small_as_it_can() {
    // Fails as soon as a 7 follows a 3, wherever they are.
    let fails = |history: &[i32]| {
        let three = history.iter().position(|one| *one == 3)?;
        history.iter().skip(three).position(|one| *one == 7).map(|place| three + place)
    };
    let history: Vec<i32> = (0..90).collect();
    assert_eq!(smallest(&history, 7, fails), [3, 7]);
}
