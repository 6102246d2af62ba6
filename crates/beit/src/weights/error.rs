//! What can be wrong with a weights file or its manifest.

use thiserror::Error;

/// Why a weights file was refused.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum WeightsError {
    #[error("this is not a GGUF file: {0}")]
    Header(String),
    #[error("the metadata lacks `{key}`")]
    MissingKey { key: &'static str },
    #[error("metadata `{key}`: expected {expected}, got {got}")]
    Metadata { key: &'static str, expected: String, got: String },
    /// Every fault of every tensor, not just the first.
    #[error("{}", .0.join("; "))]
    Tensors(Vec<String>),
    #[error("the file has {got} bytes, the header announces {expected}")]
    Length { expected: u64, got: u64 },
    #[error("{tensor}: no memory for its {bytes} bytes")]
    OutOfMemory { tensor: String, bytes: u64 },
    #[error("writing failed: {0}")]
    Write(String),
}

/// Why a manifest was refused.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum ManifestError {
    #[error("the manifest is not valid JSON of the expected form: {0}")]
    Json(#[from] serde_json::Error),
    #[error("manifest field `{field}`: expected {expected}, got {got}")]
    Field { field: &'static str, expected: String, got: String },
}

/// Why a shard's bytes were refused.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "its messages say it")]
pub enum ShardError {
    #[error("{name}: expected {expected} bytes, got {got}")]
    Size { name: String, expected: u64, got: u64 },
    #[error("{name}: expected SHA-256 {expected}, got {got}")]
    Hash { name: String, expected: String, got: String },
}
