//! Agencies and the contracts that say on which terms they sell.

mod agency;
mod contract;
mod cycle;
mod freeze;
mod payment_terms;

pub use agency::{
    Agency, AgencyError, AgencyRow, AgencyStatus, HoldLimit, NewAgency, TenderOrder, Tier, agencies, agencies_by_id, agency,
    lock_agency, numeric_code_is_valid, open_agency, set_frozen, set_hold_limit, set_limit_terms, set_status, set_tier,
};
pub use contract::{
    AirlineReturn, Clawback, CommissionBase, Contract, ContractError, ContractRow, CostTerms, FeeOnRefund, NewContract, Signed,
    TaxRemitter, check_terms, contract, contracts, contracts_of, in_force, sign_approved, sign_contract, signed_by,
};
pub use cycle::{Cycle, CycleRule, cycle_days, cycle_of};
pub use freeze::{FreezeScope, FrozenScopes};
pub use payment_terms::{AirlinePayment, DueRule, PaymentTerms};
