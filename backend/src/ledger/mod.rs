//! Double entry. It knows accounts, balanced postings, holds and the chain that seals them; it does not know what a ticket is.
//!
//! Protocol of a posting: the accounts are opened (`open_accounts`, or `Chart` which remembers), locked and loaded into a `Book`
//! in ascending id order, every draft is posted in memory, and the book is written once: entries with their balance-after, and one
//! update per changed account. One posting is the N = 1 case of many. Amounts are debit-positive.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions)]

mod account;
mod anchor;
mod book;
mod chain;
mod chart;
mod day;
mod hold;
mod repo;
mod statement;
mod trial_balance;
mod verify;

pub use account::{AccountCode, AccountKey, Kind, Purse};
pub use anchor::{Anchor, AnchorError};
pub use book::{Book, BookChanges, Draft, Event, Leg, PostError, post_all};
pub use chain::{Seal, has_unsealed, seal_pending, sealed_until, seals};
pub use chart::{Chart, open_accounts};
pub use day::{DayBalance, DayError, DayWindow, day_window, entries_in, is_booked_behind, next_or_last_entry, postings_by_id};
pub use hold::{HoldError, HoldState, Resolution, Resolved};
pub use repo::{
    AccountRow, EntryRow, HoldRow, PostingRow, account, accounts, accounts_of, balance, balances, entries_of, last_posting,
    posting, postings, postings_about, totals,
};
pub use statement::{StatementLine, statement};
pub use trial_balance::{TrialBalance, TrialLine, trial_balance};
pub use verify::{Fault, Proof, verify};
