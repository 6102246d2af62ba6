//! Finds the file that a path means: itself, or the one checkpoint in a folder.

use crate::CheckpointError;
use crate::settings::INDEX_ENDING;
use crate::split_index::is_part;
use std::path::{Path, PathBuf};

/// File names that hubs use, in the order they are looked for in a folder.
const USUAL_NAMES: [&str; 7] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.safetensors",
    "pytorch_model.pt",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "checkpoints.pth",
];
const ENDINGS: [&str; 6] = [".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar"];
/// What training leaves beside the weights, by how the names start.
const LEFTOVERS: [&str; 6] =
    ["optimizer", "scheduler", "scaler", "rng_state", "random_states", "training_args"];

/// The file to open: a checkpoint, or the index of a split one.
///
/// # Errors
/// When a folder holds no checkpoint or leaves a choice.
pub(crate) fn checkpoint(path: &Path) -> Result<PathBuf, CheckpointError> {
    if path.is_dir() {
        return in_folder(path);
    }
    // A part alone is of no use: its index is meant.
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if is_part(name) && path.is_file() {
        let stem = name.rsplit_once("-of-").and_then(|(stem, _)| stem.rsplit_once('-')).map(|(stem, _)| stem);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        if let (Some(stem), Some(ending)) = (stem, ending) {
            let index = path.with_file_name(format!("{stem}.{ending}{INDEX_ENDING}"));
            if index.is_file() {
                return Ok(index);
            }
        }
        return Err(without_index(path));
    }
    Ok(path.to_owned())
}

/// The one checkpoint in a folder.
fn in_folder(folder: &Path) -> Result<PathBuf, CheckpointError> {
    let usual = USUAL_NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    if let Some(path) = usual {
        return Ok(path);
    }
    let mut found = Vec::new();
    for item in std::fs::read_dir(folder).map_err(CheckpointError::io("list", folder))? {
        let path = item.map_err(CheckpointError::io("list", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let known = ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.ends_with(INDEX_ENDING);
        if known && path.is_file() && !LEFTOVERS.iter().any(|leftover| name.starts_with(leftover)) {
            found.push((name.to_owned(), path));
        }
    }
    found.sort();
    let whole: Vec<_> = found.iter().filter(|(name, _)| !is_part(name)).collect();
    match whole.as_slice() {
        [(_, one)] => Ok(one.clone()),
        [] if !found.is_empty() => Err(without_index(folder)),
        [] => Err(CheckpointError::format(
            folder,
            "the folder holds no .safetensors, .pth, .pt, .bin or .ckpt file: name the file itself",
        )),
        many => {
            let names: Vec<&str> = many.iter().map(|(name, _)| name.as_str()).collect();
            let reason = format!("the folder holds several ({}); name the one to convert", names.join(", "));
            Err(CheckpointError::format(folder, reason))
        }
    }
}

fn without_index(path: &Path) -> CheckpointError {
    let reason = "it is part of a checkpoint that is split over several files, and the index that belongs to them (such \
                  as model.safetensors.index.json) is not beside it: fetch that too";
    CheckpointError::format(path, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_that_is_meant_is_found() {
        let parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        for (files, asked, found) in [
            (&["x.ckpt"][..], "", Ok("x.ckpt")),
            (&["model_best.pth.tar", "args.yaml"], "", Ok("model_best.pth.tar")),
            (&["best.pth", "optimizer.pt", "training_args.bin"], "", Ok("best.pth")),
            (&[parts[0], parts[1], "model.safetensors.index.json"], "", Ok("model.safetensors.index.json")),
            (
                &[parts[0], parts[1], "model.safetensors.index.json"],
                parts[1],
                Ok("model.safetensors.index.json"),
            ),
            (&["model.safetensors", "model.safetensors.index.json"], "", Ok("model.safetensors")),
            (&["b-1-of-1.bin", "b.bin.index.json"], "", Ok("b.bin.index.json")),
            (&parts, "", Err("index")),
            (&parts, parts[0], Err("index")),
            (&["a.pth", "b.pth"], "", Err("a.pth, b.pth")),
            (&["notes.txt"], "", Err("no .safetensors")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            files.iter().for_each(|name| std::fs::write(folder.path().join(name), "x").unwrap());
            match (checkpoint(&folder.path().join(asked)), found) {
                (Ok(path), Ok(name)) => assert_eq!(path, folder.path().join(name), "{files:?}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{files:?}: {error}"),
                (got, _) => panic!("{files:?}: {got:?}"),
            }
        }
    }
}
