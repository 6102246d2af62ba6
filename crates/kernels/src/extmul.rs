//! WebAssembly SIMD without its relaxed extension, the form for Arm, where `i16x8.extmul` is one instruction and
//! `i32x4.dot_i16x8` three: codes stay bytes, and the products of a whole block are added in 16 bits.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::kernel_table::{Group, Kernels, TileArgs};
use crate::lanes::QuantizeLanes;
use crate::pack::PANEL;
use crate::wasm::{byte_groups, largest_magnitude, unpack_scales, wasm_lanes};
use crate::wasm_tile::{Step, tile_of};

pub(crate) static KERNELS: Kernels = Kernels {
    code_bytes: 1,
    quantize_row,
    unpack_q8_0,
    unpack_q4_0,
    // Unpacked, both formats are signed bytes.
    tile_q8_0: tile,
    tile_q4_0: tile,
    ..crate::simd128::KERNELS
};

wasm_lanes!(Bytes);

impl QuantizeLanes for Bytes {
    const CODE_BYTES: usize = 1;

    #[inline(always)]
    unsafe fn largest_magnitude(x: *const f32) -> u32 {
        // SAFETY: the caller's promise is ours.
        unsafe { largest_magnitude(x) }
    }

    #[inline(always)]
    unsafe fn codes(x: *const f32, factor: f32) -> ([Group; 16], i32) {
        // SAFETY: the caller's promise is ours.
        unsafe { byte_groups(x, factor) }
    }
}

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
                v128_store(unpacked.add(4 * PANEL + 16 * i).cast(), i8x16_sub(sixteen, i8x16_splat(64)));
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
                v128_store(to.cast(), i8x16_sub(v128_and(both, u8x16_splat(15)), i8x16_splat(8)));
                v128_store(to.add(32).cast(), i8x16_sub(u8x16_shr(both, 4), i8x16_splat(8)));
            }
        }
    }
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
