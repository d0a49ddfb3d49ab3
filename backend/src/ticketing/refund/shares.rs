//! A ticket's taxes by coupon. A ticket keeps one amount per tax; which coupon it came from follows from the tax rules of the day of issue, which
//! never change.

use super::legs::{CouponShare, SoldCoupon, SoldTax, coupon_shares};
use crate::agencies::TaxRemitter;
use crate::catalogue::split::Tax;
use crate::catalogue::taxes::{Passport, RefundRule, TaxedFlight, TaxedPassenger};
use crate::catalogue::{AirportCode, CarrierCode, Catalogue, PassengerKind};
use crate::db::DbError;
use crate::money::{Currency, Money, MoneyError};
use crate::ticketing::ticket::{CouponRow, IssuedOrder, TaxRow, TicketRow};

/// The shares of a ticket's coupons, in the order of its coupons.
pub(in crate::ticketing) fn ticket_shares(
    catalogue: &Catalogue,
    issued: &IssuedOrder,
    ticket: &TicketRow,
) -> Result<Vec<CouponShare>, DbError> {
    let corrupt = |error: MoneyError| DbError::Corrupt(format!("shares of ticket {}: {error}", ticket.number));
    let currency = Currency::parse(&ticket.currency).map_err(corrupt)?;
    let kind = passenger_kind(issued, ticket)?;
    let coupons: Vec<&CouponRow> = issued.coupons.iter().filter(|coupon| coupon.ticket_id == ticket.id).collect();
    let sold = |coupon: &&CouponRow| SoldCoupon {
        number: coupon.number,
        base: Money::new(coupon.base_minor, currency),
        taxes: Vec::new(),
    };
    let mut sold: Vec<SoldCoupon> = coupons.iter().map(sold).collect();
    for row in issued.taxes.iter().filter(|tax| tax.ticket_id == ticket.id) {
        let weights = weights(catalogue, &coupons, ticket, kind, &row.code);
        let shares = Money::new(row.minor, currency).allocate(&weights).map_err(corrupt)?;
        for ((coupon, share), of) in sold.iter_mut().zip(shares).zip(&coupons) {
            if share.minor > 0 {
                coupon.taxes.push(sold_tax(catalogue, row, share, of, ticket)?);
            }
        }
    }
    let money = |minor| Money::new(minor, currency);
    coupon_shares(&sold, money(ticket.commission_minor), money(ticket.fee_minor)).map_err(corrupt)
}

pub(super) fn passenger_kind(issued: &IssuedOrder, ticket: &TicketRow) -> Result<PassengerKind, DbError> {
    let passenger = issued.passengers.iter().find(|(passenger, _)| passenger.id == ticket.passenger_id);
    let kind = passenger.and_then(|(passenger, _)| PassengerKind::parse(&passenger.kind));
    kind.ok_or_else(|| DbError::Corrupt(format!("ticket {} has no passenger", ticket.number)))
}

fn flight<'c>(catalogue: &'c Catalogue, coupon: &CouponRow, ticket: &TicketRow) -> Option<TaxedFlight<'c>> {
    let airport = |code: &str| catalogue.airports.get(AirportCode::parse(code)?);
    let (origin, destination) = (airport(&coupon.origin)?, airport(&coupon.destination)?);
    let pair = catalogue.fares.pair(origin.code, destination.code, ticket.issue_date)?;
    Some(TaxedFlight {
        carrier: CarrierCode::parse(&coupon.carrier)?,
        origin,
        destination,
        distance_km: u32::try_from(coupon.distance_km).ok()?,
        service: pair.service,
        travel_date: coupon.departing_at.date(),
    })
}

/// What the rules charged for each flight; evenly where they say nothing.
fn weights(catalogue: &Catalogue, coupons: &[&CouponRow], ticket: &TicketRow, kind: PassengerKind, code: &str) -> Vec<u64> {
    let passenger = TaxedPassenger { kind, age: None, passport: Passport::Ordinary };
    let charged = |coupon: &&CouponRow| {
        let flight = flight(catalogue, coupon, ticket)?;
        let charge = catalogue.taxes.charges(flight, passenger, ticket.issue_date).find(|charge| charge.rule.code == code)?;
        u64::try_from(charge.amount.minor).ok()
    };
    let weights: Vec<u64> = coupons.iter().map(|coupon| charged(coupon).unwrap_or(0)).collect();
    if weights.iter().all(|weight| *weight == 0) { vec![1; coupons.len()] } else { weights }
}

fn sold_tax(
    catalogue: &Catalogue,
    row: &TaxRow,
    amount: Money,
    coupon: &CouponRow,
    ticket: &TicketRow,
) -> Result<SoldTax, DbError> {
    let remitter = TaxRemitter::parse(&row.remitter);
    let remitter = remitter.ok_or_else(|| DbError::Corrupt(format!("remitter of a tax of ticket {}", ticket.number)))?;
    let rule = flight(catalogue, coupon, ticket).and_then(|flight| catalogue.taxes.rule(&row.code, flight, ticket.issue_date));
    // What no rule says comes back with the fare.
    let rule = rule.map_or(RefundRule::WithFare, |rule| rule.refund);
    Ok(SoldTax { tax: Tax { code: row.code.clone(), payee: row.payee.clone(), amount }, remitter, rule })
}
