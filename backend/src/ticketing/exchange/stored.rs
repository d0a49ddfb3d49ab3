//! Change requests with their offers, changes, and which ticket was given in for which. The ids of a request's offers follow its own.

use super::offers::ChangeOffer;
use crate::clock::Timestamp;
use crate::db::schema::{order_change, order_change_request, ticket_exchange};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AgencyId, Id, OrderChangeId, OrderChangeOfferId, OrderChangeRequestId, OrderId, TicketId};
use crate::shopping::offer::PricedOffer;
use crate::shopping::request::SearchSlice;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

rows! {
    pub struct ChangeRequestRow in order_change_request {
        id: i64,
        order_id: i64,
        agency_id: i64,
        removed: String,
        added: String,
        offer_count: i64,
        offers: String,
        created_at: NaiveDateTime,
        expires_at: NaiveDateTime,
    }

    /// A chosen offer; from `confirmed_at` on an exchange.
    pub struct OrderChangeRow in order_change {
        id: i64,
        order_id: i64,
        agency_id: i64,
        offer_id: i64,
        currency: String,
        new_total_minor: i64,
        penalty_minor: i64,
        /// What the agency pays, the penalty included; negative where something comes back.
        change_minor: i64,
        expires_at: NaiveDateTime,
        created_at: NaiveDateTime,
        confirmed_at: Option<NaiveDateTime>,
        voided_at: Option<NaiveDateTime>,
    }

    /// The ticket that a new one was given for.
    pub struct TicketExchangeRow in ticket_exchange {
        ticket_id: i64,
        given_in_ticket_id: i64,
        order_change_id: i64,
        penalty_minor: i64,
        /// What was given in, and who gave back which part of it.
        given_in_minor: i64,
        airline_minor: i64,
        authority_minor: i64,
        commission_minor: i64,
        fee_minor: i64,
        /// In which the new ticket is owed, and in which the old one is credited; none where the order was paid from the wallet.
        cycle: Option<String>,
        given_in_cycle: Option<String>,
        created_at: NaiveDateTime,
    }
}

/// The journey that an order had, and which of its slices are given up. A confirmation finds the same journey or is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub journey: PricedOffer,
    pub slices: BTreeSet<usize>,
    /// The airline's change of flights because of which there is no penalty.
    #[serde(default)]
    pub waived_by: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct ChangeRequest {
    pub id: OrderChangeRequestId,
    pub order: OrderId,
    pub agency: AgencyId,
    pub removed: Removed,
    pub added: Vec<SearchSlice>,
    pub offers: Vec<ChangeOffer>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl ChangeRequest {
    pub fn offer_id(&self, position: usize) -> OrderChangeOfferId {
        OrderChangeOfferId::of(self.id.raw().saturating_add(1).saturating_add(i64::try_from(position).unwrap_or(i64::MAX)))
    }

    /// The offer of this id, if it is one of this request's.
    pub fn offer(&self, id: OrderChangeOfferId) -> Option<&ChangeOffer> {
        self.offers.get(usize::try_from(id.raw() - self.id.raw() - 1).ok()?)
    }
}

impl TryFrom<ChangeRequestRow> for ChangeRequest {
    type Error = DbError;

    fn try_from(row: ChangeRequestRow) -> Result<Self, DbError> {
        let corrupt = |_| DbError::Corrupt(format!("order change request {}", row.id));
        Ok(ChangeRequest {
            id: OrderChangeRequestId::of(row.id),
            order: OrderId::of(row.order_id),
            agency: AgencyId::of(row.agency_id),
            removed: serde_json::from_str(&row.removed).map_err(corrupt)?,
            added: serde_json::from_str(&row.added).map_err(corrupt)?,
            offers: serde_json::from_str(&row.offers).map_err(corrupt)?,
            created_at: Timestamp::from(row.created_at),
            expires_at: Timestamp::from(row.expires_at),
        })
    }
}

/// A change request before it has an id.
#[derive(Clone, Debug)]
pub struct NewChangeRequest {
    pub order: OrderId,
    pub agency: AgencyId,
    pub removed: Removed,
    pub added: Vec<SearchSlice>,
    pub offers: Vec<ChangeOffer>,
    pub expires_at: Timestamp,
}

pub fn keep_change_request(tx: &mut WriteTx, new: NewChangeRequest) -> Result<ChangeRequest, DbError> {
    let json = |error: serde_json::Error| DbError::Corrupt(error.to_string());
    let NewChangeRequest { order, agency, removed, added, offers, expires_at } = new;
    let row = ChangeRequestRow {
        id: tx.ids.block(1 + offers.len()),
        order_id: order.raw(),
        agency_id: agency.raw(),
        removed: serde_json::to_string(&removed).map_err(json)?,
        added: serde_json::to_string(&added).map_err(json)?,
        offer_count: i64::try_from(offers.len()).unwrap_or(i64::MAX),
        offers: serde_json::to_string(&offers).map_err(json)?,
        created_at: tx.now.naive(),
        expires_at: expires_at.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    let id = OrderChangeRequestId::of(row.id);
    Ok(ChangeRequest { id, order, agency, removed, added, offers, created_at: tx.now, expires_at })
}

pub fn change_request(db: &mut Db, id: OrderChangeRequestId) -> Result<Option<ChangeRequest>, DbError> {
    let row: Option<ChangeRequestRow> =
        order_change_request::table.find(id.raw()).select(ChangeRequestRow::as_select()).first(db).optional()?;
    row.map(ChangeRequest::try_from).transpose()
}

/// The request that an offer belongs to: the last one that begins before it.
pub fn change_request_of_offer(db: &mut Db, offer: OrderChangeOfferId) -> Result<Option<ChangeRequest>, DbError> {
    let before =
        order_change_request::table.filter(order_change_request::id.lt(offer.raw())).order(order_change_request::id.desc());
    let row: Option<ChangeRequestRow> = before.select(ChangeRequestRow::as_select()).first(db).optional()?;
    let request = row.map(ChangeRequest::try_from).transpose()?;
    Ok(request.filter(|request| request.offer(offer).is_some()))
}

/// Of these agencies, or of all; newest first.
pub fn change_requests(
    db: &mut Db,
    agencies: Option<&[AgencyId]>,
    window: Window,
    limit: i64,
) -> Result<Vec<ChangeRequest>, DbError> {
    let mut query = windowed!(order_change_request::table.into_boxed(), order_change_request::id, window, limit);
    if let Some(agencies) = agencies {
        query = query.filter(order_change_request::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<ChangeRequestRow> = query.select(ChangeRequestRow::as_select()).load(db)?;
    rows.into_iter().map(ChangeRequest::try_from).collect()
}

pub fn order_change(db: &mut Db, id: OrderChangeId) -> Result<Option<OrderChangeRow>, DbError> {
    Ok(order_change::table.find(id.raw()).select(OrderChangeRow::as_select()).first(db).optional()?)
}

/// The confirmed changes of an order, first to last.
pub fn changes_of(db: &mut Db, order: OrderId) -> Result<Vec<OrderChangeRow>, DbError> {
    let of_order = order_change::table.filter(order_change::order_id.eq(order.raw()));
    let confirmed = of_order.filter(order_change::confirmed_at.is_not_null()).order(order_change::id);
    Ok(confirmed.select(OrderChangeRow::as_select()).load(db)?)
}

/// The exchanges that a change made.
pub fn exchanges_by(db: &mut Db, change: OrderChangeId) -> Result<Vec<TicketExchangeRow>, DbError> {
    let of_change = ticket_exchange::table.filter(ticket_exchange::order_change_id.eq(change.raw()));
    Ok(of_change.order(ticket_exchange::ticket_id).select(TicketExchangeRow::as_select()).load(db)?)
}

/// Exchanges that gave in or made these tickets, in the order in which they happened.
pub fn exchanges_of(db: &mut Db, tickets: &[TicketId]) -> Result<Vec<TicketExchangeRow>, DbError> {
    let raw: Vec<i64> = tickets.iter().map(|id| id.raw()).collect();
    let made = ticket_exchange::table.filter(ticket_exchange::ticket_id.eq_any(raw.clone()));
    let either = made.or_filter(ticket_exchange::given_in_ticket_id.eq_any(raw)).order(ticket_exchange::ticket_id);
    Ok(either.select(TicketExchangeRow::as_select()).load(db)?)
}
