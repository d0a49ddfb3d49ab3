//! `/air/order_change_requests`, `/air/order_change_offers`, `/air/order_changes`: other flights for an order.

use crate::air::{an_offer, an_order};
use crate::holds::{change, patch_passenger};
use crate::platform::{BEIJING, SHANGHAI, World};
use crate::v1::events::awaited;
use crate::v1::{cny, number_of, text};
use serde_json::{Value, json};

pub fn day(ahead: u64) -> String {
    (chrono::Utc::now().date_naive() + chrono::Days::new(ahead)).to_string()
}

fn bought(world: &World, key: &str) -> Value {
    let offer = an_offer(world, key);
    world.post(key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201).data().clone()
}

/// Another day for the first slice.
pub fn asks(order: &Value, day: &str) -> Value {
    json!({ "order_id": order["id"], "slices": {
        "remove": [{ "slice_id": order["slices"][0]["id"] }],
        "add": [{ "origin": "PEK", "destination": "SHA", "departure_date": day }],
    } })
}

pub fn payment(change: &Value) -> Value {
    if cny(&change["change_total_amount"]).minor <= 0 {
        return json!({});
    }
    json!({ "payment": { "type": "arc_bsp_cash", "amount": change["change_total_amount"], "currency": "CNY" } })
}

/// Chooses the dearest offer, so that something is to be paid.
pub fn chosen(world: &World, key: &str, order: &Value) -> Value {
    let found = world.post(key, "/air/order_change_requests", &asks(order, &day(33))).expect(201);
    let offers = found.data()["order_change_offers"].as_array().unwrap().clone();
    let dearest = offers.iter().max_by_key(|offer| cny(&offer["change_total_amount"]).minor).unwrap();
    let choice = json!({ "selected_order_change_offer": dearest["id"] });
    let change = world.post(key, "/air/order_changes", &choice).expect(201).data().clone();
    assert_eq!(change["change_total_amount"], dearest["change_total_amount"]);
    change
}

pub fn confirms(world: &World, key: &str, change: &Value, body: &Value) -> crate::platform::Answer {
    world.post(key, &format!("/air/order_changes/{}/actions/confirm", change["id"].as_str().unwrap()), body)
}

on_both_engines! {
    fn an_order_is_moved_to_another_day(world) {
        let key = world.key(BEIJING);
        let order = bought(world, &key);
        let path = format!("/air/orders/{}", order["id"].as_str().unwrap());
        let found = world.post(&key, "/air/order_change_requests", &asks(&order, &day(33))).expect(201);
        let offers = found.data()["order_change_offers"].as_array().unwrap();
        assert!(!offers.is_empty());
        for offer in offers {
            let [new, old, penalty, change] = ["new_total_amount", "given_in_amount", "penalty_total_amount", "change_total_amount"]
                .map(|field| cny(&offer[field]).minor);
            assert_eq!((change, old), (new - old + penalty, cny(&order["total_amount"]).minor), "{offer}");
            assert_eq!(offer["slices"]["remove"][0]["id"], order["slices"][0]["id"]);
            let departs = text(&offer["slices"]["add"][0]["segments"][0]["departing_at"]);
            assert!(departs.starts_with(&day(33)), "{departs}");
        }
        let id = text(&found.data()["id"]);
        assert_eq!(world.get(&key, &format!("/air/order_change_requests/{id}")).expect(200).data(), found.data());
        let listed = world.get(&key, &format!("/air/order_change_offers?order_change_request_id={id}&limit=1")).expect(200);
        assert_eq!(listed.data()[0], offers[0]);
        let one = format!("/air/order_change_offers/{}", offers[0]["id"].as_str().unwrap());
        assert_eq!(world.get(&key, &one).expect(200).data(), &offers[0]);

        let change = chosen(world, &key, &order);
        let rehearsed = world.post(&key, &format!("/air/order_changes/{}/actions/confirm?dry_run=true", change["id"].as_str().unwrap()), &payment(&change));
        let rehearsed = rehearsed.expect(200);
        assert_eq!(rehearsed.data()["postings"][0]["event"], "ticket_exchange");
        assert_eq!(world.get(&key, &path).expect(200).data()["documents"], order["documents"], "nothing was done");

        let done = confirms(world, &key, &change, &payment(&change)).expect(200);
        assert!(done.data()["confirmed_at"].is_string());
        let again = confirms(world, &key, &change, &payment(&change)).expect(200);
        assert_eq!(again.data(), done.data(), "confirmed twice, it is changed once");
        let new = text(&done.data()["tickets"][0]["number"]);
        assert_eq!(done.data()["tickets"][0]["given_in"], json!(number_of(&order)));
        let read = world.get(&key, &path).expect(200);
        assert_eq!(read.data()["documents"][0]["unique_identifier"], json!(new));
        assert_eq!(read.data()["total_amount"], change["new_total_amount"]);
        assert!(text(&read.data()["slices"][0]["segments"][0]["departing_at"]).starts_with(&day(33)));
        let old = world.get(&key, &format!("/v1/tickets/{}", number_of(&order))).expect(200);
        assert_eq!((&old.data()["coupons"][0]["status"], &old.data()["exchanges"][0]["issued"]), (&json!("E"), &json!(new)));
        let changed = awaited(world, &key, "air.order.changed", &text(&order["id"]));
        assert_eq!(changed["data"]["object"]["order_change_id"], change["id"]);
        awaited(world, &key, "ticket.exchanged", &text(&old.data()["id"]));
        world.await_that("the airline is paid", || {
            let disbursement = world.get(&key, &format!("/v1/tickets/{new}")).expect(200).data()["disbursement"].clone();
            disbursement["state"] == "confirmed"
        });
        world.prove();
    }

    fn an_exchange_is_taken_back_and_the_first_flight_stands(world) {
        let key = world.key(BEIJING);
        let order = bought(world, &key);
        let change = chosen(world, &key, &order);
        let void = format!("/air/order_changes/{}/actions/void", change["id"].as_str().unwrap());
        world.post(&key, &void, &json!({})).expect_error(409, "invalid_state");
        confirms(world, &key, &change, &payment(&change)).expect(200);
        world.post(&world.key(SHANGHAI), &void, &json!({})).expect_error(404, "not_found");
        let voided = world.post(&key, &void, &json!({})).expect(200);
        assert!(voided.data()["voided_at"].is_string());
        let read = world.get(&key, &format!("/air/orders/{}", order["id"].as_str().unwrap())).expect(200);
        for field in ["documents", "slices", "total_amount"] {
            assert_eq!(read.data()[field], order[field], "{field}");
        }
        world.prove();
    }

    fn a_name_is_corrected_on_the_ticket_that_is_flown_on(world) {
        let key = world.key(BEIJING);
        let order = bought(world, &key);
        let other = chosen(world, &key, &order);
        confirms(world, &key, &other, &payment(&other)).expect(200);
        let correct = |name: &str| patch_passenger(world, &key, &order, &json!({ "family_name": name }));
        assert_eq!(correct("Zhong").expect(200).data()["family_name"], json!("Zhong"));
        correct("Ouyang").expect_error(422, "name_change_not_allowed");
        change(&world.platform.live, "UPDATE coupon SET status = 'C' WHERE status = 'O'");
        correct("Zhang").expect_error(422, "coupon_not_open");
        change(&world.platform.live, "UPDATE coupon SET status = 'O' WHERE status = 'C'");
        correct("Zhang").expect(200);
        world.prove();
    }

    fn what_is_wrong_with_a_change_is_named(world) {
        let (key, other) = (world.key(BEIJING), world.key(SHANGHAI));
        let order = bought(world, &key);
        let requests = "/air/order_change_requests";
        world.post(&other, requests, &asks(&order, &day(33))).expect_error(404, "not_found");
        let mut wrong = asks(&order, &day(33));
        wrong["slices"]["remove"][0]["slice_id"] = json!("sli_0000000000001_0");
        let refused = world.post(&key, requests, &wrong).expect_error(422, "invalid_value");
        assert_eq!(refused.pointer(), "/data/slices/remove/0/slice_id");
        let body = text(&order["id"]).replace("ord_", "sli_");
        wrong["slices"]["remove"][0]["slice_id"] = json!(format!("{body}_7"));
        assert_eq!(world.post(&key, requests, &wrong).expect_error(422, "invalid_value").pointer(), "/data/slices/remove");
        let mut wrong = asks(&order, &day(33));
        wrong["slices"]["add"][0]["origin"] = json!("XXX");
        assert_eq!(world.post(&key, requests, &wrong).expect_error(422, "invalid_search").pointer(), "/data/slices/add/0/origin");
        wrong["slices"]["add"] = json!([]);
        assert_eq!(world.post(&key, requests, &wrong).expect_error(422, "invalid_value").pointer(), "/data/slices/add");

        let change = chosen(world, &key, &order);
        confirms(world, &key, &change, &json!({})).expect_error(422, "payment_amount_mismatch");
        let stale = json!({ "payment": { "type": "arc_bsp_cash", "amount": "0.01", "currency": "CNY" } });
        let refused = confirms(world, &key, &change, &stale).expect_error(422, "payment_amount_mismatch");
        assert_eq!(refused.pointer(), "/data/payment/amount");
        confirms(world, &other, &change, &payment(&change)).expect_error(404, "not_found");
        let first = chosen(world, &key, &order);
        confirms(world, &key, &first, &payment(&first)).expect(200);
        confirms(world, &key, &change, &payment(&change)).expect_error(409, "order_changed");
        world.prove();
    }
}
