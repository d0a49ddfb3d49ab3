//! What should be so, kept in plain numbers beside the real thing: no accounts, no postings, no locks.

use crate::bank::{accepted, refused, settled, settled_at, silence};
use airsettle::credit::{Advance, BankOutcome};
use airsettle::money::Money;
use airsettle::ticketing::{IssueOrder, Refusal};
use std::collections::BTreeMap;

/// Minor units of CNY throughout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub deposit: i64,
    pub exposure: i64,
    /// Of the agency that has credit, and of the one that has not.
    pub wallets: [i64; 2],
    pub client_cash: i64,
    pub line_limit: i64,
    pub drawn: i64,
    pub held: i64,
    pub unconfirmed: i64,
    pub closed: Option<String>,
    pub seats_sold: BTreeMap<i64, i64>,
    pub tickets: i64,
    pub paid: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    Held,
    Sent,
    Unknown,
    Failed,
    Paid,
}

#[derive(Clone, Debug)]
pub struct Instruction {
    pub amount: i64,
    pub on_line: bool,
    pub state: Payment,
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
}

impl BankWord {
    /// Mostly it pays.
    pub const HEARD: [BankWord; 8] = [
        BankWord::Accepted,
        BankWord::Settled,
        BankWord::Settled,
        BankWord::Settled,
        BankWord::Settled,
        BankWord::WrongAmount,
        BankWord::Refused,
        BankWord::Silence,
    ];

    pub fn about(self, advance: &Advance) -> BankOutcome {
        let wrong = Money::new(advance.amount.minor + 1, advance.amount.currency);
        match self {
            BankWord::Accepted => accepted(advance),
            BankWord::Settled => settled(advance),
            BankWord::WrongAmount => settled_at(advance, wrong),
            BankWord::Refused => refused(advance),
            BankWord::Silence => silence(advance),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Model {
    pub state: State,
    pub frozen: bool,
    pub cap: i64,
    pub capacity: i64,
    pub payments: Vec<Instruction>,
}

impl Model {
    pub fn new(cap: i64, line_limit: i64, capacity: i64) -> Self {
        let state = State { line_limit, ..State::default() };
        Model { state, frozen: false, cap, capacity, payments: Vec::new() }
    }

    pub fn limit(&self) -> i64 {
        self.state.deposit.min(self.cap)
    }

    pub fn receives(&mut self, amount: i64, wallet: Option<usize>) {
        self.state.client_cash += amount;
        match wallet {
            Some(index) => self.state.wallets[index] += amount,
            None => self.state.deposit += amount,
        }
    }

    /// Sells, or says why not.
    pub fn sells(&mut self, order: &IssueOrder, buyer: Buyer) -> Result<(), Refusal> {
        if self.frozen && buyer != Buyer::Prepaid {
            return Err(Refusal::AgencyFrozen);
        }
        let sum = |leg: fn(&airsettle::ticketing::TicketPlan) -> i64| order.tickets.iter().map(leg).sum::<i64>();
        let net = sum(|ticket| ticket.split.price.minor - ticket.split.commission.minor);
        let airline = sum(|ticket| ticket.split.airline.minor);
        let count = i64::try_from(order.tickets.len()).unwrap();
        let demand = &order.seats[0];
        let left = self.capacity - self.state.seats_sold.get(&demand.bucket).copied().unwrap_or(0);
        if left < count {
            let flight = demand.flight.clone();
            return Err(Refusal::SeatsSoldOut { flight, booking_class: demand.booking_class, left, asked: count });
        }
        let on_line = match buyer {
            Buyer::Credit => self.credit(net, airline).map(|()| true)?,
            Buyer::CreditThenWallet => match self.credit(net, airline) {
                Ok(()) => true,
                Err(refusal) => self.wallet(0, net).map(|()| false).map_err(|_| refusal)?,
            },
            Buyer::Prepaid => self.wallet(1, net).map(|()| false)?,
        };
        if on_line {
            self.state.exposure += net;
            self.state.held += airline;
            self.state.unconfirmed += count;
        } else {
            self.state.wallets[usize::from(buyer == Buyer::Prepaid)] -= net;
        }
        *self.state.seats_sold.entry(demand.bucket).or_default() += count;
        self.state.tickets += count;
        let instructions = order.tickets.iter().map(|ticket| ticket.split.airline.minor);
        self.payments.extend(instructions.map(|amount| Instruction { amount, on_line, state: Payment::Held }));
        Ok(())
    }

    fn credit(&self, net: i64, airline: i64) -> Result<(), Refusal> {
        let (state, currency) = (&self.state, "CNY".to_owned());
        let short_minor = state.exposure + net - self.limit();
        if short_minor > 0 {
            let (limit_minor, exposure_minor) = (self.limit(), state.exposure);
            return Err(Refusal::LimitExceeded { short_minor, limit_minor, exposure_minor, currency });
        }
        if let Some(reason) = &state.closed {
            return Err(Refusal::FacilityClosed { reason: reason.clone() });
        }
        let short_minor = state.drawn + state.held + airline - state.line_limit;
        if short_minor > 0 { Err(Refusal::FacilityExhausted { short_minor, currency }) } else { Ok(()) }
    }

    fn wallet(&self, index: usize, net: i64) -> Result<(), Refusal> {
        let balance_minor = self.state.wallets[index];
        let short_minor = net - balance_minor;
        let insufficient = Refusal::WalletInsufficient { short_minor, balance_minor, currency: "CNY".into() };
        if short_minor > 0 { Err(insufficient) } else { Ok(()) }
    }

    /// A failed payment is sent again as a new attempt; what is on its way already is only asked about.
    pub fn sends(&mut self, index: usize) {
        let payment = &mut self.payments[index];
        if matches!(payment.state, Payment::Held | Payment::Failed) {
            payment.state = Payment::Sent;
        }
    }

    /// A payment of the line that the bank has refused, or that we have lost sight of, keeps it closed.
    pub fn line_is_in_doubt(&self) -> bool {
        self.payments.iter().any(|payment| payment.on_line && matches!(payment.state, Payment::Unknown | Payment::Failed))
    }

    pub fn hears(&mut self, index: usize, word: BankWord) {
        let payment = &mut self.payments[index];
        let on_its_way = matches!(payment.state, Payment::Sent | Payment::Unknown);
        let closing = match word {
            BankWord::WrongAmount if payment.state != Payment::Paid => {
                if payment.state == Payment::Sent {
                    payment.state = Payment::Unknown;
                }
                Some("the bank settled an advance at another amount")
            }
            BankWord::Refused if on_its_way => {
                payment.state = Payment::Failed;
                Some("the bank refused an advance")
            }
            BankWord::Accepted if payment.state == Payment::Unknown => {
                payment.state = Payment::Sent;
                None
            }
            BankWord::Silence if payment.state == Payment::Sent => {
                payment.state = Payment::Unknown;
                None
            }
            // Also after it had refused: the money moved.
            BankWord::Settled if on_its_way || payment.state == Payment::Failed => {
                payment.state = Payment::Paid;
                self.state.paid += 1;
                if payment.on_line {
                    self.state.held -= payment.amount;
                    self.state.drawn += payment.amount;
                    self.state.unconfirmed -= 1;
                } else {
                    self.state.client_cash -= payment.amount;
                }
                None
            }
            _ => None,
        };
        if let Some(reason) = closing.filter(|_| payment.on_line && self.state.closed.is_none()) {
            self.state.closed = Some(reason.to_owned());
        }
    }
}
