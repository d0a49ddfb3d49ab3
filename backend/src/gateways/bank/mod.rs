//! Paying out through a bank. The bank promises idempotency on our reference: one reference is booked at most once, ever; the
//! same content again answers the first outcome, other content is a conflict. So an unknown outcome is resolved by asking for
//! the reference (`status`), or by sending the very same order again, and never by a second reference.
//!
//! The outcome arrives in the answer, by asking, or as a signed notification (`callback`); the three may overlap and repeat, and
//! all of them say the same.

pub mod callback;
pub mod http;
pub mod simulator;
mod wire;

pub use http::{HttpBank, HttpBankConfig, HttpBankError};

use super::GatewayFuture;
use crate::{clock::Timestamp, money::Money};
use chrono::NaiveDate;

/// One payment from our account to a payee. `reference` is ours, unique per attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOrder {
    /// 1 to 64 characters of `A-Z a-z 0-9 _ - .`
    pub reference: String,
    pub debit_account: String,
    pub payee_account: String,
    pub payee_name: String,
    pub amount: Money,
    pub remittance_text: String,
    /// Where the bank reports an outcome that its answer did not carry. Not part of the order's content: it may differ when
    /// the order is sent again.
    pub callback_url: Option<String>,
}

/// What the bank says about a reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The bank has never received this reference.
    NotFound,
    /// In progress: the outcome comes by notification, or by asking again.
    Accepted,
    /// Booked, possibly at another amount than ordered: the caller compares.
    Settled { amount: Money, settled_at: Timestamp, bank_reference: String },
    /// Not booked. If final, this reference never will be; if not, the same order may be sent again under the same reference.
    Refused { code: String, reason: String, is_final: bool },
}

/// One booking on an account of ours, as the bank's statement has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementLine {
    pub reference: String,
    pub bank_reference: String,
    /// Negative where money left the account.
    pub amount: Money,
    pub booked_at: Timestamp,
    pub remittance_text: String,
    pub kind: BookingKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookingKind {
    Transfer,
    /// What the bank takes for itself.
    Fee,
}

/// An account's day in the bank's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayStatement {
    /// What it held at the end of the day, one amount for each currency that it was ever moved in.
    pub closing: Vec<Money>,
    /// Every booking of the day, in its order.
    pub lines: Vec<StatementLine>,
}

pub trait BankGateway: Send + Sync {
    /// Orders the payment, or repeats the order. Never answers `NotFound`.
    fn pay<'a>(&'a self, order: &'a PaymentOrder) -> GatewayFuture<'a, PaymentStatus>;

    /// What became of our reference.
    fn status<'a>(&'a self, reference: &'a str) -> GatewayFuture<'a, PaymentStatus>;

    fn statement<'a>(&'a self, account: &'a str, date: NaiveDate) -> GatewayFuture<'a, DayStatement>;

    /// Whether the bank takes payments now.
    fn probe(&self) -> GatewayFuture<'_, ()>;
}

impl PaymentOrder {
    /// The first part of the content in which two orders under one reference differ.
    pub fn differing_field(&self, other: &PaymentOrder) -> Option<&'static str> {
        let parts = [
            ("amount", self.amount == other.amount),
            ("debit_account", self.debit_account == other.debit_account),
            ("payee_account", self.payee_account == other.payee_account),
            ("payee_name", self.payee_name == other.payee_name),
            ("remittance_text", self.remittance_text == other.remittance_text),
        ];
        parts.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
    }
}

impl PaymentStatus {
    /// True once the bank will never say anything else about the reference.
    pub fn is_final(&self) -> bool {
        matches!(self, PaymentStatus::Settled { .. } | PaymentStatus::Refused { is_final: true, .. })
    }
}
