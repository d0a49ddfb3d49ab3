//! How much an agency may sell, which bank line pays the airline, and the advance that does.

mod advance;
mod advance_list;
mod airline_cap;
mod airline_terms;
mod alerts;
mod base_rate;
mod claim;
mod client_money;
mod correction;
mod cost;
mod derivation;
mod exposure;
mod facility;
mod facility_terms;
mod guarantee;
mod interest;
mod kill_switch;
mod limit;
mod limit_terms;
mod movements;
mod outcome;
mod proof;
mod review;
mod room;
pub mod score;
mod sending;
mod statement;
mod sublimit;
mod take_back;
mod temporary_limit;
mod verify;
mod what_if;

pub use advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceRow, AdvanceState, AttemptRow, Funding, advance, advance_of_ticket, advances,
    attempts_of, payment_reference, reference_parts,
};
pub use advance_list::{AdvanceFilter, advances_by_id, advances_where, known_advances, unresolved_advances};
pub use airline_cap::{AirlineCap, CapError, CapState, airline_caps, cap_states, caps_in_force, set_airline_cap, watch_airlines};
pub use airline_terms::{order_payments, own_money_currencies, own_money_on_its_way, unordered_advances};
pub use alerts::{Alerts, LimitAlertRow, Usage, limit_alerts, watch};
pub use base_rate::{BaseRate, BaseRateError, NewBaseRate, base_rates, publish_rate};
pub use claim::{
    Claim, ClaimCause, OwnSetOff, RepaymentError, SettlementRow, claims, open_incentive_claims, open_memo_claim, repay_claims,
    set_off_own, settlement_references, settlements_of,
};
pub use client_money::{
    CashTransfer, Confirmation, TransferError, TransferRow, accounts as client_accounts, confirm_transfer, cover, order_transfer,
    sweep, top_up_client_cash, transfer, transfers,
};
pub use correction::{Cause as CorrectionCause, CorrectionRow, Corrector, corrections, insert_corrections};
pub use derivation::{
    AgencyLimit, BANDS, Capacity, CapacityPeriod, LimitViewError, agency_limits, agency_totals, holding_capacity,
};
pub use exposure::{Standing, standing, standing_accounts, standings};
pub use facility::{
    Availability, Base, Closed, Facility, FacilityError, FacilityRow, FacilityState, LineName, SliceRow, close_facility,
    close_facility_by_hand, facilities, facilities_in, facilities_of, facility, gate, interest_account, loan_account,
    lock_facilities_in, lock_facility, oldest_unresolved, reopen_facility,
};
pub use facility_terms::{NewFacility, lower_facility_limit, open_facility, set_availability, set_facility_limit};
pub use guarantee::{
    Guarantee, GuaranteeError, GuaranteeKind, GuaranteeStatus, NewGuarantee, counted, guarantee, guarantees, note_called,
    register_guarantee, release_guarantee,
};
pub use interest::{Accrual, AccrualError, accruals, accrue, accrue_in};
pub use kill_switch::{
    Grounds, KillSwitch, KillSwitchError, SwitchesOf, Target, Unfreeze, kill_switch, kill_switches, lift_default, resume_airline,
    throw,
};
pub use limit::{
    LimitError, LimitPolicy, NewLimitPolicy, RhcPeriod, adopt_policy, limit_policies, policies_in_force, policy_in_force,
    remittance_holding_capacity, turnover_by_cycle,
};
pub use limit_terms::{Bound, Derived, LimitTerm, LimitTerms, TermKind, derive, sales_limit};
pub use outcome::{BankOutcome, BankSaid, record_outcomes};
pub use proof::{LINE_RULES, first_wrong_line};
pub use review::{ReviewError, review_limit};
pub use room::Room;
pub use sending::{adopt_attempts, start_sending, waits};
pub use statement::{AccruedDay, Statement, StatementDay, statement};
pub use sublimit::{Sublimit, Utilisation, recount_sublimits, set_sublimit, utilisation};
pub use take_back::{AirlineLeg, Outlook, TakeBack, TakeBackRow, Taking, lock_slices_of, receivable_from, take_backs};
pub use temporary_limit::{
    RaiseLimit, TemporaryLimit, TemporaryLimitError, end_temporary_limit, temporary_limit, temporary_limits,
};
pub use verify::{CREDIT_RULES, first_wrong_credit};
pub use what_if::{Addition, Needed};
