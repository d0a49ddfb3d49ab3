//! Which days are worked, per country: Monday to Friday without holidays, and the weekend days that make up for them.

use super::CatalogueError;
use super::records::{Row, Table};
use crate::clock::Timestamp;
use chrono::{Datelike, NaiveDate, TimeZone, Utc, Weekday};
use chrono_tz::Tz;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DayKind {
    Holiday,
    /// A weekend day that makes up for a holiday.
    WorkingDay,
}

#[derive(Clone, Debug)]
struct Exception {
    country: String,
    from: NaiveDate,
    until: NaiveDate,
    kind: DayKind,
}

#[derive(Debug)]
pub struct Calendar(Vec<Exception>);

impl Calendar {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        table.rows(exception).map(Calendar)
    }

    /// A country without rows works Monday to Friday.
    pub fn is_working_day(&self, country: &str, date: NaiveDate) -> bool {
        let covers = |one: &&Exception| one.country == country && (one.from..=one.until).contains(&date);
        match self.0.iter().find(covers).map(|one| one.kind) {
            Some(DayKind::Holiday) => false,
            Some(DayKind::WorkingDay) => true,
            None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
        }
    }

    /// The so-many-th working day after this date.
    pub fn working_day_after(&self, country: &str, date: NaiveDate, count: u32) -> NaiveDate {
        let days = date.iter_days().skip(1).filter(|day| self.is_working_day(country, *day));
        days.take(usize::try_from(count).unwrap_or(usize::MAX)).last().unwrap_or(date)
    }

    /// The end of the so-many-th working day after this moment: the first moment of the day that follows it.
    pub fn end_of_working_day_after(&self, country: &str, now: Timestamp, count: u32, zone: Tz) -> Timestamp {
        let last = self.working_day_after(country, now.date_in(zone), count);
        let midnight = last.succ_opt().unwrap_or(last).and_time(chrono::NaiveTime::MIN);
        let end = zone.from_local_datetime(&midnight).earliest();
        Timestamp::from(end.map_or_else(|| Utc.from_utc_datetime(&midnight), |time| time.to_utc()))
    }
}

fn exception(row: &Row<'_>) -> Result<Exception, CatalogueError> {
    let kind = |text: &str| match text {
        "holiday" => Some(DayKind::Holiday),
        "working_day" => Some(DayKind::WorkingDay),
        _ => None,
    };
    Ok(Exception {
        country: row.parsed("country")?,
        from: row.parsed("from")?,
        until: row.parsed("until")?,
        kind: row.with("kind", kind)?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    #[test]
    fn a_week_of_work_passes_over_the_national_holidays_and_counts_the_days_that_make_up_for_them() {
        let calendar = &catalogue().calendar;
        let after = |from, count| calendar.working_day_after("CN", date(from), count);
        assert_eq!(after("2026-11-26", 7), date("2026-12-07"), "over two weekends");
        // 8 and 9 October, Saturday the 10th, then Monday the 12th onwards.
        assert_eq!(after("2026-09-30", 1), date("2026-10-08"));
        assert_eq!(after("2026-09-30", 7), date("2026-10-15"));
        assert_eq!(after("2026-02-13", 1), date("2026-02-14"), "a Saturday that is worked");
        assert_eq!(after("2026-02-14", 1), date("2026-02-24"));
    }

    #[test]
    fn a_country_without_rows_works_monday_to_friday() {
        let calendar = &catalogue().calendar;
        assert!(!calendar.is_working_day("CN", date("2026-10-01")) && calendar.is_working_day("FR", date("2026-10-01")));
        assert!(!calendar.is_working_day("FR", date("2026-10-10")) && calendar.is_working_day("CN", date("2026-10-10")));
    }

    #[test]
    fn a_day_ends_at_midnight_of_the_zone() {
        let at = |text: &str| Timestamp::from(text.parse::<chrono::DateTime<Utc>>().unwrap());
        let end = catalogue().calendar.end_of_working_day_after("CN", at("2026-11-26T15:59:59Z"), 7, chrono_tz::Asia::Shanghai);
        assert_eq!(end, at("2026-12-07T16:00:00Z"));
        let end = catalogue().calendar.end_of_working_day_after("CN", at("2026-11-26T16:00:00Z"), 7, chrono_tz::Asia::Shanghai);
        assert_eq!(end, at("2026-12-08T16:00:00Z"), "it was Friday in Shanghai");
    }
}
