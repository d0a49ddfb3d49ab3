//! Memos: an airline claims something from an agency for tickets that were sold (ADM), or grants it something (ACM). A memo is a claim: nothing is posted
//! before two people of the operator have decided about it, and never by a timer. When the agency's time runs out, the memo waits visibly for a decision.
//!
//! issued -> under review -> accepted | disputed | unanswered -> decided -> posted or dismissed; the airline may withdraw it until then. A dispute stops
//! the clock; taken back, it goes on with what was left. Every step has a version, which `If-Match` and a request for the decision name.
//! Locks: the agency, which guards all of its memos; then claims and accounts.

mod answer;
mod claim;
mod decide;
mod pay;
mod record;
mod state;
mod verify;

pub use answer::{Said, note_unanswered, take_step, unanswered};
pub use claim::{ClaimedTicket, NewMemo, claim_memo};
pub use decide::{MemoDecision, decidable, decide_memo};
pub use record::{
    Contingent, Memo, MemoError, MemoEvidenceRow, MemoFilter, MemoRow, MemoStepRow, MemoTicketRow, contingent, evidence_of,
    locked_memo, memo, memos, memos_with_attachment, steps_of, tickets_of,
};
pub use state::{MemoKind, MemoState, MemoStep};

pub(super) use pay::{owed_of_memos, pay_memos};
pub(super) use verify::{MEMO_RULES, RULES};
