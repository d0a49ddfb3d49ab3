//! Tickets before the measurement, through `issue_all` in process; and its own speed.

use crate::stage::Stage;
use airsettle::agencies::{AgencyRow, contracts_of};
use airsettle::airlines::airline_by_code;
use airsettle::audit::{Actor, Cause};
use airsettle::catalogue::split::{Tax, split};
use airsettle::clock::{Clock, Timestamp};
use airsettle::credit::{BankOutcome, BankSaid, record_outcomes, start_sending};
use airsettle::db::{DbError, Store, StoreConfig};
use airsettle::identity::{Fields, IdempotencyKey};
use airsettle::ids::{AdvanceId, AgencyId, Id, KeyId, OfferId, OrganisationId, PassengerId};
use airsettle::ledger::{Chart, has_unsealed, seal_pending};
use airsettle::money::{Currency, Money};
use airsettle::notify::{FULL_PASS, publish};
use airsettle::ordering::{Draw, Sealed, TenderWish};
use airsettle::risk::velocity::Velocity;
use airsettle::ticketing::{CouponPlan, Intent, IssueOrder, Mode, Outcome, PassengerPlan, SeatDemand, TicketPlan, issue_all};
use diesel::prelude::*;
use std::time::{Duration, Instant};

pub struct Filled {
    pub issued_per_second: f64,
    pub batch_latencies: Vec<f64>,
}

const BATCH: usize = 256;
/// How many of the last tickets are measured.
const MEASURED: usize = 20_000;

pub fn fill(stage: &Stage, tickets: usize) -> Filled {
    let config = StoreConfig { url: stage.database_url(), readers: 2, patience: Duration::from_secs(5) };
    let store = Store::open(&config, Clock::system(), chrono_tz::Asia::Shanghai).unwrap();
    let (chart, velocity) = (Chart::default(), Velocity::default());
    let plans = plans(&store);
    let (mut made, mut timed, mut latencies) = (0, Duration::ZERO, Vec::new());
    let mut measured = 0;
    while made < tickets {
        let batch: Vec<IssueOrder> =
            (0..BATCH).map(|place| order(&store, &plans[(made + place) % plans.len()], made + place)).collect();
        let began = Instant::now();
        let outcomes = store.write(|tx| issue_all(tx, (&chart, &velocity), &batch, Mode::Sell)).unwrap();
        let took = began.elapsed();
        let refused = outcomes.iter().find(|outcome| !matches!(outcome, Outcome::Issued(_)));
        assert!(refused.is_none(), "{refused:?}");
        made += BATCH;
        if made + MEASURED >= tickets {
            timed += took;
            measured += BATCH;
            latencies.push(took.as_secs_f64() * 1_000.0);
        }
        pay(&store);
    }
    catch_up(&store);
    store.release();
    Filled { issued_per_second: measured as f64 / timed.as_secs_f64(), batch_latencies: latencies }
}

/// What the jobs of a running server would have done meanwhile: nothing is left over that would run beside the measurement.
fn catch_up(store: &Store) {
    while store.read(has_unsealed).unwrap() {
        store.write(seal_pending).unwrap();
    }
    while publish(store).unwrap() >= FULL_PASS {}
}

/// The bank pays everything that is held.
fn pay(store: &Store) {
    use airsettle::db::schema::advance;
    let held: Vec<i64> = store
        .read(|db| {
            let unresolved = advance::table.filter(advance::resolved_at.is_null()).order(advance::id);
            Ok::<_, DbError>(unresolved.select(advance::id).limit(BATCH as i64).load(db)?)
        })
        .unwrap();
    let ids: Vec<AdvanceId> = held.into_iter().map(AdvanceId::of).collect();
    store
        .write(|tx| {
            let sent = start_sending(tx, &ids)?;
            let said = |one: &airsettle::credit::Advance| BankOutcome {
                advance: one.id,
                attempt: one.attempt,
                said: BankSaid::Settled {
                    amount: one.outstanding(),
                    credited_at: Timestamp::from(chrono::Utc::now()),
                    bank_reference: format!("B-{}", one.id),
                },
            };
            let outcomes: Vec<BankOutcome> = sent.iter().map(said).collect();
            let paid = record_outcomes(tx, Actor::platform(), &outcomes)?;
            let subjects: Vec<i64> = paid.iter().map(|advance| advance.id.raw()).collect();
            airsettle::notify::done_about(tx, airsettle::notify::PAY_ADVANCE, &subjects)?;
            Ok::<_, airsettle::credit::AdvanceError>(())
        })
        .unwrap();
}

/// An agency with the terms that it sells on.
struct Plan {
    agency: AgencyId,
    organisation: OrganisationId,
    contract: airsettle::agencies::Contract,
    airline: airsettle::airlines::Airline,
}

fn plans(store: &Store) -> Vec<Plan> {
    use airsettle::db::schema::agency;
    store
        .read(|db| {
            let bench = agency::table.filter(agency::name.like("Bench Travel%")).select(AgencyRow::as_select());
            let agencies: Vec<AgencyRow> = bench.load(db)?;
            let mut plans = Vec::new();
            for row in agencies {
                let carrier = ["CA", "MU", "CZ", "HU"][plans.len() % 4];
                let airline = airline_by_code(db, carrier)?.unwrap();
                let contract = contracts_of(db, AgencyId::of(row.id))?.pop().unwrap();
                plans.push(Plan {
                    agency: AgencyId::of(row.id),
                    organisation: OrganisationId::of(row.organisation_id),
                    contract,
                    airline,
                });
            }
            Ok::<_, DbError>(plans)
        })
        .unwrap()
}

fn order(store: &Store, plan: &Plan, number: usize) -> IssueOrder {
    let ids = store.ids();
    let cny = |minor| Money::new(minor, Currency::CNY);
    let taxes = [Tax { code: "CN".into(), payee: "CAAC".into(), amount: cny(5_000) }];
    let base = cny(95_000);
    let split = split(base, &taxes, &plan.airline.iata_code, &plan.contract).unwrap();
    let seat = 1_000 + i64::try_from(number / 150).unwrap();
    let departing_at = (chrono::Utc::now() + chrono::Days::new(30)).naive_utc();
    let coupon = CouponPlan {
        slice: 0,
        carrier: plan.airline.iata_code.clone(),
        flight_number: 1_501,
        aircraft: "320".into(),
        origin: "PEK".into(),
        destination: "SHA".into(),
        departing_at,
        arriving_at: departing_at + chrono::Duration::minutes(130),
        duration_minutes: 130,
        distance_km: 1_090,
        booking_class: 'H',
        cabin: "economy".into(),
        fare_brand: "Economy Flex".into(),
        fare_basis: "HOW".into(),
        base_minor: base.minor,
        checked_bag_kg: 20,
        seat_bucket: seat,
        seats: 1,
        commission_rule: None,
        commission_minor: split.commission.minor,
    };
    let sealed = Sealed { data: vec![7; 260], wrapped_key: vec![9; 60] };
    let passenger = PassengerPlan { offer_passenger: ids.next::<PassengerId>(), kind: "adult".into(), sealed };
    let ticket = TicketPlan {
        passenger,
        base,
        split,
        taxes: taxes.to_vec(),
        fare_calculation: "BJS CA SHA950.00CNY950.00END".into(),
        coupons: vec![coupon],
    };
    IssueOrder {
        basis: None,
        claim: ids.block(1),
        cause: Cause { actor: Actor::key(plan.organisation, KeyId::of(1)), request_id: format!("req_{number}") },
        key: IdempotencyKey::Explicit(format!("{:013}-{number}", chrono::Utc::now().timestamp_millis())),
        fields: Fields::of([("type", b"instant".as_slice())], |bytes| format!("{:016x}", bytes.len())).stored(),
        organisation: plan.organisation,
        agency: plan.agency,
        offer: ids.next::<OfferId>(),
        airline: plan.airline.id,
        carrier: plan.airline.iata_code.clone(),
        accounting_code: plan.airline.accounting_code.clone(),
        contract: plan.contract.id,
        tax_remitter: plan.contract.tax_remitter,
        cycle_rule: plan.contract.payment.cycle_rule,
        airline_payment: plan.contract.payment.airline,
        tender: TenderWish::Credit,
        intent: Intent::Issue,
        draw: Draw::default(),
        currency: Currency::CNY,
        departs_at: Timestamp::from(chrono::Utc::now() + chrono::Duration::days(30)),
        tickets: vec![ticket],
        seats: vec![SeatDemand {
            bucket: seat,
            capacity: 150,
            seats: 1,
            schedule_change: 0,
            flight: "CA1501".into(),
            booking_class: 'H',
        }],
        metadata: "{}".into(),
    }
}
