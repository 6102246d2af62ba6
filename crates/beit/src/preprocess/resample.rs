//! Pillow's convolution resampling along one axis, bicubic with a = −0.5, in its 8-bit fixed point.
//!
//! Source: Pillow's `src/libImaging/Resample.c` (`precompute_coeffs`, `normalize_coeffs_8bpc`). No crate
//! gives these bytes: the others resample vertically first, keep more bits between the passes or don't
//! widen the filter when shrinking.

use std::ops::Range;

/// Fractional bits of a weight: 32, less 8 of a sample, less 2 that overshoot takes.
const PRECISION: u32 = 32 - 8 - 2;

/// Half the width of the filter, in output pixels when shrinking and in input pixels when growing.
const SUPPORT: f64 = 2.0;

/// Keys' cubic convolution kernel with a = −0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

/// For each output position in a window of one axis, the input positions it is made of and their weights.
pub(super) struct Taps {
    /// First input position of each output position.
    starts: Vec<usize>,
    /// Where each output position's weights begin in `weights`; one more entry than `starts`.
    offsets: Vec<usize>,
    /// Fixed point with [`PRECISION`] fractional bits.
    weights: Vec<i32>,
}

impl Taps {
    /// For resizing an axis from `input` to `output` positions, of which only `window` is wanted.
    pub(super) fn new(input: usize, output: u64, window: Range<u64>) -> Self {
        let scale = input as f64 / output as f64;
        let filter_scale = scale.max(1.0);
        let support = SUPPORT * filter_scale;
        let inverse = 1.0 / filter_scale;

        let mut taps = Taps { starts: Vec::new(), offsets: vec![0], weights: Vec::new() };
        let mut exact = Vec::new();
        for position in window {
            let center = (position as f64 + 0.5) * scale;
            // Casts cut towards zero and stop at zero, as the original's conversions and bounds do.
            let start = (center - support + 0.5) as usize;
            let end = ((center + support + 0.5) as usize).min(input);
            exact.clear();
            exact.extend((start..end).map(|at| bicubic((at as f64 - center + 0.5) * inverse)));
            let sum: f64 = exact.iter().sum();
            taps.weights.extend(exact.iter().map(|weight| fixed_point(weight / sum)));
            taps.starts.push(start);
            taps.offsets.push(taps.weights.len());
        }
        taps
    }

    /// Output positions.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The input positions that any output position needs.
    pub(super) fn sources(&self) -> Range<usize> {
        let end = |i: usize| self.starts[i] + self.weights_of(i).len();
        let start = self.starts.first().copied().unwrap_or(0);
        start..(0..self.len()).map(end).max().unwrap_or(start)
    }

    fn weights_of(&self, i: usize) -> &[i32] {
        &self.weights[self.offsets[i]..self.offsets[i + 1]]
    }

    /// Rows of `width` RGB pixels → rows of `self.len()`.
    pub(super) fn horizontal(&self, rows: &[u8], width: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() / width * self.len());
        for row in rows.chunks_exact(width * 3) {
            for i in 0..self.len() {
                let weights = self.weights_of(i);
                let (pixels, _) = row[self.starts[i] * 3..][..weights.len() * 3].as_chunks::<3>();
                let mut sums = [1 << (PRECISION - 1); 3];
                for (pixel, weight) in pixels.iter().zip(weights) {
                    for channel in 0..3 {
                        add_product(&mut sums[channel], pixel[channel], weight);
                    }
                }
                out.extend(sums.map(to_byte));
            }
        }
        out
    }

    /// Rows of `stride` bytes, the first of which is input position `self.sources().start` → `self.len()` rows.
    pub(super) fn vertical(&self, rows: &[u8], stride: usize) -> Vec<u8> {
        let first = self.sources().start;
        let mut out = Vec::with_capacity(self.len() * stride);
        let mut sums = vec![0; stride];
        for i in 0..self.len() {
            sums.fill(1 << (PRECISION - 1));
            let rows = &rows[(self.starts[i] - first) * stride..];
            for (row, weight) in rows.chunks_exact(stride.max(1)).zip(self.weights_of(i)) {
                for (sum, &sample) in sums.iter_mut().zip(row) {
                    add_product(sum, sample, weight);
                }
            }
            out.extend(sums.iter().map(|&sum| to_byte(sum)));
        }
        out
    }
}

/// sum ← sum + sample · weight. Weights sum to 2²² and few are negative, so nothing comes near 2³¹: these inner loops go
/// without checks for overflow.
#[inline(always)]
fn add_product(sum: &mut i32, sample: u8, &weight: &i32) {
    *sum = sum.wrapping_add(i32::from(sample).wrapping_mul(weight));
}

/// Rounded half away from zero.
fn fixed_point(weight: f64) -> i32 {
    let scaled = weight * f64::from(1 << PRECISION);
    (if scaled < 0.0 { scaled - 0.5 } else { scaled + 0.5 }) as i32
}

fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_of_equal_length_is_copied() {
        let taps = Taps::new(5, 5, 1..4);
        let row: Vec<u8> = (0..15).map(|i| i * 17).collect();
        assert_eq!(taps.horizontal(&row, 5), row[3..12]);
    }

    #[test]
    fn a_window_gives_what_the_whole_axis_gives() {
        let row: Vec<u8> = (0..3 * 97u32).map(|i| (i * i * 31 % 251) as u8).collect();
        for output in [1, 13, 40, 97, 200] {
            let whole = Taps::new(97, output, 0..output).horizontal(&row, 97);
            let window = output / 3..output - output / 4;
            let part = Taps::new(97, output, window.clone()).horizontal(&row, 97);
            assert_eq!(part, whole[window.start as usize * 3..window.end as usize * 3], "97 → {output}");
        }
    }

    #[test]
    fn weights_of_every_position_sum_to_one() {
        for (input, output) in [(1, 256), (37, 256), (5000, 256), (257, 256)] {
            let taps = Taps::new(input, output, 0..output);
            for i in 0..taps.len() {
                let sum: i32 = taps.weights_of(i).iter().sum();
                // Each weight is rounded on its own, so the sum may miss one by half a unit a weight.
                let slack = taps.weights_of(i).len() as i32;
                assert!((sum - (1 << PRECISION)).abs() <= slack, "{input} → {output} at {i}: {sum}");
            }
        }
    }
}
