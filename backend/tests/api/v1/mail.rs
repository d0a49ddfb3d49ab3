//! Dunning and statements by real SMTP: with a password, refused at first and tried again, and never twice but where nobody can know better.

use crate::platform::{Engine, SHANGHAI, World};
use crate::smtp::{Behaviour, MailServer, PASSWORD};
use crate::v1::text;
use crate::v1::worked_case::Desk;
use airsettle::app::Platform;
use airsettle::jobs::{Looked, Scheduled, Scheduler};
use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

fn messages(desk: &Desk) -> Vec<Value> {
    desk.world.get(&desk.seller, "/v1/dunning_messages").expect(200).data().as_array().unwrap().clone()
}

/// Nothing runs by itself: the agency has a cycle to pay, and the day of its first reminder has come.
fn reminded(world: &World) -> Desk<'_> {
    let desk = Desk::open(world, SHANGHAI);
    closes_a_cycle(&desk);
    // Only now: the statement alone would be sent as well.
    has_a_contact(&desk);
    let due: NaiveDate = text(&desk.obligation()["due_on"]).parse().unwrap();
    desk.clock_shows(due - chrono::Days::new(1), 9);
    runs(world, "dunning");
    assert_eq!(messages(&desk).len(), 1);
    desk
}

fn has_a_contact(desk: &Desk) {
    let contact = json!({ "agency_id": desk.agency, "email": "finance@harbour.example", "language": "en" });
    desk.world.post(&desk.operator, "/v1/billing_contacts", &contact).expect(201);
}

fn closes_a_cycle(desk: &Desk) {
    let cycle = desk.cycle();
    desk.sells("Zhang", "arc_bsp_cash");
    desk.clock_shows(cycle.last_day() + chrono::Days::new(1), 0);
    runs(desk.world, "close_of_day");
}

fn runs(world: &World, job: &str) {
    let (node, job) = (Scheduler::new(&world.platform.test), Scheduled::named(job).unwrap());
    while node.look(job).unwrap() != Looked::Idle {}
}

/// The platform whose e-mail leaves, with its jobs.
fn mails(world: &World, smtp_url: &str) -> Platform {
    let platform = world.in_earnest(smtp_url);
    airsettle::jobs::start(&platform.live).unwrap();
    wait_is_over(world);
    platform
}

/// What waits to be sent, or to be tried again, waits no longer.
fn wait_is_over(world: &World) {
    use airsettle::db::{Db, DbError};
    let text =
        "UPDATE outbox SET due_at = '2020-01-01 00:00:00' WHERE kind IN ('send_dunning', 'send_statement') AND done_at IS NULL";
    let now = |tx: &mut airsettle::db::WriteTx| match &mut *tx.db {
        Db::Sqlite(connection) => connection.batch_execute(text).map_err(DbError::from),
        Db::Postgres(connection) => connection.batch_execute(text).map_err(DbError::from),
    };
    world.platform.test.store.write(now).unwrap();
}

fn awaits_error(desk: &Desk, part: &str) {
    let error = || messages(desk)[0]["error"].as_str().unwrap_or_default().to_owned();
    desk.world.await_that(part, || error().contains(part));
    assert_eq!(messages(desk)[0]["state"], "queued", "it is tried again");
}

fn a_message_that_is_refused_at_first_comes_once(engine: Engine) {
    let server = MailServer::start(&[Behaviour::RefusePassword, Behaviour::RefuseForNow]);
    let world = World::without_jobs(engine);
    let desk = reminded(&world);
    let _platform = mails(&world, &server.url(PASSWORD));
    awaits_error(&desk, "535");
    assert_eq!((server.turned_away(), server.received().len()), (1, 0), "nothing is said to who does not let us in");
    wait_is_over(&world);
    awaits_error(&desk, "451");
    wait_is_over(&world);
    world.await_that("it is sent", || messages(&desk)[0]["state"] == "sent");
    let received = server.received();
    assert_eq!(received.iter().map(|one| one.taken).collect::<Vec<_>>(), [false, true]);
    let message = &messages(&desk)[0];
    for one in &received {
        assert_eq!(one.message_id(), text(&message["message_id"]), "one message, however often it is tried");
        assert_eq!((one.from.as_str(), one.to.as_str()), ("billing@airsettle.example", "finance@harbour.example"));
        assert!(one.text.contains("statement_") && one.text.contains("970.00 CNY"), "{}", one.text);
    }
    // The reminder of the day is asked for again, and every wait is over: nothing more is sent.
    world.post(&desk.operator, "/v1/jobs/dunning/runs", &json!({})).expect(202);
    runs(&world, "dunning");
    wait_is_over(&world);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(server.received().len(), 2);
    assert_eq!(messages(&desk).len(), 1);
}

fn a_wrong_password_sends_nothing(engine: Engine) {
    let server = MailServer::start(&[]);
    let world = World::without_jobs(engine);
    let desk = reminded(&world);
    let _platform = mails(&world, &server.url("guessed"));
    awaits_error(&desk, "535");
    wait_is_over(&world);
    world.await_that("it is tried again", || server.turned_away() >= 2);
    assert!(server.received().is_empty());
    assert_eq!(messages(&desk)[0]["state"], "queued");
}

/// The server had it and its answer was lost: it comes again, and its id says that it is the same.
fn a_message_whose_answer_was_lost_comes_again_under_its_id(engine: Engine) {
    let server = MailServer::start(&[Behaviour::TakeAndHangUp]);
    let world = World::without_jobs(engine);
    let desk = reminded(&world);
    let _platform = mails(&world, &server.url(PASSWORD));
    world.await_that("the answer is missed", || messages(&desk)[0]["error"].is_string());
    wait_is_over(&world);
    world.await_that("it is sent", || messages(&desk)[0]["state"] == "sent");
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].message_id(), received[1].message_id());
    assert!(!received[0].message_id().is_empty());
}

/// Its server takes it and is gone before it says so; the close of the day is run again, too.
fn a_closed_statement_comes_under_one_id_with_its_file(engine: Engine) {
    let server = MailServer::start(&[Behaviour::TakeAndHangUp]);
    let world = World::without_jobs(engine);
    let desk = Desk::open(&world, SHANGHAI);
    has_a_contact(&desk);
    closes_a_cycle(&desk);
    runs(&world, "close_of_day");
    let statement = world.get(&desk.seller, "/v1/statements").expect(200).data()[0].clone();
    let _platform = mails(&world, &server.url(PASSWORD));
    let statements = || -> Vec<_> {
        let own = format!("{}@airsettle", text(&statement["id"]));
        server.received().into_iter().filter(|one| one.message_id() == own).collect()
    };
    world.await_that("it is sent", || statements().len() == 1);
    // Not before it is noted that the answer was lost.
    world.await_that("its answer was lost, so it comes again", || {
        wait_is_over(&world);
        statements().len() == 2
    });
    wait_is_over(&world);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let received = statements();
    assert_eq!(received.len(), 2);
    for one in &received {
        assert_eq!(one.to, "finance@harbour.example");
        for part in [&format!("statement_{}.csv", text(&statement["cycle"])), "multipart/alternative", "970.00 CNY", "text/html"]
        {
            assert!(one.text.contains(part), "{part}: {}", one.text);
        }
    }
}

mod sqlite {
    use super::*;
    #[test]
    fn a_closed_statement_comes_under_one_id_with_its_file() {
        super::a_closed_statement_comes_under_one_id_with_its_file(Engine::Sqlite);
    }
    #[test]
    fn a_message_that_is_refused_at_first_comes_once() {
        super::a_message_that_is_refused_at_first_comes_once(Engine::Sqlite);
    }
    #[test]
    fn a_wrong_password_sends_nothing() {
        super::a_wrong_password_sends_nothing(Engine::Sqlite);
    }
    #[test]
    fn a_message_whose_answer_was_lost_comes_again_under_its_id() {
        super::a_message_whose_answer_was_lost_comes_again_under_its_id(Engine::Sqlite);
    }
}

mod postgres {
    use super::*;
    #[test]
    fn a_closed_statement_comes_under_one_id_with_its_file() {
        super::a_closed_statement_comes_under_one_id_with_its_file(Engine::Postgres);
    }
    #[test]
    fn a_message_that_is_refused_at_first_comes_once() {
        super::a_message_that_is_refused_at_first_comes_once(Engine::Postgres);
    }
    #[test]
    fn a_wrong_password_sends_nothing() {
        super::a_wrong_password_sends_nothing(Engine::Postgres);
    }
    #[test]
    fn a_message_whose_answer_was_lost_comes_again_under_its_id() {
        super::a_message_whose_answer_was_lost_comes_again_under_its_id(Engine::Postgres);
    }
}
