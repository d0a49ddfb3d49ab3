//! What airlines that are not paid at once are due by now.

use super::due::airline_due;
use crate::agencies::{Agency, Contract, agency, contract};
use crate::catalogue::calendar::Calendar;
use crate::credit::unordered_advances;
use crate::db::schema::ticket;
use crate::db::{Db, DbError};
use crate::ids::{AdvanceId, ContractId, Id};
use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::prelude::*;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A page of the advances that wait for their day.
#[derive(Clone, Debug)]
pub struct DueAdvances {
    /// Those whose day has come.
    pub due: Vec<AdvanceId>,
    /// Where the next page begins; none after the last one.
    pub last: Option<AdvanceId>,
}

/// The next so many advances that were not ordered, and which of them are due on a day.
pub fn due_to_airlines(
    db: &mut Db,
    calendar: &Calendar,
    zone: Tz,
    today: NaiveDate,
    (after, limit): (AdvanceId, i64),
) -> Result<DueAdvances, DbError> {
    let waiting = unordered_advances(db, after, limit)?;
    let tickets: Vec<i64> = waiting.iter().map(|one| one.ticket.raw()).collect();
    let columns = (ticket::id, ticket::contract_id, ticket::issue_date);
    let sold: Vec<(i64, i64, NaiveDate)> = ticket::table.filter(ticket::id.eq_any(tickets)).select(columns).load(db)?;
    let sold: HashMap<i64, (i64, NaiveDate)> = sold.into_iter().map(|(id, contract, issued)| (id, (contract, issued))).collect();
    let mut terms = Terms::default();
    let mut due = Vec::new();
    for one in &waiting {
        let corrupt = || DbError::Corrupt(format!("the ticket of advance {}", one.id));
        let (contract, issued_on) = sold.get(&one.ticket.raw()).copied().ok_or_else(corrupt)?;
        let (contract, agency) = terms.of(db, ContractId::of(contract))?;
        let day = airline_due(calendar, &agency.country, &contract.payment, one.sold_at.date_in(zone), issued_on);
        if day <= today {
            due.push(one.id);
        }
    }
    Ok(DueAdvances { due, last: waiting.last().map(|one| one.id) })
}

/// Contracts that were read before, with their agencies.
#[derive(Default)]
struct Terms(HashMap<ContractId, (Contract, Agency)>);

impl Terms {
    fn of(&mut self, db: &mut Db, id: ContractId) -> Result<&(Contract, Agency), DbError> {
        match self.0.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let corrupt = || DbError::Corrupt(format!("there is no contract {id}"));
                let contract = contract(db, id)?.ok_or_else(corrupt)?;
                let agency = agency(db, contract.agency)?.ok_or_else(corrupt)?;
                Ok(new.insert((contract, agency)))
            }
        }
    }
}
