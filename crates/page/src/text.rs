//! Everything the page says. A language is one table: a field for each sentence, a function where
//! a number or a name goes in. [`Language::text`](crate::language::Language::text) gives one.

use crate::import::text::ImportText;
use crate::listing::SortOrder;
use crate::photo::PhotoError;
use crate::record::Record;
use crate::state::Counts;
use crate::status::Status;
use crate::worker_setup::Notice;
use archive::{LeftOut, Reason};
use protocol::fault::{PhotoFault, TeachFault};
use protocol::{BackendInfo, ClassName, Kind, ModelInfo, Prediction};

/// A language.
pub struct Text {
    /// Its BCP 47 tag.
    pub tag: &'static str,
    /// The browser tab's title.
    pub title: &'static str,
    /// The language's name in itself.
    pub name: &'static str,
    /// The name of the next language in this one, where a device may have no font for its own letters.
    pub other_language_here: Option<&'static str>,

    // Header and footer
    pub privacy: &'static str,
    pub model_card: &'static str,
    pub credits: &'static str,
    /// Where the classes come from; leads to the licence.
    pub wordnet: &'static str,
    pub quantization: fn(&str) -> String,
    pub size: fn(&ModelInfo) -> String,
    /// A model's name and how its weights are stored.
    pub provenance: fn(&ModelInfo) -> String,
    /// A raw photo of this kind was answered from the preview in it.
    pub raw_preview: fn(&str) -> String,
    /// Of so many hundredths of the picture the file has no data.
    pub part_missing: fn(u8) -> String,
    /// Parameters, classes and image size.
    pub model_facts: fn(&ModelInfo) -> String,
    /// Where the network runs, and why there.
    pub reasons: fn(&BackendInfo) -> String,
    /// The backend and, once there is one, its milliseconds a photo.
    pub backend: fn(&BackendInfo, Option<f64>) -> String,

    // Drop zone
    pub invitation: &'static str,
    pub ways_in: &'static str,
    pub more: &'static str,
    pub more_ways_in: &'static str,
    pub choose: &'static str,
    pub choose_folder: &'static str,
    pub let_go: &'static str,
    pub try_again: &'static str,

    // Samples
    pub samples: &'static str,
    /// A sample's button, from what the photo shows.
    pub try_sample: fn(&str) -> String,
    pub cat: &'static str,
    pub coffee: &'static str,
    pub mountain: &'static str,

    // Status
    pub status: fn(&Status) -> StatusText,
    pub notice: fn(&Notice) -> String,
    /// A link that makes the page cross-origin isolated by a service worker.
    pub isolate: &'static str,
    pub progress: &'static str,
    /// Bytes so far, in all.
    pub progress_value: fn(u64, u64) -> String,
    /// Loads a model of another site.
    pub agree: &'static str,
    /// Loads the site's own instead.
    pub decline: &'static str,
    pub pause: &'static str,
    pub resume: &'static str,

    /// Who serves the model that is used.
    pub from_host: fn(&str) -> String,

    // Storage
    /// Bytes of weights that the browser keeps.
    pub stored: fn(u64) -> String,
    pub clear_storage: &'static str,
    pub stored_models: &'static str,
    /// So many bytes of a model's are kept.
    pub stored_part: fn(u64, u64) -> String,
    /// When it was last used.
    pub days_ago: fn(u64) -> String,
    pub remove_stored: &'static str,
    /// The same with the model's name, for screen readers.
    pub remove_stored_model: fn(&str) -> String,
    pub no_storage: &'static str,
    pub no_room: &'static str,

    /// About imports of checkpoints.
    pub import: &'static ImportText,

    // Gallery
    pub gallery: &'static str,
    pub counts: fn(&Counts) -> String,
    pub clear: &'static str,

    pub tools: &'static str,
    /// How many photos the search leaves.
    pub listed: fn(usize) -> String,
    /// How many files were left out, by kind.
    pub skipped: fn(&LeftOut) -> String,
    /// Why one was.
    pub left_out_for: fn(Reason) -> &'static str,
    /// So many more were that are not named.
    pub left_out_more: fn(u64) -> String,
    /// Photos that wait, and how many seconds they will take.
    pub left: fn(usize, Option<f64>) -> String,
    pub stop: &'static str,
    pub go_on: &'static str,
    pub search: &'static str,
    pub order_label: &'static str,
    pub order: fn(SortOrder) -> &'static str,
    pub classes_label: &'static str,
    pub classes: fn(usize) -> String,
    /// What was searched for in vain.
    pub nothing_found: fn(&str) -> String,

    // Export and records
    pub export: &'static str,
    pub export_json: &'static str,
    pub export_csv: &'static str,
    pub export_png: &'static str,
    pub copy_link: &'static str,
    pub link_copied: &'static str,
    pub link_in_address: &'static str,
    /// From the photo's file name.
    pub record: fn(&str) -> String,
    pub record_from: fn(&Record) -> String,
    pub record_note: &'static str,
    pub record_same: &'static str,
    pub record_different: &'static str,
    pub record_damaged: &'static str,
    pub dismiss: &'static str,

    // Camera
    pub camera: &'static str,
    pub camera_heading: &'static str,
    pub camera_take: &'static str,
    pub camera_live: &'static str,
    pub camera_waiting: &'static str,
    pub camera_refused: &'static str,
    pub camera_missing: &'static str,

    // Diagnostics and updates
    pub diagnostics: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub update_ready: &'static str,
    pub update_now: &'static str,

    // Large view
    pub open: fn(&str) -> String,
    pub close: &'static str,
    pub previous: &'static str,
    pub next: &'static str,
    /// The photo's number among all.
    pub place: fn(usize, usize) -> String,
    /// A class's button, from its label.
    pub explain: fn(&str) -> String,
    pub explain_hint: &'static str,
    pub explain_waiting: &'static str,
    /// Opens the search for any other class.
    pub other_class: &'static str,
    pub other_class_hint: &'static str,
    /// So many of so many are listed.
    pub classes_found: fn(usize, usize) -> String,
    pub class_name: fn(&ClassName) -> &str,
    pub why: fn(&str) -> String,
    /// The average patch's contribution.
    pub average: fn(f32) -> String,
    pub strength: &'static str,
    pub patches_for: &'static str,
    pub patches_against: &'static str,
    pub constant: &'static str,
    pub rounding: &'static str,
    pub logit: &'static str,
    pub heat_meaning: &'static str,
    pub input: &'static str,
    /// From the square's side in pixels.
    pub input_meaning: fn(usize) -> String,
    pub no_model: &'static str,
    /// A number with its sign.
    pub signed: fn(f32) -> String,
    pub photo_fault: fn(&PhotoFault) -> String,
    pub teach_fault: fn(&TeachFault) -> String,
    pub kind: fn(&Kind) -> &str,
    pub kind_meaning: &'static str,

    // Card
    pub photo: fn(&str) -> String,
    pub waiting: &'static str,
    pub looking: &'static str,
    pub remove: fn(&str) -> String,
    pub answers: &'static str,
    /// The photo most likely shows none of so many classes.
    pub none_of: fn(u64) -> String,
    /// What the list of classes is called then.
    pub answers_if_none: &'static str,
    pub label: fn(&Prediction) -> &str,
    pub percent: fn(f32) -> String,
    pub dimensions: fn(u32, u32) -> String,
    pub milliseconds: fn(f64) -> String,
    pub no_preview: &'static str,
    pub dropped_thing: &'static str,
    pub photo_error: fn(&PhotoError) -> String,
}

/// A status in words.
#[derive(Debug, PartialEq)]
pub struct StatusText {
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

#[cfg(test)]
mod tests;
