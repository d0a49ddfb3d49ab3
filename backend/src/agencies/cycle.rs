//! The half-monthly remittance cycle: `2026-11-H1` is 1 to 15 November 2026, `2026-11-H2` the rest of the month.

use chrono::{Datelike, Days, Months, NaiveDate};
use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cycle {
    /// The first of its month.
    month: NaiveDate,
    half: Half,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Half {
    First,
    Second,
}

impl Cycle {
    /// Of a date of issue, in the zone of the point of sale.
    pub fn of(date: NaiveDate) -> Self {
        let half = if date.day() <= 15 { Half::First } else { Half::Second };
        Cycle { month: date.with_day(1).unwrap_or(date), half }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (month, half) = text.rsplit_once("-H")?;
        let half = match half {
            "1" => Half::First,
            "2" => Half::Second,
            _ => return None,
        };
        let month = NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok()?;
        // One text per cycle: `2026-1-H1` is not another name of `2026-01-H1`.
        Some(Cycle { month, half }).filter(|cycle| cycle.to_string() == text)
    }

    pub fn first_day(self) -> NaiveDate {
        match self.half {
            Half::First => self.month,
            Half::Second => self.month.with_day(16).unwrap_or(self.month),
        }
    }

    pub fn last_day(self) -> NaiveDate {
        let next_month = self.month.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX);
        match self.half {
            Half::First => self.month.with_day(15).unwrap_or(self.month),
            Half::Second => next_month.checked_sub_days(Days::new(1)).unwrap_or(next_month),
        }
    }

    pub fn days(self) -> u32 {
        self.last_day().day() + 1 - self.first_day().day()
    }
}

impl fmt::Display for Cycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = match self.half {
            Half::First => 1,
            Half::Second => 2,
        };
        write!(f, "{}-H{half}", self.month.format("%Y-%m"))
    }
}

/// The name of the cycle of a date of issue.
pub fn cycle_of(date_of_issue: NaiveDate) -> String {
    Cycle::of(date_of_issue).to_string()
}

/// How many days a cycle has.
pub fn cycle_days(cycle: &str) -> Option<u32> {
    Cycle::parse(cycle).map(Cycle::days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_of_a_month_have_fifteen_days_and_the_rest() {
        let days = [("2026-11-H1", 15), ("2026-11-H2", 15), ("2026-12-H2", 16), ("2026-02-H2", 13), ("2028-02-H2", 14)];
        for (cycle, expected) in days {
            assert_eq!(cycle_days(cycle), Some(expected), "{cycle}");
        }
        for wrong in ["", "2026-11", "2026-13-H1", "2026-11-H3", "2026-1-H1", "H1"] {
            assert_eq!(cycle_days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_cycle_begins_and_ends_within_its_month() {
        let date = |text: &str| text.parse::<NaiveDate>().ok();
        let second = date("2026-12-16").map(Cycle::of);
        assert_eq!(second.map(|cycle| cycle.to_string()).as_deref(), Some("2026-12-H2"));
        assert_eq!(second.map(Cycle::first_day), date("2026-12-16"));
        assert_eq!(second.map(Cycle::last_day), date("2026-12-31"));
        assert_eq!(date("2026-12-15").map(Cycle::of).map(Cycle::last_day), date("2026-12-15"));
    }
}
