//! `/air` and `/places`: searching and ordering.

use crate::platform::{Answer, BEIJING, GUANGZHOU, OPERATOR, SHANGHAI, World};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;

fn day(ahead: u64) -> String {
    (chrono::Utc::now().date_naive() + chrono::Days::new(ahead)).to_string()
}

/// The cheapest offer from Beijing to Shanghai for one adult.
pub fn an_offer(world: &World, key: &str) -> Value {
    an_offer_by(|search| world.post(key, "/air/offer_requests", search))
}

/// The same, asked for in another way.
pub fn an_offer_by(ask: impl FnOnce(&Value) -> Answer) -> Value {
    let search = json!({
        "slices": [{ "origin": "PEK", "destination": "SHA", "departure_date": day(30) }],
        "passengers": [{ "type": "adult" }],
    });
    ask(&search).expect(201).data()["offers"][0].clone()
}

pub fn an_order(offer: &Value, family_name: &str, payment: &str) -> Value {
    json!({
        "type": "instant",
        "selected_offers": [offer["id"]],
        "payments": [{ "type": payment, "amount": offer["total_amount"], "currency": offer["total_currency"] }],
        "passengers": [{
            "id": offer["passengers"][0]["id"], "title": "ms", "gender": "f", "given_name": "Wei", "family_name": family_name,
            "born_on": "1990-02-28", "email": "wei@example.com", "phone_number": "+8613800138000",
        }],
    })
}

/// A different name per number: letters only.
fn named(number: usize) -> String {
    let letter =
        |place: usize| char::from(b'A' + u8::try_from(number / 26usize.pow(u32::try_from(place).unwrap()) % 26).unwrap());
    format!("Zhang{}{}{}", letter(2), letter(1), letter(0))
}

type Headers = &'static [(&'static str, &'static str)];

fn parallel(world: &World, key: &str, headers: Headers, orders: &[Value]) -> Vec<Answer> {
    let send = |order: &Value| {
        let body = json!({ "data": order }).to_string();
        world.send(key, Method::POST, "/air/orders", headers, Some(body))
    };
    world.block_on(join_all(orders.iter().map(send)))
}

fn tickets(world: &World) -> i64 {
    use airsettle::db::DbError;
    let proof = world.platform.live.store.snapshot(|db| Ok::<_, DbError>(airsettle::ticketing::verify_sales(db)?.unwrap()));
    i64::try_from(proof.unwrap().tickets).unwrap()
}

on_both_engines! {
    fn an_order_is_issued_and_read_back(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let answer = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        let order = answer.data();
        assert_eq!(order["total_amount"], offer["total_amount"]);
        assert_eq!(order["documents"][0]["unique_identifier"].as_str().unwrap().len(), 13);
        assert_eq!(order["passengers"][0]["id"], offer["passengers"][0]["id"]);
        assert_eq!(order["passengers"][0]["family_name"], "Zhang");
        let path = format!("/air/orders/{}", order["id"].as_str().unwrap());
        assert_eq!(world.get(&key, &path).expect(200).data(), order);
        let listed = world.get(&key, &format!("/air/orders?booking_reference={}", order["booking_reference"].as_str().unwrap()));
        assert_eq!(listed.expect(200).data()[0], *order);
        assert!(answer.header("x-request-id").is_some() && answer.header("ratelimit-remaining").is_some());
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        world.get(&world.key(OPERATOR), &path).expect(200);
        world.await_that("the airline is paid", || world.platform.live.metrics.sale_to_credit.get_sample_count() == 1);
        world.prove();
    }

    fn the_same_people_on_the_same_offer_are_one_order(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let first = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect(201);
        let again = world.post(&key, "/air/orders", &an_order(&offer, "ZHANG", "balance")).expect(200);
        assert_eq!(again.data(), first.data());
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        world.post(&key, "/air/orders", &an_order(&offer, "Wang", "balance")).expect(201);
        assert_eq!(tickets(world), 2);
    }

    fn one_key_sent_a_hundred_times_in_parallel_is_one_sale(world) {
        let key = world.key(BEIJING);
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        let answers = parallel(world, &key, &[("Idempotency-Key", "one")], &vec![order; 100]);
        let created = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!((created, answers.iter().filter(|answer| answer.status == 200).count()), (1, 99));
        let ids: HashSet<&str> = answers.iter().map(|answer| answer.data()["id"].as_str().unwrap()).collect();
        assert_eq!((ids.len(), tickets(world)), (1, 1));
        world.prove();
    }

    fn a_key_with_another_body_is_a_conflict_that_names_the_field(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let header = [("Idempotency-Key", "mine")];
        world.post_with(&key, "/air/orders", &header, &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        let answer = world.post_with(&key, "/air/orders", &header, &an_order(&offer, "Wang", "arc_bsp_cash"));
        assert_eq!(answer.expect_error(409, "idempotency_key_reused").pointer(), "/data/passengers");
        world.post_with(&key, "/air/orders", &[("Idempotency-Key", "")], &an_order(&offer, "Li", "arc_bsp_cash"))
            .expect_error(400, "idempotency_key_invalid");
        assert_eq!(tickets(world), 1);
    }

    fn a_refused_key_stays_refused_and_a_refused_order_without_one_can_be_tried_again(world) {
        let (key, operator) = (world.key(GUANGZHOU), world.key(OPERATOR));
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        let header = [("Idempotency-Key", "refused")];
        let refused = world.post_with(&key, "/air/orders", &header, &order).expect_error(422, "limit_exceeded");
        let error = &refused.body["errors"][0];
        assert_eq!(error["retryable"], true);
        assert!(error["short_by"]["amount"].is_string() && error["remedy"].is_string(), "{error}");
        world.post(&key, "/air/orders", &order).expect_error(422, "limit_exceeded");
        let agency = world.get(&key, "/v1/agencies").expect(200).data()[0]["id"].clone();
        let deposit = json!({ "account": "client", "amount": "50000.00", "currency": "CNY", "value_date": "2026-01-05",
            "bank_reference": "LATE-DEPOSIT", "purpose": "deposit", "agency_id": agency });
        world.post_with(&operator, "/v1/bank_receipts", &[("Idempotency-Key", "deposit")], &deposit).expect(201);
        world.post_with(&key, "/air/orders", &header, &order).expect_error(422, "limit_exceeded");
        world.post(&key, "/air/orders", &order).expect(201);
        assert_eq!(tickets(world), 1);
        world.prove();
    }

    fn five_hundred_orders_at_once_never_exceed_the_wallet(world) {
        let key = world.key(GUANGZHOU);
        let offer = an_offer(world, &key);
        let orders: Vec<_> = (0..500).map(|number| an_order(&offer, &named(number), "balance")).collect();
        let answers = parallel(world, &key, &[], &orders);
        let sold = answers.iter().filter(|answer| answer.status == 201).count();
        let refused: HashSet<&str> = answers.iter().filter(|answer| answer.status != 201).map(Answer::code).collect();
        assert!(sold > 0 && sold < 500, "{sold}");
        assert!(refused.iter().all(|code| ["wallet_insufficient", "seats_sold_out"].contains(code)), "{refused:?}");
        assert_eq!(tickets(world), i64::try_from(sold).unwrap());
        world.prove();
    }

    fn a_dry_run_says_what_would_happen_and_does_nothing(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let order = an_order(&offer, "Zhang", "arc_bsp_cash");
        let answer = world.post(&key, "/air/orders?dry_run=true", &order).expect(200);
        let rehearsed = answer.data();
        assert_eq!((&rehearsed["dry_run"], &rehearsed["tender"]), (&json!(true), &json!("credit")));
        let entries = rehearsed["tickets"][0]["entries"].as_array().unwrap();
        assert_eq!((&entries[0]["account"], &entries[0]["debit"]), (&json!("agency.receivable"), &offer["total_amount"]));
        assert_eq!(tickets(world), 0);
        world.post(&key, "/air/orders", &order).expect(201);
    }

    fn a_bad_order_names_every_field_and_changes_nothing(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let good = an_order(&offer, "Zhang", "arc_bsp_cash");
        let with = |pointer: &str, value: Value| {
            let mut order = good.clone();
            *order.pointer_mut(pointer).unwrap() = value;
            world.post(&key, "/air/orders", &order)
        };
        let error = |answer: Answer, status: u16, code: &str, pointer: &str| {
            let answer = answer.expect_error(status, code);
            assert_eq!(answer.pointer(), pointer, "{}", answer.body);
            assert!(answer.body["errors"][0]["documentation_url"].as_str().unwrap().ends_with(code));
        };
        error(with("/payments/0/amount", json!("1.00")), 422, "payment_amount_mismatch", "/data/payments/0/amount");
        error(with("/payments/0/amount", json!("830.001")), 422, "too_many_decimals", "/data/payments/0/amount");
        error(with("/payments/0/amount", json!(830)), 422, "invalid_type", "/data/payments/0/amount");
        error(with("/payments/0/currency", json!("USD")), 422, "currency_mismatch", "/data/payments/0/currency");
        error(with("/payments/0/currency", json!("XYZ")), 422, "unknown_currency", "/data/payments/0/currency");
        error(with("/payments/0/type", json!("card")), 422, "payment_type_not_supported", "/data/payments/0/type");
        error(with("/passengers/0/born_on", json!("2020-01-01")), 422, "invalid_passenger", "/data/passengers/0/born_on");
        error(with("/passengers/0/given_name", json!("R2D2")), 422, "invalid_passenger", "/data/passengers/0/given_name");
        error(with("/passengers/0/id", json!("pas_0000000000001")), 422, "passenger_mismatch", "/data/passengers/0/id");
        error(with("/selected_offers/0", json!("off_0000000000001")), 404, "offer_not_found", "/data/selected_offers/0");
        error(with("/selected_offers/0", json!("nonsense")), 422, "invalid_value", "/data/selected_offers/0");
        error(with("/type", json!("hold")), 422, "invalid_value", "/data/payments");
        let send = |body: &str| world.block_on(world.send(&key, Method::POST, "/air/orders", &[], Some(body.to_owned())));
        send("{").expect_error(400, "invalid_json");
        send("{}").expect_error(400, "missing_data");
        send(r#"{"data": {}}"#).expect_error(422, "missing_field");
        send(&format!(r#"{{"data": {{"x": "{}"}}}}"#, "x".repeat(300_000))).expect_error(413, "body_too_large");
        assert_eq!(tickets(world), 0);
        let other = an_order(&offer, "Zhang", "balance");
        world.post(&world.key(SHANGHAI), "/air/orders", &other).expect_error(404, "offer_not_found");
        world.post(&world.key(OPERATOR), "/air/orders", &other).expect_error(403, "insufficient_scope");
        world.post("as_live_nobody", "/air/orders", &other).expect_error(401, "unauthenticated");
        world.get(&key, "/air/nothing").expect_error(404, "not_found");
        world.block_on(world.send(&key, Method::DELETE, "/air/orders", &[], None)).expect_error(405, "method_not_allowed");
    }

    fn a_search_that_cannot_be_made_names_the_field(world) {
        let key = world.key(BEIJING);
        let search = |slices: Value, passengers: Value| {
            world.post(&key, "/air/offer_requests", &json!({ "slices": slices, "passengers": passengers }))
        };
        let slice = |origin: &str, destination: &str, date: String| json!({ "origin": origin, "destination": destination, "departure_date": date });
        let adult = json!([{ "type": "adult" }]);
        let cases = [
            (search(json!([slice("XXX", "SHA", day(5))]), adult.clone()), "/data/slices/0/origin"),
            (search(json!([slice("PEK", "PEK", day(5))]), adult.clone()), "/data/slices/0/destination"),
            (search(json!([slice("PEK", "SHA", "2020-01-01".into())]), adult.clone()), "/data/slices/0/departure_date"),
            (search(json!([slice("PEK", "SHA", day(400))]), adult), "/data/slices/0/departure_date"),
            (search(json!([slice("PEK", "SHA", day(5))]), json!([{ "type": "child" }])), "/data/passengers"),
        ];
        for (answer, pointer) in cases {
            assert_eq!(answer.expect_error(422, "invalid_search").pointer(), pointer);
        }
    }

    fn offers_expire_and_orders_that_exist_outlive_them(world) {
        let key = world.key_in("test", BEIJING);
        let offer = an_offer(world, &key);
        let order = an_order(&offer, "Zhang", "arc_bsp_cash");
        let first = world.post(&key, "/air/orders", &order).expect(201);
        let later = (chrono::Utc::now() + chrono::Duration::minutes(31)).to_rfc3339();
        world.post(&key, "/v1/test_clock", &json!({ "now": later })).expect(200);
        let again = world.post(&key, "/air/orders", &order).expect(200);
        assert_eq!(again.data()["id"], first.data()["id"]);
        world.post(&key, "/air/orders", &an_order(&offer, "Wang", "arc_bsp_cash")).expect_error(422, "offer_expired");
        assert_eq!(tickets(world), 0, "test mode does not touch the live database");
    }

    fn a_frozen_agency_and_a_closed_line_are_refused_by_name(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let offer = an_offer(world, &key);
        let agency = world.get(&key, "/v1/agencies").expect(200).data()[0]["id"].as_str().unwrap().to_owned();
        let switch = json!({ "target_id": agency, "scopes": ["issue"], "reason": "a test" });
        let switch = world.post(&operator, "/v1/kill_switches", &switch).expect(201).data()["id"].clone();
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect_error(422, "agency_frozen");
        crate::v1::agreed(world, "unfreeze", &json!({ "kill_switch_id": switch })).expect(200);
        let line = world.get(&operator, "/v1/facilities").expect(200).data()[0]["id"].as_str().unwrap().to_owned();
        let lower = json!({ "limit_amount": "1.00", "limit_currency": "CNY" });
        let path = format!("/v1/facilities/{line}/actions/set_limit");
        world.post_with(&operator, &path, &[("Idempotency-Key", "lower")], &lower).expect(200);
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect_error(422, "facility_exhausted");
        world.post(&key, "/air/orders", &an_order(&offer, "Li", "balance")).expect(201);
        world.prove();
    }

    fn reference_data_is_paged_and_places_are_suggested(world) {
        let key = world.key(BEIJING);
        let mut path = "/air/airports?limit=200".to_owned();
        let (mut seen, mut pages) = (HashSet::new(), 0);
        loop {
            let page = world.get(&key, &path).expect(200);
            for airport in page.data().as_array().unwrap() {
                assert!(seen.insert(airport["id"].as_str().unwrap().to_owned()), "twice");
            }
            pages += 1;
            match page.body["meta"]["after"].as_str() {
                Some(after) => path = format!("/air/airports?limit=200&after={after}"),
                None => break,
            }
        }
        assert!(seen.len() > 1_000 && pages > 5, "{} airports", seen.len());
        world.get(&key, "/air/airports?limit=0").expect_error(422, "invalid_limit");
        world.get(&key, "/air/airports?after=zz").expect_error(422, "invalid_cursor");
        let suggested = world.get(&key, "/places/suggestions?query=%E5%8C%97%E4%BA%AC").expect(200);
        assert_eq!(suggested.data()[0]["iata_code"], "BJS");
        assert_eq!(world.get(&key, "/air/airlines/CA").expect(200).data()["name"], "Air China");
        world.get(&key, "/air/aircraft/NOPE").expect_error(404, "not_found");
    }
}
