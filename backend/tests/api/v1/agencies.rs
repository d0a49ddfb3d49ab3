//! `/v1/agencies`

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR, SHANGHAI};
use crate::v1::{agency_of, agreed, organisation_of, text};
use serde_json::json;

on_both_engines! {
    fn an_agency_is_opened_once_per_code(world) {
        let operator = world.key(OPERATOR);
        let organisation = organisation_of(world, &world.key(BEIJING));
        let new = json!({ "organisation_id": organisation, "numeric_code": "08301241", "name": "Branch", "country": "CN",
            "time_zone": "Asia/Shanghai", "currency": "CNY", "tender_order": "wallet_only" });
        let made = world.post(&operator, "/v1/agencies", &new).expect(201);
        assert_eq!((&made.data()["status"], &made.data()["tender_order"]), (&json!("active"), &json!("wallet_only")));
        let path = format!("/v1/agencies/{}", text(&made.data()["id"]));
        assert_eq!(world.get(&world.key(BEIJING), &path).expect(200).data(), made.data());
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        let answer = world.post(&operator, "/v1/agencies", &new).expect_error(422, "invalid_value");
        assert_eq!(answer.pointer(), "/data/numeric_code", "taken");
        assert_eq!(world.get(&world.key(BEIJING), "/v1/agencies").expect(200).data().as_array().unwrap().len(), 2);
        let of_one = world.get(&operator, &format!("/v1/agencies?organisation_id={organisation}")).expect(200);
        assert_eq!(of_one.data().as_array().unwrap().len(), 2);
    }

    fn everything_that_is_wrong_with_a_new_agency_is_named(world) {
        let new = json!({ "organisation_id": "agy_1", "numeric_code": "08301242", "name": "", "country": "C",
            "time_zone": "China", "currency": "RMB" });
        let answer = world.post(&world.key(OPERATOR), "/v1/agencies", &new).expect(422);
        let found: Vec<(&str, &str)> = answer.body["errors"].as_array().unwrap().iter()
            .map(|error| (error["code"].as_str().unwrap(), error["source"]["pointer"].as_str().unwrap())).collect();
        assert_eq!(found, [
            ("invalid_value", "/data/organisation_id"), ("invalid_value", "/data/name"), ("invalid_value", "/data/country"),
            ("unknown_currency", "/data/currency"), ("invalid_value", "/data/time_zone"), ("invalid_value", "/data/numeric_code"),
        ]);
    }

    fn a_closed_agency_sells_nothing_and_stays_closed(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let offer = an_offer(world, &key);
        let path = format!("/v1/agencies/{}/actions", agency_of(world, &key));
        let act = |action: &str| world.post(&operator, &format!("{path}/{action}"), &json!({}));
        let switch = |code: u16| {
            let switch = json!({ "target_id": agency_of(world, &key), "scopes": ["issue"], "reason": "a test" });
            let answer = world.post(&operator, "/v1/kill_switches", &switch);
            assert_eq!(answer.status, code, "{}", answer.body);
            answer.data()["id"].clone()
        };
        let status = || world.get(&operator, &format!("/v1/agencies/{}", agency_of(world, &key))).expect(200).data()["status"].clone();
        let thrown = switch(201);
        assert_eq!(status(), "frozen");
        agreed(world, "unfreeze", &json!({ "kill_switch_id": thrown })).expect(200);
        assert_eq!(status(), "active");
        let thrown = switch(201);
        assert_eq!(act("close").expect(200).data()["status"], "closed");
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect_error(422, "agency_closed");
        switch(409);
        // Its last switch is lifted, and it stays closed.
        agreed(world, "unfreeze", &json!({ "kill_switch_id": thrown })).expect(200);
        assert_eq!(status(), "closed");
        world.post(&key, &format!("{path}/close"), &json!({})).expect_error(403, "insufficient_scope");
    }
}
