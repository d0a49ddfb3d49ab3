use crate::airlines::TicketNumber;
use crate::db::schema::{coupon, ticket, ticket_document, ticket_tax};
use crate::db::{Db, DbError, Window, rows, windowed};
use crate::ids::{AgencyId, AirlineId, Id, OrderId, TicketId};
use crate::ordering::{HeldOrder, OrderRow, PassengerRow, PersonKeyRow, held_orders, passengers_of};
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
        /// Counted through all of the ticket's numbers, from 1 to 16.
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
        /// The version that it was sold under; without one the contract's own rate.
        commission_rule_id: Option<i64>,
        commission_minor: i64,
    }

    /// A conjunction number: one of the ticket's numbers behind its first.
    pub struct DocumentRow in ticket_document {
        ticket_id: i64,
        document: i64,
        number: String,
    }
}

/// Coupons of one ticket number.
pub const COUPONS_PER_NUMBER: i64 = 4;
/// Coupons of one ticket: four consecutive numbers.
pub const MOST_COUPONS: usize = 16;

/// An order with everything that was issued for it: no ticket as long as it is only held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedOrder {
    pub order: OrderRow,
    /// What it was held as, if it ever was.
    pub held: Option<HeldOrder>,
    pub passengers: Vec<(PassengerRow, PersonKeyRow)>,
    pub tickets: Vec<TicketRow>,
    /// The conjunction numbers of tickets with more than four coupons.
    pub documents: Vec<DocumentRow>,
    pub taxes: Vec<TaxRow>,
    pub coupons: Vec<CouponRow>,
}

impl CouponRow {
    /// Which of the ticket's numbers it is on, from 1.
    pub fn document(&self) -> i64 {
        (self.number - 1) / COUPONS_PER_NUMBER + 1
    }

    /// Which coupon of that number it is: 1 to 4, as it is printed.
    pub fn number_on_document(&self) -> i64 {
        (self.number - 1) % COUPONS_PER_NUMBER + 1
    }
}

impl IssuedOrder {
    /// All numbers of a ticket, its first one in front.
    pub fn numbers_of(&self, ticket: &TicketRow) -> Vec<String> {
        let behind = self.documents.iter().filter(|document| document.ticket_id == ticket.id);
        std::iter::once(ticket.number.clone()).chain(behind.map(|document| document.number.clone())).collect()
    }

    /// The number that a coupon is on.
    pub fn number_of(&self, coupon: &CouponRow) -> &str {
        let document = self.documents.iter().find(|row| row.ticket_id == coupon.ticket_id && row.document == coupon.document());
        let first = || self.tickets.iter().find(|ticket| ticket.id == coupon.ticket_id).map(|ticket| ticket.number.as_str());
        document.map(|row| row.number.as_str()).or_else(first).unwrap_or_default()
    }
}

/// Completes orders with their passengers, tickets, numbers, taxes and coupons, and with what they were held as: seven reads, whatever the number of
/// orders.
pub fn issued_orders(db: &mut Db, orders: Vec<OrderRow>) -> Result<Vec<IssuedOrder>, DbError> {
    let ids: Vec<OrderId> = orders.iter().map(|order| OrderId::of(order.id)).collect();
    let raw: Vec<i64> = orders.iter().map(|order| order.id).collect();
    let mut passengers = passengers_of(db, &ids)?;
    let mut held = held_orders(db, &ids)?;
    let of_orders = ticket::table.filter(ticket::order_id.eq_any(raw)).order(ticket::id);
    let mut tickets: Vec<TicketRow> = of_orders.select(TicketRow::as_select()).load(db)?;
    let raw: Vec<i64> = tickets.iter().map(|ticket| ticket.id).collect();
    let of_tickets = ticket_tax::table.filter(ticket_tax::ticket_id.eq_any(raw.clone()));
    let mut taxes: Vec<TaxRow> =
        of_tickets.order((ticket_tax::ticket_id, ticket_tax::code)).select(TaxRow::as_select()).load(db)?;
    let mut documents = documents_of(db, &raw)?;
    let mut coupons = coupons_of(db, &raw)?;
    let mut issued = Vec::with_capacity(orders.len());
    for order in orders {
        let own_tickets: Vec<TicketRow> = tickets.extract_if(.., |ticket| ticket.order_id == order.id).collect();
        let mine = |id: i64| own_tickets.iter().any(|ticket| ticket.id == id);
        let of_order = held.iter().position(|held| held.order.raw() == order.id).map(|place| held.swap_remove(place));
        issued.push(IssuedOrder {
            passengers: passengers.extract_if(.., |(passenger, _)| passenger.order_id == order.id).collect(),
            taxes: taxes.extract_if(.., |tax| mine(tax.ticket_id)).collect(),
            documents: documents.extract_if(.., |document| mine(document.ticket_id)).collect(),
            coupons: coupons.extract_if(.., |coupon| mine(coupon.ticket_id)).collect(),
            held: of_order,
            tickets: own_tickets,
            order,
        });
    }
    Ok(issued)
}

/// The coupons of these tickets, in the order of the journey.
pub fn coupons_of(db: &mut Db, tickets: &[i64]) -> Result<Vec<CouponRow>, DbError> {
    let of_tickets = coupon::table.filter(coupon::ticket_id.eq_any(tickets.to_vec()));
    let in_order = of_tickets.order((coupon::ticket_id, coupon::number));
    Ok(in_order.select(CouponRow::as_select()).load(db)?)
}

/// The conjunction numbers of these tickets.
pub fn documents_of(db: &mut Db, tickets: &[i64]) -> Result<Vec<DocumentRow>, DbError> {
    let of_tickets = ticket_document::table.filter(ticket_document::ticket_id.eq_any(tickets.to_vec()));
    let in_order = of_tickets.order((ticket_document::ticket_id, ticket_document::document));
    Ok(in_order.select(DocumentRow::as_select()).load(db)?)
}

pub fn tickets_by_id(db: &mut Db, ids: &[TicketId]) -> Result<HashMap<TicketId, TicketRow>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<TicketRow> = ticket::table.filter(ticket::id.eq_any(raw)).select(TicketRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(|row| (TicketId::of(row.id), row)).collect())
}

/// The first numbers of these tickets.
pub fn ticket_numbers(db: &mut Db, ids: &[TicketId]) -> Result<HashMap<TicketId, String>, DbError> {
    let raw: Vec<i64> = ids.iter().map(|id| id.raw()).collect();
    let rows: Vec<(i64, String)> = ticket::table.filter(ticket::id.eq_any(raw)).select((ticket::id, ticket::number)).load(db)?;
    Ok(rows.into_iter().map(|(id, number)| (TicketId::of(id), number)).collect())
}

/// The ticket that has this among its numbers.
pub fn ticket_by_number(db: &mut Db, number: &TicketNumber) -> Result<Option<TicketRow>, DbError> {
    Ok(tickets_by_number(db, std::slice::from_ref(number))?.into_iter().next().map(|(_, _, ticket)| ticket))
}

/// The tickets that have these among their numbers, each with the number and which of its numbers that is, from 1.
pub fn tickets_by_number(db: &mut Db, numbers: &[TicketNumber]) -> Result<Vec<(String, i64, TicketRow)>, DbError> {
    let texts: Vec<String> = numbers.iter().map(|number| number.text().to_owned()).collect();
    let first = ticket::table.filter(ticket::number.eq_any(texts.clone()));
    let first: Vec<TicketRow> = first.select(TicketRow::as_select()).load(db)?;
    let behind = ticket::table.inner_join(ticket_document::table.on(ticket_document::ticket_id.eq(ticket::id)));
    let behind = behind.filter(ticket_document::number.eq_any(texts));
    let columns = (ticket_document::number, ticket_document::document, TicketRow::as_select());
    let mut found: Vec<(String, i64, TicketRow)> = behind.select(columns).load(db)?;
    found.extend(first.into_iter().map(|ticket| (ticket.number.clone(), 1, ticket)));
    Ok(found)
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
        let behind = ticket_document::table.filter(ticket_document::number.eq(number.text().to_owned()));
        let among = ticket::id.eq_any(behind.select(ticket_document::ticket_id));
        query = query.filter(ticket::number.eq(number.text().to_owned()).or(among));
    }
    Ok(query.select(TicketRow::as_select()).load(db)?)
}
