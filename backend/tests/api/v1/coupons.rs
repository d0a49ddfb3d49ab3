//! `/v1/tickets/{number}/coupons/{coupon}/status` and `/v1/coupon_status_files`

use crate::platform::{Answer, BEIJING, OPERATOR, World};
use crate::v1::{all_ids, key_for, number_of, sold, text};
use airsettle::identity::Scope;
use serde_json::{Value, json};

/// A key of the airline of a ticket, or of another airline.
fn airline_key(world: &World, number: &str, is_it: bool) -> String {
    let operator = world.key(OPERATOR);
    let ticket = world.get(&operator, &format!("/v1/tickets/{number}")).expect(200).data().clone();
    let airlines = world.get(&operator, "/v1/airlines?limit=200").expect(200).data().as_array().unwrap().clone();
    let of = |one: &&Value| (one["id"] == ticket["airline_id"]) == is_it;
    let organisation = text(&airlines.iter().find(of).unwrap()["organisation_id"]);
    key_for(world, &organisation, &[Scope::CouponsWrite, Scope::FinanceRead])
}

fn says(world: &World, key: &str, number: &str, coupon: &str, data: &Value) -> Answer {
    world.post(key, &format!("/v1/tickets/{number}/coupons/{coupon}/status"), data)
}

fn sends(world: &World, key: &str, content: &str) -> Answer {
    let request = reqwest::Client::new().post(format!("{}/v1/coupon_status_files", world.url)).bearer_auth(key);
    world.block_on(async {
        let response = request.header("content-type", "text/csv").body(content.to_owned()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, body: serde_json::from_str(&response.text().await.unwrap()).unwrap(), headers }
    })
}

fn file(lines: &[String]) -> String {
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    format!("ticket_number,coupon,status,happened_at,flight\n{body}total,{},,,\n", lines.len())
}

fn now(world: &World) -> String {
    world.platform.live.now().to_string()
}

on_both_engines! {
    fn an_airline_takes_control_and_returns_it_and_the_ticket_shows_who_and_when(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let number = number_of(&order);
        let airline = airline_key(world, &number, true);
        let control = says(world, &airline, &number, "1", &json!({ "status": "A", "expected_status": "O" })).expect(200);
        assert_eq!((&control.data()["status"], control.data()["history"].as_array().unwrap().len()), (&json!("A"), 1));
        let again = says(world, &airline, &number, "1", &json!({ "status": "A", "expected_status": "O" })).expect(200);
        assert_eq!(again.data(), control.data());
        let cancel = json!({ "order_id": order["id"] });
        world.post(&key, "/air/order_cancellations", &cancel).expect_error(422, "coupon_not_open");
        let path = format!("/air/orders/{}", text(&order["id"]));
        assert_eq!(world.get(&key, &path).expect(200).data()["available_actions"], json!([]));
        says(world, &airline, &number, "1", &json!({ "status": "O" })).expect(200);
        let ticket = world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data().clone();
        let history = ticket["coupons"][0]["history"].as_array().unwrap();
        let steps: Vec<String> = history.iter().map(|one| text(&one["from_status"]) + &text(&one["to_status"])).collect();
        assert_eq!((steps, &history[0]["source"]), (vec!["OA".to_owned(), "AO".to_owned()], &json!("airline")));
        assert!(history[0]["actor_key_id"].is_string() && history[0]["happened_at"].is_string());
        let quote = world.post(&key, "/air/order_cancellations", &cancel).expect(201).data().clone();
        world.post(&key, &format!("/air/order_cancellations/{}/actions/confirm", text(&quote["id"])), &json!({})).expect(200);
        let void = world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data()["coupons"][0]["history"][2].clone();
        assert_eq!((&void["to_status"], &void["source"]), (&json!("V"), &json!("platform")));
        says(world, &airline, &number, "1", &json!({ "status": "O" })).expect_error(422, "coupon_settled");
        world.prove();
    }

    fn a_report_that_cannot_be_is_refused_by_name(world) {
        let number = number_of(&sold(world, &world.key(BEIJING), "Zhang", "arc_bsp_cash"));
        let airline = airline_key(world, &number, true);
        let expect = |data: Value, status: u16, code: &str| says(world, &airline, &number, "1", &data).expect_error(status, code);
        expect(json!({ "status": "R" }), 422, "coupon_status_refused");
        expect(json!({ "status": "P" }), 422, "coupon_status_refused");
        expect(json!({ "status": "C", "expected_status": "A" }), 409, "coupon_status_stale");
        expect(json!({ "status": "C", "flight": "CA1" }), 422, "coupon_flight_differs");
        assert_eq!(expect(json!({ "status": "flown" }), 422, "invalid_value").pointer(), "/data/status");
        let future = expect(json!({ "status": "F", "happened_at": "2999-01-01T00:00:00Z" }), 422, "invalid_value");
        assert_eq!(future.pointer(), "/data/happened_at");
        says(world, &airline, &number, "1", &json!({ "status": "F" })).expect(200);
        expect(json!({ "status": "C" }), 422, "coupon_status_refused");
        expect(json!({ "status": "O", "happened_at": "2026-01-01T00:00:00Z" }), 409, "coupon_changed_later");
        says(world, &airline, &number, "1", &json!({ "status": "O" })).expect(200);
    }

    fn an_airline_reports_only_about_its_own_tickets(world) {
        let key = world.key(BEIJING);
        let number = number_of(&sold(world, &key, "Zhang", "arc_bsp_cash"));
        let flown = json!({ "status": "F" });
        says(world, &airline_key(world, &number, false), &number, "1", &flown).expect_error(404, "not_found");
        says(world, &key, &number, "1", &flown).expect_error(403, "insufficient_scope");
        let operator = world.key(OPERATOR);
        for coupon in ["2", "0", "5", "x"] {
            says(world, &operator, &number, coupon, &flown).expect_error(404, "not_found");
        }
        let shown = says(world, &operator, &number, "1", &flown).expect(200);
        assert_eq!(shown.data()["history"][0]["source"], "operator");
    }

    fn a_file_is_acted_on_line_by_line_and_once(world) {
        let key = world.key(BEIJING);
        let numbers: Vec<String> = ["Zhang", "Wang"].iter().map(|name| number_of(&sold(world, &key, name, "arc_bsp_cash"))).collect();
        let (airline, other) = (airline_key(world, &numbers[0], true), airline_key(world, &numbers[0], false));
        let line = |number: &str, coupon: u8, status: &str| format!("{number},{coupon},{status},{},", now(world));
        let content = file(&[
            line(&numbers[0], 1, "A"),
            line(&numbers[0], 1, "F"),
            line(&numbers[0], 1, "C"),
            line(&numbers[1], 1, "A"),
            line(&numbers[1], 1, "A"),
            line(&numbers[1], 2, "F"),
            line("9990000000000", 1, "F"),
            line(&numbers[1], 1, "R"),
        ]);
        let taken = sends(world, &airline, &content).expect(201).data().clone();
        let counts = ["lines", "applied", "already", "rejected"].map(|name| taken[name].as_i64().unwrap());
        assert_eq!(counts, [8, 3, 1, 4]);
        assert!(taken["finished_at"].is_string());
        let path = format!("/v1/coupon_status_files/{}", text(&taken["id"]));
        let lines = world.get(&airline, &format!("{path}/lines?outcome=rejected")).expect(200).data().clone();
        let codes: Vec<(i64, &str)> =
            lines.as_array().unwrap().iter().rev().map(|one| (one["line"].as_i64().unwrap(), one["code"].as_str().unwrap())).collect();
        assert_eq!(codes, [(4, "final"), (7, "coupon_not_found"), (8, "ticket_not_found"), (9, "not_yours")]);
        assert_eq!(world.get(&airline, &format!("{path}/lines")).expect(200).data().as_array().unwrap().len(), 8);
        let history = || world.get(&key, &format!("/v1/tickets/{}", numbers[0])).expect(200).data()["coupons"][0]["history"].clone();
        let before = history();
        assert_eq!((before.as_array().unwrap().len(), &before[1]["coupon_status_file_id"]), (2, &taken["id"]));

        assert_eq!(sends(world, &airline, &content).expect(200).data(), &taken, "the same content is the same file");
        assert_eq!(history(), before);
        let strange = sends(world, &other, &content).expect(201).data().clone();
        assert_eq!((&strange["rejected"], &strange["applied"]), (&json!(8), &json!(0)), "none of them is the other airline's");
        world.get(&other, &path).expect_error(404, "not_found");
        assert_eq!(all_ids(world, &airline, "/v1/coupon_status_files"), [text(&taken["id"])]);
        assert_eq!(all_ids(world, &world.key(OPERATOR), "/v1/coupon_status_files").len(), 2);
        world.get(&airline, &format!("{path}/lines?outcome=lost")).expect_error(422, "invalid_value");
        world.prove();
    }

    fn a_file_that_is_cut_or_malformed_is_refused_whole(world) {
        let key = world.key(BEIJING);
        let number = number_of(&sold(world, &key, "Zhang", "arc_bsp_cash"));
        let airline = airline_key(world, &number, true);
        let good = format!("{number},1,F,{},", now(world));
        let content = file(std::slice::from_ref(&good));
        let cut = content.replace("total,1,,,\n", "");
        let refused = sends(world, &airline, &cut).expect_error(422, "coupon_file_malformed");
        assert!(text(&refused.body["errors"][0]["message"]).contains("line 3"), "{}", refused.body);
        sends(world, &airline, &file(&[good.clone(), good.replace(",1,F,", ",9,F,")])).expect_error(422, "coupon_file_malformed");
        sends(world, &airline, "").expect_error(422, "coupon_file_malformed");
        world.block_on(world.send(&airline, reqwest::Method::POST, "/v1/coupon_status_files", &[], Some("{}".into())))
            .expect_error(415, "unsupported_media_type");
        sends(world, &key, &content).expect_error(403, "insufficient_scope");
        let ticket = world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data().clone();
        assert_eq!(ticket["coupons"][0]["status"], "O");
        assert_eq!(world.get(&airline, "/v1/coupon_status_files").expect(200).data(), &json!([]));
    }

    fn a_file_of_many_parts_ends_every_line(world) {
        let number = number_of(&sold(world, &world.key(BEIJING), "Zhang", "arc_bsp_cash"));
        let airline = airline_key(world, &number, true);
        let at = now(world);
        let lines: Vec<String> = (0..2_300).map(|line| format!("{number},1,{},{at},", if line % 2 == 0 { "A" } else { "O" })).collect();
        let taken = sends(world, &airline, &file(&lines)).expect(201).data().clone();
        assert_eq!((&taken["lines"], &taken["applied"], &taken["rejected"]), (&json!(2_300), &json!(2_300), &json!(0)));
        let ticket = world.get(&airline, &format!("/v1/tickets/{number}")).expect(200).data().clone();
        assert_eq!((ticket["coupons"][0]["history"].as_array().unwrap().len(), &ticket["coupons"][0]["status"]), (2_300, &json!("O")));
    }

    fn a_journey_through_eight_places_has_one_ticket_with_several_numbers(world) {
        let key = world.key(BEIJING);
        let day = |ahead: u64| (chrono::Utc::now().date_naive() + chrono::Days::new(ahead)).to_string();
        let slice = |place: u64| {
            let ends = if place.is_multiple_of(2) { ["BJS", "SHA"] } else { ["SHA", "BJS"] };
            json!({ "origin": ends[0], "destination": ends[1], "departure_date": day(20 + 2 * place) })
        };
        let search = |count: u64| {
            json!({ "slices": (0..count).map(slice).collect::<Vec<_>>(), "passengers": [{ "type": "adult" }], "max_connections": 0 })
        };
        world.post(&key, "/air/offer_requests", &search(9)).expect_error(422, "too_many_coupons");
        let found = world.post(&key, "/air/offer_requests", &search(8)).expect(201).data().clone();
        let offer = &found["offers"][0];
        assert_eq!(offer["slices"].as_array().unwrap().len(), 8);
        let order = world.post(&key, "/air/orders", &crate::air::an_order(offer, "Zhang", "arc_bsp_cash")).expect(201).data().clone();
        let numbers: Vec<String> = order["documents"].as_array().unwrap().iter().map(|one| text(&one["unique_identifier"])).collect();
        let documents: Vec<u64> = numbers.iter().map(|number| number.parse().unwrap()).collect();
        assert_eq!(documents, [documents[0], documents[0] + 1]);
        assert_eq!(order["slices"].as_array().unwrap().len(), 8);
        let first = world.get(&key, &format!("/v1/tickets/{}", numbers[0])).expect(200).data().clone();
        assert_eq!(first["conjunction_numbers"], json!(numbers[1..]));
        assert_eq!(world.get(&key, &format!("/v1/tickets/{}", numbers[1])).expect(200).data()["id"], first["id"]);
        assert_eq!(world.get(&key, &format!("/v1/tickets?number={}", numbers[1])).expect(200).data()[0]["id"], first["id"]);
        let coupons = first["coupons"].as_array().unwrap();
        assert_eq!((coupons.len(), &coupons[4]["ticket_number"], &coupons[4]["number"]), (8, &json!(numbers[1]), &json!(1)));
        let airline = airline_key(world, &numbers[0], true);
        let flown = says(world, &airline, &numbers[1], "4", &json!({ "status": "F" })).expect(200);
        assert_eq!(flown.data()["flight"], coupons[7]["flight"]);
        let refused = world.post(&key, "/air/order_cancellations", &json!({ "order_id": order["id"] })).expect_error(422, "coupon_not_open");
        assert!(text(&refused.body["errors"][0]["message"]).contains(&numbers[1]), "{}", refused.body);
        world.prove();
    }

    fn the_void_window_counts_down(world) {
        let key = world.key_in("test", BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let remaining = |path: &str| {
            let answer = world.get(&key, path).expect(200);
            let ends = answer.data()["void_window_ends_at"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
            let left = ends.signed_duration_since(world.platform.test.now().utc()).num_seconds();
            let shown = answer.body["meta"]["void_window_remaining_secs"].as_i64().unwrap();
            assert!((shown - left.max(0)).abs() <= 5, "{shown} {left}");
            (shown, ends)
        };
        let paths = [format!("/air/orders/{}", text(&order["id"])), format!("/v1/tickets/{}", number_of(&order))];
        let [(left, ends), of_ticket] = [remaining(&paths[0]), remaining(&paths[1])];
        assert!(left > 0 && of_ticket.1 == ends);
        let target = (ends + chrono::Duration::minutes(1)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        world.post(&world.key_in("test", OPERATOR), "/v1/test_clock", &json!({ "now": target })).expect(200);
        assert_eq!(paths.each_ref().map(|path| remaining(path).0), [0, 0]);
        world.post(&key, "/air/order_cancellations", &json!({ "order_id": order["id"] })).expect_error(422, "void_window_closed");
    }
}
