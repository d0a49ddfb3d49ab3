//! Every change of the bank's books, one JSON object per line, appended and handed to the operating system before anyone is
//! answered: a killed process loses nothing that it has said. (A killed machine may; this is a simulator.)
//!
//! A last line without its end was never answered for and is cut off at start. Any other line that cannot be read, and a line
//! over 8 KiB, stops the start: silently dropping a payment would let it be booked twice. One process has the file locked.

use crate::{
    clock::Timestamp,
    gateways::bank::wire::{WireOrder, instant},
};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    path::Path,
    thread,
    time::Duration,
};

pub const FILE_NAME: &str = "payments.jsonl";
const MAX_LINE_BYTES: usize = 8 * 1024;
/// How long a process that is just ending may keep the lock: 150 tries, 20 ms apart.
const LOCK_TRIES: u32 = 150;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    Received {
        #[serde(with = "instant")]
        at: Timestamp,
        order: WireOrder,
    },
    Settled {
        reference: String,
        amount: String,
        currency: String,
        #[serde(with = "instant")]
        at: Timestamp,
        /// The bank's business date, kept because its zone is a setting.
        booked_on: NaiveDate,
        bank_reference: String,
    },
    Refused {
        reference: String,
        code: String,
        reason: String,
        #[serde(rename = "final")]
        is_final: bool,
        #[serde(with = "instant")]
        at: Timestamp,
    },
}

#[derive(Debug)]
pub struct Journal {
    file: File,
    length: u64,
    /// Set when a half-written line could not be taken back: appending behind it would make the file unreadable.
    broken: bool,
}

impl Journal {
    /// Opens or creates the journal and hands every entry to `replay`, in order.
    pub fn open(folder: &Path, mut replay: impl FnMut(Entry) -> io::Result<()>) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = OpenOptions::new().read(true).append(true).create(true).open(folder.join(FILE_NAME))?;
        lock(&file)?;
        let mut reader = BufReader::new(&file);
        let (mut length, mut number, mut line) = (0u64, 0u64, Vec::new());
        loop {
            line.clear();
            number += 1;
            let limit = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
            let read = reader.by_ref().take(limit).read_until(b'\n', &mut line)?;
            let whole = line.ends_with(b"\n");
            if !whole && read == MAX_LINE_BYTES {
                return Err(damaged(number, "is too long"));
            }
            if !whole {
                break;
            }
            let entry = serde_json::from_slice(&line).map_err(|error| damaged(number, &error.to_string()))?;
            replay(entry).map_err(|error| damaged(number, &error.to_string()))?;
            length += u64::try_from(read).unwrap_or_default();
        }
        file.set_len(length)?;
        Ok(Journal { file, length, broken: false })
    }

    /// All of the entries or, after an error, none of them.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other("an earlier line could not be taken back"));
        }
        let mut lines = Vec::with_capacity(1024);
        for entry in entries {
            let start = lines.len();
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
            if lines.len() - start > MAX_LINE_BYTES {
                return Err(io::Error::new(ErrorKind::InvalidInput, "the line would be too long"));
            }
        }
        if let Err(error) = self.file.write_all(&lines) {
            self.broken = self.file.set_len(self.length).is_err();
            return Err(error);
        }
        self.length += u64::try_from(lines.len()).unwrap_or_default();
        Ok(())
    }
}

fn lock(file: &File) -> io::Result<()> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::new(ErrorKind::AddrInUse, "another simulator is using this data folder"))
}

fn damaged(line: u64, why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{FILE_NAME} line {line}: {why}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(reference: &str) -> Entry {
        let at = Timestamp::from_millis(1_767_225_600_000).unwrap();
        let (code, reason) = ("AC04".into(), "closed".into());
        Entry::Refused { reference: reference.into(), code, reason, is_final: true, at }
    }

    fn references(folder: &Path) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        Journal::open(folder, |entry| {
            if let Entry::Refused { reference, .. } = entry {
                found.push(reference);
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn append_raw(folder: &Path, bytes: &[u8]) {
        let mut file = OpenOptions::new().append(true).create(true).open(folder.join(FILE_NAME)).unwrap();
        file.write_all(bytes).unwrap();
    }

    #[test]
    fn a_torn_last_line_is_cut_off_and_the_rest_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), |_| Ok(())).unwrap();
        journal.append(&[refused("a"), refused("b")]).unwrap();
        drop(journal);
        append_raw(folder.path(), br#"{"entry":"refused","refer"#);
        assert_eq!(references(folder.path()).unwrap(), ["a", "b"]);
        Journal::open(folder.path(), |_| Ok(())).unwrap().append(&[refused("c")]).unwrap();
        assert_eq!(references(folder.path()).unwrap(), ["a", "b", "c"], "what comes next starts on its own line");
    }

    #[test]
    fn a_line_that_cannot_be_read_stops_the_start() {
        for bytes in [&b"garbage\n"[..], &[b'x'; MAX_LINE_BYTES + 1]] {
            let folder = tempfile::tempdir().unwrap();
            append_raw(folder.path(), bytes);
            let error = references(folder.path()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert!(error.to_string().contains("line 1"), "{error}");
        }
    }

    #[test]
    fn a_line_too_long_is_not_begun() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), |_| Ok(())).unwrap();
        assert!(journal.append(&[refused("a"), refused(&"x".repeat(MAX_LINE_BYTES))]).is_err());
        drop(journal);
        assert_eq!(references(folder.path()).unwrap(), Vec::<String>::new());
    }
}
