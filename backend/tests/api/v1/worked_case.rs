//! The golden case of the design over HTTP, under the test clock: an agency sells, a bank pays, a cycle later everybody is square.

use crate::platform::{Answer, BANK, BEIJING, GUANGZHOU, OPERATOR, SHANGHAI, World};
use crate::v1::{agency_of, cny, text};
use airsettle::agencies::cycle_of;
use airsettle::credit::{AdvanceState, advances, facilities};
use airsettle::db::Window;
use airsettle::gateways::bank::simulator::{Fault, FaultPlan};
use serde_json::{Value, json};

/// One mode of a world with the keys of everybody in it.
pub struct Desk<'w> {
    pub world: &'w World,
    pub operator: String,
    pub seller: String,
    pub agency: String,
    /// Money writes need a key each.
    written: std::cell::Cell<u32>,
}

impl<'w> Desk<'w> {
    pub fn open(world: &'w World, seller: &str) -> Self {
        Desk::with(world, world.key_in("test", seller))
    }

    /// For a seller that is known by its key.
    pub fn with(world: &'w World, seller: String) -> Self {
        let operator = world.key_in("test", OPERATOR);
        let agency = agency_of(world, &seller);
        Desk { world, operator, seller, agency, written: std::cell::Cell::new(0) }
    }

    pub fn write(&self, path: &str, data: &Value) -> Answer {
        self.written.set(self.written.get() + 1);
        let key = format!("write-{}", self.written.get());
        self.world.post_with(&self.operator, path, &[("Idempotency-Key", &key)], data)
    }

    pub fn today(&self) -> String {
        text(&self.world.get(&self.operator, "/v1/test_clock").expect(200).data()["ledger_date"])
    }

    pub fn days_pass(&self, days: i64) {
        let test = &self.world.platform.test;
        let target = test.now().plus(chrono::Duration::days(days)).to_string();
        self.world.post(&self.operator, "/v1/test_clock", &json!({ "now": target })).expect(200);
    }

    /// A ticket of 1000.00 with 50.00 CN in it.
    pub fn sells(&self, family_name: &str, payment: &str) -> Value {
        let departure = self.world.platform.test.now().plus(chrono::Duration::days(20)).date_in(chrono_tz::Asia::Shanghai);
        let search = json!({
            "slices": [{ "origin": "PEK", "destination": "DLC", "departure_date": departure.to_string() }],
            "passengers": [{ "type": "adult" }],
        });
        let found = self.world.post(&self.seller, "/air/offer_requests", &search).expect(201);
        let offers = found.data()["offers"].as_array().unwrap().clone();
        let offer = offers.iter().find(|offer| offer["total_amount"] == "1000.00").expect("an offer of 1000.00");
        let order = crate::air::an_order(offer, family_name, payment);
        self.world.post(&self.seller, "/air/orders", &order).expect(201).data().clone()
    }

    pub fn until_paid(&self) {
        let test = &self.world.platform.test;
        let all = || test.store.read(|db| advances(db, None, None, Window::NEWEST, 200)).unwrap();
        self.world.await_that("the airline is paid", || all().iter().all(|one| one.state == AdvanceState::Confirmed));
    }

    pub fn facility(&self) -> String {
        text(&self.world.get(&self.operator, "/v1/facilities").expect(200).data()[0]["id"])
    }

    /// The balance of an account of the trial balance on its debit side.
    pub fn balance(&self, account: &str) -> airsettle::money::Money {
        let found = self.world.get(&self.operator, "/v1/ledger/accounts?limit=200").expect(200);
        let rows = found.data().as_array().unwrap().clone();
        let of = |row: &&Value| {
            let detail = row["detail"].as_str().filter(|detail| !detail.is_empty());
            let name = detail.map_or(text(&row["code"]), |detail| format!("{}[{detail}]", text(&row["code"])));
            name == account && row["currency"] == "CNY"
        };
        let amounts: Vec<&Value> = rows.iter().filter(of).map(|row| &row["balance_amount"]).collect();
        crate::v1::sum(amounts)
    }

    pub fn proves(&self) {
        use airsettle::db::DbError;
        let store = &self.world.platform.test.store;
        store
            .snapshot(|db| {
                airsettle::ledger::verify(db, &std::collections::BTreeMap::new())?.unwrap();
                airsettle::ticketing::verify_sales(db)?.unwrap();
                airsettle::settlement::verify_settlement(db)?.unwrap();
                Ok::<_, DbError>(())
            })
            .unwrap();
    }
}

pub fn outgoing(desk: &Desk, fields: &Value, reference: &str) -> Value {
    let mut data = fields.clone();
    data["currency"] = json!("CNY");
    data["value_date"] = json!(desk.today());
    data["bank_reference"] = json!(reference);
    data
}

fn cancellation(desk: &Desk, order: &Value) -> Answer {
    desk.world.post(&desk.seller, "/air/order_cancellations", &json!({ "order_id": order["id"] }))
}

fn confirm(desk: &Desk, quote: &Value) -> Answer {
    let path = format!("/air/order_cancellations/{}/actions/confirm", quote["id"].as_str().unwrap());
    desk.world.post(&desk.seller, &path, &json!({}))
}

on_both_engines! {
    fn sold_on_credit_paid_by_the_bank_remitted_and_repaid(world) {
        let desk = Desk::open(world, SHANGHAI);
        let own = desk.balance("platform.cash[own]");
        let order = desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        let cycle = cycle_of(desk.today().parse().unwrap());
        assert_eq!(desk.balance("bank.loan"), cny(&json!("915.00")));
        let limit = |desk: &Desk| desk.world.get(&desk.seller, &format!("/v1/limits/{}", desk.agency)).expect(200);
        let exposure = text(&limit(&desk).data()["exposure_amount"]);
        assert_eq!(exposure, "970.00", "{}", limit(&desk).data());

        desk.days_pass(7);
        let facility = desk.facility();
        desk.write(&format!("/v1/facilities/{facility}/accruals"), &json!({})).expect(200);
        desk.write(&format!("/v1/facilities/{facility}/accruals"), &json!({})).expect(200);
        let bank = world.key_in("test", BANK);
        let days = world.get(&bank, &format!("/v1/facilities/{facility}/accruals")).expect(200);
        assert_eq!(days.data().as_array().unwrap().len(), 7);
        assert_eq!(days.data()[0]["total_booked_amount"], "1.07");

        let cycles = world.get(&desk.seller, &format!("/v1/cycles?agency_id={}", desk.agency)).expect(200);
        assert_eq!((&cycles.data()[0]["cycle"], &cycles.data()[0]["to_remit_amount"]), (&json!(cycle), &json!("970.00")));
        let remittance = json!({ "account": "own", "amount": "970.00", "currency": "CNY", "value_date": desk.today(),
            "bank_reference": "IN-1", "purpose": "remittance", "agency_id": desk.agency, "cycle": cycle });
        let receipt = desk.write("/v1/bank_receipts", &remittance).expect(201);
        assert_eq!(receipt.data()["commission_amount"], "30.00");
        desk.write("/v1/bank_receipts", &remittance).expect(200);
        assert_eq!(text(&limit(&desk).data()["exposure_amount"]), "0.00");

        let path = format!("/v1/facilities/{facility}/repayments");
        let repaid = outgoing(&desk, &json!({ "principal_amount": "915.00", "interest_amount": "1.07" }), "OUT-1");
        desk.write(&path, &repaid).expect(201);
        desk.write(&path, &repaid).expect(200);
        let again = outgoing(&desk, &json!({ "principal_amount": "0.01", "interest_amount": "0.00" }), "OUT-2");
        assert_eq!(desk.write(&path, &again).expect_error(422, "more_than_owed").pointer(), "/data/principal_amount");
        let ticket = world.get(&desk.seller, &format!("/v1/tickets/{}", crate::v1::number_of(&order))).expect(200);
        let tax = ticket.data()["taxes"].as_array().unwrap().iter().find(|tax| tax["code"] == "CN").unwrap().clone();
        let tax = outgoing(&desk, &json!({ "payee": tax["payee"], "tax_code": "CN", "amount": "50.00" }), "OUT-3");
        desk.write("/v1/tax_payments", &tax).expect(201);

        assert_eq!(desk.balance("platform.cash[own]"), own.checked_add(cny(&json!("3.93"))).unwrap());
        for account in ["bank.loan", "bank.interest", "agency.receivable", "agency.commission", "airline.payable"] {
            assert_eq!(desk.balance(account), cny(&json!("0.00")), "{account}");
        }
        assert_eq!(world.get(&bank, &path).expect(200).data().as_array().unwrap().len(), 1);
        desk.proves();
    }

    fn sold_from_the_wallet_and_swept(world) {
        let desk = Desk::open(world, GUANGZHOU);
        let own = desk.balance("platform.cash[own]");
        let order = desk.sells("Zhang", "balance");
        desk.until_paid();
        let sweep = outgoing(&desk, &json!({ "to": "own", "amount": "55.01" }), "SWEEP-1");
        desk.write("/v1/cash_transfers", &sweep).expect_error(422, "above_cover");
        let sweep = outgoing(&desk, &json!({ "to": "own", "amount": "55.00" }), "SWEEP-1");
        desk.write("/v1/cash_transfers", &sweep).expect(201);
        let ticket = world.get(&desk.seller, &format!("/v1/tickets/{}", crate::v1::number_of(&order))).expect(200);
        let tax = ticket.data()["taxes"].as_array().unwrap().iter().find(|tax| tax["code"] == "CN").unwrap().clone();
        let tax = outgoing(&desk, &json!({ "payee": tax["payee"], "tax_code": "CN", "amount": "50.00" }), "OUT-1");
        desk.write("/v1/tax_payments", &tax).expect(201);
        assert_eq!(desk.balance("platform.cash[own]"), own.checked_add(cny(&json!("5.00"))).unwrap());
        desk.proves();
    }

    fn voided_before_the_airline_is_paid(world) {
        let desk = Desk::open(world, SHANGHAI);
        world.test_bank.plan(FaultPlan::always(Fault::Refuse { code: "AC04".into(), is_final: true })).unwrap();
        let order = desk.sells("Zhang", "arc_bsp_cash");
        assert_eq!(order["available_actions"], json!(["cancel", "change", "update", "void", "refund"]));
        let test = &world.platform.test;
        world.await_that("the bank has refused", || {
            test.store.read(|db| facilities(db, test.today())).unwrap().iter().any(|line| line.facility.closed_reason.is_some())
        });
        let quote = cancellation(&desk, &order).expect(201);
        assert_eq!((&quote.data()["refund_amount"], &quote.data()["refund_to"]), (&json!("1000.00"), &json!("arc_bsp_cash")));
        assert_eq!(quote.data()["confirmed_at"], Value::Null);
        let mut confirmed = confirm(&desk, quote.data());
        // An attempt that is on its way at this moment is refused a moment later.
        assert_eq!(confirmed.status, 200, "{}", confirmed.body);
        world.await_that("nothing is owed", || desk.balance("airline.receivable") == cny(&json!("0.00")));
        confirmed = confirm(&desk, quote.data());
        assert!(confirmed.expect(200).data()["confirmed_at"].is_string(), "confirmed again, it is the same");
        for account in ["bank.loan", "agency.receivable", "agency.commission", "airline.payable"] {
            assert_eq!(desk.balance(account), cny(&json!("0.00")), "{account}");
        }
        let read = world.get(&desk.seller, &format!("/air/orders/{}", order["id"].as_str().unwrap())).expect(200);
        assert_eq!(read.data()["available_actions"], json!([]));
        assert!(read.data()["cancelled_at"].is_string() && read.data()["cancellation"]["id"] == quote.data()["id"]);
        cancellation(&desk, &order).expect_error(409, "order_already_cancelled");
        desk.proves();
    }

    fn voided_after_the_airline_was_paid_and_set_off(world) {
        let desk = Desk::open(world, SHANGHAI);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        let quote = cancellation(&desk, &order).expect(201);
        let path = format!("/air/order_cancellations/{}/actions/confirm?dry_run=true", quote.data()["id"].as_str().unwrap());
        let rehearsed = world.post(&desk.seller, &path, &json!({})).expect(200);
        assert_eq!(rehearsed.data()["dry_run"], true);
        assert_eq!(rehearsed.data()["postings"].as_array().unwrap().len(), 1);
        assert_eq!(desk.balance("airline.receivable"), cny(&json!("0.00")), "nothing was done");
        confirm(&desk, quote.data()).expect(200);
        assert_eq!((desk.balance("bank.loan"), desk.balance("airline.receivable")), (cny(&json!("915.00")), cny(&json!("915.00"))));
        for account in ["agency.receivable", "agency.commission", "airline.payable"] {
            assert_eq!(desk.balance(account), cny(&json!("0.00")), "{account}");
        }
        let claims = world.get(&desk.operator, "/v1/airline_claims").expect(200);
        assert_eq!(claims.data()[0]["open_amount"], "915.00");
        desk.proves();

        let second = desk.sells("Wang", "arc_bsp_cash");
        world.await_that("the claim is set off", || desk.balance("airline.receivable") == cny(&json!("0.00")));
        let claims = world.get(&desk.operator, "/v1/airline_claims").expect(200);
        assert!(claims.data()[0]["settlements"][0]["disbursement_id"].is_string());
        assert_eq!(desk.balance("bank.loan"), cny(&json!("915.00")), "nothing more was drawn");
        // Both tickets tell of it: whose airline owed something, and whose advance it paid.
        for order in [&order, &second] {
            let number = order["documents"][0]["unique_identifier"].as_str().unwrap();
            let ticket = world.get(&desk.operator, &format!("/v1/tickets/{number}")).expect(200);
            let events = ticket.data()["journal"].as_array().unwrap().iter().map(|posting| posting["event"].as_str().unwrap());
            assert_eq!(events.filter(|event| *event == "claim_set_off").count(), 1, "{}", ticket.body);
        }
        desk.proves();
    }

    fn nobody_voids_what_is_not_theirs_or_too_late(world) {
        let desk = Desk::open(world, SHANGHAI);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        let other = world.key_in("test", BEIJING);
        let data = json!({ "order_id": order["id"] });
        world.post(&other, "/air/order_cancellations", &data).expect_error(404, "not_found");
        let quote = cancellation(&desk, &order).expect(201);
        let path = format!("/air/order_cancellations/{}", quote.data()["id"].as_str().unwrap());
        world.get(&other, &path).expect_error(404, "not_found");
        world.post(&other, &format!("{path}/actions/confirm"), &json!({})).expect_error(404, "not_found");
        assert_eq!(world.get(&desk.seller, &path).expect(200).data(), quote.data());
        let wrong = world.post(&desk.seller, "/air/order_cancellations", &json!({ "order_id": "ord_x" }));
        assert_eq!(wrong.expect_error(422, "invalid_value").pointer(), "/data/order_id");
        desk.days_pass(1);
        confirm(&desk, quote.data()).expect_error(422, "void_window_closed");
        let refund = cancellation(&desk, &order).expect(201);
        assert_eq!(refund.data()["kind"], "refund", "what is not void any more is refunded");
        desk.proves();
    }
}
