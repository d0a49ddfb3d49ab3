//! `/v1/organisations`

use crate::platform::{BEIJING, OPERATOR, SHANGHAI};
use crate::v1::{all_ids, organisation_of, text};
use serde_json::json;

on_both_engines! {
    fn the_operator_opens_organisations_and_everybody_sees_its_own(world) {
        let (operator, agency) = (world.key(OPERATOR), world.key(BEIJING));
        let new = json!({ "kind": "bank", "name": "Second Bank", "country": "CN" });
        let made = world.post(&operator, "/v1/organisations", &new).expect(201);
        let path = format!("/v1/organisations/{}", text(&made.data()["id"]));
        assert_eq!(world.get(&operator, &path).expect(200).data(), made.data());
        assert_eq!((&made.data()["kind"], &made.data()["name"]), (&json!("bank"), &json!("Second Bank")));
        world.get(&agency, &path).expect_error(404, "not_found");
        let own = world.get(&agency, "/v1/organisations").expect(200);
        assert_eq!(own.data().as_array().unwrap().len(), 1);
        assert_eq!(own.data()[0]["name"], BEIJING);
        world.post(&agency, "/v1/organisations", &new).expect_error(403, "insufficient_scope");
    }

    fn everything_that_is_wrong_is_named_at_once(world) {
        let new = json!({ "kind": "operator", "name": " x", "country": "China" });
        let answer = world.post(&world.key(OPERATOR), "/v1/organisations", &new).expect_error(422, "invalid_value");
        let errors = answer.body["errors"].as_array().unwrap();
        let pointers: Vec<&str> = errors.iter().map(|error| error["source"]["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, ["/data/kind", "/data/name", "/data/country"]);
        assert!(errors.iter().all(|error| error["documentation_url"].as_str().unwrap().ends_with("/docs/errors/invalid_value")));
    }

    fn a_key_makes_a_write_happen_once(world) {
        let operator = world.key(OPERATOR);
        let header = [("Idempotency-Key", "second-bank")];
        let new = json!({ "kind": "bank", "name": "Second Bank", "country": "CN" });
        let first = world.post_with(&operator, "/v1/organisations", &header, &new).expect(201);
        let again = world.post_with(&operator, "/v1/organisations", &header, &new).expect(201);
        assert_eq!(again.body, first.body);
        assert_eq!((first.header("idempotent-replayed"), again.header("idempotent-replayed")), (None, Some("true")));
        let other = json!({ "kind": "bank", "name": "Third Bank", "country": "CN" });
        let answer = world.post_with(&operator, "/v1/organisations", &header, &other);
        assert_eq!(answer.expect_error(409, "idempotency_key_reused").pointer(), "/data/name");
        world.post_with(&operator, "/v1/agencies", &header, &json!({ "organisation_id": "org_0000000000009",
            "numeric_code": "08301241", "name": "A", "country": "CN", "time_zone": "Asia/Shanghai", "currency": "CNY" }))
            .expect_error(409, "idempotency_key_reused");
        // Another organisation's key of the same words is another key.
        let own = json!({ "name": "b", "scopes": ["air:read"] });
        world.post_with(&world.key(SHANGHAI), "/v1/keys", &header, &own).expect(201);
        for bad in ["", "two words", &"x".repeat(256)] {
            let header = [("Idempotency-Key", bad)];
            world.post_with(&operator, "/v1/organisations", &header, &new).expect_error(400, "idempotency_key_invalid");
        }
        let names = world.get(&operator, "/v1/organisations?limit=200");
        let count = names.data().as_array().unwrap().iter().filter(|one| one["name"] == "Second Bank").count();
        assert_eq!(count, 1);
    }

    fn a_refusal_is_remembered_with_its_key(world) {
        let operator = world.key(OPERATOR);
        let header = [("Idempotency-Key", "wrong-kind")];
        let bank = organisation_of(world, &world.key(crate::platform::BANK));
        let new = json!({ "organisation_id": bank, "numeric_code": "08301241", "name": "A", "country": "CN",
            "time_zone": "Asia/Shanghai", "currency": "CNY" });
        let first = world.post_with(&operator, "/v1/agencies", &header, &new).expect_error(422, "invalid_value");
        assert_eq!(first.pointer(), "/data/organisation_id");
        let again = world.post_with(&operator, "/v1/agencies", &header, &new).expect_error(422, "invalid_value");
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.body["errors"][0]["message"], first.body["errors"][0]["message"]);
    }

    fn pages_stay_stable_while_organisations_are_added(world) {
        let operator = world.key(OPERATOR);
        let before = all_ids(world, &operator, "/v1/organisations");
        let first = world.get(&operator, "/v1/organisations?limit=3").expect(200);
        for name in ["New One", "New Two"] {
            world.post(&operator, "/v1/organisations", &json!({ "kind": "bank", "name": name, "country": "CN" })).expect(201);
        }
        let after = text(&first.body["meta"]["after"]);
        let second = world.get(&operator, &format!("/v1/organisations?limit=3&after={after}")).expect(200);
        let shown: Vec<String> =
            [&first, &second].iter().flat_map(|page| page.data().as_array().unwrap()).map(|row| text(&row["id"])).collect();
        assert_eq!(shown, before[..6], "nothing twice, nothing hidden");
        let back = text(&second.body["meta"]["before"]);
        let back = world.get(&operator, &format!("/v1/organisations?limit=3&before={back}")).expect(200);
        assert_eq!(back.data(), first.data());
        assert_eq!(all_ids(world, &operator, "/v1/organisations").len(), before.len() + 2);
        world.get(&operator, "/v1/organisations?limit=201").expect_error(422, "invalid_limit");
        world.get(&operator, "/v1/organisations?after=00").expect_error(422, "invalid_cursor");
        world.get(&operator, &format!("/v1/agencies?after={after}")).expect_error(422, "invalid_cursor");
    }
}
