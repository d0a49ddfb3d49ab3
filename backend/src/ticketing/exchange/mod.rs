//! Exchange and reissue: other flights for an order, searched, chosen and confirmed. The tickets that are given in pay for the new ones, and only
//! the difference and the penalty move money.

mod offers;
mod sold;
mod stored;

pub use offers::{ChangeOffer, ChangeReason, ChangeRefusal, GivenUp, Penalties};
pub use sold::SoldJourney;
pub use stored::{
    ChangeRequest, ChangeRequestRow, NewChangeRequest, OrderChangeRow, Removed, TicketExchangeRow, change_request,
    change_request_of_offer, change_requests, changes_of, exchanges_of, keep_change_request, order_change,
};
