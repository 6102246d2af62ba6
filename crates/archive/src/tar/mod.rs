//! What a tar file lists, header by header: [`Walk`] says which bytes it wants next, and no file's content is among
//! them.
//!
//! Formats: POSIX ustar and pax, GNU's long names and numbers, and the headers of old Unix.

mod header;
mod pax;
mod walk;

pub use walk::{Member, Walk, decode_names};

#[cfg(test)]
mod tests;
