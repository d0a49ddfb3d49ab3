//! A copy of a SQLite file while it is in use. On PostgreSQL that is `pg_dump`'s to make.

use super::DbError;
use super::dialect::name;
use super::engine::{Db, Manager, Statements};
use crate::clock::Timestamp;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{RunQueryDsl, sql_query};
use std::path::{Path, PathBuf};

/// The setting that says when the backup was made that a database was restored from. Every backup carries it, so that however it is put in place, it
/// is not served before the bank was asked what happened since.
pub const RESTORED_FROM: &str = "restored_from";

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0} is copied with pg_dump")]
    NotAFile(&'static str),
    #[error("{0} exists already")]
    Exists(PathBuf),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Copies one moment of a database that may be in use to a new file, whole and on disk when this answers.
pub fn back_up(url: &str, to: &Path, now: Timestamp) -> Result<(), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let mut db = connect(url)?;
    let engine = name(db.engine());
    let Db::Sqlite(source) = &mut db else { return Err(BackupError::NotAFile(engine)) };
    let path = to.display().to_string();
    sql_query("VACUUM INTO $1").bind::<Text, _>(&path).execute(source).map_err(DbError::from)?;
    let mut copy = connect(&format!("sqlite:{path}"))?;
    let text = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    let mark = sql_query(text).bind::<Text, _>(RESTORED_FROM).bind::<Text, _>(now.to_string());
    mark.execute(&mut copy).map_err(DbError::from)?;
    if let Db::Sqlite(copy) = &mut copy {
        // One file, with nothing beside it.
        copy.batch_execute("PRAGMA journal_mode = DELETE").map_err(DbError::from)?;
    }
    drop(copy);
    let failed = |error| BackupError::File { path: to.to_owned(), error };
    std::fs::File::open(to).and_then(|file| file.sync_all()).map_err(failed)
}

fn connect(url: &str) -> Result<Db, DbError> {
    let manager = Manager::new(url, Statements::default())?;
    manager.connect().map_err(|error| DbError::Unavailable(error.to_string()))
}
