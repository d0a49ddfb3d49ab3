//! The void of an order: every ticket of it is taken back as if it had never been sold, with the exact inverse of its sale. Quoted, then confirmed.
//!
//! Protocol of a confirmation: agency, facility slices, seat buckets, advances and accounts are locked in this order, everything is checked
//! under these locks, then everything changes. The airline's leg depends on whether it was or may be paid (`credit::TakeBack`). Confirmed twice, an order
//! is voided once.

use super::coupon::{CouponSide, CouponStatus, first_unmovable};
use super::coupon_history::settle_coupons;
use super::journey::moment_at;
use super::release::cancel_held;
use super::seats::{give_back_seats, lock_seats};
use super::ticket::{CouponRow, IssuedOrder, issued_orders};
use crate::agencies::{Agency, agency};
use crate::audit::{self, Cause};
use crate::catalogue::{CarrierCode, Catalogue};
use crate::clock::Timestamp;
use crate::credit::{
    AdvanceError, AirlineLeg, TakeBack, TransferError, client_accounts, cover, lock_slices_of, top_up_client_cash,
};
use crate::db::schema::order_cancellation;
use crate::db::{Change, Contended, Db, DbError, RowSet, Window, WriteTx, insert, lock, rows, update, windowed};
use crate::ids::{AgencyId, AirlineId, CancellationId, Id, OrderId, TicketId};
use crate::ledger::{
    AccountCode, AccountKey, AccountRow, Book, Draft, EntryRow, Event, Leg, PostError, PostingRow, entries_of, open_accounts,
    postings_about,
};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{EventType, NewEvent, emit, emit_all};
use crate::ordering::{HeldEnd, HeldMove, HeldRefusal, OrderRow, Tender, order};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

rows! {
    /// A quote; from `confirmed_at` on a cancellation.
    pub struct CancellationRow in order_cancellation {
        id: i64,
        order_id: i64,
        agency_id: i64,
        refund_minor: i64,
        currency: String,
        expires_at: NaiveDateTime,
        created_at: NaiveDateTime,
        confirmed_at: Option<NaiveDateTime>,
        /// Of a cancellation that is a refund of the whole order; none: a void.
        application_id: Option<i64>,
    }
}

#[derive(Debug, thiserror::Error)]
pub enum VoidError {
    #[error("there is no such order or cancellation")]
    NotFound,
    #[error("the order was cancelled at {}", Timestamp::from(*.at))]
    AlreadyCancelled { at: NaiveDateTime },
    #[error(transparent)]
    Held(#[from] HeldRefusal),
    #[error("the void window closed at {ended}")]
    WindowClosed { ended: Timestamp },
    #[error("coupon {coupon} of ticket {ticket} has status {status}; only open coupons are voided")]
    CouponNotOpen { ticket: String, coupon: i64, status: String },
    /// The wallet is to be credited before the airline gives the money back, and the platform's own money does not cover it now.
    #[error("the airline was paid, and own money is short of {short} until it gives the money back")]
    AirlineFundsAwaited { short: Money },
    #[error(transparent)]
    Advance(#[from] AdvanceError),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<TransferError> for VoidError {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::OwnCashShort { short } => VoidError::AirlineFundsAwaited { short },
            TransferError::Money(error) => error.into(),
            TransferError::Post(error) => error.into(),
            TransferError::Db(error) => error.into(),
            other => DbError::Corrupt(other.to_string()).into(),
        }
    }
}

/// Until when an order of this seller can be voided; `None` where no rule is filed.
pub fn void_window_ends_at(catalogue: &Catalogue, seller: &Agency, issued: &IssuedOrder) -> Option<Timestamp> {
    let ticket = issued.tickets.first()?;
    let coupon = issued.coupons.iter().min_by_key(|one| one.departing_at)?;
    window_ends_at(catalogue, seller, ticket.issue_date, coupon)
}

/// The same for tickets of one day whose first flight is this coupon's.
pub(super) fn window_ends_at(
    catalogue: &Catalogue,
    seller: &Agency,
    issue_date: NaiveDate,
    first: &CouponRow,
) -> Option<Timestamp> {
    let window = catalogue.voids.of(&seller.country, CarrierCode::parse(&first.carrier)?, issue_date)?;
    let departs = moment_at(catalogue, &first.origin, first.departing_at);
    Some(window.ends_at(&catalogue.calendar, issue_date, (seller.country.as_str(), seller.zone), departs))
}

/// Until when a ticket that was sold can be voided; `None` where no rule is filed.
pub(super) fn window_of(db: &mut Db, catalogue: &Catalogue, of: TicketId) -> Result<Option<Timestamp>, VoidError> {
    use crate::db::schema::ticket;
    let order: Option<i64> = ticket::table.find(of.raw()).select(ticket::order_id).first(db).optional().map_err(DbError::from)?;
    let issued = issued_of(db, OrderId::of(order.ok_or(VoidError::NotFound)?))?;
    let seller = agency(db, AgencyId::of(issued.order.agency_id))?;
    // A ticket that came of an exchange has a day of issue of its own.
    let own = issued.tickets.iter().find(|ticket| ticket.id == of.raw());
    let coupons = issued.coupons.iter().filter(|coupon| coupon.ticket_id == of.raw());
    let first = coupons.min_by_key(|coupon| coupon.departing_at);
    let Some(((seller, own), first)) = seller.zip(own).zip(first) else { return Ok(None) };
    Ok(window_ends_at(catalogue, &seller, own.issue_date, first))
}

/// Whether the order can be voided now; answers until when.
pub fn check_voidable(db: &mut Db, catalogue: &Catalogue, issued: &IssuedOrder, now: Timestamp) -> Result<Timestamp, VoidError> {
    if let Some(at) = issued.order.cancelled_at {
        return Err(VoidError::AlreadyCancelled { at });
    }
    if let Some((coupon, _)) = first_unmovable(&issued.coupons, CouponSide::Platform, CouponStatus::Void)? {
        return Err(VoidError::CouponNotOpen {
            ticket: issued.number_of(coupon).to_owned(),
            coupon: coupon.number_on_document(),
            status: coupon.status.clone(),
        });
    }
    let seller = agency(db, AgencyId::of(issued.order.agency_id))?;
    let seller = seller.ok_or_else(|| DbError::Corrupt(format!("order {} has no agency", issued.order.id)))?;
    let ends_at = void_window_ends_at(catalogue, &seller, issued).unwrap_or(Timestamp::from(issued.order.created_at));
    if now >= ends_at { Err(VoidError::WindowClosed { ended: ends_at }) } else { Ok(ends_at) }
}

fn issued_of(db: &mut Db, id: OrderId) -> Result<IssuedOrder, VoidError> {
    let rows = order(db, id)?.into_iter().collect();
    issued_orders(db, rows)?.pop().ok_or(VoidError::NotFound)
}

/// Whether the order can still be cancelled as one that was not paid; answers until when, or `None` where it has tickets to be voided.
pub fn check_releasable(issued: &IssuedOrder, now: Timestamp) -> Result<Option<Timestamp>, VoidError> {
    let Some(held) = issued.held.as_ref().filter(|_| issued.order.issued_at.is_none()) else { return Ok(None) };
    if let Some(at) = issued.order.cancelled_at {
        return Err(VoidError::AlreadyCancelled { at });
    }
    match held.on(HeldEnd::Cancelled, now) {
        HeldMove::Refused(refusal) => Err(refusal.into()),
        HeldMove::Applied(_) | HeldMove::AlreadyApplied => Ok(Some(held.terms.payment_required_by)),
    }
}

/// What a void would give back, and until when it can be confirmed; for an order that is held and not paid, nothing until it has to be paid. Nothing
/// is reserved.
pub fn quote_void(tx: &mut WriteTx, catalogue: &Catalogue, cause: &Cause, id: OrderId) -> Result<CancellationRow, VoidError> {
    let issued = issued_of(tx.db, id)?;
    let (expires_at, refund_minor) = match check_releasable(&issued, tx.now)? {
        Some(payment_required_by) => (payment_required_by, 0),
        None => (check_voidable(tx.db, catalogue, &issued, tx.now)?, issued.order.total_minor),
    };
    let quote = CancellationRow {
        id: tx.ids.next::<CancellationId>().raw(),
        order_id: issued.order.id,
        agency_id: issued.order.agency_id,
        refund_minor,
        currency: issued.order.currency.clone(),
        expires_at: expires_at.naive(),
        created_at: tx.now.naive(),
        confirmed_at: None,
        application_id: None,
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&quote))])?;
    audit::record(tx, cause, "order.quote_void", CancellationId::of(quote.id))?;
    emit(tx, about(EventType::OrderCancellationCreated, cause, &quote))?;
    Ok(quote)
}

/// Voids the order of a quote, or gives back the seats of one that is held. A quote that was confirmed before is answered as it is.
pub fn confirm_void(
    tx: &mut WriteTx,
    catalogue: &Catalogue,
    cause: &Cause,
    id: CancellationId,
) -> Result<CancellationRow, VoidError> {
    let known = cancellation(tx.db, id)?.ok_or(VoidError::NotFound)?;
    lock(tx, Contended::Agency, &[known.agency_id])?;
    // Again, now that the agency is locked: two confirmations at once meet here.
    let quote = cancellation(tx.db, id)?.ok_or(VoidError::NotFound)?;
    if quote.confirmed_at.is_some() {
        return Ok(quote);
    }
    let issued = issued_of(tx.db, OrderId::of(quote.order_id))?;
    if issued.held.is_some() && issued.order.issued_at.is_some_and(|at| quote.created_at < at) {
        // It was quoted as an order that is not paid, which gives back nothing.
        return Err(HeldRefusal::AlreadyPaid.into());
    }
    if check_releasable(&issued, tx.now)?.is_some() {
        return Ok(cancel_held(tx, cause, OrderId::of(quote.order_id), quote)?);
    }
    let tickets: Vec<TicketId> = issued.tickets.iter().map(|ticket| TicketId::of(ticket.id)).collect();
    let slices = lock_slices_of(tx, &tickets)?;
    let seats = lock_seats(tx, &issued.coupons.iter().collect::<Vec<_>>())?;
    let mut taken = TakeBack::lock(tx, slices)?;
    check_voidable(tx.db, catalogue, &issued, tx.now)?;
    let book = post(tx, cause, &issued, &mut taken)?;
    // From here on the void must succeed.
    write(tx, cause, &book, taken, &issued, &seats)?;
    let confirmed = CancellationRow { confirmed_at: Some(tx.now.naive()), ..quote };
    let change = Change { id: confirmed.id, values: vec![confirmed.confirmed_at.into()] };
    update(tx, "order_cancellation", &["confirmed_at"], &[change])?;
    audit::record(tx, cause, "order.void", OrderId::of(issued.order.id))?;
    tell(tx, cause, &issued, &confirmed)?;
    Ok(confirmed)
}

/// A quote concerns its agency alone.
pub(super) fn about(kind: EventType, cause: &Cause, quote: &CancellationRow) -> NewEvent {
    let event = NewEvent::new(kind, CancellationId::of(quote.id)).of_agency(AgencyId::of(quote.agency_id));
    event.naming("order_id", OrderId::of(quote.order_id)).caused_by(&cause.request_id)
}

fn tell(tx: &mut WriteTx, cause: &Cause, issued: &IssuedOrder, confirmed: &CancellationRow) -> Result<(), DbError> {
    let airline = AirlineId::of(issued.order.airline_id);
    let mut events = vec![about(EventType::OrderCancellationConfirmed, cause, confirmed).of_airline(airline)];
    events.extend(issued.tickets.iter().map(|ticket| {
        let voided = NewEvent::new(EventType::TicketVoided, TicketId::of(ticket.id)).of_airline(airline);
        let voided = voided.of_agency(AgencyId::of(ticket.agency_id)).naming("order_id", OrderId::of(ticket.order_id));
        voided.caused_by(&cause.request_id)
    }));
    emit_all(tx, events)
}

/// What the void adds beside the changed rows.
struct Booked {
    book: Book,
    transfers: Vec<crate::credit::TransferRow>,
}

/// The sale of a ticket as it was booked.
type Sale = (TicketId, PostingRow, Vec<(EntryRow, AccountRow)>);

fn sales(db: &mut Db, issued: &IssuedOrder) -> Result<Vec<Sale>, DbError> {
    let mut found = Vec::with_capacity(issued.tickets.len());
    for ticket in &issued.tickets {
        let journal = postings_about(db, ticket.id)?;
        let sale = journal.into_iter().find(|posting| posting.event == Event::TicketSale.text());
        let sale = sale.ok_or_else(|| DbError::Corrupt(format!("ticket {} has no sale", ticket.number)))?;
        let entries = entries_of(db, &sale)?;
        found.push((TicketId::of(ticket.id), sale, entries));
    }
    Ok(found)
}

fn post(tx: &mut WriteTx, cause: &Cause, issued: &IssuedOrder, taken: &mut TakeBack) -> Result<Booked, VoidError> {
    let currency = Currency::parse(&issued.order.currency)?;
    let from_wallet = issued.order.tender()? == Some(Tender::Wallet);
    let sales = sales(tx.db, issued)?;
    let mut keys = taken.accounts();
    for (_, account) in sales.iter().flat_map(|(_, _, entries)| entries) {
        keys.push(account.key()?);
    }
    if from_wallet {
        keys.extend(client_accounts(currency));
    }
    let ids = open_accounts(tx, &keys)?;
    let mut book = Book::new();
    book.load(tx, &ids)?;
    taken.read_holds(tx)?;
    let before = if from_wallet { Some((cover(tx.db, currency)?, taken.owed_from_client_cash()?)) } else { None };
    let mut given_back = Money::zero(currency);
    for (ticket, sale, entries) in &sales {
        let airline = taken.take_rest(tx, &mut book, *ticket)?;
        let legs = inverse(entries, airline, currency)?;
        for leg in legs.iter().filter(|leg| leg.account.code == AccountCode::AgencyWallet) {
            given_back = given_back.checked_sub(leg.amount)?;
        }
        let contract = sale.contract_id.map(Id::of);
        let draft = Draft { event: Event::TicketVoid, reference: ticket.raw(), contract, actor: cause.actor, legs };
        book.post(tx, &draft)?;
    }
    let mut transfers = Vec::new();
    if let Some((cover, owed)) = before {
        let zero = Money::zero(currency);
        let still_owed = taken.owed_from_client_cash()?.unwrap_or(zero);
        let freed = owed.unwrap_or(zero).checked_sub(still_owed)?;
        let missing = cover.checked_sub(given_back)?.checked_add(freed)?.checked_neg()?;
        if missing.minor > 0 {
            let ticket = sales.first().map(|(ticket, _, _)| *ticket);
            transfers.push(top_up_client_cash(tx, &mut book, cause.actor, missing, ticket)?);
        }
    }
    Ok(Booked { book, transfers })
}

/// Every leg of the sale with the other sign; the airline's as far as it was or may be paid from what it has to give back.
fn inverse(entries: &[(EntryRow, AccountRow)], airline: Option<AirlineLeg>, currency: Currency) -> Result<Vec<Leg>, VoidError> {
    let mut legs = Vec::with_capacity(entries.len() + 1);
    for (entry, account) in entries {
        let key = account.key()?;
        let amount = Money::new(entry.amount_minor, currency).checked_neg()?;
        let split = airline.filter(|_| key.code == AccountCode::AirlinePayable);
        match split {
            Some(split) if split.unpaid.checked_add(split.to_give_back)? == amount => {
                let receivable = AccountKey { code: AccountCode::AirlineReceivable, ..key.clone() };
                legs.push(Leg::debit(key, split.unpaid));
                legs.push(Leg::debit(receivable, split.to_give_back));
            }
            Some(_) => return Err(DbError::Corrupt(format!("the advance of posting {} differs", entry.posting_id)).into()),
            None => legs.push(Leg { account: key, amount, cycle: entry.cycle.clone() }),
        }
    }
    Ok(legs)
}

fn write(
    tx: &mut WriteTx,
    cause: &Cause,
    booked: &Booked,
    taken: TakeBack,
    issued: &IssuedOrder,
    seats: &[Change],
) -> Result<(), VoidError> {
    let mut sets = booked.book.new_rows().into_iter().collect::<Vec<_>>();
    sets.push(RowSet::of(&booked.transfers));
    insert(tx, &sets)?;
    booked.book.finish(tx)?;
    taken.write(tx)?;
    give_back_seats(tx, seats)?;
    settle_coupons(tx, cause, &issued.coupons, CouponStatus::Void)?;
    let cancelled = Change { id: issued.order.id, values: vec![Some(tx.now.naive()).into()] };
    update(tx, "air_order", &["cancelled_at"], &[cancelled])?;
    Ok(())
}

pub fn cancellation(db: &mut Db, id: CancellationId) -> Result<Option<CancellationRow>, DbError> {
    let row = order_cancellation::table.find(id.raw()).select(CancellationRow::as_select());
    Ok(row.first(db).optional()?)
}

/// The confirmed cancellation of an order: its void, or the refund of all that was left of it.
pub fn cancellation_of(db: &mut Db, order: &OrderRow) -> Result<Option<CancellationRow>, DbError> {
    let of_order = order_cancellation::table.filter(order_cancellation::order_id.eq(order.id));
    let confirmed = of_order.filter(order_cancellation::confirmed_at.is_not_null());
    Ok(confirmed.select(CancellationRow::as_select()).first(db).optional()?)
}

/// Of these agencies, or of all; of one order, or of any; newest first.
pub fn cancellations(
    db: &mut Db,
    agencies: Option<&[AgencyId]>,
    order: Option<OrderId>,
    window: Window,
    limit: i64,
) -> Result<Vec<CancellationRow>, DbError> {
    let mut query = windowed!(order_cancellation::table.into_boxed(), order_cancellation::id, window, limit);
    if let Some(agencies) = agencies {
        query = query.filter(order_cancellation::agency_id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    if let Some(order) = order {
        query = query.filter(order_cancellation::order_id.eq(order.raw()));
    }
    Ok(query.select(CancellationRow::as_select()).load(db)?)
}
