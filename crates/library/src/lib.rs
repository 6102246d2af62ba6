//! The index of a folder of photos: what a model says of each photo, and what is asked of that later: searches, similar
//! photos, duplicates. It knows no file system and no browser: bytes come in, bytes go out.
//!
//! ```text
//! folder's listing ─▶ changes ─▶ (the caller runs the model) ─▶ Photo ─▶ record ─▶ index file
//!                                                                          │
//!            Index ◀── read ◀── index file ─────────────────────────────────┘
//!              ├──▶ search (names, dates)   ├──▶ similar   ├──▶ duplicates   └──▶ merge
//! ```
//!
//! # The file, version 1
//!
//! All numbers are little-endian. The file is only ever appended to, or replaced as a whole.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `beitlib` and a line feed |
//! | 4 | format version, 1 |
//! | frame | the header, JSON: see [`Header`] |
//! | frame … | records, to the end of the file |
//!
//! A frame is a length (4 bytes), the XXH3 checksum of 64 bits (8 bytes) of what follows, and so many bytes. A frame that
//! is cut short, or whose checksum is wrong, ends the file: it and what is behind it are left out ([`Tail`]). So a
//! process that is killed while it appends loses the record in hand and no other.
//!
//! A record begins with a byte for its kind:
//!
//! | kind | what follows |
//! |---|---|
//! | 1: a photo; it replaces an earlier record of its path | path (4 bytes of length, UTF-8, `/` between folders); size (8); modification time in nanoseconds since 1970 (8, signed); SHA-256 (32); width and height in pixels (4 + 4); capture time (1: whether there is one; 8, signed, see [`LocalTime`]); 1 if it most likely shows none of the classes, else 0 (1); number of answers, at most 5 (1), each a class (4) and its probability (4, F32), best first; scale of the feature (4, F32); the feature, a signed byte a value |
//! | 2: a photo that is gone | its path, to the end of the frame |
//!
//! A feature is what the network's head reads, the pooled and normed mean of the patch tokens, with an L2 norm of 1 and
//! rounded to bytes ([`Feature`], which tells the error).
#![deny(missing_docs)]

mod best;
mod changes;
mod date;
mod duplicates;
mod error;
mod feature;
mod file;
mod frame;
mod header;
mod index;
mod merge;
mod names;
mod near_pairs;
mod photo;
mod search;
mod similar;

pub use changes::{Changes, Decision};
pub use date::{LocalTime, capture_time};
pub use duplicates::{BURST_COSINE, BURST_SECONDS, Group, GroupKind, NEAR_COSINE, duplicates};
pub use error::LibraryError;
pub use feature::Feature;
pub use file::{Opened, Tail, beginning, photo_record, read, removal_record, whole};
pub use header::{Header, ModelIdentity};
pub use index::Index;
pub use merge::merge;
pub use names::{Names, Scope};
pub use near_pairs::NearPairs;
pub use photo::{Answer, MOST_ANSWERS, Photo, Sha256};
pub use search::{Hit, Query, Term};
pub use similar::Similar;
