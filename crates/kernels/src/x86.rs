//! AVX2 kernels for the command line.

use std::arch::x86_64::*;

use crate::BLOCK;
use crate::activations::Group;
use crate::float::float_kernels;
use crate::gemm::TileArgs;
use crate::isa::Kernels;
use crate::lanes::{Lanes, QuantizeLanes};
use crate::pack::PANEL;

pub(crate) static AVX2: Kernels = Kernels {
    tile_rows: 4,
    code_bytes: 1,
    q4_0_in_i16: true,
    quantize_row,
    unpack_q8_0,
    unpack_q4_0,
    tile_q8_0,
    tile_q4_0,
    gelu,
    softmax_row,
    layer_norm_row,
    add_scaled_row,
    attention_head,
    dense_tile,
};

float_kernels!(Avx2, #[target_feature(enable = "avx2,f16c")]);

/// Whether this machine has what the kernels here use.
pub(crate) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("f16c")
}

/// Bytes of an unpacked block: 8 scales as f32, 8 × 32 codes.
const UNPACKED: usize = 4 * PANEL + PANEL * BLOCK;

/// Bytes of a step: 4 codes of each of the panel's 8 columns.
const STEP: usize = 4 * PANEL;

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

/// Integer dot products of one block, R rows by P panels of 8 columns, one column a lane; panels lie
/// `stride` bytes apart:
///
/// ```text
/// w, unsigned   c0: k k+1 k+2 k+3 | c1: k k+1 k+2 k+3 | … c7
/// a, signed     a   the same four in every lane
/// maddubs       c0: w·a+w·a, w·a+w·a | c1 …            i16, |pair| ≤ 2·127·127 < 2¹⁵
/// madd, ones    c0: the sum of four  | c1 …            i32
/// ```
///
/// With 4-bit codes (at most 15) all eight pairs of a lane are added in i16 before one widening. A
/// lane's two sums start from (c, 0), c = −8·Σ a. The first ends as Σ a·(w − 8) over half of the block's
/// columns minus 8·Σ a over the other: at most 16·127·8 + 8·16·127 = 32512; the second is at most
/// 16·127·15 = 30480: both < 2¹⁵. On the way the first may wrap.
///
/// # Safety
/// The pointers reach 8 · R groups, R corrections and, for each panel, 8 steps of w.
#[target_feature(enable = "avx2,f16c")]
unsafe fn dots<const R: usize, const P: usize, const FOUR_BITS: bool>(
    groups: *const Group,
    corrections: *const i32,
    w: *const u8,
    stride: usize,
) -> [[__m256i; P]; R] {
    let ones = _mm256_set1_epi16(1);
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[_mm256_setzero_si256(); P]; R];
        for r in 0..R {
            sums[r] = [_mm256_set1_epi32(*corrections.add(r)); P];
        }
        for step in 0..8 {
            let mut columns = [_mm256_setzero_si256(); P];
            for p in 0..P {
                columns[p] = _mm256_loadu_si256(w.add(p * stride + step * STEP).cast());
            }
            for r in 0..R {
                let a = _mm256_set1_epi32(*groups.add(step * R + r) as i32);
                for p in 0..P {
                    let pairs = _mm256_maddubs_epi16(columns[p], a);
                    sums[r][p] = if FOUR_BITS {
                        _mm256_add_epi16(sums[r][p], pairs)
                    } else {
                        _mm256_add_epi32(sums[r][p], _mm256_madd_epi16(pairs, ones))
                    };
                }
            }
        }
        if FOUR_BITS {
            for r in 0..R {
                for p in 0..P {
                    sums[r][p] = _mm256_madd_epi16(sums[r][p], ones);
                }
            }
        }
        sums
    }
}

/// R rows by P panels.
#[target_feature(enable = "avx2,f16c")]
unsafe fn panels<const R: usize, const P: usize, const FOUR_BITS: bool>(args: &TileArgs) {
    // SAFETY: the pointers reach as far as TileArgs says, for P panels.
    unsafe {
        let mut acc = [[_mm256_setzero_ps(); P]; R];
        for r in 0..R {
            for p in 0..P {
                acc[r][p] = _mm256_loadu_ps(args.acc.add(p * args.acc_stride + r * PANEL));
            }
        }
        for block in 0..args.blocks {
            let groups = args.groups.add(block * 8 * R);
            let corrections = args.corrections.add(block * R);
            let panel = args.panel.add(block * UNPACKED);
            let dots = dots::<R, P, FOUR_BITS>(groups, corrections, panel.add(4 * PANEL), args.panel_stride);
            for p in 0..P {
                let w_scales = _mm256_loadu_ps(panel.add(p * args.panel_stride).cast());
                for r in 0..R {
                    let scale = _mm256_mul_ps(w_scales, _mm256_set1_ps(*args.scales.add(block * R + r)));
                    let product = _mm256_mul_ps(scale, _mm256_cvtepi32_ps(dots[r][p]));
                    acc[r][p] = _mm256_add_ps(product, acc[r][p]);
                }
            }
        }
        for r in 0..R {
            for p in 0..P {
                _mm256_storeu_ps(args.acc.add(p * args.acc_stride + r * PANEL), acc[r][p]);
            }
        }
    }
}

/// R rows by all panels of the group, in pairs.
#[target_feature(enable = "avx2,f16c")]
unsafe fn rows<const R: usize, const FOUR_BITS: bool>(mut args: TileArgs) {
    for _ in 0..args.panels / 2 {
        // SAFETY: the caller's promise is ours.
        unsafe { panels::<R, 2, FOUR_BITS>(&args) };
        args.next_panel();
        args.next_panel();
    }
    if args.panels % 2 == 1 {
        // SAFETY: the caller's promise is ours.
        unsafe { panels::<R, 1, FOUR_BITS>(&args) };
    }
}

#[target_feature(enable = "avx2,f16c")]
unsafe fn tile<const FOUR_BITS: bool>(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours, and 1 ≤ height ≤ 4.
    unsafe {
        match height {
            1 => rows::<1, FOUR_BITS>(args),
            2 => rows::<2, FOUR_BITS>(args),
            3 => rows::<3, FOUR_BITS>(args),
            _ => rows::<4, FOUR_BITS>(args),
        }
    }
}

unsafe fn tile_q8_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile::<false>(height, args) }
}

unsafe fn tile_q4_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile::<true>(height, args) }
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
