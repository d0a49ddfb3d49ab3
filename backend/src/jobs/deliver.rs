//! Deliveries leave for their receivers.
//!
//! Protocol: what is due is claimed in one commit, sent, and what came of it is written in one commit per round: the writer's turn is never held while a
//! receiver is waited for. After a crash what was claimed falls due again. Bounds: 128 deliveries on their way, 4 of them to one receiver; to one that
//! has been failing one at a time and one a second, and all failing ones together get at most half, so that they never hold up the others.

use crate::app::App;
use crate::audit::{self, Actor, Cause};
use crate::db::DbError;
use crate::ids::{EventId, Id, WebhookId};
use crate::notify::{
    Attempted, DeliveryRow, EventRow, EventType, NewEvent, Receiver, SigningSecret, Webhook, claim_deliveries, due_deliveries,
    due_webhooks, emit, record_attempts, signed_headers, webhooks_by_id,
};
use chrono::{Duration, Utc};
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

const MOST_ON_THEIR_WAY: usize = 128;
const MOST_TO_FAILING: usize = MOST_ON_THEIR_WAY / 2;
const MOST_TO_ONE: usize = 4;
/// To a receiver that has been failing.
const PACE: std::time::Duration = std::time::Duration::from_secs(1);
/// Longer than a delivery can take: then it is over or the process is.
const CLAIM_SECS: i64 = 30;
const POLL: std::time::Duration = std::time::Duration::from_millis(200);
/// Between two rounds: what comes to an end meanwhile is written in one commit.
const GATHER: std::time::Duration = std::time::Duration::from_millis(10);
/// Receivers looked at in one round.
const MOST_RECEIVERS: i64 = 1_000;

type Delivery<'a> = Pin<Box<dyn Future<Output = Attempted> + 'a>>;

/// What is on its way, by receiver.
#[derive(Default)]
struct OnTheirWay {
    to: HashMap<WebhookId, usize>,
    to_failing: usize,
    /// When a failing receiver was last sent something.
    paced: HashMap<WebhookId, Instant>,
    failing: HashMap<WebhookId, Receiver>,
}

impl OnTheirWay {
    fn all(&self) -> usize {
        self.to.values().sum()
    }

    /// How many more may leave for a receiver now.
    fn room(&self, to: WebhookId, receiver: Receiver) -> usize {
        let already = self.to.get(&to).copied().unwrap_or(0);
        let left = MOST_ON_THEIR_WAY.saturating_sub(self.all());
        match receiver {
            Receiver::Working => left.min(MOST_TO_ONE.saturating_sub(already)),
            Receiver::Failing => {
                let rested = self.paced.get(&to).is_none_or(|last| last.elapsed() >= PACE);
                let one = usize::from(already == 0 && rested && self.to_failing < MOST_TO_FAILING);
                left.min(one)
            }
        }
    }

    fn leaves(&mut self, to: WebhookId, receiver: Receiver) {
        *self.to.entry(to).or_insert(0) += 1;
        if receiver == Receiver::Failing {
            self.to_failing += 1;
            self.paced.insert(to, Instant::now());
        }
        self.failing.insert(to, receiver);
    }

    fn ends(&mut self, to: WebhookId) {
        if self.failing.get(&to) == Some(&Receiver::Failing) {
            self.to_failing = self.to_failing.saturating_sub(1);
        }
        if let Some(count) = self.to.get_mut(&to) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.to.remove(&to);
                self.failing.remove(&to);
            }
        }
        self.paced.retain(|_, last| last.elapsed() < PACE);
    }
}

pub(super) fn run(app: &App) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "no webhook will be delivered"),
    };
    runtime.block_on(async {
        let mut on_their_way = OnTheirWay::default();
        let mut deliveries: FuturesUnordered<Delivery> = FuturesUnordered::new();
        loop {
            match claim(app, &mut on_their_way) {
                Ok(claimed) => {
                    for one in claimed {
                        deliveries.push(Box::pin(deliver(app, one)));
                    }
                }
                Err(error) => tracing::error!(%error, "claiming deliveries failed; it is tried again"),
            }
            if deliveries.is_empty() {
                tokio::time::sleep(POLL).await;
                continue;
            }
            let mut over = Vec::new();
            tokio::select! {
                Some(one) = deliveries.next() => over.push(one),
                () = tokio::time::sleep(POLL) => {}
            }
            tokio::time::sleep(GATHER).await;
            while let Some(Some(one)) = deliveries.next().now_or_never() {
                over.push(one);
            }
            for one in &over {
                on_their_way.ends(WebhookId::of(one.delivery.webhook_id));
            }
            if !over.is_empty()
                && let Err(error) = record(app, &over)
            {
                // They fall due again and are delivered once more: at least once.
                tracing::error!(%error, "what came of deliveries was not written");
            }
        }
    });
}

struct Claimed {
    delivery: DeliveryRow,
    attempt: i64,
    event: EventRow,
    to: Webhook,
    receiver: Receiver,
}

fn claim(app: &App, on_their_way: &mut OnTheirWay) -> Result<Vec<Claimed>, DbError> {
    let now = app.now();
    let due = app.store.read(|db| {
        let mut due = Vec::new();
        let mut left = MOST_ON_THEIR_WAY.saturating_sub(on_their_way.all());
        for (id, receiver) in due_webhooks(db, now, MOST_RECEIVERS)? {
            let room = on_their_way.room(id, receiver).min(left);
            if room == 0 {
                continue;
            }
            let found = due_deliveries(db, id, now, i64::try_from(room).unwrap_or(0))?;
            left -= found.len().min(left);
            due.extend(found.into_iter().map(|(delivery, event)| (delivery, event, receiver)));
        }
        let webhooks: Vec<WebhookId> = due.iter().map(|(delivery, _, _)| WebhookId::of(delivery.webhook_id)).collect();
        let webhooks = webhooks_by_id(db, &webhooks, now)?;
        Ok::<_, DbError>((due, webhooks))
    })?;
    let (due, webhooks) = due;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = due.iter().map(|(delivery, _, _)| delivery.id).collect();
    let ours: HashMap<i64, i64> = app
        .store
        .write(|tx| {
            let until = tx.now.plus(Duration::seconds(CLAIM_SECS));
            claim_deliveries(tx, &ids, until)
        })?
        .into_iter()
        .collect();
    let mut claimed = Vec::new();
    for (delivery, event, receiver) in due {
        let to = webhooks.iter().find(|webhook| webhook.id.raw() == delivery.webhook_id);
        let (Some(attempt), Some(to)) = (ours.get(&delivery.id).copied(), to.cloned()) else { continue };
        on_their_way.leaves(to.id, receiver);
        claimed.push(Claimed { delivery, attempt, event, to, receiver });
    }
    Ok(claimed)
}

async fn deliver(app: &App, claimed: Claimed) -> Attempted {
    let Claimed { delivery, attempt, event, to, receiver } = claimed;
    tracing::debug!(webhook = %to.id, event = %EventId::of(event.id), attempt, ?receiver, "delivering");
    let at = app.now();
    let opened: Result<Vec<SigningSecret>, String> = to.secrets.iter().map(|sealed| open(app, sealed)).collect();
    let sent = match opened {
        Ok(secrets) => {
            let body = event.body(app.mode.is_live()).to_string();
            // Receivers compare with the machine's clock; a test clock may stand anywhere.
            let headers = signed_headers(&secrets, &EventId::of(event.id).to_string(), Utc::now().timestamp(), body.as_bytes());
            app.webhooks.send(&to.url, &headers, body).await
        }
        Err(error) => crate::notify::Sent { status: None, latency: std::time::Duration::ZERO, error: Some(error), excerpt: None },
    };
    Attempted { delivery, attempt, at, sent }
}

fn open(app: &App, sealed: &[u8]) -> Result<SigningSecret, String> {
    let bytes = app.vault.open_secret(sealed).map_err(|error| error.to_string())?;
    SigningSecret::from_bytes(&bytes).map_err(|error| error.to_string())
}

fn record(app: &App, over: &[Attempted]) -> Result<(), DbError> {
    let disabled = app.store.write(|tx| {
        let disabled = record_attempts(tx, over)?;
        for id in &disabled {
            let cause = Cause { actor: Actor::platform(), request_id: String::new() };
            audit::record(tx, &cause, "webhook.disable", *id)?;
            emit(tx, NewEvent::new(EventType::WebhookDisabled, *id))?;
        }
        Ok::<_, DbError>(disabled)
    })?;
    for id in disabled {
        tracing::warn!(webhook = %id, "its receiver accepted nothing for too long: the webhook is disabled");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failing_receivers_leave_room_for_the_others() {
        let mut ways = OnTheirWay::default();
        for id in 1..=200 {
            let to = WebhookId::of(id);
            for _ in 0..ways.room(to, Receiver::Failing) {
                ways.leaves(to, Receiver::Failing);
            }
        }
        assert_eq!((ways.all(), ways.room(WebhookId::of(1), Receiver::Failing)), (64, 0));
        let fresh = WebhookId::of(1_000);
        assert_eq!(ways.room(fresh, Receiver::Working), 4);
        for id in 1..=64 {
            ways.ends(WebhookId::of(id));
        }
        assert_eq!((ways.all(), ways.to_failing), (0, 0));
        assert_eq!(ways.room(WebhookId::of(1), Receiver::Failing), 0, "it is given a second");
    }
}
