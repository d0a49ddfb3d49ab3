//! Both migrated databases and what Diesel knows of them agree, migrations go back as well as forward, and what is booked stays booked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/database.rs"]
#[macro_use]
mod database;
#[path = "support/postgres.rs"]
mod postgres;

use airsettle::audit::Actor;
use airsettle::clock::Clock;
use airsettle::db::{DbError, Store, migrate, pending};
use airsettle::ledger::{Purse, seal_pending};
use airsettle::money::{Currency, Money};
use airsettle::settlement::{NewReceipt, Purpose, record_receipt};
use database::{Database, Engine};
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use std::collections::BTreeMap;

mod on {
    use super::*;

    on_both_engines!(
        the_database_is_what_diesel_knows,
        what_was_migrated_is_not_pending,
        an_empty_database_says_what_is_pending,
        going_back_leaves_nothing_and_forward_again_works,
        booked_rows_are_only_added_to,
    );
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = Engine::Sqlite.migration_names();
    assert!(!names.is_empty());
    assert_eq!(names, Engine::Postgres.migration_names());
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for name in &names {
            for file in ["up.sql", "down.sql"] {
                assert!(engine.migrations().join(name).join(file).is_file(), "{engine:?} {name} {file}");
            }
        }
    }
}

/// `table.column` to Diesel's type: `Nullable<Text>`.
type Columns = BTreeMap<String, String>;

/// Reads `schema.rs` as text, because a type in a macro cannot be asked.
fn known_to_diesel() -> Columns {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/db/schema.rs")).unwrap();
    let mut columns = Columns::new();
    let mut table = String::new();
    for line in text.lines().map(str::trim) {
        if let Some((column, kind)) = line.split_once(" -> ").filter(|_| !line.starts_with("diesel::")) {
            columns.insert(format!("{table}.{column}"), kind.trim_end_matches(',').to_owned());
        } else if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(" {")) {
            name.clone_into(&mut table);
        }
    }
    columns
}

/// Primary keys as `schema.rs` has them: `seal` to `node, height`.
fn keys_known_to_diesel() -> Columns {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/db/schema.rs")).unwrap();
    let heads = text.lines().map(str::trim).filter(|line| line.ends_with(") {"));
    let parts = heads.filter_map(|line| line.trim_end_matches(") {").split_once(" ("));
    parts.map(|(table, key)| (table.to_owned(), key.to_owned())).collect()
}

fn open(database: &Database) -> Store {
    database.open(Clock::system())
}

fn texts(store: &Store, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Words {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let rows: Result<Vec<Words>, DbError> = store.read(|db| Ok(sql_query(query).load(db)?));
    rows.unwrap().into_iter().map(|row| row.value).collect()
}

const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c.\"notnull\" AS value
    FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\'";

const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' ' || replace(data_type, ' ', '_') || ' '
        || CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END AS value
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'";

const SQLITE_KEYS: &str = "SELECT k.name || ':' || group_concat(k.column, ', ') AS value FROM (
        SELECT m.name AS name, c.name AS column FROM sqlite_master m JOIN pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND c.pk > 0 ORDER BY m.name, c.pk) k GROUP BY k.name";

/// From the catalogue: the information schema hides keys of tables that one may only read.
const POSTGRES_KEYS: &str = "SELECT t.relname || ':' || string_agg(c.attname, ', ' ORDER BY k.place) AS value
    FROM pg_constraint p JOIN pg_class t ON t.oid = p.conrelid CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (number, place)
    JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum = k.number
    WHERE p.contype = 'p' AND p.connamespace = 'public'::regnamespace AND t.relname NOT LIKE '\\_\\_%' GROUP BY t.relname";

/// What the columns of a database mean to Diesel. SQLite keeps times and dates as text and names neither: there the name tells.
fn in_the_database(store: &Store, engine: Engine, known: &Columns) -> Columns {
    let query = if engine == Engine::Sqlite { SQLITE_COLUMNS } else { POSTGRES_COLUMNS };
    let mut columns = Columns::new();
    for line in texts(store, query) {
        let parts: Vec<&str> = line.split(' ').collect();
        let [column, kind, required] = parts[..] else { panic!("{line}") };
        let expected = known.get(column).map_or("", String::as_str);
        let kind = match (engine, kind) {
            (Engine::Sqlite, "INTEGER") | (Engine::Postgres, "bigint") => "BigInt",
            (Engine::Sqlite, "BLOB") | (Engine::Postgres, "bytea") => "Binary",
            (Engine::Sqlite, "TEXT") if expected.contains("Timestamp") => "Timestamp",
            (Engine::Sqlite, "TEXT") if expected.contains("Date") => "Date",
            (Engine::Sqlite, "TEXT") | (Engine::Postgres, "text") => "Text",
            (Engine::Postgres, "timestamp_without_time_zone") => "Timestamp",
            (Engine::Postgres, "date") => "Date",
            (_, other) => other,
        };
        let kind = if required == "1" { kind.to_owned() } else { format!("Nullable<{kind}>") };
        columns.insert(column.to_owned(), kind);
    }
    columns
}

fn the_database_is_what_diesel_knows(engine: Engine) {
    let known = known_to_diesel();
    assert!(known.len() > 200, "{} columns: schema.rs was not understood", known.len());
    assert_eq!(known["hold.expires_at"], "Nullable<Timestamp>");
    let database = Database::migrated(engine);
    let store = open(&database);
    let actual = in_the_database(&store, engine, &known);
    for (column, kind) in &known {
        assert_eq!(actual.get(column), Some(kind), "{column}");
    }
    assert_eq!(actual.len(), known.len(), "the database has a column that Diesel does not know");
    let query = if engine == Engine::Sqlite { SQLITE_KEYS } else { POSTGRES_KEYS };
    let keys = texts(&store, query);
    let keys: Columns = keys.iter().filter_map(|line| line.split_once(':')).map(|(t, k)| (t.into(), k.into())).collect();
    assert_eq!(keys, keys_known_to_diesel());
}

fn what_was_migrated_is_not_pending(engine: Engine) {
    let database = Database::migrated(engine);
    // As the application, which may not do more than look.
    assert_eq!(pending(&database.url).unwrap(), Vec::<String>::new());
    assert_eq!(migrate(&database.owner_url).unwrap(), Vec::<String>::new());
    let forgotten = "DELETE FROM __diesel_schema_migrations";
    if engine == Engine::Postgres {
        let refused = database.as_application(forgotten).unwrap_err();
        assert!(refused.contains("permission denied"), "{refused}");
        assert!(migrate(&database.url).is_err(), "the application does not migrate");
    }
}

/// `2026-11-01-000000_foundation` to `20261101000000`, as Diesel keeps it.
fn versions(engine: Engine) -> Vec<String> {
    let digits = |name: &String| name.split('_').next().unwrap().chars().filter(char::is_ascii_digit).collect();
    engine.migration_names().iter().map(digits).collect()
}

fn an_empty_database_says_what_is_pending(engine: Engine) {
    let database = Database::empty(engine);
    assert_eq!(pending(&database.url).unwrap(), versions(engine));
    assert_eq!(migrate(&database.owner_url).unwrap(), versions(engine));
    assert_eq!(pending(&database.url).unwrap(), Vec::<String>::new());
}

fn going_back_leaves_nothing_and_forward_again_works(engine: Engine) {
    let database = Database::migrated(engine);
    book_something(&open(&database));
    for name in engine.migration_names().iter().rev() {
        let down = std::fs::read_to_string(engine.migrations().join(name).join("down.sql")).unwrap();
        database.as_owner(&down).unwrap();
    }
    let left = match engine {
        Engine::Sqlite => {
            "SELECT COUNT(*) FROM sqlite_master WHERE name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_\\_%' ESCAPE '\\'"
        }
        Engine::Postgres => {
            "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = 'public' AND c.relname NOT LIKE '\\_\\_%')
              + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'
                AND p.proname NOT LIKE 'diesel%')"
        }
    };
    // An expression that fails unless nothing is left.
    database
        .as_owner(&format!("CREATE TABLE remains (a INTEGER CHECK (a = 0)); INSERT INTO remains VALUES (({left}) - 1)"))
        .unwrap();
    database.as_owner("DROP TABLE remains; DELETE FROM __diesel_schema_migrations").unwrap();
    assert_eq!(migrate(&database.owner_url).unwrap(), versions(engine));
    book_something(&open(&database));
}

fn book_something(store: &Store) {
    let new = NewReceipt {
        account: Purse::Own,
        amount: Money::parse("400.00", Currency::CNY).unwrap(),
        value_date: store.clock().now().date_in(store.zone()),
        bank_reference: "B1".into(),
        purpose: Purpose::Capital,
    };
    store.write(|tx| record_receipt(tx, Actor::platform(), &new)).unwrap();
    assert_eq!(store.write(seal_pending).unwrap().len(), 1);
}

fn booked_rows_are_only_added_to(engine: Engine) {
    let database = Database::migrated(engine);
    let store = open(&database);
    book_something(&store);
    let content = || {
        let rows = ["id, event, entry_count FROM posting", "id, amount_minor, version FROM entry", "node, height, 0 FROM seal"];
        let line = |of: &&str| {
            let (columns, table) = of.split_once(" FROM ").unwrap();
            let text: Vec<String> = columns.split(", ").map(|column| format!("CAST({column} AS TEXT)")).collect();
            texts(&store, &format!("SELECT {} AS value FROM {table} ORDER BY 1", text.join(" || ' ' || ")))
        };
        rows.iter().map(line).collect::<Vec<_>>()
    };
    let before = content();
    for (table, column) in [("posting", "reference_id"), ("entry", "amount_minor"), ("seal", "posting_count")] {
        let mut statements = vec![
            format!("UPDATE {table} SET {column} = {column} + 1"),
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {table} WHERE {column} > 0"),
            format!("INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT DO UPDATE SET {column} = 7"),
        ];
        match engine {
            Engine::Sqlite => statements.extend([
                format!("INSERT OR REPLACE INTO {table} SELECT * FROM {table}"),
                format!("REPLACE INTO {table} SELECT * FROM {table}"),
                format!("UPDATE OR REPLACE {table} SET {column} = {column} + 1"),
            ]),
            Engine::Postgres => statements.extend([
                format!("TRUNCATE {table}"),
                format!("TRUNCATE {table} CASCADE"),
                format!("SELECT * FROM {table} FOR UPDATE"),
                format!("ALTER TABLE {table} DISABLE TRIGGER USER"),
                format!("DROP TABLE {table}"),
            ]),
        }
        for statement in &statements {
            let answer = database.as_application(statement);
            assert!(answer.is_err(), "{statement}");
        }
        // The owner is stopped too, unless he takes the guards away first.
        for statement in [format!("UPDATE {table} SET {column} = 7"), format!("DELETE FROM {table}")] {
            let refused = database.as_owner(&statement).unwrap_err();
            assert!(refused.contains("append-only"), "{statement}: {refused}");
        }
        if engine == Engine::Postgres {
            assert!(database.as_owner(&format!("TRUNCATE {table}")).unwrap_err().contains("append-only"));
        }
    }
    assert_eq!(content(), before);
}
