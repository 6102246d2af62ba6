//! The codes of a block and the search for its scale.

use half::f16;
use kernels::BLOCK;

/// The codes that a block may use, and where its scale is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    lowest: f32,
    highest: f32,
    /// The largest magnitude is tried at `first + i·step` scales, `i < tries`.
    first: f32,
    step: f32,
    tries: usize,
    /// Whether a negative scale is another choice, because the codes are not symmetric.
    both_signs: bool,
}

impl Levels {
    /// −63…63, in a valid `Q8_0` block: with 64 added a code is 1…127, the only range that the relaxed
    /// SIMD dot product takes on every machine and that AVX2's `maddubs` adds without saturating.
    pub const SEVEN_BIT: Self =
        Self { lowest: -63.0, highest: 63.0, first: 60.5, step: 0.5, tries: 9, both_signs: false };
    /// −8…7, `Q4_0`'s range.
    pub const FOUR_BIT: Self =
        Self { lowest: -8.0, highest: 7.0, first: 5.0, step: 0.25, tries: 18, both_signs: true };

    /// A block's scale and codes, of small squared error: the best of several scales around the one
    /// that just reaches the largest magnitude, each improved by least squares. Plain f32 in a fixed
    /// order, so every machine gives the same bytes.
    pub fn round(self, block: &[f32; BLOCK]) -> (f16, [i8; BLOCK]) {
        let largest = block.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        let mut best = Candidate { error: f32::INFINITY, scale: f16::ZERO };
        if largest > 0.0 {
            for step in self.steps() {
                self.improve(block, largest * step, &mut best);
            }
        }
        (best.scale, self.codes(block, best.scale.to_f32()).map(|q| q as i8))
    }

    /// Refits `scale` to the codes it gives, twice, and keeps the best of what F16 makes of them.
    fn improve(self, block: &[f32; BLOCK], scale: f32, best: &mut Candidate) {
        let mut scale = scale;
        for _ in 0..2 {
            let rounded = f16::from_f32(scale);
            if !(rounded.to_f32().abs() > 0.0 && rounded.is_finite()) {
                return;
            }
            let d = rounded.to_f32();
            let codes = self.codes(block, d);
            let error = sum(|i| {
                let e = block[i] - d * codes[i];
                e * e
            });
            if error < best.error {
                *best = Candidate { error, scale: rounded };
            }
            let energy = sum(|i| codes[i] * codes[i]);
            if energy == 0.0 {
                return;
            }
            scale = sum(|i| block[i] * codes[i]) / energy;
        }
    }

    /// The scales to try, for a block whose largest magnitude is 1.
    pub(crate) fn steps(self) -> impl Iterator<Item = f32> {
        let step = move |i: usize| 1.0 / (self.first + self.step * i as f32);
        let signs: &[f32] = if self.both_signs { &[1.0, -1.0] } else { &[1.0] };
        (0..self.tries).flat_map(move |i| signs.iter().map(move |sign| sign * step(i)))
    }

    /// The nearest codes for scale `d`; zeros for a scale of zero.
    fn codes(self, block: &[f32; BLOCK], d: f32) -> [f32; BLOCK] {
        let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
        block.map(|v| self.code(v * inverse))
    }

    /// The code nearest to `x`.
    pub(crate) fn code(self, x: f32) -> f32 {
        nearest(x.max(self.lowest).min(self.highest))
    }
}

struct Candidate {
    error: f32,
    scale: f16,
}

/// The nearest integer, ties to even, for magnitudes below 2²²: adding 1.5·2²³ leaves no fraction
/// bits. The same on every machine, and it vectorises where `f32::round` calls a function.
fn nearest(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (x + SHIFT) - SHIFT
}

/// A sum over a block in eight lanes: an order that vectorises and is the same everywhere.
fn sum(term: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    for i in (0..BLOCK).step_by(8) {
        for lane in 0..8 {
            lanes[lane] += term(i + lane);
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::tests::noise;

    #[test]
    fn nearest_rounds_ties_to_even() {
        for (x, rounded) in [(0.5, 0.0), (1.5, 2.0), (-0.5, 0.0), (-2.5, -2.0), (2.4, 2.0), (63.0, 63.0)] {
            assert_eq!(nearest(x), rounded, "{x}");
        }
    }

    /// The smallest error that any F16 scale near the plain one can reach, found by trying them all.
    #[test]
    fn four_bit_scales_are_close_to_the_best_there_are() {
        let (mut found, mut best) = (0.0, 0.0);
        for block in noise(3, 32 * 64).as_chunks::<BLOCK>().0 {
            let error = |d: f32| -> f64 {
                let codes = Levels::FOUR_BIT.codes(block, d);
                (0..BLOCK).map(|i| f64::from(block[i] - d * codes[i]).powi(2)).sum()
            };
            let (scale, _) = Levels::FOUR_BIT.round(block);
            found += error(scale.to_f32());
            let largest = block.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            let range = f16::from_f32(largest / 12.0).to_bits()..=f16::from_f32(largest / 3.0).to_bits();
            let all = range.map(|bits| f16::from_bits(bits).to_f32()).flat_map(|d| [error(d), error(-d)]);
            best += all.fold(f64::INFINITY, f64::min);
        }
        println!("squared error {found:.6}, best {best:.6}");
        assert!(found <= 1.01 * best, "{found} {best}");
    }
}
