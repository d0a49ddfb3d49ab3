//! What can be done with an order now and, of what cannot be done, why not: pure, one function per action, each of which asks what its verb asks.

use super::coupon::{CouponMoved, CouponSide, CouponStatus, first_unmovable};
use super::ticket::IssuedOrder;
use crate::clock::Timestamp;
use crate::db::DbError;
use crate::ordering::{HeldEnd, HeldMove, HeldOrder, HeldRefusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderAction {
    /// Through `/air/order_cancellations`: gives back the seats of an order that is not paid, otherwise a void, or a refund.
    Cancel,
    Change,
    /// Metadata and passengers.
    Update,
    Pay,
    Void,
    Refund,
}

/// Why an action is not available. The words are for people; clients branch on the code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("the order was cancelled at {0}")]
    Cancelled(Timestamp),
    #[error("the order is paid")]
    AlreadyPaid,
    #[error("the order is not paid and has no tickets yet")]
    AwaitingPayment,
    #[error("the order had to be paid by {0}")]
    PaymentWindowClosed(Timestamp),
    #[error("the void window is closed")]
    VoidWindowClosed,
    #[error("coupon {coupon} of ticket {ticket} has status {status}")]
    CouponNotOpen { ticket: String, coupon: i64, status: String },
    #[error("no coupon of the order is open")]
    NothingOpen,
    #[error("no coupon of the order can be refunded")]
    NothingToRefund,
}

impl Obstacle {
    /// Stable: a code of the API's errors.
    pub fn code(&self) -> &'static str {
        match self {
            Obstacle::Cancelled(_) => "order_already_cancelled",
            Obstacle::AlreadyPaid => "already_paid",
            Obstacle::AwaitingPayment => "awaiting_payment",
            Obstacle::PaymentWindowClosed(_) => "payment_window_closed",
            Obstacle::VoidWindowClosed => "void_window_closed",
            Obstacle::CouponNotOpen { .. } | Obstacle::NothingOpen => "coupon_not_open",
            Obstacle::NothingToRefund => "coupon_not_refundable",
        }
    }
}

impl OrderAction {
    pub const ALL: [OrderAction; 6] =
        [OrderAction::Cancel, OrderAction::Change, OrderAction::Update, OrderAction::Pay, OrderAction::Void, OrderAction::Refund];
}

/// What the actions are decided from.
#[derive(Clone, Copy, Debug)]
pub struct ActionFacts<'a> {
    pub issued: &'a IssuedOrder,
    /// Also when it was refunded as a whole.
    pub cancelled_at: Option<Timestamp>,
    pub void_window_ends_at: Option<Timestamp>,
    pub now: Timestamp,
}

type Allowed = Result<(), Obstacle>;

impl ActionFacts<'_> {
    /// `Ok(Err(obstacle))` says why not.
    pub fn allows(&self, action: OrderAction) -> Result<Allowed, DbError> {
        if let Some(obstacle) = self.is_over() {
            return Ok(Err(obstacle));
        }
        match action {
            OrderAction::Cancel => self.cancel(),
            OrderAction::Change => self.change(),
            OrderAction::Update => Ok(self.update()),
            OrderAction::Pay => Ok(self.pay()),
            OrderAction::Void => self.void(),
            OrderAction::Refund => self.refund(),
        }
    }

    /// Nothing can be done with an order that was cancelled or whose time to pay is over.
    fn is_over(&self) -> Option<Obstacle> {
        let by = self.unpaid().map(|held| held.terms.payment_required_by);
        match (self.cancelled_at, by) {
            (Some(at), _) => Some(Obstacle::Cancelled(at)),
            (None, Some(by)) if self.now >= by => Some(Obstacle::PaymentWindowClosed(by)),
            (None, _) => None,
        }
    }

    /// The order as one that is held and not paid.
    fn unpaid(&self) -> Option<&HeldOrder> {
        self.issued.held.as_ref().filter(|_| self.issued.order.issued_at.is_none())
    }

    /// A refund once the void window is closed, of the whole order.
    fn cancel(&self) -> Result<Allowed, DbError> {
        if self.unpaid().is_some() || self.void()?.is_ok() { Ok(Ok(())) } else { self.all_become(CouponStatus::Refunded) }
    }

    fn change(&self) -> Result<Allowed, DbError> {
        if self.unpaid().is_some() {
            return Ok(Err(Obstacle::AwaitingPayment));
        }
        let any = self.any_becomes(CouponStatus::Exchanged)?;
        Ok(if any { Ok(()) } else { Err(Obstacle::NothingOpen) })
    }

    fn update(&self) -> Allowed {
        Ok(())
    }

    fn pay(&self) -> Allowed {
        let Some(held) = self.unpaid() else { return Err(Obstacle::AlreadyPaid) };
        match held.on(HeldEnd::Paid, self.now) {
            HeldMove::Applied(_) => Ok(()),
            HeldMove::Refused(HeldRefusal::WindowClosed(by)) => Err(Obstacle::PaymentWindowClosed(by)),
            HeldMove::Refused(_) | HeldMove::AlreadyApplied => Err(Obstacle::AlreadyPaid),
        }
    }

    fn void(&self) -> Result<Allowed, DbError> {
        if self.unpaid().is_some() {
            return Ok(Err(Obstacle::AwaitingPayment));
        }
        if self.void_window_ends_at.is_none_or(|ends| self.now >= ends) {
            return Ok(Err(Obstacle::VoidWindowClosed));
        }
        self.all_become(CouponStatus::Void)
    }

    /// Of what can be given back, if not of the whole.
    fn refund(&self) -> Result<Allowed, DbError> {
        if self.unpaid().is_some() {
            return Ok(Err(Obstacle::AwaitingPayment));
        }
        let any = self.any_becomes(CouponStatus::Refunded)?;
        Ok(if any { Ok(()) } else { Err(Obstacle::NothingToRefund) })
    }

    fn all_become(&self, target: CouponStatus) -> Result<Allowed, DbError> {
        let unmovable = first_unmovable(&self.issued.coupons, CouponSide::Platform, target)?;
        Ok(unmovable.map_or(Ok(()), |(coupon, _)| {
            let (ticket, coupon_number) = (self.issued.number_of(coupon).to_owned(), coupon.number_on_document());
            Err(Obstacle::CouponNotOpen { ticket, coupon: coupon_number, status: coupon.status.clone() })
        }))
    }

    fn any_becomes(&self, target: CouponStatus) -> Result<bool, DbError> {
        for coupon in &self.issued.coupons {
            if coupon.status()?.on(CouponSide::Platform, target) == CouponMoved::Applied {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
