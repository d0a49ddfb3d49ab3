//! Refunds: what of a ticket comes back, who gives it back, and to whom.

mod legs;

pub use legs::{
    CouponShare, RefundLegs, RefundTerms, Returned, SoldCoupon, SoldTax, coupon_shares, refund_legs, supplement_legs,
};
