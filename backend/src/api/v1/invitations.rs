//! `/v1/invitations`: asking people to join. The link is in the e-mail and nowhere else.

use super::input::Input;
use super::keys::NoDetails;
use super::passwords::new_hash;
use super::sessions::{language, take_open};
use super::shape::{PageParams, by_key, by_user, choice};
use super::sight::not_found;
use super::users::{check_roles, role_names};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, created, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::api::request_id::RequestId;
use crate::app::Platform;
use crate::audit;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::identity::{
    self, NewInvitation, Scope, accept_invitation, email_of, invitation, invitation_of_link, invitations, invite,
    revoke_invitation,
};
use crate::ids::{Id, InvitationId};
use crate::notify::is_address;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// Only an open invitation is accepted.
    InvitationStatus = identity::InvitationStatus { Open, Accepted, Revoked, Expired }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Invitation {
    #[schema(example = "inv_0000000000001")]
    pub id: String,
    pub organisation_id: String,
    pub email: String,
    /// Of the e-mail: `zh-CN` or `en`.
    pub locale: String,
    pub roles: Vec<String>,
    pub status: InvitationStatus,
    pub invited_by_key_id: Option<String>,
    pub invited_by_user_id: Option<String>,
    pub created_at: String,
    pub expires_at: String,
    pub accepted_at: Option<String>,
    /// Who came of it.
    pub user_id: Option<String>,
}

impl Invitation {
    fn of(from: identity::Invitation, now: Timestamp) -> Self {
        Invitation {
            id: from.id.to_string(),
            organisation_id: from.organisation.to_string(),
            locale: from.language.text().to_owned(),
            status: from.status_at(now).into(),
            invited_by_key_id: by_key(from.invited_by.stored()),
            invited_by_user_id: by_user(from.invited_by.stored()),
            created_at: from.created_at.to_string(),
            expires_at: from.expires_at.to_string(),
            accepted_at: from.accepted_at.map(|at| at.to_string()),
            user_id: from.user.map(|id| id.to_string()),
            email: from.email,
            roles: from.roles,
        }
    }
}

/// Who came of an invitation. Nobody is signed in yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AcceptedInvitation {
    pub user_id: String,
    pub email: String,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// The caller's own organisation if not given; another only by the operator.
    pub organisation_id: Option<String>,
    #[schema(example = "lan@agency.example")]
    pub email: String,
    /// At least one, of the kind of the organisation.
    pub roles: Vec<String>,
    /// Of the e-mail, and of the user until that is changed: `zh-CN` or `en`.
    pub locale: String,
}

#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What stands behind `#` in the link.
    pub token: String,
    /// 1 to 100 characters.
    pub name: String,
    /// 10 to 128 characters.
    pub password: String,
    /// That of the invitation if not given.
    pub locale: Option<String>,
}

impl CreateInvitation {
    fn validate(&self, caller: &Caller) -> Result<NewInvitation, ApiError> {
        let mut input = Input::default();
        let organisation = input.optional_id("organisation_id", self.organisation_id.as_deref());
        let organisation = organisation.map(|given| given.unwrap_or(caller.key.organisation));
        if organisation.is_some_and(|id| id != caller.key.organisation) && !caller.is_operator() {
            input.fail(Code::InvalidValue, "organisation_id", "Only the operator invites people to another organisation.");
        }
        let email = email_of(&self.email);
        if !is_address(&email) || email.chars().count() > 200 {
            input.fail(Code::InvalidValue, "email", "`email` is an e-mail address.");
        }
        let (roles, language) = (role_names(&mut input, &self.roles), language(&mut input, "locale", &self.locale));
        let read = organisation.zip(roles).zip(language);
        input.finish(read.map(|((organisation, roles), language)| NewInvitation { organisation, email, language, roles }))
    }
}

/// Invites somebody by e-mail: the link works once, for seven days. Another invitation of the same address takes the place of an open one.
#[utoipa::path(post, path = "/v1/invitations", tag = "Access", operation_id = "create_invitation", request_body = Data<CreateInvitation>,
    responses((status = 201, body = Data<Invitation>), (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 409, description = "`email_taken`: by a user of this organisation", body = ErrorBody),
        (status = 422, description = "`invalid_value`: not a role there, or one that may do more than the caller", body = ErrorBody)))]
pub async fn create_invitation(
    caller: Caller,
    platform: web::Data<Platform>,
    request: HttpRequest,
    body: Body<CreateInvitation>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let new = body.data.validate(&caller)?;
    let (cause, inviter, vault) = (caller.cause(), caller.clone(), caller.app.vault.clone());
    let public_url = platform.public_url.clone();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        if identity::organisation(tx.db, new.organisation)?.is_some() {
            check_roles(&inviter, tx.db, new.organisation, &new.roles)?;
        }
        let made = invite(tx, &*vault, &cause, &public_url, new)?;
        Ok(Invitation::of(made, tx.now))
    })
    .await
}

/// Invitations, newest first: the operator sees all, everybody else its own.
#[utoipa::path(get, path = "/v1/invitations", tag = "Access", operation_id = "list_invitations",
    params(PageParams, ("organisation_id" = Option<String>, Query, description = "Only this organisation's; for the operator")),
    responses((status = 200, body = Page<Invitation>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn list_invitations(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let request = PageRequest::<i64>::read(&query, "/v1/invitations")?;
    let (window, limit, now) = (request.window(), request.fetch(), caller.app.now());
    let asked = query.id("organisation_id")?;
    let own = Some(caller.key.organisation);
    if !caller.is_operator() && asked.is_some() && asked != own {
        return Err(not_found());
    }
    let owner = if caller.is_operator() { asked } else { own };
    let found = caller.read(move |db| invitations(db, owner, window, limit)).await?;
    Ok(page(&request.page(found, |one| one.id.raw()).map(|one| Invitation::of(one, now))))
}

fn visible_invitation(caller: &Caller, db: &mut Db, id: InvitationId) -> Result<identity::Invitation, ApiError> {
    let found = invitation(db, id)?;
    found.filter(|one| caller.is_operator() || one.organisation == caller.key.organisation).ok_or_else(not_found)
}

/// One of them.
#[utoipa::path(get, path = "/v1/invitations/{id}", tag = "Access", operation_id = "get_invitation",
    params(("id" = String, Path, description = "`inv_…`")),
    responses((status = 200, body = Data<Invitation>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn get_invitation(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let id: InvitationId = path_id(&id)?;
    let (reader, now) = (caller.clone(), caller.app.now());
    let found = caller.read(move |db| visible_invitation(&reader, db, id)).await?;
    Ok(ok(Invitation::of(found, now)))
}

/// Takes an invitation back: its link does not work any more.
#[utoipa::path(post, path = "/v1/invitations/{id}/actions/revoke", tag = "Access", operation_id = "revoke_invitation",
    params(("id" = String, Path, description = "`inv_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<Invitation>), (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 409, description = "`invalid_state`: it was accepted", body = ErrorBody)))]
pub async fn revoke(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let id: InvitationId = path_id(&id)?;
    let (cause, revoker) = (caller.cause(), caller.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        visible_invitation(&revoker, tx.db, id)?;
        let revoked = revoke_invitation(tx, id)?;
        audit::record(tx, &cause, "invitation.revoke", id)?;
        Ok(Invitation::of(revoked, tx.now))
    })
    .await
}

/// Makes a user of whoever has the link, with a password of their own. Nobody is signed in by it.
#[utoipa::path(post, path = "/v1/invitations/actions/accept", tag = "Access", operation_id = "accept_invitation",
    request_body = Data<AcceptInvitation>, security(()),
    responses((status = 201, body = Data<AcceptedInvitation>), (status = 403, description = "`cross_site_request`", body = ErrorBody),
        (status = 409, description = "`email_taken`", body = ErrorBody),
        (status = 422, description = "`link_invalid`, `password_too_weak`, `invalid_value`", body = ErrorBody),
        (status = 429, description = "`rate_limited`", body = ErrorBody),
        (status = 503, description = "`queue_full`", body = ErrorBody)))]
pub async fn accept(
    platform: web::Data<Platform>,
    request: HttpRequest,
    id: RequestId,
    body: Body<AcceptInvitation>,
) -> Result<HttpResponse, ApiError> {
    take_open(&request, &platform)?;
    let AcceptInvitation { token, name, password, locale } = body.data;
    let mut input = Input::default();
    let name = input.text("name", &name, 100);
    let chosen = locale.as_deref().map(|text| language(&mut input, "locale", text));
    let name = input.finish(name)?;
    let (app, link, now) = (platform.live.clone(), token.clone(), platform.live.now());
    let known = blocking(move || app.store.read(|db| invitation_of_link(db, &link, now))).await?;
    let known = known.ok_or_else(|| ApiError::of(Code::LinkInvalid).at("/data/token"))?;
    let hash = new_hash(&platform, password, known.email, name.clone()).await?;
    let app = platform.live.clone();
    let made = blocking(move || app.store.write(|tx| accept_invitation(tx, &id.0, &token, &name, chosen.flatten(), hash)));
    let user = made.await?;
    Ok(created(AcceptedInvitation { user_id: user.id.to_string(), email: user.email }))
}
