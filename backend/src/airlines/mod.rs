//! Carriers on whose stock we issue: their accounting code, where they are paid, and the ticket numbers they have given us.

mod airline;
mod payee;
mod stock;

pub use airline::{
    Airline, AirlineError, AirlineStatus, NewAirline, airline, airline_by_code, airlines, airlines_by_id, airlines_of,
    set_airline_status, sign_airline,
};
pub use payee::{ChangePayee, Payee, PayeeError, Payees, last_payee_changes};
pub use stock::{StockError, StockRow, TicketNumber, add_stock, check_digit, skip_documents, stock_of};
