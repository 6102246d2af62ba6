//! What the WebAssembly kernels share beside the [tile loop](crate::wasm_tile): four f32 lanes, the scales of a panel,
//! rounding to codes.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::kernel_table::Group;
use crate::lanes::Lanes;

/// The 8 scales of a packed block, f16 → f32.
///
/// # Safety
/// `packed` reaches 16 bytes, `unpacked` 32.
#[inline(always)]
pub(crate) unsafe fn unpack_scales(packed: *const u8, unpacked: *mut u8) {
    // SAFETY: the caller's promise.
    unsafe {
        let halves = v128_load(packed.cast());
        v128_store(unpacked.cast(), widen_f16(u32x4_extend_low_u16x8(halves)));
        v128_store(unpacked.add(16).cast(), widen_f16(u32x4_extend_high_u16x8(halves)));
    }
}

/// f16 → f32 for finite values: exponent and mantissa move to their place in f32, and 2¹¹² makes up
/// for the different bias. Subnormals come out right too.
#[inline(always)]
fn widen_f16(bits: v128) -> v128 {
    let magnitude = u32x4_shl(v128_and(bits, u32x4_splat(0x7fff)), 13);
    let sign = u32x4_shl(v128_and(bits, u32x4_splat(0x8000)), 16);
    v128_or(f32x4_mul(magnitude, f32x4_splat(f32::from_bits((127 + 112) << 23))), sign)
}

/// Four lanes that can be made of a register.
pub(crate) trait WasmLanes: Lanes {
    fn from_v128(v: v128) -> Self;
}

/// The larger of each lane as unsigned numbers, over all lanes.
#[inline(always)]
fn largest_u32(four: v128) -> u32 {
    let two = u32x4_max(four, i32x4_shuffle::<2, 3, 2, 3>(four, four));
    u32x4_extract_lane::<0>(two).max(u32x4_extract_lane::<1>(two))
}

/// The largest |x| of 32, as its bits.
///
/// # Safety
/// `x` reaches 32 floats.
#[inline(always)]
pub(crate) unsafe fn largest_magnitude(x: *const f32) -> u32 {
    let mut largest = u32x4_splat(0);
    for i in 0..BLOCK / 4 {
        // SAFETY: the caller's promise.
        largest = u32x4_max(largest, f32x4_abs(unsafe { v128_load(x.add(4 * i).cast()) }));
    }
    largest_u32(largest)
}

/// The codes of 32 values as four registers of eight i16, and their sum.
///
/// # Safety
/// `x` reaches 32 floats.
#[inline(always)]
pub(crate) unsafe fn codes_i16(x: *const f32, factor: f32) -> ([v128; 4], i32) {
    let factor = f32x4_splat(factor);
    // Adding 1.5·2²³ rounds to an integer, half to even, and leaves it in the low bits.
    let magic = f32x4_splat(12_582_912.0);
    let code = |i: usize| {
        // SAFETY: the caller's promise.
        let x = unsafe { v128_load(x.add(4 * i).cast()) };
        f32x4_add(f32x4_mul(x, factor), magic)
    };
    let mut sums = i32x4_splat(0);
    let codes = std::array::from_fn(|i| {
        // The low halves of eight lanes.
        let eight = i16x8_shuffle::<0, 2, 4, 6, 8, 10, 12, 14>(code(2 * i), code(2 * i + 1));
        sums = i32x4_add(sums, i32x4_extadd_pairwise_i16x8(eight));
        eight
    });
    let two = i32x4_add(sums, i32x4_shuffle::<2, 3, 2, 3>(sums, sums));
    (codes, i32x4_extract_lane::<0>(two) + i32x4_extract_lane::<1>(two))
}

/// The codes of 32 values as bytes, in the first eight groups, and their sum.
///
/// # Safety
/// `x` reaches 32 floats.
#[inline(always)]
pub(crate) unsafe fn byte_groups(x: *const f32, factor: f32) -> ([Group; 16], i32) {
    let mut groups = [0; 16];
    // SAFETY: the caller's promise; 32 codes are two registers.
    unsafe {
        let (eights, sum) = codes_i16(x, factor);
        v128_store(groups.as_mut_ptr().cast(), i8x16_narrow_i16x8(eights[0], eights[1]));
        v128_store(groups[4..].as_mut_ptr().cast(), i8x16_narrow_i16x8(eights[2], eights[3]));
        (groups, sum)
    }
}

/// A type of four f32 lanes.
macro_rules! wasm_lanes {
    ($name:ident) => {
        #[derive(Clone, Copy)]
        pub(crate) struct $name(std::arch::wasm32::v128);

        impl $crate::wasm::WasmLanes for $name {
            #[inline(always)]
            fn from_v128(v: std::arch::wasm32::v128) -> Self {
                $name(v)
            }
        }

        #[allow(unused_unsafe)]
        impl $crate::lanes::Lanes for $name {
            const N: usize = 4;

            #[inline(always)]
            unsafe fn splat(x: f32) -> Self {
                $name(std::arch::wasm32::f32x4_splat(x))
            }
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: the caller's pointer reaches four floats.
                $name(unsafe { std::arch::wasm32::v128_load(from.cast()) })
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: the caller's pointer reaches four floats.
                unsafe { std::arch::wasm32::v128_store(to.cast(), self.0) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                $name(std::arch::wasm32::f32x4_add(self.0, other.0))
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                $name(std::arch::wasm32::f32x4_sub(self.0, other.0))
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                $name(std::arch::wasm32::f32x4_mul(self.0, other.0))
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                $name(std::arch::wasm32::f32x4_div(self.0, other.0))
            }
            #[inline(always)]
            unsafe fn mul_add(self, factor: Self, addend: Self) -> Self {
                $name(std::arch::wasm32::f32x4_add(std::arch::wasm32::f32x4_mul(self.0, factor.0), addend.0))
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                // One instruction on x86, unlike f32x4_max.
                $name(std::arch::wasm32::f32x4_pmax(self.0, other.0))
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                $name(std::arch::wasm32::f32x4_pmin(self.0, other.0))
            }
            #[inline(always)]
            unsafe fn power_of_2(self) -> Self {
                $name(std::arch::wasm32::u32x4_shl(self.0, 23))
            }
            #[inline(always)]
            unsafe fn zero_where_less(self, x: Self, limit: Self) -> Self {
                use std::arch::wasm32::{f32x4_lt, v128_andnot};
                $name(v128_andnot(self.0, f32x4_lt(x.0, limit.0)))
            }
            #[inline(always)]
            unsafe fn sum(self) -> f32 {
                use std::arch::wasm32::{f32x4_add, f32x4_extract_lane, i32x4_shuffle};
                let two = f32x4_add(self.0, i32x4_shuffle::<2, 3, 2, 3>(self.0, self.0));
                f32x4_extract_lane::<0>(two) + f32x4_extract_lane::<1>(two)
            }
            #[inline(always)]
            unsafe fn maximum(self) -> f32 {
                use std::arch::wasm32::{f32x4_extract_lane, f32x4_pmax, i32x4_shuffle};
                let two = f32x4_pmax(self.0, i32x4_shuffle::<2, 3, 2, 3>(self.0, self.0));
                f32x4_extract_lane::<0>(two).max(f32x4_extract_lane::<1>(two))
            }
        }
    };
}
pub(crate) use wasm_lanes;
