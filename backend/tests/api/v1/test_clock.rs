//! `/v1/test_clock`

use crate::platform::{BEIJING, OPERATOR};
use serde_json::json;

on_both_engines! {
    fn the_test_clock_goes_forward_and_leaves_live_time_alone(world) {
        let key = world.key_in("test", BEIJING);
        let (live, test) = (&world.platform.live, &world.platform.test);
        let target = test.now().plus(chrono::Duration::days(40));
        let set = world.post(&key, "/v1/test_clock", &json!({ "now": target.to_string() })).expect(200);
        assert!(set.data()["now"].as_str().unwrap() >= target.to_string().as_str());
        assert_eq!(set.data()["ledger_date"], target.date_in(chrono_tz::Asia::Shanghai).to_string());
        assert!(test.now() >= target && live.now() < target);
        assert!(world.get(&key, "/v1/test_clock").expect(200).data()["now"].as_str().unwrap() >= target.to_string().as_str());
        let back = world.post(&key, "/v1/test_clock", &json!({ "now": "2026-01-01T00:00:00+08:00" }));
        assert_eq!(back.expect_error(422, "clock_backwards").pointer(), "/data/now");
        let wrong = world.post(&key, "/v1/test_clock", &json!({ "now": "tomorrow" }));
        assert_eq!(wrong.expect_error(422, "invalid_value").pointer(), "/data/now");
        let live_key = world.key(OPERATOR);
        world.post(&live_key, "/v1/test_clock", &json!({ "now": target.to_string() })).expect_error(403, "test_mode_only");
        world.get(&live_key, "/v1/test_clock").expect_error(403, "test_mode_only");
    }

    fn a_repeated_move_is_the_first_one(world) {
        let key = world.key_in("test", BEIJING);
        let header = [("Idempotency-Key", "jump")];
        let target = json!({ "now": world.platform.test.now().plus(chrono::Duration::hours(5)).to_string() });
        let first = world.post_with(&key, "/v1/test_clock", &header, &target).expect(200);
        let again = world.post_with(&key, "/v1/test_clock", &header, &target).expect(200);
        assert_eq!((again.body, again.headers.get("idempotent-replayed").is_some()), (first.body, true));
    }
}
