//! `/v1/ledger`

use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, all_ids, sold, text};
use serde_json::{Value, json};

fn account(world: &World, key: &str, code: &str) -> Value {
    let found = world.get(key, &format!("/v1/ledger/accounts?code={code}")).expect(200);
    found.data()[0].clone()
}

fn top_up(world: &World, agency: &str, number: usize) {
    let receipt = json!({ "account": "client", "amount": format!("{number}.00"), "currency": "CNY", "value_date": "2026-01-05",
        "bank_reference": format!("TOP-UP-{number}"), "purpose": "wallet", "agency_id": agency });
    let header = format!("top-up-{number}");
    world.post_with(&world.key(OPERATOR), "/v1/bank_receipts", &[("Idempotency-Key", &header)], &receipt).expect(201);
}

on_both_engines! {
    fn a_statement_runs_from_the_newest_entry_and_stays_stable_under_inserts(world) {
        let key = world.key(BEIJING);
        let agency = agency_of(world, &key);
        (1..=4).for_each(|number| top_up(world, &agency, number));
        let wallet = account(world, &key, "agency.wallet");
        assert_eq!((&wallet["balance_amount"], &wallet["owner_id"]), (&json!("50010.00"), &json!(agency)));
        assert_eq!(wallet["name"], format!("agency.wallet: {BEIJING}"));
        let path = format!("/v1/ledger/accounts/{}/entries", text(&wallet["id"]));
        let first = world.get(&key, &format!("{path}?limit=2")).expect(200);
        let amounts = |page: &Value| -> Vec<String> {
            page["data"].as_array().unwrap().iter().map(|row| text(&row["credit_amount"])).collect()
        };
        assert_eq!(amounts(&first.body), ["4.00", "3.00"]);
        assert_eq!(first.data()[0]["balance_after_amount"], "50010.00");
        assert_eq!(first.data()[0]["posting"]["event"], "wallet_transfer_in");
        top_up(world, &agency, 5);
        let after = text(&first.body["meta"]["after"]);
        let second = world.get(&key, &format!("{path}?limit=2&after={after}")).expect(200);
        assert_eq!(amounts(&second.body), ["2.00", "1.00"]);
        let after = text(&second.body["meta"]["after"]);
        let last = world.get(&key, &format!("{path}?limit=2&after={after}")).expect(200);
        assert_eq!((amounts(&last.body), &last.body["meta"]["after"]), (vec!["50000.00".to_owned()], &json!(null)));
        world.get(&key, &format!("{path}?before={after}")).expect_error(422, "invalid_cursor");
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
    }

    fn accounts_are_found_by_code_and_owner_and_belong_to_somebody(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let agency = agency_of(world, &key);
        let own = all_ids(world, &key, "/v1/ledger/accounts");
        assert_eq!(own, all_ids(world, &operator, &format!("/v1/ledger/accounts?owner_id={agency}")));
        let theirs = agency_of(world, &world.key(SHANGHAI));
        assert!(all_ids(world, &key, &format!("/v1/ledger/accounts?owner_id={theirs}")).is_empty());
        let cash = world.get(&operator, "/v1/ledger/accounts?code=platform.cash").expect(200).data().clone();
        let mut details: Vec<String> = cash.as_array().unwrap().iter().map(|one| text(&one["detail"])).collect();
        details.sort();
        assert_eq!(details, ["client", "own"]);
        world.get(&key, &format!("/v1/ledger/accounts/{}", text(&cash[0]["id"]))).expect_error(404, "not_found");
        world.get(&operator, &format!("/v1/ledger/accounts/{}", text(&cash[0]["id"]))).expect(200);
        let loan = account(world, &world.key(BANK), "bank.loan");
        assert_eq!(loan["name"], "bank.loan: CNY ticket line");
        world.get(&operator, "/v1/ledger/accounts?code=nothing").expect_error(422, "invalid_value");
        world.get(&operator, "/v1/ledger/accounts?owner_id=tkt_0000000000001").expect_error(422, "invalid_value");
    }

    fn a_posting_is_seen_by_whose_accounts_it_moves(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let number = crate::v1::number_of(&sold(world, &key, "Zhang", "arc_bsp_cash"));
        let sale = world.get(&key, &format!("/v1/tickets/{number}")).expect(200).data()["journal"][0].clone();
        let path = format!("/v1/ledger/postings/{}", text(&sale["id"]));
        assert_eq!(world.get(&key, &path).expect(200).data(), &sale);
        assert_eq!(text(&sale["digest"]).len(), 64);
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        world.get(&world.key(BANK), &path).expect_error(404, "not_found");
        world.get(&key, "/v1/ledger/postings").expect_error(403, "insufficient_scope");
        let all = all_ids(world, &operator, "/v1/ledger/postings");
        assert!(all.contains(&text(&sale["id"])) && all.is_sorted_by(|newer, older| newer > older));
    }

    fn the_trial_balance_sums_to_zero_on_every_date(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let trial = world.get(&operator, "/v1/ledger/trial_balance").expect(200);
        assert_eq!((&trial.data()["balanced"], &trial.data()["differences"]), (&json!(true), &json!([{ "currency": "CNY", "amount": "0.00" }])));
        let line = |account: &str| {
            let lines = trial.data()["lines"].as_array().unwrap();
            lines.iter().find(|line| line["account"] == account).unwrap_or_else(|| panic!("{account}")).clone()
        };
        assert_eq!(line("platform.cash[own]")["debit_amount"], "1000000.00");
        assert_eq!(line("agency.deposit")["credit_amount"], "700000.00");
        assert_eq!(line("platform.cash[client]")["debit_amount"], "850000.00");
        let earlier = world.get(&operator, "/v1/ledger/trial_balance?as_of=2020-01-01").expect(200);
        assert_eq!((&earlier.data()["lines"], &earlier.data()["balanced"]), (&json!([]), &json!(true)));
        world.get(&operator, "/v1/ledger/trial_balance?as_of=yesterday").expect_error(422, "invalid_value");
        world.get(&key, "/v1/ledger/trial_balance").expect_error(403, "insufficient_scope");
    }
}
