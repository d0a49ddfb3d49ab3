use crate::clock::Timestamp;
use crate::credit::{AdvanceError, TransferError};
use crate::db::DbError;
use crate::ledger::PostError;
use crate::money::{Money, MoneyError};

#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    #[error("there is no such order, ticket or application")]
    NotFound,
    #[error("ticket {ticket} was voided")]
    TicketVoided { ticket: String },
    #[error("coupon {coupon} of ticket {ticket} has status {status}: only an open coupon is refunded, once")]
    CouponNotRefundable { ticket: String, coupon: i64, status: String },
    #[error("nothing of it comes back")]
    NothingToRefund,
    #[error("no refund rule is filed for class {class} of {carrier}")]
    NoRefundRule { carrier: String, class: String },
    #[error("{kind} refunds need a reason")]
    ReasonMissing { kind: &'static str },
    #[error("{kind} refunds need at least one attachment")]
    EvidenceMissing { kind: &'static str },
    #[error("{left} of what was paid is left to give back, not {asked}")]
    MoreThanPaid { left: Money, asked: Money },
    #[error("the quote expired at {at}")]
    QuoteExpired { at: Timestamp },
    #[error("{refund} comes back, not {expected}")]
    AmountDiffers { refund: Money, expected: Money },
    #[error("refunds of the agency are frozen")]
    Frozen,
    #[error("the application is {status}")]
    InvalidState { status: &'static str },
    #[error(transparent)]
    Advance(#[from] AdvanceError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}
