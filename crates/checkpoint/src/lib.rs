//! Checkpoints in, verified weights out; and weights in, a running model out.
//!
//! ```text
//! checkpoint → Source → Network → quantised tensors → shards + manifest → read back
//!            source   network    quantize            shards   convert     verify
//! ```
//! - [`source`]: an opened file's tensors, whatever the container ([`safetensors`], or a PyTorch zip: [`pth`]
//!   and its [`pickle`]).
//! - [`names`]: the only place that knows foreign tensor names, one table a dialect.
//! - [`network`]: the checkpoint held against the network its shapes tell of ([`derive`]).
//! - [`quantize`]: the one rule by which weights are rounded; `calibrate` does better where there are photos.
//! - [`agreement`]: the quantised network's logits held against the source's, both run by [`walk`] while the
//!   file is read back.
//! - [`seeded`]: networks of any size without files, for tests and measurements.
//! - [`rehead`]: a converted model with new weights for new classes.
//! - [`model_folder`]: opens, verifies and loads what [`convert`] wrote.

pub mod agreement;
mod calibrate;
pub mod convert;
mod derive;
mod error;
mod folder;
pub mod labels;
mod levels;
pub mod model_folder;
pub mod names;
pub mod network;
mod pickle;
mod pth;
pub mod quantize;
pub mod rehead;
mod safetensors;
pub mod seeded;
mod shards;
pub mod source;
mod verify;
mod walk;

pub use convert::{Calibration, Conversion, DEFAULT_SHARD_BYTES, Options, Progress, TensorReport, convert};
pub use error::{CheckpointError, TensorFault};
pub use folder::{CARD, MANIFEST};
pub use model_folder::ModelFolder;
pub use quantize::Quantization;
