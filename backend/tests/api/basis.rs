//! A client that has sold before is known; what it may do is read again for every sale.

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR};
use crate::v1::{agency_of, organisation_of, text};
use serde_json::json;

on_both_engines! {
    fn a_revoked_key_sells_nothing_from_the_next_request_on(world) {
        let (beijing, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let new = json!({ "organisation_id": organisation_of(world, &beijing), "name": "till", "scopes": ["air:read", "air:write"] });
        let made = world.post(&operator, "/v1/keys", &new).expect(201);
        let (id, till) = (text(&made.data()["id"]), text(&made.data()["secret"]));
        let offer = an_offer(world, &till);
        for name in ["Zhang", "Wang", "Li"] {
            world.post(&till, "/air/orders", &an_order(&offer, name, "balance")).expect(201);
        }
        world.post(&operator, &format!("/v1/keys/{id}/actions/revoke"), &json!({})).expect(200);
        let header = [("Idempotency-Key", "after")];
        let order = an_order(&offer, "Zhao", "balance");
        for _ in 0..2 {
            world.post_with(&till, "/air/orders", &header, &order).expect_error(401, "key_revoked");
        }
        let known = an_order(&offer, "Zhang", "balance");
        world.post(&till, "/air/orders", &known).expect_error(401, "key_revoked");
        world.post(&till, "/air/orders", &json!({ "type": "instant" })).expect_error(401, "key_revoked");
        world.post(&till, "/air/orders?dry_run=true", &order).expect_error(401, "key_revoked");
        world.post_with(&beijing, "/air/orders", &header, &order).expect(201);
        world.prove();
    }

    fn new_terms_hold_from_the_next_order_on(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let offer = an_offer(world, &key);
        let version = |name: &str| {
            let order = world.post(&key, "/air/orders", &an_order(&offer, name, "balance")).expect(201);
            let number = text(&order.data()["documents"][0]["unique_identifier"]);
            world.get(&operator, &format!("/v1/tickets/{number}")).expect(200).data()["contract"]["version"].clone()
        };
        assert_eq!([version("Zhang"), version("Wang")], [1, 1]);
        let today = world.platform.live.now().date_in(chrono_tz::Asia::Shanghai).to_string();
        let agency = agency_of(world, &key);
        let signed = world.get(&operator, &format!("/v1/contracts?agency_id={agency}")).expect(200);
        for terms in signed.data().as_array().unwrap() {
            let next = json!({ "agency_id": agency, "airline_id": terms["airline_id"], "currency": "CNY", "effective_from": today,
                "commission_rate": "0.01", "commission_base": "price", "fee_rate": "0.005", "tax_remitter": "platform",
                "payment_days": 7, "clawback": "full", "fee_on_refund": "refunded", "airline_return": "set_off" });
            world.post(&operator, "/v1/contracts", &next).expect(201);
        }
        assert_eq!([version("Li"), version("Zhao")], [2, 2]);
        world.prove();
    }
}
