//! The beginning of a checkpoint, which says what tensors follow, as it comes.

use super::container::Container;
use super::ranges::Ranges;
use super::zip_members::ZipMembers;
use super::zip_records::{FIXED_BYTES, LocalHeader, header_bytes, only_from_a_file};
use crate::not_a_checkpoint;
use crate::note::Note;
use crate::pickle::{MAX_PICKLE_BYTES, PickleEnd};
use crate::pth::{self, Announced, AnnouncedStorage, legacy};
use crate::safetensors::{self, LENGTH_BYTES, MAX_HEADER_BYTES};
use crate::tensor_entry::TensorEntry;
use std::collections::BTreeMap;
use std::ops::Range;

/// Bytes that tell the kinds of files apart: a safetensors header begins after its length.
const FIRST_BYTES: usize = LENGTH_BYTES + 1;
/// Bytes that are looked at to say what a file is that is no checkpoint.
const LOOKED_AT: usize = 1024;

/// What has come of it.
#[derive(Default)]
pub(super) struct FileStart {
    bytes: Vec<u8>,
    kind: Kind,
    expected: Expected,
}

#[derive(Default)]
enum Kind {
    #[default]
    Safetensors,
    /// A zip archive, whose first member is the pickle; its header, and the header's length.
    Archive(LocalHeader, usize),
    Legacy,
}

/// What decides where the beginning ends.
#[derive(Default)]
enum Expected {
    /// The bytes that tell the kind.
    #[default]
    Kind,
    /// It has this length.
    Length(usize),
    /// The header of a zip archive's first member.
    ZipHeader,
    /// The end of so many pickles.
    Pickles { end: PickleEnd, left: u32 },
    /// It is no checkpoint: some more bytes, to say what it is.
    NoCheckpoint,
    /// All of it is there.
    Nothing,
}

/// What the beginning of a checkpoint says.
pub(super) struct Opened {
    /// Its bytes.
    pub(super) start: Vec<u8>,
    pub(super) tensors: BTreeMap<String, TensorEntry>,
    /// The classes' names, where the checkpoint carries them.
    pub(super) class_names: Vec<String>,
    pub(super) notes: Vec<Note>,
    /// Where the storages lie, as the tensors' entries count.
    pub(super) storages: Vec<Range<usize>>,
    pub(super) container: Container,
}

impl FileStart {
    /// Takes what belongs to the beginning; gives how many bytes that is.
    ///
    /// # Errors
    /// A sentence, when it is no checkpoint.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let mut rest = bytes;
        loop {
            let enough = match &mut self.expected {
                Expected::Kind => self.fill(FIRST_BYTES, &mut rest),
                &mut Expected::Length(len) => self.fill(len, &mut rest),
                Expected::ZipHeader => {
                    self.fill(FIXED_BYTES, &mut rest) && {
                        let len = self.bytes.first_chunk().map_or(FIXED_BYTES, header_bytes);
                        self.fill(len, &mut rest)
                    }
                }
                Expected::Pickles { end, .. } => {
                    let (len, ended) = end.push(rest)?;
                    self.fill(self.bytes.len() + len, &mut rest);
                    ended
                }
                Expected::NoCheckpoint => self.fill(LOOKED_AT, &mut rest),
                Expected::Nothing => false,
            };
            if !enough {
                return Ok(bytes.len() - rest.len());
            }
            self.expected = match self.expected {
                Expected::Kind => self.kind()?,
                Expected::ZipHeader => self.zip_header()?,
                Expected::Pickles { left: 1, .. } | Expected::Length(_) | Expected::Nothing => {
                    Expected::Nothing
                }
                Expected::Pickles { left, .. } => {
                    if left == legacy::PICKLES {
                        legacy::check_first_pickle(&self.bytes)?;
                    }
                    Expected::Pickles { end: PickleEnd::new(), left: left - 1 }
                }
                Expected::NoCheckpoint => return Err(self.describe().unwrap_or_else(no_checkpoint)),
            };
        }
    }

    /// Takes bytes until there are `len` of them; whether there are.
    fn fill(&mut self, len: usize, rest: &mut &[u8]) -> bool {
        let (taken, after) = rest.split_at(rest.len().min(len.saturating_sub(self.bytes.len())));
        self.bytes.extend_from_slice(taken);
        *rest = after;
        self.bytes.len() >= len
    }

    fn kind(&mut self) -> Result<Expected, String> {
        if let (Some(&len), Some(b'{')) = (self.bytes.first_chunk(), self.bytes.get(LENGTH_BYTES)) {
            return match u64::from_le_bytes(len) {
                len @ 2..=MAX_HEADER_BYTES => Ok(Expected::Length(LENGTH_BYTES + len as usize)),
                len => Err(format!("it is a damaged safetensors file (a header of {len} bytes)")),
            };
        }
        match pth::Container::of(&self.bytes) {
            Some(pth::Container::Archive) => Ok(Expected::ZipHeader),
            Some(pth::Container::Legacy) => {
                self.kind = Kind::Legacy;
                // The bytes that told the kind are part of the first pickle.
                let mut end = PickleEnd::new();
                end.push(&self.bytes)?;
                Ok(Expected::Pickles { end, left: legacy::PICKLES })
            }
            None => Ok(Expected::NoCheckpoint),
        }
    }

    /// The header of a zip archive's first member is there.
    fn zip_header(&mut self) -> Result<Expected, String> {
        let header = LocalHeader::read(&self.bytes)?;
        let name = &header.name;
        if name != "data.pkl" && !name.ends_with("/data.pkl") {
            if name.ends_with(".npy") {
                return Err(pth::numpy_archive());
            }
            return Err(only_from_a_file(&format!(
                "its zip archive begins with {name:.120}, not with data.pkl"
            )));
        }
        let expected = match header.size {
            Some(size @ 1..=MAX_PICKLE_BYTES) => Expected::Length(self.bytes.len() + size as usize),
            Some(size) => return Err(format!("{name:.120} in its zip archive has {size} bytes")),
            None => Expected::Pickles { end: PickleEnd::new(), left: 1 },
        };
        self.kind = Kind::Archive(header, self.bytes.len());
        Ok(expected)
    }

    /// Whether the beginning is there.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.expected, Expected::Nothing)
    }

    /// What kind of file it is, if that is known and no checkpoint.
    pub(super) fn describe(&self) -> Option<String> {
        match self.expected {
            Expected::Kind | Expected::NoCheckpoint if !self.bytes.is_empty() => {
                not_a_checkpoint::describe(&self.bytes)
            }
            _ => None,
        }
    }

    /// Reads the whole beginning.
    ///
    /// # Errors
    /// A sentence, when it is damaged.
    pub(super) fn open(self) -> Result<Opened, String> {
        let start = self.bytes;
        let announced = match &self.kind {
            Kind::Safetensors => {
                let (tensors, file_bytes) = safetensors::read_header(&start)?;
                let storages: Vec<_> = tensors.values().map(|entry| entry.bytes.clone()).collect();
                let ranges = Ranges::new(&storages, start.len() as u64, file_bytes as u64);
                let container = Container::Ranges(ranges);
                return Ok(Opened {
                    start,
                    tensors,
                    class_names: Vec::new(),
                    notes: Vec::new(),
                    storages,
                    container,
                });
            }
            Kind::Archive(_, header) => Announced::archive(&start[*header..])?,
            Kind::Legacy => Announced::legacy(&start)?,
        };
        let Announced { checkpoint, storages: announced } = announced;
        let storages: Vec<_> = announced.iter().map(|storage| storage.bytes.clone()).collect();
        let container = match self.kind {
            Kind::Archive(header, len) => {
                let members = (0..)
                    .zip(announced)
                    .map(|(number, AnnouncedStorage { key, bytes, .. })| (key, number, bytes.len() as u64));
                let pickle_bytes = (start.len() - len) as u64;
                Container::Zip(Box::new(ZipMembers::new(&header, pickle_bytes, members)))
            }
            Kind::Safetensors | Kind::Legacy => {
                let counts: Vec<u64> = announced.iter().map(|storage| storage.count).collect();
                Container::Ranges(Ranges::counted(&storages, &counts, start.len() as u64))
            }
        };
        let pth::Checkpoint { tensors, class_names, note } = checkpoint;
        Ok(Opened { start, tensors, class_names, notes: note.into_iter().collect(), storages, container })
    }
}

fn no_checkpoint() -> String {
    "it is neither a safetensors file nor a PyTorch checkpoint, whatever its name says".into()
}
