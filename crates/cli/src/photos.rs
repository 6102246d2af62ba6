//! Which photos a command line names.

use crate::failure::Failure;
use checkpoint::find_photos;
use std::collections::HashSet;
use std::path::PathBuf;

/// The photos and the photos of the folders, in order, each once whatever links lead to it. What is not there is among
/// them, so that it is told.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => found.extend(find_photos("PHOTO", std::slice::from_ref(path), usize::MAX)?),
            false => found.push(path.clone()),
        }
    }
    let mut known = HashSet::new();
    found.retain(|path| known.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(found)
}
