//! Airlines that are not paid at once are paid on their day: the payments that are due are ordered, a page per commit, and leave as every other. What was
//! ordered before the step was stopped is not ordered again.

use super::fence::Fence;
use super::schedule::JobError;
use crate::app::App;
use crate::credit::order_payments;
use crate::ids::{AdvanceId, Id};
use crate::settlement::due_to_airlines;

/// Advances that are looked at in one round.
const PAGE: i64 = 500;

/// Answers how many payments it ordered.
pub(super) fn order_due(app: &App, fence: &Fence) -> Result<i64, JobError> {
    let (today, zone) = (app.today(), app.store.zone());
    let (mut after, mut ordered) = (AdvanceId::of(0), 0i64);
    loop {
        let page = app.store.read(|db| due_to_airlines(db, &app.catalogue.calendar, zone, today, (after, PAGE)))?;
        let Some(last) = page.last else { return Ok(ordered) };
        after = last;
        if page.due.is_empty() {
            continue;
        }
        let done = fence.write(|tx| order_payments(tx, &page.due).map_err(JobError::of))?;
        app.disbursing.notify_one();
        ordered = ordered.saturating_add(i64::try_from(done.len()).unwrap_or(i64::MAX));
    }
}
