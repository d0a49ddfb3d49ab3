//! Tickets and coupons: selling them, and reading them back.
//!
//! `issue_all` is the only way a ticket comes into being. Its protocol and its lock order stand in `issue.rs`; what it decides
//! stands in `decide.rs` as a pure function; which accounts move stands in `postings.rs`.

mod build;
mod cancel;
mod coupon;
mod decide;
pub mod exchange;
mod issue;
mod journey;
mod keys;
mod plan;
mod postings;
mod prepare;
mod queue;
mod refund;
mod refusal;
mod seats;
mod ticket;
mod verify;
mod void;

pub use cancel::{CancelError, Cancellation, confirm_cancellation, quote_cancellation, with_refund};
pub use coupon::{CouponMoved, CouponRefusal, CouponSide, CouponStatus, first_unmovable};
pub use decide::{Decision, Facts, decide};
pub use issue::{Mode, issue_all, seats_sold};
pub use journey::{journey, moment_at};
pub use keys::{Outcome, keep_refusal};
pub use plan::{CouponPlan, IssueOrder, PassengerPlan, SeatDemand, TicketPlan};
pub use postings::sale_draft;
pub use prepare::{PlanError, plan_tickets, splits};
pub use queue::{IssueQueue, QueueConfig, QueueError};
pub use refund::{
    Application, ApplicationFilter, ApplicationRow, CouponShare, EvidenceRow, REFUND_WORKING_DAYS, RefundCouponRow,
    RefundDecision, RefundError, RefundEvent, RefundKind, RefundLegs, RefundMoved, RefundRequest, RefundStatus, RefundTaxRow,
    RefundTerms, RefundTicketRow, Returned, SoldCoupon, SoldTax, WantedTicket, awaiting, complete_refund, confirm_refund,
    coupon_shares, decide_refund, newly_overdue, note_overdue, overdue_count, quote_refund, refund_application,
    refund_applications, refund_legs, refund_references, supplement_legs,
};
pub use refusal::Refusal;
pub use ticket::{
    CouponRow, IssuedOrder, TaxRow, TicketFilter, TicketRow, issued_orders, ticket_by_number, ticket_numbers, tickets,
    tickets_by_id,
};
pub use verify::{SaleFault, SaleProof, first_wrong, verify_sales};
pub use void::{
    CancellationRow, VoidError, cancellation, cancellation_of, cancellations, check_voidable, confirm_void, quote_void,
    void_window_ends_at,
};
