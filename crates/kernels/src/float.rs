//! The float kernels, written once over [`Lanes`] and compiled for each instruction set.

use crate::BLOCK;
use crate::activations::{CORRECTION, Group, SMALLEST};
use crate::lanes::{Lanes, QuantizeLanes};

/// eˣ is 0 below this (and its smallest results would be subnormal anyway).
const EXP_LOWEST: f32 = -87.3;

/// e^(x + low) for x ≤ 88 and |low| < 1e-3: `low` carries what a rounded x has lost.
/// Error at most 1.1 units in the last place; 0 for x < −87.3.
///
/// With n = round(x/ln 2), r = x − n·ln 2: eˣ = 2ⁿ·eʳ, |r| ≤ ln 2/2, and eʳ is a minimax polynomial
/// of degree 6 (relative error 3e-9, fitted for this crate).
#[inline(always)]
unsafe fn exp_sum<L: Lanes>(x: L, low: L) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let n = x.max(L::splat(EXP_LOWEST)).mul(L::splat(std::f32::consts::LOG2_E)).round();
        // ln 2 in two parts, the first of few enough bits that n times it is exact.
        let r = n.mul_add(L::splat(-0.693_359_4), x.max(L::splat(EXP_LOWEST)));
        let r = n.mul_add(L::splat(2.121_944_4e-4), r).add(low);
        let p = L::splat(1.381_443_3e-3);
        let p = p.mul_add(r, L::splat(8.368_797e-3));
        let p = p.mul_add(r, L::splat(4.166_839_6e-2));
        let p = p.mul_add(r, L::splat(1.666_652e-1));
        let p = p.mul_add(r, L::splat(4.999_999_4e-1));
        let p = p.mul_add(r.mul(r), r).add(L::splat(1.0));
        p.scale_by_power_of_2(n).zero_where_less(x, L::splat(EXP_LOWEST))
    }
}

/// eˣ for x ≤ 88: see [`exp_sum`].
#[inline(always)]
pub(crate) unsafe fn exp<L: Lanes>(x: L) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe { exp_sum(x, L::splat(0.0)) }
}

/// x·Φ(x) with Φ the normal distribution: (x/2)·(1 + erf(x/√2)) without its cancellation.
///
/// With u = |x| and h(u) = Φ(−u): GELU(x) = max(x, 0) − u·h(u), and h(u) = e^(−u²/2)·P(u)/Q(u),
/// where P/Q is a minimax rational function (degrees 4 and 5, relative error 6e-9, fitted for this
/// crate). u² is formed in two parts, so the tail keeps its relative accuracy: the error is at most
/// 3 units in the last place for x ≥ 0, 6 for −13 ≤ x < 0.
#[inline(always)]
unsafe fn gelu_lanes<L: Lanes>(x: L) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        // Beyond 14 the tail is 0, and Q would overflow.
        let u = x.abs().min(L::splat(14.0));
        let high = u.clear_low_bits();
        let low = u.sub(high).mul(u.add(high));
        let half = L::splat(-0.5);
        let e = exp_sum(high.mul(high).mul(half), low.mul(half));

        let p = L::splat(4.077_607e-3);
        let p = p.mul_add(u, L::splat(4.037_252_4e-2));
        let p = p.mul_add(u, L::splat(1.824_617_4e-1));
        let p = p.mul_add(u, L::splat(4.372_507_6e-1));
        let p = p.mul_add(u, L::splat(0.5));
        let q = L::splat(1.022_091_5e-2);
        let q = q.mul_add(u, L::splat(1.012_057_2e-1));
        let q = q.mul_add(u, L::splat(4.674_288_6e-1));
        let q = q.mul_add(u, L::splat(1.199_290_3));
        let q = q.mul_add(u, L::splat(1.672_386_5));
        let q = q.mul_add(u, L::splat(1.0));
        x.max(L::splat(0.0)).sub(u.mul(e).mul(p.div(q)))
    }
}

/// Applies `f` to all of `x`, the last few values through a padded copy.
#[inline(always)]
unsafe fn map<L: Lanes>(x: &mut [f32], f: impl Fn(L) -> L) {
    let mut parts = x.chunks_exact_mut(L::N);
    for part in &mut parts {
        // SAFETY: `part` is N long; the caller has the instructions of L.
        unsafe { f(L::load(part.as_ptr())).store(part.as_mut_ptr()) };
    }
    let rest = parts.into_remainder();
    if !rest.is_empty() {
        let mut padded = [0.0; 16];
        padded[..rest.len()].copy_from_slice(rest);
        // SAFETY: N ≤ 16.
        unsafe { f(L::load(padded.as_ptr())).store(padded.as_mut_ptr()) };
        rest.copy_from_slice(&padded[..rest.len()]);
    }
}

/// Folds the whole registers of `x` into one, and the rest (none, or padded with `pad`) after them.
#[inline(always)]
unsafe fn fold<L: Lanes>(x: &[f32], pad: f32, start: L, f: impl Fn(L, L) -> L) -> L {
    let parts = x.chunks_exact(L::N);
    let rest = parts.remainder();
    // Four sums, so that one addition need not wait for another.
    let mut sums = [start; 4];
    for (i, part) in parts.enumerate() {
        // SAFETY: `part` is N long; the caller has the instructions of L.
        sums[i % 4] = f(sums[i % 4], unsafe { L::load(part.as_ptr()) });
    }
    if !rest.is_empty() {
        let mut padded = [pad; 16];
        padded[..rest.len()].copy_from_slice(rest);
        // SAFETY: N ≤ 16.
        sums[0] = f(sums[0], unsafe { L::load(padded.as_ptr()) });
    }
    f(f(sums[0], sums[1]), f(sums[2], sums[3]))
}

#[inline(always)]
pub(crate) unsafe fn gelu<L: Lanes>(x: &mut [f32]) {
    // SAFETY: the caller has the instructions of L.
    unsafe { map::<L>(x, |x| gelu_lanes(x)) };
}

/// x ← e^(x − max x), and the reciprocal of the sum of that.
#[inline(always)]
pub(crate) unsafe fn exp_row<L: Lanes>(x: &mut [f32]) -> f32 {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let lowest = f32::NEG_INFINITY;
        let max = L::splat(fold::<L>(x, lowest, L::splat(lowest), |a, b| a.max(b)).maximum());
        map::<L>(x, |x| exp(x.sub(max)));
        1.0 / fold::<L>(x, 0.0, L::splat(0.0), |a, b| a.add(b)).sum()
    }
}

#[inline(always)]
pub(crate) unsafe fn softmax_row<L: Lanes>(x: &mut [f32]) {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let factor = L::splat(exp_row::<L>(x));
        map::<L>(x, |x| x.mul(factor));
    }
}

#[inline(always)]
pub(crate) unsafe fn layer_norm_row<L: Lanes>(
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    out: &mut [f32],
) {
    let width = x.len();
    assert!(weight.len() == width && bias.len() == width && out.len() == width);
    // SAFETY: the caller has the instructions of L; whole registers end at `whole` ≤ width.
    unsafe {
        let zero = L::splat(0.0);
        let mean = fold::<L>(x, 0.0, zero, |a, b| a.add(b)).sum() / width as f32;
        let means = L::splat(mean);
        // Of values, not of partial sums: so no `fold`. Padding equal to the mean adds nothing.
        let mut squares = [zero; 2];
        let whole = width / L::N * L::N;
        for (i, at) in (0..whole).step_by(L::N).enumerate() {
            let d = L::load(x.as_ptr().add(at)).sub(means);
            squares[i % 2] = d.mul_add(d, squares[i % 2]);
        }
        let mut sum = squares[0].add(squares[1]).sum();
        for &x in &x[whole..] {
            sum += (x - mean) * (x - mean);
        }
        let factor = 1.0 / (sum / width as f32 + eps).sqrt();
        let factors = L::splat(factor);
        for at in (0..whole).step_by(L::N) {
            let normed = L::load(x.as_ptr().add(at)).sub(means).mul(factors);
            let shift = L::load(bias.as_ptr().add(at));
            normed.mul_add(L::load(weight.as_ptr().add(at)), shift).store(out.as_mut_ptr().add(at));
        }
        for at in whole..width {
            out[at] = (x[at] - mean) * factor * weight[at] + bias[at];
        }
    }
}

#[inline(always)]
pub(crate) unsafe fn add_scaled_row<L: Lanes>(x: &mut [f32], y: &[f32], gamma: &[f32]) {
    let width = x.len();
    assert!(y.len() == width && gamma.len() == width);
    let whole = width / L::N * L::N;
    for at in (0..whole).step_by(L::N) {
        // SAFETY: at + N ≤ whole ≤ width; the caller has the instructions of L.
        unsafe {
            let (y, gamma) = (L::load(y.as_ptr().add(at)), L::load(gamma.as_ptr().add(at)));
            y.mul_add(gamma, L::load(x.as_ptr().add(at))).store(x.as_mut_ptr().add(at));
        }
    }
    for at in whole..width {
        x[at] += gamma[at] * y[at];
    }
}

/// Scale of a block and the factor that takes its values to codes, from the bits of its largest
/// magnitude: the rule of [`crate::activations`].
pub(crate) fn block_scale(largest: u32) -> (f32, f32) {
    let largest = f32::from_bits(largest);
    if !largest.is_finite() {
        (f32::NAN, 0.0)
    } else if largest < SMALLEST {
        (0.0, 0.0)
    } else {
        (largest / 127.0, 127.0 / largest)
    }
}

/// See [`crate::activations::QuantizeRow`].
#[inline(always)]
pub(crate) unsafe fn quantize_row<L: QuantizeLanes>(
    x: *const f32,
    blocks: usize,
    groups: *mut Group,
    scales: *mut f32,
    corrections: *mut i32,
    stride: usize,
) {
    let steps = BLOCK * L::CODE_BYTES / 4;
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as the caller promises.
        unsafe {
            let x = x.add(block * BLOCK);
            let (scale, factor) = block_scale(L::largest_magnitude(x));
            // Not 0 · x: that is NaN for an infinity.
            let (codes, sum) = if factor == 0.0 { ([0; 16], 0) } else { L::codes(x, factor) };
            for step in 0..steps {
                *groups.add((block * steps + step) * stride) = codes[step];
            }
            *scales.add(block * stride) = scale;
            *corrections.add(block * stride) = CORRECTION * sum;
        }
    }
}

/// Compiles the float kernels for one instruction set: `$lanes` implements the traits, `$feature`
/// are the attributes every kernel needs.
macro_rules! float_kernels {
    ($lanes:ty, $(#[$feature:meta])*) => {
        $(#[$feature])*
        unsafe fn gelu(x: &mut [f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::gelu::<$lanes>(x) }
        }

        $(#[$feature])*
        unsafe fn softmax_row(x: &mut [f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::softmax_row::<$lanes>(x) }
        }

        $(#[$feature])*
        unsafe fn layer_norm_row(x: &[f32], weight: &[f32], bias: &[f32], eps: f32, out: &mut [f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::layer_norm_row::<$lanes>(x, weight, bias, eps, out) }
        }

        $(#[$feature])*
        unsafe fn add_scaled_row(x: &mut [f32], y: &[f32], gamma: &[f32]) {
            // SAFETY: the caller has the instructions.
            unsafe { $crate::float::add_scaled_row::<$lanes>(x, y, gamma) }
        }

        $(#[$feature])*
        unsafe fn quantize_row(
            x: *const f32,
            blocks: usize,
            groups: *mut $crate::activations::Group,
            scales: *mut f32,
            corrections: *mut i32,
            stride: usize,
        ) {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe {
                $crate::float::quantize_row::<$lanes>(x, blocks, groups, scales, corrections, stride)
            }
        }

        $(#[$feature])*
        unsafe fn attention_head(args: &$crate::attention::HeadArgs) {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe { $crate::attention::head::<$lanes>(args) }
        }
    };
}
pub(crate) use float_kernels;
