//! Scores and velocity: what a card and a rule may say.

use super::invalid;
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::credit::score::{CardError, ReviewError};
use crate::risk::velocity::RuleError;

impl From<CardError> for ApiError {
    fn from(error: CardError) -> Self {
        let named = |code, pointer: &str| ApiError::new(code, format!("{error}.")).at(pointer);
        match error {
            CardError::Unknown(_) | CardError::Twice(_) | CardError::Weight(_) | CardError::Points(_) | CardError::OpenEnd(_) => {
                invalid("/data/characteristics", error)
            }
            CardError::NegativeWeight(_) => named(Code::NegativeWeight, "/data/characteristics"),
            CardError::Gap { .. } => named(Code::BandGap, "/data/characteristics"),
            CardError::Overlap { .. } => named(Code::BandOverlap, "/data/characteristics"),
            CardError::GradeName(_) | CardError::GradeOrder | CardError::Multiplier | CardError::Cap => {
                invalid("/data/grades", error)
            }
            CardError::History => invalid("/data/history_most_late", error),
            CardError::Past { .. } | CardError::BeforeLatest { .. } => named(Code::VersionInThePast, "/data/effective_from"),
            CardError::Db(error) => error.into(),
        }
    }
}

impl From<ReviewError> for ApiError {
    fn from(error: ReviewError) -> Self {
        match error {
            ReviewError::NoAgency => invalid("/data/agency_id", error),
            ReviewError::Future(_) => invalid("/data/reviewed_on", error),
            ReviewError::NeverValid => invalid("/data/valid_until", error),
            ReviewError::Db(error) => error.into(),
        }
    }
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Code => invalid("/data/code", error),
            RuleError::WindowLength => invalid("/data/window_minutes", error),
            RuleError::Most => invalid("/data/most", error),
            RuleError::UsualFactor => invalid("/data/usual_factor", error),
            RuleError::Hours | RuleError::Conditions => invalid("/data/only", error),
            RuleError::NoCurrency => invalid("/data/currency", error),
            RuleError::Past { .. } | RuleError::BeforeLatest { .. } => {
                ApiError::new(Code::VersionInThePast, format!("{error}.")).at("/data/effective_from")
            }
            RuleError::Db(error) => error.into(),
        }
    }
}
