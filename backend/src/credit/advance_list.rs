//! Advances as lists: by who sold, who is paid, who pays.

use super::advance::{Advance, AdvanceRow, AdvanceState};
use crate::db::schema::{advance, ticket};
use crate::db::{Db, DbError, Window, windowed};
use crate::ids::{AdvanceId, AgencyId, AirlineId, FacilityId, Id, TicketId};
use diesel::prelude::*;
use std::collections::HashSet;

/// Which advances; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct AdvanceFilter {
    /// Tickets that these agencies sold.
    pub agencies: Option<Vec<AgencyId>>,
    pub airlines: Option<Vec<AirlineId>>,
    pub facilities: Option<Vec<FacilityId>>,
    pub ticket: Option<TicketId>,
    pub state: Option<AdvanceState>,
}

fn raw<T: Id>(ids: &[T]) -> Vec<i64> {
    ids.iter().map(|id| id.raw()).collect()
}

pub fn advances_where(db: &mut Db, filter: &AdvanceFilter, window: Window, limit: i64) -> Result<Vec<Advance>, DbError> {
    let mut query = windowed!(advance::table.into_boxed(), advance::id, window, limit);
    if let Some(agencies) = &filter.agencies {
        let sold = ticket::table.filter(ticket::agency_id.eq_any(raw(agencies))).select(ticket::id);
        query = query.filter(advance::ticket_id.eq_any(sold));
    }
    if let Some(airlines) = &filter.airlines {
        query = query.filter(advance::airline_id.eq_any(raw(airlines)));
    }
    if let Some(facilities) = &filter.facilities {
        let drawn_on: Vec<Option<i64>> = facilities.iter().map(|id| Some(id.raw())).collect();
        query = query.filter(advance::facility_id.eq_any(drawn_on));
    }
    if let Some(id) = filter.ticket {
        query = query.filter(advance::ticket_id.eq(id.raw()));
    }
    if let Some(state) = filter.state {
        query = query.filter(advance::state.eq(state.text()));
    }
    let rows: Vec<AdvanceRow> = query.select(AdvanceRow::as_select()).load(db)?;
    rows.into_iter().map(Advance::try_from).collect()
}

pub fn advances_by_id(db: &mut Db, ids: &[AdvanceId]) -> Result<Vec<Advance>, DbError> {
    let rows: Vec<AdvanceRow> =
        advance::table.filter(advance::id.eq_any(raw(ids))).order(advance::id).select(AdvanceRow::as_select()).load(db)?;
    rows.into_iter().map(Advance::try_from).collect()
}

/// Everything that is still to be paid or found out, oldest first.
pub fn unresolved_advances(db: &mut Db) -> Result<Vec<Advance>, DbError> {
    let open = advance::table.filter(advance::resolved_at.is_null()).order(advance::id);
    let rows: Vec<AdvanceRow> = open.select(AdvanceRow::as_select()).load(db)?;
    rows.into_iter().map(Advance::try_from).collect()
}

/// Which of these advances exist.
pub fn known_advances(db: &mut Db, ids: &[AdvanceId]) -> Result<HashSet<AdvanceId>, DbError> {
    let mut known = HashSet::new();
    for some in ids.chunks(1_000) {
        let found: Vec<i64> = advance::table.filter(advance::id.eq_any(raw(some))).select(advance::id).load(db)?;
        known.extend(found.into_iter().map(AdvanceId::of));
    }
    Ok(known)
}
