//! WebAssembly SIMD without its relaxed extension, the form for Arm, where `i16x8.extmul` is one instruction and
//! `i32x4.dot_i16x8` three: codes stay bytes, and the products of a whole block are added in 16 bits.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::kernel_table::{Group, Kernels, TileArgs};
use crate::wasm_bytes::{Bytes, unpack_q4_0, unpack_q8_0};
use crate::wasm_tile::{Step, tile_of};

pub(crate) static KERNELS: Kernels = Kernels {
    code_bytes: 1,
    quantize_row,
    unpack_q8_0: unpack_q8_0::<64>,
    unpack_q4_0: unpack_q4_0::<8>,
    // Unpacked, both formats are signed bytes.
    tile_q8_0: tile,
    tile_q4_0: tile,
    ..crate::simd128::KERNELS
};

unsafe fn quantize_row(
    x: *const f32,
    blocks: usize,
    largest: f32,
    groups: *mut Group,
    scales: *mut f32,
    sums: *mut i32,
    stride: usize,
) {
    // SAFETY: the caller's promise is ours.
    unsafe { crate::float::quantize_row::<Bytes>(x, blocks, largest, groups, scales, sums, stride) }
}

/// Both formats, 16 products a step:
///
/// ```text
/// w, signed     c0: k k+1 k+2 k+3 | c1 | c2 | c3
/// a, signed     the same four in every lane
/// low, high     c0: four products | c1     and     c2 | c3
/// eight steps   added                      i16, at most 8·64·63 = 32256 (8 bits) and 8·127·8 = 8128 (4 bits) < 2¹⁵
/// ```
struct Products;

impl Step<1> for Products {
    const STEPS: usize = BLOCK / 4;
    type Sum = [v128; 2];

    #[inline(always)]
    fn start(_: v128) -> [v128; 2] {
        [i16x8_splat(0); 2]
    }
    #[inline(always)]
    fn add([low, high]: [v128; 2], [a]: [v128; 1], [w]: [v128; 1], _: v128) -> [v128; 2] {
        [i16x8_add(low, i16x8_extmul_low_i8x16(a, w)), i16x8_add(high, i16x8_extmul_high_i8x16(a, w))]
    }
    #[inline(always)]
    fn finish(sum: [v128; 2], _: v128) -> v128 {
        let [c01, c23] = sum.map(|sum| i32x4_extadd_pairwise_i16x8(sum));
        i32x4_add(i32x4_shuffle::<0, 2, 4, 6>(c01, c23), i32x4_shuffle::<1, 3, 5, 7>(c01, c23))
    }
}

unsafe fn tile(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Products, Bytes, 1>(height, args) }
}
