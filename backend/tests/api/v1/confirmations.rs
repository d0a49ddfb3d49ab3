//! `/v1/confirmations`: a code for one large payment.

use crate::platform::{Answer, BEIJING, Desk, OPERATOR, World};
use crate::v1::sessions::on_the_database;
use crate::v1::text;
use reqwest::Method;
use serde_json::{Value, json};

const TRANSFERS: &str = "/v1/cash_transfers";

fn transfer(amount: &str) -> Value {
    json!({ "to": "client", "amount": amount, "currency": "CNY" })
}

fn pays(desk: &Desk, once: &str, code: Option<&str>, data: &Value) -> Answer {
    let headers: Vec<(&str, &str)> =
        [("idempotency-key", once)].into_iter().chain(code.map(|code| ("airsettle-confirmation", code))).collect();
    desk.send(Method::POST, TRANSFERS, &headers, Some(data))
}

/// The newest code with its confirmation, as the header shows it.
fn code_for(world: &World, desk: &Desk, amount: &str) -> String {
    let person = world.person(OPERATOR, "finance");
    let letters = || world.mail_to(&person.email).into_iter().filter(|mail| mail.contains("Code: ")).collect::<Vec<_>>();
    let before = letters().len();
    let ask = json!({ "business": "cash_transfer", "payee": "client", "amount": amount, "currency": "CNY" });
    let asked = desk.post("/v1/confirmations", &ask).expect(201);
    assert_eq!(asked.data()["email"], json!(person.email));
    world.await_that("the letter is there", || letters().len() > before);
    let letter = letters().pop().unwrap();
    assert!(letter.contains("Payee: Airsettle (client)") && letter.contains(&format!("Amount: {amount} CNY")), "{letter}");
    assert!(letter.contains("Business: transfer between own and clients' cash"), "{letter}");
    let code: String = letter.split("Code: ").nth(1).unwrap().chars().take(8).collect();
    assert!(!asked.body.to_string().contains(&code));
    format!("{} {code}", text(&asked.data()["id"]))
}

on_both_engines! {
    fn a_large_payment_by_a_person_needs_a_code_that_is_good_for_it_once(world) {
        let desk = world.desk(OPERATOR, "finance");
        pays(&desk, "small", None, &transfer("49999.99")).expect(201);
        let large = transfer("60000.00");
        pays(&desk, "large", None, &large).expect_error(403, "confirmation_required");
        let code = code_for(world, &desk, "60000.00");
        for wrong in ["", "cnf_0000000000009 12345678", "12345678", &format!("{} 0000000x", code.split(' ').next().unwrap())] {
            pays(&desk, "wrong", Some(wrong), &large).expect_error(403, "confirmation_invalid");
        }
        // The request that was refused for lack of a code is still the same one.
        let paid = pays(&desk, "large", Some(&code), &large).expect(201);
        let again = pays(&desk, "large", Some(&code), &large).expect(201);
        assert_eq!((again.data(), again.header("idempotent-replayed")), (paid.data(), Some("true")));
        pays(&desk, "another", Some(&code), &large).expect_error(403, "confirmation_invalid");
        // A key has no letter box.
        let key = world.key(OPERATOR);
        world.post_with(&key, TRANSFERS, &[("Idempotency-Key", "key")], &transfer("60000.00")).expect(201);
        world.prove();
    }

    fn any_change_ends_the_code(world) {
        let desk = world.desk(OPERATOR, "finance");
        let code = code_for(world, &desk, "60000.00");
        pays(&desk, "more", Some(&code), &transfer("60000.01")).expect_error(403, "confirmation_invalid");
        pays(&desk, "as-asked", Some(&code), &transfer("60000.00")).expect_error(403, "confirmation_invalid");
        let code = code_for(world, &desk, "60000.00");
        let other = code_for(world, &desk, "70000.00");
        pays(&desk, "earlier", Some(&code), &transfer("60000.00")).expect_error(403, "confirmation_invalid");
        on_the_database(world, "UPDATE money_confirmation SET expires_at = '2026-01-01 00:00:00'");
        pays(&desk, "late", Some(&other), &transfer("70000.00")).expect_error(403, "confirmation_invalid");
        let code = code_for(world, &desk, "80000.00");
        let guess = format!("{} 0000000x", code.split(' ').next().unwrap());
        for turn in 0..5 {
            pays(&desk, &format!("guess-{turn}"), Some(&guess), &transfer("80000.00")).expect_error(403, "confirmation_invalid");
        }
        pays(&desk, "guessed", Some(&code), &transfer("80000.00")).expect_error(403, "confirmation_invalid");
        let code = code_for(world, &desk, "90000.00");
        world.desk(OPERATOR, "admin").send(Method::POST, TRANSFERS, &[("idempotency-key", "other"), ("airsettle-confirmation", &code)], Some(&transfer("90000.00")))
            .expect_error(403, "confirmation_invalid");
        pays(&desk, "own", Some(&code), &transfer("90000.00")).expect(201);
    }

    fn a_payment_that_is_refused_leaves_the_code(world) {
        let desk = world.desk(OPERATOR, "finance");
        let code = code_for(world, &desk, "9000000.00");
        pays(&desk, "too-much", Some(&code), &transfer("9000000.00")).expect_error(422, "own_cash_short");
        pays(&desk, "once-more", Some(&code), &transfer("9000000.00")).expect_error(422, "own_cash_short");
    }

    fn only_who_may_pay_asks_and_only_for_a_payee_that_is_there(world) {
        let ask = |desk: &Desk, business: &str, payee: &str| {
            desk.post("/v1/confirmations", &json!({ "business": business, "payee": payee, "amount": "60000.00", "currency": "CNY" }))
        };
        ask(&world.desk(BEIJING, "admin"), "tax_payment", "CAAC").expect_error(403, "insufficient_scope");
        let desk = world.desk(OPERATOR, "finance");
        for (business, payee) in [("credit_payout", "agy_0000000000009"), ("facility_repayment", "x"), ("cash_transfer", "theirs")] {
            assert_eq!(ask(&desk, business, payee).expect_error(422, "invalid_value").pointer(), "/data/payee", "{business}");
        }
        let line = text(&world.get(&world.key(OPERATOR), "/v1/facilities").expect(200).data()[0]["id"]);
        ask(&desk, "facility_repayment", &line).expect(201);
    }
}
