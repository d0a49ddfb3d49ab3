//! The feeds: every event gets a place in the feed of each organisation that it concerns, and in the operator's.
//!
//! Protocol. Ids of one node grow in commit order, ids of several nodes do not: a commit may become visible after one with a later id. So nothing is
//! read by id. What is published of a node is one number (`event_cursor`). A pass reads in one snapshot what lies above the cursors, then, holding
//! the head's lock, makes sure that nobody moved a cursor meanwhile and gives out the next positions. Positions become visible in their order, so who
//! has read up to one has missed nothing before it. Within one object events stand in the order of their sequence, whatever the nodes' clocks say.

use super::delivery::Listeners;
use super::event::{EventRow, EventType};
use crate::db::schema::{agency, airline, event, event_cursor, event_feed, facility, node, organisation};
use crate::db::{Contended, Db, DbError, RowSet, Store, WriteTx, ensure_rows, insert, lock, rows};
use crate::ids::{AgencyId, EventId, Id, OrganisationId, node_of};
use diesel::dsl::max;
use diesel::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

rows! {
    pub struct FeedRow in event_feed {
        organisation_id: i64,
        position: i64,
        node: i64,
        event_id: i64,
    }

    pub struct CursorRow in event_cursor {
        node: i64,
        last_event_id: i64,
    }
}

/// The feed that has every event.
pub fn operator_feed() -> OrganisationId {
    OrganisationId::of(0)
}

/// Events of one node in one pass at most. After a full pass there may be more.
const BATCH: i64 = 1_000;
pub const FULL_PASS: usize = 1_000;

/// Node by node, up to which event everything is published.
type Cursors = BTreeMap<i64, i64>;

/// An event and the organisations whose feeds it belongs to.
struct Placed {
    event: EventRow,
    feeds: BTreeSet<i64>,
}

/// What a pass has read.
struct Pass {
    cursors: Cursors,
    placed: Vec<Placed>,
}

/// Publishes what was committed since the last pass; answers how many events. Any node may do it at any time.
pub fn publish(store: &Store) -> Result<usize, DbError> {
    let pass = store.snapshot(read_pass)?;
    if pass.placed.is_empty() {
        return Ok(0);
    }
    store.write(|tx| write_pass(tx, &pass))
}

fn read_pass(db: &mut Db) -> Result<Pass, DbError> {
    let cursors = cursors(db)?;
    let nodes: Vec<i64> = node::table.select(node::id).order(node::id).load(db)?;
    let mut queues = Vec::new();
    for node in nodes {
        let above = cursors.get(&node).copied().unwrap_or(0);
        let unpublished = event::table.filter(event::node.eq(node)).filter(event::id.gt(above));
        let rows: Vec<EventRow> = unpublished.order(event::id).limit(BATCH).select(EventRow::as_select()).load(db)?;
        queues.push(VecDeque::from(rows));
    }
    let published = published_sequences(db, &cursors, &queues)?;
    let events = in_order(queues, published);
    Ok(Pass { cursors, placed: concerned(db, events)? })
}

fn cursors(db: &mut Db) -> Result<Cursors, DbError> {
    let rows: Vec<CursorRow> = event_cursor::table.select(CursorRow::as_select()).load(db)?;
    Ok(rows.into_iter().map(|row| (row.node, row.last_event_id)).collect())
}

/// The last published sequence of every object that has events from before.
fn published_sequences(db: &mut Db, cursors: &Cursors, queues: &[VecDeque<EventRow>]) -> Result<HashMap<String, i64>, DbError> {
    let later = queues.iter().flatten().filter(|event| event.sequence > 1).map(|event| event.object_id.clone());
    let objects: Vec<String> = later.collect::<BTreeSet<_>>().into_iter().collect();
    if objects.is_empty() {
        return Ok(HashMap::new());
    }
    let known = event::table.filter(event::object_id.eq_any(objects));
    let known: Vec<(String, i64, i64, i64)> =
        known.select((event::object_id, event::sequence, event::node, event::id)).load(db)?;
    let mut published = HashMap::new();
    for (object, sequence, node, id) in known {
        if cursors.get(&node).is_some_and(|last| id <= *last) {
            let last = published.entry(object).or_insert(0);
            *last = sequence.max(*last);
        }
    }
    Ok(published)
}

/// Oldest id first, except that an event never comes before an earlier one of its object: then its node's queue waits. What waits for an event that
/// this pass did not read stays for the next one.
fn in_order(mut queues: Vec<VecDeque<EventRow>>, mut last: HashMap<String, i64>) -> Vec<EventRow> {
    let mut events = Vec::new();
    loop {
        let heads = queues.iter().enumerate().filter_map(|(index, queue)| queue.front().map(|head| (index, head)));
        let is_next = |head: &EventRow| last.get(&head.object_id).copied().unwrap_or(0) + 1 == head.sequence;
        let next = heads.filter(|(_, head)| is_next(head)).min_by_key(|(_, head)| head.id).map(|(index, _)| index);
        let taken = next.and_then(|index| queues.get_mut(index)).and_then(VecDeque::pop_front);
        let Some(event) = taken else { return events };
        last.insert(event.object_id.clone(), event.sequence);
        events.push(event);
    }
}

fn concerned(db: &mut Db, events: Vec<EventRow>) -> Result<Vec<Placed>, DbError> {
    let ids = |of: fn(&EventRow) -> Option<i64>| events.iter().filter_map(of).collect::<BTreeSet<i64>>().into_iter().collect();
    let (agencies, airlines, lines): (Vec<i64>, Vec<i64>, Vec<i64>) =
        (ids(|event| event.agency_id), ids(|event| event.airline_id), ids(|event| event.facility_id));
    let mut owners: HashMap<i64, i64> = HashMap::new();
    let of_agencies = agency::table.filter(agency::id.eq_any(agencies)).select((agency::id, agency::organisation_id));
    owners.extend(of_agencies.load::<(i64, i64)>(db)?);
    let of_airlines = airline::table.filter(airline::id.eq_any(airlines)).select((airline::id, airline::organisation_id));
    owners.extend(of_airlines.load::<(i64, i64)>(db)?);
    let of_lines = facility::table.filter(facility::id.eq_any(lines)).select((facility::id, facility::organisation_id));
    owners.extend(of_lines.load::<(i64, i64)>(db)?);
    let placed = events.into_iter().map(|event| {
        let parties = [event.agency_id, event.airline_id, event.facility_id].into_iter().flatten();
        let mut feeds: BTreeSet<i64> = parties.filter_map(|party| owners.get(&party).copied()).collect();
        feeds.insert(operator_feed().raw());
        Placed { event, feeds }
    });
    Ok(placed.collect())
}

fn write_pass(tx: &mut WriteTx, pass: &Pass) -> Result<usize, DbError> {
    lock(tx, Contended::EventHead, &[0])?;
    if cursors(tx.db)? != pass.cursors {
        // Somebody else published what was read here.
        return Ok(0);
    }
    let last = feed_head(tx.db, operator_feed())?;
    let (listeners, operators) = (Listeners::now(tx)?, operators(tx.db)?);
    let (mut feeds, mut deliveries, mut moved) = (Vec::new(), Vec::new(), Cursors::new());
    for (place, Placed { event, feeds: organisations }) in (1..).zip(&pass.placed) {
        let position = last + place;
        moved.insert(event.node, event.id);
        let row =
            |organisation_id: &i64| FeedRow { organisation_id: *organisation_id, position, node: event.node, event_id: event.id };
        feeds.extend(organisations.iter().map(row));
        let hears = |listener: OrganisationId| operators.contains(&listener.raw()) || organisations.contains(&listener.raw());
        deliveries.extend(listeners.deliveries(tx, event, hears));
    }
    insert(tx, &[RowSet::of(&feeds), RowSet::of(&deliveries)])?;
    for (node, last) in moved {
        ensure_rows(tx, &[CursorRow { node, last_event_id: 0 }])?;
        let cursor = event_cursor::table.find(node);
        diesel::update(cursor).set(event_cursor::last_event_id.eq(last)).execute(&mut *tx.db)?;
    }
    Ok(pass.placed.len())
}

/// Who hears everything.
fn operators(db: &mut Db) -> Result<Vec<i64>, DbError> {
    Ok(organisation::table.filter(organisation::kind.eq("operator")).select(organisation::id).load(db)?)
}

/// Whose feed, and of what in it.
#[derive(Clone, Debug)]
pub struct FeedFilter {
    pub organisation: OrganisationId,
    /// One agency of the organisation, or all of it.
    pub agency: Option<AgencyId>,
    /// Empty: all.
    pub kinds: Vec<EventType>,
}

/// What stands behind a position, in order.
pub fn feed_after(db: &mut Db, filter: &FeedFilter, position: i64, limit: i64) -> Result<Vec<(i64, EventRow)>, DbError> {
    let joined =
        event_feed::table.inner_join(event::table.on(event::node.eq(event_feed::node).and(event::id.eq(event_feed::event_id))));
    let of_organisation = joined.filter(event_feed::organisation_id.eq(filter.organisation.raw()));
    let mut query =
        of_organisation.filter(event_feed::position.gt(position)).order(event_feed::position).limit(limit).into_boxed();
    if let Some(agency) = filter.agency {
        query = query.filter(event::agency_id.eq(Some(agency.raw())));
    }
    if !filter.kinds.is_empty() {
        query = query.filter(event::kind.eq_any(filter.kinds.iter().map(|kind| kind.text()).collect::<Vec<_>>()));
    }
    Ok(query.select((event_feed::position, EventRow::as_select())).load(db)?)
}

/// An event, published or not.
pub fn event(db: &mut Db, id: EventId) -> Result<Option<EventRow>, DbError> {
    let row = event::table.find((i64::from(node_of(id.raw())), id.raw()));
    Ok(row.select(EventRow::as_select()).first(db).optional()?)
}

/// The last position of a feed; 0 while it is empty.
pub fn feed_head(db: &mut Db, organisation: OrganisationId) -> Result<i64, DbError> {
    let own = event_feed::table.filter(event_feed::organisation_id.eq(organisation.raw()));
    Ok(own.select(max(event_feed::position)).first::<Option<i64>>(db)?.unwrap_or(0))
}

/// Those of some organisations whose feeds have something behind a position.
pub fn feeds_with_news(db: &mut Db, organisations: &[i64], position: i64) -> Result<Vec<i64>, DbError> {
    let later = event_feed::table.filter(event_feed::organisation_id.eq_any(organisations.to_vec()));
    let later = later.filter(event_feed::position.gt(position));
    Ok(later.select(event_feed::organisation_id).distinct().load(db)?)
}

/// What a request caused, the newest first.
pub fn events_of_request(db: &mut Db, request: &str, limit: i64) -> Result<Vec<EventRow>, DbError> {
    let caused = event::table.filter(event::request_id.eq(request.to_owned())).order(event::id.desc());
    Ok(caused.limit(limit).select(EventRow::as_select()).load(db)?)
}

/// Whether an organisation's feed has an event, once it is published.
pub fn concerns(db: &mut Db, event: &EventRow, organisation: OrganisationId) -> Result<bool, DbError> {
    let placed = concerned(db, vec![event.clone()])?;
    Ok(placed.iter().any(|placed| placed.feeds.contains(&organisation.raw())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;

    fn event(node: i64, id: i64, object: &str, sequence: i64) -> EventRow {
        EventRow {
            node,
            id,
            kind: "order.created".into(),
            object_id: object.into(),
            sequence,
            agency_id: None,
            airline_id: None,
            facility_id: None,
            refs: "{}".into(),
            request_id: String::new(),
            created_at: NaiveDateTime::MIN,
        }
    }

    fn ids(queues: Vec<Vec<EventRow>>, published: &[(&str, i64)]) -> Vec<i64> {
        let published = published.iter().map(|(object, last)| ((*object).to_owned(), *last)).collect();
        in_order(queues.into_iter().map(VecDeque::from).collect(), published).iter().map(|event| event.id).collect()
    }

    #[test]
    fn events_of_an_object_stay_in_order_when_the_clocks_of_two_nodes_differ() {
        // Node 1 runs ahead; node 2 changed the order afterwards and gave out an earlier id.
        let queues = vec![vec![event(1, 90, "a", 1), event(1, 91, "b", 1)], vec![event(2, 10, "a", 2), event(2, 11, "c", 1)]];
        assert_eq!(ids(queues, &[]), [90, 10, 11, 91]);
    }

    #[test]
    fn what_follows_an_event_that_was_not_read_waits_for_it() {
        let queues = vec![vec![event(1, 5, "z", 1)], vec![event(2, 10, "a", 2), event(2, 11, "c", 1)]];
        assert_eq!(ids(queues.clone(), &[]), [5]);
        assert_eq!(ids(queues, &[("a", 1)]), [5, 10, 11]);
    }
}
