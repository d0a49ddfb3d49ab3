//! Remittance cycles: the days whose sales an agency pays for together. A cycle is named by its rule and its first day, so that its name alone says
//! which days it has, whatever a later contract says: `2026-11-27-D` is a day, `2026-11-23-T` Monday to Wednesday (from the Thursday on: to Sunday),
//! `2026-11-23-W` the week from that Monday, `2026-11-H1` 1 to 15 November, `2026-11-H2` the rest of the month, `2026-11-M` all of it.

use crate::db::DbError;
use chrono::{Datelike, Days, Months, NaiveDate};
use std::fmt;

/// How often an agency is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CycleRule {
    Daily,
    /// Monday to Wednesday, Thursday to Sunday.
    TwiceWeekly,
    /// Monday to Sunday.
    Weekly,
    #[default]
    HalfMonthly,
    Monthly,
}

impl CycleRule {
    pub const ALL: [CycleRule; 5] =
        [CycleRule::Daily, CycleRule::TwiceWeekly, CycleRule::Weekly, CycleRule::HalfMonthly, CycleRule::Monthly];

    pub fn text(self) -> &'static str {
        match self {
            CycleRule::Daily => "daily",
            CycleRule::TwiceWeekly => "twice_weekly",
            CycleRule::Weekly => "weekly",
            CycleRule::HalfMonthly => "half_monthly",
            CycleRule::Monthly => "monthly",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        CycleRule::ALL.into_iter().find(|rule| rule.text() == text)
    }

    /// The cycle of a date of issue, in the zone of the point of sale.
    pub fn cycle_of(self, date: NaiveDate) -> Cycle {
        let since_monday = u64::from(date.weekday().num_days_from_monday());
        let back = |days: u64| date.checked_sub_days(Days::new(days)).unwrap_or(date);
        let first = match self {
            CycleRule::Daily => date,
            CycleRule::TwiceWeekly if since_monday >= THURSDAY => back(since_monday.saturating_sub(THURSDAY)),
            CycleRule::TwiceWeekly | CycleRule::Weekly => back(since_monday),
            CycleRule::HalfMonthly if date.day() > HALF => date.with_day(HALF + 1).unwrap_or(date),
            CycleRule::HalfMonthly | CycleRule::Monthly => date.with_day(1).unwrap_or(date),
        };
        Cycle { first, rule: self }
    }

    /// Of its longest cycle.
    pub fn most_days(self) -> u32 {
        match self {
            CycleRule::Daily => 1,
            CycleRule::TwiceWeekly => 4,
            CycleRule::Weekly => 7,
            CycleRule::HalfMonthly => 16,
            CycleRule::Monthly => 31,
        }
    }

    /// What a reporting period is counted as where days stand for money.
    pub fn reporting_days(self) -> u32 {
        match self {
            CycleRule::HalfMonthly => HALF,
            other => other.most_days(),
        }
    }
}

/// Days after Monday.
const THURSDAY: u64 = 3;
/// The last day of the first half of a month.
const HALF: u32 = 15;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cycle {
    first: NaiveDate,
    rule: CycleRule,
}

impl Cycle {
    /// As it is stored.
    pub fn stored(text: &str) -> Result<Self, DbError> {
        Cycle::parse(text).ok_or_else(|| DbError::Corrupt(format!("cycle {text}")))
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (date, mark) = text.rsplit_once('-')?;
        let on = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
        let (rule, date) = match mark {
            "D" => (CycleRule::Daily, on(date)?),
            "T" => (CycleRule::TwiceWeekly, on(date)?),
            "W" => (CycleRule::Weekly, on(date)?),
            "H1" => (CycleRule::HalfMonthly, on(&format!("{date}-01"))?),
            "H2" => (CycleRule::HalfMonthly, on(&format!("{date}-16"))?),
            "M" => (CycleRule::Monthly, on(&format!("{date}-01"))?),
            _ => return None,
        };
        // One text per cycle: `2026-1-H1` is not another name of `2026-01-H1`, and a Tuesday begins no week.
        Some(rule.cycle_of(date)).filter(|cycle| cycle.to_string() == text)
    }

    pub fn rule(self) -> CycleRule {
        self.rule
    }

    pub fn first_day(self) -> NaiveDate {
        self.first
    }

    pub fn last_day(self) -> NaiveDate {
        let after = |days: u64| self.first.checked_add_days(Days::new(days)).unwrap_or(self.first);
        let end_of_month = || {
            let next = self.first.with_day(1).and_then(|first| first.checked_add_months(Months::new(1)));
            next.and_then(|next| next.pred_opt()).unwrap_or(self.first)
        };
        match self.rule {
            CycleRule::Daily => self.first,
            CycleRule::TwiceWeekly if self.first.weekday() == chrono::Weekday::Mon => after(2),
            CycleRule::TwiceWeekly => after(3),
            CycleRule::Weekly => after(6),
            CycleRule::HalfMonthly if self.first.day() == 1 => self.first.with_day(HALF).unwrap_or(self.first),
            CycleRule::HalfMonthly | CycleRule::Monthly => end_of_month(),
        }
    }

    pub fn days(self) -> u32 {
        let days = self.last_day().signed_duration_since(self.first).num_days();
        u32::try_from(days).unwrap_or(0).saturating_add(1)
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let month = self.first.format("%Y-%m");
        match self.rule {
            CycleRule::Daily => write!(f, "{}-D", self.first),
            CycleRule::TwiceWeekly => write!(f, "{}-T", self.first),
            CycleRule::Weekly => write!(f, "{}-W", self.first),
            CycleRule::HalfMonthly => write!(f, "{month}-H{}", if self.first.day() == 1 { 1 } else { 2 }),
            CycleRule::Monthly => write!(f, "{month}-M"),
        }
    }
}

/// The name of the half-monthly cycle of a date of issue: what a contract that names no rule has.
pub fn cycle_of(date_of_issue: NaiveDate) -> String {
    CycleRule::HalfMonthly.cycle_of(date_of_issue).to_string()
}

/// How many days a cycle has.
pub fn cycle_days(cycle: &str) -> Option<u32> {
    Cycle::parse(cycle).map(Cycle::days)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_halves_of_a_month_have_fifteen_days_and_the_rest() {
        let days = [("2026-11-H1", 15), ("2026-11-H2", 15), ("2026-12-H2", 16), ("2026-02-H2", 13), ("2028-02-H2", 14)];
        for (cycle, expected) in days {
            assert_eq!(cycle_days(cycle), Some(expected), "{cycle}");
        }
        for wrong in
            ["", "2026-11", "2026-13-H1", "2026-11-H3", "2026-1-H1", "H1", "2026-11-24-W", "2026-11-24-T", "2026-02-30-D"]
        {
            assert_eq!(cycle_days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cycle_has_its_first_and_last_day() {
        let cases = [
            (CycleRule::HalfMonthly, "2026-12-15", "2026-12-H1", "2026-12-01", "2026-12-15"),
            (CycleRule::HalfMonthly, "2026-12-16", "2026-12-H2", "2026-12-16", "2026-12-31"),
            (CycleRule::Monthly, "2028-02-29", "2028-02-M", "2028-02-01", "2028-02-29"),
            (CycleRule::Daily, "2028-02-29", "2028-02-29-D", "2028-02-29", "2028-02-29"),
            // Friday 27 November 2026; the week over the turn of the year.
            (CycleRule::Weekly, "2026-11-27", "2026-11-23-W", "2026-11-23", "2026-11-29"),
            (CycleRule::Weekly, "2027-01-03", "2026-12-28-W", "2026-12-28", "2027-01-03"),
            (CycleRule::TwiceWeekly, "2026-11-25", "2026-11-23-T", "2026-11-23", "2026-11-25"),
            (CycleRule::TwiceWeekly, "2026-11-26", "2026-11-26-T", "2026-11-26", "2026-11-29"),
        ];
        for (rule, issued, name, first, last) in cases {
            let cycle = rule.cycle_of(date(issued));
            assert_eq!((cycle.to_string().as_str(), cycle.first_day(), cycle.last_day()), (name, date(first), date(last)));
        }
    }

    proptest! {
        #[test]
        fn every_day_is_in_one_cycle_of_each_rule_and_its_name_says_which(days in 0i64..40_000) {
            let day = date("1990-01-01") + chrono::Duration::days(days);
            for rule in CycleRule::ALL {
                let cycle = rule.cycle_of(day);
                prop_assert!((cycle.first_day()..=cycle.last_day()).contains(&day));
                prop_assert_eq!(rule.cycle_of(cycle.last_day()), cycle);
                prop_assert_eq!(rule.cycle_of(cycle.last_day() + Days::new(1)).first_day(), cycle.last_day() + Days::new(1));
                prop_assert_eq!(Cycle::parse(&cycle.to_string()), Some(cycle));
                prop_assert!(cycle.days() <= rule.reporting_days().max(16));
            }
        }
    }
}
