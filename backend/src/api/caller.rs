//! Who calls: the key or the session of a request, the mode that it chooses, its rate limit, and how a handler reaches the database.

use super::code::Code;
use super::desk::{check_site, mode_of, platform_of, token_of};
use super::error::ApiError;
use super::rate_limit::{Class, RateLimiter};
use super::request_id::RequestId;
use crate::agencies::{Agency, agencies, agency};
use crate::app::{App, Platform};
use crate::audit::{self, Actor, ActorId, Cause};
use crate::db::{Db, DbError, Window, WriteTx, lock_word};
use crate::identity::{
    ApiKey, AuthRefusal, KeyMode, NewOrganisation, OrganisationKind, Scope, SessionRefusal, SignedIn, authenticate,
    open_organisation, organisations, sandbox_of, saw_session, session_of, set_sandbox,
};
use crate::ids::{AgencyId, OrganisationId};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use std::net::IpAddr;
use std::sync::Arc;

/// An authenticated request. Every handler of the API takes one and asks for the scope that it needs.
#[derive(Clone)]
pub struct Caller {
    pub app: Arc<App>,
    pub key: Arc<ApiKey>,
    pub request_id: String,
    pub known: Known,
    /// The person, where the request came with a session.
    pub signed_in: Option<Arc<SignedIn>>,
}

/// Where the key of a caller was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// In the database, for this request.
    Read,
    /// In memory: the caller is nobody until a commit or a read has found the key as it is remembered. Only a sale begins so, because its commit looks.
    Remembered,
}

/// Whose request it is, for the layers around the handlers.
#[derive(Clone)]
pub struct Identified {
    pub app: Arc<App>,
    pub by: ActorId,
    pub organisation: OrganisationId,
}

impl From<&Caller> for Identified {
    fn from(caller: &Caller) -> Self {
        Identified { app: caller.app.clone(), by: caller.actor().by, organisation: caller.key.organisation }
    }
}

impl Caller {
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.key.scopes.contains(&scope) {
            return Ok(());
        }
        let message = format!("This needs the scope {}, which the key or the user does not have.", scope.text());
        Err(ApiError::new(Code::InsufficientScope, message))
    }

    /// For what only a person does who has signed in.
    pub fn person(&self) -> Result<&Arc<SignedIn>, ApiError> {
        let message = "Only somebody who has signed in may do this: a key has no session.";
        self.signed_in.as_ref().ok_or_else(|| ApiError::new(Code::InsufficientScope, message))
    }

    /// People and what they may do are kept in live mode only.
    pub fn require_live(&self) -> Result<(), ApiError> {
        if self.app.mode.is_live() { Ok(()) } else { Err(ApiError::of(Code::LiveModeOnly)) }
    }

    pub fn is_operator(&self) -> bool {
        self.key.kind == OrganisationKind::Operator
    }

    pub fn actor(&self) -> Actor {
        self.key.actor()
    }

    pub fn cause(&self) -> Cause {
        Cause { actor: self.actor(), request_id: self.request_id.clone() }
    }

    /// Reads off the request's thread.
    pub async fn read<T, E>(&self, reads: impl FnOnce(&mut Db) -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: From<DbError> + Into<ApiError> + Send + 'static,
    {
        let app = self.app.clone();
        blocking(move || app.store.read(reads)).await
    }

    /// Changes state in one commit, off the request's thread.
    pub async fn write<T, E>(&self, change: impl FnOnce(&mut WriteTx) -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: From<DbError> + Into<ApiError> + Send + 'static,
    {
        let app = self.app.clone();
        blocking(move || app.store.write(change)).await
    }

    /// The agency that this key sells for: the one it is bound to, or its organisation's only one.
    pub async fn selling_agency(&self) -> Result<Agency, ApiError> {
        let caller = self.clone();
        self.read(move |db| caller.selling_agency_in(db)).await
    }

    /// The same among other reads.
    pub fn selling_agency_in(&self, db: &mut Db) -> Result<Agency, ApiError> {
        let (bound, organisation) = (self.key.agency, self.key.organisation);
        let found: Vec<Agency> = match bound {
            Some(id) => agency(db, id)?.into_iter().filter(|agency| agency.organisation == organisation).collect(),
            None => agencies(db, Some(organisation), Window::OlderThan(i64::MAX), 2)?,
        };
        match <[Agency; 1]>::try_from(found) {
            Ok([only]) => Ok(only),
            Err(several) if several.is_empty() => {
                Err(ApiError::new(Code::AgencyNotFound, "The organisation of this key has no agency."))
            }
            Err(_) => {
                Err(ApiError::new(Code::AgencyNotFound, "The organisation has several agencies: use a key that is bound to one."))
            }
        }
    }

    /// The agencies whose things this caller sees; `None`: all of them.
    pub async fn visible_agencies(&self) -> Result<Option<Vec<AgencyId>>, ApiError> {
        let organisation = match self.key.kind {
            OrganisationKind::Operator => return Ok(None),
            OrganisationKind::Agency => self.key.organisation,
            OrganisationKind::Airline | OrganisationKind::Bank => return Ok(Some(Vec::new())),
        };
        let own = self.read(move |db| agencies(db, Some(organisation), Window::OlderThan(i64::MAX), 1_000)).await?;
        let bound = self.key.agency;
        Ok(Some(own.iter().map(|agency| agency.id).filter(|id| bound.is_none_or(|bound| bound == *id)).collect()))
    }
}

/// Runs blocking work on the thread pool that is made for it.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, ApiError>
where
    T: Send + 'static,
    E: Into<ApiError> + Send + 'static,
{
    web::block(work).await.map_err(ApiError::internal)?.map_err(Into::into)
}

fn class_of(request: &HttpRequest) -> Class {
    match (request.method(), request.path().trim_end_matches('/')) {
        (&Method::POST, "/air/offer_requests") => Class::Search,
        (&Method::POST, "/air/orders" | "/air/payments") => Class::Sale,
        _ => Class::Other,
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { identify(&request).await })
    }
}

/// Finds whose request it is, by key or by session, and takes one from its rate.
pub(super) async fn identify(request: &HttpRequest) -> Result<Caller, ApiError> {
    let limiter = request.app_data::<web::Data<RateLimiter>>().ok_or_else(|| ApiError::internal("no rate limiter"))?;
    let (class, platform) = (class_of(request), platform_of(request)?);
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let caller = match token_of(request, platform).filter(|_| !request.headers().contains_key(AUTHORIZATION)) {
        Some(token) => by_session(request, platform, token, request_id).await?,
        None => by_key(request, class, request_id).await?,
    };
    // A person is counted by one clock on both sides.
    let now = if caller.signed_in.is_some() { platform.live.now() } else { caller.app.now() };
    let verdict = limiter.take(caller.key.id, class, now);
    verdict.check()?;
    request.extensions_mut().insert(verdict);
    request.extensions_mut().insert(Identified::from(&caller));
    Ok(caller)
}

async fn by_key(request: &HttpRequest, class: Class, request_id: String) -> Result<Caller, ApiError> {
    let (app, secret) = presented(request)?;
    let remembered = if class == Class::Sale { app.keys.recall(&secret) } else { None };
    let (key, known) = match remembered.filter(|key| key.refusal(app.now(), peer(request)).is_none()) {
        Some(key) => (key, Known::Remembered),
        None => (look_up(&app, secret, peer(request)).await?, Known::Read),
    };
    Ok(Caller { app, key, request_id, known, signed_in: None })
}

/// A session acts for its user's organisation; on the test side for that organisation's sandbox, where the user may.
async fn by_session(
    request: &HttpRequest,
    platform: &web::Data<Platform>,
    token: String,
    request_id: String,
) -> Result<Caller, ApiError> {
    check_site(request)?;
    let (mode, live, test) = (mode_of(request)?, platform.live.clone(), platform.test.clone());
    let found = blocking(move || {
        let now = live.now();
        let signed_in = match live.store.read(|db| session_of(db, &token, now))? {
            Ok(signed_in) => signed_in,
            Err(SessionRefusal::Unknown) => return Err(ApiError::of(Code::Unauthenticated)),
            Err(SessionRefusal::Over) => return Err(ApiError::of(Code::SessionExpired)),
        };
        if signed_in.session.is_seen_anew(now) {
            live.store.write(|tx| saw_session(tx, signed_in.session.id))?;
        }
        let organisation = match mode {
            KeyMode::Live => signed_in.organisation.id,
            KeyMode::Test => sandbox(&test, &signed_in)?,
        };
        Ok((signed_in, organisation))
    });
    let (signed_in, organisation) = found.await?;
    let key = Arc::new(ApiKey::of_session(&signed_in, organisation, mode));
    let app = platform.app(mode).clone();
    Ok(Caller { app, key, request_id, known: Known::Read, signed_in: Some(Arc::new(signed_in)) })
}

/// The organisation that a person acts for in test mode; it is opened when it is first asked for.
fn sandbox(test: &App, signed_in: &SignedIn) -> Result<OrganisationId, ApiError> {
    if !signed_in.permissions.contains(&Scope::ClockWrite) {
        let message = format!("Acting in test mode needs the scope {}, which the user does not have.", Scope::ClockWrite.text());
        return Err(ApiError::new(Code::InsufficientScope, message));
    }
    let live = &signed_in.organisation;
    if let Some(known) = test.store.read(|db| sandbox_of(db, live.id))? {
        return Ok(known.id);
    }
    let cause = Cause { actor: Actor::platform(), request_id: "sandbox".to_owned() };
    let opened = test.store.write(|tx| {
        lock_word(tx, &format!("sandbox of {}", live.id))?;
        if let Some(known) = sandbox_of(tx.db, live.id)? {
            return Ok::<_, DbError>(known.id);
        }
        // There is one operator.
        let operator =
            organisations(tx.db, Window::NEWEST, i64::MAX)?.into_iter().find(|one| one.kind == OrganisationKind::Operator);
        let opened = match operator.filter(|_| live.kind == OrganisationKind::Operator) {
            Some(operator) => operator,
            None => open_organisation(
                tx,
                NewOrganisation { kind: live.kind, name: live.name.clone(), country: live.country.clone() },
            )?,
        };
        set_sandbox(tx, opened.id, live.id)?;
        audit::record(tx, &cause, "organisation.sandbox", opened.id)?;
        Ok(opened.id)
    })?;
    Ok(opened)
}

impl Caller {
    /// The same request by a key that is read now.
    pub async fn read_again(self, request: &HttpRequest) -> Result<Self, ApiError> {
        // A session is read for every request.
        if self.signed_in.is_some() {
            return Ok(self);
        }
        let (app, secret) = presented(request)?;
        Ok(Caller { key: look_up(&app, secret, peer(request)).await?, known: Known::Read, ..self })
    }
}

/// Whether who made a request still gets in as it did, for an answer that goes on for long. It is no use of the session, which ends when nobody is there.
pub(super) async fn still_gets_in(request: &HttpRequest, caller: &Caller, scopes: &'static [Scope]) -> bool {
    let may = |held: &[Scope]| scopes.iter().any(|scope| held.contains(scope));
    if caller.signed_in.is_none() {
        let Ok((app, secret)) = presented(request) else { return false };
        let known = look_up(&app, secret, peer(request)).await;
        return known.is_ok_and(|key| key.id == caller.key.id && key.agency == caller.key.agency && may(&key.scopes));
    }
    let Ok(platform) = platform_of(request) else { return false };
    let Some(token) = token_of(request, platform) else { return false };
    let live = platform.live.clone();
    let found = blocking(move || live.store.read(|db| session_of(db, &token, live.now())));
    found.await.is_ok_and(|known| known.is_ok_and(|signed_in| may(&signed_in.permissions)))
}

/// The secret of a request and the mode that its prefix chooses.
fn presented(request: &HttpRequest) -> Result<(Arc<App>, String), ApiError> {
    let platform = platform_of(request)?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim).map(str::to_owned);
    let Some(secret) = secret else { return Err(ApiError::of(Code::Unauthenticated)) };
    let Some(mode) = KeyMode::of(&secret) else { return Err(ApiError::of(Code::Unauthenticated)) };
    Ok((platform.app(mode).clone(), secret))
}

pub(super) fn peer(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|address| address.ip())
}

async fn look_up(app: &Arc<App>, secret: String, from: Option<IpAddr>) -> Result<Arc<ApiKey>, ApiError> {
    let app = app.clone();
    let known = blocking(move || {
        let known = app.store.read(|db| authenticate(db, &secret, app.now(), from))?.map(Arc::new);
        if let Ok(key) = &known
            && key.scopes.contains(&Scope::AirWrite)
        {
            app.keys.remember(&secret, key.clone());
        }
        Ok::<_, DbError>(known)
    });
    known.await?.map_err(|refusal| match refusal {
        AuthRefusal::Unknown => ApiError::of(Code::Unauthenticated),
        AuthRefusal::Expired => ApiError::of(Code::KeyExpired),
        AuthRefusal::Revoked => ApiError::of(Code::KeyRevoked),
        AuthRefusal::IpNotAllowed => ApiError::of(Code::IpNotAllowed),
        AuthRefusal::Frozen => ApiError::of(Code::AgencyApiFrozen),
    })
}
