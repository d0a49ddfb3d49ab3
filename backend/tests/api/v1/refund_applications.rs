//! `/v1/refund_applications`, `/v1/attachments`, and what becomes of a cancellation outside the void window.

use super::worked_case::Desk;
use crate::platform::{Answer, BEIJING, GUANGZHOU, SHANGHAI};
use crate::v1::events::awaited;
use crate::v1::{cny, number_of, sum, text};
use reqwest::Method;
use serde_json::{Value, json};

fn quote(desk: &Desk, data: &Value) -> Answer {
    desk.world.post(&desk.seller, "/v1/refund_applications", data)
}

/// Confirms at the amount of the quote, once per word.
fn confirm(desk: &Desk, quote: &Value, once: &str, amount: &Value) -> Answer {
    let path = format!("/v1/refund_applications/{}/actions/confirm", text(&quote["id"]));
    let data = json!({ "expected_amount": amount, "expected_currency": "CNY" });
    desk.world.post_with(&desk.seller, &path, &[("Idempotency-Key", once)], &data)
}

fn decide(desk: &Desk, application: &Value, key: &str, decision: &str) -> Answer {
    let path = format!("/v1/refund_applications/{}/actions/decide", text(&application["id"]));
    let once = format!("{decision}-{key}");
    desk.world.post_with(key, &path, &[("Idempotency-Key", &once)], &json!({ "decision": decision }))
}

fn ticket(desk: &Desk, order: &Value) -> Value {
    desk.world.get(&desk.seller, &format!("/v1/tickets/{}", number_of(order))).expect(200).data().clone()
}

fn legs_of(refund: &Value) -> Value {
    sum(refund["legs"].as_array().unwrap().iter().map(|leg| &leg["amount"])).to_string().into()
}

fn upload(desk: &Desk, key: &str, name: &str, content: &str) -> Answer {
    let path = format!("/v1/attachments?file_name={name}");
    desk.world.block_on(desk.world.send(key, Method::POST, &path, &[], Some(content.to_owned())))
}

on_both_engines! {
    fn an_order_is_refunded_by_the_ladder_after_the_void_window(world) {
        let desk = Desk::open(world, SHANGHAI);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        desk.days_pass(1);
        let read = |desk: &Desk| world.get(&desk.seller, &format!("/air/orders/{}", text(&order["id"]))).expect(200).data().clone();
        assert_eq!(read(&desk)["available_actions"], json!(["cancel", "change", "update", "refund"]));
        let quote = world.post(&desk.seller, "/air/order_cancellations", &json!({ "order_id": order["id"] })).expect(201);
        let quote = quote.data();
        // Class H, more than a week before departure: 5 % of the fare of 940.00.
        assert_eq!((&quote["kind"], &quote["refund_amount"]), (&json!("refund"), &json!("953.00")));
        let refund = &quote["refund"];
        assert_eq!((&refund["penalty_amount"], &refund["tickets"][0]["coupons"][0]["penalty_rate"]), (&json!("47.00"), &json!("0.05")));
        assert_eq!(legs_of(&refund["tickets"][0]), "953.00");
        let path = format!("/air/order_cancellations/{}/actions/confirm", text(&quote["id"]));
        let rehearsed = world.post(&desk.seller, &format!("{path}?dry_run=true"), &json!({})).expect(200);
        assert_eq!(rehearsed.data()["postings"][0]["event"], "ticket_refund");
        assert_eq!(read(&desk)["cancelled_at"], Value::Null, "nothing was done");

        let confirmed = world.post(&desk.seller, &path, &json!({})).expect(200);
        assert_eq!(confirmed.data()["refund"]["status"], "refunded");
        assert_eq!(world.post(&desk.seller, &path, &json!({})).expect(200).data(), confirmed.data(), "confirmed again, it is the same");
        let after = read(&desk);
        assert!(after["cancelled_at"].is_string() && after["cancellation"]["id"] == quote["id"]);
        assert_eq!(after["available_actions"], json!([]), "its notes");
        world.post(&desk.seller, "/air/order_cancellations", &json!({ "order_id": order["id"] }))
            .expect_error(409, "order_already_cancelled");
        let ticket = ticket(&desk, &order);
        assert_eq!(ticket["coupons"][0]["status"], "R");
        let events: Vec<String> = ticket["journal"].as_array().unwrap().iter().map(|posting| text(&posting["event"])).collect();
        assert_eq!(events, ["ticket_sale", "advance_confirmed", "ticket_refund"]);
        for (kind, object) in [
            ("order_cancellation.confirmed", &quote["id"]),
            ("refund_application.refunded", &refund["id"]),
            ("ticket.refunded", &ticket["id"]),
        ] {
            awaited(world, &desk.seller, kind, &text(object));
        }
        assert_eq!(desk.balance("agency.receivable"), cny(&json!("47.00")));
        desk.proves();
    }

    fn a_ticket_is_quoted_confirmed_and_read(world) {
        let desk = Desk::open(world, SHANGHAI);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        let wish = json!({ "kind": "voluntary", "tickets": [{ "number": number_of(&order), "coupons": [1] }] });
        let rehearsed = world.post(&desk.seller, "/v1/refund_applications?dry_run=true", &wish).expect(200);
        assert_eq!(rehearsed.data()["application"]["status"], "refunded");
        assert_eq!(rehearsed.data()["postings"].as_array().unwrap().len(), 1);
        let quoted = quote(&desk, &wish).expect(201);
        let quoted = quoted.data();
        assert_eq!((&quoted["status"], &quoted["refund_amount"], &quoted["refunded_to"]), (&json!("quoted"), &json!("953.00"), &json!("credit")));
        let path = format!("/v1/refund_applications/{}", text(&quoted["id"]));
        assert_eq!(world.get(&desk.seller, &path).expect(200).data(), quoted);
        world.get(&world.key_in("test", BEIJING), &path).expect_error(404, "not_found");

        let wrong = confirm(&desk, quoted, "a", &json!("953.01")).expect_error(422, "refund_amount_differs");
        assert_eq!(wrong.pointer(), "/data/expected_amount");
        let data = json!({ "expected_amount": "953.00", "expected_currency": "CNY" });
        world.post(&desk.seller, &format!("{path}/actions/confirm"), &data).expect_error(400, "idempotency_key_required");
        assert_eq!(ticket(&desk, &order)["coupons"][0]["status"], "O");
        let done = confirm(&desk, quoted, "b", &json!("953.00")).expect(200);
        assert_eq!(done.data()["status"], "refunded");
        let again = confirm(&desk, quoted, "b", &json!("953.00")).expect(200);
        assert_eq!((again.data(), again.header("idempotent-replayed")), (done.data(), Some("true")));
        assert_eq!(confirm(&desk, quoted, "c", &json!("953.00")).expect(200).data(), done.data());
        quote(&desk, &wish).expect_error(422, "coupon_not_refundable");
        let cycle = world.get(&desk.seller, &format!("/v1/cycles?agency_id={}", desk.agency)).expect(200);
        assert_eq!((&cycle.data()[0]["refunded_amount"], &cycle.data()[0]["open_amount"]), (&json!("953.00"), &json!("47.00")));
        let listed = |query: &str| world.get(&desk.seller, &format!("/v1/refund_applications?{query}")).expect(200).data().as_array().unwrap().len();
        assert_eq!((listed("status=refunded"), listed("status=quoted"), listed("overdue=true")), (1, 0, 0));
        desk.proves();
    }

    fn a_late_confirmation_and_a_void_ticket_are_refused(world) {
        let desk = Desk::open(world, SHANGHAI);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        let quoted = quote(&desk, &json!({ "kind": "voluntary", "order_id": order["id"] })).expect(201);
        let test = &world.platform.test;
        let later = test.now().plus(chrono::Duration::minutes(16)).to_string();
        world.post(&desk.operator, "/v1/test_clock", &json!({ "now": later })).expect(200);
        confirm(&desk, quoted.data(), "a", &json!("953.00")).expect_error(422, "refund_quote_expired");
        let void = world.post(&desk.seller, "/air/order_cancellations", &json!({ "order_id": order["id"] }));
        // Sixteen minutes later it may be the next day in Shanghai.
        if void.expect(201).data()["kind"] == "void" {
            let cancellation = world.get(&desk.seller, "/air/order_cancellations").expect(200).data()[0].clone();
            let path = format!("/air/order_cancellations/{}/actions/confirm", text(&cancellation["id"]));
            world.post(&desk.seller, &path, &json!({})).expect(200);
            quote(&desk, &json!({ "kind": "voluntary", "order_id": order["id"] })).expect_error(422, "ticket_voided");
        }
        let nothing = json!({ "kind": "voluntary", "tickets": [{ "number": "9990000000000" }] });
        assert_eq!(quote(&desk, &nothing).expect_error(404, "not_found").pointer(), "/data/tickets/0/number");
        assert_eq!(quote(&desk, &json!({ "kind": "medical", "order_id": order["id"] })).expect_error(422, "missing_field").pointer(), "/data/reason");
        desk.proves();
    }

    fn a_wallet_is_credited(world) {
        let desk = Desk::open(world, GUANGZHOU);
        let order = desk.sells("Zhang", "balance");
        desk.until_paid();
        let before = desk.balance("agency.wallet");
        let quoted = quote(&desk, &json!({ "kind": "voluntary", "order_id": order["id"] })).expect(201);
        let done = confirm(&desk, quoted.data(), "a", &quoted.data()["refund_amount"]).expect(200);
        assert_eq!((&done.data()["status"], &done.data()["refunded_to"]), (&json!("refunded"), &json!("wallet")));
        let legs = done.data()["tickets"][0]["legs"].as_array().unwrap().clone();
        let commission = legs.iter().find(|leg| leg["kind"] == "commission").unwrap();
        let credited = cny(&done.data()["refund_amount"]).checked_sub(cny(&commission["amount"])).unwrap();
        assert_eq!(desk.balance("agency.wallet"), before.checked_add(credited).unwrap());
        desk.proves();
    }

    fn a_person_of_the_operator_decides_on_evidence(world) {
        let desk = Desk::open(world, SHANGHAI);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        let document = upload(&desk, &desk.seller, "certificate.pdf", "%PDF-1.7 certificate").expect(201);
        assert_eq!(document.data()["media_type"], "application/pdf");
        let id = text(&document.data()["id"]);
        assert_eq!(upload(&desk, &desk.seller, "again.pdf", "%PDF-1.7 certificate").expect(200).data()["id"], json!(id));
        upload(&desk, &desk.seller, "x.pdf", "MZ not a document").expect_error(422, "attachment_type_not_supported");
        upload(&desk, &desk.seller, "x.pdf", &format!("%PDF-{}", "x".repeat(10 * 1024 * 1024))).expect_error(413, "attachment_too_large");
        let stranger = world.key_in("test", BEIJING);
        let path = format!("/v1/attachments/{id}");
        world.get(&stranger, &path).expect_error(404, "not_found");
        let content = world.get(&desk.operator, &format!("{path}/content")).expect(200);
        assert_eq!(content.body, json!("%PDF-1.7 certificate"));
        assert_eq!(content.header("etag"), Some(format!("\"{}\"", text(&document.data()["sha256"])).as_str()));

        let wish = json!({ "kind": "medical", "order_id": order["id"], "reason": "illness of the traveller", "attachment_ids": [id] });
        let quoted = quote(&desk, &wish).expect(201);
        assert_eq!(quoted.data()["refund_amount"], "1000.00");
        let theirs = upload(&desk, &stranger, "other.pdf", "%PDF-1.7 other").expect(201);
        let stolen = json!({ "kind": "medical", "order_id": order["id"], "reason": "x", "attachment_ids": [theirs.data()["id"]] });
        assert_eq!(quote(&desk, &stolen).expect_error(404, "not_found").pointer(), "/data/attachment_ids/0");
        let submitted = confirm(&desk, quoted.data(), "a", &json!("1000.00")).expect(200);
        assert_eq!(submitted.data()["status"], "submitted");
        assert!(submitted.data()["due_at"].is_string());
        decide(&desk, submitted.data(), &desk.seller, "approve").expect_error(403, "insufficient_scope");

        desk.days_pass(30);
        let overdue = world.get(&desk.seller, "/v1/refund_applications?overdue=true").expect(200);
        assert_eq!((&overdue.data()[0]["id"], &overdue.data()[0]["is_overdue"]), (&submitted.data()["id"], &json!(true)));
        let approved = decide(&desk, submitted.data(), &desk.operator, "approve").expect(200);
        assert_eq!(approved.data()["status"], "refunded");
        assert!(approved.data()["decided_by_key_id"].is_string());
        decide(&desk, submitted.data(), &desk.operator, "reject").expect_error(409, "invalid_state");
        assert_eq!(world.get(&desk.seller, "/v1/refund_applications?overdue=true").expect(200).data(), &json!([]));
        desk.proves();
    }
}
