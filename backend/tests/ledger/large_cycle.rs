//! A cycle of very many tickets is billed page by page: in bounded memory, and within two minutes for a million of them.

use crate::database::Engine;
use crate::world::World;
use airsettle::agencies::CycleRule;
use airsettle::db::{Db, DbError};
use chrono::Days;
use diesel::connection::SimpleConnection;

on_both_engines!(a_cycle_of_very_many_tickets_is_billed_in_time);

/// AIRSETTLE_TEST_LONG=1 makes it a million.
fn how_many() -> i64 {
    if std::env::var("AIRSETTLE_TEST_LONG").is_ok() { 1_000_000 } else { 10_000 }
}

/// Copies of an order and its ticket, without their postings: what a statement is made of.
fn copies(world: &World, more: i64) {
    let count = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})");
    let order = format!(
        "INSERT INTO air_order (id, organisation_id, agency_id, airline_id, offer_id, contract_id, booking_reference, tender, currency,
            base_minor, tax_minor, total_minor, cycle, metadata, created_at, issued_at, agency_tier)
         {count} SELECT o.id + n.i, o.organisation_id, o.agency_id, o.airline_id, o.offer_id + n.i, o.contract_id, 'C' || n.i, o.tender,
            o.currency, o.base_minor, o.tax_minor, o.total_minor, o.cycle, o.metadata, o.created_at, o.issued_at, o.agency_tier
         FROM air_order o, n"
    );
    let ticket = format!(
        "INSERT INTO ticket (id, number, order_id, passenger_id, agency_id, airline_id, contract_id, issued_at, issue_date, currency, base_minor,
            tax_minor, price_minor, airline_minor, authority_minor, commission_minor, fee_minor, fare_calculation)
         {count} SELECT t.id + n.i, 'C' || n.i, t.order_id + n.i, t.passenger_id, t.agency_id, t.airline_id, t.contract_id, t.issued_at,
            t.issue_date, t.currency, t.base_minor, t.tax_minor, t.price_minor, t.airline_minor, t.authority_minor, t.commission_minor,
            t.fee_minor, t.fare_calculation FROM ticket t, n"
    );
    world
        .store
        .write(|tx| {
            for text in [&order, &ticket] {
                match &mut *tx.db {
                    Db::Sqlite(connection) => connection.batch_execute(text)?,
                    Db::Postgres(connection) => connection.batch_execute(text)?,
                }
            }
            // Past everything that was copied.
            tx.ids.block(usize::try_from(more).unwrap() + 10);
            Ok::<_, DbError>(())
        })
        .unwrap();
}

fn a_cycle_of_very_many_tickets_is_billed_in_time(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    let cycle = CycleRule::HalfMonthly.cycle_of(world.today());
    world.sells(world.order());
    let number = how_many();
    copies(&world, number - 1);
    world.goes_to(cycle.last_day() + Days::new(1));
    let started = std::time::Instant::now();
    let billed = world.bills();
    let took = started.elapsed();
    println!("{engine:?}: {number} tickets billed in {took:?}");
    assert_eq!(billed[0].billed_minor, number * 97_000);
    assert_eq!(world.number("SELECT line_count AS value FROM billing_statement"), number);
    assert!(took.as_secs() < 120, "{took:?}");
}
