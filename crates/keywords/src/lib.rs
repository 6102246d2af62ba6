//! A classifier's answers as keywords in photos.
//!
//! ```text
//! answers, threshold, language, vocabulary ──▶ Keywords
//! photo's bytes, Keywords ──▶ embed ───▶ Change: splices of the photo (JPEG, PNG, WebP)
//! sidecar's bytes, Keywords ──▶ sidecar ▶ Change: splices of the sidecar
//! ```
//! Keywords become `dc:subject`, their paths of kinds `lr:hierarchicalSubject`. XMP that is there is merged: its text is
//! edited where a keyword comes or goes, and is otherwise left as it is. What was added is also listed in properties of
//! a [namespace](xmp::OWN) of this crate's. So a later answer replaces those keywords alone, in whatever copy of the
//! photo, and keywords of others are never removed.
//!
//! A file is changed by [`Splice`]s: bytes outside of them are the same by construction, and their [inverse] restores
//! the file. Crates that parse a container and write it anew (`img-parts` was tried) lose what they have no place for:
//! data after a PNG's last chunk or a WebP's RIFF chunk, fill bytes between a JPEG's segments.
//!
//! The crate knows no browser, no file system and no network.

#![warn(missing_docs)]

mod answer;
mod container;
mod name;
mod place;
mod sidecar;
mod splice;
mod vocabulary;
pub mod xmp;

pub use answer::{Answer, Keywords, Language, Rules, keywords};
pub use container::{Container, EmbedError, embed, packet};
pub use name::Name;
pub use place::belongs_in_photo;
pub use sidecar::{sidecar, sidecar_name};
pub use splice::{Splice, apply, inverse};
pub use vocabulary::{Vocabulary, VocabularyError};

/// How a file changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// In order of their places, and apart from one another.
    pub splices: Vec<Splice>,
    /// Keywords that come.
    pub added: Keywords,
    /// Keywords that go: an earlier answer's.
    pub removed: Keywords,
}
