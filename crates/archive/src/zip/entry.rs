//! A file in a zip file.

use crate::bytes::u16_at;
use crate::kind::file_name;
use crate::{ArchiveFault, Reason};
use std::ops::Range;

/// A file's own header, without name and extra field.
pub const LOCAL_HEADER: u64 = 30;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// With its folders, separated by slashes.
    pub name: String,
    /// How it is packed.
    pub method: Method,
    /// Whether a password is needed.
    pub encrypted: bool,
    /// Bytes in the archive.
    pub packed: u64,
    /// Bytes unpacked, as the archive says.
    pub size: u64,
    /// Where its own header begins.
    pub(super) header: u64,
}

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Stored,
    Deflated,
    /// By its number in the format.
    Other(u16),
}

impl Method {
    /// By its number in the format.
    pub fn of(number: u16) -> Self {
        match number {
            0 => Self::Stored,
            8 => Self::Deflated,
            other => Self::Other(other),
        }
    }

    /// What the method is called.
    pub fn name(self) -> String {
        let name = match self {
            Self::Stored => "Store",
            Self::Deflated => "Deflate",
            Self::Other(number) => match number {
                1 => "Shrink",
                2..=5 => "Reduce",
                6 => "Implode",
                9 => "Deflate64",
                12 => "bzip2",
                14 => "LZMA",
                20 | 93 => "Zstandard",
                95 => "XZ",
                96 => "JPEG",
                97 => "WavPack",
                98 => "PPMd",
                99 => "AES",
                number => return format!("method {number}"),
            },
        };
        name.to_owned()
    }
}

impl Entry {
    /// The file's name without its folders.
    pub fn file_name(&self) -> &str {
        file_name(&self.name)
    }

    /// What keeps it from being unpacked here, if anything does.
    pub fn obstacle(&self) -> Option<Reason> {
        match self.method {
            _ if self.encrypted => Some(Reason::Encrypted),
            Method::Other(_) => Some(Reason::Method),
            Method::Stored | Method::Deflated => None,
        }
    }

    /// Where its own header lies.
    pub fn header(&self) -> Range<u64> {
        self.header..self.header.saturating_add(LOCAL_HEADER)
    }

    /// Where its packed bytes lie, by its own header.
    ///
    /// # Errors
    /// When that is no such header.
    pub fn data(&self, header: &[u8]) -> Result<Range<u64>, ArchiveFault> {
        if !header.starts_with(b"PK\x03\x04") {
            return Err(ArchiveFault::Damaged);
        }
        let variable = u64::from(u16_at(header, 26)?) + u64::from(u16_at(header, 28)?);
        let start = self.header.checked_add(LOCAL_HEADER + variable).ok_or(ArchiveFault::Damaged)?;
        Ok(start..start.checked_add(self.packed).ok_or(ArchiveFault::Damaged)?)
    }
}
