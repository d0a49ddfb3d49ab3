//! `/v1/cash_proofs`: the close of day asks the bank for its statement and holds it against the ledger.

use crate::platform::{Answer, SHANGHAI, World};
use crate::v1::text;
use crate::v1::worked_case::Desk;
use airsettle::gateways::bank::simulator::{Fault, FaultPlan};
use serde_json::{Value, json};

/// Somebody pays, through the bank, from one account to another; the bank's own reference.
fn pays(world: &World, reference: &str, from: &str, to: &str, amount: &str) -> String {
    let order = json!({ "reference": reference, "debit_account": from, "payee_account": to, "payee_name": "Airsettle", "amount": amount,
        "currency": "CNY", "remittance_text": "" });
    let request = reqwest::Client::new().post(format!("{}/payments", world.test_bank.base_url())).json(&order);
    let paid: Value = world.block_on(async { request.send().await.unwrap().json().await.unwrap() });
    text(&paid["bank_reference"])
}

fn records(desk: &Desk, amount: &str, reference: &str) {
    let receipt = json!({ "account": "own", "amount": amount, "currency": "CNY", "value_date": desk.today(),
        "bank_reference": reference, "purpose": "capital" });
    desk.write("/v1/bank_receipts", &receipt).expect(201);
}

/// Runs the close of day until it is done.
fn closes(desk: &Desk) {
    let asked = desk.world.post(&desk.operator, "/v1/jobs/close_of_day/runs", &json!({})).expect(202);
    desk.world.await_that("the day is closed", || {
        let runs = desk.world.get(&desk.operator, "/v1/jobs/close_of_day/runs").expect(200);
        runs.data().as_array().unwrap().iter().any(|run| run["id"] == asked.data()["id"] && run["state"] == "done")
    });
}

fn proof_of(desk: &Desk, date: &str) -> Answer {
    let found = desk.world.get(&desk.operator, "/v1/cash_proofs?account=own&limit=200").expect(200);
    let all = found.data().as_array().unwrap().clone();
    let of: Vec<&Value> = all.iter().filter(|proof| proof["date"] == date).collect();
    assert_eq!(of.len(), 1, "one result: {all:?}");
    desk.world.get(&desk.operator, &format!("/v1/cash_proofs/{}", text(&of[0]["id"]))).expect(200)
}

on_both_engines! {
    fn the_banks_statement_is_held_against_the_ledger_every_day(world) {
        let desk = Desk::open(world, SHANGHAI);
        // What was paid in before the bank was asked is in transit for ever here; only what comes now is looked at.
        let day = desk.today();
        let both = pays(world, "IN-1", "owner", "own-CNY", "500.00");
        records(&desk, "500.00", &both);
        let unknown = pays(world, "IN-2", "somebody", "own-CNY", "97.00");
        pays(world, "FEE-1", "own-CNY", "bank-fees", "7.50");
        records(&desk, "20.00", "NOT-THERE");
        desk.days_pass(1);
        closes(&desk);
        let proof = proof_of(&desk, &day);
        let items = proof.data()["items"].as_array().unwrap().clone();
        let named = |kind: &str, reference: &str| items.iter().any(|item| item["kind"] == kind && item["bank_reference"] == reference);
        assert_eq!(proof.data()["state"], "proven", "{}", proof.body);
        assert_eq!(proof.data()["unexplained_amount"], "0.00");
        assert!(named("unmatched_receipt", &unknown) && named("in_transit", "NOT-THERE"), "{}", proof.body);
        assert_eq!((&proof.data()["unmatched_receipts_amount"], &proof.data()["bank_fees_amount"]), (&json!("97.00"), &json!("-7.50")));
        assert!(!items.iter().any(|item| item["bank_reference"] == json!(both)));
        closes(&desk);
        assert_eq!(proof_of(&desk, &day).data(), proof.data(), "run twice, it is one result");
        world.get(&desk.seller, "/v1/cash_proofs").expect_error(403, "insufficient_scope");
        desk.proves();
    }

    fn a_bank_that_gives_no_statement_is_asked_again(world) {
        let desk = Desk::open(world, SHANGHAI);
        records(&desk, "20.00", "NOT-THERE");
        let day = desk.today();
        world.test_bank.plan(FaultPlan::always(Fault::Down)).unwrap();
        desk.days_pass(1);
        closes(&desk);
        let missing = proof_of(&desk, &day);
        assert_eq!(missing.data()["state"], "unavailable", "{}", missing.body);
        assert!(missing.data()["error"].as_str().unwrap().contains("down"));
        world.await_that("people are told", || {
            let told = world.get(&desk.operator, "/v1/events?type=cash_proof.unavailable").expect(200);
            !told.data().as_array().unwrap().is_empty()
        });
        world.test_bank.plan(FaultPlan::default()).unwrap();
        closes(&desk);
        let proof = proof_of(&desk, &day);
        assert_eq!((&proof.data()["state"], &proof.data()["id"]), (&json!("proven"), &missing.data()["id"]));
        desk.proves();
    }
}
