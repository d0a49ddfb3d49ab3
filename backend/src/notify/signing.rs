//! What a delivery is signed with, twice: as Standard Webhooks have it, and as receivers of the Duffel API expect it. The keys differ: the first takes
//! the bytes of the secret, the second its text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const BYTES: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the system has no random bytes")]
    Random,
    #[error("the stored secret is not one")]
    Unreadable,
}

/// A signing secret: `whsec_` and 32 bytes in base 64. It is shown once and kept under the master key, because it is used again.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret([u8; BYTES]);

impl SigningSecret {
    pub fn new() -> Result<Self, SecretError> {
        let mut bytes = [0u8; BYTES];
        getrandom::fill(&mut bytes).map_err(|_| SecretError::Random)?;
        Ok(SigningSecret(bytes))
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretError> {
        Ok(SigningSecret(bytes.try_into().map_err(|_| SecretError::Unreadable)?))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn text(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.0))
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningSecret")
    }
}

/// The headers of one delivery. While a secret is being replaced, both live ones sign, the new one first.
pub fn signed_headers(secrets: &[SigningSecret], id: &str, unix_secs: i64, body: &[u8]) -> [(&'static str, String); 4] {
    let standard = |secret: &SigningSecret| {
        let signed = [format!("{id}.{unix_secs}.").as_bytes(), body].concat();
        format!("v1,{}", STANDARD.encode(mac(secret.bytes(), &signed)))
    };
    let duffel = |secret: &SigningSecret| {
        let signed = [format!("{unix_secs}.").as_bytes(), body].concat();
        format!("v1={}", hex::encode(mac(secret.text().as_bytes(), &signed)))
    };
    let all = |sign: &dyn Fn(&SigningSecret) -> String, by: &str| secrets.iter().map(sign).collect::<Vec<_>>().join(by);
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", unix_secs.to_string()),
        ("webhook-signature", all(&standard, " ")),
        ("x-duffel-signature", format!("t={unix_secs},{}", all(&duffel, ","))),
    ]
}

fn mac(key: &[u8], signed: &[u8]) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(signed);
            mac.finalize().into_bytes().to_vec()
        }
        // HMAC takes keys of any length.
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks specification's reference libraries.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signed = b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}";
        assert_eq!(STANDARD.encode(mac(&secret, signed)), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let [new, old] = [SigningSecret([1; BYTES]), SigningSecret([2; BYTES])];
        let alone = signed_headers(std::slice::from_ref(&old), "evt_1", 1_616_202_842, b"{}");
        let both = signed_headers(&[new.clone(), old], "evt_1", 1_616_202_842, b"{}");
        assert_eq!(both[2].1.split(' ').nth(1), Some(alone[2].1.as_str()));
        assert_eq!(both[3].1.split(',').nth(2), alone[3].1.split(',').nth(1));
        assert!(both[3].1.starts_with("t=1616202842,v1="));
        assert!(new.text().starts_with("whsec_AQEB"));
        assert_eq!(format!("{new:?}"), "SigningSecret", "a log line does not show it");
    }
}
