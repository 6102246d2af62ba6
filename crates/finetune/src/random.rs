//! Random numbers that are a function of where they are used.

use splitmix64::SplitMix64;

/// A stream seeded by what it is for.
pub(crate) struct Random(SplitMix64);

impl Random {
    /// A stream of its own for each seed and place, such as an epoch and a photo's number.
    pub(crate) fn at(seed: u64, place: [u64; 2]) -> Self {
        let mut random = Self(SplitMix64(seed));
        for part in place {
            random.0.0 = random.next() ^ part.wrapping_mul(0xD1B5_4A32_D192_ED03);
        }
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number from 0 to `n` − 1; the bias is below n/2⁶⁴.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// A number in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Puts the items in random order (Fisher and Yates).
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, place| Random::at(seed, place).next();
        assert_eq!(draw(1, [2, 3]), draw(1, [2, 3]));
        assert!(draw(1, [2, 3]) != draw(1, [3, 2]) && draw(1, [2, 3]) != draw(2, [2, 3]));
        let mut random = Random::at(0, [0, 0]);
        let mut items: Vec<usize> = (0..100).collect();
        random.shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        let mean = (0..1000).map(|_| random.unit()).sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
        assert!((0..1000).all(|_| random.below(3) < 3));
    }
}
