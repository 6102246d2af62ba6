//! x86-64 kernels for the command line: what AVX2 and AVX-512 VNNI share, and their tables. The GEMM's tiles
//! are in [`crate::x86_tile`].

use std::arch::x86_64::*;

use crate::BLOCK;
use crate::float_kernels::float_kernels;
use crate::kernel_table::{Group, Kernels};
use crate::lanes::{Lanes, QuantizeLanes};
use crate::pack::PANEL;
use crate::x86_tile::{self, STEP, UNPACKED};

pub(crate) static AVX2: Kernels = Kernels {
    tile_rows: 4,
    code_bytes: 1,
    q4_0_in_i16: true,
    quantize_row,
    unpack_q8_0,
    unpack_q4_0,
    tile_q8_0: x86_tile::avx2_q8_0,
    tile_q4_0: x86_tile::avx2_q4_0,
    gelu,
    softmax_row,
    layer_norm_row,
    add_scaled_row,
    attention_head,
    dense_tile,
};

pub(crate) static AVX512_VNNI: Kernels =
    Kernels { q4_0_in_i16: false, tile_q8_0: x86_tile::vnni, tile_q4_0: x86_tile::vnni, ..AVX2 };

float_kernels!(Avx2, #[target_feature(enable = "avx2,f16c")]);

#[target_feature(enable = "avx2,f16c")]
unsafe fn unpack_q8_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK));
            let unpacked = unpacked.add(block * UNPACKED);
            _mm256_storeu_ps(unpacked.cast(), _mm256_cvtph_ps(_mm_loadu_si128(packed.cast())));
            unpacked.add(4 * PANEL).copy_from_nonoverlapping(packed.add(2 * PANEL), PANEL * BLOCK);
        }
    }
}

#[target_feature(enable = "avx2,f16c")]
unsafe fn unpack_q4_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    let low = _mm256_set1_epi8(15);
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK / 2));
            let unpacked = unpacked.add(block * UNPACKED);
            _mm256_storeu_ps(unpacked.cast(), _mm256_cvtph_ps(_mm_loadu_si128(packed.cast())));
            for pair in 0..4 {
                let both = _mm256_loadu_si256(packed.add(2 * PANEL + pair * STEP).cast());
                let to = unpacked.add(4 * PANEL + 2 * pair * STEP);
                _mm256_storeu_si256(to.cast(), _mm256_and_si256(both, low));
                let high = _mm256_and_si256(_mm256_srli_epi16::<4>(both), low);
                _mm256_storeu_si256(to.add(STEP).cast(), high);
            }
        }
    }
}

/// Eight floats.
#[derive(Clone, Copy)]
struct Avx2(__m256);

/// A method of [`Lanes`]: its caller has the instructions.
macro_rules! lanes_method {
    ($name:ident($($arg:ident: $type:ty),*) -> $result:ty, $body:expr) => {
        #[inline(always)]
        unsafe fn $name($($arg: $type),*) -> $result {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe { $body }
        }
    };
}

impl Lanes for Avx2 {
    const N: usize = 8;

    lanes_method!(splat(x: f32) -> Self, Avx2(_mm256_set1_ps(x)));
    lanes_method!(load(from: *const f32) -> Self, Avx2(_mm256_loadu_ps(from)));
    lanes_method!(store(self: Self, to: *mut f32) -> (), _mm256_storeu_ps(to, self.0));
    lanes_method!(add(self: Self, other: Self) -> Self, Avx2(_mm256_add_ps(self.0, other.0)));
    lanes_method!(sub(self: Self, other: Self) -> Self, Avx2(_mm256_sub_ps(self.0, other.0)));
    lanes_method!(mul(self: Self, other: Self) -> Self, Avx2(_mm256_mul_ps(self.0, other.0)));
    lanes_method!(div(self: Self, other: Self) -> Self, Avx2(_mm256_div_ps(self.0, other.0)));
    lanes_method!(mul_add(self: Self, factor: Self, addend: Self) -> Self,
        Avx2(_mm256_add_ps(_mm256_mul_ps(self.0, factor.0), addend.0)));
    // The instructions return their second operand where either is a NaN.
    lanes_method!(max(self: Self, other: Self) -> Self, Avx2(_mm256_max_ps(other.0, self.0)));
    lanes_method!(min(self: Self, other: Self) -> Self, Avx2(_mm256_min_ps(other.0, self.0)));
    lanes_method!(power_of_2(self: Self) -> Self,
        Avx2(_mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(self.0)))));
    lanes_method!(zero_where_less(self: Self, x: Self, limit: Self) -> Self,
        Avx2(_mm256_andnot_ps(_mm256_cmp_ps::<_CMP_LT_OQ>(x.0, limit.0), self.0)));
    lanes_method!(sum(self: Self) -> f32, {
        let four = _mm_add_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
    });
    lanes_method!(maximum(self: Self) -> f32, {
        let four = _mm_max_ps(_mm256_castps256_ps128(self.0), _mm256_extractf128_ps::<1>(self.0));
        let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)))
    });
}

impl QuantizeLanes for Avx2 {
    const CODE_BYTES: usize = 1;

    lanes_method!(largest_magnitude(x: *const f32) -> u32, {
        let mask = _mm256_set1_epi32(i32::MAX);
        let magnitude = |i: usize| _mm256_and_si256(_mm256_loadu_si256(x.add(i * 8).cast()), mask);
        let eight = _mm256_max_epi32(
            _mm256_max_epi32(magnitude(0), magnitude(1)),
            _mm256_max_epi32(magnitude(2), magnitude(3)),
        );
        let four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
        let two = _mm_max_epi32(four, _mm_unpackhi_epi64(four, four));
        let one = _mm_max_epi32(two, _mm_shuffle_epi32::<0b01>(two));
        _mm_cvtsi128_si32(one) as u32
    });

    lanes_method!(codes(x: *const f32, factor: f32) -> ([Group; 16], i32), {
        // cvtps rounds half to even.
        let factor = Self::splat(factor);
        let code = |i: usize| _mm256_cvtps_epi32(Self::load(x.add(i * 8)).mul(factor).0);
        let (c0, c1, c2, c3) = (code(0), code(1), code(2), code(3));
        // Each pack works within 128-bit halves:
        // packs16(c0, c1)   c0[0..4] c1[0..4] | c0[4..8] c1[4..8]
        // packs8 of two     c0[0..4] c1[0..4] c2[0..4] c3[0..4] | c0[4..8] c1[4..8] c2[4..8] c3[4..8]
        let bytes = _mm256_packs_epi16(_mm256_packs_epi32(c0, c1), _mm256_packs_epi32(c2, c3));
        let order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
        let mut groups = [0; 16];
        _mm256_storeu_si256(groups.as_mut_ptr().cast(), _mm256_permutevar8x32_epi32(bytes, order));
        let eight = _mm256_add_epi32(_mm256_add_epi32(c0, c1), _mm256_add_epi32(c2, c3));
        let four = _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
        let two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
        (groups, _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b01>(two))))
    });
}
