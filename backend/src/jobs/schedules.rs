//! Looks whether airlines have changed flights through another node.

use crate::app::App;
use std::time::Duration;

const PAUSE: Duration = Duration::from_secs(2);

pub(super) fn run(app: &App) {
    loop {
        std::thread::sleep(PAUSE);
        if let Err(error) = app.refresh_schedules() {
            tracing::warn!(%error, "the schedule's changes were not read; a sale of a changed flight is refused in its commit");
        }
    }
}
