//! `/v1/password_resets`

use crate::platform::BEIJING;
use crate::v1::invitations::link_in;
use crate::v1::sessions::on_the_database;
use serde_json::json;

on_both_engines! {
    fn a_forgotten_password_is_replaced_once(world) {
        let person = world.person(BEIJING, "agent");
        let desk = world.desk(BEIJING, "agent");
        world.await_that("the sign-in was told", || world.mail_to(&person.email).len() == 1);
        let ask = |email: &str| world.post_open("/v1/password_resets", &json!({ "email": email })).expect(202);
        let (known, unknown) = (ask(&person.email), ask("nobody@nowhere.example"));
        assert_eq!(known.body["data"], json!({ "email": person.email }));
        assert_eq!(unknown.body["data"], json!({ "email": "nobody@nowhere.example" }));
        let names = |answer: &crate::platform::Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&known), names(&unknown));
        let token = link_in(world, &person.email, "password_reset");
        let complete = |token: &str, password: &str| {
            world.post_open("/v1/password_resets/actions/complete", &json!({ "token": token, "password": password }))
        };
        complete(&"0".repeat(64), "Tr4in-to-Harbin").expect_error(422, "link_invalid");
        complete(&token, "1234567890").expect_error(422, "password_too_weak");
        desk.get("/v1/session").expect(200);
        // Somebody has tried to guess: whoever reads the e-mail is let in all the same.
        for _ in 0..5 {
            world.post_open("/v1/sessions", &json!({ "email": person.email, "password": "not-the-password" })).expect(401);
        }
        complete(&token, "Tr4in-to-Harbin").expect(200);
        complete(&token, "Tr4in-to-Moscow").expect_error(422, "link_invalid");
        desk.get("/v1/session").expect_error(401, "session_expired");
        world.sign_in(&person.email, "Tr4in-to-Harbin");
        world.post_open("/v1/sessions", &json!({ "email": person.email, "password": person.password })).expect_error(401, "credentials_invalid");
        assert!(world.mail_to("nobody@nowhere.example").is_empty());
    }

    fn a_link_is_good_for_an_hour_and_few_are_sent(world) {
        let person = world.person(BEIJING, "finance");
        for _ in 0..5 {
            world.post_open("/v1/password_resets", &json!({ "email": person.email })).expect(202);
        }
        world.await_that("three letters", || world.mail_to(&person.email).len() == 3);
        std::thread::sleep(std::time::Duration::from_millis(1_200));
        assert_eq!(world.mail_to(&person.email).len(), 3, "nobody's letter box is filled");
        let token = link_in(world, &person.email, "password_reset");
        on_the_database(world, "UPDATE password_reset SET expires_at = '2026-01-01 00:00:00'");
        let late = json!({ "token": token, "password": "Tr4in-to-Harbin" });
        world.post_open("/v1/password_resets/actions/complete", &late).expect_error(422, "link_invalid");
    }

    fn who_is_disabled_gets_no_link(world) {
        let person = world.person(BEIJING, "supervisor");
        let admin = world.desk(BEIJING, "admin");
        let users = admin.get("/v1/users").expect(200);
        let found = users.data().as_array().unwrap().iter().find(|user| user["email"] == json!(person.email)).unwrap().clone();
        admin.post(&format!("/v1/users/{}/actions/disable", found["id"].as_str().unwrap()), &json!({})).expect(200);
        world.post_open("/v1/password_resets", &json!({ "email": person.email })).expect(202);
        world.post_open("/v1/password_resets", &json!({ "email": world.person(BEIJING, "agent").email })).expect(202);
        link_in(world, &world.person(BEIJING, "agent").email, "password_reset");
        assert!(world.mail_to(&person.email).is_empty());
    }
}
