//! The daily proof of cash: the bank's statement against the ledger, with everything that is named and what is not.

use crate::bank::settled;
use crate::database::Engine;
use crate::world::{World, cny};
use airsettle::audit::Actor;
use airsettle::credit::{Confirmation, confirm_transfer, order_transfer};
use airsettle::ledger::Purse;
use airsettle::money::{Currency, Money};
use airsettle::settlement::{
    BankDay, BankLine, BankLineKind, CashAccount, CashItemKind, CashProofError, CashProofRow, PaymentPurpose, ProofState,
    Purpose, cash_accounts, cash_items, next_to_prove, note_unavailable, prove_cash,
};
use chrono::{Duration, NaiveDate};

on_both_engines!(
    what_both_have_is_proven,
    a_payment_that_the_bank_has_not_booked_is_in_transit,
    money_that_nobody_has_recorded_is_an_unmatched_receipt,
    a_fee_of_the_bank_is_named_and_another_debit_is_unexplained,
    another_amount_under_the_same_reference_is_unexplained,
    a_closing_balance_that_its_bookings_do_not_make_is_unexplained,
    own_money_on_its_way_to_the_client_account_is_in_transit_until_both_have_it,
    a_wallet_ticket_is_matched_by_the_banks_own_reference,
    a_statement_that_was_not_there_is_fetched_later,
    a_day_is_proven_once_and_in_its_order,
    a_proof_that_was_altered_is_found,
);

const OWN: CashAccount = CashAccount { purse: Purse::Own, currency: Currency::CNY };
const CLIENT: CashAccount = CashAccount { purse: Purse::Client, currency: Currency::CNY };

fn line(reference: &str, amount: &str) -> BankLine {
    BankLine { bank_reference: reference.into(), amount: cny(amount), kind: BankLineKind::Transfer }
}

fn fee(reference: &str, amount: &str) -> BankLine {
    BankLine { kind: BankLineKind::Fee, ..line(reference, amount) }
}

impl World {
    fn comes(&self, purpose: Purpose, amount: &str, reference: &str) {
        let new = airsettle::settlement::NewReceipt { bank_reference: reference.into(), ..self.receipt(purpose, amount) };
        self.receives(&new).unwrap();
    }

    fn proves(
        &self,
        account: CashAccount,
        day: NaiveDate,
        closing: &str,
        lines: &[BankLine],
    ) -> Result<CashProofRow, CashProofError> {
        let bank = BankDay { closing: cny(closing), lines: lines.to_vec() };
        self.store.write(|tx| prove_cash(tx, account, day, &bank))
    }

    /// Today is over.
    fn proven(&self, account: CashAccount, closing: &str, lines: &[BankLine]) -> CashProofRow {
        let today = self.today();
        self.time_passes(Duration::days(1));
        let proof = self.proves(account, today, closing, lines).unwrap();
        self.adds_up();
        proof
    }

    /// What is open at the end of its day: the kind and the amount.
    fn open_at(&self, proof: &CashProofRow) -> Vec<(String, i64)> {
        self.read(|db| cash_items(db, proof)).into_iter().map(|item| (item.kind, item.amount_minor)).collect()
    }

    fn cash_alarms(&self) -> Vec<String> {
        self.texts("SELECT kind AS value FROM event WHERE kind LIKE 'cash_proof.%' ORDER BY id")
    }
}

fn is(kind: CashItemKind, minor: i64) -> (String, i64) {
    (kind.text().to_owned(), minor)
}

fn what_both_have_is_proven(engine: Engine) {
    let world = World::on(engine);
    assert!(world.read(cash_accounts).is_empty(), "nothing was ever moved");
    world.comes(Purpose::Capital, "500.00", "B-1");
    world.lodges_deposit("600.00");
    assert_eq!(world.read(cash_accounts), [CLIENT, OWN]);
    let proof = world.proven(OWN, "500.00", &[line("B-1", "500.00")]);
    assert_eq!(
        (proof.state.as_str(), proof.ledger_minor, proof.bank_minor, proof.unexplained_minor),
        ("proven", 50_000, 50_000, 0)
    );
    assert!(world.open_at(&proof).is_empty());
    // A day on which nothing was moved.
    let quiet = world.proven(OWN, "500.00", &[]);
    assert_eq!((quiet.state.as_str(), quiet.ledger_minor), ("proven", 50_000));
    assert!(world.cash_alarms().is_empty());
}

fn a_payment_that_the_bank_has_not_booked_is_in_transit(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    world.lodges_deposit("9000.00");
    world.sells_and_pays(world.order());
    let tax = PaymentPurpose::Tax { payee: "CAAC".into(), code: "CN".into(), amount: cny("50.00") };
    let paid = world.pays(tax).unwrap();
    let proof = world.proven(OWN, "500.00", &[line("B-1", "500.00")]);
    assert_eq!((proof.state.as_str(), proof.in_transit_minor, proof.unexplained_minor), ("proven", -5_000, 0));
    assert_eq!(world.open_at(&proof), [is(CashItemKind::InTransit, -5_000)]);
    let next = world.proven(OWN, "450.00", &[line(&paid.bank_reference, "-50.00")]);
    assert_eq!((next.state.as_str(), next.in_transit_minor), ("proven", 0));
    assert!(world.open_at(&next).is_empty());
    assert_eq!(world.open_at(&proof), [is(CashItemKind::InTransit, -5_000)], "an old proof stays what it was");
    assert!(world.cash_alarms().is_empty());
}

fn money_that_nobody_has_recorded_is_an_unmatched_receipt(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    let proof = world.proven(OWN, "597.00", &[line("B-1", "500.00"), line("B-2", "97.00")]);
    assert_eq!((proof.state.as_str(), proof.unmatched_receipts_minor, proof.unexplained_minor), ("proven", 9_700, 0));
    assert_eq!(world.open_at(&proof), [is(CashItemKind::UnmatchedReceipt, 9_700)]);
    // The desk finds out whose it is.
    world.comes(Purpose::Capital, "97.00", "B-2");
    let next = world.proven(OWN, "597.00", &[]);
    assert_eq!((next.state.as_str(), next.ledger_minor, next.unmatched_receipts_minor), ("proven", 59_700, 0));
    assert!(world.cash_alarms().is_empty());
}

fn a_fee_of_the_bank_is_named_and_another_debit_is_unexplained(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    let named = world.proven(OWN, "492.50", &[line("B-1", "500.00"), fee("FEE-1", "-7.50")]);
    assert_eq!((named.state.as_str(), named.bank_fees_minor), ("proven", -750));
    let odd = world.proven(OWN, "472.50", &[line("B-9", "-20.00")]);
    assert_eq!((odd.state.as_str(), odd.bank_fees_minor, odd.unexplained_minor), ("unexplained", -750, -2_000));
    assert_eq!(world.open_at(&odd), [is(CashItemKind::BankFee, -750), is(CashItemKind::UnknownPayment, -2_000)]);
    assert_eq!(world.cash_alarms(), ["cash_proof.unexplained"]);
}

fn another_amount_under_the_same_reference_is_unexplained(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    let proof = world.proven(OWN, "499.99", &[line("B-1", "499.99")]);
    assert_eq!((proof.state.as_str(), proof.unexplained_minor), ("unexplained", -1));
    assert_eq!(world.open_at(&proof), [is(CashItemKind::OtherAmount, 50_000), is(CashItemKind::OtherAmount, 49_999)]);
    // Two that cancel each other out are no better.
    world.comes(Purpose::Capital, "10.00", "B-2");
    let both = world.proven(OWN, "510.00", &[line("B-2", "10.01")]);
    assert_eq!((both.state.as_str(), both.unexplained_minor), ("unexplained", 0));
    assert_eq!(world.cash_alarms(), ["cash_proof.unexplained", "cash_proof.unexplained"]);
}

fn a_closing_balance_that_its_bookings_do_not_make_is_unexplained(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    let proof = world.proven(OWN, "501.00", &[line("B-1", "500.00")]);
    assert_eq!((proof.state.as_str(), proof.unexplained_minor), ("unexplained", 100));
    assert!(world.open_at(&proof).is_empty());
}

fn own_money_on_its_way_to_the_client_account_is_in_transit_until_both_have_it(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    world.comes(Purpose::Wallet(world.prepaid), "10.00", "B-2");
    let ordered = world.store.write(|tx| order_transfer(tx, Actor::platform(), cny("80.00"))).unwrap();
    let first = world.today();
    let own = world.proven(OWN, "500.00", &[line("B-1", "500.00")]);
    assert_eq!((own.state.as_str(), own.in_transit_minor), ("proven", -8_000));
    world.proves(CLIENT, first, "10.00", &[line("B-2", "10.00")]).unwrap();
    let said = Confirmation { bank_reference: "X-1".into(), value_date: world.today() };
    world.store.write(|tx| confirm_transfer(tx, Actor::platform(), ordered.id, &said)).unwrap();
    let second = world.today();
    let own = world.proven(OWN, "420.00", &[line("X-1", "-80.00")]);
    assert_eq!((own.state.as_str(), own.in_transit_minor), ("proven", 0));
    let client = world.proves(CLIENT, second, "90.00", &[line("X-1", "80.00")]).unwrap();
    assert_eq!((client.state.as_str(), client.ledger_minor), ("proven", 9_000));
    world.adds_up();
}

fn a_wallet_ticket_is_matched_by_the_banks_own_reference(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Wallet(world.prepaid), "970.00", "B-1");
    let order = world.sells(world.order().by_wallet());
    let sent = world.sends(&world.advance_of(&order)).unwrap();
    world.bank_says(&[settled(&sent)]);
    let reference = format!("B-{}", sent.id);
    let proof = world.proven(CLIENT, "55.00", &[line("B-1", "970.00"), line(&reference, "-915.00")]);
    assert_eq!((proof.state.as_str(), proof.ledger_minor), ("proven", 5_500));
    assert!(world.open_at(&proof).is_empty());
}

fn a_statement_that_was_not_there_is_fetched_later(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    let day = world.today();
    world.time_passes(Duration::days(2));
    for error in ["the bank is down", "it still is"] {
        let noted = world.store.write(|tx| note_unavailable(tx, OWN, day, error)).unwrap();
        assert_eq!((noted.state.as_str(), noted.error.as_deref()), ("unavailable", Some(error)));
    }
    assert_eq!(world.cash_alarms(), ["cash_proof.unavailable"], "people are told once");
    assert_eq!(world.read(|db| next_to_prove(db, OWN)), Some(day));
    world.adds_up();
    let proof = world.proves(OWN, day, "500.00", &[line("B-1", "500.00")]).unwrap();
    assert_eq!((proof.state.as_str(), proof.error), ("proven", None));
    assert_eq!(world.number("SELECT COUNT(*) AS value FROM cash_proof"), 1);
    let late = world.store.write(|tx| note_unavailable(tx, OWN, day, "too late")).unwrap();
    assert_eq!(late.state, "proven");
    world.adds_up();
}

fn a_day_is_proven_once_and_in_its_order(engine: Engine) {
    let world = World::on(engine);
    world.comes(Purpose::Capital, "500.00", "B-1");
    let day = world.today();
    let next = day.succ_opt().unwrap();
    world.time_passes(Duration::days(3));
    let early = world.proves(OWN, next, "500.00", &[]);
    assert!(matches!(early, Err(CashProofError::NotNext { next }) if next == day), "{early:?}");
    let dollars = Money::zero(Currency::parse("USD").unwrap());
    let other = world.store.write(|tx| prove_cash(tx, OWN, day, &BankDay { closing: dollars, lines: Vec::new() }));
    assert!(matches!(other, Err(CashProofError::CurrencyMismatch)));
    let first = world.proves(OWN, day, "512.00", &[line("B-1", "500.00"), line("B-2", "12.00")]).unwrap();
    // Told something else the second time, it stays what it was.
    let again = world.proves(OWN, day, "1.00", &[line("B-7", "1.00")]).unwrap();
    assert_eq!((first.id, first.bank_minor), (again.id, again.bank_minor));
    let counts = ["cash_proof", "cash_item"].map(|table| world.number(&format!("SELECT COUNT(*) AS value FROM {table}")));
    assert_eq!(counts, [1, 1]);
    world.proves(OWN, next, "512.00", &[]).unwrap();
    assert_eq!(ProofState::parse(&first.state), Some(ProofState::Proven));
    world.adds_up();
}

fn a_proof_that_was_altered_is_found(engine: Engine) {
    for (change, rule) in [
        ("UPDATE cash_proof SET ledger_minor = ledger_minor + 1, bank_minor = bank_minor + 1", "closed with what the ledger"),
        ("UPDATE cash_proof SET unmatched_receipts_minor = 0, bank_minor = bank_minor - 1200", "what a proof of cash names"),
        ("UPDATE cash_item SET amount_minor = amount_minor + 1", "what a proof of cash names"),
        ("UPDATE cash_proof SET bank_minor = bank_minor + 1", "what a proof of cash names"),
    ] {
        let world = World::on(engine);
        world.comes(Purpose::Capital, "500.00", "B-1");
        world.proven(OWN, "512.00", &[line("B-1", "500.00"), line("B-2", "12.00")]);
        world.database.as_owner(change).unwrap();
        let fault = world.sale_fault().unwrap_or_else(|| panic!("nothing noticed: {change}"));
        assert!(fault.rule.contains(rule), "{change}: {fault}");
    }
}
