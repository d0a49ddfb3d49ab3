//! `/air/offers` and `/v1/private_fares`: what an offer costs, until when, under which conditions, and what it costs a moment later.

use crate::air::{an_offer, an_order};
use crate::platform::{Answer, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, all_ids, text};
use airsettle::catalogue::{AirportCode, BookingClass, Bucket, CarrierCode};
use airsettle::db::DbError;
use diesel::RunQueryDsl;
use serde_json::{Value, json};

fn day(ahead: u64) -> String {
    (chrono::Utc::now().date_naive() + chrono::Days::new(ahead)).to_string()
}

fn searched(world: &World, key: &str, path: &str, search: &Value) -> Answer {
    world.post(key, &format!("/air/offer_requests{path}"), search)
}

fn beijing_to_shanghai(passengers: &Value) -> Value {
    json!({ "slices": [{ "origin": "PEK", "destination": "SHA", "departure_date": day(30) }], "passengers": passengers })
}

fn segment(offer: &Value) -> &Value {
    &offer["slices"][0]["segments"][0]
}

fn class(offer: &Value) -> &str {
    segment(offer)["passengers"][0]["booking_class"].as_str().unwrap()
}

fn price(world: &World, key: &str, offer: &Value) -> Answer {
    world.post(key, &format!("/air/offers/{}/actions/price", text(&offer["id"])), &json!({}))
}

/// Sells every seat of these classes on the offer's flight, to nobody: the proof of sales would rightly miss their coupons.
fn sell_out(world: &World, offer: &Value, classes: &str) {
    let segment = segment(offer);
    let departing_at = text(&segment["departing_at"]);
    for class in classes.chars() {
        let bucket = Bucket {
            carrier: CarrierCode::parse(segment["marketing_carrier"]["iata_code"].as_str().unwrap()).unwrap(),
            flight_number: segment["marketing_carrier_flight_number"].as_str().unwrap().parse().unwrap(),
            origin: AirportCode::parse(segment["origin"]["iata_code"].as_str().unwrap()).unwrap(),
            date: departing_at[..10].parse().unwrap(),
            class: BookingClass::parse(class).unwrap(),
        };
        let row = format!(
            "INSERT INTO seat_bucket (id, capacity, sold, schedule_change_id) VALUES ({}, 999, 999, 0)",
            bucket.id().unwrap().raw()
        );
        let store = &world.platform.live.store;
        store.write(|tx| Ok::<_, DbError>(diesel::sql_query(&row).execute(tx.db)?)).unwrap();
    }
}

/// Every id in the offer: its own, those of its passengers, slices and flights.
fn ids(offer: &Value) -> Vec<String> {
    let mut ids = vec![text(&offer["id"])];
    ids.extend(offer["passengers"].as_array().unwrap().iter().map(|passenger| text(&passenger["id"])));
    for slice in offer["slices"].as_array().unwrap() {
        ids.push(text(&slice["id"]));
        ids.extend(slice["segments"].as_array().unwrap().iter().map(|segment| text(&segment["id"])));
    }
    ids
}

fn private_fare(agency: &str, code: &str) -> Value {
    json!({ "agency_id": agency, "code": code, "type": "negotiated", "carrier": "CA", "origin": "BJS", "destination": "SHA",
        "booking_classes": "FCYBHKLMQZGSW", "adjustment": "percent_off", "percent": 10, "effective_from": "2026-01-01" })
}

/// The cheapest offer of Air China.
fn of_air_china(world: &World, key: &str, search: &Value) -> Value {
    let found = searched(world, key, "", search).expect(201);
    let offers = found.data()["offers"].as_array().unwrap();
    offers.iter().find(|offer| offer["owner"]["iata_code"] == "CA").unwrap().clone()
}

on_both_engines! {
    fn an_offer_says_what_giving_it_back_or_changing_it_costs(world) {
        let key = world.key(BEIJING);
        let listed = an_offer(world, &key);
        let refund = &listed["conditions"]["refund_before_departure"];
        assert_eq!((&refund["allowed"], &refund["penalty_currency"]), (&json!(true), &json!("CNY")));
        assert_eq!(listed["slices"][0]["conditions"]["refund_before_departure"], *refund, "one slice is the whole");
        assert!(listed["airsettle_rules"].is_null() && listed["slices"][0]["airsettle_rules"].is_null(), "lists are brief");
        let one = world.get(&key, &format!("/air/offers/{}", text(&listed["id"]))).expect(200);
        assert_eq!(one.data()["conditions"], listed["conditions"]);
        let rules = &one.data()["slices"][0]["airsettle_rules"];
        let steps = rules["refund"].as_array().unwrap();
        assert_eq!((&rules["time_zone"], steps.len()), (&json!("Asia/Shanghai"), 4));
        assert_eq!(steps[0]["penalty_amount"], refund["penalty_amount"], "a month before departure the first step counts");
        let order = world.post(&key, "/air/orders", &an_order(&listed, "Zhang", "arc_bsp_cash")).expect(201);
        assert_eq!(order.data()["conditions"], listed["conditions"], "what was offered is what was sold");
    }

    fn pricing_again_what_has_not_changed_changes_nothing(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let body = json!({ "intended_payment_methods": [{ "type": "balance" }], "intended_services": [] });
        let answer = world.post(&key, &format!("/air/offers/{}/actions/price", text(&offer["id"])), &body).expect(200);
        let priced = answer.data();
        assert_eq!((ids(priced), &priced["total_amount"]), (ids(&offer), &offer["total_amount"]));
        let comparison = &priced["airsettle_price_change"];
        assert_eq!((&comparison["before"], &comparison["changes"]), (&comparison["after"], &json!([])));
        assert_eq!(comparison["after"]["total_amount"], offer["total_amount"]);
        let method = &priced["intended_payment_methods"][0];
        assert_eq!((&method["charge_amount"], &method["surcharge_amount"]), (&offer["total_amount"], &json!("0.00")));
        assert!(priced["expires_at"].as_str() > offer["expires_at"].as_str() && priced["created_at"] == offer["created_at"]);
        world.post(&key, "/air/orders", &an_order(priced, "Zhang", "arc_bsp_cash")).expect(201);
    }

    fn a_class_that_is_sold_out_gives_way_to_the_next_under_the_same_ids(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let stale = an_order(&offer, "Zhang", "arc_bsp_cash");
        sell_out(world, &offer, class(&offer));
        world.post(&key, "/air/orders", &stale).expect_error(422, "seats_sold_out");
        let answer = price(world, &key, &offer).expect(200);
        let priced = answer.data();
        assert_eq!(ids(priced), ids(&offer));
        assert_ne!(class(priced), class(&offer));
        let comparison = &priced["airsettle_price_change"];
        assert_eq!(comparison["before"]["total_amount"], offer["total_amount"]);
        assert_eq!(comparison["after"]["total_amount"], priced["total_amount"]);
        let changes: Vec<&str> =
            comparison["changes"].as_array().unwrap().iter().map(|change| change["what"].as_str().unwrap()).collect();
        assert_eq!(changes, ["booking_class", "fare"]);
        assert_eq!(comparison["changes"][0]["segment_id"], segment(&offer)["id"]);
        assert_eq!(comparison["changes"][1]["passenger_id"], offer["passengers"][0]["id"]);
        let read = world.get(&key, &format!("/air/offers/{}", text(&offer["id"]))).expect(200);
        assert_eq!((&read.data()["total_amount"], class(read.data())), (&priced["total_amount"], class(priced)));
        let request = format!("/air/offers?offer_request_id={}", offer_request_of(world, &key));
        let listed = world.get(&key, &request).expect(200);
        assert!(listed.data().as_array().unwrap().iter().any(|one| one["total_amount"] == priced["total_amount"] && one["id"] == offer["id"]));
        world.post(&key, "/air/orders", &stale).expect_error(422, "payment_amount_mismatch");
        let order = world.post(&key, "/air/orders", &an_order(priced, "Zhang", "arc_bsp_cash")).expect(201);
        assert_eq!(order.data()["total_amount"], priced["total_amount"], "what was priced is what was sold");
    }

    fn an_offer_that_is_gone_says_why(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        price(world, &world.key(SHANGHAI), &offer).expect_error(404, "offer_not_found");
        world.post(&key, "/air/offers/off_0000000000001/actions/price", &json!({})).expect_error(404, "offer_not_found");
        let card = json!({ "intended_payment_methods": [{ "type": "balance" }, { "type": "card" }] });
        let answer = world.post(&key, &format!("/air/offers/{}/actions/price", text(&offer["id"])), &card);
        let pointer = "/data/intended_payment_methods/1/type";
        assert_eq!(answer.expect_error(422, "payment_type_not_supported").pointer(), pointer);
        sell_out(world, &offer, "YBHKLMQZGSW");
        price(world, &key, &offer).expect_error(422, "seats_sold_out");
        let test_key = world.key_in("test", BEIJING);
        let offer = an_offer(world, &test_key);
        let later = |minutes: i64| json!({ "now": (chrono::Utc::now() + chrono::Duration::minutes(minutes)).to_rfc3339() });
        world.post(&test_key, "/v1/test_clock", &later(29)).expect(200);
        price(world, &test_key, &offer).expect(200);
        world.post(&test_key, "/v1/test_clock", &later(58)).expect(200);
        let renewed = price(world, &test_key, &offer).expect(200);
        assert_eq!(renewed.data()["id"], offer["id"], "it lives as long as somebody asks for it");
        world.post(&test_key, "/v1/test_clock", &later(120)).expect(200);
        price(world, &test_key, &offer).expect_error(422, "offer_expired");
    }

    fn a_private_fare_is_for_one_agency_alone(world) {
        let (key, other, operator) = (world.key(BEIJING), world.key(SHANGHAI), world.key(OPERATOR));
        let search = beijing_to_shanghai(&json!([{ "type": "adult" }, { "age": 8 }]));
        let published = of_air_china(world, &key, &search);
        assert_eq!(published["private_fares"], json!([]));
        let agency = agency_of(world, &key);
        let filed = world.post(&operator, "/v1/private_fares", &private_fare(&agency, "NEG1")).expect(201);
        assert_eq!((&filed.data()["version"], &filed.data()["percent"]), (&json!(1), &json!(10)));
        let private = of_air_china(world, &key, &search);
        assert_eq!(private["private_fares"], json!([{ "type": "negotiated", "tracking_reference": "NEG1" }]));
        let basis = |offer: &Value, passenger: usize| text(&segment(offer)["passengers"][passenger]["fare_basis_code"]);
        assert_eq!(basis(&private, 0), format!("{}/NEG1", basis(&published, 0)));
        assert_eq!(basis(&private, 1), basis(&published, 1), "a child pays its share of the published fare");
        assert_eq!(of_air_china(world, &other, &search)["total_amount"], published["total_amount"]);
        let mut adult = an_order(&private, "Zhang", "arc_bsp_cash");
        let child = json!({ "id": private["passengers"][1]["id"], "title": "miss", "gender": "f", "given_name": "Na",
            "family_name": "Zhang", "born_on": (chrono::Utc::now().date_naive() - chrono::Days::new(8 * 365 + 60)).to_string() });
        adult["passengers"].as_array_mut().unwrap().push(child);
        let order = world.post(&key, "/air/orders", &adult).expect(201);
        assert_eq!(order.data()["total_amount"], private["total_amount"]);
        let numbers = order.data()["documents"].as_array().unwrap();
        let number = text(&numbers[0]["unique_identifier"]);
        let ticket = world.get(&key, &format!("/v1/tickets/{number}")).expect(200);
        assert!(ticket.data().to_string().contains("/NEG1"), "{}", ticket.body);
        assert_eq!(price(world, &key, &private).expect(200).data()["total_amount"], private["total_amount"]);
        let mut ended = private_fare(&agency, "NEG1");
        ended["effective_until"] = json!("2026-01-02");
        let second = world.post(&operator, "/v1/private_fares", &ended).expect(201);
        assert_eq!(second.data()["version"], json!(2));
        let other_people = an_order(&private, "Wang", "arc_bsp_cash");
        let mut again = adult.clone();
        again["passengers"][0]["family_name"] = other_people["passengers"][0]["family_name"].clone();
        world.post(&key, "/air/orders", &again).expect_error(422, "offer_price_changed");
        assert_eq!(price(world, &key, &private).expect(200).data()["total_amount"], published["total_amount"]);
        let (first, id) = (text(&filed.data()["id"]), text(&second.data()["id"]));
        assert_eq!(all_ids(world, &key, "/v1/private_fares"), [id.clone(), first.clone()]);
        assert_eq!(world.get(&key, &format!("/v1/private_fares/{first}")).expect(200).data(), filed.data(), "never changed");
        assert_eq!(all_ids(world, &other, "/v1/private_fares"), Vec::<String>::new());
        world.get(&other, &format!("/v1/private_fares/{id}")).expect_error(404, "not_found");
        world.post(&key, "/v1/private_fares", &private_fare(&agency, "NEG2")).expect_error(403, "insufficient_scope");
        world.prove();
    }

    fn a_corporate_fare_is_for_those_who_name_its_code(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let mut fare = private_fare(&agency_of(world, &key), "ACME");
        fare["type"] = json!("corporate");
        world.post(&operator, "/v1/private_fares", &fare).expect(201);
        let mut search = beijing_to_shanghai(&json!([{ "type": "adult" }]));
        assert_eq!(of_air_china(world, &key, &search)["private_fares"], json!([]));
        search["private_fares"] = json!({ "CA": [{ "corporate_code": "ACME", "tracking_reference": "T" }] });
        let offer = of_air_china(world, &key, &search);
        assert_eq!(offer["private_fares"], json!([{ "type": "corporate", "corporate_code": "ACME" }]));
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect(201);
        search["private_fares"] = json!({ "AIR CHINA": [{ "corporate_code": "ACME" }] });
        let refused = searched(world, &key, "", &search).expect_error(422, "invalid_value");
        assert_eq!(refused.pointer(), "/data/private_fares/AIR CHINA");
    }

    fn a_private_fare_that_cannot_be_is_refused_by_field(world) {
        let operator = world.key(OPERATOR);
        let agency = agency_of(world, &world.key(BEIJING));
        let with = |name: &str, value: Value| {
            let mut fare = private_fare(&agency, "NEG1");
            fare[name] = value;
            world.post(&operator, "/v1/private_fares", &fare)
        };
        let cases = [
            ("agency_id", json!("agy_0000000000009"), "invalid_value", "agency_id"),
            ("code", json!("neg 1"), "invalid_value", "code"),
            ("carrier", json!("QQ"), "invalid_value", "carrier"),
            ("origin", json!("XXX"), "invalid_value", "origin"),
            ("booking_classes", json!("Y1"), "invalid_value", "booking_classes"),
            ("booking_classes", json!("YY"), "invalid_value", "booking_classes"),
            ("percent", json!(100), "invalid_value", "percent"),
            ("percent", Value::Null, "missing_field", "percent"),
            ("amount", json!("10.00"), "invalid_value", "amount"),
            ("minimum_travellers", json!(0), "invalid_value", "minimum_travellers"),
            ("effective_until", json!("2025-12-31"), "invalid_value", "effective_until"),
            ("travel_from", json!("soon"), "invalid_value", "travel_from"),
            ("surprise", json!(1), "unknown_field", "surprise"),
        ];
        for (name, value, code, field) in cases {
            let answer = with(name, value.clone());
            assert_eq!((answer.status, answer.code()), (422, code), "{name} {value}: {}", answer.body);
            assert_eq!(answer.pointer(), format!("/data/{field}"));
        }
        let mut fixed = private_fare(&agency, "FIX1");
        fixed["adjustment"] = json!("fixed");
        fixed["percent"] = Value::Null;
        fixed["amount"] = json!("500.00");
        fixed["currency"] = json!("USD");
        world.post(&operator, "/v1/private_fares", &fixed).expect_error(422, "currency_mismatch");
        fixed["currency"] = json!("CNY");
        world.post(&operator, "/v1/private_fares", &fixed).expect(201);
    }

    fn offers_are_sorted_and_filtered_as_asked(world) {
        let key = world.key(BEIJING);
        let mut search = beijing_to_shanghai(&json!([{ "type": "adult" }]));
        search["passengers"][0]["loyalty_programme_accounts"] = json!([{ "airline_iata_code": "CA", "account_number": "1" }]);
        let request = searched(world, &key, "?return_offers=false&supplier_timeout=10000", &search).expect(201);
        assert_eq!(request.data()["offers"], json!([]));
        let list = |more: &str| {
            let path = format!("/air/offers?limit=200&offer_request_id={}{more}", text(&request.data()["id"]));
            world.get(&key, &path).expect(200).data().as_array().unwrap().clone()
        };
        let minor = |offer: &Value| offer["total_amount"].as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        let cheapest = list("");
        assert!(cheapest.windows(2).all(|pair| minor(&pair[0]) <= minor(&pair[1])) && cheapest == list("&sort=total_amount"));
        assert!(list("&sort=-total_amount").windows(2).all(|pair| minor(&pair[0]) >= minor(&pair[1])));
        let legs = |offer: &Value| offer["slices"][0]["segments"].as_array().unwrap().len();
        assert!(list("&sort=total_duration").windows(2).all(|pair| legs(&pair[0]) <= legs(&pair[1])), "direct is quicker");
        assert!(list("&max_connections=0").iter().all(|offer| legs(offer) == 1));
        let refused = |more: &str| world.get(&key, &format!("/air/offers?offer_request_id={}{more}", text(&request.data()["id"])));
        refused("&sort=price").expect_error(422, "invalid_value");
        refused("&max_connections=few").expect_error(422, "invalid_value");
        searched(world, &key, "?supplier_timeout=soon", &search).expect_error(422, "invalid_value");
    }

    fn a_passenger_of_an_offer_may_be_named_and_nothing_is_kept(world) {
        use reqwest::Method;
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        let path = format!("/air/offers/{}/passengers/{}", text(&offer["id"]), text(&offer["passengers"][0]["id"]));
        let patch = |path: &str, data: Value| {
            world.block_on(world.send(&key, Method::PATCH, path, &[], Some(json!({ "data": data }).to_string())))
        };
        let named = patch(&path, json!({ "given_name": "Wei", "family_name": "Zhang", "loyalty_programme_accounts": [] })).expect(200);
        assert_eq!((&named.data()["id"], &named.data()["family_name"]), (&offer["passengers"][0]["id"], &json!("Zhang")));
        assert_eq!(patch(&path, json!({ "given_name": "R2D2" })).expect_error(422, "invalid_passenger").pointer(), "/data/given_name");
        let read = world.get(&key, &format!("/air/offers/{}", text(&offer["id"]))).expect(200);
        assert!(read.data()["passengers"][0]["family_name"].is_null());
        let stranger = format!("/air/offers/{}/passengers/pas_0000000000001", text(&offer["id"]));
        patch(&stranger, json!({})).expect_error(404, "not_found");
    }

    fn a_group_buys_what_its_rules_allow_and_a_child_needs_company(world) {
        let key = world.key(BEIJING);
        let group = Value::Array(vec![json!({ "type": "adult" }); 10]);
        let found = searched(world, &key, "", &beijing_to_shanghai(&group)).expect(201);
        let offers = found.data()["offers"].as_array().unwrap();
        assert!(!offers.is_empty() && offers.iter().all(|offer| "YBH".contains(class(offer))), "no saver fare for a group");
        let young = searched(world, &key, "", &beijing_to_shanghai(&json!([{ "age": 12 }, { "age": 8 }])));
        assert_eq!(young.expect_error(422, "invalid_search").pointer(), "/data/passengers");
        searched(world, &key, "", &beijing_to_shanghai(&json!([{ "age": 12 }]))).expect(201);
    }

    fn a_return_may_combine_brands_where_both_allow_it(world) {
        let key = world.key(BEIJING);
        let mut search = beijing_to_shanghai(&json!([{ "type": "adult" }]));
        let back = json!({ "origin": "SHA", "destination": "PEK", "departure_date": day(34) });
        search["slices"].as_array_mut().unwrap().push(back);
        let found = searched(world, &key, "", &search).expect(201);
        let brands: Vec<(String, String)> = found.data()["offers"].as_array().unwrap().iter()
            .map(|offer| (text(&offer["slices"][0]["fare_brand_name"]), text(&offer["slices"][1]["fare_brand_name"])))
            .collect();
        let has = |there: &str, back: &str| brands.iter().any(|(one, other)| one == there && other == back);
        assert!(has("Economy Saver", "Economy Saver") && has("Economy Flex", "Economy Saver") && has("Economy Saver", "Economy Flex"));
        assert!(has("Business", "Economy Flex") && !has("Business", "Economy Saver"), "{brands:?}");
    }
}

/// The newest search.
fn offer_request_of(world: &World, key: &str) -> String {
    text(&world.get(key, "/air/offer_requests?limit=1").expect(200).data()[0]["id"])
}
