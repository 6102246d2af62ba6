//! An opened checkpoint: its tensors' names, shapes and values, whatever the container.

use crate::{CheckpointError, pth, safetensors};
use beit::weights::hexadecimal;
use half::{bf16, f16};
use memmap2::Mmap;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};

/// File names that hubs use, in the order they are looked for in a folder.
const USUAL_NAMES: [&str; 5] = [
    "model.safetensors",
    "pytorch_model.safetensors",
    "pytorch_model.pt",
    "pytorch_model.bin",
    "checkpoints.pth",
];
const EXTENSIONS: [&str; 4] = ["safetensors", "pth", "pt", "bin"];

/// Numbers a tensor consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dtype {
    F32,
    F16,
    BF16,
    /// Something no weight is stored as, by its name.
    Other(String),
}

impl Dtype {
    /// Bytes of one number; 0 for [`Dtype::Other`], whose values are never read.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
            Self::Other(_) => 0,
        }
    }
}

/// Where one tensor lies.
#[derive(Clone, Debug)]
pub struct Entry {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Numbers from one element to the next along each dimension.
    pub(crate) strides: Vec<usize>,
    /// The bytes in the file from the tensor's first element on. Every element lies inside:
    /// the readers check it.
    pub(crate) bytes: Range<usize>,
}

impl Entry {
    /// A tensor without gaps, row-major.
    pub(crate) fn contiguous(dtype: Dtype, shape: Vec<usize>, bytes: Range<usize>) -> Self {
        let strides = contiguous_strides(&shape);
        Self { dtype, shape, strides, bytes }
    }
}

pub(crate) fn contiguous_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for i in (1..shape.len()).rev() {
        strides[i - 1] = strides[i].saturating_mul(shape[i]);
    }
    strides
}

/// A checkpoint file, memory-mapped or in memory.
pub struct Source {
    path: PathBuf,
    bytes: Bytes,
    tensors: BTreeMap<String, Entry>,
    class_names: Vec<String>,
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

impl Source {
    /// Opens a `.safetensors` file or a PyTorch checkpoint (`.pth`, `.pt`, `.bin`), told apart by
    /// their first bytes, or a folder that holds one.
    ///
    /// # Errors
    /// When there is no such file, the folder leaves a choice, or the file is neither.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let path = if path.is_dir() { find_in_folder(path)? } else { path.to_owned() };
        let file = File::open(&path).map_err(CheckpointError::io("open", &path))?;
        // SAFETY: the map is only read. If another process shortens the file meanwhile, reading it ends
        // this process with SIGBUS; no memory of ours is touched. Each value is copied out before use.
        let map = unsafe { Mmap::map(&file) }.map_err(CheckpointError::io("read", &path))?;
        Self::read(path, Bytes::Mapped(map))
    }

    /// Reads a checkpoint that is already in memory; `path` is only what messages call it.
    ///
    /// # Errors
    /// When the bytes are no checkpoint.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, CheckpointError> {
        Self::read(path.to_owned(), Bytes::Owned(bytes))
    }

    fn read(path: PathBuf, bytes: Bytes) -> Result<Self, CheckpointError> {
        let (tensors, class_names) = if bytes.starts_with(b"PK\x03\x04") {
            let checkpoint = pth::read(&bytes).map_err(|reason| CheckpointError::format(&path, reason))?;
            (checkpoint.tensors, checkpoint.class_names)
        } else if bytes.starts_with(&[0x80, 2]) {
            let reason =
                "it was written by PyTorch before 1.6; load it there and save it again, or as safetensors";
            return Err(CheckpointError::format(&path, reason));
        } else {
            (safetensors::read(&bytes).map_err(|reason| CheckpointError::format(&path, reason))?, Vec::new())
        };
        Ok(Self { path, bytes, tensors, class_names })
    }

    /// The file that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every tensor, by the checkpoint's own names.
    pub fn tensors(&self) -> &BTreeMap<String, Entry> {
        &self.tensors
    }

    /// The classes' names, where the checkpoint carries them (`meta.CLASSES`); else empty.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// SHA-256 of the whole file, lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        hexadecimal(&Sha256::digest(&*self.bytes))
    }

    /// One tensor's values, row-major; [`Dtype::Other`] has none.
    pub(crate) fn values(&self, entry: &Entry) -> Vec<f32> {
        let bytes = &self.bytes[entry.bytes.clone()];
        match entry.dtype {
            Dtype::F32 => gather(entry, bytes.as_chunks::<4>().0, f32::from_le_bytes),
            Dtype::F16 => gather(entry, bytes.as_chunks::<2>().0, |b| f16::from_le_bytes(b).to_f32()),
            Dtype::BF16 => gather(entry, bytes.as_chunks::<2>().0, |b| bf16::from_le_bytes(b).to_f32()),
            Dtype::Other(_) => Vec::new(),
        }
    }
}

fn gather<B: Copy>(entry: &Entry, numbers: &[B], widen: impl Fn(B) -> f32) -> Vec<f32> {
    let elements = entry.shape.iter().product();
    if entry.strides == contiguous_strides(&entry.shape) {
        return numbers[..elements].iter().map(|&b| widen(b)).collect();
    }
    let mut values = Vec::with_capacity(elements);
    let mut index = vec![0; entry.shape.len()];
    for _ in 0..elements {
        let at: usize = index.iter().zip(&entry.strides).map(|(i, stride)| i * stride).sum();
        values.push(widen(numbers[at]));
        for (i, &len) in index.iter_mut().zip(&entry.shape).rev() {
            *i += 1;
            if *i < len {
                break;
            }
            *i = 0;
        }
    }
    values
}

/// The one checkpoint in a folder.
fn find_in_folder(folder: &Path) -> Result<PathBuf, CheckpointError> {
    let usual = USUAL_NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    if let Some(path) = usual {
        return Ok(path);
    }
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(CheckpointError::io("list", folder))? {
        let path = item.map_err(CheckpointError::io("list", folder))?.path();
        let known = path.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.contains(&e));
        if known && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            Err(CheckpointError::format(folder, "the folder holds no .safetensors, .pth, .pt or .bin file"))
        }
        many => {
            let names: Vec<_> = many.iter().filter_map(|p| p.file_name()?.to_str()).collect();
            let reason = format!("the folder holds several ({}); name the one to convert", names.join(", "));
            Err(CheckpointError::format(folder, reason))
        }
    }
}
