//! The two engines behind one connection type, and how each is opened, begun, committed and checked.

use super::DbError;
use super::durability::{Commit, Disk, Syncer, started};
use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection};
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, ConnectionError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A connection to either engine.
#[derive(diesel::MultiConnection)]
pub enum Db {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// How many statements were sent; cheap enough to be always on.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<AtomicU64>);

impl Statements {
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

/// Opens connections; the scheme of the URL picks the engine.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    engine: Engine,
    address: String,
    statements: Statements,
}

impl Manager {
    pub(super) fn new(url: &str, statements: Statements) -> Result<Self, DbError> {
        let (engine, address) = match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => (Engine::Sqlite, path),
            Some(("postgres" | "postgresql", _)) => (Engine::Postgres, url),
            _ => return Err(DbError::Unavailable("a database URL begins with sqlite: or postgres:".into())),
        };
        Ok(Manager { engine, address: address.to_owned(), statements })
    }

    pub(super) fn connect(&self) -> Result<Db, ConnectionError> {
        let mut db = match self.engine {
            Engine::Sqlite => Db::Sqlite(open_sqlite(&self.address)?),
            Engine::Postgres => Db::Postgres(open_postgres(&self.address)?),
        };
        db.set_instrumentation(self.statements.clone());
        Ok(db)
    }

    /// The same database for work that is nobody's statement.
    pub(super) fn uncounted(&self) -> Self {
        Manager { statements: Statements::default(), ..self.clone() }
    }

    /// A writer that holds a whole table must not hold up all readers for ever. What prepares a connection is nobody's statement: the pool opens them
    /// when it likes.
    fn connect_reader(&self) -> Result<Db, ConnectionError> {
        let mut db = self.uncounted().connect()?;
        if let Db::Postgres(connection) = &mut db {
            connection.batch_execute("SET lock_timeout = '5s'").map_err(ConnectionError::CouldntSetupConfiguration)?;
        }
        db.set_instrumentation(self.statements.clone());
        Ok(db)
    }

    pub(super) fn connect_writer(&self) -> Result<Writer, DbError> {
        let connect = |manager: &Self| manager.connect().map_err(|error| DbError::Unavailable(error.to_string()));
        let (disk, db) = match self.engine {
            Engine::Sqlite => {
                let db = connect(self)?;
                (Disk::of_log(&self.address)?, db)
            }
            Engine::Postgres => {
                let mut session = connect(&self.uncounted())?;
                let mut db = connect(self)?;
                if started(&mut session)? != started(&mut db)? {
                    return Err(DbError::Unavailable("the server was started again while it was connected to".into()));
                }
                // Array statements have one best plan whatever the batch size; planning each anew costs more than running it. A node that is
                // frozen while it holds locks must not hold up the others for ever. No statement_timeout: it would cut short the wait for a
                // synchronous standby in COMMIT and report success.
                db.batch_execute(
                    "SET plan_cache_mode = force_generic_plan; SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '10s'",
                )?;
                (Disk::Session(Box::new(session)), db)
            }
        };
        Ok(Writer { db, syncer: Syncer::new(disk), is_in_transaction: false })
    }
}

/// The connection that writes, and what makes durable what it commits.
pub(super) struct Writer {
    pub(super) db: Db,
    pub(super) syncer: Arc<Syncer>,
    pub(super) is_in_transaction: bool,
}

impl Writer {
    /// From now on a COMMIT does not wait for the disk.
    pub(super) fn defer_syncs(&mut self) -> Result<(), DbError> {
        match &mut self.db {
            Db::Sqlite(connection) => connection.batch_execute("PRAGMA synchronous = NORMAL")?,
            Db::Postgres(connection) => connection.batch_execute("SET synchronous_commit = off")?,
        }
        Ok(())
    }

    pub(super) fn begin(&mut self) -> Result<(), DbError> {
        self.db.begin()?;
        self.is_in_transaction = true;
        Ok(())
    }

    /// Whoever wants to speak of it waits for what is answered.
    pub(super) fn commit(&mut self) -> Result<Commit, DbError> {
        let commit = self.syncer.commits();
        let committed = self.db.commit();
        match &committed {
            Err(DbError::CommitUnknown(why)) => self.syncer.lose(why),
            _ => self.syncer.committed(),
        }
        committed?;
        self.is_in_transaction = false;
        Ok(commit)
    }

    pub(super) fn roll_back(&mut self) -> Result<(), DbError> {
        self.db.roll_back()?;
        self.is_in_transaction = false;
        Ok(())
    }
}

fn open_sqlite(path: &str) -> Result<SqliteConnection, ConnectionError> {
    let mut connection = SqliteConnection::establish(path)?;
    // busy_timeout first: the switch to WAL itself can meet another connection. recursive_triggers, because without it
    // INSERT OR REPLACE deletes rows behind the back of the append-only triggers.
    for pragma in [
        "PRAGMA busy_timeout = 10000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA recursive_triggers = ON",
        // The bound; the regular work is done beside the writer.
        "PRAGMA wal_autocheckpoint = 20000",
        "PRAGMA cache_size = -32768",
    ] {
        connection.batch_execute(pragma).map_err(ConnectionError::CouldntSetupConfiguration)?;
    }
    Ok(connection)
}

/// What libpq does about a server that is gone without a word (its power was cut, the network is): without these a COMMIT that waits for its
/// answer waits for hours. What the URL says itself holds.
const GIVE_UP_ON_SILENCE: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "3"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "15000"),
];

fn impatient(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in GIVE_UP_ON_SILENCE {
        if !url.contains(&format!("{name}=")) {
            let separator = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{separator}{name}={value}"));
        }
    }
    url
}

fn open_postgres(url: &str) -> Result<PgConnection, ConnectionError> {
    let mut connection = PgConnection::establish(&impatient(url))?;
    connection
        .batch_execute("SET TIME ZONE 'UTC'; SET client_min_messages = warning")
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// A connection of the pool, and when it was last known to work.
pub(super) struct Pooled {
    pub(super) db: Db,
    checked_at: Instant,
}

/// For so long after a check a connection is not asked again whether it lives: asking costs as much as reading.
const TRUSTED: Duration = Duration::from_millis(500);

impl r2d2::ManageConnection for Manager {
    type Connection = Pooled;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Pooled, ConnectionError> {
        Ok(Pooled { db: self.connect_reader()?, checked_at: Instant::now() })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), ConnectionError> {
        // A file does not go away; a server does.
        if let Db::Postgres(connection) = &mut pooled.db
            && pooled.checked_at.elapsed() > TRUSTED
        {
            connection.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)?;
            pooled.checked_at = Instant::now();
        }
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.db.is_lost()
    }
}

impl Db {
    /// On PostgreSQL only one session at a time writes under a node's number. SQLite has one writer at a time anyway.
    pub(super) fn guard_node(&mut self, node: u16) -> Result<(), DbError> {
        if let Db::Postgres(connection) = self {
            connection.batch_execute("SELECT pg_advisory_unlock_all()")?;
            connection.batch_execute(&format!("SELECT pg_advisory_lock(4711205, {node})"))?;
        }
        Ok(())
    }

    /// Whether the server is known to be gone: a connection that failed is not given out again.
    fn is_lost(&mut self) -> bool {
        use diesel::connection::TransactionManager;
        match self {
            Db::Sqlite(_) => false,
            Db::Postgres(connection) => {
                <PgConnection as Connection>::TransactionManager::is_broken_transaction_manager(connection)
            }
        }
    }

    /// SQLite takes the write lock at once, so that no transaction fails half-way for want of it.
    pub(super) fn begin(&mut self) -> Result<(), DbError> {
        match self {
            Db::Sqlite(connection) => connection.batch_execute("BEGIN IMMEDIATE")?,
            Db::Postgres(connection) => connection.batch_execute("BEGIN")?,
        }
        Ok(())
    }

    /// One moment for all reads until the roll-back.
    pub(super) fn begin_snapshot(&mut self) -> Result<(), DbError> {
        match self {
            Db::Sqlite(connection) => connection.batch_execute("BEGIN")?,
            Db::Postgres(connection) => {
                connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            }
        }
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Result<(), DbError> {
        let committed = match self {
            Db::Sqlite(connection) => connection.batch_execute("COMMIT"),
            Db::Postgres(connection) => connection.batch_execute("COMMIT"),
        };
        committed.map_err(|error| match DbError::from(error) {
            // A file that has no room has no room for what ends a transaction in it.
            full if full.is_out_of_room() => full,
            other => DbError::CommitUnknown(other.to_string()),
        })
    }

    pub(super) fn roll_back(&mut self) -> Result<(), DbError> {
        match self {
            Db::Sqlite(connection) => connection.batch_execute("ROLLBACK")?,
            Db::Postgres(connection) => connection.batch_execute("ROLLBACK")?,
        }
        Ok(())
    }

    pub(super) fn engine(&self) -> Engine {
        match self {
            Db::Sqlite(_) => Engine::Sqlite,
            Db::Postgres(_) => Engine::Postgres,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::impatient;

    #[test]
    fn what_the_url_says_about_time_holds() {
        let plain = impatient("postgres://app@db/live");
        assert!(plain.starts_with("postgres://app@db/live?connect_timeout=5&keepalives_idle=5&"), "{plain}");
        let own = impatient("postgres://app@a,b/live?target_session_attrs=read-write&connect_timeout=2");
        assert!(own.starts_with("postgres://app@a,b/live?target_session_attrs=read-write&connect_timeout=2&keepalives"), "{own}");
        assert_eq!(own.matches("connect_timeout").count(), 1);
    }
}
