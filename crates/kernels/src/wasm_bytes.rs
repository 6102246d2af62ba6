//! What the WebAssembly variants share that keep all codes as bytes: `extmul` and `relaxed`.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::kernel_table::Group;
use crate::lanes::QuantizeLanes;
use crate::pack::PANEL;
use crate::wasm::{byte_groups, largest_magnitude, unpack_scales, wasm_lanes};

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

/// Bytes of an unpacked block: 8 scales as f32, 8 × 32 codes.
const UNPACKED: usize = 4 * PANEL + PANEL * BLOCK;

/// Unpacks 8-bit weights; `OFFSET` is taken off each code.
///
/// # Safety
/// As `UnpackPanel` says.
pub(crate) unsafe fn unpack_q8_0<const OFFSET: i8>(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            for i in 0..PANEL * BLOCK / 16 {
                let sixteen = v128_load(packed.add(2 * PANEL + 16 * i).cast());
                let to = unpacked.add(4 * PANEL + 16 * i);
                v128_store(to.cast(), i8x16_sub(sixteen, i8x16_splat(OFFSET)));
            }
        }
    }
}

/// Unpacks 4-bit weights; `OFFSET` is taken off each code.
///
/// # Safety
/// As `UnpackPanel` says.
pub(crate) unsafe fn unpack_q4_0<const OFFSET: i8>(packed: *const u8, blocks: usize, unpacked: *mut u8) {
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as UnpackPanel says.
        unsafe {
            let packed = packed.add(block * PANEL * (2 + BLOCK / 2));
            let unpacked = unpacked.add(block * UNPACKED);
            unpack_scales(packed, unpacked);
            for i in 0..PANEL * BLOCK / 32 {
                let both = v128_load(packed.add(2 * PANEL + 16 * i).cast());
                let codes = [v128_and(both, u8x16_splat(15)), u8x16_shr(both, 4)];
                // Two registers make a pair of steps of 32 bytes each.
                let to = unpacked.add(4 * PANEL + 64 * (i / 2) + 16 * (i % 2));
                for (step, codes) in codes.into_iter().enumerate() {
                    v128_store(to.add(32 * step).cast(), i8x16_sub(codes, i8x16_splat(OFFSET)));
                }
            }
        }
    }
}
