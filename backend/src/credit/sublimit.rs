//! How much of a line one airline may take: held and drawn. Repayments pay for the oldest draws first, so what is drawn for an airline is what is left of
//! the newest draws. The count is kept where holds begin and end, under the lock of the facility's slice, and proved by `verify`.

use super::facility::{FacilityError, lock_facility};
use crate::airlines::airline;
use crate::db::schema::facility_sublimit;
use crate::db::{Change, Db, DbError, RowSet, WriteTx, insert, rows, update};
use crate::ids::{AirlineId, FacilityId, Id};
use crate::money::{Currency, Money};
use crate::notify::{EventType, NewEvent, emit};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use std::collections::BTreeMap;

rows! {
    pub struct SublimitRow in facility_sublimit {
        id: i64,
        facility_id: i64,
        airline_id: i64,
        limit_minor: i64,
        /// Held and drawn.
        used_minor: i64,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Sublimit {
    pub id: i64,
    pub airline: AirlineId,
    pub limit: Money,
    pub used: Money,
}

impl Sublimit {
    pub(super) fn of(row: &SublimitRow, currency: Currency) -> Self {
        Sublimit {
            id: row.id,
            airline: AirlineId::of(row.airline_id),
            limit: Money::new(row.limit_minor, currency),
            used: Money::new(row.used_minor, currency),
        }
    }
}

/// What one airline has of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utilisation {
    pub held_minor: i64,
    pub drawn_minor: i64,
}

impl Utilisation {
    fn used(self) -> i64 {
        self.held_minor.saturating_add(self.drawn_minor)
    }
}

#[derive(QueryableByName)]
struct Part {
    #[diesel(sql_type = BigInt)]
    airline_id: i64,
    #[diesel(sql_type = BigInt)]
    held: i64,
    #[diesel(sql_type = BigInt)]
    drawn: i64,
}

/// What each airline has of a line, of which `drawn` is drawn.
pub fn utilisation(db: &mut Db, facility: FacilityId, drawn: Money) -> Result<BTreeMap<AirlineId, Utilisation>, DbError> {
    let text = "WITH one AS (
            SELECT airline_id, id, confirmed_at, state, resolved_at, amount_minor - set_off_minor - cancelled_minor AS minor
            FROM advance WHERE facility_id = $1 AND (state = 'confirmed' OR resolved_at IS NULL)),
        newest AS (
            SELECT airline_id, minor, CAST(SUM(minor) OVER (ORDER BY confirmed_at DESC, id DESC) AS BIGINT) AS upto
            FROM one WHERE state = 'confirmed')
        SELECT airline_id, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(drawn) AS BIGINT) AS drawn FROM (
            SELECT airline_id, minor AS held, 0 AS drawn FROM one WHERE resolved_at IS NULL
            UNION ALL
            SELECT airline_id, 0, CASE WHEN upto <= $2 THEN minor WHEN upto - minor < $2 THEN $2 - (upto - minor) ELSE 0 END
            FROM newest) parts
        GROUP BY airline_id ORDER BY airline_id";
    let query = sql_query(text).bind::<BigInt, _>(facility.raw()).bind::<BigInt, _>(drawn.minor);
    let parts: Vec<Part> = query.load(db)?;
    let part = |part: Part| (AirlineId::of(part.airline_id), Utilisation { held_minor: part.held, drawn_minor: part.drawn });
    Ok(parts.into_iter().map(part).collect())
}

/// A sub-limit below what is used is allowed: it only stops new holds.
pub fn set_sublimit(tx: &mut WriteTx, id: FacilityId, of: AirlineId, limit: Money) -> Result<Sublimit, FacilityError> {
    let line = lock_facility(tx, id)?;
    if limit.is_negative() {
        return Err(FacilityError::Limit);
    }
    if limit.currency != line.limit.currency {
        return Err(FacilityError::CurrencyMismatch);
    }
    if airline(tx.db, of)?.is_none() {
        return Err(FacilityError::NoAirline);
    }
    let row = match line.sublimits.iter().find(|known| known.airline == of) {
        Some(known) => {
            let values = vec![limit.minor.into()];
            update(tx, "facility_sublimit", &["limit_minor"], &[Change { id: known.id, values }])?;
            Sublimit { limit, ..*known }
        }
        None => {
            let drawn = super::facility::drawn(tx.db, &line)?;
            let used = utilisation(tx.db, id, drawn)?.get(&of).copied().unwrap_or_default().used();
            let row = SublimitRow {
                id: tx.ids.block(1),
                facility_id: id.raw(),
                airline_id: of.raw(),
                limit_minor: limit.minor,
                used_minor: used,
                created_at: tx.now.naive(),
            };
            insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
            Sublimit::of(&row, limit.currency)
        }
    };
    let event = NewEvent::new(EventType::FacilityLimitChanged, id).of_facility(id);
    emit(tx, event.naming("airline_id", of))?;
    Ok(row)
}

/// So much less is held for an airline. The slice is locked.
pub(super) fn release(tx: &mut WriteTx, facility: FacilityId, of: AirlineId, amount: Money) -> Result<(), DbError> {
    let own = facility_sublimit::table
        .filter(facility_sublimit::facility_id.eq(facility.raw()))
        .filter(facility_sublimit::airline_id.eq(of.raw()));
    let less = facility_sublimit::used_minor.eq(facility_sublimit::used_minor - amount.minor);
    diesel::update(own).set(less).execute(&mut *tx.db)?;
    Ok(())
}

/// After a repayment, which frees what was drawn first. The slice is locked; `drawn` is left.
pub fn recount_sublimits(tx: &mut WriteTx, facility: FacilityId, drawn: Money) -> Result<(), DbError> {
    let own = facility_sublimit::table.filter(facility_sublimit::facility_id.eq(facility.raw()));
    let rows: Vec<SublimitRow> = own.select(SublimitRow::as_select()).load(&mut *tx.db)?;
    if rows.is_empty() {
        return Ok(());
    }
    let used = utilisation(tx.db, facility, drawn)?;
    let change = |row: &SublimitRow| {
        let used = used.get(&AirlineId::of(row.airline_id)).copied().unwrap_or_default().used();
        Change { id: row.id, values: vec![used.into()] }
    };
    update(tx, "facility_sublimit", &["used_minor"], &rows.iter().map(change).collect::<Vec<_>>()).map(drop)
}
