//! `/v1/orders/{id}/receipt` and `/v1/tickets/{number}/receipt`: what a passenger is given to read, and `/v1/orders/{id}/receipt_emails`.

use crate::air::{an_offer, an_order};
use crate::holds::held;
use crate::pdf::lines_of;
use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{cny, key_for, number_of, sold, text};
use airsettle::identity::Scope;
use serde_json::{Value, json};

fn path(order: &Value) -> String {
    format!("/v1/orders/{}/receipt", text(&order["id"]))
}

fn lines(world: &World, key: &str, path: &str) -> Vec<String> {
    let answer = world.get(key, path).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/pdf"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    lines_of(answer.body.as_str().unwrap())
}

fn digest(world: &World, key: &str, path: &str) -> String {
    world.get(key, path).expect(200).header("etag").unwrap().to_owned()
}

/// Somebody with a Chinese name and a passport.
fn sold_to_ouyang(world: &World, key: &str) -> Value {
    let mut body = an_order(&an_offer(world, key), "欧阳", "arc_bsp_cash");
    body["passengers"][0]["given_name"] = json!("娜娜");
    let passport =
        json!({ "type": "passport", "unique_identifier": "E12345678", "issuing_country_code": "CN", "expires_on": "2035-01-01" });
    body["passengers"][0]["identity_documents"] = json!([passport]);
    world.post(key, "/air/orders", &body).expect(201).data().clone()
}

fn gives_back(world: &World, key: &str, order: &Value) {
    let quote = world.post(key, "/air/order_cancellations", &json!({ "order_id": order["id"] })).expect(201);
    let confirm = format!("/air/order_cancellations/{}/actions/confirm", text(&quote.data()["id"]));
    world.post(key, &confirm, &json!({})).expect(200);
}

on_both_engines! {
    fn a_receipt_says_what_was_sold_in_both_languages_and_nothing_of_what_is_earned_on_it(world) {
        let key = world.key(BEIJING);
        let order = sold_to_ouyang(world, &key);
        let lines = lines(world, &key, &path(&order));
        let all = lines.join("\n");
        let number = number_of(&order);
        let hyphened = format!("{}-{}", &number[..3], &number[3..]);
        let ticket = world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data().clone();
        let segment = &order["slices"][0]["segments"][0];
        for shown in [
            "电子客票行程单", "Itinerary receipt", "不作报销凭证 · NOT A TAX INVOICE", "欧阳/娜娜", "护照 Passport *****5678", &hyphened,
            &text(&order["booking_reference"]), BEIJING, "未使用", "Open for", "现金 CASH", "票价 Fare", "合计 Total",
            "CN 民航发展基金 Civil aviation fund", &format!("CNY {}", text(&order["total_amount"])), "(UTC+08:00)",
        ] {
            assert!(lines.iter().any(|line| line.contains(shown)), "{shown} is missing: {all}");
        }
        assert!(lines.iter().any(|line| line.starts_with("IATA ") && line.len() == 13), "the agency's number: {all}");
        assert!(all.contains("北京") && all.contains("Airport") && all.contains("上海"), "both names of the airports: {all}");
        let coupon = &ticket["coupons"][0];
        assert!(all.contains(&text(&coupon["flight"])) && all.contains(&text(&coupon["fare_basis"])), "{all}");
        assert!(all.contains(&text(&segment["departing_at"]).replace('T', " ")[..16]), "the local time of departure: {all}");
        for tax in ticket["taxes"].as_array().unwrap() {
            assert!(all.contains(&format!("CNY {}", text(&tax["amount"]))), "every tax stands apart: {all}");
        }
        assert_eq!(cny(&ticket["total_amount"]), cny(&order["total_amount"]));
        for word in ["ommission", "佣金", "Airsettle"] {
            assert!(!all.contains(word), "nobody reads here what others get: {all}");
        }
        let airline = ticket["split"].as_array().unwrap().iter().find(|leg| leg["kind"] == "airline").unwrap();
        assert!(!all.contains(&format!("CNY {}", text(&airline["amount"]))), "{all}");
        assert!(!all.contains("E1234") && !all.contains("E12345678"), "a document is shown by its end");
        let of_ticket = self::lines(world, &key, &format!("/v1/tickets/{number}/receipt"));
        assert_eq!(of_ticket, lines, "the only ticket of its order");
    }

    fn the_same_state_is_the_same_file_and_another_state_says_so(world) {
        let key = world.key(BEIJING);
        let order = sold_to_ouyang(world, &key);
        let valid = digest(world, &key, &path(&order));
        assert_eq!(digest(world, &key, &path(&order)), valid);
        assert!(!lines(world, &key, &path(&order)).iter().any(|line| line.contains("VOID")));
        gives_back(world, &key, &order);
        let void = digest(world, &key, &path(&order));
        assert_ne!(void, valid);
        let lines = lines(world, &key, &path(&order));
        assert!(lines.iter().any(|line| line == "已作废 VOID") && lines.iter().any(|line| line == "已作废"), "{lines:?}");
        assert!(!lines.iter().any(|line| line.contains("Refund fee")), "nothing of it can be given back again");
    }

    fn names_of_every_script_are_printed(world) {
        let key = world.key(BEIJING);
        for name in ["שלום", "محمد", "Nguyễn", "𠮷田", "Ångström"] {
            let order = sold(world, &key, name, "arc_bsp_cash");
            let answer = world.get(&key, &path(&order)).expect(200);
            assert!(answer.body.as_str().unwrap().starts_with("%PDF-1.7"));
            assert!(lines_of(answer.body.as_str().unwrap()).iter().any(|line| line.ends_with("/Wei")), "{name}");
        }
    }

    fn a_receipt_is_seen_by_who_sold_the_order(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let number = number_of(&order);
        world.get(&world.key(OPERATOR), &path(&order)).expect(200);
        let airline = text(&world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data()["airline_id"]);
        let airlines = world.get(&world.key(OPERATOR), "/v1/airlines?limit=200").expect(200).data().as_array().unwrap().clone();
        let organisation = text(&airlines.iter().find(|one| one["id"] == json!(airline)).unwrap()["organisation_id"]);
        let of_airline = key_for(world, &organisation, &[Scope::FinanceRead]);
        for ending in [path(&order), format!("/v1/tickets/{number}/receipt")] {
            world.get(&world.key(SHANGHAI), &ending).expect_error(404, "not_found");
            world.get(&world.key(BANK), &ending).expect_error(403, "insufficient_scope");
            world.get(&of_airline, &ending).expect_error(403, "insufficient_scope");
        }
        for nothing in ["/v1/orders/ord_1/receipt", "/v1/tickets/9990000000000/receipt", "/v1/tickets/12/receipt"] {
            world.get(&key, nothing).expect_error(404, "not_found");
        }
    }

    fn what_is_only_held_has_no_receipt(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        world.get(&key, &path(&order)).expect_error(409, "invalid_state");
        let emails = format!("/v1/orders/{}/receipt_emails", text(&order["id"]));
        world.post(&key, &emails, &json!({ "email": "wei@example.com" })).expect_error(409, "invalid_state");
    }

    fn a_receipt_is_sent_once_per_key_with_the_file(world) {
        let key = world.key(BEIJING);
        let order = sold_to_ouyang(world, &key);
        let emails = format!("/v1/orders/{}/receipt_emails", text(&order["id"]));
        let send = |idempotency: &str, language: &str| {
            let body = json!({ "email": "nana@example.com", "language": language });
            world.post_with(&key, &emails, &[("Idempotency-Key", idempotency)], &body).expect(201)
        };
        let (first, again) = (send("one", "zh-CN"), send("one", "zh-CN"));
        assert_eq!((again.header("idempotent-replayed"), first.data()), (Some("true"), again.data()));
        send("two", "en");
        let listed = || world.get(&key, &emails).expect(200).data().as_array().unwrap().clone();
        world.await_that("both have left", || listed().iter().all(|one| one["state"] == "sent"));
        assert_eq!(listed().iter().map(|one| text(&one["language"])).collect::<Vec<_>>(), ["en", "zh-CN"]);
        let sent = world.mail_to("nana@example.com");
        assert_eq!(sent.len(), 2);
        for mail in &sent {
            let reference = text(&order["booking_reference"]);
            for part in ["multipart/mixed", "multipart/alternative", "text/html", "application/pdf", &format!("receipt_{reference}")] {
                assert!(mail.contains(part), "{part}: {mail}");
            }
            assert!(mail.contains("JVBERi0xLjcK"), "the file itself, in base64");
        }
        assert!(sent[1].contains("Subject: Itinerary receipt: PEK"), "{}", &sent[1][..600]);
    }

    fn who_and_where_to_is_looked_at_before_anything_is_sent(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let emails = format!("/v1/orders/{}/receipt_emails", text(&order["id"]));
        for wrong in ["", "nobody", "a b@example.com", "a@example.com\r\nBcc: b@example.com"] {
            world.post(&key, &emails, &json!({ "email": wrong })).expect_error(422, "invalid_value");
        }
        world.post(&key, &emails, &json!({ "email": "wei@example.com", "language": "de" })).expect_error(422, "invalid_value");
        let body = json!({ "email": "wei@example.com" });
        world.post(&world.key(SHANGHAI), &emails, &body).expect_error(404, "not_found");
        world.get(&world.key(SHANGHAI), &emails).expect_error(404, "not_found");
        assert_eq!(world.get(&key, &emails).expect(200).data(), &json!([]));
        for _ in 0..20 {
            world.post(&key, &emails, &body).expect(201);
        }
        world.post(&key, &emails, &body).expect_error(429, "rate_limited");
    }
}
