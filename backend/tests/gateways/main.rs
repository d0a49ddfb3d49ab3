//! The bank gateway against the simulated bank, over real HTTP on random ports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod harness;
mod promises;
