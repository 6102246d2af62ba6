//! Which of a repository's files is the checkpoint.

use crate::part_names::is_part;
use crate::{Error, Reference};

/// File names that hubs use, the best first.
const USUAL_NAMES: [&str; 6] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "pytorch_model.pt",
    "checkpoints.pth",
];
/// What else a checkpoint may end in, the best first.
const EXTENSIONS: [&str; 8] = [
    ".safetensors",
    ".safetensors.index.json",
    ".pth",
    ".pt",
    ".bin",
    ".bin.index.json",
    ".ckpt",
    ".pth.tar",
];
/// What training leaves beside the weights, by how the names start.
const LEFTOVERS: [&str; 6] =
    ["optimizer", "scheduler", "scaler", "rng_state", "random_states", "training_args"];

/// A repository's checkpoint: one file, or the index of one that is split.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its path in the repository.
    pub file: String,
    /// Files that could be checkpoints too, the best first.
    pub others: Vec<String>,
}

/// Whether a file would be taken whatever else there is.
#[cfg(feature = "client")]
pub(crate) fn is_first_choice(file: &str) -> bool {
    file == USUAL_NAMES[0]
}

/// Takes the checkpoint among a repository's files.
///
/// # Errors
/// When there is none, or only parts of one without their index.
pub fn choose(reference: &Reference, files: &[String]) -> Result<Choice, Error> {
    let (hub, repository) = (reference.hub, reference.repository());
    if let Some(file) = &reference.file {
        return if files.contains(file) {
            Ok(Choice { file: file.clone(), others: Vec::new() })
        } else {
            Err(Error::NoFile { hub, repository, file: file.clone(), files: files.to_vec() })
        };
    }
    let mut ranked: Vec<(usize, &String)> =
        files.iter().filter_map(|file| rank(file).map(|rank| (rank, file))).collect();
    ranked.sort();
    let mut candidates = ranked.into_iter().map(|(_, file)| file.clone());
    match candidates.next() {
        Some(file) => Ok(Choice { file, others: candidates.collect() }),
        None => match files.iter().filter(|file| is_part(file)).count() {
            0 => Err(Error::NoCheckpoint { hub, repository, files: files.to_vec() }),
            parts => Err(Error::Split { hub, repository, files: parts }),
        },
    }
}

/// Smaller is better; `None` for what is no checkpoint of the top folder.
fn rank(file: &str) -> Option<usize> {
    if file.contains('/') || is_part(file) || LEFTOVERS.iter().any(|name| file.starts_with(name)) {
        return None;
    }
    let usual = USUAL_NAMES.iter().position(|name| *name == file);
    let by_extension = || EXTENSIONS.iter().position(|extension| file.ends_with(extension));
    usual.or_else(|| by_extension().map(|position| USUAL_NAMES.len() + position))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(reference: &str, files: &[&str]) -> Result<Choice, Error> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        choose(&reference.parse().unwrap(), &files)
    }

    #[test]
    fn the_best_name_wins_and_the_others_are_named() {
        for (files, file, others) in [
            (
                &["README.md", "pytorch_model.bin", "model.safetensors"][..],
                "model.safetensors",
                &["pytorch_model.bin"][..],
            ),
            (&["b.pth", "a.pth", "pytorch_model.pt"], "pytorch_model.pt", &["a.pth", "b.pth"]),
            (&["checkpoints.pth", "optimizer.pt", "training_args.bin"], "checkpoints.pth", &[]),
            (&["x.pth", "x.safetensors", "sub/model.safetensors"], "x.safetensors", &["x.pth"]),
            (&["last.ckpt", "config.json"], "last.ckpt", &[]),
            (
                &["model-1-of-2.safetensors", "model-2-of-2.safetensors", "model.safetensors.index.json"],
                "model.safetensors.index.json",
                &[],
            ),
            (
                &["pytorch_model.bin.index.json", "model.safetensors.index.json", "model.safetensors"],
                "model.safetensors",
                &["model.safetensors.index.json", "pytorch_model.bin.index.json"],
            ),
        ] {
            let choice = chosen("hf:a/b", files).unwrap();
            assert_eq!((&*choice.file, choice.others), (file, others.iter().map(|o| (*o).into()).collect()));
        }
        assert_eq!(
            chosen("hf:a/b/sub/x.pth", &["sub/x.pth", "model.safetensors"]).unwrap().file,
            "sub/x.pth"
        );
    }

    #[test]
    fn without_a_checkpoint_the_files_are_named() {
        let sentence = chosen("hf:a/b", &["README.md", "sub/x.pth"]).unwrap_err().to_string();
        assert!(sentence.contains("README.md, sub/x.pth"), "{sentence}");
        let sentence = chosen("hf:a/b/x.pth", &["y.pth"]).unwrap_err().to_string();
        assert!(sentence.contains("no file x.pth. It has y.pth"), "{sentence}");
        let parts = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let sentence = chosen("hf:a/b", &parts).unwrap_err().to_string();
        assert!(sentence.contains("split over 2 files, and the index"), "{sentence}");
    }
}
