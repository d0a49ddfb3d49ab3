//! What a person has found in an agency's financial statements. The last one counts, as long as it is valid.

use crate::agencies::agency;
use crate::db::schema::financial_review as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, FinancialReviewId, Id};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

pub use super::assess::Verdict as ReviewResult;

rows! {
    pub struct FinancialReviewRow in financial_review {
        id: i64,
        agency_id: i64,
        result: String,
        reviewed_on: NaiveDate,
        /// The last day on which it counts.
        valid_until: NaiveDate,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug)]
pub struct FinancialReview {
    pub id: FinancialReviewId,
    pub agency: AgencyId,
    pub result: ReviewResult,
    pub reviewed_on: NaiveDate,
    pub valid_until: NaiveDate,
    pub created_at: NaiveDateTime,
}

impl TryFrom<FinancialReviewRow> for FinancialReview {
    type Error = DbError;

    fn try_from(row: FinancialReviewRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("financial review {}", row.id));
        Ok(FinancialReview {
            id: FinancialReviewId::of(row.id),
            agency: AgencyId::of(row.agency_id),
            result: ReviewResult::parse(&row.result).ok_or_else(corrupt)?,
            reviewed_on: row.reviewed_on,
            valid_until: row.valid_until,
            created_at: row.created_at,
        })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct NewReview {
    pub agency: AgencyId,
    pub result: ReviewResult,
    pub reviewed_on: NaiveDate,
    pub valid_until: NaiveDate,
}

#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    #[error("no such agency")]
    NoAgency,
    #[error("{0} is not over: a review that is still to be made has found nothing")]
    Future(NaiveDate),
    #[error("a review is valid for at least its own day")]
    NeverValid,
    #[error(transparent)]
    Db(#[from] DbError),
}

pub fn record_review(tx: &mut WriteTx, new: NewReview) -> Result<FinancialReview, ReviewError> {
    if agency(tx.db, new.agency)?.is_none() {
        return Err(ReviewError::NoAgency);
    }
    if new.reviewed_on > tx.ledger_date {
        return Err(ReviewError::Future(new.reviewed_on));
    }
    if new.valid_until < new.reviewed_on {
        return Err(ReviewError::NeverValid);
    }
    let row = FinancialReviewRow {
        id: tx.ids.next::<FinancialReviewId>().raw(),
        agency_id: new.agency.raw(),
        result: new.result.text().to_owned(),
        reviewed_on: new.reviewed_on,
        valid_until: new.valid_until,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let review = FinancialReview::try_from(row)?;
    emit(tx, NewEvent::new(EventType::FinancialReviewRecorded, review.id).of_agency(review.agency))?;
    Ok(review)
}

/// Of one agency, or of all; newest first.
pub fn financial_reviews(db: &mut Db, of: Option<AgencyId>, window: Window, limit: i64) -> Result<Vec<FinancialReview>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agency) = of {
        query = query.filter(table::agency_id.eq(agency.raw()));
    }
    let rows: Vec<FinancialReviewRow> = query.select(FinancialReviewRow::as_select()).load(db)?;
    rows.into_iter().map(FinancialReview::try_from).collect()
}
