//! The float kernels, written once over [`Lanes`] and compiled for each instruction set.

use std::hint::black_box;

use crate::BLOCK;
use crate::kernel_table::Group;
use crate::lanes::{Lanes, QuantizeLanes};

/// A number in every lane of the widest register. The functions below load their constants from
/// tables that the compiler can't see through (`black_box`): V8 would make a constant that is written in the code
/// anew at each use, in three instructions.
type Constant = [f32; 8];

#[inline(always)]
unsafe fn constant<L: Lanes>(c: &Constant) -> L {
    const { assert!(L::N <= 8) };
    // SAFETY: N ≤ 8; the caller has the instructions of L.
    unsafe { L::load(c.as_ptr()) }
}

/// Constants of [`exp`].
#[derive(Clone, Copy)]
struct Exp {
    lowest: Constant,
    log2_e: Constant,
    /// 1.5·2²³ + 127: what is added to it is rounded to an integer n, half to even, and the low bits
    /// then say n + 127.
    rounder: Constant,
    /// −ln 2 in two parts, the first of few enough bits that n times it is exact.
    minus_ln_2: [Constant; 2],
    /// Of r² … r⁶ in eʳ.
    polynomial: [Constant; 5],
    one: Constant,
}

const EXP: Exp = Exp {
    lowest: [-87.3; 8],
    log2_e: [std::f32::consts::LOG2_E; 8],
    rounder: [12_582_912.0 + 127.0; 8],
    minus_ln_2: [[-0.693_359_4; 8], [2.121_944_4e-4; 8]],
    polynomial: [
        [4.999_999_4e-1; 8],
        [1.666_652e-1; 8],
        [4.166_839_6e-2; 8],
        [8.368_797e-3; 8],
        [1.381_443_3e-3; 8],
    ],
    one: [1.0; 8],
};

/// eˣ for −87.3 ≤ x ≤ 88, with an error of at most 1.2 units in the last place.
///
/// With n = round(x/ln 2), r = x − n·ln 2: eˣ = 2ⁿ·eʳ, |r| ≤ ln 2/2, and eʳ is a minimax polynomial
/// of degree 6 (relative error 3e-9, fitted for this crate).
#[inline(always)]
unsafe fn exp<L: Lanes>(x: L, c: &Exp) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let rounder = constant(&c.rounder);
        let shifted = x.mul_add(constant(&c.log2_e), rounder);
        let n = shifted.sub(rounder);
        let r = n.mul_add(constant(&c.minus_ln_2[0]), x);
        let r = n.mul_add(constant(&c.minus_ln_2[1]), r);
        // In pairs of terms, which need not wait for one another.
        let r2 = r.mul(r);
        let [c2, c3, c4, c5, c6] = &c.polynomial;
        let [c2, c3, c4]: [L; 3] = [constant(c2), constant(c3), constant(c4)];
        let [c5, c6]: [L; 2] = [constant(c5), constant(c6)];
        let p = c6.mul_add(r2, c5.mul_add(r, c4));
        let p = p.mul_add(r2, c3.mul_add(r, c2));
        let p = p.mul_add(r2, r).add(constant(&c.one));
        p.mul(shifted.power_of_2())
    }
}

/// [`exp`] for all x ≤ 88: 0 below −87.3, where results would soon be subnormal.
#[inline(always)]
unsafe fn exp_or_zero<L: Lanes>(x: L, c: &Exp) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let lowest = constant(&c.lowest);
        exp(x.max(lowest), c).zero_where_less(x, lowest)
    }
}

/// Constants of [`gelu_lanes`].
struct Gelu {
    /// Where |erf(x/√2)| counts as 1. One of the places where the quotient is 0.5 exactly.
    lowest: Constant,
    highest: Constant,
    half: Constant,
    /// P and Q, the highest coefficient first.
    numerator: [Constant; 6],
    denominator: [Constant; 6],
}

static GELU: Gelu = Gelu {
    lowest: [-5.4; 8],
    highest: [5.4; 8],
    half: [0.5; 8],
    numerator: [
        [2.244_275_5e-8; 8],
        [6.352_736e-6; 8],
        [1.712_743_7e-4; 8],
        [4.691_819e-3; 8],
        [3.410_919_8e-2; 8],
        [3.989_422_3e-1; 8],
    ],
    denominator: [
        [1.188_616_9e-6; 8],
        [7.434_891_4e-5; 8],
        [1.898_335_8e-3; 8],
        [2.878_970_3e-2; 8],
        [2.521_649e-1; 8],
        [1.0; 8],
    ],
};

/// x·Φ(x) = x·(1/2 + erf(x/√2)/2), with an error of at most 2⁻²²·|x|: two units in the last place of x.
///
/// erf(x/√2)/2 = x·P(x²)/Q(x²), a minimax rational function of degrees 5 and 5 (error 1e-8, fitted for
/// this crate).
#[inline(always)]
unsafe fn gelu_lanes<L: Lanes>(x: L, c: &Gelu) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let near = x.max(constant(&c.lowest)).min(constant(&c.highest));
        let z = near.mul(near);
        let (mut p, mut q): (L, L) = (constant(&c.numerator[0]), constant(&c.denominator[0]));
        for i in 1..6 {
            p = p.mul_add(z, constant(&c.numerator[i]));
            q = q.mul_add(z, constant(&c.denominator[i]));
        }
        let half_erf = near.mul(p).div(q);
        x.mul(half_erf.add(constant(&c.half)))
    }
}

/// Replaces every `$x` of a slice by `$result`, registers of `$lanes` at a time, the last few
/// values through a padded copy. (A function taking a closure would not do: the closure would not
/// have the target features of the kernel.)
macro_rules! map_lanes {
    ($lanes:ty, $slice:expr, |$x:ident| $result:expr) => {{
        let mut parts = $slice.chunks_exact_mut(<$lanes>::N);
        for part in &mut parts {
            let $x = <$lanes>::load(part.as_ptr());
            ($result).store(part.as_mut_ptr());
        }
        let rest = parts.into_remainder();
        if !rest.is_empty() {
            let mut padded = [0.0; 8];
            padded[..rest.len()].copy_from_slice(rest);
            let $x = <$lanes>::load(padded.as_ptr());
            ($result).store(padded.as_mut_ptr());
            rest.copy_from_slice(&padded[..rest.len()]);
        }
    }};
}

/// Lanes in which a fold runs, whatever the register's width: sums come out the same everywhere.
const FOLD_LANES: usize = 32;

/// Folds `$map` of every `$x` of a slice into one register by the method `$fold`, beginning from
/// `$start`. The slice is continued with `$pad`, whose `$map` must not change a result.
macro_rules! fold_lanes {
    ($lanes:ty, $slice:expr, $pad:expr, $start:expr, $fold:ident, |$x:ident| $map:expr) => {{
        let n = <$lanes>::N;
        let mut parts = [<$lanes>::splat($start); 8];
        let mut whole = $slice.chunks_exact(FOLD_LANES);
        for lanes in &mut whole {
            for i in 0..FOLD_LANES / n {
                let $x = <$lanes>::load(lanes[i * n..].as_ptr());
                parts[i] = parts[i].$fold($map);
            }
        }
        for (i, lanes) in whole.remainder().chunks(n).enumerate() {
            let $x = if lanes.len() == n {
                <$lanes>::load(lanes.as_ptr())
            } else {
                let mut padded = [$pad; 8];
                padded[..lanes.len()].copy_from_slice(lanes);
                <$lanes>::load(padded.as_ptr())
            };
            parts[i] = parts[i].$fold($map);
        }
        // Four groups of eight lanes become one, then the halves of a group where it is two registers.
        let half = 8 / n;
        for i in 0..half {
            let (low, high) =
                (parts[i].$fold(parts[half + i]), parts[2 * half + i].$fold(parts[3 * half + i]));
            parts[i] = low.$fold(high);
        }
        if half == 1 { parts[0] } else { parts[0].$fold(parts[1]) }
    }};
}

#[inline(always)]
pub(crate) unsafe fn gelu<L: Lanes>(x: &mut [f32]) {
    let c = black_box(&GELU);
    // SAFETY: parts are N ≤ 8 long; the caller has the instructions of L.
    unsafe { map_lanes!(L, x, |x| gelu_lanes(x, c)) };
}

/// x ← e^(x − max x), and the reciprocal of the sum of that.
#[inline(always)]
pub(crate) unsafe fn exp_row<L: Lanes>(x: &mut [f32]) -> f32 {
    let c = black_box(&const { EXP });
    // SAFETY: parts are N ≤ 8 long; the caller has the instructions of L.
    unsafe {
        let max = L::splat(fold_lanes!(L, x, f32::NEG_INFINITY, f32::NEG_INFINITY, max, |x| x).maximum());
        map_lanes!(L, x, |x| exp_or_zero(x.sub(max), c));
        1.0 / fold_lanes!(L, x, 0.0, 0.0, add, |x| x).sum()
    }
}

#[inline(always)]
pub(crate) unsafe fn softmax_row<L: Lanes>(x: &mut [f32]) {
    // SAFETY: parts are N ≤ 8 long; the caller has the instructions of L.
    unsafe {
        let factor = L::splat(exp_row::<L>(x));
        map_lanes!(L, x, |x| x.mul(factor));
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
        let mean = fold_lanes!(L, x, 0.0, 0.0, add, |x| x).sum() / width as f32;
        let means = L::splat(mean);
        let whole = width / L::N * L::N;
        let sum = fold_lanes!(L, x, mean, 0.0, add, |x| x.sub(means).mul(x.sub(means))).sum();
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

/// Blocks of smaller values count as zero: c/amax must not overflow.
pub(crate) const SMALLEST: f32 = 1e-30;

/// Scale of a block and the factor that takes its values to codes of at most `code`, from the bits of its
/// largest magnitude: the rule of [`crate::activations`].
pub(crate) fn block_scale(largest: u32, code: f32) -> (f32, f32) {
    let largest = f32::from_bits(largest);
    if !largest.is_finite() {
        (f32::NAN, 0.0)
    } else if largest < SMALLEST {
        (0.0, 0.0)
    } else {
        (largest / code, code / largest)
    }
}

/// See [`crate::kernel_table::QuantizeRow`].
#[inline(always)]
pub(crate) unsafe fn quantize_row<L: QuantizeLanes>(
    x: *const f32,
    blocks: usize,
    largest: f32,
    groups: *mut Group,
    scales: *mut f32,
    sums: *mut i32,
    stride: usize,
) {
    let steps = BLOCK * L::CODE_BYTES / 4;
    for block in 0..blocks {
        // SAFETY: the pointers reach as far as the caller promises.
        unsafe {
            let x = x.add(block * BLOCK);
            let (scale, factor) = block_scale(L::largest_magnitude(x), largest);
            // Not 0 · x: that is NaN for an infinity.
            let (codes, sum) = if factor == 0.0 { ([0; 16], 0) } else { L::codes(x, factor) };
            for step in 0..steps {
                *groups.add((block * steps + step) * stride) = codes[step];
            }
            *scales.add(block * stride) = scale;
            *sums.add(block * stride) = sum;
        }
    }
}
