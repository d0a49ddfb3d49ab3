//! What one airline's events of a day are about: tickets with their taxes and coupons, payments, set-offs, money that came back. Everything read
//! here never changes once it is booked: sold legs, a confirmed payment, a settlement, a receipt.

use super::day_exchange::{DayExchange, Sign, read_exchanges};
use super::day_legs::{EventLegs, negated};
use super::export::{AirlineDay, ExportError};
use crate::clock::Timestamp;
use crate::credit::payment_reference;
use crate::db::schema::{
    advance, airline_claim, airline_take_back, bank_payment, bank_receipt, claim_settlement, posting, refund_application,
    refund_coupon, refund_tax, refund_ticket, ticket, ticket_exchange, ticket_tax,
};
use crate::db::{Db, DbError};
use crate::ids::{AdvanceId, Id, MemoId, PostingId};
use crate::interchange::airline_day::{Column, Line, RecordType};
use crate::ledger::{DayWindow, Event, PostingRow};
use crate::money::{Currency, MoneyError};
use crate::ticketing::{
    CouponRow, RefundCouponRow, RefundTaxRow, RefundTicketRow, TaxRow, TicketRow, coupons_as_issued, documents_of,
};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// A posting with what it did to the airline's accounts in one currency, each on its normal side.
#[derive(Clone, Debug)]
pub(super) struct DayEvent {
    pub(super) posting: PostingRow,
    pub(super) currency: Currency,
    pub(super) payable: i64,
    pub(super) receivable: i64,
}

/// The rows that the events of one page are about.
#[derive(Default)]
pub(super) struct Details {
    tickets: HashMap<i64, TicketRow>,
    taxes: HashMap<i64, Vec<TaxRow>>,
    coupons: HashMap<i64, Vec<CouponRow>>,
    /// Conjunction numbers, by ticket and place.
    documents: HashMap<(i64, i64), String>,
    /// By ticket.
    payments: HashMap<i64, Payment>,
    set_offs: HashMap<i64, SetOff>,
    /// Money that came from the airline or went to it.
    receipts: HashMap<i64, (String, NaiveDate)>,
    /// By the row that their posting refers to.
    refunds: HashMap<i64, Refund>,
    /// By the new ticket.
    exchanges: HashMap<i64, DayExchange>,
    /// The tickets of what was taken back on its way, by the event that took it back.
    taken_back: HashMap<i64, i64>,
}

/// What came back of one ticket.
struct Refund {
    row: RefundTicketRow,
    kind: String,
    coupons: Vec<RefundCouponRow>,
    taxes: Vec<RefundTaxRow>,
}

struct Payment {
    reference: String,
    bank_reference: Option<String>,
    credited_at: Option<NaiveDateTime>,
}

/// The voided or refunded ticket whose claim it was, none where it was an incentive or a memo, and the ticket for which less was paid.
struct SetOff {
    voided: Option<i64>,
    memo: Option<i64>,
    against: Option<i64>,
}

fn is(posting: &PostingRow, event: Event) -> bool {
    posting.event == event.text()
}

/// Sales, voids and refunds of tickets that leave the airline nothing, and exchanges that leave it what it had: those that touch none of its accounts are
/// found by their tickets. An exchange may touch them all the same: what is known of it from there counts.
pub(super) fn events_without_share(db: &mut Db, of: AirlineDay, window: &DayWindow) -> Result<Vec<DayEvent>, ExportError> {
    let with_ticket = posting::table.inner_join(ticket::table.on(ticket::id.eq(posting::reference_id)));
    let of_day = with_ticket.filter(posting::id.gt(window.after)).filter(posting::id.le(window.until));
    let of_day = of_day.filter(posting::ledger_date.eq(of.date));
    let of_day = of_day.filter(posting::event.eq_any([Event::TicketSale.text(), Event::TicketVoid.text()]));
    let silent = of_day.filter(ticket::airline_id.eq(of.airline.raw())).filter(ticket::airline_minor.eq(0));
    let mut silent: Vec<(PostingRow, String)> =
        silent.select((PostingRow::as_select(), ticket::currency)).load(db).map_err(DbError::from)?;
    let refunded = posting::table
        .inner_join(refund_ticket::table.on(refund_ticket::id.eq(posting::reference_id)))
        .inner_join(ticket::table.on(ticket::id.eq(refund_ticket::ticket_id)))
        .filter(posting::id.gt(window.after))
        .filter(posting::id.le(window.until))
        .filter(posting::ledger_date.eq(of.date))
        .filter(posting::event.eq(Event::TicketRefund.text()))
        .filter(ticket::airline_id.eq(of.airline.raw()))
        .filter(refund_ticket::airline_minor.eq(0));
    silent.extend(
        refunded.select((PostingRow::as_select(), ticket::currency)).load::<(PostingRow, String)>(db).map_err(DbError::from)?,
    );
    let exchanged = posting::table
        .inner_join(ticket::table.on(ticket::id.eq(posting::reference_id)))
        .inner_join(ticket_exchange::table.on(ticket_exchange::ticket_id.eq(posting::reference_id)))
        .filter(posting::id.gt(window.after))
        .filter(posting::id.le(window.until))
        .filter(posting::ledger_date.eq(of.date))
        .filter(posting::event.eq_any([Event::TicketExchange.text(), Event::ExchangeVoid.text()]))
        .filter(ticket::airline_id.eq(of.airline.raw()))
        .filter(ticket_exchange::airline_minor.eq(ticket::airline_minor + ticket_exchange::penalty_minor));
    silent.extend(
        exchanged.select((PostingRow::as_select(), ticket::currency)).load::<(PostingRow, String)>(db).map_err(DbError::from)?,
    );
    silent.sort_by_key(|(posting, _)| posting.id);
    let event = |(posting, currency): (PostingRow, String)| {
        Ok(DayEvent { posting, currency: Currency::parse(&currency)?, payable: 0, receivable: 0 })
    };
    silent.into_iter().map(event).collect()
}

impl Details {
    pub(super) fn of(db: &mut Db, events: &[DayEvent]) -> Result<Self, DbError> {
        let mut details = Details::default();
        let about = |wanted: &[Event]| -> Vec<i64> {
            let of_kind = events.iter().filter(|event| wanted.iter().any(|kind| is(&event.posting, *kind)));
            of_kind.map(|event| event.posting.reference_id).collect()
        };
        details.read_set_offs(db, about(&[Event::ClaimSetOff]))?;
        details.read_payments(db, about(&[Event::AdvanceConfirmed]))?;
        let receipts = bank_receipt::table.filter(bank_receipt::id.eq_any(about(&[Event::AirlineRepaid])));
        let receipts: Vec<(i64, String, NaiveDate)> =
            receipts.select((bank_receipt::id, bank_receipt::bank_reference, bank_receipt::value_date)).load(db)?;
        let paid = bank_payment::table.filter(bank_payment::id.eq_any(about(&[Event::AirlinePaid])));
        let paid: Vec<(i64, String, NaiveDate)> =
            paid.select((bank_payment::id, bank_payment::bank_reference, bank_payment::value_date)).load(db)?;
        let money = receipts.into_iter().chain(paid);
        details.receipts = money.map(|(id, reference, date)| (id, (reference, date))).collect();
        details.read_refunds(db, about(&[Event::TicketRefund]))?;
        details.read_taken_back(db, about(&[Event::AdvanceReclaimDropped]))?;
        details.exchanges = read_exchanges(db, &about(&[Event::TicketExchange, Event::ExchangeVoid]))?;
        let split = about(&[Event::TicketSale, Event::TicketVoid, Event::TicketExchange, Event::ExchangeVoid]);
        let mut named: BTreeSet<i64> = split.iter().copied().collect();
        named.extend(about(&[Event::AdvanceConfirmed]));
        named.extend(details.refunds.values().map(|refund| refund.row.ticket_id));
        named.extend(details.taken_back.values());
        named.extend(details.set_offs.values().flat_map(|set_off| [set_off.voided, set_off.against]).flatten());
        let tickets = ticket::table.filter(ticket::id.eq_any(named.into_iter().collect::<Vec<_>>()));
        let tickets: Vec<TicketRow> = tickets.select(TicketRow::as_select()).load(db)?;
        details.tickets = tickets.into_iter().map(|row| (row.id, row)).collect();
        let taxes = ticket_tax::table.filter(ticket_tax::ticket_id.eq_any(split));
        for tax in taxes.select(TaxRow::as_select()).load::<TaxRow>(db)? {
            details.taxes.entry(tax.ticket_id).or_default().push(tax);
        }
        // Not in the database, whose order of texts depends on its collation.
        details.taxes.values_mut().for_each(|taxes| taxes.sort_by(|a, b| (&a.code, &a.payee).cmp(&(&b.code, &b.payee))));
        let sold = about(&[Event::TicketSale, Event::TicketExchange]);
        for coupon in coupons_as_issued(db, &sold)? {
            details.coupons.entry(coupon.ticket_id).or_default().push(coupon);
        }
        let documents = documents_of(db, &sold)?.into_iter();
        details.documents = documents.map(|row| ((row.ticket_id, row.document), row.number)).collect();
        Ok(details)
    }

    fn read_set_offs(&mut self, db: &mut Db, ids: Vec<i64>) -> Result<(), DbError> {
        let settled = claim_settlement::table
            .inner_join(airline_claim::table.on(airline_claim::id.eq(claim_settlement::claim_id)))
            .filter(claim_settlement::id.eq_any(ids));
        type Settled = (i64, Option<i64>, Option<i64>, Option<i64>);
        let columns = (claim_settlement::id, airline_claim::ticket_id, airline_claim::memo_id, claim_settlement::advance_id);
        let settled: Vec<Settled> = settled.select(columns).load(db)?;
        let advances: Vec<i64> = settled.iter().filter_map(|(.., advance)| *advance).collect();
        let advances = advance::table.filter(advance::id.eq_any(advances)).select((advance::id, advance::ticket_id));
        let paid_for: HashMap<i64, i64> = advances.load::<(i64, i64)>(db)?.into_iter().collect();
        self.set_offs = settled
            .into_iter()
            .map(|(id, voided, memo, advance)| {
                let against = advance.and_then(|id| paid_for.get(&id).copied());
                (id, SetOff { voided, memo, against })
            })
            .collect();
        Ok(())
    }

    fn read_refunds(&mut self, db: &mut Db, ids: Vec<i64>) -> Result<(), DbError> {
        let rows = refund_ticket::table
            .inner_join(refund_application::table.on(refund_application::id.eq(refund_ticket::application_id)))
            .filter(refund_ticket::id.eq_any(ids.clone()))
            .select((RefundTicketRow::as_select(), refund_application::kind));
        for (row, kind) in rows.load::<(RefundTicketRow, String)>(db)? {
            self.refunds.insert(row.id, Refund { row, kind, coupons: Vec::new(), taxes: Vec::new() });
        }
        let coupons = refund_coupon::table.filter(refund_coupon::refund_id.eq_any(ids.clone())).order(refund_coupon::id);
        for coupon in coupons.select(RefundCouponRow::as_select()).load::<RefundCouponRow>(db)? {
            self.refunds.entry(coupon.refund_id).and_modify(|refund| refund.coupons.push(coupon));
        }
        let taxes = refund_tax::table.filter(refund_tax::refund_id.eq_any(ids)).order(refund_tax::id);
        for tax in taxes.select(RefundTaxRow::as_select()).load::<RefundTaxRow>(db)? {
            self.refunds.entry(tax.refund_id).and_modify(|refund| refund.taxes.push(tax));
        }
        Ok(())
    }

    fn read_taken_back(&mut self, db: &mut Db, events: Vec<i64>) -> Result<(), DbError> {
        let of = airline_take_back::table.filter(airline_take_back::reference_id.eq_any(events));
        let rows: Vec<(i64, i64)> = of.select((airline_take_back::reference_id, airline_take_back::ticket_id)).load(db)?;
        self.taken_back = rows.into_iter().collect();
        Ok(())
    }

    fn read_payments(&mut self, db: &mut Db, tickets: Vec<i64>) -> Result<(), DbError> {
        type Paid = (i64, i64, i64, Option<String>, Option<NaiveDateTime>);
        let of = advance::table.filter(advance::ticket_id.eq_any(tickets));
        let columns = (advance::id, advance::ticket_id, advance::attempt, advance::bank_reference, advance::credited_at);
        for (id, ticket, attempt, bank_reference, credited_at) in of.select(columns).load::<Paid>(db)? {
            let reference = payment_reference(AdvanceId::of(id), attempt);
            self.payments.insert(ticket, Payment { reference, bank_reference, credited_at });
        }
        Ok(())
    }

    /// The ticket whose legs a sale or a void books.
    fn ticket(&self, event: &DayEvent) -> Option<&TicketRow> {
        let split = is(&event.posting, Event::TicketSale) || is(&event.posting, Event::TicketVoid);
        split.then(|| self.tickets.get(&event.posting.reference_id)).flatten()
    }

    /// What a sale, a void, a refund or an exchange books of tickets' legs.
    pub(super) fn legs(&self, event: &DayEvent) -> Result<Option<EventLegs<'_>>, ExportError> {
        if let Some(refund) = self.refund(event) {
            return refund.legs(self.number(refund.row.ticket_id)?, event.currency).map(Some);
        }
        if let Some((exchange, sign)) = self.exchange(event) {
            return exchange.legs(self.known_ticket(event.posting.reference_id)?, event.currency, sign).map(Some);
        }
        let sign = if is(&event.posting, Event::TicketVoid) { negated } else { Ok };
        let Some(row) = self.ticket(event) else { return Ok(None) };
        Ok(Some(EventLegs {
            number: &row.number,
            currency: Currency::parse(&row.currency)?,
            price: sign(row.price_minor)?,
            base_fare: sign(row.base_minor)?,
            tax: sign(row.tax_minor)?,
            airline_share: sign(row.airline_minor)?,
            authorities: sign(row.authority_minor)?,
            commission: sign(row.commission_minor)?,
            fee: sign(row.fee_minor)?,
        }))
    }

    fn refund(&self, event: &DayEvent) -> Option<&Refund> {
        self.refunds.get(&event.posting.reference_id).filter(|_| is(&event.posting, Event::TicketRefund))
    }

    fn exchange(&self, event: &DayEvent) -> Option<(&DayExchange, Sign)> {
        self.exchanges.get(&event.posting.reference_id).zip(Sign::of(event))
    }

    pub(super) fn known_ticket(&self, ticket: i64) -> Result<&TicketRow, ExportError> {
        let known = self.tickets.get(&ticket);
        known.ok_or_else(|| DbError::Corrupt(format!("an event of ticket {ticket}, which is not there")).into())
    }

    fn number(&self, ticket: i64) -> Result<&str, ExportError> {
        self.known_ticket(ticket).map(|row| row.number.as_str())
    }

    /// The lines of one event.
    pub(super) fn lines(&self, event: &DayEvent) -> Result<Vec<Line>, ExportError> {
        let kind = Event::ALL.iter().copied().find(|kind| is(&event.posting, *kind));
        match kind {
            Some(Event::TicketSale) => self.sale_lines(event),
            Some(Event::TicketVoid) => self.void_lines(event),
            Some(Event::TicketRefund) => self.refund_lines(event),
            Some(Event::TicketExchange | Event::ExchangeVoid) => {
                let (exchange, sign) = self.exchange(event).ok_or_else(|| event.unknown())?;
                exchange.lines(self, event, sign)
            }
            Some(Event::AdvanceConfirmed) => Ok(vec![self.payment_line(event)?]),
            Some(Event::AdvanceReclaimDropped) => {
                let ticket = self.taken_back.get(&event.posting.reference_id).ok_or_else(|| event.unknown())?;
                let number = self.number(*ticket)?;
                let line = event.line(RecordType::ReclaimDropped).text(Column::TicketNumber, number);
                Ok(vec![line.amount(Column::Amount, negated(event.payable)?, event.currency)])
            }
            Some(Event::ClaimSetOff) => Ok(vec![self.set_off_line(event)?]),
            Some(Event::AirlineRepaid) => Ok(vec![self.money_line(event, RecordType::Repayment, event.receivable)?]),
            Some(Event::AirlinePaid) => Ok(vec![self.money_line(event, RecordType::MemoPayment, event.payable)?]),
            Some(Event::AdmPosted) => Ok(vec![event.memo_line(RecordType::Adm, event.payable)]),
            Some(Event::AcmPosted) => Ok(vec![event.memo_line(RecordType::Acm, event.receivable)]),
            _ => {
                let amount = event.payable.checked_sub(event.receivable).ok_or(MoneyError::Overflow)?;
                let line = event.line(RecordType::Other).text(Column::Detail, &event.posting.event);
                Ok(vec![line.amount(Column::Amount, amount, event.currency)])
            }
        }
    }

    fn sale_lines(&self, event: &DayEvent) -> Result<Vec<Line>, ExportError> {
        let row = self.ticket(event).ok_or_else(|| event.unknown())?;
        let mut lines = vec![self.legs_line(RecordType::Sale, event)?];
        lines.extend(self.tax_lines(event, row, RecordType::SaleTax, Sign::Added)?);
        lines.extend(self.coupon_lines(event, row, RecordType::SaleCoupon)?);
        Ok(lines)
    }

    fn void_lines(&self, event: &DayEvent) -> Result<Vec<Line>, ExportError> {
        let row = self.ticket(event).ok_or_else(|| event.unknown())?;
        let mut lines = vec![self.legs_line(RecordType::Void, event)?];
        lines.extend(self.tax_lines(event, row, RecordType::VoidTax, Sign::TakenOff)?);
        Ok(lines)
    }

    /// The taxes of a ticket, which add up to its tax.
    pub(super) fn tax_lines(
        &self,
        event: &DayEvent,
        row: &TicketRow,
        record: RecordType,
        sign: Sign,
    ) -> Result<Vec<Line>, ExportError> {
        let taxes = rows(&self.taxes, row.id);
        check_parts(row, taxes)?;
        let line = |tax: &TaxRow| {
            let line = event.part(record).text(Column::TicketNumber, &row.number);
            let line = line.amount(Column::Amount, sign.minor(tax.minor)?, event.currency).text(Column::TaxCode, &tax.code);
            Ok(line.text(Column::TaxPayee, &tax.payee).text(Column::TaxRemitter, &tax.remitter))
        };
        taxes.iter().map(line).collect()
    }

    /// The coupons of a ticket as they were issued, which add up to its fare.
    pub(super) fn coupon_lines(&self, event: &DayEvent, row: &TicketRow, record: RecordType) -> Result<Vec<Line>, ExportError> {
        let coupons = rows(&self.coupons, row.id);
        let fares = coupons.iter().try_fold(0i64, |sum, coupon| sum.checked_add(coupon.base_minor));
        if fares != Some(row.base_minor) {
            return Err(ExportError::DoesNotTie(format!("the coupons of ticket {} do not add up to its fare", row.number)));
        }
        let line = |coupon: &CouponRow| {
            let number = self.documents.get(&(row.id, coupon.document())).unwrap_or(&row.number);
            let line = event.part(record).text(Column::TicketNumber, number);
            let line = line
                .amount(Column::Amount, coupon.base_minor, event.currency)
                .whole(Column::CouponNumber, coupon.number_on_document());
            let line = line.text(Column::Flight, &format!("{}{}", coupon.carrier, coupon.flight_number));
            let line = line.text(Column::Origin, &coupon.origin).text(Column::Destination, &coupon.destination);
            let line = line.date(Column::FlightDate, coupon.departing_at.date());
            line.text(Column::BookingClass, &coupon.booking_class).text(Column::FareBasis, &coupon.fare_basis)
        };
        Ok(coupons.iter().map(line).collect())
    }

    fn refund_lines(&self, event: &DayEvent) -> Result<Vec<Line>, ExportError> {
        let refund = self.refund(event).ok_or_else(|| event.unknown())?;
        let (number, currency) = (self.number(refund.row.ticket_id)?, event.currency);
        let line = self.legs_line(RecordType::Refund, event)?.text(Column::Detail, &refund.kind);
        let mut lines = vec![line.amount(Column::Amount, refund.row.penalty_minor, currency)];
        for coupon in &refund.coupons {
            let line = event.part(RecordType::RefundCoupon).text(Column::TicketNumber, number);
            let line = line.amount(Column::Amount, negated(coupon.fare_minor)?, currency);
            lines.push(line.whole(Column::CouponNumber, coupon.number));
        }
        for tax in &refund.taxes {
            let line = event.part(RecordType::RefundTax).text(Column::TicketNumber, number);
            let line = line.amount(Column::Amount, negated(tax.minor)?, currency).text(Column::TaxCode, &tax.code);
            lines.push(line.text(Column::TaxPayee, &tax.payee).text(Column::TaxRemitter, &tax.remitter));
        }
        Ok(lines)
    }

    /// The line of a sale, a void or a refund.
    fn legs_line(&self, record: RecordType, event: &DayEvent) -> Result<Line, ExportError> {
        let legs = self.legs(event)?.ok_or_else(|| event.unknown())?;
        Ok(legs.written(event.line(record)))
    }

    fn payment_line(&self, event: &DayEvent) -> Result<Line, ExportError> {
        let ticket = event.posting.reference_id;
        let payment = self.payments.get(&ticket).ok_or_else(|| event.unknown())?;
        let line = event.line(RecordType::AdvanceConfirmed).text(Column::TicketNumber, self.number(ticket)?);
        let line = line.amount(Column::Amount, negated(event.payable)?, event.currency);
        let line = line.text(Column::PaymentReference, &payment.reference);
        let line = line.text(Column::BankReference, payment.bank_reference.as_deref().unwrap_or_default());
        Ok(match payment.credited_at {
            Some(at) => line.time(Column::CreditedAt, Timestamp::from(at)),
            None => line,
        })
    }

    /// Money that came or went with a bank's reference, and took so much off an account.
    fn money_line(&self, event: &DayEvent, record: RecordType, change: i64) -> Result<Line, ExportError> {
        let money = self.receipts.get(&event.posting.reference_id);
        let (reference, value_date) = money.ok_or_else(|| event.unknown())?;
        let line = event.line(record).text(Column::BankReference, reference).date(Column::ValueDate, *value_date);
        Ok(line.amount(Column::Amount, negated(change)?, event.currency))
    }

    fn set_off_line(&self, event: &DayEvent) -> Result<Line, ExportError> {
        let set_off = self.set_offs.get(&event.posting.reference_id).ok_or_else(|| event.unknown())?;
        let line = event.line(RecordType::SetOff);
        let line = match set_off.voided {
            Some(ticket) => line.text(Column::TicketNumber, self.number(ticket)?),
            None => line.text(Column::Detail, if set_off.memo.is_some() { "memo" } else { "incentive" }),
        };
        let line = match set_off.against {
            Some(ticket) => line.text(Column::AgainstTicketNumber, self.number(ticket)?),
            None => line,
        };
        Ok(line.amount(Column::Amount, negated(event.receivable)?, event.currency))
    }
}

impl Refund {
    /// The fare without what was kept, so that the legs add up as those of a sale do.
    fn legs<'a>(&self, number: &'a str, currency: Currency) -> Result<EventLegs<'a>, ExportError> {
        let RefundTicketRow { fare_minor, penalty_minor, tax_minor, .. } = self.row;
        let base_fare = penalty_minor.checked_sub(fare_minor).ok_or(MoneyError::Overflow)?;
        Ok(EventLegs {
            number,
            currency,
            price: base_fare.checked_sub(tax_minor).ok_or(MoneyError::Overflow)?,
            base_fare,
            tax: negated(tax_minor)?,
            airline_share: negated(self.row.airline_minor)?,
            authorities: negated(self.row.authority_minor)?,
            commission: negated(self.row.commission_minor)?,
            fee: negated(self.row.fee_minor)?,
        })
    }
}

impl DayEvent {
    /// A part of the event; what it did to the accounts stands in the event's own line only.
    pub(super) fn part(&self, record: RecordType) -> Line {
        let line = Line::new(record, self.posting.ledger_date).time(Column::BookedAt, Timestamp::from(self.posting.booked_at));
        let line = line.text(Column::PostingId, &PostingId::of(self.posting.id).to_string());
        line.text(Column::Currency, self.currency.code())
    }

    pub(super) fn line(&self, record: RecordType) -> Line {
        let line = self.part(record).amount(Column::PayableChange, self.payable, self.currency);
        line.amount(Column::ReceivableChange, self.receivable, self.currency)
    }

    fn memo_line(&self, record: RecordType, amount: i64) -> Line {
        let memo = MemoId::of(self.posting.reference_id).to_string();
        self.line(record).text(Column::Detail, &memo).amount(Column::Amount, amount, self.currency)
    }

    fn unknown(&self) -> ExportError {
        let PostingRow { id, event, reference_id, .. } = &self.posting;
        DbError::Corrupt(format!("posting {id} ({event}) is about {reference_id}, which is not there")).into()
    }
}

fn rows<T>(known: &HashMap<i64, Vec<T>>, ticket: i64) -> &[T] {
    known.get(&ticket).map_or(&[], Vec::as_slice)
}

/// The taxes of a ticket are its tax, and those that the platform remits are its authorities' part.
fn check_parts(row: &TicketRow, taxes: &[TaxRow]) -> Result<(), ExportError> {
    let sum = |of: &dyn Fn(&&TaxRow) -> bool| taxes.iter().filter(of).try_fold(0i64, |sum, tax| sum.checked_add(tax.minor));
    if sum(&|_| true) == Some(row.tax_minor) && sum(&|tax| tax.remitter == "platform") == Some(row.authority_minor) {
        return Ok(());
    }
    Err(ExportError::DoesNotTie(format!("the taxes of ticket {} do not add up", row.number)))
}
