//! `airsettle migrate` is killed half-way: each migration is there as a whole or not at all, and run again it is completed.

use crate::books::await_that;
use crate::database::Engine;
use crate::postgres::{execute, try_execute};
use crate::seed::{Chance, is_long};
use crate::stack::{Stack, run};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use std::process::Stdio;
use std::time::Duration;

on_both_engines!(killed_at_random_moments);

/// Of a database that is old and not empty: the first migration and many advances, which the second one rewrites.
fn old(engine: Engine, advances: u32) -> Stack {
    let stack = Stack::on(engine);
    let first = engine.migration_names().remove(0);
    let version = first.split('_').next().unwrap().replace('-', "");
    let text = std::fs::read_to_string(engine.migrations().join(&first).join("up.sql")).unwrap();
    let history = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL
        DEFAULT CURRENT_TIMESTAMP)";
    stack.executes(history);
    stack.executes(&text);
    stack.executes(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')"));
    let columns = "INSERT INTO advance (id, ticket_id, airline_id, amount_minor, currency, state, attempt, sold_at)";
    let rows = match engine {
        Engine::Sqlite => format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {advances})
             {columns} SELECT i, i, 1, 91500, 'CNY', 'held', 1, '2026-01-05 08:00:00' FROM n"
        ),
        Engine::Postgres => format!(
            "{columns} SELECT i, i, 1, 91500, 'CNY', 'held', 1, '2026-01-05 08:00:00' FROM generate_series(1, {advances}) n(i)"
        ),
    };
    stack.executes(&rows);
    stack
}

/// Tables, columns and indices as text.
fn shape(stack: &Stack, engine: Engine) -> String {
    match engine {
        Engine::Sqlite => {
            stack.text("SELECT group_concat(sql, char(10)) AS value FROM (SELECT sql FROM sqlite_master ORDER BY name)")
        }
        Engine::Postgres => stack.text(
            "SELECT string_agg(line, E'\\n' ORDER BY line) AS value FROM (
                SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS line
                FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
                UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
                    WHERE connamespace = 'public'::regnamespace) lines",
        ),
    }
}

fn applied(stack: &Stack) -> i64 {
    stack.number("SELECT COUNT(*) AS value FROM __diesel_schema_migrations")
}

fn killed_at_random_moments(engine: Engine) {
    let (rounds, advances) = if is_long() { (10, 300_000) } else { (3, 20_000) };
    let mut chance = Chance::new(81);
    let all = i64::try_from(engine.migration_names().len()).unwrap();
    let whole = old(engine, 10);
    let began = std::time::Instant::now();
    assert_eq!(run(&mut whole.migrate()).0, 0);
    let expected = shape(&whole, engine);
    println!("a small one takes {:?}", began.elapsed());
    let mut half_way = 0;
    for round in 0..rounds {
        let stack = old(engine, advances);
        let mut kills = 0;
        while applied(&stack) < all && kills < 4 {
            let mut child = stack.migrate().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(chance.millis(5..if is_long() { 1_500 } else { 300 }));
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        half_way += u32::from(applied(&stack) < all);
        // What is said to be applied is there, and nothing of the next one.
        let (code, output) = run(&mut stack.migrate());
        assert_eq!(code, 0, "round {round}: {output}");
        assert_eq!(applied(&stack), all);
        assert_eq!(shape(&stack, engine), expected, "round {round}");
        assert_eq!(stack.number("SELECT COUNT(*) AS value FROM advance"), i64::from(advances), "no row was lost");
        let (code, output) = run(&mut stack.migrate());
        assert!(code == 0 && output.contains("current"), "{output}");
    }
    println!("{half_way} of {rounds} were still half-way after four kills");
}

/// In the middle of a migration, for certain: somebody holds a table that it changes.
#[test]
fn killed_in_the_middle_on_postgresql() {
    let stack = old(Engine::Postgres, 1_000);
    let before = shape(&stack, Engine::Postgres);
    let url = stack.owner_url().to_owned();
    let holding = std::thread::spawn(move || drop(try_execute(&url, "BEGIN; LOCK TABLE bank_receipt; SELECT pg_sleep(60)")));
    let held = "SELECT COUNT(*) AS value FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock'
        AND relation = 'bank_receipt'::regclass";
    await_that("the table is held", Duration::from_secs(10), || stack.number(held) == 1);
    let mut child = stack.migrate().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let waits = "SELECT COUNT(*) AS value FROM pg_locks WHERE NOT granted AND relation = 'bank_receipt'::regclass";
    await_that("the migration waits in its middle", Duration::from_secs(20), || stack.number(waits) == 1);
    let (code, output) = run(stack.airsettle().arg("serve"));
    assert!(code == 1 && output.contains("pending; run `airsettle migrate`"), "not served meanwhile: {output}");
    child.kill().unwrap();
    child.wait().unwrap();
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)'
        AND pid <> pg_backend_pid()";
    execute(stack.owner_url(), end);
    holding.join().unwrap();
    let others = "SELECT COUNT(*) AS value FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    await_that("its session ends", Duration::from_secs(10), || stack.number(others) == 0);
    assert_eq!((applied(&stack), shape(&stack, Engine::Postgres)), (1, before), "nothing of it remains");
    let (code, output) = run(&mut stack.migrate());
    assert_eq!(code, 0, "{output}");
    assert_eq!(stack.number("SELECT COUNT(*) AS value FROM advance"), 1_000);
}

/// The file is in the hands of somebody else while it would be migrated at start: the server says so and changes nothing.
#[test]
fn a_locked_file_is_not_migrated_by_halves() {
    let stack = old(Engine::Sqlite, 1_000);
    let before = shape(&stack, Engine::Sqlite);
    let mut other = SqliteConnection::establish(stack.owner_url().trim_start_matches("sqlite:")).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let (code, output) = run(&mut stack.migrate());
    assert!(code == 1 && output.contains("locked"), "{output}");
    other.batch_execute("ROLLBACK").unwrap();
    assert_eq!((applied(&stack), shape(&stack, Engine::Sqlite)), (1, before));
    assert_eq!(run(&mut stack.migrate()).0, 0);
}

/// A history that cannot be read is no empty database: to migrate it would be wrong advice.
#[test]
fn a_database_that_cannot_be_read_is_not_taken_for_an_empty_one() {
    let stack = Stack::on_postgres();
    assert_eq!(run(&mut stack.migrate()).0, 0);
    execute(stack.owner_url(), "REVOKE SELECT ON __diesel_schema_migrations FROM airsettle_app, PUBLIC");
    let (code, output) = run(stack.airsettle().arg("serve"));
    assert!(code == 1 && output.contains("permission denied") && !output.contains("pending"), "{output}");
}
