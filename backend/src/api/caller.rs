//! Who calls: the key of a request, the mode that its prefix chooses, its rate limit, and how a handler reaches the database.

use super::code::Code;
use super::error::ApiError;
use super::rate_limit::{Class, RateLimiter};
use super::request_id::RequestId;
use crate::agencies::{Agency, agencies, agency};
use crate::app::{App, Platform};
use crate::audit::{Actor, Cause};
use crate::db::{Db, DbError, Window, WriteTx};
use crate::identity::{ApiKey, AuthRefusal, KeyMode, OrganisationKind, Scope, authenticate};
use crate::ids::{AgencyId, KeyId, OrganisationId};
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
    pub key: KeyId,
    pub organisation: OrganisationId,
}

impl From<&Caller> for Identified {
    fn from(caller: &Caller) -> Self {
        Identified { app: caller.app.clone(), key: caller.key.id, organisation: caller.key.organisation }
    }
}

impl Caller {
    pub fn require(&self, scope: Scope) -> Result<(), ApiError> {
        if self.key.scopes.contains(&scope) {
            return Ok(());
        }
        let message = format!("This needs the scope {}, which the key does not have.", scope.text());
        Err(ApiError::new(Code::InsufficientScope, message))
    }

    pub fn is_operator(&self) -> bool {
        self.key.kind == OrganisationKind::Operator
    }

    pub fn actor(&self) -> Actor {
        Actor { organisation: self.key.organisation, key: self.key.id }
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

/// Finds the key of a request and takes one from its rate.
pub(super) async fn identify(request: &HttpRequest) -> Result<Caller, ApiError> {
    let limiter = request.app_data::<web::Data<RateLimiter>>().ok_or_else(|| ApiError::internal("no rate limiter"))?;
    let class = class_of(request);
    let (app, secret) = presented(request)?;
    let remembered = if class == Class::Sale { app.keys.recall(&secret) } else { None };
    let (key, known) = match remembered.filter(|key| key.refusal(app.now(), peer(request)).is_none()) {
        Some(key) => (key, Known::Remembered),
        None => (look_up(&app, secret, peer(request)).await?, Known::Read),
    };
    let verdict = limiter.take(key.id, class, app.now());
    verdict.check()?;
    let request_id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    request.extensions_mut().insert(verdict);
    let caller = Caller { app, key, request_id, known };
    request.extensions_mut().insert(Identified::from(&caller));
    Ok(caller)
}

impl Caller {
    /// The same request by a key that is read now.
    pub async fn read_again(self, request: &HttpRequest) -> Result<Self, ApiError> {
        let (app, secret) = presented(request)?;
        Ok(Caller { key: look_up(&app, secret, peer(request)).await?, known: Known::Read, ..self })
    }
}

/// The secret of a request and the mode that its prefix chooses.
fn presented(request: &HttpRequest) -> Result<(Arc<App>, String), ApiError> {
    let platform = request.app_data::<web::Data<Platform>>().ok_or_else(|| ApiError::internal("no platform"))?;
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let secret = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::trim).map(str::to_owned);
    let Some(secret) = secret else { return Err(ApiError::of(Code::Unauthenticated)) };
    let Some(mode) = KeyMode::of(&secret) else { return Err(ApiError::of(Code::Unauthenticated)) };
    Ok((platform.app(mode).clone(), secret))
}

fn peer(request: &HttpRequest) -> Option<IpAddr> {
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
