//! The beginning of a checkpoint, which says what tensors follow, as it comes.

use super::ranges::Ranges;
use crate::not_a_checkpoint;
use crate::note::Note;
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
    expected: Expected,
}

/// What decides where the beginning ends.
#[derive(Default)]
enum Expected {
    /// The bytes that tell the kind.
    #[default]
    Kind,
    /// It has this length.
    Length(usize),
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
    pub(super) ranges: Ranges,
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
                Expected::Length(len) => {
                    let len = *len;
                    self.fill(len, &mut rest)
                }
                Expected::NoCheckpoint => self.fill(LOOKED_AT, &mut rest),
                Expected::Nothing => false,
            };
            if !enough {
                return Ok(bytes.len() - rest.len());
            }
            self.expected = match self.expected {
                Expected::Kind => self.kind()?,
                Expected::NoCheckpoint => return Err(self.describe().unwrap_or_else(no_checkpoint)),
                Expected::Length(_) | Expected::Nothing => Expected::Nothing,
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

    fn kind(&self) -> Result<Expected, String> {
        match (self.bytes.first_chunk(), self.bytes.get(LENGTH_BYTES)) {
            (Some(&len), Some(b'{')) => match u64::from_le_bytes(len) {
                len @ 2..=MAX_HEADER_BYTES => Ok(Expected::Length(LENGTH_BYTES + len as usize)),
                len => Err(format!("it is a damaged safetensors file (a header of {len} bytes)")),
            },
            _ => Ok(Expected::NoCheckpoint),
        }
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
        let (tensors, file_bytes) = safetensors::read_header(&start)?;
        let storages: Vec<_> = tensors.values().map(|entry| entry.bytes.clone()).collect();
        let ranges = Ranges::new(&storages, start.len() as u64, file_bytes as u64);
        Ok(Opened { start, tensors, class_names: Vec::new(), notes: Vec::new(), storages, ranges })
    }
}

fn no_checkpoint() -> String {
    "it is neither a safetensors file nor a PyTorch checkpoint, whatever its name says".into()
}
