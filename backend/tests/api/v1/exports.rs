//! `/v1/exports`: an airline's day over HTTP, and the same from the command line.

use crate::platform::{Answer, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{all_ids, number_of, sold, text};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::process::Command;

/// Test mode with one ticket sold, paid and a day old.
struct Yesterday<'w> {
    world: &'w World,
    operator: String,
    ticket: Value,
    date: String,
}

impl<'w> Yesterday<'w> {
    fn of(world: &'w World) -> Self {
        let operator = world.key_in("test", OPERATOR);
        let date = text(&world.get(&operator, "/v1/test_clock").expect(200).data()["ledger_date"]);
        let order = sold(world, &world.key_in("test", BEIJING), "Zhang", "arc_bsp_cash");
        let path = format!("/v1/tickets/{}", number_of(&order));
        let ticket = || world.get(&operator, &path).expect(200).data().clone();
        world.await_that("the airline is paid", || ticket()["disbursement"]["state"] == "confirmed");
        let ticket = ticket();
        Yesterday { world, operator, ticket, date }
    }

    fn day_passes(&self) {
        let target = self.world.platform.test.now().plus(chrono::Duration::days(1)).to_string();
        self.world.post(&self.operator, "/v1/test_clock", &json!({ "now": target })).expect(200);
        let sealed = |world: &World| world.platform.test.store.read(airsettle::ledger::has_unsealed).unwrap();
        self.world.await_that("all is sealed", || !sealed(self.world));
    }

    fn request(&self) -> Value {
        json!({ "kind": "airline_day", "airline_id": self.ticket["airline_id"], "date": self.date })
    }

    fn made(&self, key: &str) -> Answer {
        self.world.post(key, "/v1/exports", &self.request())
    }

    /// A key of the airline of the ticket, or of another.
    fn airline_key(&self, is_it: bool) -> String {
        let airlines = self.world.get(&self.operator, "/v1/airlines?limit=200").expect(200).data().clone();
        let of = |one: &&Value| (one["id"] == self.ticket["airline_id"]) == is_it;
        let organisation = &airlines.as_array().unwrap().iter().find(of).unwrap()["organisation_id"];
        let new = json!({ "organisation_id": organisation, "name": "finance", "scopes": ["finance:read"] });
        text(&self.world.post(&self.operator, "/v1/keys", &new).expect(201).data()["secret"])
    }

    fn content(&self, key: &str, export: &Value) -> Answer {
        self.world.get(key, export["url"].as_str().unwrap())
    }
}

on_both_engines! {
    fn an_airline_fetches_its_day_with_digest_and_totals(world) {
        let yesterday = Yesterday::of(world);
        let airline = yesterday.airline_key(true);
        yesterday.made(&airline).expect_error(422, "day_not_over");
        yesterday.day_passes();
        let export = yesterday.made(&airline).expect(201).data().clone();
        let content = yesterday.content(&airline, &export).expect(200);
        let text_of = content.body.as_str().unwrap();
        let digest = hex::encode(Sha256::digest(text_of.as_bytes()));
        assert_eq!((&export["sha256"], &export["bytes"]), (&json!(digest), &json!(text_of.len())));
        assert_eq!(content.header("etag"), Some(format!("\"{digest}\"").as_str()));
        let disposition = content.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment; filename=\"airline_day_") && disposition.contains(&yesterday.date), "{disposition}");
        assert!(content.header("content-type").unwrap().starts_with("text/csv"));
        assert_eq!(content.header("content-length"), Some(text_of.len().to_string().as_str()));

        let lines: Vec<&str> = text_of.lines().collect();
        assert_eq!(export["rows"], json!(lines.len() - 1));
        let sale = format!("sale,{},", yesterday.date);
        assert!(lines[1].starts_with(&sale) && lines[1].contains(yesterday.ticket["number"].as_str().unwrap()), "{}", lines[1]);
        assert!(lines.iter().any(|line| line.starts_with("advance_confirmed,")));
        let total = &export["totals"][0];
        let split = yesterday.ticket["split"].as_array().unwrap();
        let share = split.iter().find(|leg| leg["kind"] == "airline").unwrap();
        assert_eq!((&total["currency"], &total["airline_share_amount"]), (&json!("CNY"), &share["amount"]));
        let nothing = json!({ "opening_amount": "0.00", "change_amount": "0.00", "closing_amount": "0.00" });
        assert_eq!((&total["payable"], &total["receivable"]), (&nothing, &nothing));
        assert_eq!((&export["anchor"][0]["height"].as_i64().is_some(), export["anchor"][0]["head"].as_str().unwrap().len()), (&true, 64));
    }

    fn the_same_day_is_the_same_export_and_the_same_bytes(world) {
        let yesterday = Yesterday::of(world);
        yesterday.day_passes();
        let operator = &yesterday.operator;
        let first = yesterday.made(operator).expect(201).data().clone();
        let content = yesterday.content(operator, &first).expect(200).body;
        sold(world, &world.key_in("test", BEIJING), "Wang", "arc_bsp_cash");
        yesterday.day_passes();
        assert_eq!(yesterday.made(operator).expect(200).data(), &first);
        assert_eq!(yesterday.content(operator, &first).expect(200).body, content);
        assert_eq!(world.get(operator, &format!("/v1/exports/{}", text(&first["id"]))).expect(200).data(), &first);
        let mut today = yesterday.request();
        today["date"] = world.get(operator, "/v1/test_clock").expect(200).data()["ledger_date"].clone();
        world.post(operator, "/v1/exports", &today).expect_error(422, "day_not_over");
    }

    fn an_export_is_made_once_per_key(world) {
        let yesterday = Yesterday::of(world);
        let (operator, header) = (&yesterday.operator, [("Idempotency-Key", "the-day")]);
        let made = |header: &[(&str, &str)]| world.post_with(operator, "/v1/exports", header, &yesterday.request());
        made(&[("Idempotency-Key", "too-early")]).expect_error(422, "day_not_over");
        yesterday.day_passes();
        made(&[("Idempotency-Key", "too-early")]).expect_error(422, "day_not_over");
        let first = made(&header).expect(201).data().clone();
        let again = made(&header).expect(201);
        assert_eq!((again.data(), again.header("idempotent-replayed")), (&first, Some("true")));
        assert_eq!(made(&[("Idempotency-Key", "another")]).expect(200).data(), &first);
        let mut other = yesterday.request();
        other["date"] = json!("2020-01-01");
        world.post_with(operator, "/v1/exports", &header, &other).expect_error(409, "idempotency_key_reused");
    }

    fn an_airline_sees_its_own_exports_only(world) {
        let yesterday = Yesterday::of(world);
        yesterday.day_passes();
        let (own, other) = (yesterday.airline_key(true), yesterday.airline_key(false));
        let export = yesterday.made(&own).expect(201).data().clone();
        let path = format!("/v1/exports/{}", text(&export["id"]));
        for stranger in [&other, &world.key_in("test", SHANGHAI)] {
            yesterday.made(stranger).expect_error(404, "not_found");
            world.get(stranger, &path).expect_error(404, "not_found");
            yesterday.content(stranger, &export).expect_error(404, "not_found");
            assert_eq!(world.get(stranger, "/v1/exports").expect(200).data(), &json!([]));
        }
        assert_eq!(all_ids(world, &own, "/v1/exports"), [text(&export["id"])]);
        assert_eq!(all_ids(world, &yesterday.operator, "/v1/exports"), [text(&export["id"])]);
    }

    fn a_day_that_was_tampered_with_is_withheld(world) {
        use diesel::RunQueryDsl;
        let yesterday = Yesterday::of(world);
        yesterday.day_passes();
        let export = yesterday.made(&yesterday.operator).expect(201).data().clone();
        world.platform.test.store.write(|tx| {
            Ok::<_, airsettle::db::DbError>(diesel::sql_query("UPDATE coupon SET flight_number = flight_number + 1").execute(&mut *tx.db)?)
        }).unwrap();
        yesterday.content(&yesterday.operator, &export).expect_error(500, "export_does_not_tie");
    }

    fn the_command_writes_what_the_api_answers(world) {
        let yesterday = Yesterday::of(world);
        let airline = world.get(&yesterday.operator, &format!("/v1/airlines/{}", text(&yesterday.ticket["airline_id"])));
        let code = text(&airline.expect(200).data()["iata_code"]);
        let command = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_airsettle"));
            command.args(["export", "airline-day", "--airline", &code, "--date", &yesterday.date, "--database", &world.test_database]);
            command
        };
        let refused = command().output().unwrap();
        assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("is not over yet"));
        yesterday.day_passes();
        let export = yesterday.made(&yesterday.operator).expect(201).data().clone();
        let content = yesterday.content(&yesterday.operator, &export).expect(200).body;
        let done = command().output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success() && said.contains(export["sha256"].as_str().unwrap()), "{said}");
        assert!(said.contains("CNY 0.00 + 0.00 = 0.00"), "{said}");
        assert_eq!(String::from_utf8(done.stdout).unwrap(), content.as_str().unwrap());
        let path = world.folder().join("day.csv");
        assert!(command().arg("--out").arg(&path).output().unwrap().status.success());
        assert_eq!(std::fs::read_to_string(path).unwrap(), content.as_str().unwrap());
    }
}
