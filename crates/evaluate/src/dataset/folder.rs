//! A dataset on disk.

use super::listing::{is_hidden, is_photo};
use crate::error::EvaluateError;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

/// Folders in each other, beyond which a link must lead in a circle.
const MAX_DEPTH: usize = 24;

/// A folder on disk, which is only listed where a layout asks for it.
pub struct Folder {
    path: PathBuf,
}

/// What a folder holds.
struct Item {
    name: String,
    is_folder: bool,
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Names of the folders in the folder `under`, in the order of their files.
    pub fn folders(&self, under: &str) -> Result<Vec<String>, EvaluateError> {
        let items = self.list(under)?.into_iter();
        Ok(items.filter(|item| item.is_folder).map(|item| item.name).collect())
    }

    /// Hands over the names of the photos in the folder `under` and the folders inside it, in order.
    pub fn photos(&self, under: &str, each: &mut dyn FnMut(&str)) -> Result<(), EvaluateError> {
        for Item { name, is_folder } in self.list(under)? {
            if is_folder {
                self.photos(&format!("{under}{name}/"), each)?;
            } else if is_photo(&name) {
                each(&format!("{under}{name}"));
            }
        }
        Ok(())
    }

    /// A folder's content without what is hidden, in the order in which the paths of all files inside it sort.
    fn list(&self, under: &str) -> Result<Vec<Item>, EvaluateError> {
        let path = self.path.join(under);
        let fault = |source| EvaluateError::List { path: path.clone(), source };
        if under.matches('/').count() > MAX_DEPTH {
            return Err(EvaluateError::TooDeep { path, most: MAX_DEPTH });
        }
        let mut items = Vec::new();
        for entry in path.read_dir().map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if !is_hidden(&name) {
                let is_folder = Self::is_folder(&entry);
                items.push(Item { name, is_folder });
            }
        }
        items.sort_by_cached_key(|item| format!("{}{}", item.name, if item.is_folder { "/" } else { "" }));
        Ok(items)
    }

    /// Links count as what they lead to.
    fn is_folder(entry: &DirEntry) -> bool {
        match entry.file_type() {
            Ok(kind) if !kind.is_symlink() => kind.is_dir(),
            _ => entry.path().is_dir(),
        }
    }
}
