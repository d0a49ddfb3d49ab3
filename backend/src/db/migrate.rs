//! Bringing a schema up to date. The migrations of both engines have the same names and are part of the binary.
//! SQLite is migrated at start. On PostgreSQL the owner runs `airsettle migrate`; the application's role may not even ask Diesel
//! what is pending, so `pending` reads Diesel's table itself.

use super::DbError;
use super::dialect::name;
use super::engine::{Db, Engine, Manager, Statements};
use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error(transparent)]
    Db(#[from] DbError),
    #[error("migration failed, nothing of it remains: {0}")]
    Failed(String),
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Text)]
    version: String,
}

#[derive(QueryableByName)]
struct Tables {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// Applies what is pending, each migration in its own transaction; answers the names of those it ran.
pub fn migrate(url: &str) -> Result<Vec<String>, MigrateError> {
    let mut db = connect(url)?;
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| MigrateError::Failed(error.to_string());
    let versions = match &mut db {
        Db::Sqlite(connection) => connection.run_pending_migrations(SQLITE).map_err(failed)?,
        Db::Postgres(connection) => {
            // Two nodes that start together must not migrate together.
            connection.batch_execute("SELECT pg_advisory_lock(4711204)").map_err(DbError::from)?;
            connection.run_pending_migrations(POSTGRES).map_err(failed)?
        }
    };
    Ok(versions.iter().map(ToString::to_string).collect())
}

/// The versions that are embedded in this binary and not in the database.
pub fn pending(url: &str) -> Result<Vec<String>, MigrateError> {
    let mut db = connect(url)?;
    // An empty database has no such table: then everything is pending. One that cannot be read is not an empty one.
    let applied: Vec<Applied> = match has_history(&mut db)? {
        true => sql_query("SELECT version FROM __diesel_schema_migrations").load(&mut db).map_err(DbError::from)?,
        false => Vec::new(),
    };
    let applied: Vec<String> = applied.into_iter().map(|row| row.version).collect();
    let engine = db.engine();
    let embedded = match engine {
        Engine::Sqlite => MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE)
            .map(|all| all.iter().map(|one| one.name().version().to_string()).collect::<Vec<_>>()),
        Engine::Postgres => MigrationSource::<diesel::pg::Pg>::migrations(&POSTGRES)
            .map(|all| all.iter().map(|one| one.name().version().to_string()).collect::<Vec<_>>()),
    };
    let mut embedded = embedded.map_err(|error| MigrateError::Failed(format!("{}: {error}", name(engine))))?;
    embedded.retain(|version| !applied.contains(version));
    embedded.sort();
    Ok(embedded)
}

fn has_history(db: &mut Db) -> Result<bool, DbError> {
    let query = match db.engine() {
        Engine::Sqlite => "SELECT COUNT(*) AS number FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
        Engine::Postgres => {
            "SELECT COUNT(*) AS number FROM pg_tables
             WHERE schemaname = ANY (current_schemas(false)) AND tablename = '__diesel_schema_migrations'"
        }
    };
    let found: Tables = sql_query(query).get_result(db)?;
    Ok(found.number > 0)
}

fn connect(url: &str) -> Result<Db, DbError> {
    let manager = Manager::new(url, Statements::default())?;
    manager.connect().map_err(|error| DbError::Unavailable(error.to_string()))
}
