//! `/v1/cycles`, `/v1/obligations`, `/v1/statements`, `/v1/credit_payouts`: from the last ticket of a cycle to the last cent.

use crate::platform::{BEIJING, SHANGHAI};
use crate::v1::worked_case::{Desk, outgoing};
use crate::v1::{all_ids, text};
use airsettle::agencies::{Cycle, CycleRule};
use airsettle::clock::Timestamp;
use chrono::{NaiveDate, TimeZone};
use serde_json::{Value, json};

impl Desk<'_> {
    /// The cycle that the agency sells in today.
    pub fn cycle(&self) -> Cycle {
        CycleRule::HalfMonthly.cycle_of(self.today().parse().unwrap())
    }

    /// Goes on to a day after the cycle, and waits until the day before it is closed.
    pub fn goes_to(&self, day: NaiveDate) {
        // A minute after midnight the day is closed.
        self.clock_shows(day, 0);
        self.world.await_that("the day is closed", || {
            let jobs = self.world.get(&self.operator, "/v1/jobs").expect(200);
            let last = jobs.data()[0]["last_run"].clone();
            last["state"] == "done" && last["ledger_date"] == json!(self.today())
        });
    }

    /// Two minutes past an hour of a day, where the clock is not past it.
    pub fn clock_shows(&self, day: NaiveDate, hour: u32) {
        let local = day.and_hms_opt(hour, 2, 0).unwrap();
        let target = chrono_tz::Asia::Shanghai.from_local_datetime(&local).unwrap().to_utc();
        let test = &self.world.platform.test;
        if test.now() < Timestamp::from(target) {
            test.store.clock().set(Timestamp::from(target)).unwrap();
        }
    }

    pub fn obligation(&self) -> Value {
        self.world.get(&self.seller, "/v1/obligations").expect(200).data()[0].clone()
    }
}

on_both_engines! {
    fn a_cycle_is_billed_due_and_paid(world) {
        let desk = Desk::open(world, SHANGHAI);
        let (cycle, order) = (desk.cycle(), desk.sells("Zhang", "arc_bsp_cash"));
        desk.until_paid();
        assert!(world.get(&desk.seller, "/v1/obligations").expect(200).data().as_array().unwrap().is_empty());
        desk.goes_to(cycle.last_day() + chrono::Days::new(1));
        let owed = desk.obligation();
        assert_eq!((&owed["cycle"], &owed["state"]), (&json!(cycle.to_string()), &json!("not_yet_due")));
        assert_eq!((&owed["billed_amount"], &owed["open_amount"]), (&json!("970.00"), &json!("970.00")));
        let cycles = world.get(&desk.seller, &format!("/v1/cycles?agency_id={}", desk.agency)).expect(200);
        assert_eq!(cycles.data()[0]["due_date"], owed["due_on"]);

        let path = format!("/v1/statements/{}", text(&owed["statement_id"]));
        let statement = world.get(&desk.seller, &path).expect(200);
        assert_eq!((&statement.data()["to_remit_amount"], &statement.data()["line_count"]), (&json!("970.00"), &json!(1)));
        let lines = world.get(&desk.seller, &format!("{path}/lines")).expect(200);
        assert_eq!(lines.data()[0]["document"], json!(crate::v1::number_of(&order)));
        assert_eq!((&lines.data()[0]["kind"], &lines.data()[0]["net_amount"]), (&json!("sale"), &json!("970.00")));
        let file = world.get(&desk.seller, &format!("{path}/content")).expect(200);
        assert_eq!(file.header("etag").unwrap().trim_matches('"'), text(&statement.data()["sha256"]));
        assert!(text(&file.body).ends_with("total,,,,1000.00,30.00,970.00,CNY\r\n"), "{}", file.body);
        let other = world.key_in("test", BEIJING);
        for path in [path.clone(), format!("{path}/lines"), format!("{path}/content"), format!("/v1/obligations/{}", text(&owed["id"]))] {
            world.get(&other, &path).expect_error(404, "not_found");
        }

        let due: NaiveDate = text(&owed["due_on"]).parse().unwrap();
        desk.goes_to(due);
        assert_eq!(desk.obligation()["state"], "due");
        let listed = world.get(&desk.operator, "/v1/obligations?state=due").expect(200);
        assert_eq!(listed.data()[0]["id"], owed["id"]);
        world.get(&desk.operator, "/v1/obligations?state=late").expect_error(422, "invalid_value");
        desk.goes_to(due + chrono::Days::new(1));
        assert_eq!(desk.obligation()["state"], "overdue");
        let remittance = json!({ "account": "own", "amount": "970.00", "currency": "CNY", "value_date": desk.today(),
            "bank_reference": "IN-1", "purpose": "remittance", "agency_id": desk.agency });
        let receipt = desk.write("/v1/bank_receipts", &remittance).expect(201);
        assert_eq!((&receipt.data()["cycle"], &receipt.data()["commission_amount"]), (&Value::Null, &json!("30.00")));
        assert_eq!((desk.obligation()["state"].clone(), desk.obligation()["open_amount"].clone()), (json!("paid"), json!("0.00")));
        let again = world.get(&desk.seller, &format!("{path}/content")).expect(200);
        assert_eq!(again.body, file.body, "a statement stays what it was");
        assert_eq!(all_ids(world, &desk.seller, "/v1/statements").len(), 1);
        let charges = format!("/v1/obligations/{}/charges", text(&owed["id"]));
        assert!(world.get(&desk.seller, &charges).expect(200).data().as_array().unwrap().is_empty(), "its contract charges nothing");
        desk.proves();
    }

    fn who_does_not_pay_is_written_to_step_by_step_with_the_statement(world) {
        let desk = Desk::open(world, SHANGHAI);
        let contact = |email: &str, language: &str| {
            let data = json!({ "agency_id": desk.agency, "email": email, "language": language });
            world.post(&desk.operator, "/v1/billing_contacts", &data)
        };
        assert_eq!(contact("nobody", "en").expect_error(422, "invalid_value").pointer(), "/data/email");
        assert_eq!(contact("a@b.example", "fr").expect_error(422, "invalid_value").pointer(), "/data/language");
        contact("old@harbour.example", "en").expect(201);
        contact("finance@harbour.example", "zh-CN").expect(201);
        let contacts = world.get(&desk.seller, "/v1/billing_contacts").expect(200);
        assert_eq!((contacts.data().as_array().unwrap().len(), &contacts.data()[0]["email"]), (1, &json!("finance@harbour.example")));
        let cycle = desk.cycle();
        desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        desk.goes_to(cycle.last_day() + chrono::Days::new(1));
        let due: NaiveDate = text(&desk.obligation()["due_on"]).parse().unwrap();
        let messages = || world.get(&desk.seller, "/v1/dunning_messages").expect(200).data().as_array().unwrap().clone();
        // Nothing before the first step; then, nine o'clock having passed, one step a day at most, each once.
        for (day, expected) in [(due - chrono::Days::new(3), 0), (due - chrono::Days::new(1), 1), (due, 2), (due + chrono::Days::new(2), 3)] {
            desk.goes_to(day);
            desk.clock_shows(day, 9);
            world.await_that("the agencies were written to", || {
                let runs = world.get(&desk.operator, "/v1/jobs/dunning/runs").expect(200);
                let run = &runs.data()[0];
                run["state"] == "done" && run["ledger_date"] == json!(day.to_string())
            });
            assert_eq!(messages().len(), expected, "{day}");
            world.post(&desk.operator, "/v1/jobs/dunning/runs", &json!({})).expect(202);
        }
        world.await_that("they were sent", || messages().iter().all(|message| message["state"] == "sent"));
        let all = messages();
        let steps: Vec<&str> = all.iter().map(|message| message["step"].as_str().unwrap()).collect();
        assert_eq!(steps, ["overdue_1", "due_today", "reminder"]);
        assert!(text(&all[0]["subject"]).starts_with("逾期未付") && text(&all[0]["body"]).contains("970.00 CNY"), "{}", all[0]);
        let folder = world.folder().join("mail").join("test");
        let mails: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
        assert_eq!(mails.iter().filter(|mail| mail.contains("Message-ID:")).count(), 4, "the statement when the cycle closed, and each reminder once");
        for message in &all {
            let id = format!("Message-ID: <{}>", text(&message["message_id"]));
            assert_eq!(mails.iter().filter(|mail| mail.contains(&id)).count(), 1);
        }
        assert!(mails.iter().all(|mail| mail.contains("statement_") && mail.contains("To: finance@harbour.example")));
        assert!(world.get(&world.key_in("test", BEIJING), "/v1/dunning_messages").expect(200).data().as_array().unwrap().is_empty());
    }

    fn what_was_paid_too_much_is_paid_out(world) {
        let desk = Desk::open(world, SHANGHAI);
        let cycle = desk.cycle();
        desk.sells("Zhang", "arc_bsp_cash");
        desk.until_paid();
        let remittance = json!({ "account": "own", "amount": "1000.00", "currency": "CNY", "value_date": desk.today(),
            "bank_reference": "IN-1", "purpose": "remittance", "agency_id": desk.agency, "cycle": cycle.to_string() });
        desk.write("/v1/bank_receipts", &remittance).expect(201);
        let mut wrong = remittance.clone();
        (wrong["purpose"], wrong["bank_reference"]) = (json!("charges"), json!("IN-2"));
        assert_eq!(desk.write("/v1/bank_receipts", &wrong).expect_error(422, "invalid_value").pointer(), "/data/cycle");
        wrong.as_object_mut().unwrap().remove("cycle");
        desk.write("/v1/bank_receipts", &wrong).expect_error(422, "more_than_owed");
        let payout = |amount: &str| {
            outgoing(&desk, &json!({ "agency_id": desk.agency, "cycle": cycle.to_string(), "amount": amount }), "OUT-1")
        };
        assert_eq!(desk.write("/v1/credit_payouts", &payout("30.00")).expect_error(422, "invalid_value").pointer(), "/data/cycle");
        desk.goes_to(cycle.last_day() + chrono::Days::new(1));
        desk.write("/v1/credit_payouts", &payout("30.01")).expect_error(422, "more_than_owed");
        let paid = payout("30.00");
        desk.write("/v1/credit_payouts", &paid).expect(201);
        desk.write("/v1/credit_payouts", &paid).expect(200);
        desk.write("/v1/credit_payouts", &payout("20.00")).expect_error(409, "bank_reference_reused");
        let listed = world.get(&desk.seller, "/v1/credit_payouts").expect(200);
        assert_eq!((listed.data().as_array().unwrap().len(), &listed.data()[0]["amount"]), (1, &json!("30.00")));
        world.post(&desk.seller, "/v1/credit_payouts", &paid).expect_error(403, "insufficient_scope");
        desk.proves();
    }
}
