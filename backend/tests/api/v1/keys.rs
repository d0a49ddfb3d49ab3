//! `/v1/keys`

use crate::platform::{BEIJING, OPERATOR, SHANGHAI};
use crate::v1::{agency_of, key_for, organisation_of, text};
use airsettle::identity::Scope;
use serde_json::json;

on_both_engines! {
    fn a_secret_is_shown_once_and_works(world) {
        let key = world.key(BEIJING);
        let header = [("Idempotency-Key", "reader")];
        let new = json!({ "name": "reader", "scopes": ["air:read", "air:read", "finance:read"] });
        let made = world.post_with(&key, "/v1/keys", &header, &new).expect(201);
        let (id, secret) = (text(&made.data()["id"]), text(&made.data()["secret"]));
        assert!(secret.starts_with("as_live_") && secret.ends_with(made.data()["hint"].as_str().unwrap()));
        assert_eq!(made.data()["scopes"], json!(["air:read", "finance:read"]));
        let again = world.post_with(&key, "/v1/keys", &header, &new).expect(201);
        assert_eq!((&again.data()["id"], &again.data()["secret"]), (&json!(id), &json!(null)), "a secret is kept nowhere");
        for file in ["live.sqlite", "live.sqlite-wal"] {
            let bytes = std::fs::read(world.folder().join(file)).unwrap_or_default();
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "not in the database either");
        }
        world.get(&secret, "/v1/tickets").expect(200);
        world.get(&secret, "/v1/keys").expect_error(403, "insufficient_scope");
        let read = world.get(&key, &format!("/v1/keys/{id}")).expect(200);
        assert!(!read.body.to_string().contains(&secret) && read.data().get("secret").is_none());
        assert!(!world.get(&key, "/v1/keys").expect(200).body.to_string().contains(&secret));
        world.get(&world.key(SHANGHAI), &format!("/v1/keys/{id}")).expect_error(404, "not_found");
        world.get(&world.key(OPERATOR), &format!("/v1/keys/{id}")).expect(200);
    }

    fn nobody_gives_away_what_it_does_not_have(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let other = organisation_of(world, &world.key(SHANGHAI));
        let answer = world.post(&key, "/v1/keys", &json!({ "organisation_id": other, "name": "x", "scopes": ["air:read"] }));
        assert_eq!(answer.expect_error(422, "invalid_value").pointer(), "/data/organisation_id");
        let answer = world.post(&key, "/v1/keys", &json!({ "name": "x", "scopes": ["air:read", "finance:write"] }));
        assert_eq!(answer.expect_error(422, "invalid_value").pointer(), "/data/scopes/1");
        let answer = world.post(&key, "/v1/keys", &json!({ "name": "x", "scopes": [] }));
        assert_eq!(answer.expect_error(422, "invalid_value").pointer(), "/data/scopes");
        // The operator may give another organisation any right that its kind can have, and no other.
        let answer = world.post(&operator, "/v1/keys", &json!({ "organisation_id": other, "name": "x", "scopes": ["parties:write"] }));
        assert_eq!(answer.expect_error(422, "invalid_value").pointer(), "/data/scopes");
        world.post(&operator, "/v1/keys", &json!({ "organisation_id": other, "name": "x", "scopes": ["air:write"] })).expect(201);
        // A key that can only make keys cannot get at the rights of a stronger one by rolling it.
        let weak = key_for(world, &organisation_of(world, &key), &[Scope::KeysWrite]);
        let keys = world.get(&weak, "/v1/keys").expect(200);
        let strong = keys.data().as_array().unwrap().iter().find(|key| key["name"] == BEIJING).unwrap()["id"].clone();
        let path = format!("/v1/keys/{}/actions/roll", text(&strong));
        world.post(&weak, &path, &json!({ "overlap_secs": 60 })).expect_error(403, "insufficient_scope");
        world.post(&world.key(SHANGHAI), &path, &json!({ "overlap_secs": 60 })).expect_error(404, "not_found");
    }

    fn a_rolled_key_overlaps_and_a_revoked_one_is_refused(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let made = world.post(&key, "/v1/keys", &json!({ "name": "r", "scopes": ["air:read"] })).expect(201);
        let (id, old) = (text(&made.data()["id"]), text(&made.data()["secret"]));
        let rolled = world.post(&key, &format!("/v1/keys/{id}/actions/roll"), &json!({ "overlap_secs": 600 })).expect(201);
        let (next, new) = (text(&rolled.data()["id"]), text(&rolled.data()["secret"]));
        world.get(&old, "/v1/tickets").expect(200);
        world.get(&new, "/v1/tickets").expect(200);
        let again = world.post(&key, &format!("/v1/keys/{next}/actions/roll"), &json!({ "overlap_secs": 0 })).expect(201);
        world.get(&new, "/v1/tickets").expect_error(401, "key_revoked");
        let path = format!("/v1/keys/{}/actions/revoke", text(&again.data()["id"]));
        let revoked = world.post(&key, &path, &json!({})).expect(200);
        assert!(revoked.data()["revoked_at"].is_string());
        assert_eq!(world.post(&key, &path, &json!({})).expect(200).body, revoked.body, "twice changes nothing");
        world.get(&text(&again.data()["secret"]), "/v1/tickets").expect_error(401, "key_revoked");
        let roll = format!("/v1/keys/{next}/actions/roll");
        world.post(&key, &roll, &json!({ "overlap_secs": 1 })).expect_error(409, "invalid_state");
        let answer = world.post(&key, &roll, &json!({ "overlap_secs": -1 })).expect_error(422, "invalid_value");
        assert_eq!(answer.pointer(), "/data/overlap_secs");
        let own = world.get(&operator, "/v1/keys?limit=200").expect(200);
        let own = own.data().as_array().unwrap().iter().find(|key| key["name"] == OPERATOR).unwrap()["id"].clone();
        let path = format!("/v1/keys/{}/actions/revoke", text(&own));
        world.post(&operator, &path, &json!({})).expect_error(409, "last_operator_key");
    }

    fn a_key_expires_and_can_be_kept_to_addresses(world) {
        let key = world.key_in("test", BEIJING);
        let from = |addresses: &[&str]| {
            let new = json!({ "name": "x", "scopes": ["air:read"], "allowed_ips": addresses });
            text(&world.post(&key, "/v1/keys", &new).expect(201).data()["secret"])
        };
        world.get(&from(&["127.0.0.1"]), "/v1/tickets").expect(200);
        world.get(&from(&["10.1.2.3", "2001:db8::1"]), "/v1/tickets").expect_error(403, "ip_not_allowed");
        let answer = world.post(&key, "/v1/keys", &json!({ "name": "x", "scopes": ["air:read"], "allowed_ips": ["10.0.0.0/8"] }));
        assert_eq!(answer.expect_error(422, "invalid_value").pointer(), "/data/allowed_ips/0");
        let test = &world.platform.test;
        let soon = test.now().plus(chrono::Duration::hours(1));
        let new = json!({ "name": "x", "scopes": ["air:read"], "expires_at": soon.to_string() });
        let secret = text(&world.post(&key, "/v1/keys", &new).expect(201).data()["secret"]);
        assert!(secret.starts_with("as_test_"));
        world.get(&secret, "/v1/tickets").expect(200);
        test.set_clock(soon).unwrap().unwrap();
        world.get(&secret, "/v1/tickets").expect_error(401, "key_expired");
        let answer = world.post(&key, "/v1/keys", &new).expect_error(422, "invalid_value");
        assert_eq!(answer.pointer(), "/data/expires_at");
    }

    fn a_key_of_one_agency_stays_with_it(world) {
        let key = world.key(BEIJING);
        let agency = agency_of(world, &key);
        let scopes = ["air:read", "keys:write", "parties:read"];
        let bound = world.post(&key, "/v1/keys", &json!({ "name": "branch", "agency_id": agency, "scopes": scopes })).expect(201);
        let bound = text(&bound.data()["secret"]);
        let till = json!({ "name": "till", "scopes": ["air:read"] });
        assert_eq!(world.post(&bound, "/v1/keys", &till).expect(201).data()["agency_id"], json!(agency));
        let names: Vec<String> = world.get(&bound, "/v1/keys").expect(200).data().as_array().unwrap().iter()
            .map(|key| text(&key["name"])).collect();
        assert_eq!(names, ["till", "branch"], "the organisation's own keys are not shown");
        let other = agency_of(world, &world.key(SHANGHAI));
        let answer = world.post(&key, "/v1/keys", &json!({ "name": "x", "agency_id": other, "scopes": ["air:read"] }));
        assert_eq!(answer.expect_error(422, "invalid_value").pointer(), "/data/agency_id");
    }
}
