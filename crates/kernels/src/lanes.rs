//! The operations of a SIMD register that the float kernels need. [`crate::float`] is written once in these terms;
//! each instruction set implements them.
//!
//! Every operation is rounded as IEEE 754 says and sums run in an order that does not depend on the
//! register's width, so all instruction sets give the same bits. That matters: one last bit can move
//! an activation to another 8-bit code, and the logits by a thousandth.

use crate::kernel_table::Group;

/// A register of `N` f32 lanes.
///
/// # Safety of the methods
/// The machine must have the instructions, and pointers must reach `N` floats; no alignment.
/// Implementations are `#[inline(always)]`, so that they take on the target features of the kernel
/// they are inlined into.
pub(crate) trait Lanes: Copy {
    const N: usize;

    unsafe fn splat(x: f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);

    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// self · factor + addend, the product rounded too: a fused form would give other bits on the
    /// machines that have it.
    unsafe fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The larger; `self` where either is a NaN.
    unsafe fn max(self, other: Self) -> Self;
    /// The smaller; `self` where either is a NaN.
    unsafe fn min(self, other: Self) -> Self;
    /// 2ⁿ⁻¹²⁷ where the lowest 8 bits of the lane are n and the ninth is 0.
    unsafe fn power_of_2(self) -> Self;
    /// The lanes where x < limit set to 0.
    unsafe fn zero_where_less(self, x: Self, limit: Self) -> Self;

    /// Sum of the lanes.
    unsafe fn sum(self) -> f32;
    /// The largest lane.
    unsafe fn maximum(self) -> f32;
}

/// What quantising needs beside [`Lanes`], for blocks of 32 values.
///
/// # Safety of the methods
/// As for [`Lanes`]; `x` reaches 32 floats.
pub(crate) trait QuantizeLanes: Lanes {
    /// Bytes of a code: 1 or 2.
    const CODE_BYTES: usize;

    /// The largest |x| as its bits. The bits of non-negative floats are ordered as the floats are,
    /// with infinity and then the NaNs above all numbers.
    unsafe fn largest_magnitude(x: *const f32) -> u32;

    /// The codes round(x · factor), half to even, and their sum. All |x · factor| < 127.5. Groups
    /// that CODE_BYTES leaves unused are 0.
    unsafe fn codes(x: *const f32, factor: f32) -> ([Group; 16], i32);
}
