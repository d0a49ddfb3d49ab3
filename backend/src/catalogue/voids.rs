//! Void windows: until when a ticket can be voided, per country of the point of sale and carrier.

use super::calendar::Calendar;
use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{CarrierCode, CatalogueError, Period};
use crate::clock::Timestamp;
use chrono::{Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// How the days of a window are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WindowDays {
    /// Holidays and weekends count.
    Calendar(u64),
    /// Only days that are worked in the country of the point of sale count, so that holidays put the end off.
    Working(u32),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidWindow {
    country: Option<String>,
    carrier: Option<CarrierCode>,
    period: Period,
    /// After the day of issue.
    days: WindowDays,
    /// The last minute in which a ticket can be voided, in the zone of the point of sale.
    cut_off: NaiveTime,
    before_departure: Duration,
}

#[derive(Debug)]
pub struct VoidWindows(Vec<VoidWindow>);

impl VoidWindows {
    pub(super) fn read(table: Table<'_>) -> Result<Self, CatalogueError> {
        table.rows(window).map(VoidWindows)
    }

    /// The rule for a ticket issued on this date: the carrier's own in the country, then the country's, then the carrier's, then that of all.
    pub fn of(&self, country: &str, carrier: CarrierCode, issued_on: NaiveDate) -> Option<&VoidWindow> {
        let applies = |rule: &&VoidWindow| {
            rule.period.contains(issued_on)
                && rule.country.as_deref().is_none_or(|own| own == country)
                && rule.carrier.is_none_or(|own| own == carrier)
        };
        self.0.iter().filter(applies).max_by_key(|rule| (rule.country.is_some(), rule.carrier.is_some()))
    }
}

impl VoidWindow {
    /// The first moment at which it is too late, for a ticket issued on this date at a point of sale.
    pub fn ends_at(
        &self,
        calendar: &Calendar,
        issued_on: NaiveDate,
        (country, zone): (&str, Tz),
        first_departure: Timestamp,
    ) -> Timestamp {
        let last_day = match self.days {
            WindowDays::Calendar(days) => issued_on.checked_add_days(Days::new(days)).unwrap_or(issued_on),
            WindowDays::Working(days) => calendar.working_day_after(country, issued_on, days),
        };
        let local = last_day.and_time(self.cut_off) + Duration::minutes(1);
        // An hour that a change of clocks leaves out ends when it would have begun.
        let cut_off = zone.from_local_datetime(&local).latest();
        let cut_off = cut_off.map_or_else(|| Utc.from_utc_datetime(&local), |time| time.to_utc());
        Timestamp::from(cut_off).min(first_departure.plus(-self.before_departure))
    }
}

fn window(row: &Row<'_>) -> Result<VoidWindow, CatalogueError> {
    let country = |text: &str| match text {
        "*" => Some(None),
        code if code.len() == 2 => Some(Some(code.to_owned())),
        _ => None,
    };
    let days = match row.text("day_kind")? {
        "calendar" => WindowDays::Calendar(row.parsed("days")?),
        "working" => WindowDays::Working(row.parsed("days")?),
        _ => row.with("day_kind", |_| None)?,
    };
    Ok(VoidWindow {
        country: row.with("country", country)?,
        carrier: carrier_or_all(row)?,
        period: row.period()?,
        days,
        cut_off: row.with("cut_off", |text| NaiveTime::parse_from_str(text, "%H:%M").ok())?,
        before_departure: row.with("minutes_before_departure", |text| text.parse().ok().and_then(Duration::try_minutes))?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::tests::{catalogue, date};
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<chrono::DateTime<Utc>>().unwrap())
    }

    fn ends(carrier: &str, zone: Tz, departure: &str) -> Timestamp {
        ends_for("CN", carrier, "2026-11-22", zone, departure)
    }

    fn ends_for(country: &str, carrier: &str, issued_on: &str, zone: Tz, departure: &str) -> Timestamp {
        let rule = catalogue().voids.of(country, CarrierCode::parse(carrier).unwrap(), date(issued_on)).unwrap();
        rule.ends_at(&catalogue().calendar, date(issued_on), (country, zone), at(departure))
    }

    #[test]
    fn the_window_closes_after_the_last_minute_of_the_day_of_issue_at_the_point_of_sale() {
        let later = "2026-12-24T00:00:00Z";
        assert_eq!(ends("CA", chrono_tz::Asia::Shanghai, later), at("2026-11-22T16:00:00Z"));
        assert_eq!(ends("MU", chrono_tz::America::New_York, later), at("2026-11-23T05:00:00Z"));
    }

    #[test]
    fn a_holiday_puts_nothing_off_where_calendar_days_count() {
        // 1 October 2026 is a national holiday in China, and 15 February the first day of the Spring Festival.
        for (issued_on, end) in [("2026-10-01", "2026-10-01T16:00:00Z"), ("2026-02-15", "2026-02-15T16:00:00Z")] {
            assert_eq!(ends_for("CN", "CA", issued_on, chrono_tz::Asia::Shanghai, "2027-12-24T00:00:00Z"), at(end));
        }
    }

    #[test]
    fn in_the_united_states_the_window_closes_on_the_next_business_day_which_holidays_put_off() {
        let ends = |issued_on| ends_for("US", "CA", issued_on, chrono_tz::America::New_York, "2027-12-24T00:00:00Z");
        assert_eq!(ends("2026-11-18"), at("2026-11-20T05:00:00Z"), "Wednesday: until the end of Thursday");
        assert_eq!(ends("2026-11-20"), at("2026-11-24T05:00:00Z"), "Friday: until the end of Monday");
        assert_eq!(ends("2026-11-25"), at("2026-11-28T05:00:00Z"), "Thanksgiving is between");
        assert_eq!(ends("2026-07-02"), at("2026-07-07T04:00:00Z"), "Independence Day is observed on Friday");
        assert_eq!(
            ends_for("US", "CA", "2026-11-20", chrono_tz::America::New_York, "2026-11-21T12:00:00Z"),
            at("2026-11-21T12:00:00Z")
        );
    }

    #[test]
    fn nothing_is_voided_after_the_first_departure() {
        assert_eq!(ends("CA", chrono_tz::Asia::Shanghai, "2026-11-22T09:30:00Z"), at("2026-11-22T09:30:00Z"));
    }

    #[test]
    fn the_narrower_rule_wins() {
        let text = "country,carrier,effective_from,effective_until,days,day_kind,cut_off,minutes_before_departure\n\
            *,*,2025-01-01,,0,calendar,23:59,0\nUS,*,2025-01-01,,1,working,23:59,0\n\
            US,CA,2025-01-01,,0,calendar,20:00,120\n*,CA,2025-01-01,,0,calendar,22:00,0\n";
        let rules = VoidWindows::read(Table { file: "test", text }).unwrap();
        let found = |country, carrier| rules.of(country, CarrierCode::parse(carrier).unwrap(), date("2026-11-22")).unwrap();
        assert_eq!(
            (found("US", "CA").before_departure, found("US", "MU").days),
            (Duration::minutes(120), WindowDays::Working(1))
        );
        assert_eq!(found("CN", "CA").cut_off, NaiveTime::from_hms_opt(22, 0, 0).unwrap());
        assert_eq!(found("CN", "MU").cut_off, NaiveTime::from_hms_opt(23, 59, 0).unwrap());
    }
}
