//! `/v1/password_resets`: a forgotten password. What is answered does not tell whether there is such a user, nor does the time that it takes.

use super::passwords::{email_digest, new_hash};
use super::sessions::take_open;
use crate::api::caller::blocking;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, accepted, ok};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::request_id::RequestId;
use crate::app::Platform;
use crate::identity::{email_of, request_reset, reset_password, user_of_link};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestPasswordReset {
    #[schema(example = "lan@agency.example")]
    pub email: String,
}

/// The same for everybody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PasswordResetRequested {
    /// If there is a user with this address, an e-mail is on its way to it.
    pub email: String,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompletePasswordReset {
    /// What stands behind `#` in the link.
    pub token: String,
    /// 10 to 128 characters.
    pub password: String,
}

/// Whose password it is now. Nobody is signed in by it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PasswordReset {
    pub email: String,
}

/// Asks for a new password. The answer is the same whoever asks; the e-mail has a link that works once, for an hour.
#[utoipa::path(post, path = "/v1/password_resets", tag = "Access", operation_id = "request_password_reset",
    request_body = Data<RequestPasswordReset>, security(()),
    responses((status = 202, body = Data<PasswordResetRequested>), (status = 403, description = "`cross_site_request`", body = ErrorBody),
        (status = 429, description = "`rate_limited`", body = ErrorBody)))]
pub async fn request(
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<RequestPasswordReset>,
) -> Result<HttpResponse, ApiError> {
    take_open(&request, &platform)?;
    let email = body.data.email;
    let (app, public_url, known) = (platform.live.clone(), platform.public_url.clone(), email_of(&email));
    // Not waited for: how long it takes would tell.
    actix_web::rt::spawn(async move {
        let work = blocking(move || app.store.write(|tx| request_reset(tx, &*app.vault, &public_url, &known)));
        if let Err(error) = work.await {
            tracing::warn!(%error, "a password reset was not begun");
        }
    });
    Ok(accepted(PasswordResetRequested { email }))
}

/// Sets the new password. Every device is signed out, and the user is written to.
#[utoipa::path(post, path = "/v1/password_resets/actions/complete", tag = "Access", operation_id = "complete_password_reset",
    request_body = Data<CompletePasswordReset>, security(()),
    responses((status = 200, body = Data<PasswordReset>), (status = 403, description = "`cross_site_request`", body = ErrorBody),
        (status = 422, description = "`link_invalid`, `password_too_weak`", body = ErrorBody),
        (status = 429, description = "`rate_limited`", body = ErrorBody),
        (status = 503, description = "`queue_full`", body = ErrorBody)))]
pub async fn complete(
    platform: web::Data<Platform>,
    request: HttpRequest,
    id: RequestId,
    body: Body<CompletePasswordReset>,
) -> Result<HttpResponse, ApiError> {
    take_open(&request, &platform)?;
    let CompletePasswordReset { token, password } = body.data;
    let invalid = || ApiError::of(Code::LinkInvalid).at("/data/token");
    let (app, link, now) = (platform.live.clone(), token.clone(), platform.live.now());
    let user = blocking(move || app.store.read(|db| user_of_link(db, &link, now))).await?.ok_or_else(invalid)?;
    let digest = email_digest(&platform, &user.email);
    let hash = new_hash(&platform, password, user.email, user.name).await?;
    let app = platform.live.clone();
    let done = blocking(move || app.store.write(|tx| reset_password(tx, &*app.vault, &id.0, &token, &digest, &hash)));
    let user = done.await?.ok_or_else(invalid)?;
    Ok(ok(PasswordReset { email: user.email }))
}
