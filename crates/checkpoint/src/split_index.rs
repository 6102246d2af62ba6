//! A checkpoint that is split over several files: the index that tells which tensor is in which.

use crate::settings::INDEX_ENDING;
use crate::{CheckpointError, not_a_checkpoint};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A real one has some 40 KB.
const MAX_INDEX_BYTES: u64 = 16 << 20;
/// No model that is read here has more.
const MAX_FILES: usize = 1000;

/// `{"metadata": {…}, "weight_map": {TENSOR: FILE, …}}`
#[derive(Deserialize)]
pub(crate) struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    /// # Errors
    /// When it is no index, or names files anywhere but beside it.
    pub(crate) fn read(path: &Path) -> Result<Self, CheckpointError> {
        let size = std::fs::metadata(path).map_err(CheckpointError::io("open", path))?.len();
        if size > MAX_INDEX_BYTES {
            let reason = format!("an index of {size} bytes, {MAX_INDEX_BYTES} at most are read");
            return Err(CheckpointError::format(path, reason));
        }
        let json = std::fs::read(path).map_err(CheckpointError::io("read", path))?;
        Self::parse(&json).map_err(|reason| CheckpointError::format(path, reason))
    }

    fn parse(json: &[u8]) -> Result<Self, String> {
        let index: Self = serde_json::from_slice(json).map_err(|e| {
            let known = not_a_checkpoint::describe(json).filter(|_| !not_a_checkpoint::is_json(json));
            known.unwrap_or_else(|| format!("it is no index of a split checkpoint ({e})"))
        })?;
        if let Some(name) = index.weight_map.values().find(|name| !is_plain(name)) {
            return Err(format!("its parts must lie beside it, got {name:.120}"));
        }
        match index.files().len() {
            0 => Err("it names no tensors".into()),
            1..=MAX_FILES => Ok(index),
            count => Err(format!("it names {count} files, {MAX_FILES} at most are read")),
        }
    }

    /// The parts, in order.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.weight_map.values().map(String::as_str).collect()
    }

    /// Each tensor's name and the part it is in.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.weight_map.iter().map(|(name, file)| (name.as_str(), file.as_str()))
    }
}

pub(crate) fn is_index(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(INDEX_ENDING))
}

/// Whether a name is one of several: `model-00001-of-00003.safetensors`.
pub(crate) fn is_part(name: &str) -> bool {
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    let Some((stem, count)) = stem.rsplit_once("-of-") else { return false };
    let Some((_, number)) = stem.rsplit_once('-') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(number) && digits(count)
}

/// A file's name without any folder, on every system.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_beside_the_index() {
        let index = Index::parse(br#"{"metadata":{},"weight_map":{"b":"2.bin","a":"1.bin","c":"1.bin"}}"#);
        assert_eq!(index.unwrap().files().into_iter().collect::<Vec<_>>(), ["1.bin", "2.bin"]);
        for (json, part) in [
            (&br#"{"weight_map":{"a":"../1.bin"}}"#[..], "beside it, got ../1.bin"),
            (br#"{"weight_map":{"a":"/etc/passwd"}}"#, "beside it"),
            (br#"{"weight_map":{"a":".."}}"#, "beside it"),
            (br#"{"weight_map":{"a":""}}"#, "beside it"),
            (br#"{"weight_map":{}}"#, "no tensors"),
            (br#"{"weights":{}}"#, "no index"),
            (b"<html>", "web page"),
        ] {
            let error = Index::parse(json).err().unwrap();
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(is_part("model-00001-of-00002.safetensors") && !is_part("vit-of-5.pth"));
    }
}
