//! Cycles: what is billed, owed and paid out.

use super::{invalid, own_cash_short};
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::settlement::{DefaultError, ObligationError, PayoutError};

impl From<PayoutError> for ApiError {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::NotPositive => invalid("/data/amount", error),
            PayoutError::NoAgency => invalid("/data/agency_id", error),
            PayoutError::CurrencyMismatch { .. } => {
                ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency")
            }
            PayoutError::NotBilled(_) => invalid("/data/cycle", error),
            PayoutError::MoreThanCredit { .. } => ApiError::new(Code::MoreThanOwed, format!("{error}.")).at("/data/amount"),
            PayoutError::OwesElsewhere { .. } => ApiError::new(Code::InvalidState, format!("{error}.")),
            PayoutError::OwnCashShort { short } => own_cash_short(&error, short),
            PayoutError::FutureValueDate(_) => invalid("/data/value_date", error),
            PayoutError::ReferenceReused(_) => {
                ApiError::new(Code::BankReferenceReused, format!("{error}.")).at("/data/bank_reference")
            }
            PayoutError::Money(error) => ApiError::internal(error),
            PayoutError::Post(error) => error.into(),
            PayoutError::Db(error) => error.into(),
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
