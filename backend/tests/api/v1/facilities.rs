//! `/v1/facilities` and `/v1/disbursements`

use crate::air::{an_offer, an_order};
use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{cny, key_for, number_of, organisation_of, sold, sum, text};
use airsettle::credit::{close_facility, facilities};
use airsettle::gateways::bank::simulator::{Fault, FaultPlan};
use airsettle::identity::Scope;
use serde_json::{Value, json};

fn line(world: &World) -> Value {
    world.get(&world.key(OPERATOR), "/v1/facilities").expect(200).data()[0].clone()
}

/// Until the ticket's airline is paid; answers the disbursement.
fn paid(world: &World, number: &str) -> Value {
    let path = format!("/v1/disbursements?ticket={number}");
    let read = || world.get(&world.key(OPERATOR), &path).expect(200).data()[0].clone();
    world.await_that("the airline is paid", || read()["state"] == "confirmed");
    read()
}

on_both_engines! {
    fn a_line_shows_what_is_drawn_and_what_is_left(world) {
        let key = world.key(BEIJING);
        let before = line(world);
        assert_eq!((&before["drawn_amount"], &before["headroom_amount"]), (&json!("0.00"), &before["limit_amount"]));
        assert_eq!(before["gate"], json!({ "open": true, "reason": null }));
        let disbursement = paid(world, &number_of(&sold(world, &key, "Zhang", "arc_bsp_cash")));
        let after = line(world);
        assert_eq!((&after["drawn_amount"], &after["held_amount"]), (&disbursement["amount"], &json!("0.00")));
        assert_eq!(sum([&after["drawn_amount"], &after["headroom_amount"]]), cny(&after["limit_amount"]));
        assert_eq!((&after["unconfirmed"], &after["oldest_unresolved_at"]), (&json!(0), &json!(null)));
        let bank = world.key(BANK);
        assert_eq!(world.get(&bank, &format!("/v1/facilities/{}", text(&after["id"]))).expect(200).data(), &after);
        assert_eq!(world.get(&key, "/v1/facilities").expect(200).data(), &json!([]));
        world.get(&key, &format!("/v1/facilities/{}", text(&after["id"]))).expect_error(404, "not_found");
    }

    fn a_line_is_opened_for_a_bank_and_its_limit_is_set_in_its_currency(world) {
        let operator = world.key(OPERATOR);
        let new = json!({ "organisation_id": organisation_of(world, &world.key(BANK)), "name": "Yen line", "limit_amount": "5000000",
            "limit_currency": "JPY", "debit_account": "line-JPY-1", "base_rate": "0.01", "margin_rate": "0.02", "day_count": "ACT/365F" });
        let with = |name: &str, value: Value| {
            let mut new = new.clone();
            new[name] = value;
            world.post(&operator, "/v1/facilities", &new)
        };
        let cases = [
            ("limit_amount", json!("1.0"), "too_many_decimals", "/data/limit_amount"),
            ("limit_amount", json!("-1"), "invalid_value", "/data/limit_amount"),
            ("limit_currency", json!("YEN"), "unknown_currency", "/data/limit_currency"),
            ("base_rate", json!("1.01"), "invalid_value", "/data/base_rate"),
            ("day_count", json!("30/360"), "invalid_value", "/data/day_count"),
            ("max_unconfirmed", json!(0), "invalid_value", "/data/max_unconfirmed"),
            ("max_unresolved_secs", json!(86_401), "invalid_value", "/data/max_unresolved_secs"),
            ("organisation_id", json!(organisation_of(world, &world.key(BEIJING))), "invalid_value", "/data/organisation_id"),
        ];
        for (name, value, code, pointer) in cases {
            let answer = with(name, value.clone());
            assert_eq!((answer.status, answer.code(), answer.pointer()), (422, code, pointer), "{name} {value}: {}", answer.body);
        }
        let opened = world.post(&operator, "/v1/facilities", &new).expect(201);
        assert_eq!((&opened.data()["limit_amount"], &opened.data()["max_unresolved_secs"]), (&json!("5000000"), &json!(30)));
        let path = format!("/v1/facilities/{}/actions/set_limit", text(&opened.data()["id"]));
        let set = |amount: &str, currency: &str| {
            world.post(&operator, &path, &json!({ "limit_amount": amount, "limit_currency": currency }))
        };
        assert_eq!(set("4000000", "JPY").expect(200).data()["headroom_amount"], "4000000");
        set("7000000", "JPY").expect_error(409, "approval_required");
        let raised = |amount: &str, currency: &str| {
            let change = json!({ "facility_id": opened.data()["id"], "limit_amount": amount, "limit_currency": currency });
            crate::v1::agreed(world, "set_facility_limit", &change)
        };
        assert_eq!(raised("4000000", "JPY").expect_error(422, "invalid_value").pointer(), "/data/change/limit_amount");
        assert_eq!(raised("9.00", "CNY").expect_error(422, "currency_mismatch").pointer(), "/data/change/limit_currency");
        raised("7000000", "JPY").expect(200);
        let line = world.get(&operator, &format!("/v1/facilities/{}", text(&opened.data()["id"]))).expect(200);
        assert_eq!(line.data()["headroom_amount"], "7000000");
        assert_eq!(set("1.00", "CNY").expect_error(422, "currency_mismatch").pointer(), "/data/limit_currency");
        assert_eq!(set("-1", "JPY").expect_error(422, "invalid_value").pointer(), "/data/limit_amount");
    }

    fn a_line_closed_by_hand_stays_closed_until_a_person_reopens_it_and_the_bank_answers(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let offer = an_offer(world, &key);
        let id = text(&line(world)["id"]);
        let act = |action: &str, data: Value| world.post(&operator, &format!("/v1/facilities/{id}/actions/{action}"), &data);
        let closed = act("close", json!({ "reason": "audit" })).expect(200);
        assert_eq!(closed.data()["gate"], json!({ "open": false, "reason": "closed by the operator: audit" }));
        let refused = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash"));
        assert!(refused.expect_error(422, "facility_closed").body["errors"][0]["message"].as_str().unwrap().contains("audit"));
        // Another line that closed by itself shows when the job that reopens lines has passed by twice.
        let other = json!({ "organisation_id": organisation_of(world, &world.key(BANK)), "name": "Yen line", "limit_amount": "1",
            "limit_currency": "JPY", "debit_account": "d", "base_rate": "0", "margin_rate": "0", "day_count": "ACT/360" });
        world.post(&operator, "/v1/facilities", &other).expect(201);
        let live = &world.platform.live;
        let yen = live.store.read(|db| facilities(db, live.today())).unwrap().pop().unwrap().facility.id;
        for _ in 0..2 {
            live.store.write(|tx| close_facility(tx, yen, "the bank refused an advance")).unwrap();
            world.await_that("the other line reopens", || {
                live.store.read(|db| facilities(db, live.today())).unwrap().iter().any(|line| line.facility.id == yen && line.facility.closed_reason.is_none())
            });
        }
        assert_eq!(world.get(&operator, &format!("/v1/facilities/{id}")).expect(200).data()["gate"]["open"], false);
        world.bank.plan(FaultPlan::always(Fault::Down)).unwrap();
        let waiting = act("reopen", json!({})).expect_error(503, "bank_unavailable");
        assert!(waiting.header("retry-after").is_some());
        world.bank.plan(FaultPlan::default()).unwrap();
        assert_eq!(act("reopen", json!({})).expect(200).data()["gate"]["open"], true);
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        world.post(&world.key(BANK), &format!("/v1/facilities/{id}/actions/close"), &json!({ "reason": "x" }))
            .expect_error(403, "insufficient_scope");
    }

    fn a_disbursement_is_seen_by_its_agency_its_airline_its_bank_and_nobody_else(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let shown = paid(world, &number_of(&order));
        let path = format!("/v1/disbursements/{}", text(&shown["id"]));
        let airline = world.get(&operator, &format!("/v1/airlines/{}", text(&shown["airline_id"]))).expect(200);
        let airline = key_for(world, &text(&airline.data()["organisation_id"]), &[Scope::FinanceRead]);
        for sees in [&key, &operator, &airline, &world.key(BANK)] {
            let one = world.get(sees, &path).expect(200);
            assert_eq!((&one.data()["state"], &one.data()["failed_attempts"]), (&json!("confirmed"), &json!([])));
            assert!(one.data()["sale_to_credit_millis"].as_i64().unwrap() >= 0);
            assert_eq!(one.data()["payment_reference"], json!(format!("{}-1", text(&shown["id"]))));
            assert_eq!(world.get(sees, "/v1/disbursements").expect(200).data()[0], shown);
        }
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        assert_eq!(world.get(&world.key(SHANGHAI), "/v1/disbursements").expect(200).data(), &json!([]));
        let found = |query: &str| world.get(&operator, &format!("/v1/disbursements?{query}")).expect(200).data().as_array().unwrap().len();
        assert_eq!((found("state=confirmed"), found("state=held")), (1, 0));
        assert_eq!(found(&format!("airline_id={}", text(&shown["airline_id"]))), 1);
        assert_eq!((found("airline_id=arl_0000000000009"), found("ticket=9990000000000")), (0, 0));
        assert_eq!(found(&format!("ticket={}", text(&shown["ticket_id"]))), 1);
        world.get(&operator, "/v1/disbursements?state=lost").expect_error(422, "invalid_value");
        world.get(&operator, "/v1/disbursements?ticket=781").expect_error(422, "invalid_value");
    }

    fn the_attempts_of_a_disbursement_are_told(world) {
        let key = world.key(BEIJING);
        let offer = an_offer(world, &key);
        world.bank.plan(FaultPlan::script([Fault::Refuse { code: "AC04".into(), is_final: true }])).unwrap();
        let order = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201).data().clone();
        let shown = paid(world, &number_of(&order));
        let one = world.get(&key, &format!("/v1/disbursements/{}", text(&shown["id"]))).expect(200);
        assert_eq!(one.data()["attempt"], 2);
        let failed = &one.data()["failed_attempts"][0];
        assert_eq!((&failed["attempt"], &failed["outcome"]), (&json!(1), &json!("failed")));
        assert!(failed["detail"].as_str().unwrap().contains("AC04"));
    }

    fn a_line_follows_a_published_rate(world) {
        let operator = world.key(OPERATOR);
        let today = world.platform.live.today();
        let bank = organisation_of(world, &world.key(BANK));
        let publish = |from: &str, rate: &str| {
            let new = json!({ "currency": "CNY", "name": "LPR-1D", "effective_from": from, "rate": rate });
            world.post(&operator, "/v1/base_rates", &new)
        };
        let mut new = json!({ "organisation_id": bank, "name": "Floating", "limit_amount": "1000.00", "limit_currency": "CNY",
            "debit_account": "d", "base_rate_name": "LPR-1D", "margin_rate": "0.01", "commitment_rate": "0.002", "day_count": "ACT/365F",
            "available_until": (today + chrono::Days::new(30)).to_string() });
        assert_eq!(world.post(&operator, "/v1/facilities", &new).expect_error(422, "invalid_value").pointer(), "/data/base_rate_name");
        publish(&today.to_string(), "0.031").expect(201);
        let opened = world.post(&operator, "/v1/facilities", &new).expect(201);
        assert_eq!((&opened.data()["base_rate"], &opened.data()["base_rate_name"]), (&json!("0.031"), &json!("LPR-1D")));
        assert_eq!((&opened.data()["commitment_rate"], &opened.data()["available_from"]), (&json!("0.002"), &json!(null)));
        assert_eq!(publish(&today.to_string(), "0.04").expect_error(422, "rate_overlaps").pointer(), "/data/effective_from");
        let tomorrow = (today + chrono::Days::new(1)).to_string();
        assert_eq!(publish(&tomorrow, "1.5").expect_error(422, "invalid_value").pointer(), "/data/rate");
        publish(&tomorrow, "0.04").expect(201);
        let listed = world.get(&operator, "/v1/base_rates?currency=CNY&name=LPR-1D").expect(200);
        assert_eq!((&listed.data()[1]["effective_until"], &listed.data()[0]["effective_until"]), (&json!(today.to_string()), &json!(null)));
        assert_eq!(world.get(&operator, "/v1/base_rates?name=other").expect(200).data(), &json!([]));
        world.get(&operator, "/v1/base_rates?currency=RMB").expect_error(422, "unknown_currency");
        new["base_rate"] = json!("0.03");
        assert_eq!(world.post(&operator, "/v1/facilities", &new).expect_error(422, "invalid_value").pointer(), "/data/base_rate_name");
        new["base_rate_name"] = json!(null);
        new["available_from"] = json!("2099-01-01");
        assert_eq!(world.post(&operator, "/v1/facilities", &new).expect_error(422, "invalid_value").pointer(), "/data/available_until");
        new["base_rate"] = json!(null);
        assert_eq!(world.post(&operator, "/v1/facilities", &new).expect_error(422, "missing_field").pointer(), "/data/base_rate");
        let id = text(&opened.data()["id"]);
        let until = json!({ "available_until": (today - chrono::Days::new(1)).to_string() });
        let over = world.post(&operator, &format!("/v1/facilities/{id}/actions/set_availability"), &until).expect(200);
        assert_eq!(over.data()["gate"], json!({ "open": false, "reason": "its availability period is over" }));
    }

    fn a_bank_reads_its_own_line_and_nothing_else(world) {
        let (key, operator, bank) = (world.key(BEIJING), world.key(OPERATOR), world.key(BANK));
        let disbursement = paid(world, &number_of(&sold(world, &key, "Zhang", "arc_bsp_cash")));
        let (id, airline) = (text(&line(world)["id"]), text(&disbursement["airline_id"]));
        let part = json!({ "airline_id": airline, "limit_amount": "100000.00", "limit_currency": "CNY" });
        let set = world.post(&operator, &format!("/v1/facilities/{id}/actions/set_sublimit"), &part).expect(200);
        assert_eq!(set.data()["sublimits"], json!([{ "airline_id": airline, "limit_amount": "100000.00", "used_amount": disbursement["amount"] }]));
        let statement = world.get(&bank, &format!("/v1/facilities/{id}/statement")).expect(200);
        assert_eq!((&statement.data()["closing_amount"], &statement.data()["opening_amount"]), (&disbursement["amount"], &json!("0.00")));
        let days = statement.data()["days"].as_array().unwrap();
        assert_eq!((&days[days.len() - 1]["draws"], &days[days.len() - 1]["drawn_amount"]), (&json!(1), &disbursement["amount"]));
        let used = world.get(&bank, &format!("/v1/facilities/{id}/utilisation")).expect(200);
        let expected = json!([{ "airline_id": airline, "held_amount": "0.00", "drawn_amount": disbursement["amount"], "sublimit_amount": "100000.00" }]);
        assert_eq!(used.data(), &expected);
        for what in ["from=2020-01-01", "until=2020-1-1", "from=2099-01-01"] {
            world.get(&bank, &format!("/v1/facilities/{id}/statement?{what}")).expect_error(422, "invalid_value");
        }
        assert_eq!(world.get(&bank, "/v1/disbursements").expect(200).data().as_array().unwrap().len(), 1);
        // Of what is not its own it sees nothing, and it writes nothing.
        for path in ["/v1/agencies", "/v1/airlines", "/v1/contracts", "/v1/exposure", "/v1/tickets", "/v1/airline_claims"] {
            let answer = world.get(&bank, path);
            assert!(answer.status == 403 || answer.data() == &json!([]), "{path}: {}", answer.body);
        }
        for path in ["/v1/base_rates", "/v1/provisions", "/v1/approvals"] {
            world.get(&bank, path).expect_error(403, "insufficient_scope");
        }
        world.post(&bank, &format!("/v1/facilities/{id}/actions/set_sublimit"), &part).expect_error(403, "insufficient_scope");
        let other = world.post(&operator, "/v1/organisations", &json!({ "kind": "bank", "name": "Other Bank", "country": "CN" })).expect(201);
        let stranger = key_for(world, &text(&other.data()["id"]), &[Scope::FinanceRead]);
        for path in ["", "/statement", "/utilisation", "/accruals", "/repayments"] {
            world.get(&stranger, &format!("/v1/facilities/{id}{path}")).expect_error(404, "not_found");
        }
        assert_eq!(world.get(&stranger, "/v1/disbursements").expect(200).data(), &json!([]));
        assert_eq!(world.get(&stranger, "/v1/facilities").expect(200).data(), &json!([]));
        world.get(&key, &format!("/v1/facilities/{id}/statement")).expect_error(404, "not_found");
        world.prove();
    }

    fn an_airline_at_its_cap_is_not_paid_ahead(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let today = world.platform.live.today().to_string();
        let first = paid(world, &number_of(&sold(world, &key, "Zhang", "arc_bsp_cash")));
        let airline = text(&first["airline_id"]);
        let set = |cap: &str, from: &str| {
            let new = json!({ "airline_id": airline, "effective_from": from, "cap_amount": cap, "cap_currency": "CNY" });
            world.post(&operator, "/v1/airline_caps", &new)
        };
        let cap = set("0.00", &today).expect(201);
        assert_eq!((&cap.data()["reached"], &cap.data()["owed_amount"], &cap.data()["percent_used"]), (&json!(true), &json!("0.00"), &json!(100)));
        assert_eq!(set("-1.00", &today).expect_error(422, "invalid_value").pointer(), "/data/cap_amount");
        assert_eq!(set("1.00", "2020-01-01").expect_error(422, "invalid_value").pointer(), "/data/effective_from");
        let number = number_of(&sold(world, &key, "Li", "arc_bsp_cash"));
        let read = || world.get(&operator, &format!("/v1/disbursements?ticket={number}")).expect(200).data()[0].clone();
        assert_eq!(text(&read()["airline_id"]), airline);
        world.await_that("it waits, with the reason", || read()["detail"].as_str().is_some_and(|why| why.starts_with("the airline owes")));
        assert_eq!((&read()["state"], read()["waits_until"].is_string()), (&json!("held"), true));
        world.get(&key, "/v1/airline_caps").expect_error(403, "insufficient_scope");
        let listed = world.get(&operator, &format!("/v1/airline_caps?airline_id={airline}")).expect(200);
        assert_eq!((listed.data().as_array().unwrap().len(), &listed.data()[0]["in_force"]), (1, &json!(true)));
        world.prove();
    }
}
