//! `/v1`: settlement. One module per noun of the addresses, and one that walks over all of them.

mod agencies;
mod airline_terms;
mod airlines;
mod approvals;
mod authorisation;
mod bank_callbacks;
mod bank_receipts;
mod cash_proofs;
mod commission_explained;
mod commission_rules;
mod confirmations;
mod contracts;
mod coupons;
mod cycles;
mod defaults;
mod event_stream;
pub mod events;
pub mod every_address;
mod exports;
mod exposure;
mod facilities;
mod incentives;
mod invitations;
mod jobs;
mod keys;
mod kill_switches;
mod ledger;
mod limits;
mod mail;
mod memos;
mod operations;
mod organisations;
mod password_resets;
mod payouts;
mod receipts;
mod refund_applications;
mod request_log;
mod schedule_changes;
mod scores;
mod search;
mod second_factors;
pub mod sessions;
mod test_clock;
mod tickets;
mod users;
mod webhooks;
pub mod worked_case;

use crate::air::{an_offer, an_order};
use crate::platform::{Answer, OPERATOR, World};
use airsettle::identity::Scope;
use airsettle::money::{Currency, Money};
use serde_json::{Value, json};

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not text: {value}")).to_owned()
}

pub fn cny(value: &Value) -> Money {
    Money::parse(value.as_str().unwrap_or_else(|| panic!("not an amount: {value}")), Currency::CNY).unwrap()
}

pub fn sum<'a>(amounts: impl IntoIterator<Item = &'a Value>) -> Money {
    Money::sum(Currency::CNY, amounts.into_iter().map(cny)).unwrap()
}

/// A new key of another organisation with these scopes, made by the operator.
pub fn key_for(world: &World, organisation: &str, scopes: &[Scope]) -> String {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.text()).collect();
    let new = json!({ "organisation_id": organisation, "name": "made for a test", "scopes": scopes });
    text(&world.post(&world.key(OPERATOR), "/v1/keys", &new).expect(201).data()["secret"])
}

/// Another key of the operator, for agreeing to what the first one asks for.
pub fn second_operator(world: &World) -> String {
    operator_key(world, &[Scope::ApprovalsWrite, Scope::FinanceRead])
}

/// Another key of the operator with these scopes.
pub fn operator_key(world: &World, scopes: &[Scope]) -> String {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.text()).collect();
    let new = json!({ "name": "made for a test", "scopes": scopes });
    text(&world.post(&world.key(OPERATOR), "/v1/keys", &new).expect(201).data()["secret"])
}

/// One key of the operator asks for a change and another one agrees; answers what the agreement was answered, or why it could not be asked for.
pub fn agreed(world: &World, kind: &str, change: &Value) -> Answer {
    let second = second_operator(world);
    let request = json!({ "kind": kind, "reason": "for a test", "change": change });
    let asked = world.post(&world.key(OPERATOR), "/v1/approvals", &request);
    if asked.status != 201 {
        return asked;
    }
    world.post(&second, &format!("/v1/approvals/{}/actions/approve", text(&asked.data()["id"])), &json!({}))
}

/// The same in one mode; the second key is made anew.
pub fn agreed_in(world: &World, mode: &str, kind: &str, change: &Value) -> Answer {
    let operator = world.key_in(mode, OPERATOR);
    let new = json!({ "name": "made for a test", "scopes": [Scope::ApprovalsWrite.text(), Scope::FinanceRead.text()] });
    let second = text(&world.post(&operator, "/v1/keys", &new).expect(201).data()["secret"]);
    let request = json!({ "kind": kind, "reason": "for a test", "change": change });
    let asked = world.post(&operator, "/v1/approvals", &request);
    if asked.status != 201 {
        return asked;
    }
    world.post(&second, &format!("/v1/approvals/{}/actions/approve", text(&asked.data()["id"])), &json!({}))
}

/// The id of the one agency of a key's organisation.
pub fn agency_of(world: &World, key: &str) -> String {
    text(&world.get(key, "/v1/agencies").expect(200).data()[0]["id"])
}

/// The organisation of a key.
pub fn organisation_of(world: &World, key: &str) -> String {
    text(&world.get(key, "/v1/organisations").expect(200).data()[0]["id"])
}

/// Sells one ticket and answers its order.
pub fn sold(world: &World, key: &str, family_name: &str, payment: &str) -> Value {
    let offer = an_offer(world, key);
    world.post(key, "/air/orders", &an_order(&offer, family_name, payment)).expect(201).data().clone()
}

pub fn number_of(order: &Value) -> String {
    text(&order["documents"][0]["unique_identifier"])
}

/// Reads a list to its end, two rows at a time; answers the ids in their order.
pub fn all_ids(world: &World, key: &str, address: &str) -> Vec<String> {
    let separator = if address.contains('?') { '&' } else { '?' };
    let (mut ids, mut next) = (Vec::new(), Some(format!("{address}{separator}limit=2")));
    while let Some(path) = next {
        let page = world.get(key, &path).expect(200);
        ids.extend(page.data().as_array().unwrap().iter().map(|row| text(&row["id"])));
        next = page.body["meta"]["after"].as_str().map(|after| format!("{address}{separator}limit=2&after={after}"));
        assert!(ids.len() < 1_000);
    }
    ids
}
