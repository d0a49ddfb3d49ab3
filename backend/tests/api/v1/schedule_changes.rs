//! `/v1/schedule_changes` and what agents answer under `/air/airline_initiated_changes`

use crate::air::{an_offer, an_order};
use crate::changes::{asks, chosen, confirms, day, payment};
use crate::platform::{Answer, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::events::awaited;
use crate::v1::{all_ids, cny, key_for, number_of, text};
use airsettle::identity::Scope;
use reqwest::Method;
use serde_json::{Value, json};

/// An order on the flight of an offer, and what the airline needs to change that flight.
struct Booked<'w> {
    world: &'w World,
    key: String,
    offer: Value,
    order: Value,
    airline_id: String,
    airline: String,
    stranger: String,
}

impl<'w> Booked<'w> {
    fn on(world: &'w World) -> Self {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let offer = an_offer(world, &key);
        let order = world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201).data().clone();
        let ticket = world.get(&operator, &format!("/v1/tickets/{}", number_of(&order))).expect(200).data().clone();
        let airlines = world.get(&operator, "/v1/airlines?limit=200").expect(200).data().as_array().unwrap().clone();
        let organisation = |is_it: bool| {
            text(&airlines.iter().find(|one| (one["id"] == ticket["airline_id"]) == is_it).unwrap()["organisation_id"])
        };
        let key_of = |is_it| key_for(world, &organisation(is_it), &[Scope::CouponsWrite]);
        let (airline, stranger) = (key_of(true), key_of(false));
        Booked { world, key, offer, order, airline_id: text(&ticket["airline_id"]), airline, stranger }
    }

    fn segment(&self) -> &Value {
        &self.offer["slices"][0]["segments"][0]
    }

    fn day(&self) -> String {
        self.segment()["departing_at"].as_str().unwrap()[..10].to_owned()
    }

    /// The change of the booked flight, with these fields on top.
    fn change(&self, more: &Value) -> Value {
        let number: u16 = self.segment()["marketing_carrier_flight_number"].as_str().unwrap().parse().unwrap();
        let mut change = json!({ "airline_id": self.airline_id, "flight_number": number, "origin": "PEK", "date": self.day(),
            "reason": "Aircraft rotation" });
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    }

    fn files(&self, more: &Value) -> Answer {
        self.world.post(&self.airline, "/v1/schedule_changes", &self.change(more))
    }

    /// Two hours from what it was to what it becomes.
    fn retimed(&self) -> Value {
        let moved = |name: &str| {
            let at = self.segment()[name].as_str().unwrap().parse::<chrono::NaiveDateTime>().unwrap();
            (at + chrono::Duration::minutes(25)).format("%Y-%m-%dT%H:%M:%S").to_string()
        };
        json!({ "kind": "retimed", "departing_at": moved("departing_at"), "arriving_at": moved("arriving_at") })
    }

    fn order_now(&self) -> Value {
        self.world.get(&self.key, &format!("/air/orders/{}", text(&self.order["id"]))).expect(200).data().clone()
    }

    fn accepts(&self, change: &Value) -> Answer {
        let path = format!("/air/airline_initiated_changes/{}/actions/accept", text(&change["id"]));
        self.world.block_on(self.world.send(&self.key, Method::POST, &path, &[], None))
    }

    fn answers(&self, change: &Value, action: &str) -> Answer {
        let path = format!("/air/airline_initiated_changes/{}", text(&change["id"]));
        let body = json!({ "data": { "action_taken": action } }).to_string();
        self.world.block_on(self.world.send(&self.key, Method::PATCH, &path, &[], Some(body)))
    }
}

on_both_engines! {
    fn a_retimed_flight_is_told_accepted_and_sold_at_its_new_times(world) {
        let booked = Booked::on(world);
        let retimed = booked.retimed();
        let filed = booked.files(&retimed).expect(201).data().clone();
        assert_eq!((&filed["orders"], &filed["departing_at"]), (&json!(1), &retimed["departing_at"]));
        let order = booked.order_now();
        let change = order["airline_initiated_changes"][0].clone();
        let told = awaited(world, &booked.key, "order.airline_initiated_change_detected", &text(&order["id"]));
        assert_eq!(told["data"]["object"]["airline_initiated_change_id"], change["id"]);
        assert_eq!((&change["action_taken"], &change["reason"]), (&json!(null), &json!("Aircraft rotation")));
        assert_eq!(change["available_actions"], json!(["accept", "cancel", "change", "update"]));
        assert_eq!(change["removed"][0]["segments"][0]["departing_at"], booked.segment()["departing_at"]);
        assert_eq!(change["added"][0]["segments"][0]["departing_at"], retimed["departing_at"]);
        assert_eq!(order["slices"][0]["segments"][0]["departing_at"], booked.segment()["departing_at"]);
        let listed = world.get(&booked.key, &format!("/air/airline_initiated_changes?order_id={}", text(&order["id"])));
        assert_eq!(listed.expect(200).data(), &json!([change]));

        let accepted = booked.accepts(&change).expect(200).data().clone();
        assert_eq!((&accepted["action_taken"], &accepted["available_actions"]), (&json!("accepted"), &json!([])));
        assert_eq!(booked.accepts(&change).expect(200).data(), &accepted);
        awaited(world, &booked.key, "air.order.changed", &text(&order["id"]));
        let after = booked.order_now();
        assert_eq!(after["slices"][0]["segments"][0]["departing_at"], retimed["departing_at"]);
        assert_eq!((&after["total_amount"], &after["documents"]), (&order["total_amount"], &order["documents"]));
        let ticket = world.get(&booked.key, &format!("/v1/tickets/{}", number_of(&order))).expect(200).data().clone();
        assert_eq!(ticket["coupons"][0]["departing_at"], retimed["departing_at"]);
        booked.answers(&change, "cancelled").expect_error(409, "airline_change_answered");

        // The offer of before is not sold any more, and a new search has the new times.
        world.post(&booked.key, "/air/orders", &an_order(&booked.offer, "Wang", "arc_bsp_cash"))
            .expect_error(422, "offer_no_longer_available");
        let search = json!({ "slices": [{ "origin": "PEK", "destination": "SHA", "departure_date": booked.day() }],
            "passengers": [{ "type": "adult" }] });
        let found = world.post(&booked.key, "/air/offer_requests", &search).expect(201).data()["offers"].clone();
        let flight = |offer: &Value| {
            let segment = &offer["slices"][0]["segments"][0];
            (segment["marketing_carrier"]["iata_code"].clone(), segment["marketing_carrier_flight_number"].clone())
        };
        let same: Vec<&Value> =
            found.as_array().unwrap().iter().filter(|offer| flight(offer) == flight(&booked.offer)).collect();
        assert!(!same.is_empty());
        assert!(same.iter().all(|offer| offer["slices"][0]["segments"][0]["departing_at"] == retimed["departing_at"]));
        world.post(&booked.key, "/air/orders", &an_order(same[0], "Wang", "arc_bsp_cash")).expect(201);
        world.prove();
    }

    fn a_cancelled_flight_is_given_back_or_another_is_asked_for(world) {
        let booked = Booked::on(world);
        booked.files(&json!({ "kind": "cancelled" })).expect(201);
        let change = booked.order_now()["airline_initiated_changes"][0].clone();
        assert_eq!((&change["added"], &change["available_actions"]), (&json!([]), &json!(["cancel", "change", "update"])));
        booked.accepts(&change).expect_error(422, "nothing_offered");
        assert_eq!(booked.answers(&change, "changed").expect(200).data()["action_taken"], "changed");
        booked.answers(&change, "cancelled").expect_error(422, "tickets_not_given_back");
        let cancel = json!({ "order_id": booked.order["id"] });
        let quote = world.post(&booked.key, "/air/order_cancellations", &cancel).expect(201).data().clone();
        let confirm = format!("/air/order_cancellations/{}/actions/confirm", text(&quote["id"]));
        world.post(&booked.key, &confirm, &json!({})).expect(200);
        assert_eq!(booked.answers(&change, "cancelled").expect(200).data()["action_taken"], "cancelled");
        world.prove();
    }

    fn a_flight_that_was_changed_is_exchanged_without_penalty_once(world) {
        let booked = Booked::on(world);
        let penalties = |order: &Value| -> Vec<i64> {
            let found = world.post(&booked.key, "/air/order_change_requests", &asks(order, &day(33))).expect(201);
            let offers = found.data()["order_change_offers"].as_array().unwrap().clone();
            assert!(!offers.is_empty());
            offers.iter().map(|offer| cny(&offer["penalty_total_amount"]).minor).collect()
        };
        assert!(penalties(&booked.order).iter().all(|penalty| *penalty > 0), "nothing was changed yet");
        booked.files(&booked.retimed()).expect(201);
        assert!(penalties(&booked.order).iter().all(|penalty| *penalty == 0));
        // The cheapest offer, whose class is one that changes cost something in.
        let found = world.post(&booked.key, "/air/order_change_requests", &asks(&booked.order, &day(33))).expect(201);
        let choice = json!({ "selected_order_change_offer": found.data()["order_change_offers"][0]["id"] });
        let free = world.post(&booked.key, "/air/order_changes", &choice).expect(201).data().clone();
        let kept = chosen(world, &booked.key, &booked.order);

        confirms(world, &booked.key, &free, &payment(&free)).expect(200);
        let after = booked.order_now();
        let change = &after["airline_initiated_changes"][0];
        assert_eq!((&change["action_taken"], &change["available_actions"]), (&json!("changed"), &json!([])));
        confirms(world, &booked.key, &kept, &payment(&kept)).expect_error(409, "order_changed");
        assert!(penalties(&after).iter().all(|penalty| *penalty > 0), "the next one is the traveller's own wish");
        world.prove();
    }

    fn who_accepts_the_new_times_pays_for_other_flights(world) {
        let booked = Booked::on(world);
        booked.files(&booked.retimed()).expect(201);
        let free = chosen(world, &booked.key, &booked.order);
        let change = booked.order_now()["airline_initiated_changes"][0].clone();
        booked.accepts(&change).expect(200);
        confirms(world, &booked.key, &free, &payment(&free)).expect_error(409, "order_changed");
    }

    fn an_airline_changes_its_own_flights_only(world) {
        let booked = Booked::on(world);
        let change = booked.change(&json!({ "kind": "cancelled" }));
        let refused = world.post(&booked.stranger, "/v1/schedule_changes", &change).expect_error(404, "not_found");
        assert_eq!(refused.pointer(), "/data/airline_id");
        world.post(&booked.key, "/v1/schedule_changes", &change).expect_error(403, "insufficient_scope");
        let filed = world.post(&world.key(OPERATOR), "/v1/schedule_changes", &change).expect(201).data().clone();
        let path = format!("/v1/schedule_changes/{}", text(&filed["id"]));
        assert_eq!(world.get(&booked.airline, &path).expect(200).data(), &filed);
        world.get(&booked.stranger, &path).expect_error(404, "not_found");
        assert_eq!(all_ids(world, &booked.airline, "/v1/schedule_changes"), [text(&filed["id"])]);
        let mine = text(&booked.order_now()["airline_initiated_changes"][0]["id"]);
        world.get(&world.key(SHANGHAI), &format!("/air/airline_initiated_changes/{mine}")).expect_error(404, "not_found");
    }

    fn a_change_that_cannot_be_is_named(world) {
        let booked = Booked::on(world);
        let expect = |more: Value, code: &str, field: &str| {
            assert_eq!(booked.files(&more).expect_error(422, code).pointer(), format!("/data/{field}"));
        };
        expect(json!({ "kind": "cancelled", "flight_number": 9998 }), "flight_not_found", "flight_number");
        expect(json!({ "kind": "cancelled", "origin": "Peking" }), "invalid_value", "origin");
        expect(json!({ "kind": "retimed" }), "missing_field", "departing_at");
        expect(json!({ "kind": "cancelled", "arriving_at": "2026-12-10T11:45:00" }), "invalid_value", "arriving_at");
        expect(json!({ "kind": "replaced", "replacement_flight_number": 9998, "replacement_date": booked.day() }), "flight_not_found",
            "replacement_flight_number");
        let late = json!({ "kind": "retimed", "departing_at": "2999-12-10T09:30:00", "arriving_at": "2999-12-10T11:45:00" });
        expect(late, "invalid_value", "departing_at");
        assert_eq!(booked.order_now()["airline_initiated_changes"], json!([]));
    }
}
