//! `/v1/search`: what somebody at a desk types, and what is found by it.

use crate::platform::{BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::{key_for, number_of, sold, text};
use airsettle::identity::Scope;
use airsettle::ids::{Id, OrderId};
use airsettle::ordering::{erase, passengers_of};
use reqwest::Method;
use serde_json::{Value, json};

/// Matches and their orders, in the order of the answer.
fn found(world: &World, key: &str, typed: &str) -> Vec<(String, String)> {
    let answer = world.get(key, &format!("/v1/search?q={}", encoded(typed))).expect(200);
    let hits = answer.data().as_array().unwrap();
    hits.iter().map(|hit| (text(&hit["match"]), text(&hit["order_id"]))).collect()
}

fn encoded(typed: &str) -> String {
    typed.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn awaited(world: &World, key: &str, typed: &str, kind: &str, order: &Value) {
    let wanted = (kind.to_owned(), text(&order["id"]));
    world.await_that(&format!("{typed} is found"), || found(world, key, typed).contains(&wanted));
}

fn is_hidden(world: &World, key: &str, typed: &str) {
    assert_eq!(found(world, key, typed), [], "{typed}");
}

on_both_engines! {
    fn an_order_is_found_by_whatever_is_known_of_it(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        sold(world, &key, "Ouyang", "arc_bsp_cash");
        let (id, number, locator) = (text(&order["id"]), number_of(&order), text(&order["booking_reference"]));
        let first = |typed: &str| found(world, &key, typed).into_iter().next();
        let as_kind = |kind: &str| Some((kind.to_owned(), id.clone()));
        assert_eq!(first(&number), as_kind("ticket_number"));
        assert_eq!(first(&format!("{}-{}", &number[..3], &number[3..])), as_kind("ticket_number"));
        assert_eq!(first(&number[7..]), as_kind("ticket_ending"));
        assert_eq!(first(&locator.to_lowercase()), as_kind("booking_reference"));
        assert_eq!(first(&id), as_kind("order_id"));
        let amount = text(&order["total_amount"]);
        for typed in [amount.clone(), format!("CNY {amount}")] {
            assert!(found(world, &key, &typed).contains(&("amount".into(), id.clone())), "{typed}");
        }
        is_hidden(world, &key, &format!("USD {amount}"));
        awaited(world, &key, "Zhang", "name_beginning", &order);
        for typed in ["zhang wei", "ZHANG/WEI", "wei zhang", "zhangwei", "张伟", "Zhāng Wěi"] {
            assert_eq!(first(typed), as_kind("name"), "{typed}");
        }
        assert_eq!(found(world, &key, "zh").len(), 1);
        assert_eq!(first("zw"), as_kind("name_initials"));
        let hit = world.get(&key, "/v1/search?q=zhang%20wei").expect(200).data()[0].clone();
        assert_eq!((&hit["passengers"], &hit["ticket_number"]), (&json!(["Zhang/Wei"]), &json!(number)));
        assert_eq!((&hit["total_amount"], &hit["currency"]), (&order["total_amount"], &json!("CNY")));
        let events = world.get(&key, "/v1/events?type=order.created").expect(200);
        let event = events.data().as_array().unwrap().iter().find(|event| event["object_id"] == order["id"]).unwrap().clone();
        assert_eq!(first(&text(&event["request_id"])), as_kind("request_id"));
    }

    fn what_belongs_to_others_is_not_there(world) {
        let key = world.key(BEIJING);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let (id, number, locator) = (text(&order["id"]), number_of(&order), text(&order["booking_reference"]));
        awaited(world, &key, "zhang wei", "name", &order);
        let known = [id.as_str(), &number, &number[7..], &locator, &text(&order["total_amount"]), "zhang wei", "张伟"].map(str::to_owned);
        for typed in &known {
            is_hidden(world, &world.key(SHANGHAI), typed);
            is_hidden(world, &world.key(BANK), typed);
            assert!(found(world, &world.key(OPERATOR), typed).iter().any(|(_, order)| *order == id), "the operator sees all: {typed}");
        }
        let agency = world.get(&key, "/v1/agencies").expect(200).data()[0]["organisation_id"].clone();
        let books = key_for(world, &text(&agency), &[Scope::FinanceRead]);
        is_hidden(world, &books, "zhang wei");
        let hit = world.get(&books, &format!("/v1/search?q={number}")).expect(200).data()[0].clone();
        assert_eq!((&hit["order_id"], &hit["passengers"]), (&order["id"], &json!([])), "who may not read orders reads no names");
        let airline = key_for(world, &text(&owner_of(world, &order)), &[Scope::FinanceRead]);
        assert_eq!(found(world, &airline, &number), [("ticket_number".to_owned(), id)]);
        is_hidden(world, &airline, "zhang wei");
    }

    fn a_corrected_name_is_found_and_an_erased_person_by_none(world) {
        let (key, app) = (world.key(BEIJING), &world.platform.live);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        awaited(world, &key, "zhang wei", "name", &order);
        let path = format!("/air/orders/{}/passengers/{}", text(&order["id"]), text(&order["passengers"][0]["id"]));
        let correction = json!({ "data": { "family_name": "Zhong" } }).to_string();
        world.block_on(world.send(&key, Method::PATCH, &path, &[], Some(correction))).expect(200);
        awaited(world, &key, "zhong wei", "name", &order);
        awaited(world, &key, "zhang wei", "name", &order);
        let id = OrderId::parse(&text(&order["id"])).unwrap();
        let (passenger, _) = app.store.read(|db| passengers_of(db, &[id])).unwrap().remove(0);
        app.store.write(|tx| erase(tx, &app.vault, &passenger)).unwrap();
        for typed in ["zhang wei", "zhong wei", "zh", "zw", "张"] {
            is_hidden(world, &key, typed);
        }
        use airsettle::db::schema::name_token;
        use diesel::prelude::*;
        let left = app.store.read(|db| Ok::<i64, airsettle::db::DbError>(name_token::table.count().get_result(db)?)).unwrap();
        assert_eq!(left, 0, "not even a digest is left");
        assert_eq!(found(world, &key, &number_of(&order)).len(), 1, "the ticket stays");
    }

    fn too_little_is_refused_and_nonsense_is_found_nowhere(world) {
        let key = world.key(BEIJING);
        assert_eq!(world.get(&key, "/v1/search").expect_error(422, "missing_field").body["errors"][0]["source"]["parameter"], "q");
        for short in ["z", "12", "123"] {
            world.get(&key, &format!("/v1/search?q={short}")).expect_error(422, "invalid_value");
        }
        world.get(&key, &format!("/v1/search?q={}", "z".repeat(101))).expect_error(422, "invalid_value");
        is_hidden(world, &key, "a@b.example");
        is_hidden(world, &key, "ZZZZZZ");
    }
}

/// The organisation of the airline that an order is on.
fn owner_of(world: &World, order: &Value) -> Value {
    let operator = world.key(OPERATOR);
    let ticket = world.get(&operator, &format!("/v1/tickets/{}", number_of(order))).expect(200);
    let airline = text(&ticket.data()["airline_id"]);
    world.get(&operator, &format!("/v1/airlines/{airline}")).expect(200).data()["organisation_id"].clone()
}
