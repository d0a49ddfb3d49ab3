//! Velocity in the posting path: an order as its rules see it, and the windows filled from the records.

use super::decide::Facts;
use super::issue::Mode;
use super::journey::moment_at;
use super::plan::{IssueOrder, TicketPlan};
use super::refusal::Refusal;
use crate::agencies::{AgencyStatus, FreezeScope, FrozenScopes};
use crate::audit::{Actor, ActorId, Cause};
use crate::catalogue::Catalogue;
use crate::clock::Timestamp;
use crate::credit::score::counted_to;
use crate::credit::{Grounds, Target, throw};
use crate::db::schema::agency_day_part;
use crate::db::{Db, DbError, Store, WriteTx, is_accompanied};
use crate::ids::{AgencyId, AirlineId, HOUR, Id, OrderId, node_of};
use crate::money::Currency;
use crate::risk::velocity::{self as rules, BELATED, Filling, Route, Rule, Sale, Usual, Velocity, hit_row, rules_in_force};
use chrono::{Days, Duration, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp as SqlTimestamp};
use diesel::{QueryableByName, sql_query};
use std::collections::BTreeMap;

/// When the first flight of these tickets leaves.
pub fn departs_at(catalogue: &Catalogue, tickets: &[TicketPlan]) -> Timestamp {
    let first = tickets.iter().filter_map(|ticket| ticket.coupons.first());
    let first = first.map(|coupon| moment_at(catalogue, &coupon.origin, coupon.departing_at)).min();
    first.unwrap_or(Timestamp::from(NaiveDateTime::MAX))
}

fn hour_in(zone: Tz, at: Timestamp) -> u32 {
    zone.from_utc_datetime(&at.naive()).hour()
}

/// Its tickets; none of an order that is only held, or whose agency is gone.
pub(super) fn sales_of(facts: &Facts, order: &IssueOrder) -> Vec<Sale> {
    let Some(seller) = facts.agencies.get(&order.agency) else { return Vec::new() };
    if matches!(order.intent, super::plan::Intent::Hold(_)) {
        return Vec::new();
    }
    let sale = |ticket: &TicketPlan| {
        let first = ticket.coupons.first()?;
        Some(Sale {
            agency: order.agency,
            by: order.cause.actor.by,
            airline: order.airline,
            route: Route::of(&first.origin, &first.destination),
            currency: order.currency,
            price_minor: ticket.split.price.minor,
            at: facts.now,
            hour: hour_in(seller.agency.zone, facts.now),
            departs_at: order.departs_at,
        })
    };
    order.tickets.iter().filter_map(sale).collect()
}

/// What the rules say about an order that may be sold otherwise. One that freezes its agency refuses its next orders of the batch too.
pub(super) fn admit(facts: &mut Facts, order: &IssueOrder) -> Result<(), Refusal> {
    if facts.watch.is_none() {
        return Ok(());
    }
    let sales = sales_of(facts, order);
    let Some(watch) = facts.watch.as_mut() else { return Ok(()) };
    let Err(stopped) = watch.admit(order.claim, &sales) else { return Ok(()) };
    if stopped.mode == rules::Mode::Freeze
        && let Some(seller) = facts.agencies.get_mut(&order.agency)
    {
        seller.agency.status = AgencyStatus::Frozen;
        facts.to_freeze.push((order.agency, stopped.code.clone()));
    }
    Err(Refusal::VelocityExceeded { code: stopped.code })
}

/// What a batch has met: rows with their events, and agencies that are frozen with it. `orders` are those that are sold, by their claims.
pub(super) fn hits_of(
    tx: &mut WriteTx,
    facts: &Facts,
    orders: &BTreeMap<i64, OrderId>,
) -> (Vec<rules::VelocityHitRow>, Vec<crate::notify::EventRow>) {
    let hits = facts.watch.iter().flat_map(|watch| &watch.hits);
    hits.filter_map(|hit| hit_row(tx, hit, orders.get(&hit.order).copied())).unzip()
}

/// The kill switch of its sales, which two people lift.
pub(super) fn freeze(tx: &mut WriteTx, facts: &Facts) -> Result<(), DbError> {
    let cause = Cause { actor: Actor::platform(), request_id: String::new() };
    for (agency, code) in &facts.to_freeze {
        let target = Target::Agency(*agency, FrozenScopes::of([FreezeScope::Issue]));
        let thrown = throw(tx, &cause, &target, Grounds::Operator, &format!("velocity rule {code}"));
        thrown.map_err(|error| DbError::Corrupt(error.to_string()))?;
    }
    Ok(())
}

/// The watch over a batch, in the mode that sells or only says what would be.
pub(super) fn watch_over(velocity: &Velocity, facts: &mut Facts, orders: &[&IssueOrder]) {
    if !velocity.is_watching() {
        return;
    }
    let sales: Vec<Sale> = orders.iter().flat_map(|order| sales_of(facts, order)).collect();
    facts.watch = velocity.watch(&sales, facts.now);
}

pub(super) fn stage(velocity: &Velocity, facts: &mut Facts, mode: Mode) {
    if mode == Mode::Sell {
        velocity.stage(facts.watch.take());
    }
}

/// Brings the windows up to date with the rules of today and with what is usual, and forgets what is past. They are filled from the records where they are not
/// those of today's rules: after a start, and whenever a rule changes.
pub fn refresh_velocity(store: &Store, catalogue: &Catalogue, velocity: &Velocity) -> Result<(), DbError> {
    let now = store.clock().now();
    let today = now.date_in(store.zone());
    let (rules, counted) = store.read(|db| Ok::<_, DbError>((rules_in_force(db, today)?, counted_to(db)?)))?;
    if velocity.is_current(&rules, counted) {
        velocity.tidy(now);
        return if rules.is_empty() { Ok(()) } else { hear_others(store, catalogue, velocity, now) };
    }
    // In the writer's turn: every commit before is in the records by then, and what is sold from then on is kept.
    let up_to = store.write(|tx| {
        velocity.begin_filling();
        Ok::<_, DbError>(tx.now)
    })?;
    let own = store.node();
    let filling = store.read(|db| fill(db, catalogue, rules, counted, (own, up_to)))?;
    velocity.fill(filling, up_to);
    Ok(())
}

/// What other nodes have sold of late. No statement but one where there are none.
fn hear_others(store: &Store, catalogue: &Catalogue, velocity: &Velocity, now: Timestamp) -> Result<(), DbError> {
    let own = store.node();
    let sold = store.read(|db| {
        if !is_accompanied(db, own)? {
            return Ok(Vec::new());
        }
        sold_between(db, catalogue, now.plus(-BELATED), now.plus(BELATED), Some(own))
    })?;
    velocity.hear(&sold);
    Ok(())
}

fn fill(
    db: &mut Db,
    catalogue: &Catalogue,
    rules: Vec<Rule>,
    counted: Option<NaiveDate>,
    (own, up_to): (u16, Timestamp),
) -> Result<Filling, DbError> {
    let (has_rules, by_usual) = (!rules.is_empty(), rules.iter().any(|rule| rule.usual_factor.is_some()));
    let mut filling = Filling::of(rules, counted);
    if !has_rules {
        return Ok(filling);
    }
    if let Some(counted) = counted {
        if by_usual {
            fill_usual(db, counted, &mut filling)?;
        }
        if filling.needs_routes() {
            fill_routes(db, counted, &mut filling)?;
        }
    }
    let mut from = up_to.plus(-Filling::reach());
    while from < up_to {
        let until = from.plus(SLICE).min(up_to.plus(Duration::microseconds(1)));
        for (ticket, sale) in sold_between(db, catalogue, from, until, None)? {
            if node_of(ticket) == own { filling.count(&sale) } else { filling.count_stranger(ticket, &sale) }
        }
        from = until;
    }
    Ok(filling)
}

/// What is read of the records at a time.
const SLICE: Duration = Duration::hours(1);
const USUAL_DAYS: i64 = 28;
const KNOWN_DAYS: u64 = 91;

fn fill_usual(db: &mut Db, counted: NaiveDate, filling: &mut Filling) -> Result<(), DbError> {
    #[derive(QueryableByName)]
    struct Sums {
        #[diesel(sql_type = BigInt)]
        agency_id: i64,
        #[diesel(sql_type = BigInt)]
        tickets: i64,
        #[diesel(sql_type = BigInt)]
        sold: i64,
    }
    let first = counted - Duration::days(USUAL_DAYS - 1);
    let text = "SELECT agency_id, CAST(SUM(tickets) AS BIGINT) AS tickets, CAST(SUM(sold_minor) AS BIGINT) AS sold
        FROM agency_day WHERE day >= $1 GROUP BY agency_id";
    let sums: Vec<Sums> = sql_query(text).bind::<diesel::sql_types::Date, _>(first).load(db)?;
    for Sums { agency_id, tickets, sold } in sums {
        filling.usually(AgencyId::of(agency_id), Usual { tickets, sold_minor: sold, days: USUAL_DAYS });
    }
    Ok(())
}

fn fill_routes(db: &mut Db, counted: NaiveDate, filling: &mut Filling) -> Result<(), DbError> {
    use agency_day_part as part;
    let first = counted.checked_sub_days(Days::new(KNOWN_DAYS)).unwrap_or(counted);
    let routes = part::table.filter(part::kind.eq("route")).filter(part::day.ge(first));
    let routes: Vec<(i64, String)> = routes.select((part::agency_id, part::part)).distinct().load(db)?;
    for (agency, route) in routes {
        let route = Route::parse(&route).ok_or_else(|| DbError::Corrupt(format!("route {route} of agency {agency}")))?;
        filling.knows(AgencyId::of(agency), route);
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Sold {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    agency_id: i64,
    #[diesel(sql_type = BigInt)]
    airline_id: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = BigInt)]
    price_minor: i64,
    #[diesel(sql_type = SqlTimestamp)]
    issued_at: NaiveDateTime,
    #[diesel(sql_type = Text)]
    origin: String,
    #[diesel(sql_type = Text)]
    destination: String,
    #[diesel(sql_type = SqlTimestamp)]
    departing_at: NaiveDateTime,
    #[diesel(sql_type = Text)]
    zone: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    key_id: Option<i64>,
}

#[derive(QueryableByName)]
struct Ids {
    #[diesel(sql_type = Nullable<BigInt>)]
    first: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    last: Option<i64>,
}

/// Who sold is written by the audit of the same commit: its ids follow those of the tickets closely.
const SOLD: &str = "SELECT t.id AS id, t.agency_id AS agency_id, t.airline_id AS airline_id, t.currency AS currency, t.price_minor AS price_minor,
        t.issued_at AS issued_at, c.origin AS origin, c.destination AS destination, c.departing_at AS departing_at, a.zone AS zone,
        k.key_id AS key_id
    FROM ticket t JOIN coupon c ON c.ticket_id = t.id AND c.number = 1 JOIN agency a ON a.id = t.agency_id
    LEFT JOIN (SELECT e.subject_id AS subject_id, e.key_id AS key_id FROM audit_event e
        WHERE e.id >= $1 AND e.id <= $2 AND e.action IN ('order.issue', 'order.pay')) k ON k.subject_id = t.order_id
    WHERE t.issued_at >= $3 AND t.issued_at < $4 AND NOT EXISTS (SELECT 1 FROM ticket_exchange x WHERE x.ticket_id = t.id)
        AND (t.id / 4096) % 1024 <> $5
    ORDER BY t.issued_at, t.id";

/// By all nodes, or by all but one.
fn sold_between(
    db: &mut Db,
    catalogue: &Catalogue,
    from: Timestamp,
    until: Timestamp,
    but: Option<u16>,
) -> Result<Vec<(i64, Sale)>, DbError> {
    let text = "SELECT MIN(id) AS first, MAX(id) AS last FROM ticket WHERE issued_at >= $1 AND issued_at < $2";
    let ids = sql_query(text).bind::<SqlTimestamp, _>(from.naive()).bind::<SqlTimestamp, _>(until.naive());
    let ids: Ids = ids.get_result(db)?;
    let (Some(first), Some(last)) = (ids.first, ids.last) else { return Ok(Vec::new()) };
    let sold = sql_query(SOLD).bind::<BigInt, _>(first).bind::<BigInt, _>(last.saturating_add(HOUR));
    let sold = sold.bind::<SqlTimestamp, _>(from.naive()).bind::<SqlTimestamp, _>(until.naive());
    let sold: Vec<Sold> = sold.bind::<BigInt, _>(but.map_or(-1, i64::from)).load(db)?;
    let sale = |row: Sold| {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of agency {}", row.agency_id));
        let (at, zone) = (Timestamp::from(row.issued_at), row.zone.parse::<Tz>().map_err(|_| corrupt("zone"))?);
        let sale = Sale {
            agency: AgencyId::of(row.agency_id),
            by: ActorId::of(row.key_id.unwrap_or(0)),
            airline: AirlineId::of(row.airline_id),
            route: Route::of(&row.origin, &row.destination),
            currency: Currency::parse(&row.currency).map_err(|_| corrupt("currency"))?,
            price_minor: row.price_minor,
            at,
            hour: hour_in(zone, at),
            departs_at: moment_at(catalogue, &row.origin, row.departing_at),
        };
        Ok((row.id, sale))
    };
    sold.into_iter().map(sale).collect()
}
