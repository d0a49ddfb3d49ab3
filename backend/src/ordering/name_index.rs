//! The blind index of passengers' names: keyed digests, each with the people who are known by it. It is written behind the sale, from the events of
//! orders in the operator's feed, so that a sale takes no statement more, and orders from before the index come into it by the same way.
//!
//! Protocol. Whoever writes it, corrects a name or erases a person first takes the word [`WORD`]: then nobody is put into it from data that are
//! replaced or gone when it commits.

use super::names::{Likeness, NameQuery, tokens_of};
use super::order::{PassengerRow, PersonKeyRow, orders_by_id, passengers_of};
use super::personal::{Person, Sealed, Vault};
use crate::db::schema::{air_order, name_index, name_token, passenger, person_key};
use crate::db::{Db, DbError, WriteTx, ensure_rows, lock_word, rows};
use crate::ids::{AgencyId, Id, OrderId};
use crate::notify::{EventType, FeedFilter, feed_after, operator_feed};
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

rows! {
    pub struct NameTokenRow in name_token {
        token: i64,
        agency_id: i64,
        passenger_id: i64,
    }
}

const WORD: &str = "names of passengers";
/// Events of a round at most: the writer's turn stays short, for sales wait behind it.
const BATCH: i64 = 200;
/// After so many events of a round there may be more.
pub const FULL_ROUND: usize = 200;
/// People of one digest who are read and compared at most, newest first.
const READ_AT_MOST: i64 = 60;

/// Before every other lock of a commit that changes what a person is called.
pub fn serialise_names(tx: &mut WriteTx) -> Result<(), DbError> {
    lock_word(tx, WORD)
}

/// Puts the people of orders that are new or changed in the feed into the index; answers how many events it has read. Any node may do it at any time.
pub fn index_names(tx: &mut WriteTx, vault: &Vault) -> Result<usize, DbError> {
    serialise_names(tx)?;
    let cursor = name_index::table.find(1);
    let position: i64 = cursor.select(name_index::position).first(&mut *tx.db)?;
    let all = FeedFilter { organisation: operator_feed(), agency: None, kinds: Vec::new() };
    let events = feed_after(tx.db, &all, position, BATCH)?;
    let Some((reached, _)) = events.last() else { return Ok(0) };
    let kinds = [EventType::OrderCreated.text(), EventType::OrderUpdated.text()];
    let named = events.iter().filter(|(_, event)| kinds.contains(&event.kind.as_str()));
    let orders: BTreeSet<i64> = named.filter_map(|(_, event)| OrderId::parse(&event.object_id).ok()).map(Id::raw).collect();
    let orders: Vec<OrderId> = orders.into_iter().map(OrderId::of).collect();
    // In the order of the key: neighbours come to lie on one page.
    let rows: BTreeMap<(i64, i64, i64), NameTokenRow> = tokens_of_orders(tx.db, vault, &orders)?
        .into_iter()
        .map(|row| ((row.token, row.agency_id, row.passenger_id), row))
        .collect();
    if !rows.is_empty() {
        ensure_rows(tx, &rows.into_values().collect::<Vec<_>>())?;
    }
    diesel::update(cursor).set(name_index::position.eq(reached)).execute(&mut *tx.db)?;
    Ok(events.len())
}

fn tokens_of_orders(db: &mut Db, vault: &Vault, ids: &[OrderId]) -> Result<Vec<NameTokenRow>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let owners: BTreeMap<i64, i64> = orders_by_id(db, ids)?.into_iter().map(|order| (order.id, order.agency_id)).collect();
    let of_orders = passenger::table.inner_join(person_key::table.on(person_key::passenger_id.eq(passenger::id)));
    let of_orders = of_orders.filter(passenger::order_id.eq_any(ids.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    let people: Vec<(PassengerRow, PersonKeyRow)> =
        of_orders.select((PassengerRow::as_select(), PersonKeyRow::as_select())).load(db)?;
    let mut rows = Vec::new();
    for (passenger, key) in people {
        let Some(agency_id) = owners.get(&passenger.order_id).copied() else { continue };
        let Some(person) = opened(vault, &passenger, key) else { continue };
        let row = |token| NameTokenRow { token, agency_id, passenger_id: passenger.id };
        rows.extend(tokens_of(vault, &person).into_iter().map(row));
    }
    Ok(rows)
}

/// Nobody where the person was erased or does not open, which must not stop the others.
fn opened(vault: &Vault, passenger: &PassengerRow, key: PersonKeyRow) -> Option<Person> {
    if key.wrapped.is_empty() {
        return None;
    }
    let read = vault.open(&Sealed { data: passenger.sealed.clone(), wrapped_key: key.wrapped });
    read.inspect_err(|error| tracing::error!(%error, passenger = passenger.id, "a passenger's data do not open")).ok()
}

/// Takes a person out of the index, by the name that is about to be replaced or erased.
pub fn forget_names(tx: &mut WriteTx, vault: &Vault, row: &PassengerRow, person: &Person) -> Result<(), DbError> {
    let agency: i64 = air_order::table.find(row.order_id).select(air_order::agency_id).first(&mut *tx.db)?;
    let tokens: Vec<i64> = tokens_of(vault, person).into_iter().collect();
    let of_person = name_token::table.filter(name_token::token.eq_any(tokens)).filter(name_token::agency_id.eq(agency));
    diesel::delete(of_person.filter(name_token::passenger_id.eq(row.id))).execute(&mut *tx.db)?;
    Ok(())
}

/// Somebody who was found by name.
#[derive(Clone, Debug)]
pub struct NameMatch {
    pub passenger_id: i64,
    pub order: OrderId,
    pub person: Person,
    pub likeness: Likeness,
}

/// People who are called so, the most alike first and of those the newest. `None`: of all agencies.
pub fn people_named(
    db: &mut Db,
    vault: &Vault,
    asked: &NameQuery,
    agencies: Option<&[AgencyId]>,
) -> Result<Vec<NameMatch>, DbError> {
    let mut ids = BTreeSet::new();
    for token in asked.tokens(vault) {
        let mut query = name_token::table.filter(name_token::token.eq(token)).select(name_token::passenger_id).into_boxed();
        query = match agencies {
            Some([only]) => query.filter(name_token::agency_id.eq(only.raw())),
            Some(several) => query.filter(name_token::agency_id.eq_any(several.iter().map(|id| id.raw()).collect::<Vec<_>>())),
            None => query,
        };
        // As the key lies, so that it is read from its end.
        let order = (name_token::agency_id.desc(), name_token::passenger_id.desc());
        ids.extend(query.order(order).limit(READ_AT_MOST).load::<i64>(db)?);
    }
    let known = passenger::table.filter(passenger::id.eq_any(ids.iter().copied().collect::<Vec<_>>()));
    let orders: BTreeSet<i64> = known.select(passenger::order_id).load::<i64>(db)?.into_iter().collect();
    let orders: Vec<OrderId> = orders.into_iter().map(OrderId::of).collect();
    let mut found: Vec<NameMatch> = passengers_of(db, &orders)?
        .into_iter()
        .filter(|(row, _)| ids.contains(&row.id))
        .filter_map(|(row, key)| {
            let person = opened(vault, &row, key)?;
            let likeness = asked.likeness(&person)?;
            Some(NameMatch { passenger_id: row.id, order: OrderId::of(row.order_id), person, likeness })
        })
        .collect();
    found.sort_by_key(|one| (one.likeness, std::cmp::Reverse(one.passenger_id)));
    Ok(found)
}
