//! Checkpoints in, verified weights out; and weights in, a running model out.
//!
//! ```text
//! checkpoint → Source → Network → quantised tensors → shards + manifest → read back
//!            source   network    quantize            shards   convert     verify
//! ```
//! - [`source`]: an opened checkpoint's tensors, whatever the container ([`safetensors`], or PyTorch's: [`pth`]
//!   and its [`pickle`]), in one file or several ([`split`]); [`find`] looks through folders, [`foreign`] knows what
//!   is no checkpoint.
//! - [`names`]: the only place that knows foreign tensor names, one table a dialect; [`naming`] tells what stands
//!   before them, [`preference`] which of several networks is meant, and a [`Note`] says so.
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
mod deflated;
mod derive;
mod error;
mod find;
mod folder;
mod foreign;
pub mod labels;
mod levels;
pub mod model_folder;
pub mod names;
mod naming;
pub mod network;
mod note;
mod pickle;
mod preference;
mod pth;
pub mod quantize;
pub mod rehead;
mod safetensors;
pub mod seeded;
mod shards;
pub mod source;
mod split;
mod verify;
mod walk;

pub use convert::{Calibration, Conversion, DEFAULT_SHARD_BYTES, Options, Progress, TensorReport, convert};
pub use error::{CheckpointError, TensorFault};
pub use folder::{CARD, MANIFEST};
pub use model_folder::ModelFolder;
pub use note::Note;
pub use quantize::Quantization;
