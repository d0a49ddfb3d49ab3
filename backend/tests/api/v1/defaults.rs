//! `/v1/defaults`: the golden default of the design. Nothing is remitted: a deposit of 600.00 is applied, 370.00 are written off, and the platform's
//! capital carries the loss of 366.07.

use crate::platform::{Answer, OPERATOR, SHANGHAI, World};
use crate::v1::worked_case::{Desk, outgoing};
use crate::v1::{agreed_in, cny, text};
use reqwest::Method;
use serde_json::{Value, json};

/// A new agency on the terms of the worked case, with a deposit of 600.00; its key.
fn agency_with_600(world: &World) -> String {
    let operator = world.key_in("test", OPERATOR);
    let post = |path: &str, data: &Value| text(&world.post(&operator, path, data).expect(201).data()["id"]);
    let organisation = post("/v1/organisations", &json!({ "kind": "agency", "name": "Harbour Night Tours", "country": "CN" }));
    let agency = post(
        "/v1/agencies",
        &json!({ "organisation_id": organisation, "numeric_code": "08301241", "name": "Harbour Night Tours",
        "country": "CN", "time_zone": "Asia/Shanghai", "currency": "CNY" }),
    );
    let today = text(&world.get(&operator, "/v1/test_clock").expect(200).data()["ledger_date"]);
    post(
        "/v1/contracts",
        &json!({ "agency_id": agency, "currency": "CNY", "effective_from": today, "commission_rate": "0.03",
        "commission_base": "price", "fee_rate": "0.005", "tax_remitter": "platform", "payment_days": 7, "clawback": "full",
        "fee_on_refund": "refunded", "airline_return": "set_off" }),
    );
    let deposit = json!({ "account": "client", "amount": "600.00", "currency": "CNY", "value_date": today, "bank_reference": "DEPOSIT",
        "purpose": "deposit", "agency_id": agency });
    world.post_with(&operator, "/v1/bank_receipts", &[("Idempotency-Key", "deposit")], &deposit).expect(201);
    let scopes = ["air:read", "air:write", "parties:read", "finance:read"];
    let new = json!({ "organisation_id": organisation, "name": "made for a test", "scopes": scopes });
    text(&world.post(&operator, "/v1/keys", &new).expect(201).data()["secret"])
}

fn receipt(desk: &Desk, purpose: &str, amount: &str, reference: &str) -> Answer {
    let mut data = json!({ "account": "own", "amount": amount, "currency": "CNY", "value_date": desk.today(), "bank_reference": reference,
        "purpose": purpose });
    if purpose != "capital" {
        data["agency_id"] = json!(desk.agency);
    }
    desk.write("/v1/bank_receipts", &data)
}

/// A bank answers for the agency; 20 % of that are not counted.
fn guaranteed(desk: &Desk, amount: &str) -> String {
    let file = Some("%PDF-1.4 a bank answers".to_owned());
    let sent = desk.world.send(&desk.operator, Method::POST, "/v1/attachments?file_name=g.pdf", &[], file);
    let document = text(&desk.world.block_on(sent).expect(201).data()["id"]);
    let today: chrono::NaiveDate = desk.today().parse().unwrap();
    let new = json!({ "agency_id": desk.agency, "kind": "guarantee", "issuer": "Bank of the Delta", "amount": amount, "currency": "CNY",
        "haircut": "0.2", "effective_from": today.to_string(), "expires_on": (today + chrono::Days::new(300)).to_string(),
        "attachment_id": document });
    text(&desk.world.post(&desk.operator, "/v1/guarantees", &new).expect(201).data()["id"])
}

fn called(desk: &Desk, guarantee: &str, amount: &str, reference: &str) -> Answer {
    let data = json!({ "account": "own", "amount": amount, "currency": "CNY", "value_date": desk.today(), "bank_reference": reference,
        "purpose": "guarantee", "agency_id": desk.agency, "guarantee_id": guarantee });
    desk.write("/v1/bank_receipts", &data)
}

fn result(desk: &Desk) -> i64 {
    let accounts = ["platform.fee_income", "platform.interest_expense", "platform.credit_loss_expense"];
    accounts.iter().map(|account| desk.balance(account).minor).sum()
}

on_both_engines! {
    fn an_agency_that_never_remits_costs_366_07(world) {
        let desk = Desk::with(world, agency_with_600(world));
        let own = desk.balance("platform.cash[own]");
        receipt(&desk, "capital", "400.00", "CAPITAL").expect(201);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        desk.days_pass(7);
        let facility = desk.facility();
        desk.write(&format!("/v1/facilities/{facility}/accruals"), &json!({})).expect(200);

        let write_off = json!({ "agency_id": desk.agency, "amount": "370.00", "currency": "CNY" });
        agreed_in(world, "test", "write_off", &write_off).expect_error(409, "invalid_state");
        let declared = desk.write("/v1/defaults", &json!({ "agency_id": desk.agency, "reason": "Nothing was remitted" })).expect(201);
        let amounts = ["owed_amount", "commission_netted_amount", "wallet_applied_amount", "deposit_applied_amount"];
        assert_eq!(amounts.map(|name| text(&declared.data()[name])), ["970.00", "30.00", "0.00", "600.00"]);
        assert_eq!(desk.balance("agency.receivable"), cny(&json!("370.00")));
        let agency = world.get(&desk.operator, &format!("/v1/agencies/{}", desk.agency)).expect(200);
        assert_eq!(agency.data()["status"], "frozen", "sales stop");
        desk.proves();
        let sweep = outgoing(&desk, &json!({ "to": "own", "amount": "600.00" }), "SWEEP");
        desk.write("/v1/cash_transfers", &sweep).expect(201);

        let mut other = write_off.clone();
        other["amount"] = json!("369.99");
        agreed_in(world, "test", "write_off", &other).expect_error(422, "invalid_value");
        agreed_in(world, "test", "write_off", &write_off).expect(200);
        let repaid = outgoing(&desk, &json!({ "principal_amount": "915.00", "interest_amount": "1.07" }), "OUT-1");
        desk.write(&format!("/v1/facilities/{facility}/repayments"), &repaid).expect(201);
        let ticket = world.get(&desk.seller, &format!("/v1/tickets/{}", crate::v1::number_of(&order))).expect(200);
        let tax = ticket.data()["taxes"].as_array().unwrap().iter().find(|tax| tax["code"] == "CN").unwrap().clone();
        let tax = outgoing(&desk, &json!({ "payee": tax["payee"], "tax_code": "CN", "amount": "50.00" }), "OUT-2");
        desk.write("/v1/tax_payments", &tax).expect(201);

        assert_eq!(result(&desk), -36_607);
        assert_eq!(desk.balance("platform.cash[own]"), own.checked_add(cny(&json!("33.93"))).unwrap());
        for account in ["agency.receivable", "agency.commission", "platform.credit_loss_allowance", "bank.loan", "airline.payable"] {
            assert_eq!(desk.balance(account), cny(&json!("0.00")), "{account}");
        }
        desk.proves();
    }

    fn a_guarantor_pays_250_00_and_the_loss_is_116_07(world) {
        let desk = Desk::with(world, agency_with_600(world));
        let own = desk.balance("platform.cash[own]");
        receipt(&desk, "capital", "400.00", "CAPITAL").expect(201);
        let guarantee = guaranteed(&desk, "500.00");
        desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        desk.days_pass(7);
        let facility = desk.facility();
        desk.write(&format!("/v1/facilities/{facility}/accruals"), &json!({})).expect(200);
        called(&desk, &guarantee, "250.00", "CALL-0").expect_error(409, "invalid_state");
        desk.write("/v1/defaults", &json!({ "agency_id": desk.agency, "reason": "Nothing was remitted" })).expect(201);

        assert_eq!(called(&desk, "gua_0000000000009", "250.00", "CALL-1").expect_error(422, "invalid_value").pointer(), "/data/guarantee_id");
        called(&desk, &guarantee, "370.01", "CALL-1").expect_error(422, "more_than_owed");
        let paid = called(&desk, &guarantee, "250.00", "CALL-1").expect(201);
        assert_eq!((&paid.data()["purpose"], &paid.data()["guarantee_id"]), (&json!("guarantee"), &json!(guarantee)));
        assert_eq!(called(&desk, &guarantee, "250.00", "CALL-1").expect(200).data()["id"], paid.data()["id"]);
        let register = world.get(&desk.seller, &format!("/v1/guarantees/{guarantee}")).expect(200);
        let amounts = ["amount", "called_amount", "counted_amount"].map(|name| text(&register.data()[name]));
        assert_eq!(amounts, ["500.00", "250.00", "200.00"]);
        assert_eq!(desk.balance("agency.receivable"), cny(&json!("120.00")));
        let write_off = json!({ "agency_id": desk.agency, "amount": "120.00", "currency": "CNY" });
        agreed_in(world, "test", "write_off", &write_off).expect(200);
        let known = world.get(&desk.seller, "/v1/defaults").expect(200).data()[0].clone();
        let amounts = ["deposit_applied_amount", "guarantee_paid_amount", "written_off_amount"].map(|name| text(&known[name]));
        assert_eq!(amounts, ["600.00", "250.00", "120.00"]);
        called(&desk, &guarantee, "0.01", "CALL-2").expect_error(422, "more_than_owed");

        let sweep = outgoing(&desk, &json!({ "to": "own", "amount": "600.00" }), "SWEEP");
        desk.write("/v1/cash_transfers", &sweep).expect(201);
        let repaid = outgoing(&desk, &json!({ "principal_amount": "915.00", "interest_amount": "1.07" }), "OUT-1");
        desk.write(&format!("/v1/facilities/{facility}/repayments"), &repaid).expect(201);
        assert_eq!(result(&desk), -11_607);
        // 400.00 + 600.00 + 250.00 - 916.07; the tax of 50.00 is still owed.
        assert_eq!(desk.balance("platform.cash[own]"), own.checked_add(cny(&json!("333.93"))).unwrap());
        desk.proves();
    }

    fn what_is_recovered_in_full_is_reinstated_by_two(world) {
        let desk = Desk::with(world, agency_with_600(world));
        desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        desk.write("/v1/defaults", &json!({ "agency_id": desk.agency, "reason": "Nothing was remitted" })).expect(201);
        let reinstate = json!({ "agency_id": desk.agency });
        let on = || world.get(&desk.operator, "/v1/kill_switches?on=true").expect(200).data().as_array().unwrap().clone();
        assert_eq!((&on()[0]["grounds"], &on()[0]["scopes"]), (&json!("default"), &json!(["issue", "withdrawal"])));
        agreed_in(world, "test", "unfreeze", &json!({ "kill_switch_id": on()[0]["id"] })).expect_error(409, "invalid_state");
        agreed_in(world, "test", "reinstate", &reinstate).expect_error(409, "invalid_state");
        receipt(&desk, "recovery", "1.00", "IN-0").expect_error(422, "more_than_owed");
        let write_off = json!({ "agency_id": desk.agency, "amount": "370.00", "currency": "CNY" });
        agreed_in(world, "test", "write_off", &write_off).expect(200);
        receipt(&desk, "recovery", "300.00", "IN-1").expect(201);
        receipt(&desk, "recovery", "300.00", "IN-1").expect(200);
        agreed_in(world, "test", "reinstate", &reinstate).expect_error(409, "invalid_state");
        receipt(&desk, "recovery", "70.01", "IN-2").expect_error(422, "more_than_owed");
        receipt(&desk, "recovery", "70.00", "IN-2").expect(201);
        agreed_in(world, "test", "reinstate", &reinstate).expect(200);
        assert!(on().is_empty());
        let known = world.get(&desk.seller, "/v1/defaults").expect(200);
        assert_eq!((&known.data()[0]["recovered_amount"], &known.data()[0]["written_off_amount"]), (&json!("370.00"), &json!("370.00")));
        assert!(known.data()[0]["ended_at"].is_string());
        let path = format!("/v1/defaults/{}", text(&known.data()[0]["id"]));
        assert_eq!(world.get(&desk.seller, &path).expect(200).data(), &known.data()[0]);
        world.get(&world.key_in("test", SHANGHAI), &path).expect_error(404, "not_found");
        let agency = world.get(&desk.operator, &format!("/v1/agencies/{}", desk.agency)).expect(200);
        assert_eq!(agency.data()["status"], "active");
        assert_eq!(desk.balance("platform.credit_loss_expense"), cny(&json!("0.00")));
        let nothing = json!({ "agency_id": desk.agency, "reason": "Nothing is owed" });
        desk.write("/v1/defaults", &nothing).expect_error(409, "invalid_state");
        desk.proves();
    }
}
