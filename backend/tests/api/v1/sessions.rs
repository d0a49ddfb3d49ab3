//! `/v1/session`, `/v1/sessions`: signing in, out, and acting for an organisation.

use crate::air::{an_offer_by, an_order};
use crate::platform::{Answer, BANK, BEIJING, Desk, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, text};
use diesel::RunQueryDsl;
use reqwest::Method;
use serde_json::{Value, json};

fn credentials(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

/// Statements on the live database: for what only time does.
pub fn on_the_database(world: &World, statement: &str) {
    let changed = world.platform.live.store.write(|tx| {
        diesel::sql_query(statement).execute(&mut *tx.db)?;
        Ok::<_, airsettle::db::DbError>(())
    });
    changed.unwrap();
}

/// Everything in an answer that somebody could tell two from each other by.
fn told(answer: &Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.body.clone();
    body["meta"]["request_id"] = json!(null);
    let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    names.sort();
    (answer.status, body, names)
}

on_both_engines! {
    fn somebody_signs_in_looks_around_and_signs_out(world) {
        let person = world.person(BEIJING, "agent");
        let answer = world.post_open("/v1/sessions", &credentials(&person.email.to_uppercase(), &person.password)).expect(201);
        let set = answer.header("set-cookie").unwrap().to_owned();
        assert!(set.starts_with("airsettle=") && set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Path=/"), "{set}");
        assert!(!set.contains("Secure") && !set.contains("Domain") && !set.contains("Max-Age"), "{set}");
        let data = answer.data();
        assert_eq!((&data["user"]["email"], &data["roles"]), (&json!(person.email), &json!(["agent"])));
        assert_eq!((&data["organisation"]["kind"], &data["organisation"]["name"]), (&json!("agency"), &json!(BEIJING)));
        assert_eq!(data["permissions"], json!(["air:read", "air:write", "limits:read", "parties:read"]));
        assert!(text(&data["id"]).starts_with("ses_") && text(&data["user"]["id"]).starts_with("usr_") && data["expires_at"].is_string());
        let desk = Desk::of(world, &answer);
        let token = desk.cookie.split_once('=').unwrap().1.to_owned();
        assert!(!answer.body.to_string().contains(&token), "the token is in the cookie and nowhere else");
        assert_eq!(desk.get("/v1/session").expect(200).data(), data);
        let devices = desk.get("/v1/sessions").expect(200);
        assert_eq!((&devices.data()[0]["id"], &devices.data()[0]["is_current"]), (&data["id"], &json!(true)));
        let out = desk.delete("/v1/session").expect(204);
        assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
        desk.get("/v1/session").expect_error(401, "session_expired");
        world.block_on(world.ask(Method::GET, "/v1/session", &[("cookie", "airsettle=nobody")], None)).expect_error(401, "unauthenticated");
        world.block_on(world.ask(Method::GET, "/v1/session", &[], None)).expect_error(401, "unauthenticated");
        world.get(&world.key(BEIJING), "/v1/session").expect_error(403, "insufficient_scope");
        for file in ["live.sqlite", "live.sqlite-wal"] {
            let bytes = std::fs::read(world.folder().join(file)).unwrap_or_default();
            let has = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!has(&token) && !has(&person.password), "nor in the database");
        }
    }

    fn a_wrong_sign_in_says_nothing(world) {
        let known = &world.person(BEIJING, "finance").email;
        let wrong = |email: &str| world.post_open("/v1/sessions", &credentials(email, "not-the-password")).expect_error(401, "credentials_invalid");
        let (somebody, nobody) = (wrong(known), wrong("nobody@nowhere.example"));
        assert_eq!(told(&somebody), told(&nobody));
        assert_eq!(wrong("not an address").code(), "credentials_invalid");
        assert!(somebody.header("set-cookie").is_none());
    }

    fn too_many_wrong_ones_close_the_address_whether_anybody_has_it_or_not(world) {
        let person = world.person(SHANGHAI, "admin");
        let attempt = |email: &str, password: &str| world.post_open("/v1/sessions", &credentials(email, password));
        for email in [person.email.as_str(), "nobody@nowhere.example"] {
            for _ in 0..5 {
                attempt(email, "not-the-password").expect_error(401, "credentials_invalid");
            }
            let locked = attempt(email, "not-the-password").expect_error(429, "sign_in_locked");
            let wait: i64 = locked.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=31).contains(&wait), "{wait}");
        }
        attempt(&person.email, &person.password).expect_error(429, "sign_in_locked");
        // Half a minute later.
        on_the_database(world, "UPDATE sign_in_failure SET locked_until = '2026-01-01 00:00:00'");
        attempt(&person.email, "not-the-password").expect_error(401, "credentials_invalid");
        let locked = attempt(&person.email, &person.password).expect_error(429, "sign_in_locked");
        let wait: i64 = locked.header("retry-after").unwrap().parse().unwrap();
        assert!((32..=61).contains(&wait), "twice as long: {wait}");
        on_the_database(world, "UPDATE sign_in_failure SET locked_until = '2026-01-01 00:00:00'");
        attempt(&person.email, &person.password).expect(201);
        attempt(&person.email, "not-the-password").expect_error(401, "credentials_invalid");
        attempt(&person.email, &person.password).expect(201);
    }

    fn a_session_ends_by_itself_and_from_another_device(world) {
        let desk = world.desk(BEIJING, "developer");
        let id = text(&desk.get("/v1/session").expect(200).data()["id"]);
        let other = world.desk(BEIJING, "developer");
        other.delete(&format!("/v1/sessions/{id}")).expect(204);
        desk.get("/v1/session").expect_error(401, "session_expired");
        let stranger = world.desk(SHANGHAI, "developer");
        let id = text(&other.get("/v1/session").expect(200).data()["id"]);
        stranger.delete(&format!("/v1/sessions/{id}")).expect_error(404, "not_found");
        other.get("/v1/session").expect(200);
        on_the_database(world, "UPDATE session SET seen_at = '2026-01-01 00:00:00'");
        other.get("/v1/session").expect_error(401, "session_expired");
        let third = world.desk(BEIJING, "developer");
        on_the_database(world, "UPDATE session SET expires_at = '2026-01-01 00:00:00'");
        third.get("/v1/session").expect_error(401, "session_expired");
        assert_eq!(world.desk(BEIJING, "developer").get("/v1/sessions").expect(200).data().as_array().unwrap().len(), 1);
    }

    fn only_a_page_of_this_server_changes_anything_by_cookie(world) {
        let desk = world.desk(BEIJING, "admin");
        let body = Some(json!({ "data": { "name": "x", "scopes": ["air:read"] } }).to_string());
        let make = |headers: &[(&str, &str)]| {
            let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("cookie", desk.cookie.as_str())]).collect();
            world.block_on(world.ask(Method::POST, "/v1/keys", &headers, body.clone()))
        };
        let (ours, by_desk) = (("origin", world.url.as_str()), ("airsettle-desk", "1"));
        make(&[ours]).expect_error(403, "cross_site_request");
        make(&[by_desk]).expect_error(403, "cross_site_request");
        make(&[by_desk, ("origin", "https://evil.example")]).expect_error(403, "cross_site_request");
        make(&[by_desk, ours, ("sec-fetch-site", "cross-site")]).expect_error(403, "cross_site_request");
        assert_eq!(desk.get("/v1/keys").expect(200).data().as_array().unwrap().len(), 1, "nothing happened");
        make(&[by_desk, ours]).expect(201);
        make(&[by_desk, ("sec-fetch-site", "same-origin")]).expect(201);
        let person = world.person(BEIJING, "agent");
        let headers = [("origin", "https://evil.example")];
        let sign_in = json!({ "data": { "email": person.email, "password": person.password } }).to_string();
        world.block_on(world.ask(Method::POST, "/v1/sessions", &headers, Some(sign_in))).expect_error(403, "cross_site_request");
    }

    fn a_person_sells_and_is_named_where_it_is_told_who_did(world) {
        let desk = world.desk(BEIJING, "agent");
        let user = desk.get("/v1/session").expect(200).data()["user"]["id"].clone();
        let offer = an_offer_by(|search| desk.post("/air/offer_requests", search));
        let order = desk.post("/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        let number = text(&order.data()["documents"][0]["unique_identifier"]);
        let ticket = world.get(&world.key(OPERATOR), &format!("/v1/tickets/{number}")).expect(200);
        let posting = &ticket.data()["journal"][0];
        assert_eq!((&posting["actor_user_id"], &posting["actor_key_id"]), (&user, &json!(null)));
        world.await_that("the request log has the sale", || {
            let log = world.get(&world.key(BEIJING), "/v1/request_log").expect(200);
            log.data().as_array().unwrap().iter().any(|line| line["path"] == "/air/orders" && line["user_id"] == user && line["key_id"].is_null())
        });
        // What a role has not is refused as a key without the scope is.
        desk.get("/v1/bank_receipts").expect_error(403, "insufficient_scope");
        desk.post("/v1/keys", &json!({ "name": "x", "scopes": ["air:read"] })).expect_error(403, "insufficient_scope");
        let limit = format!("/v1/limits/{}", agency_of(world, &world.key(BEIJING)));
        desk.get(&limit).expect(200);
        world.desk(SHANGHAI, "agent").get(&limit).expect_error(404, "not_found");
        world.prove();
    }

    fn who_is_disabled_or_has_other_roles_sells_no_more(world) {
        let (desk, admin) = (world.desk(BEIJING, "agent"), world.desk(BEIJING, "admin"));
        let user = text(&desk.get("/v1/session").expect(200).data()["user"]["id"]);
        let offer = an_offer_by(|search| desk.post("/air/offer_requests", search));
        admin.post(&format!("/v1/users/{user}/actions/set_roles"), &json!({ "roles": ["finance"] })).expect(200);
        desk.post("/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect_error(403, "insufficient_scope");
        admin.post(&format!("/v1/users/{user}/actions/set_roles"), &json!({ "roles": ["agent", "finance"] })).expect(200);
        desk.post("/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        admin.post(&format!("/v1/users/{user}/actions/disable"), &json!({})).expect(200);
        desk.post("/air/orders", &an_order(&offer, "Li", "arc_bsp_cash")).expect_error(401, "session_expired");
        let person = world.person(BEIJING, "agent");
        world.post_open("/v1/sessions", &credentials(&person.email, &person.password)).expect_error(401, "credentials_invalid");
        admin.post(&format!("/v1/users/{user}/actions/enable"), &json!({})).expect(200);
        desk.get("/v1/session").expect_error(401, "session_expired");
        world.desk(BEIJING, "agent");
    }

    fn who_may_tries_things_out_in_test_mode(world) {
        let (desk, test) = (world.desk(BEIJING, "developer"), [("airsettle-mode", "test")]);
        let live = desk.get("/v1/organisations").expect(200).data()[0]["id"].clone();
        let sandbox = desk.send(Method::GET, "/v1/organisations", &test, None).expect(200);
        assert_eq!((sandbox.data()[0]["name"].clone(), sandbox.data()[0]["id"] == live), (json!(BEIJING), false));
        assert_eq!(sandbox.data()[0]["id"], world.get(&world.key_in("test", BEIJING), "/v1/organisations").expect(200).data()[0]["id"]);
        let offer = an_offer_by(|search| desk.send(Method::POST, "/air/offer_requests", &test, Some(search)));
        let order = an_order(&offer, "Zhang", "arc_bsp_cash");
        desk.post("/air/orders", &order).expect_error(404, "offer_not_found");
        desk.send(Method::POST, "/air/orders", &test, Some(&order)).expect(201);
        assert_eq!(desk.get("/v1/tickets").expect(200).data(), &json!([]));
        desk.send(Method::GET, "/v1/session", &[("airsettle-mode", "both")], None).expect_error(422, "invalid_value");
        let agent = world.desk(BEIJING, "agent");
        agent.send(Method::GET, "/v1/tickets", &test, None).expect_error(403, "insufficient_scope");
        let admin = world.desk(BEIJING, "admin");
        admin.send(Method::GET, "/v1/users", &test, None).expect_error(403, "live_mode_only");
        world.get(&world.key_in("test", BEIJING), "/v1/users").expect_error(403, "live_mode_only");
    }

    fn an_organisation_without_a_sandbox_gets_one(world) {
        let operator = world.key(OPERATOR);
        let new = json!({ "kind": "agency", "name": "Harbin Ice Tours", "country": "CN" });
        let organisation = text(&world.post(&operator, "/v1/organisations", &new).expect(201).data()["id"]);
        let invited = json!({ "organisation_id": organisation, "email": "yu@harbin.example", "roles": ["admin"], "locale": "en" });
        world.post(&operator, "/v1/invitations", &invited).expect(201);
        let token = crate::v1::invitations::link_in(world, "yu@harbin.example", "invitation");
        let accept = json!({ "token": token, "name": "Yu Bing", "password": "snow-on-the-Songhua" });
        world.post_open("/v1/invitations/actions/accept", &accept).expect(201);
        let desk = world.sign_in("yu@harbin.example", "snow-on-the-Songhua");
        let test = [("airsettle-mode", "test")];
        let ids: Vec<Value> = (0..2).map(|_| desk.send(Method::GET, "/v1/organisations", &test, None).expect(200).data()[0]["id"].clone()).collect();
        assert_eq!(ids[0], ids[1], "one, however often it is asked for");
        assert_ne!(ids[0], json!(organisation));
    }

    fn a_sign_in_from_a_new_device_is_told_and_from_a_known_one_is_not(world) {
        let person = world.person(BANK, "viewer");
        world.sign_in(&person.email, &person.password);
        world.await_that("the alert is there", || world.mail_to(&person.email).len() == 1);
        assert!(world.mail_to(&person.email)[0].contains("127.0.0.1"));
        world.sign_in(&person.email, &person.password);
        let data = credentials(&person.email, &person.password);
        let headers = [("user-agent", "Another Browser/1.0")];
        world.block_on(world.ask(Method::POST, "/v1/sessions", &headers, Some(json!({ "data": data }).to_string()))).expect(201);
        world.await_that("only the new device is told", || world.mail_to(&person.email).len() == 2);
        assert!(world.mail_to(&person.email)[1].contains("Another Browser/1.0"));
    }

    fn a_new_password_ends_every_other_session(world) {
        let person = world.person(BEIJING, "supervisor");
        let (here, there) = (world.desk(BEIJING, "supervisor"), world.desk(BEIJING, "supervisor"));
        let change = |desk: &Desk, current: &str, new: &str| {
            desk.post("/v1/session/actions/change_password", &json!({ "current_password": current, "password": new }))
        };
        change(&here, "not-the-password", "Tr4in-to-Harbin").expect_error(401, "credentials_invalid");
        for weak in ["short", "Password2026", "beijing-blue-1"] {
            change(&here, &person.password, weak).expect_error(422, "password_too_weak");
        }
        there.get("/v1/session").expect(200);
        change(&here, &person.password, "Tr4in-to-Harbin").expect(200);
        here.get("/v1/session").expect(200);
        there.get("/v1/session").expect_error(401, "session_expired");
        world.post_open("/v1/sessions", &credentials(&person.email, &person.password)).expect_error(401, "credentials_invalid");
        world.sign_in(&person.email, "Tr4in-to-Harbin");
        world.await_that("it is told by e-mail", || world.mail_to(&person.email).iter().any(|mail| mail.contains("password was changed")));
        here.post("/v1/session/actions/set_profile", &json!({ "name": "Chen Lan", "locale": "zh-CN" })).expect(200);
        let user = here.get("/v1/session").expect(200).data()["user"].clone();
        assert_eq!((&user["name"], &user["locale"]), (&json!("Chen Lan"), &json!("zh-CN")));
    }

    fn two_different_people_agree_and_never_one_through_a_key_and_a_session(world) {
        let (admin, risk) = (world.desk(OPERATOR, "admin"), world.desk(OPERATOR, "risk"));
        let agency = agency_of(world, &world.key(BEIJING));
        // A key that the admin makes is the admin's.
        let new = json!({ "name": "mine", "scopes": ["approvals:write", "risk:write", "keys:write"] });
        let mine = text(&admin.post("/v1/keys", &new).expect(201).data()["secret"]);
        let ours = text(&world.post(&mine, "/v1/keys", &json!({ "name": "of mine", "scopes": ["approvals:write"] })).expect(201).data()["secret"]);
        let thrown = json!({ "target_id": agency, "scopes": ["issue"], "reason": "a doubt" });
        let unfreeze = || {
            let switch = admin.post("/v1/kill_switches", &thrown).expect(201).data()["id"].clone();
            json!({ "kind": "unfreeze", "reason": "a mistake", "change": { "kill_switch_id": switch } })
        };
        let asked = admin.post("/v1/approvals", &unfreeze()).expect(201);
        let user = admin.get("/v1/session").expect(200).data()["user"]["id"].clone();
        assert_eq!((&asked.data()["requested_by_user_id"], &asked.data()["requested_by_key_id"]), (&user, &json!(null)));
        let approve = format!("/v1/approvals/{}/actions/approve", text(&asked.data()["id"]));
        admin.post(&approve, &json!({})).expect_error(403, "self_approval");
        world.desk(OPERATOR, "admin").post(&approve, &json!({})).expect_error(403, "self_approval");
        world.post(&mine, &approve, &json!({})).expect_error(403, "self_approval");
        world.post(&ours, &approve, &json!({})).expect_error(403, "self_approval");
        let done = risk.post(&approve, &json!({})).expect(200);
        assert_eq!(done.data()["decided_by_user_id"], risk.get("/v1/session").expect(200).data()["user"]["id"]);
        // And the other way round: the key asks, and its maker does not agree.
        let asked = world.post(&mine, "/v1/approvals", &unfreeze()).expect(201);
        let approve = format!("/v1/approvals/{}/actions/approve", text(&asked.data()["id"]));
        admin.post(&approve, &json!({})).expect_error(403, "self_approval");
        world.post(&world.key(OPERATOR), &approve, &json!({})).expect(200);
        world.prove();
    }
}
