//! E-mail leaves: what is queued is claimed in a commit, sent, and what became of it is written in another, so that the writer's turn is never held while a
//! server is waited for. After a crash in between it is sent again under the same message id.

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::{Db, DbError};
use crate::ids::{BillingStatementId, DunningMessageId, Id, LetterId, ObligationId};
use crate::interchange::pdf::Face;
use crate::notify::{
    Attached, Enclosure, Mail, MailError, MailOutcome, OutboxRow, SEND_DUNNING, SEND_LETTER, Sealing, Tried, claim, done_about,
    due, letter, note_letter, try_again,
};
use crate::settlement::{
    SEND_STATEMENT, StatementError, StatementRow, dunning_message, note_dunning, obligation, statement, statement_letter,
    write_statement,
};
use crate::ticketing::{ReceiptError, order_receipt, print_receipt};
use chrono::Duration;

const KINDS: [&str; 3] = [SEND_LETTER, SEND_DUNNING, SEND_STATEMENT];
const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);
/// Longer than one message takes.
const CLAIM: Duration = Duration::seconds(60);
const AT_ONCE: i64 = 20;
/// The first wait; it doubles.
const WAIT_SECS: i64 = 30;
/// Two days of tries, more or less.
const MOST_ATTEMPTS: i64 = 14;
const LONGEST_WAIT: Duration = Duration::hours(4);
/// A larger statement is read from the platform.
const MOST_ATTACHED_BYTES: i64 = 5_000_000;

#[derive(Debug, thiserror::Error)]
enum PostError {
    #[error(transparent)]
    Mail(#[from] MailError),
    #[error(transparent)]
    Statement(#[from] StatementError),
    #[error(transparent)]
    Db(#[from] DbError),
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    #[error("the message is gone")]
    Gone,
}

pub(super) fn run(app: &App) {
    loop {
        if let Err(error) = send_all(app) {
            tracing::error!(%error, "e-mail was not sent; it is tried again");
        }
        std::thread::sleep(PAUSE);
    }
}

fn send_all(app: &App) -> Result<(), DbError> {
    for (kind, tried) in KINDS.into_iter().flat_map(|kind| [(kind, Tried::Never), (kind, Tried::Before)]) {
        let now = app.now();
        for message in app.store.read(|db| due(db, kind, tried, now, AT_ONCE))? {
            let claimed = app.store.write(|tx| {
                let until = tx.now.plus(CLAIM);
                claim(tx, &[message.id], until)
            })?;
            if !claimed.is_empty() {
                let sent = match kind {
                    SEND_LETTER => send_letter(app, LetterId::of(message.subject_id)),
                    SEND_STATEMENT => send_statement(app, BillingStatementId::of(message.subject_id)),
                    _ => send(app, DunningMessageId::of(message.subject_id)),
                };
                let outcome = outcome(&message, sent);
                write(app, kind, &message, &outcome)?;
            }
        }
    }
    Ok(())
}

fn send(app: &App, id: DunningMessageId) -> Result<(), PostError> {
    let (row, attachment) = app.store.snapshot(|db| {
        let row = dunning_message(db, id)?.ok_or(PostError::Gone)?;
        let of = obligation(db, ObligationId::of(row.obligation_id))?.ok_or(PostError::Gone)?;
        let known = statement(db, BillingStatementId::of(of.statement_id))?.ok_or(PostError::Gone)?;
        Ok::<_, PostError>((row, file_of(db, &known)?))
    })?;
    let mail =
        Mail { message_id: &row.message_id, to: &row.recipient, subject: &row.subject, body: &row.body, html: None, attachment };
    Ok(app.mailer.send(mail)?)
}

/// The file of a statement, unless it is too large.
fn file_of(db: &mut Db, of: &StatementRow) -> Result<Option<Attached>, PostError> {
    if of.byte_count.is_none_or(|bytes| bytes > MOST_ATTACHED_BYTES) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    write_statement(db, of, &mut bytes)?;
    Ok(Some(Attached { name: format!("statement_{}.csv", of.cycle), media_type: "text/csv; charset=utf-8", bytes }))
}

fn send_statement(app: &App, id: BillingStatementId) -> Result<(), PostError> {
    let found = app.store.snapshot(|db| {
        let of = statement(db, id)?.ok_or(PostError::Gone)?;
        let letter = statement_letter(db, &of)?;
        letter.map(|letter| Ok::<_, PostError>((letter, file_of(db, &of)?))).transpose()
    })?;
    // Whoever was to be written to is not any more.
    let Some((letter, attachment)) = found else { return Ok(()) };
    let (message_id, body, html) = (format!("{id}@airsettle"), letter.page.text(), letter.page.html());
    let (to, subject, html) = (&letter.to, &letter.subject, Some(html.as_str()));
    Ok(app.mailer.send(Mail { message_id: &message_id, to, subject, body: &body, html, attachment })?)
}

fn send_letter(app: &App, id: LetterId) -> Result<(), PostError> {
    let row = app.store.read(|db| letter(db, id))?.ok_or(PostError::Gone)?;
    let opened = |sealed: &[u8]| String::from_utf8(app.vault.opened(sealed)?).map_err(|_| PostError::Gone);
    let body = opened(row.sealed_body.as_deref().ok_or(PostError::Gone)?)?;
    let html = row.sealed_html.as_deref().map(opened).transpose()?;
    let attachment = row.enclosure()?.map(|enclosure| enclosed(app, enclosure)).transpose()?;
    let message_id = format!("{id}@airsettle");
    let mail = Mail {
        message_id: &message_id,
        to: &row.recipient,
        subject: &row.subject,
        body: &body,
        html: html.as_deref(),
        attachment,
    };
    Ok(app.mailer.send(mail)?)
}

/// As it is at this moment.
fn enclosed(app: &App, enclosure: Enclosure) -> Result<Attached, PostError> {
    match enclosure {
        Enclosure::OrderReceipt(order) => {
            let receipt =
                app.store.snapshot(|db| order_receipt(db, &app.catalogue, &app.vault, order))?.ok_or(PostError::Gone)?;
            let face = Face::built_in().map_err(ReceiptError::from)?;
            Ok(Attached { name: receipt.file_name(), media_type: "application/pdf", bytes: print_receipt(&receipt, &face)? })
        }
    }
}

fn outcome(message: &OutboxRow, sent: Result<(), PostError>) -> MailOutcome {
    match sent {
        Ok(()) => MailOutcome::Sent,
        // Nobody can be written to there, however often it is tried.
        Err(error @ PostError::Mail(MailError::Address(_) | MailError::Message(_))) => MailOutcome::Failed(error.to_string()),
        Err(error) if message.attempts.saturating_add(1) >= MOST_ATTEMPTS => MailOutcome::Failed(error.to_string()),
        Err(error) => MailOutcome::NotYet(error.to_string()),
    }
}

fn write(app: &App, kind: &str, message: &OutboxRow, outcome: &MailOutcome) -> Result<(), DbError> {
    let attempts = message.attempts.saturating_add(1);
    app.store.write(|tx| {
        match kind {
            SEND_LETTER => note_letter(tx, LetterId::of(message.subject_id), outcome)?,
            // Nothing is kept of it but that it has left.
            SEND_STATEMENT => {}
            _ => note_dunning(tx, DunningMessageId::of(message.subject_id), outcome)?,
        }
        match outcome {
            MailOutcome::Sent => done_about(tx, kind, &[message.subject_id]),
            MailOutcome::Failed(error) => {
                tracing::error!(message = message.id, kind, %error, "e-mail is given up");
                done_about(tx, kind, &[message.subject_id])
            }
            MailOutcome::NotYet(error) => {
                tracing::warn!(message = message.id, %error, "e-mail was not taken; it is tried again");
                let next = next_try(tx.now, attempts);
                try_again(tx, message.id, attempts, next)
            }
        }
    })
}

fn next_try(now: Timestamp, attempts: i64) -> Timestamp {
    let doublings = u32::try_from(attempts.clamp(1, 12)).unwrap_or(12).saturating_sub(1);
    let wait = Duration::seconds(WAIT_SECS.saturating_mul(2i64.saturating_pow(doublings)));
    now.plus(wait.min(LONGEST_WAIT))
}
