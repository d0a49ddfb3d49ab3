//! The review of a limit: the Remittance Holding Capacity as it is that day becomes the baseline that the limit stays below, until the next review.

use super::alerts::watch;
use super::derivation::{Capacity, LimitViewError, holding_capacity};
use super::limit_terms::{LimitTerm, TermKind, refresh_terms};
use crate::agencies::lock_agency;
use crate::db::schema::limit_review as table;
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{AgencyId, Id, LimitReviewId};
use crate::money::{Currency, Money};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct LimitReviewRow in limit_review {
        id: i64,
        agency_id: i64,
        currency: String,
        capacity_minor: i64,
        reporting_days: i64,
        remittance_days: i64,
        reviewed_on: NaiveDate,
        created_at: NaiveDateTime,
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("no such agency")]
    NotFound,
    /// One that has sold nothing yet has no baseline: its security and the policy alone bound it.
    #[error("the agency has sold nothing on credit in the last twelve months")]
    NoTurnover,
    #[error(transparent)]
    View(#[from] LimitViewError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Computes the baseline anew; the limit stays below it from the next commit on.
pub fn review_limit(tx: &mut WriteTx, id: AgencyId) -> Result<(LimitReviewId, Capacity), ReviewError> {
    let agency = lock_agency(tx, id)?.ok_or(ReviewError::NotFound)?;
    let capacity = holding_capacity(tx.db, &agency, tx.ledger_date)?;
    if capacity.periods.is_empty() {
        return Err(ReviewError::NoTurnover);
    }
    let row = LimitReviewRow {
        id: tx.ids.next::<LimitReviewId>().raw(),
        agency_id: id.raw(),
        currency: agency.currency.code().to_owned(),
        capacity_minor: capacity.amount.minor,
        reporting_days: i64::from(capacity.reporting_days),
        remittance_days: i64::from(capacity.remittance_days),
        reviewed_on: tx.ledger_date,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    refresh_terms(tx, &agency)?;
    let review = LimitReviewId::of(row.id);
    emit(tx, NewEvent::new(EventType::LimitReviewed, review).of_agency(id))?;
    watch(tx, id)?;
    Ok((review, capacity))
}

pub(super) fn last_review(db: &mut Db, agency: AgencyId, currency: Currency) -> Result<Option<LimitTerm>, DbError> {
    let reviews = table::table.filter(table::agency_id.eq(agency.raw())).order(table::id.desc());
    let row: Option<LimitReviewRow> = reviews.select(LimitReviewRow::as_select()).first(db).optional()?;
    let term = |row: LimitReviewRow| LimitTerm {
        kind: TermKind::HoldingCapacity,
        id: row.id,
        amount: Money::new(row.capacity_minor, currency),
        from: row.reviewed_on,
        // Until the next one.
        until: NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or(NaiveDate::MAX),
    };
    Ok(row.map(term))
}
