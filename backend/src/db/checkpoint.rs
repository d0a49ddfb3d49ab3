//! On SQLite the pages of the write-ahead log go back to the file beside the writer, not in its commits: a commit that carries a checkpoint makes
//! everybody behind it wait. The automatic checkpoint stays as the bound for a log that grows faster than this.

use super::DbError;
use super::engine::{Db, Manager};
use diesel::connection::SimpleConnection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(50);

/// Ends its thread when it is dropped.
#[derive(Debug)]
pub(super) struct Checkpoints(Arc<AtomicBool>);

impl Checkpoints {
    /// `None` where there is nothing to do: PostgreSQL has a process of its own for it.
    pub(super) fn start(manager: &Manager) -> Result<Option<Self>, DbError> {
        let unavailable = |error: &dyn std::fmt::Display| DbError::Unavailable(error.to_string());
        let connected = manager.uncounted().connect().map_err(|error| unavailable(&error))?;
        let Db::Sqlite(mut connection) = connected else { return Ok(None) };
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        let work = move || {
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(PAUSE);
                // Passive: it takes what nobody uses and never waits. What it could not take it takes next time.
                if let Err(error) = connection.batch_execute("PRAGMA wal_checkpoint(PASSIVE)") {
                    tracing::debug!(%error, "no checkpoint this time");
                }
            }
        };
        std::thread::Builder::new().name("checkpoint".into()).spawn(work).map_err(|error| unavailable(&error))?;
        Ok(Some(Checkpoints(stopped)))
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
