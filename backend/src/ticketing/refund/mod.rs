//! Refunds: what of a ticket comes back, who gives it back, and to whom. `price.rs` and `legs.rs` calculate and know no database; `quote.rs` keeps a quote,
//! `confirm.rs` is what happens to it, `settle.rs` is its money.

mod application;
mod confirm;
mod error;
mod legs;
mod price;
mod quote;
mod settle;
mod shares;

pub use application::{
    Application, ApplicationFilter, ApplicationRow, EvidenceRow, RefundCouponRow, RefundEvent, RefundKind, RefundMoved,
    RefundStatus, RefundTaxRow, RefundTicketRow, awaiting, newly_overdue, overdue_count, refund_application, refund_applications,
    refund_references,
};
pub use confirm::{REFUND_WORKING_DAYS, RefundDecision, complete_refund, confirm_refund, decide_refund, note_overdue};
pub use error::RefundError;
pub use legs::{
    CouponShare, RefundLegs, RefundTerms, Returned, SoldCoupon, SoldTax, coupon_shares, refund_legs, supplement_legs,
};
pub use price::WantedTicket;
pub use quote::{RefundRequest, quote_refund};
pub(super) use settle::credit_cycle;
pub(super) use shares::ticket_shares;
