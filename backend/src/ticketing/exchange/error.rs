use super::offers::ChangeRefusal;
use crate::clock::Timestamp;
use crate::credit::{AdvanceError, TransferError};
use crate::db::DbError;
use crate::ledger::PostError;
use crate::money::{Money, MoneyError};
use crate::ticketing::{PlanError, Refusal};

/// Why an order is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    #[error("there is no such order, offer or change")]
    NotFound,
    #[error("the order was cancelled at {at}")]
    Cancelled { at: Timestamp },
    #[error("no coupon of the order is open")]
    NothingOpen,
    #[error("the offer expired at {at}")]
    Expired { at: Timestamp },
    #[error("the order is not the one any more that the offer was made for")]
    OrderChanged,
    #[error("no contract with the airline is in force")]
    NoContract,
    #[error("the change costs {due}, which is to be paid exactly")]
    AmountDiffers { due: Money, paid: Option<Money> },
    /// The wallet is to be credited, or the airline paid anew, before it gives the money back, and own money does not cover it now.
    #[error("the airline was paid, and own money is short of {short} until it gives the money back")]
    AirlineFundsAwaited { short: Money },
    #[error("the change is not confirmed")]
    NotConfirmed,
    #[error("coupon {coupon} of ticket {ticket} has status {status}; only open coupons are taken back")]
    CouponNotOpen { ticket: String, coupon: i64, status: String },
    #[error("the void window closed at {ended}")]
    VoidWindowClosed { ended: Timestamp },
    /// The airline would have to be paid again.
    #[error("the exchange made the airline's share smaller and cannot be taken back; change the order again instead")]
    GaveBack,
    #[error(transparent)]
    NotPermitted(#[from] ChangeRefusal),
    /// Refused by a rule of the sale.
    #[error("the sale of the new tickets is refused")]
    Refused(Refusal),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Advance(#[from] AdvanceError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<TransferError> for ChangeError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::OwnCashShort { short } => ChangeError::AirlineFundsAwaited { short },
            TransferError::Money(error) => error.into(),
            TransferError::Post(error) => error.into(),
            TransferError::Db(error) => error.into(),
            other => DbError::Corrupt(other.to_string()).into(),
        }
    }
}
