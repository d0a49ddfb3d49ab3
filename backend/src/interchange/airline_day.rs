//! One airline's day as one flat CSV table: UTF-8, RFC 4180 with CRLF, one header line.
//!
//! One table with a `record_type` in front, not a section per kind of record: a spreadsheet loads it with one click, a filter on the first column
//! gives each list, and a pivot over currency and record type gives every total; a file of sections would have to be cut by hand first. Cells that a
//! record type has no use for are empty. Records stand in the order in which they were booked, totals at the end.
//!
//! Amounts are decimal strings with as many decimals as the currency has, times RFC 3339 in UTC. A text that a spreadsheet would run as a formula is
//! preceded by an apostrophe; amounts are not, so that negative ones stay numbers.

use crate::clock::Timestamp;
use crate::money::Currency;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

macro_rules! columns {
    ($($name:ident $text:literal $meaning:literal;)+) => {
        /// The columns, in their order. A new one is added at the end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Column { $(#[doc = $meaning] $name),+ }
        impl Column {
            pub const ALL: &'static [Column] = &[$(Column::$name),+];
            pub fn text(self) -> &'static str { match self { $(Column::$name => $text),+ } }
            pub fn meaning(self) -> &'static str { match self { $(Column::$name => $meaning),+ } }
            fn place(self) -> usize { Column::ALL.iter().position(|column| *column == self).unwrap_or_default() }
        }
    };
}

macro_rules! records {
    ($($name:ident $text:literal $meaning:literal;)+) => {
        /// What a line is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum RecordType { $(#[doc = $meaning] $name),+ }
        impl RecordType {
            pub const ALL: &'static [RecordType] = &[$(RecordType::$name),+];
            pub fn text(self) -> &'static str { match self { $(RecordType::$name => $text),+ } }
            pub fn meaning(self) -> &'static str { match self { $(RecordType::$name => $meaning),+ } }
        }
    };
}

records! {
    Sale "sale" "a ticket sold on the day, with the legs of its price";
    SaleTax "sale_tax" "one tax of the ticket in the sale above it";
    SaleCoupon "sale_coupon" "one coupon of the ticket in the sale above it, as it was issued";
    Void "void" "a ticket voided on the day: the legs of its sale with the sign turned";
    VoidTax "void_tax" "one tax of the ticket in the void above it, with the sign turned";
    Refund "refund" "what was refunded of a ticket on the day: price is what came back, base_fare without what was kept; signs as of a void";
    RefundCoupon "refund_coupon" "one coupon of the refund above it: its share of the base fare, with the sign turned";
    RefundTax "refund_tax" "one tax that came back with the refund above it, with the sign turned";
    Exchange "exchange" "a ticket issued on the day for another one that was given in, with the legs of its price; amount is the add-collect";
    ExchangeTax "exchange_tax" "one tax of the ticket in the exchange above it";
    ExchangeCoupon "exchange_coupon" "one coupon of the ticket in the exchange above it, as it was issued";
    ExchangeVoid "exchange_void" "an exchange that was taken back on the day: the lines of the exchange with the sign turned";
    ExchangeVoidTax "exchange_void_tax" "one tax of the ticket in the exchange_void above it, with the sign turned";
    GivenIn "given_in" "what the ticket given in for the exchange above it was worth: its legs with the sign turned, or of an exchange_void with their own sign";
    GivenInCoupon "given_in_coupon" "one coupon of the given_in above it: its share of the base fare, with the same sign";
    ChangePenalty "change_penalty" "what the airline gets for the change in the exchange above it, as a fare: price, base_fare and airline_share";
    AdvanceConfirmed "advance_confirmed" "the bank confirmed that it paid the airline for a ticket";
    ReclaimDropped "reclaim_dropped" "a payment that was under way when its ticket was voided or refunded turned out never to be paid";
    SetOff "set_off" "a claim on the airline for a voided, refunded or given in ticket, for an incentive that it funds or a memo that grants something, was set off against what was due for another ticket";
    Repayment "repayment" "the airline paid money back";
    Adm "adm" "what the airline claimed from an agency was decided for it: detail is the memo";
    Acm "acm" "what the airline granted an agency was decided, and it has to give it back: detail is the memo";
    MemoPayment "memo_payment" "the airline was paid what its memos claimed";
    Other "other" "any other event that moved the airline's accounts; detail names it";
    Total "total" "per currency: the sum of the lines above with a price, and what the day changed";
    Balance "balance" "per currency and ledger account: opening + change = closing";
    ChainHead "chain_head" "a head of the ledger's chain that closes the day: detail is node, height and SHA-256";
}

columns! {
    RecordType "record_type" "what the line is about";
    LedgerDate "ledger_date" "the day, in the operator's time zone";
    BookedAt "booked_at" "when the event was booked";
    PostingId "posting_id" "the posting in the ledger that booked it";
    TicketNumber "ticket_number" "13 digits: keep it as text, leading zeros matter; of a set_off the ticket that was voided, refunded or given in";
    AgainstTicketNumber "against_ticket_number" "of a set_off: the ticket for which less was paid; of an exchange, an exchange_void and a change_penalty: the ticket given in; of a given_in: the ticket issued for it";
    Currency "currency" "ISO 4217";
    Price "price" "tickets and total: what the passenger's ticket costs = base_fare + tax_total";
    BaseFare "base_fare" "tickets and total: fare without taxes";
    TaxTotal "tax_total" "tickets and total: all taxes";
    AirlineShare "airline_share" "tickets and total: what the airline is owed = price - authorities - commission - fee";
    Authorities "authorities" "tickets and total: the taxes that the platform remits";
    Commission "commission" "tickets and total: the agency's commission";
    Fee "fee" "tickets and total: the platform's fee";
    Amount "amount" "taxes: the tax; coupons: the coupon's share of the base fare; refund: what of the fare was kept; exchange and exchange_void: the add-collect, price of the new ticket + penalty - worth of the ticket given in, negative where something came back; change_penalty: the penalty; other events: what was paid, set off or paid back";
    TaxCode "tax_code" "taxes: CN, YQ …";
    TaxPayee "tax_payee" "taxes: who is owed it";
    TaxRemitter "tax_remitter" "taxes: platform or airline, whoever pays it over";
    CouponNumber "coupon_number" "coupons: 1 to 4";
    Flight "flight" "coupons: carrier and number";
    Origin "origin" "coupons: IATA code";
    Destination "destination" "coupons: IATA code";
    FlightDate "flight_date" "coupons: date of departure, local";
    BookingClass "booking_class" "coupons: one letter";
    FareBasis "fare_basis" "coupons: fare basis code";
    PaymentReference "payment_reference" "advance_confirmed: our reference of the attempt at the bank";
    BankReference "bank_reference" "advance_confirmed, repayment and memo_payment: the bank's own reference";
    CreditedAt "credited_at" "advance_confirmed: when the bank says that it credited the airline";
    ValueDate "value_date" "repayment and memo_payment: the bank's value date";
    PayableChange "payable_change" "events and total: the change of airline.payable, what the airline is owed; positive: more";
    ReceivableChange "receivable_change" "events and total: the change of airline.receivable, what the airline has to give back; positive: more";
    Account "account" "balance: airline.payable or airline.receivable";
    Opening "opening_balance" "balance: before the day's first event";
    Change "change" "balance: the sum of the day's changes in the lines above";
    Closing "closing_balance" "balance: after the day's last event";
    Detail "detail" "refund: its kind; set_off: incentive or memo where it was no ticket; adm, acm, other and chain_head: see there";
}

/// One record. Cells that are not set stay empty.
#[derive(Clone, Debug)]
pub struct Line(Vec<String>);

impl Line {
    pub fn new(record: RecordType, day: NaiveDate) -> Self {
        let line = Line(vec![String::new(); Column::ALL.len()]);
        line.set(Column::RecordType, record.text().to_owned()).date(Column::LedgerDate, day)
    }

    fn set(mut self, column: Column, text: String) -> Self {
        if let Some(cell) = self.0.get_mut(column.place()) {
            *cell = text;
        }
        self
    }

    #[must_use]
    pub fn text(self, column: Column, text: &str) -> Self {
        self.set(column, defused(text))
    }

    #[must_use]
    pub fn amount(self, column: Column, minor: i64, currency: Currency) -> Self {
        self.set(column, currency.decimal(minor.into()))
    }

    /// Several at once.
    #[must_use]
    pub fn amounts<const N: usize>(self, amounts: [(Column, i64); N], currency: Currency) -> Self {
        amounts.into_iter().fold(self, |line, (column, minor)| line.amount(column, minor, currency))
    }

    #[must_use]
    pub fn whole(self, column: Column, number: i64) -> Self {
        self.set(column, number.to_string())
    }

    #[must_use]
    pub fn date(self, column: Column, date: NaiveDate) -> Self {
        self.set(column, date.to_string())
    }

    #[must_use]
    pub fn time(self, column: Column, at: Timestamp) -> Self {
        self.set(column, at.to_string())
    }
}

/// A spreadsheet runs a cell that begins like this; behind an apostrophe it shows it.
pub(super) fn defused(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Lines under the header.
    pub rows: i64,
    pub bytes: i64,
    /// Hexadecimal SHA-256 of all bytes.
    pub sha256: String,
}

/// Writes a day line by line; holds no more than the line under way.
pub struct DayWriter<W: Write> {
    csv: csv::Writer<Hashed<W>>,
    rows: i64,
}

impl<W: Write> DayWriter<W> {
    /// Writes the header.
    pub fn new(out: W) -> io::Result<Self> {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Hashed::new(out));
        csv.write_record(Column::ALL.iter().map(|column| column.text()))?;
        Ok(DayWriter { csv, rows: 0 })
    }

    pub fn write(&mut self, line: &Line) -> io::Result<()> {
        self.csv.write_record(&line.0)?;
        self.rows += 1;
        Ok(())
    }

    pub fn finish(self) -> io::Result<Written> {
        Hashed::written(self.csv, self.rows)
    }
}

/// Counts and digests what goes through it.
pub(super) struct Hashed<W> {
    out: W,
    hash: Sha256,
    bytes: i64,
}

impl<W: Write> Hashed<W> {
    pub(super) fn new(out: W) -> Self {
        Hashed { out, hash: Sha256::new(), bytes: 0 }
    }

    pub(super) fn written(csv: csv::Writer<Self>, rows: i64) -> io::Result<Written> {
        let mut hashed = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
        hashed.flush()?;
        Ok(Written { rows, bytes: hashed.bytes, sha256: hex::encode(hashed.hash.finalize()) })
    }
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(i64::try_from(written).unwrap_or(i64::MAX));
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn written(lines: &[Line]) -> (String, Written) {
        let mut out = Vec::new();
        let mut writer = DayWriter::new(&mut out).unwrap();
        lines.iter().for_each(|line| writer.write(line).unwrap());
        let written = writer.finish().unwrap();
        (String::from_utf8(out).unwrap(), written)
    }

    fn cell(text: &str, column: Column) -> String {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let record = reader.records().next().unwrap().unwrap();
        record.get(column.place()).unwrap().to_owned()
    }

    #[test]
    fn lines_end_in_crlf_and_the_digest_is_of_every_byte() {
        let jpy = crate::money::Currency::parse("JPY").unwrap();
        let line = Line::new(RecordType::Sale, day()).amount(Column::Price, -1_000, jpy).text(Column::TaxPayee, "A, \"B\"");
        let (text, written) = written(&[line]);
        assert_eq!(text.matches("\r\n").count(), 2);
        assert_eq!(text.matches('\n').count(), 2);
        assert!(text.starts_with("record_type,ledger_date,booked_at,"));
        assert!(text.contains("\r\nsale,2026-11-22,,,,,,-1000,") && text.contains(",\"A, \"\"B\"\"\","), "{text}");
        assert_eq!((written.rows, written.bytes), (1, i64::try_from(text.len()).unwrap()));
        assert_eq!(written.sha256, hex::encode(Sha256::digest(text.as_bytes())));
    }

    #[test]
    fn a_text_that_a_spreadsheet_would_run_is_defused_and_an_amount_stays_a_number() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let line = Line::new(RecordType::Sale, day()).text(Column::BankReference, text);
            assert_eq!(cell(&written(&[line]).0, Column::BankReference), format!("'{text}"));
        }
        let line = Line::new(RecordType::Void, day()).amount(Column::Price, -100_000, Currency::CNY).text(Column::TaxCode, "CN=");
        let (text, _) = written(&[line]);
        assert_eq!((cell(&text, Column::Price), cell(&text, Column::TaxCode)), ("-1000.00".to_owned(), "CN=".to_owned()));
    }

    /// `fixtures/airline_day.csv` is what people read.
    #[test]
    fn the_documented_columns_and_record_types_are_those_that_are_written() {
        let documented = include_str!("../../../fixtures/airline_day.csv");
        let mut reader = csv::Reader::from_reader(documented.as_bytes());
        let rows: Vec<(String, String, String)> = reader.deserialize().map(Result::unwrap).collect();
        let row = |kind: &str, name: &str, meaning: &str| (kind.to_owned(), name.to_owned(), meaning.to_owned());
        let columns = Column::ALL.iter().map(|column| row("column", column.text(), column.meaning()));
        let records = RecordType::ALL.iter().map(|record| row("record_type", record.text(), record.meaning()));
        assert_eq!(rows, columns.chain(records).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(text in "\\PC{0,20}", other in "[ -~\r\n\t]{0,20}", minor: i64) {
            let line = Line::new(RecordType::Other, day()).text(Column::Detail, &text).text(Column::BankReference, &other);
            let (file, _) = written(&[line.amount(Column::Amount, minor, Currency::CNY)]);
            prop_assert_eq!(cell(&file, Column::Detail), defused(&text));
            prop_assert_eq!(cell(&file, Column::BankReference), defused(&other));
            prop_assert_eq!(cell(&file, Column::Amount), Currency::CNY.decimal(minor.into()));
        }
    }
}
