//! Incentives are accrued a moment after the sale: what is sealed and not counted yet, programme by programme and node by node.

use crate::app::App;
use crate::ledger::sealed_until;
use crate::settlement::{IncentiveError, accrue_batch, all_programmes, next_batch};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(1_000);

pub(super) fn run(app: &App) {
    loop {
        if let Err(error) = accrue_all(app) {
            tracing::error!(%error, "incentives were not accrued; it is tried again");
        }
        std::thread::sleep(PAUSE);
    }
}

/// Counts everything that is sealed, a batch per commit: in between the writer is free for sales.
fn accrue_all(app: &App) -> Result<(), IncentiveError> {
    let (programmes, sealed) = app.store.read(|db| Ok::<_, IncentiveError>((all_programmes(db)?, sealed_until(db)?)))?;
    for programme in &programmes {
        for (node, until) in &sealed {
            while let Some(batch) = app.store.read(|db| next_batch(db, programme, *node, *until))? {
                app.store.write(|tx| accrue_batch(tx, programme, &batch))?;
            }
        }
    }
    Ok(())
}
