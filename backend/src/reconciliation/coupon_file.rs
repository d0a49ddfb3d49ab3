//! Files of coupon statuses. The content is remembered by its digest, each line by what became of it.
//!
//! Protocol: a file was read to its end and found in order before it comes here. It is acted on in parts of at most `PART` lines, a commit each, so that
//! sales go on in between; a part counts from where the last one ended, and of two nodes at one file only one gets on. The same file again goes on where it
//! stopped, and changes nothing once it is done.

use crate::airlines::TicketNumber;
use crate::audit::{self, Cause};
use crate::db::schema::{coupon_status_file, coupon_status_line};
use crate::db::{Db, DbError, RowSet, Window, WriteTx, claim_keys, insert, rows, windowed};
use crate::ids::{AirlineId, CouponFileId, CouponLineId, Id, OrganisationId};
use crate::interchange::coupon_status::{StatusFile, StatusLine};
use crate::ticketing::{CouponReport, CouponSource, CouponStatus, ReportOutcome, report_coupons};
use chrono::NaiveDateTime;
use diesel::prelude::*;

/// Lines of one commit.
pub const PART: usize = 500;

rows! {
    pub struct CouponFileRow in coupon_status_file {
        id: i64,
        organisation_id: i64,
        sha256: String,
        line_count: i64,
        /// Lines that have an outcome.
        done_count: i64,
        applied_count: i64,
        already_count: i64,
        rejected_count: i64,
        created_at: NaiveDateTime,
        finished_at: Option<NaiveDateTime>,
    }

    pub struct CouponLineRow in coupon_status_line {
        id: i64,
        file_id: i64,
        line: i64,
        ticket_number: String,
        coupon: i64,
        status: String,
        outcome: String,
        code: Option<String>,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineOutcome {
    Applied,
    Already,
    Rejected,
}

impl LineOutcome {
    pub const ALL: [LineOutcome; 3] = [LineOutcome::Applied, LineOutcome::Already, LineOutcome::Rejected];

    pub fn text(self) -> &'static str {
        match self {
            LineOutcome::Applied => "applied",
            LineOutcome::Already => "already",
            LineOutcome::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        LineOutcome::ALL.into_iter().find(|outcome| outcome.text() == text)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CouponFileError {
    /// Another node acts on the same file at this moment.
    #[error("the file is being acted on at this moment")]
    Raced,
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Remembers a file, or finds it where the organisation sent the same content before.
pub fn register_coupon_file(tx: &mut WriteTx, cause: &Cause, file: &StatusFile) -> Result<CouponFileRow, DbError> {
    let row = CouponFileRow {
        id: tx.ids.next::<CouponFileId>().raw(),
        organisation_id: cause.actor.organisation.raw(),
        sha256: file.sha256.clone(),
        line_count: i64::try_from(file.lines).unwrap_or(i64::MAX),
        done_count: 0,
        applied_count: 0,
        already_count: 0,
        rejected_count: 0,
        created_at: tx.now.naive(),
        finished_at: None,
    };
    if claim_keys(tx, std::slice::from_ref(&row), |row| row.id)?.is_empty() {
        let same = coupon_status_file::table.filter(coupon_status_file::organisation_id.eq(row.organisation_id));
        let same = same.filter(coupon_status_file::sha256.eq(&row.sha256));
        return Ok(same.select(CouponFileRow::as_select()).first(&mut *tx.db)?);
    }
    audit::record(tx, cause, "coupon_file.take", CouponFileId::of(row.id))?;
    Ok(row)
}

/// Acts on the lines behind those that are done, which are the file's next ones, for the airlines `of` (`None`: for all).
pub fn take_part(
    tx: &mut WriteTx,
    cause: &Cause,
    of: Option<&[AirlineId]>,
    file: &CouponFileRow,
    lines: &[StatusLine],
) -> Result<CouponFileRow, CouponFileError> {
    let corrupt = |what: &str| DbError::Corrupt(format!("{what} of a coupon file that was read before"));
    let report = |line: &StatusLine| {
        Ok::<_, DbError>(CouponReport {
            number: TicketNumber::parse(&line.ticket_number).ok_or_else(|| corrupt("a ticket number"))?,
            coupon: i64::from(line.coupon),
            to: CouponStatus::parse(&line.status).ok_or_else(|| corrupt("a status"))?,
            expected: None,
            happened_at: Some(line.happened_at),
            flight: line.flight.clone(),
        })
    };
    let reports: Vec<CouponReport> = lines.iter().map(report).collect::<Result<_, _>>()?;
    let outcomes = report_coupons(tx, cause, CouponSource::File(CouponFileId::of(file.id)), of, &reports)?;
    let rows: Vec<CouponLineRow> = lines.iter().zip(&outcomes).map(|(line, outcome)| line_row(tx, file, line, outcome)).collect();
    let count =
        |outcome: LineOutcome| i64::try_from(rows.iter().filter(|row| row.outcome == outcome.text()).count()).unwrap_or(i64::MAX);
    let done_count = file.done_count + i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let after = CouponFileRow {
        done_count,
        applied_count: file.applied_count + count(LineOutcome::Applied),
        already_count: file.already_count + count(LineOutcome::Already),
        rejected_count: file.rejected_count + count(LineOutcome::Rejected),
        finished_at: (done_count == file.line_count).then(|| tx.now.naive()),
        ..file.clone()
    };
    insert(tx, &[RowSet::of(&rows)])?;
    move_on(tx, file, &after)?;
    Ok(after)
}

fn line_row(tx: &WriteTx, file: &CouponFileRow, line: &StatusLine, outcome: &ReportOutcome) -> CouponLineRow {
    let (outcome, code) = match outcome {
        ReportOutcome::Applied { .. } => (LineOutcome::Applied, None),
        ReportOutcome::AlreadyApplied => (LineOutcome::Already, None),
        ReportOutcome::Rejected(error) => (LineOutcome::Rejected, Some(error.code().to_owned())),
    };
    CouponLineRow {
        id: tx.ids.next::<CouponLineId>().raw(),
        file_id: file.id,
        line: i64::try_from(line.line).unwrap_or(i64::MAX),
        ticket_number: line.ticket_number.clone(),
        coupon: i64::from(line.coupon),
        status: line.status.clone(),
        outcome: outcome.text().to_owned(),
        code,
    }
}

/// The whole part fails where somebody else has got on with the file since it was read.
fn move_on(tx: &mut WriteTx, before: &CouponFileRow, after: &CouponFileRow) -> Result<(), CouponFileError> {
    use coupon_status_file::{already_count, applied_count, done_count, finished_at, id, rejected_count};
    let here = coupon_status_file::table.filter(id.eq(before.id)).filter(done_count.eq(before.done_count));
    let changes = (
        done_count.eq(after.done_count),
        applied_count.eq(after.applied_count),
        already_count.eq(after.already_count),
        rejected_count.eq(after.rejected_count),
        finished_at.eq(after.finished_at),
    );
    let moved = diesel::update(here).set(changes).execute(&mut *tx.db).map_err(DbError::from)?;
    if moved == 1 { Ok(()) } else { Err(CouponFileError::Raced) }
}

pub fn coupon_file(db: &mut Db, id: CouponFileId) -> Result<Option<CouponFileRow>, DbError> {
    Ok(coupon_status_file::table.find(id.raw()).select(CouponFileRow::as_select()).first(db).optional()?)
}

/// Of this organisation, or of all.
pub fn coupon_files(db: &mut Db, of: Option<OrganisationId>, window: Window, limit: i64) -> Result<Vec<CouponFileRow>, DbError> {
    let mut query = windowed!(coupon_status_file::table.into_boxed(), coupon_status_file::id, window, limit);
    if let Some(organisation) = of {
        query = query.filter(coupon_status_file::organisation_id.eq(organisation.raw()));
    }
    Ok(query.select(CouponFileRow::as_select()).load(db)?)
}

/// The lines of a file with this outcome, or all, in the order of the window.
pub fn coupon_file_lines(
    db: &mut Db,
    file: CouponFileId,
    outcome: Option<LineOutcome>,
    window: Window,
    limit: i64,
) -> Result<Vec<CouponLineRow>, DbError> {
    let mut query = windowed!(coupon_status_line::table.into_boxed(), coupon_status_line::id, window, limit);
    query = query.filter(coupon_status_line::file_id.eq(file.raw()));
    if let Some(outcome) = outcome {
        query = query.filter(coupon_status_line::outcome.eq(outcome.text()));
    }
    Ok(query.select(CouponLineRow::as_select()).load(db)?)
}
