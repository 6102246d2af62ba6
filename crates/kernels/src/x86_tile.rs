//! The GEMM's tiles for x86-64: 256-bit registers, one column a 32-bit lane.

use std::arch::x86_64::*;

use crate::BLOCK;
use crate::kernel_table::{Group, TileArgs};
use crate::pack::PANEL;

/// Bytes of an unpacked block: 8 scales as f32, 8 × 32 codes.
pub(crate) const UNPACKED: usize = 4 * PANEL + PANEL * BLOCK;

/// Bytes of a step: 4 codes of each of the panel's 8 columns.
pub(crate) const STEP: usize = 4 * PANEL;

/// AT_ONCE steps of a tile: how that many times four codes of a row meet eight columns of weights.
///
/// # Safety of the methods
/// The machine has the instructions. They are `#[inline(always)]`, so that they take on the target
/// features of the tile they are inlined into.
trait Step<const AT_ONCE: usize> {
    /// `sum` with the products of each `a`, the same four codes in every lane, and its `w`, one column a lane. A
    /// sum starts from the row's correction in every lane.
    unsafe fn add(sum: __m256i, a: [__m256i; AT_ONCE], w: [__m256i; AT_ONCE]) -> __m256i;
    /// The i32 dot products.
    unsafe fn finish(sum: __m256i) -> __m256i;
}

/// AVX2, 8-bit weights, two steps at once:
///
/// ```text
/// w, unsigned   c0: k k+1 k+2 k+3 | c1: k k+1 k+2 k+3 | … c7
/// a, signed     the same four in every lane
/// maddubs       c0: two pairs | c1 | …                 i16
/// both steps    added                                  i16, at most 4·127·64 = 32512 < 2¹⁵
/// madd, ones    c0: the sum of eight | c1 | …          i32
/// ```
struct Pairs8;

impl Step<2> for Pairs8 {
    #[inline(always)]
    unsafe fn add(sum: __m256i, a: [__m256i; 2], w: [__m256i; 2]) -> __m256i {
        // SAFETY: the caller has the instructions.
        unsafe {
            let pairs = _mm256_add_epi16(_mm256_maddubs_epi16(w[0], a[0]), _mm256_maddubs_epi16(w[1], a[1]));
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> __m256i {
        sum
    }
}

/// AVX2, 4-bit weights: codes are at most 15, so all eight pairs of a lane are added in i16 before one
/// widening. A lane's two sums start from (c, 0), c = −8·Σ a. The first ends as Σ a·(w − 8) over half of
/// the block's columns minus 8·Σ a over the other: at most 16·127·8 + 8·16·127 = 32512; the second is at
/// most 16·127·15 = 30480: both < 2¹⁵. On the way the first may wrap.
struct Pairs4;

impl Step<1> for Pairs4 {
    #[inline(always)]
    unsafe fn add(sum: __m256i, [a]: [__m256i; 1], [w]: [__m256i; 1]) -> __m256i {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_add_epi16(sum, _mm256_maddubs_epi16(w, a)) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> __m256i {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_madd_epi16(sum, _mm256_set1_epi16(1)) }
    }
}

/// VNNI, both formats: four products of unsigned w and signed a are added to an i32 lane at once.
struct Quads;

impl Step<1> for Quads {
    #[inline(always)]
    unsafe fn add(sum: __m256i, [a]: [__m256i; 1], [w]: [__m256i; 1]) -> __m256i {
        // SAFETY: the caller has the instructions.
        unsafe { _mm256_dpbusd_epi32(sum, w, a) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256i) -> __m256i {
        sum
    }
}

/// Integer dot products of one block, R rows by P panels of 8 columns; panels lie `stride` bytes apart.
///
/// # Safety
/// The pointers reach 8 · R groups, R corrections and, for each panel, 8 steps of w.
#[inline(always)]
unsafe fn dots<S: Step<M>, const M: usize, const R: usize, const P: usize>(
    groups: *const Group,
    corrections: *const i32,
    w: *const u8,
    stride: usize,
) -> [[__m256i; P]; R] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[_mm256_setzero_si256(); P]; R];
        for r in 0..R {
            sums[r] = [_mm256_set1_epi32(*corrections.add(r)); P];
        }
        for step in (0..8).step_by(M) {
            let mut columns = [[_mm256_setzero_si256(); M]; P];
            for p in 0..P {
                for m in 0..M {
                    columns[p][m] = _mm256_loadu_si256(w.add(p * stride + (step + m) * STEP).cast());
                }
            }
            for r in 0..R {
                let mut a = [_mm256_setzero_si256(); M];
                for m in 0..M {
                    a[m] = _mm256_set1_epi32(*groups.add((step + m) * R + r) as i32);
                }
                for p in 0..P {
                    sums[r][p] = S::add(sums[r][p], a, columns[p]);
                }
            }
        }
        for r in 0..R {
            for p in 0..P {
                sums[r][p] = S::finish(sums[r][p]);
            }
        }
        sums
    }
}

/// Adds R rows by P panels to `args.acc`: for each block the integer dot products, then two scales.
#[inline(always)]
unsafe fn panels<S: Step<M>, const M: usize, const R: usize, const P: usize>(args: &TileArgs) {
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
            let dots = dots::<S, M, R, P>(groups, corrections, panel.add(4 * PANEL), args.panel_stride);
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
#[inline(always)]
unsafe fn rows<S: Step<M>, const M: usize, const R: usize>(mut args: TileArgs) {
    for _ in 0..args.panels / 2 {
        // SAFETY: the caller's promise is ours.
        unsafe { panels::<S, M, R, 2>(&args) };
        args.next_panel();
        args.next_panel();
    }
    if args.panels % 2 == 1 {
        // SAFETY: the caller's promise is ours.
        unsafe { panels::<S, M, R, 1>(&args) };
    }
}

#[inline(always)]
unsafe fn tile<S: Step<M>, const M: usize>(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours, and 1 ≤ height ≤ 4.
    unsafe {
        match height {
            1 => rows::<S, M, 1>(args),
            2 => rows::<S, M, 2>(args),
            3 => rows::<S, M, 3>(args),
            _ => rows::<S, M, 4>(args),
        }
    }
}

#[target_feature(enable = "avx2")]
pub(crate) unsafe fn avx2_q8_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile::<Pairs8, 2>(height, args) }
}

#[target_feature(enable = "avx2")]
pub(crate) unsafe fn avx2_q4_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile::<Pairs4, 1>(height, args) }
}

#[target_feature(enable = "avx2,avx512vl,avx512vnni")]
pub(crate) unsafe fn vnni(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile::<Quads, 1>(height, args) }
}
