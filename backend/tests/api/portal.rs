//! The portal's pages beside the API.

use crate::platform::{Answer, World};
use airsettle::api::portal::is_built;
use reqwest::Method;

const PAGE: &[(&str, &str)] = &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];

fn get(world: &World, path: &str, headers: &[(&str, &str)]) -> Answer {
    world.block_on(world.ask(Method::GET, path, headers, None))
}

on_both_engines! {
    fn a_page_is_answered_where_nothing_else_is(world) {
        for path in ["/", "/orders/ord_1", "/sign_in", "/invitation"] {
            let page = get(world, path, PAGE).expect(200);
            assert!(page.header("content-type").unwrap().starts_with("text/html"), "{path}");
            assert_eq!(page.header("cache-control"), Some("no-store"), "the index is never kept");
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.contains("script-src 'self';") && policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
            assert_eq!((page.header("x-content-type-options"), page.header("x-frame-options")), (Some("nosniff"), Some("DENY")));
            assert_eq!(page.header("strict-transport-security"), None, "not without TLS");
            assert!(is_built() || page.body.as_str().unwrap().contains("deploy/portal"));
        }
    }

    fn what_is_not_a_page_is_answered_as_ever(world) {
        for path in ["/air/nothing", "/v1/nothing", "/docs/nothing", "/assets/nothing.js", "/nothing.png", "/assets/nothing"] {
            get(world, path, PAGE).expect_error(404, "not_found");
        }
        get(world, "/nowhere", &[("accept", "application/json")]).expect_error(404, "not_found");
        world.block_on(world.ask(Method::POST, "/sign_in", PAGE, None)).expect_error(404, "not_found");
        let api = get(world, "/v1/tickets", &[]).expect_error(401, "unauthenticated");
        assert_eq!((api.header("cache-control"), api.header("x-content-type-options")), (Some("no-store"), Some("nosniff")));
    }
}
