//! A COMMIT whose answer is lost: the client gets the truth (201), or 202 and an operation that becomes the truth, and never a false failure. The
//! same for every other write that moves money.

use crate::books::{answers, await_that, prove};
use crate::client::{Answer, BEIJING, Client, OPERATOR, number_of, order, search};
use crate::proxy::{AtCommit, Proxy};
use crate::sellers::{Said, Sale};
use crate::stack::{Running, Stack};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Behind {
    stack: Stack,
    proxy: Proxy,
    client: Client,
    _server: Running,
}

impl Behind {
    /// A server whose way to its database can be cut at a COMMIT.
    fn a_proxy() -> Self {
        let mut stack = Stack::on_postgres().seeded();
        let proxy = Proxy::to(stack.database_port());
        stack.goes_through(proxy.port());
        let server = stack.serve();
        let client = Client::of(stack.data(), stack.port());
        Behind { stack, proxy, client, _server: server }
    }

    fn sale(&self, key: &str) -> Sale {
        let (status, found) = self.client.post(BEIJING, "/air/offer_requests", search(30));
        assert_eq!(status, 201, "{found}");
        Sale { agency: BEIJING, key: key.to_owned(), body: order(BEIJING, &found["offers"][0]), said: Said::Nothing }
    }

    fn sends(&self, sale: &Sale) -> Answer {
        self.client.tries(sale.agency, Method::POST, "/air/orders", Some(&sale.key), Some(sale.body.clone())).unwrap()
    }

    fn receipt(&self, key: &str, reference: &str) -> Answer {
        let today = chrono::Utc::now().with_timezone(&chrono_tz::Asia::Shanghai).date_naive();
        let new = json!({ "account": "own", "amount": "5.00", "currency": "CNY", "value_date": today.to_string(),
            "bank_reference": reference, "purpose": "capital" });
        self.client.tries(OPERATOR, Method::POST, "/v1/bank_receipts", Some(key), Some(new)).unwrap()
    }

    fn receipts(&self, reference: &str) -> i64 {
        self.stack.number(&format!("SELECT COUNT(*) AS value FROM bank_receipt WHERE bank_reference = '{reference}'"))
    }

    fn operation(&self, of: &str, pending: &Answer) -> Value {
        assert_eq!(pending.data["status"], "pending");
        self.client.get(of, pending.data["url"].as_str().unwrap())
    }

    /// What an operation is in the end, and that it was never something else before.
    #[track_caller]
    fn resolves(&self, of: &str, pending: &Answer, status: &str, within: Duration) -> Value {
        let mut last = Value::Null;
        await_that(status, within, || {
            last = self.operation(of, pending);
            assert!(last["status"] == "pending" || last["status"] == status, "{last}");
            last["status"] == status
        });
        last
    }
}

#[test]
fn a_sale_whose_commit_was_lost_is_done_again_and_one_whose_answer_was_lost_is_recognised() {
    let behind = Behind::a_proxy();
    let mut sales = Vec::new();
    for (key, how) in [("lost", AtCommit::LoseIt), ("unanswered", AtCommit::LoseItsAnswer)] {
        let mut sale = behind.sale(key);
        behind.proxy.strike(&format!("k:{key}"), how);
        let began = Instant::now();
        let answer = behind.sends(&sale);
        assert_eq!(answer.status, 201, "{how:?}: {}", answer.data);
        println!("{how:?}: 201 after {:.2} s", began.elapsed().as_secs_f64());
        sale.said = Said::Ticket(number_of(&answer.data));
        sales.push(sale);
    }
    behind.proxy.await_struck(2);
    prove(&behind.stack, &behind.client, sales, &[]);
}

#[test]
fn a_sale_whose_commit_hangs_is_an_operation_that_comes_true() {
    let behind = Behind::a_proxy();
    let mut sale = behind.sale("hanging");
    behind.proxy.strike("k:hanging", AtCommit::WithholdItsAnswer);
    let began = Instant::now();
    let pending = behind.sends(&sale);
    assert_eq!(pending.status, 202, "{}", pending.data);
    println!("202 after {:.1} s", began.elapsed().as_secs_f64());
    assert!(began.elapsed() < Duration::from_secs(17), "in bounded time");
    // It took effect and anybody who looks sees it, though the one who did it still waits for the answer.
    let done = behind.resolves(BEIJING, &pending, "succeeded", Duration::from_secs(5));
    let order = behind.client.get(BEIJING, &format!("/air/orders/{}", done["order_id"].as_str().unwrap()));
    sale.said = Said::Ticket(number_of(&order));
    behind.proxy.release();
    prove(&behind.stack, &behind.client, vec![sale], &[]);
}

/// Nobody says anything any more: PostgreSQL ends the transaction that stands idle, and the server does it again.
#[test]
fn a_sale_whose_commit_never_arrived_is_done_again() {
    let behind = Behind::a_proxy();
    let mut sale = behind.sale("held-up");
    behind.proxy.strike("k:held-up", AtCommit::Withhold);
    let began = Instant::now();
    let answer = behind.sends(&sale);
    assert_eq!(answer.status, 201, "{}", answer.data);
    println!("201 after {:.1} s", began.elapsed().as_secs_f64());
    assert!(began.elapsed() < Duration::from_secs(17), "in bounded time");
    sale.said = Said::Ticket(number_of(&answer.data));
    prove(&behind.stack, &behind.client, vec![sale], &[]);
}

#[test]
#[ignore = "more than a minute: in the long run"]
fn a_sale_that_was_given_up_is_an_operation_of_which_nothing_happened() {
    let behind = Behind::a_proxy();
    let sale = behind.sale("gone");
    behind.proxy.strike("k:gone", AtCommit::Withhold);
    let pending = std::thread::scope(|scope| {
        // Nothing gets through for longer than the server pursues a COMMIT.
        scope.spawn(|| {
            behind.proxy.await_struck(1);
            behind.proxy.close();
            behind.proxy.release();
        });
        behind.sends(&sale)
    });
    assert_eq!(pending.status, 202, "{}", pending.data);
    behind.proxy.reopen();
    await_that("the server answers", Duration::from_secs(20), || answers(&behind.client));
    assert_eq!(behind.operation(BEIJING, &pending)["status"], "pending", "as long as it could still happen");
    behind.resolves(BEIJING, &pending, "nothing_happened", Duration::from_secs(75));
    assert_eq!(behind.stack.number("SELECT COUNT(*) AS value FROM ticket"), 0, "as it was said");
    assert_eq!(behind.sends(&sale).status, 201, "under the same key it is sold now");
    prove(&behind.stack, &behind.client, vec![sale], &[]);
}

#[test]
fn a_receipt_whose_commit_was_lost_did_not_happen_and_one_whose_answer_was_lost_did() {
    let behind = Behind::a_proxy();
    behind.proxy.strike("k:lost", AtCommit::LoseIt);
    let answer = behind.receipt("lost", "R-1");
    assert_eq!((answer.status, answer.code()), (503, "database_unavailable"), "{}", answer.data);
    assert_eq!(behind.receipts("R-1"), 0, "nothing happened, as it was said");
    assert_eq!(behind.receipt("lost", "R-1").status, 201, "the same key, again");
    behind.proxy.strike("k:unanswered", AtCommit::LoseItsAnswer);
    let answer = behind.receipt("unanswered", "R-2");
    assert_eq!(answer.status, 201, "{}", answer.data);
    let again = behind.receipt("unanswered", "R-2");
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.data["id"], answer.data["id"]);
    assert_eq!((behind.receipts("R-1"), behind.receipts("R-2")), (1, 1));
    behind.proxy.await_struck(2);
    prove(&behind.stack, &behind.client, Vec::new(), &[]);
}

#[test]
#[ignore = "half a minute: in the long run"]
fn a_receipt_whose_commit_hangs_is_an_operation_that_comes_true() {
    let behind = Behind::a_proxy();
    behind.proxy.strike("k:hanging", AtCommit::WithholdItsAnswer);
    let began = Instant::now();
    let pending = behind.receipt("hanging", "R-1");
    assert_eq!(pending.status, 202, "{}", pending.data);
    assert!(began.elapsed() < Duration::from_secs(17), "in bounded time");
    behind.resolves(OPERATOR, &pending, "succeeded", Duration::from_secs(5));
    behind.proxy.release();
    await_that("the same key is answered", Duration::from_secs(15), || {
        let again = behind.receipt("hanging", "R-1");
        assert!(matches!(again.status, 201 | 503), "{}", again.data);
        again.status == 201
    });
    assert_eq!(behind.receipts("R-1"), 1);
    prove(&behind.stack, &behind.client, Vec::new(), &[]);
}

/// A void without a key, at its COMMIT.
#[test]
fn a_void_whose_answer_was_lost_is_answered_as_what_it_is() {
    let behind = Behind::a_proxy();
    let sale = behind.sale("to-be-voided");
    let sold = behind.sends(&sale);
    assert_eq!(sold.status, 201, "{}", sold.data);
    let number = number_of(&sold.data);
    behind.client.await_paid(std::slice::from_ref(&number));
    let (status, quote) = behind.client.post(BEIJING, "/air/order_cancellations", json!({ "order_id": sold.data["id"] }));
    assert_eq!(status, 201, "{quote}");
    let confirm = format!("/air/order_cancellations/{}/actions/confirm", quote["id"].as_str().unwrap());
    // A write without a key has one of its own, named after an id of now.
    let now = behind.stack.number("SELECT MAX(id) AS value FROM posting").to_string();
    behind.proxy.strike(&format!("o:{}", &now[..6]), AtCommit::LoseItsAnswer);
    let (status, voided) = behind.client.post(BEIJING, &confirm, json!({}));
    assert_eq!(status, 200, "{voided}");
    assert!(voided["confirmed_at"].is_string());
    behind.proxy.await_struck(1);
    let voids = "SELECT COUNT(*) AS value FROM posting WHERE event = 'ticket_void'";
    assert_eq!(behind.stack.number(voids), 1);
    let (status, again) = behind.client.post(BEIJING, &confirm, json!({}));
    assert_eq!((status, &again["confirmed_at"]), (200, &voided["confirmed_at"]), "confirmed again, it is the same");
    assert_eq!(behind.stack.number(voids), 1);
    behind.stack.await_seal(Duration::from_secs(20));
    let (code, output) = behind.stack.verify();
    assert_eq!(code, 0, "{output}");
}
