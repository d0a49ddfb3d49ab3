//! Alerts: an agency is told once when its exposure comes up to 50, 75, 90 and 100 % of its limit, and again only after it was 5 points below. What it was
//! told last stands in its own row, which a sale locks and reads anyway; what is below again is noticed by whatever looks next, before it adds anything.

use super::derivation::BANDS;
use super::exposure::standing;
use super::limit::policy_in_force;
use super::limit_terms::{LimitTerms, sales_limit};
use crate::agencies::{Agency, agency};
use crate::db::schema::limit_alert as table;
use crate::db::{Change, Db, DbError, RowSet, Update, Window, WriteTx, rows, windowed, write};
use crate::ids::{AgencyId, Id, LimitAlertId};
use crate::money::{Money, MoneyError};
use crate::notify::{EventRow, EventType, NewEvent};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct LimitAlertRow in limit_alert {
        id: i64,
        agency_id: i64,
        percent: i64,
        currency: String,
        exposure_minor: i64,
        limit_minor: i64,
        created_at: NaiveDateTime,
    }
}

/// How far below a part of the limit it is armed again, in points.
const REARMED_BELOW: i64 = 5;

/// How much of a limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    pub exposure: Money,
    pub limit: Money,
}

impl Usage {
    /// Whether exposure has come up to this percentage of the limit.
    pub fn has_reached(&self, percent: i64) -> bool {
        self.exposure.minor > 0 && self.scaled() >= self.part(percent)
    }

    fn is_below(&self, percent: i64) -> bool {
        self.exposure.minor <= 0 || self.scaled() <= self.part(percent)
    }

    fn scaled(&self) -> i128 {
        i128::from(self.exposure.minor).saturating_mul(100)
    }

    fn part(&self, percent: i64) -> i128 {
        i128::from(self.limit.minor).saturating_mul(i128::from(percent))
    }
}

fn bands() -> impl DoubleEndedIterator<Item = i64> {
    BANDS.into_iter().map(i64::from)
}

/// What is still told of what was: without what the usage is below again.
fn still_told(told: i64, usage: Usage) -> i64 {
    bands().rev().find(|band| *band <= told && !usage.is_below(band - REARMED_BELOW)).unwrap_or(0)
}

/// What has been told in the end, and what is to be told now.
fn crossed(told: i64, before: Usage, after: Usage) -> (i64, Vec<i64>) {
    let told = still_told(still_told(told, before), after);
    let new: Vec<i64> = bands().filter(|band| *band > told && after.has_reached(*band)).collect();
    (new.last().copied().unwrap_or(told), new)
}

/// What a commit has to write about the limits that it has crossed.
#[derive(Clone, Debug, Default)]
pub struct Alerts {
    pub rows: Vec<LimitAlertRow>,
    pub events: Vec<EventRow>,
    changes: Vec<Change>,
}

impl Alerts {
    /// Compares an agency, whose lock the caller holds, before and after its commit.
    pub fn observe(&mut self, tx: &WriteTx, agency: &Agency, before: Usage, after: Usage) {
        let (told, new) = crossed(agency.alerted_percent, before, after);
        if told != agency.alerted_percent {
            self.changes.push(Change { id: agency.id.raw(), values: vec![told.into()] });
        }
        for percent in new {
            let row = LimitAlertRow {
                id: tx.ids.next::<LimitAlertId>().raw(),
                agency_id: agency.id.raw(),
                percent,
                currency: after.limit.currency.code().to_owned(),
                exposure_minor: after.exposure.minor,
                limit_minor: after.limit.minor,
                created_at: tx.now.naive(),
            };
            let kind = match percent {
                50 => EventType::LimitReached50,
                75 => EventType::LimitReached75,
                90 => EventType::LimitReached90,
                _ => EventType::LimitReached100,
            };
            self.events.push(EventRow::first(tx, NewEvent::new(kind, LimitAlertId::of(row.id)).of_agency(agency.id)));
            self.rows.push(row);
        }
    }

    pub fn update(&self) -> Update<'_> {
        Update { table: "agency", columns: &["alerted_percent"], changes: &self.changes }
    }
}

/// Looks at an agency whose limit was just changed. The caller holds its lock.
pub fn watch(tx: &mut WriteTx, id: AgencyId) -> Result<(), DbError> {
    let overflow = |error: MoneyError| DbError::Corrupt(format!("the limit of agency {id}: {error}"));
    let Some(agency) = agency(tx.db, id)? else { return Ok(()) };
    let standing = standing(tx.db, id, agency.currency)?;
    let policy = policy_in_force(tx.db, agency.currency, tx.ledger_date)?;
    let limit = sales_limit(standing.deposit, policy.as_ref(), &LimitTerms::of(&agency)?, tx.ledger_date).map_err(overflow)?;
    let usage = Usage { exposure: standing.exposure().map_err(overflow)?, limit };
    let mut alerts = Alerts::default();
    alerts.observe(tx, &agency, usage, usage);
    write(tx, &[RowSet::of(&alerts.rows), RowSet::of(&alerts.events)], &[alerts.update()])
}

/// Of these agencies, or of all.
pub fn limit_alerts(db: &mut Db, of: Option<&[AgencyId]>, window: Window, limit: i64) -> Result<Vec<LimitAlertRow>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(agencies) = of {
        query = query.filter(table::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    Ok(query.select(LimitAlertRow::as_select()).load(db)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Currency;

    fn usage(exposure: i64) -> Usage {
        let cny = |minor| Money::new(minor, Currency::CNY);
        Usage { exposure: cny(exposure), limit: cny(10_000) }
    }

    /// Exposures of a limit of 100.00, one after the other; what each step tells.
    fn told(steps: &[i64]) -> Vec<Vec<i64>> {
        let (mut told, mut before) = (0, 0);
        let mut all = Vec::new();
        for step in steps {
            let (now, new) = crossed(told, usage(before), usage(*step));
            (told, before) = (now, *step);
            all.push(new);
        }
        all
    }

    #[test]
    fn each_part_is_told_once() {
        assert_eq!(
            told(&[4_999, 5_000, 7_499, 7_500, 9_100, 10_000, 10_500]),
            [vec![], vec![50], vec![], vec![75], vec![90], vec![100], vec![]]
        );
        assert_eq!(told(&[9_200]), [vec![50, 75, 90]], "all that were passed at once");
    }

    #[test]
    fn a_part_is_told_again_only_after_five_points_below() {
        assert_eq!(told(&[9_000, 8_501, 9_000]), [vec![50, 75, 90], vec![], vec![]]);
        assert_eq!(told(&[9_000, 8_500, 9_000]), [vec![50, 75, 90], vec![], vec![90]]);
        assert_eq!(told(&[10_000, 6_000, 10_000]), [vec![50, 75, 90, 100], vec![], vec![75, 90, 100]]);
        assert_eq!(told(&[5_000, -10, 5_000]), [vec![50], vec![], vec![50]]);
    }

    #[test]
    fn without_a_limit_any_debt_has_reached_all_of_it() {
        let none = Usage { limit: Money::new(0, Currency::CNY), ..usage(1) };
        assert_eq!(crossed(0, none, none), (100, vec![50, 75, 90, 100]));
        assert_eq!(crossed(100, none, none), (100, vec![]));
        let idle = Usage { limit: Money::new(0, Currency::CNY), ..usage(0) };
        assert_eq!(crossed(100, none, idle), (0, vec![]));
    }
}
