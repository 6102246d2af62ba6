//! Which bytes of a checkpoint's file are numbers, and of which storage.

use super::chunk::Chunk;
use super::ranges::Ranges;
use super::zip_members::ZipMembers;

/// A file behind its beginning, as far as it has come.
pub(super) enum Container {
    /// Storages lie where the beginning says.
    Ranges(Ranges),
    /// Storages are a zip archive's members.
    Zip(Box<ZipMembers>),
}

impl Container {
    /// Takes some of the next bytes, which are not empty.
    ///
    /// # Errors
    /// A sentence, when they are not what they should be.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Chunk, String> {
        match self {
            Self::Ranges(ranges) => ranges.next(bytes),
            Self::Zip(members) => members.next(bytes),
        }
    }

    /// Whether a conversion can go on from here: what comes next is understood without what came before.
    pub(super) fn is_between(&self) -> bool {
        match self {
            Self::Ranges(ranges) => ranges.is_between(),
            Self::Zip(members) => members.is_between(),
        }
    }

    /// Goes on from `position`. `arrived` tells of a storage whether it has come; `None` if it is of no use.
    ///
    /// # Errors
    /// A sentence, when that does not fit the position.
    pub(super) fn resume(
        &mut self,
        position: u64,
        arrived: impl Fn(usize) -> Option<bool>,
    ) -> Result<(), String> {
        match self {
            Self::Ranges(ranges) => ranges.resume(position, arrived),
            Self::Zip(members) => {
                members.resume();
                Ok(())
            }
        }
    }

    /// Length of the whole file, if its beginning tells it.
    pub(super) fn file_bytes(&self) -> Option<u64> {
        match self {
            Self::Ranges(ranges) => Some(ranges.file_bytes()),
            Self::Zip(_) => None,
        }
    }

    /// Whether all of the file has come.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Ranges(ranges) => ranges.is_whole(),
            Self::Zip(members) => members.is_whole(),
        }
    }
}
