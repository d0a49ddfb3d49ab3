//! Refunds that wait: a wallet gets its money when the airline has given it back, and what is not settled when it is due is noted and counted.

use crate::app::App;
use crate::audit::{Actor, Cause};
use crate::ticketing::{RefundError, awaiting, complete_refund, newly_overdue, note_overdue, overdue_count};
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);
/// Looked at in one round; the oldest come first.
const MOST: i64 = 100;

pub(super) fn run(app: &App) {
    loop {
        std::thread::sleep(PAUSE);
        if let Err(error) = look_after(app) {
            tracing::error!(%error, "refunds were not looked after; it is tried again");
        }
    }
}

fn look_after(app: &App) -> Result<(), RefundError> {
    let cause = Cause { actor: Actor::platform(), request_id: "job".to_owned() };
    for id in app.store.read(|db| awaiting(db, MOST))? {
        let application = app.store.write(|tx| complete_refund(tx, &cause, id))?;
        if application.row.completed_at.is_some() {
            tracing::info!(refund = %id, "the airline's money came: the wallet was credited");
        }
    }
    let now = app.now();
    for id in app.store.read(|db| newly_overdue(db, now, MOST))? {
        app.store.write(|tx| note_overdue(tx, &cause, id))?;
        tracing::warn!(refund = %id, "refund overdue");
    }
    let overdue = app.store.read(|db| overdue_count(db, now))?;
    app.metrics.refunds_overdue.set(overdue);
    Ok(())
}
