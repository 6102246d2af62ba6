//! The names and kinds of ImageNet-22k's classes in the site: the worker fetches them for a checkpoint with 21,841 classes,
//! and for no other.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// Where they lie in the site.
pub const FOLDER: &str = "classes";

/// Where they lie in the project, with the licences of the English and the Chinese names.
const FILES: [&str; 4] = [
    "crates/checkpoint/data/imagenet-22k.tsv",
    "crates/checkpoint/data/imagenet-22k-kinds.tsv",
    "tools/labels/LICENSE-WordNet.txt",
    "tools/labels/LICENSE-COW.txt",
];

/// The files that are copied.
pub fn files(root: &Path) -> impl Iterator<Item = PathBuf> {
    FILES.map(|file| root.join(file)).into_iter()
}

/// Copies them into a site.
pub fn put(root: &Path, site: &Path) -> Result<()> {
    let folder = site.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    files(root).try_for_each(|file| {
        let copied = fs::copy(&file, folder.join(file.file_name().unwrap_or_default()));
        copied.map(drop).map_err(|error| format!("{}: {error}", file.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_site_gets_names_kinds_and_their_licences() {
        let site = std::env::temp_dir().join(format!("xtask-class-names-{}", std::process::id()));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        put(&root, &site).unwrap();
        let read = |name: &str| fs::read_to_string(site.join(FOLDER).join(name)).unwrap();
        assert_eq!(read("imagenet-22k.tsv").lines().count(), 21_841);
        assert!(read("imagenet-22k-kinds.tsv").lines().count() > 4_000);
        assert!(
            read("LICENSE-COW.txt").contains("Chinese") && read("LICENSE-WordNet.txt").contains("Princeton")
        );
        assert_eq!(fs::read_dir(site.join(FOLDER)).unwrap().count(), FILES.len());
        fs::remove_dir_all(&site).unwrap();
    }

    /// The worker asks for them by these names.
    #[test]
    fn the_worker_fetches_what_is_there() {
        let source = include_str!("../../engine/src/import/class_names.rs");
        for file in FILES.iter().filter(|file| file.ends_with(".tsv")) {
            let name = file.rsplit('/').next().unwrap();
            assert!(source.contains(&format!("\"{FOLDER}/{name}\"")), "{name}");
        }
    }
}
