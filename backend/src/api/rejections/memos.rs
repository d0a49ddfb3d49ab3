//! Memos: what airlines claim and grant after the sale.

use super::invalid;
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::settlement::MemoError;

impl From<MemoError> for ApiError {
    fn from(error: MemoError) -> Self {
        let named = |code: Code| ApiError::new(code, format!("{error}."));
        let ticket = |place: usize| format!("/data/tickets/{place}");
        match error {
            MemoError::NotFound => ApiError::of(Code::NotFound),
            MemoError::NoAirline => ApiError::of(Code::NotFound).at("/data/airline_id"),
            MemoError::NoTicket { place } => ApiError::of(Code::NotFound).at(ticket(place)),
            MemoError::OtherAirline { place, .. } => named(Code::TicketOfAnotherAirline).at(ticket(place)),
            MemoError::OtherAgency { place } | MemoError::TicketTwice { place, .. } => invalid(&ticket(place), error),
            MemoError::CurrencyMismatch { .. } => named(Code::CurrencyMismatch).at("/data/currency"),
            MemoError::Reason(_) => invalid("/data/reason", error),
            MemoError::NotPositive => invalid("/data/amount", error),
            MemoError::FeeCap { .. } => named(Code::OverFeeCap).at("/data/fee_amount"),
            MemoError::NoRule(_) => invalid("/data/currency", error),
            MemoError::OverValue { place, .. } => named(Code::OverTicketValue).at(ticket(place)),
            MemoError::Claimed { .. } => named(Code::MemoExists),
            MemoError::AgencyClosed | MemoError::State(_) => named(Code::InvalidState),
            MemoError::TooLate(_) => named(Code::MemoClockOver),
            MemoError::TooEarly(_) => named(Code::MemoClockRunning),
            MemoError::Version(_) => named(Code::PreconditionFailed).parameter("If-Match"),
            MemoError::MoreThanClaimed { .. } => named(Code::MoreThanOwed).at("/data/amount"),
            MemoError::Money(_) => ApiError::internal(error),
            MemoError::Post(error) => error.into(),
            MemoError::Db(error) => error.into(),
        }
    }
}
