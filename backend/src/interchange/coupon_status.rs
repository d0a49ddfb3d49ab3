//! A file of coupon statuses as an airline sends it: UTF-8 CSV with a header line, one line per change in the order in which they happened, and a last line
//! that says how many there were, so that a file that was cut is noticed:
//!
//! ```text
//! ticket_number,coupon,status,happened_at,flight
//! 9992100000001,1,F,2026-11-22T04:10:00Z,CA1501
//! total,1,,,
//! ```
//!
//! A file is read twice: once to see that all of it is in order, then to act on it. Both times one line is in memory.

use crate::clock::Timestamp;
use chrono::DateTime;
use sha2::{Digest, Sha256};
use std::io::{self, Read};

pub const COLUMNS: [&str; 5] = ["ticket_number", "coupon", "status", "happened_at", "flight"];
pub const MOST_LINES: usize = 100_000;
/// A line has about 60 bytes.
pub const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The letters of the trade.
const STATUSES: &str = "ACEFGILOPRSUVXYZ";
const TOTAL: &str = "total";

/// One change of one coupon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine {
    /// In the file, the header being the first.
    pub line: u64,
    /// Thirteen digits.
    pub ticket_number: String,
    /// 1 to 4.
    pub coupon: u8,
    /// One capital letter.
    pub status: String,
    pub happened_at: Timestamp,
    /// `CA1501`, without leading zeros; `None` where the cell is empty.
    pub flight: Option<String>,
}

/// What a whole file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusFile {
    pub lines: usize,
    /// Hexadecimal SHA-256 of all bytes.
    pub sha256: String,
}

/// Why a file is refused, all of it.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct FileFault {
    pub line: u64,
    pub what: FaultKind,
}

#[derive(Debug, thiserror::Error)]
pub enum FaultKind {
    #[error("the header is not {}", COLUMNS.join(","))]
    Header,
    #[error("it does not have five cells of UTF-8 text")]
    Cells,
    #[error("a ticket number is 13 digits, with or without a hyphen behind the third")]
    TicketNumber,
    #[error("a coupon is 1 to 4")]
    Coupon,
    #[error("a status is one of the letters {STATUSES}")]
    Status,
    #[error("a time is written as 2026-11-22T04:10:00Z")]
    Time,
    #[error("a flight is written as CA1501")]
    Flight,
    #[error("a file has at most {MOST_LINES} lines")]
    TooManyLines,
    #[error("there are no lines between the header and the total")]
    Empty,
    #[error("the last line, total and the number of lines, is missing: the file was cut")]
    Cut,
    #[error("the total says {said} and there are {found} lines")]
    Total { said: String, found: usize },
    #[error("something stands behind the total")]
    BehindTotal,
    #[error("not readable: {0}")]
    Io(io::Error),
}

/// Reads line by line; after the first fault, or after the total, it ends.
pub struct StatusReader<R: Read> {
    csv: csv::Reader<R>,
    record: csv::StringRecord,
    begun: bool,
    ended: bool,
    lines: usize,
}

impl<R: Read> StatusReader<R> {
    pub fn new(input: R) -> Self {
        // Without quotes: none of the cells needs them, and one left open would swallow the rest of the file.
        let csv = csv::ReaderBuilder::new().has_headers(false).flexible(true).quoting(false).from_reader(input);
        StatusReader { csv, record: csv::StringRecord::new(), begun: false, ended: false, lines: 0 }
    }

    fn read(&mut self) -> Result<Option<StatusLine>, FileFault> {
        if !self.begun {
            self.begun = true;
            let there = self.advance()?;
            if !there || self.record.iter().ne(COLUMNS) {
                return Err(self.fault(FaultKind::Header));
            }
        }
        if !self.advance()? {
            return Err(self.fault(FaultKind::Cut));
        }
        if self.record.get(0) == Some(TOTAL) {
            return self.total().map(|()| None);
        }
        if self.lines == MOST_LINES {
            return Err(self.fault(FaultKind::TooManyLines));
        }
        self.lines += 1;
        line(&self.record, self.place()).map(Some).map_err(|what| self.fault(what))
    }

    fn total(&mut self) -> Result<(), FileFault> {
        let (said, empty) = (self.record.get(1).unwrap_or_default().to_owned(), self.record.iter().skip(2).all(str::is_empty));
        if self.lines == 0 {
            return Err(self.fault(FaultKind::Empty));
        }
        if said != self.lines.to_string() || !empty {
            return Err(self.fault(FaultKind::Total { said, found: self.lines }));
        }
        if self.advance()? {
            return Err(self.fault(FaultKind::BehindTotal));
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<bool, FileFault> {
        match self.csv.read_record(&mut self.record) {
            Ok(true) if self.record.len() == COLUMNS.len() => Ok(true),
            Ok(true) => Err(self.fault(FaultKind::Cells)),
            Ok(false) => Ok(false),
            Err(error) => Err(match error.into_kind() {
                csv::ErrorKind::Io(error) => self.fault(FaultKind::Io(error)),
                _ => FileFault { line: self.csv.position().line(), what: FaultKind::Cells },
            }),
        }
    }

    fn place(&self) -> u64 {
        self.record.position().map_or(1, csv::Position::line)
    }

    fn fault(&self, what: FaultKind) -> FileFault {
        let line = if matches!(what, FaultKind::Cut) { self.csv.position().line() } else { self.place() };
        FileFault { line, what }
    }
}

impl<R: Read> Iterator for StatusReader<R> {
    type Item = Result<StatusLine, FileFault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

fn line(record: &csv::StringRecord, line: u64) -> Result<StatusLine, FaultKind> {
    let cell = |place: usize| record.get(place).unwrap_or_default();
    let coupon = match cell(1).as_bytes() {
        [digit @ b'1'..=b'4'] => digit - b'0',
        _ => return Err(FaultKind::Coupon),
    };
    let status = cell(2);
    if status.len() != 1 || !STATUSES.contains(status) {
        return Err(FaultKind::Status);
    }
    let happened_at = DateTime::parse_from_rfc3339(cell(3)).map_err(|_| FaultKind::Time)?;
    Ok(StatusLine {
        line,
        ticket_number: ticket_number(cell(0)).ok_or(FaultKind::TicketNumber)?,
        coupon,
        status: status.to_owned(),
        happened_at: Timestamp::from(happened_at.to_utc()),
        flight: if cell(4).is_empty() { None } else { Some(flight(cell(4)).ok_or(FaultKind::Flight)?) },
    })
}

fn ticket_number(text: &str) -> Option<String> {
    let plain = match text.split_once('-') {
        Some((code, document)) if code.len() == 3 => format!("{code}{document}"),
        _ => text.to_owned(),
    };
    (plain.len() == 13 && plain.bytes().all(|byte| byte.is_ascii_digit())).then_some(plain)
}

/// `CA0123` means `CA123`.
fn flight(text: &str) -> Option<String> {
    let (carrier, number) = text.split_at_checked(2)?;
    let designator = carrier.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let digits = (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u16 = number.parse().ok()?;
    (designator && digits && number > 0).then(|| format!("{carrier}{number}"))
}

/// Reads a whole file and answers what it is, or the first fault.
pub fn check<R: Read>(input: R) -> Result<StatusFile, FileFault> {
    let mut hashed = Hashed { input, hash: Sha256::new() };
    let mut lines = 0;
    let mut reader = StatusReader::new(&mut hashed);
    for line in reader.by_ref() {
        line?;
        lines += 1;
    }
    Ok(StatusFile { lines, sha256: hex::encode(hashed.hash.finalize()) })
}

struct Hashed<R> {
    input: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.hash.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "ticket_number,coupon,status,happened_at,flight\n";

    fn fault(text: &str) -> (u64, String) {
        let fault = check(text.as_bytes()).unwrap_err();
        (fault.line, format!("{:?}", fault.what).split([' ', '(']).next().unwrap().to_owned())
    }

    fn file(lines: &[&str]) -> String {
        format!("{HEADER}{}total,{},,,\n", lines.iter().map(|line| format!("{line}\n")).collect::<String>(), lines.len())
    }

    #[test]
    fn a_file_is_read_line_by_line_and_known_by_its_digest() {
        let text = file(&["999-2100000001,1,A,2026-11-22T10:00:00+08:00,CA0150", "9992100000001,2,F,2026-11-22T04:10:00Z,"]);
        let lines: Vec<StatusLine> = StatusReader::new(text.as_bytes()).map(Result::unwrap).collect();
        let first = StatusLine {
            line: 2,
            ticket_number: "9992100000001".into(),
            coupon: 1,
            status: "A".into(),
            happened_at: Timestamp::from("2026-11-22T02:00:00Z".parse::<DateTime<chrono::Utc>>().unwrap()),
            flight: Some("CA150".into()),
        };
        assert_eq!((&lines[0], lines[1].line, &lines[1].flight), (&first, 3, &None));
        let known = check(text.as_bytes()).unwrap();
        assert_eq!((known.lines, known.sha256), (2, hex::encode(Sha256::digest(text.as_bytes()))));
        assert_eq!(check(text.replace('\n', "\r\n").as_bytes()).unwrap().lines, 2);
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_refused() {
        let text = file(&["9992100000001,1,A,2026-11-22T02:00:00Z,CA1501", "9992100000001,2,F,2026-11-22T04:10:00Z,CA1502"]);
        assert!(check(text.as_bytes()).is_ok());
        // Without its very last characters the total still says what it said.
        for end in 0..text.len() - 1 {
            assert!(check(&text.as_bytes()[..end]).is_err(), "{}", &text[..end]);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let good = "9992100000001,1,A,2026-11-22T02:00:00Z,CA1501";
        let with = |line: &str| fault(&file(&[good, line]));
        assert_eq!(fault(""), (1, "Header".into()));
        assert_eq!(fault("number,coupon,status,happened_at,flight\n"), (1, "Header".into()));
        assert_eq!(fault(HEADER), (2, "Cut".into()));
        assert_eq!(fault(&file(&[])), (2, "Empty".into()));
        assert_eq!(with("999210000001,1,A,2026-11-22T02:00:00Z,CA1501"), (3, "TicketNumber".into()));
        assert_eq!(with("9992100000001,5,A,2026-11-22T02:00:00Z,CA1501"), (3, "Coupon".into()));
        assert_eq!(with("9992100000001,1,Q,2026-11-22T02:00:00Z,CA1501"), (3, "Status".into()));
        assert_eq!(with("9992100000001,1,AC,2026-11-22T02:00:00Z,CA1501"), (3, "Status".into()));
        assert_eq!(with("9992100000001,1,A,2026-11-22 02:00,CA1501"), (3, "Time".into()));
        assert_eq!(with("9992100000001,1,A,2026-11-22T02:00:00Z,CA15010"), (3, "Flight".into()));
        assert_eq!(with("9992100000001,1,A,2026-11-22T02:00:00Z"), (3, "Cells".into()));
        assert_eq!(with("\"9992100000001,1,A,2026-11-22T02:00:00Z,CA1501"), (3, "TicketNumber".into()));
        assert_eq!(fault(&format!("{HEADER}{good}\ntotal,2,,,\n")), (3, "Total".into()));
        assert_eq!(fault(&format!("{HEADER}{good}\ntotal,1,,,\n{good}\n")), (4, "BehindTotal".into()));
        let mut bytes = file(&[good]).into_bytes();
        bytes[HEADER.len()] = 0xff;
        assert!(matches!(check(bytes.as_slice()).unwrap_err().what, FaultKind::Cells));
    }

    #[test]
    fn a_file_has_at_most_a_hundred_thousand_lines() {
        let line = "9992100000001,1,A,2026-11-22T02:00:00Z,CA1501\n";
        let of = |lines: usize| format!("{HEADER}{}total,{lines},,,\n", line.repeat(lines));
        assert_eq!(check(of(MOST_LINES).as_bytes()).unwrap().lines, MOST_LINES);
        assert_eq!(fault(&of(MOST_LINES + 1)), (100_002, "TooManyLines".into()));
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = check(bytes.as_slice());
            let _ = check([HEADER.as_bytes(), bytes.as_slice()].concat().as_slice());
        }

        #[test]
        fn what_is_written_is_read_back(number in "[0-9]{13}", coupon in 1u8..=4, letter in "[ACEFGILOPRSUVXYZ]", flight in 1u16..=9_999) {
            let text = file(&[&format!("{number},{coupon},{letter},2026-11-22T02:00:00Z,CA{flight:04}")]);
            let read = StatusReader::new(text.as_bytes()).next().unwrap().unwrap();
            prop_assert_eq!((read.ticket_number, read.coupon, read.status), (number, coupon, letter));
            prop_assert_eq!(read.flight, Some(format!("CA{flight}")));
        }
    }
}
