//! Invitations: a link by e-mail that works once, for seven days. Only whoever reads the e-mail has it: neither the answer nor the database does.

use super::letters;
use super::role::permissions_of;
use super::secret::{digest, token};
use super::user::{NewUser, User, UserError, add_user, user_by_email};
use crate::audit::{self, ActorId, Cause};
use crate::clock::Timestamp;
use crate::db::schema::invitation as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{Id, InvitationId, OrganisationId, UserId};
use crate::notify::{Language, Sealing, queue_letter};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct InvitationRow in invitation {
        id: i64,
        organisation_id: i64,
        email: String,
        locale: String,
        roles: String,
        token_digest: Vec<u8>,
        invited_by: i64,
        created_at: NaiveDateTime,
        expires_at: NaiveDateTime,
        accepted_at: Option<NaiveDateTime>,
        revoked_at: Option<NaiveDateTime>,
        user_id: Option<i64>,
    }
}

const LASTS: Duration = Duration::days(7);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvitationStatus {
    Open,
    Accepted,
    Revoked,
    Expired,
}

#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: InvitationId,
    pub organisation: OrganisationId,
    pub email: String,
    pub language: Language,
    pub roles: Vec<String>,
    pub invited_by: ActorId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub user: Option<UserId>,
}

impl Invitation {
    pub fn status_at(&self, now: Timestamp) -> InvitationStatus {
        match (self.accepted_at, self.revoked_at) {
            (Some(_), _) => InvitationStatus::Accepted,
            (None, Some(_)) => InvitationStatus::Revoked,
            (None, None) if self.expires_at <= now => InvitationStatus::Expired,
            (None, None) => InvitationStatus::Open,
        }
    }
}

impl TryFrom<InvitationRow> for Invitation {
    type Error = DbError;

    fn try_from(row: InvitationRow) -> Result<Self, DbError> {
        let language = Language::parse(&row.locale);
        Ok(Invitation {
            id: InvitationId::of(row.id),
            organisation: OrganisationId::of(row.organisation_id),
            language: language.ok_or_else(|| DbError::Corrupt(format!("locale of invitation {}", row.id)))?,
            roles: row.roles.split(' ').map(str::to_owned).collect(),
            invited_by: ActorId::of(row.invited_by),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.into(),
            accepted_at: row.accepted_at.map(Timestamp::from),
            revoked_at: row.revoked_at.map(Timestamp::from),
            user: row.user_id.map(UserId::of),
            email: row.email,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum InvitationError {
    #[error("no such organisation")]
    NoOrganisation,
    #[error("no such invitation")]
    NotFound,
    #[error("there is no such role in an organisation of this kind")]
    UnknownRole,
    #[error("the address is that of a user of this organisation already")]
    Member,
    #[error("the link does not work: it was used, it is too old, or it never was one")]
    LinkInvalid,
    #[error("the invitation is not open any more")]
    NotOpen,
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewInvitation {
    pub organisation: OrganisationId,
    /// In small letters.
    pub email: String,
    pub language: Language,
    pub roles: Vec<String>,
}

/// Invites somebody; an open invitation of the same address to the same organisation is taken back. Whether the address is a user's of another organisation is
/// not told: its owner learns it from the link.
pub fn invite(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    cause: &Cause,
    public_url: &str,
    new: NewInvitation,
) -> Result<Invitation, InvitationError> {
    let of = super::organisation(tx.db, new.organisation)?.ok_or(InvitationError::NoOrganisation)?;
    if new.roles.is_empty() || permissions_of(tx.db, of.kind, &new.roles)?.is_none() {
        return Err(InvitationError::UnknownRole);
    }
    if user_by_email(tx.db, &new.email)?.is_some_and(|user| user.organisation == new.organisation) {
        return Err(InvitationError::Member);
    }
    let before = table::table.filter(table::organisation_id.eq(new.organisation.raw())).filter(table::email.eq(&new.email));
    let before = before.filter(table::accepted_at.is_null()).filter(table::revoked_at.is_null());
    diesel::update(before).set(table::revoked_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db).map_err(DbError::from)?;
    let token = token()?;
    let row = InvitationRow {
        id: tx.ids.next::<InvitationId>().raw(),
        organisation_id: new.organisation.raw(),
        email: new.email,
        locale: new.language.text().to_owned(),
        roles: new.roles.join(" "),
        token_digest: digest(&token),
        invited_by: cause.actor.by.stored(),
        created_at: tx.now.naive(),
        expires_at: tx.now.plus(LASTS).naive(),
        accepted_at: None,
        revoked_at: None,
        user_id: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let made = Invitation::try_from(row)?;
    audit::record(tx, cause, "invitation.create", made.id)?;
    queue_letter(tx, sealing, letters::invitation(made.language, &made.email, &of.name, public_url, &token))?;
    Ok(made)
}

/// The open invitation that a link leads to.
pub fn invitation_of_link(db: &mut Db, token: &str, now: Timestamp) -> Result<Option<Invitation>, DbError> {
    let by_digest = table::table.filter(table::token_digest.eq(digest(token)));
    let row: Option<InvitationRow> = by_digest.select(InvitationRow::as_select()).first(db).optional()?;
    let found = row.map(Invitation::try_from).transpose()?;
    Ok(found.filter(|invitation| invitation.status_at(now) == InvitationStatus::Open))
}

/// Makes the user. The hash was made before, outside of the transaction.
pub fn accept_invitation(
    tx: &mut WriteTx,
    request_id: &str,
    token: &str,
    name: &str,
    language: Option<Language>,
    password_hash: String,
) -> Result<User, InvitationError> {
    lock_word(tx, &format!("link {}", hex::encode(digest(token))))?;
    let invitation = invitation_of_link(tx.db, token, tx.now)?.ok_or(InvitationError::LinkInvalid)?;
    lock_word(tx, &format!("user {}", invitation.email))?;
    let new = NewUser {
        organisation: invitation.organisation,
        email: invitation.email,
        name: name.to_owned(),
        language: language.unwrap_or(invitation.language),
        roles: invitation.roles,
        password_hash,
    };
    let made = add_user(tx, new)?;
    let set = (table::accepted_at.eq(Some(tx.now.naive())), table::user_id.eq(Some(made.id.raw())));
    diesel::update(table::table.find(invitation.id.raw())).set(set).execute(&mut *tx.db).map_err(DbError::from)?;
    let cause = Cause { actor: made.actor(), request_id: request_id.to_owned() };
    audit::record(tx, &cause, "invitation.accept", invitation.id)?;
    Ok(made)
}

/// Takes an invitation back: its link does not work any more. Twice changes nothing.
pub fn revoke_invitation(tx: &mut WriteTx, id: InvitationId) -> Result<Invitation, InvitationError> {
    let known = invitation(tx.db, id)?.ok_or(InvitationError::NotFound)?;
    match known.status_at(tx.now) {
        InvitationStatus::Revoked => return Ok(known),
        InvitationStatus::Accepted => return Err(InvitationError::NotOpen),
        InvitationStatus::Open | InvitationStatus::Expired => {}
    }
    let row = table::table.find(id.raw());
    diesel::update(row).set(table::revoked_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(Invitation { revoked_at: Some(tx.now), ..known })
}

pub fn invitation(db: &mut Db, id: InvitationId) -> Result<Option<Invitation>, DbError> {
    let row: Option<InvitationRow> = table::table.find(id.raw()).select(InvitationRow::as_select()).first(db).optional()?;
    row.map(Invitation::try_from).transpose()
}

/// Of one organisation, or of all.
pub fn invitations(db: &mut Db, owner: Option<OrganisationId>, window: Window, limit: i64) -> Result<Vec<Invitation>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(owner) = owner {
        query = query.filter(table::organisation_id.eq(owner.raw()));
    }
    let rows: Vec<InvitationRow> = query.select(InvitationRow::as_select()).load(db)?;
    rows.into_iter().map(Invitation::try_from).collect()
}
