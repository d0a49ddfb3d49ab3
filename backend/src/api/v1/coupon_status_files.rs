//! `/v1/coupon_status_files`: what an airline says about many coupons at once, as a CSV file. `interchange/coupon_status.rs` says how it is written.

use super::shape::{PageParams, time};
use super::sight::{Sight, not_found};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, created, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::app::App;
use crate::audit::Cause;
use crate::identity::Scope;
use crate::ids::{AirlineId, CouponFileId, Id, OrganisationId};
use crate::interchange::coupon_status::{MOST_BYTES, StatusLine, StatusReader, check};
use crate::reconciliation::{
    CouponFileError, CouponFileRow, CouponLineRow, LineOutcome, PART, coupon_file, coupon_file_lines, coupon_files,
    register_coupon_file, take_part,
};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use serde::Serialize;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom, Write};
use utoipa::ToSchema;

/// Every line is counted in one of the three.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CouponStatusFile {
    #[schema(example = "csf_0000000000001")]
    pub id: String,
    pub organisation_id: String,
    /// Hexadecimal SHA-256 of the content. The same content is the same file.
    pub sha256: String,
    pub lines: i64,
    pub applied: i64,
    /// The coupon had the status already.
    pub already: i64,
    /// Left as it was; the lines say why.
    pub rejected: i64,
    pub created_at: String,
    /// Null while lines are still being acted on; the same file sent again goes on with them.
    pub finished_at: Option<String>,
}

/// What became of one line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CouponStatusLine {
    /// In the file; the header is line 1.
    #[schema(example = 2)]
    pub line: i64,
    #[schema(example = "9992100000001")]
    pub ticket_number: String,
    pub coupon: i64,
    #[schema(example = "F")]
    pub status: String,
    /// `applied`, `already` or `rejected`.
    #[schema(example = "rejected")]
    pub outcome: String,
    /// Why it was rejected: `ticket_not_found`, `coupon_not_found`, `coupon_flight_differs`, `coupon_settled`, `coupon_changed_later`, `in_future`, `final`, `not_yours`,
    /// `taxes_refunded` or `paper`.
    #[schema(example = "ticket_not_found")]
    pub code: Option<String>,
}

impl CouponStatusFile {
    fn of(row: &CouponFileRow) -> Self {
        CouponStatusFile {
            id: CouponFileId::of(row.id).to_string(),
            organisation_id: OrganisationId::of(row.organisation_id).to_string(),
            sha256: row.sha256.clone(),
            lines: row.line_count,
            applied: row.applied_count,
            already: row.already_count,
            rejected: row.rejected_count,
            created_at: time(row.created_at),
            finished_at: row.finished_at.map(time),
        }
    }
}

impl CouponStatusLine {
    fn of(row: &CouponLineRow) -> Self {
        CouponStatusLine {
            line: row.line,
            ticket_number: row.ticket_number.clone(),
            coupon: row.coupon,
            status: row.status.clone(),
            outcome: row.outcome.clone(),
            code: row.code.clone(),
        }
    }
}

/// Writes a body to a file without a name, so that no more than a piece of it is in memory.
async fn spool(mut payload: Payload) -> Result<File, ApiError> {
    let mut file = tempfile::tempfile().map_err(ApiError::internal)?;
    let mut bytes = 0u64;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(Code::CouponFileMalformed, "The body ended before it was complete."))?;
        bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if bytes > MOST_BYTES {
            return Err(ApiError::new(Code::BodyTooLarge, format!("A file is at most {MOST_BYTES} bytes.")));
        }
        file = blocking(move || file.write_all(&chunk).map(|()| file).map_err(ApiError::internal)).await?;
    }
    Ok(file)
}

fn from_start(file: &File) -> Result<BufReader<File>, ApiError> {
    let mut file = file.try_clone().map_err(ApiError::internal)?;
    file.seek(SeekFrom::Start(0)).map_err(ApiError::internal)?;
    Ok(BufReader::new(file))
}

/// Acts on a file in parts, from where it stands. Answers it, and whether it was not known before.
fn take(app: &App, cause: &Cause, of: Option<&[AirlineId]>, content: &File) -> Result<(CouponFileRow, bool), ApiError> {
    let malformed = |fault| ApiError::new(Code::CouponFileMalformed, format!("{fault}."));
    let known = check(from_start(content)?).map_err(malformed)?;
    let mut file = app.store.write(|tx| register_coupon_file(tx, cause, &known))?;
    let is_new = file.done_count == 0;
    while file.finished_at.is_none() {
        let done = usize::try_from(file.done_count).map_err(ApiError::internal)?;
        let mut lines = StatusReader::new(from_start(content)?).skip(done);
        file = loop {
            let part: Vec<StatusLine> = lines.by_ref().take(PART).collect::<Result<_, _>>().map_err(malformed)?;
            if part.is_empty() {
                return Err(ApiError::internal(format!("file {} has fewer lines than before", file.id)));
            }
            match app.store.write(|tx| take_part(tx, cause, of, &file, &part)) {
                Ok(after) if after.finished_at.is_none() => file = after,
                Ok(after) => break after,
                // Somebody else acts on it: from where that one stands.
                Err(CouponFileError::Raced) => {
                    let id = CouponFileId::of(file.id);
                    break app.store.read(|db| coupon_file(db, id))?.ok_or_else(not_found)?;
                }
                Err(CouponFileError::Db(error)) => return Err(error.into()),
            }
        };
    }
    Ok((file, is_new))
}

/// Takes a file of coupon statuses: UTF-8 CSV with the header `ticket_number,coupon,status,happened_at,flight`, one line per change in the order in which they happened, and a
/// last line `total,<number of lines>,,,`. At most 100,000 lines. A file that is cut or malformed anywhere is refused whole; then every line ends applied, already or
/// rejected. The same content again is the same file and changes nothing. An airline says so about its own tickets, the operator about all.
#[utoipa::path(post, path = "/v1/coupon_status_files", tag = "Tickets", operation_id = "send_coupon_status_file",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 201, body = Data<CouponStatusFile>), (status = 200, description = "Sent before", body = Data<CouponStatusFile>),
        (status = 413, description = "`body_too_large`", body = ErrorBody), (status = 415, description = "`unsupported_media_type`", body = ErrorBody),
        (status = 422, description = "`coupon_file_malformed`: the message names the line", body = ErrorBody)))]
pub async fn send(caller: Caller, request: HttpRequest, payload: Payload) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.split(';').next().map(str::trim) != Some("text/csv") {
        return Err(ApiError::new(Code::UnsupportedMediaType, "The body is a file: send it as `text/csv`."));
    }
    let (own, cause, app) = (Sight::of(&caller).await?.airlines, caller.cause(), caller.app.clone());
    let content = spool(payload).await?;
    let (file, is_new) = blocking(move || take(&app, &cause, own.as_deref(), &content)).await?;
    let shown = CouponStatusFile::of(&file);
    Ok(if is_new { created(shown) } else { ok(shown) })
}

/// Files of coupon statuses, newest first. The operator sees all, an airline those that it sent.
#[utoipa::path(get, path = "/v1/coupon_status_files", tag = "Tickets", operation_id = "list_coupon_status_files",
    params(PageParams), responses((status = 200, body = Page<CouponStatusFile>)))]
pub async fn list_coupon_status_files(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let request = PageRequest::<i64>::read(&query, "/v1/coupon_status_files")?;
    let (window, limit) = (request.window(), request.fetch());
    let of = (!caller.is_operator()).then_some(caller.key.organisation);
    let found = caller.read(move |db| coupon_files(db, of, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(|row| CouponStatusFile::of(&row))))
}

async fn visible_file(caller: &Caller, id: &str) -> Result<CouponFileRow, ApiError> {
    caller.require(Scope::CouponsWrite)?;
    let id: CouponFileId = path_id(id)?;
    let found = caller.read(move |db| coupon_file(db, id)).await?;
    let own = |row: &CouponFileRow| caller.is_operator() || row.organisation_id == caller.key.organisation.raw();
    found.filter(own).ok_or_else(not_found)
}

/// One file and how its lines ended.
#[utoipa::path(get, path = "/v1/coupon_status_files/{id}", tag = "Tickets", operation_id = "get_coupon_status_file",
    params(("id" = String, Path, description = "`csf_…`")), responses((status = 200, body = Data<CouponStatusFile>)))]
pub async fn get_coupon_status_file(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Ok(ok(CouponStatusFile::of(&visible_file(&caller, &id).await?)))
}

/// The lines of a file with what became of each, last line first.
#[utoipa::path(get, path = "/v1/coupon_status_files/{id}/lines", tag = "Tickets", operation_id = "list_coupon_status_lines",
    params(PageParams, ("id" = String, Path, description = "`csf_…`"),
        ("outcome" = Option<String>, Query, description = "Only `applied`, `already` or `rejected`")),
    responses((status = 200, body = Page<CouponStatusLine>)))]
pub async fn list_lines(caller: Caller, id: web::Path<String>, query: Query) -> Result<HttpResponse, ApiError> {
    let file = visible_file(&caller, &id).await?;
    let request = PageRequest::<i64>::read(&query, "/v1/coupon_status_files/{id}/lines")?;
    let (window, limit) = (request.window(), request.fetch());
    let outcome = query.get("outcome").map(|text| {
        let message = "`outcome` is `applied`, `already` or `rejected`.";
        LineOutcome::parse(text).ok_or_else(|| ApiError::new(Code::InvalidValue, message).parameter("outcome"))
    });
    let outcome = outcome.transpose()?;
    let id = CouponFileId::of(file.id);
    let found = caller.read(move |db| coupon_file_lines(db, id, outcome, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(|row| CouponStatusLine::of(&row))))
}
