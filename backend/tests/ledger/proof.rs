//! The proof of the ledger and of the sales: clean books pass, and whoever alters a row is found with its name.

use crate::bank::{refused, settled};
use crate::database::Engine;
use crate::settlement::tax;
use crate::world::{World, cny};
use airsettle::agencies::{Cycle, cycle_of};
use airsettle::ids::{AccountId, EntryId, Id, PostingId};
use airsettle::ledger::{Fault, seal_pending};
use airsettle::settlement::Purpose;

on_both_engines!(
    clean_books_are_proved,
    an_altered_amount_is_found,
    a_balanced_alteration_is_found,
    a_removed_row_is_found,
    an_added_row_is_found,
    swapped_digests_are_found,
    a_stored_balance_that_is_not_the_sum_is_found,
    what_was_sealed_cannot_be_rewritten,
    every_rule_of_the_sales_finds_a_row_that_breaks_it,
    every_rule_of_the_settlement_finds_a_row_that_breaks_it,
    every_rule_of_the_refunds_finds_a_row_that_breaks_it,
);

/// Three tickets on credit, one of them paid, one refused by the bank; one from the wallet.
fn history(engine: Engine) -> World {
    let world = World::trading(engine);
    for _ in 0..3 {
        world.sells(world.order());
    }
    world.sells(world.order().by_wallet());
    let advances = world.advances();
    for advance in &advances[..2] {
        world.sends(advance);
    }
    world.bank_says(&[settled(&advances[0]), refused(&advances[1])]);
    world.adds_up();
    world
}

impl World {
    fn seals(&self) {
        self.write(|tx| Ok(seal_pending(tx)?));
    }

    fn fault(&self) -> Fault {
        self.ledger_proof().unwrap_err()
    }

    /// Ids of entries, oldest first, of the accounts with this code.
    fn entries(&self, code: &str) -> Vec<i64> {
        self.numbers(&format!(
            "SELECT e.id AS value FROM entry e JOIN account a ON a.id = e.account_id WHERE a.code = '{code}' ORDER BY e.id"
        ))
    }

    fn posting_of(&self, entry: i64) -> i64 {
        self.number(&format!("SELECT posting_id AS value FROM entry WHERE id = {entry}"))
    }
}

fn clean_books_are_proved(engine: Engine) {
    let world = World::on(engine);
    let empty = world.ledger_proof().unwrap();
    assert_eq!((empty.postings, empty.entries, empty.seals, empty.unsealed), (0, 0, 0, 0));
    world.adds_up();
    let world = history(engine);
    let proof = world.ledger_proof().unwrap();
    // Two receipts, four sales, one payment.
    assert_eq!((proof.postings, proof.entries, proof.holds), (7, 2 * 2 + 3 * 5 + 6 + 2, 3));
    assert_eq!((proof.seals, proof.unsealed), (0, 7));
    world.seals();
    let proof = world.ledger_proof().unwrap();
    assert_eq!((proof.seals, proof.unsealed), (1, 0));
}

fn an_altered_amount_is_found(engine: Engine) {
    let world = history(engine);
    let entry = world.entries("airline.payable")[1];
    world.database.tamper("entry", &format!("UPDATE entry SET amount_minor = amount_minor - 1 WHERE id = {entry}"));
    assert_eq!(world.fault(), Fault::Unbalanced(PostingId::of(world.posting_of(entry))));
}

fn a_balanced_alteration_is_found(engine: Engine) {
    let world = history(engine);
    let (airline, fee) = (world.entries("airline.payable")[1], world.entries("platform.fee_income")[1]);
    assert_eq!(world.posting_of(airline), world.posting_of(fee));
    let moved = format!(
        "UPDATE entry SET amount_minor = amount_minor + 100 WHERE id = {airline};
         UPDATE entry SET amount_minor = amount_minor - 100 WHERE id = {fee}"
    );
    world.database.tamper("entry", &moved);
    assert_eq!(world.fault(), Fault::Changed(PostingId::of(world.posting_of(fee))));
    // Everything that a posting says is in its digest: another agency's contract, another day.
    for change in ["contract_id = 77", "ledger_date = '2020-01-01'", "event = 'capital_paid_in'", "actor_key_id = 9"] {
        let world = history(engine);
        let posting = world.posting_of(world.entries("agency.receivable")[1]);
        world.database.tamper("posting", &format!("UPDATE posting SET {change} WHERE id = {posting}"));
        assert_eq!(world.fault(), Fault::Changed(PostingId::of(posting)), "{change}");
    }
}

fn a_removed_row_is_found(engine: Engine) {
    let world = history(engine);
    let entry = world.entries("airline.payable")[1];
    let posting = world.posting_of(entry);
    world.database.tamper("entry", &format!("DELETE FROM entry WHERE id = {entry}"));
    assert_eq!(world.fault(), Fault::EntriesMissing(PostingId::of(posting), 5, 4));

    let world = history(engine);
    let posting = world.posting_of(world.entries("agency.receivable")[1]);
    world.database.tamper("posting", &format!("DELETE FROM posting WHERE id = {posting}"));
    assert_eq!(world.fault(), Fault::OrphanEntry(EntryId::of(posting + 1)));

    // A whole posting: what follows on its accounts no longer follows.
    world.database.tamper("entry", &format!("DELETE FROM entry WHERE posting_id = {posting}"));
    assert!(matches!(world.fault(), Fault::Entry { .. }), "{}", world.fault());

    // The last posting of all: its accounts remember it.
    let world = history(engine);
    let posting = world.number("SELECT MAX(id) AS value FROM posting");
    world.database.tamper("entry", &format!("DELETE FROM entry WHERE posting_id = {posting}"));
    world.database.tamper("posting", &format!("DELETE FROM posting WHERE id = {posting}"));
    assert!(matches!(world.fault(), Fault::Account { what: "the balance", .. }), "{}", world.fault());
}

fn an_added_row_is_found(engine: Engine) {
    let world = history(engine);
    let entry = world.entries("airline.payable")[0];
    // Adding is what the application may do: it needs no tampering.
    let copy = "INSERT INTO entry SELECT id + 500, posting_id, account_id, amount_minor, balance_after_minor, version,
        previous_entry_id, cycle FROM entry WHERE id = ";
    world.database.as_application(&format!("{copy}{entry}")).unwrap();
    assert_eq!(world.fault(), Fault::OrphanEntry(EntryId::of(entry + 500)));
}

fn swapped_digests_are_found(engine: Engine) {
    let world = history(engine);
    let sales = world.numbers("SELECT id AS value FROM posting WHERE event = 'ticket_sale' ORDER BY id");
    let (one, other) = (sales[0], sales[1]);
    let swap = format!(
        "UPDATE posting SET digest = (SELECT p.digest FROM posting p WHERE p.id = {one} + {other} - posting.id)
         WHERE id IN ({one}, {other})"
    );
    world.database.tamper("posting", &swap);
    assert_eq!(world.fault(), Fault::Changed(PostingId::of(one)));
}

fn a_stored_balance_that_is_not_the_sum_is_found(engine: Engine) {
    let world = history(engine);
    let account = world.number("SELECT id AS value FROM account WHERE code = 'bank.loan'");
    for (column, what) in [
        ("balance_minor", "the balance"),
        ("version", "the version"),
        ("last_entry_id", "the last entry"),
        ("pending_minor", "the pending amount"),
    ] {
        let change = |by| format!("UPDATE account SET {column} = {column} + {by} WHERE id = {account}");
        world.database.as_owner(&change(1)).unwrap();
        match world.fault() {
            Fault::Account { account: named, what: named_as, stored, actual } => {
                assert_eq!((named, named_as, stored), (AccountId::of(account), what, actual + 1));
            }
            other => panic!("{other}"),
        }
        world.database.as_owner(&change(-1)).unwrap();
    }
    world.adds_up();
    world.database.as_owner("UPDATE hold SET amount_minor = amount_minor - 1 WHERE state = 'pending'").unwrap();
    assert!(matches!(world.fault(), Fault::Account { what: "the pending amount", .. }));
}

fn what_was_sealed_cannot_be_rewritten(engine: Engine) {
    let world = history(engine);
    world.seals();
    world.sells(world.order().by_wallet());
    world.seals();
    world.adds_up();
    let chain_fault = |world: &World| match world.fault() {
        Fault::Chain { height, what, .. } => (height, what),
        other => panic!("{other}"),
    };
    let first = world.number("SELECT last_posting_id AS value FROM seal WHERE height = 1");
    let moved = format!("UPDATE seal SET last_posting_id = {} WHERE height = 1", first + 1);
    world.database.tamper("seal", &moved);
    assert_eq!(chain_fault(&world), (1, "a posting under this seal was removed or added"));

    let world = history(engine);
    world.seals();
    let head = "UPDATE seal SET head = (SELECT digest FROM posting ORDER BY id LIMIT 1) WHERE height = 1";
    world.database.tamper("seal", head);
    assert_eq!(chain_fault(&world), (1, "the postings under this seal are not those that were sealed"));

    let world = history(engine);
    world.seals();
    world.sells(world.order().by_wallet());
    world.seals();
    world.database.tamper("seal", "DELETE FROM seal WHERE height = 1");
    assert_eq!(chain_fault(&world), (2, "a seal before it is missing"));
}

fn every_rule_of_the_sales_finds_a_row_that_breaks_it(engine: Engine) {
    let world = history(engine);
    // How a row is broken, how it is mended, and the rule that notices.
    let first = "(SELECT MIN(id) FROM ticket)";
    let cases = [
        (
            "UPDATE ticket SET price_minor = price_minor + 1, base_minor = base_minor + 1, airline_minor = airline_minor + 1",
            "exactly one sale posting",
        ),
        ("UPDATE posting SET reference_id = 5 WHERE event = 'ticket_sale' AND reference_id = @", "exactly one sale posting"),
        ("UPDATE air_order SET total_minor = total_minor + 1", "an order is the sum of its tickets"),
        ("UPDATE coupon SET base_minor = base_minor + 1 WHERE ticket_id = @", "one to sixteen coupons"),
        ("DELETE FROM coupon WHERE ticket_id = @", "one to sixteen coupons"),
        ("UPDATE coupon SET commission_minor = commission_minor + 1 WHERE ticket_id = @", "what its rules come to"),
        ("UPDATE coupon SET commission_rule_id = 7 WHERE ticket_id = @", "what its rules come to"),
        ("UPDATE coupon SET number = number + 1 WHERE ticket_id = @", "a number for every four of its coupons"),
        (
            "INSERT INTO ticket_document (ticket_id, document, number) VALUES (@, 2, '9990000000001')",
            "a number for every four of its coupons",
        ),
        ("UPDATE ticket_tax SET minor = minor + 1 WHERE ticket_id = @", "a ticket's taxes add up"),
        ("UPDATE advance SET amount_minor = amount_minor + 1 WHERE ticket_id = @", "one advance of its airline share"),
        ("DELETE FROM advance WHERE ticket_id = @", "one advance of its airline share"),
        ("UPDATE advance SET state = 'sent' WHERE state = 'confirmed'", "booked as confirmed once"),
        ("UPDATE hold SET state = 'voided' WHERE state = 'posted'", "a hold is pending as long as"),
        ("UPDATE outbox SET done_at = created_at", "has a message waiting"),
        ("UPDATE facility_slice SET unconfirmed = unconfirmed + 1", "counts the advances in flight"),
        ("UPDATE seat_bucket SET sold = sold - 1", "seats sold are the coupons"),
        ("UPDATE coupon SET status = 'V' WHERE ticket_id = @", "the coupons of a cancelled order are void"),
        ("UPDATE air_order SET cancelled_at = created_at", "exactly one void posting"),
        ("UPDATE advance SET set_off_minor = 1 WHERE state = 'held'", "what advances have still to pay"),
        ("UPDATE stock_range SET next_document = first_document", "taken from the airline's stock"),
        ("UPDATE account SET balance_minor = balance_minor + 1 WHERE code = 'bank.loan'", "loan is what its advances drew"),
        (
            "UPDATE account SET balance_minor = 0 WHERE code = 'platform.cash' AND detail = 'client'",
            "client cash covers wallets, deposits",
        ),
    ];
    for (change, rule) in cases {
        let world = if change.contains("seat_bucket") { &world } else { &history(engine) };
        let change = change.replace('@', first);
        if change.contains("posting") {
            world.database.tamper("posting", &change);
        } else {
            world.database.as_owner(&change).unwrap();
        }
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
        assert!(!fault.row.is_empty());
    }
}

/// A void that was paid and set off, a remittance, interest, the bank and the authority paid, own money ordered to the client account.
fn settled_history(engine: Engine) -> World {
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    world.receives(&world.receipt(Purpose::Capital, "100.00")).unwrap();
    let cycle = Cycle::parse(&cycle_of(world.today())).unwrap();
    let voided = world.sells(world.order());
    let sent = world.sends(&world.advance_of(&voided)).unwrap();
    world.bank_says(&[settled(&sent)]);
    world.voids(&voided);
    let set_off = world.sells(world.order().fare(cny("500.00")));
    world.sends(&world.advance_of(&set_off));
    world.remits("100.00", cycle).unwrap();
    world.time_passes(chrono::Duration::days(3));
    world.accrues(None).unwrap();
    world.pays(world.repayment("50.00", "0.10")).unwrap();
    world.pays(tax("20.00")).unwrap();
    world.write(|tx| Ok(airsettle::credit::order_transfer(tx, airsettle::audit::Actor::platform(), cny("5.00"))?));
    world.adds_up();
    world
}

fn every_rule_of_the_settlement_finds_a_row_that_breaks_it(engine: Engine) {
    let cases = [
        ("DELETE FROM order_cancellation", "exactly one confirmed cancellation"),
        ("UPDATE airline_claim SET amount_minor = amount_minor + 1", "open claims, what was taken back"),
        ("UPDATE claim_settlement SET amount_minor = amount_minor + 1", "what its settlements add up to"),
        (
            "UPDATE bank_payment SET principal_minor = principal_minor + 1 WHERE facility_id IS NOT NULL",
            "less the principal repaid",
        ),
        ("UPDATE bank_payment SET amount_minor = amount_minor + 1", "a bank payment is booked with its own amounts"),
        (
            "UPDATE bank_receipt SET commission_minor = commission_minor + 1 WHERE purpose = 'remittance'",
            "booked with its own amount",
        ),
        ("UPDATE account SET balance_minor = balance_minor - 1 WHERE code = 'agency.commission'", "commission not yet netted"),
        (
            "UPDATE account SET balance_minor = balance_minor - 1 WHERE code = 'authority.tax'",
            "a tax owed is what tickets carried",
        ),
        (
            "UPDATE account SET balance_minor = balance_minor - 1 WHERE code = 'bank.interest'",
            "interest owed is what was accrued",
        ),
        ("UPDATE account SET balance_minor = balance_minor + 1 WHERE code = 'platform.cash_transfer'", "own money on its way"),
        (
            "UPDATE facility_accrual SET booked_minor = 0, posting_id = NULL WHERE total_booked_minor = 15",
            "interest owed is what was",
        ),
        ("UPDATE facility_accrual SET balance_minor = 1, total_scaled = '7'", "recomputation"),
        ("UPDATE facility_accrual SET total_booked_minor = total_booked_minor + 1", "recomputation"),
    ];
    for (change, rule) in cases {
        let world = settled_history(engine);
        world.database.as_owner(change).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}

/// A ticket refunded after its airline was paid, a wallet that waits, an application that a person has to decide.
fn refunded_history(engine: Engine) -> World {
    use airsettle::ticketing::{RefundKind, RefundRequest};
    let world = World::on(engine);
    world.lodges_deposit("9000.00");
    world.tops_up(world.prepaid, "970.00");
    for order in [world.order().flown_by("DZ", 'K'), world.order().by_wallet().flown_by("DZ", 'K')] {
        let order = world.sells(order);
        let sent = world.sends(&world.advance_of(&order)).unwrap();
        world.bank_says(&[settled(&sent)]);
        world.refunds_as(&crate::refunds::wish(&order, RefundKind::Voluntary)).unwrap();
    }
    let asked = world.sells(world.order());
    let wish = crate::refunds::wish(&asked, RefundKind::Involuntary);
    let quote = world.quotes_refund(&RefundRequest { reason: Some("a flight that does not leave".into()), ..wish }).unwrap();
    world.confirms_refund(&quote).unwrap();
    world.adds_up();
    world
}

fn every_rule_of_the_refunds_finds_a_row_that_breaks_it(engine: Engine) {
    let cases = [
        ("UPDATE refund_ticket SET posted_at = NULL, cycle = NULL", "posted once with its own legs"),
        ("UPDATE refund_application SET status = 'refunded' WHERE status = 'submitted'", "posted once with its own legs"),
        (
            "UPDATE refund_ticket SET airline_minor = airline_minor + 1, fee_minor = fee_minor - 1 WHERE posted_at IS NOT NULL",
            "posted once with its own legs",
        ),
        (
            "UPDATE refund_application SET fare_minor = fare_minor + 1, penalty_minor = penalty_minor + 1",
            "the sum of its tickets",
        ),
        ("UPDATE refund_coupon SET penalty_minor = penalty_minor - 1 WHERE penalty_minor > 0", "that of its coupons and taxes"),
        ("UPDATE refund_tax SET minor = minor + 1", "that of its coupons and taxes"),
        ("UPDATE coupon SET status = 'Y' WHERE status = 'R'", "a coupon is refunded once"),
        ("UPDATE airline_take_back SET amount_minor = amount_minor + 1, beyond_minor = 1", "is cancelled, on its way or claimed"),
        ("UPDATE airline_take_back SET reference_id = id", "is booked with its own amounts"),
        ("UPDATE refund_ticket SET cycle = '2020-01-H1' WHERE cycle IS NOT NULL", "what an agency owes in a cycle"),
    ];
    for (change, rule) in cases {
        let world = refunded_history(engine);
        world.database.as_owner(change).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
