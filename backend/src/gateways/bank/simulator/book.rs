//! The bank's books in memory: payments by reference, bookings by account. `apply` is the only way in, for live entries and for
//! those read back from the journal, and it is what makes a reference booked at most once. It changes all or nothing.

use super::journal::Entry;
use crate::{
    clock::Timestamp,
    gateways::bank::{PaymentOrder, PaymentStatus, wire},
    money::{Currency, Money, MoneyError},
};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// After this many the bank answers 503: a simulator that is never cleared must not eat the machine.
pub const MAX_PAYMENTS: usize = 5_000_000;
pub const MAX_STATEMENT_LINES: usize = 10_000;
/// What is paid into it the bank keeps for itself.
pub const FEE_ACCOUNT: &str = "bank-fees";

#[derive(Debug, Default)]
pub struct Book {
    payments: HashMap<String, Payment>,
    accounts: HashMap<String, Account>,
    settled: u64,
    last_date: NaiveDate,
}

#[derive(Debug)]
pub struct Payment {
    pub order: PaymentOrder,
    pub status: PaymentStatus,
}

#[derive(Debug, Default)]
struct Account {
    balances: BTreeMap<Currency, Money>,
    bookings: Vec<Booking>,
}

/// One side of a settled payment.
#[derive(Debug)]
struct Booking {
    sequence: u64,
    reference: String,
    /// Negative on the debited account.
    amount: Money,
    balance: Money,
    booked_on: NaiveDate,
}

#[derive(Debug, thiserror::Error)]
pub enum BookError {
    #[error("{0}: no such payment")]
    NoPayment(String),
    #[error("{0} is already decided")]
    Decided(String),
    #[error("{0} was ordered with another {1}")]
    Conflict(String, &'static str),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// One account's day, a page at a time.
#[derive(Debug, Serialize)]
pub struct Statement {
    account: String,
    date: NaiveDate,
    balances: Vec<DayBalance>,
    bookings: Vec<StatementLine>,
    /// Pass it as `after` for the next page; null on the last.
    next_after: Option<u64>,
}

#[derive(Debug, Serialize)]
struct DayBalance {
    currency: String,
    opening: String,
    closing: String,
}

#[derive(Debug, Serialize)]
struct StatementLine {
    sequence: u64,
    reference: String,
    bank_reference: String,
    amount: String,
    currency: String,
    /// Of the account in this currency, after the booking.
    balance: String,
    #[serde(with = "wire::instant")]
    booked_at: Timestamp,
    counterparty_account: String,
    remittance_text: String,
    kind: wire::WireBookingKind,
}

impl Book {
    pub fn payment(&self, reference: &str) -> Option<&Payment> {
        self.payments.get(reference)
    }

    pub fn is_full(&self) -> bool {
        self.payments.len() >= MAX_PAYMENTS
    }

    /// The references whose outcome is still open.
    pub fn open_references(&self) -> Vec<String> {
        let open = self.payments.iter().filter(|(_, payment)| payment.status == PaymentStatus::Accepted);
        open.map(|(reference, _)| reference.clone()).collect()
    }

    /// The entry that settles an order, checked to fit. The business date never goes back, so that a statement once drawn
    /// stays as it was.
    pub fn settlement(&self, order: &PaymentOrder, amount: Money, at: Timestamp, today: NaiveDate) -> Result<Entry, BookError> {
        self.balances_after(order, amount)?;
        Ok(Entry::Settled {
            reference: order.reference.clone(),
            amount: amount.to_string(),
            currency: amount.currency.to_string(),
            at,
            booked_on: today.max(self.last_date),
            bank_reference: format!("SIM{:010}", self.settled + 1),
        })
    }

    pub fn apply(&mut self, entry: Entry) -> Result<(), BookError> {
        match entry {
            Entry::Received { order, .. } => self.receive(PaymentOrder::try_from(order)?),
            Entry::Settled { reference, amount, currency, at, booked_on, bank_reference } => {
                let amount = wire::money(&amount, &currency)?;
                let status = PaymentStatus::Settled { amount, settled_at: at, bank_reference };
                self.settle(&reference, amount, booked_on, status)
            }
            Entry::Refused { reference, code, reason, is_final, .. } => {
                self.open_payment(&reference)?.status = PaymentStatus::Refused { code, reason, is_final };
                Ok(())
            }
        }
    }

    /// A new reference, or another try of one that was not refused for good.
    fn receive(&mut self, order: PaymentOrder) -> Result<(), BookError> {
        if let Some(known) = self.payments.get(&order.reference) {
            if !matches!(known.status, PaymentStatus::Refused { is_final: false, .. }) {
                return Err(BookError::Decided(order.reference));
            }
            if let Some(field) = known.order.differing_field(&order) {
                return Err(BookError::Conflict(order.reference, field));
            }
        }
        self.payments.insert(order.reference.clone(), Payment { order, status: PaymentStatus::Accepted });
        Ok(())
    }

    fn settle(&mut self, reference: &str, amount: Money, on: NaiveDate, status: PaymentStatus) -> Result<(), BookError> {
        let order = self.open_payment(reference)?.order.clone();
        let (debit_balance, payee_balance) = self.balances_after(&order, amount)?;
        let debit = amount.checked_neg()?;
        self.open_payment(reference)?.status = status;
        self.settled += 1;
        self.last_date = self.last_date.max(on);
        let sides = [(order.debit_account, debit, debit_balance), (order.payee_account, amount, payee_balance)];
        for (name, amount, balance) in sides {
            let account = self.accounts.entry(name).or_default();
            account.balances.insert(amount.currency, balance);
            let reference = reference.to_owned();
            account.bookings.push(Booking { sequence: self.settled, reference, amount, balance, booked_on: on });
        }
        Ok(())
    }

    fn open_payment(&mut self, reference: &str) -> Result<&mut Payment, BookError> {
        let payment = self.payments.get_mut(reference).ok_or_else(|| BookError::NoPayment(reference.to_owned()))?;
        match payment.status {
            PaymentStatus::Accepted => Ok(payment),
            _ => Err(BookError::Decided(reference.to_owned())),
        }
    }

    /// Of the debited and of the credited account. The first may go negative: it is a credit line.
    fn balances_after(&self, order: &PaymentOrder, amount: Money) -> Result<(Money, Money), MoneyError> {
        let balance = |name: &str| {
            let account = self.accounts.get(name).and_then(|account| account.balances.get(&amount.currency));
            account.copied().unwrap_or(Money::zero(amount.currency))
        };
        let debit = balance(&order.debit_account).checked_sub(amount)?;
        let payee = balance(&order.payee_account).checked_add(amount)?;
        Ok((debit, payee))
    }

    /// An account nobody has paid from or to has an empty statement.
    pub fn statement(&self, name: &str, date: NaiveDate, after: u64) -> Statement {
        let bookings = self.accounts.get(name).map_or(&[][..], |account| &account.bookings);
        // Business dates and sequences never go back, so the day is one run and so is what follows `after`.
        let before = &bookings[..bookings.partition_point(|booking| booking.booked_on < date)];
        let until = &bookings[..bookings.partition_point(|booking| booking.booked_on <= date)];
        let day = &until[before.len()..];
        let rest = &day[day.partition_point(|booking| booking.sequence <= after)..];
        let page = &rest[..rest.len().min(MAX_STATEMENT_LINES)];
        let next_after = if page.len() < rest.len() { page.last().map(|booking| booking.sequence) } else { None };
        let (opening, closing) = (balances(before), balances(until));
        let balances = closing.into_iter().map(|(currency, closing)| DayBalance {
            currency: currency.to_string(),
            opening: opening.get(&currency).copied().unwrap_or(Money::zero(currency)).to_string(),
            closing: closing.to_string(),
        });
        Statement {
            account: name.to_owned(),
            date,
            balances: balances.collect(),
            bookings: page.iter().filter_map(|booking| self.line(booking)).collect(),
            next_after,
        }
    }

    fn line(&self, booking: &Booking) -> Option<StatementLine> {
        let payment = self.payments.get(&booking.reference)?;
        let PaymentStatus::Settled { settled_at, bank_reference, .. } = &payment.status else { return None };
        let order = &payment.order;
        let counterparty = if booking.amount.is_negative() { &order.payee_account } else { &order.debit_account };
        Some(StatementLine {
            sequence: booking.sequence,
            reference: booking.reference.clone(),
            bank_reference: bank_reference.clone(),
            amount: booking.amount.to_string(),
            currency: booking.amount.currency.to_string(),
            balance: booking.balance.to_string(),
            booked_at: *settled_at,
            kind: if counterparty == FEE_ACCOUNT { wire::WireBookingKind::Fee } else { wire::WireBookingKind::Transfer },
            counterparty_account: counterparty.clone(),
            remittance_text: order.remittance_text.clone(),
        })
    }
}

/// The last balance per currency.
fn balances(bookings: &[Booking]) -> BTreeMap<Currency, Money> {
    bookings.iter().map(|booking| (booking.balance.currency, booking.balance)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::gateways::bank::wire::WireOrder;

    fn order(reference: &str, amount: &str) -> PaymentOrder {
        PaymentOrder {
            reference: reference.into(),
            debit_account: "line".into(),
            payee_account: "airline".into(),
            payee_name: "Example Air".into(),
            amount: Money::parse(amount, Currency::CNY).unwrap(),
            remittance_text: "advance".into(),
            callback_url: None,
        }
    }

    fn at(day: i64) -> (Timestamp, NaiveDate) {
        let at = Timestamp::from_millis(1_767_225_600_000 + day * 86_400_000).unwrap();
        (at, at.utc().date_naive())
    }

    fn pay(book: &mut Book, order: &PaymentOrder, day: i64) -> Result<(), BookError> {
        let (at, today) = at(day);
        book.apply(Entry::Received { at, order: WireOrder::from(order) })?;
        book.apply(book.settlement(order, order.amount, at, today)?)
    }

    fn text(book: &Book, account: &str, day: i64) -> serde_json::Value {
        serde_json::to_value(book.statement(account, at(day).1, 0)).unwrap()
    }

    #[test]
    fn a_statement_opens_where_the_day_before_closed() {
        let mut book = Book::default();
        pay(&mut book, &order("a", "915.00"), 0).unwrap();
        pay(&mut book, &order("b", "85.00"), 1).unwrap();
        let second = text(&book, "line", 1);
        assert_eq!(second["balances"][0]["opening"], "-915.00");
        assert_eq!(second["balances"][0]["closing"], "-1000.00");
        assert_eq!(second["bookings"].as_array().unwrap().len(), 1);
        assert_eq!(second["bookings"][0]["amount"], "-85.00");
        assert_eq!(second["bookings"][0]["counterparty_account"], "airline");
        assert_eq!(text(&book, "airline", 1)["bookings"][0]["balance"], "1000.00");
        let quiet = text(&book, "line", 5);
        assert_eq!(quiet["balances"][0]["opening"], quiet["balances"][0]["closing"]);
        assert_eq!(text(&book, "nobody", 0)["balances"].as_array().unwrap().len(), 0);
    }

    #[test]
    fn a_clock_that_goes_back_does_not_change_a_closed_day() {
        let mut book = Book::default();
        pay(&mut book, &order("a", "1.00"), 3).unwrap();
        pay(&mut book, &order("b", "1.00"), 2).unwrap();
        assert_eq!(text(&book, "line", 3)["bookings"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn what_is_decided_is_never_decided_again() {
        let mut book = Book::default();
        let paid = order("a", "1.00");
        pay(&mut book, &paid, 0).unwrap();
        assert!(matches!(pay(&mut book, &paid, 0), Err(BookError::Decided(_))));
        let again = book.settlement(&paid, paid.amount, at(0).0, at(0).1).unwrap();
        assert!(matches!(book.apply(again), Err(BookError::Decided(_))));
        assert_eq!(text(&book, "line", 0)["balances"][0]["closing"], "-1.00");
        let stranger = book.settlement(&order("b", "1.00"), paid.amount, at(0).0, at(0).1).unwrap();
        assert!(matches!(book.apply(stranger), Err(BookError::NoPayment(_))));
    }

    #[test]
    fn a_balance_that_does_not_fit_changes_nothing() {
        let mut book = Book::default();
        pay(&mut book, &order("a", "92233720368547758.07"), 0).unwrap();
        assert!(matches!(pay(&mut book, &order("b", "0.02"), 0), Err(BookError::Money(MoneyError::Overflow))));
        assert_eq!(text(&book, "airline", 0)["bookings"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn long_days_come_in_pages() {
        let mut book = Book::default();
        for number in 0..MAX_STATEMENT_LINES + 1 {
            pay(&mut book, &order(&format!("r{number}"), "0.01"), 0).unwrap();
        }
        let first = text(&book, "line", 0);
        assert_eq!(first["next_after"], 10_000);
        let second = serde_json::to_value(book.statement("line", at(0).1, 10_000)).unwrap();
        assert_eq!(second["bookings"].as_array().unwrap().len(), 1);
        assert_eq!(second["bookings"][0]["balance"], "-100.01");
        assert!(second["next_after"].is_null());
    }
}
