//! Published reference rates, such as a one-day one: per currency and name, each in force from its day until the next one's. A line that names one costs
//! what is in force on a day, plus its margin. A rate that is published late changes days that are over: what that changes is booked as a correction.
//! Locks: the rate's name, facility slices, accounts.

use super::correction::{Cause, Corrector, insert_corrections};
use super::facility::{FacilityError, lock_facility};
use crate::audit::Actor;
use crate::db::schema::{base_rate, facility};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, lock_word, rows, windowed};
use crate::ids::{BaseRateId, FacilityId, Id};
use crate::ledger::{Book, PostError, open_accounts};
use crate::money::{Currency, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    pub struct BaseRateRow in base_rate {
        id: i64,
        currency: String,
        name: String,
        effective_from: NaiveDate,
        /// The last day, where a later rate follows.
        effective_until: Option<NaiveDate>,
        /// Per year.
        rate: String,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug)]
pub struct BaseRate {
    pub id: BaseRateId,
    pub currency: Currency,
    pub name: String,
    pub effective_from: NaiveDate,
    pub effective_until: Option<NaiveDate>,
    pub rate: Rate,
    pub created_at: NaiveDateTime,
}

impl TryFrom<BaseRateRow> for BaseRate {
    type Error = DbError;

    fn try_from(row: BaseRateRow) -> Result<Self, DbError> {
        let corrupt = || DbError::Corrupt(format!("base rate {}", row.id));
        Ok(BaseRate {
            id: BaseRateId::of(row.id),
            currency: Currency::parse(&row.currency).map_err(|_| corrupt())?,
            effective_from: row.effective_from,
            effective_until: row.effective_until,
            rate: Rate::parse(&row.rate).map_err(|_| corrupt())?,
            name: row.name,
            created_at: row.created_at,
        })
    }
}

#[derive(Clone, Debug)]
pub struct NewBaseRate {
    pub currency: Currency,
    pub name: String,
    pub effective_from: NaiveDate,
    pub rate: Rate,
}

#[derive(Debug, thiserror::Error)]
pub enum BaseRateError {
    #[error("a rate is between 0 and 1 and has at most 8 decimals")]
    Rate,
    #[error("a rate is in force from {from} already: a later one begins after it")]
    Overlaps { from: NaiveDate },
    #[error(transparent)]
    Facility(#[from] FacilityError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Between 0 and 1, and exact in units of 1e-8.
pub(super) fn in_range(rate: Rate) -> bool {
    !rate.is_negative() && rate.decimal() <= rust_decimal::Decimal::ONE && rate.decimal().normalize().scale() <= 8
}

/// The rate from a day on. The one before it ends on the day before.
pub fn publish_rate(tx: &mut WriteTx, actor: Actor, new: &NewBaseRate) -> Result<BaseRate, BaseRateError> {
    if !in_range(new.rate) {
        return Err(BaseRateError::Rate);
    }
    lock_word(tx, &format!("base rate {} {}", new.currency, new.name))?;
    let mut same = base_rate::table
        .filter(base_rate::currency.eq(new.currency.code()))
        .filter(base_rate::name.eq(&new.name))
        .order(base_rate::effective_from.desc())
        .into_boxed();
    same = same.filter(base_rate::effective_until.is_null());
    let latest: Option<BaseRateRow> =
        same.select(BaseRateRow::as_select()).first(&mut *tx.db).optional().map_err(DbError::from)?;
    if let Some(latest) = latest.as_ref().filter(|latest| latest.effective_from >= new.effective_from) {
        return Err(BaseRateError::Overlaps { from: latest.effective_from });
    }
    let row = BaseRateRow {
        id: tx.ids.next::<BaseRateId>().raw(),
        currency: new.currency.code().to_owned(),
        name: new.name.clone(),
        effective_from: new.effective_from,
        effective_until: None,
        rate: new.rate.to_string(),
        created_at: tx.now.naive(),
    };
    if latest.is_some() && new.effective_from < tx.ledger_date {
        correct_lines(tx, actor, &row, new.rate)?;
    }
    if let Some(latest) = latest {
        let until = base_rate::effective_until.eq(new.effective_from.pred_opt());
        diesel::update(base_rate::table.find(latest.id)).set(until).execute(&mut *tx.db).map_err(DbError::from)?;
    }
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(tx, NewEvent::new(EventType::BaseRatePublished, BaseRateId::of(row.id)))?;
    Ok(BaseRate::try_from(row)?)
}

/// Of every line that follows it, by ascending id.
fn correct_lines(tx: &mut WriteTx, actor: Actor, row: &BaseRateRow, rate: Rate) -> Result<(), BaseRateError> {
    let lines: Vec<i64> = facility::table
        .filter(facility::currency.eq(&row.currency))
        .filter(facility::base_rate_name.eq(Some(&row.name)))
        .order(facility::id)
        .select(facility::id)
        .load(&mut *tx.db)
        .map_err(DbError::from)?;
    for line in lines {
        let line = lock_facility(tx, FacilityId::of(line))?;
        let mut corrector = Corrector::read(tx, &line, row.effective_from)?;
        if !corrector.rate_changes(tx, Cause::rate(BaseRateId::of(row.id)), row.effective_from, rate)? {
            continue;
        }
        let ids = open_accounts(tx, &corrector.accounts())?;
        let mut book = Book::new();
        book.load(tx, &ids)?;
        let rows = corrector.post(tx, actor, &mut book)?;
        insert(tx, &book.new_rows())?;
        book.finish(tx)?;
        insert_corrections(tx, &rows)?;
    }
    Ok(())
}

/// Newest publication first; of one currency and name, or of all.
pub fn base_rates(
    db: &mut Db,
    currency: Option<Currency>,
    name: Option<String>,
    window: Window,
    limit: i64,
) -> Result<Vec<BaseRate>, DbError> {
    let mut query = windowed!(base_rate::table.into_boxed(), base_rate::id, window, limit);
    if let Some(currency) = currency {
        query = query.filter(base_rate::currency.eq(currency.code().to_owned()));
    }
    if let Some(name) = name {
        query = query.filter(base_rate::name.eq(name));
    }
    let rows: Vec<BaseRateRow> = query.select(BaseRateRow::as_select()).load(db)?;
    rows.into_iter().map(BaseRate::try_from).collect()
}

/// What was published under a name and is in force on some day from `since` on, oldest first.
pub(super) fn published_since(db: &mut Db, currency: Currency, name: &str, since: NaiveDate) -> Result<Vec<BaseRate>, DbError> {
    let of_name = base_rate::table.filter(base_rate::currency.eq(currency.code())).filter(base_rate::name.eq(name));
    let late = of_name.filter(base_rate::effective_until.is_null().or(base_rate::effective_until.ge(since)));
    let rows: Vec<BaseRateRow> = late.order(base_rate::effective_from).select(BaseRateRow::as_select()).load(db)?;
    rows.into_iter().map(BaseRate::try_from).collect()
}
