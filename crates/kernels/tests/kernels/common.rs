//! Test data that is the same in every run, and comparisons.

use half::f16;
use kernels::{Activation, BLOCK, Isa, Output, PackedWeights, QuantizedActivations, WeightFormat, gemm};

pub const FORMATS: [WeightFormat; 2] = [WeightFormat::Q8_0, WeightFormat::Q4_0];

/// Numbers that are the same in every run: a 64-bit linear congruential generator.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Uniform in low..=high.
    pub fn integer(&mut self, low: i32, high: i32) -> i32 {
        low + (self.next() % (high - low + 1) as u32) as i32
    }

    /// Uniform in −1..1.
    pub fn float(&mut self) -> f32 {
        self.next() as f32 / (1u32 << 30) as f32 - 1.0
    }

    pub fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }
}

/// GGUF blocks of weights `[n, k]` from signed codes and scales.
pub fn blocks(
    format: WeightFormat,
    n: usize,
    k: usize,
    code: &mut dyn FnMut(usize, usize) -> i32,
    scale: &mut dyn FnMut() -> f32,
) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in 0..n {
        for block in 0..k / BLOCK {
            bytes.extend(f16::from_f32(scale()).to_le_bytes());
            let codes: Vec<i32> = (0..BLOCK).map(|i| code(row, block * BLOCK + i)).collect();
            match format {
                WeightFormat::Q8_0 => bytes.extend(codes.iter().map(|&c| c as i8 as u8)),
                WeightFormat::Q4_0 => {
                    bytes.extend((0..16).map(|i| (codes[i] + 8) as u8 | ((codes[i + 16] + 8) as u8) << 4));
                }
            }
        }
    }
    bytes
}

pub fn code_range(format: WeightFormat) -> (i32, i32) {
    match format {
        WeightFormat::Q8_0 => (-63, 63),
        WeightFormat::Q4_0 => (-8, 7),
    }
}

pub fn random_weights(random: &mut Random, format: WeightFormat, n: usize, k: usize) -> PackedWeights {
    let (low, high) = code_range(format);
    let mut other = Random(random.next().into());
    let bytes = blocks(format, n, k, &mut |_, _| random.integer(low, high), &mut || other.float() * 0.01);
    PackedWeights::pack(format, n, k, bytes).unwrap()
}

/// Every value within 1e-4, relative to the larger of 1 and the expected magnitude.
pub fn assert_close(isa: Isa, what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let tolerance = 1e-4 * expected.abs().max(1.0);
        assert!(
            (got - expected).abs() <= tolerance,
            "{}: {what}[{i}]: {got}, reference {expected}",
            isa.name()
        );
    }
}

pub fn product(
    isa: Isa,
    x: &[f32],
    w: &PackedWeights,
    bias: Option<&[f32]>,
    activation: Activation,
) -> Vec<f32> {
    let rows = x.len() / w.k();
    let mut a = QuantizedActivations::default();
    a.quantize(isa, w.format(), x, rows, w.k());
    let mut out = vec![f32::NAN; rows * w.n()];
    gemm(isa, &a, w, bias, activation, Output::Values(&mut out));
    out
}
