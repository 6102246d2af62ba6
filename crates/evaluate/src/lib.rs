//! Accuracy of an image classifier on a labelled dataset.
//!
//! ```text
//! dataset (folder, zip, tar; label files) ─▶ pipeline ─▶ network (a trait)
//!                                               │
//!                   journal (a line a photo) ◀──┴──▶ shard_results ─▶ report
//!                      └──▶ merge (all shards' journals) ──────────────┤
//!                      └──▶ calibration (where logits are kept) ────────┘
//! ```

#![warn(missing_docs)]

mod accuracy;
pub mod calibration;
mod counts;
pub mod dataset;
mod error;
mod evaluation;
mod journal;
mod journal_format;
mod merge;
mod pipeline;
pub mod report;
mod shard_results;

pub use accuracy::Accuracy;
pub use counts::{Counts, Hits};
pub use dataset::{Dataset, Shard};
pub use error::EvaluateError;
pub use evaluation::{Progress, evaluate};
pub use journal_format::{CalibrationPart, Header, ModelIdentity};
pub use merge::{Merged, merge};
pub use pipeline::Network;
pub use shard_results::{ShardResults, Unreadable};
