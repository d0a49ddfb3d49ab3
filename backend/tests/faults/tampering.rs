//! Somebody who has the database in his hands alters, removes or cuts off booked rows: `airsettle verify` names the first wrong one. Every rule has a row
//! that breaks it in `tests/ledger/proof.rs` and `anchors.rs`; here the program itself is run, as its operator does it.

use crate::client::{BEIJING, Client, GUANGZHOU};
use crate::database::Engine;
use crate::stack::Stack;
use std::time::Duration;

on_both_engines!(a_changed_a_removed_and_a_cut_row_are_named);

/// Sold, paid, sealed and anchored; then the server is gone.
fn proved(engine: Engine) -> Stack {
    let stack = Stack::on(engine).seeded();
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    // What the seed booked has a seal of its own.
    stack.await_seal(Duration::from_secs(20));
    client.await_paid(&[client.sells(BEIJING), client.sells(GUANGZHOU)]);
    stack.await_seal(Duration::from_secs(20));
    drop(server);
    let (code, output) = stack.verify();
    assert!(code == 0 && output.contains("anchor matches for"), "{output}");
    stack
}

fn tampers(stack: &Stack, engine: Engine, table: &str, statement: &str) {
    match engine {
        Engine::Sqlite => {
            stack.executes(&format!(
                "DROP TRIGGER IF EXISTS {table}_no_update; DROP TRIGGER IF EXISTS {table}_no_delete; {statement}"
            ));
        }
        Engine::Postgres => stack.executes(&format!("ALTER TABLE {table} DISABLE TRIGGER USER; {statement}")),
    }
}

fn is_wrong(stack: &Stack, names: &str) {
    let (code, output) = stack.verify();
    assert!(code == 1 && output.contains("WRONG") && output.contains(names), "{names}: {output}");
}

fn a_changed_a_removed_and_a_cut_row_are_named(engine: Engine) {
    let stack = proved(engine);
    let last = stack.number("SELECT MAX(id) AS value FROM entry");
    let change = |by: i64| format!("UPDATE entry SET amount_minor = amount_minor + {by} WHERE id = {last}");
    tampers(&stack, engine, "entry", &change(1));
    is_wrong(&stack, "pst_");
    stack.executes(&change(-1));
    assert_eq!(stack.verify().0, 0, "put back, it is right again");

    // The end of the ledger, cut off so cleanly that what is left is a ledger: only the anchor outside knows.
    let posting = stack.number("SELECT MAX(last_posting_id) AS value FROM seal WHERE height = 1");
    let above = stack.number(&format!("SELECT COUNT(*) AS value FROM posting WHERE id > {posting}"));
    assert!(above > 0, "the chain has more than one seal");
    tampers(&stack, engine, "entry", &format!("DELETE FROM entry WHERE posting_id > {posting}"));
    is_wrong(&stack, "pst_");
    tampers(&stack, engine, "posting", &format!("DELETE FROM posting WHERE id > {posting}"));
    tampers(&stack, engine, "seal", "DELETE FROM seal WHERE height > 1");
    stack.executes(
        "UPDATE account SET
            balance_minor = COALESCE((SELECT SUM(e.amount_minor) FROM entry e WHERE e.account_id = account.id), 0),
            version = COALESCE((SELECT MAX(e.version) FROM entry e WHERE e.account_id = account.id), 0),
            last_entry_id = COALESCE((SELECT MAX(e.id) FROM entry e WHERE e.account_id = account.id), 0)",
    );
    is_wrong(&stack, "its tail was cut");
}
