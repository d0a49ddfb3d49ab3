//! `/v1/operations`

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, GUANGZHOU, OPERATOR, SHANGHAI, World};
use crate::v1::organisation_of;
use airsettle::db::schema::idempotency_key;
use airsettle::db::{Db, DbError};
use airsettle::identity::{ClaimRow, IdempotencyKey};
use airsettle::ids::{Id, OperationId, OrganisationId};
use diesel::prelude::*;
use serde_json::json;

/// The operation that a write with this key would be if its outcome had not been known.
fn operation(world: &World, header: &str) -> String {
    let stored = IdempotencyKey::Explicit(header.to_owned()).stored();
    let of_key = idempotency_key::table.filter(idempotency_key::key.eq(stored)).select(idempotency_key::id);
    let id: i64 = world.platform.live.store.read(|db| Ok::<_, DbError>(of_key.first(db)?)).unwrap();
    format!("/v1/operations/{}", OperationId::of(id))
}

fn newest_claim(db: &mut Db, organisation: OrganisationId) -> Result<Option<ClaimRow>, DbError> {
    let own = idempotency_key::table.filter(idempotency_key::organisation_id.eq(organisation.raw()));
    Ok(own.order(idempotency_key::id.desc()).select(ClaimRow::as_select()).first(db).optional()?)
}

on_both_engines! {
    fn an_operation_says_what_became_of_an_order(world) {
        let key = world.key(BEIJING);
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        let made = world.post_with(&key, "/air/orders", &[("Idempotency-Key", "sold")], &order).expect(201);
        let path = operation(world, "sold");
        let shown = world.get(&key, &path).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["order_id"]), (&json!("succeeded"), &made.data()["id"]));
        // To others it is like one that is so young that it may still happen, and of which nothing is there.
        let theirs = world.get(&world.key(SHANGHAI), &path).expect(200);
        let young = format!("/v1/operations/{}", OperationId::of(world.platform.live.store.ids().block(1)));
        for shown in [theirs, world.get(&key, &young).expect(200)] {
            assert_eq!((&shown.data()["status"], &shown.data()["order_id"]), (&json!("pending"), &json!(null)));
        }
    }

    fn a_refused_operation_names_its_rule_and_an_unknown_one_never_happened(world) {
        let key = world.key(GUANGZHOU);
        let order = an_order(&an_offer(world, &key), "Zhang", "arc_bsp_cash");
        world.post_with(&key, "/air/orders", &[("Idempotency-Key", "refused")], &order).expect_error(422, "limit_exceeded");
        let shown = world.get(&key, &operation(world, "refused")).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["error"]["code"]), (&json!("refused"), &json!("limit_exceeded")));
        assert!(shown.data()["error"]["short_by"]["amount"].is_string());
        let nothing = world.get(&key, &format!("/v1/operations/{}", OperationId::of(9))).expect(200);
        assert_eq!(nothing.data()["status"], "nothing_happened");
    }

    fn an_operation_says_what_became_of_any_other_write(world) {
        let key = world.key(OPERATOR);
        let transfer = |header: &str, amount: &str| {
            let new = json!({ "to": "client", "amount": amount, "currency": "CNY" });
            world.post_with(&key, "/v1/cash_transfers", &[("Idempotency-Key", header)], &new)
        };
        transfer("made", "1.00").expect(201);
        let shown = world.get(&key, &operation(world, "made")).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["order_id"]), (&json!("succeeded"), &json!(null)));
        transfer("refused", "99000000.00").expect_error(422, "own_cash_short");
        let shown = world.get(&key, &operation(world, "refused")).expect(200);
        assert_eq!((&shown.data()["status"], &shown.data()["error"]["code"]), (&json!("refused"), &json!("own_cash_short")));
    }

    fn a_write_without_a_key_can_be_looked_up_and_not_repeated(world) {
        let key = world.key(BEIJING);
        let rows = |world: &World| {
            let organisation = OrganisationId::parse(&organisation_of(world, &key)).unwrap();
            let newest = world.platform.live.store.read(|db| newest_claim(db, organisation)).unwrap();
            newest.map(|row| (row.id, row.key, row.status))
        };
        let new = json!({ "name": "n", "scopes": ["air:read"] });
        world.post(&key, "/v1/keys", &new).expect(201);
        let (first, stored, status) = rows(world).unwrap();
        assert_eq!((stored, status), (IdempotencyKey::Own(first).stored(), Some(201)));
        let shown = world.get(&key, &format!("/v1/operations/{}", OperationId::of(first))).expect(200);
        assert_eq!(shown.data()["status"], "succeeded");
        // Its name is no key that a client can send.
        world.post_with(&key, "/v1/keys", &[("Idempotency-Key", &format!("o:{first}"))], &new).expect(201);
        assert_ne!(rows(world).unwrap().0, first);
    }
}
