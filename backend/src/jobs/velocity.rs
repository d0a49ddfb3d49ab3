//! Velocity rules that were adopted here or on another node come into force, and windows that are past are forgotten.

use crate::app::App;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);

pub(super) fn run(app: &App) {
    loop {
        if let Err(error) = app.refresh_velocity() {
            tracing::error!(%error, "the windows of velocity were not brought up to date; it is tried again");
        }
        std::thread::sleep(PAUSE);
    }
}
