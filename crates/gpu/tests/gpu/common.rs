//! Test data that is the same in every run, a GPU, and comparisons.

use ::kernels::{BLOCK, WeightFormat};
use gpu::{Gpu, GpuOptions, Tile};
use half::f16;

pub fn gpu() -> Gpu {
    gpu_with(None)
}

/// A GPU whose matrix products all have this tile.
pub fn gpu_with(tile: Option<Tile>) -> Gpu {
    requested(GpuOptions { tile, ..GpuOptions::default() })
}

/// A GPU that leaves operations of subgroups aside.
pub fn gpu_without_subgroups() -> Gpu {
    requested(GpuOptions { no_subgroups: true, ..GpuOptions::default() })
}

fn requested(options: GpuOptions) -> Gpu {
    let options = GpuOptions { allow_software: true, ..options };
    pollster::block_on(Gpu::request(options)).unwrap_or_else(|e| {
        panic!(
            "{e}: these tests need any Vulkan, Metal or DX12 driver; Debian's mesa-vulkan-drivers has one \
             that needs no GPU"
        )
    })
}

/// Numbers that are the same in every run: a 64-bit linear congruential generator.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as u32
    }

    /// Uniform in −1..1.
    pub fn float(&mut self) -> f32 {
        self.next() as f32 / (1u32 << 30) as f32 - 1.0
    }

    pub fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.float()).collect()
    }

    /// GGUF blocks of random weights `[n, k]`, and the values they stand for.
    pub fn blocks(&mut self, format: WeightFormat, n: usize, k: usize) -> (Vec<u8>, Vec<f32>) {
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        for _ in 0..n * k / BLOCK {
            let scale = f16::from_f32(self.float() * 0.01);
            bytes.extend(scale.to_le_bytes());
            let (codes, stored): (Vec<i32>, Vec<u8>) = match format {
                WeightFormat::Q8_0 => {
                    let codes: Vec<i32> = (0..BLOCK).map(|_| self.next() as i32 % 127 - 63).collect();
                    let stored = codes.iter().map(|&c| c as i8 as u8).collect();
                    (codes, stored)
                }
                WeightFormat::Q4_0 => {
                    let codes: Vec<i32> = (0..BLOCK).map(|_| self.next() as i32 % 16 - 8).collect();
                    let both = |i: usize| (codes[i] + 8) as u8 | ((codes[i + 16] + 8) as u8) << 4;
                    let stored = (0..BLOCK / 2).map(both).collect();
                    (codes, stored)
                }
            };
            bytes.extend(stored);
            values.extend(codes.iter().map(|&c| scale.to_f32() * c as f32));
        }
        (bytes, values)
    }
}

/// Every value within `tolerance`, relative to the larger of 1 and the expected magnitude.
pub fn assert_close(what: &str, got: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let near = (got - expected).abs() <= tolerance * expected.abs().max(1.0);
        assert!(near, "{what}: value {i} is {got}, expected {expected}");
    }
}
