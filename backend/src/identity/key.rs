//! API keys. The secret has 160 random bits, is shown once and stored as its SHA-256: with that much entropy a slow hash adds nothing.

use crate::audit::{Actor, ActorId};
use crate::clock::Timestamp;
use crate::db::schema::{agency, api_key, organisation};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::identity::organisation::OrganisationKind;
use crate::identity::secret::{digest, random};
use crate::identity::session::SignedIn;
use crate::ids::{AgencyId, Id, KeyId, OrganisationId, SessionId, UserId};
use chrono::{Duration, NaiveDateTime};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

rows! {
    pub struct KeyRow in api_key {
        id: i64,
        organisation_id: i64,
        agency_id: Option<i64>,
        name: String,
        secret_digest: Vec<u8>,
        hint: String,
        scopes: String,
        allowed_ips: String,
        expires_at: Option<NaiveDateTime>,
        revoked_at: Option<NaiveDateTime>,
        created_at: NaiveDateTime,
        user_id: Option<i64>,
    }
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Scope { $($(#[$doc])* $name),+ }
        impl Scope {
            pub const ALL: &'static [Scope] = &[$(Scope::$name),+];
            pub fn text(self) -> &'static str { match self { $(Scope::$name => $text),+ } }
        }
    };
}

scopes! {
    /// Search, and read orders and tickets.
    AirRead = "air:read",
    /// Order.
    AirWrite = "air:write",
    /// Say what happened to an airline's coupons, and change its flights.
    CouponsWrite = "coupons:write",
    /// What may still be sold.
    LimitsRead = "limits:read",
    /// Limits, exposure, ledger, facilities and disbursements.
    FinanceRead = "finance:read",
    /// Bank receipts, payments and facilities.
    FinanceWrite = "finance:write",
    /// Limit policies, score cards, velocity rules, temporary limits and kill switches.
    RiskWrite = "risk:write",
    /// Organisations, agencies, airlines and contracts.
    PartiesRead = "parties:read",
    PartiesWrite = "parties:write",
    /// Issue, roll and revoke keys.
    KeysWrite = "keys:write",
    /// Invite people, say what they may do, and keep them out.
    UsersWrite = "users:write",
    /// Say where the organisation's events are delivered.
    WebhooksWrite = "webhooks:write",
    /// Claim and grant after the sale, and answer that.
    MemosWrite = "memos:write",
    /// Agree to or refuse what somebody else has asked for.
    ApprovalsWrite = "approvals:write",
    /// Move the test clock; for a person, act in test mode at all.
    ClockWrite = "clock:write",
}

impl Scope {
    pub fn parse(text: &str) -> Option<Self> {
        Scope::ALL.iter().copied().find(|scope| scope.text() == text)
    }

    /// What kinds of organisation may hold it: money and parties are written by the operator alone.
    pub fn allowed_to(self, kind: OrganisationKind) -> bool {
        match self {
            Scope::FinanceWrite | Scope::RiskWrite | Scope::PartiesWrite | Scope::ApprovalsWrite => {
                kind == OrganisationKind::Operator
            }
            Scope::AirWrite => kind == OrganisationKind::Agency,
            Scope::MemosWrite => kind != OrganisationKind::Bank,
            Scope::CouponsWrite => matches!(kind, OrganisationKind::Airline | OrganisationKind::Operator),
            Scope::LimitsRead | Scope::AirRead => matches!(kind, OrganisationKind::Agency | OrganisationKind::Operator),
            Scope::FinanceRead
            | Scope::PartiesRead
            | Scope::KeysWrite
            | Scope::UsersWrite
            | Scope::ClockWrite
            | Scope::WebhooksWrite => true,
        }
    }
}

/// Live keys act on the live database, test keys on the test database; the prefix tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyMode {
    Live,
    Test,
}

impl KeyMode {
    pub fn is_live(self) -> bool {
        self == KeyMode::Live
    }
}

impl KeyMode {
    pub fn text(self) -> &'static str {
        match self {
            KeyMode::Live => "live",
            KeyMode::Test => "test",
        }
    }

    pub fn prefix(self) -> &'static str {
        match self {
            KeyMode::Live => "as_live_",
            KeyMode::Test => "as_test_",
        }
    }

    pub fn of(secret: &str) -> Option<Self> {
        [KeyMode::Live, KeyMode::Test].into_iter().find(|mode| secret.starts_with(mode.prefix()))
    }
}

/// Whoever calls for an organisation: mostly a key, else a person's session, which acts like one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Of a session: its user's id, which no key has.
    pub id: KeyId,
    pub organisation: OrganisationId,
    pub kind: OrganisationKind,
    /// The branch that this key sells for; `None`: the organisation's only agency.
    pub agency: Option<AgencyId>,
    pub name: String,
    /// The last four characters of the secret.
    pub hint: String,
    pub scopes: Vec<Scope>,
    /// Empty: from anywhere.
    pub allowed_ips: Vec<IpAddr>,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// The person who made it or whose session it is.
    pub person: Option<UserId>,
    pub session: Option<AtTheDesk>,
}

/// A person's session instead of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtTheDesk {
    pub session: SessionId,
    /// People belong to live mode: only there can a commit look whether the session still stands.
    pub mode: KeyMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthRefusal {
    Unknown,
    Expired,
    Revoked,
    IpNotAllowed,
    /// The keys of its agency are frozen.
    Frozen,
}

/// How many agencies that a key acts for have their keys frozen: the one that it is bound to, or any of its organisation's.
const FROZEN_AGENCIES: &str = "(SELECT COUNT(*) FROM agency f WHERE f.organisation_id = api_key.organisation_id
    AND (api_key.agency_id IS NULL OR f.id = api_key.agency_id) AND f.frozen_scopes LIKE '%api%')";

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("scope {} is not for an organisation of kind {}", .0.text(), .1.text())]
    ScopeNotAllowed(Scope, OrganisationKind),
    #[error("a key needs at least one scope")]
    NoScope,
    #[error("the agency is not the organisation's")]
    NotItsAgency,
    #[error("no such organisation")]
    NoOrganisation,
    #[error("no such key")]
    NotFound,
    #[error("the key is revoked")]
    Revoked,
    #[error("the operator's last key that can issue keys cannot be revoked")]
    LastOperatorKey,
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewKey {
    pub organisation: OrganisationId,
    pub agency: Option<AgencyId>,
    pub name: String,
    pub scopes: Vec<Scope>,
    pub allowed_ips: Vec<IpAddr>,
    pub expires_at: Option<Timestamp>,
    /// Who makes it, where a person does.
    pub person: Option<UserId>,
}

fn with_kind(row: KeyRow, kind: &str) -> Result<ApiKey, DbError> {
    let corrupt = |what: &str| DbError::Corrupt(format!("{what} of key {}", row.id));
    let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    Ok(ApiKey {
        id: KeyId::of(row.id),
        organisation: OrganisationId::of(row.organisation_id),
        kind: OrganisationKind::parse(kind).ok_or_else(|| corrupt("kind"))?,
        agency: row.agency_id.map(AgencyId::of),
        scopes: words(&row.scopes)
            .iter()
            .map(|word| Scope::parse(word).ok_or_else(|| corrupt("scope")))
            .collect::<Result<_, _>>()?,
        allowed_ips: words(&row.allowed_ips)
            .iter()
            .map(|word| word.parse().map_err(|_| corrupt("address")))
            .collect::<Result<_, _>>()?,
        expires_at: row.expires_at.map(Timestamp::from),
        revoked_at: row.revoked_at.map(Timestamp::from),
        created_at: Timestamp::from(row.created_at),
        person: row.user_id.map(UserId::of),
        session: None,
        name: row.name,
        hint: row.hint,
    })
}

/// Finds the key of a secret and says whether it may be used now and from there.
pub fn authenticate(
    db: &mut Db,
    secret: &str,
    now: Timestamp,
    from: Option<IpAddr>,
) -> Result<Result<ApiKey, AuthRefusal>, DbError> {
    let by_digest = api_key::table.inner_join(organisation::table).filter(api_key::secret_digest.eq(digest(secret)));
    let columns = (KeyRow::as_select(), organisation::kind, sql::<BigInt>(FROZEN_AGENCIES));
    let found: Option<(KeyRow, String, i64)> = by_digest.select(columns).first(db).optional()?;
    let Some((row, kind, frozen)) = found else { return Ok(Err(AuthRefusal::Unknown)) };
    let key = with_kind(row, &kind)?;
    Ok(match key.refusal(now, from) {
        Some(refusal) => Err(refusal),
        None if frozen > 0 => Err(AuthRefusal::Frozen),
        None => Ok(key),
    })
}

impl ApiKey {
    /// A session in the form of a key, of the organisation that it acts for in this mode.
    pub fn of_session(signed_in: &SignedIn, organisation: OrganisationId, mode: KeyMode) -> Self {
        let SignedIn { session, user, permissions, .. } = signed_in;
        ApiKey {
            id: KeyId::of(user.id.raw()),
            organisation,
            kind: user.kind,
            agency: None,
            name: user.name.clone(),
            hint: String::new(),
            scopes: permissions.clone(),
            allowed_ips: Vec::new(),
            // The clock of test mode is another one.
            expires_at: (mode == KeyMode::Live).then_some(session.expires_at),
            revoked_at: None,
            created_at: session.created_at,
            person: Some(user.id),
            session: Some(AtTheDesk { session: session.id, mode }),
        }
    }

    pub fn actor(&self) -> Actor {
        let by = match (self.session, self.person) {
            (Some(_), Some(user)) => ActorId::User(user),
            _ => ActorId::Key(self.id),
        };
        Actor { organisation: self.organisation, by, person: self.person }
    }

    /// Neither revoked nor expired.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        let over = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        !over(self.revoked_at) && !over(self.expires_at)
    }

    /// Why it may not be used now or from there, if it may not.
    pub fn refusal(&self, now: Timestamp, from: Option<IpAddr>) -> Option<AuthRefusal> {
        if !self.is_alive(now) {
            let revoked = self.revoked_at.is_some_and(|at| at <= now);
            return Some(if revoked { AuthRefusal::Revoked } else { AuthRefusal::Expired });
        }
        let from_elsewhere = !self.allowed_ips.is_empty() && !from.is_some_and(|address| self.allowed_ips.contains(&address));
        from_elsewhere.then_some(AuthRefusal::IpNotAllowed)
    }
}

/// Keys that were used lately, by the digest of their secret. Remembering one authorises nothing: whoever uses it reads it again in the
/// transaction that it is to authorise ([`keys_by_id`]). Bounded: a full memory starts again.
#[derive(Debug, Default)]
pub struct RecentKeys(Mutex<HashMap<Vec<u8>, Arc<ApiKey>>>);

const MOST_RECENT: usize = 8_192;

impl RecentKeys {
    pub fn remember(&self, secret: &str, key: Arc<ApiKey>) {
        let mut recent = self.0.lock();
        if recent.len() >= MOST_RECENT {
            recent.clear();
        }
        recent.insert(digest(secret), key);
    }

    pub fn recall(&self, secret: &str) -> Option<Arc<ApiKey>> {
        self.0.lock().get(&digest(secret)).cloned()
    }
}

/// Makes a key; the secret in the answer is nowhere else.
pub fn issue_key(tx: &mut WriteTx, mode: KeyMode, new: &NewKey) -> Result<(ApiKey, String), KeyError> {
    let owner = super::organisation(tx.db, new.organisation)?.ok_or(KeyError::NoOrganisation)?;
    if let Some(bound) = new.agency {
        let owner = agency::table.find(bound.raw()).select(agency::organisation_id).first::<i64>(&mut *tx.db).optional();
        if owner.map_err(DbError::from)? != Some(new.organisation.raw()) {
            return Err(KeyError::NotItsAgency);
        }
    }
    if new.scopes.is_empty() {
        return Err(KeyError::NoScope);
    }
    if let Some(scope) = new.scopes.iter().find(|scope| !scope.allowed_to(owner.kind)) {
        return Err(KeyError::ScopeNotAllowed(*scope, owner.kind));
    }
    let secret = format!("{}{}", mode.prefix(), hex::encode(random::<20>()?));
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.text()).collect();
    let ips: Vec<String> = new.allowed_ips.iter().map(ToString::to_string).collect();
    let row = KeyRow {
        id: tx.ids.next::<KeyId>().raw(),
        organisation_id: new.organisation.raw(),
        agency_id: new.agency.map(Id::raw),
        name: new.name.clone(),
        secret_digest: digest(&secret),
        hint: secret.chars().skip(secret.len() - 4).collect(),
        scopes: scopes.join(" "),
        allowed_ips: ips.join(" "),
        expires_at: new.expires_at.map(Timestamp::naive),
        revoked_at: None,
        created_at: tx.now.naive(),
        user_id: new.person.map(Id::raw),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok((with_kind(row, owner.kind.text())?, secret))
}

/// A new secret with the same rights; the old one works for `overlap` longer, so that clients can change over.
/// The new secret is in the hands of `person`, where a person rolls it.
pub fn roll_key(
    tx: &mut WriteTx,
    mode: KeyMode,
    id: KeyId,
    overlap: Duration,
    person: Option<UserId>,
) -> Result<(ApiKey, String), KeyError> {
    let old = key(tx.db, id)?.ok_or(KeyError::NotFound)?;
    if old.revoked_at.is_some_and(|at| at <= tx.now) {
        return Err(KeyError::Revoked);
    }
    let old_ends = old.revoked_at;
    let ApiKey { organisation, agency, name, scopes, allowed_ips, expires_at, .. } = old;
    let made = issue_key(tx, mode, &NewKey { organisation, agency, name, scopes, allowed_ips, expires_at, person })?;
    // Rolling again never lengthens the life of an old secret.
    let until = tx.now.plus(overlap);
    let until = old_ends.map_or(until, |ends| ends.min(until)).naive();
    let row = api_key::table.find(id.raw());
    diesel::update(row).set(api_key::revoked_at.eq(Some(until))).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(made)
}

/// From the next request on the key is refused. Revoking twice changes nothing.
pub fn revoke_key(tx: &mut WriteTx, id: KeyId) -> Result<ApiKey, KeyError> {
    let known = key(tx.db, id)?.ok_or(KeyError::NotFound)?;
    if known.revoked_at.is_some_and(|at| at <= tx.now) {
        return Ok(known);
    }
    let issues_keys = |key: &ApiKey| {
        key.kind == OrganisationKind::Operator
            && key.scopes.contains(&Scope::KeysWrite)
            && key.revoked_at.is_none()
            && key.expires_at.is_none_or(|at| at > tx.now)
    };
    if issues_keys(&known) {
        let others = keys_of(tx.db, Some(known.organisation), Window::NEWEST, 1_000)?;
        if !others.iter().any(|other| other.id != id && issues_keys(other)) {
            return Err(KeyError::LastOperatorKey);
        }
    }
    let row = api_key::table.find(id.raw());
    diesel::update(row).set(api_key::revoked_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(ApiKey { revoked_at: Some(tx.now), ..known })
}

pub fn key(db: &mut Db, id: KeyId) -> Result<Option<ApiKey>, DbError> {
    let by_id = api_key::table.inner_join(organisation::table).filter(api_key::id.eq(id.raw()));
    let found: Option<(KeyRow, String)> = by_id.select((KeyRow::as_select(), organisation::kind)).first(db).optional()?;
    found.map(|(row, kind)| with_kind(row, &kind)).transpose()
}

/// These keys as they stand, for comparing with what was read of them before.
pub fn keys_by_id(db: &mut Db, ids: &[KeyId]) -> Result<Vec<ApiKey>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let by_id = api_key::table.inner_join(organisation::table).filter(api_key::id.eq_any(raw));
    let found: Vec<(KeyRow, String)> = by_id.select((KeyRow::as_select(), organisation::kind)).load(db)?;
    found.into_iter().map(|(row, kind)| with_kind(row, &kind)).collect()
}

/// Of one organisation, or of all.
pub fn keys_of(db: &mut Db, owner: Option<OrganisationId>, window: Window, limit: i64) -> Result<Vec<ApiKey>, DbError> {
    let all = api_key::table.inner_join(organisation::table).into_boxed();
    let mut query = windowed!(all, api_key::id, window, limit);
    if let Some(owner) = owner {
        query = query.filter(api_key::organisation_id.eq(owner.raw()));
    }
    let found: Vec<(KeyRow, String)> = query.select((KeyRow::as_select(), organisation::kind)).load(db)?;
    found.into_iter().map(|(row, kind)| with_kind(row, &kind)).collect()
}
