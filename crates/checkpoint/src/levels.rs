//! The codes of a block and the search for its scale.

use half::f16;
use kernels::BLOCK;

/// Sums over a block are kept in so many parts.
const LANES: usize = 8;
/// Of 4-bit codes: 18 scales of either sign, and a refit of each.
const MOST_TRIES: usize = 72;

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
        let mut search = Search::default();
        if largest > 0.0 {
            for step in self.steps() {
                self.improve(block, largest * step, &mut search);
            }
        }
        let scale = search.scale;
        (scale, self.codes(block, scale.to_f32()).map(|q| q as i8))
    }

    /// Tries `scale` and the one that fits the codes best that it gives, each as F16 keeps it.
    fn improve(self, block: &[f32; BLOCK], scale: f32, search: &mut Search) {
        let Some(scale) = usable(scale) else { return };
        let Fit { error, energy, product } = self.fit(block, scale.to_f32());
        search.offer(scale, error);
        if energy == 0.0 {
            return;
        }
        let Some(refit) = usable(product / energy) else { return };
        // Neighbouring scales often lead to the same one.
        if !search.has_tried(refit) {
            search.offer(refit, self.fit(block, refit.to_f32()).error);
        }
    }

    /// How well the codes nearest to a block are, for scale `d`, which is not zero.
    #[inline(always)]
    fn fit(self, block: &[f32; BLOCK], d: f32) -> Fit {
        let inverse = 1.0 / d;
        let (mut error, mut energy, mut product) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
        for values in block.as_chunks::<LANES>().0 {
            for lane in 0..LANES {
                let code = self.code(values[lane] * inverse);
                let e = values[lane] - d * code;
                error[lane] += e * e;
                energy[lane] += code * code;
                product[lane] += values[lane] * code;
            }
        }
        Fit { error: total(error), energy: total(energy), product: total(product) }
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
        // Unlike `max` and `min` these are one instruction each.
        let x = if x > self.lowest { x } else { self.lowest };
        nearest(if x < self.highest { x } else { self.highest })
    }
}

/// A scale as F16 keeps it, if that is a scale.
fn usable(scale: f32) -> Option<f16> {
    let rounded = f16::from_f32(scale);
    (rounded.to_f32().abs() > 0.0 && rounded.is_finite()).then_some(rounded)
}

/// Sums over a block: of the squared errors, the squared codes, and the values times their codes.
struct Fit {
    error: f32,
    energy: f32,
    product: f32,
}

/// The best scale so far, and all that were tried.
struct Search {
    error: f32,
    scale: f16,
    /// As bits; 0 is no scale.
    tried: [u16; MOST_TRIES],
    count: usize,
}

impl Default for Search {
    fn default() -> Self {
        Self { error: f32::INFINITY, scale: f16::ZERO, tried: [0; MOST_TRIES], count: 0 }
    }
}

impl Search {
    #[inline(always)]
    fn offer(&mut self, scale: f16, error: f32) {
        if let Some(place) = self.tried.get_mut(self.count) {
            *place = scale.to_bits();
            self.count += 1;
        }
        if error < self.error {
            (self.error, self.scale) = (error, scale);
        }
    }

    #[inline(always)]
    fn has_tried(&self, scale: f16) -> bool {
        // All of each group are compared, which vectorises.
        let groups = &self.tried.as_chunks::<8>().0[..self.count.div_ceil(8)];
        groups
            .iter()
            .any(|group| group.iter().fold(false, |found, &tried| found | (tried == scale.to_bits())))
    }
}

/// The nearest integer, ties to even, for magnitudes below 2²²: adding 1.5·2²³ leaves no fraction
/// bits. The same on every machine, and it vectorises where `f32::round` calls a function.
fn nearest(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (x + SHIFT) - SHIFT
}

/// The lanes' sum. Eight lanes are an order that vectorises and is the same everywhere.
#[inline(always)]
fn total([a, b, c, d, e, f, g, h]: [f32; LANES]) -> f32 {
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

    /// The search as its definition reads: every scale and its refit, the first of the best.
    fn plain_search(levels: Levels, block: &[f32; BLOCK]) -> (f16, [i8; BLOCK]) {
        let sum = |term: &dyn Fn(usize) -> f32| {
            let mut lanes = [0.0f32; 8];
            (0..BLOCK).for_each(|i| lanes[i % 8] += term(i));
            let [a, b, c, d, e, f, g, h] = lanes;
            ((a + e) + (c + g)) + ((b + f) + (d + h))
        };
        let codes = |d: f32| {
            let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
            block.map(|v| (v * inverse).max(levels.lowest).min(levels.highest).round_ties_even())
        };
        let largest = block.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        let (mut best, mut least) = (f16::ZERO, f32::INFINITY);
        for step in levels.steps().filter(|_| largest > 0.0) {
            let mut scale = largest * step;
            for _ in 0..2 {
                let rounded = f16::from_f32(scale);
                let d = rounded.to_f32();
                if d == 0.0 || !d.is_finite() {
                    break;
                }
                let codes = codes(d);
                let error = sum(&|i| (block[i] - d * codes[i]) * (block[i] - d * codes[i]));
                if error < least {
                    (best, least) = (rounded, error);
                }
                let energy = sum(&|i| codes[i] * codes[i]);
                if energy == 0.0 {
                    break;
                }
                scale = sum(&|i| block[i] * codes[i]) / energy;
            }
        }
        (best, codes(best.to_f32()).map(|q| q as i8))
    }

    #[test]
    fn nothing_is_skipped_that_could_be_better() {
        let mut blocks: Vec<[f32; BLOCK]> = noise(4, 32 * 4000).as_chunks::<BLOCK>().0.to_vec();
        for (i, block) in blocks.iter_mut().enumerate() {
            match i % 8 {
                0 => block[i % BLOCK] *= 30.0,
                1 => block.iter_mut().for_each(|v| *v *= 1e-6),
                2 => block.iter_mut().for_each(|v| *v = (*v * 4.0).round()),
                3 => block.iter_mut().filter(|v| v.abs() < 1.0).for_each(|v| *v = 0.0),
                4 => block.iter_mut().for_each(|v| *v *= 1e7),
                5 => block.iter_mut().for_each(|v| *v *= 3e-8),
                6 => (1..BLOCK).for_each(|j| block[j] = block[0] * (j % 4) as f32),
                _ => {}
            }
        }
        blocks.extend([0.0, -0.0, 65504.0, 1e-9, 1e30].map(|value| [value; BLOCK]));
        for block in &blocks {
            for levels in [Levels::SEVEN_BIT, Levels::FOUR_BIT] {
                let (scale, codes) = levels.round(block);
                let (plain_scale, plain_codes) = plain_search(levels, block);
                assert_eq!((scale.to_bits(), codes), (plain_scale.to_bits(), plain_codes), "{block:?}");
            }
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
