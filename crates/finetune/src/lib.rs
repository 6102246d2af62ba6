//! Trains a BEiT network's last blocks and head, or all of it, on labelled photos.
//!
//! ```text
//! photo ─ augment ─▶ Pixels ─ Network::logits ─▶ smoothed cross-entropy ─ backward ─▶ gradients
//!         augment             network            loss                                    │
//! parameters ◀─ AdamW, learning rate by step and by layer ◀──────────────────────────────┘
//!               adamw    schedule
//! ```
//! The recipe is BEiT's for fine-tuning (unilm/beit, `run_class_finetuning.py`): AdamW, a cosine schedule after a
//! warm-up, learning rates that shrink from layer to layer towards the photo, label smoothing, no weight decay on
//! biases, norms, layer scales and tables.
//!
//! A run is a function of its settings, its photos and its seed: interrupted and resumed from a
//! `training_checkpoint`, it ends in the same bits as one that was not.

#![warn(missing_docs)]

mod adamw;
mod augment;
mod epoch;
mod error;
mod loss;
mod network;
mod random;
mod schedule;
mod settings;
mod trainer;
mod training_checkpoint;

pub use epoch::Epoch;
pub use error::FinetuneError;
pub use network::Network;
pub use schedule::Schedule;
pub use settings::Settings;
pub use trainer::{Photo, Photos, Progress, Trained, train};
