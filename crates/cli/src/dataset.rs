//! A labelled set of photos on disk.

use crate::failure::Failure;
use beit::labels::{Label, imagenet_1k};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Names the right class of each file of a flat folder.
const LABELS_FILE: &str = "labels.json";
const PHOTO_EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "jpe", "png", "webp", "gif", "bmp", "tif", "tiff"];
/// Classes named in an error before "and N more".
const NAMED_CLASSES: usize = 10;

/// One photo and the row of the model's head that is right for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    pub file: PathBuf,
    pub class: usize,
}

/// The samples of a folder, in the order of their paths: a flat folder with `labels.json`, or one
/// folder for each class.
///
/// # Errors
/// When the folder is neither, is empty, or has classes that the model lacks: all of them named.
pub fn open(folder: &Path, labels: &[Label]) -> Result<Vec<Sample>, Failure> {
    let classes = Classes::new(labels);
    let labels_file = folder.join(LABELS_FILE);
    let mut samples = if labels_file.is_file() {
        flat(folder, &labels_file, &classes)?
    } else {
        by_class(folder, &classes)?
    };
    if samples.is_empty() {
        return Err(Failure::Data(format!(
            "{}: expected folders of photos named by WordNet id (such as n02123045), or a flat folder with \
             {LABELS_FILE}, got neither",
            folder.display()
        )));
    }
    samples.sort();
    Ok(samples)
}

/// The model's classes, by whatever a dataset may call them.
struct Classes<'a> {
    labels: &'a [Label],
    by_name: HashMap<&'a str, usize>,
    /// Whether the model's classes have WordNet ids: then an index is ImageNet's.
    have_wnids: bool,
}

impl<'a> Classes<'a> {
    fn new(labels: &'a [Label]) -> Self {
        let english = labels.iter().enumerate().map(|(i, label)| (label.en.as_str(), i));
        let wnids = labels.iter().enumerate().map(|(i, label)| (label.wnid.as_str(), i));
        // Ids after names: they win where both spell the same.
        let by_name = english.chain(wnids).filter(|(name, _)| !name.is_empty()).collect();
        Self { labels, by_name, have_wnids: labels.iter().any(|label| !label.wnid.is_empty()) }
    }

    /// The class with this WordNet id or English name.
    fn named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The class with this ImageNet index; the head's own row for classes without WordNet ids.
    fn numbered(&self, index: usize) -> Option<usize> {
        if self.have_wnids {
            return self.named(&imagenet_1k().get(index)?.wnid);
        }
        (index < self.labels.len()).then_some(index)
    }
}

/// Classes of the dataset that the model lacks.
#[derive(Default)]
struct Lacking(BTreeSet<String>);

impl Lacking {
    fn check(self, folder: &Path) -> Result<(), Failure> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut names: Vec<&str> = self.0.iter().map(String::as_str).take(NAMED_CLASSES).collect();
        let more = self.0.len().saturating_sub(NAMED_CLASSES);
        let rest = format!("and {more} more");
        if more > 0 {
            names.push(&rest);
        }
        let (n, folder, names) = (self.0.len(), folder.display(), names.join(", "));
        Err(Failure::Data(format!("{folder}: the model lacks {n} of the classes: {names}")))
    }
}

/// `labels.json`: file → ImageNet index, or file → WordNet id or name.
fn flat(folder: &Path, labels_file: &Path, classes: &Classes) -> Result<Vec<Sample>, Failure> {
    let fault = |reason: String| Failure::Data(format!("{}: {reason}", labels_file.display()));
    let json = std::fs::read(labels_file).map_err(|e| fault(e.to_string()))?;
    let entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&json).map_err(|e| fault(format!("expected {{\"file\": index, …}}: {e}")))?;
    let (mut samples, mut lacking) = (Vec::new(), Lacking::default());
    for (file, class) in entries {
        let row = match &class {
            serde_json::Value::String(name) => classes.named(name),
            other => {
                let index = other.as_u64().and_then(|i| usize::try_from(i).ok());
                let index =
                    index.ok_or_else(|| fault(format!("{file:?}: expected an index, got {other}")))?;
                classes.numbered(index)
            }
        };
        match row {
            Some(class) => samples.push(Sample { file: folder.join(file), class }),
            None => drop(lacking.0.insert(class.to_string())),
        }
    }
    lacking.check(folder)?;
    Ok(samples)
}

/// One folder a class, named by WordNet id or by the class's English name.
fn by_class(folder: &Path, classes: &Classes) -> Result<Vec<Sample>, Failure> {
    let (mut samples, mut lacking) = (Vec::new(), Lacking::default());
    for path in list(folder)?.into_iter().filter(|path| path.is_dir()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut photos = Vec::new();
        collect_photos(&path, &mut photos)?;
        match classes.named(&name) {
            Some(class) => samples.extend(photos.into_iter().map(|file| Sample { file, class })),
            None if photos.is_empty() => {}
            None => drop(lacking.0.insert(name)),
        }
    }
    lacking.check(folder)?;
    Ok(samples)
}

/// Photos in a folder and the folders inside it.
fn collect_photos(folder: &Path, photos: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for path in list(folder)? {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        if path.is_dir() {
            collect_photos(&path, photos)?;
        } else if extension.is_some_and(|e| PHOTO_EXTENSIONS.contains(&e.as_str())) {
            photos.push(path);
        }
    }
    Ok(())
}

/// A folder's content, without what is hidden.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fault = |e: std::io::Error| Failure::Data(format!("cannot list {}: {e}", folder.display()));
    let items: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(fault)?.collect();
    let paths = items.map_err(fault)?.into_iter().map(|item| item.path());
    Ok(paths
        .filter(|path| !path.file_name().unwrap_or_default().to_string_lossy().starts_with('.'))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels() -> Vec<Label> {
        [281, 7].iter().map(|&i: &usize| imagenet_1k()[i].clone()).collect()
    }

    fn rows(samples: &[Sample]) -> Vec<(String, usize)> {
        let name = |s: &Sample| s.file.file_name().unwrap().to_string_lossy().into_owned();
        samples.iter().map(|s| (name(s), s.class)).collect()
    }

    #[test]
    fn a_flat_folder_counts_as_imagenet_does() {
        let folder = tempfile::tempdir().unwrap();
        let write = |json: &str| std::fs::write(folder.path().join(LABELS_FILE), json).unwrap();
        write(r#"{"b.jpg": 7, "a.jpg": 281, "c.jpg": "n02123045"}"#);
        let samples = open(folder.path(), &labels()).unwrap();
        assert_eq!(rows(&samples), [("a.jpg".into(), 0), ("b.jpg".into(), 1), ("c.jpg".into(), 0)]);
        write(r#"{"a.jpg": 281, "b.jpg": 282}"#);
        let error = open(folder.path(), &labels()).unwrap_err().to_string();
        assert!(error.contains("lacks 1 of the classes: 282"), "{error}");
        for bad in ["[]", r#"{"a.jpg": -1}"#, r#"{"a.jpg": 1.5}"#, "{"] {
            write(bad);
            assert!(open(folder.path(), &labels()).is_err(), "{bad}");
        }
    }

    #[test]
    fn folders_are_classes() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        make("n02123045/images/x.JPEG");
        make("n02123045/boxes.txt");
        make("n01514668/y.png");
        make("notes/readme.txt");
        make(".cache/z.png");
        let samples = open(folder.path(), &labels()).unwrap();
        assert_eq!(rows(&samples), [("y.png".into(), 1), ("x.JPEG".into(), 0)]);
        make("n00000001/z.png");
        let error = open(folder.path(), &labels()).unwrap_err().to_string();
        assert!(error.contains("n00000001"), "{error}");
    }

    #[test]
    fn a_model_without_wordnet_ids_counts_its_own_rows() {
        let label = |en: &str| Label { wnid: String::new(), en: en.into(), zh: String::new() };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LABELS_FILE), r#"{"a.jpg": 1, "b.jpg": "cat"}"#).unwrap();
        let samples = open(folder.path(), &[label("cat"), label("dog")]).unwrap();
        assert_eq!(rows(&samples), [("a.jpg".into(), 1), ("b.jpg".into(), 0)]);
    }

    #[test]
    fn an_empty_folder_is_no_dataset() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(folder.path(), &labels()).unwrap_err().to_string();
        assert!(error.contains("labels.json"), "{error}");
    }
}
