//! What runs by the calendar, and when: the table. A job is a sequence of named steps, each of which may be tried again from its beginning.

use super::cash_proof;
use super::close_of_day;
use super::fence::Fence;
use super::pay_airlines;
use crate::app::App;
use crate::catalogue::calendar::Calendar;
use crate::clock::Timestamp;
use chrono_tz::Tz;
use std::str::FromStr;

/// On which days an occurrence counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Days {
    All,
    /// Those that are worked in this country.
    Worked(&'static str),
}

/// Answers how many things it did.
pub(super) type Work = fn(&App, &Fence) -> Result<i64, JobError>;

pub struct Step {
    pub name: &'static str,
    pub(super) work: Work,
}

pub struct Scheduled {
    pub name: &'static str,
    /// Seconds, minutes, hours, days of the month, months, days of the week; in the operator's zone.
    pub cron: &'static str,
    pub days: Days,
    pub steps: &'static [Step],
}

/// A minute after midnight, so that a node whose clock is a little behind does not write on a day that is closed.
pub const SCHEDULE: &[Scheduled] = &[
    Scheduled {
        name: "close_of_day",
        cron: "0 1 0 * * *",
        days: Days::All,
        steps: &[
            Step { name: "accrue_interest", work: close_of_day::accrue_interest },
            Step { name: "bill_cycles", work: close_of_day::bill_cycles },
            Step { name: "carry_credit", work: close_of_day::carry_credit },
            Step { name: "review_obligations", work: close_of_day::review_obligations },
            Step { name: "charge", work: close_of_day::charge_obligations },
            Step { name: "note_unanswered_memos", work: close_of_day::note_unanswered_memos },
            Step { name: "provide_for_losses", work: close_of_day::provide_for_losses },
            Step { name: "count_agency_days", work: close_of_day::count_agency_days },
            Step { name: "score_agencies", work: close_of_day::score_agencies },
            Step { name: "prove_cash", work: cash_proof::prove },
        ],
    },
    Scheduled {
        name: "pay_airlines",
        cron: "0 0 9 * * *",
        days: Days::All,
        steps: &[Step { name: "order_due", work: pay_airlines::order_due }],
    },
    Scheduled {
        name: "dunning",
        cron: "0 0 9 * * *",
        days: Days::All,
        steps: &[Step { name: "remind", work: close_of_day::remind_agencies }],
    },
];

#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Another node runs the job by now.
    #[error("another node has taken the job over")]
    Fenced,
    #[error(transparent)]
    Db(#[from] crate::db::DbError),
    #[error("{0}")]
    Failed(String),
}

impl JobError {
    pub(super) fn of(error: impl std::fmt::Display) -> Self {
        JobError::Failed(error.to_string())
    }
}

/// What came due: the last occurrence, and how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub at: Timestamp,
    pub occurrences: i64,
}

impl Scheduled {
    pub fn named(name: &str) -> Option<&'static Scheduled> {
        SCHEDULE.iter().find(|one| one.name == name)
    }

    pub fn step(&self, name: &str) -> Option<&'static Step>
    where
        Self: 'static,
    {
        let known: &'static Scheduled = Scheduled::named(self.name)?;
        known.steps.iter().find(|step| step.name == name)
    }

    /// The step after this one, or the first.
    pub(super) fn step_after(&self, name: Option<&str>) -> Option<&'static str> {
        let place = match name {
            None => 0,
            Some(name) => self.steps.iter().position(|step| step.name == name)?.checked_add(1)?,
        };
        self.steps.get(place).map(|step| step.name)
    }

    fn occurrences<'c>(&self, after: Timestamp, zone: Tz, calendar: &'c Calendar) -> impl Iterator<Item = Timestamp> + 'c {
        let days = self.days;
        // The table's own texts are parsed by a test.
        let schedule = cron::Schedule::from_str(self.cron).ok();
        let all = schedule.into_iter().flat_map(move |schedule| schedule.after_owned(after.utc().with_timezone(&zone)));
        let counts = move |at: &chrono::DateTime<Tz>| match days {
            Days::All => true,
            Days::Worked(country) => calendar.is_working_day(country, at.date_naive()),
        };
        all.filter(counts).map(|at| Timestamp::from(at.to_utc()))
    }

    /// What came due after a moment and by now.
    pub(super) fn due(&self, after: Timestamp, now: Timestamp, zone: Tz, calendar: &Calendar) -> Option<Due> {
        let came = self.occurrences(after, zone, calendar).take_while(|at| *at <= now);
        came.fold(None, |due: Option<Due>, at| Some(Due { at, occurrences: due.map_or(1, |due| due.occurrences + 1) }))
    }

    pub fn next(&self, now: Timestamp, zone: Tz, calendar: &Calendar) -> Option<Timestamp> {
        self.occurrences(now, zone, calendar).next()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use chrono_tz::Asia::Shanghai;

    fn at(text: &str) -> Timestamp {
        Timestamp::from(text.parse::<chrono::DateTime<chrono::Utc>>().unwrap())
    }

    #[test]
    fn every_job_has_a_name_of_its_own_steps_and_a_time() {
        for job in SCHEDULE {
            assert!(cron::Schedule::from_str(job.cron).is_ok(), "{}", job.name);
            assert_eq!(SCHEDULE.iter().filter(|other| other.name == job.name).count(), 1);
            assert!(!job.steps.is_empty());
            for step in job.steps {
                assert_eq!(job.steps.iter().filter(|other| other.name == step.name).count(), 1);
            }
        }
    }

    #[test]
    fn missed_days_are_counted_over_the_leap_day_and_the_end_of_the_month() {
        let calendar = Catalogue::load().unwrap().calendar;
        let close = Scheduled::named("close_of_day").unwrap();
        // A minute after midnight in Shanghai is 16:01 of the day before in UTC.
        let (after, now) = (at("2028-02-27T16:01:00Z"), at("2028-03-01T16:00:59Z"));
        let due = close.due(after, now, Shanghai, &calendar).unwrap();
        assert_eq!(due, Due { at: at("2028-02-29T16:01:00Z"), occurrences: 2 });
        assert_eq!(close.due(due.at, now, Shanghai, &calendar), None);
        assert_eq!(close.due(after, at("2028-02-20T00:00:00Z"), Shanghai, &calendar), None, "a clock that went back");
        assert_eq!(close.next(now, Shanghai, &calendar), Some(at("2028-03-01T16:01:00Z")));
    }

    #[test]
    fn a_job_of_working_days_passes_over_holidays() {
        let calendar = Catalogue::load().unwrap().calendar;
        let job = Scheduled { name: "close_of_day", cron: "0 0 9 * * *", days: Days::Worked("CN"), steps: &[] };
        assert_eq!(job.next(at("2026-09-30T02:00:00Z"), Shanghai, &calendar), Some(at("2026-10-08T01:00:00Z")));
    }
}
