//! What a line costs on a day: the rate of what is drawn, and the commitment fee of what is not.

use super::base_rate::published_since;
use super::facility::{Availability, Base, Facility, FacilityError};
use crate::db::schema::facility_limit;
use crate::db::{Db, DbError, rows};
use crate::ids::Id;
use crate::money::{Rate, divide_half_even};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

rows! {
    /// The limit from a ledger date on; the last one of a day counts.
    pub struct LimitRow in facility_limit {
        id: i64,
        facility_id: i64,
        effective_from: NaiveDate,
        limit_minor: i64,
        created_at: NaiveDateTime,
    }
}

/// A factor in units of 1e-8. It has at most eight decimals, so this is exact.
pub(super) fn e8(rate: Rate) -> i64 {
    (rate.decimal() * Decimal::from(100_000_000)).to_i64().unwrap_or(0)
}

/// The terms of a line on every day from `since` on.
pub(super) struct DailyCost {
    margin_e8: i64,
    fixed_e8: Option<i64>,
    published: Vec<(NaiveDate, Option<NaiveDate>, i64)>,
    commitment_e8: i64,
    available: Availability,
    limits: Vec<LimitRow>,
    divisor: i128,
}

/// Two exact sums that are divided once: of interest, and of the commitment fee.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub interest: i128,
    pub commitment: i128,
}

impl Sums {
    pub fn plus(self, other: Sums) -> Result<Sums, FacilityError> {
        Ok(Sums {
            interest: self.interest.checked_add(other.interest).ok_or(FacilityError::Overflow)?,
            commitment: self.commitment.checked_add(other.commitment).ok_or(FacilityError::Overflow)?,
        })
    }

    pub fn parse(interest: &str, commitment: &str) -> Result<Sums, FacilityError> {
        let parse = |text: &str| text.parse().map_err(|_| FacilityError::Overflow);
        Ok(Sums { interest: parse(interest)?, commitment: parse(commitment)? })
    }
}

pub(super) fn times(minor: i64, rate_e8: i64) -> i128 {
    // Two 64-bit numbers always fit.
    i128::from(minor).saturating_mul(i128::from(rate_e8))
}

impl DailyCost {
    pub fn read(db: &mut Db, facility: &Facility, since: NaiveDate) -> Result<Self, FacilityError> {
        let currency = facility.limit.currency;
        let (fixed_e8, published) = match &facility.base {
            Base::Fixed(rate) => (Some(e8(*rate)), Vec::new()),
            Base::Published(name) => (None, published_since(db, currency, name, since)?),
        };
        let of_facility = facility_limit::table.filter(facility_limit::facility_id.eq(facility.id.raw()));
        let limits = of_facility.order(facility_limit::id).select(LimitRow::as_select()).load(db).map_err(DbError::from)?;
        let divisor = 100_000_000i128.checked_mul(facility.day_count_base()).ok_or(FacilityError::Overflow)?;
        Ok(DailyCost {
            margin_e8: e8(facility.margin_rate),
            fixed_e8,
            published: published.iter().map(|one| (one.effective_from, one.effective_until, e8(one.rate))).collect(),
            commitment_e8: e8(facility.commitment_rate),
            available: facility.available,
            limits,
            divisor,
        })
    }

    /// Base and margin on a day.
    pub fn rate_e8(&self, day: NaiveDate) -> Result<i64, FacilityError> {
        let in_force =
            |(from, until, _): &&(NaiveDate, Option<NaiveDate>, i64)| *from <= day && until.is_none_or(|until| until >= day);
        let published = || self.published.iter().find(in_force).map(|(_, _, rate)| *rate);
        let base = self.fixed_e8.or_else(published).ok_or(FacilityError::NoBaseRate(day))?;
        base.checked_add(self.margin_e8).ok_or(FacilityError::Overflow)
    }

    /// This base, and the margin.
    pub fn with_base(&self, base: Rate) -> i64 {
        e8(base).saturating_add(self.margin_e8)
    }

    pub fn commitment_e8(&self) -> i64 {
        self.commitment_e8
    }

    /// The first day that a commitment fee is on.
    pub fn commitment_begins(&self) -> Option<NaiveDate> {
        let opened = self.limits.first().filter(|_| self.commitment_e8 > 0)?.effective_from;
        Some(self.available.from.map_or(opened, |from| from.max(opened)))
    }

    /// What is not drawn of the limit on a day, where the line costs a fee for it.
    pub fn undrawn(&self, day: NaiveDate, balance: i64) -> i64 {
        if self.commitment_e8 == 0 || self.available.check(day).is_err() {
            return 0;
        }
        let limit = self.limits.iter().rev().find(|row| row.effective_from <= day).map_or(0, |row| row.limit_minor);
        limit.saturating_sub(balance).max(0)
    }

    pub fn of_day(&self, day: NaiveDate, balance: i64) -> Result<Sums, FacilityError> {
        let commitment = times(self.undrawn(day, balance), self.commitment_e8);
        Ok(Sums { interest: times(balance, self.rate_e8(day)?), commitment })
    }

    /// An exact sum divided once.
    pub fn rounded(&self, scaled: i128) -> Result<i64, FacilityError> {
        divide_half_even(scaled, self.divisor).and_then(|minor| i64::try_from(minor).ok()).ok_or(FacilityError::Overflow)
    }

    /// What a change of the sums books, on top of what was booked with `before`: interest and commitment fee.
    pub fn booked(&self, before: Sums, after: Sums) -> Result<(i64, i64), FacilityError> {
        let difference = |before, after| self.rounded(after)?.checked_sub(self.rounded(before)?).ok_or(FacilityError::Overflow);
        Ok((difference(before.interest, after.interest)?, difference(before.commitment, after.commitment)?))
    }
}
