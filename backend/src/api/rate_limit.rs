//! How often one key may ask. Every (key, class) has a token bucket, kept as the single instant at which it will be full again: a
//! bucket that is full needs no memory. Memory is bounded: past [`MAX_BUCKETS`] the full ones are dropped, then the fullest half,
//! which errs in the client's favour. The core is pure and is told the time.

use super::code::Code;
use super::error::ApiError;
use crate::clock::Timestamp;
use crate::ids::{Id, KeyId};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use chrono::Duration;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

const MAX_BUCKETS: usize = 65_536;
const MICROS_PER_MINUTE: i64 = 60_000_000;

/// What is counted apart, so that a busy search does not stop a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    Search,
    Sale,
    Other,
    /// What nobody has to show a key for: counted per network address.
    Open,
}

/// A steady rate and how much may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub per_minute: u32,
    pub burst: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    pub search: Quota,
    pub sale: Quota,
    pub other: Quota,
    pub open: Quota,
}

#[derive(Debug)]
pub struct RateLimiter {
    quotas: Quotas,
    max_buckets: usize,
    full_at: Mutex<HashMap<(KeyId, Class), Timestamp>>,
}

/// The decision about one request and the figures that its answer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub limit: u32,
    pub remaining: u32,
    /// Seconds until the bucket is full again.
    pub reset_secs: u64,
    /// Seconds to wait, where the request was refused.
    pub retry_after_secs: Option<u64>,
}

impl RateLimiter {
    pub fn new(quotas: Quotas) -> Self {
        RateLimiter { quotas, max_buckets: MAX_BUCKETS, full_at: Mutex::new(HashMap::new()) }
    }

    /// Takes a token of a network address that shows no key.
    pub fn take_of_address(&self, address: Option<IpAddr>, now: Timestamp) -> Verdict {
        let mut hasher = DefaultHasher::new();
        address.hash(&mut hasher);
        // Negative: no key has such an id.
        let id = i64::try_from(hasher.finish() >> 1).unwrap_or(i64::MAX).saturating_neg();
        self.take(KeyId::of(id), Class::Open, now)
    }

    /// Takes a token if there is one.
    pub fn take(&self, key: KeyId, class: Class, now: Timestamp) -> Verdict {
        let quota = self.quotas.of(class);
        let mut full_at = self.full_at.lock();
        let known = full_at.get(&(key, class)).copied();
        let (verdict, next) = quota.decide(known, now);
        if known.is_none() && full_at.len() >= self.max_buckets {
            make_room(&mut full_at, self.max_buckets / 2, now);
        }
        full_at.insert((key, class), next);
        verdict
    }
}

impl Quotas {
    fn of(&self, class: Class) -> Quota {
        match class {
            Class::Search => self.search,
            Class::Sale => self.sale,
            Class::Other => self.other,
            Class::Open => self.open,
        }
    }
}

impl Quota {
    /// The decision, and the instant at which the bucket will be full after it. `full_at` is none for a bucket not seen lately.
    fn decide(self, full_at: Option<Timestamp>, now: Timestamp) -> (Verdict, Timestamp) {
        let per_token = MICROS_PER_MINUTE / i64::from(self.per_minute.max(1));
        let capacity = per_token * i64::from(self.burst.max(1));
        let missing = |full_at: Timestamp| full_at.since(now).num_microseconds().unwrap_or(i64::MAX);
        // A clock that went back must not close the key for longer than an empty bucket takes to fill.
        let spent = full_at.map_or(0, missing).clamp(0, capacity);
        let after = spent + per_token;
        let (spent, wait) = if after <= capacity { (after, None) } else { (spent, Some(seconds(after - capacity))) };
        let remaining = u32::try_from((capacity - spent) / per_token).unwrap_or(0);
        let verdict = Verdict { limit: self.burst.max(1), remaining, reset_secs: seconds(spent), retry_after_secs: wait };
        (verdict, now.plus(Duration::microseconds(spent)))
    }
}

impl Verdict {
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("ratelimit-limit", self.limit.to_string()),
            ("ratelimit-remaining", self.remaining.to_string()),
            ("ratelimit-reset", self.reset_secs.to_string()),
        ]
    }

    /// Writes the figures into an answer.
    pub fn stamp(&self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }

    /// An error with all its headers where the request was refused.
    pub fn check(&self) -> Result<(), ApiError> {
        let Some(wait) = self.retry_after_secs else { return Ok(()) };
        let message = format!("The key may ask again in {wait} seconds.");
        let error = ApiError::new(Code::RateLimited, message).retry_after(wait);
        Err(self.headers().into_iter().fold(error, |error, (name, value)| error.with_header(name, value)))
    }
}

fn make_room(full_at: &mut HashMap<(KeyId, Class), Timestamp>, keep: usize, now: Timestamp) {
    full_at.retain(|_, full_at| *full_at > now);
    if full_at.len() <= keep {
        return;
    }
    let mut instants: Vec<Timestamp> = full_at.values().copied().collect();
    instants.sort_unstable();
    let Some(threshold) = instants.get(instants.len() - keep - 1).copied() else { return };
    full_at.retain(|_, full_at| *full_at > threshold);
}

fn seconds(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0).div_ceil(1_000_000)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const QUOTA: Quota = Quota { per_minute: 60, burst: 3 };

    fn limiter() -> RateLimiter {
        RateLimiter::new(Quotas { search: QUOTA, sale: Quota { per_minute: 6, burst: 1 }, other: QUOTA, open: QUOTA })
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn a_burst_is_served_and_then_the_steady_rate() {
        let limiter = limiter();
        let key = KeyId::of(1);
        let left: Vec<u32> = (0..3).map(|_| limiter.take(key, Class::Search, at(0)).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = limiter.take(key, Class::Search, at(0));
        assert_eq!(refused, Verdict { limit: 3, remaining: 0, reset_secs: 3, retry_after_secs: Some(1) });
        assert!(limiter.take(key, Class::Search, at(999)).check().is_err(), "a refusal costs nothing but is still a refusal");
        assert!(limiter.take(key, Class::Search, at(1_000)).check().is_ok());
        assert_eq!(limiter.take(key, Class::Search, at(60_000)).remaining, 2, "a full bucket holds no more than its burst");
    }

    #[test]
    fn classes_and_keys_are_counted_apart() {
        let limiter = limiter();
        assert!(limiter.take(KeyId::of(1), Class::Sale, at(0)).check().is_ok());
        assert_eq!(limiter.take(KeyId::of(1), Class::Sale, at(0)).retry_after_secs, Some(10));
        assert!(limiter.take(KeyId::of(1), Class::Search, at(0)).check().is_ok());
        assert!(limiter.take(KeyId::of(2), Class::Sale, at(0)).check().is_ok());
    }

    #[test]
    fn addresses_are_counted_apart() {
        let limiter = limiter();
        let [one, other] = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().ok());
        for _ in 0..3 {
            assert!(limiter.take_of_address(one, at(0)).check().is_ok());
        }
        assert!(limiter.take_of_address(one, at(0)).check().is_err());
        assert!(limiter.take_of_address(other, at(0)).check().is_ok());
    }

    #[test]
    fn a_refusal_has_its_code_and_headers() {
        let limiter = limiter();
        limiter.take(KeyId::of(1), Class::Sale, at(0));
        let error = limiter.take(KeyId::of(1), Class::Sale, at(1)).check().unwrap_err();
        assert_eq!(error.code(), Code::RateLimited);
        let response = error.response("r", "");
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            (response.status().as_u16(), header("retry-after"), header("ratelimit-limit")),
            (429, "10".into(), "1".into())
        );
        let mut headers = HeaderMap::new();
        limiter.take(KeyId::of(2), Class::Search, at(0)).stamp(&mut headers);
        assert_eq!(headers.get("ratelimit-remaining").unwrap(), "2");
        assert_eq!((header("ratelimit-remaining"), header("ratelimit-reset")), ("0".into(), "10".into()));
    }

    #[test]
    fn a_clock_that_goes_back_closes_a_key_for_a_moment_at_most() {
        let limiter = limiter();
        limiter.take(KeyId::of(1), Class::Search, at(86_400_000));
        assert_eq!(limiter.take(KeyId::of(1), Class::Search, at(0)).retry_after_secs, Some(1));
        assert!(limiter.take(KeyId::of(1), Class::Search, at(1_000)).check().is_ok());
    }

    #[test]
    fn memory_is_bounded_and_the_emptiest_buckets_stay() {
        let limiter = RateLimiter { max_buckets: 100, ..limiter() };
        let busy = KeyId::of(1);
        for _ in 0..3 {
            limiter.take(busy, Class::Search, at(0));
        }
        for key in 2..1_000 {
            limiter.take(KeyId::of(key), Class::Search, at(0));
            assert!(limiter.full_at.lock().len() <= 100);
        }
        assert!(limiter.take(busy, Class::Search, at(0)).check().is_err(), "the busy key was not forgotten");
    }
}
