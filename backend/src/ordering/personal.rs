//! Personal data at rest. Each person's data is encrypted with a key of its own, and that key with the master key from the configuration: deleting
//! the person's key erases the person. Postings, audit and events never carry any of it.

use crate::db::DbError;
use crate::notify::Sealing;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use chrono::NaiveDate;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const PERSON: &[u8] = b"airsettle-person-1";
const WRAP: &[u8] = b"airsettle-person-key-1";
const SIGNING: &[u8] = b"airsettle-signing-secret-1";
const NONCE: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Title {
    Mr,
    Ms,
    Mrs,
    Miss,
    Dr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gender {
    M,
    F,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub title: Title,
    pub gender: Gender,
    pub given_name: String,
    pub family_name: String,
    pub born_on: NaiveDate,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    /// The offer passenger on this adult's lap.
    pub infant: Option<i64>,
    /// Of a kind each.
    #[serde(default)]
    pub documents: Vec<PersonDocument>,
    /// The name that the ticket was issued in, where it was corrected since.
    #[serde(default)]
    pub ticketed: Option<PersonName>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    pub given_name: String,
    pub family_name: String,
}

/// What was kept when a person had one document at most.
#[derive(Deserialize)]
struct OneDocument {
    document: Option<PersonDocument>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonDocument {
    pub kind: String,
    pub unique_identifier: String,
    pub issuing_country_code: Option<String>,
    pub expires_on: Option<NaiveDate>,
}

/// What is stored: the data under the person's key, and that key under the master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    pub data: Vec<u8>,
    pub wrapped_key: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("a master key is 64 hexadecimal digits")]
    MasterKey,
    #[error("the system has no random bytes")]
    Random,
    #[error("the stored data does not open with this master key")]
    Unreadable,
}

/// Holds the master key; knows nothing else.
pub struct Vault {
    wrapping: [u8; 32],
    /// Keyed already: keying costs as much as digesting a short text.
    digesting: Hmac<Sha256>,
}

impl Vault {
    pub fn from_hex(master_key: &str) -> Result<Self, VaultError> {
        let master: [u8; 32] =
            hex::decode(master_key).ok().and_then(|bytes| bytes.try_into().ok()).ok_or(VaultError::MasterKey)?;
        // Two purposes, two keys: what digests must not be what decrypts.
        let derive = |purpose: &[u8]| -> [u8; 32] { Sha256::new().chain_update(purpose).chain_update(master).finalize().into() };
        let digesting = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&derive(b"airsettle-digest-1"));
        Ok(Vault { wrapping: derive(b"airsettle-wrap-1"), digesting: digesting.map_err(|_| VaultError::MasterKey)? })
    }

    pub fn seal(&self, person: &Person) -> Result<Sealed, VaultError> {
        let plain = serde_json::to_vec(person).map_err(|_| VaultError::Unreadable)?;
        let own: [u8; 32] = random()?;
        Ok(Sealed { data: encrypt(&own, PERSON, &plain)?, wrapped_key: encrypt(&self.wrapping, WRAP, &own)? })
    }

    pub fn open(&self, sealed: &Sealed) -> Result<Person, VaultError> {
        let own = decrypt(&self.wrapping, WRAP, &sealed.wrapped_key)?;
        let own: [u8; 32] = own.try_into().map_err(|_| VaultError::Unreadable)?;
        let plain = decrypt(&own, PERSON, &sealed.data)?;
        let mut person: Person = serde_json::from_slice(&plain).map_err(|_| VaultError::Unreadable)?;
        let earlier: OneDocument = serde_json::from_slice(&plain).map_err(|_| VaultError::Unreadable)?;
        person.documents.extend(earlier.document);
        Ok(person)
    }

    /// A secret that is used again, such as what signs deliveries.
    pub fn seal_secret(&self, secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        encrypt(&self.wrapping, SIGNING, secret)
    }

    pub fn open_secret(&self, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        decrypt(&self.wrapping, SIGNING, sealed)
    }

    /// A keyed digest: equal inputs are recognised, and nobody without the key can try out names or birth dates.
    pub fn digest(&self, bytes: &[u8]) -> String {
        let mut mac = self.digesting.clone();
        mac.update(bytes);
        let full = mac.finalize().into_bytes();
        hex::encode(full.get(..16).unwrap_or_default())
    }
}

impl Vault {
    /// A keyed digest that is a number, for what is looked up by the million. What is found by it is read and compared afterwards.
    pub fn token(&self, kind: &str, word: &str) -> i64 {
        let mut mac = self.digesting.clone();
        [b"name token ", kind.as_bytes(), b" ", word.as_bytes()].iter().for_each(|part| mac.update(part));
        let full = mac.finalize().into_bytes();
        full.first_chunk::<8>().map_or(0, |first| i64::from_be_bytes(*first))
    }
}

impl Sealing for Vault {
    fn sealed(&self, plain: &[u8]) -> Result<Vec<u8>, DbError> {
        self.seal_secret(plain).map_err(|error| DbError::Unavailable(error.to_string()))
    }

    fn opened(&self, sealed: &[u8]) -> Result<Vec<u8>, DbError> {
        self.open_secret(sealed).map_err(|error| DbError::Corrupt(error.to_string()))
    }
}

fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|_| VaultError::Random)?;
    Ok(bytes)
}

fn encrypt(key: &[u8; 32], purpose: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce: [u8; NONCE] = random()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let payload = Payload { msg: plain, aad: purpose };
    let body = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Unreadable)?;
    Ok([nonce.as_slice(), &body].concat())
}

fn decrypt(key: &[u8; 32], purpose: &[u8], stored: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (nonce, body) = stored.split_at_checked(NONCE).ok_or(VaultError::Unreadable)?;
    let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Unreadable)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&XNonce::from(nonce), Payload { msg: body, aad: purpose }).map_err(|_| VaultError::Unreadable)
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn person() -> Person {
        Person {
            title: Title::Ms,
            gender: Gender::F,
            given_name: "伟".into(),
            family_name: "Zhang".into(),
            born_on: NaiveDate::from_ymd_opt(1990, 2, 28).unwrap(),
            email: None,
            phone_number: None,
            infant: None,
            documents: Vec::new(),
            ticketed: None,
        }
    }

    #[test]
    fn a_person_is_read_with_both_keys_and_with_nothing_less() {
        let vault = Vault::from_hex(&"01".repeat(32)).unwrap();
        let sealed = vault.seal(&person()).unwrap();
        assert_eq!(vault.open(&sealed), Ok(person()));
        let other = Vault::from_hex(&"02".repeat(32)).unwrap();
        assert_eq!(other.open(&sealed), Err(VaultError::Unreadable));
        let erased = Sealed { wrapped_key: Vec::new(), ..sealed.clone() };
        assert_eq!(vault.open(&erased), Err(VaultError::Unreadable));
        assert_ne!(vault.seal(&person()).unwrap().data, sealed.data, "equal people are not seen to be equal");
        assert!(!String::from_utf8_lossy(&sealed.data).contains("Zhang"));
    }

    #[test]
    fn what_was_sealed_with_one_document_is_read_with_it() {
        let vault = Vault::from_hex(&"01".repeat(32)).unwrap();
        let earlier = br#"{"title":"ms","gender":"f","given_name":"Wei","family_name":"Zhang","born_on":"1990-02-28","email":null,
            "phone_number":null,"infant":null,"document":{"kind":"passport","unique_identifier":"E1","issuing_country_code":"CN","expires_on":null}}"#;
        let own = [7u8; 32];
        let data = encrypt(&own, PERSON, earlier).unwrap();
        let sealed = Sealed { data, wrapped_key: encrypt(&vault.wrapping, WRAP, &own).unwrap() };
        let person = vault.open(&sealed).unwrap();
        assert_eq!(person.documents.iter().map(|one| one.unique_identifier.as_str()).collect::<Vec<_>>(), ["E1"]);
        assert_eq!(vault.open(&vault.seal(&person).unwrap()), Ok(person), "and kept in today's form");
    }

    #[test]
    fn a_secret_is_opened_as_what_it_was_sealed_as() {
        let vault = Vault::from_hex(&"01".repeat(32)).unwrap();
        let sealed = vault.seal_secret(b"signs").unwrap();
        assert_eq!(vault.open_secret(&sealed).unwrap(), b"signs");
        assert!(!sealed.windows(5).any(|part| part == b"signs"));
        assert_eq!(vault.open_secret(&vault.seal(&person()).unwrap().wrapped_key), Err(VaultError::Unreadable));
    }

    #[test]
    fn a_master_key_is_64_hexadecimal_digits() {
        for wrong in ["", "zz", &"01".repeat(31), &"01".repeat(33)] {
            assert!(matches!(Vault::from_hex(wrong), Err(VaultError::MasterKey)), "{wrong}");
        }
    }
}
