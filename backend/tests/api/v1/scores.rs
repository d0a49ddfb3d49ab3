//! `/v1/score_cards`, `/v1/scores` and `/v1/financial_reviews`; `/v1/velocity_rules` and `/v1/velocity_hits`

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, sold, text};
use airsettle::credit::score::{AsOf, ScoreCause, cards_in_force, count_days, page_of_agencies, score_page};
use airsettle::db::DbError;
use chrono::Days;
use diesel::result::{DatabaseErrorKind, Error};
use serde_json::{Value, json};

fn today(world: &World) -> String {
    world.platform.live.today().to_string()
}

/// Two characteristics: being new costs nearly everything.
fn card(world: &World) -> Value {
    json!({
        "currency": "CNY", "effective_from": today(world), "history_most_late": 2,
        "characteristics": [
            { "name": "tenure", "weight": 90, "missing_points": 0,
                "bands": [{ "below": 30, "points": 10 }, { "from": 30, "points": 100 }] },
            { "name": "late_remittances", "weight": 10, "missing_points": 100,
                "bands": [{ "below": 1, "points": 100 }, { "from": 1, "below": 5_000, "points": 40 }, { "from": 5_000, "points": 0 }] },
        ],
        "grades": [{ "grade": "A", "from_points": 800, "multiplier": "1" },
            { "grade": "D", "from_points": 0, "multiplier": "0.5", "cap_amount": "100000.00" }],
    })
}

/// What the close of day does.
fn a_night(world: &World) {
    let app = &world.platform.live;
    while app.store.write(count_days).unwrap().is_some() {}
    let as_of = app.store.write(|tx| Ok::<_, DbError>(AsOf { date: tx.ledger_date, at: tx.now })).unwrap();
    let read =
        |db: &mut _| Ok::<_, DbError>((cards_in_force(db, as_of.date)?, page_of_agencies(db, 0, as_of, app.store.zone())?));
    let (cards, page) = app.store.read(read).unwrap();
    let scored = app.store.write(|tx| score_page(tx, &cards, &page, as_of, ScoreCause::Nightly));
    // The platform's own close of day may be first.
    assert!(
        matches!(scored, Ok(_) | Err(DbError::Query(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))),
        "{scored:?}"
    );
}

on_both_engines! {
    fn an_agency_reads_its_score_with_values_points_and_reasons(world) {
        let (operator, key) = (world.key(OPERATOR), world.key(BEIJING));
        let agency = agency_of(world, &key);
        let address = format!("/v1/scores/{agency}");
        world.get(&key, &address).expect_error(404, "not_scored");
        let adopted = world.post(&operator, "/v1/score_cards", &card(world)).expect(201);
        assert_eq!((&adopted.data()["version"], &adopted.data()["grades"][1]["cap_amount"]), (&json!(1), &json!("100000.00")));
        let review = json!({ "agency_id": agency, "result": "passed", "reviewed_on": today(world), "valid_until": "2099-12-31" });
        world.post(&operator, "/v1/financial_reviews", &review).expect(201);
        a_night(world);
        let score = world.get(&key, &address).expect(200).data().clone();
        // (90 x 10 + 10 x 100) x 10 / 100
        let expected = [("points", json!(190)), ("grade", json!("D")), ("multiplier", json!("0.5")), ("cap_amount", json!("100000.00")),
            ("status", json!("A")), ("risk_history", json!("passed")), ("cause", json!("nightly")), ("as_of", json!(today(world))),
            ("score_card_id", adopted.data()["id"].clone())];
        for (name, value) in expected {
            assert_eq!(score[name], value, "{name}");
        }
        let tenure = &score["characteristics"][0];
        assert_eq!((&tenure["name"], &tenure["value"], &tenure["points"]), (&json!("tenure"), &json!(0), &json!(10)));
        assert_eq!(score["characteristics"][1]["value"], json!(null));
        let reasons = json!([{ "code": "tenure", "en": "The agency is new to the platform", "zh-CN": "入驻平台时间较短" }]);
        assert_eq!(score["reasons"], reasons);
        assert_eq!(world.get(&key, &format!("{address}?as_of={}", today(world))).expect(200).data()["id"], score["id"]);
        let others = world.get(&world.key(SHANGHAI), &format!("/v1/scores?agency_id={agency}")).expect(200);
        assert_eq!(others.data().as_array().unwrap().len(), 0, "nobody sees another's");
        world.get(&world.key(SHANGHAI), &address).expect_error(404, "not_found");
        let own = world.get(&key, "/v1/scores").expect(200).data().as_array().unwrap().len();
        let all = world.get(&operator, "/v1/scores").expect(200).data().as_array().unwrap().len();
        assert!(own == 1 && all > 1, "{own} {all}");
        assert_eq!(world.get(&operator, "/v1/score_cards?currency=CNY").expect(200).data()[0]["id"], adopted.data()["id"]);
        assert_eq!(world.get(&operator, "/v1/financial_reviews").expect(200).data()[0]["result"], json!("passed"));
    }

    fn a_decision_is_replayed_by_the_operator(world) {
        let (operator, key) = (world.key(OPERATOR), world.key(BEIJING));
        let address = format!("/v1/scores/{}/actions/replay", agency_of(world, &key));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        world.post(&operator, "/v1/score_cards", &card(world)).expect(201);
        a_night(world);
        let replayed = world.post(&operator, &address, &json!({})).expect(200).data().clone();
        for way in ["from_inputs", "from_records"] {
            assert_eq!((&replayed[way]["agrees"], &replayed[way]["points"]), (&json!(true), &replayed["score"]["points"]), "{way}");
        }
        assert_eq!(replayed["differences"], json!([]));
        world.post(&key, &address, &json!({})).expect_error(403, "insufficient_scope");
        world.post(&operator, &address, &json!({ "as_of": "2020-01-01" })).expect_error(422, "before_agency");
        world.post(&operator, &address, &json!({ "as_of": "yesterday" })).expect_error(422, "invalid_value");
        world.get(&operator, &format!("{}?as_of=2020-01-01", address.trim_end_matches("/actions/replay"))).expect_error(422, "before_agency");
    }

    fn a_card_that_makes_no_sense_is_refused_by_name(world) {
        let operator = world.key(OPERATOR);
        let refused = |change: &dyn Fn(&mut Value), code: &str, pointer: &str| {
            let mut body = card(world);
            change(&mut body);
            let answer = world.post(&operator, "/v1/score_cards", &body);
            assert_eq!((answer.status, answer.code(), answer.pointer()), (422, code, pointer), "{}", answer.body);
        };
        let at = "/data/characteristics";
        refused(&|body| body["characteristics"][0]["bands"][1]["from"] = json!(31), "band_gap", at);
        refused(&|body| body["characteristics"][0]["bands"][1]["from"] = json!(29), "band_overlap", at);
        refused(&|body| body["characteristics"][0]["weight"] = json!(-1), "negative_weight", at);
        refused(&|body| body["characteristics"][0]["name"] = json!("disputes"), "invalid_value", at);
        refused(&|body| body["grades"][0]["multiplier"] = json!("1.1"), "invalid_value", "/data/grades");
        refused(&|body| body["grades"][1]["cap_amount"] = json!("1.001"), "too_many_decimals", "/data/grades/1/cap_amount");
        let yesterday = (world.platform.live.today() - Days::new(1)).to_string();
        refused(&|body| body["effective_from"] = json!(yesterday), "version_in_the_past", "/data/effective_from");
    }

    fn a_velocity_rule_notes_and_then_refuses(world) {
        let (operator, key) = (world.key(OPERATOR), world.key(BEIJING));
        let rule = |mode: &str, most: &str| json!({ "code": "many", "effective_from": today(world), "mode": mode, "subject": "agency",
            "measure": "tickets", "window_minutes": 60, "most": most });
        let shadow = world.post(&operator, "/v1/velocity_rules", &rule("shadow", "0")).expect(201);
        world.platform.live.refresh_velocity().unwrap();
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let hits = world.get(&operator, &format!("/v1/velocity_hits?agency_id={}", agency_of(world, &key))).expect(200);
        let hit = &hits.data()[0];
        assert_eq!((&hit["order_id"], &hit["velocity_rule_id"]), (&order["id"], &shadow.data()["id"]));
        assert_eq!((&hit["reached"], &hit["most"]), (&json!(1), &json!(0)));
        let second = world.post(&operator, "/v1/velocity_rules", &rule("refuse", "1")).expect(201);
        assert_eq!(second.data()["version"], json!(2));
        world.platform.live.refresh_velocity().unwrap();
        let offer = an_offer(world, &key);
        let refused = world.post(&key, "/air/orders", &an_order(&offer, "Wang", "arc_bsp_cash"));
        assert_eq!((refused.status, refused.code()), (422, "velocity_exceeded"), "{}", refused.body);
        assert_eq!(world.get(&operator, "/v1/velocity_hits").expect(200).data()[0]["order_id"], json!(null));
        world.get(&key, "/v1/velocity_hits").expect_error(403, "insufficient_scope");
        world.get(&key, "/v1/velocity_rules").expect_error(403, "insufficient_scope");
        assert_eq!(text(&world.get(&operator, "/v1/velocity_rules").expect(200).data()[0]["code"]), "many");
        let wrong = [("most", json!("many")), ("window_minutes", json!(0)), ("usual_factor", json!("0")), ("currency", json!("RMB"))];
        for (name, value) in wrong {
            let mut body = rule("refuse", "1");
            body[name] = value;
            let answer = world.post(&operator, "/v1/velocity_rules", &body);
            assert_eq!((answer.status, answer.pointer()), (422, format!("/data/{name}").as_str()), "{}", answer.body);
        }
        let without_currency = json!({ "code": "much", "effective_from": today(world), "mode": "shadow", "subject": "agency",
            "measure": "amount", "window_minutes": 60, "most": "1.00" });
        assert_eq!(world.post(&operator, "/v1/velocity_rules", &without_currency).status, 422);
    }
}
