//! What the WebAssembly kernels share: four f32 lanes, the scales of a panel, the tile loop.

use std::arch::wasm32::*;

use crate::BLOCK;
use crate::kernel_table::{Group, TileArgs};
use crate::lanes::Lanes;
use crate::pack::PANEL;

/// AT_ONCE steps of a tile: how that many times four bytes of codes of a row meet four columns of weights.
pub(crate) trait Step<const AT_ONCE: usize> {
    /// Steps in a block of 32: 8 with codes of one byte, 16 with two.
    const STEPS: usize;

    /// The sum to start from, of a row's correction in every lane.
    fn start(correction: v128) -> v128;
    /// `sum` with the products of each `a`, the same four bytes in every lane, and its `w`, one column a lane.
    fn add(sum: v128, a: [v128; AT_ONCE], w: [v128; AT_ONCE]) -> v128;
    /// The i32 dot products, one column a lane.
    fn finish(sum: v128) -> v128;
}

/// Bytes of weights in a step: four of each of 8 columns.
pub(crate) const STEP_BYTES: usize = 4 * PANEL;

/// Integer dot products of one block: R rows by 8 columns, the columns in two registers of four.
///
/// The shape of this loop is for V8, whose register allocator takes what it is given:
/// - Arrays are filled by loops, not by `from_fn`: that costs a twentieth.
/// - It is not unrolled. In a basic block with many steps LLVM goes sum by sum, all operands of all
///   steps are alive at once, and V8 spills them. V8 peels and unrolls the loop itself, step by step.
/// - `opaque` is all ones, but the compiler doesn't know. Otherwise it would rewrite the pointers as
///   induction variables and add every row's offset with an instruction of its own instead of in
///   the load.
///
/// # Safety
/// The pointers reach STEPS · R groups, R corrections and STEPS · 32 bytes of weights.
#[inline(always)]
unsafe fn dots<S: Step<M>, const M: usize, const R: usize>(
    groups: *const Group,
    corrections: *const i32,
    w: *const u8,
    opaque: usize,
) -> [[v128; 2]; R] {
    // SAFETY: the caller's promise; the loop ends after STEPS steps.
    unsafe {
        let mut sums = [[i32x4_splat(0); 2]; R];
        for r in 0..R {
            sums[r] = [S::start(v128_load32_splat(corrections.add(r).cast())); 2];
        }
        let (mut groups, mut w) = (groups, w);
        let end = w.add(S::STEPS * STEP_BYTES);
        loop {
            let mut columns = [[i32x4_splat(0); M]; 2];
            for m in 0..M {
                for g in 0..2 {
                    columns[g][m] = v128_load(w.add(m * STEP_BYTES + 16 * g).cast());
                }
            }
            for r in 0..R {
                let mut a = [i32x4_splat(0); M];
                for m in 0..M {
                    a[m] = v128_load32_splat(groups.add(m * R + r).cast());
                }
                for g in 0..2 {
                    sums[r][g] = S::add(sums[r][g], a, columns[g]);
                }
            }
            groups = (groups.add(M * R) as usize & opaque) as *const Group;
            w = (w.add(M * STEP_BYTES) as usize & opaque) as *const u8;
            if w == end {
                break;
            }
        }
        for r in 0..R {
            sums[r] = sums[r].map(S::finish);
        }
        sums
    }
}

/// Adds R rows by the panels' columns to `args.acc`: for each block the integer dot products, then
/// two scales.
#[inline(always)]
pub(crate) unsafe fn tile<S: Step<M>, L: WasmLanes, const M: usize, const R: usize>(mut args: TileArgs) {
    let opaque = std::hint::black_box(usize::MAX);
    // SAFETY: the pointers reach as far as TileArgs says.
    unsafe {
        for _ in 0..args.panels {
            let mut acc = [[L::splat(0.0); 2]; R];
            for r in 0..R {
                acc[r] = [L::load(args.acc.add(r * PANEL)), L::load(args.acc.add(r * PANEL + 4))];
            }
            let (mut groups, mut scales, mut corrections, mut panel) =
                (args.groups, args.scales, args.corrections, args.panel);
            for _ in 0..args.blocks {
                let dots = dots::<S, M, R>(groups, corrections, panel.add(4 * PANEL), opaque);
                let w_scales = [L::load(panel.cast()), L::load(panel.add(16).cast())];
                for r in 0..R {
                    let scale = L::splat(*scales.add(r));
                    for g in 0..2 {
                        let dot = L::from_v128(f32x4_convert_i32x4(dots[r][g]));
                        acc[r][g] = w_scales[g].mul(scale).mul_add(dot, acc[r][g]);
                    }
                }
                groups = groups.add(S::STEPS * R);
                scales = scales.add(R);
                corrections = corrections.add(R);
                panel = panel.add(4 * PANEL + S::STEPS * STEP_BYTES);
            }
            for r in 0..R {
                acc[r][0].store(args.acc.add(r * PANEL));
                acc[r][1].store(args.acc.add(r * PANEL + 4));
            }
            args.next_panel();
        }
    }
}

/// [`tile`] for heights 1 to 5.
#[inline(always)]
pub(crate) unsafe fn tile_of<S: Step<M>, L: WasmLanes, const M: usize>(height: usize, args: TileArgs) {
    // SAFETY: the caller's promise is ours.
    unsafe {
        match height {
            1 => tile::<S, L, M, 1>(args),
            2 => tile::<S, L, M, 2>(args),
            3 => tile::<S, L, M, 3>(args),
            4 => tile::<S, L, M, 4>(args),
            _ => tile::<S, L, M, 5>(args),
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
