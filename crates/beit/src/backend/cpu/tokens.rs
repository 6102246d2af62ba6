//! Activations on the processor, and the pool that their buffers are recycled in.

use super::expect;
use crate::backend::BackendError;
use kernels::{AttentionScratch, QuantizedActivations};
use std::sync::{Arc, Mutex};

/// Buffers to reuse, so that no photo after the first allocates.
#[derive(Clone, Default)]
pub(super) struct BufferPool(Arc<Mutex<Free>>);

#[derive(Default)]
struct Free {
    floats: Vec<Vec<f32>>,
    codes: Vec<QuantizedActivations>,
    attention: Vec<AttentionScratch>,
}

impl BufferPool {
    /// So many values, uninitialised: they hold what an earlier use left.
    pub fn floats(&self, length: usize) -> Vec<f32> {
        // Of the same length only: making another one longer would fill it with zeros, every time.
        let free = self.take(|free| &mut free.floats, |values| values.len() == length);
        free.unwrap_or_else(|| vec![0.0; length])
    }

    /// Codes of `[rows, k]` that hold what an earlier use left, or empty ones.
    pub fn codes(&self, rows: usize, k: usize) -> QuantizedActivations {
        self.take(|free| &mut free.codes, |codes| (codes.rows(), codes.k()) == (rows, k)).unwrap_or_default()
    }

    pub fn attention(&self) -> AttentionScratch {
        self.take(|free| &mut free.attention, |_| true).unwrap_or_default()
    }

    pub fn recycle_attention(&self, scratch: AttentionScratch) {
        if let Ok(mut free) = self.0.lock() {
            free.attention.push(scratch);
        }
    }

    pub fn recycle(&self, values: Values) {
        if let Ok(mut free) = self.0.lock() {
            match values {
                Values::Floats(values) => free.floats.push(values),
                Values::Codes(codes) => free.codes.push(codes),
            }
        }
    }

    fn take<T>(&self, of: impl FnOnce(&mut Free) -> &mut Vec<T>, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut free = self.0.lock().ok()?;
        let free = of(&mut free);
        free.iter().position(fits).map(|at| free.swap_remove(at))
    }
}

/// Activations; dropped, their buffer is recycled by the [`Cpu`](super::Cpu) it came from.
pub struct CpuTokens {
    pub(super) values: Values,
    pub(super) photos: usize,
    /// Of all photos.
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) pool: BufferPool,
}

/// `[rows, width]`, row-major.
pub(super) enum Values {
    Floats(Vec<f32>),
    /// What only a quantised layer reads is quantised by whatever makes it.
    Codes(QuantizedActivations),
}

impl CpuTokens {
    /// The values, row-major; empty if they were made for a quantised layer alone.
    pub fn values(&self) -> &[f32] {
        match &self.values {
            Values::Floats(values) => values,
            Values::Codes(_) => &[],
        }
    }

    /// The values, row-major.
    pub(super) fn floats(&self) -> Result<&[f32], BackendError> {
        let values = self.values();
        expect("values, not a quantised layer's codes", self.rows * self.width, values.len())?;
        Ok(values)
    }

    /// The values, row-major.
    pub(super) fn floats_mut(&mut self) -> Result<&mut [f32], BackendError> {
        let expected = self.rows * self.width;
        let values: &mut [f32] = match &mut self.values {
            Values::Floats(values) => values,
            Values::Codes(_) => &mut [],
        };
        expect("values, not a quantised layer's codes", expected, values.len())?;
        Ok(values)
    }

    /// Rows of one photo.
    pub(super) fn photo_rows(&self) -> usize {
        self.rows / self.photos
    }
}

impl Drop for CpuTokens {
    fn drop(&mut self) {
        let values = std::mem::replace(&mut self.values, Values::Floats(Vec::new()));
        self.pool.recycle(values);
    }
}
