//! Group commit. Orders that arrive while a batch commits form the next batch: no artificial delay, but whoever is ready to run goes
//! first. The queue is bounded and every order has a deadline until which it may wait; an order that was not started by then is answered
//! and never done. One that was started and has no answer in time (a COMMIT that hangs) is answered as not known yet; the worker goes
//! on with it.
//!
//! A database error rolls a batch back and tries it in halves down to the culprit, which draws another record locator if its own is taken. If the outcome of COMMIT is unknown, the same batch runs again on a
//! new connection: the keys tell what is there already, so nothing is done twice and nobody is answered by guessing.

use super::issue::{Mode, issue_all};
use super::keys::Outcome;
use super::plan::IssueOrder;
use crate::db::{Commit, DbError, Store, WriteTx};
use crate::identity::may_be_taken;
use crate::ledger::{Chart, PostError};
use crate::risk::velocity::Velocity;
use std::sync::mpsc::{Receiver, SendError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::timeout;

#[derive(Clone, Copy, Debug)]
pub struct QueueConfig {
    /// Orders waiting at most; one more is answered with `Full`.
    pub capacity: usize,
    /// Orders in one commit at most.
    pub batch: usize,
    /// How long an order may wait for its batch to begin.
    pub patience: Duration,
    /// How long a batch whose COMMIT had no answer is pursued, and how long an order that was begun may go without an answer.
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
    #[error("the database has no room left; nothing was done")]
    NoRoom,
    #[error("it is not known yet whether the order was issued")]
    OutcomeUnknown { claim: i64 },
    #[error("the order could not be processed; nothing was done")]
    Internal,
}

/// What becomes of a waiting order, decided once.
#[derive(Debug)]
enum Turn {
    Begun,
    GivenUp,
}

struct Command {
    order: IssueOrder,
    begin_by: Instant,
    turn: Arc<OnceLock<Turn>>,
    reply: oneshot::Sender<Result<Outcome, QueueError>>,
}

/// The way in. Dropping it lets the worker finish what is queued and stop.
#[derive(Debug)]
pub struct IssueQueue {
    sender: SyncSender<Command>,
    patience: Duration,
    pursuit: Duration,
}

impl IssueQueue {
    /// Starts the worker thread. `sold` is called after every commit that issued something.
    pub fn start(
        store: Arc<Store>,
        (chart, velocity): (Arc<Chart>, Arc<Velocity>),
        config: QueueConfig,
        sold: impl Fn() + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(config.capacity);
        let (settling, committed) = sync_channel(COMMITTED_AHEAD);
        let worker = Arc::new(Worker { store, chart, velocity, config, sold: Box::new(sold) });
        let settler = worker.clone();
        std::thread::Builder::new().name("settle".into()).spawn(move || committed.iter().for_each(|one| settler.settle(one)))?;
        std::thread::Builder::new().name("issue".into()).spawn(move || worker.run(&receiver, &settling))?;
        Ok(IssueQueue { sender, patience: config.patience, pursuit: config.pursuit })
    }

    /// Answers within `patience` and `pursuit` together.
    pub async fn issue(&self, order: IssueOrder) -> Result<Outcome, QueueError> {
        let (reply, mut answer) = oneshot::channel();
        let (claim, turn) = (order.claim, Arc::new(OnceLock::new()));
        let command = Command { order, begin_by: Instant::now() + self.patience, turn: turn.clone(), reply };
        self.sender.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => QueueError::Full,
            TrySendError::Disconnected(_) => QueueError::Unavailable,
        })?;
        let answered = match timeout(self.patience, &mut answer).await {
            Ok(answered) => answered,
            Err(_) if turn.set(Turn::GivenUp).is_ok() => return Err(QueueError::DeadlineExceeded),
            Err(_) => match timeout(self.pursuit, answer).await {
                Ok(answered) => answered,
                Err(_) => return Err(QueueError::OutcomeUnknown { claim }),
            },
        };
        // The worker answers every command that it began; if it is gone, it may have gone after the commit.
        answered.unwrap_or(Err(QueueError::OutcomeUnknown { claim }))
    }
}

/// How often the worker gives way without getting anything before it begins.
const YIELDS_IN_VAIN: u32 = 4;

struct Worker {
    store: Arc<Store>,
    chart: Arc<Chart>,
    velocity: Arc<Velocity>,
    config: QueueConfig,
    sold: Box<dyn Fn() + Send + Sync>,
}

/// Batches that wait for the disk while the next one is worked on.
const COMMITTED_AHEAD: usize = 1;

/// A batch that is committed, and what it came to.
struct Committed {
    batch: Vec<Command>,
    outcomes: Vec<Outcome>,
    commit: Commit,
    pursue_until: Option<Instant>,
}

impl Worker {
    fn run(&self, receiver: &Receiver<Command>, settling: &SyncSender<Committed>) {
        let mut first = receiver.recv().ok();
        while let Some(command) = first {
            let mut batch = self.gather(command, receiver);
            batch.retain(|command| command.turn.set(Turn::Begun).is_ok());
            let now = Instant::now();
            let (batch, late): (Vec<Command>, Vec<Command>) = batch.into_iter().partition(|command| command.begin_by >= now);
            answer(late, &QueueError::DeadlineExceeded);
            let committed = self.process(batch, None);
            first = receiver.try_recv().ok();
            match committed {
                // Somebody waits already: another thread waits for the disk.
                Some(committed) if first.is_some() => {
                    if let Err(SendError(committed)) = settling.send(committed) {
                        self.settle(committed);
                    }
                }
                Some(committed) => self.settle(committed),
                None => {}
            }
            first = first.or_else(|| receiver.recv().ok());
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

    /// Answers the batch when its commit is durable.
    fn settle(&self, Committed { batch, outcomes, commit, pursue_until }: Committed) {
        if let Err(error) = commit.durable() {
            return self.pursue(batch, pursue_until, &error);
        }
        let issued = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Issued(_)));
        for (command, outcome) in batch.into_iter().zip(outcomes) {
            // A client that hung up asks again with its key.
            let _ = command.reply.send(Ok(outcome));
        }
        if issued {
            (self.sold)();
        }
    }

    fn pursue(&self, batch: Vec<Command>, pursue_until: Option<Instant>, error: &DbError) {
        tracing::warn!(%error, orders = batch.len(), "outcome of a commit unknown: looking for the keys");
        self.velocity.doubt();
        let until = pursue_until.unwrap_or_else(|| Instant::now() + self.config.pursuit);
        self.try_again(batch, Some(until));
    }

    fn process_and_settle(&self, batch: Vec<Command>, pursue_until: Option<Instant>) {
        if let Some(committed) = self.process(batch, pursue_until) {
            self.settle(committed);
        }
    }

    /// Everything up to the commit; whoever could not be committed has been answered. `pursue_until` is set once a COMMIT of these commands had no answer.
    fn process(&self, batch: Vec<Command>, pursue_until: Option<Instant>) -> Option<Committed> {
        if batch.is_empty() {
            return None;
        }
        let orders: Vec<&IssueOrder> = batch.iter().map(|command| &command.order).collect();
        let issue = |tx: &mut WriteTx| {
            // What was held up for so long on its way here may have been answered as never to happen.
            if !orders.iter().all(|order| may_be_taken(order.claim)) {
                return Err(PostError::Db(DbError::Unavailable("an order was held up for too long".into())));
            }
            issue_all(tx, (&self.chart, &self.velocity), &orders, Mode::Sell)
        };
        match self.store.write_ahead(issue) {
            Ok((outcomes, commit)) => {
                self.velocity.committed();
                return Some(Committed { batch, outcomes, commit, pursue_until });
            }
            Err(PostError::Db(error @ DbError::CommitUnknown(_))) => self.pursue(batch, pursue_until, &error),
            Err(PostError::Db(error)) if error.is_passing() => {
                tracing::warn!(%error, orders = batch.len(), "the batch could not run: trying again");
                self.try_again(batch, pursue_until);
            }
            Err(PostError::Db(error)) if error.is_out_of_room() && pursue_until.is_none() => {
                tracing::error!(%error, orders = batch.len(), "nothing can be sold: the database has no room left");
                answer(batch, &QueueError::NoRoom);
            }
            Err(error) => self.halve(batch, pursue_until, &error),
        }
        None
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
            self.process_and_settle(batch, pursue_until);
        }
    }

    fn halve(&self, mut batch: Vec<Command>, pursue_until: Option<Instant>, error: &PostError) {
        if batch.len() == 1 {
            if batch.iter_mut().all(|command| draws_again(&mut command.order, error)) {
                return self.process_and_settle(batch, pursue_until);
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
        self.process_and_settle(batch, pursue_until);
        self.process_and_settle(rest, pursue_until);
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
