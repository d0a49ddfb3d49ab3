//! Fare rules, private fares and new prices, as a search and an order meet them.

use super::fare_line::fare_calculation;
use super::offer::PricedOffer;
use super::price::{RepriceRefusal, bucket_ids, reprice};
use super::repricing::{PriceChange, changes, price_again, wanted_buckets};
use super::search::candidates;
use super::tariff::{Tariff, codes_of};
use super::tests::{ADULT, CHILD, INFANT, now, one_way, search, slice, there_and_back};
use crate::catalogue::fare_rules::FareRuleRefusal;
use crate::catalogue::private_fares::{Adjustment, NewPrivateFare, PrivateFare, PrivateFareKind, PrivateFares};
use crate::catalogue::tests::{catalogue, date};
use crate::catalogue::{BookingClass, BucketId, CarrierCode, Period};
use crate::clock::Timestamp;
use crate::ids::{AgencyId, Id, PrivateFareId};
use crate::money::{Currency, Money};
use crate::shopping::request::{SearchPassenger, SearchRequest};
use chrono::Duration;
use proptest::prelude::*;
use std::collections::HashMap;

fn classes(offers: &[PricedOffer]) -> String {
    let mut letters: Vec<char> = offers.iter().flat_map(PricedOffer::segments).map(|segment| segment.booking_class).collect();
    letters.sort_unstable();
    letters.dedup();
    letters.into_iter().collect()
}

fn on(day: &str) -> SearchRequest {
    SearchRequest { slices: vec![slice("PEK", "SHA", day)], ..one_way("PEK", "SHA") }
}

#[test]
fn the_lowest_classes_have_to_be_bought_in_time() {
    assert!(classes(&search(&on("2026-12-06"))).contains('W'), "fourteen days ahead");
    let later = classes(&search(&on("2026-12-05")));
    assert!(!later.contains(['S', 'W']) && later.contains('G'), "{later}");
    let tomorrow = classes(&search(&on("2026-11-23")));
    assert!(!tomorrow.contains(['Q', 'Z', 'G', 'S', 'W']) && tomorrow.contains('M'), "{tomorrow}");
}

#[test]
fn the_most_restrictive_rule_of_a_combination_wins() {
    // Class W goes home fourteen days from now, but the journey begins before.
    let mut request = there_and_back("PEK", "SHA");
    request.slices[0].departure_date = date("2026-11-26");
    request.slices[1].departure_date = date("2026-12-10");
    assert!(!classes(&search(&request)).contains(['S', 'W', 'G']));
    // A stay of one day is too short for W in either direction, and long enough for G.
    let mut request = there_and_back("PEK", "SHA");
    request.slices[1].departure_date = date("2026-12-09");
    let found = classes(&search(&request));
    assert!(!found.contains(['S', 'W']) && found.contains('G'), "{found}");
}

#[test]
fn a_group_buys_the_classes_that_take_groups() {
    let found = search(&SearchRequest { passengers: vec![ADULT; 10], ..one_way("PEK", "SHA") });
    assert!(!found.is_empty());
    assert!(classes(&found).chars().all(|class| "YBH".contains(class)), "{}", classes(&found));
}

#[test]
fn an_offer_whose_rule_has_lapsed_is_refused_and_moves_up_when_it_is_priced_again() {
    let offer = search(&on("2026-12-06")).into_iter().find(|offer| classes(std::slice::from_ref(offer)) == "W").unwrap();
    let tomorrow = now().plus(Duration::days(1));
    let days = FareRuleRefusal::AdvancePurchase { class: BookingClass::parse('W').unwrap(), days: 14 };
    assert_eq!(reprice(catalogue(), &offer, tomorrow), Err(RepriceRefusal::RuleNotMet(days)));
    let priced = price_again(catalogue(), &offer, &HashMap::new(), tomorrow).unwrap();
    assert_eq!(classes(std::slice::from_ref(&priced)), "G", "S has the same rule");
    assert!(changes(&offer, &priced).contains(&PriceChange::BookingClass { slice: 0, segment: 0, before: 'W', after: 'G' }));
    assert_eq!(reprice(catalogue(), &priced, tomorrow), Ok(priced.clone()), "what was priced can be ordered");
}

#[test]
fn a_new_price_knows_the_seats_of_every_class_that_it_may_move_to() {
    let offer = search(&SearchRequest { cabin: Some(super::offer::Cabin::Economy), ..one_way("SZX", "NTG") }).remove(0);
    let wanted = wanted_buckets(catalogue(), &offer, now()).unwrap();
    let mut sold: HashMap<BucketId, i64> = HashMap::new();
    let mut current = offer.clone();
    let mut last = 0;
    loop {
        let [(bucket, seats)] = bucket_ids(catalogue(), &current, now()).unwrap()[..] else { panic!("one flight") };
        assert!(wanted.contains(&bucket));
        sold.insert(bucket, seats);
        match price_again(catalogue(), &offer, &sold, now()) {
            Ok(next) => {
                assert!(next.passengers[0].base_minor > last);
                last = next.passengers[0].base_minor;
                current = next;
            }
            Err(refusal) => {
                assert!(matches!(refusal, RepriceRefusal::SoldOut { .. }), "{refusal}");
                break;
            }
        }
    }
    assert_eq!(classes(&[current]), "Y", "the dearest class of the cabin is the last one");
}

fn private(adjustment: Adjustment, classes: &str) -> PrivateFares {
    let filed = NewPrivateFare {
        agency: AgencyId::of(1),
        code: "NEG1".to_owned(),
        kind: PrivateFareKind::Negotiated,
        carrier: CarrierCode::parse("CA").unwrap(),
        origin: "BJS".to_owned(),
        destination: "SHA".to_owned(),
        classes: classes.chars().map(|class| BookingClass::parse(class).unwrap()).collect(),
        adjustment,
        least_travellers: 1,
        effective: Period { from: date("2026-11-01"), until: None },
        travel_from: None,
        travel_until: None,
    };
    let created_at = now().naive();
    let fare = PrivateFare { id: PrivateFareId::of(1), version: 1, filed, created_at };
    PrivateFares::in_force(vec![fare], date("2026-11-22"), &[])
}

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn with(private: &PrivateFares, request: &SearchRequest) -> Vec<PricedOffer> {
    let tariff = Tariff { catalogue: catalogue(), private };
    candidates(catalogue(), request, now()).unwrap().price(tariff, &HashMap::new(), now())
}

#[test]
fn a_private_fare_is_in_the_price_the_fare_basis_and_the_fare_calculation() {
    let fares = private(Adjustment::PercentOff(10), "G");
    let request = SearchRequest { passengers: vec![ADULT, CHILD, INFANT], ..one_way("PEK", "SHA") };
    let offers = with(&fares, &request);
    let offer = offers.iter().find(|offer| !codes_of(offer).is_empty()).unwrap();
    let [adult, child, infant] = &offer.passengers[..] else { panic!("three passengers") };
    assert_eq!(
        (adult.base_minor, child.base_minor, infant.base_minor),
        (85_500, 95_000, 19_000),
        "children pay published shares"
    );
    assert_eq!(adult.coupons[0].fare_basis, "G50/NEG1");
    assert_eq!(fare_calculation(catalogue(), offer, adult).unwrap(), "BJS CA SHA855.00CNY855.00END");
    assert_eq!(codes_of(offer), [(CarrierCode::parse("CA").unwrap(), "NEG1".to_owned())]);
    let tariff = Tariff { catalogue: catalogue(), private: &fares };
    assert_eq!(reprice(tariff, offer, now()).as_ref(), Ok(offer));
    assert!(
        matches!(reprice(catalogue(), offer, now()), Err(RepriceRefusal::FareChanged { .. })),
        "not without the private fare"
    );
}

#[test]
fn a_dear_class_with_a_low_private_fare_is_the_lowest() {
    let fares = private(Adjustment::Fixed(cny("300.00")), "Y");
    let offers = with(&fares, &one_way("PEK", "SHA"));
    let cheapest = &offers[0];
    assert_eq!((cheapest.passengers[0].base_minor, cheapest.slices[0].segments[0].booking_class), (30_000, 'Y'));
    assert_eq!(cheapest.carrier, "CA");
}

#[test]
fn a_return_on_a_private_fare_reads_half_by_half() {
    let fares = private(Adjustment::AmountOff(cny("50.00")), "FCYBHKLMQZGSW");
    let offer = with(&fares, &there_and_back("PEK", "SHA")).into_iter().find(|offer| offer.carrier == "CA").unwrap();
    let passenger = &offer.passengers[0];
    let [there, back] = &passenger.coupons[..] else { panic!("two coupons") };
    let yuan = |minor: i64| Money::new(minor, Currency::CNY).to_string();
    let line = fare_calculation(catalogue(), &offer, passenger).unwrap();
    let halves = (yuan(there.base_minor), yuan(back.base_minor), yuan(passenger.base_minor));
    assert_eq!(line, format!("BJS CA SHA{} CA BJS{}CNY{}END", halves.0, halves.1, halves.2));
}

/// The amounts in a fare calculation before the currency, and the sum behind it, in minor units.
fn figures(line: &str) -> (Vec<i64>, i64) {
    let (fares, sum) = line.strip_suffix("END").unwrap().rsplit_once("CNY").unwrap();
    let minor = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    let amounts = fares.split(' ').filter_map(|word| {
        let at = word.find(|letter: char| letter.is_ascii_digit())?;
        let end = word[at..].find('/').map_or(word.len(), |slash| at + slash);
        word[at..end].contains('.').then(|| minor(&word[at..end]))
    });
    (amounts.collect(), minor(sum))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is searched: coupons add up to fares, figures to the line's sum, and each offer costs the same when it is ordered.
    #[test]
    fn every_offer_adds_up_and_can_be_ordered_at_its_price(
        route in prop::sample::select(vec![("PEK", "SHA"), ("PVG", "NRT"), ("HRB", "WUH"), ("BJS", "CAN"), ("SZX", "NTG")]),
        ahead in 1i64..60, stay in prop::option::of(0i64..40), children in 0usize..3, infants in 0usize..2, off in 1u8..60,
    ) {
        let leave = date("2026-11-22") + Duration::days(ahead);
        let mut slices = vec![slice(route.0, route.1, &leave.to_string())];
        slices.extend(stay.map(|stay| slice(route.1, route.0, &(leave + Duration::days(stay)).to_string())));
        let passengers: Vec<SearchPassenger> =
            [vec![ADULT; 2], vec![CHILD; children], vec![INFANT; infants]].concat();
        let request = SearchRequest { slices, passengers, cabin: None, max_connections: 1 };
        let fares = private(Adjustment::PercentOff(off), "YGKW");
        let tariff = Tariff { catalogue: catalogue(), private: &fares };
        for offer in with(&fares, &request) {
            for passenger in &offer.passengers {
                let shares: i64 = passenger.coupons.iter().map(|coupon| coupon.base_minor).sum();
                prop_assert_eq!(shares, passenger.base_minor);
                let line = fare_calculation(catalogue(), &offer, passenger).unwrap();
                let (amounts, sum) = figures(&line);
                prop_assert_eq!(amounts.len(), offer.slices.len(), "{}", &line);
                prop_assert_eq!((amounts.iter().sum::<i64>(), sum), (passenger.base_minor, passenger.base_minor), "{}", &line);
            }
            prop_assert_eq!(reprice(tariff, &offer, now()), Ok(offer.clone()));
            let again = price_again(tariff, &offer, &HashMap::new(), now()).unwrap();
            prop_assert_eq!(changes(&offer, &again), vec![]);
            if let Ok(later) = price_again(tariff, &offer, &HashMap::new(), now().plus(Duration::days(1))) {
                prop_assert_eq!(later.segments().count(), offer.segments().count());
                let tomorrow: Timestamp = now().plus(Duration::days(1));
                prop_assert_eq!(reprice(tariff, &later, tomorrow), Ok(later), "a new price is one that can be ordered");
            }
        }
    }
}
