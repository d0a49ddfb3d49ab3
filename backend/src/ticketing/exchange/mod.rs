//! Exchange and reissue: other flights for an order, searched, chosen and confirmed. The tickets that are given in pay for the new ones, and only
//! the difference and the penalty move money.

mod confirm;
mod error;
mod offers;
mod request;
mod sold;
mod stored;
mod void;

pub use confirm::{Desk, confirm_change};
pub use error::ChangeError;
pub use offers::{ChangeOffer, ChangeReason, ChangeRefusal, GivenUp, Penalties};
pub use request::{check_changeable, choose_change};
pub use sold::SoldJourney;
pub use stored::{
    ChangeRequest, ChangeRequestRow, NewChangeRequest, OrderChangeRow, Removed, TicketExchangeRow, change_request,
    change_request_of_offer, change_requests, changes_of, exchanges_by, exchanges_of, keep_change_request, order_change,
};
pub use void::void_change;
