//! What can go wrong with what limits are made of, with kill switches and with client money paid out.

use super::{curable, invalid};
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::api::v1::approvals::wrong;
use crate::credit::{GuaranteeError, KillSwitchError, ReviewError, TemporaryLimitError};
use crate::money::MoneyError;
use crate::settlement::PayoutError;

impl From<GuaranteeError> for ApiError {
    fn from(error: GuaranteeError) -> Self {
        match error {
            GuaranteeError::NotPositive => invalid("/data/amount", error),
            GuaranteeError::Haircut => invalid("/data/haircut", error),
            GuaranteeError::Expired => invalid("/data/expires_on", error),
            GuaranteeError::NoAgency => invalid("/data/agency_id", error),
            GuaranteeError::CurrencyMismatch(_) => {
                ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency")
            }
            GuaranteeError::NotFound => ApiError::of(Code::NotFound),
            GuaranteeError::Money(error) => ApiError::internal(error),
            GuaranteeError::Db(error) => error.into(),
        }
    }
}

impl From<TemporaryLimitError> for ApiError {
    fn from(error: TemporaryLimitError) -> Self {
        match error {
            TemporaryLimitError::Field(field, _) => wrong(field, error),
            TemporaryLimitError::Amount(MoneyError::TooManyDecimals { .. }) => {
                ApiError::new(Code::TooManyDecimals, format!("{error}.")).at("/data/change/amount")
            }
            TemporaryLimitError::Amount(_) | TemporaryLimitError::NotPositive => wrong("amount", error),
            TemporaryLimitError::CurrencyMismatch(_) => {
                ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/change/currency")
            }
            TemporaryLimitError::Dates => wrong("effective_until", error),
            TemporaryLimitError::Closed => ApiError::new(Code::InvalidState, format!("{error}.")),
            TemporaryLimitError::NotFound => ApiError::of(Code::NotFound),
            TemporaryLimitError::Db(error) => error.into(),
        }
    }
}

impl From<ReviewError> for ApiError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NotFound => ApiError::of(Code::NotFound),
            ReviewError::NoTurnover => ApiError::new(Code::InvalidState, format!("{error}.")),
            ReviewError::View(error) => error.into(),
            ReviewError::Db(error) => error.into(),
        }
    }
}

impl From<KillSwitchError> for ApiError {
    fn from(error: KillSwitchError) -> Self {
        match error {
            KillSwitchError::Unknown(_) => wrong("kill_switch_id", error),
            KillSwitchError::NoTarget => invalid("/data/target_id", error),
            KillSwitchError::NoScope => invalid("/data/scopes", error),
            KillSwitchError::Closed | KillSwitchError::Lifted | KillSwitchError::InDefault => {
                ApiError::new(Code::InvalidState, format!("{error}."))
            }
            KillSwitchError::On => ApiError::of(Code::KillSwitchOn),
            KillSwitchError::Agency(error) => error.into(),
            KillSwitchError::Airline(error) => error.into(),
            KillSwitchError::Facility(error) => error.into(),
            KillSwitchError::Db(error) => error.into(),
        }
    }
}

impl From<PayoutError> for ApiError {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::NotPositive => invalid("/data/amount", error),
            PayoutError::NoAgency => invalid("/data/agency_id", error),
            PayoutError::CurrencyMismatch(_) => ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency"),
            PayoutError::Frozen => ApiError::of(Code::WithdrawalsFrozen),
            PayoutError::MoreThanThere { .. } => ApiError::new(Code::MoreThanHeld, format!("{error}.")).at("/data/amount"),
            PayoutError::Uncovers { short, .. } => {
                curable(Code::DepositNeeded, &error, Some(short), "Return less, or let the agency remit first what it owes.")
            }
            PayoutError::ClientCashShort { short } => {
                let remedy = "Confirm the transfer of own money to the clients' account first.";
                curable(Code::ClientCashShort, &error, Some(short), remedy)
            }
            PayoutError::FutureValueDate(_) => invalid("/data/value_date", error),
            PayoutError::ReferenceReused { field, .. } => {
                ApiError::new(Code::BankReferenceReused, format!("{error}.")).at(format!("/data/{field}"))
            }
            PayoutError::Money(error) => ApiError::internal(error),
            PayoutError::Post(error) => error.into(),
            PayoutError::Db(error) => error.into(),
        }
    }
}
