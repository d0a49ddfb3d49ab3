//! The posting path: any number of orders issued in one commit, one order being the N = 1 case.
//!
//! Protocol. 0. Read whether what the orders were prepared from still stands; hand back those where it does not. 1. Take the idempotency keys. 2. Lock what is contended and limited, one statement per class: agencies, facility slices, seat buckets,
//! stock ranges, then the agencies' and loan accounts; by ascending id within a class. The statement that locks a row also reads it. 3. Read, in
//! later statements, what else the decision needs. 4. Decide every order in memory, in arrival order. 5. Lock the unlimited accounts and write
//! everything, new rows and new values, with one array statement.
//! Nothing here commits; the caller replies after the commit and never before. On PostgreSQL the number of statements does not depend on the
//! number of orders; on SQLite only the writes do. An order may also only be held, or have been held and be paid now: the same path with fewer
//! steps, the same locks and the same keys. Bounds: the queue passes at most 256 orders.

use super::basis::Grounds;
use super::build::{Written, build};
use super::decide::{AgencyFacts, AirlineFacts, Decision, Facts, Released, SeatFacts, decide};
use super::held::{ENDED, ISSUED, held_facts, unpaid_holds};
use super::keys::{FirstOf, Fresh, Outcome, repeat_within_batch, take_keys, write_refusals};
use super::plan::IssueOrder;
use super::postings;
use super::refusal::Refusal;
use super::ticket::IssuedOrder;
use super::velocity::{freeze, hits_of, stage, watch_over};
use crate::agencies::{Agency, AgencyRow};
use crate::airlines::{StockRow, airlines_by_id};
use crate::credit::{
    Alerts, Facility, FacilityState, LimitTerms, Standing, Sublimit, loan_account, lock_facilities_in, policies_in_force,
    sales_limit, standing_accounts,
};
use crate::db::schema::seat_bucket;
use crate::db::{Change, Contended, Db, DbError, RowSet, Update, WriteTx, ensure_rows, locked, locked_by, rows, write};
use crate::identity::claim;
use crate::ids::{AgencyId, AirlineId, FacilityId, Id, OrderId};
use crate::ledger::{AccountKey, Book, Chart, PostError};
use crate::money::Currency;
use crate::risk::velocity::Velocity;
use diesel::prelude::*;
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

rows! {
    pub struct BucketRow in seat_bucket {
        id: i64,
        capacity: i64,
        sold: i64,
        /// The last change of its departure; zero where it flies as scheduled.
        schedule_change_id: i64,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Sell,
    /// Everything but the key and the writing; the caller rolls back.
    DryRun,
}

/// Issues, refuses or recognises every order; the outcomes are in the order of the orders.
pub fn issue_all<O: Borrow<IssueOrder>>(
    tx: &mut WriteTx,
    (chart, velocity): (&Chart, &Velocity),
    orders: &[O],
    mode: Mode,
) -> Result<Vec<Outcome>, PostError> {
    let orders: Vec<&IssueOrder> = orders.iter().map(Borrow::borrow).collect();
    let orders = orders.as_slice();
    let mut outcomes = hand_back_outdated(tx, orders)?;
    let mut first_of = FirstOf::new();
    let fresh: Vec<Fresh> = match mode {
        Mode::Sell => take_keys(tx, orders, &mut outcomes, &mut first_of)?,
        Mode::DryRun => open(&outcomes).map(|index| Fresh { index, id: order_id(tx, orders.get(index)) }).collect(),
    };
    if !fresh.is_empty() {
        let batch: Vec<&IssueOrder> = fresh.iter().filter_map(|one| orders.get(one.index).copied()).collect();
        let ids: Vec<OrderId> = fresh.iter().map(|one| one.id).collect();
        let decided = sell(tx, (chart, velocity), (&batch, &ids), mode)?;
        for (one, outcome) in fresh.iter().zip(decided) {
            if let Some(slot) = outcomes.get_mut(one.index) {
                *slot = Some(outcome);
            }
        }
    }
    repeat_within_batch(orders, &mut outcomes, &first_of);
    let missing = || PostError::Db(DbError::Corrupt("an order without an outcome".into()));
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(missing)).collect()
}

/// The id that an order will have: that of the held one which it pays, or a new one.
pub(super) fn order_id(tx: &WriteTx, order: Option<&&IssueOrder>) -> OrderId {
    order.and_then(|order| order.pays()).unwrap_or_else(|| tx.ids.next())
}

/// Step 0. An order that was committed before, and is here again because the answer to its COMMIT was lost, stays what it is.
fn hand_back_outdated(tx: &mut WriteTx, orders: &[&IssueOrder]) -> Result<Vec<Option<Outcome>>, DbError> {
    let grounds = Grounds::read(tx, orders.iter().filter_map(|order| order.basis.as_ref()))?;
    let mut outcomes = Vec::with_capacity(orders.len());
    for order in orders {
        let outdated = order.basis.as_ref().is_some_and(|basis| !grounds.supports(tx, basis));
        let is_new = outdated && claim(tx.db, order.claim)?.is_none();
        outcomes.push(is_new.then_some(Outcome::Outdated));
    }
    Ok(outcomes)
}

fn open(outcomes: &[Option<Outcome>]) -> impl Iterator<Item = usize> {
    outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_none()).map(|(index, _)| index)
}

/// Steps 2 to 5 for orders whose keys are theirs, with the ids that they will have.
fn sell(
    tx: &mut WriteTx,
    (chart, velocity): (&Chart, &Velocity),
    (orders, ids): (&[&IssueOrder], &[OrderId]),
    mode: Mode,
) -> Result<Vec<Outcome>, PostError> {
    let locked = lock_rows(tx, orders)?;
    let (mut book, mut facts) = read_facts(tx, chart, orders, locked)?;
    watch_over(velocity, &mut facts, orders);
    let before = Counters::of(&facts);
    let mut decided = Vec::with_capacity(orders.len());
    for order in orders {
        decided.push(decide(&mut facts, order)?);
    }
    let accepted: Vec<(&IssueOrder, OrderId, &Decision)> = orders
        .iter()
        .zip(ids)
        .zip(&decided)
        .filter_map(|((order, id), decision)| decision.as_ref().ok().map(|decision| (*order, *id, decision)))
        .collect();
    let plans = accepted.iter().flat_map(|(order, ..)| order.tickets.iter().map(|plan| (plan, order.airline)));
    let unlimited: HashSet<AccountKey> = plans.flat_map(|(plan, airline)| postings::unlimited_accounts(plan, airline)).collect();
    let unlimited = chart.resolve_in(tx, &unlimited.into_iter().collect::<Vec<_>>())?;
    book.load(tx, &unlimited)?;
    let mut written = Written::default();
    let mut issued = Vec::with_capacity(accepted.len());
    let sold = accepted.iter().map(|(order, id, _)| (order.claim, *id)).collect();
    for (order, id, decision) in accepted {
        issued.push(build(tx, &mut book, &facts, order, (id, decision), &mut written)?);
    }
    let (hits, mut events) = hits_of(tx, &facts, &sold);
    written.hits = hits;
    written.events.append(&mut events);
    stage(velocity, &mut facts, mode);
    if mode == Mode::Sell {
        let mut alerts = facts.alerts(tx)?;
        written.events.append(&mut alerts.events);
        write_sale(tx, &book, &issued, &written, (&before.changes(&facts), &alerts))?;
        write_refusals(tx, orders, &decided)?;
        freeze(tx, &facts)?;
    }
    let mut issued = issued.into_iter();
    let outcome = |decision: Result<Decision, Refusal>| match decision {
        Ok(_) => issued.next().map(|order| Outcome::Issued(Box::new(order))),
        Err(refusal) => Some(Outcome::Refused(refusal)),
    };
    let missing = || PostError::Db(DbError::Corrupt("an accepted order was not built".into()));
    decided.into_iter().map(outcome).map(|outcome| outcome.ok_or_else(missing)).collect()
}

/// What step 2 has locked and read.
pub(super) struct Locked {
    airlines: Vec<AirlineId>,
    currencies: Vec<Currency>,
    sellers: Vec<AgencyRow>,
    facilities: Vec<Facility>,
    seats: Vec<BucketRow>,
    stock: Vec<StockRow>,
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

    let sellers: Vec<AgencyRow> = locked(tx, Contended::Agency, &agencies.iter().map(|id| id.raw()).collect::<Vec<_>>())?;
    let facilities = lock_facilities_in(tx, &currencies)?;
    let unsold: Vec<BucketRow> =
        buckets.iter().map(|(id, capacity)| BucketRow { id: *id, capacity: *capacity, sold: 0, schedule_change_id: 0 }).collect();
    ensure_rows(tx, &unsold)?;
    let seats: Vec<BucketRow> = locked(tx, Contended::SeatBucket, &buckets.into_keys().collect::<Vec<_>>())?;
    let raw: Vec<i64> = airlines.iter().map(|id| id.raw()).collect();
    let stock: Vec<StockRow> = locked_by(tx, Contended::StockRange, "airline_id", &raw)?;
    Ok(Locked { airlines, currencies, sellers, facilities, seats, stock })
}

/// Step 3, after the limited accounts are locked.
pub(super) fn read_facts(
    tx: &mut WriteTx,
    chart: &Chart,
    orders: &[&IssueOrder],
    locked: Locked,
) -> Result<(Book, Facts), PostError> {
    let Locked { airlines, currencies, sellers, facilities, seats, mut stock } = locked;
    let mut limited: Vec<AccountKey> = Vec::new();
    for (agency, currency) in orders.iter().map(|order| (order.agency, order.currency)).collect::<BTreeSet<_>>() {
        limited.extend(standing_accounts(agency, currency));
    }
    limited.extend(facilities.iter().map(|facility| loan_account(facility.id, facility.limit.currency)));
    let limited = chart.resolve_in(tx, &limited)?;
    let mut book = Book::new();
    book.load(tx, &limited)?;

    let policies = policies_in_force(tx.db, &currencies, tx.ledger_date)?;
    let mut agencies = BTreeMap::new();
    for row in sellers {
        let agency = Agency::try_from(row)?;
        let standing = Standing::in_book(&book, agency.id, agency.currency);
        let policy = policies.iter().find(|policy| policy.cap.currency == agency.currency);
        let limit = sales_limit(standing.deposit, policy, &LimitTerms::of(&agency)?, tx.ledger_date)?;
        agencies.insert(agency.id, AgencyFacts::of(agency, standing, limit)?);
    }
    let mut by_airline = BTreeMap::new();
    for airline in airlines_by_id(tx.db, &airlines)? {
        let own = stock.extract_if(.., |range| range.airline_id == airline.id.raw()).collect();
        by_airline.insert(airline.id, AirlineFacts { status: airline.status, stock: own });
    }
    let mut lines = Vec::with_capacity(facilities.len());
    for facility in facilities {
        lines.push(FacilityState::in_book(tx, &book, facility)?);
    }
    let seats = seats
        .into_iter()
        .map(|row| (row.id, SeatFacts { capacity: row.capacity, sold: row.sold, schedule_change: row.schedule_change_id }))
        .collect();
    let (held, unpaid_holds) = (held_facts(tx, orders)?, unpaid_holds(tx, orders)?);
    Ok((
        book,
        Facts {
            now: tx.now,
            agencies,
            airlines: by_airline,
            facilities: lines,
            seats,
            held,
            unpaid_holds,
            watch: None,
            to_freeze: Vec::new(),
        },
    ))
}

/// Step 5: everything new and everything that changes.
fn write_sale(
    tx: &mut WriteTx,
    book: &Book,
    issued: &[IssuedOrder],
    written: &Written,
    (counters, alerts): (&CounterChanges, &Alerts),
) -> Result<(), DbError> {
    let mut sets = vec![
        RowSet::of(&written.orders),
        RowSet::of(&written.passengers),
        RowSet::of(&written.person_keys),
        RowSet::of(issued.iter().flat_map(|order| &order.tickets)),
        RowSet::of(issued.iter().flat_map(|order| &order.documents)),
        RowSet::of(issued.iter().flat_map(|order| &order.taxes)),
        RowSet::of(issued.iter().flat_map(|order| &order.coupons)),
        RowSet::of(&written.advances),
        RowSet::of(&written.outbox),
        RowSet::of(&written.audit),
        RowSet::of(&written.held.held),
        RowSet::of(&written.held.seats),
        RowSet::of(&written.held.payments),
        RowSet::of(&written.events),
        RowSet::of(&written.hits),
        RowSet::of(&alerts.rows),
    ];
    sets.extend(book.new_rows());
    let booked = book.changes();
    let [accounts, holds] = booked.updates();
    let [slices, parts, seats, ranges] = counters.updates();
    let issued = Update { table: "air_order", columns: ISSUED, changes: &written.held.issued };
    let ended = Update { table: "held_order", columns: ENDED, changes: &written.held.ended };
    write(tx, &sets, &[accounts, holds, slices, parts, seats, ranges, issued, ended, alerts.update()])
}

/// The counters that a batch locks, as they were before it.
pub(super) struct Counters {
    unconfirmed: HashMap<FacilityId, i64>,
    /// Of sub-limits, what is used.
    used: HashMap<i64, i64>,
    sold: HashMap<i64, i64>,
    next_document: HashMap<i64, i64>,
}

pub(super) struct CounterChanges {
    slices: Vec<Change>,
    parts: Vec<Change>,
    seats: Vec<Change>,
    ranges: Vec<Change>,
}

impl Counters {
    pub(super) fn of(facts: &Facts) -> Self {
        let facilities = facts.facilities.iter().map(|state| &state.facility);
        Counters {
            unconfirmed: facilities.map(|facility| (facility.id, facility.unconfirmed)).collect(),
            used: parts(facts).map(|(_, part)| (part.id, part.used.minor)).collect(),
            sold: facts.seats.iter().map(|(id, seats)| (*id, seats.sold)).collect(),
            next_document: ranges(facts).map(|range| (range.id, range.next_document)).collect(),
        }
    }

    /// Somebody else writes that these advances are not in flight any more.
    pub(super) fn release(&mut self, facts: &Facts, released: &[Released]) {
        for one in released {
            let own = parts(facts).find(|(facility, part)| *facility == one.facility && part.airline == one.airline);
            if let Some(used) = own.and_then(|(_, part)| self.used.get_mut(&part.id)) {
                *used -= one.amount.minor;
            }
            if let Some(unconfirmed) = self.unconfirmed.get_mut(&one.facility) {
                *unconfirmed -= one.advances;
            }
        }
    }

    pub(super) fn changes(&self, after: &Facts) -> CounterChanges {
        let facilities = after.facilities.iter().map(|state| &state.facility);
        let busier = facilities.filter(|facility| self.unconfirmed.get(&facility.id) != Some(&facility.unconfirmed));
        let fuller = after.seats.iter().filter(|(id, seats)| self.sold.get(id).copied().unwrap_or(0) != seats.sold);
        let shorter = ranges(after).filter(|range| self.next_document.get(&range.id) != Some(&range.next_document));
        let change = |id: i64, value: i64| Change { id, values: vec![value.into()] };
        CounterChanges {
            parts: parts(after)
                .filter(|(_, part)| self.used.get(&part.id) != Some(&part.used.minor))
                .map(|(_, part)| change(part.id, part.used.minor))
                .collect(),
            slices: busier.map(|facility| change(facility.slice.raw(), facility.unconfirmed)).collect(),
            seats: fuller.map(|(id, seats)| change(*id, seats.sold)).collect(),
            ranges: shorter.map(|range| change(range.id, range.next_document)).collect(),
        }
    }
}

impl CounterChanges {
    pub(super) fn updates(&self) -> [Update<'_>; 4] {
        [
            Update { table: "facility_slice", columns: &["unconfirmed"], changes: &self.slices },
            Update { table: "facility_sublimit", columns: &["used_minor"], changes: &self.parts },
            Update { table: "seat_bucket", columns: &["sold"], changes: &self.seats },
            Update { table: "stock_range", columns: &["next_document"], changes: &self.ranges },
        ]
    }
}

fn parts(facts: &Facts) -> impl Iterator<Item = (FacilityId, &Sublimit)> {
    let of = |state: &FacilityState| state.facility.id;
    facts.facilities.iter().flat_map(move |state| state.facility.sublimits.iter().map(move |part| (of(state), part)))
}

fn ranges(facts: &Facts) -> impl Iterator<Item = &StockRow> {
    facts.airlines.values().flat_map(|airline| &airline.stock)
}

/// Seats sold in these buckets; one that is not there has sold none. For searching: the sale reads them again under lock.
pub fn seats_sold(db: &mut Db, buckets: &[i64]) -> Result<Vec<(i64, i64)>, DbError> {
    let rows = seat_bucket::table.filter(seat_bucket::id.eq_any(buckets.to_vec()));
    Ok(rows.select((seat_bucket::id, seat_bucket::sold)).load(db)?)
}
