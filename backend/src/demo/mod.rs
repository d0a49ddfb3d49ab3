//! Filling an empty database, and showing what the product does. `seed` calls domains; `demo` is an API client like any other.

mod change;
mod seed;
mod sell;

pub use seed::{SeedError, Seeded, mint_anew, seed_demo, seed_operator, write_keys};
pub use sell::run;
