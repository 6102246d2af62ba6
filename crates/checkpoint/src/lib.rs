//! Conversion of checkpoints to quantised GGUF shards, and loading of what was converted.
//!
//! ```text
//! checkpoint → Source → Network → quantised tensors → shards + manifest → read back
//!            source   network    quantize            shards   convert     verify
//! ```
//! - [`source`]: an opened checkpoint's tensors ([`tensor_entry`]), whatever the container (`safetensors`, or
//!   PyTorch's: `pth` and its `pickle`), in one file or several (`split_index`); `find_file` looks through folders,
//!   `not_a_checkpoint` recognises other kinds of files.
//! - [`dialects`]: the only place that knows foreign tensor names, one table a dialect; `naming` finds the prefix
//!   before them, `choose_network` the network among several, and a [`Note`] reports the choice.
//! - [`network`]: the checkpoint checked against the configuration that its shapes imply (`infer_config`).
//! - [`quantize`]: how weights are rounded; `calibrate` rounds better, by photos.
//! - [`agreement`]: the quantised network's logits compared with the source's, both run by `layerwise` while the
//!   file is read back (`verify`); [`photo_agreement`]: the same on one's own photos.
//! - [`seeded`]: networks of any size without files, for tests and measurements.
//! - [`retrained`]: a converted model with new weights for new classes.
//! - [`model_folder`]: opens, verifies and loads what [`convert`](mod@convert) wrote.

#![warn(missing_docs)]

pub mod agreement;
mod calibrate;
mod choose_network;
pub mod convert;
mod deflated;
pub mod dialects;
mod error;
mod find_file;
mod infer_config;
pub mod labels;
mod layerwise;
mod levels;
pub mod model_folder;
mod naming;
pub mod network;
mod not_a_checkpoint;
mod note;
mod output_folder;
pub mod photo_agreement;
mod pickle;
mod progress;
mod pth;
pub mod quantize;
pub mod retrained;
mod safetensors;
pub mod seeded;
mod shards;
pub mod source;
mod split_index;
pub mod tensor_entry;
mod verify;

pub use calibrate::photos::find_photos;
pub use convert::{Calibration, Conversion, DEFAULT_SHARD_BYTES, Options, convert};
pub use error::{CheckpointError, TensorFault};
pub use model_folder::ModelFolder;
pub use note::Note;
pub use output_folder::{CARD, MANIFEST};
pub use progress::Progress;
pub use quantize::Quantization;
pub use verify::TensorReport;
