//! `/v1/commission_rules`: what an agency earns follows the rules that are in force when it orders, and every ticket says which.

use crate::air::{an_offer, an_order};
use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, all_ids, cny, key_for, number_of, sold, sum, text};
use airsettle::identity::Scope;
use airsettle::money::{Currency, Money, Rate};
use serde_json::{Value, json};

pub fn today(world: &World) -> String {
    world.platform.live.now().date_in(chrono_tz::Asia::Shanghai).to_string()
}

/// A share of the fare for everybody, unless more is said.
pub fn rule(world: &World, code: &str, rate: &str, more: &Value) -> Value {
    let mut rule = json!({ "code": code, "effective_from": today(world), "kind": "percentage", "rate": rate });
    for (name, value) in more.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

pub fn file(world: &World, rule: &Value) -> Value {
    world.post(&world.key(OPERATOR), "/v1/commission_rules", rule).expect(201).data().clone()
}

/// A rule that comes before those of the demo world: it names the agency, its carrier and its fare's ends.
fn most_specific(world: &World, code: &str, rate: &str, agency: &str) -> Value {
    rule(
        world,
        code,
        rate,
        &json!({ "agency_id": agency, "origin": { "type": "city", "code": "BJS" },
        "destination": { "type": "city", "code": "SHA" } }),
    )
}

pub fn ticket(world: &World, order: &Value) -> Value {
    world.get(&world.key(OPERATOR), &format!("/v1/tickets/{}", number_of(order))).expect(200).data().clone()
}

fn commission_of(ticket: &Value) -> Money {
    let leg = ticket["split"].as_array().unwrap().iter().find(|leg| leg["kind"] == "commission").unwrap();
    cny(&leg["amount"])
}

on_both_engines! {
    fn a_sale_is_split_by_the_rule_in_force_and_the_ticket_keeps_its_version(world) {
        let key = world.key(BEIJING);
        let agency = agency_of(world, &key);
        let first = file(world, &most_specific(world, "MOST", "0.031579", &agency));
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let shown = ticket(world, &order);
        let coupons = shown["coupons"].as_array().unwrap();
        let kept = json!({ "id": first["id"], "code": "MOST", "version": 1 });
        assert!(coupons.iter().all(|coupon| coupon["commission_rule"] == kept), "{coupons:?}");
        let rate = Rate::parse("0.031579").unwrap();
        assert_eq!(commission_of(&shown), cny(&shown["base_amount"]).portion(rate).unwrap());
        assert_eq!(sum(coupons.iter().map(|coupon| &coupon["commission_amount"])), commission_of(&shown));
        assert_eq!(sum(shown["split"].as_array().unwrap().iter().map(|leg| &leg["amount"])), cny(&shown["total_amount"]));

        // The next version holds for the next order, also of an offer that was made before it.
        let offer = an_offer(world, &key);
        let second = file(world, &most_specific(world, "MOST", "0.05", &agency));
        assert_eq!(second["version"], 2);
        let order = world.post(&key, "/air/orders", &an_order(&offer, "Wang", "arc_bsp_cash")).expect(201).data().clone();
        let later = ticket(world, &order);
        assert_eq!(later["coupons"][0]["commission_rule"]["id"], second["id"]);
        assert_eq!(commission_of(&later), cny(&later["base_amount"]).portion(Rate::parse("0.05").unwrap()).unwrap());
        let again = world.get(&key, &format!("/v1/tickets/{}", text(&shown["number"]))).expect(200).data().clone();
        assert_eq!((&again["coupons"], &again["split"]), (&shown["coupons"], &shown["split"]), "what was sold keeps its terms");
        world.prove();
    }

    fn another_process_prices_with_a_rule_as_soon_as_it_is_filed(world) {
        let key = world.key(BEIJING);
        let agency = agency_of(world, &key);
        sold(world, &key, "Zhang", "arc_bsp_cash");
        // Behind the back of the process that serves: straight into the database, as another node would.
        let store = &world.platform.live.store;
        let filed = store.write(|tx| {
            let version = airsettle::commission::commission_rules(tx.db, &Default::default(), airsettle::db::Window::NEWEST, 1)?;
            let mut rule = version[0].rule.clone();
            rule.code = "ELSEWHERE".into();
            rule.agency = Some(airsettle::ids::Id::parse(&agency).unwrap());
            (rule.tier, rule.airline, rule.carrier, rule.booking_classes) = (None, None, None, Vec::new());
            (rule.origin, rule.destination, rule.passenger) = (None, None, None);
            rule.payout = Some(airsettle::commission::Payout::Zero);
            airsettle::commission::file_rule(tx, &rule)
        });
        let filed = filed.unwrap();
        let shown = ticket(world, &sold(world, &key, "Wang", "arc_bsp_cash"));
        assert_eq!(shown["coupons"][0]["commission_rule"]["id"], json!(filed.id.to_string()));
        assert_eq!(commission_of(&shown), Money::zero(Currency::CNY));
        world.prove();
    }

    fn a_tier_has_its_own_rule_and_a_withdrawn_rule_pays_nobody(world) {
        let (key, operator) = (world.key(SHANGHAI), world.key(OPERATOR));
        let agency = agency_of(world, &key);
        let tier = json!({ "agency_tier": "platinum", "origin": { "type": "country", "code": "CN" },
            "direction": "both_ways" });
        let first = file(world, &rule(world, "PLATINUM", "0.07", &tier));
        let rule_of = |name: &str| ticket(world, &sold(world, &key, name, "arc_bsp_cash"))["coupons"][0]["commission_rule"].clone();
        assert_ne!(rule_of("Zhang")["code"], "PLATINUM");
        let path = format!("/v1/agencies/{agency}/actions/set_tier");
        let moved = world.post(&operator, &path, &json!({ "tier": "platinum" })).expect(200);
        assert_eq!((&moved.data()["tier"], &moved.data()["id"]), (&json!("platinum"), &json!(agency)));
        assert_eq!(rule_of("Wang")["id"], first["id"]);
        let mut gone = rule(world, "PLATINUM", "0", &tier);
        (gone["kind"], gone["rate"]) = (json!("withdrawn"), Value::Null);
        assert_eq!(file(world, &gone)["version"], 2);
        assert_ne!(rule_of("Li")["code"], "PLATINUM");
        world.post(&operator, &path, &json!({ "tier": "Gold!" })).expect_error(422, "invalid_value");
        world.post(&key, &path, &json!({ "tier": "gold" })).expect_error(403, "insufficient_scope");
        world.prove();
    }

    fn a_rule_that_leaves_the_airline_owing_is_caught_at_pricing(world) {
        let key = world.key(BEIJING);
        let agency = agency_of(world, &key);
        let offer = an_offer(world, &key);
        let mut all = most_specific(world, "ALL", "1", &agency);
        all["base"] = json!("price");
        file(world, &all);
        let header = [("Idempotency-Key", "too-much")];
        let order = an_order(&offer, "Zhang", "arc_bsp_cash");
        world.post_with(&key, "/air/orders", &header, &order).expect_error(422, "split_exceeds_fare");
        file(world, &most_specific(world, "ALL", "0.02", &agency));
        world.post_with(&key, "/air/orders", &header, &order).expect_error(422, "split_exceeds_fare");
        world.post(&key, "/air/orders", &order).expect(201);
    }

    fn an_agency_sees_what_can_match_it_and_an_airline_what_is_its_own(world) {
        let (beijing, shanghai, operator) = (world.key(BEIJING), world.key(SHANGHAI), world.key(OPERATOR));
        let own = text(&file(world, &rule(world, "OWN", "0.02", &json!({ "agency_id": agency_of(world, &beijing) })))["id"]);
        let tier = text(&file(world, &rule(world, "TIER", "0.02", &json!({ "agency_tier": "unheard_of" })))["id"]);
        let all = text(&file(world, &rule(world, "ALL", "0.02", &json!({})))["id"]);
        let airlines = world.get(&operator, "/v1/airlines?limit=200").expect(200).data().as_array().unwrap().clone();
        let on = |place: usize, code: &str| {
            let id = text(&file(world, &rule(world, code, "0.02", &json!({ "airline_id": airlines[place]["id"] })))["id"]);
            (id, key_for(world, &text(&airlines[place]["organisation_id"]), &[Scope::PartiesRead]))
        };
        let ((first, first_key), (second, _)) = (on(0, "FIRST"), on(1, "SECOND"));
        let sees = |key: &str, expected: [bool; 5]| {
            let listed = all_ids(world, key, "/v1/commission_rules");
            for (id, seen) in [&own, &tier, &all, &first, &second].into_iter().zip(expected) {
                assert_eq!(listed.contains(id), seen, "{id}");
                let answer = world.get(key, &format!("/v1/commission_rules/{id}"));
                assert_eq!(answer.status, if seen { 200 } else { 404 }, "{}", answer.body);
            }
        };
        sees(&operator, [true; 5]);
        sees(&beijing, [true, false, true, true, true]);
        sees(&shanghai, [false, false, true, true, true]);
        sees(&first_key, [true, true, true, true, false]);
        sees(&world.key(BANK), [false; 5]);
        assert_eq!(all_ids(world, &operator, "/v1/commission_rules?code=TIER"), [tier]);
    }

    fn a_rule_that_cannot_be_is_refused_by_field(world) {
        let operator = world.key(OPERATOR);
        file(world, &rule(world, "KNOWN", "0.02", &json!({ "effective_from": "2036-01-01" })));
        let agency = agency_of(world, &world.key(BEIJING));
        let cases = [
            (json!({ "code": "lower" }), "code"),
            (json!({ "effective_from": "2020-01-01" }), "effective_from"),
            (json!({ "code": "KNOWN", "effective_from": "2035-12-31" }), "effective_from"),
            (json!({ "rate": "1.01" }), "rate"),
            (json!({ "rate": "0.123456789" }), "rate"),
            (json!({ "rate": "-0.01" }), "rate"),
            (json!({ "kind": "per_segment", "rate": null, "amount": "0.00", "currency": "CNY" }), "amount"),
            (json!({ "kind": "zero" }), "rate"),
            (json!({ "kind": "zero", "rate": null, "base": "price" }), "base"),
            (json!({ "kind": "withdrawn", "rate": null }), "kind"),
            (json!({ "amount": "1.00" }), "amount"),
            (json!({ "agency_id": "agy_0000000000009" }), "agency_id"),
            (json!({ "airline_id": "arl_0000000000009" }), "airline_id"),
            (json!({ "agency_id": agency, "agency_tier": "gold" }), "agency_tier"),
            (json!({ "agency_tier": "GOLD" }), "agency_tier"),
            (json!({ "carrier": "C" }), "carrier"),
            (json!({ "origin": { "type": "airport", "code": "QQQ" } }), "origin/code"),
            (json!({ "destination": { "type": "country", "code": "China" } }), "destination/code"),
            (json!({ "direction": "both_ways" }), "direction"),
            (json!({ "booking_classes": ["Y", "y"] }), "booking_classes/1"),
            (json!({ "passenger_type": "senior" }), "passenger_type"),
            (json!({ "sale_from": "2026-12-02", "sale_until": "2026-12-01" }), "sale_until"),
            (json!({ "travel_from": "2026-12-02", "travel_until": "2026-12-01" }), "travel_until"),
            (json!({ "travel_from": "soon" }), "travel_from"),
        ];
        for (more, field) in cases {
            let answer = world.post(&operator, "/v1/commission_rules", &rule(world, "NEW", "0.02", &more));
            assert_eq!((answer.status, answer.pointer()), (422, format!("/data/{field}").as_str()), "{more}: {}", answer.body);
        }
        assert_eq!(all_ids(world, &operator, "/v1/commission_rules?code=NEW"), Vec::<String>::new());
        let segment = json!({ "kind": "per_segment", "rate": null, "amount": "10.00", "currency": "CNY", "passenger_type": "child",
            "carrier": "MU", "origin": { "type": "airport", "code": "PVG" }, "direction": "both_ways", "booking_classes": ["Y", "B", "Y"],
            "sale_from": "2026-12-01", "sale_until": "2026-12-31", "travel_from": "2027-01-01", "travel_until": "2027-02-01" });
        let filed = file(world, &rule(world, "NEW", "0", &segment));
        for (name, value) in segment.as_object().unwrap() {
            let expected = if name == "booking_classes" { &json!(["B", "Y"]) } else { value };
            assert_eq!(&filed[name], expected, "{name}");
        }
        assert_eq!(world.get(&operator, &format!("/v1/commission_rules/{}", text(&filed["id"]))).expect(200).data(), &filed);
    }
}
