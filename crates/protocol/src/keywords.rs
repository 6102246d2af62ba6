//! Keywords for photos: what the page asks its worker and the module `keyword-writer`.

use serde::{Deserialize, Serialize};

/// What a class or a kind is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// WordNet id; empty where there is none.
    pub wnid: String,
    /// English.
    pub en: String,
    /// Chinese; empty where there is none.
    pub zh: String,
}

/// A class or a kind with the kinds that it is of, the widest first, itself last.
pub type NamePath = Vec<Name>;

/// An answer that may become a keyword.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedAnswer {
    /// What it is.
    pub path: NamePath,
    /// Its probability, 0 to 1.
    pub score: f32,
}

/// The language of keywords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeywordLanguage {
    /// English names.
    #[default]
    English,
    /// Chinese names, and English ones for what has none.
    Chinese,
    /// English and Chinese names.
    Both,
}

/// From the page to the module. Beside it come the bytes of a photo, and of its sidecar where there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WriterRequest {
    /// How does the photo, or its sidecar, change? Answered by [`WriterReply::Planned`].
    Plan {
        /// Classes, best first.
        classes: Vec<NamedAnswer>,
        /// The kind that most of the probability is of.
        kind: Option<NamedAnswer>,
        /// Answers of at least this probability become keywords.
        threshold: f32,
        /// In this language.
        language: KeywordLanguage,
        /// The text of the visitor's vocabulary; empty for none.
        vocabulary: String,
    },
    /// What is in this vocabulary? Answered by [`WriterReply::Vocabulary`] or [`WriterReply::NoVocabulary`].
    ReadVocabulary {
        /// Its text.
        text: String,
    },
    /// What is the file's hash? Answered by [`WriterReply::Hashed`].
    Hash,
}

/// From the module to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum WriterReply {
    /// How a photo gets its keywords.
    Planned {
        /// SHA-256 of the photo, lower-case hexadecimal.
        sha256: String,
        /// What is written, or not.
        outcome: PlanOutcome,
    },
    /// SHA-256 of the file, lower-case hexadecimal.
    Hashed {
        /// The hash.
        sha256: String,
    },
    /// The vocabulary can be used.
    Vocabulary {
        /// The classes and kinds that have an entry, as the text has them.
        classes: Vec<String>,
    },
    /// It can't be.
    NoVocabulary {
        /// What is wrong with it.
        fault: VocabularyFault,
    },
    /// The request is none that this module knows: it and the page are of different versions.
    Misunderstood {
        /// What is wrong with it, in English.
        reason: String,
    },
}

/// What is wrong with a vocabulary: in which line, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum VocabularyFault {
    /// There is no tab in it.
    NoTab {
        /// The line's number.
        line: u64,
        /// Its text.
        text: String,
    },
    /// There is nothing before its first tab.
    NoClass {
        /// The line's number.
        line: u64,
    },
    /// Another line has an entry for the same class.
    Repeated {
        /// The line's number.
        line: u64,
        /// The other line's.
        first: u64,
        /// The class.
        class: String,
    },
}

/// What becomes of a photo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PlanOutcome {
    /// A file is written.
    Change(PlannedChange),
    /// It has these keywords already.
    Unchanged,
    /// No answer reaches the threshold, and there is nothing to remove.
    NoKeyword,
    /// The keywords can't be written.
    Refused {
        /// What keeps them from being written into the sidecar.
        why: NotMerged,
    },
}

/// A file that changes, or a new sidecar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// Which file.
    pub place: Place,
    /// Why it is a sidecar, where it could be the photo.
    pub note: Option<NotEmbedded>,
    /// What changes, in order.
    pub splices: Vec<Edit>,
    /// What changes it back.
    pub inverse: Vec<Edit>,
    /// Keywords of `dc:subject` that come.
    pub added: Vec<String>,
    /// Those that go: of an earlier answer.
    pub removed: Vec<String>,
    /// Bytes of the changed file.
    pub bytes: u64,
    /// CRC-32 of the changed file.
    pub crc32: u32,
    /// SHA-256 of the changed file, lower-case hexadecimal.
    pub sha256_after: String,
}

/// Where keywords are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Into the photo.
    Photo,
    /// Into the file beside it.
    Sidecar,
}

/// Bytes of a file that are replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Offset of the first byte.
    pub at: u64,
    /// How many bytes go.
    pub removed: u64,
    /// What comes in their place, in base64.
    pub inserted: String,
}

/// Why a photo of a format that takes keywords can't take these. A sidecar can.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NotEmbedded {
    /// The file is cut short or damaged.
    Damaged,
    /// What is there can't be merged with.
    Xmp {
        /// Why.
        why: NotMerged,
    },
    /// It has more than one XMP packet.
    SeveralPackets,
    /// Its keywords are in an extended XMP packet.
    Extended,
    /// Its XMP is stored in a form that only ImageMagick writes.
    RawProfile,
    /// The XMP would be too long.
    NoRoom {
        /// What it would have.
        bytes: u64,
        /// What there is room for.
        most: u64,
    },
    /// Another image follows whose place may be told by an offset.
    Offsets,
    /// Every change makes its signature invalid.
    ContentCredentials,
}

/// Why XMP that is there can't be merged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotMerged {
    /// It is not in UTF-8 or UTF-16.
    Encoding,
    /// It is not well-formed XML, or none of XMP's.
    Damaged,
    /// Its keywords are in a form that is no list.
    Form,
    /// It is too long.
    TooLong,
    /// The keywords would not be read back.
    NotReadBack,
}
