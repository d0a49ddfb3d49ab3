//! Who calls: organisations, their API keys and their people, and what a caller has done once already.

mod approval_letters;
mod confirmation;
mod idempotency;
mod invitation;
mod key;
mod letters;
mod lockout;
mod organisation;
mod password;
mod password_reset;
mod role;
mod second_factor;
mod secret;
mod session;
mod sign_in;
mod totp;
mod user;

pub use approval_letters::{tell_of_decision, tell_of_request};
pub use confirmation::{Business, Confirmation, Looked, Payment, ask_to_confirm, look_at_code, use_code};
pub use idempotency::{
    ClaimRow, Fate, Fields, IdempotencyKey, claim, claims, fate, fate_of_taken, first_difference, keep_answer, may_be_taken,
};
pub use invitation::{
    Invitation, InvitationError, InvitationStatus, NewInvitation, accept_invitation, invitation, invitation_of_link, invitations,
    invite, revoke_invitation,
};
pub use key::{
    ApiKey, AtTheDesk, AuthRefusal, KeyError, KeyMode, NewKey, RecentKeys, Scope, authenticate, issue_key, key, keys_by_id,
    keys_of, revoke_key, roll_key,
};
pub use letters::{SecondFactorIs, second_factor_changed};
pub use lockout::locked_until;
pub use organisation::{
    NewOrganisation, Organisation, OrganisationKind, open_organisation, organisation, organisations, sandbox_of, set_sandbox,
};
pub use password::{MOST_CHARACTERS, PasswordError, Weakness, hash, new_hash, weakness};
pub use password_reset::{request_reset, reset_password, user_of_link};
pub use role::{Role, permissions_of, roles};
pub use second_factor::{FactorError, SecondFactor, begin_factor, confirm_factor, remove_factor, second_factor};
pub use session::{
    Session, SessionRefusal, SignedIn, end_session, end_sessions, saw_session, session_of, sessions_by_id, sessions_of,
};
pub use sign_in::{SignIn, SignInRefusal, candidate, change_password, confirm_code, confirm_password, sign_in};
pub use totp::{code as totp_code, step_at as totp_step};
pub use user::{
    NewUser, User, UserError, UserStatus, add_user, email_of, rename, set_roles, set_status, user, user_by_email, users,
};
