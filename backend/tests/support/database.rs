//! A private database on either engine, empty or migrated, for the tests that run on both.
#![allow(dead_code)]

use crate::postgres;
use airsettle::clock::Clock;
use airsettle::db::{Store, StoreConfig, migrate};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Makes two tests of each function named: `sqlite::name` and `postgres::name`.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name($crate::database::Engine::Sqlite) })+
        }
        mod postgres {
            $(#[test] fn $name() { super::$name($crate::database::Engine::Postgres) })+
        }
    };
}

impl Engine {
    /// The folder with this engine's migrations.
    pub fn migrations(self) -> PathBuf {
        let name = match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        };
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(name)
    }

    /// The names of the migrations, in the order in which they are applied.
    pub fn migration_names(self) -> Vec<String> {
        let entries = std::fs::read_dir(self.migrations()).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

pub struct Database {
    pub engine: Engine,
    /// What the application connects with.
    pub url: String,
    /// Who may change the schema; on SQLite there is no difference.
    pub owner_url: String,
    _folder: Option<TempDir>,
}

impl Database {
    pub fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("airsettle.db").display());
                Database { engine, owner_url: url.clone(), url, _folder: Some(folder) }
            }
            Engine::Postgres => Database::at(postgres::fresh_database(None)),
        }
    }

    pub fn migrated(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let database = Database::empty(engine);
                migrate(&database.url).unwrap();
                database
            }
            Engine::Postgres => {
                let name = template_name();
                let template = postgres::template(&name, |url| drop(migrate(url).unwrap()));
                Database::at(postgres::fresh_database(Some(template)))
            }
        }
    }

    /// A PostgreSQL database that exists.
    pub fn at(owner_url: String) -> Self {
        Database { engine: Engine::Postgres, url: postgres::as_app(&owner_url), owner_url, _folder: None }
    }

    pub fn open(&self, clock: Clock) -> Store {
        let config = StoreConfig { url: self.url.clone(), readers: 4, patience: Duration::from_secs(10) };
        Store::open(&config, clock, chrono_tz::Asia::Shanghai).unwrap()
    }

    /// Runs statements as the owner, beside the application.
    pub fn as_owner(&self, statements: &str) -> Result<(), String> {
        self.run(&self.owner_url, statements)
    }

    /// Runs statements as what the application runs as, with the settings that its connections have.
    pub fn as_application(&self, statements: &str) -> Result<(), String> {
        self.run(&self.url, statements)
    }

    fn run(&self, url: &str, statements: &str) -> Result<(), String> {
        match self.engine {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::establish(url.trim_start_matches("sqlite:")).unwrap();
                connection.batch_execute("PRAGMA busy_timeout = 10000; PRAGMA recursive_triggers = ON").unwrap();
                connection.batch_execute(statements).map_err(|error| error.to_string())
            }
            Engine::Postgres => postgres::try_execute(url, statements).map(drop),
        }
    }

    /// Changes booked rows as somebody could who has the database in his hands.
    pub fn tamper(&self, table: &str, statement: &str) {
        let unguarded = match self.engine {
            Engine::Sqlite => format!("DROP TRIGGER {table}_no_update; DROP TRIGGER {table}_no_delete; {statement}"),
            Engine::Postgres => format!("ALTER TABLE {table} DISABLE TRIGGER USER; {statement}"),
        };
        self.as_owner(&unguarded).unwrap();
    }
}

/// A cluster may outlive a change of the migrations: the name follows their text.
fn template_name() -> String {
    let mut hash = DefaultHasher::new();
    for name in Engine::Postgres.migration_names() {
        let text = std::fs::read_to_string(Engine::Postgres.migrations().join(&name).join("up.sql")).unwrap();
        (name, text).hash(&mut hash);
    }
    format!("migrated_{:016x}", hash.finish())
}
