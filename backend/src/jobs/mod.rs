//! What runs by itself: advances leave and are booked, facilities reopen, incentives are accrued, held orders expire, refunds are looked after, the chain is sealed, events
//! are published and delivered, requests are noted; by the calendar (`schedule`) the day is closed. One set of jobs per mode.

mod accrue;
mod callback;
mod cash_proof;
mod close_of_day;
mod deliver;
mod disburse;
mod expire;
mod fence;
mod incentives;
mod mail;
mod metrics;
mod pay_airlines;
mod publish;
mod recover;
mod refunds;
mod reopen;
mod request_log;
mod run;
mod schedule;
mod schedules;
mod seal;
mod velocity;

pub use callback::{CALLBACK_BYTES, CALLBACK_SIGNATURE, CallbackRefusal, Heard, hear_callback};
pub use disburse::{book_said, callback_outcome};
pub use fence::Fence;
pub use metrics::Metrics;
pub use recover::{LostPayment, RecoverError, Recovery, recover, why_recovery_is_due};
pub use run::{JobView, Looked, RunRow, Scheduler, job_views, request_run, runs_of};
pub use schedule::{Days, JobError, SCHEDULE, Scheduled, Step};

use crate::app::App;
use std::sync::Arc;

const PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

fn run_calendar(app: &Arc<App>) {
    let scheduler = Scheduler::new(app);
    loop {
        if let Err(error) = scheduler.round() {
            tracing::error!(%error, "what is due by the calendar was not done; it is tried again");
        }
        std::thread::sleep(PAUSE);
    }
}

/// Goes on for ever.
type Job = fn(&Arc<App>);

/// Starts the jobs of one mode, each on a thread of its own. They end with the process.
pub fn start(app: &Arc<App>) -> std::io::Result<()> {
    let jobs: [(&str, Job); 13] = [
        ("disburse", disburse::run),
        ("seal", |app| seal::run(app)),
        ("reopen", |app| reopen::run(app)),
        ("calendar", run_calendar),
        ("mail", |app| mail::run(app)),
        ("expire", |app| expire::run(app)),
        ("publish", |app| publish::run(app)),
        ("deliver", |app| deliver::run(app)),
        ("request-log", |app| request_log::run(app)),
        ("refunds", |app| refunds::run(app)),
        ("incentives", |app| incentives::run(app)),
        ("schedules", |app| schedules::run(app)),
        ("velocity", |app| velocity::run(app)),
    ];
    for (name, run) in jobs {
        let app = app.clone();
        std::thread::Builder::new().name(name.into()).spawn(move || run(&app))?;
    }
    Ok(())
}
