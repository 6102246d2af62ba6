//! What the instructions of a product can do on registers alone: the ceiling for its kernel. No loads, no scales,
//! no rows and columns; twelve chains, so that none waits for another.

use kernels::{Isa, WeightFormat};

const CHAINS: usize = 12;
const ROUNDS: usize = 20_000;

/// GOP/s, two operations a multiply-accumulate; none for the reference, which has no instructions of its own.
pub fn peak(isa: Isa, format: WeightFormat, time: &mut dyn FnMut(&mut dyn FnMut()) -> f64) -> Option<f64> {
    let (run, products): (unsafe fn(), usize) = match (isa, format) {
        #[cfg(target_feature = "simd128")]
        (Isa::Simd128, _) => (wasm::widened, 8),
        #[cfg(target_feature = "simd128")]
        (Isa::Simd128Extmul, _) => (wasm::extended, 16),
        #[cfg(target_feature = "relaxed-simd")]
        (Isa::RelaxedPairs, WeightFormat::Q8_0) => (wasm::pairs_8, 32),
        #[cfg(target_feature = "relaxed-simd")]
        (Isa::RelaxedPairs, WeightFormat::Q4_0) => (wasm::pairs_4, 16),
        #[cfg(target_feature = "relaxed-simd")]
        (Isa::RelaxedQuads, _) => (wasm::quads, 16),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, WeightFormat::Q8_0) => (x86::pairs_8, 64),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx2, WeightFormat::Q4_0) => (x86::pairs_4, 32),
        #[cfg(target_arch = "x86_64")]
        (Isa::Avx512Vnni, _) => (x86::quads, 32),
        _ => return None,
    };
    assert!(isa.is_available());
    // SAFETY: the variant is available, so the machine has its instructions.
    let ms = time(&mut || unsafe { run() });
    Some(2.0 * (products * CHAINS * ROUNDS) as f64 / ms / 1e6)
}

/// Runs `$step` of every chain's value again and again, and keeps what comes of it.
#[cfg(any(target_arch = "x86_64", target_feature = "simd128"))]
macro_rules! chains {
    ($start:expr, |$sum:ident| $step:expr) => {{
        let mut sums = std::hint::black_box([$start; CHAINS]);
        for _ in 0..ROUNDS {
            for $sum in &mut sums {
                let next = $step;
                *$sum = next;
            }
        }
        std::hint::black_box(sums);
    }};
}

#[cfg(target_feature = "simd128")]
mod wasm {
    use super::{CHAINS, ROUNDS};
    use std::arch::wasm32::*;

    pub unsafe fn widened() {
        let w = std::hint::black_box(i16x8_splat(3));
        chains!(i32x4_splat(1), |sum| i32x4_add(*sum, i32x4_dot_i16x8(*sum, w)));
    }

    pub unsafe fn extended() {
        let w = std::hint::black_box(i8x16_splat(3));
        chains!(i16x8_splat(1), |sum| {
            i16x8_add(i16x8_add(*sum, i16x8_extmul_low_i8x16(*sum, w)), i16x8_extmul_high_i8x16(*sum, w))
        });
    }

    #[cfg(target_feature = "relaxed-simd")]
    pub unsafe fn pairs_8() {
        let (w, ones) = std::hint::black_box((i8x16_splat(3), i16x8_splat(1)));
        chains!(i32x4_splat(1), |sum| {
            let pairs =
                i16x8_add(i16x8_relaxed_dot_i8x16_i7x16(*sum, w), i16x8_relaxed_dot_i8x16_i7x16(w, *sum));
            i32x4_add(*sum, i32x4_dot_i16x8(pairs, ones))
        });
    }

    #[cfg(target_feature = "relaxed-simd")]
    pub unsafe fn pairs_4() {
        let w = std::hint::black_box(i8x16_splat(3));
        chains!(i32x4_splat(1), |sum| i16x8_add(*sum, i16x8_relaxed_dot_i8x16_i7x16(*sum, w)));
    }

    #[cfg(target_feature = "relaxed-simd")]
    pub unsafe fn quads() {
        let w = std::hint::black_box(i8x16_splat(3));
        chains!(i32x4_splat(1), |sum| i32x4_relaxed_dot_i8x16_i7x16_add(*sum, w, *sum));
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{CHAINS, ROUNDS};
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    pub unsafe fn pairs_8() {
        let (w, ones) = std::hint::black_box((_mm256_set1_epi8(3), _mm256_set1_epi16(1)));
        chains!(_mm256_set1_epi32(1), |sum| {
            let pairs = _mm256_add_epi16(_mm256_maddubs_epi16(w, *sum), _mm256_maddubs_epi16(*sum, w));
            _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones))
        });
    }

    #[target_feature(enable = "avx2")]
    pub unsafe fn pairs_4() {
        let w = std::hint::black_box(_mm256_set1_epi8(3));
        chains!(_mm256_set1_epi32(1), |sum| _mm256_add_epi16(*sum, _mm256_maddubs_epi16(w, *sum)));
    }

    #[target_feature(enable = "avx512vl,avx512vnni")]
    pub unsafe fn quads() {
        let w = std::hint::black_box(_mm256_set1_epi8(3));
        chains!(_mm256_set1_epi32(1), |sum| _mm256_dpbusd_epi32(*sum, w, *sum));
    }
}
