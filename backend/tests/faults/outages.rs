//! The database goes away under load and comes back; the server stays up and goes on by itself.

use crate::books::{answers, await_that, prove};
use crate::client::{BEIJING, Client, order, search};
use crate::seed::Chance;
use crate::sellers::{await_sold, while_selling};
use crate::stack::{Stack, deploy, run};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use reqwest::Method;
use std::process::Command;
use std::time::{Duration, Instant};

/// From the moment the database is back until the server sells again.
const BACK_WITHIN: Duration = Duration::from_secs(20);

enum End {
    /// `pg_ctl stop -m immediate`: no checkpoint, no goodbye.
    Immediate,
    /// The postmaster is killed; its children notice and go.
    Killed,
}

fn goes_down(stack: &Stack, end: &End) {
    let cluster = stack.cluster();
    match end {
        End::Immediate => stack.stops_database(),
        End::Killed => {
            let file = cluster.join("cluster/postmaster.pid");
            let lines = std::fs::read_to_string(&file).unwrap();
            let pid = lines.lines().next().unwrap();
            assert!(Command::new("kill").arg("-KILL").arg(pid).status().unwrap().success());
            // Its children notice, and go by themselves; they stand in the folder of the data until then.
            let data = cluster.join("cluster").canonicalize().unwrap();
            await_that("its children are gone", Duration::from_secs(20), || {
                let folders = std::fs::read_dir("/proc").unwrap().flatten();
                folders.filter_map(|one| std::fs::read_link(one.path().join("cwd")).ok()).all(|folder| folder != data)
            });
            // Where nobody reaps what has died, it looks alive to `pg_ctl`.
            std::fs::remove_file(&file).unwrap();
        }
    }
}

fn comes_back(stack: &Stack) {
    let (code, url) = run(deploy("postgres").arg("start").arg(stack.cluster()).arg("--durable"));
    assert_eq!(code, 0, "{url}");
    assert!(stack.owner_url().starts_with(url.trim()), "on the same port");
}

fn outages(rounds: usize, seed: u64) {
    let stack = Stack::on_own_durable_cluster().seeded();
    let mut chance = Chance::new(seed);
    let mut server = stack.serve();
    let (sales, ()) = while_selling(&stack, &[stack.port()], 6, "outages", |tally| {
        for round in 0..rounds {
            await_sold(tally, 5 + chance.below(20), Duration::from_secs(60));
            std::thread::sleep(chance.millis(0..60));
            goes_down(&stack, if round % 2 == 0 { &End::Immediate } else { &End::Killed });
            std::thread::sleep(chance.millis(0..400));
            comes_back(&stack);
            let back = Instant::now();
            await_sold(tally, 6, BACK_WITHIN);
            println!("round {round}: selling again {:.2} s after the database was back", back.elapsed().as_secs_f64());
        }
    });
    assert!(server.is_alive(), "the server never went down: {}", stack.log());
    prove(&stack, &Client::of(stack.data(), stack.port()), sales, &[]);
}

#[test]
fn postgresql_killed_twice_under_load() {
    outages(2, 21);
}

#[test]
#[ignore = "minutes: in the long run"]
fn postgresql_killed_twenty_times_under_load() {
    outages(20, 22);
}

/// A backup program that locks the file, or a person in `sqlite3` who began a transaction and went to lunch.
#[test]
fn a_file_that_is_locked_for_longer_than_anybody_waits() {
    let stack = Stack::on_sqlite().seeded();
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    let (status, found) = client.post(BEIJING, "/air/offer_requests", search(30));
    assert_eq!(status, 201, "{found}");
    let offer = found["offers"][0].clone();
    let (sales, ()) = while_selling(&stack, &[stack.port()], 4, "locked", |tally| {
        await_sold(tally, 8, Duration::from_secs(30));
        let mut other = SqliteConnection::establish(stack.owner_url().trim_start_matches("sqlite:")).unwrap();
        other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
        let began = Instant::now();
        let answer = client.tries(BEIJING, Method::POST, "/air/orders", Some("while-locked"), Some(order(BEIJING, &offer)));
        let answer = answer.unwrap();
        // Begun and without the file, or never begun: behind others, who wait too.
        assert!(matches!(answer.code(), "database_unavailable" | "deadline_exceeded"), "{}", answer.data);
        assert_eq!(answer.status, 503);
        assert!(!answer.header("retry-after").is_empty());
        println!("answered after {:.1} s that the file is locked", began.elapsed().as_secs_f64());
        assert!(began.elapsed() < Duration::from_secs(17), "answered in bounded time");
        // Who only reads is not held up.
        let reading = Instant::now();
        assert!(answers(&client) && reading.elapsed() < Duration::from_secs(2));
        other.batch_execute("ROLLBACK").unwrap();
        await_sold(tally, 8, BACK_WITHIN);
    });
    prove(&stack, &client, sales, &[]);
    drop(server);
}
