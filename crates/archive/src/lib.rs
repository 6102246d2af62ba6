//! What a zip or tar file lists, from its bytes; and what a new zip file has around its files.
//!
//! ```text
//! the file's end ──▶ zip::ends ──▶ zip::list ──▶ Listing of zip::Entry ──▶ where an entry's bytes are
//! 512 bytes at a time ──▶ tar::HeaderReader ──▶ tar::Member ───────────────────▶ the same
//! names in any character set ──▶ names::plain, or with the tables names::decode
//! zip::NewEntry ──▶ zip::ZipWriter ──▶ headers of a new zip file, between which its files' bytes go
//! a name, how it is packed ──▶ Kind, Reason ──▶ LeftOut: what was not taken in, counted and named
//! ```
//! Only headers are read: the caller says which bytes it wants and fetches them, so an archive of any length takes no
//! memory. Everything in an archive is somebody's claim: counts, sizes and offsets are checked before they are used.
//!
//! The crate knows no browser and no file system.

#![warn(missing_docs)]

mod bytes;
mod fault;
mod kind;
mod left_out;
pub mod names;
pub mod tar;
pub mod zip;

pub use fault::{ArchiveFault, Foreign};
pub use kind::{ArchiveFormat, Kind, file_name, is_photo};
pub use left_out::{LeftOut, NAMES_KEPT, Reason};
