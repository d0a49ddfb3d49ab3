//! The bank's signed notification: a POST whose body says what became of one reference, and a header
//! `x-bank-signature: t=<unix seconds>,v1=<hex>` where `v1` is HMAC-SHA256 over `<unix seconds>.<body>` with the shared secret.
//!
//! The receiver verifies before it parses, refuses what is older than it allows (a recorded notification cannot be played back
//! for ever) and takes a notification with a known `event_id` as done: the bank repeats until it gets a 2xx, and sometimes after.
//! Bounds: body 16 KiB, header 512 bytes, four signatures (while a key is rotated).

use super::{
    PaymentStatus,
    wire::{WirePayment, WireStatus},
};
use crate::clock::Timestamp;
use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fmt;

/// Lower case, as HTTP libraries want it.
pub const SIGNATURE_HEADER: &str = "x-bank-signature";
/// The largest body, in bytes, that is parsed.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

const MAX_HEADER_BYTES: usize = 512;
const MAX_SIGNATURES: usize = 4;
const MIN_SECRET_BYTES: usize = 16;
/// How far the bank's clock may run ahead of ours.
const MAX_AHEAD_SECS: i64 = 60;

/// The secret shared with the bank, already keyed. Never printed.
#[derive(Clone)]
pub struct CallbackSecret(Hmac<Sha256>);

/// What the bank tells us, at least once per event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankNotification {
    /// The same for every delivery of one event.
    pub event_id: String,
    pub reference: String,
    /// Never `NotFound`.
    pub status: PaymentStatus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a callback secret has at least {MIN_SECRET_BYTES} bytes")]
pub struct WeakSecret;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the signature header is not of the form t=…,v1=…")]
    Malformed,
    #[error("no signature matches the body")]
    Mismatch,
    #[error("the notification was signed too long ago")]
    TooOld,
    #[error("the notification was signed in the future")]
    FromTheFuture,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a readable notification: {0}")]
pub struct UnreadableNotification(String);

#[derive(Serialize, Deserialize)]
struct WireNotification {
    event_id: String,
    #[serde(flatten)]
    payment: WirePayment,
}

impl CallbackSecret {
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        if text.len() < MIN_SECRET_BYTES {
            return Err(WeakSecret);
        }
        Hmac::new_from_slice(text.as_bytes()).map(CallbackSecret).map_err(|_| WeakSecret)
    }

    fn mac(&self, unix_secs: i64, body: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(unix_secs.to_string()).chain_update(b".").chain_update(body)
    }
}

impl fmt::Debug for CallbackSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackSecret(…)")
    }
}

/// The header value for a body sent at `at`.
pub fn sign(secret: &CallbackSecret, at: Timestamp, body: &[u8]) -> String {
    let unix_secs = at.utc().timestamp();
    let digest = secret.mac(unix_secs, body).finalize().into_bytes();
    format!("t={unix_secs},v1={}", hex::encode(digest))
}

/// Accepts the body if any signature in the header matches any of the secrets (two while a key is rotated) and was made at most
/// `max_age` before `now`. Comparison takes the same time wherever the difference is.
pub fn verify(
    secrets: &[CallbackSecret],
    header: &str,
    body: &[u8],
    now: Timestamp,
    max_age: Duration,
) -> Result<(), SignatureError> {
    let (unix_secs, signatures) = read_header(header).ok_or(SignatureError::Malformed)?;
    let matches = |secret: &CallbackSecret| {
        let mac = secret.mac(unix_secs, body);
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    };
    if !secrets.iter().any(matches) {
        return Err(SignatureError::Mismatch);
    }
    let age_secs = now.utc().timestamp().saturating_sub(unix_secs);
    if age_secs > max_age.num_seconds() {
        return Err(SignatureError::TooOld);
    }
    if age_secs < -MAX_AHEAD_SECS {
        return Err(SignatureError::FromTheFuture);
    }
    Ok(())
}

fn read_header(header: &str) -> Option<(i64, Vec<[u8; 32]>)> {
    if header.len() > MAX_HEADER_BYTES {
        return None;
    }
    let (mut unix_secs, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", _) if unix_secs.is_some() => return None,
            ("t", secs) => unix_secs = Some(secs.parse::<u32>().ok()?),
            ("v1", _) if signatures.len() == MAX_SIGNATURES => return None,
            ("v1", digits) => {
                let mut signature = [0; 32];
                hex::decode_to_slice(digits, &mut signature).ok()?;
                signatures.push(signature);
            }
            // A scheme of a later version stands beside v1 without breaking it.
            _ => {}
        }
    }
    Some((i64::from(unix_secs?), signatures))
}

impl BankNotification {
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableNotification> {
        if body.len() > MAX_BODY_BYTES {
            return Err(UnreadableNotification(format!("more than {MAX_BODY_BYTES} bytes")));
        }
        let wire: WireNotification = serde_json::from_slice(body).map_err(|error| UnreadableNotification(error.to_string()))?;
        let status = PaymentStatus::try_from(wire.payment.status).map_err(|error| UnreadableNotification(error.to_string()))?;
        if status == PaymentStatus::NotFound {
            return Err(UnreadableNotification("it says that the payment was not found".into()));
        }
        Ok(BankNotification { event_id: wire.event_id, reference: wire.payment.reference, status })
    }

    /// The flat JSON body: `event_id`, `reference`, `status` and what belongs to the status.
    pub fn to_body(&self) -> Result<Vec<u8>, serde_json::Error> {
        let payment = WirePayment { reference: self.reference.clone(), status: WireStatus::from(&self.status) };
        serde_json::to_vec(&WireNotification { event_id: self.event_id.clone(), payment })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};
    use proptest::prelude::*;

    fn secret(text: &str) -> CallbackSecret {
        CallbackSecret::parse(text).unwrap()
    }

    fn at(unix_secs: i64) -> Timestamp {
        Timestamp::from_millis(unix_secs * 1_000).unwrap()
    }

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const NOW: i64 = 1_767_225_600;
    const BODY: &[u8] = br#"{"reference":"adv_1-1"}"#;

    fn verdict(header: &str, body: &[u8], now: i64) -> Result<(), SignatureError> {
        verify(&[secret(KEY)], header, body, at(now), Duration::seconds(300))
    }

    #[test]
    fn the_signature_is_the_hmac_of_time_and_body() {
        // printf '1767225600.{"reference":"adv_1-1"}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        let expected = "t=1767225600,v1=b6d7ef718c097b80013fa2d95485e10877ff63e65325f978fcc6d0685db294bf";
        assert_eq!(sign(&secret(KEY), at(NOW), BODY), expected);
        assert_eq!(verdict(expected, BODY, NOW), Ok(()));
    }

    #[test]
    fn a_changed_body_time_or_key_is_refused() {
        let header = sign(&secret(KEY), at(NOW), BODY);
        assert_eq!(verdict(&header, br#"{"reference":"adv_1-2"}"#, NOW), Err(SignatureError::Mismatch));
        assert_eq!(verdict(&header.replace("t=1767225600", "t=1767225601"), BODY, NOW), Err(SignatureError::Mismatch));
        let other = sign(&secret("another secret of some length"), at(NOW), BODY);
        assert_eq!(verdict(&other, BODY, NOW), Err(SignatureError::Mismatch));
        assert_eq!(verdict("t=1767225600", BODY, NOW), Err(SignatureError::Mismatch));
    }

    #[test]
    fn age_is_bounded_on_both_sides() {
        let header = sign(&secret(KEY), at(NOW), BODY);
        assert_eq!(verdict(&header, BODY, NOW + 300), Ok(()));
        assert_eq!(verdict(&header, BODY, NOW + 301), Err(SignatureError::TooOld));
        assert_eq!(verdict(&header, BODY, NOW - 60), Ok(()));
        assert_eq!(verdict(&header, BODY, NOW - 61), Err(SignatureError::FromTheFuture));
    }

    #[test]
    fn both_keys_are_accepted_while_one_replaces_the_other() {
        let new = secret("the next secret, also long enough");
        let header = sign(&new, at(NOW), BODY);
        assert_eq!(verify(&[secret(KEY), new], &header, BODY, at(NOW), Duration::seconds(300)), Ok(()));
        let two = format!("{},v1={}", sign(&secret(KEY), at(NOW), BODY), "00".repeat(32));
        assert_eq!(verdict(&two, BODY, NOW), Ok(()));
    }

    #[test]
    fn a_header_of_another_form_is_malformed() {
        let good = sign(&secret(KEY), at(NOW), BODY);
        let digest = good.split_once(",v1=").unwrap().1;
        let endless = format!("{good}{}", format!(",v1={digest}").repeat(10));
        for header in ["", "t", "v1=00", "t=-1,v1=00", "t=1,t=2", "t=1,v1=zz", "t=99999999999,v1=", "nonsense", &endless] {
            assert_eq!(verdict(header, BODY, NOW), Err(SignatureError::Malformed), "{header}");
        }
        assert!(CallbackSecret::parse("short").is_err());
        assert!(!format!("{:?}", secret(KEY)).contains("0123"), "a secret is never printed");
    }

    #[test]
    fn a_notification_reads_back_what_was_written() {
        let amount = Money::parse("915.00", Currency::CNY).unwrap();
        let settled = PaymentStatus::Settled { amount, settled_at: at(NOW), bank_reference: "SIM0000000001".into() };
        let refused = PaymentStatus::Refused { code: "AC04".into(), reason: "closed account".into(), is_final: true };
        for status in [settled, refused, PaymentStatus::Accepted] {
            let sent = BankNotification { event_id: "evt_1".into(), reference: "adv_1-1".into(), status };
            assert_eq!(BankNotification::parse(&sent.to_body().unwrap()).unwrap(), sent);
        }
        let absent = BankNotification { event_id: "e".into(), reference: "r".into(), status: PaymentStatus::NotFound };
        assert!(BankNotification::parse(&absent.to_body().unwrap()).is_err());
    }

    #[test]
    fn the_body_is_flat_with_decimal_strings() {
        let amount = Money::parse("915.00", Currency::CNY).unwrap();
        let status = PaymentStatus::Settled { amount, settled_at: at(NOW), bank_reference: "SIM0000000001".into() };
        let sent = BankNotification { event_id: "evt_1".into(), reference: "adv_1-1".into(), status };
        let expected = concat!(
            r#"{"event_id":"evt_1","reference":"adv_1-1","status":"settled","amount":"915.00","currency":"CNY","#,
            r#""settled_at":"2026-01-01T00:00:00.000000Z","bank_reference":"SIM0000000001"}"#
        );
        assert_eq!(String::from_utf8(sent.to_body().unwrap()).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn outside_bytes_never_panic(header in ".{0,80}", body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = verdict(&header, &body, NOW);
            let _ = BankNotification::parse(&body);
        }
    }
}
