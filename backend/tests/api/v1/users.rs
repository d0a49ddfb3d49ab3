//! `/v1/users`, `/v1/roles`

use crate::platform::{BEIJING, OPERATOR, SHANGHAI};
use crate::v1::{all_ids, organisation_of, text};
use serde_json::{Value, json};

on_both_engines! {
    fn an_organisation_sees_its_own_people_and_the_operator_all(world) {
        let admin = world.desk(BEIJING, "admin");
        let own = admin.get("/v1/users").expect(200);
        let emails: Vec<String> = own.data().as_array().unwrap().iter().map(|user| text(&user["email"])).collect();
        assert_eq!(emails.len(), 5);
        assert!(emails.iter().all(|email| email.ends_with("@beijing-blue-sky-travel.example")), "{emails:?}");
        assert!(!own.body.to_string().contains("argon2"), "a hash is shown to nobody");
        let operator = world.key(OPERATOR);
        assert_eq!(all_ids(world, &operator, "/v1/users").len(), world.people().len());
        let of = organisation_of(world, &world.key(SHANGHAI));
        let theirs = all_ids(world, &operator, &format!("/v1/users?organisation_id={of}"));
        assert_eq!(theirs.len(), 5);
        admin.get(&format!("/v1/users/{}", theirs[0])).expect_error(404, "not_found");
        for (action, body) in [("disable", json!({})), ("enable", json!({})), ("set_roles", json!({ "roles": ["agent"] })), ("reset_second_factor", json!({}))] {
            admin.post(&format!("/v1/users/{}/actions/{action}", theirs[0]), &body).expect_error(404, "not_found");
        }
        admin.get(&format!("/v1/users?organisation_id={of}")).expect_error(404, "not_found");
    }

    fn the_last_who_manages_users_stays(world) {
        let admin = world.desk(BEIJING, "admin");
        let id = text(&admin.get("/v1/session").expect(200).data()["user"]["id"]);
        let set = |id: &str, roles: &[&str]| admin.post(&format!("/v1/users/{id}/actions/set_roles"), &json!({ "roles": roles }));
        admin.post(&format!("/v1/users/{id}/actions/disable"), &json!({})).expect_error(409, "last_admin");
        set(&id, &["agent"]).expect_error(409, "last_admin");
        set(&id, &["admin", "agent"]).expect(200);
        let agent = text(&world.desk(BEIJING, "agent").get("/v1/session").expect(200).data()["user"]["id"]);
        set(&agent, &["admin"]).expect(200);
        admin.post(&format!("/v1/users/{id}/actions/disable"), &json!({})).expect(200);
        admin.get("/v1/session").expect_error(401, "session_expired");
        world.desk(BEIJING, "agent").get("/v1/users").expect(200);
    }

    fn the_roles_are_those_of_ones_kind(world) {
        let admin = world.desk(BEIJING, "admin");
        let roles = admin.get("/v1/roles").expect(200);
        let names: Vec<&Value> = roles.data()["roles"].as_array().unwrap().iter().map(|role| &role["name"]).collect();
        assert_eq!(names, ["admin", "agent", "developer", "finance", "supervisor"]);
        let all = world.get(&world.key(OPERATOR), "/v1/roles").expect(200);
        let all = all.data()["roles"].as_array().unwrap();
        assert_eq!(all.len(), 11);
        let of = |kind: &str, name: &str| all.iter().find(|role| role["organisation_kind"] == kind && role["name"] == name).unwrap()["permissions"].clone();
        assert_eq!(of("bank", "viewer"), json!(["finance:read", "parties:read"]));
        assert!(!of("operator", "risk").as_array().unwrap().contains(&json!("finance:write")));
    }
}
