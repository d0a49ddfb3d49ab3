//! `/v1/incentive_programmes`, `/v1/incentive_periods` and `/v1/incentive_settlements`: accrued by the job a moment after the sale, settled by the operator.

use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, all_ids, cny, number_of, sold, sum, text};
use airsettle::money::{Currency, Money, Rate};
use airsettle::settlement::{Period, PeriodLength};
use serde_json::{Value, json};

fn today(world: &World) -> chrono::NaiveDate {
    world.platform.test.now().date_in(chrono_tz::Asia::Shanghai)
}

fn month(world: &World) -> Period {
    Period::of(today(world), PeriodLength::Month)
}

fn programme(world: &World, airline: &str, funder: &str) -> Value {
    json!({ "name": "Volume", "airline_id": airline, "currency": "CNY", "period": "month", "measure": "fare", "method": "incremental",
        "funder": funder, "effective_from": month(world).starts_on.to_string(), "tiers": [{ "from_amount": "0.00", "rate": "0.02" }] })
}

on_both_engines! {
    fn a_sale_is_accrued_by_itself_and_its_period_is_settled_once(world) {
        let (key, operator) = (world.key_in("test", BEIJING), world.key_in("test", OPERATOR));
        let first = sold(world, &key, "Zhang", "arc_bsp_cash");
        let shown = |order: &Value| world.get(&operator, &format!("/v1/tickets/{}", number_of(order))).expect(200).data().clone();
        let airline = text(&shown(&first)["airline_id"]);
        let opened = world.post(&operator, "/v1/incentive_programmes", &programme(world, &airline, "airline")).expect(201);
        let (id, opened) = (text(&opened.data()["id"]), opened.data().clone());
        assert_eq!((&opened["airline_return"], &opened["tiers"][0]["rate"]), (&json!("set_off"), &json!("0.02")));
        assert_eq!(world.get(&key, &format!("/v1/incentive_programmes/{id}")).expect(200).data(), &opened);
        let second = sold(world, &key, "Wang", "arc_bsp_cash");
        let fares = sum([&shown(&first)["base_amount"], &shown(&second)["base_amount"]]);
        let earned = fares.portion(Rate::parse("0.02").unwrap()).unwrap();
        let periods = |key: &str| {
            world.get(key, &format!("/v1/incentive_periods?programme_id={id}")).expect(200).data().as_array().unwrap().clone()
        };
        world.await_that("both tickets are accrued", || {
            periods(&key).first().is_some_and(|period| cny(&period["accrued_amount"]) == earned)
        });
        let period = periods(&key).remove(0);
        assert_eq!((&period["period"], &period["agency_id"]), (&json!(month(world).to_string()), &json!(agency_of(world, &key))));
        assert_eq!(cny(&period["measured_amount"]), fares);
        let path = format!("/v1/incentive_periods/{}", text(&period["id"]));
        assert_eq!(world.get(&key, &path).expect(200).data(), &period);
        let lines = world.get(&key, &format!("{path}/lines")).expect(200).data().as_array().unwrap().clone();
        assert_eq!(lines.iter().map(|line| text(&line["ticket_number"])).collect::<Vec<_>>(), [number_of(&second), number_of(&first)]);
        assert_eq!(sum(lines.iter().map(|line| &line["amount"])), earned);
        assert_eq!(all_ids(world, &key, &format!("{path}/lines")).len(), 2);
        for stranger in [SHANGHAI, BANK] {
            let stranger = world.key_in("test", stranger);
            assert_eq!(periods(&stranger), Vec::<Value>::new());
            world.get(&stranger, &path).expect_error(404, "not_found");
            world.get(&stranger, &format!("{path}/lines")).expect_error(404, "not_found");
        }
        world.get(&world.key_in("test", BANK), &format!("/v1/incentive_programmes/{id}")).expect_error(404, "not_found");

        // It is over on the second day of the next month.
        let over = month(world);
        let settle = |key: &str| {
            let body = json!({ "programme_id": id, "period": over.to_string() });
            world.post_with(&operator, "/v1/incentive_settlements", &[("Idempotency-Key", key)], &body)
        };
        settle("too-early").expect_error(409, "period_not_over");
        let then = over.last_day().succ_opt().unwrap().succ_opt().unwrap();
        world.post(&operator, "/v1/test_clock", &json!({ "now": format!("{then}T04:00:00Z") })).expect(200);
        let mut attempts = 0;
        world.await_that("everything is counted", || {
            attempts += 1;
            settle(&format!("attempt-{attempts}")).status == 201
        });
        let settled = settle(&format!("attempt-{attempts}")).expect(201);
        assert_eq!(settled.header("idempotent-replayed"), Some("true"));
        assert_eq!((cny(&settled.data()["settled_amount"]), &settled.data()["remaining"]), (earned, &json!(0)));
        assert_eq!(settled.data()["settled"][0]["id"], period["id"]);
        let again = settle("again").expect(201);
        assert_eq!((cny(&again.data()["settled_amount"]), &again.data()["settled"]), (Money::zero(Currency::CNY), &json!([])));
        let claims = world.get(&operator, "/v1/airline_claims").expect(200).data().clone();
        assert_eq!((&claims[0]["incentive_period_id"], cny(&claims[0]["amount"])), (&period["id"], earned));
        assert_eq!(claims[0]["ticket_id"], json!(null));
        let after = periods(&key).remove(0);
        assert_eq!(after["cycle"], json!(airsettle::agencies::cycle_of(today(world))));
        assert!(after["settled_at"].is_string() && after["posting_id"].is_string());
        let store = &world.platform.test.store;
        store.snapshot(|db| {
            airsettle::settlement::verify_settlement(db)?.unwrap();
            airsettle::ticketing::verify_sales(db)?.unwrap();
            Ok::<_, airsettle::db::DbError>(())
        }).unwrap();
    }

    fn a_programme_that_cannot_be_is_refused_by_field(world) {
        let operator = world.key_in("test", OPERATOR);
        let airline = text(&world.get(&operator, "/v1/airlines").expect(200).data()[0]["id"]);
        let agency = agency_of(world, &world.key_in("test", BEIJING));
        let cases = [
            (json!({ "airline_id": "arl_0000000000009" }), "airline_id", "invalid_value"),
            (json!({ "agency_id": "agy_0000000000009" }), "agency_id", "invalid_value"),
            (json!({ "agency_id": agency, "agency_tier": "gold" }), "agency_tier", "invalid_value"),
            (json!({ "agency_tier": "GOLD" }), "agency_tier", "invalid_value"),
            (json!({ "agency_id": agency, "currency": "USD" }), "currency", "currency_mismatch"),
            (json!({ "effective_from": "2020-01-01" }), "effective_from", "invalid_value"),
            (json!({ "effective_until": "2020-01-01" }), "effective_until", "invalid_value"),
            (json!({ "airline_return": "set_off" }), "airline_return", "invalid_value"),
            (json!({ "tiers": [] }), "tiers", "invalid_value"),
            (json!({ "tiers": [{ "from_amount": "0", "rate": "1.5" }] }), "tiers", "invalid_value"),
            (json!({ "tiers": [{ "from_amount": "1", "rate": "0.1" }, { "from_amount": "1.00", "rate": "0.2" }] }), "tiers", "invalid_value"),
            (json!({ "tiers": [{ "from_amount": "-1", "rate": "0.1" }] }), "tiers", "invalid_value"),
            (json!({ "tiers": [{ "from_amount": "1" }] }), "tiers/0/rate", "missing_field"),
            (json!({ "tiers": [{ "from_tickets": 1, "from_amount": "1", "rate": "0.1" }] }), "tiers/0/from_tickets", "invalid_value"),
            (json!({ "measure": "tickets" }), "tiers/0/from_amount", "invalid_value"),
        ];
        for (more, field, code) in cases {
            let mut wrong = programme(world, &airline, "platform");
            for (name, value) in more.as_object().unwrap() {
                wrong[name] = value.clone();
            }
            let answer = world.post(&operator, "/v1/incentive_programmes", &wrong);
            let found = (answer.status, answer.code(), answer.pointer());
            assert_eq!(found, (422, code, format!("/data/{field}").as_str()), "{more}: {}", answer.body);
        }
        let by_tickets = json!({ "name": "Tickets", "airline_id": airline, "currency": "CNY", "period": "quarter", "measure": "tickets",
            "method": "retroactive_to_first", "funder": "platform", "effective_from": today(world).to_string(),
            "tiers": [{ "from_tickets": 100, "amount_per_ticket": "8.00" }, { "from_tickets": 10, "amount_per_ticket": "5.00" }] });
        let opened = world.post(&operator, "/v1/incentive_programmes", &by_tickets).expect(201).data().clone();
        assert_eq!((&opened["tiers"][0]["from_tickets"], &opened["tiers"][0]["amount_per_ticket"]), (&json!(10), &json!("5.00")));
        let settle = |programme: &str, period: &str| {
            let body = json!({ "programme_id": programme, "period": period });
            world.post_with(&operator, "/v1/incentive_settlements", &[("Idempotency-Key", period)], &body)
        };
        let id = text(&opened["id"]);
        assert_eq!(settle(&id, "2026-01").expect_error(422, "invalid_value").pointer(), "/data/period");
        assert_eq!(settle(&id, "2026-1").expect_error(422, "invalid_value").pointer(), "/data/period");
        assert_eq!(settle("inc_0000000000009", "2025-01").expect_error(422, "invalid_value").pointer(), "/data/programme_id");
        let no_key = json!({ "programme_id": id, "period": "2026-Q1" });
        world.post(&operator, "/v1/incentive_settlements", &no_key).expect_error(400, "idempotency_key_required");
    }
}
