//! WebAssembly relaxed SIMD, in two forms. Both take the weights as the 7-bit operand, so what the
//! instructions leave open (the second operand's top bit, saturation) never happens and the
//! integers are the reference's.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::float_kernels::float_kernels;
use crate::kernel_table::{Kernels, TileArgs};
use crate::wasm_bytes::{Bytes, unpack_q4_0, unpack_q8_0};
use crate::wasm_tile::{Step, tile_of};

pub(crate) static PAIRS: Kernels = Kernels {
    tile_rows: 5,
    q4_0_in_i16: true,
    tile_q8_0: tile_pairs_q8_0,
    tile_q4_0: tile_pairs_q4_0,
    ..QUADS
};

pub(crate) static QUADS: Kernels = Kernels {
    tile_rows: 4,
    code_bytes: 1,
    q4_0_in_i16: false,
    quantize_row,
    unpack_q8_0: unpack_q8_0::<0>,
    unpack_q4_0: unpack_q4_0::<0>,
    tile_q8_0: tile_quads,
    tile_q4_0: tile_quads,
    gelu,
    softmax_row,
    layer_norm_row,
    add_scaled_row,
    attention_head,
    dense_tile,
};

float_kernels!(Bytes,);

/// 8-bit weights, two steps of pairs at once:
///
/// ```text
/// w, unsigned    c0: k k+1 k+2 k+3 | c1 | c2 | c3
/// a, signed      the same four in every lane
/// relaxed dot    c0: two pairs | c1 | c2 | c3         i16
/// both steps     added                                i16, at most 4·127·64 = 32512 < 2¹⁵
/// dot, ones      c0: the sum of eight | c1 | c2 | c3  i32
/// ```
struct Pairs8;

impl Step<2> for Pairs8 {
    const STEPS: usize = BLOCK / 4;
    const STRAIGHT: bool = true;
    type Sum = v128;

    #[inline(always)]
    fn start(correction: v128) -> v128 {
        correction
    }
    #[inline(always)]
    fn add(sum: v128, a: [v128; 2], w: [v128; 2], ones: v128) -> v128 {
        let first = i16x8_relaxed_dot_i8x16_i7x16(a[0], w[0]);
        let pairs = i16x8_add(first, i16x8_relaxed_dot_i8x16_i7x16(a[1], w[1]));
        i32x4_add(sum, i32x4_dot_i16x8(pairs, ones))
    }
    #[inline(always)]
    fn finish(sum: v128, _: v128) -> v128 {
        sum
    }
}

/// 4-bit weights, pairs: as in [`Pairs8`], but all eight pairs of a lane are added in i16 before one
/// widening. A lane's two sums start from (c, 0), c = −8·Σ a. The first ends as Σ a·(w − 8) over half of
/// the block's columns minus 8·Σ a over the other: at most 16·127·8 + 8·16·127 = 32512; the second is at
/// most 16·127·15 = 30480: both < 2¹⁵. On the way the first may wrap.
struct Pairs4;

impl Step<1> for Pairs4 {
    const STEPS: usize = BLOCK / 4;
    type Sum = v128;

    #[inline(always)]
    fn start(correction: v128) -> v128 {
        correction
    }
    #[inline(always)]
    fn add(sum: v128, [a]: [v128; 1], [w]: [v128; 1], _: v128) -> v128 {
        i16x8_add(sum, i16x8_relaxed_dot_i8x16_i7x16(a, w))
    }
    #[inline(always)]
    fn finish(sum: v128, ones: v128) -> v128 {
        i32x4_dot_i16x8(sum, ones)
    }
}

/// Both formats, four products added to an i32 lane at once.
struct Quads;

impl Step<2> for Quads {
    const STEPS: usize = BLOCK / 4;
    const STRAIGHT: bool = true;
    type Sum = v128;

    #[inline(always)]
    fn start(correction: v128) -> v128 {
        correction
    }
    #[inline(always)]
    fn add(sum: v128, a: [v128; 2], w: [v128; 2], _: v128) -> v128 {
        let sum = i32x4_relaxed_dot_i8x16_i7x16_add(a[0], w[0], sum);
        i32x4_relaxed_dot_i8x16_i7x16_add(a[1], w[1], sum)
    }
    #[inline(always)]
    fn finish(sum: v128, _: v128) -> v128 {
        sum
    }
}

unsafe fn tile_pairs_q8_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Pairs8, Bytes, 2>(height, args) }
}

unsafe fn tile_pairs_q4_0(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Pairs4, Bytes, 1>(height, args) }
}

unsafe fn tile_quads(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Quads, Bytes, 2>(height, args) }
}
