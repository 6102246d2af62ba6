//! A few rows times a panel of F32 weights, written once over [`Lanes`], and the scalar reference.

use crate::lanes::Lanes;

/// Columns of a packed panel: two of the widest registers.
pub(crate) const PANEL: usize = 16;
/// Rows that share a panel while it is in the first-level cache.
pub(crate) const ROWS: usize = 4;

/// [`DenseTile`](crate::kernel_table::DenseTile) over registers: a panel in passes of two registers.
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
