//! The money of a refund: posted once, in the commit that accepts it.
//!
//! Protocol, after the agency is locked: facility slices, seat buckets, advances and accounts in this order; everything is checked under these locks,
//! then everything changes. A credit sale credits `agency.receivable`, in the cycle of its ticket as long as that runs and in the running one afterwards.
//! A wallet is credited if client cash covers it, with own money ordered into the client account for what is missing. Where own money is missing too,
//! the agency is credited on `agency.refund_due`: the airline is claimed at once, and the wallet follows when the money is there.

use super::application::{Application, ApplicationRow, RefundTaxRow, RefundTicketRow};
use super::error::RefundError;
use super::legs::RefundLegs;
use crate::agencies::{Agency, Cycle};
use crate::audit::{Actor, Cause};
use crate::catalogue::split::Tax;
use crate::credit::{
    AirlineLeg, TakeBack, Taking, TransferError, TransferRow, cap_states, client_accounts, cover, lock_slices_of,
    receivable_from, top_up_client_cash,
};
use crate::db::{Change, Db, DbError, RowSet, WriteTx, insert, update};
use crate::ids::{AgencyId, AirlineId, ContractId, Id, OrderId, TicketId};
use crate::ledger::{AccountCode, AccountKey, Book, Draft, Event, Leg, open_accounts};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit_all};
use crate::ordering::Tender;
use crate::ticketing::coupon_history::settle_coupons;
use crate::ticketing::postings::{RefundTo, debits, refund};
use crate::ticketing::seats::{give_back_seats, lock_seats};
use crate::ticketing::ticket::{CouponRow, IssuedOrder};
use crate::ticketing::vat::vat_given_back;
use diesel::prelude::*;

/// Whether the money is where it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Paid,
    /// The wallet waits; so much is missing now.
    Waits {
        short: Money,
    },
}

/// One ticket of the refund, ready to be posted.
struct Line<'a> {
    row: &'a RefundTicketRow,
    ticket: TicketId,
    airline: AirlineId,
    legs: RefundLegs,
    /// Of the fee that is given back.
    vat: Money,
}

/// Posts a checked application and changes its coupons.
pub(super) fn settle(
    tx: &mut WriteTx,
    cause: &Cause,
    seller: &Agency,
    issued: &IssuedOrder,
    application: &mut Application,
) -> Result<Settled, RefundError> {
    let coupons = coupons_of(issued, application);
    let lines = lines(tx.db, issued, application)?;
    let tickets: Vec<TicketId> = lines.iter().map(|line| line.ticket).collect();
    let slices = lock_slices_of(tx, &tickets)?;
    let seats = lock_seats(tx, &coupons)?;
    let mut taken = TakeBack::lock(tx, slices)?;
    let posting = Posting { seller, issued, cause, cycle: credit_cycle(tx, seller, issued) };
    let (book, transfers, settled) = posting.post(tx, &lines, &mut taken)?;
    // From here on the refund must succeed.
    let mut sets = book.new_rows().into_iter().collect::<Vec<_>>();
    sets.push(RowSet::of(&transfers));
    insert(tx, &sets)?;
    book.finish(tx)?;
    taken.write(tx)?;
    give_back_seats(tx, &seats)?;
    let refunded = |line: &Line<'_>| {
        let event = NewEvent::new(EventType::TicketRefunded, line.ticket).of_agency(seller.id).of_airline(line.airline);
        event.naming("order_id", OrderId::of(issued.order.id)).caused_by(&cause.request_id)
    };
    emit_all(tx, lines.iter().map(refunded).collect())?;
    let status = application.row.kind()?.coupon_status();
    settle_coupons(tx, cause, coupons.iter().copied(), status)?;
    let cycle = (issued.order.tender()? == Some(Tender::Credit)).then(|| posting.cycle.clone());
    for row in &mut application.tickets {
        (row.cycle, row.posted_at) = (cycle.clone(), Some(tx.now.naive()));
    }
    let posted = application.tickets.iter();
    let posted: Vec<Change> =
        posted.map(|row| Change { id: row.id, values: vec![row.cycle.clone().into(), row.posted_at.into()] }).collect();
    update(tx, "refund_ticket", &["cycle", "posted_at"], &posted)?;
    Ok(settled)
}

/// The ticket's own cycle until it has ended in the zone of the point of sale, then the running one of the rule that it was sold under.
pub(in crate::ticketing) fn credit_cycle(tx: &WriteTx, seller: &Agency, issued: &IssuedOrder) -> String {
    let today = tx.now.date_in(seller.zone);
    let own = issued.order.cycle.as_deref().and_then(Cycle::parse);
    match own.filter(|cycle| today <= cycle.last_day()) {
        Some(cycle) => cycle.to_string(),
        None => own.map(Cycle::rule).unwrap_or_default().cycle_of(today).to_string(),
    }
}

/// The coupons that an application takes, in the order's order; none for a second amount.
pub(super) fn coupons_of<'a>(issued: &'a IssuedOrder, application: &Application) -> Vec<&'a CouponRow> {
    let taken = |coupon: &&CouponRow| application.coupons.iter().any(|one| one.coupon_id == coupon.id);
    issued.coupons.iter().filter(taken).collect()
}

fn lines<'a>(db: &mut Db, issued: &IssuedOrder, application: &'a Application) -> Result<Vec<Line<'a>>, RefundError> {
    let currency = Currency::parse(&application.row.currency)?;
    let mut line = |row: &'a RefundTicketRow| {
        let ticket = issued.tickets.iter().find(|ticket| ticket.id == row.ticket_id).ok_or(RefundError::NotFound)?;
        let taxes = application.taxes.iter().filter(|tax| tax.refund_id == row.id);
        let legs = legs_of(row, taxes, currency)?;
        let vat = vat_given_back(db, ticket, legs.fee)?;
        Ok(Line { row, ticket: TicketId::of(ticket.id), airline: AirlineId::of(ticket.airline_id), legs, vat })
    };
    application.tickets.iter().map(&mut line).collect()
}

fn legs_of<'a>(
    row: &RefundTicketRow,
    taxes: impl Iterator<Item = &'a RefundTaxRow>,
    currency: Currency,
) -> Result<RefundLegs, MoneyError> {
    let money = |minor| Money::new(minor, currency);
    let mut authority: Vec<Tax> = Vec::new();
    for tax in taxes.filter(|tax| tax.remitter == "platform") {
        match authority.iter_mut().find(|known| known.code == tax.code && known.payee == tax.payee) {
            Some(known) => known.amount = known.amount.checked_add(money(tax.minor))?,
            None => authority.push(Tax { code: tax.code.clone(), payee: tax.payee.clone(), amount: money(tax.minor) }),
        }
    }
    let refund = money(row.fare_minor).checked_add(money(row.tax_minor))?.checked_sub(money(row.penalty_minor))?;
    let (airline, commission, fee) = (money(row.airline_minor), money(row.commission_minor), money(row.fee_minor));
    Ok(RefundLegs { refund, airline, authority, commission, fee })
}

struct Posting<'a> {
    seller: &'a Agency,
    issued: &'a IssuedOrder,
    cause: &'a Cause,
    cycle: String,
}

type Posted = (Book, Vec<TransferRow>, Settled);

impl Posting<'_> {
    fn post(&self, tx: &mut WriteTx, lines: &[Line<'_>], taken: &mut TakeBack) -> Result<Posted, RefundError> {
        let currency = Currency::parse(&self.issued.order.currency)?;
        let from_wallet = self.issued.order.tender()? == Some(Tender::Wallet);
        let ids = open_accounts(tx, &self.accounts(lines, taken, currency, from_wallet))?;
        let mut book = Book::new();
        book.load(tx, &ids)?;
        taken.read_holds(tx)?;
        let zero = Money::zero(currency);
        let before = match from_wallet {
            true => Some((cover(tx.db, currency)?, taken.owed_from_client_cash()?.unwrap_or(zero))),
            false => None,
        };
        let mut airline_legs = Vec::with_capacity(lines.len());
        let mut to_wallet = zero;
        for line in lines {
            let taking = Taking { ticket: line.ticket, airline: line.airline, reference: line.row.id, amount: line.legs.airline };
            airline_legs.push(taken.take(tx, &mut book, taking)?);
            to_wallet = to_wallet.checked_add(line.legs.refund.checked_sub(line.legs.commission)?)?;
        }
        let mut settled = Settled::Paid;
        let mut transfers = Vec::new();
        if let Some((cover, owed)) = before {
            let freed = owed.checked_sub(taken.owed_from_client_cash()?.unwrap_or(zero))?;
            let missing = to_wallet.checked_sub(cover)?.checked_sub(freed)?;
            (settled, transfers) = match owed_at_the_cap(tx, lines, &airline_legs)? {
                // Own money is not lent to an airline that owes as much as it may.
                Some(short) => (Settled::Waits { short }, Vec::new()),
                None => cover_missing(tx, &mut book, self.cause.actor, missing, lines)?,
            };
        }
        let to = match (from_wallet, settled) {
            (false, _) => RefundTo::Credit { cycle: &self.cycle },
            (true, Settled::Paid) => RefundTo::Wallet,
            (true, Settled::Waits { .. }) => RefundTo::Due,
        };
        for (line, airline) in lines.iter().zip(airline_legs).filter(|(line, _)| line.legs.refund.minor > 0) {
            let mut legs = debits(&line.legs, airline, line.vat, (self.seller.id, line.airline))?;
            legs.extend(refund(&line.legs, self.seller.id, to)?);
            let contract = self.issued.order.contract_id.map(ContractId::of);
            let draft = Draft { event: Event::TicketRefund, reference: line.row.id, contract, actor: self.cause.actor, legs };
            book.post(tx, &draft)?;
        }
        Ok((book, transfers, settled))
    }

    fn accounts(&self, lines: &[Line<'_>], taken: &TakeBack, currency: Currency, from_wallet: bool) -> Vec<AccountKey> {
        let agency = |code| AccountKey::agency(code, self.seller.id, currency);
        let mut keys = taken.accounts();
        keys.push(agency(AccountCode::AgencyCommission));
        keys.push(AccountKey::platform(AccountCode::PlatformFeeIncome, currency));
        if lines.iter().any(|line| line.vat.minor > 0) {
            keys.push(AccountKey::platform(AccountCode::PlatformVatPayable, currency));
        }
        for line in lines {
            keys.push(AccountKey::airline(AccountCode::AirlinePayable, line.airline, currency));
            keys.push(receivable_from(line.airline, currency));
            keys.extend(line.legs.authority.iter().map(|tax| AccountKey::tax(&tax.payee, &tax.code, currency)));
        }
        if from_wallet {
            keys.extend(client_accounts(currency));
            keys.extend([agency(AccountCode::AgencyWallet), agency(AccountCode::AgencyRefundDue)]);
        } else {
            keys.push(agency(AccountCode::AgencyReceivable));
        }
        keys
    }
}

/// What an airline that owes as much as it may would owe more for these tickets.
fn owed_at_the_cap(tx: &mut WriteTx, lines: &[Line<'_>], legs: &[AirlineLeg]) -> Result<Option<Money>, RefundError> {
    let airlines: Vec<AirlineId> = lines.iter().map(|line| line.airline).collect();
    let states = cap_states(tx.db, Some(&airlines), tx.ledger_date)?;
    for state in states.iter().filter(|state| state.is_reached()) {
        let of = lines.iter().zip(legs).filter(|(line, _)| line.airline == state.cap.airline);
        let of = of.filter(|(line, _)| line.legs.refund.currency == state.cap.cap.currency).map(|(_, leg)| leg.to_give_back);
        let owed = Money::sum(state.cap.cap.currency, of)?;
        if owed.minor > 0 {
            return Ok(Some(owed));
        }
    }
    Ok(None)
}

/// Orders own money into the client account for what is missing, or says how much of it is missing too.
fn cover_missing(
    tx: &mut WriteTx,
    book: &mut Book,
    actor: Actor,
    missing: Money,
    lines: &[Line<'_>],
) -> Result<(Settled, Vec<TransferRow>), RefundError> {
    if missing.minor <= 0 {
        return Ok((Settled::Paid, Vec::new()));
    }
    match top_up_client_cash(tx, book, actor, missing, lines.first().map(|line| line.ticket)) {
        Ok(transfer) => Ok((Settled::Paid, vec![transfer])),
        Err(TransferError::OwnCashShort { short }) => Ok((Settled::Waits { short }, Vec::new())),
        Err(other) => Err(other.into()),
    }
}

/// What an application that waits owes its agency's wallet.
pub(super) fn due_to_wallet(application: &Application) -> Result<Money, MoneyError> {
    let currency = Currency::parse(&application.row.currency)?;
    let commission: i64 = application.tickets.iter().map(|row| row.commission_minor).sum();
    Money::new(application.row.refund_minor, currency).checked_sub(Money::new(commission, currency))
}

/// Whether an airline of these tickets still owes as much as it may, so that the wallet waits on.
fn at_the_cap(tx: &mut WriteTx, application: &Application, amount: Money) -> Result<Option<Money>, RefundError> {
    use crate::db::schema::ticket;
    let tickets: Vec<i64> = application.tickets.iter().map(|row| row.ticket_id).collect();
    let airlines: Vec<i64> = ticket::table
        .filter(ticket::id.eq_any(tickets))
        .select(ticket::airline_id)
        .distinct()
        .load(&mut *tx.db)
        .map_err(DbError::from)?;
    let airlines: Vec<AirlineId> = airlines.into_iter().map(AirlineId::of).collect();
    let states = cap_states(tx.db, Some(&airlines), tx.ledger_date)?;
    let reached = states.iter().any(|state| state.is_reached() && state.cap.cap.currency == amount.currency);
    Ok(reached.then_some(amount))
}

/// Moves what is due into the wallet if it is covered now. The agency is locked.
pub(super) fn pay_out(tx: &mut WriteTx, actor: Actor, application: &Application) -> Result<Settled, RefundError> {
    let ApplicationRow { id, agency_id, .. } = application.row;
    let amount = due_to_wallet(application)?;
    let agency = |code| AccountKey::agency(code, AgencyId::of(agency_id), amount.currency);
    let mut keys = vec![agency(AccountCode::AgencyRefundDue), agency(AccountCode::AgencyWallet)];
    keys.extend(client_accounts(amount.currency));
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    let missing = amount.checked_sub(cover(tx.db, amount.currency)?)?;
    let (settled, transfers) = match at_the_cap(tx, application, amount)? {
        Some(short) => (Settled::Waits { short }, Vec::new()),
        None => cover_missing(tx, &mut book, actor, missing, &[])?,
    };
    if settled == Settled::Paid {
        let legs = vec![
            Leg::debit(agency(AccountCode::AgencyRefundDue), amount),
            Leg::credit(agency(AccountCode::AgencyWallet), amount)?,
        ];
        book.post(tx, &Draft { event: Event::RefundPaidOut, reference: id, contract: None, actor, legs })?;
        insert(tx, &book.new_rows())?;
        book.finish(tx)?;
        insert(tx, &[RowSet::of(&transfers)])?;
    }
    Ok(settled)
}
