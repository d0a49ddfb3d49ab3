//! The core against real databases: every test runs on SQLite and on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/database.rs"]
#[macro_use]
mod database;
#[path = "../support/postgres.rs"]
mod postgres;

mod bank;
mod billing;
mod desk;
mod model;
mod order;
mod verbs;
mod world;

mod advances;
mod airline_day;
mod airline_day_exchanges;
mod airline_terms;
mod anchors;
mod approvals;
mod basis;
mod caps;
mod cash_proofs;
mod commission;
mod contention;
mod costs;
mod coupons;
mod cycle_histories;
mod cycles;
mod events;
mod exchanges;
mod facility;
mod guarantee_calls;
mod held;
mod history;
mod holds;
mod incentive_histories;
mod incentives;
mod jumps;
mod keys;
mod kill_switches;
mod large_cycle;
mod limits;
mod lines;
mod many_agencies;
mod memo_refusals;
mod memos;
mod nodes;
mod outage;
mod postings;
mod proof;
mod queue;
mod receipts;
mod refund_rules;
mod refunds;
mod refusals;
mod rehearsal;
mod schedule_changes;
mod scores;
mod settlement;
mod statements;
mod take_backs;
mod velocity;
mod voids;
mod webhooks;
mod worked_case;
