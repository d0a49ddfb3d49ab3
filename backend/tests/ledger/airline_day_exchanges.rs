//! Exchanges in an airline's day: its accountant follows each from the old ticket to the new one, and the totals tie.

use crate::airline_day::{day, kinds, records, world_on};
use crate::database::Engine;
use crate::exchanges::Wanted;
use crate::world::{World, cny};
use airsettle::money::Money;
use airsettle::reconciliation::ExportError;
use airsettle::ticketing::IssuedOrder;
use airsettle::ticketing::exchange::OrderChangeRow;
use std::collections::BTreeMap;

on_both_engines!(
    an_exchange_is_followed_from_the_old_ticket_to_the_new_one,
    an_exchange_that_is_taken_back_is_the_same_with_the_sign_turned,
    an_exchange_that_leaves_the_airline_what_it_had_is_in_the_file,
    an_exchange_that_does_not_tie_is_not_handed_out,
);

impl World {
    /// To another flight of the 20th.
    pub fn exchanges_on_time(&self, order: &IssuedOrder, fare: &str, penalty: &str) -> OrderChangeRow {
        let wanted = Wanted { fare: cny(fare), penalty: cny(penalty) };
        let days = u64::try_from((day(20) - self.today()).num_days()).unwrap();
        let change = self.chooses_because(&self.issued_now(order), wanted, self.other_flight(days), None);
        let due = (change.change_minor > 0).then(|| Money::new(change.change_minor, wanted.fare.currency));
        self.confirms_change(&change, due).unwrap()
    }
}

type Record = BTreeMap<String, String>;

/// Some cells of the lines of these kinds, in the order of the file.
fn cells<'r>(records: &'r [Record], kinds: &[&str], columns: &[&str]) -> Vec<Vec<&'r str>> {
    let wanted = records.iter().filter(|record| kinds.contains(&record["record_type"].as_str()));
    wanted.map(|record| columns.iter().map(|column| record[*column].as_str()).collect()).collect()
}

const EXCHANGED: [&str; 4] = ["exchange", "exchange_void", "given_in", "change_penalty"];

fn an_exchange_is_followed_from_the_old_ticket_to_the_new_one(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells_on_time(world.order());
    world.bank_pays(&order, "B-1");
    world.exchanges_on_time(&order, "1150.00", "50.00");
    let (old, new) = (order.tickets[0].number.clone(), world.issued_now(&order).tickets[1].number.clone());
    world.clock_stands(2, 2, 0);
    let (text, file) = world.exports(1);
    let records = records(&text);
    let legs = ["record_type", "ticket_number", "against_ticket_number", "price", "base_fare", "airline_share", "amount"];
    let expected: [[&str; 7]; 3] = [
        ["exchange", &new, &old, "1200.00", "1150.00", "1108.00", "250.00"],
        ["given_in", &old, &new, "-1000.00", "-950.00", "-915.00", ""],
        ["change_penalty", &new, &old, "50.00", "50.00", "50.00", "50.00"],
    ];
    assert_eq!(cells(&records, &EXCHANGED, &legs), expected);
    let coupons = ["record_type", "ticket_number", "coupon_number", "amount"];
    let expected = [["exchange_coupon", &new, "1", "1150.00"], ["given_in_coupon", &old, "1", "-950.00"]];
    assert_eq!(cells(&records, &["exchange_coupon", "given_in_coupon"], &coupons), expected);
    let set_off = cells(&records, &["set_off"], &["ticket_number", "against_ticket_number", "amount"]);
    assert_eq!(set_off, [[&old, &new, "915.00"]], "what the old ticket has left is paid with the new one");
    let [total] = &file.totals[..] else { panic!("one currency") };
    assert_eq!((total.legs.price, total.legs.airline_share), (125_000, 115_800), "1000 and 250 more; 915 and 243 more");
    assert!(!kinds(&text).contains(&"other".to_owned()));
}

fn an_exchange_that_is_taken_back_is_the_same_with_the_sign_turned(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells_on_time(world.order().coupons(2));
    let change = world.exchanges_on_time(&order, "1150.00", "50.00");
    let exchanged = world.row_counts()["coupon_event"];
    assert_eq!(exchanged, 2, "both coupons are given in");
    world.voids_change(&change).unwrap();
    world.clock_stands(2, 2, 0);
    let (text, file) = world.exports(1);
    let records = records(&text);
    let legs = ["record_type", "price", "base_fare", "tax_total", "airline_share", "amount"];
    let expected = [
        ["exchange", "1200.00", "1150.00", "50.00", "1108.00", "250.00"],
        ["given_in", "-1000.00", "-950.00", "-50.00", "-915.00", ""],
        ["change_penalty", "50.00", "50.00", "0.00", "50.00", "50.00"],
        ["exchange_void", "-1200.00", "-1150.00", "-50.00", "-1108.00", "-250.00"],
        ["given_in", "1000.00", "950.00", "50.00", "915.00", ""],
        ["change_penalty", "-50.00", "-50.00", "0.00", "-50.00", "-50.00"],
    ];
    assert_eq!(cells(&records, &EXCHANGED, &legs), expected);
    let coupons = cells(&records, &["given_in_coupon"], &["coupon_number", "amount"]);
    assert_eq!(coupons, [["1", "-475.00"], ["2", "-475.00"], ["1", "475.00"], ["2", "475.00"]]);
    assert_eq!(file.totals[0].legs.price, 100_000, "the first sale is left");
}

fn an_exchange_that_leaves_the_airline_what_it_had_is_in_the_file(engine: Engine) {
    for is_paid in [false, true] {
        let world = world_on(engine);
        let order = world.sells_on_time(world.order());
        if is_paid {
            world.bank_pays(&order, "B-1");
        }
        let change = world.exchanges_on_time(&order, "950.00", "0.00");
        world.voids_change(&change).unwrap();
        world.clock_stands(2, 2, 0);
        let (text, file) = world.exports(1);
        let records = records(&text);
        let found = cells(&records, &EXCHANGED, &["record_type", "amount"]);
        assert_eq!(found, [["exchange", "0.00"], ["given_in", ""], ["exchange_void", "0.00"], ["given_in", ""]]);
        assert_eq!(file.totals[0].legs.price, 100_000);
    }
}

fn an_exchange_that_does_not_tie_is_not_handed_out(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells_on_time(world.order());
    world.exchanges_on_time(&order, "1150.00", "50.00");
    world.clock_stands(2, 2, 0);
    world.exports(1);
    for (change, back, words) in [
        ("penalty_minor = penalty_minor + 1", "penalty_minor = penalty_minor - 1", "share is not what ticket_exchange booked"),
        (
            "airline_minor = airline_minor - 1, fee_minor = fee_minor + 1",
            "airline_minor = airline_minor + 1, fee_minor = fee_minor - 1",
            "share is not what ticket_exchange booked",
        ),
    ] {
        world.database.as_owner(&format!("UPDATE ticket_exchange SET {change}")).unwrap();
        let refused = world.day_of(world.airline, 1).unwrap_err();
        assert!(matches!(&refused, ExportError::DoesNotTie(why) if why.contains(words)), "{change}: {refused}");
        world.database.as_owner(&format!("UPDATE ticket_exchange SET {back}")).unwrap();
    }
    world.exports(1);
}
