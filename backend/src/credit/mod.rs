//! How much an agency may sell, which bank line pays the airline, and the advance that does.

mod advance;
mod exposure;
mod facility;
mod limit;
mod receipt;

pub use advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceRow, AdvanceState, AttemptRow, BankOutcome, BankSaid, advance, advance_of_ticket,
    advances, attempts_of, payment_reference, record_outcomes, reference_parts, start_sending,
};
pub use exposure::{Standing, standing, standing_accounts};
pub use facility::{
    Closed, Facility, FacilityError, FacilityRow, FacilityState, NewFacility, SliceRow, close_facility, facilities,
    facilities_in, facility, gate, loan_account, oldest_unresolved, open_facility, reopen_facility, set_facility_limit,
};
pub use limit::{
    LimitError, LimitPolicy, NewLimitPolicy, RhcPeriod, adopt_policy, policies_in_force, policy_in_force,
    remittance_holding_capacity, sales_limit, turnover_by_cycle,
};
pub use receipt::{NewReceipt, Purpose, Receipt, ReceiptError, ReceiptRow, receipt, receipts, record_receipt};
