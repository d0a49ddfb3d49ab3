//! `/v1/memos`: an airline claims, the agency disputes, the airline answers, two people decide, and the airline is paid.

use crate::platform::{Answer, BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::v1::worked_case::{Desk, outgoing};
use crate::v1::{agreed_in, cny, number_of, text};
use reqwest::Method;
use serde_json::{Value, json};

/// A ticket of the worked case, and a key of its airline.
struct Sold<'w> {
    desk: Desk<'w>,
    number: String,
    airline: String,
    key: String,
}

fn sold(world: &World) -> Sold<'_> {
    let desk = Desk::open(world, SHANGHAI);
    let order = desk.sells("Zhang", "arc_bsp_cash");
    desk.until_paid();
    let number = number_of(&order);
    let airline = text(&world.get(&desk.operator, &format!("/v1/tickets/{number}")).expect(200).data()["airline_id"]);
    let organisation =
        world.get(&desk.operator, &format!("/v1/airlines/{airline}")).expect(200).data()["organisation_id"].clone();
    let new = json!({ "organisation_id": organisation, "name": "revenue accounting", "scopes": ["memos:write", "finance:read"] });
    let key = text(&world.post(&desk.operator, "/v1/keys", &new).expect(201).data()["secret"]);
    Sold { desk, number, airline, key }
}

impl Sold<'_> {
    fn claim(&self) -> Value {
        json!({ "kind": "adm", "airline_id": self.airline, "reason": "fare_undercollected", "fee_amount": "30.00", "currency": "CNY",
            "tickets": [{ "number": self.number, "amount": "120.00" }], "note": "Class K was not open for sale" })
    }

    fn claims(&self, data: &Value) -> Answer {
        self.desk.world.post(&self.key, "/v1/memos", data)
    }

    fn acts(&self, key: &str, memo: &str, action: &str, data: &Value) -> Answer {
        self.desk.world.post(key, &format!("/v1/memos/{memo}/actions/{action}"), data)
    }

    fn decides(&self, change: &Value) -> Answer {
        agreed_in(self.desk.world, "test", "memo_decision", change)
    }

    fn memo(&self, id: &str) -> Answer {
        self.desk.world.get(&self.key, &format!("/v1/memos/{id}")).expect(200)
    }

    fn uploads(&self, key: &str) -> String {
        let content = Some(format!("%PDF-1.7 {} {key}", self.number));
        let path = "/v1/attachments?file_name=tariff.pdf";
        let world = self.desk.world;
        text(&world.block_on(world.send(key, Method::POST, path, &[], content)).expect(201).data()["id"])
    }
}

fn dispute() -> Value {
    json!({ "reason": "waiver_granted", "note": "The airline's desk agreed" })
}

on_both_engines! {
    fn a_claim_is_disputed_answered_decided_and_paid(world) {
        let sold = sold(world);
        let (desk, agency) = (&sold.desk, &sold.desk.seller);
        let exposure = || text(&world.get(agency, &format!("/v1/limits/{}", desk.agency)).expect(200).data()["exposure_amount"]);
        let before = exposure();
        let proof = sold.uploads(&sold.key);
        let mut claim = sold.claim();
        claim["attachment_ids"] = json!([proof]);
        let filed = sold.claims(&claim).expect(201);
        let memo = text(&filed.data()["id"]);
        let shown = ["status", "claimed_amount", "fee_amount", "total_amount", "paid_amount"].map(|name| text(&filed.data()[name]));
        assert_eq!(shown, ["issued", "120.00", "30.00", "150.00", "0.00"]);
        assert_eq!(filed.data()["steps"][0]["attachment_ids"], json!([proof]));

        // The agency reads the evidence, and nobody else does.
        world.get(agency, &format!("/v1/attachments/{proof}")).expect(200);
        world.get(&world.key_in("test", BEIJING), &format!("/v1/attachments/{proof}")).expect_error(404, "not_found");
        world.get(&world.key_in("test", BEIJING), &format!("/v1/memos/{memo}")).expect_error(404, "not_found");
        world.get(&world.key_in("test", BANK), &format!("/v1/memos/{memo}")).expect_error(404, "not_found");

        let open = world.get(agency, "/v1/memos").expect(200);
        let contingent = open.body["meta"]["contingent"].as_array().unwrap();
        assert!(contingent.iter().any(|total| total["kind"] == "adm" && cny(&total["amount"]).minor >= 15_000), "{contingent:?}");
        sold.acts(agency, &memo, "review", &json!({})).expect(200);
        sold.decides(&json!({ "memo_id": memo, "decision": "dismiss" })).expect_error(409, "memo_clock_running");
        let own = sold.uploads(agency);
        let mut no = dispute();
        no["attachment_ids"] = json!([own]);
        let disputed = sold.acts(agency, &memo, "dispute", &no).expect(200);
        assert_eq!((&disputed.data()["status"], &disputed.data()["answer_by"]), (&json!("disputed"), &Value::Null));
        assert!(disputed.data()["left_secs"].as_i64().unwrap() > 14 * 86_400);
        world.get(&sold.key, &format!("/v1/attachments/{own}")).expect(200);
        sold.acts(&sold.key, &memo, "answer", &json!({ "note": "No waiver is on file" })).expect(200);
        assert_eq!(exposure(), before, "nothing is owed of a claim");

        let uphold = json!({ "memo_id": memo, "decision": "uphold", "amount": "150.00", "currency": "CNY" });
        sold.decides(&uphold).expect(200);
        let posted = sold.memo(&memo);
        assert_eq!((&posted.data()["status"], &posted.data()["decided_amount"]), (&json!("posted"), &json!("150.00")));
        assert_eq!(posted.header("etag"), Some(&*format!("\"{}\"", posted.data()["version"])));
        let steps: Vec<&str> = posted.data()["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
        assert_eq!(steps, ["claim", "review", "dispute", "answer", "uphold"]);
        let posting = world.get(&desk.operator, &format!("/v1/ledger/postings/{}", text(&posted.data()["posting_id"]))).expect(200);
        assert_eq!(posting.data()["event"], "adm_posted");
        let cycle = text(&posted.data()["cycle"]);
        let cycles = world.get(agency, &format!("/v1/cycles?agency_id={}", desk.agency)).expect(200);
        let row = cycles.data().as_array().unwrap().iter().find(|row| row["cycle"] == json!(cycle)).unwrap().clone();
        assert_eq!(row["adm_amount"], "150.00");
        let more = cny(&json!(exposure())).checked_sub(cny(&json!(before))).unwrap();
        assert_eq!(more, cny(&json!("150.00")));

        let capital = json!({ "account": "own", "amount": "500.00", "currency": "CNY", "value_date": desk.today(),
            "bank_reference": "CAPITAL", "purpose": "capital" });
        desk.write("/v1/bank_receipts", &capital).expect(201);
        let pay = |amount: &str, reference: &str| {
            desk.write("/v1/airline_payments", &outgoing(desk, &json!({ "airline_id": sold.airline, "amount": amount }), reference))
        };
        pay("150.01", "OUT-1").expect_error(422, "more_than_owed");
        pay("150.00", "OUT-1").expect(201);
        pay("150.00", "OUT-1").expect(200);
        pay("150.01", "OUT-1").expect_error(409, "bank_reference_reused");
        assert_eq!(sold.memo(&memo).data()["paid_amount"], "150.00");
        let payments = world.get(&sold.key, "/v1/airline_payments").expect(200);
        assert_eq!(payments.data().as_array().unwrap().len(), 1);
        assert!(world.get(agency, "/v1/airline_payments").expect(200).data().as_array().unwrap().is_empty());
        desk.proves();
    }

    fn what_is_wrong_with_a_claim_is_named(world) {
        let sold = sold(world);
        let with = |name: &str, value: Value| {
            let mut claim = sold.claim();
            claim[name] = value;
            sold.claims(&claim)
        };
        let ticket = |number: &str, amount: &str| json!([{ "number": number, "amount": amount }]);
        with("tickets", ticket(&sold.number, "1000.01")).expect_error(422, "over_ticket_value");
        with("fee_amount", json!("200.01")).expect_error(422, "over_fee_cap");
        with("currency", json!("USD")).expect_error(422, "currency_mismatch");
        let other = with("tickets", ticket("0000000000000", "1.00")).expect_error(422, "ticket_of_another_airline");
        assert_eq!(other.pointer(), "/data/tickets/0");
        with("reason", json!("waiver_granted")).expect_error(422, "invalid_value");
        with("tickets", json!([])).expect_error(422, "invalid_value");
        with("tickets", ticket(&sold.number, "0.00")).expect_error(422, "invalid_value");
        with("airline_id", json!("arl_0000000000009")).expect_error(404, "not_found");
        with("attachment_ids", json!(["att_0000000000009"])).expect_error(404, "not_found");
        // An agency does not claim, and a bank has nothing to do with it.
        world.post(&sold.desk.seller, "/v1/memos", &sold.claim()).expect_error(404, "not_found");
        world.post(&world.key_in("test", BANK), "/v1/memos", &sold.claim()).expect_error(403, "insufficient_scope");
        sold.claims(&sold.claim()).expect(201);
        sold.claims(&sold.claim()).expect_error(409, "memo_exists");
        sold.desk.proves();
    }

    fn each_side_does_its_own_and_only_what_it_has_seen(world) {
        let sold = sold(world);
        let agency = sold.desk.seller.clone();
        let memo = text(&sold.claims(&sold.claim()).expect(201).data()["id"]);
        sold.acts(&sold.key, &memo, "dispute", &dispute()).expect_error(403, "insufficient_scope");
        sold.acts(&agency, &memo, "withdraw", &json!({ "note": "No" })).expect_error(403, "insufficient_scope");
        let acts_on = |version: &str| {
            let path = format!("/v1/memos/{memo}/actions/dispute");
            let body = json!({ "data": dispute() }).to_string();
            world.block_on(world.send(&agency, Method::POST, &path, &[("If-Match", version)], Some(body)))
        };
        acts_on("\"7\"").expect_error(412, "precondition_failed");
        acts_on("7").expect_error(422, "invalid_value");
        acts_on("\"1\"").expect(200);
        acts_on("\"1\"").expect_error(412, "precondition_failed");
        sold.acts(&agency, &memo, "dispute", &dispute()).expect_error(409, "invalid_state");
        sold.acts(&agency, &memo, "withdraw_dispute", &json!({})).expect(200);
        sold.desk.days_pass(20);
        sold.acts(&agency, &memo, "dispute", &dispute()).expect_error(422, "memo_clock_over");
        let waiting = world.get(&sold.desk.operator, "/v1/memos?status=unanswered").expect(200);
        assert!(waiting.data().as_array().unwrap().iter().any(|one| one["id"] == json!(memo)));
        assert_eq!(sold.memo(&memo).data()["status"], "unanswered");
        world.await_that("it is told that the memo waits for a decision", || {
            let events = world.get(&sold.key, "/v1/events?limit=200").expect(200);
            events.data().as_array().unwrap().iter().any(|event| event["type"] == "memo.unanswered")
        });
        assert_eq!(sold.memo(&memo).data()["posting_id"], Value::Null, "no timer posts anything");
        // The one who asks does not decide.
        let change = json!({ "memo_id": memo, "decision": "uphold", "amount": "0.01", "currency": "CNY" });
        let request = json!({ "kind": "memo_decision", "reason": "It was not answered", "change": change });
        let asked = world.post(&sold.desk.operator, "/v1/approvals", &request).expect(201);
        let path = format!("/v1/approvals/{}/actions/approve", text(&asked.data()["id"]));
        world.post(&sold.desk.operator, &path, &json!({})).expect_error(403, "self_approval");
        for wrong in [json!({ "amount": "150.01" }), json!({ "amount": null }), json!({ "decision": "dismiss" }), json!({ "memo_id": "x" })] {
            let mut change = change.clone();
            change.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
            assert_eq!(sold.decides(&change).status, 422, "{wrong}");
        }
        sold.acts(&sold.key, &memo, "withdraw", &json!({ "note": "Filed in error" })).expect(200);
        sold.decides(&change).expect_error(409, "invalid_state");
        sold.desk.proves();
    }

    fn reasons_can_be_read(world) {
        let reasons = world.get(&world.key(OPERATOR), "/v1/memo_reasons").expect(200);
        let of = |kind: &str| reasons.data().as_array().unwrap().iter().filter(|one| one["of"] == kind).count();
        assert!(of("adm") > 10 && of("acm") > 4 && of("dispute") > 5, "{}", reasons.body);
    }
}
