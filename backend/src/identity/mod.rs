//! Who calls: organisations, their API keys, and what a key has done once already.

mod idempotency;
mod key;
mod organisation;

pub use idempotency::{
    ClaimRow, Fate, Fields, IdempotencyKey, claim, claims, fate, fate_of_taken, first_difference, keep_answer, may_be_taken,
};
pub use key::{
    ApiKey, AuthRefusal, KeyError, KeyMode, NewKey, RecentKeys, Scope, authenticate, issue_key, key, keys_by_id, keys_of,
    revoke_key, roll_key,
};
pub use organisation::{NewOrganisation, Organisation, OrganisationKind, open_organisation, organisation, organisations};
