//! Filling an empty database, and showing what the product does. `seed` calls domains; `demo` is an API client like any other.

mod change;
mod people;
mod seed;
mod sell;

pub use people::{SignIn, seed_people};
pub use seed::{DemoFile, SeedError, Seeded, mint_anew, read_demo, seed_demo, seed_operator, write_demo};
pub use sell::run;
