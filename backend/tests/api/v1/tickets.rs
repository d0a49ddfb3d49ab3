//! `/v1/tickets`

use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{all_ids, cny, key_for, number_of, sold, sum, text};
use airsettle::identity::Scope;
use serde_json::{Value, json};

/// Until the airline is paid.
fn settled(world: &World, key: &str, number: &str) -> Value {
    let read = || world.get(key, &format!("/v1/tickets/{number}")).expect(200).data().clone();
    world.await_that("the airline is paid", || read()["disbursement"]["state"] == "confirmed");
    read()
}

fn balances(posting: &Value) -> bool {
    let entries = posting["entries"].as_array().unwrap();
    let column = |name: &str| sum(entries.iter().map(|entry| &entry[name]).filter(|amount| !amount.is_null()));
    column("debit_amount") == column("credit_amount")
}

on_both_engines! {
    fn a_ticket_on_credit_shows_where_every_part_of_its_price_went(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let number = number_of(&order);
        let ticket = settled(world, &key, &number);
        assert_eq!((&ticket["number"], &ticket["order_id"]), (&json!(number), &order["id"]));
        assert_eq!((&ticket["tender"], &ticket["contract"]["version"]), (&json!("credit"), &json!(1)));
        assert_eq!((&ticket["total_amount"], &ticket["passenger_id"]), (&order["total_amount"], &order["passengers"][0]["id"]));
        let digits = number.bytes().fold(0u64, |rest, digit| rest * 10 + u64::from(digit - b'0'));
        assert_eq!(ticket["check_digit"], json!(digits % 7));
        assert_eq!(sum([&ticket["base_amount"], &ticket["tax_amount"]]), cny(&ticket["total_amount"]));
        let amounts = |name: &str, of: &str| sum(ticket[name].as_array().unwrap().iter().map(|row| &row[of]));
        assert_eq!(amounts("taxes", "amount"), cny(&ticket["tax_amount"]));
        assert_eq!(amounts("split", "amount"), cny(&ticket["total_amount"]));
        assert_eq!(amounts("coupons", "base_amount"), cny(&ticket["base_amount"]));
        let split = ticket["split"].as_array().unwrap();
        let leg = |kind: &str| split.iter().find(|leg| leg["kind"] == kind).unwrap();
        assert_eq!((&leg("commission")["payee"], &leg("fee")["payee"]), (&json!(BEIJING), &json!("Airsettle")));
        let coupon = &ticket["coupons"][0];
        assert_eq!((&coupon["origin_time_zone"], &coupon["status"]), (&json!("Asia/Shanghai"), &json!("O")));
        let journal = ticket["journal"].as_array().unwrap();
        let events: Vec<&str> = journal.iter().map(|posting| posting["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["ticket_sale", "advance_confirmed"]);
        assert!(journal.iter().all(|posting| balances(posting) && posting["reference_id"] == ticket["id"]));
        assert_eq!((&journal[0]["contract_id"], &journal[1]["actor_key_id"]), (&ticket["contract"]["id"], &json!(null)));
        let first = &journal[0]["entries"][0];
        assert_eq!(first["account_name"], format!("agency.receivable: {BEIJING}"));
        assert_eq!((&first["debit_amount"], &first["credit_amount"]), (&ticket["total_amount"], &json!(null)));
        assert_eq!(ticket["disbursement"]["amount"], leg("airline")["amount"]);
        let with_hyphen = format!("/v1/tickets/{}-{}", &number[..3], &number[3..]);
        assert_eq!(world.get(&key, &with_hyphen).expect(200).data(), &ticket);
    }

    fn a_ticket_from_the_wallet_is_paid_from_client_cash(world) {
        let key = world.key(BEIJING);
        let wallet_only = world.key(crate::platform::GUANGZHOU);
        let ticket = settled(world, &wallet_only, &number_of(&sold(world, &wallet_only, "Li", "balance")));
        assert_eq!((&ticket["tender"], &ticket["disbursement"]["facility_id"]), (&json!("wallet"), &json!(null)));
        let paid = &ticket["journal"][1]["entries"];
        let names: Vec<&str> = paid.as_array().unwrap().iter().map(|entry| entry["account_code"].as_str().unwrap()).collect();
        assert_eq!(names, ["airline.payable", "platform.cash"]);
        assert_eq!(paid[1]["account_name"], "platform.cash: client");
        world.get(&key, &format!("/v1/tickets/{}", text(&ticket["number"]))).expect_error(404, "not_found");
    }

    fn a_ticket_is_seen_by_who_sold_it_and_whose_stock_it_is_on(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let number = number_of(&sold(world, &key, "Zhang", "arc_bsp_cash"));
        let path = format!("/v1/tickets/{number}");
        let airline = text(&world.get(&operator, &path).expect(200).data()["airline_id"]);
        let airlines = world.get(&operator, "/v1/airlines?limit=200").expect(200).data().as_array().unwrap().clone();
        let organisation = |is_it: bool| {
            text(&airlines.iter().find(|one| (one["id"] == json!(airline)) == is_it).unwrap()["organisation_id"])
        };
        let own = key_for(world, &organisation(true), &[Scope::FinanceRead]);
        let other = key_for(world, &organisation(false), &[Scope::FinanceRead]);
        world.get(&own, &path).expect(200);
        assert_eq!(all_ids(world, &own, "/v1/tickets").len(), 1);
        for stranger in [&other, &world.key(SHANGHAI), &world.key(BANK)] {
            world.get(stranger, &path).expect_error(404, "not_found");
            assert_eq!(world.get(stranger, "/v1/tickets").expect(200).data(), &json!([]));
        }
    }

    fn tickets_are_found_by_order_and_number(world) {
        let key = world.key(BEIJING);
        let orders: Vec<Value> = ["Zhang", "Wang", "Li"].iter().map(|name| sold(world, &key, name, "arc_bsp_cash")).collect();
        assert_eq!(all_ids(world, &key, "/v1/tickets").len(), 3);
        let found = |query: &str| world.get(&key, &format!("/v1/tickets?{query}")).expect(200).data().clone();
        let of_order = found(&format!("order_id={}", text(&orders[1]["id"])));
        assert_eq!(of_order.as_array().unwrap().len(), 1);
        assert_eq!(text(&of_order[0]["number"]), number_of(&orders[1]));
        assert_eq!(found(&format!("number={}", number_of(&orders[2])))[0]["order_id"], orders[2]["id"]);
        assert_eq!(found("number=9990000000000"), json!([]));
        world.get(&key, "/v1/tickets?number=12").expect_error(422, "invalid_value");
        world.get(&key, "/v1/tickets?order_id=tkt_1").expect_error(422, "invalid_value");
    }
}
