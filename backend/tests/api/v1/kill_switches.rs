//! `/v1/kill_switches`

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, agreed, text};
use serde_json::{Value, json};

fn thrown(world: &World, target: &str, scopes: Option<Value>) -> Value {
    let mut switch = json!({ "target_id": target, "reason": "night sales of one way tickets" });
    if let Some(scopes) = scopes {
        switch["scopes"] = scopes;
    }
    world.post(&world.key(OPERATOR), "/v1/kill_switches", &switch).expect(201).data().clone()
}

on_both_engines! {
    fn an_agency_whose_keys_are_frozen_does_nothing_until_two_lift_it(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let offer = an_offer(world, &key);
        // The key is remembered from a sale.
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect(201);
        let switch = thrown(world, &agency, Some(json!(["api"])));
        assert_eq!((&switch["scopes"], &switch["lifted_at"]), (&json!(["api"]), &json!(null)));
        world.get(&key, "/v1/agencies").expect_error(403, "agency_api_frozen");
        let refused = world.post(&key, "/air/orders", &an_order(&offer, "Li", "balance"));
        assert_eq!(refused.code(), "agency_api_frozen", "{}", refused.body);
        world.get(&world.key(SHANGHAI), "/v1/agencies").expect(200);
        let shown = world.get(&operator, &format!("/v1/agencies/{agency}")).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["frozen_scopes"]), (&json!("active"), &json!(["api"])));
        let lifted = agreed(world, "unfreeze", &json!({ "kill_switch_id": switch["id"] })).expect(200);
        assert_eq!(lifted.data()["result_id"], switch["id"]);
        world.post(&key, "/air/orders", &an_order(&offer, "Li", "balance")).expect(201);
        let all = world.get(&operator, "/v1/kill_switches").expect(200);
        assert_eq!(all.data()[0]["approval_id"], lifted.data()["id"]);
        assert_eq!(world.get(&operator, "/v1/kill_switches?on=true").expect(200).data(), &json!([]));
        agreed(world, "unfreeze", &json!({ "kill_switch_id": switch["id"] })).expect_error(409, "invalid_state");
        world.prove();
    }

    fn a_refusal_says_which_switch_and_not_by_whom(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let offer = an_offer(world, &key);
        let order = an_order(&offer, "Zhang", "arc_bsp_cash");
        let line = text(&world.get(&operator, "/v1/facilities").expect(200).data()[0]["id"]);
        let carrier = &offer["owner"]["iata_code"];
        let airlines = world.get(&operator, "/v1/airlines?limit=200").expect(200).data().clone();
        let airline = airlines.as_array().unwrap().iter().find(|one| one["iata_code"] == *carrier).unwrap()["id"].clone();
        for (target, code) in [(text(&airline), "airline_stopped"), (line, "facility_closed"), (agency, "agency_frozen")] {
            let switch = thrown(world, &target, None);
            let refused = world.post(&key, "/air/orders", &order);
            let code = if code == "agency_frozen" { "agency_api_frozen" } else { code };
            assert_eq!(refused.code(), code, "{}", refused.body);
            assert!(!refused.body.to_string().contains("key_"), "{}", refused.body);
            agreed(world, "unfreeze", &json!({ "kill_switch_id": switch["id"] })).expect(200);
        }
        let line = text(&world.get(&operator, "/v1/facilities").expect(200).data()[0]["id"]);
        world.post(&operator, &format!("/v1/facilities/{line}/actions/reopen"), &json!({})).expect(200);
        world.post(&key, "/air/orders", &order).expect(201);
        world.get(&key, "/v1/kill_switches").expect_error(403, "insufficient_scope");
        world.prove();
    }

    fn what_a_switch_stopped_one_person_does_not_start(world) {
        let operator = world.key(OPERATOR);
        let airline = text(&world.get(&operator, "/v1/airlines").expect(200).data()[0]["id"]);
        let line = text(&world.get(&operator, "/v1/facilities").expect(200).data()[0]["id"]);
        thrown(world, &airline, None);
        thrown(world, &line, None);
        world.post(&operator, &format!("/v1/airlines/{airline}/actions/resume"), &json!({})).expect_error(409, "kill_switch_on");
        world.post(&operator, &format!("/v1/facilities/{line}/actions/reopen"), &json!({})).expect_error(409, "kill_switch_on");
        for (data, pointer) in [
            (json!({ "target_id": airline, "scopes": ["api"], "reason": "x" }), "/data/scopes"),
            (json!({ "target_id": "org_0000000000009", "reason": "x" }), "/data/target_id"),
            (json!({ "target_id": "agy_0000000000009", "reason": "x" }), "/data/target_id"),
            (json!({ "target_id": airline, "reason": "" }), "/data/reason"),
        ] {
            let answer = world.post(&operator, "/v1/kill_switches", &data).expect_error(422, "invalid_value");
            assert_eq!(answer.pointer(), pointer, "{data}");
        }
    }
}
