//! Agencies and the contracts that say on which terms they sell.

mod agency;
mod contract;
mod cycle;
mod freeze;

pub use agency::{
    Agency, AgencyError, AgencyRow, AgencyStatus, NewAgency, TenderOrder, Tier, agencies, agencies_by_id, agency, lock_agency,
    numeric_code_is_valid, open_agency, set_frozen, set_limit_terms, set_status, set_tier,
};
pub use contract::{
    AirlineReturn, Clawback, CommissionBase, Contract, ContractError, ContractRow, FeeOnRefund, NewContract, Signed, TaxRemitter,
    contract, contracts, contracts_of, in_force, sign_contract, signed_by,
};
pub use cycle::{Cycle, cycle_days, cycle_of};
pub use freeze::{FreezeScope, FrozenScopes};
