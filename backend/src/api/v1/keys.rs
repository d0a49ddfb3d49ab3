//! `/v1/keys`: the API keys of organisations. A secret is in the answer that made it and nowhere else.

use super::input::Input;
use super::shape::PageParams;
use super::sight::not_found;
use crate::agencies::agency;
use crate::api::caller::Caller;
use crate::api::code::Code;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::identity::{self, NewKey, Scope, issue_key, keys_of, revoke_key, roll_key};
use crate::ids::{Id, KeyId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::Duration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest time that an old key works beside its new one: 30 days.
const MOST_OVERLAP_SECS: i64 = 30 * 86_400;
const MOST_ADDRESSES: usize = 32;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKey {
    #[schema(example = "key_0000000000001")]
    pub id: String,
    pub organisation_id: String,
    /// The agency that the key sells for; null: the organisation's only one.
    pub agency_id: Option<String>,
    pub name: String,
    /// The last four characters of the secret.
    pub hint: String,
    pub scopes: Vec<String>,
    /// Empty: from anywhere.
    pub allowed_ips: Vec<String>,
    pub expires_at: Option<String>,
    /// In the future while a roll overlaps: the key works until then.
    pub revoked_at: Option<String>,
    pub created_at: String,
}

/// A key that was just made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IssuedKey {
    #[serde(flatten)]
    pub key: ApiKey,
    /// For the `Authorization: Bearer` header. Shown once: null when an idempotent request is repeated.
    #[schema(example = "as_test_0123456789abcdef0123456789abcdef01234567")]
    pub secret: Option<String>,
}

impl From<identity::ApiKey> for ApiKey {
    fn from(key: identity::ApiKey) -> Self {
        ApiKey {
            id: key.id.to_string(),
            organisation_id: key.organisation.to_string(),
            agency_id: key.agency.map(|id| id.to_string()),
            name: key.name,
            hint: key.hint,
            scopes: key.scopes.iter().map(|scope| scope.text().to_owned()).collect(),
            allowed_ips: key.allowed_ips.iter().map(ToString::to_string).collect(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            revoked_at: key.revoked_at.map(|at| at.to_string()),
            created_at: key.created_at.to_string(),
        }
    }
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// The caller's own organisation if not given; another only by the operator.
    pub organisation_id: Option<String>,
    /// Binds the key to one agency of the organisation.
    pub agency_id: Option<String>,
    /// 1 to 100 characters.
    pub name: String,
    /// `air:read`, `air:write`, `finance:read`, `finance:write`, `risk:write`, `parties:read`, `parties:write`, `keys:write`, `limits:read`, `users:write`, `webhooks:write`, `coupons:write`, `memos:write`, `approvals:write`, `clock:write`. For the
    /// caller's own organisation only scopes that the calling key has.
    pub scopes: Vec<String>,
    /// At most 32 addresses; left out or empty: from anywhere.
    #[serde(default)]
    pub allowed_ips: Vec<String>,
    /// RFC 3339; left out: it does not expire.
    pub expires_at: Option<String>,
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RollKey {
    /// Seconds that the old key goes on working: 0 to 2,592,000.
    pub overlap_secs: i64,
}

/// An action that needs nothing else.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoDetails {}

impl CreateKey {
    fn validate(&self, caller: &Caller) -> Result<NewKey, ApiError> {
        let mut input = Input::default();
        let organisation = input.optional_id("organisation_id", self.organisation_id.as_deref());
        let organisation = organisation.map(|given| given.unwrap_or(caller.key.organisation));
        if organisation.is_some_and(|id| id != caller.key.organisation) && !caller.is_operator() {
            input.fail(Code::InvalidValue, "organisation_id", "Only the operator makes keys for another organisation.");
        }
        // A key that is bound to an agency never makes one that is not.
        let agency = input.optional_id("agency_id", self.agency_id.as_deref()).map(|given| given.or(caller.key.agency));
        if agency.is_some_and(|agency| caller.key.agency.is_some() && agency != caller.key.agency) {
            input.fail(Code::InvalidValue, "agency_id", "A key that is bound to an agency makes keys for that agency only.");
        }
        let own = organisation == Some(caller.key.organisation);
        let scopes = self.scopes.iter().enumerate().map(|(index, text)| {
            let scope = Scope::parse(text).filter(|scope| !own || caller.key.scopes.contains(scope));
            if scope.is_none() {
                let message = format!("{text:?} is not a scope that this key can give.");
                input.fail(Code::InvalidValue, &format!("scopes/{index}"), message);
            }
            scope
        });
        let mut scopes: Vec<Scope> = scopes.collect::<Vec<_>>().into_iter().flatten().collect();
        let mut seen = Vec::new();
        scopes.retain(|scope| {
            !seen.contains(scope) && {
                seen.push(*scope);
                true
            }
        });
        if self.scopes.is_empty() {
            input.fail(Code::InvalidValue, "scopes", "A key needs at least one scope.");
        }
        if self.allowed_ips.len() > MOST_ADDRESSES {
            input.fail(Code::InvalidValue, "allowed_ips", format!("At most {MOST_ADDRESSES} addresses."));
        }
        let allowed_ips = input.ip_addresses("allowed_ips", &self.allowed_ips);
        let name = input.text("name", &self.name, 100);
        let expires_at: Option<Timestamp> = self.expires_at.as_deref().and_then(|text| input.time("expires_at", text));
        if expires_at.is_some_and(|at| at <= caller.app.now()) {
            input.fail(Code::InvalidValue, "expires_at", "`expires_at` is in the future.");
        }
        let read = (|| {
            let (organisation, agency) = (organisation?, agency?);
            Some(NewKey {
                organisation,
                agency,
                name: name?,
                scopes,
                allowed_ips: allowed_ips?,
                expires_at,
                person: caller.key.person,
            })
        })();
        input.finish(read)
    }
}

/// A key that the caller may see: the operator any; others their organisation's, and with a key bound to an agency that agency's.
fn visible_key(caller: &Caller, db: &mut Db, id: KeyId) -> Result<identity::ApiKey, ApiError> {
    let found = identity::key(db, id)?;
    found.filter(|key| sees(caller, key)).ok_or_else(not_found)
}

fn sees(caller: &Caller, key: &identity::ApiKey) -> bool {
    let bound_here = caller.key.agency.is_none() || key.agency == caller.key.agency;
    caller.is_operator() || (key.organisation == caller.key.organisation && bound_here)
}

/// Keys, newest first: the operator sees all, everybody else its own. Never the secrets.
#[utoipa::path(get, path = "/v1/keys", tag = "Access", operation_id = "list_keys",
    params(PageParams, ("organisation_id" = Option<String>, Query, description = "Only this organisation's; for the operator")),
    responses((status = 200, body = Page<ApiKey>)))]
pub async fn list_keys(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::KeysWrite)?;
    let request = PageRequest::<i64>::read(&query, "/v1/keys")?;
    let (window, limit) = (request.window(), request.fetch());
    let asked = query.id("organisation_id")?;
    let owner = if caller.is_operator() { asked } else { Some(caller.key.organisation) };
    let found = caller.read(move |db| keys_of(db, owner, window, limit)).await?;
    let mut found = request.page(found, |key| key.id.raw());
    // The cursors stay those of the whole list, so a page may be shorter than its limit.
    found.data.retain(|key| sees(&caller, key) && asked.is_none_or(|asked| key.organisation == asked));
    Ok(page(&found.map(ApiKey::from)))
}

/// Makes a key. Its secret is in this answer and cannot be read again.
#[utoipa::path(post, path = "/v1/keys", tag = "Access", operation_id = "create_key", request_body = Data<CreateKey>,
    responses((status = 201, body = Data<IssuedKey>),
        (status = 422, description = "`invalid_value`: a scope that the kind of organisation or the calling key does not have", body = ErrorBody)))]
pub async fn create_key(caller: Caller, request: HttpRequest, body: Body<CreateKey>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::KeysWrite)?;
    let new = body.data.validate(&caller)?;
    let (cause, mode) = (caller.cause(), caller.app.mode);
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        if let Some(id) = new.agency {
            let theirs = agency(tx.db, id)?.filter(|agency| agency.organisation == new.organisation);
            if theirs.is_none() {
                let message = "The organisation has no such agency.";
                return Err(ApiError::new(Code::InvalidValue, message).at("/data/agency_id"));
            }
        }
        let (key, secret) = issue_key(tx, mode, &new)?;
        audit::record(tx, &cause, "key.issue", key.id)?;
        Ok(IssuedKey { key: key.into(), secret: Some(secret) })
    })
    .await
}

/// One key, without its secret.
#[utoipa::path(get, path = "/v1/keys/{id}", tag = "Access", operation_id = "get_key",
    params(("id" = String, Path, description = "`key_…`")), responses((status = 200, body = Data<ApiKey>)))]
pub async fn get_key(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::KeysWrite)?;
    let id: KeyId = path_id(&id)?;
    let reader = caller.clone();
    let found = caller.read(move |db| visible_key(&reader, db, id)).await?;
    Ok(ok(ApiKey::from(found)))
}

/// Replaces a key by a new one with the same rights; the old one works for `overlap_secs` seconds more. The calling key must have every scope of
/// a key of its own organisation that it rolls.
#[utoipa::path(post, path = "/v1/keys/{id}/actions/roll", tag = "Access", operation_id = "roll_key",
    params(("id" = String, Path, description = "`key_…`")), request_body = Data<RollKey>,
    responses((status = 201, body = Data<IssuedKey>), (status = 409, description = "`invalid_state`: the key is revoked", body = ErrorBody)))]
pub async fn roll(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<RollKey>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::KeysWrite)?;
    let id: KeyId = path_id(&id)?;
    let mut input = Input::default();
    let overlap = input.whole("overlap_secs", body.data.overlap_secs, 0..=MOST_OVERLAP_SECS);
    let overlap = Duration::seconds(input.finish(overlap)?);
    let (cause, roller) = (caller.cause(), caller.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::CREATED, move |tx| {
        let old = visible_key(&roller, tx.db, id)?;
        let own = old.organisation == roller.key.organisation;
        if let Some(scope) = old.scopes.iter().find(|scope| own && !roller.key.scopes.contains(scope)) {
            let message = format!("The key has the scope {}, which the calling key does not have.", scope.text());
            return Err(ApiError::new(Code::InsufficientScope, message));
        }
        let (key, secret) = roll_key(tx, roller.app.mode, id, overlap, roller.key.person)?;
        audit::record(tx, &cause, "key.roll", id)?;
        audit::record(tx, &cause, "key.issue", key.id)?;
        Ok(IssuedKey { key: key.into(), secret: Some(secret) })
    })
    .await
}

/// Revokes a key: from the next request on it is refused. Revoking twice changes nothing.
#[utoipa::path(post, path = "/v1/keys/{id}/actions/revoke", tag = "Access", operation_id = "revoke_key",
    params(("id" = String, Path, description = "`key_…`")), request_body = Data<NoDetails>,
    responses((status = 200, body = Data<ApiKey>), (status = 409, description = "`last_operator_key`", body = ErrorBody)))]
pub async fn revoke(
    caller: Caller,
    request: HttpRequest,
    id: web::Path<String>,
    body: Body<NoDetails>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::KeysWrite)?;
    let id: KeyId = path_id(&id)?;
    let (cause, revoker) = (caller.cause(), caller.clone());
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::OK, move |tx| {
        visible_key(&revoker, tx.db, id)?;
        let revoked = revoke_key(tx, id)?;
        audit::record(tx, &cause, "key.revoke", id)?;
        Ok(ApiKey::from(revoked))
    })
    .await
}
