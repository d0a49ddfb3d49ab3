//! Webhooks: where an organisation wants to be told, of what, and with which secrets it is signed. A webhook is active, paused by its owner,
//! disabled by itself after its receiver failed for too long, or deleted.

use super::event::EventType;
use crate::clock::Timestamp;
use crate::db::schema::{webhook, webhook_delivery};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, OrganisationId, WebhookId};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct WebhookRow in webhook {
        id: i64,
        organisation_id: i64,
        agency_id: Option<i64>,
        url: String,
        events: String,
        status: String,
        secret: Vec<u8>,
        old_secret: Option<Vec<u8>>,
        old_secret_until: Option<NaiveDateTime>,
        failing_since: Option<NaiveDateTime>,
        created_at: NaiveDateTime,
        updated_at: NaiveDateTime,
    }
}

/// Of one organisation at most.
const MOST: i64 = 20;

/// The old secret signs beside the new one for this long at most.
pub const LONGEST_OVERLAP: Duration = Duration::days(7);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookStatus {
    Active,
    /// By its owner.
    Paused,
    /// Its receiver failed for too long.
    Disabled,
    Deleted,
}

impl WebhookStatus {
    pub fn text(self) -> &'static str {
        match self {
            WebhookStatus::Active => "active",
            WebhookStatus::Paused => "paused",
            WebhookStatus::Disabled => "disabled",
            WebhookStatus::Deleted => "deleted",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        use WebhookStatus::{Active, Deleted, Disabled, Paused};
        [Active, Paused, Disabled, Deleted].into_iter().find(|status| status.text() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Webhook {
    pub id: WebhookId,
    pub organisation: OrganisationId,
    /// Of this agency's events alone: the webhook was made with a key that is bound to it.
    pub agency: Option<AgencyId>,
    pub url: String,
    pub events: Vec<EventType>,
    pub status: WebhookStatus,
    /// Sealed, the newest first: those that sign now.
    pub secrets: Vec<Vec<u8>>,
    /// Since when no delivery was accepted.
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Webhook {
    fn of(row: WebhookRow, now: Timestamp) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of webhook {}", row.id));
        let events: Option<Vec<EventType>> = row.events.split(' ').map(EventType::parse).collect();
        let is_live = |until: NaiveDateTime| until > now.naive();
        let old = row.old_secret.filter(|_| row.old_secret_until.is_some_and(is_live));
        Ok(Webhook {
            id: WebhookId::of(row.id),
            organisation: OrganisationId::of(row.organisation_id),
            agency: row.agency_id.map(AgencyId::of),
            events: events.ok_or_else(|| corrupt("events"))?,
            status: WebhookStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            secrets: std::iter::once(row.secret).chain(old).collect(),
            failing_since: row.failing_since.map(Timestamp::from),
            created_at: Timestamp::from(row.created_at),
            updated_at: Timestamp::from(row.updated_at),
            url: row.url,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error("no such webhook")]
    NotFound,
    #[error("an organisation has at most {MOST} webhooks")]
    TooMany,
    #[error("a webhook is for at least one type of event")]
    NoEvents,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Whose webhook: an organisation's, of one agency of it where the key is bound to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub organisation: OrganisationId,
    pub agency: Option<AgencyId>,
}

#[derive(Clone, Debug)]
pub struct NewWebhook {
    pub owner: Owner,
    pub url: String,
    pub events: Vec<EventType>,
    /// Sealed.
    pub secret: Vec<u8>,
}

/// What an owner changes; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct WebhookChange {
    pub url: Option<String>,
    pub events: Option<Vec<EventType>>,
    /// Active or paused.
    pub status: Option<WebhookStatus>,
}

fn words(events: &[EventType]) -> Result<String, WebhookError> {
    let mut words: Vec<&str> = events.iter().map(|event| event.text()).collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() { Err(WebhookError::NoEvents) } else { Ok(words.join(" ")) }
}

pub fn create_webhook(tx: &mut WriteTx, new: NewWebhook) -> Result<Webhook, WebhookError> {
    let events = words(&new.events)?;
    if webhooks(tx.db, new.owner, tx.now, Window::NEWEST, MOST)?.len() >= usize::try_from(MOST).unwrap_or(usize::MAX) {
        return Err(WebhookError::TooMany);
    }
    let row = WebhookRow {
        id: tx.ids.next::<WebhookId>().raw(),
        organisation_id: new.owner.organisation.raw(),
        agency_id: new.owner.agency.map(Id::raw),
        url: new.url,
        events,
        status: WebhookStatus::Active.text().to_owned(),
        secret: new.secret,
        old_secret: None,
        old_secret_until: None,
        failing_since: None,
        created_at: tx.now.naive(),
        updated_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(Webhook::of(row, tx.now)?)
}

/// What the owner turns on again is tried again from now on.
pub fn change_webhook(tx: &mut WriteTx, owner: Owner, id: WebhookId, change: WebhookChange) -> Result<Webhook, WebhookError> {
    let known = webhook(tx.db, owner, id, tx.now)?.ok_or(WebhookError::NotFound)?;
    let events = words(change.events.as_ref().unwrap_or(&known.events))?;
    let status = change.status.unwrap_or(known.status);
    let turned_on = status == WebhookStatus::Active && known.status != status;
    let failing_since = known.failing_since.filter(|_| !turned_on).map(Timestamp::naive);
    let values = (
        webhook::url.eq(change.url.unwrap_or(known.url)),
        webhook::events.eq(events),
        webhook::status.eq(status.text()),
        webhook::failing_since.eq(failing_since),
        webhook::updated_at.eq(tx.now.naive()),
    );
    diesel::update(webhook::table.find(id.raw())).set(values).execute(&mut *tx.db).map_err(DbError::from)?;
    webhook(tx.db, owner, id, tx.now)?.ok_or(WebhookError::NotFound)
}

/// Nothing is sent to it any more; its log stays.
pub fn delete_webhook(tx: &mut WriteTx, owner: Owner, id: WebhookId) -> Result<(), WebhookError> {
    webhook(tx.db, owner, id, tx.now)?.ok_or(WebhookError::NotFound)?;
    end(tx, id, WebhookStatus::Deleted)?;
    Ok(())
}

/// A new secret; the old one signs beside it for `overlap` longer. One that was still signing from before ends now.
pub fn rotate_secret(
    tx: &mut WriteTx,
    owner: Owner,
    id: WebhookId,
    secret: Vec<u8>,
    overlap: Duration,
) -> Result<Webhook, WebhookError> {
    let known = webhook(tx.db, owner, id, tx.now)?.ok_or(WebhookError::NotFound)?;
    let until = tx.now.plus(overlap).naive();
    let values = (
        webhook::secret.eq(secret),
        webhook::old_secret.eq(known.secrets.into_iter().next()),
        webhook::old_secret_until.eq(Some(until)),
        webhook::updated_at.eq(tx.now.naive()),
    );
    diesel::update(webhook::table.find(id.raw())).set(values).execute(&mut *tx.db).map_err(DbError::from)?;
    webhook(tx.db, owner, id, tx.now)?.ok_or(WebhookError::NotFound)
}

/// A webhook that ends; what was to be sent has failed and can be sent again where the webhook comes back.
pub(super) fn end(tx: &mut WriteTx, id: WebhookId, status: WebhookStatus) -> Result<(), DbError> {
    let ended = (webhook::status.eq(status.text()), webhook::updated_at.eq(tx.now.naive()));
    diesel::update(webhook::table.find(id.raw())).set(ended).execute(&mut *tx.db)?;
    let pending = webhook_delivery::table.filter(webhook_delivery::webhook_id.eq(id.raw()));
    let failed = (webhook_delivery::state.eq("failed"), webhook_delivery::done_at.eq(Some(tx.now.naive())));
    diesel::update(pending.filter(webhook_delivery::state.eq("pending"))).set(failed).execute(&mut *tx.db)?;
    Ok(())
}

/// One that exists and is the owner's.
pub fn webhook(db: &mut Db, owner: Owner, id: WebhookId, now: Timestamp) -> Result<Option<Webhook>, DbError> {
    let found = webhooks_by_id(db, &[id], now)?.pop();
    let is_its = |one: &Webhook| one.organisation == owner.organisation && (owner.agency.is_none() || owner.agency == one.agency);
    Ok(found.filter(|one| one.status != WebhookStatus::Deleted && is_its(one)))
}

pub fn webhooks_by_id(db: &mut Db, ids: &[WebhookId], now: Timestamp) -> Result<Vec<Webhook>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<WebhookRow> = webhook::table.filter(webhook::id.eq_any(raw)).select(WebhookRow::as_select()).load(db)?;
    rows.into_iter().map(|row| Webhook::of(row, now)).collect()
}

pub fn webhooks(db: &mut Db, owner: Owner, now: Timestamp, window: Window, limit: i64) -> Result<Vec<Webhook>, DbError> {
    let query = windowed!(webhook::table.into_boxed(), webhook::id, window, limit);
    let mut query = query.filter(webhook::organisation_id.eq(owner.organisation.raw()));
    query = query.filter(webhook::status.ne(WebhookStatus::Deleted.text()));
    if let Some(agency) = owner.agency {
        query = query.filter(webhook::agency_id.eq(Some(agency.raw())));
    }
    let rows: Vec<WebhookRow> = query.select(WebhookRow::as_select()).load(db)?;
    rows.into_iter().map(|row| Webhook::of(row, now)).collect()
}

/// Those that are told of what is published now.
pub(super) fn active_webhooks(db: &mut Db, now: Timestamp) -> Result<Vec<Webhook>, DbError> {
    let active = webhook::table.filter(webhook::status.eq(WebhookStatus::Active.text()));
    let rows: Vec<WebhookRow> = active.select(WebhookRow::as_select()).load(db)?;
    rows.into_iter().map(|row| Webhook::of(row, now)).collect()
}
