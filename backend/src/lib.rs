pub mod api;
pub mod clock;
pub mod ids;
pub mod money;
pub mod shopping;
