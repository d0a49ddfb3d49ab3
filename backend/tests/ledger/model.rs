//! What should be so, kept in plain numbers beside the real thing: the tables of the ledger's design written down a second time, without commands,
//! rows or locks.

mod bank;
mod exchanges;
mod holds;
mod limits;
mod refunds;

pub use exchanges::Declined;
pub use holds::Holding;
pub use refunds::{Part, Refunded};

use airsettle::agencies::FreezeScope;
use airsettle::money::{Currency, Money};
use airsettle::ticketing::{IssueOrder, Refusal, TicketPlan};
use chrono::{Datelike, Days, NaiveDate};
use holds::Hold;
use limits::Raised;
use std::collections::BTreeMap;

/// Minor units of CNY throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Debit-positive, without those that are zero.
    pub accounts: BTreeMap<&'static str, i64>,
    pub line_limit: i64,
    pub held: i64,
    pub unconfirmed: i64,
    pub closed: Option<String>,
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
    /// The parts of the limit that were told.
    pub told: Vec<i64>,
}

/// The instruction to pay an airline for one ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub state: Stage,
    pub amount: i64,
    pub set_off: i64,
    pub cancelled: i64,
    pub reclaimed: i64,
    pub on_line: bool,
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
    on_line: bool,
    wallet: &'static str,
    day: NaiveDate,
    bucket: i64,
    tickets: Vec<Legs>,
    first_payment: usize,
    voided: bool,
    /// What the airline has made of its first coupon.
    coupon: &'static str,
    /// Ticket by ticket, coupon by coupon: what came back.
    refunded: Vec<Vec<bool>>,
    /// Its tickets were given for others.
    exchanged: bool,
    /// What it was before its last exchange, and the penalty of that.
    before: Option<Box<(Sale, i64)>>,
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
    cap: i64,
    capacity: i64,
    sales: Vec<Sale>,
    holds: Vec<Hold>,
    /// Own money on its way to the client account.
    transfers: Vec<i64>,
    /// The loan at the close of each day that was not accrued yet.
    closings: Vec<i64>,
    interest_scaled: i128,
    interest_booked: i64,
    /// What was taken back of each payment's share, and what waits for the airline's money: from which wallet, how much.
    taken: Vec<i64>,
    /// From which wallet each payment's order is paid, if it is.
    payers: Vec<&'static str>,
    pub waiting: Vec<(&'static str, i64)>,
}

pub const RECEIVABLE: &str = "agency.receivable";
pub const COMMISSION: &str = "agency.commission";
pub const DEPOSIT: &str = "agency.deposit";
pub const WALLETS: [&str; 2] = ["agency.wallet", "agency.wallet prepaid"];
pub const PAYABLE: &str = "airline.payable";
pub const TO_GIVE_BACK: &str = "airline.receivable";
pub const REFUND_DUE: &str = "agency.refund_due";
pub const TAX: &str = "authority.tax";
pub const LOAN: &str = "bank.loan";
pub const INTEREST: &str = "bank.interest";
pub const INTEREST_EXPENSE: &str = "platform.interest_expense";
pub const FEES: &str = "platform.fee_income";
pub const CAPITAL: &str = "platform.capital";
pub const OWN_CASH: &str = "platform.cash own";
pub const CLIENT_CASH: &str = "platform.cash client";
pub const ON_ITS_WAY: &str = "platform.cash_transfer";
/// Per year, in units of 1e-8, and the days of a year of the line.
const RATE: i128 = 6_000_000;
const YEAR: i128 = 360;

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
    pub fn new(today: NaiveDate, cap: i64, line_limit: i64, capacity: i64) -> Self {
        Model {
            state: State { line_limit, ..State::default() },
            raised: Raised::default(),
            today,
            cycles: BTreeMap::new(),
            cap,
            capacity,
            sales: Vec::new(),
            holds: Vec::new(),
            transfers: Vec::new(),
            closings: Vec::new(),
            interest_scaled: 0,
            interest_booked: 0,
            taken: Vec::new(),
            payers: Vec::new(),
            waiting: Vec::new(),
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

    // ---- money in and out

    pub fn receives(&mut self, amount: i64, account: &'static str) {
        let cash = if account == CAPITAL { OWN_CASH } else { CLIENT_CASH };
        self.moves(cash, account, amount);
    }

    /// What client cash holds above wallets, deposits and what wallet tickets still owe airlines.
    pub fn cover(&self) -> i64 {
        let unpaid = self.state.payments.iter().filter(|one| !one.on_line && !one.is_over).map(Payment::outstanding);
        let kept = self.credit(WALLETS[0]) + self.credit(WALLETS[1]) + self.credit(DEPOSIT);
        self.debit(CLIENT_CASH) + self.debit(ON_ITS_WAY) - kept - unpaid.sum::<i64>()
    }

    pub fn sweeps(&mut self, amount: i64) -> Result<(), String> {
        let free = self.cover();
        if amount > free {
            return Err(format!("only {} is above", cny(free)));
        }
        self.moves(OWN_CASH, CLIENT_CASH, amount);
        Ok(())
    }

    pub fn orders_transfer(&mut self, amount: i64) -> Result<(), String> {
        let short = amount - self.debit(OWN_CASH);
        if short > 0 {
            return Err(format!("the own account is short of {}", cny(short)));
        }
        self.moves(ON_ITS_WAY, OWN_CASH, amount);
        self.transfers.push(amount);
        Ok(())
    }

    pub fn confirms_transfer(&mut self) -> bool {
        if self.transfers.is_empty() {
            return false;
        }
        let amount = self.transfers.remove(0);
        self.moves(CLIENT_CASH, ON_ITS_WAY, amount);
        true
    }

    pub fn pays_tax(&mut self, amount: i64) -> Result<(), String> {
        self.pays(&[(TAX, amount)])
    }

    pub fn repays(&mut self, principal: i64, interest: i64) -> Result<(), String> {
        self.pays(&[(LOAN, principal), (INTEREST, interest)])
    }

    fn pays(&mut self, debts: &[(&'static str, i64)]) -> Result<(), String> {
        let amount: i64 = debts.iter().map(|(_, part)| part).sum();
        if amount == 0 {
            return Err("a payment is more than zero".into());
        }
        if let Some((debt, _)) = debts.iter().find(|(debt, part)| *part > self.credit(debt).max(0)) {
            return Err(format!("{} is owed, not more", cny(self.credit(debt).max(0))));
        }
        let short = amount - self.debit(OWN_CASH);
        if short > 0 {
            return Err(format!("the own account is short of {}", cny(short)));
        }
        debts.iter().for_each(|(debt, part)| self.moves(debt, OWN_CASH, *part));
        Ok(())
    }

    /// Remitted in full nets all commission of the cycle, in part the same part.
    pub fn remits(&mut self, cycle: &str, amount: i64) -> Result<(), String> {
        let Some(sums) = self.cycles.get_mut(cycle) else {
            return Err(format!("the agency sold nothing on credit in cycle {cycle}"));
        };
        let (net, commission) = (sums.open_net(), sums.commission);
        let netted = match () {
            () if net <= 0 || commission <= 0 => 0,
            () if amount >= net => commission,
            () => divide(i128::from(commission) * i128::from(amount), i128::from(net)),
        };
        sums.gross -= amount + netted;
        sums.commission -= netted;
        self.moves(OWN_CASH, RECEIVABLE, amount);
        self.moves(COMMISSION, RECEIVABLE, netted);
        Ok(())
    }

    // ---- sales

    pub fn limit(&self) -> i64 {
        self.limit_with(self.credit(DEPOSIT))
    }

    pub fn exposure(&self) -> i64 {
        self.debit(RECEIVABLE) - self.credit(COMMISSION)
    }

    /// Sells, or says why not.
    pub fn sells(&mut self, order: &IssueOrder, buyer: Buyer) -> Result<(), Refusal> {
        self.may_trade(buyer)?;
        let tickets: Vec<Legs> = order.tickets.iter().map(legs).collect();
        self.has_seats(order)?;
        self.issues(tickets.clone(), order.seats[0].bucket, buyer)?;
        self.takes_seats(order.seats[0].bucket, &tickets);
        Ok(())
    }

    fn has_seats(&self, order: &IssueOrder) -> Result<(), Refusal> {
        let demand = &order.seats[0];
        let left = self.capacity - self.state.seats_sold.get(&demand.bucket).copied().unwrap_or(0);
        if left < demand.seats {
            let (flight, booking_class) = (demand.flight.clone(), demand.booking_class);
            return Err(Refusal::SeatsSoldOut { flight, booking_class, left, asked: demand.seats });
        }
        Ok(())
    }

    fn takes_seats(&mut self, bucket: i64, tickets: &[Legs]) {
        *self.state.seats_sold.entry(bucket).or_default() +=
            tickets.iter().map(|ticket| i64::try_from(ticket.coupons).unwrap()).sum::<i64>();
    }

    /// Money and tickets; the seats are another matter.
    fn issues(&mut self, tickets: Vec<Legs>, bucket: i64, buyer: Buyer) -> Result<(), Refusal> {
        let net = tickets.iter().map(|one| one.price - one.commission).sum();
        let airline = tickets.iter().map(|one| one.airline).sum();
        let count = i64::try_from(tickets.len()).unwrap();
        let wallet = WALLETS[usize::from(buyer == Buyer::Prepaid)];
        let on_line = match buyer {
            Buyer::Credit => self.has_credit(net, airline, 0).map(|()| true)?,
            Buyer::CreditThenWallet => match self.has_credit(net, airline, 0) {
                Ok(()) => true,
                Err(refusal) => self.has_prepaid(wallet, net).map(|()| false).map_err(|_| refusal)?,
            },
            Buyer::Prepaid => self.has_prepaid(wallet, net).map(|()| false)?,
        };
        self.state.tickets += count;
        let first_payment = self.state.payments.len();
        let refunded = tickets.iter().map(|ticket| vec![false; ticket.coupons]).collect();
        let day = self.today;
        let (voided, exchanged, before, coupon) = (false, false, None, "O");
        let sale = Sale { on_line, wallet, day, bucket, tickets, first_payment, voided, coupon, refunded, exchanged, before };
        self.books_sale(&sale, 1);
        for ticket in &sale.tickets {
            self.moves(if on_line { RECEIVABLE } else { wallet }, PAYABLE, ticket.airline);
            let (amount, state) = (ticket.airline, Stage::Held);
            let new = Payment { state, amount, set_off: 0, cancelled: 0, reclaimed: 0, on_line, is_over: false };
            self.state.payments.push(new);
            self.taken.push(0);
            self.payers.push(wallet);
        }
        if on_line {
            self.state.held += airline;
            self.state.unconfirmed += count;
        }
        self.sales.push(sale);
        Ok(())
    }

    fn may_trade(&self, buyer: Buyer) -> Result<(), Refusal> {
        match buyer {
            Buyer::Prepaid => Ok(()),
            _ if self.is_frozen(FreezeScope::Api) => Err(Refusal::AgencyApiFrozen),
            _ if self.is_frozen(FreezeScope::Issue) => Err(Refusal::AgencyFrozen),
            _ => Ok(()),
        }
    }

    /// All legs but the airline's: a sale once, a void once with the other sign. A wallet ticket nets its commission at once.
    fn books_sale(&mut self, sale: &Sale, sign: i64) {
        for ticket in &sale.tickets {
            let payer = if sale.on_line { RECEIVABLE } else { sale.wallet };
            self.moves(payer, TAX, sign * ticket.tax);
            self.moves(payer, FEES, sign * ticket.fee);
            if sale.on_line {
                self.moves(payer, COMMISSION, sign * ticket.commission);
                let cycle = self.cycles.entry(cycle_of(sale.day)).or_default();
                cycle.gross += sign * ticket.price;
                cycle.commission += sign * ticket.commission;
            }
        }
    }

    /// What the airline says about the first coupon of an order: used, it is only opened again; void, it stays void.
    pub fn reports(&mut self, index: usize, to: &'static str) -> Result<(), String> {
        let sale = &mut self.sales[index];
        match (sale.voided, sale.coupon, to) {
            (true, _, "O") => return Err("the coupon was settled with status V".into()),
            (true, _, _) => return Err(format!("from V to {to}")),
            (false, _, "O") if sale.refunded[0][0] => return Err("the coupon was settled with status".into()),
            (false, _, _) if sale.refunded[0][0] => return Err("from ".into()),
            (false, "F", "O" | "F") | (false, "O" | "C", _) => {}
            (false, from, _) => return Err(format!("from {from} to {to}")),
        }
        self.state.flown += i64::from(to == "F") - i64::from(sale.coupon == "F");
        sale.coupon = to;
        Ok(())
    }

    /// What adds nothing passes a limit; `released` is not held any more.
    fn has_credit(&self, net: i64, airline: i64, released: i64) -> Result<(), Refusal> {
        let (state, currency, exposure_minor, limit_minor) = (&self.state, "CNY".to_owned(), self.exposure(), self.limit());
        let short_minor = exposure_minor + net - limit_minor;
        if net > 0 && short_minor > 0 {
            return Err(Refusal::LimitExceeded { short_minor, limit_minor, exposure_minor, currency });
        }
        if airline == 0 {
            return Ok(());
        }
        if let Some(reason) = &state.closed {
            return Err(Refusal::FacilityClosed { reason: reason.clone() });
        }
        let short_minor = self.credit(LOAN) + state.held - released + airline - state.line_limit;
        if short_minor > 0 { Err(Refusal::FacilityExhausted { short_minor, currency }) } else { Ok(()) }
    }

    fn has_prepaid(&self, wallet: &str, net: i64) -> Result<(), Refusal> {
        let balance_minor = self.credit(wallet);
        let short_minor = net - balance_minor;
        let insufficient = Refusal::WalletInsufficient { short_minor, balance_minor, currency: "CNY".into() };
        if short_minor > 0 { Err(insufficient) } else { Ok(()) }
    }

    // ---- time

    pub fn days_pass(&mut self, days: u64) {
        for _ in 0..days {
            self.closings.push(self.credit(LOAN));
            self.today = self.today + Days::new(1);
        }
    }

    /// One exact sum, divided once.
    pub fn accrues(&mut self) {
        let days: i128 = std::mem::take(&mut self.closings).into_iter().map(i128::from).sum();
        self.interest_scaled += days * RATE;
        let total = divide(self.interest_scaled, 100_000_000 * YEAR);
        self.moves(INTEREST_EXPENSE, INTEREST, total - self.interest_booked);
        self.interest_booked = total;
    }
}

fn legs(ticket: &TicketPlan) -> Legs {
    let split = &ticket.split;
    Legs {
        price: split.price.minor,
        tax: split.price.minor - split.commission.minor - split.fee.minor - split.airline.minor,
        commission: split.commission.minor,
        fee: split.fee.minor,
        airline: split.airline.minor,
        base: ticket.base.minor,
        coupons: ticket.coupons.len(),
    }
}
