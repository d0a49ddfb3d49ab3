//! `/v1/payouts`

use crate::platform::{Answer, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, agreed, sold, text};
use serde_json::{Value, json};

fn pays(world: &World, once: &str, data: &Value) -> Answer {
    world.post_with(&world.key(OPERATOR), "/v1/payouts", &[("Idempotency-Key", once)], data)
}

fn payout(world: &World, purpose: &str, amount: &str) -> Value {
    let today = world.platform.live.store.today().to_string();
    json!({ "agency_id": agency_of(world, &world.key(BEIJING)), "purpose": purpose, "amount": amount, "currency": "CNY", "value_date": today })
}

on_both_engines! {
    fn client_money_goes_back_once_and_only_as_far_as_it_may(world) {
        let key = world.key(BEIJING);
        let limit = |name: &str| {
            world.get(&key, &format!("/v1/limits/{}", agency_of(world, &key))).expect(200).data()[name].clone()
        };
        let first = pays(world, "one", &payout(world, "wallet_withdrawal", "20000.00")).expect(201);
        assert_eq!(first.data()["reference"], first.data()["id"]);
        assert_eq!(limit("wallet_amount"), "30000.00");
        let again = pays(world, "one", &payout(world, "wallet_withdrawal", "20000.00")).expect(201);
        assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
        assert_eq!(pays(world, "two", &payout(world, "wallet_withdrawal", "30000.01")).expect_error(422, "more_than_held").pointer(), "/data/amount");
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let refused = pays(world, "three", &payout(world, "deposit_return", "500000.00")).expect_error(422, "deposit_needed");
        assert_eq!(refused.body["errors"][0]["short_by"]["amount"], limit("exposure_amount"));
        let mut named = payout(world, "deposit_return", "1000.00");
        named["reference"] = json!("OUT-77");
        let returned = pays(world, "four", &named).expect(201);
        assert_eq!(pays(world, "five", &named).expect(200).data(), returned.data(), "the same reference");
        assert_eq!(limit("deposit_amount"), "499000.00");
        named["amount"] = json!("1000.01");
        assert_eq!(pays(world, "six", &named).expect_error(409, "bank_reference_reused").pointer(), "/data/amount");
        world.post(&world.key(OPERATOR), "/v1/payouts", &named).expect_error(400, "idempotency_key_required");
        let path = format!("/v1/payouts/{}", text(&returned.data()["id"]));
        assert_eq!(world.get(&key, &path).expect(200).data(), returned.data());
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        assert_eq!(world.get(&key, "/v1/payouts").expect(200).data().as_array().unwrap().len(), 2);
        let of = |key: &str| {
            let path = format!("/v1/payouts?agency_id={}", agency_of(world, key));
            world.get(&world.key(OPERATOR), &path).expect(200).data().as_array().unwrap().len()
        };
        assert_eq!((of(&key), of(&world.key(SHANGHAI))), (2, 0));
        world.post_with(&key, "/v1/payouts", &[("Idempotency-Key", "x")], &named).expect_error(403, "insufficient_scope");
        world.prove();
    }

    fn nothing_goes_out_of_an_agency_whose_withdrawals_are_frozen(world) {
        let agency = agency_of(world, &world.key(BEIJING));
        let switch = json!({ "target_id": agency, "scopes": ["withdrawal"], "reason": "a disputed claim" });
        let thrown = world.post(&world.key(OPERATOR), "/v1/kill_switches", &switch).expect(201);
        pays(world, "one", &payout(world, "wallet_withdrawal", "1.00")).expect_error(422, "withdrawals_frozen");
        pays(world, "two", &payout(world, "deposit_return", "1.00")).expect_error(422, "withdrawals_frozen");
        sold(world, &world.key(BEIJING), "Zhang", "arc_bsp_cash");
        agreed(world, "unfreeze", &json!({ "kill_switch_id": thrown.data()["id"] })).expect(200);
        pays(world, "three", &payout(world, "wallet_withdrawal", "1.00")).expect(201);
    }
}
