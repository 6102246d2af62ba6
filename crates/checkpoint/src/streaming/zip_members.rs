//! The members of the zip archive that PyTorch writes, as they come: storages, and small files between.

use super::chunk::Chunk;
use super::zip_records::{
    DIRECTORY, END, END_BYTES, FIXED_BYTES, LOCAL_HEADER, LocalHeader, header_bytes, is_descriptor,
    only_from_a_file,
};
use crate::pth;
use std::collections::HashMap;

/// Members whose length nothing tells are searched for their ends up to this length: PyTorch's are a few bytes.
const MOST_UNKNOWN_BYTES: usize = 1 << 20;

/// How far an archive has come behind its pickle.
pub(super) struct ZipMembers {
    /// What stands before the members' names: `archive/`.
    root: String,
    /// The storages' numbers and lengths, by key.
    storages: HashMap<String, (usize, u64)>,
    next: Next,
}

/// What the next bytes are.
enum Next {
    /// More of a record: a member's header, or the first of what follows all members.
    Record(Vec<u8>),
    Content {
        member: Member,
        left: u64,
        size: u64,
        descriptor: usize,
    },
    /// More of a content of unknown length, with the descriptor behind it.
    Unknown {
        member: Member,
        bytes: Vec<u8>,
        descriptor: usize,
    },
    /// More of the descriptor behind a content of this size.
    Descriptor {
        bytes: Vec<u8>,
        len: usize,
        size: u64,
    },
    /// More of what follows all members; the last bytes of it so far.
    Directory(Vec<u8>),
}

/// What a member is.
enum Member {
    Storage(usize),
    /// The byte order of the storages' numbers, as far as it has come.
    ByteOrder(Vec<u8>),
    Other,
}

impl ZipMembers {
    /// Behind the content of the member `pickle`, of `size` bytes. `storages` are keys, numbers and lengths.
    pub(super) fn new(
        pickle: &LocalHeader,
        size: u64,
        storages: impl Iterator<Item = (String, usize, u64)>,
    ) -> Self {
        Self {
            root: pickle.name.trim_end_matches("data.pkl").into(),
            storages: storages.map(|(key, number, bytes)| (key, (number, bytes))).collect(),
            next: behind(size, pickle.descriptor),
        }
    }

    /// Takes some of the next bytes, which are not empty.
    ///
    /// # Errors
    /// A sentence, when they are not what they should be.
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Chunk, String> {
        let (mut len, mut storage) = (bytes.len(), None);
        match &mut self.next {
            Next::Record(record) => {
                len = fill(record, wanted_bytes(record), bytes);
                if record.len() == wanted_bytes(record) {
                    let record = std::mem::take(record);
                    self.next = self.read(&record)?;
                }
            }
            Next::Content { member, left, size, descriptor } => {
                len = usize::try_from(*left).unwrap_or(usize::MAX).min(len);
                *left -= len as u64;
                match member {
                    Member::Storage(number) => storage = Some(*number),
                    Member::ByteOrder(order) => order.extend_from_slice(&bytes[..len]),
                    Member::Other => {}
                }
                if *left == 0 {
                    member.check()?;
                    self.next = behind(*size, *descriptor);
                }
            }
            Next::Unknown { member, bytes: all, descriptor } => {
                len = 1;
                all.push(bytes[0]);
                let content = all.len().saturating_sub(*descriptor);
                if all.len() >= *descriptor && is_descriptor(&all[content..], content as u64) {
                    if let Member::ByteOrder(order) = member {
                        *order = all[..content].to_vec();
                    }
                    member.check()?;
                    self.next = Next::Record(Vec::new());
                } else if all.len() > MOST_UNKNOWN_BYTES {
                    return Err(only_from_a_file("its zip archive does not tell how long its members are"));
                }
            }
            Next::Descriptor { bytes: descriptor, len: whole, size } => {
                len = fill(descriptor, *whole, bytes);
                if descriptor.len() == *whole {
                    if !is_descriptor(descriptor, *size) {
                        return Err(damaged());
                    }
                    self.next = Next::Record(Vec::new());
                }
            }
            Next::Directory(tail) => {
                tail.extend_from_slice(&bytes[bytes.len().saturating_sub(END_BYTES)..]);
                tail.drain(..tail.len().saturating_sub(END_BYTES));
            }
        }
        Ok(Chunk { len, storage })
    }

    /// What follows a record.
    fn read(&self, record: &[u8]) -> Result<Next, String> {
        if record.first_chunk().is_some_and(|signature| DIRECTORY.contains(signature)) {
            return Ok(Next::Directory(record.to_vec()));
        }
        if !record.starts_with(&LOCAL_HEADER) {
            return Err(damaged());
        }
        let LocalHeader { name, size, descriptor } = LocalHeader::read(record)?;
        let inner = name.strip_prefix(&self.root).unwrap_or(&name);
        let key = inner.strip_prefix("data/").and_then(|key| self.storages.get(key));
        let (member, size) = match (inner, key) {
            (_, Some(&(number, announced))) => {
                if size.is_some_and(|size| size != announced) {
                    return Err(format!(
                        "{name:.120} is not of the {announced} bytes that its pickle tells of"
                    ));
                }
                (Member::Storage(number), Some(announced))
            }
            ("byteorder", _) if size.is_none_or(|size| size <= MOST_UNKNOWN_BYTES as u64) => {
                (Member::ByteOrder(Vec::new()), size)
            }
            ("data.pkl", _) => return Err("its zip archive holds more than one data.pkl".into()),
            ("constants.pkl", _) => return Err(pth::torch_script()),
            _ => (Member::Other, size),
        };
        Ok(match size {
            Some(0) => {
                member.check()?;
                behind(0, descriptor)
            }
            Some(size) => Next::Content { member, left: size, size, descriptor },
            None => Next::Unknown { member, bytes: Vec::new(), descriptor },
        })
    }

    /// Whether a member's header comes next.
    pub(super) fn is_between(&self) -> bool {
        matches!(&self.next, Next::Record(record) if record.is_empty())
    }

    /// A member's header comes next.
    pub(super) fn resume(&mut self) {
        self.next = Next::Record(Vec::new());
    }

    /// Whether the archive's last record has come.
    pub(super) fn is_whole(&self) -> bool {
        matches!(&self.next, Next::Directory(tail) if tail.len() == END_BYTES && tail.starts_with(&END))
    }
}

impl Member {
    /// Checks a content that is there.
    fn check(&self) -> Result<(), String> {
        match self {
            Self::ByteOrder(order) if order != b"little" => Err(pth::big_endian()),
            _ => Ok(()),
        }
    }
}

/// What follows a content of this size.
fn behind(size: u64, descriptor: usize) -> Next {
    if descriptor == 0 {
        return Next::Record(Vec::new());
    }
    Next::Descriptor { bytes: Vec::new(), len: descriptor, size }
}

/// How long a record is, as far as its first bytes tell.
fn wanted_bytes(record: &[u8]) -> usize {
    if !record.starts_with(&LOCAL_HEADER) {
        return LOCAL_HEADER.len();
    }
    record.first_chunk().map_or(FIXED_BYTES, header_bytes)
}

/// Adds bytes until there are `len`; gives how many.
fn fill(to: &mut Vec<u8>, len: usize, bytes: &[u8]) -> usize {
    let taken = len.saturating_sub(to.len()).min(bytes.len());
    to.extend_from_slice(&bytes[..taken]);
    taken
}

fn damaged() -> String {
    "its zip archive is damaged: fetch or save it again".into()
}
