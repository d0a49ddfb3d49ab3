//! Tickets and coupons: selling them, and reading them back.
//!
//! `issue_all` is the only way a ticket comes into being. Its protocol and its lock order stand in `issue.rs`; what it decides
//! stands in `decide.rs` as a pure function; which accounts move stands in `postings.rs`.

mod build;
mod decide;
pub mod exchange;
mod issue;
mod journey;
mod keys;
mod plan;
mod postings;
mod prepare;
mod queue;
mod refusal;
mod ticket;
mod verify;
mod void;

pub use decide::{Decision, Facts, decide};
pub use issue::{Mode, issue_all, seats_sold};
pub use journey::{journey, moment_at};
pub use keys::{Outcome, keep_refusal};
pub use plan::{CouponPlan, IssueOrder, PassengerPlan, SeatDemand, TicketPlan};
pub use postings::sale_draft;
pub use prepare::{PlanError, plan_tickets, splits};
pub use queue::{IssueQueue, QueueConfig, QueueError};
pub use refusal::Refusal;
pub use ticket::{
    CouponRow, IssuedOrder, TaxRow, TicketFilter, TicketRow, issued_orders, ticket_by_number, ticket_numbers, tickets,
};
pub use verify::{SaleFault, SaleProof, first_wrong, verify_sales};
pub use void::{
    CancellationRow, VoidError, cancellation, cancellation_of, cancellations, check_voidable, confirm_void, quote_void,
    void_window_ends_at,
};
