//! The register of security beside deposits: what somebody else answers for, what it counts for after its haircut, and until when.

use super::alerts::watch;
use super::limit_terms::{LimitTerm, TermKind, refresh_terms};
use crate::agencies::{Agency, lock_agency};
use crate::db::schema::guarantee as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, AttachmentId, GuaranteeId, Id};
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

rows! {
    pub struct GuaranteeRow in guarantee {
        id: i64,
        agency_id: i64,
        kind: String,
        issuer: String,
        currency: String,
        amount_minor: i64,
        haircut: String,
        /// What is left after its haircut of what was not called.
        counted_minor: i64,
        called_minor: i64,
        effective_from: NaiveDate,
        expires_on: NaiveDate,
        attachment_id: i64,
        created_at: NaiveDateTime,
        released_at: Option<NaiveDateTime>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuaranteeKind {
    /// A bank's.
    Guarantee,
    /// Default insurance.
    Insurance,
    /// An asset.
    Pledge,
}

impl GuaranteeKind {
    pub fn text(self) -> &'static str {
        match self {
            GuaranteeKind::Guarantee => "guarantee",
            GuaranteeKind::Insurance => "insurance",
            GuaranteeKind::Pledge => "pledge",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [GuaranteeKind::Guarantee, GuaranteeKind::Insurance, GuaranteeKind::Pledge].into_iter().find(|kind| kind.text() == text)
    }
}

#[derive(Clone, Debug)]
pub struct NewGuarantee {
    pub agency: AgencyId,
    pub kind: GuaranteeKind,
    pub issuer: String,
    pub amount: Money,
    /// The part that is not counted: 0 to 1.
    pub haircut: Rate,
    pub effective_from: NaiveDate,
    /// The last day on which it counts.
    pub expires_on: NaiveDate,
    pub document: AttachmentId,
}

#[derive(Clone, Debug)]
pub struct Guarantee {
    pub id: GuaranteeId,
    pub terms: NewGuarantee,
    /// What it adds to the limit while it is in force.
    pub counted: Money,
    /// What its guarantor paid for the agency in a default: it secures nothing any more.
    pub called: Money,
    pub created_at: NaiveDateTime,
    pub released_at: Option<NaiveDateTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuaranteeStatus {
    /// From a day to come on.
    NotYet,
    InForce,
    Expired,
    Released,
    /// All of it was called.
    Called,
}

impl Guarantee {
    pub fn status_on(&self, date: NaiveDate) -> GuaranteeStatus {
        match (self.released_at, date) {
            (Some(_), _) => GuaranteeStatus::Released,
            (None, _) if self.called == self.terms.amount => GuaranteeStatus::Called,
            (None, date) if date > self.terms.expires_on => GuaranteeStatus::Expired,
            (None, date) if date < self.terms.effective_from => GuaranteeStatus::NotYet,
            (None, _) => GuaranteeStatus::InForce,
        }
    }
}

impl Guarantee {
    /// What its guarantor still answers for.
    pub fn uncalled(&self) -> Result<Money, MoneyError> {
        self.terms.amount.checked_sub(self.called)
    }
}

impl TryFrom<GuaranteeRow> for Guarantee {
    type Error = DbError;

    fn try_from(row: GuaranteeRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("guarantee {}", row.id));
        let currency = Currency::parse(&row.currency).map_err(|_| corrupt())?;
        let terms = NewGuarantee {
            agency: AgencyId::of(row.agency_id),
            kind: GuaranteeKind::parse(&row.kind).ok_or_else(corrupt)?,
            haircut: Rate::parse(&row.haircut).map_err(|_| corrupt())?,
            issuer: row.issuer,
            amount: Money::new(row.amount_minor, currency),
            effective_from: row.effective_from,
            expires_on: row.expires_on,
            document: AttachmentId::of(row.attachment_id),
        };
        let counted = Money::new(row.counted_minor, currency);
        let called = Money::new(row.called_minor, currency);
        let (created_at, released_at) = (row.created_at, row.released_at);
        Ok(Guarantee { id: GuaranteeId::of(row.id), terms, counted, called, created_at, released_at })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum GuaranteeError {
    #[error("a guarantee is more than zero")]
    NotPositive,
    #[error("a haircut is between 0 and 1")]
    Haircut,
    #[error("a guarantee expires on or after its first day, and not before today")]
    Expired,
    #[error("there is no such agency")]
    NoAgency,
    #[error("the agency sells in {0}")]
    CurrencyMismatch(Currency),
    #[error("no such guarantee")]
    NotFound,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What is left of an amount after its haircut: never rounded up.
pub fn counted(amount: Money, haircut: Rate) -> Result<Money, MoneyError> {
    let kept = Decimal::ONE.checked_sub(haircut.decimal()).ok_or(MoneyError::Overflow)?;
    let exact = Decimal::from(amount.minor).checked_mul(kept).ok_or(MoneyError::Overflow)?;
    let whole = exact.round_dp_with_strategy(0, RoundingStrategy::ToNegativeInfinity);
    Ok(Money::new(whole.to_i64().ok_or(MoneyError::Overflow)?, amount.currency))
}

/// Registers security; it counts from the next commit on, in its days.
pub fn register_guarantee(tx: &mut WriteTx, new: &NewGuarantee) -> Result<Guarantee, GuaranteeError> {
    if new.amount.minor <= 0 {
        return Err(GuaranteeError::NotPositive);
    }
    if new.haircut.is_negative() || new.haircut.decimal() > Decimal::ONE {
        return Err(GuaranteeError::Haircut);
    }
    if new.expires_on < new.effective_from || new.expires_on < tx.ledger_date {
        return Err(GuaranteeError::Expired);
    }
    let agency = lock_agency(tx, new.agency)?.ok_or(GuaranteeError::NoAgency)?;
    if agency.currency != new.amount.currency {
        return Err(GuaranteeError::CurrencyMismatch(agency.currency));
    }
    let row = GuaranteeRow {
        id: tx.ids.next::<GuaranteeId>().raw(),
        agency_id: new.agency.raw(),
        kind: new.kind.text().to_owned(),
        issuer: new.issuer.clone(),
        currency: new.amount.currency.code().to_owned(),
        amount_minor: new.amount.minor,
        haircut: new.haircut.to_string(),
        counted_minor: counted(new.amount, new.haircut)?.minor,
        called_minor: 0,
        effective_from: new.effective_from,
        expires_on: new.expires_on,
        attachment_id: new.document.raw(),
        created_at: tx.now.naive(),
        released_at: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    changed(tx, &agency, EventType::GuaranteeRegistered, GuaranteeId::of(row.id))?;
    Ok(Guarantee::try_from(row)?)
}

/// Given back to its issuer: it counts no more. What is owed above the limit then only stops sales. Released twice is released once.
pub fn release_guarantee(tx: &mut WriteTx, id: GuaranteeId) -> Result<Guarantee, GuaranteeError> {
    let known = guarantee(tx.db, id)?.ok_or(GuaranteeError::NotFound)?;
    let agency = lock_agency(tx, known.terms.agency)?.ok_or(GuaranteeError::NoAgency)?;
    let known = guarantee(tx.db, id)?.ok_or(GuaranteeError::NotFound)?;
    if known.released_at.is_some() {
        return Ok(known);
    }
    let released_at = Some(tx.now.naive());
    diesel::update(table::table.find(id.raw()))
        .set(table::released_at.eq(released_at))
        .execute(&mut *tx.db)
        .map_err(DbError::from)?;
    changed(tx, &agency, EventType::GuaranteeReleased, id)?;
    Ok(Guarantee { released_at, ..known })
}

/// Its guarantor has paid a part: that part secures nothing any more. The caller holds the agency's lock, has looked at what is left of the guarantee, and
/// tells of the payment.
pub fn note_called(tx: &mut WriteTx, agency: &Agency, known: &Guarantee, paid: Money) -> Result<(), GuaranteeError> {
    let called = known.called.checked_add(paid)?;
    let left = counted(known.terms.amount.checked_sub(called)?, known.terms.haircut)?;
    diesel::update(table::table.find(known.id.raw()))
        .set((table::called_minor.eq(called.minor), table::counted_minor.eq(left.minor)))
        .execute(&mut *tx.db)
        .map_err(DbError::from)?;
    refresh_terms(tx, agency)?;
    Ok(watch(tx, agency.id)?)
}

/// The first guarantee that counts with another amount than what is left of it.
pub(super) fn first_miscounted(db: &mut Db) -> Result<Option<GuaranteeId>, DbError> {
    let rows: Vec<GuaranteeRow> = table::table.order(table::id).select(GuaranteeRow::as_select()).load(db)?;
    for row in rows {
        let known = Guarantee::try_from(row)?;
        let left = known.uncalled().and_then(|left| counted(left, known.terms.haircut));
        if left != Ok(known.counted) {
            return Ok(Some(known.id));
        }
    }
    Ok(None)
}

fn changed(tx: &mut WriteTx, agency: &Agency, kind: EventType, id: GuaranteeId) -> Result<(), GuaranteeError> {
    refresh_terms(tx, agency)?;
    emit(tx, NewEvent::new(kind, id).of_agency(agency.id))?;
    Ok(watch(tx, agency.id)?)
}

pub fn guarantee(db: &mut Db, id: GuaranteeId) -> Result<Option<Guarantee>, DbError> {
    let row: Option<GuaranteeRow> = table::table.find(id.raw()).select(GuaranteeRow::as_select()).first(db).optional()?;
    row.map(Guarantee::try_from).transpose()
}

/// Of these agencies, or of all.
pub fn guarantees(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<Guarantee>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(table::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<GuaranteeRow> = query.select(GuaranteeRow::as_select()).load(db)?;
    rows.into_iter().map(Guarantee::try_from).collect()
}

pub(super) fn guarantees_in_register(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Vec<LimitTerm>, DbError> {
    let held = table::table.filter(table::agency_id.eq(agency.raw())).filter(table::released_at.is_null());
    let rows: Vec<GuaranteeRow> = held.select(GuaranteeRow::as_select()).load(db)?;
    let term = |row: GuaranteeRow| LimitTerm {
        kind: TermKind::Guarantee,
        id: row.id,
        amount: Money::new(row.counted_minor, currency),
        from: row.effective_from,
        until: row.expires_on,
    };
    Ok(rows.into_iter().map(term).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_haircut_is_never_rounded_in_the_agencys_favour() {
        let cny = |text| Money::parse(text, Currency::CNY).unwrap();
        let after = |amount, haircut| counted(cny(amount), Rate::parse(haircut).unwrap()).unwrap();
        assert_eq!(after("1000.00", "0.3"), cny("700.00"));
        assert_eq!(after("0.01", "0.001"), cny("0.00"));
        assert_eq!(after("100.00", "0.33333"), cny("66.66"));
        assert_eq!((after("5.00", "0"), after("5.00", "1")), (cny("5.00"), cny("0.00")));
    }
}
