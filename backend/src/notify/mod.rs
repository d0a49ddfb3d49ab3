//! What has to leave the process. A domain only inserts outbox rows, in the commit of their cause; workers send them afterwards, at least
//! once, with a stable key. Events are for those outside who listen.

mod address;
mod delivery;
mod endpoint;
mod event;
mod feed;
mod letter;
mod mail;
mod page;
mod signing;
mod stream;
mod webhook;

pub use address::{Loopback, PlainHttp, ReceiverPolicy};
pub use delivery::{
    AttemptRow, Attempted, DeliveryFilter, DeliveryRow, DeliveryState, Receiver, attempts_at, claim_deliveries, deliver_to,
    deliveries, delivery, due_deliveries, due_webhooks, record_attempts, redeliver,
};
pub use endpoint::{
    LONGEST_OVERLAP, NewWebhook, Owner, Webhook, WebhookChange, WebhookError, WebhookStatus, change_webhook, create_webhook,
    delete_webhook, rotate_secret, webhook, webhooks, webhooks_by_id,
};
pub use event::{API_VERSION, EventRow, EventType, NewEvent, emit, emit_all, emit_one};
pub use feed::{FULL_PASS, FeedFilter, concerns, event, events_of_request, feed_after, feed_head, operator_feed, publish};
pub use letter::{
    Enclosure, Language, Letter, LetterRow, MailOutcome, SEND_LETTER, Sealing, letter, letters_with, note_letter, queue_letter,
};
pub use mail::{Attached, Mail, MailConfig, MailError, Mailer, is_address};
pub use page::{Block, Page, one_line};
pub use signing::{SecretError, SigningSecret, signed_headers};
pub use stream::{Follower, StreamRefusal, Streams, Woken};
pub use webhook::{Sender, SenderError, Sent, UrlRefusal, install_tls};

use crate::clock::Timestamp;
use crate::db::schema::outbox;
use crate::db::{Db, DbError, WriteTx, rows};
use crate::ids::{Id, OutboxId};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct OutboxRow in outbox {
        id: i64,
        kind: String,
        subject_id: i64,
        attempts: i64,
        due_at: NaiveDateTime,
        done_at: Option<NaiveDateTime>,
        created_at: NaiveDateTime,
    }
}

/// Pay the advance `subject_id` to its airline.
pub const PAY_ADVANCE: &str = "pay_advance";
/// Send the dunning message `subject_id`.
pub const SEND_DUNNING: &str = "send_dunning";

impl OutboxRow {
    /// A message that is due at once.
    pub fn new(tx: &WriteTx, kind: &str, subject: i64) -> Self {
        OutboxRow {
            id: tx.ids.next::<OutboxId>().raw(),
            kind: kind.to_owned(),
            subject_id: subject,
            attempts: 0,
            due_at: tx.now.naive(),
            done_at: None,
            created_at: tx.now.naive(),
        }
    }
}

/// Which messages to look for: those that stand waiting must not hold up those that were never tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    Never,
    Before,
}

/// The oldest messages of a kind that are due.
pub fn due(db: &mut Db, kind: &str, tried: Tried, now: Timestamp, limit: i64) -> Result<Vec<OutboxRow>, DbError> {
    let pending = outbox::table.filter(outbox::done_at.is_null()).filter(outbox::kind.eq(kind));
    let mut due = pending.filter(outbox::due_at.le(now.naive())).order(outbox::due_at).limit(limit).into_boxed();
    due = match tried {
        Tried::Never => due.filter(outbox::attempts.eq(0)),
        Tried::Before => due.filter(outbox::attempts.gt(0)),
    };
    Ok(due.select(OutboxRow::as_select()).load(db)?)
}

/// Everything of this kind about these subjects has been done.
pub fn done_about(tx: &mut WriteTx, kind: &str, subjects: &[i64]) -> Result<(), DbError> {
    if subjects.is_empty() {
        return Ok(());
    }
    let pending = outbox::table.filter(outbox::done_at.is_null()).filter(outbox::kind.eq(kind));
    let rows = pending.filter(outbox::subject_id.eq_any(subjects.to_vec()));
    diesel::update(rows).set(outbox::done_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db)?;
    Ok(())
}

/// Claims messages until `until`, when the claimer must be done or gone; answers those that were still due. Another node that saw the same ones
/// due gets none of them. A claim counts as an attempt, so that a message whose claimer died is not taken for a new one.
pub fn claim(tx: &mut WriteTx, ids: &[i64], until: Timestamp) -> Result<Vec<i64>, DbError> {
    let rows = outbox::table.filter(outbox::id.eq_any(ids.to_vec())).filter(outbox::done_at.is_null());
    let due = rows.filter(outbox::due_at.le(tx.now.naive()));
    let claimed = diesel::update(due).set((outbox::due_at.eq(until.naive()), outbox::attempts.eq(outbox::attempts + 1)));
    Ok(claimed.returning(outbox::id).get_results(&mut *tx.db)?)
}

/// Not done by this attempt: due again at `due_at`.
pub fn try_again(tx: &mut WriteTx, id: i64, attempts: i64, due_at: Timestamp) -> Result<(), DbError> {
    let row = outbox::table.find(id);
    diesel::update(row).set((outbox::attempts.eq(attempts), outbox::due_at.eq(due_at.naive()))).execute(&mut *tx.db)?;
    Ok(())
}
