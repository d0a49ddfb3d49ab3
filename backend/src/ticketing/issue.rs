//! The posting path: any number of orders issued in one commit, one order being the N = 1 case.
//!
//! Protocol. 1. Take the idempotency keys. 2. Lock what is contended and limited, one statement per class: agencies, facility slices, seat buckets,
//! stock ranges, then the agencies' and loan accounts; by ascending id within a class. 3. Read, in later statements, what the decision needs.
//! 4. Decide every order in memory, in arrival order. 5. Lock the unlimited accounts and write everything with array statements.
//! Nothing here commits; the caller replies after the commit and never before. On PostgreSQL the number of statements does not depend on the
//! number of orders; on SQLite only the writes do. Bounds: the queue passes at most 256 orders.

use super::build::{Written, build};
use super::decide::{AgencyFacts, AirlineFacts, Decision, Facts, SeatFacts, decide};
use super::keys::{FirstOf, Outcome, repeat_within_batch, take_keys, write_keys};
use super::plan::IssueOrder;
use super::postings;
use super::refusal::Refusal;
use super::ticket::IssuedOrder;
use crate::agencies::{Agency, AgencyRow};
use crate::airlines::{airlines_by_id, stock_of};
use crate::credit::{FacilityState, Standing, facilities_in, loan_account, policies_in_force, sales_limit, standing_accounts};
use crate::db::schema::{agency, seat_bucket};
use crate::db::{Change, Contended, Db, DbError, Row, RowSet, WriteTx, ensure_rows, insert, lock, rows, update};
use crate::ids::{AgencyId, AirlineId, FacilityId, Id};
use crate::ledger::{AccountKey, Book, Chart, PostError};
use crate::money::Currency;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

rows! {
    pub struct BucketRow in seat_bucket {
        id: i64,
        capacity: i64,
        sold: i64,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Sell,
    /// Everything but the key and the writing; the caller rolls back.
    DryRun,
}

/// Issues, refuses or recognises every order; the outcomes are in the order of the orders.
pub fn issue_all(tx: &mut WriteTx, chart: &Chart, orders: &[IssueOrder], mode: Mode) -> Result<Vec<Outcome>, PostError> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; orders.len()];
    let mut first_of = FirstOf::new();
    let fresh: Vec<usize> = match mode {
        Mode::Sell => take_keys(tx, orders, &mut outcomes, &mut first_of)?,
        Mode::DryRun => (0..orders.len()).collect(),
    };
    if !fresh.is_empty() {
        let batch: Vec<&IssueOrder> = fresh.iter().filter_map(|index| orders.get(*index)).collect();
        let decided = sell(tx, chart, &batch, mode)?;
        for (index, outcome) in fresh.iter().zip(decided) {
            if let Some(slot) = outcomes.get_mut(*index) {
                *slot = Some(outcome);
            }
        }
    }
    repeat_within_batch(orders, &mut outcomes, &first_of);
    let missing = || PostError::Db(DbError::Corrupt("an order without an outcome".into()));
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(missing)).collect()
}

/// Steps 2 to 5 for orders whose keys are theirs.
fn sell(tx: &mut WriteTx, chart: &Chart, orders: &[&IssueOrder], mode: Mode) -> Result<Vec<Outcome>, PostError> {
    let locked = lock_rows(tx, orders)?;
    let (mut book, mut facts) = read_facts(tx, chart, orders, locked)?;
    let before = facts.clone();
    let mut decided = Vec::with_capacity(orders.len());
    for order in orders {
        decided.push(decide(&mut facts, order)?);
    }
    let accepted: Vec<(&IssueOrder, &Decision)> = orders
        .iter()
        .zip(&decided)
        .filter_map(|(order, decision)| decision.as_ref().ok().map(|decision| (*order, decision)))
        .collect();
    let unlimited: Vec<AccountKey> = accepted
        .iter()
        .flat_map(|(order, _)| order.tickets.iter().map(|plan| (plan, order.airline)))
        .flat_map(|(plan, airline)| postings::unlimited_accounts(plan, airline))
        .collect();
    let unlimited = chart.resolve_in(tx, &unlimited)?;
    book.load(tx, &unlimited)?;
    let mut written = Written::default();
    let mut issued = Vec::with_capacity(accepted.len());
    for (order, decision) in accepted {
        issued.push(build(tx, &mut book, &facts, order, decision, &mut written)?);
    }
    if mode == Mode::Sell {
        write(tx, book, &issued, &written)?;
        write_counters(tx, &before, &facts)?;
        write_keys(tx, orders, &decided, &issued)?;
    }
    let mut issued = issued.into_iter();
    let outcome = |decision: Result<Decision, Refusal>| match decision {
        Ok(_) => issued.next().map(|order| Outcome::Issued(Box::new(order))),
        Err(refusal) => Some(Outcome::Refused(refusal)),
    };
    let missing = || PostError::Db(DbError::Corrupt("an accepted order was not built".into()));
    decided.into_iter().map(outcome).map(|outcome| outcome.ok_or_else(missing)).collect()
}

/// What step 2 has locked, for step 3 to read.
pub(super) struct Locked {
    agencies: BTreeSet<AgencyId>,
    airlines: Vec<AirlineId>,
    currencies: Vec<Currency>,
    slices: Vec<i64>,
    buckets: Vec<i64>,
    ranges: Vec<i64>,
}

/// Step 2, all but the accounts.
pub(super) fn lock_rows(tx: &mut WriteTx, orders: &[&IssueOrder]) -> Result<Locked, DbError> {
    let agencies: BTreeSet<AgencyId> = orders.iter().map(|order| order.agency).collect();
    let airlines: BTreeSet<AirlineId> = orders.iter().map(|order| order.airline).collect();
    let currencies: BTreeSet<Currency> = orders.iter().map(|order| order.currency).collect();
    let currencies: Vec<Currency> = currencies.into_iter().collect();
    let buckets: BTreeMap<i64, i64> =
        orders.iter().flat_map(|order| &order.seats).map(|demand| (demand.bucket, demand.capacity)).collect();
    let airlines: Vec<AirlineId> = airlines.into_iter().collect();

    lock(tx, Contended::Agency, &agencies.iter().map(|id| id.raw()).collect::<Vec<_>>())?;
    let slices: Vec<i64> = facilities_in(tx.db, &currencies)?.iter().map(|facility| facility.slice.raw()).collect();
    lock(tx, Contended::FacilitySlice, &slices)?;
    let unsold: Vec<BucketRow> =
        buckets.iter().map(|(id, capacity)| BucketRow { id: *id, capacity: *capacity, sold: 0 }).collect();
    ensure_rows(tx, &unsold)?;
    let bucket_ids: Vec<i64> = buckets.into_keys().collect();
    lock(tx, Contended::SeatBucket, &bucket_ids)?;
    let ranges: Vec<i64> = stock_of(tx.db, &airlines)?.iter().map(|range| range.id).collect();
    lock(tx, Contended::StockRange, &ranges)?;
    Ok(Locked { agencies, airlines, currencies, slices, buckets: bucket_ids, ranges })
}

/// Step 3, after the limited accounts are locked.
pub(super) fn read_facts(
    tx: &mut WriteTx,
    chart: &Chart,
    orders: &[&IssueOrder],
    locked: Locked,
) -> Result<(Book, Facts), PostError> {
    let Locked { agencies, airlines, currencies, slices, buckets, ranges } = locked;
    let mut facilities = facilities_in(tx.db, &currencies)?;
    // One that another node has added since then is not locked: it waits for the next batch.
    facilities.retain(|facility| slices.contains(&facility.slice.raw()));
    let mut limited: Vec<AccountKey> = Vec::new();
    for (agency, currency) in orders.iter().map(|order| (order.agency, order.currency)).collect::<BTreeSet<_>>() {
        limited.extend(standing_accounts(agency, currency));
    }
    limited.extend(facilities.iter().map(|facility| loan_account(facility.id, facility.limit.currency)));
    let limited = chart.resolve_in(tx, &limited)?;
    let mut book = Book::new();
    book.load(tx, &limited)?;

    let rows: Vec<AgencyRow> = agency::table
        .filter(agency::id.eq_any(agencies.iter().map(|id| id.raw()).collect::<Vec<_>>()))
        .select(AgencyRow::as_select())
        .load(&mut *tx.db)
        .map_err(DbError::from)?;
    let policies = policies_in_force(tx.db, &currencies, tx.ledger_date)?;
    let mut agencies = BTreeMap::new();
    for row in rows {
        let agency = Agency::try_from(row)?;
        let standing = Standing::in_book(&book, agency.id, agency.currency);
        let policy = policies.iter().find(|policy| policy.cap.currency == agency.currency);
        let limit = sales_limit(standing.deposit, policy)?;
        agencies.insert(agency.id, AgencyFacts { agency, standing, limit });
    }
    let mut by_airline = BTreeMap::new();
    let mut stock = stock_of(tx.db, &airlines)?;
    stock.retain(|range| ranges.contains(&range.id));
    for airline in airlines_by_id(tx.db, &airlines)? {
        let own = stock.extract_if(.., |range| range.airline_id == airline.id.raw()).collect();
        by_airline.insert(airline.id, AirlineFacts { status: airline.status, stock: own });
    }
    let mut lines = Vec::with_capacity(facilities.len());
    for facility in facilities {
        lines.push(FacilityState::in_book(tx, &book, facility)?);
    }
    let seats: Vec<BucketRow> = seat_bucket::table
        .filter(seat_bucket::id.eq_any(buckets))
        .select(BucketRow::as_select())
        .load(&mut *tx.db)
        .map_err(DbError::from)?;
    let seats = seats.into_iter().map(|row| (row.id, SeatFacts { capacity: row.capacity, sold: row.sold })).collect();
    Ok((book, Facts { now: tx.now, agencies, airlines: by_airline, facilities: lines, seats }))
}

/// Step 5, the rows: everything new in one statement on PostgreSQL, then the accounts.
fn write(tx: &mut WriteTx, book: Book, issued: &[IssuedOrder], written: &Written) -> Result<(), DbError> {
    fn set<R: Row + Clone>(issued: &[IssuedOrder], of: impl Fn(&IssuedOrder) -> Vec<R>) -> RowSet {
        RowSet::of(&issued.iter().flat_map(of).collect::<Vec<_>>())
    }
    let mut sets = vec![
        set(issued, |order| vec![order.order.clone()]),
        set(issued, |order| order.passengers.iter().map(|(passenger, _)| passenger.clone()).collect()),
        set(issued, |order| order.passengers.iter().map(|(_, key)| key.clone()).collect()),
        set(issued, |order| order.tickets.clone()),
        set(issued, |order| order.taxes.clone()),
        set(issued, |order| order.coupons.clone()),
        RowSet::of(&written.advances),
        RowSet::of(&written.outbox),
        RowSet::of(&written.audit),
    ];
    sets.extend(book.new_rows());
    insert(tx, &sets)?;
    book.finish(tx)
}

/// Step 5, the counters that were locked: what changed between the facts before and after.
pub(super) fn write_counters(tx: &mut WriteTx, before: &Facts, after: &Facts) -> Result<(), DbError> {
    let unconfirmed = |facts: &Facts, id: FacilityId| {
        facts.facilities.iter().find(|state| state.facility.id == id).map(|state| state.facility.unconfirmed)
    };
    let slices: Vec<Change> = after
        .facilities
        .iter()
        .filter(|state| unconfirmed(before, state.facility.id) != Some(state.facility.unconfirmed))
        .map(|state| Change { id: state.facility.slice.raw(), values: vec![state.facility.unconfirmed.into()] })
        .collect();
    update(tx, "facility_slice", &["unconfirmed"], &slices)?;
    let sold_before = |id: &i64| before.seats.get(id).map_or(0, |seats| seats.sold);
    let seats: Vec<Change> = after
        .seats
        .iter()
        .filter(|(id, seats)| sold_before(id) != seats.sold)
        .map(|(id, seats)| Change { id: *id, values: vec![seats.sold.into()] })
        .collect();
    update(tx, "seat_bucket", &["sold"], &seats)?;
    let ranges_before: HashMap<i64, i64> =
        before.airlines.values().flat_map(|facts| &facts.stock).map(|range| (range.id, range.next_document)).collect();
    let ranges: Vec<Change> = after
        .airlines
        .values()
        .flat_map(|facts| &facts.stock)
        .filter(|range| ranges_before.get(&range.id) != Some(&range.next_document))
        .map(|range| Change { id: range.id, values: vec![range.next_document.into()] })
        .collect();
    update(tx, "stock_range", &["next_document"], &ranges)?;
    Ok(())
}

/// Seats sold in these buckets; one that is not there has sold none. For searching: the sale reads them again under lock.
pub fn seats_sold(db: &mut Db, buckets: &[i64]) -> Result<Vec<(i64, i64)>, DbError> {
    let rows = seat_bucket::table.filter(seat_bucket::id.eq_any(buckets.to_vec()));
    Ok(rows.select((seat_bucket::id, seat_bucket::sold)).load(db)?)
}
