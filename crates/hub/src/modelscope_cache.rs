//! The cache of Python's `modelscope`, so that either side finds what the other fetched:
//!
//! ```text
//! models/OWNER--NAME/snapshots/REVISION/FILE     FILE.incomplete while it comes
//! models/OWNER/NAME/FILE                         before version 1.38, dots in NAME as ___; goes on to be used
//! hub/models/OWNER/NAME/FILE                     where it is there, also under hub/
//! .lock/file_HASH.lock
//! ```

use crate::Reference;
use crate::hasher::sha256_of;
use std::fs;
use std::path::{Path, PathBuf};

/// One repository's revision in the cache.
pub struct Cache {
    root: PathBuf,
    folder: PathBuf,
}

impl Cache {
    pub fn new(root: &Path, reference: &Reference, revision: &str) -> Self {
        let Reference { owner, name, .. } = reference;
        let old_name = name.replace('.', "___");
        let old = ["models", "hub/models"].map(|models| root.join(models).join(owner).join(&old_name));
        let is_filled = |folder: &PathBuf| fs::read_dir(folder).is_ok_and(|mut items| items.next().is_some());
        let current =
            || root.join("models").join(format!("{owner}--{name}")).join("snapshots").join(revision);
        Self { root: root.to_owned(), folder: old.into_iter().find(is_filled).unwrap_or_else(current) }
    }

    pub fn file(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    pub fn partial(&self, file: &str) -> PathBuf {
        self.folder.join(format!("{file}.incomplete"))
    }

    pub fn lock(&self, reference: &Reference, file: &str) -> PathBuf {
        let repository = reference.repository();
        let key = ["modelscope-hub-download-lock-v2", "file", "model", &repository, file].join("\0");
        self.root.join(".lock").join(format!("file_{}.lock", sha256_of(&key)))
    }

    /// The names of the files in the revision's top folder, and `file` if it is there.
    pub fn files(&self, file: Option<&str>) -> Vec<String> {
        let items = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let files = items.filter(|item| item.path().is_file());
        let mut names: Vec<String> = files.filter_map(|item| item.file_name().into_string().ok()).collect();
        names.extend(file.filter(|file| self.file(file).is_file()).map(str::to_owned));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_the_one_that_the_library_takes() {
        let reference: Reference = "modelscope:damo/tiny".parse().unwrap();
        let cache = Cache::new(Path::new("/cache"), &reference, "master");
        // As modelscope 1.40 names it.
        let name = "file_b7cfd24ea9f3102ccd0946054fafdd21b6f4be6884240707fea7c11fe02797d5.lock";
        assert_eq!(cache.lock(&reference, "pytorch_model.pt"), Path::new("/cache/.lock").join(name));
    }
}
