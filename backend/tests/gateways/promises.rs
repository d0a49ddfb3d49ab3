//! What holds of a bank that works: one booking per reference, outcomes that survive, errors that say what is known.

use crate::harness::{DEBIT, PAYEE, TestBank, client, cny, order, secret, settled};
use airsettle::{
    gateways::{
        GatewayError,
        bank::{
            BankGateway, PaymentStatus,
            simulator::{self, Fault, FaultPlan, SimulatorConfig},
        },
    },
    money::{Currency, Money},
};
use chrono::Duration as Span;
use futures_util::future::join_all;
use reqwest::Method;
use std::{io::ErrorKind, net::TcpListener, time::Duration};

#[actix_web::test]
async fn a_payment_settles_in_the_answer_at_the_banks_time() {
    let bank = TestBank::start();
    assert_eq!(bank.client.status("adv_1-1").await, Ok(PaymentStatus::NotFound));
    let before = bank.clock.now();
    let paid = bank.client.pay(&order("adv_1-1")).await.unwrap();
    let PaymentStatus::Settled { amount, settled_at, bank_reference } = paid.clone() else { panic!("{paid:?}") };
    assert_eq!((amount, bank_reference.as_str()), (cny("915.00"), "SIM0000000001"));
    assert!((before..=bank.clock.now()).contains(&settled_at));
    assert_eq!(bank.client.status("adv_1-1").await, Ok(paid));
    bank.assert_booked(&["915.00"]).await;
    let line = &bank.statement(DEBIT).await["bookings"][0];
    assert_eq!((&line["reference"], &line["counterparty_account"]), (&"adv_1-1".into(), &PAYEE.into()));
    assert_eq!(line["booked_at"], settled_at.to_string());
}

#[actix_web::test]
async fn the_same_order_fifty_times_in_parallel_is_one_booking() {
    for behaviour in [Fault::Normal, Fault::Slow { ms: 30 }, Fault::DuplicateCallback] {
        let bank = TestBank::start();
        bank.plan(FaultPlan::always(behaviour));
        let order = order("adv_1-1");
        let answers = join_all((0..50).map(|_| bank.client.pay(&order))).await;
        let outcome = bank.resolve("adv_1-1").await;
        for answer in answers {
            let answer = answer.unwrap();
            assert!(answer == outcome || answer == PaymentStatus::Accepted, "{answer:?}");
        }
        bank.assert_booked(&["915.00"]).await;
    }
}

#[actix_web::test]
async fn a_reference_with_other_content_is_a_conflict() {
    let bank = TestBank::start();
    let first = bank.client.pay(&order("adv_1-1")).await.unwrap();
    let mut other = order("adv_1-1");
    other.amount = cny("915.01");
    let conflict = bank.client.pay(&other).await;
    assert!(matches!(&conflict, Err(GatewayError::Conflict(why)) if why.contains("amount")), "{conflict:?}");
    let mut other = order("adv_1-1");
    other.payee_account = "SOMEONE-ELSE".into();
    let conflict = bank.client.pay(&other).await;
    assert!(matches!(&conflict, Err(GatewayError::Conflict(why)) if why.contains("payee_account")), "{conflict:?}");
    let mut nonsense = order("adv_1-1");
    nonsense.amount = cny("0.00");
    let conflict = bank.client.pay(&nonsense).await;
    assert!(matches!(conflict, Err(GatewayError::Conflict(_))), "never a refusal of what is booked: {conflict:?}");
    let mut elsewhere = order("adv_1-1");
    elsewhere.callback_url = Some("http://127.0.0.1:9/moved".into());
    assert_eq!(bank.client.pay(&elsewhere).await, Ok(first), "where to report is not part of the order");
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn a_restart_keeps_every_outcome_and_repeats_it() {
    let bank = TestBank::start();
    let refuse = Fault::Refuse { code: "AC04".into(), is_final: true };
    let wrong = Fault::WrongAmount { delta_minor: Some(-1), amount: None };
    bank.script([Fault::Normal, refuse, wrong, Fault::Error500 { booked: true }, Fault::Down]);
    let orders = ["a", "b", "c", "d"].map(order);
    for order in &orders {
        let _ = bank.client.pay(order).await;
    }
    let statement = bank.statement(DEBIT).await;
    let mut before = Vec::new();
    for order in &orders {
        before.push(bank.client.status(&order.reference).await.unwrap());
    }
    let bank = bank.restart();
    assert_eq!(bank.statement(DEBIT).await, statement);
    for (order, outcome) in orders.iter().zip(before) {
        assert_eq!(bank.client.status(&order.reference).await, Ok(outcome.clone()));
        assert_eq!(bank.client.pay(order).await, Ok(outcome));
    }
    bank.assert_booked(&["915.00", "914.99", "915.00"]).await;
    settled(bank.client.pay(&order("e")).await.unwrap());
    assert_eq!(bank.client.probe().await, Ok(()), "the script does not survive");
}

#[actix_web::test]
async fn a_data_folder_has_one_bank() {
    let bank = TestBank::start();
    let second = simulator::start(bank.config());
    assert_eq!(second.err().unwrap().kind(), ErrorKind::AddrInUse);
}

#[actix_web::test]
async fn the_program_runs_on_a_given_port() {
    let folder = tempfile::tempdir().unwrap();
    let bind = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = actix_web::rt::spawn(simulator::run(SimulatorConfig { bind, ..SimulatorConfig::new(folder.path(), secret()) }));
    let bank = client(&format!("http://{bind}"), Duration::from_secs(20));
    while bank.probe().await.is_err() {
        assert!(!program.is_finished(), "it ended at once");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    settled(bank.pay(&order("adv_1-1")).await.unwrap());
    program.abort();
}

#[actix_web::test]
async fn what_never_connected_was_not_sent() {
    let free_port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for address in [format!("http://127.0.0.1:{free_port}"), "http://no-such-bank.invalid".into()] {
        let bank = client(&address, Duration::from_secs(20));
        assert!(matches!(bank.pay(&order("adv_1-1")).await, Err(GatewayError::NotSent(_))), "{address}");
        assert!(matches!(bank.status("adv_1-1").await, Err(GatewayError::NotSent(_))), "{address}");
        assert!(matches!(bank.probe().await, Err(GatewayError::NotSent(_))), "{address}");
    }
}

#[actix_web::test]
async fn what_connected_and_got_no_answer_is_unknown() {
    // The kernel takes the connection and the request; nobody ever reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let bank = client(&format!("http://{}", silent.local_addr().unwrap()), Duration::from_millis(200));
    assert!(matches!(bank.pay(&order("adv_1-1")).await, Err(GatewayError::Unknown(_))));
    assert!(matches!(bank.probe().await, Err(GatewayError::Unknown(_))));
}

#[actix_web::test]
async fn every_currency_keeps_its_decimals_and_its_own_balance() {
    let bank = TestBank::start();
    for (code, text) in [("JPY", "1000"), ("KWD", "1.005"), ("CNY", "0.01")] {
        let mut order = order(code);
        order.amount = Money::parse(text, Currency::parse(code).unwrap()).unwrap();
        assert_eq!(settled(bank.client.pay(&order).await.unwrap()), order.amount);
    }
    let statement = bank.statement(DEBIT).await;
    let closing: Vec<_> = statement["balances"].as_array().unwrap().iter().map(|day| day["closing"].clone()).collect();
    assert_eq!(closing, ["-0.01", "-1000", "-1.005"], "in order of currency: CNY, JPY, KWD");
}

#[actix_web::test]
async fn an_order_that_makes_no_sense_is_refused_for_good() {
    let bank = TestBank::start();
    for amount in ["0.00", "-1.00"] {
        let mut order = order("adv_1-1");
        order.amount = cny(amount);
        let refused = bank.client.pay(&order).await.unwrap();
        assert!(matches!(&refused, PaymentStatus::Refused { code, is_final: true, .. } if code == "invalid"), "{refused:?}");
    }
    assert_eq!(bank.client.status("adv_1-1").await, Ok(PaymentStatus::NotFound), "it leaves no trace");
    let strange = bank.client.status("../healthz").await;
    assert_eq!(strange, Ok(PaymentStatus::NotFound), "a reference is never a path");
    let (code, body) = bank.control(Method::POST, "/payments", "{").await;
    assert_eq!((code, &body["error"]), (400, &"unreadable".into()));
    let (code, _) = bank.control(Method::POST, "/payments", &" ".repeat(20_000)).await;
    assert_eq!(code, 413);
}

#[actix_web::test]
async fn statements_follow_the_banks_calendar() {
    let bank = TestBank::start();
    settled(bank.client.pay(&order("today")).await.unwrap());
    let today = bank.clock.now().date_in(bank.config().zone);
    let tomorrow = bank.clock.now().plus(Span::days(1));
    let (code, _) = bank.control(Method::POST, "/control/clock", &format!(r#"{{"now":"{tomorrow}"}}"#)).await;
    assert_eq!(code, 200);
    settled(bank.client.pay(&order("tomorrow")).await.unwrap());
    let second = bank.statement(PAYEE).await;
    assert_eq!(second["balances"][0]["opening"], "915.00");
    assert_eq!(second["date"], today.succ_opt().unwrap().to_string());
    let first = bank.get(&format!("/accounts/{PAYEE}/statement?date={today}")).await;
    assert_eq!(first["balances"][0]["closing"], "915.00");
    let (code, _) = bank.control(Method::POST, "/control/clock", r#"{"now":"2020-01-01T00:00:00Z"}"#).await;
    assert_eq!(code, 409, "time only goes forward");
}
