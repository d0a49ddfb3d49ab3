//! What can be done with an order now and, of what cannot be done, why not: pure, one function per action, each of which asks what its verb asks.

use super::coupon::{CouponSide, CouponStatus, first_unmovable};
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
    #[error("orders are not changed through this interface: cancel it and order anew")]
    ChangeNotOffered,
    #[error("orders are not refunded through this interface")]
    RefundNotOffered,
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
            Obstacle::CouponNotOpen { .. } => "coupon_not_open",
            Obstacle::ChangeNotOffered => "change_not_offered",
            Obstacle::RefundNotOffered => "refund_not_offered",
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
            OrderAction::Change => Ok(self.change()),
            OrderAction::Update => Ok(self.update()),
            OrderAction::Pay => Ok(self.pay()),
            OrderAction::Void => self.void(),
            OrderAction::Refund => Ok(self.refund()),
        }
    }

    /// Nothing can be done with an order that was cancelled or whose time to pay is over.
    fn is_over(&self) -> Option<Obstacle> {
        let by = self.unpaid().map(|held| held.terms.payment_required_by);
        match (self.issued.order.cancelled_at, by) {
            (Some(at), _) => Some(Obstacle::Cancelled(at.into())),
            (None, Some(by)) if self.now >= by => Some(Obstacle::PaymentWindowClosed(by)),
            (None, _) => None,
        }
    }

    /// The order as one that is held and not paid.
    fn unpaid(&self) -> Option<&HeldOrder> {
        self.issued.held.as_ref().filter(|_| self.issued.order.issued_at.is_none())
    }

    fn cancel(&self) -> Result<Allowed, DbError> {
        match self.unpaid() {
            Some(_) => Ok(Ok(())),
            None => self.void(),
        }
    }

    fn change(&self) -> Allowed {
        Err(Obstacle::ChangeNotOffered)
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
        let unmovable = first_unmovable(&self.issued.coupons, CouponSide::Platform, CouponStatus::Void)?;
        Ok(unmovable.map_or(Ok(()), |(coupon, _)| {
            let ticket = self.issued.tickets.iter().find(|ticket| ticket.id == coupon.ticket_id);
            let ticket = ticket.map_or_else(String::new, |ticket| ticket.number.clone());
            Err(Obstacle::CouponNotOpen { ticket, coupon: coupon.number, status: coupon.status.clone() })
        }))
    }

    fn refund(&self) -> Allowed {
        if self.unpaid().is_some() { Err(Obstacle::AwaitingPayment) } else { Err(Obstacle::RefundNotOffered) }
    }
}
