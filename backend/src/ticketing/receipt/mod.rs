//! The itinerary receipt (行程单) of an order or of one ticket: what a passenger is given to read, in both languages, and no tax invoice. It says what was
//! bought and what state it is in; what anybody earns on it is nobody's business here. The same state of the tickets is the same file, to the byte.

mod facts;
mod layout;
mod letter;
mod print;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod sample;
mod words;

pub use facts::{Receipt, ReceiptError, order_receipt, ticket_receipt};
pub use letter::receipt_letter;
pub use print::print as print_receipt;
