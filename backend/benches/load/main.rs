//! `deploy/bench`: what the platform does per second, each figure beside its yardstick, on both engines.
//!
//! Everything runs as processes of the optimised program, started by `deploy/run`. The load generator shares their cores. A request that is not
//! answered as it should be ends the run with a failure: a figure is only printed when all of its sales were made.
//!
//! `--quick` is shorter, `--tickets N` says how many tickets are there first, `--only WORDS` runs only the sales whose row has these words and
//! writes no file: for looking at one of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod export;
mod fill;
mod http;
mod load;
mod report;
mod stage;

use load::{Shape, sell};
use report::{Report, Row};
use stage::{Engine, Stage};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long and how much.
struct Plan {
    tickets: usize,
    seconds: u64,
    alone_seconds: u64,
    yardstick_seconds: u64,
    engines: Vec<Engine>,
    /// Only the sales over HTTP whose row has these words.
    only: Option<String>,
}

impl Plan {
    fn of(arguments: &[String]) -> Self {
        let has = |name: &str| arguments.iter().any(|argument| argument == name);
        let value = |name: &str| {
            let mut following = arguments.iter().skip_while(|argument| *argument != name).skip(1);
            following.next().cloned()
        };
        let mut plan = Plan {
            tickets: 300_000,
            seconds: 8,
            alone_seconds: 4,
            yardstick_seconds: 5,
            engines: vec![Engine::Postgres, Engine::Sqlite],
            only: value("--only"),
        };
        if has("--quick") {
            plan = Plan { tickets: 5_000, seconds: 4, alone_seconds: 2, yardstick_seconds: 3, ..plan };
        }
        if let Some(tickets) = value("--tickets") {
            plan.tickets = tickets.parse().unwrap();
        }
        if has("--postgres") || has("--sqlite") {
            plan.engines.retain(|engine| has(engine.flag()));
        }
        plan
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let plan = Plan::of(&arguments);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let mut report = Report::new();
    for engine in &plan.engines {
        measure(&root, *engine, &plan, &mut report);
    }
    report.print();
    if plan.only.is_none() {
        report.write(&root.join("target/bench.json"));
    }
}

fn measure(root: &Path, engine: Engine, plan: &Plan, report: &mut Report) {
    load::begin();
    let mut stage = Stage::prepare(root, engine, plan.yardstick_seconds);
    println!("{}: {}", engine.name(), stage.settings());
    let before = stage.yardstick();
    let filled = fill::fill(&stage, plan.tickets);
    let after = stage.yardstick();
    stage.knows_its_rows();
    report.add(Row::rate(
        "issue_all alone, batches of 256, one ticket each",
        engine,
        filled.issued_per_second,
        &filled.batch_latencies,
        (before + after) / 2.0,
    ));
    println!("{}: {} tickets are in the database", engine.name(), stage.tickets());
    if plan.only.is_none() {
        let written = export::airline_day(&stage);
        println!("{}: an airline's day of {} rows, {} bytes", engine.name(), written.rows, written.bytes);
        report.add(Row::value("export of an airline's day", engine, written.rows_per_second, "rows/s"));
    }

    let ready = stage.start();
    report.add(Row::value("start to ready on the filled database", engine, ready.as_secs_f64() * 1_000.0, "ms"));
    std::thread::sleep(Duration::from_secs(1));
    report.add(Row::value("resident memory, idle", engine, stage.resident_megabytes(), "MB"));
    if plan.only.is_none() {
        alone(&stage, engine, plan, report);
    }
    sales(&stage, engine, plan, report);
    report.add(Row::value("resident memory after the sales", engine, stage.resident_megabytes(), "MB"));
    report.add(Row::value("tickets in the database at the end", engine, stage.tickets() as f64, "tickets"));
    stage.stop();
}

/// What has no yardstick.
fn alone(stage: &Stage, engine: Engine, plan: &Plan, report: &mut Report) {
    let (searched, offered, latencies) = load::search(stage, plan.alone_seconds);
    report.add(Row::rate("offer requests, one in flight", engine, searched, &latencies, 0.0));
    report.add(Row::value("offers priced and shown by them", engine, offered, "offers/s"));
    let latencies = load::sale_to_credit(stage, 500, plan.seconds);
    report.add(Row::rate("sale to bank-confirmed at 500 sales/s", engine, 500.0, &latencies, 0.0));
}

fn sales(stage: &Stage, engine: Engine, plan: &Plan, report: &mut Report) {
    let shapes = [(1, Shape::Spread), (64, Shape::Spread), (64, Shape::OneAgency), (256, Shape::Spread), (256, Shape::OneAgency)];
    let mut last = stage.yardstick();
    for (in_flight, shape) in shapes {
        let name = format!("sales over HTTP, {in_flight} in flight, {}", shape.name());
        if plan.only.as_ref().is_some_and(|words| !name.contains(words)) {
            continue;
        }
        let seconds = if in_flight == 1 { plan.alone_seconds } else { plan.seconds };
        let sold = sell(stage, in_flight, shape, seconds);
        let next = stage.yardstick();
        report.add(Row::rate(&name, engine, sold.per_second, &sold.latencies, (last + next) / 2.0));
        last = next;
    }
}
