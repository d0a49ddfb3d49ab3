//! The program as an operator runs it: its commands, their output and their exit codes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/client.rs"]
mod client;
#[path = "../support/database.rs"]
#[allow(unused_macros)]
mod database;
#[path = "../support/postgres.rs"]
mod postgres;
mod restore;
#[path = "../support/stack.rs"]
mod stack;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use stack::{Stack, airsettle, run};
use std::time::Duration;

#[test]
fn a_misspelt_setting_stops_the_server_before_it_starts() {
    let (code, output) = run(airsettle().arg("serve").env("AIRSETTLE_LISTNE", "127.0.0.1:1"));
    assert_eq!(code, 1);
    assert!(output.contains("AIRSETTLE_LISTNE is not a setting"), "{output}");
}

#[test]
fn the_server_refuses_a_postgresql_schema_that_is_not_current() {
    let stack = Stack::on_postgres();
    let (code, output) = run(stack.airsettle().arg("serve"));
    assert_eq!(code, 1, "{output}");
    assert!(output.contains("pending; run `airsettle migrate`"), "{output}");
    let (code, output) = run(&mut stack.migrate());
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("applied, up to"), "{output}");
    let (code, output) = run(&mut stack.migrate());
    assert!(code == 0 && output.contains("current"), "{output}");
}

#[test]
fn the_openapi_description_that_is_committed_is_the_one_that_is_served() {
    let (code, output) = run(airsettle().arg("openapi"));
    assert_eq!(code, 0);
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json")).unwrap();
    assert!(output.trim() == committed.trim(), "stale: run `airsettle openapi > backend/openapi.json`");
}

fn sell_and_prove(stack: &Stack) {
    let (code, output) = run(&mut stack.migrate());
    assert_eq!(code, 0, "{output}");
    let (code, output) = run(stack.airsettle().args(["seed", "--demo", "--data"]).arg(stack.data()));
    assert_eq!(code, 0, "{output}");
    let (code, output) = run(stack.airsettle().args(["seed", "--demo", "--data"]).arg(stack.data()));
    assert!(code == 1 && output.contains("not empty"), "a second seed changes nothing: {output}");

    let server = stack.serve();
    let (code, output) = run(stack.airsettle().args(["demo", "--orders", "6", "--data"]).arg(stack.data()));
    assert_eq!(code, 0, "{output}");
    for line in [
        "Held ",
        "Exchanged ",
        "price",
        "airline",
        "commission",
        "platform fee",
        "agency.receivable",
        "bank.loan",
        "sales limit",
        "Trial balance",
    ] {
        assert!(output.contains(line), "the demo does not show {line}: {output}");
    }
    stack.await_seal(Duration::from_secs(10));
    drop(server);

    let (code, output) = run(stack.airsettle().arg("verify").arg("--anchor").arg(stack.data().join("live.anchor")));
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("anchor matches for") && output.contains("tickets keep"), "{output}");
    let (code, output) = run(stack.airsettle().arg("trial-balance"));
    assert!(code == 0 && output.contains("platform.fee_income"), "{output}");
}

#[test]
fn the_demo_sells_and_the_books_prove_it_on_postgresql() {
    let stack = Stack::on_postgres();
    sell_and_prove(&stack);
}

#[test]
fn the_demo_sells_on_sqlite_and_an_altered_entry_is_named() {
    let stack = Stack::on_sqlite();
    sell_and_prove(&stack);

    let path = stack.data().join("live.sqlite");
    let mut db = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let refused = db.batch_execute("UPDATE entry SET amount_minor = amount_minor + 1 WHERE id = (SELECT MAX(id) FROM entry)");
    assert!(refused.unwrap_err().to_string().contains("append-only"));
    db.batch_execute(
        "DROP TRIGGER entry_no_update; UPDATE entry SET amount_minor = amount_minor + 1 WHERE id = (SELECT MAX(id) FROM entry)",
    )
    .unwrap();
    let (code, output) = run(stack.airsettle().arg("verify"));
    assert_eq!(code, 1);
    assert!(output.contains("WRONG  posting pst_"), "{output}");
}
