//! Test data that is the same in every run.

use half::f16;
use kernels::{BLOCK, WeightFormat};
use splitmix64::SplitMix64;

pub struct Random(SplitMix64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64(seed))
    }

    /// Uniform in −1…1.
    pub fn float(&mut self) -> f32 {
        (self.0.next_u64() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    pub fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }

    fn below(&mut self, end: u64) -> i32 {
        (self.0.next_u64() % end) as i32
    }

    /// GGUF blocks of weights `[n, k]` whose sums over k values stay near 1, and the values they stand for.
    pub fn blocks(&mut self, format: WeightFormat, n: usize, k: usize) -> (Vec<u8>, Vec<f32>) {
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        let (codes, offset) = match format {
            WeightFormat::Q8_0 => (127, 63),
            WeightFormat::Q4_0 => (16, 8),
        };
        let largest = (3.0 / k as f32).sqrt() / offset as f32;
        for _ in 0..n * k / BLOCK {
            let scale = f16::from_f32(self.float() * largest);
            let codes: [i32; BLOCK] = std::array::from_fn(|_| self.below(codes) - offset);
            bytes.extend(scale.to_le_bytes());
            match format {
                WeightFormat::Q8_0 => bytes.extend(codes.map(|code| code as i8 as u8)),
                WeightFormat::Q4_0 => bytes.extend(
                    (0..BLOCK / 2).map(|i| (codes[i] + 8) as u8 | ((codes[i + BLOCK / 2] + 8) as u8) << 4),
                ),
            }
            values.extend(codes.map(|code| scale.to_f32() * code as f32));
        }
        (bytes, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernels::PackedWeights;

    #[test]
    fn blocks_stand_for_their_values() {
        let mut random = Random::new(1);
        for format in [WeightFormat::Q8_0, WeightFormat::Q4_0] {
            let (bytes, values) = random.blocks(format, 3, 64);
            assert_eq!(PackedWeights::pack(format, 3, 64, bytes).unwrap().dequantize(), values);
        }
        assert!(random.floats(1000).iter().all(|x| x.abs() <= 1.0));
    }
}
