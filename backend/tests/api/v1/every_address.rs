//! What holds for every operation under `/v1`, walked over the published description: who may call it, and what a malformed request is answered.

use crate::platform::{Answer, BANK, BEIJING, OPERATOR, World};
use crate::v1::{key_for, organisation_of};
use airsettle::identity::Scope;
use reqwest::Method;
use serde_json::{Value, json, to_value};

/// Takes a file and not JSON.
const FILE: &str = "/v1/attachments";

pub struct Operation {
    pub id: String,
    pub method: Method,
    pub path: String,
    /// What stands before an id of the address.
    prefix: Option<String>,
    /// Only a person's session gets in, no key.
    pub is_for_people: bool,
}

/// Those that somebody has to show a key or a session for.
pub fn operations() -> Vec<Operation> {
    let found: Vec<Operation> = all_operations().into_iter().filter(|operation| operation.path.starts_with("/v1/")).collect();
    assert!(found.len() > 45, "{}", found.len());
    found
}

/// Also those of distribution.
pub fn all_operations() -> Vec<Operation> {
    let document = to_value(airsettle::api::openapi::document()).unwrap();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let shown = operation["security"].as_array().unwrap();
            if shown.contains(&json!({})) {
                continue;
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let id = parameters.iter().find(|parameter| parameter["in"] == "path");
            let prefix = id.and_then(|id| id["description"].as_str()?.split(['`', '…']).nth(1).map(str::to_owned));
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let is_for_people = !shown.contains(&json!({ "bearer": [] }));
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let prefix = prefix.filter(|text| text.ends_with('_'));
            found.push(Operation { id, method, path: path.clone(), prefix, is_for_people });
        }
    }
    found
}

impl Operation {
    pub fn at(&self, id: &str) -> String {
        match (self.path.find('{'), self.path.find('}')) {
            (Some(start), Some(end)) => format!("{}{id}{}", &self.path[..start], &self.path[end + 1..]),
            _ => self.path.clone(),
        }
    }

    fn send(&self, world: &World, key: &str, id: &str, data: Option<&Value>) -> Answer {
        let body = data.map(|data| json!({ "data": data }).to_string());
        let once = format!("{}:{id}", self.path);
        let headers = [("Idempotency-Key", once.as_str())];
        let money = [
            "/v1/bank_receipts",
            "/v1/tax_payments",
            "/v1/cash_transfers",
            "/v1/refund_applications",
            "/accruals",
            "/repayments",
            "/v1/incentive_settlements",
            "/v1/payouts",
            "/v1/credit_payouts",
            "/v1/defaults",
            "/v1/airline_payments",
        ];
        let moves_money = money.iter().any(|part| self.path.contains(part)) && self.method == Method::POST;
        let headers = if moves_money { &headers[..] } else { &[] };
        world.block_on(world.send(key, self.method.clone(), &self.at(id), headers, body))
    }

    /// A body that is right in its form; its ids are of nothing.
    pub fn body(&self) -> Option<Value> {
        if self.method != Method::POST {
            return None;
        }
        let nothing = "0000000000009";
        Some(match self.path.as_str() {
            "/v1/organisations" => json!({ "kind": "agency", "name": "A", "country": "CN" }),
            "/v1/keys" => json!({ "name": "A", "scopes": ["air:read"] }),
            "/v1/confirmations" => json!({ "business": "tax_payment", "payee": "CAAC", "amount": "1.00", "currency": "CNY" }),
            "/v1/second_factors" => json!({ "password": "not-the-password" }),
            "/v1/second_factors/{id}/actions/confirm" => json!({ "code": "000000" }),
            "/v1/second_factors/{id}/actions/remove" => json!({ "password": "not-the-password", "code": "000000" }),
            "/v1/session/actions/change_password" => {
                json!({ "current_password": "not-the-password", "password": "Tr4in-to-Harbin" })
            }
            "/v1/session/actions/set_profile" => json!({ "name": "Chen Lan", "locale": "en" }),
            "/v1/users/{id}/actions/set_roles" => json!({ "roles": ["agent"] }),
            "/v1/invitations" => json!({ "email": "a@b.example", "roles": ["viewer"], "locale": "en" }),
            "/v1/keys/{id}/actions/roll" => json!({ "overlap_secs": 0 }),
            "/v1/agencies" => json!({ "organisation_id": format!("org_{nothing}"), "numeric_code": "08301241", "name": "A",
                "country": "CN", "time_zone": "Asia/Shanghai", "currency": "CNY" }),
            "/v1/airlines" => json!({ "organisation_id": format!("org_{nothing}"), "iata_code": "MU", "payee_account": "a",
                "payee_name": "b" }),
            "/v1/airlines/{id}/stock" => json!({ "first_document": "0000000001", "last_document": "0000000002" }),
            "/v1/contracts" => json!({ "agency_id": format!("agy_{nothing}"), "currency": "CNY", "effective_from": "2026-01-01",
                "commission_rate": "0.03", "commission_base": "price", "fee_rate": "0.005", "tax_remitter": "platform",
                "payment_days": 7, "clawback": "full", "fee_on_refund": "refunded", "airline_return": "set_off" }),
            "/v1/private_fares" => {
                json!({ "agency_id": format!("agy_{nothing}"), "code": "NEG1", "type": "negotiated", "carrier": "CA",
                    "origin": "BJS", "destination": "SHA", "booking_classes": "Y", "adjustment": "percent_off", "percent": 10,
                    "effective_from": "2026-01-01" })
            }
            "/v1/commission_rules" => json!({ "code": "A", "effective_from": "2036-01-01", "kind": "zero" }),
            "/v1/commission_rules/explain" => {
                json!({ "offer_id": format!("off_{nothing}"), "passenger_id": format!("pas_{nothing}") })
            }
            "/v1/agencies/{id}/actions/set_tier" => json!({ "tier": "gold" }),
            "/v1/agencies/{id}/actions/set_hold_limit" => json!({ "max_unpaid_holds": 5 }),
            "/v1/incentive_programmes" => {
                json!({ "name": "A", "airline_id": format!("arl_{nothing}"), "currency": "CNY", "period": "month",
                "measure": "fare", "method": "incremental", "funder": "platform", "effective_from": "2036-01-01",
                "tiers": [{ "from_amount": "0", "rate": "0.01" }] })
            }
            "/v1/incentive_settlements" => json!({ "programme_id": format!("inc_{nothing}"), "period": "2026-01" }),
            "/v1/limit_policies" => json!({ "effective_from": "2026-01-01", "deposit_multiplier": "2", "cap_amount": "1.00",
                "cap_currency": "CNY" }),
            "/v1/orders/{id}/receipt_emails" => json!({ "email": "wei.zhang@example.com" }),
            "/v1/bank_receipts" => json!({ "account": "own", "amount": "1.00", "currency": "CNY", "value_date": "2026-01-05",
                "bank_reference": "R", "purpose": "capital" }),
            "/v1/facilities" => json!({ "organisation_id": format!("org_{nothing}"), "name": "A", "limit_amount": "1.00",
                "limit_currency": "CNY", "debit_account": "d", "base_rate": "0.03", "margin_rate": "0.01", "day_count": "ACT/360" }),
            "/v1/approvals" => {
                json!({ "kind": "unfreeze", "reason": "a test", "change": { "kill_switch_id": format!("ksw_{nothing}") } })
            }
            "/v1/guarantees" => json!({ "agency_id": format!("agy_{nothing}"), "kind": "pledge", "issuer": "A", "amount": "1.00",
                "currency": "CNY", "haircut": "0", "effective_from": "2036-01-01", "expires_on": "2036-01-02",
                "attachment_id": format!("att_{nothing}") }),
            "/v1/kill_switches" => json!({ "target_id": format!("agy_{nothing}"), "reason": "a test" }),
            "/v1/limits/{agency}/what_if" => json!({}),
            "/v1/payouts" => json!({ "agency_id": format!("agy_{nothing}"), "purpose": "deposit_return", "amount": "1.00",
                "currency": "CNY", "value_date": "2026-01-05" }),
            "/v1/approvals/{id}/actions/reject" => json!({ "note": "a test" }),
            "/v1/facilities/{id}/actions/set_limit" => json!({ "limit_amount": "1.00", "limit_currency": "CNY" }),
            "/v1/facilities/{id}/actions/set_availability" => json!({}),
            "/v1/facilities/{id}/actions/set_sublimit" => {
                json!({ "airline_id": format!("arl_{nothing}"), "limit_amount": "1.00", "limit_currency": "CNY" })
            }
            "/v1/airline_caps" => {
                json!({ "airline_id": format!("arl_{nothing}"), "effective_from": "2036-01-01", "cap_amount": "1.00", "cap_currency": "CNY" })
            }
            "/v1/score_cards" => json!({ "currency": "CNY", "effective_from": "2036-01-01", "characteristics": [], "grades": [],
                "history_most_late": 1 }),
            "/v1/financial_reviews" => {
                json!({ "agency_id": format!("agy_{nothing}"), "result": "passed", "reviewed_on": "2026-01-01",
                "valid_until": "2026-12-31" })
            }
            "/v1/velocity_rules" => json!({ "code": "a", "effective_from": "2036-01-01", "mode": "shadow", "subject": "agency",
                "measure": "tickets", "window_minutes": 60, "most": "1" }),
            "/v1/base_rates" => {
                json!({ "currency": "CNY", "name": "LPR-1D", "effective_from": "2036-01-01", "rate": "0.03" })
            }
            "/v1/facilities/{id}/actions/close" => json!({ "reason": "a test" }),
            "/v1/test_clock" => json!({ "now": "2036-01-01T00:00:00Z" }),
            "/v1/facilities/{id}/accruals" => json!({}),
            "/v1/facilities/{id}/repayments" => json!({ "principal_amount": "1.00", "interest_amount": "0.00", "currency": "CNY",
                "value_date": "2026-01-05", "bank_reference": "P" }),
            "/v1/tax_payments" => json!({ "payee": "CAAC", "tax_code": "CN", "amount": "1.00", "currency": "CNY",
                "value_date": "2026-01-05", "bank_reference": "T" }),
            "/v1/credit_payouts" => json!({ "agency_id": format!("agy_{nothing}"), "cycle": "2026-01-H1", "amount": "1.00",
                "currency": "CNY", "value_date": "2026-01-05", "bank_reference": "C" }),
            "/v1/defaults" => json!({ "agency_id": format!("agy_{nothing}"), "reason": "a test" }),
            "/v1/billing_contacts" => json!({ "agency_id": format!("agy_{nothing}"), "email": "a@b.example", "language": "en" }),
            "/v1/cash_transfers" => json!({ "to": "client", "amount": "1.00", "currency": "CNY" }),
            "/v1/cash_transfers/{id}/actions/confirm" => json!({ "bank_reference": "X", "value_date": "2026-01-05" }),
            "/v1/tickets/{number}/coupons/{coupon}/status" => json!({ "status": "A" }),
            // A file, not JSON: see the tests of its own.
            "/v1/coupon_status_files" => json!({}),
            "/v1/schedule_changes" => json!({ "airline_id": format!("arl_{nothing}"), "flight_number": 1501, "origin": "PEK",
                "date": "2026-12-10", "kind": "cancelled", "reason": "Weather" }),
            "/v1/memos" => json!({ "kind": "adm", "airline_id": format!("arl_{nothing}"), "reason": "fare_undercollected",
                "tickets": [{ "number": "9990000000000", "amount": "1.00" }], "currency": "CNY", "note": "a test" }),
            "/v1/memos/{id}/actions/dispute" => json!({ "reason": "no_evidence", "note": "a test" }),
            "/v1/memos/{id}/actions/answer" | "/v1/memos/{id}/actions/withdraw" => json!({ "note": "a test" }),
            "/v1/airline_payments" => json!({ "airline_id": format!("arl_{nothing}"), "amount": "1.00", "currency": "CNY",
                "value_date": "2026-01-05", "bank_reference": "M" }),
            "/v1/exports" => json!({ "kind": "airline_day", "airline_id": format!("arl_{nothing}"), "date": "2026-01-05" }),
            "/v1/refund_applications" => json!({ "kind": "voluntary", "order_id": format!("ord_{nothing}") }),
            "/v1/refund_applications/{id}/actions/confirm" => json!({ "expected_amount": "1.00", "expected_currency": "CNY" }),
            "/v1/refund_applications/{id}/actions/decide" => json!({ "decision": "approve" }),
            // The body is the file itself.
            FILE => json!({}),
            "/v1/webhook_deliveries/actions/redeliver" => json!({ "webhook_id": format!("whk_{nothing}") }),
            path if path.contains("/actions/") || path.starts_with("/v1/jobs") => json!({}),
            path => panic!("no body for {path}"),
        })
    }

    pub fn unknown(&self) -> String {
        self.prefix.as_ref().map_or_else(|| "9990000000000".to_owned(), |prefix| format!("{prefix}0000000000009"))
    }
}

on_both_engines! {
    fn nobody_calls_anything_without_a_key_or_without_its_scope(world) {
        // The one scope that no operation of live mode needs.
        let bank = organisation_of(world, &world.key(BANK));
        let idle = key_for(world, &bank, &[Scope::ClockWrite]);
        for operation in operations() {
            let (body, id) = (operation.body(), operation.unknown());
            let at = format!("{} {}", operation.method, operation.path);
            let stranger = operation.send(world, "as_live_nobody", &id, body.as_ref());
            assert_eq!((stranger.status, stranger.code()), (401, "unauthenticated"), "{at}: {}", stranger.body);
            assert_eq!(stranger.header("www-authenticate"), Some("Bearer"), "{at}");
            let refused = operation.send(world, &idle, &id, body.as_ref());
            let code = if operation.path == "/v1/test_clock" { "test_mode_only" } else { "insufficient_scope" };
            assert_eq!((refused.status, refused.code()), (403, code), "{at}: {}", refused.body);
        }
        let clockless = world.key_in("test", BANK);
        world.get(&clockless, "/v1/test_clock").expect_error(403, "insufficient_scope");
    }

    fn what_is_not_there_is_not_found(world) {
        let (key, agency) = (world.key(OPERATOR), world.key(BEIJING));
        for operation in operations().iter().filter(|operation| operation.path.contains('{') && !operation.is_for_people) {
            // Orders are the agency's.
            let key = if operation.path.starts_with("/v1/orders/") { &agency } else { &key };
            let at = format!("{} {}", operation.method, operation.path);
            let body = operation.body();
            for id in ["nothing", "agy_0000000000000", "%00", &"x".repeat(300)] {
                let answer = operation.send(world, key, id, body.as_ref());
                assert_eq!((answer.status, answer.code()), (404, "not_found"), "{at} {id}: {}", answer.body);
            }
            if !operation.path.starts_with("/v1/operations") {
                let answer = operation.send(world, key, &operation.unknown(), body.as_ref());
                assert_eq!((answer.status, answer.code()), (404, "not_found"), "{at}: {}", answer.body);
            }
        }
        world.get(&key, "/v1/nothing").expect_error(404, "not_found");
        world.block_on(world.send(&key, Method::DELETE, "/v1/agencies", &[], None)).expect_error(405, "method_not_allowed");
    }

    fn a_malformed_body_is_answered_by_what_is_wrong_with_it(world) {
        let (live, test) = (world.key(OPERATOR), world.key_in("test", OPERATOR));
        for operation in operations() {
            let Some(body) = operation.body().filter(|_| ![FILE, "/v1/coupon_status_files"].contains(&operation.path.as_str())) else { continue };
            let key = if operation.path == "/v1/test_clock" { &test } else { &live };
            let (at, id) = (operation.path.clone(), operation.unknown());
            let send = |text: &str, kind: &str| {
                let headers = [("Idempotency-Key", "malformed"), ("content-type", kind)];
                let path = operation.at(&id);
                let request = reqwest::Client::new().post(format!("{}{path}", world.url)).bearer_auth(key);
                let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
                world.block_on(async {
                    let response = request.body(text.to_owned()).send().await.unwrap();
                    let (status, headers) = (response.status().as_u16(), response.headers().clone());
                    Answer { status, body: serde_json::from_str(&response.text().await.unwrap()).unwrap(), headers }
                })
            };
            let expect = |answer: Answer, status: u16, code: &str| {
                assert_eq!((answer.status, answer.code()), (status, code), "{at}: {}", answer.body);
                answer
            };
            expect(send("{\"data\":", "application/json"), 400, "invalid_json");
            expect(send("{}", "application/json"), 400, "missing_data");
            expect(send("{\"data\": []}", "application/json"), 422, "invalid_type");
            expect(send("data=1", "application/x-www-form-urlencoded"), 415, "unsupported_media_type");
            let mut strange = body.clone();
            strange["nonsense"] = json!(1);
            let answer = expect(send(&json!({ "data": strange }).to_string(), "application/json"), 422, "unknown_field");
            assert_eq!(answer.pointer(), "/data/nonsense", "{at}");
            for name in body.as_object().unwrap().keys() {
                let mut lacking = body.clone();
                lacking.as_object_mut().unwrap().remove(name);
                let answer = expect(send(&json!({ "data": lacking }).to_string(), "application/json"), 422, "missing_field");
                assert_eq!(answer.pointer(), format!("/data/{name}"), "{at}");
                let mut wrong = body.clone();
                wrong[name] = if name == "change" { json!(1) } else { json!({ "a": 1 }) };
                // A choice of words says which there are; everything else is of another type.
                let answer = send(&json!({ "data": wrong }).to_string(), "application/json");
                assert_eq!((answer.status, answer.pointer()), (422, format!("/data/{name}").as_str()), "{at}: {}", answer.body);
            }
        }
    }
}
