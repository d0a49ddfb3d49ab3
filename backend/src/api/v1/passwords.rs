//! Passwords at the interface: hashed on the threads for blocking work, a few at a time, and nowhere else.

use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::error::ApiError;
use crate::api::rejections::sign_in_refused;
use crate::app::Platform;
use crate::db::WriteTx;
use crate::identity::{self, SignIn, SignedIn, User, confirm_password};
use std::sync::Arc;
use std::time::Duration;

/// Whoever waits longer for a turn is told to come back.
const WAITS: Duration = Duration::from_secs(10);

async fn in_turn<T, E>(platform: &Platform, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    let turn = tokio::time::timeout(WAITS, platform.hashing.clone().acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(ApiError::of(Code::QueueFull).retry_after(2)) };
    blocking(move || {
        let done = work();
        drop(turn);
        done
    })
    .await
}

/// The user, if it is the user's password. It takes as long where there is no user.
pub async fn fitting(platform: &Platform, user: Option<User>, password: String) -> Result<Option<User>, ApiError> {
    in_turn(platform, move || {
        let fits = User::has_password(user.as_ref(), &password);
        Ok::<_, ApiError>(user.filter(|_| fits))
    })
    .await
}

/// The hash of a password that is good enough.
pub async fn new_hash(platform: &Platform, password: String, email: String, name: String) -> Result<String, ApiError> {
    in_turn(platform, move || identity::new_hash(&password, &email, &name)).await
}

pub fn email_digest(platform: &Platform, email: &str) -> String {
    platform.live.vault.digest(format!("sign-in {email}").as_bytes())
}

/// Somebody who has signed in shows the password again; then `change` is made in one commit, as the user is in it.
pub async fn with_password<T: Send + 'static>(
    platform: &Platform,
    caller: &Caller,
    password: String,
    change: impl FnOnce(&mut WriteTx, &User, &SignIn) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    caller.require_live()?;
    let signed_in: Arc<SignedIn> = caller.person()?.clone();
    let email = signed_in.user.email.clone();
    let session = &signed_in.session;
    let sign_in = SignIn {
        email_digest: email_digest(platform, &email),
        email,
        code: None,
        device: session.device.clone(),
        address: session.address.clone(),
    };
    let (looked, now) = (sign_in.clone(), caller.app.now());
    let candidate = caller.read(move |db| identity::candidate(db, &looked, now)).await?;
    let candidate = candidate.map_err(|refusal| sign_in_refused(&refusal, now))?;
    let fits = fitting(platform, candidate.filter(|user| user.id == signed_in.user.id), password).await?;
    let done = caller.write(move |tx| {
        Ok::<_, ApiError>(match confirm_password(tx, &sign_in.email_digest, fits.as_ref())? {
            Ok(user) => Ok(change(tx, &user, &sign_in)?),
            // That it was wrong is kept.
            Err(refusal) => Err(refusal),
        })
    });
    done.await?.map_err(|refusal| sign_in_refused(&refusal, now))
}
