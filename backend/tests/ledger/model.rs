//! What should be so, kept in plain numbers beside the real thing: the tables of the ledger's design written down a second time, without commands,
//! rows or locks.

mod bank;
mod cash;
mod exchanges;
mod flights;
mod holds;
mod limits;
mod lines;
mod memos;
mod people;
mod refunds;
mod sales;

pub use exchanges::Declined;
pub use flights::{Becomes, Flight};
pub use holds::Holding;
pub use memos::Memo;
pub use people::{Edit, Traveller};
pub use refunds::{Part, Refunded};

use airsettle::money::{Currency, Money};
use chrono::{Datelike, NaiveDate};
use flights::Change;
use holds::Hold;
use limits::Raised;
use memos::Behind;
use refunds::{Applied, Given};
use sales::Seats;
use std::collections::{BTreeMap, BTreeSet};

/// Minor units of CNY throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Debit-positive, without those that are zero.
    pub accounts: BTreeMap<&'static str, i64>,
    /// Oldest first.
    pub lines: [Line; LINES],
    pub seats_sold: BTreeMap<i64, i64>,
    pub tickets: i64,
    pub payments: Vec<Payment>,
    pub claims: Vec<Claim>,
    pub voided: i64,
    /// Coupons that were used.
    pub flown: i64,
    /// What became of every order that was held.
    pub holds: Vec<Holding>,
    pub refunded: i64,
    /// How many applications for refunds are where.
    pub applications: BTreeMap<&'static str, i64>,
    /// The parts of the limit that were told.
    pub alerts: Vec<i64>,
    /// In the order in which they were filed.
    pub memos: Vec<Memo>,
}

/// How many bank lines there are: one that is dear, and two that are cheap and cost the same.
pub const LINES: usize = 3;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub limit: i64,
    pub held: i64,
    pub unconfirmed: i64,
    pub closed: Option<String>,
}

/// The instruction to pay an airline for one ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub state: Stage,
    pub amount: i64,
    pub set_off: i64,
    pub cancelled: i64,
    pub reclaimed: i64,
    pub on_line: Option<usize>,
    pub is_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Held,
    Sent,
    Unknown,
    Failed,
    Confirmed,
    SetOff,
    Cancelled,
}

/// What an airline has to give back for a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub amount: i64,
    pub settled: i64,
    pub is_set_off: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buyer {
    /// On credit or not at all.
    Credit,
    /// On credit, else from its wallet.
    CreditThenWallet,
    Prepaid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankWord {
    Accepted,
    Settled,
    WrongAmount,
    Refused,
    Silence,
    /// It paid an attempt that it had refused.
    SettledEarlier,
}

/// An order that was issued.
#[derive(Clone, Debug)]
struct Sale {
    on_credit: bool,
    wallet: &'static str,
    day: NaiveDate,
    /// Those of each coupon.
    seats: Seats,
    tickets: Vec<Legs>,
    /// No two sets of tickets have the same.
    first_payment: usize,
    voided: bool,
    /// All that was left of it was refunded.
    cancelled: bool,
    /// What the airline has made of its first coupon.
    coupon: &'static str,
    /// Ticket by ticket, coupon by coupon: what came back.
    refunded: Vec<Vec<bool>>,
    /// What came back of each ticket, added up.
    given: Vec<Given>,
    /// Its tickets were given for others.
    exchanged: bool,
    before: Option<Box<Before>>,
    /// Its people.
    party: usize,
}

/// What an order was before its last exchange.
#[derive(Clone, Debug)]
struct Before {
    sale: Sale,
    penalty: i64,
    /// How many changes of flights had been filed by then.
    filed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Legs {
    price: i64,
    tax: i64,
    commission: i64,
    fee: i64,
    airline: i64,
    base: i64,
    coupons: usize,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct CycleSums {
    gross: i64,
    commission: i64,
}

impl CycleSums {
    pub fn open_net(self) -> i64 {
        self.gross - self.commission
    }
}

#[derive(Clone, Debug)]
pub struct Model {
    pub state: State,
    pub raised: Raised,
    pub today: NaiveDate,
    pub cycles: BTreeMap<String, CycleSums>,
    /// What airlines change about flights: theirs, and those that passengers are offered instead.
    pub flights: Vec<Flight>,
    /// The people of every order, sold or held, in the order in which they came.
    pub people: Vec<Vec<Traveller>>,
    cap: i64,
    sales: Vec<Sale>,
    holds: Vec<Hold>,
    changes: Vec<Change>,
    /// How many changes of flights were filed.
    filed: usize,
    /// Applications that wait for a person.
    submitted: Vec<Applied>,
    /// Of exchanges that were taken back: the first payments of their new tickets.
    taken_exchanges: BTreeSet<usize>,
    /// Own money on its way to the client account.
    transfers: Vec<i64>,
    /// Line by line: the loan at the close of each day that was not accrued yet, and the interest.
    closings: [Vec<i64>; LINES],
    interest_scaled: [i128; LINES],
    interest_booked: [i64; LINES],
    /// What the airline may owe.
    pub cap_of_airline: i64,
    /// When each payment left for the bank, which counts from that day on.
    sent_on: Vec<NaiveDate>,
    /// The loan at the close of each day by value date.
    drawn_by: [BTreeMap<NaiveDate, i64>; LINES],
    /// What was taken back of each payment's share, and what waits for the airline's money: from which wallet, how much.
    taken: Vec<i64>,
    /// From which wallet each payment's order is paid, if it is.
    payers: Vec<&'static str>,
    pub waiting: Vec<(&'static str, i64)>,
    behind: Vec<Behind>,
}

pub const RECEIVABLE: &str = "agency.receivable";
pub const COMMISSION: &str = "agency.commission";
pub const DEPOSIT: &str = "agency.deposit";
pub const WALLETS: [&str; 2] = ["agency.wallet", "agency.wallet prepaid"];
pub const PAYABLE: &str = "airline.payable";
pub const TO_GIVE_BACK: &str = "airline.receivable";
pub const REFUND_DUE: &str = "agency.refund_due";
pub const TAX: &str = "authority.tax";
pub const LOANS: [&str; LINES] = ["bank.loan", "bank.loan B", "bank.loan C"];
pub const INTERESTS: [&str; LINES] = ["bank.interest", "bank.interest B", "bank.interest C"];
pub const INTEREST_EXPENSE: &str = "platform.interest_expense";
pub const FEES: &str = "platform.fee_income";
pub const CAPITAL: &str = "platform.capital";
pub const OWN_CASH: &str = "platform.cash own";
pub const CLIENT_CASH: &str = "platform.cash client";
pub const ON_ITS_WAY: &str = "platform.cash_transfer";
/// Rounded half to even.
pub fn divide(numerator: i128, denominator: i128) -> i64 {
    let (quotient, rest) = (numerator.div_euclid(denominator), numerator.rem_euclid(denominator));
    let up = rest * 2 > denominator || (rest * 2 == denominator && quotient % 2 != 0);
    i64::try_from(quotient + i128::from(up)).unwrap()
}

pub fn cny(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn cycle_of(day: NaiveDate) -> String {
    format!("{}-H{}", day.format("%Y-%m"), if day.day() < 16 { 1 } else { 2 })
}

impl Model {
    pub fn new(today: NaiveDate, cap: i64, limits: [i64; LINES], flights: Vec<Flight>) -> Self {
        Model {
            state: State { lines: limits.map(|limit| Line { limit, ..Line::default() }), ..State::default() },
            raised: Raised::default(),
            today,
            cycles: BTreeMap::new(),
            flights,
            people: Vec::new(),
            cap,
            sales: Vec::new(),
            holds: Vec::new(),
            changes: Vec::new(),
            filed: 0,
            submitted: Vec::new(),
            taken_exchanges: BTreeSet::new(),
            transfers: Vec::new(),
            closings: Default::default(),
            interest_scaled: [0; LINES],
            interest_booked: [0; LINES],
            cap_of_airline: i64::MAX,
            sent_on: Vec::new(),
            drawn_by: Default::default(),
            taken: Vec::new(),
            payers: Vec::new(),
            waiting: Vec::new(),
            behind: Vec::new(),
        }
    }

    /// What an account holds, positive on the debit side.
    pub fn debit(&self, account: &str) -> i64 {
        self.state.accounts.get(account).copied().unwrap_or(0)
    }

    pub fn credit(&self, account: &str) -> i64 {
        -self.debit(account)
    }

    fn moves(&mut self, debit: &'static str, credit: &'static str, amount: i64) {
        self.adds(debit, amount);
        self.adds(credit, -amount);
    }

    fn adds(&mut self, account: &'static str, amount: i64) {
        let balance = self.debit(account) + amount;
        self.state.accounts.remove(account);
        if balance != 0 {
            self.state.accounts.insert(account, balance);
        }
    }
}
