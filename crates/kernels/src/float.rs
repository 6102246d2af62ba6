//! The float kernels, written once over [`Lanes`] and compiled for each instruction set.

use std::hint::black_box;

use crate::BLOCK;
use crate::activations::{CORRECTION, Group, SMALLEST};
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
    /// Of r² … r⁶ in eʳ, the highest first.
    polynomial: [Constant; 5],
    one: Constant,
}

const EXP: Exp = Exp {
    lowest: [-87.3; 8],
    log2_e: [std::f32::consts::LOG2_E; 8],
    rounder: [12_582_912.0 + 127.0; 8],
    minus_ln_2: [[-0.693_359_4; 8], [2.121_944_4e-4; 8]],
    polynomial: [
        [1.381_443_3e-3; 8],
        [8.368_797e-3; 8],
        [4.166_839_6e-2; 8],
        [1.666_652e-1; 8],
        [4.999_999_4e-1; 8],
    ],
    one: [1.0; 8],
};

/// e^(x + low) for −87.3 ≤ x ≤ 88 and |low| < 1e-3: `low` carries what a rounded x has lost.
/// Error at most 1.1 units in the last place.
///
/// With n = round(x/ln 2), r = x − n·ln 2: eˣ = 2ⁿ·eʳ, |r| ≤ ln 2/2, and eʳ is a minimax polynomial
/// of degree 6 (relative error 3e-9, fitted for this crate).
#[inline(always)]
unsafe fn exp<L: Lanes>(x: L, low: Option<L>, c: &Exp) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let rounder = constant(&c.rounder);
        let shifted = x.mul_add(constant(&c.log2_e), rounder);
        let n = shifted.sub(rounder);
        let r = n.mul_add(constant(&c.minus_ln_2[0]), x);
        let mut r = n.mul_add(constant(&c.minus_ln_2[1]), r);
        if let Some(low) = low {
            r = r.add(low);
        }
        let mut p: L = constant(&c.polynomial[0]);
        for coefficient in &c.polynomial[1..] {
            p = p.mul_add(r, constant(coefficient));
        }
        let p = p.mul_add(r.mul(r), r).add(constant(&c.one));
        p.mul(shifted.power_of_2())
    }
}

/// [`exp`] for all x ≤ 88: 0 below −87.3, where results would soon be subnormal.
#[inline(always)]
unsafe fn exp_or_zero<L: Lanes>(x: L, c: &Exp) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let lowest = constant(&c.lowest);
        exp(x.max(lowest), None, c).zero_where_less(x, lowest)
    }
}

/// Constants of [`gelu_lanes`].
struct Gelu {
    exp: Exp,
    /// All bits but the sign.
    magnitude: Constant,
    /// All bits but the low 12 of the mantissa: the square of what is left is exact.
    high: Constant,
    minus_half: Constant,
    /// Beyond it the tail counts as what it is there, 6e-39.
    largest: Constant,
    zero: Constant,
    /// P and Q, the highest coefficient first.
    numerator: [Constant; 5],
    denominator: [Constant; 6],
}

static GELU: Gelu = Gelu {
    exp: EXP,
    magnitude: [f32::from_bits(0x7fff_ffff); 8],
    high: [f32::from_bits(0xffff_f000); 8],
    minus_half: [-0.5; 8],
    largest: [13.0; 8],
    zero: [0.0; 8],
    numerator: [[4.077_607e-3; 8], [4.037_252_4e-2; 8], [1.824_617_4e-1; 8], [4.372_507_6e-1; 8], [0.5; 8]],
    denominator: [
        [1.022_091_5e-2; 8],
        [1.012_057_2e-1; 8],
        [4.674_288_6e-1; 8],
        [1.199_290_3; 8],
        [1.672_386_5; 8],
        [1.0; 8],
    ],
};

/// x·Φ(x) with Φ the normal distribution: (x/2)·(1 + erf(x/√2)) without its cancellation.
///
/// With u = |x| and h(u) = Φ(−u): GELU(x) = max(x, 0) − u·h(u), and h(u) = e^(−u²/2)·P(u)/Q(u),
/// where P/Q is a minimax rational function (degrees 4 and 5, relative error 6e-9, fitted for this
/// crate). u² is formed in two parts, so the tail keeps its relative accuracy: the error is at most
/// 3 units in the last place for x ≥ 0, 6 for −13 ≤ x < 0, and 1e-37 below.
#[inline(always)]
unsafe fn gelu_lanes<L: Lanes>(x: L, c: &Gelu) -> L {
    // SAFETY: the caller has the instructions of L.
    unsafe {
        let u = x.and(constant(&c.magnitude)).min(constant(&c.largest));
        let high = u.and(constant(&c.high));
        let minus_half = constant(&c.minus_half);
        let low = u.sub(high).mul(u.add(high)).mul(minus_half);
        let e = exp(high.mul(high).mul(minus_half), Some(low), &c.exp);

        let mut p: L = constant(&c.numerator[0]);
        for coefficient in &c.numerator[1..] {
            p = p.mul_add(u, constant(coefficient));
        }
        let mut q: L = constant(&c.denominator[0]);
        for coefficient in &c.denominator[1..] {
            q = q.mul_add(u, constant(coefficient));
        }
        x.max(constant(&c.zero)).sub(u.mul(e).mul(p.div(q)))
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
            let mut padded = [$pad; 8];
            padded[..lanes.len()].copy_from_slice(lanes);
            let $x = <$lanes>::load(padded.as_ptr());
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

        $(#[$feature])*
        unsafe fn dense_tile(height: usize, x: *const f32, panel: *const f32, k: usize, acc: *mut f32) {
            // SAFETY: the caller has the instructions, and its pointers reach far enough.
            unsafe { $crate::dense::dense_tile::<$lanes>(height, x, panel, k, acc) }
        }
    };
}
pub(crate) use float_kernels;
