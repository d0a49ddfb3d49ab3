//! Clients that know nothing of us: the official Duffel package, and the shell of the README.

use crate::platform::{BEIJING, World};
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

on_both_engines! {
    fn the_unmodified_duffel_client_searches_orders_and_reads_back(world) {
        for payment in ["arc_bsp_cash", "balance"] {
            duffel(world, "search_order.mjs", &[("PAYMENT", payment)]);
        }
        world.await_that("every airline is paid", || world.platform.live.metrics.sale_to_credit.get_sample_count() >= 8);
        world.prove();
    }

    fn the_unmodified_duffel_client_holds_pays_and_cancels(world) {
        for payment in ["arc_bsp_cash", "balance"] {
            duffel(world, "hold_pay.mjs", &[("PAYMENT", payment)]);
        }
        world.await_that("every airline is paid", || world.platform.live.metrics.sale_to_credit.get_sample_count() >= 4);
        world.prove();
    }

    fn the_unmodified_duffel_client_changes_an_order(world) {
        duffel(world, "change_order.mjs", &[]);
        world.prove();
    }
}

/// Runs a script of the official client, which must be served.
fn duffel(world: &World, script: &str, settings: &[(&str, &str)]) {
    let client = root().join("backend/tests/clients/duffel");
    assert!(client.join("node_modules").is_dir(), "run `npm ci` in {}", client.display());
    let mut command = Command::new("node");
    command.arg(script).current_dir(&client).envs(settings.iter().copied());
    let output = command.env("BASE_URL", &world.url).env("TOKEN", world.key(BEIJING)).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("the Duffel client"), "{script}: {text}");
}

/// Runs the commands under a heading of the README as they stand there; answers what they printed.
fn walk(world: &World, heading: &str, keys: &[(&str, String)]) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let walk = readme.split(heading).nth(1).unwrap().split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let mut command = Command::new("bash");
    command.args(["-euo", "pipefail", "-c", walk]).current_dir(world.folder()).env("URL", &world.url);
    let output = command.envs(keys.iter().map(|(name, key)| (name, key))).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn the_walk_through_of_the_readme_works_as_it_stands() {
    let world = World::new(crate::platform::Engine::Sqlite);
    let text = walk(&world, "## A first sale", &[("KEY", world.key(BEIJING))]);
    assert!(text.contains("ticket 999") && text.contains("agency.receivable"), "{text}");
    let text = walk(&world, "## A refund", &[("KEY", world.key(BEIJING))]);
    assert!(text.contains("\"status\":\"refunded\""), "{text}");
}

#[test]
fn an_airline_fetches_yesterday_as_the_readme_says() {
    let world = World::new(crate::platform::Engine::Sqlite);
    let text = walk(&world, "## An airline's day", &[("AIRLINE_KEY", world.key(&world.airline()))]);
    assert!(text.contains("airline_day_") && text.contains(": OK"), "{text}");
}
