//! The triangular factor of a matrix of second moments.

use rayon::prelude::*;

/// Columns factored together.
const STRIP: usize = 64;

/// An upper triangular `U` with `Uᵀ·U` = the matrix. Hence `‖U·e‖² = eᵀ·H·e`.
pub(crate) struct Factor {
    k: usize,
    /// Row-major, zeros below the diagonal.
    upper: Vec<f32>,
}

impl Factor {
    /// Factors `matrix + ridge·I`, `[k, k]`, symmetric, of which only the lower half is read. `ridge` must be
    /// above zero and the matrix have no negative direction beyond rounding.
    pub(crate) fn new(matrix: &[f32], k: usize, ridge: f64) -> Self {
        debug_assert_eq!(matrix.len(), k * k);
        let mut lower: Vec<f64> = matrix.iter().map(|&v| v.into()).collect();
        for i in 0..k {
            lower[i * k + i] += ridge;
        }
        for first in (0..k).step_by(STRIP) {
            let columns = first..k.min(first + STRIP);
            let (done, below) = lower.split_at_mut(columns.end * k);
            let strip = &mut done[first * k..];
            for i in columns.clone() {
                let (above, row) = strip.split_at_mut((i - first) * k);
                finish_row(&mut row[..k], above, first..i, k);
                let pivot = row[i] - dot(&row[..i], &row[..i]);
                // Rounding can only take a pivot below the ridge, which it is at least.
                row[i] = pivot.max(ridge).sqrt();
            }
            below.par_chunks_mut(k).for_each(|row| finish_row(row, strip, columns.clone(), k));
        }
        let mut upper = vec![0.0; k * k];
        upper.par_chunks_mut(k).enumerate().for_each(|(i, row)| {
            for j in i..k {
                row[j] = lower[j * k + i] as f32;
            }
        });
        Self { k, upper }
    }

    pub(crate) fn k(&self) -> usize {
        self.k
    }

    /// Row `i`; zeros before the diagonal.
    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.upper[i * self.k..][..self.k]
    }
}

/// Makes a row's entries in `columns` final; `strip` holds the final rows of those columns.
fn finish_row(row: &mut [f64], strip: &[f64], columns: std::ops::Range<usize>, k: usize) {
    let first = columns.start;
    for j in columns {
        let other = &strip[(j - first) * k..][..=j];
        row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
    }
}

/// In eight lanes, so that it vectorises.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::tests::{noise, second_moments};

    #[test]
    fn the_factor_gives_the_matrix_back() {
        // Below, at and above a strip, and a matrix of rank 3.
        for (k, rows) in [(1, 8), (63, 200), (64, 200), (150, 400), (96, 3)] {
            let (matrix, ridge) = (second_moments(&noise(7, rows * k), k), 0.01);
            let factor = Factor::new(&matrix, k, ridge);
            for i in 0..k {
                for j in 0..k {
                    let product: f64 =
                        (0..k).map(|m| f64::from(factor.row(m)[i]) * f64::from(factor.row(m)[j])).sum();
                    let expected = f64::from(matrix[i * k + j]) + if i == j { ridge } else { 0.0 };
                    assert!((product - expected).abs() < 1e-4, "{k}: {i}, {j}: {product} {expected}");
                }
                assert!(factor.row(i)[..i].iter().all(|&v| v == 0.0));
            }
        }
    }
}
