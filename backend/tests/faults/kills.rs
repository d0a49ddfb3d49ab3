//! The server is killed: at random moments under load, and at each point of a sale where it matters.

use crate::books::{answers, await_that, progress, prove};
use crate::client::{BEIJING, Client, GUANGZHOU, order, search};
use crate::database::Engine;
use crate::postgres::{execute, try_execute};
use crate::proxy::{AtCommit, Proxy};
use crate::seed::Chance;
use crate::sellers::{Said, Sale, await_sold, while_selling};
use crate::stack::{Running, Stack};
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

on_both_engines!(
    killed_three_times_under_load,
    killed_before_the_commit,
    killed_between_the_commit_and_the_bank,
    killed_while_the_bank_pays,
);

fn killed_three_times_under_load(engine: Engine) {
    kills(&Stack::on(engine).seeded(), 3, 11);
}

mod long {
    use super::*;

    #[test]
    #[ignore = "minutes: in the long run"]
    fn killed_forty_times_under_load_on_sqlite() {
        kills(&Stack::on_sqlite().seeded(), 40, 12);
    }

    #[test]
    #[ignore = "minutes: in the long run"]
    fn killed_forty_times_under_load_on_durable_postgresql() {
        kills(&Stack::on_own_cluster().seeded(), 40, 13);
    }
}

/// Each round the server sells for a while, is killed and started again; the sellers ask on.
fn kills(stack: &Stack, rounds: usize, seed: u64) {
    let mut chance = Chance::new(seed);
    let (sales, server) = while_selling(stack, &[stack.port()], 6, "kills", |tally| {
        for _ in 0..rounds {
            let server = stack.serve();
            await_sold(tally, 1 + chance.below(20), Duration::from_secs(60));
            std::thread::sleep(chance.millis(0..60));
            server.kill();
        }
        let server = stack.serve();
        await_sold(tally, 10, Duration::from_secs(60));
        server
    });
    let client = Client::of(stack.data(), stack.port());
    prove(stack, &client, sales, &[]);
    drop(server);
}

/// An order under a key, sent by a thread of its own: its server will not live to answer.
fn sale(client: &Client, agency: &'static str, key: &str) -> Sale {
    let (status, found) = client.post(agency, "/air/offer_requests", search(30));
    assert_eq!(status, 201, "{found}");
    Sale { agency, key: key.to_owned(), body: order(agency, &found["offers"][0]), said: Said::Nothing }
}

fn sends(stack: &Stack, sale: &Sale) -> std::thread::JoinHandle<Option<u16>> {
    let (client, sale) = (Client::of(stack.data(), stack.port()), sale.clone());
    std::thread::spawn(move || {
        let answer = client.tries(sale.agency, Method::POST, "/air/orders", Some(&sale.key), Some(sale.body));
        answer.ok().map(|answer| answer.status)
    })
}

fn kept(stack: &Stack, key: &str) -> i64 {
    stack.number(&format!("SELECT COUNT(*) AS value FROM idempotency_key WHERE key = 'k:{key}'"))
}

fn restarts(stack: &Stack, client: &Client) -> Running {
    let server = stack.serve();
    await_that("the server answers", Duration::from_secs(20), || answers(client));
    server
}

/// Somebody else holds what a sale needs, so that it stands still inside its transaction.
fn killed_before_the_commit(engine: Engine) {
    let stack = Stack::on(engine).seeded();
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    let before = progress(&client, &[BEIJING]);
    let sale = sale(&client, BEIJING, "before-commit");
    let asking = match engine {
        Engine::Sqlite => {
            let mut other = SqliteConnection::establish(stack.owner_url().trim_start_matches("sqlite:")).unwrap();
            other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
            let asking = sends(&stack, &sale);
            // It waits for the file; nothing shows when it began to.
            std::thread::sleep(Duration::from_millis(500));
            server.kill();
            other.batch_execute("ROLLBACK").unwrap();
            asking
        }
        Engine::Postgres => {
            // A transaction that waits for itself is ended by its own statement.
            let holding = "BEGIN; SELECT 1 FROM agency FOR UPDATE; SELECT pg_sleep(60)";
            let url = stack.owner_url().to_owned();
            let other = std::thread::spawn(move || drop(try_execute(&url, holding)));
            let waiting = "SELECT COUNT(*) AS value FROM pg_locks l JOIN pg_stat_activity a USING (pid)
                WHERE NOT l.granted AND a.datname = current_database() AND a.usename = 'airsettle_app'";
            let holds =
                "SELECT COUNT(*) AS value FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)'
                AND pid <> pg_backend_pid()";
            await_that("the lock is held", Duration::from_secs(10), || stack.number(holds) == 1);
            let asking = sends(&stack, &sale);
            await_that("the sale waits", Duration::from_secs(10), || stack.number(waiting) >= 1);
            server.kill();
            execute(
                stack.owner_url(),
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
                 AND query LIKE '%pg_sleep(60)' AND pid <> pg_backend_pid()",
            );
            other.join().unwrap();
            asking
        }
    };
    assert_eq!(asking.join().unwrap(), None, "nobody was answered");
    assert_eq!(kept(&stack, &sale.key), 0, "nothing of it is there");
    let server = restarts(&stack, &client);
    prove(&stack, &client, vec![sale], &before);
    drop(server);
}

/// The bank does not take orders yet: the ticket is sold and the advance has not left.
fn killed_between_the_commit_and_the_bank(engine: Engine) {
    let mut stack = Stack::on(engine).seeded();
    let proxy = (engine == Engine::Postgres).then(|| Proxy::to(stack.database_port()));
    if let Some(proxy) = &proxy {
        stack.goes_through(proxy.port());
    }
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    let mut sales = vec![sale(&client, BEIJING, "credit"), sale(&client, GUANGZHOU, "wallet")];
    // On PostgreSQL nothing leaves the process any more after the first COMMIT, so that the advance is not even marked as sent. On SQLite
    // the bank hangs up before it looks at an order.
    match &proxy {
        Some(proxy) => proxy.strike("k:credit", AtCommit::StallAfterwards),
        None => client.tells_bank(&stack.bank_url(), json!({ "default": { "kind": "drop_connection" } })),
    }
    let sold = sends(&stack, &sales[0]).join().unwrap();
    assert_eq!(sold, Some(201), "it is acknowledged");
    sales[0].said = Said::Ticket(ticket_of(&stack, "credit"));
    if proxy.is_none() {
        assert_eq!(sends(&stack, &sales[1]).join().unwrap(), Some(201));
        sales[1].said = Said::Ticket(ticket_of(&stack, "wallet"));
    }
    server.kill();
    if let Some(proxy) = &proxy {
        proxy.close();
        proxy.reopen();
    }
    let open = stack.number("SELECT COUNT(*) AS value FROM advance WHERE state <> 'confirmed'");
    assert_eq!(open, i64::try_from(sales.iter().filter(|sale| sale.said != Said::Nothing).count()).unwrap());
    if engine == Engine::Postgres {
        assert_eq!(stack.number("SELECT COUNT(*) AS value FROM advance WHERE state = 'held'"), 1, "it had not left");
    }
    client.tells_bank(&stack.bank_url(), json!({}));
    let server = restarts(&stack, &client);
    prove(&stack, &client, sales, &[]);
    drop(server);
}

fn ticket_of(stack: &Stack, key: &str) -> String {
    let query = format!(
        "SELECT CAST(t.number AS BIGINT) AS value FROM ticket t JOIN idempotency_key k ON k.resource_id = t.order_id WHERE k.key = 'k:{key}'"
    );
    format!("{:013}", stack.number(&query))
}

/// The bank has booked the payment and the server never hears of it.
fn killed_while_the_bank_pays(engine: Engine) {
    let stack = Stack::on(engine).seeded();
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    client.tells_bank(&stack.bank_url(), json!({ "default": { "kind": "timeout_after_success", "ms": 60_000 } }));
    let sold = [client.sells(BEIJING), client.sells(GUANGZHOU), client.sells(BEIJING)];
    await_that("the bank has paid", Duration::from_secs(10), || client.paid_by(&stack.bank_url()).len() == 3);
    let confirmed = "SELECT COUNT(*) AS value FROM advance WHERE state = 'confirmed'";
    assert_eq!(stack.number(confirmed), 0, "and nobody knows");
    server.kill();
    client.tells_bank(&stack.bank_url(), json!({}));
    let server = restarts(&stack, &client);
    prove(&stack, &client, Vec::new(), &sold);
    drop(server);
}

/// Exactly at the COMMIT: it never arrives, or its answer never does.
mod at_the_commit {
    use super::*;

    fn killed_at(how: AtCommit) -> (Stack, Sale, i64) {
        let mut stack = Stack::on_postgres().seeded();
        let proxy = Proxy::to(stack.database_port());
        stack.goes_through(proxy.port());
        let server = stack.serve();
        let client = Client::of(stack.data(), stack.port());
        let sale = sale(&client, BEIJING, "at-commit");
        proxy.strike("k:at-commit", how);
        let asking = sends(&stack, &sale);
        proxy.await_struck(1);
        server.kill();
        assert_eq!(asking.join().unwrap(), None, "nobody was answered");
        proxy.release();
        proxy.close();
        proxy.reopen();
        let connected =
            "SELECT COUNT(*) AS value FROM pg_stat_activity WHERE datname = current_database() AND usename = 'airsettle_app'";
        await_that("its sessions end", Duration::from_secs(10), || stack.number(connected) == 0);
        let kept = kept(&stack, &sale.key);
        let server = restarts(&stack, &client);
        prove(&stack, &client, vec![sale.clone()], &[]);
        drop(server);
        (stack, sale, kept)
    }

    #[test]
    fn killed_before_the_commit_arrives() {
        let (_, _, kept) = killed_at(AtCommit::Withhold);
        assert_eq!(kept, 0, "nothing of it was there");
    }

    #[test]
    fn killed_after_the_commit_and_before_its_answer() {
        let (stack, sale, kept) = killed_at(AtCommit::WithholdItsAnswer);
        assert_eq!(kept, 1, "it was there");
        assert_eq!(
            stack.number("SELECT COUNT(*) AS value FROM ticket"),
            3,
            "one under {}, and two that were sold to prove it",
            sale.key
        );
    }
}
