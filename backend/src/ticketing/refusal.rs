//! Why a sale was refused: a business answer, not an error. It names the rule, how much is short and what would cure it soonest.

use serde::{Deserialize, Serialize};

/// Amounts are minor units of the order's currency. Stored with the idempotency key, so variants are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Refusal {
    AgencyFrozen,
    /// Its keys are.
    AgencyApiFrozen,
    AgencyClosed,
    AirlineStopped {
        carrier: String,
    },
    CurrencyMismatch {
        agency_currency: String,
    },
    /// Seats left on the flight in that class, and how many were asked for.
    SeatsSoldOut {
        flight: String,
        booking_class: char,
        left: i64,
        asked: i64,
    },
    /// The airline has changed the flight since the order was priced.
    ScheduleChanged {
        flight: String,
    },
    StockExhausted {
        carrier: String,
    },
    /// Exposure after the sale would exceed the sales limit.
    LimitExceeded {
        short_minor: i64,
        limit_minor: i64,
        exposure_minor: i64,
        currency: String,
    },
    WalletInsufficient {
        short_minor: i64,
        balance_minor: i64,
        currency: String,
    },
    FacilityExhausted {
        short_minor: i64,
        currency: String,
    },
    FacilityClosed {
        reason: String,
    },
    NoFacility {
        currency: String,
    },
    /// The agency holds so many orders that it has not paid.
    HoldLimitReached {
        held: i64,
        limit: i64,
    },
    /// The held order has its tickets.
    AlreadyPaid,
    /// The held order was cancelled before it was paid.
    OrderCancelled,
    /// The held order had to be paid by this moment (RFC 3339).
    PaymentWindowClosed {
        payment_required_by: String,
    },
    /// More of something than a velocity rule allows within its window.
    VelocityExceeded {
        code: String,
    },
    /// Refused before the commit, with the code and the words of the API: no contract, another price, a flight that is gone.
    Unsellable {
        code: String,
        message: String,
    },
}

impl Refusal {
    /// The same request may succeed later without being changed.
    pub fn is_retryable(&self) -> bool {
        !matches!(
            self,
            Refusal::AgencyClosed
                | Refusal::CurrencyMismatch { .. }
                | Refusal::AlreadyPaid
                | Refusal::OrderCancelled
                | Refusal::PaymentWindowClosed { .. }
        )
    }

    /// How much is short, where an amount is.
    pub fn short(&self) -> Option<(i64, &str)> {
        match self {
            Refusal::LimitExceeded { short_minor, currency, .. }
            | Refusal::WalletInsufficient { short_minor, currency, .. }
            | Refusal::FacilityExhausted { short_minor, currency } => Some((*short_minor, currency)),
            _ => None,
        }
    }

    /// What cures it soonest, in the words that a ticket agent reads.
    pub fn remedy(&self) -> &'static str {
        match self {
            Refusal::AgencyApiFrozen => "The agency's keys are frozen: ask the operator's risk desk.",
            Refusal::AgencyFrozen => "The agency is frozen: ask the operator's risk desk to unfreeze it.",
            Refusal::AgencyClosed => "The agency is closed and sells no more.",
            Refusal::AirlineStopped { .. } => "Sales on this airline are stopped: choose another carrier.",
            Refusal::CurrencyMismatch { .. } => "Choose an offer in the agency's currency.",
            Refusal::SeatsSoldOut { .. } => "Search again: another booking class or flight may have seats.",
            Refusal::ScheduleChanged { .. } => "Search again: the flight has other times now, or does not fly.",
            Refusal::StockExhausted { .. } => "The airline has to give the platform more ticket numbers: ask the operator.",
            Refusal::LimitExceeded { .. } => {
                "Remit at least the amount short, which frees capacity at once, or lodge more deposit; \
                 with enough in the wallet, pay with type balance."
            }
            Refusal::WalletInsufficient { .. } => "Top up the wallet by at least the amount short.",
            Refusal::FacilityExhausted { .. } => {
                "The bank line is used up: it frees when the bank is repaid. Wallet sales go on: pay with type balance."
            }
            Refusal::FacilityClosed { .. } => {
                "The bank line takes no new advances at the moment and reopens by itself when the bank answers again. \
                 Wallet sales go on: pay with type balance."
            }
            Refusal::VelocityExceeded { .. } => "Wait until less was sold of late, or ask the operator's risk desk.",
            Refusal::Unsellable { .. } => "Search again; where terms are missing, the operator has to agree them first.",
            Refusal::HoldLimitReached { .. } => {
                "Pay or cancel an order that is held, or order this one with type instant; the operator sets how many an agency may hold."
            }
            Refusal::AlreadyPaid => "Nothing is left to pay: read the order for its tickets.",
            Refusal::OrderCancelled | Refusal::PaymentWindowClosed { .. } => {
                "Its seats are released: search again and order anew."
            }
            Refusal::NoFacility { .. } => "There is no bank line in this currency. Wallet sales go on: pay with type balance.",
        }
    }
}
