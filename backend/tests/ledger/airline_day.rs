//! One airline's day as a file: what stands in it, that it ties to the ledger, and that it never changes again.

use crate::bank::said;
use crate::database::Engine;
use crate::world::{Anything, World, cny, rate};
use airsettle::agencies::{
    AirlineReturn, Clawback, CommissionBase, CostTerms, FeeOnRefund, NewAgency, NewContract, TaxRemitter, TenderOrder,
    open_agency, sign_contract,
};
use airsettle::catalogue::split::{Tax, split};
use airsettle::clock::Timestamp;
use airsettle::commission::{EarningPart, earnings};
use airsettle::credit::BankSaid;
use airsettle::ids::{AirlineId, Id};
use airsettle::interchange::airline_day::Column;
use airsettle::ledger::{next_or_last_entry, seal_pending};
use airsettle::money::{Currency, Money};
use airsettle::reconciliation::{AirlineDay, DayFile, ExportError, keep_export, read_again, write_day};
use airsettle::settlement::{NewReceipt, Purpose};
use airsettle::ticketing::{IssueOrder, IssuedOrder};
use chrono::NaiveDate;
use std::collections::BTreeMap;

on_both_engines!(
    the_file_of_a_day_is_the_golden_one,
    a_closed_day_is_the_same_to_the_byte_after_later_voids_and_payments,
    a_day_is_refused_until_it_is_over_and_sealed,
    midnight_is_the_operators,
    a_day_without_events_has_totals_of_nothing,
    a_ticket_that_leaves_the_airline_nothing_is_in_the_file,
    a_day_of_more_than_one_page_has_every_ticket_once,
    another_airlines_day_has_none_of_it,
    a_file_that_does_not_tie_is_not_handed_out,
    a_line_that_was_changed_after_the_first_export_is_noticed,
    an_entry_beside_a_day_is_found_from_the_account,
);

const ZONE: chrono_tz::Tz = chrono_tz::Asia::Shanghai;

pub fn day(date: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2035, 3, date).unwrap()
}

/// A world on a morning of 2035 (Shanghai), ready to sell.
pub fn world_on(engine: Engine) -> World {
    let world = World::trading(engine);
    world.clock_stands(1, 2, 0);
    world
}

impl World {
    /// The clock is set to a time in March 2035, UTC.
    pub fn clock_stands(&self, date: u32, hour: u32, minute: u32) {
        self.clock.set(Timestamp::from(day(date).and_hms_opt(hour, minute, 0).unwrap())).unwrap();
    }

    fn seals_everything(&self) {
        while !self.write(|tx| Ok(seal_pending(tx)?)).is_empty() {}
    }

    pub fn day_of(&self, airline: AirlineId, date: u32) -> Result<(String, DayFile), ExportError> {
        let of = AirlineDay::closed(airline, day(date), self.clock.now(), ZONE)?;
        let mut out = Vec::new();
        let file = self.store.snapshot(|db| write_day(db, of, &mut out))?;
        Ok((String::from_utf8(out).unwrap(), file))
    }

    /// The airline's file of a day that must be over.
    pub fn exports(&self, date: u32) -> (String, DayFile) {
        self.seals_everything();
        self.day_of(self.airline, date).unwrap()
    }

    /// A later departure than any day of these tests.
    fn on_time(&self, mut order: IssueOrder) -> IssueOrder {
        for coupon in order.tickets.iter_mut().flat_map(|ticket| &mut ticket.coupons) {
            coupon.departing_at = day(20).and_hms_opt(8, 30, 0).unwrap();
            coupon.arriving_at = day(20).and_hms_opt(10, 40, 0).unwrap();
        }
        order
    }

    pub fn sells_on_time(&self, order: impl Into<IssueOrder>) -> IssuedOrder {
        self.sells(self.on_time(order.into()))
    }

    /// The bank pays what is left of an order's advance, and says so at that very second.
    pub fn bank_pays(&self, order: &IssuedOrder, reference: &str) {
        if let Some(sent) = self.sends(&self.advance_of(order)) {
            let credited_at = Timestamp::from(day(1).and_hms_opt(2, 0, 5).unwrap());
            let amount = sent.amount.checked_sub(sent.set_off).unwrap();
            let settled = BankSaid::Settled { amount, credited_at, bank_reference: reference.into() };
            assert_eq!(self.bank_says(&[said(&sent, settled)]).len(), 1);
        }
    }

    /// An agency in New York that sells from its wallet of yen: its day is not the operator's.
    fn opens_yen_agency(&mut self) -> IssueOrder {
        let (seller, jpy) = (self.seller, Currency::parse("JPY").unwrap());
        let (agency, contract) = self.write(|tx| {
            let new = NewAgency {
                organisation: seller,
                numeric_code: "57231075".into(),
                name: "Blue Sky New York".into(),
                country: "US".into(),
                zone: chrono_tz::America::New_York,
                currency: jpy,
                tender_order: TenderOrder::WalletOnly,
            };
            let agency = open_agency(tx, new)?.id;
            let terms = NewContract {
                agency,
                airline: None,
                currency: jpy,
                effective_from: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
                commission_rate: rate("0.03"),
                commission_base: CommissionBase::Price,
                fee_rate: rate("0.005"),
                tax_remitter: TaxRemitter::Platform,
                payment_days: 7,
                payment: airsettle::agencies::PaymentTerms::default(),
                clawback: Clawback::Full,
                fee_on_refund: FeeOnRefund::Refunded,
                airline_return: AirlineReturn::SetOff,
                costs: CostTerms::default(),
            };
            Ok::<_, Anything>((agency, sign_contract(tx, &terms)?))
        });
        let purpose = Purpose::Wallet(agency);
        let (account, value_date) = (purpose.purse(), self.today());
        let amount = Money::parse("100000", jpy).unwrap();
        self.receives(&NewReceipt { account, amount, value_date, bank_reference: "YEN-1".into(), purpose }).unwrap();
        let mut order = self.order().by_wallet().in_currency("JPY").build();
        (order.agency, order.contract) = (agency, contract.id);
        self.contracts.insert(agency, contract);
        order
    }

    /// Two coupons, three taxes, one of them the carrier's own, and a payee that a spreadsheet would run.
    fn order_with_many_parts(&self) -> IssueOrder {
        let mut order = self.order().by_wallet().build();
        let tax = |code: &str, payee: &str, amount| Tax { code: code.into(), payee: payee.into(), amount: cny(amount) };
        let taxes = vec![tax("CN", "CAAC", "50.00"), tax("YQ", "CA", "60.00"), tax("XT", "=HYPERLINK(\"//x\",\"\")", "1.01")];
        let ticket = &mut order.tickets[0];
        ticket.split = split(ticket.base, &taxes, "CA", &self.contracts[&self.prepaid]).unwrap();
        ticket.taxes = taxes;
        let mut second = ticket.coupons[0].clone();
        (ticket.coupons[0].base_minor, second.base_minor) = (47_499, 47_501);
        let payout = self.contracts[&self.prepaid].commission();
        let parts = [47_499, 47_501].map(|minor| EarningPart { fare: Money::new(minor, Currency::CNY), payout });
        let earned = earnings(ticket.split.price, &parts).unwrap();
        (ticket.coupons[0].commission_minor, second.commission_minor) = (earned[0].amount.minor, earned[1].amount.minor);
        (second.origin, second.destination, second.flight_number) = ("SHA".into(), "PEK".into(), 1_502);
        ticket.coupons.push(second);
        order.seats[0].seats = 2;
        order
    }
}

/// The lines by the names of their columns.
pub fn records(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}

pub fn kinds(text: &str) -> Vec<String> {
    records(text).iter().map(|record| record["record_type"].clone()).collect()
}

/// What differs from run to run is given names: ids in the order in which they appear, times of booking, heads of the chain.
fn without_chance(text: &str) -> String {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let headers = reader.headers().unwrap().clone();
    writer.write_record(&headers).unwrap();
    let mut known: Vec<String> = Vec::new();
    for record in reader.records() {
        let record = record.unwrap();
        let cells = headers.iter().zip(record.iter()).map(|(column, cell)| match column {
            "booked_at" if !cell.is_empty() => "(time)".to_owned(),
            "posting_id" | "payment_reference" if !cell.is_empty() => {
                if !known.iter().any(|id| id == cell) {
                    known.push(cell.to_owned());
                }
                let place = known.iter().position(|id| id == cell).unwrap();
                format!("({column} {place})")
            }
            "detail" if record.get(0) == Some("chain_head") => {
                let parts: Vec<&str> = cell.split(' ').collect();
                assert_eq!((parts.len(), parts[2].len()), (3, 64));
                format!("{} {} (head)", parts[0], parts[1])
            }
            _ => cell.to_owned(),
        });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

fn the_file_of_a_day_is_the_golden_one(engine: Engine) {
    let mut world = world_on(engine);
    let yen = world.opens_yen_agency();
    let paid = world.sells_on_time(world.order());
    world.bank_pays(&paid, "B-1");
    world.sells_on_time(world.order_with_many_parts());
    let yen = world.sells_on_time(yen);
    world.bank_pays(&yen, "-B-2");
    world.voids(&paid);
    let next = world.sells_on_time(world.order().fare(cny("450.00")));
    world.bank_pays(&next, "B-3");
    world.receives(&world.receipt(Purpose::AirlineRepayment(world.airline), "400.00")).unwrap();
    let kept = world.sells_on_time(world.order().by_wallet().flown_by("DZ", 'K'));
    world.bank_pays(&kept, "B-4");
    world.refunds_as(&crate::refunds::wish(&kept, airsettle::ticketing::RefundKind::Voluntary)).unwrap();
    let taxes = world.sells_on_time(world.order());
    world.refunds_as(&crate::refunds::wish(&taxes, airsettle::ticketing::RefundKind::TaxOnly)).unwrap();
    let changed = world.sells_on_time(world.order());
    world.bank_pays(&changed, "B-5");
    world.exchanges_on_time(&changed, "1150.00", "50.00");
    world.clock_stands(2, 2, 0);
    let (text, file) = world.exports(1);

    let lines = text.strip_suffix("\r\n").unwrap().split("\r\n").count();
    assert_eq!(i64::try_from(lines).unwrap(), file.rows + 1);
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/golden/airline_day.csv");
    let found = without_chance(&text.replace(&bank_reference_of_receipt(&text), "(receipt)"));
    if std::env::var_os("AIRSETTLE_WRITE_GOLDEN").is_some() {
        std::fs::write(golden, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(golden).unwrap());

    // The totals are the ledger's own balances.
    let balances = world.balances();
    for total in &file.totals {
        let currency = Currency::parse(&total.currency).unwrap();
        for (code, of) in [("airline.payable", total.payable), ("airline.receivable", total.receivable)] {
            let balance = Money::new(of.closing, currency);
            let line = format!("{code} {balance}");
            assert!(of.closing == 0 || balances.contains(&line), "{line} is not in {balances:?}");
        }
    }
    assert_eq!(file.totals.iter().map(|total| total.currency.as_str()).collect::<Vec<_>>(), ["CNY", "JPY"]);
    world.adds_up();
}

fn bank_reference_of_receipt(text: &str) -> String {
    let repayment = records(text).into_iter().find(|record| record["record_type"] == "repayment").unwrap();
    repayment[Column::BankReference.text()].clone()
}

fn a_closed_day_is_the_same_to_the_byte_after_later_voids_and_payments(engine: Engine) {
    let mut world = world_on(engine);
    let yen = world.opens_yen_agency();
    // Evening in Shanghai, morning in New York.
    world.clock_stands(1, 13, 0);
    let unpaid = world.sells_on_time(world.order());
    let yen = world.sells_on_time(yen);
    // Past midnight in Shanghai, still the day of issue in New York.
    world.clock_stands(1, 16, 30);
    let first = world.exports(1);
    let known = world.write(|tx| Ok(keep_export(tx, AirlineDay { airline: world.airline, date: day(1) }, &first.1)?));
    world.bank_pays(&unpaid, "B-9");
    world.voids(&yen);
    assert_eq!(world.exports(1), first);
    assert_eq!(
        kinds(&first.0),
        [
            "sale",
            "sale_tax",
            "sale_coupon",
            "sale",
            "sale_tax",
            "sale_coupon",
            "total",
            "balance",
            "balance",
            "total",
            "balance",
            "balance",
            "chain_head"
        ]
    );
    world.clock_stands(2, 16, 30);
    let second = world.exports(2);
    assert_eq!(kinds(&second.0)[..3], ["advance_confirmed", "void", "void_tax"]);
    for (today, before) in second.1.totals.iter().zip(&first.1.totals) {
        assert_eq!((today.payable.opening, today.receivable.opening), (before.payable.closing, before.receivable.closing));
    }
    assert_eq!(world.exports(1), first);
    let mut again = world.store.snapshot(|db| read_again(db, &known)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut again, &mut text).unwrap();
    assert_eq!(text, first.0);
    let (text, file) = first;
    assert_eq!((file.bytes, file.sha256), (i64::try_from(text.len()).unwrap(), sha256(&text)));
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(text.as_bytes()))
}

fn a_day_is_refused_until_it_is_over_and_sealed(engine: Engine) {
    let world = world_on(engine);
    world.sells_on_time(world.order().by_wallet());
    let refused = |date| world.day_of(world.airline, date).unwrap_err();
    assert!(matches!(refused(1), ExportError::NotOver(_)));
    // A commit that began before midnight may still be under way.
    world.clock_stands(1, 16, 0);
    assert!(matches!(refused(1), ExportError::NotOver(_)));
    world.clock_stands(1, 16, 2);
    assert!(matches!(refused(1), ExportError::NotSealed(_)));
    world.seals_everything();
    world.day_of(world.airline, 1).unwrap();
    world.sells_on_time(world.order().by_wallet());
    world.day_of(world.airline, 1).expect("what is not sealed is of another day");
}

fn midnight_is_the_operators(engine: Engine) {
    let world = world_on(engine);
    world.clock_stands(1, 15, 58);
    let before = world.sells_on_time(world.order().by_wallet());
    world.clock_stands(1, 16, 0);
    let after = world.sells_on_time(world.order().by_wallet().tickets(2));
    world.clock_stands(3, 2, 0);
    let numbers = |date| -> Vec<String> {
        let lines = records(&world.exports(date).0);
        lines.iter().filter(|line| line["record_type"] == "sale").map(|line| line["ticket_number"].clone()).collect()
    };
    let of = |order: &IssuedOrder| order.tickets.iter().map(|ticket| ticket.number.clone()).collect::<Vec<_>>();
    assert_eq!((numbers(1), numbers(2)), (of(&before), of(&after)));
}

fn a_day_without_events_has_totals_of_nothing(engine: Engine) {
    let world = world_on(engine);
    world.sells_on_time(world.order().by_wallet());
    world.clock_stands(3, 2, 0);
    let (text, file) = world.exports(2);
    assert_eq!(kinds(&text), ["total", "balance", "balance", "chain_head"]);
    let [total] = &file.totals[..] else { panic!("one currency") };
    assert_eq!((total.legs, total.payable.change), (Default::default(), 0));
    assert_eq!((total.payable.opening, total.payable.closing), (91_500, 91_500));
    world.sells_on_time(world.order().by_wallet());
    assert_eq!(world.exports(2), (text, file), "what came after does not show");
    // The day of the first sale opens with nothing.
    let (text, file) = world.day_of(world.airline, 1).unwrap();
    assert_eq!((kinds(&text)[0].as_str(), file.totals[0].payable.opening), ("sale", 0));
}

fn a_ticket_that_leaves_the_airline_nothing_is_in_the_file(engine: Engine) {
    let world = world_on(engine);
    world.sells_on_time(world.order());
    let silent = world.sells_on_time(world.order().fare(cny("1.81")));
    world.sells_on_time(world.order());
    world.clock_stands(2, 2, 0);
    let (text, file) = world.exports(1);
    let lines = records(&text);
    let sales: Vec<_> = lines.iter().filter(|line| line["record_type"] == "sale").collect();
    assert_eq!(sales.len(), 3);
    assert_eq!((&sales[1]["ticket_number"], sales[1]["airline_share"].as_str()), (&silent.tickets[0].number, "0.00"));
    assert_eq!((sales[1]["price"].as_str(), file.totals[0].legs.price), ("51.81", 205_181));
}

/// Pages are of 2,000 entries; some tickets between them leave the airline nothing.
fn a_day_of_more_than_one_page_has_every_ticket_once(engine: Engine) {
    let world = world_on(engine);
    let mut sold = Vec::new();
    for _ in 0..12 {
        for order in
            [world.order().by_wallet().fare(cny("100.00")).tickets(190), world.order().by_wallet().fare(cny("1.81")).tickets(2)]
        {
            sold.extend(world.sells_on_time(order).tickets.iter().map(|ticket| ticket.number.clone()));
        }
    }
    world.clock_stands(2, 2, 0);
    let (text, file) = world.exports(1);
    let sales = records(&text).into_iter().filter(|line| line["record_type"] == "sale");
    assert_eq!(sales.map(|line| line["ticket_number"].clone()).collect::<Vec<_>>(), sold);
    assert_eq!(file.totals[0].legs.price, 12 * (190 * 15_000 + 2 * 5_181));
}

fn another_airlines_day_has_none_of_it(engine: Engine) {
    use airsettle::airlines::{NewAirline, sign_airline};
    let world = world_on(engine);
    world.sells_on_time(world.order());
    let organisation = world.seller;
    let other = world.write(|tx| {
        let new = NewAirline {
            organisation,
            iata_code: "MU".into(),
            accounting_code: "781".into(),
            name: "China Eastern".into(),
            country: "CN".into(),
            payee_account: "6222000000000002".into(),
            payee_name: "China Eastern".into(),
        };
        Ok(sign_airline(tx, new)?.id)
    });
    world.clock_stands(2, 2, 0);
    world.seals_everything();
    let (text, file) = world.day_of(other, 1).unwrap();
    assert_eq!((kinds(&text), file.totals), (vec!["chain_head".to_owned()], vec![]));
}

fn a_file_that_does_not_tie_is_not_handed_out(engine: Engine) {
    let world = world_on(engine);
    let order = world.sells_on_time(world.order_with_many_parts());
    world.sells_on_time(world.order().tickets(2));
    world.clock_stands(2, 2, 0);
    world.exports(1);
    let refuses = |words: &str| {
        let refused = world.day_of(world.airline, 1).unwrap_err();
        assert!(matches!(&refused, ExportError::DoesNotTie(why) if why.contains(words)), "{refused}");
    };
    let changed = |table: &str, what: &str, by: i64| {
        let key = if table == "ticket" { "id" } else { "ticket_id" };
        let id = order.tickets[0].id;
        let change = format!("UPDATE {table} SET {what} = {what} + {by} WHERE {key} = {id}");
        world.database.as_owner(&change).unwrap();
    };
    for (table, what, words) in [("coupon", "base_minor", "coupons of ticket"), ("ticket_tax", "minor", "taxes of ticket")] {
        changed(table, what, 1);
        refuses(words);
        changed(table, what, -1);
    }
    world.exports(1);
    world.database.as_owner("UPDATE ticket SET airline_minor = airline_minor + 1, fee_minor = fee_minor - 1").unwrap();
    refuses("share is not what ticket_sale booked");
    world.database.as_owner("UPDATE ticket SET airline_minor = airline_minor - 1, fee_minor = fee_minor + 1").unwrap();
    let payable = "SELECT id FROM account WHERE code = 'airline.payable'";
    let copy = "CREATE TABLE kept AS SELECT * FROM entry";
    world.database.tamper("entry", copy);
    for version in 1..=3 {
        let delete = format!("DELETE FROM entry WHERE version = {version} AND account_id IN ({payable})");
        world.database.as_owner(&delete).unwrap();
        refuses("airline.payable");
        world.database.as_owner("DELETE FROM entry; INSERT INTO entry SELECT * FROM kept").unwrap();
    }
    world.exports(1);
    let lower = format!("UPDATE entry SET amount_minor = amount_minor + 1 WHERE version = 2 AND account_id IN ({payable})");
    world.database.as_owner(&lower).unwrap();
    refuses("share is not what ticket_sale booked");
}

fn a_line_that_was_changed_after_the_first_export_is_noticed(engine: Engine) {
    let world = world_on(engine);
    world.sells_on_time(world.order());
    world.clock_stands(2, 2, 0);
    let (_, file) = world.exports(1);
    let known = world.write(|tx| Ok(keep_export(tx, AirlineDay { airline: world.airline, date: day(1) }, &file)?));
    world.store.snapshot(|db| read_again(db, &known).map(drop)).unwrap();
    world.database.as_owner("UPDATE coupon SET flight_number = flight_number + 1").unwrap();
    let refused = world.store.snapshot(|db| read_again(db, &known).map(drop)).unwrap_err();
    assert!(matches!(&refused, ExportError::DoesNotTie(why) if why.contains(&file.sha256)), "{refused}");
}

fn an_entry_beside_a_day_is_found_from_the_account(engine: Engine) {
    use airsettle::ledger::{AccountCode, accounts_of};
    let world = world_on(engine);
    for _ in 0..3 {
        world.sells_on_time(world.order());
    }
    world.voids(&world.sells_on_time(world.order()));
    let accounts = world.read(|db| accounts_of(db, &[world.airline.raw()]));
    let payable = accounts.iter().find(|row| row.account_code().unwrap() == AccountCode::AirlinePayable).unwrap();
    let version = |after: i64| world.read(|db| next_or_last_entry(db, payable, after)).map(|entry| (entry.id, entry.version));
    let (first, one) = version(0).unwrap();
    assert_eq!(one, 1);
    assert_eq!(version(first).unwrap().1, 2, "the next one above");
    assert_eq!(version(payable.last_entry_id).unwrap().1, 5, "there is none above: the last one");
    assert_eq!(version(i64::MAX).unwrap().1, 5);
    let unmoved = airsettle::ledger::AccountRow { last_entry_id: 0, ..payable.clone() };
    assert!(world.read(|db| next_or_last_entry(db, &unmoved, 0)).is_none());
}
