//! Clients that all order at once, through the queue of one node or of two.

use crate::world::World;
use airsettle::ledger::Chart;
use airsettle::risk::velocity::Velocity;
use airsettle::ticketing::{IssueOrder, IssueQueue, IssuedOrder, Outcome, QueueConfig, QueueError, Refusal};
use futures_util::future::join_all;
use std::sync::Arc;

pub type Answer = Result<Outcome, QueueError>;

pub struct Desk {
    queues: Vec<IssueQueue>,
}

impl Desk {
    pub fn with(world: &World, config: QueueConfig) -> Self {
        Desk::of(IssueQueue::start(world.store.clone(), world.memory(), config, || {}).unwrap())
    }

    pub fn of(queue: IssueQueue) -> Self {
        Desk { queues: vec![queue] }
    }

    pub fn one_node(world: &World) -> Self {
        Desk::with(world, QueueConfig::default())
    }

    /// A second node on the same database, with a memory of its own.
    pub fn two_nodes(world: &World) -> Self {
        let mut desk = Desk::one_node(world);
        let other = Arc::new(world.database.open(world.clock.clone()));
        assert_ne!(other.node(), world.store.node());
        let queue = IssueQueue::start(other, <(Arc<Chart>, Arc<Velocity>)>::default(), QueueConfig::default(), || {}).unwrap();
        desk.queues.push(queue);
        desk
    }

    /// Every order is in a queue before any is answered, dealt out to the nodes in turn. Answers are in the order of the orders.
    pub fn all_at_once(&self, orders: Vec<IssueOrder>) -> Vec<Answer> {
        let queues = self.queues.iter().cycle();
        let waiting = orders.into_iter().zip(queues).map(|(order, queue)| queue.issue(order));
        block_on(join_all(waiting))
    }

    /// Orders once, in the first queue.
    pub async fn issue(&self, order: IssueOrder) -> Answer {
        self.queues[0].issue(order).await
    }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

pub fn issued(answers: &[Answer]) -> Vec<&IssuedOrder> {
    let orders = answers.iter().filter_map(|answer| match answer {
        Ok(Outcome::Issued(order)) => Some(order.as_ref()),
        _ => None,
    });
    orders.collect()
}

pub fn refusals(answers: &[Answer]) -> Vec<Refusal> {
    let refused = answers.iter().filter_map(|answer| match answer {
        Ok(Outcome::Refused(refusal) | Outcome::RefusedBefore(refusal)) => Some(refusal.clone()),
        _ => None,
    });
    refused.collect()
}
