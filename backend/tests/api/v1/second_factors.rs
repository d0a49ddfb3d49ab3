//! `/v1/second_factors`

use crate::platform::{Answer, BEIJING, Desk, SHANGHAI, World};
use crate::v1::text;
use airsettle::clock::Timestamp;
use airsettle::identity::{totp_code, totp_step};
use serde_json::{Value, json};

/// As an authenticator app reads it.
fn from_base32(text: &str) -> Vec<u8> {
    let bits: Vec<u8> = text
        .chars()
        .flat_map(|c| {
            let value = u8::try_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).unwrap()).unwrap();
            (0..5).rev().map(move |place| (value >> place) & 1)
        })
        .collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | bit)).collect()
}

/// What the app shows, so many steps from now.
fn code(world: &World, secret: &str, ahead: i64) -> String {
    let now: Timestamp = world.platform.live.now();
    totp_code(&from_base32(secret), totp_step(now) + ahead)
}

fn turned_on(world: &World, desk: &Desk, password: &str) -> (String, String, Vec<Value>) {
    let begun = desk.post("/v1/second_factors", &json!({ "password": password })).expect(201);
    let (id, secret) = (text(&begun.data()["id"]), text(&begun.data()["secret"]));
    let done =
        desk.post(&format!("/v1/second_factors/{id}/actions/confirm"), &json!({ "code": code(world, &secret, 0) })).expect(200);
    (id, secret, done.data()["recovery_codes"].as_array().unwrap().clone())
}

on_both_engines! {
    fn signing_in_needs_a_code_and_each_opens_once(world) {
        let person = world.person(BEIJING, "admin");
        let desk = world.desk(BEIJING, "admin");
        let begin = |password: &str| desk.post("/v1/second_factors", &json!({ "password": password }));
        begin("not-the-password").expect_error(401, "credentials_invalid");
        let begun = begin(&person.password).expect(201);
        let secret = text(&begun.data()["secret"]);
        let url = text(&begun.data()["otpauth_url"]);
        assert!(url.starts_with("otpauth://totp/Airsettle:admin%40") && url.contains(&secret), "{url}");
        let confirm = |code: &str| {
            desk.post(&format!("/v1/second_factors/{}/actions/confirm", text(&begun.data()["id"])), &json!({ "code": code }))
        };
        confirm("000000x").expect_error(422, "second_factor_code_invalid");
        // Not confirmed, it is not asked for.
        world.desk(BEIJING, "admin");
        let done = confirm(&code(world, &secret, -1)).expect(200);
        assert!(done.data()["confirmed_at"].is_string() && done.data()["recovery_codes_left"] == json!(10));
        begin(&person.password).expect_error(409, "invalid_state");
        let sign_in = |code: Option<&str>| -> Answer {
            world.post_open("/v1/sessions", &json!({ "email": person.email, "password": person.password, "code": code }))
        };
        sign_in(None).expect_error(401, "second_factor_required");
        world.post_open("/v1/sessions", &json!({ "email": person.email, "password": "not-the-password" })).expect_error(401, "credentials_invalid");
        sign_in(Some("000000x")).expect_error(401, "credentials_invalid");
        let now = code(world, &secret, 0);
        sign_in(Some(&now)).expect(201);
        sign_in(Some(&now)).expect_error(401, "credentials_invalid");
        let recovery = text(&done.data()["recovery_codes"][3]);
        sign_in(Some(&recovery.to_uppercase())).expect(201);
        sign_in(Some(&recovery)).expect_error(401, "credentials_invalid");
        let left = desk.get("/v1/second_factors").expect(200);
        assert_eq!(left.data()["second_factors"][0]["recovery_codes_left"], json!(9));
        assert!(!left.body.to_string().contains(&secret));
        world.await_that("it is told by e-mail", || world.mail_to(&person.email).iter().any(|mail| mail.contains("second factor turned on")));
    }

    fn guessing_codes_closes_the_address(world) {
        let person = world.person(BEIJING, "finance");
        let desk = world.desk(BEIJING, "finance");
        let (_, secret, _) = turned_on(world, &desk, &person.password);
        for _ in 0..5 {
            world.post_open("/v1/sessions", &json!({ "email": person.email, "password": person.password, "code": "12345" })).expect_error(401, "credentials_invalid");
        }
        let right = json!({ "email": person.email, "password": person.password, "code": code(world, &secret, 1) });
        world.post_open("/v1/sessions", &right).expect_error(429, "sign_in_locked");
    }

    fn it_is_taken_away_by_password_and_code_or_by_whoever_manages_users(world) {
        let (person, admin) = (world.person(BEIJING, "agent"), world.desk(BEIJING, "admin"));
        let desk = world.desk(BEIJING, "agent");
        let (id, _, codes) = turned_on(world, &desk, &person.password);
        let remove = |password: &str, code: &str| {
            desk.post(&format!("/v1/second_factors/{id}/actions/remove"), &json!({ "password": password, "code": code }))
        };
        remove("not-the-password", codes[0].as_str().unwrap()).expect_error(401, "credentials_invalid");
        remove(&person.password, "00000").expect_error(401, "credentials_invalid");
        remove(&person.password, codes[0].as_str().unwrap()).expect(204);
        world.desk(BEIJING, "agent");
        turned_on(world, &desk, &person.password);
        let user = text(&desk.get("/v1/session").expect(200).data()["user"]["id"]);
        let reset = format!("/v1/users/{user}/actions/reset_second_factor");
        world.desk(SHANGHAI, "admin").post(&reset, &json!({})).expect_error(404, "not_found");
        assert_eq!(admin.get(&format!("/v1/users/{user}")).expect(200).data()["has_second_factor"], json!(true));
        assert_eq!(admin.post(&reset, &json!({})).expect(200).data()["has_second_factor"], json!(false));
        world.desk(BEIJING, "agent");
    }
}
