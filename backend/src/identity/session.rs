//! Sessions: a person's signed-in devices. A session ends by itself after twelve hours or two hours without a request, with a change of the password, and when
//! its user is disabled; what it may do is read for every request.

use super::key::Scope;
use super::organisation::Organisation;
use super::role::permissions_of;
use super::secret::{digest, token};
use super::user::{User, UserRow, UserStatus, with_kind};
use crate::clock::Timestamp;
use crate::db::schema::{app_user, organisation, session};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{Id, SessionId, UserId};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct SessionRow in session {
        id: i64,
        user_id: i64,
        token_digest: Vec<u8>,
        device: String,
        address: String,
        created_at: NaiveDateTime,
        seen_at: NaiveDateTime,
        expires_at: NaiveDateTime,
        ended_at: Option<NaiveDateTime>,
    }
}

const LASTS: Duration = Duration::hours(12);
const IDLE: Duration = Duration::hours(2);
/// How exactly it is known when a session was seen last.
const SEEN_EVERY: Duration = Duration::minutes(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub user: UserId,
    /// What the browser calls itself.
    pub device: String,
    pub address: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// Whose request it is that came with a session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: Session,
    pub user: User,
    pub organisation: Organisation,
    pub permissions: Vec<Scope>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionRefusal {
    Unknown,
    Over,
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Session {
            id: SessionId::of(row.id),
            user: UserId::of(row.user_id),
            device: row.device,
            address: row.address,
            created_at: row.created_at.into(),
            seen_at: row.seen_at.into(),
            expires_at: row.expires_at.into(),
            ended_at: row.ended_at.map(Timestamp::from),
        }
    }
}

impl Session {
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at && now < self.seen_at.plus(IDLE)
    }

    /// Whether it is worth writing that it was seen.
    pub fn is_seen_anew(&self, now: Timestamp) -> bool {
        now >= self.seen_at.plus(SEEN_EVERY)
    }
}

/// Makes a session; the token in the answer is nowhere else.
pub(super) fn begin_session(tx: &mut WriteTx, user: UserId, device: &str, address: &str) -> Result<(Session, String), DbError> {
    let token = token()?;
    let row = SessionRow {
        id: tx.ids.next::<SessionId>().raw(),
        user_id: user.raw(),
        token_digest: digest(&token),
        device: device.to_owned(),
        address: address.to_owned(),
        created_at: tx.now.naive(),
        seen_at: tx.now.naive(),
        expires_at: tx.now.plus(LASTS).naive(),
        ended_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok((row.into(), token))
}

/// Whether the user has signed in from there before.
pub(super) fn is_known_device(db: &mut Db, user: UserId, device: &str, address: &str) -> Result<bool, DbError> {
    let same = session::table.filter(session::user_id.eq(user.raw())).filter(session::device.eq(device));
    Ok(same.filter(session::address.eq(address)).count().get_result::<i64>(db)? > 0)
}

/// Finds the session of a token and whether it may be used now.
pub fn session_of(db: &mut Db, token: &str, now: Timestamp) -> Result<Result<SignedIn, SessionRefusal>, DbError> {
    let found: Option<SessionRow> =
        session::table.filter(session::token_digest.eq(digest(token))).select(SessionRow::as_select()).first(db).optional()?;
    let Some(found) = found.map(Session::from) else { return Ok(Err(SessionRefusal::Unknown)) };
    if !found.is_alive(now) {
        return Ok(Err(SessionRefusal::Over));
    }
    Ok(signed_in(db, found)?.ok_or(SessionRefusal::Over))
}

/// With its user as it is now; `None`: the user does not get in.
fn signed_in(db: &mut Db, session: Session) -> Result<Option<SignedIn>, DbError> {
    let by_id = app_user::table.inner_join(organisation::table).filter(app_user::id.eq(session.user.raw()));
    let found: Option<(UserRow, String)> = by_id.select((UserRow::as_select(), organisation::kind)).first(db).optional()?;
    let Some(user) = found.map(with_kind).transpose()?.filter(|user| user.status == UserStatus::Active) else { return Ok(None) };
    let Some(organisation) = super::organisation(db, user.organisation)? else { return Ok(None) };
    let permissions = permissions_of(db, user.kind, &user.roles)?;
    let permissions = permissions.ok_or_else(|| DbError::Corrupt(format!("roles of user {}", user.id)))?;
    Ok(Some(SignedIn { session, user, organisation, permissions }))
}

/// These sessions as they stand, for comparing with what was read of them before.
pub fn sessions_by_id(db: &mut Db, ids: &[SessionId], now: Timestamp) -> Result<Vec<SignedIn>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<SessionRow> = session::table.filter(session::id.eq_any(raw)).select(SessionRow::as_select()).load(db)?;
    let mut alive = Vec::new();
    for found in rows.into_iter().map(Session::from).filter(|session| session.is_alive(now)) {
        alive.extend(signed_in(db, found)?);
    }
    Ok(alive)
}

pub fn saw_session(tx: &mut WriteTx, id: SessionId) -> Result<(), DbError> {
    let row = session::table.find(id.raw());
    diesel::update(row).set(session::seen_at.eq(tx.now.naive())).execute(&mut *tx.db)?;
    Ok(())
}

/// Of one user, those that are not over; newest first.
pub fn sessions_of(db: &mut Db, user: UserId, now: Timestamp, window: Window, limit: i64) -> Result<Vec<Session>, DbError> {
    let query = windowed!(session::table.into_boxed(), session::id, window, limit);
    let query = query.filter(session::user_id.eq(user.raw())).filter(session::ended_at.is_null());
    let query = query.filter(session::expires_at.gt(now.naive())).filter(session::seen_at.gt(now.plus(-IDLE).naive()));
    let rows: Vec<SessionRow> = query.select(SessionRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(Session::from).collect())
}

/// Ends one session of a user; answers whether there was one. Ending it twice changes nothing.
pub fn end_session(tx: &mut WriteTx, user: UserId, id: SessionId) -> Result<bool, DbError> {
    let own = session::table.filter(session::id.eq(id.raw())).filter(session::user_id.eq(user.raw()));
    let found: Option<SessionRow> = own.select(SessionRow::as_select()).first(&mut *tx.db).optional()?;
    let open = session::table.filter(session::id.eq(id.raw())).filter(session::user_id.eq(user.raw()));
    let open = open.filter(session::ended_at.is_null());
    diesel::update(open).set(session::ended_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db)?;
    Ok(found.is_some())
}

/// Ends all sessions of a user, but one where it is named.
pub fn end_sessions(tx: &mut WriteTx, user: UserId, but: Option<SessionId>) -> Result<(), DbError> {
    let but = but.map_or(0, Id::raw);
    let open = session::table.filter(session::user_id.eq(user.raw())).filter(session::ended_at.is_null());
    let others = open.filter(session::id.ne(but));
    diesel::update(others).set(session::ended_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db)?;
    Ok(())
}
