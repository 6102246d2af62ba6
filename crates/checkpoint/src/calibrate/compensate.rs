//! Rounding by the layer's inputs: the error of each block of weights is compensated by those still to be rounded.
//!
//! Rounding `w` to `ŵ` changes a layer's output by `‖U·(w − ŵ)‖²`, with `U` the triangular factor of the
//! inputs' covariance. From the last column to the first, each weight is moved by what the columns behind it
//! left in its row of `U` and then rounded: GPTQ (Frantar et al., 2023), which is Babai's nearest plane
//! (Chen et al., 2025) on the lattice of codes. A block's scale is the one whose codes, so chosen, leave least.

use super::cholesky::Factor;
use crate::levels::Levels;
use half::f16;
use kernels::BLOCK;
use rayon::prelude::*;

/// Rows of weights rounded side by side: all of them read the same factor.
const LANES: usize = 16;
type Lane = [f32; LANES];
const ZERO: Lane = [0.0; LANES];

/// Codes and scales of a matrix, row-major.
pub(crate) struct Rounded {
    pub(crate) scales: Vec<f16>,
    pub(crate) codes: Vec<i8>,
}

/// First moves `weights`, `[n, k]`, to the least-squares solution: by `unexplained·(UᵀU)⁻¹`.
pub(crate) fn refit(weights: &mut [f32], unexplained: &[f32], factor: &Factor) {
    let k = factor.k();
    let rows = weights.par_chunks_mut(LANES * k).zip(unexplained.par_chunks(LANES * k));
    rows.for_each(|(weights, unexplained)| {
        let mut x = to_lanes(unexplained, k);
        for i in 0..k {
            let u = factor.row(i);
            x[i] = x[i].map(|v| v / u[i]);
            let solved = x[i];
            for j in i + 1..k {
                for lane in 0..LANES {
                    x[j][lane] -= u[j] * solved[lane];
                }
            }
        }
        for i in (0..k).rev() {
            let u = factor.row(i);
            let mut rest = x[i];
            for j in i + 1..k {
                for lane in 0..LANES {
                    rest[lane] -= u[j] * x[j][lane];
                }
            }
            x[i] = rest.map(|v| v / u[i]);
        }
        for (lane, row) in weights.chunks_exact_mut(k).enumerate() {
            for (i, weight) in row.iter_mut().enumerate() {
                *weight += x[i][lane];
            }
        }
    });
}

/// Rounds `weights`, `[n, k]`, in blocks of 32 along each row.
pub(crate) fn round(levels: Levels, weights: &[f32], factor: &Factor) -> Rounded {
    let (k, n) = (factor.k(), weights.len() / factor.k());
    let mut rounded = Rounded { scales: vec![f16::ZERO; n * k / BLOCK], codes: vec![0; n * k] };
    let out = rounded.scales.par_chunks_mut(LANES * k / BLOCK).zip(rounded.codes.par_chunks_mut(LANES * k));
    out.zip(weights.par_chunks(LANES * k))
        .for_each(|((scales, codes), weights)| round_rows(levels, weights, factor, scales, codes));
    rounded
}

fn round_rows(levels: Levels, weights: &[f32], factor: &Factor, scales: &mut [f16], codes: &mut [i8]) {
    let k = factor.k();
    let w = to_lanes(weights, k);
    // What the columns already rounded left in each row of U.
    let mut left = vec![ZERO; k];
    for base in (0..k).step_by(BLOCK).rev() {
        let block = Block {
            u: std::array::from_fn(|i| std::array::from_fn(|j| factor.row(base + i)[base + j])),
            w: std::array::from_fn(|i| w[base + i]),
            left: std::array::from_fn(|i| left[base + i]),
        };
        let best = block.search(levels);
        for (i, left) in left[..base].iter_mut().enumerate() {
            let u = &factor.row(i)[base..base + BLOCK];
            for (u, error) in u.iter().zip(&best.error) {
                for lane in 0..LANES {
                    left[lane] += u * error[lane];
                }
            }
        }
        for (lane, codes) in codes.chunks_exact_mut(k).enumerate() {
            scales[(lane * k + base) / BLOCK] = f16::from_f32(best.scale[lane]);
            for (code, chosen) in codes[base..base + BLOCK].iter_mut().zip(&best.codes) {
                *code = chosen[lane] as i8;
            }
        }
    }
}

/// 32 columns of some rows, before they are rounded.
struct Block {
    u: [[f32; BLOCK]; BLOCK],
    w: [Lane; BLOCK],
    left: [Lane; BLOCK],
}

/// 32 columns of some rows, rounded.
#[derive(Clone)]
struct Choice {
    scale: Lane,
    codes: [Lane; BLOCK],
    /// `w − scale·codes`.
    error: [Lane; BLOCK],
    /// What is left in these rows of U, squared.
    cost: Lane,
}

impl Block {
    /// The best of many scales, then refitted to its codes by least squares, twice.
    fn search(&self, levels: Levels) -> Choice {
        let mut largest = ZERO;
        for i in 0..BLOCK {
            for lane in 0..LANES {
                largest[lane] =
                    largest[lane].max((self.w[i][lane] + self.left[i][lane] / self.u[i][i]).abs());
            }
        }
        let mut best = self.round(levels, ZERO);
        for step in levels.steps() {
            best.keep_better(&self.round(levels, largest.map(|largest| largest * step)));
        }
        for _ in 0..2 {
            best.keep_better(&self.round(levels, self.refitted(&best)));
        }
        best
    }

    /// Rounds with the given scales, as F16 keeps them.
    fn round(&self, levels: Levels, scale: Lane) -> Choice {
        let scale = scale.map(|scale| f16::from_f32(scale).to_f32());
        let inverse = scale.map(|scale| if scale == 0.0 { 0.0 } else { 1.0 / scale });
        let mut choice = Choice { scale, codes: [ZERO; BLOCK], error: [ZERO; BLOCK], cost: ZERO };
        for i in (0..BLOCK).rev() {
            let (u, diagonal) = (&self.u[i], self.u[i][i]);
            let mut left = self.left[i];
            for j in i + 1..BLOCK {
                for lane in 0..LANES {
                    left[lane] += u[j] * choice.error[j][lane];
                }
            }
            for lane in 0..LANES {
                let wanted = self.w[i][lane] + left[lane] / diagonal;
                let code = levels.code(wanted * inverse[lane]);
                let error = self.w[i][lane] - scale[lane] * code;
                let rest = left[lane] + diagonal * error;
                choice.codes[i][lane] = code;
                choice.error[i][lane] = error;
                choice.cost[lane] += rest * rest;
            }
        }
        choice
    }

    /// For given codes, the scale that leaves least.
    fn refitted(&self, choice: &Choice) -> Lane {
        let (mut along, mut energy) = (ZERO, ZERO);
        for i in 0..BLOCK {
            let (mut target, mut step) = (self.left[i], ZERO);
            for j in i..BLOCK {
                let u = self.u[i][j];
                for lane in 0..LANES {
                    target[lane] += u * self.w[j][lane];
                    step[lane] += u * choice.codes[j][lane];
                }
            }
            for lane in 0..LANES {
                along[lane] += target[lane] * step[lane];
                energy[lane] += step[lane] * step[lane];
            }
        }
        std::array::from_fn(|lane| if energy[lane] > 0.0 { along[lane] / energy[lane] } else { 0.0 })
    }
}

impl Choice {
    fn keep_better(&mut self, other: &Self) {
        for lane in 0..LANES {
            // An infinite scale has no cost that compares.
            if other.scale[lane].is_finite() && other.cost[lane] < self.cost[lane] {
                self.scale[lane] = other.scale[lane];
                self.cost[lane] = other.cost[lane];
                for i in 0..BLOCK {
                    self.codes[i][lane] = other.codes[i][lane];
                    self.error[i][lane] = other.error[i][lane];
                }
            }
        }
    }
}

/// Up to [`LANES`] rows of `k`, column by column; rows that are not there are zero.
fn to_lanes(rows: &[f32], k: usize) -> Vec<Lane> {
    let mut lanes = vec![ZERO; k];
    for (lane, row) in rows.chunks_exact(k).enumerate() {
        for (to, &value) in lanes.iter_mut().zip(row) {
            to[lane] = value;
        }
    }
    lanes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::tests::{noise, second_moments};
    use crate::quantize::{decode_blocks, encode, encode_codes};
    use beit::weights::Storage;

    /// Inputs whose columns go together, as those of real layers do.
    fn inputs(rows: usize, k: usize) -> Vec<f32> {
        let (few, mix, own) = (noise(1, rows * 12), noise(2, 12 * k), noise(3, rows * k));
        let value = |row: usize, i: usize| {
            (0..12).map(|m| few[row * 12 + m] * mix[m * k + i]).sum::<f32>() + 0.3 * own[row * k + i]
        };
        (0..rows * k).map(|at| value(at / k, at % k)).collect()
    }

    /// `‖x·(a − b)ᵀ‖² / ‖x·aᵀ‖²`.
    fn output_error(x: &[f32], a: &[f32], b: &[f32], k: usize) -> f64 {
        let (mut error, mut energy) = (0.0, 0.0);
        for x in x.chunks_exact(k) {
            let product =
                |w: &[f32]| w.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum::<f64>();
            for (a, b) in a.chunks_exact(k).zip(b.chunks_exact(k)) {
                let (a, b) = (product(a), product(b));
                error += (a - b).powi(2);
                energy += a * a;
            }
        }
        error / energy
    }

    #[test]
    fn outputs_lose_much_less_than_by_plain_rounding() {
        // Rows that fill no group of lanes.
        let (n, k) = (19, 128);
        let (x, weights) = (inputs(600, k), noise(4, n * k));
        let factor = Factor::new(&second_moments(&x, k), k, 1e-3);
        for (storage, levels) in [(Storage::Q4_0, Levels::FOUR_BIT), (Storage::Q8_0, Levels::SEVEN_BIT)] {
            let plain = decode_blocks(storage, &encode(storage, &weights));
            let rounded = round(levels, &weights, &factor);
            let bytes = encode_codes(storage, &rounded.scales, &rounded.codes);
            let compensated = decode_blocks(storage, &bytes);
            let (before, after) =
                (output_error(&x, &weights, &plain, k), output_error(&x, &weights, &compensated, k));
            println!("{storage:?}: {before:.2e} plain, {after:.2e} compensated");
            assert!(after < 0.5 * before, "{storage:?}: {before} {after}");
        }
    }

    #[test]
    fn weights_that_are_codes_stay_as_they_are() {
        let k = 64;
        let weights: Vec<f32> = (0..3 * k).map(|i| ((i * 7) % 16) as f32 - 8.0).collect();
        let factor = Factor::new(&second_moments(&inputs(200, k), k), k, 1e-3);
        let rounded = round(Levels::FOUR_BIT, &weights, &factor);
        let bytes = encode_codes(Storage::Q4_0, &rounded.scales, &rounded.codes);
        assert_eq!(decode_blocks(Storage::Q4_0, &bytes), weights);
        let nothing = round(Levels::FOUR_BIT, &vec![0.0; k], &factor);
        assert!(nothing.codes.iter().all(|&code| code == 0));
    }
}
