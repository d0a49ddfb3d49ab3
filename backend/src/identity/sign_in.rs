//! Signing in. Protocol: whether the address is closed and what its user's hash is are read; the password is checked outside of any transaction, also where there
//! is no user; then one commit decides, by what is true in it, and keeps what happened: a session, or one more wrong sign-in. Every refusal before the second factor
//! is the same for everybody.

use super::letters::{password_changed, signed_in_from};
use super::lockout::{failed, lock, locked_until, succeeded};
use super::password::is_password;
use super::second_factor::{Checked, check};
use super::session::{SignedIn, begin_session, is_known_device, session_of};
use super::user::{User, UserStatus, set_password, user, user_by_email};
use crate::audit::{self, Actor, ActorId, Cause};
use crate::clock::Timestamp;
use crate::db::{Db, DbError, WriteTx};
use crate::ids::SessionId;
use crate::notify::{Sealing, queue_letter};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInRefusal {
    /// No such user, another password, another code, or not let in.
    Invalid,
    /// Everything is right but the code is not there.
    CodeNeeded,
    Locked(Timestamp),
}

/// What a sign-in says beside the password.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// In small letters.
    pub email: String,
    /// Keyed, for what is kept about addresses that nobody has.
    pub email_digest: String,
    pub code: Option<String>,
    pub device: String,
    pub address: String,
}

/// The user of an address, if there is one and the address is not closed.
pub fn candidate(db: &mut Db, sign_in: &SignIn, now: Timestamp) -> Result<Result<Option<User>, SignInRefusal>, DbError> {
    if let Some(until) = locked_until(db, &sign_in.email_digest, now)? {
        return Ok(Err(SignInRefusal::Locked(until)));
    }
    Ok(Ok(user_by_email(db, &sign_in.email)?))
}

impl User {
    /// Whether it is the user's password. Slow on purpose.
    pub fn has_password(user: Option<&User>, password: &str) -> bool {
        is_password(password, user.map(|user| user.password_hash.as_str()))
    }

    pub fn actor(&self) -> Actor {
        Actor { organisation: self.organisation, by: ActorId::User(self.id), person: Some(self.id) }
    }
}

/// Decides a sign-in whose password fits `user`, or nobody. The commit keeps a refusal as well.
pub fn sign_in(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    request_id: &str,
    sign_in: &SignIn,
    fits: Option<&User>,
) -> Result<Result<(SignedIn, String), SignInRefusal>, DbError> {
    lock(tx, &sign_in.email_digest)?;
    if let Some(until) = locked_until(tx.db, &sign_in.email_digest, tx.now)? {
        return Ok(Err(SignInRefusal::Locked(until)));
    }
    let Some(user) = still_so(tx, fits)? else {
        failed(tx, &sign_in.email_digest)?;
        return Ok(Err(SignInRefusal::Invalid));
    };
    match check(tx, sealing, user.id, sign_in.code.as_deref())? {
        Checked::NotNeeded | Checked::Right => {}
        Checked::Missing => return Ok(Err(SignInRefusal::CodeNeeded)),
        Checked::Wrong => {
            failed(tx, &sign_in.email_digest)?;
            return Ok(Err(SignInRefusal::Invalid));
        }
    }
    succeeded(tx, &sign_in.email_digest)?;
    let known = is_known_device(tx.db, user.id, &sign_in.device, &sign_in.address)?;
    let (session, token) = begin_session(tx, user.id, &sign_in.device, &sign_in.address)?;
    let cause = Cause { actor: user.actor(), request_id: request_id.to_owned() };
    audit::record(tx, &cause, "session.begin", session.id)?;
    if !known {
        queue_letter(tx, sealing, signed_in_from(&user, &session))?;
    }
    let signed_in = session_of(tx.db, &token, tx.now)?;
    Ok(signed_in.map(|signed_in| (signed_in, token)).map_err(|_| SignInRefusal::Invalid))
}

/// The user whose password was checked, unless it was changed or the user is kept out since.
fn still_so(tx: &mut WriteTx, fits: Option<&User>) -> Result<Option<User>, DbError> {
    let Some(checked) = fits else { return Ok(None) };
    let now = user(tx.db, checked.id)?;
    Ok(now.filter(|user| user.status == UserStatus::Active && user.password_hash == checked.password_hash))
}

/// Somebody who has signed in shows the password again; a wrong one counts as a wrong sign-in.
pub fn confirm_password(
    tx: &mut WriteTx,
    email_digest: &str,
    fits: Option<&User>,
) -> Result<Result<User, SignInRefusal>, DbError> {
    lock(tx, email_digest)?;
    if let Some(until) = locked_until(tx.db, email_digest, tx.now)? {
        return Ok(Err(SignInRefusal::Locked(until)));
    }
    match still_so(tx, fits)? {
        Some(user) => Ok(Ok(user)),
        None => {
            failed(tx, email_digest)?;
            Ok(Err(SignInRefusal::Invalid))
        }
    }
}

/// A code of the second factor, where there is one; for somebody who has signed in.
pub fn confirm_code(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    email_digest: &str,
    user: &User,
    code: Option<&str>,
) -> Result<Result<(), SignInRefusal>, DbError> {
    match check(tx, sealing, user.id, code)? {
        Checked::NotNeeded | Checked::Right => Ok(Ok(())),
        Checked::Missing => Ok(Err(SignInRefusal::CodeNeeded)),
        Checked::Wrong => {
            failed(tx, email_digest)?;
            Ok(Err(SignInRefusal::Invalid))
        }
    }
}

/// A new password; every other session ends, and the user is written to.
pub fn change_password(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    cause: &Cause,
    user: &User,
    hash: &str,
    but: Option<SessionId>,
) -> Result<(), DbError> {
    set_password(tx, user.id, hash, but)?;
    audit::record(tx, cause, "user.change_password", user.id)?;
    queue_letter(tx, sealing, password_changed(user))?;
    Ok(())
}
