//! The night of very many agencies: their day is counted and they are decided, page by page, in bounded memory and within a minute for a hundred thousand.

use crate::database::Engine;
use crate::scores::card;
use crate::world::World;
use airsettle::credit::score::adopt_score_card;
use airsettle::ids::Id;
use chrono::Days;
use std::time::Instant;

on_both_engines!(the_night_of_very_many_agencies_is_short);

/// Seconds for all of it.
const AT_MOST_SECS: u64 = 60;
/// What the process may grow by meanwhile, in kB.
const MEMORY_KB: u64 = 200_000;

/// Numbers begin behind every id that was given out in the same millisecond.
const FIRST: i64 = 2_000_001;

/// AIRSETTLE_TEST_LONG=1 makes it a hundred thousand.
fn how_many() -> i64 {
    if std::env::var("AIRSETTLE_TEST_LONG").is_ok() { 100_000 } else { 2_500 }
}

/// The most memory that the process has had at once, where the machine says.
fn peak_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}

/// Agencies like the first one, each with a ticket of yesterday, ten counted days of thirteen weeks on three routes and two airlines, two cycles that fell due,
/// one of them late for every tenth, and a deposit.
fn copies(world: &World, more: i64) -> Vec<String> {
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT {FIRST} UNION ALL SELECT i + 1 FROM n WHERE i < {FIRST} + {more} - 1)");
    let days = "d(day) AS (SELECT day FROM calendar_of_test)";
    let of = world.agency.raw();
    let today = world.today();
    let cast = |day: chrono::NaiveDate| format!("(SELECT day FROM calendar_of_test WHERE place = {})", (today - day).num_days());
    let (due, billed) = (cast(today - Days::new(10)), cast(today - Days::new(20)));
    vec![
        format!(
            "INSERT INTO agency (id, organisation_id, parent_id, numeric_code, name, country, zone, currency, status, tender_order, created_at, tier,
                max_unpaid_holds, caution)
             {numbers} SELECT a.id + n.i, a.organisation_id, a.parent_id, 'C' || n.i, a.name, a.country, a.zone, a.currency, a.status, a.tender_order,
                a.created_at, a.tier, a.max_unpaid_holds, '' FROM agency a, n WHERE a.id = {of}"
        ),
        format!(
            "INSERT INTO air_order (id, organisation_id, agency_id, airline_id, offer_id, contract_id, booking_reference, tender, currency,
                base_minor, tax_minor, total_minor, cycle, metadata, created_at, issued_at, agency_tier)
             {numbers} SELECT o.id + n.i, o.organisation_id, o.agency_id + n.i, o.airline_id, o.offer_id + n.i, o.contract_id, 'C' || n.i, o.tender,
                o.currency, o.base_minor, o.tax_minor, o.total_minor, o.cycle, o.metadata, o.created_at, o.issued_at, o.agency_tier FROM air_order o, n"
        ),
        format!(
            "INSERT INTO ticket (id, number, order_id, passenger_id, agency_id, airline_id, contract_id, issued_at, issue_date, currency, base_minor,
                tax_minor, price_minor, airline_minor, authority_minor, commission_minor, fee_minor, fare_calculation)
             {numbers} SELECT t.id + n.i, 'C' || n.i, t.order_id + n.i, t.passenger_id, t.agency_id + n.i, t.airline_id, t.contract_id, t.issued_at,
                t.issue_date, t.currency, t.base_minor, t.tax_minor, t.price_minor, t.airline_minor, t.authority_minor, t.commission_minor,
                t.fee_minor, t.fare_calculation FROM ticket t, n"
        ),
        format!(
            "INSERT INTO coupon (id, ticket_id, number, slice, carrier, flight_number, aircraft, origin, destination, departing_at, arriving_at,
                duration_minutes, distance_km, booking_class, cabin, fare_brand, fare_basis, base_minor, checked_bag_kg, seat_bucket_id, seats, status,
                commission_rule_id, commission_minor)
             {numbers} SELECT c.id + n.i, c.ticket_id + n.i, c.number, c.slice, c.carrier, c.flight_number, c.aircraft, c.origin, c.destination,
                c.departing_at, c.arriving_at, c.duration_minutes, c.distance_km, c.booking_class, c.cabin, c.fare_brand, c.fare_basis, c.base_minor,
                c.checked_bag_kg, c.seat_bucket_id, c.seats, c.status, c.commission_rule_id, c.commission_minor FROM coupon c, n"
        ),
        format!(
            "INSERT INTO agency_day (agency_id, day, tickets, sold_minor, credit_minor, night, near_departure, voided, refunded)
             {numbers}, {days} SELECT {of} + n.i, d.day, 3, 300000 + n.i, 300000, 1, 0, 1, 0 FROM n, d"
        ),
        format!(
            "INSERT INTO agency_day_part (agency_id, day, kind, part, tickets)
             {numbers}, {days}, p(kind, part) AS (SELECT 'airline', '1' UNION ALL SELECT 'airline', '2' UNION ALL SELECT 'route', 'PEKSHA'
                UNION ALL SELECT 'route', 'PEKCAN' UNION ALL SELECT 'route', 'SHACAN')
             SELECT {of} + n.i, d.day, p.kind, p.part, 1 FROM n, d, p"
        ),
        format!(
            "INSERT INTO obligation (id, agency_id, currency, cycle, contract_id, statement_id, billed_minor, closed_on, due_on, late_rate_e8,
                financing_rate_e8, free_days, state, state_since, charged_through, created_at)
             {numbers}, c(k) AS (SELECT 1 UNION ALL SELECT 2) SELECT a.id + n.i * 2 + c.k, a.id + n.i, 'CNY', '2026-0' || c.k || '-H1', NULL, n.i, 300000,
                {billed}, {due}, 0, 0, 0, 'paid', {due}, NULL, a.created_at FROM agency a, n, c WHERE a.id = {of}"
        ),
        format!(
            "INSERT INTO risk_event (id, agency_id, kind, subject_id, day, created_at)
             {numbers} SELECT a.id + n.i, a.id + n.i, 'late_remittance', a.id + n.i * 2 + 1, {due}, a.created_at FROM agency a, n WHERE a.id = {of}
                AND n.i % 10 = 0"
        ),
        format!(
            "INSERT INTO bank_receipt (id, account, amount_minor, currency, value_date, bank_reference, agency_id, airline_id, cycle, commission_minor,
                posting_id, created_at, purpose)
             {numbers} SELECT r.id + n.i, r.account, r.amount_minor, r.currency, r.value_date, 'C' || n.i, r.agency_id + n.i, NULL, NULL, 0, r.posting_id,
                r.created_at, r.purpose FROM bank_receipt r, n WHERE r.agency_id = {of}"
        ),
    ]
}

/// The days of a test, which both engines write in their own way: counted back from today.
fn calendar(world: &World) -> Vec<String> {
    let day = |place: i64| (world.today() - chrono::Duration::days(place)).to_string();
    let rows: Vec<String> = (2..92).step_by(9).chain([10]).map(|place| format!("({place}, '{}')", day(place))).collect();
    let rest = format!("INSERT INTO calendar_of_test VALUES {}", rows.join(", "));
    let column = if world.database.engine == Engine::Sqlite { "TEXT" } else { "DATE" };
    vec![format!("CREATE TABLE calendar_of_test (place BIGINT, day {column})"), rest]
}

fn the_night_of_very_many_agencies_is_short(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    let yesterday = world.today() + Days::new(100);
    world.goes_to(yesterday);
    world.sells(world.order());
    world.goes_to(yesterday + Days::new(1));
    let (number, today) = (how_many(), world.today());
    for text in calendar(&world).iter().chain(&copies(&world, number - 1)) {
        world.database.as_owner(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    }
    let counted = format!("INSERT INTO setting (name, value) VALUES ('agency_days_counted_to', '{}')", yesterday - Days::new(1));
    world.database.as_owner(&counted).unwrap();
    if engine == Engine::Postgres {
        world.database.as_owner("ANALYZE").unwrap();
    }
    world.store.write(|tx| adopt_score_card(tx, card(today))).unwrap();
    let (before, began) = (peak_kb(), Instant::now());
    world.counts_days();
    let counted = began.elapsed();
    let statements = world.store.statements().count();
    let decided = world.scores_agencies();
    let took = began.elapsed();
    let statements = world.store.statements().count() - statements;
    let grown = before.zip(peak_kb()).map(|(before, after)| after - before);
    println!(
        "{engine:?}: {decided} agencies decided in {took:?} (limit {AT_MOST_SECS} s), of which their day was counted in {counted:?}; \
         peak memory grew by {grown:?} kB (limit {MEMORY_KB} kB); {statements} statements"
    );
    assert_eq!(i64::try_from(decided).unwrap(), number + 1, "with the prepaid one");
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM agency WHERE caution <> ''"), number + 1);
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM score WHERE inputs LIKE '%history_late=1%'"), (number - 1) / 10);
    let again = Instant::now();
    assert_eq!(world.scores_agencies(), 0, "nothing is left to do");
    assert!(again.elapsed().as_secs() < AT_MOST_SECS && took.as_secs() < AT_MOST_SECS, "{took:?}");
    assert!(grown.is_none_or(|grown| grown < MEMORY_KB), "{grown:?} kB");
}
