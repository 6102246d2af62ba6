//! Which of the usual layouts a dataset has, and the photos in it.

use super::classes::{Classes, MissingClasses};
use super::label_file::{KNOWN, LabelFile, Labelled, PHOTO_FOLDERS};
use super::tree::Tree;
use crate::error::EvaluateError;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Folders around a dataset, one in another, that are looked into.
const MAX_WRAPPERS: usize = 4;
/// Files of a label file that are looked for to find where they are.
const PROBES: usize = 100;

/// How photos are labelled, and the folder of the tree (empty or ending in `/`) that names are relative to.
pub struct Layout {
    pub root: String,
    kind: Kind,
}

enum Kind {
    /// One folder a class.
    Folders,
    /// The label file, relative to the root.
    Labels(&'static str),
}

impl Layout {
    /// Finds the dataset in the folder `root` of a tree, or in the one folder there, or in `val`.
    pub fn find(tree: &Tree, root: &str, classes: &Classes) -> Result<Option<Self>, EvaluateError> {
        Self::find_within(tree, root, classes, MAX_WRAPPERS)
    }

    fn find_within(
        tree: &Tree,
        root: &str,
        classes: &Classes,
        deep: usize,
    ) -> Result<Option<Self>, EvaluateError> {
        if let Some(name) = KNOWN.into_iter().find(|name| tree.has_file(&format!("{root}{name}"))) {
            return Ok(Some(Self { root: root.to_owned(), kind: Kind::Labels(name) }));
        }
        let folders = tree.folders(root)?;
        if folders.iter().any(|name| is_wnid(name) || classes.named(name).is_some()) {
            return Ok(Some(Self { root: root.to_owned(), kind: Kind::Folders }));
        }
        let inner = match &folders[..] {
            [only] => Some(only.as_str()),
            several => several.iter().map(String::as_str).find(|name| *name == "val"),
        };
        match inner {
            Some(inner) if deep > 0 => Self::find_within(tree, &format!("{root}{inner}/"), classes, deep - 1),
            _ => Ok(None),
        }
    }

    /// One folder a class, whatever they are called.
    pub fn folders(tree: &Tree, root: &str) -> Result<Self, EvaluateError> {
        let mut root = root.to_owned();
        for _ in 0..MAX_WRAPPERS {
            let folders = tree.folders(&root)?;
            let [only] = &folders[..] else { break };
            let inner = format!("{root}{only}/");
            if tree.folders(&inner)?.is_empty() {
                break;
            }
            root = inner;
        }
        Ok(Self { root, kind: Kind::Folders })
    }

    /// Hands over each photo, by its name relative to the root, and its class, in the order of the names.
    ///
    /// # Errors
    /// When the label file is at fault, or there are classes that the model lacks: all of them named.
    pub fn photos(
        &self,
        tree: &Tree,
        dataset: &str,
        classes: &Classes,
        each: &mut dyn FnMut(&str, usize),
    ) -> Result<(), EvaluateError> {
        match self.kind {
            Kind::Folders => self.by_class(tree, dataset, classes, each),
            Kind::Labels(name) => {
                let path = format!("{}{name}", self.root);
                let name = format!("{dataset}/{path}");
                let fault = |reason| EvaluateError::Labels { file: name.clone(), reason };
                let content = tree.text(&path).map_err(fault)?;
                let beside = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let separator = if beside.is_empty() { "" } else { "/" };
                let companion = |name: &str| tree.text(&format!("{beside}{separator}{name}")).ok();
                let file = LabelFile { name: &name, content, companion: &companion };
                list_photos(tree, &self.root, &file.read(dataset, classes)?, each);
                Ok(())
            }
        }
    }

    fn by_class(
        &self,
        tree: &Tree,
        dataset: &str,
        classes: &Classes,
        each: &mut dyn FnMut(&str, usize),
    ) -> Result<(), EvaluateError> {
        let mut missing = MissingClasses::default();
        for folder in tree.folders(&self.root)? {
            let class = classes.named(&folder);
            let mut unknown = false;
            tree.photos(&format!("{}{folder}/", self.root), &mut |name| match class {
                Some(class) => each(&name[self.root.len()..], class),
                None => unknown = true,
            })?;
            if unknown {
                missing.add(folder);
            }
        }
        missing.check(dataset)
    }
}

/// Photos of the tree that a label file somewhere else names.
pub fn labelled_by(
    labels_file: &Path,
    tree: &Tree,
    root: &str,
    dataset: &str,
    classes: &Classes,
    each: &mut dyn FnMut(&str, usize),
) -> Result<(), EvaluateError> {
    let open = |path: &Path| File::open(path).map(|file| Box::new(BufReader::new(file)) as Box<dyn BufRead>);
    let fault = |source| EvaluateError::ReadLabels { path: labels_file.to_owned(), source };
    let companion = |name: &str| open(&labels_file.with_file_name(name)).ok();
    let name = labels_file.display().to_string();
    let file = LabelFile { name: &name, content: open(labels_file).map_err(fault)?, companion: &companion };
    list_photos(tree, root, &file.read(dataset, classes)?, each);
    Ok(())
}

/// Hands over the photos under the names they have in the tree.
fn list_photos(tree: &Tree, root: &str, photos: &[Labelled], each: &mut dyn FnMut(&str, usize)) {
    let wrapper = match tree.folders(root).as_deref() {
        Ok([only]) => format!("{only}/"),
        _ => String::new(),
    };
    let holds = |folder: &&str| {
        photos.iter().take(PROBES).any(|(name, _)| tree.has_file(&format!("{root}{folder}{name}")))
    };
    let folder = PHOTO_FOLDERS.into_iter().chain([wrapper.as_str()]).find(holds).unwrap_or_default();
    for (name, class) in photos {
        each(&format!("{folder}{name}"), *class);
    }
}

fn is_wnid(name: &str) -> bool {
    name.len() == 9 && name.starts_with('n') && name[1..].bytes().all(|byte| byte.is_ascii_digit())
}
