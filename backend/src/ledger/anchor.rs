//! The chain's heads, kept outside the database: one JSON line per seal, appended and flushed. A database whose tail was cut off
//! still verifies by itself; against its anchor it does not.

use super::chain::Seal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error("anchor file {path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("anchor file {path}, line {line}: not an anchor")]
    Unreadable { path: PathBuf, line: usize },
    #[error("anchor file {path}, line {line}: the chain of node {node} went back from height {from} to {to}")]
    WentBack { path: PathBuf, line: usize, node: i64, from: i64, to: i64 },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    pub database: String,
    pub node: i64,
    pub height: i64,
    /// Postings in this seal.
    pub count: i64,
    /// Hexadecimal SHA-256.
    pub head: String,
    pub sealed_at: String,
}

impl Anchor {
    pub fn of(database: &str, seal: &Seal) -> Self {
        Anchor {
            database: database.to_owned(),
            node: seal.node,
            height: seal.height,
            count: seal.count,
            head: hex::encode(&seal.head),
            sealed_at: seal.sealed_at.to_string(),
        }
    }

    /// Appends one line per seal and waits until the disk has them. Half a line that a crash left is cut off first.
    pub fn append(path: &Path, anchors: &[Anchor]) -> Result<(), AnchorError> {
        let failed = |error: std::io::Error| AnchorError::File { path: path.to_owned(), reason: error.to_string() };
        let mut lines = String::new();
        for anchor in anchors {
            let line = serde_json::to_string(anchor).map_err(|error| failed(error.into()))?;
            lines.push_str(&line);
            lines.push('\n');
        }
        let whole = std::fs::read(path)
            .map_or(0, |bytes| bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end.saturating_add(1)));
        let mut file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(failed)?;
        file.write_all(lines.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
    }

    /// The last anchor of every node of this database; heights may only grow.
    pub fn read_last(path: &Path, database: &str) -> Result<BTreeMap<i64, Anchor>, AnchorError> {
        let failed = |error: std::io::Error| AnchorError::File { path: path.to_owned(), reason: error.to_string() };
        let mut last: BTreeMap<i64, Anchor> = BTreeMap::new();
        for (index, line) in BufReader::new(File::open(path).map_err(failed)?).lines().enumerate() {
            let line_number = index.saturating_add(1);
            let anchor: Anchor = serde_json::from_str(&line.map_err(failed)?)
                .map_err(|_| AnchorError::Unreadable { path: path.to_owned(), line: line_number })?;
            if anchor.database != database {
                continue;
            }
            if let Some(earlier) = last.get(&anchor.node).filter(|earlier| earlier.height >= anchor.height) {
                let (from, to, node) = (earlier.height, anchor.height, anchor.node);
                return Err(AnchorError::WentBack { path: path.to_owned(), line: line_number, node, from, to });
            }
            last.insert(anchor.node, anchor);
        }
        Ok(last)
    }
}
