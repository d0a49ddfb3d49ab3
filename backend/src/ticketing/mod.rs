//! Tickets and coupons: selling them, and reading them back.
//!
//! `issue_all` is the only way a ticket comes into being. Its protocol and its lock order stand in `issue.rs`; what it decides
//! stands in `decide.rs` as a pure function; which accounts move stands in `postings.rs`.

mod actions;
mod airline_change;
mod airline_change_seats;
mod basis;
mod build;
mod cancel;
mod coupon;
mod coupon_history;
mod coupon_report;
mod decide;
pub mod exchange;
mod held;
mod issue;
mod journey;
mod keys;
mod lookup;
mod payment;
mod plan;
mod postings;
mod prepare;
mod queue;
mod receipt;
mod refund;
mod refusal;
mod release;
mod schedule_change;
mod seats;
mod ticket;
mod update;
mod vat;
mod velocity;
mod verify;
mod verify_commission;
mod void;

pub use actions::{ActionFacts, Obstacle, OrderAction};
pub use airline_change::{
    AirlineChange, AirlineChangeAction, AirlineChangeError, AirlineChangeRow, AirlineChangeState, AirlineSegmentRow, Answered,
    accept_airline_change, airline_change, airline_changes, ask_for_another_flight, coupons_as_issued, give_back_for_change,
    waives_penalty,
};
pub use basis::{Basis, RecentBases};
pub use cancel::{CancelError, Cancellation, confirm_cancellation, quote_cancellation, with_refund};
pub use coupon::{CouponMoved, CouponRefusal, CouponSide, CouponStatus, first_unmovable};
pub use coupon_history::{CouponEventRow, CouponMove, CouponSource, coupon_events_of, move_coupons, settle_coupons};
pub use coupon_report::{CouponReport, ReportError, ReportOutcome, report_coupons};
pub use decide::{Decision, Facts, decide};
pub use held::HeldFacts;
pub use issue::{Mode, issue_all, seats_sold};
pub use journey::{journey, moment_at};
pub use keys::{Outcome, keep_refusal};
pub use lookup::{Found, Lookup, LookupRefusal, LookupSight, Match, NameSight, look_up};
pub use payment::start_paying;
pub use plan::{CouponPlan, HoldPlan, Intent, IssueOrder, PassengerPlan, SeatDemand, TicketPlan};
pub use postings::sale_draft;
pub use prepare::{PassengerSplit, PlanError, SaleTerms, plan_tickets, segment_facts, splits};
pub use queue::{IssueQueue, QueueConfig, QueueError};
pub use receipt::{Receipt, ReceiptError, order_receipt, print_receipt, receipt_letter, ticket_receipt};
pub use refund::{
    Application, ApplicationFilter, ApplicationRow, CouponShare, EvidenceRow, REFUND_WORKING_DAYS, RefundCouponRow,
    RefundDecision, RefundError, RefundEvent, RefundKind, RefundLegs, RefundMoved, RefundRequest, RefundStatus, RefundTaxRow,
    RefundTerms, RefundTicketRow, Returned, SoldCoupon, SoldTax, WantedTicket, awaiting, complete_refund, confirm_refund,
    coupon_shares, decide_refund, newly_overdue, note_overdue, overdue_count, quote_refund, refund_application,
    refund_applications, refund_legs, refund_references, supplement_legs,
};
pub use refusal::Refusal;
pub use release::expire_overdue;
pub use schedule_change::{
    NewSchedule, NewScheduleChange, ScheduleChangeError, ScheduleChangeKind, ScheduleChangeRow, current_overlay,
    file_schedule_change, schedule_change, schedule_changes, schedule_version,
};
pub use ticket::{
    COUPONS_PER_NUMBER, CouponRow, DocumentRow, IssuedOrder, MOST_COUPONS, TaxRow, TicketFilter, TicketRow, coupons_of,
    documents_of, issued_orders, ticket_by_number, ticket_numbers, tickets, tickets_by_id, tickets_by_number,
};
pub use update::{UpdateError, update_metadata, update_passenger};
pub use velocity::{departs_at, refresh_velocity};
pub use verify::{SaleFault, SaleProof, first_wrong, verify_sales};
pub use void::{
    CancellationRow, VoidError, cancellation, cancellation_of, cancellations, check_releasable, check_voidable, confirm_void,
    quote_void, void_window_ends_at,
};
