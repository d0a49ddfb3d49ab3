//! Time comes from here. `Clock::system` follows the machine; `Clock::settable` stands still at what a test or the
//! sandbox set it to plus the time that has really passed since, and only goes forward.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use parking_lot::RwLock;
use std::sync::Arc;

/// An instant in UTC, to the microsecond: what both databases keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(NaiveDateTime);

#[derive(Clone, Debug)]
pub struct Clock(Option<Arc<RwLock<Duration>>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockError {
    #[error("the system clock cannot be set; only a test clock can")]
    NotSettable,
    #[error("a test clock only goes forward; it stands at {0}")]
    Backwards(Timestamp),
}

impl Clock {
    pub fn system() -> Self {
        Clock(None)
    }

    /// A clock that can be moved forward by `ahead` from the machine's.
    pub fn settable(ahead: Duration) -> Self {
        Clock(Some(Arc::new(RwLock::new(ahead))))
    }

    pub fn now(&self) -> Timestamp {
        let ahead = self.0.as_ref().map_or(Duration::zero(), |offset| *offset.read());
        Timestamp::from(Utc::now() + ahead)
    }

    /// Moves a settable clock to `target`; answers how far ahead of the machine's clock it now runs.
    pub fn set(&self, target: Timestamp) -> Result<Duration, ClockError> {
        let offset = self.0.as_ref().ok_or(ClockError::NotSettable)?;
        let mut ahead = offset.write();
        let real = Timestamp::from(Utc::now());
        let now = real.plus(*ahead);
        if target < now {
            return Err(ClockError::Backwards(now));
        }
        *ahead = target.0 - real.0;
        Ok(*ahead)
    }
}

impl Timestamp {
    pub fn naive(self) -> NaiveDateTime {
        self.0
    }

    pub fn utc(self) -> DateTime<Utc> {
        self.0.and_utc()
    }

    pub fn from_millis(millis: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(millis).map(Timestamp::from)
    }

    /// The calendar date that a wall clock in `zone` shows at this instant.
    pub fn date_in(self, zone: Tz) -> NaiveDate {
        zone.from_utc_datetime(&self.0).date_naive()
    }

    /// The first instant of a date in `zone`, also where the clocks skip midnight.
    pub fn begin_of(date: NaiveDate, zone: Tz) -> Self {
        let midnight = date.and_time(chrono::NaiveTime::MIN);
        let exact = zone.from_local_datetime(&midnight).earliest();
        let skipped = || zone.from_local_datetime(&midnight.checked_add_signed(Duration::hours(1))?).earliest();
        exact.or_else(skipped).map_or(Timestamp(midnight), |begin| Timestamp::from(begin.to_utc()))
    }

    /// Saturates at the end of what a date can say instead of failing.
    pub fn plus(self, duration: Duration) -> Self {
        Timestamp(self.0.checked_add_signed(duration).unwrap_or(if duration < Duration::zero() {
            NaiveDateTime::MIN
        } else {
            NaiveDateTime::MAX
        }))
    }

    pub fn since(self, earlier: Timestamp) -> Duration {
        self.0 - earlier.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Timestamp::from(value.naive_utc())
    }
}

impl From<NaiveDateTime> for Timestamp {
    /// Cuts to the microsecond, so that a value read back from either database equals the one written.
    fn from(value: NaiveDateTime) -> Self {
        let micros = value.nanosecond() / 1_000;
        Timestamp(value.with_nanosecond(micros * 1_000).unwrap_or(value))
    }
}

/// RFC 3339 in UTC with microseconds, the form of the API and of the ledger's canonical bytes.
impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}Z", self.0.format("%Y-%m-%dT%H:%M:%S%.6f"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_test_clock_only_goes_forward() {
        let clock = Clock::settable(Duration::zero());
        let tomorrow = clock.now().plus(Duration::days(1));
        clock.set(tomorrow).unwrap();
        assert!(clock.now() >= tomorrow);
        assert!(matches!(clock.set(tomorrow.plus(Duration::days(-2))), Err(ClockError::Backwards(_))));
        assert_eq!(Clock::system().set(tomorrow), Err(ClockError::NotSettable));
    }

    #[test]
    fn the_ledger_date_is_the_operators_wall_clock_date() {
        let evening_in_utc = Timestamp::from(NaiveDate::from_ymd_opt(2026, 2, 28).unwrap().and_hms_opt(16, 0, 0).unwrap());
        assert_eq!(evening_in_utc.date_in(chrono_tz::Asia::Shanghai), NaiveDate::from_ymd_opt(2026, 3, 1).unwrap());
        assert_eq!(evening_in_utc.to_string(), "2026-02-28T16:00:00.000000Z");
        let march = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        assert_eq!(Timestamp::begin_of(march, chrono_tz::Asia::Shanghai), evening_in_utc);
        // In Santiago the clocks go from midnight to one o'clock.
        let skipped = NaiveDate::from_ymd_opt(2026, 9, 6).unwrap();
        assert_eq!(Timestamp::begin_of(skipped, chrono_tz::America::Santiago).to_string(), "2026-09-06T04:00:00.000000Z");
    }
}
