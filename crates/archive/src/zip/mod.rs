//! What a zip file lists, read from its end: no byte of a file is touched before that file is wanted.
//!
//! Format: PKWARE's APPNOTE 6.3.10, with its 64-bit extension, and Info-ZIP's extra field 0x7075 for names. Bytes may
//! stand before the archive (a program that unpacks it) and behind it (a mail gateway's note): where the directory is
//! found, less where it claims to be, is what all other offsets are off by.

mod end;
mod entry;
mod list;
mod write;

pub use end::{Directory, TAIL, directories};
pub use entry::{Entry, LOCAL_HEADER, Method};
#[cfg(feature = "character-sets")]
pub use list::list;
pub use list::{Listing, OTHER_NAMES, Records, records};
pub use write::{Modified, NewEntry, ZipWriter};

#[cfg(test)]
mod tests;
