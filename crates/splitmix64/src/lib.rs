//! SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine and in every version, which no crate of
//! random numbers promises. Weights, calibration and training are reproducible by it, so its streams never change.

/// 2⁶⁴ divided by the golden ratio.
const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of numbers; the field is its seed and state.
#[derive(Clone, Debug)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// The stream's next number.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(INCREMENT);
        mix(self.0)
    }
}

/// The number at `index` of the stream that begins at `seed`, from 0 on: it can be computed out of order.
#[inline]
pub fn at(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_mul(INCREMENT)))
}

/// The finaliser.
#[inline]
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The authors' own numbers for this seed.
    #[test]
    fn the_stream_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        let drawn = [(); 3].map(|()| random.next_u64());
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn an_index_is_a_place_in_the_stream() {
        let mut random = SplitMix64(7);
        for index in 1..5 {
            assert_eq!(at(7, index), random.next_u64());
        }
    }
}
