//! `/v1/airlines`

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, OPERATOR, World};
use crate::v1::text;
use serde_json::{Value, json};

fn signed(world: &World) -> Vec<Value> {
    let page = world.get(&world.key(OPERATOR), "/v1/airlines?limit=200").expect(200);
    page.data().as_array().unwrap().clone()
}

on_both_engines! {
    fn a_carrier_of_the_catalogue_is_signed_once_with_its_own_accounting_code(world) {
        let operator = world.key(OPERATOR);
        let codes: Vec<String> = signed(world).iter().map(|airline| text(&airline["iata_code"])).collect();
        let carriers = world.platform.live.catalogue.carriers.all();
        let carrier = carriers.iter().find(|carrier| !codes.contains(&carrier.code.to_string())).unwrap();
        let new = json!({ "kind": "airline", "name": carrier.name, "country": "CN" });
        let organisation = text(&world.post(&operator, "/v1/organisations", &new).expect(201).data()["id"]);
        let sign = |code: &str, organisation: &str| {
            let new = json!({ "organisation_id": organisation, "iata_code": code, "payee_account": "acct", "payee_name": "Payee" });
            world.post(&operator, "/v1/airlines", &new)
        };
        let made = sign(carrier.code.as_str(), &organisation).expect(201);
        assert_eq!(made.data()["accounting_code"], json!(carrier.accounting_code));
        assert_eq!((&made.data()["name"], &made.data()["status"]), (&json!(carrier.name), &json!("active")));
        assert_eq!(sign(carrier.code.as_str(), &organisation).expect_error(422, "invalid_value").pointer(), "/data/iata_code");
        assert_eq!(sign("??", &organisation).expect_error(422, "invalid_value").pointer(), "/data/iata_code");
        let bank = text(&world.get(&world.key(crate::platform::BANK), "/v1/organisations").data()[0]["id"]);
        let unsigned = carriers.iter().rev().find(|one| one.code != carrier.code && !codes.contains(&one.code.to_string()));
        if let Some(other) = unsigned {
            assert_eq!(sign(other.code.as_str(), &bank).expect_error(422, "invalid_value").pointer(), "/data/organisation_id");
        }
    }

    fn an_airline_sees_itself_only(world) {
        let key = world.key(&world.airline());
        let own = world.get(&key, "/v1/airlines").expect(200);
        assert_eq!(own.data().as_array().unwrap().len(), 1);
        let other = signed(world).into_iter().find(|airline| airline["id"] != own.data()[0]["id"]).unwrap();
        world.get(&key, &format!("/v1/airlines/{}", text(&other["id"]))).expect_error(404, "not_found");
        world.get(&key, &format!("/v1/airlines/{}/stock", text(&other["id"]))).expect_error(404, "not_found");
        let path = format!("/v1/airlines/{}", text(&own.data()[0]["id"]));
        assert_eq!(world.get(&key, &path).expect(200).data(), &own.data()[0]);
        assert_eq!(world.get(&world.key(BEIJING), "/v1/airlines").expect(200).data(), &json!([]));
    }

    fn stock_is_ten_digits_and_never_overlaps(world) {
        let operator = world.key(OPERATOR);
        let path = format!("/v1/airlines/{}/stock", text(&signed(world)[0]["id"]));
        let add = |first: &str, last: &str| {
            world.post(&operator, &path, &json!({ "first_document": first, "last_document": last }))
        };
        let made = add("0500000001", "0500000010").expect(201);
        assert_eq!((&made.data()["first_document"], &made.data()["next_document"]), (&json!("0500000001"), &json!("0500000001")));
        assert_eq!(add("0500000010", "0500000020").expect_error(422, "invalid_value").pointer(), "/data/first_document");
        assert_eq!(add("0500000030", "0500000020").expect_error(422, "invalid_value").pointer(), "/data/first_document");
        assert_eq!(add("1", "0500000020").expect_error(422, "invalid_value").pointer(), "/data/first_document");
        assert_eq!(add("0500000011", "x").expect_error(422, "invalid_value").pointer(), "/data/last_document");
        assert_eq!(world.get(&operator, &path).expect(200).data().as_array().unwrap().len(), 2);
    }

    fn a_stopped_airline_is_not_sold_until_it_resumes(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let offer = an_offer(world, &key);
        let carrier = &offer["owner"]["iata_code"];
        let airline = signed(world).into_iter().find(|airline| airline["iata_code"] == *carrier).unwrap();
        let path = format!("/v1/airlines/{}/actions", text(&airline["id"]));
        let stopped = world.post(&operator, &format!("{path}/stop"), &json!({})).expect(200);
        assert_eq!(stopped.data()["status"], "stopped");
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect_error(422, "airline_stopped");
        world.post(&operator, &format!("{path}/resume"), &json!({})).expect(200);
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "balance")).expect(201);
    }
}
