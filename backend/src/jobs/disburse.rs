//! Advances leave for the bank and what it says is booked.
//!
//! Protocol: due messages are claimed by marking their advances as sent and putting the messages off in one commit; only then does anything go to
//! the bank. A first attempt is ordered at once; for one that was sent before (a crash, a lost answer) the bank is asked by reference first, and the
//! order is repeated under the same reference only if the bank never had it. Answers are booked in batches as they come.
//! The database is used beside the conversations: while it is slow or gone, no answer of the bank is missed for want of somebody who reads it.
//! Bounds: 256 conversations with the bank at a time.

use crate::airlines::{Payee, Payees};
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::credit::{
    Advance, AdvanceError, AdvanceState, BankOutcome, BankSaid, Funding, facilities_in, payment_reference, record_outcomes,
    reference_parts,
};
use crate::db::DbError;
use crate::gateways::GatewayError;
use crate::gateways::bank::callback::BankNotification;
use crate::gateways::bank::{PaymentOrder, PaymentStatus};
use crate::ids::{AdvanceId, Id, TicketId};
use crate::ledger::Purse;
use crate::money::Currency;
use crate::notify::{OutboxRow, PAY_ADVANCE, Tried, done_about, due};
use crate::ticketing::{start_paying, ticket_numbers};
use chrono::Duration;
use std::sync::Arc;
use tokio::task::{JoinSet, spawn_blocking};

const MOST_IN_FLIGHT: usize = 256;
/// Of these at most so many with payments that were tried before: stuck ones leave room for new sales.
const MOST_AGAIN: usize = 32;
/// Longer than a conversation with the bank can take: then it is over or the process is.
const CLAIM_SECS: i64 = 30;
const POLL: std::time::Duration = std::time::Duration::from_millis(200);
/// Before each round: what is sold meanwhile leaves together, and what the bank says meanwhile is booked together, each in one commit. A round takes as many
/// statements as a batch of sales, on the same writer, so that shorter ones cost sales; the airline waits so much longer for its money.
const GATHER: std::time::Duration = std::time::Duration::from_millis(40);

/// A conversation that is over.
struct Said {
    outbox: OutboxRow,
    outcome: BankOutcome,
}

pub(super) fn run(app: &Arc<App>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "no advance will leave"),
    };
    runtime.block_on(async {
        let mut conversations: JoinSet<Said> = JoinSet::new();
        let mut again = 0;
        loop {
            let room = MOST_IN_FLIGHT - conversations.len();
            let room_again = room.min(MOST_AGAIN.saturating_sub(again));
            match beside(app, move |app| claim(app, room, room_again)).await {
                Ok(claimed) => {
                    for (outbox, advance, order, first) in claimed {
                        again += usize::from(outbox.attempts > 0);
                        conversations.spawn(converse(app.clone(), outbox, advance, order, first));
                    }
                }
                Err(error) => tracing::error!(%error, "claiming advances failed; it is tried again"),
            }
            let mut said = Vec::new();
            if conversations.is_empty() {
                if tokio::time::timeout(POLL, app.disbursing.notified()).await.is_ok() {
                    tokio::time::sleep(GATHER).await;
                }
                continue;
            }
            tokio::time::sleep(GATHER).await;
            let more = conversations.len() < MOST_IN_FLIGHT;
            tokio::select! {
                Some(one) = conversations.join_next() => said.push(one),
                () = app.disbursing.notified(), if more => {}
                () = tokio::time::sleep(POLL) => {}
            }
            while let Some(one) = conversations.try_join_next() {
                said.push(one);
            }
            // A conversation only ends early if it panicked; its message falls due again.
            let said: Vec<Said> = said.into_iter().flatten().collect();
            again = again.saturating_sub(said.iter().filter(|one| one.outbox.attempts > 0).count());
            if conversations.is_empty() {
                again = 0;
            }
            if !said.is_empty()
                && let Err(error) = beside(app, move |app| book(app, &said)).await
            {
                // The messages fall due again and the bank is asked.
                tracing::error!(%error, "booking the bank's answers failed");
            }
        }
    });
}

/// Works on the database on another thread; the conversations go on meanwhile.
async fn beside<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&App) -> Result<T, AdvanceError> + Send + 'static,
) -> Result<T, AdvanceError> {
    let app = app.clone();
    let done = spawn_blocking(move || work(&app)).await;
    done.unwrap_or_else(|error| Err(DbError::Unavailable(error.to_string()).into()))
}

type Claimed = (OutboxRow, Advance, PaymentOrder, First);

/// Whether the bank can know this attempt already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    Time,
    NotAnyMore,
}

fn claim(app: &App, room: usize, room_again: usize) -> Result<Vec<Claimed>, AdvanceError> {
    let now = app.now();
    let fresh = i64::try_from(room).unwrap_or(0);
    let (new, again) = app.store.read(|db| {
        let new = due(db, PAY_ADVANCE, Tried::Never, now, fresh)?;
        let again = due(db, PAY_ADVANCE, Tried::Before, now, i64::try_from(room_again).unwrap_or(0))?;
        Ok::<_, DbError>((new, again))
    })?;
    let mut messages = new;
    messages.extend(again);
    messages.truncate(room);
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let lines = app.store.read(|db| facilities_in(db, &[]))?;
    let ids: Vec<AdvanceId> = messages.iter().map(|message| AdvanceId::of(message.subject_id)).collect();
    let sending = app.store.write(|tx| {
        let until = tx.now.plus(Duration::seconds(CLAIM_SECS));
        // The advances first: their locks keep two nodes in line.
        let sending = start_paying(tx, &app.catalogue, &ids)?;
        let claimed = crate::notify::claim(tx, &messages.iter().map(|message| message.id).collect::<Vec<_>>(), until)?;
        Ok::<_, AdvanceError>((tx.now, sending, claimed))
    })?;
    let (now, sending, ours) = sending;
    messages.retain(|message| ours.contains(&message.id));
    let tickets: Vec<TicketId> = sending.iter().map(|advance| advance.ticket).collect();
    let (numbers, payees) = app.store.read(|db| Ok::<_, DbError>((ticket_numbers(db, &tickets)?, Payees::read(db)?)))?;
    let mut claimed = Vec::new();
    for advance in sending {
        let Some(message) = messages.iter().find(|message| message.subject_id == advance.id.raw()) else { continue };
        let Some(payee) = payees.of(advance.airline, advance.payee_change) else { continue };
        let debit_account = match advance.facility {
            Some(id) => lines.iter().find(|line| line.id == id).map(|line| line.debit_account.clone()),
            None if advance.funding == Funding::Own => Some(bank_account(Purse::Own, advance.amount.currency)),
            None => Some(client_account(advance.amount.currency)),
        };
        let Some(debit_account) = debit_account else { continue };
        let first = if advance.sent_at == Some(now) { First::Time } else { First::NotAnyMore };
        let Some(number) = numbers.get(&advance.ticket) else { continue };
        let order = payment_order(app, &advance, payee, number, debit_account);
        claimed.push((message.clone(), advance, order, first));
    }
    Ok(claimed)
}

/// Wallet tickets are paid from the client account of their currency.
pub(super) fn client_account(currency: Currency) -> String {
    bank_account(Purse::Client, currency)
}

/// How the bank names our accounts.
pub(super) fn bank_account(purse: Purse, currency: Currency) -> String {
    format!("{}-{currency}", purse.text())
}

/// Its text names the ticket: should the database be lost, the bank still knows what was sold.
fn payment_order(app: &App, advance: &Advance, payee: Payee, number: &str, debit_account: String) -> PaymentOrder {
    PaymentOrder {
        reference: payment_reference(advance.id, advance.attempt),
        debit_account,
        payee_account: payee.account,
        payee_name: payee.name,
        amount: advance.outstanding(),
        remittance_text: format!("Airsettle {number}"),
        callback_url: Some(app.callback_url.clone()),
    }
}

async fn converse(app: Arc<App>, outbox: OutboxRow, advance: Advance, order: PaymentOrder, first: First) -> Said {
    let answer = match first {
        First::Time => app.bank.pay(&order).await,
        First::NotAnyMore => match app.bank.status(&order.reference).await {
            // Never had, or refused for now: the same order may be sent again under the same reference.
            Ok(PaymentStatus::NotFound | PaymentStatus::Refused { is_final: false, .. }) => app.bank.pay(&order).await,
            other => other,
        },
    };
    Said { outbox, outcome: BankOutcome { advance: advance.id, attempt: advance.attempt, said: said(answer) } }
}

pub(super) fn said(answer: Result<PaymentStatus, GatewayError>) -> BankSaid {
    match answer {
        Ok(PaymentStatus::Settled { amount, settled_at, bank_reference }) => {
            BankSaid::Settled { amount, credited_at: settled_at, bank_reference }
        }
        Ok(PaymentStatus::Accepted) => BankSaid::Accepted,
        Ok(PaymentStatus::Refused { code, reason, is_final: true }) => BankSaid::Refused { reason: format!("{code}: {reason}") },
        Ok(PaymentStatus::Refused { code, reason, is_final: false }) => {
            BankSaid::Nothing { reason: format!("refused for now, {code}: {reason}") }
        }
        Ok(PaymentStatus::NotFound) => BankSaid::Nothing { reason: "the bank does not know the payment".to_owned() },
        Err(error) => BankSaid::Nothing { reason: error.to_string() },
    }
}

/// When to come back to an advance that is not confirmed: soon at first, every half minute in the end.
fn next_try(now: Timestamp, attempts: i64, outcome: &BankSaid) -> Timestamp {
    let seconds = match outcome {
        BankSaid::Accepted => 2,
        _ => 1i64 << attempts.clamp(0, 5),
    };
    now.plus(Duration::seconds(seconds.min(30)))
}

fn book(app: &App, said: &[Said]) -> Result<(), AdvanceError> {
    let outcomes: Vec<BankOutcome> = said.iter().map(|one| one.outcome.clone()).collect();
    book_said(app, &outcomes)?;
    let open: Vec<&Said> = said.iter().filter(|one| !matches!(one.outcome.said, BankSaid::Settled { .. })).collect();
    if open.is_empty() {
        return Ok(());
    }
    app.store.write(|tx| {
        for one in open {
            let attempts = one.outbox.attempts + 1;
            let at = next_try(tx.now, attempts, &one.outcome.said);
            crate::notify::try_again(tx, one.outbox.id, attempts, at)?;
        }
        Ok::<_, AdvanceError>(())
    })
}

/// Books what the bank said, in its answer or by callback, and closes the messages of what is confirmed.
pub fn book_said(app: &App, outcomes: &[BankOutcome]) -> Result<(), AdvanceError> {
    let confirmed = app.store.write(|tx| {
        let confirmed = record_outcomes(tx, Actor::platform(), outcomes)?;
        let subjects: Vec<i64> = confirmed.iter().map(|advance| advance.id.raw()).collect();
        done_about(tx, PAY_ADVANCE, &subjects)?;
        Ok::<_, AdvanceError>(confirmed)
    })?;
    for advance in confirmed.iter().filter(|advance| advance.state == AdvanceState::Confirmed) {
        if let Some(at) = advance.confirmed_at {
            let micros = at.since(advance.sold_at).num_microseconds().unwrap_or(i64::MAX);
            app.metrics.sale_to_credit.observe(seconds(micros));
        }
    }
    Ok(())
}

fn seconds(micros: i64) -> f64 {
    std::time::Duration::from_micros(micros.unsigned_abs()).as_secs_f64()
}

/// What a notification of the bank says, if it is about an attempt of ours.
pub fn callback_outcome(notification: BankNotification) -> Option<BankOutcome> {
    let (advance, attempt) = reference_parts(&notification.reference)?;
    Some(BankOutcome { advance, attempt, said: said(Ok(notification.status)) })
}
