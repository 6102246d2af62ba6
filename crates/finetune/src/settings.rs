//! The hyperparameters of a training run.

use crate::FinetuneError;
use serde::{Deserialize, Serialize};

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Times that every photo is learnt from.
    pub epochs: usize,
    /// Photos a step.
    pub batch: usize,
    /// The head's highest learning rate.
    pub rate: f64,
    /// From each layer to the one below it the learning rate is multiplied by this.
    pub layer_decay: f64,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// The share of each target that goes to all classes alike.
    pub smoothing: f64,
    /// Epochs, or a part of one, over which the learning rate rises.
    pub warmup: f64,
    /// Layers below this one stay as they are: 0 is the stem, i + 1 block i, depth + 1 the final norm and the head.
    pub first_layer: usize,
    /// Chooses the order of the photos and their augmentation.
    pub seed: u64,
    /// The state is saved after this many steps, and after each epoch.
    pub save_every: usize,
}

impl Settings {
    /// # Errors
    /// When one is out of its range, or there are no photos.
    pub(crate) fn check(&self, photos: usize) -> Result<(), FinetuneError> {
        let ratio = |x: f64| x > 0.0 && x <= 1.0;
        let rules = [
            ("photos", "at least one", photos > 0, photos.to_string()),
            ("--epochs", "at least 1", self.epochs > 0, self.epochs.to_string()),
            ("--batch", "at least 1", self.batch > 0, self.batch.to_string()),
            ("--lr", "a positive number", self.rate > 0.0 && self.rate.is_finite(), self.rate.to_string()),
            ("--layer-decay", "above 0, at most 1", ratio(self.layer_decay), self.layer_decay.to_string()),
            ("--smoothing", "0 to below 1", (0.0..1.0).contains(&self.smoothing), self.smoothing.to_string()),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, expected, _, got)) => Err(FinetuneError::Setting { name, expected, got }),
            None => Ok(()),
        }
    }
}
