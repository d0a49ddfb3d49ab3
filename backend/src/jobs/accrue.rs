//! What a day costs is booked when the ledger date has moved on: interest of every facility, and what agencies are expected never to pay. Every day that is
//! over and not booked yet. A minute later, so that a node whose clock is a little behind does not draw on a day that is accrued.

use crate::agencies::agencies;
use crate::app::App;
use crate::audit::Actor;
use crate::credit::{AccrualError, accrue, facilities};
use crate::db::Window;
use crate::settlement::{ProvisionError, provide_for_day};
use chrono::NaiveDate;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);
const GRACE: chrono::Duration = chrono::Duration::minutes(1);
/// Agencies that are looked at in one round.
const PAGE: i64 = 200;

pub(super) fn run(app: &App) {
    let mut closed_on = None;
    loop {
        let today = app.now().plus(-GRACE).date_in(app.store.zone());
        if closed_on != Some(today) {
            match (accrue_all(app, today), provide_all(app, today)) {
                (Ok(()), Ok(())) => closed_on = Some(today),
                (interest, losses) => {
                    if let Err(error) = interest {
                        tracing::error!(%error, "interest was not accrued; it is tried again");
                    }
                    if let Err(error) = losses {
                        tracing::error!(%error, "losses were not provided for; it is tried again");
                    }
                }
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

/// An allowance is a stock: days that were missed need no catching up.
fn provide_all(app: &App, today: NaiveDate) -> Result<(), ProvisionError> {
    let Some(yesterday) = today.pred_opt() else { return Ok(()) };
    let mut window = Window::NEWEST;
    loop {
        let page = app.store.read(|db| agencies(db, None, window, PAGE))?;
        for agency in &page {
            let provided = app.store.write(|tx| provide_for_day(tx, Actor::platform(), agency.id, agency.currency, yesterday))?;
            if let Some(provision) = provided.filter(|provision| provision.booked.minor != 0) {
                tracing::info!(agency = %agency.id, day = %yesterday, allowance = %provision.allowance, "loss provided for");
            }
        }
        match page.last() {
            Some(last) => window = Window::OlderThan(crate::ids::Id::raw(last.id)),
            None => return Ok(()),
        }
    }
}
