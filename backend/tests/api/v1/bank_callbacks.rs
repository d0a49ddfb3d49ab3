//! `/v1/bank_callbacks`

use crate::air::{an_offer, an_order};
use crate::platform::{Answer, BEIJING, CALLBACK_SECRET, OPERATOR, World};
use crate::v1::{number_of, text};
use airsettle::clock::Timestamp;
use airsettle::gateways::bank::PaymentStatus;
use airsettle::gateways::bank::callback::{BankNotification, CallbackSecret, sign};
use airsettle::gateways::bank::simulator::{Fault, FaultPlan};
use airsettle::money::{Currency, Money};
use reqwest::Method;
use serde_json::{Value, json};

const LIVE: &str = "/v1/bank_callbacks/live";

fn now() -> Timestamp {
    Timestamp::from(chrono::Utc::now())
}

fn send(world: &World, path: &str, signature: Option<&str>, body: &str) -> Answer {
    let headers: Vec<(&str, &str)> = signature.map(|text| ("x-bank-signature", text)).into_iter().collect();
    world.block_on(world.send("", Method::POST, path, &headers, Some(body.to_owned())))
}

fn signed(world: &World, body: &str) -> Answer {
    let secret = CallbackSecret::parse(CALLBACK_SECRET).unwrap();
    send(world, LIVE, Some(&sign(&secret, now(), body.as_bytes())), body)
}

fn settlement(reference: &str, amount: &str) -> String {
    let status = PaymentStatus::Settled {
        amount: Money::parse(amount, Currency::CNY).unwrap(),
        settled_at: now(),
        bank_reference: "SIM0000000777".into(),
    };
    let notification = BankNotification { event_id: "evt_1".into(), reference: reference.into(), status };
    String::from_utf8(notification.to_body().unwrap()).unwrap()
}

/// Sells a ticket whose payment the bank has accepted and says nothing about.
fn awaiting(world: &World) -> (String, Value) {
    let key = world.key(BEIJING);
    let offer = an_offer(world, &key);
    world.bank.plan(FaultPlan::always(Fault::AcceptThenCallback { ms: 600_000 })).unwrap();
    let order = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201).data().clone();
    let number = number_of(&order);
    let read = || world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data()["disbursement"].clone();
    world.await_that("the advance is sent", || read()["state"] == "sent");
    (number.clone(), read())
}

on_both_engines! {
    fn a_signed_settlement_is_booked_once_however_often_it_comes(world) {
        let (number, disbursement) = awaiting(world);
        let body = settlement(&text(&disbursement["payment_reference"]), &text(&disbursement["amount"]));
        for _ in 0..3 {
            let answer = signed(world, &body).expect(200);
            assert_eq!(answer.body, json!({ "data": { "event_id": "evt_1", "ours": true } }));
        }
        let ticket = world.get(&world.key(BEIJING), &format!("/v1/tickets/{number}")).expect(200);
        let shown = &ticket.data()["disbursement"];
        assert_eq!((&shown["state"], &shown["bank_reference"]), (&json!("confirmed"), &json!("SIM0000000777")));
        let events: Vec<&str> =
            ticket.data()["journal"].as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["ticket_sale", "advance_confirmed"]);
        world.prove();
    }

    fn a_settlement_at_another_amount_books_nothing_and_closes_the_line(world) {
        let (_, disbursement) = awaiting(world);
        let answer = signed(world, &settlement(&text(&disbursement["payment_reference"]), "1.00")).expect(200);
        assert_eq!(answer.data()["ours"], true);
        let path = format!("/v1/disbursements/{}", text(&disbursement["id"]));
        let shown = world.get(&world.key(OPERATOR), &path).expect(200);
        assert!(shown.data()["state"] != "confirmed" && shown.data()["detail"].as_str().unwrap().contains("1.00"));
        let line = world.get(&world.key(OPERATOR), "/v1/facilities").expect(200);
        assert_eq!(line.data()[0]["gate"]["open"], false);
        world.prove();
    }

    fn what_is_not_signed_is_not_heard(world) {
        let (_, disbursement) = awaiting(world);
        let body = settlement(&text(&disbursement["payment_reference"]), &text(&disbursement["amount"]));
        let (ours, other) = (CallbackSecret::parse(CALLBACK_SECRET).unwrap(), CallbackSecret::parse("some other secret").unwrap());
        let old = now().plus(chrono::Duration::minutes(-6));
        let wrong = [
            None,
            Some("t=1,v1=00".to_owned()),
            Some(sign(&other, now(), body.as_bytes())),
            Some(sign(&ours, now(), b"{}")),
            Some(sign(&ours, old, body.as_bytes())),
        ];
        for signature in wrong {
            send(world, LIVE, signature.as_deref(), &body).expect_error(401, "unauthenticated");
        }
        let path = format!("/v1/disbursements/{}", text(&disbursement["id"]));
        assert_eq!(world.get(&world.key(OPERATOR), &path).expect(200).data()["state"], "sent");
    }

    fn what_is_signed_and_makes_no_sense_is_answered_by_name(world) {
        for unknown in ["adv_0000000000009-1", "something else"] {
            let answer = signed(world, &settlement(unknown, "1.00")).expect(200);
            assert_eq!(answer.data()["ours"], unknown.starts_with("adv_"));
        }
        signed(world, "{}").expect_error(422, "invalid_value");
        signed(world, "not json").expect_error(422, "invalid_value");
        signed(world, &"x".repeat(20_000)).expect_error(413, "body_too_large");
        let body = settlement("adv_0000000000009-1", "1.00");
        let signature = sign(&CallbackSecret::parse(CALLBACK_SECRET).unwrap(), now(), body.as_bytes());
        send(world, "/v1/bank_callbacks/other", Some(&signature), &body).expect_error(404, "not_found");
        send(world, "/v1/bank_callbacks/test", Some(&signature), &body).expect(200);
    }
}
