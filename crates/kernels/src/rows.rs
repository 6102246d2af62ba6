//! The float stages that go row by row, shared among threads.

use crate::shape::length;
use crate::threads::{self, Shared};
use crate::{Isa, QuantizedActivations, WeightFormat};

/// Below this many values a second thread takes longer to wake than to help.
const SMALL: usize = 1 << 14;

/// out = (x − mean)/√(variance + eps) ⊙ weight + bias for each of `rows` rows of `width`.
///
/// # Panics
/// If a slice's length doesn't match.
pub fn layer_norm(
    isa: Isa,
    x: &[f32],
    rows: usize,
    width: usize,
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    out: &mut [f32],
) {
    assert!(x.len() == length([rows, width]) && out.len() == x.len(), "layer norm of {rows} × {width}");
    assert!(weight.len() == width && bias.len() == width, "layer norm's affine part of {width}");
    let kernels = isa.kernels();
    let out = Shared::new(out);
    threads::split_unless(rows * width < SMALL, rows, |_, rows| {
        for row in rows {
            let range = row * width..(row + 1) * width;
            // SAFETY: kernels() has checked the instructions; each row belongs to one thread.
            unsafe { (kernels.layer_norm_row)(&x[range.clone()], weight, bias, eps, out.slice(range)) };
        }
    });
}

/// [`layer_norm`], quantised for the next product, with weights of `format`.
///
/// # Panics
/// If a slice's length doesn't match, or `width` is no multiple of 32.
pub fn layer_norm_codes(
    isa: Isa,
    x: &[f32],
    rows: usize,
    width: usize,
    weight: &[f32],
    bias: &[f32],
    eps: f32,
    format: WeightFormat,
    out: &mut QuantizedActivations,
) {
    assert!(x.len() == length([rows, width]), "layer norm of {rows} × {width}");
    assert!(weight.len() == width && bias.len() == width, "layer norm's affine part of {width}");
    let kernels = isa.kernels();
    let mut normed = std::mem::take(&mut out.floats);
    let floats = length([threads::count(), width]);
    if normed.len() < floats {
        normed.resize(floats, 0.0);
    }
    let codes = out.begin(isa, format, rows, width);
    let shared = Shared::new(&mut normed);
    threads::split_unless(rows * width < SMALL, rows, |thread, rows| {
        // SAFETY: each thread has its own.
        let normed = unsafe { shared.slice(thread * width..(thread + 1) * width) };
        for row in rows {
            // SAFETY: kernels() has checked the instructions; each row belongs to one thread.
            unsafe {
                (kernels.layer_norm_row)(&x[row * width..][..width], weight, bias, eps, normed);
                codes.write(row, 0, normed);
            }
        }
    });
    out.floats = normed;
}

/// x ← softmax(x) for each row of `width`.
///
/// # Panics
/// If `x` isn't whole rows.
pub fn softmax(isa: Isa, x: &mut [f32], width: usize) {
    if x.is_empty() {
        return;
    }
    assert!(width > 0 && x.len().is_multiple_of(width), "softmax of {} values in rows of {width}", x.len());
    let kernels = isa.kernels();
    let (len, x) = (x.len(), Shared::new(x));
    threads::split_unless(len < SMALL, len / width, |_, rows| {
        for row in rows {
            // SAFETY: kernels() has checked the instructions; each row belongs to one thread.
            unsafe { (kernels.softmax_row)(x.slice(row * width..(row + 1) * width)) };
        }
    });
}

/// x ← x·Φ(x), the exact form.
pub fn gelu(isa: Isa, x: &mut [f32]) {
    const PART: usize = 1024;
    let kernels = isa.kernels();
    let (len, x) = (x.len(), Shared::new(x));
    threads::split_unless(len < SMALL, len.div_ceil(PART), |_, parts| {
        let range = parts.start * PART..(parts.end * PART).min(len);
        // SAFETY: kernels() has checked the instructions; the ranges are disjoint.
        unsafe { (kernels.gelu)(x.slice(range)) };
    });
}

/// x ← x + gamma ⊙ y for each of `rows` rows of `width`.
///
/// # Panics
/// If a slice's length doesn't match.
pub fn add_scaled(isa: Isa, x: &mut [f32], y: &[f32], gamma: &[f32], rows: usize, width: usize) {
    assert!(x.len() == length([rows, width]) && y.len() == x.len(), "sum of {rows} × {width}");
    assert_eq!(gamma.len(), width, "factors of {rows} × {width}");
    let kernels = isa.kernels();
    let x = Shared::new(x);
    threads::split_unless(rows * width < SMALL, rows, |_, rows| {
        for row in rows {
            let range = row * width..(row + 1) * width;
            // SAFETY: kernels() has checked the instructions; each row belongs to one thread.
            unsafe { (kernels.add_scaled_row)(x.slice(range.clone()), &y[range], gamma) };
        }
    });
}
