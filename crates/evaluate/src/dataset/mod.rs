//! A labelled set of photos: a folder, or an archive that is read without unpacking it.

mod classes;
mod devkit;
mod folder;
mod label_file;
mod layout;
mod listing;
mod outliers;
mod read_file;
mod shard;
mod shared_file;
mod tar;
mod tree;
mod zip;

pub use shard::Shard;

use crate::error::EvaluateError;
use beit::labels::Label;
use beit::weights::hexadecimal;
use classes::Classes;
use layout::{Layout, labelled_by};
use read_file::read_photo;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use tree::Tree;

/// One photo and the row of the model's head that is right for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Its number in the whole dataset, in the order of the names, from 0 on.
    pub number: u64,
    /// Relative to the dataset's root, components joined by `/`.
    pub name: Box<str>,
    /// Row of the right class.
    pub class: u32,
}

/// A dataset, of which one shard's samples are known by name.
pub struct Dataset {
    tree: Tree,
    /// The folder of the tree that names are relative to: empty or ending in `/`.
    root: String,
    /// The root, for messages.
    pub place: String,
    /// In the order of their names.
    pub samples: Vec<Photo>,
    /// The dataset's, whatever the shard.
    pub identity: Identity,
}

/// What makes two datasets the same: names and classes, wherever the photos lie.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// Of every photo's name and class, in order.
    pub sha256: String,
    /// Photos in all shards together.
    pub photos: u64,
}

impl Dataset {
    /// Finds the photos of a dataset and keeps the names of one shard's.
    ///
    /// `path` is a folder, a zip or tar file, or a folder inside such a file. Photos are labelled by `labels_file` if
    /// there is one, else by what `path` holds: a label file of a known name, or one folder for each class.
    ///
    /// # Errors
    /// When it is none of these, is empty, or has classes that the model lacks: all of them named.
    pub fn open(
        path: &Path,
        labels_file: Option<&Path>,
        labels: &[Label],
        shard: Shard,
    ) -> Result<Self, EvaluateError> {
        let classes = Classes::new(labels);
        let (outer, inside) = split(path);
        let tree = Tree::open(&outer)?;
        let mut samples = Collector::new(shard);
        let mut each = |name: &str, class: usize| samples.add(name, class);
        let dataset = path.display().to_string();
        let root = match labels_file {
            Some(file) => {
                labelled_by(file, &tree, &inside, &dataset, &classes, &mut each)?;
                inside
            }
            None => {
                let layout = match Layout::find(&tree, &inside, &classes)? {
                    Some(layout) => layout,
                    None => Layout::folders(&tree, &inside)?,
                };
                layout.photos(&tree, &dataset, &classes, &mut each)?;
                layout.root
            }
        };
        if samples.photos == 0 {
            return Err(EvaluateError::NotADataset(dataset));
        }
        let place = outer.join(&root).display().to_string();
        let Collector { photos, hash, samples, .. } = samples;
        let sha256 = hexadecimal(&hash.finalize());
        Ok(Self { tree, root, place, samples, identity: Identity { sha256, photos } })
    }

    /// Reads the photos of some samples, `threads` at a time where the dataset allows it, and hands each over with
    /// its index among them, in whatever order, until `each` says to stop.
    pub(crate) fn read(
        &self,
        samples: &[&Photo],
        threads: usize,
        each: &(dyn Fn(usize, Result<Vec<u8>, String>) -> bool + Sync),
    ) {
        let path = |sample: &Photo| format!("{}{}", self.root, sample.name);
        if let Tree::Tar(tar) = &self.tree
            && tar.in_order()
        {
            let mut order = Vec::new();
            for (at, sample) in samples.iter().enumerate() {
                match tar.listing.entry(&path(sample)) {
                    Some(entry) => order.push((entry, at)),
                    None if !each(at, Err("The file is not there.".into())) => return,
                    None => {}
                }
            }
            order.sort_unstable();
            let entries: Vec<usize> = order.iter().map(|(entry, _)| *entry).collect();
            let mut next = order.iter();
            tar.stream(&entries, |_, file| match next.next() {
                Some((_, at)) => each(*at, file.and_then(read_photo)),
                None => false,
            });
            return;
        }
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(sample) = samples.get(at) else { return };
                if !each(at, self.tree.photo(&path(sample))) {
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads.max(1) {
                scope.spawn(work);
            }
        });
    }
}

/// A photo on disk and the row of the model's head that is right for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Its path.
    pub file: PathBuf,
    /// Row of the right class.
    pub class: usize,
}

/// The photos of a dataset that is a folder on disk, in the order of their names.
///
/// # Errors
/// As [`Dataset::open`], and when it is an archive.
pub fn photos_in_folder(folder: &Path, labels: &[Label]) -> Result<Vec<Sample>, EvaluateError> {
    if folder.is_file() {
        return Err(EvaluateError::NotAFolder(folder.to_owned()));
    }
    let dataset = Dataset::open(folder, None, labels, Shard::WHOLE)?;
    let file = |photo: &Photo| folder.join(&dataset.root).join(&*photo.name);
    let samples =
        dataset.samples.iter().map(|photo| Sample { file: file(photo), class: photo.class as usize });
    Ok(samples.collect())
}

/// The archive and the folder inside it (empty or ending in `/`), if that is what a path means.
fn split(path: &Path) -> (PathBuf, String) {
    let archive = path.ancestors().skip(1).find(|outer| outer.is_file());
    match archive.and_then(|archive| Some((archive, path.strip_prefix(archive).ok()?))) {
        Some((archive, inside)) if !path.exists() => {
            let parts: Vec<_> = inside.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            (archive.to_owned(), parts.join("/") + "/")
        }
        _ => (path.to_owned(), String::new()),
    }
}

/// Hashes every photo's name and class, and keeps those of one shard.
struct Collector {
    shard: Shard,
    photos: u64,
    hash: Sha256,
    samples: Vec<Photo>,
}

impl Collector {
    fn new(shard: Shard) -> Self {
        Self { shard, photos: 0, hash: Sha256::new(), samples: Vec::new() }
    }

    fn add(&mut self, name: &str, class: usize) {
        self.hash.update((name.len() as u64).to_le_bytes());
        self.hash.update(name);
        self.hash.update((class as u64).to_le_bytes());
        if self.shard.position(self.photos).is_some() {
            self.samples.push(Photo { number: self.photos, name: name.into(), class: class as u32 });
        }
        self.photos += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use beit::labels::imagenet_1k;

    fn labels() -> Vec<Label> {
        [281, 7].iter().map(|&i: &usize| imagenet_1k()[i].clone()).collect()
    }

    fn listed(folder: &Path, labels: &[Label]) -> Result<Vec<(String, u32)>, String> {
        let dataset = Dataset::open(folder, None, labels, Shard::WHOLE).map_err(|e| e.to_string())?;
        Ok(dataset.samples.iter().map(|s| (s.name.to_string(), s.class)).collect())
    }

    fn make(folder: &Path, name: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn folders_are_classes() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "n02123045/images/x.JPEG",
            "n02123045/images-2/w.jpg",
            "n02123045/boxes.txt",
            "n01514668/y.png",
            "notes/readme.txt",
            ".cache/z.png",
        ] {
            make(folder.path(), name);
        }
        let expected = [
            ("n01514668/y.png".to_owned(), 1),
            ("n02123045/images-2/w.jpg".to_owned(), 0),
            ("n02123045/images/x.JPEG".to_owned(), 0),
        ];
        assert_eq!(listed(folder.path(), &labels()).unwrap(), expected);
        make(folder.path(), "n00000001/z.png");
        let error = listed(folder.path(), &labels()).unwrap_err();
        assert!(error.contains("n00000001"), "{error}");
    }

    #[test]
    fn a_dataset_is_found_in_the_folders_around_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["set/train/n01514668/a.png", "set/val/n02123045/b.png", "set/words.txt"] {
            make(folder.path(), name);
        }
        assert_eq!(listed(folder.path(), &labels()).unwrap(), [("n02123045/b.png".to_owned(), 0)]);
        let wrong = tempfile::tempdir().unwrap();
        make(wrong.path(), "set/unicorn/a.png");
        make(wrong.path(), "set/dragon/a.png");
        let error = listed(wrong.path(), &labels()).unwrap_err();
        assert!(error.contains("lacks 2 of the classes: dragon, unicorn"), "{error}");
    }

    #[test]
    fn a_model_without_wordnet_ids_counts_its_own_rows() {
        let label = |en: &str| Label { wnid: String::new(), en: en.into(), zh: String::new() };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("labels.json"), r#"{"a.jpg": 1, "b.jpg": "cat"}"#).unwrap();
        let samples = listed(folder.path(), &[label("cat"), label("dog")]).unwrap();
        assert_eq!(samples, [("a.jpg".to_owned(), 1), ("b.jpg".to_owned(), 0)]);
    }

    #[test]
    fn an_empty_folder_is_no_dataset() {
        let folder = tempfile::tempdir().unwrap();
        let error = listed(folder.path(), &labels()).unwrap_err();
        assert!(error.contains("labels.json"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), "store/n02123045/a.png");
        std::fs::create_dir(folder.path().join("subset")).unwrap();
        symlink(folder.path().join("store/n02123045"), folder.path().join("subset/n02123045")).unwrap();
        let subset = folder.path().join("subset");
        assert_eq!(listed(&subset, &labels()).unwrap(), [("n02123045/a.png".to_owned(), 0)]);
        symlink(&subset, folder.path().join("store/n02123045/around")).unwrap();
        let error = listed(&folder.path().join("store"), &labels()).unwrap_err();
        assert!(error.contains("leads back to where it is"), "{error}");
    }
}
