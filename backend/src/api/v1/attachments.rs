//! `/v1/attachments`: documents that back up an application. The body is the file itself.

use super::shape::{PageParams, time};
use super::sight::{Sight, not_found, require_one};
use crate::api::caller::{Caller, blocking};
use crate::api::code::Code;
use crate::api::envelope::{Data, Page, created, ok, page};
use crate::api::error::{ApiError, ErrorBody};
use crate::api::paging::PageRequest;
use crate::api::query::{Query, path_id};
use crate::audit;
use crate::db::Db;
use crate::documents::{self, AttachmentRow, MAX_ATTACHMENT_BYTES, Upload, attachment_by_digest, attachments, keep_attachment};
use crate::identity::Scope;
use crate::ids::{AttachmentId, Id, OrganisationId};
use crate::settlement::memos_with_attachment;
use actix_web::http::header::{CONTENT_DISPOSITION, ETAG};
use actix_web::web::{BytesMut, Payload};
use actix_web::{HttpResponse, web};
use futures_util::StreamExt;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Attachment {
    #[schema(example = "att_0000000000001")]
    pub id: String,
    #[schema(example = "certificate.pdf")]
    pub file_name: String,
    /// `application/pdf`, `image/jpeg` or `image/png`, found out from the content.
    #[schema(example = "application/pdf")]
    pub media_type: String,
    pub bytes: i64,
    /// Hexadecimal SHA-256 of the content; also its `ETag`.
    pub sha256: String,
    pub created_at: String,
    #[schema(example = "/v1/attachments/att_0000000000001/content")]
    pub url: String,
}

impl From<AttachmentRow> for Attachment {
    fn from(row: AttachmentRow) -> Self {
        let id = AttachmentId::of(row.id);
        Attachment {
            id: id.to_string(),
            file_name: row.file_name,
            media_type: row.media_type,
            bytes: row.byte_count,
            sha256: row.sha256,
            created_at: time(row.created_at),
            url: format!("/v1/attachments/{id}/content"),
        }
    }
}

const READ: [Scope; 2] = [Scope::AirRead, Scope::FinanceRead];
const MOST_NAME: usize = 120;
/// What is too large is read on for a while, so that a client that is still sending reads the answer.
const DRAINED_BYTES: usize = 2 * MAX_ATTACHMENT_BYTES;

/// These attachments exist and are the owner's; `None`: anybody's.
pub fn check_owned(db: &mut Db, owner: Option<OrganisationId>, ids: &[AttachmentId]) -> Result<(), ApiError> {
    for (place, id) in ids.iter().enumerate() {
        let known = documents::attachment(db, *id)?;
        let own = known.filter(|row| owner.is_none_or(|owner| owner.raw() == row.organisation_id));
        own.ok_or_else(|| not_found().at(format!("/data/attachment_ids/{place}")))?;
    }
    Ok(())
}

/// The whole body, as long as it is not too large.
async fn read_all(mut payload: Payload) -> Result<BytesMut, ApiError> {
    let (mut content, mut bytes) = (BytesMut::new(), 0);
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| ApiError::of(Code::InvalidValue))?;
        bytes += piece.len();
        if bytes <= MAX_ATTACHMENT_BYTES {
            content.extend_from_slice(&piece);
        } else if bytes > DRAINED_BYTES {
            break;
        }
    }
    if bytes > MAX_ATTACHMENT_BYTES { Err(ApiError::of(Code::AttachmentTooLarge)) } else { Ok(content) }
}

/// Keeps a file: PDF, JPEG or PNG, at most 10 MB. The same content again answers the attachment that exists.
#[utoipa::path(post, path = "/v1/attachments", tag = "Refunds", operation_id = "create_attachment",
    params(("file_name" = String, Query, description = "1 to 120 characters, without personal data"),
        ("Idempotency-Key" = Option<String>, Header, description = "Not needed: the same content is the same attachment")),
    request_body(content = String, content_type = "application/octet-stream", description = "The file itself"),
    responses((status = 201, body = Data<Attachment>), (status = 200, description = "Uploaded before", body = Data<Attachment>),
        (status = 413, description = "`attachment_too_large`", body = ErrorBody),
        (status = 422, description = "`attachment_type_not_supported`, `invalid_value`", body = ErrorBody)))]
pub async fn create_attachment(caller: Caller, query: Query, payload: Payload) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &[Scope::AirWrite, Scope::FinanceWrite, Scope::MemosWrite])?;
    let name = query.get("file_name").unwrap_or_default().to_owned();
    let fits = (1..=MOST_NAME).contains(&name.chars().count()) && !name.chars().any(|c| c.is_control() || "\"\\/".contains(c));
    if !fits {
        let message = "`file_name` is 1 to 120 printable characters without quotes and slashes.";
        return Err(ApiError::new(Code::InvalidValue, message).parameter("file_name"));
    }
    let content = read_all(payload).await?;
    let (keeper, organisation) = (caller.clone(), caller.key.organisation);
    let (row, is_new) = blocking(move || keep(&keeper, &Upload::of(organisation, &name, &content)?, &content)).await?;
    let shown = Attachment::from(row);
    Ok(if is_new { created(shown) } else { ok(shown) })
}

/// The file is on the disk before its row is committed, outside the transaction.
fn keep(caller: &Caller, upload: &Upload, content: &[u8]) -> Result<(AttachmentRow, bool), ApiError> {
    let (app, cause) = (&caller.app, caller.cause());
    let known = app.store.read(|db| attachment_by_digest(db, upload.organisation, &upload.sha256))?;
    if let Some(known) = known {
        return Ok((known, false));
    }
    let id: AttachmentId = app.store.ids().next();
    let wrapped_key = app.cabinet.put(id, content).map_err(ApiError::internal)?;
    let row = app.store.write(|tx| {
        let row = keep_attachment(tx, id, upload, wrapped_key)?;
        if row.id == id.raw() {
            audit::record(tx, &cause, "attachment.create", id)?;
        }
        Ok::<_, ApiError>(row)
    })?;
    let is_new = row.id == id.raw();
    if !is_new && let Err(error) = app.cabinet.discard(id) {
        tracing::warn!(%error, %id, "the file of an attachment that was uploaded twice stays behind");
    }
    Ok((row, is_new))
}

/// Attachments, newest first: an organisation's own, for the operator all.
#[utoipa::path(get, path = "/v1/attachments", tag = "Refunds", operation_id = "list_attachments",
    params(PageParams), responses((status = 200, body = Page<Attachment>)))]
pub async fn list_attachments(caller: Caller, query: Query) -> Result<HttpResponse, ApiError> {
    require_one(&caller, &READ)?;
    let request = PageRequest::<i64>::read(&query, "/v1/attachments")?;
    let (window, limit) = (request.window(), request.fetch());
    let of = (!caller.is_operator()).then_some(caller.key.organisation);
    let found = caller.read(move |db| attachments(db, of, window, limit)).await?;
    Ok(page(&request.page(found, |row| row.id).map(Attachment::from)))
}

async fn visible(caller: &Caller, id: &str) -> Result<AttachmentRow, ApiError> {
    require_one(caller, &READ)?;
    let id: AttachmentId = path_id(id)?;
    let found = caller.read(move |db| documents::attachment(db, id)).await?.ok_or_else(not_found)?;
    if caller.is_operator() || found.organisation_id == caller.key.organisation.raw() {
        return Ok(found);
    }
    let sight = Sight::of(caller).await?;
    let shared = caller.read(move |db| memos_with_attachment(db, id)).await?;
    let is_side = shared.iter().any(|(agency, airline)| sight.sees_agency(*agency) || sight.sees_airline(*airline));
    if is_side { Ok(found) } else { Err(not_found()) }
}

/// What is known about an attachment: one's own, or evidence for a memo that one is a side of.
#[utoipa::path(get, path = "/v1/attachments/{id}", tag = "Refunds", operation_id = "get_attachment",
    params(("id" = String, Path, description = "`att_…`")), responses((status = 200, body = Data<Attachment>)))]
pub async fn get_attachment(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    Ok(ok(Attachment::from(visible(&caller, &id).await?)))
}

/// The file, as it was sent.
#[utoipa::path(get, path = "/v1/attachments/{id}/content", tag = "Refunds", operation_id = "get_attachment_content",
    params(("id" = String, Path, description = "`att_…`")),
    responses((status = 200, description = "The file; `ETag` is its SHA-256", body = String, content_type = "application/octet-stream")))]
pub async fn get_attachment_content(caller: Caller, id: web::Path<String>) -> Result<HttpResponse, ApiError> {
    let row = visible(&caller, &id).await?;
    let (app, id, key) = (caller.app.clone(), AttachmentId::of(row.id), row.wrapped_key.clone());
    let content = blocking(move || app.cabinet.get(id, &key).map_err(ApiError::internal)).await?;
    Ok(HttpResponse::Ok()
        .content_type(row.media_type)
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", row.file_name)))
        .insert_header((ETAG, format!("\"{}\"", row.sha256)))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(content))
}
