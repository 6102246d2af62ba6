//! The result of one epoch.

use serde::{Deserialize, Serialize};

/// How one epoch went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss, smoothing included, while learning.
    pub loss: f64,
    /// The share of right answers while learning, 0 to 1.
    pub accuracy: f64,
    /// On the validation photos: the mean loss without smoothing, and the share of right answers.
    pub validation: Option<(f64, f64)>,
}
