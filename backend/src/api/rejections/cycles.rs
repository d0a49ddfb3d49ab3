//! Cycles: what is billed, owed and paid out.

use super::{invalid, own_cash_short};
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::settlement::{CreditPayoutError, DefaultError, ObligationError};

impl From<CreditPayoutError> for ApiError {
    fn from(error: CreditPayoutError) -> Self {
        match error {
            CreditPayoutError::NotPositive => invalid("/data/amount", error),
            CreditPayoutError::NoAgency => invalid("/data/agency_id", error),
            CreditPayoutError::Frozen => ApiError::of(Code::WithdrawalsFrozen),
            CreditPayoutError::CurrencyMismatch { .. } => {
                ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency")
            }
            CreditPayoutError::NotBilled(_) => invalid("/data/cycle", error),
            CreditPayoutError::MoreThanCredit { .. } => ApiError::new(Code::MoreThanOwed, format!("{error}.")).at("/data/amount"),
            CreditPayoutError::OwesElsewhere { .. } => ApiError::new(Code::InvalidState, format!("{error}.")),
            CreditPayoutError::OwnCashShort { short } => own_cash_short(&error, short),
            CreditPayoutError::FutureValueDate(_) => invalid("/data/value_date", error),
            CreditPayoutError::ReferenceReused(_) => {
                ApiError::new(Code::BankReferenceReused, format!("{error}.")).at("/data/bank_reference")
            }
            CreditPayoutError::Money(error) => ApiError::internal(error),
            CreditPayoutError::Post(error) => error.into(),
            CreditPayoutError::Db(error) => error.into(),
        }
    }
}

impl From<ObligationError> for ApiError {
    fn from(error: ObligationError) -> Self {
        match error {
            ObligationError::Money(error) => ApiError::internal(error),
            ObligationError::Db(error) => error.into(),
        }
    }
}

impl From<DefaultError> for ApiError {
    fn from(error: DefaultError) -> Self {
        match error {
            DefaultError::NoAgency => invalid("/data/agency_id", error),
            DefaultError::Closed
            | DefaultError::NotInDefault
            | DefaultError::NothingOwed
            | DefaultError::OtherAmount { .. }
            | DefaultError::NotRecovered { .. }
            | DefaultError::StillOwes { .. } => ApiError::new(Code::InvalidState, format!("{error}.")),
            DefaultError::Money(error) => ApiError::internal(error),
            DefaultError::Post(error) => error.into(),
            DefaultError::Db(error) => error.into(),
        }
    }
}
