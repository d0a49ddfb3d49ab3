//! A forgotten password: a link by e-mail that works once, for an hour. Whoever asks is answered the same whether there is such a user or not.

use super::letters;
use super::lockout;
use super::secret::{digest, token};
use super::sign_in::change_password;
use super::user::{User, UserStatus, user, user_by_email};
use crate::audit::Cause;
use crate::clock::Timestamp;
use crate::db::schema::password_reset as table;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, lock_word, rows};
use crate::ids::{Id, PasswordResetId, UserId};
use crate::notify::{Sealing, queue_letter};
use chrono::{Duration, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct ResetRow in password_reset {
        id: i64,
        user_id: i64,
        token_digest: Vec<u8>,
        created_at: NaiveDateTime,
        expires_at: NaiveDateTime,
        used_at: Option<NaiveDateTime>,
    }
}

const LASTS: Duration = Duration::hours(1);
/// Nobody's letter box is filled: so many links in an hour.
const MOST_IN_AN_HOUR: i64 = 3;

/// Writes to the user of an address, if there is one that gets in.
pub fn request_reset(tx: &mut WriteTx, sealing: &dyn Sealing, public_url: &str, email: &str) -> Result<(), DbError> {
    lock_word(tx, &format!("password reset {email}"))?;
    let Some(user) = user_by_email(tx.db, email)?.filter(|user| user.status == UserStatus::Active) else { return Ok(()) };
    let lately = table::table.filter(table::user_id.eq(user.id.raw()));
    let lately = lately.filter(table::created_at.gt(tx.now.plus(-Duration::hours(1)).naive()));
    if lately.count().get_result::<i64>(&mut *tx.db)? >= MOST_IN_AN_HOUR {
        return Ok(());
    }
    let token = token()?;
    let row = ResetRow {
        id: tx.ids.next::<PasswordResetId>().raw(),
        user_id: user.id.raw(),
        token_digest: digest(&token),
        created_at: tx.now.naive(),
        expires_at: tx.now.plus(LASTS).naive(),
        used_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    queue_letter(tx, sealing, letters::password_reset(&user, public_url, &token))?;
    Ok(())
}

/// The user whom a link that works is for.
pub fn user_of_link(db: &mut Db, token: &str, now: Timestamp) -> Result<Option<User>, DbError> {
    let usable = table::table.filter(table::token_digest.eq(digest(token))).filter(table::used_at.is_null());
    let row: Option<ResetRow> =
        usable.filter(table::expires_at.gt(now.naive())).select(ResetRow::as_select()).first(db).optional()?;
    let Some(row) = row else { return Ok(None) };
    Ok(user(db, UserId::of(row.user_id))?.filter(|user| user.status == UserStatus::Active))
}

/// Sets the password, ends every session and every other link, and opens the address again. `None`: the link does not work.
pub fn reset_password(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    request_id: &str,
    token: &str,
    email_digest: &str,
    hash: &str,
) -> Result<Option<User>, DbError> {
    lock_word(tx, &format!("link {}", hex::encode(digest(token))))?;
    let Some(user) = user_of_link(tx.db, token, tx.now)? else { return Ok(None) };
    let open = table::table.filter(table::user_id.eq(user.id.raw())).filter(table::used_at.is_null());
    diesel::update(open).set(table::used_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db)?;
    let cause = Cause { actor: user.actor(), request_id: request_id.to_owned() };
    change_password(tx, sealing, &cause, &user, hash, None)?;
    lockout::lock(tx, email_digest)?;
    lockout::succeeded(tx, email_digest)?;
    Ok(Some(user))
}
