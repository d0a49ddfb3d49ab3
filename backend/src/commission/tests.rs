//! The rules by example and by property: what they pay, which one wins, and why.

use super::*;
use crate::agencies::{AirlineReturn, Clawback, CommissionBase, Contract, CostTerms, FeeOnRefund, TaxRemitter, Tier};
use crate::catalogue::split::{SplitError, Tax, split, split_paying};
use crate::catalogue::{BookingClass, CarrierCode, PassengerKind};
use crate::ids::{AgencyId, AirlineId, CommissionRuleId, ContractId, Id};
use crate::money::{Currency, Money, Rate};
use chrono::NaiveDate;
use proptest::prelude::*;
use rust_decimal::Decimal;

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn share(of: CommissionBase, rate: &str) -> Payout {
    Payout::Share { of, rate: Rate::parse(rate).unwrap() }
}

fn contract() -> Contract {
    Contract {
        id: ContractId::of(1),
        agency: AgencyId::of(1),
        airline: None,
        currency: Currency::CNY,
        version: 1,
        effective_from: date("2026-01-01"),
        commission_rate: Rate::parse("0.03").unwrap(),
        commission_base: CommissionBase::Price,
        fee_rate: Rate::parse("0.005").unwrap(),
        tax_remitter: TaxRemitter::Platform,
        payment_days: 7,
        payment: crate::agencies::PaymentTerms::default(),
        clawback: Clawback::Full,
        fee_on_refund: FeeOnRefund::Refunded,
        airline_return: AirlineReturn::SetOff,
        costs: CostTerms::default(),
        approval: None,
        created_at: date("2026-01-01").and_hms_opt(0, 0, 0).unwrap(),
    }
}

/// Without conditions: 1 % of the fare, whatever is sold.
fn rule(code: &str) -> Rule {
    Rule {
        code: code.to_owned(),
        effective_from: date("2026-11-01"),
        agency: None,
        tier: None,
        airline: None,
        carrier: None,
        origin: None,
        destination: None,
        direction: Direction::OneWay,
        booking_classes: Vec::new(),
        passenger: None,
        sold: Window::default(),
        travelled: Window::default(),
        payout: Some(share(CommissionBase::Fare, "0.01")),
    }
}

fn filed(id: i64, version: i64, rule: Rule) -> CommissionRule {
    let created_at = date("2026-11-01").and_hms_opt(8, 0, 0).unwrap() + chrono::Duration::minutes(id);
    CommissionRule { id: CommissionRuleId::of(id), version, rule, created_at }
}

fn sale() -> SaleFacts {
    SaleFacts {
        agency: AgencyId::of(1),
        tier: Tier::parse("gold").unwrap(),
        airline: AirlineId::of(1),
        passenger: PassengerKind::Adult,
        sold_on: date("2026-11-10"),
        currency: Currency::CNY,
    }
}

fn point(airport: &str, city: &str, country: &str) -> RoutePoint {
    RoutePoint { airport: airport.into(), city: city.into(), country: country.into() }
}

/// Beijing to Shanghai in class Y.
fn segment() -> SegmentFacts {
    SegmentFacts {
        carrier: "CA".into(),
        origin: point("PEK", "BJS", "CN"),
        destination: point("SHA", "SHA", "CN"),
        booking_class: 'Y',
        departs_on: date("2026-12-24"),
    }
}

fn back() -> SegmentFacts {
    let there = segment();
    SegmentFacts { origin: there.destination, destination: there.origin, ..there }
}

fn end(text: &str) -> Option<RouteEnd> {
    let (kind, code) = text.split_once(':').unwrap();
    Some(RouteEnd::of(kind, code).unwrap())
}

/// What a ticket of fare 950.00 and tax 50.00 earns under these rules.
fn earned(rules: &FiledRules, coupons: &[(SegmentFacts, Money)]) -> Vec<CouponEarning> {
    let sale = sale();
    let in_force = rules.in_force(sale.agency, &sale.tier, sale.sold_on);
    earn(&in_force, &contract(), &sale, cny("1000.00"), coupons).unwrap()
}

#[test]
fn thirty_on_a_thousand_is_3_percent_of_the_price_and_3_1579_percent_of_the_fare() {
    let tax = Tax { code: "CN".into(), payee: "CAAC".into(), amount: cny("50.00") };
    let worked = split(cny("950.00"), std::slice::from_ref(&tax), "CA", &contract()).unwrap();
    for payout in [share(CommissionBase::Price, "0.03"), share(CommissionBase::Fare, "0.031579")] {
        let rules = FiledRules::of(vec![filed(1, 1, Rule { payout: Some(payout), ..rule("WORKED") })]);
        let earnings = earned(&rules, &[(segment(), cny("950.00"))]);
        assert_eq!(earnings, [CouponEarning { rule: Some(CommissionRuleId::of(1)), amount: cny("30.00") }]);
        let paid = split_paying(cny("950.00"), std::slice::from_ref(&tax), "CA", &contract(), earnings[0].amount).unwrap();
        assert_eq!(paid, worked);
        assert_eq!((paid.airline, paid.fee), (cny("915.00"), cny("5.00")));
    }
}

#[test]
fn where_no_rule_applies_the_contract_pays() {
    let elsewhere = Rule { carrier: CarrierCode::parse("MU"), ..rule("OTHER") };
    let rules = FiledRules::of(vec![filed(1, 1, elsewhere)]);
    assert_eq!(earned(&rules, &[(segment(), cny("950.00"))]), [CouponEarning { rule: None, amount: cny("30.00") }]);
}

#[test]
fn a_mixed_journey_is_paid_coupon_by_coupon_and_rounded_once() {
    let there = Rule { origin: end("city:BJS"), destination: end("city:SHA"), ..rule("THERE") };
    let fixed = Payout::PerSegment(cny("7.00"));
    let home = Rule { origin: end("airport:SHA"), destination: end("country:CN"), payout: Some(fixed), ..rule("HOME") };
    let rules = FiledRules::of(vec![filed(1, 1, there), filed(2, 1, home)]);
    let coupons = [(segment(), cny("333.50")), (segment(), cny("333.50")), (back(), cny("283.00"))];
    let earnings = earned(&rules, &coupons);
    let amounts: Vec<String> = earnings.iter().map(|earning| earning.amount.to_string()).collect();
    // 3.335 + 3.335 + 7.00: half to even at each cumulative sum, 13.67 in all.
    assert_eq!(amounts, ["3.34", "3.33", "7.00"]);
    assert_eq!(earnings.iter().map(|earning| earning.rule.unwrap().raw()).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn a_fare_of_nothing_still_earns_a_share_of_its_taxes() {
    let rules = FiledRules::of(Vec::new());
    let earnings = earned(&rules, &[(segment(), cny("0")), (back(), cny("0"))]);
    assert_eq!(earnings.iter().map(|earning| earning.amount).collect::<Vec<_>>(), [cny("15.00"), cny("15.00")]);
}

#[test]
fn what_leaves_the_airline_owing_is_refused_at_the_split() {
    let all = Rule { payout: Some(Payout::PerSegment(cny("946.00"))), ..rule("GENEROUS") };
    let earnings = earned(&FiledRules::of(vec![filed(1, 1, all)]), &[(segment(), cny("950.00"))]);
    let refused = split_paying(cny("950.00"), &[], "CA", &contract(), earnings[0].amount);
    assert_eq!(refused, Err(SplitError::ExceedsFare { by: cny("0.75") }));
}

#[test]
fn each_condition_is_met_or_named() {
    let table: Vec<(Rule, Option<Condition>)> = vec![
        (rule("R"), None),
        (Rule { agency: Some(AgencyId::of(1)), ..rule("R") }, None),
        (Rule { agency: Some(AgencyId::of(2)), ..rule("R") }, Some(Condition::Agency)),
        (Rule { tier: Tier::parse("gold"), ..rule("R") }, None),
        (Rule { tier: Tier::parse("silver"), ..rule("R") }, Some(Condition::AgencyTier)),
        (Rule { airline: Some(AirlineId::of(2)), ..rule("R") }, Some(Condition::ValidatingCarrier)),
        (Rule { carrier: CarrierCode::parse("CA"), ..rule("R") }, None),
        (Rule { carrier: CarrierCode::parse("MU"), ..rule("R") }, Some(Condition::SegmentCarrier)),
        (Rule { origin: end("airport:PEK"), ..rule("R") }, None),
        (Rule { origin: end("airport:PKX"), ..rule("R") }, Some(Condition::Route)),
        (Rule { origin: end("city:BJS"), destination: end("country:CN"), ..rule("R") }, None),
        (Rule { destination: end("country:JP"), ..rule("R") }, Some(Condition::Route)),
        (Rule { origin: end("city:SHA"), ..rule("R") }, Some(Condition::Route)),
        (Rule { origin: end("city:SHA"), direction: Direction::BothWays, ..rule("R") }, None),
        (Rule { booking_classes: ['B', 'Y'].map(|c| BookingClass::parse(c).unwrap()).to_vec(), ..rule("R") }, None),
        (Rule { booking_classes: vec![BookingClass::parse('K').unwrap()], ..rule("R") }, Some(Condition::BookingClass)),
        (Rule { passenger: Some(PassengerKind::Child), ..rule("R") }, Some(Condition::PassengerType)),
        (Rule { sold: Window { from: None, until: Some(date("2026-11-10")) }, ..rule("R") }, None),
        (Rule { sold: Window { from: None, until: Some(date("2026-11-09")) }, ..rule("R") }, Some(Condition::SaleDate)),
        (Rule { travelled: Window { from: Some(date("2026-12-24")), until: None }, ..rule("R") }, None),
        (Rule { travelled: Window { from: Some(date("2026-12-25")), until: None }, ..rule("R") }, Some(Condition::TravelDate)),
        (
            Rule { payout: Some(Payout::PerSegment(Money::parse("7", Currency::parse("JPY").unwrap()).unwrap())), ..rule("R") },
            Some(Condition::Currency),
        ),
    ];
    for (rule, expected) in table {
        assert_eq!(rule.fails(&sale(), &segment()), expected, "{rule:?}");
    }
}

/// Each line beats the next, by the criterion beside it.
#[test]
fn the_most_specific_rule_wins_in_the_documented_order() {
    let named = |code: &str| Rule { booking_classes: vec![BookingClass::parse('Y').unwrap()], ..rule(code) };
    let route =
        |code: &str, from: &str, to: &str, direction| Rule { origin: end(from), destination: end(to), direction, ..rule(code) };
    let window = Window { from: Some(date("2026-11-01")), until: None };
    let ladder: Vec<(Rule, i64, Option<Criterion>)> = vec![
        (Rule { agency: Some(AgencyId::of(1)), ..rule("Z") }, 1, Some(Criterion::Agency)),
        (Rule { tier: Tier::parse("gold"), ..rule("Y") }, 1, Some(Criterion::Agency)),
        (Rule { airline: Some(AirlineId::of(1)), ..rule("X") }, 1, Some(Criterion::ValidatingCarrier)),
        (Rule { carrier: CarrierCode::parse("CA"), ..rule("W") }, 1, Some(Criterion::SegmentCarrier)),
        (route("V", "airport:PEK", "airport:SHA", Direction::OneWay), 1, Some(Criterion::Route)),
        (route("U", "airport:PEK", "airport:SHA", Direction::BothWays), 1, Some(Criterion::Route)),
        (route("T", "airport:PEK", "city:SHA", Direction::OneWay), 1, Some(Criterion::Route)),
        (route("S", "country:CN", "country:CN", Direction::BothWays), 1, Some(Criterion::Route)),
        (named("R"), 1, Some(Criterion::BookingClass)),
        (Rule { passenger: Some(PassengerKind::Adult), ..rule("Q") }, 1, Some(Criterion::PassengerType)),
        (Rule { travelled: window, ..rule("P") }, 1, Some(Criterion::TravelDate)),
        (Rule { sold: window, ..rule("O") }, 1, Some(Criterion::SaleDate)),
        (rule("N"), 7, Some(Criterion::Version)),
        (rule("A"), 2, Some(Criterion::Code)),
        (rule("B"), 2, None),
    ];
    let versions: Vec<CommissionRule> =
        (1..).zip(&ladder).map(|(id, (rule, version, _))| filed(100 - id, *version, rule.clone())).collect();
    let rules = FiledRules::of(versions.clone());
    let mut left: Vec<CommissionRule> = versions.clone();
    while let Some(best) = left.first().cloned() {
        let sale = sale();
        let among = FiledRules::of(left.clone());
        let won = earn(
            &among.in_force(sale.agency, &sale.tier, sale.sold_on),
            &contract(),
            &sale,
            cny("1000.00"),
            &[(segment(), cny("950.00"))],
        );
        assert_eq!(won.unwrap()[0].rule, Some(best.id), "{}", best.rule.code);
        left.remove(0);
    }
    // The explanation says by what each lost against the winner.
    let told = explain(&rules, &sale(), &segment(), None);
    let codes: Vec<&str> = told.iter().map(|candidate| candidate.version.rule.code.as_str()).collect();
    assert_eq!(codes, ladder.iter().map(|(rule, ..)| rule.code.as_str()).collect::<Vec<_>>());
    assert_eq!(told[0].verdict, Verdict::Won);
    assert!(told[1..].iter().all(|candidate| candidate.verdict == Verdict::LostBy(Criterion::Agency)));
    for (place, (pair, (_, _, criterion))) in versions.windows(2).zip(&ladder).enumerate() {
        let two = FiledRules::of(pair.to_vec());
        let told = explain(&two, &sale(), &segment(), None);
        assert_eq!(told[1].verdict, Verdict::LostBy(criterion.unwrap()), "line {place}");
    }
}

#[test]
fn a_rule_counts_with_its_latest_version_that_has_begun() {
    let from = |code: &str, day: &str| Rule { effective_from: date(day), ..rule(code) };
    let gone = Rule { payout: None, ..from("GONE", "2026-11-05") };
    let versions = vec![
        filed(1, 1, from("R", "2026-11-01")),
        filed(2, 2, from("R", "2026-11-10")),
        filed(3, 3, from("R", "2026-11-11")),
        filed(4, 1, from("GONE", "2026-11-01")),
        filed(5, 2, gone),
        filed(6, 1, Rule { carrier: CarrierCode::parse("MU"), ..rule("OTHER") }),
    ];
    let rules = FiledRules::of(versions);
    let told = explain(&rules, &sale(), &segment(), None);
    let verdict = |id: i64| told.iter().find(|one| one.version.id.raw() == id).unwrap().verdict;
    assert_eq!(verdict(2), Verdict::Won);
    assert_eq!((verdict(1), verdict(3)), (Verdict::Superseded, Verdict::NotYetEffective));
    assert_eq!((verdict(4), verdict(5)), (Verdict::Superseded, Verdict::Withdrawn));
    assert_eq!(verdict(6), Verdict::Fails(Condition::SegmentCarrier));
    assert_eq!(earned(&rules, &[(segment(), cny("950.00"))])[0].rule, Some(CommissionRuleId::of(2)));
}

#[test]
fn a_past_sale_is_explained_by_what_was_filed_then() {
    let better = Rule { agency: Some(AgencyId::of(1)), ..rule("BETTER") };
    let rules = FiledRules::of(vec![filed(1, 1, rule("R")), filed(30, 2, rule("R")), filed(60, 1, better)]);
    let at = |minutes: i64| date("2026-11-01").and_hms_opt(8, 0, 0).unwrap() + chrono::Duration::minutes(minutes);
    let told = |minutes, rule: Option<i64>| {
        let past = Past { issued_at: at(minutes), sold_under: rule.map(CommissionRuleId::of) };
        let told = explain(&rules, &sale(), &segment(), Some(past));
        let mut verdicts: Vec<_> = told.iter().map(|one| (one.version.id.raw(), one.verdict)).collect();
        verdicts.sort_by_key(|(id, _)| *id);
        verdicts
    };
    use Verdict::{FiledLater, LostBy, Superseded, Won};
    assert_eq!(told(10, Some(1)), [(1, Won), (30, FiledLater), (60, FiledLater)]);
    assert_eq!(told(40, Some(30)), [(1, Superseded), (30, Won), (60, FiledLater)]);
    assert_eq!(told(70, Some(60)), [(1, Superseded), (30, LostBy(Criterion::Agency)), (60, Won)]);
    // Filed while the order waited for its commit: it was priced before.
    assert_eq!(told(70, Some(30)), [(1, Superseded), (30, Won), (60, FiledLater)]);
    assert_eq!(told(70, None), [(1, Superseded), (30, FiledLater), (60, FiledLater)]);
}

fn any_payout() -> impl Strategy<Value = Payout> {
    prop_oneof![
        (0u32..=1_000_000, any::<bool>()).prop_map(|(millionths, on_fare)| Payout::Share {
            of: if on_fare { CommissionBase::Fare } else { CommissionBase::Price },
            rate: Rate::from(Decimal::new(millionths.into(), 6)),
        }),
        (1i64..20_000).prop_map(|minor| Payout::PerSegment(Money::new(minor, Currency::CNY))),
        Just(Payout::Zero),
    ]
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let ends = prop::sample::select(vec!["", "airport:PEK", "city:BJS", "country:CN", "city:SHA", "country:JP"]);
    let class = prop::option::of(prop::sample::select(vec!['Y', 'K']));
    let pick = (ends.clone(), ends, class, prop::option::of(1i64..3), any::<bool>(), any::<bool>());
    (pick, any_payout(), "[A-C]").prop_map(|((from, to, class, agency, named_carrier, both), payout, code)| Rule {
        origin: (!from.is_empty()).then(|| end(from).unwrap()),
        destination: (!to.is_empty()).then(|| end(to).unwrap()),
        booking_classes: class.and_then(BookingClass::parse).into_iter().collect(),
        agency: agency.map(AgencyId::of),
        carrier: named_carrier.then(|| CarrierCode::parse("CA").unwrap()),
        direction: if both { Direction::BothWays } else { Direction::OneWay },
        payout: Some(payout),
        ..rule(&code)
    })
}

/// Versions of three codes.
fn any_rules() -> impl Strategy<Value = Vec<CommissionRule>> {
    prop::collection::vec(any_rule(), 0..12).prop_map(|rules| {
        let mut versions: Vec<CommissionRule> = Vec::new();
        for (id, rule) in (1i64..).zip(rules) {
            let version = versions.iter().filter(|known| known.rule.code == rule.code).count() + 1;
            versions.push(filed(id, i64::try_from(version).unwrap(), rule));
        }
        versions
    })
}

proptest! {
    #[test]
    fn a_split_adds_up_whatever_rules_there_are(
        rules in any_rules(), fares in prop::collection::vec((0i64..500_000, any::<bool>(), any::<bool>()), 1..5), tax in 0i64..20_000,
        seed in any::<prop::sample::Index>(),
    ) {
        let coupons: Vec<(SegmentFacts, Money)> = fares.iter().map(|(minor, home, cheap)| {
            let leg = if *home { back() } else { segment() };
            (SegmentFacts { booking_class: if *cheap { 'K' } else { 'Y' }, ..leg }, Money::new(*minor, Currency::CNY))
        }).collect();
        let base = Money::sum(Currency::CNY, coupons.iter().map(|(_, fare)| *fare)).unwrap();
        let taxes = [Tax { code: "CN".into(), payee: "CAAC".into(), amount: Money::new(tax, Currency::CNY) }];
        let price = base.checked_add(taxes[0].amount).unwrap();
        let sale = sale();
        let earnings_of = |rules: &FiledRules| {
            earn(&rules.in_force(sale.agency, &sale.tier, sale.sold_on), &contract(), &sale, price, &coupons).unwrap()
        };
        let book = FiledRules::of(rules.clone());
        let earnings = earnings_of(&book);

        // The order of the rows does not matter.
        let mut turned = rules.clone();
        if !turned.is_empty() {
            let at = seed.index(turned.len());
            turned.rotate_left(at);
            turned.reverse();
        }
        prop_assert_eq!(&earnings, &earnings_of(&FiledRules::of(turned)));

        // What is kept with the coupons gives the same commission again.
        let payout = |rule: Option<CommissionRuleId>| rule.map_or(contract().commission(), |id| {
            book.all().iter().find(|version| version.id == id).unwrap().rule.payout.unwrap()
        });
        let parts: Vec<EarningPart> = coupons.iter().zip(&earnings)
            .map(|((_, fare), earning)| EarningPart { fare: *fare, payout: payout(earning.rule) }).collect();
        let again = super::earnings(price, &parts).unwrap();
        for (kept, again) in earnings.iter().zip(&again) {
            prop_assert_eq!(kept.amount, again.amount);
            prop_assert!(kept.amount.minor >= 0);
        }

        // Rounded once: the whole is within half a minor unit of the exact sum.
        let commission = Money::sum(Currency::CNY, earnings.iter().map(|earning| earning.amount)).unwrap();
        let exact: Decimal = again.iter().map(|earning| earning.exact).sum();
        prop_assert!((Decimal::from(commission.minor) - exact).abs() <= Decimal::new(5, 1));

        // The explanation names the same winner.
        for ((segment, _), earning) in coupons.iter().zip(&earnings) {
            let told = explain(&book, &sale, segment, None);
            let won: Vec<_> = told.iter().filter(|one| one.verdict == Verdict::Won).map(|one| one.version.id).collect();
            prop_assert_eq!(won, earning.rule.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(told.len(), rules.len());
        }

        match split_paying(base, &taxes, "CA", &contract(), commission) {
            Ok(split) => {
                let legs = split.airline.minor + split.authority_total().unwrap().minor + split.commission.minor + split.fee.minor;
                prop_assert_eq!(legs, price.minor);
                prop_assert!(split.airline.minor >= 0 && split.commission == commission);
            }
            Err(SplitError::ExceedsFare { by }) => prop_assert!(by.minor > 0),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
