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

/// A part of an e-mail, decoded: `text/plain` or `text/html`.
fn part(mail: &str, kind: &str) -> String {
    let begins = mail.find(&format!("Content-Type: {kind}")).unwrap_or_else(|| panic!("no {kind}: {mail}"));
    let rest = &mail[begins..];
    let body = &rest[rest.find("\r\n\r\n").unwrap() + 4..];
    let body = &body[..body.find("\r\n--").unwrap_or(body.len())];
    let head = &rest[..rest.find("\r\n\r\n").unwrap()];
    if head.contains("base64") {
        use base64::Engine;
        let text: String = body.chars().filter(|sign| !sign.is_whitespace()).collect();
        return String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).unwrap()).unwrap();
    }
    if head.contains("quoted-printable") {
        let mut bytes = Vec::new();
        let joined = body.replace("=\r\n", "");
        let mut signs = joined.bytes();
        while let Some(byte) = signs.next() {
            match byte {
                b'=' => {
                    bytes.push(u8::from_str_radix(&String::from_utf8(signs.by_ref().take(2).collect()).unwrap(), 16).unwrap())
                }
                other => bytes.push(other),
            }
        }
        return String::from_utf8(bytes).unwrap();
    }
    body.to_owned()
}

on_both_engines! {
    fn who_may_agree_is_told_that_a_request_waits_and_who_asked_how_it_was_decided(world) {
        let agency = agency_of(world, &world.key(BEIJING));
        let (risk, finance) = (world.desk(OPERATOR, "risk"), world.desk(OPERATOR, "finance"));
        let mail = |of: &str, role: &str, word: &str| -> Vec<String> {
            let all = world.mail_to(&world.person(of, role).email);
            all.into_iter().filter(|mail| mail.contains("multipart/alternative") && part(mail, "text/plain").contains(word)).collect()
        };
        let switch = text(&risk.post("/v1/kill_switches", &json!({ "target_id": agency, "reason": "a test" })).expect(201).data()["id"]);
        let ask = |reason: &str| {
            let change = json!({ "kill_switch_id": switch });
            risk.post("/v1/approvals", &json!({ "kind": "unfreeze", "reason": reason, "change": change }))
        };
        let reason = "<script>alert(1)</script> =1+1 שלום 👩‍✈️";
        let asked = text(&ask(reason).expect(201).data()["id"]);
        ask(reason).expect(200);
        world.await_that("they are told", || {
            ["finance", "operations", "admin"].iter().all(|role| mail(OPERATOR, role, &asked).len() == 1)
        });
        let told = mail(OPERATOR, "finance", &asked).remove(0);
        let (plain, html) = (part(&told, "text/plain"), part(&told, "text/html"));
        assert!(plain.contains(&format!("/approvals/{asked}")) && plain.contains("<script>alert(1)</script> =1+1 שלום 👩‍✈️"), "{plain}");
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; =1+1 שלום 👩‍✈️") && !html.contains("<script"), "{html}");
        assert_eq!(mail(OPERATOR, "risk", &asked).len(), 0, "nobody is told of what he has asked for himself");
        assert_eq!(mail(BEIJING, "admin", &asked).len(), 0, "nor is anybody outside");
        finance.post(&format!("/v1/approvals/{asked}/actions/reject"), &json!({ "note": "not yet" })).expect(200);
        world.await_that("the asker is told", || mail(OPERATOR, "risk", "not yet").len() == 1);
        let again = text(&ask("it is over").expect(201).data()["id"]);
        finance.post(&format!("/v1/approvals/{again}/actions/approve"), &json!({})).expect(200);
        world.await_that("the asker is told", || mail(OPERATOR, "risk", &again).len() == 1);
        let taken_back = json!({ "target_id": agency, "reason": "again" });
        let other = text(&risk.post("/v1/kill_switches", &taken_back).expect(201).data()["id"]);
        let change = json!({ "kill_switch_id": other });
        let mine = risk.post("/v1/approvals", &json!({ "kind": "unfreeze", "reason": "mine", "change": change })).expect(201);
        let mine = text(&mine.data()["id"]);
        risk.post(&format!("/v1/approvals/{mine}/actions/reject"), &json!({ "note": "taken back" })).expect(200);
        world.await_that("that it waited was said", || mail(OPERATOR, "finance", &mine).len() == 1);
        assert_eq!(mail(OPERATOR, "risk", &mine).len(), 0, "what somebody takes back himself is no news to him");
    }
}
