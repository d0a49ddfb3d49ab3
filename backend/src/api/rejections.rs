//! From the domains' own errors to the codes of the API: one exhaustive match per error.

mod after_sale;
mod cycles;
mod limits;
mod memos;
mod people;
mod scores;

pub use people::sign_in_refused;

use super::code::Code;
use super::error::{ApiError, Rejection, Retry};
use super::v1::approvals::wrong;
use crate::agencies::{AgencyError, ContractError};
use crate::airlines::{AirlineError, PayeeError, StockError};
use crate::approvals::ApprovalError;
use crate::credit::{
    AccrualError, AdvanceError, BaseRateError, CapError, FacilityError, LimitError, LimitViewError, TransferError,
};
use crate::db::DbError;
use crate::documents::AttachmentError;
use crate::identity::KeyError;
use crate::ledger::PostError;
use crate::money::{Currency, Money};
use crate::reconciliation::ExportError;
use crate::settlement::{CallError, PaymentError, ReceiptError, SigningError};
use crate::ticketing::{PlanError, QueueError, Refusal};

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        match error {
            passing if passing.is_passing() => {
                tracing::warn!(error = %passing, "database not available");
                ApiError::of(Code::DatabaseUnavailable).retry_after(1)
            }
            full if full.is_out_of_room() => {
                tracing::error!(error = %full, "the database has no room left");
                ApiError::of(Code::StorageFull).retry_after(30)
            }
            DbError::Unavailable(_) | DbError::Query(_) | DbError::CommitUnknown(_) | DbError::Corrupt(_) => {
                ApiError::internal(error)
            }
        }
    }
}

pub(super) fn invalid(pointer: &str, error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::InvalidValue, format!("{error}.")).at(pointer)
}

impl From<AgencyError> for ApiError {
    fn from(error: AgencyError) -> Self {
        match error {
            AgencyError::NumericCode(_) | AgencyError::NumericCodeTaken(_) => invalid("/data/numeric_code", error),
            AgencyError::NotFound => ApiError::of(Code::NotFound),
            AgencyError::Closed => ApiError::new(Code::InvalidState, format!("{error}.")),
            AgencyError::Db(error) => error.into(),
        }
    }
}

impl From<ApprovalError> for ApiError {
    fn from(error: ApprovalError) -> Self {
        match error {
            ApprovalError::NotFound => ApiError::of(Code::NotFound),
            ApprovalError::Unattended | ApprovalError::SelfApproval => ApiError::of(Code::SelfApproval),
            ApprovalError::Decided(_) => ApiError::new(Code::ApprovalDecided, format!("{error}.")),
            ApprovalError::Expired(_) => ApiError::new(Code::ApprovalExpired, format!("{error}.")),
            ApprovalError::Stale { .. } => ApiError::new(Code::ApprovalStale, format!("{error}.")),
            ApprovalError::Db(error) => error.into(),
        }
    }
}

impl From<ContractError> for ApiError {
    fn from(error: ContractError) -> Self {
        match error {
            ContractError::Rate | ContractError::RatesExceedPrice => invalid("/data/commission_rate", error),
            ContractError::PaymentDays => invalid("/data/payment_days", error),
            ContractError::AirlineDays => invalid("/data/airline_payment_days", error),
            ContractError::FreeDays => invalid("/data/costs/free_days", error),
            ContractError::CostRate(field) => invalid(&format!("/data/costs/{field}"), error),
            ContractError::BeforeLatest { .. } => invalid("/data/effective_from", error),
            ContractError::Db(error) => error.into(),
        }
    }
}

impl From<SigningError> for ApiError {
    fn from(error: SigningError) -> Self {
        match error {
            SigningError::NegativeMargin(_) => ApiError::new(Code::NegativeMargin, format!("{error}.")),
            SigningError::Contract(error) => error.into(),
            SigningError::Money(error) => ApiError::internal(error),
            SigningError::Db(error) => error.into(),
        }
    }
}

impl From<AirlineError> for ApiError {
    fn from(error: AirlineError) -> Self {
        match error {
            AirlineError::Taken(_) => invalid("/data/iata_code", error),
            AirlineError::AccountingCode => invalid("/data/accounting_code", error),
            AirlineError::NotFound => ApiError::of(Code::NotFound),
            AirlineError::Db(error) => error.into(),
        }
    }
}

impl From<PayeeError> for ApiError {
    fn from(error: PayeeError) -> Self {
        match error {
            PayeeError::Field(field, message) => wrong(field, message),
            PayeeError::Same => wrong("payee_account", error),
            PayeeError::Db(error) => error.into(),
        }
    }
}

impl From<StockError> for ApiError {
    fn from(error: StockError) -> Self {
        match error {
            StockError::Range | StockError::Overlap { .. } => invalid("/data/first_document", error),
            StockError::Db(error) => error.into(),
        }
    }
}

impl From<KeyError> for ApiError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::ScopeNotAllowed(..) | KeyError::NoScope => invalid("/data/scopes", error),
            KeyError::NotItsAgency => invalid("/data/agency_id", error),
            KeyError::NoOrganisation => invalid("/data/organisation_id", error),
            KeyError::NotFound => ApiError::of(Code::NotFound),
            KeyError::Revoked => ApiError::new(Code::InvalidState, format!("{error}.")),
            KeyError::LastOperatorKey => ApiError::of(Code::LastOperatorKey),
            KeyError::Db(error) => error.into(),
        }
    }
}

impl From<PostError> for ApiError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Db(error) => error.into(),
            PostError::Overflow(_) => invalid("/data/amount", error),
            other => ApiError::internal(other),
        }
    }
}

impl From<ReceiptError> for ApiError {
    fn from(error: ReceiptError) -> Self {
        match error {
            ReceiptError::NotPositive => invalid("/data/amount", error),
            ReceiptError::WrongAccount(_) => invalid("/data/account", error),
            ReceiptError::NoAgency => invalid("/data/agency_id", error),
            ReceiptError::CurrencyMismatch { .. } => {
                ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency")
            }
            ReceiptError::NoAirline => invalid("/data/airline_id", error),
            ReceiptError::NothingInCycle(_) => invalid("/data/cycle", error),
            ReceiptError::NothingOwed => invalid("/data/agency_id", error),
            ReceiptError::MoreThanClaimed { .. } | ReceiptError::MoreThanCharged { .. } | ReceiptError::MoreThanLost { .. } => {
                ApiError::new(Code::MoreThanOwed, format!("{error}.")).at("/data/amount")
            }
            ReceiptError::Call(error) => error.into(),
            ReceiptError::Money(error) => ApiError::internal(error),
            ReceiptError::FutureValueDate(_) => invalid("/data/value_date", error),
            ReceiptError::ReferenceReused { field, .. } => {
                ApiError::new(Code::BankReferenceReused, format!("{error}.")).at(format!("/data/{field}"))
            }
            ReceiptError::Post(error) => error.into(),
            ReceiptError::Db(error) => error.into(),
        }
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NotInDefault | CallError::NotInForce => ApiError::new(Code::InvalidState, format!("{error}.")),
            CallError::NoGuarantee => invalid("/data/guarantee_id", error),
            CallError::MoreThanGuaranteed { .. } | CallError::MoreThanOwed { .. } => {
                ApiError::new(Code::MoreThanOwed, format!("{error}.")).at("/data/amount")
            }
            CallError::Money(error) => ApiError::internal(error),
            CallError::Db(error) => error.into(),
        }
    }
}

impl From<PaymentError> for ApiError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::NotPositive => invalid("/data/amount", error),
            PaymentError::MoreThanOwed { field, .. } => {
                ApiError::new(Code::MoreThanOwed, format!("{error}.")).at(format!("/data/{field}"))
            }
            PaymentError::OwnCashShort { short } => own_cash_short(&error, short),
            PaymentError::NoAirline => invalid("/data/airline_id", error),
            PaymentError::CurrencyMismatch => ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency"),
            PaymentError::OldValueDate | PaymentError::FutureValueDate(_) => invalid("/data/value_date", error),
            PaymentError::ReferenceReused { field, .. } => {
                ApiError::new(Code::BankReferenceReused, format!("{error}.")).at(format!("/data/{field}"))
            }
            PaymentError::Facility(error) => error.into(),
            PaymentError::Money(error) => ApiError::internal(error),
            PaymentError::Post(error) => error.into(),
            PaymentError::Db(error) => error.into(),
        }
    }
}

/// What succeeds once somebody has followed the remedy.
fn curable(code: Code, error: &dyn std::fmt::Display, short_by: Option<Money>, remedy: &str) -> ApiError {
    ApiError::new(code, format!("{error}.")).rejected(Rejection {
        retry: Retry::MaySucceed,
        short_by,
        remedy: Some(remedy.to_owned()),
        rule: Some(code.text().to_owned()),
    })
}

fn own_cash_short(error: &dyn std::fmt::Display, short: Money) -> ApiError {
    let remedy = "Pay in capital or sweep earned money to the own account, then repeat.";
    curable(Code::OwnCashShort, error, Some(short), remedy)
}

impl From<TransferError> for ApiError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::NotPositive => invalid("/data/amount", error),
            TransferError::AboveCover { free } => curable(Code::AboveCover, &error, None, &format!("Sweep {free} at most.")),
            TransferError::OwnCashShort { short } => own_cash_short(&error, short),
            TransferError::FutureValueDate(_) => invalid("/data/value_date", error),
            TransferError::ReferenceReused(_) => {
                ApiError::new(Code::BankReferenceReused, format!("{error}.")).at("/data/bank_reference")
            }
            TransferError::NotFound => ApiError::of(Code::NotFound),
            TransferError::Money(error) => ApiError::internal(error),
            TransferError::Post(error) => error.into(),
            TransferError::Db(error) => error.into(),
        }
    }
}

impl From<AccrualError> for ApiError {
    fn from(error: AccrualError) -> Self {
        match error {
            AccrualError::NotOver { .. } => invalid("/data/through", error),
            AccrualError::Overflow => ApiError::internal(error),
            AccrualError::Facility(error) => error.into(),
            AccrualError::Money(error) => ApiError::internal(error),
            AccrualError::Post(error) => error.into(),
            AccrualError::Db(error) => error.into(),
        }
    }
}

impl From<AttachmentError> for ApiError {
    fn from(error: AttachmentError) -> Self {
        match error {
            AttachmentError::MediaType => ApiError::of(Code::AttachmentTypeNotSupported),
            AttachmentError::Size => ApiError::of(Code::AttachmentTooLarge),
        }
    }
}

impl From<ExportError> for ApiError {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::NotOver(_) | ExportError::NotSealed(_) => {
                ApiError::new(Code::DayNotOver, format!("{error}.")).at("/data/date")
            }
            ExportError::DoesNotTie(_) => {
                tracing::error!(%error, "an export is withheld");
                ApiError::new(Code::ExportDoesNotTie, format!("{error}."))
            }
            ExportError::Money(error) => ApiError::internal(error),
            ExportError::Io(error) => ApiError::internal(error),
            ExportError::Db(error) => error.into(),
        }
    }
}

impl From<LimitError> for ApiError {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Multiplier => invalid("/data/deposit_multiplier", error),
            LimitError::Cap => invalid("/data/cap_amount", error),
            LimitError::BeforeLatest { .. } => invalid("/data/effective_from", error),
            LimitError::Db(error) => error.into(),
        }
    }
}

impl From<FacilityError> for ApiError {
    fn from(error: FacilityError) -> Self {
        match error {
            FacilityError::Limit => invalid("/data/limit_amount", error),
            FacilityError::Rate => invalid("/data/base_rate", error),
            FacilityError::DayCount => invalid("/data/day_count", error),
            FacilityError::Bounds => invalid("/data/max_unconfirmed", error),
            FacilityError::NoBaseRate(_) => invalid("/data/base_rate_name", error),
            FacilityError::Availability => invalid("/data/available_until", error),
            FacilityError::NoAirline => invalid("/data/airline_id", error),
            FacilityError::Overflow => ApiError::internal(error),
            FacilityError::NoBank => invalid("/data/organisation_id", error),
            FacilityError::NotFound => ApiError::of(Code::NotFound),
            FacilityError::CurrencyMismatch => ApiError::of(Code::CurrencyMismatch).at("/data/limit_currency"),
            FacilityError::NeedsTwo => ApiError::of(Code::ApprovalRequired),
            FacilityError::SwitchOn => ApiError::of(Code::KillSwitchOn),
            FacilityError::Unresolved => ApiError::new(Code::InvalidState, format!("{error}.")),
            FacilityError::Db(error) => error.into(),
        }
    }
}

impl From<CapError> for ApiError {
    fn from(error: CapError) -> Self {
        match error {
            CapError::Cap => invalid("/data/cap_amount", error),
            CapError::NoAirline => invalid("/data/airline_id", error),
            CapError::BeforeLatest { .. } => invalid("/data/effective_from", error),
            CapError::Db(error) => error.into(),
        }
    }
}

impl From<BaseRateError> for ApiError {
    fn from(error: BaseRateError) -> Self {
        match error {
            BaseRateError::Rate => invalid("/data/rate", error),
            BaseRateError::Overlaps { .. } => ApiError::new(Code::RateOverlaps, format!("{error}.")).at("/data/effective_from"),
            BaseRateError::Facility(error) => error.into(),
            BaseRateError::Post(error) => error.into(),
            BaseRateError::Db(error) => error.into(),
        }
    }
}

impl From<AdvanceError> for ApiError {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::NotFound => ApiError::of(Code::NotFound),
            AdvanceError::Post(error) => error.into(),
            AdvanceError::Facility(error) => error.into(),
            AdvanceError::Money(error) => ApiError::internal(error),
            AdvanceError::Db(error) => error.into(),
        }
    }
}

impl From<PlanError> for ApiError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Split(error @ crate::catalogue::split::SplitError::ExceedsFare { .. }) => {
                ApiError::new(Code::SplitExceedsFare, format!("{error}."))
            }
            PlanError::TooManyCoupons { .. } => ApiError::of(Code::TooManyCoupons).at("/data/selected_offers/0"),
            PlanError::Reprice(error) => ApiError::from(error).at("/data/selected_offers/0"),
            other => ApiError::internal(other),
        }
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Full => ApiError::of(Code::QueueFull).retry_after(1),
            QueueError::DeadlineExceeded => ApiError::of(Code::DeadlineExceeded).retry_after(1),
            QueueError::Unavailable => ApiError::of(Code::DatabaseUnavailable).retry_after(1),
            QueueError::NoRoom => ApiError::of(Code::StorageFull).retry_after(30),
            QueueError::OutcomeUnknown { .. } => ApiError::of(Code::OutcomeUnknown),
            QueueError::Internal => ApiError::internal("the order failed in the commit"),
        }
    }
}

/// A business refusal of a sale, with its rule, what is short and what cures it.
pub fn refusal(refusal: &Refusal) -> ApiError {
    let (code, message) = match refusal {
        Refusal::AgencyApiFrozen => (Code::AgencyApiFrozen, "The keys of the agency are frozen.".to_owned()),
        Refusal::AgencyFrozen => (Code::AgencyFrozen, "The agency is frozen.".to_owned()),
        Refusal::AgencyClosed => (Code::AgencyClosed, "The agency is closed.".to_owned()),
        Refusal::AirlineStopped { carrier } => (Code::AirlineStopped, format!("Sales on {carrier} are stopped.")),
        Refusal::CurrencyMismatch { agency_currency } => {
            (Code::CurrencyMismatch, format!("The agency sells in {agency_currency}."))
        }
        Refusal::SeatsSoldOut { flight, booking_class, left, asked } => {
            (Code::SeatsSoldOut, format!("{flight} has {left} seats left in class {booking_class}; {asked} were asked for."))
        }
        Refusal::ScheduleChanged { flight } => {
            (Code::OfferNoLongerAvailable, format!("The airline has changed flight {flight} in the meantime."))
        }
        Refusal::StockExhausted { carrier } => (Code::StockExhausted, format!("There are no ticket numbers of {carrier} left.")),
        Refusal::LimitExceeded { short_minor, limit_minor, exposure_minor, currency } => (
            Code::LimitExceeded,
            format!(
                "The sales limit is {}, {} is used, and the sale needs {} more than what is left.",
                amount(*limit_minor, currency),
                amount(*exposure_minor, currency),
                amount(*short_minor, currency)
            ),
        ),
        Refusal::WalletInsufficient { short_minor, balance_minor, currency } => (
            Code::WalletInsufficient,
            format!("The wallet holds {}, {} too little.", amount(*balance_minor, currency), amount(*short_minor, currency)),
        ),
        Refusal::FacilityExhausted { short_minor, currency } => {
            (Code::FacilityExhausted, format!("The bank line is short of {}.", amount(*short_minor, currency)))
        }
        Refusal::FacilityClosed { reason } => (Code::FacilityClosed, format!("The bank line takes no new advances: {reason}.")),
        Refusal::VelocityExceeded { code } => (Code::VelocityExceeded, format!("The rule {code} stops the sale.")),
        Refusal::Unsellable { code, message } => (Code::find(code).unwrap_or(Code::OfferNoLongerAvailable), message.clone()),
        Refusal::HoldLimitReached { held, limit } => {
            (Code::HoldLimitReached, format!("The agency holds {held} orders that are not paid and may hold {limit}."))
        }
        Refusal::AlreadyPaid => (Code::AlreadyPaid, "The order was paid and its tickets are issued.".to_owned()),
        Refusal::OrderCancelled => (Code::OrderAlreadyCancelled, "The order was cancelled before it was paid.".to_owned()),
        Refusal::PaymentWindowClosed { payment_required_by } => {
            (Code::PaymentWindowClosed, format!("The order had to be paid by {payment_required_by}, and its seats are released."))
        }
        Refusal::NoFacility { currency } => (Code::NoFacility, format!("There is no bank line in {currency}.")),
    };
    let short_by = refusal.short().and_then(|(minor, code)| Some(Money::new(minor, Currency::parse(code).ok()?)));
    ApiError::new(code, message).rejected(Rejection {
        retry: if refusal.is_retryable() { Retry::MaySucceed } else { Retry::Useless },
        short_by,
        remedy: Some(refusal.remedy().to_owned()),
        rule: Some(code.text().to_owned()),
    })
}

fn amount(minor: i64, currency: &str) -> String {
    Currency::parse(currency).map_or_else(|_| minor.to_string(), |currency| format!("{:?}", Money::new(minor, currency)))
}

impl From<LimitViewError> for ApiError {
    fn from(error: LimitViewError) -> Self {
        match error {
            LimitViewError::Money(error) => ApiError::internal(error),
            LimitViewError::Db(error) => error.into(),
        }
    }
}
