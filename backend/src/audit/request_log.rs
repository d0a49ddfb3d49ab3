//! The request log: what was asked of the API, by which key, how it was answered and how long it took; kept for 90 days. What is written is an
//! allow-list: no body, no query and no address as it was sent, only the template that it matched, so that no personal data can get in.
//!
//! A line is put into a bounded buffer and written beside the request, in batches: a sale never waits for its line, and lines that the buffer has no
//! room for are counted and dropped.

use crate::clock::Timestamp;
use crate::db::schema::{api_key, request_log};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, OrganisationId};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

rows! {
    pub struct RequestLine in request_log {
        id: i64,
        organisation_id: i64,
        key_id: i64,
        at: NaiveDateTime,
        method: String,
        /// The template: `/v1/tickets/{number}`.
        path: String,
        status: i64,
        error_code: Option<String>,
        latency_us: i64,
        request_id: String,
        /// Keyed digest of the idempotency key.
        idempotency_digest: Option<String>,
    }
}

/// How long a line is kept.
pub const KEPT_FOR: Duration = Duration::days(90);
/// Lines waiting at most.
const CAPACITY: usize = 16_384;
/// Lines in one commit, and in one step of a purge, so that the writer's turn stays short.
const BATCH: usize = 1_000;

#[derive(Debug, Default)]
pub struct RequestBuffer {
    waiting: Mutex<Vec<RequestLine>>,
    dropped: AtomicU64,
}

impl RequestBuffer {
    /// Never waits.
    pub fn push(&self, line: RequestLine) {
        let mut waiting = self.waiting.lock();
        if waiting.len() < CAPACITY {
            waiting.push(line);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The oldest lines, at most a commit's worth.
    pub fn take(&self) -> Vec<RequestLine> {
        let mut waiting = self.waiting.lock();
        let count = waiting.len().min(BATCH);
        waiting.drain(..count).collect()
    }

    /// Lines that there was no room for, since the last time this was asked.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

pub fn write_requests(tx: &mut WriteTx, lines: &[RequestLine]) -> Result<(), DbError> {
    insert(tx, &[RowSet::of(lines)])
}

/// Removes lines that are older than 90 days, a step at a time; answers how many. Lines are looked at from the oldest, so that a step costs the same
/// however long the log is.
pub fn purge_requests(tx: &mut WriteTx) -> Result<usize, DbError> {
    let oldest = request_log::table.order(request_log::id).limit(i64::try_from(BATCH).unwrap_or(i64::MAX));
    let oldest: Vec<(i64, NaiveDateTime)> = oldest.select((request_log::id, request_log::at)).load(&mut *tx.db)?;
    let before = tx.now.plus(-KEPT_FOR).naive();
    let over: Vec<i64> = oldest.into_iter().filter(|(_, at)| *at < before).map(|(id, _)| id).collect();
    if over.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(request_log::table.filter(request_log::id.eq_any(over))).execute(&mut *tx.db)?)
}

/// Which lines of an organisation.
#[derive(Clone, Debug)]
pub struct RequestFilter {
    pub organisation: OrganisationId,
    /// Made with keys that are bound to this agency.
    pub agency: Option<AgencyId>,
    pub request_id: Option<String>,
    /// The first digit of the status: 2, 4 or 5.
    pub status_class: Option<i64>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

pub fn requests(db: &mut Db, filter: &RequestFilter, window: Window, limit: i64) -> Result<Vec<RequestLine>, DbError> {
    let query = windowed!(request_log::table.into_boxed(), request_log::id, window, limit);
    let mut query = query.filter(request_log::organisation_id.eq(filter.organisation.raw()));
    if let Some(agency) = filter.agency {
        let keys = api_key::table.filter(api_key::agency_id.eq(Some(agency.raw()))).select(api_key::id);
        query = query.filter(request_log::key_id.eq_any(keys));
    }
    if let Some(id) = &filter.request_id {
        query = query.filter(request_log::request_id.eq(id.clone()));
    }
    if let Some(class) = filter.status_class {
        query = query.filter(request_log::status.between(class * 100, class * 100 + 99));
    }
    if let Some(from) = filter.from {
        query = query.filter(request_log::at.ge(from.naive()));
    }
    if let Some(to) = filter.to {
        query = query.filter(request_log::at.lt(to.naive()));
    }
    Ok(query.select(RequestLine::as_select()).load(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: i64) -> RequestLine {
        RequestLine {
            id,
            organisation_id: 1,
            key_id: 1,
            at: NaiveDateTime::MIN,
            method: "GET".into(),
            path: "/v1/tickets/{number}".into(),
            status: 200,
            error_code: None,
            latency_us: 1,
            request_id: "r".into(),
            idempotency_digest: None,
        }
    }

    #[test]
    fn a_full_buffer_drops_lines_and_counts_them() {
        let buffer = RequestBuffer::default();
        for id in 0..20_000 {
            buffer.push(line(id));
        }
        assert_eq!((buffer.take_dropped(), buffer.take_dropped()), (20_000 - 16_384, 0));
        let first = buffer.take();
        assert_eq!((first.len(), first.first().map(|line| line.id)), (1_000, Some(0)), "the oldest first");
        buffer.push(line(7));
        assert_eq!(buffer.take_dropped(), 0);
    }
}
