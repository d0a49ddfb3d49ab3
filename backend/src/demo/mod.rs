//! Filling an empty database, and showing what the product does. `seed` calls domains; the demos are clients of the API like any other.

mod change;
mod client;
mod people;
mod quarter;
mod seed;
mod sell;

pub use people::{SignIn, seed_people};
pub use quarter::{Played, run as run_quarter};
pub use seed::{DemoFile, SeedError, Seeded, mint_anew, read_demo, seed_demo, seed_operator, write_demo};
pub use sell::run;
