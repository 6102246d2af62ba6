//! Activations on the processor, and the memory they use again.

use super::expect;
use crate::backend::BackendError;
use kernels::{AttentionScratch, QuantizedActivations};
use std::sync::{Arc, Mutex};

/// Memory to use again, so that no photo after the first allocates.
#[derive(Clone, Default)]
pub(super) struct Buffers(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    floats: Vec<Vec<f32>>,
    codes: Vec<QuantizedActivations>,
    attention: Vec<AttentionScratch>,
}

impl Buffers {
    /// So many values, left over from an earlier use.
    pub fn floats(&self, length: usize) -> Vec<f32> {
        // Of the same length only: making another one longer would fill it with zeros, every time.
        let kept = self.take(|kept| &mut kept.floats, |values| values.len() == length);
        kept.unwrap_or_else(|| vec![0.0; length])
    }

    /// Codes of `[rows, k]`, left over from an earlier use, or empty ones.
    pub fn codes(&self, rows: usize, k: usize) -> QuantizedActivations {
        self.take(|kept| &mut kept.codes, |codes| (codes.rows(), codes.k()) == (rows, k)).unwrap_or_default()
    }

    pub fn attention(&self) -> AttentionScratch {
        self.take(|kept| &mut kept.attention, |_| true).unwrap_or_default()
    }

    pub fn give_back_attention(&self, scratch: AttentionScratch) {
        if let Ok(mut kept) = self.0.lock() {
            kept.attention.push(scratch);
        }
    }

    pub fn give_back(&self, values: Values) {
        if let Ok(mut kept) = self.0.lock() {
            match values {
                Values::Floats(values) => kept.floats.push(values),
                Values::Codes(codes) => kept.codes.push(codes),
            }
        }
    }

    fn take<T>(&self, of: impl FnOnce(&mut Kept) -> &mut Vec<T>, fits: impl Fn(&T) -> bool) -> Option<T> {
        let mut kept = self.0.lock().ok()?;
        let kept = of(&mut kept);
        kept.iter().position(fits).map(|at| kept.swap_remove(at))
    }
}

/// Activations; their memory goes back to the [`Cpu`](super::Cpu) they came from.
pub struct CpuTokens {
    pub(super) values: Values,
    pub(super) photos: usize,
    /// Of all photos.
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) home: Buffers,
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
        self.home.give_back(values);
    }
}
