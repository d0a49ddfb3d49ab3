//! `airline_payment` of `/v1/contracts`: what is sold on T+1 leaves for the airline by itself on the next working day, from the own account.

use crate::platform::SHANGHAI;
use crate::v1::worked_case::Desk;
use crate::v1::{number_of, text};
use chrono::NaiveDate;
use serde_json::{Value, json};

fn terms(desk: &Desk) -> Value {
    json!({ "agency_id": desk.agency, "currency": "CNY", "effective_from": desk.today(), "commission_rate": "0.03",
        "commission_base": "price", "fee_rate": "0.005", "tax_remitter": "platform", "payment_days": 7, "clawback": "full",
        "fee_on_refund": "refunded", "airline_return": "set_off", "airline_payment": "t_plus_1" })
}

on_both_engines! {
    fn what_is_sold_on_t_plus_1_leaves_on_the_next_working_day(world) {
        let desk = Desk::open(world, SHANGHAI);
        let own = desk.balance("platform.cash[own]");
        let signed = world.post(&desk.operator, "/v1/contracts", &terms(&desk)).expect(201);
        assert_eq!((&signed.data()["airline_payment"], &signed.data()["airline_payment_days"]), (&json!("t_plus_1"), &json!(0)));
        let capital = json!({ "account": "own", "amount": "1000.00", "currency": "CNY", "value_date": desk.today(),
            "bank_reference": "CAPITAL-2", "purpose": "capital" });
        desk.write("/v1/bank_receipts", &capital).expect(201);
        let order = desk.sells("Zhang", "arc_bsp_cash");
        let path = format!("/v1/tickets/{}", number_of(&order));
        let payment = || world.get(&desk.seller, &path).expect(200).data()["disbursement"].clone();
        let sold = payment();
        assert_eq!((&sold["state"], &sold["paid_from"], &sold["facility_id"], &sold["ordered_at"]),
            (&json!("held"), &json!("own"), &Value::Null, &Value::Null));
        desk.proves();
        // Over a weekend and the longest holiday.
        let today: NaiveDate = desk.today().parse().unwrap();
        let due = world.platform.test.catalogue.calendar.working_day_after("CN", today, 1);
        desk.clock_shows(due, 9);
        world.await_that("the airline is paid", || payment()["state"] == "confirmed");
        let paid = payment();
        assert!(text(&paid["ordered_at"]) > text(&paid["sold_at"]));
        assert_eq!(desk.balance("platform.cash[own]").minor, own.minor + 100_000 - 91_500);
        assert_eq!(desk.balance("bank.loan").minor, 0);
        let runs = world.get(&desk.operator, "/v1/jobs/pay_airlines/runs").expect(200);
        assert!(runs.data().as_array().unwrap().iter().any(|run| run["progress"] == 1), "{}", runs.body);
        desk.proves();
    }

    fn days_go_with_the_terms_of_the_cycle_and_nothing_else(world) {
        let desk = Desk::open(world, SHANGHAI);
        let with = |kind: &str, days: Value| {
            let mut terms = terms(&desk);
            (terms["airline_payment"], terms["airline_payment_days"]) = (json!(kind), days);
            world.post(&desk.operator, "/v1/contracts", &terms)
        };
        let signed = with("cycle", json!(10)).expect(201);
        assert_eq!((&signed.data()["airline_payment"], &signed.data()["airline_payment_days"]), (&json!("cycle"), &json!(10)));
        let pointer = "/data/airline_payment_days";
        assert_eq!(with("cycle", Value::Null).expect_error(422, "missing_field").pointer(), pointer);
        for (kind, days) in [("cycle", 366), ("cycle", -1), ("t_plus_1", 1), ("instant", 0)] {
            assert_eq!(with(kind, json!(days)).expect_error(422, "invalid_value").pointer(), pointer, "{kind} {days}");
        }
    }
}
