//! A guarantee that is called in a default: money of a guarantor pays what is owed, oldest cycle first, as a remittance would. Not more than is owed, because
//! what is over is the guarantor's; what comes after a write-off is recovered. Locks: the agency, accounts.

use super::allocation::{Share, owed_up_to};
use super::cycles::all_cycles;
use super::default::{DefaultError, DefaultRow, left_to_write_off, note_guarantee};
use crate::agencies::agency;
use crate::credit::{Guarantee, GuaranteeError, guarantee, note_called};
use crate::db::{Db, DbError, WriteTx};
use crate::ids::{AgencyId, GuaranteeId};
use crate::money::{Money, MoneyError};
use chrono::NaiveDate;

#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error("the agency is not in default: its guarantees are not called")]
    NotInDefault,
    #[error("the agency has no such guarantee")]
    NoGuarantee,
    /// Neither when the default was declared nor since.
    #[error("the guarantee is not in force in this default")]
    NotInForce,
    #[error("{left} of the guarantee is left to be called, not more")]
    MoreThanGuaranteed { left: Money },
    #[error("the agency owes {open}, and a guarantor pays no more")]
    MoreThanOwed { open: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<DefaultError> for CallError {
    fn from(error: DefaultError) -> Self {
        match error {
            DefaultError::NotInDefault => CallError::NotInDefault,
            DefaultError::Money(error) => error.into(),
            DefaultError::Db(error) => error.into(),
            other => DbError::Corrupt(other.to_string()).into(),
        }
    }
}

impl From<GuaranteeError> for CallError {
    fn from(error: GuaranteeError) -> Self {
        match error {
            GuaranteeError::Money(error) => error.into(),
            GuaranteeError::Db(error) => error.into(),
            other => DbError::Corrupt(other.to_string()).into(),
        }
    }
}

/// A payment of a guarantor that may be booked.
pub(super) struct Call {
    default: DefaultRow,
    guarantee: Guarantee,
    paid: Money,
}

/// Whether the guarantor answers for this; the caller holds the agency's lock.
pub(super) fn check(db: &mut Db, of: AgencyId, id: GuaranteeId, paid: Money, on: NaiveDate) -> Result<Call, CallError> {
    let (default, open) = left_to_write_off(db, of)?;
    let guarantee = guarantee(db, id)?.filter(|known| known.terms.agency == of).ok_or(CallError::NoGuarantee)?;
    let terms = &guarantee.terms;
    // A guarantor pays some days after it was called: in force on a day of the default is enough.
    let in_force = terms.effective_from <= on && terms.expires_on >= default.declared_on;
    if guarantee.released_at.is_some() || !in_force {
        return Err(CallError::NotInForce);
    }
    let left = guarantee.uncalled()?;
    if paid.minor > left.minor {
        return Err(CallError::MoreThanGuaranteed { left });
    }
    if paid.minor > open.minor {
        return Err(CallError::MoreThanOwed { open: Money::new(open.minor.max(0), open.currency) });
    }
    Ok(Call { default, guarantee, paid })
}

impl Call {
    pub(super) fn shares(&self, db: &mut Db) -> Result<Vec<Share>, CallError> {
        Ok(owed_up_to(&all_cycles(db, self.guarantee.terms.agency, self.paid.currency)?, self.paid)?)
    }

    /// After it was booked: what is owed has fallen, and so has the limit.
    pub(super) fn note(self, tx: &mut WriteTx) -> Result<(), CallError> {
        let of = self.guarantee.terms.agency;
        let agency = agency(tx.db, of)?.ok_or_else(|| DbError::Corrupt(format!("there is no agency {of}")))?;
        note_guarantee(tx, &self.default, self.paid)?;
        Ok(note_called(tx, &agency, &self.guarantee, self.paid)?)
    }
}
