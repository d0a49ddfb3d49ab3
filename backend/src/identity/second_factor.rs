//! The second factor: an authenticator app, and ten recovery codes for the day that it is lost. A code opens once.

use super::secret::{digest, random, same};
use super::totp::{SECRET_BYTES, base32, step_of};
use crate::clock::Timestamp;
use crate::db::schema::{recovery_code, second_factor as table};
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{Id, RecoveryCodeId, SecondFactorId, UserId};
use crate::notify::Sealing;
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct FactorRow in second_factor {
        id: i64,
        user_id: i64,
        sealed_secret: Vec<u8>,
        last_step: i64,
        created_at: NaiveDateTime,
        confirmed_at: Option<NaiveDateTime>,
    }

    pub struct RecoveryCodeRow in recovery_code {
        id: i64,
        user_id: i64,
        code_digest: Vec<u8>,
        used_at: Option<NaiveDateTime>,
    }
}

const RECOVERY_CODES: usize = 10;

#[derive(Clone, Debug)]
pub struct SecondFactor {
    pub id: SecondFactorId,
    pub user: UserId,
    pub created_at: Timestamp,
    /// In use since; `None`: its app has not shown a code yet.
    pub confirmed_at: Option<Timestamp>,
    pub recovery_codes_left: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error("no such second factor")]
    NotFound,
    #[error("there is one already")]
    Exists,
    #[error("it is in use already")]
    Confirmed,
    #[error("the code is not right now")]
    WrongCode,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What a code that was given is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// The user has no second factor.
    NotNeeded,
    Missing,
    Right,
    Wrong,
}

fn row_of(db: &mut Db, user: UserId) -> Result<Option<FactorRow>, DbError> {
    Ok(table::table.filter(table::user_id.eq(user.raw())).select(FactorRow::as_select()).first(db).optional()?)
}

pub fn second_factor(db: &mut Db, user: UserId) -> Result<Option<SecondFactor>, DbError> {
    let Some(row) = row_of(db, user)? else { return Ok(None) };
    let unused = recovery_code::table.filter(recovery_code::user_id.eq(user.raw())).filter(recovery_code::used_at.is_null());
    let recovery_codes_left = unused.count().get_result::<i64>(db)?;
    Ok(Some(SecondFactor {
        id: SecondFactorId::of(row.id),
        user,
        created_at: row.created_at.into(),
        confirmed_at: row.confirmed_at.map(Timestamp::from),
        recovery_codes_left,
    }))
}

/// A secret for an app, in base 32; it counts for nothing before [`confirm_factor`]. One that was never confirmed is replaced.
pub fn begin_factor(tx: &mut WriteTx, sealing: &dyn Sealing, user: UserId) -> Result<(SecondFactor, String), FactorError> {
    match row_of(tx.db, user)? {
        Some(row) if row.confirmed_at.is_some() => return Err(FactorError::Exists),
        Some(_) => remove_factor(tx, user)?,
        None => {}
    }
    let secret = random::<SECRET_BYTES>()?;
    let row = FactorRow {
        id: tx.ids.next::<SecondFactorId>().raw(),
        user_id: user.raw(),
        sealed_secret: sealing.sealed(&secret)?,
        last_step: 0,
        created_at: tx.now.naive(),
        confirmed_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let made = second_factor(tx.db, user)?.ok_or(FactorError::NotFound)?;
    Ok((made, base32(&secret)))
}

/// From now on a sign-in needs a code. Answers the recovery codes, which are nowhere else.
pub fn confirm_factor(
    tx: &mut WriteTx,
    sealing: &dyn Sealing,
    user: UserId,
    id: SecondFactorId,
    code: &str,
) -> Result<(SecondFactor, Vec<String>), FactorError> {
    let row = row_of(tx.db, user)?.filter(|row| row.id == id.raw()).ok_or(FactorError::NotFound)?;
    if row.confirmed_at.is_some() {
        return Err(FactorError::Confirmed);
    }
    let secret = sealing.opened(&row.sealed_secret)?;
    let step = step_of(&secret, code, tx.now, row.last_step).ok_or(FactorError::WrongCode)?;
    let set = (table::confirmed_at.eq(Some(tx.now.naive())), table::last_step.eq(step));
    diesel::update(table::table.find(row.id)).set(set).execute(&mut *tx.db).map_err(DbError::from)?;
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery()).collect::<Result<_, _>>()?;
    let rows: Vec<RecoveryCodeRow> = codes
        .iter()
        .map(|code| RecoveryCodeRow {
            id: tx.ids.next::<RecoveryCodeId>().raw(),
            user_id: user.raw(),
            code_digest: digest(code),
            used_at: None,
        })
        .collect();
    insert(tx, &[RowSet::of(&rows)])?;
    Ok((second_factor(tx.db, user)?.ok_or(FactorError::NotFound)?, codes))
}

/// 80 random bits: `f3a91-0c2be-7d614-88e5a`.
fn recovery() -> Result<String, DbError> {
    let digits = hex::encode(random::<10>()?);
    let parts: Vec<&str> = [0..5, 5..10, 10..15, 15..20].into_iter().filter_map(|part| digits.get(part)).collect();
    Ok(parts.join("-"))
}

/// Checks a code of the app or a recovery code, and uses it up.
pub(super) fn check(tx: &mut WriteTx, sealing: &dyn Sealing, user: UserId, code: Option<&str>) -> Result<Checked, DbError> {
    let Some(row) = row_of(tx.db, user)?.filter(|row| row.confirmed_at.is_some()) else { return Ok(Checked::NotNeeded) };
    let Some(code) = code else { return Ok(Checked::Missing) };
    let secret = sealing.opened(&row.sealed_secret)?;
    if let Some(step) = step_of(&secret, code, tx.now, row.last_step) {
        diesel::update(table::table.find(row.id)).set(table::last_step.eq(step)).execute(&mut *tx.db)?;
        return Ok(Checked::Right);
    }
    let given = digest(&code.trim().to_lowercase());
    let unused = recovery_code::table.filter(recovery_code::user_id.eq(user.raw())).filter(recovery_code::used_at.is_null());
    let unused: Vec<RecoveryCodeRow> = unused.select(RecoveryCodeRow::as_select()).load(&mut *tx.db)?;
    let fitting = unused.iter().find(|row| same(&row.code_digest, &given));
    let Some(id) = fitting.map(|row| row.id) else { return Ok(Checked::Wrong) };
    let row = recovery_code::table.find(id);
    diesel::update(row).set(recovery_code::used_at.eq(Some(tx.now.naive()))).execute(&mut *tx.db)?;
    Ok(Checked::Right)
}

/// The second factor and what is left of its recovery codes.
pub fn remove_factor(tx: &mut WriteTx, user: UserId) -> Result<(), DbError> {
    diesel::delete(recovery_code::table.filter(recovery_code::user_id.eq(user.raw()))).execute(&mut *tx.db)?;
    diesel::delete(table::table.filter(table::user_id.eq(user.raw()))).execute(&mut *tx.db)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_code_can_be_written_down() {
        let (one, other) = (recovery().unwrap(), recovery().unwrap());
        assert_eq!((one.len(), one.split('-').count()), (23, 4));
        assert_ne!(one, other);
    }
}
