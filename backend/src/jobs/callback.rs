//! What the bank reports by itself: a signed notification, verified before it is read, booked like an answer. A notification that comes twice
//! changes nothing, because an outcome is booked once.

use super::disburse::{book_said, callback_outcome};
use crate::app::App;
use crate::clock::Timestamp;
use crate::credit::AdvanceError;
use crate::gateways::bank::callback::{BankNotification, MAX_BODY_BYTES, SIGNATURE_HEADER, SignatureError, verify};
use chrono::{Duration, Utc};

/// A notification that was recorded cannot be played back for ever.
const MAX_AGE: Duration = Duration::minutes(5);

/// Where the bank signs, and how much of a body is read.
pub const CALLBACK_SIGNATURE: &str = SIGNATURE_HEADER;
pub const CALLBACK_BYTES: usize = MAX_BODY_BYTES;

/// What became of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It is about an attempt of ours; what it says is booked, now or before.
    Booked { event_id: String },
    /// It is about nothing that was ever ordered here.
    NotOurs { event_id: String },
}

#[derive(Debug, thiserror::Error)]
pub enum CallbackRefusal {
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error("{0}")]
    Unreadable(String),
    #[error(transparent)]
    Booking(#[from] AdvanceError),
}

/// Verifies, reads and books a notification. Its age is measured by the machine's clock, which the bank shares; a test clock may stand anywhere.
pub fn hear_callback(app: &App, signature: &str, body: &[u8]) -> Result<Heard, CallbackRefusal> {
    let now = Timestamp::from(Utc::now());
    verify(std::slice::from_ref(&app.callback_secret), signature, body, now, MAX_AGE)?;
    let notification = BankNotification::parse(body).map_err(|error| CallbackRefusal::Unreadable(error.to_string()))?;
    let event_id = notification.event_id.clone();
    match callback_outcome(notification) {
        Some(outcome) => {
            book_said(app, &[outcome])?;
            Ok(Heard::Booked { event_id })
        }
        None => Ok(Heard::NotOurs { event_id }),
    }
}
