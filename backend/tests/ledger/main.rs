//! The core against real databases: every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
#[macro_use]
mod database;
#[path = "../support/postgres.rs"]
mod postgres;

mod bank;
mod order;
mod world;

mod worked_case;
