//! The sales limit: a policy on the deposit. Beside it the Remittance Holding Capacity, the trade's baseline.

use crate::db::schema::{air_order, limit_policy};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, LimitPolicyId};
use crate::money::{Currency, Money, MoneyError, Rate};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use rust_decimal::Decimal;

rows! {
    pub struct LimitPolicyRow in limit_policy {
        id: i64,
        currency: String,
        version: i64,
        effective_from: NaiveDate,
        deposit_multiplier: String,
        cap_minor: i64,
        created_at: NaiveDateTime,
    }
}

/// One version of the rule: limit = the smaller of deposit x multiplier and the cap.
#[derive(Clone, Debug)]
pub struct LimitPolicy {
    pub id: LimitPolicyId,
    pub version: i64,
    pub effective_from: NaiveDate,
    pub deposit_multiplier: Rate,
    pub cap: Money,
}

impl TryFrom<LimitPolicyRow> for LimitPolicy {
    type Error = DbError;

    fn try_from(row: LimitPolicyRow) -> Result<Self, DbError> {
        let corrupt = |_| DbError::Corrupt(format!("limit policy {}", row.id));
        Ok(LimitPolicy {
            id: LimitPolicyId::of(row.id),
            version: row.version,
            effective_from: row.effective_from,
            deposit_multiplier: Rate::parse(&row.deposit_multiplier).map_err(corrupt)?,
            cap: Money::new(row.cap_minor, Currency::parse(&row.currency).map_err(corrupt)?),
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum LimitError {
    #[error("a multiplier is between 0 and 100")]
    Multiplier,
    #[error("a cap is not negative")]
    Cap,
    #[error("version {latest} is effective from {from}; a new version cannot begin before it")]
    BeforeLatest { latest: i64, from: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

#[derive(Clone, Debug)]
pub struct NewLimitPolicy {
    pub effective_from: NaiveDate,
    pub deposit_multiplier: Rate,
    pub cap: Money,
}

pub fn adopt_policy(tx: &mut WriteTx, new: &NewLimitPolicy) -> Result<LimitPolicy, LimitError> {
    if new.deposit_multiplier.is_negative() || new.deposit_multiplier.decimal() > Decimal::ONE_HUNDRED {
        return Err(LimitError::Multiplier);
    }
    if new.cap.is_negative() {
        return Err(LimitError::Cap);
    }
    let currency = new.cap.currency;
    let latest = versions(tx.db, &[currency])?.into_iter().max_by_key(|policy| policy.version);
    if let Some(latest) = latest.as_ref().filter(|latest| latest.effective_from > new.effective_from) {
        return Err(LimitError::BeforeLatest { latest: latest.version, from: latest.effective_from });
    }
    let row = LimitPolicyRow {
        id: tx.ids.next::<LimitPolicyId>().raw(),
        currency: currency.code().to_owned(),
        version: latest.map_or(1, |latest| latest.version + 1),
        effective_from: new.effective_from,
        deposit_multiplier: new.deposit_multiplier.to_string(),
        cap_minor: new.cap.minor,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(tx, NewEvent::new(EventType::LimitPolicyAdopted, LimitPolicyId::of(row.id)))?;
    Ok(LimitPolicy::try_from(row)?)
}

fn versions(db: &mut Db, currencies: &[Currency]) -> Result<Vec<LimitPolicy>, DbError> {
    let codes: Vec<String> = currencies.iter().map(|currency| currency.code().to_owned()).collect();
    let of_currencies = limit_policy::table.filter(limit_policy::currency.eq_any(codes)).order(limit_policy::version);
    let rows: Vec<LimitPolicyRow> = of_currencies.select(LimitPolicyRow::as_select()).load(db)?;
    rows.into_iter().map(LimitPolicy::try_from).collect()
}

/// All versions in one currency, or in any.
pub fn limit_policies(db: &mut Db, of: Option<Currency>, window: Window, limit: i64) -> Result<Vec<LimitPolicy>, DbError> {
    let mut query = windowed!(limit_policy::table.into_boxed(), limit_policy::id, window, limit);
    if let Some(currency) = of {
        query = query.filter(limit_policy::currency.eq(currency.code().to_owned()));
    }
    let rows: Vec<LimitPolicyRow> = query.select(LimitPolicyRow::as_select()).load(db)?;
    rows.into_iter().map(LimitPolicy::try_from).collect()
}

/// Per currency the latest version that has begun by `date`.
pub fn policies_in_force(db: &mut Db, currencies: &[Currency], date: NaiveDate) -> Result<Vec<LimitPolicy>, DbError> {
    let mut in_force: Vec<LimitPolicy> = Vec::new();
    // Versions come in ascending order: a later one replaces an earlier one of its currency.
    for policy in versions(db, currencies)?.into_iter().filter(|policy| policy.effective_from <= date) {
        in_force.retain(|earlier| earlier.cap.currency != policy.cap.currency);
        in_force.push(policy);
    }
    Ok(in_force)
}

pub fn policy_in_force(db: &mut Db, currency: Currency, date: NaiveDate) -> Result<Option<LimitPolicy>, DbError> {
    Ok(policies_in_force(db, &[currency], date)?.pop())
}

/// The turnover of one reporting period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RhcPeriod {
    pub turnover: Money,
    pub days: u32,
}

/// (reporting days + remittance days) x average daily turnover of the three highest periods of the last twelve months x 2. Owing this much
/// or more is outside. Source: the trade's Remittance Holding Capacity rule.
pub fn remittance_holding_capacity(
    periods: &[RhcPeriod],
    reporting_days: u32,
    remittance_days: u32,
    currency: Currency,
) -> Result<Money, MoneyError> {
    let mut highest = periods.to_vec();
    highest.sort_by_key(|period| std::cmp::Reverse(period.turnover.minor));
    highest.truncate(3);
    let days: u32 = highest.iter().map(|period| period.days).sum();
    if days == 0 {
        return Ok(Money::zero(currency));
    }
    let turnover = Money::sum(currency, highest.iter().map(|period| period.turnover))?;
    let factor = Decimal::from(2 * (u64::from(reporting_days) + u64::from(remittance_days)));
    turnover.portion(Rate::from(factor / Decimal::from(days)))
}

/// An agency's sales on credit by cycle, from the first month given on, such as `2026-11`.
pub fn turnover_by_cycle(
    db: &mut Db,
    agency: AgencyId,
    currency: Currency,
    from_month: &str,
) -> Result<Vec<(String, Money)>, DbError> {
    let total = sql::<BigInt>("CAST(SUM(total_minor) AS BIGINT)");
    let on_credit = air_order::table
        .filter(air_order::agency_id.eq(agency.raw()))
        .filter(air_order::tender.eq("credit"))
        .filter(air_order::currency.eq(currency.code()))
        .filter(air_order::cycle.ge(from_month));
    let cycle = air_order::cycle.assume_not_null();
    let sums: Vec<(String, i64)> = on_credit.group_by(air_order::cycle).select((cycle, total)).load(db)?;
    Ok(sums.into_iter().map(|(cycle, minor)| (cycle, Money::new(minor, currency))).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    #[test]
    fn rhc_of_35_days_at_ten_thousand_a_day_is_seven_hundred_thousand() {
        let period = |turnover| RhcPeriod { turnover: cny(turnover), days: 15 };
        let periods = [period("150000"), period("150000"), period("150000"), period("1")];
        assert_eq!(remittance_holding_capacity(&periods, 15, 20, Currency::CNY), Ok(cny("700000.00")));
        assert_eq!(remittance_holding_capacity(&[], 15, 20, Currency::CNY), Ok(cny("0")));
    }
}
