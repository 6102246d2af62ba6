//! What the WebAssembly kernels share: four f32 lanes, the scales of a panel, the tile loop.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::gemm::TileArgs;
use crate::lanes::Lanes;
use crate::pack::PANEL;

/// Integer dot products of one block, in one way for one weight format.
pub(crate) trait BlockDots {
    /// Bytes of a code of activations.
    const CODE_BYTES: usize;
    /// Bytes of an unpacked block behind its scales.
    const WEIGHT_BYTES: usize;

    /// R rows by 8 columns, the columns in two registers of four.
    ///
    /// # Safety
    /// The pointers reach R blocks of codes, R corrections and WEIGHT_BYTES of weights.
    unsafe fn dots<const R: usize>(codes: *const i8, corrections: *const i32, w: *const u8)
    -> [[v128; 2]; R];
}

/// Adds R rows by 8 columns to `args.acc`: for each block the integer dot products, then two scales.
#[inline(always)]
pub(crate) unsafe fn tile<D: BlockDots, L: WasmLanes, const R: usize>(args: TileArgs) {
    // SAFETY: the pointers reach as far as TileArgs says.
    unsafe {
        let mut acc = [[L::splat(0.0); 2]; R];
        for r in 0..R {
            acc[r] = [L::load(args.acc.add(r * PANEL)), L::load(args.acc.add(r * PANEL + 4))];
        }
        let (mut codes, mut scales, mut corrections, mut panel) =
            (args.codes, args.scales, args.corrections, args.panel);
        for _ in 0..args.blocks {
            let dots = D::dots::<R>(codes, corrections, panel.add(4 * PANEL));
            let w_scales = [L::load(panel.cast()), L::load(panel.add(16).cast())];
            for r in 0..R {
                let scale = L::splat(*scales.add(r));
                for g in 0..2 {
                    let dot = L::from_v128(f32x4_convert_i32x4(dots[r][g]));
                    acc[r][g] = w_scales[g].mul(scale).mul_add(dot, acc[r][g]);
                }
            }
            codes = codes.add(R * BLOCK * D::CODE_BYTES);
            scales = scales.add(R);
            corrections = corrections.add(R);
            panel = panel.add(4 * PANEL + D::WEIGHT_BYTES);
        }
        for r in 0..R {
            acc[r][0].store(args.acc.add(r * PANEL));
            acc[r][1].store(args.acc.add(r * PANEL + 4));
        }
    }
}

/// [`tile`] for heights 1 to 4.
#[inline(always)]
pub(crate) unsafe fn tile_of<D: BlockDots, L: WasmLanes>(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe {
        match height {
            1 => tile::<D, L, 1>(args),
            2 => tile::<D, L, 2>(args),
            3 => tile::<D, L, 3>(args),
            _ => tile::<D, L, 4>(args),
        }
    }
}

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

/// A type of four f32 lanes; `$mul_add` is its product and sum.
macro_rules! wasm_lanes {
    ($name:ident, $mul_add:expr) => {
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
                $name($mul_add(self.0, factor.0, addend.0))
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
            unsafe fn abs(self) -> Self {
                $name(std::arch::wasm32::f32x4_abs(self.0))
            }
            #[inline(always)]
            unsafe fn round(self) -> Self {
                $name(std::arch::wasm32::f32x4_nearest(self.0))
            }
            #[inline(always)]
            unsafe fn scale_by_power_of_2(self, n: Self) -> Self {
                use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, u32x4_shl};
                // 2²³ + n + 127 has the biased exponent in its low bits.
                let exponent = f32x4_add(n.0, f32x4_splat(8_388_608.0 + 127.0));
                $name(f32x4_mul(self.0, u32x4_shl(exponent, 23)))
            }
            #[inline(always)]
            unsafe fn zero_where_less(self, x: Self, limit: Self) -> Self {
                use std::arch::wasm32::{f32x4_lt, v128_andnot};
                $name(v128_andnot(self.0, f32x4_lt(x.0, limit.0)))
            }
            #[inline(always)]
            unsafe fn clear_low_bits(self) -> Self {
                use std::arch::wasm32::{i32x4_splat, v128_and};
                $name(v128_and(self.0, i32x4_splat(!0xfff)))
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
