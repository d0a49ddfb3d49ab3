//! The airline is paid through a bank that answers slowly, wrongly, twice or not at all: exactly once, whatever it does.

use crate::air::{an_offer, an_order};
use crate::platform::{BEIJING, GUANGZHOU, OPERATOR, World};
use airsettle::app::App;
use airsettle::credit::{Advance, AdvanceState, advances, attempts_of, facilities, payment_reference};
use airsettle::db::Window;
use airsettle::gateways::bank::simulator::{Fault, FaultPlan};
use serde_json::{Value, json};

fn all_advances(app: &App) -> Vec<Advance> {
    app.store.read(|db| advances(db, None, None, Window::NEWEST, 200)).unwrap()
}

fn all_in(app: &App, state: AdvanceState) -> bool {
    let all = all_advances(app);
    !all.is_empty() && all.iter().all(|advance| advance.state == state)
}

fn is_open(app: &App) -> bool {
    app.store.read(|db| facilities(db, app.today())).unwrap().iter().all(|line| line.facility.closed_reason.is_none())
}

/// What the bank booked on an account today.
fn booked(world: &World, bank: &str, account: &str) -> Vec<Value> {
    let url = format!("{bank}/accounts/{account}/statement");
    let text = world.block_on(async { reqwest::get(url).await.unwrap().text().await.unwrap() });
    let statement: Value = serde_json::from_str(&text).unwrap();
    statement["bookings"].as_array().unwrap().clone()
}

/// Sells one ticket on credit under a plan of the bank and waits until its airline is paid.
fn sold_and_paid_once(world: &World, plan: FaultPlan) -> Advance {
    let key = world.key(BEIJING);
    let offer = an_offer(world, &key);
    world.bank.plan(plan).unwrap();
    world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
    let live = &world.platform.live;
    world.await_that("the advance is confirmed", || all_in(live, AdvanceState::Confirmed));
    let advance = all_advances(live).pop().unwrap();
    let paid = booked(world, &world.bank.base_url(), "line-CNY-1");
    assert_eq!(paid.len(), 1, "the bank paid once: {paid:?}");
    assert_eq!(paid[0]["amount"], json!(format!("-{}", advance.amount)));
    world.prove();
    advance
}

on_both_engines! {
    fn an_airline_is_paid_elsewhere_once_two_people_agreed_and_what_was_sent_keeps_its_payee(world) {
        let key = world.key(BEIJING);
        let (before, after) = (an_offer(world, &key), an_offer(world, &key));
        let operator = world.key(OPERATOR);
        let airline = world.get(&operator, "/v1/airlines").expect(200).data().as_array().unwrap().clone();
        let carrier = before["owner"]["iata_code"].as_str().unwrap();
        let airline = airline.into_iter().find(|one| one["iata_code"] == carrier).unwrap();
        let old = airline["payee_account"].as_str().unwrap();
        world.bank.plan(FaultPlan::always(Fault::DropConnection)).unwrap();
        world.post(&key, "/air/orders", &an_order(&before, "Zhang", "arc_bsp_cash")).expect(201);
        let live = &world.platform.live;
        world.await_that("the payment has left", || all_advances(live)[0].sent_at.is_some());
        let elsewhere = |account: &str, name: &str| {
            let change = json!({ "airline_id": airline["id"], "payee_account": account, "payee_name": name });
            crate::v1::agreed(world, "change_payee", &change)
        };
        assert_eq!(elsewhere("", "Settlements").expect_error(422, "invalid_value").pointer(), "/data/change/payee_account");
        let same = elsewhere(old, airline["payee_name"].as_str().unwrap());
        assert_eq!(same.expect_error(422, "invalid_value").pointer(), "/data/change/payee_account");
        elsewhere("AIR-NEW-1", "Settlements").expect(200);
        elsewhere("AIR-NEW-2", "Settlements").expect(200);
        world.bank.plan(FaultPlan::default()).unwrap();
        world.await_that("the airline has its money", || all_in(live, AdvanceState::Confirmed));
        let bank = world.bank.base_url();
        assert_eq!(booked(world, &bank, old).len(), 1, "the payment that had left goes where it was sent to");
        assert!(booked(world, &bank, "AIR-NEW-2").is_empty());
        world.await_that("the line is open", || is_open(live));
        world.post(&key, "/air/orders", &an_order(&after, "Li", "arc_bsp_cash")).expect(201);
        world.await_that("the second one is paid", || all_advances(live).len() == 2 && all_in(live, AdvanceState::Confirmed));
        assert_eq!(booked(world, &bank, "AIR-NEW-2").len(), 1);
        assert_eq!((booked(world, &bank, old).len(), booked(world, &bank, "AIR-NEW-1").len()), (1, 0));
        world.prove();
    }

    fn a_time_out_after_success_pays_once(world) {
        let advance = sold_and_paid_once(world, FaultPlan::script([Fault::TimeoutAfterSuccess { ms: 0 }]));
        assert_eq!(advance.attempt, 1);
    }

    fn an_error_after_booking_and_one_without_pay_once(world) {
        sold_and_paid_once(world, FaultPlan::script([Fault::Error500 { booked: true }]));
    }

    fn a_connection_that_drops_before_anything_happened_is_tried_again_under_the_same_reference(world) {
        let advance = sold_and_paid_once(world, FaultPlan::script([Fault::DropConnection, Fault::Error500 { booked: false }]));
        assert_eq!(advance.attempt, 1);
    }

    fn a_slow_bank_and_one_that_calls_back_twice_or_too_early_pay_once(world) {
        sold_and_paid_once(world, FaultPlan::script([Fault::Slow { ms: 400 }]));
    }

    fn callbacks_that_come_twice_are_booked_once(world) {
        sold_and_paid_once(world, FaultPlan::script([Fault::DuplicateCallback]));
    }

    fn a_callback_before_the_answer_is_booked_once(world) {
        sold_and_paid_once(world, FaultPlan::script([Fault::CallbackBeforeAnswer]));
    }

    fn a_payment_that_is_accepted_is_confirmed_by_the_callback(world) {
        sold_and_paid_once(world, FaultPlan::script([Fault::AcceptThenCallback { ms: 300 }]));
    }

    fn a_refusal_closes_the_line_starts_a_new_attempt_and_the_line_reopens(world) {
        let plan = FaultPlan::script([Fault::Refuse { code: "AC04".into(), is_final: true }]);
        let advance = sold_and_paid_once(world, plan);
        assert_eq!(advance.attempt, 2);
        let live = &world.platform.live;
        let attempts = live.store.read(|db| attempts_of(db, advance.id)).unwrap();
        assert_eq!(attempts.iter().map(|attempt| attempt.outcome.as_str()).collect::<Vec<_>>(), ["failed"]);
        let paid = booked(world, &world.bank.base_url(), "line-CNY-1");
        assert_eq!(paid[0]["reference"], json!(payment_reference(advance.id, 2)));
        world.await_that("the line reopens", || is_open(live));
    }

    fn a_wrong_amount_is_never_booked_and_closes_the_line_but_not_the_wallet(world) {
        let (key, wallet) = (world.key(BEIJING), world.key(GUANGZHOU));
        let (offer, other) = (an_offer(world, &key), an_offer(world, &wallet));
        world.bank.plan(FaultPlan::script([Fault::WrongAmount { delta_minor: Some(-1), amount: None }])).unwrap();
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        let live = &world.platform.live;
        world.await_that("the line is closed", || !is_open(live));
        let advance = all_advances(live).pop().unwrap();
        assert_eq!(advance.state, AdvanceState::Unknown);
        assert!(advance.detail.unwrap().contains("settled"));
        world.post(&key, "/air/orders", &an_order(&offer, "Wang", "arc_bsp_cash")).expect_error(422, "facility_closed");
        world.post(&wallet, "/air/orders", &an_order(&other, "Li", "balance")).expect(201);
        world.await_that("the wallet ticket is paid", || {
            all_advances(live).iter().any(|advance| advance.facility.is_none() && advance.state == AdvanceState::Confirmed)
        });
        assert_eq!(booked(world, &world.bank.base_url(), "client-CNY").len(), 1);
        world.prove();
    }

    fn a_bank_that_is_down_closes_the_line_by_age_and_everything_is_paid_when_it_is_back(world) {
        let (key, wallet) = (world.key_in("test", BEIJING), world.key_in("test", GUANGZHOU));
        let (offer, other) = (an_offer(world, &key), an_offer(world, &wallet));
        let test = &world.platform.test;
        world.test_bank.plan(FaultPlan::always(Fault::Down)).unwrap();
        world.post(&key, "/air/orders", &an_order(&offer, "Zhang", "arc_bsp_cash")).expect(201);
        test.set_clock(test.now().plus(chrono::Duration::seconds(31))).unwrap().unwrap();
        let refused = world.post(&key, "/air/orders", &an_order(&offer, "Wang", "arc_bsp_cash")).expect_error(422, "facility_closed");
        assert!(refused.body["errors"][0]["remedy"].as_str().unwrap().contains("balance"));
        world.post(&wallet, "/air/orders", &an_order(&other, "Li", "balance")).expect(201);
        world.test_bank.plan(FaultPlan::default()).unwrap();
        test.set_clock(test.now().plus(chrono::Duration::seconds(31))).unwrap().unwrap();
        world.await_that("both airlines are paid", || all_in(test, AdvanceState::Confirmed));
        world.post(&key, "/air/orders", &an_order(&offer, "Wang", "arc_bsp_cash")).expect(201);
    }

    fn nothing_stays_unsealed_and_the_heads_are_outside_the_database(world) {
        sold_and_paid_once(world, FaultPlan::default());
        let live = &world.platform.live;
        world.await_that("everything is sealed", || !live.store.read(airsettle::ledger::has_unsealed).unwrap());
        let anchors = || airsettle::ledger::Anchor::read_last(&live.anchor, &live.database_id).unwrap_or_default();
        world.await_that("the head is anchored", || {
            live.store.snapshot(|db| airsettle::ledger::verify(db, &anchors())).is_ok_and(|proof: Result<_, _>| proof.is_ok())
                && !anchors().is_empty()
        });
    }
}
