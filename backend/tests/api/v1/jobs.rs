//! `/v1/jobs`: what runs by the calendar, who runs it, and what becomes of a run that stops half-way.

use crate::platform::{BEIJING, Engine, OPERATOR, SHANGHAI, World};
use crate::v1::worked_case::Desk;
use airsettle::jobs::{Looked, Scheduled, Scheduler};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

fn close() -> &'static Scheduled {
    Scheduled::named("close_of_day").unwrap()
}

/// The lease of whoever held the job runs out.
fn lease_runs_out(world: &World) {
    use airsettle::db::{Db, DbError};
    let store = &world.platform.test.store;
    let text = "UPDATE job SET leased_until = '2020-01-01 00:00:00'";
    store
        .write(|tx| match &mut *tx.db {
            Db::Sqlite(connection) => connection.batch_execute(text).map_err(DbError::from),
            Db::Postgres(connection) => connection.batch_execute(text).map_err(DbError::from),
        })
        .unwrap();
}

fn runs(desk: &Desk) -> Vec<Value> {
    desk.world.get(&desk.operator, "/v1/jobs/close_of_day/runs").expect(200).data().as_array().unwrap().clone()
}

fn closes(node: &Scheduler) {
    while node.look(close()).unwrap() != Looked::Finished {}
}

/// A cycle that is over and not billed, in a world where nothing runs by itself.
fn at_the_end_of_a_cycle(engine: Engine) -> World {
    let world = World::without_jobs(engine);
    let desk = Desk::open(&world, SHANGHAI);
    closes(&Scheduler::new(&world.platform.test));
    desk.sells("Zhang", "arc_bsp_cash");
    desk.days_pass(17);
    let test = &world.platform.test;
    test.store.clock().set(test.now().plus(chrono::Duration::minutes(2))).unwrap();
    world
}

/// Killed behind every step, and taken over by another node each time.
fn another_node_goes_on_behind_every_step(engine: Engine) {
    let world = at_the_end_of_a_cycle(engine);
    let (app, desk) = (&world.platform.test, Desk::open(&world, SHANGHAI));
    let mut done = Vec::new();
    loop {
        let node = Scheduler::new(app);
        match node.look(close()).unwrap() {
            Looked::Stepped(step) => done.push(step),
            Looked::Finished => break,
            other => panic!("{other:?} after {done:?}"),
        }
        let other = Scheduler::new(app);
        assert_eq!(other.look(close()).unwrap(), Looked::Idle, "the first node has the lease");
        lease_runs_out(&world);
    }
    let steps: Vec<&str> = close().steps.iter().map(|step| step.name).collect();
    assert_eq!(done, steps, "each step once");
    assert_eq!(Scheduler::new(app).look(close()).unwrap(), Looked::Idle, "nothing is left to do");
    let runs = runs(&desk);
    assert_eq!((runs.len(), &runs[0]["state"], &runs[0]["cause"]), (2, &json!("done"), &json!("schedule")));
    assert!(runs[0]["occurrences"].as_i64().unwrap() > 15, "missed days are one run: {}", runs[0]);
    assert_eq!(world.get(&desk.seller, "/v1/obligations").expect(200).data().as_array().unwrap().len(), 1);
    desk.proves();
}

/// Every step is begun and not finished before it is done: what it did alone stays, and it is done once.
fn a_step_that_is_done_again_changes_nothing(engine: Engine) {
    let world = at_the_end_of_a_cycle(engine);
    let (app, desk) = (&world.platform.test, Desk::open(&world, SHANGHAI));
    closes(&Scheduler::new(app));
    let before = world.get(&desk.operator, "/v1/ledger/postings?limit=200").expect(200).data().as_array().unwrap().len();
    for _ in 0..2 {
        world.post(&desk.operator, "/v1/jobs/close_of_day/runs", &json!({})).expect(202);
        closes(&Scheduler::new(app));
    }
    let after = world.get(&desk.operator, "/v1/ledger/postings?limit=200").expect(200).data().as_array().unwrap().len();
    assert_eq!(before, after);
    let causes: Vec<Value> = runs(&desk).iter().map(|run| run["cause"].clone()).collect();
    assert_eq!(causes, [json!("manual"), json!("manual"), json!("schedule"), json!("schedule")]);
    assert!(runs(&desk)[0]["requested_by"].is_string());
    desk.proves();
}

/// Two schedulers at the same moment: one of them runs each step.
fn two_schedulers_run_a_job_once(engine: Engine) {
    let world = at_the_end_of_a_cycle(engine);
    let (app, desk) = (&world.platform.test, Desk::open(&world, SHANGHAI));
    let stepped: usize = std::thread::scope(|scope| {
        let node = || {
            let node = Scheduler::new(app);
            let looks = (0..40).map(|_| node.look(close()).unwrap());
            looks.filter(|looked| matches!(looked, Looked::Stepped(_))).count()
        };
        let nodes: Vec<_> = (0..2).map(|_| scope.spawn(node)).collect();
        nodes.into_iter().map(|node| node.join().unwrap()).sum()
    });
    assert_eq!(stepped, close().steps.len());
    assert_eq!(runs(&desk).len(), 2);
    desk.proves();
}

mod sqlite {
    use super::*;
    #[test]
    fn another_node_goes_on_behind_every_step() {
        super::another_node_goes_on_behind_every_step(Engine::Sqlite);
    }
    #[test]
    fn a_step_that_is_done_again_changes_nothing() {
        super::a_step_that_is_done_again_changes_nothing(Engine::Sqlite);
    }
    #[test]
    fn two_schedulers_run_a_job_once() {
        super::two_schedulers_run_a_job_once(Engine::Sqlite);
    }
}

mod postgres {
    use super::*;
    #[test]
    fn another_node_goes_on_behind_every_step() {
        super::another_node_goes_on_behind_every_step(Engine::Postgres);
    }
    #[test]
    fn a_step_that_is_done_again_changes_nothing() {
        super::a_step_that_is_done_again_changes_nothing(Engine::Postgres);
    }
    #[test]
    fn two_schedulers_run_a_job_once() {
        super::two_schedulers_run_a_job_once(Engine::Postgres);
    }
}

on_both_engines! {
    fn the_operator_sees_what_runs_and_runs_it_again(world) {
        let operator = world.key(OPERATOR);
        let jobs = world.get(&operator, "/v1/jobs").expect(200);
        let close = &jobs.data()[0];
        assert_eq!((&close["name"], &close["cron"], &close["time_zone"]), (&json!("close_of_day"), &json!("0 1 0 * * *"), &json!("Asia/Shanghai")));
        assert_eq!(close["steps"][0], "accrue_interest");
        assert!(close["next_run_at"].is_string());
        world.get(&operator, "/v1/jobs/nothing/runs").expect_error(404, "not_found");
        let asked = world.post(&operator, "/v1/jobs/close_of_day/runs", &json!({})).expect(202);
        world.await_that("it has run", || {
            let runs = world.get(&operator, "/v1/jobs/close_of_day/runs").expect(200);
            runs.data().as_array().unwrap().iter().any(|run| run["id"] == asked.data()["id"] && run["state"] == "done")
        });
        let agency = world.key(BEIJING);
        world.get(&agency, "/v1/jobs").expect_error(403, "insufficient_scope");
        world.post(&agency, "/v1/jobs/close_of_day/runs", &json!({})).expect_error(403, "insufficient_scope");
    }
}
