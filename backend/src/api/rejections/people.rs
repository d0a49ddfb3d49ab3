//! Of people: users, invitations, passwords, second factors, sign-ins.

use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::clock::Timestamp;
use crate::identity::{FactorError, InvitationError, PasswordError, SignInRefusal, UserError};

/// A refused sign-in says nothing but what its user has to do next.
pub fn sign_in_refused(refusal: &SignInRefusal, now: Timestamp) -> ApiError {
    match refusal {
        SignInRefusal::Invalid => ApiError::of(Code::CredentialsInvalid),
        SignInRefusal::CodeNeeded => ApiError::of(Code::SecondFactorRequired),
        SignInRefusal::Locked(until) => {
            let secs = until.since(now).num_seconds().max(0).saturating_add(1);
            ApiError::of(Code::SignInLocked).retry_after(u64::try_from(secs).unwrap_or(1))
        }
    }
}

impl From<UserError> for ApiError {
    fn from(error: UserError) -> Self {
        let message = format!("{error}.");
        match error {
            UserError::NotFound => ApiError::of(Code::NotFound),
            UserError::UnknownRole => ApiError::new(Code::InvalidValue, message).at("/data/roles"),
            UserError::LastAdmin => ApiError::of(Code::LastAdmin),
            UserError::EmailTaken => ApiError::of(Code::EmailTaken),
            UserError::Db(error) => error.into(),
        }
    }
}

impl From<InvitationError> for ApiError {
    fn from(error: InvitationError) -> Self {
        let message = format!("{error}.");
        match error {
            InvitationError::NoOrganisation => ApiError::new(Code::InvalidValue, message).at("/data/organisation_id"),
            InvitationError::NotFound => ApiError::of(Code::NotFound),
            InvitationError::UnknownRole => ApiError::new(Code::InvalidValue, message).at("/data/roles"),
            InvitationError::Member => ApiError::new(Code::EmailTaken, message).at("/data/email"),
            InvitationError::LinkInvalid => ApiError::of(Code::LinkInvalid).at("/data/token"),
            InvitationError::NotOpen => ApiError::new(Code::InvalidState, message),
            InvitationError::User(error) => error.into(),
            InvitationError::Db(error) => error.into(),
        }
    }
}

impl From<FactorError> for ApiError {
    fn from(error: FactorError) -> Self {
        let message = format!("{error}.");
        match error {
            FactorError::NotFound => ApiError::of(Code::NotFound),
            FactorError::Exists | FactorError::Confirmed => ApiError::new(Code::InvalidState, message),
            FactorError::WrongCode => ApiError::of(Code::SecondFactorCodeInvalid).at("/data/code"),
            FactorError::Db(error) => error.into(),
        }
    }
}

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        let message = format!("{error}.");
        match error {
            PasswordError::Weak(_) => ApiError::new(Code::PasswordTooWeak, message).at("/data/password"),
            PasswordError::Hash(detail) => ApiError::internal(detail),
        }
    }
}
