//! The file of a billing statement: UTF-8, RFC 4180 with CRLF, a header line, a line per ticket, refund and payment, and the total to remit.

use super::airline_day::Hashed;
pub use super::airline_day::Written;
use crate::money::Currency;
use chrono::NaiveDate;
use std::io::{self, Write};

const COLUMNS: [&str; 8] =
    ["kind", "document", "booking_reference", "date", "gross_amount", "commission_amount", "net_amount", "currency"];

pub struct BilledLine<'l> {
    pub kind: &'l str,
    pub document: &'l str,
    pub booking_reference: &'l str,
    pub date: NaiveDate,
    pub gross_minor: i64,
    pub commission_minor: i64,
}

/// Holds no more than the line under way.
pub struct StatementWriter<W: Write> {
    csv: csv::Writer<Hashed<W>>,
    currency: Currency,
    rows: i64,
    gross: i128,
    commission: i128,
}

impl<W: Write> StatementWriter<W> {
    /// Writes the header.
    pub fn new(out: W, currency: Currency) -> io::Result<Self> {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Hashed::new(out));
        csv.write_record(COLUMNS)?;
        Ok(StatementWriter { csv, currency, rows: 0, gross: 0, commission: 0 })
    }

    pub fn write(&mut self, line: &BilledLine) -> io::Result<()> {
        let (gross, commission) = (i128::from(line.gross_minor), i128::from(line.commission_minor));
        self.amounts([line.kind, line.document, line.booking_reference, &line.date.to_string()], gross, commission)?;
        self.rows += 1;
        self.gross += gross;
        self.commission += commission;
        Ok(())
    }

    fn amounts(&mut self, texts: [&str; 4], gross: i128, commission: i128) -> io::Result<()> {
        let amounts = [gross, commission, gross - commission].map(|minor| self.currency.decimal(minor));
        let texts = texts.into_iter().map(super::airline_day::defused);
        self.csv.write_record(texts.chain(amounts).chain([self.currency.code().to_owned()]))?;
        Ok(())
    }

    /// Writes the total. It is not counted as a row.
    pub fn finish(mut self) -> io::Result<Written> {
        self.amounts(["total", "", "", ""], self.gross, self.commission)?;
        let rows = self.rows;
        Hashed::written(self.csv, rows)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_what_it_adds_and_the_last_what_is_to_be_remitted() {
        let mut out = Vec::new();
        let mut writer = StatementWriter::new(&mut out, Currency::CNY).unwrap();
        let date = NaiveDate::from_ymd_opt(2026, 11, 15).unwrap();
        let line = |kind, document, gross_minor, commission_minor| BilledLine {
            kind,
            document,
            booking_reference: "ABC234",
            date,
            gross_minor,
            commission_minor,
        };
        writer.write(&line("sale", "9992100000000", 100_000, 3_000)).unwrap();
        writer.write(&line("refund", "=cmd()", -81_000, -3_000)).unwrap();
        let written = writer.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        let expected = "kind,document,booking_reference,date,gross_amount,commission_amount,net_amount,currency\r\n\
            sale,9992100000000,ABC234,2026-11-15,1000.00,30.00,970.00,CNY\r\n\
            refund,'=cmd(),ABC234,2026-11-15,-810.00,-30.00,-780.00,CNY\r\n\
            total,,,,190.00,0.00,190.00,CNY\r\n";
        assert_eq!((text.as_str(), written.rows, written.bytes), (expected, 2, i64::try_from(text.len()).unwrap()));
    }
}
