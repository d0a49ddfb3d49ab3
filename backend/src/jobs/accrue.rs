//! Interest is accrued when the ledger date has moved on: every facility, every day that is over and not accrued yet. A minute later, so that a node
//! whose clock is a little behind does not draw on a day that is accrued.

use crate::app::App;
use crate::audit::Actor;
use crate::credit::{AccrualError, accrue, facilities};
use chrono::NaiveDate;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);
const GRACE: chrono::Duration = chrono::Duration::minutes(1);

pub(super) fn run(app: &App) {
    let mut accrued_on = None;
    loop {
        let today = app.now().plus(-GRACE).date_in(app.store.zone());
        if accrued_on != Some(today) {
            match accrue_all(app, today) {
                Ok(()) => accrued_on = Some(today),
                Err(error) => tracing::error!(%error, "interest was not accrued; it is tried again"),
            }
        }
        std::thread::sleep(PAUSE);
    }
}

fn accrue_all(app: &App, today: NaiveDate) -> Result<(), AccrualError> {
    let Some(yesterday) = today.pred_opt() else { return Ok(()) };
    for state in app.store.read(|db| facilities(db, today))? {
        let facility = &state.facility;
        let days = accrue(&app.store, Actor::platform(), facility.id, facility.limit.currency, Some(yesterday))?;
        if let Some(last) = days.last() {
            tracing::info!(facility = %facility.id, %today, days = days.len(), total = %last.total_booked, "interest accrued");
        }
    }
    Ok(())
}
