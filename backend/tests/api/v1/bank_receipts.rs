//! `/v1/bank_receipts`

use crate::platform::{Answer, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, all_ids, text};
use serde_json::{Value, json};

fn deposit(agency: &str, reference: &str, amount: &str) -> Value {
    json!({ "account": "client", "amount": amount, "currency": "CNY", "value_date": "2026-01-05", "bank_reference": reference,
        "purpose": "deposit", "agency_id": agency })
}

fn record(world: &World, key: &str, receipt: &Value) -> Answer {
    world.post_with(&world.key(OPERATOR), "/v1/bank_receipts", &[("Idempotency-Key", key)], receipt)
}

on_both_engines! {
    fn money_is_booked_once_per_bank_reference_and_once_per_key(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let limit = |name: &str| world.get(&key, &format!("/v1/limits/{agency}")).expect(200).data()[name].clone();
        let receipt = deposit(&agency, "BANK-1", "1000.00");
        world.post(&operator, "/v1/bank_receipts", &receipt).expect_error(400, "idempotency_key_required");
        let first = record(world, "one", &receipt).expect(201);
        assert_eq!(limit("deposit_amount"), "501000.00");
        for (name, value) in receipt.as_object().unwrap() {
            assert_eq!(&first.data()[name], value, "{name}");
        }
        let replayed = record(world, "one", &receipt).expect(201);
        assert_eq!((&replayed.body, replayed.header("idempotent-replayed")), (&first.body, Some("true")));
        let repeated = record(world, "two", &receipt).expect(200);
        assert_eq!((&repeated.body, repeated.header("idempotent-replayed")), (&first.body, None));
        let answer = record(world, "one", &deposit(&agency, "BANK-1", "1000.01"));
        assert_eq!(answer.expect_error(409, "idempotency_key_reused").pointer(), "/data/amount");
        let answer = record(world, "three", &deposit(&agency, "BANK-1", "1000.01"));
        assert_eq!(answer.expect_error(409, "bank_reference_reused").pointer(), "/data/amount");
        assert_eq!(limit("deposit_amount"), "501000.00");
        let posting = format!("/v1/ledger/postings/{}", text(&first.data()["posting_id"]));
        let posting = world.get(&operator, &posting).expect(200);
        assert_eq!(posting.data()["reference_id"], first.data()["id"]);
        world.prove();
    }

    fn a_receipt_that_cannot_be_is_refused_by_field_and_books_nothing(world) {
        let agency = agency_of(world, &world.key(BEIJING));
        let before = all_ids(world, &world.key(OPERATOR), "/v1/bank_receipts").len();
        let cases = [
            ("amount", json!("1000.001"), "too_many_decimals", "/data/amount"),
            ("amount", json!("0.00"), "invalid_value", "/data/amount"),
            ("amount", json!("-1.00"), "invalid_value", "/data/amount"),
            ("amount", json!("1e3"), "invalid_value", "/data/amount"),
            ("amount", json!("99999999999999999999.00"), "invalid_value", "/data/amount"),
            ("amount", json!(1000), "invalid_type", "/data/amount"),
            ("currency", json!("RMB"), "unknown_currency", "/data/currency"),
            ("currency", json!("USD"), "currency_mismatch", "/data/currency"),
            ("account", json!("own"), "invalid_value", "/data/account"),
            ("account", json!("petty"), "invalid_value", "/data/account"),
            ("value_date", json!("2036-01-05"), "invalid_value", "/data/value_date"),
            ("value_date", json!("2026-02-30"), "invalid_value", "/data/value_date"),
            ("bank_reference", json!(""), "invalid_value", "/data/bank_reference"),
            ("purpose", json!("gift"), "invalid_value", "/data/purpose"),
            ("purpose", json!("capital"), "invalid_value", "/data/agency_id"),
            ("agency_id", json!("agy_0000000000009"), "invalid_value", "/data/agency_id"),
            ("agency_id", json!(null), "missing_field", "/data/agency_id"),
        ];
        for (number, (name, value, code, pointer)) in cases.into_iter().enumerate() {
            let mut receipt = deposit(&agency, "BANK-2", "1000.00");
            receipt[name] = value.clone();
            let answer = record(world, &format!("case-{number}"), &receipt);
            assert_eq!((answer.status, answer.code(), answer.pointer()), (422, code, pointer), "{name} {value}: {}", answer.body);
        }
        assert_eq!(all_ids(world, &world.key(OPERATOR), "/v1/bank_receipts").len(), before);
        world.prove();
    }

    fn an_agency_sees_what_it_lodged_and_prepaid_and_no_capital(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let own = world.get(&key, "/v1/bank_receipts").expect(200);
        let purposes: Vec<&str> = own.data().as_array().unwrap().iter().map(|one| one["purpose"].as_str().unwrap()).collect();
        assert_eq!(purposes, ["wallet", "deposit"]);
        let all = world.get(&operator, "/v1/bank_receipts?limit=200").expect(200);
        let capital = all.data().as_array().unwrap().iter().find(|one| one["purpose"] == "capital").unwrap();
        let path = |receipt: &Value| format!("/v1/bank_receipts/{}", text(&receipt["id"]));
        world.get(&operator, &path(capital)).expect(200);
        world.get(&key, &path(capital)).expect_error(404, "not_found");
        world.get(&world.key(SHANGHAI), &path(&own.data()[0])).expect_error(404, "not_found");
        let (theirs, mine) = (agency_of(world, &world.key(SHANGHAI)), agency_of(world, &key));
        assert_eq!(world.get(&key, &format!("/v1/bank_receipts?agency_id={theirs}")).expect(200).data(), &json!([]));
        assert_eq!(all_ids(world, &operator, &format!("/v1/bank_receipts?agency_id={mine}")).len(), 2);
    }
}
