//! Agencies and the contracts that say on which terms they sell.

mod agency;
mod contract;

pub use agency::{
    Agency, AgencyError, AgencyRow, AgencyStatus, NewAgency, TenderOrder, agencies, agency, numeric_code_is_valid, open_agency,
    set_status,
};
pub use contract::{
    AirlineReturn, Clawback, CommissionBase, Contract, ContractError, FeeOnRefund, NewContract, TaxRemitter, contract,
    contracts_of, cycle_of, in_force, sign_contract,
};
