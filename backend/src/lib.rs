pub mod clock;
pub mod gateways;
pub mod ids;
pub mod money;
pub mod shopping;
