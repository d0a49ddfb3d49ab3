//! `/v1/users`, `/v1/roles`: the people of an organisation and what they may do.

use super::input::Input;
use super::keys::NoDetails;
use super::organisations::OrganisationKind;
use super::shape::{PageParams, choice};
use super::sight::not_found;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::db::{Db, WriteTx};
use crate::identity::{
    self, Scope, SecondFactorIs, permissions_of, remove_factor, roles, second_factor, second_factor_changed, set_roles,
    set_status, user, users,
};
use crate::ids::{Id, OrganisationId, UserId};
use crate::notify::queue_letter;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

choice! {
    /// Who is disabled is signed out everywhere and does not get in.
    UserStatus = identity::UserStatus { Active, Disabled }
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct User {
    #[schema(example = "usr_0000000000001")]
    pub id: String,
    pub organisation_id: String,
    pub email: String,
    pub name: String,
    /// `zh-CN` or `en`.
    pub locale: String,
    pub roles: Vec<String>,
    pub status: UserStatus,
    /// Whether signing in needs a code.
    pub has_second_factor: bool,
    pub password_changed_at: String,
    pub created_at: String,
}

impl User {
    fn of(db: &mut Db, user: &identity::User) -> Result<Self, ApiError> {
        let factor = second_factor(db, user.id)?;
        Ok(User {
            id: user.id.to_string(),
            organisation_id: user.organisation.to_string(),
            email: user.email.clone(),
            name: user.name.clone(),
            locale: user.language.text().to_owned(),
            roles: user.roles.clone(),
            status: user.status.into(),
            has_second_factor: factor.is_some_and(|factor| factor.confirmed_at.is_some()),
            password_changed_at: user.password_changed_at.to_string(),
            created_at: user.created_at.to_string(),
        })
    }
}

/// What somebody in a role may do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Role {
    pub organisation_kind: OrganisationKind,
    #[schema(example = "supervisor")]
    pub name: String,
    /// Scopes.
    pub permissions: Vec<String>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Roles {
    pub roles: Vec<Role>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRoles {
    /// At least one, of the kind of the user's organisation.
    pub roles: Vec<String>,
}

/// Nobody gives what he does not have; the operator gives another organisation any role of its kind.
pub(super) fn check_roles(caller: &Caller, db: &mut Db, organisation: OrganisationId, names: &[String]) -> Result<(), ApiError> {
    let of = identity::organisation(db, organisation)?.ok_or_else(not_found)?;
    let wrong = |message: String| ApiError::new(Code::InvalidValue, message).at("/data/roles");
    let held = permissions_of(db, of.kind, names)?.filter(|_| !names.is_empty());
    let unknown =
        || wrong(format!("`roles` names at least one role, and only roles of an organisation of kind {}.", of.kind.text()));
    let held = held.ok_or_else(unknown)?;
    let own = organisation == caller.key.organisation;
    match held.iter().find(|scope| own && !caller.key.scopes.contains(scope)) {
        Some(scope) => Err(wrong(format!("One of the roles has the scope {}, which you do not have.", scope.text()))),
        None => Ok(()),
    }
}

/// Each role once, in the order given.
pub(super) fn role_names(input: &mut Input, given: &[String]) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in given {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let are_words =
        names.iter().all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    if names.is_empty() || names.len() > 20 || !are_words {
        input.fail(Code::InvalidValue, "roles", "`roles` names at least one role, as `GET /v1/roles` does.");
        return None;
    }
    Some(names)
}

fn visible_user(caller: &Caller, db: &mut Db, id: UserId) -> Result<identity::User, ApiError> {
    let found = user(db, id)?;
    found.filter(|user| caller.is_operator() || user.organisation == caller.key.organisation).ok_or_else(not_found)
}

/// Whoever manages a user of the own organisation may do all that the user may: else somebody could be taken over who may do more.
fn manageable_user(caller: &Caller, tx: &mut WriteTx, id: UserId) -> Result<identity::User, ApiError> {
    let found = visible_user(caller, tx.db, id)?;
    let names = found.roles.clone();
    if let Err(error) = check_roles(caller, tx.db, found.organisation, &names) {
        let refused = ApiError::new(Code::InsufficientScope, "The user may do what you may not.");
        return Err(if error.code() == Code::InvalidValue { refused } else { error });
    }
    Ok(found)
}

/// The roles that people of an organisation of one's kind can have; the operator reads all.
#[utoipa::path(get, path = "/v1/roles", tag = "Access", operation_id = "list_roles", responses((status = 200, body = Data<Roles>)))]
pub async fn list_roles(caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let kind = (!caller.is_operator()).then_some(caller.key.kind);
    let found = caller.read(move |db| roles(db, kind)).await?;
    let shown = found.into_iter().map(|role| Role {
        organisation_kind: role.kind.into(),
        name: role.name,
        permissions: role.permissions.iter().map(|scope| scope.text().to_owned()).collect(),
    });
    Ok(ok(Roles { roles: shown.collect() }))
}

/// People, newest first: the operator sees all, everybody else its own.
#[utoipa::path(get, path = "/v1/users", tag = "Access", operation_id = "list_users",
    params(PageParams, ("organisation_id" = Option<String>, Query, description = "Only this organisation's; for the operator")),
    responses((status = 200, body = Page<User>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn list_users(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let request = PageRequest::<i64>::read(&query, "/v1/users")?;
    let (window, limit) = (request.window(), request.fetch());
    let asked = query.id("organisation_id")?;
    let own = Some(caller.key.organisation);
    if !caller.is_operator() && asked.is_some() && asked != own {
        return Err(not_found());
    }
    let owner = if caller.is_operator() { asked } else { own };
    let found = caller.read(move |db| {
        let found = users(db, owner, window, limit)?;
        found.into_iter().map(|user| Ok((user.id, User::of(db, &user)?))).collect::<Result<Vec<_>, ApiError>>()
    });
    Ok(page(&request.page(found.await?, |(id, _)| id.raw()).map(|(_, user)| user)))
}

/// One of them.
#[utoipa::path(get, path = "/v1/users/{id}", tag = "Access", operation_id = "get_user",
    params(("id" = String, Path, description = "`usr_…`")),
    responses((status = 200, body = Data<User>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn get_user(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let id: UserId = path_id(&id)?;
    let reader = caller.clone();
    let read = caller.read(move |db| {
        let found = visible_user(&reader, db, id)?;
        User::of(db, &found)
    });
    Ok(ok(read.await?))
}

/// Says what a user may do, from the next request on. Roles that may do more than oneself cannot be given.
#[utoipa::path(post, path = "/v1/users/{id}/actions/set_roles", tag = "Access", operation_id = "set_user_roles",
    params(("id" = String, Path, description = "`usr_…`")), request_body = Data<SetRoles>,
    responses((status = 200, body = Data<User>), (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 409, description = "`last_admin`", body = ErrorBody),
        (status = 422, description = "`invalid_value`: not a role there, or one that may do more than the caller", body = ErrorBody)))]
pub async fn set_user_roles(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<SetRoles>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let id: UserId = path_id(&id)?;
    let mut input = Input::default();
    let names = role_names(&mut input, &body.data.roles);
    let names = input.finish(names)?;
    let (cause, manager) = (caller.cause(), caller.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let known = manageable_user(&manager, tx, id)?;
        check_roles(&manager, tx.db, known.organisation, &names)?;
        let changed = set_roles(tx, id, &names)?;
        audit::record(tx, &cause, "user.set_roles", id)?;
        User::of(tx.db, &changed)
    })
    .await
}

/// Keeps a user out: signed out everywhere, from the next request on.
#[utoipa::path(post, path = "/v1/users/{id}/actions/disable", tag = "Access", operation_id = "disable_user",
    params(("id" = String, Path, description = "`usr_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<User>), (status = 403, description = "`live_mode_only`", body = ErrorBody),
        (status = 409, description = "`last_admin`", body = ErrorBody)))]
pub async fn disable(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    switch(caller, request, &id, body, identity::UserStatus::Disabled).await
}

/// Lets a user in again.
#[utoipa::path(post, path = "/v1/users/{id}/actions/enable", tag = "Access", operation_id = "enable_user",
    params(("id" = String, Path, description = "`usr_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<User>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn enable(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    switch(caller, request, &id, body, identity::UserStatus::Active).await
}

async fn switch(
    caller: Caller,
    request: HttpRequest,
    id: &str,
    body: Body<NoDetails>,
    to: identity::UserStatus,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let id: UserId = path_id(id)?;
    let (cause, manager) = (caller.cause(), caller.clone());
    let action = match to {
        identity::UserStatus::Active => "user.enable",
        identity::UserStatus::Disabled => "user.disable",
    };
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        manageable_user(&manager, tx, id)?;
        let changed = set_status(tx, id, to)?;
        audit::record(tx, &cause, action, id)?;
        User::of(tx.db, &changed)
    })
    .await
}

/// Takes away a second factor whose device is lost, once it is known that it is the user who asks. The user is written to.
#[utoipa::path(post, path = "/v1/users/{id}/actions/reset_second_factor", tag = "Access", operation_id = "reset_second_factor",
    params(("id" = String, Path, description = "`usr_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<User>), (status = 403, description = "`live_mode_only`", body = ErrorBody)))]
pub async fn reset_second_factor(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::UsersWrite)?;
    caller.require_live()?;
    let id: UserId = path_id(&id)?;
    let (cause, manager, vault) = (caller.cause(), caller.clone(), caller.app.vault.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        let known = manageable_user(&manager, tx, id)?;
        if second_factor(tx.db, id)?.is_some() {
            remove_factor(tx, id)?;
            audit::record(tx, &cause, "second_factor.reset", id)?;
            queue_letter(tx, &*vault, second_factor_changed(&known, SecondFactorIs::Off))?;
        }
        User::of(tx.db, &known)
    })
    .await
}
