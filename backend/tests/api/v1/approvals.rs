//! `/v1/approvals`

use crate::platform::{BEIJING, OPERATOR};
use crate::v1::{agency_of, all_ids, operator_key, organisation_of, second_operator, text};
use airsettle::identity::Scope;
use serde_json::{Value, json};

on_both_engines! {
    fn one_key_asks_another_agrees_and_it_is_done(world) {
        let (operator, second) = (world.key(OPERATOR), second_operator(world));
        let agency = agency_of(world, &world.key(BEIJING));
        let frozen = json!({ "target_id": agency, "reason": "a test" });
        let switch = text(&world.post(&operator, "/v1/kill_switches", &frozen).expect(201).data()["id"]);
        let ask = || {
            let change = json!({ "kill_switch_id": switch });
            world.post(&operator, "/v1/approvals", &json!({ "kind": "unfreeze", "reason": "it was a mistake", "change": change }))
        };
        let asked = ask().expect(201);
        assert_eq!((&asked.data()["status"], &asked.data()["subject"]), (&json!("pending"), &json!(switch)));
        assert_eq!(asked.data()["change"], json!({ "kill_switch_id": switch }));
        assert_eq!(asked.data()["digest"].as_str().unwrap().len(), 64);
        assert_eq!(ask().expect(200).data(), asked.data(), "it waits already");
        let path = format!("/v1/approvals/{}", text(&asked.data()["id"]));
        let approve = |key: &str| world.post(key, &format!("{path}/actions/approve"), &json!({}));
        approve(&operator).expect_error(403, "self_approval");
        let since = second_operator(world);
        approve(&since).expect_error(403, "self_approval");
        let done = approve(&second).expect(200);
        assert_eq!((&done.data()["status"], &done.data()["result_id"]), (&json!("approved"), &json!(switch)));
        assert_ne!(done.data()["decided_by_key_id"], done.data()["requested_by_key_id"]);
        assert_eq!(world.get(&operator, &path).expect(200).data(), done.data());
        approve(&second).expect_error(409, "approval_decided");
        ask().expect_error(409, "invalid_state");
        world.post(&second, &format!("{path}/actions/reject"), &json!({ "note": "no" })).expect_error(409, "approval_decided");
        assert_eq!(world.get(&operator, &format!("/v1/agencies/{agency}")).expect(200).data()["status"], "active");
        world.prove();
    }

    fn a_request_expires_and_is_asked_for_again(world) {
        let operator = world.key_in("test", OPERATOR);
        let scopes: Vec<&str> = [Scope::ApprovalsWrite, Scope::FinanceRead].map(Scope::text).to_vec();
        let second = world.post(&operator, "/v1/keys", &json!({ "name": "second", "scopes": scopes })).expect(201);
        let second = text(&second.data()["secret"]);
        let agency = agency_of(world, &world.key_in("test", BEIJING));
        let frozen = json!({ "target_id": agency, "reason": "a test" });
        let switch = text(&world.post(&operator, "/v1/kill_switches", &frozen).expect(201).data()["id"]);
        let request = json!({ "kind": "unfreeze", "reason": "a mistake", "change": { "kill_switch_id": switch } });
        let asked = world.post(&operator, "/v1/approvals", &request).expect(201);
        let later = (chrono::Utc::now() + chrono::Duration::hours(73)).to_rfc3339();
        world.post(&operator, "/v1/test_clock", &json!({ "now": later })).expect(200);
        let approve = |asked: &Value| {
            world.post(&second, &format!("/v1/approvals/{}/actions/approve", text(&asked["id"])), &json!({}))
        };
        approve(asked.data()).expect_error(409, "approval_expired");
        let expired = world.get(&operator, "/v1/approvals?status=expired").expect(200);
        assert_eq!(expired.data()[0]["id"], asked.data()["id"]);
        let again = world.post(&operator, "/v1/approvals", &request).expect(201);
        approve(asked.data()).expect_error(409, "approval_decided");
        approve(again.data()).expect(200);
        let found = |query: &str| all_ids(world, &operator, &format!("/v1/approvals?{query}"));
        assert_eq!(found("kind=unfreeze"), [text(&again.data()["id"]), text(&asked.data()["id"])]);
        assert_eq!(found("status=superseded"), [text(&asked.data()["id"])]);
        assert_eq!((found("status=pending").len(), found(&format!("subject={switch}")).len()), (0, 2));
        world.get(&operator, "/v1/approvals?kind=nonsense").expect_error(422, "invalid_value");
    }

    fn what_is_wrong_with_a_change_is_named_where_it_stands(world) {
        let operator = world.key(OPERATOR);
        let ask = |change: Value| world.post(&operator, "/v1/approvals", &json!({ "kind": "unfreeze", "reason": "a test", "change": change }));
        for (change, code, pointer) in [
            (json!({}), "missing_field", "/data/change/kill_switch_id"),
            (json!({ "kill_switch_id": 1 }), "invalid_type", "/data/change/kill_switch_id"),
            (json!({ "kill_switch_id": "org_1" }), "invalid_value", "/data/change/kill_switch_id"),
            (json!({ "kill_switch_id": "ksw_0000000000009" }), "invalid_value", "/data/change/kill_switch_id"),
            (json!({ "kill_switch_id": "ksw_0000000000009", "more": 1 }), "unknown_field", "/data/change/more"),
        ] {
            let answer = ask(change.clone()).expect_error(422, code);
            assert_eq!(answer.pointer(), pointer, "{change}");
        }
        let reasonless = json!({ "kind": "unfreeze", "reason": "", "change": {} });
        assert_eq!(world.post(&operator, "/v1/approvals", &reasonless).expect_error(422, "invalid_value").pointer(), "/data/reason");
    }

    fn only_the_operator_asks_agrees_and_reads(world) {
        let beijing = world.key(BEIJING);
        let request = json!({ "kind": "unfreeze", "reason": "please", "change": { "kill_switch_id": "ksw_0000000000009" } });
        world.post(&beijing, "/v1/approvals", &request).expect_error(403, "insufficient_scope");
        world.get(&beijing, "/v1/approvals").expect_error(403, "insufficient_scope");
        world.get(&beijing, "/v1/approvals/apr_0000000000009").expect_error(403, "insufficient_scope");
        world.post(&beijing, "/v1/approvals/apr_0000000000009/actions/approve", &json!({})).expect_error(403, "insufficient_scope");
        // Whoever may ask need not be one who may agree.
        let asking = operator_key(world, &[Scope::PartiesWrite]);
        world.post(&asking, "/v1/approvals/apr_0000000000009/actions/approve", &json!({})).expect_error(403, "insufficient_scope");
        let new = json!({ "organisation_id": organisation_of(world, &beijing), "name": "x", "scopes": ["approvals:write"] });
        world.post(&world.key(OPERATOR), "/v1/keys", &new).expect_error(422, "invalid_value");
    }
}
