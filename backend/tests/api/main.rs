//! The API as a client meets it: a real server, real HTTP, both engines. Modules mirror addresses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/pdf.rs"]
mod pdf;
#[path = "../support/platform.rs"]
#[macro_use]
mod platform;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/receiver.rs"]
mod receiver;
#[path = "../support/smtp.rs"]
mod smtp;

mod air;
mod basis;
mod busy;
mod changes;
mod clients;
mod holds;
mod offers;
mod paying;
mod portal;
mod quarter;
mod v1;
