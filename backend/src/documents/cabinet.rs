//! The contents of attachments, one file each: encrypted with a key of its own, which is wrapped with the master key and kept in the row. A file is
//! written under another name, brought to the disk and renamed before its row is committed, so a row always has its file.

use crate::ids::{AttachmentId, Id};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

const CONTENT: &[u8] = b"airsettle-attachment-1";
const WRAP: &[u8] = b"airsettle-attachment-key-1";
const NONCE: usize = 24;

#[derive(Debug, thiserror::Error)]
pub enum CabinetError {
    #[error("a master key is 64 hexadecimal digits")]
    MasterKey,
    #[error("the system has no random bytes")]
    Random,
    #[error("the stored content does not open with this master key")]
    Unreadable,
    #[error("attachment: {0}")]
    Io(#[from] std::io::Error),
}

pub struct Cabinet {
    folder: PathBuf,
    wrapping: [u8; 32],
}

impl Cabinet {
    /// The folder is made with the first file.
    pub fn open(folder: PathBuf, master_key: &str) -> Result<Self, CabinetError> {
        let master: [u8; 32] =
            hex::decode(master_key).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(CabinetError::MasterKey)?;
        // A purpose of its own: what wraps people's keys does not wrap these.
        let wrapping = Sha256::new().chain_update(b"airsettle-attachments-1").chain_update(master).finalize().into();
        Ok(Cabinet { folder, wrapping })
    }

    fn path(&self, id: AttachmentId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Stores a content; answers its wrapped key.
    pub fn put(&self, id: AttachmentId, content: &[u8]) -> Result<Vec<u8>, CabinetError> {
        let own: [u8; 32] = random()?;
        let sealed = encrypt(&own, CONTENT, id, content)?;
        fs::create_dir_all(&self.folder)?;
        let (path, unfinished) = (self.path(id), self.folder.join(format!("{id}.new")));
        let mut file = File::create(&unfinished)?;
        file.write_all(&sealed)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(&self.folder)?.sync_all()?;
        encrypt(&self.wrapping, WRAP, id, &own)
    }

    /// A content whose row was not kept.
    pub fn discard(&self, id: AttachmentId) -> Result<(), CabinetError> {
        Ok(fs::remove_file(self.path(id))?)
    }

    pub fn get(&self, id: AttachmentId, wrapped_key: &[u8]) -> Result<Vec<u8>, CabinetError> {
        let own = decrypt(&self.wrapping, WRAP, id, wrapped_key)?;
        let own: [u8; 32] = own.try_into().map_err(|_| CabinetError::Unreadable)?;
        decrypt(&own, CONTENT, id, &fs::read(self.path(id))?)
    }
}

fn random<const N: usize>() -> Result<[u8; N], CabinetError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|_| CabinetError::Random)?;
    Ok(bytes)
}

/// The id is sealed with it: a file under another's name does not open.
fn bound(purpose: &[u8], id: AttachmentId) -> Vec<u8> {
    [purpose, &id.raw().to_be_bytes()].concat()
}

fn encrypt(key: &[u8; 32], purpose: &[u8], id: AttachmentId, plain: &[u8]) -> Result<Vec<u8>, CabinetError> {
    let nonce: [u8; NONCE] = random()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let payload = Payload { msg: plain, aad: &bound(purpose, id) };
    let body = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| CabinetError::Unreadable)?;
    Ok([nonce.as_slice(), &body].concat())
}

fn decrypt(key: &[u8; 32], purpose: &[u8], id: AttachmentId, stored: &[u8]) -> Result<Vec<u8>, CabinetError> {
    let (nonce, body) = stored.split_at_checked(NONCE).ok_or(CabinetError::Unreadable)?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| CabinetError::Unreadable)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let payload = Payload { msg: body, aad: &bound(purpose, id) };
    cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| CabinetError::Unreadable)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_content_opens_with_its_key_under_its_name_only() {
        let folder = tempfile::tempdir().unwrap();
        let cabinet = Cabinet::open(folder.path().join("attachments"), &"07".repeat(32)).unwrap();
        let (one, two) = (AttachmentId::of(1), AttachmentId::of(2));
        let key = cabinet.put(one, b"%PDF-certificate").unwrap();
        assert_eq!(cabinet.get(one, &key).unwrap(), b"%PDF-certificate");
        let stored = fs::read(cabinet.path(one)).unwrap();
        assert!(!stored.windows(11).any(|part| part == b"certificate"), "the file is not readable");
        fs::copy(cabinet.path(one), cabinet.path(two)).unwrap();
        assert!(matches!(cabinet.get(two, &key), Err(CabinetError::Unreadable)));
        let other = Cabinet::open(folder.path().join("attachments"), &"08".repeat(32)).unwrap();
        assert!(matches!(other.get(one, &key), Err(CabinetError::Unreadable)));
    }
}
