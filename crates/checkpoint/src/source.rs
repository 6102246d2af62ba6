//! An opened checkpoint: its tensors' names, shapes and values, whatever the container.

use crate::note::Note;
use crate::split_index::{self, Index};
use crate::tensor_entry::TensorEntry;
use crate::{CheckpointError, find_file, not_a_checkpoint, pth, safetensors};
use beit::weights::hexadecimal;
use memmap2::Mmap;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// A checkpoint's files, memory-mapped or in memory.
pub struct Source {
    /// The file that was named: of a split checkpoint its index.
    path: PathBuf,
    files: Vec<Content>,
    tensors: BTreeMap<String, TensorEntry>,
    class_names: Vec<String>,
    notes: Vec<Note>,
}

/// One file.
struct Content {
    path: PathBuf,
    bytes: Bytes,
}

/// A file's content.
enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl Content {
    fn map(path: PathBuf) -> Result<Self, CheckpointError> {
        let file = File::open(&path).map_err(CheckpointError::io("open", &path))?;
        // SAFETY: the map is only read. If another process shortens the file meanwhile, reading it ends
        // this process with SIGBUS; no memory of ours is touched. Each value is copied out before use.
        let map = unsafe { Mmap::map(&file) }.map_err(CheckpointError::io("read", &path))?;
        Ok(Self { path, bytes: Bytes::Mapped(map) })
    }

    /// Where the tensors lie, whatever the container.
    fn read(&self) -> Result<pth::Checkpoint, CheckpointError> {
        let safetensors = || {
            let tensors = safetensors::read(&self.bytes)?;
            Ok(pth::Checkpoint { tensors, class_names: Vec::new(), note: None })
        };
        // A safetensors file begins with a length, whose bytes may be those that another kind begins with.
        let read = if safetensors::has_header(&self.bytes) {
            safetensors()
        } else {
            match (pth::read(&self.bytes), not_a_checkpoint::describe(&self.bytes)) {
                (Some(checkpoint), _) => checkpoint,
                (None, Some(sentence)) => Err(sentence),
                (None, None) => safetensors(),
            }
        };
        read.map_err(|reason| CheckpointError::format(&self.path, reason))
    }
}

impl Source {
    /// Opens a `.safetensors` file or a PyTorch checkpoint (`.pth`, `.pt`, `.bin`, `.ckpt`), told apart by
    /// their first bytes, the index of one that is split over several files, or a folder that holds one.
    ///
    /// # Errors
    /// When there is no such file, the folder leaves a choice, or the file is none of these.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let path = find_file::checkpoint(path)?;
        if split_index::is_index(&path) {
            return Self::open_split(path);
        }
        Self::read(Content::map(path)?)
    }

    /// Reads a checkpoint that is already in memory; `path` is only what messages call it.
    ///
    /// # Errors
    /// When the bytes are no checkpoint.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        Self::read(Content { path: path.to_owned(), bytes: Bytes::Owned(bytes) })
    }

    fn read(file: Content) -> Result<Self, CheckpointError> {
        let pth::Checkpoint { tensors, class_names, note } = file.read()?;
        Ok(Self {
            path: file.path.clone(),
            files: vec![file],
            tensors,
            class_names,
            notes: note.into_iter().collect(),
        })
    }

    fn open_split(path: PathBuf) -> Result<Self, CheckpointError> {
        let index = Index::read(&path)?;
        let mut files = Vec::new();
        let (mut parts, mut class_names, mut notes) = (BTreeMap::new(), Vec::new(), Vec::new());
        for name in index.files() {
            let file = Content::map(path.with_file_name(name))?;
            let read = file.read()?;
            if class_names.is_empty() {
                class_names = read.class_names;
            }
            notes.extend(read.note);
            parts.insert(name.to_owned(), (files.len(), read.tensors));
            files.push(file);
        }
        let mut tensors = BTreeMap::new();
        for (name, file) in index.tensors() {
            let entry = parts.get_mut(file).and_then(|(number, part)| Some((*number, part.remove(name)?)));
            let Some((file, entry)) = entry else {
                let reason = format!("it says that {name:.120} is in {file:.120}, which has no such tensor");
                return Err(CheckpointError::format(&path, reason));
            };
            tensors.insert(name.to_owned(), TensorEntry { file, ..entry });
        }
        Ok(Self { path, files, tensors, class_names, notes })
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a person should know of the choice among its tensors.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Every tensor, by the checkpoint's own names.
    pub fn tensors(&self) -> &BTreeMap<String, TensorEntry> {
        &self.tensors
    }

    /// The classes' names, where the checkpoint carries them (`meta.CLASSES`); else empty.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// SHA-256 of the whole file, lower-case hexadecimal; of a split checkpoint, of its parts one after another in
    /// the order of their names.
    pub fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        self.files.iter().for_each(|file| hasher.update(&*file.bytes));
        hexadecimal(&hasher.finalize())
    }

    /// One tensor's values: see [`TensorEntry::decode`].
    ///
    /// # Errors
    /// When they lie in a compressed member that is damaged.
    pub(crate) fn values(&self, entry: &TensorEntry) -> Result<Vec<f32>, CheckpointError> {
        let Content { path, bytes: file } = &self.files[entry.file];
        let bytes = match &entry.deflated {
            None => Cow::Borrowed(&file[entry.bytes.clone()]),
            Some(member) => {
                let inflated = member.read(file, entry.bytes.clone());
                Cow::Owned(inflated.map_err(|reason| CheckpointError::format(path, reason))?)
            }
        };
        Ok(entry.decode(&bytes))
    }
}
