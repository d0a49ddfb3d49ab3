//! Deliveries: one event for one webhook, at least once.
//!
//! Protocol. A delivery is made in the commit that publishes its event. It is claimed by putting it off in a commit of its own, so that another node
//! does not take it and a process that dies gives it back; then it is sent; what came of it is written afterwards. Of one object, only the earliest
//! event that is pending is due. What is not accepted is tried again at growing intervals for 72 hours and has then failed; a webhook whose receiver
//! accepted nothing for five days is disabled.

use super::endpoint::{Owner, Webhook, WebhookStatus, active_webhooks, end};
use super::event::{EventRow, EventType};
use super::webhook::Sent;
use crate::clock::Timestamp;
use crate::db::schema::{event, webhook, webhook_attempt, webhook_delivery};
use crate::db::{Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, windowed};
use crate::ids::{DeliveryId, EventId, Id, OrganisationId, WebhookId};
use chrono::{Duration, NaiveDateTime};
use diesel::dsl::{exists, min, not};
use diesel::prelude::*;

rows! {
    pub struct DeliveryRow in webhook_delivery {
        id: i64,
        webhook_id: i64,
        organisation_id: i64,
        node: i64,
        event_id: i64,
        kind: String,
        object_id: String,
        sequence: i64,
        state: String,
        /// Claimed so often.
        attempts: i64,
        due_at: NaiveDateTime,
        /// When the 72 hours began.
        retried_since: NaiveDateTime,
        created_at: NaiveDateTime,
        done_at: Option<NaiveDateTime>,
    }

    /// One line of the log.
    pub struct AttemptRow in webhook_attempt {
        delivery_id: i64,
        attempt: i64,
        at: NaiveDateTime,
        latency_ms: i64,
        response_status: Option<i64>,
        response_excerpt: Option<String>,
        error: Option<String>,
    }
}

/// When a delivery that is not accepted is tried again, in seconds from its first time: after 5 s, 35 s, 2.5, 12.5 and 42.5 minutes, 1.7, 3.7, 7.7 and
/// 15.7 hours, then every eight hours and at last after 72. Each pause is stretched by up to a fifth, so that what failed together comes apart.
pub const RETRY_AT_SECS: [i64; 17] = [
    5, 35, 155, 755, 2_555, 6_155, 13_355, 27_755, 56_555, 85_355, 114_155, 142_955, 171_755, 200_555, 229_355, 258_155, 259_200,
];
/// A webhook whose receiver accepted nothing for so long is disabled.
pub const DISABLED_AFTER: Duration = Duration::days(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

impl DeliveryState {
    pub fn text(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        use DeliveryState::{Delivered, Failed, Pending};
        [Pending, Delivered, Failed].into_iter().find(|state| state.text() == text)
    }
}

/// The next time to try, or `None` when all of them are over. `roll` is any byte.
fn next_try(since: Timestamp, now: Timestamp, roll: u8) -> Option<Timestamp> {
    let elapsed = now.since(since).num_milliseconds();
    let next = RETRY_AT_SECS.iter().map(|at| at * 1_000).find(|at| *at > elapsed)?;
    let pause = next - elapsed;
    Some(now.plus(Duration::milliseconds(pause + pause * i64::from(roll) / (5 * 255))))
}

impl DeliveryRow {
    fn new(tx: &WriteTx, to: &Webhook, event: &EventRow) -> Self {
        DeliveryRow {
            id: tx.ids.next::<DeliveryId>().raw(),
            webhook_id: to.id.raw(),
            organisation_id: to.organisation.raw(),
            node: event.node,
            event_id: event.id,
            kind: event.kind.clone(),
            object_id: event.object_id.clone(),
            sequence: event.sequence,
            state: DeliveryState::Pending.text().to_owned(),
            attempts: 0,
            due_at: tx.now.naive(),
            retried_since: tx.now.naive(),
            created_at: tx.now.naive(),
            done_at: None,
        }
    }
}

/// Who is told of an event: the active webhooks of the organisations whose feeds have it that listen to its type. A ping is for the webhook that
/// was pinged, which has it already.
pub(super) struct Listeners(Vec<Webhook>);

impl Listeners {
    pub(super) fn now(tx: &mut WriteTx) -> Result<Self, DbError> {
        Ok(Listeners(active_webhooks(tx.db, tx.now)?))
    }

    /// `operator` is the organisation that the feed of all events belongs to.
    pub(super) fn deliveries(&self, tx: &WriteTx, event: &EventRow, hears: impl Fn(OrganisationId) -> bool) -> Vec<DeliveryRow> {
        let Some(kind) = EventType::parse(&event.kind).filter(|kind| *kind != EventType::PingTriggered) else {
            return Vec::new();
        };
        let listens = |to: &&Webhook| {
            let of_agency = to.agency.is_none_or(|agency| event.agency_id == Some(agency.raw()));
            of_agency && to.events.contains(&kind) && hears(to.organisation)
        };
        self.0.iter().filter(listens).map(|to| DeliveryRow::new(tx, to, event)).collect()
    }
}

/// Delivers an event to one webhook beside those that listen to it.
pub fn deliver_to(tx: &mut WriteTx, to: &Webhook, event: &EventRow) -> Result<DeliveryRow, DbError> {
    let row = DeliveryRow::new(tx, to, event);
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(row)
}

/// Active webhooks that something is due for, the longest due first, with whether their receivers have been failing.
pub fn due_webhooks(db: &mut Db, now: Timestamp, limit: i64) -> Result<Vec<(WebhookId, Receiver)>, DbError> {
    let active = webhook::table.filter(webhook::status.eq(WebhookStatus::Active.text())).select(webhook::id);
    let due: Vec<i64> = webhook_delivery::table
        .filter(webhook_delivery::state.eq(DeliveryState::Pending.text()))
        .filter(webhook_delivery::due_at.le(now.naive()))
        .filter(webhook_delivery::webhook_id.eq_any(active))
        .group_by(webhook_delivery::webhook_id)
        .order(min(webhook_delivery::due_at))
        .limit(limit)
        .select(webhook_delivery::webhook_id)
        .load(db)?;
    let failing = webhook::table.filter(webhook::id.eq_any(due.clone())).filter(webhook::failing_since.is_not_null());
    let failing: Vec<i64> = failing.select(webhook::id).load(db)?;
    let receiver = |id: &i64| if failing.contains(id) { Receiver::Failing } else { Receiver::Working };
    Ok(due.into_iter().map(|id| (WebhookId::of(id), receiver(&id))).collect())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    Working,
    /// The last attempt was not accepted.
    Failing,
}

/// What is due for one webhook, oldest first: of each object the earliest event that is pending.
pub fn due_deliveries(db: &mut Db, to: WebhookId, now: Timestamp, limit: i64) -> Result<Vec<(DeliveryRow, EventRow)>, DbError> {
    let earlier = diesel::alias!(webhook_delivery as earlier);
    let in_front = earlier
        .filter(earlier.field(webhook_delivery::webhook_id).eq(webhook_delivery::webhook_id))
        .filter(earlier.field(webhook_delivery::object_id).eq(webhook_delivery::object_id))
        .filter(earlier.field(webhook_delivery::sequence).lt(webhook_delivery::sequence))
        .filter(earlier.field(webhook_delivery::state).eq("pending"));
    let due = webhook_delivery::table
        .inner_join(event::table.on(event::node.eq(webhook_delivery::node).and(event::id.eq(webhook_delivery::event_id))))
        .filter(webhook_delivery::webhook_id.eq(to.raw()))
        .filter(webhook_delivery::state.eq("pending"))
        .filter(webhook_delivery::due_at.le(now.naive()))
        .filter(not(exists(in_front)))
        .order((webhook_delivery::due_at, webhook_delivery::id))
        .limit(limit);
    Ok(due.select((DeliveryRow::as_select(), EventRow::as_select())).load(db)?)
}

/// Claims deliveries until `until`, when the claimer must be done or gone; answers those that were still due, with the number of the attempt.
/// Another node that saw the same ones due gets none of them.
pub fn claim_deliveries(tx: &mut WriteTx, ids: &[i64], until: Timestamp) -> Result<Vec<(i64, i64)>, DbError> {
    let pending = webhook_delivery::table.filter(webhook_delivery::id.eq_any(ids.to_vec()));
    let due = pending.filter(webhook_delivery::state.eq("pending")).filter(webhook_delivery::due_at.le(tx.now.naive()));
    let claimed = diesel::update(due)
        .set((webhook_delivery::due_at.eq(until.naive()), webhook_delivery::attempts.eq(webhook_delivery::attempts + 1)));
    Ok(claimed.returning((webhook_delivery::id, webhook_delivery::attempts)).get_results(&mut *tx.db)?)
}

/// An attempt that is over.
#[derive(Clone, Debug)]
pub struct Attempted {
    pub delivery: DeliveryRow,
    pub attempt: i64,
    pub at: Timestamp,
    pub sent: Sent,
}

/// Writes what came of attempts; answers the webhooks that this disables. A delivery that was meanwhile settled by another attempt stays as it is.
pub fn record_attempts(tx: &mut WriteTx, attempts: &[Attempted]) -> Result<Vec<WebhookId>, DbError> {
    let mut receivers: Vec<i64> = attempts.iter().map(|attempt| attempt.delivery.webhook_id).collect();
    receivers.sort_unstable();
    receivers.dedup();
    lock(tx, Contended::Webhook, &receivers)?;
    let lines: Vec<AttemptRow> = attempts.iter().map(line).collect();
    insert(tx, &[RowSet::of(&lines)])?;
    let mut disabled = Vec::new();
    for attempt in attempts {
        let row = webhook_delivery::table.find(attempt.delivery.id).filter(webhook_delivery::state.eq("pending"));
        let accepted = attempt.sent.is_accepted();
        let next = tried_again_at(tx.now, &attempt.delivery).filter(|_| !accepted);
        let (state, due_at) = match (accepted, next) {
            (true, _) => (DeliveryState::Delivered, attempt.delivery.due_at),
            (false, Some(next)) => (DeliveryState::Pending, next.naive()),
            (false, None) => (DeliveryState::Failed, attempt.delivery.due_at),
        };
        let done_at = (state != DeliveryState::Pending).then(|| tx.now.naive());
        let values = (
            webhook_delivery::state.eq(state.text()),
            webhook_delivery::due_at.eq(due_at),
            webhook_delivery::done_at.eq(done_at),
        );
        diesel::update(row).set(values).execute(&mut *tx.db)?;
        let to = WebhookId::of(attempt.delivery.webhook_id);
        if note_receiver(tx, to, accepted)? && !disabled.contains(&to) {
            end(tx, to, WebhookStatus::Disabled)?;
            disabled.push(to);
        }
    }
    Ok(disabled)
}

fn line(attempt: &Attempted) -> AttemptRow {
    AttemptRow {
        delivery_id: attempt.delivery.id,
        attempt: attempt.attempt,
        at: attempt.at.naive(),
        latency_ms: i64::try_from(attempt.sent.latency.as_millis()).unwrap_or(i64::MAX),
        response_status: attempt.sent.status.map(i64::from),
        response_excerpt: attempt.sent.excerpt.clone(),
        error: attempt.sent.error.clone(),
    }
}

fn tried_again_at(now: Timestamp, delivery: &DeliveryRow) -> Option<Timestamp> {
    let mut roll = [0u8; 1];
    // Without random bytes there is no jitter, which is no reason not to try again.
    let _ = getrandom::fill(&mut roll);
    next_try(Timestamp::from(delivery.retried_since), now, roll[0])
}

/// Whether the receiver has now failed for too long.
fn note_receiver(tx: &mut WriteTx, to: WebhookId, accepted: bool) -> Result<bool, DbError> {
    let row = webhook::table.find(to.raw()).filter(webhook::status.eq(WebhookStatus::Active.text()));
    let since: Option<Option<NaiveDateTime>> = row.select(webhook::failing_since).first(&mut *tx.db).optional()?;
    let Some(since) = since else { return Ok(false) };
    let next = if accepted { None } else { since.or(Some(tx.now.naive())) };
    if next != since {
        diesel::update(webhook::table.find(to.raw())).set(webhook::failing_since.eq(next)).execute(&mut *tx.db)?;
    }
    Ok(next.is_some_and(|since| tx.now.since(Timestamp::from(since)) >= DISABLED_AFTER))
}

/// Which deliveries of an owner.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    pub webhook: Option<WebhookId>,
    pub state: Option<DeliveryState>,
    pub kind: Option<EventType>,
    pub event: Option<EventId>,
    /// Made at or after.
    pub from: Option<Timestamp>,
    /// Made before.
    pub to: Option<Timestamp>,
}

macro_rules! filtered {
    ($query:expr, $owner:expr, $filter:expr) => {{
        let mut query = $query.filter(webhook_delivery::organisation_id.eq($owner.organisation.raw()));
        if let Some(agency) = $owner.agency {
            let own = webhook::table.filter(webhook::agency_id.eq(Some(agency.raw()))).select(webhook::id);
            query = query.filter(webhook_delivery::webhook_id.eq_any(own));
        }
        if let Some(id) = $filter.webhook {
            query = query.filter(webhook_delivery::webhook_id.eq(id.raw()));
        }
        if let Some(state) = $filter.state {
            query = query.filter(webhook_delivery::state.eq(state.text()));
        }
        if let Some(kind) = $filter.kind {
            query = query.filter(webhook_delivery::kind.eq(kind.text()));
        }
        if let Some(id) = $filter.event {
            query = query.filter(webhook_delivery::event_id.eq(id.raw()));
        }
        if let Some(from) = $filter.from {
            query = query.filter(webhook_delivery::created_at.ge(from.naive()));
        }
        if let Some(to) = $filter.to {
            query = query.filter(webhook_delivery::created_at.lt(to.naive()));
        }
        query
    }};
}

pub fn deliveries(
    db: &mut Db,
    owner: Owner,
    filter: &DeliveryFilter,
    window: Window,
    limit: i64,
) -> Result<Vec<DeliveryRow>, DbError> {
    let query = windowed!(webhook_delivery::table.into_boxed(), webhook_delivery::id, window, limit);
    Ok(filtered!(query, owner, filter).select(DeliveryRow::as_select()).load(db)?)
}

pub fn delivery(db: &mut Db, owner: Owner, id: DeliveryId) -> Result<Option<DeliveryRow>, DbError> {
    let query = webhook_delivery::table.filter(webhook_delivery::id.eq(id.raw())).into_boxed();
    Ok(filtered!(query, owner, DeliveryFilter::default()).select(DeliveryRow::as_select()).first(db).optional()?)
}

/// The attempts of these deliveries, first to last.
pub fn attempts_at(db: &mut Db, ids: &[i64]) -> Result<Vec<AttemptRow>, DbError> {
    let of_deliveries = webhook_attempt::table.filter(webhook_attempt::delivery_id.eq_any(ids.to_vec()));
    let in_order = of_deliveries.order((webhook_attempt::delivery_id, webhook_attempt::attempt));
    Ok(in_order.select(AttemptRow::as_select()).load(db)?)
}

/// At most so many are sent again by one request.
pub const MOST_AGAIN: i64 = 10_000;

/// Sends again what is over, to webhooks that are not deleted: due now, with 72 hours ahead of it. What is pending stays as it is. Answers how
/// many, the oldest first.
pub fn redeliver(tx: &mut WriteTx, owner: Owner, filter: &DeliveryFilter) -> Result<usize, DbError> {
    let over = webhook_delivery::table.filter(webhook_delivery::state.ne("pending")).into_boxed();
    let there = webhook::table.filter(webhook::status.ne(WebhookStatus::Deleted.text())).select(webhook::id);
    let chosen = filtered!(over, owner, filter).filter(webhook_delivery::webhook_id.eq_any(there));
    let ids: Vec<i64> = chosen.order(webhook_delivery::id).limit(MOST_AGAIN).select(webhook_delivery::id).load(&mut *tx.db)?;
    let again = (
        webhook_delivery::state.eq("pending"),
        webhook_delivery::due_at.eq(tx.now.naive()),
        webhook_delivery::retried_since.eq(tx.now.naive()),
        webhook_delivery::done_at.eq(None::<NaiveDateTime>),
    );
    Ok(diesel::update(webhook_delivery::table.filter(webhook_delivery::id.eq_any(ids))).set(again).execute(&mut *tx.db)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_spread_over_72_hours_and_then_end() {
        let since = Timestamp::from_millis(1_800_000_000_000).unwrap_or_else(|| unreachable!());
        for roll in [0, 255] {
            let (mut now, mut attempts) = (since, 1);
            while let Some(next) = next_try(since, now, roll) {
                assert!(next > now);
                (now, attempts) = (next, attempts + 1);
            }
            let lasted = now.since(since);
            assert!(lasted >= Duration::hours(72) && lasted < Duration::hours(74), "{lasted}");
            assert!((12..=18).contains(&attempts), "{attempts}");
        }
        assert_eq!(next_try(since, since, 0), Some(since.plus(Duration::seconds(5))));
        assert_eq!(next_try(since, since, 255), Some(since.plus(Duration::seconds(6))));
    }
}
