//! `/v1/limits/{agency}` and `/v1/exposure`

use crate::platform::{BANK, BEIJING, GUANGZHOU, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, cny, number_of, sold, sum};
use airsettle::money::{Currency, Money};
use serde_json::{Value, json};

fn limit(world: &World, key: &str) -> Value {
    world.get(key, &format!("/v1/limits/{}", agency_of(world, key))).expect(200).data().clone()
}

on_both_engines! {
    fn the_limit_is_shown_term_by_term_before_and_after_a_sale(world) {
        let key = world.key(BEIJING);
        let idle = limit(world, &key);
        let expected = [
            ("deposit_amount", "500000.00"), ("wallet_amount", "50000.00"), ("receivable_amount", "0.00"),
            ("charges_amount", "0.00"), ("commission_amount", "0.00"), ("deposit_times_multiplier_amount", "1000000.00"),
            ("limit_amount", "1000000.00"), ("exposure_amount", "0.00"), ("available_amount", "1000000.00"),
            ("over_limit_amount", "0.00"), ("percent_used", "0.00"), ("currency", "CNY"),
        ];
        for (name, value) in expected {
            assert_eq!(idle[name], value, "{name}");
        }
        assert_eq!((&idle["policy"]["deposit_multiplier"], &idle["policy"]["version"]), (&json!("2"), &json!(1)));
        assert!(idle["bands"].as_array().unwrap().iter().all(|band| band["reached"] == false));
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let ticket = world.get(&key, &format!("/v1/tickets/{}", number_of(&order))).expect(200);
        let split = ticket.data()["split"].as_array().unwrap();
        let commission = cny(&split.iter().find(|leg| leg["kind"] == "commission").unwrap()["amount"]);
        let price = cny(&ticket.data()["total_amount"]);
        let now = limit(world, &key);
        assert_eq!(cny(&now["receivable_amount"]), price);
        assert_eq!(cny(&now["commission_amount"]), commission);
        assert_eq!(cny(&now["exposure_amount"]), price.checked_sub(commission).unwrap());
        assert_eq!(sum([&now["exposure_amount"], &now["available_amount"]]), cny(&now["limit_amount"]));
        let capacity = &now["remittance_holding_capacity"];
        assert_eq!((&capacity["reporting_days"], &capacity["remittance_days"]), (&json!(15), &json!(7)));
        assert_eq!(cny(&capacity["periods"][0]["turnover_amount"]), price);
        let days = i64::from(u32::try_from(capacity["periods"][0]["days"].as_u64().unwrap()).unwrap());
        let by_hand = (2 * 22 * price.minor + days / 2) / days;
        assert!((cny(&capacity["amount"]).minor - by_hand).abs() <= 1, "{capacity}");
    }

    fn a_lowered_limit_is_shown_as_exceeded_and_never_as_negative(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let from = world.platform.live.now().date_in(chrono_tz::Asia::Shanghai).to_string();
        let tight = json!({ "effective_from": from, "deposit_multiplier": "1", "cap_amount": "100.00", "cap_currency": "CNY" });
        world.post(&operator, "/v1/limit_policies", &tight).expect(201);
        let now = limit(world, &key);
        assert_eq!((&now["limit_amount"], &now["available_amount"]), (&json!("100.00"), &json!("0.00")));
        assert_eq!(sum([&now["over_limit_amount"], &now["limit_amount"]]), cny(&now["exposure_amount"]));
        assert!(now["bands"].as_array().unwrap().iter().all(|band| band["reached"] == true));
        assert!(now["percent_used"].as_str().unwrap().parse::<f64>().unwrap() > 100.0);
        let without_deposit = limit(world, &world.key(GUANGZHOU));
        assert_eq!((&without_deposit["limit_amount"], &without_deposit["percent_used"]), (&json!("0.00"), &json!(null)));
    }

    fn the_operator_sees_every_agency_with_totals_and_an_agency_itself(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        sold(world, &world.key(SHANGHAI), "Wang", "arc_bsp_cash");
        let all = world.get(&operator, "/v1/exposure").expect(200);
        let rows = all.data().as_array().unwrap();
        assert_eq!(rows.len(), 3);
        let total = &all.body["meta"]["totals"][0];
        for name in ["exposure_amount", "deposit_amount", "wallet_amount", "receivable_amount", "commission_amount"] {
            assert_eq!(cny(&total[name]), sum(rows.iter().map(|row| &row[name])), "{name}");
        }
        assert!(cny(&total["exposure_amount"]) != Money::zero(Currency::CNY));
        let page = world.get(&operator, "/v1/exposure?limit=1").expect(200);
        assert_eq!((page.data().as_array().unwrap().len(), &page.body["meta"]["totals"][0]), (1, total));
        assert!(page.body["meta"]["after"].is_string());
        let own = world.get(&key, "/v1/exposure").expect(200);
        assert_eq!(own.data().as_array().unwrap().len(), 1);
        assert_eq!(own.body["meta"]["totals"][0]["exposure_amount"], own.data()[0]["exposure_amount"]);
        let bank = world.get(&world.key(BANK), "/v1/exposure").expect(200);
        assert_eq!((bank.data(), &bank.body["meta"]["totals"]), (&json!([]), &json!([])));
        let theirs = format!("/v1/limits/{}", agency_of(world, &world.key(SHANGHAI)));
        world.get(&key, &theirs).expect_error(404, "not_found");
        world.get(&world.key(BANK), &theirs).expect_error(404, "not_found");
        world.get(&operator, &theirs).expect(200);
    }
}
