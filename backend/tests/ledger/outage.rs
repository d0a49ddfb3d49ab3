//! The server goes away under load, in the middle of a COMMIT, before it took effect or after. Nobody who was told of a sale loses it and
//! nothing is sold twice. A SQLite file does not go away.

use crate::database::{Database, Engine};
use crate::desk::{Desk, issued};
use crate::postgres::{Cluster, Durability, execute};
use crate::world::World;
use airsettle::db::migrate;
use airsettle::ticketing::{IssueOrder, Outcome, QueueConfig, QueueError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The superuser of a test cluster, which asks for no password.
fn superuser(owner_url: &str) -> String {
    owner_url.replacen("://airsettle_owner", "://postgres", 1)
}

fn orders(world: &World, count: usize) -> Vec<IssueOrder> {
    (0..count)
        .map(|number| {
            let order = if number % 3 == 0 { world.order().by_wallet() } else { world.order() };
            order.keyed(&format!("load-{number}")).build()
        })
        .collect()
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < until, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const COMMITTING: &str = "FROM pg_stat_activity WHERE usename = 'airsettle_app' AND datname = current_database()
    AND state = 'active' AND (query = 'COMMIT' OR query LIKE 'SELECT pg_logical_emit_message%')";

#[test]
fn a_commit_that_was_lost_before_it_took_effect_is_done_again() {
    let world = World::trading(Engine::Postgres);
    let admin = superuser(&world.database.owner_url);
    world
        .database
        .as_owner(
            "CREATE TABLE slow (a int); INSERT INTO slow VALUES (1); GRANT SELECT ON slow TO airsettle_app;
         CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN IF EXISTS (SELECT FROM slow) THEN PERFORM pg_sleep(60); END IF; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER dawdling AFTER INSERT ON air_order DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION dawdle()",
        )
        .unwrap();
    let commands = orders(&world, 20);
    let answers = std::thread::scope(|scope| {
        let ending = scope.spawn(|| {
            wait_until("a COMMIT that hangs", || execute(&admin, &format!("SELECT count(*) {COMMITTING}")) == "1");
            world.database.as_owner("DELETE FROM slow").unwrap();
            execute(&admin, &format!("SELECT pg_terminate_backend(pid) {COMMITTING}"));
        });
        let answers = Desk::one_node(&world).all_at_once(commands);
        ending.join().unwrap();
        answers
    });
    assert_eq!(issued(&answers).len(), 20, "{answers:?}");
    assert_eq!(world.tickets(), 20);
    world.adds_up();
}

/// A world whose server waits for a standby that never answers: a COMMIT is done there, and waits. One ticket is sold before.
struct Behind {
    world: World,
    admin: String,
    _cluster: Cluster,
}

impl Behind {
    fn a_silent_standby() -> Self {
        let cluster = Cluster::start(Durability::Off);
        let owner_url = cluster.database("standby");
        migrate(&owner_url).unwrap();
        let world = World::in_database(Database::at(owner_url.clone()));
        world.lodges_deposit("1000000.00");
        world.tops_up(world.prepaid, "1000000.00");
        let admin = superuser(&owner_url);
        execute(&admin, "ALTER ROLE airsettle_app SET synchronous_commit = on");
        let world = world.seen_from_another_node();
        world.sells(world.order());
        execute(&admin, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        execute(&admin, "SELECT pg_reload_conf()");
        Behind { world, admin, _cluster: cluster }
    }

    /// Nobody has to wait for it any more.
    fn ends(&self) {
        execute(&self.admin, "ALTER SYSTEM RESET synchronous_standby_names");
        execute(&self.admin, "SELECT pg_reload_conf()");
    }
}

#[test]
fn a_commit_that_took_effect_without_an_answer_is_recognised_by_its_keys() {
    let behind = Behind::a_silent_standby();
    let Behind { world, admin, .. } = &behind;
    let commands = orders(world, 20);
    let answers = std::thread::scope(|scope| {
        // Who waits for the standby is ended until somebody was; then nobody has to wait for it any more.
        let ending = scope.spawn(|| {
            wait_until("a COMMIT that waits", || {
                execute(admin, &format!("SELECT count(pg_terminate_backend(pid)) {COMMITTING}")) != "0"
            });
            behind.ends();
        });
        let answers = Desk::one_node(world).all_at_once(commands.clone());
        ending.join().unwrap();
        answers
    });
    assert_eq!(issued(&answers).len(), 20, "{answers:?}");
    assert_eq!(world.tickets(), 21);
    let repeated = world.issues(&commands[..5]);
    assert!(repeated.iter().all(|outcome| matches!(outcome, Outcome::Issued(_))), "their own orders again");
    assert_eq!(world.tickets(), 21);
    world.adds_up();
}

#[test]
fn nobody_is_told_of_a_sale_that_the_standby_does_not_have() {
    let behind = Behind::a_silent_standby();
    let Behind { world, admin, .. } = &behind;
    let hasty =
        QueueConfig { patience: Duration::from_millis(200), pursuit: Duration::from_millis(200), ..QueueConfig::default() };
    let desk = Desk::with(world, hasty);
    let answers = desk.all_at_once(vec![world.order().keyed("first").build()]);
    assert!(matches!(answers[..], [Err(QueueError::OutcomeUnknown { .. })]), "{answers:?}");
    wait_until("the sale", || execute(admin, "SELECT count(*) FROM ticket") == "2");
    std::thread::scope(|scope| {
        let read = scope.spawn(|| world.tickets());
        // Others are worked on meanwhile, and not answered either.
        let answers = desk.all_at_once(vec![world.order().keyed("second").build()]);
        assert!(matches!(answers[..], [Err(QueueError::OutcomeUnknown { .. } | QueueError::DeadlineExceeded)]), "{answers:?}");
        assert!(!read.is_finished(), "a read told of the sale");
        behind.ends();
        assert!(read.join().unwrap() >= 2);
    });
    let repeated = world.issues(&[world.order().keyed("first").build()]);
    assert!(matches!(repeated[..], [Outcome::Replayed(_)]), "{repeated:?}");
    world.adds_up();
}

#[test]
fn connections_cut_under_load_lose_nothing_and_double_nothing() {
    let world = World::trading(Engine::Postgres);
    let admin = superuser(&world.database.owner_url);
    let done = AtomicBool::new(false);
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE usename = 'airsettle_app' AND datname = current_database()";
    let (answers, cuts) = std::thread::scope(|scope| {
        let cutting = scope.spawn(|| {
            let mut cuts = 0;
            while !done.load(Ordering::Relaxed) {
                cuts += execute(&admin, cut).parse::<u32>().unwrap();
                std::thread::sleep(Duration::from_millis(100));
            }
            cuts
        });
        let desk = Desk::two_nodes(&world);
        let mut answers = Vec::new();
        for chunk in orders(&world, 400).chunks(40) {
            answers.extend(desk.all_at_once(chunk.to_vec()));
        }
        done.store(true, Ordering::Relaxed);
        (answers, cutting.join().unwrap())
    });
    assert!(cuts > 5, "only {cuts} connections were cut");
    let acknowledged = issued(&answers);
    for order in &acknowledged {
        let query = format!("SELECT COUNT(*) AS value FROM ticket WHERE number = '{}'", order.tickets[0].number);
        assert_eq!(world.number(&query), 1, "an acknowledged sale is there");
    }
    let unanswered = answers.iter().filter(|answer| answer.is_err()).count();
    let only_unsure = |answer: &&Result<_, QueueError>| {
        !matches!(answer, Err(QueueError::Unavailable | QueueError::OutcomeUnknown { .. }) | Ok(Outcome::Issued(_)))
    };
    assert_eq!(answers.iter().find(only_unsure).map(|answer| format!("{answer:?}")), None);
    println!("{cuts} connections cut, {} sales acknowledged, {unanswered} unanswered", acknowledged.len());
    assert!(acknowledged.len() > 100, "selling goes on between the cuts");
    assert!(world.tickets() >= i64::try_from(acknowledged.len()).unwrap());
    // Clients ask again with their keys: now everybody has a ticket, and nobody has two.
    let again = Desk::one_node(&world).all_at_once(orders(&world, 400));
    let replayed = again.iter().filter(|answer| matches!(answer, Ok(Outcome::Replayed(_)))).count();
    assert!(replayed >= acknowledged.len());
    assert_eq!(world.tickets(), 400);
    world.adds_up();
}

#[test]
fn a_server_that_is_down_is_answered_as_such_and_selling_goes_on_when_it_is_back() {
    let cluster = Cluster::start(Durability::On);
    let owner_url = cluster.database("restart");
    migrate(&owner_url).unwrap();
    let world = World::in_database(Database::at(owner_url.clone()));
    world.lodges_deposit("1000000.00");
    world.tops_up(world.prepaid, "1000000.00");
    let before = Desk::one_node(&world).all_at_once(orders(&world, 30));
    assert_eq!(issued(&before).len(), 30);
    cluster.crash();
    let hasty = QueueConfig { patience: Duration::from_millis(300), ..QueueConfig::default() };
    let down = Desk::with(&world, hasty).all_at_once(vec![world.order().keyed("while-down").build()]);
    assert!(matches!(down[..], [Err(QueueError::Unavailable)]), "{down:?}");
    cluster.restart();
    let after = Desk::one_node(&world).all_at_once(orders(&world, 40));
    assert_eq!(issued(&after).len(), 10, "what was acknowledged before the crash is there");
    assert_eq!(world.tickets(), 40);
    world.sells(world.order().keyed("while-down"));
    world.adds_up();
}

/// Two writers that take many keys must take them in one order, or each waits for the other until the server breaks the tie.
#[test]
fn two_nodes_never_wait_for_each_others_keys_in_a_circle() {
    let world = World::trading(Engine::Postgres);
    world
        .database
        .as_owner(
            "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.003); RETURN NEW; END $$;
         CREATE TRIGGER dawdling BEFORE INSERT ON idempotency_key FOR EACH ROW EXECUTE FUNCTION dawdle()",
        )
        .unwrap();
    let keys: Vec<String> = (0..100).map(|number| format!("key-{number:03}")).collect();
    let commands = keys.iter().zip(keys.iter().rev()).flat_map(|(up, down)| [up, down]);
    let commands = commands.map(|key| world.order().keyed(key).build()).collect();
    let answers = Desk::two_nodes(&world).all_at_once(commands);
    assert_eq!(issued(&answers).len(), 100);
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    // A connection's figures are counted when it has ended.
    let World { store, database, .. } = world;
    drop(store);
    let admin = superuser(&database.owner_url);
    let connected = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'airsettle_app' AND datname = current_database()";
    wait_until("the end of all connections", || execute(&admin, connected) == "0");
    assert_eq!(execute(&admin, deadlocks), "0");
}
