//! The outside parties the platform talks to: one trait each, one HTTP adapter each, one simulator each. A leaf: it knows money
//! and time, and no domain. Nothing here is called from inside a database transaction.

pub mod bank;

use std::{future::Future, pin::Pin};

/// What every call to an outside party answers. Boxed, so that a gateway can be held as `Arc<dyn …>`.
pub type GatewayFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, GatewayError>> + Send + 'a>>;

/// Why there is no answer. The difference between the first two decides whether money may be moving: only `NotSent` allows the
/// conclusion that nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// The request never left: connection refused, no such host, not a valid request. The other party certainly has not got it.
    #[error("not sent: {0}")]
    NotSent(String),
    /// Time-out, connection lost, a 5xx, or an answer that cannot be read: it may or may not have been done. Ask for the same
    /// reference.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// The reference is already used for something with other content. Nothing was done now; what was done is what the first
    /// request said.
    #[error("conflict: {0}")]
    Conflict(String),
}
