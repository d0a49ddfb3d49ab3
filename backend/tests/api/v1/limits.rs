//! `/v1/guarantees`, `/v1/temporary_limits`, `/v1/limits/{agency}/what_if`, its review and `/v1/limit_alerts`

use crate::air::{an_offer, an_order};
use crate::platform::{Answer, BEIJING, GUANGZHOU, OPERATOR, SHANGHAI, World};
use crate::v1::events::awaited;
use crate::v1::{agency_of, agreed, cny, second_operator, sold, text};
use chrono::Days;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Instant;

fn day(world: &World, days: u64) -> String {
    (world.platform.live.store.today() + Days::new(days)).to_string()
}

fn limit(world: &World, key: &str) -> Value {
    world.get(key, &format!("/v1/limits/{}", agency_of(world, key))).expect(200).data().clone()
}

fn document(world: &World, key: &str) -> String {
    let sent = world.send(key, Method::POST, "/v1/attachments?file_name=g.pdf", &[], Some("%PDF-1.4 a bank answers".to_owned()));
    text(&world.block_on(sent).data()["id"])
}

fn registered(world: &World, agency: &str, amount: &str, haircut: &str) -> Answer {
    let operator = world.key(OPERATOR);
    let new = json!({ "agency_id": agency, "kind": "guarantee", "issuer": "Bank of the Delta", "amount": amount, "currency": "CNY",
        "haircut": haircut, "effective_from": day(world, 0), "expires_on": day(world, 30),
        "attachment_id": document(world, &operator) });
    world.post(&operator, "/v1/guarantees", &new)
}

fn asked(world: &World, key: &str, data: &Value) -> Answer {
    world.post(key, &format!("/v1/limits/{}/what_if", agency_of(world, key)), data)
}

/// The operator finds it under its agency's id and under no other one.
fn assert_is_of(world: &World, path: &str, owner: &str) {
    let found = |key: &str| {
        let path = format!("{path}?agency_id={}", agency_of(world, key));
        world.get(&world.key(OPERATOR), &path).expect(200).data().as_array().unwrap().len()
    };
    assert_ne!(found(owner), 0, "{path}");
    assert_eq!(found(&world.key(SHANGHAI)), 0, "{path}");
}

on_both_engines! {
    fn a_guarantee_is_registered_with_its_document_counted_and_given_back(world) {
        let (key, operator) = (world.key(GUANGZHOU), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let before = limit(world, &key);
        assert_eq!((&before["limit_amount"], &before["bound_by"]), (&json!("0.00"), &json!("security")));
        let made = registered(world, &agency, "1000.00", "0.2").expect(201);
        assert_eq!((&made.data()["counted_amount"], &made.data()["status"]), (&json!("800.00"), &json!("in_force")));
        let now = limit(world, &key);
        assert_eq!((&now["security_amount"], &now["limit_amount"]), (&json!("800.00"), &json!("800.00")));
        let term = &now["terms"][0];
        assert_eq!((&term["kind"], &term["id"], &term["amount"]), (&json!("guarantee"), &made.data()["id"], &json!("800.00")));
        let path = format!("/v1/guarantees/{}", text(&made.data()["id"]));
        assert_eq!(world.get(&key, &path).expect(200).data(), made.data());
        assert_eq!(world.get(&key, "/v1/guarantees").expect(200).data().as_array().unwrap().len(), 1);
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        assert_eq!(world.get(&world.key(SHANGHAI), "/v1/guarantees").expect(200).data(), &json!([]));
        assert_is_of(world, "/v1/guarantees", &key);
        let released = world.post(&operator, &format!("{path}/actions/release"), &json!({})).expect(200);
        assert_eq!(released.data()["status"], "released");
        assert_eq!(limit(world, &key)["limit_amount"], "0.00");
        for (amount, haircut, pointer) in [("0", "0", "/data/amount"), ("-1", "0", "/data/amount"), ("1", "1.5", "/data/haircut")] {
            assert_eq!(registered(world, &agency, amount, haircut).expect_error(422, "invalid_value").pointer(), pointer);
        }
        let theirs = document(world, &key);
        let new = json!({ "agency_id": agency, "kind": "pledge", "issuer": "A", "amount": "1.00", "currency": "CNY", "haircut": "0",
            "effective_from": day(world, 0), "expires_on": day(world, 1), "attachment_id": theirs });
        let answer = world.post(&operator, "/v1/guarantees", &new).expect_error(422, "invalid_value");
        assert_eq!(answer.pointer(), "/data/attachment_id", "a document of the agency's own");
        world.prove();
    }

    fn a_limit_is_raised_for_a_while_by_two_and_ended_by_one(world) {
        let (key, operator) = (world.key(GUANGZHOU), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let change = |amount: &str, until: u64| {
            json!({ "agency_id": agency, "amount": amount, "currency": "CNY", "effective_from": day(world, 0),
                "effective_until": day(world, until) })
        };
        let approved = agreed(world, "temporary_limit", &change("500.00", 9)).expect(200);
        let now = limit(world, &key);
        assert_eq!((&now["temporary_amount"], &now["bounded_amount"], &now["limit_amount"]), (&json!("500.00"), &json!("0.00"), &json!("500.00")));
        let listed = world.get(&key, "/v1/temporary_limits").expect(200).data()[0].clone();
        assert_eq!((&listed["id"], &listed["approval_id"]), (&approved.data()["result_id"], &approved.data()["id"]));
        awaited(world, &key, "limit.temporary_granted", &text(&listed["id"]));
        assert_eq!(world.get(&world.key(SHANGHAI), "/v1/temporary_limits").expect(200).data(), &json!([]));
        assert_is_of(world, "/v1/temporary_limits", &key);
        world.post(&key, &format!("/v1/temporary_limits/{}/actions/end", text(&listed["id"])), &json!({})).expect_error(403, "insufficient_scope");
        world.post(&operator, &format!("/v1/temporary_limits/{}/actions/end", text(&listed["id"])), &json!({})).expect(200);
        assert_eq!(limit(world, &key)["limit_amount"], "0.00");
        for (amount, until, code, pointer) in [
            ("-1.00", 9, "invalid_value", "/data/change/amount"),
            ("1.001", 9, "too_many_decimals", "/data/change/amount"),
            ("1.00", 92, "invalid_value", "/data/change/effective_until"),
        ] {
            assert_eq!(agreed(world, "temporary_limit", &change(amount, until)).expect_error(422, code).pointer(), pointer);
        }
        // What its limit is made of changes before the second person looks.
        let second = second_operator(world);
        let request = json!({ "kind": "temporary_limit", "reason": "a fair", "change": change("70.00", 1) });
        let pending = world.post(&operator, "/v1/approvals", &request).expect(201);
        registered(world, &agency, "1.00", "0").expect(201);
        let approve = format!("/v1/approvals/{}/actions/approve", text(&pending.data()["id"]));
        world.post(&second, &approve, &json!({})).expect_error(409, "approval_stale");
        world.prove();
    }

    fn what_if_says_what_would_raise_the_limit_and_what_a_sale_needs(world) {
        let key = world.key(BEIJING);
        // Twice the deposit of 500,000.00 is 1,000,000.00.
        let then = asked(world, &key, &json!({ "deposit_amount": "1000.00", "guarantee_amount": "500.00", "guarantee_haircut": "0.1",
            "temporary_amount": "7.00" })).expect(200);
        let now = limit(world, &key);
        let cap = cny(&now["policy"]["cap_amount"]);
        let secured = cny(&then.data()["secured_amount"]);
        assert_eq!(secured, cny(&json!("1002450.00")));
        assert_eq!(cny(&then.data()["limit_amount"]).minor, secured.minor.min(cap.minor) + 700);
        assert_eq!((&then.data()["sale"], &now["limit_amount"]), (&json!(null), &json!("1000000.00")), "nothing is changed");
        let needs = asked(world, &key, &json!({ "sale_amount": "1000001.00" })).expect(200).data()["sale"].clone();
        assert_eq!((&needs["passes"], &needs["short_amount"], &needs["remittance_amount"]), (&json!(false), &json!("1.00"), &json!("1.00")));
        assert_eq!(needs["temporary_amount"], "1.00");
        assert_eq!(needs["wallet_amount"], "950001.00");
        let passes = asked(world, &key, &json!({ "sale_amount": "1000.00" })).expect(200).data()["sale"].clone();
        assert_eq!((&passes["passes"], &passes["deposit_amount"]), (&json!(true), &json!("0.00")));
        let answer = asked(world, &key, &json!({ "deposit_amount": "-1" })).expect_error(422, "invalid_value");
        assert_eq!(answer.pointer(), "/data/deposit_amount");
        asked(world, &key, &json!({ "sale_amount": "1.001" })).expect_error(422, "too_many_decimals");
        asked(world, &key, &json!({ "guarantee_haircut": "2" })).expect_error(422, "invalid_value");
        let foreign = format!("/v1/limits/{}/what_if", agency_of(world, &key));
        world.post(&world.key(SHANGHAI), &foreign, &json!({})).expect_error(404, "not_found");
    }

    fn a_remittance_frees_capacity_within_a_second(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let owed = limit(world, &key)["exposure_amount"].clone();
        let tight = json!({ "effective_from": day(world, 0), "deposit_multiplier": "1", "cap_amount": owed, "cap_currency": "CNY" });
        world.post(&operator, "/v1/limit_policies", &tight).expect(201);
        let offer = an_offer(world, &key);
        world.post(&key, "/air/orders", &an_order(&offer, "Li", "arc_bsp_cash")).expect_error(422, "limit_exceeded");
        let cycle = world.get(&key, &format!("/v1/cycles?agency_id={agency}")).expect(200).data()[0]["cycle"].clone();
        let remittance = json!({ "account": "own", "amount": owed, "currency": "CNY", "value_date": day(world, 0),
            "bank_reference": "EARLY-1", "purpose": "remittance", "agency_id": agency, "cycle": cycle });
        let began = Instant::now();
        world.post_with(&operator, "/v1/bank_receipts", &[("Idempotency-Key", "early")], &remittance).expect(201);
        world.post(&key, "/air/orders", &an_order(&offer, "Li", "arc_bsp_cash")).expect(201);
        assert!(began.elapsed().as_millis() < 1_000, "{:?}", began.elapsed());
        world.prove();
    }

    fn a_limit_that_is_used_up_is_told_to_its_agency(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        assert_eq!(world.get(&key, "/v1/limit_alerts").expect(200).data(), &json!([]));
        let owed = limit(world, &key)["exposure_amount"].clone();
        // The next one may cost a little more.
        let twice = cny(&owed).checked_mul(2).unwrap().checked_add(cny(&json!("20.00"))).unwrap().to_string();
        let tight = json!({ "effective_from": day(world, 0), "deposit_multiplier": "1", "cap_amount": twice, "cap_currency": "CNY" });
        world.post(&operator, "/v1/limit_policies", &tight).expect(201);
        sold(world, &key, "Li", "arc_bsp_cash");
        let alerts = world.get(&key, "/v1/limit_alerts").expect(200).data().clone();
        let percents: Vec<i64> = alerts.as_array().unwrap().iter().map(|alert| alert["percent"].as_i64().unwrap()).collect();
        assert_eq!(percents[percents.len() - 3..], [90, 75, 50], "{alerts}");
        let alert = alerts.as_array().unwrap().iter().find(|alert| alert["percent"] == 90).unwrap();
        awaited(world, &key, "limit.reached_90", &text(&alert["id"]));
        assert_eq!(world.get(&world.key(SHANGHAI), "/v1/limit_alerts").expect(200).data(), &json!([]));
        assert_is_of(world, "/v1/limit_alerts", &key);
        world.prove();
    }

    fn a_review_makes_the_baseline_a_bound(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let path = format!("/v1/limits/{}/actions/review", agency_of(world, &key));
        world.post(&operator, &path, &json!({})).expect_error(409, "invalid_state");
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let reviewed = world.post(&operator, &path, &json!({})).expect(201);
        let capacity = cny(&reviewed.data()["remittance_holding_capacity"]["amount"]);
        let now = limit(world, &key);
        assert_eq!((cny(&now["limit_amount"]).minor, &now["bound_by"]), (capacity.minor - 1, &json!("holding_capacity")));
        assert_eq!((&now["terms"][0]["id"], &now["terms"][0]["effective_until"]), (&reviewed.data()["id"], &json!(null)));
        world.post(&key, &path, &json!({})).expect_error(403, "insufficient_scope");
        world.prove();
    }
}
