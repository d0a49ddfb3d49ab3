//! How much an agency may sell, which bank line pays the airline, and the advance that does.

mod advance;
mod advance_list;
mod derivation;
mod exposure;
mod facility;
mod limit;
mod receipt;
mod room;

pub use advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceRow, AdvanceState, AttemptRow, BankOutcome, BankSaid, advance, advance_of_ticket,
    advances, attempts_of, payment_reference, record_outcomes, reference_parts, start_sending,
};
pub use advance_list::{AdvanceFilter, advances_where};
pub use derivation::{
    AgencyLimit, BANDS, Capacity, CapacityPeriod, LimitViewError, agency_limits, agency_totals, holding_capacity,
};
pub use exposure::{Standing, standing, standing_accounts, standings};
pub use facility::{
    Closed, Facility, FacilityError, FacilityRow, FacilityState, NewFacility, SliceRow, close_facility, close_facility_by_hand,
    facilities, facilities_in, facilities_of, facility, gate, loan_account, oldest_unresolved, open_facility, reopen_facility,
    set_facility_limit,
};
pub use limit::{
    LimitError, LimitPolicy, NewLimitPolicy, RhcPeriod, adopt_policy, limit_policies, policies_in_force, policy_in_force,
    remittance_holding_capacity, sales_limit, turnover_by_cycle,
};
pub use receipt::{
    NewReceipt, Purpose, Receipt, ReceiptError, ReceiptRow, receipt, receipt_by_reference, receipts, record_receipt,
};
pub use room::Room;
