//! What runs by itself: advances leave and are booked, facilities reopen, interest and incentives are accrued, held orders expire, refunds are looked after, the chain
//! is sealed, events are published and delivered, requests are noted. One set of jobs per mode.

mod accrue;
mod callback;
mod deliver;
mod disburse;
mod expire;
mod incentives;
mod metrics;
mod publish;
mod recover;
mod refunds;
mod reopen;
mod request_log;
mod schedules;
mod seal;

pub use callback::{CALLBACK_BYTES, CALLBACK_SIGNATURE, CallbackRefusal, Heard, hear_callback};
pub use disburse::{book_said, callback_outcome};
pub use metrics::Metrics;
pub use recover::{LostPayment, RecoverError, Recovery, recover, why_recovery_is_due};

use crate::app::App;
use std::sync::Arc;

/// Goes on for ever.
type Job = fn(&Arc<App>);

/// Starts the jobs of one mode, each on a thread of its own. They end with the process.
pub fn start(app: &Arc<App>) -> std::io::Result<()> {
    let jobs: [(&str, Job); 11] = [
        ("disburse", disburse::run),
        ("seal", |app| seal::run(app)),
        ("reopen", |app| reopen::run(app)),
        ("accrue", |app| accrue::run(app)),
        ("expire", |app| expire::run(app)),
        ("publish", |app| publish::run(app)),
        ("deliver", |app| deliver::run(app)),
        ("request-log", |app| request_log::run(app)),
        ("refunds", |app| refunds::run(app)),
        ("incentives", |app| incentives::run(app)),
        ("schedules", |app| schedules::run(app)),
    ];
    for (name, run) in jobs {
        let app = app.clone();
        std::thread::Builder::new().name(name.into()).spawn(move || run(&app))?;
    }
    Ok(())
}
