//! Runs of jobs: planned when they come due or an operator asks, taken a step at a time, and kept with how they ended. A step that was begun and not
//! finished is begun again, by whichever node holds the job.

use super::fence::{Fence, JobRow, job_row, register};
use super::schedule::{JobError, SCHEDULE, Scheduled};
use crate::app::App;
use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::db::schema::{job, job_run};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, ensure_rows, insert, rows, windowed};
use crate::ids::{Id, JobRunId};
use chrono::{Duration, NaiveDate, NaiveDateTime, Utc};
use diesel::prelude::*;
use std::sync::Arc;

rows! {
    pub struct RunRow in job_run {
        id: i64,
        job: String,
        cause: String,
        scheduled_at: NaiveDateTime,
        /// How many occurrences it makes up; 1 unless some were missed.
        occurrences: i64,
        ledger_date: NaiveDate,
        state: String,
        /// The step that is done; none before the first.
        step: Option<String>,
        /// Things that its steps did.
        progress: i64,
        attempts: i64,
        node: Option<i64>,
        fence: Option<i64>,
        /// The key of the operator who asked for it.
        requested_by: Option<i64>,
        error: Option<String>,
        /// On real time.
        retry_at: Option<NaiveDateTime>,
        created_at: NaiveDateTime,
        finished_at: Option<NaiveDateTime>,
    }
}

/// A step that failed is tried again after this.
const RETRY: Duration = Duration::seconds(30);
const OPEN: [&str; 3] = ["queued", "running", "failed"];

/// One scheduler: a thread of a process. It does what is due, a step at a time.
pub struct Scheduler {
    app: Arc<App>,
    holder: String,
}

/// What one look at a job came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nothing is due, or another node is at it.
    Idle,
    Stepped(&'static str),
    Finished,
    Failed,
}

impl Scheduler {
    pub fn new(app: &Arc<App>) -> Self {
        let holder = format!("{}-{}-{}", app.store.node(), std::process::id(), app.store.ids().block(1));
        Scheduler { app: app.clone(), holder }
    }

    /// Does what is due of every job until nothing is left.
    pub(super) fn round(&self) -> Result<(), DbError> {
        for scheduled in SCHEDULE {
            while matches!(self.look(scheduled)?, Looked::Stepped(_) | Looked::Finished) {}
        }
        Ok(())
    }

    /// Plans what came due and does the next step of the oldest open run.
    pub fn look(&self, scheduled: &'static Scheduled) -> Result<Looked, DbError> {
        let (store, now) = (&self.app.store, self.app.now());
        let (zone, calendar) = (store.zone(), &self.app.catalogue.calendar);
        let Some(row) = store.read(|db| job_row(db, scheduled.name))? else {
            // The last occurrence before a database is first seen is the first that is run.
            let since = now.plus(-Duration::days(1));
            store.write(|tx| register(tx, scheduled.name, since))?;
            return self.look(scheduled);
        };
        let due = scheduled.due(Timestamp::from(row.caught_up_to), now, zone, calendar);
        let open = store.read(|db| next_run(db, scheduled.name))?;
        if due.is_none() && open.is_none() {
            return Ok(Looked::Idle);
        }
        if row.holder != self.holder && row.leased_until >= Utc::now().naive_utc() {
            return Ok(Looked::Idle);
        }
        let Some(fence) = Fence::take(store, scheduled.name, &self.holder)? else { return Ok(Looked::Idle) };
        match self.advance(scheduled, &fence) {
            Ok(looked) => {
                if looked == Looked::Finished {
                    fence.release()?;
                }
                Ok(looked)
            }
            Err(JobError::Fenced) => Ok(Looked::Idle),
            Err(JobError::Db(error)) => Err(error),
            Err(JobError::Failed(error)) => Err(DbError::Unavailable(error)),
        }
    }

    fn advance(&self, scheduled: &'static Scheduled, fence: &Fence) -> Result<Looked, JobError> {
        let Some(run) = fence.write(|tx| self.plan(tx, scheduled, fence))? else { return Ok(Looked::Idle) };
        let Some(name) = scheduled.step_after(run.step.as_deref()) else {
            fence.write(|tx| finish(tx, &run))?;
            return Ok(Looked::Finished);
        };
        let Some(step) = scheduled.step(name) else { return Err(JobError::Failed(format!("no step {name}"))) };
        match (step.work)(&self.app, fence) {
            Ok(done) => {
                fence.write(|tx| step_done(tx, &run, name, done))?;
                Ok(Looked::Stepped(name))
            }
            Err(JobError::Fenced) => Err(JobError::Fenced),
            Err(error) => {
                tracing::error!(job = scheduled.name, step = name, %error, "a step of a job failed; it is tried again");
                fence.write(|tx| step_failed(tx, &run, &format!("{name}: {error}")))?;
                Ok(Looked::Failed)
            }
        }
    }

    /// The run to go on with; what came due becomes one, unless it is planned already.
    fn plan(&self, tx: &mut WriteTx, scheduled: &Scheduled, fence: &Fence) -> Result<Option<RunRow>, JobError> {
        let (zone, calendar) = (self.app.store.zone(), &self.app.catalogue.calendar);
        let known: JobRow = job_row(tx.db, scheduled.name)?.ok_or(JobError::Fenced)?;
        if let Some(due) = scheduled.due(Timestamp::from(known.caught_up_to), tx.now, zone, calendar) {
            let row = RunRow { occurrences: due.occurrences, ..new_run(tx, scheduled.name, "schedule", due.at) };
            ensure_rows(tx, &[row])?;
            let caught_up = diesel::update(job::table.find(scheduled.name)).set(job::caught_up_to.eq(due.at.naive()));
            caught_up.execute(&mut *tx.db).map_err(DbError::from)?;
        }
        let Some(run) = next_run(tx.db, scheduled.name)? else { return Ok(None) };
        let changed = (
            job_run::state.eq("running"),
            job_run::attempts.eq(run.attempts.saturating_add(i64::from(run.state != "running"))),
            job_run::node.eq(Some(i64::from(self.app.store.node()))),
            job_run::fence.eq(Some(fence.number)),
        );
        diesel::update(job_run::table.find(run.id)).set(changed).execute(&mut *tx.db).map_err(DbError::from)?;
        Ok(Some(run))
    }
}

fn new_run(tx: &WriteTx, job: &str, cause: &str, scheduled_at: Timestamp) -> RunRow {
    RunRow {
        id: tx.ids.next::<JobRunId>().raw(),
        job: job.to_owned(),
        cause: cause.to_owned(),
        scheduled_at: scheduled_at.naive(),
        occurrences: 1,
        ledger_date: tx.ledger_date,
        state: "queued".to_owned(),
        step: None,
        progress: 0,
        attempts: 0,
        node: None,
        fence: None,
        requested_by: None,
        error: None,
        retry_at: None,
        created_at: tx.now.naive(),
        finished_at: None,
    }
}

/// The oldest run that is not done; one that failed waits for its time.
fn next_run(db: &mut Db, name: &str) -> Result<Option<RunRow>, DbError> {
    let open = job_run::table.filter(job_run::job.eq(name)).filter(job_run::state.eq_any(OPEN));
    let oldest: Option<RunRow> = open.order(job_run::id).select(RunRow::as_select()).first(db).optional()?;
    Ok(oldest.filter(|run| run.retry_at.is_none_or(|at| at <= Utc::now().naive_utc())))
}

fn step_done(tx: &mut WriteTx, run: &RunRow, step: &str, done: i64) -> Result<(), JobError> {
    let none: Option<String> = None;
    let changed = (
        job_run::step.eq(Some(step)),
        job_run::progress.eq(run.progress.saturating_add(done)),
        job_run::error.eq(none),
        job_run::retry_at.eq(None::<NaiveDateTime>),
    );
    diesel::update(job_run::table.find(run.id)).set(changed).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(())
}

fn step_failed(tx: &mut WriteTx, run: &RunRow, error: &str) -> Result<(), JobError> {
    let text: String = error.chars().take(1_000).collect();
    let retry_at = Utc::now().naive_utc() + RETRY;
    let changed = (job_run::state.eq("failed"), job_run::error.eq(Some(text)), job_run::retry_at.eq(Some(retry_at)));
    diesel::update(job_run::table.find(run.id)).set(changed).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(())
}

fn finish(tx: &mut WriteTx, run: &RunRow) -> Result<(), JobError> {
    let changed = (job_run::state.eq("done"), job_run::finished_at.eq(Some(tx.now.naive())));
    diesel::update(job_run::table.find(run.id)).set(changed).execute(&mut *tx.db).map_err(DbError::from)?;
    Ok(())
}

/// What people see of a job.
pub struct JobView {
    pub scheduled: &'static Scheduled,
    pub next: Option<Timestamp>,
    pub last: Option<RunRow>,
}

/// Every job with its next time and its last run.
pub fn job_views(app: &App, db: &mut Db) -> Result<Vec<JobView>, DbError> {
    let (now, zone, calendar) = (app.now(), app.store.zone(), &app.catalogue.calendar);
    let view = |scheduled: &'static Scheduled| {
        let last = runs_of(db, scheduled.name, Window::NEWEST, 1)?.pop();
        Ok(JobView { scheduled, next: scheduled.next(now, zone, calendar), last })
    };
    SCHEDULE.iter().map(view).collect()
}

pub fn runs_of(db: &mut Db, name: &str, window: Window, limit: i64) -> Result<Vec<RunRow>, DbError> {
    let of = job_run::table.filter(job_run::job.eq(name.to_owned())).into_boxed();
    Ok(windowed!(of, job_run::id, window, limit).select(RunRow::as_select()).load(db)?)
}

/// Asks for a run now; it begins within a second.
pub fn request_run(tx: &mut WriteTx, actor: Actor, name: &'static str) -> Result<RunRow, DbError> {
    register(tx, name, tx.now)?;
    let row = RunRow { requested_by: Some(actor.key.raw()), ..new_run(tx, name, "manual", tx.now) };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(row)
}
