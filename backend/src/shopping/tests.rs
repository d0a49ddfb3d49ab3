use super::fare_line::fare_calculation;
use super::offer::{Cabin, PassengerKind, PricedOffer};
use super::price::{RepriceRefusal, bucket_ids, reprice, seats_needed, segment_taxes};
use super::request::{SearchPassenger, SearchRefusal, SearchRequest, SearchSlice};
use super::search::{Candidates, MOST_OFFERS, candidates};
use crate::catalogue::BucketId;
use crate::catalogue::tests::{catalogue, date};
use crate::clock::Timestamp;
use chrono::{Duration, NaiveDateTime};
use std::collections::HashMap;

const ADULT: SearchPassenger = SearchPassenger { kind: PassengerKind::Adult, age: None };
const CHILD: SearchPassenger = SearchPassenger { kind: PassengerKind::Child, age: None };
const INFANT: SearchPassenger = SearchPassenger { kind: PassengerKind::Infant, age: None };

fn at(text: &str) -> Timestamp {
    Timestamp::from(NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").unwrap())
}

fn now() -> Timestamp {
    at("2026-11-22T02:00")
}

fn slice(origin: &str, destination: &str, departure_date: &str) -> SearchSlice {
    SearchSlice { origin: origin.into(), destination: destination.into(), departure_date: date(departure_date) }
}

fn one_way(origin: &str, destination: &str) -> SearchRequest {
    let slices = vec![slice(origin, destination, "2026-12-08")];
    SearchRequest { slices, passengers: vec![ADULT], cabin: None, max_connections: 0 }
}

fn there_and_back(origin: &str, destination: &str) -> SearchRequest {
    let slices = vec![slice(origin, destination, "2026-12-08"), slice(destination, origin, "2026-12-11")];
    SearchRequest { slices, ..one_way(origin, destination) }
}

fn search(request: &SearchRequest) -> Vec<PricedOffer> {
    candidates(catalogue(), request, now()).unwrap().price(catalogue(), &HashMap::new(), now())
}

fn total(offer: &PricedOffer) -> i64 {
    offer.total().unwrap().minor
}

fn refusal(request: &SearchRequest) -> SearchRefusal {
    candidates(catalogue(), request, now()).unwrap_err()
}

#[test]
fn beijing_to_shanghai_has_every_brand_of_several_carriers_cheapest_first() {
    for request in [one_way("PEK", "SHA"), one_way("BJS", "SHA")] {
        let offers = search(&request);
        assert!(offers.len() > 20 && offers.len() <= MOST_OFFERS, "{}", offers.len());
        assert!(offers.windows(2).all(|pair| total(&pair[0]) <= total(&pair[1])));
        for carrier in ["CA", "MU"] {
            assert!(offers.iter().any(|offer| offer.carrier == carrier));
        }
        for brand in ["Economy Saver", "Economy Flex", "Business", "First"] {
            assert!(offers.iter().any(|offer| offer.slices[0].fare_brand == brand), "{brand}");
        }
        assert!(offers.iter().all(|offer| offer.demo && offer.currency == "CNY"));
    }
}

#[test]
fn the_same_search_gives_the_same_answer() {
    assert_eq!(search(&there_and_back("BJS", "SHA")), search(&there_and_back("BJS", "SHA")));
}

#[test]
fn an_adult_pays_fare_fund_and_surcharge() {
    let offers = search(&one_way("PEK", "SHA"));
    let half = offers.iter().find(|offer| offer.slices[0].segments[0].booking_class == 'G').unwrap();
    let passenger = &half.passengers[0];
    assert_eq!((passenger.base_minor, total(half)), (95_000, 102_000));
    let taxes: Vec<_> = passenger.taxes.iter().map(|tax| (tax.code.as_str(), tax.minor, tax.payee.as_str())).collect();
    assert_eq!(taxes, [("CN", 5_000, "CAAC"), ("YQ", 2_000, half.carrier.as_str())]);
    assert_eq!(passenger.coupons[0].fare_basis, "G50");
    let line = fare_calculation(catalogue(), half, passenger).unwrap();
    assert_eq!(line, format!("BJS {} SHA950.00CNY950.00END", half.carrier));
}

#[test]
fn families_pay_by_kind_and_infants_take_no_seat() {
    let twelve = SearchPassenger { age: Some(12), ..ADULT };
    let passengers = vec![ADULT, twelve, CHILD, INFANT];
    let offers = search(&SearchRequest { passengers, ..one_way("PEK", "SHA") });
    let offer = &offers[0];
    assert_eq!(seats_needed(offer), 3);
    let [adult, twelve, child, infant] = &offer.passengers[..] else { panic!("four passengers") };
    assert_eq!(adult.base_minor, twelve.base_minor);
    assert_eq!((child.base_minor, infant.base_minor), (95_000, 19_000), "half and a tenth of the full fare of 1900");
    let taxed =
        |passenger: &super::offer::PricedPassenger| passenger.taxes.iter().map(|tax| tax.code.clone()).collect::<String>();
    assert_eq!([taxed(adult), taxed(twelve), taxed(child), taxed(infant)], ["CNYQ", "YQ", "YQ", ""]);
    assert_eq!(infant.coupons[0].fare_basis, "YIN10");
}

#[test]
fn only_leaving_the_mainland_costs_the_fund() {
    let offers = search(&there_and_back("PEK", "HKG"));
    let taxes = &offers[0].passengers[0].taxes;
    assert_eq!(taxes.iter().find(|tax| tax.code == "CN").unwrap().minor, 9_000);
    let each = |index: usize| {
        let segment = offers[0].segments().nth(index).unwrap();
        segment_taxes(catalogue(), segment, PassengerKind::Adult, None, date("2026-11-22")).unwrap()
    };
    let sum: i64 = each(0).iter().chain(&each(1)).map(|tax| tax.minor).sum();
    assert_eq!(sum, taxes.iter().map(|tax| tax.minor).sum::<i64>(), "the taxes of the ticket are those of its segments");
}

#[test]
fn a_return_is_on_one_carrier_and_in_one_brand() {
    let offers = search(&there_and_back("PEK", "SHA"));
    assert_eq!(offers.len(), MOST_OFFERS);
    for offer in &offers {
        assert!(offer.segments().all(|segment| segment.carrier == offer.carrier));
        assert_eq!(offer.slices[0].fare_brand, offer.slices[1].fare_brand);
        let line = fare_calculation(catalogue(), offer, &offer.passengers[0]).unwrap();
        assert!(line.starts_with(&format!("BJS {} SHA", offer.carrier)) && line.ends_with("END"), "{line}");
    }
}

#[test]
fn a_return_on_one_day_leaves_time_to_turn_round() {
    let mut request = there_and_back("PEK", "SHA");
    request.slices[1].departure_date = request.slices[0].departure_date;
    let offers = search(&request);
    assert!(!offers.is_empty());
    for offer in offers {
        let segments: Vec<_> = offer.segments().collect();
        assert!(segments[1].departing_at - segments[0].arriving_at >= Duration::minutes(60));
    }
}

#[test]
fn connections_are_on_one_carrier_with_time_to_change_and_shares_by_distance() {
    let request = SearchRequest { max_connections: 1, ..there_and_back("HRB", "WUH") };
    assert!(search(&SearchRequest { max_connections: 0, ..request.clone() }).is_empty(), "there is no direct flight");
    let offers = search(&request);
    assert!(!offers.is_empty());
    for offer in &offers {
        assert_eq!(offer.segments().count(), 4, "one ticket");
        for slice in &offer.slices {
            let wait = slice.segments[1].departing_at - slice.segments[0].arriving_at;
            assert!(wait >= Duration::minutes(75) && wait <= Duration::hours(8), "{wait}");
            assert_eq!(slice.segments[0].destination, slice.segments[1].origin);
        }
        let passenger = &offer.passengers[0];
        assert_eq!(passenger.coupons.iter().map(|coupon| coupon.base_minor).sum::<i64>(), passenger.base_minor);
        let longest = offer.slices[0].segments[0].distance_km > offer.slices[0].segments[1].distance_km;
        assert_eq!(longest, passenger.coupons[0].base_minor > passenger.coupons[1].base_minor);
        assert!(fare_calculation(catalogue(), offer, passenger).unwrap().contains(" X/"));
    }
}

#[test]
fn seats_that_are_sold_move_an_itinerary_up_the_ladder_and_out() {
    let request = SearchRequest { cabin: Some(Cabin::Economy), ..one_way("SZX", "NTG") };
    let found = candidates(catalogue(), &request, now()).unwrap();
    let price = |sold: &HashMap<BucketId, i64>| found.price(catalogue(), sold, now());
    let mut sold = HashMap::new();
    let mut last = 0;
    let mut steps = 0;
    while let Some(offer) = price(&sold).first() {
        let [(bucket, seats)] = bucket_ids(catalogue(), offer, now()).unwrap()[..] else { panic!("one flight") };
        assert!(found.bucket_ids().contains(&bucket), "the first phase named every bucket that the second one uses");
        assert!(offer.passengers[0].base_minor > last, "the next class is dearer");
        last = offer.passengers[0].base_minor;
        sold.insert(bucket, seats - 1);
        assert_eq!(price(&sold).first().map(total), Some(total(offer)), "one seat is enough for one passenger");
        sold.insert(bucket, seats);
        steps += 1;
        assert!(steps < 20);
    }
    assert!(steps >= 8, "{steps} economy classes");
}

#[test]
fn an_offer_needs_seats_for_everyone_who_sits() {
    let request = SearchRequest { cabin: Some(Cabin::Business), passengers: vec![ADULT; 9], ..one_way("SZX", "NTG") };
    assert!(search(&request).is_empty(), "eight seats in business");
    let eight = SearchRequest { passengers: [vec![ADULT; 8], vec![INFANT; 8]].concat(), ..request };
    assert_eq!(search(&eight).len(), 1);
}

#[test]
fn sales_close_an_hour_before_departure() {
    let request = SearchRequest { slices: vec![slice("PEK", "SHA", "2026-11-23")], ..one_way("PEK", "SHA") };
    let first_flight = |now: Timestamp| {
        let offers = candidates(catalogue(), &request, now).unwrap().price(catalogue(), &HashMap::new(), now);
        offers.iter().any(|offer| offer.carrier == "CA" && offer.slices[0].segments[0].flight_number == 1501)
    };
    assert!(first_flight(at("2026-11-22T22:00")), "07:00 in Beijing is 23:00 UTC");
    assert!(!first_flight(at("2026-11-22T22:01")));
    let found = candidates(catalogue(), &request, at("2026-11-22T21:00")).unwrap();
    let later = found.price(catalogue(), &HashMap::new(), at("2026-11-23T23:00"));
    assert!(later.is_empty(), "the second phase looks at the clock again");
}

#[test]
fn repricing_an_unchanged_offer_gives_it_back() {
    let passengers = vec![ADULT, CHILD, INFANT];
    for request in [one_way("PEK", "SHA"), there_and_back("PVG", "NRT"), there_and_back("PEK", "LHR")] {
        let offers = search(&SearchRequest { passengers: passengers.clone(), max_connections: 1, ..request });
        assert!(!offers.is_empty());
        for offer in offers {
            assert_eq!(reprice(catalogue(), &offer, now()).as_ref(), Ok(&offer));
        }
    }
}

#[test]
fn repricing_says_what_has_changed() {
    let offer = search(&one_way("PEK", "SHA")).into_iter().find(|offer| offer.carrier == "CA").unwrap();
    let changed = |change: fn(&mut PricedOffer)| {
        let mut stale = offer.clone();
        change(&mut stale);
        reprice(catalogue(), &stale, now()).unwrap_err()
    };
    let other_fare = changed(|offer| offer.passengers[0].base_minor += 100);
    assert_eq!(other_fare, RepriceRefusal::FareChanged { offer: Box::new(offer.clone()) }, "with the journey at today's price");
    let gone = changed(|offer| offer.slices[0].segments[0].flight_number = 9_999);
    assert!(matches!(gone, RepriceRefusal::FlightGone { .. }));
    let moved = changed(|offer| offer.slices[0].segments[0].departing_at += Duration::minutes(5));
    assert!(matches!(moved, RepriceRefusal::ScheduleChanged { .. }));
    let class = changed(|offer| offer.slices[0].segments[0].booking_class = 'X');
    assert!(matches!(class, RepriceRefusal::FareGone { class: 'X', .. }));
    assert_eq!(changed(|offer| offer.slices.clear()), RepriceRefusal::NotAnOffer);
    let local = offer.slices[0].segments[0].departing_at;
    let departs = Timestamp::from(local - Duration::hours(8));
    assert!(reprice(catalogue(), &offer, departs.plus(Duration::minutes(-60))).is_ok());
    let minutes_before = |minutes: i64| reprice(catalogue(), &offer, departs.plus(Duration::minutes(-minutes))).unwrap_err();
    assert!(matches!(minutes_before(59), RepriceRefusal::Closed { .. }));
    assert!(matches!(minutes_before(0), RepriceRefusal::Departed { .. }));
}

#[test]
fn what_cannot_be_searched_is_refused_with_its_field() {
    let field = |request: SearchRequest| refusal(&request).field();
    let good = || one_way("PEK", "SHA");
    let on = |day: &str| SearchRequest { slices: vec![slice("PEK", "SHA", day)], ..good() };
    let with = |passengers: Vec<SearchPassenger>| refusal(&SearchRequest { passengers, ..good() });
    assert_eq!(field(one_way("QQQ", "SHA")), "slices/0/origin");
    assert_eq!(field(one_way("PEK", "shanghai")), "slices/0/destination");
    assert_eq!(refusal(&one_way("PEK", "PKX")), SearchRefusal::SamePlace { slice: 0 });
    assert_eq!(refusal(&on("2026-11-21")), SearchRefusal::DateInPast { slice: 0 });
    assert!(candidates(catalogue(), &on("2027-10-18"), now()).is_ok(), "330 days");
    assert_eq!(refusal(&on("2027-10-19")), SearchRefusal::DateTooFar { slice: 0 });
    assert_eq!(field(SearchRequest { slices: vec![], ..good() }), "slices");
    assert_eq!(refusal(&SearchRequest { max_connections: 2, ..good() }), SearchRefusal::TooManyConnections);
    let nine = vec![slice("PEK", "SHA", "2026-12-08"); 9];
    assert_eq!(refusal(&SearchRequest { slices: nine, ..good() }), SearchRefusal::TooManyCoupons);
    let backwards = vec![slice("PEK", "SHA", "2026-12-08"), slice("PVG", "PKX", "2026-12-07")];
    assert_eq!(refusal(&SearchRequest { slices: backwards, ..good() }), SearchRefusal::BeforeSlice { slice: 1 });
    assert_eq!(with(vec![]), SearchRefusal::NoPassengers);
    assert_eq!(with(vec![CHILD]), SearchRefusal::NoAdult);
    assert_eq!(with(vec![ADULT, INFANT, INFANT]), SearchRefusal::TooManyInfants);
    assert_eq!(with(vec![ADULT; 10]), SearchRefusal::TooManyPassengers);
    assert_eq!(with(vec![ADULT, SearchPassenger { age: Some(12), ..CHILD }]), SearchRefusal::AgeDoesNotFit { passenger: 1 });
}

/// Beijing and Shanghai in turn, every other day.
fn through_several_places(slices: u64) -> SearchRequest {
    let slices = (0..slices).map(|place| {
        let ends = if place % 2 == 0 { ["BJS", "SHA"] } else { ["SHA", "BJS"] };
        SearchSlice { departure_date: date("2026-12-08") + chrono::Days::new(2 * place), ..slice(ends[0], ends[1], "2026-12-08") }
    });
    SearchRequest { slices: slices.collect(), ..one_way("BJS", "SHA") }
}

#[test]
fn a_journey_through_several_places_is_on_one_carrier_and_in_one_brand() {
    for count in [3, 5, 8] {
        let offers = search(&through_several_places(count));
        assert!(!offers.is_empty() && offers.len() <= MOST_OFFERS, "{count} slices: {}", offers.len());
        assert!(offers.windows(2).all(|pair| total(&pair[0]) <= total(&pair[1])));
        for offer in &offers {
            assert_eq!(u64::try_from(offer.slices.len()).unwrap(), count);
            assert!(offer.segments().all(|segment| segment.carrier == offer.carrier));
            assert!(offer.slices.iter().all(|slice| slice.fare_brand == offer.slices[0].fare_brand));
            assert_eq!(offer.passengers[0].coupons.len(), offer.segments().count());
            assert_eq!(
                offer.passengers[0].coupons.iter().map(|coupon| coupon.base_minor).sum::<i64>(),
                offer.passengers[0].base_minor
            );
            assert_eq!(reprice(catalogue(), offer, now()).as_ref(), Ok(offer));
        }
    }
}

#[test]
fn the_cheapest_way_through_several_places_is_the_cheapest_of_each_slice() {
    let request = through_several_places(4);
    let alone = |index: usize| {
        let slices = vec![request.slices[index].clone()];
        let offers = search(&SearchRequest { slices, ..request.clone() });
        let cheapest = |carrier: &str, brand: &str| {
            let of = offers.iter().filter(|offer| offer.carrier == carrier && offer.slices[0].fare_brand == brand);
            of.map(total).min()
        };
        ["CA", "MU"].map(|carrier| cheapest(carrier, "Economy Saver"))
    };
    let offers = search(&request);
    let found = ["CA", "MU"].map(|carrier| offers.iter().filter(|offer| offer.carrier == carrier).map(total).min());
    for (place, found) in found.into_iter().enumerate() {
        let sum: Option<i64> = (0..4).map(|index| alone(index)[place]).sum();
        if let (Some(found), Some(sum)) = (found, sum) {
            assert_eq!(found, sum, "days apart every flight fits behind every other");
        }
    }
    assert!(offers.iter().any(|offer| ["CA", "MU"].contains(&offer.carrier.as_str())));
}

#[test]
fn slices_of_one_day_leave_time_to_turn_round() {
    let mut request = through_several_places(3);
    request.slices.iter_mut().for_each(|slice| slice.departure_date = date("2026-12-08"));
    let offers = search(&request);
    assert!(!offers.is_empty());
    for offer in &offers {
        let segments: Vec<_> = offer.segments().collect();
        let waits = segments.windows(2).map(|pair| pair[1].departing_at - pair[0].arriving_at);
        assert!(waits.into_iter().all(|wait| wait >= Duration::minutes(45)), "{offer:?}");
    }
}

#[test]
fn a_search_is_quick_even_without_optimisation() {
    let passengers = vec![ADULT, ADULT, CHILD, INFANT];
    for (slices, most_millis) in [(there_and_back("BJS", "SHA").slices, 1_000), (through_several_places(8).slices, 4_000)] {
        let request = SearchRequest { passengers: passengers.clone(), max_connections: 1, slices, ..one_way("BJS", "SHA") };
        search(&request);
        let started = std::time::Instant::now();
        let found: Candidates = candidates(catalogue(), &request, now()).unwrap();
        let offers = found.price(catalogue(), &HashMap::new(), now());
        assert_eq!(offers.len(), MOST_OFFERS);
        assert!(started.elapsed().as_millis() < most_millis, "{:?}", started.elapsed());
    }
}
