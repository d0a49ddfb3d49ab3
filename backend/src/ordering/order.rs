use crate::db::schema::{air_order, passenger, person_key};
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
        contract_id: i64,
        booking_reference: String,
        tender: String,
        currency: String,
        base_minor: i64,
        tax_minor: i64,
        total_minor: i64,
        cycle: String,
        metadata: String,
        created_at: NaiveDateTime,
        /// Its tickets were voided then.
        cancelled_at: Option<NaiveDateTime>,
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
}

/// What the client asked for: `arc_bsp_cash` is credit; `balance` is the agency's configured order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenderWish {
    Credit,
    /// For the tickets of an order that was paid from the wallet.
    Wallet,
    AgencyOrder,
}

pub fn order(db: &mut Db, id: OrderId) -> Result<Option<OrderRow>, DbError> {
    Ok(air_order::table.find(id.raw()).select(OrderRow::as_select()).first(db).optional()?)
}

/// The orders of these agencies, or of all.
pub fn orders_of(
    db: &mut Db,
    agencies: Option<&[AgencyId]>,
    booking_reference: Option<&str>,
    window: Window,
    limit: i64,
) -> Result<Vec<OrderRow>, DbError> {
    let mut of_agencies = air_order::table.into_boxed();
    if let Some(agencies) = agencies {
        of_agencies = of_agencies.filter(air_order::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let mut query = windowed!(of_agencies, air_order::id, window, limit);
    if let Some(reference) = booking_reference {
        query = query.filter(air_order::booking_reference.eq(reference.to_owned()));
    }
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
