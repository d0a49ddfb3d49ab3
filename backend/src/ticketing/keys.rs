//! One effect per idempotency key: taking keys, recognising repetitions, and what a key keeps.

use super::decide::Decision;
use super::issue::order_id;
use super::plan::IssueOrder;
use super::refusal::Refusal;
use super::ticket::{IssuedOrder, issued_orders};
use crate::db::schema::idempotency_key;
use crate::db::{Cell, Change, DbError, WriteTx, claim_keys, update};
use crate::identity::{ClaimRow, claims, first_difference};
use crate::ids::{Id, OrderId, OrganisationId};
use crate::ordering::order as order_row;
use diesel::prelude::*;
use std::collections::{HashMap, HashSet};

/// Which order of a batch took a key first.
pub(super) type FirstOf = HashMap<(OrganisationId, String), usize>;

#[derive(Clone, Debug)]
pub enum Outcome {
    Issued(Box<IssuedOrder>),
    /// The key's order exists: this is a repetition.
    Replayed(OrderId),
    Refused(Refusal),
    /// The refusal that this key already got.
    RefusedBefore(Refusal),
    /// The key was used with another body; this field differs.
    KeyReused {
        field: String,
    },
    /// What the order was prepared from has changed since: nothing was done, not even its key was taken. Prepare it again.
    Outdated,
}

/// An order whose key is its own now, by its place in the batch, and the id that it will have if it is issued.
pub(super) struct Fresh {
    pub(super) index: usize,
    pub(super) id: OrderId,
}

/// Step 1, for orders that have no outcome yet: answers those whose key was free; those whose key existed before get their outcome here. A key is taken for an order that will be
/// issued, which nearly every one is: only a refusal is written to it afterwards.
pub(super) fn take_keys(
    tx: &mut WriteTx,
    orders: &[&IssueOrder],
    outcomes: &mut [Option<Outcome>],
    first_of: &mut FirstOf,
) -> Result<Vec<Fresh>, DbError> {
    let open = orders.iter().enumerate().filter(|(index, _)| outcomes.get(*index).is_some_and(Option::is_none));
    let open: Vec<(usize, &IssueOrder, OrderId)> =
        open.map(|(index, order)| (index, *order, order_id(tx, Some(order)))).collect();
    let mut rows: Vec<ClaimRow> = open.iter().map(|(_, order, id)| claim_row(tx, order, *id)).collect();
    // In one order on every node, or two that meet the same keys wait for each other. A stable sort: of equal keys the first to arrive wins.
    rows.sort_by(|one, other| (one.organisation_id, &one.key).cmp(&(other.organisation_id, &other.key)));
    let won: HashSet<i64> = claim_keys(tx, &rows, |row| row.id)?.into_iter().collect();
    let mut fresh = Vec::new();
    let mut lost = Vec::new();
    for (index, order, id) in open {
        if won.contains(&order.claim) {
            first_of.insert((order.organisation, order.key.stored()), index);
            fresh.push(Fresh { index, id });
        } else {
            lost.push(index);
        }
    }
    lost.retain(|index| {
        !orders.get(*index).is_some_and(|order| first_of.contains_key(&(order.organisation, order.key.stored())))
    });
    if lost.is_empty() {
        return Ok(fresh);
    }
    let taken: Vec<&IssueOrder> = lost.iter().filter_map(|index| orders.get(*index).copied()).collect();
    let organisations: Vec<OrganisationId> = taken.iter().map(|order| order.organisation).collect();
    let keys: Vec<String> = taken.iter().map(|order| order.key.stored()).collect();
    let existing = claims(tx.db, &organisations, &keys)?;
    for index in lost {
        let Some(order) = orders.get(index) else { continue };
        let same = |row: &&ClaimRow| row.organisation_id == order.organisation.raw() && row.key == order.key.stored();
        let row = existing.iter().find(same).ok_or_else(|| DbError::Corrupt("a lost key has no holder".into()))?;
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = Some(earlier_outcome(tx, order, row)?);
        }
    }
    Ok(fresh)
}

fn claim_row(tx: &WriteTx, order: &IssueOrder, id: OrderId) -> ClaimRow {
    ClaimRow {
        id: order.claim,
        organisation_id: order.organisation.raw(),
        key: order.key.stored(),
        fields: order.fields.clone(),
        resource_id: Some(id.raw()),
        status: None,
        outcome: None,
        created_at: tx.now.naive(),
    }
}

/// What a key that exists already says about the order that came with it now.
fn earlier_outcome(tx: &mut WriteTx, order: &IssueOrder, row: &ClaimRow) -> Result<Outcome, DbError> {
    if order.key.is_explicit()
        && let Some(field) = first_difference(&row.fields, &order.fields)
    {
        return Ok(Outcome::KeyReused { field });
    }
    // Our own row: this command was committed before, and only its answer was lost.
    let ours = row.id == order.claim;
    match (row.resource_id, &row.outcome) {
        (Some(id), _) if ours => {
            let rows = order_row(tx.db, OrderId::of(id))?.into_iter().collect();
            let issued = issued_orders(tx.db, rows)?.pop();
            let missing = || DbError::Corrupt(format!("key {} names an order that is not there", row.id));
            Ok(Outcome::Issued(Box::new(issued.ok_or_else(missing)?)))
        }
        (Some(id), _) => Ok(Outcome::Replayed(OrderId::of(id))),
        (None, Some(json)) => {
            let refusal = serde_json::from_str(json);
            Ok(Outcome::RefusedBefore(refusal.map_err(|_| DbError::Corrupt(format!("outcome of key {}", row.id)))?))
        }
        (None, None) => Err(DbError::Corrupt(format!("key {} has no outcome", row.id))),
    }
}

/// Keeps a refusal that was decided before the commit; a key that is taken meanwhile keeps what it has.
pub fn keep_refusal(
    tx: &mut WriteTx,
    organisation: OrganisationId,
    key: &str,
    fields: &str,
    reason: &Refusal,
) -> Result<(), DbError> {
    let row = ClaimRow {
        id: tx.ids.block(1),
        organisation_id: organisation.raw(),
        key: key.to_owned(),
        fields: fields.to_owned(),
        resource_id: None,
        status: None,
        outcome: Some(serde_json::to_string(reason).map_err(|error| DbError::Corrupt(error.to_string()))?),
        created_at: tx.now.naive(),
    };
    claim_keys(tx, &[row], |row| row.id).map(drop)
}

/// The same key twice in one batch: the later one gets what the first one got.
pub(super) fn repeat_within_batch(orders: &[&IssueOrder], outcomes: &mut [Option<Outcome>], first_of: &FirstOf) {
    for (index, order) in orders.iter().enumerate() {
        if outcomes.get(index).is_some_and(Option::is_some) {
            continue;
        }
        let Some(first) = first_of.get(&(order.organisation, order.key.stored())).copied() else { continue };
        let fields = orders.get(first).map(|first| first.fields.as_str()).unwrap_or_default();
        let difference = first_difference(fields, &order.fields).filter(|_| order.key.is_explicit());
        let outcome = match (difference, outcomes.get(first).cloned().flatten()) {
            (Some(field), _) => Some(Outcome::KeyReused { field }),
            (None, Some(Outcome::Issued(issued))) => Some(Outcome::Replayed(OrderId::of(issued.order.id))),
            (None, Some(Outcome::Refused(refusal))) => Some(Outcome::RefusedBefore(refusal)),
            (None, other) => other,
        };
        if let Some(slot) = outcomes.get_mut(index) {
            *slot = outcome;
        }
    }
}

/// Step 5, the keys: an explicit key keeps the refusal of its order; a business key of a refusal is free again.
pub(super) fn write_refusals(
    tx: &mut WriteTx,
    orders: &[&IssueOrder],
    decided: &[Result<Decision, Refusal>],
) -> Result<(), DbError> {
    let (mut refused, mut released) = (Vec::new(), Vec::new());
    for (order, decision) in orders.iter().zip(decided) {
        match decision {
            Ok(_) => {}
            Err(refusal) if order.key.is_explicit() => {
                let json = serde_json::to_string(refusal).map_err(|error| DbError::Corrupt(error.to_string()))?;
                refused.push(Change { id: order.claim, values: vec![Cell::Int(None), json.into()] });
            }
            Err(_) => released.push(order.claim),
        }
    }
    update(tx, "idempotency_key", &["resource_id", "outcome"], &refused)?;
    if !released.is_empty() {
        let rows = idempotency_key::table.filter(idempotency_key::id.eq_any(released));
        diesel::delete(rows).execute(&mut *tx.db)?;
    }
    Ok(())
}
