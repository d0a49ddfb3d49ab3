//! Seals the chain and anchors every new head outside the database.

use crate::app::App;
use crate::ledger::{Anchor, Seal, has_unsealed, seal_pending, seals};
use std::collections::BTreeMap;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1_000);

pub(super) fn run(app: &App) {
    // What was sealed before a crash and not anchored any more, and what an append that failed left over.
    let mut unanchored = match missing_anchors(app) {
        Ok(missing) => missing,
        Err(error) => {
            tracing::error!(error, "the anchor file cannot be read; new heads are still appended");
            Vec::new()
        }
    };
    loop {
        std::thread::sleep(PAUSE);
        if let Err(error) = app.store.keep_lease() {
            tracing::warn!(%error, "the node's lease was not renewed");
        }
        if let Err(error) = seal_once(app, &mut unanchored) {
            tracing::error!(error, "sealing failed; it is tried again");
        }
    }
}

fn seal_once(app: &App, unanchored: &mut Vec<Anchor>) -> Result<(), String> {
    if app.store.read(has_unsealed).map_err(|error| error.to_string())? {
        let seals = app.store.write(seal_pending).map_err(|error| error.to_string())?;
        unanchored.extend(seals.iter().map(|seal| Anchor::of(&app.database_id, seal)));
    }
    if !unanchored.is_empty() {
        Anchor::append(&app.anchor, unanchored).map_err(|error| error.to_string())?;
        unanchored.clear();
    }
    Ok(())
}

/// The seals above the last head in the file.
fn missing_anchors(app: &App) -> Result<Vec<Anchor>, String> {
    let known = if app.anchor.exists() { Anchor::read_last(&app.anchor, &app.database_id) } else { Ok(BTreeMap::new()) };
    let known = known.map_err(|error| error.to_string())?;
    let seals = app.store.read(seals).map_err(|error| error.to_string())?;
    let above = |seal: &Seal| known.get(&seal.node).is_none_or(|anchor| anchor.height < seal.height);
    Ok(seals.iter().filter(|seal| above(seal)).map(|seal| Anchor::of(&app.database_id, seal)).collect())
}
