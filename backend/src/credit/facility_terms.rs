//! Opening a line, and what may change about it afterwards: its limit and its availability period. Its rates never do; a new margin is a new line.

use super::base_rate::{in_range, published_since};
use super::cost::LimitRow;
use super::facility::{Availability, Base, Facility, FacilityError, FacilityRow, SliceRow, loan_account, lock_facility, tell};
use crate::db::schema::{facility, facility_slice};
use crate::db::{DbError, RowSet, WriteTx, insert};
use crate::identity::{OrganisationKind, organisation};
use crate::ids::{FacilityId, Id, OrganisationId, SliceId};
use crate::ledger::open_accounts;
use crate::money::{Money, Rate};
use crate::notify::EventType;
use diesel::prelude::*;

/// How days of interest are counted.
const DAY_COUNTS: [&str; 2] = ["ACT/360", "ACT/365F"];

#[derive(Clone, Debug)]
pub struct NewFacility {
    pub bank: OrganisationId,
    pub name: String,
    pub limit: Money,
    pub debit_account: String,
    pub base: Base,
    pub margin_rate: Rate,
    pub commitment_rate: Rate,
    pub day_count: String,
    pub available: Availability,
    pub max_unconfirmed: i64,
    pub max_unresolved_secs: i64,
}

fn check(tx: &mut WriteTx, new: &NewFacility) -> Result<(), FacilityError> {
    if new.limit.is_negative() {
        return Err(FacilityError::Limit);
    }
    let fixed = match &new.base {
        Base::Fixed(rate) => Some(*rate),
        Base::Published(_) => None,
    };
    if ![fixed, Some(new.margin_rate), Some(new.commitment_rate)].into_iter().flatten().all(in_range) {
        return Err(FacilityError::Rate);
    }
    if !DAY_COUNTS.contains(&new.day_count.as_str()) {
        return Err(FacilityError::DayCount);
    }
    if new.max_unconfirmed <= 0 || new.max_unresolved_secs <= 0 {
        return Err(FacilityError::Bounds);
    }
    check_period(new.available)?;
    let bank = organisation(tx.db, new.bank)?;
    if bank.is_none_or(|bank| bank.kind != OrganisationKind::Bank) {
        return Err(FacilityError::NoBank);
    }
    if let Base::Published(name) = &new.base {
        let published = published_since(tx.db, new.limit.currency, name, tx.ledger_date)?;
        if !published.iter().any(|rate| rate.effective_from <= tx.ledger_date) {
            return Err(FacilityError::NoBaseRate(tx.ledger_date));
        }
    }
    Ok(())
}

fn check_period(available: Availability) -> Result<(), FacilityError> {
    match (available.from, available.until) {
        (Some(from), Some(until)) if until < from => Err(FacilityError::Availability),
        _ => Ok(()),
    }
}

pub fn open_facility(tx: &mut WriteTx, new: NewFacility) -> Result<Facility, FacilityError> {
    check(tx, &new)?;
    let (base_rate, base_rate_name) = match new.base {
        Base::Fixed(rate) => (rate.to_string(), None),
        Base::Published(name) => ("0".to_owned(), Some(name)),
    };
    let id: FacilityId = tx.ids.next();
    let row = FacilityRow {
        id: id.raw(),
        organisation_id: new.bank.raw(),
        name: new.name,
        currency: new.limit.currency.code().to_owned(),
        debit_account: new.debit_account,
        base_rate,
        margin_rate: new.margin_rate.to_string(),
        day_count: new.day_count,
        status: "open".to_owned(),
        closed_reason: None,
        closed_at: None,
        max_unconfirmed: new.max_unconfirmed,
        max_unresolved_secs: new.max_unresolved_secs,
        created_at: tx.now.naive(),
        base_rate_name,
        commitment_rate: new.commitment_rate.to_string(),
        available_from: new.available.from,
        available_until: new.available.until,
    };
    let slice = SliceRow {
        id: tx.ids.next::<SliceId>().raw(),
        facility_id: row.id,
        stripe: 0,
        limit_minor: new.limit.minor,
        unconfirmed: 0,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    insert(tx, &[RowSet::of(std::slice::from_ref(&slice))])?;
    limit_from_today(tx, id, new.limit)?;
    open_accounts(tx, &[loan_account(id, new.limit.currency)])?;
    tell(tx, EventType::FacilityOpened, id)?;
    lock_facility(tx, id)
}

fn limit_from_today(tx: &mut WriteTx, facility: FacilityId, limit: Money) -> Result<(), DbError> {
    let row = LimitRow {
        id: tx.ids.block(1),
        facility_id: facility.raw(),
        effective_from: tx.ledger_date,
        limit_minor: limit.minor,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])
}

/// By one person, and so never higher. Below what is drawn and held is allowed: it only stops new holds.
pub fn lower_facility_limit(tx: &mut WriteTx, id: FacilityId, limit: Money) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    if limit.currency == current.limit.currency && limit.minor > current.limit.minor {
        return Err(FacilityError::NeedsTwo);
    }
    set_facility_limit(tx, id, limit)
}

/// Whatever it was: two people have agreed, or the line is new.
pub fn set_facility_limit(tx: &mut WriteTx, id: FacilityId, limit: Money) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    if limit.is_negative() {
        return Err(FacilityError::Limit);
    }
    if limit.currency != current.limit.currency {
        return Err(FacilityError::CurrencyMismatch);
    }
    let slice = facility_slice::table.find(current.slice.raw());
    diesel::update(slice).set(facility_slice::limit_minor.eq(limit.minor)).execute(&mut *tx.db).map_err(DbError::from)?;
    limit_from_today(tx, id, limit)?;
    tell(tx, EventType::FacilityLimitChanged, id)?;
    Ok(Facility { limit, ..current })
}

/// New holds only on these days; what is drawn or on its way is not touched.
pub fn set_availability(tx: &mut WriteTx, id: FacilityId, available: Availability) -> Result<Facility, FacilityError> {
    let current = lock_facility(tx, id)?;
    check_period(available)?;
    let days = (facility::available_from.eq(available.from), facility::available_until.eq(available.until));
    diesel::update(facility::table.find(id.raw())).set(days).execute(&mut *tx.db).map_err(DbError::from)?;
    tell(tx, EventType::FacilityAvailabilityChanged, id)?;
    Ok(Facility { available, ..current })
}
