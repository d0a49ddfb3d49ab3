//! How many statements a batch takes. On PostgreSQL the number does not depend on the number of orders; on SQLite only the writes do.

use crate::basis::{basis, key_of_the_seller};
use crate::database::Engine;
use crate::velocity::tickets;
use crate::world::World;
use airsettle::risk::velocity::{self, Subject};
use airsettle::ticketing::{IssueOrder, Mode, Outcome, issue_all};

on_both_engines!(the_number_of_statements_does_not_grow_with_the_batch);

/// Of `issue_all` alone, without BEGIN and COMMIT, with the look at what the orders were prepared from.
const POSTGRES_AT_MOST: u64 = 16;
const SQLITE_READS_AT_MOST: u64 = 12;

struct Taken {
    orders: u64,
    statements: u64,
    /// Rows added and rows changed.
    writes: u64,
}

fn taken(world: &World, orders: usize) -> Taken {
    let rows = || world.row_counts().iter().filter(|(name, _)| *name != "documents").map(|(_, count)| *count).sum::<i64>();
    let key = key_of_the_seller(world, Some(world.agency), None);
    let basis = basis(world, &key, world.agency);
    let batch: Vec<IssueOrder> =
        (0..orders).map(|_| IssueOrder { basis: Some(basis.clone()), ..world.order().build() }).collect();
    let (before, versions) = (rows(), accounts(world));
    let statements = world.write(|tx| {
        let before = world.store.statements().count();
        let outcomes = issue_all(tx, (&world.chart, &world.velocity), &batch, Mode::Sell)?;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Issued(_))));
        Ok(world.store.statements().count() - before)
    });
    let changed = accounts(world).iter().filter(|account| !versions.contains(account)).count();
    let added = u64::try_from(rows() - before).unwrap();
    // Beside the accounts: the bucket (ensured, then counted), the slice and the stock range.
    let writes = added + u64::try_from(changed).unwrap() + 4;
    Taken { orders: u64::try_from(orders).unwrap(), statements, writes }
}

fn accounts(world: &World) -> Vec<String> {
    world.texts(
        "SELECT CAST(id AS TEXT) || ':' || CAST(version AS TEXT) || ':' || CAST(pending_minor AS TEXT) AS value FROM account",
    )
}

fn the_number_of_statements_does_not_grow_with_the_batch(engine: Engine) {
    let world = World::trading(engine);
    // Velocity costs no statement: the windows are in memory.
    for subject in [Subject::Agency, Subject::Key, Subject::Airline, Subject::Route] {
        let mut rule = tickets(&format!("{subject:?}").to_lowercase(), velocity::Mode::Shadow, 60, 1_000_000);
        rule.terms.subject = subject;
        world.watches(&rule);
    }
    // The first sale opens the accounts that the later ones use, and the second one remembers them.
    world.sells(world.order());
    world.sells(world.order());
    let batches = [1, 10, 200].map(|orders| taken(&world, orders));
    for Taken { orders, statements, writes } in &batches {
        println!("{engine:?}: {orders} orders: {statements} statements, {writes} rows written");
    }
    for batch in &batches {
        match engine {
            Engine::Postgres => {
                assert_eq!(batch.statements, batches[0].statements);
                assert!(batch.statements <= POSTGRES_AT_MOST, "{} statements", batch.statements);
            }
            // Many rows of a table go in one statement.
            Engine::Sqlite if batch.orders > 64 => {
                assert!(batch.statements * 4 < batch.writes, "{} statements", batch.statements)
            }
            Engine::Sqlite => {
                let reads = batch.statements - batch.writes;
                assert_eq!(reads, batches[0].statements - batches[0].writes);
                assert!(reads <= SQLITE_READS_AT_MOST, "{reads} reads");
            }
        }
    }
    world.adds_up();
}
