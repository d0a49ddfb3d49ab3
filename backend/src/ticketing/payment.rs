//! Which advances may leave. An airline that owes as much as it may is not paid ahead: an advance to it that has not left waits until its ticket cannot be
//! voided any more, with the reason shown, and is looked at again meanwhile: it leaves as soon as the airline owes less.

use super::void::window_of;
use crate::catalogue::Catalogue;
use crate::clock::Timestamp;
use crate::credit::{Advance, AdvanceError, AdvanceState, CapState, advances_by_id, cap_states, start_sending, waits};
use crate::db::{DbError, WriteTx};
use crate::ids::{AdvanceId, AirlineId};
use std::collections::BTreeSet;

/// Marks these attempts as sent, but for those that wait; answers what may go to the bank now.
pub fn start_paying(tx: &mut WriteTx, catalogue: &Catalogue, ids: &[AdvanceId]) -> Result<Vec<Advance>, AdvanceError> {
    let states = cap_states(tx.db, None, tx.ledger_date)?;
    let reached: Vec<CapState> = states.into_iter().filter(CapState::is_reached).collect();
    if reached.is_empty() {
        return start_sending(tx, ids);
    }
    let capped: BTreeSet<AirlineId> = reached.iter().map(|state| state.cap.airline).collect();
    let mut waiting: Vec<(AdvanceId, Timestamp, String)> = Vec::new();
    for advance in advances_by_id(tx.db, ids)? {
        if advance.state != AdvanceState::Held || !capped.contains(&advance.airline) {
            continue;
        }
        let own = reached
            .iter()
            .find(|state| state.cap.airline == advance.airline && state.cap.cap.currency == advance.amount.currency);
        let Some(state) = own else { continue };
        let until = window_of(tx.db, catalogue, advance.ticket).map_err(|error| DbError::Corrupt(error.to_string()))?;
        if let Some(until) = until.filter(|until| tx.now < *until) {
            waiting.push((advance.id, until, state.reason()));
        }
    }
    waits(tx, &waiting)?;
    let free: Vec<AdvanceId> = ids.iter().copied().filter(|id| !waiting.iter().any(|(one, ..)| one == id)).collect();
    start_sending(tx, &free)
}
