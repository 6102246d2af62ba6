//! What can be wrong with a checkpoint, its labels, or a converted model's folder.

use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a checkpoint could not be read or converted, or a converted model not be loaded.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum CheckpointError {
    #[error("cannot {doing} {}: {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    /// The file is not of a kind this crate reads, or is damaged.
    #[error("{} is not a checkpoint that can be read: {reason}", .path.display())]
    Format { path: PathBuf, reason: String },
    #[error("{}: there is no memory for a tensor of {bytes} bytes", .path.display())]
    OutOfMemory { path: PathBuf, bytes: u64 },
    /// No known naming scheme; `found` shows the first names.
    #[error(
        "{} holds no BEiT classifier: expected tensors named as in timm, unilm, ModelScope or transformers \
         (such as blocks.0.norm1.weight), got {found}", .path.display()
    )]
    Dialect { path: PathBuf, found: String },
    /// Every fault of every tensor, not just the first.
    #[error("{} of the checkpoint's tensors cannot be used:\n  {}", .0.len(), lines(.0))]
    Tensors(Vec<TensorFault>),
    /// What was fetched is not what was meant.
    #[error("{}: expected SHA-256 {expected}, got {got}: the file is damaged or another one", .path.display())]
    Hash { path: PathBuf, expected: String, got: String },
    /// What an earlier attempt has kept of a conversion is of no use to this one.
    #[error("{}: what was converted of it earlier cannot be used: {reason}", .path.display())]
    Piece { path: PathBuf, reason: String },
    #[error("labels in {}: expected {expected}, got {got}", .path.display())]
    Labels { path: PathBuf, expected: String, got: String },
    #[error("{name}: expected {expected}, got {got}")]
    Option { name: &'static str, expected: String, got: String },
    /// The output folder holds something that is not a previous conversion.
    #[error(
        "{} already holds {found}, which is not part of an earlier conversion: choose another folder or empty it",
        .path.display()
    )]
    Occupied { path: PathBuf, found: String },
    #[error("{}: {source}", .path.display())]
    Shard { path: PathBuf, source: beit::weights::ShardError },
    #[error("{}: {source}", .path.display())]
    Manifest { path: PathBuf, source: beit::weights::ManifestError },
    #[error("{}: {source}", .path.display())]
    Weights { path: PathBuf, source: beit::weights::WeightsError },
    #[error("{}: {source}", .path.display())]
    Build { path: PathBuf, source: beit::builder::BuildError },
    /// What was just written does not read back as what was meant: a bug or a bad disk.
    #[error("the written file does not read back: {name}: expected {expected}, got {got}")]
    ReadBack { name: String, expected: String, got: String },
}

/// What is wrong with one tensor of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "its messages say it")]
pub struct TensorFault {
    /// As the checkpoint spells it.
    pub name: String,
    pub expected: String,
    pub got: String,
}

impl std::fmt::Display for TensorFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names come from the file: a hostile one must not flood the terminal.
        write!(f, "{:.120}: expected {}, got {}", self.name, self.expected, self.got)
    }
}

/// More faults than this are counted, not listed, in a message.
const LISTED_FAULTS: usize = 60;

fn lines(faults: &[TensorFault]) -> String {
    let mut lines: Vec<String> = faults.iter().take(LISTED_FAULTS).map(TensorFault::to_string).collect();
    if faults.len() > LISTED_FAULTS {
        lines.push(format!("and {} more", faults.len() - LISTED_FAULTS));
    }
    lines.join("\n  ")
}

impl CheckpointError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn format(path: &Path, reason: impl Into<String>) -> Self {
        Self::Format { path: path.to_owned(), reason: reason.into() }
    }
}
