//! The JSON both sides exchange. Amounts are decimal strings beside their currency, times are RFC 3339 in UTC.

use super::{BookingKind, PaymentOrder, PaymentStatus, StatementLine};
use crate::{
    clock::Timestamp,
    money::{Currency, Money, MoneyError},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireOrder {
    pub reference: String,
    pub debit_account: String,
    pub payee_account: String,
    pub payee_name: String,
    pub amount: String,
    pub currency: String,
    pub remittance_text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WirePayment {
    pub reference: String,
    #[serde(flatten)]
    pub status: WireStatus,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum WireStatus {
    NotFound,
    Accepted,
    Settled {
        amount: String,
        currency: String,
        #[serde(with = "instant")]
        settled_at: Timestamp,
        bank_reference: String,
    },
    Refused {
        code: String,
        reason: String,
        #[serde(rename = "final")]
        is_final: bool,
    },
}

/// A page of an account's day. A bank says more; this is what is read.
#[derive(Clone, Debug, Deserialize)]
pub struct WireStatement {
    pub balances: Vec<WireDayBalance>,
    pub bookings: Vec<WireStatementLine>,
    /// Where the next page begins; null on the last.
    pub next_after: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct WireDayBalance {
    pub currency: String,
    pub closing: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireBookingKind {
    Transfer,
    Fee,
}

#[derive(Clone, Debug, Deserialize)]
pub struct WireStatementLine {
    pub reference: String,
    pub bank_reference: String,
    pub amount: String,
    pub currency: String,
    #[serde(with = "instant")]
    pub booked_at: Timestamp,
    pub remittance_text: String,
    pub kind: WireBookingKind,
}

impl TryFrom<WireStatementLine> for StatementLine {
    type Error = MoneyError;

    fn try_from(wire: WireStatementLine) -> Result<Self, MoneyError> {
        Ok(StatementLine {
            amount: money(&wire.amount, &wire.currency)?,
            reference: wire.reference,
            bank_reference: wire.bank_reference,
            booked_at: wire.booked_at,
            remittance_text: wire.remittance_text,
            kind: match wire.kind {
                WireBookingKind::Transfer => BookingKind::Transfer,
                WireBookingKind::Fee => BookingKind::Fee,
            },
        })
    }
}

/// The body of an answer that is not about a payment's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WireError {
    pub error: String,
    pub detail: String,
}

impl From<&PaymentOrder> for WireOrder {
    fn from(order: &PaymentOrder) -> Self {
        WireOrder {
            reference: order.reference.clone(),
            debit_account: order.debit_account.clone(),
            payee_account: order.payee_account.clone(),
            payee_name: order.payee_name.clone(),
            amount: order.amount.to_string(),
            currency: order.amount.currency.to_string(),
            remittance_text: order.remittance_text.clone(),
            callback_url: order.callback_url.clone(),
        }
    }
}

impl TryFrom<WireOrder> for PaymentOrder {
    type Error = MoneyError;

    fn try_from(wire: WireOrder) -> Result<Self, MoneyError> {
        let amount = money(&wire.amount, &wire.currency)?;
        Ok(PaymentOrder {
            reference: wire.reference,
            debit_account: wire.debit_account,
            payee_account: wire.payee_account,
            payee_name: wire.payee_name,
            amount,
            remittance_text: wire.remittance_text,
            callback_url: wire.callback_url,
        })
    }
}

impl From<&PaymentStatus> for WireStatus {
    fn from(status: &PaymentStatus) -> Self {
        match status {
            PaymentStatus::NotFound => WireStatus::NotFound,
            PaymentStatus::Accepted => WireStatus::Accepted,
            PaymentStatus::Settled { amount, settled_at, bank_reference } => WireStatus::Settled {
                amount: amount.to_string(),
                currency: amount.currency.to_string(),
                settled_at: *settled_at,
                bank_reference: bank_reference.clone(),
            },
            PaymentStatus::Refused { code, reason, is_final } => {
                WireStatus::Refused { code: code.clone(), reason: reason.clone(), is_final: *is_final }
            }
        }
    }
}

impl TryFrom<WireStatus> for PaymentStatus {
    type Error = MoneyError;

    fn try_from(wire: WireStatus) -> Result<Self, MoneyError> {
        Ok(match wire {
            WireStatus::NotFound => PaymentStatus::NotFound,
            WireStatus::Accepted => PaymentStatus::Accepted,
            WireStatus::Settled { amount, currency, settled_at, bank_reference } => {
                PaymentStatus::Settled { amount: money(&amount, &currency)?, settled_at, bank_reference }
            }
            WireStatus::Refused { code, reason, is_final } => PaymentStatus::Refused { code, reason, is_final },
        })
    }
}

pub fn money(amount: &str, currency: &str) -> Result<Money, MoneyError> {
    Money::parse(amount, Currency::parse(currency)?)
}

/// `Timestamp` as RFC 3339 text.
pub mod instant {
    use crate::clock::Timestamp;
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(at)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let at = DateTime::parse_from_rfc3339(&text).map_err(D::Error::custom)?;
        Ok(Timestamp::from(at.with_timezone(&Utc)))
    }
}
