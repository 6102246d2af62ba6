//! Everything the page says. A language is one table: a field for each sentence, a function where
//! a number or a name goes in. [`crate::english`] is the one there is.

use crate::photo::Trouble;
use crate::state::Counts;
use crate::status::Status;
use protocol::{BackendInfo, ModelInfo, Prediction};

/// A language.
pub struct Text {
    /// Its BCP 47 tag.
    pub tag: &'static str,

    // Header and footer
    pub privacy: &'static str,
    pub model_card: &'static str,
    pub credits: &'static str,
    pub quantization: fn(&ModelInfo) -> String,
    pub size: fn(&ModelInfo) -> String,
    /// Parameters, classes and image size.
    pub model_facts: fn(&ModelInfo) -> String,
    /// The backend and, once there is one, its milliseconds a photo.
    pub backend: fn(&BackendInfo, Option<f64>) -> String,

    // Drop zone
    pub invitation: &'static str,
    pub ways_in: &'static str,
    pub more: &'static str,
    pub more_ways_in: &'static str,
    pub choose: &'static str,
    pub let_go: &'static str,
    pub try_again: &'static str,

    // Samples
    pub samples: &'static str,
    /// A sample's button, from what the photo shows.
    pub try_sample: fn(&str) -> String,
    pub cat: &'static str,
    pub coffee: &'static str,
    pub rocket: &'static str,

    // Status
    pub status: fn(&Status) -> Said,
    pub progress: &'static str,
    /// Bytes so far, in all.
    pub progress_value: fn(u64, u64) -> String,
    pub pause: &'static str,
    pub resume: &'static str,

    // Storage
    /// Bytes of weights that the browser keeps.
    pub stored: fn(u64) -> String,
    pub clear_storage: &'static str,
    pub no_storage: &'static str,
    pub no_room: &'static str,

    // Gallery
    pub gallery: &'static str,
    pub counts: fn(&Counts) -> String,
    pub clear: &'static str,

    // Card
    pub photo: fn(&str) -> String,
    pub waiting: &'static str,
    pub looking: &'static str,
    pub remove: fn(&str) -> String,
    pub answers: &'static str,
    pub label: fn(&Prediction) -> &str,
    pub percent: fn(f32) -> String,
    pub dimensions: fn(u32, u32) -> String,
    pub milliseconds: fn(f64) -> String,
    pub no_preview: &'static str,
    pub dropped_thing: &'static str,
    pub trouble: fn(&Trouble) -> String,
}

/// A status in words.
#[derive(Debug, PartialEq)]
pub struct Said {
    /// Read aloud by screen readers when it changes.
    pub lead: String,
    /// Follows the lead on the page. It may change many times a second, so it is not read aloud.
    pub detail: String,
    /// More to say, as a paragraph of its own: what went wrong and what to do.
    pub problem: Option<String>,
}

/// Tables are compared by their language.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag
    }
}
