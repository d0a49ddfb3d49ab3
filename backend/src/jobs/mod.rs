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

/// Starts the jobs of one mode, each on a thread of its own. They end with the process.
pub fn start(app: &Arc<App>) -> std::io::Result<()> {
    let (disbursing, sealing, reopening, accruing) = (app.clone(), app.clone(), app.clone(), app.clone());
    let expiring = app.clone();
    let (publishing, delivering, noting) = (app.clone(), app.clone(), app.clone());
    let refunding = app.clone();
    let rewarding = app.clone();
    std::thread::Builder::new().name("disburse".into()).spawn(move || disburse::run(&disbursing))?;
    std::thread::Builder::new().name("seal".into()).spawn(move || seal::run(&sealing))?;
    std::thread::Builder::new().name("reopen".into()).spawn(move || reopen::run(&reopening))?;
    std::thread::Builder::new().name("accrue".into()).spawn(move || accrue::run(&accruing))?;
    std::thread::Builder::new().name("expire".into()).spawn(move || expire::run(&expiring))?;
    std::thread::Builder::new().name("publish".into()).spawn(move || publish::run(&publishing))?;
    std::thread::Builder::new().name("deliver".into()).spawn(move || deliver::run(&delivering))?;
    std::thread::Builder::new().name("request-log".into()).spawn(move || request_log::run(&noting))?;
    std::thread::Builder::new().name("refunds".into()).spawn(move || refunds::run(&refunding))?;
    std::thread::Builder::new().name("incentives".into()).spawn(move || incentives::run(&rewarding))?;
    let refreshing = app.clone();
    std::thread::Builder::new().name("schedules".into()).spawn(move || schedules::run(&refreshing))?;
    Ok(())
}
