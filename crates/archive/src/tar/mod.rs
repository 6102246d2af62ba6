//! What a tar file lists, header by header: [`HeaderReader`] says which bytes it wants next, and no file's content is among
//! them.
//!
//! Formats: POSIX ustar and pax, GNU's long names and numbers, and the headers of old Unix.

mod header;
mod header_reader;
mod pax;

#[cfg(feature = "character-sets")]
pub use header_reader::decode_names;
pub use header_reader::{HeaderReader, Member, OTHER_NAMES};

#[cfg(test)]
mod tests;
