//! Session, loading, storage, device selection and recovery, without a browser: whatever they need of the machine comes
//! through the traits in [`platform`], so that every failure can be tested natively in milliseconds. `crates/worker` is
//! the browser's side of those traits.
//!
//! ```text
//! session ─▶ load ─▶ select_device ─▶ gpu_setup ─▶ shards ─▶ store, fetch
//!    │                     └ device_selection (pure)   └ retry_budget (pure)
//!    ├▶ photo: file ─▶ RGB ─▶ pixels ─▶ codec_programs
//!    ├▶ on_device: pixels ─▶ classifier: logits ─▶ answer
//!    ├▶ own_classes: features ─▶ a trained head ─▶ classifier
//!    └▶ import: a checkpoint, from a hub or a file ─▶ quantised while it comes ─▶ shards in storage
//! ```
#![warn(missing_docs)]

mod answer;
mod checksum;
mod class_paths;
mod class_search;
mod classifier;
mod codec_programs;
pub mod device_selection;
mod error;
mod fault;
mod fetch;
mod forward_progress;
mod gpu_setup;
mod import;
mod import_entry;
mod isa_choice;
mod load;
mod note_names;
mod on_device;
mod own_classes;
mod photo;
pub mod platform;
mod product_timing;
mod progress;
mod rate;
mod retry_budget;
mod select_device;
mod session;
mod shards;
mod store;
mod timeout;

pub use checksum::for_each_piece;
pub use isa_choice::weight_format;
pub use product_timing::product_ms;
pub use session::{Message, Session};
