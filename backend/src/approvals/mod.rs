//! What two people have to agree on. One key or person asks for a change, another one agrees to exactly that change, and only then, in the commit of the
//! agreement, it is done.
//!
//! Protocol: a change is a [`Proposal`]. [`submit`] stores its canonical text, the state of its object that it was asked for in (its basis) and a
//! digest over both. [`approve`] reads the basis again: where it is another one, the request is stale, and is submitted again. A request is decided
//! once, before it expires, by a key or a person that is neither that of the request, nor the same person through something else, nor made after it. Submitting the same change again answers the request that is
//! waiting; submitting another change of the same object takes its place. All of it is under a lock on the name of the kind and the object, which is
//! taken before any other lock.

mod approval;
mod decision;
mod verify;

pub use approval::{Approval, ApprovalFilter, ApprovalRow, ApprovalStatus, ChangeKind, approval, approvals};
pub use decision::{ApprovalError, Proposal, Requested, approve, reject, submit};
pub use verify::{APPROVAL_RULES, first_wrong_approval};
