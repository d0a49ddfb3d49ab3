//! One-time codes by the clock (RFC 6238): SHA-1, six digits, thirty seconds, as every authenticator app understands them.

use super::secret::same;
use crate::clock::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

pub const SECRET_BYTES: usize = 20;
const STEP_SECS: i64 = 30;
/// A code of the step before or after is taken too: clocks differ.
const DRIFT: i64 = 1;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The time step of a moment.
pub fn step_at(now: Timestamp) -> i64 {
    now.naive().and_utc().timestamp().div_euclid(STEP_SECS)
}

/// The code of a step.
pub fn code(secret: &[u8], step: i64) -> String {
    let Ok(mut mac) = <Hmac<Sha1> as KeyInit>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let full = mac.finalize().into_bytes();
    let offset = usize::from(full.last().copied().unwrap_or(0) & 15);
    let word = full.get(offset..offset + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    format!("{:06}", (word & 0x7fff_ffff) % 1_000_000)
}

/// The step of a code that is right now and was not used: later than `last`.
pub fn step_of(secret: &[u8], given: &str, now: Timestamp, last: i64) -> Option<i64> {
    let here = step_at(now);
    // All of them are compared, whichever fits.
    let fitting: Vec<i64> =
        (here - DRIFT..=here + DRIFT).filter(|step| same(code(secret, *step).as_bytes(), given.as_bytes())).collect();
    fitting.into_iter().find(|step| *step > last)
}

/// As an app takes it when it is typed in.
pub fn base32(bytes: &[u8]) -> String {
    let bits: Vec<u8> = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| (byte >> place) & 1)).collect();
    let symbol = |chunk: &[u8]| {
        let value = (0..5).fold(0usize, |value, place| value << 1 | usize::from(chunk.get(place).copied().unwrap_or(0)));
        char::from(BASE32.get(value).copied().unwrap_or(b'A'))
    };
    bits.chunks(5).map(symbol).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_millis(secs * 1_000).unwrap()
    }

    /// The vectors of RFC 6238, appendix B; theirs have eight digits.
    #[test]
    fn the_published_vectors() {
        for (secs, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
        ] {
            assert_eq!(code(SECRET, step_at(at(secs))), expected);
        }
        assert_eq!(base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(base32(b"f"), "MY");
    }

    #[test]
    fn a_code_is_right_for_a_minute_and_a_half_and_once() {
        let now = at(1_111_111_111);
        let here = step_at(now);
        for step in here - 1..=here + 1 {
            assert_eq!(step_of(SECRET, &code(SECRET, step), now, 0), Some(step));
        }
        for step in [here - 2, here + 2] {
            assert_eq!(step_of(SECRET, &code(SECRET, step), now, 0), None);
        }
        assert_eq!(step_of(SECRET, &code(SECRET, here), now, here), None, "used");
        assert_eq!(step_of(SECRET, "", now, 0), None);
    }
}
