//! What the bank is told and what it says, as the job that talks to it would book it.

use crate::world::World;
use airsettle::audit::Actor;
use airsettle::clock::Timestamp;
use airsettle::credit::{
    Advance, AdvanceError, BankOutcome, BankSaid, advance, advance_of_ticket, record_outcomes, reopen_facility, start_sending,
};
use airsettle::db::schema::advance as advance_table;
use airsettle::ids::{AdvanceId, FacilityId, Id, TicketId};
use airsettle::money::Money;
use airsettle::notify;
use airsettle::ticketing::IssuedOrder;
use diesel::prelude::*;

impl World {
    /// The advance of an order's first ticket.
    pub fn advance_of(&self, order: &IssuedOrder) -> Advance {
        let ticket = TicketId::of(order.tickets[0].id);
        self.read(|db| advance_of_ticket(db, ticket)).unwrap()
    }

    pub fn advance_now(&self, known: &Advance) -> Advance {
        self.read(|db| advance(db, known.id)).unwrap()
    }

    /// Every advance, oldest first.
    pub fn advances(&self) -> Vec<Advance> {
        let ids: Vec<i64> =
            self.read(|db| Ok(advance_table::table.order(advance_table::id).select(advance_table::id).load(db)?));
        ids.into_iter().map(|id| self.read(|db| advance(db, AdvanceId::of(id))).unwrap()).collect()
    }

    /// Marks the attempt as sent; answers what may go to the bank.
    pub fn sends(&self, known: &Advance) -> Option<Advance> {
        self.write(|tx| Ok(start_sending(tx, &[known.id])?)).pop()
    }

    /// Books what the bank said, and closes the messages of what it has paid, as the sender does.
    pub fn bank_says(&self, outcomes: &[BankOutcome]) -> Vec<Advance> {
        self.write(|tx| {
            let confirmed = record_outcomes(tx, Actor::platform(), outcomes)?;
            let subjects: Vec<i64> = confirmed.iter().map(|advance| advance.id.raw()).collect();
            notify::done_about(tx, notify::PAY_ADVANCE, &subjects)?;
            Ok(confirmed)
        })
    }

    pub fn reopens_line(&self) -> Result<(), AdvanceError> {
        self.reopens(self.facility)
    }

    pub fn reopens(&self, line: FacilityId) -> Result<(), AdvanceError> {
        self.store.write(|tx| Ok(reopen_facility(tx, line).map(drop)?))
    }
}

pub fn said(advance: &Advance, said: BankSaid) -> BankOutcome {
    BankOutcome { advance: advance.id, attempt: advance.attempt, said }
}

pub fn settled(advance: &Advance) -> BankOutcome {
    settled_at(advance, advance.amount)
}

pub fn settled_at(advance: &Advance, amount: Money) -> BankOutcome {
    let credited_at = Timestamp::from(chrono::Utc::now());
    said(advance, BankSaid::Settled { amount, credited_at, bank_reference: format!("B-{}", advance.id) })
}

pub fn accepted(advance: &Advance) -> BankOutcome {
    said(advance, BankSaid::Accepted)
}

pub fn refused(advance: &Advance) -> BankOutcome {
    said(advance, BankSaid::Refused { reason: "account blocked".into() })
}

pub fn silence(advance: &Advance) -> BankOutcome {
    said(advance, BankSaid::Nothing { reason: "time-out".into() })
}
