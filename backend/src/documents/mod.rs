//! Documents that people upload: what they are is found out from their first bytes, their content is encrypted and kept in the data folder, and a row
//! keeps what is known about them.

mod attachment;
mod cabinet;
mod media;

pub use attachment::{AttachmentError, AttachmentRow, Upload, attachment, attachment_by_digest, attachments, keep_attachment};
pub use cabinet::{Cabinet, CabinetError};
pub use media::{MAX_ATTACHMENT_BYTES, MediaType};
