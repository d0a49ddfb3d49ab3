//! Reopens a facility that was closed by itself, once its bank answers a probe and nothing of it is in doubt.

use crate::app::App;
use crate::credit::{FacilityError, facilities, reopen_facility};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1_000);

pub(super) fn run(app: &App) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "facilities will not reopen by themselves"),
    };
    loop {
        std::thread::sleep(PAUSE);
        if let Err(error) = reopen_once(app, &runtime) {
            tracing::error!(%error, "reopening failed; it is tried again");
        }
    }
}

fn reopen_once(app: &App, runtime: &tokio::runtime::Runtime) -> Result<(), FacilityError> {
    for state in app.store.read(|db| facilities(db, app.today()))? {
        // What a person closed stays closed until a person reopens it.
        if !state.facility.is_closed_by_itself() || runtime.block_on(app.bank.probe()).is_err() {
            continue;
        }
        match app.store.write(|tx| reopen_facility(tx, state.facility.id)) {
            Ok(facility) => tracing::info!(facility = %facility.id, "facility reopened"),
            Err(FacilityError::Unresolved) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
