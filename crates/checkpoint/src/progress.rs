//! How far a conversion has come.

/// The step of a conversion that has just begun or advanced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Progress {
    /// Reading and checking the checkpoint.
    Check,
    /// Running the calibration photos and rounding: blocks done, of how many.
    Calibrate { done: usize, total: usize },
    /// Rounding: tensors done, of how many.
    Quantize { done: usize, total: usize },
    /// Writing shards and manifest.
    Write,
    /// Reading back what was written, and running it beside the source.
    Verify,
}
