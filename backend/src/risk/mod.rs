//! What speaks against an agency. Facts that the domains append in the commit of their cause; and velocity: what is sold too quickly, in windows that slide.

mod event;
pub mod velocity;

pub use event::{RiskEventKind, note_risk};
