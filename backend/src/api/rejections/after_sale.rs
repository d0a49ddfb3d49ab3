//! What can go wrong with an order that exists: voids, refunds, exchanges, corrections, and what airlines report of its coupons.

use super::{curable, invalid, refusal};
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::money::Money;
use crate::ordering::{EditRefusal, HeldRefusal};
use crate::ticketing::exchange::{ChangeError, ChangeRefusal};
use crate::ticketing::{
    AirlineChangeError, CancelError, Obstacle, ReceiptError, RefundError, ReportError, ScheduleChangeError, UpdateError,
    VoidError,
};

fn funds_awaited(error: &dyn std::fmt::Display, short: Money) -> ApiError {
    let remedy = "Confirm again once the airline has given the money back or own money was paid in.";
    curable(Code::AirlineFundsAwaited, error, Some(short), remedy)
}

impl From<ReceiptError> for ApiError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::NotIssued => {
                ApiError::new(Code::InvalidState, "The order has no tickets, so that there is no receipt.")
            }
            ReceiptError::Db(error) => error.into(),
            other => ApiError::internal(other),
        }
    }
}

impl From<VoidError> for ApiError {
    fn from(error: VoidError) -> Self {
        match error {
            VoidError::NotFound => ApiError::of(Code::NotFound),
            VoidError::AlreadyCancelled { .. } => ApiError::new(Code::OrderAlreadyCancelled, format!("{error}.")),
            VoidError::Held(refusal) => refusal.into(),
            VoidError::WindowClosed { .. } => ApiError::new(Code::VoidWindowClosed, format!("{error}.")),
            VoidError::CouponNotOpen { .. } => ApiError::new(Code::CouponNotOpen, format!("{error}.")),
            VoidError::AirlineFundsAwaited { short } => funds_awaited(&error, short),
            VoidError::Advance(error) => error.into(),
            VoidError::Money(error) => ApiError::internal(error),
            VoidError::Post(error) => error.into(),
            VoidError::Db(error) => error.into(),
        }
    }
}

impl From<ReportError> for ApiError {
    fn from(error: ReportError) -> Self {
        let code = match error {
            ReportError::NoTicket | ReportError::NoCoupon => return ApiError::of(Code::NotFound),
            ReportError::OtherFlight { .. } => {
                return ApiError::new(Code::CouponFlightDiffers, format!("{error}.")).at("/data/flight");
            }
            ReportError::InFuture => return invalid("/data/happened_at", error),
            ReportError::Stale { .. } => Code::CouponStatusStale,
            ReportError::Settled { .. } => Code::CouponSettled,
            ReportError::Refused { .. } => Code::CouponStatusRefused,
            ReportError::NotLatest { .. } => Code::CouponChangedLater,
        };
        ApiError::new(code, format!("{error}.")).at("/data/status")
    }
}

impl From<Obstacle> for ApiError {
    fn from(error: Obstacle) -> Self {
        ApiError::new(Code::find(error.code()).unwrap_or(Code::InvalidState), format!("{error}."))
    }
}

impl From<UpdateError> for ApiError {
    fn from(error: UpdateError) -> Self {
        let at = |code, field: &str, error: &dyn std::fmt::Display| {
            ApiError::new(code, format!("{error}.")).at(format!("/data/{field}"))
        };
        match error {
            UpdateError::NotFound => ApiError::of(Code::NotFound),
            UpdateError::Obstacle(obstacle) => obstacle.into(),
            UpdateError::Edit(refusal) => match refusal {
                EditRefusal::GivenName => at(Code::NameChangeNotAllowed, "given_name", &refusal),
                EditRefusal::FamilyName => at(Code::NameChangeNotAllowed, "family_name", &refusal),
                EditRefusal::Title => at(Code::TitleNotChangeable, "title", &refusal),
                EditRefusal::Gender => at(Code::TitleNotChangeable, "gender", &refusal),
            },
            UpdateError::Document { place, fault } => {
                at(Code::InvalidPassenger, &format!("identity_documents/{place}/unique_identifier"), &fault)
            }
            UpdateError::Erased => ApiError::new(Code::InvalidState, "The passenger's data were erased."),
            UpdateError::Vault(error) => ApiError::internal(error),
            UpdateError::Db(error) => error.into(),
        }
    }
}

impl From<ChangeError> for ApiError {
    fn from(error: ChangeError) -> Self {
        let refused = |code, error: &ChangeError| ApiError::new(code, format!("{error}."));
        match error {
            ChangeError::NotFound => ApiError::of(Code::NotFound),
            ChangeError::Cancelled { .. } => refused(Code::OrderAlreadyCancelled, &error),
            ChangeError::NothingOpen | ChangeError::CouponNotOpen { .. } => refused(Code::CouponNotOpen, &error),
            ChangeError::Expired { .. } => refused(Code::OfferExpired, &error),
            ChangeError::OrderChanged => refused(Code::OrderChanged, &error),
            ChangeError::NoContract => ApiError::of(Code::NoContract),
            ChangeError::AmountDiffers { .. } => refused(Code::PaymentAmountMismatch, &error).at("/data/payment/amount"),
            ChangeError::AirlineFundsAwaited { short } => funds_awaited(&error, short),
            ChangeError::NotConfirmed | ChangeError::GaveBack => refused(Code::InvalidState, &error),
            ChangeError::VoidWindowClosed { .. } => refused(Code::VoidWindowClosed, &error),
            ChangeError::NotPermitted(ref refusal) => match refusal {
                ChangeRefusal::NotPermitted { .. } => refused(Code::ChangeNotPermitted, &error),
                ChangeRefusal::Departed { .. } => refused(Code::FlightDeparted, &error),
                ChangeRefusal::Begun { .. } => refused(Code::CouponNotOpen, &error),
                ChangeRefusal::NoSuchSlice { .. } | ChangeRefusal::NothingGivenUp => invalid("/data/slices/remove", &error),
                ChangeRefusal::Money(_) => ApiError::internal(error),
            },
            ChangeError::Refused(reason) => refusal(&reason),
            ChangeError::Plan(error) => error.into(),
            ChangeError::Advance(error) => error.into(),
            ChangeError::Money(error) => ApiError::internal(error),
            ChangeError::Post(error) => error.into(),
            ChangeError::Db(error) => error.into(),
        }
    }
}

impl From<RefundError> for ApiError {
    fn from(error: RefundError) -> Self {
        let refused = |code, error: &RefundError| ApiError::new(code, format!("{error}."));
        match error {
            RefundError::NotFound => ApiError::of(Code::NotFound),
            RefundError::TicketVoided { .. } => refused(Code::TicketVoided, &error),
            RefundError::CouponNotRefundable { .. } => refused(Code::CouponNotRefundable, &error),
            RefundError::NothingToRefund => refused(Code::NothingToRefund, &error),
            RefundError::NoRefundRule { .. } => refused(Code::NoRefundRule, &error),
            RefundError::ReasonMissing { .. } => refused(Code::MissingField, &error).at("/data/reason"),
            RefundError::EvidenceMissing { .. } => refused(Code::MissingField, &error).at("/data/attachment_ids"),
            RefundError::MoreThanPaid { .. } => refused(Code::MoreThanPaid, &error).at("/data/amount"),
            RefundError::QuoteExpired { .. } => refused(Code::RefundQuoteExpired, &error),
            RefundError::AmountDiffers { .. } => refused(Code::RefundAmountDiffers, &error).at("/data/expected_amount"),
            RefundError::Frozen => refused(Code::AgencyFrozen, &error),
            RefundError::InvalidState { .. } => refused(Code::InvalidState, &error),
            RefundError::Advance(error) => error.into(),
            RefundError::Transfer(error) => error.into(),
            RefundError::Money(error) => ApiError::internal(error),
            RefundError::Post(error) => error.into(),
            RefundError::Db(error) => error.into(),
        }
    }
}

impl From<HeldRefusal> for ApiError {
    fn from(error: HeldRefusal) -> Self {
        let code = match error {
            HeldRefusal::AlreadyPaid => Code::AlreadyPaid,
            HeldRefusal::Cancelled => Code::OrderAlreadyCancelled,
            HeldRefusal::WindowClosed(_) => Code::PaymentWindowClosed,
            HeldRefusal::NotDue(_) => Code::InvalidState,
        };
        ApiError::new(code, format!("{error}."))
    }
}

impl From<CancelError> for ApiError {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Void(error) => error.into(),
            CancelError::Refund(error) => error.into(),
            CancelError::Change(error) => error.into(),
            CancelError::Money(error) => ApiError::internal(error),
            CancelError::Db(error) => error.into(),
        }
    }
}

impl From<ScheduleChangeError> for ApiError {
    fn from(error: ScheduleChangeError) -> Self {
        let at = |code, field: &str| ApiError::new(code, format!("{error}.")).at(format!("/data/{field}"));
        match error {
            ScheduleChangeError::NoFlight { .. } => at(Code::FlightNotFound, "flight_number"),
            ScheduleChangeError::Departed { .. } => at(Code::FlightDeparted, "date"),
            ScheduleChangeError::OtherDay | ScheduleChangeError::DepartsTooSoon => at(Code::InvalidValue, "departing_at"),
            ScheduleChangeError::ArrivesTooSoon => at(Code::InvalidValue, "arriving_at"),
            ScheduleChangeError::NoReplacement { .. } => at(Code::FlightNotFound, "replacement_flight_number"),
            ScheduleChangeError::Db(error) => error.into(),
        }
    }
}

impl From<AirlineChangeError> for ApiError {
    fn from(error: AirlineChangeError) -> Self {
        let code = match error {
            AirlineChangeError::NotFound => return ApiError::of(Code::NotFound),
            AirlineChangeError::Answered(_) | AirlineChangeError::ChangedAgain { .. } => Code::AirlineChangeAnswered,
            AirlineChangeError::OrderCancelled => Code::OrderAlreadyCancelled,
            AirlineChangeError::NothingOffered => Code::NothingOffered,
            AirlineChangeError::CouponUsed { .. } => Code::CouponNotOpen,
            AirlineChangeError::NotGivenBack { .. } => Code::TicketsNotGivenBack,
            AirlineChangeError::SeatsSoldOut { .. } => Code::SeatsSoldOut,
            AirlineChangeError::Db(error) => return error.into(),
        };
        ApiError::new(code, format!("{error}."))
    }
}
