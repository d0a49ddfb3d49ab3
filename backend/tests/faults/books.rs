//! What has to be true after every fault, whatever it was: nobody lost a ticket that he was told of, nobody has two, no airline was paid twice by
//! the bank's own books, the proofs hold, and a new sale is made and paid within a stated time.

use crate::client::{BEIJING, Client, GUANGZHOU, OPERATOR};
use crate::seed::is_long;
use crate::sellers::{Said, Sale, Tally, ask};
use crate::stack::Stack;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// From the new order to the bank's confirmation.
pub const PROGRESS_WITHIN: Duration = Duration::from_secs(15);
/// Until everything that was open is paid: an attempt whose sender died is asked about after half a minute. The short runs do not wait for that.
const PAID_WITHIN: Duration = Duration::from_secs(75);

/// The server runs at the end, so that it can be asked; `others` were sold beside `sales`.
#[track_caller]
pub fn prove(stack: &Stack, client: &Client, mut sales: Vec<Sale>, others: &[String]) {
    let began = Instant::now();
    let told: Vec<Said> = sales.iter().map(|sale| sale.said.clone()).collect();
    let tally = Tally::default();
    for (sale, before) in sales.iter_mut().zip(&told) {
        ask(client, sale, &tally, || true);
        match before {
            Said::Nothing => {}
            told => assert_eq!(&sale.said, told, "under the same key {} the same is said again", sale.key),
        }
    }
    let mut sold: BTreeMap<&str, &str> = BTreeMap::new();
    for sale in &sales {
        if let Said::Ticket(number) = &sale.said {
            let other = sold.insert(number, &sale.key);
            assert_eq!(other, None, "{number} was sold twice");
        }
    }
    for number in others {
        assert_eq!(sold.insert(number, ""), None, "{number} was sold twice");
    }
    let refused = sales.iter().filter(|sale| matches!(sale.said, Said::Refused(_))).count();
    let tickets = stack.number("SELECT COUNT(*) AS value FROM ticket");
    assert_eq!(tickets, i64::try_from(sold.len()).unwrap(), "what was sold is there, and nothing else");
    let named = stack.number("SELECT COUNT(DISTINCT number) AS value FROM ticket");
    assert_eq!(named, tickets);

    let all_paid = || stack.number("SELECT COUNT(*) AS value FROM advance WHERE state <> 'confirmed'") == 0;
    if !is_long() {
        stack.claims_run_out();
    }
    await_that("every airline is paid", PAID_WITHIN, all_paid);
    let paid_after = began.elapsed();
    await_that("the bank line is open", Duration::from_secs(5), || {
        stack.number("SELECT COUNT(*) AS value FROM facility WHERE status <> 'open'") == 0
    });
    let fresh = progress(client, &[BEIJING, GUANGZHOU]);
    await_that("the new ones too", PROGRESS_WITHIN, all_paid);
    let paid = client.paid_by(&stack.bank_url());
    let references: BTreeSet<&String> = paid.iter().map(|(reference, _)| reference).collect();
    assert_eq!(references.len(), paid.len(), "no reference is booked twice by the bank");
    let numbers: BTreeSet<&str> = paid.iter().map(|(_, number)| number.as_str()).collect();
    assert_eq!(numbers.len(), paid.len(), "no airline is paid twice for a ticket");
    let expected: BTreeSet<&str> = sold.keys().copied().chain(fresh.iter().map(String::as_str)).collect();
    assert_eq!(numbers, expected, "the bank has paid what was sold and nothing else");

    stack.await_seal(Duration::from_secs(20));
    let (code, output) = stack.verify();
    assert_eq!(code, 0, "{output}");
    let known = told.iter().filter(|told| **told != Said::Nothing).count();
    println!(
        "{} tickets, {known} answers known before, {refused} refused; all paid after {:.1} s, proved in {:.1} s: {}",
        sold.len(),
        paid_after.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        output.lines().next().unwrap_or_default()
    );
}

/// A new sale of each agency is made, and confirmed by the bank in time.
#[track_caller]
pub fn progress(client: &Client, agencies: &[&'static str]) -> Vec<String> {
    let began = Instant::now();
    let numbers: Vec<String> = agencies.iter().map(|agency| client.sells(agency)).collect();
    await_that("the new sales are confirmed by the bank", PROGRESS_WITHIN, || {
        numbers.iter().all(|number| client.state_of(number) == "confirmed")
    });
    println!("progress: {} new sales paid after {:.2} s", numbers.len(), began.elapsed().as_secs_f64());
    numbers
}

#[track_caller]
pub fn await_that(what: &str, within: Duration, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + within;
    while !is_so() {
        assert!(Instant::now() < until, "not in {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the operator can read: the server answers, and so does its database.
pub fn answers(client: &Client) -> bool {
    client.tries(OPERATOR, reqwest::Method::GET, "/v1/facilities", None, None).is_ok_and(|answer| answer.status == 200)
}
