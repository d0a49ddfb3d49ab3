//! Orders (PNRs) and the people on them.

mod order;
mod personal;
mod reference;

pub use order::{OrderRow, PassengerRow, PersonKeyRow, Tender, TenderWish, order, orders_of, passengers_of};
pub use personal::{Gender, Person, PersonDocument, Sealed, Title, Vault, VaultError};
pub use reference::booking_reference;
