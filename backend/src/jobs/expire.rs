//! Orders that were held and not paid in time give back their seats. Whatever became due while the process stood still is made up, a limited number
//! of orders per commit.

use crate::app::App;
use crate::audit::{Actor, Cause};
use crate::db::DbError;
use crate::ordering::overdue_orders;
use crate::ticketing::expire_overdue;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(500);
/// Orders in one commit at most: sales wait no longer than that takes.
const AT_ONCE: i64 = 200;

pub(super) fn run(app: &App) {
    loop {
        match expire_all(app) {
            Ok(0) => {}
            Ok(expired) => tracing::info!(expired, "held orders were not paid in time, and their seats are released"),
            Err(error) => tracing::error!(%error, "held orders did not expire; it is tried again"),
        }
        std::thread::sleep(PAUSE);
    }
}

fn expire_all(app: &App) -> Result<usize, DbError> {
    let mut expired = 0;
    let cause = Cause { actor: Actor::platform(), request_id: "expire".into() };
    // Reading first: the writer's turn is not taken for nothing twice a second.
    while !app.store.read(|db| overdue_orders(db, app.now(), 1))?.is_empty() {
        expired += app.store.write(|tx| expire_overdue(tx, &cause, AT_ONCE))?.len();
    }
    Ok(expired)
}
