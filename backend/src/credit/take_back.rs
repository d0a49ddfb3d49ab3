//! The airline's share of a voided ticket: not paid any more, or claimed back. What is certain not to be paid debits `airline.payable`; what is
//! or may be paid debits `airline.receivable`.

use super::advance::{
    Advance, AdvanceError, AdvanceEvent, AdvanceState, count_down, holds_of, lock_slices, locked, resolve_hold, write_back,
};
use super::claim::open_claims_for;
use crate::db::schema::advance;
use crate::db::{DbError, WriteTx};
use crate::ids::{AdvanceId, AirlineId, Id, TicketId};
use crate::ledger::{AccountKey, Book, HoldRow, PostError, Resolution};
use crate::money::{Money, MoneyError};
use crate::notify::{PAY_ADVANCE, done_about, emit_all};
use diesel::prelude::*;

/// The advances of tickets that are being voided, under lock.
pub struct TakeBack {
    slices: Vec<i64>,
    advances: Vec<Advance>,
    holds: Vec<HoldRow>,
    /// What airlines were certainly paid, to be claimed.
    certain: Vec<(TicketId, AirlineId, Money)>,
    /// Advances that this cancels.
    over: Vec<AdvanceId>,
}

/// How the airline leg of a void is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AirlineLeg {
    /// Never to be paid: debits `airline.payable`.
    pub unpaid: Money,
    /// Paid, set off, or on its way: debits `airline.receivable`.
    pub to_give_back: Money,
}

/// The facility slices of these tickets' advances, locked: the first of a void's locks after the agency.
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

impl TakeBack {
    /// Locks the advances.
    pub fn lock(tx: &mut WriteTx, slices: LockedSlices) -> Result<Self, DbError> {
        let advances = locked(tx, &slices.advances)?;
        Ok(TakeBack { slices: slices.slices, advances, holds: Vec::new(), certain: Vec::new(), over: Vec::new() })
    }

    /// The accounts that `take` touches beside those of the sale.
    pub fn accounts(&self) -> Vec<AccountKey> {
        self.advances.iter().flat_map(|one| [one.payer_account(), one.payable_account(), one.receivable_account()]).collect()
    }

    /// What wallet tickets among them still owe their airlines: client cash covers it.
    pub fn owed_from_client_cash(&self) -> Result<Option<Money>, MoneyError> {
        let mut owed: Option<Money> = None;
        for one in self.advances.iter().filter(|one| one.facility.is_none() && one.is_unresolved()) {
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

    /// Takes back the whole share of one ticket; a ticket whose airline was owed nothing has no advance and no leg.
    pub fn take(&mut self, tx: &mut WriteTx, book: &mut Book, ticket: TicketId) -> Result<Option<AirlineLeg>, PostError> {
        let Some(advance) = self.advances.iter_mut().find(|one| one.ticket == ticket) else { return Ok(None) };
        let open = advance.outstanding();
        let zero = Money::zero(open.currency);
        let share = advance.amount.checked_sub(advance.cancelled)?;
        let certain = match advance.state {
            AdvanceState::Held | AdvanceState::Failed => {
                resolve_hold(tx, book, &self.holds, advance, Resolution::Release(open))?;
                advance.cancelled = advance.cancelled.checked_add(open)?;
                advance.moves(AdvanceEvent::Cancel);
                advance.resolved_at = Some(tx.now);
                self.over.push(advance.id);
                advance.set_off
            }
            AdvanceState::Sent | AdvanceState::Unknown => {
                advance.reclaimed = open;
                advance.set_off
            }
            AdvanceState::Confirmed | AdvanceState::SetOff => share,
            AdvanceState::Cancelled => zero,
        };
        if certain.minor > 0 {
            self.certain.push((advance.ticket, advance.airline, certain));
        }
        let unpaid = if advance.state == AdvanceState::Cancelled { share.checked_sub(advance.set_off)? } else { zero };
        Ok(Some(AirlineLeg { unpaid, to_give_back: share.checked_sub(unpaid)? }))
    }

    /// Writes the advances, the counters, the messages and the claims.
    pub fn write(self, tx: &mut WriteTx) -> Result<(), AdvanceError> {
        let over: Vec<&Advance> = self.advances.iter().filter(|one| self.over.contains(&one.id)).collect();
        count_down(tx, &self.slices, &over)?;
        write_back(tx, self.advances.iter())?;
        let subjects: Vec<i64> = over.iter().map(|one| one.id.raw()).collect();
        done_about(tx, PAY_ADVANCE, &subjects)?;
        let events = over.iter().filter_map(|one| one.event()).collect();
        emit_all(tx, events)?;
        open_claims_for(tx, &self.certain)?;
        Ok(())
    }
}
