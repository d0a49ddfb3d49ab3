//! What the platform owes airlines of their memos, and what it has paid them of it: the oldest decision first.

use super::record::{MemoError, MemoRow};
use super::state::MemoKind;
use crate::db::schema::memo;
use crate::db::{Change, Db, DbError, WriteTx, update};
use crate::ids::{AirlineId, Id};
use crate::money::{Currency, Money};
use diesel::prelude::*;

fn unpaid(db: &mut Db, airline: AirlineId, currency: Currency) -> Result<Vec<MemoRow>, DbError> {
    let of = memo::table.filter(memo::airline_id.eq(airline.raw())).filter(memo::currency.eq(currency.code()));
    let of = of.filter(memo::kind.eq(MemoKind::Adm.text())).filter(memo::paid_minor.nullable().lt(memo::decided_minor));
    Ok(of.order((memo::decided_at, memo::id)).select(MemoRow::as_select()).load(db)?)
}

fn open(row: &MemoRow) -> i64 {
    // Both are amounts of the ledger, and neither is negative.
    row.decided_minor.unwrap_or(0).saturating_sub(row.paid_minor)
}

/// What an airline has still to be paid of its memos.
pub(in crate::settlement) fn owed_of_memos(db: &mut Db, airline: AirlineId, currency: Currency) -> Result<Money, MemoError> {
    let rows = unpaid(db, airline, currency)?;
    Ok(Money::sum(currency, rows.iter().map(|row| Money::new(open(row), currency)))?)
}

/// Notes what an airline was paid. The caller holds a lock that all payments of this airline take, and has checked that it is owed.
pub(in crate::settlement) fn pay_memos(tx: &mut WriteTx, airline: AirlineId, amount: Money) -> Result<(), MemoError> {
    let (mut left, mut changes) = (amount.minor, Vec::new());
    for row in unpaid(tx.db, airline, amount.currency)? {
        let part = left.min(open(&row));
        if part > 0 {
            left -= part;
            changes.push(Change { id: row.id, values: vec![row.paid_minor.saturating_add(part).into()] });
        }
    }
    if left > 0 {
        return Err(DbError::Corrupt(format!("airline {airline} is paid more than its memos")).into());
    }
    Ok(update(tx, "memo", &["paid_minor"], &changes).map(drop)?)
}
