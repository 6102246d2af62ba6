//! The codes of a block and the search for its scale.

use half::f16;
use kernels::BLOCK;
use std::array::from_fn;

/// Sums over a block are kept in so many parts.
const LANES: usize = 8;
/// Scales that are tried at a time: a vector of WebAssembly and SSE. So whatever is computed once a scale, such as its
/// rounding and its inverse, is computed for all of them by the same instructions, and no sum goes across a vector.
const WIDE: usize = 4;
/// Of 4-bit codes: 18 scales of either sign.
const FOUR_BIT_STEPS: [[f32; WIDE]; 9] = steps(5.0, 0.25, 18, true);
const SEVEN_BIT_STEPS: [[f32; WIDE]; 3] = steps(60.5, 0.5, 9, false);
const LARGEST_F16: f32 = 65504.0;
/// 2⁻¹⁴
const SMALLEST_NORMAL_F16: f32 = 1.0 / 16384.0;

/// The codes that a block may use, and where its scale is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    lowest: f32,
    highest: f32,
    /// The scales to try, for a block whose largest magnitude is 1; zeros fill the last group.
    steps: &'static [[f32; WIDE]],
}

/// `1 / (first + i·step)` for `i < tries`; with both signs, because the codes are not symmetric, each of them negative too.
const fn steps<const GROUPS: usize>(
    first: f32,
    step: f32,
    tries: usize,
    both_signs: bool,
) -> [[f32; WIDE]; GROUPS] {
    let mut steps = [[0.0; WIDE]; GROUPS];
    let signs = if both_signs { 2 } else { 1 };
    let mut i = 0;
    while i < tries * signs {
        let size = 1.0 / (first + step * (i / signs) as f32);
        steps[i / WIDE][i % WIDE] = if i % signs == 0 { size } else { -size };
        i += 1;
    }
    steps
}

impl Levels {
    /// −63…63, in a valid `Q8_0` block: with 64 added a code is 1…127, the only range that the relaxed
    /// SIMD dot product takes on every machine and that AVX2's `maddubs` adds without saturating.
    pub const SEVEN_BIT: Self = Self { lowest: -63.0, highest: 63.0, steps: &SEVEN_BIT_STEPS };
    /// −8…7, `Q4_0`'s range.
    pub const FOUR_BIT: Self = Self { lowest: -8.0, highest: 7.0, steps: &FOUR_BIT_STEPS };

    /// A block's scale and codes, of small squared error: the best of several scales around the one
    /// that just reaches the largest magnitude, each improved by least squares. Plain f32 in a fixed
    /// order, so every machine gives the same bytes.
    pub fn round(self, block: &[f32; BLOCK]) -> (f16, [i8; BLOCK]) {
        let largest = block.iter().fold(0.0f32, |largest, v| largest.max(v.abs()));
        let mut search = Search::default();
        if largest > 0.0 {
            for steps in self.steps {
                self.improve(block, steps.map(|step| largest * step), &mut search);
            }
        }
        let scale = search.best();
        (f16::from_f32(scale), self.codes(block, scale).map(|q| q as i8))
    }

    /// Tries each of `scales` and the one that fits the codes best that it gives, as F16 keeps them.
    #[inline(always)]
    fn improve(self, block: &[f32; BLOCK], scales: [f32; WIDE], search: &mut Search) {
        let scales = usable(scales);
        let Fit { error, energy, product } = self.fit(block, &scales);
        search.offer(&scales, &error);
        // Without any energy it is no number.
        let refits = usable(from_fn(|i| product[i] / energy[i]));
        let refits = from_fn(|i| if scales[i] == 0.0 { 0.0 } else { refits[i] });
        search.offer(&refits, &self.fit(block, &refits).error);
    }

    /// How well the codes nearest to a block are, for each of `scales`; of no meaning for those that are zero.
    #[inline(always)]
    fn fit(self, block: &[f32; BLOCK], scales: &[f32; WIDE]) -> Fit {
        let inverses = from_fn(|i| 1.0 / scales[i]);
        let lane = |lane| self.fit_lane(block, lane, scales, &inverses);
        // An order that would vectorise over eight lanes, too, and is the same everywhere.
        let pair = |at| lane(at).plus(lane(at + 4));
        pair(0).plus(pair(2)).plus(pair(1).plus(pair(3)))
    }

    /// The part of [`Levels::fit`] of the values number `lane`, `lane + LANES` and so on.
    #[inline(always)]
    fn fit_lane(
        self,
        block: &[f32; BLOCK],
        lane: usize,
        scales: &[f32; WIDE],
        inverses: &[f32; WIDE],
    ) -> Fit {
        let mut fit = Fit { error: [0.0; WIDE], energy: [0.0; WIDE], product: [0.0; WIDE] };
        for values in block.as_chunks::<LANES>().0 {
            let v = values[lane];
            let codes: [f32; WIDE] = from_fn(|i| self.code(v * inverses[i]));
            for i in 0..WIDE {
                let e = v - scales[i] * codes[i];
                fit.error[i] += e * e;
            }
            for i in 0..WIDE {
                fit.energy[i] += codes[i] * codes[i];
            }
            for i in 0..WIDE {
                fit.product[i] += v * codes[i];
            }
        }
        fit
    }

    /// The scales to try, for a block whose largest magnitude is 1.
    #[cfg(any(test, feature = "files"))]
    pub(crate) fn steps(self) -> impl Iterator<Item = f32> {
        self.steps.iter().flatten().copied().filter(|step| *step != 0.0)
    }

    /// The nearest codes for scale `d`; zeros for a scale of zero.
    fn codes(self, block: &[f32; BLOCK], d: f32) -> [f32; BLOCK] {
        let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
        block.map(|v| self.code(v * inverse))
    }

    /// The code nearest to `x`.
    #[inline(always)]
    pub(crate) fn code(self, x: f32) -> f32 {
        // Unlike `max` and `min` these are one instruction each.
        let x = if x > self.lowest { x } else { self.lowest };
        nearest(if x < self.highest { x } else { self.highest })
    }
}

/// Scales as F16 keeps them; zero for what is no scale then. `f16` itself converts one after another.
#[inline(always)]
fn usable(scales: [f32; WIDE]) -> [f32; WIDE] {
    // To the nearest, ties to even: ten bits of the fraction stay, and of what is small, multiples of 2⁻²⁴.
    let bits = scales.map(f32::to_bits);
    let normal: [u32; WIDE] = from_fn(|i| bits[i].wrapping_add(0xFFF + (bits[i] >> 13 & 1)) & !0x1FFF);
    let small: [f32; WIDE] = from_fn(|i| (scales[i] + 0.75) - 0.75);
    let rounded: [f32; WIDE] =
        from_fn(|i| if scales[i].abs() < SMALLEST_NORMAL_F16 { small[i] } else { f32::from_bits(normal[i]) });
    from_fn(|i| if rounded[i].abs() <= LARGEST_F16 { rounded[i] } else { 0.0 })
}

/// Sums over a block or a part of it, for each of several scales: of the squared errors, the squared codes, and the
/// values times their codes.
#[derive(Clone, Copy)]
struct Fit {
    error: [f32; WIDE],
    energy: [f32; WIDE],
    product: [f32; WIDE],
}

impl Fit {
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        Self {
            error: sum(self.error, other.error),
            energy: sum(self.energy, other.energy),
            product: sum(self.product, other.product),
        }
    }
}

#[inline(always)]
fn sum(mut a: [f32; WIDE], b: [f32; WIDE]) -> [f32; WIDE] {
    for i in 0..WIDE {
        a[i] += b[i];
    }
    a
}

/// The best scale so far in each place of a group, and which offer that was.
struct Search {
    error: [f32; WIDE],
    scale: [f32; WIDE],
    offer: [u32; WIDE],
    offers: u32,
}

impl Default for Search {
    fn default() -> Self {
        Self { error: [f32::INFINITY; WIDE], scale: [0.0; WIDE], offer: [0; WIDE], offers: 0 }
    }
}

impl Search {
    /// Scales and then their refits, group after group.
    #[inline(always)]
    fn offer(&mut self, scales: &[f32; WIDE], errors: &[f32; WIDE]) {
        let better: [bool; WIDE] = from_fn(|i| scales[i] != 0.0 && errors[i] < self.error[i]);
        self.error = from_fn(|i| if better[i] { errors[i] } else { self.error[i] });
        self.scale = from_fn(|i| if better[i] { scales[i] } else { self.scale[i] });
        self.offer = from_fn(|i| if better[i] { self.offers } else { self.offer[i] });
        self.offers += 1;
    }

    /// Of those with the least error the first, each scale's refit coming right after it; zero if there is none.
    fn best(&self) -> f32 {
        let order = |i: usize| (self.offer[i] / 2, i, self.offer[i] % 2);
        let mut best = 0;
        for i in 1..WIDE {
            let is_first = self.error[i] == self.error[best] && order(i) < order(best);
            if self.error[i] < self.error[best] || is_first {
                best = i;
            }
        }
        self.scale[best]
    }
}

/// The nearest integer, ties to even, for magnitudes below 2²²: adding 1.5·2²³ leaves no fraction
/// bits. The same on every machine, and it vectorises where `f32::round` calls a function.
#[inline(always)]
fn nearest(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    (x + SHIFT) - SHIFT
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

    #[test]
    fn scales_are_rounded_as_f16_rounds_them() {
        let half = |scale: f32| {
            let rounded = f16::from_f32(scale);
            if rounded.is_finite() { rounded.to_f32() } else { 0.0 }
        };
        let mut scales: Vec<f32> = (0..=u16::MAX).map(|bits| f16::from_bits(bits).to_f32()).collect();
        // Halfway to the next one, and right beside that.
        for bits in 0..0x7C00 {
            let [this, next] =
                [bits, bits + 1].map(|bits| f64::from(f16::from_bits(bits).to_f32().min(65536.0)));
            let middle = ((this + next) / 2.0) as f32;
            scales.extend([middle, -middle, middle.next_up(), middle.next_down(), -middle.next_down()]);
        }
        scales.extend([0.0, -0.0, 1e30, -1e30, 1e-30, f32::NAN, f32::INFINITY, 65519.99, 65520.0, 3e-8]);
        for group in scales.as_chunks::<WIDE>().0 {
            assert_eq!(usable(*group), group.map(half), "{group:?}");
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
