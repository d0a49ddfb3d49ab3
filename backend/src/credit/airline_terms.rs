//! Advances that are not paid at once: on the terms of their airline they wait until their day, and are then ordered, once. What the bank is told to pay
//! with own money is not there for anything else any more.

use super::advance::{Advance, AdvanceError, AdvanceRow, AdvanceState, Funding, locked};
use crate::db::schema::advance;
use crate::db::{Change, Db, DbError, RowSet, WriteTx, insert, update};
use crate::ids::{AdvanceId, Id};
use crate::money::{Currency, Money};
use crate::notify::{OutboxRow, PAY_ADVANCE};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

/// Those that wait for their day, oldest first.
pub fn unordered_advances(db: &mut Db, after: AdvanceId, limit: i64) -> Result<Vec<Advance>, DbError> {
    let waiting = advance::table.filter(advance::ordered_at.is_null()).filter(advance::resolved_at.is_null());
    let page = waiting.filter(advance::id.gt(after.raw())).order(advance::id).limit(limit);
    let rows: Vec<AdvanceRow> = page.select(AdvanceRow::as_select()).load(db)?;
    rows.into_iter().map(Advance::try_from).collect()
}

/// Their day has come: from here on they leave as every other. What was ordered or taken back meanwhile is left as it is.
pub fn order_payments(tx: &mut WriteTx, ids: &[AdvanceId]) -> Result<Vec<AdvanceId>, AdvanceError> {
    let waiting = locked(tx, ids)?.into_iter().filter(|one| one.ordered_at.is_none() && one.state == AdvanceState::Held);
    let ordered: Vec<AdvanceId> = waiting.map(|one| one.id).collect();
    let change = |id: &AdvanceId| Change { id: id.raw(), values: vec![Some(tx.now.naive()).into()] };
    let changes: Vec<Change> = ordered.iter().map(change).collect();
    update(tx, "advance", &["ordered_at"], &changes)?;
    let messages: Vec<OutboxRow> = ordered.iter().map(|id| OutboxRow::new(tx, PAY_ADVANCE, id.raw())).collect();
    insert(tx, &[RowSet::of(&messages)])?;
    Ok(ordered)
}

/// Own money that the bank was told to pay and has not confirmed.
pub fn own_money_on_its_way(db: &mut Db, currency: Currency) -> Result<Money, DbError> {
    let sent = advance::table
        .filter(advance::funding.eq(Funding::Own.text()))
        .filter(advance::resolved_at.is_null())
        .filter(advance::currency.eq(currency.code().to_owned()))
        .filter(advance::state.eq_any([AdvanceState::Sent.text(), AdvanceState::Unknown.text()]))
        .select(sql::<Nullable<BigInt>>("CAST(SUM(amount_minor - set_off_minor - cancelled_minor) AS BIGINT)"));
    let minor: Option<i64> = sent.first(db)?;
    Ok(Money::new(minor.unwrap_or(0), currency))
}

/// Currencies in which airlines are paid with own money.
pub fn own_money_currencies(db: &mut Db) -> Result<Vec<Currency>, DbError> {
    let own = advance::table.filter(advance::funding.eq(Funding::Own.text())).select(advance::currency).distinct();
    let codes: Vec<String> = own.order(advance::currency).load(db)?;
    codes.iter().map(|code| crate::db::stored_currency(code)).collect()
}
