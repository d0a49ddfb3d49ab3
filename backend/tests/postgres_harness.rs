//! The PostgreSQL test harness does what the other tests rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/postgres.rs"]
mod postgres;

use postgres::{Cluster, Durability, as_app, execute, fresh_database, template, try_execute};
use std::sync::atomic::{AtomicU32, Ordering};

#[test]
fn databases_are_apart() {
    let (one, two) = (fresh_database(None), fresh_database(None));
    assert_ne!(one, two);
    execute(&one, "CREATE TABLE t (a int)");
    assert_eq!(execute(&one, "SELECT count(*) FROM t"), "0");
    assert!(try_execute(&two, "SELECT * FROM t").unwrap_err().contains("does not exist"));
}

#[test]
fn a_template_is_filled_once_and_copied() {
    let filled = AtomicU32::new(0);
    let fill = |url: &str| {
        filled.fetch_add(1, Ordering::SeqCst);
        execute(url, "CREATE TABLE seeded AS SELECT 7 AS a");
    };
    // A name of its own for this process, so that the count holds on a cluster that others use too.
    let name = format!("harness_{}", std::process::id());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let database = fresh_database(Some(template(&name, fill)));
                assert_eq!(execute(&database, "SELECT a FROM seeded"), "7");
            });
        }
    });
    assert_eq!(filled.load(Ordering::SeqCst), 1);
}

#[test]
fn a_fill_that_failed_half_way_is_done_again() {
    let name = format!("harness_half_{}", std::process::id());
    let half = std::panic::catch_unwind(|| {
        template(&name, |url| {
            execute(url, "CREATE TABLE seeded (a int)");
            panic!("killed");
        });
    });
    assert!(half.is_err());
    let database = fresh_database(Some(template(&name, |url| drop(execute(url, "CREATE TABLE seeded AS SELECT 8 AS a")))));
    assert_eq!(execute(&database, "SELECT a FROM seeded"), "8");
}

#[test]
fn the_application_owns_nothing() {
    let owner = fresh_database(None);
    execute(&owner, "CREATE TABLE t (a int)");
    let app = as_app(&owner);
    assert_eq!(execute(&app, "SELECT current_user"), "airsettle_app");
    assert!(try_execute(&app, "INSERT INTO t VALUES (1)").unwrap_err().contains("permission denied"));
    assert!(try_execute(&app, "CREATE TABLE mine (a int)").unwrap_err().contains("permission denied"));
}

#[test]
fn a_cluster_of_ones_own_survives_a_crash() {
    let cluster = Cluster::start(Durability::On);
    let url = cluster.database("mine");
    assert_eq!(execute(&url, "SHOW fsync"), "on");
    execute(&url, "CREATE TABLE t AS SELECT 1 AS a");
    cluster.crash();
    assert!(try_execute(&url, "SELECT a FROM t").is_err());
    cluster.restart();
    assert_eq!(execute(&url, "SELECT a FROM t"), "1");
}
