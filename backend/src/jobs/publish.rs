//! Events are given their places in the feeds.

use crate::app::App;
use crate::notify::{FULL_PASS, publish};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(200);

pub(super) fn run(app: &App) {
    loop {
        match publish(&app.store) {
            Ok(published) if published >= FULL_PASS => continue,
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "events were not published; it is tried again"),
        }
        std::thread::sleep(PAUSE);
    }
}
