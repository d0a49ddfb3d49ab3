//! What random histories are made of, and how a failing one is made smaller.

use crate::model::{BankWord, Becomes, Buyer, CAPITAL, DEPOSIT, Edit, Part, Refunded, WALLETS};
use airsettle::agencies::FreezeScope;
use airsettle::ordering::Title;
use airsettle::settlement::{MemoKind, MemoStep};
use airsettle::ticketing::{AirlineChangeAction, CouponStatus, RefundDecision};
use proptest::prelude::*;
use proptest::sample::select;

/// More than a line lends, now and then.
const MOST_LENT: i64 = 2_400_000;
pub const FLIGHTS: usize = 3;
/// More than an airline ever owes.
pub const UNCAPPED: i64 = 1_000_000_000;

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
    /// Counted from the newest order: an application that a person decides later.
    Apply(usize, Part, Refunded),
    /// For so much of what was kept of its first ticket.
    ApplyForMore(usize, Share),
    /// One of those that were applied for.
    Decide(usize, RefundDecision, Times),
    ChangeFlight(usize, Becomes),
    /// Of an order, counted from the newest, one of its changes, counted from the newest.
    AnswerChange(usize, usize, AirlineChangeAction),
    /// Counted from the newest order: voided or, later, refunded.
    Cancel(usize, Times),
    /// One of the people of an order, counted from the newest order.
    Edit(usize, usize, Edit),
    /// The same of a hold.
    EditHold(usize, usize, Edit),
    DaysPass(u64),
    Accrue,
    Remit(usize, Share),
    /// Principal and interest, dated so many days back.
    Repay(Share, Share, u64),
    PayTax(Share),
    Sweep(Share),
    OrderTransfer(i64),
    ConfirmTransfer,
    AirlineRepays(Share),
    /// What the airline may owe from now on.
    CapAirline(i64),
    /// Counted from the newest order: for one of two reasons, so much of what is not claimed of its first ticket.
    Claim(usize, MemoKind, usize, Share),
    /// Counted from the newest memo, like the next one.
    TakeMemoStep(usize, MemoStep),
    /// So much of it is owed, or nothing.
    DecideMemo(usize, Option<Share>),
    PayAirline(Share),
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
    pub flight: usize,
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
    select(vec![Refunded::Voluntary, Refunded::Involuntary, Refunded::Medical, Refunded::TaxOnly])
}

/// What a person decides.
fn grounds() -> impl Strategy<Value = Refunded> {
    select(vec![Refunded::Involuntary, Refunded::Medical])
}

fn decision() -> impl Strategy<Value = RefundDecision> {
    prop_oneof![3 => Just(RefundDecision::Approve), 1 => Just(RefundDecision::Reject)]
}

/// Mostly it still leaves.
fn becomes() -> impl Strategy<Value = Becomes> {
    prop_oneof![
        5 => select(vec![40, 75]).prop_map(Becomes::Later),
        1 => Just(Becomes::Cancelled),
        2 => Just(Becomes::Replaced),
    ]
}

fn action() -> impl Strategy<Value = AirlineChangeAction> {
    select(vec![AirlineChangeAction::Accept, AirlineChangeAction::Cancel, AirlineChangeAction::Change])
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => select(vec!["one@example.com", "two@example.com"]).prop_map(Edit::Email),
        4 => select(vec!["Zhang", "Zhong", "Wang", "Wong"]).prop_map(Edit::FamilyName),
        1 => select(vec![Title::Ms, Title::Dr]).prop_map(Edit::Title),
    ]
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
    let later = prop_oneof![
        5 => (0..12usize, part(), grounds()).prop_map(|(order, part, how)| Verb::Apply(order, part, how)),
        5 => (0..12usize, share()).prop_map(|(order, share)| Verb::ApplyForMore(order, share)),
        7 => (any_of.clone(), decision(), times()).prop_map(|(one, decision, times)| Verb::Decide(one, decision, times)),
        4 => (0..2 * FLIGHTS, becomes()).prop_map(|(flight, becomes)| Verb::ChangeFlight(flight, becomes)),
        9 => (0..12usize, 0..3usize, action()).prop_map(|(order, nth, action)| Verb::AnswerChange(order, nth, action)),
        3 => (0..12usize, times()).prop_map(|(order, times)| Verb::Cancel(order, times)),
        5 => (0..12usize, 0..3usize, edit()).prop_map(|(order, who, edit)| Verb::Edit(order, who, edit)),
        3 => (0..6usize, 0..3usize, edit()).prop_map(|(hold, who, edit)| Verb::EditHold(hold, who, edit)),
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
        5 => (share(), share(), select(vec![0, 0, 0, 1, 2, 5])).prop_map(|(principal, interest, days)| Verb::Repay(principal, interest, days)),
        2 => share().prop_map(Verb::PayTax),
        2 => share().prop_map(Verb::Sweep),
        1 => (1..50_000i64).prop_map(Verb::OrderTransfer),
        2 => Just(Verb::ConfirmTransfer),
        4 => share().prop_map(Verb::AirlineRepays),
        3 => (0..9usize).prop_map(Verb::Complete),
        2 => select(vec![0, 60_000, 200_000, UNCAPPED, UNCAPPED]).prop_map(Verb::CapAirline),
    ];
    let limits = prop_oneof![
        3 => (0..2usize, share()).prop_map(|(wallet, share)| Verb::Withdraw(wallet, share)),
        3 => share().prop_map(Verb::ReturnDeposit),
        2 => (1..300_000i64, 0..20u64).prop_map(|(amount, days)| Verb::Guarantee(amount, days)),
        2 => (1..300_000i64, 0..20u64).prop_map(|(amount, days)| Verb::RaiseLimit(amount, days)),
    ];
    prop_oneof![10 => sales, 6 => later, 10 => bank, 8 => settlement, 3 => limits, 4 => memos()]
}

/// Agencies that have paid in, and what follows.
pub fn history(steps: usize) -> impl Strategy<Value = Vec<Verb>> {
    let paid_in = [(DEPOSIT, 2_000_000), (WALLETS[0], 150_000), (WALLETS[1], 400_000)];
    let begin = paid_in.map(|(into, amount)| Verb::Receive(into, amount, Times::Once));
    let verbs = prop::collection::vec(
        prop_oneof![
            80 => verb().prop_map(|verb| vec![verb]),
            2 => paid_and_voided(),
            2 => paid_and_refunded(),
            4 => exchanged(),
            3 => changed(),
            2 => given_more(),
            2 => decided(),
            2 => held(),
            3 => claimed(),
        ],
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

/// A flight that is changed under an order in any state of its payment, and what its agent makes of that.
fn changed() -> impl Strategy<Value = Vec<Verb>> {
    let sent = prop_oneof![
        Just(Vec::new()),
        Just(vec![Verb::Send(Which::Newest)]),
        word().prop_map(|word| vec![Verb::Send(Which::Newest), Verb::BankSays(Which::Newest, vec![word])]),
    ];
    let accept = || Verb::AnswerChange(0, 0, AirlineChangeAction::Accept);
    let exchange = || (1_001..61_000i64).prop_map(|fare| Verb::Exchange(0, fare, 5_000));
    let answer = prop_oneof![
        Just(vec![accept()]),
        Just(vec![accept(), Verb::DaysPass(1), Verb::Cancel(0, Times::Once)]),
        Just(vec![Verb::DaysPass(1), Verb::Cancel(0, Times::Twice)]),
        Just(vec![Verb::Void(0, Times::Once), Verb::AnswerChange(0, 0, AirlineChangeAction::Cancel)]),
        exchange().prop_map(|exchange| vec![Verb::AnswerChange(0, 0, AirlineChangeAction::Change), exchange]),
        exchange().prop_map(move |exchange| vec![exchange, Verb::TakeExchangeBack(0), accept()]),
    ];
    let again = prop_oneof![2 => Just(None), 1 => becomes().prop_map(Some)];
    (wish(), sent, becomes(), again, answer).prop_map(|(wish, sent, becomes, again, answer)| {
        let flight = 2 * wish.flight;
        let again = again.map(|becomes| Verb::ChangeFlight(flight, becomes));
        let begin = vec![Verb::ChangeFlight(flight, Becomes::Later(40)), Verb::Order(vec![wish])];
        let changes = [vec![Verb::ChangeFlight(flight, becomes)], again.into_iter().collect()].concat();
        [begin, sent, changes, answer].concat()
    })
}

/// A refund that kept something, and the part of it that comes back later.
fn given_more() -> impl Strategy<Value = Vec<Verb>> {
    let how = select(vec![Refunded::Voluntary, Refunded::TaxOnly]);
    let newest = Which::Newest;
    (wish(), any::<bool>(), part(), how, share()).prop_map(move |(wish, paid, part, how, share)| {
        let paid = if paid { vec![Verb::Send(newest), Verb::BankSays(newest, vec![BankWord::Settled])] } else { Vec::new() };
        let refund = vec![Verb::Refund(0, part, how), Verb::ApplyForMore(0, share)];
        [vec![Verb::Order(vec![wish])], paid, refund, vec![Verb::Decide(0, RefundDecision::Approve, Times::Twice)]].concat()
    })
}

/// A refund that a person decides, after something else has happened, or nothing.
fn decided() -> impl Strategy<Value = Vec<Verb>> {
    (wish(), part(), grounds(), verb(), decision(), times()).prop_map(|(wish, part, how, verb, decision, times)| {
        vec![Verb::Order(vec![wish]), Verb::Apply(0, part, how), verb, Verb::Decide(0, decision, times)]
    })
}

/// An order that is held, corrected, and paid or not.
fn held() -> impl Strategy<Value = Vec<Verb>> {
    let end = prop_oneof![
        2 => times().prop_map(|times| Verb::PayHold(0, times)),
        1 => times().prop_map(|times| Verb::CancelHold(0, times)),
    ];
    (wish(), 0..3usize, edit(), end, edit()).prop_map(|(wish, who, edit, end, again)| {
        vec![Verb::Hold(wish), Verb::EditHold(0, who, edit), end, Verb::Edit(0, who, again)]
    })
}

fn memo_kind() -> impl Strategy<Value = MemoKind> {
    select(MemoKind::ALL.to_vec())
}

fn memo_step() -> impl Strategy<Value = MemoStep> {
    use MemoStep::{Accept, Answer, Dispute, Review, Withdraw, WithdrawDispute};
    select(vec![Review, Accept, Dispute, Dispute, WithdrawDispute, Answer, Withdraw])
}

fn upheld() -> impl Strategy<Value = Option<Share>> {
    prop_oneof![3 => share().prop_map(Some), 1 => Just(None)]
}

fn memos() -> impl Strategy<Value = Verb> {
    prop_oneof![
        4 => (0..9usize, memo_kind(), 0..2usize, share())
            .prop_map(|(order, kind, reason, share)| Verb::Claim(order, kind, reason, share)),
        5 => (0..4usize, memo_step()).prop_map(|(memo, step)| Verb::TakeMemoStep(memo, step)),
        3 => (0..4usize, upheld()).prop_map(|(memo, share)| Verb::DecideMemo(memo, share)),
        3 => share().prop_map(Verb::PayAirline),
    ]
}

/// A claim with what becomes of it, a while later or at once.
fn claimed() -> impl Strategy<Value = Vec<Verb>> {
    let days = select(vec![0, 0, 3, 16]);
    let steps = prop_oneof![
        3 => prop::collection::vec(memo_step(), 1..3),
        1 => select(vec![MemoStep::Answer, MemoStep::WithdrawDispute]).prop_map(|then| vec![MemoStep::Dispute, then]),
    ];
    let claim = (memo_kind(), 0..2usize, share());
    (wish(), claim, steps, days, upheld()).prop_map(|(wish, (kind, reason, share), steps, days, upheld)| {
        let steps = steps.into_iter().map(|step| Verb::TakeMemoStep(0, step)).collect();
        let filed = vec![Verb::Order(vec![wish]), Verb::Claim(0, kind, reason, share)];
        let later = if days == 0 { Vec::new() } else { vec![Verb::DaysPass(days)] };
        [filed, steps, later, vec![Verb::DecideMemo(0, upheld)]].concat()
    })
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
