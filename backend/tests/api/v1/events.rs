//! `/v1/events`: what happened, read on from a cursor, by those whom it concerns.

use crate::platform::{Answer, BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{sold, text};
use serde_json::Value;

/// Reads on until an event of this type and object is there.
pub fn awaited(world: &World, key: &str, kind: &str, object: &str) -> Value {
    let (mut found, mut after) = (None, String::new());
    world.await_that(kind, || {
        let page = world.get(key, &format!("/v1/events?limit=200&after={after}")).expect(200);
        after = text(&page.body["meta"]["after"]);
        let events = page.data().as_array().unwrap().clone();
        found = events.into_iter().find(|event| event["type"] == kind && event["object_id"] == object);
        found.is_some()
    });
    found.unwrap()
}

fn types(page: &Answer) -> Vec<String> {
    page.data().as_array().unwrap().iter().map(|event| text(&event["type"])).collect()
}

on_both_engines! {
    fn a_sale_is_read_by_its_agency_with_the_request_that_caused_it(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let event = awaited(world, &key, "order.created", &text(&order["id"]));
        assert_eq!((&event["sequence"], &event["live_mode"], &event["api_version"]), (&1.into(), &true.into(), &"v2".into()));
        assert_eq!(event["data"]["object"]["id"], order["id"]);
        assert!(event["request_id"].as_str().unwrap().starts_with("req_"));
        assert!(!event.to_string().contains("Zhang"), "references only");
        let alone = world.get(&key, &format!("/v1/events/{}", text(&event["id"]))).expect(200);
        assert_eq!(alone.data(), &event);
        let airline = world.get(&world.key(OPERATOR), &format!("/v1/events/{}", text(&event["id"]))).expect(200);
        assert_eq!(airline.data()["id"], event["id"], "the operator reads all");
        for stranger in [SHANGHAI, BANK] {
            world.get(&world.key(stranger), &format!("/v1/events/{}", text(&event["id"]))).expect_error(404, "not_found");
        }
    }

    fn a_cursor_stays_good_at_the_end_of_the_feed(world) {
        let key = world.key(BEIJING);
        let first = sold(world, &key, "Zhang", "arc_bsp_cash");
        awaited(world, &key, "order.created", &text(&first["id"]));
        let end = |after: &str| {
            let page = world.get(&key, &format!("/v1/events?limit=200&after={after}")).expect(200);
            (types(&page), text(&page.body["meta"]["after"]))
        };
        let (_, cursor) = end("");
        let (nothing, same) = end(&cursor);
        assert_eq!((nothing.len(), &same), (0, &cursor), "an empty page answers the cursor again");
        let second = sold(world, &key, "Wang", "arc_bsp_cash");
        world.await_that("the next event", || end(&cursor).0 == ["order.created"]);
        let only = world.get(&key, &format!("/v1/events?after={cursor}&type=ticket.voided&type=order.created")).expect(200);
        assert_eq!(only.data()[0]["object_id"], second["id"]);
        assert!(types(&world.get(&key, "/v1/events?type=ticket.voided").expect(200)).is_empty());
        world.get(&key, "/v1/events?type=order.eaten").expect_error(422, "invalid_value");
        world.get(&key, &format!("/v1/events?before={cursor}")).expect_error(422, "invalid_cursor");
    }

    fn a_bank_hears_of_its_line_and_of_advances_but_of_no_order(world) {
        sold(world, &world.key(BEIJING), "Zhang", "arc_bsp_cash");
        let bank = world.key(BANK);
        world.await_that("the advance is confirmed", || types(&world.get(&bank, "/v1/events?limit=200")).contains(&"advance.confirmed".into()));
        assert!(!types(&world.get(&bank, "/v1/events?limit=200")).iter().any(|kind| kind.starts_with("order")));
    }
}
