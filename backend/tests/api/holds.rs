//! Orders that are held: `/air/orders` with type `hold`, `/air/payments`, and what may be edited before and after the ticket.

use crate::air::{an_offer, an_order};
use crate::platform::{Answer, BEIJING, GUANGZHOU, OPERATOR, SHANGHAI, World};
use airsettle::app::App;
use airsettle::db::DbError;
use airsettle::ordering::{PersonKeyRow, erase, passengers_of};
use chrono::{DateTime, Duration, Utc};
use diesel::RunQueryDsl;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

fn day(ahead: u64) -> String {
    (Utc::now().date_naive() + chrono::Days::new(ahead)).to_string()
}

/// Beijing to Shanghai for one adult, as many days ahead, first those that this is true of.
fn offers(world: &World, key: &str, ahead: u64, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let search = json!({
        "slices": [{ "origin": "PEK", "destination": "SHA", "departure_date": day(ahead) }], "passengers": [{ "type": "adult" }],
    });
    let answer = world.post(key, "/air/offer_requests", &search).expect(201);
    answer.data()["offers"].as_array().unwrap().iter().filter(|offer| wanted(offer)).cloned().collect()
}

fn is_instant_only(offer: &Value) -> bool {
    offer["payment_requirements"]["requires_instant_payment"] == true
}

fn a_holdable_offer(world: &World, key: &str) -> Value {
    offers(world, key, 30, |offer| !is_instant_only(offer)).remove(0)
}

/// The body of a hold: without payments.
fn a_hold(offer: &Value, family_name: &str, kind: &str) -> Value {
    let mut order = an_order(offer, family_name, "balance");
    order["type"] = json!(kind);
    order.as_object_mut().unwrap().remove("payments");
    order
}

pub fn held(world: &World, key: &str, family_name: &str) -> Value {
    let offer = a_holdable_offer(world, key);
    world.post(key, "/air/orders", &a_hold(&offer, family_name, "hold")).expect(201).data().clone()
}

fn a_payment(order: &Value, kind: &str) -> Value {
    json!({ "order_id": order["id"], "payment": { "type": kind, "amount": order["total_amount"], "currency": order["total_currency"] } })
}

fn read(world: &World, key: &str, order: &Value) -> Value {
    world.get(key, &format!("/air/orders/{}", order["id"].as_str().unwrap())).expect(200).data().clone()
}

fn patch(world: &World, key: &str, path: &str, data: &Value) -> Answer {
    world.block_on(world.send(key, Method::PATCH, path, &[], Some(json!({ "data": data }).to_string())))
}

pub fn patch_passenger(world: &World, key: &str, order: &Value, data: &Value) -> Answer {
    let (order, passenger) = (order["id"].as_str().unwrap(), order["passengers"][0]["id"].as_str().unwrap());
    patch(world, key, &format!("/air/orders/{order}/passengers/{passenger}"), data)
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Sets the test clock to so long after a moment.
fn set_clock(world: &World, key: &str, to: DateTime<Utc>) {
    world.post(key, "/v1/test_clock", &json!({ "now": to.to_rfc3339() })).expect(200);
}

fn unavailable<'o>(order: &'o Value, action: &str) -> &'o str {
    let all = order["unavailable_actions"].as_array().unwrap();
    all.iter().find(|one| one["action"] == action).map_or("", |one| one["code"].as_str().unwrap())
}

pub fn change(app: &App, statement: &str) {
    app.store.write(|tx| Ok::<_, DbError>(diesel::sql_query(statement).execute(&mut *tx.db)?)).unwrap();
}

fn ticket_numbers(order: &Value) -> Vec<&str> {
    order["documents"].as_array().unwrap().iter().map(|one| one["unique_identifier"].as_str().unwrap()).collect()
}

on_both_engines! {
    fn an_offer_says_whether_it_can_be_held_and_the_order_gets_that(world) {
        let key = world.key(BEIJING);
        let offer = a_holdable_offer(world, &key);
        for (kind, name) in [("hold", "Zhang"), ("pay_later", "Wang")] {
            let order = world.post(&key, "/air/orders", &a_hold(&offer, name, kind)).expect(201).data().clone();
            let (promised, status) = (&offer["payment_requirements"], &order["payment_status"]);
            assert_eq!((&status["awaiting_payment"], &status["paid_at"]), (&json!(true), &Value::Null));
            assert_eq!(status["payment_required_by"], promised["payment_required_by"]);
            assert_eq!(status["price_guarantee_expires_at"], promised["price_guarantee_expires_at"]);
            assert_eq!((&order["type"], &order["documents"], &order["payments"]), (&json!("hold"), &json!([]), &json!([])));
            assert_eq!((&order["total_amount"], order["slices"].as_array().unwrap().len()), (&offer["total_amount"], 1));
            assert_eq!(order["booking_reference"].as_str().unwrap().len(), 6);
            assert_eq!(order["available_actions"], json!(["cancel", "update", "pay"]));
            assert_eq!((unavailable(&order, "void"), unavailable(&order, "refund")), ("awaiting_payment", "awaiting_payment"));
            assert_eq!(read(world, &key, &order), order);
        }
        // A carrier that holds nothing, or a departure that is too near.
        let near = offers(world, &key, 1, |_| true);
        assert!(near.iter().all(is_instant_only), "{near:?}");
        let refused = world.post(&key, "/air/orders", &a_hold(&near[0], "Li", "hold"));
        assert_eq!(refused.expect_error(422, "hold_not_offered").pointer(), "/data/type");
        let mut paid = an_order(&offer, "Li", "balance");
        paid["type"] = json!("hold");
        assert_eq!(world.post(&key, "/air/orders", &paid).expect_error(422, "invalid_value").pointer(), "/data/payments");
        world.prove();
    }

    fn a_hold_is_one_order_per_key_or_people(world) {
        let key = world.key(BEIJING);
        let offer = a_holdable_offer(world, &key);
        let hold = a_hold(&offer, "Zhang", "hold");
        let first = world.post(&key, "/air/orders", &hold).expect(201).data().clone();
        assert_eq!(world.post(&key, "/air/orders", &hold).expect(200).data(), &first);
        let header = [("Idempotency-Key", "held")];
        let keyed = a_hold(&offer, "Wang", "hold");
        let second = world.post_with(&key, "/air/orders", &header, &keyed).expect(201).data().clone();
        let again = world.post_with(&key, "/air/orders", &header, &keyed).expect(200);
        assert_eq!((again.data()["id"].clone(), again.header("idempotent-replayed")), (second["id"].clone(), Some("true")));
        world.post_with(&key, "/air/orders", &header, &a_hold(&offer, "Li", "hold")).expect_error(409, "idempotency_key_reused");
        let rehearsed = world.post(&key, "/air/orders?dry_run=true", &a_hold(&offer, "Chen", "hold")).expect(200);
        assert_eq!((&rehearsed.data()["tender"], &rehearsed.data()["tickets"]), (&Value::Null, &json!([])));
        assert_eq!(world.get(&key, "/air/orders?awaiting_payment=true").expect(200).data().as_array().unwrap().len(), 2);
        world.prove();
    }

    fn an_agency_holds_no_more_than_it_may(world) {
        let (key, operator) = (world.key(BEIJING), world.key(OPERATOR));
        let agency = world.get(&key, "/v1/agencies").expect(200).data()[0].clone();
        assert_eq!(agency["max_unpaid_holds"], json!(50));
        let path = format!("/v1/agencies/{}/actions/set_hold_limit", agency["id"].as_str().unwrap());
        let may_hold = |orders: i64| world.post(&operator, &path, &json!({ "max_unpaid_holds": orders }));
        assert_eq!(may_hold(-1).expect_error(422, "invalid_value").pointer(), "/data/max_unpaid_holds");
        assert_eq!(may_hold(1).expect(200).data()["max_unpaid_holds"], json!(1));
        let first = held(world, &key, "Zhang");
        let offer = a_holdable_offer(world, &key);
        let refused = world.post(&key, "/air/orders", &a_hold(&offer, "Wang", "hold"));
        let refused = refused.expect_error(422, "hold_limit_reached");
        assert!(refused.body.to_string().contains("holds 1 orders that are not paid and may hold 1"), "{:?}", refused.body);
        world.post(&key, "/air/orders", &an_order(&offer, "Li", "arc_bsp_cash")).expect(201);
        world.post(&key, "/air/payments", &a_payment(&first, "arc_bsp_cash")).expect(201);
        held(world, &key, "Wang");
        world.prove();
    }

    fn a_payment_issues_the_tickets(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let rehearsed = world.post(&key, "/air/payments?dry_run=true", &a_payment(&order, "arc_bsp_cash")).expect(200);
        let entries = rehearsed.data()["tickets"][0]["entries"].as_array().unwrap();
        assert_eq!((&entries[0]["account"], &entries[0]["debit"]), (&json!("agency.receivable"), &order["total_amount"]));
        assert_eq!(read(world, &key, &order), order, "a rehearsal changes nothing");

        let payment = world.post(&key, "/air/payments", &a_payment(&order, "arc_bsp_cash")).expect(201).data().clone();
        assert_eq!((&payment["order_id"], &payment["amount"]), (&order["id"], &order["total_amount"]));
        assert_eq!((&payment["type"], &payment["status"], &payment["live_mode"]), (&json!("arc_bsp_cash"), &json!("succeeded"), &json!(true)));
        let path = format!("/air/payments/{}", payment["id"].as_str().unwrap());
        assert_eq!(world.get(&key, &path).expect(200).data(), &payment);
        let listed = world.get(&key, &format!("/air/payments?order_id={}", order["id"].as_str().unwrap())).expect(200);
        assert_eq!(listed.data(), &json!([payment]));
        world.get(&world.key(SHANGHAI), &path).expect_error(404, "not_found");
        assert_eq!(world.get(&world.key(SHANGHAI), "/air/payments").expect(200).data(), &json!([]));

        let paid = read(world, &key, &order);
        assert_eq!(ticket_numbers(&paid)[0].len(), 13);
        assert_eq!((&paid["booking_reference"], &paid["type"]), (&order["booking_reference"], &json!("hold")));
        assert_eq!(paid["payment_status"]["awaiting_payment"], false);
        assert!(paid["payment_status"]["paid_at"].is_string() && paid["payment_status"]["payment_required_by"].is_null());
        assert_eq!((&paid["payments"][0]["type"], &paid["payments"][0]["amount"]), (&json!("arc_bsp_cash"), &order["total_amount"]));
        assert_eq!(paid["available_actions"], json!(["cancel", "change", "update", "void", "refund"]));
        assert_eq!(unavailable(&paid, "pay"), "already_paid");
        assert!(paid["void_window_ends_at"].is_string());
        for (wanted, count) in [("true", 0), ("false", 1)] {
            let listed = world.get(&key, &format!("/air/orders?awaiting_payment={wanted}")).expect(200);
            assert_eq!(listed.data().as_array().unwrap().len(), count, "{wanted}");
        }
        world.await_that("the airline is paid", || world.platform.live.metrics.sale_to_credit.get_sample_count() == 1);
        world.prove();
    }

    fn a_payment_is_made_once(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let payment = a_payment(&order, "balance");
        let first = world.post_with(&key, "/air/payments", &[("Idempotency-Key", "one")], &payment).expect(201).data().clone();
        let again = world.post_with(&key, "/air/payments", &[("Idempotency-Key", "one")], &payment).expect(200);
        assert_eq!((again.data(), again.header("idempotent-replayed")), (&first, Some("true")));
        let other = world.post_with(&key, "/air/payments", &[("Idempotency-Key", "two")], &payment).expect_error(409, "already_paid");
        assert_eq!(other.pointer(), "/data/order_id");
        world.post_with(&key, "/air/payments", &[("Idempotency-Key", "one")], &a_payment(&order, "arc_bsp_cash"))
            .expect_error(409, "idempotency_key_reused");
        // Without a key the same payment is the same one, and another one is not.
        world.post(&key, "/air/payments", &payment).expect_error(409, "already_paid");
        let second = held(world, &key, "Wang");
        let made = world.post(&key, "/air/payments", &a_payment(&second, "balance")).expect(201).data().clone();
        assert_eq!(world.post(&key, "/air/payments", &a_payment(&second, "balance")).expect(200).data(), &made);
        world.post(&key, "/air/payments", &a_payment(&second, "arc_bsp_cash")).expect_error(409, "already_paid");
        // An order that was paid at once is paid.
        let offer = an_offer(world, &key);
        let instant = world.post(&key, "/air/orders", &an_order(&offer, "Li", "balance")).expect(201).data().clone();
        world.post(&key, "/air/payments", &a_payment(&instant, "balance")).expect_error(409, "already_paid");
        world.prove();
    }

    fn a_hundred_payments_at_once_are_one(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let send = |number: usize| {
            let header = format!("key-{number}");
            let body = json!({ "data": a_payment(&order, "balance") }).to_string();
            let key = key.clone();
            async move {
                world.send(&key, Method::POST, "/air/payments", &[("Idempotency-Key", header.as_str())], Some(body)).await
            }
        };
        let answers = world.block_on(join_all((0..100).map(send)));
        assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
        let refused = answers.iter().filter(|answer| (answer.status, answer.code()) == (409, "already_paid"));
        assert_eq!(refused.count(), 99);
        world.prove();
    }

    fn a_payment_that_is_wrong_says_what(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let with = |pointer: &str, value: Value| {
            let mut payment = a_payment(&order, "balance");
            *payment.pointer_mut(pointer).unwrap() = value;
            world.post(&key, "/air/payments", &payment)
        };
        let cases = [
            (with("/payment/type", json!("card")), 422, "payment_type_not_supported", "/data/payment/type"),
            (with("/payment/amount", json!("1.00")), 422, "payment_amount_mismatch", "/data/payment/amount"),
            (with("/payment/amount", json!("1.001")), 422, "too_many_decimals", "/data/payment/amount"),
            (with("/payment/currency", json!("USD")), 422, "currency_mismatch", "/data/payment/currency"),
            (with("/order_id", json!("ord_0000000000001")), 404, "not_found", "/data/order_id"),
            (with("/order_id", json!("nonsense")), 422, "invalid_value", "/data/order_id"),
        ];
        for (answer, status, code, pointer) in cases {
            assert_eq!(answer.expect_error(status, code).pointer(), pointer);
        }
        world.post(&world.key(SHANGHAI), "/air/payments", &a_payment(&order, "balance")).expect_error(404, "not_found");
        world.post(&world.key(OPERATOR), "/air/payments", &a_payment(&order, "balance")).expect_error(403, "insufficient_scope");
        // Without a deposit there is no credit, and the order stays held.
        let poor = world.key(GUANGZHOU);
        let other = held(world, &poor, "Li");
        world.post(&poor, "/air/payments", &a_payment(&other, "arc_bsp_cash")).expect_error(422, "limit_exceeded");
        assert_eq!(read(world, &poor, &other), other);
        world.post(&poor, "/air/payments", &a_payment(&other, "balance")).expect(201);
        world.prove();
    }

    fn after_the_guarantee_the_price_is_that_of_now(world) {
        let key = world.key_in("test", BEIJING);
        let test = &world.platform.test;
        let order = held(world, &key, "Zhang");
        // It was held when it cost 100.00 less.
        let minor = |amount: &Value| amount.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
        let now = minor(&order["total_amount"]);
        let base = minor(&order["base_amount"]);
        change(test, &format!("UPDATE held_order SET offer = replace(offer, '\"base_minor\":{base}', '\"base_minor\":{}')", base - 10_000));
        change(test, "UPDATE air_order SET base_minor = base_minor - 10000, total_minor = total_minor - 10000");
        let old = read(world, &key, &order);
        let guaranteed = old["payment_status"]["price_guarantee_expires_at"].clone();
        if guaranteed.is_string() {
            assert_eq!(minor(&old["total_amount"]), now - 10_000, "the price that it was held at");
            world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect_error(422, "payment_amount_mismatch");
            let until = time(&guaranteed);
            if until < time(&old["payment_status"]["payment_required_by"]) {
                set_clock(world, &key, until);
            } else {
                change(test, "UPDATE held_order SET price_guaranteed_until = NULL");
            }
        }
        let current = read(world, &key, &order);
        assert_eq!(current["total_amount"], order["total_amount"], "the price of now");
        let stale = json!({ "order_id": order["id"], "payment": { "type": "balance", "currency": "CNY",
            "amount": format!("{}.{:02}", (now - 10_000) / 100, now % 100) } });
        let refused = world.post(&key, "/air/payments", &stale).expect_error(422, "price_changed");
        let message = refused.body["errors"][0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(order["total_amount"].as_str().unwrap()), "{message}");
        assert!(message.contains(stale["payment"]["amount"].as_str().unwrap()), "{message}");
        assert_eq!(refused.pointer(), "/data/payment/amount");
        let payment = world.post(&key, "/air/payments", &a_payment(&current, "balance")).expect(201);
        assert_eq!(payment.data()["amount"], order["total_amount"]);
        assert_eq!(read(world, &key, &order)["total_amount"], order["total_amount"]);
        world.prove();
    }

    fn what_is_not_paid_in_time_expires_by_itself(world) {
        let key = world.key_in("test", BEIJING);
        let order = held(world, &key, "Zhang");
        let by = time(&order["payment_status"]["payment_required_by"]);
        set_clock(world, &key, by);
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect_error(422, "payment_window_closed");
        let quote = world.post(&key, "/air/order_cancellations", &json!({ "order_id": order["id"] }));
        assert!(["payment_window_closed", "order_already_cancelled"].contains(&quote.code()), "{}", quote.body);
        assert_eq!(read(world, &key, &order)["payment_status"]["awaiting_payment"], false, "whether a job has run or not");
        world.await_that("its seats are released", || read(world, &key, &order)["cancelled_at"].is_string());
        let expired = read(world, &key, &order);
        assert_eq!((&expired["available_actions"], &expired["cancellation"]), (&json!([]), &Value::Null));
        assert_eq!(unavailable(&expired, "pay"), "order_already_cancelled");
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect_error(422, "payment_window_closed");
        patch(world, &key, &format!("/air/orders/{}", order["id"].as_str().unwrap()), &json!({ "metadata": {} }))
            .expect_error(409, "order_already_cancelled");
        world.prove();
    }

    fn an_unpaid_order_is_cancelled_and_gives_back_nothing(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let quote = world.post(&key, "/air/order_cancellations", &json!({ "order_id": order["id"] })).expect(201).data().clone();
        assert_eq!((&quote["refund_amount"], &quote["refund_to"]), (&json!("0.00"), &json!("awaiting_payment")));
        assert_eq!((&quote["kind"], &quote["refund"]), (&json!("release"), &Value::Null));
        assert_eq!(quote["expires_at"], order["payment_status"]["payment_required_by"]);
        let path = format!("/air/order_cancellations/{}/actions/confirm", quote["id"].as_str().unwrap());
        let rehearsed = world.post(&key, &format!("{path}?dry_run=true"), &json!({})).expect(200);
        assert_eq!((&rehearsed.data()["dry_run"], &rehearsed.data()["postings"]), (&json!(true), &json!([])));
        assert_eq!(read(world, &key, &order), order);
        let confirmed = world.post(&key, &path, &json!({})).expect(200).data().clone();
        assert_eq!(world.post(&key, &path, &json!({})).expect(200).data(), &confirmed, "confirmed again, it is the same");
        let cancelled = read(world, &key, &order);
        assert_eq!((&cancelled["cancellation"]["id"], &cancelled["documents"]), (&quote["id"], &json!([])));
        assert!(cancelled["cancelled_at"].is_string() && cancelled["payment_status"]["payment_required_by"].is_null());
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect_error(409, "order_already_cancelled");
        world.prove();
    }

    fn before_the_ticket_a_passenger_is_corrected_freely(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let edit = json!({ "family_name": "Ouyang", "given_name": "Lan", "title": "mr", "gender": "m", "email": "lan@example.com",
            "identity_documents": [
                { "type": "national_id_card", "unique_identifier": "110105199002280020", "issuing_country_code": "CN" },
                { "type": "passport", "unique_identifier": "E12345678", "issuing_country_code": "CN", "expires_on": "2036-01-01" },
            ] });
        let mut wrong = edit.clone();
        wrong["identity_documents"][0]["unique_identifier"] = json!("110105199002280021");
        let answer = patch_passenger(world, &key, &order, &wrong).expect_error(422, "invalid_passenger");
        assert_eq!(answer.pointer(), "/data/identity_documents/0/unique_identifier");
        let passenger = patch_passenger(world, &key, &order, &edit).expect(200).data().clone();
        assert_eq!((&passenger["family_name"], &passenger["title"], &passenger["name_on_ticket"]), (&json!("Ouyang"), &json!("mr"), &Value::Null));
        assert_eq!(passenger["phone_number"], "+8613800138000", "what was not named stays");
        assert_eq!(passenger["identity_documents"][0]["unique_identifier"], "**************0020");
        assert_eq!(passenger["identity_documents"][1]["type"], "passport");
        assert_eq!(read(world, &key, &order)["passengers"][0], passenger);
        let unknown = patch_passenger(world, &key, &order, &json!({ "born_on": "1991-01-01" }));
        assert_eq!(unknown.expect_error(422, "unknown_field").pointer(), "/data/born_on");
        patch_passenger(world, &world.key(SHANGHAI), &order, &edit).expect_error(404, "not_found");
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect(201);
        assert_eq!(read(world, &key, &order)["passengers"][0], passenger, "the ticket is issued in the corrected name");
        world.prove();
    }

    fn after_the_ticket_only_slips_contacts_and_documents(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect(201);
        let edit = |data: Value| patch_passenger(world, &key, &order, &data);
        assert_eq!(edit(json!({ "family_name": "Ouyang" })).expect_error(422, "name_change_not_allowed").pointer(), "/data/family_name");
        assert_eq!(edit(json!({ "given_name": "Na" })).expect_error(422, "name_change_not_allowed").pointer(), "/data/given_name");
        assert_eq!(edit(json!({ "title": "mr" })).expect_error(422, "title_not_changeable").pointer(), "/data/title");
        let corrected = edit(json!({ "family_name": "Zhong", "phone_number": "+8613900139000" })).expect(200).data().clone();
        assert_eq!((&corrected["family_name"], &corrected["phone_number"]), (&json!("Zhong"), &json!("+8613900139000")));
        assert_eq!(corrected["name_on_ticket"], json!({ "given_name": "Wei", "family_name": "Zhang" }));
        change(&world.platform.live, "UPDATE coupon SET status = 'C'");
        edit(json!({ "family_name": "Zhang" })).expect_error(422, "coupon_not_open");
        edit(json!({ "email": "other@example.com" })).expect(200);
        change(&world.platform.live, "UPDATE coupon SET status = 'O'");
        assert_eq!(edit(json!({ "family_name": "Zhang" })).expect(200).data()["name_on_ticket"], Value::Null);
        world.prove();
    }

    /// Under the same master key nothing that a row ever held opens with what a row holds now, and an erased person stays erased.
    fn a_correction_leaves_nothing_of_before_and_erasure_nothing_at_all(world) {
        use airsettle::ids::{Id, OrderId};
        let (key, app) = (world.key(BEIJING), &world.platform.live);
        let order = held(world, &key, "Zhang");
        let id = OrderId::parse(order["id"].as_str().unwrap()).unwrap();
        let sealed = || app.store.read(|db| passengers_of(db, &[id])).unwrap().remove(0);
        let (before, old_key) = sealed();
        patch_passenger(world, &key, &order, &json!({ "family_name": "Ouyang" })).expect(200);
        let (after, new_key): (_, PersonKeyRow) = sealed();
        assert_ne!((&before.sealed, &old_key.wrapped), (&after.sealed, &new_key.wrapped));
        let open = |data: &[u8], wrapped: &[u8]| {
            app.vault.open(&airsettle::ordering::Sealed { data: data.to_vec(), wrapped_key: wrapped.to_vec() })
        };
        assert!(open(&before.sealed, &new_key.wrapped).is_err(), "the old data are not read with the new key");
        assert_eq!(open(&after.sealed, &new_key.wrapped).unwrap().family_name, "Ouyang");
        app.store.write(|tx| erase(tx, &app.vault, &after)).unwrap();
        let erased = read(world, &key, &order)["passengers"][0].clone();
        assert_eq!((&erased["family_name"], &erased["identity_documents"]), (&json!(""), &json!([])));
        patch_passenger(world, &key, &order, &json!({ "family_name": "Zhang" })).expect_error(409, "invalid_state");
        assert!(sealed().1.wrapped.is_empty(), "a refused correction brings no key back");
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect_error(409, "invalid_state");
        world.prove();
    }

    fn notes_of_the_client_are_replaced(world) {
        let key = world.key(BEIJING);
        let order = held(world, &key, "Zhang");
        let path = format!("/air/orders/{}", order["id"].as_str().unwrap());
        let updated = patch(world, &key, &path, &json!({ "metadata": { "trip": "7" }, "users": ["icu_1"] })).expect(200);
        assert_eq!(updated.data()["metadata"], json!({ "trip": "7" }));
        let again = patch(world, &key, &path, &json!({ "metadata": { "desk": "3" } })).expect(200);
        assert_eq!(again.data()["metadata"], json!({ "desk": "3" }));
        assert_eq!(patch(world, &key, &path, &json!({ "metadata": { "n": 1 } })).expect_error(422, "invalid_type").pointer(), "/data/metadata/n");
        let wrapped = patch(world, &key, &path, &json!({ "options": { "metadata": { "desk": "3" } } })).expect(200);
        assert_eq!(wrapped.data()["metadata"], json!({ "desk": "3" }), "as the official client sends it");
        assert_eq!(patch(world, &key, &path, &json!({})).expect_error(422, "missing_field").pointer(), "/data/metadata");
        patch(world, &world.key(SHANGHAI), &path, &json!({ "metadata": {} })).expect_error(404, "not_found");
        // The payment takes nothing of it away.
        world.post(&key, "/air/payments", &a_payment(&order, "balance")).expect(201);
        assert_eq!(read(world, &key, &order)["metadata"], json!({ "desk": "3" }));
        world.prove();
    }
}

#[test]
fn the_deadline_is_counted_from_the_offer() {
    let world = World::new(crate::platform::Engine::Sqlite);
    let key = world.key(BEIJING);
    let offer = a_holdable_offer(&world, &key);
    let held_for = time(&offer["payment_requirements"]["payment_required_by"]) - time(&offer["created_at"]);
    assert!(held_for >= Duration::hours(24), "{held_for}");
}
