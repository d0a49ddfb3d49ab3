//! Guarantees that are called: what a guarantor pays for an agency in default, and what the guarantee is worth afterwards.

use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::agencies::CycleRule;
use airsettle::credit::{GuaranteeStatus, NewGuarantee, guarantee, release_guarantee};
use airsettle::ids::GuaranteeId;
use airsettle::settlement::{CallError, NewReceipt, Purpose, Receipt, ReceiptError, declare_default, settlements_of_receipts};

on_both_engines!(
    what_a_guarantor_pays_is_owed_no_more_and_secures_nothing_any_more,
    the_oldest_cycle_is_paid_first,
    a_guarantee_is_called_only_in_a_default_and_for_what_is_owed,
    a_guarantee_is_called_while_it_is_in_force_in_the_default,
    every_rule_of_a_call_finds_a_row_that_breaks_it,
);

impl World {
    fn defaults(&self) {
        self.store.write(|tx| declare_default(tx, &self.cause(), self.agency, "nothing was remitted")).unwrap();
    }

    fn guarantor_pays(&self, id: GuaranteeId, amount: &str) -> Result<Receipt, ReceiptError> {
        self.receives(&self.receipt(Purpose::Guarantee(self.agency, id), amount))
    }

    fn registers_guarantee(&self, amount: &str, haircut: &str) -> GuaranteeId {
        self.registers(&self.guarantee(cny(amount), haircut, 400)).unwrap().id
    }
}

/// The golden default of the design with a guarantee of 500.00 beside the deposit of 600.00: 370.00 are left when both commission and deposit are applied.
fn in_default(engine: Engine) -> (World, GuaranteeId) {
    let world = World::on(engine);
    world.lodges_deposit("600.00");
    let id = world.registers_guarantee("500.00", "0.2");
    world.sells_and_pays(world.order());
    world.defaults();
    (world, id)
}

fn what_a_guarantor_pays_is_owed_no_more_and_secures_nothing_any_more(engine: Engine) {
    let (world, id) = in_default(engine);
    let before = [
        "agency.receivable 370.00",
        "authority.tax[CAAC/CN] 50.00",
        "bank.loan 915.00",
        "platform.cash[client] 600.00",
        "platform.fee_income 5.00",
    ];
    assert_eq!(world.balances(), before);
    let receipt = world.guarantor_pays(id, "250.00").unwrap();
    let after = [
        "agency.receivable 120.00",
        "authority.tax[CAAC/CN] 50.00",
        "bank.loan 915.00",
        "platform.cash[client] 600.00",
        "platform.cash[own] 250.00",
        "platform.fee_income 5.00",
    ];
    assert_eq!(world.balances(), after);
    let known = world.read(|db| guarantee(db, id)).unwrap();
    assert_eq!((known.called, known.uncalled().unwrap(), known.counted), (cny("250.00"), cny("250.00"), cny("200.00")));
    assert_eq!(known.status_on(world.today()), GuaranteeStatus::InForce);
    let settled = world.read(|db| settlements_of_receipts(db, &[receipt.id]));
    let of = CycleRule::HalfMonthly.cycle_of(world.today()).to_string();
    assert_eq!(
        settled.iter().map(|one| (one.cycle.as_str(), one.kind.as_str(), one.amount_minor)).collect::<Vec<_>>(),
        [(of.as_str(), "guarantee", 25_000)]
    );
    assert_eq!(world.texts("SELECT kind AS value FROM event WHERE kind = 'guarantee.paid'").len(), 1);
    world.adds_up();

    // The same reference is the same money; and not more than is owed, although more is guaranteed.
    let rows = world.row_counts();
    let again = NewReceipt { bank_reference: receipt.bank_reference.clone(), ..world.receipt(receipt.purpose, "250.00") };
    assert_eq!(world.receives(&again).unwrap().id, receipt.id);
    match world.guarantor_pays(id, "120.01") {
        Err(ReceiptError::Call(CallError::MoreThanOwed { open })) => assert_eq!(open, cny("120.00")),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.row_counts(), rows);
    world.guarantor_pays(id, "120.00").unwrap();
    assert_eq!(world.exposure(), cny("0.00"));
    let known = world.read(|db| guarantee(db, id)).unwrap();
    assert_eq!((known.called, known.counted), (cny("370.00"), cny("104.00")));
    assert_eq!(world.number("SELECT guarantee_minor AS value FROM agency_default"), 37_000);
    world.adds_up();
}

fn the_oldest_cycle_is_paid_first(engine: Engine) {
    let world = World::on(engine);
    let id = world.registers_guarantee("5000.00", "0");
    world.sells_and_pays(world.order());
    let first = CycleRule::HalfMonthly.cycle_of(world.today());
    world.goes_to(first.last_day() + chrono::Days::new(1));
    world.sells_and_pays(world.order());
    let second = CycleRule::HalfMonthly.cycle_of(world.today());
    world.closes_the_day();
    world.defaults();
    let receipt = world.guarantor_pays(id, "1000.00").unwrap();
    let settled = world.read(|db| settlements_of_receipts(db, &[receipt.id]));
    let spread: Vec<(String, i64)> = settled.into_iter().map(|one| (one.cycle, one.amount_minor)).collect();
    assert_eq!(spread, [(first.to_string(), 97_000), (second.to_string(), 3_000)]);
    assert_eq!(world.obligation(&first.to_string()).state, "paid");
    world.guarantor_pays(id, "940.00").unwrap();
    assert_eq!(world.exposure(), cny("0.00"));
    world.adds_up();
}

fn refusal(answer: Result<Receipt, ReceiptError>) -> CallError {
    match answer {
        Err(ReceiptError::Call(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn a_guarantee_is_called_only_in_a_default_and_for_what_is_owed(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("600.00");
    let id = world.registers_guarantee("500.00", "0.2");
    world.sells_and_pays(world.order());
    assert!(matches!(refusal(world.guarantor_pays(id, "1.00")), CallError::NotInDefault));
    world.defaults();
    let small = world.registers_guarantee("100.00", "0");
    let theirs = NewGuarantee { agency: world.prepaid, ..world.guarantee(cny("900.00"), "0", 9) };
    let theirs = world.registers(&theirs).unwrap().id;
    let rows = world.row_counts();
    assert!(matches!(refusal(world.guarantor_pays(theirs, "1.00")), CallError::NoGuarantee));
    match refusal(world.guarantor_pays(small, "100.01")) {
        CallError::MoreThanGuaranteed { left } => assert_eq!(left, cny("100.00")),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.row_counts(), rows);
    let receipt = world.guarantor_pays(small, "100.00").unwrap();
    let known = world.read(|db| guarantee(db, small)).unwrap();
    assert_eq!((known.status_on(world.today()), known.counted), (GuaranteeStatus::Called, cny("0.00")));
    assert!(matches!(refusal(world.guarantor_pays(small, "0.01")), CallError::MoreThanGuaranteed { .. }));
    let other = Purpose::Guarantee(world.agency, id);
    let other = NewReceipt { bank_reference: receipt.bank_reference, ..world.receipt(other, "100.00") };
    assert!(matches!(world.receives(&other), Err(ReceiptError::ReferenceReused { field: "guarantee_id", .. })));
    world.adds_up();
}

fn a_guarantee_is_called_while_it_is_in_force_in_the_default(engine: Engine) {
    let world = World::on(engine);
    world.lodges_deposit("600.00");
    let register = |from: u64, days: u64| {
        let new = NewGuarantee { effective_from: world.day(from), ..world.guarantee(cny("500.00"), "0", days) };
        world.registers(&new).unwrap().id
    };
    let (over, running, released, later) = (register(0, 1), register(0, 3), register(0, 9), register(6, 9));
    world.store.write(|tx| release_guarantee(tx, released)).unwrap();
    world.sells_and_pays(world.order());
    world.time_passes(chrono::Duration::days(3));
    world.defaults();
    world.time_passes(chrono::Duration::days(1));
    for id in [over, released, later] {
        assert!(matches!(refusal(world.guarantor_pays(id, "1.00")), CallError::NotInForce));
    }
    // It was in force when the default was declared; its guarantor pays the day after its end.
    world.guarantor_pays(running, "1.00").unwrap();
    world.adds_up();
}

fn every_rule_of_a_call_finds_a_row_that_breaks_it(engine: Engine) {
    let cases = [
        ("UPDATE guarantee SET called_minor = called_minor + 1", "what was called of a guarantee"),
        ("UPDATE guarantee SET haircut = '0.1'", "a guarantee counts with what was not called of it"),
        ("UPDATE agency_default SET guarantee_minor = guarantee_minor + 1", "what was netted, applied"),
        (
            "UPDATE bank_receipt SET commission_minor = 1, amount_minor = amount_minor - 1 WHERE purpose = 'guarantee'",
            "is what it settled",
        ),
    ];
    for (change, rule) in cases {
        let (world, id) = in_default(engine);
        world.guarantor_pays(id, "250.00").unwrap();
        world.adds_up();
        world.database.as_owner(change).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
