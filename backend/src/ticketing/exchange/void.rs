//! An exchange taken back within the void window of its new tickets: the old coupons are open again, the new ones are void, and every leg of the
//! exchange comes back with the other sign.
//!
//! The airline keeps what the old ticket is worth to it: only the difference is taken back, from the advance of the new ticket, which goes on paying the rest.
//! Locks as those of a void: agency, facility slices, seat buckets, advances, accounts.

use super::confirm::{issued_of, order_changed};
use super::error::ChangeError;
use super::stored::{OrderChangeRow, TicketExchangeRow, exchanges_by, order_change};
use crate::agencies::agency;
use crate::audit::{self, Cause};
use crate::catalogue::Catalogue;
use crate::clock::Timestamp;
use crate::credit::{AirlineLeg, TakeBack, Taking, client_accounts, cover, lock_slices_of, top_up_client_cash};
use crate::db::schema::seat_bucket;
use crate::db::{Change, Contended, Db, DbError, RowSet, WriteTx, insert, lock, update};
use crate::ids::{AgencyId, AirlineId, Id, OrderChangeId, OrderId, ScheduleChangeId, TicketId};
use crate::ledger::{
    AccountCode, AccountKey, AccountRow, Book, Draft, EntryRow, Event, Leg, PostingRow, entries_of, open_accounts, postings_about,
};
use crate::money::{Currency, Money};
use crate::notify::emit;
use crate::ordering::Tender;
use crate::ticketing::Refusal;
use crate::ticketing::coupon::CouponStatus;
use crate::ticketing::coupon_history::settle_coupons;
use crate::ticketing::issue::BucketRow;
use crate::ticketing::journey::moment_at;
use crate::ticketing::schedule_change::schedule_change;
use crate::ticketing::ticket::{CouponRow, IssuedOrder, TicketRow};
use crate::ticketing::void::window_ends_at;
use chrono::NaiveDateTime;
use diesel::prelude::*;
use std::collections::BTreeMap;

/// One exchange with both of its tickets.
struct Undone<'a> {
    row: TicketExchangeRow,
    new: &'a TicketRow,
    old_coupons: Vec<&'a CouponRow>,
    new_coupons: Vec<&'a CouponRow>,
    /// What the airline got more than it had.
    difference: Money,
}

/// Takes a confirmed change back. What was taken back before is answered as it is.
pub fn void_change(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    id: OrderChangeId,
) -> Result<OrderChangeRow, ChangeError> {
    let known = order_change(tx.db, id)?.ok_or(ChangeError::NotFound)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    let change = order_change(tx.db, id)?.ok_or(ChangeError::NotFound)?;
    if change.confirmed_at.is_none() {
        return Err(ChangeError::NotConfirmed);
    }
    if change.voided_at.is_some() {
        return Ok(change);
    }
    let issued = issued_of(tx, OrderId::of(change.order_id))?;
    let rows = exchanges_by(tx.db, id)?;
    let undone = undone(&issued, rows)?;
    check_window(tx, catalogue, &issued, &undone)?;
    settle(tx, cause, &issued, &undone)?;
    let voided = OrderChangeRow { voided_at: Some(tx.now.naive()), ..change };
    update(tx, "order_change", &["voided_at"], &[Change { id: voided.id, values: vec![voided.voided_at.into()] }])?;
    audit::record(tx, cause, "order.void_change", OrderId::of(voided.order_id))?;
    let (agency, airline) = (AgencyId::of(voided.agency_id), AirlineId::of(issued.order.airline_id));
    emit(tx, order_changed(&issued, &voided).of_agency(agency).of_airline(airline).caused_by(&cause.request_id))?;
    Ok(voided)
}

fn undone(issued: &IssuedOrder, rows: Vec<TicketExchangeRow>) -> Result<Vec<Undone<'_>>, ChangeError> {
    let currency = Currency::parse(&issued.order.currency)?;
    let mut undone = Vec::with_capacity(rows.len());
    for row in rows {
        let new = issued.tickets.iter().find(|ticket| ticket.id == row.ticket_id);
        let new = new.ok_or_else(|| DbError::Corrupt(format!("exchanged ticket {} is not of its order", row.ticket_id)))?;
        let of = |ticket: i64| issued.coupons.iter().filter(move |coupon| coupon.ticket_id == ticket);
        let new_coupons: Vec<&CouponRow> = of(row.ticket_id).collect();
        if let Some(coupon) = new_coupons.iter().find(|coupon| coupon.status != CouponStatus::Open.text()) {
            let (ticket, coupon, status) = (new.number.clone(), coupon.number, coupon.status.clone());
            return Err(ChangeError::CouponNotOpen { ticket, coupon, status });
        }
        let exchanged = |coupon: &&CouponRow| coupon.status == CouponStatus::Exchanged.text();
        let difference = Money::new(new.airline_minor, currency)
            .checked_add(Money::new(row.penalty_minor, currency))?
            .checked_sub(Money::new(row.airline_minor, currency))?;
        if difference.is_negative() {
            return Err(ChangeError::GaveBack);
        }
        undone.push(Undone {
            new,
            old_coupons: of(row.given_in_ticket_id).filter(exchanged).collect(),
            new_coupons,
            difference,
            row,
        });
    }
    Ok(undone)
}

fn check_window(tx: &mut WriteTx, catalogue: &Catalogue, issued: &IssuedOrder, undone: &[Undone<'_>]) -> Result<(), ChangeError> {
    let seller = agency(tx.db, AgencyId::of(issued.order.agency_id))?;
    let seller = seller.ok_or_else(|| DbError::Corrupt(format!("order {} has no agency", issued.order.id)))?;
    let first = undone.first().ok_or(ChangeError::NotConfirmed)?;
    let coupons = undone.iter().flat_map(|one| &one.new_coupons);
    let departs_first = coupons.min_by_key(|coupon| moment_at(catalogue, &coupon.origin, coupon.departing_at));
    let ended = departs_first.and_then(|coupon| window_ends_at(catalogue, &seller, first.new.issue_date, coupon));
    // Where no rule is filed, nothing is voided.
    let ended = ended.unwrap_or(Timestamp::from(first.new.issued_at));
    if tx.now >= ended { Err(ChangeError::VoidWindowClosed { ended }) } else { Ok(()) }
}

fn settle(tx: &mut WriteTx, cause: &Cause, issued: &IssuedOrder, undone: &[Undone<'_>]) -> Result<(), ChangeError> {
    let tickets: Vec<TicketId> = undone.iter().map(|one| TicketId::of(one.row.ticket_id)).collect();
    let slices = lock_slices_of(tx, &tickets)?;
    let seats = lock_seats(tx, undone)?;
    let mut taken = TakeBack::lock(tx, slices)?;
    let (book, transfers) = post(tx, cause, issued, undone, &mut taken)?;
    // From here on it must succeed.
    let mut sets = book.new_rows().into_iter().collect::<Vec<_>>();
    sets.push(RowSet::of(&transfers));
    insert(tx, &sets)?;
    book.finish(tx)?;
    taken.write(tx)?;
    update(tx, "seat_bucket", &["sold"], &seats)?;
    // Only an exchange that is taken back opens coupons again that were final.
    let old = undone.iter().flat_map(|one| &one.old_coupons).copied();
    settle_coupons(tx, cause, old, CouponStatus::Open)?;
    let new = undone.iter().flat_map(|one| &one.new_coupons).copied();
    settle_coupons(tx, cause, new, CouponStatus::Void)?;
    let (mut base, mut total) = (issued.order.base_minor, issued.order.total_minor);
    for one in undone {
        let given_in: i64 = one.old_coupons.iter().map(|coupon| coupon.base_minor).sum();
        base += given_in - one.new.base_minor;
        total += one.row.given_in_minor - one.new.price_minor;
    }
    let values = vec![base.into(), (total - base).into(), total.into()];
    update(tx, "air_order", &["base_minor", "tax_minor", "total_minor"], &[Change { id: issued.order.id, values }])?;
    Ok(())
}

/// The old flights need their seats again. Who sits there again is told of no change that came in between, so that such an exchange stands: the order is
/// changed again instead.
fn lock_seats(tx: &mut WriteTx, undone: &[Undone<'_>]) -> Result<Vec<Change>, ChangeError> {
    let mut seats: BTreeMap<i64, (i64, &CouponRow)> = BTreeMap::new();
    for one in undone {
        for coupon in &one.old_coupons {
            seats.entry(coupon.seat_bucket_id).or_insert((0, coupon)).0 += coupon.seats;
        }
        for coupon in &one.new_coupons {
            seats.entry(coupon.seat_bucket_id).or_insert((0, coupon)).0 -= coupon.seats;
        }
    }
    let ids: Vec<i64> = seats.keys().copied().collect();
    lock(tx, Contended::SeatBucket, &ids)?;
    let of = seat_bucket::table.filter(seat_bucket::id.eq_any(ids)).order(seat_bucket::id);
    let rows: Vec<BucketRow> = of.select(BucketRow::as_select()).load(&mut *tx.db).map_err(DbError::from)?;
    let exchanged_at = undone.iter().map(|one| one.row.created_at).min();
    let mut changes = Vec::with_capacity(rows.len());
    for row in rows {
        let Some((asked, coupon)) = seats.get(&row.id) else { continue };
        let flight = format!("{}{}", coupon.carrier, coupon.flight_number);
        if *asked > 0 && changed_since(tx.db, &row, exchanged_at)? {
            return Err(ChangeError::Refused(Refusal::ScheduleChanged { flight }));
        }
        let left = row.capacity - row.sold;
        if *asked > left {
            return Err(ChangeError::Refused(Refusal::SeatsSoldOut {
                flight,
                booking_class: coupon.booking_class.chars().next().unwrap_or(' '),
                left,
                asked: *asked,
            }));
        }
        changes.push(Change { id: row.id, values: vec![(row.sold + asked).into()] });
    }
    Ok(changes)
}

/// Whether the airline has changed the flight of these seats after the tickets were given in.
fn changed_since(db: &mut Db, bucket: &BucketRow, exchanged_at: Option<NaiveDateTime>) -> Result<bool, DbError> {
    if bucket.schedule_change_id == 0 {
        return Ok(false);
    }
    let last = schedule_change(db, ScheduleChangeId::of(bucket.schedule_change_id))?;
    Ok(last.is_some_and(|change| exchanged_at.is_none_or(|at| change.created_at >= at)))
}

type Booked = (Book, Vec<crate::credit::TransferRow>);

fn post(
    tx: &mut WriteTx,
    cause: &Cause,
    issued: &IssuedOrder,
    undone: &[Undone<'_>],
    taken: &mut TakeBack,
) -> Result<Booked, ChangeError> {
    let currency = Currency::parse(&issued.order.currency)?;
    let zero = Money::zero(currency);
    let from_wallet = issued.order.tender()? == Some(Tender::Wallet);
    let mut exchanges: Vec<(PostingRow, Vec<(EntryRow, AccountRow)>)> = Vec::with_capacity(undone.len());
    let mut keys = taken.accounts();
    for one in undone {
        let journal = postings_about(tx.db, one.row.ticket_id)?;
        let posting = journal.into_iter().find(|posting| posting.event == Event::TicketExchange.text());
        let posting = posting.ok_or_else(|| DbError::Corrupt(format!("ticket {} has no exchange", one.new.number)))?;
        let entries = entries_of(tx.db, &posting)?;
        for (_, account) in &entries {
            keys.push(account.key()?);
        }
        let airline = AirlineId::of(issued.order.airline_id);
        keys.push(crate::credit::receivable_from(airline, currency));
        exchanges.push((posting, entries));
    }
    if from_wallet {
        keys.extend(client_accounts(currency));
    }
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    taken.read_holds(tx)?;
    let before = if from_wallet { Some((cover(tx.db, currency)?, taken.owed_from_client_cash()?.unwrap_or(zero))) } else { None };
    let mut to_wallet = zero;
    for (one, (posting, entries)) in undone.iter().zip(&exchanges) {
        let ticket = TicketId::of(one.row.ticket_id);
        let airline = AirlineId::of(issued.order.airline_id);
        let leg = taken.take(tx, &mut book, Taking { ticket, airline, reference: ticket.raw(), amount: one.difference })?;
        let legs = inverse(entries, airline, leg, currency)?;
        for leg in legs.iter().filter(|leg| leg.account.code == AccountCode::AgencyWallet) {
            to_wallet = to_wallet.checked_sub(leg.amount)?;
        }
        let contract = posting.contract_id.map(Id::of);
        let draft = Draft { event: Event::ExchangeVoid, reference: ticket.raw(), contract, actor: cause.actor, legs };
        book.post(tx, &draft)?;
    }
    let mut transfers = Vec::new();
    if let Some((cover, owed)) = before {
        let freed = owed.checked_sub(taken.owed_from_client_cash()?.unwrap_or(zero))?;
        let missing = to_wallet.checked_sub(cover)?.checked_sub(freed)?;
        if missing.minor > 0 {
            let ticket = undone.first().map(|one| TicketId::of(one.row.ticket_id));
            transfers.push(top_up_client_cash(tx, &mut book, cause.actor, missing, ticket)?);
        }
    }
    Ok((book, transfers))
}

/// Every leg of the exchange with the other sign; of the airline's only the difference, as far as it was or may be paid from what it has to give back.
fn inverse(
    entries: &[(EntryRow, AccountRow)],
    airline: AirlineId,
    leg: AirlineLeg,
    currency: Currency,
) -> Result<Vec<Leg>, ChangeError> {
    let mut legs = Vec::with_capacity(entries.len());
    for (entry, account) in entries {
        let key = account.key()?;
        if matches!(key.code, AccountCode::AirlinePayable | AccountCode::AirlineReceivable) {
            continue;
        }
        let amount = Money::new(entry.amount_minor, currency).checked_neg()?;
        legs.push(Leg { account: key, amount, cycle: entry.cycle.clone() });
    }
    legs.push(Leg::debit(AccountKey::airline(AccountCode::AirlinePayable, airline, currency), leg.unpaid));
    legs.push(Leg::debit(crate::credit::receivable_from(airline, currency), leg.to_give_back));
    Ok(legs)
}
