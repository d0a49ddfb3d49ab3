//! From the domains' own errors to the codes of the API: one exhaustive match per error.

use super::code::Code;
use super::error::{ApiError, Rejection, Retry};
use crate::agencies::{AgencyError, ContractError};
use crate::airlines::{AirlineError, StockError};
use crate::commission::RuleError;
use crate::credit::{AccrualError, AdvanceError, FacilityError, LimitError, LimitViewError, TransferError};
use crate::db::DbError;
use crate::documents::AttachmentError;
use crate::identity::KeyError;
use crate::ledger::PostError;
use crate::money::{Currency, Money};
use crate::ordering::{EditRefusal, HeldRefusal};
use crate::reconciliation::ExportError;
use crate::settlement::{PaymentError, ReceiptError};
use crate::ticketing::exchange::{ChangeError, ChangeRefusal};
use crate::ticketing::{AirlineChangeError, CancelError, Obstacle, PlanError, QueueError, RefundError, Refusal, ReportError, ScheduleChangeError, UpdateError, VoidError};

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

fn invalid(pointer: &str, error: impl std::fmt::Display) -> ApiError {
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

impl From<ContractError> for ApiError {
    fn from(error: ContractError) -> Self {
        match error {
            ContractError::Rate | ContractError::RatesExceedPrice => invalid("/data/commission_rate", error),
            ContractError::PaymentDays => invalid("/data/payment_days", error),
            ContractError::BeforeLatest { .. } => invalid("/data/effective_from", error),
            ContractError::Db(error) => error.into(),
        }
    }
}

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
            KeyError::Random(detail) => ApiError::internal(detail),
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
            ReceiptError::MoreThanClaimed { .. } => ApiError::new(Code::MoreThanOwed, format!("{error}.")).at("/data/amount"),
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

impl From<PaymentError> for ApiError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::NotPositive => invalid("/data/amount", error),
            PaymentError::MoreThanOwed { field, .. } => {
                ApiError::new(Code::MoreThanOwed, format!("{error}.")).at(format!("/data/{field}"))
            }
            PaymentError::OwnCashShort { short } => own_cash_short(&error, short),
            PaymentError::CurrencyMismatch => ApiError::new(Code::CurrencyMismatch, format!("{error}.")).at("/data/currency"),
            PaymentError::FutureValueDate(_) => invalid("/data/value_date", error),
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

fn own_cash_short(error: &dyn std::fmt::Display, short: Money) -> ApiError {
    ApiError::new(Code::OwnCashShort, format!("{error}.")).rejected(Rejection {
        retry: Retry::MaySucceed,
        short_by: Some(short),
        remedy: Some("Pay in capital or sweep earned money to the own account, then repeat.".to_owned()),
        rule: Some(Code::OwnCashShort.text().to_owned()),
    })
}

impl From<TransferError> for ApiError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::NotPositive => invalid("/data/amount", error),
            TransferError::AboveCover { free } => ApiError::new(Code::AboveCover, format!("{error}.")).rejected(Rejection {
                retry: Retry::MaySucceed,
                short_by: None,
                remedy: Some(format!("Sweep {free} at most.")),
                rule: Some(Code::AboveCover.text().to_owned()),
            }),
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

fn funds_awaited(error: &dyn std::fmt::Display, short: Money) -> ApiError {
    ApiError::new(Code::AirlineFundsAwaited, format!("{error}.")).rejected(Rejection {
        retry: Retry::MaySucceed,
        short_by: Some(short),
        remedy: Some("Confirm again once the airline has given the money back or own money was paid in.".to_owned()),
        rule: Some(Code::AirlineFundsAwaited.text().to_owned()),
    })
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

impl From<AttachmentError> for ApiError {
    fn from(error: AttachmentError) -> Self {
        match error {
            AttachmentError::MediaType => ApiError::of(Code::AttachmentTypeNotSupported),
            AttachmentError::Size => ApiError::of(Code::AttachmentTooLarge),
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
            FacilityError::NoBank => invalid("/data/organisation_id", error),
            FacilityError::NotFound => ApiError::of(Code::NotFound),
            FacilityError::CurrencyMismatch => ApiError::of(Code::CurrencyMismatch).at("/data/limit_currency"),
            FacilityError::Unresolved => ApiError::new(Code::InvalidState, format!("{error}.")),
            FacilityError::Db(error) => error.into(),
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
        use crate::shopping::price::RepriceRefusal;
        match error {
            PlanError::Split(error @ crate::catalogue::split::SplitError::ExceedsFare { .. }) => {
                ApiError::new(Code::SplitExceedsFare, format!("{error}."))
            }
            PlanError::TooManyCoupons { .. } => ApiError::of(Code::TooManyCoupons).at("/data/selected_offers/0"),
            PlanError::Reprice(RepriceRefusal::FareChanged { .. }) => {
                ApiError::of(Code::OfferPriceChanged).at("/data/selected_offers/0")
            }
            PlanError::Reprice(error @ (RepriceRefusal::Departed { .. } | RepriceRefusal::Closed { .. })) => {
                ApiError::new(Code::FlightDeparted, format!("{error}.")).at("/data/selected_offers/0")
            }
            PlanError::Reprice(
                error @ (RepriceRefusal::FlightGone { .. }
                | RepriceRefusal::ScheduleChanged { .. }
                | RepriceRefusal::FareGone { .. }),
            ) => ApiError::new(Code::OfferNoLongerAvailable, format!("{error}.")).at("/data/selected_offers/0"),
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
        Refusal::Unsellable { code, message } => (Code::find(code).unwrap_or(Code::OfferNoLongerAvailable), message.clone()),
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
