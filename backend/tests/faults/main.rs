//! What is broken on purpose: the fault matrix. Real processes of the built program, real databases that are killed, locked, cut off and filled up, and
//! a bank that errs. Each fault ends with the same proof (`books::prove`): nobody lost a ticket that he was told of, nobody has two, no airline was
//! paid twice by the bank's own books, `airsettle verify --anchor` is clean, and a new sale is made and paid within a stated time.
//!
//! The table of all faults, with the tests elsewhere that show the rest, is in `deploy/README.md`. What takes minutes is `#[ignore]`d and runs in
//! `deploy/test --long`, from new seeds, which are printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
#[macro_use]
mod database;
#[path = "../support/client.rs"]
mod client;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/stack.rs"]
mod stack;

mod books;
mod proxy;
mod seed;
mod sellers;

mod close_of_day;
mod kills;
mod migration;
mod nodes;
mod outages;
mod room;
mod tampering;
mod unknown;
