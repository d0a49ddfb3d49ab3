//! A limit that is raised by hand for a while: two people agree on amount, days and reason.

use super::alerts::watch;
use super::limit_terms::{LimitTerm, TermKind, refresh_terms};
use crate::agencies::{Agency, AgencyStatus, lock_agency};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::{self, Cause};
use crate::db::schema::temporary_limit as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, ApprovalId, Id, TemporaryLimitId};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{Days, NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

rows! {
    pub struct TemporaryLimitRow in temporary_limit {
        id: i64,
        agency_id: i64,
        currency: String,
        amount_minor: i64,
        effective_from: NaiveDate,
        effective_until: NaiveDate,
        approval_id: i64,
        created_at: NaiveDateTime,
        ended_at: Option<NaiveDateTime>,
    }
}

/// The longest that a limit is raised by hand for.
const MOST_DAYS: u64 = 92;

#[derive(Clone, Debug)]
pub struct TemporaryLimit {
    pub id: TemporaryLimitId,
    pub agency: AgencyId,
    /// What comes on top of the limit.
    pub amount: Money,
    pub from: NaiveDate,
    /// The last day on which it counts.
    pub until: NaiveDate,
    pub approval: ApprovalId,
    pub created_at: NaiveDateTime,
    pub ended_at: Option<NaiveDateTime>,
}

impl TryFrom<TemporaryLimitRow> for TemporaryLimit {
    type Error = DbError;

    fn try_from(row: TemporaryLimitRow) -> Result<Self, DbError> {
        let currency = Currency::parse(&row.currency);
        let currency = currency.map_err(|_| DbError::Corrupt(format!("temporary limit {}", row.id)))?;
        Ok(TemporaryLimit {
            id: TemporaryLimitId::of(row.id),
            agency: AgencyId::of(row.agency_id),
            amount: Money::new(row.amount_minor, currency),
            from: row.effective_from,
            until: row.effective_until,
            approval: ApprovalId::of(row.approval_id),
            created_at: row.created_at,
            ended_at: row.ended_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TemporaryLimitError {
    #[error("{1}")]
    Field(&'static str, String),
    #[error("{0}")]
    Amount(MoneyError),
    #[error("a temporary limit is more than zero")]
    NotPositive,
    #[error("the agency sells in {0}")]
    CurrencyMismatch(Currency),
    #[error("a temporary limit lasts from a day that is not over for {MOST_DAYS} days at most")]
    Dates,
    #[error("the agency is closed")]
    Closed,
    #[error("no such temporary limit")]
    NotFound,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<MoneyError> for TemporaryLimitError {
    fn from(error: MoneyError) -> Self {
        TemporaryLimitError::Amount(error)
    }
}

/// What two people agree on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaiseLimit {
    pub agency_id: String,
    pub amount: String,
    pub currency: String,
    pub effective_from: String,
    pub effective_until: String,
}

struct Raise {
    agency: Agency,
    amount: Money,
    from: NaiveDate,
    until: NaiveDate,
}

impl RaiseLimit {
    fn read(&self, tx: &mut WriteTx) -> Result<Raise, TemporaryLimitError> {
        let date = |field: &'static str, text: &str| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
            date.map_err(|_| TemporaryLimitError::Field(field, format!("`{field}` is a date such as \"2026-11-01\"")))
        };
        let id = AgencyId::parse(&self.agency_id);
        let id = id.map_err(|error| TemporaryLimitError::Field("agency_id", error.to_string()))?;
        let currency = Currency::parse(&self.currency);
        let currency = currency.map_err(|error| TemporaryLimitError::Field("currency", error.to_string()))?;
        let amount = Money::parse(&self.amount, currency)?;
        let (from, until) = (date("effective_from", &self.effective_from)?, date("effective_until", &self.effective_until)?);
        if amount.minor <= 0 {
            return Err(TemporaryLimitError::NotPositive);
        }
        let last = from.checked_add_days(Days::new(MOST_DAYS));
        if until < from || until < tx.ledger_date || last.is_none_or(|last| until >= last) {
            return Err(TemporaryLimitError::Dates);
        }
        let agency = lock_agency(tx, id)?;
        let agency = agency.ok_or_else(|| TemporaryLimitError::Field("agency_id", "there is no such agency".to_owned()))?;
        if agency.status == AgencyStatus::Closed {
            return Err(TemporaryLimitError::Closed);
        }
        if agency.currency != currency {
            return Err(TemporaryLimitError::CurrencyMismatch(agency.currency));
        }
        Ok(Raise { agency, amount, from, until })
    }
}

impl Proposal for RaiseLimit {
    const KIND: ChangeKind = ChangeKind::TemporaryLimit;
    type Error = TemporaryLimitError;

    fn subject(&self) -> String {
        self.agency_id.clone()
    }

    /// Whatever else its limit is made of, and whether it may trade: more security, another temporary limit or a freeze make it another decision.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, TemporaryLimitError> {
        let agency = self.read(tx)?.agency;
        Ok(format!("{} [{}] {}", agency.status.text(), agency.frozen.text(), agency.limit_terms))
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, TemporaryLimitError> {
        let Raise { agency, amount, from, until } = self.read(tx)?;
        let row = TemporaryLimitRow {
            id: tx.ids.next::<TemporaryLimitId>().raw(),
            agency_id: agency.id.raw(),
            currency: amount.currency.code().to_owned(),
            amount_minor: amount.minor,
            effective_from: from,
            effective_until: until,
            approval_id: approval.raw(),
            created_at: tx.now.naive(),
            ended_at: None,
        };
        insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
        let id = TemporaryLimitId::of(row.id);
        changed(tx, &agency, EventType::LimitTemporaryGranted, id)?;
        audit::record(tx, cause, "temporary_limit.grant", id)?;
        Ok(id.to_string())
    }
}

/// Before its time: lower is always allowed, by one. Ended twice is ended once.
pub fn end_temporary_limit(tx: &mut WriteTx, id: TemporaryLimitId) -> Result<TemporaryLimit, TemporaryLimitError> {
    let known = temporary_limit(tx.db, id)?.ok_or(TemporaryLimitError::NotFound)?;
    let agency = lock_agency(tx, known.agency)?.ok_or(TemporaryLimitError::NotFound)?;
    let known = temporary_limit(tx.db, id)?.ok_or(TemporaryLimitError::NotFound)?;
    if known.ended_at.is_some() {
        return Ok(known);
    }
    let ended_at = Some(tx.now.naive());
    diesel::update(table::table.find(id.raw())).set(table::ended_at.eq(ended_at)).execute(&mut *tx.db).map_err(DbError::from)?;
    changed(tx, &agency, EventType::LimitTemporaryEnded, id)?;
    Ok(TemporaryLimit { ended_at, ..known })
}

fn changed(tx: &mut WriteTx, agency: &Agency, kind: EventType, id: TemporaryLimitId) -> Result<(), TemporaryLimitError> {
    refresh_terms(tx, agency)?;
    emit(tx, NewEvent::new(kind, id).of_agency(agency.id))?;
    Ok(watch(tx, agency.id)?)
}

pub fn temporary_limit(db: &mut Db, id: TemporaryLimitId) -> Result<Option<TemporaryLimit>, DbError> {
    let found = table::table.find(id.raw()).select(TemporaryLimitRow::as_select());
    let row: Option<TemporaryLimitRow> = found.first(db).optional()?;
    row.map(TemporaryLimit::try_from).transpose()
}

/// Of these agencies, or of all.
pub fn temporary_limits(
    db: &mut Db,
    of: Option<&[AgencyId]>,
    window: Window,
    limit: i64,
) -> Result<Vec<TemporaryLimit>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(table::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<TemporaryLimitRow> = query.select(TemporaryLimitRow::as_select()).load(db)?;
    rows.into_iter().map(TemporaryLimit::try_from).collect()
}

pub(super) fn temporary_limits_in_register(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Vec<LimitTerm>, DbError> {
    let granted = table::table.filter(table::agency_id.eq(agency.raw())).filter(table::ended_at.is_null());
    let rows: Vec<TemporaryLimitRow> = granted.select(TemporaryLimitRow::as_select()).load(db)?;
    let term = |row: TemporaryLimitRow| LimitTerm {
        kind: TermKind::Temporary,
        id: row.id,
        amount: Money::new(row.amount_minor, currency),
        from: row.effective_from,
        until: row.effective_until,
    };
    Ok(rows.into_iter().map(term).collect())
}
