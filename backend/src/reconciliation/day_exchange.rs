//! What an exchange of a day was about: the new ticket, what the ticket given in was worth, and the penalty. An exchange that was taken back is the same with
//! the sign turned. What was given in is read off the coupons' history: those that became E in the commit of the exchange.

use super::day_events::{DayEvent, Details};
use super::day_legs::{EventLegs, negated};
use super::export::ExportError;
use crate::db::schema::{coupon, coupon_event, ticket, ticket_exchange};
use crate::db::{Db, DbError};
use crate::interchange::airline_day::{Column, Line, RecordType};
use crate::ledger::Event;
use crate::money::{Currency, MoneyError};
use crate::ticketing::exchange::TicketExchangeRow;
use crate::ticketing::{CouponRow, CouponStatus, TicketRow};
use diesel::prelude::*;
use std::collections::HashMap;

/// One exchange, as its new ticket names it.
pub(super) struct DayExchange {
    row: TicketExchangeRow,
    /// The ticket given in.
    old_number: String,
    /// Those of its coupons that were given in.
    coupons: Vec<CouponRow>,
}

/// Whether legs are added or taken off again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Added,
    TakenOff,
}

impl Sign {
    /// Of an event that is about an exchange.
    pub(super) fn of(event: &DayEvent) -> Option<Self> {
        match event.posting.event.as_str() {
            text if text == Event::TicketExchange.text() => Some(Sign::Added),
            text if text == Event::ExchangeVoid.text() => Some(Sign::TakenOff),
            _ => None,
        }
    }

    fn turned(self) -> Self {
        match self {
            Sign::Added => Sign::TakenOff,
            Sign::TakenOff => Sign::Added,
        }
    }

    pub(super) fn minor(self, minor: i64) -> Result<i64, MoneyError> {
        match self {
            Sign::Added => Ok(minor),
            Sign::TakenOff => negated(minor),
        }
    }
}

/// By the new ticket, which their postings refer to.
pub(super) fn read_exchanges(db: &mut Db, tickets: &[i64]) -> Result<HashMap<i64, DayExchange>, DbError> {
    let of = ticket_exchange::table.inner_join(ticket::table.on(ticket::id.eq(ticket_exchange::given_in_ticket_id)));
    let of = of.filter(ticket_exchange::ticket_id.eq_any(tickets.to_vec()));
    let rows: Vec<(TicketExchangeRow, String)> = of.select((TicketExchangeRow::as_select(), ticket::number)).load(&mut *db)?;
    let given_in: Vec<i64> = rows.iter().map(|(row, _)| row.given_in_ticket_id).collect();
    let moved = coupon_event::table.inner_join(coupon::table.on(coupon::id.eq(coupon_event::coupon_id)));
    let moved = moved.filter(coupon_event::ticket_id.eq_any(given_in));
    let moved = moved.filter(coupon_event::to_status.eq(CouponStatus::Exchanged.text())).order(coupon_event::coupon_id);
    let moved: Vec<(chrono::NaiveDateTime, CouponRow)> =
        moved.select((coupon_event::created_at, CouponRow::as_select())).load(db)?;
    let mut exchanges = HashMap::with_capacity(rows.len());
    for (row, old_number) in rows {
        let in_it = |(at, coupon): &&(_, CouponRow)| *at == row.created_at && coupon.ticket_id == row.given_in_ticket_id;
        let coupons = moved.iter().filter(in_it).map(|(_, coupon)| coupon.clone()).collect();
        exchanges.insert(row.ticket_id, DayExchange { row, old_number, coupons });
    }
    Ok(exchanges)
}

impl DayExchange {
    /// The new ticket's legs.
    fn issued<'a>(&self, ticket: &'a TicketRow, sign: Sign) -> Result<EventLegs<'a>, ExportError> {
        Ok(EventLegs {
            number: &ticket.number,
            currency: Currency::parse(&ticket.currency)?,
            price: sign.minor(ticket.price_minor)?,
            base_fare: sign.minor(ticket.base_minor)?,
            tax: sign.minor(ticket.tax_minor)?,
            airline_share: sign.minor(ticket.airline_minor)?,
            authorities: sign.minor(ticket.authority_minor)?,
            commission: sign.minor(ticket.commission_minor)?,
            fee: sign.minor(ticket.fee_minor)?,
        })
    }

    /// What the old ticket was worth; `sign` is that of the exchange.
    fn given_in(&self, currency: Currency, sign: Sign) -> Result<EventLegs<'_>, ExportError> {
        let (row, sign) = (&self.row, sign.turned());
        let base = self.coupons.iter().try_fold(0i64, |sum, coupon| sum.checked_add(coupon.base_minor));
        let base = base.ok_or(MoneyError::Overflow)?;
        Ok(EventLegs {
            number: &self.old_number,
            currency,
            price: sign.minor(row.given_in_minor)?,
            base_fare: sign.minor(base)?,
            tax: sign.minor(row.given_in_minor.checked_sub(base).ok_or(MoneyError::Overflow)?)?,
            airline_share: sign.minor(row.airline_minor)?,
            authorities: sign.minor(row.authority_minor)?,
            commission: sign.minor(row.commission_minor)?,
            fee: sign.minor(row.fee_minor)?,
        })
    }

    /// A fare that the airline gets for nothing but the change.
    fn penalty<'a>(&self, ticket: &'a TicketRow, currency: Currency, sign: Sign) -> Result<EventLegs<'a>, ExportError> {
        let penalty = sign.minor(self.row.penalty_minor)?;
        let none = EventLegs::none(&ticket.number, currency);
        Ok(EventLegs { price: penalty, base_fare: penalty, airline_share: penalty, ..none })
    }

    /// All three together: what the exchange booked.
    pub(super) fn legs<'a>(&self, ticket: &'a TicketRow, currency: Currency, sign: Sign) -> Result<EventLegs<'a>, ExportError> {
        let issued = self.issued(ticket, sign)?;
        Ok(issued.plus(&self.given_in(currency, sign)?)?.plus(&self.penalty(ticket, currency, sign)?)?)
    }

    /// What the agency paid for the exchange, the penalty included; negative where something came back.
    fn add_collect(&self, ticket: &TicketRow, currency: Currency) -> Result<i64, ExportError> {
        Ok(self.legs(ticket, currency, Sign::Added)?.price)
    }

    pub(super) fn lines(&self, details: &Details, event: &DayEvent, sign: Sign) -> Result<Vec<Line>, ExportError> {
        let ticket = details.known_ticket(self.row.ticket_id)?;
        let currency = event.currency;
        let (record, tax) = match sign {
            Sign::Added => (RecordType::Exchange, RecordType::ExchangeTax),
            Sign::TakenOff => (RecordType::ExchangeVoid, RecordType::ExchangeVoidTax),
        };
        let line = self.issued(ticket, sign)?.written(event.line(record)).text(Column::AgainstTicketNumber, &self.old_number);
        let collected = sign.minor(self.add_collect(ticket, currency)?)?;
        let mut lines = vec![line.amount(Column::Amount, collected, currency)];
        lines.extend(details.tax_lines(event, ticket, tax, sign)?);
        if sign == Sign::Added {
            lines.extend(details.coupon_lines(event, ticket, RecordType::ExchangeCoupon)?);
        }
        let given_in = self.given_in(currency, sign)?.written(event.part(RecordType::GivenIn));
        lines.push(given_in.text(Column::AgainstTicketNumber, &ticket.number));
        for coupon in &self.coupons {
            let line = event.part(RecordType::GivenInCoupon).text(Column::TicketNumber, &self.old_number);
            let line = line.amount(Column::Amount, sign.turned().minor(coupon.base_minor)?, currency);
            lines.push(line.whole(Column::CouponNumber, coupon.number));
        }
        if self.row.penalty_minor > 0 {
            let penalty = self.penalty(ticket, currency, sign)?;
            let line = penalty.written(event.part(RecordType::ChangePenalty)).text(Column::AgainstTicketNumber, &self.old_number);
            lines.push(line.amount(Column::Amount, sign.minor(self.row.penalty_minor)?, currency));
        }
        Ok(lines)
    }
}
