//! Interest: every facility, every day that is over and not accrued yet.

use crate::app::App;
use crate::audit::Actor;
use crate::credit::{AccrualError, accrue, facilities};
use chrono::NaiveDate;

/// Answers how many days it made.
pub(super) fn accrue_all(app: &App, today: NaiveDate) -> Result<i64, AccrualError> {
    let Some(yesterday) = today.pred_opt() else { return Ok(0) };
    let mut made = 0i64;
    for state in app.store.read(facilities)? {
        let facility = &state.facility;
        let days = accrue(&app.store, Actor::platform(), facility.id, facility.limit.currency, Some(yesterday))?;
        if let Some(last) = days.last() {
            tracing::info!(facility = %facility.id, %today, days = days.len(), total = %last.total_booked, "interest accrued");
        }
        made = made.saturating_add(i64::try_from(days.len()).unwrap_or(i64::MAX));
    }
    Ok(made)
}
