//! The product with F32 weights: the patch embedding, and whole networks that are not quantised.

use crate::gemm::copy_row;
use crate::lanes::Lanes;
use crate::shape::length;
use crate::threads::{self, Shared};
use crate::{Activation, Isa};

/// Columns of a packed panel: two of the widest registers.
const PANEL: usize = 16;
/// Rows that share a panel while it is in the first-level cache.
const ROWS: usize = 4;

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

/// `height` rows of `x` (`k` floats each) times a panel; `acc` is `[height][16]` and is set.
///
/// # Safety
/// 1 ≤ height ≤ 4, and the pointers reach as far as that.
pub(crate) type DenseTile =
    unsafe fn(height: usize, x: *const f32, panel: *const f32, k: usize, acc: *mut f32);

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

/// [`DenseTile`] over registers: a panel in passes of two registers.
#[inline(always)]
pub(crate) unsafe fn dense_tile<L: Lanes>(
    height: usize,
    x: *const f32,
    panel: *const f32,
    k: usize,
    acc: *mut f32,
) {
    for column in (0..PANEL).step_by(2 * L::N) {
        // SAFETY: the caller's pointers, moved by whole registers inside a panel's row.
        unsafe {
            let (panel, acc) = (panel.add(column), acc.add(column));
            match height {
                1 => rows::<L, 1>(x, panel, k, acc),
                2 => rows::<L, 2>(x, panel, k, acc),
                3 => rows::<L, 3>(x, panel, k, acc),
                _ => rows::<L, ROWS>(x, panel, k, acc),
            }
        }
    }
}

/// R rows of x by two registers of columns.
#[inline(always)]
unsafe fn rows<L: Lanes, const R: usize>(x: *const f32, panel: *const f32, k: usize, acc: *mut f32) {
    // SAFETY: the caller's pointers reach R rows of x, k rows of the panel and R rows of acc.
    unsafe {
        let mut sums = [[L::splat(0.0); 2]; R];
        for i in 0..k {
            let w = [L::load(panel.add(i * PANEL)), L::load(panel.add(i * PANEL + L::N))];
            for r in 0..R {
                let x = L::splat(*x.add(r * k + i));
                sums[r] = [x.mul_add(w[0], sums[r][0]), x.mul_add(w[1], sums[r][1])];
            }
        }
        for r in 0..R {
            sums[r][0].store(acc.add(r * PANEL));
            sums[r][1].store(acc.add(r * PANEL + L::N));
        }
    }
}

/// The reference: one value after another.
pub(crate) unsafe fn dense_tile_scalar(
    height: usize,
    x: *const f32,
    panel: *const f32,
    k: usize,
    acc: *mut f32,
) {
    for row in 0..height {
        for column in 0..PANEL {
            let mut sum = 0.0;
            for i in 0..k {
                // SAFETY: the caller's pointers reach that far.
                sum += unsafe { *x.add(row * k + i) * *panel.add(i * PANEL + column) };
            }
            // SAFETY: the caller's pointer reaches that far.
            unsafe { *acc.add(row * PANEL + column) = sum };
        }
    }
}
