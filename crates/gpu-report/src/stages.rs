//! What is measured, a stage each.

pub mod adapter;
pub mod checks;
pub mod kernels;
pub mod numerics;
pub mod peaks;
pub mod photos;
mod random;

use crate::budget::Deadline;
use crate::record::{NotMeasured, Record};
use beit::backend::BackendError;
use beit::builder::BuildError;
use gpu::{Gpu, GpuError, GpuOptions};
use peaks::Peaks;
use thiserror::Error;

/// BEiTv2-large's tokens, of 196 patches and the class token.
const TOKENS: usize = 197;
const WIDTH: usize = 1024;
const HEADS: usize = 16;

/// What a stage is told.
pub struct Context<'a> {
    pub deadline: Deadline,
    /// Sizes of passes, in the order of their importance.
    pub batches: Vec<usize>,
    /// Of BEiTv2-large's 24; as many as there is time for if none.
    pub blocks: Option<usize>,
    /// Of this adapter, where they were measured.
    pub peaks: Peaks,
    /// Gets each record as it is measured.
    pub emit: &'a dyn Fn(Record),
}

/// Why a stage can't go on.
#[derive(Debug, Error)]
pub enum StageError {
    #[error(transparent)]
    Gpu(#[from] GpuError),
    #[error(transparent)]
    Device(#[from] BackendError),
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("the golden logits can't be read: {0}")]
    Golden(String),
}

impl Context<'_> {
    fn skip(&self, what: impl Into<String>, why: impl Into<String>) {
        (self.emit)(Record::NotMeasured(NotMeasured { what: what.into(), why: why.into() }));
    }

    /// Whether so many seconds are left; if not, says what is left out.
    fn has_time_for(&self, seconds: f64, what: impl Into<String>) -> bool {
        let remaining = self.deadline.remaining();
        let fits = self.deadline.fits(seconds);
        if !fits {
            let expected =
                if seconds > 0.0 { format!("expected to take {seconds:.1} s; ") } else { String::new() };
            self.skip(what, format!("{expected}{remaining:.1} s were left of the stage's time"));
        }
        fits
    }
}

/// The GPU that is measured: the fastest, software too.
fn request() -> Result<Gpu, GpuError> {
    let options = GpuOptions { allow_software: true, timestamps: true, ..GpuOptions::default() };
    pollster::block_on(Gpu::request(options))
}

/// The middle one; of an even number the upper of two.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn medians() {
        assert_eq!((median(&[3.0, 1.0, 2.0]), median(&[2.0, 1.0]), least(&[3.0, 1.0])), (2.0, 2.0, 1.0));
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let heard = RefCell::new(Vec::new());
        let emit = |record: Record| heard.borrow_mut().push(record);
        let deadline = Deadline::after(Some(60.0));
        let context =
            Context { deadline, batches: vec![1], blocks: None, peaks: Peaks::default(), emit: &emit };
        assert!(context.has_time_for(1.0, "a"));
        assert!(!context.has_time_for(100.0, "b"));
        assert!(matches!(&heard.borrow()[..], [Record::NotMeasured(NotMeasured { what, why })]
            if what == "b" && why.starts_with("expected to take 100.0 s; ")));
    }
}
