//! The weights file: a GGUF with standard types, cut into shards that a manifest lists.
//!
//! Nothing outside this module knows the format. Written by [`write()`], read by pushing its bytes,
//! in order and in pieces of any size, through a [`Loader`], which hands over each tensor as soon
//! as its last byte has come: a model is never in memory twice.
//!
//! Tensors carry timm's names (`blocks.0.attn.qkv.weight`); [`schema`] lists them with their
//! shapes and spells the metadata keys.

mod error;
pub mod gguf;
mod loader;
mod manifest;
pub mod schema;
mod write;

pub use error::{ManifestError, ShardError, WeightsError};
pub use loader::{Header, Loader, Tensor, TensorData};
pub use manifest::{Checkpoint, MANIFEST_FORMAT, Manifest, Shard, hexadecimal, sha256};
pub use write::{Storage, StoredTensor, write};
