//! Secrets that the platform gives out: random, shown once, stored as their SHA-256. With that much entropy a slow hash adds nothing.

use crate::db::DbError;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// As it is stored, and looked for.
pub(super) fn digest(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The first `N` bytes that nobody can foresee.
pub(super) fn random<const N: usize>() -> Result<[u8; N], DbError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|error| DbError::Unavailable(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// For a cookie or a link: 256 random bits.
pub(super) fn token() -> Result<String, DbError> {
    Ok(hex::encode(random::<32>()?))
}

/// Takes the same time wherever the two differ.
pub(super) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
