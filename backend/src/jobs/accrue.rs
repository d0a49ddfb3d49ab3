//! What a day costs: interest of every facility, and what agencies are expected never to pay. Every day that is over and not booked yet.

use super::fence::Fence;
use super::schedule::JobError;
use crate::agencies::agencies;
use crate::app::App;
use crate::audit::Actor;
use crate::credit::{AccrualError, accrue, facilities};
use crate::db::Window;
use crate::ids::Id;
use crate::settlement::provide_for_day;
use chrono::NaiveDate;

/// Agencies that are looked at in one round.
const PAGE: i64 = 200;

/// Answers how many days it made.
pub(super) fn accrue_all(app: &App, today: NaiveDate) -> Result<i64, AccrualError> {
    let Some(yesterday) = today.pred_opt() else { return Ok(0) };
    let mut made = 0i64;
    for state in app.store.read(|db| facilities(db, today))? {
        let facility = &state.facility;
        let days = accrue(&app.store, Actor::platform(), facility.id, facility.limit.currency, Some(yesterday))?;
        if let Some(last) = days.last() {
            tracing::info!(facility = %facility.id, %today, days = days.len(), total = %last.total_booked, "interest accrued");
        }
        made = made.saturating_add(i64::try_from(days.len()).unwrap_or(i64::MAX));
    }
    Ok(made)
}

/// An allowance is a stock: days that were missed need no catching up. Answers how many allowances it changed.
pub(super) fn provide_all(app: &App, fence: &Fence, today: NaiveDate) -> Result<i64, JobError> {
    let Some(yesterday) = today.pred_opt() else { return Ok(0) };
    let (mut window, mut changed) = (Window::NEWEST, 0i64);
    loop {
        let page = app.store.read(|db| agencies(db, None, window, PAGE))?;
        for agency in &page {
            let provided = fence.write(|tx| {
                provide_for_day(tx, Actor::platform(), agency.id, agency.currency, yesterday).map_err(JobError::of)
            })?;
            if let Some(provision) = provided.filter(|provision| provision.booked.minor != 0) {
                tracing::info!(agency = %agency.id, day = %yesterday, allowance = %provision.allowance, "loss provided for");
                changed = changed.saturating_add(1);
            }
        }
        match page.last() {
            Some(last) => window = Window::OlderThan(last.id.raw()),
            None => return Ok(changed),
        }
    }
}
