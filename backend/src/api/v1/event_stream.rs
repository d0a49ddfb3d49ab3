//! `/v1/events/stream`: the feed as it grows, as server-sent events. The id of each is its cursor, the same as `/v1/events` has.

use super::events::{LISTENERS, PlatformEvent, feed_of, kinds};
use super::sight::require_one;
use crate::api::caller::{Caller, still_gets_in};
use crate::api::code::Code;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::FeedRequest;
use crate::api::query::Query;
use crate::db::DbError;
use crate::notify::{EventRow, FeedFilter, Follower, StreamRefusal, Woken, feed_after, feed_head};
use actix_web::http::header::{ACCEPT, CACHE_CONTROL};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::unfold;
use std::convert::Infallible;
use std::fmt::Write;
use std::time::Duration;

const FEED: &str = "/v1/events";
const STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: &str = "last-event-id";
/// Shorter than what proxies wait for; also how soon a session that has ended is noticed where nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events of one read.
const AT_ONCE: i64 = 100;
const RETRY_AFTER_SECS: u64 = 30;

/// A stream between two pieces of it.
struct Stream {
    request: HttpRequest,
    caller: Caller,
    follower: Follower,
    filter: FeedFilter,
    /// The position that was sent up to.
    after: i64,
    begun: Begun,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    NotYet,
    Sending,
}

/// Events that concern the caller's organisation as they happen, each as a message whose data is what `/v1/events` shows and whose id is a cursor. It
/// begins now, or behind `Last-Event-ID` (or `after`): nothing is lost or sent twice. The first line names the cursor it begins at. A comment comes
/// every 15 seconds; the stream ends with its session or key and when the server stops, and is then asked for again.
#[utoipa::path(get, path = "/v1/events/stream", tag = "Events", operation_id = "stream_events",
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last message, or a cursor of `/v1/events`"),
        ("after" = Option<String>, Query, description = "The same, for those who cannot send the header"),
        ("type" = Option<String>, Query, description = "Only events of this type; may be given several times")),
    responses((status = 200, content_type = "text/event-stream", body = String), (status = 406, description = "`not_acceptable`", body = ErrorBody),
        (status = 422, description = "`invalid_cursor`", body = ErrorBody)))]
pub async fn stream_events(request: HttpRequest, caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, LISTENERS)?;
    if !takes_streams(&request) {
        return Err(ApiError::of(Code::NotAcceptable));
    }
    let header = request.headers().get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let asked = match header.or_else(|| query.get("after")) {
        Some(cursor) => Some(FeedRequest::position(cursor, FEED).ok_or_else(|| ApiError::of(Code::InvalidCursor))?),
        None => None,
    };
    let filter = FeedFilter { organisation: feed_of(&caller), agency: caller.key.agency, kinds: kinds(&query)? };
    let follower = caller.app.streams.follow(filter.organisation).map_err(refused)?;
    let organisation = filter.organisation;
    let after = match asked {
        Some(position) => position,
        None => caller.read(move |db| feed_head(db, organisation)).await?,
    };
    let stream = Stream { request, caller, follower, filter, after, begun: Begun::NotYet };
    let body = unfold(stream, |stream| async move {
        let (piece, stream) = stream.next().await?;
        Some((Ok::<_, Infallible>(piece), stream))
    });
    let mut answer = HttpResponse::Ok();
    answer.content_type(STREAM).insert_header((CACHE_CONTROL, "no-store")).insert_header(("x-accel-buffering", "no"));
    Ok(answer.streaming(Box::pin(body)))
}

/// Who does not say so would wait for an end that does not come.
fn takes_streams(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    accepted.flat_map(|text| text.split(',')).any(|one| one.split(';').next().unwrap_or_default().trim() == STREAM)
}

fn refused(refusal: StreamRefusal) -> ApiError {
    ApiError::new(Code::RateLimited, format!("No stream is opened: {refusal}.")).retry_after(RETRY_AFTER_SECS)
}

impl Stream {
    /// The next piece; `None`: it is over.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        if self.begun == Begun::NotYet {
            self.begun = Begun::Sending;
            let first = format!("retry: 2000\nid: {}\n: this is where it begins\n\n", FeedRequest::cursor(self.after, FEED));
            return Some((first.into(), self));
        }
        loop {
            // Looked at before every read: who does not get in any more reads nothing.
            if self.follower.is_over() || !still_gets_in(&self.request, &self.caller, LISTENERS).await {
                return None;
            }
            self.follower.reads();
            let (filter, after) = (self.filter.clone(), self.after);
            let found = self.caller.read::<_, DbError>(move |db| feed_after(db, &filter, after, AT_ONCE)).await.ok()?;
            if let Some((position, _)) = found.last() {
                self.after = *position;
                return Some((self.messages(&found)?, self));
            }
            match actix_web::rt::time::timeout(HEARTBEAT, self.follower.woken()).await {
                Ok(Woken::ByNews) => {}
                Ok(Woken::ByEnd) => return None,
                Err(_) => return Some((Bytes::from_static(b": still here\n\n"), self)),
            }
        }
    }

    fn messages(&self, events: &[(i64, EventRow)]) -> Option<Bytes> {
        let live = self.caller.app.mode.is_live();
        let mut text = String::new();
        for (position, row) in events {
            let data = serde_json::to_string(&PlatformEvent::of(row, live)).ok()?;
            write!(text, "id: {}\ndata: {data}\n\n", FeedRequest::cursor(*position, FEED)).ok()?;
        }
        Some(text.into())
    }
}
