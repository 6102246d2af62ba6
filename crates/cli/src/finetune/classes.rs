//! Which classes a folder of training photos has.

use crate::failure::Failure;
use crate::output::say;
use beit::labels::{Label, imagenet_1k, imagenet_index};
use evaluate::dataset::{Sample, photos_in_folder};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

const LABELS_FILE: &str = "labels.json";

/// The classes, in the order of their folders' names, and every photo with its class's number.
///
/// # Errors
/// When there are fewer than two classes with photos, or two that would have the same name.
pub fn of_folder(folder: &Path) -> Result<(Vec<Label>, Vec<Sample>), Failure> {
    let labels_file = folder.join(LABELS_FILE);
    let names = if labels_file.is_file() { in_labels_file(&labels_file)? } else { folders(folder)? };
    let all: Vec<Label> = names.iter().map(|name| label(name)).collect();
    let mut by_name: HashMap<&str, &str> = HashMap::new();
    for (label, name) in all.iter().zip(&names) {
        if let Some(other) = by_name.insert(&label.en, name) {
            let sentence =
                format!("the classes {other} and {name} would both be called {:?}; rename one", label.en);
            return Err(Failure::Data(format!("{}: {sentence}", folder.display())));
        }
    }
    let samples = if all.is_empty() { Vec::new() } else { photos_in_folder(folder, &all)? };
    // Folders without photos are no classes.
    let used: BTreeSet<usize> = samples.iter().map(|sample| sample.class).collect();
    for class in (0..all.len()).filter(|class| !used.contains(class)) {
        say(&format!("{}: no photos in {}, which is left out", folder.display(), names[class]));
    }
    let rank: BTreeMap<usize, usize> = used.iter().enumerate().map(|(rank, &class)| (class, rank)).collect();
    let labels: Vec<Label> = used.iter().map(|&class| all[class].clone()).collect();
    let samples = samples.into_iter().map(|s| Sample { class: rank[&s.class], ..s }).collect();
    match labels.len() {
        0 | 1 => Err(Failure::Data(format!(
            "{}: expected a folder of photos for each of at least two classes, got {}",
            folder.display(),
            labels.first().map_or_else(|| "none".to_owned(), |label| format!("only {}", label.en))
        ))),
        _ => Ok((labels, samples)),
    }
}

/// A class by the name of its folder: ImageNet's if that is its WordNet id, else simply so called.
fn label(name: &str) -> Label {
    match imagenet_index(name) {
        Some(index) => imagenet_1k()[index].clone(),
        None => {
            let digits = name.strip_prefix('n').filter(|rest| rest.len() == 8);
            let wnid = digits.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
            let wnid = if wnid { name.to_owned() } else { String::new() };
            Label { wnid, en: name.to_owned(), zh: String::new() }
        }
    }
}

/// The names of the folders in a folder, without hidden ones.
fn folders(folder: &Path) -> Result<Vec<String>, Failure> {
    let fault = |e: std::io::Error| Failure::Data(format!("cannot list {}: {e}", folder.display()));
    let items: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(fault)?.collect();
    let paths = items.map_err(fault)?.into_iter().map(|item| item.path()).filter(|path| path.is_dir());
    let name = |path: std::path::PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut names: Vec<String> = paths.map(name).filter(|name| !name.starts_with('.')).collect();
    names.sort();
    Ok(names)
}

/// The classes that a flat folder's `labels.json` names, by name or by ImageNet index.
fn in_labels_file(file: &Path) -> Result<Vec<String>, Failure> {
    let fault = |reason: String| Failure::Data(format!("{}: {reason}", file.display()));
    let json = std::fs::read(file).map_err(|e| fault(e.to_string()))?;
    let entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(&json).map_err(|e| fault(format!("expected {{\"file\": class, …}}: {e}")))?;
    let mut names = BTreeSet::new();
    for (photo, class) in entries {
        let name = match &class {
            serde_json::Value::String(name) => Some(name.clone()),
            other => {
                let index = other.as_u64().and_then(|i| usize::try_from(i).ok());
                index.and_then(|i| Some(imagenet_1k().get(i)?.wnid.clone()))
            }
        };
        let expected = || fault(format!("{photo:?}: expected a name or an ImageNet index, got {class}"));
        names.insert(name.ok_or_else(expected)?);
    }
    Ok(names.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(folder: &Path, files: &[&str]) {
        for file in files {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
    }

    #[test]
    fn folders_with_photos_are_classes() {
        let folder = tempfile::tempdir().unwrap();
        make(
            folder.path(),
            &["n02123045/a.jpg", "my dog/b.png", "my dog/c.png", "notes/x.txt", ".git/d.png"],
        );
        let (labels, samples) = of_folder(folder.path()).unwrap();
        assert_eq!(labels[0], Label { wnid: String::new(), en: "my dog".into(), zh: String::new() });
        assert_eq!((labels[1].en.as_str(), labels.len()), ("tabby", 2));
        assert_eq!(samples.iter().map(|s| s.class).collect::<Vec<_>>(), [0, 0, 1]);
        make(folder.path(), &["tabby/e.jpg"]);
        let error = of_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("n02123045") && error.contains("\"tabby\""), "{error}");
    }

    #[test]
    fn one_class_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let refused = || of_folder(folder.path()).unwrap_err().to_string();
        assert!(refused().contains("got none"), "{}", refused());
        make(folder.path(), &["cat/a.jpg"]);
        assert!(refused().contains("got only cat"), "{}", refused());
        assert!(of_folder(&folder.path().join("gone")).unwrap_err().to_string().contains("gone"));
    }

    #[test]
    fn a_flat_folder_names_its_classes() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LABELS_FILE), r#"{"a.jpg": 281, "b.jpg": "mine"}"#).unwrap();
        let (labels, samples) = of_folder(folder.path()).unwrap();
        assert_eq!((labels[0].en.as_str(), labels[1].en.as_str()), ("mine", "tabby"));
        assert_eq!(samples.iter().map(|s| s.class).collect::<Vec<_>>(), [1, 0]);
        std::fs::write(folder.path().join(LABELS_FILE), r#"{"a.jpg": 2000}"#).unwrap();
        assert!(of_folder(folder.path()).unwrap_err().to_string().contains("2000"));
    }
}
