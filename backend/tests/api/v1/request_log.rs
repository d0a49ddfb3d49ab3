//! `/v1/request_log`: who asked what, without what was said.

use crate::platform::{BEIJING, SHANGHAI, World};
use crate::v1::{sold, text};
use chrono::Duration;
use serde_json::{Value, json};

fn lines(world: &World, key: &str, query: &str) -> Vec<Value> {
    world.get(key, &format!("/v1/request_log?limit=200&{query}")).expect(200).data().as_array().unwrap().clone()
}

on_both_engines! {
    fn a_request_is_found_by_its_id_without_what_was_said_in_it(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let id = text(&order["id"]);
        let read = world.get(&key, &format!("/air/orders/{id}")).expect(200);
        let request = format!("request_id={}", read.header("x-request-id").unwrap());
        world.await_that("the line", || !lines(world, &key, &request).is_empty());
        let line = lines(world, &key, &request).remove(0);
        let expected = (&json!("GET"), &json!("/air/orders/{id}"), &json!(200), &Value::Null);
        assert_eq!((&line["method"], &line["path"], &line["status"], &line["error_code"]), expected);
        assert!(text(&line["key_id"]).starts_with("key_") && text(&line["latency_ms"]).contains('.'));
        let all = Value::from(lines(world, &key, "")).to_string();
        assert!(all.contains("/air/offer_requests") && !all.contains("Zhang") && !all.contains(&id), "{all}");
        assert!(lines(world, &world.key(SHANGHAI), &request).is_empty(), "its own requests alone");
    }

    fn refusals_are_found_by_class_and_time(world) {
        let key = world.key(BEIJING);
        let headers = [("Idempotency-Key", "once")];
        let refused = world.post_with(&key, "/air/orders", &headers, &json!({})).expect(422);
        let code = refused.code().to_owned();
        world.await_that("the line", || !lines(world, &key, "status_class=4xx").is_empty());
        let line = lines(world, &key, "status_class=4xx").remove(0);
        assert_eq!((&line["status"], &line["error_code"]), (&json!(422), &json!(code)));
        let digest = text(&line["idempotency_key_digest"]);
        assert!(digest.len() == 32 && !digest.contains("once"));
        assert!(lines(world, &key, "status_class=5xx").is_empty());
        assert!(lines(world, &key, "to=2020-01-01T00:00:00Z").is_empty());
        assert!(!lines(world, &key, "from=2020-01-01T00:00:00Z").is_empty());
        world.get(&key, "/v1/request_log?status_class=3").expect_error(422, "invalid_value");
        world.get(&key, "/v1/request_log?from=yesterday").expect_error(422, "invalid_value");
        let metrics = world.get(&key, "/metrics").expect(200).body;
        assert!(metrics.as_str().unwrap().contains("airsettle_request_log_dropped_total 0"), "{metrics}");
    }

    fn a_line_is_kept_for_90_days(world) {
        let key = world.key_in("test", BEIJING);
        let app = &world.platform.test;
        world.get(&key, "/v1/agencies").expect(200);
        let first = |key: &str| lines(world, key, "").iter().any(|line| line["path"] == "/v1/agencies");
        world.await_that("the line", || first(&key));
        let passes = |days: i64| app.set_clock(app.now().plus(Duration::days(days))).unwrap().unwrap();
        passes(89);
        while app.store.write(airsettle::audit::purge_requests).unwrap() > 0 {}
        assert!(first(&key));
        passes(2);
        while app.store.write(airsettle::audit::purge_requests).unwrap() > 0 {}
        assert!(!first(&key));
    }
}
