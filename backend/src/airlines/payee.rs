//! Where an airline is paid. Two people agree to a new account; payments that have left keep the one that they were sent to, whatever comes after.

use super::airline::{Airline, airline, airlines};
use crate::approvals::{ChangeKind, Proposal};
use crate::audit::{self, Cause};
use crate::db::schema::{airline as party, payee_change as table};
use crate::db::{Db, DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{AirlineId, ApprovalId, Id, PayeeChangeId};
use crate::notify::{EventType, NewEvent, emit};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

rows! {
    pub struct PayeeChangeRow in payee_change {
        id: i64,
        airline_id: i64,
        former_account: String,
        former_name: String,
        payee_account: String,
        payee_name: String,
        approval_id: i64,
        changed_at: NaiveDateTime,
    }
}

/// An account at an airline's bank, and its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payee {
    pub account: String,
    pub name: String,
}

#[derive(Debug, thiserror::Error)]
pub enum PayeeError {
    #[error("{1}")]
    Field(&'static str, String),
    #[error("the airline is paid there already")]
    Same,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// What two people agree on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangePayee {
    pub airline_id: String,
    pub payee_account: String,
    pub payee_name: String,
}

/// As what `POST /v1/airlines` takes, whatever the way in.
const LONGEST_ACCOUNT: usize = 64;
const LONGEST_NAME: usize = 140;

impl ChangePayee {
    /// Changes of one airline come one after another: what asks for them is locked by its subject.
    fn read(&self, tx: &mut WriteTx) -> Result<(Airline, Payee), PayeeError> {
        let id = AirlineId::parse(&self.airline_id).map_err(|error| PayeeError::Field("airline_id", error.to_string()))?;
        let text = |field: &'static str, given: &str, longest: usize| {
            let kept = given.trim();
            let fits = !kept.is_empty() && kept.chars().count() <= longest && !kept.chars().any(char::is_control);
            fits.then(|| kept.to_owned())
                .ok_or_else(|| PayeeError::Field(field, format!("`{field}` has 1 to {longest} characters")))
        };
        let payee = Payee {
            account: text("payee_account", &self.payee_account, LONGEST_ACCOUNT)?,
            name: text("payee_name", &self.payee_name, LONGEST_NAME)?,
        };
        let unknown = || PayeeError::Field("airline_id", "`airline_id` is no signed airline".to_owned());
        let airline = airline(tx.db, id)?.ok_or_else(unknown)?;
        if airline.payee() == payee {
            return Err(PayeeError::Same);
        }
        Ok((airline, payee))
    }
}

impl Proposal for ChangePayee {
    const KIND: ChangeKind = ChangeKind::ChangePayee;
    type Error = PayeeError;

    fn subject(&self) -> String {
        self.airline_id.clone()
    }

    /// Where it is paid now.
    fn basis(&self, tx: &mut WriteTx) -> Result<String, PayeeError> {
        let (airline, _) = self.read(tx)?;
        Ok(format!("{} {}", airline.payee_account, airline.payee_name))
    }

    fn carry_out(&self, tx: &mut WriteTx, cause: &Cause, approval: ApprovalId) -> Result<String, PayeeError> {
        let (airline, payee) = self.read(tx)?;
        let row = PayeeChangeRow {
            id: tx.ids.next::<PayeeChangeId>().raw(),
            airline_id: airline.id.raw(),
            former_account: airline.payee_account,
            former_name: airline.payee_name,
            payee_account: payee.account,
            payee_name: payee.name,
            approval_id: approval.raw(),
            changed_at: tx.now.naive(),
        };
        insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
        let now = (party::payee_account.eq(&row.payee_account), party::payee_name.eq(&row.payee_name));
        diesel::update(party::table.find(airline.id.raw())).set(now).execute(&mut *tx.db).map_err(DbError::from)?;
        audit::record(tx, cause, "airline.change_payee", airline.id)?;
        emit(tx, NewEvent::new(EventType::AirlinePayeeChanged, airline.id).of_airline(airline.id).caused_by(&cause.request_id))?;
        Ok(airline.id.to_string())
    }
}

/// The last change of every airline whose payee ever changed: a handful.
pub fn last_payee_changes(db: &mut Db) -> Result<BTreeMap<AirlineId, PayeeChangeId>, DbError> {
    let last = table::table.group_by(table::airline_id).select((table::airline_id, diesel::dsl::max(table::id)));
    let found: Vec<(i64, Option<i64>)> = last.load(db)?;
    Ok(found.into_iter().filter_map(|(airline, id)| Some((AirlineId::of(airline), PayeeChangeId::of(id?)))).collect())
}

/// Whom to pay, by what was known when a payment was sent.
pub struct Payees {
    airlines: Vec<Airline>,
    /// Oldest first.
    changes: Vec<PayeeChangeRow>,
}

impl Payees {
    pub fn read(db: &mut Db) -> Result<Self, DbError> {
        // In this order: a change that comes in between is among the changes, with what was before it.
        let airlines = airlines(db)?;
        let changes = table::table.order(table::id).select(PayeeChangeRow::as_select()).load(db)?;
        Ok(Payees { airlines, changes })
    }

    /// After this change; before the first one without any.
    pub fn of(&self, airline: AirlineId, after: Option<PayeeChangeId>) -> Option<Payee> {
        let mut changes = self.changes.iter().filter(|change| change.airline_id == airline.raw());
        match after {
            Some(id) => changes.find(|change| change.id == id.raw()).map(PayeeChangeRow::payee),
            None => match changes.next() {
                Some(first) => Some(Payee { account: first.former_account.clone(), name: first.former_name.clone() }),
                None => self.airlines.iter().find(|known| known.id == airline).map(Airline::payee),
            },
        }
    }
}

impl PayeeChangeRow {
    fn payee(&self) -> Payee {
        Payee { account: self.payee_account.clone(), name: self.payee_name.clone() }
    }
}
