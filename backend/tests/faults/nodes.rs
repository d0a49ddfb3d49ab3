//! Two servers on one PostgreSQL: one is killed, or stands still and comes back. And a key that is rolled while it sells.

use crate::books::{await_that, prove};
use crate::client::{BEIJING, Client, OPERATOR};
use crate::database::Engine;
use crate::sellers::{await_sold, while_selling};
use crate::stack::Stack;
use reqwest::Method;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

on_both_engines!(a_key_is_rolled_and_revoked_in_mid_traffic);

#[test]
fn one_of_two_nodes_is_killed_and_the_other_sells_on() {
    let stack = Stack::on_postgres().seeded();
    let server = stack.serve();
    let (other, port) = stack.serve_another();
    let (sales, other) = while_selling(&stack, &[stack.port(), port], 6, "two-nodes", |tally| {
        await_sold(tally, 20, Duration::from_secs(30));
        other.kill();
        // Half of the sellers have nobody to ask; the others go on.
        let began = Instant::now();
        await_sold(tally, 10, Duration::from_secs(15));
        println!("10 more after {:.2} s", began.elapsed().as_secs_f64());
        let other = stack.serve_again(port);
        await_sold(tally, 20, Duration::from_secs(30));
        other
    });
    prove(&stack, &Client::of(stack.data(), stack.port()), sales, &[]);
    drop((server, other));
}

/// A frozen process holds its locks until the database ends its transaction. What becomes of its number when its lease has run out meanwhile is
/// shown in `src/db/node.rs` and `tests/ledger/nodes.rs`.
#[test]
fn a_node_that_stood_still_holds_nobody_up_and_sells_again() {
    let stack = Stack::on_postgres().seeded();
    let server = stack.serve();
    let (frozen, port) = stack.serve_another();
    let nodes = "SELECT COUNT(DISTINCT (id >> 12) & 1023) AS value FROM posting";
    let (sales, ()) = while_selling(&stack, &[stack.port(), port], 6, "frozen", |tally| {
        await_sold(tally, 20, Duration::from_secs(30));
        await_that("both have sold", Duration::from_secs(20), || stack.number(nodes) == 2);
        frozen.freeze();
        let began = Instant::now();
        // Ten seconds on a machine that has nothing else to do.
        await_sold(tally, 10, Duration::from_secs(60));
        println!("the other sells on {:.2} s after the freeze", began.elapsed().as_secs_f64());
        frozen.thaw();
        let before = tally.sold.load(Ordering::Relaxed);
        await_sold(tally, 20, Duration::from_secs(30));
        println!("{} sold after the thaw", tally.sold.load(Ordering::Relaxed) - before);
    });
    prove(&stack, &Client::of(stack.data(), stack.port()), sales, &[]);
    drop((server, frozen));
}

/// The old key works until the end of its overlap and never after; no sale is refused for a key that still holds.
fn a_key_is_rolled_and_revoked_in_mid_traffic(engine: Engine) {
    let stack = Stack::on(engine).seeded();
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    let (sales, ()) = while_selling(&stack, &[stack.port()], 4, "keys", |tally| {
        await_sold(tally, 8, Duration::from_secs(30));
        let made = client.post(BEIJING, "/v1/keys", json!({ "name": "till", "scopes": ["air:read", "air:write", "keys:write"] }));
        assert_eq!(made.0, 201, "{}", made.1);
        let (first, id) = (made.1["secret"].as_str().unwrap().to_owned(), made.1["id"].as_str().unwrap().to_owned());
        let works =
            |secret: &str| client.tries_with(secret, Method::GET, "/air/orders?limit=1", None, None).unwrap().status == 200;
        assert!(works(&first));
        let (status, rolled) = client.post(OPERATOR, &format!("/v1/keys/{id}/actions/roll"), json!({ "overlap_secs": 1 }));
        assert_eq!(status, 201, "{rolled}");
        let second = rolled["secret"].as_str().unwrap().to_owned();
        assert!(works(&second), "the new one works at once");
        await_that("the old one ends", Duration::from_secs(5), || !works(&first));
        assert!(works(&second) && !works(&first));
        let next = rolled["id"].as_str().unwrap();
        let (status, revoked) = client.post(OPERATOR, &format!("/v1/keys/{next}/actions/revoke"), json!({}));
        assert_eq!(status, 200, "{revoked}");
        assert!(!works(&second), "revoked is revoked at once");
        await_sold(tally, 8, Duration::from_secs(30));
    });
    prove(&stack, &client, sales, &[]);
    drop(server);
}
