//! Every error code of the API, in one table: its HTTP status, its family, a title and the sentence of its documentation page.
//! A code, once published, keeps its meaning; clients branch on it. The pages under `/docs/errors` and the OpenAPI description
//! are made from this table, so that no code can exist without being documented.

use actix_web::http::StatusCode;
use std::fmt;

/// The family of an error, as existing distribution clients know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    Authentication,
    InvalidRequest,
    Validation,
    InvalidState,
    RateLimit,
    Airline,
    Api,
}

impl Family {
    pub const ALL: [Family; 7] = [
        Family::Authentication,
        Family::InvalidRequest,
        Family::Validation,
        Family::InvalidState,
        Family::RateLimit,
        Family::Airline,
        Family::Api,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Family::Authentication => "authentication_error",
            Family::InvalidRequest => "invalid_request_error",
            Family::Validation => "validation_error",
            Family::InvalidState => "invalid_state_error",
            Family::RateLimit => "rate_limit_error",
            Family::Airline => "airline_error",
            Family::Api => "api_error",
        }
    }
}

macro_rules! codes {
    ($($name:ident $text:literal $status:ident $family:ident $title:literal $doc:literal;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $doc] $name,)+
        }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$name),+];

            pub fn text(self) -> &'static str {
                match self { $(Code::$name => $text),+ }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Code::$name => StatusCode::$status),+ }
            }

            pub fn family(self) -> Family {
                match self { $(Code::$name => Family::$family),+ }
            }

            pub fn title(self) -> &'static str {
                match self { $(Code::$name => $title),+ }
            }

            /// When it happens and what to do about it.
            pub fn documentation(self) -> &'static str {
                match self { $(Code::$name => $doc),+ }
            }
        }
    };
}

codes! {
    InvalidJson "invalid_json" BAD_REQUEST InvalidRequest "Malformed JSON"
        "The body is not valid JSON. The message says at which line and column reading stopped.";
    MissingData "missing_data" BAD_REQUEST InvalidRequest "Missing data envelope"
        "The body must be a JSON object whose member `data` holds the request.";
    MissingField "missing_field" UNPROCESSABLE_ENTITY Validation "Missing field"
        "A required field is absent. `source.pointer` names it.";
    UnknownField "unknown_field" UNPROCESSABLE_ENTITY Validation "Unknown field"
        "A field that this operation does not know. It is refused because a misspelt optional field would otherwise be ignored in silence.";
    InvalidType "invalid_type" UNPROCESSABLE_ENTITY Validation "Wrong JSON type"
        "A field has another JSON type than expected, such as a number where a string belongs. Amounts and ids are always strings.";
    InvalidValue "invalid_value" UNPROCESSABLE_ENTITY Validation "Invalid value"
        "A field or query parameter has the right type but a value that is not allowed. The message says what is.";
    TooManyDecimals "too_many_decimals" UNPROCESSABLE_ENTITY Validation "Too many decimals"
        "An amount has more decimals than its currency (CNY 2, JPY 0, KWD 3). Amounts are never rounded on the way in.";
    UnknownCurrency "unknown_currency" UNPROCESSABLE_ENTITY Validation "Unknown currency"
        "The currency is not an active ISO 4217 code in capital letters.";
    CurrencyMismatch "currency_mismatch" UNPROCESSABLE_ENTITY Validation "Currency mismatch"
        "An amount is in another currency than the thing it refers to. A sale, its advance, its facility and its cycle are in one currency.";
    AmountMismatch "amount_mismatch" UNPROCESSABLE_ENTITY Validation "Amount mismatch"
        "An amount differs from what is owed or was agreed. Read the current amount and send that.";
    NotFound "not_found" NOT_FOUND InvalidRequest "Not found"
        "Nothing is at this address, or it belongs to another organisation.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED InvalidRequest "Method not allowed"
        "The address exists but not for this HTTP method.";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE InvalidRequest "Unsupported media type"
        "A request with a body must say `Content-Type: application/json`.";
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE InvalidRequest "Body too large"
        "The body is larger than this operation accepts. The message gives the limit in bytes.";
    NotAcceptable "not_acceptable" NOT_ACCEPTABLE InvalidRequest "No such form of an answer"
        "A stream of events does not end: a request for one says `Accept: text/event-stream`.";
    UnsupportedVersion "unsupported_version" BAD_REQUEST InvalidRequest "Unsupported version"
        "The version header names a version that does not exist. Send `Duffel-Version: v2` or `Airsettle-Version: 2026-11-01`, or neither.";
    Unauthenticated "unauthenticated" UNAUTHORIZED Authentication "Not authenticated"
        "The key or session is missing or unknown. Send `Authorization: Bearer` and a key.";
    KeyExpired "key_expired" UNAUTHORIZED Authentication "Key expired"
        "The key is past its expiry or the end of its overlap after a roll. Use the new key.";
    KeyRevoked "key_revoked" UNAUTHORIZED Authentication "Key revoked"
        "The key was revoked and never works again. Create another.";
    IpNotAllowed "ip_not_allowed" FORBIDDEN Authentication "Address not allowed"
        "The key has a list of network addresses and the request came from another.";
    SessionExpired "session_expired" UNAUTHORIZED Authentication "Session over"
        "The session has ended: by time, by signing out, by a new password, or because the user does not get in any more. Sign in again.";
    CredentialsInvalid "credentials_invalid" UNAUTHORIZED Authentication "Not signed in"
        "The e-mail address, the password or the code is not right. Which of them is not said.";
    SecondFactorRequired "second_factor_required" UNAUTHORIZED Authentication "Code needed"
        "The password is right and the user has a second factor: send the same again with `code`, of the authenticator app or a recovery code.";
    SignInLocked "sign_in_locked" TOO_MANY_REQUESTS RateLimit "Too many wrong sign-ins"
        "There were too many wrong sign-ins with this address. `Retry-After` says when the next one is looked at; a right one is refused until then, too.";
    CrossSiteRequest "cross_site_request" FORBIDDEN Authentication "Request of another site"
        "A request by cookie that changes something needs `Airsettle-Desk: 1` and has to come from a page of this server, by `Origin` or `Sec-Fetch-Site`.";
    ConfirmationRequired "confirmation_required" FORBIDDEN Authentication "Code needed for this payment"
        "A person who pays as much as this shows a code that comes by e-mail: ask for it at `/v1/confirmations` with the same business, payee, amount and currency, and send the same request again with `Airsettle-Confirmation`.";
    ConfirmationInvalid "confirmation_invalid" FORBIDDEN Authentication "Code does not confirm this payment"
        "The code is wrong, too old, was used, or is for another payment: it is good for exactly the business, payee, amount and currency that it was asked for. Ask for another.";
    LiveModeOnly "live_mode_only" FORBIDDEN Authentication "Only in live mode"
        "People, roles and invitations are kept in live mode; test mode has none of its own.";
    InsufficientScope "insufficient_scope" FORBIDDEN Authentication "Insufficient scope"
        "The key or user may not do this. The message names the missing scope.";
    TestModeOnly "test_mode_only" FORBIDDEN InvalidRequest "Only in test mode"
        "This operation exists for `as_test_` keys only.";
    SelfApproval "self_approval" FORBIDDEN InvalidState "Needs somebody else"
        "Two people have to agree: not the key that asked for the change, nor one that was made after it was asked for.";
    ApprovalDecided "approval_decided" CONFLICT InvalidState "Decided already"
        "The request was approved, rejected or superseded before. Read it again; ask anew where the change is still wanted.";
    ApprovalExpired "approval_expired" CONFLICT InvalidState "Request expired"
        "Nobody decided before the request's `expires_at`. Ask for the change again.";
    ApprovalStale "approval_stale" CONFLICT InvalidState "Request out of date"
        "What would be changed is not as it was when the change was asked for, so that it would be another decision. Ask for it again.";
    IdempotencyKeyReused "idempotency_key_reused" CONFLICT InvalidRequest "Idempotency key reused"
        "The key was used before with another request. `source.pointer` names a field that differs. Use a new key for a new request.";
    IdempotencyInProgress "idempotency_in_progress" CONFLICT InvalidState "Request in progress"
        "The first request with this key is still running. Repeat it after the seconds in `Retry-After` to receive its answer.";
    IdempotencyKeyRequired "idempotency_key_required" BAD_REQUEST InvalidRequest "Idempotency key required"
        "Writes that move money need an `Idempotency-Key` header, so that a repeat after a lost answer cannot do it twice.";
    IdempotencyKeyInvalid "idempotency_key_invalid" BAD_REQUEST InvalidRequest "Invalid idempotency key"
        "An `Idempotency-Key` is 1 to 255 visible ASCII characters.";
    RateLimited "rate_limited" TOO_MANY_REQUESTS RateLimit "Too many requests"
        "The key has used up its rate. Wait for the seconds in `Retry-After`. Searches and sales are counted apart.";
    QueueFull "queue_full" SERVICE_UNAVAILABLE Api "Queue full"
        "Too many sales are waiting. Nothing happened; repeat after the seconds in `Retry-After`.";
    DeadlineExceeded "deadline_exceeded" SERVICE_UNAVAILABLE Api "Deadline exceeded"
        "The request waited longer than its deadline and was given up before it began. Nothing happened; it can be repeated.";
    DatabaseUnavailable "database_unavailable" SERVICE_UNAVAILABLE Api "Database not available"
        "The database cannot be reached at the moment. Nothing happened; repeat after the seconds in `Retry-After`.";
    StorageFull "storage_full" SERVICE_UNAVAILABLE Api "No room left"
        "The database has no room to write. Nothing happened; it works again when the operator has made room. Repeat after the seconds in `Retry-After`.";
    BankUnavailable "bank_unavailable" SERVICE_UNAVAILABLE Api "Bank does not answer"
        "The bank does not answer a probe, so that its line stays closed. Nothing happened; repeat after the seconds in `Retry-After`.";
    OutcomeUnknown "outcome_unknown" ACCEPTED Api "Outcome not known yet"
        "The request was accepted but its outcome is not known yet. Do not send it again under another key; read the operation it names.";
    Internal "internal" INTERNAL_SERVER_ERROR Api "Internal error"
        "Something failed on our side. Quote `meta.request_id`. Repeat a write only with the same `Idempotency-Key`.";
    InvalidCursor "invalid_cursor" UNPROCESSABLE_ENTITY Validation "Invalid cursor"
        "`after` or `before` is not a cursor of this list. Take cursors from `meta` unchanged, and send at most one.";
    InvalidLimit "invalid_limit" UNPROCESSABLE_ENTITY Validation "Invalid limit"
        "`limit` is a whole number from 1 to 200.";
    InvalidSearch "invalid_search" UNPROCESSABLE_ENTITY Validation "Invalid search"
        "The search cannot be made as asked: an unknown place, a date in the past, slices out of order. `source.pointer` names the field.";
    TooManyCoupons "too_many_coupons" UNPROCESSABLE_ENTITY Validation "Too many coupons"
        "A ticket has at most 16 coupons: a journey of at most 8 slices with one connection each. Ask for the rest in a search of its own.";
    OfferNotFound "offer_not_found" NOT_FOUND InvalidRequest "Offer not found"
        "There is no such offer for this organisation.";
    OfferExpired "offer_expired" UNPROCESSABLE_ENTITY InvalidState "Offer expired"
        "The offer is past its `expires_at`. Search again; an offer that is priced again in time stays good for longer.";
    OfferPriceChanged "offer_price_changed" UNPROCESSABLE_ENTITY InvalidState "Price changed"
        "The price calculated at the order differs from the offer's. Nothing was sold. Price the offer again (`/air/offers/{id}/actions/price`) and order it at that price.";
    OfferNoLongerAvailable "offer_no_longer_available" UNPROCESSABLE_ENTITY Airline "Offer no longer available"
        "A flight or fare of the offer is not sold any more. Search again.";
    FareRuleNotMet "fare_rule_not_met" UNPROCESSABLE_ENTITY Airline "Fare rule not met"
        "A class of the offer may not be bought for this journey any more: advance purchase, stay, group or combination. Price the offer again for the next class.";
    SeatsSoldOut "seats_sold_out" UNPROCESSABLE_ENTITY Airline "Sold out"
        "A booking class of the offer has too few seats left. Search again.";
    FlightDeparted "flight_departed" UNPROCESSABLE_ENTITY Airline "Flight departed"
        "A flight of the offer has departed or is closed for sale.";
    PassengerMismatch "passenger_mismatch" UNPROCESSABLE_ENTITY Validation "Passengers differ from the offer"
        "The order must name every passenger of the offer exactly once and no other, and every infant must be with its own adult.";
    InvalidPassenger "invalid_passenger" UNPROCESSABLE_ENTITY Validation "Invalid passenger"
        "A name, date of birth, contact or document is not acceptable, or the age does not fit the type that was priced.";
    PaymentTypeNotSupported "payment_type_not_supported" UNPROCESSABLE_ENTITY Validation "Payment type not supported"
        "Pay with `arc_bsp_cash` (the agency's credit) or `balance` (the order the agency has set up). Cards are not accepted.";
    PaymentAmountMismatch "payment_amount_mismatch" UNPROCESSABLE_ENTITY Validation "Payment differs from the price"
        "The payment must equal the total of the offer or order exactly. One payment pays one order.";
    AgencyNotFound "agency_not_found" NOT_FOUND InvalidRequest "Agency not found"
        "There is no such agency for this organisation.";
    AgencyFrozen "agency_frozen" UNPROCESSABLE_ENTITY InvalidState "Agency frozen"
        "Sales of the agency, or of one above it, are stopped. The operator can say why.";
    AgencyApiFrozen "agency_api_frozen" FORBIDDEN InvalidState "Keys of the agency frozen"
        "The keys of the agency are frozen: none of them does anything until the operator has lifted the kill switch.";
    WithdrawalsFrozen "withdrawals_frozen" UNPROCESSABLE_ENTITY InvalidState "Withdrawals frozen"
        "Nothing of the agency's wallet or deposit goes out while its withdrawals are frozen. Two people lift the kill switch.";
    KillSwitchOn "kill_switch_on" CONFLICT InvalidState "Kill switch is on"
        "A kill switch has stopped this. Two people lift it: `unfreeze` in `/v1/approvals`.";
    DepositNeeded "deposit_needed" UNPROCESSABLE_ENTITY InvalidState "Deposit needed"
        "With less deposit the limit would not cover what the agency owes. `short_by` says by how much; the message, what can be returned.";
    MoreThanHeld "more_than_held" UNPROCESSABLE_ENTITY InvalidState "More than is there"
        "The wallet or the deposit holds less than is to be paid out. The message says how much is there.";
    ClientCashShort "client_cash_short" UNPROCESSABLE_ENTITY InvalidState "Clients' account too low"
        "Own money on its way to the clients' account has to arrive before this can be paid out. `short_by` says how much is missing.";
    AgencyClosed "agency_closed" UNPROCESSABLE_ENTITY InvalidState "Agency closed"
        "The agency is closed and sells nothing any more.";
    AirlineStopped "airline_stopped" UNPROCESSABLE_ENTITY InvalidState "Airline stopped"
        "Sales of this airline are stopped. Choose another carrier.";
    NoContract "no_contract" UNPROCESSABLE_ENTITY InvalidState "No contract"
        "No contract between the platform and the airline covers this sale on this date.";
    StockExhausted "stock_exhausted" UNPROCESSABLE_ENTITY InvalidState "No ticket numbers left"
        "The airline's range of ticket numbers is used up. The operator has been told.";
    SplitExceedsFare "split_exceeds_fare" UNPROCESSABLE_ENTITY InvalidState "Split exceeds the fare"
        "Commission and fees would be more than the fare, so that nothing is left for the airline. The contract has to be corrected.";
    LimitExceeded "limit_exceeded" UNPROCESSABLE_ENTITY InvalidState "Sales limit exceeded"
        "The sale would bring an agency's exposure above its limit. `short_by` is the amount missing, `rule` the limit, `remedy` the soonest way.";
    WalletInsufficient "wallet_insufficient" UNPROCESSABLE_ENTITY InvalidState "Wallet too low"
        "The wallet holds less than the net price. `short_by` is the amount to pay in.";
    FacilityExhausted "facility_exhausted" UNPROCESSABLE_ENTITY InvalidState "Bank line exhausted"
        "No bank line has room for the airline's share. Sales from the wallet go on; room comes back as the bank is repaid.";
    FacilityClosed "facility_closed" UNPROCESSABLE_ENTITY InvalidState "Bank line closed"
        "The bank line takes no new advances at present. Sales from the wallet go on.";
    NoFacility "no_facility" UNPROCESSABLE_ENTITY InvalidState "No bank line"
        "No bank line serves this currency, so that nothing can be sold on credit in it.";
    BankReferenceReused "bank_reference_reused" CONFLICT InvalidState "Bank reference reused"
        "A receipt with this bank reference exists with other details. The same reference is the same receipt.";
    MoreThanOwed "more_than_owed" UNPROCESSABLE_ENTITY InvalidState "More than is owed"
        "A payment is larger than what is owed. The message gives what is; nothing was booked.";
    MemoExists "memo_exists" CONFLICT InvalidState "Claimed before"
        "The airline has claimed or granted the same for the same ticket already. The message names the memo; nothing was filed.";
    TicketOfAnotherAirline "ticket_of_another_airline" UNPROCESSABLE_ENTITY Validation "Ticket of another airline"
        "A memo is about tickets of the airline that files it. The first three digits of a number are its airline's.";
    OverTicketValue "over_ticket_value" UNPROCESSABLE_ENTITY Validation "Over the ticket's value"
        "All memos of a kind together do not claim more of a ticket than it cost. The message says how much is left.";
    OverFeeCap "over_fee_cap" UNPROCESSABLE_ENTITY Validation "Over the fee cap"
        "What an airline may add to a memo for its own work is limited. The message says how much it is; a credit has no fee.";
    MemoClockOver "memo_clock_over" UNPROCESSABLE_ENTITY InvalidState "Time to dispute is over"
        "A memo is disputed until its `answer_by`. It waits for the operator's decision now; what is in its favour can be told there.";
    MemoClockRunning "memo_clock_running" CONFLICT InvalidState "Agency may still answer"
        "Nobody decides about a memo while its agency may still answer: until it accepts, disputes, or its `answer_by` has passed.";
    PreconditionFailed "precondition_failed" PRECONDITION_FAILED InvalidState "Changed meanwhile"
        "The object does not have the version that `If-Match` names any more. Read it again and decide anew; nothing was changed.";
    OwnCashShort "own_cash_short" UNPROCESSABLE_ENTITY InvalidState "Own account too low"
        "The platform's own account does not hold enough in the books. `short_by` says how much is missing.";
    NegativeMargin "negative_margin" UNPROCESSABLE_ENTITY InvalidState "Negative margin"
        "A ticket on the terms of the contract would lose money at the length of its own cycle. The message calculates it term by term; two people may agree to it all the same.";
    ApprovalRequired "approval_required" CONFLICT InvalidState "Two people have to agree"
        "Nobody does this alone. Ask for it by `POST /v1/approvals`; it is done when another person agrees. The operation's description names the kind.";
    RateOverlaps "rate_overlaps" UNPROCESSABLE_ENTITY Validation "Rates overlap"
        "A reference rate is in force from the day that the next one begins. A rate that begins on or before the last one's day is not taken; the message names that day.";
    AboveCover "above_cover" UNPROCESSABLE_ENTITY InvalidState "Client money would be missing"
        "The client account has to cover wallets, deposits and what wallet tickets owe airlines. Only what is above that is swept.";
    OrderAlreadyCancelled "order_already_cancelled" CONFLICT InvalidState "Order already cancelled"
        "The order was cancelled before and its tickets are void.";
    HoldNotOffered "hold_not_offered" UNPROCESSABLE_ENTITY InvalidState "Cannot be held"
        "The offer's `payment_requirements` ask for instant payment: the carrier holds nothing, or departure is too near. Order it with type `instant`.";
    HoldLimitReached "hold_limit_reached" UNPROCESSABLE_ENTITY InvalidState "Too many orders held"
        "The agency holds as many unpaid orders as it may (`max_unpaid_holds`). Pay or cancel one of them, or order with type `instant`.";
    AwaitingPayment "awaiting_payment" CONFLICT InvalidState "Not paid yet"
        "The order is held and has no tickets yet. Pay it first, or cancel it, which gives back its seats.";
    AlreadyPaid "already_paid" CONFLICT InvalidState "Already paid"
        "The order was paid before and its tickets are issued. Nothing was charged; read the order.";
    PaymentWindowClosed "payment_window_closed" UNPROCESSABLE_ENTITY InvalidState "Payment window closed"
        "An order that is held is paid before its `payment_required_by`. After that its seats are released and it has to be ordered anew.";
    PriceChanged "price_changed" UNPROCESSABLE_ENTITY InvalidState "Price of the order changed"
        "The price guarantee of the held order ended and it costs something else now. The message names both totals; pay the new one or cancel the order.";
    NameChangeNotAllowed "name_change_not_allowed" UNPROCESSABLE_ENTITY InvalidState "Another name"
        "More of a name on a ticket would change than the carrier allows to be corrected. Another passenger needs a ticket of their own: void or refund and order anew.";
    TitleNotChangeable "title_not_changeable" UNPROCESSABLE_ENTITY InvalidState "Title stays"
        "Title and gender belong to the ticket and are corrected only before it is issued.";
    VoidWindowClosed "void_window_closed" UNPROCESSABLE_ENTITY InvalidState "Void window closed"
        "Tickets are voided until the end of the void window, usually 23:59 of the day of issue at the point of sale. After that they are refunded.";
    CouponNotOpen "coupon_not_open" UNPROCESSABLE_ENTITY InvalidState "Coupon not open"
        "A void needs every coupon of every ticket to be open. The message names the one that is not.";
    CouponStatusRefused "coupon_status_refused" UNPROCESSABLE_ENTITY InvalidState "Coupon status refused"
        "A coupon does not go from its status to this one by the one who asks: some letters only the platform sets, and what is final is only reversed to open. The message says which rule it is.";
    CouponStatusStale "coupon_status_stale" CONFLICT InvalidState "Coupon has another status"
        "The coupon does not have the status that was expected. Nothing was changed; the message says which it has.";
    CouponChangedLater "coupon_changed_later" CONFLICT InvalidState "Coupon changed later"
        "The coupon's last change is later than what is reported, so that the report is out of date. Nothing was changed.";
    CouponSettled "coupon_settled" UNPROCESSABLE_ENTITY InvalidState "Coupon settled"
        "The coupon was voided, refunded or exchanged here and its money given back. Its status is not reversed without the money.";
    CouponFlightDiffers "coupon_flight_differs" UNPROCESSABLE_ENTITY Validation "Another flight"
        "The coupon is not for the flight that was named. The message says for which one it is.";
    CouponFileMalformed "coupon_file_malformed" UNPROCESSABLE_ENTITY Validation "File malformed or cut"
        "The file is not in order as a whole, and none of its lines was acted on. The message names the first wrong line; correct the file and send it again.";
    CouponNotRefundable "coupon_not_refundable" UNPROCESSABLE_ENTITY InvalidState "Coupon not refundable"
        "Only an open coupon is refunded, and only once: what is flown, exchanged or refunded is not, and what the airline controls has to be returned to open first.";
    TicketVoided "ticket_voided" UNPROCESSABLE_ENTITY InvalidState "Ticket voided"
        "The ticket was voided, which gave back all of it. There is nothing to refund.";
    NothingToRefund "nothing_to_refund" UNPROCESSABLE_ENTITY InvalidState "Nothing comes back"
        "By the rules of the fare and its taxes nothing of these coupons comes back.";
    NoRefundRule "no_refund_rule" UNPROCESSABLE_ENTITY InvalidState "No refund rule"
        "No ladder of refund fees is filed for the booking class, so that nobody can say what is kept. The operator has to file one.";
    RefundQuoteExpired "refund_quote_expired" UNPROCESSABLE_ENTITY InvalidState "Quote expired"
        "A quote stands for 15 minutes, or until something of it would cost more. Ask for a new one.";
    RefundAmountDiffers "refund_amount_differs" UNPROCESSABLE_ENTITY Validation "Amount differs from the quote"
        "The expected amount is not what the quote says. Read the quote again; nothing was refunded.";
    MoreThanPaid "more_than_paid" UNPROCESSABLE_ENTITY InvalidState "More than was paid"
        "All refunds of a ticket together never give back more than was paid for it. The message says how much is left.";
    AttachmentTooLarge "attachment_too_large" PAYLOAD_TOO_LARGE InvalidRequest "Attachment too large"
        "An attachment has 10 MB at most.";
    AttachmentTypeNotSupported "attachment_type_not_supported" UNPROCESSABLE_ENTITY Validation "File type not supported"
        "An attachment is a PDF, JPEG or PNG file. Its content decides, not its name or declared type.";
    ChangeNotPermitted "change_not_permitted" UNPROCESSABLE_ENTITY Airline "Change not permitted"
        "The fare of a flight that would be given up permits no change at this time. The conditions of the order say when it does.";
    OrderChanged "order_changed" CONFLICT InvalidState "Order changed meanwhile"
        "The order is not the one any more that the offer was made for. Search again.";
    FlightNotFound "flight_not_found" UNPROCESSABLE_ENTITY Validation "Flight not found"
        "The airline has no such flight from this airport on this day, or the one that is to replace it does not fly where its passengers go.";
    AirlineChangeAnswered "airline_change_answered" CONFLICT InvalidState "Change answered otherwise"
        "The airline's change was answered in another way before, or a later change took its place. Read it again.";
    TicketsNotGivenBack "tickets_not_given_back" UNPROCESSABLE_ENTITY InvalidState "Tickets not given back"
        "The change is answered as cancelled once the tickets were given back. Cancel the order first: that costs no penalty while an airline's change is open.";
    NothingOffered "nothing_offered" UNPROCESSABLE_ENTITY InvalidState "Nothing offered"
        "The flight was cancelled and the airline offers none in its place, so there is nothing to accept. Give the tickets back or ask for another flight.";
    AirlineFundsAwaited "airline_funds_awaited" UNPROCESSABLE_ENTITY InvalidState "Waiting for the airline's money"
        "The airline was or may be paid, and the platform's own money does not cover the wallet until it gives the money back. Nothing was changed.";
    DayNotOver "day_not_over" UNPROCESSABLE_ENTITY InvalidState "Day not over"
        "A day is exported when it has been over for a minute in the operator's zone and all of it is sealed in the ledger's chain. Repeat then.";
    ExportDoesNotTie "export_does_not_tie" INTERNAL_SERVER_ERROR Api "Export does not tie"
        "The file does not add up to the ledger, or is not what was handed out before, and is not handed out. The operator has to look into it.";
    PeriodNotOver "period_not_over" CONFLICT InvalidState "Period not over"
        "An incentive is settled when its period has been over for a minute in the operator's zone and every sale of it is counted. Repeat then.";
    NotScored "not_scored" NOT_FOUND InvalidRequest "No decision yet"
        "No decision about the agency was made by that day. Decisions are made each night by the card in force, and on risk events.";
    BeforeAgency "before_agency" UNPROCESSABLE_ENTITY Validation "Before the agency's time"
        "The date is before the day on which the agency joined the platform. The message names that day.";
    BandGap "band_gap" UNPROCESSABLE_ENTITY Validation "Gap between bands"
        "Every value has to have points: a band begins where the one before it ends. The message names the characteristic and the place.";
    BandOverlap "band_overlap" UNPROCESSABLE_ENTITY Validation "Bands overlap"
        "A value has the points of one band only: a band begins where the one before it ends. The message names the characteristic and the place.";
    NegativeWeight "negative_weight" UNPROCESSABLE_ENTITY Validation "Negative weight"
        "A characteristic counts with a weight of 0 to 1000. To turn its meaning round, change its bands.";
    VersionInThePast "version_in_the_past" UNPROCESSABLE_ENTITY Validation "Version in the past"
        "A version begins today or later, and not before the one before it: what was decided by earlier versions stays explained by them.";
    VelocityExceeded "velocity_exceeded" UNPROCESSABLE_ENTITY InvalidState "Too much too quickly"
        "A velocity rule of the operator stops the sale: more than its measure within its window. It is possible again as the window slides on; the operator can say more.";
    NotSettableClock "not_settable_clock" FORBIDDEN InvalidState "Clock cannot be set"
        "This clock follows real time. Only the test clock can be set.";
    ClockBackwards "clock_backwards" UNPROCESSABLE_ENTITY Validation "Clock only goes forward"
        "A test clock cannot be set to a time before its own. The message says where it stands.";
    LinkInvalid "link_invalid" UNPROCESSABLE_ENTITY Validation "Link does not work"
        "The link was used, is too old, was taken back, or never was one. Ask for another.";
    PasswordTooWeak "password_too_weak" UNPROCESSABLE_ENTITY Validation "Password too easily guessed"
        "A password has 10 to 128 characters, is on no list of common ones, and contains neither the e-mail address nor the name. The message says what it is here.";
    SecondFactorCodeInvalid "second_factor_code_invalid" UNPROCESSABLE_ENTITY Validation "Code not right"
        "The code is not the one that the authenticator app shows now, or was used already. Send the next one.";
    EmailTaken "email_taken" CONFLICT InvalidState "Address in use"
        "There is a user with this e-mail address already. One address is one user.";
    LastAdmin "last_admin" CONFLICT InvalidState "Last user who manages users"
        "Without this user nobody in the organisation could manage its users. Give another one the right first.";
    LastOperatorKey "last_operator_key" CONFLICT InvalidState "Last operator key"
        "This is the operator's last working key with the right to make keys. Create another before revoking it.";
    InvalidState "invalid_state" CONFLICT InvalidState "Not possible in this state"
        "The object is in a state that does not allow this. The message names the state; read the object again.";
}

impl Code {
    /// The code of this text, as an address of the documentation names it.
    pub fn find(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.text() == text)
    }

    /// The code for an answer that only has a status, such as one made by the web framework itself.
    pub fn for_status(status: StatusCode) -> Code {
        match status {
            StatusCode::UNAUTHORIZED => Code::Unauthenticated,
            StatusCode::FORBIDDEN => Code::InsufficientScope,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::NOT_ACCEPTABLE => Code::NotAcceptable,
            StatusCode::PAYLOAD_TOO_LARGE => Code::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            StatusCode::TOO_MANY_REQUESTS => Code::RateLimited,
            StatusCode::SERVICE_UNAVAILABLE => Code::QueueFull,
            status if status.is_client_error() => Code::InvalidValue,
            _ => Code::Internal,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_unique_and_documented() {
        let mut texts = HashSet::new();
        let mut sentences = HashSet::new();
        for code in Code::ALL {
            assert!(texts.insert(code.text()), "{code} is there twice");
            assert!(sentences.insert(code.documentation()), "{code} has another code's documentation");
            assert!(code.text().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{code}");
            assert!(code.documentation().len() > 30 && code.documentation().ends_with('.'), "{code}");
            assert!(!code.title().is_empty() && !code.title().ends_with('.'), "{code}");
            assert_eq!(Code::find(code.text()), Some(*code));
        }
        assert_eq!(Code::find("no_such_code"), None);
    }

    /// Clients rely on it: a 4xx means that nothing happened, and only these may not have been the client's doing.
    #[test]
    fn a_status_fits_its_family() {
        for code in Code::ALL {
            let ours = code.status().is_server_error() || code.status() == StatusCode::ACCEPTED;
            assert_eq!(ours, code.family() == Family::Api, "{code}");
        }
    }

    #[test]
    fn a_bare_status_has_a_code() {
        assert_eq!(Code::for_status(StatusCode::METHOD_NOT_ALLOWED), Code::MethodNotAllowed);
        assert_eq!(Code::for_status(StatusCode::CONFLICT), Code::InvalidValue);
        assert_eq!(Code::for_status(StatusCode::BAD_GATEWAY), Code::Internal);
    }
}
