//! Who may do what: every operation of the description with every role, held against a table that people have read (`authorisation.csv`); and what belongs to one
//! organisation is not there for another.

use crate::platform::{Answer, BANK, BEIJING, Desk, OPERATOR, SHANGHAI, World};
use crate::v1::every_address::{Operation, all_operations};
use crate::v1::{sold, text};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The roles in the order of the table's columns.
const ROLES: [(&str, &str); 11] = [
    ("agency", "agent"),
    ("agency", "supervisor"),
    ("agency", "finance"),
    ("agency", "admin"),
    ("agency", "developer"),
    ("airline", "finance"),
    ("operator", "operations"),
    ("operator", "risk"),
    ("operator", "finance"),
    ("operator", "admin"),
    ("bank", "viewer"),
];

fn organisation(world: &World, kind: &str) -> String {
    match kind {
        "agency" => BEIJING.to_owned(),
        "airline" => world.airline(),
        "operator" => OPERATOR.to_owned(),
        _ => BANK.to_owned(),
    }
}

/// A body that is right in its form; its ids are of nothing.
fn body(operation: &Operation) -> Option<Value> {
    let nothing = "0000000000009";
    if operation.path.starts_with("/v1/") {
        return operation.body();
    }
    let id = |prefix: &str| format!("{prefix}_{nothing}");
    Some(match operation.id.as_str() {
        "create_offer_request" => json!({ "slices": [{ "origin": "PEK", "destination": "SHA", "departure_date": "2036-01-05" }],
            "passengers": [{ "type": "adult" }] }),
        "update_offer_passenger" => json!({ "given_name": "Wei", "family_name": "Zhang" }),
        "create_order" => json!({ "type": "instant", "selected_offers": [id("off")], "payments": [], "passengers": [] }),
        "create_order_cancellation" => json!({ "order_id": id("ord") }),
        "create_order_change_request" => json!({ "order_id": id("ord"), "slices": { "add": [], "remove": [] } }),
        "create_order_change" => json!({ "selected_order_change_offer": id("oco") }),
        "update_order" => json!({ "metadata": {} }),
        "update_airline_initiated_change" => json!({ "action_taken": "accepted" }),
        "update_order_passenger" => json!({ "email": "wei@example.com" }),
        "create_payment" => {
            json!({ "order_id": id("ord"), "payment": { "type": "balance", "amount": "1.00", "currency": "CNY" } })
        }
        "create_webhook" => json!({ "url": "http://127.0.0.1:9/x", "events": ["order.created"] }),
        "rotate_webhook_secret" => json!({ "overlap_secs": 0 }),
        "update_webhook" => json!({ "active": true }),
        _ if [Method::POST, Method::PATCH].contains(&operation.method) => json!({}),
        _ => return None,
    })
}

fn call(desk: &Desk, operation: &Operation) -> Answer {
    let query = match operation.id.as_str() {
        "list_offers" => "?offer_request_id=orq_0000000000009",
        "list_order_change_offers" => "?order_change_request_id=ocr_0000000000009",
        "list_cycles" => "?agency_id=agy_0000000000009",
        "search" => "?q=zh",
        "suggest_places" => "?query=pek",
        _ => "",
    };
    let path = format!(
        "{}{query}",
        operation.at(&operation.unknown()).replace("{passenger_id}", "pas_0000000000009").replace("{coupon}", "1")
    );
    let once = format!("{} {}", operation.method, operation.path);
    // There is a clock to move in test mode only.
    let mode = if operation.path == "/v1/test_clock" { "test" } else { "live" };
    let headers = [("idempotency-key", &*once.replace(' ', "-")), ("airsettle-mode", mode)];
    desk.send(operation.method.clone(), &path, &headers, body(operation).as_ref())
}

/// Whether the role is let in; what comes after is the operation's own to say.
fn is_let_in(answer: &Answer, operation: &Operation, at: &str) -> bool {
    assert!(answer.status != 401 || answer.code() == "credentials_invalid", "{at}: {}", answer.body);
    assert!(answer.status < 500, "{at}: {}", answer.body);
    assert_ne!(answer.code(), "cross_site_request", "{at}");
    // A file is looked at by whoever may send it.
    let takes_file = ["create_attachment", "send_coupon_status_file"].contains(&operation.id.as_str());
    let early = ["missing_field", "unknown_field", "invalid_type", "idempotency_key_required"];
    for early in early.into_iter().chain((!takes_file).then_some("unsupported_media_type")) {
        assert!(answer.code() != early, "{at}: the body says nothing about the role: {}", answer.body);
    }
    answer.status != 403
}

fn table() -> BTreeMap<String, String> {
    let text = include_str!("authorisation.csv");
    let lines = text.lines().skip(1).map(|line| line.split_once(',').unwrap());
    lines.map(|(operation, roles)| (operation.to_owned(), roles.to_owned())).collect()
}

on_both_engines! {
    fn every_operation_lets_in_the_roles_of_the_table_and_no_other(world) {
        let expected = table();
        let mut operations = all_operations();
        // Signing out comes last: nobody is let in after that.
        operations.sort_by_key(|operation| operation.id == "sign_out");
        let mut found: BTreeMap<String, Vec<&str>> = operations.iter().map(|operation| (operation.id.clone(), Vec::new())).collect();
        for (kind, role) in ROLES {
            let desk = world.desk(&organisation(world, kind), role);
            for operation in &operations {
                let at = format!("{} {} as {kind}/{role}", operation.method, operation.path);
                let answer = call(&desk, operation);
                found.get_mut(&operation.id).unwrap().push(if is_let_in(&answer, operation, &at) { "x" } else { "" });
            }
        }
        let found: BTreeMap<String, String> = found.into_iter().map(|(operation, roles)| (operation, roles.join(","))).collect();
        if let Ok(path) = std::env::var("AUTHORISATION_TABLE") {
            let head: Vec<String> = ROLES.iter().map(|(kind, role)| format!("{kind}/{role}")).collect();
            let lines: Vec<String> = found.iter().map(|(operation, roles)| format!("{operation},{roles}\n")).collect();
            std::fs::write(path, format!("operation,{}\n{}", head.join(","), lines.concat())).unwrap();
        }
        for (operation, roles) in &found {
            assert_eq!(expected.get(operation), Some(roles), "{operation}");
        }
        assert_eq!(expected.len(), found.len(), "the table has an operation that is not there");
    }

    fn what_is_anothers_is_not_there(world) {
        let key = world.key(BEIJING);
        let admin = world.desk(BEIJING, "admin");
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        world.post(&key, "/air/order_cancellations", &json!({ "order_id": order["id"] })).expect(201);
        let refunded = sold(world, &key, "Li", "arc_bsp_cash");
        world.post_with(&key, "/v1/refund_applications", &[("Idempotency-Key", "r")], &json!({ "kind": "voluntary", "order_id": refunded["id"] })).expect(201);
        world.post(&key, "/air/webhooks", &json!({ "url": "http://127.0.0.1:9/x", "events": ["order.created"] })).expect(201);
        admin.post("/v1/invitations", &json!({ "email": "x@bluesky.example", "roles": ["agent"], "locale": "en" })).expect(201);
        let (theirs, their_key) = (world.desk(SHANGHAI, "admin"), world.key(SHANGHAI));
        let operations = all_operations();
        let mut seen = 0;
        for list in operations.iter().filter(|one| one.method == Method::GET && !one.path.contains('{')) {
            // What everybody shares belongs to nobody.
            if ["/air/aircraft", "/air/airlines", "/air/airports", "/places/suggestions", "/v1/commission_rules"].contains(&list.path.as_str()) {
                continue;
            }
            let parts: Vec<&Operation> =
                operations.iter().filter(|one| one.path.starts_with(&format!("{}/{{", list.path)) && !one.path.contains("/deliveries")).collect();
            let rows = if list.is_for_people { admin.get(&list.path) } else { world.get(&key, &list.path) };
            if parts.is_empty() || rows.status != 200 {
                continue;
            }
            for row in rows.data().as_array().cloned().unwrap_or_default().iter().take(2) {
                let Some(id) = ["id", "number", "agency_id"].iter().find_map(|name| row[name].as_str()) else { continue };
                for part in &parts {
                    let path = part.at(id).replace("{passenger_id}", "pas_0000000000009").replace("{coupon}", "1");
                    let body = body(part);
                    let at = format!("{} {path}", part.method);
                    let once = [("idempotency-key", at.replace(' ', "-"))];
                    let once: Vec<(&str, &str)> = once.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    let by_session = theirs.send(part.method.clone(), &path, &once, body.as_ref());
                    let hidden = |answer: &Answer| answer.status == 404 || (answer.status == 403 && answer.code() == "insufficient_scope");
                    assert!(hidden(&by_session), "{at}: {} {}", by_session.status, by_session.body);
                    if !part.is_for_people {
                        let data = body.as_ref().map(|data| json!({ "data": data }).to_string());
                        let by_key = world.block_on(world.send(&their_key, part.method.clone(), &path, &[], data));
                        assert!(hidden(&by_key) || by_key.code() == "idempotency_key_required", "{at}: {} {}", by_key.status, by_key.body);
                    }
                    seen += usize::from(by_session.status == 404);
                }
            }
        }
        assert!(seen > 25, "too little was there to be hidden: {seen}");
        assert_eq!(text(&world.get(&key, &format!("/air/orders/{}", text(&order["id"]))).expect(200).data()["id"]), text(&order["id"]));
    }
}
