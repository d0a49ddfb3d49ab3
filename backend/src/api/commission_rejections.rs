//! From the errors of commission rules and incentives to the codes of the API: one exhaustive match per error.

use super::code::Code;
use super::error::ApiError;
use super::rejections::invalid;
use crate::commission::RuleError;
use crate::settlement::{ProgrammeError, SettleError};

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Code => invalid("/data/code", error),
            RuleError::Rate => invalid("/data/rate", error),
            RuleError::Amount => invalid("/data/amount", error),
            RuleError::AgencyAndTier => invalid("/data/agency_tier", error),
            RuleError::NoAgency => invalid("/data/agency_id", error),
            RuleError::NoAirline => invalid("/data/airline_id", error),
            RuleError::SaleDates => invalid("/data/sale_until", error),
            RuleError::TravelDates => invalid("/data/travel_until", error),
            RuleError::Backdated { .. } | RuleError::BeforeLatest { .. } => invalid("/data/effective_from", error),
            RuleError::NothingToWithdraw(_) => invalid("/data/kind", error),
            RuleError::Db(error) => error.into(),
        }
    }
}

impl From<ProgrammeError> for ApiError {
    fn from(error: ProgrammeError) -> Self {
        match error {
            ProgrammeError::AgencyAndTier => invalid("/data/agency_tier", error),
            ProgrammeError::NoAgency => invalid("/data/agency_id", error),
            ProgrammeError::NoAirline => invalid("/data/airline_id", error),
            ProgrammeError::CurrencyMismatch(_) => {
                ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency")
            }
            ProgrammeError::Tiers | ProgrammeError::Reward | ProgrammeError::RewardOfMeasure => invalid("/data/tiers", error),
            ProgrammeError::AirlineReturn => invalid("/data/airline_return", error),
            ProgrammeError::Backdated { .. } => invalid("/data/effective_from", error),
            ProgrammeError::Dates => invalid("/data/effective_until", error),
            ProgrammeError::Db(error) => error.into(),
        }
    }
}

impl From<SettleError> for ApiError {
    fn from(error: SettleError) -> Self {
        match error {
            SettleError::NoProgramme => invalid("/data/programme_id", error),
            SettleError::WrongLength(_) => invalid("/data/period", error),
            SettleError::NotOver { .. } | SettleError::NotCounted { .. } => {
                ApiError::new(Code::PeriodNotOver, format!("{error}.")).at("/data/period")
            }
            SettleError::Incentive(error) => ApiError::internal(error),
            SettleError::Money(error) => ApiError::internal(error),
            SettleError::Post(error) => error.into(),
            SettleError::Db(error) => error.into(),
        }
    }
}
