//! Filling an empty database, and showing what the product does. `seed` calls domains; the demos are clients of the API like any other.

mod change;
mod client;
mod quarter;
mod seed;
mod sell;

pub use quarter::{Played, run as run_quarter};
pub use seed::{SeedError, Seeded, mint_anew, seed_demo, seed_operator, write_keys};
pub use sell::run;
