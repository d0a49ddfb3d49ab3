//! Why a sale earns what it earns: of an offer, of facts, and of a ticket that was sold.

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::commission_rules::{file, rule, ticket};
use crate::v1::{agency_of, cny, key_for, number_of, sold, sum, text};
use airsettle::identity::Scope;
use serde_json::{Value, json};

/// A rule's verdict and reason, of the first coupon.
fn verdict(explanation: &Value, code: &str, version: i64) -> (String, Value) {
    let candidates = explanation["coupons"][0]["candidates"].as_array().unwrap();
    let found = candidates.iter().find(|one| one["code"] == code && one["version"] == version);
    let found = found.unwrap_or_else(|| panic!("{code} {version} is not among {candidates:?}"));
    (text(&found["verdict"]), found["reason"].clone())
}

fn told(verdict: &str, reason: Value) -> (String, Value) {
    (verdict.to_owned(), reason)
}

/// Beijing to Shanghai in class K, 950.00 and 50.00.
fn facts(agency: &str, airline: &str) -> Value {
    json!({ "facts": { "agency_id": agency, "airline_id": airline, "passenger_type": "adult", "currency": "CNY", "tax_amount": "50.00",
        "segments": [{ "carrier": "CA", "origin": "PEK", "destination": "SHA", "booking_class": "K", "departure_date": "2030-01-02",
            "fare_amount": "950.00" }] } })
}

fn airline(world: &World, code: &str) -> Value {
    let airlines = world.get(&world.key(OPERATOR), "/v1/airlines?limit=200").expect(200).data().as_array().unwrap().clone();
    airlines.into_iter().find(|airline| airline["iata_code"] == code).unwrap()
}

on_both_engines! {
    fn a_sale_that_is_only_asked_about_shows_its_arithmetic_and_every_candidate(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let (agency, other) = (agency_of(world, &key), agency_of(world, &world.key(SHANGHAI)));
        let carrier = text(&airline(world, "CA")["id"]);
        let ask = |key: &str, body: &Value| world.post(key, "/v1/commission_rules/explain", body);
        let plain = ask(&key, &facts(&agency, &carrier)).expect(200).data().clone();
        assert_eq!((&plain["commission_amount"], &plain["coupons"][0]["rule"]), (&json!("30.00"), &json!(null)), "the contract's 3 %");
        assert_eq!((&plain["coupons"][0]["base"], &plain["coupons"][0]["base_amount"]), (&json!("price"), &json!("1000.00")));

        let own = json!({ "agency_id": agency });
        file(world, &rule(world, "OWN", "0.031579", &own));
        file(world, &rule(world, "ROUTE", "0.02", &json!({ "origin": { "type": "city", "code": "BJS" } })));
        file(world, &rule(world, "CLASS", "0.02", &json!({ "agency_id": agency, "booking_classes": ["F"] })));
        file(world, &rule(world, "BACK", "0.02", &json!({ "agency_id": agency, "destination": { "type": "airport", "code": "PEK" } })));
        file(world, &rule(world, "FUTURE", "0.9", &json!({ "agency_id": agency, "effective_from": "2036-01-01" })));
        file(world, &rule(world, "OLD", "0.02", &json!({})));
        let mut gone = rule(world, "OLD", "0", &json!({ "kind": "withdrawn" }));
        gone["rate"] = Value::Null;
        file(world, &gone);
        file(world, &rule(world, "OTHERS", "0.02", &json!({ "agency_id": other })));
        let explained = ask(&key, &facts(&agency, &carrier)).expect(200).data().clone();
        assert_eq!((&explained["price_amount"], &explained["commission_amount"]), (&json!("1000.00"), &json!("30.00")));
        let coupon = &explained["coupons"][0];
        assert_eq!((&coupon["rule"]["code"], &coupon["rule"]["version"]), (&json!("OWN"), &json!(1)));
        assert_eq!((&coupon["kind"], &coupon["base"], &coupon["base_amount"]), (&json!("percentage"), &json!("fare"), &json!("950.00")));
        assert_eq!((&coupon["rate"], &coupon["exact_amount"], &coupon["amount"]), (&json!("0.031579"), &json!("30.00005"), &json!("30.00")));
        assert_eq!(verdict(&explained, "OWN", 1), told("won", json!(null)));
        assert_eq!(verdict(&explained, "ROUTE", 1), told("lost", json!("agency")));
        assert_eq!(verdict(&explained, "CLASS", 1), told("condition_failed", json!("booking_class")));
        assert_eq!(verdict(&explained, "BACK", 1), told("condition_failed", json!("route")));
        assert_eq!(verdict(&explained, "FUTURE", 1), told("not_yet_effective", json!(null)));
        assert_eq!(verdict(&explained, "OLD", 1), told("superseded", json!(null)));
        assert_eq!(verdict(&explained, "OLD", 2), told("withdrawn", json!(null)));
        let codes = |told: &Value| told["coupons"][0]["candidates"].to_string();
        assert!(!codes(&explained).contains("OTHERS"), "another agency's rule is not shown");
        let all = ask(&operator, &facts(&agency, &carrier)).expect(200).data().clone();
        assert_eq!(verdict(&all, "OTHERS", 1), told("condition_failed", json!("agency")));
    }

    fn an_offer_is_explained_as_it_would_be_sold_and_a_ticket_as_it_was(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        file(world, &rule(world, "OWN", "0.04", &json!({ "agency_id": agency })));
        let offer = an_offer(world, &key);
        let ask = json!({ "offer_id": offer["id"], "passenger_id": offer["passengers"][0]["id"] });
        let before = world.post(&key, "/v1/commission_rules/explain", &ask).expect(200).data().clone();
        let order = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201).data().clone();
        let shown = ticket(world, &order);
        let path = format!("/v1/tickets/{}/commission", number_of(&order));
        let after = world.get(&key, &path).expect(200).data().clone();
        assert_eq!(before, after, "what was promised is what was sold");
        assert_eq!(sum(after["coupons"].as_array().unwrap().iter().map(|coupon| &coupon["amount"])), cny(&after["commission_amount"]));
        assert_eq!(after["coupons"][0]["rule"], shown["coupons"][0]["commission_rule"]);
        assert_eq!(after["coupons"][0]["amount"], shown["coupons"][0]["commission_amount"]);

        // A later version does not change what was sold.
        file(world, &rule(world, "OWN", "0.05", &json!({ "agency_id": agency })));
        let later = world.get(&key, &path).expect(200).data().clone();
        assert_eq!(verdict(&later, "OWN", 1), told("won", json!(null)));
        assert_eq!(verdict(&later, "OWN", 2), told("filed_later", json!(null)));
        assert_eq!((&later["commission_amount"], &later["coupons"][0]["rate"]), (&after["commission_amount"], &json!("0.04")));
        let now = world.post(&key, "/v1/commission_rules/explain", &ask).expect(200).data().clone();
        assert_eq!((verdict(&now, "OWN", 2).0.as_str(), verdict(&now, "OWN", 1).0.as_str()), ("won", "superseded"));

        let carrier = world.get(&operator, &format!("/v1/airlines/{}", text(&shown["airline_id"]))).expect(200).data().clone();
        let own = key_for(world, &text(&carrier["organisation_id"]), &[Scope::FinanceRead]);
        world.get(&own, &path).expect(200);
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
    }

    fn a_question_that_cannot_be_answered_names_its_field(world) {
        let (key, shanghai) = (world.key(BEIJING), world.key(SHANGHAI));
        let (agency, carrier) = (agency_of(world, &key), text(&airline(world, "CA")["id"]));
        let offer = an_offer(world, &key);
        let ask = |key: &str, body: &Value| world.post(key, "/v1/commission_rules/explain", body);
        let refused = |key: &str, body: &Value, status: u16, code: &str, field: &str| {
            assert_eq!(ask(key, body).expect_error(status, code).pointer(), format!("/data/{field}"), "{body}");
        };
        let passenger = &offer["passengers"][0]["id"];
        refused(&key, &json!({}), 422, "missing_field", "offer_id");
        refused(&key, &json!({ "offer_id": offer["id"] }), 422, "missing_field", "passenger_id");
        let stranger = json!({ "offer_id": offer["id"], "passenger_id": "pas_0000000000009" });
        refused(&key, &stranger, 422, "passenger_mismatch", "passenger_id");
        refused(&shanghai, &json!({ "offer_id": offer["id"], "passenger_id": passenger }), 404, "offer_not_found", "offer_id");
        let mut both = facts(&agency, &carrier);
        both["offer_id"] = offer["id"].clone();
        refused(&key, &both, 422, "invalid_value", "offer_id");
        refused(&shanghai, &facts(&agency, &carrier), 422, "invalid_value", "facts/agency_id");
        refused(&key, &facts(&agency, "arl_0000000000009"), 422, "invalid_value", "facts/airline_id");
        let cases = [
            ("origin", json!("QQQ"), "invalid_value"),
            ("booking_class", json!("k"), "invalid_value"),
            ("departure_date", json!("tomorrow"), "invalid_value"),
            ("fare_amount", json!("1.001"), "too_many_decimals"),
        ];
        for (field, value, code) in cases {
            let mut wrong = facts(&agency, &carrier);
            wrong["facts"]["segments"][0][field] = value;
            refused(&key, &wrong, 422, code, &format!("facts/segments/0/{field}"));
        }
        let mut none = facts(&agency, &carrier);
        none["facts"]["segments"] = json!([]);
        refused(&key, &none, 422, "invalid_value", "facts/segments");
        sold(world, &key, "Zhang", "arc_bsp_cash");
    }
}
