//! A checkpoint that is split over several files: the parts that its index names.

use crate::part_names::is_index;
use crate::{Download, Error};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A real one has some 40 KB.
const MAX_INDEX_BYTES: u64 = 16 << 20;
/// No model that can be converted has more.
const MAX_PARTS: usize = 1000;

/// `{"metadata": {…}, "weight_map": {TENSOR: FILE, …}}`
#[derive(Deserialize)]
struct Index {
    #[serde(rename = "metadata")]
    _metadata: Option<IgnoredAny>,
    weight_map: BTreeMap<String, String>,
}

/// The parts that a downloaded index names, as paths in the repository, in order.
///
/// # Errors
/// When it can't be read, is no index, or names files anywhere but beside it.
pub fn parts(index: &Download) -> Result<Vec<String>, Error> {
    let fault = |reason: String| Error::Index { path: index.path.clone(), reason };
    if index.bytes > MAX_INDEX_BYTES {
        return Err(fault(format!("it has {} bytes, {MAX_INDEX_BYTES} at most are read", index.bytes)));
    }
    let json = fs::read(&index.path).map_err(Error::io("read", &index.path))?;
    let Index { weight_map, .. } = serde_json::from_slice(&json).map_err(|e| fault(e.to_string()))?;
    let names: BTreeSet<&String> = weight_map.values().collect();
    // Names become addresses, and paths of this machine.
    let plain = |name: &str| {
        !name.is_empty()
            && name != "."
            && name != ".."
            && !name.contains(['/', '\\', ':', '\0'])
            && !is_index(name)
    };
    if let Some(name) = names.iter().find(|name| !plain(name)) {
        return Err(fault(format!("its parts must lie beside it, got {name:.120}")));
    }
    if !(1..=MAX_PARTS).contains(&names.len()) {
        return Err(fault(format!("it names {} files, expected 1 to {MAX_PARTS}", names.len())));
    }
    let folder = index.file.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    Ok(names.into_iter().map(|name| format!("{folder}{name}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(json: &str) -> Result<Vec<String>, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.index.json");
        fs::write(&path, json).unwrap();
        let (file, bytes) = ("sub/x.index.json".into(), json.len() as u64);
        parts(&Download { path, file, commit: None, bytes, transferred: 0 })
    }

    #[test]
    fn parts_lie_beside_their_index() {
        let good =
            parts_of(r#"{"metadata":{"total_size":9},"weight_map":{"b":"2.bin","a":"1.bin","c":"2.bin"}}"#);
        assert_eq!(good.unwrap(), ["sub/1.bin", "sub/2.bin"]);
        for (json, reason) in [
            (r#"{"weight_map":{"a":"../1.bin"}}"#, "beside it, got ../1.bin"),
            (r#"{"weight_map":{"a":"C:1.bin"}}"#, "beside it"),
            (r#"{"weight_map":{"a":"y.index.json"}}"#, "beside it"),
            (r#"{"weight_map":{}}"#, "it names 0 files"),
            ("<html>", "expected value"),
        ] {
            let sentence = parts_of(json).unwrap_err().to_string();
            assert!(sentence.contains(reason), "{reason}: {sentence}");
        }
    }
}
