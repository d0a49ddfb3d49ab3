//! Orders (PNRs) and the people on them.

mod document;
mod edit;
mod held;
mod name_index;
mod names;
mod order;
mod personal;
mod reference;

pub use document::{DOCUMENTS_AT_MOST, DocumentFault, DocumentKind};
pub use edit::{EditRefusal, PersonEdit, Stage, edited, erase, reseal};
pub use held::{
    HeldEnd, HeldMove, HeldOrder, HeldOrderRow, HeldRefusal, HeldSeatRow, HeldState, PaymentRow, held_orders, held_seats,
    overdue_orders, payment, payment_of, payments,
};
pub use name_index::{FULL_ROUND, NameMatch, forget_names, index_names, people_named, serialise_names};
pub use names::{Likeness, NameQuery};
pub use order::{
    Awaiting, OrderFilter, OrderRow, PassengerRow, PersonKeyRow, Tender, TenderWish, order, orders_by_id, orders_of,
    passengers_of,
};
pub use personal::{Gender, Person, PersonDocument, PersonName, Sealed, Title, Vault, VaultError};
pub use reference::{Draw, booking_reference, held_booking_reference};
