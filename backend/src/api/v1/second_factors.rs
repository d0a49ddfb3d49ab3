//! `/v1/second_factors`: an authenticator app beside the password. For oneself only.

use super::passwords::with_password;
use super::sight::not_found;
use crate::api::caller::{Caller, blocking};
use crate::api::envelope::{Body, Data, created, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::query::path_id;
use crate::api::rejections::sign_in_refused;
use crate::app::Platform;
use crate::audit;
use crate::identity::{
    self, SecondFactorIs, begin_factor, confirm_code, confirm_factor, remove_factor, second_factor, second_factor_changed,
};
use crate::ids::SecondFactorId;
use crate::notify::queue_letter;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SecondFactor {
    #[schema(example = "sfa_0000000000001")]
    pub id: String,
    pub created_at: String,
    /// In use since; null: its app has not shown a code yet, and signing in does not need one.
    pub confirmed_at: Option<String>,
    pub recovery_codes_left: i64,
}

impl From<identity::SecondFactor> for SecondFactor {
    fn from(from: identity::SecondFactor) -> Self {
        SecondFactor {
            id: from.id.to_string(),
            created_at: from.created_at.to_string(),
            confirmed_at: from.confirmed_at.map(|at| at.to_string()),
            recovery_codes_left: from.recovery_codes_left,
        }
    }
}

/// One at most.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SecondFactors {
    pub second_factors: Vec<SecondFactor>,
}

/// What the authenticator app is told. It is shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct NewSecondFactor {
    #[serde(flatten)]
    pub factor: SecondFactor,
    /// Base 32, to be typed in.
    pub secret: String,
    /// For a picture that the app reads.
    #[schema(example = "otpauth://totp/Airsettle:lan%40agency.example?secret=…&issuer=Airsettle")]
    pub otpauth_url: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConfirmedSecondFactor {
    #[serde(flatten)]
    pub factor: SecondFactor,
    /// Each opens once, for the day that the app is lost. They are shown once.
    pub recovery_codes: Vec<String>,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginSecondFactor {
    pub password: String,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmSecondFactor {
    /// What the app shows.
    #[schema(example = "287082")]
    pub code: String,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveSecondFactor {
    pub password: String,
    /// Of the app, or a recovery code.
    pub code: String,
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// One's second factor, if there is one.
#[utoipa::path(get, path = "/v1/second_factors", tag = "Access", operation_id = "list_second_factors", security(("session" = [])),
    responses((status = 200, body = Data<SecondFactors>)))]
pub async fn list_second_factors(caller: Caller, platform: web::Data<Platform>) -> Result<HttpResponse, ApiError> {
    let (user, app) = (caller.person()?.user.id, platform.live.clone());
    let found = blocking(move || app.store.read(|db| second_factor(db, user))).await?;
    Ok(ok(SecondFactors { second_factors: found.into_iter().map(SecondFactor::from).collect() }))
}

/// Begins a second factor. It counts once it is confirmed by a code.
#[utoipa::path(post, path = "/v1/second_factors", tag = "Access", operation_id = "begin_second_factor",
    request_body = Data<BeginSecondFactor>, security(("session" = [])),
    responses((status = 201, body = Data<NewSecondFactor>), (status = 401, description = "`credentials_invalid`", body = ErrorBody),
        (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 409, description = "`invalid_state`: there is one", body = ErrorBody),
        (status = 429, description = "`sign_in_locked`", body = ErrorBody),
        (status = 503, description = "`queue_full`", body = ErrorBody)))]
pub async fn begin(
    caller: Caller,
    platform: web::Data<Platform>,
    body: Body<BeginSecondFactor>,
) -> Result<HttpResponse, ApiError> {
    caller.person()?;
    let (cause, vault) = (caller.cause(), caller.app.vault.clone());
    let made = with_password(&platform, &caller, body.data.password, move |tx, user, _| {
        let (factor, secret) = begin_factor(tx, &*vault, user.id)?;
        audit::record(tx, &cause, "second_factor.begin", factor.id)?;
        let label = percent_encoded(&user.email);
        let otpauth_url = format!("otpauth://totp/Airsettle:{label}?secret={secret}&issuer=Airsettle");
        Ok(NewSecondFactor { factor: factor.into(), secret, otpauth_url })
    });
    Ok(created(made.await?))
}

/// Shows that the app works. From now on signing in needs a code.
#[utoipa::path(post, path = "/v1/second_factors/{id}/actions/confirm", tag = "Access", operation_id = "confirm_second_factor",
    params(("id" = String, Path, description = "`sfa_…`")), request_body = Data<ConfirmSecondFactor>, security(("session" = [])),
    responses((status = 200, body = Data<ConfirmedSecondFactor>), (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 409, description = "`invalid_state`: it is confirmed", body = ErrorBody),
        (status = 422, description = "`second_factor_code_invalid`", body = ErrorBody)))]
pub async fn confirm(caller: Caller, id: web::Path<String>, body: Body<ConfirmSecondFactor>) -> Result<HttpResponse, ApiError> {
    let signed_in = caller.person()?.clone();
    caller.require_live()?;
    let id: SecondFactorId = path_id(&id)?;
    let (cause, vault, code) = (caller.cause(), caller.app.vault.clone(), body.data.code);
    let confirmed = caller.write(move |tx| {
        let user = &signed_in.user;
        let (factor, recovery_codes) = confirm_factor(tx, &*vault, user.id, id, &code)?;
        audit::record(tx, &cause, "second_factor.confirm", factor.id)?;
        queue_letter(tx, &*vault, second_factor_changed(user, SecondFactorIs::On))?;
        Ok::<_, ApiError>(ConfirmedSecondFactor { factor: factor.into(), recovery_codes })
    });
    Ok(ok(confirmed.await?))
}

/// Takes the second factor away, by the password and a code. The user is written to.
#[utoipa::path(post, path = "/v1/second_factors/{id}/actions/remove", tag = "Access", operation_id = "remove_second_factor",
    params(("id" = String, Path, description = "`sfa_…`")), request_body = Data<RemoveSecondFactor>, security(("session" = [])),
    responses((status = 204, description = "It is gone"), (status = 401, description = "`credentials_invalid`", body = ErrorBody),
        (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 429, description = "`sign_in_locked`", body = ErrorBody),
        (status = 503, description = "`queue_full`", body = ErrorBody)))]
pub async fn remove(
    caller: Caller,
    platform: web::Data<Platform>,
    id: web::Path<String>,
    body: Body<RemoveSecondFactor>,
) -> Result<HttpResponse, ApiError> {
    caller.person()?;
    let id: SecondFactorId = path_id(&id)?;
    let RemoveSecondFactor { password, code } = body.data;
    let (cause, vault, now) = (caller.cause(), caller.app.vault.clone(), caller.app.now());
    let removed = with_password(&platform, &caller, password, move |tx, user, sign_in| {
        let known = second_factor(tx.db, user.id)?.filter(|factor| factor.id == id).ok_or_else(not_found)?;
        if known.confirmed_at.is_some()
            && let Err(refusal) = confirm_code(tx, &*vault, &sign_in.email_digest, user, Some(&code))?
        {
            // The wrong code is kept, so this is no error of the commit.
            return Ok(Err(refusal));
        }
        remove_factor(tx, user.id)?;
        audit::record(tx, &cause, "second_factor.remove", id)?;
        queue_letter(tx, &*vault, second_factor_changed(user, SecondFactorIs::Off))?;
        Ok(Ok(()))
    });
    removed.await?.map_err(|refusal| sign_in_refused(&refusal, now))?;
    Ok(HttpResponse::NoContent().finish())
}
