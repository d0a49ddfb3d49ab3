//! `/v1/session`, `/v1/sessions`: signing in, who one is, and one's devices.

use super::input::Input;
use super::organisations::OrganisationKind;
use super::passwords::{email_digest, fitting, new_hash, with_password};
use super::shape::PageParams;
use super::sight::not_found;
use crate::api::caller::{Caller, blocking, peer};
use crate::api::desk::{check_origin, device_of, no_cookie, session_cookie};
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::rate_limit::RateLimiter;
use crate::api::rejections::sign_in_refused;
use crate::api::request_id::RequestId;
use crate::app::Platform;
use crate::audit;
use crate::clock::Timestamp;
use crate::identity::{self, SignIn, candidate, change_password, email_of, end_session, rename, sessions_of};
use crate::ids::{Id, SessionId};
use crate::notify::Language;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedInUser {
    #[schema(example = "usr_0000000000001")]
    pub id: String,
    pub email: String,
    pub name: String,
    /// `zh-CN` or `en`.
    pub locale: String,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedInOrganisation {
    #[schema(example = "org_0000000000001")]
    pub id: String,
    pub kind: OrganisationKind,
    pub name: String,
}

/// Somebody who has signed in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SignedIn {
    /// The session.
    #[schema(example = "ses_0000000000001")]
    pub id: String,
    pub user: SignedInUser,
    pub organisation: SignedInOrganisation,
    pub roles: Vec<String>,
    /// The scopes that a request by this session has. Whoever has `clock:write` may act in test mode.
    pub permissions: Vec<String>,
    /// At the latest; without requests it ends sooner.
    pub expires_at: String,
}

impl From<&identity::SignedIn> for SignedIn {
    fn from(from: &identity::SignedIn) -> Self {
        let (user, organisation) = (&from.user, &from.organisation);
        SignedIn {
            id: from.session.id.to_string(),
            user: SignedInUser {
                id: user.id.to_string(),
                email: user.email.clone(),
                name: user.name.clone(),
                locale: user.language.text().to_owned(),
            },
            organisation: SignedInOrganisation {
                id: organisation.id.to_string(),
                kind: organisation.kind.into(),
                name: organisation.name.clone(),
            },
            roles: user.roles.clone(),
            permissions: from.permissions.iter().map(|scope| scope.text().to_owned()).collect(),
            expires_at: from.session.expires_at.to_string(),
        }
    }
}

/// A device that somebody is signed in on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Device {
    #[schema(example = "ses_0000000000001")]
    pub id: String,
    /// What its browser calls itself.
    pub device: String,
    pub address: String,
    /// Whether it is the one that asks.
    pub is_current: bool,
    pub created_at: String,
    /// To some minutes.
    pub seen_at: String,
    pub expires_at: String,
}

impl Device {
    fn of(session: identity::Session, current: SessionId) -> Self {
        Device {
            id: session.id.to_string(),
            is_current: session.id == current,
            device: session.device,
            address: session.address,
            created_at: session.created_at.to_string(),
            seen_at: session.seen_at.to_string(),
            expires_at: session.expires_at.to_string(),
        }
    }
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInData {
    #[schema(example = "lan@agency.example")]
    pub email: String,
    pub password: String,
    /// Of the authenticator app, or a recovery code; after `second_factor_required`.
    pub code: Option<String>,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    pub current_password: String,
    /// The new one: 10 to 128 characters.
    pub password: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetProfile {
    /// 1 to 100 characters.
    pub name: String,
    /// `zh-CN` or `en`.
    pub locale: String,
}

/// Reads a language as people choose it.
pub(super) fn language(input: &mut Input, field: &str, text: &str) -> Option<Language> {
    let read = Language::parse(text);
    if read.is_none() {
        input.fail(crate::api::code::Code::InvalidValue, field, format!("`{field}` is `zh-CN` or `en`."));
    }
    read
}

/// Takes one of the network address's requests without a key.
pub(super) fn take_open(request: &HttpRequest, platform: &Platform) -> Result<(), ApiError> {
    check_origin(request)?;
    let limiter = request.app_data::<web::Data<RateLimiter>>().ok_or_else(|| ApiError::internal("no rate limiter"))?;
    limiter.take_of_address(peer(request), platform.live.now()).check()
}

/// Signs somebody in. The session is in a cookie that no script reads: `__Host-airsettle` by TLS, `airsettle` otherwise. A wrong sign-in says nothing about what was
/// wrong, takes as long whoever it names, and after the fifth in a row closes the address for a while.
#[utoipa::path(post, path = "/v1/sessions", tag = "Access", operation_id = "sign_in", request_body = Data<SignInData>, security(()),
    responses((status = 201, body = Data<SignedIn>, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "`credentials_invalid`, `second_factor_required`", body = ErrorBody),
        (status = 403, description = "`cross_site_request`", body = ErrorBody),
        (status = 429, description = "`sign_in_locked`, `rate_limited`", body = ErrorBody),
        (status = 503, description = "`queue_full`", body = ErrorBody)))]
pub async fn sign_in(
    platform: web::Data<Platform>,
    request: HttpRequest,
    id: RequestId,
    body: Body<SignInData>,
) -> Result<HttpResponse, ApiError> {
    take_open(&request, &platform)?;
    let SignInData { email, password, code } = body.data;
    let email = email_of(&email);
    let sign_in = SignIn {
        email_digest: email_digest(&platform, &email),
        email,
        code: code.filter(|code| !code.is_empty()),
        device: device_of(&request),
        address: peer(&request).map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
    };
    let app = platform.live.clone();
    let (looked, now) = (sign_in.clone(), app.now());
    let known = blocking(move || app.store.read(|db| candidate(db, &looked, now))).await?;
    let known = known.map_err(|refusal| sign_in_refused(&refusal, now))?;
    let fits = fitting(&platform, known, password).await?;
    let app = platform.live.clone();
    let decided = blocking(move || app.store.write(|tx| identity::sign_in(tx, &*app.vault, &id.0, &sign_in, fits.as_ref())));
    let (signed_in, token) = decided.await?.map_err(|refusal| sign_in_refused(&refusal, now))?;
    let data = SignedIn::from(&signed_in);
    Ok(HttpResponse::Created().cookie(session_cookie(&platform, token)).json(Data { data }))
}

/// Who is signed in.
#[utoipa::path(get, path = "/v1/session", tag = "Access", operation_id = "get_session", security(("session" = [])),
    responses((status = 200, body = Data<SignedIn>)))]
pub async fn get_session(caller: Caller) -> Result<HttpResponse, ApiError> {
    Ok(ok(SignedIn::from(caller.person()?.as_ref())))
}

/// Signs out, on this device.
#[utoipa::path(delete, path = "/v1/session", tag = "Access", operation_id = "sign_out", security(("session" = [])),
    responses((status = 204, description = "Signed out")))]
pub async fn sign_out(caller: Caller, platform: web::Data<Platform>) -> Result<HttpResponse, ApiError> {
    end(&caller, &platform, caller.person()?.session.id).await?;
    Ok(HttpResponse::NoContent().cookie(no_cookie(&platform)).finish())
}

/// Answers whether it is one of the person's own.
async fn end(caller: &Caller, platform: &Platform, id: SessionId) -> Result<bool, ApiError> {
    let signed_in = caller.person()?.clone();
    let (app, request_id) = (platform.live.clone(), caller.request_id.clone());
    let ended = blocking(move || {
        app.store.write(|tx| {
            let found = end_session(tx, signed_in.user.id, id)?;
            if found {
                let cause = audit::Cause { actor: signed_in.user.actor(), request_id };
                audit::record(tx, &cause, "session.end", id)?;
            }
            Ok::<_, crate::db::DbError>(found)
        })
    });
    ended.await
}

/// One's devices, newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "Access", operation_id = "list_sessions", security(("session" = [])),
    params(PageParams), responses((status = 200, body = Page<Device>)))]
pub async fn list_sessions(caller: Caller, platform: web::Data<Platform>, query: Query) -> Result<HttpResponse, ApiError> {
    let signed_in = caller.person()?.clone();
    let (user, current) = (signed_in.user.id, signed_in.session.id);
    let request = PageRequest::<i64>::read(&query, "/v1/sessions")?;
    let (window, limit, app) = (request.window(), request.fetch(), platform.live.clone());
    let now: Timestamp = app.now();
    let found = blocking(move || app.store.read(|db| sessions_of(db, user, now, window, limit))).await?;
    Ok(page(&request.page(found, |session| session.id.raw()).map(|session| Device::of(session, current))))
}

/// Signs one of one's devices out.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "Access", operation_id = "end_session", security(("session" = [])),
    params(("id" = String, Path, description = "`ses_…`")), responses((status = 204, description = "Signed out there")))]
pub async fn end_device(caller: Caller, platform: web::Data<Platform>, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.person()?;
    let id: SessionId = path_id(&id)?;
    if end(&caller, &platform, id).await? { Ok(HttpResponse::NoContent().finish()) } else { Err(not_found()) }
}

/// Another password. Every other device is signed out, and the user is written to.
#[utoipa::path(post, path = "/v1/session/actions/change_password", tag = "Access", operation_id = "change_password",
    request_body = Data<ChangePassword>, security(("session" = [])),
    responses((status = 200, body = Data<SignedIn>),
        (status = 401, description = "`credentials_invalid`: the current password", body = ErrorBody),
        (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 422, description = "`password_too_weak`", body = ErrorBody),
        (status = 429, description = "`sign_in_locked`", body = ErrorBody),
        (status = 503, description = "`queue_full`", body = ErrorBody)))]
pub async fn change(caller: Caller, platform: web::Data<Platform>, body: Body<ChangePassword>) -> Result<HttpResponse, ApiError> {
    caller.require_live()?;
    let signed_in = caller.person()?.clone();
    let user = &signed_in.user;
    let hash = new_hash(&platform, body.data.password, user.email.clone(), user.name.clone()).await?;
    let (cause, vault, session) = (caller.cause(), caller.app.vault.clone(), signed_in.session.id);
    with_password(&platform, &caller, body.data.current_password, move |tx, user, _| {
        Ok(change_password(tx, &*vault, &cause, user, &hash, Some(session))?)
    })
    .await?;
    Ok(ok(SignedIn::from(signed_in.as_ref())))
}

/// One's own name and language.
#[utoipa::path(post, path = "/v1/session/actions/set_profile", tag = "Access", operation_id = "set_profile",
    request_body = Data<SetProfile>, security(("session" = [])),
    responses((status = 200, body = Data<SignedIn>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn set_profile(caller: Caller, body: Body<SetProfile>) -> Result<HttpResponse, ApiError> {
    caller.require_live()?;
    let signed_in = caller.person()?.clone();
    let mut input = Input::default();
    let name = input.text("name", &body.data.name, 100);
    let language = language(&mut input, "locale", &body.data.locale);
    let (name, language) = input.finish(name.zip(language))?;
    let (cause, id) = (caller.cause(), signed_in.user.id);
    let renamed = caller.write(move |tx| {
        let renamed = rename(tx, id, &name, language)?;
        audit::record(tx, &cause, "user.rename", id)?;
        Ok::<_, ApiError>(renamed)
    });
    let user = renamed.await?;
    Ok(ok(SignedIn::from(&identity::SignedIn { user, ..signed_in.as_ref().clone() })))
}
