//! What is taken back of an airline's share when its ticket is voided, refunded or exchanged: not paid any more, or claimed back. What is certain not to be
//! paid debits `airline.payable`; what is or may be paid debits `airline.receivable`.
//!
//! A share is taken back in any number of parts, each by one business event and with one row. What was not paid yet is taken first, so a hold is
//! reduced before anything is claimed. At any time, paid + set off + cancelled = the share, and the parts = cancelled + reclaimed + claims.

use super::advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceState, Funding, count_down, holds_of, lock_slices, locked, resolve_hold,
    write_back,
};
use super::claim::open_claims_for;
use crate::db::schema::{advance, airline_take_back};
use crate::db::{Change, Db, DbError, RowSet, WriteTx, insert, rows, update};
use crate::ids::{AdvanceId, AirlineId, FacilityId, Id, TicketId};
use crate::ledger::{AccountCode, AccountKey, Book, HoldRow, PostError, Resolution};
use crate::money::{Currency, Money, MoneyError};
use crate::notify::{PAY_ADVANCE, done_about, emit_all};
use chrono::NaiveDateTime;
use diesel::prelude::*;

rows! {
    /// One part of a share that was taken back.
    pub struct TakeBackRow in airline_take_back {
        id: i64,
        ticket_id: i64,
        airline_id: i64,
        /// `None` where the airline had no share.
        advance_id: Option<i64>,
        /// The business event that took it back: a ticket for its void, else the refund or exchange. Once each.
        reference_id: i64,
        currency: String,
        amount_minor: i64,
        /// Of the amount, what is certain never to be paid.
        unpaid_minor: i64,
        /// Of the amount, what was on its way to the airline.
        on_its_way_minor: i64,
        /// Of the amount, what the airline gives back beyond its share.
        beyond_minor: i64,
        created_at: NaiveDateTime,
        /// When the bank's word about what was on its way came; at once where nothing was.
        resolved_at: Option<NaiveDateTime>,
    }
}

/// The advances of tickets whose airlines give something back, under lock.
pub struct TakeBack {
    slices: Vec<i64>,
    advances: Vec<Advance>,
    holds: Vec<HoldRow>,
    /// What was taken back before, and by this commit.
    before: Vec<TakeBackRow>,
    new: Vec<TakeBackRow>,
    /// What airlines were certainly paid, to be claimed.
    certain: Vec<(TicketId, AirlineId, Money)>,
    /// Advances that this cancels.
    over: Vec<AdvanceId>,
}

/// What one business event takes back of one ticket's airline leg.
#[derive(Clone, Copy, Debug)]
pub struct Taking {
    pub ticket: TicketId,
    pub airline: AirlineId,
    /// The event: a ticket for its void, else the refund or exchange.
    pub reference: i64,
    /// Not negative. What is more than is left of the share becomes a claim at once.
    pub amount: Money,
}

/// How an airline leg that is taken back is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AirlineLeg {
    /// Never to be paid: debits `airline.payable`.
    pub unpaid: Money,
    /// Paid, set off, or on its way: debits `airline.receivable`.
    pub to_give_back: Money,
}

/// What taking back a part means for the limits.
#[derive(Clone, Copy, Debug)]
pub struct Outlook {
    /// Of which line how much is not held any more, and whether the advance is over with it.
    pub released: Option<(FacilityId, Money, bool)>,
    /// What the airline certainly has, and gives back.
    pub certain: Money,
}

/// The facility slices of these tickets' advances, locked: the first of these locks after the agency.
pub struct LockedSlices {
    slices: Vec<i64>,
    advances: Vec<AdvanceId>,
}

pub fn lock_slices_of(tx: &mut WriteTx, tickets: &[TicketId]) -> Result<LockedSlices, DbError> {
    let raw: Vec<i64> = tickets.iter().map(|id| id.raw()).collect();
    let ids: Vec<i64> = advance::table.filter(advance::ticket_id.eq_any(raw)).select(advance::id).load(&mut *tx.db)?;
    let advances: Vec<AdvanceId> = ids.into_iter().map(AdvanceId::of).collect();
    Ok(LockedSlices { slices: lock_slices(tx, &advances)?, advances })
}

/// The parts of an airline leg by where they are.
struct Parts {
    /// Not paid yet: cancelled, or reclaimed where it is on its way.
    open: Money,
    /// Paid or set off.
    paid: Money,
    beyond: Money,
}

impl Parts {
    fn of(advance: &Advance, taken_before: Money, amount: Money) -> Result<Self, MoneyError> {
        let zero = Money::zero(amount.currency);
        let left = advance.amount.checked_sub(taken_before)?;
        let within = least(amount, left);
        let open = if advance.is_unresolved() { advance.outstanding().checked_sub(advance.reclaimed)? } else { zero };
        let open = least(within, open);
        Ok(Parts { open, paid: within.checked_sub(open)?, beyond: amount.checked_sub(within)? })
    }
}

fn least(one: Money, other: Money) -> Money {
    if one.minor <= other.minor { one } else { other }
}

impl TakeBack {
    /// Locks the advances, which guard what was taken back of them.
    pub fn lock(tx: &mut WriteTx, slices: LockedSlices) -> Result<Self, DbError> {
        let advances = locked(tx, &slices.advances)?;
        let tickets: Vec<TicketId> = advances.iter().map(|one| one.ticket).collect();
        let before = take_backs(tx.db, &tickets)?;
        Ok(TakeBack {
            slices: slices.slices,
            advances,
            holds: Vec::new(),
            before,
            new: Vec::new(),
            certain: Vec::new(),
            over: Vec::new(),
        })
    }

    /// The accounts that `take` touches beside those of the sale.
    pub fn accounts(&self) -> Vec<AccountKey> {
        self.advances.iter().flat_map(|one| [one.payer_account(), one.payable_account(), one.receivable_account()]).collect()
    }

    /// What wallet tickets among them still owe their airlines: client cash covers it.
    pub fn owed_from_client_cash(&self) -> Result<Option<Money>, MoneyError> {
        let mut owed: Option<Money> = None;
        for one in self.advances.iter().filter(|one| one.funding == Funding::Client && one.is_unresolved()) {
            owed = Some(match owed {
                Some(sum) => sum.checked_add(one.outstanding())?,
                None => one.outstanding(),
            });
        }
        Ok(owed)
    }

    /// After the accounts were locked.
    pub fn read_holds(&mut self, tx: &mut WriteTx) -> Result<(), DbError> {
        self.holds = holds_of(tx, &self.advances.iter().collect::<Vec<_>>())?;
        Ok(())
    }

    fn taken_within_share(&self, ticket: TicketId, currency: Currency) -> Result<Money, MoneyError> {
        let parts = self.before.iter().chain(&self.new).filter(|row| row.ticket_id == ticket.raw());
        Money::sum(currency, parts.map(|row| Money::new(row.amount_minor - row.beyond_minor, currency)))
    }

    /// Takes back what is left of one ticket's share, for its void; a ticket whose airline was owed nothing has no advance and no leg.
    pub fn take_rest(&mut self, tx: &mut WriteTx, book: &mut Book, ticket: TicketId) -> Result<Option<AirlineLeg>, PostError> {
        let Some(advance) = self.advances.iter().find(|one| one.ticket == ticket) else { return Ok(None) };
        let (airline, share) = (advance.airline, advance.amount);
        let amount = share.checked_sub(self.taken_within_share(ticket, share.currency)?)?;
        self.take(tx, book, Taking { ticket, airline, reference: ticket.raw(), amount }).map(Some)
    }

    /// What `take` would do with this part, for deciding before anything changes.
    pub fn outlook(&self, ticket: TicketId, amount: Money) -> Result<Outlook, MoneyError> {
        let zero = Money::zero(amount.currency);
        let before = self.taken_within_share(ticket, zero.currency)?;
        let Some(advance) = self.advances.iter().find(|one| one.ticket == ticket) else {
            return Ok(Outlook { released: None, certain: amount });
        };
        let parts = Parts::of(advance, before, amount)?;
        let certain = parts.paid.checked_add(parts.beyond)?;
        let on_its_way = matches!(advance.state, AdvanceState::Sent | AdvanceState::Unknown);
        let line = advance.facility.filter(|_| !on_its_way && parts.open.minor > 0);
        let released = line.map(|facility| (facility, parts.open, parts.open == advance.outstanding()));
        Ok(Outlook { released, certain })
    }

    /// Takes back a part of one ticket's share. At most once for each advance in a commit.
    pub fn take(&mut self, tx: &mut WriteTx, book: &mut Book, taking: Taking) -> Result<AirlineLeg, PostError> {
        let zero = Money::zero(taking.amount.currency);
        if taking.amount.minor == 0 {
            return Ok(AirlineLeg { unpaid: zero, to_give_back: zero });
        }
        let before = self.taken_within_share(taking.ticket, zero.currency)?;
        let (mut parts, mut unpaid, mut on_its_way) = (Parts { open: zero, paid: zero, beyond: taking.amount }, zero, zero);
        let advance = self.advances.iter_mut().find(|one| one.ticket == taking.ticket);
        let advance_id = advance.as_ref().map(|one| one.id.raw());
        if let Some(advance) = advance {
            parts = Parts::of(advance, before, taking.amount)?;
            match advance.state {
                AdvanceState::Sent | AdvanceState::Unknown => {
                    on_its_way = parts.open;
                    advance.reclaimed = advance.reclaimed.checked_add(on_its_way)?;
                }
                _ if parts.open.minor > 0 => {
                    unpaid = parts.open;
                    resolve_hold(tx, book, &self.holds, advance, Resolution::Release(unpaid))?;
                    advance.cancelled = advance.cancelled.checked_add(unpaid)?;
                    if advance.outstanding().minor == 0 && advance.moves(AdvanceEvent::Cancel) {
                        advance.resolved_at = Some(tx.now);
                        self.over.push(advance.id);
                    }
                }
                _ => {}
            }
        }
        let certain = parts.paid.checked_add(parts.beyond)?;
        if certain.minor > 0 {
            self.certain.push((taking.ticket, taking.airline, certain));
        }
        self.new.push(TakeBackRow {
            id: tx.ids.block(1),
            ticket_id: taking.ticket.raw(),
            airline_id: taking.airline.raw(),
            advance_id,
            reference_id: taking.reference,
            currency: zero.currency.code().to_owned(),
            amount_minor: taking.amount.minor,
            unpaid_minor: unpaid.minor,
            on_its_way_minor: on_its_way.minor,
            beyond_minor: parts.beyond.minor,
            created_at: tx.now.naive(),
            resolved_at: (on_its_way.minor == 0).then(|| tx.now.naive()),
        });
        Ok(AirlineLeg { unpaid, to_give_back: taking.amount.checked_sub(unpaid)? })
    }

    /// Writes the advances, the counters, the messages, the parts and the claims.
    pub fn write(self, tx: &mut WriteTx) -> Result<(), AdvanceError> {
        let over: Vec<&Advance> = self.advances.iter().filter(|one| self.over.contains(&one.id)).collect();
        count_down(tx, &self.slices, &over)?;
        write_back(tx, self.advances.iter())?;
        let subjects: Vec<i64> = over.iter().map(|one| one.id.raw()).collect();
        done_about(tx, PAY_ADVANCE, &subjects)?;
        let events = over.iter().filter_map(|one| one.event()).collect();
        emit_all(tx, events)?;
        insert(tx, &[RowSet::of(&self.new)])?;
        open_claims_for(tx, &self.certain)?;
        Ok(())
    }
}

/// The account that what is claimed from an airline stands on.
pub fn receivable_from(airline: AirlineId, currency: Currency) -> AccountKey {
    AccountKey::airline(AccountCode::AirlineReceivable, airline, currency)
}

/// The parts of these tickets' shares that were taken back, in that order.
pub fn take_backs(db: &mut Db, tickets: &[TicketId]) -> Result<Vec<TakeBackRow>, DbError> {
    let raw: Vec<i64> = tickets.iter().map(|id| id.raw()).collect();
    let of_tickets = airline_take_back::table.filter(airline_take_back::ticket_id.eq_any(raw));
    Ok(of_tickets.order(airline_take_back::id).select(TakeBackRow::as_select()).load(db)?)
}

/// Parts of these advances that are on their way, in that order.
pub(super) fn on_their_way(db: &mut Db, advances: &[AdvanceId]) -> Result<Vec<TakeBackRow>, DbError> {
    let raw: Vec<i64> = advances.iter().map(|id| id.raw()).collect();
    let of_advances = airline_take_back::table.filter(airline_take_back::advance_id.eq_any(raw));
    let open = of_advances.filter(airline_take_back::resolved_at.is_null()).order(airline_take_back::id);
    Ok(open.select(TakeBackRow::as_select()).load(db)?)
}

/// The bank's word about them has come.
pub(super) fn resolve_parts(tx: &mut WriteTx, parts: &[TakeBackRow]) -> Result<(), DbError> {
    let now = Some(tx.now.naive());
    let changes: Vec<Change> = parts.iter().map(|part| Change { id: part.id, values: vec![now.into()] }).collect();
    update(tx, "airline_take_back", &["resolved_at"], &changes).map(drop)
}
