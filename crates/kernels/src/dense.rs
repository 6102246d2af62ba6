//! The product with F32 weights: the patch embedding, and whole networks that are not quantised.

use crate::dense_tile::{PANEL, ROWS};
use crate::gemm::copy_row;
use crate::shape::length;
use crate::threads::{self, Shared};
use crate::{Activation, Isa};

/// F32 weights `[n, k]`, packed in panels `[k][16 rows of W]`, zeros behind the last row.
pub struct DenseWeights {
    n: usize,
    k: usize,
    panels: Vec<f32>,
}

impl DenseWeights {
    /// Packs row-major weights `[n, k]`.
    ///
    /// # Panics
    /// If `values` is not n·k long.
    pub fn pack(n: usize, k: usize, values: &[f32]) -> Self {
        assert_eq!(values.len(), length([n, k]), "weights of {n} × {k}");
        let mut panels = vec![0.0; length([n.div_ceil(PANEL), PANEL, k])];
        for (row, values) in values.chunks_exact(k.max(1)).enumerate() {
            let panel = &mut panels[row / PANEL * PANEL * k..];
            for (i, value) in values.iter().enumerate() {
                panel[i * PANEL + row % PANEL] = *value;
            }
        }
        Self { n, k, panels }
    }

    /// Rows of W: columns of the product.
    pub fn n(&self) -> usize {
        self.n
    }

    /// Columns of W.
    pub fn k(&self) -> usize {
        self.k
    }
}

/// out = x · wᵀ + bias, then `activation`; `x` is `[rows, k]`, `out` `[rows, n]`, both row-major.
///
/// Every sum runs over k in ascending order. Panels are shared among threads.
///
/// # Panics
/// If shapes don't match.
pub fn dense(
    isa: Isa,
    x: &[f32],
    w: &DenseWeights,
    bias: Option<&[f32]>,
    activation: Activation,
    out: &mut [f32],
) {
    let rows = x.len().checked_div(w.k).unwrap_or(0);
    assert_eq!(x.len(), rows * w.k, "activations' and weights' inner dimension");
    assert_eq!(out.len(), length([rows, w.n]), "output of {rows} × {}", w.n);
    assert!(bias.is_none_or(|b| b.len() == w.n), "bias of another length than {}", w.n);
    let kernels = isa.kernels();
    let out = Shared::new(out);
    threads::split(w.n.div_ceil(PANEL), |_, panels| {
        let mut acc = [0.0; ROWS * PANEL];
        for panel in panels {
            let (column, packed) = (panel * PANEL, &w.panels[panel * PANEL * w.k..][..PANEL * w.k]);
            let columns = PANEL.min(w.n - column);
            for first in (0..rows).step_by(ROWS) {
                let height = ROWS.min(rows - first);
                let x = &x[first * w.k..(first + height) * w.k];
                let acc = &mut acc[..height * PANEL];
                // SAFETY: `x` has `height` rows, the panel k rows of 16, `acc` `height` rows of 16;
                // kernels() has checked the instructions.
                unsafe { (kernels.dense_tile)(height, x.as_ptr(), packed.as_ptr(), w.k, acc.as_mut_ptr()) };
                if let Some(bias) = bias {
                    for acc in acc.chunks_exact_mut(PANEL) {
                        acc.iter_mut().zip(&bias[column..]).for_each(|(acc, bias)| *acc += bias);
                    }
                }
                if activation == Activation::Gelu {
                    // SAFETY: kernels() has checked the instructions.
                    unsafe { (kernels.gelu)(acc) };
                }
                for (row, acc) in acc.chunks_exact(PANEL).enumerate() {
                    let at = (first + row) * w.n + column;
                    // SAFETY: no other thread has this panel, so nobody else touches these columns.
                    let out = unsafe { out.slice(at..at + columns) };
                    copy_row::<PANEL>(acc, out);
                }
            }
        }
    });
}
