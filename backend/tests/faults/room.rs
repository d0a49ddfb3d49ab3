//! No room: the readers are all busy, or the disk is full. What cannot be done is refused clearly and in bounded time, nothing is half done, and when
//! there is room again it goes on.

use crate::books::{await_that, prove};
use crate::client::{Answer, BEIJING, Client, OPERATOR, number_of, order, search};
use crate::postgres::{self, try_execute};
use crate::sellers::{Said, Sale};
use crate::stack::Stack;
use reqwest::Method;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Every reader waits for a lock that somebody else holds; so does everybody who waits for a reader.
#[test]
fn all_readers_busy_is_answered_in_bounded_time() {
    let stack = Stack::on_postgres().seeded();
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    let before = vec![client.sells(BEIJING)];
    let url = stack.owner_url().to_owned();
    let holding =
        std::thread::spawn(move || try_execute(&url, "BEGIN; LOCK TABLE facility IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(7)"));
    let held = "SELECT COUNT(*) AS value FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
        AND relation = 'facility'::regclass";
    await_that("the table is held", Duration::from_secs(10), || stack.number(held) == 1);
    let began = Instant::now();
    let answers: Vec<(u16, bool)> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..40)
            .map(|_| {
                scope.spawn(|| {
                    let client = Client::of(stack.data(), stack.port());
                    let answer = client.tries(OPERATOR, Method::GET, "/v1/facilities", None, None).unwrap();
                    (answer.status, !answer.header("retry-after").is_empty())
                })
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let took = began.elapsed();
    println!("40 answers after {:.1} s", took.as_secs_f64());
    let refused = answers.iter().filter(|(status, comes_back)| *status == 503 && *comes_back).count();
    assert!(refused >= 8, "who held a reader gave up, and so did who waited for one: {answers:?}");
    assert!(answers.iter().all(|(status, _)| matches!(status, 200 | 503)), "{answers:?}");
    assert!(took < Duration::from_secs(20), "in bounded time");
    assert!(holding.join().unwrap().is_ok());
    await_that("it goes on", Duration::from_secs(5), || crate::books::answers(&client));
    prove(&stack, &client, Vec::new(), &before);
    drop(server);
}

/// A file system of a few megabytes in memory.
struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// `None` where nothing may be mounted: then this cannot be shown, and is said so.
    fn of(megabytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m,mode=0777");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder.path()).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk { folder });
        }
        println!("skipped: a file system in memory cannot be mounted here (it takes root)");
        None
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Somebody else's file takes all but so much of it, as soon as a server that starts has stopped to take room of its own.
    fn fills_up(&self, leaving_kilobytes: u64) {
        await_that("the disk is full", Duration::from_secs(20), || self.is_filled(leaving_kilobytes));
    }

    fn is_filled(&self, leaving_kilobytes: u64) -> bool {
        let free = Command::new("df").args(["--output=avail", "-k"]).arg(self.path()).output().unwrap();
        let free = String::from_utf8(free.stdout).unwrap();
        let free: u64 = free.lines().nth(1).unwrap().trim().parse().unwrap();
        let bytes = vec![7u8; usize::try_from((free - leaving_kilobytes) * 1024).unwrap()];
        match std::fs::write(self.path().join("filler"), bytes) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                self.has_room_again();
                false
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn has_room_again(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

/// Sells until there is no room; answers what was sold, and the order that was refused for want of it.
fn sells_until_full(client: &Client, most: usize) -> (Vec<Sale>, Sale) {
    let mut sales = Vec::new();
    let mut offers: Vec<Value> = Vec::new();
    for number in 0..most {
        if number % 10 == 0 {
            let days_ahead = 10 + u64::try_from(number).unwrap();
            let found = client.tries(BEIJING, Method::POST, "/air/offer_requests", None, Some(search(days_ahead))).unwrap();
            match found.status {
                201 => offers.push(found.data["offers"][0].clone()),
                _ => assert_eq!((found.status, found.code()), (503, "storage_full"), "{}", found.data),
            }
        }
        let body = order(BEIJING, offers.last().unwrap());
        let mut sale = Sale { agency: BEIJING, key: format!("full-{number}"), body, said: Said::Nothing };
        let answer = send(client, &sale);
        match (answer.status, answer.code()) {
            (201, _) => sale.said = Said::Ticket(number_of(&answer.data)),
            (422, "seats_sold_out") => continue,
            (503, "storage_full") => {
                assert_eq!(answer.header("retry-after"), "30");
                return (sales, sale);
            }
            _ => panic!("{} {}", answer.status, answer.data),
        }
        sales.push(sale);
    }
    panic!("{most} sales and the disk is not full");
}

fn send(client: &Client, sale: &Sale) -> Answer {
    client.tries(sale.agency, Method::POST, "/air/orders", Some(&sale.key), Some(sale.body.clone())).unwrap()
}

fn full_and_then_not(stack: &Stack, client: &Client, makes_room: impl FnOnce()) {
    let (mut sales, refused) = sells_until_full(client, 3_000);
    println!("full after {} sales", sales.len());
    assert_eq!(stack.number(&format!("SELECT COUNT(*) AS value FROM idempotency_key WHERE key = 'k:{}'", refused.key)), 0);
    let tickets = stack.number("SELECT COUNT(*) AS value FROM ticket");
    assert_eq!(tickets, i64::try_from(sales.len()).unwrap(), "nothing is half done");
    assert!(crate::books::answers(client), "who reads is not refused");
    makes_room();
    await_that("it sells again", Duration::from_secs(20), || send(client, &refused).status < 300);
    sales.push(refused);
    prove(stack, client, sales, &[]);
}

#[test]
fn a_full_disk_refuses_clearly_and_goes_on_with_room_on_sqlite() {
    let Some(disk) = SmallDisk::of(64) else { return };
    let stack = Stack::on_sqlite_in(TempDir::new().unwrap(), disk.path()).seeded();
    let server = stack.serve();
    disk.fills_up(1_000);
    let client = Client::of(stack.data(), stack.port());
    full_and_then_not(&stack, &client, || disk.has_room_again());
    drop(server);
}

/// The tables of a sale on a small disk, as when the data fills its volume and the log has one of its own.
#[test]
fn a_full_disk_refuses_clearly_and_goes_on_with_room_on_postgresql() {
    let Some(disk) = SmallDisk::of(64) else { return };
    let stack = Stack::on_own_cluster().seeded();
    let admin = stack.owner_url().replacen("://airsettle_owner", "://postgres", 1);
    let space = disk.path().join("space");
    std::fs::create_dir(&space).unwrap();
    let like_the_cluster = format!("--reference={}", stack.cluster().join("cluster").display());
    assert!(Command::new("chown").arg(like_the_cluster).arg(&space).status().unwrap().success());
    postgres::execute(&admin, &format!("CREATE TABLESPACE small LOCATION '{}'", space.display()));
    for table in ["entry", "posting", "ticket", "coupon", "offer_request"] {
        postgres::execute(&admin, &format!("ALTER TABLE {table} SET TABLESPACE small"));
    }
    let server = stack.serve();
    disk.fills_up(200);
    let client = Client::of(stack.data(), stack.port());
    full_and_then_not(&stack, &client, || disk.has_room_again());
    drop(server);
    stack.stops_database();
}
