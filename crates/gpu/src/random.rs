//! Data for checks of the device.

use half::f16;
use kernels::{BLOCK, WeightFormat};

/// Numbers that are the same in every run: a 64-bit linear congruential generator.
pub(crate) struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Uniform in −`half`…`half`.
    pub fn spread(&mut self, half: f32) -> f32 {
        (self.next() as f32 / (1u32 << 30) as f32 - 1.0) * half
    }

    /// GGUF blocks of weights `[n, k]` with a variance of about 1/k.
    pub fn blocks(&mut self, format: WeightFormat, n: usize, k: usize) -> Vec<u8> {
        let largest = f32::from(format.largest_code());
        let mut bytes = Vec::with_capacity(n * k / BLOCK * format.block_bytes());
        for _ in 0..n * k / BLOCK {
            // Uniform codes up to the largest have a third of its square as their variance.
            let scale = (3.0 / k as f32).sqrt() / largest * (1.0 + self.spread(0.3));
            bytes.extend(f16::from_f32(scale).to_le_bytes());
            match format {
                WeightFormat::Q8_0 => bytes.extend((0..BLOCK).map(|_| self.spread(63.0).round() as i8 as u8)),
                WeightFormat::Q4_0 => bytes.extend((0..BLOCK / 2).map(|_| self.next() as u8)),
            }
        }
        bytes
    }
}
