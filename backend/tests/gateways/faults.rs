//! Every scripted fault, from the side of the party that has to live with it. Each ends with the bookings.

use crate::harness::{DEBIT, Inbox, PAYEE, TestBank, cny, order, settled};
use airsettle::gateways::{
    GatewayError,
    bank::{
        BankGateway, PaymentStatus,
        simulator::{Fault, FaultPlan},
    },
};
use reqwest::Method;

#[allow(clippy::needless_pass_by_value, reason = "it is called on what a call has just answered")]
fn unknown<T: std::fmt::Debug>(answer: Result<T, GatewayError>) {
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
}

#[actix_web::test]
async fn slow_settles_in_the_end_whether_or_not_anyone_waits() {
    let bank = TestBank::start();
    bank.script([Fault::Slow { ms: 20 }, Fault::Slow { ms: 600 }]);
    settled(bank.client.pay(&order("waited")).await.unwrap());
    unknown(bank.impatient_client().pay(&order("left")).await);
    assert_eq!(bank.client.status("left").await, Ok(PaymentStatus::Accepted));
    assert_eq!(bank.client.pay(&order("left")).await, Ok(PaymentStatus::Accepted));
    assert_eq!(settled(bank.resolve("left").await), cny("915.00"));
    bank.assert_booked(&["915.00", "915.00"]).await;
}

#[actix_web::test]
async fn a_final_refusal_stays_and_another_can_be_tried_again() {
    let bank = TestBank::start();
    let refuse = |code: &str, is_final| Fault::Refuse { code: code.into(), is_final };
    bank.script([refuse("AC04", true), refuse("AM04", false)]);
    let dead = bank.client.pay(&order("dead")).await.unwrap();
    assert!(matches!(&dead, PaymentStatus::Refused { code, is_final: true, .. } if code == "AC04"), "{dead:?}");
    assert_eq!(bank.client.pay(&order("dead")).await, Ok(dead.clone()));
    assert_eq!(bank.client.status("dead").await, Ok(dead));
    let later = bank.client.pay(&order("later")).await.unwrap();
    assert!(matches!(&later, PaymentStatus::Refused { code, is_final: false, .. } if code == "AM04"), "{later:?}");
    bank.assert_booked(&[]).await;
    settled(bank.client.pay(&order("later")).await.unwrap());
    bank.assert_booked(&["915.00"]).await;
    let bank = bank.restart();
    settled(bank.client.status("later").await.unwrap());
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn a_time_out_after_success_is_resolved_by_asking_or_by_repeating() {
    let bank = TestBank::start();
    bank.script([Fault::TimeoutAfterSuccess { ms: 5_000 }, Fault::TimeoutAfterSuccess { ms: 0 }]);
    let (held, dropped) = (order("held"), order("dropped"));
    unknown(bank.impatient_client().pay(&held).await);
    unknown(bank.client.pay(&dropped).await);
    for order in [held, dropped] {
        let outcome = bank.client.status(&order.reference).await.unwrap();
        assert_eq!(settled(outcome.clone()), cny("915.00"));
        assert_eq!(bank.client.pay(&order).await, Ok(outcome));
    }
    bank.assert_booked(&["915.00", "915.00"]).await;
}

#[actix_web::test]
async fn a_wrong_amount_is_what_was_really_booked() {
    let bank = TestBank::start();
    let wrong = |delta_minor, amount: Option<&str>| Fault::WrongAmount { delta_minor, amount: amount.map(str::to_owned) };
    bank.script([wrong(Some(-1), None), wrong(None, Some("1000.00")), wrong(Some(-91_500), None), wrong(None, Some("1.005"))]);
    assert_eq!(settled(bank.client.pay(&order("less")).await.unwrap()), cny("914.99"));
    assert_eq!(settled(bank.client.pay(&order("more")).await.unwrap()), cny("1000.00"));
    assert_eq!(settled(bank.client.pay(&order("less")).await.unwrap()), cny("914.99"), "repeated, not a conflict");
    bank.assert_booked(&["914.99", "1000.00"]).await;
    for reference in ["nothing", "fraction"] {
        unknown(bank.client.pay(&order(reference)).await);
        assert_eq!(bank.client.status(reference).await, Ok(PaymentStatus::NotFound), "an impossible script books nothing");
    }
}

#[actix_web::test]
async fn a_500_says_nothing_about_the_booking() {
    let bank = TestBank::start();
    bank.script([Fault::Error500 { booked: true }, Fault::Error500 { booked: false }]);
    unknown(bank.client.pay(&order("booked")).await);
    unknown(bank.client.pay(&order("lost")).await);
    bank.assert_booked(&["915.00"]).await;
    settled(bank.client.status("booked").await.unwrap());
    assert_eq!(bank.client.status("lost").await, Ok(PaymentStatus::NotFound));
    settled(bank.client.pay(&order("lost")).await.unwrap());
    bank.assert_booked(&["915.00", "915.00"]).await;
}

#[actix_web::test]
async fn a_dropped_connection_took_nothing() {
    let bank = TestBank::start();
    bank.script([Fault::DropConnection]);
    unknown(bank.client.pay(&order("adv_1-1")).await);
    assert_eq!(bank.client.status("adv_1-1").await, Ok(PaymentStatus::NotFound));
    settled(bank.client.pay(&order("adv_1-1")).await.unwrap());
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn a_notification_may_come_twice_about_one_booking() {
    let bank = TestBank::start();
    let mut inbox = Inbox::open(&bank, 0);
    bank.script([Fault::DuplicateCallback]);
    let mut order = order("adv_1-1");
    order.callback_url = Some(inbox.url.clone());
    let outcome = bank.client.pay(&order).await.unwrap();
    let (first, second) = (inbox.next().await, inbox.next().await);
    assert_eq!(first, second);
    assert_eq!((first.reference.as_str(), first.status), ("adv_1-1", outcome));
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn an_accepted_payment_settles_later_and_is_reported_until_taken() {
    let bank = TestBank::start();
    let mut inbox = Inbox::open(&bank, 1);
    bank.script([Fault::AcceptThenCallback { ms: 20 }]);
    let mut order = order("adv_1-1");
    order.callback_url = Some(inbox.url.clone());
    assert_eq!(bank.client.pay(&order).await, Ok(PaymentStatus::Accepted));
    let turned_away = inbox.next().await;
    assert_eq!(settled(turned_away.status.clone()), cny("915.00"));
    assert_eq!(inbox.next().await, turned_away, "tried again with the same event");
    assert_eq!(bank.client.status("adv_1-1").await, Ok(turned_away.status));
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn a_payment_accepted_before_a_crash_settles_after_it() {
    let bank = TestBank::start();
    let mut inbox = Inbox::open(&bank, 0);
    bank.script([Fault::AcceptThenCallback { ms: 600_000 }]);
    let mut order = order("adv_1-1");
    order.callback_url = Some(inbox.url.clone());
    assert_eq!(bank.client.pay(&order).await, Ok(PaymentStatus::Accepted));
    bank.assert_booked(&[]).await;
    let bank = bank.restart();
    assert_eq!(settled(inbox.next().await.status), cny("915.00"));
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn a_notification_may_overtake_the_answer() {
    let bank = TestBank::start();
    let mut inbox = Inbox::open(&bank, 0);
    bank.script([Fault::CallbackBeforeAnswer]);
    let mut order = order("adv_1-1");
    order.callback_url = Some(inbox.url.clone());
    let outcome = bank.client.pay(&order).await.unwrap();
    let arrived = inbox.arrived().expect("it was there before the answer");
    assert_eq!(arrived.status, outcome);
    bank.assert_booked(&["915.00"]).await;
}

#[actix_web::test]
async fn a_normal_payment_is_not_reported() {
    let bank = TestBank::start();
    let mut inbox = Inbox::open(&bank, 0);
    bank.script([Fault::Normal, Fault::CallbackBeforeAnswer]);
    for reference in ["quiet", "reported"] {
        let mut order = order(reference);
        order.callback_url = Some(inbox.url.clone());
        settled(bank.client.pay(&order).await.unwrap());
    }
    assert_eq!(inbox.next().await.reference, "reported");
    assert_eq!(inbox.arrived(), None);
}

#[actix_web::test]
async fn a_bank_that_is_down_takes_nothing_until_it_is_cleared() {
    let bank = TestBank::start();
    settled(bank.client.pay(&order("before")).await.unwrap());
    bank.script([Fault::Down]);
    assert_eq!(bank.client.probe().await, Ok(()), "it goes down with the next payment");
    unknown(bank.client.pay(&order("during")).await);
    unknown(bank.client.probe().await);
    unknown(bank.client.status("before").await);
    unknown(bank.client.pay(&order("before")).await);
    let (code, body) = bank.control(Method::GET, "/control/faults", "").await;
    assert_eq!((code, &body["down"]), (200, &true.into()));
    let (code, body) = bank.control(Method::DELETE, "/control/faults", "").await;
    assert_eq!((code, &body["down"]), (200, &false.into()));
    assert_eq!(bank.client.probe().await, Ok(()));
    assert_eq!(bank.client.status("during").await, Ok(PaymentStatus::NotFound));
    settled(bank.client.pay(&order("during")).await.unwrap());
    bank.assert_booked(&["915.00", "915.00"]).await;
    bank.plan(FaultPlan::always(Fault::Down));
    unknown(bank.client.probe().await);
}

#[actix_web::test]
async fn the_script_is_set_read_and_cleared_over_http() {
    let bank = TestBank::start();
    let plan = r#"{"script":[{"kind":"normal"},{"kind":"refuse","code":"AM04","final":false}],"default":{"kind":"slow","ms":1}}"#;
    let (code, _) = bank.control(Method::POST, "/control/faults", plan).await;
    assert_eq!(code, 200);
    settled(bank.client.pay(&order("first")).await.unwrap());
    settled(bank.client.pay(&order("first")).await.unwrap());
    let left = bank.get("/control/faults").await;
    let expected = r#"{"script":[{"kind":"refuse","code":"AM04","final":false}],"default":{"kind":"slow","ms":1},"down":false}"#;
    assert_eq!(left.to_string(), expected, "a repeated order draws nothing");
    for bad in [r#"{"default":{"kind":"slow","ms":600001}}"#, r#"{"default":{"kind":"wrong_amount"}}"#] {
        let (code, body) = bank.control(Method::POST, "/control/faults", bad).await;
        assert_eq!((code, &body["error"]), (422, &"bad_plan".into()));
    }
    let (code, _) = bank.control(Method::POST, "/control/faults", r#"{"default":{"kind":"asleep"}}"#).await;
    assert_eq!(code, 400);
    bank.control(Method::DELETE, "/control/faults", "").await;
    settled(bank.client.pay(&order("second")).await.unwrap());
    for account in [DEBIT, PAYEE] {
        assert_eq!(bank.statement(account).await["bookings"].as_array().unwrap().len(), 2);
    }
}
