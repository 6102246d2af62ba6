//! What of a folder has to be looked at: the listing against the index.

use crate::feature::Feature;
use crate::index::Index;
use crate::photo::{Photo, Sha256};
use std::collections::HashSet;

/// What to do with a file of the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Its path, size and modification time are those in the index: nothing.
    Unchanged,
    /// Read and hash it, then ask [`Changes::known`].
    Read,
}

/// Compares a folder's listing with an index.
#[derive(Debug, Default)]
pub struct Changes {
    seen: HashSet<String>,
}

impl Changes {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file of the folder: its path as in [`Photo::path`], its size in bytes, and when it was changed last.
    pub fn decide(&mut self, index: &Index, path: &str, size: u64, modified: i64) -> Decision {
        self.seen.insert(path.to_owned());
        let known = index.by_path(path).map(|photo| &index.photos()[photo]);
        match known.is_some_and(|known| known.size == size && known.modified == modified) {
            true => Decision::Unchanged,
            false => Decision::Read,
        }
    }

    /// The record and the feature of a file whose content the index knows, or knew, under whatever name: a copy, or one
    /// that was moved or touched. The model need not run.
    pub fn known(
        index: &Index,
        path: &str,
        size: u64,
        modified: i64,
        sha256: &Sha256,
    ) -> Option<(Photo, Feature)> {
        let (photo, feature) = index.with_content(sha256)?;
        Some((Photo { path: path.to_owned(), size, modified, ..photo.clone() }, feature))
    }

    /// The paths in the index that were not seen in the folder, in order. To be asked when all of it was listed, and
    /// recorded after the photos: a photo that was moved is then known at each moment.
    pub fn gone(&self, index: &Index) -> Vec<String> {
        let paths = index.photos().iter().map(|photo| &photo.path);
        let mut gone: Vec<String> = paths.filter(|path| !self.seen.contains(*path)).cloned().collect();
        gone.sort();
        gone
    }
}
