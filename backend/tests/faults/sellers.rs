//! Clients that sell all the time, each order under a key of its own, and that ask again under the same key until they have an answer. What they
//! were told is what the books are held against in the end.

use crate::client::{BEIJING, Client, GUANGZHOU, SHANGHAI, number_of, order, search};
use crate::stack::Stack;
use reqwest::Method;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nobody asks for longer than this.
const PATIENCE: Duration = Duration::from_secs(90);

/// An order that was sent, and what was said about it.
#[derive(Clone, Debug)]
pub struct Sale {
    pub agency: &'static str,
    pub key: String,
    pub body: Value,
    pub said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Sold, under this number.
    Ticket(String),
    /// Refused with this code: nothing of it may be there.
    Refused(String),
    /// No answer yet.
    Nothing,
}

/// What a run of sellers looks like from outside.
#[derive(Debug, Default)]
pub struct Tally {
    pub unanswered: AtomicU64,
    pub unavailable: AtomicU64,
    pub pending: AtomicU64,
    pub sold: AtomicU64,
}

pub struct Seller<'a> {
    client: Client,
    agency: &'static str,
    name: String,
    tally: &'a Tally,
    offer: Option<Value>,
    number: usize,
}

impl<'a> Seller<'a> {
    pub fn new(stack: &Stack, port: u16, name: &str, place: usize, tally: &'a Tally) -> Self {
        let agency = [BEIJING, SHANGHAI, BEIJING, GUANGZHOU][place % 4];
        Seller { client: Client::of(stack.data(), port), agency, name: format!("{name}-{place}"), tally, offer: None, number: 0 }
    }

    /// Sells until told to stop; the last order may be without an answer.
    pub fn sell_until(&mut self, stop: &AtomicBool) -> Vec<Sale> {
        let mut sales = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let Some(offer) = self.find_offer(stop) else { break };
            self.number += 1;
            let (key, body) = (format!("{}-{}", self.name, self.number), order(self.agency, &offer));
            let mut sale = Sale { agency: self.agency, key, body, said: Said::Nothing };
            ask(&self.client, &mut sale, self.tally, || !stop.load(Ordering::Relaxed));
            match &sale.said {
                Said::Ticket(_) => drop(self.tally.sold.fetch_add(1, Ordering::Relaxed)),
                Said::Refused(_) => self.offer = None,
                Said::Nothing => {}
            }
            sales.push(sale);
        }
        sales
    }

    /// The same offer for a while; then another day, so that no flight is sold out.
    fn find_offer(&mut self, stop: &AtomicBool) -> Option<Value> {
        if self.number.is_multiple_of(8) {
            self.offer = None;
        }
        while self.offer.is_none() && !stop.load(Ordering::Relaxed) {
            let days_ahead = 10 + u64::try_from(self.number * 7 % 300).unwrap();
            let found = self.client.tries(self.agency, Method::POST, "/air/offer_requests", None, Some(search(days_ahead)));
            match found {
                Ok(answer) if answer.status == 201 => self.offer = answer.data["offers"].get(0).cloned(),
                Ok(answer) => assert!(answer.status >= 500 || answer.status == 408, "{}", answer.data),
                Err(_) => {}
            }
            if self.offer.is_none() {
                self.number += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.offer.clone()
    }
}

/// Asks under the same key until there is an answer that says what became of it, or nobody waits any more.
pub fn ask(client: &Client, sale: &mut Sale, tally: &Tally, waits: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    let mut first = true;
    while first || waits() {
        first = false;
        assert!(Instant::now() < until, "no answer under {} in {PATIENCE:?}", sale.key);
        let body = sale.body.clone();
        match client.tries(sale.agency, Method::POST, "/air/orders", Some(&sale.key), Some(body)) {
            Ok(answer) if matches!(answer.status, 200 | 201) => {
                sale.said = Said::Ticket(number_of(&answer.data));
                return;
            }
            Ok(answer) if answer.status == 202 => drop(tally.pending.fetch_add(1, Ordering::Relaxed)),
            Ok(answer) if answer.status == 503 => {
                assert!(!answer.header("retry-after").is_empty(), "when to come back: {}", answer.data);
                tally.unavailable.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) if matches!(answer.status, 409 | 422) => {
                sale.said = Said::Refused(answer.code().to_owned());
                return;
            }
            // Its head lay unread for too long, at a node that stood still: nobody has seen it.
            Ok(answer) if answer.status == 408 => drop(tally.unanswered.fetch_add(1, Ordering::Relaxed)),
            Ok(answer) => panic!("{} {}", answer.status, answer.data),
            Err(_) => drop(tally.unanswered.fetch_add(1, Ordering::Relaxed)),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// So many sellers at the nodes on these ports while something happens; what they were told.
pub fn while_selling<T>(
    stack: &Stack,
    ports: &[u16],
    sellers: usize,
    name: &str,
    happens: impl FnOnce(&Tally) -> T,
) -> (Vec<Sale>, T) {
    let (stop, tally) = (AtomicBool::new(false), Tally::default());
    std::thread::scope(|scope| {
        let selling: Vec<_> = (0..sellers)
            .map(|place| {
                let (stop, tally, port) = (&stop, &tally, ports[place % ports.len()]);
                scope.spawn(move || Seller::new(stack, port, name, place, tally).sell_until(stop))
            })
            .collect();
        let stopping = StopWhenDropped(&stop);
        let happened = happens(&tally);
        drop(stopping);
        let sales = selling.into_iter().flat_map(|seller| seller.join().unwrap()).collect();
        println!("{name}: {tally:?}");
        (sales, happened)
    })
}

/// Also when what happens fails: the sellers must not sell on for ever.
struct StopWhenDropped<'a>(&'a AtomicBool);

impl Drop for StopWhenDropped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until the sellers have sold so many more.
#[track_caller]
pub fn await_sold(tally: &Tally, more: u64, within: Duration) {
    let (before, until) = (tally.sold.load(Ordering::Relaxed), Instant::now() + within);
    while tally.sold.load(Ordering::Relaxed) < before + more {
        assert!(Instant::now() < until, "not {more} sales in {within:?}: {tally:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
