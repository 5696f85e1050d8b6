//! Reproducible random numbers (SplitMix64). A round has a generator of its own, so that it does not depend on others.

use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Returns the generator of one round.
    pub(crate) fn of_round(seed: u64, round: u64) -> Self {
        let mut random = Self(seed);
        let start = random.next();
        Self(start ^ round.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`, or 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next().checked_rem(limit).unwrap_or(0)
    }

    /// Is true in this many of 100 cases.
    pub(crate) fn per_cent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// Returns a time between two numbers of milliseconds.
    pub(crate) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.below(most.saturating_sub(least) + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_round_determine_the_numbers() {
        let numbers = |seed, round| {
            let mut random = Random::of_round(seed, round);
            [random.below(1000), random.below(1000), random.below(1000), random.below(1000)]
        };
        assert_eq!(numbers(7, 3), numbers(7, 3));
        assert_ne!(numbers(7, 3), numbers(7, 4));
        assert_ne!(numbers(7, 3), numbers(8, 3));
    }

    #[test]
    fn numbers_stay_within_their_limits() {
        let mut random = Random::of_round(1, 1);
        for _ in 0..1000 {
            assert!(random.below(3) < 3);
            let time = random.millis(5, 7).as_millis();
            assert!((5..=7).contains(&time));
            assert!(!random.per_cent(0) && random.per_cent(100));
        }
        assert_eq!(random.below(0), 0);
    }
}
