use crate::clock::Timestamp;
use crate::db::schema::{air_order, held_order, passenger, person_key};
use crate::db::{Db, DbError, Window, rows, windowed};
use crate::ids::{AgencyId, Id, OrderId};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    pub struct OrderRow in air_order {
        id: i64,
        organisation_id: i64,
        agency_id: i64,
        airline_id: i64,
        offer_id: i64,
        /// The one that it was issued on.
        contract_id: Option<i64>,
        booking_reference: String,
        /// What paid for it.
        tender: Option<String>,
        currency: String,
        base_minor: i64,
        tax_minor: i64,
        total_minor: i64,
        /// Of its date of issue.
        cycle: Option<String>,
        metadata: String,
        created_at: NaiveDateTime,
        /// When its tickets were issued. Until then it is held: contract, tender and cycle are not known yet.
        issued_at: Option<NaiveDateTime>,
        /// Its tickets were voided then, or its seats given back unpaid.
        cancelled_at: Option<NaiveDateTime>,
        /// The agency's tier at the sale.
        agency_tier: String,
    }

    pub struct PassengerRow in passenger {
        id: i64,
        order_id: i64,
        offer_passenger_id: i64,
        kind: String,
        sealed: Vec<u8>,
    }

    pub struct PersonKeyRow in person_key {
        passenger_id: i64,
        wrapped: Vec<u8>,
    }
}

/// What paid for an order: one tender per order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tender {
    Credit,
    Wallet,
}

impl Tender {
    pub fn text(self) -> &'static str {
        match self {
            Tender::Credit => "credit",
            Tender::Wallet => "wallet",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Tender::Credit, Tender::Wallet].into_iter().find(|tender| tender.text() == text)
    }
}

impl OrderRow {
    /// What paid for it; `None` while it is not issued.
    pub fn tender(&self) -> Result<Option<Tender>, DbError> {
        let corrupt = || DbError::Corrupt(format!("tender of order {}", self.id));
        self.tender.as_deref().map(|text| Tender::parse(text).ok_or_else(corrupt)).transpose()
    }
}

/// What the client asked for: `arc_bsp_cash` is credit; `balance` is the agency's configured order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenderWish {
    Credit,
    /// For the tickets of an order that was paid from the wallet.
    Wallet,
    AgencyOrder,
}

impl TenderWish {
    /// As clients call it and as a payment keeps it.
    pub fn text(self) -> &'static str {
        match self {
            TenderWish::Credit => "arc_bsp_cash",
            TenderWish::Wallet | TenderWish::AgencyOrder => "balance",
        }
    }
}

pub fn order(db: &mut Db, id: OrderId) -> Result<Option<OrderRow>, DbError> {
    Ok(air_order::table.find(id.raw()).select(OrderRow::as_select()).first(db).optional()?)
}

pub fn orders_by_id(db: &mut Db, ids: &[OrderId]) -> Result<Vec<OrderRow>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    Ok(air_order::table.filter(air_order::id.eq_any(raw)).select(OrderRow::as_select()).load(db)?)
}

/// Which orders; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    pub agencies: Option<Vec<AgencyId>>,
    pub booking_reference: Option<String>,
    pub awaiting_payment: Option<Awaiting>,
}

/// Orders that await their payment at a moment, or those that do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    At(Timestamp),
    NotAt(Timestamp),
}

pub fn orders_of(db: &mut Db, filter: &OrderFilter, window: Window, limit: i64) -> Result<Vec<OrderRow>, DbError> {
    let mut query = windowed!(air_order::table.into_boxed(), air_order::id, window, limit);
    if let Some(agencies) = &filter.agencies {
        query = query.filter(air_order::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(reference) = &filter.booking_reference {
        query = query.filter(air_order::booking_reference.eq(reference.clone()));
    }
    let awaiting_at = |now: Timestamp| {
        let held = held_order::table.filter(held_order::state.eq("held"));
        held.filter(held_order::payment_required_by.gt(now.naive())).select(held_order::id)
    };
    query = match filter.awaiting_payment {
        Some(Awaiting::At(now)) => query.filter(air_order::id.eq_any(awaiting_at(now))),
        Some(Awaiting::NotAt(now)) => query.filter(air_order::id.ne_all(awaiting_at(now))),
        None => query,
    };
    Ok(query.select(OrderRow::as_select()).load(db)?)
}

/// The passengers of these orders with their keys, in the order of the offer. A key that was destroyed is empty.
pub fn passengers_of(db: &mut Db, orders: &[OrderId]) -> Result<Vec<(PassengerRow, PersonKeyRow)>, DbError> {
    let raw: Vec<i64> = orders.iter().map(|id| id.raw()).collect();
    let of_orders = passenger::table.filter(passenger::order_id.eq_any(raw)).order(passenger::id);
    let passengers: Vec<PassengerRow> = of_orders.select(PassengerRow::as_select()).load(db)?;
    let ids: Vec<i64> = passengers.iter().map(|passenger| passenger.id).collect();
    let keys: Vec<PersonKeyRow> =
        person_key::table.filter(person_key::passenger_id.eq_any(ids)).select(PersonKeyRow::as_select()).load(db)?;
    let key_of = |id: i64| {
        let known = keys.iter().find(|key| key.passenger_id == id).cloned();
        known.unwrap_or(PersonKeyRow { passenger_id: id, wrapped: Vec::new() })
    };
    Ok(passengers
        .into_iter()
        .map(|passenger| {
            let key = key_of(passenger.id);
            (passenger, key)
        })
        .collect())
}
