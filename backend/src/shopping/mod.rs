//! From an offer request to priced offers, as pure functions over a snapshot of the catalogue.
//!
//! A search has two phases, so that the caller can read the database in between: `search::candidates` finds the itineraries and names
//! the seat buckets that it needs; `Candidates::price` chooses classes by the seats that are left and prices them. An order prices its
//! offer again with `price::reprice`, which is the same calculation.

pub mod conditions;
pub mod fare_line;
mod hold_terms;
mod itineraries;
pub mod offer;
pub mod price;
pub mod request;
pub mod search;
mod stored;

pub use hold_terms::hold_terms;
pub use stored::{OFFER_LIFETIME_MINUTES, RecentSearches, StoredSearch, keep_search, search, search_of_offer, searches_of};

/// A flight that leaves sooner than this is no longer sold.
pub const SALES_CLOSE_MINUTES: i64 = 60;

/// Chinese fares and taxes are dated by the calendar of China, wherever the sale is.
pub const FARE_ZONE: chrono_tz::Tz = chrono_tz::Asia::Shanghai;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
