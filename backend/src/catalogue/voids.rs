//! Void windows: until when a ticket can be voided, per country of the point of sale and carrier.

use super::fares::carrier_or_all;
use super::records::{Row, Table};
use super::{CarrierCode, CatalogueError, Period};
use crate::clock::Timestamp;
use chrono::{Days, Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoidWindow {
    country: Option<String>,
    carrier: Option<CarrierCode>,
    period: Period,
    /// Calendar days after the day of issue.
    days: u64,
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
    /// The first moment at which it is too late.
    pub fn ends_at(&self, issued_on: NaiveDate, point_of_sale: Tz, first_departure: Timestamp) -> Timestamp {
        let last_day = issued_on.checked_add_days(Days::new(self.days)).unwrap_or(issued_on);
        let local = last_day.and_time(self.cut_off) + Duration::minutes(1);
        // An hour that a change of clocks leaves out ends when it would have begun.
        let cut_off = point_of_sale.from_local_datetime(&local).latest();
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
    Ok(VoidWindow {
        country: row.with("country", country)?,
        carrier: carrier_or_all(row)?,
        period: row.period()?,
        days: row.parsed("days")?,
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
        let carrier = CarrierCode::parse(carrier).unwrap();
        let rule = catalogue().voids.of("CN", carrier, date("2026-11-22")).unwrap();
        rule.ends_at(date("2026-11-22"), zone, at(departure))
    }

    #[test]
    fn the_window_closes_after_the_last_minute_of_the_day_of_issue_at_the_point_of_sale() {
        let later = "2026-12-24T00:00:00Z";
        assert_eq!(ends("CA", chrono_tz::Asia::Shanghai, later), at("2026-11-22T16:00:00Z"));
        assert_eq!(ends("MU", chrono_tz::America::New_York, later), at("2026-11-23T05:00:00Z"));
    }

    #[test]
    fn nothing_is_voided_after_the_first_departure() {
        assert_eq!(ends("CA", chrono_tz::Asia::Shanghai, "2026-11-22T09:30:00Z"), at("2026-11-22T09:30:00Z"));
    }

    #[test]
    fn the_narrower_rule_wins() {
        let text = "country,carrier,effective_from,effective_until,days,cut_off,minutes_before_departure\n\
            *,*,2025-01-01,,0,23:59,0\nUS,*,2025-01-01,,1,23:59,0\nUS,CA,2025-01-01,,0,20:00,120\n*,CA,2025-01-01,,0,22:00,0\n";
        let rules = VoidWindows::read(Table { file: "test", text }).unwrap();
        let found = |country, carrier| rules.of(country, CarrierCode::parse(carrier).unwrap(), date("2026-11-22")).unwrap();
        assert_eq!((found("US", "CA").before_departure, found("US", "MU").days), (Duration::minutes(120), 1));
        assert_eq!(found("CN", "CA").cut_off, NaiveTime::from_hms_opt(22, 0, 0).unwrap());
        assert_eq!(found("CN", "MU").cut_off, NaiveTime::from_hms_opt(23, 59, 0).unwrap());
    }
}
