//! Cycles by contract, what is billed for them, and how it is paid: named, oldest first, too late, too much, and back.

use crate::database::Engine;
use crate::incentives::new_programme;
use crate::world::{World, cny, rate};
use airsettle::agencies::{CostTerms, Cycle, CycleRule, DueRule, PaymentTerms};
use airsettle::ids::{BillingStatementId, Id, ObligationId};
use airsettle::ledger::Purse;
use airsettle::money::Currency;
use airsettle::settlement::{
    CloseError, CreditPayoutError, Funder, Method, NewReceipt, ObligationState, Paged, Purpose, ReceiptError, begin_statement,
    close_statement, declare_default, statement, statement_lines, statement_page, write_statement,
};
use airsettle::ticketing::{RefundKind, RefundRequest, Refusal};
use chrono::{Days, NaiveDate};

on_both_engines!(
    a_ticket_belongs_to_the_cycle_that_its_contract_says,
    a_cycle_that_is_over_is_billed_ticket_by_ticket,
    a_statement_is_written_a_page_at_a_time_wherever_it_was_stopped,
    a_closed_statement_stays_what_it_was,
    a_remittance_that_names_no_cycle_pays_the_oldest_first,
    a_payment_names_a_cycle_of_its_own_agency,
    being_late_is_charged_day_by_day,
    missed_days_are_charged_like_days_on_time,
    a_payment_that_becomes_known_late_takes_charges_back,
    charges_are_paid_by_themselves,
    what_was_paid_too_much_is_paid_out_on_request,
    credit_pays_what_is_owed_in_another_cycle,
    an_obligation_becomes_due_and_overdue_and_is_paid,
    what_was_earned_by_volume_counts_in_a_default,
    every_rule_of_the_cycles_finds_a_row_that_breaks_it,
);

fn on_credit(engine: Engine) -> World {
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    world.receives(&world.receipt(Purpose::Capital, "500.00")).unwrap();
    world
}

/// A Tuesday, 2 March 2027.
fn at_the_start_of_a_cycle(world: &World) -> Cycle {
    let day = NaiveDate::from_ymd_opt(2027, 3, 2).unwrap();
    world.goes_to(day);
    CycleRule::HalfMonthly.cycle_of(world.today())
}

fn after(cycle: Cycle, days: u64) -> NaiveDate {
    cycle.last_day() + Days::new(days)
}

fn a_ticket_belongs_to_the_cycle_that_its_contract_says(engine: Engine) {
    let world = on_credit(engine);
    at_the_start_of_a_cycle(&world);
    let rules = [
        (CycleRule::Daily, "2027-03-02-D"),
        (CycleRule::TwiceWeekly, "2027-03-01-T"),
        (CycleRule::Weekly, "2027-03-01-W"),
        (CycleRule::HalfMonthly, "2027-03-H1"),
        (CycleRule::Monthly, "2027-03-M"),
    ];
    for (cycle_rule, cycle) in rules {
        let terms = PaymentTerms { cycle_rule, due_rule: DueRule::NextWorkingDay, ..PaymentTerms::default() };
        let order = world.signs_terms(terms, CostTerms::default()).sells();
        assert_eq!(order.order.cycle.as_deref(), Some(cycle));
    }
    world.adds_up();
    // The week and the two half weeks are over, the month and its half are not.
    world.goes_to(NaiveDate::from_ymd_opt(2027, 3, 8).unwrap());
    let billed: Vec<(String, NaiveDate)> = world.bills().into_iter().map(|row| (row.cycle, row.due_on)).collect();
    let due = |day: &str| day.parse::<NaiveDate>().unwrap();
    // Seven days after the cycle; what would be due on a Sunday is due on Monday.
    let expected =
        [("2027-03-02-D", due("2027-03-09")), ("2027-03-01-T", due("2027-03-10")), ("2027-03-01-W", due("2027-03-15"))];
    assert_eq!(billed, expected.map(|(cycle, due)| (cycle.to_owned(), due)));
    world.adds_up();
}

fn a_cycle_that_is_over_is_billed_ticket_by_ticket(engine: Engine) {
    let world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    let kept = world.sells(world.order().flown_by("DZ", 'K'));
    let voided = world.sells(world.order());
    world.voids(&voided);
    let refunded = world.sells(world.order().flown_by("DZ", 'K'));
    world.refunds_as(&crate::refunds::wish(&refunded, RefundKind::Voluntary)).unwrap();
    world.remits("200.00", cycle).unwrap();
    assert!(world.bills().is_empty(), "it is not over");
    world.goes_to(after(cycle, 1));
    let billed = world.bills();
    assert!(world.bills().is_empty(), "once");
    let [row] = &billed[..] else { panic!("{billed:?}") };
    // Kept 970.00, voided nothing, refunded 970.00 - 780.00, paid 200.00.
    assert_eq!(row.billed_minor, 97_000 + 19_000 - 20_000);
    assert_eq!((row.due_on, row.closed_on), (after(cycle, 7), world.today()));
    let id = BillingStatementId::of(row.statement_id);
    let lines = world.read(|db| statement_lines(db, id, airsettle::db::Window::NewerThan(0), 100));
    let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(kinds, ["sale", "sale", "void", "sale", "refund", "remittance"]);
    assert_eq!(lines[0].document, kept.tickets[0].number);
    assert_eq!((lines[4].gross_minor, lines[4].commission_minor), (-81_000, -3_000));
    world.adds_up();
}

fn a_statement_is_written_a_page_at_a_time_wherever_it_was_stopped(engine: Engine) {
    let mut world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    for _ in 0..4 {
        world.sells(world.order());
    }
    let order = world.sells(world.order());
    world.voids(&order);
    let begin = |world: &World| world.store.write(|tx| begin_statement(tx, world.agency, Currency::CNY, cycle));
    assert!(matches!(begin(&world), Err(CloseError::NotOver(_))));
    world.goes_to(after(cycle, 1));
    let id = BillingStatementId::of(begin(&world).unwrap().id);
    let mut pages = 0;
    loop {
        let early = airsettle::interchange::statement::Written { rows: 0, bytes: 0, sha256: String::new() };
        let refused = world.store.write(|tx| close_statement(tx, &world.catalogue().calendar, id, &early));
        assert!(matches!(refused, Err(CloseError::NotWritten)));
        let paged = world.store.write(|tx| statement_page(tx, id, 1)).unwrap();
        world.adds_up();
        pages += 1;
        // Another process goes on.
        world = world.seen_from_another_node();
        assert_eq!(BillingStatementId::of(begin(&world).unwrap().id), id);
        if paged == Paged::Written {
            break;
        }
    }
    assert!(pages > 10, "{pages}");
    assert_eq!(world.store.write(|tx| statement_page(tx, id, 1)).unwrap(), Paged::Written);
    let (one, other) = (world.closes(id), world.closes(id));
    assert_eq!((one.id, one.billed_minor), (other.id, 4 * 97_000));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM statement_line"), 6);
    world.adds_up();
}

fn a_closed_statement_stays_what_it_was(engine: Engine) {
    let world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    let order = world.sells(world.order().flown_by("DZ", 'K'));
    world.goes_to(after(cycle, 1));
    let billed = world.bills().remove(0);
    let id = BillingStatementId::of(billed.statement_id);
    let file = |world: &World| {
        let mut bytes = Vec::new();
        world.read(|db| {
            let known = statement(db, id)?.unwrap();
            write_statement(db, &known, &mut bytes).unwrap();
            Ok(())
        });
        bytes
    };
    let before = file(&world);
    world.refunds_as(&crate::refunds::wish(&order, RefundKind::Voluntary)).unwrap();
    world.remits("100.00", cycle).unwrap();
    assert_eq!(file(&world), before);
    assert!(String::from_utf8(before).unwrap().ends_with("total,,,,1000.00,30.00,970.00,CNY\r\n"));
    let refused = world.store.write(|tx| {
        diesel::RunQueryDsl::execute(diesel::sql_query("UPDATE statement_line SET gross_minor = 0"), &mut *tx.db)
            .map_err(airsettle::db::DbError::from)
    });
    assert!(refused.is_err(), "lines are only added");
    // The refund belongs to the running cycle.
    world.goes_to(after(CycleRule::HalfMonthly.cycle_of(world.today()), 1));
    let next = world.bills().remove(0);
    assert_eq!(next.billed_minor, -78_000);
    world.adds_up();
}

fn a_remittance_that_names_no_cycle_pays_the_oldest_first(engine: Engine) {
    let world = on_credit(engine);
    assert!(matches!(world.remits_oldest_first("1.00"), Err(ReceiptError::NothingOwed)));
    let first = at_the_start_of_a_cycle(&world);
    world.sells_and_pays(world.order());
    world.goes_to(after(first, 1));
    let second = CycleRule::HalfMonthly.cycle_of(world.today());
    world.sells_and_pays(world.order());
    world.closes_the_day();
    let receipt = world.remits_oldest_first("1000.00").unwrap();
    assert_eq!((receipt.purpose.cycle(), receipt.commission), (None, cny("30.93")));
    assert_eq!(world.obligation(&first.to_string()).state, "paid");
    world.adds_up();
    world.remits_oldest_first("950.00").unwrap();
    world.goes_to(after(second, 1));
    world.closes_the_day();
    // 30.00 of the first payment and 950.00 are 10.00 more than the second cycle's 970.00.
    assert_eq!(world.obligation(&second.to_string()).billed_minor, -1_000);
    assert_eq!(world.exposure(), cny("-10.00"));
    world.adds_up();
}

fn a_payment_names_a_cycle_of_its_own_agency(engine: Engine) {
    let world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    world.sells_and_pays(world.order());
    let other = world.receipt(Purpose::Remittance(world.prepaid, cycle), "970.00");
    assert!(matches!(world.receives(&other), Err(ReceiptError::NothingInCycle(_))));
    let same = NewReceipt { bank_reference: "ONE".into(), ..world.receipt(Purpose::Remittance(world.agency, cycle), "970.00") };
    let id = world.receives(&same).unwrap().id;
    assert_eq!(world.receives(&same).unwrap().id, id, "a duplicate is the same receipt");
    let named_otherwise = NewReceipt { purpose: Purpose::RemittanceOldestFirst(world.agency), ..same.clone() };
    assert!(matches!(world.receives(&named_otherwise), Err(ReceiptError::ReferenceReused { field: "cycle", .. })));
    let another = NewReceipt { purpose: Purpose::Remittance(world.prepaid, cycle), ..same };
    assert!(matches!(world.receives(&another), Err(ReceiptError::ReferenceReused { field: "agency_id", .. })));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM cycle_settlement"), 1);
    world.adds_up();
}

/// 0.05 % a day for being late, 6 % a year after a week.
fn late_terms() -> CostTerms {
    CostTerms { late_fee_rate: rate("0.0005"), financing_rate: rate("0.06"), free_days: 7, ..CostTerms::default() }
}

/// Sold on late terms and billed.
fn billed_late(engine: Engine) -> (World, Cycle) {
    let world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    world.signs_terms(PaymentTerms::default(), late_terms()).sells();
    world.goes_to(after(cycle, 1));
    world.closes_the_day();
    (world, cycle)
}

fn charged(world: &World) -> (i64, i64) {
    let sum = |kind: &str| {
        let text = "SELECT CAST(COALESCE(SUM(booked_minor), 0) AS BIGINT) AS value FROM obligation_charge WHERE kind =";
        world.number(&format!("{text} '{kind}'"))
    };
    (sum("late_fee"), sum("financing"))
}

fn being_late_is_charged_day_by_day(engine: Engine) {
    let (world, cycle) = billed_late(engine);
    world.goes_to(after(cycle, 8));
    world.closes_the_day();
    assert_eq!(charged(&world), (0, 0), "the day after the due date is not over");
    for day in 9..=17 {
        world.goes_to(after(cycle, day));
        world.closes_the_day();
        assert!(world.charges().is_empty(), "a day is charged once");
    }
    // Nine days of 970.00 x 0.05 % = 4.365, and of 970.00 x 6 % / 360 = 1.455: half to even.
    assert_eq!(charged(&world), (436, 146));
    assert_eq!(world.standing(world.agency).charges, cny("5.82"));
    assert_eq!(world.exposure(), cny("975.82"));
    assert_eq!(world.obligation(&cycle.to_string()).state, "overdue");
    world.adds_up();
}

fn missed_days_are_charged_like_days_on_time(engine: Engine) {
    let (world, cycle) = billed_late(engine);
    world.goes_to(after(cycle, 12));
    world.remits("500.00", cycle).unwrap();
    world.goes_to(after(cycle, 17));
    world.closes_the_day();
    // Days 8 to 11 on 970.00, 12 to 16 on 470.00.
    let units: i128 = 4 * 97_000 + 5 * 47_000;
    let late = airsettle::money::divide_half_even(units * 5, 10_000).unwrap();
    let financed = airsettle::money::divide_half_even(units * 6, 36_000).unwrap();
    assert_eq!(charged(&world), (i64::try_from(late).unwrap(), i64::try_from(financed).unwrap()));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM obligation_charge"), 18, "a row per day and kind");
    world.adds_up();
}

fn a_payment_that_becomes_known_late_takes_charges_back(engine: Engine) {
    let (world, cycle) = billed_late(engine);
    world.goes_to(after(cycle, 17));
    world.closes_the_day();
    assert_eq!(charged(&world), (436, 146));
    let dated_back =
        NewReceipt { value_date: after(cycle, 10), ..world.receipt(Purpose::Remittance(world.agency, cycle), "970.00") };
    world.receives(&dated_back).unwrap();
    let ahead = NewReceipt { value_date: after(cycle, 18), ..world.receipt(Purpose::Remittance(world.agency, cycle), "1.00") };
    assert!(matches!(world.receives(&ahead), Err(ReceiptError::FutureValueDate(_))));
    assert_eq!(world.obligation(&cycle.to_string()).state, "paid");
    world.goes_to(after(cycle, 18));
    world.closes_the_day();
    // The two days before it came: 0.97, and 0.32.
    assert_eq!(charged(&world), (97, 32));
    world.goes_to(after(cycle, 19));
    world.closes_the_day();
    assert_eq!(charged(&world), (97, 32));
    world.adds_up();
}

fn charges_are_paid_by_themselves(engine: Engine) {
    let (world, cycle) = billed_late(engine);
    world.goes_to(after(cycle, 17));
    world.closes_the_day();
    let pays = |amount: &str| world.receives(&world.receipt(Purpose::Charges(world.agency), amount));
    assert!(matches!(pays("5.83"), Err(ReceiptError::MoreThanCharged { open }) if open == cny("5.82")));
    assert_eq!(pays("5.82").unwrap().account, Purse::Own);
    assert!(matches!(pays("0.01"), Err(ReceiptError::MoreThanCharged { open }) if open == cny("0.00")));
    assert_eq!(world.exposure(), cny("970.00"), "a remittance pays no charges, and charges no cycle");
    world.adds_up();
}

fn what_was_paid_too_much_is_paid_out_on_request(engine: Engine) {
    let world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    world.sells_and_pays(world.order());
    world.remits("1000.00", cycle).unwrap();
    assert!(matches!(world.pays_out_credit(cycle, "30.00", "OUT-1"), Err(CreditPayoutError::NotBilled(_))));
    world.goes_to(after(cycle, 1));
    world.closes_the_day();
    assert_eq!(world.obligation(&cycle.to_string()).billed_minor, -3_000);
    let rows = world.row_counts();
    assert!(matches!(world.pays_out_credit(cycle, "30.01", "OUT-1"), Err(CreditPayoutError::MoreThanCredit { .. })));
    assert!(matches!(world.pays_out_credit(cycle, "0.00", "OUT-1"), Err(CreditPayoutError::NotPositive)));
    assert_eq!(world.row_counts(), rows);
    world.pays_out_credit(cycle, "30.00", "OUT-1").unwrap();
    world.pays_out_credit(cycle, "30.00", "OUT-1").unwrap();
    assert!(matches!(world.pays_out_credit(cycle, "10.00", "OUT-1"), Err(CreditPayoutError::ReferenceReused(_))));
    assert_eq!(world.exposure(), cny("0.00"));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM credit_payout"), 1);
    world.adds_up();
}

fn credit_pays_what_is_owed_in_another_cycle(engine: Engine) {
    let world = on_credit(engine);
    let first = at_the_start_of_a_cycle(&world);
    let order = world.sells_and_pays(world.order().flown_by("DZ", 'K'));
    world.remits("970.00", first).unwrap();
    world.goes_to(after(first, 1));
    world.closes_the_day();
    let request = RefundRequest { reason: None, ..crate::refunds::wish(&order, RefundKind::Voluntary) };
    world.refunds_as(&request).unwrap();
    let second = CycleRule::HalfMonthly.cycle_of(world.today());
    world.goes_to(after(second, 1));
    world.closes_the_day();
    assert_eq!(world.obligation(&second.to_string()).billed_minor, -78_000, "the refund stands as a credit");
    world.sells_and_pays(world.order());
    let third = CycleRule::HalfMonthly.cycle_of(world.today());
    world.goes_to(after(third, 1));
    world.closes_the_day();
    // It went to the third cycle, and took the clawed back commission with it.
    assert_eq!(world.obligation(&second.to_string()).state, "paid");
    assert_eq!(world.exposure(), cny("190.00"));
    world.remits("190.00", third).unwrap();
    let standing = world.standing(world.agency);
    assert_eq!((standing.receivable, standing.commission), (cny("0.00"), cny("0.00")));
    assert_eq!(world.obligation(&third.to_string()).state, "paid");
    world.adds_up();
}

fn an_obligation_becomes_due_and_overdue_and_is_paid(engine: Engine) {
    let world = on_credit(engine);
    let cycle = at_the_start_of_a_cycle(&world);
    world.sells_and_pays(world.order());
    let days = [(1, ObligationState::NotYetDue), (7, ObligationState::Due), (8, ObligationState::Overdue)];
    for (day, state) in days {
        world.goes_to(after(cycle, day));
        world.closes_the_day();
        assert_eq!(world.obligation(&cycle.to_string()).state().unwrap(), state);
    }
    world.remits("969.99", cycle).unwrap();
    assert_eq!(world.obligation(&cycle.to_string()).state().unwrap(), ObligationState::Overdue);
    world.remits("0.01", cycle).unwrap();
    assert_eq!(world.obligation(&cycle.to_string()).state().unwrap(), ObligationState::Paid);
    let told = world.texts("SELECT kind AS value FROM event WHERE kind LIKE 'obligation.%' ORDER BY id");
    assert_eq!(told, ["obligation.billed", "obligation.due", "obligation.overdue", "obligation.paid"]);
    let id = ObligationId::of(world.obligation(&cycle.to_string()).id);
    assert!(id.to_string().starts_with("obl_"));
    world.adds_up();
}

fn what_was_earned_by_volume_counts_in_a_default(engine: Engine) {
    let world = on_credit(engine);
    at_the_start_of_a_cycle(&world);
    let platform_funded = new_programme(&world, Funder::Platform, Method::Incremental, &[("0", "0.02")]);
    world.agrees(&platform_funded);
    world.sells_and_pays(world.order());
    world.goes_to(NaiveDate::from_ymd_opt(2027, 4, 2).unwrap());
    world.counts_incentives();
    world.closes_the_day();
    let declare = || world.store.write(|tx| declare_default(tx, &world.cause(), world.agency, "nothing was remitted")).unwrap();
    let row = declare();
    // 970.00 less 2 % of the fare; the deposit is larger than that.
    assert_eq!((row.owed_minor, row.deposit_minor, row.commission_minor), (95_100, 95_100, 3_000));
    assert_eq!(declare().deposit_minor, 95_100, "declared again, nothing is left to apply");
    assert_eq!(world.exposure(), cny("0.00"));
    assert_eq!(world.refuses(world.order()), Refusal::AgencyFrozen);
    world.adds_up();
    world.database.as_owner("DELETE FROM kill_switch").unwrap();
    assert!(world.sale_fault().unwrap().rule.contains("an agency in default sells nothing"));
}

/// Billed, charged, paid too much, carried and paid out.
fn history(engine: Engine) -> World {
    let (world, cycle) = billed_late(engine);
    world.goes_to(after(cycle, 10));
    world.closes_the_day();
    world.remits("980.00", cycle).unwrap();
    world.sells_and_pays(world.order());
    let second = CycleRule::HalfMonthly.cycle_of(world.today());
    world.goes_to(after(second, 1));
    world.closes_the_day();
    world.remits("1000.00", second).unwrap();
    let charges = world.standing(world.agency).charges;
    world.receives(&world.receipt(Purpose::Charges(world.agency), &charges.to_string())).unwrap();
    world.pays_out_credit(second, "5.00", "OUT-1").unwrap();
    world.adds_up();
    world
}

fn every_rule_of_the_cycles_finds_a_row_that_breaks_it(engine: Engine) {
    let cases = [
        (
            "bank_receipt",
            "UPDATE bank_receipt SET amount_minor = amount_minor + 0, commission_minor = commission_minor + 1",
            "booked with its own amount",
        ),
        (
            "cycle_settlement",
            "UPDATE cycle_settlement SET amount_minor = amount_minor + 1 WHERE kind = 'remittance'",
            "what an agency owes in a cycle",
        ),
        (
            "cycle_settlement",
            "UPDATE cycle_settlement SET amount_minor = amount_minor + 1, commission_minor = commission_minor - 1 WHERE kind = 'remittance'",
            "commission not yet netted",
        ),
        (
            "cycle_settlement",
            "UPDATE cycle_settlement SET posting_id = posting_id + 1 WHERE kind = 'carried'",
            "booked with its own amounts",
        ),
        ("credit_payout", "UPDATE credit_payout SET amount_minor = amount_minor + 1", "credit that was paid out"),
        ("obligation_charge", "UPDATE obligation_charge SET total_scaled = '7' WHERE booked_minor > 0", "recomputation"),
        (
            "obligation_charge",
            "UPDATE obligation_charge SET booked_minor = booked_minor + 1 WHERE booked_minor > 0",
            "an agency's charges are those",
        ),
        ("statement_line", "UPDATE statement_line SET gross_minor = gross_minor + 1", "a statement is the sum of its lines"),
        ("statement_line", "UPDATE statement_line SET document = '9'", "has its digest"),
        ("obligation", "UPDATE obligation SET billed_minor = billed_minor + 1", "what its statement billed"),
    ];
    for (table, change, rule) in cases {
        let world = history(engine);
        if ["cycle_settlement", "obligation_charge", "statement_line"].contains(&table) {
            world.database.tamper(table, change);
        } else {
            world.database.as_owner(change).unwrap();
        }
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
