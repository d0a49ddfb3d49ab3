//! The only place that knows database engines.
//!
//! Protocol: reads take a connection from a bounded pool. All writes of a node go through **one** writer connection, in turn
//! (`Store::write`, first come first served): two writers that meet on hot rows are slower than one, and ids that one writer gives out
//! grow in commit order, which the ledger's chain relies on. The writer's turn ends with its COMMIT; that this is durable is waited for beside it
//! (`durability.rs`), and a read waits for what it has seen. A function that changes state takes `&mut WriteTx` and never opens a
//! transaction itself.

mod backup;
mod checkpoint;
mod dialect;
mod durability;
mod engine;
mod migrate;
mod node;
mod rows;
pub mod schema;
mod setting;

pub use backup::{BackupError, RESTORED_FROM, back_up};
pub use dialect::{
    Contended, claim_keys, ensure_rows, insert, is_free, lock, lock_within, lock_word, locked, locked_by, update, write,
};
pub use durability::Commit;
pub use engine::{Db, Statements};
pub use migrate::{MigrateError, migrate, pending};
pub use node::is_accompanied;
pub use rows::{Cell, Change, Column, Field, Row, RowSet, Update, Window};
pub(crate) use rows::{rows, windowed};
pub use setting::{remove_setting, setting, store_setting};

use crate::clock::{Clock, Timestamp};
use crate::ids::IdGenerator;
use crate::money::Currency;
use checkpoint::Checkpoints;
use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::prelude::*;
use durability::Syncer;
use engine::{Manager, Writer};
use node::Lease;
use parking_lot::{FairMutex, Mutex, RwLock};
use std::sync::Arc;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The database refused or failed a statement; the transaction is gone and nothing of it remains.
    #[error("database: {0}")]
    Query(#[from] diesel::result::Error),
    /// No connection in time.
    #[error("database not available: {0}")]
    Unavailable(String),
    /// COMMIT was sent and its answer is not known. Whoever sees this has to look what is there before answering anyone.
    #[error("the outcome of a commit is unknown: {0}")]
    CommitUnknown(String),
    /// A stored value that the program cannot have written.
    #[error("stored value makes no sense: {0}")]
    Corrupt(String),
}

impl DbError {
    /// There is no room for what was to be written; nothing of it remains. It works again when somebody has made room.
    pub fn is_out_of_room(&self) -> bool {
        // SQLite's word, and what PostgreSQL repeats of the operating system's.
        let words = ["database or disk is full", "No space left on device", "Disk quota exceeded"];
        match self {
            DbError::Query(diesel::result::Error::DatabaseError(_, info)) => {
                words.iter().any(|word| info.message().contains(word))
            }
            _ => false,
        }
    }

    /// Another process has held SQLite's file for longer than anybody waits.
    fn is_locked_file(&self) -> bool {
        matches!(self, DbError::Query(error) if error.to_string().contains("database is locked"))
    }

    /// The server went away before a COMMIT was sent, or two transactions stood in each other's way: nothing happened, and the same may work now.
    pub fn is_passing(&self) -> bool {
        use diesel::result::{DatabaseErrorKind, Error};
        let passing = |kind: &DatabaseErrorKind| {
            matches!(
                kind,
                DatabaseErrorKind::ClosedConnection
                    | DatabaseErrorKind::UnableToSendCommand
                    | DatabaseErrorKind::SerializationFailure
                    | DatabaseErrorKind::ReadOnlyTransaction
            )
        };
        // Diesel has no kinds for these.
        let words =
            ["deadlock detected", "lock timeout", "database is locked", "terminating connection", "the database system is"];
        match self {
            DbError::Query(Error::DatabaseError(kind, info)) => {
                passing(kind) || words.iter().any(|word| info.message().contains(word))
            }
            DbError::Unavailable(_) => true,
            DbError::Query(_) | DbError::CommitUnknown(_) | DbError::Corrupt(_) => false,
        }
    }

    /// A row that is there already has the value that this column must have only once. Both engines name the column.
    pub fn is_duplicate_of(&self, column: &str) -> bool {
        use diesel::result::{DatabaseErrorKind, Error};
        match self {
            DbError::Query(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, info)) => info.message().contains(column),
            _ => false,
        }
    }
}

#[derive(Debug)]
pub struct StoreConfig {
    /// `sqlite:path/to/file` or `postgres://…`.
    pub url: String,
    /// Readers at most; each keeps one connection.
    pub readers: u32,
    /// How long a reader waits for a connection.
    pub patience: Duration,
}

/// A currency as it is stored.
pub fn stored_currency(code: &str) -> Result<Currency, DbError> {
    Currency::parse(code).map_err(|error| DbError::Corrupt(error.to_string()))
}

/// Pooled connections for reading: all that a proof needs, and a part of every store.
pub struct Readers(r2d2::Pool<Manager>);

pub struct Store {
    readers: Readers,
    writer: FairMutex<Option<Writer>>,
    /// What the writer's commits become durable by.
    syncer: RwLock<Arc<Syncer>>,
    manager: Manager,
    clock: Clock,
    zone: Tz,
    ids: Arc<IdGenerator>,
    lease: Mutex<Lease>,
    /// The latest ledger date that anything was committed on: a clock that goes back does not take it back.
    latest_date: Mutex<NaiveDate>,
    statements: Statements,
    _checkpoints: Option<Checkpoints>,
}

/// A write transaction: the writer's connection, the time that everything in this commit carries, and ids that are younger than
/// every earlier commit's.
pub struct WriteTx<'a> {
    pub db: &'a mut Db,
    pub now: Timestamp,
    /// The operator's calendar date, on which this commit is booked; never before that of a commit before it, whatever the clock says: a day
    /// whose interest is accrued or whose file was handed out stays as it was.
    pub ledger_date: NaiveDate,
    /// The zone of ledger dates.
    pub zone: Tz,
    pub ids: &'a IdGenerator,
}

impl Readers {
    /// A SQLite file has to exist: reading makes none.
    pub fn open(config: &StoreConfig) -> Result<Self, DbError> {
        if let Some(path) = config.url.strip_prefix("sqlite:")
            && !std::path::Path::new(path).is_file()
        {
            return Err(DbError::Unavailable(format!("there is no file {path}")));
        }
        Readers::connect(config, Manager::new(&config.url, Statements::default())?)
    }

    fn connect(config: &StoreConfig, manager: Manager) -> Result<Self, DbError> {
        let pool = r2d2::Pool::builder()
            .max_size(config.readers)
            .min_idle(Some(1))
            .connection_timeout(config.patience)
            .build(manager)
            .map_err(|error| DbError::Unavailable(error.to_string()))?;
        Ok(Readers(pool))
    }

    /// Runs reads on a pooled connection. Each statement sees its own snapshot.
    pub fn read<T, E: From<DbError>>(&self, reads: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self.0.get().map_err(|error| DbError::Unavailable(error.to_string()))?;
        reads(&mut connection.db)
    }

    /// Runs reads that all see one moment, for proofs over many tables.
    pub fn snapshot<T, E: From<DbError>>(&self, reads: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E> {
        self.read(|db| {
            db.begin_snapshot()?;
            let result = reads(db);
            db.roll_back()?;
            result
        })
    }
}

impl Store {
    /// Connects, leases a node number and is ready for reads and writes. The schema must be current.
    pub fn open(config: &StoreConfig, clock: Clock, zone: Tz) -> Result<Self, DbError> {
        let statements = Statements::default();
        let manager = Manager::new(&config.url, statements.clone())?;
        let readers = Readers::connect(config, manager.clone())?;
        let mut writer = manager.connect_writer()?;
        let lease = take_lease(&mut writer.db)?;
        let ids = Arc::new(IdGenerator::new(lease.node, lease.not_before));
        let latest_date = Mutex::new(latest_ledger_date(&mut writer.db)?);
        writer.defer_syncs()?;
        let syncer = RwLock::new(writer.syncer.clone());
        let (writer, lease) = (FairMutex::new(Some(writer)), Mutex::new(lease));
        let _checkpoints = Checkpoints::start(&manager)?;
        Ok(Store { readers, writer, syncer, manager, clock, zone, ids, lease, latest_date, statements, _checkpoints })
    }

    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The operator's zone: what decides a ledger date.
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The ledger date that a commit would be booked on now.
    pub fn today(&self) -> NaiveDate {
        self.clock.now().date_in(self.zone).max(*self.latest_date.lock())
    }

    /// The node number that this process has leased.
    pub fn node(&self) -> u16 {
        self.lease.lock().node
    }

    /// Ids for rows that no chain depends on (offers, requests): taken outside the writer's turn.
    pub fn ids(&self) -> &IdGenerator {
        &self.ids
    }

    /// The same, to keep.
    pub fn ids_handle(&self) -> Arc<IdGenerator> {
        self.ids.clone()
    }

    /// Counts statements, so that a test can say how many a batch takes.
    pub fn statements(&self) -> &Statements {
        &self.statements
    }

    /// See [`Readers::read`]. What was seen is durable.
    pub fn read<T, E: From<DbError>>(&self, reads: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E> {
        self.settled(|readers| readers.read(reads))
    }

    /// See [`Readers::snapshot`]. What was seen is durable.
    pub fn snapshot<T, E: From<DbError>>(&self, reads: impl FnOnce(&mut Db) -> Result<T, E>) -> Result<T, E> {
        self.settled(|readers| readers.snapshot(reads))
    }

    fn settled<T, E: From<DbError>>(&self, reads: impl FnOnce(&Readers) -> Result<T, E>) -> Result<T, E> {
        // The one of before the read: what it has committed and then lost may be seen too. After a loss a commit of a new one makes durable whatever of it is left.
        if !self.syncer.read().is_working() {
            self.write::<_, DbError>(|_| Ok(()))?;
        }
        let syncer = self.syncer.read().clone();
        let seen = reads(&self.readers);
        syncer.settle().map_err(|error| DbError::Unavailable(error.to_string()))?;
        seen
    }

    /// Keeps the node's number while there is nothing to write; call it every few seconds.
    pub fn keep_lease(&self) -> Result<(), DbError> {
        if self.lease.lock().is_due() { self.write(|_| Ok(())) } else { Ok(()) }
    }

    /// Gives the node number back, so that a restart gets it again and its ids go on where they stopped. Nothing may be written afterwards.
    pub fn release(&self) {
        let used = self.ids.high_water();
        // A writer that still waits for the database keeps the lease, which runs out by itself.
        if let Some(mut writer) = self.writer.try_lock_for(TURN)
            && let Some(writer) = writer.as_mut()
            && let Err(error) = self.lease.lock().release(&mut writer.db, used)
        {
            tracing::warn!(%error, "the node's lease was not given back; it runs out by itself");
        }
    }

    /// Runs `change` in one transaction on the node's writer and commits it if it answers `Ok`; otherwise nothing remains. Answers when it is durable. Whoever
    /// waits too long for his turn is told so.
    pub fn write<T, E: From<DbError>>(&self, change: impl FnOnce(&mut WriteTx) -> Result<T, E>) -> Result<T, E> {
        let (changed, commit) = self.write_ahead(change)?;
        commit.durable()?;
        Ok(changed)
    }

    /// The same, answered as soon as the next change can begin. Nobody may be told of it before the commit is durable.
    pub fn write_ahead<T, E: From<DbError>>(&self, change: impl FnOnce(&mut WriteTx) -> Result<T, E>) -> Result<(T, Commit), E> {
        self.in_turn(|store, writer| {
            let mut tx = store.transaction(&mut writer.db);
            let ledger_date = tx.ledger_date;
            match change(&mut tx) {
                Ok(changed) => {
                    let commit = writer.commit()?;
                    *store.latest_date.lock() = ledger_date;
                    Ok((changed, commit))
                }
                Err(error) => {
                    writer.roll_back()?;
                    Err(error)
                }
            }
        })
    }

    /// Never committed: what would happen, with nothing left behind.
    pub fn rehearse<T, E: From<DbError>>(&self, change: impl FnOnce(&mut WriteTx) -> Result<T, E>) -> Result<T, E> {
        self.in_turn(|store, writer| {
            let rehearsed = change(&mut store.transaction(&mut writer.db));
            writer.roll_back()?;
            rehearsed
        })
    }

    fn transaction<'a>(&'a self, db: &'a mut Db) -> WriteTx<'a> {
        let now = self.clock.now();
        WriteTx { db, now, ledger_date: now.date_in(self.zone).max(*self.latest_date.lock()), zone: self.zone, ids: &self.ids }
    }

    /// Has the writer in a transaction, which `change` ends.
    fn in_turn<T, E: From<DbError>>(&self, change: impl FnOnce(&Self, &mut Writer) -> Result<T, E>) -> Result<T, E> {
        let turn = self.writer.try_lock_for(TURN);
        let mut slot = turn.ok_or_else(|| DbError::Unavailable("the writer is busy".into()))?;
        if let Some(why) = slot.as_ref().and_then(|writer| writer.syncer.refusal()) {
            let message = format!("the disk did not take what was committed, and nothing is written until a restart: {why}");
            return Err(DbError::Unavailable(message).into());
        }
        let mut writer = match slot.take().filter(|writer| writer.syncer.is_working()) {
            Some(writer) => writer,
            None => self.connect_writer()?,
        };
        if let Err(error) = self.begin(&mut writer) {
            if error.is_locked_file() {
                *slot = Some(writer);
                return Err(error.into());
            }
            // The connection may have died between two commits (a restarted server): one new one before giving up.
            tracing::warn!(%error, "writer connection lost, connecting again");
            drop(writer);
            writer = self.connect_writer()?;
            self.begin(&mut writer)?;
        }
        let changed = change(self, &mut writer);
        // A connection that could not end its transaction is not put back into the slot, which ends it.
        if !writer.is_in_transaction {
            *slot = Some(writer);
        }
        changed
    }

    /// Waits until the session that wrote under this number before is gone: a COMMIT of it that is still on its way must not land among
    /// later postings of the same chain.
    fn connect_writer(&self) -> Result<Writer, DbError> {
        let mut writer = self.manager.connect_writer()?;
        writer.db.guard_node(self.node())?;
        writer.defer_syncs()?;
        *self.syncer.write() = writer.syncer.clone();
        Ok(writer)
    }

    /// Ids carry this node's number only while the lease is ours. A process that slept longer than its lease goes on under another number.
    fn begin(&self, writer: &mut Writer) -> Result<(), DbError> {
        let mut lease = self.lease.lock();
        if lease.is_due() {
            if !lease.renew(&mut writer.db, self.ids.high_water())? {
                let lost = lease.node;
                *lease = take_lease(&mut writer.db)?;
                self.ids.adopt(lease.node, lease.not_before);
                tracing::warn!(lost, node = lease.node, "the node's lease had run out and was taken by another process");
            }
            writer.syncer.sync_now()?;
        }
        writer.begin()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.release();
    }
}

fn latest_ledger_date(db: &mut Db) -> Result<NaiveDate, DbError> {
    // Ids grow with the dates that they are booked on.
    let last = schema::posting::table.order(schema::posting::id.desc()).select(schema::posting::ledger_date);
    Ok(last.first(db).optional()?.unwrap_or(NaiveDate::MIN))
}

/// A number whose last holder still has a session, because it stands still, is left to it and another one taken.
fn take_lease(db: &mut Db) -> Result<Lease, DbError> {
    let mut tries = 3;
    loop {
        let lease = Lease::take(db)?;
        tries -= 1;
        match db.guard_node(lease.node) {
            Err(error) if error.is_passing() && tries > 0 => {
                tracing::warn!(%error, node = lease.node, "the lease has run out and the session of its holder has not");
            }
            guarded => return guarded.map(|()| lease),
        }
    }
}

/// How long a change waits for the changes before it: more than any of them takes while the database answers.
const TURN: Duration = Duration::from_secs(10);

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("node", &self.node()).finish_non_exhaustive()
    }
}
