//! The load: prepared orders, sent by so many connections as are in flight.

use crate::http::Connection;
use crate::stage::{AGENCIES, Seller, Stage};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Spread,
    OneAgency,
}

impl Shape {
    pub fn name(self) -> &'static str {
        match self {
            Shape::Spread => "spread over 100 agencies",
            Shape::OneAgency => "one agency, one airline",
        }
    }
}

pub struct Sold {
    pub per_second: f64,
    pub latencies: Vec<f64>,
}

/// An order ready to be sent.
struct Prepared {
    key: String,
    body: Vec<u8>,
}

/// Orders on one offer: fewer than the smallest class has seats.
const PER_OFFER: usize = 5;
const ROUTES: [(&str, &str); 16] = [
    ("PEK", "SHA"),
    ("SHA", "PEK"),
    ("PEK", "CAN"),
    ("CAN", "PEK"),
    ("SHA", "CTU"),
    ("CTU", "PEK"),
    ("PEK", "CTU"),
    ("CTU", "SHA"),
    ("PEK", "SZX"),
    ("SZX", "PEK"),
    ("PEK", "CKG"),
    ("CKG", "PEK"),
    ("PEK", "HGH"),
    ("HGH", "PEK"),
    ("SHA", "CAN"),
    ("CAN", "SHA"),
];

/// Days on which flights are sold.
const DAYS: usize = 320;

thread_local! {
    /// Every search for orders is of another route and day and every order of other people, over all runs of a stage.
    static TAKEN: RefCell<(usize, usize)> = const { RefCell::new((0, 0)) };
}

/// A database in which nothing is sold yet.
pub fn begin() {
    TAKEN.set((0, 0));
}

fn next_route() -> (&'static str, &'static str, u64) {
    let number = TAKEN.with_borrow_mut(|taken| {
        taken.0 += 1;
        taken.0
    });
    assert!(number < ROUTES.len() * DAYS, "the flights of all routes and days are sold");
    route(number)
}

fn route(number: usize) -> (&'static str, &'static str, u64) {
    let (origin, destination) = ROUTES[number % ROUTES.len()];
    (origin, destination, 3 + u64::try_from(number / ROUTES.len() % DAYS).unwrap())
}

fn next_name() -> String {
    let mut number = TAKEN.with_borrow_mut(|taken| {
        taken.1 += 1;
        taken.1
    });
    let mut name = String::from("Zhang");
    for _ in 0..6 {
        name.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
        number /= 26;
    }
    name
}

fn search_body((origin, destination, ahead): (&str, &str, u64)) -> Value {
    let day = (chrono::Utc::now().date_naive() + chrono::Days::new(ahead)).to_string();
    json!({ "slices": [{ "origin": origin, "destination": destination, "departure_date": day }], "passengers": [{ "type": "adult" }] })
}

async fn offers(connection: &mut Connection, key: &str) -> Vec<Value> {
    let (status, found) = connection.json("POST", "/air/offer_requests", key, None, Some(&search_body(next_route()))).await;
    assert_eq!(status, 201, "{found}");
    found["data"]["offers"].as_array().unwrap().clone()
}

fn order_body(offer: &Value) -> Vec<u8> {
    let order = json!({ "data": {
        "type": "instant",
        "selected_offers": [offer["id"]],
        "payments": [{ "type": "arc_bsp_cash", "amount": offer["total_amount"], "currency": offer["total_currency"] }],
        "passengers": [{ "id": offer["passengers"][0]["id"], "title": "ms", "gender": "f", "given_name": "Wei",
            "family_name": next_name(), "born_on": "1990-02-28", "email": "wei@example.com", "phone_number": "+8613800138000" }],
    } });
    order.to_string().into_bytes()
}

/// So many orders, round robin over the sellers.
async fn prepare(stage: &Stage, shape: Shape, count: usize) -> Vec<Prepared> {
    let sellers: &[Seller] = if shape == Shape::Spread { &stage.sellers[..AGENCIES] } else { &stage.sellers[AGENCIES..] };
    let mut connection = Connection::open(stage.port).await;
    let mut prepared: Vec<Prepared> = Vec::with_capacity(count);
    let mut turn = 0;
    while prepared.len() < count {
        let keys = &sellers[turn % sellers.len()].keys;
        let key = &keys[turn / sellers.len() % keys.len()];
        turn += 1;
        let own = |offer: &&Value| {
            let direct = offer["slices"][0]["segments"].as_array().is_some_and(|segments| segments.len() == 1);
            // Cabins in front have too few seats for a load.
            let roomy = offer["slices"][0]["fare_brand_name"].as_str().is_some_and(|brand| brand.starts_with("Economy"));
            direct && roomy && (shape == Shape::Spread || offer["owner"]["iata_code"] == "CA")
        };
        for offer in offers(&mut connection, key).await.iter().filter(own) {
            prepared.extend((0..PER_OFFER).map(|_| Prepared { key: key.clone(), body: order_body(offer) }));
        }
        assert!(turn < 50_000, "too few offers");
    }
    // Neighbours in the list are of one offer: mix them, or every batch would meet on few flights.
    let mut mixed = Vec::with_capacity(prepared.len());
    let stride = 97;
    let mut rest: Vec<Option<Prepared>> = prepared.into_iter().map(Some).collect();
    let length = rest.len();
    for start in 0..stride {
        let mut place = start;
        while place < length {
            mixed.extend(rest[place].take());
            place += stride;
        }
    }
    mixed
}

/// Sells with so many in flight for so long.
pub fn sell(stage: &Stage, in_flight: usize, shape: Shape, seconds: u64) -> Sold {
    let per_second = if in_flight == 1 { 1_000 } else { 6_000 };
    let local = tokio::task::LocalSet::new();
    local.block_on(&stage.runtime, async {
        let orders = prepare(stage, shape, per_second * usize::try_from(seconds).unwrap()).await;
        let orders = Rc::new(RefCell::new(orders.into_iter()));
        let latencies = Rc::new(RefCell::new(Vec::new()));
        let began = Instant::now();
        let until = began + Duration::from_secs(seconds);
        let mut tasks = Vec::new();
        for _ in 0..in_flight {
            let mut connection = Connection::open(stage.port).await;
            let (orders, latencies) = (orders.clone(), latencies.clone());
            tasks.push(tokio::task::spawn_local(async move {
                while Instant::now() < until {
                    let next = orders.borrow_mut().next();
                    let Some(order) = next else { break };
                    let took = send(&mut connection, &order).await;
                    latencies.borrow_mut().push(took);
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        let took = began.elapsed().as_secs_f64();
        let latencies = Rc::try_unwrap(latencies).unwrap().into_inner();
        Sold { per_second: latencies.len() as f64 / took, latencies }
    })
}

async fn send(connection: &mut Connection, order: &Prepared) -> f64 {
    let began = Instant::now();
    // As a good client does: keys that grow with time.
    let once = format!("{:016}", chrono::Utc::now().timestamp_nanos_opt().unwrap());
    let (status, answer) = connection.send("POST", "/air/orders", &order.key, Some(&once), &order.body).await;
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(answer));
    began.elapsed().as_secs_f64() * 1_000.0
}

/// Offer requests per second, one after the other, and the offers that they answered per second.
pub fn search(stage: &Stage, seconds: u64) -> (f64, f64, Vec<f64>) {
    stage.runtime.block_on(async {
        let mut connection = Connection::open(stage.port).await;
        let (mut latencies, mut offers) = (Vec::new(), 0);
        let began = Instant::now();
        while began.elapsed().as_secs() < seconds {
            let key = &stage.sellers[latencies.len() % AGENCIES].keys[0];
            let body = json!({ "data": search_body(route(latencies.len())) }).to_string();
            let asked = Instant::now();
            let (status, answer) = connection.send("POST", "/air/offer_requests", key, None, body.as_bytes()).await;
            assert_eq!(status, 201);
            latencies.push(asked.elapsed().as_secs_f64() * 1_000.0);
            offers += answer.windows(OFFER_ID.len()).filter(|window| *window == OFFER_ID).count();
        }
        let took = began.elapsed().as_secs_f64();
        (latencies.len() as f64 / took, f64::from(u32::try_from(offers).unwrap()) / took, latencies)
    })
}

/// How an offer begins to say its id.
const OFFER_ID: &[u8] = br#""id":"off_"#;

/// From the sale to the bank's confirmation, in milliseconds, at a steady rate.
pub fn sale_to_credit(stage: &Stage, per_second: u64, seconds: u64) -> Vec<f64> {
    let count = usize::try_from(per_second * seconds).unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&stage.runtime, async {
        let orders = prepare(stage, Shape::Spread, count).await;
        let lanes = 32;
        let orders = Rc::new(RefCell::new(orders.into_iter().take(count).enumerate()));
        let began = Instant::now();
        let mut tasks = Vec::new();
        for _ in 0..lanes {
            let mut connection = Connection::open(stage.port).await;
            let orders = orders.clone();
            tasks.push(tokio::task::spawn_local(async move {
                loop {
                    let next = orders.borrow_mut().next();
                    let Some((place, order)) = next else { break };
                    let due = began + Duration::from_secs_f64(place as f64 / per_second as f64);
                    tokio::time::sleep_until(due.into()).await;
                    send(&mut connection, &order).await;
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        confirmed(stage, count).await
    })
}

/// What the newest payments say of themselves. One that is not confirmed counts as long as it has waited.
async fn confirmed(stage: &Stage, count: usize) -> Vec<f64> {
    let mut connection = Connection::open(stage.port).await;
    let mut path = "/v1/disbursements?limit=200".to_owned();
    let mut latencies = Vec::with_capacity(count);
    while latencies.len() < count {
        let (status, found) = connection.json("GET", &path, &stage.operator, None, None).await;
        assert_eq!(status, 200, "{found}");
        for row in found["data"].as_array().unwrap() {
            latencies.push(row["sale_to_credit_millis"].as_f64().unwrap_or(60_000.0));
        }
        let Some(after) = found["meta"]["after"].as_str() else { break };
        path = format!("/v1/disbursements?limit=200&after={after}");
    }
    latencies.truncate(count);
    latencies
}
