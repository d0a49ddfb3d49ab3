//! The search on a large network: 300 airports, 5,000 flights a day and 200,000 fares, made by a rule so that it is the same every time. The first
//! test checks what is found; the second one, which is run by hand in a release build, prints how long it takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use airsettle::catalogue::{BucketId, Catalogue, Sources};
use airsettle::clock::Timestamp;
use airsettle::shopping::offer::{PassengerKind, PricedOffer};
use airsettle::shopping::price::reprice;
use airsettle::shopping::request::{SearchPassenger, SearchRequest, SearchSlice};
use airsettle::shopping::search::candidates;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const AIRPORTS: usize = 300;
const FLIGHTS: usize = 5_000;
const HUBS: usize = 30;
const CARRIERS: [&str; 13] = ["CA", "MU", "CZ", "HU", "3U", "ZH", "MF", "HO", "SC", "9C", "FM", "KY", "GS"];

/// Texts in the form of the fixtures.
struct Network {
    airports: String,
    flights: String,
    city_pairs: String,
    codes: Vec<String>,
}

/// A number below `size` that has nothing to do with its neighbours, by Fibonacci hashing: the same every time.
fn scattered(index: usize, size: usize) -> usize {
    let mixed = u64::try_from(index + 1).unwrap().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    usize::try_from(mixed).unwrap() % size
}

impl Network {
    fn new() -> Self {
        let mut airports = "iata,name,city,city_code,country,lat,lon,tz,city_zh\n".to_owned();
        let mut codes = Vec::new();
        for index in 0..AIRPORTS {
            let letter = |value: usize| char::from(b'A' + u8::try_from(value % 26).unwrap());
            let code: String = ['X', letter(index / 26), letter(index)].into_iter().collect();
            let latitude = 20.0 + f64::from(u32::try_from(scattered(index, 250)).unwrap()) / 10.0;
            let longitude = 90.0 + f64::from(u32::try_from(scattered(index * 3, 350)).unwrap()) / 10.0;
            writeln!(airports, "{code},Airport {code},City {code},{code},CN,{latitude},{longitude},Asia/Shanghai,").unwrap();
            codes.push(code);
        }
        let mut network = Network { airports, flights: String::new(), city_pairs: String::new(), codes };
        network.connect();
        network
    }

    /// Hubs to everywhere and to each other. Each hub is one carrier's; its flights come in before noon and go out after it, so that they connect.
    fn connect(&mut self) {
        self.flights.push_str("carrier,number,origin,destination,departs,block_minutes,aircraft,weekdays\n");
        self.city_pairs.push_str("carrier,origin,destination,distance_km,full_fare_cny,effective_from,effective_until,service\n");
        let mut pairs = BTreeSet::new();
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        for index in 0..FLIGHTS / 2 {
            let hub = index % HUBS;
            let other =
                if scattered(index, 5) == 0 { scattered(index * 7, HUBS) } else { HUBS + scattered(index, AIRPORTS - HUBS) };
            let other = if other == hub { (hub + 1) % HUBS } else { other };
            let carrier = CARRIERS[hub % CARRIERS.len()];
            let number = numbers.entry(carrier).or_insert(1_001);
            let (from, to) = (&self.codes[hub], &self.codes[other]);
            let minutes = 60 + scattered(index, 120);
            for (number, from, to, hour) in [(*number, from, to, 13 + index % 5), (*number + 1, to, from, 6 + index % 3)] {
                let minute = scattered(index, 12) * 5;
                writeln!(self.flights, "{carrier},{number},{from},{to},{hour:02}:{minute:02},{minutes},320,1234567").unwrap();
            }
            *number += 2;
            pairs.insert((hub.min(other), hub.max(other)));
        }
        // The carriers file their own fares on every pair until there are enough of them.
        let classes = 13;
        let filed = 200_000 / classes - pairs.len();
        for (index, (one, other)) in pairs.iter().cycle().take(filed + pairs.len()).enumerate() {
            let carrier = if index < pairs.len() { "*" } else { CARRIERS[index / pairs.len() - 1] };
            let (km, fare) = (400 + scattered(index, 2_000), (60 + scattered(index, 200)) * 10);
            let (one, other) = (&self.codes[*one], &self.codes[*other]);
            writeln!(self.city_pairs, "{carrier},{one},{other},{km},{fare},2025-01-01,,domestic").unwrap();
        }
    }

    fn read(&self) -> Catalogue {
        let (airports, flights, city_pairs) = (self.airports.as_str(), self.flights.as_str(), self.city_pairs.as_str());
        let airport_names = "iata,name_zh\n";
        Catalogue::read(&Sources { airports, airport_names, flights, city_pairs, ..Sources::embedded() }).unwrap()
    }

    /// Returns between places all over the network, with connections and for different parties.
    fn request(&self, index: usize) -> SearchRequest {
        let adult = SearchPassenger { kind: PassengerKind::Adult, age: None };
        let child = SearchPassenger { kind: PassengerKind::Child, age: None };
        let party = [vec![adult], vec![adult, adult], vec![adult, adult, child]].into_iter().nth(index % 3).unwrap();
        let (from, to) = (scattered(index, AIRPORTS), scattered(index * 5 + 1, AIRPORTS));
        let to = if from == to { (to + 1) % AIRPORTS } else { to };
        let slice = |from: usize, to: usize, day: &str| SearchSlice {
            origin: self.codes[from].clone(),
            destination: self.codes[to].clone(),
            departure_date: day.parse().unwrap(),
        };
        let there_and_back = vec![slice(from, to, "2026-12-15"), slice(to, from, "2026-12-20")];
        let slices = if index.is_multiple_of(4) { there_and_back[..1].to_vec() } else { there_and_back };
        SearchRequest { slices, passengers: party, cabin: None, max_connections: 1 }
    }
}

fn now() -> Timestamp {
    Timestamp::from("2026-11-22T02:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap())
}

fn search(catalogue: &Catalogue, request: &SearchRequest, sold: &HashMap<BucketId, i64>) -> Vec<PricedOffer> {
    candidates(catalogue, request, now()).unwrap().price(catalogue, sold, now())
}

#[test]
fn a_large_network_is_read_and_searched() {
    let network = Network::new();
    let catalogue = network.read();
    assert_eq!((catalogue.airports.all().len(), catalogue.schedules.flights().len()), (AIRPORTS, FLIGHTS));
    assert!(catalogue.fares.count() >= 199_000, "{}", catalogue.fares.count());
    let mut found = 0;
    for index in 0..20 {
        let offers = search(&catalogue, &network.request(index), &HashMap::new());
        found += usize::from(!offers.is_empty());
        for offer in offers {
            assert_eq!(reprice(&catalogue, &offer, now()), Ok(offer.clone()));
        }
    }
    assert!(found >= 5, "{found} of 20 searches found something");
}

#[test]
#[ignore = "measures: run it in a release build on a quiet machine"]
fn how_long_a_search_takes() {
    let network = Network::new();
    let started = Instant::now();
    let catalogue = network.read();
    println!("read {} airports, {} flights, {} fares in {:?}", AIRPORTS, FLIGHTS, catalogue.fares.count(), started.elapsed());
    let demo = Catalogue::load().unwrap();
    let slice = |from: &str, to: &str, day: &str| SearchSlice {
        origin: from.to_owned(),
        destination: to.to_owned(),
        departure_date: day.parse().unwrap(),
    };
    let beijing = SearchRequest {
        slices: vec![slice("BJS", "SHA", "2026-12-15"), slice("SHA", "BJS", "2026-12-20")],
        passengers: network.request(2).passengers,
        cabin: None,
        max_connections: 1,
    };
    let mut large = Vec::new();
    let (mut offers, mut buckets) = (0, 0);
    for index in 0..2_000 {
        let request = network.request(index);
        let started = Instant::now();
        offers += search(&catalogue, &request, &HashMap::new()).len();
        large.push(started.elapsed());
        buckets += candidates(&catalogue, &request, now()).unwrap().bucket_ids().len();
    }
    print("large network", &mut large);
    println!("{} offers and {} seat buckets per search", offers / 2_000, buckets / 2_000);
    let mut busy = Vec::new();
    for _ in 0..500 {
        let started = Instant::now();
        assert!(!search(&demo, &beijing, &HashMap::new()).is_empty());
        busy.push(started.elapsed());
    }
    print("Beijing to Shanghai and back", &mut busy);
    // What it promises is a matter of an optimised build.
    let fast = percentile(&large, 50) < Duration::from_millis(10) && percentile(&large, 99) < Duration::from_millis(50);
    assert!(fast || cfg!(debug_assertions));
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]
}

fn print(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    println!("{what}: p50 {:?}, p99 {:?}, most {:?}", percentile(times, 50), percentile(times, 99), percentile(times, 100));
}
