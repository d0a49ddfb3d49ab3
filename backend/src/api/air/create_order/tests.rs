#![allow(clippy::unwrap_used)]

use super::super::sample::family_return;
use super::*;
use crate::api::envelope::parse;
use serde_json::json;

const OFFER: i64 = 104;

fn ids() -> Vec<PassengerId> {
    (101..104).map(PassengerId::of).collect()
}

fn passenger(raw: i64, given_name: &str, born_on: &str) -> Value {
    json!({
        "id": PassengerId::of(raw).to_string(), "title": "ms", "gender": "f", "given_name": given_name, "family_name": "Zhang",
        "born_on": born_on, "email": "zhang@example.com", "phone_number": "+8613800138000"
    })
}

/// A good order of the sample offer, passengers not in the offer's order.
fn family() -> Value {
    let mut mother = passenger(101, "Li", "1990-05-01");
    mother["infant_passenger_id"] = json!(PassengerId::of(103).to_string());
    mother["identity_documents"] = json!([{
        "type": "passport", "unique_identifier": "E12345678", "issuing_country_code": "CN", "expires_on": "2030-01-01"
    }]);
    let mut baby = passenger(103, "Bao", "2026-01-01");
    for contact in ["email", "phone_number"] {
        baby.as_object_mut().unwrap().shift_remove(contact);
    }
    json!({
        "type": "instant",
        "selected_offers": [OfferId::of(OFFER).to_string()],
        "passengers": [baby, mother, passenger(102, "Mei", "2015-06-01")],
        "payments": [{"type": "balance", "amount": "4950.00", "currency": "CNY"}],
        "metadata": {"trip-1": "x"},
        "users": ["icu_1"],
        "services": []
    })
}

fn order(data: &Value) -> Result<ValidOrder, ApiError> {
    let body: CreateOrder = parse(json!({ "data": data }).to_string().as_bytes())?;
    body.validate(&family_return(), &ids())
}

fn faults(data: &Value) -> Vec<(Code, String)> {
    order(data).unwrap_err().items().iter().map(|item| (item.code, item.pointer().unwrap().to_owned())).collect()
}

fn fault(data: &Value) -> (Code, String) {
    let found = faults(data);
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

#[test]
fn a_good_order_is_read_in_the_order_of_the_offer() {
    let order = order(&family()).unwrap();
    assert_eq!(order.offer, OfferId::of(OFFER));
    assert_eq!(order.passengers.iter().map(|passenger| passenger.id).collect::<Vec<_>>(), ids());
    assert_eq!(order.passengers[0].infant, Some(PassengerId::of(103)));
    assert_eq!(order.passengers[0].documents[0].unique_identifier, "E12345678");
    let payment = order.payment.unwrap();
    assert_eq!((payment.kind, payment.amount.minor), (PaymentType::Balance, 495_000));
    assert_eq!(order.metadata.get("trip-1").map(String::as_str), Some("x"));
}

#[test]
fn both_names_of_a_held_order_are_known() {
    for name in ["hold", "pay_later"] {
        let mut data = family();
        data["type"] = json!(name);
        assert_eq!(fault(&data), (Code::InvalidValue, "/data/payments".to_owned()));
        data.as_object_mut().unwrap().shift_remove("payments");
        let held = order(&data).unwrap();
        assert_eq!((held.kind, held.payment), (OrderType::Hold, None));
    }
    let mut data = family();
    data["type"] = json!("later");
    assert_eq!(fault(&data), (Code::InvalidValue, "/data/type".to_owned()));
}

#[test]
fn every_fault_is_named_at_once() {
    let mut data = family();
    data["passengers"][0]["born_on"] = json!("2020-01-01");
    data["passengers"][1]["given_name"] = json!("L1");
    data["passengers"][1]["email"] = json!("nobody");
    data["passengers"][1]["phone_number"] = Value::Null;
    data["passengers"][1]["identity_documents"][0]["expires_on"] = json!("2026-12-19");
    data["passengers"][2]["family_name"] = json!("");
    data["payments"][0]["amount"] = json!("4950.001");
    data["metadata"] = json!({"a b": "x", "n": 1});
    data["services"] = json!([{"id": "ser_1", "quantity": 1}]);
    let expected = [
        (Code::InvalidPassenger, "/data/passengers/0/born_on"),
        (Code::InvalidPassenger, "/data/passengers/1/given_name"),
        (Code::InvalidPassenger, "/data/passengers/1/email"),
        (Code::MissingField, "/data/passengers/1/phone_number"),
        (Code::InvalidPassenger, "/data/passengers/1/identity_documents/0/expires_on"),
        (Code::InvalidPassenger, "/data/passengers/2/family_name"),
        (Code::TooManyDecimals, "/data/payments/0/amount"),
        (Code::InvalidValue, "/data/metadata/a b"),
        (Code::InvalidType, "/data/metadata/n"),
        (Code::InvalidValue, "/data/services"),
    ];
    assert_eq!(faults(&data), expected.map(|(code, pointer)| (code, pointer.to_owned())));
}

#[test]
fn the_passengers_are_exactly_those_of_the_offer() {
    let mut twice = family();
    twice["passengers"][2] = twice["passengers"][1].clone();
    let found = faults(&twice);
    assert!(found.contains(&(Code::PassengerMismatch, "/data/passengers/2/id".to_owned())), "{found:?}");
    assert!(found.contains(&(Code::PassengerMismatch, "/data/passengers".to_owned())), "{found:?}");

    let mut stranger = family();
    stranger["passengers"].as_array_mut().unwrap().push(passenger(999, "Wu", "1990-01-01"));
    assert_eq!(fault(&stranger), (Code::PassengerMismatch, "/data/passengers/3/id".to_owned()));

    let mut garbled = family();
    garbled["passengers"][2]["id"] = json!("pas_?");
    assert!(faults(&garbled).contains(&(Code::InvalidValue, "/data/passengers/2/id".to_owned())));

    let mut nobody = family();
    nobody["passengers"] = json!([]);
    assert_eq!(faults(&nobody).len(), 3);
}

#[test]
fn every_infant_has_an_adult_of_its_own() {
    let mut alone = family();
    alone["passengers"][1]["infant_passenger_id"] = Value::Null;
    assert_eq!(fault(&alone), (Code::PassengerMismatch, "/data/passengers/0".to_owned()));

    let mut with_child = family();
    with_child["passengers"][2]["infant_passenger_id"] = json!(PassengerId::of(103).to_string());
    assert_eq!(fault(&with_child), (Code::PassengerMismatch, "/data/passengers/2/infant_passenger_id".to_owned()));

    let mut not_an_infant = family();
    not_an_infant["passengers"][1]["infant_passenger_id"] = json!(PassengerId::of(102).to_string());
    let found = faults(&not_an_infant);
    assert_eq!(found.len(), 2, "the wrong reference and the infant left over: {found:?}");
}

#[test]
fn the_payment_is_the_price_in_its_currency_by_a_known_way() {
    let with = |payments: Value| {
        let mut data = family();
        data["payments"] = payments;
        fault(&data)
    };
    let payment = |kind: &str, amount: &str, currency: &str| json!([{"type": kind, "amount": amount, "currency": currency}]);
    let at = |code: Code, field: &str| (code, format!("/data/payments{field}"));
    assert_eq!(with(payment("card", "4950.00", "CNY")), at(Code::PaymentTypeNotSupported, "/0/type"));
    assert_eq!(with(payment("balance", "4949.99", "CNY")), at(Code::PaymentAmountMismatch, "/0/amount"));
    assert_eq!(with(payment("balance", "4950.00", "USD")), at(Code::CurrencyMismatch, "/0/currency"));
    assert_eq!(with(payment("balance", "4950.00", "yuan")), at(Code::UnknownCurrency, "/0/currency"));
    assert_eq!(with(payment("balance", "4,950", "CNY")), at(Code::InvalidValue, "/0/amount"));
    assert_eq!(with(json!([])), at(Code::MissingField, ""));
    let half = json!({"type": "balance", "amount": "2475.00", "currency": "CNY"});
    assert_eq!(with(json!([half, half])), at(Code::PaymentAmountMismatch, ""));
}

#[test]
fn an_order_is_for_one_offer() {
    for (offers, pointer) in [
        (json!([]), "/data/selected_offers"),
        (json!([OfferId::of(1).to_string(), OfferId::of(2).to_string()]), "/data/selected_offers"),
        (json!(["orq_0000000000001"]), "/data/selected_offers/0"),
    ] {
        let mut data = family();
        data["selected_offers"] = offers;
        assert_eq!(fault(&data), (Code::InvalidValue, pointer.to_owned()));
    }
}

#[test]
fn metadata_has_bounds() {
    let read = |body: Value| {
        let mut problems = Problems::default();
        let body: BTreeMap<String, Value> = serde_json::from_value(body).unwrap();
        let kept = metadata(Some(&body), "/data/metadata", &mut problems);
        (kept.len(), problems.into_error().map(|error| error.items().len()))
    };
    let many = |count: usize| Value::Object((0..count).map(|n| (format!("k{n}"), json!("v"))).collect());
    assert_eq!(read(many(50)), (50, None));
    assert_eq!(read(many(51)), (0, Some(1)));
    assert_eq!(read(json!({"k": "汉".repeat(500)})), (1, None));
    assert_eq!(read(json!({"k": "v".repeat(501), "": "v", "a/b": "v"})), (0, Some(3)));
}

/// Pointers to every value below.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    let mut below = |key: String, value: &Value| {
        let pointer = format!("{here}/{key}");
        pointers(value, &pointer, found);
        found.push(pointer);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| below(escaped(key), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, value)| below(index.to_string(), value)),
        _ => {}
    }
}

#[test]
fn whatever_stands_in_a_field_is_accepted_or_refused_with_a_reason() {
    let mut places = Vec::new();
    pointers(&family(), "", &mut places);
    let values =
        [json!(null), json!(true), json!(0), json!(-1.5), json!(""), json!("é\u{0}"), json!([]), json!({}), json!([[1]])];
    let mut refused = 0;
    for place in &places {
        for value in &values {
            let mut data = family();
            *data.pointer_mut(place).unwrap() = value.clone();
            if let Err(error) = order(&data) {
                refused += 1;
                assert_eq!(error.code().status().as_u16(), 422, "{place} {value}: {error}");
                assert!(error.items().iter().all(|item| item.pointer().is_some_and(|at| at.starts_with("/data"))), "{error}");
            }
        }
    }
    assert!(refused > places.len() * values.len() / 2);
}
