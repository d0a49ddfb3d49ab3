//! Chance that can be repeated: every test that draws prints its seed.

use std::time::Duration;

/// As the long runs do it: new seeds, unless one is named.
pub fn is_long() -> bool {
    std::env::var("AIRSETTLE_TEST_LONG").is_ok_and(|value| value == "1")
}

/// A small generator (xorshift64*): nothing here has to be unguessable.
pub struct Chance(u64);

impl Chance {
    /// The short runs repeat `seed`; the long ones draw a new one.
    pub fn new(seed: u64) -> Self {
        let seed = match std::env::var("AIRSETTLE_TEST_SEED") {
            Ok(named) => named.parse().unwrap(),
            Err(_) if is_long() => u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap(),
            Err(_) => seed,
        };
        println!("AIRSETTLE_TEST_SEED={seed}");
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    pub fn millis(&mut self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(range.start + self.below(range.end - range.start))
    }
}
