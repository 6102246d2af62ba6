//! Photos that show none of a model's classes: every photo in a folder or an archive, whatever it is called.

use super::classes::Classes;
use super::tree::Tree;
use super::{Collector, Dataset, Identity, Shard, split};
use crate::error::EvaluateError;
use beit::labels::Label;
use beit::weights::hexadecimal;
use sha2::Digest;
use std::collections::BTreeSet;
use std::path::Path;

/// Names in an error before "and N more".
const NAMED: usize = 10;
/// Length of a WordNet id, with which files of ImageNet begin.
const WNID_BYTES: usize = 9;

impl Dataset {
    /// Finds the photos in a folder, a zip or tar file, or a folder inside such a file. Their class is 0, which means
    /// nothing.
    ///
    /// # Errors
    /// When it can't be read, holds no photos, or folders or files are named after classes of the model, by WordNet id
    /// or English name: then they are no outliers.
    pub fn open_outliers(path: &Path, labels: &[Label]) -> Result<Self, EvaluateError> {
        let classes = Classes::new(labels);
        let (outer, root) = split(path);
        let tree = Tree::open(&outer)?;
        let place = path.display().to_string();
        let mut collector = Collector::new(Shard::WHOLE);
        let (mut count, mut known) = (0, BTreeSet::new());
        tree.photos(&root, &mut |name| {
            let name = &name[root.len()..];
            match class_in(name, &classes) {
                None => collector.add(name, 0),
                Some(class) => {
                    count += 1;
                    known.insert(class.to_owned());
                }
            }
        })?;
        if count > 0 {
            let mut named: Vec<String> = known.iter().take(NAMED).cloned().collect();
            if known.len() > NAMED {
                named.push(format!("and {} more", known.len() - NAMED));
            }
            return Err(EvaluateError::OutliersOfClasses { place, count, named: named.join(", ") });
        }
        let Collector { photos, hash, samples, .. } = collector;
        if photos == 0 {
            return Err(EvaluateError::NoPhotos(place));
        }
        let identity = Identity { sha256: hexadecimal(&hash.finalize()), photos };
        Ok(Self { tree, root, place, samples, identity })
    }
}

/// The first part of a path that names a class: a folder, or the WordNet id that the file's name begins with.
fn class_in<'a>(name: &'a str, classes: &Classes) -> Option<&'a str> {
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    let wnid = file.get(..WNID_BYTES).filter(|id| id.starts_with('n') && classes.has_wnid(id));
    folders.split('/').find(|folder| classes.named(folder).is_some()).or(wnid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use beit::labels::imagenet_1k;

    fn labels() -> Vec<Label> {
        [281, 7].iter().map(|&i: &usize| imagenet_1k()[i].clone()).collect()
    }

    fn open(names: &[&str]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let dataset = Dataset::open_outliers(folder.path(), &labels()).map_err(|error| error.to_string())?;
        Ok(dataset.samples.iter().map(|photo| photo.name.to_string()).collect())
    }

    #[test]
    fn every_photo_is_found_whatever_it_is_called() {
        let names = ["n01440764/tench.jpg", "a.png", "b/c/d.webp", "notes.txt", "n0144.jpg"];
        assert_eq!(open(&names).unwrap(), ["a.png", "b/c/d.webp", "n0144.jpg", "n01440764/tench.jpg"]);
        assert!(open(&["notes.txt"]).unwrap_err().contains("no photos"));
    }

    #[test]
    fn photos_of_classes_that_the_model_knows_are_refused() {
        let names = ["a.png", "x/n02123045/1.jpg", "x/n02123045/2.jpg", "rooster/3.jpg", "n01514668_4.JPEG"];
        let error = open(&names).unwrap_err();
        assert!(error.contains("(4 of them)") && error.contains("n01514668, n02123045, rooster"), "{error}");
    }
}
