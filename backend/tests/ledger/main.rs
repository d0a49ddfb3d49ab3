//! The core against real databases: every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
#[macro_use]
mod database;
#[path = "../support/postgres.rs"]
mod postgres;

mod bank;
mod desk;
mod order;
mod world;

mod contention;
mod keys;
mod refusals;
mod rehearsal;
mod statements;
mod worked_case;
