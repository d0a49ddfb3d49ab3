//! What was handed out: one row per kind, airline and day, with the digest of the content. The content is not stored: it is made from the journal
//! again whenever it is asked for, and handed out only if its digest is the one that was remembered. So it takes no room, it cannot be altered in one
//! place without being noticed in the other, and every download proves anew that the journal of that day has not changed.

use super::export::{AirlineDay, ChainHead, CurrencyTotals, DayFile, ExportError, spool};
use crate::clock::Timestamp;
use crate::db::schema::export_file;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AirlineId, ExportId, Id};
use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use std::fs::File;

const AIRLINE_DAY: &str = "airline_day";

rows! {
    pub struct ExportRow in export_file {
        id: i64,
        kind: String,
        airline_id: i64,
        day: NaiveDate,
        row_count: i64,
        byte_count: i64,
        sha256: String,
        totals: String,
        anchor: String,
        created_at: NaiveDateTime,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    pub id: ExportId,
    pub day: AirlineDay,
    pub file: DayFile,
    pub created_at: Timestamp,
}

impl TryFrom<ExportRow> for ExportFile {
    type Error = DbError;

    fn try_from(row: ExportRow) -> Result<Self, DbError> {
        let corrupt = |error: serde_json::Error| DbError::Corrupt(format!("export {}: {error}", row.id));
        let totals: Vec<CurrencyTotals> = serde_json::from_str(&row.totals).map_err(corrupt)?;
        let anchor: Vec<ChainHead> = serde_json::from_str(&row.anchor).map_err(corrupt)?;
        Ok(ExportFile {
            id: ExportId::of(row.id),
            day: AirlineDay { airline: AirlineId::of(row.airline_id), date: row.day },
            file: DayFile { rows: row.row_count, bytes: row.byte_count, sha256: row.sha256, totals, anchor },
            created_at: Timestamp::from(row.created_at),
        })
    }
}

/// Remembers a day that was exported for the first time.
pub fn keep_export(tx: &mut WriteTx, day: AirlineDay, file: &DayFile) -> Result<ExportFile, DbError> {
    let json = |error: serde_json::Error| DbError::Corrupt(error.to_string());
    let row = ExportRow {
        id: tx.ids.next::<ExportId>().raw(),
        kind: AIRLINE_DAY.to_owned(),
        airline_id: day.airline.raw(),
        day: day.date,
        row_count: file.rows,
        byte_count: file.bytes,
        sha256: file.sha256.clone(),
        totals: serde_json::to_string(&file.totals).map_err(json)?,
        anchor: serde_json::to_string(&file.anchor).map_err(json)?,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    ExportFile::try_from(row)
}

/// The content again. Another digest than the first time means that the journal or a ticket of that day was changed.
pub fn read_again(db: &mut Db, known: &ExportFile) -> Result<File, ExportError> {
    let (file, written) = spool(db, known.day)?;
    if written != known.file {
        let what = format!("{} was exported with SHA-256 {} and now has {}", known.day.date, known.file.sha256, written.sha256);
        return Err(ExportError::DoesNotTie(what));
    }
    Ok(file)
}

pub fn export_of(db: &mut Db, day: AirlineDay) -> Result<Option<ExportFile>, DbError> {
    let of_day = export_file::table.filter(export_file::kind.eq(AIRLINE_DAY)).filter(export_file::day.eq(day.date));
    let of_day = of_day.filter(export_file::airline_id.eq(day.airline.raw()));
    let row: Option<ExportRow> = of_day.select(ExportRow::as_select()).first(db).optional()?;
    row.map(ExportFile::try_from).transpose()
}

pub fn export_file(db: &mut Db, id: ExportId) -> Result<Option<ExportFile>, DbError> {
    let row: Option<ExportRow> = export_file::table.find(id.raw()).select(ExportRow::as_select()).first(db).optional()?;
    row.map(ExportFile::try_from).transpose()
}

/// Of these airlines, or of all.
pub fn export_files(db: &mut Db, of: Option<&[AirlineId]>, window: Window, limit: i64) -> Result<Vec<ExportFile>, DbError> {
    let mut query = windowed!(export_file::table.into_boxed(), export_file::id, window, limit);
    if let Some(airlines) = of {
        query = query.filter(export_file::airline_id.eq_any(airlines.iter().map(|id| id.raw()).collect::<Vec<_>>()));
    }
    let rows: Vec<ExportRow> = query.select(ExportRow::as_select()).load(db)?;
    rows.into_iter().map(ExportFile::try_from).collect()
}
