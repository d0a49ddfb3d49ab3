//! Group commit. Orders that arrive while a batch commits form the next batch: no artificial delay, but whoever is ready to run goes first. The queue is bounded and every order has a
//! deadline until which it may wait; an order that was not started by then is answered and never done.
//!
//! A database error rolls a batch back and tries it in halves down to the culprit, which draws another record locator if its own is taken. If the outcome of COMMIT is unknown, the same batch runs again on a
//! new connection: the keys tell what is there already, so nothing is done twice and nobody is answered by guessing.

use super::issue::{Mode, issue_all};
use super::keys::Outcome;
use super::plan::IssueOrder;
use crate::db::{DbError, Store};
use crate::ledger::{Chart, PostError};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

#[derive(Clone, Copy, Debug)]
pub struct QueueConfig {
    /// Orders waiting at most; one more is answered with `Full`.
    pub capacity: usize,
    /// Orders in one commit at most.
    pub batch: usize,
    /// How long an order may wait for its batch to begin.
    pub patience: Duration,
    /// How long a batch whose COMMIT had no answer is pursued.
    pub pursuit: Duration,
}

impl Default for QueueConfig {
    fn default() -> Self {
        QueueConfig { capacity: 4_096, batch: 256, patience: Duration::from_secs(5), pursuit: Duration::from_secs(10) }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    #[error("too many orders are waiting")]
    Full,
    #[error("the order waited too long and was not begun")]
    DeadlineExceeded,
    #[error("the database is not available; nothing was done")]
    Unavailable,
    #[error("it is not known yet whether the order was issued")]
    OutcomeUnknown { claim: i64 },
    #[error("the order could not be processed; nothing was done")]
    Internal,
}

struct Command {
    order: IssueOrder,
    begin_by: Instant,
    reply: oneshot::Sender<Result<Outcome, QueueError>>,
}

/// The way in. Dropping it lets the worker finish what is queued and stop.
#[derive(Debug)]
pub struct IssueQueue {
    sender: SyncSender<Command>,
    patience: Duration,
}

impl IssueQueue {
    /// Starts the worker thread. `sold` is called after every commit that issued something.
    pub fn start(
        store: Arc<Store>,
        chart: Arc<Chart>,
        config: QueueConfig,
        sold: impl Fn() + Send + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(config.capacity);
        let worker = Worker { store, chart, config, sold: Box::new(sold) };
        std::thread::Builder::new().name("issue".into()).spawn(move || worker.run(&receiver))?;
        Ok(IssueQueue { sender, patience: config.patience })
    }

    pub async fn issue(&self, order: IssueOrder) -> Result<Outcome, QueueError> {
        let (reply, answer) = oneshot::channel();
        let claim = order.claim;
        let command = Command { order, begin_by: Instant::now() + self.patience, reply };
        self.sender.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => QueueError::Full,
            TrySendError::Disconnected(_) => QueueError::Unavailable,
        })?;
        // The worker answers every command; if it is gone, it may have gone after the commit.
        answer.await.unwrap_or(Err(QueueError::OutcomeUnknown { claim }))
    }
}

/// How often the worker gives way without getting anything before it begins.
const YIELDS_IN_VAIN: u32 = 4;

struct Worker {
    store: Arc<Store>,
    chart: Arc<Chart>,
    config: QueueConfig,
    sold: Box<dyn Fn() + Send>,
}

impl Worker {
    fn run(&self, receiver: &Receiver<Command>) {
        while let Ok(first) = receiver.recv() {
            let batch = self.gather(first, receiver);
            let now = Instant::now();
            let (batch, late): (Vec<Command>, Vec<Command>) = batch.into_iter().partition(|command| command.begin_by >= now);
            answer(late, &QueueError::DeadlineExceeded);
            self.process(batch, None);
        }
    }

    /// What has arrived, and what arrives as long as others that are ready to run are let run first: under load these are the threads that
    /// read requests. On an idle machine nobody is, and the order goes at once.
    fn gather(&self, first: Command, receiver: &Receiver<Command>) -> Vec<Command> {
        let (mut batch, mut in_vain) = (vec![first], 0);
        while batch.len() < self.config.batch && in_vain < YIELDS_IN_VAIN {
            match receiver.try_recv() {
                Ok(next) => {
                    batch.push(next);
                    in_vain = 0;
                }
                Err(_) => {
                    in_vain += 1;
                    std::thread::yield_now();
                }
            }
        }
        batch
    }

    /// `pursue_until` is set once a COMMIT of these commands had no answer.
    fn process(&self, batch: Vec<Command>, pursue_until: Option<Instant>) {
        if batch.is_empty() {
            return;
        }
        let orders: Vec<&IssueOrder> = batch.iter().map(|command| &command.order).collect();
        match self.store.write(|tx| issue_all(tx, &self.chart, &orders, Mode::Sell)) {
            Ok(outcomes) => {
                let issued = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Issued(_)));
                for (command, outcome) in batch.into_iter().zip(outcomes) {
                    // A client that hung up asks again with its key.
                    let _ = command.reply.send(Ok(outcome));
                }
                if issued {
                    (self.sold)();
                }
            }
            Err(PostError::Db(DbError::CommitUnknown(error))) => {
                tracing::warn!(%error, orders = batch.len(), "outcome of a commit unknown: looking for the keys");
                let until = pursue_until.unwrap_or_else(|| Instant::now() + self.config.pursuit);
                self.try_again(batch, Some(until));
            }
            Err(PostError::Db(error)) if error.is_passing() => {
                tracing::warn!(%error, orders = batch.len(), "the batch could not run: trying again");
                self.try_again(batch, pursue_until);
            }
            Err(error) => self.halve(batch, pursue_until, &error),
        }
    }

    fn try_again(&self, batch: Vec<Command>, pursue_until: Option<Instant>) {
        let now = Instant::now();
        // Before any COMMIT an order may be given up at its own deadline; after one only when the pursuit ends.
        let (batch, late): (Vec<Command>, Vec<Command>) =
            batch.into_iter().partition(|command| pursue_until.unwrap_or(command.begin_by) > now);
        match pursue_until {
            Some(_) => outcome_unknown(late),
            None => answer(late, &QueueError::Unavailable),
        }
        if !batch.is_empty() {
            std::thread::sleep(Duration::from_millis(100));
            self.process(batch, pursue_until);
        }
    }

    fn halve(&self, mut batch: Vec<Command>, pursue_until: Option<Instant>, error: &PostError) {
        if batch.len() == 1 {
            if batch.iter_mut().all(|command| draws_again(&mut command.order, error)) {
                return self.process(batch, pursue_until);
            }
            let requests: Vec<&str> = batch.iter().map(|command| command.order.cause.request_id.as_str()).collect();
            tracing::error!(%error, ?requests, "order failed");
            // While a COMMIT is pursued, a failure says nothing about whether that COMMIT got through.
            return match pursue_until {
                Some(_) => outcome_unknown(batch),
                None => answer(batch, &QueueError::Internal),
            };
        }
        let rest = batch.split_off(batch.len() / 2);
        self.process(batch, pursue_until);
        self.process(rest, pursue_until);
    }
}

/// The record locator is taken: the same order gets another one. Nothing else that a database refuses is cured by trying again.
fn draws_again(order: &mut IssueOrder, error: &PostError) -> bool {
    let is_taken = matches!(error, PostError::Db(error) if error.is_duplicate_of("booking_reference"));
    let next = order.draw.next().filter(|_| is_taken);
    order.draw = next.unwrap_or(order.draw);
    next.is_some()
}

fn answer(commands: Vec<Command>, error: &QueueError) {
    for command in commands {
        let _ = command.reply.send(Err(*error));
    }
}

fn outcome_unknown(commands: Vec<Command>) {
    for command in commands {
        let claim = command.order.claim;
        let _ = command.reply.send(Err(QueueError::OutcomeUnknown { claim }));
    }
}
