//! What can be wrong with an index.

use thiserror::Error;

/// Why an index can't be used. Each is a sentence for the person whose index it is.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LibraryError {
    /// The file is something else.
    #[error("this is no index of photos")]
    NotAnIndex,
    /// A later version of this program wrote it.
    #[error("the index has format version {0}, this program reads version 1: use a newer program")]
    Version(u32),
    /// Nothing but a part of the header was written: no photo is lost with it.
    #[error("the index has no photo in it yet: the run that began it was killed at once")]
    HeaderCutShort,
    /// The header's checksum is wrong, or what it says makes no sense.
    #[error("the index's header is damaged ({0}): delete the file and index the folder again")]
    DamagedHeader(String),
    /// The index is another model's, or of the same one with other settings.
    #[error("the index was made with another {what}: {there}, not {here}. {advice}")]
    OtherModel {
        /// What differs.
        what: &'static str,
        /// In the index.
        there: String,
        /// Now.
        here: String,
        /// What to do.
        advice: &'static str,
    },
    /// A photo that no index of this model can have.
    #[error("{path} can't be put into the index: {reason}")]
    Photo {
        /// Its path.
        path: String,
        /// Why not.
        reason: String,
    },
}
