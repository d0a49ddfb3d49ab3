//! People who may sign in for an organisation. They belong to live mode; with the right to it they also act in the organisation's sandbox.

use super::key::Scope;
use super::organisation::OrganisationKind;
use super::role::permissions_of;
use super::session::end_sessions;
use crate::clock::Timestamp;
use crate::db::schema::{app_user, organisation};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{Id, OrganisationId, UserId};
use crate::notify::Language;
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct UserRow in app_user {
        id: i64,
        organisation_id: i64,
        email: String,
        name: String,
        locale: String,
        roles: String,
        status: String,
        password_hash: String,
        password_changed_at: NaiveDateTime,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStatus {
    Active,
    /// Signed out everywhere, and does not get in.
    Disabled,
}

impl UserStatus {
    pub fn text(self) -> &'static str {
        match self {
            UserStatus::Active => "active",
            UserStatus::Disabled => "disabled",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [UserStatus::Active, UserStatus::Disabled].into_iter().find(|status| status.text() == text)
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub organisation: OrganisationId,
    pub kind: OrganisationKind,
    pub email: String,
    pub name: String,
    pub language: Language,
    pub roles: Vec<String>,
    pub status: UserStatus,
    pub(super) password_hash: String,
    pub password_changed_at: Timestamp,
    pub created_at: Timestamp,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({})", self.id)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum UserError {
    #[error("no such user")]
    NotFound,
    #[error("there is no such role in an organisation of this kind")]
    UnknownRole,
    #[error("somebody in the organisation has to be able to manage its users")]
    LastAdmin,
    #[error("the address is somebody's already")]
    EmailTaken,
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewUser {
    pub organisation: OrganisationId,
    /// In small letters.
    pub email: String,
    pub name: String,
    pub language: Language,
    pub roles: Vec<String>,
    pub password_hash: String,
}

pub(super) fn with_kind((row, kind): (UserRow, String)) -> Result<User, DbError> {
    let corrupt = |what: &str| DbError::Corrupt(format!("{what} of user {}", row.id));
    Ok(User {
        id: UserId::of(row.id),
        organisation: OrganisationId::of(row.organisation_id),
        kind: OrganisationKind::parse(&kind).ok_or_else(|| corrupt("kind"))?,
        language: Language::parse(&row.locale).ok_or_else(|| corrupt("locale"))?,
        roles: row.roles.split(' ').map(str::to_owned).collect(),
        status: UserStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
        password_changed_at: Timestamp::from(row.password_changed_at),
        created_at: Timestamp::from(row.created_at),
        email: row.email,
        name: row.name,
        password_hash: row.password_hash,
    })
}

/// Two addresses that differ in capitals are one.
pub fn email_of(text: &str) -> String {
    text.trim().to_lowercase()
}

pub fn add_user(tx: &mut WriteTx, new: NewUser) -> Result<User, UserError> {
    let kind = super::organisation(tx.db, new.organisation)?.ok_or(UserError::NotFound)?.kind;
    if new.roles.is_empty() || permissions_of(tx.db, kind, &new.roles)?.is_none() {
        return Err(UserError::UnknownRole);
    }
    if user_by_email(tx.db, &new.email)?.is_some() {
        return Err(UserError::EmailTaken);
    }
    let row = UserRow {
        id: tx.ids.next::<UserId>().raw(),
        organisation_id: new.organisation.raw(),
        email: new.email,
        name: new.name,
        locale: new.language.text().to_owned(),
        roles: new.roles.join(" "),
        status: UserStatus::Active.text().to_owned(),
        password_hash: new.password_hash,
        password_changed_at: tx.now.naive(),
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(with_kind((row, kind.text().to_owned()))?)
}

pub fn user(db: &mut Db, id: UserId) -> Result<Option<User>, DbError> {
    let by_id = app_user::table.inner_join(organisation::table).filter(app_user::id.eq(id.raw()));
    let found: Option<(UserRow, String)> = by_id.select((UserRow::as_select(), organisation::kind)).first(db).optional()?;
    found.map(with_kind).transpose()
}

pub fn user_by_email(db: &mut Db, email: &str) -> Result<Option<User>, DbError> {
    let by_email = app_user::table.inner_join(organisation::table).filter(app_user::email.eq(email));
    let found: Option<(UserRow, String)> = by_email.select((UserRow::as_select(), organisation::kind)).first(db).optional()?;
    found.map(with_kind).transpose()
}

/// Of one organisation, or of all.
pub fn users(db: &mut Db, owner: Option<OrganisationId>, window: Window, limit: i64) -> Result<Vec<User>, DbError> {
    let all = app_user::table.inner_join(organisation::table).into_boxed();
    let mut query = windowed!(all, app_user::id, window, limit);
    if let Some(owner) = owner {
        query = query.filter(app_user::organisation_id.eq(owner.raw()));
    }
    let found: Vec<(UserRow, String)> = query.select((UserRow::as_select(), organisation::kind)).load(db)?;
    found.into_iter().map(with_kind).collect()
}

/// From the next request on they are what the user may do.
pub fn set_roles(tx: &mut WriteTx, id: UserId, roles: &[String]) -> Result<User, UserError> {
    let known = user(tx.db, id)?.ok_or(UserError::NotFound)?;
    let permissions = permissions_of(tx.db, known.kind, roles)?.filter(|_| !roles.is_empty()).ok_or(UserError::UnknownRole)?;
    if !permissions.contains(&Scope::UsersWrite) {
        not_the_last_admin(tx, &known)?;
    }
    let row = app_user::table.find(id.raw());
    diesel::update(row).set(app_user::roles.eq(roles.join(" "))).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(User { roles: roles.to_vec(), ..known })
}

/// Lets a user in or keeps one out; who is kept out is signed out everywhere. Doing it twice changes nothing.
pub fn set_status(tx: &mut WriteTx, id: UserId, status: UserStatus) -> Result<User, UserError> {
    let known = user(tx.db, id)?.ok_or(UserError::NotFound)?;
    if known.status == status {
        return Ok(known);
    }
    if status == UserStatus::Disabled {
        not_the_last_admin(tx, &known)?;
        end_sessions(tx, id, None)?;
    }
    let row = app_user::table.find(id.raw());
    diesel::update(row).set(app_user::status.eq(status.text())).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(User { status, ..known })
}

/// The name and the language that a person wants.
pub fn rename(tx: &mut WriteTx, id: UserId, name: &str, language: Language) -> Result<User, UserError> {
    let known = user(tx.db, id)?.ok_or(UserError::NotFound)?;
    let row = app_user::table.find(id.raw());
    let set = (app_user::name.eq(name), app_user::locale.eq(language.text()));
    diesel::update(row).set(set).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(User { name: name.to_owned(), language, ..known })
}

/// A new password ends every session but the one that it was changed in.
pub(super) fn set_password(
    tx: &mut WriteTx,
    user: UserId,
    hash: &str,
    but: Option<crate::ids::SessionId>,
) -> Result<(), DbError> {
    let set = (app_user::password_hash.eq(hash), app_user::password_changed_at.eq(tx.now.naive()));
    diesel::update(app_user::table.find(user.raw())).set(set).execute(&mut *tx.db)?;
    end_sessions(tx, user, but)
}

/// An organisation whose last user who manages users is gone could never let anybody in again.
fn not_the_last_admin(tx: &mut WriteTx, known: &User) -> Result<(), UserError> {
    crate::db::lock_word(tx, &format!("admins of {}", known.organisation))?;
    let manages = |db: &mut Db, one: &User| {
        Ok::<_, DbError>(permissions_of(db, one.kind, &one.roles)?.is_some_and(|held| held.contains(&Scope::UsersWrite)))
    };
    if known.status != UserStatus::Active || !manages(tx.db, known)? {
        return Ok(());
    }
    let mut window = Window::NEWEST;
    loop {
        let page = users(tx.db, Some(known.organisation), window, 200)?;
        let Some(last) = page.last() else { return Err(UserError::LastAdmin) };
        window = Window::OlderThan(last.id.raw());
        for other in page.iter().filter(|other| other.id != known.id && other.status == UserStatus::Active) {
            if manages(tx.db, other)? {
                return Ok(());
            }
        }
    }
}
