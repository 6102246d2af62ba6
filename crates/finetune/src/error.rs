//! Why training could not go on.

use std::path::PathBuf;
use thiserror::Error;

/// Why training could not go on.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum FinetuneError {
    #[error("the network failed: {0}")]
    Tensor(#[from] candle_core::Error),
    #[error("{name}: expected {expected}, got {got}")]
    Shape { name: String, expected: String, got: String },
    #[error("{name}: expected {expected}, got {got}")]
    Setting { name: &'static str, expected: &'static str, got: String },
    /// A photo can't be read or decoded; the sentence says why.
    #[error("{0}")]
    Photo(String),
    #[error("the loss is no number any more after {step} steps: the learning rate is too high")]
    Diverged { step: usize },
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{} cannot be resumed: {reason}", .path.display())]
    State { path: PathBuf, reason: String },
}
