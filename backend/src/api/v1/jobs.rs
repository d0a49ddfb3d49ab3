//! `/v1/jobs`: what runs by the calendar, its history, and running it once more.

use super::shape::{PageParams, time};
use super::sight::{not_found, require_operator};
use crate::api::caller::Caller;
use crate::api::envelope::{Body, Data, Page, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::once::{Key, once};
use crate::api::paging::PageRequest;
use crate::api::query::Query;
use crate::app::{Days, JobView, RunRow, Scheduled, job_views, request_run, runs_of};
use crate::audit;
use crate::identity::Scope;
use crate::ids::{Id, JobRunId, KeyId};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Job {
    #[schema(example = "close_of_day")]
    pub name: String,
    /// Seconds, minutes, hours, days of the month, months, days of the week.
    #[schema(example = "0 1 0 * * *")]
    pub cron: String,
    /// IANA zone in which that is read.
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: String,
    /// Only on days that are worked in this country; null: every day.
    pub working_days_of: Option<String>,
    /// In the order in which they are done.
    pub steps: Vec<String>,
    /// RFC 3339, UTC.
    pub next_run_at: Option<String>,
    pub last_run: Option<JobRun>,
}

/// A run that stopped goes on at the step that it had not finished.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobRun {
    #[schema(example = "run_0000000000001")]
    pub id: String,
    pub job: String,
    /// `schedule`, or `manual` where an operator asked for it.
    pub cause: String,
    /// `queued`, `running`, `failed` (and tried again) or `done`.
    pub state: String,
    pub scheduled_at: String,
    /// How many times it was due: more than 1 where it was missed.
    pub occurrences: i64,
    pub ledger_date: String,
    /// The last step that is done.
    pub finished_step: Option<String>,
    /// How many things its steps did.
    pub progress: i64,
    pub attempts: i64,
    /// The number of the node that did the last step.
    pub node: Option<i64>,
    pub error: Option<String>,
    /// The key that asked for it.
    pub requested_by: Option<String>,
    pub created_at: String,
    pub finished_at: Option<String>,
}

impl From<RunRow> for JobRun {
    fn from(row: RunRow) -> Self {
        JobRun {
            id: JobRunId::of(row.id).to_string(),
            job: row.job,
            cause: row.cause,
            state: row.state,
            scheduled_at: time(row.scheduled_at),
            occurrences: row.occurrences,
            ledger_date: row.ledger_date.to_string(),
            finished_step: row.step,
            progress: row.progress,
            attempts: row.attempts,
            node: row.node,
            error: row.error,
            requested_by: row.requested_by.map(|id| KeyId::of(id).to_string()),
            created_at: time(row.created_at),
            finished_at: row.finished_at.map(time),
        }
    }
}

fn shown(view: JobView, zone: chrono_tz::Tz) -> Job {
    Job {
        name: view.scheduled.name.to_owned(),
        cron: view.scheduled.cron.to_owned(),
        time_zone: zone.name().to_owned(),
        working_days_of: match view.scheduled.days {
            Days::All => None,
            Days::Worked(country) => Some(country.to_owned()),
        },
        steps: view.scheduled.steps.iter().map(|step| step.name.to_owned()).collect(),
        next_run_at: view.next.map(|at| time(at.naive())),
        last_run: view.last.map(JobRun::from),
    }
}

/// The jobs that run by the calendar. The operator only.
#[utoipa::path(get, path = "/v1/jobs", tag = "Settlement", operation_id = "list_jobs",
    responses((status = 200, body = Data<Vec<Job>>),
        (status = 403, description = "`insufficient_scope`: the operator only", body = ErrorBody)))]
pub async fn list_jobs(caller: Caller) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let app = caller.app.clone();
    let views = caller.read(move |db| job_views(&app, db)).await?;
    let zone = caller.app.store.zone();
    Ok(ok(views.into_iter().map(|view| shown(view, zone)).collect::<Vec<_>>()))
}

/// The runs of a job, newest first. The operator only.
#[utoipa::path(get, path = "/v1/jobs/{name}/runs", tag = "Settlement", operation_id = "list_job_runs",
    params(("name" = String, Path, description = "Such as `close_of_day`"), PageParams),
    responses((status = 200, body = Page<JobRun>),
        (status = 403, description = "`insufficient_scope`: the operator only", body = ErrorBody)))]
pub async fn list_runs(caller: Caller, name: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceRead)?;
    require_operator(&caller)?;
    let job = Scheduled::named(&name).ok_or_else(not_found)?;
    let request = PageRequest::<i64>::read(&query, "/v1/jobs/runs")?;
    let (window, limit) = (request.window(), request.fetch());
    let found = caller.read(move |db| runs_of(db, job.name, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(JobRun::from)))
}

#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunJob {}

/// Runs a job once more, from its first step: every step finds what is left to do. It begins within a second. The operator only.
#[utoipa::path(post, path = "/v1/jobs/{name}/runs", tag = "Settlement", operation_id = "run_job", request_body = Data<RunJob>,
    params(("name" = String, Path, description = "Such as `close_of_day`")),
    responses((status = 202, body = Data<JobRun>),
        (status = 403, description = "`insufficient_scope`: the operator only", body = ErrorBody)))]
pub async fn run(
    caller: Caller,
    request: HttpRequest,
    name: web::Path<String>,
    body: Body<RunJob>,
) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::FinanceWrite)?;
    require_operator(&caller)?;
    let job = Scheduled::named(&name).ok_or_else(not_found)?;
    let cause = caller.cause();
    once(&caller, &request, Key::Accepted, &body.bytes, StatusCode::ACCEPTED, move |tx| {
        let row = request_run(tx, cause.actor, job.name)?;
        audit::record(tx, &cause, "job.run", JobRunId::of(row.id))?;
        Ok(JobRun::from(row))
    })
    .await
}
