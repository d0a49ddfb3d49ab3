//! Chance that can be repeated: the same seed plays the same quarter.

/// `SplitMix64`.
pub(super) struct Dice(u64);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below a number.
    pub fn below(&mut self, number: u64) -> u64 {
        self.next().checked_rem(number).unwrap_or(0)
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub fn pick<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        let place = self.below(u64::try_from(among.len()).unwrap_or(0));
        among.get(usize::try_from(place).unwrap_or(0))
    }
}
