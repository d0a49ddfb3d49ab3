//! How much airlines may owe. What an airline was paid for tickets that are taken back stands on `airline.receivable`; at its cap nothing more is paid
//! ahead: an advance waits until its ticket cannot be voided any more. The alarm is given once per crossing and re-armed five points below.

use crate::airlines::airline;
use crate::db::schema::{airline_alarm, airline_cap};
use crate::db::{Change, Db, DbError, RowSet, Window, WriteTx, insert, rows, update, windowed};
use crate::ids::{AirlineCapId, AirlineId, Id};
use crate::ledger::{AccountKey, balances};
use crate::money::{Currency, Money};
use crate::notify::{EventType, NewEvent, emit};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

rows! {
    pub struct AirlineCapRow in airline_cap {
        id: i64,
        airline_id: i64,
        currency: String,
        effective_from: NaiveDate,
        cap_minor: i64,
        created_at: NaiveDateTime,
    }

    pub struct AlarmRow in airline_alarm {
        id: i64,
        airline_id: i64,
        currency: String,
        percent: i64,
    }
}

/// In per cent of the cap, highest first.
const ALARMS: [i64; 3] = [100, 90, 75];
const REARMED_BELOW: i64 = 5;

#[derive(Clone, Debug)]
pub struct AirlineCap {
    pub id: AirlineCapId,
    pub airline: AirlineId,
    pub effective_from: NaiveDate,
    pub cap: Money,
    pub created_at: NaiveDateTime,
}

impl TryFrom<AirlineCapRow> for AirlineCap {
    type Error = DbError;

    fn try_from(row: AirlineCapRow) -> Result<Self, DbError> {
        let currency = Currency::parse(&row.currency).map_err(|_| DbError::Corrupt(format!("airline cap {}", row.id)))?;
        Ok(AirlineCap {
            id: AirlineCapId::of(row.id),
            airline: AirlineId::of(row.airline_id),
            effective_from: row.effective_from,
            cap: Money::new(row.cap_minor, currency),
            created_at: row.created_at,
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CapError {
    #[error("a cap is not negative")]
    Cap,
    #[error("no such airline")]
    NoAirline,
    #[error("a cap is effective from {from} already; a new one cannot begin before it")]
    BeforeLatest { from: NaiveDate },
    #[error(transparent)]
    Db(#[from] DbError),
}

/// An airline's cap from a day on. One that is below what the airline owes only stops what is paid ahead.
pub fn set_airline_cap(tx: &mut WriteTx, of: AirlineId, effective_from: NaiveDate, cap: Money) -> Result<AirlineCap, CapError> {
    if cap.is_negative() {
        return Err(CapError::Cap);
    }
    if airline(tx.db, of)?.is_none() {
        return Err(CapError::NoAirline);
    }
    let latest = airline_cap::table
        .filter(airline_cap::airline_id.eq(of.raw()))
        .filter(airline_cap::currency.eq(cap.currency.code()))
        .order(airline_cap::id.desc())
        .select(airline_cap::effective_from);
    let latest: Option<NaiveDate> = latest.first(&mut *tx.db).optional().map_err(DbError::from)?;
    if let Some(from) = latest.filter(|from| *from > effective_from) {
        return Err(CapError::BeforeLatest { from });
    }
    let row = AirlineCapRow {
        id: tx.ids.next::<AirlineCapId>().raw(),
        airline_id: of.raw(),
        currency: cap.currency.code().to_owned(),
        effective_from,
        cap_minor: cap.minor,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    emit(tx, NewEvent::new(EventType::AirlineCapSet, AirlineCapId::of(row.id)).naming("airline_id", of))?;
    watch_airlines(tx, &[(of, cap.currency)])?;
    Ok(AirlineCap::try_from(row)?)
}

/// The caps that hold on a day, of these airlines or of all.
pub fn caps_in_force(db: &mut Db, of: Option<&[AirlineId]>, date: NaiveDate) -> Result<Vec<AirlineCap>, DbError> {
    let mut query = airline_cap::table.filter(airline_cap::effective_from.le(date)).order(airline_cap::id).into_boxed();
    if let Some(airlines) = of {
        query = query.filter(airline_cap::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<AirlineCapRow> = query.select(AirlineCapRow::as_select()).load(db)?;
    let mut latest: BTreeMap<(AirlineId, Currency), AirlineCap> = BTreeMap::new();
    for row in rows {
        let cap = AirlineCap::try_from(row)?;
        latest.insert((cap.airline, cap.cap.currency), cap);
    }
    Ok(latest.into_values().collect())
}

/// A cap with what its airline owes.
#[derive(Clone, Debug)]
pub struct CapState {
    pub cap: AirlineCap,
    pub owed: Money,
}

impl CapState {
    /// Nothing more is paid ahead.
    pub fn is_reached(&self) -> bool {
        self.owed.minor >= self.cap.cap.minor
    }

    /// Rounded down; of a cap of nothing all is used at once.
    pub fn percent_used(&self) -> i64 {
        let used = i128::from(self.owed.minor.max(0)).saturating_mul(100);
        let percent = if self.cap.cap.minor == 0 { Some(100) } else { used.checked_div(i128::from(self.cap.cap.minor)) };
        percent.and_then(|percent| i64::try_from(percent).ok()).unwrap_or(i64::MAX)
    }

    /// What a person reads of an advance that waits.
    pub fn reason(&self) -> String {
        format!(
            "the airline owes {} and may owe {}: it is paid when the ticket cannot be voided any more",
            self.owed, self.cap.cap
        )
    }
}

pub fn cap_states(db: &mut Db, of: Option<&[AirlineId]>, date: NaiveDate) -> Result<Vec<CapState>, DbError> {
    let caps = caps_in_force(db, of, date)?;
    if caps.is_empty() {
        return Ok(Vec::new());
    }
    let account = |cap: &AirlineCap| super::take_back::receivable_from(cap.airline, cap.cap.currency);
    let keys: Vec<AccountKey> = caps.iter().map(account).collect();
    let found: BTreeMap<(i64, Currency), Money> =
        balances(db, &keys)?.into_iter().map(|(key, balance)| ((key.owner, key.currency), balance)).collect();
    let owed = |cap: &AirlineCap| found.get(&(cap.airline.raw(), cap.cap.currency)).copied();
    Ok(caps.into_iter().map(|cap| CapState { owed: owed(&cap).unwrap_or(Money::zero(cap.cap.currency)), cap }).collect())
}

/// After what these airlines owe has changed: alarms are given or taken back.
pub fn watch_airlines(tx: &mut WriteTx, of: &[(AirlineId, Currency)]) -> Result<(), DbError> {
    let airlines: Vec<AirlineId> = of.iter().map(|(airline, _)| *airline).collect::<BTreeSet<_>>().into_iter().collect();
    for state in cap_states(tx.db, Some(&airlines), tx.ledger_date)? {
        let (airline, currency) = (state.cap.airline, state.cap.cap.currency);
        if !of.contains(&(airline, currency)) {
            continue;
        }
        let known = airline_alarm::table
            .filter(airline_alarm::airline_id.eq(airline.raw()))
            .filter(airline_alarm::currency.eq(currency.code()))
            .select(AlarmRow::as_select());
        let known: Option<AlarmRow> = known.first(&mut *tx.db).optional()?;
        let (before, used) = (known.as_ref().map_or(0, |row| row.percent), state.percent_used());
        let after = next_alarm(before, used);
        if after == before {
            continue;
        }
        match &known {
            Some(row) => {
                update(tx, "airline_alarm", &["percent"], &[Change { id: row.id, values: vec![after.into()] }])?;
            }
            None => {
                let row = AlarmRow {
                    id: tx.ids.block(1),
                    airline_id: airline.raw(),
                    currency: currency.code().to_owned(),
                    percent: after,
                };
                insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
            }
        }
        if after > before {
            let kind = match after {
                100 => EventType::AirlineCapReached,
                90 => EventType::AirlineCapReached90,
                _ => EventType::AirlineCapReached75,
            };
            emit(tx, NewEvent::new(kind, state.cap.id).naming("airline_id", airline))?;
        }
    }
    Ok(())
}

/// The alarm that stands at this use: a higher one at once, a lower one only five points below the one that stands.
fn next_alarm(standing: i64, used: i64) -> i64 {
    let reached = ALARMS.into_iter().find(|percent| used >= *percent).unwrap_or(0);
    if reached > standing {
        return reached;
    }
    let armed = |percent: &i64| *percent <= standing && used >= percent.saturating_sub(REARMED_BELOW);
    ALARMS.into_iter().find(armed).unwrap_or(0)
}

/// Every version, newest first; of one airline, or of all.
pub fn airline_caps(db: &mut Db, of: Option<AirlineId>, window: Window, limit: i64) -> Result<Vec<AirlineCap>, DbError> {
    let mut query = windowed!(airline_cap::table.into_boxed(), airline_cap::id, window, limit);
    if let Some(airline) = of {
        query = query.filter(airline_cap::airline_id.eq(airline.raw()));
    }
    let rows: Vec<AirlineCapRow> = query.select(AirlineCapRow::as_select()).load(db)?;
    rows.into_iter().map(AirlineCap::try_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_given_once_and_re_armed_five_points_below() {
        let mut standing = 0;
        let mut given = Vec::new();
        for used in [10, 74, 75, 80, 76, 71, 75, 69, 75, 120, 96, 94, 100, 0] {
            let next = next_alarm(standing, used);
            if next > standing {
                given.push((used, next));
            }
            standing = next;
        }
        assert_eq!(given, [(75, 75), (75, 75), (120, 100), (100, 100)]);
        assert_eq!(standing, 0);
    }
}
