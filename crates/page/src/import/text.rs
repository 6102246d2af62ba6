//! What is said about imports, in each language.

use protocol::import::{ImportFault, ImportOffer, ImportPhase, ImportPreprocessing, ImportProgress};

/// A language's words.
pub struct ImportText {
    // The menu of models
    /// What an import fetches, keeps, and from whom: bytes, bytes, host.
    pub facts: fn(Option<u64>, Option<u64>, &str) -> String,
    /// The button while a model is marked that is not imported yet.
    pub look_up: &'static str,
    /// Any model of a hub.
    pub other_model: &'static str,
    /// How such a model is named.
    pub other_model_hint: &'static str,
    pub rounding: &'static str,
    pub checkpoint_file: &'static str,

    // The panel
    pub heading: &'static str,
    pub inspecting: fn(&str) -> String,
    pub offer: fn(&str) -> String,
    pub model_term: &'static str,
    pub model: fn(&ImportOffer) -> String,
    pub download_term: &'static str,
    pub download: fn(&ImportOffer) -> String,
    pub kept_term: &'static str,
    pub kept: fn(&ImportOffer) -> String,
    pub license_term: &'static str,
    pub license_unknown: &'static str,
    pub preprocessing_term: &'static str,
    pub preprocessing: fn(&ImportPreprocessing) -> String,
    /// So many bytes of room are missing, and what to do.
    pub missing: fn(u64) -> String,
    pub start: &'static str,
    /// The same for the visitor's own file.
    pub start_file: &'static str,
    pub not_now: &'static str,

    pub starting: &'static str,
    /// What goes on; whether it is the visitor's own file.
    pub phase: fn(ImportPhase, bool) -> &'static str,
    /// “412 MB of 1.2 GB · 8 MB/s · about 2 minutes left”.
    pub amounts: fn(&ImportProgress) -> String,
    /// Bytes so far, in all.
    pub of: fn(u64, u64) -> String,
    pub restarted: &'static str,
    pub meanwhile: &'static str,
    pub pause: &'static str,
    pub cancel: &'static str,

    pub paused: fn(&str) -> String,
    /// The visitor's file of this name has to be chosen again.
    pub file_wanted: fn(&str) -> String,
    pub go_on: &'static str,
    pub discard: &'static str,
    pub choose_file: &'static str,

    pub failed: fn(&str) -> String,
    pub fault: fn(&ImportFault) -> String,
    pub try_again: &'static str,
    pub close: &'static str,
    /// Another import was asked for.
    pub one_at_a_time: &'static str,

    /// The model's name, and how much is kept of it.
    pub done: fn(&str, u64) -> String,

    // A model that was imported and is not in storage any more
    pub import_again: &'static str,
    pub use_own: &'static str,
}
