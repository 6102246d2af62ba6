//! Conversion of checkpoints to quantised GGUF shards, and loading of what was converted.
//!
//! ```text
//! checkpoint → Source → Network → quantised tensors → shards + manifest → read back
//!            source   network    quantize         write_model   convert     verify
//! ```
//! - [`source`]: an opened checkpoint's tensors ([`tensor_entry`]), whatever the container (`safetensors`, or
//!   PyTorch's: `pth` and its `pickle`), in one file or several (`split_index`); `find_file` looks through folders,
//!   `not_a_checkpoint` recognises other kinds of files.
//! - [`dialects`]: the only place that knows foreign tensor names, one table a dialect; `naming` finds the prefix
//!   before them, `choose_network` the network among several, and a [`Note`] reports the choice.
//! - [`network`]: the checkpoint checked against the configuration that its shapes imply (`network_layout`,
//!   `infer_config`); `beit_version` tells BEiT from BEiTv2.
//! - [`quantize`]: how weights are rounded; `rotate_heads` changes them before that, the network's function kept, so
//!   that rounding loses less; `calibrate` rounds better, by photos.
//! - [`hub_config`]: what the small files beside a checkpoint tell of preparation and licence.
//! - [`streaming`]: the same conversion of a checkpoint that arrives in pieces, without a file system: what is left of
//!   this crate without the feature `files`.
//! - [`agreement`]: the quantised network's logits compared with the source's, both run by `layerwise` while the
//!   file is read back (`verify`); [`photo_agreement`]: the same on one's own photos.
//! - [`seeded`]: networks of any size without files, for tests and measurements.
//! - [`retrained`]: a converted model with new weights for new classes.
//! - [`model_folder`]: opens, verifies and loads what [`convert`](mod@convert) wrote.

#![warn(missing_docs)]

#[cfg(feature = "files")]
pub mod agreement;
mod beit_version;
#[cfg(feature = "files")]
mod calibrate;
mod choose_network;
#[cfg(feature = "files")]
pub mod convert;
#[cfg(feature = "files")]
mod deflated;
pub mod dialects;
mod error;
#[cfg(feature = "files")]
mod find_file;
pub mod hub_config;
mod infer_config;
pub mod labels;
#[cfg(feature = "files")]
mod layerwise;
mod levels;
#[cfg(feature = "files")]
pub mod model_folder;
mod naming;
#[cfg(feature = "files")]
pub mod network;
mod network_layout;
mod not_a_checkpoint;
mod note;
#[cfg(feature = "files")]
mod output_folder;
#[cfg(feature = "files")]
pub mod photo_agreement;
mod pickle;
#[cfg(feature = "files")]
mod progress;
mod pth;
pub mod quantize;
#[cfg(feature = "files")]
pub mod retrained;
mod rotate_heads;
mod safetensors;
#[cfg(feature = "files")]
pub mod seeded;
mod settings;
#[cfg(feature = "files")]
pub mod source;
#[cfg(feature = "files")]
mod split_index;
pub mod streaming;
pub mod tensor_entry;
#[cfg(feature = "files")]
mod verify;
mod write_model;

#[cfg(feature = "files")]
pub use calibrate::photos::find_photos;
#[cfg(feature = "files")]
pub use convert::{Calibration, Conversion, Options, convert};
pub use error::{CheckpointError, TensorFault};
#[cfg(feature = "files")]
pub use model_folder::ModelFolder;
pub use note::Note;
#[cfg(feature = "files")]
pub use output_folder::OutputFolder;
#[cfg(feature = "files")]
pub use progress::Progress;
pub use quantize::Quantization;
pub use settings::{DEFAULT_SHARD_BYTES, Settings};
pub use streaming::StreamingConversion;
#[cfg(feature = "files")]
pub use verify::TensorReport;
pub use write_model::{CARD, MANIFEST, ShardSink};
