use crate::airlines::TicketNumber;
use crate::db::schema::{coupon, ticket, ticket_tax};
use crate::db::{Db, DbError, Window, rows, windowed};
use crate::ids::{AgencyId, AirlineId, Id, OrderId, TicketId};
use crate::ordering::{OrderRow, PassengerRow, PersonKeyRow, passengers_of};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::collections::HashMap;

rows! {
    pub struct TicketRow in ticket {
        id: i64,
        number: String,
        order_id: i64,
        passenger_id: i64,
        agency_id: i64,
        airline_id: i64,
        contract_id: i64,
        issued_at: NaiveDateTime,
        /// In the zone of the point of sale.
        issue_date: NaiveDate,
        currency: String,
        base_minor: i64,
        tax_minor: i64,
        price_minor: i64,
        airline_minor: i64,
        authority_minor: i64,
        commission_minor: i64,
        fee_minor: i64,
        fare_calculation: String,
    }

    pub struct TaxRow in ticket_tax {
        ticket_id: i64,
        code: String,
        minor: i64,
        payee: String,
        remitter: String,
    }

    pub struct CouponRow in coupon {
        id: i64,
        ticket_id: i64,
        number: i64,
        slice: i64,
        carrier: String,
        flight_number: i64,
        aircraft: String,
        origin: String,
        destination: String,
        departing_at: NaiveDateTime,
        arriving_at: NaiveDateTime,
        duration_minutes: i64,
        distance_km: i64,
        booking_class: String,
        cabin: String,
        fare_brand: String,
        fare_basis: String,
        base_minor: i64,
        checked_bag_kg: i64,
        seat_bucket_id: i64,
        /// 1, or 0 for an infant on a lap.
        seats: i64,
        status: String,
    }
}

/// An order with everything that was issued for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedOrder {
    pub order: OrderRow,
    pub passengers: Vec<(PassengerRow, PersonKeyRow)>,
    pub tickets: Vec<TicketRow>,
    pub taxes: Vec<TaxRow>,
    pub coupons: Vec<CouponRow>,
}

/// Completes orders with their passengers, tickets, taxes and coupons: four reads, whatever the number of orders.
pub fn issued_orders(db: &mut Db, orders: Vec<OrderRow>) -> Result<Vec<IssuedOrder>, DbError> {
    let ids: Vec<OrderId> = orders.iter().map(|order| OrderId::of(order.id)).collect();
    let raw: Vec<i64> = orders.iter().map(|order| order.id).collect();
    let mut passengers = passengers_of(db, &ids)?;
    let of_orders = ticket::table.filter(ticket::order_id.eq_any(raw)).order(ticket::id);
    let mut tickets: Vec<TicketRow> = of_orders.select(TicketRow::as_select()).load(db)?;
    let raw: Vec<i64> = tickets.iter().map(|ticket| ticket.id).collect();
    let of_tickets = ticket_tax::table.filter(ticket_tax::ticket_id.eq_any(raw.clone()));
    let mut taxes: Vec<TaxRow> =
        of_tickets.order((ticket_tax::ticket_id, ticket_tax::code)).select(TaxRow::as_select()).load(db)?;
    let of_tickets = coupon::table.filter(coupon::ticket_id.eq_any(raw)).order((coupon::ticket_id, coupon::number));
    let mut coupons: Vec<CouponRow> = of_tickets.select(CouponRow::as_select()).load(db)?;
    let mut issued = Vec::with_capacity(orders.len());
    for order in orders {
        let own_tickets: Vec<TicketRow> = tickets.extract_if(.., |ticket| ticket.order_id == order.id).collect();
        let mine = |id: i64| own_tickets.iter().any(|ticket| ticket.id == id);
        issued.push(IssuedOrder {
            passengers: passengers.extract_if(.., |(passenger, _)| passenger.order_id == order.id).collect(),
            taxes: taxes.extract_if(.., |tax| mine(tax.ticket_id)).collect(),
            coupons: coupons.extract_if(.., |coupon| mine(coupon.ticket_id)).collect(),
            tickets: own_tickets,
            order,
        });
    }
    Ok(issued)
}

pub fn tickets_by_id(db: &mut Db, ids: &[TicketId]) -> Result<HashMap<TicketId, TicketRow>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<TicketRow> = ticket::table.filter(ticket::id.eq_any(raw)).select(TicketRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(|row| (TicketId::of(row.id), row)).collect())
}

/// The numbers of these tickets.
pub fn ticket_numbers(db: &mut Db, ids: &[TicketId]) -> Result<HashMap<TicketId, String>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<(i64, String)> = ticket::table.filter(ticket::id.eq_any(raw)).select((ticket::id, ticket::number)).load(db)?;
    Ok(rows.into_iter().map(|(id, number)| (TicketId::of(id), number)).collect())
}

pub fn ticket_by_number(db: &mut Db, number: &TicketNumber) -> Result<Option<TicketRow>, DbError> {
    let by_number = ticket::table.filter(ticket::number.eq(number.text()));
    Ok(by_number.select(TicketRow::as_select()).first(db).optional()?)
}

/// Which tickets; `None` leaves a condition out.
#[derive(Clone, Debug, Default)]
pub struct TicketFilter {
    pub agencies: Option<Vec<AgencyId>>,
    pub airlines: Option<Vec<AirlineId>>,
    pub order: Option<OrderId>,
    pub number: Option<TicketNumber>,
}

pub fn tickets(db: &mut Db, filter: &TicketFilter, window: Window, limit: i64) -> Result<Vec<TicketRow>, DbError> {
    let mut query = windowed!(ticket::table.into_boxed(), ticket::id, window, limit);
    if let Some(agencies) = &filter.agencies {
        query = query.filter(ticket::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(airlines) = &filter.airlines {
        query = query.filter(ticket::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(order) = filter.order {
        query = query.filter(ticket::order_id.eq(order.raw()));
    }
    if let Some(number) = &filter.number {
        query = query.filter(ticket::number.eq(number.text().to_owned()));
    }
    Ok(query.select(TicketRow::as_select()).load(db)?)
}
