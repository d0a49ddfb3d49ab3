//! An airline's day as a file: read, checked against the ledger and written.

use crate::stage::Stage;
use airsettle::airlines::airline_by_code;
use airsettle::clock::Clock;
use airsettle::db::{Store, StoreConfig};
use airsettle::ledger::seal_pending;
use airsettle::reconciliation::{AirlineDay, spool};
use std::time::{Duration, Instant};

pub struct Exported {
    pub rows: i64,
    pub bytes: i64,
    pub rows_per_second: f64,
}

/// Of today, which the command would not export before it is over; the work is the same.
pub fn airline_day(stage: &Stage) -> Exported {
    let config = StoreConfig { url: stage.database_url(), readers: 1, patience: Duration::from_secs(5) };
    let store = Store::open(&config, Clock::system(), chrono_tz::Asia::Shanghai).unwrap();
    while !store.write(seal_pending).unwrap().is_empty() {}
    let airline = store.read(|db| airline_by_code(db, "CA")).unwrap().unwrap();
    let day = AirlineDay { airline: airline.id, date: store.clock().now().date_in(store.zone()) };
    let began = Instant::now();
    let (_, written) = store.snapshot(|db| spool(db, day)).unwrap();
    let took = began.elapsed().as_secs_f64();
    Exported { rows: written.rows, bytes: written.bytes, rows_per_second: written.rows as f64 / took }
}
