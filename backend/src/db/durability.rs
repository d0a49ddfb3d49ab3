//! A commit becomes durable beside the writer. The writer's COMMIT answers when everybody sees the change and its locks are free; whoever made the
//! change then waits for the disk, and for the synchronous standby, together with all who wait at that moment, while the next change is under way.
//! Nobody is told of a change, by an answer or by a read, before it is durable.
//!
//! PostgreSQL: the writer commits with `synchronous_commit = off`, and a second session makes a commit of its own with whatever the server's setting
//! demands; its place in the log is behind every commit before it. Both sessions are of one start of one server, opened before the writer's first
//! change: if the server goes down in between, the second session goes with it, and its failure says so. SQLite: the writer commits with `synchronous =
//! NORMAL`, and the log's file is synced here. If that fails the system may have dropped what it did not write, so nothing is written any more.
//!
//! One `Syncer` per connection of the writer. Commits are numbered in their order; the first who waits syncs for all who are committed.

use super::DbError;
use super::engine::Db;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use parking_lot::{Condvar, Mutex, MutexGuard};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// What makes durable what was committed before.
pub(super) enum Disk {
    /// SQLite's write-ahead log.
    Log(File),
    /// A session of the same server that commits synchronously.
    Session(Box<Db>),
}

impl Disk {
    /// Of the database that this connection has open and has written to.
    pub(super) fn of_log(database: &str) -> Result<Self, DbError> {
        let log = format!("{database}-wal");
        let opened = File::options().read(true).write(true).open(Path::new(&log));
        opened.map(Disk::Log).map_err(|error| DbError::Unavailable(format!("{log}: {error}")))
    }

    fn sync(&mut self) -> Result<(), String> {
        match self {
            Disk::Log(file) => file.sync_data().map_err(|error| error.to_string()),
            Disk::Session(db) => {
                // The smallest thing with a place in the log whose commit waits for it.
                let smallest = "SELECT pg_logical_emit_message(true, 'airsettle', '')";
                db.batch_execute(smallest).map_err(|error| error.to_string())
            }
        }
    }
}

#[derive(Default)]
struct State {
    committing: u64,
    committed: u64,
    durable: u64,
    /// Syncs, the last that was begun and the last that ended well.
    begun: u64,
    ended: u64,
    is_syncing: bool,
    lost: Option<String>,
}

pub(super) struct Syncer {
    disk: Mutex<Disk>,
    state: Mutex<State>,
    turned: Condvar,
}

impl Syncer {
    pub(super) fn new(disk: Disk) -> Arc<Self> {
        Arc::new(Syncer { disk: Mutex::new(disk), state: Mutex::default(), turned: Condvar::new() })
    }

    /// A COMMIT is about to be sent; from here on a read may see it.
    pub(super) fn commits(self: &Arc<Self>) -> Commit {
        let mut state = self.state.lock();
        state.committing += 1;
        Commit { syncer: self.clone(), number: state.committing }
    }

    /// The COMMIT that was sent last has been answered, or has certainly not happened.
    pub(super) fn committed(&self) {
        let mut state = self.state.lock();
        state.committed = state.committing;
    }

    /// What is not durable yet is not known to be there.
    pub(super) fn lose(&self, why: &str) {
        self.state.lock().lost.get_or_insert_with(|| why.to_owned());
        self.turned.notify_all();
    }

    pub(super) fn is_working(&self) -> bool {
        self.state.lock().lost.is_none()
    }

    /// Why no other one may take its place: the system may have dropped what a log did not take, and show it nevertheless.
    pub(super) fn refusal(&self) -> Option<String> {
        let lost = self.state.lock().lost.clone();
        lost.filter(|_| matches!(*self.disk.lock(), Disk::Log(_)))
    }

    /// For what was committed on the writer's connection outside of its turn.
    pub(super) fn sync_now(self: &Arc<Self>) -> Result<(), DbError> {
        let commit = self.commits();
        self.committed();
        commit.durable()
    }

    /// Everything that a read may have seen by now becomes durable, also what is visible while its COMMIT has no answer yet.
    pub(super) fn settle(&self) -> Result<(), DbError> {
        let mut state = self.state.lock();
        let (seen, next) = (state.committing, state.begun + 1);
        while state.durable < seen && state.ended < next {
            self.advance(&mut state)?;
        }
        Ok(())
    }

    /// For a commit that has been answered.
    fn wait(&self, number: u64) -> Result<(), DbError> {
        let mut state = self.state.lock();
        while state.durable < number {
            self.advance(&mut state)?;
        }
        Ok(())
    }

    /// Waits for the sync that is under way, or makes the next one.
    fn advance(&self, state: &mut MutexGuard<'_, State>) -> Result<(), DbError> {
        if let Some(why) = &state.lost {
            return Err(DbError::CommitUnknown(why.clone()));
        }
        if state.is_syncing {
            self.turned.wait(state);
            return Ok(());
        }
        state.is_syncing = true;
        state.begun += 1;
        let (reached, number) = (state.committed, state.begun);
        let synced = MutexGuard::unlocked(state, || self.disk.lock().sync());
        state.is_syncing = false;
        match synced {
            Ok(()) => (state.durable, state.ended) = (state.durable.max(reached), number),
            Err(why) => {
                tracing::error!(%why, "what was committed could not be made durable");
                state.lost.get_or_insert(why);
            }
        }
        self.turned.notify_all();
        Ok(())
    }
}

/// A change that everybody can see and nobody may be told of yet.
#[must_use = "a commit is answered when it is durable"]
pub struct Commit {
    syncer: Arc<Syncer>,
    number: u64,
}

impl Commit {
    /// Returns when it is durable. `CommitUnknown` if that cannot be said.
    pub fn durable(self) -> Result<(), DbError> {
        self.syncer.wait(self.number)
    }
}

#[derive(diesel::QueryableByName)]
struct Started {
    #[diesel(sql_type = Text)]
    at: String,
}

/// When the server of this session was started: no two have started in the same microsecond.
pub(super) fn started(db: &mut Db) -> Result<String, DbError> {
    let asked = diesel::sql_query("SELECT pg_postmaster_start_time()::text AS at");
    Ok(asked.get_result::<Started>(db)?.at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn syncer() -> Arc<Syncer> {
        Syncer::new(Disk::Log(tempfile::tempfile().unwrap()))
    }

    #[test]
    fn one_sync_serves_all_who_are_committed() {
        let syncer = syncer();
        let first = syncer.commits();
        syncer.committed();
        let second = syncer.commits();
        syncer.committed();
        second.durable().unwrap();
        assert_eq!(syncer.state.lock().durable, 2);
        first.durable().unwrap();
    }

    #[test]
    fn a_read_waits_for_a_sync_and_not_for_the_answer_to_a_commit() {
        let syncer = syncer();
        let commit = syncer.commits();
        syncer.settle().unwrap();
        assert_eq!(syncer.state.lock().ended, 1);
        assert_eq!(syncer.state.lock().durable, 0, "a COMMIT without an answer is nobody's to tell of");
        syncer.committed();
        commit.durable().unwrap();
        assert_eq!(syncer.state.lock().durable, 1);
        syncer.settle().unwrap();
        assert_eq!(syncer.state.lock().ended, 2, "nothing is left to sync");
    }

    #[test]
    fn what_was_not_synced_before_the_loss_is_unknown() {
        let syncer = syncer();
        let durable = syncer.commits();
        syncer.committed();
        syncer.settle().unwrap();
        let open = syncer.commits();
        syncer.committed();
        syncer.lose("the server is gone");
        durable.durable().unwrap();
        assert!(matches!(open.durable(), Err(DbError::CommitUnknown(_))));
        assert!(syncer.settle().is_err());
        assert!(syncer.refusal().is_some());
    }
}
