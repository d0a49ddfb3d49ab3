//! Seals the chain and anchors every new head outside the database.

use crate::app::App;
use crate::ledger::{Anchor, has_unsealed, seal_pending};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1_000);

pub(super) fn run(app: &App) {
    loop {
        std::thread::sleep(PAUSE);
        if let Err(error) = seal_once(app) {
            tracing::error!(error, "sealing failed; it is tried again");
        }
    }
}

/// A crash between the commit and the anchor leaves a gap in the file; the next line goes on above it.
fn seal_once(app: &App) -> Result<(), String> {
    if !app.store.read(has_unsealed).map_err(|error| error.to_string())? {
        return Ok(());
    }
    let seals = app.store.write(seal_pending).map_err(|error| error.to_string())?;
    let anchors: Vec<Anchor> = seals.iter().map(|seal| Anchor::of(&app.database_id, seal)).collect();
    Anchor::append(&app.anchor, &anchors).map_err(|error| error.to_string())
}
