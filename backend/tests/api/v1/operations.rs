//! `/v1/operations`

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, GUANGZHOU, SHANGHAI, World};
use crate::v1::organisation_of;
use airsettle::identity::{IdempotencyKey, claims};
use airsettle::ids::{Id, OperationId, OrganisationId};
use serde_json::json;

/// The operation that an order with this key would be if its outcome had not been known.
fn operation(world: &World, key: &str, header: &str) -> String {
    let organisation = OrganisationId::parse(&organisation_of(world, key)).unwrap();
    let stored = IdempotencyKey::Explicit(header.to_owned()).stored();
    let rows = world.platform.live.store.read(|db| claims(db, &[organisation], &[stored])).unwrap();
    format!("/v1/operations/{}", OperationId::of(rows[0].id))
}

on_both_engines! {
    fn an_operation_says_what_became_of_an_order(world) {
        let key = world.key(BEIJING);
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        let made = world.post_with(&key, "/air/orders", &[("Idempotency-Key", "sold")], &order).expect(201);
        let path = operation(world, &key, "sold");
        let shown = world.get(&key, &path).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["order_id"]), (&json!("succeeded"), &made.data()["id"]));
        let theirs = world.get(&world.key(SHANGHAI), &path).expect(200);
        assert_eq!((&theirs.data()["status"], &theirs.data()["order_id"]), (&json!("nothing_happened"), &json!(null)));
    }

    fn a_refused_operation_names_its_rule_and_an_unknown_one_never_happened(world) {
        let key = world.key(GUANGZHOU);
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        world.post_with(&key, "/air/orders", &[("Idempotency-Key", "refused")], &order).expect_error(422, "limit_exceeded");
        let shown = world.get(&key, &operation(world, &key, "refused")).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["error"]["code"]), (&json!("refused"), &json!("limit_exceeded")));
        assert!(shown.data()["error"]["short_by"]["amount"].is_string());
        let nothing = world.get(&key, &format!("/v1/operations/{}", OperationId::of(9))).expect(200);
        assert_eq!(nothing.data()["status"], "nothing_happened");
        // The key of a write that is no order.
        world.post_with(&key, "/v1/keys", &[("Idempotency-Key", "k")], &json!({ "name": "n", "scopes": ["air:read"] })).expect(201);
        world.get(&key, &operation(world, &key, "k")).expect_error(404, "not_found");
    }
}
