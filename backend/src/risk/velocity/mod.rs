//! Velocity: how many tickets, or how much, an agency, a key, an airline or a route has sold within a window of time, against rules that are data. A rule in
//! shadow only notes what would have been stopped; enforced, it refuses the sale, or freezes the agency with it.
//!
//! The windows of a node are kept in its memory and cost the commit that sells nothing but a look: a batch is decided from a copy of what concerns it
//! (`Watch`), what it adds is staged, and counted once the commit is made. They are no limit of money, which is why memory will do: after a restart, and whenever
//! the rules change, they are filled again from the records. What other nodes sell is read
//! from the records a moment later.

mod hit;
mod memory;
mod rule;
mod sale;
mod watch;
mod window;

pub use hit::{VelocityHit, VelocityHitRow, hit_row, velocity_hits};
pub use memory::{BELATED, Filling, Usual, Velocity};
pub use rule::{Measure, Mode, NewRule, Only, Rule, RuleError, Subject, Terms, adopt_rule, rules_in_force, velocity_rules};
pub use sale::{Route, Sale};
pub use watch::{Hit, Stopped, Watch};
