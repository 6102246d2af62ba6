//! WebAssembly relaxed SIMD, in two forms. Both take the weights as the 7-bit operand, so what the
//! instructions leave open (the second operand's top bit, saturation) never happens and the
//! integers are the reference's.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::activations::CORRECTION;
use crate::float::float_kernels;
use crate::gemm::TileArgs;
use crate::isa::Kernels;
use crate::lanes::QuantizeLanes;
use crate::pack::PANEL;
use crate::wasm::{BlockDots, codes_i16, largest_magnitude, tile_of, unpack_scales, wasm_lanes};

pub(crate) static PAIRS: Kernels =
    Kernels { tile_q8_0: tile_pairs_q8_0, tile_q4_0: tile_pairs_q4_0, ..QUADS };

pub(crate) static QUADS: Kernels = Kernels {
    tile_rows: 4,
    code_bytes: 1,
    quantize_row,
    unpack_q8_0,
    unpack_q4_0,
    tile_q8_0: tile_quads_q8_0,
    tile_q4_0: tile_quads_q4_0,
    gelu,
    softmax_row,
    layer_norm_row,
    add_scaled_row,
    attention_head,
};

wasm_lanes!(Relaxed, f32x4_relaxed_madd);
float_kernels!(Relaxed,);

impl QuantizeLanes for Relaxed {
    const CODE_BYTES: usize = 1;

    #[inline(always)]
    unsafe fn largest_magnitude(x: *const f32) -> u32 {
        // SAFETY: the caller's promise is ours.
        unsafe { largest_magnitude(x) }
    }

    #[inline(always)]
    unsafe fn write_codes(x: *const f32, factor: f32, codes: *mut i8) -> i32 {
        // SAFETY: the caller's promise; 32 codes are two registers.
        unsafe {
            let (eights, sum) = codes_i16(x, factor);
            v128_store(codes.cast(), i8x16_narrow_i16x8(eights[0], eights[1]));
            v128_store(codes.add(16).cast(), i8x16_narrow_i16x8(eights[2], eights[3]));
            sum
        }
    }
}

/// Bytes of an unpacked block: 8 scales as f32, 8 × 32 codes.
const UNPACKED: usize = 4 * PANEL + PANEL * BLOCK;

unsafe fn unpack_q8_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            for i in 0..PANEL * BLOCK / 16 {
                let sixteen = v128_load(packed.add(2 * PANEL + 16 * i).cast());
                v128_store(unpacked.add(4 * PANEL + 16 * i).cast(), sixteen);
            }
        }
    }
}

unsafe fn unpack_q4_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK / 2));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            for i in 0..PANEL * BLOCK / 32 {
                let both = v128_load(packed.add(2 * PANEL + 16 * i).cast());
                // Two registers make a pair of steps of 32 bytes each.
                let to = unpacked.add(4 * PANEL + 64 * (i / 2) + 16 * (i % 2));
                v128_store(to.cast(), v128_and(both, u8x16_splat(15)));
                v128_store(to.add(32).cast(), u8x16_shr(both, 4));
            }
        }
    }
}

/// The two registers of weights of one step: columns 0…3 and 4…7, four codes each.
#[inline(always)]
unsafe fn load_step(w: *const u8, step: usize) -> [v128; 2] {
    // SAFETY: the caller's pointer reaches 8 steps.
    unsafe {
        let w = w.add(step * 4 * PANEL);
        [v128_load(w.cast()), v128_load(w.add(16).cast())]
    }
}

/// Every sum starts from −offset · Σ a.
#[inline(always)]
unsafe fn corrections_of<const R: usize>(corrections: *const i32, offset: i32) -> [[v128; 2]; R] {
    // SAFETY: the caller's pointer reaches R corrections.
    std::array::from_fn(|r| [i32x4_splat(offset / -CORRECTION * unsafe { *corrections.add(r) }); 2])
}

/// 8-bit weights, pairs:
///
/// ```text
/// w, unsigned    c0: k k+1 k+2 k+3 | c1 | c2 | c3
/// a, signed      the same four in every lane
/// relaxed dot    c0: two pairs | c1 | c2 | c3        i16, |pair| ≤ 2·127·127 < 2¹⁵
/// dot, ones      c0: the sum of four | c1 | c2 | c3  i32
/// ```
struct Pairs8;

impl BlockDots for Pairs8 {
    const CODE_BYTES: usize = 1;
    const WEIGHT_BYTES: usize = UNPACKED - 4 * PANEL;

    #[inline(always)]
    unsafe fn dots<const R: usize>(
        codes: *const i8,
        corrections: *const i32,
        w: *const u8,
    ) -> [[v128; 2]; R] {
        let ones = i16x8_splat(1);
        // SAFETY: the caller's pointers reach R blocks of codes, R corrections and 8 steps.
        unsafe {
            let mut sums = corrections_of::<R>(corrections, 64);
            for step in 0..8 {
                let w = load_step(w, step);
                for r in 0..R {
                    let a = v128_load32_splat(codes.add(r * BLOCK + step * 4).cast());
                    for g in 0..2 {
                        let pairs = i16x8_relaxed_dot_i8x16_i7x16(a, w[g]);
                        sums[r][g] = i32x4_add(sums[r][g], i32x4_dot_i16x8(pairs, ones));
                    }
                }
            }
            sums
        }
    }
}

/// 4-bit weights, pairs: as [`Pairs8`], but all eight pairs of a lane are added in i16 before one
/// widening: |sum| ≤ 8·2·15·127 = 30480 < 2¹⁵.
struct Pairs4;

impl BlockDots for Pairs4 {
    const CODE_BYTES: usize = 1;
    const WEIGHT_BYTES: usize = UNPACKED - 4 * PANEL;

    #[inline(always)]
    unsafe fn dots<const R: usize>(
        codes: *const i8,
        corrections: *const i32,
        w: *const u8,
    ) -> [[v128; 2]; R] {
        let ones = i16x8_splat(1);
        // SAFETY: as in Pairs8.
        unsafe {
            let mut sums = [[i16x8_splat(0); 2]; R];
            for step in 0..8 {
                let w = load_step(w, step);
                for r in 0..R {
                    let a = v128_load32_splat(codes.add(r * BLOCK + step * 4).cast());
                    for g in 0..2 {
                        sums[r][g] = i16x8_add(sums[r][g], i16x8_relaxed_dot_i8x16_i7x16(a, w[g]));
                    }
                }
            }
            for r in 0..R {
                let correction = i32x4_splat(*corrections.add(r));
                for g in 0..2 {
                    sums[r][g] = i32x4_add(correction, i32x4_dot_i16x8(sums[r][g], ones));
                }
            }
            sums
        }
    }
}

/// Both formats, four products added to an i32 lane at once; OFFSET is the weights' offset.
struct Quads<const OFFSET: i32>;

impl<const OFFSET: i32> BlockDots for Quads<OFFSET> {
    const CODE_BYTES: usize = 1;
    const WEIGHT_BYTES: usize = UNPACKED - 4 * PANEL;

    #[inline(always)]
    unsafe fn dots<const R: usize>(
        codes: *const i8,
        corrections: *const i32,
        w: *const u8,
    ) -> [[v128; 2]; R] {
        // SAFETY: as in Pairs8.
        unsafe {
            let mut sums = corrections_of::<R>(corrections, OFFSET);
            for step in 0..8 {
                let w = load_step(w, step);
                for r in 0..R {
                    let a = v128_load32_splat(codes.add(r * BLOCK + step * 4).cast());
                    for g in 0..2 {
                        sums[r][g] = i32x4_relaxed_dot_i8x16_i7x16_add(a, w[g], sums[r][g]);
                    }
                }
            }
            sums
        }
    }
}

unsafe fn tile_pairs_q8_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Pairs8, Relaxed>(height, args) }
}

unsafe fn tile_pairs_q4_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Pairs4, Relaxed>(height, args) }
}

unsafe fn tile_quads_q8_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Quads<64>, Relaxed>(height, args) }
}

unsafe fn tile_quads_q4_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Quads<8>, Relaxed>(height, args) }
}
