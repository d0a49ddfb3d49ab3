use super::media::{MAX_ATTACHMENT_BYTES, MediaType};
use crate::db::schema::attachment as table;
use crate::db::{Db, DbError, RowSet, Window, WriteTx, insert, rows, windowed};
use crate::ids::{AttachmentId, Id, OrganisationId};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

rows! {
    pub struct AttachmentRow in attachment {
        id: i64,
        organisation_id: i64,
        file_name: String,
        media_type: String,
        byte_count: i64,
        sha256: String,
        wrapped_key: Vec<u8>,
        created_at: NaiveDateTime,
    }
}

#[derive(Debug, thiserror::Error)]
pub enum AttachmentError {
    #[error("a PDF, JPEG or PNG file is expected")]
    MediaType,
    #[error("an attachment has 1 byte to 10 MB")]
    Size,
}

/// A content that can be attached, looked at before it is stored.
#[derive(Clone, Debug)]
pub struct Upload {
    pub organisation: OrganisationId,
    pub file_name: String,
    pub media: MediaType,
    /// Hexadecimal SHA-256.
    pub sha256: String,
    pub byte_count: i64,
}

impl Upload {
    pub fn of(organisation: OrganisationId, file_name: &str, content: &[u8]) -> Result<Self, AttachmentError> {
        if content.is_empty() || content.len() > MAX_ATTACHMENT_BYTES {
            return Err(AttachmentError::Size);
        }
        let media = MediaType::sniff(content).ok_or(AttachmentError::MediaType)?;
        let byte_count = i64::try_from(content.len()).unwrap_or(i64::MAX);
        let sha256 = hex::encode(Sha256::digest(content));
        Ok(Upload { organisation, file_name: file_name.to_owned(), media, sha256, byte_count })
    }
}

/// Keeps the row of a content that the cabinet has stored under this id. The same content again is the same attachment: the row that exists is answered, and
/// the new file is the caller's to remove.
pub fn keep_attachment(
    tx: &mut WriteTx,
    id: AttachmentId,
    upload: &Upload,
    wrapped_key: Vec<u8>,
) -> Result<AttachmentRow, DbError> {
    if let Some(known) = attachment_by_digest(tx.db, upload.organisation, &upload.sha256)? {
        return Ok(known);
    }
    let row = AttachmentRow {
        id: id.raw(),
        organisation_id: upload.organisation.raw(),
        file_name: upload.file_name.clone(),
        media_type: upload.media.text().to_owned(),
        byte_count: upload.byte_count,
        sha256: upload.sha256.clone(),
        wrapped_key,
        created_at: tx.now.naive(),
    };
    insert(tx, &[RowSet::of(std::slice::from_ref(&row))])?;
    Ok(row)
}

pub fn attachment(db: &mut Db, id: AttachmentId) -> Result<Option<AttachmentRow>, DbError> {
    Ok(table::table.find(id.raw()).select(AttachmentRow::as_select()).first(db).optional()?)
}

pub fn attachment_by_digest(db: &mut Db, of: OrganisationId, sha256: &str) -> Result<Option<AttachmentRow>, DbError> {
    let same = table::table.filter(table::organisation_id.eq(of.raw())).filter(table::sha256.eq(sha256));
    Ok(same.select(AttachmentRow::as_select()).first(db).optional()?)
}

/// Of one organisation, or of all; newest first.
pub fn attachments(db: &mut Db, of: Option<OrganisationId>, window: Window, limit: i64) -> Result<Vec<AttachmentRow>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(organisation) = of {
        query = query.filter(table::organisation_id.eq(organisation.raw()));
    }
    Ok(query.select(AttachmentRow::as_select()).load(db)?)
}
