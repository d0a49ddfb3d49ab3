//! Reads the tables: named columns, typed fields, and errors that say file, line and column.

use super::CatalogueError;
use chrono::NaiveDate;
use std::str::FromStr;

/// A text with the name of its file for messages.
#[derive(Clone, Copy)]
pub(super) struct Table<'t> {
    pub file: &'static str,
    pub text: &'t str,
}

/// One line of a table.
pub(super) struct Row<'t> {
    file: &'static str,
    headers: &'t csv::StringRecord,
    record: &'t csv::StringRecord,
}

/// The days on which a rule is in force, both ends included; no end is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: NaiveDate,
    pub until: Option<NaiveDate>,
}

impl Table<'_> {
    pub fn rows<T>(self, read: impl Fn(&Row<'_>) -> Result<T, CatalogueError>) -> Result<Vec<T>, CatalogueError> {
        let unreadable = |source| CatalogueError::Csv { file: self.file, source };
        let mut reader = csv::Reader::from_reader(self.text.as_bytes());
        let headers = reader.headers().map_err(unreadable)?.clone();
        let mut record = csv::StringRecord::new();
        let mut rows = Vec::new();
        while reader.read_record(&mut record).map_err(unreadable)? {
            rows.push(read(&Row { file: self.file, headers: &headers, record: &record })?);
        }
        Ok(rows)
    }

    /// The rows of a table, sorted by a key that may occur only once.
    pub fn by_key<T, K: Ord + std::fmt::Debug>(
        self,
        read: impl Fn(&Row<'_>) -> Result<T, CatalogueError>,
        key: impl Fn(&T) -> K,
    ) -> Result<Vec<T>, CatalogueError> {
        let mut rows = self.rows(read)?;
        rows.sort_by_key(|row| key(row));
        let twice = rows.windows(2).find_map(|pair| match pair {
            [left, right] if key(left) == key(right) => Some(format!("{:?}", key(left))),
            _ => None,
        });
        match twice {
            Some(what) => Err(CatalogueError::Duplicate { file: self.file, what }),
            None => Ok(rows),
        }
    }
}

impl Row<'_> {
    pub fn text(&self, column: &'static str) -> Result<&str, CatalogueError> {
        let index = self.headers.iter().position(|header| header == column);
        index.and_then(|index| self.record.get(index)).ok_or_else(|| self.refuse(column, "missing"))
    }

    pub fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, CatalogueError> {
        self.with(column, |text| text.parse().ok())
    }

    /// Reads a column with a function that answers none for what it cannot read.
    pub fn with<T>(&self, column: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, CatalogueError> {
        let text = self.text(column)?;
        read(text).ok_or_else(|| self.refuse(column, text))
    }

    /// None where the column is empty.
    pub fn optional<T>(&self, column: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, CatalogueError> {
        if self.text(column)?.is_empty() { Ok(None) } else { self.with(column, read).map(Some) }
    }

    pub fn yes_or_no(&self, column: &'static str) -> Result<bool, CatalogueError> {
        self.with(column, |text| match text {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        })
    }

    pub fn period(&self) -> Result<Period, CatalogueError> {
        let until = self.optional("effective_until", |text| text.parse().ok())?;
        Ok(Period { from: self.parsed("effective_from")?, until })
    }

    fn refuse(&self, column: &'static str, value: &str) -> CatalogueError {
        let line = self.record.position().map_or(0, csv::Position::line);
        CatalogueError::Field { file: self.file, line, column, value: value.to_owned() }
    }
}

impl Period {
    pub fn contains(self, date: NaiveDate) -> bool {
        self.from <= date && self.until.is_none_or(|until| date <= until)
    }
}
