//! WebAssembly SIMD without its relaxed extension: codes are widened to 16 bits, activations when
//! they are quantised, weights when their panel is unpacked.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::float_kernels::float_kernels;
use crate::kernel_table::{Group, Kernels, TileArgs};
use crate::lanes::QuantizeLanes;
use crate::pack::PANEL;
use crate::wasm::{codes_i16, largest_magnitude, unpack_scales, wasm_lanes};
use crate::wasm_tile::{Step, tile_of};

pub(crate) static KERNELS: Kernels = Kernels {
    tile_rows: 4,
    code_bytes: 2,
    // Signed when unpacked: no correction.
    q4_0_in_i16: false,
    quantize_row,
    unpack_q8_0,
    unpack_q4_0,
    // Unpacked, both formats are signed i16.
    tile_q8_0: tile,
    tile_q4_0: tile,
    gelu,
    softmax_row,
    layer_norm_row,
    add_scaled_row,
    attention_head,
    dense_tile,
};

wasm_lanes!(F32x4);
float_kernels!(F32x4,);

impl QuantizeLanes for F32x4 {
    const CODE_BYTES: usize = 2;

    #[inline(always)]
    unsafe fn largest_magnitude(x: *const f32) -> u32 {
        // SAFETY: the caller's promise is ours.
        unsafe { largest_magnitude(x) }
    }

    #[inline(always)]
    unsafe fn codes(x: *const f32, factor: f32) -> ([Group; 16], i32) {
        let mut groups = [0; 16];
        // SAFETY: the caller's promise; 32 codes are four registers.
        unsafe {
            let (eights, sum) = codes_i16(x, factor);
            for (i, eight) in eights.into_iter().enumerate() {
                v128_store(groups[4 * i..].as_mut_ptr().cast(), eight);
            }
            (groups, sum)
        }
    }
}

/// Bytes of an unpacked block: 8 scales as f32, 8 × 32 codes as i16.
const UNPACKED: usize = 4 * PANEL + 2 * PANEL * BLOCK;

/// Writes one step (4 codes of 8 columns, offset taken off) as two steps of pairs:
///
/// ```text
/// from           c0: k k+1 k+2 k+3 | c1 | c2 | c3     then c4 … c7
/// extended       c0: k k+1 k+2 k+3 | c1 …             i16
/// to, pair k     c0: k k+1 | c1 | c2 | c3             then c4 … c7
/// to, pair k+2   c0: k+2 k+3 | c1 | c2 | c3           then c4 … c7
/// ```
///
/// # Safety
/// `to` reaches 64 bytes.
#[inline(always)]
unsafe fn widen_step(columns: [v128; 2], offset: v128, to: *mut u8) {
    for (g, four) in columns.into_iter().enumerate() {
        let c01 = i16x8_sub(u16x8_extend_low_u8x16(four), offset);
        let c23 = i16x8_sub(u16x8_extend_high_u8x16(four), offset);
        // SAFETY: the caller's promise.
        unsafe {
            v128_store(to.add(16 * g).cast(), i32x4_shuffle::<0, 2, 4, 6>(c01, c23));
            v128_store(to.add(32 + 16 * g).cast(), i32x4_shuffle::<1, 3, 5, 7>(c01, c23));
        }
    }
}

unsafe fn unpack_q8_0(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            for step in 0..8 {
                let from = packed.add(2 * PANEL + step * 4 * PANEL);
                let columns = [v128_load(from.cast()), v128_load(from.add(16).cast())];
                widen_step(columns, i16x8_splat(64), unpacked.add(4 * PANEL + step * 64));
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
            for both in 0..4 {
                let from = packed.add(2 * PANEL + both * 4 * PANEL);
                let columns = [v128_load(from.cast()), v128_load(from.add(16).cast())];
                let low = columns.map(|c| v128_and(c, u8x16_splat(15)));
                let high = columns.map(|c| u8x16_shr(c, 4));
                let to = unpacked.add(4 * PANEL + both * 128);
                widen_step(low, i16x8_splat(8), to);
                widen_step(high, i16x8_splat(8), to.add(64));
            }
        }
    }
}

/// Products of i16, two added in every i32 lane, one column a lane. The weights are signed, so
/// nothing needs correcting.
struct Wide;

impl Step<1> for Wide {
    const STEPS: usize = BLOCK / 2;
    type Sum = v128;

    #[inline(always)]
    fn start(_: v128) -> v128 {
        i32x4_splat(0)
    }
    #[inline(always)]
    fn add(sum: v128, [a]: [v128; 1], [w]: [v128; 1], _: v128) -> v128 {
        i32x4_add(sum, i32x4_dot_i16x8(a, w))
    }
    #[inline(always)]
    fn finish(sum: v128, _: v128) -> v128 {
        sum
    }
}

unsafe fn tile(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe { tile_of::<Wide, F32x4, 1>(height, args) }
}
