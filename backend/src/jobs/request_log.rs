//! Lines of the request log are written every second, and those of 90 days ago removed.

use crate::app::App;
use crate::audit::{purge_requests, write_requests};
use crate::db::DbError;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(600);

pub(super) fn run(app: &App) {
    let mut purged_at: Option<Instant> = None;
    loop {
        if let Err(error) = write(app) {
            tracing::error!(%error, "lines of the request log were lost");
        }
        if purged_at.is_none_or(|at| at.elapsed() >= PURGE_EVERY) {
            match app.store.write(purge_requests) {
                // The rest of it in the next round: a purge never holds the writer for long.
                Ok(0) => purged_at = Some(Instant::now()),
                Ok(purged) => tracing::debug!(purged, "lines of the request log removed"),
                Err(error) => tracing::error!(%error, "the request log was not purged; it is tried again"),
            }
        }
        std::thread::sleep(PAUSE);
    }
}

fn write(app: &App) -> Result<(), DbError> {
    app.metrics.request_log_dropped.inc_by(app.requests.take_dropped());
    loop {
        let lines = app.requests.take();
        if lines.is_empty() {
            return Ok(());
        }
        if let Err(error) = app.store.write(|tx| write_requests(tx, &lines)) {
            app.metrics.request_log_dropped.inc_by(u64::try_from(lines.len()).unwrap_or(u64::MAX));
            return Err(error);
        }
    }
}
