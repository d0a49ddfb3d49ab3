//! `/v1/contracts` and `/v1/limit_policies`: terms that are never changed, only followed by a next version.

use crate::platform::{BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, agreed, all_ids, second_operator, text};
use serde_json::{Value, json};

fn today(world: &World) -> String {
    world.platform.live.now().date_in(chrono_tz::Asia::Shanghai).to_string()
}

fn terms(agency: &str, from: &str) -> Value {
    json!({ "agency_id": agency, "currency": "CNY", "effective_from": from, "commission_rate": "0.04", "commission_base": "fare",
        "fee_rate": "0.005", "tax_remitter": "airline", "payment_days": 10, "clawback": "pro_rata", "fee_on_refund": "kept",
        "airline_return": "repay_on_demand" })
}

on_both_engines! {
    fn a_contract_gets_the_next_version_and_the_sale_follows_it(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let signed = world.post(&operator, "/v1/contracts", &terms(&agency, &today(world))).expect(201);
        let (id, sent) = (text(&signed.data()["id"]), terms(&agency, &today(world)));
        assert_eq!((&signed.data()["version"], &signed.data()["airline_id"]), (&json!(2), &json!(null)));
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&signed.data()[name], value, "{name}");
        }
        assert_eq!(world.get(&key, &format!("/v1/contracts/{id}")).expect(200).data(), signed.data());
        world.get(&world.key(SHANGHAI), &format!("/v1/contracts/{id}")).expect_error(404, "not_found");
        let listed = all_ids(world, &operator, &format!("/v1/contracts?agency_id={agency}"));
        assert_eq!((listed.len(), &listed[0]), (3, &id));
        assert_eq!(all_ids(world, &key, "/v1/contracts"), listed);
        assert_eq!(all_ids(world, &world.key(SHANGHAI), &format!("/v1/contracts?agency_id={agency}")), Vec::<String>::new());
        world.get(&operator, "/v1/contracts?agency_id=org_1").expect_error(422, "invalid_value");
    }

    fn a_contract_that_cannot_be_is_refused_by_field(world) {
        let operator = world.key(OPERATOR);
        let agency = agency_of(world, &world.key(BEIJING));
        let with = |name: &str, value: Value| {
            let mut terms = terms(&agency, &today(world));
            terms[name] = value;
            world.post(&operator, "/v1/contracts", &terms)
        };
        let cases = [
            ("agency_id", json!("agy_0000000000009"), "invalid_value"),
            ("airline_id", json!("arl_0000000000009"), "invalid_value"),
            ("currency", json!("USD"), "currency_mismatch"),
            ("currency", json!("ABC"), "unknown_currency"),
            ("effective_from", json!("2020-01-01"), "invalid_value"),
            ("effective_from", json!("tomorrow"), "invalid_value"),
            ("commission_rate", json!("1.5"), "invalid_value"),
            ("commission_rate", json!("3%"), "invalid_value"),
            ("payment_days", json!(366), "invalid_value"),
            ("clawback", json!("some"), "invalid_value"),
        ];
        for (name, value, code) in cases {
            let answer = with(name, value.clone());
            assert_eq!((answer.status, answer.code()), (422, code), "{name} {value}: {}", answer.body);
            assert_eq!(answer.pointer(), format!("/data/{name}"));
        }
        assert_eq!(all_ids(world, &operator, &format!("/v1/contracts?agency_id={agency}")).len(), 2, "nothing was signed");
    }

    fn a_contract_that_loses_money_takes_two_people(world) {
        let operator = world.key(OPERATOR);
        let agency = agency_of(world, &world.key(BEIJING));
        let mut losing = terms(&agency, &today(world));
        (losing["commission_rate"], losing["commission_base"], losing["tax_remitter"]) = (json!("0.03"), json!("price"), json!("platform"));
        losing["payment_days"] = json!(17);
        losing["costs"] = json!({ "free_days": 3 });
        let dry = world.post(&operator, "/v1/contracts?dry_run=true", &losing).expect(200);
        assert_eq!((&dry.data()["dry_run"], &dry.data()["can_be_signed"]), (&json!(true), &json!(false)));
        let margin = &dry.data()["margin"];
        assert_eq!((&margin["days"], &margin["margin_amount"]), (&json!(33), &json!("-0.03")));
        assert_eq!((&margin["fee_amount"], &margin["interest_amount"], &margin["facility_rate"]), (&json!("5.00"), &json!("5.03"), &json!("0.06000000")));
        let refused = world.post(&operator, "/v1/contracts", &losing).expect_error(422, "negative_margin");
        let message = text(&refused.body["errors"][0]["message"]);
        assert!(message.contains("fee 5.00 + financing 0.00 - interest 5.03 - channel cost 0.00"), "{message}");
        let mut wrong = losing.clone();
        wrong["payment_days"] = json!(366);
        let answer = agreed(world, "negative_margin", &wrong).expect_error(422, "invalid_value");
        assert_eq!(answer.pointer(), "/data/change/payment_days");
        let mut earning = losing.clone();
        earning["payment_days"] = json!(7);
        agreed(world, "negative_margin", &earning).expect_error(409, "invalid_state");
        // Asked for, and then another version is signed: what was agreed to is not what it was.
        let second = second_operator(world);
        let ask = json!({ "kind": "negative_margin", "reason": "a large agency", "change": losing });
        let asked = world.post(&operator, "/v1/approvals", &ask).expect(201);
        world.post(&operator, "/v1/contracts", &earning).expect(201);
        let path = format!("/v1/approvals/{}/actions/approve", text(&asked.data()["id"]));
        world.post(&second, &path, &json!({})).expect_error(409, "approval_stale");
        let done = agreed(world, "negative_margin", &losing).expect(200);
        let signed = world.get(&operator, &format!("/v1/contracts/{}", text(&done.data()["result_id"]))).expect(200);
        assert_eq!((&signed.data()["payment_days"], &signed.data()["costs"]["free_days"]), (&json!(17), &json!(3)));
        losing["costs"] = json!({ "vat_rate": "1.5" });
        assert_eq!(world.post(&operator, "/v1/contracts", &losing).expect_error(422, "invalid_value").pointer(), "/data/costs/vat_rate");
        world.prove();
    }

    fn a_policy_is_adopted_for_a_currency_and_changes_the_limit(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let adopt = |from: &str, multiplier: &str, cap: &str, currency: &str| {
            let new = json!({ "effective_from": from, "deposit_multiplier": multiplier, "cap_amount": cap, "cap_currency": currency });
            world.post(&operator, "/v1/limit_policies", &new)
        };
        let limit = || {
            let path = format!("/v1/limits/{}", agency_of(world, &key));
            world.get(&key, &path).expect(200).data().clone()
        };
        assert_eq!(limit()["limit_amount"], "1000000.00");
        let adopted = adopt(&today(world), "3", "1200000.00", "CNY").expect(201);
        assert_eq!(adopted.data()["version"], 2);
        let now = limit();
        assert_eq!((&now["deposit_times_multiplier_amount"], &now["limit_amount"]), (&json!("1500000.00"), &json!("1200000.00")));
        assert_eq!(now["policy"], *adopted.data());
        assert_eq!(adopt("2020-01-01", "3", "1.00", "CNY").expect_error(422, "invalid_value").pointer(), "/data/effective_from");
        assert_eq!(adopt(&today(world), "101", "1.00", "CNY").expect_error(422, "invalid_value").pointer(), "/data/deposit_multiplier");
        assert_eq!(adopt(&today(world), "1", "1.001", "CNY").expect_error(422, "too_many_decimals").pointer(), "/data/cap_amount");
        assert_eq!(adopt(&today(world), "1", "1.0", "JPY").expect_error(422, "too_many_decimals").pointer(), "/data/cap_amount");
        assert_eq!(adopt(&today(world), "1", "-1.00", "CNY").expect_error(422, "invalid_value").pointer(), "/data/cap_amount");
        assert_eq!(all_ids(world, &operator, "/v1/limit_policies?currency=CNY").len(), 2);
        assert_eq!(all_ids(world, &operator, "/v1/limit_policies?currency=USD").len(), 0);
        world.get(&operator, "/v1/limit_policies?currency=RMB").expect_error(422, "unknown_currency");
        world.get(&key, "/v1/limit_policies").expect_error(403, "insufficient_scope");
    }
}
