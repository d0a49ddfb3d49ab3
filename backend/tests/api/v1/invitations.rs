//! `/v1/invitations`

use crate::platform::{BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::sessions::on_the_database;
use crate::v1::{organisation_of, text};
use serde_json::json;

/// What stands behind `#` in the link of the newest e-mail of this kind.
pub fn link_in(world: &World, email: &str, page: &str) -> String {
    let start = format!("{}/{page}#", world.url);
    let find = || {
        let mails = world.mail_to(email).into_iter().map(|mail| mail.replace("=\r\n", "").replace("=\n", "").replace("=23", "#"));
        let links: Vec<String> = mails
            .filter_map(|mail| mail.split(&start).nth(1).map(|rest| rest.chars().take_while(char::is_ascii_hexdigit).collect()))
            .collect();
        links.last().cloned()
    };
    world.await_that("the e-mail is there", || find().is_some());
    find().unwrap()
}

on_both_engines! {
    fn somebody_is_invited_and_joins_once(world) {
        let admin = world.desk(BEIJING, "admin");
        let new = json!({ "email": "Lan@BlueSky.example", "roles": ["agent", "finance", "agent"], "locale": "en" });
        let invited = admin.post("/v1/invitations", &new).expect(201);
        let data = invited.data();
        assert_eq!((&data["email"], &data["roles"], &data["status"]), (&json!("lan@bluesky.example"), &json!(["agent", "finance"]), &json!("open")));
        assert_eq!(data["invited_by_user_id"], admin.get("/v1/session").expect(200).data()["user"]["id"]);
        let token = link_in(world, "lan@bluesky.example", "invitation");
        assert!(token.len() == 64 && !invited.body.to_string().contains(&token), "only the e-mail has the link");
        for file in ["live.sqlite", "live.sqlite-wal"] {
            let bytes = std::fs::read(world.folder().join(file)).unwrap_or_default();
            assert!(!bytes.windows(64).any(|window| window == token.as_bytes()), "the database has not");
        }
        let accept = |token: &str, password: &str| {
            world.post_open("/v1/invitations/actions/accept", &json!({ "token": token, "name": "Chen Lan", "password": password, "locale": "zh-CN" }))
        };
        accept(&"0".repeat(64), "Tr4in-to-Harbin").expect_error(422, "link_invalid");
        accept(&token, "Password2026").expect_error(422, "password_too_weak");
        accept(&token, "chen-lan-bluesky").expect_error(422, "password_too_weak");
        let made = accept(&token, "Tr4in-to-Harbin").expect(201);
        assert_eq!(made.data()["email"], json!("lan@bluesky.example"));
        accept(&token, "Tr4in-to-Harbin").expect_error(422, "link_invalid");
        let desk = world.sign_in("lan@bluesky.example", "Tr4in-to-Harbin");
        let session = desk.get("/v1/session").expect(200);
        assert_eq!((&session.data()["user"]["name"], &session.data()["user"]["locale"]), (&json!("Chen Lan"), &json!("zh-CN")));
        let read = admin.get(&format!("/v1/invitations/{}", text(&data["id"]))).expect(200);
        assert_eq!((&read.data()["status"], &read.data()["user_id"]), (&json!("accepted"), &made.data()["user_id"]));
        admin.post("/v1/invitations", &new).expect_error(409, "email_taken");
        admin.post(&format!("/v1/invitations/{}/actions/revoke", text(&data["id"])), &json!({})).expect_error(409, "invalid_state");
    }

    fn what_was_taken_back_or_is_too_old_does_not_open(world) {
        let admin = world.desk(BEIJING, "admin");
        let invite = || admin.post("/v1/invitations", &json!({ "email": "min@bluesky.example", "roles": ["agent"], "locale": "en" })).expect(201);
        let accept = |token: &str| {
            world.post_open("/v1/invitations/actions/accept", &json!({ "token": token, "name": "Min", "password": "Tr4in-to-Harbin" }))
        };
        let first = text(&invite().data()["id"]);
        let token = link_in(world, "min@bluesky.example", "invitation");
        let second = text(&invite().data()["id"]);
        accept(&token).expect_error(422, "link_invalid");
        assert_eq!(admin.get(&format!("/v1/invitations/{first}")).expect(200).data()["status"], "revoked");
        world.await_that("the second letter is there", || world.mail_to("min@bluesky.example").len() == 2);
        let token = link_in(world, "min@bluesky.example", "invitation");
        let revoke = format!("/v1/invitations/{second}/actions/revoke");
        assert_eq!(admin.post(&revoke, &json!({})).expect(200).body, admin.post(&revoke, &json!({})).expect(200).body);
        accept(&token).expect_error(422, "link_invalid");
        invite();
        world.await_that("the third letter is there", || world.mail_to("min@bluesky.example").len() == 3);
        let token = link_in(world, "min@bluesky.example", "invitation");
        on_the_database(world, "UPDATE invitation SET expires_at = '2026-01-01 00:00:00' WHERE accepted_at IS NULL AND revoked_at IS NULL");
        accept(&token).expect_error(422, "link_invalid");
        let all = admin.get("/v1/invitations").expect(200);
        let states: Vec<&str> = all.data().as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap()).collect();
        assert_eq!(states, ["expired", "revoked", "revoked"]);
    }

    fn nobody_gives_a_role_that_may_do_more(world) {
        let (admin, operator) = (world.desk(BEIJING, "admin"), world.key(OPERATOR));
        let invite = |roles: &[&str]| admin.post("/v1/invitations", &json!({ "email": "x@bluesky.example", "roles": roles, "locale": "en" }));
        for wrong in [&["operations"][..], &["nonsense"], &[], &["agent", "viewer"], &["Agent"]] {
            assert_eq!(invite(wrong).expect_error(422, "invalid_value").pointer(), "/data/roles", "{wrong:?}");
        }
        // A key with the right to manage users and nothing else gives nothing else.
        let weak = admin.post("/v1/keys", &json!({ "name": "w", "scopes": ["users:write"] })).expect(201);
        let weak = text(&weak.data()["secret"]);
        let new = json!({ "email": "x@bluesky.example", "roles": ["agent"], "locale": "en" });
        assert_eq!(world.post(&weak, "/v1/invitations", &new).expect_error(422, "invalid_value").pointer(), "/data/roles");
        let agent = text(&world.desk(BEIJING, "agent").get("/v1/session").expect(200).data()["user"]["id"]);
        world.post(&weak, &format!("/v1/users/{agent}/actions/disable"), &json!({})).expect_error(403, "insufficient_scope");
        world.post(&weak, &format!("/v1/users/{agent}/actions/reset_second_factor"), &json!({})).expect_error(403, "insufficient_scope");
        // Another organisation only by the operator, and only roles of its kind.
        let other = organisation_of(world, &world.key(SHANGHAI));
        let elsewhere = |roles: &[&str]| json!({ "organisation_id": other, "email": "y@harbour.example", "roles": roles, "locale": "en" });
        assert_eq!(admin.post("/v1/invitations", &elsewhere(&["agent"])).expect_error(422, "invalid_value").pointer(), "/data/organisation_id");
        world.post(&operator, "/v1/invitations", &elsewhere(&["risk"])).expect_error(422, "invalid_value");
        let made = world.post(&operator, "/v1/invitations", &elsewhere(&["admin"])).expect(201);
        assert!(made.data()["invited_by_key_id"].is_string());
        let id = text(&made.data()["id"]);
        admin.get(&format!("/v1/invitations/{id}")).expect_error(404, "not_found");
        admin.post(&format!("/v1/invitations/{id}/actions/revoke"), &json!({})).expect_error(404, "not_found");
        admin.get(&format!("/v1/invitations?organisation_id={other}")).expect_error(404, "not_found");
    }

    fn whether_an_address_is_somebodys_elsewhere_is_told_to_its_owner_only(world) {
        let admin = world.desk(BEIJING, "admin");
        let elsewhere = &world.person(SHANGHAI, "agent").email;
        admin.post("/v1/invitations", &json!({ "email": elsewhere, "roles": ["agent"], "locale": "en" })).expect(201);
        let token = link_in(world, elsewhere, "invitation");
        let accept = json!({ "token": token, "name": "Two Desks", "password": "Tr4in-to-Harbin" });
        world.post_open("/v1/invitations/actions/accept", &accept).expect_error(409, "email_taken");
        world.desk(SHANGHAI, "agent");
    }
}
